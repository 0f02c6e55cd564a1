"""TIFF structures: TIFF files and EXIF blocks (TIFF 6.0, Exif 2.32), tags of rights and credit only."""

from __future__ import annotations

from dataclasses import dataclass, field

EXIF_HEADER = b"Exif\x00\x00"

_WIDTH, _HEIGHT = 256, 257
_ORIENTATION = 274
_ARTIST = 315
_XMP = 700
_COPYRIGHT = 33432
_IPTC = 33723
_GPS = 34853
#: Offsets and byte counts of the picture's strips or tiles.
_PIXELS = {273: 279, 324: 325}
_PHOTOSHOP = 34377
_EXIF = 34665
_SUB = 330
_USER_COMMENT = 37510
#: Texts by tag. The last five are Windows' own, in UTF-16.
_TEXTS = {
    270: "ImageDescription",
    305: "Software",
    _ARTIST: "Artist",
    _COPYRIGHT: "Copyright",
    _USER_COMMENT: "UserComment",
    40091: "XPTitle",
    40092: "XPComment",
    40093: "XPAuthor",
    40094: "XPKeywords",
    40095: "XPSubject",
}
_TAGS = frozenset({_WIDTH, _HEIGHT, _ORIENTATION, _XMP, _IPTC, _GPS, _PHOTOSHOP, _EXIF, _SUB, *_TEXTS})
#: What must not be lost when it is broken: it may carry a refusal.
_TELLING = frozenset({_XMP, _IPTC, _PHOTOSHOP, _EXIF, *_TEXTS})
_MAX_PIECES = 500_000
_TYPE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_MAX_DIRECTORIES = 1000
_MAX_TEXT = 4096
_MAX_TEXTS = 2000
_MAX_BELOW = 32
#: Entries of all directories together: directories may overlap.
_MAX_ENTRIES = 300_000


@dataclass
class Tiff:
    """What the directories said. `width`, `height` are those of the largest picture.

    `texts` pairs the name of a tag with the bytes of its text, every time it comes.
    `unreadable` names what is there and may carry a refusal, but cannot be read.
    """

    width: int = 0
    height: int = 0
    directories: int = 0
    orientation: int = 0
    artist: str = ""
    copyright: str = ""
    has_gps: bool = False
    iim: bytearray = field(default_factory=bytearray)
    photoshop: list[bytes] = field(default_factory=list)
    texts: list[tuple[str, bytes]] = field(default_factory=list)
    little: bool = True
    entries: int = 0
    block_bytes: int = 0
    unreadable: list[str] = field(default_factory=list)
    xmp: list[bytes] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_tiff(data: bytes, *, whole_file: bool = False) -> Tiff:
    """Read the chain of directories of `data`. Never raises; `problems` says where it is broken.

    With `whole_file` the picture's own data must be there too.
    """
    found = Tiff()
    if not data:
        return found
    order = {b"II": "little", b"MM": "big"}.get(data[:2])
    if order is None or len(data) < 8:
        found.problems.append("no TIFF header")
        found.unreadable.append("no TIFF header")
        return found
    reader = _Reader(data, order == "little")
    if reader.number(2, 2) != 42:
        found.problems.append("not a classic TIFF")
        found.unreadable.append("not a classic TIFF")
        return found
    found.little = reader.little
    pieces = _MAX_PIECES if whole_file else 0
    offset, seen = reader.number(4, 4), set[int]()
    while offset and len(seen) < _MAX_DIRECTORIES:
        if offset in seen or offset + 2 > len(data):
            found.problems.append("a directory is outside the file or in a loop")
            _lost(found, seen)
            return found
        seen.add(offset)
        count = reader.number(offset, 2)
        end = offset + 2 + count * 12
        if end > len(data):
            found.problems.append("a directory is cut")
            _lost(found, seen - {offset})
            return found
        below = _directory(reader, offset + 2, count, found)
        _sub_directories(reader, below, seen, found)
        if found.entries > _MAX_ENTRIES:
            return found
        if whole_file:
            pieces -= _check_pixels(reader, offset + 2, count, pieces, found)
        found.directories += 1
        offset = reader.number(end, 4) if end + 4 <= len(data) else 0
    return found


def _lost(found: Tiff, read: set[int]) -> None:
    """The first directory holds the rights; what follows it is a thumbnail or a further page."""
    if not read:
        found.unreadable.append("its first directory cannot be read")


def _sub_directories(reader: _Reader, below: list[int], seen: set[int], found: Tiff) -> None:
    """The Exif directory and those of SubIFDs; what they point at in turn is not looked at."""
    for offset in below:
        if offset in seen or len(seen) >= _MAX_DIRECTORIES:
            continue
        seen.add(offset)
        count = reader.number(offset, 2)
        if offset + 2 + count * 12 > len(reader.data) or offset < 8:
            found.problems.append("a directory is cut")
            found.unreadable.append("a directory below the first cannot be read")
            continue
        _directory(reader, offset + 2, count, found)


