"""`kyodaku tune`: what every setting of the filters does to a run, and what another value would do.

Nothing is looked at or decided again: facts and decisions are read, and the filters of
`curation.filters` are asked with changed recipes; what could not refuse a picture stands. Counted are
pictures that are permitted and can be decoded, each once; what captions, reviewers and rules over several
pictures (duplicates, reposts, copies of what is kept out) took out besides is not.
"""

from __future__ import annotations

import heapq
from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np
from pydantic import ValidationError

import curation.filters as rules
from curation.filters import EFFECTIVE, Objection
from curation.findings import Annotation, Unseen, finding, iter_annotations
from curation.shown import Neighbours
from curation.spread import PictureFacts, is_marked
from kyodaku.errors import RunStateError
from kyodaku.reasons import FilterReason, Outcome, QuarantineReason, Verdict
from kyodaku.recheck.overlay import iter_candidate_rows
from kyodaku.recipe import Filters, Recipe
from kyodaku.recipe.base import Section
from kyodaku.recipe.filters import FURNITURE, KINDS
from kyodaku.records import DECISIONS, MATCHES, Candidate
from kyodaku.release.tables import iter_rows, read_rows, shard_names
from kyodaku.runs import RunFolder

Measure = Callable[[Annotation], float]

#: States of a picture under some recipe.
KEPT, DROPPED, ASIDE = "kept", "dropped", "set aside"

#: How many bars a histogram has, how many values are tried, and pictures shown on each side of a threshold.
BARS, VALUES, AROUND = 24, 11, 6


def _score(annotator: str) -> Measure:
    return lambda annotation: finding(annotation, annotator).score


#: What a setting is compared with, for those that are compared with a number; by table and key.
MEASURES: Mapping[tuple[str, str], Measure] = {
    ("resolution", "min_side"): lambda a: min(a["width"], a["height"]),
    ("resolution", "max_aspect"): lambda a: (
        max(a["width"], a["height"]) / max(1, min(a["width"], a["height"]))
    ),
    ("resolution", "min_effective_side"): lambda a: min(
        finding(a, "detail").values[name] for name in EFFECTIVE
    ),
    ("watermark", "max_score"): _score("overlay"),
    ("watermark", "brands"): _score("brands"),
    ("perturbation", "likely"): _score("perturbation"),
    ("perturbation", "possible"): _score("perturbation"),
    ("ai_made", "drop"): _score("ai_made"),
    ("kind", "min_confidence"): _score("kind"),
    ("aesthetic", "min_score"): _score("aesthetic"),
    ("harmful", "max_score"): _score("harmful"),
    ("privacy", "max_faces"): lambda a: finding(a, "faces").values["count"],
}

#: Filters whose settings stand in the table of another one.
_TABLE = {"brands": "watermark"}


@dataclass(frozen=True)
class Change:
    """What one value of a setting would do. `newly_kept` and `newly_out` against the recipe as it is."""

    value: Any
    current: bool
    kept: int
    dropped: int
    aside: int
    newly_kept: int
    newly_out: int


@dataclass(frozen=True)
class Near:
    """A picture near a threshold, or one that another value would treat otherwise."""

    uid: str
    score: float | None
    state: str


@dataclass(frozen=True)
class Setting:
    """One setting: its value, `edges` and `counts` of the scores that it is compared with (empty without
    any), pictures without a score, what other values would do, and pictures about which it decides."""

    table: str
    key: str
    value: Any
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    unknown: int
    changes: tuple[Change, ...]
    near: tuple[Near, ...]

    @property
    def name(self) -> str:
        return f"filters.{self.table}.{self.key}"

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "setting": self.name,
            "value": self.value,
            "histogram": {"edges": list(self.edges), "counts": list(self.counts), "unknown": self.unknown},
            "changes": [vars(change) for change in self.changes],
            "around": [vars(near) for near in self.near],
        }


@dataclass(frozen=True)
class Tuning:
    """Every setting over one run. `states` counts pictures under the recipe as it is."""

    pictures: int
    states: Mapping[str, int]
    settings: tuple[Setting, ...]


@dataclass
class _Tried:
    """One setting while pictures pass by."""

    table: str
    key: str
    value: Any
    values: list[Any]
    scores: np.ndarray[Any, Any]
    unknown: int
    filters: list[Filters]
    counts: list[Counter[str]] = field(default_factory=list)
    newly_kept: Counter[int] = field(default_factory=Counter)
    newly_out: Counter[int] = field(default_factory=Counter)
    near: list[tuple[float, str, Near]] = field(default_factory=list)


