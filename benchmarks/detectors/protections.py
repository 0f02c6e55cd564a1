"""The seven ways in which artists are told to protect a picture, and what becomes of each here.

    python -m benchmarks.detectors.protections

writes docs/protections.md and docs/protections.ja.md from benchmarks/detectors/result.json. The words of the
verdict follow from the figures by `verdict`; nothing is typed by hand.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from benchmarks.detectors import walls
from benchmarks.detectors.statistics import Rate
from curation.filters import FILTERS
from kyodaku.reasons import FilterReason
from kyodaku.recipe import load_recipe

ROOT = Path(__file__).parents[2]
RESULT = Path(__file__).with_name("result.json")
WORDS = Path(__file__).with_name("protections.toml")
PAGES = {"en": ROOT / "docs/protections.md", "ja": ROOT / "docs/protections.ja.md"}

#: Columns that the web puts every picture through. The worst of them counts.
ON_THE_WEB = ("raw", "JPEG 90", "JPEG 75")


#: Cloaks that show the limits of the detector.
WEAK = ("style cloak, half the bound", "style cloak on the subject only", "style cloak, smoothed")


class Verdict(Enum):
    """How far an artist may trust that the picture is kept out because of this."""

    RELY = "rely on it", "頼ってよい"
    HELPS = "helps", "助けになる"
    NOT = "do not rely on it", "頼ってはいけない"
    UNKNOWN = "not measured", "測定なし"

    def __init__(self, en: str, ja: str) -> None:
        self.en, self.ja = en, ja


#: Kept out surely enough to rely on, and often enough to help: the interval's lower end must reach these.
RELY_FROM, HELPS_FROM = 0.8, 0.3


def verdict(kept_out: Sequence[Rate], the_recipe_decides: bool = False) -> Verdict:
    """The word for a protection, from how often it keeps a picture out in each column of the web.

    `rely on it`: even in the worst column the lower end of the 95 % interval is RELY_FROM or more, and no
    number that a recipe's author chooses decides. `helps`: the lower end over all columns together is
    HELPS_FROM or more. Else `do not rely on it`; `not measured` where a column is missing.
    """
    if not kept_out or any(rate.total == 0 for rate in kept_out):
        return Verdict.UNKNOWN
    if min(rate.low for rate in kept_out) >= RELY_FROM and not the_recipe_decides:
        return Verdict.RELY
    return Verdict.HELPS if sum(kept_out, Rate(0, 0)).low >= HELPS_FROM else Verdict.NOT


@dataclass(frozen=True)
class Way:
    """One protection: its names, who notices it and what to know, by language.

    `detector` and `families` say where its figures stand in result.json; without a detector they are
    measured here (`small`, `followers`).
    """

    key: str
    name: Mapping[str, str]
    noticed_by: Mapping[str, str]
    note: Mapping[str, str]
    detector: str = ""
    families: Sequence[str] = ()
    the_recipe_decides: bool = False


def ways() -> list[Way]:
    """The seven, in the order of the table."""
    return [Way(**row) for row in _words()["ways"]]


def _words() -> dict[str, Any]:
    with WORDS.open("rb") as file:
        return tomllib.load(file)


def measured_here() -> dict[str, Any]:
    """The figures of the two protections that no detector is asked about."""
    closed, open_pages = list(walls.walled()), list(walls.opened())
    held = sum(answer.noticed for answer in closed)
    out = sum(answer.noticed or not answer.shows_the_work for answer in closed)
    leaky = list(walls.leaky())
    return {
        "followers": {
            "noticed": [held, len(closed)],
            "kept_out": [out, len(closed)],
            "leaky": [sum(answer.noticed for answer in leaky), len(leaky)],
            "false_alarms": [sum(answer.noticed for answer in open_pages), len(open_pages)],
        },
        "small": _small(),
    }


def _small() -> dict[str, Any]:
    """Pictures 800 pixels long, of every usual shape, under the recipe whose basis is silence."""
    filters = load_recipe(ROOT / "datasets/open-web").filters
    shapes = [(800, round(800 * share / 100)) for share in range(40, 101)]
    larger = [(1600, 2 * height) for _, height in shapes if 2 * height >= 1000]

    def dropped(sizes: Sequence[tuple[int, int]]) -> list[int]:
        rows = [{"width": width, "height": height} for width, height in sizes]
        reasons = [FILTERS["resolution"](row, filters) for row in rows]
        return [sum(reason is FilterReason.LOW_RESOLUTION for reason in reasons), len(rows)]

    return {"noticed": dropped(shapes), "kept_out": dropped(shapes), "false_alarms": dropped(larger)}


def shown(way: Way, result: Mapping[str, Any]) -> tuple[list[Rate], Rate]:
    """How often the protection keeps a picture out, by column of the web, and false alarms on clean ones."""
    if not way.detector:
        figures = result.get("protections", {}).get(way.key)
        if figures is None:
            return [], Rate(0, 0)
        return [Rate(*figures["kept_out"])], Rate(*figures["false_alarms"])
    detector = result["detectors"].get(way.detector)
    if detector is None:
        return [], Rate(0, 0)
    kept_out = [_noticed(result, way.detector, way.families, view) for view in ON_THE_WEB]
    return kept_out, Rate(*detector["clean"].get("raw", {"noticed": [0, 0]})["noticed"])


def _noticed(
    result: Mapping[str, Any], detector: str, families: Sequence[str], view: str = "JPEG 90"
) -> Rate:
    """Over all pictures of the families."""
    figures = result["detectors"].get(detector, {"families": {}})["families"]
    found = [rows for name, rows in figures.items() if any(_is(name, wanted) for wanted in families)]
    return sum((Rate(*rows[view]["noticed"]) for rows in found if view in rows), Rate(0, 0))


def _is(name: str, wanted: str) -> bool:
    """Whether a family is the wanted one, or one of a strength or an opacity."""
    return name == wanted or name.endswith(f", {wanted}")


def page(result: Mapping[str, Any], language: str) -> str:
    """The page in `en` or `ja`, as Markdown."""
    words = _words()[language]
    text: str = words["head"].format(date=result["date"], rely=100 * RELY_FROM, helps=100 * HELPS_FROM)
    for way in ways():
        kept_out, alarms = shown(way, result)
        word = verdict(kept_out, way.the_recipe_decides)
        cells = (
            way.name[language],
            way.noticed_by[language],
            "<br>".join(_rate(rate) for rate in kept_out) or getattr(Verdict.UNKNOWN, language),
            _rate(alarms) if alarms.total else getattr(Verdict.UNKNOWN, language),
            f"**{getattr(word, language)}**",
        )
        text += f"| {' | '.join(cells)} |\n"
    told = {
        "leaky": Rate(*result["protections"]["followers"]["leaky"]),
        "weak": _noticed(result, "perturbation", WEAK),
        "faint": _noticed(result, "watermark", ("faint",)),
    }
    said = {
        name: _rate(rate) if rate.total else getattr(Verdict.UNKNOWN, language) for name, rate in told.items()
    }
    notes = "".join(f"* {way.name[language]}: {way.note[language].format(**said)}\n" for way in ways())
    return f"{text}\n## {words['notes']}\n\n{notes}"


def _rate(found: Rate) -> str:
    if not found.total:
        return "-"
    digits = 1 if 0 < found.value < 0.05 or found.high < 0.05 else 0
    low, high = 100 * found.low, 100 * found.high
    return f"{100 * found.value:.{digits}f} % ({low:.{digits}f}-{high:.{digits}f}, n {found.total:,})"


def write(result: Mapping[str, Any]) -> None:
    """Write both pages."""
    for language, path in PAGES.items():
        path.write_text(page(result, language), encoding="utf-8")


if __name__ == "__main__":
    write(json.loads(RESULT.read_text(encoding="utf-8")))
    sys.exit(0)
