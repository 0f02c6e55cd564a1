"""Reading one picture: a cheap look first, closer looks only where that saw something.

1. The whole picture at most FIRST pixels long goes through the detector. Most pictures hold no text, and
   this is all they cost if an earlier annotator finds no text likely; otherwise, where nothing could be
   read, it looks again at SECOND pixels, and once more with its contrast raised where that annotator is sure
   of text, or nobody said.
2. What stands in the boxes is read at native scale; boxes that are tall or steep are read both ways round.
3. Where boxes could not be read, where the detector saw something faint, or where an earlier annotator says
   that there is text, a window is cut out at native scale (enlarged where small), its local contrast raised,
   turned level by the angle seen, and looked at again.
4. Many boxes are a page: it is looked at once more at PAGE pixels.
   So is one that shows them only at SECOND pixels, at a size at which its lines can be told apart.
5. Where windows show many lines that nobody saw before, the picture is a page in small print: it is looked
   at once more at a size at which they can be seen.
6. Where text is faint or slanting, boxes end before it does: the first lines are read anew beyond their ends.

The work on one picture has bounds. Boxes that they left unread are counted: who finds nothing in the lines
of such a picture has not looked at all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from curation.ocr.boxes import TALL, Box, boxes_of, crop, overlap
from curation.ocr.detector import LARGE, View, detector, first_side
from curation.ocr.models import Reading
from curation.ocr.readers import LineReader
from kyodaku.fingerprint import Pixels

Affine = npt.NDArray[np.float64]

#: Longest side, in pixels, of a second look where the first left doubt, of the look at a page, of a strip
#: along an edge, and of a picture whose contrast is raised.
SECOND, PAGE, STRIP, RAISED = 768, 1024, 1280, 1600

#: From this many boxes on a picture is taken for a page.
MANY = 14

#: A line is kept from this confidence on; below SURE its place is looked at more closely.
KEPT, SURE = 0.5, 0.88

#: Times that a box is longer than it is thick: at least, for two letters; and for a closer look at words.
_LONG, _WORD = 1.3, 2.5

#: Letters and figures of a line at least: single ones are read into leaves and bricks.
LEAST = 2

#: Of the detector: a pixel that counts, the mean of a box that counts, and the peak without which a picture
#: is taken for one without text. Real text peaks near 1, also at an opacity of 0.3.
_PIXEL, _BOX, _PEAK = 0.2, 0.3, 0.7

#: The word of an earlier annotator from which on a second look is worth it, whatever the detector saw (for a
#: third of plain pictures it is), one with raised contrast, and one at the edges.
_MAYBE, _HINT, _LIKELY = 0.35, 0.8, 0.85

#: From this confidence on a line that was read beyond its ends is taken for what stands there; how many lines
#: are read so, and how many times.
SURE_ENDS, _LENGTHENED, _TIMES = 0.75, 6, 4

#: Bounds of the work on one picture: windows, and their pixels.
_WINDOWS, _WINDOW_PIXELS = 4, 400_000

#: Up to so many lines, and pixels of line width, all that one look shows is read; of more, so much. A page
#: takes some ten seconds, and one that cannot be read whole is not known anyway.
_ALL_LINES, _ALL_WIDTH, _LINES, _LINE_WIDTH = 250, 180_000, 90, 26_000

#: Crops that are read in one go, as many as are tried as Korean; the width that the recogniser makes longer
#: ones narrower to.
_AT_ONCE, _WIDEST = 60, 1600

#: From this many lines on that only windows show, the picture is a page in small print; how high the detector
#: wants such a line, in pixels; and the longest side that it is looked at with.
_SMALL_LINES, _SEEN_HEIGHT, _SMALL_PRINT = 7, 12.0, 1536

#: Windows of any shape on a large picture, besides.
_SQUARE = 2

#: Pixels of one line that is read beyond its ends.
_LINE_PIXELS = 4_000_000


@dataclass(frozen=True)
class Line:
    """One line that was read: its box in the picture's pixels, what it says, and how sure that is. `again`:
    it stands among the lines behind in another reading. `korean`: what the same place says in Korean, which
    stands beside what it says otherwise."""

    box: Box
    text: str
    confidence: float
    again: bool = False
    korean: bool = False


@dataclass(frozen=True)
class Looked:
    """What a picture says: `lines` in reading order; `unread`: how many boxes of text the bounds of the work
    left unread."""

    lines: list[Line]
    unread: int


@dataclass(frozen=True)
class _Look:
    """What one look shows: lines that were read, and boxes that a bound left unread."""

    lines: list[Line]
    left: list[Box]

    def __add__(self, other: _Look) -> _Look:
        return _Look(self.lines + other.lines, self.left + other.left)

    def mapped(self, matrix: Affine) -> _Look:
        lines = [replace(line, box=line.box.mapped(matrix)) for line in self.lines]
        return _Look(lines, [box.mapped(matrix) for box in self.left])


@dataclass(frozen=True)
class _Window:
    """A part of the picture to look at: its centre and half extents, and the angle of its text."""

    x: float
    y: float
    half_wide: float
    half_high: float
    angle: float


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
        look = _read(reader, pixels, _line_like(page) or _line_like(found))
        lines = _merged(look.lines)
        return Looked(_ordered(lines), len(_unread(look.left, lines)))
    look = _read(reader, pixels, _line_like(found))
    clear = any(line.confidence >= SURE for line in look.lines)
    large = longest > LARGE
    maybe = hint is None or large or hint >= _MAYBE
    if maybe and not clear and longest > near:
        found = _found(pixels, SECOND)
        if len(_line_like(found)) >= MANY:
            found = _found(pixels, _page_side(pixels, _line_like(found))) or found
        look += _read(reader, pixels, _line_like(found))
        if not any(line.confidence >= SURE for line in look.lines) and (hint is None or hint >= _HINT):
            look += _raised(reader, pixels)
    spots = list(_spots(look.lines, found, _WORD))
    if (hint or 0.0) >= _LIKELY or large:
        spots += _strips(pixels)
    spots = spots[: _WINDOWS if look.lines else 2 if maybe else 1]
    left = _WINDOW_PIXELS
    if large:  # a few words in small letters on a large picture are a spot of any shape: looked at besides
        spots += [one for one in _spots(look.lines, found, 1.0) if one not in spots][:_SQUARE]
        left *= 2
    closer = _Look([], [])
    for window in spots:
        seen, matrix = _cut(pixels, window)
        left -= seen.shape[0] * seen.shape[1]
        if left < 0:
            break
        closer += _closer(reader, seen).mapped(matrix)
    whole, beyond = _small_print(reader, pixels, closer.lines, found)
    look += closer + whole
    lines = _merged(look.lines)
    return Looked(_with_ends(reader, pixels, lines), len(_unread(look.left, lines)) + beyond)


def _small_print(
    reader: LineReader, pixels: Pixels, lines: Sequence[Line], found: Sequence[Box]
) -> tuple[_Look, int]:
    """Another look at the whole picture, where windows showed many lines that a look at the whole did not.
    And how many of them it does not show either, if most: then more stand elsewhere, which nobody sees."""
    fresh = [
        line
        for line in _merged(lines)
        if not line.korean and not any(_is_line_of(box, line) for box in found)
    ]
    if len(fresh) < _SMALL_LINES:
        return _Look([], []), 0
    shown = _found(pixels, _page_side(pixels, [line.box for line in fresh]))
    missed = sum(not any(_is_line_of(box, line) for box in shown) for line in fresh)
    sure = [line for line in fresh if line.confidence >= SURE]
    look = _read(reader, pixels, _not_covered(_line_like(shown), sure))
    return look, missed if 2 * missed > len(fresh) else 0


def _page_side(pixels: Pixels, boxes: Sequence[Box]) -> int:
    """The longest side, in pixels, at which the lines of a page can be told apart."""
    height = float(np.median([min(box.width, box.height) for box in boxes]))
    side = max(pixels.shape[:2]) * _SEEN_HEIGHT / max(1.0, height)
    return round(min(_SMALL_PRINT, max(PAGE, side)))


def _is_line_of(box: Box, line: Line) -> bool:
    """Whether a box shows that line, and not a block in which it stands."""
    thick, thin = min(box.width, box.height), min(line.box.width, line.box.height)
    return overlap(box, line.box) > 0.5 and thick < 2 * thin


def _unread(left: Sequence[Box], lines: Sequence[Line]) -> list[Box]:
    """Boxes, each place once, without those that another look read."""
    bare = _not_covered(left, lines)
    edges = _edges(bare)
    unread: list[int] = []
    for index, box in enumerate(bare):
        near = _touching(edges[unread], edges[index])
        if not any(overlap(box, bare[unread[at]]) > 0.5 for at in near):
            unread.append(index)
    return [bare[index] for index in unread]


def _not_covered(boxes: Sequence[Box], lines: Sequence[Line]) -> list[Box]:
    """Boxes of which lines that were read cover half or less: it is not enough that a word was read."""
    read = [line.box for line in lines if not line.korean]
    edges = _edges(read)
    bare: list[Box] = []
    for box, own in zip(boxes, _edges(boxes), strict=True):
        near = [read[at] for at in _touching(edges, own)]
        if sum(overlap(box, line) * min(box.area, line.area) for line in near) <= 0.5 * box.area:
            bare.append(box)
    return bare


def _edges(boxes: Sequence[Box]) -> Affine:
    """float64 (n, 4): left, top, right and lower edge of each."""
    quads = np.array([box.quad for box in boxes], np.float64).reshape(-1, 4, 2)
    return np.concatenate([quads.min(1), quads.max(1)], axis=1) if boxes else np.zeros((0, 4))


def _touching(edges: Affine, own: Affine) -> npt.NDArray[np.intp]:
    """Which of them may share a place with `own`: quick, since a page has thousands of pairs."""
    return np.flatnonzero((edges[:, :2] < own[2:]).all(1) & (edges[:, 2:] > own[:2]).all(1))


def _with_ends(reader: LineReader, pixels: Pixels, lines: Sequence[Line]) -> list[Line]:
    """The lines in reading order, some read beyond their ends. Where a word of theirs was lost over it (a
    stray sign at a word makes another word), they all stand before that as they were read first, since the
    end of a long text is cut off."""
    longer = _ordered(_merged(_lengthened(reader, pixels, lines)))
    said = {line.text for line in longer}
    if all(line.text in said for line in lines):
        return longer
    return [*(replace(line, again=True) for line in _ordered(lines)), *longer]


def _lengthened(reader: LineReader, pixels: Pixels, lines: Sequence[Line]) -> list[Line]:
    """The lines, some of them read anew beyond both ends: where text is faint, boxes end before it does."""
    done = list(lines)
    growing = [at for at, line in enumerate(lines) if not line.korean][:_LENGTHENED]
    for _ in range(_TIMES):
        longer = [_longer(done[at].box) for at in growing]
        crops = [crop(pixels, box, _bearable(box)) for box in longer]
        readings = reader.read([*crops, *map(_stronger, crops)])
        grown = []
        for at, box, *both in zip(growing, longer, readings, readings[len(crops) :], strict=False):
            best = max(both, key=lambda one: (_adds(one, done[at]), one.confidence))
            if _adds(best, done[at]):
                done[at] = Line(box, best.text.strip(), best.confidence)
                grown.append(at)
        growing = grown
        if not growing:
            break
    return done


def _signs(text: str) -> str:
    """Its letters and figures."""
    return "".join(filter(str.isalnum, text))


def _adds(reading: Reading, line: Line) -> bool:
    """Whether a reading says what the line says, and more letters or figures; the signs at the ends of the
    line, which its box may have cut, may differ. One or two more are not worth a gap between words."""
    old, new = _signs(line.text), _signs(reading.text)
    more = len(new) - len(old)
    words = len(reading.text.split()) >= len(line.text.split())
    return (
        reading.confidence >= SURE_ENDS
        and len(old) > LEAST
        and more > (0 if words else 2)
        and old[1:-1] in new
    )


def _longer(box: Box) -> Box:
    """The box, and three times its height more at both ends."""
    along = (box.quad[1] - box.quad[0]) * np.float32(3 * box.height / max(1.0, box.width))
    return replace(box, quad=box.quad + np.stack([-along, along, along, -along]))


def _bearable(box: Box) -> float:
    """The scale at which what stands in a box of any size is no more than _LINE_PIXELS."""
    return float(
        min(1.0, (_LINE_PIXELS / max(1.0, box.width * box.height)) ** 0.5, 16_000 / max(1.0, box.width))
    )


def _raised(reader: LineReader, pixels: Pixels) -> _Look:
    """What the whole picture says with its local contrast raised, at most RAISED pixels long: faint words on
    a quiet ground."""
    import cv2

    scale = min(1.0, RAISED / max(pixels.shape[:2]))
    size = tuple(max(32, round(side * scale)) for side in pixels.shape[1::-1])
    raised = _stronger(np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8))
    found = _found(raised, SECOND)
    back = np.array([[pixels.shape[1] / size[0], 0, 0], [0, pixels.shape[0] / size[1], 0]])
    return _read(reader, raised, _line_like(found)).mapped(back)


def _closer(reader: LineReader, seen: Pixels) -> _Look:
    """What a window says; if text stands there that cannot be read, once more with its contrast raised."""
    boxes = _line_like(boxes_of(detector().glance(seen).heat, _PIXEL, _BOX))
    look = _read(reader, seen, boxes, whole=False)
    if not boxes or any(line.confidence >= SURE for line in look.lines):
        return look
    raised = _stronger(seen)
    return look + _read(
        reader, raised, _line_like(boxes_of(detector().glance(raised).heat, _PIXEL, _BOX)), whole=False
    )


def _found(pixels: Pixels, side: int) -> list[Box]:
    """Boxes that a look at `side` pixels shows: none where the detector peaks low."""
    return _told(detector().view(pixels, side))


def _told(view: View) -> list[Box]:
    heat = view.glance.heat
    boxes = boxes_of(heat, _PIXEL, _BOX) if float(heat.max()) >= _PEAK else []
    return [box.mapped(view.back) for box in boxes]


def _line_like(boxes: Sequence[Box]) -> list[Box]:
    """Boxes that are long enough for two letters; the rest are leaves, bricks and single signs."""
    return [box for box in boxes if _is_long(box, _LONG)]


def _is_long(box: Box, times: float) -> bool:
    return max(box.width, box.height) >= times * min(box.width, box.height)


def _read(reader: LineReader, pixels: Pixels, boxes: Sequence[Box], whole: bool = True) -> _Look:
    """What stands in boxes, as many as the bounds allow. What cannot be read is left out."""
    taken = _chosen(boxes, whole)
    chosen = [boxes[index] for index in taken]
    left = [boxes[index] for index in set(range(len(boxes))).difference(taken)]
    best: dict[tuple[int, bool], Line] = {}
    some: list[int] = []
    crops = 0
    for index, box in enumerate(chosen):
        if crops + len(_ways(box)) > _AT_ONCE:
            _read_some(reader, pixels, chosen, some, best)
            some, crops = [], 0
        some.append(index)
        crops += len(_ways(box))
    _read_some(reader, pixels, chosen, some, best)
    return _Look([line for line in best.values() if line.confidence >= KEPT], left)


def _read_some(
    reader: LineReader,
    pixels: Pixels,
    chosen: Sequence[Box],
    wanted: Sequence[int],
    best: dict[tuple[int, bool], Line],
) -> None:
    """Add to `best` what the wanted boxes say: not more at once than fit in memory."""
    crops: list[Pixels] = []
    owners: list[tuple[int, int]] = []
    for index in wanted:
        upright = crop(pixels, chosen[index])
        for quarters in _ways(chosen[index]):
            crops.append(np.ascontiguousarray(np.rot90(upright, quarters)))
            owners.append((index, quarters))
    readings = reader.read(crops)
    for korean, said in ((False, readings), (True, reader.korean(crops, readings))):
        for (index, quarters), reading in zip(owners, said, strict=True):
            known = best.get((index, korean))
            if (
                reading is not None
                and len(_signs(reading.text)) >= LEAST
                and (known is None or reading.confidence > known.confidence)
            ):
                # Korean is never as sure as to end the search: it may be another script misread
                sure = min(reading.confidence, SURE - 0.01) if korean else reading.confidence
                box = chosen[index].turned(quarters)
                best[index, korean] = Line(box, reading.text.strip(), sure, korean=korean)


def _chosen(boxes: Sequence[Box], whole: bool) -> list[int]:
    """Which boxes are read: all, if that is not too much. Else half the work for the shortest lines, since
    notices are short, half for the longest."""
    lengths = [48 * max(box.width, box.height) / max(1.0, min(box.width, box.height)) for box in boxes]
    lengths = [min(length, _WIDEST) for length in lengths]
    work = sum(length * len(_ways(box)) for length, box in zip(lengths, boxes, strict=True))
    if whole and len(boxes) <= _ALL_LINES and work <= _ALL_WIDTH:
        return list(range(len(boxes)))
    order = sorted(range(len(boxes)), key=lengths.__getitem__)
    taken: list[int] = []
    for way, most in ((order, _LINE_WIDTH / 2), (order[::-1], _LINE_WIDTH / 2)):
        for index in way:
            most -= lengths[index]
            if index in taken or most < 0 or len(taken) >= _LINES:
                break
            taken.append(index)
    return taken


def _ways(box: Box) -> tuple[int, ...]:
    """Quarter turns after which the content of a box may be level: steep and tall ones can run either way."""
    if box.height >= TALL * box.width:
        return 1, -1
    return (0, 1, -1) if abs(box.angle) > 30 and box.height > box.width / 2 else (0,)


def _spots(lines: Sequence[Line], boxes: Sequence[Box], least: float) -> Iterator[_Window]:
    """Windows round boxes at least `least` times as long as thick that look like text and were not read well,
    the likeliest first."""
    sure = [line.box for line in lines if line.confidence >= SURE]
    unread = [
        box
        for box in boxes
        if box.score >= 2 * _BOX
        and _is_long(box, least)
        and not any(overlap(box, known) > 0.5 for known in sure)
    ]
    taken: list[_Window] = []
    for box in sorted(unread, key=lambda box: -box.score * box.area**0.5):
        x, y = box.centre
        if any(abs(x - one.x) < one.half_wide and abs(y - one.y) < one.half_high for one in taken):
            continue
        tall = box.height >= TALL * box.width
        thick, long = sorted((box.width, box.height))
        along, across = long / 2 + 5 * thick, 2.5 * thick
        window = _Window(x, y, *((across, along) if tall else (along, across)), 0.0 if tall else box.angle)
        taken.append(window)
        yield window


def _strips(pixels: Pixels) -> Iterator[_Window]:
    """The lower and the upper edge, where notices and names stand."""
    height, width = pixels.shape[:2]
    half = max(24.0, height * 0.06)
    yield _Window(width / 2, height - half, width / 2, half, 0.0)
    yield _Window(width / 2, half, width / 2, half, 0.0)


def _cut(pixels: Pixels, window: _Window) -> tuple[Pixels, Affine]:
    """A window turned level, and the way back: enlarged up to twice where it is small."""
    import cv2

    wide, high = 2 * window.half_wide, 2 * window.half_high
    scale = min(2.0, STRIP / max(wide, high), (160_000 / (wide * high)) ** 0.5)
    scale = max(scale, min(1.0, STRIP / max(wide, high)) * 0.5)
    across, down = (max(32, round(length * scale / 32) * 32) for length in (wide, high))
    turn = np.radians(window.angle)
    right = np.array([np.cos(turn), np.sin(turn)]) * (wide / across)
    below = np.array([-np.sin(turn), np.cos(turn)]) * (high / down)
    start = np.array([window.x, window.y]) - right * across / 2 - below * down / 2
    back = np.column_stack([right, below, start])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpAffine(pixels, back, (across, down), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen), back


def _stronger(pixels: Pixels) -> Pixels:
    """The luma with its local contrast raised (CLAHE), as three equal planes: faint text stands out."""
    import cv2

    luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    tiles = tuple(max(1, length // 64) for length in luma.shape[::-1])
    raised = cv2.createCLAHE(clipLimit=4.0, tileGridSize=tiles).apply(luma)
    return np.asarray(cv2.cvtColor(raised, cv2.COLOR_GRAY2RGB))


def _merged(lines: Sequence[Line]) -> list[Line]:
    """Of lines that lie over each other, the one that says more and is surer."""
    kept: list[Line] = []
    for line in sorted(lines, key=lambda line: -len(line.text) * line.confidence**2):
        if not any(line.korean == known.korean and overlap(line.box, known.box) > 0.5 for known in kept):
            kept.append(line)
    return kept


def _ordered(lines: Sequence[Line]) -> list[Line]:
    """As one reads: lines of one direction together, from top to bottom and from left to right as it is
    turned."""
    directions: list[tuple[float, list[Line]]] = []
    for line in lines:
        angle = _direction(line.box)
        for known, members in directions:
            if abs((angle - known + 180) % 360 - 180) < 12:
                members.append(line)
                break
        else:
            directions.append((angle, [line]))
    return [line for angle, members in directions for line in _in_rows(members, np.radians(angle))]


def _direction(box: Box) -> float:
    """Where its upper edge points, in degrees clockwise from the right."""
    across, down = box.quad[1] - box.quad[0]
    return float(np.degrees(np.arctan2(down, across)))


def _in_rows(lines: Sequence[Line], turn: float) -> list[Line]:
    """Lines of one direction, in rows as they are seen with the picture turned back."""
    right, below = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: float(below @ line.box.centre)):
        row = rows[-1] if rows else None
        last = row[0].box if row else None
        if (
            row
            and last
            and below @ line.box.centre - below @ last.centre < 0.5 * min(last.height, line.box.height)
        ):
            row.append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda line: float(right @ line.box.centre))]
