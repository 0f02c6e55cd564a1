"""Reading one picture: a cheap look first, closer looks only where that saw something.

1. The whole picture at most FIRST pixels long goes through the detector. Most pictures hold no text, and
   this is all they cost if an earlier annotator finds no text likely; otherwise, where nothing could be
   read, it looks again at SECOND pixels, and once more with its contrast raised where that annotator is sure
   of text, or nobody said.
2. What stands in the boxes is read at native scale; boxes that are tall or steep are read both ways round,
   level ones that say nothing surely also upside down. Short words, as wide as high, are read where they
   stand beside others.
3. Where boxes could not be read, where the detector saw something faint, or where an earlier annotator says
   that there is text, a window is cut out at native scale (enlarged where small), its local contrast raised,
   turned level by the angle seen, and looked at again.
4. Many boxes are a page: it is looked at once more at PAGE pixels.
   So is one that shows them only at SECOND pixels, at a size at which its lines can be told apart.
5. Where windows show many lines that nobody saw before, the picture is a page in small print: it is looked
   at once more at a size at which they can be seen.
6. Where text is faint or slanting, boxes end before it does: the first lines are read anew beyond their ends.

The work on one picture has bounds. Boxes that they left unread are counted, and so are those that are surely
words and say nothing to anybody (a script that is not read here): who finds nothing in the lines of such a
picture has not looked at all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from curation.ocr.boxes import BOX, PIXEL, Box, beside, boxes_of, is_long
from curation.ocr.detector import LARGE, View, detector, first_side
from curation.ocr.ends import with_ends
from curation.ocr.lines import SURE, Line, is_line_of, merged, not_covered, not_read, ordered
from curation.ocr.readers import LineReader
from curation.ocr.reading import Look, read_boxes
from curation.ocr.windows import cut_out, spots_of, strips_of, stronger
from kyodaku.fingerprint import Pixels

#: Longest side, in pixels, of a second look where the first left doubt, of the look at a page, and of a
#: picture whose contrast is raised.
SECOND, PAGE, RAISED = 768, 1024, 1600

#: From this many boxes on a picture is taken for a page.
MANY = 14

#: Times that a box is longer than it is thick: at least, for two letters; and for a closer look at words.
_LONG, _WORD = 1.3, 2.5

#: How sure the detector is of a shorter word in a stacked text, and how many of a look are read.
_STACKED, _SHORT = 0.6, 8

#: The peak of the detector without which a picture is taken for one without text: real text peaks near 1,
#: also at an opacity of 0.3.
_PEAK = 0.7

#: The word of an earlier annotator from which on a second look is worth it, whatever the detector saw (for a
#: third of plain pictures it is), one with raised contrast, and one at the edges.
_MAYBE, _HINT, _LIKELY = 0.35, 0.8, 0.85

#: Bounds of the work on one picture: windows, and their pixels.
_WINDOWS, _WINDOW_PIXELS = 4, 400_000

#: From this many lines on that only windows show, the picture is a page in small print; how high the detector
#: wants such a line, in pixels; and the longest side that it is looked at with.
_SMALL_LINES, _SEEN_HEIGHT, _SMALL_PRINT = 7, 12.0, 1536

#: Windows of any shape on a large picture, besides.
_SQUARE = 2


@dataclass(frozen=True)
class Looked:
    """What a picture says: `lines` in reading order; `unread`: how many boxes of text the bounds of the work
    left unread, or nobody could read."""

    lines: list[Line]
    unread: int


def read_lines(
    reader: LineReader, pixels: Pixels, hint: float | None = None, first: View | None = None
) -> list[Line]:
    """The lines of `look_through`."""
    return look_through(reader, pixels, hint, first).lines


def look_through(
    reader: LineReader, pixels: Pixels, hint: float | None = None, first: View | None = None
) -> Looked:
    """The lines in a picture, uint8 RGB (height, width, 3), and how many boxes were left unread. `hint`: how
    likely somebody else finds it that there is text, 0 to 1; None if nobody said. `first`: the first look, if
    somebody took it (`curation.ocr.detector.first_view`)."""
    longest, near = max(pixels.shape[:2]), first_side(pixels)
    found = _told(first or detector().view(pixels, near))
    if len(_line_like(found)) >= MANY:
        page = _found(pixels, PAGE)
        look = read_boxes(reader, pixels, _words(page) or _words(found))
        lines = merged(look.lines)
        return Looked(ordered(lines), _unread(look, lines))
    look = read_boxes(reader, pixels, _words(found))
    clear = any(line.confidence >= SURE for line in look.lines) and not not_covered(_short(found), look.lines)
    large = longest > LARGE
    maybe = hint is None or large or hint >= _MAYBE
    if maybe and not clear and longest > near:
        found = _found(pixels, SECOND)
        if len(_line_like(found)) >= MANY:
            found = _found(pixels, _page_side(pixels, _line_like(found))) or found
        look += read_boxes(reader, pixels, _words(found))
        if not any(line.confidence >= SURE for line in look.lines) and (hint is None or hint >= _HINT):
            look += _raised(reader, pixels)
    spots = list(spots_of(look.lines, found, _WORD))
    if (hint or 0.0) >= _LIKELY or large:
        spots += strips_of(pixels)
    spots = spots[: _WINDOWS if look.lines else 2 if maybe else 1]
    left = _WINDOW_PIXELS
    if large:  # a few words in small letters on a large picture are a spot of any shape: looked at besides
        spots += [one for one in spots_of(look.lines, found, 1.0) if one not in spots][:_SQUARE]
        left *= 2
    closer = Look([], [], [])
    for window in spots:
        seen, matrix = cut_out(pixels, window)
        left -= seen.shape[0] * seen.shape[1]
        if left < 0:
            break
        closer += _closer(reader, seen).mapped(matrix)
    whole, beyond = _small_print(reader, pixels, closer.lines, found)
    look += closer + whole
    lines = merged(look.lines)
    return Looked(with_ends(reader, pixels, lines), _unread(look, lines) + beyond)


def _unread(look: Look, lines: Sequence[Line]) -> int:
    """How many boxes of a look nobody read, neither in it nor in another, of which these are the lines."""
    heard = [replace(line, korean=False) for line in lines]  # where Korean was read, somebody could read
    return len(not_read([*look.left, *not_covered(look.mute, heard)], lines))


def _small_print(
    reader: LineReader, pixels: Pixels, lines: Sequence[Line], found: Sequence[Box]
) -> tuple[Look, int]:
    """Another look at the whole picture, where windows showed many lines that a look at the whole did not.
    And how many of them it does not show either, if most: then more stand elsewhere, which nobody sees."""
    fresh = [
        line for line in merged(lines) if not line.korean and not any(is_line_of(box, line) for box in found)
    ]
    if len(fresh) < _SMALL_LINES:
        return Look([], [], []), 0
    shown = _found(pixels, _page_side(pixels, [line.box for line in fresh]))
    missed = sum(not any(is_line_of(box, line) for box in shown) for line in fresh)
    sure = [line for line in fresh if line.confidence >= SURE]
    look = read_boxes(reader, pixels, not_covered(_words(shown), sure))
    return look, missed if 2 * missed > len(fresh) else 0


def _page_side(pixels: Pixels, boxes: Sequence[Box]) -> int:
    """The longest side, in pixels, at which the lines of a page can be told apart."""
    height = float(np.median([min(box.width, box.height) for box in boxes]))
    side = max(pixels.shape[:2]) * _SEEN_HEIGHT / max(1.0, height)
    return round(min(_SMALL_PRINT, max(PAGE, side)))


def _raised(reader: LineReader, pixels: Pixels) -> Look:
    """What the whole picture says with its local contrast raised, at most RAISED pixels long: faint words on
    a quiet ground."""
    import cv2

    scale = min(1.0, RAISED / max(pixels.shape[:2]))
    size = tuple(max(32, round(side * scale)) for side in pixels.shape[1::-1])
    raised = stronger(np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8))
    found = _found(raised, SECOND)
    back = np.array([[pixels.shape[1] / size[0], 0, 0], [0, pixels.shape[0] / size[1], 0]])
    return read_boxes(reader, raised, _words(found)).mapped(back)


def _closer(reader: LineReader, seen: Pixels) -> Look:
    """What a window says; if text stands there that cannot be read, once more with its contrast raised."""
    boxes = _words(boxes_of(detector().glance(seen).heat, PIXEL, BOX))
    look = read_boxes(reader, seen, boxes, whole=False)
    if not boxes or any(line.confidence >= SURE for line in look.lines):
        return look
    raised = stronger(seen)
    return look + read_boxes(
        reader, raised, _words(boxes_of(detector().glance(raised).heat, PIXEL, BOX)), whole=False
    )


def _found(pixels: Pixels, side: int) -> list[Box]:
    """Boxes that a look at `side` pixels shows: none where the detector peaks low."""
    return _told(detector().view(pixels, side))


def _told(view: View) -> list[Box]:
    heat = view.glance.heat
    boxes = boxes_of(heat, PIXEL, BOX) if float(heat.max()) >= _PEAK else []
    return [box.mapped(view.back) for box in boxes]


def _line_like(boxes: Sequence[Box]) -> list[Box]:
    """Boxes that are long enough for two letters; the rest are leaves, bricks and single signs."""
    return [box for box in boxes if is_long(box, _LONG)]


def _words(boxes: Sequence[Box]) -> list[Box]:
    """Those, and some that are not: a short word is as wide as high, and stands beside another."""
    return _line_like(boxes) + _short(boxes)


def _short(boxes: Sequence[Box]) -> list[Box]:
    """Boxes that may be a short word of a stacked text, the surest ones."""
    square = [box for box in boxes if box.score >= _STACKED and not is_long(box, _LONG)]
    near = [box for box in square if any(beside(box, other) for other in boxes if other is not box)]
    return sorted(near, key=lambda box: -box.score)[:_SHORT]
