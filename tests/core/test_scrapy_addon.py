"""A foreign Scrapy project, switched over by one line, on the real reactor against real servers."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from kyodaku.reasons import FailReason, Outcome, RefuseReason
from kyodaku.signals.protocols import all_protocols
from tests.foreign_project.run import PROJECT, Run, crawl
from tests.web.model import CC0, Figure, Page, Reply, Site, markup, text
from tests.web.pictures import painted, plus_xmp
from tests.web.server import Visit
from tests.web.sites import endless_free_sites
from tests.web.small_web import SmallWeb

#: The permission section of the demo recipe, and its opt-out file.
PUBLIC_DOMAIN = f"""
[registries]
files = ["{Path(__file__).parents[2] / "datasets/demo/optouts.jsonl"}"]

[permission]
basis = "public-domain"

[permission.public_domain]
accept = ["pdm", "institution", "cc0-institution", "cc0"]

[[institutions]]
host = "museum.example"
statement = "This image is in the public domain."
evidence_url = "https://museum.example/open-access"
"""
#: What only later stages see: what is in the pixels, and pages that are read after the image was taken.
LATER = {
    FailReason.UNDECODABLE,
    FailReason.PIXEL_BOMB,
    RefuseReason.WRITTEN_NOTICE,
    RefuseReason.CLOAKED,
    RefuseReason.REGISTRY_NEAR,
}
#: Hosts that answer only when a hold is asked again, which a foreign project does not do.
RECOVERING = {"flaky.example", "throttled.example"}
HOST_FILES = {path for protocol in all_protocols() for path in protocol.host_files}
STOPPED = {Outcome.REFUSED, Outcome.HELD, Outcome.FAILED}


def only_host_files(web: SmallWeb, host: str) -> bool:
    """Whether nothing but host files was asked of `host`, robots.txt first and each once."""
    asked = [entry.path for entry in web.requests(host)]
    return asked[0] == "/robots.txt" and len(asked) == len(set(asked)) and set(asked) <= HOST_FILES


# ------------------------------------------------------------------ the whole small web


@pytest.fixture(scope="module")
def web() -> Iterator[SmallWeb]:
    with SmallWeb(endless_free_sites()) as running:
        yield running


@pytest.fixture(scope="module")
def whole(web: SmallWeb, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The foreign project over every page of the small web, with the demo's permission section."""
    pages = [
        site.url(page.path) for site in web.sites if site.seed for page in site.pages if not page.follows
    ]
    return crawl(
        tmp_path_factory.mktemp("whole"),
        web.host_table_path,
        pages=pages,
        permission=PUBLIC_DOMAIN,
        crawler="DemoCrawler",
    )


def test_nothing_that_must_stay_out_is_taken(web: SmallWeb, whole: Run) -> None:
    """Every candidate that the small web says is refused, held or failed, at a gate, is not stored."""
    late = {page.path: site for site in web.sites for page in site.pages if page.follows}
    shown_late = {site.name for site in late.values()} | {"silent.example"}
    expected: dict[str, set[Outcome]] = {}
    for item in web.expected.values():
        if not set(item.expect.reasons) & LATER and item.expect.reasons[0] is not FailReason.NOT_AN_IMAGE:
            expected.setdefault(item.image_url, set()).update(item.expect.outcomes)
    out = {url for url, outcomes in expected.items() if outcomes <= STOPPED}
    wrong = {url for url in out & whole.taken if url.split("/")[2] not in shown_late}
    assert wrong == set()
    assert len(out) > 80, "the small web has lost its refusals"


def test_what_is_open_is_taken(web: SmallWeb, whole: Run) -> None:
    """The gates are not simply shut: what the demo releases from an `img`, this project takes too."""
    figures = {
        site.url(figure.src)
        for site in web.sites
        if site.name not in RECOVERING
        for page in site.pages
        for figure in page.figures
        if not figure.html and "%2f" not in figure.src
    }
    released = {
        item.image_url
        for item in web.expected.values()
        if item.expect.outcomes == {Outcome.RELEASED} and item.image_url in figures
    }
    assert released - whole.taken == set()
    assert len(released) > 40


