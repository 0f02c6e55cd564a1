"""Pictures that a published release still holds although the decisions of its run refuse them by now.

A release is never changed: a later no takes a picture out of the next version. The versions before it
keep the picture until whoever published them withdraws them, so everybody who looks must be told.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from kyodaku.errors import RecordError
from kyodaku.reasons import Verdict
from kyodaku.records import DECISIONS, INDEX, RELEASED
from kyodaku.release.manifest import versions
from kyodaku.release.tables import read_table, shard_names
from kyodaku.runs import RunFolder


class Withdrawn(NamedTuple):
    """A picture that should be here no longer: `v1`, its uid, `00000.tar` and its key in that tar."""

    version: str
    uid: str
    shard: str
    key: str


def withdrawn(run: RunFolder) -> list[Withdrawn]:
    """Every released picture that no candidate of the run is allowed to give any more, by version.

    Empty for a run without decisions. Raises RecordError where decisions or a release cannot be read.
    """
    if not shard_names(run.decisions):
        return []
    allowed = {
        row["uid"]
        for shard in shard_names(run.decisions)
        for row in read_table(run.decisions / f"{shard}.parquet", DECISIONS, ["uid", "verdict"]).to_pylist()
        if row["verdict"] == Verdict.ALLOW
    }
    return [
        Withdrawn(release.name, uid, shard, uid)
        for release in versions(run.release().parent)
        for uid, shard in _samples(release)
        if uid not in allowed
    ]


def warnings(run: RunFolder) -> list[str]:
    """One line for each release that holds withdrawn pictures, oldest first; for the command line."""
    try:
        counts = Counter(found.version for found in withdrawn(run))
    except RecordError as error:
        return [f"whether a release still holds refused pictures cannot be told: {error}"]
    return [
        f"{version} still holds {number:,} {'picture that is' if number == 1 else 'pictures that are'} "
        "refused now: withdraw it"
        for version, number in counts.items()
    ]


def _samples(release: Path) -> list[tuple[str, str]]:
    """Uid and tar of every sample; the shards' own tables stand in for an index that is damaged."""
    try:
        rows = read_table(release / "index.parquet", INDEX, ["uid", "shard"]).to_pylist()
        return [(row["uid"], row["shard"]) for row in rows]
    except RecordError:
        return [
            (uid, f"{shard}.tar")
            for shard in shard_names(release)
            for uid in read_table(release / f"{shard}.parquet", RELEASED, ["uid"])["uid"].to_pylist()
        ]
