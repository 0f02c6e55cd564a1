"""Windows: parts of a picture that are looked at more closely, at native scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from curation.ocr.boxes import BOX, TALL, Affine, Box, is_long, overlap
from curation.ocr.lines import SURE, Line
from kyodaku.fingerprint import Pixels

#: Longest side of a window, in pixels.
STRIP = 1280


@dataclass(frozen=True)
class Window:
    """A part of the picture to look at: its centre and half extents, and the angle of its text."""

    x: float
    y: float
    half_wide: float
    half_high: float
    angle: float


def spots_of(lines: Sequence[Line], boxes: Sequence[Box], least: float) -> Iterator[Window]:
    """Windows round boxes at least `least` times as long as thick that look like text and were not read well,
    the likeliest first."""
    sure = [line.box for line in lines if line.confidence >= SURE]
    unread = [
        box
        for box in boxes
        if box.score >= 2 * BOX
        and is_long(box, least)
        and not any(overlap(box, known) > 0.5 for known in sure)
    ]
    taken: list[Window] = []
    for box in sorted(unread, key=lambda box: -box.score * box.area**0.5):
        x, y = box.centre
        if any(abs(x - one.x) < one.half_wide and abs(y - one.y) < one.half_high for one in taken):
            continue
        tall = box.height >= TALL * box.width
        thick, long = sorted((box.width, box.height))
        along, across = long / 2 + 5 * thick, 2.5 * thick
        window = Window(x, y, *((across, along) if tall else (along, across)), 0.0 if tall else box.angle)
        taken.append(window)
        yield window


def strips_of(pixels: Pixels) -> Iterator[Window]:
    """The lower and the upper edge, where notices and names stand."""
    height, width = pixels.shape[:2]
    half = max(24.0, height * 0.06)
    yield Window(width / 2, height - half, width / 2, half, 0.0)
    yield Window(width / 2, half, width / 2, half, 0.0)


def cut_out(pixels: Pixels, window: Window) -> tuple[Pixels, Affine]:
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


def stronger(pixels: Pixels) -> Pixels:
    """The luma with its local contrast raised (CLAHE), as three equal planes: faint text stands out."""
    import cv2

    luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    tiles = tuple(max(1, length // 64) for length in luma.shape[::-1])
    raised = cv2.createCLAHE(clipLimit=4.0, tileGridSize=tiles).apply(luma)
    return np.asarray(cv2.cvtColor(raised, cv2.COLOR_GRAY2RGB))
