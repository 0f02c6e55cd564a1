"""Samples for KindNet: two views, a kind or none, furniture with its mask.

Each sample is made by its number alone. A picture is drawn or taken from the pool, cropped, sometimes
furnished with a chart or ruler, shrunk and coded as JPEG, as pictures of the web were.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from curation.kinds import CLASSES, CLOSE, WHOLE, close_view, whole_view
from curation.nets.kind import MASK
from curation.train.drawn import SCENES, draw
from curation.train.pictures import Source, load
from curation.train.scenes.hand import Hand
from curation.train.scenes.scans import furnish
from curation.train.stock import Stock
from kyodaku.fingerprint import Pixels
from kyodaku.recipe.filters import FURNITURE

#: How often each way to get a picture is taken. `files:` are pictures of the pool as they are, cropped.
WAYS: dict[str, float] = {
    "files:photo": 9, "photograph": 3, "grain": 2, "night": 1.5, "scene_text": 1.5,
    "files:painting": 7, "oil": 3, "watercolour": 2,
    "files:print": 2, "ukiyo_e": 4, "engraving": 4, "woodcut": 2, "halftone": 1.5,
    "files:drawing": 6, "line_art": 2, "sketch": 2.5, "cel": 1.5, "comics": 2, "geometric": 1,
    "text_page": 4, "handwriting": 3, "book": 3,
    "files:map": 4, "map": 5,
    "files:object": 5, "museum_object": 5,
    "blank": 3,
    "files:screenshot": 2, "files:abstract": 1.5, "screenshot": 1, "gradient": 0.7, "soft": 0.7,
    "landscape": 0.7, "fractal": 0.7, "title_card": 1,
    "scan": 12,
}  # fmt: skip

#: No kind is said of these: their pictures may be of several.
_MUTE = ("texture",)


@dataclass(frozen=True)
class Samples:
    """uint8 views (n, h, w, 3); `kinds` int64 (n,), -1 unsaid; `furniture` float32 (n, 4); `masks` uint8
    (n, 4, 20, 20); `origins` names the source of each."""

    whole: Pixels
    close: Pixels
    kinds: npt.NDArray[np.int64]
    furniture: npt.NDArray[np.float32]
    masks: Pixels
    origins: list[str]

    def __len__(self) -> int:
        return len(self.kinds)


def make(stock: Stock, numbers: Sequence[int]) -> Samples:
    """The samples of these numbers, from one split's stock."""
    rows = [one(stock, number) for number in numbers]
    whole, close, kinds, furniture, masks, origins = zip(*rows, strict=True)
    return Samples(
        np.stack(whole).reshape(-1, WHOLE, WHOLE, 3),
        np.stack(close).reshape(-1, CLOSE, CLOSE, 3),
        np.array(kinds, np.int64),
        np.stack(furniture).astype(np.float32),
        np.stack(masks),
        list(origins),
    )


def one(stock: Stock, number: int) -> tuple[Pixels, Pixels, int, npt.NDArray[np.float32], Pixels, str]:
    """One sample: views, kind, furniture, masks, origin."""
    rng = np.random.default_rng([number, 20])
    names, weights = list(WAYS), np.array(list(WAYS.values()))
    way = str(rng.choice(names, p=weights / weights.sum()))
    hand, kind, origin = _picture(stock, rng, way, number)
    return sample(*hand, kind, origin, rng)


def sample(
    pixels: Pixels, masks: dict[str, Pixels], kind: str, origin: str, rng: np.random.Generator
) -> tuple[Pixels, Pixels, int, npt.NDArray[np.float32], Pixels, str]:
    """A picture and what stands in it, shrunk and coded, as a sample."""
    small = Image.fromarray(_coded(rng, _shrunk(rng, pixels)))
    viewed = np.asarray(small)
    there = np.array([float(name in masks and bool(masks[name].any())) for name in FURNITURE], np.float32)
    where = np.stack([_coarse(masks.get(name)) for name in FURNITURE])
    label = CLASSES.index(kind) if kind in CLASSES else -1 if kind in _MUTE else CLASSES.index("other")
    return whole_view(viewed), close_view(viewed), label, there, where, origin


def _picture(
    stock: Stock, rng: np.random.Generator, way: str, number: int
) -> tuple[tuple[Pixels, dict[str, Pixels]], str, str]:
    side = int(rng.integers(300, 600))
    if way in SCENES:
        drawn = draw(way, 7_000_000 + number, stock, side)
        return (drawn.pixels, drawn.masks), drawn.kind, drawn.source
    kind = way.removeprefix("files:")
    files: list[Source] = stock.of_kind(kind)
    picture = load(files[int(rng.integers(len(files)))], 1400) if files else None
    if picture is None:
        drawn = draw("blank", number, stock, side)
        return (drawn.pixels, drawn.masks), drawn.kind, drawn.source
    pixels = _cropped(rng, picture.pixels, 0.35 if kind in ("photo", "painting", "print") else 0.75)
    masks: dict[str, Pixels] = {}
    if rng.random() < 0.12 and min(pixels.shape[:2]) >= 200:
        pixels, masks = furnished(stock, rng, pixels)
    return (pixels, masks), kind, picture.source


def furnished(stock: Stock, rng: np.random.Generator, pixels: Pixels) -> tuple[Pixels, dict[str, Pixels]]:
    """A picture with a colour chart, a ruler or both laid on its edge, and their masks."""
    hand = Hand(rng, stock, pixels.shape[1], pixels.shape[0])
    canvas = Image.fromarray(pixels)
    furnish(hand, canvas)
    return np.asarray(canvas), {name: np.asarray(mask) for name, mask in hand.masks.items()}


def _cropped(rng: np.random.Generator, pixels: Pixels, least: float) -> Pixels:
    """A random part of a picture, at least `least` of each side, sometimes mirrored."""
    height, width = pixels.shape[:2]
    tall, wide = (max(48, int(part * rng.uniform(least, 1))) for part in (height, width))
    top, left = int(rng.integers(max(1, height - tall + 1))), int(rng.integers(max(1, width - wide + 1)))
    part = pixels[top : top + tall, left : left + wide]
    return np.ascontiguousarray(part[:, ::-1] if rng.random() < 0.5 else part)


def _shrunk(rng: np.random.Generator, pixels: Pixels) -> Pixels:
    """Sometimes smaller, as thumbnails are; never below 200 px on the longer side."""
    longest = max(pixels.shape[:2])
    if rng.random() < 0.5 or longest < 260:
        return pixels
    scale = rng.uniform(max(0.4, 200 / longest), 1)
    size = (max(64, round(pixels.shape[1] * scale)), max(64, round(pixels.shape[0] * scale)))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))


def _coded(rng: np.random.Generator, pixels: Pixels) -> Pixels:
    """As a JPEG keeps it, seven times of ten."""
    if rng.random() > 0.7:
        return pixels
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=int(rng.integers(55, 96)))
    return np.asarray(Image.open(buffer).convert("RGB"))


def _coarse(mask: Pixels | None) -> Pixels:
    """A mask at the net's resolution."""
    if mask is None:
        return np.zeros((MASK, MASK), np.uint8)
    return np.asarray(Image.fromarray(mask).resize((MASK, MASK), Image.Resampling.BOX))
