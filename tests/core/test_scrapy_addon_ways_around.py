"""Ways around the gates that a foreign project may take without meaning to, each of them closed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request
from scrapy.http import HtmlResponse, Response
from scrapy.http.request import NO_CALLBACK
from scrapy.settings import Settings

from kyodaku.gate import Need, NeedKind
from kyodaku.integrations.scrapy import (
    FetchFailed,
    GateClosed,
    GateMiddleware,
    Guard,
    GuardedDownloadHandler,
    SealMiddleware,
)
from kyodaku.integrations.scrapy.addon import forced_settings
from kyodaku.integrations.scrapy.pages import PageMemory
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.model import Fetched, FetchError
from kyodaku.signals.protocols.atproto_user_intents import PROTOCOL as INTENTS
from tests.core.test_scrapy_addon_gates import (
    NOW,
    ORIGIN,
    PICTURE,
    admitted,
    answered,
    ask,
    closed,
    guard,
    recipe,
)
from tests.foreign_project.run import local_recipe, probe
from tests.web.model import Reply, Site
from tests.web.server import Visit
from tests.web.small_web import SmallWeb

RSL = f"{ORIGIN}/rsl.xml"
LINK = ("Link", f'<{RSL}>; rel="license"; type="application/rsl+xml"')
JPEG = ("Content-Type", "image/jpeg")
HTML = ("Content-Type", "text/html")
NO = b"""<rsl xmlns="https://rslstandard.org/rsl"><content url="/"><license>
    <prohibits type="usage">ai-train</prohibits></license></content></rsl>"""


def got(url: str, body: bytes = b"", error: FetchError | None = None) -> Fetched:
    return Fetched(url, url, None if error else 200, (), body, error is None, error, NOW)


def sealed(shared: Guard, request: Request, response: Response) -> Any:
    return asyncio.run(SealMiddleware(shared).process_response(request, response))


def page(shared: Guard, html: bytes, *headers: tuple[str, str]) -> tuple[Request, HtmlResponse]:
    """A page as it stands before the seal."""
    request = ask("/", kind="")
    admitted(shared, request)
    response = answered(shared, request, html, HTML, *headers)
    return request, HtmlResponse(request.url, body=response.body, request=request)


# ------------------------------------------------------------------ what a request says of itself


def test_an_image_asked_for_as_a_page_is_asked_about_as_an_image() -> None:
    """Its address alone may name the author's record, which no page has."""
    shared = guard()
    path = "/xrpc/com.atproto.sync.getBlob?did=did:plc:abc&cid=x"
    request = ask(path, kind="page")
    (record,) = INTENTS.url_documents(request.url, shared.permission.reading())
    body = b'{"$type": "org.user-intents.declaration", "bulkDataset": {"allow": false}}'
    for known, said in ((None, "document_unread"), (got(record.url, body), "user_intent")):
        if known is not None:
            shared.permission.documents.put(record.url, known)
        admitted(shared, request)
        error = closed(lambda: answered(shared, request, PICTURE, JPEG))
        assert error.result.reason == said
        assert error.result.documents == (() if known else (record.url,))


@pytest.mark.parametrize("pipeline", [True, False])
def test_whatever_a_media_pipeline_takes_is_judged_by_its_headers(pipeline: bool) -> None:
    """ImagesPipeline opens formats that do not sniff as an image."""
    shared = guard()
    request = Request(f"{ORIGIN}/a.ppm", callback=NO_CALLBACK if pipeline else None)
    if not pipeline:
        _, response = page(shared, b'<!doctype html><img src="/a.ppm">')
        shared.pages.remember(f"{ORIGIN}/", shared.permission.g2(got_page(response)))
    admitted(shared, request)
    body, kind = b"P6 1 1 255 abc", ("Content-Type", "application/octet-stream")
    error = closed(lambda: answered(shared, request, body, kind, ("X-Robots-Tag", "noai")))
    assert (error.result.gate, error.result.reason) == ("g4", "x_robots_tag")
    other = Request(f"{ORIGIN}/b.ppm", callback=NO_CALLBACK)
    admitted(shared, other)
    assert answered(shared, other, body, kind).body == body, "a file is no image for that"


