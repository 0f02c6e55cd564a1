"""HEIF and AVIF: the items of an ISO base media file (ISO/IEC 14496-12 and 23008-12) that are metadata."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from kyodaku.signals.carriers.found import Found

_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_XMP_TYPES = (b"application/rdf+xml", b"application/xml")
_MAX_ITEMS = 4096
_MAX_BOXES = 20_000


def read_bmff(body: bytes, found: Found) -> None:
    """Fill `found`. Raises struct.error, IndexError or ValueError where a box is broken."""
    found.frames = 1
    for kind, start, end in _boxes(body, 0, len(body)):
        if end > len(body):
            found.problems.append(f"a box {kind!r} is cut")
            if kind in (b"meta", b"uuid"):
                found.refuse("a metadata box is cut")
        elif kind == b"meta":
            _meta(body, start + 4, end, found)
        elif kind == b"uuid" and body[start : start + 16] == _XMP_UUID:
            found.add_xmp("bmff:uuid", body[start + 16 : end])


def _boxes(body: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(type, start of content, end) of the boxes in [at, end)."""
    for _ in range(_MAX_BOXES):
        if at + 8 > end:
            return
        size = int.from_bytes(body[at : at + 4], "big")
        kind = body[at + 4 : at + 8]
        start = at + 8
        if size == 1:
            size, start = int.from_bytes(body[at + 8 : at + 16], "big"), at + 16
        elif size == 0:
            size = end - at
        if size < start - at:
            raise ValueError("a box is smaller than its header")
        yield kind, start, at + size
        at += size
    raise ValueError("too many boxes")


def _meta(body: bytes, at: int, end: int, found: Found) -> None:
    items: dict[int, bytes] = {}
    places: dict[int, list[tuple[int, int, int]]] = {}
    idat = 0
    for kind, start, stop in _boxes(body, at, end):
        if stop > end:
            raise ValueError("a box leaves its parent")
        if kind == b"iinf":
            items = _item_types(body, start, stop)
        elif kind == b"iloc":
            places = _item_places(body, start, stop)
        elif kind == b"idat":
            idat = start
        elif kind == b"iprp":
            _sizes(body, start, stop, found)
    gathered = 0
    for number, kind in items.items():
        extents = places.get(number, [])
        wanted = sum(length for _, _, length in extents)
        gathered += wanted
        if gathered > len(body) or any(method not in (0, 1) for method, _, _ in extents):
            found.refuse("metadata items that are not plainly in the file")
            return
        starts = [(offset + (idat if method == 1 else 0), length) for method, offset, length in extents]
        data = b"".join(body[offset : offset + length] for offset, length in starts)
        if not data or len(data) != wanted:
            found.refuse(f"item {number} ({kind.decode('latin-1')}) is not in the file")
        elif kind == b"Exif":
            start = 4 + int.from_bytes(data[:4], "big")
            if start > len(data):
                found.refuse(f"item {number} (Exif) has no TIFF header")
            else:
                found.add_exif(data[start:])
        else:
            found.add_xmp("bmff:item", data)


def _item_types(body: bytes, start: int, stop: int) -> dict[int, bytes]:
    """Item number -> `Exif` or `mime`, for the items that are metadata."""
    version = body[start]
    at = start + (6 if version == 0 else 8)
    found: dict[int, bytes] = {}
    for kind, entry, entry_end in _boxes(body, at, stop):
        if kind != b"infe" or body[entry] < 2:
            continue
        wide = body[entry] >= 3
        number = int.from_bytes(body[entry + 4 : entry + (8 if wide else 6)], "big")
        rest = body[entry + (10 if wide else 8) : entry_end]
        item_type, names = rest[:4], rest[4:].split(b"\x00")
        is_xmp = item_type == b"mime" and len(names) > 1 and names[1] in _XMP_TYPES
        if item_type == b"Exif" or is_xmp:
            found[number] = item_type
    return found


def _item_places(body: bytes, start: int, stop: int) -> dict[int, list[tuple[int, int, int]]]:
    """Item number -> its extents as (construction method, offset, length)."""
    version = body[start]
    sizes = int.from_bytes(body[start + 4 : start + 6], "big")
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version in (1, 2) else 0
    at = start + 6
    number_size = 4 if version == 2 else 2

    def take(size: int) -> int:
        nonlocal at
        if at + size > stop:
            raise struct.error("iloc is cut")
        value = int.from_bytes(body[at : at + size], "big")
        at += size
        return value

    places: dict[int, list[tuple[int, int, int]]] = {}
    for _ in range(min(take(number_size), _MAX_ITEMS)):
        number = take(number_size)
        method = take(2) & 15 if version in (1, 2) else 0
        take(2)
        base = take(base_size)
        extents = []
        for _ in range(min(take(2), _MAX_ITEMS)):
            take(index_size)
            offset, length = base + take(offset_size), take(length_size)
            extents.append((method, offset, length))
        places[number] = extents
    return places


def _sizes(body: bytes, start: int, stop: int, found: Found) -> None:
    """The largest size that an `ispe` property gives: grids have one for the whole and one for a tile."""
    for kind, inner, inner_end in _boxes(body, start, stop):
        if kind != b"ipco":
            continue
        for prop, at, _ in _boxes(body, inner, inner_end):
            if prop == b"ispe":
                width, height = struct.unpack(">II", body[at + 4 : at + 12])
                if width * height > found.width * found.height:
                    found.width, found.height = width, height
