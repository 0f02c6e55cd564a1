"""Sitemaps (sitemaps.org 0.9) and the image extension: parsed as they stream, without entities."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

#: A sitemap is read up to here once unpacked; sitemaps.org allows 50 MB and 50,000 entries.
MAX_BYTES = 50 * 1024 * 1024
MAX_ENTRIES = 50_000
#: Images of one entry (Google's image extension allows 1,000).
MAX_IMAGES = 1_000


@dataclass(frozen=True)
class Entry:
    """One `<url>` or `<sitemap>`: its address, and (image URL, caption, title) of its images."""

    loc: str
    is_sitemap: bool
    images: tuple[tuple[str, str, str], ...] = ()


def parse_sitemap(body: bytes) -> Iterator[Entry]:
    """Entries in order, up to the first error or limit: what came before is good. Never raises.

    Gzip is recognised by its first bytes. A body that is no XML is read as a list of URLs, one a line.
    """
    text = body.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not body.startswith(b"\x1f\x8b") and not text.startswith(b"<"):
        yield from _plain(body)
        return
    source: IO[bytes] | _Capped = io.BytesIO(text)
    if body.startswith(b"\x1f\x8b"):
        source = _Capped(gzip.GzipFile(fileobj=io.BytesIO(body)))
    try:
        yield from _entries(source)
    except (ParseError, DefusedXmlException, OSError, EOFError, zlib.error, ValueError, LookupError):
        return


class _Capped(io.RawIOBase):
    """Reads at most MAX_BYTES of unpacked bytes; then the file simply ends."""

    def __init__(self, source: gzip.GzipFile) -> None:
        self._source = source
        self._left = MAX_BYTES

    def read(self, size: int = -1) -> bytes:
        size = self._left if size < 0 else min(size, self._left)
        content = self._source.read(size)
        self._left -= len(content)
        return content


def _entries(source: IO[bytes] | _Capped) -> Iterator[Entry]:
    count = 0
    root: Element | None = None
    for event, element in iterparse(source, events=("start", "end"), forbid_dtd=True):
        if event == "start":
            root = element if root is None else root
            continue
        name = _name(element)
        if name not in ("url", "sitemap"):
            continue
        entry = _entry(element, name == "sitemap")
        if root is not None:
            root.clear()
        if entry is not None:
            yield entry
            count += 1
            if count >= MAX_ENTRIES:
                return


def _entry(element: Element, is_sitemap: bool) -> Entry | None:
    loc = ""
    images: list[tuple[str, str, str]] = []
    for child in element:
        name = _name(child)
        if name == "loc" and not loc:
            loc = _text(child)
        elif name == "image" and len(images) < MAX_IMAGES:
            parts = {_name(part): _text(part) for part in child}
            if parts.get("loc"):
                images.append((parts["loc"], parts.get("caption", ""), parts.get("title", "")))
    return Entry(loc, is_sitemap, tuple(images)) if loc else None


def _plain(body: bytes) -> Iterator[Entry]:
    lines = body[:MAX_BYTES].decode("utf-8", "replace").split("\n")
    for line in lines[:MAX_ENTRIES]:
        if line.strip().startswith(("http://", "https://")):
            yield Entry(line.strip(), False)


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2].lower()


def _text(element: Element) -> str:
    return " ".join((element.text or "").split())
