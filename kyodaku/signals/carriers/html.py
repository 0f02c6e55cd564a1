"""A page, parsed once: everything that the gates, the spider and the licence evidence need of it.

Nothing is executed and no style sheet is read. `html_reader` walks the markup, `extract` turns what it saw
into the plain data of `page`.
"""

from __future__ import annotations

import codecs
import re
from hashlib import sha256
from typing import Any

from lxml import etree

from kyodaku.errors import CarrierError
from kyodaku.signals.carriers import extract
from kyodaku.signals.carriers.html_reader import MarkupReader
from kyodaku.signals.carriers.page import (
    HtmlPage,
    ImageSource,
    JsonLd,
    Meta,
    PageFigure,
    PageImage,
    PageLink,
    RdfaTriple,
)

__all__ = [
    "MAX_PAGE_BYTES",
    "HtmlPage",
    "ImageSource",
    "JsonLd",
    "Meta",
    "PageFigure",
    "PageImage",
    "PageLink",
    "RdfaTriple",
    "decode_html",
    "parse_html",
]

#: At most this many bytes of a page are parsed; a longer page is `complete=False`.
MAX_PAGE_BYTES = 2 * 1024 * 1024

_META_CHARSET = re.compile(rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
_HEADER_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
#: A comment or a tag, with the values of its attributes; each reads on to its end or that of the page.
_TAG = re.compile(
    r"<(?:!--(?:-?>|.*?(?:--!?>|\Z))|(?P<end>/?)(?P<name>[a-z][^\s/>]*+)"
    r"(?:[^>=]++|=\s*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z))?)*+(?:>|\Z)|[!?/][^>]*+(?:>|\Z))",
    re.IGNORECASE | re.DOTALL,
)
_RAW_TEXT = frozenset({"script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"})
_PRESCAN_BYTES = 4096
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))

#: Label (normalised by `codecs`) -> the decoder that browsers use for it (WHATWG Encoding).
_DECODERS = {
    "utf-8": "utf-8",
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "cp1252": "cp1252",
    "shift_jis": "cp932",
    "cp932": "cp932",
    "euc_jp": "euc_jp",
    "iso2022_jp": "iso2022_jp",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb18030": "gb18030",
    "big5": "big5hkscs",
    "big5hkscs": "big5hkscs",
    "euc_kr": "cp949",
    "cp949": "cp949",
    "koi8-r": "koi8-r",
    "koi8-u": "koi8-u",
    "utf-16": "utf-16-le",
    "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be",
    **{f"iso8859-{n}": f"iso8859-{n}" for n in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
    "iso8859-9": "cp1254",
    **{f"cp125{n}": f"cp125{n}" for n in (0, 1, 3, 4, 5, 6, 7, 8)},
}


def parse_html(
    body: bytes, content_type: str, url: str, *, complete: bool = True, fetched_at: float = 0.0
) -> HtmlPage:
    """Parse `body`, at most MAX_PAGE_BYTES of it. Raises CarrierError when the parser gives up."""
    reader = MarkupReader()
    text = decode_html(body[:MAX_PAGE_BYTES], content_type)
    markup = text.encode("utf-8")
    # A huge tree is no danger (the target builds none) and without it deep nesting would hide what follows.
    options: dict[str, Any] = {"encoding": "utf-8", "huge_tree": True, "no_network": True}
    try:
        parser: Any = etree.HTMLParser(target=reader, **options)
        if markup.strip():
            etree.fromstring(markup, parser)
    except (etree.LxmlError, ValueError, RecursionError, AssertionError) as error:
        raise CarrierError(f"{url}: not readable as HTML ({type(error).__name__})") from error
    return extract.page(
        reader,
        url=url,
        digest=sha256(body).hexdigest(),
        complete=complete and len(body) <= MAX_PAGE_BYTES,
        fetched_at=fetched_at,
        closed_figures=_closed_figures(text, len(reader.figures)),
    )


def _closed_figures(text: str, count: int) -> frozenset[int]:
    """The numbers of those figures that an end tag of their own ends; the parser ends others without a word.
    None of them where this look at the tags finds another number of figures than the parser (`count`)."""
    closed: set[int] = set()
    opened: list[int] = []
    seen = at = 0
    while count and (tag := _TAG.search(text, at)):
        at = tag.end()
        name = (tag["name"] or "").lower()
        if name in _RAW_TEXT and not tag["end"]:
            end = re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE).search(text, at)
            at = end.start() if end else len(text)
        elif name == "figure" and not tag["end"]:
            opened.append(seen)
            seen += 1
        elif name == "figure" and opened:
            closed.add(opened.pop())
    return frozenset(closed) if seen == count else frozenset()


def decode_html(body: bytes, content_type: str) -> str:
    """The text of a page: byte order mark, then the header's charset, then the page's own, then UTF-8
    where it fits, else windows-1252. Undecodable bytes and NUL become U+FFFD."""
    for mark, name in _BOMS:
        if body.startswith(mark):
            return _decoded(body[len(mark) :], name)
    header = _HEADER_CHARSET.search(content_type)
    inside = _META_CHARSET.search(body, 0, _PRESCAN_BYTES)
    for label in (header.group(1) if header else "", inside.group(1).decode("ascii") if inside else ""):
        name = _decoder(label)
        # Text without a NUL is not UTF-16, whatever it is called; read so it would say nothing.
        if name and not (name.startswith("utf-16") and b"\x00" not in body):
            return _decoded(body, name)
    try:
        return body.decode("utf-8").replace("\x00", "\ufffd")
    except UnicodeDecodeError:
        return _decoded(body, "cp1252")


def _decoder(label: str) -> str:
    if not label:
        return ""
    try:
        return _DECODERS.get(codecs.lookup(label).name, "")
    except LookupError:
        return ""


def _decoded(body: bytes, name: str) -> str:
    return body.decode(name, "replace").replace("\x00", "\ufffd")
