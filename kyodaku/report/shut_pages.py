"""The part of the private report about pages that kept their images to themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kyodaku.reasons import Outcome
from kyodaku.report import parts
from kyodaku.report.html import Html, join, link, say, tag
from kyodaku.report.pages import Page, reasons_given, signals_of
from kyodaku.report.plaintext import plain
from kyodaku.report.summary import Summary
from kyodaku.report.texts import next_step, outcome_text, reason_text
from kyodaku.runs import RunFolder
from kyodaku.signals.model import Signal

_SHUT = (Outcome.REFUSED, Outcome.HELD)


def shut_pages(run: RunFolder, summary: Summary) -> Html:
    """Pages and sitemaps that refused or were held, by reason, with their raw lines."""
    groups = sorted(
        ((key, chosen) for key, chosen in summary.chosen_pages.items() if key[0] in _SHUT),
        key=lambda item: (-item[1].total, item[0]),
    )
    said = signals_of(run, [page for _, chosen in groups for page in chosen.rows])
    made: list[Html] = [tag("p", _totals(summary), class_="note")]
    for (outcome, reason), chosen in groups:
        count = tag("span", f"({chosen.total:,})", class_="count")
        title = join((outcome_text(outcome), reason_text(outcome, reason)), ": ")
        step = tag("p", say("Next step"), ": ", next_step(reason)) if outcome == Outcome.HELD else None
        rows = tag("ul", *(_case(page, said) for page in chosen.rows), class_="cases")
        shown = parts.more(len(chosen.rows), chosen.total)
        made.append(tag("details", tag("summary", title, " ", count), step, rows, shown))
    return join(made)


def _totals(summary: Summary) -> Html:
    counts = {outcome: reasons.total() for outcome, reasons in summary.page_outcomes.items()}
    return say(
        "Pages and sitemaps met: {met}. Open: {open}, refused: {refused}, held: {held}, failed: {failed}, "
        "not requested: {left}.",
        met=sum(counts.values()),
        open=counts.get("", 0),
        refused=counts.get(Outcome.REFUSED, 0),
        held=counts.get(Outcome.HELD, 0),
        failed=counts.get(Outcome.FAILED, 0),
        left=counts.get(Outcome.NOT_REQUESTED, 0),
    )


def _case(page: Page, said: Mapping[str, Sequence[Signal]]) -> Html:
    facts = [page.gate.upper(), parts.moment(page.fetched_at)]
    if page.kind != "page":
        facts.insert(0, page.kind)
    return tag(
        "li",
        link(page.url),
        tag("div", " · ".join(facts), class_="from"),
        *(
            _quote(raw, "" if source == page.url else source)
            for raw, source in _lines(page, said.get(page.url, ()))
        ),
    )


def _lines(page: Page, signals: Sequence[Signal]) -> list[tuple[str, str]]:
    """Raw lines with where they were read; where nobody wrote one, the status of the answer."""
    lines = [(signal.raw, signal.source_url) for signal in reasons_given(page, signals) if signal.raw][:3]
    return lines or [(f"HTTP {status}", url) for url, status in page.hops[-1:] if status]


def _quote(raw: str, source: str) -> Html:
    return join(
        (
            tag("blockquote", tag("bdi", plain(raw, 300))),
            tag("span", link(source), class_="from") if source else None,
        )
    )
