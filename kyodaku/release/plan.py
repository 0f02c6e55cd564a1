"""What a release will hold, sample by sample, before anything is packed: one row each, ordered by uid."""

from __future__ import annotations

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
    ],
    metadata={"kyodaku.schema": "plan/1"},
)
