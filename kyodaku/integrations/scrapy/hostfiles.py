"""Host files of origins and documents, fetched and cached for projects without a frontier of their own."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Generator, Sequence

from scrapy.core.downloader import Downloader
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest

from kyodaku.gate import GateVerdict, Need, NeedKind, OriginFacts
from kyodaku.hostfiles import HOST_FILE_CAP, HOST_FILE_FRESH, HOST_FILE_HOPS, document
from kyodaku.integrations.scrapy.answers import SharedAnswers
from kyodaku.integrations.scrapy.guard import Guard
from kyodaku.integrations.scrapy.outcome import FetchFailed, fetched_of, fetched_of_failure
from kyodaku.recipe import Politeness
from kyodaku.signals.model import Fetched, FetchError
from kyodaku.signals.protocols.robots import PATH as ROBOTS_PATH
from kyodaku.signals.protocols.robots import PROTOCOL as ROBOTS
from kyodaku.urls import host_of, origin_of

#: Origins whose facts are kept; the one used longest ago goes first.
MAX_ORIGINS = 10_000
#: Seconds that a request waits for documents; then it is held, and they are there for the next one.
LONGEST_WAIT = 300.0


class HostFiles:
    """An `Origins` that asks through Scrapy itself: one fetch at a time per origin, kept for a day.

    Everybody who needs an origin, a file or a document while it is being asked for waits for the same
    answer. An origin that is on hold is asked again after the first of `politeness.hold_retries`. A
    robots.txt with a Crawl-delay slows its slot; a host that wants more than `politeness.max_delay` is asked
    for nothing else here, so its files and documents count as not to be had.
    """

    def __init__(self, crawler: Crawler, guard: Guard, politeness: Politeness) -> None:
        self._crawler = crawler
        self._guard = guard
        self._retry_after = min(politeness.hold_retries, default=300.0)
        self._max_delay = politeness.max_delay
        self._answers = SharedAnswers(self._fetch, guard.permission.clock, self._retry_after)
        self._known: OrderedDict[str, OriginFacts] = OrderedDict()
        self._asking: dict[str, asyncio.Task[OriginFacts]] = {}
        self._reading: dict[str, asyncio.Task[None]] = {}
        self._delays: dict[str, float] = {}  # by host, as its robots.txt asks for, in seconds

    async def facts(self, origin: str) -> OriginFacts:
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
        held = self._guard.permission.g1(facts.origin + "/", facts).verdict is GateVerdict.HOLD
        bridged = any(file.cached_age is not None for file in facts.files.values())
        if held or bridged:
            return 0 <= self._age(facts.fetched_at) < self._retry_after
        # A file that was asked for before, on somebody else's account, may be older than the facts.
        oldest = min((file.fetched_at for file in facts.files.values()), default=facts.fetched_at)
        return self._age(facts.fetched_at) >= 0 and self._age(oldest) < HOST_FILE_FRESH

    def _age(self, moment: float) -> float:
        return self._guard.permission.clock() - moment

    async def _ask(self, origin: str, known: OriginFacts | None) -> OriginFacts:
        machine = self._guard.permission.host_files(origin, known)
        try:
            need = next(machine)
            while True:
                need = machine.send(await self._answers.get(need, known.fetched_at if known else None))
        except StopIteration as stop:
            facts: OriginFacts = stop.value
        self._known[origin] = facts
        self._known.move_to_end(origin)
        if len(self._known) > MAX_ORIGINS:
            self._known.popitem(last=False)
        if ROBOTS_PATH in facts.files:  # as redirects or a bridge brought it
            self._slow_down(origin, facts.files[ROBOTS_PATH])
        return facts

    # ------------------------------------------------------------------ documents

    async def read_documents(self, urls: Sequence[str]) -> None:
        """Put documents that a gate waits for into its library, each asked for once."""
        tasks = [self._reading.get(url) or self._begin(url) for url in urls]
        if tasks:
            await asyncio.wait(tasks, timeout=LONGEST_WAIT)

    def _begin(self, url: str) -> asyncio.Task[None]:
        def ended(task: asyncio.Task[None]) -> None:
            self._reading.pop(url, None)
            if not task.cancelled():
                task.exception()  # then the document is missing still, and the gate holds

        task = asyncio.ensure_future(self._read(url))
        self._reading[url] = task
        task.add_done_callback(ended)
        return task

    async def _read(self, url: str) -> None:
        permission = self._guard.permission
        if permission.documents.get(url) is not None:
            return
        found: dict[str, OriginFacts] = {}
        machine = document(permission, url, HOST_FILE_HOPS, lambda url: _facts_of(url, found))
        try:
            need = next(machine)
            while True:
                if need.kind is NeedKind.HOST_FILE:
                    origin = origin_of(need.url)
                    found[origin] = await self.facts(origin)
                    need = machine.send(found[origin].files[ROBOTS_PATH])
                else:
                    need = machine.send(await self._answers.get(need))
        except StopIteration as stop:
            permission.documents.put(url, stop.value)

    # ------------------------------------------------------------------ asking

    async def _fetch(self, need: Need) -> Fetched:
        if self._delays.get(host_of(need.url), 0.0) > self._max_delay:
            now = self._guard.permission.clock()
            return Fetched(need.url, need.url, None, (), b"", False, FetchError.TOO_SLOW, now)
        request = self._guard.host_file_request(need)
        engine = self._crawler.engine
        if engine is None:
            raise RuntimeError("host files were asked for before the engine was there")
        try:
            answer = fetched_of(await engine.download_async(request))
        except (FetchFailed, IgnoreRequest) as failure:
            answer = fetched_of_failure(request, failure, self._guard.permission.clock())
        origin = origin_of(need.url)
        if need.url == origin + ROBOTS_PATH:  # everything else of this host waits as long as it asks
            self._slow_down(origin, answer)
        return answer

    def _slow_down(self, origin: str, robots: Fetched) -> None:
        delay = ROBOTS.crawl_delay(robots, self._guard.permission.rules.own_tokens)
        downloader = self._crawler.engine.downloader if self._crawler.engine is not None else None
        if not delay or not isinstance(downloader, Downloader):
            return
        host = host_of(origin)
        self._delays[host] = delay
        own = downloader.per_slot_settings.setdefault(host, {})
        own["delay"] = max(delay, float(own.get("delay", self._crawler.settings.getfloat("DOWNLOAD_DELAY"))))
        own["concurrency"], own["jitter"] = 1, 0.0  # never sooner than asked
        slot = downloader.slots.get(host)
        if slot is not None:
            slot.delay, slot.concurrency, slot.jitter = max(slot.delay, own["delay"]), 1, 0.0


def _facts_of(url: str, found: dict[str, OriginFacts]) -> Generator[Need, Fetched, OriginFacts]:
    """The host files of the origin of `url`: asking for its robots.txt stands for asking for them all."""
    origin = origin_of(url)
    if origin not in found:
        yield Need(origin + ROBOTS_PATH, NeedKind.HOST_FILE, HOST_FILE_CAP)
    return found[origin]
