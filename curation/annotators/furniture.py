"""Which furniture of digitisation stands in the picture: colour chart, ruler, book gutter, border.

KindNet's word (curation/models/kind.md), trained on furniture drawn by code only.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from curation.annotators.base import Finding, Picture, Status, versioned
from curation.kinds import CODE, LEAST, WEIGHTS, Judgement
from kyodaku.durable import file_sha256
from kyodaku.recipe import Annotators
from kyodaku.recipe.filters import FURNITURE

#: From this score on a piece counts as seen, in `text` and in the mask.
SEEN = 0.5


class FurnitureSeen:
    """`score`: the most certain piece's. `values`: every piece's. `text`: the names of those at SEEN and
    above, blank between. `mask`: where they stand, b"" if none does."""

    name = "furniture"

    def __init__(self, weights: Path = WEIGHTS) -> None:
        self._weights = weights
        self.version = versioned(1, ("curation.annotators.furniture", *CODE), file_sha256(weights))

    @classmethod
    def build(cls, section: Annotators) -> FurnitureSeen:
        """The annotator of a recipe; nothing about it can be set."""
        return cls()

    def look(self, pictures: Sequence[Picture], before: Sequence[Mapping[str, Finding]]) -> list[Finding]:
        """Unknown for pictures whose shorter side is below LEAST."""
        from curation.judges.kind import judge  # torch, which only looking needs

        large = [picture.pixels for picture in pictures if min(picture.pixels.shape[:2]) >= LEAST]
        judged = iter(judge(self._weights).look(large))
        return [
            self._finding(next(judged), picture.pixels.shape[:2])
            if min(picture.pixels.shape[:2]) >= LEAST
            else Finding(self.name, self.version, Status.UNKNOWN, text="too small to tell")
            for picture in pictures
        ]

    def _finding(self, judged: Judgement, size: tuple[int, ...]) -> Finding:
        values = dict(zip(FURNITURE, map(float, judged.furniture), strict=True))
        seen = [name for name, value in values.items() if value >= SEEN]
        return Finding(
            self.name,
            self.version,
            Status.OK,
            score=max(values.values()),
            text=" ".join(seen),
            values=values,
            mask=_png(judged, seen, size) if seen else b"",
        )


def _png(judged: Judgement, seen: Sequence[str], size: tuple[int, ...]) -> bytes:
    """Where the pieces that were seen stand: 8-bit grey PNG in the picture's aspect, 48 px at most."""
    where = np.max([judged.mask[FURNITURE.index(name)] for name in seen], axis=0)
    scale = 48 / max(size)
    shape = (max(1, round(size[1] * scale)), max(1, round(size[0] * scale)))
    image = Image.fromarray((where * 255).astype(np.uint8)).resize(shape, Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
