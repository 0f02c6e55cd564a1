"""The fetcher of single questions, against real and hostile servers."""

from __future__ import annotations

import asyncio
import gzip
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from kyodaku.fetcher import Fetcher, Manners
from kyodaku.gate import Need, NeedKind
from kyodaku.netguard import HostTable, NetPolicy, Target
from kyodaku.signals.model import Fetched, FetchError
from kyodaku.turns import Turn

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
URL = "http://shop.example/x"


def manners(**changes: Any) -> Manners:
    usual: dict[str, Any] = {
        "agent": "ShopBot/1.0 (+https://shop.example/bot) Kyodaku/0.1",
        "delay": 0.0,
        "jitter": 0.0,
        "timeout": 1.0,
        "min_rate": 1000,
        "min_rate_after": 0.3,
        "max_headers": 8000,
        "connections": 4,
    }
    return Manners(**{**usual, **changes})


class Server:
    """One raw server for every name; keeps what was asked, and when."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[bytes] = []
        self.times: list[float] = []
        self.open = self.most = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            self.asked.append(await reader.readuntil(b"\r\n\r\n"))
            self.times.append(time.monotonic())
            await self.answer(reader, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            writer.close()


def says(raw: bytes) -> Answer:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)

    return answer


def reply(body: bytes = b"", *fields: bytes, status: bytes = b"200 OK") -> bytes:
    length = b"Content-Length: %d" % len(body)
    return b"\r\n".join([b"HTTP/1.1 " + status, length, *fields, b"", body])


def need(url: str = URL, kind: NeedKind = NeedKind.PAGE, cap: int = 100_000, **more: Any) -> Need:
    return Need(url, kind, cap, **more)


async def _with_server(
    answer: Answer, work: Callable[[Fetcher, Server], Awaitable[Any]], names: tuple[str, ...], **changes: Any
) -> tuple[Any, Server]:
    server = Server(answer)
    listening = await asyncio.start_server(server, "127.0.0.1", 0, limit=1 << 20)
    port = listening.sockets[0].getsockname()[1]
    table = HostTable({(name, None): Target("127.0.0.1", port) for name in names})
    try:
        async with Fetcher(manners(**changes), NetPolicy(host_table=table)) as fetcher:
            return await work(fetcher, server), server
    finally:
        listening.close()


def ask(answer: Answer, *needs: Need, names: tuple[str, ...] = ("shop.example",), **changes: Any) -> Any:
    """The answers, one after another, and the server."""

    async def work(fetcher: Fetcher, server: Server) -> list[Fetched]:
        return [await fetcher.get(one) for one in needs or (need(),)]

    async def scene() -> Any:
        async with asyncio.timeout(20):
            return await _with_server(answer, work, names, **changes)

    return asyncio.run(scene())


# ------------------------------------------------------------------ what is sent


def test_it_says_who_it_is_keeps_no_cookies_and_uses_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    _, server = ask(says(reply(b"", b"Set-Cookie: a=b; Path=/")), need(), need())
    for raw in server.asked:
        lines = raw.decode().split("\r\n")
        assert "User-Agent: ShopBot/1.0 (+https://shop.example/bot) Kyodaku/0.1" in lines
        assert not any(line.lower().startswith("cookie") for line in lines)
    assert len(server.asked) == 2


def test_method_and_conditional_headers_are_sent() -> None:
    conditional = need(headers=(("If-None-Match", '"a"'),))
    found, server = ask(
        says(b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nX-Robots-Tag: noai\r\n\r\n'), conditional
    )
    assert b'If-None-Match: "a"\r\n' in server.asked[0]
    assert found[0].status == 304
    assert found[0].complete
    assert ("X-Robots-Tag", "noai") in found[0].headers
    head = need(method="HEAD", kind=NeedKind.IMAGE)
    found, server = ask(says(b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n"), head)
    assert server.asked[0].startswith(b"HEAD /x ")
    assert found[0].status == 200
    assert found[0].body == b""
    assert found[0].error is None


@pytest.mark.parametrize("where", ["http://127.0.0.1:22/", "http://10.0.0.1/", "http://other.example/"])
def test_a_redirect_is_not_followed(where: str) -> None:
    location = b"Location: " + where.encode()
    found, server = ask(says(reply(b"go", location, status=b"302 Found")), need(), need(where))
    assert found[0].status == 302
    assert ("Location", where) in found[0].headers
    assert found[1].error is FetchError.BLOCKED, "asked for by itself, it is not asked either"
    assert len(server.asked) == 1


# ------------------------------------------------------------------ bodies


def test_packed_bodies_are_unpacked() -> None:
    found, _ = ask(says(reply(gzip.compress(b"hello" * 99), b"Content-Encoding: gzip")))
    assert found[0].body == b"hello" * 99
    assert found[0].complete


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (reply(gzip.compress(bytes(5_000_000), mtime=0), b"Content-Encoding: gzip"), FetchError.BOMB),
        (reply(b"no gzip at all", b"Content-Encoding: gzip"), FetchError.PROTOCOL),
        (reply(gzip.compress(b"cut short", mtime=0)[:-6], b"Content-Encoding: gzip"), FetchError.PROTOCOL),
        (reply(b"x", b"Content-Encoding: zstd"), FetchError.PROTOCOL),
        (reply(b"x", b"Content-Encoding: gzip, gzip, gzip"), FetchError.BOMB),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nonly this", FetchError.RESET),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\nonly this", FetchError.RESET),
        (b"", FetchError.RESET),
        (b"hello, I am no HTTP server\r\n\r\n", FetchError.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 200_000 + b"\r\n\r\n", FetchError.PROTOCOL),
        (
            b"HTTP/1.1 200 OK\r\n" + b"A: " + b"b" * 900 + b"\r\n" + (b"A: " + b"b" * 900 + b"\r\n") * 9
            + b"Content-Length: 0\r\n\r\n",
            FetchError.TOO_LARGE,
        ),
    ],
)  # fmt: skip
def test_whatever_the_web_does_is_an_error_by_name(raw: bytes, error: FetchError) -> None:
    found, _ = ask(says(raw))
    assert (found[0].error, found[0].complete, found[0].body) == (error, False, b"")


def test_a_body_over_its_cap_is_cut_and_said_to_be() -> None:
    found, _ = ask(says(reply(b"x" * 5000)), need(cap=1000))
    assert (found[0].body, found[0].complete, found[0].error) == (b"x" * 1000, False, None)
    found, _ = ask(says(reply(b"x" * 5000)), need(cap=1000, kind=NeedKind.IMAGE))
    assert (found[0].complete, found[0].error) == (False, FetchError.TOO_LARGE)


def test_a_reset_in_a_body_without_a_length() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nhalf of it")
        await asyncio.sleep(0.1)
        sock: socket.socket = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    found, _ = ask(answer)
    assert found[0].error is FetchError.RESET
    assert not found[0].complete


# ------------------------------------------------------------------ patience


def drips(first: bytes, piece: bytes, pause: float = 0.1) -> Answer:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while True:
            await writer.drain()
            await asyncio.sleep(pause)
            writer.write(piece)

    return answer


def test_a_body_that_drips_is_given_up_as_too_slow() -> None:
    started = time.monotonic()
    found, _ = ask(drips(b"HTTP/1.1 200 OK\r\n\r\n", b"x"), timeout=5.0)
    assert found[0].error is FetchError.TOO_SLOW
    assert time.monotonic() - started < 4


def test_headers_that_drip_are_given_up_after_the_timeout() -> None:
    started = time.monotonic()
    found, _ = ask(drips(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"), need(cap=10**6), timeout=0.5, min_rate=1000)
    assert found[0].error in (FetchError.TIMEOUT, FetchError.TOO_SLOW)
    assert time.monotonic() - started < 4


def test_endless_interim_answers_are_given_up() -> None:
    started = time.monotonic()
    found, _ = ask(
        drips(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 0.01), need(cap=10**6), timeout=0.5
    )
    assert found[0].error is not None
    assert time.monotonic() - started < 4


def test_silence_is_a_timeout() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(1.5)

    found, _ = ask(answer, timeout=0.3)
    assert found[0].error is FetchError.TIMEOUT


# ------------------------------------------------------------------ addresses


@pytest.mark.parametrize("answers", [["127.0.0.1"], ["192.0.2.1", "10.1.1.1"], ["::1"], ["169.254.169.254"]])
def test_a_name_that_leads_inside_is_blocked(monkeypatch: pytest.MonkeyPatch, answers: list[str]) -> None:
    monkeypatch.setattr("kyodaku.fetcher._resolve", lambda host, port: answers)

    async def scene() -> Fetched:
        async with Fetcher(manners(), NetPolicy()) as fetcher:
            return await fetcher.get(need("http://shop.org/"))

    assert asyncio.run(scene()).error is FetchError.BLOCKED


def test_a_name_is_resolved_once_and_exactly_that_address_is_spoken_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """DNS rebinding: the second answer would lead inside, and is never asked for."""
    asked: list[str] = []
    spoken: list[object] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["8.8.8.8"] if len(asked) == 1 else ["127.0.0.1"]

    async def connect(self: object, sock: socket.socket, address: object) -> None:
        spoken.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr("kyodaku.fetcher._resolve", resolve)
    monkeypatch.setattr("asyncio.selector_events.BaseSelectorEventLoop.sock_connect", connect)

    async def scene() -> Fetched:
        async with Fetcher(manners(), NetPolicy()) as fetcher:
            return await fetcher.get(need("http://shop.org/"))

    assert asyncio.run(scene()).error is FetchError.CONNECT
    assert asked == ["shop.org"]
    assert spoken == [("8.8.8.8", 80)]


def test_a_closed_port_and_a_name_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    async def closed() -> Fetched:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            table = HostTable({("shop.example", None): Target("127.0.0.1", sock.getsockname()[1])})
            async with Fetcher(manners(), NetPolicy(host_table=table)) as fetcher:
                return await fetcher.get(need())

    assert asyncio.run(closed()).error is FetchError.CONNECT

    def nothing(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    monkeypatch.setattr("kyodaku.fetcher._resolve", nothing)

    async def scene() -> Fetched:
        async with Fetcher(manners(), NetPolicy()) as fetcher:
            return await fetcher.get(need("http://shop.org/"))

    assert asyncio.run(scene()).error is FetchError.DNS


# ------------------------------------------------------------------ manners


def test_one_connection_a_host_and_a_pause_between() -> None:
    async def work(fetcher: Fetcher, server: Server) -> Any:
        fetcher.slow_down("http://shop.example", 0.2)
        return await asyncio.gather(*[fetcher.get(need()) for _ in range(3)])

    async def scene() -> Server:
        return (await _with_server(says(reply(b"a")), work, ("shop.example",)))[1]

    server = asyncio.run(scene())
    assert server.most == 1
    gaps = [b - a for a, b in zip(server.times, server.times[1:], strict=False)]
    assert len(gaps) == 2
    assert min(gaps) >= 0.19


def test_hosts_of_one_registrable_domain_share_two_connections() -> None:
    names = tuple(f"{letter}.shop.example" for letter in "abcdef")

    async def slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        writer.write(reply(b"a"))

    async def work(fetcher: Fetcher, server: Server) -> Any:
        return await asyncio.gather(*[fetcher.get(need(f"http://{name}/x")) for name in names])

    answers, server = asyncio.run(_with_server(slowly, work, names, connections=16))
    assert [answer.status for answer in answers] == [200] * len(names)
    assert server.most == 2


def test_names_of_one_address_share_two_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    open_: list[int] = []
    now = 0

    async def connect(self: object, sock: socket.socket, address: object) -> None:
        nonlocal now
        now += 1
        open_.append(now)
        await asyncio.sleep(0.02)
        now -= 1
        raise ConnectionRefusedError

    monkeypatch.setattr("kyodaku.fetcher._resolve", lambda host, port: ["8.8.8.8"])
    monkeypatch.setattr("asyncio.selector_events.BaseSelectorEventLoop.sock_connect", connect)

    async def scene() -> None:
        async with Fetcher(manners(connections=16), NetPolicy()) as fetcher:
            await asyncio.gather(*[fetcher.get(need(f"http://shop-{n}.org/")) for n in "abcdef"])

    asyncio.run(scene())
    assert len(open_) == 6
    assert max(open_) == 2


@pytest.mark.parametrize("status", [b"429 Too Many Requests", b"503 Service Unavailable"])
def test_retry_after_in_seconds_is_kept(status: bytes) -> None:
    _, server = ask(says(reply(b"", b"Retry-After: 1", status=status)), need(), need())
    assert server.times[1] - server.times[0] >= 0.95


@pytest.mark.parametrize("value", ["7", "7.0", "7s", "7 seconds"])
def test_retry_after_is_read_as_a_crawl_reads_it(value: str) -> None:
    turn = Turn()
    answer = Fetched(URL, URL, 429, (("Retry-After", value),), b"", True, None, 0.0, ())
    turn.answered(answer, 0.0, 0.0, 10.0)
    assert turn.free_at == 7.0


def test_retry_after_as_a_date_is_kept() -> None:
    from email.utils import formatdate

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        date = formatdate(time.time() + 2.5, usegmt=True).encode()
        writer.write(reply(b"", b"Retry-After: " + date, status=b"429 Too Many Requests"))

    _, server = ask(answer, need(), need())
    assert server.times[1] - server.times[0] >= 1.4


def test_a_host_that_rests_keeps_no_other_waiting() -> None:
    async def work(fetcher: Fetcher, server: Server) -> Fetched:
        await fetcher.get(need("http://slow.example/"))
        fetcher.slow_down("http://slow.example", 0.0)
        resting = [asyncio.ensure_future(fetcher.get(need("http://slow.example/")))]
        await asyncio.sleep(0.05)
        try:
            async with asyncio.timeout(2):
                return await fetcher.get(need("http://shop.example/"))
        finally:
            for task in resting:
                task.cancel()
            await asyncio.gather(*resting, return_exceptions=True)

    async def scene() -> Fetched:
        raw = reply(b"", b"Retry-After: 30", status=b"429 Too Many Requests")
        names = ("slow.example", "shop.example")
        found: Fetched = (await _with_server(says(raw), work, names, connections=1))[0]
        return found

    assert asyncio.run(scene()).status == 429


@pytest.mark.parametrize("rest", [b"601", b"99999999999", b"Fri, 31 Dec 2100 00:00:00 GMT"])
def test_a_host_that_wants_to_rest_for_long_is_not_waited_for(rest: bytes) -> None:
    raw = reply(b"", b"Retry-After: " + rest, status=b"503 Service Unavailable")
    answers, server = ask(
        says(raw),
        need(),
        need(),
        need("http://other.example/"),
        names=(
            "shop.example",
            "other.example",
        ),
    )
    assert [(answer.status, answer.error) for answer in answers] == [
        (503, None),
        (None, FetchError.TIMEOUT),
        (503, None),
    ]
    assert len(server.asked) == 2, "the resting host is asked no more"


def test_a_host_that_rests_again_and_again_is_given_up() -> None:
    raw = reply(b"", b"Retry-After: 1", status=b"429 Too Many Requests")
    answers, server = ask(says(raw), *[need() for _ in range(9)], max_rest=1.5)
    assert [answer.status for answer in answers] == [429, 429] + [None] * 7
    assert len(server.asked) == 2


def test_a_crawl_delay_longer_than_any_patience_is_no_sleep() -> None:
    async def work(fetcher: Fetcher, server: Server) -> list[Fetched]:
        fetcher.slow_down("http://shop.example", 1e9)
        return [await fetcher.get(need()) for _ in range(2)]

    async def scene() -> Any:
        async with asyncio.timeout(5):
            return (await _with_server(says(reply(b"a")), work, ("shop.example",)))[0]

    assert [answer.error for answer in asyncio.run(scene())] == [None, FetchError.TIMEOUT]


def test_a_crawl_delay_counts_from_the_answer_that_names_it() -> None:
    async def work(fetcher: Fetcher, server: Server) -> None:
        await fetcher.get(need())
        fetcher.slow_down("http://shop.example", 0.3)
        await fetcher.get(need())

    async def scene() -> Server:
        return (await _with_server(says(reply(b"a")), work, ("shop.example",)))[1]

    first, second = asyncio.run(scene()).times
    assert second - first >= 0.29


def test_without_a_retry_after_the_rest_doubles_up_to_a_cap_and_ends_with_a_good_answer() -> None:
    turn, rests = Turn(), []
    for status, fields in [(429, ()), (503, ()), (429, (("Retry-After", "soon"),)), (503, ()), (200, ())]:
        answer = Fetched(URL, URL, status, fields, b"", True, None, 0.0, ())
        turn.answered(answer, 0.0, 0.75, 10.0)
        rests.append(turn.free_at)
    assert rests == [1.5, 3.0, 6.0, 10.0, 0.75]
    turn.answered(Fetched(URL, URL, 429, (), b"", True, None, 0.0, ()), 0.0, 0.0, 10.0)
    assert turn.free_at == 1.0, "a rest even where there is no delay"
