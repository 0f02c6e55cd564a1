"""One request at a time, politely: what `check`, `signals audit` and `recheck` ask the web with.

Every connection goes to an address that was checked, as in a crawl: the URL by `check_url`, the name resolved
once, every answer judged, and exactly that address spoken to. No cookies, no proxies, no redirects; whatever
the web does comes back as a `Fetched`.
"""

from __future__ import annotations

import asyncio
import errno
import random
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_proto import ResponseHandler

from kyodaku.decoding import ACCEPT_ENCODING, DecodingError, codings, decoded
from kyodaku.errors import UnsafeAddressError
from kyodaku.gate import REDIRECT_STATUSES, Need, NeedKind
from kyodaku.netguard import NetPolicy, SafeUrl, Target, check_url, connect_target, registrable_domain
from kyodaku.recipe import Recipe
from kyodaku.signals.model import Fetched, FetchError, Headers, Hop
from kyodaku.turns import Turn
from kyodaku.urls import literal_address, origin_of
from kyodaku.useragent import user_agent

_CHUNK = 64 * 1024
#: Header field lines longer than this end the exchange; so do more than this in all.
_MAX_LINE = 16 * 1024


@dataclass(frozen=True)
class Manners:
    """How gently and how patiently is asked; seconds and bytes, as in a recipe.

    `per_site` connections at once go to the hosts of one registrable domain, or of one address.
    `max_delay` ends the doubling of a rest that no server named. A host that wants to rest longer than
    `max_rest`, in one go or again and again, is not waited for: its needs come back as FetchError.TIMEOUT.
    """

    agent: str
    delay: float
    jitter: float
    timeout: float
    min_rate: int
    min_rate_after: float
    max_headers: int
    connections: int
    per_site: int = 2
    max_delay: float = 120.0
    max_rest: float = 600.0

    @classmethod
    def of(cls, recipe: Recipe) -> Manners:
        """Those of a recipe."""
        polite, network = recipe.politeness, recipe.network
        return cls(
            agent=user_agent(recipe),
            delay=polite.delay,
            jitter=polite.jitter,
            timeout=network.timeout,
            min_rate=network.min_rate,
            min_rate_after=network.min_rate_after,
            max_headers=network.max_headers,
            connections=polite.connections,
            per_site=polite.connections_per_site,
            max_delay=polite.max_delay,
        )