def test_pages_that_say_no_reach_no_spider(web: SmallWeb, whole: Run) -> None:
    closed = {url: reason.value for url, reason in web.expected_pages.items() if url in whole.lost}
    assert {url: whole.lost[url] for url in closed} | {
        url: reason for url, reason in closed.items() if whole.lost[url] == "ResponseDataLossError"
    } == closed
    assert len(closed) > 10


def test_hosts_without_a_readable_robots_file_are_asked_for_nothing_else(web: SmallWeb, whole: Run) -> None:
    failing = [site for site in web.sites if site.name.startswith("robots-") and site.expect_host]
    assert len(failing) > 10
    for site in failing:
        asked = {entry.path for entry in web.requests(site.name)}
        assert not [path for path in asked if path == "/" or path.endswith(".jpg")]
        assert not [url for url in whole.taken if f"//{site.name}/" in url]


def test_every_request_names_us(web: SmallWeb, whole: Run) -> None:
    assert whole.items
    agents = {entry.header("User-Agent") for entry in web.log}
    assert agents == {"DemoCrawler/1.0 (+https://shop.example/bot) Kyodaku/0.1"}
    assert not [entry for entry in web.log if entry.header("Cookie")]


# ------------------------------------------------------------------ one case at a time


async def refuse_late(visit: Visit) -> Reply:
    await asyncio.sleep(0.3)
    return text("User-agent: *\nDisallow: /art/\n")


def shows(
    *sources: str, head: str = "", status: int = 200, headers: tuple[tuple[str, str], ...] = ()
) -> Reply:
    images = "".join(f'<img src="{source}">' for source in sources)
    page = f"<!doctype html><html><head><title>Shop</title>{head}</head><body>{images}</body></html>"
    return markup(page)


JPEG = (("Content-Type", "image/jpeg"),)


def picture(name: str, **options: bytes) -> Reply:
    return Reply(painted(name, **options).render, headers=JPEG)  # type: ignore[arg-type]


SHOP = Site(
    "shop.example",
    "pages of a shop",
    routes={
        "/": shows(
            "/a.jpg", "/b.jpg", "http://slow-robots.example/art/a.jpg", "http://cdn.example/shared.jpg"
        ),
        "/noai": shows("/noai.jpg", head='<meta name="robots" content="noai">'),
        "/silent": shows("http://cdn.example/no.jpg"),
        "/plus": shows("/plus.jpg"),
        "/a.jpg": picture("a"),
        "/b.jpg": picture("b"),
        "/noai.jpg": picture("noai"),
        "/plus.jpg": picture("plus", xmp=plus_xmp("DMI-PROHIBITED")),
    },
)
CDN = Site(
    "cdn.example",
    "pictures without pages",
    robots="User-agent: *\nCrawl-delay: 1\n",
    routes={
        "/shared.jpg": picture("shared"),
        "/no.jpg": picture("no"),
        "/second.jpg": picture("second"),
    },
)
NOAI_ELSEWHERE = Site(
    "noai.example",
    "a page that shows another host's picture and says noai",
    routes={"/": shows("http://cdn.example/no.jpg", head='<meta name="robots" content="noai">')},
)
SLOW = Site(
    "slow-robots.example",
    "a robots.txt that takes its time",
    robots=refuse_late,
    routes={"/art/a.jpg": picture("x")},
)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[SmallWeb]:
    with SmallWeb([SHOP, CDN, NOAI_ELSEWHERE, SLOW], folder=tmp_path / "web") as running:
        yield running


