"""The frontier on a clock that only moves when told to."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from crawler.frontier import frontier, parking
from kyodaku.signals.model import FetchError
from tests.crawler.scripted import Page, Scripted, html, png, recipe, redirect, text

ROBOTS = "http://a.example/robots.txt"
HOME = "http://a.example/"
OPEN = text("User-agent: *\nDisallow:\n")


def run(folder: Path, web: dict[str, Page | Callable[[], Page]], **sections: object) -> Scripted:
    scripted = Scripted(folder, recipe(**sections), web)
    scripted.run()
    return scripted


def times(scripted: Scripted, host: str) -> list[float]:
    return [moment for moment, url in scripted.asked if f"//{host}/" in url]


def test_host_files_are_asked_before_anything_else(tmp_path: Path) -> None:
    web = {ROBOTS: OPEN, HOME: html('<a href="/b">b</a>'), "http://a.example/b": html("b")}
    assert run(tmp_path, web).urls() == [ROBOTS, HOME, "http://a.example/b"]


def test_requests_to_one_host_keep_its_delay(tmp_path: Path) -> None:
    links = "".join(f'<a href="/{n}">x</a>' for n in range(5))
    web = {ROBOTS: OPEN, HOME: html(links), **{f"http://a.example/{n}": html("x") for n in range(5)}}
    moments = times(run(tmp_path, web), "a.example")
    assert len(moments) == 7
    assert all(later - earlier >= 1.0 for earlier, later in pairwise(moments))


def test_the_longest_crawl_delay_counts(tmp_path: Path) -> None:
    web = {ROBOTS: text("User-agent: *\nCrawl-delay: 7\n"), HOME: html('<a href="/b">b</a>')}
    moments = times(run(tmp_path, web), "a.example")
    assert [later - earlier for earlier, later in pairwise(moments)] == [7.0, 7.0]


def test_a_crawl_delay_beyond_the_maximum_closes_the_host(tmp_path: Path) -> None:
    web = {ROBOTS: text("User-agent: *\nCrawl-delay: 600\n"), HOME: html('<img src="/x.png">')}
    assert run(tmp_path, web).urls() == [ROBOTS]


def test_a_disallowed_page_costs_no_request(tmp_path: Path) -> None:
    web = {
        ROBOTS: text("User-agent: *\nDisallow: /no\n"),
        HOME: html('<a href="/no1">1</a><a href="/no2">2</a><a href="/yes">y</a>'),
        "http://a.example/yes": html("x"),
    }
    assert run(tmp_path, web).urls() == [ROBOTS, HOME, "http://a.example/yes"]


@pytest.mark.parametrize("robots", [text("", 500), text("", 401), Page(error=FetchError.TIMEOUT)])
def test_an_unknown_robots_state_holds_the_origin_and_is_tried_again_once(
    tmp_path: Path, robots: Page
) -> None:
    scripted = run(tmp_path, {ROBOTS: robots, HOME: html("x")})
    assert scripted.urls() == [ROBOTS, ROBOTS]
    first, second = times(scripted, "a.example")
    assert second - first >= 10
    [(verdict, reason)] = scripted.crawl.store.rows("SELECT verdict, reason FROM requests")
    assert verdict == "hold"
    assert reason.startswith("robots_")


def test_an_origin_that_recovers_opens(tmp_path: Path) -> None:
    answers = iter([text("", 503), OPEN])
    scripted = run(tmp_path, {ROBOTS: lambda: next(answers), HOME: html("x")})
    assert scripted.urls() == [ROBOTS, ROBOTS, HOME]


def test_images_wait_for_the_pages_of_their_host(tmp_path: Path) -> None:
    web = {
        ROBOTS: OPEN,
        HOME: html('<img src="/x.png"><a href="/b">b</a>'),
        "http://a.example/b": html('<meta name="robots" content="noai"><img src="/x.png">'),
        "http://a.example/x.png": png(),
    }
    scripted = run(tmp_path, web)
    assert scripted.urls() == [ROBOTS, HOME, "http://a.example/b"]
    found = scripted.candidates()["http://a.example/x.png"]
    assert found.sha256 == ""


def test_a_late_no_leaves_its_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parking, "PAGES_AHEAD", 1)
    monkeypatch.setattr(frontier, "BATCH", 1)
    web = {
        ROBOTS: OPEN,
        "http://c.example/robots.txt": OPEN,
        HOME: html('<img src="http://c.example/x.png"><a href="/b">b</a>'),
        "http://a.example/b": html('<meta name="robots" content="noai"><img src="http://c.example/x.png">'),
        "http://c.example/x.png": png(),
    }
    scripted = Scripted(tmp_path, recipe(), web)
    while "http://c.example/x.png" not in scripted.urls():
        outgoing = scripted.crawl.next()
        if outgoing is None or outgoing.job.url == "http://a.example/b":
            if outgoing is not None:
                late = outgoing
            scripted.moment += 1
        else:
            scripted.answer(outgoing)
    scripted.answer(late)
    scripted.run()
    rows = scripted.crawl.store.rows("SELECT page_url, verdict FROM candidates ORDER BY page_url")
    assert rows == [(HOME, "proceed"), ("http://a.example/b", "refuse")]
    assert scripted.candidates()["http://c.example/x.png"].sha256 != ""


def test_late_evidence_asks_once_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parking, "PAGES_AHEAD", 1)
    licensed = (
        '<figure><img src="http://c.example/x.png">'
        '<a rel="license" href="https://creativecommons.org/publicdomain/zero/1.0/">CC0</a></figure>'
    )
    web = {
        ROBOTS: OPEN,
        "http://c.example/robots.txt": OPEN,
        HOME: html('<img src="http://c.example/x.png"><a href="/b">b</a>'),
        "http://a.example/b": html('<a href="/c">c</a>'),
        "http://a.example/c": html(licensed),
        "http://c.example/x.png": png(),
    }
    basis = {"basis": "public-domain", "public_domain": {"accept": ["cc0"]}}
    scripted = run(tmp_path, web, permission=basis)
    assert scripted.urls().count("http://c.example/x.png") == 2
    assert scripted.crawl.counts()["images_stored"] == 1


def test_every_hop_asks_its_own_host_first(tmp_path: Path) -> None:
    web = {
        ROBOTS: OPEN,
        "http://b.example/robots.txt": text("User-agent: *\nDisallow: /private\n"),
        HOME: html('<img src="/one"><img src="/two">'),
        "http://a.example/one": redirect("http://b.example/private/x.png"),
        "http://a.example/two": redirect("http://b.example/open.png"),
        "http://b.example/private/x.png": png(1),
        "http://b.example/open.png": png(2),
    }
    scripted = run(tmp_path, web)
    assert "http://b.example/private/x.png" not in scripted.urls()
    assert scripted.urls().index("http://b.example/robots.txt") < scripted.urls().index(
        "http://b.example/open.png"
    )
    found = scripted.candidates()
    refused, taken = found["http://a.example/one"], found["http://a.example/two"]
    assert (refused.gate, refused.gate_verdict, refused.gate_reason) == ("g3", "refuse", "robots_disallow")
    assert [hop.url for hop in refused.hops] == ["http://a.example/one"]
    assert [(hop.url, hop.status) for hop in taken.hops] == [
        ("http://a.example/two", 302),
        ("http://b.example/open.png", 200),
    ]
    assert taken.final_url == "http://b.example/open.png"


def test_a_redirect_to_a_forbidden_address_is_refused(tmp_path: Path) -> None:
    web = {
        ROBOTS: OPEN,
        HOME: html('<img src="/x.png">'),
        "http://a.example/x.png": redirect("http://169.254.169.254/latest"),
    }
    found = run(tmp_path, web).candidates()["http://a.example/x.png"]
    assert (found.gate_verdict, found.gate_reason) == ("refuse", "address_blocked")


def test_a_redirect_loop_ends(tmp_path: Path) -> None:
    web = {
        ROBOTS: OPEN,
        HOME: html('<img src="/x.png">'),
        "http://a.example/x.png": redirect("http://a.example/x.png"),
    }
    scripted = run(tmp_path, web)
    assert scripted.urls().count("http://a.example/x.png") == 6
    assert scripted.candidates()["http://a.example/x.png"].failure == "redirects"


def test_a_busy_host_is_given_the_rest_it_asks_for(tmp_path: Path) -> None:
    answers = iter([Page(status=429, headers=(("Retry-After", "33"),)), html("x")])
    web = {ROBOTS: OPEN, HOME: lambda: next(answers)}
    scripted = run(tmp_path, web)
    assert scripted.urls() == [ROBOTS, HOME, HOME]
    assert scripted.asked[2][0] - scripted.asked[1][0] >= 33


def test_a_broken_connection_is_tried_again_then_held(tmp_path: Path) -> None:
    web = {ROBOTS: OPEN, HOME: Page(error=FetchError.RESET)}
    assert run(tmp_path, web).urls().count(HOME) == 4  # (1 + retries) * (1 + hold_retries)


def test_three_walls_hold_the_host(tmp_path: Path) -> None:
    wall = '<html><title>Log in</title><form><input type="password"></form>'
    links = "".join(f'<a href="/{n}">x</a>' for n in range(9))
    web = {ROBOTS: OPEN, HOME: html(links), **{f"http://a.example/{n}": html(wall) for n in range(9)}}
    scripted = run(tmp_path, web)
    asked = [url for url in scripted.urls() if url not in (ROBOTS, HOME)]
    assert len(asked) == 4  # three, and one when the host was tried again
    reasons = dict(scripted.crawl.store.rows("SELECT reason, count(*) FROM requests GROUP BY 1"))
    assert reasons["walled_host"] >= 5


def test_a_host_that_shows_one_picture_everywhere_is_stopped(tmp_path: Path) -> None:
    shown = "".join(f'<img src="/{n}.png">' for n in range(20))
    web = {ROBOTS: OPEN, HOME: html(shown), **{f"http://a.example/{n}.png": png() for n in range(20)}}
    scripted = run(tmp_path, web, budgets={"per_host": {"same_image": 5}})
    assert len(scripted.urls()) == 2 + 6
    counts = scripted.crawl.counts()
    assert counts["images_stored"] == 1
    assert counts["images_not_requested"] == 14


@pytest.mark.parametrize(
    ("budget", "pages", "reason"),
    [
        ({"pages": 3}, 3, "budget_pages"),
        ({"per_host": {"pages": 4}}, 4, None),
        ({"depth": 2}, 3, None),
    ],
)
def test_an_endless_site_ends(
    tmp_path: Path, budget: dict[str, object], pages: int, reason: str | None
) -> None:
    web: dict[str, Page | Callable[[], Page]] = {ROBOTS: OPEN, HOME: html('<a href="/1">x</a>')}
    web |= {f"http://a.example/{n}": html(f'<a href="/{n + 1}">x</a>') for n in range(1, 50)}
    scripted = run(tmp_path, web, budgets=budget)
    assert len(scripted.urls()) == 1 + pages
    reasons = [
        r for (r,) in scripted.crawl.store.rows("SELECT not_requested FROM requests WHERE verdict = ''")
    ]
    assert reasons == ([reason] if reason else [])


def test_the_image_budget_names_itself(tmp_path: Path) -> None:
    shown = "".join(f'<img src="/{n}.png">' for n in range(5))
    web = {ROBOTS: OPEN, HOME: html(shown), **{f"http://a.example/{n}.png": png(n) for n in range(5)}}
    found = run(tmp_path, web, budgets={"images": 2}).candidates()
    assert sorted(c.not_requested for c in found.values()) == ["", "", *["budget_images"] * 3]


def test_the_time_budget_ends_the_crawl(tmp_path: Path) -> None:
    links = "".join(f'<a href="/{n}">x</a>' for n in range(50))
    scripted = run(tmp_path, {ROBOTS: OPEN, HOME: html(links)}, budgets={"time": 10.0})
    assert 8 <= len(scripted.urls()) <= 11
    assert not scripted.crawl.has_work()


def test_links_that_say_nofollow_are_not_followed(tmp_path: Path) -> None:
    web = {
        ROBOTS: OPEN,
        HOME: html('<a rel="nofollow" href="/n">n</a><a href="/h">h</a><a href="/m">m</a>'),
        "http://a.example/h": html('<a href="/x1">x</a>', ("X-Robots-Tag", "nofollow")),
        "http://a.example/m": html('<meta name="robots" content="nofollow"><a href="/x2">x</a>'),
    }
    assert run(tmp_path, web).urls() == [ROBOTS, HOME, "http://a.example/h", "http://a.example/m"]


def test_pages_outside_the_scope_are_not_followed(tmp_path: Path) -> None:
    web = {ROBOTS: OPEN, HOME: html('<a href="http://b.example/">b</a>')}
    assert run(tmp_path, web).urls() == [ROBOTS, HOME]
    web = {ROBOTS: OPEN, HOME: html('<a href="http://b.example/">b</a>'), "http://b.example/robots.txt": OPEN}
    asked = run(tmp_path / "two", web, scope={"hosts": ["b.example"]}).urls()
    assert "http://b.example/" in asked


def test_a_slow_host_never_stands_in_anothers_way(tmp_path: Path) -> None:
    scripted = Scripted(tmp_path, recipe(seeds={"sites": [HOME, "http://b.example/"]}), {ROBOTS: OPEN})
    first, second = scripted.crawl.next(), scripted.crawl.next()
    assert first is not None
    assert second is not None
    assert {first.job.host, second.job.host} == {"a.example", "b.example"}
    assert scripted.crawl.next() is None  # one connection a host


def test_host_files_are_asked_again_after_a_day(tmp_path: Path) -> None:
    web = {ROBOTS: OPEN, HOME: html('<a href="/b">b</a>'), "http://a.example/b": html("x")}
    scripted = Scripted(tmp_path, recipe(), web)
    scripted.run(3)
    assert scripted.urls()[-1] == HOME
    scripted.moment += 25 * 3600
    scripted.run()
    assert scripted.urls() == [ROBOTS, HOME, ROBOTS, "http://a.example/b"]
