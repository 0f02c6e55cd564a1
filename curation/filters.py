"""Filters: allowed pictures that are not fit for the set. Applied to nothing else.

A closed registry: one function for each, in the order of `FILTERS`; the first that drops, or else the first
that sets aside, names the reason. A filter reads facts only and has its thresholds in the recipe. What it
needs and nobody could say quarantines the picture (`findings.Unseen`), unless the filter itself asks the
recipe what then.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from curation.annotators.base import Finding, Status
from curation.findings import Annotation, Unseen, finding
from curation.objections import ASKED
from kyodaku.reasons import FilterReason, QuarantineReason
from kyodaku.recipe import Filters
from kyodaku.recipe.filters import KINDS

Objection = FilterReason | QuarantineReason
Filter = Callable[[Annotation, Filters], Objection | None]

#: Sides before an enlargement, in the values of `detail`.
EFFECTIVE = ("effective_width", "effective_height")


def words_beside(annotation: Annotation, filters: Filters) -> Objection | None:
    """A page that shows the picture says in words beside it that it is protected from AI, or forbids training
    or re-use (`protected`, see `with_pages`). No recipe can ask for less; a person may see that they mean
    another."""
    return QuarantineReason.WORDS_BESIDE if annotation["protected"] else None


def resolution(annotation: Annotation, filters: Filters) -> Objection | None:
    """Sides in upright pixels: the shorter against `min_side`, their ratio against `max_aspect`;
    and the shorter before an enlargement."""
    short, long = sorted((annotation["width"], annotation["height"]))
    if short < filters.resolution.min_side:
        return FilterReason.LOW_RESOLUTION
    if long > filters.resolution.max_aspect * short:
        return FilterReason.EXTREME_ASPECT
    least = filters.resolution.min_effective_side
    if least and min(finding(annotation, "detail").values[name] for name in EFFECTIVE) < least:
        return FilterReason.ENLARGED
    return None


def watermark(annotation: Annotation, filters: Filters) -> Objection | None:
    """A visible mark: the score of `overlay` at `max_score` or above; 1 asks nothing."""
    most = filters.watermark.max_score
    if most < 1 and finding(annotation, "overlay").score >= most:
        return FilterReason.WATERMARK
    return None


def brands(annotation: Annotation, filters: Filters) -> Objection | None:
    """Text that names a stock agency, an address, a handle or an owner: level `likely`, if
    `watermark.brands` asks."""
    if filters.watermark.brands and finding(annotation, "brands").level == "likely":
        return FilterReason.BRAND_TEXT
    return None


def perturbation(annotation: Annotation, filters: Filters) -> Objection | None:
    """The two levels of an adversarial-like perturbation, each as its own setting says."""
    level, table = finding(annotation, "perturbation").level, filters.perturbation
    if level == "likely":
        dropped = table.likely == "drop"
        return FilterReason.PERTURBATION if dropped else QuarantineReason.PERTURBATION_LIKELY
    if level == "possible" and table.possible != "keep":
        dropped = table.possible == "drop"
        return FilterReason.PERTURBATION if dropped else QuarantineReason.PERTURBATION_POSSIBLE
    return None


def ai_made(annotation: Annotation, filters: Filters) -> Objection | None:
    """Any mark of a generator, in the pixels or in the metadata."""
    if filters.ai_made.drop and finding(annotation, "ai_made").level:
        return FilterReason.AI_MADE
    return None


def aesthetic(annotation: Annotation, filters: Filters) -> Objection | None:
    """The score of a head that the recipe names, against `min_score`."""
    asked = filters.aesthetic
    if asked.min_score is None:
        return None
    found = _if_known(annotation, "aesthetic", asked.unknown)
    return FilterReason.AESTHETIC if found is not None and found.score < asked.min_score else None


def harmful(annotation: Annotation, filters: Filters) -> Objection | None:
    """A page that shows the picture rates itself adult (`rated`, see `with_pages`), or a model says so."""
    asked = filters.harmful
    if asked.rated_pages and annotation["rated"]:
        return FilterReason.HARMFUL
    if asked.max_score is None:
        return None
    found = _if_known(annotation, "harmful", asked.unknown)
    return FilterReason.HARMFUL if found is not None and found.score > asked.max_score else None


def privacy(annotation: Annotation, filters: Filters) -> Objection | None:
    """A GPS position in the file's metadata, which is not looked at where it cannot be read; more faces than
    `max_faces`."""
    asked = filters.privacy
    if asked.drop_gps and annotation["has_gps"] is None:
        raise Unseen("has_gps", Status.UNKNOWN)
    if asked.drop_gps and annotation["has_gps"]:
        return FilterReason.GPS
    if asked.max_faces is None:
        return None
    found = _if_known(annotation, "faces", asked.unknown)
    return FilterReason.FACES if found is not None and found.values["count"] > asked.max_faces else None


def _if_known(annotation: Annotation, annotator: str, unknown: str) -> Finding | None:
    """The finding; None if nobody could tell and the recipe says `keep`. What broke stays Unseen."""
    try:
        return finding(annotation, annotator)
    except Unseen as unseen:
        if unseen.status is Status.UNKNOWN and unknown == "keep":
            return None
        raise


def with_pages(annotation: Annotation, *, rated: bool, protected: bool) -> Annotation:
    """The facts that select hands to filters: those of the picture, whether any page that shows it, or the
    response it came in, carries an adult rating, and whether words beside it there say no. Who has a picture
    and no pages says that neither is so."""
    return {**annotation, "rated": rated, "protected": protected}


def kind(annotation: Annotation, filters: Filters) -> Objection | None:
    """Scan furniture that the recipe drops, then a kind that it drops or does not keep. A kind below
    `min_confidence`, or that nobody could tell, is what `unknown` says; where a recipe names the kinds that
    it keeps and not what then, it is none of them."""
    asked = filters.kind
    unknown = asked.unknown or ("quarantine" if asked.keep else "keep")
    if asked.furniture:
        furniture = _if_known(annotation, "furniture", unknown)
        if furniture and any(furniture.values[name] >= asked.min_confidence for name in asked.furniture):
            return FilterReason.FURNITURE
    if not asked.keep and not asked.drop:
        return None
    found = _if_known(annotation, "kind", unknown)
    if found is None or found.level not in KINDS or found.score < asked.min_confidence:
        return QuarantineReason.KIND_UNKNOWN if unknown == "quarantine" else None
    wanted = not asked.keep or found.level in asked.keep
    return None if wanted and found.level not in asked.drop else FilterReason.KIND


def copies(annotation: Annotation, filters: Filters) -> Objection | None:
    """Whether an embedding can be compared at all, if `duplicates.min_cosine` asks: a picture without one is
    a copy of nothing, and so would come in beside whatever it copies."""
    if filters.duplicates.min_cosine is not None:
        finding(annotation, "embedding")
    return None


#: Named as the tables below `[filters]` in a recipe; `brands` is asked for by `watermark.brands`, `copies` by
#: `duplicates.min_cosine`, and `words_beside` by every recipe.
FILTERS: Mapping[str, Filter] = {
    "words_beside": words_beside,
    "resolution": resolution,
    "watermark": watermark,
    "brands": brands,
    "perturbation": perturbation,
    "ai_made": ai_made,
    "kind": kind,
    "aesthetic": aesthetic,
    "harmful": harmful,
    "privacy": privacy,
    "copies": copies,
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
    """Everything that filters hold against a picture, in their order; then what could not refuse it."""
    for name, apply in FILTERS.items():
        try:
            reason = apply(annotation, filters)
        except Unseen as unseen:
            yield Objected(name, QuarantineReason.NOT_LOOKED_AT, unseen.annotator)
        else:
            if reason is not None:
                yield Objected(name, reason)
    yield from not_asked(annotation)


def not_asked(annotation: Annotation) -> Iterator[Objected]:
    """What could not refuse a picture, because it did not look."""
    for annotator in ASKED:
        try:
            finding(annotation, annotator)
        except Unseen:
            yield Objected(ASKED_FOR_REFUSALS, QuarantineReason.NOT_LOOKED_AT, annotator)


def first_objection(
    annotation: Annotation, filters: Filters, lifted: Collection[str] = ()
) -> Objection | None:
    """The reason of the first filter that drops this picture, else of the first that sets it aside, or None:
    no person is asked about what is dropped anyway. `lifted` names objections that a person looked at; only a
    quarantine can be lifted."""
    return first_reason(objections(annotation, filters), lifted)


def first_reason(objected: Iterable[Objected], lifted: Collection[str] = ()) -> Objection | None:
    """The same, of everything that is held against a picture."""
    standing = [one.reason for one in objected if not (one.liftable and one.name in lifted)]
    drops = (reason for reason in standing if isinstance(reason, FilterReason))
    return next(drops, next(iter(standing), None))
