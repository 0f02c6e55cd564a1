"""The properties that every protocol must have, each shown for each: 100 cases, in `make test-deep` 2,000
(and 500 and 10,000 over all together in `test_signals_properties`).

A protocol that is not in `tests.core.proofs` fails, and so does one with a way to read that no proof uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kyodaku.decision import Policy, basis_decision, objections, resolve_protocols
from kyodaku.reasons import Verdict
from kyodaku.signals.model import Effect, FetchError, LicenceBinding
from kyodaku.signals.protocols import Protocol, all_protocols
from tests.core.proofs import PROOFS, Proof
from tests.core.proofs.images import CC0, NC, in_header, linked_data
from tests.core.worlds import RANK, Heard, Mode, World, heard

BY_NAME = {protocol.name: protocol for protocol in all_protocols()}
NAMES = sorted(PROOFS)
MODES: tuple[Mode, ...] = ("spec", "policy")
_SEEDS = st.integers(0, 2**32 - 1)
_ERRORS = st.sampled_from([None, FetchError.RESET, FetchError.TOO_LARGE, FetchError.TIMEOUT, FetchError.BOMB])
#: One policy for each basis, as open as a recipe can be.
POLICIES = tuple(
    Policy(
        basis=basis,
        accept=frozenset({"pdm", "cc0", "cc0-institution", "institution"}),
        licences=frozenset({"cc0-1.0", "pdm-1.0"}),
        grants=frozenset(BY_NAME),
    )
    for basis in ("public-domain", "opt-in", "not-opted-out")
)


def ranks(found: Heard) -> tuple[int, ...]:
    """How closed a world is: by the lattice, and by each basis. Nothing that refuses may lower any of it."""
    effects = resolve_protocols(found.signals)
    effect = max((RANK[effect] for effect in effects.values()), default=RANK[Effect.SILENT])
    if Effect.PERMITTED in effects.values() and effect == RANK[Effect.SILENT]:
        effect = RANK[Effect.PERMITTED]
    against = objections(found.signals)
    verdicts = [against or basis_decision(found.signals, found.evidence, policy) for policy in POLICIES]
    return (effect, *(int(decision.verdict is not Verdict.ALLOW) for decision in verdicts))


def opened(found: Heard) -> bool:
    """Whether anything in a world is a ground: a grant, or a licence that is bound to the image."""
    bound = [item for item in found.evidence if item.binding is not LicenceBinding.UNBOUND and item.licence]
    return bool(bound) or any(signal.effect is Effect.PERMITTED for signal in found.signals)


def alone(name: str, world: World, mode: Mode = "policy") -> Heard:
    return heard(world, mode, [BY_NAME[name]])


def cases(count: int, *strategies: st.SearchStrategy[object]) -> object:
    """Decorates a property with its cases."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    return lambda prove: settings(max_examples=count, deadline=None, suppress_health_check=slow)(
        given(*strategies)(prove)
    )


# --------------------------------------------------------------------------------------- completeness


def test_every_protocol_is_proved() -> None:
    assert sorted(BY_NAME) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_proof_says_no_and_yes_or_why_not(name: str) -> None:
    proof = PROOFS[name]
    assert proof.grants or proof.silent
    assert proof.refusals or (proof.silent and proof.speaks)


def _read_by(protocol: Protocol) -> set[str]:
    """The ways to read that a protocol has: those methods of its own that give something."""
    ways = [
        way for way in vars(Protocol) if way.startswith("read_") or way.endswith(("_evidence", "_documents"))
    ]
    return {way for way in ways if getattr(type(protocol), way) is not getattr(Protocol, way)}


