"""What a reviewer was shown of a picture's copies: an allow counts only while that is the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from curation.annotators.base import Finding, Status
from curation.likeness import Likeness
from curation.match import _equal
from curation.near import _row
from curation.outcomes import Facts, SelectRules, pictures_of, settle, verdicts
from curation.review.cases import Stale
from curation.review.desk import Desk
from curation.review.pages import case_page
from curation.select import standing
from curation.shown import Neighbours, by_uid, facts_shown, shown_digest, uids_shown
from kyodaku.reasons import Outcome, QuarantineReason
from kyodaku.records import Candidate
from kyodaku.registry_client import EMPTY_SNAPSHOT
from kyodaku.reviews import Review, ReviewVerdict
from kyodaku.runs import RunFolder
from tests.curation.fixtures import NOAI, UNREADABLE, Found, recipe
from tests.curation.looking import NOTHING_FOUND
from tests.curation.reviewed import RECIPE, curated, decide, flat, install, outcomes
from tests.curation.test_outcomes import RULES, annotation, found

U, X, Y = found("u"), found("x"), found("y")
REFUSED_X = replace(X, signals=(NOAI,))
PAIRS = ((U, X), (U, Y), (X, Y))
PICTURE = {"format": "jpeg", "mode": "RGB", "frames": 1, "has_alpha": False, "has_gps": False}


def rows(
    *pairs: tuple[Candidate, Candidate], kind: str = "near", crowded: bool = False
) -> list[dict[str, Any]]:
    both = [(one.uid, other.uid) for pair in pairs for one, other in (pair, pair[::-1])]
    return [_row(kind, "c", one, other, 4, "", crowded) for one, other in both]


def seen(*findings: Finding) -> dict[str, Any]:
    found = {**NOTHING_FOUND, **{one.annotator: one for one in findings}}
    return annotation(findings=found, pixel_sha256="ab", **PICTURE)


class World:
    """Facts, and what somebody says who was shown them."""

    def __init__(
        self,
        candidates: Sequence[Candidate],
        matches: Sequence[Mapping[str, Any]] = rows(*PAIRS),
        known: Mapping[str, Any] | None = None,
        reviews: Sequence[Review] = (),
        rules: SelectRules = RULES,
    ) -> None:
        annotations = {one.uid: seen() for one in candidates} | dict(known or {})
        like = Likeness.of(matches)
        said = {one.uid: one for one in reviews}
        self.facts = Facts(candidates, annotations, like.pixels, set(annotations), said, like)
        self.neighbours = Neighbours.of(matches)
        self.rules, self.decisions = rules, verdicts(self.facts, rules, EMPTY_SNAPSHOT)
        self.pictures = pictures_of(self.facts, self.decisions, rules.filters)

    def shown(self, uid: str) -> dict[str, Any]:
        near = by_uid(self.facts.candidates, uids_shown([uid], self.neighbours))
        return facts_shown(uid, self.facts.annotations[uid], near, self.neighbours, self.pictures)

    def allow(self, uid: str, *lifts: str) -> Review:
        return Review("g", "a", 1.0, uid, ReviewVerdict.ALLOW, lifts, shown_digest(self.shown(uid)), "looked")

    def outcomes(self) -> list[tuple[str, str]]:
        counted = replace(self.facts, reviews=standing(self.facts, self.pictures, self.neighbours))
        return [(one.outcome, one.reason) for one in settle(counted, self.rules, self.decisions)]


def outcome_of_u(*arguments: Any, **more: Any) -> tuple[str, str]:
    return World(*arguments, **more).outcomes()[0]


LIFTS = tuple(f"select:{reason}" for reason in ("near_refused", "near_held", "near_filtered"))
ASIDE = (Outcome.QUARANTINED, QuarantineReason.NEAR_REFUSED)
NOTICE = Finding("notices", "1", Status.OK, 1.0, "notice", "no ai training")
GENERATED = Finding("ai_made", "1", Status.OK, 1.0, "ai", "text:parameters")
POSSIBLE = Finding("perturbation", "1", Status.OK, 0.6, "possible")


def test_an_allow_of_a_copy_of_what_is_refused_stands_while_no_other_copy_is_refused() -> None:
    world = [U, REFUSED_X, Y]
    assert outcome_of_u(world) == ASIDE
    allow = World(world).allow(U.uid, *LIFTS)
    assert outcome_of_u(world, reviews=[allow])[0] in (Outcome.RELEASED, Outcome.DUPLICATE)
    for later in (
        {"candidates": [U, REFUSED_X, replace(Y, gate_verdict="refuse", gate_reason="deny_list")]},
        {"candidates": [U, REFUSED_X, replace(Y, gate_verdict="hold", gate_reason="page_error")]},
        {"candidates": world, "known": {Y.uid: seen(NOTICE)}},
        {"candidates": world, "known": {Y.uid: seen(GENERATED)}},
        {"candidates": world, "known": {Y.uid: seen(POSSIBLE)}},
        {
            "candidates": world,
            "matches": [*rows(*PAIRS), _row("registry", "f:L1", Y.uid, "f:L1", 0, "")],
        },
    ):
        assert outcome_of_u(**later, reviews=[allow]) == ASIDE, later


def test_a_copy_that_is_refused_for_another_reason_now_calls_for_a_new_look() -> None:
    allow = World([U, REFUSED_X, Y]).allow(U.uid, *LIFTS)
    listed = [*rows(*PAIRS), _row("registry", "f:L1", X.uid, "f:L1", 0, "")]
    assert outcome_of_u([U, X, Y], listed, reviews=[allow]) == ASIDE


def test_a_drop_of_a_copy_calls_for_a_new_look_and_an_allow_of_it_does_not() -> None:
    world, known = [U, X, Y], {X.uid: seen(POSSIBLE), U.uid: seen(POSSIBLE)}
    name = "perturbation:perturbation_possible"
    allow = World(world, known=known).allow(U.uid, *LIFTS, name)
    other = World(world, known=known).allow(X.uid, *LIFTS, name)
    assert outcome_of_u(world, known=known, reviews=[allow])[0] is Outcome.RELEASED
    both = World(world, known=known, reviews=[allow, other]).outcomes()
    assert sorted(one[0] for one in both) == [Outcome.DUPLICATE, Outcome.DUPLICATE, Outcome.RELEASED]
    drop = Review("g", "a", 2.0, X.uid, ReviewVerdict.DROP, (), "", "stolen")
    assert outcome_of_u(world, known=known, reviews=[allow, drop])[0] is Outcome.QUARANTINED


def test_a_crowd_is_shown_by_what_stands_against_any_of_it() -> None:
    """Its members are near to a third one; they are not all named to each other."""
    crowd = rows((U, X), (X, Y), crowded=True)
    allow = World([U, REFUSED_X, Y], crowd).allow(U.uid, *LIFTS)
    assert outcome_of_u([U, REFUSED_X, Y], crowd, reviews=[allow])[0] is Outcome.RELEASED
    later = [U, REFUSED_X, replace(Y, signals=(UNREADABLE,))]
    assert outcome_of_u(later, crowd, reviews=[allow]) == ASIDE
    assert World(later, crowd).shown(U.uid)["crowd"] == [
        {"uid": Y.uid, "against": ["held:signal_unreadable"]}
    ]


def test_a_generator_named_in_a_file_with_the_same_pixels_is_shown() -> None:
    same = [_equal("pixels", "p", U.uid), _equal("pixels", "p", X.uid)]
    before, after = World([U, X], same), World([U, X], same, {X.uid: seen(GENERATED)})
    assert after.shown(U.uid)["cluster"][0]["against"] == ["filtered:ai_made"]
    assert "against" not in before.shown(U.uid)["cluster"][0]


# ------------------------------------------------------------------ the desk

COPIES = [Found("one", flat(120, 320, 280, seed=31)), Found("two", flat(120, 300, 262, seed=31))]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """Two pictures that are set aside for what is in them, and called near copies."""
    install(monkeypatch)
    uids = [one.uid for one in COPIES]
    near = [_row("near", min(uids), one, other, 2, "") for one, other in (uids, uids[::-1])]
    monkeypatch.setattr("curation.match.near_rows", lambda *_: near)
    monkeypatch.setattr("tests.curation.reviewed.PICTURES", {one.name: one for one in COPIES})
    return curated(tmp_path, COPIES)


def desk(run: RunFolder, who: str = "ann") -> Desk:
    return Desk(run, RECIPE, who, lambda: 1000.0)


def say(one: Desk, copy: Found, verdict: str) -> Any:
    return one.say(verdict, "looked", "one", [(copy.uid, one.case(copy.uid).shown)])


def test_the_desk_shows_what_decisions_are_checked_against(run: RunFolder) -> None:
    one = desk(run)
    case = one.case(COPIES[0].uid)
    assert case.reason == "perturbation_possible"
    assert case.lifts == ("select:near_filtered", "watermark:perturbation_possible")
    assert case.facts["cluster"][0]["against"] == ["quarantined:perturbation_possible"]
    page = case_page(case, None, {COPIES[1].uid: one.neighbour(COPIES[1].uid)})
    assert "a near copy of the picture was dropped or set aside" in page
    for copy in COPIES:
        say(one, copy, "allow")
    assert sorted(decide(run).values()) == [("duplicate", "near"), ("released", "public_domain")]


def test_one_of_two_copies_is_allowed_and_then_the_other_dropped(run: RunFolder) -> None:
    one, other = desk(run), desk(run, "bob")
    before = other.case(COPIES[0].uid).shown
    say(one, COPIES[0], "allow")
    told = say(one, COPIES[1], "drop")
    assert told.states == {COPIES[1].uid: "drop", COPIES[0].uid: "open"}, "it was allowed beside an open one"
    with pytest.raises(Stale):
        other.say("allow", "late", "one", [(COPIES[0].uid, before)])
    assert decide(run) == {"one": ("quarantined", "perturbation_possible"), "two": ("filtered", "reviewed")}
    case = one.case(COPIES[0].uid)
    assert case.facts["cluster"][0]["against"] == [
        "filtered:reviewed",
        "quarantined:perturbation_possible",
    ]
    say(one, COPIES[0], "allow")
    assert decide(run)["one"] == ("released", "public_domain")


def test_what_two_looks_lifted_one_after_the_other_stays_lifted(run: RunFolder) -> None:
    one = desk(run)
    shown = one.case(COPIES[0].uid).shown
    first = Review("h", "bob", 1.0, COPIES[0].uid, ReviewVerdict.ALLOW, ("select:repost",), shown, "his own")
    one._keep([first])
    say(one, COPIES[0], "allow")
    review = one.review(COPIES[0].uid)
    assert isinstance(review, Review)
    assert set(review.lifts) == {"select:repost", "select:near_filtered", "watermark:perturbation_possible"}


PINBOARD = recipe(
    filters={
        "resolution": {"min_side": 64},
        "watermark": {"max_score": 0.8},
        "reposts": {"hosts": ["pins.example"]},
    }
)


def test_what_a_release_holds_by_another_place_is_not_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One picture at several places: the word is about it, so it is asked about only if it is out."""
    install(monkeypatch)
    kept, gone, small = flat(20, seed=41), flat(40, seed=42), flat(20, 200, 175, seed=41)
    pin = {"page": "https://pins.example/1"}
    pictures = [
        Found("kept", kept),
        Found("kept-pinned", kept, **pin),
        Found("small", small),
        Found("small-pinned", small, **pin),
        Found("pinned", gone, **pin),
    ]
    one, less = pictures[0].uid, pictures[2].uid
    near = [_row("near", min(one, less), a, b, 2, "") for a, b in ((one, less), (less, one))]
    monkeypatch.setattr("curation.match.near_rows", lambda *_: near)
    monkeypatch.setattr("tests.curation.reviewed.PICTURES", {one.name: one for one in pictures})
    run = curated(tmp_path, pictures, PINBOARD)
    aside = ("quarantined", "repost_host")
    assert outcomes(run) == {
        "kept": ("released", "public_domain"),
        "kept-pinned": aside,
        "small": ("duplicate", "near"),
        "small-pinned": aside,
        "pinned": aside,
    }
    looking = Desk(run, PINBOARD, "ann", lambda: 1000.0)
    assert looking.queue() == [(pictures[4].uid, "repost_host", "open")]
    only = Desk(run, PINBOARD, "ann", lambda: 1000.0, only=[one, less])
    assert [(reason, only.case(uid).reason) for uid, reason, _ in only.queue()] == [("", ""), ("", "")]
    assert only.case(one).objected == ()
    assert [only.neighbour(uid).outcome for uid in (one, less)] == ["released", "duplicate"]
