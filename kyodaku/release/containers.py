"""Taking picture files apart and putting them together again without touching their pixels.

Each format has `read_*`, which gives the metadata blocks and the parts that make the picture, and
`write_*`, which puts clean metadata around those parts. Only parts on a list are kept, so comments,
thumbnails, application data and whatever follows the end of the picture are gone. Of several pictures in
one file the first is kept, since nobody looks at the others; of transparency, what a decoder needs.
All of them raise ValueError for a file that is not put together as its format demands.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from kyodaku.release.scrub import Metadata

# --- JPEG (ITU T.81) --------------------------------------------------------------------------------

_EXIF_HEAD = b"Exif\0\0"
_XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\0"
_ICC_HEAD = b"ICC_PROFILE\0"
_PHOTOSHOP_HEAD = b"Photoshop 3.0\0"
_SOF = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
#: DHT, DAC, DQT, DRI. Not DNL: the decoder takes the height of the frame header, or refuses the picture.
_TABLES = frozenset({0xC4, 0xCC, 0xDB, 0xDD})
_DRI, _SOS, _EOI = 0xDD, 0xDA, 0xD9
_MAX_SEGMENT = 65533


@dataclass(frozen=True)
class JpegParts:
    """`jfif` and `adobe` decide how colours are read; `picture` is every table and scan, verbatim. It ends
    with `last_scan` bytes of entropy-coded data, and what an encoder or a person left behind them."""

    metadata: Metadata
    jfif: bytes
    adobe: bytes
    picture: bytes
    last_scan: int


def read_jpeg(body: bytes) -> JpegParts:
    """Take a JPEG apart: metadata from the segments before the first scan, pixels up to EOI."""
    blocks: dict[str, list[bytes]] = {"exif": [], "xmp": [], "icc": [], "photoshop": []}
    jfif = adobe = b""
    picture: list[bytes] = []
    tables: list[bytes] = []  # they are for a scan that follows; behind the last one they are for nothing
    scans = last_scan = 0
    for marker, content in _jpeg_segments(body):
        if marker == _DRI and len(content) != 2:
            raise ValueError("a JPEG restart interval that is longer than it must be")
        if marker in _SOF or marker in _TABLES:
            tables.append(_segment(marker, content))
        elif marker == _SOS:
            scans += 1
            picture += [*tables, content]
            tables = []
            last_scan = len(content) - 2 - struct.unpack_from(">H", content, 2)[0]
        elif scans:
            continue  # nothing but tables and scans counts from here on
        elif marker == 0xE0 and content[:5] == b"JFIF\0" and len(content) >= 14:
            jfif = content[:12] + b"\0\0"  # without its thumbnail
        elif marker == 0xEE and content[:5] == b"Adobe" and len(content) >= 12:
            adobe = content[:12]
        else:
            for name, head in _HEADS.get(marker, ()):
                if content.startswith(head):
                    blocks[name].append(content[len(head) :])
    if not scans:
        raise ValueError("a JPEG without a scan")
    metadata = Metadata(
        exif=blocks["exif"][0] if blocks["exif"] else b"",  # viewers read the first (`kyodaku.orientation`)
        xmp=blocks["xmp"][0] if blocks["xmp"] else b"",
        iim=_iim_of(b"".join(blocks["photoshop"])),
        icc=_join_icc(blocks["icc"]),
    )
    return JpegParts(metadata, jfif, adobe, b"".join(picture), last_scan)


def write_jpeg(parts: JpegParts, metadata: Metadata) -> bytes:
    """A JPEG of the same pixels with `metadata`."""
    segments = [_segment(0xE0, parts.jfif)] if parts.jfif else []
    if metadata.exif:
        segments.append(_segment(0xE1, _EXIF_HEAD + metadata.exif))
    if metadata.xmp:
        segments.append(_segment(0xE1, _XMP_HEAD + metadata.xmp))
    if metadata.iim:
        resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(metadata.iim)) + metadata.iim
        segments.append(_segment(0xED, _PHOTOSHOP_HEAD + resource + b"\0" * (len(metadata.iim) % 2)))
    segments += [_segment(0xE2, _ICC_HEAD + chunk) for chunk in _split_icc(metadata.icc)]
    if parts.adobe:
        segments.append(_segment(0xEE, parts.adobe))
    return b"\xff\xd8" + b"".join(segments) + parts.picture + b"\xff\xd9"


def spoil_jpeg(parts: JpegParts, count: int) -> JpegParts:
    """Other data in the last `count` bytes of the last scan, markers apart: if the pixels stay the same,
    they do not depend on these bytes."""
    picture = bytearray(parts.picture)
    for at in range(len(picture) - count, len(picture)):
        behind_ff = parts.picture[at - 1] == 0xFF
        restarts = parts.picture[at] == 0xFF and parts.picture[at + 1 : at + 2] not in (b"", b"\0")
        if not behind_ff and not restarts:
            picture[at] ^= 0xAA if picture[at] != 0x55 else 0x8A  # never to a marker
    return replace(parts, picture=bytes(picture))


def cut_jpeg(parts: JpegParts, count: int) -> JpegParts:
    """Without the last `count` bytes of the last scan."""
    return replace(
        parts, picture=parts.picture[: len(parts.picture) - count], last_scan=parts.last_scan - count
    )


_HEADS = {
    0xE1: (("exif", _EXIF_HEAD), ("xmp", _XMP_HEAD)),
    0xE2: (("icc", _ICC_HEAD),),
    0xED: (("photoshop", _PHOTOSHOP_HEAD),),
}


def _segment(marker: int, content: bytes) -> bytes:
    if len(content) > _MAX_SEGMENT:
        raise ValueError("metadata does not fit in a JPEG segment")
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def _jpeg_segments(body: bytes) -> Iterator[tuple[int, bytes]]:
    """(marker, content) up to EOI. A scan's content is its whole bytes, marker and entropy-coded data."""
    if body[:2] != b"\xff\xd8":
        raise ValueError("not a JPEG")
    at = 2
    while True:
        while body[at : at + 2] == b"\xff\xff":
            at += 1
        if len(body) < at + 2 or body[at] != 0xFF:
            raise ValueError("a JPEG that breaks off or has no marker where one must be")
        marker = body[at + 1]
        if marker == _EOI:
            return
        if not 0xC0 <= marker <= 0xFE or 0xD0 <= marker <= 0xD8 or len(body) < at + 4:
            raise ValueError(f"a JPEG with marker {marker:#x} where none may be")
        end = at + 2 + struct.unpack_from(">H", body, at + 2)[0]
        if end < at + 4 or end > len(body):
            raise ValueError("a JPEG segment that breaks off")
        if marker == _SOS:
            end = _scan_end(body, end)
            yield marker, body[at:end]
        else:
            yield marker, body[at + 4 : end]
        at = end


