"""What look-alikes are drawn with: words, paper, soft noise, ink laid flat, panels set into a scene."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from curation.train.overlay.blending import Colours
from curation.train.overlay.marks import Layer, Pen

Floats = npt.NDArray[np.floating]

_WORDS = (
    "open", "exit", "bakery", "hotel", "street", "market", "station", "north", "the", "cafe", "wine", "bread",
    "number", "tax", "school", "ticket", "platform", "closed", "sale", "museum", "of", "park", "garden",
    "road", "works", "stop", "ahead", "no", "parking", "welcome", "to", "bridge", "river", "fish", "fresh",
)  # fmt: skip


def words(pen: Pen, count: int, script: str = "latin") -> str:
    """Everyday words, or signs of the script."""
    if script != "latin":
        return "".join(pen.name(script) for _ in range(max(1, count // 2)))
    text = " ".join(pen.choice(_WORDS) for _ in range(count))
    return text.upper() if pen.chance(0.4) else text.capitalize()


def paper(pen: Pen, size: tuple[int, int]) -> Colours:
    """Aged or white paper with a soft tone and some foxing, uint8 (h, w, 3)."""
    base = np.array([pen.between(205, 255), pen.between(195, 245), pen.between(165, 240)])
    base = np.minimum(base, base[0]) if pen.chance(0.7) else np.full(3, pen.between(225, 255))
    sheet = np.ones((*size, 3), np.float32) * base
    sheet += soft_noise(pen, size, 8)[..., None] * pen.between(2, 14)
    sheet += pen.rng.normal(0, pen.between(0.5, 4), size)[..., None]
    for _ in range(int(pen.rng.integers(0, 25)) if pen.chance(0.4) else 0):
        y, x, r = pen.rng.integers(0, size[0]), pen.rng.integers(0, size[1]), pen.rng.integers(1, 7)
        sheet[max(0, y - r) : y + r, max(0, x - r) : x + r] -= np.array([12, 25, 40]) * pen.between(0.3, 1)
    return colours(sheet)


def two_colours(pen: Pen) -> tuple[Floats, Floats]:
    """A ground and an ink that can be read on it."""
    ground = pen.rng.uniform(0, 255, 3)
    ink = np.full(3, 245.0) if ground.mean() < 128 else pen.rng.uniform(0, 70, 3)
    return ground, ink


def soft_noise(pen: Pen, size: tuple[int, int], cells: int) -> npt.NDArray[np.float32]:
    """Smooth noise about 0 with deviation near 0.5: `cells` random values a side, enlarged."""
    grid = Image.fromarray(pen.rng.normal(0, 0.6, (cells + 1, cells + 1)).astype(np.float32), "F")
    return np.asarray(grid.resize((size[1], size[0]), Image.Resampling.BICUBIC))


def over(picture: Floats, ink: Layer, at: tuple[int, int], colour: Floats, opacity: float) -> Floats:
    """The picture with ink in one colour, its upper left at (row, column); what stands outside is cut."""
    top, left = max(0, at[0]), max(0, at[1])
    rows, columns = max(0, picture.shape[0] - top), max(0, picture.shape[1] - left)
    ink = ink[top - at[0] :, left - at[1] :][:rows, :columns]
    if ink.size == 0:
        return picture
    area = picture[top : top + ink.shape[0], left : left + ink.shape[1]]
    area += (colour - area) * (ink[..., None] * (opacity / 255.0))
    return picture


def pinned(pen: Pen, picture: Colours, panel: Colours, cover: Layer) -> Colours:
    """The panel set into the picture in perspective, darkened and blurred as if it stood in the scene."""
    height, width = picture.shape[:2]
    h, w = cover.shape
    scale = min(1.0, 0.9 * width / w, 0.9 * height / h)
    tall, wide = h * scale, w * scale
    x, y = pen.between(0, max(1.0, width - wide)), pen.between(0, max(1.0, height - tall))
    lean = pen.between(0, 0.3)
    jitter = pen.rng.uniform(-lean, lean, (4, 2)) * min(tall, wide)
    corners = np.array([[x, y], [x + wide, y], [x + wide, y + tall], [x, y + tall]]) + jitter
    terms = _perspective(corners, np.array([[0, 0], [w, 0], [w, h], [0, h]], float))
    shape = (width, height)
    kind, way = Image.Transform.PERSPECTIVE, Image.Resampling.BILINEAR
    image = Image.fromarray(panel).transform(shape, kind, terms, way)
    mask = Image.fromarray(cover).transform(shape, kind, terms, way)
    if pen.chance(0.4):
        image = image.filter(ImageFilter.GaussianBlur(pen.between(0.3, 1.6)))
    light = pen.between(0.5, 1.05) + soft_noise(pen, (height, width), 2) * pen.between(0, 0.3)
    lit = np.asarray(image, np.float32) * np.clip(light, 0.2, 1.3)[..., None]
    over = np.asarray(mask, np.float32)[..., None] / 255
    return colours(picture + over * (lit - picture))


def _perspective(to: Floats, of: Floats) -> list[float]:
    """Pillow's eight terms that take points of `to` back to `of`."""
    rows = []
    for (x, y), (u, v) in zip(to, of, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    return [float(term) for term in np.linalg.solve(np.array(rows), of.reshape(-1))]


def curve(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """A smooth line near the points (uniform B-spline)."""
    p = np.array(points)
    t = np.linspace(0, 1, 8)[:, None]
    out = []
    for a, b, c in zip(p[:-2], p[1:-1], p[2:], strict=True):
        out.append(0.5 * (a + b) * (1 - t) ** 2 + 2 * b * t * (1 - t) + 0.5 * (b + c) * t**2)
    return [(float(x), float(y)) for x, y in np.concatenate(out)]


def colours(values: Floats) -> Colours:
    """Clipped to uint8."""
    return np.clip(values, 0, 255).astype(np.uint8)
