"""What holds for every protocol, whatever it is shown: 500 cases here, 10,000 in `make test-deep`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kyodaku.decision import objections, resolve_protocols
from kyodaku.signals.model import Effect
from tests.core.worlds import RANK, REFUSALS, WORLDS, World, effect, said

_REFUSALS = st.sampled_from(sorted(REFUSALS))
_SEEDS = st.integers(0, 2**32 - 1)


def nothing_raises(world: World) -> None:
    for mode in ("spec", "policy"):
        assert effect(world, mode) in RANK


def a_refusal_never_helps(world: World, name: str) -> None:
    add: Callable[[World], World] = REFUSALS[name]  # type: ignore[assignment]
    before, after = effect(world), effect(add(world))
    assert RANK[after] >= RANK[before], f"{name}: {before} became {after}"


def what_is_cut_grants_nothing(world: World, at: int) -> None:
    files = {path: body[: at % (len(body) + 1)] for path, body in world.files.items()}
    cut = replace(
        world,
        files=files,
        document=world.document[: at % (len(world.document) + 1)],
        html=world.html[: at % (len(world.html) + 1)],
        image=world.image[: at % (len(world.image) + 1)],
        page_headers=(),
        image_headers=(),  # a head is whole or it is not there
        complete=False,
    )
    for mode in ("spec", "policy"):
        assert not [signal for signal in said(cut, mode) if signal.effect is Effect.PERMITTED]


def order_does_not_matter(world: World, seed: int) -> None:
    """Neither of signals, whatever gate gave them, nor of the files of a host."""
    signals = said(world)
    dice = Random(seed)
    files = list(world.files.items())
    shuffled = said(replace(world, files=dict(dice.sample(files, len(files)))))
    dice.shuffle(shuffled)
    assert resolve_protocols(shuffled) == resolve_protocols(signals)
    first, second = objections(signals), objections(shuffled)
    assert (first and first.verdict) == (second and second.verdict)


PROPERTIES = {
    "nothing raises": (nothing_raises, (WORLDS,)),
    "a refusal never helps": (a_refusal_never_helps, (WORLDS, _REFUSALS)),
    "what is cut grants nothing": (what_is_cut_grants_nothing, (WORLDS, _SEEDS)),
    "order does not matter": (order_does_not_matter, (WORLDS, _SEEDS)),
}


@pytest.mark.parametrize("name", PROPERTIES)
def test_property(name: str) -> None:
    prove, strategies = PROPERTIES[name]
    settings(max_examples=500, deadline=None)(given(*strategies)(prove))()


@pytest.mark.deep
@pytest.mark.parametrize("name", PROPERTIES)
def test_property_ten_thousand_times(name: str) -> None:
    prove, strategies = PROPERTIES[name]
    settings(max_examples=10_000, deadline=None)(given(*strategies)(prove))()


def test_every_refusal_that_is_added_to_silence_refuses() -> None:
    """The property above would hold for a reader that reads nothing."""
    for name, add in REFUSALS.items():
        silent = World(html="<img src='/art/cat.jpg'>")
        assert effect(silent) is Effect.SILENT
        assert effect(add(silent)) is Effect.RESERVED, name  # type: ignore[operator]
