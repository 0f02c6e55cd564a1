"""Invisible marks of Stable Diffusion, found by correlation.

The generators' own programs hide a short, public word in every picture (`invisible-watermark`, method
`dwtDct`): the U channel of YUV is brought to the LL band of a Haar wavelet, cut into blocks of 4 x 4, and in
each block the largest coefficient but the first is moved to a quarter (a 0) or three quarters (a 1) of a step
of 36. The word's bits follow one another over the blocks, row by row. Decoding to exact bits finds few of the
marks; the word is known, so each bit's average over its blocks is correlated with it.

A crop that is no multiple of 8 rows and all its columns, a resize, and most compression destroy the mark.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kyodaku.fingerprint import Pixels

Floats = npt.NDArray[np.float32]

#: Each program marks only pictures of at least so many pixels; a smaller one holds too few blocks to tell.
MIN_PIXELS = 256 * 256
STEP = 36.0
_BLOCK = 4
#: Rows of blocks that are read, evenly spread: more tell no more.
_MAX_BLOCKS = 12_000


@dataclass(frozen=True)
class Mark:
    """A word and how its program hides it. `floats`: it works on float samples, where U lies around 0.5 and
    not around 128; `swapped`: it takes red for blue (diffusers before 0.31). `limit`: the correlation from
    which the word counts as there."""

    name: str
    bits: Floats
    limit: float
    floats: bool = False
    swapped: bool = False


def _word(text: bytes) -> Floats:
    return np.unpackbits(np.frombuffer(text, np.uint8)).astype(np.float32)


_SDXL = np.array([int(c) for c in f"{0b101100111110110010010000011110111011000110011110:048b}"], np.float32)

#: By the scripts of Stable Diffusion 1 and 2, by Stability's generative-models and by diffusers.
MARKS: tuple[Mark, ...] = (
    Mark("sd1", _word(b"StableDiffusionV1"), 0.4),
    Mark("sd1-inpainting", _word(b"StableDiffusionV1-Inpainting"), 0.4),
    Mark("sd2", _word(b"SDV2"), 0.65),
    Mark("sdxl", _SDXL, 0.6, floats=True),
    Mark("sdxl-swapped", _SDXL, 0.6, floats=True, swapped=True),
)
#: What the readings for compressed pictures must reach beyond a mark's own limit: they are noisier.
_MARGIN = {"exact": 0.0, "shrunk": 0.05, "skew": 0.12}


def correlations(pixels: Pixels) -> dict[str, float]:
    """How strongly each mark shows in uint8 (height, width, 3), by name: the centred correlation divided by
    twice the limit, so that from 0.5 on the mark counts as there; at most 1. All 0.0 below MIN_PIXELS."""
    found = dict.fromkeys((mark.name for mark in MARKS), 0.0)
    if pixels.shape[0] * pixels.shape[1] < MIN_PIXELS:
        return found
    read: dict[tuple[bool, bool], tuple[Mapping[str, Floats], npt.NDArray[np.intp]]] = {}
    for mark in MARKS:
        way = (mark.floats, mark.swapped)
        if way not in read:
            blocks, order = _blocks(pixels, *way)
            read[way] = _readings(blocks), order
        readings, order = read[way]
        found[mark.name] = max(
            _correlation(votes, order, mark.bits) / (2 * (mark.limit + _MARGIN[name]))
            for name, votes in readings.items()
        )
    return {name: float(np.clip(value, 0.0, 1.0)) for name, value in found.items()}


def _blocks(pixels: Pixels, floats: bool, swapped: bool) -> tuple[Floats, npt.NDArray[np.intp]]:
    """The blocks of the LL band of U, (n, 16), and the place of each in the mark's order."""
    side = 2 * _BLOCK
    down, across = pixels.shape[0] // side, pixels.shape[1] // 4 * 2 // _BLOCK
    rows = np.unique(np.linspace(0, down - 1, min(down, max(1, _MAX_BLOCKS // across))).astype(np.intp))
    picked = pixels[: down * side, : across * side].reshape(down, side, across * side, 3)[rows]
    first, second, third = (picked[..., i].astype(np.float32) for i in range(3))
    red, blue = (third, first) if swapped else (first, third)
    u = 0.492 * (blue - (0.299 * red + 0.587 * second + 0.114 * blue))
    u = u + np.float32(0.5) if floats else np.clip(np.rint(u + 128), 0, 255)
    low = (u[:, 0::2, 0::2] + u[:, 1::2, 0::2] + u[:, 0::2, 1::2] + u[:, 1::2, 1::2]) / 2
    blocks = low.reshape(len(rows), _BLOCK, across, _BLOCK).swapaxes(1, 2).reshape(-1, _BLOCK * _BLOCK)
    return blocks, (rows[:, None] * across + np.arange(across)).ravel()


def _readings(blocks: Floats) -> dict[str, Floats]:
    """Each block's vote, higher for a 1: three ways.

    `exact` as the library decodes. Compression draws the coefficient that was moved back towards its
    neighbours: `shrunk` undoes about half of that; `skew` asks only to which side the block leans, against
    other blocks of the same level.
    """
    inner = blocks[:, 1:]
    every = np.arange(len(blocks))
    sizes = np.abs(inner)
    exact = (sizes[every, sizes.argmax(1)] % STEP > STEP / 2).astype(np.float32)
    ranked = np.sort(inner, axis=1)
    level = ranked[:, inner.shape[1] // 2]
    away = inner - level[:, None]
    farthest = away[every, np.abs(away).argmax(1)]
    shrunk = -np.sin(2 * np.pi / STEP * np.abs(level + farthest / 0.55))
    lean = ranked[:, -1] + ranked[:, 0] - 2 * level
    group = (np.abs(level) % STEP / STEP * 12).astype(np.intp) % 12
    return {"exact": exact, "shrunk": shrunk, "skew": _standardised(lean, group)}


def _standardised(values: Floats, group: npt.NDArray[np.intp]) -> Floats:
    """Values less their group's mean, in its standard deviations, cut at two."""
    count = np.maximum(np.bincount(group), 1)
    centred = values - (np.bincount(group, values) / count)[group]
    spread = np.sqrt(np.bincount(group, centred * centred) / count) + 1e-6
    return np.clip(centred / spread[group], -2, 2).astype(np.float32)


def _correlation(votes: Floats, order: npt.NDArray[np.intp], bits: Floats) -> float:
    """Of the bits' average votes with the word, both centred; 0.0 where all averages are the same or a bit
    has no vote."""
    place = order % len(bits)
    count = np.bincount(place, minlength=len(bits))
    if count.min() == 0:
        return 0.0
    means = np.bincount(place, votes, len(bits)) / count
    means, word = means - means.mean(), bits - bits.mean()
    norm = np.sqrt((means @ means) * (word @ word))
    return float(means @ word / norm) if norm > 1e-9 else 0.0
