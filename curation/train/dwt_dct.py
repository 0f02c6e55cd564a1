"""Writing the marks that `curation.dwt_dct` finds, for tests, benchmarks and the demo web.

After the public method `dwtDct` of the package `invisible-watermark` 0.2.0. Against pictures that the package
marked itself, 8-bit marks differ in at most 0.15 % of the samples and float marks in at most 1.4 %: where two
coefficients of a block are equally large, rounding picks another.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from curation.dwt_dct import STEP, Floats, Mark
from kyodaku.fingerprint import Pixels

_Array = npt.NDArray[np.float64]
_ONE = 14  # fixed point of OpenCV's 8-bit colour conversions, in bits


def write_mark(pixels: Pixels, mark: Mark) -> Pixels:
    """`pixels`, uint8 (height, width, 3), with the mark in it, as its own program hides it."""
    if mark.floats:
        samples = pixels[..., ::-1] if mark.swapped else pixels
        written = _in_floats(samples.astype(np.float64), mark.bits)
        return np.ascontiguousarray(written[..., ::-1] if mark.swapped else written)
    return _in_bytes(pixels.astype(np.int64), mark.bits)


def _in_bytes(rgb: npt.NDArray[np.int64], bits: Floats) -> Pixels:
    half = 1 << (_ONE - 1)
    y = (rgb[..., 0] * 4899 + rgb[..., 1] * 9617 + rgb[..., 2] * 1868 + half) >> _ONE
    u = np.clip((((rgb[..., 2] - y) * 8061 + half) >> _ONE) + 128, 0, 255)
    v = np.clip((((rgb[..., 0] - y) * 14369 + half) >> _ONE) + 128, 0, 255) - 128
    u = (_hidden(u.astype(np.float64), bits).astype(np.int64) & 255) - 128  # the library wraps around, too
    blue = y + ((u * 33292 + half) >> _ONE)
    green = y + ((u * -6472 + v * -9519 + half) >> _ONE)
    red = y + ((v * 18678 + half) >> _ONE)
    written: Pixels = np.clip(np.stack([red, green, blue], -1), 0, 255).astype(np.uint8)
    return written


def _in_floats(rgb: _Array, bits: Floats) -> Pixels:
    y = rgb @ [0.299, 0.587, 0.114]
    u = _hidden(0.492 * (rgb[..., 2] - y) + 0.5, bits) - 0.5
    v = 0.877 * (rgb[..., 0] - y)
    back = np.stack([y + 1.14 * v, y - 0.395 * u - 0.581 * v, y + 2.032 * u], -1)
    return np.rint(np.clip(back, 0, 255)).astype(np.uint8)


def _hidden(channel: _Array, bits: Floats) -> _Array:
    """The channel with the word in the LL band of its Haar wavelet."""
    height, width = channel.shape[0] // 4 * 4, channel.shape[1] // 4 * 4
    a, b, c, d = (channel[i:height:2, j:width:2] for i in (0, 1) for j in (0, 1))
    low, across, down, both = (
        (a + b + c + d) / 2,
        (a + b - c - d) / 2,
        (a - b + c - d) / 2,
        (a - b - c + d) / 2,
    )
    low = _moved(low, bits)
    # The library puts the bands of rows and of columns back in each other's place.
    across, down = down, across
    out = channel.copy()
    out[0:height:2, 0:width:2] = (low + across + down + both) / 2
    out[0:height:2, 1:width:2] = (low + across - down - both) / 2
    out[1:height:2, 0:width:2] = (low - across + down - both) / 2
    out[1:height:2, 1:width:2] = (low - across - down + both) / 2
    return out


def _moved(low: _Array, bits: Floats) -> _Array:
    rows, columns = low.shape[0] // 4, low.shape[1] // 4
    blocks = low[: rows * 4, : columns * 4].reshape(rows, 4, columns, 4).swapaxes(1, 2).reshape(-1, 16).copy()
    every = np.arange(len(blocks))
    largest = np.abs(blocks[:, 1:]).argmax(1) + 1
    value = blocks[every, largest]
    size = (np.abs(value) // STEP + 0.25 + 0.5 * np.resize(bits, len(blocks))) * STEP
    blocks[every, largest] = np.where(value >= 0, size, -size)
    low = low.copy()
    low[: rows * 4, : columns * 4] = (
        blocks.reshape(rows, columns, 4, 4).swapaxes(1, 2).reshape(rows * 4, columns * 4)
    )
    return low
