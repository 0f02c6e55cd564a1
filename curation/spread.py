"""What holds against a picture and therefore against its copies: who says no to it, what nobody could find
out about it, and what is wrong with the work itself. Pure.

What is wrong with one file (its size, its format, a part of it) says nothing about a better one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from curation.annotators.base import Finding, Status
from curation.cloak_words import beside
from curation.filters import objections, with_pages
from curation.findings import Annotation
from curation.likeness import Likeness
from kyodaku.decision import LACKING, MILD_HOLDS, ON_LICENCES, addresses
from kyodaku.reasons import FilterReason, Outcome, QuarantineReason, ReasonEnum, Verdict
from kyodaku.recipe import Filters
from kyodaku.records import Candidate
from kyodaku.reviews import Review, ReviewVerdict
from kyodaku.signals.protocols.content_rating import says_adult

#: Reasons of filters that are about the work, whichever file of it shows them.
ABOUT_THE_WORK: Collection[ReasonEnum] = frozenset(
    {
        FilterReason.WATERMARK,
        FilterReason.BRAND_TEXT,
        FilterReason.PERTURBATION,
        FilterReason.AI_MADE,
        FilterReason.HARMFUL,
        FilterReason.FACES,
        FilterReason.REVIEWED,
        QuarantineReason.WORDS_BESIDE,
        QuarantineReason.PERTURBATION_LIKELY,
        QuarantineReason.PERTURBATION_POSSIBLE,
    }
)

#: The quarantine of a copy, by the outcome of what stands against the other one.
QUARANTINE_OF_COPIES: Mapping[str, QuarantineReason] = {
    Outcome.REFUSED: QuarantineReason.NEAR_REFUSED,
    Outcome.HELD: QuarantineReason.NEAR_HELD,
    Outcome.FILTERED: QuarantineReason.NEAR_FILTERED,
    Outcome.QUARANTINED: QuarantineReason.NEAR_FILTERED,
}

#: A verdict and its reason, as decisions have them in memory and on the disk.
Said = tuple[str, str]


def objects(said: Said, verdict: Verdict) -> bool:
    """True if somebody objects or a channel is unknown; not where merely a ground is missing, a gate unasked,
    or one page of several moved on."""
    milder: Collection[str] = LACKING if verdict is Verdict.REFUSE else MILD_HOLDS
    return said[0] == verdict and said[1] not in milder


def refuses_copies(said: Said) -> bool:
    """True for an objection. A licence that is not ours to use is another publisher's claim: what that means
    for near copies `reposts` says."""
    return objects(said, Verdict.REFUSE) and said[1] not in ON_LICENCES


@dataclass(frozen=True)
class PictureFacts:
    """Pictures as filters judge them: with what is known of every file that has the same pixels.

    `clusters` maps a uid to its cluster of equal pixels, for those that have one; `rated`, `protected`,
    `dropped` and `generated` speak about such a cluster (or a uid without one): a page calls it adult, the
    candidate_id with words beside it that say no, a reviewer dropped a file of it, and the file whose
    metadata or pixels have a generator's mark.
    """

    annotations: Mapping[str, Annotation]
    clusters: Mapping[str, str]
    filters: Filters
    said: Mapping[str, Collection[Said]]
    reviews: Mapping[str, Review]
    rated: Collection[str]
    protected: Mapping[str, str]
    dropped: Collection[str]
    generated: Mapping[str, str]
    _against: dict[str, list[str]] = field(default_factory=dict, compare=False)

    @classmethod
    def of(
        cls,
        candidates: Iterable[tuple[Candidate, Said]],
        annotations: Mapping[str, Annotation],
        clusters: Mapping[str, str],
        reviews: Mapping[str, Review],
        filters: Filters,
    ) -> PictureFacts:
        """From each candidate with the decision on it. Whoever leaves pictures out leaves out whole
        clusters, and the candidates without a picture that share an address with one."""
        candidates = list(candidates)
        adult, protecting = _speaking(candidate for candidate, _ in candidates)
        said: dict[str, set[Said]] = defaultdict(set)
        rated: set[str] = set()
        protected: dict[str, str] = {}
        for candidate, word in candidates:
            if not candidate.uid:
                continue
            said[candidate.uid].add(word)
            cluster = clusters.get(candidate.uid, candidate.uid)
            for url in addresses(candidate):
                rated |= {cluster} if url in adult else set()
                if url in protecting:
                    protected[cluster] = min(protecting[url], protected.get(cluster, protecting[url]))
        dropped = {
            clusters.get(uid, uid) for uid, review in reviews.items() if review.verdict is ReviewVerdict.DROP
        }
        generated: dict[str, str] = {}
        for uid in sorted(annotations):
            if is_marked(annotations[uid]):
                generated.setdefault(clusters.get(uid, uid), uid)
        return cls(annotations, clusters, filters, said, reviews, rated, protected, dropped, generated)

    def cluster(self, uid: str) -> str:
        """Of equal pixels; the uid itself without one."""
        return self.clusters.get(uid, uid)

    def lifts(self, uid: str) -> Collection[str]:
        """Names of the objections that a reviewer lifted."""
        return lifted_by(self.reviews.get(uid))

    def judged(self, uid: str) -> Annotation:
        """The facts that filters are asked about. Raises KeyError for what was never annotated."""
        return self.with_equals(uid, self.annotations[uid])

    def with_equals(self, uid: str, annotation: Annotation) -> Annotation:
        """The same of an `annotation` that need not be among these; only of marked files they must be."""
        cluster = self.cluster(uid)
        rated, protected = cluster in self.rated, cluster in self.protected
        own = with_pages(annotation, rated=rated, protected=protected)
        by = self.generated.get(cluster, "")
        if not by or is_marked(annotation):
            return own
        return {**own, "findings": {**own["findings"], "ai_made": _mark(self.annotations[by])}}

    def marked_by(self, uid: str) -> str:
        """The other file of the same pixels that has the generator's mark which this one lacks, or ""."""
        return "" if is_marked(self.annotations[uid]) else self.generated.get(self.cluster(uid), "")

    def wrong(self, uid: str, lifted: Collection[str] = ()) -> list[ReasonEnum]:
        """What is wrong with the work, but for what a reviewer lifted."""
        found: list[ReasonEnum] = [FilterReason.REVIEWED] if self.cluster(uid) in self.dropped else []
        if uid in self.annotations:
            found += [
                one.reason
                for one in objections(self.judged(uid), self.filters)
                if one.reason in ABOUT_THE_WORK and not (one.liftable and one.name in lifted)
            ]
        return found

    def against(self, uid: str) -> list[str]:
        """Everything that its copies have to answer for, whatever reviewers lifted: `outcome:reason`."""
        if uid not in self._against:
            self._against[uid] = sorted(self._told_against(uid))
        return self._against[uid]

    def _told_against(self, uid: str) -> set[str]:
        words = self.said.get(uid, ())
        found = {f"{Outcome.REFUSED}:{word[1]}" for word in words if refuses_copies(word)}
        found |= {f"{Outcome.HELD}:{word[1]}" for word in words if objects(word, Verdict.HOLD)}
        for reason in self.wrong(uid):
            outcome = Outcome.QUARANTINED if isinstance(reason, QuarantineReason) else Outcome.FILTERED
            found.add(f"{outcome}:{reason}")
        return found


