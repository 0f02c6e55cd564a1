"""Visible marks drawn by code: text, logos, stock-agency layouts. Nothing here is anybody's mark.

A mark is a `Stamp`: where it covers, and how light it is there. `curation.train.overlay.blending` lays it
over a picture. Layouts follow what agencies and artists really use (crossing lines with a repeated name, a
credit box, a grid of letters, a name with an asset number, a handle in a corner), with invented names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from curation.nets.overlay import KINDS

Layer = npt.NDArray[np.uint8]
Rng = np.random.Generator

_SYLLABLES = (
    "pix", "foto", "lu", "ma", "ra", "vi", "sta", "ima", "go", "ka", "shu", "ter", "dre", "am", "sto", "ck",
    "gra", "bo", "ta", "mi", "no", "ze", "lo", "cam", "ar", "te", "fi", "no", "va", "len", "so",
)  # fmt: skip
_TAILS = ("stock", "images", "photo", "pics", "graphy", "studio", "art", "archive", "press", "media", "")
_NAMES = ("Anna Lee", "J. Moreau", "K. Sato", "Marta Ruiz", "T. Okafor", "Lena Graf", "P. Novak", "Ivy Chan")
_KANA = "アイウエオカキクケコサシスセソタチツテトナニヌネノマミムメモラリルレロ"
_KANJI = "写真画像素材絵美術館風花月山川光空見本試用工房堂社"
_HAN = "图片素材网样张版权所有视觉中国摄影设计水印"
_HANGUL = "사진이미지견본무단전재금지작가그림저작권워터마크한국빛하늘"
_CYRILLIC = "фотобанкобразецкартинагалереясветснимок"
_NOTICES = {
    "latin": (
        "NO AI", "NO AI TRAINING", "Do not use for AI training", "DO NOT REPOST", "Do not repost or edit",
        "No reposts / no AI", "AI learning prohibited", "Do not feed to AI", "No scraping", "KEINE KI",
        "Pas d'IA", "NO IA", "Reproduction prohibited", "Do not use without permission",
    ),
    "japanese": (
        "AI学習禁止", "無断転載禁止", "無断転載・AI学習禁止", "転載禁止", "無断使用禁止",
        "AI学習・転載を禁じます", "自作発言禁止", "無断複製・転載を禁ず", "ＡＩ学習禁止",
    ),
    "chinese": ("禁止AI训练", "禁止转载", "禁止AI學習", "请勿转载", "未经许可禁止使用", "禁止二次上传"),
    "korean": (
        "AI 학습 금지", "무단 전재 금지", "무단 도용 금지", "무단전재 및 재배포 금지",
        "AI 학습 금지 / 재업로드 금지",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Stamp:
    """A mark on its own: uint8 (height, width) `cover` (0: not there) and `tone` (255: the light ink).

    `kinds` is a subset of KINDS; `family` names the layout that drew it.
    """

    cover: Layer
    tone: Layer
    kinds: frozenset[str]
    family: str

    def __post_init__(self) -> None:
        if self.cover.shape != self.tone.shape or not self.kinds <= set(KINDS):
            raise ValueError(f"{self.family}: {self.cover.shape} {self.tone.shape} {sorted(self.kinds)}")


@dataclass(frozen=True)
class Face:
    """A font file that holds the letters of `scripts`. `index` counts within a collection."""

    path: Path
    scripts: frozenset[str]
    index: int = 0

    def sized(self, size: int) -> ImageFont.FreeTypeFont:
        """The font at `size` pixels an em."""
        return _sized(str(self.path), self.index, max(6, size))


@lru_cache(maxsize=4096)
def _sized(path: str, index: int, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, index=index)


@dataclass(frozen=True)
class Pen:
    """What a layout draws with: chance, fonts and the scripts it may write."""

    rng: Rng
    faces: Sequence[Face]
    scripts: Sequence[str] = ("latin", "latin", "latin", "latin", "japanese", "chinese", "cyrillic")
    shapes: Sequence[Layer] = ()

    def choice(self, options: Sequence[str]) -> str:
        """One of the words, by chance."""
        return str(options[int(self.rng.integers(len(options)))])

    def between(self, low: float, high: float) -> float:
        """A number between both."""
        return float(self.rng.uniform(low, high))

    def chance(self, share: float) -> bool:
        """True in that share of cases."""
        return bool(self.rng.random() < share)

    def angle(self) -> float:
        """A slant that people like, in degrees."""
        return float(self.rng.choice([45, -45, 30, -30, 20, -20, 15, 90])) + self.between(-6, 6)

    def script(self) -> str:
        """A script this pen may write."""
        return self.choice(self.scripts)

    def face(self, script: str) -> Face:
        """A font that has this script. Raises ValueError if there is none."""
        able = [face for face in self.faces if script in face.scripts]
        if not able:
            raise ValueError(f"no font writes {script}")
        return able[int(self.rng.integers(len(able)))]

    def name(self, script: str = "latin") -> str:
        """An invented brand in this script."""
        letters = {"japanese": _KANA, "chinese": _HAN, "korean": _HANGUL, "cyrillic": _CYRILLIC}.get(script)
        if letters is not None:
            if script == "japanese" and self.chance(0.5):
                letters = _KANJI
            word = "".join(self.choice(letters) for _ in range(int(self.rng.integers(2, 8))))
            return word.upper() if script == "cyrillic" and self.chance(0.5) else word
        stem = "".join(self.choice(_SYLLABLES) for _ in range(int(self.rng.integers(1, 4))))
        word = stem + self.choice(_TAILS)
        style = int(self.rng.integers(5))
        if style == 0:
            return word.upper()
        if style == 1:
            return word.capitalize()
        if style == 2:
            return word + self.choice((".com", ".net", ".jp", ".co", ".art", ".de"))
        return word if style == 3 else stem.capitalize() + " " + word.capitalize()

    def number(self) -> str:
        """An asset number as agencies write them."""
        digits = "".join(str(d) for d in self.rng.integers(0, 10, int(self.rng.integers(6, 11))))
        return self.choice(("#", "ID ", "", "", "Image ID: ", "No. ")) + digits

    def credit(self) -> str:
        """A line such as artists put into a corner."""
        name, brand = self.choice(_NAMES), self.name().split(" ")[0]
        year = str(self.rng.integers(2003, 2027))
        patterns = (
            f"© {name}", f"(c) {year} {name}", f"© {year} {brand}", f"@{brand.lower()}",
            f"www.{brand.lower()}.com",
            f"{name} Photography", f"{brand.lower()}.tumblr.com", f"photo by {name}", f"{brand} / {name}",
            f"pixiv id {self.number()}", f"instagram: {brand.lower()}", name, f"All rights reserved © {name}",
        )  # fmt: skip
        return self.choice(patterns)

    def notice(self, script: str) -> str:
        """A written no, as far as the script has one here; else a credit line."""
        return self.choice(_NOTICES[script]) if script in _NOTICES else self.credit()


# --------------------------------------------------------------------------- pieces


def text_layer(pen: Pen, words: str, script: str, height: int, spaced: float = 0.0) -> Layer:
    """The words in one line (or several, at line breaks), cut to their extent; `height` is the em in px."""
    font = pen.face(script).sized(height)
    draw = ImageDraw.Draw(Image.new("L", (1, 1)))
    if spaced > 0 and "\n" not in words:
        step = spaced * height
        widths = [draw.textlength(sign, font=font) + step for sign in words]
        image = Image.new("L", (max(2, int(sum(widths)) + height), 2 * height), 0)
        at = 0.0
        on = ImageDraw.Draw(image)
        for sign, width in zip(words, widths, strict=True):
            on.text((at, height * 0.3), sign, font=font, fill=255)
            at += width
    else:
        box = draw.multiline_textbbox((0, 0), words, font=font)
        image = Image.new("L", (int(box[2]) + 4, int(box[3]) + 4), 0)
        ImageDraw.Draw(image).multiline_text((1, 1), words, font=font, fill=255, align="center")
    extent = image.getbbox()
    return np.asarray(image.crop(extent) if extent else image)


def logo_layer(pen: Pen, side: int) -> Layer:
    """A logo of about `side` pixels: rings, polygons, an aperture, a camera, a letter, a silhouette."""
    if len(pen.shapes) and pen.chance(0.35):
        shape = Image.fromarray(pen.shapes[int(pen.rng.integers(len(pen.shapes)))])
        shape.thumbnail((side, side), Image.Resampling.BILINEAR)
        return np.asarray(shape)
    image = Image.new("L", (side, side), 0)
    draw = ImageDraw.Draw(image)
    pick, line = int(pen.rng.integers(6)), max(1, round(side * pen.between(0.03, 0.14)))
    middle = side / 2
    if pick == 0:
        for ring in range(int(pen.rng.integers(1, 4))):
            inset = ring * line * 2.2
            if inset * 2 + 2 * line < side:
                draw.ellipse((inset, inset, side - 1 - inset, side - 1 - inset), outline=255, width=line)
    elif pick == 1:
        corners = int(pen.rng.integers(3, 9))
        draw.regular_polygon((middle, middle, middle * 0.98), corners, rotation=int(pen.rng.integers(360)),
                             fill=255 if pen.chance(0.5) else 0, outline=255, width=line)  # fmt: skip
    elif pick == 2:
        draw.ellipse((0, 0, side - 1, side - 1), outline=255, width=line)
        blades = int(pen.rng.integers(5, 9))
        for angle in np.linspace(0, 2 * np.pi, blades, endpoint=False) + pen.between(0, 1):
            start = middle + middle * 0.95 * np.array([np.cos(angle), np.sin(angle)])
            end = middle + middle * 0.45 * np.array([np.cos(angle + 1.5), np.sin(angle + 1.5)])
            draw.line((*start, *end), fill=255, width=line)
    elif pick == 3:
        draw.rounded_rectangle((0, side * 0.25, side - 1, side * 0.85), side * 0.08, outline=255, width=line)
        draw.ellipse((side * 0.3, side * 0.35, side * 0.7, side * 0.75), outline=255, width=line)
        draw.rectangle((side * 0.35, side * 0.13, side * 0.6, side * 0.25), fill=255)
    elif pick == 4:
        points = pen.rng.uniform(0, side, (int(pen.rng.integers(4, 8)), 2))
        draw.polygon([tuple(point) for point in points], fill=255)
    letter = pick == 5 or (pick in (0, 1) and pen.chance(0.5))
    if letter:
        sign = text_layer(pen, pen.name()[:1].upper(), "latin", round(side * (0.9 if pick == 5 else 0.5)))
        lay(image, sign, (middle, middle))
    return np.asarray(image)


def turned(layer: Layer, degrees: float) -> Layer:
    """The layer turned counter-clockwise, uncut."""
    image = Image.fromarray(layer).rotate(degrees, Image.Resampling.BICUBIC, expand=True)
    return np.asarray(image)


def beside(first: Layer, second: Layer, gap: int) -> Layer:
    """Two layers side by side, centred on one line."""
    height = max(first.shape[0], second.shape[0])
    both = np.zeros((height, first.shape[1] + gap + second.shape[1]), np.uint8)
    for layer, left in ((first, 0), (second, first.shape[1] + gap)):
        top = (height - layer.shape[0]) // 2
        both[top : top + layer.shape[0], left : left + layer.shape[1]] = layer
    return both


def below(first: Layer, second: Layer, gap: int) -> Layer:
    """The second layer under the first, centred."""
    return beside(first.T, second.T, gap).T


def lay(image: Image.Image, layer: Layer, centre: tuple[float, float]) -> None:
    """Add a layer to an image of mode L, centred there; what stands beyond the edge is lost."""
    height, width = layer.shape
    at = (round(centre[0] - width / 2), round(centre[1] - height / 2))
    image.paste(255, at, Image.fromarray(layer))


def fitted(layer: Layer, width: float) -> Layer:
    """The layer, made smaller where it is wider than that."""
    if layer.shape[1] <= width:
        return layer
    height = max(4, round(layer.shape[0] * width / layer.shape[1]))
    return np.asarray(Image.fromarray(layer).resize((max(4, round(width)), height), Image.Resampling.BOX))


def signature(pen: Pen, height: int) -> Layer:
    """Name with logo, with a number, or alone: what a layout repeats or centres."""
    script = pen.script()
    word = text_layer(pen, pen.name(script), script, height, pen.between(0, 0.4) if pen.chance(0.3) else 0)
    if pen.chance(0.4):
        word = beside(logo_layer(pen, round(height * pen.between(0.9, 1.8))), word, height // 3)
    elif pen.chance(0.2):
        word = below(logo_layer(pen, round(height * pen.between(1.2, 3))), word, height // 3)
    if pen.chance(0.25):
        word = below(word, text_layer(pen, pen.number(), "latin", max(8, height // 2)), height // 4)
    return word


def blank(size: tuple[int, int]) -> Image.Image:
    """An empty cover, size as (height, width)."""
    return Image.new("L", (size[1], size[0]), 0)


def flat(cover: Image.Image, kinds: set[str], family: str) -> Stamp:
    """A stamp of light ink only."""
    layer = np.asarray(cover)
    return Stamp(layer, np.full_like(layer, 255), frozenset(kinds), family)


def repeated(
    image: Image.Image, piece: Layer, step: tuple[float, float], degrees: float, shift: float
) -> None:
    """Lay the piece on a lattice turned by `degrees`; every second row is shifted by that share."""
    width, height = image.size
    reach = int(np.hypot(width, height))
    angle = np.deg2rad(degrees)
    along = np.array([np.cos(angle), -np.sin(angle)])
    across = np.array([np.sin(angle), np.cos(angle)])
    rows = int(reach / step[1] / 2) + 1
    columns = int(reach / step[0] / 2) + 1
    for row in range(-rows, rows + 1):
        for column in range(-columns, columns + 1):
            offset = shift if row % 2 else 0.0
            centre = (column + offset) * step[0] * along + row * step[1] * across
            x, y = centre + np.array([width / 2, height / 2])
            if -step[0] < x < width + step[0] and -step[1] < y < height + step[1]:
                lay(image, piece, (x, y))
