"""The columns of every table: what becomes of a picture on its way through the web."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]


def as_png(pixels: Pixels) -> bytes:
    """`pixels` (height, width, 3) as a file that loses nothing."""
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def as_jpeg(pixels: Pixels, quality: int) -> bytes:
    """`pixels` as JPEG with halved colour (4:2:0), as most sites write it."""
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling=2)
    return file.getvalue()


def halved(pixels: Pixels) -> Pixels:
    """Half as wide and high (Lanczos)."""
    height, width = pixels.shape[:2]
    size = (max(1, width // 2), max(1, height // 2))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


def cropped(pixels: Pixels) -> Pixels:
    """A twentieth cut off each edge: a tenth of the width and of the height is gone."""
    height, width = pixels.shape[:2]
    top, left = height // 20, width // 20
    return np.ascontiguousarray(pixels[top : height - top, left : width - left])


#: Name of the column -> the file that a crawler would store.
VIEWS: Mapping[str, Callable[[Pixels], bytes]] = {
    "raw": as_png,
    "JPEG 90": lambda pixels: as_jpeg(pixels, 90),
    "JPEG 75": lambda pixels: as_jpeg(pixels, 75),
    "half size": lambda pixels: as_png(halved(pixels)),
    "crop 10 %": lambda pixels: as_png(cropped(pixels)),
}