def tune(run: RunFolder, recipe: Recipe) -> Tuning:
    """Everything about the filters of `recipe` over `run`. Raises RunStateError without decisions."""
    if not shard_names(run.decisions):
        raise RunStateError(f"{run.path} has no decisions yet; run kyodaku curate first")
    permitted = _permitted(run)
    settings = list(_settings(recipe.filters))
    pages = _pages(run, recipe.filters)
    scores = _scores(run, permitted, pages, [name for name in settings if name in MEASURES])
    tried = [_tried(recipe.filters, table, key, scores.get((table, key))) for table, key in settings]
    states: Counter[str] = Counter()
    for annotation in _annotations(run, permitted, pages):
        now = {name: _objection(name, annotation, recipe.filters) for name in rules.FILTERS}
        now[rules.ASKED_FOR_REFUSALS] = next((one.reason for one in rules.not_asked(annotation)), None)
        state = _state(now.values())
        states[state] += 1
        for one in tried:
            _try(one, annotation, now, state)
    return Tuning(states.total(), dict(states), tuple(_setting(one) for one in tried))


# --- reading --------------------------------------------------------------------------------------------


def _permitted(run: RunFolder) -> set[str]:
    """Uids of pictures that permission and decoding let through."""
    passed = (Outcome.RELEASED, Outcome.FILTERED, Outcome.QUARANTINED, Outcome.DUPLICATE)
    return {
        row["uid"]
        for _, rows in iter_rows(run.decisions, DECISIONS)
        for row in rows
        if row["verdict"] == Verdict.ALLOW and row["outcome"] in passed and row["uid"] and not row["purged"]
    }


def _pages(run: RunFolder, filters: Filters) -> PictureFacts:
    """What the pages that show the pictures, and other files of the same pixels, say as select knows it."""
    marked = {row["uid"]: row for row in iter_annotations(run) if is_marked(row)}
    matches = read_rows(run.matches, MATCHES) if run.matches.is_file() else []
    clusters = Neighbours.of(matches).clusters()
    rows = (row for _, rows in iter_candidate_rows(run) for row in rows)
    unsaid = ("", "")
    return PictureFacts.of(((Candidate.from_row(row), unsaid) for row in rows), marked, clusters, {}, filters)


def _annotations(run: RunFolder, permitted: Collection[str], pages: PictureFacts) -> Iterator[Annotation]:
    """What filters see of each permitted picture."""
    for annotation in iter_annotations(run):
        if annotation["uid"] in permitted and annotation["status"] == "ok":
            yield pages.with_equals(annotation["uid"], annotation)


def _scores(
    run: RunFolder, permitted: Collection[str], pages: PictureFacts, names: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], tuple[np.ndarray[Any, Any], int]]:
    """By table and key, every score and the number of pictures without one."""
    found = {name: array("d") for name in names}
    unknown: Counter[tuple[str, str]] = Counter()
    for annotation in _annotations(run, permitted, pages):
        for name in names:
            score = _measured(name, annotation)
            if score is None:
                unknown[name] += 1
            else:
                found[name].append(score)
    return {name: (np.array(found[name]), unknown[name]) for name in names}


def _measured(name: tuple[str, str], annotation: Annotation) -> float | None:
    try:
        return float(MEASURES[name](annotation))
    except (Unseen, KeyError):
        return None


# --- settings -------------------------------------------------------------------------------------------


def _settings(filters: Filters) -> Iterator[tuple[str, str]]:
    """Tables and keys that some filter reads, in the order of the filters. A filter without a table asks no
    recipe."""
    tables = dict.fromkeys(_TABLE.get(name, name) for name in rules.FILTERS)
    for table in (table for table in tables if table in type(filters).model_fields):
        yield from ((table, key) for key in type(getattr(filters, table)).model_fields)


def _tried(filters: Filters, table: str, key: str, scored: tuple[np.ndarray[Any, Any], int] | None) -> _Tried:
    scores, unknown = scored if scored is not None else (np.array([]), 0)
    section = getattr(filters, table)
    value = getattr(section, key)
    values = _values(type(section).model_fields[key].annotation, value, key, scores)
    values = [one for one in values if not isinstance(one, tuple) or _may_stand(section, key, one)]
    changed = [
        filters.model_copy(update={table: section.model_copy(update={key: other})}) for other in values
    ]
    return _Tried(table, key, value, values, scores, unknown, changed, [Counter() for _ in values])


