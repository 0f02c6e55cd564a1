"""The lattice and the basis: what may become ALLOW, and what never may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kyodaku.decision import DenyList, Policy, decide, decide_all
from kyodaku.reasons import AllowReason, HoldReason, RefuseReason, Verdict
from kyodaku.recipe import Deny
from kyodaku.records import Candidate
from kyodaku.registry_client import EMPTY_SNAPSHOT, RegistrySnapshot
from kyodaku.signals.model import (
    Binding,
    Effect,
    Hop,
    LicenceBinding,
    LicenceEvidence,
    Signal,
    Use,
    Where,
)
from kyodaku.signals.protocols.base import Protocol

BASES = ("public-domain", "opt-in", "not-opted-out")


def policy(basis: str = "public-domain", **changes: frozenset[str]) -> Policy:
    base = Policy(
        basis=basis,
        accept=frozenset({"pdm", "institution", "cc0-institution", "cc0"}),
        licences=frozenset({"by-4.0"}),
        grants=frozenset({"plus-datamining"}),
    )
    return replace(base, **changes)


def signal(effect: Effect, protocol: str = "robots", reason: str = "", use: Use = Use.TRAINING) -> Signal:
    return Signal(
        protocol=protocol,
        where=Where.FILE,
        binding=Binding.IMAGE,
        use=use,
        effect=effect,
        raw="raw",
        parsed="parsed",
        rule="rule",
        reason=reason,
        source_url="https://a.example/",
        digest="0" * 64,
        complete=True,
        fetched_at=0.0,
    )


def evidence(
    licence: str = "pdm-1.0",
    binding: LicenceBinding = LicenceBinding.CONTENT_URL,
    institution: str = "",
) -> LicenceEvidence:
    return LicenceEvidence(
        licence, "https://l.example/", binding, institution, "https://a.example/", "<a>", "0"
    )


def candidate(number: int = 1, **changes: object) -> Candidate:
    base = Candidate(
        candidate_id=f"{number:032x}",
        image_url=f"https://a.example/{number}.jpg",
        page_url="https://a.example/",
        host="a.example",
        gate="g5",
        gate_verdict="proceed",
        gate_reason="",
        sha256=f"{number:064x}",
        final_url=f"https://a.example/{number}.jpg",
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def verdict(item: Candidate, how: Policy) -> tuple[Verdict, object]:
    decision = decide(item, how, EMPTY_SNAPSHOT)
    return decision.verdict, decision.reason


def test_silence_means_what_the_basis_says() -> None:
    assert verdict(candidate(), policy("not-opted-out")) == (Verdict.ALLOW, AllowReason.NOT_OPTED_OUT)
    assert verdict(candidate(), policy("public-domain")) == (Verdict.REFUSE, RefuseReason.NO_LICENCE_EVIDENCE)
    assert verdict(candidate(), policy("opt-in")) == (Verdict.REFUSE, RefuseReason.NO_GRANT)
    assert verdict(candidate(), policy("a basis of tomorrow"))[0] is Verdict.REFUSE


@pytest.mark.parametrize(
    ("item", "accept", "expected"),
    [
        (evidence("pdm-1.0"), {"pdm"}, (Verdict.ALLOW, AllowReason.PUBLIC_DOMAIN)),
        (evidence("cc0-1.0"), {"cc0"}, (Verdict.ALLOW, AllowReason.PUBLIC_DOMAIN)),
        (
            evidence("cc0-1.0"),
            {"pdm", "cc0-institution"},
            (Verdict.REFUSE, RefuseReason.LICENCE_NOT_ACCEPTED),
        ),
        (
            evidence("cc0-1.0", institution="m.example"),
            {"cc0-institution"},
            (Verdict.ALLOW, AllowReason.PUBLIC_DOMAIN),
        ),
        (evidence("institution"), {"institution"}, (Verdict.REFUSE, RefuseReason.LICENCE_NOT_ACCEPTED)),
        (
            evidence("rightsstatements:NoC-US"),
            {"pdm", "cc0", "institution", "cc0-institution"},
            (Verdict.REFUSE, RefuseReason.LICENCE_NOT_ACCEPTED),
        ),
        (evidence("by-4.0"), {"pdm"}, (Verdict.REFUSE, RefuseReason.LICENCE_NOT_ACCEPTED)),
        (
            evidence("pdm-1.0", LicenceBinding.UNBOUND),
            {"pdm"},
            (Verdict.REFUSE, RefuseReason.NO_LICENCE_EVIDENCE),
        ),
        (evidence(""), {""}, (Verdict.REFUSE, RefuseReason.LICENCE_NOT_ACCEPTED)),
    ],
)
def test_grades_of_public_domain_evidence(
    item: LicenceEvidence, accept: set[str], expected: tuple[Verdict, object]
) -> None:
    got = verdict(candidate(evidence=(item,)), policy(accept=frozenset(accept)))
    assert got == expected


def test_contradicting_evidence_is_not_evidence() -> None:
    both = candidate(evidence=(evidence("pdm-1.0"), evidence("by-4.0")))
    assert verdict(both, policy()) == (Verdict.REFUSE, RefuseReason.LICENCE_AMBIGUOUS)
    assert verdict(both, policy("opt-in")) == (Verdict.REFUSE, RefuseReason.LICENCE_AMBIGUOUS)


def test_a_grant_counts_only_where_the_recipe_names_it_and_it_is_whole() -> None:
    grant = signal(Effect.PERMITTED, "plus-datamining")
    assert verdict(candidate(signals=(grant,)), policy("opt-in")) == (Verdict.ALLOW, AllowReason.GRANT)
    assert verdict(candidate(signals=(grant,)), policy("opt-in", grants=frozenset()))[0] is Verdict.REFUSE
    cut = replace(grant, complete=False)
    assert verdict(candidate(signals=(cut,)), policy("opt-in"))[0] is Verdict.REFUSE


def test_a_yes_to_another_use_is_no_grant() -> None:
    other = signal(Effect.PERMITTED, "plus-datamining", use=Use.INFERENCE)
    assert verdict(candidate(signals=(other,)), policy("opt-in")) == (Verdict.REFUSE, RefuseReason.NO_GRANT)


def test_a_protocol_that_takes_its_yes_back_grants_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class TakesItBack(Protocol):
        name = "plus-datamining"
        title = "for this test"

        def resolve(self, signals: Sequence[Signal]) -> Effect:
            return Effect.SILENT

    monkeypatch.setattr("kyodaku.signals.protocols.all_protocols", lambda: (TakesItBack(),))
    grant = candidate(signals=(signal(Effect.PERMITTED, "plus-datamining"),))
    assert verdict(grant, policy("opt-in")) == (Verdict.REFUSE, RefuseReason.NO_GRANT)


def test_a_refusal_to_inference_refuses() -> None:
    item = candidate(signals=(signal(Effect.RESERVED, use=Use.INFERENCE),), evidence=(evidence(),))
    assert verdict(item, policy())[0] is Verdict.REFUSE


def test_unknown_reasons_and_protocols_never_read_as_milder() -> None:
    item = candidate(signals=(signal(Effect.RESERVED, "protocol-of-tomorrow", "reason_of_tomorrow"),))
    assert verdict(item, policy("not-opted-out")) == (Verdict.REFUSE, RefuseReason.PROTOCOL_RESERVED)
    unknown = candidate(gate_verdict="refuse", gate_reason="reason_of_tomorrow")
    assert verdict(unknown, policy("not-opted-out"))[0] is Verdict.REFUSE
    odd = candidate(gate_verdict="something else")
    assert verdict(odd, policy("not-opted-out"))[0] is Verdict.HOLD


@pytest.mark.parametrize("gate", ["g0", "g1", "g2", "g3", "g4"])
@pytest.mark.parametrize("basis", BASES)
def test_nothing_is_allowed_before_the_last_gate(gate: str, basis: str) -> None:
    item = candidate(gate=gate, evidence=(evidence(),))
    assert verdict(item, policy(basis))[0] is not Verdict.ALLOW
    assert verdict(candidate(sha256="", evidence=(evidence(),)), policy(basis))[0] is not Verdict.ALLOW


@pytest.mark.parametrize(
    "deny",
    [
        Deny(domains=("example",)),
        Deny(domains=("a.example",)),
        Deny(prefixes=("https://a.example/1",)),
        Deny(prefixes=("HTTPS://A.example:443/1",)),
        Deny(prefixes=("https://a.example",)),
        Deny(urls=("https://a.example/",)),
    ],
)
def test_a_late_denial_refuses_what_was_crawled(deny: Deny) -> None:
    item = candidate(evidence=(evidence(),))
    denied = replace(policy(), deny=DenyList.of(deny))
    assert verdict(item, denied) == (Verdict.REFUSE, RefuseReason.DENY_LIST)
    elsewhere = candidate(
        image_url="https://b.example.org/x", page_url="", final_url="", evidence=(evidence(),)
    )
    assert verdict(elsewhere, denied)[0] is Verdict.ALLOW
    hopped = replace(elsewhere, hops=(Hop("https://a.example/1", 302), Hop("https://a.example/", 200)))
    assert verdict(hopped, denied) == (Verdict.REFUSE, RefuseReason.DENY_LIST)


class _Registry(RegistrySnapshot):
    def lookup_sha256(self, sha256: str) -> list[Signal]:
        return [signal(Effect.RESERVED, "registry", "registry_opt_out")]


def test_a_registry_entry_decides_again_over_old_facts() -> None:
    decision = decide(candidate(evidence=(evidence(),)), policy(), _Registry())
    assert (decision.verdict, decision.reason) == (Verdict.REFUSE, RefuseReason.REGISTRY_OPT_OUT)


def test_a_late_no_on_another_page_refuses_the_same_url_and_the_same_bytes() -> None:
    shared = "f" * 64
    silent = candidate(1, evidence=(evidence(),), sha256=shared)
    copy = candidate(2, evidence=(evidence(),), sha256=shared)
    noai_page = candidate(
        3,
        image_url=silent.image_url,
        final_url="",
        sha256="",
        gate="g2",
        gate_verdict="refuse",
        gate_reason="meta_robots",
        signals=(signal(Effect.RESERVED, "meta-robots", "meta_robots"),),
    )
    first, second, third = decide_all([silent, copy, noai_page], policy(), EMPTY_SNAPSHOT)
    assert (first.verdict, first.reason) == (Verdict.REFUSE, RefuseReason.SAME_URL_REFUSED)
    assert (second.verdict, second.reason) == (Verdict.REFUSE, RefuseReason.SAME_BYTES_REFUSED)
    assert (third.verdict, third.reason) == (Verdict.REFUSE, RefuseReason.META_ROBOTS)
    assert first.because_of == second.because_of == noai_page.candidate_id


def test_a_no_about_any_hop_on_the_way_refuses_what_came_at_its_end() -> None:
    said_no = candidate(
        1,
        image_url="https://b.example/b.png",
        final_url="",
        sha256="",
        gate="g2",
        gate_verdict="refuse",
        gate_reason="meta_robots",
        signals=(signal(Effect.RESERVED, "meta-robots", "meta_robots"),),
    )
    hops = tuple(Hop(f"https://b.example/{name}.png", 302) for name in "xb")
    came_by = candidate(
        2,
        image_url="https://b.example/x.png",
        final_url="https://b.example/c.png",
        hops=(*hops, Hop("https://b.example/c.png", 200)),
        evidence=(evidence(),),
    )
    _, decided = decide_all([said_no, came_by], policy(), EMPTY_SNAPSHOT)
    assert (decided.verdict, decided.reason) == (Verdict.REFUSE, RefuseReason.SAME_URL_REFUSED)


def test_evidence_serves_all_copies_and_a_missing_ground_never_spreads() -> None:
    shared = "e" * 64
    museum = candidate(1, evidence=(evidence(),), sha256=shared)
    blog = candidate(
        2, sha256=shared, gate_verdict="refuse", gate_reason=RefuseReason.NO_LICENCE_EVIDENCE.value
    )
    first, second = decide_all([museum, blog], policy(), EMPTY_SNAPSHOT)
    assert first.verdict is Verdict.ALLOW
    assert second.verdict is Verdict.ALLOW
    assert second.because_of == museum.candidate_id


def test_what_is_lent_is_named_by_who_states_it() -> None:
    """Not by another one that it was lent to, and the order of the candidates changes nothing."""
    lacking = RefuseReason.NO_LICENCE_EVIDENCE.value
    blogs = [candidate(n, sha256="e" * 64, gate_verdict="refuse", gate_reason=lacking) for n in (1, 2, 5)]
    museums = [candidate(n, sha256="e" * 64, evidence=(evidence(),)) for n in (3, 4)]
    for order in ([*blogs, *museums], [*museums[::-1], *blogs[::-1]]):
        decided = decide_all(order, policy(), EMPTY_SNAPSHOT)
        named = {one.candidate_id: said.because_of for one, said in zip(order, decided, strict=True)}
        assert {named[blog.candidate_id] for blog in blogs} == {museums[0].candidate_id}
        assert {named[museum.candidate_id] for museum in museums} == {""}


def test_nobody_lends_who_states_nothing_or_was_never_had() -> None:
    granted = candidate(1, sha256="e" * 64, signals=(signal(Effect.PERMITTED, "plus-datamining"),))
    unfinished = candidate(
        2,
        image_url=granted.image_url,
        final_url="",
        sha256="",
        gate="g1",
        gate_verdict="hold",
        gate_reason="not_finished",
        evidence=(evidence("by-4.0"),),
    )
    lacking = RefuseReason.NO_GRANT.value
    silent = candidate(3, sha256="e" * 64, gate_verdict="refuse", gate_reason=lacking)
    first, _, third = decide_all([granted, unfinished, silent], policy("opt-in"), EMPTY_SNAPSHOT)
    assert (first.verdict, first.reason) == (Verdict.ALLOW, AllowReason.GRANT)
    assert (third.verdict, third.reason) == (Verdict.REFUSE, RefuseReason.NO_GRANT)


def test_a_contradicting_licence_elsewhere_refuses_both() -> None:
    shared = "d" * 64
    museum = candidate(1, evidence=(evidence(),), sha256=shared)
    shop = candidate(2, evidence=(evidence("by-4.0"),), sha256=shared)
    assert {d.verdict for d in decide_all([museum, shop], policy(), EMPTY_SNAPSHOT)} == {Verdict.REFUSE}


def test_a_hold_spreads_but_an_unfinished_copy_does_not() -> None:
    shared = "c" * 64
    fine = candidate(1, evidence=(evidence(),), sha256=shared)
    held = candidate(
        2, evidence=(evidence(),), sha256=shared, signals=(signal(Effect.ERROR, reason="page_error"),)
    )
    first, second = decide_all([fine, held], policy(), EMPTY_SNAPSHOT)
    assert (first.verdict, first.reason) == (Verdict.HOLD, HoldReason.SAME_BYTES_HELD)
    assert (second.verdict, second.reason) == (Verdict.HOLD, HoldReason.PAGE_ERROR)
    unfinished = candidate(3, image_url="https://b.example/x", final_url="", sha256="", gate="g1")
    alone = decide_all([fine, unfinished], policy(), EMPTY_SNAPSHOT)
    assert [d.verdict for d in alone] == [Verdict.ALLOW, Verdict.REFUSE]


def test_a_document_that_nobody_read_holds_every_copy() -> None:
    fine = candidate(1, evidence=(evidence(),), sha256="c" * 64)
    unread = replace(
        fine, candidate_id="f" * 32, gate="g2", gate_verdict="hold", gate_reason="document_unread"
    )
    first, second = decide_all([fine, unread], policy(), EMPTY_SNAPSHOT)
    assert (first.verdict, first.reason) == (Verdict.HOLD, HoldReason.SAME_URL_HELD)
    assert (second.verdict, second.reason) == (Verdict.HOLD, HoldReason.DOCUMENT_UNREAD)


MOVED_ON = {"gate": "g2", "gate_verdict": "hold", "gate_reason": "no_longer_shown"}


@pytest.mark.parametrize(
    ("other_page", "expected"),
    [
        ("https://a.example/work", (HoldReason.NO_LONGER_SHOWN, AllowReason.PUBLIC_DOMAIN)),
        ("https://b.example/copy", (HoldReason.GONE_SINCE, HoldReason.SAME_URL_HELD)),
        ("", (HoldReason.GONE_SINCE, HoldReason.SAME_URL_HELD)),
    ],
)
def test_a_page_that_shows_a_picture_no_more_took_it_down_unless_its_host_still_shows_it(
    other_page: str, expected: tuple[HoldReason, HoldReason | AllowReason]
) -> None:
    """A list moves on; an owner takes down, and what strangers still show says nothing for them."""
    shown = candidate(1, evidence=(evidence(),), page_url=other_page)
    list_ = replace(shown, candidate_id="f" * 32, page_url="https://a.example/newest", **MOVED_ON)
    decisions = decide_all([shown, list_], policy(), EMPTY_SNAPSHOT)
    assert (decisions[1].reason, decisions[0].reason) == expected


def test_a_picture_that_its_only_page_shows_no_more_is_gone() -> None:
    [decision] = decide_all([candidate(1, evidence=(evidence(),), **MOVED_ON)], policy(), EMPTY_SNAPSHOT)
    assert (decision.verdict, decision.reason) == (Verdict.HOLD, HoldReason.GONE_SINCE)


def test_a_page_that_only_lacked_a_ground_does_not_still_show_a_picture() -> None:
    """Its ground came from the page that shows the picture no more; and whether it shows it nobody asked."""
    lacking = candidate(1, page_url="https://a.example/work")
    gone = replace(lacking, candidate_id="f" * 32, page_url="https://a.example/newest", **MOVED_ON)
    decisions = decide_all([lacking, gone], policy(), EMPTY_SNAPSHOT)
    assert [decision.verdict for decision in decisions] == [Verdict.HOLD, Verdict.HOLD]
    assert decisions[1].reason is HoldReason.GONE_SINCE


def test_a_no_of_a_copy_outweighs_that_a_page_moved_on() -> None:
    no = candidate(1, signals=(signal(Effect.RESERVED, reason="robots_disallow"),))
    moved = replace(no, candidate_id="f" * 32, page_url="https://a.example/newest", signals=(), **MOVED_ON)
    assert decide_all([no, moved], policy(), EMPTY_SNAPSHOT)[1].verdict is Verdict.REFUSE


signals_strategy = st.lists(
    st.builds(
        signal,
        effect=st.sampled_from(Effect),
        protocol=st.sampled_from(["robots", "x-robots-tag", "meta-robots", "plus-datamining", "unheard-of"]),
        reason=st.sampled_from(["", "robots_disallow", "page_error", "nonsense"]),
        use=st.sampled_from(Use),
    ),
    max_size=6,
)
evidence_strategy = st.lists(
    st.builds(
        evidence,
        licence=st.sampled_from(["pdm-1.0", "cc0-1.0", "by-4.0", "", "institution", "rightsstatements:InC"]),
        binding=st.sampled_from(LicenceBinding),
        institution=st.sampled_from(["", "m.example"]),
    ),
    max_size=4,
)
candidates_strategy = st.builds(
    candidate,
    number=st.integers(1, 6),
    signals=signals_strategy.map(tuple),
    evidence=evidence_strategy.map(tuple),
    gate=st.sampled_from(["g2", "g4", "g5"]),
    gate_verdict=st.sampled_from(["proceed", "refuse", "hold", "fail"]),
    gate_reason=st.sampled_from(["", "no_licence_evidence", "page_error", "x_robots_tag"]),
    sha256=st.sampled_from(["", "a" * 64, "b" * 64]),
)
policies = st.builds(policy, basis=st.sampled_from(BASES))


@settings(max_examples=500, deadline=None)
@given(items=st.lists(candidates_strategy, min_size=1, max_size=5), how=policies, data=st.data())
def test_an_objection_anywhere_in_a_group_lets_no_copy_through(
    items: list[Candidate], how: Policy, data: st.DataObject
) -> None:
    target = data.draw(st.integers(0, len(items) - 1))
    objector = items[target]
    items[target] = replace(objector, signals=(*objector.signals, signal(Effect.RESERVED, "unheard-of")))
    decisions = decide_all(items, how, EMPTY_SNAPSHOT)
    for item, decision in zip(items, decisions, strict=True):
        same = item.image_url == objector.image_url or (item.sha256 and item.sha256 == objector.sha256)
        if same:
            assert decision.verdict is not Verdict.ALLOW


@settings(max_examples=500, deadline=None)
@given(item=candidates_strategy, how=policies, extra=signals_strategy)
def test_more_objections_never_move_towards_yes(item: Candidate, how: Policy, extra: list[Signal]) -> None:
    order = {Verdict.REFUSE: 0, Verdict.HOLD: 1, Verdict.ALLOW: 2}
    worse = [s for s in extra if s.effect is Effect.RESERVED]
    before = decide(item, how, EMPTY_SNAPSHOT).verdict
    after = decide(replace(item, signals=(*item.signals, *worse)), how, EMPTY_SNAPSHOT).verdict
    assert order[after] <= order[before]


@settings(max_examples=300, deadline=None)
@given(items=st.lists(candidates_strategy, max_size=5), how=policies, data=st.data())
def test_the_order_of_candidates_and_signals_does_not_matter(
    items: list[Candidate], how: Policy, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(range(len(items))))
    straight = decide_all(items, how, EMPTY_SNAPSHOT)
    turned = decide_all([items[i] for i in shuffled], how, EMPTY_SNAPSHOT)
    assert [straight[i].verdict for i in shuffled] == [d.verdict for d in turned]
    backwards = [replace(item, signals=tuple(reversed(item.signals))) for item in items]
    assert [d.verdict for d in decide_all(backwards, how, EMPTY_SNAPSHOT)] == [d.verdict for d in straight]


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        ((evidence("by-nc-4.0"),), RefuseReason.LICENCE_NOT_ACCEPTED),
        ((evidence("pdm-1.0"), evidence("by-nc-4.0")), RefuseReason.LICENCE_AMBIGUOUS),
    ],
)
def test_a_refusal_for_a_licence_names_the_evidence_it_rests_on(
    items: tuple[LicenceEvidence, ...], reason: RefuseReason
) -> None:
    beside = evidence("pdm-1.0", LicenceBinding.UNBOUND)
    stopped = candidate(
        evidence=(beside, *items), gate="g5", gate_verdict="refuse", gate_reason=reason.value, sha256=""
    )
    decision = decide(stopped, policy(), EMPTY_SNAPSHOT)
    assert (decision.verdict, decision.reason) == (Verdict.REFUSE, reason)
    assert decision.evidence == tuple(range(1, len(items) + 1))
