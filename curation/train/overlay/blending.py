"""Laying a stamp over a picture, and what the web then does to it: JPEG, WebP, resizing."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from curation.train.overlay.marks import Rng, Stamp

Colours = npt.NDArray[np.uint8]
Mode = Literal["normal", "multiply", "screen", "shadow", "emboss"]

#: Modes of training; `emboss` is held out.
TRAINED_MODES: tuple[Mode, ...] = ("normal", "normal", "normal", "shadow", "multiply", "screen")


@dataclass(frozen=True)
class Ink:
    """How a stamp is laid: `light` and `dark` are RGB for tone 255 and 0; `opacity` 0 to 1."""

    mode: Mode
    opacity: float
    light: tuple[float, float, float] = (255.0, 255.0, 255.0)
    dark: tuple[float, float, float] = (0.0, 0.0, 0.0)


def any_ink(
    rng: Rng, opacity: tuple[float, float] = (0.1, 0.9), modes: tuple[Mode, ...] = TRAINED_MODES
) -> Ink:
    """White, grey, black or coloured; fainter inks are as frequent as strong ones."""
    mode = modes[int(rng.integers(len(modes)))]
    strength = float(np.exp(rng.uniform(np.log(opacity[0]), np.log(opacity[1]))))
    if mode == "multiply":
        tint = rng.uniform(0, 90, 3) if rng.random() < 0.5 else np.full(3, rng.uniform(0, 90))
        return Ink(mode, strength, _rgb(tint), _rgb(255 - tint))
    pick = rng.random()
    if pick < 0.55:
        light = np.full(3, rng.uniform(200, 255))
    elif pick < 0.72:
        light = np.full(3, rng.uniform(0, 60))
    elif pick < 0.8:
        light = np.full(3, rng.uniform(100, 180))
    else:
        light = rng.uniform(0, 255, 3)
    dark = np.full(3, 0.0) if light.mean() > 110 else np.full(3, 255.0)
    if rng.random() < 0.15:
        dark = rng.uniform(0, 255, 3)
    return Ink(mode, strength, _rgb(light), _rgb(dark))


def _rgb(colour: npt.NDArray[np.floating]) -> tuple[float, float, float]:
    return float(colour[0]), float(colour[1]), float(colour[2])


def laid(picture: Colours, stamp: Stamp, ink: Ink) -> Colours:
    """The picture, uint8 (h, w, 3), under a stamp of the same size."""
    under = picture.astype(np.float32)
    cover = stamp.cover.astype(np.float32)[..., None] * (ink.opacity / 255)
    tone = stamp.tone.astype(np.float32)[..., None] / 255
    light, dark = np.array(ink.light, np.float32), np.array(ink.dark, np.float32)
    over = dark + tone * (light - dark)
    if ink.mode == "emboss":
        relief = np.roll(cover, (1, 1), (0, 1)) - np.roll(cover, (-1, -1), (0, 1))
        return _colours(under + 110 * relief + 25 * cover)
    if ink.mode == "multiply":
        over = under * over / 255
    elif ink.mode == "screen":
        over = 255 - (255 - under) * (255 - over) / 255
    elif ink.mode == "shadow":
        below = np.roll(cover, (1, 1), (0, 1)) * 0.8
        under = under * (1 - below) + (255 - over) * below
    return _colours(under + cover * (over - under))


def contrast(before: Colours, after: Colours, stamp: Stamp) -> float:
    """Mean change in grey levels where the stamp covers; 0 for an empty stamp."""
    where = stamp.cover > 64
    if not where.any():
        return 0.0
    change = np.abs(after[where].astype(np.int16) - before[where])
    return float(change.max(1).mean())


def sent(picture: Colours, rng: Rng) -> Colours:
    """As the web would send it: mostly JPEG, sometimes WebP, sometimes resized and back."""
    height, width = picture.shape[:2]
    image = Image.fromarray(picture)
    if rng.random() < 0.12:
        scale = rng.uniform(0.6, 0.95)
        small = image.resize((round(width * scale), round(height * scale)), Image.Resampling.BILINEAR)
        image = small.resize((width, height), Image.Resampling.BICUBIC)
    pick = rng.random()
    if pick < 0.6:
        image = _through(
            image, "JPEG", quality=int(rng.integers(45, 97)), subsampling=int(rng.choice([0, 2]))
        )
    elif pick < 0.63:
        image = _through(image, "WEBP", quality=int(rng.integers(45, 95)), method=0)
    return np.asarray(image)


def _through(image: Image.Image, form: str, **settings: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, form, **settings)
    return Image.open(io.BytesIO(file.getvalue())).convert("RGB")


def _colours(values: npt.NDArray[np.floating]) -> Colours:
    return np.clip(values + 0.5, 0, 255).astype(np.uint8)
