"""What the annotators `kind` and `furniture` share: views of a picture, the measure for blank ones, and what
the net that they both ask says (`curation.judges.kind`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from kyodaku.fingerprint import Pixels
from kyodaku.recipe.filters import KINDS

Floats = npt.NDArray[np.float32]

WEIGHTS = Path(__file__).parent / "models" / "kind.safetensors"

#: Sources whose change changes what the net says.
CODE = (
    "curation.kinds",
    "curation.kind_features",
    "curation.judges.kind",
    "curation.judges.loading",
    "curation.nets.kind",
)

#: The kinds of the recipe, and `other`: screens, computed backgrounds and the like.
CLASSES = (*KINDS, "other")

#: Sides of the two views, in pixels.
WHOLE, CLOSE = 160, 112

#: The shorter side, in pixels, below which nothing can be told.
LEAST = 64

#: Close crops come from the picture at most this long: beyond, scans show paper fibre only.
_CLOSE_SIDE = 1600

#: The longest side, in pixels, at which blank pictures are measured.
SMALL = 256

#: Grey levels that nothing but a slow change of light may exceed in a blank picture.
BLANK = 4.0


@dataclass(frozen=True)
class Judgement:
    """Of one picture: probabilities of CLASSES, of FURNITURE, and where that stands, (4, 20, 20)."""

    kinds: Floats
    furniture: Floats
    mask: Floats


def whole_view(pixels: Pixels) -> Pixels:
    """uint8 (WHOLE, WHOLE, 3): everything, squeezed to a square."""
    image = Image.fromarray(pixels)
    return np.asarray(image.resize((WHOLE, WHOLE), Image.Resampling.BOX, reducing_gap=2.0))


def close_view(pixels: Pixels) -> Pixels:
    """uint8 (CLOSE, CLOSE, 3): four crops around the centre of each quarter, side by side, at native size."""
    half = CLOSE // 2
    longest = max(pixels.shape[:2])
    image = Image.fromarray(pixels)
    scale = min(1.0, _CLOSE_SIDE / longest)
    scale = max(scale, half / min(pixels.shape[:2]))
    side = min(half / scale, *image.size)
    sheet = Image.new("RGB", (CLOSE, CLOSE))
    for number in range(4):
        x = image.width * (0.28 if number % 2 == 0 else 0.72)
        y = image.height * (0.28 if number < 2 else 0.72)
        left = max(0.0, min(x - side / 2, image.width - side))
        top = max(0.0, min(y - side / 2, image.height - side))
        crop = image.resize((half, half), Image.Resampling.BOX, box=(left, top, left + side, top + side))
        sheet.paste(crop, (number % 2 * half, number // 2 * half))
    return np.asarray(sheet)


def unevenness(small: Pixels) -> float:
    """How far, in grey levels, the strongest 0.05 % of a picture depart from a slow change of light.

    Asked of the picture at most SMALL pixels long, three pixels averaged: noise and fibre vanish, a line or a
    face does not.
    """
    field = np.pad(small.astype(np.float32), ((1, 1), (1, 1), (0, 0)), "edge")
    rows = field[:-2] + field[1:-1] + field[2:]
    inner = ((rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / 9).reshape(-1, 3)
    y, x = np.mgrid[-1 : 1 : small.shape[0] * 1j, -1 : 1 : small.shape[1] * 1j].astype(np.float32)
    slow = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], -1).reshape(-1, 6)
    light = np.linalg.solve(slow.T @ slow + 1e-3 * np.eye(6, dtype=np.float32), slow.T @ inner)
    return float(np.percentile(np.abs(inner - slow @ light), 99.95))