def _scan_end(body: bytes, at: int) -> int:
    """Where entropy-coded data ends: at a marker that is no stuffed byte, restart or fill."""
    while True:
        at = body.find(b"\xff", at)
        if at < 0 or at + 1 >= len(body):
            raise ValueError("a JPEG that breaks off in its pixels")
        following = body[at + 1]
        if following == 0 or 0xD0 <= following <= 0xD7:
            at += 2
        elif following == 0xFF:
            at += 1
        else:
            return at


def _join_icc(chunks: list[bytes]) -> bytes:
    """A profile from its numbered chunks (ICC.1 B.4); none if any is missing."""
    numbered = sorted((chunk[0], chunk[2:]) for chunk in chunks if len(chunk) > 2)
    if [number for number, _ in numbered] != list(range(1, len(chunks) + 1)):
        return b""
    return b"".join(content for _, content in numbered)


def _split_icc(profile: bytes) -> list[bytes]:
    size = _MAX_SEGMENT - len(_ICC_HEAD) - 2
    pieces = [profile[at : at + size] for at in range(0, len(profile), size)]
    return [bytes((number, len(pieces))) + piece for number, piece in enumerate(pieces, 1)]


def _iim_of(resources: bytes) -> bytes:
    """The IIM block among Photoshop image resources (0x0404)."""
    at = 0
    while resources[at : at + 4] == b"8BIM" and at + 7 <= len(resources):
        number = struct.unpack_from(">H", resources, at + 4)[0]
        at += 6 + (resources[at + 6] + 2) // 2 * 2
        if at + 4 > len(resources):
            break
        size = struct.unpack_from(">I", resources, at)[0]
        if number == 0x0404:
            return resources[at + 4 : at + 4 + size]
        at += 4 + size + size % 2
    return b""


