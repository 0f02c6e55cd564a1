"""What annotators found, for people: shared by the private report, `inspect`, `tune` and `review`.

Findings are rows as ANNOTATIONS holds them. Nothing here decides; which finding a reason rests on is
said so that the reader sees it first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kyodaku.report.html import Html, both, japanese, join, say, tag
from kyodaku.report.masks import tinted
from kyodaku.report.plaintext import plain

FindingRow = Mapping[str, Any]

_ANNOTATORS = {
    "overlay": "visible marks",
    "text": "words in the picture",
    "notices": "written notice",
    "brands": "agency, address or owner in the words",
    "perturbation": "adversarial-like perturbation",
    "ai_made": "marks of a generator",
    "detail": "effective resolution",
    "kind": "kind of picture",
    "furniture": "scan furniture",
    "embedding": "embedding",
    "aesthetic": "aesthetic score",
    "harmful": "adult content",
    "faces": "faces",
}

#: Words that annotators answer with.
_WORDS = (
    "likely", "possible", "none", "photo", "painting", "print", "drawing", "text", "map", "object", "blank",
    "colour_chart", "ruler", "gutter", "border",
)  # fmt: skip

_STATUSES = {"unknown": "could not tell", "failed": "broke"}

#: The findings that a reason rests on, the weightiest first.
_DECISIVE: Mapping[str, tuple[str, ...]] = {
    "enlarged": ("detail",),
    "watermark": ("overlay", "brands", "text"),
    "brand_text": ("brands", "text"),
    "perturbation": ("perturbation",),
    "perturbation_likely": ("perturbation",),
    "perturbation_possible": ("perturbation",),
    "ai_made": ("ai_made",),
    "kind": ("kind",),
    "kind_unknown": ("kind",),
    "furniture": ("furniture",),
    "aesthetic": ("aesthetic",),
    "harmful": ("harmful",),
    "faces": ("faces",),
    "written_notice": ("notices", "text"),
    "cloaked": ("perturbation",),
}


def rests_on(findings: Iterable[FindingRow], reason: str) -> list[FindingRow]:
    """The findings that `reason` rests on; for `not_looked_at`, those that say nothing."""
    rows = list(findings)
    if reason == "not_looked_at":
        return [row for row in rows if row["status"] != "ok"]
    by_name = {row["annotator"]: row for row in rows}
    return [by_name[name] for name in _DECISIVE.get(reason, ()) if name in by_name]


def mask_of(findings: Sequence[FindingRow], reason: str = "") -> bytes | None:
    """The mask to lay over the picture (RGBA PNG): of what the reason rests on, or of the strongest finding
    that has one where there is no reason."""
    rows = rests_on(findings, reason) if reason else sorted(findings, key=lambda row: -row["score"])
    made = (tinted(row["mask"]) for row in rows if row["status"] == "ok" and row["mask"])
    return next((mask for mask in made if mask is not None), None)


def annotator_text(name: str) -> Html:
    """What an annotator looks for, in both languages; its bare name if this version does not know it."""
    words = _ANNOTATORS.get(name)
    return say(words) if words is not None else tag("span", plain(name, 60))


def finding_line(row: FindingRow, text_limit: int = 240) -> Html:
    """One finding in a line: what was looked for, what was found, how strongly, what was read."""
    read = tag("bdi", plain(row["text"], text_limit), class_="read") if row["text"] else None
    return tag("span", annotator_text(row["annotator"]), ": ", _answer(row), " ", read, class_="finding")


def findings_table(findings: Sequence[FindingRow], reason: str = "") -> Html:
    """Every finding of one picture; those that `reason` rests on first and marked."""
    first = rests_on(findings, reason) if reason else []
    rest = [row for row in findings if row not in first]
    body = [_row(row, weighty=True) for row in first] + [_row(row, weighty=False) for row in rest]
    return tag("table", tag("tbody", *body), class_="findings")


def _row(row: FindingRow, *, weighty: bool) -> Html:
    values = ", ".join(f"{plain(item['name'], 40)} {_number(item['value'])}" for item in row["values"])
    read = tag("bdi", plain(row["text"], 600), class_="read") if row["text"] else None
    return tag(
        "tr",
        tag("th", annotator_text(row["annotator"]), scope="row"),
        tag("td", _answer(row)),
        tag("td", read, tag("span", values, class_="small") if values else None),
        class_="weighty" if weighty else None,
    )


def _answer(row: FindingRow) -> Html:
    if row["status"] != "ok":
        words = _STATUSES.get(row["status"])
        return tag("b", say(words) if words is not None else plain(row["status"], 30))
    level = _word(row["level"]) if row["level"] else None
    return join((level, tag("span", _number(row["score"]), class_="number")), " ")


def _word(word: str) -> Html:
    other = japanese().texts.get(word)
    shown = plain(word.replace("_", " "), 60)
    return both(shown, other) if word in _WORDS and other else tag("span", shown)


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e12 else f"{value:.3g}"
