"""What a release will hold, sample by sample, before anything is packed: one row each, ordered by uid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

_STR, _INT = pa.string(), pa.int64()

#: Internal to a release that is being built; gone once it is published.
PLAN = pa.schema(
    [
        ("uid", _STR),
        ("candidate_id", _STR),
        ("raw_shard", _STR),
        ("raw_key", _STR),
        ("format", _STR),
        ("sha256_source", _STR),
        ("pixel_sha256", _STR),
        ("pdq", _STR),
        ("pdq_quality", _INT),
        ("pdq_trimmed", _STR),
        ("pdq_cuts", pa.list_(_STR)),
        ("original_width", _INT),
        ("original_height", _INT),
        ("url", _STR),
        ("page_url", _STR),
        ("caption", _STR),
        ("caption_source", _STR),
        ("reason", _STR),
        ("licence", _STR),
        ("licence_url", _STR),
        ("creator", _STR),
        ("credit", _STR),
        ("evidence_url", _STR),
        ("evidence_binding", _STR),
        ("fetched_at", pa.float64()),
        ("pwatermark", pa.float64()),  # LAION's name: P(visible mark); null if no detector looked
    ],
    metadata={"kyodaku.schema": "plan/2"},
)

_PLACE = ("raw_shard", "raw_key")


def lasting(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows without where the crawl happened to store each picture: what a release's digests are taken
    of, so that the same facts crawled in another order give the same release."""
    return [{name: value for name, value in row.items() if name not in _PLACE} for row in rows]
