"""Pages that a foreign project has seen, so that their word reaches the images they show."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator

from kyodaku.errors import UnsafeAddressError
from kyodaku.gate import GateResult, PageFacts
from kyodaku.netguard import normalise_url

#: Images that forgotten pages said something about, and what is kept of it for each; oldest go first.
MAX_IMAGES = 20_000
MAX_WORDS = 4


class PageMemory:
    """The last `limit` pages read by G2, found by their own URL or by an image that they show.

    Of a page that is forgotten, its word about its images stays: objections and statements about licences.
    `judge` is `Permission.g2_image`.
    """

    def __init__(self, judge: Callable[[PageFacts, str], GateResult], limit: int = 1000) -> None:
        self._judge = judge
        self._limit = limit
        self._pages: OrderedDict[str, PageFacts] = OrderedDict()
        self._shown_by: dict[str, set[str]] = {}
        self._words: OrderedDict[str, list[GateResult]] = OrderedDict()

    def remember(self, url: str, facts: PageFacts) -> None:
        """Keep what G2 found at `url`; forget the page seen longest ago beyond the limit."""
        url = _known(url)
        self._forget(url)
        self._pages[url] = facts
        for image in _images(facts):
            self._shown_by.setdefault(image, set()).add(url)
        if len(self._pages) > self._limit:
            oldest = next(iter(self._pages))
            self._keep_words(self._pages[oldest])
            self._forget(oldest)

    def about(self, image_url: str, named: str = "") -> list[PageFacts]:
        """Every remembered page that shows `image_url`, and the page `named` if it is remembered."""
        urls = set(self._shown_by.get(_known(image_url), ()))
        if named:
            urls.add(_known(named))
        return [self._pages[url] for url in sorted(urls) if url in self._pages]

    def words(self, image_url: str) -> list[GateResult]:
        """What pages that were forgotten said about `image_url`."""
        return list(self._words.get(_known(image_url), ()))

    def knows(self, url: str) -> bool:
        """True when the page `url` was read and is still remembered."""
        return _known(url) in self._pages

    def shows(self, image_url: str) -> bool:
        """True when a remembered page shows `image_url`."""
        return _known(image_url) in self._shown_by

    def _keep_words(self, facts: PageFacts) -> None:
        for image in dict.fromkeys(_images(facts)):
            result = self._judge(facts, image)
            if result.open and not result.evidence:
                continue
            words = self._words.setdefault(image, [])
            self._words.move_to_end(image)
            words.append(result)
            words.sort(key=lambda said: said.open)  # objections first: they are kept longest
            del words[MAX_WORDS:]
            if len(self._words) > MAX_IMAGES:
                self._words.popitem(last=False)

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
