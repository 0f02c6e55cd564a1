"""What the parts of the add-on share during one crawl: rules, limits, and the requests on their way."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakKeyDictionary, WeakSet

from scrapy import Request

from kyodaku.gate import GateResult, GateVerdict, Need, OriginFacts, PageFacts
from kyodaku.integrations.scrapy.outcome import META_CAP, META_KIND, META_PAGE, GateClosed, Kind
from kyodaku.integrations.scrapy.pages import PageMemory
from kyodaku.permission import Permission
from kyodaku.reasons import HoldReason
from kyodaku.recipe import Network
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.model import FetchError, LicenceEvidence, Signal

if TYPE_CHECKING:
    from kyodaku.prints import PicturePrints

#: (host, port) -> every address of the name, A and AAAA. Asked once per connection.
AsyncResolver = Callable[[str, int], Awaitable[Sequence[str]]]
#: Fetches documents that a gate waits for and puts what came of it into the gates' library.
DocumentReader = Callable[[Sequence[str]], Awaitable[None]]
#: The fingerprints of an image that is refused or held, or None. Never raises.
PrintTaking = Callable[[bytes], Awaitable["PicturePrints | None"]]


class Origins(Protocol):
    """Where facts about origins come from. None means: not known (the gate then holds)."""

    def facts(self, origin: str) -> OriginFacts | Awaitable[OriginFacts | None] | None:
        """Host files of `origin` (`scheme://host[:port]`), at most 24 h old, or a bridged copy."""
        ...


@dataclass(eq=False)
class Exchange:
    """One admitted request on its way. `url` is the only URL that may be sent for it.

    `results` grows with every gate asked. `closed` and `failed` say why it was cut, once it was.
    """

    url: str
    kind: Kind
    cap: int
    results: list[GateResult]
    signals: tuple[Signal, ...] = ()
    evidence: tuple[LicenceEvidence, ...] = ()
    pages: list[PageFacts] = field(default_factory=list)  # asked about this image
    facts: OriginFacts | None = None  # host files of its origin
    shown: bool = False  # a media pipeline asks for it, or a page shows it
    ip: str = ""
    head: ResponseHead | None = None
    judged: bool = False  # the head went through `headers_received`
    image: bool = False  # G4 was asked: this is an image
    received: int = 0
    digest: str = ""  # sha256 hex of an image that G5 read
    body: bytes = b""  # as the gate let it through, until the seal has seen it
    truncated: bool = False  # cut at its cap, on purpose
    closed: GateClosed | None = None
    failed: FetchError | None = None
    room: Room | None = None

    def close(self, result: GateResult, *, sha256: str = "", error: FetchError | None = None) -> GateClosed:
        """Remember and return why this exchange ends here."""
        self.closed = GateClosed(
            result,
            self.head,
            results=(*self.results, result),
            sha256=sha256,
            ip=self.ip,
            error=error,
        )
        return self.closed


class Flight:
    """Bytes that bodies under way may take together. Whoever finds no room waits for it, in turn."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def room(self, size: int) -> AsyncIterator[Room]:
        """Hold `size` bytes (at most the limit) while the block runs."""
        room = Room(self, min(size, self._limit))
        await self._take(room.size)
        try:
            yield room
        finally:
            self.give_back(room.size)

    async def _take(self, size: int) -> None:
        if not self._waiting and self._taken + size <= self._limit:
            self._taken += size
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, waiter))
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():  # the room came together with the cancellation
                self.give_back(size)
            raise

    def give_back(self, size: int) -> None:
        """Free `size` bytes and hand them to those who wait, as far as they go."""
        self._taken -= size
        while self._waiting:
            wanted, waiter = self._waiting[0]
            if waiter.done():
                self._waiting.popleft()
            elif self._taken + wanted <= self._limit:
                self._waiting.popleft()
                self._taken += wanted
                waiter.set_result(None)
            else:
                break


