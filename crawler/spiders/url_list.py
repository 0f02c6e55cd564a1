"""Lists of image URLs, beside the sites of the same recipe."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from crawler.answers.seeds import enter_list, enter_sites
from crawler.spiders.base import PermissionSpider


class UrlListSpider(PermissionSpider):
    """Begins at the recipe's `seeds.url_lists`, and at its sites and sitemaps if it names some.

    An image whose row names a page is asked for only after that page was: artists opt out on pages.
    """

    name = "url_list"

    async def enter_seeds(self) -> AsyncIterator[int]:
        """Sites at once, lists in steps while the crawl is running already."""
        enter_sites(self.crawl)
        base: Path = self.settings["KYODAKU_BASE"]
        for name in self.crawl.recipe.seeds.url_lists:
            for entered in enter_list(self.crawl, base / name):
                yield entered
                await asyncio.sleep(0)
