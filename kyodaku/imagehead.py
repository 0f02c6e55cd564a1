"""What a picture's first bytes say: its format, and the size it announces. Nothing is decoded here.

Pure functions over bytes, cheap enough to run on every body that arrives, before any decoder sees it.
"""

from __future__ import annotations

import struct

#: Formats that can be decoded at all. SVG is a program, not a picture, and is never read.
DECODABLE = frozenset({"jpeg", "png", "webp", "gif", "tiff", "avif"})

_MAGIC = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"BM", "bmp"),
    (b"\0\0\1\0", "ico"),
    (b"\xff\x0a", "jxl"),
    (b"\0\0\0\x0cJXL ", "jxl"),
    (b"\0\0\0\x0cjP  ", "jp2"),
    (b"\xff\x4f\xff\x51", "jp2"),
    (b"8BPS\0", "psd"),
)
_BRANDS = {b"avif": "avif", b"avis": "avif", b"heic": "heic", b"heix": "heic", b"mif1": "heic"}
_XML_STARTS = (b"<?xml", b"<svg", b"<!doctype svg", b"<!--")


def sniff(body: bytes) -> str | None:
    """The image format that the first bytes say, whatever a header or a file name claims; None if none.

    One of `DECODABLE`, or the name of a format that we only know by sight (bmp, heic, ico, jp2, jxl, psd,
    svg).
    """
    for magic, name in _MAGIC:
        if body.startswith(magic):
            return name
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "webp"
    if body[4:8] == b"ftyp":
        compatible = {body[at : at + 4] for at in range(16, min(len(body), 64), 4)}
        return "avif" if compatible & {b"avif", b"avis"} else _BRANDS.get(body[8:12])
    start = body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return "svg" if start.startswith(_XML_STARTS) and b"<svg" in start else None


def header_size(body: bytes) -> tuple[int, int] | None:
    """(width, height) in pixels as the header announces them, or None if it is not where it must be.

    Reads JPEG, PNG, GIF and WebP; the child checks the others before it decodes. Never raises.
    """
    kind = sniff(body)
    try:
        if kind == "png":
            return _pair(struct.unpack_from(">II", body, 16)) if body[12:16] == b"IHDR" else None
        if kind == "gif":
            return _pair(struct.unpack_from("<HH", body, 6))
        if kind == "webp":
            return _webp_size(body)
        if kind == "jpeg":
            return _jpeg_size(body)
    except (struct.error, IndexError):
        return None
    return None


def _pair(numbers: tuple[int, ...]) -> tuple[int, int]:
    return numbers[0], numbers[1]


def _webp_size(body: bytes) -> tuple[int, int] | None:
    chunk = body[12:16]
    if chunk == b"VP8X":
        width, height = body[24:27], body[27:30]
        if len(height) == 3:
            return int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1
    if chunk == b"VP8L" and body[20] == 0x2F:
        bits = struct.unpack_from("<I", body, 21)[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 " and body[23:26] == b"\x9d\x01\x2a":
        wide, high = struct.unpack_from("<HH", body, 26)
        return wide & 0x3FFF, high & 0x3FFF
    return None


def _jpeg_size(body: bytes) -> tuple[int, int] | None:
    """Walk the segments (ITU T.81 B.1) to the first start-of-frame."""
    at = 2
    while body[at] == 0xFF:
        marker = body[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", body, at + 5)
            return width, height
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:  # stands alone
            at += 2
        elif marker in (0xD9, 0xDA):  # the end, or pixels before any frame header
            return None
        else:
            at += 2 + max(2, struct.unpack_from(">H", body, at + 2)[0])
    return None
