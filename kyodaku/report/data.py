"""The facts of a run, read for people: what both reports and `explain` know comes through here.

Reads whatever exists: a run that was only crawled has no decisions yet, and its candidates then carry
the provisional answer of the last gate. One shard of candidates is in memory at a time.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kyodaku.errors import RecordError, RunStateError, UnsafeAddressError
from kyodaku.netguard import origin_of
from kyodaku.reasons import Outcome
from kyodaku.recheck.overlay import laid_over, recheck_rows
from kyodaku.records import (
    ANNOTATIONS,
    CANDIDATES,
    CAPTIONS,
    DECISIONS,
    HOSTS,
    MATCHES,
    RAW,
    RELEASED,
    UNSTORED,
    Candidate,
)
from kyodaku.release.tables import read_table
from kyodaku.runs import RunFolder

#: The digest of an empty answer, which makes nobody a copy of anybody.
_OF_NOTHING = hashlib.sha256(b"").hexdigest()

_LIGHT = [
    "candidate_id", "image_url", "page_url", "found_at", "gate", "gate_verdict", "gate_reason",
    "not_requested", "failure", "final_url", "hops", "status", "fetched_at", "bytes", "sha256", "uid",
    "width", "height", "raw_shard", "raw_key", "alt", "caption", "title", "language",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One candidate beside its decision, light enough to count millions of them.

    `shard` and `index` say where its full record stands. Without a decision `verdict` is "" and
    `outcome` is what the last gate said, or "" when it proceeded. `decided_by` holds the indices of the
    candidate's signals that the decision rests on, `grounds` those of its evidence. `hops` are the
    addresses that were asked for the image, in order; none if it was never asked for.
    """

    shard: str
    index: int
    candidate_id: str
    image_url: str
    final_url: str
    page_url: str
    found_at: float
    fetched_at: float
    gate: str
    gate_verdict: str
    gate_reason: str
    failure: str
    hops: tuple[str, ...]
    fetched: bool
    bytes: int
    sha256: str
    uid: str
    width: int
    height: int
    raw_shard: str
    raw_key: str
    text: str
    language: str
    verdict: str
    reason: str
    outcome: str
    outcome_reason: str
    licence: str
    decided_by: tuple[int, ...]
    grounds: tuple[int, ...]
    because_of: str
    purged: bool


@dataclass(frozen=True)
class HostFile:
    """One fetch of one host file, or, under its absolute address as `path`, of a document. `hops` are (URL,
    status) of every request on the way; none if it was never asked for. `verdict` is "" where the origin
    was asked only for the sake of a document."""

    origin: str
    path: str
    final_url: str
    hops: tuple[tuple[str, int], ...]
    status: int
    error: str
    bytes: int
    fetched_at: float
    verdict: str
    reason: str
    sha256: str
    warc_file: str
    warc_offset: int

    @property
    def url(self) -> str:
        """What was asked for."""
        return self.origin + self.path if self.path.startswith("/") else self.path


@dataclass(frozen=True)
class StoredImage:
    """Where the bytes of an image lie. `offset` is -1 once they were purged."""

    tar: Path
    shard: str
    key: str
    status: str
    offset: int
    bytes: int
    sha256: str
    uid: str
    ext: str


