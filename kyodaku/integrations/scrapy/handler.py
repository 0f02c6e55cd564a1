"""The download handler of http and https: admitted requests only, to checked addresses only."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.exceptions import CannotResolveHostError
from scrapy.http import Response
from scrapy.utils._download_handlers import wrap_twisted_exceptions
from scrapy.utils.defer import maybe_deferred_to_future

from kyodaku.errors import UnsafeAddressError
from kyodaku.gate import GateResult, GateVerdict
from kyodaku.integrations.scrapy.agent import GuardedAgent, HeadersTooLarge, VerifiedTls, connection_pool
from kyodaku.integrations.scrapy.failures import causes, fetch_error
from kyodaku.integrations.scrapy.guard import Exchange
from kyodaku.integrations.scrapy.lookup import guard_of
from kyodaku.integrations.scrapy.outcome import FetchFailed, GateClosed, Kind, gate_exception
from kyodaku.netguard import SafeUrl, Target, check_url, connect_target
from kyodaku.signals.model import FetchError

#: Headers that would borrow an identity or point a request elsewhere.
_NEVER_SENT = (b"Host", b"Cookie", b"Authorization", b"Proxy-Authorization")


class GuardedDownloadHandler(HTTP11DownloadHandler):
    """Scrapy's default handler with the network made safe.

    A request is sent only if `GateMiddleware` admitted this very object. Its name is resolved once, all
    answers are checked, and the connection goes to exactly the checked address. No proxies; certificates
    are verified; header section, body, rate and time are bounded.
    """

    lazy = False

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        from twisted.internet import reactor

        self._guard = guard_of(crawler)
        self._policy = self._guard.permission.rules.net
        self._pool = connection_pool(
            reactor, self._guard.network, crawler.settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN")
        )
        self._tls = VerifiedTls(self._policy)

    async def download_request(self, request: Request) -> Response:
        """Fetch an admitted request.

        Raises GateClosed (not admitted, or closed by its headers or bytes), FetchFailed (our limits), or
        one of Scrapy's download errors.
        """
        exchange = self._guard.exchange(request)
        sent = exchange is not None and exchange.head is not None
        if exchange is None or sent or request.meta.get("proxy"):
            raise GateClosed(gate_exception("g3"))
        try:
            async with self._guard.flight.room(exchange.cap) as room:
                exchange.room = room
                response = await self._fetch(request, exchange)
        except (GateClosed, FetchFailed):
            raise
        except UnsafeAddressError as error:
            raise exchange.close(GateResult("g0", GateVerdict.REFUSE, error.reason.value)) from error
        except Exception as error:
            if exchange.closed is not None:
                raise exchange.closed from None
            if exchange.failed is None and HeadersTooLarge in map(type, causes(error)):
                exchange.failed = FetchError.TOO_LARGE
            if exchange.failed is not None:
                raise FetchFailed(exchange.failed, exchange.head, ip=exchange.ip) from None
            exchange.failed = fetch_error(error) or FetchError.PROTOCOL  # nothing may answer in its place
            raise
        if exchange.closed is not None or not exchange.judged:
            raise exchange.closed or exchange.close(gate_exception("g4"))
        if exchange.failed is not None:
            raise FetchFailed(exchange.failed, exchange.head, ip=exchange.ip)
        return response

    async def _fetch(self, request: Request, exchange: Exchange) -> Response:
        safe = check_url(exchange.url, self._policy)
        target = await self._target(safe)
        exchange.ip = target.ip
        for name in _NEVER_SENT:
            request.headers.pop(name, None)
        limit = self._guard.network.timeout
        request.meta["download_fail_on_dataloss"] = True
        request.meta["download_timeout"] = min(request.meta.get("download_timeout") or limit, limit)
        agent = GuardedAgent(
            exchange,
            safe,
            target,
            self._guard.network,
            self._tls,
            self._guard.permission.clock(),
            connectTimeout=limit,
            pool=self._pool,
            # A host file is read up to its cap and then cut, by the gate that counts its bytes.
            maxsize=0 if exchange.kind is Kind.HOST_FILE else self._default_maxsize,
            fail_on_dataloss=True,
            crawler=self._crawler,
        )
        with wrap_twisted_exceptions():
            return await maybe_deferred_to_future(agent.download_request(request))

    async def _target(self, safe: SafeUrl) -> Target:
        """Where to connect: the name is resolved here, once, and never again for this connection."""
        answers: tuple[str, ...] = ()
        if self._policy.host_table is None and not _is_address(safe.host):
            try:
                async with asyncio.timeout(self._guard.network.timeout):
                    answers = tuple(await self._guard.resolve(safe.host, safe.port))
            except (OSError, UnicodeError) as error:
                raise CannotResolveHostError(f"{safe.host}: {error}") from error
        return connect_target(safe, self._policy, lambda host, port: answers)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
