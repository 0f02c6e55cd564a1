"""Where metadata sits in JPEG, PNG, WebP, GIF, TIFF and HEIF / AVIF files, and what size they promise."""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass, field
from hashlib import md5

from kyodaku.signals.carriers.bmff import read_bmff
from kyodaku.signals.carriers.found import Found
from kyodaku.signals.carriers.tiff import EXIF_HEADER, read_tiff

_MAX_UNPACKED = 16 * 1024 * 1024
#: All packed texts of one PNG file together.
_MAX_UNPACKED_OF_FILE = 32 * 1024 * 1024
_MAX_BLOCKS = 300_000
_XMP_KEYWORD = b"XML:com.adobe.xmp"
_RAW_PROFILES = (
    b"Raw profile type xmp",
    b"Raw profile type exif",
    b"Raw profile type APP1",
    b"Raw profile type iptc",
    b"Raw profile type 8bim",
)
_JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\x00"
#: What a JPEG segment with a part of an ExtendedXMP packet begins with.
JPEG_EXTENDED = b"http://ns.adobe.com/xmp/extension/\x00"
_JPEG_IRB = b"Photoshop 3.0\x00"
#: What image resources of Photoshop begin with; other programs write their own.
_RESOURCES = (b"8BIM", b"PHUT", b"DCSR", b"AgHg", b"MeSa")
_IRB_IIM, _IRB_URL, _IRB_EXIF, _IRB_XMP = 0x0404, 0x040B, 0x0422, 0x0424
_SOF = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_ENTROPY_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def walk(kind: str, body: bytes) -> Found:
    """Everything the file structure holds. Never raises."""
    reader = {
        "jpeg": _jpeg,
        "png": _png,
        "webp": _webp,
        "gif": _gif,
        "tiff": _tiff,
        "avif": read_bmff,
        "heif": read_bmff,
        "bmp": _bmp,
        "ico": _ico,
    }.get(kind)
    found = Found()
    if reader is None:
        return found
    try:
        reader(body, found)
    except (struct.error, IndexError, ValueError, OverflowError) as error:
        found.problems.append(f"{kind}: broken structure ({type(error).__name__})")
        found.refuse(f"{kind} structure")
    return found


# ---------------------------------------------------------------------------------------------- JPEG


@dataclass
class _Extended:
    """The parts of one ExtendedXMP packet (XMP specification part 3, 1.1.3.1)."""

    length: int
    parts: dict[int, bytes] = field(default_factory=dict)
    contradicts: bool = False

    def add(self, length: int, offset: int, data: bytes) -> None:
        if length != self.length or self.parts.setdefault(offset, data) != data:
            self.contradicts = True

    def joined(self) -> bytes | None:
        at = 0
        for offset in sorted(self.parts):
            if offset != at:
                return None
            at += len(self.parts[offset])
        if at != self.length or self.contradicts:
            return None
        return b"".join(self.parts[offset] for offset in sorted(self.parts))


def _jpeg(body: bytes, found: Found) -> None:
    extended: dict[bytes, _Extended] = {}
    irb: list[bytes] = []
    found.frames = 1
    at = 2
    while True:
        marker_at = body.find(b"\xff", at)
        if marker_at < 0 or marker_at + 1 >= len(body):
            found.problems.append("JPEG: no end marker")
            break
        marker = body[marker_at + 1]
        at = marker_at + 1 if marker == 0xFF else marker_at + 2
        if marker in (0xFF, 0x00, 0x01) or 0xD0 <= marker <= 0xD8:
            continue
        if marker == 0xD9:
            break
        length = int.from_bytes(body[at : at + 2], "big")
        segment = body[at + 2 : at + length]
        if length < 2 or at + length > len(body):
            found.problems.append(f"JPEG: segment {marker:02X} is cut")
            if 0xE1 <= marker <= 0xED or marker == 0xFE:
                found.refuse(f"JPEG segment {marker:02X}")
            break
        at += length
        if marker in _SOF and len(segment) >= 5 and not found.width:
            found.height, found.width = struct.unpack(">HH", segment[1:5])
        elif marker == 0xE1:
            _app1(segment, found, extended)
        elif marker == 0xED and segment.startswith(_JPEG_IRB):
            irb.append(segment[len(_JPEG_IRB) :])
        elif marker == 0xFE:
            found.add_text("jpeg:com", "Comment", segment)
        elif marker == 0xDA:
            end = _ENTROPY_END.search(body, at)
            at = end.start() if end else len(body)
    named = [packet for source, packet in found.xmp if source == "jpeg:app1"]
    for guid, part in extended.items():
        whole = part.joined()
        if whole is None:
            found.refuse("JPEG: ExtendedXMP with missing parts")
            continue
        # One that the main packet does not name is no part of the metadata: it may refuse, but not grant.
        if guid.lower() != md5(whole, usedforsecurity=False).hexdigest().encode() or not any(
            guid in packet for packet in named
        ):
            found.problems.append("JPEG: ExtendedXMP that the main packet does not name")
        found.add_xmp("jpeg:extended", whole)
    read_resources(b"".join(irb), "JPEG", found)