class RunFacts:
    """Reads the Parquet files of a run. Every method raises RecordError on a file of another schema or
    one that cannot be read."""

    def __init__(self, run: RunFolder) -> None:
        self.run = run

    @property
    def has_decisions(self) -> bool:
        """True once `select` has written at least one shard."""
        return any(self.run.decisions.glob("*.parquet"))

    def require_ended(self) -> None:
        """Raise RunStateError while the crawl has not written its facts: without them a run looks empty."""
        if not _shards(self.run.candidates):
            raise RunStateError(
                "the crawl of this run has not ended; its facts are written when it does: "
                f"`kyodaku status {self.run.path}` shows it now"
            )

    def rows(self) -> Iterator[Row]:
        """Every candidate with its decision, in the order of the shards."""
        for path in _shards(self.run.candidates):
            decisions = self._decisions(path.stem)
            for index, record in enumerate(_records(path, CANDIDATES, _LIGHT)):
                yield _row(path.stem, index, record, decisions.get(record["candidate_id"]))

    def matching(self, wanted: Mapping[str, Collection[str]]) -> Iterator[Row]:
        """Rows where any of the columns in `wanted` has one of the values given for it."""
        for path in _shards(self.run.candidates) if any(wanted.values()) else ():
            table = read_table(path, CANDIDATES, _LIGHT)
            hits = [_has(table, column, values) for column, values in wanted.items()]
            mask = functools.reduce(pc.or_, hits)
            indices = pc.indices_nonzero(mask).to_pylist()
            records = table.filter(mask).to_pylist()
            decisions = self._decisions(path.stem, [record["candidate_id"] for record in records])
            for index, record in zip(indices, records, strict=True):
                yield _row(path.stem, index, record, decisions.get(record["candidate_id"]))

    def named(self, names: Collection[str]) -> dict[str, Row]:
        """Rows by the candidate_id or uid that `names` holds; of a uid, its first row."""
        found: dict[str, Row] = {}
        for row in self.matching({"candidate_id": names, "uid": names}):
            for name in (row.candidate_id, row.uid):
                if name and name in names:
                    found.setdefault(name, row)
        return found

    def candidates(self, rows: Iterable[Row]) -> dict[str, Candidate]:
        """The full records of some rows, by candidate_id. Each shard is opened once."""
        wanted: dict[str, list[int]] = {}
        for row in rows:
            wanted.setdefault(row.shard, []).append(row.index)
        found: dict[str, Candidate] = {}
        for shard, indices in wanted.items():
            table = read_table(self.run.candidates / f"{shard}.parquet", CANDIDATES)
            records = table.take(sorted(indices)).to_pylist()
            for record in laid_over(records, recheck_rows(self.run, shard)):
                found[record["candidate_id"]] = _candidate(record, shard)
        return found

    def hosts(self) -> list[HostFile]:
        """Every fetch of a host file, in the order of the file."""
        if not self.run.hosts.is_file():
            return []
        names = [
            "origin", "path", "final_url", "hops", "status", "error", "bytes", "fetched_at", "verdict",
            "reason", "sha256", "warc_file", "warc_offset",
        ]  # fmt: skip
        return [
            HostFile(hops=tuple((hop["url"], hop["status"]) for hop in record.pop("hops")), **record)
            for record in _records(self.run.hosts, HOSTS, names)
        ]

    def stored(self, uids: Collection[str]) -> dict[str, StoredImage]:
        """Where images lie in the raw shards, by uid; those that are not there, or purged, are left out."""
        found = (image for image in self._raw("*", "uid", uids) if image.status == "success")
        return {image.uid: image for image in found}

    def place(self, shard: str, key: str) -> StoredImage | None:
        """What a raw shard says about one key, purged or not."""
        return next(self._raw(shard, "key", [key]), None)

    def pixels(self, uids: Collection[str]) -> dict[str, str]:
        """uid -> sha256 of the pixels, for those of the images that were decoded, stored or not."""
        names = ["uid", "pixel_sha256"]
        tables = ((self.run.unstored, UNSTORED), (self.run.annotations, ANNOTATIONS))
        records = (
            row for folder, kind in tables for row in _where(_shards(folder), kind, "uid", uids, names)
        )
        return {record["uid"]: record["pixel_sha256"] for record in records if record["pixel_sha256"]}

    def sides(self, uids: Collection[str]) -> dict[str, tuple[int, int]]:
        """uid -> width and height of the upright picture, for those of the images that were decoded."""
        records = _where(_shards(self.run.annotations), ANNOTATIONS, "uid", uids)
        return {record["uid"]: (record["width"], record["height"]) for record in records if record["width"]}

    def findings(self, uids: Collection[str]) -> dict[str, list[dict[str, Any]]]:
        """uid -> what annotators found, as ANNOTATIONS holds it; empty for images that were not decoded."""
        names = ["uid", "findings"]
        records = _where(_shards(self.run.annotations), ANNOTATIONS, "uid", uids, names)
        return {record["uid"]: record["findings"] or [] for record in records}

    def captions(self, uids: Collection[str]) -> dict[str, dict[str, Any]]:
        """Caption rows by uid."""
        return {record["uid"]: record for record in _where(_shards(self.run.captions), CAPTIONS, "uid", uids)}

    def cluster(self, uid: str) -> list[dict[str, Any]]:
        """All members of every duplicate cluster that `uid` belongs to."""
        files = [self.run.matches] if self.run.matches.is_file() else []
        own = {record["cluster"] for record in _where(files, MATCHES, "uid", [uid] if uid else [])}
        return list(_where(files, MATCHES, "cluster", own))

    def neighbours(self, uids: Collection[str]) -> dict[str, list[str]]:
        """uid -> other images with equal pixels, then those that are near to it; only where there are any."""
        files = [self.run.matches] if self.run.matches.is_file() else []
        own = list(_where(files, MATCHES, "uid", uids))
        equal: dict[str, list[str]] = {}
        names = {record["cluster"] for record in own if record["kind"] == "pixels"}
        for record in _where(files, MATCHES, "cluster", names):
            if record["kind"] == "pixels":
                equal.setdefault(record["cluster"], []).append(record["uid"])
        found: dict[str, list[str]] = {}
        for record in sorted(own, key=lambda record: record["distance"] or 0.0):
            others = equal.get(record["cluster"], []) if record["kind"] == "pixels" else [record["of"]]
            if record["kind"] in ("pixels", "near", "embedding"):
                found.setdefault(record["uid"], []).extend(o for o in sorted(others) if o != record["uid"])
        return {uid: list(dict.fromkeys(others)) for uid, others in found.items() if others}

    def _raw(self, shard: str, column: str, values: Collection[str]) -> Iterator[StoredImage]:
        names = ["key", "status", "offset", "bytes", "sha256", "uid", "ext"]
        for path in _shards(self.run.raw, shard):
            for record in _where([path], RAW, column, values, names):
                yield StoredImage(path.with_suffix(".tar"), path.stem, **record)

    def _decisions(self, shard: str, only: Collection[str] | None = None) -> dict[str, dict[str, Any]]:
        path = self.run.decisions / f"{shard}.parquet"
        if not path.is_file():
            return {}
        found = _records(path, DECISIONS) if only is None else _where([path], DECISIONS, "candidate_id", only)
        return {record["candidate_id"]: record for record in found}

    def releases(self) -> list[Path]:
        """Folders of releases, oldest first."""
        folder = self.run.path / "release"
        found = [path for path in folder.glob("v*") if path.is_dir()] if folder.is_dir() else []
        return sorted(found, key=lambda path: (len(path.name), path.name))


