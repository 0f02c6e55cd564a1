"""Marks that generators leave in the pixels: DWT-DCT, written as the published encoder writes them.

The encoder is ShieldMnt/invisible-watermark's `dwtDct` in numpy, scale 36 in the Haar LL band of U: in each
block of 4 x 4 the coefficient of the largest modulus but the first is moved to the quarter of its step that
says the bit. (The package transposes two detail bands when it puts the plane together again; so does this.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from benchmarks.detectors.views import Pixels

#: Pixels of a picture at least: the published encoder marks no smaller one.
LEAST = 256 * 256

_SCALE, _BLOCK = 36.0, 4
_SDXL = 0b101100111110110010010000011110111011000110011110


def _bits(text: str) -> tuple[int, ...]:
    return tuple(int(bit) for letter in text.encode() for bit in f"{letter:08b}")


#: Who writes it -> the bits, in their order.
FAMILIES: Mapping[str, Sequence[int]] = {
    "Stable Diffusion 1": _bits("StableDiffusionV1"),
    "Stable Diffusion 2": _bits("SDV2"),
    "SDXL, diffusers": tuple(int(bit) for bit in f"{_SDXL:048b}"),
}


def marked(pixels: Pixels, family: str) -> Pixels:
    """`pixels` with the mark of the family, as far as whole squares of 4 x 4 pixels reach."""
    bits = FAMILIES[family]
    height, width = (side // 4 * 4 for side in pixels.shape[:2])
    red, green, blue = (pixels[..., n].astype(np.float32) for n in range(3))
    luma = np.round(0.299 * red + 0.587 * green + 0.114 * blue)
    u = np.clip(np.round((blue - luma) * 0.492 + 128), 0, 255)
    v = np.clip(np.round((red - luma) * 0.877 + 128), 0, 255)
    part = u[:height, :width]
    a, b, c, d = part[::2, ::2], part[::2, 1::2], part[1::2, ::2], part[1::2, 1::2]
    low = _written((a + b + c + d) / 2, bits)
    across, down, diagonal = (a + b - c - d) / 2, (a - b + c - d) / 2, (a - b - c + d) / 2
    across, down = down, across
    moved = np.empty_like(part)
    moved[::2, ::2] = (low + across + down + diagonal) / 2
    moved[::2, 1::2] = (low + across - down - diagonal) / 2
    moved[1::2, ::2] = (low - across + down - diagonal) / 2
    moved[1::2, 1::2] = (low - across - down + diagonal) / 2
    u[:height, :width] = np.clip(np.trunc(moved), 0, 255)
    back = np.stack(
        [luma + 1.140 * (v - 128), luma - 0.395 * (u - 128) - 0.581 * (v - 128), luma + 2.032 * (u - 128)], -1
    )
    return np.clip(np.round(back), 0, 255).astype(np.uint8)


def _written(low: npt.NDArray[np.float32], bits: Sequence[int]) -> npt.NDArray[np.float32]:
    rows, columns = low.shape[0] // _BLOCK, low.shape[1] // _BLOCK
    blocks = low[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK).swapaxes(1, 2)
    flat = blocks.reshape(rows * columns, _BLOCK * _BLOCK).copy()
    place = np.abs(flat[:, 1:]).argmax(1) + 1
    which = np.arange(len(flat))
    value = flat[which, place]
    bit = np.array(bits, np.float32)[which % len(bits)]
    size = (np.floor(np.abs(value) / _SCALE) + 0.25 + 0.5 * bit) * _SCALE
    flat[which, place] = np.where(value >= 0, size, -size)
    out = low.copy()
    put = flat.reshape(rows, columns, _BLOCK, _BLOCK).swapaxes(1, 2)
    out[: rows * _BLOCK, : columns * _BLOCK] = put.reshape(rows * _BLOCK, columns * _BLOCK)
    return out
