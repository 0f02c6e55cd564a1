"""One plain sentence about one image, page or host: is it in the set, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from urllib.parse import urlsplit

from kyodaku.reasons import Outcome, RefuseReason
from kyodaku.records import Candidate
from kyodaku.report.data import HostFile, Row
from kyodaku.report.pages import Page
from kyodaku.report.plaintext import plain, short_url
from kyodaku.report.texts import reason_english
from kyodaku.signals.model import Signal

_OPENINGS = {
    Outcome.REFUSED: "This image is not in the set: ",
    Outcome.HELD: "This image is not in the set, it is on hold: ",
    Outcome.FILTERED: "This image was allowed but is not in the set: ",
    Outcome.QUARANTINED: "This image was allowed but is set aside until a person looks: ",
    Outcome.DUPLICATE: "This image is not in the set under this address: ",
    Outcome.FAILED: "This image is not in the set, it could not be had: ",
    Outcome.NOT_REQUESTED: "This image is not in the set, it was never asked for: ",
}
_PAGE_OPENINGS = {
    Outcome.REFUSED: "No image was taken from this {kind}: ",
    Outcome.HELD: "No image was taken from this {kind}, it is on hold: ",
    Outcome.FAILED: "No image was taken from this {kind}, it could not be had: ",
    Outcome.NOT_REQUESTED: "No image was taken from this {kind}, it was never asked for: ",
}
_HOST_STATES = {
    "proceed": "so its pages may be asked for",
    "refuse": "so none of its pages is asked for",
    "hold": "so the whole host is on hold",
    "": "asked for the sake of a document",
}


def sentence(row: Row, known: Mapping[str, tuple[Row, Candidate]], place: str, figures: str = "") -> str:
    """The sentence about one candidate. `known` holds it and the candidates that may have decided it;
    `place` says where in releases its picture stands, in the set or no longer, or ""; `figures` what a
    filter compared, or ""."""
    if row.outcome == Outcome.RELEASED:
        because = reason_english(Outcome.RELEASED, row.reason)
        where = f"in the set ({place})" if place else "allowed and kept, but not in a release yet"
        return f"This image is {where}: {because}."
    still = f"; {'this picture is' if row.outcome == Outcome.DUPLICATE else 'but it is still'} in {place}"
    if not place:
        still = ""
    if not row.outcome:
        return f"This image was fetched; no decision has been made yet{still}."
    opening = _OPENINGS.get(Outcome(row.outcome), "This image is not in the set: ")
    measured = f" ({figures})" if figures else ""
    return f"{opening}{_clause(row, known, depth=2)}{measured}{still}."


def decisive(row: Row, candidate: Candidate) -> list[Signal]:
    """The signals that the decision rests on; before a decision, those that give the gate's reason."""
    chosen = [candidate.signals[index] for index in row.decided_by if 0 <= index < len(candidate.signals)]
    return chosen or [signal for signal in candidate.signals if signal.reason == row.outcome_reason]


def _clause(row: Row, known: Mapping[str, tuple[Row, Candidate]], depth: int) -> str:
    words = reason_english(row.outcome, row.outcome_reason)
    other = known.get(row.because_of) if row.because_of != row.candidate_id else None
    if other is not None and depth:
        place = short_url(other[0].page_url or other[0].image_url)
        if row.outcome == Outcome.DUPLICATE:
            return f"{words} (from {place})"
        return f"{words} (at {place}: {_clause(other[0], known, depth - 1)})"
    own = known.get(row.candidate_id)
    if own is None or row.outcome not in (Outcome.REFUSED, Outcome.HELD):
        return words
    target = _blocked_target(row, own[1])
    if target:
        return f"{words} (it redirects to {short_url(target)})"
    signals = decisive(row, own[1])
    return because(row.outcome, row.outcome_reason, signals[0]) if signals else words


def _blocked_target(row: Row, candidate: Candidate) -> str:
    """Where a redirect led that was not followed, in the server's own words, or ""."""
    if row.outcome_reason != RefuseReason.ADDRESS_BLOCKED or not candidate.hops:
        return ""
    if not 300 <= candidate.hops[-1].status < 400:
        return ""
    return next((value for name, value in candidate.headers if name.lower() == "location"), "")


def page_sentence(page: Page, signals: Sequence[Signal]) -> str:
    """The sentence about one page or sitemap; `signals` are those that kept it shut."""
    if not page.outcome:
        return f"This {page.kind} was open: {_image_count(page.candidates)} found on it."
    clause = reason_english(page.outcome, page.reason)
    if signals:
        clause = because(page.outcome, page.reason, signals[0], page="it")
    return f"{_PAGE_OPENINGS[Outcome(page.outcome)].format(kind=page.kind)}{clause}."


def host_sentence(name: str, files: Sequence[HostFile], pages: Sequence[Page]) -> str:
    """The sentence about one host: what its robots.txt said, and what became of its pages."""
    robots = [file for file in files if file.path == "/robots.txt"]
    said = "its robots.txt was never asked for"
    if robots:
        last = max(robots, key=lambda file: (file.verdict != "", file.fetched_at))
        answer = plain(last.error) or f"status {last.status}"
        said = f"its robots.txt gave {answer}, {_HOST_STATES.get(last.verdict, last.verdict)}"
        outcome = {"refuse": Outcome.REFUSED, "hold": Outcome.HELD}.get(last.verdict)
        if outcome:
            said += f" ({reason_english(outcome, last.reason)})"
    counts = Counter(page.outcome or "open" for page in pages if page.kind == "page")
    listed = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in sorted(counts.items()))
    met = f"{counts.total():,} {'page was' if counts.total() == 1 else 'pages were'} met"
    return f"{plain(name, 200)}: {said}; {met}{': ' if listed else ''}{listed}."


def _image_count(count: int) -> str:
    if not count:
        return "no image was"
    return "1 image was" if count == 1 else f"{count:,} images were"


def place_of(source_url: str) -> str:
    """Who said it: the host of an address, the name of a file on this disk (`file:optouts.jsonl`)."""
    parts = urlsplit(source_url)
    return parts.hostname or (PurePath(parts.path).name if parts.scheme == "file" else "")


def because(outcome: str, reason: str, signal: Signal, page: str = "a page that shows it") -> str:
    """The words of a reason, with the line that gave it."""
    place = place_of(signal.source_url) or "the site"
    raw = plain(signal.raw, 80)
    if reason in ("robots_disallow", "robots_purpose"):
        who = plain(signal.parsed, 200).removeprefix("disallow for ")
        return f"robots.txt of {plain(place)} disallows it to {_crawlers(who, reason)}"
    if reason == "x_robots_tag":
        return f"{plain(place)} answers with the header {raw}"
    if reason == "meta_robots":
        return f"{page} says {raw}"
    if reason == "plus_data_mining":
        return f"the file itself prohibits data mining: {raw}"
    words = reason_english(outcome, reason)
    return f"{words} ({plain(place)}: {raw})" if raw else words


def _crawlers(who: str, reason: str) -> str:
    if who == "*":
        return "every crawler"
    names = [name.strip() for name in who.split(",")]
    if reason == "robots_disallow":
        return who
    if len(names) == 1:
        return f"{names[0]}, a crawler that trains AI models"
    return f"{', '.join(names[:-1])} and {names[-1]}, crawlers that train AI models"
