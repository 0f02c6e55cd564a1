"""What both spiders share: answers go to the crawl, which decides what becomes of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, Self

from scrapy import Spider
from scrapy.crawler import Crawler
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.answers.answers import answer_of, answer_of_failure
from crawler.crawl import Crawl
from crawler.frontier.scheduler import META_JOB
from kyodaku.errors import UsageError
from kyodaku.integrations.scrapy import fetched_of, fetched_of_failure


class PermissionSpider(Spider):
    """Callbacks of every request that the frontier hands out. They yield nothing: links and candidates
    enter the frontier, bytes the raw shards, facts the store, all in one transaction."""

    crawl: Crawl

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """Called by Scrapy. Raises UsageError outside `kyodaku crawl`, which opens the run."""
        shared = crawler.settings.get("KYODAKU_CRAWL")
        if shared is None:
            raise UsageError("these spiders need an open run: start them with `kyodaku crawl RECIPE`")
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider.crawl = shared.value
        return spider

    async def start(self) -> AsyncIterator[Any]:
        """Enter the seeds into the frontier."""
        try:
            async for _ in self.enter_seeds():
                pass
        except Exception as error:
            self.crawl.fail(error)
        self.crawl.seeds_entered = True
        return
        yield  # an async generator, as Scrapy wants it

    def enter_seeds(self) -> AsyncIterator[int]:
        """Enter the seeds step by step."""
        raise NotImplementedError

    def on_host_file(self, response: Response) -> None:
        """A host file came."""
        self.crawl.host_file(response.meta[META_JOB], fetched_of(response), asked=True)

    async def on_answer(self, response: Response) -> None:
        """A page or an image came through all its gates."""
        job, answer = response.meta[META_JOB], answer_of(response)
        if self.crawl.comes_late(job, answer):
            answer = replace(answer, prints=await self.crawl.printer.of(response.body))
        self.crawl.answered(job, answer)

    def on_failure(self, failure: Failure) -> None:
        """A gate closed, or the request broke off."""
        request = failure.request  # type: ignore[attr-defined]
        job = request.meta[META_JOB]
        now = self.crawl.permission.clock()
        error = failure.value or RuntimeError("a failure without an error")
        if job.run is not None:
            fetched = fetched_of_failure(request, error, now)
            self.crawl.host_file(job, fetched, asked=bool(fetched.hops))
        else:
            self.crawl.answered(job, answer_of_failure(request, error, now))