def _values(kind: Any, value: Any, key: str, scores: np.ndarray[Any, Any]) -> list[Any]:
    """Values to try, the one of the recipe among them."""
    words = [word for part in (kind, *get_args(kind)) for word in get_args(part) if isinstance(word, str)]
    if isinstance(value, bool):
        return [False, True]
    if isinstance(value, str):
        return words or [value]
    if value is None and words:
        return [None, *words]
    if isinstance(value, tuple):
        known = FURNITURE if key == "furniture" else KINDS
        without = [tuple(item for item in value if item != gone) for gone in value]
        return [value, *without, *((*value, new) for new in known if new not in value)]
    found = (
        {_rounded(one, value) for one in np.quantile(scores, np.linspace(0, 1, VALUES))}
        if scores.size
        else set()
    )
    ordered: list[Any] = sorted(found | ({value} if value is not None else set()))
    return [None, *ordered] if value is None else ordered


def _may_stand(section: Section, key: str, value: Any) -> bool:
    """Whether a recipe may say this beside what it says: a kind that is kept cannot be dropped."""
    try:
        type(section).model_validate({**section.model_dump(), key: value})
    except ValidationError:
        return False
    return True


def _rounded(number: float, like: Any) -> float | int:
    """A value that somebody would write into a recipe."""
    return round(number) if isinstance(like, int) else float(f"{number:.3g}")


# --- trying ---------------------------------------------------------------------------------------------


def _objection(name: str, annotation: Annotation, filters: Filters) -> Objection | None:
    try:
        return rules.FILTERS[name](annotation, filters)
    except Unseen:
        return QuarantineReason.NOT_LOOKED_AT


def _state(objections: Any) -> str:
    found = [one for one in objections if one is not None]
    if not found:
        return KEPT
    return DROPPED if any(isinstance(one, FilterReason) for one in found) else ASIDE


def _try(one: _Tried, annotation: Annotation, now: Mapping[str, Objection | None], state: str) -> None:
    """Ask the filters of one table again, once for each value."""
    names = [name for name in now if _TABLE.get(name, name) == one.table]
    others = [objection for name, objection in now.items() if name not in names]
    changes = False
    for number, filters in enumerate(one.filters):
        changed = _state([*others, *(_objection(name, annotation, filters) for name in names)])
        one.counts[number][changed] += 1
        one.newly_kept[number] += changed == KEPT != state
        one.newly_out[number] += state == KEPT != changed
        changes = changes or changed != state
    score = _measured((one.table, one.key), annotation) if (one.table, one.key) in MEASURES else None
    numeric = isinstance(one.value, int | float) and not isinstance(one.value, bool)
    if (score is not None and numeric) or changes:
        _remember(one, Near(annotation["uid"], score, state), numeric=numeric)


def _remember(one: _Tried, near: Near, *, numeric: bool) -> None:
    """Keep the pictures that are nearest to the threshold, on both sides; of a switch, the first by uid."""
    far = abs(near.score - one.value) if numeric and near.score is not None else 0.0
    heapq.heappush(one.near, (-far, near.uid, near))
    side = numeric and near.score is not None and near.score < one.value
    same = [item for item in one.near if (numeric and (item[2].score or 0.0) < (one.value or 0.0)) == side]
    if len(same) > AROUND:
        one.near.remove(min(same))
        heapq.heapify(one.near)


def _setting(one: _Tried) -> Setting:
    edges, counts = _histogram(one.scores, one.value)
    changes = tuple(
        Change(
            value,
            value == one.value,
            one.counts[number][KEPT],
            one.counts[number][DROPPED],
            one.counts[number][ASIDE],
            one.newly_kept[number],
            one.newly_out[number],
        )
        for number, value in enumerate(one.values)
    )
    near = sorted((item[2] for item in one.near), key=lambda near: (near.score or 0.0, near.uid))
    return Setting(one.table, one.key, one.value, edges, counts, one.unknown, changes, tuple(near))


def _histogram(scores: np.ndarray[Any, Any], value: Any) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Bars over all scores. Widths grow in ratio where scores reach far (sides in pixels)."""
    if not scores.size:
        return (), ()
    low, high = float(scores.min()), float(scores.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    if low > 0 and high / low > 20:
        edges = np.geomspace(low, high, BARS + 1)
        edges[0], edges[-1] = low, high
    else:
        edges = np.linspace(
            min(low, 0.0) if high <= 1 else low, max(high, 1.0) if high <= 1 else high, BARS + 1
        )
    counts, _ = np.histogram(scores, edges)
    return tuple(float(edge) for edge in edges), tuple(int(count) for count in counts)
