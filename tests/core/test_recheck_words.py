"""What a page that is read again shows and says: no less than the crawl records of it."""

from __future__ import annotations

import json

from crawler.answers.context import images_of
from crawler.answers.intake import _WORDS
from kyodaku.recheck.words import MAX_TEXTS, ShownOnPage
from kyodaku.signals.carriers.html import parse_html
from kyodaku.signals.carriers.page import HtmlPage

URL = "https://shop.org/art/page"
THINGS = [
    {"contentUrl": "/a.jpg", "name": "Name of a", "description": "About a", "caption": "Caption of a",
     "creator": [{"name": "Emi"}, {"name": {"@value": "Noa"}}], "creditText": "Credit of a"},
    {"image": ["/b.jpg", {"url": "https://shop.org/c.jpg"}], "name": ["One", "Two"], "author": "Kei"},
]  # fmt: skip
MARKUP = f"""<html><head><title>Art by Emi</title><meta property="og:image" content="/og.jpg">
<script type="application/ld+json">{json.dumps(THINGS)}</script></head><body>
<figure><a href="/a-page">Look at a<img src="/a.jpg" alt="A hill" title="Title of a"></a>
<figcaption>The hill</figcaption></figure>
<a href="/a-page">Again a</a>
<img src="/b-small.jpg" srcset="/b-small.jpg 100w, /b.jpg 900w" alt="A lake">
<img src="/b.jpg" alt="Other words">
<a href="/c.jpg">The third</a><a href="../art/d%41.jpg#part">A fourth</a>
</body></html>"""


def page(markup: str) -> HtmlPage:
    return parse_html(markup.encode(), "text/html; charset=utf-8", URL, complete=True, fetched_at=0.0)


def test_every_word_that_the_crawl_records_is_heard_again() -> None:
    read = page(MARKUP)
    shown = ShownOnPage(read)
    images = images_of(read, page_nofollow=False)
    assert {image.url.rpartition("/")[2] for image in images} >= {"a.jpg", "b.jpg", "c.jpg", "og.jpg"}
    for image in images:
        heard = " / ".join(shown.words(image.url) or ())
        recorded = {part for name in _WORDS for text in [getattr(image, name)] for part in text.split(" / ")}
        missing = {part for text in recorded for part in text.split(", ") if part not in heard}
        assert not missing, image.url
        assert shown.shows(image.url)


def test_words_stand_beside_their_own_picture() -> None:
    shown = ShownOnPage(page(MARKUP))
    assert "A hill" in (shown.words("https://shop.org/a.jpg") or ())
    assert "A hill" not in (shown.words("https://shop.org/b.jpg") or ())
    assert "Other words" in (shown.words("https://shop.org/b.jpg") or ())


def test_a_picture_is_shown_under_any_spelling_and_size_of_its_address() -> None:
    shown = ShownOnPage(page(MARKUP))
    for name in ("b-small.jpg", "b.jpg", "art/dA.jpg", "og.jpg"):
        assert shown.shows(f"https://shop.org/{name}")
    assert not shown.shows("https://shop.org/e.jpg")
    assert shown.words("https://shop.org/e.jpg") == ()


def test_more_words_than_are_read_are_no_silence() -> None:
    images = "".join(f'<img src="/a.jpg" alt="words {number}">' for number in range(MAX_TEXTS + 1))
    shown = ShownOnPage(page(images + '<img src="/b.jpg" alt="few">'))
    assert shown.words("https://shop.org/a.jpg") is None
    assert shown.words("https://shop.org/b.jpg") == ("few",)
