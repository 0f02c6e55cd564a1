"""The peer: a plain Scrapy project with FilesPipeline, robots.txt obeyed, nothing of ours unless asked.

python -m benchmarks.crawl.stock SEEDS STORE [--addon RECIPE]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import scrapy
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.http import Response

CONCURRENCY = 32


class StockSpider(scrapy.Spider):
    """Follows every link of a host and hands every image to FilesPipeline."""

    name = "stock"

    def __init__(self, seeds: list[str], **arguments: Any) -> None:
        super().__init__(**arguments)
        self.seeds = seeds

    async def start(self) -> AsyncIterator[Any]:
        for url in self.seeds:
            yield scrapy.Request(url)

    def parse(self, response: Response) -> Iterator[Any]:
        yield {"file_urls": [response.urljoin(src) for src in response.css("img::attr(src)").getall()]}
        for href in response.css("a::attr(href)").getall():
            if href.startswith("/"):
                yield response.follow(href)


def main() -> None:
    """Crawl, then print one JSON object with the number of files stored."""
    parser = argparse.ArgumentParser()
    parser.add_argument("seeds", type=Path)
    parser.add_argument("store", type=Path)
    parser.add_argument("--addon", type=Path)
    given = parser.parse_args()
    settings: dict[str, Any] = {
        "ROBOTSTXT_OBEY": True,
        "CONCURRENT_REQUESTS": CONCURRENCY,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        "DOWNLOAD_DELAY": 0,
        "LOG_LEVEL": "ERROR",
        "TELNETCONSOLE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        "ITEM_PIPELINES": {"scrapy.pipelines.files.FilesPipeline": 1},
        "FILES_STORE": str(given.store),
    }
    if given.addon:
        settings["ADDONS"] = {"kyodaku.integrations.scrapy.KyodakuAddon": 0}
        settings["KYODAKU_RECIPE"] = str(given.addon)
    process = AsyncCrawlerProcess(settings)
    crawler = process.create_crawler(StockSpider)
    process.crawl(crawler, seeds=given.seeds.read_text().split())
    process.start()
    files = crawler.stats.get_value("file_count", 0) if crawler.stats else 0
    print(json.dumps({"images": files}))


if __name__ == "__main__":
    main()
