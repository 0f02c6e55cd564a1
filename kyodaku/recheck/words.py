"""What a page that was read again shows, and the words that stand beside each picture: those that the crawl
records of a candidate (`alt`, `title`, ... of CANDIDATES), here as plain texts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from kyodaku.errors import UnsafeAddressError
from kyodaku.signals.carriers.extract import absolute, url_values, walk_json
from kyodaku.signals.carriers.page import HtmlPage
from kyodaku.signals.model import excerpt
from kyodaku.urls import normalise_url

#: Texts beside one picture that are read; whoever sets more beside it is not heard to the end.
MAX_TEXTS = 64

#: Properties of a schema.org object whose words the crawl records.
_PROPERTIES = ("name", "description", "caption", "creator", "author", "creditText")

_Texts = dict[str, None]


class ShownOnPage:
    """The pictures of one page by their normalised addresses, smaller variants too. Read once."""

    def __init__(self, page: HtmlPage) -> None:
        self._texts: dict[str, _Texts] = defaultdict(dict)
        links: dict[str, _Texts] = defaultdict(dict)
        for link in page.links:
            if len(links[link.href]) <= MAX_TEXTS:
                links[link.href][link.text] = None
        things = _things(page)
        for image in page.images:
            words = dict.fromkeys((image.alt, image.title, image.figcaption, page.title))
            words |= links.get(image.link_href or image.url, {})
            for url in {image.url, *(source.url for source in image.candidates)}:
                self._add(url, words | things.get(_normal(url), {}))

    def shows(self, image_url: str) -> bool:
        """Whether the page shows the picture at this address, or leads to it."""
        return _normal(image_url) in self._texts

    def words(self, image_url: str) -> tuple[str, ...] | None:
        """The different texts beside a picture, each cut as the crawl cuts them; None where there are more
        than are read."""
        texts = self._texts.get(_normal(image_url), {})
        return tuple(texts) if len(texts) <= MAX_TEXTS else None

    def _add(self, url: str, words: Collection[str]) -> None:
        known = self._texts[_normal(url)]
        for text in words:
            if text and len(known) <= MAX_TEXTS:
                known[excerpt(text)] = None


def _things(page: HtmlPage) -> dict[str, _Texts]:
    """The words of schema.org objects, by the picture that they speak about or show."""
    found: dict[str, _Texts] = defaultdict(dict)
    for block in page.json_ld:
        for node in walk_json(block.value):
            urls = [*url_values(node.get("contentUrl")), *url_values(node.get("image"))]
            words = dict.fromkeys(_said(node)) if urls else {}
            for url in urls:
                known = found[_normal(absolute(page.base_url, url))]
                for text in words:
                    if len(known) <= MAX_TEXTS:
                        known[text] = None
    return found


def _said(node: Mapping[str, Any]) -> Iterator[str]:
    left = [node.get(name) for name in reversed(_PROPERTIES)]
    while left:
        value = left.pop()
        if isinstance(value, str) and value.strip():
            yield excerpt(" ".join(value.split()))
        elif isinstance(value, list):
            left += reversed(value)
        elif isinstance(value, dict):
            left += [value.get("@value"), value.get("name")]


def _normal(url: str) -> str:
    try:
        return normalise_url(url)
    except UnsafeAddressError:
        return url
