"""report.html of a run: everything that was taken, not taken, and why. For the people who run the crawl.

It shows pixels of what filters set aside, never of anything refused, held or purged; write it again
after every `select`. It holds no digest of any image.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from kyodaku.durable import write_bytes
from kyodaku.reasons import Outcome
from kyodaku.recipe import Recipe
from kyodaku.release.withdrawn import withdrawn
from kyodaku.report import parts
from kyodaku.report.aside import Beside, picture_lines, set_aside
from kyodaku.report.data import Row, RunFacts, released_rows, safe_origin
from kyodaku.report.html import Html, document, join, link, say, tag
from kyodaku.report.parts import number
from kyodaku.report.plaintext import plain
from kyodaku.report.sentences import decisive
from kyodaku.report.shut_pages import shut_pages
from kyodaku.report.summary import GATES, SET_ASIDE, HostLine, Summary, summarise
from kyodaku.report.texts import gate_text, next_step, reason_text, state_text
from kyodaku.report.thumbnails import Showable, Thumbnail, Thumbnailer, thumbnails
from kyodaku.runs import RunFolder
from kyodaku.signals.model import Signal

#: How many rows are kept of each reason, and how many of them, of samples and hosts are shown.
PER_REASON = 24
SAMPLES = 24
HOSTS = 500


def write_report(run: RunFolder, recipe: Recipe) -> Path:
    """Write `report.html` into the run folder and return its path.

    Works on any state of a run from the end of its crawl on. Raises RunStateError before that, RecordError
    for a file that cannot be read or has another schema, and DiskFullError.
    """
    facts = RunFacts(run)
    facts.require_ended()
    summary = summarise(facts, PER_REASON)
    aside = Beside.of(facts, summary)
    shown = _pictures(facts, summary, recipe, aside)
    cases = _Cases(facts, summary)
    body = parts.page(_head(run, recipe, summary), _sections(facts, summary, shown, aside, cases), _foot())
    title = f"{recipe.name} · {run.path.name}"
    write_bytes(run.report, document(title, body).encode("utf-8"))
    return run.report


class _Cases:
    """Full records of the refused and held candidates that are listed, and the rows that decided them."""

    def __init__(self, facts: RunFacts, summary: Summary) -> None:
        rows = [
            row
            for (outcome, _), chosen in summary.chosen.items()
            if outcome in (Outcome.REFUSED, Outcome.HELD)
            for row in chosen.rows
        ]
        self._causes = facts.named({row.because_of for row in rows if row.because_of})
        self._candidates = facts.candidates(
            {row.candidate_id: row for row in [*rows, *self._causes.values()]}.values()
        )

    def signals(self, row: Row) -> list[Signal]:
        """The observations that decided `row`, its own or those of the candidate that decided it."""
        cause = self.cause(row)
        source = row if cause is None else cause
        return decisive(source, self._candidates[source.candidate_id])

    def cause(self, row: Row) -> Row | None:
        """The other candidate that decided `row`, if another did."""
        found = self._causes.get(row.because_of)
        return None if found is None or found.candidate_id == row.candidate_id else found


def _pictures(facts: RunFacts, summary: Summary, recipe: Recipe, aside: Beside) -> dict[str, Thumbnail]:
    wanted = aside.rows() + [
        row
        for (outcome, _), chosen in summary.chosen.items()
        if outcome in (*SET_ASIDE, Outcome.RELEASED)
        for row in chosen.rows
    ]
    showable = Showable(facts, summary, wanted)
    if not any(row in showable for row in wanted):
        return {}
    with Thumbnailer(recipe) as maker:
        return thumbnails(facts, wanted, showable, maker)


def _head(run: RunFolder, recipe: Recipe, summary: Summary) -> Html:
    lead = say("What this crawl found, what it took, what it left, and why. This page is for the crew only.")
    operator = say("crawler {name}", name=recipe.operator.crawler)
    chips = [
        parts.local_network_chip(recipe),
        parts.chip(say("dataset {name}", name=recipe.name)),
        parts.chip(say("run {name}", name=run.path.resolve().name)),
        parts.chip(say("basis: {basis}", basis=recipe.permission.basis)),
        parts.chip(operator),
        parts.chip(parts.period(summary)),
    ]
    return parts.heading(say("private report"), recipe.release.title or recipe.name, lead, chips)


def _sections(
    facts: RunFacts, summary: Summary, shown: Mapping[str, Thumbnail], beside: Beside, cases: _Cases
) -> list[tuple[str, Html, Html]]:
    made = [
        ("funnel", say("From found to released"), _funnel(facts, summary)),
        ("reasons", say("Outcomes and reasons"), parts.reasons_table(summary.outcomes)),
        ("gates", say("Gates"), _gates(summary)),
        ("requests", say("Requests"), parts.requests_table(summary)),
        ("hosts", say("Hosts"), _hosts(summary)),
    ]
    released = _released(facts, summary, shown)
    aside = set_aside(summary, shown, beside)
    refused = _objections(summary, Outcome.REFUSED, cases)
    warning = _still_published(facts)
    for name, title, content in (
        ("samples", say("In the set"), released),
        ("aside", say("Allowed, but set aside"), aside),
        ("refused", say("Refused"), join((warning, refused)) if warning or refused else None),
        ("held", say("Held"), _objections(summary, Outcome.HELD, cases)),
    ):
        if content is not None:
            made.append((name, title, content))
    if summary.knows_pages:
        title = say("Pages that kept their images to themselves")
        made.append(("pages", title, shut_pages(facts.run, summary)))
    return made


def _funnel(facts: RunFacts, summary: Summary) -> Html:
    steps = summary.funnel
    releases = facts.releases()
    if releases:
        steps = [*steps, ("released", sum(1 for _ in released_rows(releases[-1])))]
    note = None
    if not summary.decided:
        note = tag("p", say("No decision has been made yet: outcomes are the last gate's."), class_="note")
    elif not releases:
        note = tag("p", say("Nothing has been released yet."), class_="note")
    return join((parts.funnel(steps), note))


def _gates(summary: Summary) -> Html:
    rows = []
    for gate in GATES:
        counts = summary.gates[gate]
        rows.append(
            tag(
                "tr",
                tag("th", gate.upper(), scope="row"),
                tag("td", gate_text(gate)),
                *(number(counts[verdict]) for verdict in ("refuse", "hold", "fail")),
            )
        )
    head = parts.head_row(
        (say("gate"), False),
        (say("asks whether"), False),
        (say("refused"), True),
        (say("held"), True),
        (say("failed"), True),
    )
    note = tag(
        "p", say("Candidates by the gate that stopped them. Every gate stays shut in doubt."), class_="note"
    )
    return join((note, _scroll(tag("table", head, tag("tbody", *rows)), "Gates / 関門", "gates")))


def _hosts(summary: Summary) -> Html:
    lines = sorted(summary.hosts.values(), key=lambda line: (-line.all_requests, line.origin))
    head = parts.head_row(
        (say("origin"), False),
        (say("state"), False),
        (say("requests"), True),
        (say("robots.txt"), True),
        (say("other host files"), True),
        (say("documents"), True),
        (say("pages asked"), True),
        (say("pages open"), True),
        (say("pages refused"), True),
        (say("pages held"), True),
        (say("images taken"), True),
        (say("images refused"), True),
        (say("images held"), True),
        (say("bytes"), True),
        (say("commonest reason"), False),
    )
    table = tag("table", head, tag("tbody", *(_host_row(line) for line in lines[:HOSTS])), data_sortable=True)
    words = say("Requests for images, pages and sitemaps; those that ask for permission stand beside them.")
    if not summary.knows_pages:
        words = say("This run is older and kept no table of pages: only pages that show images are counted.")
    note = tag("p", words, class_="note")
    return join(
        (note, _scroll(table, "Hosts / ホスト", "hosts"), parts.more(min(HOSTS, len(lines)), len(lines)))
    )


def _host_row(line: HostLine) -> Html:
    why = reason_text(Outcome.HELD, line.state_reason) if line.state == "hold" else None
    if line.state == "refuse":
        why = reason_text(Outcome.REFUSED, line.state_reason)
    if why is None and line.top:
        why = reason_text(*line.top)
    return tag(
        "tr",
        tag("th", tag("bdi", plain(line.origin, 120)), scope="row"),
        tag("td", state_text(line.state)),
        *(
            number(n)
            for n in (
                line.requests,
                line.robots_requests,
                line.file_requests,
                line.document_requests,
                line.pages,
                line.pages_open,
                line.pages_refused,
                line.pages_held,
                line.taken,
                line.refused,
                line.held,
            )
        ),
        number(line.bytes, parts.size(line.bytes)),
        tag("td", why, class_="why"),
    )


def _released(facts: RunFacts, summary: Summary, shown: Mapping[str, Thumbnail]) -> Html | None:
    groups = [chosen for (outcome, _), chosen in summary.chosen.items() if outcome == Outcome.RELEASED]
    rows = sorted((row for chosen in groups for row in chosen.rows), key=lambda row: row.candidate_id)
    rows = rows[:SAMPLES]
    if not rows:
        return None
    captions = facts.captions({row.uid for row in rows})
    texts = {row.uid: captions[row.uid]["text"] if row.uid in captions else row.text for row in rows}
    figures = [parts.figure(shown.get(row.uid), texts[row.uid], *picture_lines(row)) for row in rows]
    return join((parts.gallery(figures), parts.more(len(rows), sum(chosen.total for chosen in groups))))


def _objections(summary: Summary, outcome: Outcome, cases: _Cases) -> Html | None:
    groups = sorted(
        ((reason, chosen) for (kind, reason), chosen in summary.chosen.items() if kind == outcome),
        key=lambda item: (-item[1].total, item[0]),
    )
    if not groups:
        return None
    refused = outcome == Outcome.REFUSED
    note = (
        say("No pixels of these were kept.") if refused else say("A hold is never taken. What can be done:")
    )
    made = [tag("p", note, class_="note")]
    for reason, chosen in groups:
        count = tag("span", f"({chosen.total:,})", class_="count")
        title = tag("summary", reason_text(outcome, reason), " ", count)
        step = None if refused else tag("p", say("Next step"), ": ", next_step(reason))
        items = [_case(row, cases) for row in chosen.rows]
        rows = tag("ul", *items, class_="cases")
        made.append(tag("details", title, step, rows, parts.more(len(items), chosen.total)))
    return join(made)


def _still_published(facts: RunFacts) -> Html | None:
    """The warning about releases that hold what is refused by now, if any does."""
    counts = Counter(found.version for found in withdrawn(facts.run))
    if not counts:
        return None
    listed = ", ".join(f"{version}: {count:,}" for version, count in counts.items())
    words = say("Still published, although refused or held now, by release: {listed}.", listed=listed)
    what = say("A release is never changed: withdraw it, or publish a new one without them.")
    return tag("p", tag("strong", words), " ", what, class_="warning", role="note")


def _case(row: Row, cases: _Cases) -> Html:
    cause = cases.cause(row)
    quotes = [
        join(
            (
                tag("blockquote", tag("bdi", plain(signal.raw, 300))) if signal.raw else None,
                tag("span", link(signal.source_url), " · ", parts.moment(signal.fetched_at), class_="from"),
            )
        )
        for signal in cases.signals(row)[:3]
    ]
    return tag(
        "li",
        link(row.image_url),
        tag("div", tag("span", row.gate.upper(), " · ", safe_origin(row.image_url), class_="from")),
        _place(say("on the page"), row.page_url),
        _place(say("decided at"), (cause.page_url or cause.image_url) if cause else ""),
        *quotes,
    )


def _place(words: Html, url: str) -> Html | None:
    return tag("div", words, " ", link(url), class_="from") if url else None


def _scroll(content: Html, label: str, kind: str = "") -> Html:
    return tag("div", content, class_=f"scroll {kind}".strip(), tabindex=0, role="region", aria_label=label)


def _foot() -> Html:
    command = "kyodaku explain RUN URL"
    return tag(
        "p",
        say("The whole story of one image:"),
        " ",
        tag("code", command),
        ". ",
        say("Pictures that are refused, held or purged are never shown here."),
    )
