"""What is against one picture and reaches its copies: equal pixels, near copies, those an embedding knows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from curation.annotators.base import Finding, Status
from curation.outcomes import Facts, rule
from kyodaku.reasons import FilterReason, Outcome, QuarantineReason
from kyodaku.records import Candidate
from kyodaku.registry_client import EMPTY_SNAPSHOT
from kyodaku.reviews import Review, ReviewVerdict
from kyodaku.signals.model import Effect
from tests.curation.fixtures import NOAI, UNREADABLE
from tests.curation.looking import NOTHING_FOUND
from tests.curation.test_match import matched
from tests.curation.test_match import rules as rules_of
from tests.curation.test_outcomes import annotation, found

A, B, C = found("a"), found("b"), found("c")
ALL = rules_of(
    duplicates={"min_cosine": 0.75},
    harmful={"max_score": 0.5},
    privacy={"max_faces": 0},
    resolution={"min_side": 64, "max_aspect": 4.0, "min_effective_side": 64},
    aesthetic={"min_score": 1.0},
    kind={"keep": ["photo"], "unknown": "quarantine"},
)
SEEN = {
    **NOTHING_FOUND,
    "kind": Finding("kind", "1", Status.OK, 1.0, "photo"),
    "faces": Finding("faces", "1", Status.OK, values={"count": 0}),
    "aesthetic": Finding("aesthetic", "1", Status.OK, 9.0),
    "detail": Finding("detail", "1", Status.OK, values={"effective_width": 600.0, "effective_height": 600.0}),
}
SPREAD: dict[FilterReason | QuarantineReason, Finding] = {
    FilterReason.WATERMARK: Finding("overlay", "1", Status.OK, 1.0, "likely"),
    FilterReason.BRAND_TEXT: Finding("brands", "1", Status.OK, 1.0, "likely"),
    FilterReason.PERTURBATION: Finding("perturbation", "1", Status.OK, 1.0, "likely"),
    FilterReason.AI_MADE: Finding("ai_made", "1", Status.OK, 1.0, "ai", "text:parameters"),
    FilterReason.HARMFUL: Finding("harmful", "1", Status.OK, 1.0),
    FilterReason.FACES: Finding("faces", "1", Status.OK, values={"count": 2}),
    QuarantineReason.PERTURBATION_POSSIBLE: Finding("perturbation", "1", Status.OK, 0.5, "possible"),
}
STAYS: dict[FilterReason | QuarantineReason, Finding | dict[str, Any]] = {
    FilterReason.LOW_RESOLUTION: {"width": 63, "height": 63},
    FilterReason.EXTREME_ASPECT: {"width": 1000, "height": 100},
    FilterReason.ENLARGED: Finding(
        "detail", "1", Status.OK, values={"effective_width": 60.0, "effective_height": 60.0}
    ),
    FilterReason.AESTHETIC: Finding("aesthetic", "1", Status.OK, 0.1),
    FilterReason.KIND: Finding("kind", "1", Status.OK, 1.0, "map"),
    QuarantineReason.KIND_UNKNOWN: Finding("kind", "1", Status.OK),
    QuarantineReason.NOT_LOOKED_AT: Finding("overlay", "1", Status.FAILED),
}


def seen(*findings: Finding, **changes: Any) -> dict[str, Any]:
    return annotation(findings={**SEEN, **{one.annotator: one for one in findings}}, has_gps=False, **changes)


def ruled(
    *candidates: Candidate,
    links: tuple[tuple[str, str, str, float], ...] = (("near", A.uid, B.uid, 4),),
    known: dict[str, Any] | None = None,
    clusters: dict[str, str] | None = None,
    reviews: tuple[Review, ...] = (),
    crowded: bool = False,
) -> list[tuple[Outcome, Any, str]]:
    annotations = {one.uid: seen() for one in candidates} | (known or {})
    said = {one.uid: one for one in reviews}
    like = matched(*links, crowded=crowded)
    facts = Facts(candidates, annotations, clusters or {}, set(annotations), said, like)
    return [(one.outcome, one.reason, one.because_of) for one in rule(facts, ALL, EMPTY_SNAPSHOT)]


def review(uid: str, verdict: str, *lifts: str) -> Review:
    return Review("g", "ann", 1.0, uid, ReviewVerdict(verdict), lifts, "", "looked")


ASIDE = (Outcome.QUARANTINED, QuarantineReason.NEAR_FILTERED, A.candidate_id)


@pytest.mark.parametrize("kind", ["near", "embedding"])
@pytest.mark.parametrize("reason", SPREAD)
def test_a_copy_of_what_is_kept_out_for_what_is_in_it_is_set_aside(
    reason: FilterReason | QuarantineReason, kind: str
) -> None:
    one, two = ruled(A, B, links=((kind, A.uid, B.uid, 0.1),), known={A.uid: seen(SPREAD[reason])})
    assert one[1] is reason
    assert two == ASIDE


@pytest.mark.parametrize("reason", STAYS)
def test_what_is_wrong_with_one_file_keeps_no_other_out(reason: FilterReason | QuarantineReason) -> None:
    what = STAYS[reason]
    bad = seen(what) if isinstance(what, Finding) else seen(**what)
    one, two = ruled(A, B, known={A.uid: bad})
    assert one[1] is reason
    assert two[0] is Outcome.RELEASED


def test_a_small_copy_with_a_mark_is_known_by_its_mark() -> None:
    small = seen(SPREAD[FilterReason.WATERMARK], width=60, height=60)
    one, two = ruled(A, B, known={A.uid: small})
    assert one[1] is FilterReason.LOW_RESOLUTION
    assert two == ASIDE


def test_a_mark_counts_on_a_copy_that_nobody_permitted() -> None:
    bare = replace(A, evidence=())
    one, two = ruled(bare, B, known={A.uid: seen(SPREAD[FilterReason.AI_MADE], status="purged")})
    assert one[0] is Outcome.REFUSED
    assert two == ASIDE


def test_a_page_that_rates_one_copy_adult_reaches_the_others() -> None:
    said: dict[str, Any] = {"protocol": "content-rating", "effect": Effect.SILENT, "parsed": "adult"}
    rated = replace(A, signals=(replace(NOAI, reason="", **said),))
    one, two = ruled(rated, B)
    assert one[1] is FilterReason.HARMFUL
    assert two == ASIDE


@pytest.mark.parametrize("where", ["alt", "page_title", "schema_description"])
def test_words_that_say_no_beside_one_copy_keep_every_copy_out(where: str) -> None:
    said = replace(A, **{where: "A fox, 無断転載禁止"})
    one, two = ruled(said, B)
    assert one == (Outcome.QUARANTINED, QuarantineReason.WORDS_BESIDE, "")
    assert two == ASIDE
    _, two = ruled(said, B, links=(), clusters={A.uid: "c", B.uid: "c"})
    assert two == (Outcome.QUARANTINED, QuarantineReason.WORDS_BESIDE, A.candidate_id)
    allowed = (review(A.uid, "allow", "words_beside:words_beside"),)
    assert ruled(said, B, reviews=allowed)[0][0] is Outcome.RELEASED


@pytest.mark.parametrize("unasked", [{"not_requested": "nofollow"}, {"failure": "http_status"}])
def test_words_beside_the_address_of_a_picture_count_where_nobody_fetched_it(unasked: dict[str, Any]) -> None:
    other = replace(A, candidate_id="other", uid="", sha256="", caption="Glazed & nightshaded", **unasked)
    one, _ = ruled(A, other)
    assert one == (Outcome.QUARANTINED, QuarantineReason.WORDS_BESIDE, "other")
    adult: dict[str, Any] = {"protocol": "content-rating", "effect": Effect.SILENT, "parsed": "adult"}
    rated = replace(other, caption="", signals=(replace(NOAI, reason="", **adult),))
    assert ruled(A, rated)[0][1] is FilterReason.HARMFUL


def test_what_is_dropped_anyway_waits_for_nobody() -> None:
    said = replace(A, alt="A fox, 無断転載禁止")
    one, _ = ruled(said, B, known={A.uid: seen(width=63, height=63)})
    assert one[:2] == (Outcome.FILTERED, FilterReason.LOW_RESOLUTION)


def test_a_generator_named_in_one_file_is_the_generator_of_all_with_its_pixels() -> None:
    made = {A.uid: seen(SPREAD[FilterReason.AI_MADE])}
    one, two = ruled(A, B, links=(), known=made, clusters={A.uid: "c", B.uid: "c"})
    assert one == (Outcome.FILTERED, FilterReason.AI_MADE, "")
    assert two == (Outcome.FILTERED, FilterReason.AI_MADE, A.candidate_id)
    untold = seen(Finding("ai_made", "1", Status.UNKNOWN, text="torn"))
    _, two = ruled(A, B, links=(), known={**made, B.uid: untold}, clusters={A.uid: "c", B.uid: "c"})
    assert two[:2] == (Outcome.FILTERED, FilterReason.AI_MADE)
    near = (("near", B.uid, C.uid, 4),)
    _, _, three = ruled(A, B, C, links=near, known=made, clusters={A.uid: "c", B.uid: "c"})
    assert three == (Outcome.QUARANTINED, QuarantineReason.NEAR_FILTERED, B.candidate_id)


def test_a_copy_does_not_take_the_place_of_what_a_reviewer_dropped() -> None:
    assert sorted(one[0] for one in ruled(A, B)) == [Outcome.DUPLICATE, Outcome.RELEASED]
    one, two = ruled(A, B, reviews=(review(A.uid, "drop"),))
    assert one[:2] == (Outcome.FILTERED, FilterReason.REVIEWED)
    assert two == ASIDE
    reviews = review(A.uid, "drop"), review(B.uid, "allow", "select:near_filtered")
    assert ruled(A, B, reviews=reviews)[1][0] is Outcome.RELEASED


def test_what_a_reviewer_lifted_reaches_no_copy() -> None:
    odd = SPREAD[QuarantineReason.PERTURBATION_POSSIBLE]
    lifted = review(A.uid, "allow", "perturbation:perturbation_possible")
    said = ruled(A, B, known={A.uid: seen(odd)}, reviews=(lifted,))
    assert sorted(one[0] for one in said) == [Outcome.DUPLICATE, Outcome.RELEASED]
    likely = {A.uid: seen(SPREAD[FilterReason.PERTURBATION])}
    lifted = review(A.uid, "allow", "perturbation:perturbation")
    assert ruled(A, B, known=likely, reviews=(lifted,))[1] == ASIDE


@pytest.mark.parametrize("kind", ["near", "embedding"])
def test_a_copy_of_what_is_held_is_set_aside(kind: str) -> None:
    held = replace(A, signals=(UNREADABLE,))
    link = ((kind, A.uid, B.uid, 0.1),)
    one, two = ruled(held, B, links=link)
    assert one[0] is Outcome.HELD
    assert two == (Outcome.QUARANTINED, QuarantineReason.NEAR_HELD, A.candidate_id)
    lifted = review(B.uid, "allow", "select:near_held")
    assert ruled(held, B, links=link, reviews=(lifted,))[1][0] is Outcome.RELEASED
    unasked = replace(A, gate="g4", gate_verdict="hold", gate_reason="not_finished")
    assert ruled(unasked, B, links=link)[1][0] is Outcome.RELEASED, "we did not ask: nobody said anything"


def test_a_copy_that_only_an_embedding_knows_of_what_is_refused_is_set_aside() -> None:
    refused = replace(A, signals=(NOAI,))
    _, two = ruled(refused, B, links=(("embedding", A.uid, B.uid, 0.2),))
    assert two == (Outcome.QUARANTINED, QuarantineReason.NEAR_REFUSED, A.candidate_id)


def test_in_a_crowd_what_is_against_one_reaches_all() -> None:
    links = (("near", A.uid, C.uid, 9.0), ("near", B.uid, C.uid, 9.0))
    made = {A.uid: seen(SPREAD[FilterReason.AI_MADE])}
    _, two, three = ruled(A, B, C, links=links, known=made, crowded=True)
    assert two == (Outcome.QUARANTINED, QuarantineReason.NEAR_FILTERED, "")
    assert three == ASIDE
    held = replace(A, signals=(UNREADABLE,))
    _, two, _ = ruled(held, B, C, links=links, crowded=True)
    assert two[1] is QuarantineReason.NEAR_HELD


def test_copies_of_a_copy_that_was_set_aside_are_asked_for_themselves() -> None:
    links = (("near", A.uid, B.uid, 9.0), ("near", B.uid, C.uid, 9.0))
    made = {A.uid: seen(SPREAD[FilterReason.WATERMARK])}
    _, two, three = ruled(A, B, C, links=links, known=made)
    assert two == ASIDE
    assert three[0] is Outcome.RELEASED