def _app1(segment: bytes, found: Found, extended: dict[bytes, _Extended]) -> None:
    if segment.startswith(_JPEG_XMP):
        found.add_xmp("jpeg:app1", segment[len(_JPEG_XMP) :])
    elif segment.startswith(JPEG_EXTENDED):
        rest = segment[len(JPEG_EXTENDED) :]
        if len(rest) < 40:
            found.refuse("JPEG: ExtendedXMP is cut")
            return
        length, offset = struct.unpack(">II", rest[32:40])
        extended.setdefault(rest[:32], _Extended(length)).add(length, offset, rest[40:])
    elif segment.startswith(EXIF_HEADER):
        found.add_exif(segment)


def read_resources(data: bytes, where: str, found: Found) -> None:
    """A chain of Photoshop image resources: IPTC-IIM, the copyright URL, and EXIF and XMP where they are."""
    at = 0
    while at + 12 <= len(data) and data[at : at + 4] in _RESOURCES:
        number = int.from_bytes(data[at + 4 : at + 6], "big")
        name = 1 + data[at + 6]
        start = at + 6 + name + name % 2
        size = int.from_bytes(data[start : start + 4], "big")
        value = data[start + 4 : start + 4 + size]
        if len(value) < size:
            break
        if number == _IRB_IIM:
            found.iim += value
        elif number == _IRB_URL:
            found.add_text(f"{where.lower()}:irb", "CopyrightURL", value)
        elif number == _IRB_EXIF:
            found.add_exif(value)
        elif number == _IRB_XMP:
            found.add_xmp(f"{where.lower()}:irb", value)
        at = start + 4 + size + size % 2
    if data[at:].strip(b"\x00"):
        found.refuse(f"{where}: image resources that cannot be read")


# ----------------------------------------------------------------------------------------------- PNG


def _png(body: bytes, found: Found) -> None:
    found.frames = 1
    at = 8
    for _ in range(_MAX_BLOCKS):
        if at + 12 > len(body):
            found.problems.append("PNG: no end chunk")
            return
        length = int.from_bytes(body[at : at + 4], "big")
        kind = body[at + 4 : at + 8]
        data = body[at + 8 : at + 8 + length]
        if at + 12 + length > len(body):
            found.problems.append("PNG: a chunk is cut")
            if kind in (b"iTXt", b"zTXt", b"tEXt", b"eXIf"):
                found.refuse("PNG: a text chunk is cut")
            return
        at += 12 + length
        if kind == b"IEND":
            return
        if kind == b"IHDR":
            found.width, found.height = struct.unpack(">II", data[:8])
        elif kind == b"acTL":
            found.frames = max(1, int.from_bytes(data[:4], "big"))
        elif kind == b"eXIf":
            found.add_exif(data)
        elif kind in (b"iTXt", b"zTXt", b"tEXt"):
            if body[at - 4 : at] != zlib.crc32(kind + data).to_bytes(4, "big"):
                found.problems.append("PNG: a text chunk with a wrong checksum")
            _png_text(kind, data, found)
    found.problems.append("PNG: too many chunks")
    found.refuse("PNG: too many chunks")


def _png_text(kind: bytes, data: bytes, found: Found) -> None:
    keyword, _, rest = data.partition(b"\x00")
    compressed = kind == b"zTXt"
    if kind == b"zTXt":
        rest = rest[1:]
    elif kind == b"iTXt":
        compressed = rest[:1] == b"\x01"
        rest = rest[2:].partition(b"\x00")[2].partition(b"\x00")[2]
    if "more XMP than the limit" in found.unreadable or "more text than the limit" in found.unreadable:
        return
    name = keyword.decode("latin-1")[:79]
    text = _inflate(rest, _MAX_UNPACKED_OF_FILE - found.unpacked) if compressed else rest
    if text is None:
        found.unpacked += _MAX_UNPACKED
        found.refuse(f"PNG: {name} does not unpack")
        return
    found.unpacked += len(text) if compressed else 0
    if keyword == _XMP_KEYWORD:
        found.add_xmp(f"png:{kind.decode()}", text)
    elif keyword in _RAW_PROFILES:
        _raw_profile(keyword, text, found)
    elif not keyword.startswith(b"Raw profile type "):  # of colours, and other numbers
        found.add_text(f"png:{kind.decode()}", name, text)


def _raw_profile(keyword: bytes, text: bytes, found: Found) -> None:
    """ImageMagick's form: a name, a length and hexadecimal lines."""
    lines = text.strip().split(b"\n", 2)
    try:
        data = bytes.fromhex(lines[2].decode("ascii")) if len(lines) == 3 else b""
    except ValueError:
        data = b""
    if not data:
        found.refuse(f"PNG: {keyword.decode('latin-1')} is not hexadecimal")
    elif keyword.endswith((b"iptc", b"8bim")):
        if data.startswith(_RESOURCES):
            read_resources(data, "PNG", found)
        else:
            found.iim += data
    elif data.startswith(_JPEG_XMP):
        found.add_xmp("png:profile", data[len(_JPEG_XMP) :])
    elif keyword.endswith(b"xmp"):
        found.add_xmp("png:profile", data)
    else:
        found.add_exif(data)


