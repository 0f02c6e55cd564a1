"""Rests: what Retry-After and Crawl-delay ask of us is kept to the second."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate
from itertools import pairwise
from pathlib import Path

import pytest

from crawler.frontier.politeness import retry_after
from tests.crawler.scripted import NOW, Page, Scripted, html, png, recipe, text

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
