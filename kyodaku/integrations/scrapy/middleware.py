"""The gates beside the downloader: what may be sent, and what may come in."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from typing import Any, Self

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import StopDownload
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from scrapy.responsetypes import responsetypes

from kyodaku.decoding import ACCEPT_ENCODING, DecodingError, codings, decoded
from kyodaku.gate import GateResult, GateVerdict, OriginFacts, redirect_target
from kyodaku.hostfiles import HOST_FILE_CAP
from kyodaku.integrations.scrapy.failures import broken_off
from kyodaku.integrations.scrapy.guard import Exchange, Guard
from kyodaku.integrations.scrapy.lookup import guard_of
from kyodaku.integrations.scrapy.outcome import (
    META_CAP,
    META_EVIDENCE,
    META_KIND,
    META_SIGNALS,
    META_TRAIL,
    FetchFailed,
    GateClosed,
    GateTrail,
    Kind,
    gate_exception,
)
from kyodaku.netguard import normalise_url, origin_of
from kyodaku.reasons import FailReason, HoldReason, RefuseReason
from kyodaku.signals.carriers.c2pa import holds_jumbf
from kyodaku.signals.carriers.embedded import IMAGE_FORMATS, sniff
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.model import Fetched, FetchError

#: What a redirect may carry along before its connection is cut; it is never looked at.
_REDIRECT_BODY = 16 * 1024


class GateMiddleware:
    """Beside the downloader: G0, G1, G3 before a request leaves; G4, G5 as its answer comes in.

    What leaves is exactly what was asked about: the request object is admitted by identity, under its
    normalised URL. Anything that fails in here is a hold.
    """

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._permission = guard.permission

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Called by Scrapy."""
        guard = guard_of(crawler)
        guard.count = crawler.stats.inc_value
        middleware = cls(guard)
        crawler.signals.connect(middleware.headers_received, signals.headers_received)
        crawler.signals.connect(middleware.bytes_received, signals.bytes_received)
        return middleware

    # -------------------------------------------------------------- before the request

    async def process_request(self, request: Request) -> None:
        """Admit `request`, or raise GateClosed."""
        request.meta.pop(META_TRAIL, None)
        self._guard.forget(request)
        try:
            exchange = await self._admitted(request)
        except GateClosed:
            raise
        except Exception as error:
            raise GateClosed(gate_exception("g0")) from error
        self._dress(request, exchange)
        self._guard.admit(request, exchange)

    async def _admitted(self, request: Request) -> Exchange:
        kind = Kind(request.meta.get(META_KIND, ""))
        results = [self._permission.g0(request.url, services=kind is not Kind.HOST_FILE)]
        if request.meta.get("proxy"):
            results = [GateResult("g0", GateVerdict.REFUSE, RefuseReason.ADDRESS_BLOCKED.value)]
        if not results[-1].open:
            raise _closed(results)
        url = normalise_url(request.url)
        exchange = Exchange(
            url,
            kind,
            self._cap(request, kind),
            results,
            signals=tuple(request.meta.get(META_SIGNALS, ())),
            evidence=tuple(request.meta.get(META_EVIDENCE, ())),
        )
        if kind is Kind.HOST_FILE:
            if not self._guard.made(request):
                raise _closed([*results, gate_exception("g1")])
            return exchange
        self._guard.ask_pages(request, exchange)
        facts = await self._facts(url)
        if facts is None:
            raise _closed([*results, GateResult("g1", GateVerdict.HOLD, HoldReason.NOT_FINISHED.value)])
        gate = (
            self._permission.g1 if kind is Kind.PAGE else self._permission.g3
        )  # any other may be an image's
        result = gate(url, facts)
        if result.documents and self._guard.read_documents is not None:
            await self._guard.read_documents(result.documents)
            result = gate(url, facts)
        results.append(result)
        if not results[-1].open:
            raise _closed(results)
        exchange.facts = facts
        return exchange

    async def _facts(self, url: str) -> OriginFacts | None:
        origins = self._guard.origins
        if origins is None:
            return None
        found = origins.facts(origin_of(url))
        return await found if inspect.isawaitable(found) else found

    def _cap(self, request: Request, kind: Kind) -> int:
        network = self._guard.network
        if kind is Kind.HOST_FILE:
            return min(int(request.meta.get(META_CAP, HOST_FILE_CAP)), HOST_FILE_CAP)
        caps = {Kind.IMAGE: network.max_image, Kind.PAGE: network.max_page}
        return caps.get(kind, max(network.max_image, network.max_page))

    def _dress(self, request: Request, exchange: Exchange) -> None:
        """Our own name on every request, and codings only where we unpack."""
        pipeline = request.callback is NO_CALLBACK  # how a media pipeline asks
        shown = pipeline or self._guard.pages.shows(exchange.url)
        exchange.shown = exchange.kind is Kind.UNKNOWN and shown
        identity = exchange.shown or exchange.kind in (Kind.IMAGE, Kind.HOST_FILE)
        request.headers["User-Agent"] = self._guard.user_agent
        request.headers["Accept-Encoding"] = "identity" if identity else ACCEPT_ENCODING
        if request.meta.get("redirect_times"):
            request.meta.pop("download_slot", None)  # copied from the host that sent us here

    # -------------------------------------------------------------- while the answer comes in

    def headers_received(self, request: Request, body_length: object, **_: Any) -> None:
        """G4, before any byte of the body is kept. Raises StopDownload.

        `body_length` is in bytes; Twisted's UNKNOWN_LENGTH, which is a string, where none was announced.
        """
        exchange = self._guard.exchange(request)
        if exchange is None:
            raise StopDownload(fail=True)
        length = body_length if isinstance(body_length, int) else None
        _closing(exchange, "g4", lambda: self._judge_head(exchange, length))
        exchange.judged = True

    def _judge_head(self, exchange: Exchange, length: int | None) -> None:
        head = exchange.head
        if head is None:
            raise RuntimeError("a response without a head")
        if is_redirect(head):
            if exchange.kind is Kind.IMAGE or exchange.shown:
                self._require(exchange, self._permission.g4_hop(head))
            if length is None or length > _REDIRECT_BODY:
                exchange.judged = True
                raise StopDownload(fail=False)
            return
        media_type = (head.first("content-type") or "").strip().lower()
        if exchange.kind is Kind.IMAGE or (
            exchange.kind is not Kind.HOST_FILE and media_type.startswith("image/")
        ):
            self._ask_g4(exchange, head)
        elif exchange.kind is Kind.UNKNOWN and "html" in media_type:
            exchange.cap = min(exchange.cap, self._guard.network.max_page)
        elif exchange.shown and head.status == 200:  # a pipeline may take it for an image that we do not know
            self._require(exchange, self._permission.g4(head))
        if length is not None:
            if length > exchange.cap and exchange.kind is not Kind.HOST_FILE:
                self._cut(exchange, FetchError.TOO_LARGE)
            if exchange.room is not None:
                exchange.room.shrink(length)

    def _ask_g4(self, exchange: Exchange, head: ResponseHead) -> None:
        self._require(exchange, self._image_head(exchange, head))

    @staticmethod
    def _require(exchange: Exchange, result: GateResult) -> None:
        if not result.open:
            exchange.close(result)
            raise StopDownload(fail=True)

    def _image_head(self, exchange: Exchange, head: ResponseHead) -> GateResult:
        """G4; from now on the exchange is an image's, if it is open."""
        if exchange.kind is Kind.PAGE and exchange.facts is not None:
            asked = self._permission.g3(exchange.url, exchange.facts)
            if not asked.open:
                return asked
        result = self._permission.g4(head)
        if result.open and codings(head.values("content-encoding")):
            # We asked for the file as it is; a coding may hide any size, so it is never undone.
            result = GateResult("g4", GateVerdict.FAIL, FailReason.DECOMPRESSION_BOMB.value, result.signals)
        if result.open:
            exchange.results.append(result)
            exchange.signals = (*exchange.signals, *result.signals)
            exchange.image = True
            exchange.cap = min(exchange.cap, self._guard.network.max_image)
        return result

    def bytes_received(self, request: Request, data: bytes, **_: Any) -> None:
        """Count the body; cut what is too much, and an image betrayed by its first bytes (StopDownload)."""
        exchange = self._guard.exchange(request)
        if exchange is None:
            raise StopDownload(fail=True)
        _closing(exchange, "g4", lambda: self._count(exchange, data))

    def _count(self, exchange: Exchange, data: bytes) -> None:
        first = exchange.received == 0
        exchange.received += len(data)
        if exchange.received > exchange.cap:
            if exchange.kind is Kind.HOST_FILE:
                exchange.truncated = True
                raise StopDownload(fail=False)
            self._cut(exchange, FetchError.TOO_LARGE)
        head = exchange.head
        disguised = first and exchange.kind is not Kind.HOST_FILE and not exchange.image
        if disguised and head is not None and not is_redirect(head) and sniff(data) in IMAGE_FORMATS:
            self._ask_g4(exchange, head)

    @staticmethod
    def _cut(exchange: Exchange, error: FetchError) -> None:
        exchange.failed = error
        raise StopDownload(fail=True)

    # -------------------------------------------------------------- after the answer

    async def process_response(self, request: Request, response: Response) -> Response:
        """G5 for an image, in the bytes as served; a page is unpacked. Sets the trail, or raises."""
        exchange = self._guard.exchange(request)
        cut = exchange is None or exchange.closed is not None or exchange.failed is not None
        if exchange is None or exchange.head is None or cut or META_TRAIL in request.meta:
            # Somebody else's answer, or a second one: it passed no gate.
            raise self._guard.tell(GateClosed(gate_exception("g4")))
        try:
            response = await self._judged(request, response, exchange, exchange.head)
        except FetchFailed:
            raise
        except GateClosed as error:
            self._guard.tell(error)
            raise
        except Exception as error:
            raise self._guard.tell(exchange.close(gate_exception("g5"))) from error
        request.meta[META_TRAIL] = _trail(exchange, exchange.head, response)
        exchange.body = response.body
        return response

    async def _judged(
        self, request: Request, response: Response, exchange: Exchange, head: ResponseHead
    ) -> Response:
        if is_redirect(head):
            return _with_body(response, b"")
        names = codings(head.values("content-encoding"))
        if names and not exchange.image and request.method != "HEAD":
            try:
                response = _with_body(response, decoded(response.body, names, exchange.cap))
            except DecodingError as error:
                raise broken_off(self._permission, exchange, error.error) from error
        if exchange.truncated:
            return response.replace(body=response.body[: exchange.cap])
        if exchange.kind is Kind.HOST_FILE or request.method == "HEAD":
            return response
        if exchange.kind is Kind.IMAGE or exchange.image or sniff(response.body) in IMAGE_FORMATS:
            try:
                await self._ask_g5(request, response, exchange, head)
            except GateClosed as closed:
                await self._take_prints(closed, response.body)
                raise
        return response

    async def _take_prints(self, closed: GateClosed, body: bytes) -> None:
        """The bytes go; what finds a near copy of them stays, where somebody keeps it. Whatever breaks here
        changes nothing about the refusal."""
        take = self._guard.take_prints
        if take is not None and closed.sha256 and closed.result.verdict is not GateVerdict.FAIL:
            with suppress(Exception):
                closed.prints = await take(body)

    async def _ask_g5(
        self, request: Request, response: Response, exchange: Exchange, head: ResponseHead
    ) -> None:
        if not exchange.image:
            result = self._image_head(exchange, head)
            if not result.open:
                raise exchange.close(result, sha256=sha256(response.body).hexdigest())
        if not _whole(response):
            raise exchange.close(GateResult("g5", GateVerdict.FAIL, FailReason.INCOMPLETE.value))
        said = (*exchange.signals, *(signal for result in exchange.results for signal in result.signals))
        asked = (head, response.body, exchange.evidence, tuple(dict.fromkeys(said)))
        if holds_jumbf(response.body):  # read by another process, which we must not wait for in the loop
            result = await asyncio.to_thread(self._permission.g5, *asked, jumbf=True)
        else:
            result = self._permission.g5(*asked, jumbf=False)
        exchange.digest = result.image.sha256 if result.image else sha256(response.body).hexdigest()
        self._guard.ask_pages(request, exchange, exchange.digest)  # those that came while this was under way
        if not result.open:
            raise exchange.close(result, sha256=exchange.digest)
        exchange.results.append(result)


