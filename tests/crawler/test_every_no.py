"""A page's no reaches an image under every name it has: long ones, smaller variants, redirects, lists."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from crawler.answers.seeds import enter_list
from crawler.crawl import Outgoing
from crawler.store.schema import Kind
from kyodaku.fingerprint import candidate_id, sha256_bytes
from tests.crawler.scripted import Page, Scripted, html, png, recipe, redirect, text

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


# ------------------------------------------------------------------ pages that moved


def sitemap(*entries: tuple[str, str]) -> Page:
    urls = "".join(
        f"<url><loc>{page}</loc><image:image><image:loc>{image}</image:loc></image:image></url>"
        for page, image in entries
    )
    body = (
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
        f' xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">{urls}</urlset>'
    )
    return Page(body.encode(), headers=(("Content-Type", "text/xml"),))


def moved(folder: Path, pages: Web, *entries: tuple[str, str]) -> Scripted:
    """A crawl of HOME that shows x.png, with a sitemap."""
    web: Web = {
        ROBOTS: text(f"User-agent: *\nDisallow:\nSitemap: {HOME}map.xml\n"),
        HOME + "map.xml": sitemap(*entries),
        HOME: html('<img src="/x.png"><a href="/new">n</a>'),
        HOME + "x.png": png(),
        **pages,
    }
    return run(folder, web)


def test_the_no_of_a_known_page_reaches_what_is_listed_for_its_older_url(tmp_path: Path) -> None:
    pages: Web = {HOME + "old": redirect("/new"), HOME + "new": html(NOAI)}
    scripted = moved(tmp_path, pages, (HOME + "old", HOME + "x.png"))
    assert HOME + "x.png" not in scripted.urls()
    rows = scripted.crawl.store.rows("SELECT page_url, verdict FROM candidates ORDER BY page_url")
    assert rows == [(HOME, "proceed"), (HOME + "new", "refuse")]


def test_the_no_of_a_page_that_was_read_before_reaches_it_too(tmp_path: Path) -> None:
    scripted = Scripted(
        tmp_path,
        recipe(seeds={"sites": [HOME + "new"]}),
        {ROBOTS: OPEN, HOME + "new": html(NOAI), HOME + "old": redirect("/new"), HOME + "x.png": png()},
    )
    scripted.run()
    place = scripted.crawl.intake.page(HOME + "old", 1)
    assert place is not None
    scripted.crawl.intake.listed(place.url, HOME + "x.png", "")
    scripted.run()
    rows = scripted.crawl.store.rows("SELECT image_url, page_url, verdict FROM candidates")
    assert rows == [(HOME + "x.png", HOME + "new", "refuse")]
    assert HOME + "x.png" not in scripted.urls()


@pytest.mark.parametrize(
    "circle",
    [
        {"old": "/old"},
        {"old": "/new", "new": "/old"},
        {"old": "/new", "new": "/third", "third": "/old"},
    ],
)
def test_what_is_listed_for_pages_that_lead_in_a_circle_is_held(
    tmp_path: Path, circle: dict[str, str]
) -> None:
    pages: Web = {HOME + "new": html("x"), **{HOME + name: redirect(to) for name, to in circle.items()}}
    entries = [(HOME + name, HOME + f"{name}.png") for name in circle]
    scripted = moved(tmp_path, pages, *entries, (HOME + "old", HOME + "x.png"))
    assert HOME + "x.png" not in scripted.urls()
    found = scripted.candidates()
    for name in circle:
        assert (found[HOME + f"{name}.png"].gate_verdict) == "hold"


# ------------------------------------------------------------------ other names of a refused picture


def test_a_smaller_variant_that_is_a_picture_of_its_own_is_refused_with_its_page(tmp_path: Path) -> None:
    web: Web = {
        HOME: html(NOAI + '<img src="/%62.png" srcset="/big.png 2x"><img src="/b.png">'),
        HOME + "b.png": png(1),
        HOME + "big.png": png(2),
    }
    scripted = run(tmp_path, web)
    assert scripted.urls() == [ROBOTS, HOME]
    found = scripted.candidates()[HOME + "b.png"]
    assert (found.gate_verdict, found.gate_reason, found.not_requested) == ("refuse", "meta_robots", "")


def test_a_smaller_variant_that_is_a_picture_of_its_own_is_asked_for_as_one(tmp_path: Path) -> None:
    own = '<img src="/b.png" alt="its own words">'
    web: Web = {
        HOME: html('<img src="/%62.png" srcset="/big.png 2x" alt="the big one">' + own),
        HOME + "b.png": png(1),
        HOME + "big.png": png(2),
    }
    found = run(tmp_path, web).candidates()[HOME + "b.png"]
    assert (found.gate, found.gate_verdict, found.not_requested) == ("g5", "proceed", "")
    assert found.alt == "its own words"


@pytest.mark.parametrize(
    "shown",
    [
        '<img src="/x.png" srcset="/x.png 1x, /big.png 2x">',
        '<a rel="nofollow" href="/x.png">x</a>',
        '<img src="/%78.png">',
    ],
)
@pytest.mark.parametrize("hop", ["", "first", "second"])
def test_a_no_counts_however_the_refusing_page_shows_the_picture(
    tmp_path: Path, shown: str, hop: str
) -> None:
    web: Web = {
        HOME: html('<a href="/no">n</a><a href="/yes">y</a>'),
        HOME + "no": html(NOAI + shown),
        HOME + "yes": html(f'<img src="/{hop or "x.png"}">'),
        HOME + "first": redirect("/second"),
        HOME + "second": redirect("/x.png"),
        HOME + "x.png": png(1),
        HOME + "big.png": png(2),
    }
    scripted = run(tmp_path, web)
    assert HOME + "x.png" not in scripted.urls()
    found = scripted.candidates()[HOME + (hop or "x.png")]
    assert (found.gate_verdict, found.sha256) == ("refuse", "")


def test_an_image_that_leads_through_a_refused_one_goes_no_further(tmp_path: Path) -> None:
    web: Web = {
        HOME: html('<a href="/no">n</a><a href="/yes">y</a>'),
        HOME + "no": html(NOAI + '<img src="/b.png">'),
        HOME + "yes": html('<img src="/x.png">'),
        HOME + "x.png": redirect("/b.png"),
        HOME + "b.png": redirect("/c.png"),
        HOME + "c.png": png(1),
    }
    scripted = run(tmp_path, web)
    assert scripted.urls()[-1] == HOME + "x.png"
    found = scripted.candidates()[HOME + "x.png"]
    assert (found.gate_verdict, found.gate_reason) == ("refuse", "same_url_refused")
    assert [hop.url for hop in found.hops] == [HOME + "x.png"]


def test_an_image_that_its_page_lets_nobody_ask_for_still_contradicts(tmp_path: Path) -> None:
    def licensed(image: str, licence: str) -> str:
        return f'<figure>{image}<a rel="license" href="https://creativecommons.org/{licence}/">l</a></figure>'

    web: Web = {
        HOME: html('<a href="/nc">n</a><a href="/cc0">y</a>'),
        HOME + "nc": html(licensed('<img src="/x.png" srcset="/big.png 2x">', "licenses/by-nc/4.0")),
        HOME + "cc0": html(licensed('<img src="/x.png">', "publicdomain/zero/1.0")),
        HOME + "x.png": png(1),
        HOME + "big.png": png(2),
    }
    basis = {"basis": "public-domain", "public_domain": {"accept": ["cc0"]}}
    scripted = run(tmp_path, web, permission=basis)
    assert scripted.crawl.counts()["images_stored"] == 0


# ------------------------------------------------------------------ races


@pytest.mark.parametrize(
    ("late", "verdict", "reason"),
    [
        (html(NOAI + '<img src="http://b.example/x.png">'), "refuse", "same_url_refused"),
        (html(NOAI + '<a rel="nofollow" href="http://b.example/x.png">x</a>'), "refuse", "same_url_refused"),
        (Page(status=404), "hold", "same_url_held"),
        (html('<img src="http://b.example/x.png">'), "proceed", ""),
    ],
)
def test_a_no_that_comes_while_the_image_is_in_flight_keeps_its_bytes_out(
    tmp_path: Path, late: Page, verdict: str, reason: str
) -> None:
    web: Web = {
        ROBOTS: OPEN,
        "http://b.example/robots.txt": OPEN,
        "http://c.example/robots.txt": OPEN,
        HOME: html('<img src="http://b.example/x.png">'),
        "http://c.example/": late,
        "http://b.example/x.png": png(1),
    }
    scripted = Scripted(tmp_path, recipe(seeds={"sites": [HOME, "http://c.example/"]}), web)
    scripted.crawl.intake.listed("http://c.example/", "http://b.example/x.png", "")
    waiting: dict[str, Outgoing] = {}
    while len(waiting) < 2:
        outgoing = scripted.crawl.next()
        if outgoing is None:
            due = scripted.crawl.frontier.next_due()
            assert due is not None
            scripted.moment = max(scripted.moment, due)
        elif outgoing.job.url in ("http://b.example/x.png", "http://c.example/"):
            waiting[outgoing.job.url] = outgoing
        else:
            scripted.answer(outgoing)
    scripted.answer(waiting["http://c.example/"])
    scripted.answer(waiting["http://b.example/x.png"])
    scripted.run()
    rows = scripted.crawl.store.rows("SELECT verdict, reason, status, sha256 FROM requests WHERE kind = 2")
    sha256 = sha256_bytes(png(1).body)
    assert rows == [(verdict, reason, 200, sha256)]
    assert bytes_on_disk(scripted, png(1)) == (verdict == "proceed")
    assert scripted.crawl.counts()["images_stored"] == (verdict == "proceed")


# ------------------------------------------------------------------ pages of URL lists


def test_a_listed_page_says_no_to_every_picture_it_shows(tmp_path: Path) -> None:
    path = tmp_path / "list.jsonl"
    rows = [
        {"url": HOME + "1.png", "caption": "one", "page_url": "http://b.example/no"},
        {"url": HOME + "2.png", "page_url": ""},
        {"url": HOME + "4.png", "caption": "four", "page_url": "http://b.example/yes"},
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    web: Web = {
        ROBOTS: OPEN,
        "http://b.example/robots.txt": OPEN,
        "http://b.example/no": html(NOAI + '<img src="http://a.example/2.png"><img src="/3.png">'),
        "http://b.example/yes": html('<img src="http://a.example/4.png" alt="x"><img src="/5.png">'),
        **{HOME + f"{n}.png": png(n) for n in range(6)},
    }
    scripted = Scripted(tmp_path / "run", recipe(seeds={"sites": [], "url_lists": [str(path)]}), web)
    list(enter_list(scripted.crawl, path))
    # the page is answered before the image that no page is named for
    later: list[Outgoing] = []
    while "http://b.example/no" not in scripted.urls():
        outgoing = scripted.crawl.next()
        if outgoing is None:
            due = scripted.crawl.frontier.next_due()
            assert due is not None
            scripted.moment = max(scripted.moment, due)
        elif outgoing.job.url == HOME + "2.png":
            later.append(outgoing)
        else:
            scripted.answer(outgoing)
    for outgoing in later:
        scripted.answer(outgoing)
    scripted.run()
    assert not bytes_on_disk(scripted, png(2))
    said = {
        (image, page): (verdict, limit)
        for image, page, verdict, limit in scripted.crawl.store.rows(
            "SELECT image_url, page_url, verdict, not_requested FROM candidates"
        )
    }
    assert said == {
        (HOME + "1.png", "http://b.example/no"): ("refuse", ""),
        (HOME + "2.png", ""): ("proceed", ""),
        (HOME + "2.png", "http://b.example/no"): ("refuse", "out_of_scope"),
        ("http://b.example/3.png", "http://b.example/no"): ("refuse", "out_of_scope"),
        (HOME + "4.png", "http://b.example/yes"): ("proceed", ""),
        ("http://b.example/5.png", "http://b.example/yes"): ("proceed", "out_of_scope"),
    }
    found = scripted.candidates()
    assert (found[HOME + "4.png"].caption, found[HOME + "4.png"].gate) == ("four", "g5")
    assert "http://b.example/5.png" not in scripted.urls()
