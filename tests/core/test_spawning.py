"""The Do-Not-Train client against real servers: what is sent, and that only a plain answer is one."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyodaku.errors import RecipeError, UsageError
from kyodaku.fetcher import Fetcher
from kyodaku.gate import GateVerdict
from kyodaku.netguard import HostTable, NetPolicy, Target
from kyodaku.permission import Permission
from kyodaku.recipe import Recipe, read_recipe
from kyodaku.recipe.sections import Spawning
from kyodaku.registry_client import Answer, KnownAnswers, RegistrySnapshot, Service, load_registries
from kyodaku.signals.model import Effect, Fetched, FetchError
from kyodaku.spawning import TRIES, SpawningClient, key_of, read_reply, require_key
from tests.core.test_fetcher_hostile import manners, reply
from tests.core.test_permission import rules

ENDPOINT = "http://opts.example/api/v2/query/urls/"
A, B, C = "https://artist.example/a.jpg", "https://artist.example/b.jpg", "https://artist.example/c.jpg"
NOW = 1_790_000_000.0
JSON = b"Content-Type: application/json"


def said(**urls: Any) -> bytes:
    return json.dumps({"urls": [{"url": url, "optOut": word} for url, word in urls.items()]}).encode()


YES_NO = said(**{A: True, B: False})
Say = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Api:
    """A raw server that answers with each of `answers` in turn; the last one stays."""

    def __init__(self, *answers: bytes | Say) -> None:
        self.answers = list(answers)
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self.times: list[float] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            self.heads.append(head)
            self.times.append(time.monotonic())
            length = next(line for line in head.split("\r\n") if line.lower().startswith("content-length"))
            self.bodies.append(await reader.readexactly(int(length.partition(":")[2])))
            say = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if isinstance(say, bytes):
                writer.write(say)
            else:
                await say(writer)
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


def query(api: Api, urls: list[str], *, batch: int = 10_000, **changes: Any) -> dict[str, bool | None]:
    """What the client makes of what `api` says."""

    async def scene() -> list[Answer]:
        listening = await asyncio.start_server(api, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        table = HostTable({("opts.example", None): Target("127.0.0.1", port)})
        try:
            async with (
                asyncio.timeout(20),
                Fetcher(manners(**changes), NetPolicy(host_table=table)) as fetcher,
            ):
                client = SpawningClient(ENDPOINT, "secret", batch, fetcher.get, lambda: NOW, pause=0.05)
                return await client.query(urls)
        finally:
            listening.close()

    return {answer.url: answer.opt_out for answer in asyncio.run(scene())}


# ------------------------------------------------------------------ what is sent


def test_it_asks_as_the_service_wants_to_be_asked() -> None:
    api = Api(reply(YES_NO, JSON))
    assert query(api, [A, B]) == {A: True, B: False}
    [head] = api.heads
    assert head.startswith("POST /api/v2/query/urls/ HTTP/1.1\r\n")
    assert "Authorization: API secret\r\n" in head
    assert "Content-Type: text/plain\r\n" in head
    assert api.bodies == [f"{A}\n{B}".encode()]


def test_it_asks_in_batches_and_about_no_address_twice() -> None:
    api = Api(reply(said(**{A: False, B: False}), JSON), reply(said(**{C: True}), JSON))
    assert query(api, [A, B, A, C], batch=2) == {A: False, B: False, C: True}
    assert api.bodies == [f"{A}\n{B}".encode(), C.encode()]


@pytest.mark.parametrize(
    "url",
    [
        f"https://x.example/\n{A}",
        f"https://x.example/\r{A}",
        "https://x.example/a b.jpg",
        "https://x.example/a.jpg#\nhttps://y.example/",
        "https://x.example/a.jpg#part",
        "https://x.example/\u2028",
        "https://x.example/\u00e9.jpg",
        "ftp://x.example/a.jpg",
        "",
    ],
)
def test_what_is_no_address_on_one_line_is_not_sent_and_has_no_answer(url: str) -> None:
    api = Api(reply(said(**{B: False, url: False, A: False}), JSON))
    assert query(api, [url, B]) == {url: None, B: False}
    assert api.bodies == [B.encode()]
    silent = Api(reply(b"{}"))
    assert query(silent, [url]) == {url: None}
    assert silent.bodies == []


# ------------------------------------------------------------------ what is no answer


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"urls": {}}',
        b'{"urls": ["https://artist.example/a.jpg"]}',
        b'{"urls": [{"optOut": false}]}',
        b'{"urls": [{"url": 1, "optOut": false}]}',
        b"<!doctype html><title>Maintenance</title>",
        b"\xff" + YES_NO,
        YES_NO + b"x",
        YES_NO[:-2],
        b'{"urls": [{"url": "https://artist.example/a.jpg", "optOut": NaN}]}',
        b'{"urls": [{"url": "https://artist.example/a.jpg", "optOut": false}], "more": NaN}',
        b'{"urls": [], "urls": [{"url": "https://artist.example/a.jpg", "optOut": false}]}',
        b'{"urls": [{"url": "https://artist.example/a.jpg", "optOut": true, "optOut": false}]}',
        b"[" * 100_000,
    ],
)
def test_a_reply_that_cannot_be_read_answers_for_nothing(body: bytes) -> None:
    assert query(Api(reply(body, JSON)), [A, B]) == {A: None, B: None}


@pytest.mark.parametrize("word", [None, 0, 1, "false", "true", [], {}, [False], 0.0])
def test_only_true_and_false_are_words(word: Any) -> None:
    assert query(Api(reply(said(**{A: word, B: False}), JSON)), [A, B]) == {A: None, B: False}


def test_an_address_that_is_missing_or_spelt_otherwise_has_no_answer() -> None:
    body = said(**{A.upper(): False, A + "/": False, " " + A: False, B: False})
    assert query(Api(reply(body, JSON)), [A, B]) == {A: None, B: False}


@pytest.mark.parametrize(
    ("words", "answer"), [([False, True], None), ([True, True], True), ([False, 0], None)]
)
def test_an_address_that_stands_twice_must_say_the_same(words: list[Any], answer: bool | None) -> None:
    body = json.dumps({"urls": [{"url": A, "optOut": word} for word in words]}).encode()
    assert query(Api(reply(body, JSON)), [A]) == {A: answer}


@pytest.mark.parametrize(
    "status", [b"201 Created", b"206 Partial Content", b"401 Unauthorized", b"404 Not Found"]
)
def test_another_status_is_no_answer_and_is_not_tried_again(status: bytes) -> None:
    api = Api(reply(said(**{A: False}), JSON, status=status))
    assert query(api, [A]) == {A: None}
    assert len(api.bodies) == 1


def test_no_redirect_is_followed_and_the_key_goes_nowhere_else() -> None:
    api = Api(
        reply(said(**{A: False}), b"Location: http://opts.example/other", status=b"307 Temporary Redirect")
    )
    assert query(api, [A]) == {A: None}
    assert len(api.heads) == 1


def test_a_body_that_is_cut_drips_or_does_not_end_is_no_answer() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(100):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)

    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + said(**{A: False})
    long = reply(b" " * 200_000 + said(**{A: False}), JSON)
    for say in (drip, cut, long):
        began = time.monotonic()
        assert query(Api(say), [A]) == {A: None}
        assert time.monotonic() - began < 10


def test_a_server_that_is_not_there_is_no_answer() -> None:
    async def scene() -> list[Answer]:
        table = HostTable({("opts.example", None): Target("127.0.0.1", 1)})
        async with Fetcher(manners(), NetPolicy(host_table=table)) as fetcher:
            client = SpawningClient(ENDPOINT, "secret", 10, fetcher.get, lambda: NOW, pause=0.01)
            return await client.query([A])

    [answer] = asyncio.run(scene())
    assert answer.opt_out is None
    assert "connect-failure" in answer.raw


def test_this_machine_is_not_spoken_to_without_a_host_table() -> None:
    async def scene() -> list[Answer]:
        async with Fetcher(manners(), NetPolicy()) as fetcher:
            client = SpawningClient(
                "http://127.0.0.1:8000/", "secret", 10, fetcher.get, lambda: NOW, pause=0.01
            )
            return await client.query([A])

    [answer] = asyncio.run(scene())
    assert "blocked" in answer.raw


# ------------------------------------------------------------------ trying again


def test_what_may_pass_is_tried_again_and_a_rest_is_honoured() -> None:
    api = Api(
        reply(b"", b"Retry-After: 1", status=b"503 Service Unavailable"), reply(said(**{A: False}), JSON)
    )
    assert query(api, [A]) == {A: False}
    assert api.times[1] - api.times[0] >= 0.95


def test_trying_again_ends() -> None:
    api = Api(reply(status=b"500 Internal Server Error"))
    assert query(api, [A]) == {A: None}
    assert len(api.bodies) == TRIES


# ------------------------------------------------------------------ from answers to signals


def service(*answers: Answer) -> Service:
    found = Service("spawning", ENDPOINT)
    found.answers.put(answers)
    return found


def test_signals_say_what_was_answered_and_nothing_is_silence() -> None:
    yes, no, none = (
        Answer(url, word, "{}", "d" * 64, NOW) for url, word in ((A, True), (B, False), (C, None))
    )
    asked = service(yes, no, none)
    effects = {url: [s.effect for s in asked.about_url(url)] for url in (A, B, C, "https://never.example/")}
    assert list(effects.values()) == [[Effect.RESERVED], [Effect.SILENT], [Effect.ERROR], [Effect.ERROR]]
    [signal] = asked.about_url(A)
    assert (signal.reason, signal.rule, signal.fetched_at) == ("registry_opt_out", "registry:spawning", NOW)
    [signal] = asked.about_url(C)
    assert (signal.reason, signal.complete) == ("registry_unreachable", False)
    assert [asked.unanswered(url) for url in (A, B, C)] == [False, False, True]


def test_one_interface_for_lists_and_services() -> None:
    snapshot = RegistrySnapshot(
        service=service(Answer(A, True, "{}", "", NOW), Answer(B, False, "{}", "", NOW))
    )
    assert [s.effect for s in snapshot.lookup(urls=[A, B], hashes=["0" * 64])] == [
        Effect.RESERVED,
        Effect.SILENT,
    ]
    assert snapshot.lookup(urls=[A, C], services=False) == []


def test_a_gate_holds_until_the_service_has_answered_and_host_files_are_not_its_business() -> None:
    asked, origin = service(), "https://artist.example.org"
    one, two = f"{origin}/1.jpg", f"{origin}/2.jpg"
    gates = Permission(rules(), RegistrySnapshot(service=asked), lambda: NOW)
    held = gates.g0(one)
    assert (held.verdict, held.reason) == (GateVerdict.HOLD, "registry_unreachable")
    assert gates.g0(one, services=False).open
    asked.answers.put([Answer(one, False, "{}", "d" * 64, NOW)])
    assert gates.g0(one).open
    assert gates.g0(two).reason == "registry_unreachable"
    machine = gates.host_files(origin)
    assert next(machine).url == f"{origin}/robots.txt"


@given(st.binary(max_size=200), st.text(max_size=30))
def test_no_reply_raises_and_none_is_taken_for_an_answer(body: bytes, url: str) -> None:
    fetched = Fetched(ENDPOINT, ENDPOINT, 200, (), body, True, None, NOW)
    assert [answer.opt_out for answer in read_reply(fetched, [url])] == [None]
    cut = Fetched(ENDPOINT, ENDPOINT, 200, (), YES_NO, False, None, NOW)
    assert [answer.opt_out for answer in read_reply(cut, [A, B])] == [None, None]
    broken = Fetched(ENDPOINT, ENDPOINT, None, (), YES_NO, False, FetchError.TIMEOUT, NOW)
    assert [answer.opt_out for answer in read_reply(broken, [A, B])] == [None, None]


# ------------------------------------------------------------------ the recipe

RECIPE = """
version = 1
name = "r"
[operator]
crawler = "SmallBot"
contact = "https://small.org/bot"
[seeds]
sites = ["https://museum.org/"]
[permission]
basis = "public-domain"
[registries.spawning]
"""


def recipe(extra: str = "") -> Recipe:
    return read_recipe(RECIPE + extra, "")


def test_it_is_off_unless_the_recipe_names_it(tmp_path: Any) -> None:
    plain = read_recipe(RECIPE.replace("[registries.spawning]", ""), "")
    assert plain.registries.spawning is None
    assert load_registries(plain, tmp_path / "recipe.toml").service is None
    require_key(plain)
    found = load_registries(recipe(), tmp_path / "recipe.toml")
    assert found.name == "spawning"
    assert found.service is not None
    assert found.service.endpoint == "https://opts-api.spawningaiapi.com/api/v2/query/urls/"


def test_without_a_key_nothing_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPAWNING_OPTS_KEY", raising=False)
    with pytest.raises(UsageError, match="SPAWNING_OPTS_KEY"):
        require_key(recipe())
    with pytest.raises(UsageError, match="MY_KEY"):
        require_key(recipe('key_env = "MY_KEY"'))
    with pytest.raises(UsageError, match="holds no key"):
        key_of(Spawning(), {"SPAWNING_OPTS_KEY": "a\r\nX-Evil: 1"})
    assert key_of(Spawning(), {"SPAWNING_OPTS_KEY": " abc\n"}) == "abc"


@pytest.mark.parametrize(
    "line",
    [
        'endpoint = "http://opts-api.spawningaiapi.com/"',
        'endpoint = "https://127.0.0.1/"',
        'endpoint = "https://10.0.0.7/"',
        'endpoint = "https://localhost/"',
        'endpoint = "ftp://opts.example/"',
        "batch = 0",
        "batch = 10001",
        'key = "secret"',
        'key_env = "a b"',
    ],
)
def test_a_recipe_cannot_send_the_key_in_the_clear_or_inwards(line: str) -> None:
    with pytest.raises(RecipeError, match=r"registries\.spawning"):
        recipe(line)


def test_known_answers_keep_the_last_one() -> None:
    known = KnownAnswers()
    known.put([Answer(A, None, "", "", 1.0), Answer(A, False, "", "", 2.0)])
    found = known.get(A)
    assert found is not None
    assert found.opt_out is False


def test_a_scrapy_project_of_its_own_does_not_start_with_it() -> None:
    from scrapy.settings import Settings

    from kyodaku.integrations.scrapy import KyodakuAddon

    settings = Settings({"KYODAKU_RECIPE": recipe()})
    with pytest.raises(UsageError, match=r"registries\.spawning"):
        KyodakuAddon(None).update_settings(settings)  # type: ignore[arg-type]
