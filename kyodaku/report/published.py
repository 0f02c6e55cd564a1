"""Which releases of a run hold which pictures: a release is never changed, so a later no leaves it be."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kyodaku.records import INDEX, RELEASED
from kyodaku.release.tables import read_table, shard_names
from kyodaku.report.data import RunFacts

_COLUMNS = ["key", "status", "uid", "sha256", "offset", "bytes"]


@dataclass(frozen=True, slots=True)
class Published:
    """A picture in a release: `v1`, shard `00000`, and where its bytes lie in that shard's tar."""

    version: str
    shard: str
    key: str
    offset: int
    bytes: int

    @property
    def file(self) -> str:
        """The tar, as seen from the run folder."""
        return f"release/{self.version}/{self.shard}.tar"


class Releases:
    """The releases of a run, oldest first. Every method raises RecordError on a file that cannot be read."""

    def __init__(self, facts: RunFacts) -> None:
        self._folders = facts.releases()

    def holding(self, uids: Collection[str]) -> dict[str, list[Published]]:
        """uid -> every place where a release holds that picture, oldest release first."""
        found: dict[str, list[Published]] = {}
        for folder in self._folders if uids else ():
            for shard in _shards_with(folder, uids):
                for row in _rows(folder, shard, "uid", uids):
                    place = Published(folder.name, shard, row["key"], row["offset"], row["bytes"])
                    found.setdefault(row["uid"], []).append(place)
        return found

    def sources(self, digests: Collection[str]) -> set[str]:
        """uids of the pictures whose released bytes have one of these sha256; other words are no digests."""
        digests = {word for word in digests if len(word) == 64}
        return {
            row["uid"]
            for folder in (self._folders if digests else ())
            for shard in shard_names(folder)
            for row in _rows(folder, shard, "sha256", digests)
        }

    def words(self, places: Sequence[Published], name: str = "release/{version}, shard {shard}.tar") -> str:
        """All of `places` and the later releases without them ("..., key ...; not in v2"); "" for none."""
        if not places:
            return ""
        held = {place.version for place in places}
        listed = " and ".join(
            f"{name.format(version=place.version, shard=place.shard)}, key {place.key}" for place in places
        )
        names = [folder.name for folder in self._folders]
        newest = max(names.index(version) for version in held)
        without = names[newest + 1 :]
        return f"{listed}; not in {', '.join(without)}" if without else listed


def _shards_with(folder: Path, uids: Collection[str]) -> list[str]:
    """Shards that may hold one of `uids`: by the index, where the release has one."""
    index = folder / "index.parquet"
    if not index.is_file():
        return shard_names(folder)
    table = read_table(index, INDEX, ["uid", "shard"])
    return sorted(
        {name.partition(".")[0] for name in table.filter(_among(table, "uid", uids))["shard"].to_pylist()}
    )


def _rows(folder: Path, shard: str, column: str, values: Collection[str]) -> Iterator[dict[str, Any]]:
    table = read_table(folder / f"{shard}.parquet", RELEASED, _COLUMNS)
    for row in table.filter(_among(table, column, values)).to_pylist():
        if row["status"] == "success":
            yield row


def _among(table: pa.Table, column: str, values: Collection[str]) -> pa.ChunkedArray:
    return pc.is_in(table[column], value_set=pa.array(sorted(values), pa.string()))
