"""match: clusters of equal bytes and of equal pixels, over all shards. Reads only Parquet."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from curation.steps import code_digest, digest_files, is_as_written, table_digests
from kyodaku.records import ANNOTATIONS, CANDIDATES, MATCHES
from kyodaku.release.markers import read_marker
from kyodaku.release.tables import iter_rows, read_table, shard_names
from kyodaku.runs import RunFolder
from kyodaku.shards import write_parquet, write_stats


def match(run: RunFolder) -> bool:
    """Write `matches.parquet` and its `matches_stats.json` unless they are up to date; True if written."""
    marker = run.matches.with_name("matches_stats.json")
    facts = [
        folder / f"{shard}.parquet"
        for folder in (run.candidates, run.annotations)
        for shard in shard_names(folder)
    ]
    wanted = {"inputs": digest_files(facts), "code": code_digest("curation.match")}
    found = read_marker(marker)
    if (
        found is not None
        and found.get("digests") == wanted
        and run.matches.is_file()
        and is_as_written(run.matches, found)
    ):
        return False
    marker.unlink(missing_ok=True)
    annotations = [row for _, rows in iter_rows(run.annotations, ANNOTATIONS) for row in rows]
    rows = match_rows(_places(run), annotations)
    write_parquet(pa.Table.from_pylist(rows, MATCHES), run.matches)
    clusters = Counter(row["kind"] for row in {row["cluster"] + row["kind"]: row for row in rows}.values())
    write_stats(
        marker,
        {
            "clusters": dict(clusters),
            "count": len(rows),
            "digests": wanted,
            "sha256": table_digests(run.matches),
        },
    )
    return True


def match_rows(places: dict[str, int], annotations: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of MATCHES. `places` maps a uid to the number of candidates that gave its bytes.

    `bytes`: a uid found at two candidates or more; the cluster is the uid. `pixels`: two uids or more
    whose upright pixels are equal; the cluster is the first 128 bits of the digest of the pixels.
    """
    rows = [
        {"cluster": uid, "kind": "bytes", "uid": uid, "distance": 0}
        for uid, count in sorted(places.items())
        if count > 1
    ]
    pixels: dict[str, set[str]] = defaultdict(set)
    for row in annotations:
        if row["pixel_sha256"]:
            pixels[row["pixel_sha256"][:32]].add(row["uid"])
    for cluster, uids in sorted(pixels.items()):
        if len(uids) > 1:
            rows += [
                {"cluster": cluster, "kind": "pixels", "uid": uid, "distance": 0} for uid in sorted(uids)
            ]
    return rows


def _places(run: RunFolder) -> dict[str, int]:
    """How many candidates gave each uid."""
    counts: Counter[str] = Counter()
    for shard in shard_names(run.candidates):
        table = read_table(run.candidates / f"{shard}.parquet", CANDIDATES)
        counts.update(uid for uid in table["uid"].to_pylist() if uid)
    return dict(counts)
