"""Hosts that stopped a crawl before any of their pictures, although there is evidence of a free licence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from kyodaku.decision import Policy, grade
from kyodaku.errors import UnsafeAddressError
from kyodaku.reasons import HoldReason, RefuseReason
from kyodaku.recipe import Recipe
from kyodaku.records import Candidate
from kyodaku.report.data import Row, RunFacts
from kyodaku.report.pages import Page, all_pages, signals_of
from kyodaku.signals.model import Effect, LicenceBinding, LicenceEvidence, Signal
from kyodaku.urls import origin_of

#: Gates that ask what a host itself says.
_HOST_GATES = frozenset({"g1", "g3"})
_CLOSED = frozenset({"refuse", "hold"})
#: Refusals by a person, for their own works.
_PERSONAL = frozenset({RefuseReason.USER_INTENT.value, RefuseReason.PLATFORM.value})
#: No line stopped us: the host did not answer, asked for time, or is barred by law. There is nobody to ask.
_NOBODY = frozenset(
    {
        HoldReason.ROBOTS_UNREACHABLE.value,
        HoldReason.ROBOTS_RATE_LIMITED.value,
        HoldReason.ROBOTS_LEGAL.value,
        HoldReason.POLICY_FILE_UNREACHABLE.value,
    }
)
#: Candidates whose full records are read at a time.
_AT_ONCE = 2000
#: Evidence and lines kept of one host: a letter quotes a few.
_QUOTED = 5


class StoppedBy(StrEnum):
    """What kind of line stopped us. A reply lifts only an inference."""

    INFERENCE = "inference"  # nothing but groups for other crawlers
    EXPLICIT = "explicit"  # somebody said no in so many words
    UNREADABLE = "unreadable"  # no rule could be read: 403, not text, too many redirects


@dataclass
class StoppedHost:
    """One origin that said no, or could not be asked, and what speaks for its pictures.

    `urls` are the pages and images that were not asked for; `lines` the different signals that stopped us;
    `institution` is the recipe's statement about this host, or ""; `evidence` a few statements found
    elsewhere, of `licensed` images in all. `kinds` knows every signal, also those that `lines` leaves out.
    """

    origin: str
    verdict: str
    reason: str
    institution: str = ""
    urls: list[str] = field(default_factory=list)
    pages: int = 0
    images: int = 0
    licensed: int = 0
    lines: list[Signal] = field(default_factory=list)
    evidence: list[LicenceEvidence] = field(default_factory=list)
    kinds: set[StoppedBy] = field(default_factory=set)

    @property
    def host(self) -> str:
        """The host name, with its port where it is no standard one."""
        return urlsplit(self.origin).netloc

    @property
    def inferred(self) -> bool:
        """True when nothing but the groups of other crawlers stopped us: what a stored reply lifts."""
        return self.kinds == {StoppedBy.INFERENCE}

    @property
    def stopped_by(self) -> StoppedBy:
        """The kind that weighs most: a no in so many words, then what could not be read."""
        for kind in (StoppedBy.EXPLICIT, StoppedBy.UNREADABLE):
            if kind in self.kinds:
                return kind
        return StoppedBy.INFERENCE

    @property
    def free_images(self) -> int:
        """Images that were not asked for although something says that they are free."""
        return self.images if self.institution else self.licensed


def stopped_hosts(facts: RunFacts, recipe: Recipe) -> list[StoppedHost]:
    """Origins worth a letter, most free images first. Raises RecordError for a file that cannot be read."""
    found: dict[str, StoppedHost] = {}
    institutions = {entry.host: entry.statement for entry in recipe.institutions}
    for page, signals in _closed_pages(facts):
        entry = _entry(found, page.url, page.outcome, page.reason, signals)
        if entry is not None:
            entry.pages += 1
            entry.urls.append(page.url)
    policy = Policy.from_recipe(recipe)
    for row, candidate in _closed_candidates(facts):
        signals = [signal for signal in candidate.signals if signal.reason == row.gate_reason]
        entry = _entry(found, row.image_url, row.gate_verdict, row.gate_reason, signals)
        if entry is not None:
            entry.images += 1
            entry.urls.append(row.image_url)
            _add_evidence(entry, [item for item in candidate.evidence if is_free(item, policy)])
    for entry in found.values():
        entry.institution = institutions.get(urlsplit(entry.origin).hostname or "", "")
    shut = _shut(facts, [entry for entry in found.values() if entry.institution and not entry.images])
    worth = [entry for entry in found.values() if entry.free_images or entry.origin in shut]
    return sorted(worth, key=lambda entry: (-entry.free_images, -entry.images, -entry.pages, entry.origin))


def _shut(facts: RunFacts, entries: Sequence[StoppedHost]) -> set[str]:
    """Origins of which no page at all was open: nobody could count what an institution shows behind them."""
    shut = {entry.origin for entry in entries}
    for page in all_pages(facts.run) if shut else ():
        if not page.outcome:
            try:
                shut.discard(origin_of(page.url))
            except UnsafeAddressError:
                continue
    return shut


def is_free(item: LicenceEvidence, policy: Policy) -> bool:
    """Whether a bound statement is one that the recipe's basis, or anyone, takes for a free licence."""
    if item.binding is LicenceBinding.UNBOUND:
        return False
    return grade(item) != "" or item.licence in policy.licences


