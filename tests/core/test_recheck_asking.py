"""What a recheck remembers of what it asked, and for how long."""

from __future__ import annotations

import asyncio
from contextlib import closing
from hashlib import sha256

import pytest

from kyodaku.gate import GateVerdict, Need
from kyodaku.netguard import NetPolicy
from kyodaku.permission import Permission
from kyodaku.recheck.asking import AskingAgain, KnownPage
from kyodaku.recheck.findings import Recheck
from kyodaku.recheck.unchanged import is_same
from kyodaku.recipe import parse_recipe
from kyodaku.records import Candidate
from kyodaku.registry_client import EMPTY_SNAPSHOT
from kyodaku.rules import Rules
from kyodaku.signals.model import Fetched

URL = "https://shop.org/a.jpg"
RECIPE = {
    "version": 1,
    "name": "again",
    "operator": {"crawler": "AgainCrawler", "contact": "https://again.org/bot"},
    "seeds": {"sites": ["https://shop.org/"]},
    "permission": {"basis": "not-opted-out"},
}
DAY = 24 * 3600.0


def test_host_files_of_more_than_a_day_ago_are_asked_for_again() -> None:
    """A recheck of a million images takes days."""
    now = 1_790_000_000.0
    robots = "User-agent: *\nDisallow:\n"
    asked: list[str] = []
    tag = (("ETag", '"1"'),)

    async def ask(need: Need) -> Fetched:
        asked.append(need.url)
        found = {"https://shop.org/robots.txt": robots.encode(), URL: b""}.get(need.url)
        status = 404 if found is None else 200
        return Fetched(need.url, need.url, status, tag, found or b"", True, None, now)

    async def scene() -> list[GateVerdict]:
        nonlocal now, robots
        candidate = Candidate("c", URL, "", "shop.org", final_url=URL, headers=tag, bytes=0)
        again = AskingAgain(gates, ask, 5)
        verdicts = [(await again.recheck(candidate, None)).result.verdict]
        robots = "User-agent: *\nDisallow: /\n"
        for later in (DAY / 2, DAY / 2 + 1):
            now += later
            verdicts.append((await again.recheck(candidate, None)).result.verdict)
        await again.close()
        return verdicts

    rules = Rules.from_recipe(parse_recipe(RECIPE, "test"), NetPolicy())
    with closing(Permission(rules, EMPTY_SNAPSHOT, lambda: now)) as gates:
        verdicts = asyncio.run(scene())
    assert verdicts == [GateVerdict.PROCEED, GateVerdict.PROCEED, GateVerdict.REFUSE]
    assert asked.count("https://shop.org/robots.txt") == 2


PAGE = "https://shop.org/page"
ALONE = b"<title>Shop</title><p>Nothing here</p>"
BESIDE = b"<title>Shop</title><img src=/a.jpg alt='Cloaked with Glaze'>"


def asked_again(body: bytes, known: KnownPage) -> Recheck:
    """What a recheck brings where the page answers `body`, and the image is as it was."""
    tag = (("ETag", '"1"'),)

    async def ask(need: Need) -> Fetched:
        found = {PAGE: body, URL: b""}.get(need.url)
        kind = (("Content-Type", "text/html; charset=utf-8"),) if need.url == PAGE else tag
        return Fetched(need.url, need.url, 404 if found is None else 200, kind, found or b"", True, None, 0.0)

    async def scene() -> Recheck:
        candidate = Candidate("c", URL, PAGE, "shop.org", final_url=URL, headers=tag, bytes=0)
        again = AskingAgain(gates, ask, 5)
        try:
            return await again.recheck(candidate, known)
        finally:
            await again.close()

    rules = Rules.from_recipe(parse_recipe(RECIPE, "test"), NetPolicy())
    with closing(Permission(rules, EMPTY_SNAPSHOT, lambda: 0.0)) as gates:
        return asyncio.run(scene())


def test_a_page_that_shows_the_image_no_more_holds_it_where_it_had_shown_it() -> None:
    """A list or a sitemap may name an image for a page that never showed it in its markup."""
    gone = asked_again(ALONE, KnownPage(PAGE, sha256="0" * 64))
    assert (gone.result.verdict, gone.result.reason) == (GateVerdict.HOLD, "no_longer_shown")
    assert gone.image == ""
    named = asked_again(ALONE, KnownPage(PAGE, sha256="0" * 64, showed=False))
    assert (named.result.verdict, named.words) == (GateVerdict.PROCEED, ())
    same = asked_again(ALONE, KnownPage(PAGE, sha256=sha256(ALONE).hexdigest()))
    assert (same.result.verdict, same.page) == (GateVerdict.PROCEED, "same")


def test_the_words_beside_an_image_are_noted_where_its_page_changed() -> None:
    changed = asked_again(BESIDE, KnownPage(PAGE, sha256="0" * 64))
    assert (changed.result.verdict, changed.words) == (GateVerdict.PROCEED, ("Cloaked with Glaze", "Shop"))
    same = asked_again(BESIDE, KnownPage(PAGE, sha256=sha256(BESIDE).hexdigest()))
    assert same.words == ()


def test_more_words_than_are_read_hold_and_what_breaks_does_too(monkeypatch: pytest.MonkeyPatch) -> None:
    many = b"".join(b"<img src=/a.jpg alt='words %d'>" % number for number in range(100))
    held = asked_again(many, KnownPage(PAGE, sha256="0" * 64))
    assert (held.result.verdict, held.result.reason) == (GateVerdict.HOLD, "signal_unreadable")

    def broken(page: object) -> None:
        raise RuntimeError("not foreseen")

    monkeypatch.setattr("kyodaku.recheck.asking.ShownOnPage", broken)
    held = asked_again(BESIDE, KnownPage(PAGE, sha256="0" * 64))
    assert (held.result.verdict, held.result.reason) == (GateVerdict.HOLD, "gate_exception")


ETAG, DATE, LENGTH = (
    ("ETag", '"1"'),
    ("Last-Modified", "Sun, 01 Nov 2026 00:00:00 GMT"),
    ("Content-Length", "9"),
)


@pytest.mark.parametrize(
    ("then", "now", "same"),
    [
        ([ETAG], [ETAG], True),
        ([DATE, LENGTH], [DATE, LENGTH], True),
        ([DATE], [DATE, LENGTH], True),
        ([DATE], [DATE], False),  # a date has no more than seconds
        ([ETAG, DATE], [DATE, LENGTH], False),  # the tag is gone
        ([DATE], [DATE, ETAG, LENGTH], True),
        ([ETAG], [ETAG, ("Content-Length", "8")], False),
        ([ETAG], [ETAG, ("Content-Length", "8"), LENGTH], False),
        ([ETAG], [("ETag", '"2"'), ETAG], False),
        ([("ETag", "")], [("ETag", "")], False),
        ([("ETag", 'W/""')], [("ETag", 'W/""')], False),
        ([], [], False),
    ],
)
def test_only_what_tells_versions_apart_says_that_an_image_is_the_same(
    then: list[tuple[str, str]], now: list[tuple[str, str]], same: bool
) -> None:
    known = Candidate("c", URL, "", "shop.org", final_url=URL, headers=tuple(then), bytes=9)
    assert is_same(known, Fetched(URL, URL, 200, tuple(now), b"", True, None, 0.0)) is same