@dataclass(frozen=True)
class _Reader:
    data: bytes
    little: bool

    def number(self, at: int, size: int) -> int:
        return int.from_bytes(self.data[at : at + size], "little" if self.little else "big")


def _directory(reader: _Reader, at: int, count: int, found: Tiff) -> list[int]:
    """Read one directory; returns where the directories start that it points at."""
    width = height = 0
    below: list[int] = []
    found.entries += count
    if found.entries > _MAX_ENTRIES:
        found.problems.append("more entries than the limit")
        found.unreadable.append("more entries than the limit")
        return below
    for entry in range(at, at + count * 12, 12):
        tag = reader.number(entry, 2)
        if tag not in _TAGS:
            continue
        kind, items = reader.number(entry + 2, 2), reader.number(entry + 4, 4)
        size = _TYPE_SIZES.get(kind, 0) * items
        start = entry + 8 if size <= 4 else reader.number(entry + 8, 4)
        if size == 0 or start + size > len(reader.data):
            found.problems.append(f"tag {tag} is outside the file")
            if tag in _TELLING and items:
                found.unreadable.append(f"tag {tag} is outside the file")
            continue
        if tag in (_EXIF, _SUB):
            below += [reader.number(start + i * 4, 4) for i in range(min(size // 4, _MAX_BELOW))]
            continue
        if tag in (_WIDTH, _HEIGHT, _ORIENTATION, _GPS):
            value = reader.number(start, 2 if kind == 3 else 4)
            if tag == _WIDTH:
                width = value
            elif tag == _HEIGHT:
                height = value
            elif tag == _ORIENTATION:
                found.orientation = found.orientation or (value if 1 <= value <= 8 else 0)
            else:
                found.has_gps = True
            continue
        found.block_bytes += size
        if found.block_bytes > 2 * len(reader.data):  # blocks that do not overlap fit into the file
            found.problems.append("more metadata than the file is long")
            found.unreadable.append("more metadata than the file is long")
            return below
        block = reader.data[start : start + size]
        if tag == _XMP:
            found.xmp.append(block)
        elif tag == _IPTC:
            found.iim += _in_order(block)
        elif tag == _PHOTOSHOP:
            found.photoshop.append(block)
        elif len(found.texts) >= _MAX_TEXTS:
            found.unreadable.append("more texts than the limit")
            return below
        else:
            found.texts.append((_TEXTS[tag], block))
            if tag == _ARTIST:
                found.artist = found.artist or _text(block)
            elif tag == _COPYRIGHT:
                found.copyright = found.copyright or _text(block)
    if width * height > found.width * found.height:
        found.width, found.height = width, height
    return below


def _in_order(block: bytes) -> bytes:
    """IIM datasets that a writer took for numbers of four bytes and turned around."""
    if block[:1] == b"\x1c" or block[3:4] != b"\x1c":
        return block
    return b"".join(block[i : i + 4][::-1] for i in range(0, len(block), 4))


def _check_pixels(reader: _Reader, at: int, count: int, budget: int, found: Tiff) -> int:
    """Note a directory whose strips or tiles reach beyond the file; returns how many were looked at."""
    arrays: dict[int, tuple[int, int, int]] = {}
    for entry in range(at, at + count * 12, 12):
        kind, items = reader.number(entry + 2, 2), reader.number(entry + 4, 4)
        width = {3: 2, 4: 4}.get(kind, 0)
        start = entry + 8 if width * items <= 4 else reader.number(entry + 8, 4)
        arrays.setdefault(reader.number(entry, 2), (start, width, items))
    looked = 0
    for offsets, counts in _PIXELS.items():
        if offsets not in arrays or counts not in arrays:
            continue
        (start, width, items), (size_start, size_width, sizes) = arrays[offsets], arrays[counts]
        if items != sizes or not width or not size_width or looked + items > budget:
            found.problems.append("the picture's data is not plainly in the file")
            return looked
        looked += items
        ends = (
            reader.number(start + i * width, width) + reader.number(size_start + i * size_width, size_width)
            for i in range(items)
        )
        if max(ends, default=0) > len(reader.data):
            found.problems.append("the picture's data is cut")
    return looked


def _text(block: bytes) -> str:
    """ASCII as the standard has it, UTF-8 or latin-1 as writers have it. Two parts are joined by a line."""
    cut = block[:_MAX_TEXT].strip(b"\x00 ")
    try:
        text = cut.decode("utf-8")
    except UnicodeDecodeError:
        text = cut.decode("latin-1")
    return text.replace("\x00", "\n").strip()