def _entry(
    found: dict[str, StoppedHost], url: str, verdict: str, reason: str, signals: Sequence[Signal]
) -> StoppedHost | None:
    """The entry of the origin whose files speak about `url`; None without a line that stopped us, and where
    somebody spoke to us by name or about their own works: to them we do not write."""
    if not signals or any(_personal(signal) or signal.reason in _NOBODY for signal in signals):
        return None
    try:
        origin = origin_of(url)
    except UnsafeAddressError:
        return None
    entry = found.setdefault(origin, StoppedHost(origin, verdict, reason))
    entry.kinds |= {_kind(signal) for signal in signals}
    known = {(line.source_url, line.raw, line.reason) for line in entry.lines}
    entry.lines += [
        line
        for line in signals
        if (line.source_url, line.raw, line.reason) not in known and len(entry.lines) < _QUOTED
    ]
    return entry


def _kind(signal: Signal) -> StoppedBy:
    if signal.reason == RefuseReason.ROBOTS_PURPOSE.value:
        return StoppedBy.INFERENCE
    return StoppedBy.UNREADABLE if signal.effect is Effect.ERROR else StoppedBy.EXPLICIT


def _personal(signal: Signal) -> bool:
    return signal.rule.startswith("robots:own:") or signal.reason in _PERSONAL


def _add_evidence(entry: StoppedHost, items: Sequence[LicenceEvidence]) -> None:
    entry.licensed += bool(items)
    entry.evidence += items[: max(0, _QUOTED - len(entry.evidence))]


def _closed_pages(facts: RunFacts) -> Iterator[tuple[Page, list[Signal]]]:
    closed = [page for page in all_pages(facts.run) if page.outcome and page.gate in _HOST_GATES]
    said = signals_of(facts.run, closed)
    for page in closed:
        yield page, [signal for signal in said.get(page.url, ()) if signal.reason == page.reason]


def _closed_candidates(facts: RunFacts) -> Iterator[tuple[Row, Candidate]]:
    batch: list[Row] = []
    for row in facts.rows():
        if row.gate in _HOST_GATES and row.gate_verdict in _CLOSED:
            batch.append(row)
        if len(batch) >= _AT_ONCE:
            yield from _with_records(facts, batch)
            batch = []
    yield from _with_records(facts, batch)


def _with_records(facts: RunFacts, rows: Iterable[Row]) -> Iterator[tuple[Row, Candidate]]:
    kept = list(rows)
    records = facts.candidates(kept)
    for row in kept:
        yield row, records[row.candidate_id]
