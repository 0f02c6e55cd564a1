"""Where every candidate ends: verdicts over all facts, and the outcome that follows. Pure.

The order, first match wins: an objection, own or of a copy, `refused`; a hold, `held`; a fetch that broke,
`failed`; never asked, `not_requested`; nothing that entitles us, `refused`; gates not all asked, `held`.
What is left is allowed: then `failed` (no bytes that decode), `filtered` by a reviewer, `quarantined`,
`filtered`, `quarantined` as a copy of what was filtered or as a repost, `duplicate`, and the best of each
cluster, `released`. Reviews are asked here, among the allowed, and nowhere before: no person overrules a
refusal or a hold.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from curation.clusters import components
from curation.filters import Objected, first_objection
from curation.findings import enlarged_by
from curation.likeness import Likeness
from curation.objections import objection
from curation.reposts import on_listed_hosts, reposts
from curation.spread import PictureFacts, Said, Shunned, lifted_by, objects
from kyodaku.decision import Decision, Policy, addresses, decide_all
from kyodaku.errors import RecordError
from kyodaku.reasons import (
    AllowReason,
    DuplicateReason,
    FailReason,
    FilterReason,
    HoldReason,
    NotRequestedReason,
    Outcome,
    QuarantineReason,
    ReasonEnum,
    RefuseReason,
    Verdict,
)
from kyodaku.recipe import Filters, Recipe
from kyodaku.recipe.filters import Duplicates
from kyodaku.records import Candidate
from kyodaku.registry_client import RegistrySnapshot
from kyodaku.reviews import Review


@dataclass(frozen=True)
class SelectRules:
    """What of a recipe select needs. `same_image`: addresses with the same bytes that make a host a decoy."""

    policy: Policy
    filters: Filters
    same_image: int

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> SelectRules:
        return cls(Policy.from_recipe(recipe), recipe.filters, recipe.budgets.per_host.same_image)


@dataclass(frozen=True)
class Facts:
    """Everything select looks at, in memory.

    `annotations` by uid; `clusters` maps a uid to its cluster of equal pixels, for those that have one, and
    `likeness` holds what else is like what;
    `available` holds the uids whose bytes are stored and not purged. `reviews` by uid: drops, and those
    allows whose reviewer was shown the facts as they are now (`curation.shown`).
    """

    candidates: Sequence[Candidate]
    annotations: Mapping[str, Mapping[str, Any]]
    clusters: Mapping[str, str]
    available: Collection[str]
    reviews: Mapping[str, Review] = field(default_factory=dict)
    likeness: Likeness = field(default_factory=Likeness)


@dataclass(frozen=True)
class Ruling:
    """One candidate's decision and outcome. `purged`: bytes that stood in raw must go."""

    decision: Decision
    outcome: Outcome
    reason: ReasonEnum
    because_of: str
    purged: bool = False


def rule(facts: Facts, rules: SelectRules, snapshot: RegistrySnapshot) -> list[Ruling]:
    """The ruling on each candidate, in the order given."""
    return settle(facts, rules, verdicts(facts, rules, snapshot))


def verdicts(facts: Facts, rules: SelectRules, snapshot: RegistrySnapshot) -> list[Decision]:
    """The decision on each candidate, in the order given. No review is asked."""
    decisions = decide_all(facts.candidates, rules.policy, snapshot)
    decisions = [
        _after_a_look(candidate, decision, facts)
        for candidate, decision in zip(facts.candidates, decisions, strict=True)
    ]
    return _spread_over_pixels(facts, decisions)


def pictures_of(facts: Facts, decisions: Sequence[Decision], filters: Filters) -> PictureFacts:
    """The pictures of `facts`, as filters judge them and as they stand against their copies."""
    pairs = _said_of(facts, decisions)
    return PictureFacts.of(pairs, facts.annotations, facts.clusters, facts.reviews, filters)


def _said_of(facts: Facts, decisions: Sequence[Decision]) -> list[tuple[Candidate, Said]]:
    said = [(one.verdict.value, one.reason.value) for one in decisions]
    return list(zip(facts.candidates, said, strict=True))


def settle(facts: Facts, rules: SelectRules, decisions: Sequence[Decision]) -> list[Ruling]:
    """The ruling that follows from each decision."""
    rulings = [
        _before_selection(candidate, decision)
        for candidate, decision in zip(facts.candidates, decisions, strict=True)
    ]
    _select(facts, rules, rulings)
    purged = _uids_to_purge(facts.candidates, rulings)
    return [
        replace(ruling, purged=candidate.uid in purged)
        for candidate, ruling in zip(facts.candidates, rulings, strict=True)
    ]