class Room:
    """The share of one body."""

    def __init__(self, flight: Flight, size: int) -> None:
        self._flight = flight
        self.size = size

    def shrink(self, size: int) -> None:
        """Keep only `size` bytes: the body announced its length."""
        if 0 <= size < self.size:
            spare, self.size = self.size - size, size
            self._flight.give_back(spare)


async def system_addresses(host: str, port: int) -> Sequence[str]:
    """Every address the system's resolver knows for `host`. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass
class Guard:
    """One per crawl, made by the add-on: see `guard_of`."""

    permission: Permission
    network: Network
    user_agent: str
    origins: Origins | None = None
    read_documents: DocumentReader | None = None  # None: whoever made the request does it
    resolve: AsyncResolver = system_addresses
    take_prints: PrintTaking | None = None  # None: nobody asks for them
    flight: Flight = field(init=False)
    pages: PageMemory = field(init=False)
    count: Callable[[str], None] = lambda name: None
    _exchanges: WeakKeyDictionary[Request, Exchange] = field(default_factory=WeakKeyDictionary)
    _host_file_requests: WeakSet[Request] = field(default_factory=WeakSet)

    def __post_init__(self) -> None:
        self.flight = Flight(self.network.max_in_flight)
        self.pages = PageMemory(self.permission.g2_image)

    def admit(self, request: Request, exchange: Exchange) -> None:
        """`request`, this very object, may be sent."""
        self._exchanges[request] = exchange

    def exchange(self, request: Request) -> Exchange | None:
        """The exchange of an admitted request, or None. Copies of a request are not admitted."""
        return self._exchanges.get(request)

    def forget(self, request: Request) -> None:
        """Admit no longer."""
        self._exchanges.pop(request, None)

    def ask_pages(self, request: Request, exchange: Exchange, digest: str = "") -> None:
        """G2: every remembered page that shows this image, or a hop on the way to it, each asked once."""
        named = request.meta.get(META_PAGE) or (request.headers.get("Referer") or b"").decode("latin-1")
        if request.meta.get(META_PAGE) and not self.pages.knows(named):
            unread = GateResult("g2", GateVerdict.HOLD, HoldReason.PAGE_ERROR.value)
            raise exchange.close(unread, sha256=digest)
        for url in dict.fromkeys((*request.meta.get("redirect_urls", ()), exchange.url)):
            for page in self.pages.about(url, named):
                if any(page is asked for asked in exchange.pages):
                    continue
                exchange.pages.append(page)
                _hear(exchange, self.permission.g2_image(page, url), digest)
            for result in self.pages.words(url):
                if not any(result is asked for asked in exchange.results):
                    _hear(exchange, result, digest)

    def tell(self, closed: GateClosed) -> GateClosed:
        """Count a closed gate (`kyodaku/g4/refuse/x_robots_tag` in Scrapy's stats); gives it back."""
        result = closed.result
        self.count(f"kyodaku/{result.gate}/{result.verdict.value}/{result.reason}")
        return closed

    def host_file_request(self, need: Need, **kwargs: Any) -> Request:
        """The one request that may fetch the host file `need` (signals.md 0.5: G0 and address check only).

        Never redirected, retried or filtered; any status reaches the callback. `kwargs` go to `Request`.
        """
        meta = {
            **kwargs.pop("meta", {}),
            META_KIND: Kind.HOST_FILE.value,
            META_CAP: need.cap,
            "dont_redirect": True,
            "dont_retry": True,
            "handle_httpstatus_all": True,
        }
        request = Request(need.url, meta=meta, **{"dont_filter": True, **kwargs})
        self._host_file_requests.add(request)
        return request

    def made(self, request: Request) -> bool:
        """True for a request from `host_file_request`; a copy or a look-alike is not one."""
        return request in self._host_file_requests


def _hear(exchange: Exchange, result: GateResult, digest: str) -> None:
    if not result.open:
        raise exchange.close(result, sha256=digest)
    exchange.results.append(result)
    exchange.signals = (*exchange.signals, *result.signals)
    exchange.evidence = (*exchange.evidence, *result.evidence)
