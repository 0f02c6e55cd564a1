"""A spider that takes every image of the pages it is given."""

import json

import scrapy


class Shop(scrapy.Spider):
    """`-a plan=FILE`: JSON with `pages` to visit, `direct` URLs to fetch, and what to `take`."""

    name = "shop"

    def __init__(self, plan="", **kwargs):
        super().__init__(**kwargs)
        with open(plan, encoding="utf-8") as file:
            wanted = json.load(file)
        self.pages = wanted["pages"]
        self.direct = wanted["direct"]
        self.take = wanted["take"]

    async def start(self):
        """The pages, and images asked for without any page."""
        for page in self.pages:
            yield scrapy.Request(page, self.parse, errback=self.closed_gate)
        for url in self.direct:
            yield scrapy.Request(url, self.keep, errback=self.closed_gate)

    def parse(self, response):
        """Images of one page."""
        found = [response.urljoin(src) for src in response.css("img::attr(src)").getall()]
        images = [url for url in found if url.startswith("http")]
        yield {"page": response.url, f"{self.take}_urls": images}

    def keep(self, response):
        """An answer that reached the spider."""
        yield {"reached": response.url, "bytes": len(response.body)}

    def closed_gate(self, failure):
        """An answer that did not."""
        error = failure.value
        result = getattr(error, "result", None)
        yield {
            "lost": failure.request.url,
            "error": type(error).__name__,
            "gate": getattr(result, "gate", ""),
            "reason": getattr(result, "reason", ""),
        }
