"""Reviews among decisions: an allow lifts exactly the quarantine that was shown, a drop drops, and neither
touches a refusal or a hold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import curation.filters
from curation.annotators.base import Finding, Status
from curation.filters import Objected, objections
from curation.findings import finding
from curation.outcomes import Facts, Ruling, rule, select_objection
from kyodaku.reasons import FilterReason, HoldReason, Outcome, QuarantineReason, RefuseReason, Verdict
from kyodaku.records import Candidate
from kyodaku.registry_client import EMPTY_SNAPSHOT
from kyodaku.reviews import Review, ReviewVerdict
from tests.curation.fixtures import NOAI, UNREADABLE
from tests.curation.test_outcomes import ONE, RULES, UNASKED, annotation, found


def review(uid: str, verdict: str, *lifts: str) -> Review:
    return Review("g", "ann", 1.0, uid, ReviewVerdict(verdict), lifts, "", "looked")


def seen(**levels: str) -> dict[str, Any]:
    """An annotation whose findings have these levels; `unknown` is a status."""
    findings = {
        name: Finding(name, "1", Status.UNKNOWN if level == "unknown" else Status.OK, level=level)
        for name, level in levels.items()
    }
    return annotation(findings=findings)


def odd(annotated: Any, filters: Any) -> Any:
    """A filter for these tests: `odd` quarantines, `bad` drops."""
    level = finding(annotated, "odd").level
    return {"odd": QuarantineReason.PERTURBATION_POSSIBLE, "bad": FilterReason.WATERMARK}.get(level)


def strange(annotated: Any, filters: Any) -> Any:
    return QuarantineReason.KIND_UNKNOWN if finding(annotated, "strange").level == "odd" else None


@pytest.fixture(autouse=True)
def two_filters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curation.filters, "FILTERS", {"odd": odd, "strange": strange})
    monkeypatch.setattr(curation.filters, "ASKED", ("notices",))


NAMES = ("odd:perturbation_possible", "strange:kind_unknown", "odd:not_looked_at:odd")


def ruled(
    candidates: list[Candidate],
    known: dict[str, Any],
    *reviews: Review,
    clusters: dict[str, str] | None = None,
) -> list[Ruling]:
    uids = {candidate.uid for candidate in candidates if candidate.uid}
    facts = Facts(candidates, known, clusters or {}, uids, {one.uid: one for one in reviews})
    return rule(facts, RULES, EMPTY_SNAPSHOT)


def one(annotated: dict[str, Any], *reviews: Review) -> tuple[str, str]:
    (ruling,) = ruled([ONE], {ONE.uid: annotated}, *reviews)
    return ruling.outcome.value, ruling.reason.value


def test_an_allow_lifts_the_quarantine_that_was_shown_and_no_other() -> None:
    both = seen(notices="", odd="odd", strange="odd")
    assert one(both) == ("quarantined", "perturbation_possible")
    assert one(both, review(ONE.uid, "allow", NAMES[0])) == ("quarantined", "kind_unknown")
    assert one(both, review(ONE.uid, "allow", NAMES[1])) == ("quarantined", "perturbation_possible")
    assert one(both, review(ONE.uid, "allow", *NAMES)) == ("released", "public_domain")
    assert one(both, review(ONE.uid, "unsure", *NAMES)) == ("quarantined", "perturbation_possible")


def test_an_allow_lifts_no_filter() -> None:
    dropped = seen(notices="", odd="bad", strange="")
    assert one(dropped, review(ONE.uid, "allow", "odd:watermark", *NAMES)) == ("filtered", "watermark")


def test_what_one_annotator_could_not_tell_may_be_lifted_but_not_what_could_refuse() -> None:
    untold = seen(notices="", odd="unknown", strange="")
    assert one(untold) == ("quarantined", "not_looked_at")
    assert one(untold, review(ONE.uid, "allow", NAMES[2])) == ("released", "public_domain")
    assert one(untold, review(ONE.uid, "allow", "odd:not_looked_at:other")) == (
        "quarantined",
        "not_looked_at",
    )
    unread = seen(notices="unknown", odd="", strange="")
    (objected,) = objections(unread, RULES.filters)
    assert not objected.liftable
    assert one(unread, review(ONE.uid, "allow", objected.name)) == ("quarantined", "not_looked_at")


def test_a_drop_drops_every_file_with_the_same_pixels() -> None:
    other = found("other", fetched_at=200.0)
    known = {c.uid: seen(notices="", odd="", strange="") for c in (ONE, other)}
    clusters = {ONE.uid: "same", other.uid: "same"}
    rulings = ruled([ONE, other], known, review(ONE.uid, "drop"), clusters=clusters)
    assert {(r.outcome, r.reason) for r in rulings} == {(Outcome.FILTERED, FilterReason.REVIEWED)}
    assert not any(r.purged for r in rulings)


def test_a_decoy_can_be_looked_at() -> None:
    spread = [found(f"d{i}", "same", image_url=f"https://one.example/{i}.jpg") for i in range(4)]
    known = {c.uid: seen(notices="", odd="", strange="") for c in spread}
    assert {r.reason for r in ruled(spread, known)} == {QuarantineReason.DECOY_HOST}
    lifted = ruled(
        spread, known, review(spread[0].uid, "allow", select_objection(QuarantineReason.DECOY_HOST).name)
    )
    assert sorted(r.outcome for r in lifted) == ["duplicate", "duplicate", "duplicate", "released"]


def test_names_of_objections_are_told_apart() -> None:
    names = {Objected("a", QuarantineReason.REPOST).name, Objected("a", QuarantineReason.REPOST, "b").name}
    assert len(names) == 2


KINDS = [
    ONE,
    replace(ONE, signals=(NOAI,)),
    replace(ONE, signals=(UNREADABLE,)),
    replace(ONE, evidence=()),
    replace(UNASKED, not_requested="budget_images"),
    replace(UNASKED, failure="not_found", gate="g4", gate_verdict="fail", gate_reason="not_found"),
    UNASKED,
]
LEVELS = st.sampled_from(("", "odd", "bad", "unknown"))
ALLOWED = (Outcome.RELEASED, Outcome.FILTERED, Outcome.QUARANTINED, Outcome.DUPLICATE)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Candidate], dict[str, Any], dict[str, str], list[Review]]:
    """Candidates of every kind of fate, some of them sharing bytes or pixels, and reviews of every kind."""
    made: list[Candidate] = []
    for number in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(KINDS))
        base = found(f"n{number}", draw(st.sampled_from(("", "shared"))))
        own = replace(
            base,
            **{name: getattr(kind, name) for name in ("signals", "evidence", "failure", "not_requested")},
        )
        if not kind.uid:
            own = replace(own, gate=kind.gate, gate_verdict=kind.gate_verdict, gate_reason=kind.gate_reason)
            own = replace(own, sha256="", uid="", raw_key="")
        made.append(own)
    uids = sorted({c.uid for c in made if c.uid})
    known = {uid: seen(notices=draw(LEVELS), odd=draw(LEVELS), strange=draw(LEVELS)) for uid in uids}
    clusters = {uid: "same" for uid in uids if draw(st.booleans())}
    lifts = st.lists(st.sampled_from((*NAMES, "select:decoy_host", "odd:watermark")), unique=True)
    reviews = [
        review(uid, draw(st.sampled_from(list(ReviewVerdict))), *draw(lifts))
        for uid in uids
        if draw(st.booleans())
    ]
    return made, known, clusters, reviews


@settings(max_examples=200, deadline=None)
@given(worlds())
def test_no_review_overrules_a_refusal_a_hold_or_a_failure(
    world: tuple[list[Candidate], dict[str, Any], dict[str, str], list[Review]],
) -> None:
    candidates, known, clusters, reviews = world
    before = ruled(candidates, known, clusters=clusters)
    after = ruled(candidates, known, *reviews, clusters=clusters)
    by_uid = {one.uid: one for one in reviews}
    for candidate, was, now in zip(candidates, before, after, strict=True):
        assert (was.decision, was.purged) == (now.decision, now.purged)
        if was.outcome not in ALLOWED:
            assert now == was
            continue
        assert now.outcome in ALLOWED
        assert now.decision.verdict is Verdict.ALLOW
        said = by_uid.get(candidate.uid)
        if now.outcome in ALLOWED[::3] and was.outcome in ALLOWED[1:3]:
            assert was.outcome is Outcome.QUARANTINED
            assert said is not None
            assert said.verdict is ReviewVerdict.ALLOW
        if was.outcome is Outcome.FILTERED:
            assert now.outcome is Outcome.FILTERED
        if said is not None and said.verdict is ReviewVerdict.DROP:
            assert (now.outcome, now.reason) == (Outcome.FILTERED, FilterReason.REVIEWED)


def test_the_worlds_hold_every_fate() -> None:
    """So that the proof above cannot become empty."""
    reasons = {
        r.reason for kind in KINDS for r in ruled([kind], {ONE.uid: seen(notices="", odd="", strange="")})
    }
    assert {RefuseReason.META_ROBOTS, HoldReason.SIGNAL_UNREADABLE} < reasons
    assert len(reasons) == len(KINDS)
