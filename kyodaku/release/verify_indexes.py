"""The files of a release that speak about all shards at once, against the shards."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kyodaku.copies import FORMS
from kyodaku.errors import RecordError
from kyodaku.reasons import Outcome
from kyodaku.records import ATTRIBUTION, INDEX
from kyodaku.release.keep import keep_list
from kyodaku.release.manifest import Manifest, largest_of
from kyodaku.release.markers import read_marker
from kyodaku.release.tables import read_rows
from kyodaku.release.verify_shard import Problem, ShardFindings

__all__ = ["Problem", "check_indexes"]

_PDQ = re.compile(r"[0-9a-f]{64}")


def check_indexes(folder: Path, manifest: Manifest, findings: Sequence[ShardFindings]) -> list[Problem]:
    """`sizes.json`, `index.parquet`, `attribution.parquet`, `keep.npy`, the card and the manifest's own
    numbers. `findings` are those of every shard, in order."""
    rows = [(found.name, row) for found in findings for row in found.rows]
    uids = [row["uid"] for _, row in rows]
    details = [
        *_check_sizes(folder, findings),
        *_check_tables(folder, rows),
        *_check_keep(folder, uids),
        *_check_counts(manifest, findings, uids),
        *_check_largest(manifest, [row for _, row in rows]),
        *_check_card(folder, manifest),
    ]
    return [Problem("indexes", detail) for detail in details]


def _check_sizes(folder: Path, findings: Sequence[ShardFindings]) -> list[str]:
    wanted = {f"{found.name}.tar": found.samples for found in findings}
    return [] if read_marker(folder / "sizes.json") == wanted else ["sizes.json differs from the shards"]


def _check_tables(folder: Path, rows: Sequence[tuple[str, dict[str, Any]]]) -> list[str]:
    try:
        index = read_rows(folder / "index.parquet", INDEX)
        owed = read_rows(folder / "attribution.parquet", ATTRIBUTION)
    except RecordError as error:
        return [str(error)]
    shared = ("uid", "sha256", "sha256_source", "pixel_sha256", "url", "page_url", "credit")
    found = [(row["shard"], *(row[name] for name in shared)) for row in index]
    wanted = [(f"{shard}.tar", *(row[name] for name in shared)) for shard, row in rows]
    problems = [] if found == wanted else ["index.parquet differs from the shards"]
    if not all(_is_fingerprint(row) for row in index):
        problems.append("index.parquet holds fingerprints that are none")
    creators = Counter(row["creator"] for _, row in rows if row["creator"])
    names = ("uid", "creator", "licence", "licence_url", "credit")
    credited = [(*(row[name] for name in names), row["creator_images"]) for row in owed]
    credit = [(*(row[name] for name in names), creators[row["creator"]]) for _, row in rows]
    return problems + ([] if credited == credit else ["attribution.parquet differs from the shards"])


def _is_fingerprint(row: dict[str, Any]) -> bool:
    """Whether the hashes of an index row are such as `kyodaku match` reads."""
    cuts = row["pdq_cuts"] or []
    hashes = [row["pdq"], *cuts, *([row["pdq_trimmed"]] if row["pdq_trimmed"] else [])]
    return len(cuts) in (0, len(FORMS) - 2) and all(
        isinstance(text, str) and _PDQ.fullmatch(text) is not None for text in hashes
    )


def _check_keep(folder: Path, uids: Sequence[str]) -> list[str]:
    try:
        kept = np.load(folder / "keep.npy", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return ["keep.npy cannot be read"]
    wanted = keep_list(uids)
    same = kept.dtype == wanted.dtype and kept.shape == wanted.shape and bool((kept == wanted).all())
    return [] if same else ["keep.npy is not the sorted list of uids"]


def _check_counts(manifest: Manifest, findings: Sequence[ShardFindings], uids: Sequence[str]) -> list[str]:
    problems = []
    if manifest.samples != len(uids) or manifest.shards != len(findings):
        problems.append("the manifest counts other samples or shards than there are")
    if sum(manifest.counts.get(Outcome.RELEASED.value, {}).values()) != len(uids):
        problems.append("the manifest's outcomes do not add up to the samples")
    if list(uids) != sorted(set(uids)):
        problems.append("a uid stands twice or out of order")
    return problems


def _check_largest(manifest: Manifest, rows: Sequence[dict[str, Any]]) -> list[str]:
    wanted = largest_of((row["width"], row["height"]) for row in rows)
    return [] if manifest.largest == wanted else ["the manifest's largest picture is not that of the shards"]


def _check_card(folder: Path, manifest: Manifest) -> list[str]:
    card = (folder / "README.md").read_text("utf-8", "replace") if (folder / "README.md").is_file() else ""
    if not card:
        return ["README.md is missing"]
    if manifest.local_network != ("**local_network**" in card):
        return ["README.md and manifest disagree about local_network"]
    return []
