"""Documents that pages, addresses and image heads name, in a foreign Scrapy project against real servers."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from kyodaku.documents import DOCUMENT_CAP, MAX_NAMED_BY
from kyodaku.signals.protocols import all_protocols
from tests.foreign_project.run import Run, crawl
from tests.web.model import Reply, Route, Site, markup, redirect, text
from tests.web.pictures import painted
from tests.web.server import Visit
from tests.web.small_web import SmallWeb

HOST_FILES = {path for protocol in all_protocols() for path in protocol.host_files}
LICENCES = "http://licences.example"
RSL = "application/rsl+xml"
JPEG = ("Content-Type", "image/jpeg")


def rsl(terms: str) -> bytes:
    licence = f'<content url="/"><license>{terms}</license></content>'
    return f'<rsl xmlns="https://rslstandard.org/rsl">{licence}</rsl>'.encode()


XML = (("Content-Type", RSL),)
GZIP = ("Content-Encoding", "gzip")
NO_TEXT = rsl('<prohibits type="usage">ai-train</prohibits>')
YES_TEXT = rsl('<permits type="usage">ai-train</permits><payment type="free"/>')
NO, YES = Reply(NO_TEXT, headers=XML), Reply(YES_TEXT, headers=XML)


def link(url: str) -> tuple[str, str]:
    return ("Link", f'<{url}>; rel="license"; type="{RSL}"')


def page(*sources: str, head: str = "", headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    images = "".join(f'<img src="{source}">' for source in sources)
    return markup(f"<!doctype html><title>Art</title>{head}{images}", 200, *headers)


def picture(name: str, *headers: tuple[str, str]) -> Reply:
    return Reply(painted(name).render, headers=(JPEG, *headers))


def named_by(name: str, how: str, url: str) -> Site:
    """A site whose page, by `Link` header or link element, or whose image's head names `url`."""
    element = f'<link rel="license" type="{RSL}" href="{url}">' if how == "element" else ""
    of_page, of_image = [(link(url),) if how == kind else () for kind in ("page", "image")]
    return Site(
        name,
        f"a licence named by the {how}",
        routes={
            "/": page("/art.jpg", head=element, headers=of_page),
            "/art.jpg": picture(name, *of_image),
        },
    )


async def breaks_off(visit: Visit) -> None:
    visit.abort()


#: Path on the host of licences -> what is there, and what an image comes to whose page or head names it.
DOCUMENTS: dict[str, tuple[Route, str]] = {
    "no": (NO, "rsl"),
    "yes": (YES, ""),
    "gone": (text("", 404), "rsl_unobtainable"),
    "busy": (text("", 503), "rsl_unobtainable"),
    "silent": (breaks_off, "rsl_unobtainable"),
    "garbled": (Reply(b"<rsl xmlns='https://rslstandard.org/rsl'><content", headers=XML), "rsl_unobtainable"),
    "garbled-no": (
        Reply(b"<rsl><prohibits type='usage'>ai-train</prohibits>", headers=XML),
        "rsl",
    ),
    "long": (Reply(YES_TEXT + b" " * DOCUMENT_CAP, headers=XML), "rsl_unobtainable"),
    "page": (markup("<!doctype html><title>Not here</title>"), "rsl_unobtainable"),
    "packed-no": (Reply(gzip.compress(NO_TEXT), headers=(*XML, GZIP)), "rsl"),
    "bomb": (Reply(gzip.compress(bytes(50 * DOCUMENT_CAP)), headers=(*XML, GZIP)), "rsl_unobtainable"),
    "barred": (YES, "policy_file_barred"),
    "moved": (redirect("http://shut.example/yes"), "policy_file_barred"),
    "round": (redirect("/round"), "rsl_unobtainable"),
    "away": (redirect("http://169.254.169.254/"), "rsl_unobtainable"),
}
WAYS = ("page", "element", "image")
NAMING = {
    f"{document}-{how}.example": (how, document, said)
    for document, (_, said) in DOCUMENTS.items()
    for how in WAYS
}

