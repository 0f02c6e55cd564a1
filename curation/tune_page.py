"""How `kyodaku tune` is told: tables for a terminal, and a page with histograms and thumbnails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from curation.files import check_page
from curation.tune import ASIDE, DROPPED, KEPT, Change, Near, Setting, Tuning, tune
from kyodaku.durable import write_bytes
from kyodaku.recipe import Recipe
from kyodaku.report import parts
from kyodaku.report.data import Row, RunFacts
from kyodaku.report.findings import mask_of
from kyodaku.report.html import Html, document, join, say, tag
from kyodaku.report.summary import summarise
from kyodaku.report.thumbnails import Showable, Thumbnail, Thumbnailer, thumbnails
from kyodaku.runs import RunFolder

#: Findings whose mask says what a table of filters looks for.
_REASONS = {"watermark": "watermark", "perturbation": "perturbation", "kind": "kind", "ai_made": "ai_made"}


@dataclass(frozen=True)
class Told:
    """What the command line prints."""

    tuning: Tuning

    def render(self) -> Group:
        """For a terminal."""
        return render(self.tuning)

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        settings = [setting.to_json() for setting in self.tuning.settings]
        return {"pictures": self.tuning.pictures, "states": dict(self.tuning.states), "settings": settings}


def tell(run: RunFolder, recipe: Recipe, html: Path | None) -> Told:
    """`kyodaku tune` as the command line calls it: the figures, and the page if `html` names one.
    Raises UsageError for a page that cannot be written or would replace something else."""
    if html is not None:
        check_page(html)
    tuning = tune(run, recipe)
    if html is not None:
        write_page(html, tuning, run, recipe)
    return Told(tuning)


def render(tuning: Tuning) -> Group:
    """For a terminal: one table a setting."""
    return Group(Text(_counted(tuning)), *(_table(setting) for setting in tuning.settings))


def write_page(path: Path, tuning: Tuning, run: RunFolder, recipe: Recipe) -> None:
    """The page, with pictures around every threshold. Raises RecordError and DiskFullError."""
    facts = RunFacts(run)
    uids = {near.uid for setting in tuning.settings for near in setting.near}
    shown = _thumbnails(facts, uids, recipe)
    findings = facts.findings(set(shown))
    lead = say("What each setting of the filters does to this run, and what another value would do.")
    name = say("run {name}", name=run.path.name)
    head = parts.heading(say("tuning"), recipe.release.title or recipe.name, lead, [parts.chip(name)])
    sections = [
        (setting.name.replace(".", "-"), tag("code", setting.name), _section(setting, shown, findings))
        for setting in tuning.settings
    ]
    body = parts.page(head, [("all", say("Under the recipe as it is"), _states(tuning)), *sections], _foot())
    write_bytes(path, document(f"{recipe.name} · tune", body).encode("utf-8"))


# --- a terminal -----------------------------------------------------------------------------------------


def _counted(tuning: Tuning) -> str:
    states = ", ".join(f"{tuning.states.get(state, 0):,} {state}" for state in (KEPT, DROPPED, ASIDE))
    return f"{tuning.pictures:,} permitted pictures: {states}\n"


def _table(setting: Setting) -> Table:
    table = Table(
        box=SIMPLE_HEAD, title=Text(f"{setting.name} = {_value(setting.value)}"), title_justify="left"
    )
    table.add_column("value")
    for name in (KEPT, DROPPED, ASIDE, "newly kept", "newly out"):
        table.add_column(name, justify="right")
    for change in setting.changes:
        style = "bold" if change.current else None
        table.add_row(
            Text(_value(change.value) + (" *" if change.current else "")), *_numbers(change), style=style
        )
    if setting.unknown:
        table.caption = Text(f"{setting.unknown:,} without a score")
    return table


def _numbers(change: Change) -> list[str]:
    numbers = (change.kept, change.dropped, change.aside, change.newly_kept, change.newly_out)
    return [f"{number:,}" for number in numbers]


def _value(value: Any) -> str:
    """As it stands in a recipe."""
    if value is None:
        return "not asked"
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(value) or "none" if isinstance(value, tuple) else str(value)


# --- a page ---------------------------------------------------------------------------------------------


def _thumbnails(facts: RunFacts, uids: set[str], recipe: Recipe) -> dict[str, Thumbnail]:
    """Of those that may be shown: the same rule as in the private report."""
    rows: list[Row] = list(facts.matching({"uid": uids}))
    if not rows:
        return {}
    showable = Showable(facts, summarise(facts, 0), rows)
    with Thumbnailer(recipe) as maker:
        return thumbnails(facts, rows, showable, maker)


def _states(tuning: Tuning) -> Html:
    words = {KEPT: say("kept"), DROPPED: say("dropped"), ASIDE: say("set aside")}
    cells = [tag("tr", tag("td", words[s]), parts.number(tuning.states.get(s, 0))) for s in words]
    note = say(
        "Permitted pictures that could be decoded, each once. Duplicates, captions and reviews come later."
    )
    return join((tag("p", note, class_="note"), tag("table", tag("tbody", *cells))))


def _section(
    setting: Setting, shown: Mapping[str, Thumbnail], findings: Mapping[str, list[dict[str, Any]]]
) -> Html:
    value = tag("p", say("in the recipe:"), " ", tag("b", _value(setting.value)))
    figures = [
        parts.figure(
            shown.get(near.uid),
            "",
            _near(near),
            mask=mask_of(findings.get(near.uid, []), _REASONS.get(setting.table, "low_resolution")),
        )
        for near in setting.near
    ]
    around = join((tag("h3", say("Around the threshold")), parts.gallery(figures))) if figures else None
    return join((value, _histogram(setting), _changes(setting), around))


def _near(near: Near) -> Html:
    words = {KEPT: say("kept"), DROPPED: say("dropped"), ASIDE: say("set aside")}
    score = "" if near.score is None else f"{near.score:.4g} · "
    return tag("span", score, words[near.state])


def _histogram(setting: Setting) -> Html | None:
    """Bars of all scores, and a line at the threshold."""
    if not setting.counts:
        return None
    most = max(setting.counts)
    width = 100 / len(setting.counts)
    bars = [
        tag(
            "rect",
            x=round(number * width, 3),
            y=round(40 - 38 * count / most, 3),
            width=round(width * 0.9, 3),
            height=round(38 * count / most, 3),
            class_="candidates",
        )
        for number, count in enumerate(setting.counts)
    ]
    at = _place(setting)
    line = None if at is None else tag("rect", x=round(at, 3), y=0, width=0.4, height=40, class_="refused")
    picture = tag(
        "svg",
        *bars,
        line,
        viewBox="0 0 100 40",
        preserveAspectRatio="none",
        class_="histogram",
        aria_hidden="true",
    )
    low, high = (f"{edge:.4g}" for edge in (setting.edges[0], setting.edges[-1]))
    note = (
        tag("p", say("{count} without a score", count=setting.unknown), class_="note")
        if setting.unknown
        else None
    )
    middle = tag("span", say("most in one bar: {count}", count=most))
    ends = tag("p", tag("span", low), middle, tag("span", high), class_="ends")
    return join((picture, ends, note))


def _place(setting: Setting) -> float | None:
    """Where the threshold stands, of 100."""
    value, edges = setting.value, setting.edges
    if isinstance(value, bool) or not isinstance(value, int | float) or not edges[0] <= value <= edges[-1]:
        return None
    bar = max(number for number, edge in enumerate(edges) if edge <= value)
    bar = min(bar, len(edges) - 2)
    inside = (value - edges[bar]) / (edges[bar + 1] - edges[bar])
    return 100 * (bar + inside) / (len(edges) - 1)


def _changes(setting: Setting) -> Html:
    head = parts.head_row(
        (say("value"), False),
        (say("kept"), True),
        (say("dropped"), True),
        (say("set aside"), True),
        (say("newly kept"), True),
        (say("newly out"), True),
    )
    rows = [
        tag(
            "tr",
            tag("th", _value(change.value), " ← " if change.current else None, scope="row"),
            *(
                parts.number(number)
                for number in (change.kept, change.dropped, change.aside, change.newly_kept, change.newly_out)
            ),
            class_="weighty" if change.current else None,
        )
        for change in setting.changes
    ]
    table = tag("table", head, tag("tbody", *rows), class_="findings")
    label = f"{setting.name}: values / 値"
    return tag("div", table, class_="scroll", tabindex=0, role="region", aria_label=label)


def _foot() -> Html:
    return tag("p", say("Change the recipe, then run kyodaku curate: nothing is crawled or looked at again."))
