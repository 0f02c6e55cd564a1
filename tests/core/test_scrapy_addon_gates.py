"""The add-on's parts by themselves: what closes when something is missing, forged, changed or broken."""

from __future__ import annotations

import asyncio
import copy
import gzip
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from scrapy import Request
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
    StopDownload,
)
from scrapy.http import HtmlResponse, Response
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure
from twisted.web.client import ResponseFailed

from kyodaku.gate import GateResult, GateVerdict, Need, NeedKind, OriginFacts, PageFacts
from kyodaku.integrations.scrapy import (
    META_KIND,
    META_TRAIL,
    FetchFailed,
    GateClosed,
    GateMiddleware,
    GateTrail,
    Guard,
    SealMiddleware,
    fetched_of_failure,
)
from kyodaku.integrations.scrapy.failures import fetch_error
from kyodaku.integrations.scrapy.guard import Exchange
from kyodaku.integrations.scrapy.pages import PageMemory
from kyodaku.netguard import HostTable, NetPolicy, Target
from kyodaku.permission import Permission
from kyodaku.prints import PicturePrints
from kyodaku.recipe import Recipe, parse_recipe
from kyodaku.registry_client import EMPTY_SNAPSHOT
from kyodaku.rules import Rules
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.model import Fetched, FetchError, Signal
from kyodaku.signals.protocols import all_protocols
from kyodaku.signals.protocols.base import Protocol
from tests.web.pictures import painted, plus_xmp

HOST = "shop.example"
ORIGIN = f"http://{HOST}"
NOW = 1_700_000_000.0
PICTURE = painted("gates").render()


def recipe(**network: object) -> Recipe:
    return parse_recipe(
        {
            "version": 1,
            "name": "gates",
            "operator": {"crawler": "ShopBot", "contact": "https://shop.example/bot"},
            "seeds": {"sites": [ORIGIN]},
            "network": {"host_table": "hosts.toml", **network},
            "permission": {"basis": "not-opted-out"},
        },
        "test",
    )


def missing(url: str) -> Fetched:
    """A host file that is not there."""
    return Fetched(url, url, 404, (), b"", True, None, NOW)


class Known:
    """Origins whose robots.txt is `robots` (None: nothing is known of any origin)."""

    def __init__(self, robots: str | None = "") -> None:
        self.robots = robots

    def facts(self, origin: str) -> OriginFacts | None:
        if self.robots is None:
            return None
        url = origin + "/robots.txt"
        head = (("Content-Type", "text/plain"),)
        file = Fetched(url, url, 200, head, self.robots.encode(), True, None, NOW)
        files = {path: missing(origin + path) for protocol in all_protocols() for path in protocol.host_files}
        return OriginFacts(origin, {**files, "/robots.txt": file}, NOW)


class Broken(Protocol):
    """A protocol whose reader of the carrier `method` fails."""

    name = "broken"
    title = "broken"

    def __init__(self, method: str) -> None:
        setattr(self, method, self.fails)

    def fails(self, *args: object) -> list[Signal]:
        raise RuntimeError("a bug of ours")


def guard(*extra: Protocol, origins: Any = None, **network: object) -> Guard:
    table = HostTable({(HOST, None): Target("127.0.0.1", 1)})
    rules = Rules.from_recipe(recipe(**network), NetPolicy(host_table=table))
    permission = Permission(rules, EMPTY_SNAPSHOT, lambda: NOW, [*all_protocols(), *extra])
    return Guard(permission, recipe(**network).network, "ShopBot/1.0", origins or Known())


def admitted(shared: Guard, request: Request) -> Exchange:
    asyncio.run(GateMiddleware(shared).process_request(request))
    exchange = shared.exchange(request)
    assert exchange is not None
    return exchange


def answered(
    shared: Guard, request: Request, body: bytes, *headers: tuple[str, str], status: int = 200
) -> Response:
    """Let an answer come in as the handler does; the response that GateMiddleware lets through."""
    gate = GateMiddleware(shared)
    exchange = shared.exchange(request)
    if exchange is not None:
        exchange.head = ResponseHead(exchange.url, status, headers, NOW)
    try:
        gate.headers_received(request, len(body))
        gate.bytes_received(request, body)
    except StopDownload:
        raise (exchange and exchange.closed) or FetchFailed(FetchError.TOO_LARGE) from None
    return asyncio.run(gate.process_response(request, Response(request.url, status, dict(headers), body)))


def closed(work: Callable[[], Any]) -> GateClosed:
    with pytest.raises(GateClosed) as caught:
        work()
    return caught.value


