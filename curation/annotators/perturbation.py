"""Annotator `perturbation`: does the picture carry an adversarial-like perturbation.

Up to six tiles at native size are judged: first by statistics of their residuals, and, unless those are
clear, by a small net (`curation.nets.perturbation`). The score, 0 to 1, is of both. Levels: `none`,
`possible`, `likely`, whose bounds were set when the weights were trained (curation/models/perturbation.md).
Random noise that somebody added cannot be told from grain and is not looked for.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from curation.annotators.base import Finding, Picture, Status, versioned
from kyodaku.durable import file_sha256
from kyodaku.recipe import Annotators

WEIGHTS = Path(__file__).parents[1] / "models" / "perturbation.safetensors"

#: The shorter side, in pixels, below which nothing can be told.
LEAST = 64

_CODE = (
    "curation.annotators.perturbation",
    "curation.judges.loading",
    "curation.judges.perturbation",
    "curation.nets.perturbation",
    "curation.nets.residuals",
)

if TYPE_CHECKING:
    from curation.judges.perturbation import Verdict
    from curation.nets.perturbation import Panel


class Perturbation:
    """Looks with the shipped weights; one thread, and one tile at a time, is the fastest on a CPU."""

    name = "perturbation"

    def __init__(self, weights: Path = WEIGHTS) -> None:
        self._weights = weights
        self.version = versioned(1, _CODE, file_sha256(weights))

    @classmethod
    def build(cls, section: Annotators) -> Perturbation:
        """The annotator of a recipe; nothing about it can be set."""
        return cls()

    @cached_property
    def _panel(self) -> Panel:
        from curation.judges.perturbation import load_panel

        return load_panel(self._weights)

    def look(self, pictures: Sequence[Picture], before: Sequence[Mapping[str, Finding]]) -> list[Finding]:
        """Unknown for pictures whose shorter side is below LEAST."""
        return [self._finding(picture) for picture in pictures]

    def _finding(self, picture: Picture) -> Finding:
        if min(picture.pixels.shape[:2]) < LEAST:
            return Finding(self.name, self.version, Status.UNKNOWN, text="too small to tell")
        from curation.judges.perturbation import judge, unrepeated  # torch, which only looking needs

        pixels = unrepeated(picture.pixels)
        if min(pixels.shape[:2]) < LEAST:
            return Finding(self.name, self.version, Status.UNKNOWN, text="too small before it was enlarged")
        verdict = judge(self._panel, pixels)
        return Finding(
            self.name,
            self.version,
            Status.OK,
            score=verdict.score,
            level=verdict.level,
            text="" if verdict.level == "none" else f"adversarial-like perturbation: {verdict.level}",
            values={"statistics": verdict.cheap, "tiles": verdict.tiles, "net": float(bool(verdict.map))},
            mask=b"" if verdict.level == "none" else _mask(verdict, pixels.shape[:2]),
        )


def _mask(verdict: Verdict, size: tuple[int, int]) -> bytes:
    """An 8-bit grey PNG of the whole picture, at most 64 pixels a side; places between tiles are as the
    nearest."""
    scale = 64 / max(size)
    height, width = (max(1, round(side * scale)) for side in size)
    total, count = np.zeros((height, width), np.float32), np.zeros((height, width), np.float32)
    for (top, left), logits in verdict.map:
        h, w = (max(1, round(side * 4 * scale)) for side in logits.shape)
        y, x = min(height - 1, round(top * scale)), min(width - 1, round(left * scale))
        small = Image.fromarray(1 / (1 + np.exp(-logits.numpy()))).resize((w, h), Image.Resampling.BOX)
        part = np.asarray(small)[: height - y, : width - x]
        total[y : y + part.shape[0], x : x + part.shape[1]] += part
        count[y : y + part.shape[0], x : x + part.shape[1]] += 1
    shown = np.where(count > 0, total / np.maximum(count, 1), total.sum() / max(1.0, count.sum()))
    buffer = io.BytesIO()
    Image.fromarray((shown * 255).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()