def _inflate(data: bytes, room: int) -> bytes | None:
    """`data` unpacked, or None when it is broken or larger than the limit or `room`."""
    stream = zlib.decompressobj()
    if room <= 0:
        return None
    try:
        text = stream.decompress(data, min(_MAX_UNPACKED, room))
    except zlib.error:
        return None
    return text if stream.eof else None


# ---------------------------------------------------------------------------------------------- WebP


def _webp(body: bytes, found: Found) -> None:
    end = 8 + int.from_bytes(body[4:8], "little")
    if end > len(body):
        found.problems.append("WebP: the file is cut")
    found.frames = 1
    frames = 0
    at = 12
    for _ in range(_MAX_BLOCKS):
        if at + 8 > min(end, len(body)):
            break
        kind = body[at : at + 4]
        length = int.from_bytes(body[at + 4 : at + 8], "little")
        data = body[at + 8 : at + 8 + length]
        if at + 8 + length > len(body):
            found.problems.append("WebP: a chunk is cut")
            if kind in (b"XMP ", b"XMP\x00", b"EXIF"):
                found.refuse("WebP: a metadata chunk is cut")
            break
        at += 8 + length + length % 2
        if kind == b"VP8X" and len(data) >= 10:
            found.width = 1 + int.from_bytes(data[4:7], "little")
            found.height = 1 + int.from_bytes(data[7:10], "little")
        elif kind == b"VP8 " and not found.width and data[3:6] == b"\x9d\x01\x2a":
            width, height = struct.unpack("<HH", data[6:10])
            found.width, found.height = width & 0x3FFF, height & 0x3FFF
        elif kind == b"VP8L" and not found.width and len(data) >= 5:
            bits = int.from_bytes(data[1:5], "little")
            found.width, found.height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        elif kind == b"ANMF":
            frames += 1
        elif kind in (b"XMP ", b"XMP\x00"):
            found.add_xmp("webp", data)
        elif kind == b"EXIF":
            found.add_exif(data)
    else:
        found.refuse("WebP: too many chunks")
    found.frames = max(1, frames)


# ----------------------------------------------------------------------------------------------- GIF


def _gif(body: bytes, found: Found) -> None:
    found.width, found.height = struct.unpack("<HH", body[6:10])
    at = 13 + _colour_table(body[10])
    for _ in range(_MAX_BLOCKS):
        introducer = body[at : at + 1]
        if introducer == b"\x3b":
            return
        if introducer == b"\x2c":
            found.frames += 1
            at += 10
            at = _sub_blocks(body, at + _colour_table(body[at - 1]) + 1)
        elif introducer == b"\x21":
            start = at + 3 + body[at + 2] if body[at + 1] == 0xFF else at + 2
            if body[at + 1] == 0xFE:
                at = _gif_comment(body, start, found)
                continue
            if body[at + 1] == 0xFF and body[at + 3 : at + 14] == b"XMP DataXMP":
                # The packet stands raw; its trailer makes a reader of sub-blocks come out at its end.
                trailer = body.find(b"\x01\xff\xfe\xfd", start)
                if trailer < 0:
                    found.refuse("GIF: XMP is cut")
                else:
                    found.add_xmp("gif", body[start:trailer])
                    at = trailer + 258
                    continue
            at = _sub_blocks(body, start)
        else:
            found.problems.append("GIF: no trailer")
            return
    found.problems.append("GIF: too many blocks")
    found.refuse("GIF: too many blocks")


def _colour_table(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _sub_blocks(body: bytes, at: int) -> int:
    """The position behind the sub-blocks that start at `at`. Raises IndexError when they are cut."""
    while body[at]:
        at += 1 + body[at]
    return at + 1


def _gif_comment(body: bytes, at: int, found: Found) -> int:
    """Keep the comment that starts at `at`; returns the position behind it."""
    parts = []
    while body[at]:
        parts.append(body[at + 1 : at + 1 + body[at]])
        at += 1 + body[at]
    found.add_text("gif:comment", "Comment", b"".join(parts))
    return at + 1


# ------------------------------------------------------------------------------------- the small ones


def _tiff(body: bytes, found: Found) -> None:
    tiff = read_tiff(body, whole_file=True)
    found.tiff = tiff
    found.width, found.height, found.frames = tiff.width, tiff.height, tiff.directories
    found.iim = tiff.iim
    found.problems += tiff.problems
    for packet in tiff.xmp:
        found.add_xmp("tiff", packet)
    for block in tiff.photoshop:
        read_resources(block, "TIFF", found)
    for problem in tiff.problems:
        found.refuse(problem)


def _bmp(body: bytes, found: Found) -> None:
    width, height = struct.unpack("<ii", body[18:26])
    found.width, found.height, found.frames = abs(width), abs(height), 1


def _ico(body: bytes, found: Found) -> None:
    found.frames = int.from_bytes(body[4:6], "little")
    found.width, found.height = body[6] or 256, body[7] or 256
