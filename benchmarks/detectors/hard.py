"""Modern pictures that a careless detector takes for marked, written on or perturbed, and that are clean."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps
from scipy.ndimage import gaussian_filter

from benchmarks.detectors.views import Pixels

Rng = np.random.Generator
Fonts = Mapping[str, Sequence[Path]]

_SIGNS = (
    "BAKERY", "OPEN 24 HOURS", "CAFE LUNA", "HOTEL", "NO PARKING", "EXIT", "Main Street 14",
    "SALE -50%", "Fish & Chips", "PLATFORM 3", "POST OFFICE", "NO SMOKING", "STOP", "TAXI", "Ausgang",
    "Défense d'afficher", "PHOTO STUDIO", "FREE WIFI", "Museum of AI History", "DO NOT ENTER",
)  # fmt: skip
_SIGNS_JA = (
    "営業中", "喫茶 銀河", "立入禁止", "駐車禁止", "薬局", "本日定休日", "写真館", "止まれ", "出口",
    "禁煙", "人工知能学会", "古書 山田屋", "火気厳禁", "無断駐車禁止",
)  # fmt: skip
_SPOKEN = (
    "WAIT! WHAT WAS THAT?", "I told you so.", "RUN!!", "Is this the way to the moon?", "...",
    "No. Never.", "KRAAAK", "Who drew this?", "We have no time for AI jokes",
    "Meanwhile, in the harbour",
)  # fmt: skip
_SPOKEN_JA = (
    "待って!", "なんだこれは", "行くぞ", "まさか……", "学習するのだ", "禁止だと?", "絵を描こう",
    "おはよう",
)  # fmt: skip
_MENU = (
    "File", "Edit", "View", "Insert", "Format", "Tools", "Window", "Help", "Save as...", "Preferences",
    "Do you want to save your changes?", "Downloads (3)", "Training in progress", "AI settings",
    "Copyright", "https://docs.example/install", "user@example.com", "Error 404: page not found",
    "© 2023 Example Ltd.",
)  # fmt: skip


def _font(fonts: Sequence[Path], size: float, rng: Rng) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(fonts[int(rng.integers(len(fonts)))]), max(9, round(size)))


def _pick(words: Sequence[str], rng: Rng) -> str:
    return words[int(rng.integers(len(words)))]


def _uint8(values: npt.NDArray[np.floating]) -> Pixels:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def _shades(rng: Rng, low: int = 0, high: int = 256) -> tuple[int, int, int]:
    red, green, blue = (int(v) for v in rng.integers(low, high, 3))
    return red, green, blue


def scene_text(pixels: Pixels, fonts: Fonts, rng: Rng) -> Pixels:
    """Signs and shirts: lettering in perspective, under the light and the grain of the scene."""
    height, width = pixels.shape[:2]
    scene = Image.fromarray(pixels)
    for _ in range(int(rng.integers(1, 4))):
        japanese = rng.random() < 0.35
        words = _pick(_SIGNS_JA if japanese else _SIGNS, rng)
        font = _font(fonts["japanese" if japanese else "latin"], 64, rng)
        ground = _shades(rng)
        board = Image.new("RGBA", (round(font.getlength(words)) + 60, 110), (*ground, 255))
        light = sum(ground) < 380
        pen = ImageDraw.Draw(board)
        pen.text((30, 55), words, _shades(rng, 200) if light else _shades(rng, 0, 60), font, "lm")
        pen.rectangle((0, 0, board.width - 1, 109), outline=_shades(rng, 0, 120), width=4)
        wide = width * rng.uniform(0.15, 0.45)
        corners = _tilted(wide, wide * board.height / board.width, rng)
        x, y = rng.uniform(0, width - wide), rng.uniform(0, height * 0.8)
        placed = board.transform(
            scene.size,
            Image.Transform.PERSPECTIVE,
            _perspective([(x + a, y + b) for a, b in corners], board.size),
            Image.Resampling.BICUBIC,
        )
        lit = np.asarray(placed, np.float32)
        under = np.asarray(scene.convert("L").filter(ImageFilter.GaussianBlur(25)), np.float32)[..., None]
        lit[..., :3] = lit[..., :3] * (0.45 + 0.55 * under / 255) + rng.normal(0, 4, lit.shape[:2])[..., None]
        scene.paste(Image.fromarray(_uint8(lit[..., :3])), mask=placed.getchannel("A"))
    return np.asarray(scene)


def _tilted(wide: float, high: float, rng: Rng) -> list[tuple[float, float]]:
    slip = rng.uniform(-0.18, 0.18, (4, 2)) * (wide * 0.4, high)
    flat = ((0, 0), (wide, 0), (wide, high), (0, high))
    return [(x + dx, y + dy) for (x, y), (dx, dy) in zip(flat, slip, strict=True)]


def _perspective(target: Sequence[tuple[float, float]], size: tuple[int, int]) -> list[float]:
    """Pillow's eight coefficients that draw a plane of `size` into the four corners of `target`."""
    source = ((0, 0), (size[0], 0), (size[0], size[1]), (0, size[1]))
    rows, values = [], []
    for (x, y), (u, v) in zip(target, source, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return [float(c) for c in np.linalg.solve(np.array(rows), np.array(values, float))]


def comics(pixels: Pixels, fonts: Fonts, rng: Rng) -> Pixels:
    """A page of panels: drawings with few tones or screen dots, balloons with words, sound words."""
    height, width = pixels.shape[:2]
    page = Image.new("RGB", (width, height), "white")
    rows = int(rng.integers(2, 4))
    japanese = rng.random() < 0.5
    for row in range(rows):
        columns = int(rng.integers(1, 4))
        for column in range(columns):
            box = (
                round(width * (column / columns) + 8),
                round(height * (row / rows) + 8),
                round(width * ((column + 1) / columns) - 8),
                round(height * ((row + 1) / rows) - 8),
            )
            page.paste(_panel(pixels, (box[2] - box[0], box[3] - box[1]), rng), box[:2])
            pen = ImageDraw.Draw(page)
            pen.rectangle(box, outline="black", width=3)
            _balloon(pen, box, fonts["japanese" if japanese else "latin"], japanese, rng)
    return np.asarray(page)


def _panel(pixels: Pixels, size: tuple[int, int], rng: Rng) -> Image.Image:
    height, width = pixels.shape[:2]
    top, left = int(rng.integers(max(1, height // 2))), int(rng.integers(max(1, width // 2)))
    part = Image.fromarray(pixels[top : top + height // 2, left : left + width // 2])
    part = ImageOps.fit(part, size).filter(ImageFilter.ModeFilter(5))
    grey = part.convert("L")
    lines = grey.filter(ImageFilter.FIND_EDGES).point(lambda v: 0 if v > 40 else 255)
    tones = ImageOps.posterize(part, 2) if rng.random() < 0.5 else grey.convert("1").convert("RGB")
    return Image.composite(tones.convert("RGB"), Image.new("RGB", size), lines)


def _balloon(
    pen: ImageDraw.ImageDraw, box: tuple[int, int, int, int], fonts: Sequence[Path], japanese: bool, rng: Rng
) -> None:
    wide, high = box[2] - box[0], box[3] - box[1]
    font = _font(fonts, min(wide, high) * rng.uniform(0.06, 0.1), rng)
    words = _pick(_SPOKEN_JA if japanese else _SPOKEN, rng)
    half = min(font.getlength(words) / 2 + font.size, wide * 0.48)
    x, y = box[0] + wide / 2, box[1] + high * rng.uniform(0.15, 0.35)
    pen.ellipse((x - half, y - font.size * 1.3, x + half, y + font.size * 1.3), "white", "black", 2)
    pen.text((x, y), words, "black", font, "mm")


def screenshot(pixels: Pixels, fonts: Fonts, rng: Rng) -> Pixels:
    """A desktop: windows with menus, forms, running text, and the picture in one of them."""
    height, width = pixels.shape[:2]
    dark = rng.random() < 0.4
    ground, ink = ((32, 34, 40), (225, 225, 225)) if dark else ((246, 246, 248), (25, 25, 25))
    screen = Image.new("RGB", (width, height), ground)
    pen = ImageDraw.Draw(screen)
    size = max(11, round(height / rng.uniform(34, 48)))
    font = _font(fonts["latin"], size, rng)
    pen.rectangle((0, 0, width, size * 2.2), tuple(max(0, v - 22) for v in ground))
    x = size
    for words in _MENU[:8]:
        pen.text((x, size * 1.1), words, ink, font, "lm")
        x += round(font.getlength(words)) + size
    side = round(width * 0.22)
    for n in range(int(height / (size * 2.4)) - 2):
        pen.text((size, size * (4 + 2.2 * n)), _pick(_MENU, rng)[:18], ink, font, "lm")
    for n in range(int(height / (size * 1.6))):
        line = " ".join(_pick((*_MENU, *_SIGNS, *_SPOKEN), rng) for _ in range(6))
        pen.text((side, size * (4 + 1.5 * n)), line[: round((width - side) / size * 1.8)], ink, font, "lm")
    shown = ImageOps.contain(Image.fromarray(pixels), (round(width * 0.45), round(height * 0.45)))
    screen.paste(shown, (round(width * 0.5), round(height * rng.uniform(0.2, 0.5))))
    pen.rectangle((round(width * 0.3), height - size * 5, round(width * 0.6), height - size * 2), ground, ink)
    pen.text((round(width * 0.32), height - size * 3.5), _pick(_MENU, rng), ink, font, "lm")
    return np.asarray(screen)


def film_grain(pixels: Pixels, fonts: Fonts, rng: Rng) -> Pixels:
    """Silver or dye grain, coarser than a pixel, strongest in the middle tones; sometimes high ISO noise."""
    height, width = pixels.shape[:2]
    strength = rng.uniform(5, 24)
    grain = rng.normal(0, 1, (height, width, 3 if rng.random() < 0.5 else 1)).astype(np.float32)
    if rng.random() < 0.7:
        radius = rng.uniform(0.4, 1.1)
        for channel in range(grain.shape[2]):
            grain[..., channel] = gaussian_filter(grain[..., channel], radius)
        grain /= grain.std()
    tone = pixels.mean(2, keepdims=True) / 255
    return _uint8(pixels + grain * strength * (0.35 + 2.6 * tone * (1 - tone)))


def halftone(pixels: Pixels, fonts: Fonts, rng: Rng) -> Pixels:
    """Printed dots: one screen in black, or four in colour, each at its own angle."""
    height, width = pixels.shape[:2]
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    pitch = rng.uniform(3.5, 9)
    inks = [(1 - pixels.mean(2) / 255, 0.785, (20, 20, 25))]
    if rng.random() < 0.6:
        cmy = 1 - pixels.astype(np.float32) / 255
        key = cmy.min(2) * 0.7
        colours = ((0, 160, 225), (225, 10, 125), (250, 235, 0))
        angles = (0.26, 1.31, 0.0)
        inks = [(cmy[..., n] - key, angles[n], colours[n]) for n in range(3)] + [(key, 0.785, (20, 20, 25))]
    sheet = np.full((height, width, 3), 250, np.float32)
    for amount, angle, ink in inks:
        u = (xs * math.cos(angle) + ys * math.sin(angle)) * 2 * math.pi / pitch
        v = (ys * math.cos(angle) - xs * math.sin(angle)) * 2 * math.pi / pitch
        screen = (np.cos(u) + np.cos(v)) / 4 + 0.5
        cover = np.clip((amount - screen) * 3 + 0.5, 0, 1)[..., None]
        sheet *= 1 - cover * (1 - np.array(ink, np.float32) / 255)
    return _uint8(sheet)


def line_art(pixels: Pixels, fonts: Fonts, rng: Rng) -> Pixels:
    """Pen drawing: outlines, and hatching where it is dark; on white or tinted paper."""
    grey = Image.fromarray(pixels).convert("L").filter(ImageFilter.GaussianBlur(1.2))
    values = np.asarray(grey, np.float32)
    down, across = np.gradient(values)
    lines = np.hypot(down, across) > np.quantile(np.hypot(down, across), 0.92)
    height, width = values.shape
    ys, xs = np.mgrid[0:height, 0:width]
    step = int(rng.integers(4, 8))
    hatch = ((xs + ys) % step == 0) & (values < 110) | ((xs - ys) % step == 0) & (values < 60)
    paper = np.array([255, 255, 255] if rng.random() < 0.5 else [244, 236, 216], np.float32)
    sheet = np.where((lines | hatch)[..., None], np.array([25, 22, 30], np.float32), paper)
    drawn = Image.fromarray(_uint8(sheet)).filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.7)))
    return np.asarray(drawn)


def night(pixels: Pixels, fonts: Fonts, rng: Rng) -> Pixels:
    """Little light: crushed tones, lamps with haloes, shot and read noise, and a camera's own JPEG."""
    height, width = pixels.shape[:2]
    dim = (pixels / 255.0) ** rng.uniform(1.6, 2.4) * rng.uniform(0.25, 0.5) * np.array([0.85, 0.9, 1.1])
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    for _ in range(int(rng.integers(2, 9))):
        y, x, r = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(2, 9)
        near = np.hypot(ys - y, xs - x)
        glow = np.exp(-((near / r) ** 2)) + 0.25 * np.exp(-near / (r * 6))
        dim += glow[..., None] * rng.uniform([0.7, 0.5, 0.3], [1, 0.9, 0.7])
    photons = rng.uniform(60, 300)
    noisy = rng.poisson(np.clip(dim, 0, 1) * photons) / photons + rng.normal(0, 0.02, dim.shape)
    file = BytesIO()
    Image.fromarray(_uint8(noisy * 255)).save(file, "JPEG", quality=92)
    return np.asarray(Image.open(file))


#: Name in the tables -> what it makes of a photograph.
KINDS: Mapping[str, Callable[[Pixels, Fonts, Rng], Pixels]] = {
    "scene text": scene_text,
    "comics": comics,
    "screenshots": screenshot,
    "film grain": film_grain,
    "halftone": halftone,
    "line art": line_art,
    "night photos": night,
}
