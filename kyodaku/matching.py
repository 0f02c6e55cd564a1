"""Looking for copies of pictures among others, by the fingerprints of `kyodaku.copies`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kyodaku.copies import (
    BYTES,
    FORMS,
    LIMITS,
    MAX_DISTANCE,
    TRANSFORMS,
    UNCUT,
    Codes,
    codes_of,
    looked_for,
)
from kyodaku.nearest import SMALL, CodeIndex, Found, nearest

Places = npt.NDArray[np.int64]

_LIMITS = np.array(LIMITS)
_CUT_LIMIT = min(LIMITS[UNCUT], MAX_DISTANCE)
_FIRST_CUT = 2  # of FORMS
#: The form of a hash of some part of a picture: cut, and nobody says how.
CUT = len(FORMS)
_WORDS = (*FORMS, "cut")


@dataclass(frozen=True)
class Prints:
    """Hashes of pictures as an index holds them: `codes` uint8 (n, 32), of which picture each is (its place
    in a list of the caller), and which of `copies.FORMS`, or `CUT`."""

    codes: Codes
    pictures: Places
    forms: Places

    @classmethod
    def of(cls, hashes: Iterable[tuple[int, int, str]]) -> Prints:
        """From (picture, form, PDQ hash in hex). Raises ValueError for what is no hash."""
        rows = list(hashes)
        return cls(
            codes_of(text for _, _, text in rows),
            np.array([picture for picture, _, _ in rows], np.int64),
            np.array([form for _, form, _ in rows], np.int64),
        )


def forms_of(pdq: str, trimmed: str, cuts: Sequence[str] = ()) -> list[tuple[int, str]]:
    """What an index holds of one picture, as (form, hash). `pdq` is "" where there is too little in it,
    `trimmed` where there is no border."""
    places = [0, *range(_FIRST_CUT, len(FORMS))]
    whole = list(zip(places, [pdq, *cuts], strict=False)) if pdq else []
    return whole + ([(1, trimmed)] if trimmed else [])


@dataclass(frozen=True)
class Copies:
    """Pairs of a picture that was looked for and one that was found (places in the callers' lists), each pair
    once: how many bits they are apart at the least, and by which transform (`words`). A transform that makes
    them copies goes before one that brings them nearer and does not.

    Ordered by the one that was looked for, copies before others, then distance, then the one found.
    """

    sought: Places
    found: Places
    distances: npt.NDArray[np.int32]
    transforms: Places
    forms: Places

    def __len__(self) -> int:
        return len(self.sought)

    @property
    def near(self) -> npt.NDArray[np.bool_]:
        """Which are near enough for their transform to be copies."""
        return _near(self.distances, self.transforms, self.forms)

    def words(self, row: int) -> str:
        """What was done to the one that was looked for, and to the other; "" for nothing."""
        own, other = TRANSFORMS[self.transforms[row]], _WORDS[self.forms[row]]
        return "; ".join(filter(None, (own, other and f"the other {other}")))


class PictureIndex:
    """Pictures to look in. Needs faiss (the extra `match`)."""

    def __init__(self, prints: Prints, small: int = SMALL) -> None:
        self._prints = prints
        self._index = CodeIndex(prints.codes, small)

    def copies_of(self, frames: Sequence[bytes], distance: int = MAX_DISTANCE) -> Copies:
        """The copies of each of the pictures with these `frames`, at most `distance` (31) bits apart, and
        at most `copies.LIMITS`.

        Those in which nothing is cut off are all found, in any of the eight ways to lay them down. Of cut
        ones a large index (`nearest.SMALL`) finds all within 15 bits and most of the others.
        """
        codes, sought, transforms = _all_looked_for(frames)
        return _best(self._prints, self._within(codes, transforms, distance), sought, transforms, near=True)

    def _within(self, codes: Codes, transforms: Places, distance: int) -> list[tuple[Found, Places]]:
        parts = []
        for cut in (False, True):
            chosen = np.flatnonzero((transforms >= UNCUT) == cut)
            parts.append((self._index.within(codes[chosen], distance, exact=not cut), chosen))
        return parts

    def nearest_to(self, frames: bytes, count: int) -> Copies:
        """The copies of one picture, all that `copies_of` finds, and after them those that are nearest to it,
        however far (beyond 31 bits that is chance): the first `count`."""
        codes, sought, transforms = _all_looked_for([frames])
        per_picture = int(np.bincount(self._prints.pictures).max()) if len(self._prints.pictures) else 1
        found = nearest(self._prints.codes, codes, count * per_picture)
        parts = [*self._within(codes, transforms, MAX_DISTANCE), (found, np.arange(len(codes)))]
        best = _best(self._prints, parts, sought, transforms)
        return Copies(
            best.sought[:count],
            best.found[:count],
            best.distances[:count],
            best.transforms[:count],
            best.forms[:count],
        )


def _near(distances: npt.NDArray[np.int32], transforms: Places, forms: Places) -> npt.NDArray[np.bool_]:
    limits = np.minimum(_LIMITS[transforms], np.where(forms >= _FIRST_CUT, _CUT_LIMIT, MAX_DISTANCE))
    return np.asarray(distances <= limits)


def _all_looked_for(frames: Sequence[bytes]) -> tuple[Codes, Places, Places]:
    """Codes, of which picture each is, and by which transform."""
    parts = [looked_for(one) for one in frames]
    counts = [len(codes) for codes, _ in parts]
    if not sum(counts):
        return np.empty((0, BYTES), np.uint8), np.empty(0, np.int64), np.empty(0, np.int64)
    return (
        np.concatenate([codes for codes, _ in parts]),
        np.repeat(np.arange(len(frames)), counts),
        np.concatenate([places for _, places in parts]),
    )


def _best(
    prints: Prints,
    parts: Sequence[tuple[Found, Places]],
    sought: Places,
    transforms: Places,
    near: bool = False,
) -> Copies:
    """Of what was found for the queries at the places of each part, the best of every pair of pictures; with
    `near` of copies only. Of copies one is cut, not both: a cut one against a cut one would only be chance
    more often."""
    queries = np.concatenate([places[found.queries] for found, places in parts])
    codes = np.concatenate([found.codes for found, _ in parts])
    distances = np.concatenate([found.distances for found, _ in parts])
    one_cut = (transforms[queries] < UNCUT) | (prints.forms[codes] < _FIRST_CUT)
    far = ~_near(distances, transforms[queries], prints.forms[codes])
    chosen = one_cut & ~far if near else one_cut
    queries, codes, distances, far = queries[chosen], codes[chosen], distances[chosen], far[chosen]
    pairs = (sought[queries], prints.pictures[codes])
    how = (distances, transforms[queries], prints.forms[codes])
    order = np.lexsort((*pairs, far, *how)[::-1])
    sought_sorted, pictures_sorted = (column[order] for column in pairs)
    first = np.ones(len(order), bool)
    first[1:] = (np.diff(sought_sorted) != 0) | (np.diff(pictures_sorted) != 0)
    best = order[first]
    final = best[np.lexsort((pairs[1][best], distances[best], far[best], pairs[0][best]))]
    return Copies(*(column[final] for column in (*pairs, *how)))
