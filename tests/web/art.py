"""Art drawn by code: every motif takes a seed and a size and gives an RGB image.

The same seed gives the same picture; different seeds differ in composition, not only in colour, so
that no two pictures of the small web are near duplicates of each other by accident.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Size = tuple[int, int]
Colour = tuple[int, int, int]
Motif = Callable[[int, Size], Image.Image]

#: Palettes after woodblock prints: sky top, sky bottom, far, middle, near, accent.
PALETTES: tuple[tuple[Colour, ...], ...] = (
    ((24, 52, 96), (236, 220, 190), (92, 124, 150), (46, 84, 110), (20, 40, 60), (200, 62, 48)),
    ((232, 150, 110), (250, 232, 200), (150, 110, 120), (96, 70, 90), (50, 40, 60), (240, 200, 80)),
    ((120, 170, 180), (244, 240, 226), (130, 160, 140), (80, 120, 90), (36, 62, 50), (190, 70, 60)),
    ((40, 30, 70), (150, 90, 120), (90, 60, 110), (54, 38, 80), (22, 18, 40), (250, 240, 210)),
    ((190, 205, 210), (240, 238, 232), (160, 172, 178), (110, 124, 132), (60, 68, 76), (170, 40, 40)),
    ((70, 110, 60), (224, 226, 170), (120, 150, 80), (80, 110, 50), (44, 60, 30), (220, 120, 40)),
)


def _rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def _palette(rng: np.random.Generator) -> tuple[Colour, ...]:
    chosen = PALETTES[int(rng.integers(len(PALETTES)))]
    shift = rng.integers(-18, 19, 3)
    return tuple(tuple(int(v) for v in np.clip(np.add(c, shift), 0, 255)) for c in chosen)  # type: ignore[misc]


def _gradient(size: Size, top: Colour, bottom: Colour) -> Image.Image:
    rows = np.linspace(0, 1, size[1])[:, None, None]
    sky = (1 - rows) * np.array(top) + rows * np.array(bottom)
    return Image.fromarray(np.broadcast_to(sky, (size[1], size[0], 3)).astype(np.uint8))


def _grain(image: Image.Image, rng: np.random.Generator, strength: float = 6.0) -> Image.Image:
    pixels = np.asarray(image, dtype=np.float32)
    noise = rng.normal(0, strength, pixels.shape[:2])[..., None]
    return Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8))


def _ridge(rng: np.random.Generator, width: int, base: float, height: float) -> list[tuple[float, float]]:
    phases, speeds = rng.uniform(0, 2 * math.pi, 5), rng.uniform(0.5, 6, 5)
    xs = np.linspace(0, 1, 80)
    ys = sum(
        np.sin(xs * 2 * math.pi * f + p) / (i + 1)
        for i, (f, p) in enumerate(zip(speeds, phases, strict=True))
    )
    return [(float(x) * width, float(base - height * y)) for x, y in zip(xs, ys, strict=True)]


def landscape(seed: int, size: Size) -> Image.Image:
    """Hills behind hills under a sun or moon."""
    rng = _rng(seed)
    sky, low, *layers, accent = _palette(rng)
    width, height = size
    image = _gradient(size, sky, low)
    draw = ImageDraw.Draw(image)
    x, y, r = rng.uniform(0.1, 0.9) * width, rng.uniform(0.1, 0.4) * height, rng.uniform(0.04, 0.12) * height
    draw.ellipse((x - r, y - r, x + r, y + r), fill=accent)
    for index, colour in enumerate(layers):
        base = height * (0.5 + 0.17 * index + rng.uniform(-0.05, 0.05))
        ridge = _ridge(rng, width, base, height * rng.uniform(0.04, 0.12))
        draw.polygon([*ridge, (width, height), (0, height)], fill=colour)
    return _grain(image, rng)


def sea(seed: int, size: Size) -> Image.Image:
    """Rows of waves with foam and a boat, in the manner of a print."""
    rng = _rng(seed)
    sky, low, far, middle, near, accent = _palette(rng)
    width, height = size
    image = _gradient(size, low, sky)
    draw = ImageDraw.Draw(image)
    horizon = rng.uniform(0.25, 0.5) * height
    rows = int(rng.integers(6, 12))
    for row in range(rows):
        y = horizon + (height - horizon) * row / rows
        length = rng.uniform(60, 160) * (0.6 + row / rows)
        offset, swell = rng.uniform(0, length), rng.uniform(8, 24) * (0.5 + row / rows)
        crest = [
            (x, y - swell * abs(math.sin((x + offset) / length * math.pi))) for x in range(0, width + 8, 8)
        ]
        draw.polygon([*crest, (width, height), (0, height)], fill=(far, middle, near)[row % 3])
        draw.line(crest, fill=low, width=3)
        if row == rows // 2:
            _boat(draw, rng.uniform(0.2, 0.8) * width, y - swell, rng.uniform(30, 70), accent)
    return _grain(image, rng, 4)


def _boat(draw: ImageDraw.ImageDraw, x: float, y: float, length: float, sail: Colour) -> None:
    draw.polygon(
        [
            (x - length, y),
            (x + length, y),
            (x + length * 0.6, y + length / 3),
            (x - length * 0.6, y + length / 3),
        ],
        fill=(60, 40, 30),
    )
    draw.polygon([(x, y - length * 1.6), (x, y - 4), (x + length * 0.9, y - 4)], fill=sail)


def blossom(seed: int, size: Size) -> Image.Image:
    """A branching tree in bloom."""
    rng = _rng(seed)
    sky, low, far, _, near, accent = _palette(rng)
    image = _gradient(size, low, sky)
    draw = ImageDraw.Draw(image)
    width, height = size
    draw.rectangle((0, height * 0.88, width, height), fill=far)
    tips: list[tuple[float, float]] = []

    def grow(x: float, y: float, angle: float, length: float, depth: int) -> None:
        x2, y2 = x + math.cos(angle) * length, y - math.sin(angle) * length
        draw.line((x, y, x2, y2), fill=near, width=max(1, 2 * depth))
        if depth == 0:
            tips.append((x2, y2))
            return
        for _ in range(2 + int(rng.random() < 0.4)):
            grow(x2, y2, angle + rng.uniform(-0.7, 0.7), length * rng.uniform(0.65, 0.85), depth - 1)

    grow(rng.uniform(0.25, 0.75) * width, height * 0.9, math.pi / 2 + rng.uniform(-0.3, 0.3), height * 0.2, 5)
    for x, y in tips:
        for _ in range(3):
            dx, dy, r = rng.normal(0, 8), rng.normal(0, 8), rng.uniform(3, 8)
            draw.ellipse((x + dx - r, y + dy - r, x + dx + r, y + dy + r), fill=accent)
    return _grain(image, rng)


def town(seed: int, size: Size) -> Image.Image:
    """Roofs and lit windows at dusk."""
    rng = _rng(seed)
    sky, low, far, middle, near, accent = _palette(rng)
    image = _gradient(size, sky, low)
    draw = ImageDraw.Draw(image)
    width, height = size
    for layer, colour in enumerate((far, middle, near)):
        x = -rng.uniform(0, 60)
        while x < width:
            w, top = rng.uniform(50, 130), height * (0.4 + 0.18 * layer + rng.uniform(-0.1, 0.1))
            draw.rectangle((x, top, x + w, height), fill=colour)
            peak = top - rng.uniform(10, 50)
            draw.polygon([(x - 6, top), (x + w / 2, peak), (x + w + 6, top)], fill=colour)
            for wy in np.arange(top + 16, height - 10, 34):
                for wx in np.arange(x + 10, x + w - 18, 26):
                    if rng.random() < 0.3:
                        draw.rectangle((wx, wy, wx + 10, wy + 14), fill=accent)
            x += w + rng.uniform(0, 14)
    return _grain(image, rng)


def abstract(seed: int, size: Size) -> Image.Image:
    """Planes and arcs."""
    rng = _rng(seed)
    colours = _palette(rng)
    width, height = size
    image = Image.new("RGB", size, colours[1])
    draw = ImageDraw.Draw(image, "RGBA")
    for _ in range(int(rng.integers(14, 26))):
        colour = (*colours[int(rng.integers(len(colours)))], int(rng.integers(120, 240)))
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        w, h = rng.uniform(30, width / 2), rng.uniform(30, height / 2)
        shape = int(rng.integers(3))
        if shape == 0:
            draw.rectangle((x, y, x + w, y + h), fill=colour)
        elif shape == 1:
            draw.pieslice(
                (x - w, y - w, x + w, y + w), rng.uniform(0, 360), rng.uniform(360, 720), fill=colour
            )
        else:
            points = [(x + rng.uniform(-w, w), y + rng.uniform(-h, h)) for _ in range(3)]
            draw.polygon(points, fill=colour)
    return _grain(image, rng, 3)


def still_life(seed: int, size: Size) -> Image.Image:
    """Fruit and a vase on a table, with soft shadows."""
    rng = _rng(seed)
    sky, low, far, middle, near, accent = _palette(rng)
    image = _gradient(size, near, middle)
    width, height = size
    draw = ImageDraw.Draw(image)
    table = height * rng.uniform(0.6, 0.72)
    draw.rectangle((0, table, width, height), fill=low)
    for index in range(int(rng.integers(3, 8))):
        r = rng.uniform(0.06, 0.13) * height
        x, y = rng.uniform(0.1, 0.9) * width, table + rng.uniform(-0.2, 0.6) * r
        draw.ellipse((x - r, y + r * 0.7, x + r * 1.6, y + r * 1.2), fill=far)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(accent, sky, far)[index % 3])
        draw.ellipse((x - r * 0.5, y - r * 0.6, x - r * 0.1, y - r * 0.2), fill=low)
    x, w = rng.uniform(0.25, 0.75) * width, rng.uniform(0.05, 0.1) * width
    top = table - rng.uniform(0.25, 0.4) * height
    outline = [(x - w / 2, top), (x + w / 2, top), (x + w, table), (x - w, table)]
    draw.polygon(outline, fill=sky)
    return _grain(image.filter(ImageFilter.GaussianBlur(1.2)), rng)


MOTIFS = (landscape, sea, blossom, town, abstract, still_life)
