"""Hypothesis strategies and small builders for signals: answers, readings, and bytes that nearly parse."""

from __future__ import annotations

import struct
import zlib
from datetime import UTC, datetime
from typing import Literal

from hypothesis import settings
from hypothesis import strategies as st

from kyodaku.signals.model import Fetched, FetchError, Hop, Institution, Reading
from kyodaku.signals.tokens import purpose_tokens

# Several programs share the machine, so a single example may be slow; and a run must repeat.
settings.register_profile("kyodaku", deadline=None, derandomize=True)
settings.load_profile("kyodaku")

NOW = datetime(2026, 11, 20, tzinfo=UTC)
IMAGE = "https://example.com/art/cat.jpg"
PLUS = "http://ns.useplus.org/ldf/xmp/1.0/"
VOCABULARY = "http://ns.useplus.org/ldf/vocab/"


def reading(
    mode: Literal["spec", "policy"] = "policy",
    own: tuple[str, ...] = ("Kyodaku", "DemoBot"),
    threshold: Literal["any", "majority", "control-tokens-only"] = "any",
    institutions: tuple[Institution, ...] = (),
) -> Reading:
    """A reading with both of our names and the core purpose tokens."""
    return Reading(mode, own, purpose_tokens(), threshold, NOW, institutions)


def robots_answer(
    body: bytes,
    status: int | None = 200,
    *,
    error: FetchError | None = None,
    complete: bool = True,
    hops: int = 0,
    cached_age: float | None = None,
    content_type: str = "",
) -> Fetched:
    """A fetch of https://example.com/robots.txt."""
    url = "https://example.com/robots.txt"
    headers = (("Content-Type", content_type),) if content_type else ()
    chain = tuple(Hop(url, 301) for _ in range(hops))
    return Fetched(url, url, status, headers, body, complete, error, 1.0, chain, cached_age)


def xmp_packet(attributes: str = "", children: str = "") -> bytes:
    """An XMP packet with one description."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:plus="{PLUS}" xmlns:cc="http://creativecommons.org/ns#"'
        f' xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/" {attributes}>{children}</rdf:Description>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


def mining(value: str) -> bytes:
    """A packet whose Data Mining property is `value` of the vocabulary."""
    return xmp_packet(f'plus:DataMining="{VOCABULARY}{value}"')


def webp(*chunks: tuple[bytes, bytes]) -> bytes:
    """A WebP file of the given chunks."""
    body = b"".join(
        kind + struct.pack("<I", len(data)) + data + b"\x00" * (len(data) % 2) for kind, data in chunks
    )
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG file of the given chunks between IHDR and IEND."""
    header = (b"IHDR", struct.pack(">IIBBBBB", 3, 2, 8, 2, 0, 0, 0))
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in (header, *chunks, (b"IEND", b""))
    )
    return b"\x89PNG\r\n\x1a\n" + body


def jpeg(*segments: tuple[int, bytes]) -> bytes:
    """A JPEG file of the given marker segments, without a scan."""
    body = b"".join(
        bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data for marker, data in segments
    )
    return b"\xff\xd8" + body + b"\xff\xd9"


_AGENTS = st.sampled_from(
    ["*", "Kyodaku", "kyodaku/1.0", "DemoBot", "GPTBot", "CCBot", "img2dataset", "Googlebot", "", "Other bot"]
)
PATHS = st.text("/abc.*$?=%é ", max_size=8).map(lambda text: "/" + text)
_NAMES = st.sampled_from(
    [
        "User-agent",
        "Disallow",
        "Allow",
        "Sitemap",
        "Content-Usage",
        "Crawl-delay",
        "dissallow",
        "useragent",
        "x",
    ]
)
_LINES = st.one_of(
    st.builds("User-agent: {}".format, _AGENTS),
    st.builds("Disallow: {}".format, PATHS),
    st.builds("Allow: {}".format, PATHS),
    st.builds("{}: {}".format, _NAMES, PATHS),
    st.builds("{} {}".format, _NAMES, PATHS),
    st.text(max_size=12),
)
_ENDS = st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\u2028", "\x85"])

#: Text that looks like a robots file, good and bad lines mixed.
ROBOTS_TEXT = st.lists(st.builds("{}{}".format, _LINES, _ENDS), max_size=25).map("".join)

URLS = PATHS.map(lambda path: "https://example.com" + path)

_MARKUP = st.sampled_from(
    [
        "<meta name=robots content=noai>",
        "<meta name='",
        "<img src=a.jpg srcset='a.jpg 1x, b.jpg 2x,, ,c'>",
        "<figure>",
        "</figure>",
        "<figcaption>x",
        "<a rel=license href=https://creativecommons.org/publicdomain/zero/1.0/>",
        "</a>",
        "<div about=/a.jpg>",
        "</div>",
        '<script type=application/ld+json>{"license": [',
        "</script>",
        "<base href='//[::1'>",
        "<!--",
        "-->",
        "<![CDATA[",
        "<picture><source srcset=x>",
        "<title>",
        "\x00",
        "é",
        "&#xD800;",
    ]
)
#: Markup in pieces, some of them broken.
HTML_TEXT = st.lists(st.one_of(_MARKUP, st.text(max_size=8)), max_size=25).map("".join)

_MAGIC = st.sampled_from(
    [
        b"\xff\xd8\xff\xe1",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\xff\x00\x00\x00WEBP",
        b"GIF89a",
        b"II*\x00",
        b"MM\x00*",
        b"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00mif1avif",
        b"\x00\x00\x00\x14ftypheic\x00\x00\x00\x00mif1",
        b"BM",
        b"\x00\x00\x01\x00\x01\x00",
        b"",
    ]
)
#: Bytes that begin like an image file.
IMAGE_BYTES = st.builds(bytes.__add__, _MAGIC, st.binary(max_size=200))