@pytest.mark.parametrize("take", ["file", "image"])
def test_a_pipeline_adopts_the_gates(shop: SmallWeb, tmp_path: Path, take: str) -> None:
    """FilesPipeline and ImagesPipeline: the page's no, the file's no, robots of each host, its delay."""
    run = crawl(
        tmp_path / "run",
        shop.host_table_path,
        take=take,
        pages=["http://noai.example/", *(f"http://shop.example{path}" for path in ("/", "/noai", "/plus"))],
        direct=["http://cdn.example/no.jpg", "http://cdn.example/second.jpg"],
        settings={"CONCURRENT_REQUESTS": "1"},
    )
    assert run.taken == {
        f"http://{name}.jpg" for name in ("shop.example/a", "shop.example/b", "cdn.example/shared")
    }
    assert run.lost == {
        "http://noai.example/": "meta_robots",
        "http://shop.example/noai": "meta_robots",
        "http://cdn.example/no.jpg": "meta_robots",
    }
    assert run.reached == {"http://cdn.example/second.jpg"}
    assert len(run.files) == 3
    assert only_host_files(shop, "slow-robots.example")
    times = [entry.time for entry in shop.requests("cdn.example")]
    assert len(times) == len(HOST_FILES) + 2
    # Without the Crawl-delay of one second they would come at once (the shop's own delay is none).
    assert min(after - before for before, after in pairwise(times[1:])) > 0.5


def test_a_file_stored_before_is_asked_for_again(shop: SmallWeb, tmp_path: Path) -> None:
    """FilesPipeline hands on what it finds in its store; between two crawls the owner may say no."""
    pages, store = ["http://shop.example/"], tmp_path / "run"
    shop.set("http://shop.example/", shows("/a.jpg"))
    assert crawl(store, shop.host_table_path, pages=pages).taken == {"http://shop.example/a.jpg"}
    shop.set("http://shop.example/robots.txt", text("User-agent: *\nDisallow: /a.jpg\n"))
    assert crawl(store, shop.host_table_path, pages=pages).taken == set()


def test_host_files_are_asked_once_however_many_wait(shop: SmallWeb, tmp_path: Path) -> None:
    direct = [f"http://slow-robots.example/art/{number}.jpg" for number in range(20)]
    run = crawl(tmp_path / "run", shop.host_table_path, direct=direct)
    assert set(run.lost.values()) == {"robots_disallow"}
    assert only_host_files(shop, "slow-robots.example")


def test_a_project_that_cannot_ask_does_not_crawl(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"pages": [], "direct": ["http://127.0.0.1:9/"], "take": "file"}), "utf-8")
    setting = "KYODAKU_RECIPE=/nowhere/recipe.toml"
    command = [sys.executable, "-m", "scrapy", "crawl", "shop", "-a", f"plan={plan}", "-s", setting]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)
    assert "no such recipe" in done.stderr
    assert "Spider opened" not in done.stderr


def test_the_licence_beside_a_picture_reaches_g5(tmp_path: Path) -> None:
    """Under a public-domain basis the page's evidence decides, also behind a redirect."""
    site = Site(
        "plates.example",
        "two plates",
        pages=(
            Page(
                "/",
                "Plates",
                (
                    Figure("/free.jpg", "Free", painted("free"), licence=CC0),
                    Figure("/bare.jpg", "Bare", painted("bare"), licence=""),
                    Figure("/moved.jpg", "Moved", licence=CC0),
                ),
            ),
        ),
        routes={"/moved.jpg": Reply(b"", 302, (("Location", "/new.jpg"),)), "/new.jpg": picture("new")},
    )
    with SmallWeb([site], folder=tmp_path / "web") as running:
        run = crawl(
            tmp_path / "run",
            running.host_table_path,
            pages=[site.root],
            direct=["http://plates.example/new.jpg"],
            permission=PUBLIC_DOMAIN,
        )
    assert run.taken == {"http://plates.example/free.jpg", "http://plates.example/moved.jpg"}
    assert run.lost == {"http://plates.example/new.jpg": "no_licence_evidence"}
