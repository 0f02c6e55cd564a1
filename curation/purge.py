"""purge: what select refuses leaves the raw shards, their samples' txt and json with it.

The row stays in Parquet with status `purged` and without digests; facts about the picture stay in
candidates, annotations, matches and decisions. The tar is replaced first and its Parquet after; a kill
between the two is seen on the next run, because the keys and offsets differ, and finished then.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pyarrow as pa

from kyodaku.durable import atomic_write
from kyodaku.errors import RecordError
from kyodaku.records import CANDIDATES, DECISIONS, RAW
from kyodaku.release.tables import iter_rows, read_rows, read_table, shard_names
from kyodaku.runs import RunFolder
from kyodaku.shards import TarWriter, iter_samples, iter_tar, write_parquet

#: What is left of a purged row besides its address and key.
_BLANK: dict[str, Any] = {
    "caption": "",
    "status": "purged",
    "error_message": "",
    "exif": "",
    "sha256": "",
    "uid": "",
    "bytes": 0,
    "offset": -1,
}


def purge(run: RunFolder) -> int:
    """Bring the raw shards in line with the decisions on disk; the number of pictures taken out.

    Also finishes a purge that was cut short. Raises RecordError if a tar lacks a picture that no
    decision took out.
    """
    purged = {row["uid"] for _, rows in iter_rows(run.decisions, DECISIONS) for row in rows if row["purged"]}
    keys, named = _keys_of(run, purged)
    return sum(
        _purge_shard(run, shard, purged, keys.get(shard, set()), named.get(shard, set()))
        for shard in shard_names(run.raw)
    )


def sweep(run: RunFolder) -> None:
    """Remove temporary files of killed steps: they may hold pictures. Nobody else works on the run."""
    for path in run.path.rglob(".*.tmp"):
        path.unlink(missing_ok=True)


def _keys_of(run: RunFolder, purged: Collection[str]) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """By shard: keys under which purged pictures were stored, whether or not their rows still say so, and
    every key that a candidate names."""
    keys: dict[str, set[str]] = {}
    named: dict[str, set[str]] = {}
    for shard in shard_names(run.candidates):
        table = read_table(run.candidates / f"{shard}.parquet", CANDIDATES)
        for row in table.select(["uid", "raw_shard", "raw_key"]).to_pylist():
            if row["raw_key"]:
                named.setdefault(row["raw_shard"], set()).add(row["raw_key"])
                if row["uid"] in purged:
                    keys.setdefault(row["raw_shard"], set()).add(row["raw_key"])
    return keys, named


def _purge_shard(
    run: RunFolder, shard: str, purged: Collection[str], keys: set[str], named: Collection[str]
) -> int:
    """Take out what is purged, and what no candidate names: nobody decided about such bytes."""
    tar, parquet = run.raw / f"{shard}.tar", run.raw / f"{shard}.parquet"
    rows = read_rows(parquet, RAW)
    doomed = keys | {
        row["key"]
        for row in rows
        if (row["uid"] and row["uid"] in purged) or (row["status"] == "success" and row["key"] not in named)
    }
    if tar.is_file():
        if any(span.key in doomed for span in iter_tar(tar)):
            _forget_derived(run)
            _rewrite(tar, doomed)
        offsets = {(span.key, span.ext): span.offset_data for span in iter_tar(tar)}
    else:
        offsets = {(row["key"], row["ext"]): row["offset"] for row in rows if row["key"] not in doomed}
    changed, count = False, 0
    for row in rows:
        if row["status"] != "success":
            continue
        offset = offsets.get((row["key"], row["ext"]))
        if row["key"] in doomed:
            row.update(_BLANK)
            count += 1
        elif offset is None:
            raise RecordError(f"{tar}: picture {row['key']} is missing and no decision took it out")
        changed = changed or row["status"] == "purged" or row["offset"] != offset
        row["offset"] = -1 if row["status"] == "purged" else offset
    if changed:
        write_parquet(pa.Table.from_pylist(rows, RAW), parquet)
    return count


def _rewrite(tar: Path, doomed: Collection[str]) -> None:
    with atomic_write(tar) as file, TarWriter(file) as writer:
        for key, members in iter_samples(tar):
            if key not in doomed:
                writer.add(key, members)


def _forget_derived(run: RunFolder) -> None:
    """Drop what may show a picture that is about to go: the private report and an unfinished release."""
    run.report.unlink(missing_ok=True)
    for folder in run.release().parent.glob(".*.building"):
        shutil.rmtree(folder)
