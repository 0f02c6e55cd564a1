"""OverlayNet's samples: a background or a look-alike, in half of the cases with a stamp laid on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from curation.nets.overlay import HEADS, KINDS, MASK_STRIDE
from curation.train.blending import Colours, any_ink, contrast, laid, sent
from curation.train.lookalikes import WORDLESS
from curation.train.marks import Stamp
from curation.train.overlay_bank import SIDE, Bank

#: Below this mean change, in grey levels, nobody sees a mark: such a sample says nothing about marks.
FAINTEST = 3.0

#: Stamped pixels that a crop must show to count as marked.
_SMALLEST = 90

#: An opaque plain text of these families cannot be told from a caption: it says nothing about marks.
_LIKE_CAPTIONS = frozenset({"notice", "plain_words"})

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


def sample(bank: Bank, rng: np.random.Generator, side: int, marked: bool | None = None) -> Sample:
    """One sample of `side` pixels, by chance; `marked` says whether a stamp is laid, None: by chance."""
    put = rng.random() < 0.5 if marked is None else marked
    hard = rng.random() < (0.2 if put else 0.5)
    rows = bank.lookalikes if hard else bank.backgrounds
    index = int(rng.integers(len(rows)))
    kind = (bank.lookalike_kinds if hard else bank.background_kinds)[index]
    window = _window(rng, least=300 if hard else 190)
    picture = _cut(np.asarray(rows[index]), window, side)
    picture = varied(picture, rng)
    whole = window[2] > 0.85 * SIDE
    own_text = _own_text(kind, hard, whole)
    targets = np.zeros(len(HEADS), np.float32)
    weights = np.ones(len(HEADS), np.float32)
    mask = np.zeros((side // MASK_STRIDE, side // MASK_STRIDE), np.float32)
    mask_weight = 1.0
    if not put:
        targets[-1], weights[-1] = (own_text or 0.0), float(own_text is not None)
        return Sample(sent(picture, rng), targets, weights, mask, mask_weight)

    number = int(rng.integers(len(bank.stamps)))
    facts = bank.stamp_facts[number]
    stamp = _cut_stamp(np.asarray(bank.stamps[number]), facts, rng, side)
    ink = any_ink(
        rng, (0.1, 1.0) if facts["family"] in ("corner_line", "notice", "footer_bar") else (0.09, 0.85)
    )
    after = laid(picture, stamp, ink)
    shown = int((stamp.cover > 64).sum())
    seen = contrast(picture, after, stamp)
    if shown:
        targets[0] = 1.0
        targets[1:-1] = [kind in stamp.kinds for kind in KINDS]
        mask = (_peaks(stamp.cover) > 60).astype(np.float32)
    told = shown == 0 or (shown >= _SMALLEST and seen >= FAINTEST)
    if not told:
        weights[:], mask_weight = 0.0, 0.0
    if shown and ink.opacity > 0.85 and facts["family"] in _LIKE_CAPTIONS:
        weights[0] = 0.0
    text = 1.0 if shown and facts["family"] not in _MAY_BE_WORDLESS else own_text
    if shown and facts["family"] in _MAY_BE_WORDLESS and not own_text:
        text = None
    targets[-1], weights[-1] = (text or 0.0), float(text is not None and told)
    return Sample(sent(after, rng), targets, weights, mask, mask_weight)


def _own_text(kind: str, hard: bool, whole: bool) -> float | None:
    """Whether a picture holds letters before anything is laid on it; None where that is not known."""
    if not hard:
        return None if kind in _MAY_HOLD_TEXT else 0.0
    if kind in WORDLESS:
        return 0.0
    return 1.0 if whole and kind != "painted_signature" else None


def _window(rng: np.random.Generator, least: int) -> tuple[int, int, int]:
    size = int(rng.integers(least, SIDE + 1))
    return int(rng.integers(0, SIDE - size + 1)), int(rng.integers(0, SIDE - size + 1)), size


def _cut(pixels: Colours, window: tuple[int, int, int], side: int) -> Colours:
    top, left, size = window
    crop = pixels[top : top + size, left : left + size]
    if size == side:
        return np.array(crop)
    way = Image.Resampling.BOX if size > 1.5 * side else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(crop).resize((side, side), way))


def _cut_stamp(
    layers: npt.NDArray[np.uint8], facts: dict[str, Any], rng: np.random.Generator, side: int
) -> Stamp:
    """A window of a stamp, the whole of it in half of the cases, else one that holds a part of its ink."""
    window = (0, 0, SIDE)
    if rng.random() < 0.6:
        size = int(rng.integers(200, SIDE + 1))
        rows, columns = np.nonzero(layers[0, ::8, ::8] > 64)
        if len(rows):
            pick = int(rng.integers(len(rows)))
            top, left = (
                rows[pick] * 8 - rng.integers(20, size - 20),
                columns[pick] * 8 - rng.integers(20, size - 20),
            )
            window = (int(np.clip(top, 0, SIDE - size)), int(np.clip(left, 0, SIDE - size)), size)
    top, left, size = window
    images = [Image.fromarray(layer[top : top + size, left : left + size]) for layer in layers]
    cover, tone = (np.asarray(image.resize((side, side), Image.Resampling.BILINEAR)) for image in images)
    return Stamp(cover, tone, frozenset(facts["kinds"]), str(facts["family"]))


def varied(picture: Colours, rng: np.random.Generator) -> Colours:
    """Mirrored, turned by quarters of a circle in few cases, with other light and colours."""
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
    if rng.random() < 0.1:
        picture = np.rot90(picture, int(rng.integers(4)))
    if rng.random() < 0.7:
        gain = rng.uniform(0.6, 1.3, 3) if rng.random() < 0.4 else np.full(3, rng.uniform(0.6, 1.35))
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
