"""A megabyte made to hurt is read in less than a second, in every channel, and a no behind it is heard."""

from __future__ import annotations

from itertools import count

import pytest

from kyodaku.decision import resolve_protocols
from kyodaku.signals.model import Effect
from tests.core.adversaries import Adversary, adversaries
from tests.core.worlds import Heard, heard
from tests.tools import cpu_seconds

MEGABYTE = 1024 * 1024
LIMIT = 1.0
#: Times of a quarter, in which a whole may be read: 4 where time is linear, 16 where it is quadratic.
GROWTH = 9
_NOISE = 0.2
ADVERSARIES = adversaries()
NO = (Effect.RESERVED, Effect.ERROR)


def _read(adversary: Adversary, size: int, enough: float) -> tuple[float, Heard]:
    """CPU seconds that all protocols take together (the best of some tries, since a busy machine only ever
    adds), and what they heard. No try is like another, so nothing is remembered from one to the next."""
    sizes = count(size, -64)
    tries: list[Heard] = []
    took = cpu_seconds(lambda: tries.append(heard(adversary.build(next(sizes)))), enough)
    return took, tries[-1]


def _silent(adversary: Adversary, found: Heard) -> list[str]:
    """The protocols that did not hear the no. A robots.txt that cannot be read holds for all its lines, and a
    page that was not read whole for all that it says."""
    effects = resolve_protocols(found.signals)
    held = effects.get("robots") is Effect.ERROR or found.page_held
    return [name for name in adversary.heard if effects.get(name) not in NO and not held]


@pytest.mark.parametrize("name", ADVERSARIES)
def test_a_quarter_of_a_megabyte_takes_less_than_a_second(name: str) -> None:
    """Most of what is just below a limit is far below a megabyte; the whole megabyte is read below."""
    adversary = ADVERSARIES[name]
    took, found = _read(adversary, MEGABYTE // 4, LIMIT)
    assert took < LIMIT
    assert _silent(adversary, found) == []


@pytest.mark.deep
@pytest.mark.parametrize("name", ADVERSARIES)
def test_a_megabyte_takes_less_than_a_second_and_time_grows_no_faster_than_size(name: str) -> None:
    adversary = ADVERSARIES[name]
    times = {}
    for size in (MEGABYTE // 16, MEGABYTE // 8, MEGABYTE // 4, MEGABYTE // 2, MEGABYTE):
        times[size], found = _read(adversary, size, min(LIMIT, times.get(size // 4, _NOISE) * GROWTH))
        assert _silent(adversary, found) == []
    assert max(times.values()) < LIMIT
    assert all(took < _NOISE + GROWTH * times.get(size // 4, took) for size, took in times.items())
