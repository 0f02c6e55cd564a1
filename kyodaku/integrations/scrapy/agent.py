"""HTTP/1.1 over Twisted with our limits: one checked address, bounded headers, verified certificates.

Builds on parts of Scrapy's default handler that have no public name (2.19, pinned by the constraints).
"""

from __future__ import annotations

from collections import deque
from ipaddress import ip_address
from typing import Any, cast

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import (
    _LenientHTTP11ClientFactory,
    _LenientHTTP11ClientProtocol,
    _LenientHTTPClientParser,
    _ResultT,
    _ScrapyAgent,
)
from scrapy.exceptions import ResponseDataLossError
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, wrapClientTLS
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IAddress
from twisted.internet.ssl import Certificate, optionsForClientTLS, platformTrust, trustRootFromCertificates
from twisted.python.failure import Failure
from twisted.web.client import URI, Agent, HTTPConnectionPool
from twisted.web.http_headers import Headers as TxHeaders
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer  # type: ignore[import-untyped]

from kyodaku.integrations.scrapy.guard import Exchange
from kyodaku.netguard import NetPolicy, SafeUrl, Target
from kyodaku.recipe import Network
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.model import FetchError, Headers

#: Field lines of one response; more is an attack, or nothing we can judge.
MAX_HEADER_LINES = 256
#: A slow body is looked at this many times in each window.
_LOOKS = 4


class HeadersTooLarge(Exception):
    """The header section of a response exceeds its cap."""


# ------------------------------------------------------------------ parsing


class _GuardedParser(_LenientHTTPClientParser):
    """Counts the header section, 1xx responses included, and keeps its fields as they were served."""

    max_headers = 64 * 1024
    served: list[tuple[str, str]]
    spent = 0
    lines = 0

    def connectionMade(self) -> None:
        super().connectionMade()  # type: ignore[no-untyped-call]
        self.served = []

    def lineReceived(self, line: bytes) -> None:
        self.spent += len(line) + 1
        self.lines += 1
        if self.spent > self.max_headers or self.lines > MAX_HEADER_LINES:
            raise HeadersTooLarge
        super().lineReceived(line)

    def lineLengthExceeded(self, line: bytes) -> None:
        raise HeadersTooLarge

    def headerReceived(self, name: bytes, value: bytes) -> None:
        self.served.append((name.decode("latin-1"), value.decode("latin-1")))
        super().headerReceived(name, value)  # type: ignore[no-untyped-call]

    def allHeadersReceived(self) -> None:
        self.response.kyodaku_headers = tuple(self.served)
        super().allHeadersReceived()  # type: ignore[no-untyped-call]

    def connectionLost(self, reason: Any = None) -> None:
        # Twisted calls a body without a length complete however its connection ended; a reset is no end.
        # (At the end of an ordinary response it hands over a bare exception, no Failure.)
        cause = reason.value if isinstance(reason, Failure) else reason
        if self.bodyDecoder is not None and not isinstance(cause, ConnectionDone):
            self.response.kyodaku_reset = True
        super().connectionLost(reason)


class _GuardedProtocol(_LenientHTTP11ClientProtocol):
    max_headers = 64 * 1024

    def request(self, request: Any) -> Deferred[Any]:
        answer = super().request(request)
        parser: Any = self._parser
        if parser is not None:
            # As in the class above: the parser's class is hard-coded, so it is replaced in place.
            parser.__class__ = _GuardedParser
            parser.served = []
            parser.max_headers = parser.MAX_LENGTH = self.max_headers
        return answer


def connection_pool(reactor: Any, network: Network, per_host: int) -> HTTPConnectionPool:
    """A pool of persistent connections whose responses are parsed within `network.max_headers`."""

    class Factory(_LenientHTTP11ClientFactory):
        def buildProtocol(self, addr: IAddress | None) -> _GuardedProtocol:
            protocol = _GuardedProtocol(self._quiescentCallback)  # type: ignore[no-untyped-call]
            protocol.max_headers = network.max_headers
            return protocol

    pool = HTTPConnectionPool(reactor, persistent=True)  # type: ignore[no-untyped-call]
    pool.maxPersistentPerHost = per_host
    pool._factory = Factory
    return pool


# ------------------------------------------------------------------ connecting


