"""Counting a run once, for both reports: funnel, gates, outcomes, hosts, and a bounded choice of rows
to show. Everything is chosen by candidate_id (a hash of the URLs), so the same run gives the same page.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from kyodaku.reasons import Outcome, Verdict
from kyodaku.report.asked import DOCUMENTS, FILES, IMAGES, PAGES, ROBOTS, addresses, asking_for_permission
from kyodaku.report.data import HostFile, Row, RunFacts, safe_origin
from kyodaku.report.pages import Page, all_pages, knows_pages

Item = TypeVar("Item")

GATES = ("g0", "g1", "g2", "g3", "g4", "g5")
#: Outcomes whose bytes may still be on the disk and may be looked at.
SHOWABLE = frozenset({Outcome.RELEASED, Outcome.FILTERED, Outcome.QUARANTINED, Outcome.DUPLICATE})
#: Outcomes that passed permission but are not in the set.
SET_ASIDE = (Outcome.FILTERED, Outcome.QUARANTINED, Outcome.DUPLICATE)


class Chosen(Generic[Item]):
    """At most `limit` items of a stream, those with the smallest digest."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._heap: list[tuple[tuple[int, int], Item]] = []
        self.total = 0

    def add(self, item: Item, digest: str) -> None:
        """Count `item`, and keep it if its `digest` (hex) is among the smallest."""
        self.total += 1
        if self._limit == 0:
            return
        rank = -int(digest[:15] or "0", 16), -self.total
        heapq.heappush(self._heap, (rank, item))
        if len(self._heap) > self._limit:
            heapq.heappop(self._heap)

    @property
    def rows(self) -> list[Item]:
        """The choice, by digest."""
        return [item for _, item in sorted(self._heap, key=lambda entry: entry[0], reverse=True)]


@dataclass
class HostLine:
    """One origin in the table of hosts. `state` is proceed, refuse, hold, or "" when it was never asked;
    `requests` what we know was sent for images, pages and sitemaps, `robots_requests` for robots.txt,
    `file_requests` for its other host files, `document_requests` for documents; `pages` counts
    pages that were asked for (in a run without a table of pages: those that show candidates), `pages_*` what
    became of pages; `taken`, `refused` and `held` count images."""

    origin: str
    state: str = ""
    state_reason: str = ""
    requests: int = 0
    robots_requests: int = 0
    file_requests: int = 0
    document_requests: int = 0
    pages: int = 0
    pages_open: int = 0
    pages_refused: int = 0
    pages_held: int = 0
    taken: int = 0
    refused: int = 0
    held: int = 0
    bytes: int = 0
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def all_requests(self) -> int:
        """Everything that was sent to it, as far as we know."""
        return self.requests + self.robots_requests + self.file_requests + self.document_requests

    @property
    def top(self) -> tuple[str, str] | None:
        """The commonest (outcome, reason) of what is not in the set, or None."""
        return min(self.reasons, key=lambda name: (-self.reasons[name], name)) if self.reasons else None


@dataclass
class Summary:
    """What one pass over a run counted. `requests` is all that was sent, by purpose (`asked.PURPOSES`);
    `addresses` the same with each address of a host file or document once."""

    candidates: int = 0
    asked: int = 0
    fetched: int = 0
    allowed: int = 0
    kept: int = 0
    decided: bool = False
    first: float = 0.0
    last: float = 0.0
    gates: dict[str, Counter[str]] = field(default_factory=lambda: {gate: Counter() for gate in GATES})
    outcomes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    allow_reasons: Counter[str] = field(default_factory=Counter)
    hosts: dict[str, HostLine] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)
    addresses: Counter[str] = field(default_factory=Counter)
    chosen: dict[tuple[str, str], Chosen[Row]] = field(default_factory=dict)
    knows_pages: bool = False
    page_outcomes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    chosen_pages: dict[tuple[str, str], Chosen[Page]] = field(default_factory=dict)
    barred_uids: set[str] = field(default_factory=set)
    _seen: set[bytes] = field(default_factory=set)

    @property
    def funnel(self) -> list[tuple[str, int]]:
        """Names and counts of the steps from a found URL to a kept image."""
        steps = [
            ("candidates", self.candidates),
            ("asked", self.asked),
            ("fetched", self.fetched),
            ("allowed", self.allowed),
            ("kept", self.kept),
        ]
        return steps if self.decided else steps[:3]

    def first_time(self, name: str) -> bool:
        """True for a name that was not counted yet: an image at many pages is one request."""
        digest = hashlib.blake2b(name.encode("utf-8"), digest_size=8).digest()
        known = digest in self._seen
        self._seen.add(digest)
        return not known

    def host(self, url: str) -> HostLine:
        """The line of the origin of `url`."""
        origin = safe_origin(url)
        return self.hosts.setdefault(origin, HostLine(origin))


