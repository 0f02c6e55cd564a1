"""Plain measurements of a picture's two views that tell kinds apart: tones, colours, edges, grain, lines."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kyodaku.fingerprint import Pixels

Floats = npt.NDArray[np.float32]

#: How many measurements there are of one view; of both, twice as many.
COUNT = 44


def measured(whole: Pixels, close: Pixels) -> Floats:
    """float32 (2 * COUNT,) of the views of one picture (`curation.kinds`)."""
    return np.concatenate([_of(whole), _of(close)]).astype(np.float32)


def _of(view: Pixels) -> Floats:
    scene = view.astype(np.float32) / 255
    grey = scene @ np.array([0.299, 0.587, 0.114], np.float32)
    parts = [_tones(grey), _colours(view, scene), _edges(grey), _grain(scene, grey), _layout(scene, grey)]
    found = np.concatenate(parts)
    if len(found) != COUNT:
        raise ValueError(f"{len(found)} measurements, not {COUNT}")
    return np.asarray(found, np.float32)


def _tones(grey: Floats) -> list[float]:
    """9: mean, spread, five percentiles, shares of near white and near black."""
    return [
        float(grey.mean()),
        float(grey.std()),
        *map(float, np.percentile(grey, (1, 10, 50, 90, 99))),
        float((grey > 0.94).mean()),
        float((grey < 0.06).mean()),
    ]


def _colours(view: Pixels, scene: Floats) -> list[float]:
    """14: saturation, hues, how many colours there are and how few of them cover most."""
    high, low = scene.max(-1), scene.min(-1)
    chroma = high - low
    red, green, blue = scene[..., 0], scene[..., 1], scene[..., 2]
    angle = np.arctan2(1.732 * (green - blue), 2 * red - green - blue)
    hues, _ = np.histogram(angle, 6, (-np.pi, np.pi), weights=chroma)
    hues = hues / max(1e-6, hues.sum())
    codes = (view >> 4).astype(np.int64) @ np.array([256, 16, 1])
    counts = np.sort(np.bincount(codes.ravel(), minlength=4096))[::-1] / codes.size
    some = counts[counts > 0]
    entropy = float(-(some * np.log2(some)).sum()) / 12
    return [
        float(chroma.mean()),
        float(chroma.std()),
        float(np.percentile(chroma, 90)),
        *map(float, hues),
        len(some) / 1000,
        entropy,
        float(counts[0]),
        float(counts[:4].sum()),
        float((chroma < 0.03).mean()),
    ]


def _edges(grey: Floats) -> list[float]:
    """8: how strong edges are, how many places are flat, whether lines lie across or upright."""
    down, across = np.diff(grey, axis=0)[:, :-1], np.diff(grey, axis=1)[:-1]
    size = np.hypot(down, across)
    half, nine, most = (float(value) for value in np.percentile(size, (50, 90, 99)))
    return [
        float(size.mean()) * 10,
        half * 10,
        nine * 4,
        most * 2,
        float((size < 0.008).mean()),
        float((size > 0.25).mean()),
        half / (nine + 1e-3),
        float(np.log((np.square(down).mean() + 1e-6) / (np.square(across).mean() + 1e-6))),
    ]


def _grain(scene: Floats, grey: Floats) -> list[float]:
    """7: what neighbours' means leave at two scales, in the quiet half too, and whether it is coloured."""
    fine = grey[1:-1, 1:-1] - (grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]) / 4
    coarse = grey[4:-4, 4:-4] - (grey[:-8, 4:-4] + grey[8:, 4:-4] + grey[4:-4, :-8] + grey[4:-4, 8:]) / 4
    red, blue = (scene[1:, :, at] - scene[:-1, :, at] for at in (0, 2))
    spread = float(red.std() * blue.std())
    together = float((red * blue).mean() - red.mean() * blue.mean()) / spread if spread > 1e-6 else 1.0
    steps = np.abs(fine)
    return [
        float(np.log(fine.std() + 1e-3)),
        float(np.log(coarse.std() + 1e-3)),
        float(np.log(np.percentile(steps, 25) + 1e-3)),
        float(np.log(np.percentile(steps, 50) + 1e-3)),
        float((steps < 0.002).mean()),
        float(np.log(np.mean(steps**4) / (np.mean(steps**2) ** 2 + 1e-9) + 1)),
        together,
    ]


def _layout(scene: Floats, grey: Floats) -> list[float]:
    """6: lines of text across and downwards, and how the rim differs from the middle."""
    side = grey.shape[0] // 8
    middle = np.zeros(grey.shape, bool)
    middle[side:-side, side:-side] = True
    rim, core = scene[~middle], scene[middle]
    return [
        float(np.diff(grey.mean(1)).std()) * 10,
        float(np.diff(grey.mean(0)).std()) * 10,
        float(rim.mean() - core.mean()),
        float(grey[~middle].std()),
        float(grey[~middle].std() - grey[middle].std()),
        float(np.ptp(rim, axis=1).mean() - np.ptp(core, axis=1).mean()),
    ]
