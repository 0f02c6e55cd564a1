"""`reviews.jsonl` of a run: what people said who looked at its pictures. Facts; nothing decides here.

One JSON object a line, only ever appended; each line is synced before anybody is told that it is kept. Lines:

* `review`: allow, drop or unsure about one picture that was set aside (`lifts` names the objections that the
  page showed; `shown` digests the facts that it showed);
* `drawn`: a sample of what would be released, with the decisions it was drawn from;
* `judged`: good, bad or unsure about one picture of such a sample;
* `undo`: takes back every line of one group (what was said with one press of a key).

A last line without its end was never acknowledged: readers pass over it, the next writer cuts it off.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar

from kyodaku.durable import canonical_json, disk_full_as_error, fsync_dir
from kyodaku.errors import RecordError

VERSION = 1


class ReviewVerdict(StrEnum):
    """About a picture that was set aside."""

    ALLOW = "allow"
    DROP = "drop"
    UNSURE = "unsure"


class SampleVerdict(StrEnum):
    """About a picture that would be released."""

    GOOD = "good"
    BAD = "bad"
    UNSURE = "unsure"


@dataclass(frozen=True)
class Entry:
    """What every line has: `group` ties lines that were said at once; `when` is Unix time."""

    kind: ClassVar[str]

    group: str
    who: str
    when: float


@dataclass(frozen=True)
class Review(Entry):
    """One verdict about one uid. `lifts`: names of the objections that were shown, for an allow; `shown`:
    sha256 hex of the facts that were shown; `scope`: one | cluster | host, how many were told at once."""

    kind = "review"

    uid: str
    verdict: ReviewVerdict
    lifts: tuple[str, ...]
    shown: str
    why: str
    scope: str = "one"


@dataclass(frozen=True)
class Drawn(Entry):
    """A sample: `decisions` digests what would be released then, `population` counts it, `uids` in the order
    in which they are looked at."""

    kind = "drawn"

    sample: str
    decisions: str
    population: int
    seed: int
    uids: tuple[str, ...]


@dataclass(frozen=True)
class Judged(Entry):
    """One verdict about one uid of a sample."""

    kind = "judged"

    sample: str
    uid: str
    verdict: SampleVerdict
    shown: str
    why: str

    def as_drop(self) -> Review:
        """What a bad one is to decisions."""
        return Review(self.group, self.who, self.when, self.uid, ReviewVerdict.DROP, (), self.shown, self.why)


@dataclass(frozen=True)
class Undo(Entry):
    """Takes back the group `undone`."""

    kind = "undo"

    undone: str


_KINDS: Mapping[str, type[Entry]] = {kind.kind: kind for kind in (Review, Drawn, Judged, Undo)}


@dataclass(frozen=True)
class Reviews:
    """Every line that stands: those of a group that was taken back are left out. In the order of the file."""

    entries: tuple[Entry, ...] = ()

    def by_uid(self) -> dict[str, Review]:
        """The last review of each uid. What a sample found bad is dropped, until the same sample judges it
        otherwise or a later review allows it."""
        found: dict[str, Review] = {}
        bad: dict[str, dict[str, Review]] = {}
        for entry in self.entries:
            if isinstance(entry, Review):
                found[entry.uid] = entry
                if entry.verdict is ReviewVerdict.ALLOW:
                    bad.pop(entry.uid, None)
            elif isinstance(entry, Judged):
                of_uid = bad.setdefault(entry.uid, {})
                of_uid.pop(entry.sample, None)
                if entry.verdict is SampleVerdict.BAD:
                    of_uid[entry.sample] = entry.as_drop()
        return {**found, **{uid: list(drops.values())[-1] for uid, drops in bad.items() if drops}}

    def samples(self) -> list[Drawn]:
        """Samples, the latest last."""
        return [entry for entry in self.entries if isinstance(entry, Drawn)]

    def judged(self, sample: str) -> dict[str, Judged]:
        """The last verdict about each uid of a sample."""
        found = (entry for entry in self.entries if isinstance(entry, Judged))
        return {entry.uid: entry for entry in found if entry.sample == sample}

    def last_group(self, who: str) -> str:
        """The group that an undo by `who` would take back, or "". A sample that was drawn stays drawn."""
        said = (e.group for e in reversed(self.entries) if e.who == who and isinstance(e, Review | Judged))
        return next(said, "")

    def effective(self) -> list[list[object]]:
        """What decisions rest on, as plain values: verdicts about single pictures, without who and when."""
        return [
            [uid, review.verdict.value, list(review.lifts), review.shown]
            for uid, review in sorted(self.by_uid().items())
            if review.verdict is not ReviewVerdict.UNSURE
        ]


def new_group() -> str:
    """A name that ties what is said at once."""
    return secrets.token_hex(8)


def read_reviews(path: Path) -> Reviews:
    """Everything that stands in the file at `path`; nothing if it is not there.

    Raises RecordError for a line that this version cannot read, but for a last one without its end.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Reviews()
    lines = content.split(b"\n")[:-1]  # what follows the last line feed was cut off by a kill
    entries = [_entry(line, f"{path}:{number}") for number, line in enumerate(lines, 1)]
    undone = {entry.undone for entry in entries if isinstance(entry, Undo)}
    return Reviews(tuple(e for e in entries if not isinstance(e, Undo) and e.group not in undone))


def append_reviews(path: Path, entries: Iterable[Entry]) -> None:
    """Add lines to the file at `path`, all or none, and sync them. Several processes may do so at once.

    Raises DiskFullError.
    """
    block = b"".join(_line(entry) for entry in entries)
    with disk_full_as_error(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            end = _whole_lines(descriptor)
            os.ftruncate(descriptor, end)
            try:
                _write_all(descriptor, block, end)
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, end)
                raise
        finally:
            os.close(descriptor)
        fsync_dir(path.parent)


def _whole_lines(descriptor: int) -> int:
    """Length of the file up to and with its last line feed."""
    end = os.fstat(descriptor).st_size
    while end > 0:
        start = max(0, end - 65536)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _write_all(descriptor: int, block: bytes, offset: int) -> None:
    written = 0
    while written < len(block):
        written += os.pwrite(descriptor, block[written:], offset + written)


def _line(entry: Entry) -> bytes:
    values = {"version": VERSION, "kind": entry.kind, **asdict(entry)}
    return canonical_json(values) + b"\n"


def _entry(line: bytes, place: str) -> Entry:
    try:
        values = json.loads(line)
        if values.pop("version") != VERSION:
            raise ValueError("another version")
        kind = _KINDS[values.pop("kind")]
        return kind(**_typed(kind, values))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        told = f"{type(error).__name__}: {error}"
        raise RecordError(
            f"{place}: not a line of this version ({told}); nothing is decided on it"
        ) from error


def _typed(kind: type[Entry], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a line with the types that `kind` declares. Raises ValueError."""
    readers: Mapping[str, Any] = {
        "str": lambda value: _is(value, str),
        "int": lambda value: _is(value, int),
        "float": lambda value: float(_is(value, int | float)),
        "tuple[str, ...]": lambda value: tuple(_is(item, str) for item in _is(value, list)),
        "ReviewVerdict": ReviewVerdict,
        "SampleVerdict": SampleVerdict,
    }
    declared = {field.name: str(field.type) for field in fields(kind)}
    if set(values) != set(declared):
        raise ValueError(f"its fields are not those of {kind.kind}")
    return {name: readers[kind_](values[name]) for name, kind_ in declared.items()}


def _is(value: Any, kind: Any) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{value!r} is no {kind}")
    return value
