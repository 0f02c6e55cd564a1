"""What asks again, and what asks once, keeps the pause that a host wants, from robots.txt on."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest

from tests.e2e.conftest import kyodaku
from tests.e2e.test_recheck import OPEN, RECIPE, page
from tests.web.model import Page, Site, redirect, text
from tests.web.small_web import SmallWeb

SLOW, MOVED, OTHER, SLEEPY = "slow.example", "moved.example", "other.example", "sleepy.example"
DELAY = 0.3


def wanting(delay: float) -> str:
    return f"User-agent: *\nDisallow:\nCrawl-delay: {delay}\n"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallWeb]:
    slow = [Page("/", SLOW, links=["/a"]), page("a")]
    sites = [
        Site(SLOW, "a pause from the second day on", pages=slow, routes={"/robots.txt": OPEN}),
        Site(MOVED, "its robots.txt is elsewhere", pages=[page("a")]),
        Site(OTHER, "keeps it", routes={"/kept.txt": text(wanting(DELAY))}),
        Site(SLEEPY, "a pause longer than a crawl waits", robots=wanting(300), pages=[page("a")]),
    ]
    with SmallWeb(sites, folder=tmp_path_factory.mktemp("delay") / "web") as web:
        web.set(f"http://{MOVED}/robots.txt", redirect(f"http://{OTHER}/kept.txt"))
        yield web


def gaps(web: SmallWeb, host: str, seen: int) -> list[float]:
    times = [entry.time for entry in web.log[seen:] if entry.host == host]
    return [after - before for before, after in pairwise(times)]


def test_a_recheck_pauses_between_host_files_too(web: SmallWeb) -> None:
    folder = web.folder.parent
    recipe = folder / "recipe/recipe.toml"
    recipe.parent.mkdir()
    recipe.write_text(RECIPE.format(seeds=f'"http://{SLOW}/"', table="../web/hosts.toml"), "utf-8")
    options = (str(recipe), "--runs", str(folder / "runs"), "--quiet")
    for command in ("crawl", "curate"):
        assert kyodaku(command, *options).returncode == 0
    web.set(f"http://{SLOW}/robots.txt", text(wanting(DELAY)))
    seen = len(web.log)
    done = kyodaku("recheck", *options)
    assert "1 as before" in done.stdout, done.stdout + done.stderr
    assert len(gaps(web, SLOW, seen)) > 5
    assert min(gaps(web, SLOW, seen)) > DELAY - 0.02


@pytest.mark.parametrize("command", [("check",), ("signals", "audit")])
@pytest.mark.parametrize("host", [SLOW, MOVED])
def test_who_asks_once_pauses_after_robots_txt_wherever_that_is(
    web: SmallWeb, command: tuple[str, ...], host: str
) -> None:
    web.set(f"http://{SLOW}/robots.txt", text(wanting(DELAY)))
    seen = len(web.log)
    done = kyodaku(*command, f"http://{host}/a", "--host-table", str(web.host_table_path))
    assert done.returncode == 0, done.stderr
    assert len(gaps(web, host, seen)) > 5
    assert min(gaps(web, host, seen)) > DELAY - 0.02


@pytest.mark.parametrize(("lang", "start"), [("en", "No, a crawl would not ask"), ("ja", "いいえ、クロー")])
def test_a_pause_that_closes_the_host_to_a_crawl_is_a_no_at_once(
    web: SmallWeb, lang: str, start: str
) -> None:
    table, began = str(web.host_table_path), time.monotonic()
    done = kyodaku("check", f"http://{SLEEPY}/a", "--host-table", table, "--lang", lang, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(start)
    assert time.monotonic() - began < 30
    told = json.loads(kyodaku("check", f"http://{SLEEPY}/a", "--host-table", table, "--json").stdout)
    assert (told["outcome"], told["would_be_taken"], told["gates"]) == ("not_requested", False, [])