class _Watched:
    """A protocol that notes which ways to read gave something, and for which host files."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self.gave: set[str] = set()
        self.paths: set[str] = set()

    def __getattr__(self, way: str) -> object:
        found = getattr(self.protocol, way)
        if not callable(found):
            return found

        def call(*arguments: object) -> object:
            given_back = found(*arguments)
            if given_back:
                self.gave.add(way)
                if way in ("read_host_file", "host_documents"):
                    files = [arguments[0]] if way == "read_host_file" else arguments[0]
                    self.paths.update(files)  # type: ignore[arg-type]
            return given_back

        return call


def watched(name: str, proof: Proof) -> _Watched:
    """The protocol `name`, after it was shown everything in its proof."""
    watcher = _Watched(BY_NAME[name])
    for number in range(20):
        dice = Random(number)
        for change in proof.refusals.values():
            heard(change(World(html='<img src="/art/cat.jpg">'), dice), "policy", [watcher])  # type: ignore[list-item]
            for world in proof.grants[:2]:
                heard(change(world, dice), "policy", [watcher])  # type: ignore[list-item]
    for world in (*proof.grants, *proof.speaks):
        heard(world, "policy", [watcher])  # type: ignore[list-item]
    return watcher


@pytest.mark.parametrize("name", NAMES)
def test_every_way_to_read_is_in_the_proof(name: str) -> None:
    watcher = watched(name, PROOFS[name])
    assert _read_by(BY_NAME[name]) - watcher.gave == set()
    assert set(BY_NAME[name].host_files) - watcher.paths == set()


# ----------------------------------------------------------------------------------------- properties


@pytest.mark.parametrize("name", [name for name in NAMES if PROOFS[name].grants])
def test_a_grant_that_is_cut_at_any_byte_is_none(name: str) -> None:
    for world in PROOFS[name].grants:
        for at in range(_longest(world)):
            found = alone(name, cut(world, at, FetchError.RESET if at % 2 else None))
            against = objections(found.signals)
            for policy in POLICIES[:2]:
                decision = against or basis_decision(found.signals, found.evidence, policy)
                assert decision.verdict is not Verdict.ALLOW, (world, at)


def _longest(world: World) -> int:
    bodies = (*world.files.values(), world.document, world.html.encode(), world.image)
    return max(map(len, bodies)) + 1


@pytest.mark.parametrize("name", NAMES)
def test_what_grants_grants(name: str) -> None:
    """The properties below would hold for a reader that reads nothing."""
    for number, world in enumerate(PROOFS[name].grants):
        assert opened(alone(name, world)), number


@pytest.mark.parametrize("name", NAMES)
def test_what_is_added_to_silence_refuses(name: str) -> None:
    for way, change in PROOFS[name].refusals.items():
        for number in range(40):
            silent = World(html='<img src="/art/cat.jpg">', image=PNG)
            found = alone(name, change(silent, Random(number)))
            if name == "licence":
                assert ranks(found)[1] > 0, (way, number)
                assert found.evidence, (way, number)
            else:
                assert Effect.RESERVED in resolve_protocols(found.signals).values(), (way, number)


PNG = b"\x89PNG\r\n\x1a\n" + bytes.fromhex("0000000d4948445200000001000000010800000000" + "3a7e9b55")
PNG += bytes.fromhex("0000000049454e44ae426082")


def nothing_raises(name: str, count: int) -> None:
    @cases(count, PROOFS[name].worlds)
    def prove(world: World) -> None:
        for mode in MODES:
            found = alone(name, world, mode)
            if PROOFS[name].silent:
                assert not opened(found)
            if not PROOFS[name].refusals:
                assert {signal.effect for signal in found.signals} <= {Effect.SILENT}

    prove()


def a_refusal_never_helps(name: str, count: int) -> None:
    proof = PROOFS[name]
    if not proof.refusals:
        return
    worlds = st.one_of(proof.worlds, st.sampled_from(proof.grants)) if proof.grants else proof.worlds

    @cases(count, worlds, st.sampled_from(sorted(proof.refusals)), _SEEDS)
    def prove(world: World, way: str, seed: int) -> None:
        changed = proof.refusals[way](world, Random(seed))
        before, after = ranks(alone(name, world)), ranks(alone(name, changed))
        assert all(b <= a for b, a in zip(before, after, strict=True)), (way, before, after, changed)

    prove()


def cut(world: World, at: int, error: FetchError | None) -> World:
    """`world` with every body cut, and known to be."""

    def part(body: bytes) -> bytes:
        return body[: at % (len(body) + 1)]

    return replace(
        world,
        files={path: part(body) for path, body in world.files.items()},
        document=part(world.document),
        html=world.html[: at % (len(world.html) + 1)],
        image=part(world.image),
        image_headers=(),  # a head is whole or it is not there
        complete=False,
        error=error,
    )


def what_is_cut_grants_nothing(name: str, count: int) -> None:
    proof = PROOFS[name]
    worlds = st.one_of(st.sampled_from(proof.grants), proof.worlds) if proof.grants else proof.worlds

    @cases(count, worlds, _SEEDS, _ERRORS)
    def prove(world: World, at: int, error: FetchError | None) -> None:
        for mode in MODES:
            found = alone(name, cut(world, at, error), mode)
            assert not [signal for signal in found.signals if signal.effect is Effect.PERMITTED]
            against = objections(found.signals)
            for policy in POLICIES[:2]:
                decision = against or basis_decision(found.signals, found.evidence, policy)
                assert decision.verdict is not Verdict.ALLOW

    prove()


def order_does_not_matter(name: str, count: int) -> None:
    @cases(count, PROOFS[name].worlds, _SEEDS)
    def prove(world: World, seed: int) -> None:
        dice = Random(seed)
        protocols = list(all_protocols())
        dice.shuffle(protocols)
        other = replace(
            world,
            files=dict(_dealt(list(world.files.items()), dice)),
            page_headers=_headers(world.page_headers, dice),
            image_headers=_headers(world.image_headers, dice),
        )
        first, second = heard(world), heard(other, "policy", protocols)
        assert resolve_protocols(first.signals) == resolve_protocols(second.signals)
        assert ranks(first) == ranks(second)

    prove()


def _dealt(items: list[tuple[str, bytes]], dice: Random) -> list[tuple[str, bytes]]:
    return dice.sample(items, len(items))


def _headers(fields: Sequence[tuple[str, str]], dice: Random) -> tuple[tuple[str, str], ...]:
    """Fields of one name keep their order (RFC 9110 5.2), those of others do not matter; so between them
    stand some that say nothing."""
    names = sorted({key.lower() for key, _ in fields})
    dice.shuffle(names)
    noise = ("Server", "x")
    return tuple(
        field
        for name in names
        for field in (noise, *[(key, value) for key, value in fields if key.lower() == name])
    )


PROPERTIES = (nothing_raises, a_refusal_never_helps, what_is_cut_grants_nothing, order_does_not_matter)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("prove", PROPERTIES, ids=lambda prove: prove.__name__)
def test_property(prove: object, name: str) -> None:
    prove(name, 100)  # type: ignore[operator]


@pytest.mark.deep
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("prove", PROPERTIES, ids=lambda prove: prove.__name__)
def test_property_thousands_of_times(prove: object, name: str) -> None:
    prove(name, 2_000)  # type: ignore[operator]


# --------------------------------------------------------------------------- what these once found


@pytest.mark.parametrize("further", ['<script type="application/ld+json">{"license": [</script>', "<p>"])
def test_a_licence_that_takes_away_stands_on_a_page_that_cannot_be_read_whole(further: str) -> None:
    many = linked_data(NC) + "".join(f'<a rel="license" href="/l{n}">l</a>' for n in range(600))
    for page in (linked_data(NC) + further, many + further):
        found = alone("licence", World(html=page, image_headers=(in_header(CC0),)))
        assert ranks(found)[1:3] == (1, 1)