# --- verdicts -------------------------------------------------------------------------------------------


def _after_a_look(candidate: Candidate, decision: Decision, facts: Facts) -> Decision:
    """What is in the picture may refuse it, never allow it; an objection that stands already stays."""
    if _objects(decision, Verdict.REFUSE):
        return decision
    listed = facts.likeness.opted_out.get(candidate.uid)
    if listed is not None:
        return Decision(Verdict.REFUSE, RefuseReason.REGISTRY_NEAR, because_of=listed)
    annotation = facts.annotations.get(candidate.uid)
    if annotation is None:
        return decision
    reason = objection(candidate, annotation)
    return decision if reason is None else Decision(Verdict.REFUSE, reason)


def _spread_over_pixels(facts: Facts, decisions: Sequence[Decision]) -> list[Decision]:
    """A recompressed container does not change whose picture it is: an objection to one copy of the same
    pixels holds for all, and for the other addresses of those. A missing ground never spreads."""
    spread = list(decisions)
    for group in components([_keys(candidate, facts) for candidate in facts.candidates]):
        refused = [i for i in group if _objects(spread[i], Verdict.REFUSE)]
        held = [i for i in group if _objects(spread[i], Verdict.HOLD)]
        if not (refused or held):
            continue
        source = min(refused or held, key=lambda i: (spread[i].because_of, facts.candidates[i].candidate_id))
        cause = facts.candidates[source].candidate_id
        for index in group:
            if refused and (spread[index].verdict is Verdict.ALLOW or index in held):
                spread[index] = Decision(Verdict.REFUSE, RefuseReason.SAME_BYTES_REFUSED, because_of=cause)
            elif spread[index].verdict is Verdict.ALLOW:
                spread[index] = Decision(Verdict.HOLD, HoldReason.SAME_BYTES_HELD, because_of=cause)
    return spread


def _keys(candidate: Candidate, facts: Facts) -> list[Hashable]:
    pairs = (
        *(("url", url) for url in addresses(candidate)),
        ("bytes", candidate.sha256),
        ("pixels", facts.clusters.get(candidate.uid, "")),
    )
    return [pair for pair in pairs if pair[1]]


def _objects(decision: Decision, verdict: Verdict) -> bool:
    return objects((decision.verdict, decision.reason), verdict)


def _before_selection(candidate: Candidate, decision: Decision) -> Ruling:
    """The outcome as far as the verdict and the fetch say it; an allowed candidate is `released` for now."""
    because = decision.because_of
    if _objects(decision, Verdict.REFUSE):
        return Ruling(decision, Outcome.REFUSED, decision.reason, because)
    if _objects(decision, Verdict.HOLD):
        return Ruling(decision, Outcome.HELD, decision.reason, because)
    if candidate.failure:
        return Ruling(decision, Outcome.FAILED, _known(FailReason, candidate.failure), because)
    if candidate.not_requested:
        reason = _known(NotRequestedReason, candidate.not_requested)
        return Ruling(decision, Outcome.NOT_REQUESTED, reason, because)
    if decision.verdict is Verdict.REFUSE:
        return Ruling(decision, Outcome.REFUSED, decision.reason, because)
    if decision.verdict is Verdict.ALLOW:
        return Ruling(decision, Outcome.RELEASED, decision.reason, because)
    return Ruling(decision, Outcome.HELD, decision.reason, because)


def _known(enum: type[ReasonEnum], value: str) -> ReasonEnum:
    found = enum.parse(value)
    if found is None:
        raise RecordError(f"candidates/: {value!r} is no {enum.__name__} of this version")
    return found


def _uids_to_purge(candidates: Sequence[Candidate], rulings: Sequence[Ruling]) -> set[str]:
    """Stored bytes that an objection refuses, or that no candidate is allowed to take. A hold that outlived
    the crawl is final: its bytes go too."""
    stored = {c.uid for c in candidates if c.uid and c.raw_key}
    refused, wanted = set(), set()
    for candidate, ruling in zip(candidates, rulings, strict=True):
        if _objects(ruling.decision, Verdict.REFUSE):
            refused.add(candidate.uid)
        elif ruling.decision.verdict is Verdict.ALLOW:
            wanted.add(candidate.uid)
    return stored & refused | stored - wanted


