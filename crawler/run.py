"""One Scrapy process for one run: settings out of a StageContext, the reactor, and its end."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from scrapy.crawler import AsyncCrawlerProcess
from scrapy.settings import Settings

import crawler.settings
from crawler.crawl import Crawl
from crawler.progress import Progress
from crawler.spiders.site import SiteSpider
from crawler.spiders.url_list import UrlListSpider
from kyodaku.durable import disk_full_as_error
from kyodaku.integrations.scrapy import Shared
from kyodaku.stages import StageContext


def run_scrapy(context: StageContext, crawl: Crawl) -> None:
    """Crawl until nothing is left to ask, Ctrl-C, or an error (then `crawl.error` is set).

    The Twisted reactor starts once in a process, so this can be called once.
    """
    settings = Settings()
    settings.setmodule(crawler.settings, priority="project")
    settings.setdict(run_settings(context, crawl), priority="cmdline")
    with logging_to(context.run.log):
        process = AsyncCrawlerProcess(settings)
        spider = UrlListSpider if context.recipe.seeds.url_lists else SiteSpider
        process.crawl(spider)
        with Progress(context, crawl):
            process.start()


def run_settings(context: StageContext, crawl: Crawl) -> dict[str, Any]:
    """What one run decides."""
    recipe = context.recipe
    fits = max(1, recipe.network.max_in_flight // recipe.network.max_image)
    return {
        "KYODAKU_RECIPE": Shared(recipe),
        "KYODAKU_PERMISSION": Shared(crawl.permission),
        "KYODAKU_ORIGINS": Shared(crawl.origins),
        "KYODAKU_PRINTS": Shared(crawl.printer.of),
        "KYODAKU_CRAWL": Shared(crawl),
        "KYODAKU_BASE": context.recipe_path.parent,
        "LOG_INSTALL_ROOT_HANDLER": False,  # crawl.log is ours
        "CONCURRENT_REQUESTS": min(recipe.politeness.connections, fits),
    }


@contextmanager
def logging_to(path: Path) -> Iterator[None]:
    """Warnings and errors of the block go to the end of the file `path`. Raises DiskFullError where it
    cannot even be opened."""
    with disk_full_as_error(path):
        handler = _Log(path, encoding="utf-8")
    handler.setLevel(logging.WARNING)
    handler.setFormatter(logging.Formatter("%(asctime)s [%(name)s] %(levelname)s: %(message)s"))
    logging.root.addHandler(handler)
    try:
        yield
    finally:
        logging.root.removeHandler(handler)
        with suppress(OSError):
            handler.close()


class _Log(logging.FileHandler):
    """A log that a full disk silences: the crawl itself says what happened, in one line."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Drop the record."""