def ask(path: str = "/a.jpg", kind: str = "image", **meta: Any) -> Request:
    return Request(ORIGIN + path, meta={**({META_KIND: kind} if kind else {}), **meta})


# ------------------------------------------------------------------ before the request


def test_an_origin_nobody_knows_holds() -> None:
    error = closed(lambda: admitted(guard(origins=Known(None)), ask()))
    assert (error.result.verdict, error.result.reason) == (GateVerdict.HOLD, "not_finished")


def test_a_named_page_that_nobody_read_holds() -> None:
    shared = guard()
    error = closed(lambda: admitted(shared, ask(kyodaku_page=f"{ORIGIN}/never-read")))
    assert (error.result.verdict, error.result.reason) == (GateVerdict.HOLD, "page_error")


def test_host_files_of_an_origin_refuse() -> None:
    error = closed(lambda: admitted(guard(origins=Known("User-agent: GPTBot\nDisallow: /")), ask()))
    assert error.result.reason == "robots_purpose"
    assert [asked.gate for asked in error.results] == ["g0", "g3"]


@pytest.mark.parametrize("kind", ["image", "page", ""])
def test_a_broken_source_of_facts_holds(kind: str) -> None:
    class Failing:
        async def facts(self, origin: str) -> OriginFacts | None:
            raise OSError("disk")

    error = closed(lambda: admitted(guard(origins=Failing()), ask(kind=kind)))
    assert (error.result.verdict, error.result.reason) == (GateVerdict.HOLD, "gate_exception")


@pytest.mark.parametrize(
    ("method", "gate"), [("read_host_file", "g3"), ("read_image_head", "g4"), ("read_image", "g5")]
)
def test_an_exception_in_a_protocol_holds_at_its_gate(method: str, gate: str) -> None:
    broken = Broken(method)
    if method == "read_host_file":
        broken.host_files = ("/robots.txt",)  # type: ignore[misc]
    shared, request = guard(broken), ask()

    def work() -> None:
        admitted(shared, request)
        answered(shared, request, PICTURE, ("Content-Type", "image/jpeg"))

    error = closed(work)
    assert (error.result.gate, error.result.verdict, error.result.reason) == (
        gate,
        GateVerdict.HOLD,
        "gate_exception",
    )