def released_rows(release: Path) -> Iterator[dict[str, Any]]:
    """Rows of RELEASED that became samples, with `shard` added, in the order of the shards."""
    for path in sorted(release.glob("[0-9]*.parquet")):
        for record in _records(path, RELEASED):
            if record["status"] == "success":
                yield {**record, "shard": path.stem}


def safe_origin(url: str) -> str:
    """The origin of a URL, or the words for one that has none."""
    try:
        return origin_of(url)
    except UnsafeAddressError:
        return "(not a web address)"


def _row(shard: str, index: int, record: dict[str, Any], decision: dict[str, Any] | None) -> Row:
    has_body = record["sha256"] not in ("", _OF_NOTHING)
    asked = record["gate"] in ("g4", "g5")
    outcome, outcome_reason = _provisional(record)
    chosen = decision or {}
    return Row(
        shard=shard,
        index=index,
        candidate_id=record["candidate_id"],
        image_url=record["image_url"],
        final_url=record["final_url"],
        page_url=record["page_url"],
        found_at=record["found_at"],
        fetched_at=record["fetched_at"],
        gate=record["gate"],
        gate_verdict=record["gate_verdict"],
        gate_reason=record["gate_reason"],
        failure=record["failure"],
        hops=tuple(hop["url"] for hop in record["hops"]) or ((record["image_url"],) if asked else ()),
        fetched=has_body and record["status"] == 200,
        bytes=record["bytes"],
        sha256=record["sha256"] if has_body else "",
        uid=record["uid"] if has_body else "",
        width=record["width"],
        height=record["height"],
        raw_shard=record["raw_shard"],
        raw_key=record["raw_key"],
        text=record["alt"] or record["caption"] or record["title"],
        language=record["language"],
        verdict=chosen.get("verdict", ""),
        reason=chosen.get("reason", ""),
        outcome=chosen.get("outcome", outcome),
        outcome_reason=chosen.get("outcome_reason", outcome_reason),
        licence=chosen.get("licence", ""),
        decided_by=tuple(chosen.get("signals") or ()),
        grounds=tuple(chosen.get("evidence") or ()),
        because_of=chosen.get("because_of", ""),
        purged=chosen.get("purged", False),
    )


def _candidate(record: dict[str, Any], shard: str) -> Candidate:
    try:
        return Candidate.from_row(record)
    except (ValueError, TypeError) as error:
        raise RecordError(
            f"candidates/{shard}.parquet: {error}; it was written by another version"
        ) from error


def _provisional(record: dict[str, Any]) -> tuple[str, str]:
    """Outcome and reason before any decision: what the last gate said."""
    if record["gate_verdict"] == "refuse":
        return Outcome.REFUSED, record["gate_reason"]
    if record["not_requested"]:
        return Outcome.NOT_REQUESTED, record["not_requested"]
    if record["failure"]:
        return Outcome.FAILED, record["failure"]
    if record["gate_verdict"] == "hold":
        return Outcome.HELD, record["gate_reason"]
    return "", ""


def _shards(folder: Path, name: str = "*") -> list[Path]:
    found = folder.glob("[0-9]*.parquet") if folder.is_dir() else ()
    return sorted(path for path in found if name in ("*", path.stem))


def _records(path: Path, schema: pa.Schema, columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
    for batch in read_table(path, schema, columns).to_batches(max_chunksize=4096):
        yield from batch.to_pylist()


def _where(
    paths: Iterable[Path],
    schema: pa.Schema,
    column: str,
    values: Collection[str],
    columns: list[str] | None = None,
) -> Iterator[dict[str, Any]]:
    """Rows whose `column` has one of `values`; without values no file is opened."""
    for path in paths if values else ():
        table = read_table(path, schema, columns)
        yield from table.filter(_has(table, column, values)).to_pylist()


def _has(table: pa.Table, column: str, values: Collection[str]) -> pa.ChunkedArray:
    return pc.is_in(table[column], value_set=pa.array(sorted(values), pa.string()))
