"""Pictures that were made larger than they are: by which factor, by which kernel, sharpened after or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from benchmarks.detectors.views import Pixels

Rng = np.random.Generator
_KERNELS = (Image.Resampling.BICUBIC, Image.Resampling.LANCZOS, Image.Resampling.BILINEAR)


@dataclass(frozen=True)
class Way:
    """`kernel` None: one of the smooth ones by chance. `jpeg` was there before it was enlarged."""

    factor: float
    kernel: Image.Resampling | None = None
    sharpened: bool = False


#: Name in the tables -> how it is made larger.
FAMILIES: Mapping[str, Way] = {
    "1.5 times": Way(1.5),
    "2 times": Way(2),
    "3 times": Way(3),
    "4 times": Way(4),
    "2 times, nearest": Way(2, Image.Resampling.NEAREST),
    "2 times, sharpened": Way(2, sharpened=True),
}


def enlarged(pixels: Pixels, family: str, rng: Rng) -> Pixels:
    """A native picture at the size of `pixels`, made from a version `factor` times smaller."""
    way = FAMILIES[family]
    image = Image.fromarray(pixels)
    small = (max(1, round(image.width / way.factor)), max(1, round(image.height / way.factor)))
    kernel = _KERNELS[int(rng.integers(3))] if way.kernel is None else way.kernel
    larger = image.resize(small, Image.Resampling.LANCZOS).resize(image.size, kernel)
    if way.sharpened:
        larger = larger.filter(ImageFilter.UnsharpMask(2, 120, 2))
    return np.asarray(larger)
