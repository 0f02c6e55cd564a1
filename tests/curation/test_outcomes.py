"""The outcome of every candidate, case by case: one row each, no files."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.annotators.base import Finding, Status
from curation.clusters import components
from curation.outcomes import Facts, Ruling, SelectRules, rule
from kyodaku.errors import RecordError
from kyodaku.fingerprint import sha256_bytes, uid_of
from kyodaku.reasons import (
    REASONS_OF_OUTCOME,
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
from kyodaku.records import Candidate
from kyodaku.registry_client import EMPTY_SNAPSHOT
from kyodaku.signals.model import Effect
from tests.curation.fixtures import NOAI, PUBLIC_DOMAIN, UNREADABLE, recipe
from tests.curation.looking import NOTHING_FOUND

RULES = SelectRules.from_recipe(recipe(budgets={"per_host": {"same_image": 3}}))


def found(name: str, body: str = "", **changes: Any) -> Candidate:
    """A fetched, allowed candidate with bytes `body` (default: its own)."""
    sha256 = sha256_bytes((body or name).encode())
    base = Candidate(
        candidate_id=f"id-{name}",
        image_url=f"https://{name}.example/a.jpg",
        page_url=f"https://{name}.example/",
        host=f"{name}.example",
        gate="g5",
        gate_verdict="proceed",
        gate_reason="",
        final_url=f"https://{name}.example/a.jpg",
        status=200,
        fetched_at=100.0,
        bytes=1000,
        sha256=sha256,
        uid=uid_of(sha256),
        raw_shard="00000",
        raw_key=f"key-{body or name}",
        evidence=(PUBLIC_DOMAIN,),
    )
    return replace(base, **changes)


def annotation(**changes: Any) -> dict[str, Any]:
    return {"status": "ok", "failure": "", "width": 800, "height": 600, "findings": NOTHING_FOUND, **changes}


def rulings(
    *candidates: Candidate,
    clusters: dict[str, str] | None = None,
    annotations: dict[str, dict[str, Any]] | None = None,
    gone: tuple[str, ...] = (),
) -> list[Ruling]:
    known = {c.uid: annotation() for c in candidates if c.uid} | (annotations or {})
    available = {c.uid for c in candidates if c.uid} - set(gone)
    return rule(Facts(candidates, known, clusters or {}, available), RULES, EMPTY_SNAPSHOT)


ONE = found("one")
UNASKED = replace(
    ONE,
    gate="g0",
    gate_verdict="hold",
    gate_reason="not_finished",
    sha256="",
    uid="",
    raw_key="",
    evidence=(),
)

CASES: list[tuple[str, Candidate, Outcome, ReasonEnum]] = [
    ("allowed", ONE, Outcome.RELEASED, AllowReason.PUBLIC_DOMAIN),
    ("a late no", replace(ONE, signals=(NOAI,)), Outcome.REFUSED, RefuseReason.META_ROBOTS),
    ("unknown state", replace(ONE, signals=(UNREADABLE,)), Outcome.HELD, HoldReason.SIGNAL_UNREADABLE),
    ("no ground", replace(ONE, evidence=()), Outcome.REFUSED, RefuseReason.NO_LICENCE_EVIDENCE),
    ("never asked", replace(UNASKED, not_requested="budget_images"), Outcome.NOT_REQUESTED,
     NotRequestedReason.BUDGET_IMAGES),
    ("never asked, objected", replace(UNASKED, not_requested="nofollow", signals=(NOAI,)), Outcome.REFUSED,
     RefuseReason.META_ROBOTS),
    ("not found", replace(UNASKED, gate="g4", gate_verdict="fail", gate_reason="not_found",
                          failure="not_found"), Outcome.FAILED, FailReason.NOT_FOUND),
    ("not found, with a ground", replace(UNASKED, failure="too_slow", evidence=(PUBLIC_DOMAIN,)),
     Outcome.FAILED, FailReason.TOO_SLOW),
    ("crawl ended", replace(UNASKED, evidence=(PUBLIC_DOMAIN,)), Outcome.HELD, HoldReason.NOT_FINISHED),
    ("host held", replace(UNASKED, gate="g3", gate_reason="robots_unreachable", evidence=(PUBLIC_DOMAIN,)),
     Outcome.HELD, HoldReason.ROBOTS_UNREACHABLE),
]  # fmt: skip


@pytest.mark.parametrize(
    ("candidate", "outcome", "reason"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_each_outcome(candidate: Candidate, outcome: Outcome, reason: ReasonEnum) -> None:
    (ruling,) = rulings(candidate)
    assert (ruling.outcome, ruling.reason) == (outcome, reason)


def test_filters_look_at_upright_pixels() -> None:
    for changes, reason in (
        ({"width": 63, "height": 600}, FilterReason.LOW_RESOLUTION),
        ({"width": 900, "height": 200}, FilterReason.EXTREME_ASPECT),
    ):
        (ruling,) = rulings(ONE, annotations={ONE.uid: annotation(**changes)})
        assert (ruling.outcome, ruling.reason) == (Outcome.FILTERED, reason)


def test_filters_are_not_asked_about_what_is_not_allowed() -> None:
    (ruling,) = rulings(replace(ONE, signals=(NOAI,)), annotations={ONE.uid: annotation(width=10, height=10)})
    assert ruling.outcome is Outcome.REFUSED


def test_undecodable_and_vanished_bytes_fail() -> None:
    broken = annotation(status="failed", failure="undecodable")
    (ruling,) = rulings(ONE, annotations={ONE.uid: broken})
    assert (ruling.outcome, ruling.reason) == (Outcome.FAILED, FailReason.UNDECODABLE)
    for kwargs in ({"gone": (ONE.uid,)}, {"annotations": {ONE.uid: annotation(status="purged")}}):
        (ruling,) = rulings(ONE, **kwargs)  # type: ignore[arg-type]
        assert (ruling.outcome, ruling.reason) == (Outcome.FAILED, FailReason.BYTES_GONE)


def test_the_same_bytes_are_kept_once_and_the_earliest_is_kept() -> None:
    late = found("late", "same", fetched_at=200.0)
    early = found("early", "same", fetched_at=50.0)
    one, two = rulings(late, early)
    assert (two.outcome, one.outcome, one.reason) == (
        Outcome.RELEASED,
        Outcome.DUPLICATE,
        DuplicateReason.SAME_BYTES,
    )
    assert one.because_of == early.candidate_id
    assert not one.purged


def test_a_blown_up_copy_is_no_better_than_what_it_was_made_from() -> None:
    small, large = found("small"), found("large")
    blown = Finding("detail", "1", Status.OK, 1.0, "enlarged", values={"factor": 2.0})
    known = {
        small.uid: annotation(width=800, height=600),
        large.uid: annotation(width=1600, height=1200, findings={**NOTHING_FOUND, "detail": blown}),
    }
    same = {small.uid: "c", large.uid: "c"}
    said = rulings(large, small, clusters=same, annotations=known)
    assert [one.outcome for one in said] == [Outcome.DUPLICATE, Outcome.RELEASED]
    known[large.uid] = annotation(width=1600, height=1200)
    said = rulings(large, small, clusters=same, annotations=known)
    assert [one.outcome for one in said] == [Outcome.RELEASED, Outcome.DUPLICATE]


def test_equal_pixels_are_kept_once_and_more_bytes_win() -> None:
    small, large = found("small", bytes=10), found("large", bytes=20)
    clusters = {small.uid: "c", large.uid: "c"}
    one, two = rulings(small, large, clusters=clusters)
    assert (two.outcome, one.reason) == (Outcome.RELEASED, DuplicateReason.SAME_PIXELS)


def test_an_own_ground_beats_a_borrowed_one() -> None:
    own = found("own", "same", fetched_at=200.0)
    page = "https://own.example/search"  # of the same publisher: reposts are another rule
    borrowed = found("borrowed", "same", fetched_at=50.0, evidence=(), page_url=page)
    one, two = rulings(own, borrowed)
    assert one.outcome is Outcome.RELEASED
    assert two.outcome is Outcome.DUPLICATE
    assert two.decision.verdict is Verdict.ALLOW


def test_a_picture_all_over_one_host_is_quarantined() -> None:
    copies = [
        found("decoy", "same", candidate_id=f"id-{n}", image_url=f"https://decoy.example/{n}.jpg")
        for n in range(3)
    ]
    assert {r.reason for r in rulings(*copies)} == {QuarantineReason.DECOY_HOST}
    assert {r.outcome for r in rulings(*copies[:2])} == {Outcome.RELEASED, Outcome.DUPLICATE}


def test_a_refusal_reaches_equal_pixels_and_their_other_addresses() -> None:
    """refused -> (same pixels) another file -> (same URL) another fetch of that address."""
    refused = found("refused", signals=(NOAI,))
    recompressed = found("recompressed")
    elsewhere = found("elsewhere", image_url=recompressed.image_url)
    clusters = {refused.uid: "c", recompressed.uid: "c"}
    first, second, third = rulings(refused, recompressed, elsewhere, clusters=clusters)
    assert first.reason is RefuseReason.META_ROBOTS
    for ruling in (second, third):
        assert (ruling.outcome, ruling.reason) == (Outcome.REFUSED, RefuseReason.SAME_BYTES_REFUSED)
        assert ruling.because_of == refused.candidate_id
    assert first.purged
    assert second.purged
    assert third.purged


def test_a_hold_that_outlived_the_crawl_reaches_equal_pixels_and_purges() -> None:
    held, copy = found("held", signals=(UNREADABLE,)), found("copy")
    first, second = rulings(held, copy, clusters={held.uid: "c", copy.uid: "c"})
    assert (second.outcome, second.reason) == (Outcome.HELD, HoldReason.SAME_BYTES_HELD)
    assert first.purged
    assert second.purged


def test_a_missing_ground_does_not_spread_and_stored_bytes_without_any_ground_go() -> None:
    bare, grounded = found("bare", evidence=()), found("grounded")
    first, second = rulings(bare, grounded, clusters={bare.uid: "c", grounded.uid: "c"})
    assert second.outcome is Outcome.RELEASED
    assert first.outcome is Outcome.REFUSED
    assert first.purged
    assert not second.purged


def test_a_reason_of_another_version_stops_everything() -> None:
    with pytest.raises(RecordError, match="tomorrow"):
        rulings(replace(UNASKED, failure="tomorrow"))


names = st.integers(0, 5).map(lambda n: f"n{n}")
signals = st.sampled_from([(), (), (NOAI,), (UNREADABLE,)])
evidences = st.sampled_from([(PUBLIC_DOMAIN,), (PUBLIC_DOMAIN,), ()])


@st.composite
def crowds(draw: st.DrawFn) -> tuple[list[Candidate], dict[str, str]]:
    crowd = []
    for index in range(draw(st.integers(1, 8))):
        candidate = found(draw(names), draw(names), signals=draw(signals), evidence=draw(evidences))
        crowd.append(replace(candidate, candidate_id=f"{index:03d}"))
    clusters = {c.uid: draw(st.sampled_from(["p", "q", c.uid])) for c in crowd}
    return crowd, clusters


@settings(max_examples=150, deadline=None)
@given(crowds())
def test_no_crowd_releases_what_any_copy_objects_to(case: tuple[list[Candidate], dict[str, str]]) -> None:
    crowd, clusters = case
    found_rulings = rulings(*crowd, clusters=clusters)
    keys = [[("u", c.image_url), ("f", c.final_url), ("b", c.sha256), ("p", clusters[c.uid])] for c in crowd]
    for group in components(keys):
        if any(crowd[i].signals for i in group):
            assert all(found_rulings[i].outcome in (Outcome.REFUSED, Outcome.HELD) for i in group)
    kept = [
        clusters[c.uid] for c, r in zip(crowd, found_rulings, strict=True) if r.outcome is Outcome.RELEASED
    ]
    assert len(kept) == len(set(kept))
    for ruling in found_rulings:
        assert isinstance(ruling.reason, REASONS_OF_OUTCOME[ruling.outcome])
        assert not (ruling.purged and ruling.outcome in (Outcome.RELEASED, Outcome.DUPLICATE))


@settings(max_examples=50, deadline=None)
@given(crowds(), st.randoms(use_true_random=False))
def test_the_order_of_candidates_changes_nothing(
    case: tuple[list[Candidate], dict[str, str]], random: Any
) -> None:
    crowd, clusters = case
    first = {c.candidate_id: r for c, r in zip(crowd, rulings(*crowd, clusters=clusters), strict=True)}
    shuffled = list(crowd)
    random.shuffle(shuffled)
    second = rulings(*shuffled, clusters=clusters)
    for candidate, ruling in zip(shuffled, second, strict=True):
        was = first[candidate.candidate_id]
        assert (ruling.outcome, ruling.purged) == (was.outcome, was.purged)


def test_a_picture_that_any_page_rates_adult_is_dropped() -> None:
    said = {"protocol": "content-rating", "effect": Effect.SILENT, "parsed": "adult", "reason": ""}
    adult = replace(NOAI, **said)  # type: ignore[arg-type]
    rated = replace(ONE, signals=(adult,))
    elsewhere = replace(ONE, candidate_id="elsewhere", page_url="https://museum.example/other")
    assert {ruling.reason for ruling in rulings(rated, elsewhere)} == {FilterReason.HARMFUL}
    (other_word,) = rulings(replace(ONE, signals=(replace(adult, parsed="general"),)))
    assert other_word.outcome is Outcome.RELEASED
