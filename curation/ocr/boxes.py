"""Boxes round lines of text: from the detector's heat map, and the upright crop of each.

The steps are those of DB (Liao et al., Real-time Scene Text Detection with Differentiable Binarization,
2020): threshold, contours, the smallest rectangle round each, grown by area / perimeter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from curation.ocr.models import Heat
from kyodaku.fingerprint import Pixels

Quad = npt.NDArray[np.float32]
Affine = npt.NDArray[np.float64]

#: A line that stands at least this much taller than wide is set vertically, or turned by a right angle.
TALL = 1.5

#: Of the detector: a pixel that counts, and the mean of a box that counts.
PIXEL, BOX = 0.2, 0.3


@dataclass(frozen=True)
class Box:
    """A rectangle round a line. `quad`: float32 (4, 2), x and y of its corners, clockwise from the upper left
    as one reads; `score`: how sure the detector is, 0 to 1."""

    quad: Quad
    score: float

    @property
    def width(self) -> float:
        return float(np.linalg.norm(self.quad[1] - self.quad[0]))

    @property
    def height(self) -> float:
        return float(np.linalg.norm(self.quad[3] - self.quad[0]))

    @property
    def centre(self) -> tuple[float, float]:
        x, y = self.quad.mean(axis=0)
        return float(x), float(y)

    @property
    def area(self) -> float:
        return self.width * self.height

    @property
    def angle(self) -> float:
        """Degrees against the horizontal, clockwise positive, within -90 and 90."""
        across, down = self.quad[1] - self.quad[0]
        angle = float(np.degrees(np.arctan2(down, across)))
        return angle - 180 if angle > 90 else angle + 180 if angle < -90 else angle

    def turned(self, quarters: int) -> Box:
        """The same rectangle, read after so many quarter turns counter-clockwise: 1 reads downwards."""
        return replace(self, quad=np.roll(self.quad, -quarters, axis=0))

    def mapped(self, matrix: Affine) -> Box:
        """The same box under an affine map (2, 3)."""
        quad = self.quad @ matrix[:, :2].T + matrix[:, 2]
        return replace(self, quad=quad.astype(np.float32))


def boxes_of(heat: Heat, threshold: float, sure: float, grow: float = 1.6, most: int = 300) -> list[Box]:
    """Boxes in the pixels of the heat map. `threshold`: of a pixel; `sure`: the mean inside a box;
    `grow`: how far a box is widened, as a multiple of area / perimeter."""
    import cv2

    mask = (heat > threshold).astype(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for contour in sorted(contours, key=len, reverse=True)[:most]:
        centre, (wide, high), angle = cv2.minAreaRect(contour)
        if min(wide, high) < 2:
            continue
        score = _mean_inside(heat, np.asarray(contour, np.int32))
        if score < sure:
            continue
        more = wide * high * grow / (wide + high)  # twice the distance on either side
        quad = cv2.boxPoints((centre, (wide + more, high + more), angle))
        found.append(Box(_ordered(np.asarray(quad, np.float32)), score))
    return found


def is_long(box: Box, times: float) -> bool:
    return max(box.width, box.height) >= times * min(box.width, box.height)


def crop(pixels: Pixels, box: Box, scale: float = 1.0) -> Pixels:
    """The upright content of a box, uint8 RGB, enlarged by `scale`."""
    import cv2

    width, height = max(2, round(box.width * scale)), max(2, round(box.height * scale))
    corners = np.array([[0, 0], [width, 0], [width, height]], np.float32)
    matrix = cv2.getAffineTransform(box.quad[:3].astype(np.float32), corners)
    return np.asarray(
        cv2.warpAffine(
            pixels, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
    )


def overlap(one: Box, other: Box) -> float:
    """The area that two boxes share, over the smaller area: 0 to 1."""
    import cv2

    shared, _ = cv2.intersectConvexConvex(one.quad, other.quad)
    return float(shared / max(1.0, min(one.area, other.area)))


def beside(one: Box, other: Box) -> bool:
    """Whether two boxes may be lines of one text: near each other for what is the thinner one's height, and
    neither is more than 2.5 times as thick (lines that run into each other are one box)."""
    thin, thick = sorted(min(box.width, box.height) for box in (one, other))
    low, high = (np.stack([side(box.quad, axis=0) for box in (one, other)]) for side in (np.min, np.max))
    gap = float(np.linalg.norm(np.maximum(0, low.max(0) - high.min(0))))
    return thick <= 2.5 * thin and gap <= 1.5 * thin


def painted(boxes: Sequence[Box], height: int, width: int, side: int = 64) -> npt.NDArray[np.uint8]:
    """uint8 (h, w), at most `side` a side: 255 where a box of a picture of that size stands."""
    import cv2

    scale = min(1.0, side / max(height, width))
    small = np.zeros((max(1, round(height * scale)), max(1, round(width * scale))), np.uint8)
    for box in boxes:
        cv2.fillPoly(small, [np.round(box.quad * scale - 0.5).astype(np.int32)], 255)
    return small


def _mean_inside(heat: Heat, contour: npt.NDArray[np.int32]) -> float:
    import cv2

    x, y, wide, high = cv2.boundingRect(contour)
    mask = np.zeros((high, wide), np.uint8)
    cv2.fillPoly(mask, [contour - np.array([x, y], np.int32)], 1)
    return float(cv2.mean(heat[y : y + high, x : x + wide], mask)[0])


def _ordered(points: Quad) -> Quad:
    """Clockwise from the upper left, such that the upper edge is the one nearest to horizontal."""
    centre = points.mean(axis=0)
    turns = np.arctan2(points[:, 1] - centre[1], points[:, 0] - centre[0])
    ring = points[np.argsort(turns)]
    edges = np.roll(ring, -1, axis=0) - ring
    # Of the four edges, the one that runs most to the right is the upper one.
    first = int(np.argmax(edges[:, 0] / np.maximum(np.linalg.norm(edges, axis=1), 1e-6)))
    return np.roll(ring, -first, axis=0)