#: Author -> the answer for the record of their intents, and what their picture comes to.
AUTHORS: dict[str, tuple[Route, str]] = {
    "did:plc:no": (
        text(
            json.dumps(
                {
                    "$type": "org.user-intents.declaration",
                    "syntheticContentGeneration": {"allow": False},
                }
            )
        ),
        "user_intent",
    ),
    "did:plc:none": (text(json.dumps({"error": "RecordNotFound"}), 400), ""),
    "did:plc:down": (text("", 500), "policy_file_unreachable"),
    "did:plc:silent": (breaks_off, "policy_file_unreachable"),
    "did:plc:garbled": (text("{"), "policy_file_unreadable"),
    "did:plc:barred": (text("{}"), "policy_file_barred"),
}
RECORD = "/xrpc/com.atproto.repo.getRecord?repo={}&collection=org.user-intents.declaration&rkey=self"
BLOB = "/xrpc/com.atproto.sync.getBlob?did={}&cid=x"


def blob(author: str) -> str:
    return "http://data.example" + BLOB.format(author)


def all_sites() -> list[Site]:
    licences = {f"/{name}": answer for name, (answer, _) in DOCUMENTS.items()}
    records = {RECORD.format(author): answer for author, (answer, _) in AUTHORS.items()}
    blobs = {BLOB.format(author): picture(author) for author in AUTHORS}
    barred = RECORD.format("did:plc:barred")
    return [
        Site("licences.example", "licences", robots="User-agent: *\nDisallow: /barred\n", routes=licences),
        Site("shut.example", "all barred", robots="User-agent: *\nDisallow: /\n", routes={"/yes": YES}),
        Site(
            "data.example",
            "a personal data server",
            robots=f"User-agent: *\nDisallow: {barred}\n",
            routes={**records, **blobs},
        ),
        *(named_by(site, how, f"{LICENCES}/{document}") for site, (how, document, _) in NAMING.items()),
    ]


@pytest.fixture(scope="module")
def web() -> Iterator[SmallWeb]:
    with SmallWeb(all_sites()) as running:
        yield running


