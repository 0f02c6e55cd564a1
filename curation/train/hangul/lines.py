"""Lines of Korean to learn from: phrases, and far more often signs in any order, so that what is read is what
stands there and not what usually does. Written over pictures, faint or plain, then sent over the web."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from curation.nets.hangul import HEIGHT, OTHER, SIGNS, STEP, alphabet
from curation.phrases import notices
from curation.train.overlay.blending import Colours, sent
from curation.train.overlay.marks import Face
from curation.train.pictures import Split, fonts

Rng = np.random.Generator

#: Pixels of width of every line.
WIDTH = 448

#: Signs of a line at most: a step and a half each, with room for doubled ones.
_MOST = 16

_LATIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

#: What people put round a phrase.
_ROUND = ("@", "©", "※", "!", "~", ".", "*", "[]", "()", "/")

_STRANGE = "人工知能學習禁止無断転載の画像はをカタナ図版权所有未经许可АБВГДЕйклмнопδλπ"


@dataclass(frozen=True)
class Line:
    """uint8 (48, WIDTH, 3), the classes of its signs, and where the middle of each stands, in pixels."""

    pixels: Colours
    classes: tuple[int, ...]
    middles: tuple[float, ...]


@cache
def phrases() -> tuple[str, ...]:
    """Every Korean phrase that refuses, pairs with their two parts side by side."""
    found: list[str] = []
    for group in notices.groups():
        if group["language"] == "ko":
            found += group["phrases"]
            found += [f"{thing} {ban}" for thing, ban in product(group["things"], group["bans"])]
    return tuple(found)


@cache
def faces(pool: Path, split: Split) -> tuple[Face, ...]:
    """Fonts of a split that write Korean. Raises FileNotFoundError where there is none."""
    found = tuple(
        Face(font.path, frozenset({"korean"})) for font in fonts(pool, split) if "ko" in font.scripts
    )
    if not found:
        raise FileNotFoundError(
            f"no Korean fonts of {split} in {pool}: python -m curation.train.pictures --pool"
        )
    return found


def line(rng: Rng, fonts: Sequence[Face], backgrounds: npt.NDArray[np.uint8]) -> Line:
    """One line; `backgrounds` uint8 (n, h, w, 3), at least 200 pixels a side."""
    text = _text(rng)
    while True:
        drawn = _drawn(rng, text, fonts)
        if drawn is not None:
            break
        text = text[: len(text) * 2 // 3].strip() or "금지"
    ink, middles = drawn
    return Line(_laid(rng, ink, backgrounds), classes_of(text), middles)


def classes_of(text: str) -> tuple[int, ...]:
    """The class of each letter, syllable and figure; spaces and points have none."""
    places = {sign: number for number, sign in enumerate(alphabet()) if number > OTHER}
    return tuple(places.get(sign, OTHER) for sign in text if sign.isalnum())


def _text(rng: Rng) -> str:
    pick = rng.random()
    if pick < 0.3:
        text = phrases()[int(rng.integers(len(phrases())))]
        if rng.random() < 0.3:
            text = text.replace(" ", "")
        if rng.random() < 0.15:
            text = text.replace("AI", "ai")
        if rng.random() < 0.3:
            mark = _ROUND[int(rng.integers(len(_ROUND)))]
            text = f"{mark[0]}{text}{mark[-1]}"
        return text[:_MOST]
    hangul = [sign for sign in SIGNS if sign not in _LATIN]
    signs = []
    for _ in range(int(rng.integers(2, 12))):
        chance = rng.random()
        if chance < (0.72 if pick < 0.75 else 0.3):
            signs.append(hangul[int(rng.integers(len(hangul)))])
        elif chance < 0.82:
            signs.append(_LATIN[int(rng.integers(len(_LATIN)))] if rng.random() < 0.7 else "AI")
        elif chance < 0.97:
            signs.append(chr(int(rng.integers(0xAC00, 0xD7A4))))
        else:
            signs.append(_STRANGE[int(rng.integers(len(_STRANGE)))])
        if rng.random() < 0.2:
            signs.append(" ")
    return "".join(signs)[:_MOST].strip() or "금지"


def _drawn(rng: Rng, text: str, fonts: Sequence[Face]) -> tuple[Image.Image, tuple[float, ...]] | None:
    """The ink of a text, grey, as high as a line and at most WIDTH, and the middles of its signs; None where
    it is too long for that."""
    em = int(rng.integers(14, 64))
    font = fonts[int(rng.integers(len(fonts)))].sized(em)
    gap = em * rng.uniform(-0.04, 0.25) if rng.random() < 0.4 else 0.0
    stroke = max(1, em // 24) if rng.random() < 0.12 else 0
    sheet = Image.new("L", (round((em * 1.1 + max(0.0, gap)) * len(text)) + 2 * em, 3 * em))
    pen, x, middles = ImageDraw.Draw(sheet), float(em), []
    for sign in text:
        pen.text((x, em), sign, 255, font, stroke_width=stroke)
        if sign.isalnum():
            middles.append(x + font.getlength(sign) / 2)
        x += font.getlength(sign) + gap
    if rng.random() < 0.4:
        sheet = sheet.rotate(rng.uniform(-2.5, 2.5), Image.Resampling.BICUBIC)
    box = sheet.getbbox()
    if box is None:
        return None
    over, beside = (int(em * rng.uniform(-0.04, 0.3)) for _ in range(2))
    left, top, right, bottom = box
    sheet = sheet.crop(
        (left - beside, top - over, right + beside, bottom + int(em * rng.uniform(-0.04, 0.3)))
    )
    wide = round(sheet.width * HEIGHT / max(1, sheet.height))
    if not 8 <= wide <= WIDTH:
        return None
    wide = min(WIDTH, max(8, round(wide * rng.uniform(0.88, 1.1))))
    if wide < STEP * (2 * len([sign for sign in text if sign.isalnum()]) + 1):
        return None
    scale = wide / sheet.width
    places = tuple((middle - left + beside) * scale for middle in middles)
    return sheet.resize((wide, HEIGHT), Image.Resampling.BILINEAR), places


def _laid(rng: Rng, ink: Image.Image, backgrounds: npt.NDArray[np.uint8]) -> Colours:
    """The ink over a part of a picture, or over one colour; what is right of it stays empty."""
    under = _ground(rng, ink.size, backgrounds)
    cover = np.asarray(ink, np.float32)[..., None] / 255 * np.exp(rng.uniform(np.log(0.2), 0.0))
    light = under.mean() < 128 if rng.random() < 0.75 else rng.random() < 0.5
    tone = np.full(3, rng.uniform(190, 255) if light else rng.uniform(0, 70))
    if rng.random() < 0.25:
        tone = rng.uniform(0, 255, 3)
        if abs(tone.mean() - under.mean()) < 60:
            tone = np.clip(under.mean() + np.array([110.0]) * (1 if light else -1), 0, 255).repeat(3)
    if rng.random() < 0.25:
        halo = np.asarray(
            ink.filter(ImageFilter.MaxFilter(3)).filter(ImageFilter.GaussianBlur(1)), np.float32
        )
        edge = np.clip(halo[..., None] / 255, 0, 1) * 0.7
        under = under * (1 - edge) + (255 - tone) * edge
    over = np.clip(under * (1 - cover) + tone * cover, 0, 255).astype(np.uint8)
    if rng.random() < 0.25:
        over = np.asarray(Image.fromarray(over).filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.0))))
    out = np.zeros((HEIGHT, WIDTH, 3), np.uint8) + 128
    out[:, : ink.width] = sent(over, rng)
    return out


def _ground(rng: Rng, size: tuple[int, int], backgrounds: npt.NDArray[np.uint8]) -> npt.NDArray[np.floating]:
    if rng.random() < 0.25:
        return np.zeros((size[1], size[0], 3)) + rng.uniform(0, 255, 3)
    picture = backgrounds[int(rng.integers(len(backgrounds)))]
    wide = int(rng.integers(120, min(400, picture.shape[1])))
    high = max(12, min(picture.shape[0], round(wide * size[1] / size[0])))
    top, left = (
        int(rng.integers(0, n - m + 1)) for n, m in zip(picture.shape[:2], (high, wide), strict=True)
    )
    part = Image.fromarray(picture[top : top + high, left : left + wide])
    return np.asarray(part.resize(size, Image.Resampling.BILINEAR), np.float64)
