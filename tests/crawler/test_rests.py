"""Rests: what Retry-After and Crawl-delay ask of us is kept to the second."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate
from itertools import pairwise
from pathlib import Path

import pytest

from crawler.frontier.politeness import Timetable, retry_after
from kyodaku.signals.carriers.robots import parse_robots
from tests.crawler.scripted import NOW, Page, Scripted, html, png, recipe, redirect, text

ROBOTS = "http://a.example/robots.txt"
HOME = "http://a.example/"
OPEN = text("User-agent: *\nDisallow:\n")


def rest(value: str, status: int = 429) -> Page:
    return Page(b"", status, (("Retry-After", value),))


def run(folder: Path, web: dict[str, Page | Callable[[], Page]], **sections: object) -> Scripted:
    scripted = Scripted(folder, recipe(**sections), web)
    scripted.run()
    return scripted


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 120 ", 120.0),
        ("99999999", 99999999.0),
        ("9" * 400, float("inf")),
        ("120 seconds", 120.0),
        ("1.5", 1.5),
        (formatdate(NOW + 7200, usegmt=True), 7200.0),
        (formatdate(NOW - 7200, usegmt=True), 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_retry_after_is_read_whole(value: str, seconds: float | None) -> None:
    assert retry_after((("retry-after", value),), NOW) == seconds


def test_the_longest_of_several_counts() -> None:
    assert retry_after((("Retry-After", "5"), ("retry-after", "50"), ("Retry-After", "x")), NOW) == 50.0
    assert retry_after((), NOW) is None


@pytest.mark.parametrize("value", ["3600", formatdate(NOW + 3600, usegmt=True)])
@pytest.mark.parametrize("status", [429, 503])
def test_a_rest_longer_than_the_maximum_is_kept_whole(tmp_path: Path, value: str, status: int) -> None:
    web = {
        ROBOTS: OPEN,
        HOME: html('<img src="/a.png"><img src="/b.png">'),
        "http://a.example/a.png": rest(value, status),
        "http://a.example/b.png": png(2),
    }
    scripted = run(tmp_path, web)
    assert scripted.urls()[2] == "http://a.example/a.png"
    assert scripted.asked[3][0] - scripted.asked[2][0] >= 3600
    assert scripted.candidates()["http://a.example/b.png"].gate_verdict == "proceed"


def test_a_rest_is_kept_over_a_restart(tmp_path: Path) -> None:
    answers = iter([rest("3600"), html("x")])
    scripted = Scripted(tmp_path, recipe(), {ROBOTS: OPEN, HOME: lambda: next(answers)})
    scripted.run(3)
    scripted.kill()
    scripted.open()
    scripted.run()
    assert scripted.urls() == [ROBOTS, HOME, HOME]
    assert scripted.asked[2][0] - scripted.asked[1][0] >= 3600


@pytest.mark.parametrize("value", ["99999999", "9" * 400])
def test_a_rest_beyond_the_crawls_time_ends_the_host(tmp_path: Path, value: str) -> None:
    web = {
        ROBOTS: OPEN,
        HOME: html('<img src="/a.png"><img src="/b.png">'),
        "http://a.example/a.png": rest(value),
        "http://a.example/b.png": png(2),
    }
    scripted = run(tmp_path, web)
    assert scripted.urls() == [ROBOTS, HOME, "http://a.example/a.png"]
    assert scripted.moment < 1100  # nothing waits for what cannot come
    found = scripted.candidates()
    assert found["http://a.example/b.png"].not_requested == "budget_time"


def test_a_robots_file_that_asks_for_a_rest_gets_it(tmp_path: Path) -> None:
    answers = iter([rest("3600"), OPEN])
    scripted = run(tmp_path, {ROBOTS: lambda: next(answers), HOME: html('<a href="/b">b</a>')})
    assert scripted.urls() == [ROBOTS, ROBOTS, HOME, "http://a.example/b"]
    assert scripted.asked[1][0] - scripted.asked[0][0] >= 3600
    assert scripted.asked[3][0] - scripted.asked[1][0] < 10  # it was kept once, not before each request


def test_a_rest_longer_than_a_day_is_kept_once(tmp_path: Path) -> None:
    answers = iter([rest(str(30 * 3600)), html("x")])
    scripted = run(tmp_path, {ROBOTS: OPEN, HOME: lambda: next(answers)})
    assert scripted.urls() == [ROBOTS, HOME, ROBOTS, HOME]
    waits = [later - earlier for (earlier, _), (later, _) in pairwise(scripted.asked)]
    assert waits[1] >= 30 * 3600
    assert waits[2] < 10


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30.0),
        ("30s", 30.0),
        ("30 s", 30.0),
        ("30sec", 30.0),
        ("30 seconds, please", 30.0),
        ("2.5", 2.5),
        ("2,5 s", 2.5),
        (".5", 0.5),
        ("0.5m", 30.0),
        ("1 min", 60.0),
        ("2 minutes", 120.0),
        ("1h", 3600.0),
        ("1 hour", 3600.0),
        ("9" * 400, float("inf")),
        ("", None),
        ("soon", None),
        ("-30", None),
    ],
)
def test_a_crawl_delay_is_read_by_its_leading_number(value: str, seconds: float | None) -> None:
    body = f"User-agent: *\nCrawl-delay: {value}\n"
    assert parse_robots(body.encode()).crawl_delay(("TestCrawler",)) == seconds


def test_a_crawl_delay_with_a_unit_is_kept(tmp_path: Path) -> None:
    web = {ROBOTS: text("User-agent: *\nCrawl-delay: 30s\n"), HOME: html('<a href="/b">b</a>')}
    moments = [moment for moment, _ in run(tmp_path, web).asked]
    assert [later - earlier for earlier, later in pairwise(moments)] == [30.0, 30.0]


def test_an_endless_crawl_delay_closes_the_host(tmp_path: Path) -> None:
    web = {ROBOTS: text("User-agent: *\nCrawl-delay: " + "9" * 400), HOME: html("x")}
    assert run(tmp_path, web).urls() == [ROBOTS]


def test_the_first_page_waits_for_a_delay_that_another_host_told(tmp_path: Path) -> None:
    told = "http://b.example/robots.txt"
    web = {ROBOTS: redirect(told), told: text("User-agent: *\nCrawl-delay: 30\n"), HOME: html("x")}
    scripted = run(tmp_path, web)
    assert scripted.urls() == [ROBOTS, told, HOME]
    assert scripted.asked[2][0] - scripted.asked[0][0] == 30.0


def test_a_delay_told_after_a_restart_counts_from_the_restart() -> None:
    table = Timetable(
        delay=1.0,
        jitter=0.0,
        per_site=2,
        max_delay=60.0,
        share_addresses=True,
        now=lambda: 100.0,
        resumed=True,
    )
    table.restored("a.example", crawl_delay=0.0, backoff=0.0)
    table.wish("a.example", 30.0)
    assert table.slot("a.example").due == 130.0