@pytest.mark.parametrize("hook", ["g0", "g1", "g3", "g4", "g5"])
def test_an_exception_in_any_gate_closes(hook: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even one that `Permission` does not catch itself."""

    def fails(*args: object, **kwargs: object) -> GateResult:
        raise RuntimeError("a bug of ours")

    shared, request = guard(), ask(kind="" if hook == "g1" else "image")
    monkeypatch.setattr(shared.permission, hook, fails)

    def work() -> None:
        admitted(shared, request)
        answered(shared, request, PICTURE, ("Content-Type", "image/jpeg"))

    assert closed(work).result.reason == "gate_exception"
    assert META_TRAIL not in request.meta


def test_only_the_guard_makes_host_file_requests() -> None:
    shared = guard()
    genuine = shared.host_file_request(Need(f"{ORIGIN}/robots.txt", NeedKind.HOST_FILE, 1000))
    assert admitted(shared, genuine).cap == 1000
    for forged in (genuine.copy(), genuine.replace(url=f"{ORIGIN}/a.jpg"), ask("/robots.txt", "host_file")):
        assert closed(lambda forged=forged: admitted(shared, forged)).result.reason == "gate_exception"


def test_host_files_still_pass_g0() -> None:
    shared = guard()
    outside = shared.host_file_request(Need("http://169.254.169.254/robots.txt", NeedKind.HOST_FILE, 1000))
    assert closed(lambda: admitted(shared, outside)).result.reason == "address_blocked"


def test_admission_is_by_identity_and_is_neither_copied_nor_pickled() -> None:
    shared, request = guard(), ask()
    admitted(shared, request)
    assert shared.exchange(request.copy()) is None
    assert shared.exchange(copy.copy(request)) is None
    assert META_TRAIL not in pickle.loads(pickle.dumps(request.to_dict()))["meta"]


def test_a_trail_does_not_travel_to_the_next_request() -> None:
    shared, request = guard(), ask()
    admitted(shared, request)
    answered(shared, request, PICTURE, ("Content-Type", "image/jpeg"))
    second = request.replace(url=f"{ORIGIN}/b.jpg")
    assert META_TRAIL in second.meta
    admitted(shared, second)
    assert META_TRAIL not in second.meta


def test_images_and_host_files_are_asked_for_as_they_are() -> None:
    shared = guard()
    page, image = ask("/", "page"), ask()
    admitted(shared, page)
    admitted(shared, image)
    assert page.headers["Accept-Encoding"] == b"gzip, deflate"
    assert image.headers["Accept-Encoding"] == b"identity"
    assert image.headers["User-Agent"] == b"ShopBot/1.0"


def test_a_hop_queues_at_its_own_host() -> None:
    shared = guard()
    hop = ask(redirect_times=1, download_slot="where-we-came-from.example")
    chosen = ask(download_slot="the project's own")
    for request in (hop, chosen):
        admitted(shared, request)
    assert "download_slot" not in hop.meta
    assert chosen.meta["download_slot"] == "the project's own"


# ------------------------------------------------------------------ the answer


def test_an_open_image_carries_its_trail() -> None:
    shared, request = guard(), ask()
    admitted(shared, request)
    answered(shared, request, PICTURE, ("Content-Type", "image/jpeg"))
    trail = request.meta[META_TRAIL]
    assert isinstance(trail, GateTrail)
    assert [asked.gate for asked in trail.results] == ["g0", "g3", "g4", "g5"]
    assert trail.complete


def test_a_refusal_inside_the_file_drops_the_bytes_and_keeps_their_hash() -> None:
    shared, request = guard(), ask()
    admitted(shared, request)
    body = painted("gates", xmp=plus_xmp("DMI-PROHIBITED")).render()
    error = closed(lambda: answered(shared, request, body, ("Content-Type", "image/jpeg")))
    assert (error.result.gate, error.result.reason) == ("g5", "plus_data_mining")
    assert len(error.sha256) == 64
    assert not any(value == body for value in vars(error).values())


def test_of_what_is_refused_somebody_may_keep_fingerprints() -> None:
    taken: list[bytes] = []
    prints = PicturePrints("ab" * 32, "cd" * 32, 90, "", b"", "test")

    async def take(body: bytes) -> PicturePrints:
        taken.append(body)
        return prints

    def end(body: bytes, kind: str = "image/jpeg") -> GateClosed:
        shared, request = guard(), ask()
        shared.take_prints = take
        admitted(shared, request)
        return closed(lambda: answered(shared, request, body, ("Content-Type", kind)))

    refused = painted("gates", xmp=plus_xmp("DMI-PROHIBITED")).render()
    assert end(refused).prints is prints
    assert taken == [refused]
    assert end(b"no image at all").prints is None, "what failed was no picture that somebody refused"
    assert taken == [refused]


def test_a_fingerprint_that_cannot_be_taken_leaves_the_refusal() -> None:
    async def broken(body: bytes) -> None:
        raise RuntimeError("a bug of theirs")

    shared, request = guard(), ask()
    shared.take_prints = broken
    admitted(shared, request)
    body = painted("gates", xmp=plus_xmp("DMI-PROHIBITED")).render()
    error = closed(lambda: answered(shared, request, body, ("Content-Type", "image/jpeg")))
    assert (error.result.reason, error.prints) == ("plus_data_mining", None)


def test_an_answer_without_admission_is_nobodys() -> None:
    """A cache, or another middleware, that answers in place of the network."""
    shared, request = guard(), ask()
    gate, seal = GateMiddleware(shared), SealMiddleware(shared)
    assert closed(lambda: asyncio.run(gate.process_response(request, Response(request.url)))).result
    admitted(shared, request)
    strange = Response(request.url, body=PICTURE)
    for answer in (
        lambda: asyncio.run(gate.process_response(request, strange)),
        lambda: asyncio.run(seal.process_response(request, strange)),
    ):
        assert closed(answer).result.reason == "gate_exception"


def test_bytes_changed_on_their_way_do_not_leave() -> None:
    shared, request = guard(), ask()
    admitted(shared, request)
    response = answered(shared, request, PICTURE, ("Content-Type", "image/jpeg"))
    seal = SealMiddleware(shared)
    assert asyncio.run(seal.process_response(request, response)) is response
    other = response.replace(body=painted("other").render())
    assert (
        closed(lambda: asyncio.run(seal.process_response(request, other))).result.reason == "gate_exception"
    )


def test_an_image_that_appears_behind_the_gate_does_not_leave() -> None:
    shared, request = guard(), ask("/data", kind="")
    admitted(shared, request)
    response = answered(shared, request, b"{}", ("Content-Type", "application/json"))
    swapped = response.replace(body=PICTURE)
    assert closed(lambda: asyncio.run(SealMiddleware(shared).process_response(request, swapped))).result


@pytest.mark.parametrize(
    ("headers", "length"),
    [
        ((("Content-Type", "image/jpeg"),), 3_000_000),
        ((("Content-Type", "text/html"),), 1_500_000),
    ],
)
def test_an_announced_length_beyond_the_cap_ends_the_download(
    headers: tuple[tuple[str, str], ...], length: int
) -> None:
    shared, request = guard(max_image="2 MB", max_page="1 MB"), ask(kind="")
    exchange = admitted(shared, request)
    exchange.head = ResponseHead(exchange.url, 200, headers, NOW)
    with pytest.raises(StopDownload):
        GateMiddleware(shared).headers_received(request, length)
    assert exchange.failed is FetchError.TOO_LARGE


def test_a_page_is_unpacked_within_its_cap() -> None:
    shared = guard(max_page="10 KB")
    html = b"<!doctype html><p>" + b"word " * 1000
    packed = (("Content-Type", "text/html"), ("Content-Encoding", "gzip"))
    request = ask("/", kind="page")
    admitted(shared, request)
    response = answered(shared, request, gzip.compress(html), *packed)
    assert isinstance(response, HtmlResponse)
    assert response.body == html
    assert "Content-Encoding" not in response.headers
    bomb = ask("/", kind="page")
    admitted(shared, bomb)
    error = closed(lambda: answered(shared, bomb, gzip.compress(html * 100), *packed))
    assert (error.result.reason, error.error) == ("page_error", FetchError.BOMB)


def test_an_image_hidden_in_a_coding_is_refused_as_one() -> None:
    shared, request = guard(), ask("/notes", kind="")
    admitted(shared, request)
    hidden = gzip.compress(PICTURE)
    error = closed(
        lambda: answered(
            shared, request, hidden, ("Content-Type", "text/plain"), ("Content-Encoding", "gzip")
        )
    )
    assert (error.result.gate, error.result.reason) == ("g4", "decompression_bomb")


@pytest.mark.parametrize("flag", ["dataloss", "download_stopped"])
def test_a_cut_image_is_incomplete(flag: str) -> None:
    shared, request = guard(), ask()
    exchange = admitted(shared, request)
    exchange.head = ResponseHead(exchange.url, 200, (("Content-Type", "image/jpeg"),), NOW)
    gate = GateMiddleware(shared)
    gate.headers_received(request, len(PICTURE))
    response = Response(request.url, body=PICTURE[:5000], flags=[flag])
    error = closed(lambda: asyncio.run(gate.process_response(request, response)))
    assert (error.result.gate, error.result.reason) == ("g5", "incomplete")


def test_closed_gates_are_counted() -> None:
    shared, counted = guard(origins=Known("User-agent: *\nDisallow: /")), []
    shared.count = counted.append
    error = closed(lambda: admitted(shared, ask()))
    asyncio.run(SealMiddleware(shared).process_exception(ask(), error))
    assert counted == ["kyodaku/g3/refuse/robots_disallow"]


def test_a_host_file_is_read_up_to_its_cap() -> None:
    shared = guard()
    request = shared.host_file_request(Need(f"{ORIGIN}/robots.txt", NeedKind.HOST_FILE, 10))
    exchange = admitted(shared, request)
    exchange.head = ResponseHead(exchange.url, 200, (("Content-Type", "text/plain"),), NOW)
    gate = GateMiddleware(shared)
    gate.headers_received(request, 1000)
    with pytest.raises(StopDownload) as stop:
        gate.bytes_received(request, b"x" * 16)
    assert stop.value.fail is False
    response = asyncio.run(gate.process_response(request, Response(request.url, body=b"x" * 16)))
    assert response.body == b"x" * 10
    assert not request.meta[META_TRAIL].complete


def test_a_page_that_says_no_is_remembered_for_its_images() -> None:
    shared, request = guard(), ask("/", kind="")
    admitted(shared, request)
    html = b'<!doctype html><meta name="robots" content="noai"><img src="/a.jpg">'
    response = answered(shared, request, html, ("Content-Type", "text/html"))
    response = HtmlResponse(request.url, body=response.body, request=request)
    error = closed(lambda: asyncio.run(SealMiddleware(shared).process_response(request, response)))
    assert (error.result.gate, error.result.reason) == ("g2", "meta_robots")
    image = closed(lambda: admitted(shared, ask("/a.jpg", kind="")))
    assert (image.result.gate, image.result.reason) == ("g2", "meta_robots")


def test_a_page_that_says_no_while_its_image_is_under_way_is_heard() -> None:
    shared, image, hop = guard(), ask("/a.jpg", kind=""), ask("/b.jpg", redirect_urls=[f"{ORIGIN}/a.jpg"])
    admitted(shared, image)
    url = f"{ORIGIN}/late"
    html = b'<!doctype html><meta name="robots" content="noai"><img src="/a.jpg">'
    page = Fetched(url, url, 200, (("Content-Type", "text/html"),), html, True, None, NOW)
    shared.pages.remember(url, shared.permission.g2(page))
    error = closed(lambda: answered(shared, image, PICTURE, ("Content-Type", "image/jpeg")))
    assert (error.result.gate, error.result.reason) == ("g2", "meta_robots")
    assert len(error.sha256) == 64
    assert closed(lambda: admitted(shared, hop)).result.reason == "meta_robots"


# ------------------------------------------------------------------ what failures mean


def data_loss(*reasons: Exception) -> ResponseDataLossError:
    error = ResponseDataLossError()
    error.__cause__ = ResponseFailed([Failure(reason) for reason in reasons])
    return error


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (FetchFailed(FetchError.TOO_SLOW), FetchError.TOO_SLOW),
        (DownloadTimeoutError(), FetchError.TIMEOUT),
        (CannotResolveHostError(), FetchError.DNS),
        (data_loss(ConnectionLost()), FetchError.RESET),
        (DownloadFailedError(), FetchError.PROTOCOL),
        (RuntimeError(), None),
    ],
)
def test_download_errors_have_a_meaning(error: Exception, meaning: FetchError | None) -> None:
    assert fetch_error(error) is meaning


@pytest.mark.parametrize(
    ("kind", "error", "reason"),
    [
        ("image", DownloadTimeoutError(), "image_unreachable"),
        ("image", FetchFailed(FetchError.TOO_LARGE), "too_large"),
        ("image", RuntimeError(), "gate_exception"),
        ("page", DownloadTimeoutError(), "page_error"),
        ("page", FetchFailed(FetchError.TOO_SLOW), "page_error"),
        ("", FetchFailed(FetchError.TOO_LARGE), "page_error"),
    ],
)
def test_every_failure_of_a_kind_is_a_closed_gate(kind: str, error: Exception, reason: str) -> None:
    shared, request = guard(), ask(kind=kind)
    admitted(shared, request)
    told = closed(lambda: asyncio.run(SealMiddleware(shared).process_exception(request, error)))
    assert told.result.reason == reason


def test_a_host_file_fails_as_a_fetch() -> None:
    shared = guard()
    request = shared.host_file_request(Need(f"{ORIGIN}/robots.txt", NeedKind.HOST_FILE, 10))
    refused = GateClosed(GateResult("g0", GateVerdict.REFUSE, "address_blocked"))
    for error, meaning in ((refused, FetchError.BLOCKED), (DownloadTimeoutError(), FetchError.TIMEOUT)):
        with pytest.raises(FetchFailed) as caught:
            asyncio.run(SealMiddleware(shared).process_exception(request, error))
        fetched = fetched_of_failure(request, caught.value, NOW)
        assert (fetched.error, fetched.status, fetched.complete) == (meaning, None, False)


def test_other_middlewares_keep_their_word() -> None:
    shared = guard()
    for request, error in ((ask(), IgnoreRequest()), (ask(kind=""), DownloadTimeoutError())):
        assert asyncio.run(SealMiddleware(shared).process_exception(request, error)) is None


# ------------------------------------------------------------------ pages


def test_memory_is_bounded_and_finds_by_image() -> None:
    shared = guard()
    memory = PageMemory(shared.permission.g2_image, limit=3)

    def facts(number: int) -> PageFacts:
        url = f"{ORIGIN}/{number}"
        html = f'<!doctype html><img src="/shared.jpg"><img src="/{number}.jpg">'.encode()
        head = (("Content-Type", "text/html"),)
        return shared.permission.g2(Fetched(url, url, 200, head, html, True, None, NOW))

    for number in range(10):
        memory.remember(f"{ORIGIN}/{number}", facts(number))
    assert len(memory.about(f"{ORIGIN}/shared.jpg")) == 3
    assert memory.about(f"{ORIGIN}/1.jpg") == []
    assert len(memory.about(f"{ORIGIN}/9.jpg", named=f"{ORIGIN}/8")) == 2
    assert memory.shows("HTTP://SHOP.example:80/9.jpg")