class Fetcher:
    """Sends needs, one connection and one request a host at a time. An async context manager.

    `clock` gives Unix seconds for records; pauses are measured by the event loop.
    """

    def __init__(self, manners: Manners, net: NetPolicy, clock: Callable[[], float] = time.time) -> None:
        self._manners = manners
        self._net = net
        self._clock = clock
        self._turns: dict[str, Turn] = {}
        self._room = asyncio.Semaphore(manners.connections)
        self._sites: dict[str, asyncio.Semaphore] = {}
        self._stack = AsyncExitStack()
        self._session: aiohttp.ClientSession | None = None
        self._chosen = _Chosen()
        self._random = random.Random(manners.agent)

    @classmethod
    def for_recipe(cls, recipe: Recipe, net: NetPolicy, *, clock: Callable[[], float] = time.time) -> Self:
        """A fetcher with the name and the manners of a recipe's crawl."""
        return cls(Manners.of(recipe), net, clock)

    async def __aenter__(self) -> Self:
        ca = self._net.host_table.ca if self._net.host_table is not None else None
        connector = _Connector(
            resolver=self._chosen,
            use_dns_cache=False,
            ssl=ssl.create_default_context(cafile=None if ca is None else str(ca)),
            force_close=True,  # one answer a connection: the address is checked for every request
        )
        self._session = await self._stack.enter_async_context(
            aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
                max_line_size=_MAX_LINE,
                max_field_size=_MAX_LINE,
                timeout=aiohttp.ClientTimeout(total=None),
                headers={"User-Agent": self._manners.agent},
                skip_auto_headers=("Accept", "Accept-Encoding"),
            )
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @property
    def max_delay(self) -> float:
        """The longest Crawl-delay that a crawl keeps, in seconds; it closes a host that asks for more."""
        return self._manners.max_delay

    def slow_down(self, origin: str, seconds: float) -> None:
        """Leave at least `seconds` between two requests to `origin` (its Crawl-delay)."""
        self._turn(origin).slow_down(seconds)

    async def get(self, need: Need) -> Fetched:
        """What came of one request; never an exception for anything the web does. Waits its host's turn."""
        try:
            safe = check_url(need.url, self._net)
        except UnsafeAddressError:
            return self._broken(need, FetchError.BLOCKED)
        turn = self._turn(origin_of(safe.url))
        async with turn.lock:
            wait = turn.wait(_now(), self._manners.max_rest)
            if wait is None:
                return self._broken(need, FetchError.TIMEOUT)
            await asyncio.sleep(wait)
            answer = await self._ask(need, safe)
            delay = self._manners.delay * (1 + self._manners.jitter * self._random.random())
            turn.answered(answer, _now(), delay, self._manners.max_delay)
        return answer

    def _turn(self, origin: str) -> Turn:
        host = origin.partition("://")[2].partition(":")[0]
        return self._turns.setdefault(host, Turn())

    def _site(self, name: str) -> asyncio.Semaphore:
        return self._sites.setdefault(name, asyncio.Semaphore(self._manners.per_site))

    @asynccontextmanager
    async def _place(self, safe: SafeUrl, target: Target) -> AsyncIterator[None]:
        """A connection of the site's, of the address's and of all. A host at rest holds none of them. Beside
        a host table every name has the same address, so there it counts for nothing."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._site(registrable_domain(safe.host)))
            if not self._net.local_network:
                await stack.enter_async_context(self._site(target.ip))
            await stack.enter_async_context(self._room)
            yield

    async def _ask(self, need: Need, safe: SafeUrl) -> Fetched:
        seen: list[Hop] = []
        try:
            target = await asyncio.to_thread(connect_target, safe, self._net, _resolve)
            if literal_address(safe.host) is not None and (target.ip, target.port) != (safe.host, safe.port):
                return self._broken(need, FetchError.BLOCKED)  # aiohttp asks no resolver for a literal
            async with self._place(safe, target), asyncio.timeout(self._longest(need)):
                self._chosen.targets[safe.host, safe.port] = target
                return await self._exchange(need, safe, target, seen)
        except UnsafeAddressError:
            return self._broken(need, FetchError.BLOCKED)
        except _TooSlowError:
            return self._broken(need, FetchError.TOO_SLOW, seen)
        except TimeoutError:
            return self._broken(need, FetchError.TIMEOUT, seen)
        except DecodingError as error:
            return self._broken(need, error.error, seen)
        except (aiohttp.ClientError, OSError, ValueError, asyncio.IncompleteReadError) as error:
            return self._broken(need, _meaning(error), seen)

    def _longest(self, need: Need) -> float:
        """Seconds that an answer may take in all: the patience for headers, then the slowest body allowed."""
        return (
            self._manners.timeout + self._manners.min_rate_after + need.cap / max(1, self._manners.min_rate)
        )

    async def _exchange(self, need: Need, safe: SafeUrl, target: Target, seen: list[Hop]) -> Fetched:
        if self._session is None:
            raise RuntimeError("a Fetcher is used inside `async with`")
        whole = need.kind is NeedKind.IMAGE
        headers = {
            "Accept-Encoding": "identity" if whole else ACCEPT_ENCODING,
            **dict(need.headers),
        }
        patience = aiohttp.ClientTimeout(
            total=None, connect=self._manners.timeout, sock_read=self._manners.timeout
        )
        url = _as_is(safe.url)
        line = _Line()
        _LINE.set(line)
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(self._manners.timeout):  # however many pieces the head comes in
                response = await stack.enter_async_context(
                    self._session.request(
                        need.method,
                        url,
                        headers=headers,
                        data=need.body or None,
                        allow_redirects=False,
                        timeout=patience,
                    )
                )
            served = _headers(response)
            hop = Hop(safe.url, response.status, target.ip)
            seen.append(hop)
            if sum(len(name) + len(value) + 4 for name, value in served) > self._manners.max_headers:
                return self._broken(need, FetchError.TOO_LARGE, seen)
            names = codings(response.headers.getall("Content-Encoding", []))
            if need.method == "HEAD" or response.status in REDIRECT_STATUSES or response.status in (204, 304):
                return self._answer(need, safe, hop, served, b"", True)
            if whole and names:
                return self._broken(need, FetchError.BOMB, seen)  # not asked for, and never unpacked
            body, complete = await self._body(response, line, need.cap)
            if not complete and whole:
                return self._broken(need, FetchError.TOO_LARGE, seen)
            if names and complete:
                body = await asyncio.to_thread(decoded, body, names, need.cap)
            elif names:
                return self._broken(need, FetchError.TOO_LARGE, seen)
            return self._answer(need, safe, hop, served, body, complete)

    async def _body(self, response: aiohttp.ClientResponse, line: _Line, cap: int) -> tuple[bytes, bool]:
        """At most `cap` bytes, and whether that was all. Raises _TooSlowError for a body that drips,
        ConnectionResetError where the connection broke before its end."""
        parts: list[bytes] = []
        size, started = 0, _now()
        while True:
            chunk = await response.content.read(_CHUNK)
            if not chunk:
                if line.broken and not _framed(response):  # aiohttp takes a reset for the end
                    raise ConnectionResetError
                return b"".join(parts), True
            parts.append(chunk)
            size += len(chunk)
            if size > cap:
                return b"".join(parts)[:cap], False
            spent = _now() - started
            if spent > self._manners.min_rate_after and size < self._manners.min_rate * spent:
                raise _TooSlowError

    def _answer(
        self, need: Need, safe: SafeUrl, hop: Hop, headers: Headers, body: bytes, complete: bool
    ) -> Fetched:
        return Fetched(
            url=need.url,
            final_url=safe.url,
            status=hop.status,
            headers=headers,
            body=body,
            complete=complete,
            error=None,
            fetched_at=self._clock(),
            hops=(hop,),
        )

    def _broken(self, need: Need, error: FetchError, seen: list[Hop] | None = None) -> Fetched:
        return Fetched(need.url, need.url, None, (), b"", False, error, self._clock(), tuple(seen or ()))


@dataclass
class _Line:
    """How the connection of one request ended."""

    broken: bool = False


#: The line of the request that this task sends; aiohttp makes its connections in contexts copied from ours.
_LINE: ContextVar[_Line] = ContextVar("line")


class _Watched(ResponseHandler):
    """A connection that tells its request when it was broken off. aiohttp itself keeps silent about a reset
    in a body without a length."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._line = _LINE.get()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._line.broken = exc is not None
        super().connection_lost(exc)


