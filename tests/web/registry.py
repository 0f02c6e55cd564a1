"""A local server that speaks the Do-Not-Train API, as a site of the small web."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable

from tests.web.model import Reply, Site, text
from tests.web.server import Visit

HOST = "opts.example"
PATH = "/api/v2/query/urls/"
ENDPOINT = f"https://{HOST}{PATH}"
KEY = "local-key"


class DoNotTrain:
    """Answers with `optOut` for each line. `opted_out` may change while it serves; after `lasts` batches it
    says nothing but 503, or, where it `hangs`, nothing at all. `batches` are the lists of addresses that it
    was asked about."""

    def __init__(self, opted_out: Iterable[str] = (), *, name: str = HOST) -> None:
        self.opted_out = set(opted_out)
        self.lasts = sys.maxsize
        self.hangs = False
        self.batches: list[list[str]] = []
        self.site = Site(name, "an opt-out service", "https", routes={PATH: self._answer}, seed=False)

    @property
    def asked(self) -> list[str]:
        """Every address it was asked about, in order."""
        return [url for batch in self.batches for url in batch]

    async def _answer(self, visit: Visit) -> Reply:
        request = visit.request
        if request.method != "POST" or request.header("Authorization") != f"API {KEY}":
            return text("no key, no answer\n", 401)
        if request.header("Content-Type") != "text/plain":
            return text("text/plain, please\n", 415)
        self.batches.append(request.body.decode("ascii").split("\n"))
        if len(self.batches) > self.lasts:
            await asyncio.sleep(60 if self.hangs else 0)  # ends when the client leaves
            return text("later\n", 503, ("Retry-After", "0"))
        urls = [{"url": url, "optOut": url in self.opted_out} for url in self.batches[-1]]
        return Reply(json.dumps({"urls": urls}).encode(), headers=(("Content-Type", "application/json"),))
