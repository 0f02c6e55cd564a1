"""What the frontier deals in: jobs, hosts, and the questions it asks the rest of the crawl."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from crawler.frontier.documents import DocumentRun
from crawler.frontier.origins import HostFileRun, Origin
from crawler.frontier.requests import Row
from kyodaku.gate import GateResult, OriginFacts
from kyodaku.reasons import NotRequestedReason
from kyodaku.signals.model import Fetched


@dataclass(frozen=True, eq=False)
class Job:
    """One request to make now: `row` of the frontier, or the need of a `run` of host files or of a
    document."""

    url: str
    host: str
    row: Row | None = None
    run: HostFileRun | DocumentRun | None = None


@dataclass
class Host:
    """One host name: its origins, the host files wanted from it, and whether it may be asked."""

    name: str
    origins: list[Origin] = field(default_factory=list)
    needs: deque[HostFileRun | DocumentRun] = field(default_factory=deque)
    state: str = "open"  # open | held | closed
    reason: str = ""
    holds: int = 0
    walls: int = 0
    stop: NotRequestedReason | GateResult | None = None


class Judge(Protocol):
    """What the frontier asks the rest of the crawl."""

    def before(self, row: Row) -> GateResult | NotRequestedReason | None:
        """Why this request is not made after all (budget, a page's late no), or None."""

    def conclude(self, row: Row, why: GateResult | NotRequestedReason) -> None:
        """Record a request that will not be made."""

    def opened(self, origin: Origin, facts: OriginFacts) -> float | None:
        """An origin opened: its Crawl-delay in seconds, or None."""

    def crawl_delay(self, robots: Fetched) -> float:
        """The Crawl-delay in seconds that a robots.txt asks of us; 0 for none."""

    def time_left(self) -> float:
        """Seconds of the time budget that are left."""