# --- selection among the allowed ------------------------------------------------------------------------

#: How strong a permission is; among equal pictures the strongest is kept.
STRENGTH: Mapping[ReasonEnum, int] = {
    AllowReason.PUBLIC_DOMAIN: 3,
    AllowReason.LICENCE: 2,
    AllowReason.GRANT: 1,
    AllowReason.NOT_OPTED_OUT: 0,
}


def _select(facts: Facts, rules: SelectRules, rulings: list[Ruling]) -> None:
    """Settle every ruling that is still `released`: unusable bytes, what is set aside, filters, reposts,
    duplicates."""
    decoys = _decoys(facts.candidates, rulings, rules.same_image)
    decisions = [ruling.decision for ruling in rulings]
    pairs = _said_of(facts, decisions)
    pictures = pictures_of(facts, decisions, rules.filters)
    shunned = Shunned.of(pairs, facts.likeness, pictures)
    listed = on_listed_hosts(facts.candidates, decisions, rules.filters.reposts.hosts)
    standing = []
    for index, (candidate, ruling) in enumerate(zip(facts.candidates, rulings, strict=True)):
        if ruling.outcome is not Outcome.RELEASED:
            continue
        unfit = _unusable(candidate.uid, facts, pictures)
        unfit = unfit or _set_aside(
            candidate, facts, rules.filters, decoys, listed.get(index), shunned, pictures
        )
        if unfit is None:
            standing.append(index)
        else:
            rulings[index] = _settled(ruling, *unfit)
    if rules.filters.reposts.quarantine:
        standing = _without_reposts(facts, rulings, standing, listed)
    _keep_the_best(facts, rules.filters.duplicates, rulings, standing)


def _settled(ruling: Ruling, outcome: Outcome, reason: ReasonEnum, because_of: str) -> Ruling:
    return replace(ruling, outcome=outcome, reason=reason, because_of=because_of or ruling.because_of)


#: An outcome, its reason, and the candidate_id of the one that decided it ("": none but this one).
_Unfit = tuple[Outcome, ReasonEnum, str]


def _unusable(uid: str, facts: Facts, pictures: PictureFacts) -> _Unfit | None:
    annotation = facts.annotations.get(uid)
    if annotation is not None and annotation["status"] == "failed":
        return Outcome.FAILED, _known(FailReason, annotation["failure"]), ""
    if annotation is None or annotation["status"] != "ok" or uid not in facts.available:
        return Outcome.FAILED, FailReason.BYTES_GONE, ""
    if pictures.cluster(uid) in pictures.dropped:
        return Outcome.FILTERED, FilterReason.REVIEWED, ""
    return None


def _set_aside(
    candidate: Candidate,
    facts: Facts,
    filters: Filters,
    decoys: Collection[str],
    listed: str | None,
    shunned: Mapping[QuarantineReason, Shunned],
    pictures: PictureFacts,
) -> _Unfit | None:
    """What quarantines or filters one usable picture; a quarantine only unless a reviewer lifted it.
    `listed`: who lends its licence from a host of reposts, "" for a picture that is there itself."""
    uid = candidate.uid
    lifted = pictures.lifts(uid)

    def near(reason: QuarantineReason) -> tuple[QuarantineReason, bool, str]:
        others = shunned[reason]
        like = facts.likeness.like_any(uid, others.by_uid, others.crowds)
        return reason, like is not None, others.by_uid.get(like or "", "")

    for reason, applies, cause in (
        near(QuarantineReason.NEAR_REFUSED),
        near(QuarantineReason.NEAR_HELD),
        (QuarantineReason.REPOST_HOST, listed is not None, listed or ""),
        (QuarantineReason.DECOY_HOST, uid in decoys, ""),
    ):
        if applies and select_objection(reason).name not in lifted:
            return Outcome.QUARANTINED, reason, cause
    found = first_objection(pictures.judged(uid), filters, lifted)
    if found is not None:
        outcome = Outcome.QUARANTINED if isinstance(found, QuarantineReason) else Outcome.FILTERED
        return outcome, found, _said_by(candidate, found, shunned, pictures)
    reason, applies, cause = near(QuarantineReason.NEAR_FILTERED)
    if applies and select_objection(reason).name not in lifted:
        return Outcome.QUARANTINED, reason, cause
    return None


