"""Answers that many wait for: documents, and host files of the origins that documents lie on.

A thousand sites may name one licence. Its address and its host's files are asked for once, and whoever
needs them in the meantime waits for the same answer.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from kyodaku.gate import Need, NeedKind
from kyodaku.hostfiles import HOST_FILE_FRESH
from kyodaku.signals.model import Fetched

#: Bodies kept, in bytes; the answer used longest ago goes first.
MAX_BYTES = 64 * 1024 * 1024
#: Answers kept.
MAX_ANSWERS = 10_000

Waiter = TypeVar("Waiter")


class SharedAnswers(Generic[Waiter]):
    """Answers by URL, and who waits for those under way. `now` is the monotonic clock, `retry_after` the
    seconds after which what could not be had may be asked for again; everything else holds for a day."""

    def __init__(self, now: Callable[[], float], retry_after: float) -> None:
        self._now = now
        self._retry_after = min(retry_after, HOST_FILE_FRESH)
        self._known: OrderedDict[str, tuple[float, Fetched]] = OrderedDict()
        self._bytes = 0
        self._waiting: dict[str, list[Waiter]] = {}

    def get(self, url: str) -> Fetched | None:
        """An answer that still holds."""
        until, fetched = self._known.get(url, (0.0, None))
        if fetched is None or self._now() >= until:
            return None
        self._known.move_to_end(url)
        return fetched

    def join(self, url: str, waiter: Waiter) -> bool:
        """True when `waiter` has to ask itself; otherwise it is handed out by `put`."""
        if url in self._waiting:
            self._waiting[url].append(waiter)
            return False
        self._waiting[url] = []
        return True

    def put(self, need: Need, fetched: Fetched) -> list[Waiter]:
        """The answer to one who asked; all who waited for it."""
        self._forget(need.url)
        held_for = HOST_FILE_FRESH if _is_settled(need, fetched) else self._retry_after
        self._known[need.url] = (self._now() + held_for, fetched)
        self._bytes += len(fetched.body)
        while self._bytes > MAX_BYTES or len(self._known) > MAX_ANSWERS:
            self._forget(next(iter(self._known)))
        return self._waiting.pop(need.url, [])

    def _forget(self, url: str) -> None:
        _, old = self._known.pop(url, (0.0, None))
        if old is not None:
            self._bytes -= len(old.body)


def _is_settled(need: Need, fetched: Fetched) -> bool:
    """False for what may be had later: a failure, and a document that is gone, which is a hold."""
    if fetched.error is not None or not fetched.complete or fetched.status is None:
        return False
    gone = need.kind is NeedKind.HOST_FILE and fetched.status in (404, 410)
    return gone or 200 <= fetched.status < 400
