"""Sites and sitemaps: pages in scope are followed, their images become candidates."""

from __future__ import annotations

from collections.abc import AsyncIterator

from crawler.answers.seeds import enter_sites
from crawler.spiders.base import PermissionSpider


class SiteSpider(PermissionSpider):
    """Begins at the recipe's `seeds.sites` and `seeds.sitemaps`."""

    name = "site"

    async def enter_seeds(self) -> AsyncIterator[int]:
        """Sites and sitemaps, at once."""
        enter_sites(self.crawl)
        yield 0