def is_redirect(head: ResponseHead) -> bool:
    """True for an answer that sends us on to another http or https URL."""
    answer = Fetched(head.url, head.url, head.status, head.headers, b"", True, None, head.fetched_at)
    return redirect_target(answer) is not None


def _closing(exchange: Exchange, gate: str, judge: Callable[[], None]) -> None:
    """Run a signal handler's work: Scrapy logs what it raises and reads on, so it must stop by itself."""
    try:
        judge()
    except StopDownload:
        raise
    except Exception as error:
        exchange.close(gate_exception(gate))
        raise StopDownload(fail=True) from error


def _closed(results: list[GateResult]) -> GateClosed:
    return GateClosed(results[-1], results=tuple(results))


def _trail(exchange: Exchange, head: ResponseHead, response: Response) -> GateTrail:
    complete = not exchange.truncated and _whole(response)
    digest = exchange.digest or sha256(response.body).hexdigest()
    return GateTrail(tuple(exchange.results), head, exchange.ip, digest, complete)


def _whole(response: Response) -> bool:
    """False for a body that somebody's StopDownload cut, or that broke off."""
    return not {"download_stopped", "dataloss"} & set(response.flags)


def _with_body(response: Response, body: bytes) -> Response:
    """`response` with an unpacked body, and the class that fits it."""
    headers = response.headers.copy()
    for name in ("Content-Encoding", "Content-Length"):
        headers.pop(name, None)
    kind = responsetypes.from_args(headers=headers, url=response.url, body=body)
    changed: Response = response.replace(cls=kind, headers=headers, body=body)
    return changed
