"""Host files: what is kept of them, and for how long a copy stands in."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest

from crawler.frontier.origins import OriginState
from kyodaku.signals.model import Fetched, FetchError
from tests.crawler.scripted import NOW, Page, Scripted, html, png, recipe, redirect, text

ROBOTS = "http://a.example/robots.txt"
HOME = "http://a.example/"
PICTURE = "http://v.example/art.png"
OPEN = text("User-agent: *\nDisallow:\n")
HOUR = 3600.0

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h9v9z"/></svg>'
#: Begins like a bitmap, though a parser would find a rule in it.
BITMAP = b"BM of a picture\nUser-agent: *\nDisallow:\n"


def kept_bodies(scripted: Scripted) -> list[bytes]:
    warc = b"".join(gzip.decompress(path.read_bytes()) for path in scripted.folder.glob("evidence/*.gz"))
    rows = scripted.crawl.store.rows("SELECT body FROM host_bodies")
    return [warc, *(zlib.decompress(body) for (body,) in rows)]


@pytest.mark.parametrize(
    "body", [png(7).body, SVG, BITMAP, b"User-agent: *\nDisallow:\n" + png(7).body, b"\x00" + b"x" * 2**20]
)
@pytest.mark.parametrize("moved", [True, False])
def test_a_picture_in_the_place_of_robots_txt_is_never_kept(tmp_path: Path, body: bytes, moved: bool) -> None:
    answer = Page(body, 200, (("Content-Type", "text/plain"), ("X-Said", "so")))
    web = {ROBOTS: redirect(PICTURE), PICTURE: answer} if moved else {ROBOTS: answer}
    scripted = Scripted(tmp_path, recipe(), {**web, HOME: html("x")})
    scripted.run()
    assert HOME not in scripted.urls()
    assert not [kept for kept in kept_bodies(scripted) if body in kept or body[:16] in kept]
    row = scripted.crawl.store.row("SELECT sha256, bytes, headers, reason FROM host_files")
    assert row[:2] == (sha256(body).hexdigest(), len(body))
    assert "X-Said" in row[2]
    assert row[3] == "robots_not_text"


def test_a_picture_that_was_not_kept_still_holds_after_a_restart(tmp_path: Path) -> None:
    scripted = Scripted(tmp_path, recipe(), {ROBOTS: png(7), HOME: html('<img src="/x.png">')})
    scripted.run(1)
    scripted.kill()
    scripted.web[ROBOTS] = text("", 503)  # what was said before may stand in for an outage
    scripted.open()
    origin = scripted.crawl.origins.get("http://a.example", "a.example")
    assert origin.verdict is not None
    assert (origin.verdict.verdict.value, origin.verdict.reason) == ("hold", "robots_not_text")
    assert {signal.digest for signal in origin.verdict.signals} == {sha256(png(7).body).hexdigest()}
    scripted.run()
    assert set(scripted.urls()) == {ROBOTS}
    reasons = {reason for (reason,) in scripted.crawl.store.rows("SELECT reason FROM requests")}
    assert reasons <= {"robots_not_text", "robots_unreachable"}


def test_a_robots_file_in_plain_words_is_kept_whole(tmp_path: Path) -> None:
    scripted = Scripted(tmp_path, recipe(), {ROBOTS: OPEN, HOME: html("x")})
    scripted.run()
    assert all(OPEN.body in kept for kept in kept_bodies(scripted))


class Ageing(Scripted):
    """A crawl whose wall clock goes with its monotonic one."""

    def __post_init__(self) -> None:
        self.began = self.moment
        super().__post_init__()

    def open(self) -> None:
        self.permission.clock = self.clock
        super().open()

    def clock(self) -> float:
        return NOW + self.moment - self.began

    def hours(self) -> float:
        return (self.moment - self.began) / HOUR

    def _fetched(self, url: str) -> Fetched:
        return replace(super()._fetched(url), fetched_at=self.clock())


def outage_after(folder: Path, hours: float, **politeness: object) -> Ageing:
    """A site of many slow pages whose robots.txt cannot be reached any more after some hours."""
    links = "".join(f'<a href="/{n}">x</a>' for n in range(200))
    web: dict[str, Page | Callable[[], Page]] = {HOME: html(links)}
    web |= {f"http://a.example/{n}": html("x") for n in range(200)}
    crawl = Ageing(
        folder,
        recipe(
            politeness={"delay": HOUR, "max_delay": 2 * HOUR, "hold_retries": [3 * HOUR], **politeness},
            budgets={"time": 1000 * HOUR},
        ),
        web,
    )
    web[ROBOTS] = lambda: OPEN if crawl.hours() < hours else Page(error=FetchError.TIMEOUT)
    return crawl


def pages_asked(crawl: Ageing) -> list[float]:
    return [(moment - crawl.began) / HOUR for moment, url in crawl.asked if url != ROBOTS]


def test_a_copy_stands_in_for_an_outage_for_two_days_and_no_longer(tmp_path: Path) -> None:
    crawl = outage_after(tmp_path, 1)
    crawl.run()
    pages = pages_asked(crawl)
    assert 40 < max(pages) < 48
    again = [(moment - crawl.began) / HOUR for moment, url in crawl.asked if url == ROBOTS]
    assert again[1] >= 24
    assert all(later - earlier <= 5 for earlier, later in pairwise(again[1:]))  # at the hold interval
    reasons = dict(crawl.crawl.store.rows("SELECT reason, count(*) FROM requests GROUP BY 1"))
    assert reasons["robots_unreachable"] > 100


def test_a_copy_and_the_outage_that_it_bridges_are_both_on_record(tmp_path: Path) -> None:
    crawl = outage_after(tmp_path, 1)
    while crawl.hours() < 26:
        crawl.run(1)
    rows = crawl.crawl.store.rows(
        "SELECT status, error, verdict, cached_age, warc_file, warc_offset FROM host_files ORDER BY id"
    )
    first, outage, copy = rows[:3]
    assert first[:4] == (200, "", "proceed", None)
    assert outage[:5] == (0, "timeout", "", None, "")
    assert copy[:3] == (200, "", "proceed")
    assert copy[3] >= 24 * HOUR
    assert copy[4:] == first[4:], "a copy points to the answer that it is of"
    assert copy[4]


def test_the_two_days_are_over_after_a_restart_as_well(tmp_path: Path) -> None:
    crawl = outage_after(tmp_path, 1)
    while crawl.hours() < 46:
        crawl.run(1)
    crawl.kill()
    crawl.open()
    assert crawl.crawl.origins.get("http://a.example", "a.example").state is OriginState.OPEN
    crawl.run()
    assert 46 <= max(pages_asked(crawl)) < 48


def test_the_gates_get_no_facts_of_a_copy_that_is_too_old(tmp_path: Path) -> None:
    crawl = outage_after(tmp_path, 1)
    while crawl.hours() < 40:
        crawl.run(1)
    assert crawl.crawl.origins.facts("http://a.example") is not None
    crawl.moment = crawl.began + 48 * HOUR
    assert crawl.crawl.origins.facts("http://a.example") is None


def test_an_outage_that_ends_is_noticed(tmp_path: Path) -> None:
    crawl = outage_after(tmp_path, 1)
    down = crawl.web[ROBOTS]
    assert callable(down)
    crawl.web[ROBOTS] = lambda: OPEN if crawl.hours() > 30 else down()
    crawl.run()
    assert len(pages_asked(crawl)) == 201