# --- PNG (W3C PNG 3) --------------------------------------------------------------------------------

_PNG_HEAD = b"\x89PNG\r\n\x1a\n"
#: Neither the chunks of an animation nor tRNS: in a PNG that keeps its pixels no pixel is transparent.
_PNG_KEPT = frozenset(b"IHDR PLTE IDAT IEND gAMA cHRM sRGB iCCP sBIT cICP pHYs bKGD".split())
_PNG_XMP = b"XML:com.adobe.xmp\0"
_MAX_TEXT = 1 << 20


@dataclass(frozen=True)
class ChunkParts:
    """The chunks that make a PNG's or WebP's picture, in order: (type, content)."""

    metadata: Metadata
    chunks: tuple[tuple[bytes, bytes], ...]


def read_png(body: bytes) -> ChunkParts:
    """Take a PNG apart. Text other than XMP is not metadata to us."""
    if body[:8] != _PNG_HEAD:
        raise ValueError("not a PNG")
    kept: list[tuple[bytes, bytes]] = []
    exif = xmp = b""
    at = 8
    while not kept or kept[-1][0] != b"IEND":
        if len(body) < at + 12:
            raise ValueError("a PNG that breaks off")
        size, kind = struct.unpack_from(">I4s", body, at)
        content = body[at + 8 : at + 8 + size]
        if len(content) != size or zlib.crc32(kind + content) != int.from_bytes(
            body[at + 8 + size : at + 12 + size]
        ):
            raise ValueError("a PNG chunk that is damaged")
        if kind in _PNG_KEPT:
            kept.append((kind, content))
        elif kind == b"eXIf":
            exif = content
        elif kind == b"iTXt" and content.startswith(_PNG_XMP):
            xmp = _png_text(content[len(_PNG_XMP) :])
        at += 12 + size
    return ChunkParts(Metadata(exif=exif, xmp=xmp), tuple(kept))


def write_png(parts: ChunkParts, metadata: Metadata) -> bytes:
    """A PNG of the same pixels with `metadata`, which stands right behind the header chunk."""
    extra: list[tuple[bytes, bytes]] = []
    if metadata.exif:
        extra.append((b"eXIf", metadata.exif))
    if metadata.xmp:
        extra.append((b"iTXt", _PNG_XMP + bytes(4) + metadata.xmp))
    chunks = [parts.chunks[0], *extra, *parts.chunks[1:]]
    return _PNG_HEAD + b"".join(
        struct.pack(">I", len(content)) + kind + content + zlib.crc32(kind + content).to_bytes(4)
        for kind, content in chunks
    )


def _png_text(content: bytes) -> bytes:
    """The text of an iTXt chunk behind its keyword; nothing if it is damaged or unpacks beyond a megabyte."""
    pieces = content[2:].split(b"\0", 2)
    if len(pieces) != 3 or content[:1] not in (b"\0", b"\1"):
        return b""
    if content[0] == 0:
        return pieces[2]
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(pieces[2], _MAX_TEXT)
    except zlib.error:
        return b""
    return text if unpacker.eof else b""


# --- WebP (RFC 9649) --------------------------------------------------------------------------------

