"""Fingerprints that find copies: a picture's PDQ as it is, without its border, turned, mirrored, and cut.

PDQ (Facebook, "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm", 2019) survives
JPEG, scaling and colour, but no cut of 5 %, no border and no mirror. What was cut off cannot be hashed, so
the whole picture is the one that looks for its copies: beside itself it hashes `FRAMES`, which are parts of
it as a copy may show them, each in the four ways to mirror it (the other four of the square follow from the
bits). A copy is then found at its plain hash. Where only one side is at hand, an index holds some frames
too: of a release `listed`, of an opt-out file `opted_out_cuts`.

A PDQ hash is 16 x 16 bits: the lowest frequencies of a 64 x 64 picture, each above or below their median.
All steps before the median are linear, so a frame is two small matrices around the picture. Nothing of this
shows what is in a picture. Where PDQ's quality is below `MIN_QUALITY`, or most bits are noise, there is too
little in a picture to tell it from others: such pictures are equal by bytes or by pixels, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from kyodaku import fingerprint
from kyodaku.fingerprint import Pixels

if TYPE_CHECKING:
    from PIL.Image import Image

Codes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

#: Hashes at most this many bits apart are copies (PDQ's own threshold, of 256).
MAX_DISTANCE = 31
#: Below this PDQ's quality says that there is too little structure to match on.
MIN_QUALITY = 50

BYTES = 32
_SIDE = 512  # of the square that everything is brought to, as PDQ's reference hasher does
_GRID = 64
_FREQUENCIES = 16
#: A border differs by no more than this from its own colour, in any channel, in nearly all of its pixels.
_BORDER_TOLERANCE = 12
_BORDER_SHARE = 0.98
#: A frequency (orthonormal DCT of 64 x 64 grey levels) so far from the median is no noise.
_CLEAR = 4.0
#: What is left without its border must be at least this much of each side.
_LEAST_LEFT = 0.3


@dataclass(frozen=True)
class Frame:
    """A part of a picture: which share of its width or height is cut off each edge."""

    name: str
    left: float = 0.0
    top: float = 0.0
    right: float = 0.0
    bottom: float = 0.0


def _frames() -> tuple[Frame, ...]:
    edges = ("left", "top", "right", "bottom")
    cuts = (0.025, 0.05, 0.075, 0.1)
    one = [Frame(f"cut {edge} {cut:.1%}", **{edge: cut}) for cut in cuts for edge in edges]
    pairs = [("sides", ("left", "right")), ("top and bottom", ("top", "bottom"))]
    corners = [(f"{y} {x}", (x, y)) for y in ("top", "bottom") for x in ("left", "right")]
    two = [Frame(f"cut {name} 5.0%", **dict.fromkeys(which, 0.05)) for name, which in (*pairs, *corners)]
    all_four = [Frame(f"cut all round {cut:.1%}", cut, cut, cut, cut) for cut in (0.025, 0.05, 0.1)]
    return (Frame("whole"), *one, *two, *all_four)


#: Parts of a picture that are looked for. The first is the whole.
FRAMES = _frames()
#: Those of them that an index of single pictures holds as well.
LISTED = tuple(
    index
    for index, frame in enumerate(FRAMES)
    if sorted((frame.left, frame.top, frame.right, frame.bottom)) in ([0, 0, 0, 0.05], [0.05] * 4)
)


def _opted_out() -> tuple[Frame, ...]:
    edges = ("left", "top", "right", "bottom")
    corners = [(x, y) for y in ("top", "bottom") for x in ("left", "right")]
    return tuple(
        Frame("cut", **dict.fromkeys(which, cut))
        for places, cuts in (
            ([(edge,) for edge in edges], (0.025, 0.05, 0.075, 0.1)),
            ([("left", "right"), ("top", "bottom"), *corners], (0.04, 0.06, 0.08, 0.1)),
            ([edges], (0.025, 0.0375, 0.05, 0.0625, 0.075, 0.0875, 0.1)),
        )
        for cut in cuts
        for which in places
    )


#: Parts of a picture, and of what is inside its border, that an opt-out file names: no hash of the picture
#: itself is at hand when its copies are looked for, so the steps between these are finer.
OPTED_OUT = _opted_out()
#: The eight ways to lay down a square: the four that are hashed, and their transposes.
DIHEDRALS = (
    "as it is",
    "mirrored",
    "upside down",
    "turned 180",
    "transposed",
    "turned 90",
    "turned 270",
    "transversed",
)
_FLIPS = 4
_FRAME_BYTES = _FLIPS * BYTES


@dataclass(frozen=True)
class CopyPrints:
    """What finds copies of one picture.

    `trimmed` is the PDQ hash, 64 hex digits, of what is inside a plain border, and `trimmed_quality` its
    quality; "" where there is no border, or too little inside it. `frames` holds hashes of 32 bytes: of each
    of `FRAMES` in four mirrorings (b"" where the picture has too little structure), then of the trimmed
    picture in four, if there is one.
    """

    trimmed: str = ""
    frames: bytes = b""
    trimmed_quality: int = 0


def copy_prints(pixels: Pixels, pdq: str, quality: int) -> CopyPrints:
    """The prints of uint8 pixels (height, width, 3), whose own hash and quality are those that
    `fingerprint.pdq` gives."""
    from PIL.Image import fromarray

    image = fromarray(pixels)
    square = _square(image, (0, 0, *image.size))
    whole = _frames_of(_blocks(_luma(square)), pdq, quality)
    inside = _inside(image, square)
    if inside is None:
        return CopyPrints("", whole)
    trimmed, trimmed_quality = fingerprint.pdq(pixels[inside[1] : inside[3], inside[0] : inside[2]])
    frames = _frames_of(_whole(_luma(_square(image, inside))), trimmed, trimmed_quality)
    return CopyPrints(trimmed, whole + frames, trimmed_quality) if frames else CopyPrints("", whole)


def _frames_of(blocks: Floats, pdq: str, quality: int) -> bytes:
    """The hashes of blocks, the very first as PDQ itself gives it; b"" where there is too little in them."""
    if quality < MIN_QUALITY or not _is_clear(blocks[0, 0]):
        return b""
    return _code(pdq) + _hashes(blocks)[BYTES:]


def _is_clear(block: Floats) -> bool:
    """Whether at least half of the frequencies are clearly above or below their median. A fine grid has steep
    edges, and so PDQ's best quality, but all its bits are noise."""
    flat = block.ravel()
    return bool(np.count_nonzero(np.abs(flat - np.median(flat)) > _CLEAR) >= len(flat) // 2)


# --- reading prints -------------------------------------------------------------------------------------


def codes_of(hashes: Iterable[str]) -> Codes:
    """PDQ hashes of 64 hex digits as rows: uint8 (n, 32). Raises ValueError for anything else."""
    raw = b"".join(_code(text) for text in hashes)
    return np.frombuffer(raw, np.uint8).reshape(-1, BYTES)


def _code(text: str) -> bytes:
    if len(text) != 2 * BYTES:
        raise ValueError(f"a PDQ hash has {2 * BYTES} hexadecimal digits")
    return bytes.fromhex(text)


def is_matchable(frames: bytes) -> bool:
    """Whether a picture with these `frames` is looked for as a whole, not only inside its border."""
    return len(frames) > _FRAME_BYTES


def listed(frames: bytes) -> list[str]:
    """Of a picture's `frames`, the hashes (64 hex digits, as it lies) that an index of single pictures holds
    beside its PDQ; none where it has none. Raises ValueError for bytes that are no frames."""
    whole, _ = _parts(frames)
    return [whole[index, 0].tobytes().hex() for index in LISTED] if len(whole) else []


def opted_out_cuts(pixels: Pixels, prints: CopyPrints) -> list[str]:
    """The hashes (64 hex digits, as it lies) of `OPTED_OUT`, of a picture with these `prints` and of what is
    inside its border: the whole and the trimmed picture as far as they are matched themselves."""
    from PIL.Image import fromarray

    image = fromarray(pixels)
    boxes = [(0, 0, *image.size)] if is_matchable(prints.frames) else []
    if prints.trimmed and (inside := _inside(image, _square(image, (0, 0, *image.size)))) is not None:
        boxes.append(inside)
    hashes = b"".join(_hashes(_blocks(_luma(_square(image, box)), OPTED_OUT)[:, 0]) for box in boxes)
    return [hashes[at : at + BYTES].hex() for at in range(0, len(hashes), BYTES)]


def looked_for(frames: bytes) -> tuple[Codes, npt.NDArray[np.int64]]:
    """Everything that a picture is looked for as: uint8 (n, 32), and for each its place in TRANSFORMS.

    `frames` as in `CopyPrints`. Raises ValueError for bytes that are no frames.
    """
    whole, trimmed = _parts(frames)
    ways = len(DIHEDRALS)
    codes = [_eight(whole[:1]), _eight(trimmed), _eight(whole[1:])]
    begins = np.cumsum([0, ways, ways])
    places = [np.arange(len(part)) + begin for part, begin in zip(codes, begins, strict=True)]
    return np.concatenate(codes), np.concatenate(places)


def _transforms() -> tuple[str, ...]:
    parts = ["", "without its border", *(frame.name for frame in FRAMES[1:])]
    pairs = [(part, way) for part in parts for way in DIHEDRALS]
    return tuple(", ".join(filter(None, (part, "" if way == DIHEDRALS[0] else way))) for part, way in pairs)


#: What was done to a picture to find its copy; "" for nothing. First the whole, then the whole without its
#: border, each in all eight ways; then the cut frames.
TRANSFORMS = _transforms()
#: So many of TRANSFORMS cut nothing off.
UNCUT = 2 * len(DIHEDRALS)

#: How many bits apart a copy may be by each of TRANSFORMS. Turned and cut ones are compared as well, and so
#: chance has more tries: they must be nearer.
LIMITS = tuple(
    24 if place % len(DIHEDRALS) else 28 if place >= UNCUT else MAX_DISTANCE
    for place in range(len(TRANSFORMS))
)
#: What an index holds of a picture: its hash, that without its border, and those of LISTED.
FORMS = ("", "without its border", *(FRAMES[index].name for index in LISTED))


def _parts(frames: bytes) -> tuple[Codes, Codes]:
    """uint8 (n, 4, 32) of the frames of the whole, and of the trimmed picture; either may have no rows."""
    count, rest = divmod(len(frames), _FRAME_BYTES)
    if rest or count not in (0, 1, len(FRAMES), len(FRAMES) + 1):
        raise ValueError(f"{len(frames)} bytes are not the frames of a picture")
    codes = np.frombuffer(frames, np.uint8).reshape(count, _FLIPS, BYTES)
    return (codes[: len(FRAMES)], codes[len(FRAMES) :]) if count > 1 else (codes[:0], codes)


def _eight(codes: Codes) -> Codes:
    """Of frames (n, 4, 32) all eight hashes each (8 n, 32): transposing a picture transposes its bits."""
    bits = np.unpackbits(codes, axis=2).reshape(*codes.shape[:2], _FREQUENCIES, _FREQUENCIES)
    turned = np.packbits(bits.transpose(0, 1, 3, 2).reshape(*codes.shape[:2], 8 * BYTES), axis=2)
    return np.concatenate([codes, turned], axis=1).reshape(-1, BYTES)


# --- making them ----------------------------------------------------------------------------------------


def _square(image: Image, box: tuple[int, int, int, int]) -> Pixels:
    """uint8 (512, 512, 3): the part `box` of a picture, area-averaged or enlarged."""
    from PIL.Image import Resampling

    large = max(box[2] - box[0], box[3] - box[1]) > _SIDE
    method = Resampling.BOX if large else Resampling.BILINEAR
    gap = 1.0 if large else None
    return np.asarray(image.resize((_SIDE, _SIDE), method, box=box, reducing_gap=gap))


def _luma(square: Pixels) -> Floats:
    """float32 (512, 512), 0 to 255: ITU-R BT.601, as PDQ takes it."""
    return np.asarray(square @ np.array([0.299, 0.587, 0.114], np.float32), dtype=np.float32)


def _inside(image: Image, square: Pixels) -> tuple[int, int, int, int] | None:
    """What a plain border leaves of a picture (left, top, right, bottom, in its pixels), or None."""
    box = _inside_border(square)
    if box is None:
        return None
    scale_x, scale_y = image.width / _SIDE, image.height / _SIDE
    left, top, right, bottom = box
    inside = (round(left * scale_x), round(top * scale_y), round(right * scale_x), round(bottom * scale_y))
    return None if inside[2] - inside[0] < 2 or inside[3] - inside[1] < 2 else inside


def _inside_border(square: Pixels) -> tuple[int, int, int, int] | None:
    """What a plain border leaves (left, top, right, bottom, of 512), or None where there is no border or it
    leaves less than a picture. Two borders around each other are both taken off."""
    step = 2  # half the samples tell as much
    pixels = square[::step, ::step]
    left, top, right, bottom = whole = (0, 0, pixels.shape[1], pixels.shape[0])
    for _ in range(2):
        part = pixels[top:bottom, left:right]
        columns = part.transpose(1, 0, 2)
        edges = (_border(columns), _border(part), _border(columns[::-1]), _border(part[::-1]))
        if not any(edges):
            break
        left, top, right, bottom = left + edges[0], top + edges[1], right - edges[2], bottom - edges[3]
        if min(right - left, bottom - top) < _LEAST_LEFT * len(pixels):
            return None
    found = (left, top, right, bottom)
    return None if found == whole else (left * step, top * step, right * step, bottom * step)


def _border(rows: Pixels) -> int:
    """How many of the first rows are of one colour, that of the very first."""
    colour = np.median(rows[0], axis=0).astype(np.int16)
    count = 0
    for row in rows:
        near = (np.abs(row - colour) <= _BORDER_TOLERANCE).all(axis=1)
        if np.count_nonzero(near) < _BORDER_SHARE * len(near):
            break
        count += 1
    return count


def _blocks(luma: Floats, frames: tuple[Frame, ...] = FRAMES) -> Floats:
    """float32 (frames, 4, 16, 16): the frequencies of each frame in four mirrorings, rows by height."""
    rows, columns, heights = _windows(frames)
    across = (rows.reshape(-1, _SIDE) @ luma).reshape(rows.shape)
    both = (across[heights] @ columns).astype(
        np.float32, copy=False
    )  # (frames, 32, 32): upright and upside down by plain and mirrored
    return _mirrorings(both)


def _whole(luma: Floats) -> Floats:
    """The same of the whole picture alone."""
    rows, columns, _ = _windows(FRAMES)
    both = np.asarray(rows[0] @ luma @ columns[0], np.float32)
    return _mirrorings(both[None])


def _mirrorings(both: Floats) -> Floats:
    parts = both.reshape(-1, 2, _FREQUENCIES, 2, _FREQUENCIES).transpose(0, 1, 3, 2, 4)
    return parts.reshape(-1, _FLIPS, _FREQUENCIES, _FREQUENCIES)


def _hashes(blocks: Floats) -> bytes:
    """Of blocks (n, 4, 16, 16) the hashes: n x 4 x 32 bytes."""
    flat = blocks.reshape(-1, _FREQUENCIES * _FREQUENCIES)
    middle = np.partition(flat, 127, axis=1)[:, 127:128]
    return np.packbits((flat > middle)[:, ::-1], axis=1).tobytes()


@cache
def _windows(frames: tuple[Frame, ...]) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """Matrices that take the frequencies of rows (windows, 32, 512), and those of columns for each frame
    (frames, 512, 32); and for each frame which window of rows. Of each 32 the last 16 are mirrored."""
    spans = list(dict.fromkeys((frame.top, 1 - frame.bottom) for frame in frames))
    rows = np.stack([_both_ways(*span) for span in spans])
    columns = np.stack([_both_ways(frame.left, 1 - frame.right).T for frame in frames])
    heights = np.array([spans.index((frame.top, 1 - frame.bottom)) for frame in frames])
    return rows, columns, heights


def _both_ways(begin: float, end: float) -> Floats:
    """(32, 512): the frequencies of what lies between two shares of a side, and of its mirror image. PDQ
    samples to one side of the middle, so that mirroring the frequencies alone would be a few bits off."""
    straight = _cosines() @ _sampled(begin, end)
    mirrored = (_cosines() @ _sampled(1 - end, 1 - begin))[:, ::-1]
    return np.asarray(np.concatenate([straight, mirrored]), np.float32)


def _cosines() -> Floats:
    """(16, 64): the DCT frequencies 1 to 16 of 64 samples."""
    samples, frequencies = np.arange(_GRID), np.arange(1, _FREQUENCIES + 1)[:, None]
    wave = np.cos(np.pi / 2 / _GRID * frequencies * (2 * samples + 1))
    return np.asarray(np.sqrt(2 / _GRID) * wave, np.float32)


@cache
def _sampled(begin: float, end: float) -> Floats:
    """(64, 512): 64 samples between two shares of a side, each over PDQ's neighbourhood (two box filters)."""
    smooth = _smooth()
    at = (begin + (np.arange(_GRID) + 0.5) * (end - begin) / _GRID) * _SIDE
    before = at.astype(np.int64)
    share = (at - before)[:, None]
    after = np.minimum(before + 1, _SIDE - 1)
    return np.asarray((1 - share) * smooth[before] + share * smooth[after], np.float32)


@cache
def _smooth() -> npt.NDArray[np.float64]:
    """(512, 512): PDQ's Jarosz filter, twice the mean over 4 samples: 1 before and 2 after, fewer at ends."""
    width = _SIDE // (2 * _GRID)
    filtered = np.zeros((_SIDE, _SIDE))
    for row in range(_SIDE):
        near = slice(max(0, row - (width - (width + 2) // 2)), min(_SIDE, row + (width + 2) // 2))
        filtered[row, near] = 1 / (near.stop - near.start)
    return filtered @ filtered
