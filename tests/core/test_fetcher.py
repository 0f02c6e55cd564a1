"""The fetcher of single questions, against real servers that lie, drip, break and redirect inward."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

import pytest

from kyodaku.fetcher import Fetcher, Manners
from kyodaku.gate import Need, NeedKind
from kyodaku.netguard import NetPolicy, load_host_table
from kyodaku.signals.model import Fetched, FetchError
from tests.web.model import Reply, Site, redirect, text
from tests.web.server import Visit
from tests.web.small_web import SmallWeb

HOST = "http://fetch.example"
MANNERS = Manners("Tester/1.0 Kyodaku/0.1", 0.0, 0.0, 1.0, 1000, 0.5, 16_000, 8)


def handled(say: Callable[[Visit], Awaitable[None]]) -> Callable[[Visit], Awaitable[Reply | None]]:
    async def handler(visit: Visit) -> Reply | None:
        await say(visit)
        return None

    return handler


async def drip(visit: Visit) -> None:
    await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(100):
        await visit.send(b"x")
        await asyncio.sleep(0.05)


async def silence(visit: Visit) -> None:
    await asyncio.sleep(3)


async def reset(visit: Visit) -> None:
    await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")


async def nonsense(visit: Visit) -> None:
    await visit.send(b"this is no HTTP\r\n\r\n")


async def endless_head(visit: Visit) -> None:
    await visit.send(b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"y" * 200_000 + b"\r\n\r\n")


ROUTES = {
    "/robots.txt": text("User-agent: *\nDisallow:\n"),
    "/plain": text("hello"),
    "/packed": Reply(gzip.compress(b"unpacked"), headers=(("Content-Encoding", "gzip"),)),
    "/bomb": Reply(gzip.compress(b"\x00" * 10**7), headers=(("Content-Encoding", "gzip"),)),
    "/torn": Reply(gzip.compress(b"unpacked")[:-6], headers=(("Content-Encoding", "gzip"),)),
    "/odd": Reply(b"x", headers=(("Content-Encoding", "rot13"),)),
    "/long": text("x" * 5000),
    "/away": redirect("http://169.254.169.254/latest/meta-data"),
    "/kept": Reply(b"", 304, (("ETag", '"1"'),)),
    "/rest": text("later", 503, ("Retry-After", "1")),
    "/drip": handled(drip),
    "/silence": handled(silence),
    "/reset": handled(reset),
    "/nonsense": handled(nonsense),
    "/head": handled(endless_head),
    "/cookie": text("sweet", 200, ("Set-Cookie", "id=1; Path=/")),
}


@pytest.fixture(scope="module")
def web() -> Iterator[SmallWeb]:
    secure = Site("secure.example", "TLS under another name", "https", certificate_for="other.example")
    with SmallWeb([Site("fetch.example", "for the fetcher", routes=ROUTES), secure]) as running:
        yield running


def ask(web: SmallWeb, *needs: Need, manners: Manners = MANNERS) -> list[Fetched]:
    async def all_() -> list[Fetched]:
        net = NetPolicy(host_table=load_host_table(web.host_table_path))
        async with Fetcher(manners, net) as fetcher:
            return list(await asyncio.gather(*(fetcher.get(need) for need in needs)))

    return asyncio.run(all_())


def page(path: str, cap: int = 100_000) -> Need:
    return Need(path if "://" in path else HOST + path, NeedKind.PAGE, cap)


@pytest.mark.parametrize(
    ("path", "body"), [("/plain", b"hello"), ("/packed", b"unpacked"), ("/kept", b""), ("/cookie", b"sweet")]
)
def test_whole_answers(web: SmallWeb, path: str, body: bytes) -> None:
    (answer,) = ask(web, page(path))
    assert (answer.error, answer.body, answer.complete) == (None, body, True)
    assert answer.hops[-1].ip == "127.0.0.1"


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("/bomb", FetchError.BOMB),
        ("/torn", FetchError.PROTOCOL),
        ("/odd", FetchError.PROTOCOL),
        ("/drip", FetchError.TOO_SLOW),
        ("/silence", FetchError.TIMEOUT),
        ("/reset", FetchError.RESET),
        ("/nonsense", FetchError.PROTOCOL),
        ("/head", FetchError.PROTOCOL),
        ("https://secure.example/", FetchError.TLS),
        ("http://unknown.example/", FetchError.BLOCKED),
        ("http://127.0.0.1/", FetchError.BLOCKED),
        ("ftp://fetch.example/", FetchError.BLOCKED),
        ("http://user@fetch.example/", FetchError.BLOCKED),
        ("nonsense", FetchError.BLOCKED),
    ],
)
def test_what_goes_wrong_is_data(web: SmallWeb, url: str, error: FetchError) -> None:
    (answer,) = ask(web, page(url))
    assert (answer.error, answer.status, answer.complete) == (error, None, False)
    assert answer.body == b""


def test_a_body_is_cut_at_its_cap_and_an_image_is_dropped(web: SmallWeb) -> None:
    cut, dropped, packed = ask(
        web,
        page("/long", 1000),
        Need(HOST + "/long", NeedKind.IMAGE, 1000),
        Need(HOST + "/packed", NeedKind.IMAGE, 1000),
    )
    assert (len(cut.body), cut.complete, cut.error) == (1000, False, None)
    assert dropped.error is FetchError.TOO_LARGE
    assert packed.error is FetchError.BOMB


def test_redirects_are_told_and_never_followed(web: SmallWeb) -> None:
    (answer,) = ask(web, page("/away"))
    assert answer.status == 302
    assert dict(answer.headers)["Location"].startswith("http://169.254")


def test_our_own_name_and_nothing_of_the_visitor_is_sent(web: SmallWeb) -> None:
    ask(web, page("/cookie"), replace(page("/plain"), method="HEAD", headers=(("If-None-Match", '"1"'),)))
    sent = [entry for entry in web.requests("fetch.example") if entry.path in ("/cookie", "/plain")][-2:]
    for entry in sent:
        headers = {name.lower(): value for name, value in entry.headers}
        assert headers["user-agent"] == MANNERS.agent
        assert not {"cookie", "referer", "authorization"} & set(headers)
    assert [entry.method for entry in sent] == ["GET", "HEAD"]
    assert {name.lower(): value for name, value in sent[1].headers}["if-none-match"] == '"1"'


def test_one_host_is_asked_one_by_one_after_its_delay_and_its_rest(web: SmallWeb) -> None:
    began = time.monotonic()
    ask(web, *(page("/plain") for _ in range(3)), manners=replace(MANNERS, delay=0.2))
    assert time.monotonic() - began >= 0.4
    began = time.monotonic()
    ask(web, page("/rest"), page("/plain"))
    assert time.monotonic() - began >= 1.0
