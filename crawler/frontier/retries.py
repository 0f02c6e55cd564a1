"""When what is held is tried again."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Sequence


class Retries:
    """The recipe's hold intervals, in seconds, and the actions that wait for theirs on the monotonic clock.

    Nothing here survives the process: after a restart every hold waits its whole interval again.
    """

    def __init__(self, intervals: Sequence[float], now: Callable[[], float]) -> None:
        self._intervals = tuple(intervals)
        self._now = now
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def interval(self, holds: int) -> float | None:
        """How long the hold number `holds` (from 1) lasts; None when it stays a hold."""
        return self._intervals[holds - 1] if 0 < holds <= len(self._intervals) else None

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Run `action` once `seconds` have passed."""
        heapq.heappush(self._heap, (self._now() + seconds, next(self._order), action))

    def next_due(self) -> float | None:
        """When the next action is due, on the monotonic clock."""
        return self._heap[0][0] if self._heap else None

    def run_due(self) -> None:
        """Run what is due."""
        while self._heap and self._heap[0][0] <= self._now():
            heapq.heappop(self._heap)[2]()
