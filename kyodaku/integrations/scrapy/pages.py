"""Pages that a foreign project has seen, so that their word reaches the images they show."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from kyodaku.errors import UnsafeAddressError
from kyodaku.gate import PageFacts
from kyodaku.netguard import normalise_url


class PageMemory:
    """The last `limit` pages read by G2, found by their own URL or by an image that they show."""

    def __init__(self, limit: int = 1000) -> None:
        self._limit = limit
        self._pages: OrderedDict[str, PageFacts] = OrderedDict()
        self._shown_by: dict[str, set[str]] = {}

    def remember(self, url: str, facts: PageFacts) -> None:
        """Keep what G2 found at `url`; forget the page seen longest ago beyond the limit."""
        url = _known(url)
        self._forget(url)
        self._pages[url] = facts
        for image in _images(facts):
            self._shown_by.setdefault(image, set()).add(url)
        if len(self._pages) > self._limit:
            self._forget(next(iter(self._pages)))

    def about(self, image_url: str, named: str = "") -> list[PageFacts]:
        """Every remembered page that shows `image_url`, and the page `named` if it is remembered."""
        urls = set(self._shown_by.get(_known(image_url), ()))
        if named:
            urls.add(_known(named))
        return [self._pages[url] for url in sorted(urls) if url in self._pages]

    def knows(self, url: str) -> bool:
        """True when the page `url` was read and is still remembered."""
        return _known(url) in self._pages

    def shows(self, image_url: str) -> bool:
        """True when a remembered page shows `image_url`."""
        return _known(image_url) in self._shown_by

    def _forget(self, url: str) -> None:
        old = self._pages.pop(url, None)
        if old is None:
            return
        for image in _images(old):
            shown_by = self._shown_by.get(image, set())
            shown_by.discard(url)
            if not shown_by:
                self._shown_by.pop(image, None)


def _images(facts: PageFacts) -> Iterator[str]:
    if facts.page is not None:
        for image in facts.page.images:
            yield _known(image.url)
            yield from (_known(source.url) for source in image.candidates)


def _known(url: str) -> str:
    try:
        return normalise_url(url)
    except UnsafeAddressError:
        return url
