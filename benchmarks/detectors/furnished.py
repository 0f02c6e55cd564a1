"""What digitisation leaves in a picture: a colour chart, a ruler, a book's gutter, a scanner's border."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from benchmarks.detectors.views import Pixels

Rng = np.random.Generator

#: Patches of a common chart, in its order (sRGB).
_PATCHES = (
    (115, 82, 68), (194, 150, 130), (98, 122, 157), (87, 108, 67), (133, 128, 177), (103, 189, 170),
    (214, 126, 44), (80, 91, 166), (193, 90, 99), (94, 60, 108), (157, 188, 64), (224, 163, 46),
    (56, 61, 150), (70, 148, 73), (175, 54, 60), (231, 199, 31), (187, 86, 149), (8, 133, 161),
    (243, 243, 242), (200, 200, 200), (160, 160, 160), (122, 122, 121), (85, 85, 85), (52, 52, 52),
)  # fmt: skip


def _table(pixels: Pixels, rng: Rng, share: float) -> tuple[Image.Image, int]:
    """The picture on a table with room below it, and where that room begins."""
    height, width = pixels.shape[:2]
    ground = tuple(int(v) for v in rng.uniform(20, 235, 3))
    sheet = Image.new("RGB", (width, round(height * (1 + share))), ground)
    edge = round(min(height, width) * 0.03)
    sheet.paste(Image.fromarray(pixels).resize((width - 2 * edge, height - 2 * edge)), (edge, edge))
    return sheet, height


def colour_chart(pixels: Pixels, rng: Rng) -> Pixels:
    """Two to four rows of patches, or one long strip, beside the picture."""
    sheet, top = _table(pixels, rng, 0.22)
    rows = int(rng.choice([1, 2, 4]))
    columns = len(_PATCHES) // rows
    room = (sheet.width * 0.9, (sheet.height - top) * 0.8)
    side = max(4, round(min(room[0] / columns, room[1] / rows)))
    chart = Image.new("RGB", (side * columns, side * rows), (16, 16, 16))
    for n, patch in enumerate(_PATCHES):
        x, y = n % columns * side, n // columns * side
        ImageDraw.Draw(chart).rectangle((x + 2, y + 2, x + side - 2, y + side - 2), patch)
    sheet.paste(chart, (round(sheet.width * rng.uniform(0.02, 0.08)), top + round(room[1] * 0.1)))
    return np.asarray(sheet.filter(ImageFilter.GaussianBlur(0.6)))


def ruler(pixels: Pixels, rng: Rng) -> Pixels:
    """Ticks of millimetres and centimetres with numbers, on a light or dark rule."""
    sheet, top = _table(pixels, rng, 0.14)
    dark = rng.random() < 0.4
    ground, ink = ((25, 25, 25), (240, 240, 240)) if dark else ((238, 234, 220), (20, 20, 20))
    draw, high = ImageDraw.Draw(sheet), sheet.height - top
    left, right = round(sheet.width * 0.04), round(sheet.width * rng.uniform(0.6, 0.96))
    y = top + high // 5
    draw.rectangle((left, y, right, y + high * 3 // 5), ground)
    step = sheet.width / rng.uniform(120, 220)
    for n in range(int((right - left) / step)):
        x = left + n * step
        length = high * (0.3 if n % 10 == 0 else 0.22 if n % 5 == 0 else 0.14)
        draw.line((x, y, x, y + length), ink, 1 if step < 6 else 2)
        if n % 10 == 0:
            draw.text((x + 2, y + high * 0.32), str(n // 10), ink)
    return np.asarray(sheet.filter(ImageFilter.GaussianBlur(0.5)))


def gutter(pixels: Pixels, rng: Rng) -> Pixels:
    """The fold of an open book: a shadow down the picture, the pages bent into it."""
    width = pixels.shape[1]
    xs = np.arange(width, dtype=np.float32)
    fold, reach = width * rng.uniform(0.35, 0.65), width * rng.uniform(0.03, 0.09)
    away = np.abs(xs - fold) / reach
    shade = 1 - rng.uniform(0.5, 0.85) * np.exp(-away) - 0.3 * (away < 0.06)
    bent = np.clip(np.round(xs + np.sign(xs - fold) * reach * 0.5 * np.exp(-away)), 0, width - 1)
    folded: Pixels = np.clip(pixels[:, bent.astype(int)] * shade[None, :, None], 0, 255).astype(np.uint8)
    return folded


def border(pixels: Pixels, rng: Rng) -> Pixels:
    """The bed or lid of a scanner round a picture that lies a little askew."""
    image = Image.fromarray(pixels)
    lid = int(rng.choice([8, 18, 248, 252]))
    edge = round(min(image.size) * rng.uniform(0.04, 0.1))
    sheet = Image.new("RGB", (image.width + 2 * edge, image.height + 2 * edge), (lid, lid, lid))
    turned = image.rotate(rng.uniform(-2.5, 2.5), Image.Resampling.BICUBIC, True, fillcolor=(lid, lid, lid))
    sheet.paste(turned, (round(edge * rng.uniform(0.2, 1.5)), round(edge * rng.uniform(0.2, 1.5))))
    noise = rng.normal(0, 1.5, (sheet.height, sheet.width, 1))
    return np.clip(np.asarray(sheet) + noise, 0, 255).astype(np.uint8)


#: As `kyodaku.recipe.filters.FURNITURE` names them.
FAMILIES: Mapping[str, Callable[[Pixels, Rng], Pixels]] = {
    "colour_chart": colour_chart,
    "ruler": ruler,
    "gutter": gutter,
    "border": border,
}
