"""Images that wait until the pages known on their page's host have been read.

The more pages were read, the more objections are known before an image is asked for. Where PAGES_AHEAD images
wait already, they wait no longer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

PAGES_AHEAD = 1000


class Parking:
    """Counts by host name: its pages still to be read, and the images that wait for them."""

    def __init__(self) -> None:
        self._pages: Counter[str] = Counter()
        self._images: Counter[str] = Counter()

    def restore(self, pages: Mapping[str, int]) -> None:
        """Take up the pages that a stopped crawl left open."""
        self._pages.update(pages)

    def waits(self, page_host: str) -> bool:
        """Whether an image of a page on `page_host` ("": of none) has pages to wait for."""
        return bool(page_host) and self._pages[page_host] > 0

    def page_opened(self, host: str) -> None:
        """One more page of `host` is to be read."""
        self._pages[host] += 1

    def page_closed(self, host: str) -> bool:
        """A page of `host` was read, or will not be now. True when no other is left to wait for."""
        self._pages[host] -= 1
        if self._pages[host] > 0:
            return False
        del self._pages[host]
        return True

    def park(self, page_host: str) -> bool:
        """One more image waits. True when that is too many."""
        self._images[page_host] += 1
        return self._images[page_host] >= PAGES_AHEAD

    def unpark(self, page_host: str) -> None:
        """None waits any more."""
        self._images.pop(page_host, None)
