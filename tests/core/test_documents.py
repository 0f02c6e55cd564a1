"""The library of documents: how long an answer holds, and how many documents an origin may name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kyodaku.documents import (
    DOCUMENT_FRESH,
    DOCUMENT_RETRY,
    MAX_NAMED_BY,
    MAX_NAMED_OF,
    DocumentLibrary,
)
from kyodaku.gate import GateResult, GateVerdict, OriginFacts, PageFacts
from kyodaku.hostfiles import document
from kyodaku.netguard import NetPolicy
from kyodaku.permission import Permission
from kyodaku.reasons import HoldReason
from kyodaku.recipe import parse_recipe
from kyodaku.registry_client import EMPTY_SNAPSHOT
from kyodaku.rules import Rules
from kyodaku.signals.model import Fetched, FetchError

URL = "http://licences.example/a.xml"
OK = Fetched(URL, URL, 200, (), b"<rsl/>", True, None, 0.0)
START = 1_700_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


def failed(error: FetchError | None = None, status: int | None = None) -> Fetched:
    return replace(OK, status=status, body=b"", complete=error is None, error=error)


@pytest.mark.parametrize(
    "answer",
    [
        failed(FetchError.TIMEOUT),
        failed(FetchError.DNS),
        failed(FetchError.BLOCKED),
        failed(FetchError.TOO_SLOW),
        failed(status=503),
        failed(status=500),
        failed(status=429),
        replace(OK, complete=False),
    ],
)
def test_a_failure_is_asked_again_soon_and_then_ever_later(answer: Fetched) -> None:
    clock = Clock()
    library = DocumentLibrary(clock)
    terms = []
    for _ in range(12):
        library.put(URL, replace(answer, fetched_at=clock.now))
        asked_at, low, high = clock.now, 0.0, 2 * DOCUMENT_FRESH
        while high - low > 1:  # the first moment at which nothing is known
            middle = (low + high) / 2
            clock.now = asked_at + middle
            low, high = (low, middle) if library.get(URL) is None else (middle, high)
        terms.append(round(high))
        clock.now = asked_at + high
    expected = [min(DOCUMENT_RETRY * 2**number, DOCUMENT_FRESH) for number in range(12)]
    assert terms == pytest.approx(expected, abs=1)


@pytest.mark.parametrize("answer", [OK, failed(status=404), failed(status=403), failed(FetchError.BARRED)])
def test_an_answer_holds_for_a_day(answer: Fetched) -> None:
    clock = Clock()
    library = DocumentLibrary(clock)
    library.put(URL, replace(answer, fetched_at=clock.now))
    clock.now += DOCUMENT_FRESH - 1
    assert library.get(URL) is not None
    clock.now += 1
    assert library.get(URL) is None


def test_success_ends_the_backoff_and_the_same_failure_counts_once() -> None:
    clock = Clock()
    library = DocumentLibrary(clock)
    for _ in range(5):
        library.put(URL, replace(failed(status=503), fetched_at=clock.now))
    clock.now += DOCUMENT_RETRY
    assert library.get(URL) is None
    library.put(URL, replace(OK, fetched_at=clock.now))
    library.put(URL, replace(failed(status=503), fetched_at=clock.now + 1))
    clock.now += DOCUMENT_RETRY + 1
    assert library.get(URL) is None


# ------------------------------------------------------------------ how many


def test_an_origin_names_so_many_documents_of_others_and_each_counts_once() -> None:
    library = DocumentLibrary(Clock())
    for _ in range(2):
        assert all(
            library.admit(f"http://h{n}.example/a", f"http://a.example/p{n}") for n in range(MAX_NAMED_BY)
        )
    assert not library.admit("http://new.example/a", "http://a.example/")
    assert library.admit("http://new.example/a", "http://b.example/"), "others may"
    assert library.admit("http://a.example/own", "http://a.example/"), "its own are its own affair"


def test_of_an_origin_so_many_documents_are_asked_for_whoever_names_them() -> None:
    library = DocumentLibrary(Clock())
    asked = [
        library.admit(f"http://victim.example/{n}", f"http://h{n}.example/") for n in range(MAX_NAMED_OF)
    ]
    assert all(asked)
    assert not library.admit("http://victim.example/more", "http://new.example/")
    assert not library.admit("http://victim.example/more", "http://victim.example/")


def permission() -> Permission:
    recipe = parse_recipe(
        {
            "version": 1,
            "name": "documents",
            "operator": {"crawler": "ShopBot", "contact": "https://shop.example/bot"},
            "seeds": {"sites": ["http://shop.example/"]},
            "permission": {"basis": "not-opted-out"},
        },
        "test",
    )
    return Permission(Rules.from_recipe(recipe, NetPolicy()), EMPTY_SNAPSHOT, Clock())


def page(gates: Permission, number: int) -> PageFacts:
    """A page that names a document of its own on a host of its own."""
    url = f"http://hostile.example/{number}"
    link = f'<http://victim{number}.example/{number}.xml>; rel="license"; type="application/rsl+xml"'
    head = (("Content-Type", "text/html"), ("Link", link))
    return gates.g2(Fetched(url, url, 200, head, b"<!doctype html><img src='/a.jpg'>", True, None, START))


def test_a_page_of_an_origin_that_named_too_many_is_held_with_its_images() -> None:
    gates = permission()
    for number in range(MAX_NAMED_BY):
        facts = page(gates, number)
        assert (facts.result.reason, len(facts.result.documents)) == ("document_unread", 1)
    late = page(gates, MAX_NAMED_BY)
    assert (late.result.verdict, late.result.reason) == (GateVerdict.HOLD, HoldReason.RSL_UNOBTAINABLE)
    assert not late.result.documents
    assert not gates.g2_image(late, "http://hostile.example/a.jpg").open
    assert page(gates, 0).result.documents, "what was admitted stays admitted"


def test_a_document_that_another_one_brought_speaks_whoever_names_it() -> None:
    gates = permission()
    for number in range(MAX_NAMED_BY):
        page(gates, number)
    url = f"http://victim{MAX_NAMED_BY}.example/{MAX_NAMED_BY}.xml"
    body = b"""<rsl xmlns="https://rslstandard.org/rsl"><content url="/"><license>
        <prohibits type="usage">ai-train</prohibits></license></content></rsl>"""
    gates.documents.put(url, Fetched(url, url, 200, (), body, True, None, START))
    assert page(gates, MAX_NAMED_BY).result.reason == "rsl"


def test_redirects_of_documents_count_as_naming() -> None:
    gates = permission()

    def open_host(url: str):  # type: ignore[no-untyped-def]
        origin = "/".join(url.split("/")[:3])
        robots = Fetched(f"{origin}/robots.txt", f"{origin}/robots.txt", 404, (), b"", True, None, START)
        files = dict.fromkeys(gates.host_file_paths, robots)
        return OriginFacts(origin, files, START)
        yield

    ends = []
    for number in range(MAX_NAMED_BY + 1):
        machine = document(gates, f"http://hostile.example.org/{number}", 5, open_host)
        need = next(machine)
        moved = (("Location", f"http://victim.example.net/{number}"),)
        try:
            ends.append(machine.send(Fetched(need.url, need.url, 302, moved, b"", True, None, START)).url)
        except StopIteration as stop:
            ends.append(stop.value.error)
    assert ends[-1] is FetchError.REDIRECTS
    assert ends[:-1] == [f"http://victim.example.net/{number}" for number in range(MAX_NAMED_BY)]


def test_what_stands_for_an_unasked_document_is_an_error() -> None:
    library = DocumentLibrary(Clock())
    refused = GateResult("g1", GateVerdict.REFUSE, "robots_disallow")
    assert library.unasked(URL).error is FetchError.TOO_LARGE
    assert library.unavailable(URL, refused).error is FetchError.BARRED