def summarise(facts: RunFacts, per_reason: int = 24) -> Summary:
    """Count everything once. `per_reason` rows, and half as many pages, are kept for each outcome and
    reason."""
    summary = Summary(decided=facts.has_decisions, knows_pages=knows_pages(facts.run))
    _count_host_files(summary, facts.hosts())
    for page in all_pages(facts.run):
        _count_page(summary, page, per_reason // 2)
    for row in facts.rows():
        _count(summary, row, per_reason)
    return summary


def _count_host_files(summary: Summary, files: list[HostFile]) -> None:
    for file in sorted(files, key=lambda file: file.fetched_at):
        line = summary.hosts.setdefault(file.origin, HostLine(file.origin))
        if file.path == "/robots.txt" and file.verdict:
            line.state, line.state_reason = file.verdict, file.reason
        _time(summary, file.fetched_at)
    summary.addresses.update(addresses(files))
    for (origin, purpose), count in asking_for_permission(files).items():
        line = summary.hosts.setdefault(origin, HostLine(origin))
        line.robots_requests += count if purpose == ROBOTS else 0
        line.file_requests += count if purpose == FILES else 0
        line.document_requests += count if purpose == DOCUMENTS else 0
        summary.requests[purpose] += count


def _count_page(summary: Summary, page: Page, limit: int) -> None:
    summary.page_outcomes[page.outcome][page.reason] += 1
    key = (page.outcome, page.reason)
    summary.chosen_pages.setdefault(key, Chosen(limit)).add(page, page.digest)
    _time(summary, page.fetched_at)
    for url, _ in page.hops:
        summary.host(url).requests += 1
        summary.requests[PAGES] += 1
        summary.addresses[PAGES] += 1
    if page.kind != "page" or page.outcome == Outcome.NOT_REQUESTED:
        return
    line = summary.host(page.url)
    line.pages += bool(page.hops)
    line.pages_open += not page.outcome
    line.pages_refused += page.outcome == Outcome.REFUSED
    line.pages_held += page.outcome == Outcome.HELD
    if page.outcome:
        line.reasons[page.outcome, page.reason] += 1


def _count(summary: Summary, row: Row, per_reason: int) -> None:
    summary.candidates += 1
    summary.asked += bool(row.hops)
    summary.fetched += row.fetched
    summary.allowed += row.verdict == Verdict.ALLOW
    summary.kept += row.outcome == Outcome.RELEASED
    _time(summary, row.found_at)
    _time(summary, row.fetched_at)
    if row.gate in summary.gates and row.outcome != Outcome.NOT_REQUESTED:
        summary.gates[row.gate]["fail" if row.failure else row.gate_verdict] += 1
    summary.outcomes[row.outcome or "undecided"][row.outcome_reason] += 1
    if row.verdict == Verdict.ALLOW:
        summary.allow_reasons[row.reason] += 1
    if row.uid and (
        row.purged or row.verdict == Verdict.REFUSE or row.outcome in (Outcome.REFUSED, Outcome.HELD)
    ):
        summary.barred_uids.add(row.uid)
    _count_host(summary, row)
    key = (row.outcome, row.outcome_reason)
    summary.chosen.setdefault(key, Chosen(per_reason)).add(row, row.candidate_id)


def _count_host(summary: Summary, row: Row) -> None:
    line = summary.host(row.image_url)
    if row.hops and summary.first_time(row.image_url):
        line.bytes += row.bytes
        for url in row.hops:
            summary.host(url).requests += 1
            summary.requests[IMAGES] += 1
            summary.addresses[IMAGES] += 1
    line.taken += row.outcome in SHOWABLE or (not row.outcome and row.fetched)
    line.refused += row.outcome == Outcome.REFUSED
    line.held += row.outcome == Outcome.HELD
    if row.outcome not in ("", Outcome.RELEASED):
        line.reasons[row.outcome, row.outcome_reason] += 1
    if not summary.knows_pages and row.page_url and summary.first_time("page " + row.page_url):
        page = summary.host(row.page_url)
        page.pages += 1
        page.requests += 1
        summary.requests[PAGES] += 1
        summary.addresses[PAGES] += 1


def _time(summary: Summary, moment: float) -> None:
    if moment > 0:
        summary.first = min(summary.first or moment, moment)
        summary.last = max(summary.last, moment)