class _Connector(aiohttp.TCPConnector):
    """A connector of watched connections."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        watched: Any = partial(_Watched, loop=self._loop)
        self._factory = watched


class _TooSlowError(Exception):
    """A body came more slowly than the recipe allows."""


class _Chosen(AbstractResolver):
    """Gives the one address that was checked for a request, once, and knows no other."""

    def __init__(self) -> None:
        self.targets: dict[tuple[str, int], Target] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The address chosen for `host:port`. Raises ConnectionResetError when it was used: aiohttp tries
        once more where a server hung up, and a request of ours is one request."""
        target = self.targets.pop((host, port), None)
        if target is None:
            raise ConnectionResetError(errno.ECONNRESET, "one address, one connection")
        version = socket.AF_INET6 if ":" in target.ip else socket.AF_INET
        return [
            ResolveResult(
                hostname=host,
                host=target.ip,
                port=target.port,
                family=version,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Nothing to close."""


def _resolve(host: str, port: int) -> list[str]:
    """Every address of a name. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _as_is(url: str) -> Any:
    from yarl import URL

    return URL(url, encoded=True)


def _headers(response: aiohttp.ClientResponse) -> Headers:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.raw_headers)


def _framed(response: aiohttp.ClientResponse) -> bool:
    """Whether the head said where the body ends; without, it ends with the connection."""
    return "Content-Length" in response.headers or "Transfer-Encoding" in response.headers


def _meaning(error: BaseException) -> FetchError:
    """What an exception of the network says about an exchange."""
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError | aiohttp.ClientConnectorCertificateError):
        return FetchError.TLS
    cause = getattr(error, "os_error", None) or error
    if isinstance(cause, ConnectionResetError):
        return FetchError.RESET
    if isinstance(error, socket.gaierror | aiohttp.ClientConnectorDNSError):
        return FetchError.DNS
    if isinstance(error, aiohttp.ClientConnectorError):
        return FetchError.CONNECT
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError | ConnectionError):
        return FetchError.RESET
    if isinstance(error, aiohttp.ClientOSError | OSError):
        return FetchError.RESET
    return FetchError.PROTOCOL


def _now() -> float:
    return asyncio.get_running_loop().time()
