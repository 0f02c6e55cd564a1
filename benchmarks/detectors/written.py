"""Labelled pictures for what is read: notices written over photographs, and text that is no notice.

Whoever draws a case says what is written, in which script, how opaque and how it is laid out. Texts, fonts
and backgrounds are chosen by a seeded generator, so that a case can be drawn again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Pixels = npt.NDArray[np.uint8]
Rng = np.random.Generator

OPACITIES = (1.0, 0.5, 0.3, 0.18)
LAYOUTS = ("corner", "tiled", "rotated", "broken", "vertical")

Texts = Mapping[str, Sequence[str]]


@cache
def texts() -> Mapping[str, Texts]:
    """What is written, by purpose and language: `notices` refuse (the phrase lists were not made from them),
    `plain` refuses nothing, `about` and `about_body` talk about notices (title cards, articles)."""
    found: Mapping[str, Texts] = json.loads(Path(__file__).with_suffix(".json").read_text())
    return found


@dataclass(frozen=True)
class Written:
    """One case. `label`: notice, about, text or plain; `opacity` 0 where nothing is laid over."""

    pixels: Pixels
    label: str
    written: str = ""
    language: str = ""
    layout: str = ""
    opacity: float = 0.0
    font: str = ""


class Studio:
    """Backgrounds and fonts to draw with. Raises ValueError if a needed font or any background is missing."""

    def __init__(
        self, backgrounds: Sequence[Path], fonts: Mapping[str, Sequence[Path]], side: int = 1024
    ) -> None:
        if not backgrounds:
            raise ValueError("no backgrounds")
        self.backgrounds, self.fonts, self.side = backgrounds, fonts, side

    def background(self, rng: Rng) -> Pixels:
        """uint8 (h, w, 3): a photograph or a painting, its longer side `side`."""
        image = Image.open(self.backgrounds[int(rng.integers(len(self.backgrounds)))])
        image.draft("RGB", (2 * self.side, 2 * self.side))
        image = image.convert("RGB")
        portrait = rng.random() < 0.3
        size = (self.side * 3 // 4, self.side) if portrait else (self.side, self.side * 3 // 4)
        scale = max(size[0] / image.width, size[1] / image.height)
        image = image.resize(
            (round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS
        )
        left, top = (
            int(rng.integers(0, have - want + 1)) for have, want in zip(image.size, size, strict=True)
        )
        return np.asarray(image.crop((left, top, left + size[0], top + size[1])))

    def font(self, rng: Rng, language: str, size: int) -> ImageFont.FreeTypeFont:
        """A font that has the signs of a language."""
        paths = self.fonts[{"de": "en", "fr": "en", "es": "en"}.get(language, language)]
        return ImageFont.truetype(str(paths[int(rng.integers(len(paths)))]), size)


def notice(studio: Studio, rng: Rng, language: str, layout: str, opacity: float, text: str = "") -> Written:
    """A notice laid over a background; `text` is drawn from `texts` unless given."""
    pixels = studio.background(rng)
    written = text or str(rng.choice(np.array(texts()["notices"][language], dtype=object)))
    height, width = pixels.shape[:2]
    size = int(max(height, width) * rng.uniform(0.022, 0.045))
    font = studio.font(rng, language, size)
    stamp = _stamp(written, font, layout, rng)
    while stamp.width > width * 0.94 and layout in ("corner", "broken") and size > 12:
        size = int(size * 0.85)
        font = font.font_variant(size=size)
        stamp = _stamp(written, font, layout, rng)
    alpha, box = _placed(stamp, height, width, layout, rng)
    under = pixels[box[1] : box[3], box[0] : box[2]].mean() if box[2] > box[0] and box[3] > box[1] else 128
    ink = 255.0 if under < 140 else 0.0
    cover = alpha[:, :, None].astype(np.float32) / 255 * opacity
    out = pixels * (1 - cover) + ink * cover
    name = Path(str(font.path)).stem
    return Written(out.round().astype(np.uint8), "notice", written, language, layout, opacity, name)


def _stamp(text: str, font: ImageFont.FreeTypeFont, layout: str, rng: Rng) -> Image.Image:
    """The text alone: 8-bit cover, cut close."""
    if layout == "vertical":
        signs = [sign for sign in text if sign != " "]
        step = int(font.size * 1.08)
        image = Image.new("L", (int(font.size * 1.4), step * len(signs) + font.size // 2))
        draw = ImageDraw.Draw(image)
        for row, sign in enumerate(signs):
            draw.text((font.size * 0.7, row * step + step * 0.55), sign, font=font, fill=255, anchor="mm")
        return image.crop(image.getbbox())
    if layout == "broken":
        text = _broken(text)
    draw = ImageDraw.Draw(Image.new("L", (1, 1)))
    left, top, right, bottom = draw.multiline_textbbox((0, 0), text, font=font)
    image = Image.new("L", (int(right - left) + 8, int(bottom - top) + 8))
    ImageDraw.Draw(image).multiline_text((4 - left, 4 - top), text, font=font, fill=255)
    return image.crop(image.getbbox())


def _broken(text: str) -> str:
    """The text in two lines, at a space near its middle if there is one."""
    spaces = [i for i, sign in enumerate(text) if sign == " "]
    middle = len(text) // 2
    at = min(spaces, key=lambda i: abs(i - middle)) if spaces else middle
    return text[:at].strip() + "\n" + text[at:].strip()


def _placed(
    stamp: Image.Image, height: int, width: int, layout: str, rng: Rng
) -> tuple[npt.NDArray[np.uint8], tuple[int, int, int, int]]:
    """Cover of the whole picture, and the box that it touches."""
    sheet = Image.new("L", (width, height))
    if layout == "tiled":
        turned = stamp.rotate(
            float(rng.choice([25, -25, 30, 45, -45])), expand=True, resample=Image.Resampling.BICUBIC
        )
        gap_x, gap_y = int(turned.width * 1.15), int(turned.height * 1.15)
        for row, y in enumerate(range(-turned.height // 2, height, gap_y)):
            for x in range(-turned.width // 2 + (row % 2) * gap_x // 2, width, gap_x):
                sheet.paste(255, (x, y), turned)
        return np.asarray(sheet), (0, 0, width, height)
    if layout == "rotated":
        angle = float(rng.choice([25, -25, 45, -45, 90, -90]))
        stamp = stamp.rotate(angle, expand=True, resample=Image.Resampling.BICUBIC)
    if stamp.width > width or stamp.height > height:
        scale = 0.95 * min(width / stamp.width, height / stamp.height)
        stamp = stamp.resize((int(stamp.width * scale), int(stamp.height * scale)), Image.Resampling.LANCZOS)
    margin = int(min(height, width) * rng.uniform(0.01, 0.03))
    most_x, most_y = width - stamp.width - margin, height - stamp.height - margin
    if layout == "rotated":
        x, y = int(rng.integers(0, max(1, most_x))), int(rng.integers(0, max(1, most_y)))
    else:
        x = int(rng.choice([margin, max(0, most_x), max(0, most_x // 2)]))
        y = int(rng.choice([margin, max(0, most_y)], p=[0.25, 0.75]))
    sheet.paste(255, (x, y), stamp)
    return np.asarray(sheet), (x, y, x + stamp.width, y + stamp.height)


# --- text that is no notice


def scene(studio: Studio, rng: Rng) -> Written:
    """Signs, captions and labels on a background."""
    image = Image.fromarray(studio.background(rng))
    draw = ImageDraw.Draw(image)
    said = []
    language = str(rng.choice(list(texts()["plain"])))
    for _ in range(int(rng.integers(1, 7))):
        text = str(rng.choice(np.array(texts()["plain"][language], dtype=object)))
        font = studio.font(rng, language, int(image.height * rng.uniform(0.025, 0.09)))
        x, y = int(rng.integers(0, image.width // 2)), int(rng.integers(0, image.height - 80))
        box = draw.textbbox((x, y), text, font=font)
        if rng.random() < 0.6:
            draw.rectangle((box[0] - 8, box[1] - 6, box[2] + 8, box[3] + 6), fill=_colour(rng))
        draw.text((x, y), text, font=font, fill=_colour(rng))
        said.append(text)
    return Written(np.asarray(image), "text", "\n".join(said), language, "scene")


def page(studio: Studio, rng: Rng, about: bool) -> Written:
    """A page of prose, or (`about`) an article or a title card about notices and AI training."""
    lines = texts()["about_body" if about else "plain"]
    language = str(rng.choice(list(lines)))
    width, height = studio.side * 3 // 4, studio.side
    paper = int(rng.integers(225, 256))
    image = Image.new("RGB", (width, height), (paper, paper, paper - 8))
    draw = ImageDraw.Draw(image)
    size = int(rng.uniform(0.018, 0.03) * height)
    font, head = studio.font(rng, language, size), studio.font(rng, language, int(size * 1.8))
    said = [str(rng.choice(np.array(texts()["about" if about else "plain"][language], dtype=object)))]
    y = 50
    for part in _wrapped(said[0], head, width - 100):
        draw.text((50, y), part, font=head, fill=20)
        y += int(size * 2.6)
    card = about and rng.random() < 0.3
    while not card and y < height - 3 * size:
        sentence = " ".join(str(one) for one in rng.choice(np.array(lines[language], dtype=object), 3))
        said.append(sentence)
        for part in _wrapped(sentence, font, width - 100):
            if y < height - 2 * size:
                draw.text((50, y), part, font=font, fill=30)
            y += int(size * 1.6)
        y += size // 2
    return Written(np.asarray(image), "about" if about else "text", "\n".join(said), language, "page")


def plain(studio: Studio, rng: Rng) -> Written:
    """A background, nothing written on it."""
    return Written(studio.background(rng), "plain")


def _wrapped(text: str, font: ImageFont.FreeTypeFont, width: int) -> Iterator[str]:
    """Lines of at most `width` pixels, broken at spaces where there are any."""
    words = text.split(" ") if " " in text and text.isascii() else list(text)
    glue = " " if " " in text and text.isascii() else ""
    line = ""
    for word in words:
        longer = f"{line}{glue}{word}" if line else word
        if font.getlength(longer) > width and line:
            yield line
            longer = word
        line = longer
    if line:
        yield line


def _colour(rng: Rng) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in rng.integers(0, 256, 3))
    return red, green, blue
