"""Visible marks of the test set. Own code, own names, own blending; nothing of `curation.train` is used.

A family is one way of marking that stock agencies, sample scans and artists use. `mark` lays one over a
picture: `strength` is the mark's opacity where it is fullest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from benchmarks.detectors.views import Pixels

Rng = np.random.Generator
Cover = npt.NDArray[np.float32]

#: Opacities: what nobody overlooks, what one sees, what one has to look for.
STRENGTHS: Mapping[str, tuple[float, float]] = {
    "strong": (0.35, 0.65),
    "medium": (0.18, 0.35),
    "faint": (0.08, 0.18),
}

_LATIN = (
    "Fotomarkt", "pixelhaven", "StockPier", "imagedepot", "GALERIE NORD", "PREVIEW", "SAMPLE", "PROOF",
    "Halden & Voss", "viewvault", "artferry", "© Mira Kessel", "UNLICENSED", "lightquarry",
)  # fmt: skip
_KANA = (
    "サンプル", "見本", "試し読み", "写真素材館", "フォトの森", "複製見本", "画像市場", "絵の倉庫",
)  # fmt: skip
_URLS = (
    "www.stockpier.example", "pixelhaven.example", "@mirakessel", "fotomarkt.example/48213377",
    "© 2021 Halden Images", "viewvault.example", "instagram: artferry", "#48213377",
)  # fmt: skip


def _font(fonts: Sequence[Path], size: float, rng: Rng) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(fonts[int(rng.integers(len(fonts)))]), max(9, round(size)))


def _pick(words: Sequence[str], rng: Rng) -> str:
    return words[int(rng.integers(len(words)))]


def _text(words: str, font: ImageFont.FreeTypeFont, stroke: int = 0, hollow: bool = False) -> Image.Image:
    """The words as white on black, tight; `hollow` leaves their outline alone."""
    left, top, right, bottom = font.getbbox(words, stroke_width=stroke)
    image = Image.new("L", (max(1, math.ceil(right - left)), max(1, math.ceil(bottom - top))))
    draw = ImageDraw.Draw(image)
    draw.text((-left, -top), words, 255, font, stroke_width=stroke)
    if hollow:
        draw.text((-left, -top), words, 0, font)
    return image


def _fitted(words: str, fonts: Sequence[Path], width: float, rng: Rng, **options: bool) -> Image.Image:
    probe = _font(fonts, 100, rng)
    size = 100 * width / max(1.0, probe.getlength(words))
    font = probe.font_variant(size=max(9, round(size)))
    return _text(words, font, stroke=max(1, round(size / 24)) if options.get("hollow") else 0, **options)


def _tiled(tile: Image.Image, size: tuple[int, int], angle: float, gap: float, rng: Rng) -> Image.Image:
    """The tile over the whole plane, every other row shifted, turned by `angle` degrees."""
    side = math.ceil(math.hypot(*size)) + 2 * max(tile.size)
    plane = Image.new("L", (side, side))
    step_x, step_y = round(tile.width * (1 + gap)), round(tile.height * (1 + 3 * gap) + 8)
    shift = int(rng.integers(step_x))
    for row, y in enumerate(range(0, side, step_y)):
        for x in range(-shift - (row % 2) * step_x // 2, side, step_x):
            plane.paste(tile, (x, y))
    plane = plane.rotate(angle, Image.Resampling.BICUBIC)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    return plane.crop((left, top, left + size[0], top + size[1]))


def _placed(mark: Image.Image, size: tuple[int, int], x: float, y: float) -> Image.Image:
    """The mark with its middle at the shares `x`, `y` of a plane, pushed inside it."""
    plane = Image.new("L", size)
    left = min(max(0, round(x * size[0] - mark.width / 2)), max(0, size[0] - mark.width))
    top = min(max(0, round(y * size[1] - mark.height / 2)), max(0, size[1] - mark.height))
    plane.paste(mark, (left, top))
    return plane


def _logo(side: int, rng: Rng) -> Image.Image:
    """An invented sign: an aperture, a leaf, a mountain in a ring or a monogram of bars."""
    image = Image.new("L", (side, side))
    draw = ImageDraw.Draw(image)
    line = max(2, side // 16)
    kind = int(rng.integers(4))
    if kind == 0:
        draw.ellipse((line, line, side - line, side - line), outline=255, width=line)
        for n in range(6):
            turn = n * math.pi / 3 + 0.4
            inner, outer = 0.18 * side, 0.46 * side
            draw.line(
                (side / 2 + inner * math.cos(turn + 1.1), side / 2 + inner * math.sin(turn + 1.1),
                 side / 2 + outer * math.cos(turn), side / 2 + outer * math.sin(turn)), 255, line,
            )  # fmt: skip
    elif kind == 1:
        draw.pieslice((0, -side // 2, side, side), 0, 90, fill=255)
        draw.line((side // 6, side - side // 6, side - side // 6, side // 5), 0, line)
    elif kind == 2:
        draw.ellipse((line, line, side - line, side - line), outline=255, width=line)
        peaks = (0.18, 0.7), (0.42, 0.32), (0.56, 0.52), (0.68, 0.4), (0.84, 0.7)
        draw.polygon([(x * side, y * side) for x, y in peaks], fill=255)
    else:
        for n in range(4):
            height = side * rng.uniform(0.3, 0.95)
            draw.rectangle((n * side / 4 + line, side - height, (n + 1) * side / 4 - line, side), fill=255)
    return image


# --------------------------------------------------------------------------- families: where the mark covers


def _word(
    size: tuple[int, int], fonts: Sequence[Path], rng: Rng, words: Sequence[str] = _LATIN
) -> Image.Image:
    mark = _fitted(_pick(words, rng), fonts, size[0] * rng.uniform(0.4, 0.85), rng)
    mark = mark.rotate(rng.choice([0, 0, 20, 35, -30]), Image.Resampling.BICUBIC, expand=True)
    return _placed(mark, size, rng.uniform(0.45, 0.55), rng.uniform(0.4, 0.6))


def _tiles(size: tuple[int, int], fonts: Sequence[Path], rng: Rng) -> Image.Image:
    tile = _fitted(_pick(_LATIN, rng), fonts, max(size) * rng.uniform(0.1, 0.25), rng)
    return _tiled(tile, size, float(rng.choice([0, 20, 30, 45, -30])), rng.uniform(0.3, 0.9), rng)


def _grid(size: tuple[int, int], fonts: Sequence[Path], rng: Rng) -> Image.Image:
    """Crossing lines, a sign at each crossing, the agency's name in the middle."""
    plane = Image.new("L", size)
    draw = ImageDraw.Draw(plane)
    step, width = round(max(size) * rng.uniform(0.2, 0.35)), max(1, round(max(size) / 500))
    reach = size[0] + size[1]
    for offset in range(-reach, reach, step):
        draw.line((offset, 0, offset + size[1], size[1]), 150, width)
        draw.line((offset, size[1], offset + size[1], 0), 150, width)
    logo = _logo(max(16, step // 4), rng)
    for y in range(0, size[1] + step, step):
        for x in range(0, size[0] + step, step):
            plane.paste(255, (x - logo.width // 2, y - logo.height // 2), logo)
    name = _fitted(_pick(_LATIN, rng), fonts, size[0] * rng.uniform(0.3, 0.5), rng)
    return ImageChops.lighter(plane, _placed(name, size, 0.5, 0.5))


def _signs(size: tuple[int, int], fonts: Sequence[Path], rng: Rng) -> Image.Image:
    if rng.random() < 0.5:
        return _placed(_logo(round(min(size) * rng.uniform(0.25, 0.6)), rng), size, 0.5, 0.5)
    logo = _logo(round(min(size) * rng.uniform(0.08, 0.18)), rng)
    return _tiled(logo, size, float(rng.uniform(-20, 20)), rng.uniform(0.8, 1.6), rng)


def _footer(size: tuple[int, int], fonts: Sequence[Path], rng: Rng) -> Image.Image:
    """A bar across the foot with a name on the left and an asset number on the right, cut out of it."""
    height = max(16, round(size[1] * rng.uniform(0.05, 0.1)))
    bar = Image.new("L", (size[0], height), 200)
    font = _font(fonts, height * 0.62, rng)
    name, number = _pick(_LATIN, rng), _pick(_URLS, rng)
    ImageDraw.Draw(bar).text((height, height / 2), name, 0, font, "lm")
    if font.getlength(name) + font.getlength(number) < size[0] - 4 * height:
        ImageDraw.Draw(bar).text((size[0] - height, height / 2), number, 0, font, "rm")
    plane = Image.new("L", size)
    plane.paste(bar, (0, size[1] - height if rng.random() < 0.8 else 0))
    return plane


def _corner(size: tuple[int, int], fonts: Sequence[Path], rng: Rng) -> Image.Image:
    mark = _fitted(_pick(_URLS, rng), fonts, max(110, size[0] * rng.uniform(0.18, 0.35)), rng)
    return _placed(mark, size, float(rng.choice([0.16, 0.84])), float(rng.choice([0.07, 0.93])))


def _hollow(size: tuple[int, int], fonts: Sequence[Path], rng: Rng) -> Image.Image:
    mark = _fitted(_pick(_LATIN, rng), fonts, size[0] * rng.uniform(0.5, 0.85), rng, hollow=True)
    return _placed(mark.rotate(float(rng.uniform(-35, 35)), expand=True), size, 0.5, 0.5)


def _kana(size: tuple[int, int], fonts: Sequence[Path], rng: Rng) -> Image.Image:
    if rng.random() < 0.5:
        return _word(size, fonts, rng, _KANA)
    tile = _fitted(_pick(_KANA, rng), fonts, max(size) * rng.uniform(0.1, 0.22), rng)
    return _tiled(tile, size, float(rng.choice([0, 25, 40])), rng.uniform(0.4, 1.0), rng)


# --------------------------------------------------------------------------- how it lies on the picture


def _light(base: Cover, cover: Cover, rng: Rng) -> Cover:
    under = float((base * cover).sum() / (3 * cover.sum() + 1e-6))
    ink = np.float32(20 if under > 190 else 255)
    return base * (1 - cover) + ink * cover


def _colour(base: Cover, cover: Cover, rng: Rng) -> Cover:
    ink = rng.uniform(0, 255, 3).astype(np.float32)
    ink[int(rng.integers(3))] = 255
    mode = int(rng.integers(3))
    multiplied, screened = base * ink / 255, 255 - (255 - base) * (255 - ink) / 255
    return base * (1 - cover) + (multiplied, screened, np.broadcast_to(ink, base.shape))[mode] * cover


def _raised(base: Cover, cover: Cover, rng: Rng) -> Cover:
    """Lit from one side, as if the mark stood out of the picture."""
    soft = np.asarray(
        Image.fromarray((cover[..., 0] * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1))
    )
    reach = int(rng.integers(1, 3))
    edge = np.roll(soft, (reach, reach), (0, 1)).astype(np.float32) - np.roll(soft, (-reach, -reach), (0, 1))
    lit: Cover = base - edge[..., None] * np.float32(1.2)
    return lit


Shape = Callable[[tuple[int, int], Sequence[Path], Rng], Image.Image]
Blend = Callable[[Cover, Cover, Rng], Cover]

#: Name -> (where it covers, how it is blended, the script whose fonts it needs).
FAMILIES: Mapping[str, tuple[Shape, Blend, str]] = {
    "word": (_word, _light, "latin"),
    "tiled words": (_tiles, _light, "latin"),
    "line grid and signs": (_grid, _light, "latin"),
    "signs": (_signs, _light, "latin"),
    "footer bar": (_footer, _light, "latin"),
    "corner name or URL": (_corner, _light, "latin"),
    "embossed": (_word, _raised, "latin"),
    "outline": (_hollow, _light, "latin"),
    "colour, multiply, screen": (_word, _colour, "latin"),
    "Japanese": (_kana, _light, "japanese"),
}


def mark(pixels: Pixels, family: str, strength: str, fonts: Sequence[Path], rng: Rng) -> Pixels:
    """`pixels` with one mark of the family laid over it. `fonts` are of the family's script."""
    shape, blend, _ = FAMILIES[family]
    height, width = pixels.shape[:2]
    low, high = STRENGTHS[strength]
    cover = np.asarray(shape((width, height), fonts, rng), np.float32)[..., None] / 255
    marked = blend(pixels.astype(np.float32), np.asarray(cover * rng.uniform(low, high), np.float32), rng)
    return np.clip(np.round(marked), 0, 255).astype(np.uint8)
