"""The clerk asks the registry service, in batches, about every address before the crawl asks for it.

One batch is under way at a time, at the pace of the politeness section. What it brings is on the disk before
any of its addresses is asked for; a kill costs the batch under way, which is asked again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from crawler.crawl import Crawl
from kyodaku.fetcher import Fetcher
from kyodaku.recipe.sections import Spawning
from kyodaku.spawning import SpawningClient

#: Seconds between two looks for addresses that nobody asked about.
_LOOK = 0.05


async def ask_service(crawl: Crawl, section: Spawning, wake: Callable[[], None]) -> None:
    """Ask until cancelled. `wake` is called whenever requests may have become due."""
    clock = crawl.permission.clock
    try:
        async with Fetcher.for_recipe(crawl.recipe, crawl.permission.rules.net, clock=clock) as fetcher:
            client = SpawningClient.of(section, fetcher.get, clock)
            while crawl.error is None:
                urls = crawl.frontier.unanswered(client.batch) if crawl.frontier.asking else []
                if not urls:
                    await asyncio.sleep(_LOOK)
                    continue
                crawl.registry_answered(await client.query(urls))
                wake()
    except Exception as error:  # without answers nothing can go on
        crawl.fail(error)
        wake()