#: Neither animations nor a plane of alpha: in a WebP that keeps its pixels no pixel is transparent.
_WEBP_KEPT = frozenset({b"VP8X", b"ICCP", b"VP8 ", b"VP8L"})
_WEBP_PICTURE = frozenset({b"VP8 ", b"VP8L"})
_HAS_EXIF, _HAS_XMP, _HAS_ICC = 0x08, 0x04, 0x20


def read_webp(body: bytes) -> ChunkParts:
    """Take a WebP apart."""
    if body[:4] != b"RIFF" or body[8:12] != b"WEBP" or len(body) < 20:
        raise ValueError("not a WebP")
    size = struct.unpack_from("<I", body, 4)[0]
    if 8 + size > len(body):
        raise ValueError("a WebP that breaks off")
    kept: list[tuple[bytes, bytes]] = []
    exif = xmp = b""
    for kind, content in _riff_chunks(body[12 : 8 + size]):
        if kind in _WEBP_KEPT:
            if kind not in _WEBP_PICTURE or not any(known in _WEBP_PICTURE for known, _ in kept):
                kept.append((kind, content))
        elif kind == b"EXIF":
            exif = content.removeprefix(_EXIF_HEAD)
        elif kind == b"XMP ":
            xmp = content
    if not kept:
        raise ValueError("a WebP without a picture")
    return ChunkParts(Metadata(exif=exif, xmp=xmp), tuple(kept))


def write_webp(parts: ChunkParts, metadata: Metadata) -> bytes:
    """A WebP of the same pixels with `metadata`, which only an extended (VP8X) file can carry."""
    chunks = list(parts.chunks)
    kind, head = chunks[0]
    if kind == b"VP8X" and head:
        has = (_HAS_EXIF if metadata.exif else 0) | (_HAS_XMP if metadata.xmp else 0)
        chunks[0] = (kind, bytes((head[0] & _HAS_ICC | has,)) + head[1:])
        chunks += [(b"EXIF", metadata.exif)] if metadata.exif else []
        chunks += [(b"XMP ", metadata.xmp)] if metadata.xmp else []
    content = b"WEBP" + b"".join(_riff_chunk(kind, content) for kind, content in chunks)
    return b"RIFF" + struct.pack("<I", len(content)) + content


def _riff_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(content):
        kind, size = struct.unpack_from("<4sI", content, at)
        chunk = content[at + 8 : at + 8 + size]
        if len(chunk) != size:
            raise ValueError("a WebP chunk that breaks off")
        yield kind, chunk
        at += 8 + size + size % 2


def _riff_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack("<4sI", kind, len(content)) + content + b"\0" * (len(content) % 2)


# --- GIF (GIF89a) -----------------------------------------------------------------------------------


def scrub_gif(body: bytes) -> bytes:
    """The first picture of a GIF, without comments, texts and application data; it has no metadata."""
    if body[:6] not in (b"GIF87a", b"GIF89a") or len(body) < 13:
        raise ValueError("not a GIF")
    at = 13 + _colour_table(body[10])
    kept = [body[:at]]
    pictures = 0
    while body[at : at + 1] != b"\x3b":
        start = at
        if body[at : at + 1] == b"\x2c" and len(body) >= at + 11:
            at = _sub_blocks(body, at + 11 + _colour_table(body[at + 9]))
            pictures += 1
            wanted = pictures == 1
        elif body[at : at + 1] == b"\x21":
            at = _sub_blocks(body, at + 2)
            wanted = not pictures and body[start + 1] == 0xF9 and at - start == 8
        else:
            raise ValueError("a GIF that breaks off or has no block where one must be")
        kept += [body[start:at]] if wanted else []
    return b"".join(kept) + b"\x3b"


def _colour_table(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _sub_blocks(body: bytes, at: int) -> int:
    """Where a chain of sub-blocks ends."""
    while at < len(body):
        size = body[at]
        at += 1 + size
        if size == 0:
            return at
    raise ValueError("a GIF that breaks off")