@pytest.fixture(scope="module")
def run(web: SmallWeb, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One crawl over every page, and over every picture that no page shows."""
    direct = [f"http://{site}/art.jpg" for site, (how, *_) in NAMING.items() if how == "image"]
    direct += [blob(author) for author in AUTHORS]
    pages = [f"http://{site}/" for site in NAMING]
    return crawl(tmp_path_factory.mktemp("run"), web.host_table_path, pages=pages, direct=direct)


@pytest.mark.parametrize("site", NAMING)
def test_a_licence_decides_however_it_is_named(web: SmallWeb, run: Run, site: str) -> None:
    how, _, said = NAMING[site]
    home, image = f"http://{site}/", f"http://{site}/art.jpg"
    if how == "image":
        assert home not in run.lost
        assert run.lost.get(image, "") == said
        assert (image in run.reached) is (not said)
    else:
        assert run.lost.get(home, "") == said
        assert bool(web.requests(site, "/art.jpg")) is (not said), "a page that waits gives no candidates"
    assert (image in run.taken) is (not said)


@pytest.mark.parametrize("author", AUTHORS)
def test_the_record_of_an_author_decides(run: Run, author: str) -> None:
    said = AUTHORS[author][1]
    assert run.lost.get(blob(author), "") == said
    assert (blob(author) in run.reached) is (not said)


def test_what_robots_bars_is_never_asked_for(web: SmallWeb, run: Run) -> None:
    assert run.items
    assert not web.requests("licences.example", "/barred")
    assert not web.requests("data.example", RECORD.format("did:plc:barred"))
    assert {entry.path for entry in web.requests("shut.example")} <= HOST_FILES


@pytest.mark.parametrize("host", ["licences.example", "shut.example", "data.example"])
def test_host_files_are_asked_for_once_for_everybody(web: SmallWeb, run: Run, host: str) -> None:
    assert run.items
    asked = Counter(entry.path for entry in web.requests(host) if entry.path in HOST_FILES)
    assert asked["/robots.txt"] == 1
    assert set(asked.values()) == {1}


def test_a_document_is_asked_for_once_however_many_name_it(web: SmallWeb, run: Run) -> None:
    assert run.items
    asked = Counter(entry.path for entry in web.requests("licences.example"))
    once = {f"/{name}" for name in DOCUMENTS} - {"/barred", "/round", "/silent"}  # a GET that broke off
    assert {path: asked[path] for path in once} == dict.fromkeys(once, 1)


# ------------------------------------------------------------------ pace


def test_a_host_of_documents_is_asked_at_its_own_pace(tmp_path: Path) -> None:
    """Pages and a robots.txt name documents of one host; another host wants more time than we have."""
    slow, tired = "http://slow.example", "http://tired.example"
    sites = [
        Site("slow.example", "one at a time", robots="User-agent: *\nCrawl-delay: 0.5\n"),
        Site("tired.example", "next year", robots="User-agent: *\nCrawl-delay: 30000000\n"),
        Site("a.example", "", routes={"/": page("/a.jpg", headers=(link(f"{slow}/1"),))}),
        Site("b.example", "", routes={"/": page("/b.jpg", headers=(link(f"{slow}/2"),))}),
        Site("c.example", "", robots=f"License: {slow}/3\n", routes={"/": page("/c.jpg")}),
        Site("d.example", "", routes={"/": page("/d.jpg", headers=(link(f"{tired}/4"),))}),
    ]
    with SmallWeb(sites, folder=tmp_path / "web") as running:
        run = crawl(
            tmp_path / "run",
            running.host_table_path,
            pages=[f"http://{name}.example/" for name in "abcd"],
            direct=[f"{tired}/art.jpg"],
        )
        asked = running.requests("slow.example")
        assert [entry.path for entry in running.requests("tired.example")] == ["/robots.txt"]
    assert not run.taken
    assert run.lost == {
        **{f"http://{name}.example/": "rsl_unobtainable" for name in "abcd"},
        f"{tired}/art.jpg": "policy_file_unreachable",
    }
    paths = Counter(entry.path for entry in asked)
    assert paths == dict.fromkeys({*HOST_FILES, "/1", "/2", "/3"}, 1)
    gaps = [after.time - before.time for before, after in pairwise(asked)]
    assert min(gaps) > 0.25, "without the Crawl-delay they would come at once"


# ------------------------------------------------------------------ how many


def test_a_site_makes_us_ask_for_so_many_documents_of_others_and_no_more(tmp_path: Path) -> None:
    """Every page names another document of a third host, which never asked for our visits."""
    numbers = range(MAX_NAMED_BY + 20)
    pages = {f"/{n}": page(f"/{n}.jpg", headers=(link(f"http://victim.example/{n}.xml"),)) for n in numbers}
    loud = Site("loud.example", "", routes=pages)  # type: ignore[arg-type]
    calm = Site("calm.example", "", routes={"/": pages["/0"], "/0.jpg": picture("calm")})
    victim = Site("victim.example", "", routes={f"/{n}.xml": YES for n in numbers})
    with SmallWeb([loud, calm, victim], folder=tmp_path / "web") as running:
        run = crawl(
            tmp_path / "run",
            running.host_table_path,
            pages=[*(f"http://loud.example/{n}" for n in numbers), "http://calm.example/"],
        )
        asked = Counter(entry.path for entry in running.requests("victim.example") if ".xml" in entry.path)
    assert sum(asked.values()) == len(asked) == MAX_NAMED_BY
    assert Counter(run.lost.values()) == {"rsl_unobtainable": 20}
    assert run.taken == {"http://calm.example/0.jpg"}, "what others name is their own affair"
