"""Inputs made to hurt a parser, of any size, in every channel. Behind each stands a no.

An `Adversary` says which protocols must hear that no, or hold: what a cap leaves out must not read as
silence.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tests.core.strategies import PLUS, VOCABULARY, jpeg, png, webp, xmp_packet
from tests.core.worlds import ORIGIN, RSL, RSL_URL, World

#: As long as an address may be that anything here compares, nearly.
LONG_URL = ORIGIN + "/art/" + "a" * 8000 + "/cat.jpg"

PROHIBITED = f'plus:DataMining="{VOCABULARY}DMI-PROHIBITED"'


@dataclass(frozen=True)
class Adversary:
    """`build(size)` is a world of about `size` bytes; `heard` are the protocols that must not stay silent."""

    build: Callable[[int], World]
    heard: tuple[str, ...] = ()


def _filled(piece: str | bytes, size: int) -> bytes:
    octets = piece.encode() if isinstance(piece, str) else piece
    return octets * max(1, size // len(octets))


# ---------------------------------------------------------------------------------------- robots.txt

_ALL = b"\n\nUser-agent: *\nUser-agent: Kyodaku\nUser-agent: DemoBot\n"
_LINES_NO = b"\nDisallow: /\nContent-Usage: train-ai=n\nContent-Signal: ai-train=no\nDisallowAITraining: /\n"
_ROBOTS_NO = _ALL + _LINES_NO
_ROBOTS_HEARD = ("robots", "aipref", "content-signal", "disallow-ai-training")
_PATTERN = "/" + "*a" * 30
#: What a robots.txt is filled with.
ROBOTS: dict[str, str | bytes] = {
    "spaces": b" " * 16_384 + b"\n",
    "spaces in a name": b"User" + b" " * 16_000 + b"agent: x\n",
    "spaces before a value": b"Content-Usage:" + b" " * 16_000 + b"train-ai=y\n",
    "tiny groups": "User-agent: a\nDisallow:\n",
    "tiny groups of ours": "User-agent: Kyodaku\nContent-Usage: /x train-ai=y\nDisallow: /x\n",
    "groups of crawlers that train": "User-agent: GPTBot\nDisallow: /x\nUser-agent: CCBot\nAllow: /x\n",
    "agents": "User-agent: Kyodaku\n",
    "agents with versions": "User-agent: Kyodaku/1.0 (a b c), GPTBot/2\n",
    "agents in a list": b"User-agent: " + b"a, " * 5000 + b"\n",
    "line ends": "\n",
    "odd line ends": "\r\r\n",
    "comments": "#\n",
    "one comment": "#",
    "colons": ":",
    "keys": "a:\n",
    "long keys": b"a" * 16_000 + b":\n",
    "odd spaces": "\u00a0Disallow\u00a0:\u3000/x\n",
    "quotes": '"\'Disallow: \'"/x"\n',
    "patterns": f"Disallow: {_PATTERN}x\n",
    "patterns that allow": f"Allow: {_PATTERN}$\n",
    "escapes": "Disallow: /%41%zz%2F%%%\n",
    "paths": "Disallow: /a /b /c /d /e /f /g /h\n",
    "commas": b"Content-Usage: " + b"," * 16_000 + b"\n",
    "one line of commas": ",",
    "semicolons": b"Content-Usage: a" + b";" * 16_000 + b"\n",
    "brackets": b"Content-Usage: " + b"(" * 16_000 + b"\n",
    "quoted": b'Content-Usage: a="' + b'\\"' * 8000 + b"\n",
    "labels": "Content-Usage: train-ai = ( ( (\n",
    "members": b"Content-Usage: " + b"train-ai=y," * 1400 + b"\n",
    "usage of paths": f"Content-Usage: {_PATTERN}x train-ai=y\n",
    "usages": "Content-Usage: train-ai=y\n",
    "signals": "Content-Signal: ai-train=yes\n",
    "signal of commas": b"Content-Signal: " + b"ai-train = ," * 1300 + b"\n",
    "signals that say nothing": "Content-Signal: search=yes, ai-train =\n",
    "training rules": f"DisallowAITraining: {_PATTERN}x\n",
    "training rules that allow": "DisallowAITraining: /x\n",
    "lines without a colon": "Content-Usage train-ai\n",
    "licences": "License: /x\n",
    "licences of their own": "\n\nLicense: x:y\n",
    "delays": "Crawl-delay: 1.\n",
    "nul": b"\x00",
    "high octets": b"\xff\xfe\x80",
    "marks": b"\xef\xbb\xbfDisallow: /x\n",
    "markup": "<html>",
}


def _robots(piece: str | bytes, head: bytes, end: bytes) -> Callable[[int], World]:
    def build(size: int) -> World:
        body = head + _filled(piece, size - len(end) - len(head)) + end
        return World(url=LONG_URL, files={"/robots.txt": body})

    return build


# -------------------------------------------------------------------------------------- policy files

_ENTRY_NO = '{"location":"/","tdm-reservation":1}]'
_MEMBERS_NO = '"training":"deny","tdm-reservation":1}'
#: What a JSON text is filled with, and what stands around it: (before, piece, after).
JSON: dict[str, tuple[str, str, str]] = {
    "brackets": ("", "[", ""),
    "closed brackets": ("", "[]", ""),
    "braces": ("", '{"a":', ""),
    "commas": ("[", ",", "]"),
    "numbers": ("[", "1,", _ENTRY_NO),
    "digits": ("[", "1", "]"),
    "a float": ("[0.", "1", "]"),
    "exponents": ("[", "1e999999999,", _ENTRY_NO),
    "quotes": ("[", '"",', _ENTRY_NO),
    "escapes": ('["', "\\\\", '"]'),
    "letters as escapes": ('["', "\\ud800", '"]'),
    "one name": ("{", '"training":"allow",', _MEMBERS_NO),
    "one name that says no": ('{"a":{', '"tdm-reservation":0,', '"b":1},' + _MEMBERS_NO),
    "objects": ("[", "{},", _ENTRY_NO),
    "spaces": ("", " ", "{"),
    "entries": ("[", '{"location":"/*a*b*c","tdm-reservation":0},', _ENTRY_NO),
    "entries that are unclear": ("[", '{"location":"/x","tdm-reservation":2},', _ENTRY_NO),
    "stars": ('[{"location":"/', "*a", 'x","tdm-reservation":0},' + _ENTRY_NO),
    "policies": ("[", '{"location":"/x","tdm-policy":"/p"},', _ENTRY_NO),
    "globs": ('{"specVersion":"1.0","Training-Allow":[', '"/*a*a*a*x",', '"/"],' + _MEMBERS_NO),
    "agents": ('{"training":"allow","agents":{', '"x":{"training":"allow"},', '"y":{}},' + _MEMBERS_NO),
    "agents in a list": ('{"agents":[', '{"name":"x","training":"allow"},', '{"name":"*"}],' + _MEMBERS_NO),
    "lists in lists": ('{"specVersion":"1.0","training":', "[", ""),
}
#: What a text file is filled with.
TEXTS: dict[str, str | bytes] = {
    "spaces": b" " * 16_384 + b"\n",
    "line ends": "\n",
    "odd line ends": "\r",
    "separators": "\u2028",
    "colons": ":",
    "comments": "# no\n",
    "rules": "Disallow: /x\n",
    "patterns": f"Disallow: {_PATTERN}x\n",
    "groups": "User-Agent: a\nDisallow:\n",
    "groups that allow": "User-Agent: Kyodaku\nAllow: *.png\n",
    "globs": f"Training-Allow: {_PATTERN}\n",
    "many globs": "Training-Allow: /x /x /x /x /x\n",
    "blocks": "Agent: x\n  Training: allow\n",
    "training": "Training: allow\n",
    "half words": "no a no ai no machine not for use to be \n",
    "half a sentence": "training data without the ",
    "words": b"no " * 1300 + b"\n",
    "attributes": "datatrainingallowed=yes\n",
    "attributes in doubt": "datatrainingallowed:::::::::::::::::maybe\n",
    "one line of attributes": "datatrainingallowed ",
    "members": "member=https://a.example/\n",
}
_TEXT_NO = b"\n\nUser-Agent: *\nDisallow: /\nTraining: deny\nno AI training\ndatatrainingallowed=no\n"
_JSON_PATHS = {"/.well-known/tdmrep.json": "tdmrep", "/.well-known/ai.json": "ai-txt"}
_TEXT_PATHS = {
    "/ai.txt": "ai-txt",
    "/.well-known/ai.txt": "ai-txt",
    "/.well-known/trust.txt": "trust-txt",
    "/trust.txt": "trust-txt",
}


def _json(path: str, parts: tuple[str, str, str]) -> Callable[[int], World]:
    before, piece, after = (part.encode() for part in parts)

    def build(size: int) -> World:
        body = before + _filled(piece, size - len(before) - len(after)) + after
        return World(url=LONG_URL, files={path: body})

    return build


def _text(path: str, piece: str | bytes, head: bytes) -> Callable[[int], World]:
    def build(size: int) -> World:
        body = head + _filled(piece, size - len(_TEXT_NO) - len(head)) + _TEXT_NO
        return World(url=LONG_URL, files={path: body})

    return build


# ----------------------------------------------------------------------------------------- documents

_LICENCE_LINE = f"License: {RSL_URL}\n".encode()
_RSL_NO = '<content url="/"><license><prohibits type="usage">ai-train</prohibits></license></content></rsl>'
#: What an RSL document is filled with, behind its root element: (piece, what ends it).
XML: dict[str, tuple[str, str]] = {
    "elements": ("<a/>", _RSL_NO),
    "nesting": ("<a>", _RSL_NO),
    "contents": ('<content url="/x"/>', _RSL_NO),
    "patterns": (f'<content url="{_PATTERN}x"><license/></content>', _RSL_NO),
    "licences": ("", ""),
    "tokens": ("x ", _RSL_NO),
    "entities": ("&lt;", _RSL_NO),
    "letters": ("&#120;", _RSL_NO),
    "undefined entities": ("&a;", _RSL_NO),
    "comments": ("<!---->", _RSL_NO),
    "one comment": ("<!--" + "-", _RSL_NO),
    "sections": ("<![CDATA[]]>", _RSL_NO),
    "instructions": ("<?a?>", _RSL_NO),
    "namespaces": ('<a xmlns:b="c"/>', _RSL_NO),
    "half a prohibition": ('<prohibits type="usage">a', _RSL_NO),
    "half prohibitions": ("<prohibits ", _RSL_NO),
    "prohibitions": ("<prohibits>all</prohibits", _RSL_NO),
}


def _rsl(piece: str, end: str) -> Callable[[int], World]:
    def build(size: int) -> World:
        head = f'<rsl xmlns="{RSL}">'
        body = (head + _filled(piece or " ", size - 300).decode() + end).encode()
        return World(files={"/robots.txt": _LICENCE_LINE}, document=body)

    return build


def _rsl_raw(head: str, piece: str) -> Callable[[int], World]:
    def build(size: int) -> World:
        body = (head + _filled(piece, size - 300).decode() + f'<rsl xmlns="{RSL}">' + _RSL_NO).encode()
        return World(files={"/robots.txt": _LICENCE_LINE}, document=body)

    return build


def _rsl_namespaces(size: int) -> World:
    names = "".join(f' xmlns:a{n}="b{n}"' for n in range(size // 18))
    return World(
        files={"/robots.txt": _LICENCE_LINE}, document=f'<rsl xmlns="{RSL}"{names}>{_RSL_NO}'.encode()
    )


def _rsl_attributes(size: int) -> World:
    names = "".join(f' a{n}="b"' for n in range(size // 12))
    return World(
        files={"/robots.txt": _LICENCE_LINE}, document=f'<rsl xmlns="{RSL}"{names}>{_RSL_NO}'.encode()
    )


def _rsl_bomb(size: int) -> World:
    entities = "".join(f'<!ENTITY a{n} "&a{n - 1};&a{n - 1};">' for n in range(1, max(2, size // 28)))
    body = f'<!DOCTYPE rsl [<!ENTITY a0 "x">{entities}]><rsl xmlns="{RSL}">&a9;{_RSL_NO}'
    return World(files={"/robots.txt": _LICENCE_LINE}, document=body.encode())


BLOB = ORIGIN + "/xrpc/com.atproto.sync.getBlob?did=did:plc:abc234&cid=x"
_INTENTS = '"$type":"org.user-intents.declaration","bulkDataset":{"allow":false}'
#: What a record is filled with; a longer one than 64 KB is none.
RECORDS: dict[str, str] = {
    "names": '"a":1,',
    "one name": '"bulkDataset":{"allow":true},',
    "one word": '"bulkDataset":{' + '"allow":true,' * 990 + '"x":1},',
    "names in objects": '"b":{' + '"a":1,' * 990 + '"c":1},',
    "nesting": '"a":{',
    "escapes": '"\\u0061":1,',
}


def _record(piece: str, limit: int) -> Callable[[int], World]:
    def build(size: int) -> World:
        fill = _filled(piece, min(size, limit) - len(_INTENTS) - 2).decode()
        return World(url=BLOB, document=f"{{{fill}{_INTENTS}}}".encode())

    return build


# ------------------------------------------------------------------------------------------- headers

_HEADERS_NO = (
    ("Content-Usage", "train-ai=n"),
    ("Content-Signal", "ai-train=no"),
    ("X-Robots-Tag", "noai"),
    ("tdm-reservation", "1"),
)
_HEADERS_HEARD = ("aipref", "content-signal", "x-robots-tag", "tdmrep")
_HEADER_NAMES = ("Content-Usage", "Content-Signal", "X-Robots-Tag", "Link", "tdm-reservation", "tdm-policy")
HEADER_PIECES: dict[str, str] = {
    "letters": "a",
    "commas": ",",
    "semicolons": ";",
    "equals": "a=",
    "brackets": "(",
    "quotes": '"',
    "escapes": '\\"',
    "spaces": " ",
    "members": "train-ai=y,",
    "labels": "train-ai = ( ",
    "signals": "ai-train=yes, ",
    "rules": "a:b,",
    "agents": "otherbot: index, ",
    "dates": "unavailable_after: 1 Jan 2030, ",
    "links": "<a>;rel=license,",
    "link ends": "<a>;",
    "licences": "</l>;rel=license;type=application/rsl+xml,",
    "half licences": "rel = licens ",
    "manifests": '<a>;rel="c2pa-manifest ',
    "parameters": ";a=b",
    "zeros": "0,",
    "words": "no-",
    "wide letters": "\u00ef\u00bc\u00a1",
}
#: A response head is not longer than this, whoever fetches it.
HEAD_LIMIT = 64 * 1024


def _header(name: str, piece: str, fields: bool) -> Callable[[int], World]:
    def build(size: int) -> World:
        value = _filled(piece, min(size, HEAD_LIMIT)).decode()
        step = 200 if fields else len(value)
        split = tuple((name, value[at : at + step]) for at in range(0, len(value), step))
        return World(page_headers=(*split, *_HEADERS_NO), image_headers=(*split, *_HEADERS_NO))

    return build


# -------------------------------------------------------------------------------------------- markup

_HTML_NO = (
    '<meta name="robots" content="noai"><meta name="tdm-reservation" content="1">'
    '<meta name="copyright" content="no AI training">'
)
_HTML_HEARD = ("meta-robots", "tdmrep", "rights-text")
#: What a page is filled with; (piece, whether what stands behind it is still markup).
HTML: dict[str, tuple[str, bool]] = {
    "metas": ("<meta name=robots content=index>", False),
    "metas of rights": ("<meta name=copyright content='no a'>", False),
    "metas of tdm": ("<meta name=tdm-reservation content=0>", False),
    "metas of policies": ("<meta name=tdm-policy content=/p>", False),
    "links": ("<link rel=license href=/l>", True),
    "licences": ("<link rel=license type=application/rsl+xml href=/license.xml>", True),
    "anchors": ("<a rel=license href=/l>l</a>", True),
    "open anchors": ("<a href=/l>", True),
    "images": ("<img src=/art/cat.jpg>", True),
    "other images": ("<img src=a srcset='a 1x, b 2x, c 3x'>", True),
    "figures": ("<figure><img src=/art/cat.jpg></figure>", True),
    "open figures": ("<figure>", True),
    "pictures": ("<picture><source srcset=a>", True),
    "divisions": ("<div>", True),
    "spans": ("<span hidden>", True),
    "ends": ("</b>", True),
    "tables": ("<table><td>", True),
    "forms": ("<b><i><u>", True),
    "brackets": ("<", True),
    "brackets that end": (">", True),
    "entities": ("&amp;", True),
    "letters": ("&#120;", True),
    "half entities": ("&", True),
    "comments": ("<!---->", True),
    "instructions": ("<?a?>", True),
    "declarations": ("<!a>", True),
    "text": ("no a", True),
    "tags in words": ("#no", True),
    "json-ld": ('<script type=application/ld+json>{"a":[1]}</script>', True),
    "open json-ld": ("<script type=application/ld+json>", False),
    "rsl": ("<script type=application/rsl+xml><rsl></script>", True),
    "scripts": ("<script>x</script>", True),
    "templates": ("<template><a rel=license href=/l></a></template>", True),
    "rdfa": ("<div about=/art/cat.jpg><a rel=license href=/l>l</a></div>", True),
    "open rdfa": ("<div about=/a property=license>", True),
    "prefixes": ("<p prefix='cc: http://creativecommons.org/ns#'>", True),
    "vocabularies": ("<p vocab=http://schema.org/>", True),
    "things": ("<p itemscope><a itemprop=license href=/l></a></p>", True),
    "open things": ("<p itemscope itemprop=license>", True),
    "references": ("<p itemscope itemref=a id=a>", True),
    "ids": ("<p id=a><i itemprop=license>x</i></p>", True),
    "attributes": ("<p a b c d>", True),
    "titles": ("<title>x</title>", True),
    "bases": ("<base href=/x>", True),
}


def _html(piece: str) -> Callable[[int], World]:
    return lambda size: World(html=_filled(piece, size - len(_HTML_NO)).decode() + _HTML_NO)


def _json_ld(inside: Callable[[int], str]) -> Callable[[int], World]:
    def build(size: int) -> World:
        text = inside(size - 200)
        return World(html=f"<script type=application/ld+json>{text}</script><img src=/art/cat.jpg>{_HTML_NO}")

    return build


def _one_tag(before: str, piece: str, after: str) -> Callable[[int], World]:
    return lambda size: World(html=before + _filled(piece, size - 300).decode() + after + _HTML_NO)


def _ids(count: int) -> str:
    things = "".join(
        f"<p id=i{n} itemscope itemref='{' '.join(f'i{m}' for m in range(n, n + 20))}'>" for n in range(count)
    )
    return things + "<a itemprop=license href=/l>"


# -------------------------------------------------------------------------------------------- images


def _xmp(attributes: str, children: str = "") -> bytes:
    return xmp_packet(f"{attributes} {PROHIBITED}", children)


def _image(body: Callable[[int], bytes]) -> Callable[[int], World]:
    return lambda size: World(image=body(size))


def _in_xmp(piece: str, attributes: str = "") -> Callable[[int], World]:
    return _image(lambda size: webp((b"XMP ", _xmp(attributes, _filled(piece, size - 700).decode()))))


def _chunks(kind: bytes, data: bytes, size: int) -> Iterator[tuple[bytes, bytes]]:
    for _ in range(max(1, size // (len(data) + 12))):
        yield kind, data


def _itxt(keyword: bytes, text: bytes, packed: bool = False) -> bytes:
    flag = b"\x01" if packed else b"\x00"
    return keyword + b"\x00" + flag + b"\x00\x00\x00" + (zlib.compress(text) if packed else text)


def _png_no(*chunks: tuple[bytes, bytes]) -> bytes:
    return png(*chunks, (b"iTXt", _itxt(b"XML:com.adobe.xmp", _xmp(""))))


def _jpeg_no(*segments: tuple[int, bytes]) -> bytes:
    return jpeg(*segments, (0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + _xmp("")))


def _many(segment: tuple[int, bytes], size: int) -> list[tuple[int, bytes]]:
    return [segment] * max(1, size // (len(segment[1]) + 4))


def _tiff(entries: bytes, tail: bytes = b"") -> bytes:
    head = b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", len(entries) // 12 % 65536)
    return head + entries + b"\x00\x00\x00\x00" + tail


def _entry(tag: int, kind: int, count: int, value: int) -> bytes:
    return struct.pack("<HHII", tag, kind, count & 0xFFFFFFFF, value & 0xFFFFFFFF)


def _exif(size: int, entry: bytes, tail: bytes = b"") -> bytes:
    block = _tiff(entry * min(65_000, size // 12), tail)
    return webp((b"EXIF", block + b"\x00" * max(0, size - len(block))), (b"XMP ", _xmp("")))


def _directories(size: int) -> bytes:
    """A chain of directories, each of which points at the next, all about one text."""
    body = b"II*\x00\x08\x00\x00\x00"
    for _ in range(size // 18):
        following = len(body) + 18
        body += b"\x01\x00" + _entry(33432, 2, 4, 0) + struct.pack("<I", following)
    return webp((b"EXIF", body[:-4] + bytes(4)), (b"XMP ", _xmp("")))


def _boxes(kind: bytes, size: int) -> bytes:
    head = struct.pack(">I", 24) + b"ftypavif\x00\x00\x00\x00mif1avif"
    return head + (struct.pack(">I", 8) + kind) * (size // 8) + _xmp("")


def _meta_box(inside: bytes) -> bytes:
    head = struct.pack(">I", 24) + b"ftypavif\x00\x00\x00\x00mif1avif"
    return head + struct.pack(">I", len(inside) + 12) + b"meta\x00\x00\x00\x00" + inside + _xmp("")


def _items(size: int) -> bytes:
    count = size // 60
    infe = b"".join(
        struct.pack(">I", 26) + b"infe\x02\x00\x00\x00" + struct.pack(">HH", n % 65536, 0) + b"Exif\x00\x00"
        for n in range(count)
    )
    iinf = struct.pack(">I", 14 + len(infe)) + b"iinf\x00\x00\x00\x00" + b"\xff\xff" + infe
    places = b"".join(struct.pack(">HHHII", n, 0, 1, 0, 60) for n in range(min(count, 4096)))
    iloc = (
        struct.pack(">I", 16 + len(places)) + b"iloc\x00\x00\x00\x00\x44\x00"
        + struct.pack(">H", min(count, 4096)) + places
    )  # fmt: skip
    return _meta_box(iinf + iloc)


def _gif(blocks: bytes) -> bytes:
    return (
        b"GIF89a\x01\x00\x01\x00\x00\x00\x00"
        + blocks
        + b"!\xff\x0bXMP DataXMP"
        + _xmp("")
        + (b"\x01" + bytes(range(255, -1, -1)) + b"\x00;")
    )


def _extended(size: int) -> bytes:
    """ExtendedXMP in thousands of parts."""
    head = b"http://ns.adobe.com/xmp/extension/\x00" + b"A" * 32
    count = size // 90
    parts = [(0xE1, head + struct.pack(">II", count * 10, n * 10) + b" " * 10) for n in range(count)]
    return _jpeg_no(*parts)


def _iim(size: int) -> bytes:
    data = (b"\x1c\x02\x19\x00\x01a" * (size // 6))[: size // 6 * 6]
    pieces = [data[at : at + 60_000] for at in range(0, len(data), 60_000)]
    resources = [
        (0xED, b"Photoshop 3.0\x008BIM\x04\x04\x00\x00" + struct.pack(">I", len(piece)) + piece)
        for piece in pieces
    ]
    return _jpeg_no(*resources)


_PLUS_XMP = b"<x:xmpmeta " + PLUS.encode()
IMAGES: dict[str, Callable[[int], bytes]] = {
    "png: texts": lambda size: _png_no(*_chunks(b"tEXt", b"Comment\x00no a", size)),
    "png: empty chunks": lambda size: _png_no(*_chunks(b"abCd", b"", size)),
    "png: packed texts": lambda size: _png_no(*_chunks(b"zTXt", b"a\x00\x00" + zlib.compress(b"no a"), size)),
    "png: one text": lambda size: _png_no((b"tEXt", b"Comment\x00" + _filled(b"no a", size))),
    "png: one bomb": lambda size: _png_no(
        (b"iTXt", _itxt(b"Comment", bytes(min(1000 * size, 32 << 20)), packed=True))
    ),
    "png: bombs": lambda size: _png_no(
        *_chunks(b"zTXt", b"a\x00\x00" + zlib.compress(bytes(4 << 20)), size)
    ),
    "png: bombs of packets": lambda size: _png_no(
        *_chunks(b"iTXt", _itxt(b"XML:com.adobe.xmp", b" " * (4 << 20), packed=True), size)
    ),
    "png: a bomb of a packet": lambda size: _png_no(
        (b"iTXt", _itxt(b"XML:com.adobe.xmp", xmp_packet("", "<a/>" * (3 << 20)), packed=True))
    ),
    "png: packets": lambda size: _png_no(*_chunks(b"iTXt", _itxt(b"XML:com.adobe.xmp", b"<a/>"), size)),
    "png: profiles": lambda size: _png_no(
        *_chunks(b"tEXt", b"Raw profile type iptc\x00\niptc\n4\n1c02190001aa\n", size)
    ),
    "png: exif": lambda size: _png_no(*_chunks(b"eXIf", b"a", size)),
    "jpeg: segments": lambda size: _jpeg_no(*_many((0xE2, b""), size)),
    "jpeg: comments": lambda size: _jpeg_no(*_many((0xFE, b"no a"), size)),
    "jpeg: packets": lambda size: _jpeg_no(*_many((0xE1, b"http://ns.adobe.com/xap/1.0/\x00<a/>"), size)),
    "jpeg: exif": lambda size: _jpeg_no(*_many((0xE1, b"Exif\x00\x00a"), size)),
    "jpeg: extended": _extended,
    "jpeg: fill": lambda size: b"\xff\xd8" + b"\xff" * size + _jpeg_no()[2:],
    "jpeg: zeros": lambda size: b"\xff\xd8\xff" + b"\x00\xff" * (size // 2) + _jpeg_no()[2:],
    "jpeg: scans": lambda size: _jpeg_no(*_many((0xDA, b""), size)),
    "jpeg: iim": _iim,
    "jpeg: resources": lambda size: _jpeg_no(
        *[(0xED, b"Photoshop 3.0\x00" + b"8BIM\x04\x25\x00\x00\x00\x00\x00\x00" * 5000)]
        * (size // 60_000 + 1)
    ),
    "webp: chunks": lambda size: webp(*_chunks(b"ABCD", b"", size), (b"XMP ", _xmp(""))),
    "webp: frames": lambda size: webp(*_chunks(b"ANMF", b"", size), (b"XMP ", _xmp(""))),
    "webp: packets": lambda size: webp(*_chunks(b"XMP ", b"<a/>", size), (b"XMP ", _xmp(""))),
    "gif: blocks": lambda size: _gif(b"!\xf9\x00" * (size // 3)),
    "gif: comments": lambda size: _gif(b"!\xfe\x01a\x00" * (size // 5)),
    "gif: sub-blocks": lambda size: _gif(b"!\xfe" + b"\x01a" * (size // 2) + b"\x00"),
    "gif: cut packets": lambda size: _gif(b"!\xff\x0bXMP DataXMP\x00" * (size // 15)),
    "exif: texts": lambda size: _exif(size, _entry(33432, 2, 4, 0)),
    "exif: one text": lambda size: _exif(size, _entry(33432, 2, size // 2, 8)),
    "exif: huge counts": lambda size: _exif(size, _entry(33432, 2, 0xFFFFFFFF, 8)),
    "exif: directories below": lambda size: _exif(size, _entry(330, 4, 32, 8)),
    "exif: directories": _directories,
    "exif: comments": lambda size: _exif(size, _entry(37510, 7, 1000, 8)),
    "exif: packets": lambda size: _exif(size, _entry(700, 1, 10, 8)),
    "exif: iim": lambda size: _exif(size, _entry(33723, 1, 100, 8)),
    "tiff: strips": lambda size: _tiff(
        _entry(273, 4, size // 8, 8) + _entry(279, 4, size // 8, 8), bytes(size) + _xmp("")
    ),
    "avif: boxes": lambda size: _boxes(b"free", size),
    "avif: packets": lambda size: _boxes(b"uuid", size),
    "avif: items": _items,
    "scan: openings": lambda size: b"\xff\xd8\xff\xd9" + _filled(_PLUS_XMP, size) + _xmp(""),
    "scan: packets": lambda size: (
        b"\xff\xd8\xff\xd9" + _filled(_PLUS_XMP + b"></x:xmpmeta>", size) + _xmp("")
    ),
    "scan: words": lambda size: _png_no((b"abCd", _filled(b"dmi-prohibi", size))),
    "scan: jumbf": lambda size: _png_no((b"abCd", _filled(b"jumbjum", size))),
    "scan: announced": lambda size: _png_no((b"abCd", _filled(b"C2PA_GI", size))),
    "xmp: text": lambda size: webp((b"XMP ", _xmp("", "no a" * (size // 4)))),
    "svg": lambda size: b"<svg>" + _filled(b"<a>", size),
    "bmp": lambda size: b"BM" + bytes(size),
    "ico": lambda size: b"\x00\x00\x01\x00\xff\xff" + bytes(size),
    "html": lambda size: b"<html>" + _filled(b"<a>", size),
}  # fmt: skip
#: What an XMP packet is filled with.
XMP: dict[str, str] = {
    "elements": "<cc:a/>",
    "nesting": "<cc:a>",
    "bags": "<cc:license><rdf:Bag><rdf:li>a</rdf:li></rdf:Bag></cc:license>",
    "bags in bags": "<cc:license><rdf:Bag><rdf:li><rdf:Bag/></rdf:li></rdf:Bag></cc:license>",
    "values": "<cc:a><rdf:value>x</rdf:value></cc:a>",
    "descriptions": "<cc:a><rdf:Description cc:b='x'/></cc:a>",
    "prefixes": '<a xmlns="b"/>',
    "entities": "&lt;",
    "undefined entities": "&a;",
    "comments": "<!---->",
    "rights": "<xmpRights:UsageTerms>no a</xmpRights:UsageTerms>",
    "resources": '<cc:license rdf:resource="https://creativecommons.org/licenses/by/4.0/"/>',
}
_IMAGE_SILENT = frozenset({"svg", "bmp", "ico", "html"})


# ------------------------------------------------------------------------------- Content Credentials

_NO_ENTRY = '"cawg.ai_generative_training":{"use":"notAllowed"}'
_MANIFEST_NO = f'{{"label":"cawg.training-mining","data":{{"entries":{{{_NO_ENTRY}}}}}}}'
#: What a manifest store is filled with: (what comes before, the piece, what comes behind).
STORES: dict[str, tuple[str, str, str]] = {
    "assertions": ('{"manifests":{"a":{"assertions":[', '{"label":"c2pa.hash"},', _MANIFEST_NO + "]}}}"),
    "actions": (
        '{"manifests":{"a":{"assertions":[{"label":"c2pa.actions","data":{"actions":[',
        '{"action":"x","digitalSourceType":"a/b"},',
        f"{{}}]}}}},{_MANIFEST_NO}]}}}}}}",
    ),
    "entries": (
        '{"manifests":{"a":{"assertions":[{"label":"cawg.training-mining","data":{"entries":{',
        '"cawg.ai_training":{"use":"allowed"},',
        _NO_ENTRY + "}}}]}}}",
    ),
    "a value": (
        '{"manifests":{"a":{"assertions":[{"label":"cawg.training-mining","data":{"entries":{"ai_training":[',
        "1,",
        f"1],{_NO_ENTRY}}}}}}}]}}}}}}",
    ),
    "a long word": (
        '{"manifests":{"a":{"assertions":[{"label":"cawg.training-mining","data":{"entries":{"ai_training":"',
        "con str",
        f'",{_NO_ENTRY}}}}}}}]}}}}}}',
    ),
    "nesting": (
        '{"manifests":{"a":{"assertions":[{"label":"cawg.training-mining","data":{"entries":{"ai_training":',
        "[",
        "",
    ),
    "training assertions": (
        '{"manifests":{"a":{"assertions":[',
        '{"label":"cawg.training-mining","data":{"entries":{"ai_training":"x"}}},',
        _MANIFEST_NO + "]}}}",
    ),
}
JUMBF = webp((b"VP8X", bytes(10)), (b"C2PA", b"jumbjumd"))


def _store(parts: tuple[str, str, str]) -> Callable[[int], World]:
    before, piece, after = parts

    def build(size: int) -> World:
        fill = _filled(piece, size - len(before) - len(after)).decode()
        return World(image=JUMBF, store=before + fill + after)

    return build


def _manifests(size: int) -> World:
    manifests = {
        f"m{n}": {"assertions": [{"label": "cawg.training-mining", "data": {"a": n}}]}
        for n in range(size // 80)
    }
    return World(image=JUMBF, store=json.dumps({"active_manifest": "m0", "manifests": manifests}))


# ---------------------------------------------------------------------------------- all of them, named


def adversaries() -> dict[str, Adversary]:
    """All of them, by a name that begins with the channel: `robots: tiny groups`."""
    return dict(_named())


def _named() -> Iterator[tuple[str, Adversary]]:
    for name, piece in ROBOTS.items():
        yield f"robots: {name}", Adversary(_robots(piece, b"User-agent: *\n", _ROBOTS_NO), _ROBOTS_HEARD)
        if b"gent:" not in _filled(piece, 1):
            one = _robots(piece, _ALL, _LINES_NO)
            yield f"robots in one group: {name}", Adversary(one, _ROBOTS_HEARD)
    for path, protocol in _JSON_PATHS.items():
        for name, parts in JSON.items():
            yield f"{path}: {name}", Adversary(_json(path, parts), (protocol,))
    for path, protocol in _TEXT_PATHS.items():
        for name, piece in TEXTS.items():
            yield f"{path}: {name}", Adversary(_text(path, piece, b""), (protocol,))
    for name, (piece, end) in XML.items():
        yield f"rsl: {name}", Adversary(_rsl(piece, end), ("rsl",))
    for name, build in (
        ("declared namespaces", _rsl_namespaces),
        ("attributes", _rsl_attributes),
        ("entity bomb", _rsl_bomb),
        ("doctype", _rsl_raw("<!DOCTYPE rsl [", "<!ELEMENT a ANY>")),
        ("no end", _rsl_raw("", "<prohibits ")),
        ("spaces first", _rsl_raw("", " ")),
    ):
        yield f"rsl: {name}", Adversary(build, ("rsl",))
    for name, piece in RECORDS.items():
        yield f"record: {name}", Adversary(_record(piece, 64 * 1024), ("atproto-user-intents",))
        yield f"long record: {name}", Adversary(_record(piece, 1 << 30), ("atproto-user-intents",))
    for header in _HEADER_NAMES:
        for name, piece in HEADER_PIECES.items():
            yield f"{header}: {name}", Adversary(_header(header, piece, False), _HEADERS_HEARD)
            yield f"{header} in fields: {name}", Adversary(_header(header, piece, True), _HEADERS_HEARD)
    for name, (piece, heard) in HTML.items():
        yield f"html: {name}", Adversary(_html(piece), _HTML_HEARD if heard else ())
    for name, build in _PAGES.items():
        yield f"html: {name}", Adversary(build)
    for name, body in IMAGES.items():
        heard = () if name in _IMAGE_SILENT else ("plus-datamining",)
        yield name if ":" in name else f"{name}: bytes", Adversary(_image(body), heard)
    for name, piece in XMP.items():
        yield f"xmp: {name}", Adversary(_in_xmp(piece), ("plus-datamining",))
    for name, parts in STORES.items():
        yield f"c2pa: {name}", Adversary(_store(parts), ("c2pa",))
    yield "c2pa: manifests", Adversary(_manifests, ("c2pa",))


def _things(piece: str) -> Callable[[int], World]:
    return _json_ld(lambda size: "[" + _filled(piece, size).decode() + "{}]")


#: Pages that are no repetition of one piece.
_PAGES: Mapping[str, Callable[[int], World]] = {
    "json-ld nesting": _json_ld(lambda size: "[" * size),
    "json-ld objects": _json_ld(lambda size: '{"a":' * (size // 5)),
    "json-ld things": _things('{"@id":"#a","license":"https://creativecommons.org/licenses/by/4.0/"},'),
    "json-ld names": _things('{"@id":"#a","contentUrl":"/art/cat.jpg","url":"/b"},'),
    "json-ld notices": _things('{"copyrightNotice":"no a","contentUrl":"/art/cat.jpg"},'),
    "json-ld entities": _things('{"mainEntity":{"image":"/art/cat.jpg"}},'),
    "json-ld words": _json_ld(lambda size: '{"copyrightNotice":"' + "no a " * (size // 5) + '"}'),
    "json-ld escapes": _json_ld(lambda size: '{"copyrightNotice":"' + "\\u0061" * (size // 6) + '"}'),
    "json-ld contexts": _json_ld(lambda size: '{"@context":[' + '{"a":"b"},' * (size // 10) + "{}]}"),
    "one meta": _one_tag('<meta name=robots content="', "no ", '">'),
    "one meta of rules": _one_tag('<meta name=robots content="', "a:b,", '">'),
    "one meta of rights": _one_tag('<meta name=copyright content="', "no ai without ", '">'),
    "one name": _one_tag('<meta name="', "no-image-", '" content=x>'),
    "one srcset": _one_tag('<img src=/art/cat.jpg srcset="', "a 1x,", '">'),
    "one srcset of commas": _one_tag('<img src=/art/cat.jpg srcset="', ", ", '">'),
    "one relation": _one_tag('<a href=/l rel="', "license ", '">'),
    "one prefix": _one_tag('<p prefix="', "cc: a ", '">'),
    "one property": _one_tag('<p itemscope><i itemprop="', "license ", '">'),
    "one style": _one_tag('<p style="', "display :", '">'),
    "one address": _one_tag('<a href="', "../", '">'),
    "one comment": _one_tag("<!--", "--!", "-->"),
    "one open comment": _one_tag("<!--", "-", ""),
    "one open tag": _one_tag("<figure ", "a='b' ", ""),
    "one open quote": _one_tag("<figure a='", "<figure>", ""),
    "open scripts": _one_tag("<figure>", "<script>", ""),
    "charsets": _one_tag("<meta ", "charset ", ">"),
    "things that refer": lambda size: World(html=_ids(size // 120)),
    "attributes of one tag": lambda size: World(
        html="<figure " + " ".join(f"a{n}=b" for n in range(size // 10)) + ">" + _HTML_NO
    ),
    "license words": _json_ld(lambda size: '{"license":' * (size // 11)),
}
