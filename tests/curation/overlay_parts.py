"""A font and a tiny bank that need no packages: Pillow's own letters, and marks on noise."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import ImageFont
from skimage import data

from curation.train.overlay.bank import SIDE, Bank
from curation.train.overlay.layouts import centred, corner_line, letter_grid
from curation.train.overlay.marks import Face, Pen


@dataclass(frozen=True)
class BuiltIn(Face):
    """Pillow's built-in font, whatever is asked for."""

    def sized(self, size: int) -> ImageFont.FreeTypeFont:
        font = ImageFont.load_default(max(6, size))
        assert isinstance(font, ImageFont.FreeTypeFont)
        return font


BUILT_IN_FONT = BuiltIn(Path("built-in"), frozenset({"latin", "japanese", "chinese", "korean", "cyrillic"}))


def tiny_bank() -> Bank:
    """Four backgrounds, two of them again as look-alikes, and three stamps."""
    writer = Pen(np.random.default_rng(2), (BUILT_IN_FONT,), ("latin",))
    photographs = [data.coffee(), data.rocket(), data.chelsea()[:, :, :], data.astronaut()]
    crops = np.stack([np.resize(pixels[:300, :400], (SIDE, SIDE, 3)) for pixels in photographs])
    stamps = [layout(writer, (SIDE, SIDE)) for layout in (centred, letter_grid, corner_line)]
    layers = np.stack([np.stack([stamp.cover, stamp.tone]) for stamp in stamps])
    facts = [{"family": stamp.family, "kinds": sorted(stamp.kinds)} for stamp in stamps]
    return Bank(crops, ["photo"] * 4, crops[:2], ["sign", "fence"], layers, facts)
