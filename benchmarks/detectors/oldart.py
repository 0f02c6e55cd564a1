"""Old art that looks marked, written on or tampered with, and is not: the pictures we exist for.

Each function lays over a picture what time, makers and museums leave on theirs. The false alarms on these
are counted by kind. Beside them stand real paintings and prints (`benchmarks.detectors.sources.paintings`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from benchmarks.detectors.views import Pixels

Rng = np.random.Generator
Fonts = Mapping[str, Sequence[Path]]  # by script
Plane = npt.NDArray[np.float32]

_SIGNED = (
    "J. Vermeer", "Monet 84", "C. Corot", "A. Renoir", "P. Bril f. 1612", "Th. Rousseau", "HvG 1651",
    "E. Degas", "I. Repin 1887", "W. Homer", "C.D.F.", "M. Cassatt", "J. Constable 1821",
)  # fmt: skip
_SEALS = "北斎為一廣重歌川國芳英泉寿印春信雪舟松竹梅鶴亀山水書画之"
_CARTOUCHES = (
    "冨嶽三十六景", "神奈川沖浪裏", "東海道五十三次", "名所江戸百景", "木曽街道六十九次",
    "近江八景之内", "諸国瀧廻り", "前北斎為一筆", "一立斎廣重画", "歌川國芳画",
)  # fmt: skip
_STAMPS = (
    "MUSEUM ART", "STAATLICHE MUSEEN", "RIJKSPRENTENKABINET", "BRITISH MVSEVM", "BIBLIOTHECA REGIA",
    "KUNSTHALLE", "COLLECTION LUGT", "ROYAL LIBRARY",
)  # fmt: skip
_NUMBERS = (
    "1912,0415.0.3", "RP-P-1956-733", "Inv. 4711", "No. 236", "JP1847", "1949.3.27", "F.1906-102",
    "II,5.44",
)  # fmt: skip
_CAPTIONS = (
    "Rembrandt van Rijn inv. et fecit 1634", "Painted by Sir J. Reynolds. Engraved by V. Green.",
    "Published according to Act of Parliament, Novr 1st 1788, by J. Boydell, London.",
    "Gezicht op de Nieuwe Kerk te Amsterdam", "Vue perspective du Pont Neuf", "Tab. XXIV. Fig. 3.",
    "N. Poussin pinxit.   G. Audran sculp.", "VEDUTA DEL CAMPIDOGLIO DI FIANCO",
)  # fmt: skip
_PLACES = (
    "MARE GERMANICUM", "Londinium", "OCEANUS", "Vienna", "Hollandia", "Terra incognita", "Insula Creta",
    "Roma", "GALLIA", "Praga", "Lacus Lemanus", "REGNUM HUNGARIÆ", "Sinus Persicus", "Edo", "Nagasaki",
)  # fmt: skip


def _font(fonts: Sequence[Path], size: float, rng: Rng) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(fonts[int(rng.integers(len(fonts)))]), max(9, round(size)))


def _noise(size: tuple[int, int], grain: float, rng: Rng) -> Plane:
    """Smooth noise of mean 0 and deviation about 1, (height, width); `grain` is its size in pixels."""
    width, height = size
    small = rng.normal(0, 1, (max(2, round(height / grain) + 2), max(2, round(width / grain) + 2)))
    image = Image.fromarray(small.astype(np.float32)).resize(size, Image.Resampling.BICUBIC)
    plane = np.asarray(image)
    return np.asarray((plane - plane.mean()) / (plane.std() + 1e-6), np.float32)


def _inked(pixels: Pixels, cover: Image.Image, ink: Sequence[float], rng: Rng, wear: float = 0.35) -> Pixels:
    """Ink soaked into the picture where `cover` says, worn by the grain of what it lies on."""
    soft = np.asarray(cover.filter(ImageFilter.GaussianBlur(0.6)), np.float32)[..., None] / 255
    worn = np.clip(1 - wear * np.abs(_noise(cover.size, 2.5, rng)), 0.2, 1)[..., None]
    mixed = pixels * (1 - soft * worn) + np.asarray(ink, np.float32) * soft * worn
    return _uint8(mixed)


def _uint8(values: npt.NDArray[np.floating]) -> Pixels:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def _plane(pixels: Pixels) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("L", (pixels.shape[1], pixels.shape[0]))
    return image, ImageDraw.Draw(image)


def _pick(words: Sequence[str], rng: Rng) -> str:
    return words[int(rng.integers(len(words)))]


# --------------------------------------------------------------------------- what makers leave


def signature(pixels: Pixels, fonts: Fonts, rng: Rng) -> Pixels:
    """A painter's name in a lower corner, in a colour of the painting."""
    height, width = pixels.shape[:2]
    cover, draw = _plane(pixels)
    font = _font(fonts["hand"], min(height, width) * rng.uniform(0.035, 0.06), rng)
    words = _pick(_SIGNED, rng)
    right = rng.random() < 0.75
    place = (width * (0.96 if right else 0.04), height * rng.uniform(0.92, 0.97))
    draw.text(place, words, 255, font, "rs" if right else "ls")
    cover = cover.rotate(rng.uniform(-4, 4), Image.Resampling.BICUBIC, center=place)
    shade = pixels.reshape(-1, 3)[int(rng.integers(height * width))].astype(np.float32)
    ink = shade * 0.25 if pixels[-height // 8 :].mean() > 100 else 255 - (255 - shade) * 0.4
    return _inked(pixels, cover, ink, rng)


def seal(pixels: Pixels, fonts: Fonts, rng: Rng) -> Pixels:
    """One or two red seals, the signs white in red or red in a frame."""
    height, width = pixels.shape[:2]
    cover, draw = _plane(pixels)
    side = min(height, width) * rng.uniform(0.05, 0.09)
    x, y = width * rng.uniform(0.05, 0.9), height * rng.uniform(0.55, 0.8)
    for n in range(int(rng.integers(1, 3))):
        top = y + n * side * 1.25
        box = (x, top, x + side, top + side)
        filled = rng.random() < 0.5
        draw.rounded_rectangle(box, side / 8, 255 if filled else 0, 255, max(2, round(side / 14)))
        font = _font(fonts["japanese"], side * 0.4, rng)
        for k in range(4):
            spot = (x + side * (0.28 + 0.44 * (k % 2)), top + side * (0.28 + 0.44 * (k // 2)))
            draw.text(spot, _pick(_SEALS, rng), 0 if filled else 255, font, "mm")
    return _inked(pixels, cover, (178, rng.uniform(20, 60), 40), rng, 0.5)


def cartouche(pixels: Pixels, fonts: Fonts, rng: Rng) -> Pixels:
    """The title of a print in an upright box, with the maker's name beside it."""
    height, width = pixels.shape[:2]
    size = height * rng.uniform(0.025, 0.04)
    title, name = _pick(_CARTOUCHES, rng), _pick(_CARTOUCHES, rng)
    x, y = width * (0.9 if rng.random() < 0.6 else 0.06), height * 0.05
    box = (x - size * 0.3, y - size * 0.3, x + size * 1.3, y + size * 1.1 * len(title) + size * 0.3)
    canvas = Image.fromarray(pixels)
    ImageDraw.Draw(canvas).rectangle(
        box, fill=tuple(int(v) for v in rng.uniform([190, 150, 90], [250, 235, 200]))
    )
    cover, draw = _plane(pixels)
    draw.rectangle(box, outline=255, width=max(1, round(size / 12)))
    font = _font(fonts["japanese"], size, rng)
    for column, words in ((x, title), (x - size * 1.9, name)):
        for n, sign in enumerate(words):
            draw.text((column + size / 2, y + size * (0.55 + 1.1 * n)), sign, 255, font, "mm")
    return _inked(np.asarray(canvas), cover, (30, 26, 24), rng, 0.25)


# --------------------------------------------------------------------------- what museums leave


def stamp(pixels: Pixels, fonts: Fonts, rng: Rng) -> Pixels:
    """A collector's round stamp and an inventory number in ink or pencil."""
    height, width = pixels.shape[:2]
    cover, draw = _plane(pixels)
    side = min(height, width) * rng.uniform(0.1, 0.16)
    ring = Image.new("L", (round(side), round(side)))
    pen = ImageDraw.Draw(ring)
    line = max(2, round(side / 30))
    pen.ellipse((1, 1, side - 2, side - 2), outline=255, width=line)
    pen.ellipse((side * 0.27, side * 0.27, side * 0.73, side * 0.73), outline=255, width=line)
    words = _pick(_STAMPS, rng)
    font = _font(fonts["latin"], side * 0.14, rng)
    for n, letter in enumerate(words):
        turn = 2 * math.pi * n / len(words)
        tile = Image.new("L", (round(side * 0.24),) * 2)
        ImageDraw.Draw(tile).text((tile.width / 2, tile.height / 2), letter, 255, font, "mm")
        tile = tile.rotate(-math.degrees(turn), Image.Resampling.BICUBIC)
        centre = side / 2 + 0.38 * side * math.sin(turn), side / 2 - 0.38 * side * math.cos(turn)
        ring.paste(255, (round(centre[0] - tile.width / 2), round(centre[1] - tile.height / 2)), tile)
    ring = ring.rotate(rng.uniform(-40, 40), Image.Resampling.BICUBIC)
    cover.paste(ring, (round(rng.uniform(0.05, 0.8) * width), round(rng.uniform(0.7, 0.82) * height)))
    inks = (40, 50, 120), (150, 40, 50), (50, 50, 50)
    stamped = _inked(pixels, cover, inks[int(rng.integers(3))], rng, 0.6)
    cover, draw = _plane(pixels)
    font = _font(fonts["hand"], min(height, width) * rng.uniform(0.028, 0.045), rng)
    draw.text(
        (width * rng.uniform(0.05, 0.7), height * rng.uniform(0.03, 0.1)), _pick(_NUMBERS, rng), 255, font
    )
    return _inked(stamped, cover, (60, 55, 60), rng, 0.5)


def engraved_caption(pixels: Pixels, fonts: Fonts, rng: Rng) -> Pixels:
    """The picture as a plate on paper, makers and title engraved below it."""
    height, width = pixels.shape[:2]
    foot, edge = round(height * 0.13), round(width * 0.04)
    paper = np.full((height, width, 3), rng.uniform([225, 212, 180], [248, 240, 222]), np.float32)
    paper += _noise((width, height), 40, rng)[..., None] * 4
    plate = Image.fromarray(pixels).resize((width - 2 * edge, height - foot - edge), Image.Resampling.LANCZOS)
    grey = np.asarray(plate.convert("L"), np.float32)[..., None] * np.array([1, 0.96, 0.88], np.float32)
    paper[edge : edge + grey.shape[0], edge : edge + grey.shape[1]] = grey
    page = _uint8(paper)
    cover, draw = _plane(page)
    small, big = _font(fonts["latin"], foot * 0.15, rng), _font(fonts["latin"], foot * 0.24, rng)
    y = edge + grey.shape[0]
    draw.text((edge, y + foot * 0.08), _pick(_CAPTIONS, rng)[:38], 255, small)
    draw.text((width / 2, y + foot * 0.5), _pick(_CAPTIONS, rng), 255, big, "mm")
    return _inked(page, cover, (50, 42, 36), rng, 0.2)


def map_lettering(pixels: Pixels, fonts: Fonts, rng: Rng) -> Pixels:
    """A sheet of coasts, hatched shores, graticule and names in every direction."""
    height, width = pixels.shape[:2]
    sheet = np.full((height, width, 3), rng.uniform([222, 206, 165], [245, 235, 208]), np.float32)
    land = _noise((width, height), max(height, width) / rng.uniform(3, 6), rng)
    tints = rng.uniform([190, 170, 120], [235, 215, 190], (3, 3))
    for n, level in enumerate((0.0, 0.7, 1.3)):
        sheet = np.where((land > level)[..., None], sheet * 0.3 + tints[n] * 0.7, sheet)
    coast = np.abs(land) < 0.025
    hatch = (np.abs(land + 0.12) < 0.1) & (np.arange(height) % 5 == 0)[:, None]
    sheet[coast | hatch] = (70, 55, 45)
    page = _uint8(sheet + _noise((width, height), 30, rng)[..., None] * 4)
    cover, draw = _plane(page)
    for n in range(1, 6):
        draw.line((0, n * height / 6, width, n * height / 6), 90, 1)
        draw.line((n * width / 6, 0, n * width / 6, height), 90, 1)
    cover_names = Image.new("L", cover.size)
    for _ in range(int(rng.integers(12, 26))):
        words = _pick(_PLACES, rng)
        font = _font(fonts["latin"], min(height, width) * rng.uniform(0.018, 0.05), rng)
        tile = Image.new("L", (round(font.getlength(words)) + 8, round(font.size * 1.5)))
        ImageDraw.Draw(tile).text((4, tile.height / 2), words, 255, font, "lm")
        tile = tile.rotate(rng.choice([0, 0, 0, 20, -30, 60]), Image.Resampling.BICUBIC, expand=True)
        cover_names.paste(
            255, (round(rng.uniform(-0.1, 0.9) * width), round(rng.uniform(0, 0.95) * height)), tile
        )
    cover = Image.fromarray(np.maximum(np.asarray(cover), np.asarray(cover_names)))
    return _inked(page, cover, (55, 40, 34), rng, 0.2)


# --------------------------------------------------------------------------- what time leaves


def craquelure(pixels: Pixels, fonts: Fonts, rng: Rng) -> Pixels:
    """A net of cracks, dark with a light lip."""
    from scipy.spatial import cKDTree

    height, width = pixels.shape[:2]
    cell = min(height, width) / rng.uniform(18, 45)
    count = int(height * width / cell**2)
    points = rng.uniform([0, 0], [height, width], (count, 2))
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    ys += _noise((width, height), 9, rng) * cell * 0.12
    xs += _noise((width, height), 9, rng) * cell * 0.12
    near, _ = cKDTree(points).query(np.stack([ys.ravel(), xs.ravel()], 1), 2)
    gap = (near[:, 1] - near[:, 0]).reshape(height, width)
    depth = np.clip(rng.uniform(0.3, 0.8) + 0.4 * _noise((width, height), 120, rng), 0, 1)
    crack = np.clip(1 - gap / 1.3, 0, 1) * depth
    lip = np.roll(crack, (1, 1), (0, 1)) * 0.25
    return _uint8(pixels * (1 - 0.75 * crack[..., None]) + 60 * lip[..., None])


def foxing(pixels: Pixels, fonts: Fonts, rng: Rng) -> Pixels:
    """Brown spots of old paper, of every size, and a darkened edge."""
    height, width = pixels.shape[:2]
    spots = np.zeros((height, width), np.float32)
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    for _ in range(int(rng.integers(15, 60))):
        y, x, r = rng.uniform(0, height), rng.uniform(0, width), rng.gamma(2, min(height, width) / 180)
        spots = np.maximum(
            spots, np.exp(-(((ys - y) ** 2 + (xs - x) ** 2) / (2 * r * r + 1))) * rng.uniform(0.2, 0.7)
        )
    edge = np.minimum.reduce([ys, xs, height - ys, width - xs]) / min(height, width)
    spots = np.clip(spots + 0.25 * np.exp(-edge * 12) + 0.03 * _noise((width, height), 6, rng), 0, 0.8)[
        ..., None
    ]
    aged = pixels * np.array([0.97, 0.93, 0.82], np.float32)
    return _uint8(aged * (1 - spots) + np.array([150, 100, 55], np.float32) * spots)


def canvas(pixels: Pixels, fonts: Fonts, rng: Rng) -> Pixels:
    """Threads of linen that show through the paint, lit from one side."""
    height, width = pixels.shape[:2]
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    pitch, turn = rng.uniform(2.6, 6), rng.uniform(-0.06, 0.06)
    u = (xs + turn * ys + _noise((width, height), 30, rng)) / pitch
    v = (ys - turn * xs + _noise((width, height), 30, rng)) / pitch
    over = (np.floor(u) + np.floor(v)) % 2
    relief = np.where(over > 0, np.sin(np.pi * (u % 1)), np.sin(np.pi * (v % 1))) - 0.6
    light = relief * rng.uniform(6, 16) * (0.8 + 0.2 * _noise((width, height), 50, rng))
    return _uint8(pixels + light[..., None] + rng.normal(0, 2, (height, width, 1)))


def paper(pixels: Pixels, fonts: Fonts, rng: Rng) -> Pixels:
    """Laid paper: fine wire lines, chain lines across them, fibres; the picture is printed on it."""
    height, width = pixels.shape[:2]
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    wire, chain = rng.uniform(2.5, 5), min(height, width) / rng.uniform(6, 12)
    lines = np.sin(2 * np.pi * (ys + 0.6 * _noise((width, height), 60, rng)) / wire) * rng.uniform(2.5, 6)
    lines += np.exp(-(((xs % chain) - chain / 2) ** 2) / 3) * -rng.uniform(5, 12)
    fibres = _noise((width, height), 1.6, rng) * rng.uniform(2, 5) + _noise((width, height), 14, rng) * 2
    printed = 30 + pixels.astype(np.float32) * np.array([0.86, 0.84, 0.76], np.float32)
    return _uint8(printed + (lines + fibres)[..., None])


#: Name in the tables -> what it lays over a painting.
KINDS: Mapping[str, Callable[[Pixels, Fonts, Rng], Pixels]] = {
    "painted signatures": signature,
    "red seals": seal,
    "ukiyo-e cartouches": cartouche,
    "museum stamps, inventory numbers": stamp,
    "engraved captions": engraved_caption,
    "map lettering": map_lettering,
    "craquelure": craquelure,
    "foxing": foxing,
    "canvas weave": canvas,
    "paper weave": paper,
}
