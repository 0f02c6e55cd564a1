"""Metadata inside an image file, found by its byte structure alone: nothing is decoded to pixels.

`containers` walks the formats; `tiff` reads TIFF and EXIF. Everything here is bounded in time and memory
by the length of the file and by caps on what may be unpacked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256

from kyodaku.errors import CarrierError
from kyodaku.signals.carriers.c2pa import ManifestStore, StoreReader, holds_jumbf
from kyodaku.signals.carriers.containers import JPEG_EXTENDED, walk
from kyodaku.signals.carriers.found import Found
from kyodaku.signals.carriers.rights import (
    RightsField,
    TextChunk,
    bounded,
    decoded,
    of_iim,
    of_texts,
    of_tiff,
    of_xmp,
)
from kyodaku.signals.carriers.tiff import Tiff, read_tiff
from kyodaku.signals.carriers.xmp import XmpProperties, parse_xmp

_PLUS_NAMESPACE = "http://ns.useplus.org/ldf/xmp/1.0/"
_PLUS_DOMAIN = b"useplus.org"
_VOCABULARY = b"useplus.org/ldf/vocab"
#: What every refusing value begins with, in ASCII or UTF-8, or UTF-16 of either byte order. The pattern
#: begins with its rarest sign, so that a picture is gone through once and fast.
_PROHIBITION = re.compile(
    rb"(?i)-(?:(?<=dmi-)prohibit|(?<=d\x00m\x00i\x00-)\x00p\x00r\x00o\x00h\x00i\x00b\x00i\x00t)"
)
_XMP_SCAN = re.compile(rb"<x:x[am]pmeta\b")
_XMP_SCAN_ENDS = (b"</x:xmpmeta>", b"</x:xapmeta>")
_MAX_SCANNED = 16
_MAX_NAME = 200
#: What `sniff` calls a picture, whether or not anything here can read it.
IMAGE_FORMATS = frozenset(
    {
        "jpeg",
        "png",
        "webp",
        "gif",
        "tiff",
        "avif",
        "heif",
        "bmp",
        "ico",
        "jxl",
        "jp2",
        "psd",
        "svg",
    }
)
#: JPEG XL (ISO/IEC 18181-2) and JPEG 2000 (ISO/IEC 15444-1), bare and boxed; Photoshop.
_KNOWN_BY_SIGHT = (
    (b"\xff\x0a", "jxl"),
    (b"\x00\x00\x00\x0cJXL ", "jxl"),
    (b"\xff\x4f\xff\x51", "jp2"),
    (b"\x00\x00\x00\x0cjP  ", "jp2"),
    (b"8BPS\x00", "psd"),
)
#: Lengths of the second header of a BMP file; "BM" alone begins many a text.
_BMP_HEADERS = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
_HTML_WORDS = (
    b"<!doctype html",
    b"<html",
    b"<head",
    b"<body",
    b"<script",
    b"<title",
    b"<meta",
    b"<div",
    b"<!--",
)


#: What an entry of `unreadable` begins with that is about the manifest store.
C2PA_UNREADABLE = "C2PA: "


@dataclass(frozen=True)
class XmpPacket:
    """One XMP packet and the structure it was in (`scan`: found by its bytes, outside any structure).

    `properties` is None when it could not be parsed, and `error` says why.
    """

    raw: bytes
    source: str
    properties: XmpProperties | None
    error: str = ""


@dataclass(frozen=True)
class EmbeddedMetadata:
    """What an image file says about itself.

    `format` is sniffed: one of IMAGE_FORMATS, html or other.
    `width`, `height` in pixels and `frames` are what the header promises, 0 where not read.
    `problems` says where the structure is cut or broken, `unreadable` which metadata blocks are there but
    could not be read; `complete` is True only when the file came whole and both are empty.
    `raw_hit` means that the bytes hold a word of PLUS data mining that no XMP packet accounts for.
    `c2pa` is the manifest store of a file with `jumbf_present`, None where it could not be read.
    `rights` are its fields about rights and credit and its free texts, within the limits of a file; `texts`
    all of its free texts, those of image generators too; `software` what EXIF names as the program.
    `exif` starts at its TIFF header (b"" in a TIFF file). `digest` is the sha256 hex of the file.
    """

    url: str
    digest: str
    fetched_at: float
    format: str
    width: int
    height: int
    frames: int
    xmp: tuple[XmpPacket, ...]
    exif: bytes
    exif_copyright: str
    exif_artist: str
    orientation: int
    has_gps: bool
    iptc_iim: bytes
    jumbf_present: bool
    raw_hit: bool
    complete: bool
    problems: tuple[str, ...]
    unreadable: tuple[str, ...] = ()
    c2pa: ManifestStore | None = None
    rights: tuple[RightsField, ...] = ()
    texts: tuple[TextChunk, ...] = ()
    software: tuple[str, ...] = ()


def read_embedded(
    body: bytes,
    *,
    url: str = "",
    fetched_at: float = 0.0,
    complete: bool = True,
    c2pa: StoreReader | None = None,
    jumbf: bool | None = None,
) -> EmbeddedMetadata:
    """Read the metadata of an image file. Never raises; what could not be read is listed.

    `c2pa` reads the manifest store of a file that holds JUMBF; without it, such a file has metadata that
    nobody read. `jumbf`: what `holds_jumbf` said of `body`, where the caller has asked already.
    """
    kind = sniff(body)
    found = walk(kind, body)
    blocks = _read_exif(found)
    tiff = found.tiff or (blocks[0] if blocks else Tiff())
    packets = [_packet(source, raw) for source, raw in found.xmp]
    if not packets:
        packets = [_packet("scan", raw) for raw in _scanned(body)]
    else:
        packets += [_packet("scan", raw) for raw in _beside(body, packets)]
    rights, left_out = _rights(found, blocks, packets)
    unreadable = [
        *found.unreadable,
        *(f"XMP ({p.source}): {p.error}" for p in packets if p.error),
        *left_out,
    ]
    jumbf = holds_jumbf(body) if jumbf is None else jumbf
    store = None
    if jumbf:
        try:
            store = _store(body, kind, c2pa)
        except CarrierError as error:
            unreadable.append(f"{C2PA_UNREADABLE}{error}")
    return EmbeddedMetadata(
        url=url,
        digest=sha256(body).hexdigest(),
        fetched_at=fetched_at,
        format=kind,
        width=found.width,
        height=found.height,
        frames=found.frames,
        xmp=tuple(packets),
        exif=found.exif[0] if found.exif else b"",
        exif_copyright=tiff.copyright,
        exif_artist=tiff.artist,
        orientation=tiff.orientation,
        has_gps=any(block.has_gps for block in (tiff, *blocks)),
        iptc_iim=bytes(found.iim),
        jumbf_present=jumbf,
        raw_hit=_raw_hit(body, packets),
        complete=complete and not found.problems and not unreadable,
        problems=tuple(found.problems),
        unreadable=tuple(unreadable),
        c2pa=store,
        rights=rights,
        texts=tuple(found.texts),
        software=_software(found, blocks),
    )


def _store(body: bytes, kind: str, reader: StoreReader | None) -> ManifestStore:
    if reader is None:
        raise CarrierError("nobody to read it")
    return reader.read(body, kind)


def _read_exif(found: Found) -> list[Tiff]:
    """Read the EXIF blocks of a file, and what stands in them in turn."""
    blocks = [read_tiff(block) for block in found.exif]
    for block in blocks:
        found.problems += [f"EXIF: {problem}" for problem in block.problems]
        for what in block.unreadable:
            found.refuse(f"EXIF: {what}")
        for raw in block.xmp:
            found.add_xmp("exif", raw)
        found.iim += block.iim
    return blocks


def _rights(
    found: Found, blocks: list[Tiff], packets: list[XmpPacket]
) -> tuple[tuple[RightsField, ...], tuple[str, ...]]:
    """Everything that is said about rights, and what of it could not be read."""
    iim, whole = of_iim(bytes(found.iim))
    fields = [*of_xmp(packets), *iim]
    if found.tiff is not None:
        fields += of_tiff("tiff", found.tiff.texts, found.tiff.little)
    for block in blocks:
        fields += of_tiff("exif", block.texts, block.little)
    rights, left_out = bounded([*fields, *of_texts(found.texts)])
    return rights, left_out if whole else ("IPTC-IIM: a dataset is cut", *left_out)


def _software(found: Found, blocks: list[Tiff]) -> tuple[str, ...]:
    tiffs = [*blocks, *([found.tiff] if found.tiff is not None else [])]
    named = [decoded(raw)[0] for tiff in tiffs for name, raw in tiff.texts if name == "Software"]
    return tuple(dict.fromkeys(name[:_MAX_NAME] for name in named if name))


def sniff(body: bytes) -> str:
    """The format of the first bytes, whatever the server called it."""
    if body.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "webp"
    if body.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if body.startswith((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")):
        return "tiff"
    if body[4:8] == b"ftyp":
        size = min(int.from_bytes(body[:4], "big"), 256)
        brands = {body[8:12], *(body[i : i + 4] for i in range(16, size, 4))}
        if brands & {b"avif", b"avis"}:
            return "avif"
        if brands & {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}:
            return "heif"
        return "other"
    for magic, name in _KNOWN_BY_SIGHT:
        if body.startswith(magic):
            return name
    if body.startswith(b"BM") and len(body) >= 26 and _is_bmp(body):
        return "bmp"
    if body.startswith((b"\x00\x00\x01\x00", b"\x00\x00\x02\x00")) and body[4:6] != b"\x00\x00":
        return "ico"  # or a cursor, which is one
    start = body[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith(_HTML_WORDS):
        return "html"
    if start.startswith(b"<svg") or (start.startswith((b"<?xml", b"<!doctype svg")) and b"<svg" in start):
        return "svg"
    return "html" if b"<html" in start else "other"


def _is_bmp(body: bytes) -> bool:
    header = int.from_bytes(body[14:18], "little")
    return body[6:10] == b"\x00\x00\x00\x00" or header in _BMP_HEADERS


def _packet(source: str, raw: bytes) -> XmpPacket:
    try:
        return XmpPacket(raw, source, parse_xmp(raw))
    except CarrierError as error:
        return XmpPacket(raw, source, None, str(error))


def _scanned(body: bytes) -> list[bytes]:
    """Uncompressed packets anywhere in the bytes, by their outer element."""
    packets: list[bytes] = []
    at = 0
    while len(packets) < _MAX_SCANNED and (start := _XMP_SCAN.search(body, at)):
        ends = [end for word in _XMP_SCAN_ENDS if (end := body.find(word, start.end())) >= 0]
        if not ends:
            packets.append(body[start.start() :][:4096])
            break
        at = min(ends) + len(_XMP_SCAN_ENDS[0])
        packets.append(body[start.start() : at])
    return packets


def _beside(body: bytes, packets: list[XmpPacket]) -> list[bytes]:
    """Packets with a PLUS word that stand in the bytes beside the structure that was walked: in a comment,
    behind the end, in a second picture."""
    if _PLUS_DOMAIN not in body.lower():
        return []
    return [
        raw
        for raw in _scanned(body)
        if _PLUS_DOMAIN in raw.lower()
        # An ExtendedXMP packet is cut by its segments' headers here; the walk has put it together.
        and JPEG_EXTENDED not in raw
        and not any(raw in packet.raw for packet in packets)
    ]


def _raw_hit(body: bytes, packets: list[XmpPacket]) -> bool:
    """Whether the file's bytes, or those of a packet as it was unpacked, hold a prohibition that no packet's
    own property accounts for, or a word of the vocabulary while no packet could be parsed."""
    accounted = [p.raw for p in packets if p.properties is not None and _prohibits(p.properties)]
    unpacked = [packet.raw for packet in packets if packet.raw not in accounted]
    if any(map(_PROHIBITION.search, unpacked)):
        return True
    if _PROHIBITION.search(body):
        for raw in accounted:
            body = body.replace(raw, b" ")
        if _PROHIBITION.search(body):
            return True
    parsed = any(packet.properties is not None for packet in packets)
    return not parsed and any(_VOCABULARY in data for data in (body, *unpacked))


def _prohibits(properties: XmpProperties) -> bool:
    return any("prohibit" in value.lower() for value in properties.anywhere(_PLUS_NAMESPACE, "DataMining"))
