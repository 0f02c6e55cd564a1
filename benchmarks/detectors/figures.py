"""From findings to figures: which filter would have acted on what, and how often.

What counts as noticed is what the shipped filters and objections do with the findings under a recipe's
defaults: nothing is decided here. Scores are used for AUC and for recall at 1 % false alarms only.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.detectors.looks import Looked
from benchmarks.detectors.statistics import Rate, auc, recall_at
from curation.annotators.base import Status
from curation.filters import objections
from curation.objections import objection
from kyodaku.candidate import Candidate
from kyodaku.reasons import FilterReason, QuarantineReason, ReasonEnum, RefuseReason
from kyodaku.recipe import Filters
from kyodaku.recipe.filters import Resolution

#: What must be left of a picture's shorter side once an enlargement is undone. The default asks nothing.
EFFECTIVE_SHARE = 0.85


@dataclass(frozen=True)
class Detector:
    """`annotator` gives the score; `reasons` are what a picture is kept out for when it is noticed;
    `positives` names the set, `needs` every annotator without which there are no figures."""

    name: str
    title: str
    annotator: str
    reasons: frozenset[ReasonEnum]
    positives: str
    needs: tuple[str, ...]


DETECTORS: Mapping[str, Detector] = {
    one.name: one
    for one in (
        Detector(
            "watermark",
            "Visible marks",
            "overlay",
            frozenset({FilterReason.WATERMARK, FilterReason.BRAND_TEXT}),
            "marked",
            ("overlay", "text", "brands"),
        ),
        Detector(
            "notice",
            "Written notices",
            "notices",
            frozenset({RefuseReason.WRITTEN_NOTICE}),
            "noticed",
            ("overlay", "text", "notices"),
        ),
        Detector(
            "perturbation",
            "Perturbations",
            "perturbation",
            frozenset(
                {
                    FilterReason.PERTURBATION,
                    QuarantineReason.PERTURBATION_LIKELY,
                    QuarantineReason.PERTURBATION_POSSIBLE,
                }
            ),
            "cloaked",
            ("perturbation",),
        ),
        Detector(
            "ai_made",
            "Marks of generators in the pixels",
            "ai_made",
            frozenset({FilterReason.AI_MADE}),
            "ai_marked",
            ("ai_made",),
        ),
        Detector(
            "enlarged",
            "Enlarged pictures",
            "detail",
            frozenset({FilterReason.ENLARGED}),
            "enlarged",
            ("detail",),
        ),
    )
}


def acted_on(looked: Looked) -> set[ReasonEnum]:
    """Every reason for which the shipped rules keep this picture out, permission aside."""
    annotation = {
        "status": "ok",
        "width": looked.width,
        "height": looked.height,
        "frames": 1,
        "format": "png",
        "has_gps": False,
        "rated": False,
        "protected": False,
        "findings": looked.findings,
    }
    least = round(EFFECTIVE_SHARE * min(looked.width, looked.height))
    filters = Filters(resolution=Resolution(min_side=1, max_aspect=100.0, min_effective_side=least))
    found: set[ReasonEnum] = {one.reason for one in objections(annotation, filters)}
    refusal = objection(Candidate("", "", "", ""), annotation)
    return found | {refusal} if refusal is not None else found


def score(looked: Looked, detector: Detector) -> float:
    """The annotator's score; one that could not tell found nothing."""
    found = looked.findings[detector.annotator]
    return found.score if found.status is Status.OK else -math.inf


def figures(detector: Detector, positives: Iterable[Looked], negatives: Iterable[Looked]) -> dict[str, Any]:
    """By column, what was found of each family and of pictures that are clean.

    `noticed` counts what the shipped rules keep out, `recall` what lies above the score that 1 % of the
    clean pictures of the same column exceed.
    """
    clean = _by_view(_asked(detector, negatives))
    families: dict[str, dict[str, Any]] = {}
    for family, views in _by_family(_asked(detector, positives)).items():
        families[family] = {
            view: _row(detector, rows, [score(one, detector) for one in clean.get(view, ())])
            for view, rows in views.items()
        }
    return {
        "families": families,
        "clean": {view: _counted(detector, rows) for view, rows in clean.items()},
    }


def false_alarms(detector: Detector, negatives: Iterable[Looked]) -> dict[str, dict[str, Any]]:
    """By kind of picture and column, how many that are clean would be kept out, and how."""
    return {
        family: {view: _counted(detector, rows) for view, rows in views.items()}
        for family, views in _by_family(_asked(detector, negatives)).items()
    }


def kinds(rows: Iterable[Looked]) -> dict[str, dict[str, Any]]:
    """By what a picture is and column, how often it is named so, named otherwise, and not named."""

    def named(some: Sequence[Looked], family: str) -> dict[str, Any]:
        said = [one.findings["kind"].level for one in some]
        unnamed = sum(level in ("", "unknown") for level in said)
        right = sum(level == family for level in said)
        return {"right": [right, len(said)], "wrong": [len(said) - right - unnamed, len(said)]}

    return {
        family: {view: named(some, family) for view, some in views.items()}
        for family, views in _by_family(rows).items()
    }


def furniture(rows: Iterable[Looked], clean: Iterable[Looked], seen: float) -> dict[str, dict[str, Any]]:
    """By piece and column, how often it is seen where it is, and (`clean`) where it is not."""
    families = {
        family: {view: _seen(some, family, seen) for view, some in views.items()}
        for family, views in _by_family(rows).items()
    }
    views = _by_view(clean)
    return {
        family: {**columns, **{f"clean {view}": _seen(views.get(view, ()), family, seen) for view in columns}}
        for family, columns in families.items()
    }


def _seen(rows: Sequence[Looked], piece: str, seen: float) -> list[int]:
    return [sum(one.findings["furniture"].values.get(piece, 0.0) >= seen for one in rows), len(rows)]


def _row(detector: Detector, rows: Sequence[Looked], clean: Sequence[float]) -> dict[str, Any]:
    scores = [score(one, detector) for one in rows]
    recall = recall_at(scores, clean) if clean else Rate(0, 0)
    return {
        "auc": round(auc(scores, clean), 4) if clean else None,
        "recall": [recall.hits, recall.total],
        **_counted(detector, rows),
    }


def _counted(detector: Detector, rows: Sequence[Looked]) -> dict[str, Any]:
    reasons: dict[str, int] = defaultdict(int)
    noticed = 0
    for one in rows:
        acted = acted_on(one) & detector.reasons
        noticed += bool(acted)
        for reason in acted:
            reasons[reason.value] += 1
    return {"noticed": [noticed, len(rows)], "reasons": dict(sorted(reasons.items()))}


def _by_view(rows: Iterable[Looked]) -> dict[str, list[Looked]]:
    return _grouped(rows, lambda one: one.view)


def _by_family(rows: Iterable[Looked]) -> dict[str, dict[str, list[Looked]]]:
    return {family: _by_view(some) for family, some in _grouped(rows, lambda one: one.case.family).items()}


def _asked(detector: Detector, rows: Iterable[Looked]) -> list[Looked]:
    """Those at which everybody looked whom the detector needs."""
    return [one for one in rows if all(name in one.findings for name in detector.needs)]


def _grouped(rows: Iterable[Looked], key: Callable[[Looked], str]) -> dict[str, list[Looked]]:
    groups: dict[str, list[Looked]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return dict(groups)
