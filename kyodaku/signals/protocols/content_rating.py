"""Ratings that a page gives itself: the RTA label ("Restricted to Adults", rtalabel.org) and `rating` meta
tags, as search engines read them (Google Search Central, "SafeSearch and your website"). Facts for curation:
they say nothing about training, so they neither refuse nor permit.
"""

from __future__ import annotations

import re

from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.carriers.html import HtmlPage
from kyodaku.signals.model import Binding, Effect, Reading, Signal, Use, Where, excerpt
from kyodaku.signals.protocols.base import About, Peers, Protocol

#: What `parsed` says of a page for adults.
ADULT = "adult"
_RTA = "rta-5042-1996-1400-1577-rta"
_WORDS = frozenset({"adult", "mature", "restricted"})
_HEADER = "Rating"
_MAX_VALUE = 1000


class ContentRating(Protocol):
    """The RTA label and the words of the `rating` meta tag."""

    name = "content-rating"
    title = "RTA label and rating meta tag: facts for curation, never a yes or a no"
    vector_signals = ("content-rating",)
    about = About(
        where="`rating` meta tag of a page, Rating header of a page or image",
        scope="page, image",
        status="RTA label; convention of search engines",
        spec="`adult`, `mature`, `restricted` and the RTA label: a fact for curation; neither yes nor no",
        policy="the same",
        peers=Peers(common_crawl="not known"),
    )

    def read_page_head(self, head: ResponseHead, reading: Reading) -> list[Signal]:
        """The page's own Rating header."""
        return _of_head(head, Binding.PAGE)

    def read_image_head(self, head: ResponseHead, reading: Reading) -> list[Signal]:
        """The same on the response that holds the image."""
        return _of_head(head, Binding.IMAGE)

    def read_page(self, page: HtmlPage, image_url: str | None, reading: Reading) -> list[Signal]:
        """`<meta name="rating">`, and its form with `http-equiv`."""
        if image_url is not None:
            return []
        found = [
            meta.raw
            for meta in page.metas
            if "rating" in (meta.name, meta.http_equiv) and is_adult(meta.content)
        ]
        where = (Where.HTML, Binding.PAGE, page.url, page.digest, page.complete, page.fetched_at)
        return [_signal(raw, *where) for raw in found[:1]]


def is_adult(value: str) -> bool:
    """Whether the value of a rating says that a page is for adults."""
    text = value[:_MAX_VALUE].lower()
    return _RTA in re.sub(r"\s", "", text) or not _WORDS.isdisjoint(re.split(r"[^a-z]+", text))


def says_adult(signal: Signal) -> bool:
    """Whether a signal is such a rating."""
    return signal.protocol == ContentRating.name and signal.parsed == ADULT


def _of_head(head: ResponseHead, binding: Binding) -> list[Signal]:
    found = [value for value in head.values(_HEADER) if is_adult(value)]
    where = (Where.HEADER, binding, head.url, head.digest(), True, head.fetched_at)
    return [_signal(value, *where) for value in found[:1]]


def _signal(
    raw: str, where: Where, binding: Binding, url: str, digest: str, complete: bool, fetched_at: float
) -> Signal:
    return Signal(
        protocol=ContentRating.name,
        where=where,
        binding=binding,
        use=Use.TRAINING,
        effect=Effect.SILENT,
        raw=excerpt(raw),
        parsed=ADULT,
        rule=f"content-rating:{where.value}",
        reason="",
        source_url=url,
        digest=digest,
        complete=complete,
        fetched_at=fetched_at,
    )


PROTOCOL = ContentRating()
