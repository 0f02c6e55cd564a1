"""What stands in boxes, read within the bounds of the work on one look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from curation.ocr.boxes import TALL, Affine, Box, crop, is_long
from curation.ocr.lines import KEPT, LEAST, SURE, Line, signs
from curation.ocr.readers import LineReader
from kyodaku.fingerprint import Pixels

#: Up to so many lines, and pixels of line width, all that one look shows is read; of more, so much. A page
#: takes some ten seconds, and one that cannot be read whole is not known anyway.
_ALL_LINES, _ALL_WIDTH, _LINES, _LINE_WIDTH = 250, 180_000, 90, 26_000

#: A level line that was read less surely than this may stand upside down. So many of a look are tried first;
#: the others only if these were found to say so many signs that way.
_SURE_WAY, _TRIED, _SAID = 0.95, 24, 4

#: How sure the detector is of what is surely words, and how many times as long as thick they are. Of ordinary
#: pictures hardly one in a hundred shows such a box that cannot be read.
_WORDS, _WORDS_LONG = 0.85, 4.0

#: Crops that are read in one go, as many as are tried as Korean; the width that the recogniser makes longer
#: ones narrower to.
_AT_ONCE, _WIDEST = 60, 1600

#: Which box of a look; whether in Korean; whether upside down.
_Key = tuple[int, bool, bool]


@dataclass(frozen=True)
class Look:
    """What one look shows: lines that were read, boxes that a bound left unread, and boxes that are surely
    words, in which nobody could read any."""

    lines: list[Line]
    left: list[Box]
    mute: list[Box]

    def __add__(self, other: Look) -> Look:
        return Look(self.lines + other.lines, self.left + other.left, self.mute + other.mute)

    def mapped(self, matrix: Affine) -> Look:
        lines = [replace(line, box=line.box.mapped(matrix)) for line in self.lines]
        return Look(lines, *([box.mapped(matrix) for box in boxes] for boxes in (self.left, self.mute)))


def read_boxes(reader: LineReader, pixels: Pixels, boxes: Sequence[Box], whole: bool = True) -> Look:
    """What stands in boxes, as many as the bounds allow. What cannot be read is left out.
    `whole`: the pixels are the whole picture, no window in it."""
    taken = _chosen(boxes, whole)
    chosen = [boxes[index] for index in taken]
    left = [boxes[index] for index in set(range(len(boxes))).difference(taken)]
    best = _best(
        reader, pixels, [(index, way) for index, box in enumerate(chosen) for way in _ways(box)], chosen
    )
    best |= _upside_down(reader, pixels, chosen, best)
    said = {key: line for key, line in best.items() if line.confidence >= KEPT}
    heard = {index for index, _, _ in said}
    # A window shows pieces of words, and the detector is sure of what is large in it: only the whole tells
    mute = [box for index, box in enumerate(chosen) if whole and index not in heard and _is_words(box)]
    return Look(list(said.values()), left, mute)


def _is_words(box: Box) -> bool:
    return box.score >= _WORDS and is_long(box, _WORDS_LONG)


def _upside_down(
    reader: LineReader, pixels: Pixels, boxes: Sequence[Box], best: Mapping[_Key, Line]
) -> dict[_Key, Line]:
    """What boxes say turned by half a circle, where that is surer than what they say as they stand. If they
    say something, so may the others: a few words can be read either way (NO, ON)."""

    def heard(index: int, korean: bool = False) -> float:
        line = best.get((index, korean, False))
        return line.confidence if line else 0.0

    level = [index for index, box in enumerate(boxes) if 0 in _ways(box)]
    unsure = [index for index in level if heard(index) < _SURE_WAY]
    tried = unsure[:: -(-len(unsure) // _TRIED) or 1]
    turned = _best(reader, pixels, [(index, 2) for index in tried], boxes)
    found = {
        key: line
        for key, line in turned.items()
        if line.confidence > heard(*key[:2]) and (line.korean or line.confidence >= SURE)
    }
    if sum(len(signs(line.text)) for line in found.values() if not line.korean) >= _SAID:
        rest = [(index, 2) for index in level if index not in tried]
        found |= _best(reader, pixels, rest, boxes)
    return found


def _best(
    reader: LineReader, pixels: Pixels, wanted: Sequence[tuple[int, int]], boxes: Sequence[Box]
) -> dict[_Key, Line]:
    """What boxes say best; `wanted`: which, and after how many quarter turns. Not more are read at once than
    fit in memory."""
    best: dict[_Key, Line] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        owners = wanted[start : start + _AT_ONCE]
        crops = [np.ascontiguousarray(np.rot90(crop(pixels, boxes[index]), way)) for index, way in owners]
        readings = reader.read(crops)
        for korean, said in ((False, readings), (True, reader.korean(crops, readings))):
            for (index, way), reading in zip(owners, said, strict=True):
                key = index, korean, way == 2
                known = best.get(key)
                if (
                    reading is not None
                    and len(signs(reading.text)) >= LEAST
                    and (known is None or reading.confidence > known.confidence)
                ):
                    # Korean is never as sure as to end the search: it may be another script misread
                    sure = min(reading.confidence, SURE - 0.01) if korean else reading.confidence
                    text, box = reading.text.strip(), boxes[index].turned(way)
                    best[key] = Line(box, text, sure, korean=korean, turned=way == 2)
    return best


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
