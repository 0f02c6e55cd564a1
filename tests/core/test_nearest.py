"""Search among codes: exact where it says so, the same however it is done."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kyodaku.copies import FRAMES, MAX_DISTANCE, Codes
from kyodaku.matching import PictureIndex, Prints
from kyodaku.nearest import CodeIndex, nearest


def random_codes(count: int, seed: int = 0) -> Codes:
    return np.random.default_rng(seed).integers(0, 256, (count, 32), dtype=np.uint8)


def flipped(code: Codes, bits: list[int]) -> Codes:
    """One code (32,) with some of its 256 bits turned."""
    spread = np.unpackbits(code)
    spread[bits] ^= 1
    return np.packbits(spread)


def brute(codes: Codes, queries: Codes, distance: int) -> set[tuple[int, int, int]]:
    apart = np.unpackbits(queries[:, None] ^ codes[None], axis=2).sum(axis=2)
    return {(int(q), int(c), int(apart[q, c])) for q, c in np.argwhere(apart <= distance)}


def told(index: CodeIndex, queries: Codes, distance: int = MAX_DISTANCE) -> list[tuple[int, int, int]]:
    found = index.within(queries, distance)
    return list(zip(found.queries.tolist(), found.codes.tolist(), found.distances.tolist(), strict=True))


bits_turned = st.lists(st.integers(0, 255), max_size=45, unique=True)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 59), bits_turned), min_size=1, max_size=8), st.integers(0, 31))
def test_both_kinds_of_index_find_exactly_what_comparing_all_finds(
    wanted: list[tuple[int, list[int]]], distance: int
) -> None:
    codes = random_codes(60)
    codes[50:] = [flipped(codes[at], list(range(at * 3, at * 3 + 20))) for at in range(10)]
    queries = np.stack([flipped(codes[at], bits) for at, bits in wanted])
    truth = brute(codes, queries, distance)
    for small in (0, 100):
        found = told(CodeIndex(codes, small), queries, distance)
        assert set(found) == truth
        assert found == sorted(found, key=lambda row: (row[0], row[2], row[1]))


def test_the_worst_case_of_the_promise_is_found() -> None:
    """31 bits spread so that every part of 16 bits but one has two of them turned."""
    codes = random_codes(300)
    query = flipped(codes[7], [part * 16 + bit for part in range(16) for bit in (3, 9)][1:])[None]
    assert told(CodeIndex(codes, 0), query) == [(0, 7, 31)]
    beyond = flipped(codes[7], [part * 16 + bit for part in range(16) for bit in (3, 9)])[None]
    assert told(CodeIndex(codes, 0), beyond) == []


def test_nothing_in_nothing() -> None:
    none = np.empty((0, 32), np.uint8)
    for index in (CodeIndex(none), CodeIndex(random_codes(3)), CodeIndex(random_codes(3), 0)):
        assert len(index.within(none)) == 0
    assert len(CodeIndex(none).within(random_codes(3))) == 0
    assert len(nearest(none, random_codes(2), 5)) == 0
    assert len(nearest(random_codes(2), random_codes(1), 5)) == 2


@pytest.mark.parametrize("wrong", [np.zeros((2, 31), np.uint8), np.zeros(32, np.uint8), np.zeros((2, 32))])
def test_other_shapes_are_errors(wrong: Codes) -> None:
    with pytest.raises(ValueError, match="codes are uint8"):
        CodeIndex(wrong)
    with pytest.raises(ValueError, match="31"):
        CodeIndex(random_codes(2)).within(random_codes(1), 32)


def test_no_false_pair_among_three_million() -> None:
    """2,500 random codes, each of half ones as PDQ's are: 3.1 million pairs."""
    rng = np.random.default_rng(3)
    bits = np.zeros((2500, 256), np.uint8)
    bits[:, :128] = 1
    codes = np.packbits(rng.permuted(bits, axis=1), axis=1)
    found = CodeIndex(codes, 0).within(codes)
    assert found.queries.tolist() == found.codes.tolist() == list(range(2500))


def test_what_is_tried_in_many_ways_must_be_nearer() -> None:
    codes = random_codes(9, 7)
    frames = codes[:4].tobytes()  # as it is, mirrored, upside down, turned 180
    listed = np.stack([flipped(codes[at], list(range(bits))) for at, bits in ((0, 31), (1, 24), (2, 25))])
    for small in (0, 100):
        index = PictureIndex(Prints(listed, np.arange(3), np.zeros(3, np.int64)), small)
        copies = index.copies_of([frames])
        assert copies.found.tolist() == [1, 0]
        assert index.nearest_to(frames, 3).near.tolist() == [True, True, False]


def frames_of(codes: dict[tuple[int, int], Codes]) -> bytes:
    """Frames of chance, but for the codes given by (frame, mirroring)."""
    frames = random_codes(len(FRAMES) * 4, 3).reshape(len(FRAMES), 4, 32)
    for place, code in codes.items():
        frames[place] = code
    return frames.tobytes()


@pytest.mark.parametrize("small", [0, 100])
def test_a_copy_is_told_as_one_though_a_cut_that_is_none_is_nearer(small: int) -> None:
    listed = random_codes(3, 11)
    plain, cut = flipped(listed[0], list(range(31))), flipped(listed[0], list(range(100, 129)))
    frames = frames_of({(0, 0): plain, (3, 0): cut})
    index = PictureIndex(Prints(listed, np.arange(3), np.zeros(3, np.int64)), small)
    assert index.copies_of([frames]).distances.tolist() == [31]
    found = index.nearest_to(frames, 1)
    assert (found.found.tolist(), found.distances.tolist(), found.near.tolist()) == ([0], [31], [True])
    assert found.words(0) == ""


@pytest.mark.parametrize("small", [0, 100])
def test_pictures_that_are_nearer_and_no_copies_do_not_hide_a_copy(small: int) -> None:
    code = random_codes(1, 12)[0]
    plain = flipped(code, list(range(31)))
    others = [flipped(plain, list(range(40 + at, 70 + at))) for at in range(4)]  # 30 bits from it
    cut_forms = np.array([0, 2, 2, 2, 2])
    index = PictureIndex(Prints(np.stack([code, *others]), np.arange(5), cut_forms), small)
    frames = frames_of({(0, 0): plain})
    assert index.copies_of([frames]).found.tolist() == [0]
    assert index.nearest_to(frames, 1).found.tolist() == [0]
    assert index.nearest_to(frames, 3).near.tolist() == [True, False, False]


def test_each_pair_of_pictures_is_told_once_at_its_best() -> None:
    codes = random_codes(2, 5)
    listed = np.stack([codes[0], flipped(codes[0], [1, 2]), codes[1], flipped(codes[0], [7])])
    index = PictureIndex(Prints(listed, np.array([4, 4, 9, 2]), np.array([0, 1, 0, 0])))
    frames = b"".join([codes[0].tobytes()] * 4)  # a picture of which only what is inside its border counts
    copies = index.copies_of([b"", frames])
    assert copies.sought.tolist() == [1, 1]
    assert copies.found.tolist() == [4, 2]
    assert copies.distances.tolist() == [0, 1]
    assert copies.words(0) == "without its border"
    near = index.nearest_to(frames, 2)
    assert near.found.tolist() == [4, 2]
    assert len(index.copies_of([])) == 0
