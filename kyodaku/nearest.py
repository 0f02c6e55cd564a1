"""Search among 256-bit codes: everything within PDQ's threshold of a query, and the nearest.

Small sets are compared one by one. Large ones stand in a multi-index hash (Norouzi, Punjani and Fleet,
"Fast Search in Hamming Space with Multi-Index Hashing", CVPR 2012): 16 tables over 16 bits each. Codes at
most 31 bits apart differ by at most one bit in one of the 16 parts, so looking up every part, and every
part with one bit turned, finds them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kyodaku.copies import BYTES, MAX_DISTANCE, Codes

_PARTS = 16
#: Up to so many codes are compared one by one.
SMALL = 20_000
#: Queries answered at a time: what their answers may take in memory.
_AT_ONCE = 512


@dataclass(frozen=True)
class Found:
    """Pairs of a query and a code: their places (int64) and how many bits they are apart (int32).

    Ordered by query, then distance, then code: the same codes give the same answer.
    """

    queries: npt.NDArray[np.int64]
    codes: npt.NDArray[np.int64]
    distances: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.queries)


class CodeIndex:
    """An index over codes, uint8 (n, 32), of which it keeps a copy: 32 bytes each, and some 300 more in a
    large one. It does not change afterwards. Whether a set is small does not change an exact answer."""

    def __init__(self, codes: Codes, small: int = SMALL) -> None:
        import faiss

        codes = _checked(codes)
        self._size = len(codes)
        self._hashed = len(codes) > small
        bits = 8 * BYTES
        self._index: Any = (
            faiss.IndexBinaryMultiHash(bits, _PARTS, bits // _PARTS)
            if self._hashed
            else faiss.IndexBinaryFlat(bits)
        )
        self._index.add(codes)

    def __len__(self) -> int:
        return self._size

    def within(self, queries: Codes, distance: int = MAX_DISTANCE, *, exact: bool = True) -> Found:
        """Every code at most `distance` bits from a query.

        Without `exact` a large index looks up whole parts only, some fifteen times quicker: it finds all
        within 15 bits, and of those farther away most. Raises ValueError for a distance above 31.
        """
        if not 0 <= distance <= MAX_DISTANCE:
            raise ValueError(f"{distance} bits: the search promises up to {MAX_DISTANCE}")
        queries = _checked(queries)
        parts = [
            (*self._within(queries[start : start + _AT_ONCE], distance, exact), start)
            for start in range(0, len(queries) if self._size else 0, _AT_ONCE)
        ]
        if not parts:
            return _sorted(*(np.empty(0, np.int64) for _ in range(3)))
        limits = [np.repeat(np.arange(len(lims) - 1) + start, np.diff(lims)) for lims, _, _, start in parts]
        return _sorted(
            np.concatenate(limits),
            np.concatenate([labels for _, _, labels, _ in parts]),
            np.concatenate([distances for _, distances, _, _ in parts]),
        )

    def _within(self, queries: Codes, distance: int, exact: bool) -> tuple[Any, Any, Any]:
        if self._hashed:
            self._index.nflip = 1 if exact and distance > _PARTS - 1 else 0
        limits, distances, labels = self._index.range_search(queries, distance + 1)  # faiss: less than
        return limits.astype(np.int64), distances, labels


def nearest(codes: Codes, queries: Codes, count: int) -> Found:
    """For each query the `count` nearest codes, however far. Compares one by one."""
    codes, queries = _checked(codes), _checked(queries)
    import faiss

    count = min(count, len(codes))
    if not count or not len(queries):
        return _sorted(*(np.empty(0, np.int64) for _ in range(3)))
    index = faiss.IndexBinaryFlat(8 * BYTES)
    index.add(codes)
    distances, labels = index.search(queries, count)
    return _sorted(np.repeat(np.arange(len(queries)), count), labels.ravel(), distances.ravel())


def _checked(codes: Codes) -> Codes:
    if codes.dtype != np.uint8 or codes.ndim != 2 or codes.shape[1] != BYTES:
        raise ValueError(f"codes are uint8 of shape (n, {BYTES}), not {codes.dtype} {codes.shape}")
    return np.ascontiguousarray(codes)


def _sorted(queries: npt.NDArray[Any], codes: npt.NDArray[Any], distances: npt.NDArray[Any]) -> Found:
    order = np.lexsort((codes, distances, queries))
    return Found(
        queries[order].astype(np.int64), codes[order].astype(np.int64), distances[order].astype(np.int32)
    )
