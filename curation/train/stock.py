"""What drawings may use of the pool: fonts and pictures of their own split."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageFont

from curation.train.pictures import FontFile, Source, Split, fonts, opened, sources

#: Of the pictures that drawings are made from, at most this many pixels a side are kept.
SIDE = 1280


@dataclass(frozen=True)
class Stock:
    """Fonts and pictures of one split. An empty pool is a stock too: Pillow's own font, and no pictures."""

    split: Split
    fonts: tuple[FontFile, ...]
    sources: tuple[Source, ...]

    @classmethod
    def of(cls, pool: Path, split: Split) -> Stock:
        """What the pool has for a split."""
        return cls(split, tuple(fonts(pool, split)), tuple(sources(pool, split)))

    @cached_property
    def scripts(self) -> tuple[str, ...]:
        """Scripts that a font of this split writes, and Latin."""
        return tuple(sorted({"latin", *(script for font in self.fonts for script in font.scripts)}))

    def font(
        self, rng: np.random.Generator, size: int, script: str = "latin", style: str = ""
    ) -> ImageFont.FreeTypeFont:
        """A font that writes `script`, of `style` if any does; families are equally likely. Pillow's own
        Latin font where the split has none."""
        able = [font for font in self.fonts if script in font.scripts]
        chosen = [font for font in able if font.style == style] or able
        if not chosen:
            default = ImageFont.load_default(size)
            assert isinstance(default, ImageFont.FreeTypeFont)  # noqa: S101 - Pillow has FreeType here
            return default
        families = sorted({font.family for font in chosen})
        family = families[int(rng.integers(len(families)))]
        files = [font.path for font in chosen if font.family == family]
        return _font(files[int(rng.integers(len(files)))], size)

    def of_kind(self, kind: str) -> list[Source]:
        """Every picture file of a kind."""
        return self._by_kind.get(kind, [])

    def picture(self, rng: np.random.Generator, *kinds: str) -> Image.Image | None:
        """A picture of one of the kinds, RGB; None if the split has none that can be read."""
        source = self._source(rng, kinds)
        return _picture(source) if source else None

    def crop(self, rng: np.random.Generator, size: tuple[int, int], *kinds: str) -> Image.Image | None:
        """A part of such a picture, of this size: a random place, enlarged only if it must be."""
        picture = self.picture(rng, *kinds)
        if picture is None:
            return None
        least = max(size[0] / picture.width, size[1] / picture.height)
        scale = least * float(rng.uniform(1.0, max(1.0, min(1.8, 1 / least))))
        wide = (size[0] / scale, size[1] / scale)
        left = float(rng.uniform(0, max(0.0, picture.width - wide[0])))
        top = float(rng.uniform(0, max(0.0, picture.height - wide[1])))
        box = (left, top, min(picture.width, left + wide[0]), min(picture.height, top + wide[1]))
        return picture.resize(size, Image.Resampling.BICUBIC, box=box)

    def cutout(self, rng: np.random.Generator, *kinds: str) -> Image.Image | None:
        """A picture with its transparency, RGBA; None if the split has none that is transparent."""
        for _ in range(8):
            source = self._source(rng, kinds)
            if source is None:
                return None
            picture = _cutout(source.path)
            if picture is not None:
                return picture
        return None

    @cached_property
    def _by_kind(self) -> dict[str, list[Source]]:
        by_kind: dict[str, list[Source]] = {}
        for source in self.sources:
            by_kind.setdefault(source.kind, []).append(source)
        return by_kind

    def _source(self, rng: np.random.Generator, kinds: tuple[str, ...]) -> Source | None:
        able = [source for kind in kinds for source in self._by_kind.get(kind, [])]
        return able[int(rng.integers(len(able)))] if able else None


@lru_cache(maxsize=256)
def _font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), size)


@lru_cache(maxsize=24)
def _picture(source: Source) -> Image.Image | None:
    try:
        picture = opened(source, SIDE)
        picture.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
        return picture
    except (OSError, ValueError, SyntaxError):
        return None


@lru_cache(maxsize=24)
def _cutout(path: Path) -> Image.Image | None:
    try:
        with Image.open(path) as image:
            picture = image.convert("RGBA")
            picture.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    except (OSError, ValueError, SyntaxError):
        return None
    low, _ = picture.getchannel("A").getextrema()
    return picture if low == 0 else None
