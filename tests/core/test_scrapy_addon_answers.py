"""The add-on's own store of host files and documents: what is asked, how often, and who waits for it."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from kyodaku.gate import Need, NeedKind
from kyodaku.integrations.scrapy import Guard, answers, hostfiles
from kyodaku.integrations.scrapy.answers import SharedAnswers
from kyodaku.integrations.scrapy.hostfiles import HostFiles
from kyodaku.permission import Permission
from kyodaku.reasons import HoldReason
from kyodaku.registry_client import EMPTY_SNAPSHOT
from kyodaku.signals.model import Fetched, FetchError
from tests.core.test_scrapy_addon_gates import HOST, NOW, ORIGIN, guard

DAY = 24 * 3600.0
ROBOTS = f"{ORIGIN}/robots.txt"


class World:
    """A clock, and what every address answers: a body, or an error. The rest is 404."""

    def __init__(self, **known: bytes | int | FetchError) -> None:
        self.now = NOW
        self.known = {f"{ORIGIN}/{name}": answer for name, answer in known.items()}
        self.asked: list[str] = []

    def clock(self) -> float:
        return self.now

    async def fetch(self, need: Need) -> Fetched:
        self.asked.append(need.url)
        await asyncio.sleep(0)
        found = self.known.get(need.url, 404)
        answer = Fetched(
            need.url, need.url, 200, (("Content-Type", "text/plain"),), b"", True, None, self.now
        )
        if isinstance(found, FetchError):
            return replace(answer, status=None, complete=False, error=found)
        return replace(answer, status=found) if isinstance(found, int) else replace(answer, body=found)


def need(name: str) -> Need:
    return Need(f"{ORIGIN}/{name}", NeedKind.DOCUMENT, 1000)


# ------------------------------------------------------------------ answers


def shared(world: World) -> SharedAnswers:
    return SharedAnswers(world.fetch, world.clock, 300.0)


def test_those_who_come_together_share_one_request() -> None:
    world = World(a=b"text")
    store = shared(world)

    async def many() -> list[Fetched]:
        return await asyncio.gather(*(store.get(need("a")) for _ in range(50)))

    assert {answer.body for answer in asyncio.run(many())} == {b"text"}
    assert len(world.asked) == 1


@pytest.mark.parametrize(
    ("answer", "term"),
    [
        (b"text", DAY),
        (404, DAY),
        (410, DAY),
        (403, 300.0),
        (429, 300.0),
        (500, 300.0),
        (FetchError.TIMEOUT, 300.0),
    ],
)
def test_an_answer_holds_for_its_term(answer: bytes | int | FetchError, term: float) -> None:
    world = World(a=answer)
    store = shared(world)
    for moment, asked in ((0.0, 1), (term - 1, 1), (term, 2)):
        world.now = NOW + moment
        asyncio.run(store.get(need("a")))
        assert len(world.asked) == asked


def test_whoever_asks_again_gets_no_old_answer() -> None:
    world = World(a=b"text")
    store = shared(world)
    asyncio.run(store.get(need("a")))
    world.now += 10
    asyncio.run(store.get(need("a"), after=NOW - 1))
    assert len(world.asked) == 1
    asyncio.run(store.get(need("a"), after=NOW))
    assert len(world.asked) == 2


def test_a_bug_is_told_to_everybody_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(a=b"text")
    store = SharedAnswers(fails_once(world), world.clock, 300.0)

    async def both() -> list[Any]:
        return await asyncio.gather(*(store.get(need("a")) for _ in range(2)), return_exceptions=True)

    assert [type(answer) for answer in asyncio.run(both())] == [RuntimeError, RuntimeError]
    assert asyncio.run(store.get(need("a"))).body == b"text"


def fails_once(world: World) -> Any:
    calls = iter([True])

    async def fetch(wanted: Need) -> Fetched:
        if next(calls, False):
            raise RuntimeError("a bug of ours")
        return await world.fetch(wanted)

    return fetch


def test_bodies_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MAX_BYTES", 250)
    world = World(**{name: bytes(100) for name in "abc"})
    store = shared(world)
    for name in "abca":
        asyncio.run(store.get(need(name)))
    assert Counter(world.asked)[f"{ORIGIN}/a"] == 2
    assert Counter(world.asked)[f"{ORIGIN}/c"] == 1


# ------------------------------------------------------------------ host files and documents


def files(world: World, monkeypatch: pytest.MonkeyPatch) -> tuple[HostFiles, Guard]:
    """`HostFiles` over a world in place of Scrapy's engine."""
    made = guard()
    made.permission = Permission(made.permission.rules, EMPTY_SNAPSHOT, world.clock)
    polite: Any = SimpleNamespace(hold_retries=(300.0, 900.0), max_delay=120.0)
    crawler: Any = SimpleNamespace(engine=None)
    monkeypatch.setattr(HostFiles, "_fetch", lambda self, wanted: world.fetch(wanted))
    return HostFiles(crawler, made, polite), made


