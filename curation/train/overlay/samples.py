"""OverlayNet's samples: a background or a look-alike, once with a stamp laid on it and once without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from curation.nets.overlay import HEADS, KINDS, MASK_STRIDE
from curation.train.overlay.bank import SIDE, Bank
from curation.train.overlay.blending import Colours, any_ink, contrast, laid, sent
from curation.train.overlay.lookalikes import WORDLESS
from curation.train.overlay.marks import Stamp

#: Below this mean change, in grey levels, nobody sees a mark: such a sample says nothing about marks.
FAINTEST = 8.0

#: How often the picture is a look-alike; and the opacity of the faintest marks, of which each pair draws one.
_HARD, _LEAST_OPACITY = 0.22, (0.15, 0.35)

#: Stamped pixels that a crop must show to count as marked.
_SMALLEST = 90

#: An opaque plain text of these families cannot be told from a caption: it says nothing about marks.
_LIKE_CAPTIONS = frozenset({"notice", "plain_words"})

#: Families that are as often opaque as not.
_OFTEN_OPAQUE = frozenset({"corner_line", "notice", "footer_bar"})

#: Families that may hold no letters.
_MAY_BE_WORDLESS = frozenset({"logo", "letter_grid", "cross", "outline", "spiral"})

#: Backgrounds that may hold letters of their own.
_MAY_HOLD_TEXT = frozenset({"screenshot", "map", "print", "drawing"})


@dataclass(frozen=True)
class Sample:
    """uint8 (side, side, 3), targets of HEADS in {0, 1}, their weights (0: unknown), and the mask target,
    float32 (side / 8, side / 8), with its weight."""

    pixels: Colours
    targets: npt.NDArray[np.float32]
    weights: npt.NDArray[np.float32]
    mask: npt.NDArray[np.float32]
    mask_weight: float


def pair(bank: Bank, rng: np.random.Generator, side: int, whole: bool = False) -> tuple[Sample, Sample]:
    """One picture twice, `side` pixels: marked and as it was. Nothing but the mark tells them apart. `whole`:
    picture and mark are seen whole; else a window of each, and it may show a part of a letter."""
    hard = rng.random() < _HARD
    rows = bank.lookalikes if hard else bank.backgrounds
    index = int(rng.integers(len(rows)))
    kind = (bank.lookalike_kinds if hard else bank.background_kinds)[index]
    window = (0, 0, SIDE) if whole else _window(rng, side)
    lettered = hard or kind in _MAY_HOLD_TEXT  # marks are never mirrored, so letters under them must not be
    picture = varied(_cut(np.asarray(rows[index]), window, side), rng, mirrored=not lettered)
    own_text = _own_text(kind, hard, whole=window[2] > 0.7 * SIDE)
    clean = _clean(sent(picture, rng), own_text)
    return _marked(bank, rng, picture, own_text, whole), clean


def _clean(picture: Colours, own_text: float | None) -> Sample:
    side = picture.shape[0] // MASK_STRIDE
    targets, weights = np.zeros(len(HEADS), np.float32), np.ones(len(HEADS), np.float32)
    targets[-1], weights[-1] = (own_text or 0.0), float(own_text is not None)
    return Sample(picture, targets, weights, np.zeros((side, side), np.float32), 1.0)


def _marked(
    bank: Bank, rng: np.random.Generator, picture: Colours, own_text: float | None, whole: bool
) -> Sample:
    number = int(rng.integers(len(bank.stamps)))
    facts = bank.stamp_facts[number]
    family = facts["family"]
    stamp = _cut_stamp(np.asarray(bank.stamps[number]), facts, rng, picture.shape[0], whole)
    ink = any_ink(rng, (rng.uniform(*_LEAST_OPACITY), 1.0 if family in _OFTEN_OPAQUE else 0.85))
    after = laid(picture, stamp, ink)
    shown = int((stamp.cover > 64).sum())
    if not shown:
        return _clean(sent(after, rng), own_text)
    told = shown >= _SMALLEST and contrast(picture, after, stamp) >= FAINTEST
    weights = np.full(len(HEADS), float(told), np.float32)
    if ink.opacity > 0.85 and family in _LIKE_CAPTIONS:
        weights[0] = 0.0
    text = own_text if own_text and family in _MAY_BE_WORDLESS else None
    text = text if family in _MAY_BE_WORDLESS else 1.0
    weights[-1] *= float(text is not None)
    kinds = [float(kind in stamp.kinds) for kind in KINDS]
    targets = np.array([1.0, *kinds, text or 0.0], np.float32)
    mask = (_peaks(stamp.cover) > 60).astype(np.float32)
    return Sample(sent(after, rng), targets, weights, mask, float(told))


def _own_text(kind: str, hard: bool, whole: bool) -> float | None:
    """Whether a picture holds letters before anything is laid on it; None where that is not known."""
    if not hard:
        return None if kind in _MAY_HOLD_TEXT else 0.0
    if kind in WORDLESS:
        return 0.0
    return 1.0 if whole and kind != "painted_signature" else None


def _window(rng: np.random.Generator, side: int) -> tuple[int, int, int]:
    """Top, left and size of a square that is shown at `side` pixels: somewhat enlarged or made smaller."""
    size = min(SIDE, int(side * np.exp(rng.uniform(-0.35, 0.35))))
    return int(rng.integers(0, SIDE - size + 1)), int(rng.integers(0, SIDE - size + 1)), size


def _cut(pixels: Colours, window: tuple[int, int, int], side: int) -> Colours:
    top, left, size = window
    crop = pixels[top : top + size, left : left + size]
    if size == side:
        return np.array(crop)
    way = Image.Resampling.BOX if size > 1.5 * side else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(crop).resize((side, side), way))


def _cut_stamp(
    layers: npt.NDArray[np.uint8], facts: dict[str, Any], rng: np.random.Generator, side: int, whole: bool
) -> Stamp:
    """The whole of a stamp, or a window, mostly one that holds a part of its ink."""
    top, left, size = (0, 0, SIDE) if whole else _window(rng, side)
    rows, columns = np.nonzero(layers[0, ::8, ::8] > 64)
    if not whole and len(rows) and rng.random() < 0.85:
        pick = int(rng.integers(len(rows)))
        near = np.array([rows[pick], columns[pick]]) * 8 - rng.integers(size // 10, size - size // 10, 2)
        top, left = (int(value) for value in np.clip(near, 0, SIDE - size))
    images = [Image.fromarray(layer[top : top + size, left : left + size]) for layer in layers]
    cover, tone = (np.asarray(image.resize((side, side), Image.Resampling.BILINEAR)) for image in images)
    return Stamp(cover, tone, frozenset(facts["kinds"]), str(facts["family"]))


def varied(picture: Colours, rng: np.random.Generator, mirrored: bool) -> Colours:
    """Mirrored if that may be, turned by quarters of a circle in few cases, with other light and colours."""
    if mirrored and rng.random() < 0.5:
        picture = picture[:, ::-1]
    if rng.random() < 0.1:
        picture = np.rot90(picture, int(rng.integers(4)))
    if rng.random() < 0.6:
        gain = rng.uniform(0.6, 1.3, 3) if rng.random() < 0.25 else np.full(3, rng.uniform(0.6, 1.35))
        table = np.clip(np.arange(256)[:, None] * gain + rng.uniform(-30, 30), 0, 255).astype(np.uint8)
        picture = np.stack([table[:, c][picture[..., c]] for c in range(3)], 2)
    if rng.random() < 0.08:
        picture = np.repeat(picture.mean(2, keepdims=True).astype(np.uint8), 3, 2)
    if rng.random() < 0.1:
        noise = rng.normal(0, rng.uniform(2, 18), picture.shape[:2])[..., None]
        picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(picture)


def _peaks(cover: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    side = cover.shape[0] // MASK_STRIDE
    return cover.reshape(side, MASK_STRIDE, side, MASK_STRIDE).max((1, 3))  # type: ignore[no-any-return]