@dataclass(frozen=True)
class Shunned:
    """Pictures whose copies are set aside: uid -> candidate_id, and the crowds of near copies they are in."""

    by_uid: Mapping[str, str]
    crowds: Collection[str]

    @classmethod
    def of(
        cls, candidates: Iterable[tuple[Candidate, Said]], likeness: Likeness, pictures: PictureFacts
    ) -> dict[QuarantineReason, Shunned]:
        """By what their copies are set aside for."""
        asked = {*likeness.linked(), *pictures.generated.values()}
        wrong = {uid for uid in asked if pictures.wrong(uid, pictures.lifts(uid))}
        found: dict[QuarantineReason, dict[str, str]] = {
            reason: {} for reason in QUARANTINE_OF_COPIES.values()
        }
        for candidate, said in candidates:
            uid, name = candidate.uid, candidate.candidate_id
            for reason, applies in (
                (QuarantineReason.NEAR_REFUSED, refuses_copies(said)),
                (QuarantineReason.NEAR_HELD, objects(said, Verdict.HOLD)),
                (QuarantineReason.NEAR_FILTERED, uid in wrong),
            ):
                if uid and applies:
                    found[reason][uid] = min(found[reason].get(uid, name), name)
        crowds = likeness.crowds
        return {
            reason: cls(by_uid, {crowds[uid] for uid in by_uid if uid in crowds})
            for reason, by_uid in found.items()
        }


def lifted_by(review: Review | None) -> Collection[str]:
    """Names of the objections that a review lifts, if it is an allow."""
    return review.lifts if review is not None and review.verdict is ReviewVerdict.ALLOW else ()


def quarantines(against: Iterable[str]) -> Sequence[QuarantineReason]:
    """Why a copy is set aside of pictures that have this against them, in the order of select."""
    asked = {QUARANTINE_OF_COPIES[one.partition(":")[0]] for one in against}
    return [reason for reason in dict.fromkeys(QUARANTINE_OF_COPIES.values()) if reason in asked]


def _speaking(candidates: Iterable[Candidate]) -> tuple[set[str], dict[str, str]]:
    """Addresses of pictures that pages call adult, and those beside which words say no, each with the first
    candidate_id that has them."""
    adult: set[str] = set()
    protecting: dict[str, str] = {}
    for candidate in candidates:
        if any(says_adult(signal) for signal in candidate.signals):
            adult.update(addresses(candidate))
        if beside(candidate) is not None:
            name = candidate.candidate_id
            protecting |= {url: min(name, protecting.get(url, name)) for url in addresses(candidate)}
    return adult, protecting


def is_marked(annotation: Annotation) -> bool:
    """True if this file shows that a generator made it."""
    mark = _mark(annotation)
    return mark is not None and bool(mark.level)


def _mark(annotation: Annotation) -> Finding | None:
    found: Finding | None = annotation["findings"].get("ai_made")
    return found if found is not None and found.status is Status.OK else None
