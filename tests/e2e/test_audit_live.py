"""`kyodaku signals audit URL` against real servers: what is heard, and what is never asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import REPO, demo_recipe, kyodaku
from tests.web.model import NOT_FOUND, Figure, Page, Reply, Site, markup, redirect, text
from tests.web.pictures import painted
from tests.web.server import Request
from tests.web.small_web import SmallWeb

_NOAI = '<meta name="robots" content="noai">'


def _figure(src: str, **more: Any) -> Figure:
    return Figure(src, "A painting", painted(src), licence="", expect=None, **more)


def _sites() -> list[Site]:
    cdn = "http://cdn.example"
    return [
        Site(
            "noai.example",
            "a page that says no, pictures elsewhere",
            pages=(Page("/", "Art", (_figure(f"{cdn}/1.jpg"), _figure(f"{cdn}/2.jpg")), head=_NOAI),),
        ),
        Site(
            "cdn.example",
            "a content delivery network that says nothing",
            pages=(Page("/", "", (_figure("/1.jpg"), _figure("/2.jpg"))),),
            seed=False,
        ),
        Site(
            "said.example",
            "a page that says no by header, and so do its pictures",
            pages=(
                Page(
                    "/",
                    "Art",
                    (_figure("/1.jpg", headers=(("X-Robots-Tag", "noai"),)),),
                    headers=(("X-Robots-Tag", "noai"),),
                ),
            ),
        ),
        Site(
            "files.example",
            "a web page for a file, a file that errors, a barred one, two that disagree",
            robots="User-agent: *\nDisallow: /.well-known/trust.txt\nContent-Usage: train-ai=y\n"
            "Content-Signal: ai-train=no\n",
            pages=(Page("/", "Art", (_figure("/1.jpg"),)),),
            routes={
                "/ai.txt": markup("<!doctype html><title>Welcome</title>"),
                "/.well-known/tdmrep.json": text("later", 503),
            },
        ),
        Site(
            "closed.example",
            "robots.txt bars everybody",
            robots="User-agent: *\nDisallow: /\n",
            pages=(Page("/", "Art", (_figure("/1.jpg"),)),),
        ),
        Site(
            "moved.example",
            "robots.txt of another host",
            robots=redirect("http://cdn.example/robots.txt"),
            pages=(Page("/", "Art", (_figure("/1.jpg"),)),),
        ),
        Site(
            "named.example",
            "training crawlers are barred, we are not, and a page is not there",
            robots="User-agent: GPTBot\nDisallow: /\n",
            pages=(Page("/", "Art", (_figure("/1.jpg"),)),),
            routes={"/gone": NOT_FOUND, "/away": redirect("/")},
        ),
        Site(
            "licensed.example",
            "a page names an RSL document that says no",
            pages=(
                Page(
                    "/",
                    "Art",
                    (_figure("/1.jpg"),),
                    head='<link rel="license" type="application/rsl+xml" href="/no.xml">',
                ),
            ),
            routes={
                "/no.xml": Reply(
                    b'<rsl xmlns="https://rslstandard.org/rsl"><content url="/"><license>'
                    b'<prohibits type="usage">ai-train</prohibits></license></content></rsl>',
                    headers=(("Content-Type", "application/rsl+xml"),),
                )
            },
        ),
        Site(
            "owned.example",
            "files of the owner's that no protocol asks for",
            robots="# mine\nUser-agent: *\nDisallow: /private/\n",
            pages=(Page("/", "Art", (_figure("/1.jpg"),)),),
            routes={
                "/license.xml": Reply(b'<rsl xmlns="https://rslstandard.org/rsl"/>'),
                "/llms.txt": text("# Museum"),
            },
        ),
        Site(
            "ours.example",
            "a crawler of a recipe is barred by name",
            robots="User-agent: DemoCrawler\nDisallow: /\n",
            pages=(Page("/", "Art", (_figure("/1.jpg"),)),),
        ),
        Site(
            "page.example",
            "a web page in the place of robots.txt",
            robots=markup("<!doctype html><title>Welcome</title>"),
            pages=(Page("/", "Art", (_figure("/1.jpg"),)),),
        ),
        Site(
            "lost.example",
            "robots.txt leads to an error of its own host",
            robots=redirect("/lost.txt"),
            pages=(Page("/", "Art", (_figure("/1.jpg"),)),),
            routes={"/lost.txt": text("later", 503)},
        ),
        Site(
            "exception.example",
            "yes for the host, no for one image by header, which another protocol contradicts",
            robots="User-agent: *\nContent-Signal: ai-train=yes\n",
            pages=(
                Page(
                    "/",
                    "Art",
                    (
                        _figure("/1.jpg", headers=(("Content-Signal", "ai-train=no"),)),
                        _figure("/2.jpg", headers=(("TDM-Reservation", "1"),)),
                    ),
                ),
            ),
        ),
        Site("slow.example", "too slow for an audit", robots="User-agent: *\nCrawl-delay: 3600\n"),
    ]


@pytest.fixture(scope="module")
def web() -> Iterator[SmallWeb]:
    with SmallWeb(_sites()) as running:
        yield running


def _audit(web: SmallWeb, url: str, *more: str) -> dict[str, Any]:
    done = kyodaku("signals", "audit", url, "--host-table", str(web.host_table_path), "--json", *more)
    assert done.returncode in (0, 1), done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _found(result: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [finding for finding in result["findings"] if finding["kind"] == kind]


def _agent(request: Request) -> str:
    return next(value for name, value in request.headers if name.lower() == "user-agent")


def test_a_no_on_the_page_alone_is_found_once_a_host_and_no_picture_is_taken(web: SmallWeb) -> None:
    result = _audit(web, "http://noai.example/")
    (found,) = _found(result, "only-on-page")
    assert (found["where"], found["quote"]) == ("http://cdn.example/1.jpg", _NOAI)
    assert [said["where"] for said in _found(result, "says-no")] == ["/"]
    asked = [(r.method, r.path) for r in web.requests("cdn.example") if r.path.endswith(".jpg")]
    assert asked == [("HEAD", "/1.jpg"), ("HEAD", "/2.jpg")]


def test_a_no_that_pictures_send_too_is_not_only_on_the_page(web: SmallWeb) -> None:
    result = _audit(web, "http://said.example/")
    assert not _found(result, "only-on-page")
    assert {said["where"] for said in _found(result, "says-no")} == {"/", "/1.jpg"}


def test_files_that_cannot_be_heard_and_files_that_disagree(web: SmallWeb) -> None:
    result = _audit(web, "http://files.example/", "--want", "no")
    assert [(f["where"], f["quote"]) for f in _found(result, "soft-404")] == [
        ("/ai.txt", "<!doctype html><title>Welcome</title>")
    ]
    assert [(f["where"], f["quote"]) for f in _found(result, "file-error")] == [
        ("/.well-known/tdmrep.json", "HTTP 503")
    ]
    (barred,) = _found(result, "file-barred")
    assert barred["where"] == "/.well-known/trust.txt"
    assert barred["quote"] == "Disallow: /.well-known/trust.txt (robots.txt)"
    assert not web.requests("files.example", "/.well-known/trust.txt")
    assert not _found(result, "unreadable")
    assert _found(result, "contradiction")[0]["quote"] == (
        "aipref in /robots.txt:3: Content-Usage: train-ai=y / "
        "content-signal in /robots.txt:4: Content-Signal: ai-train=no"
    )
    assert "files" not in result  # what could not be heard may say the contrary
    assert "HTTP 503" in {conflict["line"] for conflict in result["conflicts"]}


def test_a_closed_site_is_asked_for_robots_txt_and_nothing_else(web: SmallWeb) -> None:
    result = _audit(web, "http://closed.example/")
    (barred,) = _found(result, "barred")
    assert barred["quote"] == "Disallow: / (robots.txt)"
    assert {finding["level"] for finding in result["findings"]} == {"note"}
    assert [request.path for request in web.requests("closed.example")] == ["/robots.txt"]


def test_a_robots_txt_of_another_host(web: SmallWeb) -> None:
    result = _audit(web, "http://moved.example/")
    assert [(f["kind"], f["quote"]) for f in result["findings"]] == [
        ("robots-elsewhere", "http://cdn.example/robots.txt"),
        ("nothing-said", ""),
    ]


def test_training_crawlers_are_barred_and_the_auditor_is_not(web: SmallWeb) -> None:
    result = _audit(web, "http://named.example/away")
    assert _found(result, "only-named")
    assert {f["protocol"] for f in _found(result, "says-no")} == {"robots"}
    assert not _found(result, "file-barred")
    methods = {request.method for request in web.requests("named.example", "/1.jpg")}
    assert methods == {"HEAD"}
    (unread,) = _found(_audit(web, "http://named.example/gone"), "page-unread")
    assert unread["quote"] == "not_found"


def test_a_document_that_the_page_names_is_read_and_stands_against_a_yes(web: SmallWeb) -> None:
    result = _audit(web, "http://licensed.example/", "--want", "yes")
    assert "rsl" in {finding["protocol"] for finding in _found(result, "says-no")}
    assert "files" not in result
    assert {conflict["protocol"] for conflict in result["conflicts"]} == {"rsl"}


def test_a_wish_is_said_beside_what_the_site_serves(web: SmallWeb) -> None:
    result = _audit(web, "http://owned.example/", "--want", "no")
    assert result["conflicts"] == []
    assert "/license.xml" not in result["files"]  # the owner's own is left alone
    assert result["files"]["/robots.txt"].startswith("# mine\nUser-agent: *\nDisallow: /private/\n")
    assert _found(result, "llms-txt")
    against = _audit(web, "http://said.example/", "--want", "yes")
    assert {conflict["line"] for conflict in against["conflicts"]} == {"X-Robots-Tag: noai"}
    elsewhere = _audit(web, "http://noai.example/", "--want", "yes")
    assert {conflict["line"] for conflict in elsewhere["conflicts"]} == {_NOAI}
    assert "files" not in against


def test_a_recipe_lends_its_name_and_robots_txt_may_bar_that_name(web: SmallWeb, tmp_path: Path) -> None:
    recipe = str(demo_recipe(web, tmp_path))
    result = _audit(web, "http://ours.example/", "--recipe", recipe)
    asked = web.requests("ours.example")
    assert [request.path for request in asked] == ["/robots.txt"]
    assert _agent(asked[0]).startswith("DemoCrawler/1.0")
    (barred,) = _found(result, "barred")
    assert barred["quote"] == "Disallow: / (robots.txt)"
    assert not _found(_audit(web, "http://ours.example/"), "barred")
    assert _agent(web.requests("ours.example")[-1]).startswith("KyodakuAudit/1.0")


def test_a_robots_txt_that_is_none_bars_nobody_and_is_an_error_for_everybody(web: SmallWeb) -> None:
    result = _audit(web, "http://page.example/")
    assert {finding["kind"] for finding in result["findings"]} == {"not-robots", "unreadable", "page-unread"}
    assert [request.path for request in web.requests("page.example")] == ["/robots.txt"]
    result = _audit(web, "http://lost.example/")
    assert [(f["kind"], f["quote"]) for f in result["findings"]] == [
        ("file-error", "HTTP 503"),
        ("page-unread", "robots_unreachable"),
    ]


def test_an_exception_by_header_is_no_contradiction_and_another_protocol_is(web: SmallWeb) -> None:
    result = _audit(web, "http://exception.example/")
    assert {f["protocol"] for f in _found(result, "says-no")} == {"content-signal", "tdmrep"}
    (found,) = _found(result, "contradiction")
    assert (found["where"], found["protocol"]) == ("/2.jpg", "content-signal, tdmrep")
    assert "/robots.txt:2: Content-Signal: ai-train=yes" in found["quote"]


def test_what_may_not_be_asked_is_said_in_one_line(web: SmallWeb) -> None:
    table = str(web.host_table_path)
    for url, words in (("http://slow.example/", "3600 s"), ("http://127.0.0.1/", "not one we may speak to")):
        done = kyodaku("signals", "audit", url, "--host-table", table)
        assert done.returncode == 1
        assert words in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_findings_in_japanese(web: SmallWeb) -> None:
    done = kyodaku(
        "signals", "audit", "http://closed.example/", "--host-table", str(web.host_table_path), "--lang", "ja"
    )
    assert done.returncode == 0, done.stderr
    assert "重大度" in done.stdout
    assert "注記" in done.stdout


def test_the_page_for_site_owners_shows_what_is_printed(
    web: SmallWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    done = kyodaku("signals", "audit", "http://noai.example/", "--host-table", str(web.host_table_path))
    page = (REPO / "docs/site-owners.md").read_text("utf-8")
    assert "".join(f"    {line}\n" for line in done.stdout.splitlines()) in page
