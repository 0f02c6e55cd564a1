"""A site with a new session id in every address: the host's budgets end it, whatever its pages offer."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.crawler.scripted import Page, Scripted, html, png, recipe, text

ROOMS = ("hall", "east", "west")


class Sessions(dict[str, "Page | Callable[[], Page]"]):
    """Three pages and a picture under endless addresses."""

    def get(self, url: str, default: Any = None) -> Any:
        if url.endswith("/robots.txt"):
            return text("User-agent: *\nDisallow:\n")
        if ".png" in url:
            return png(int(sha256(url.encode()).hexdigest()[:4], 16))
        session = sha256(url.encode()).hexdigest()[:16]
        links = "".join(f'<a href="/{room}?sid={session}">{room}</a>' for room in ROOMS)
        return html(f'<img src="/art.png?sid={session}">{links}')


@pytest.mark.parametrize(("pages", "images"), [(12, 5), (5, 40)])
def test_session_ids_end_within_the_hosts_budgets(tmp_path: Path, pages: int, images: int) -> None:
    budgets = {"per_host": {"pages": pages, "images": images}}
    crawl = Scripted(tmp_path, recipe(budgets=budgets), Sessions())
    crawl.run(500)
    assert not crawl.crawl.has_work()
    asked = [url for url in crawl.urls() if not url.endswith("robots.txt")]
    assert len([url for url in asked if ".png" not in url]) == pages
    assert len([url for url in asked if ".png" in url]) == min(pages, images)
    reasons = {found.not_requested for found in crawl.candidates().values()}
    assert reasons == ({"", "budget_host"} if images < pages else {""})
