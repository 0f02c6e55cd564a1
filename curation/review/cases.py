"""What lies on a reviewer's desk, and what comes of saying something: plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from curation.filters import Objected
from kyodaku.reasons import Outcome
from kyodaku.report.data import Row


class Stale(Exception):
    """What was said is about facts that are not shown any more, or about nothing that is asked here."""


@dataclass(frozen=True)
class Case:
    """One picture with everything its page shows. `facts` as `facts_shown` gives them, `shown` their digest;
    `objected` what holds it back, in the order of select; `rows` its candidates."""

    uid: str
    facts: Mapping[str, Any]
    shown: str
    objected: tuple[Objected, ...]
    rows: tuple[Row, ...]

    @property
    def reason(self) -> str:
        """Why it was set aside, of the first candidate that was; "" for one that was not."""
        return next(iter(set_aside_for(self.rows)), "")

    @property
    def host(self) -> str:
        """Where the picture lies."""
        return host_of(self.rows[0])

    @property
    def lifts(self) -> tuple[str, ...]:
        """What an allow would lift."""
        return tuple(one.name for one in self.objected if one.liftable)

    @property
    def blocked(self) -> tuple[Objected, ...]:
        """What would keep the picture out in spite of an allow."""
        return tuple(one for one in self.objected if not one.liftable)


@dataclass(frozen=True)
class Neighbour:
    """A picture that is like one of the desk: whether it may be shown, and what became of it; the gravest of
    its candidates speaks."""

    may_show: bool
    outcome: str
    reason: str


#: Outcomes of one picture at several places, the gravest first.
GRAVITY: Mapping[str, int] = {
    Outcome.REFUSED: 0,
    Outcome.HELD: 1,
    Outcome.QUARANTINED: 2,
    Outcome.FILTERED: 3,
}


#: A picture of which one candidate ended so is in the release, or a copy of it is.
_KEPT = (Outcome.RELEASED, Outcome.DUPLICATE)


def set_aside_for(rows: Iterable[Row]) -> list[str]:
    """Why a picture with these candidates was set aside, of each that was. Nothing if it is kept all the same
    by another one: what is wrong with one place that shows it is not asked about then."""
    rows = list(rows)
    if any(row.outcome in _KEPT for row in rows):
        return []
    return [row.outcome_reason for row in rows if row.outcome == Outcome.QUARANTINED]


def host_of(row: Row) -> str:
    """The host name that a candidate's image lies on."""
    return urlsplit(row.image_url).hostname or ""


@dataclass(frozen=True)
class Told:
    """What came of saying something: each picture's state now, how many an allow could not let in, whether
    anything was taken back."""

    states: Mapping[str, str]
    left: int = 0
    undone: bool = False
