"""Figures over scores: Wilson intervals, the area under the ROC curve, recall at a rate of false alarms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

#: Below this many negatives a threshold at 1 % false alarms rests on too few: only the interval is told.
ENOUGH_NEGATIVES = 1000

_Z = 1.959964  # two-sided 95 %


@dataclass(frozen=True)
class Rate:
    """`hits` of `total`, with Wilson's 95 % interval; of a total of 0 that is 0 to 1."""

    hits: int
    total: int

    @property
    def value(self) -> float:
        """The share, 0.0 of nothing."""
        return self.hits / self.total if self.total else 0.0

    @property
    def low(self) -> float:
        """Lower end of the interval."""
        return wilson(self.hits, self.total)[0]

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        return wilson(self.hits, self.total)[1]

    def __add__(self, other: Rate) -> Rate:
        return Rate(self.hits + other.hits, self.total + other.total)


def wilson(hits: int, total: int) -> tuple[float, float]:
    """The 95 % score interval of a binomial share (E. B. Wilson, JASA 22, 1927). (0, 1) for a total of 0.

    Raises ValueError for counts that cannot be.
    """
    if not 0 <= hits <= total:
        raise ValueError(f"{hits} of {total}")
    if total == 0:
        return 0.0, 1.0
    share, square = hits / total, _Z * _Z
    middle = (share + square / (2 * total)) / (1 + square / total)
    half = _Z / (1 + square / total) * math.sqrt(share * (1 - share) / total + square / (4 * total * total))
    low = 0.0 if hits == 0 else max(0.0, middle - half)
    high = 1.0 if hits == total else min(1.0, middle + half)
    return low, high


def auc(positives: Sequence[float], negatives: Sequence[float]) -> float:
    """How often a positive scores above a negative, ties counted half (Mann-Whitney). NaN of nothing."""
    if not len(positives) or not len(negatives):
        return math.nan
    right = np.sort(np.asarray(negatives, float))
    values = np.asarray(positives, float)
    below = np.searchsorted(right, values, "left")
    upto = np.searchsorted(right, values, "right")
    return float((below + upto).sum() / 2 / (len(values) * len(right)))


def threshold_at(negatives: Sequence[float], rate: float) -> float:
    """The smallest score of which at most `rate` of `negatives` are above. Alarms are scores above it."""
    if not len(negatives):
        return math.inf
    ordered = np.sort(np.asarray(negatives, float))[::-1]
    return float(ordered[int(rate * len(ordered))]) if rate < 1 else -math.inf


def recall_at(positives: Sequence[float], negatives: Sequence[float], rate: float = 0.01) -> Rate:
    """Positives above the threshold that `negatives` set at `rate`."""
    threshold = threshold_at(negatives, rate)
    return Rate(int(sum(score > threshold for score in positives)), len(positives))
