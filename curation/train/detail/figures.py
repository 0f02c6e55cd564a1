"""Whole pictures, native and enlarged, for the limit and the figures of the net that finds enlargements.

Each picture of a split is shrunk until it is sharp (at most to seven tenths), then left alone or enlarged
from a still smaller copy, and compressed.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from curation.nets.detail import DetailNet, Floats, detail_of, features, sharpest
from curation.train.pictures import Source, Split, flat, sources

KERNELS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
FACTORS = (1.3, 1.5, 1.7, 2.0, 2.4, 3.0, 4.0)
QUALITIES = (0, 90, 75)
_SHRINKS = (*list(KERNELS.values())[1:], Image.Resampling.BOX)
_LEAST_SIDE, _LARGEST = 700, 60_000_000


@dataclass(frozen=True)
class Case:
    """One whole picture as its tiles' features (n, FEATURES). `kernel` is "" for a native one, `soft` for one
    out of focus; `quality` 0 for no compression."""

    kernel: str
    factor: float
    quality: int
    kind: str
    tiles: Floats


def cases(pool: Path, split: Split, workers: int, least_detail: float, count: int = 4) -> list[Case]:
    """Cases of every picture of a split that is large enough, and of every fortieth drawing."""
    found = sources(pool, split)
    chosen = [source for source in found if source.kind in ("photo", "painting", "print")]
    chosen += [source for source in found if source.kind in ("drawing", "map")][::40]
    with ProcessPoolExecutor(workers) as executor:
        jobs = [
            executor.submit(_of, source, number, least_detail, count) for number, source in enumerate(chosen)
        ]
        return [case for job in jobs for case in job.result()]


def _of(source: Source, number: int, least_detail: float, count: int) -> list[Case]:
    dice = np.random.default_rng(number)
    try:
        with Image.open(source.path) as file:
            if min(file.size) < _LEAST_SIDE or file.width * file.height > _LARGEST:
                return []
            whole = flat(ImageOps.exif_transpose(file))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return []
    side = min(int(dice.integers(512, 1025)), int(max(whole.size) * 0.7))
    shrink = _SHRINKS[number % len(_SHRINKS)]
    native = _sized(whole, side, shrink)
    made = [("", 1.0, quality, native) for quality in QUALITIES]
    made.append(("soft", 1.0, 90, native.filter(ImageFilter.GaussianBlur(dice.uniform(0.3, 0.9)))))
    for step in range(3):
        factor = FACTORS[(number * 3 + step) % len(FACTORS)]
        name = list(KERNELS)[int(dice.integers(len(KERNELS)))]
        small = _sized(whole, min(side, int(1024 / factor)), shrink)
        small = _coded(small, 90) if dice.random() < 0.5 else small
        size = round(small.width * factor), round(small.height * factor)
        quality = QUALITIES[(number + step) % len(QUALITIES)]
        made.append((name, factor, quality, small.resize(size, KERNELS[name])))
    found = []
    for name, factor, quality, image in made:
        grey = np.asarray(_coded(image, quality).convert("L"), np.float32)
        tiles = [features(tile) for tile in sharpest(grey, count) if detail_of(tile) >= least_detail]
        if tiles:
            found.append(Case(name, factor, quality, source.kind, np.stack(tiles)))
    return found


def _sized(image: Image.Image, side: int, kernel: Image.Resampling) -> Image.Image:
    scale = side / max(image.size)
    return image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))), kernel)


def _coded(image: Image.Image, quality: int) -> Image.Image:
    if not quality:
        return image
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def scores(net: DetailNet, looked: Sequence[Case]) -> Floats:
    """The mean logit of each picture's tiles."""
    return np.array([net.judge(case.tiles)[0].mean() for case in looked], np.float32)


def limit_of(net: DetailNet, looked: Sequence[Case], false_alarms: float = 0.01) -> float:
    """The score that this share of native pictures reaches."""
    native = scores(net, [case for case in looked if case.factor == 1])
    return float(np.quantile(native, 1 - false_alarms))


def figures(net: DetailNet, looked: Sequence[Case], limit: float) -> Iterator[str]:
    """Recall by factor, kernel and compression, and false alarms by kind, one line each."""
    found = scores(net, looked) >= limit

    def line(name: str, chosen: list[bool]) -> str:
        which = np.array(chosen)
        return (
            f"{name}: {found[which].sum()} of {which.sum()} ({found[which].mean():.3f})"
            if any(chosen)
            else ""
        )

    yield line("native, called enlarged", [case.factor == 1 for case in looked])
    for kind in sorted({case.kind for case in looked}):
        yield line(f"native {kind}", [case.factor == 1 and case.kind == kind for case in looked])
    yield line("native out of focus", [case.kernel == "soft" for case in looked])
    yield line("enlarged 1.5 and more", [case.factor >= 1.5 for case in looked])
    for factor in FACTORS:
        yield line(f"enlarged {factor}", [case.factor == factor for case in looked])
    for kernel in KERNELS:
        yield line(
            f"{kernel}, 1.5 and more", [case.kernel == kernel and case.factor >= 1.5 for case in looked]
        )
    for quality in QUALITIES:
        name = f"JPEG {quality}" if quality else "not compressed"
        yield line(f"{name}, 1.5 and more", [c.quality == quality and c.factor >= 1.5 for c in looked])
