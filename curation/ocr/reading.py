"""What stands in boxes, read within the bounds of the work on one look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from curation.ocr.boxes import TALL, Affine, Box, crop
from curation.ocr.lines import KEPT, LEAST, SURE, Line, signs
from curation.ocr.readers import LineReader
from kyodaku.fingerprint import Pixels

#: Up to so many lines, and pixels of line width, all that one look shows is read; of more, so much. A page
#: takes some ten seconds, and one that cannot be read whole is not known anyway.
_ALL_LINES, _ALL_WIDTH, _LINES, _LINE_WIDTH = 250, 180_000, 90, 26_000

#: Crops that are read in one go, as many as are tried as Korean; the width that the recogniser makes longer
#: ones narrower to.
_AT_ONCE, _WIDEST = 60, 1600


@dataclass(frozen=True)
class Look:
    """What one look shows: lines that were read, and boxes that a bound left unread."""

    lines: list[Line]
    left: list[Box]

    def __add__(self, other: Look) -> Look:
        return Look(self.lines + other.lines, self.left + other.left)

    def mapped(self, matrix: Affine) -> Look:
        lines = [replace(line, box=line.box.mapped(matrix)) for line in self.lines]
        return Look(lines, [box.mapped(matrix) for box in self.left])


def read_boxes(reader: LineReader, pixels: Pixels, boxes: Sequence[Box], whole: bool = True) -> Look:
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
    return Look([line for line in best.values() if line.confidence >= KEPT], left)


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
                and len(signs(reading.text)) >= LEAST
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
