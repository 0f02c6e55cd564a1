"""The gate beside the engine: what leaves for spiders and pipelines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import HtmlResponse, Response

from kyodaku.integrations.scrapy.failures import broken_off, fetch_error
from kyodaku.integrations.scrapy.guard import Exchange, Guard
from kyodaku.integrations.scrapy.lookup import guard_of
from kyodaku.integrations.scrapy.middleware import is_redirect
from kyodaku.integrations.scrapy.outcome import (
    META_KIND,
    META_TRAIL,
    FetchFailed,
    GateClosed,
    GateTrail,
    Kind,
    fetched_of,
    gate_exception,
)
from kyodaku.signals.carriers.embedded import IMAGE_FORMATS, sniff
from kyodaku.signals.model import FetchError, Hop

#: The documents that a request waited for before it was made again, a list for each time.
_WAITED = "kyodaku_waited"
#: Times that one request waits; one whose head names ever new documents stays held.
_MAX_WAITS = 8


class SealMiddleware:
    """Beside the engine: nothing leaves that was not judged as it now is.

    Pages of requests without a kind are read by G2 here, after every other middleware, and remembered for
    the images they show; a page that G2 does not open is not handed on, so no candidate leaves it.
    """

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._permission = guard.permission

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Called by Scrapy."""
        return cls(guard_of(crawler))

    async def process_response(self, request: Request, response: Response) -> Response:
        """The response, if it is still the one that was judged. Raises GateClosed."""
        exchange = self._guard.exchange(request)
        trail = request.meta.get(META_TRAIL)
        if exchange is None or exchange.closed is not None or not isinstance(trail, GateTrail):
            raise self._guard.tell(GateClosed(gate_exception("g5")))
        try:
            judged, exchange.body = exchange.body, b""
            same = response.body is judged or sha256(response.body).hexdigest() == trail.sha256
            as_served = exchange.image or exchange.kind is Kind.HOST_FILE
            if not same and (as_served or sniff(response.body) in IMAGE_FORMATS):
                raise exchange.close(gate_exception("g5"))
            versions = [response.body] if same else [judged, response.body]
            if not exchange.image and _is_page(request, response, exchange, trail, versions):
                await self._read_page(request, response, exchange, versions)
            if exchange.kind is not Kind.HOST_FILE:
                self._guard.ask_pages(request, exchange, exchange.digest)  # those read in the meantime
        except GateClosed as error:
            self._guard.tell(error)
            raise
        except Exception as error:
            raise self._guard.tell(exchange.close(gate_exception("g5"))) from error
        return response

    async def _read_page(
        self, request: Request, response: Response, exchange: Exchange, versions: Sequence[bytes]
    ) -> None:
        """G2 of a page as it was served and as it is handed on, which other middlewares may have changed."""
        if response.request is None:
            response.request = request
        page = fetched_of(response)
        hops = tuple(Hop(url, 302) for url in request.meta.get("redirect_urls", ()))
        for body in versions:
            version = replace(page, hops=(*hops, *page.hops), body=body)
            facts = self._permission.g2(version)
            self._guard.pages.remember(exchange.url, facts)  # its images wait for its documents, too
            if facts.result.documents and self._guard.read_documents is not None:
                await self._guard.read_documents(facts.result.documents)
                facts = self._permission.g2(version)
                self._guard.pages.remember(exchange.url, facts)
            if not facts.result.open:
                raise exchange.close(facts.result)

    async def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """Every failure of a request with a kind becomes GateClosed or, for a host file, FetchFailed.

        A request whose gate names documents that have to be read first is made again after that.
        """
        again = await self._asked_again(request, exception)
        if again is None:
            self._tell_failure(request, exception)
        return again

    async def _asked_again(self, request: Request, exception: Exception) -> Request | None:
        wanted = list(exception.result.documents) if isinstance(exception, GateClosed) else []
        waited = request.meta.get(_WAITED, [])
        known = {url for urls in waited for url in urls}
        if self._guard.read_documents is None or len(waited) >= _MAX_WAITS or known.issuperset(wanted):
            return None
        try:
            await self._guard.read_documents(wanted)
        except Exception:
            return None  # the hold stays
        return request.replace(dont_filter=True, meta={**request.meta, _WAITED: [*waited, wanted]})

    def _tell_failure(self, request: Request, exception: Exception) -> None:
        kind = request.meta.get(META_KIND, "")
        ours = isinstance(exception, GateClosed | FetchFailed)
        if isinstance(exception, IgnoreRequest) and not ours:
            return  # another middleware's decision
        if isinstance(exception, GateClosed) and kind != Kind.HOST_FILE:
            self._guard.tell(exception)
            return
        if kind == Kind.UNKNOWN and not ours:
            return  # a foreign project knows Scrapy's own errors
        exchange = self._guard.exchange(request)
        if exchange is None:
            exchange = Exchange(request.url, _kind(kind), 0, [])
        error = FetchError.BLOCKED if isinstance(exception, GateClosed) else fetch_error(exception)
        failure = broken_off(self._permission, exchange, error)
        if isinstance(failure, GateClosed):
            self._guard.tell(failure)
        raise failure from exception


def _kind(value: object) -> Kind:
    return next((kind for kind in Kind if kind == value), Kind.UNKNOWN)


def _is_page(
    request: Request,
    response: Response,
    exchange: Exchange,
    trail: GateTrail,
    versions: Sequence[bytes],
) -> bool:
    if exchange.kind is not Kind.UNKNOWN or request.method == "HEAD" or is_redirect(trail.head):
        return False
    return isinstance(response, HtmlResponse) or "html" in map(sniff, versions)
