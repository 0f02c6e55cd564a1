"""Scrapy's `SCHEDULER`: hands the frontier's due jobs to the engine, and wakes it when the next is due."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from scrapy import Request, Spider
from scrapy.core.scheduler import BaseScheduler
from scrapy.crawler import Crawler
from twisted.internet.defer import Deferred

from crawler.clerk import ask_service
from crawler.crawl import Crawl, Outgoing
from crawler.store.schema import Kind
from kyodaku.integrations.scrapy import META_EVIDENCE, META_KIND, META_SIGNALS, guard_of

#: Where a request carries its `Job`.
META_JOB = "kyodaku_job"
#: How long the engine may sleep although nothing is known to become due, in seconds.
_LONGEST_SLEEP = 1.0
#: The same while answers wait to be committed.
_COMMIT_WITHIN = 0.05


class FrontierScheduler(BaseScheduler):
    """The durable frontier behind Scrapy's scheduler interface.

    The setting `KYODAKU_CRAWL` holds a `Shared` with the `Crawl`. Requests reach the frontier by the
    spider's methods, not through the engine: `enqueue_request` takes none.
    """

    def __init__(self, crawler: Crawler, crawl: Crawl) -> None:
        self._crawler = crawler
        self._crawl = crawl
        self._spider: Any = None
        self._timer: asyncio.TimerHandle | None = None
        self._wake_at = float("inf")
        self._clerk: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> FrontierScheduler:
        """Called by Scrapy."""
        return cls(crawler, crawler.settings["KYODAKU_CRAWL"].value)

    def open(self, spider: Spider) -> None:
        """Called by Scrapy once the spider is there: its methods are the callbacks."""
        self._spider = spider
        section = self._crawl.recipe.registries.spawning
        if section is not None:
            self._clerk = asyncio.get_running_loop().create_task(
                ask_service(self._crawl, section, self._wake)
            )

    def close(self, reason: str) -> Deferred[None] | None:
        """Called by Scrapy at the end; the crawl's files are closed by whoever opened them."""
        if self._timer is not None:
            self._timer.cancel()
        if self._clerk is None:
            return None
        self._clerk.cancel()
        return Deferred.fromFuture(asyncio.gather(self._clerk, return_exceptions=True)).addCallback(_nothing)

    def has_pending_requests(self) -> bool:
        """True while the frontier may still ask something."""
        return self._crawl.has_work()

    def enqueue_request(self, request: Request) -> bool:
        """No: everything enters the frontier through G0 and the scope."""
        return False

    def next_request(self) -> Request | None:
        """A due request of an open origin, or None and a timer."""
        outgoing = self._crawl.next()
        if outgoing is None:
            self._set_timer()
            return None
        return self._request(outgoing)

    def _request(self, outgoing: Outgoing) -> Request:
        job = outgoing.job
        common = {"errback": self._spider.on_failure, "dont_filter": True}
        if job.run is not None and job.run.need is not None:
            guard = guard_of(self._crawler)
            callback = self._spider.on_host_file
            return guard.host_file_request(job.run.need, callback=callback, meta={META_JOB: job}, **common)
        image = job.row is not None and job.row.kind is Kind.IMAGE
        meta: dict[str, Any] = {
            META_JOB: job,
            META_KIND: "image" if image else "page",
            "handle_httpstatus_all": True,
            "dont_redirect": True,
            "dont_retry": True,
        }
        if image:
            meta[META_EVIDENCE], meta[META_SIGNALS] = outgoing.evidence, outgoing.signals
        return Request(job.url, callback=self._spider.on_answer, meta=meta, **common)

    def _set_timer(self) -> None:
        due = self._crawl.frontier.next_due()
        now = time.monotonic()
        latest = now + (_COMMIT_WITHIN if self._crawl.journal.waiting else _LONGEST_SLEEP)
        at = latest if due is None else min(max(due, now), latest)
        if self._timer is not None:
            if now < self._wake_at <= at:
                return
            self._timer.cancel()
        self._wake_at = at
        self._timer = asyncio.get_running_loop().call_later(at - now + 0.0005, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._wake_at = float("inf")
        self._crawl.commit()
        engine = self._crawler.engine
        slot = engine._slot if engine is not None else None
        if slot is not None:
            slot.nextcall.schedule()  # Scrapy has no public way to say "look again"


def _nothing(_: object) -> None:
    """How the clerk ended says nothing."""