def got_page(response: Response) -> Fetched:
    return Fetched(response.url, response.url, 200, (HTML,), response.body, True, None, NOW)


# ------------------------------------------------------------------ answers of other middlewares


@pytest.mark.parametrize("error", [FetchFailed(FetchError.TIMEOUT), FetchFailed(FetchError.TOO_LARGE)])
def test_an_answer_in_place_of_a_failed_download_passed_no_gate(error: FetchFailed) -> None:
    """Another middleware's process_exception may return what it has in store."""
    shared, request = guard(), ask(kind="")
    exchange = admitted(shared, request)
    exchange.head = ResponseHead(exchange.url, 200, (JPEG,), NOW)
    GateMiddleware(shared).headers_received(request, len(PICTURE))
    exchange.failed = error.error
    stored = Response(request.url, body=PICTURE)
    told = closed(lambda: asyncio.run(GateMiddleware(shared).process_response(request, stored)))
    assert told.result.reason == "gate_exception"


def test_a_second_answer_to_one_request_passed_no_gate() -> None:
    shared, request = guard(), ask(kind="")
    admitted(shared, request)
    answered(shared, request, PICTURE, JPEG)
    again = Response(request.url, body=PICTURE)
    told = closed(lambda: asyncio.run(GateMiddleware(shared).process_response(request, again)))
    assert told.result.reason == "gate_exception"


def test_a_host_file_that_somebody_rewrote_is_not_believed() -> None:
    shared = guard()
    request = shared.host_file_request(Need(f"{ORIGIN}/robots.txt", NeedKind.HOST_FILE, 1000))
    admitted(shared, request)
    response = answered(shared, request, b"User-agent: *\nDisallow: /\n", ("Content-Type", "text/plain"))
    assert sealed(shared, request, response) is response
    admitted(shared, request)
    response = answered(shared, request, b"User-agent: *\nDisallow: /\n", ("Content-Type", "text/plain"))
    with pytest.raises(GateClosed):
        sealed(shared, request, response.replace(body=b"User-agent: *\nAllow: /\n"))


def test_a_page_whose_no_was_cut_away_still_says_it() -> None:
    """A middleware that tidies pages up: the page as served counts too."""
    shared = guard()
    request, response = page(shared, b'<!doctype html><meta name="robots" content="noai"><img src="/a.jpg">')
    tidy = response.replace(body=b'<!doctype html><img src="/a.jpg">')
    assert closed(lambda: sealed(shared, request, tidy)).result.reason == "meta_robots"
    assert closed(lambda: admitted(shared, ask(kind=""))).result.reason == "meta_robots"


def test_a_page_whose_no_was_written_in_says_it_as_well() -> None:
    shared = guard()
    request, response = page(shared, b'<!doctype html><img src="/a.jpg">')
    other = response.replace(body=b'<!doctype html><meta name="robots" content="noai"><img src="/a.jpg">')
    assert closed(lambda: sealed(shared, request, other)).result.reason == "meta_robots"


# ------------------------------------------------------------------ meanwhile


def test_an_image_waits_while_the_licence_of_its_page_is_under_way() -> None:
    """Another page, or the project itself, may ask for it before the licence has come."""
    shared = guard()
    request, response = page(shared, b'<!doctype html><img src="/a.jpg">', LINK)
    meanwhile: list[GateClosed] = []

    async def read(urls: Any) -> None:
        image = ask(kind="")
        with pytest.raises(GateClosed) as caught:
            await GateMiddleware(shared).process_request(image)
        meanwhile.append(caught.value)
        shared.permission.documents.put(RSL, got(RSL, NO))

    shared.read_documents = read
    assert closed(lambda: sealed(shared, request, response)).result.reason == "rsl"
    assert meanwhile[0].result.reason == "document_unread"
    assert meanwhile[0].result.documents == (RSL,), "so that it is asked for again"
    assert closed(lambda: admitted(shared, ask(kind=""))).result.reason == "rsl"