def test_a_held_origin_is_asked_again_after_a_while_and_a_changed_robots_is_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(**{"robots.txt": 503})
    store, made = files(world, monkeypatch)

    def said() -> str:
        return made.permission.g3(f"{ORIGIN}/a.jpg", asyncio.run(store.facts(ORIGIN))).reason

    assert said() == HoldReason.ROBOTS_UNREACHABLE
    world.known[ROBOTS] = b"User-agent: *\nDisallow:\n"
    world.now += 299
    assert said() == HoldReason.ROBOTS_UNREACHABLE
    world.now += 1
    assert said() == ""
    world.known[ROBOTS] = b"User-agent: *\nDisallow: /\n"
    world.now += DAY - 1
    assert said() == ""
    world.now += 1
    assert said() == "robots_disallow"


def test_documents_share_the_host_files_of_their_host(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(**{str(number): b"<rsl/>" for number in range(20)})
    store, made = files(world, monkeypatch)
    urls = [f"{ORIGIN}/{number}" for number in range(20)]

    async def everybody() -> None:
        await asyncio.gather(
            store.read_documents(urls), store.facts(ORIGIN), *(store.read_documents([url]) for url in urls)
        )

    asyncio.run(everybody())
    assert max(Counter(world.asked).values()) == 1
    assert len(world.asked) == 20 + len(made.permission.host_file_paths)
    assert all(made.permission.documents.get(url) for url in urls)


def test_a_copy_got_for_somebody_else_is_no_younger_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A robots.txt that a document needed yesterday counts from yesterday."""
    world = World(**{"robots.txt": b"User-agent: *\nDisallow:\n"})
    store, _ = files(world, monkeypatch)
    asyncio.run(store._answers.get(Need(ROBOTS, NeedKind.DOCUMENT, 1000)))
    world.now += DAY - 10
    asyncio.run(store.facts(ORIGIN))
    assert Counter(world.asked)[ROBOTS] == 1
    world.now += 20
    asyncio.run(store.facts(ORIGIN))
    assert Counter(world.asked)[ROBOTS] == 2


def test_a_request_waits_for_a_document_so_long_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hostfiles, "LONGEST_WAIT", 0.05)
    world = World(a=b"<rsl/>")
    store, made = files(world, monkeypatch)
    url = f"{ORIGIN}/a"

    async def patient() -> None:
        gate = asyncio.Event()

        fetch = world.fetch

        async def slow(wanted: Need) -> Fetched:
            await gate.wait()
            return await fetch(wanted)

        monkeypatch.setattr(world, "fetch", slow)
        await store.read_documents([url])
        assert made.permission.documents.get(url) is None, "so the gate holds"
        gate.set()
        await store.read_documents([url])
        assert made.permission.documents.get(url) is not None

    asyncio.run(patient())


def test_a_bug_on_the_way_to_a_document_leaves_it_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    store, made = files(world, monkeypatch)

    async def fails(wanted: Need) -> Fetched:
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr(world, "fetch", fails)
    asyncio.run(store.read_documents([f"http://{HOST}/a"]))
    assert made.permission.documents.get(f"http://{HOST}/a") is None
