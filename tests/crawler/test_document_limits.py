"""Documents in a crawl: how many one origin may name, and when a failed one is asked for again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kyodaku import documents
from kyodaku.documents import DOCUMENT_RETRY, DocumentLibrary
from tests.crawler.scripted import NOW, Page, Scripted, html, png, recipe, text

HOME = "http://a.example/"
IMAGE = "http://a.example/art.png"
RSL = "http://licences.example/rsl.xml"
OPEN = text("User-agent: *\nDisallow:\n")
YES = Page(
    b'<rsl xmlns="https://rslstandard.org/rsl"><content url="/"><license><permits type="usage">ai-train'
    b'</permits><payment type="free"/></license></content></rsl>',
    200,
    (),
)


def link(url: str) -> tuple[str, str]:
    return ("Link", f'<{url}>; rel="license"; type="application/rsl+xml"')


def said(scripted: Scripted, url: str) -> tuple[str, str]:
    row = scripted.crawl.store.row("SELECT verdict, reason FROM requests WHERE url = ?", (url,))
    return row[0], row[1]


@pytest.mark.parametrize("head_of", ["page", "image"])
def test_a_site_that_names_ever_new_hosts_is_held_beyond_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head_of: str
) -> None:
    monkeypatch.setattr(documents, "MAX_NAMED_BY", 5)
    web: dict[str, Page] = {"http://a.example/robots.txt": OPEN}
    shown = []
    for number in range(8):
        licence = f"http://v{number}.example/rsl.xml"
        web |= {licence: YES, f"http://v{number}.example/robots.txt": OPEN}
        url = f"http://a.example/{number}"
        picture = Page(png(number).body, 200, (("Content-Type", "image/png"), link(licence)))
        web[url] = html("<p>p</p>", link(licence)) if head_of == "page" else picture
        shown.append(f'<a href="/{number}">p</a>' if head_of == "page" else f'<img src="/{number}">')
    web[HOME] = html("".join(shown))
    scripted = Scripted(tmp_path, recipe(), web)  # type: ignore[arg-type]
    scripted.run()
    assert len([url for url in scripted.urls() if url.endswith("rsl.xml")]) == 5
    results = [said(scripted, f"http://a.example/{number}") for number in range(8)]
    assert results.count(("proceed", "")) == 5
    assert results.count(("hold", "rsl_unobtainable")) == 3


def test_a_licence_that_failed_is_asked_for_again_with_the_held_page(tmp_path: Path) -> None:
    answers: Iterator[Page] = iter([text("", 503), YES])
    web: dict[str, Page] = {
        "http://a.example/robots.txt": OPEN,
        HOME: html("<img src='/art.png'>", link(RSL)),
        IMAGE: png(),
        RSL: lambda: next(answers),  # type: ignore[dict-item]
    }
    patient = recipe(politeness={"hold_retries": [DOCUMENT_RETRY + 60]})
    scripted = Scripted(tmp_path, patient, web)  # type: ignore[arg-type]
    scripted.permission.documents = DocumentLibrary(lambda: NOW + scripted.moment - 1000.0)
    scripted.run()
    assert scripted.urls().count(RSL) == 2
    assert said(scripted, IMAGE) == ("proceed", "")
    failed, second = (when for when, url in scripted.asked if url == RSL)
    assert second - failed >= DOCUMENT_RETRY
