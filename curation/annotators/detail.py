"""How much detail a picture holds: whether it was enlarged, by how much, and its sides before that.

The sharpest tiles are asked (`curation.nets.detail`), so that a soft background does not count. What was
blurred, grained or sharpened hard after it was enlarged shows less of it, and enlargements by networks that
invent detail (super-resolution) show nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from curation.annotators.base import Finding, Grey, Picture, Status, luma, versioned
from curation.nets.detail import FACTORS, LEAST, DetailNet, detail_of, features, sharpest
from kyodaku.durable import file_sha256
from kyodaku.recipe import Annotators

WEIGHTS = Path(__file__).resolve().parent.parent / "models" / "detail.safetensors"

#: Tiles that are asked, and the fine detail (`detail_of`) below which a tile tells nothing: rounding makes 1.
TILES, LEAST_DETAIL = 4, 1.25

#: Of a longer side, in pixels, only so much of the middle is searched: enlargement is the same all over.
MOST = 3072


class Detail:
    """`score`: from 0.5 on the picture counts as enlarged. `level`: `enlarged`; `smooth` where no tile holds
    enough detail to tell, which counts as not enlarged; else `native`. `values`: `factor`, and
    `effective_width`, `effective_height` in pixels. `unknown` for a picture of less than 96 pixels a side.
    """

    name = "detail"

    def __init__(self, weights: Path = WEIGHTS) -> None:
        self._weights = weights
        self._net: DetailNet | None = None
        code = ("curation.annotators.detail", "curation.nets.detail")
        self.version = versioned(1, code, file_sha256(weights))

    @classmethod
    def build(cls, section: Annotators) -> Detail:
        """The annotator of a recipe; nothing about it can be set."""
        return cls()

    def look(self, pictures: Sequence[Picture], before: Sequence[Mapping[str, Finding]]) -> list[Finding]:
        """See the class."""
        if self._net is None:
            self._net = DetailNet.load(self._weights)
        return [self._look(picture, self._net) for picture in pictures]

    def _look(self, picture: Picture, net: DetailNet) -> Finding:
        if min(picture.pixels.shape[:2]) < LEAST:
            return Finding(self.name, self.version, Status.UNKNOWN, text=f"less than {LEAST} pixels a side")
        tiles = [tile for tile in sharpest(_middle(picture), TILES) if detail_of(tile) >= LEAST_DETAIL]
        if not tiles:
            return self._said(picture, 0.0, 1.0, "smooth")
        logits, which = net.judge(np.stack([features(tile) for tile in tiles]))
        score = 1 / (1 + np.exp(np.clip(net.limit - logits.mean(), -60, 60)))
        if score < 0.5:
            return self._said(picture, float(score), 1.0, "native")
        return self._said(picture, float(score), float(FACTORS[which.mean(axis=0).argmax()]), "enlarged")

    def _said(self, picture: Picture, score: float, factor: float, level: str) -> Finding:
        height, width = picture.pixels.shape[:2]
        values = {
            "factor": factor,
            "effective_width": float(round(width / factor)),
            "effective_height": float(round(height / factor)),
        }
        return Finding(self.name, self.version, Status.OK, score, level, values=values)


def _middle(picture: Picture) -> Grey:
    """The luma of the middle, at most MOST a side."""
    height, width = picture.pixels.shape[:2]
    if max(height, width) <= MOST:
        return picture.grey
    top, left = max(0, height - MOST) // 2, max(0, width - MOST) // 2
    return luma(picture.pixels[top : top + MOST, left : left + MOST])
