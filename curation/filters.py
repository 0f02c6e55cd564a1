"""Filters: allowed pictures that are not fit for the set. Applied to nothing else.

A closed registry: one function for each, in the order of `FILTERS`; the first that objects names the
reason. A filter reads facts only and has its thresholds in the recipe. What it needs and nobody could say
quarantines the picture (`findings.Unseen`), unless the filter itself asks the recipe what then.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from curation.findings import Annotation, Unseen, finding
from curation.objections import ASKED
from kyodaku.reasons import FilterReason, QuarantineReason
from kyodaku.recipe import Filters

Objection = FilterReason | QuarantineReason
Filter = Callable[[Annotation, Filters], Objection | None]


def resolution(annotation: Annotation, filters: Filters) -> Objection | None:
    """Sides in upright pixels: the shorter against `min_side`, their ratio against `max_aspect`."""
    short, long = sorted((annotation["width"], annotation["height"]))
    if short < filters.resolution.min_side:
        return FilterReason.LOW_RESOLUTION
    if long > filters.resolution.max_aspect * short:
        return FilterReason.EXTREME_ASPECT
    return None


def ai_made(annotation: Annotation, filters: Filters) -> Objection | None:
    """Any mark of a generator, in the pixels or in the metadata."""
    if filters.ai_made.drop and finding(annotation, "ai_made").level:
        return FilterReason.AI_MADE
    return None


#: Named as the tables below `[filters]` in a recipe.
FILTERS: Mapping[str, Filter] = {
    "resolution": resolution,
    "ai_made": ai_made,
}


#: Stands for a filter in the objection that an annotator of `objections.ASKED` said nothing.
ASKED_FOR_REFUSALS = "objections"


@dataclass(frozen=True)
class Objected:
    """One objection to one picture. `annotator` is the one that had nothing to say, for `not_looked_at`."""

    filter: str
    reason: Objection
    annotator: str = ""

    @property
    def name(self) -> str:
        """As reviews name it: `perturbation:perturbation_possible`, `harmful:not_looked_at:harmful`."""
        return ":".join(part for part in (self.filter, self.reason.value, self.annotator) if part)

    @property
    def liftable(self) -> bool:
        """Whether a person may lift it: a quarantine, unless something that could refuse did not look."""
        return isinstance(self.reason, QuarantineReason) and self.filter != ASKED_FOR_REFUSALS


def objections(annotation: Annotation, filters: Filters) -> Iterator[Objected]:
    """Everything that filters hold against a picture, in their order."""
    for annotator in ASKED:
        try:
            finding(annotation, annotator)
        except Unseen:
            yield Objected(ASKED_FOR_REFUSALS, QuarantineReason.NOT_LOOKED_AT, annotator)
    for name, apply in FILTERS.items():
        try:
            reason = apply(annotation, filters)
        except Unseen as unseen:
            yield Objected(name, QuarantineReason.NOT_LOOKED_AT, unseen.annotator)
        else:
            if reason is not None:
                yield Objected(name, reason)


def first_objection(
    annotation: Annotation, filters: Filters, lifted: Collection[str] = ()
) -> Objection | None:
    """The reason of the first filter that drops this picture or sets it aside, or None. `lifted` names
    objections that a person looked at; only a quarantine can be lifted."""
    standing = (one for one in objections(annotation, filters) if not (one.liftable and one.name in lifted))
    return next((one.reason for one in standing), None)
