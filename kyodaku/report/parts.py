"""Pieces that both reports show: head, funnel, reasons, galleries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from kyodaku.reasons import Outcome
from kyodaku.recipe import Recipe
from kyodaku.report.asked import PURPOSES
from kyodaku.report.html import Html, Part, bar, both, image, join, jpeg_address, link, say, tag
from kyodaku.report.masks import masked, png_address
from kyodaku.report.plaintext import plain
from kyodaku.report.summary import Summary
from kyodaku.report.texts import outcome_text, purpose_text, reason_text, step_text
from kyodaku.report.thumbnails import Thumbnail

#: Outcomes in the order in which a reader asks for them.
ORDER = (
    Outcome.RELEASED,
    Outcome.REFUSED,
    Outcome.HELD,
    Outcome.FILTERED,
    Outcome.QUARANTINED,
    Outcome.DUPLICATE,
    Outcome.FAILED,
    Outcome.NOT_REQUESTED,
    "undecided",
)


def page(header: Html, sections: Sequence[tuple[str, Html, Html]], footer: Html) -> Html:
    """The body of a report. `sections` are (id, title, content)."""
    skip = tag("a", say("Skip to the content"), href="#content", class_="skip")
    contents = tag(
        "nav",
        tag("ul", *(tag("li", tag("a", title, href=f"#{name}")) for name, title, _ in sections)),
        aria_label="Contents / 目次",
    )
    body = [
        tag(
            "section", tag("h2", title, id=f"{name}-title"), content, id=name, aria_labelledby=f"{name}-title"
        )
        for name, title, content in sections
    ]
    return join(
        (skip, tag("header", header, contents), tag("main", *body, id="content"), tag("footer", footer)), "\n"
    )


def heading(kind: Html, title: str, lead: Html, chips: Iterable[Part]) -> Html:
    """The top of a page: name, language switch, title, what it is, stamps."""
    mark = tag("span", tag("b", "Kyodaku"), " ", tag("span", "許諾", lang="ja"), " · ", kind, class_="mark")
    top = tag("div", mark, _language_switch(), class_="top")
    stamps = tag("ul", *(chip for chip in chips if chip), class_="chips")
    return join((top, tag("h1", plain(title, 200)), tag("p", lead, class_="lead"), stamps))


def chip(content: Part, stamp: bool = False) -> Html:
    """One stamp below the title."""
    return tag("li", content, class_="stamp" if stamp else None)


def local_network_chip(recipe: Recipe) -> Html | None:
    """The stamp of a run whose names point at this machine."""
    return (
        chip(say("local network only: a demonstration, not the web"), True) if recipe.local_network else None
    )


def _language_switch() -> Html:
    def choice(code: str, name: str, checked: bool) -> Html:
        box = tag("input", type="radio", name="lang", id=f"lang-{code}", value=code, checked=checked)
        return join((box, tag("label", name, for_=f"lang-{code}", lang=code)))

    return tag(
        "fieldset",
        tag("legend", "Language / 言語"),
        choice("en", "English", True),
        choice("ja", "日本語", False),
        class_="lang",
    )


def moment(seconds: float) -> str:
    """A time for people, in UTC."""
    if seconds <= 0:
        return "–"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def size(number: int) -> str:
    """Bytes for people, in decimal units."""
    value = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:,.0f} {unit}" if unit == "B" or value >= 100 else f"{value:,.1f} {unit}"
        value /= 1000
    return f"{value:,.1f} TB"


def number(value: int, shown: str = "") -> Html:
    """A cell with a number."""
    zero = " zero" if value == 0 else ""
    return tag("td", shown or f"{value:,}", class_=f"number{zero}", data_value=value)


def head_row(*cells: tuple[Html, bool]) -> Html:
    """The head of a table; a cell is (title, whether its column holds numbers)."""
    made = (tag("th", title, scope="col", class_="number" if numeric else None) for title, numeric in cells)
    return tag("thead", tag("tr", *made))


def funnel(steps: Sequence[tuple[str, int]]) -> Html:
    """Bars from what was found to what was released."""
    most = max((count for _, count in steps), default=0) or 1
    items = [
        tag(
            "li",
            tag("span", step_text(step)),
            bar(count / most, step),
            tag("span", f"{count:,}", class_="number"),
        )
        for step, count in steps
    ]
    return tag("ol", *items, class_="funnel")


def reasons_table(outcomes: Mapping[str, Counter[str]], skip: frozenset[str] = frozenset()) -> Html:
    """Every outcome with its reasons, their counts and their shares of the outcome."""
    bodies: list[Html] = []
    for outcome in ORDER:
        reasons = outcomes.get(outcome)
        if not reasons or outcome in skip:
            continue
        total = sum(reasons.values())
        rows = [
            tag(
                "tr",
                tag("th", outcome_text(outcome), scope="rowgroup"),
                tag("td", class_="share"),
                number(total),
                class_="group",
            )
        ]
        for reason, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0])):
            if reason:
                words = join((reason_text(outcome, reason), tag("code", reason)), " ")
                share = tag("td", bar(count / total, outcome), class_="share")
                rows.append(tag("tr", tag("td", words), share, number(count)))
        bodies.append(tag("tbody", *rows))
    head = tag(
        "thead",
        tag(
            "tr",
            tag("th", say("outcome and reason"), scope="col"),
            tag("th", tag("span", say("share"), class_="sr"), scope="col", class_="share"),
            tag("th", say("images"), scope="col", class_="number"),
        ),
    )
    return tag("table", head, *bodies, class_="reasons")


def requests_table(summary: Summary) -> Html:
    """How many requests were sent, by what they were for: totals, no host is named."""
    note = say(
        "Before a page or an image is asked for, its host is asked what it permits. Redirects count; a page "
        "or an image that was asked for again counts once."
    )
    return _asked_table(summary.requests, say("requests"), note)


def addresses_table(summary: Summary) -> Html:
    """How many addresses were asked for, by what for. The same facts give the same figures."""
    note = say(
        "Before a page or an image is asked for, its host is asked what it permits. Redirects count; what "
        "was asked for again counts once."
    )
    return _asked_table(summary.addresses, say("addresses"), note)


def _asked_table(counts: Mapping[str, int], what: Part, note: Part) -> Html:
    total = sum(counts.values())
    rows = [
        tag(
            "tr",
            tag("td", purpose_text(purpose)),
            tag("td", bar(counts[purpose] / (total or 1), "asked"), class_="share"),
            number(counts[purpose]),
        )
        for purpose in PURPOSES
    ]
    rows.append(
        tag(
            "tr", tag("th", say("all"), scope="row"), tag("td", class_="share"), number(total), class_="group"
        )
    )
    head = tag(
        "thead",
        tag(
            "tr",
            tag("th", say("what was asked for"), scope="col"),
            tag("th", tag("span", say("share"), class_="sr"), scope="col", class_="share"),
            tag("th", what, scope="col", class_="number"),
        ),
    )
    return join(
        (tag("p", note, class_="note"), tag("table", head, tag("tbody", *rows), class_="reasons asked"))
    )


def frame(thumbnail: Thumbnail | None, words: str, mask: bytes | None = None) -> Html:
    """One picture in its square, under the mask (RGBA PNG) of what was seen in it; `words` stand for it."""
    if thumbnail is None:
        return tag("div", tag("span", say("not shown"), class_="gone"), class_="frame")
    if mask is None:
        shown = image(thumbnail.jpeg, thumbnail.width, thumbnail.height, words)
    else:
        source = jpeg_address(thumbnail.jpeg)
        shown = masked(source, thumbnail.width, thumbnail.height, words, png_address(mask))
    return tag("div", shown, class_="frame")


def figure(thumbnail: Thumbnail | None, words: str, *lines: Part, mask: bytes | None = None) -> Html:
    """One picture of a gallery with its text and further lines."""
    caption = tag("bdi", plain(words, 240), class_="words") if words else None
    small = [tag("span", line, class_="small") for line in lines if line]
    shown = frame(thumbnail, words, mask)
    return tag("li", tag("figure", shown, tag("figcaption", caption, *small)))


def strip(title: Html, thumbnails: Iterable[Thumbnail | None]) -> Html:
    """Small pictures in a row below a title; those that may not be shown are counted."""
    made = list(thumbnails)
    shown = [image(one.jpeg, one.width, one.height, "") for one in made if one is not None]
    hidden = len(made) - len(shown)
    rest = tag("span", say("{count} not shown", count=hidden)) if hidden else None
    return tag("span", title, tag("span", *shown, rest, class_="cluster"))


def gallery(figures: Iterable[Html]) -> Html:
    """Pictures in a grid."""
    return tag("ul", *figures, class_="gallery")


def more(shown: int, total: int) -> Html | None:
    """Says so when not everything is shown."""
    if shown >= total:
        return None
    return tag("p", say("{shown} of {total} shown.", shown=shown, total=total), class_="note")


def period(summary: Summary) -> Html:
    """From the first fact to the last."""
    times = f"{moment(summary.first)} – {moment(summary.last)}"
    return both(times, times) if summary.first else say("no requests yet")


def page_link(url: str) -> Html | None:
    """A link to the page that shows an image."""
    return link(url) if url else None
