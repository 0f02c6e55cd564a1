"""Answers that many wait for: every address is asked once, whoever needs it in the meantime waits too."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from kyodaku.gate import Need
from kyodaku.hostfiles import HOST_FILE_FRESH
from kyodaku.signals.model import Fetched

#: Bodies kept, in bytes, and answers; the one used longest ago goes first.
MAX_BYTES = 64 * 1024 * 1024
MAX_ANSWERS = 10_000


class SharedAnswers:
    """Host files and documents by URL, as `fetch` brought them. `clock` is Unix seconds.

    An answer holds for a day; what could not be had may be asked for again after `retry_after` seconds.
    """

    def __init__(
        self, fetch: Callable[[Need], Awaitable[Fetched]], clock: Callable[[], float], retry_after: float
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._retry_after = min(retry_after, HOST_FILE_FRESH)
        self._known: OrderedDict[str, Fetched] = OrderedDict()
        self._bytes = 0
        self._asking: dict[str, asyncio.Task[Fetched]] = {}

    async def get(self, need: Need, after: float | None = None) -> Fetched:
        """The answer to `need`, fetched if need be; one from before `after` (Unix seconds) does not do."""
        known = self._known.get(need.url)
        if known is not None and self._holds(known) and (after is None or known.fetched_at > after):
            self._known.move_to_end(need.url)
            return known
        task = self._asking.get(need.url)
        if task is None:
            task = asyncio.ensure_future(self._ask(need))
            self._asking[need.url] = task
            task.add_done_callback(lambda _: self._asking.pop(need.url, None))
        return await asyncio.shield(task)

    async def _ask(self, need: Need) -> Fetched:
        answer = await self._fetch(need)
        self._forget(need.url)
        self._known[need.url] = answer
        self._bytes += len(answer.body)
        while self._bytes > MAX_BYTES or len(self._known) > MAX_ANSWERS:
            self._forget(next(iter(self._known)))
        return answer

    def _holds(self, answer: Fetched) -> bool:
        failed = answer.error is not None or not answer.complete or (answer.status or 0) >= 400
        missing = answer.error is None and answer.status in (404, 410)
        age = self._clock() - answer.fetched_at
        return 0 <= age < (self._retry_after if failed and not missing else HOST_FILE_FRESH)

    def _forget(self, url: str) -> None:
        old = self._known.pop(url, None)
        if old is not None:
            self._bytes -= len(old.body)
