"""Is the folder of a run still what the crawl and earlier curations left?

Nothing stands in for a fact of the crawl: one that is gone or damaged stops the curation. Tables derived
from facts are made again, but for what they know of pictures whose bytes were taken out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from curation.steps import is_as_written
from kyodaku.errors import RecordError, RunStateError
from kyodaku.records import ANNOTATIONS, CANDIDATES, CAPTIONS, DECISIONS, MATCHES, RAW, UNSTORED
from kyodaku.release.markers import read_marker
from kyodaku.release.tables import read_table, shard_names
from kyodaku.runs import RunFolder


def check_facts(run: RunFolder) -> None:
    """Raise RunStateError for a table of the crawl that is missing, RecordError for a damaged one."""
    shards = shard_names(run.candidates)
    expected = {f"{number:05d}" for number in range(len(shards))} | set(shard_names(run.decisions))
    for shard in sorted(expected - set(shards)):
        raise _missing(run.candidates / f"{shard}.parquet")
    stored = {path.name[:5] for path in (*run.raw.glob("*.tar"), *run.raw.glob("*_stats.json"))}
    for shard in shards:
        named = read_table(run.candidates / f"{shard}.parquet", CANDIDATES)["raw_shard"]
        stored |= {name for name in named.unique().to_pylist() if name}
    for shard in sorted(stored):
        if not (run.raw / f"{shard}.parquet").is_file():
            raise _missing(run.raw / f"{shard}.parquet")
    for shard in shard_names(run.raw):
        read_table(run.raw / f"{shard}.parquet", RAW)
    unstored = shard_names(run.unstored)
    for number, shard in enumerate(unstored):
        if shard != f"{number:05d}":
            raise _missing(run.unstored / f"{number:05d}.parquet")
        read_table(run.unstored / f"{shard}.parquet", UNSTORED)


def forget_damaged(run: RunFolder) -> list[Path]:
    """Remove derived tables that are not what was written, so that they are made again; their paths."""
    damaged = [path for path, marker, schema in _derived(run) if not _is_sound(path, marker, schema)]
    for path in damaged:
        path.with_name(f"{path.stem}_stats.json").unlink(missing_ok=True)
        path.unlink()
    return damaged


def check_purged_are_known(run: RunFolder) -> None:
    """Raise RecordError if annotations of a picture are lost whose bytes were taken out.

    Its pixels cannot be known again, and what a copy of it was refused for would be forgotten.
    """
    gone = {
        (shard, row["key"])
        for shard in shard_names(run.raw)
        for row in read_table(run.raw / f"{shard}.parquet", RAW).select(["key", "status"]).to_pylist()
        if row["status"] == "purged"
    }
    if not gone:
        return
    known = {
        uid
        for shard in shard_names(run.annotations)
        for uid in read_table(run.annotations / f"{shard}.parquet", ANNOTATIONS)["uid"].to_pylist()
    }
    for shard in shard_names(run.candidates):
        table = read_table(run.candidates / f"{shard}.parquet", CANDIDATES)
        for row in table.select(["uid", "raw_shard", "raw_key"]).to_pylist():
            if (row["raw_shard"], row["raw_key"]) in gone and row["uid"] not in known:
                raise RecordError(
                    f"{run.annotations}/{row['raw_shard']}.parquet: what it knew of pictures that were taken "
                    "out is lost and cannot be computed again; restore the file, or crawl again with --new"
                )


def _derived(run: RunFolder) -> Iterator[tuple[Path, Path, pa.Schema]]:
    """Every derived table on disk: its path, its marker, its schema."""
    tables = ((run.annotations, ANNOTATIONS), (run.captions, CAPTIONS), (run.decisions, DECISIONS))
    paths = [(folder / f"{shard}.parquet", kind) for folder, kind in tables for shard in shard_names(folder)]
    if run.matches.is_file():
        paths.append((run.matches, MATCHES))
    for path, schema in paths:
        yield path, path.with_name(f"{path.stem}_stats.json"), schema


def _is_sound(path: Path, marker: Path, schema: pa.Schema) -> bool:
    """A table without a marker is sound if it can be read: its step was killed after writing it."""
    found = read_marker(marker)
    if found is not None and "sha256" in found:
        return is_as_written(path, found)
    try:
        read_table(path, schema)
    except RecordError:
        return False
    return True


def _missing(path: Path) -> RunStateError:
    return RunStateError(
        f"{path} is missing; nothing can stand in for it: restore it, or crawl again with --new"
    )
