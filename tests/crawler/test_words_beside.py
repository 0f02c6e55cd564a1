"""Every word that stands beside a picture is kept, whoever names the picture first; a ban in it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crawler.answers.seeds import enter_list
from kyodaku.candidate import Candidate
from tests.crawler.scripted import Page, Scripted, html, png, recipe, text

HOME, PICTURE = "http://a.example/", "http://a.example/x.png"
OPEN = text("User-agent: *\nDisallow:\n")
SITEMAP = (
    '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    ' xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"><url><loc>http://a.example/</loc>'
    "<image:image><image:loc>http://a.example/x.png</image:loc>"
    "<image:caption>転載不可</image:caption></image:image></url></urlset>"
)


def crawled(folder: Path, page: str, *listed: dict[str, str], sitemap: str = "") -> Scripted:
    robots = text(f"User-agent: *\nDisallow:\n{f'Sitemap: {HOME}sitemap.xml' if sitemap else ''}")
    web: dict[str, Page] = {HOME + "robots.txt": robots, HOME: html(page), PICTURE: png(1)}
    if sitemap:
        web[HOME + "sitemap.xml"] = Page(sitemap.encode(), 200, (("Content-Type", "application/xml"),))
    seeds = {}
    if listed:
        path = folder / "list.jsonl"
        path.write_text("\n".join(json.dumps(row) for row in listed), "utf-8")
        seeds = {"seeds": {"sites": [], "url_lists": [str(path)]}}
    scripted = Scripted(folder / "run", recipe(**seeds), web)
    if listed:
        list(enter_list(scripted.crawl, folder / "list.jsonl"))
    scripted.run()
    return scripted


def kept(scripted: Scripted) -> Candidate:
    return scripted.candidates()[PICTURE]


LISTED = {"url": PICTURE, "caption": "A boat", "page_url": HOME}


@pytest.mark.parametrize(
    "page",
    [
        '<img src="/x.png" alt="Sea #noai">',
        '<figure><img src="/x.png"><figcaption>Sea, no AI training</figcaption></figure>',
        '<a href="/x.png" title="AI学習禁止">AI学習禁止</a>',
    ],
)
def test_a_ban_beside_a_listed_picture_refuses(tmp_path: Path, page: str) -> None:
    assert kept(crawled(tmp_path, page, LISTED)).gate_reason == "rights_text"


def test_a_ban_far_into_a_long_caption_refuses(tmp_path: Path) -> None:
    caption = "The sea and the sky. " * 80 + "AI学習禁止"
    page = f'<figure><img src="/x.png"><figcaption>{caption}</figcaption></figure>'
    assert kept(crawled(tmp_path, page)).gate_reason == "rights_text"


def test_a_listed_picture_keeps_the_words_of_the_list_first(tmp_path: Path) -> None:
    page = '<title>Home</title><img src="/x.png" alt="Sea" title="転載不可">'
    found = kept(crawled(tmp_path, page, LISTED))
    assert (found.alt, found.caption, found.page_title) == ("", "A boat", "Home")
    assert found.link_text == "Sea / 転載不可"


def test_every_place_of_a_page_that_shows_a_picture_adds_its_words(tmp_path: Path) -> None:
    page = (
        '<img src="/x.png" alt="A bowl"><figure><img src="/x.png" alt="A bowl">'
        '<figcaption>転載不可</figcaption></figure><img src="/x.png" alt="Fruit">'
    )
    found = kept(crawled(tmp_path, page))
    assert (found.alt, found.caption, found.link_text) == ("A bowl", "転載不可", "Fruit")


def test_a_caption_in_structured_data_stands_beside_its_description(tmp_path: Path) -> None:
    thing = {"@type": "Painting", "image": PICTURE, "description": "A bowl", "caption": "転載不可"}
    page = f'<img src="/x.png"><script type="application/ld+json">{json.dumps(thing)}</script>'
    found = kept(crawled(tmp_path, page))
    assert (found.schema_description, found.link_text) == ("A bowl", "転載不可")


def test_the_words_of_a_sitemap_stand_beside_those_of_the_page(tmp_path: Path) -> None:
    found = kept(crawled(tmp_path, '<img src="/x.png" alt="A bowl">', sitemap=SITEMAP))
    assert (found.alt, found.caption) == ("A bowl", "転載不可")
