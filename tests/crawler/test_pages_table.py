"""pages.parquet: every page the crawl met, with the wall or the reason that stood before it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kyodaku.records import PAGES
from kyodaku.release.tables import read_rows
from kyodaku.runs import RunFolder
from tests.crawler.scripted import Scripted, html, png, recipe, text


def exported(crawl: Scripted) -> dict[str, dict[str, Any]]:
    """Rows of pages.parquet by URL."""
    crawl.candidates()
    return {row["url"]: row for row in read_rows(RunFolder(crawl.folder).pages, PAGES)}


def test_every_page_and_what_stood_before_it(tmp_path: Path) -> None:
    links = "<img src=/1.png alt=one><a href=/closed>a</a><a href=/login>b</a><a href=/gone>c</a>"
    web = {
        "http://a.example/robots.txt": text("User-agent: *\nDisallow: /closed\n"),
        "http://a.example/": html(links),
        "http://a.example/login": html("<title>Log in</title><input type=password>"),
        "http://a.example/1.png": png(),
    }
    crawl = Scripted(tmp_path, recipe(), web)
    crawl.run()
    rows = exported(crawl)
    home = rows["http://a.example/"]
    assert (home["status"], home["gate_verdict"], home["candidates"]) == (200, "proceed", 1)
    told = {url: (row["gate_verdict"], row["gate_reason"]) for url, row in rows.items()}
    assert told["http://a.example/closed"] == ("refuse", "robots_disallow")
    assert told["http://a.example/login"] == ("hold", "login_wall")
    assert told["http://a.example/gone"] == ("fail", "not_found")
    assert {row["kind"] for row in rows.values()} == {"page"}


def test_a_page_that_was_met_but_never_asked_says_why(tmp_path: Path) -> None:
    [row] = exported(Scripted(tmp_path, recipe(), {})).values()
    assert row["not_requested"] or row["gate_reason"] == "not_finished", row


def test_what_asking_again_needs_of_a_page_is_kept(tmp_path: Path) -> None:
    date = "Fri, 20 Nov 2026 08:00:00 GMT"
    home = html("<img src=/1.png>", ("etag", '"v1"'), ("Last-Modified", date), ("Set-Cookie", "secret=1"))
    web = {
        "http://a.example/robots.txt": text("User-agent: *\nDisallow:\n"),
        "http://a.example/": home,
        "http://a.example/1.png": png(),
    }
    crawl = Scripted(tmp_path, recipe(), web)
    crawl.run()
    row = exported(crawl)["http://a.example/"]
    assert (row["etag"], row["last_modified"]) == ('"v1"', date)
    assert row["final_url"] == "http://a.example/"