def _said_by(
    candidate: Candidate,
    reason: ReasonEnum,
    shunned: Mapping[QuarantineReason, Shunned],
    pictures: PictureFacts,
) -> str:
    """The candidate that shows what this one lacks: a generator's mark, the words beside the picture."""
    if reason is FilterReason.AI_MADE:
        return shunned[QuarantineReason.NEAR_FILTERED].by_uid.get(pictures.marked_by(candidate.uid), "")
    if reason is QuarantineReason.WORDS_BESIDE:
        by = pictures.protected[pictures.cluster(candidate.uid)]
        return "" if by == candidate.candidate_id else by
    return ""


def _without_reposts(
    facts: Facts, rulings: list[Ruling], standing: Sequence[int], listed: Collection[int]
) -> list[int]:
    """Settle reposts; what is left of `standing`."""
    decisions = [ruling.decision for ruling in rulings]
    found = reposts(facts.candidates, decisions, standing, listed, facts.likeness)
    name = select_objection(QuarantineReason.REPOST).name
    left = []
    for index in standing:
        if index in found and name not in lifted_by(facts.reviews.get(facts.candidates[index].uid)):
            cause = found[index]
            rulings[index] = _settled(rulings[index], Outcome.QUARANTINED, QuarantineReason.REPOST, cause)
        else:
            left.append(index)
    return left


def _keep_the_best(facts: Facts, section: Duplicates, rulings: list[Ruling], standing: Sequence[int]) -> None:
    """Best first: each is kept unless an earlier release holds it or a copy of it, or equal bytes, equal
    pixels or a near copy are kept. So whatever is dropped is like the one that is kept, not only like another
    one that was dropped."""
    kept: dict[str, str] = {}
    kept_clusters: dict[str, str] = {}
    for index in sorted(standing, key=lambda i: _rank(facts.candidates[i], rulings[i], facts)):
        candidate = facts.candidates[index]
        cluster = facts.clusters.get(candidate.uid, candidate.uid)
        earlier = facts.likeness.earlier.get(candidate.uid)
        twin: tuple[DuplicateReason, str] | None = None
        if earlier is not None and earlier[1] <= section.distance:
            twin = DuplicateReason.EARLIER_RELEASE, earlier[0]
        elif candidate.uid in kept:
            twin = DuplicateReason.SAME_BYTES, kept[candidate.uid]
        elif cluster in kept_clusters:
            twin = DuplicateReason.SAME_PIXELS, kept_clusters[cluster]
        elif near := [kept[other] for other in _copies(candidate.uid, facts, section) if other in kept]:
            twin = DuplicateReason.NEAR, min(near)
        if twin is None:
            kept[candidate.uid] = kept_clusters[cluster] = candidate.candidate_id
        else:
            rulings[index] = _settled(rulings[index], Outcome.DUPLICATE, *twin)


def _copies(uid: str, facts: Facts, section: Duplicates) -> Iterator[str]:
    unlike = -1.0 if section.min_cosine is None else 1 - section.min_cosine
    return facts.likeness.copies(uid, section.distance, unlike)


def select_objection(reason: QuarantineReason) -> Objected:
    """A quarantine that rests on more than one picture and is found here, not by a filter."""
    return Objected("select", reason)


def _decoys(candidates: Sequence[Candidate], rulings: Sequence[Ruling], limit: int) -> set[str]:
    """Uids that one host serves under `limit` addresses or more."""
    addresses: dict[tuple[str, str], set[str]] = defaultdict(set)
    for candidate, ruling in zip(candidates, rulings, strict=True):
        if ruling.outcome is Outcome.RELEASED:
            host = urlsplit(candidate.image_url).hostname or ""
            addresses[host, candidate.uid].add(candidate.image_url)
    return {uid for (_, uid), urls in addresses.items() if len(urls) >= limit}


def _rank(candidate: Candidate, ruling: Ruling, facts: Facts) -> tuple[Any, ...]:
    """Smallest is best: the strongest permission (own before borrowed), then most pixels (of an enlarged
    picture those before it was), the least enlarged, most bytes, earliest fetched, and the candidate_id so
    that there is always one answer."""
    annotation = facts.annotations[candidate.uid]
    factor = enlarged_by(annotation)
    return (
        -STRENGTH[ruling.decision.reason],
        ruling.decision.because_of != "",
        -round(annotation["width"] * annotation["height"] / factor**2),
        factor,
        -candidate.bytes,
        candidate.fetched_at,
        candidate.candidate_id,
    )
