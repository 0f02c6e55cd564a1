"""Host files of origins, fetched and cached for projects without a frontier of their own."""

from __future__ import annotations

from scrapy.crawler import Crawler

from kyodaku.integrations.scrapy.guard import Guard
from kyodaku.permission import OriginFacts


class HostFiles:
    """An `Origins` that asks through Scrapy itself, one origin at a time."""

    def __init__(self, crawler: Crawler, guard: Guard, *, retry_after: float) -> None:
        self._crawler = crawler
        self._guard = guard
        self._retry_after = retry_after

    async def facts(self, origin: str) -> OriginFacts | None:
        """Facts about `origin`, fetched if need be."""
        return None
