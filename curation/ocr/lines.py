"""Lines that were read: which of them are the same, in what order one reads them, what they leave bare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curation.ocr.boxes import Affine, Box, overlap

#: A line is kept from this confidence on; below SURE its place is looked at more closely.
KEPT, SURE = 0.5, 0.88

#: Letters and figures of a line at least: single ones are read into leaves and bricks.
LEAST = 2


@dataclass(frozen=True)
class Line:
    """One line that was read: its box in the picture's pixels, what it says, and how sure that is. `again`:
    it stands among the lines behind in another reading. `korean`: what the same place says in Korean, which
    stands beside what it says otherwise. `turned`: what it says upside down, which does so too."""

    box: Box
    text: str
    confidence: float
    again: bool = False
    korean: bool = False
    turned: bool = False

    @property
    def reading(self) -> tuple[bool, bool]:
        """Lines of another reading of a place stand beside each other."""
        return self.korean, self.turned


def signs(text: str) -> str:
    """Its letters and figures."""
    return "".join(filter(str.isalnum, text))


def merged(lines: Sequence[Line]) -> list[Line]:
    """Of lines that lie over each other, the one that says more and is surer."""
    kept: list[Line] = []
    for line in sorted(lines, key=lambda line: -len(line.text) * line.confidence**2):
        if not any(line.reading == known.reading and overlap(line.box, known.box) > 0.5 for known in kept):
            kept.append(line)
    return kept


def ordered(lines: Sequence[Line]) -> list[Line]:
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


def is_line_of(box: Box, line: Line) -> bool:
    """Whether a box shows that line, and not a block in which it stands."""
    thick, thin = min(box.width, box.height), min(line.box.width, line.box.height)
    return overlap(box, line.box) > 0.5 and thick < 2 * thin


def not_read(left: Sequence[Box], lines: Sequence[Line]) -> list[Box]:
    """Boxes, each place once, without those that another look read."""
    bare = not_covered(left, lines)
    edges = _edges(bare)
    unread: list[int] = []
    for index, box in enumerate(bare):
        near = _touching(edges[unread], edges[index])
        if not any(overlap(box, bare[unread[at]]) > 0.5 for at in near):
            unread.append(index)
    return [bare[index] for index in unread]


def not_covered(boxes: Sequence[Box], lines: Sequence[Line]) -> list[Box]:
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