def test_every_hop_may_name_a_document_and_the_waiting_ends() -> None:
    shared, request = guard(), ask(kind="")
    read: list[str] = []

    async def reader(urls: Any) -> None:
        read.extend(urls)

    shared.read_documents = reader
    for number in range(20):
        admitted(shared, request)
        link = (LINK[0], LINK[1].replace("rsl.xml", f"{number}.xml"))
        with pytest.raises(GateClosed) as caught:
            answered(shared, request, PICTURE, JPEG, link)
        again = asyncio.run(SealMiddleware(shared).process_exception(request, caught.value))
        if again is None:
            break
        request = again
    assert 2 <= len(read) <= 8


def test_a_reader_of_documents_that_fails_leaves_the_hold() -> None:
    shared, request = guard(), ask(kind="")

    async def fails(urls: Any) -> None:
        raise OSError("a bug of ours")

    shared.read_documents = fails
    admitted(shared, request)
    error = closed(lambda: answered(shared, request, PICTURE, JPEG, LINK))
    assert error.result.reason == "document_unread"
    again = asyncio.run(SealMiddleware(shared).process_exception(request, error))
    assert again is None or again.meta


# ------------------------------------------------------------------ settings


def test_no_pipeline_of_any_name_hands_on_what_it_stored_before() -> None:
    mine = {"SHOPIMAGES_IMAGES_EXPIRES": 90, "SHOPFILES_FILES_EXPIRES": "90", "OTHER": 3}
    forced = forced_settings(recipe(), Settings(mine))
    names = ("FILES_EXPIRES", "IMAGES_EXPIRES", "SHOPIMAGES_IMAGES_EXPIRES", "SHOPFILES_FILES_EXPIRES")
    assert {name: forced[name] for name in names} == dict.fromkeys(names, 0)
    assert "OTHER" not in forced


# ------------------------------------------------------------------ on the real reactor


async def half(visit: Visit) -> None:
    """The first half of a picture, then a reset."""
    await visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 100000\r\n\r\n")
    await visit.send(PICTURE[:5000])
    await asyncio.sleep(0.2)
    visit.abort()


def test_middlewares_of_a_project_open_nothing(tmp_path: Path) -> None:
    routes = {"/half.jpg": half, "/barred/a.jpg": Reply(PICTURE, headers=(JPEG,))}
    site = Site("shop.example", "a shop", robots="User-agent: *\nDisallow: /barred/\n", routes=routes)  # type: ignore[arg-type]
    paths = ("/half.jpg", "/barred/a.jpg")
    results: dict[str, dict[str, Any]] = {}
    with SmallWeb([site], folder=tmp_path / "web") as web:
        for name in ("Substitute", "NoRules"):
            habit = {f"tests.foreign_project.habits.{name}": 100}
            probed = probe(
                tmp_path / name,
                local_recipe(web.host_table_path),
                [{"url": f"http://shop.example{path}"} for path in paths],
                settings={"DOWNLOADER_MIDDLEWARES": habit},
            )
            results[name] = {path: probed[f"http://shop.example{path}"] for path in paths}
        asked = web.requests("shop.example", "/barred/a.jpg")
    assert {said["error"] for said in results["Substitute"].values()} == {"GateClosed"}
    assert results["NoRules"]["/barred/a.jpg"]["verdict"] == "hold"
    assert not asked


# ------------------------------------------------------------------ pages long ago

NOTICE = b"""<!doctype html><script type="application/ld+json">{"@context": "https://schema.org",
    "@type": "ImageObject", "contentUrl": "/a.jpg", "copyrightNotice": "No AI training."}</script>
    <img src="/a.jpg"><img src="/b.jpg">"""