@implementer(IPolicyForHTTPS)
class VerifiedTls:
    """Certificates are verified against the name asked for, always. TLS 1.2 or newer.

    The trust root is the system's, or the host table's own authority and nothing beside it.
    """

    def __init__(self, policy: NetPolicy) -> None:
        table = policy.host_table
        if table is not None and table.ca is not None:
            self._trust = trustRootFromCertificates([Certificate.loadPEM(table.ca.read_bytes())])  # type: ignore[no-untyped-call]
        else:
            self._trust = platformTrust()  # type: ignore[no-untyped-call]

    def creatorForNetloc(self, hostname: bytes, port: int) -> Any:
        """Called by Twisted for each connection."""
        return optionsForClientTLS(hostname.decode("ascii"), trustRoot=self._trust)


class _PinnedAgent(Agent):
    """An agent that can reach one address, and sends one URL."""

    def __init__(self, reactor: Any, tls: VerifiedTls, safe: SafeUrl, target: Target, **kwargs: Any) -> None:
        super().__init__(reactor, tls, **kwargs)  # type: ignore[no-untyped-call]
        self._tls = tls
        self._safe = safe
        self._target = target
        self._timeout = kwargs["connectTimeout"]

    def request(
        self, method: bytes, uri: bytes, headers: TxHeaders | None = None, bodyProducer: Any = None
    ) -> Deferred[Any]:
        return super().request(method, self._safe.url.encode("ascii"), headers, bodyProducer)

    def _getEndpoint(self, uri: URI) -> Any:
        ip, port = self._target.ip, self._target.port
        kind = TCP6ClientEndpoint if ip_address(ip).version == 6 else TCP4ClientEndpoint
        endpoint: Any = kind(self._reactor, ip, port, timeout=self._timeout)
        if self._safe.scheme == "http":
            return endpoint
        name = self._safe.host.encode("ascii")
        return wrapClientTLS(self._tls.creatorForNetloc(name, self._safe.port), endpoint)

    def _requestWithEndpoint(self, key: tuple[Any, ...], *args: Any, **kwargs: Any) -> Deferred[Any]:
        # A connection is used again only for the same name at the same checked address.
        return super()._requestWithEndpoint((*key, self._target), *args, **kwargs)


class GuardedAgent(_ScrapyAgent):
    """Downloads one admitted request from one checked target; keeps its exchange up to date."""

    def __init__(
        self,
        exchange: Exchange,
        safe: SafeUrl,
        target: Target,
        network: Network,
        tls: VerifiedTls,
        now: float,
        **kwargs: Any,
    ) -> None:
        super().__init__(contextFactory=tls, **kwargs)  # type: ignore[arg-type]
        self._tls = tls
        self._exchange = exchange
        self._safe = safe
        self._target = target
        self._network = network
        self._now = now

    def _get_agent(self, request: Request, timeout: float) -> Agent:
        from twisted.internet import reactor

        return _PinnedAgent(
            reactor,
            self._tls,
            self._safe,
            self._target,
            connectTimeout=timeout,
            pool=self._pool,
        )

    def _cb_bodyready(self, txresponse: Any, request: Request) -> _ResultT | Deferred[_ResultT]:
        exchange = self._exchange
        served: Headers = txresponse.kyodaku_headers
        exchange.head = ResponseHead(self._safe.url, int(txresponse.code), served, self._now)
        result = super()._cb_bodyready(txresponse, request)
        if isinstance(result, Deferred):
            watch = _RateWatch(exchange, self._network, txresponse)
            result.addBoth(watch.stop)
            result.addCallback(_whole, txresponse)
        return result


def _whole(result: _ResultT, txresponse: Any) -> _ResultT:
    if getattr(txresponse, "kyodaku_reset", False) and "partial" in (result.get("flags") or ()):
        raise ResponseDataLossError("the connection broke before the body ended")
    return result


class _RateWatch:
    """Gives up a body that comes slower than the minimum rate over a sliding window."""

    def __init__(self, exchange: Exchange, network: Network, txresponse: Any) -> None:
        from twisted.internet import reactor

        self._reactor = cast(Any, reactor)
        self._exchange = exchange
        self._minimum = network.min_rate * network.min_rate_after
        self._step = network.min_rate_after / _LOOKS
        self._seen = deque([0], maxlen=_LOOKS + 1)
        self._transport = txresponse._transport
        self._call: Any = self._reactor.callLater(self._step, self._look)

    def stop(self, result: Any) -> Any:
        """Called with however the body ended."""
        if self._call.active():
            self._call.cancel()
        return result

    def _look(self) -> None:
        self._seen.append(self._exchange.received)
        if len(self._seen) > _LOOKS and self._seen[-1] - self._seen[0] < self._minimum:
            self._exchange.failed = FetchError.TOO_SLOW
            if self._transport._producer is not None:
                self._transport._producer.abortConnection()
            return
        self._call = self._reactor.callLater(self._step, self._look)
