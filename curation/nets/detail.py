"""What enlargement leaves in a tile, as numbers, and the small net that judges them. Only numpy.

Interpolation empties the spectrum above the old Nyquist frequency, and it makes neighbours depend on each
other with a period of the factor (Gallagher, "Detection of Linear and Cubic Interpolation in JPEG Compressed
Images", 2005; Popescu and Farid, "Exposing Digital Forgeries by Detecting Traces of Resampling", 2005). Blur
does only the first, smoothly; the blocks of JPEG do the second, at multiples of an eighth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

#: Pixels a side of a tile. A smaller picture is one tile, down to LEAST.
TILE = 256
LEAST = 96
#: Factors that the net tells apart, and those it was trained on.
FACTORS: Floats = np.geomspace(1.3, 4.3, 24).astype(np.float32)
_TREND = 17
_HALF = TILE // 2
FEATURES = _HALF // 2 + 1 + 3 * _HALF


def features(tile: Floats) -> Floats:
    """float32 (FEATURES,) of a grey tile, 0 to 255, LEAST to TILE a side: the means over both directions of
    the log power spectrum, its level, and the periodicity of the second difference, against its
    neighbourhood and as a log, and of the first, which alone shows a factor of two."""
    both = _along(tile) + _along(np.ascontiguousarray(tile.T))
    return (both / 2).astype(np.float32)


def _along(rows: Floats) -> Floats:
    window = np.hanning(rows.shape[1]).astype(np.float32)
    waves = np.fft.rfft((rows - rows.mean(axis=1, keepdims=True)) * window, TILE)
    power = (np.abs(waves) ** 2).mean(axis=0)[1:] / np.square(window).sum()
    spectrum = np.log(power.reshape(-1, 2).mean(axis=1) + 0.02)
    bent, steps = np.abs(np.diff(rows, 2, axis=1)), np.abs(np.diff(rows, axis=1))
    return np.concatenate(
        [
            spectrum - spectrum.mean(),
            [spectrum.mean()],
            _periods((bent / (_nearby(bent) + 0.5)).mean(axis=0)),
            _periods(np.log1p(bent).mean(axis=0)),
            _periods((steps / (_nearby(steps) + 0.5)).mean(axis=0)),
        ]
    ).astype(np.float32)


def _nearby(rows: Floats) -> Floats:
    """The mean over _TREND columns around each place."""
    half = _TREND // 2
    sums = np.pad(rows, ((0, 0), (half + 1, half)), mode="edge").cumsum(axis=1)
    means: Floats = ((sums[:, _TREND:] - sums[:, :-_TREND]) / _TREND).astype(np.float32)
    return means


def _periods(profile: Floats) -> Floats:
    """How much stronger than usual each period shows in a profile, (TILE / 2,), as logs."""
    trend = np.convolve(np.pad(profile, _TREND // 2, mode="edge"), np.full(_TREND, 1 / _TREND), "valid")
    even = (profile / (trend + 0.05) - 1) * np.hanning(len(profile))
    strength = np.abs(np.fft.rfft(even, TILE))[1:]
    found: Floats = np.log(strength / (np.median(strength) + 1e-4) + 0.1).astype(np.float32)
    return found


@dataclass(frozen=True)
class DetailNet:
    """Three layers, after bringing features to mean 0 and deviation 1. Weights by name, float32."""

    weights: Mapping[str, Floats]

    @classmethod
    def load(cls, file: Path) -> DetailNet:
        """The net of a safetensors file. Raises OSError or safetensors' error for one that is none."""
        from safetensors.numpy import load_file

        return cls({name: value.astype(np.float32) for name, value in load_file(file).items()})

    @property
    def limit(self) -> float:
        """The mean logit of a picture's tiles from which it counts as enlarged."""
        return float(self.weights["limit"][0])

    def judge(self, tiles: Floats) -> tuple[Floats, Floats]:
        """Of features (n, FEATURES): logits that a tile was enlarged, (n,), and over FACTORS, (n, 24)."""
        w = self.weights
        x = np.clip((tiles - w["mean"]) / w["spread"], -6, 6)
        x = np.maximum(x @ w["0.weight"].T + w["0.bias"], 0)
        x = np.maximum(x @ w["1.weight"].T + w["1.bias"], 0)
        x = x @ w["2.weight"].T + w["2.bias"]
        return x[:, 0], x[:, 1:]


def sharpest(grey: Floats, count: int) -> list[Floats]:
    """Up to `count` tiles of a picture, float32 (height, width), that hold the most fine detail: where the
    factor shows, and where blur is not of the lens."""
    height, width = (min(side, TILE) for side in grey.shape)
    fine = np.abs(np.diff(grey, 2, axis=1)[:-2] + np.diff(grey, 2, axis=0)[:, :-2])
    sums = np.pad(np.minimum(fine, 64).cumsum(0, dtype=np.float64).cumsum(1), ((1, 0), (1, 0)))
    tops, lefts = (_places(side, size) for side, size in zip(grey.shape, (height, width), strict=True))
    found = [(_inside(sums, top, left, height - 2, width - 2), top, left) for top in tops for left in lefts]
    found.sort(key=lambda place: (-place[0], place[1], place[2]))
    picked: list[tuple[int, int]] = []
    for _, top, left in found:
        if all(abs(top - y) >= height // 2 or abs(left - x) >= width // 2 for y, x in picked):
            picked.append((top, left))
        if len(picked) == count:
            break
    return [grey[top : top + height, left : left + width] for top, left in picked]


def _places(side: int, size: int) -> list[int]:
    """Where tiles of `size` begin along a side: half a tile apart, the last one at the end."""
    return sorted({*range(0, side - size, max(1, size // 2)), side - size})


def _inside(sums: npt.NDArray[np.float64], top: int, left: int, height: int, width: int) -> float:
    bottom, right = top + height, left + width
    return float(sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left])


def detail_of(tile: Floats) -> float:
    """How much fine detail a tile holds: the 95th percentile of its second difference, in 8-bit levels."""
    return float(np.percentile(np.abs(np.diff(tile, 2, axis=1)), 95))
