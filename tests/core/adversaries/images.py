"""Images and Content Credentials made to hurt."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Iterator

from tests.core.adversaries.base import Adversary, filled
from tests.core.strategies import PLUS, VOCABULARY, jpeg, png, webp, xmp_packet
from tests.core.worlds import World

PROHIBITED = f'plus:DataMining="{VOCABULARY}DMI-PROHIBITED"'

# -------------------------------------------------------------------------------------------- images


def _xmp(attributes: str, children: str = "") -> bytes:
    return xmp_packet(f"{attributes} {PROHIBITED}", children)


def _image(body: Callable[[int], bytes]) -> Callable[[int], World]:
    return lambda size: World(image=body(size))


def _in_xmp(piece: str, attributes: str = "") -> Callable[[int], World]:
    return _image(lambda size: webp((b"XMP ", _xmp(attributes, filled(piece, size - 700).decode()))))


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


def _sizes(size: int) -> bytes:
    """Properties of items without end, all of them sizes."""
    spatial = (struct.pack(">I", 20) + b"ispe" + bytes(4) + struct.pack(">II", 3, 2)) * (size // 20)
    properties = struct.pack(">I", len(spatial) + 8) + b"ipco" + spatial
    return _meta_box(struct.pack(">I", len(properties) + 8) + b"iprp" + properties)


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
    "png: settings": lambda size: _png_no(*_chunks(b"tEXt", b"Comment\x00Steps: 1, Sample", size)),
    "png: settings as JSON": lambda size: _png_no(*_chunks(b"tEXt", b'Comment\x00{"seed":[[[[[', size)),
    "png: codes": lambda size: _png_no(*_chunks(b"tEXt", b"a\x00ISCC:AAAAAAAAA", size)),
    "png: licences": lambda size: _png_no(*_chunks(b"tEXt", b"rsl\x00<rsl><content>", size)),
    "png: empty chunks": lambda size: _png_no(*_chunks(b"abCd", b"", size)),
    "png: packed texts": lambda size: _png_no(*_chunks(b"zTXt", b"a\x00\x00" + zlib.compress(b"no a"), size)),
    "png: one text": lambda size: _png_no((b"tEXt", b"Comment\x00" + filled(b"no a", size))),
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
    "exif: wide texts": lambda size: _exif(size, _entry(40091, 1, 1000, 8)),
    "exif: cut": lambda size: webp((b"EXIF", b"II*\x00\xff\xff\xff\xff" + bytes(size)), (b"XMP ", _xmp(""))),
    "exif: packets": lambda size: _exif(size, _entry(700, 1, 10, 8)),
    "exif: iim": lambda size: _exif(size, _entry(33723, 1, 100, 8)),
    "tiff: strips": lambda size: _tiff(
        _entry(273, 4, size // 8, 8) + _entry(279, 4, size // 8, 8), bytes(size) + _xmp("")
    ),
    "avif: boxes": lambda size: _boxes(b"free", size),
    "avif: packets": lambda size: _boxes(b"uuid", size),
    "avif: items": _items,
    "avif: sizes": _sizes,
    "scan: openings": lambda size: b"\xff\xd8\xff\xd9" + filled(_PLUS_XMP, size) + _xmp(""),
    "scan: packets": lambda size: (
        b"\xff\xd8\xff\xd9" + filled(_PLUS_XMP + b"></x:xmpmeta>", size) + _xmp("")
    ),
    "scan: words": lambda size: _png_no((b"abCd", filled(b"dmi-prohibi", size))),
    "scan: jumbf": lambda size: _png_no((b"abCd", filled(b"jumbjum", size))),
    "scan: announced": lambda size: _png_no((b"abCd", filled(b"C2PA_GI", size))),
    "xmp: text": lambda size: webp((b"XMP ", _xmp("", "no a" * (size // 4)))),
    "svg": lambda size: b"<svg>" + filled(b"<a>", size),
    "bmp": lambda size: b"BM" + bytes(size),
    "ico": lambda size: b"\x00\x00\x01\x00\xff\xff" + bytes(size),
    "html": lambda size: b"<html>" + filled(b"<a>", size),
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
_IMAGE_AIMED = ("ai-made", "declarations", "licence", "rights-text", "rsl", "tdmrep")
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
        fill = filled(piece, size - len(before) - len(after)).decode()
        return World(image=JUMBF, store=before + fill + after)

    return build


def _manifests(size: int) -> World:
    manifests = {
        f"m{n}": {"assertions": [{"label": "cawg.training-mining", "data": {"a": n}}]}
        for n in range(size // 80)
    }
    manifests["last"] = {"assertions": [json.loads(_MANIFEST_NO)]}
    return World(image=JUMBF, store=json.dumps({"active_manifest": "last", "manifests": manifests}))


def named() -> Iterator[tuple[str, Adversary]]:
    """All of these, by name."""
    for name, body in IMAGES.items():
        heard = () if name in _IMAGE_SILENT else ("plus-datamining",)
        yield name if ":" in name else f"{name}: bytes", Adversary(_image(body), heard, _IMAGE_AIMED)
    for name, piece in XMP.items():
        yield f"xmp: {name}", Adversary(_in_xmp(piece), ("plus-datamining",), _IMAGE_AIMED)
    for name, parts in STORES.items():
        yield f"c2pa: {name}", Adversary(_store(parts), ("c2pa",), ("ai-made",))
    yield "c2pa: manifests", Adversary(_manifests, ("c2pa",))
