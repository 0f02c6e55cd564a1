"""The image file of a test vector: nothing in it but the metadata that the vector names."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from typing import Any

#: Inputs that stand in an image file. `xmp`, `exif_copyright` and `exif_software` are texts; `iim` maps the
#: number of a dataset of record 2 to its text, `png_text` a keyword to its text.
IMAGE_INPUTS = frozenset({"xmp", "exif_copyright", "exif_software", "iim", "png_text"})
_TAGS = {"exif_software": 0x0131, "exif_copyright": 0x8298}


def image_file(inputs: Mapping[str, Any]) -> bytes:
    """A WebP file; a PNG file where the vector has IIM or text chunks."""
    return _png(inputs) if {"iim", "png_text"} & set(inputs) else _webp(inputs)


def _webp(inputs: Mapping[str, Any]) -> bytes:
    chunks = b""
    if "xmp" in inputs:
        chunks += _riff(b"XMP ", _bytes(inputs["xmp"]))
    if _TAGS.keys() & set(inputs):
        chunks += _riff(b"EXIF", _exif(inputs))
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def _png(inputs: Mapping[str, Any]) -> bytes:
    chunks = _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    if _TAGS.keys() & set(inputs):
        chunks += _chunk(b"eXIf", _exif(inputs))
    texts = dict(inputs.get("png_text", {}))
    if "xmp" in inputs:
        texts["XML:com.adobe.xmp"] = inputs["xmp"]
    if "iim" in inputs:
        record = b"\x1c\x01\x5a\x00\x03\x1b%G"
        for number, text in inputs["iim"].items():
            record += struct.pack(">BBBH", 0x1C, 2, int(number), len(_bytes(text))) + _bytes(text)
        texts["Raw profile type iptc"] = f"\niptc\n{len(record):8}\n{record.hex()}\n"
    for key, text in texts.items():
        chunks += _chunk(b"iTXt", key.encode("latin-1") + b"\x00\x00\x00\x00\x00" + _bytes(text))
    chunks += _chunk(b"IDAT", zlib.compress(b"\x00\x00")) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _exif(inputs: Mapping[str, Any]) -> bytes:
    tags = [
        (tag, _bytes(inputs[name]) + b"\x00\x00\x00\x00") for name, tag in _TAGS.items() if name in inputs
    ]
    tags.sort()
    at = 8 + 2 + 12 * len(tags) + 4
    entries = values = b""
    for tag, text in tags:
        entries += struct.pack("<HHII", tag, 2, len(text), at + len(values))
        values += text
    return b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", len(tags)) + entries + b"\x00" * 4 + values


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _riff(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\x00" * (len(data) % 2)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