def read(shared: Guard, path: str, html: bytes) -> None:
    url = ORIGIN + path
    shared.pages.remember(url, shared.permission.g2(Fetched(url, url, 200, (HTML,), html, True, None, NOW)))


def test_what_a_forgotten_page_said_about_an_image_still_counts() -> None:
    """In a long crawl an image may wait until its page is no longer among those remembered."""
    shared = guard()
    shared.pages = PageMemory(shared.permission.g2_image, limit=2)
    read(shared, "/first", NOTICE)
    for number in range(3):
        assert closed(lambda: admitted(shared, ask(kind=""))).result.reason == "rights_text"
        read(shared, f"/{number}", b"<!doctype html><p>nothing</p>")
    assert not shared.pages.knows(f"{ORIGIN}/first")
    assert closed(lambda: admitted(shared, ask("/a.jpg", kind="image"))).result.reason == "rights_text"
    assert admitted(shared, ask("/b.jpg", kind="")), "of the others it said nothing"


def test_a_page_forgotten_while_its_image_is_under_way_is_heard() -> None:
    shared = guard()
    shared.pages = PageMemory(shared.permission.g2_image, limit=1)
    image = ask(kind="")
    admitted(shared, image)
    read(shared, "/first", NOTICE)
    read(shared, "/second", b"<!doctype html><p>nothing</p>")
    assert closed(lambda: answered(shared, image, PICTURE, JPEG)).result.reason == "rights_text"


def test_an_admission_is_good_for_one_sending() -> None:
    """The handler by itself: what was sent once is not sent again, past the gates of the answer."""
    shared, request = guard(), ask(kind="")
    admitted(shared, request)
    answered(shared, request, PICTURE, JPEG)
    handler = object.__new__(GuardedDownloadHandler)
    handler._guard = shared
    assert closed(lambda: asyncio.run(handler.download_request(request))).result.reason == "gate_exception"


# ------------------------------------------------------------------ on the way


@pytest.mark.parametrize("shown", [True, False])
def test_a_redirect_that_says_no_is_not_followed_for_an_image(shown: bool) -> None:
    """Whoever redirects speaks of the picture, too, and of its licence."""
    moved = ("Location", f"{ORIGIN}/b.jpg")
    shared, request = guard(), ask(kind="" if shown else "image")
    if shown:
        read(shared, "/", b'<!doctype html><img src="/a.jpg">')
    admitted(shared, request)
    error = closed(lambda: answered(shared, request, b"", moved, ("X-Robots-Tag", "noai"), status=302))
    assert (error.result.gate, error.result.reason) == ("g4", "x_robots_tag")
    admitted(shared, request)
    error = closed(lambda: answered(shared, request, b"", moved, LINK, status=302))
    assert (error.result.reason, error.result.documents) == ("document_unread", (RSL,))
    shared.permission.documents.put(RSL, got(RSL, NO))
    admitted(shared, request)
    assert closed(lambda: answered(shared, request, b"", moved, LINK, status=302)).result.reason == "rsl"
    admitted(shared, request)
    assert answered(shared, request, b"", moved, status=302).status == 302, "silence is followed"


@pytest.mark.parametrize("name", ["a.jpg", "a.ppm"])
def test_a_page_read_while_another_middleware_holds_the_answer_is_heard(name: str) -> None:
    shared = guard()
    request = Request(f"{ORIGIN}/{name}", callback=NO_CALLBACK)
    admitted(shared, request)
    body = PICTURE if name == "a.jpg" else b"P6 1 1 255 abc"
    response = answered(shared, request, body, ("Content-Type", "application/octet-stream"))
    read(shared, "/late", NOTICE.replace(b"a.jpg", name.encode()))
    assert closed(lambda: sealed(shared, request, response)).result.reason == "rights_text"
