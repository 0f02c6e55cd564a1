"""Host files of origins, fetched and cached for projects without a frontier of their own."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Generator, Sequence

from scrapy.core.downloader import Downloader
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest

from kyodaku.gate import GateVerdict, Need, OriginFacts
from kyodaku.hostfiles import HOST_FILE_FRESH, HOST_FILE_HOPS, document
from kyodaku.integrations.scrapy.guard import Guard
from kyodaku.integrations.scrapy.outcome import FetchFailed, fetched_of, fetched_of_failure
from kyodaku.netguard import host_of, origin_of
from kyodaku.signals.model import Fetched
from kyodaku.signals.protocols.robots import PROTOCOL as ROBOTS

#: Origins whose facts are kept; the one used longest ago goes first.
MAX_ORIGINS = 10_000


class HostFiles:
    """An `Origins` that asks through Scrapy itself: one fetch at a time per origin, kept for a day.

    Everybody who needs an origin while it is being asked waits for the same answer. An origin that is
    on hold is asked again after `retry_after` seconds. A robots.txt with a Crawl-delay slows its slot.
    """

    def __init__(self, crawler: Crawler, guard: Guard, *, retry_after: float) -> None:
        self._crawler = crawler
        self._guard = guard
        self._retry_after = retry_after
        self._known: OrderedDict[str, OriginFacts] = OrderedDict()
        self._asking: dict[str, asyncio.Task[OriginFacts]] = {}
        self._reading: dict[str, asyncio.Task[None]] = {}

    async def facts(self, origin: str) -> OriginFacts | None:
        """Facts about `origin`, fetched if need be. Whatever goes wrong is in the facts, or raised."""
        known = self._known.get(origin)
        if known is not None and self._fresh(known):
            self._known.move_to_end(origin)
            return known
        task = self._asking.get(origin)
        if task is None:
            task = asyncio.ensure_future(self._ask(origin, known))
            self._asking[origin] = task
            task.add_done_callback(lambda _: self._asking.pop(origin, None))
        return await asyncio.shield(task)

    def _fresh(self, facts: OriginFacts) -> bool:
        age = self._guard.permission.clock() - facts.fetched_at
        held = self._guard.permission.g1(facts.origin + "/", facts).verdict is GateVerdict.HOLD
        bridged = any(file.cached_age is not None for file in facts.files.values())
        return 0 <= age < (self._retry_after if held or bridged else HOST_FILE_FRESH)

    async def _ask(self, origin: str, known: OriginFacts | None) -> OriginFacts:
        machine = self._guard.permission.host_files(origin, known)
        try:
            need = next(machine)
            while True:
                answer = await self._fetch(need)
                if need.url == origin + "/robots.txt":  # its other files wait as long as it asks
                    self._slow_down(OriginFacts(origin, {"/robots.txt": answer}, answer.fetched_at))
                need = machine.send(answer)
        except StopIteration as stop:
            facts: OriginFacts = stop.value
        self._known[origin] = facts
        self._known.move_to_end(origin)
        if len(self._known) > MAX_ORIGINS:
            self._known.popitem(last=False)
        self._slow_down(facts)
        return facts

    async def read_documents(self, urls: Sequence[str]) -> None:
        """Put documents that a gate waits for into its library, each asked for once."""
        for url in urls:
            task = self._reading.get(url)
            if task is None:
                task = asyncio.ensure_future(self._read(url))
                self._reading[url] = task
                task.add_done_callback(lambda _, url=url: self._reading.pop(url, None))  # type: ignore[misc]
            await asyncio.shield(task)

    async def _read(self, url: str) -> None:
        permission = self._guard.permission
        if permission.documents.get(url) is not None:
            return
        machine = document(permission, url, HOST_FILE_HOPS, self._facts_of)
        try:
            need = next(machine)
            while True:
                need = machine.send(await self._fetch(need))
        except StopIteration as stop:
            permission.documents.put(url, stop.value)

    def _facts_of(self, url: str) -> Generator[Need, Fetched, OriginFacts]:
        """The host files of the origin of `url`: those that are known, or asked for now."""
        origin = origin_of(url)
        known = self._known.get(origin)
        if known is not None and self._fresh(known):
            return known
        return (yield from self._guard.permission.host_files(origin, known))

    async def _fetch(self, need: Need) -> Fetched:
        request = self._guard.host_file_request(need)
        engine = self._crawler.engine
        if engine is None:
            raise RuntimeError("host files were asked for before the engine was there")
        try:
            return fetched_of(await engine.download_async(request))
        except (FetchFailed, IgnoreRequest) as failure:
            return fetched_of_failure(request, failure, self._guard.permission.clock())

    def _slow_down(self, facts: OriginFacts) -> None:
        robots = facts.files.get("/robots.txt")
        delay = (
            None if robots is None else ROBOTS.crawl_delay(robots, self._guard.permission.rules.own_tokens)
        )
        downloader = self._crawler.engine.downloader if self._crawler.engine is not None else None
        if not delay or not isinstance(downloader, Downloader):
            return
        host = host_of(facts.origin)
        own = downloader.per_slot_settings.setdefault(host, {})
        own["delay"] = max(delay, float(own.get("delay", self._crawler.settings.getfloat("DOWNLOAD_DELAY"))))
        own["concurrency"], own["jitter"] = 1, 0.0  # never sooner than asked
        slot = downloader.slots.get(host)
        if slot is not None:
            slot.delay, slot.concurrency, slot.jitter = max(slot.delay, own["delay"]), 1, 0.0
