r"""Which way up a picture is shown: by the EXIF that viewers turn it by, and by nothing else in the file.

The tag Orientation (0x0112, one SHORT; Exif 2.32 section 4.6.4 A) counts where a format keeps its EXIF:

* JPEG: the first APP1 segment `Exif\0\0` before a scan (Exif 2.32 section 4.7.2). Every browser turns by it
  (CSS Images 3, `image-orientation: from-image`).
* PNG: the `eXIf` chunk before the first IDAT (PNG third edition, sections 5.6 and 11.3.4). Some browsers
  turn by it, others show the pixels as they are stored.
* WebP: the first `EXIF` chunk of an extended file (WebP container specification, "Metadata"). Here, too, they
  differ.

XMP's `tiff:Orientation`, ImageMagick's text chunks (`Raw profile type exif`), and an eXIf chunk behind the
pixels turn nothing in a viewer, though Pillow turns by all of them. GIF has no orientation. What TIFF
and AVIF say is read by whoever decodes them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from kyodaku.errors import DecodeError
from kyodaku.fingerprint import Pixels
from kyodaku.reasons import FailReason

_ORIENTATION, _SHORT = 0x0112, 3
_EXIF_HEAD = b"Exif\0\0"

#: Formats whose orientation some viewers follow and others do not: both ways up are shown to somebody.
DISPUTED = frozenset({"png", "webp"})


def orientation_in(body: bytes, kind: str) -> int:
    """1 to 8: the orientation by which viewers turn a JPEG, PNG or WebP; 1 without one.

    Raises DecodeError for a JPEG that names another one where only some viewers look: in a further EXIF
    segment, or in one whose header ends otherwise (Chromium takes any sixth byte).
    """
    if kind == "jpeg":
        segments = [at for marker, at in _jpeg_segments(body) if marker == 0xE1 and at[:5] == b"Exif\0"]
        first = next((orientation_of(at[6:]) for at in segments if at[:6] == _EXIF_HEAD), 0) or 1
        if {orientation_of(at[6:]) for at in segments} - {0, first}:
            raise DecodeError("its EXIF names more than one orientation", FailReason.UNDECODABLE)
        return first
    if kind == "png":
        found = (content for name, content in _png_chunks(body) if name == b"eXIf")
    elif kind == "webp" and body[12:16] == b"VP8X":
        found = (at.removeprefix(_EXIF_HEAD) for name, at in _riff_chunks(body) if name == b"EXIF")
    else:
        return 1
    return orientation_of(next(found, b"")) or 1


def orientation_of(tiff: bytes) -> int:
    """1 to 8: the orientation in the 0th directory of a TIFF stream, the last if there are several; 0 where
    there is none that can be read. Never raises."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return 0
    start = struct.unpack_from(order + "I", tiff, 4)[0]
    if start < 8 or start + 2 > len(tiff):
        return 0
    count = struct.unpack_from(order + "H", tiff, start)[0]
    found = 0
    for at in range(start + 2, min(start + 2 + 12 * count, len(tiff) - 11), 12):
        tag, kind, number, value = struct.unpack_from(order + "HHIH", tiff, at)
        if (tag, kind, number) == (_ORIENTATION, _SHORT, 1):
            found = value
    return found if 1 <= found <= 8 else 0


def as_stored(pixels: Pixels, orientation: int) -> Pixels:
    """Upright pixels, (height, width, 3), as they lie in a file with that orientation: nobody turned them."""
    if orientation in (5, 7):
        pixels = pixels.swapaxes(0, 1)
    elif orientation in (6, 8):
        pixels = np.rot90(pixels, 1 if orientation == 6 else -1)
    if orientation in (2, 3, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def to_upright(orientation: int, height: int, width: int) -> npt.NDArray[np.float64]:
    """(2, 3): the affine map from x and y in a file with that orientation to those in the upright picture,
    which is `height` by `width` pixels."""
    right, down = float(width), float(height)
    rows = {
        2: ((-1, 0, right), (0, 1, 0)),
        3: ((-1, 0, right), (0, -1, down)),
        4: ((1, 0, 0), (0, -1, down)),
        5: ((0, 1, 0), (1, 0, 0)),
        6: ((0, -1, right), (1, 0, 0)),
        7: ((0, -1, right), (-1, 0, down)),
        8: ((0, 1, 0), (-1, 0, down)),
    }
    return np.array(rows.get(orientation, ((1, 0, 0), (0, 1, 0))), np.float64)


# --- where EXIF stands ------------------------------------------------------------------------------


def _jpeg_segments(body: bytes) -> Iterator[tuple[int, bytes]]:
    """(marker, content) up to the first scan (ITU T.81 B.1). What stands between segments is passed over, as
    decoders do."""
    at = 2
    while (at := body.find(b"\xff", at)) >= 0 and at + 4 <= len(body):
        marker = body[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in (0x00, 0x01) or 0xD0 <= marker <= 0xD8:  # stands alone
            at += 2
        elif marker in (0xD9, 0xDA):
            return
        else:
            size = max(2, struct.unpack_from(">H", body, at + 2)[0])
            yield marker, body[at + 4 : at + 2 + size]
            at += 2 + size


def _png_chunks(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(type, content) of the chunks before the pixels."""
    at = 8
    while at + 12 <= len(body):
        size, name = struct.unpack_from(">I4s", body, at)
        if name in (b"IDAT", b"IEND"):
            return
        yield name, body[at + 8 : at + 8 + size]
        at += 12 + size


def _riff_chunks(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(body):
        name, size = struct.unpack_from("<4sI", body, at)
        yield name, body[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
