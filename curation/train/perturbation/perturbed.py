"""What the perturbation detector learns from and is measured on: crops, clean, alike or perturbed.

A crop has a past (it was shrunk, coded, printed, grained), may then be perturbed, and has a way to us (coded
again, shrunk again). Past and way are drawn alike for both classes, so that only the perturbation tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from curation.train.perturbation.cloaks import PATTERNS, Field, Rgb, lay
from curation.train.pictures import Split, TrainPicture, iter_pictures, load, sources
from curation.train.textures import LOOKALIKES, recoded

#: Pixels a side of training crops, as of the tiles that are looked at.
SIDE = 192

#: How often a kind of picture is drawn from the pool; all others share the rest.
_WEIGHTS: Mapping[str, float] = {
    "photo": 0.4,
    "texture": 0.12,
    "painting": 0.16,
    "drawing": 0.1,
    "object": 0.06,
}


@dataclass(frozen=True)
class Sample:
    """One crop. `family` names how it was perturbed, "" if it was not; `like` which lookalike it is, if any.
    `energy` is float32 (h / 4, w / 4): the mean change there in 8-bit levels."""

    pixels: Rgb
    family: str
    like: str
    energy: Field

    @property
    def perturbed(self) -> bool:
        return bool(self.family)


def crops(
    pool: Path,
    split: Split,
    count: int,
    height: int,
    width: int,
    seed: int,
    each: int = 6,
    drawn: float = 0.25,
) -> list[Rgb]:
    """So many crops, uint8 (height, width, 3), `each` of one picture, at scales from native to small;
    `drawn` is the share of pictures that are drawn by code."""
    rng = np.random.default_rng([seed, height, len(split)])
    found: list[Rgb] = []
    files, painted = _files(pool, split, rng), _drawn(pool, split, seed)
    while len(found) < count:
        picture = next(painted, None) if rng.random() < drawn else None
        picture = picture or next(files)
        for _ in range(each):
            crop = _crop(rng, picture.pixels, height, width)
            if crop is not None:
                found.append(crop)
    order = rng.permutation(len(found))[:count]
    return [found[int(index)] for index in order]


def _files(pool: Path, split: Split, rng: np.random.Generator) -> Iterator[TrainPicture]:
    """Pictures of packages, kind by kind, endlessly."""
    by_kind: dict[str, list[int]] = {}
    stock = sources(pool, split)
    for index, source in enumerate(stock):
        by_kind.setdefault(source.kind, []).append(index)
    if not by_kind:
        raise FileNotFoundError(
            f"no {split} pictures in {pool}: python -m curation.train.pictures --pool {pool}"
        )
    kinds = sorted(by_kind)
    rest = sum(kind not in _WEIGHTS for kind in kinds) or 1
    weights = np.array([_WEIGHTS.get(kind, 0.1 / rest) for kind in kinds])
    queues: dict[str, list[int]] = {}
    while True:
        kind = kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))]
        if not queues.get(kind):
            queues[kind] = [int(index) for index in rng.permutation(by_kind[kind])]
        picture = load(stock[queues[kind].pop()], int(rng.choice([700, 1000, 1600, 2400])))
        if picture is not None:
            yield picture


def _drawn(pool: Path, split: Split, seed: int) -> Iterator[TrainPicture]:
    yield from iter_pictures(pool, split, ("nothing",), side=900, seed=seed)
    try:
        from curation.train.drawn import SCENES
    except ImportError:
        return
    yield from iter_pictures(pool, split, tuple(SCENES), side=900, seed=seed, drawn=100_000)


def _crop(rng: np.random.Generator, pixels: Rgb, height: int, width: int) -> Rgb | None:
    """One crop at some scale, not of an empty place if that can be helped; None if too small."""
    h, w = pixels.shape[:2]
    least = max(height / h, width / w)
    if least > 1.3:
        return None
    longer = np.exp(rng.uniform(np.log(2.2 * max(height, width)), np.log(2200)))
    scale = float(np.clip(longer / max(h, w), least, max(least, 1.0)))
    if abs(scale - 1) > 0.02 or least > 1:
        ways = (
            Image.Resampling.BOX,
            Image.Resampling.LANCZOS,
            Image.Resampling.BICUBIC,
            Image.Resampling.BILINEAR,
        )
        size = (max(width, round(w * scale)), max(height, round(h * scale)))
        pixels = np.asarray(Image.fromarray(pixels).resize(size, ways[int(rng.integers(4))]))
        h, w = pixels.shape[:2]
    crop = pixels
    for _ in range(4):
        top, left = int(rng.integers(0, h - height + 1)), int(rng.integers(0, w - width + 1))
        crop = pixels[top : top + height, left : left + width]
        if crop[::4, ::4].std() > 6:
            break
    return np.ascontiguousarray(crop[:, ::-1] if rng.random() < 0.5 else crop)


# --------------------------------------------------------------------------- the past, and the way to us


def past(rng: np.random.Generator, image: Rgb) -> Rgb:
    """What happened before anybody could perturb it: coded once, as most pictures are."""
    if rng.random() < 0.5:
        return image
    shift = tuple(int(n) for n in rng.integers(0, 8, 2))
    coded = recoded(
        np.roll(image, shift, (0, 1)), "JPEG", int(rng.integers(78, 98)), bool(rng.random() < 0.5)
    )
    return np.roll(coded, (-shift[0], -shift[1]), (0, 1))


def way(rng: np.random.Generator, image: Rgb) -> Rgb:
    """How it reaches us: as it is, coded, or shrunk and coded. Sides stay multiples of 16."""
    if rng.random() < 0.2:
        image = resized(image, rng.uniform(0.68, 0.97), int(rng.integers(3)))
    chance = rng.random()
    if chance < 0.35:
        return image
    if chance < 0.75:
        return recoded(image, "JPEG", int(rng.integers(70, 99)), bool(rng.random() < 0.35))
    if chance < 0.87:
        return recoded(image, "JPEG", int(rng.integers(55, 75)))
    return recoded(image, "WEBP", int(rng.integers(60, 96)))


def resized(image: Rgb, scale: float, how: int = 1) -> Rgb:
    """Shrunk, then cut to sides that are multiples of 16."""
    ways = (Image.Resampling.BOX, Image.Resampling.LANCZOS, Image.Resampling.BICUBIC)
    h, w = image.shape[:2]
    small = np.asarray(Image.fromarray(image).resize((round(w * scale), round(h * scale)), ways[how]))
    return np.ascontiguousarray(small[: small.shape[0] // 16 * 16, : small.shape[1] // 16 * 16])


# --------------------------------------------------------------------------- samples


@dataclass(frozen=True)
class Computed:
    """Perturbations that attacks computed, in 8-bit levels, and the pictures that they were computed for:
    int8 and uint8 (n, SIDE, SIDE, 3). `families` names the attack of each."""

    images: Rgb
    changes: np.ndarray
    families: Sequence[str]


def samples(
    bank: Sequence[Rgb], computed: Computed | None, patterns: Sequence[str], count: int, seed: int
) -> Iterator[Sample]:
    """So many samples, in pairs that have past and way in common: one clean, one perturbed, by `patterns` or
    by attacks where there are any. Nothing but the perturbation tells the two apart, so a net learns it
    soonest."""
    rng = np.random.default_rng(seed)
    names = list(LOOKALIKES)
    for _ in range(count // 2):
        image = bank[int(rng.integers(len(bank)))]
        change = _computed(rng, computed) if computed is not None and rng.random() < 0.6 else None
        if change is not None and rng.random() < 0.4:
            image = change.image
        image, like = past(rng, image), ""
        for _ in range(int(rng.choice([0, 1, 2], p=[0.45, 0.45, 0.1]))):
            like = names[int(rng.integers(len(names)))]
            image = LOOKALIKES[like](rng, image)
        if change is None:
            family = patterns[int(rng.integers(len(patterns)))]
            field = PATTERNS[family](rng, *image.shape[:2], bank[int(rng.integers(len(bank)))])
            bound = float(np.exp(rng.uniform(np.log(5), np.log(18))))
            laid = lay(image, field, bound, bool(rng.random() < 0.3))
        else:
            family = change.family
            laid = np.clip(np.rint(image + change.field), 0, 255).astype(np.uint8)
        yield from _pair(image, laid, family, like, int(rng.integers(1 << 31)))


def _pair(image: Rgb, laid: Rgb, family: str, like: str, seed: int) -> Iterator[Sample]:
    clean, seen = (way(np.random.default_rng(seed), one) for one in (image, laid))
    shape = (seen.shape[1] // 4, seen.shape[0] // 4)
    energy = np.abs(laid.astype(np.float32) - image).mean(2)
    small = np.asarray(Image.fromarray(energy).resize(shape, Image.Resampling.BOX), np.float32)
    yield Sample(clean, "", like, np.zeros_like(small))
    yield Sample(seen, family, like, small)


@dataclass(frozen=True)
class _Change:
    family: str
    image: Rgb
    field: Field


def _computed(rng: np.random.Generator, computed: Computed) -> _Change:
    """What one attack computed and for which picture, both mirrored, stronger or weaker."""
    index = int(rng.integers(len(computed.families)))
    change, image = computed.changes[index].astype(np.float32), computed.images[index]
    if rng.random() < 0.5:
        image, change = image[:, ::-1], change[:, ::-1]
    if rng.random() < 0.5:
        image, change = image[::-1], change[::-1]
    mean = float(np.abs(change).mean())  # a soft budget may end faint: nobody publishes a cloak of one level
    change = change * rng.uniform(0.7, 1.3) * max(1.0, min(4.0, rng.uniform(2, 4) / (mean + 0.1)))
    return _Change(computed.families[index], np.ascontiguousarray(image), np.asarray(change, np.float32))
