"""A page's no reaches an image under every name it has: long ones, smaller variants, redirects, lists."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from crawler.answers.seeds import enter_list
from crawler.store.schema import Kind
from kyodaku.fingerprint import candidate_id, sha256_bytes
from tests.crawler.scripted import Page, Scripted, html, png, recipe, text

ROBOTS = "http://a.example/robots.txt"
HOME = "http://a.example/"
OPEN = text("User-agent: *\nDisallow:\n")
NOAI = '<meta name="robots" content="noai">'
Web = dict[str, Page | Callable[[], Page]]


def run(folder: Path, web: Web, **sections: object) -> Scripted:
    scripted = Scripted(folder, recipe(**sections), {ROBOTS: OPEN, **web})
    scripted.run()
    return scripted


def bytes_on_disk(scripted: Scripted, page: Page) -> bool:
    return any(page.body in path.read_bytes() for path in (scripted.folder / "raw").glob("*.tar"))


# ------------------------------------------------------------------ names


LONG = "http://a.example/i.png?s=" + "t" * 1000


def test_urls_that_begin_alike_are_two_candidates(tmp_path: Path) -> None:
    pictures: Web = {LONG + "&id=1": png(1), LONG + "&id=2": png(2)}
    shown = html("".join(f'<img src="{url}">' for url in pictures))
    scripted = run(tmp_path, {HOME: shown, **pictures})
    found = scripted.candidates()
    assert set(found) == set(pictures)
    for number, url in enumerate(pictures, 1):
        assert found[url].candidate_id == candidate_id(url, HOME)
        assert found[url].sha256 == sha256_bytes(png(number).body)


def test_urls_that_begin_alike_are_both_refused(tmp_path: Path) -> None:
    pictures: Web = {LONG + "&id=1": png(1), LONG + "&id=2": png(2)}
    shown = html(NOAI + "".join(f'<img src="{url}">' for url in pictures))
    scripted = run(tmp_path, {HOME: shown, **pictures})
    assert scripted.urls() == [ROBOTS, HOME]
    assert {url: c.gate_verdict for url, c in scripted.candidates().items()} == dict.fromkeys(
        pictures, "refuse"
    )


def test_a_licence_of_one_long_url_serves_no_other(tmp_path: Path) -> None:
    thing = {
        "@type": "ImageObject",
        "contentUrl": LONG + "&id=1",
        "license": "https://creativecommons.org/publicdomain/zero/1.0/",
    }
    shown = html(
        f'<script type="application/ld+json">{json.dumps(thing)}</script>'
        f'<img src="{LONG}&id=1"><img src="{LONG}&id=2">'
    )
    basis = {"basis": "public-domain", "public_domain": {"accept": ["cc0"]}}
    pictures: Web = {LONG + "&id=1": png(1), LONG + "&id=2": png(2)}
    scripted = run(tmp_path, {HOME: shown, **pictures}, permission=basis)
    found = scripted.candidates()
    assert found[LONG + "&id=1"].gate_verdict == "proceed"
    assert found[LONG + "&id=2"].gate_reason == "no_licence_evidence"
    assert not bytes_on_disk(scripted, png(2))


@pytest.mark.parametrize("end", ["\ud800", "\x00", "t" * 9000])
def test_a_url_that_is_none_is_recorded_under_a_name_of_its_own(tmp_path: Path, end: str) -> None:
    path = tmp_path / "list.jsonl"
    rows = [{"url": LONG + end + last, "page_url": page} for last in "12" for page in ("", HOME, LONG + end)]
    path.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    scripted = Scripted(tmp_path / "run", recipe(), {ROBOTS: OPEN, HOME: html("x")})
    assert list(enter_list(scripted.crawl, path)) == [6]
    scripted.run()
    rows = scripted.crawl.store.rows("SELECT candidate_id, image_url, page_url, reason FROM candidates")
    assert len(rows) == 6
    for key, image_url, page_url, reason in rows:
        assert key == candidate_id(image_url, page_url)
        assert len(image_url) < 1200
        assert reason == "address_blocked"
    assert scripted.urls() == [ROBOTS, HOME]


def test_a_request_that_no_candidate_stands_for_is_held(tmp_path: Path) -> None:
    scripted = Scripted(tmp_path, recipe(), {ROBOTS: OPEN, HOME: html("x"), HOME + "x.png": png()})
    place = scripted.crawl.scope.place(HOME + "x.png")
    scripted.crawl.frontier.add(Kind.IMAGE, place, depth=0)  # type: ignore[arg-type]
    scripted.run()
    assert scripted.urls() == [ROBOTS, HOME]
    rows = scripted.crawl.store.rows("SELECT verdict, reason FROM requests WHERE kind = 2")
    assert rows == [("hold", "gate_exception")]
