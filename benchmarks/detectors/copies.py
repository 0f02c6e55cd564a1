"""Copies to be found, and pictures that are no copies of each other: how well fingerprints tell them apart.

Nothing is trained here, so every picture of the pool that is not tiny may be asked about. A copy is found if
the search that `match` makes finds it: its plain and its trimmed hash among what the original is looked for
as, or the other way round. `python -m benchmarks.detectors.copies --pool DIR` prints the table.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from benchmarks.detectors.statistics import Rate
from benchmarks.detectors.views import Pixels, as_jpeg, cropped, halved
from curation.train.pictures import Source, load, sources
from kyodaku.copies import CopyPrints, copy_prints, is_matchable
from kyodaku.fingerprint import pdq
from kyodaku.matching import PictureIndex, Prints, forms_of

Change = Callable[[Pixels], Pixels]
Progress = Callable[[int, int], None]

#: Pictures asked about, and how many of them get copies.
PICTURES = 2600
COPIED = 300
#: Parts of photographs and paintings, no two of which are copies: 3.1 million pairs.
TILES = 2500
ROWS, COLUMNS = 6, 8
SIDE = 1024
#: Kinds that are told apart from the rest of the pool: that has small fine-grained textures, which PDQ's own
#: small scale blurs in another way at each size.
PICTORIAL = ("photo", "painting", "print")
_KINDS = ("photo", "painting", "print", "texture", "map", "object", "drawing", "screenshot", "abstract")


def _through(kind: str, **options: Any) -> Change:
    def change(pixels: Pixels) -> Pixels:
        file = BytesIO()
        Image.fromarray(pixels).save(file, kind, **options)
        return np.asarray(Image.open(file).convert("RGB"))

    return change


def _jpeg(quality: int) -> Change:
    return lambda pixels: np.asarray(Image.open(BytesIO(as_jpeg(pixels, quality))).convert("RGB"))


def _scaled(scale: float) -> Change:
    def change(pixels: Pixels) -> Pixels:
        height, width = pixels.shape[:2]
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))

    return change


def _enhanced(kind: type[ImageEnhance._Enhance], factor: float) -> Change:
    return lambda pixels: np.asarray(kind(Image.fromarray(pixels)).enhance(factor))


def _grey(pixels: Pixels) -> Pixels:
    return np.asarray(ImageOps.grayscale(Image.fromarray(pixels)).convert("RGB"))


def _warmer(pixels: Pixels) -> Pixels:
    return np.clip(pixels * np.array([1.12, 1.0, 0.85]), 0, 255).astype(np.uint8)


def _cut(edge: str, share: float) -> Change:
    def change(pixels: Pixels) -> Pixels:
        height, width = pixels.shape[:2]
        tall, wide = round(height * share), round(width * share)
        kept = {
            "left": pixels[:, wide:],
            "right": pixels[:, : width - wide],
            "top": pixels[tall:],
            "bottom": pixels[: height - tall],
        }
        return np.ascontiguousarray(kept[edge])

    return change


def _bordered(share: float, colour: int) -> Change:
    def change(pixels: Pixels) -> Pixels:
        edge = round(max(pixels.shape[:2]) * share)
        return np.pad(pixels, ((edge, edge), (edge, edge), (0, 0)), constant_values=colour)

    return change


def _turned(times: int) -> Change:
    return lambda pixels: np.ascontiguousarray(np.rot90(pixels, times))


#: Family -> what was done. Everything is written as JPEG 85 after it, as sites do.
FAMILIES: Mapping[str, Mapping[str, Change]] = {
    "JPEG": {"90": _jpeg(90), "75": _jpeg(75), "50": _jpeg(50), "WebP 75": _through("WEBP", quality=75)},
    "resize": {"half": halved, "70 %": _scaled(0.7), "150 %": _scaled(1.5), "quarter": _scaled(0.25)},
    "colour": {
        "brighter": _enhanced(ImageEnhance.Brightness, 1.2),
        "darker": _enhanced(ImageEnhance.Brightness, 0.8),
        "contrast": _enhanced(ImageEnhance.Contrast, 1.25),
        "saturation": _enhanced(ImageEnhance.Color, 1.5),
        "warmer": _warmer,
        "grey": _grey,
    },
    "mirror": {"mirrored": lambda pixels: np.ascontiguousarray(pixels[:, ::-1])},
    "turned": {"90": _turned(1), "180": _turned(2), "270": _turned(3)},
    "5 % cut off one edge": {edge: _cut(edge, 0.05) for edge in ("left", "right", "top", "bottom")},
    "3 % cut off one edge": {edge: _cut(edge, 0.03) for edge in ("left", "right", "top", "bottom")},
    "8 % cut off one edge": {edge: _cut(edge, 0.08) for edge in ("left", "right", "top", "bottom")},
    "10 % cut (5 % off each edge)": {"all round": cropped},
    "border": {
        "white 5 %": _bordered(0.05, 255),
        "black 5 %": _bordered(0.05, 0),
        "grey 12 %": _bordered(0.12, 128),
    },
}


@dataclass(frozen=True)
class Fingerprinted:
    """A picture as its fingerprints."""

    pdq: str
    quality: int
    prints: CopyPrints

    @classmethod
    def of(cls, pixels: Pixels) -> Fingerprinted:
        found, quality = pdq(pixels)
        return cls(found, quality, copy_prints(pixels, found, quality))

    @property
    def forms(self) -> list[tuple[int, str]]:
        return forms_of(self.pdq if is_matchable(self.prints.frames) else "", self.prints.trimmed)


def pictures(pool: Path, count: int, seed: int = 4) -> Iterator[tuple[Source, Pixels]]:
    """Pictures of the pool, all kinds in turn, at most `SIDE` long; none smaller than 256 pixels."""
    rng = np.random.default_rng(seed)
    every = [one for split in ("train", "validation", "test") for one in sources(pool, split)]
    by_kind = {kind: [one for one in every if one.kind == kind] for kind in _KINDS}
    for found in by_kind.values():
        rng.shuffle(found)  # type: ignore[arg-type]
    given = 0
    while given < count and any(by_kind.values()):
        for found in by_kind.values():
            pixels = None
            while found and pixels is None:
                one = found.pop()
                pixels = _pixels(one)
            if pixels is not None and given < count:
                given += 1
                yield one, pixels


def tiles(pool: Path) -> Iterator[tuple[str, Pixels]]:
    """Parts of photographs, paintings and prints that overlap nowhere: no two are copies. Of a picture that a
    package has several versions of (`bridge.jpg`, `bridge_sun.jpg`), the first."""
    seen: set[str] = set()
    for split in ("train", "validation", "test"):
        for source in sources(pool, split):
            first = source.name.rsplit(".", 1)[0].split("_")[0]
            picture = load(source, 2048) if source.kind in PICTORIAL and first not in seen else None
            if picture is None or min(picture.pixels.shape[:2]) < 900:
                continue
            seen.add(first)
            height, width = picture.pixels.shape[0] // ROWS, picture.pixels.shape[1] // COLUMNS
            for row in range(ROWS):
                for column in range(COLUMNS):
                    part = picture.pixels[row * height :, column * width :][:height, :width]
                    yield f"{source.name} {row},{column}", np.ascontiguousarray(part)


def _pixels(source: Source) -> Pixels | None:
    try:
        picture = load(source, SIDE)
    except Image.DecompressionBombError:  # some packages draw wallpapers of 600 megapixels
        return None
    pixels = None if picture is None else picture.pixels
    return None if pixels is None or min(pixels.shape[:2]) < 256 else pixels


def found_either_way(one: Fingerprinted, other: Fingerprinted) -> bool:
    """Whether `match` would call them near copies."""
    for sought, listed in ((one, other), (other, one)):
        if listed.forms and sought.prints.frames:
            index = PictureIndex(Prints.of((0, form, text) for form, text in listed.forms))
            if len(index.copies_of([sought.prints.frames])):
                return True
    return False


def measure(
    pool: Path,
    progress: Progress = lambda done, of: None,
    count: int = PICTURES,
    copied: int = COPIED,
    tiled: int = TILES,
) -> dict[str, Any]:
    """Recall by family and change, pairs found among pictures that are no copies, and what it costs.

    A pair of the pool that is found is `suspicious`: a false pair, unless a person sees that the pool holds
    the same picture twice (it does: recoloured textures, translated screenshots). `names` has them all. Of
    `tiles` no two are copies, so every pair is false.
    """
    rates: dict[str, dict[str, Rate]] = {family: {} for family in FAMILIES}
    pictorial: dict[str, Rate] = {family: Rate(0, 0) for family in FAMILIES}
    kept: list[tuple[str, Fingerprinted]] = []
    flat, seconds = 0, []
    for number, (source, pixels) in enumerate(pictures(pool, count)):
        began = time.thread_time()
        one = Fingerprinted.of(pixels)
        seconds.append(time.thread_time() - began)
        progress(number + 1, count)
        if not one.prints.frames:
            flat += 1
            continue
        kept.append((source.name, one))
        if len(kept) <= copied:
            for family, change, copy in _copies(pixels):
                hit = Rate(int(found_either_way(one, copy)), 1)
                rates[family][change] = rates[family].get(change, Rate(0, 0)) + hit
                if source.kind in PICTORIAL:
                    pictorial[family] += hit
    pairs = suspicious(kept)
    parts = [(name, Fingerprinted.of(tile)) for name, tile in islice(tiles(pool), tiled)]
    parts = [(name, one) for name, one in parts if one.prints.frames]
    false = suspicious(parts)
    return {
        "pictures": len(kept),
        "too_flat": flat,
        "families": {
            family: {"all": _told(sum(found.values(), Rate(0, 0)))} | {k: _told(v) for k, v in found.items()}
            for family, found in rates.items()
        },
        "pictorial": {family: _told(rate) for family, rate in pictorial.items() if rate.total},
        "pairs": len(kept) * (len(kept) - 1) // 2,
        "suspicious": len(pairs),
        "names": pairs,
        "tiles": {
            "pictures": len(parts),
            "pairs": len(parts) * (len(parts) - 1) // 2,
            "false": len(false),
            "names": false,
        },
        "milliseconds": {
            "mean": round(1000 * float(np.mean(seconds)), 1) if seconds else 0.0,
            "p95": round(1000 * float(np.percentile(seconds, 95)), 1) if seconds else 0.0,
        },
    }


def _copies(pixels: Pixels) -> Iterator[tuple[str, str, Fingerprinted]]:
    again = _jpeg(85)
    for family, changes in FAMILIES.items():
        for name, change in changes.items():
            yield family, name, Fingerprinted.of(again(change(pixels)))


def suspicious(kept: Sequence[tuple[str, Fingerprinted]]) -> list[list[Any]]:
    """Pairs of different pictures that `match` would call near copies: names, bits, transform."""
    index = PictureIndex(Prints.of((at, *form) for at, (_, one) in enumerate(kept) for form in one.forms))
    found: dict[tuple[int, int], tuple[int, str]] = {}
    for start in range(0, len(kept), 64):
        copies = index.copies_of([one.prints.frames for _, one in kept[start : start + 64]])
        for row in range(len(copies)):
            own, other = int(copies.sought[row]) + start, int(copies.found[row])
            if own != other:
                said = (int(copies.distances[row]), copies.words(row))
                pair = (min(own, other), max(own, other))
                found[pair] = min(found.get(pair, said), said)
    return [[kept[one][0], kept[other][0], *said] for (one, other), said in sorted(found.items())]


def _told(rate: Rate) -> dict[str, Any]:
    return {
        "recall": round(rate.value, 4),
        "low": round(rate.low, 4),
        "high": round(rate.high, 4),
        "of": rate.total,
    }


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pool", type=Path, required=True)
    parser.add_argument("--count", type=int, default=PICTURES)
    parser.add_argument("--copied", type=int, default=COPIED)
    parser.add_argument("--tiles", type=int, default=TILES)
    asked = parser.parse_args()
    found = measure(asked.pool, count=asked.count, copied=asked.copied, tiled=asked.tiles)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
