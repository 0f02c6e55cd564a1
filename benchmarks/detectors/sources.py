"""The pictures and fonts that the test sets are made of: the test split, which no trainer reads.

They come from free Debian packages (`curation.train.pictures`; `python -m curation.train.pictures --pool DIR`
fetches them). Real paintings and prints, long out of copyright, are put together from the puzzle pieces in
which the package gcompris-qt-data holds them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from benchmarks.detectors.views import Pixels
from curation.steps import digest
from curation.train.pictures import Source, fonts, load, sources
from curation.train.pool import iter_rcc

Rng = np.random.Generator

#: Pictures of the web have many sizes: the longer side of a test picture is drawn from here, in pixels.
SIDES = (512, 1024)

_PAINTINGS = "packages/gcompris-qt-data/usr/share/gcompris-qt/rcc/paintings.rcc"
_PIECE = re.compile(r'"pixmapfile" : "(image/[^"]+\.webp)",\s*"x" : "?([\d.]+)"?,\s*"y" : "?([\d.]+)"?')
_SHEET = re.compile(r'"width": (\d+),\s*"height": (\d+)')

#: What ordinary pictures are: kinds of `curation.train.pictures`, and how often one is drawn.
_ORDINARY: Mapping[str, float] = {
    "photo": 0.4,
    "texture": 0.2,
    "drawing": 0.15,
    "painting": 0.15,
    "map": 0.05,
    "abstract": 0.05,
}


@dataclass(frozen=True)
class Grounds:
    """Pictures to build test sets on. Raises FileNotFoundError, when asked, where the pool has none."""

    pool: Path

    @cached_property
    def by_kind(self) -> Mapping[str, Sequence[Source]]:
        """Test pictures by kind, in order of name, that are not tiny."""
        found: dict[str, list[Source]] = {}
        for one in sources(self.pool, "test"):
            if _large(one.path):
                found.setdefault(one.kind, []).append(one)
        return dict(sorted(found.items()))

    @cached_property
    def digest(self) -> str:
        """Over the names of all pictures and fonts: other ones make other test sets."""
        names = [one.name for found in self.by_kind.values() for one in found]
        return digest(
            [names, {script: [path.name for path in paths] for script, paths in self.fonts.items()}]
        )

    def of(self, *kinds: str) -> list[Source]:
        """Test pictures of the kinds."""
        found = [one for kind in kinds for one in self.by_kind.get(kind, ())]
        if not found:
            raise FileNotFoundError(
                f"{self.pool}: no {' or '.join(kinds)}; python -m curation.train.pictures --pool {self.pool}"
            )
        return found

    def ordinary(self, rng: Rng, kind: str = "") -> Pixels:
        """A picture such as the web is full of, native: cut out of a larger one and made smaller."""
        kinds = [name for name in _ORDINARY if name in self.by_kind]
        shares = np.array([_ORDINARY[name] for name in kinds])
        drawn = kind or kinds[int(rng.choice(len(kinds), p=shares / shares.sum()))]
        if drawn == "painting" and self.paintings and rng.random() < 0.8:
            return window(self.paintings[int(rng.integers(len(self.paintings)))], rng)
        found = self.of(drawn)
        return window(_loaded(found[int(rng.integers(len(found)))]), rng)

    def painting(self, rng: Rng, real: bool = False) -> Pixels:
        """A real painting or print; unless `real`, half are photographs made flat and broad as by a brush."""
        found = self.paintings
        if found and (real or rng.random() < 0.5):
            return window(found[int(rng.integers(len(found)))], rng)
        broad = Image.fromarray(self.ordinary(rng, "photo"))
        broad = broad.filter(ImageFilter.MedianFilter(5)).filter(ImageFilter.ModeFilter(5))
        return np.asarray(broad)

    @cached_property
    def paintings(self) -> Sequence[Pixels]:
        """The real paintings and prints, 330 to 700 pixels long; none where the package is not there."""
        path = self.pool / _PAINTINGS
        return assembled(path.read_bytes()) if path.is_file() else ()

    @cached_property
    def fonts(self) -> Mapping[str, Sequence[Path]]:
        """Files of held-out fonts by `latin`, `hand`, `japanese`, `zh` and `ko`."""
        test = [font for font in fonts(self.pool, "test") if font.style != "display"]
        latin = [
            font.path for font in test if "latin" in font.scripts and not font.scripts & {"ja", "zh", "ko"}
        ]
        return {
            "latin": latin,
            "hand": [font.path for font in test if font.style == "hand"] or latin,
            "japanese": [font.path for font in test if "ja" in font.scripts],
            "zh": [font.path for font in test if "zh" in font.scripts],
            "ko": [font.path for font in test if "ko" in font.scripts],
        }


def window(pixels: Pixels, rng: Rng) -> Pixels:
    """A cut of 60 to 100 % of each side, sometimes mirrored, made smaller where it is larger than wanted."""
    height, width = pixels.shape[:2]
    tall, wide = (max(1, round(side * rng.uniform(0.6, 1))) for side in (height, width))
    top, left = int(rng.integers(height - tall + 1)), int(rng.integers(width - wide + 1))
    cut = pixels[top : top + tall, left : left + wide]
    if rng.random() < 0.5:
        cut = cut[:, ::-1]
    image = Image.fromarray(np.ascontiguousarray(cut))
    side = int(rng.integers(*SIDES, endpoint=True))
    if max(image.size) > side:
        scale = side / max(image.size)
        image = image.resize(
            (max(1, round(image.width * scale)), max(1, round(image.height * scale))),
            Image.Resampling.LANCZOS,
        )
    return np.asarray(image)


def assembled(resource: bytes) -> list[Pixels]:
    """The paintings of a gcompris resource, put together from their pieces."""
    files = dict(iter_rcc(resource))
    found = []
    for name in sorted(files):
        text = files[name].decode("utf-8", "replace") if "/board/" in name else ""
        sheet = _SHEET.search(text)
        if sheet is None:
            continue
        width, height = int(sheet[1]), int(sheet[2])
        whole = Image.new("RGBA", (width, height))
        for piece, x, y in _PIECE.findall(text):
            body = next(body for path, body in files.items() if path.endswith(f"paintings/resource/{piece}"))
            image = Image.open(BytesIO(body)).convert("RGBA")
            left, top = float(x) * width - image.width / 2, float(y) * height - image.height / 2
            whole.alpha_composite(image, (max(0, round(left)), max(0, round(top))))
        found.append(_solid(whole))
    return found


def _solid(whole: Image.Image) -> Pixels:
    """The part of a picture that has no holes at its edges."""
    alpha = np.asarray(whole.getchannel("A")) > 128
    rows, columns = alpha.mean(1) > 0.2, alpha.mean(0) > 0.2
    top, bottom = np.flatnonzero(rows)[[0, -1]]
    left, right = np.flatnonzero(columns)[[0, -1]]
    inset = 6
    box = (int(left) + inset, int(top) + inset, int(right) - inset, int(bottom) - inset)
    ground = Image.new("RGBA", whole.size, "white")
    return np.asarray(Image.alpha_composite(ground, whole).convert("RGB").crop(box))


def _large(path: Path) -> bool:
    try:
        with Image.open(path) as image:
            return min(image.size) >= 256
    except OSError:
        return False


@lru_cache(maxsize=48)
def _loaded(source: Source) -> Pixels:
    picture = load(source, 2048)
    if picture is None:
        raise FileNotFoundError(source.path)
    return picture.pixels
