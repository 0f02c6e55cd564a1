"""Filters: allowed pictures that are not fit for the set. Applied to nothing else.

A closed registry: one function for each, in the order of `FILTERS`; the first that objects names the
reason. A filter reads facts only and has its thresholds in the recipe. What it needs and nobody could say
quarantines the picture (`findings.Unseen`), unless the filter itself asks the recipe what then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

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


#: Named as the tables below `[filters]` in a recipe.
FILTERS: Mapping[str, Filter] = {"resolution": resolution}


def first_objection(annotation: Annotation, filters: Filters) -> Objection | None:
    """The reason of the first filter that drops this picture or sets it aside, or None."""
    try:
        for annotator in ASKED:
            finding(annotation, annotator)
        reasons = (apply(annotation, filters) for apply in FILTERS.values())
        return next((reason for reason in reasons if reason is not None), None)
    except Unseen:
        return QuarantineReason.NOT_LOOKED_AT
