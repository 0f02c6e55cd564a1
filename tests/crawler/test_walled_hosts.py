"""One wall holds its page; three pages in a row hold the host."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crawler.scripted import Page, Scripted, html, recipe, text

ROBOTS = "http://a.example/robots.txt"
HOME = "http://a.example/"
OPEN = text("User-agent: *\nDisallow:\n")
LOGIN = '<html><title>Log in</title><form><input type="password"></form>'


def crawl(folder: Path, pages: list[Page]) -> Scripted:
    """A site whose home page links to `pages`; nothing that is held is asked again."""
    links = "".join(f'<a href="/{n}">x</a>' for n in range(len(pages)))
    web = {ROBOTS: OPEN, HOME: html(links), **{f"http://a.example/{n}": p for n, p in enumerate(pages)}}
    scripted = Scripted(folder, recipe(politeness={"hold_retries": []}), web)
    scripted.run()
    return scripted


def asked(scripted: Scripted) -> int:
    return len(scripted.urls()) - 2


@pytest.mark.parametrize("status", [401, 402, 403, 407])
def test_three_closed_doors_hold_the_host(tmp_path: Path, status: int) -> None:
    scripted = crawl(tmp_path, [html("no", status=status)] * 9)
    assert asked(scripted) == 3
    reasons = dict(scripted.crawl.store.rows("SELECT reason, count(*) FROM requests GROUP BY 1"))
    assert reasons["walled_host"] == 6


def test_walls_of_every_kind_count_together(tmp_path: Path) -> None:
    pages = [html(LOGIN), html("pay", status=402), html("no", status=403), html("x"), html("x")]
    assert asked(crawl(tmp_path, pages)) == 3


@pytest.mark.parametrize("between", [html("", status=status) for status in (404, 429, 451, 500)])
def test_what_is_no_wall_and_cannot_be_read_leaves_the_count_alone(tmp_path: Path, between: Page) -> None:
    wall = html(LOGIN)
    assert asked(crawl(tmp_path, [wall, wall, between, wall, html("x"), html("x")])) == 4


@pytest.mark.parametrize("between", [html("x"), html('<meta name="robots" content="noai">')])
def test_a_page_that_can_be_read_begins_the_count_again(tmp_path: Path, between: Page) -> None:
    wall = html(LOGIN)
    assert asked(crawl(tmp_path, [wall, wall, between, wall, wall, between])) == 6
