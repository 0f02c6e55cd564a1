"""Filters: allowed pictures that are not fit for the set. Applied to nothing else.

A closed registry: one function for each, in the order of `FILTERS`; the first that objects names the
reason. A filter reads facts only and has its thresholds in the recipe.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kyodaku.reasons import FilterReason
from kyodaku.recipe import Filters

Filter = Callable[[Mapping[str, Any], Filters], FilterReason | None]


def resolution(annotation: Mapping[str, Any], filters: Filters) -> FilterReason | None:
    """Sides in upright pixels: the shorter against `min_side`, their ratio against `max_aspect`."""
    short, long = sorted((annotation["width"], annotation["height"]))
    if short < filters.resolution.min_side:
        return FilterReason.LOW_RESOLUTION
    if long > filters.resolution.max_aspect * short:
        return FilterReason.EXTREME_ASPECT
    return None


#: Named as the tables below `[filters]` in a recipe.
FILTERS: Mapping[str, Filter] = {"resolution": resolution}


def first_objection(annotation: Mapping[str, Any], filters: Filters) -> FilterReason | None:
    """The reason of the first filter that drops this picture, or None."""
    for apply in FILTERS.values():
        reason = apply(annotation, filters)
        if reason is not None:
            return reason
    return None
