"""Annotator `overlay`: is a visible mark laid over the picture, and of what kind.

OverlayNet looks at the whole picture, about 512 px long, and, where that leaves it undecided and the picture
is three times as long, at five tiles at native size: the corners and the centre. (On smaller ones tiles told
it nothing more that could be measured.) The score is made so that about 1 % of the clean validation pictures
have 0.8 or more and 5 % have 0.5 (curation/models/overlay.md), so that LAION's practice of keeping
`pwatermark < 0.8` holds. Levels: `none`, `possible` (0.5), `likely` (0.8). `values` hold the kinds of mark,
`mark` (the net's own probability), `views`, and `text`: the probability that overlaid or notice-like text
stands anywhere, whether or not it is a mark.

With `annotators.watermark.model` the score is that of a classifier from the hub or a local folder
(`curation.hub_classifier`); the kinds, the text and the mask stay OverlayNet's.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from curation.annotators.base import Finding, Picture, Status, versioned
from curation.hub_classifier import Classifier
from curation.ocr.models import models_version
from kyodaku.durable import file_sha256
from kyodaku.recipe import Annotators

WEIGHTS = Path(__file__).parents[1] / "models" / "overlay.safetensors"

#: The shorter side, in pixels, below which nothing can be told.
LEAST = 48

LIKELY, POSSIBLE = 0.8, 0.5

_CODE = (
    "curation.annotators.overlay",
    "curation.judges.loading",
    "curation.judges.overlay",
    "curation.nets.overlay",
    "curation.ocr.detector",
    "curation.ocr.models",
    "curation.hub_classifier",
)

if TYPE_CHECKING:
    from curation.judges.overlay import Floats, Look, Watcher


class Overlay:
    """Looks with the shipped weights, and with a classifier if the recipe names one."""

    name = "overlay"

    def __init__(self, weights: Path = WEIGHTS, classifier: Classifier | None = None) -> None:
        self._weights, self._classifier = weights, classifier
        other = classifier.digest() if classifier else ""
        self.version = versioned(1, _CODE, file_sha256(weights), [other, models_version()])

    @classmethod
    def build(cls, section: Annotators) -> Overlay:
        """As a recipe says. Raises UsageError for a hub model without a revision, MissingWeightsError."""
        model = section.watermark
        if not model.model:
            return cls()
        return cls(classifier=Classifier(model.model, model.revision, "annotators.watermark"))

    @cached_property
    def net(self) -> Watcher:
        """The loaded net. torch is imported here, not by commands that only ask which version looks."""
        from curation.judges.overlay import load_watcher

        return load_watcher(self._weights)

    def look(self, pictures: Sequence[Picture], before: Sequence[Mapping[str, Finding]]) -> list[Finding]:
        """Unknown for pictures whose shorter side is below LEAST."""
        large = [picture for picture in pictures if min(picture.pixels.shape[:2]) >= LEAST]
        looks = iter(self.net.look(large))
        others = iter(self._classifier.probabilities(large, "watermark") if self._classifier else ())
        findings = []
        for picture in pictures:
            if min(picture.pixels.shape[:2]) < LEAST:
                findings.append(Finding(self.name, self.version, Status.UNKNOWN, text="too small to tell"))
                continue
            found = self._finding(next(looks), picture.pixels.shape[:2])
            findings.append(self._scored(found, next(others)) if self._classifier else found)
        return findings

    def _finding(self, look: Look, size: tuple[int, ...]) -> Finding:
        score = _rounded(self.net.bounds.score(float(look.logits[0])))
        level = _level(score)
        return Finding(
            self.name,
            self.version,
            Status.OK,
            score=score,
            level=level,
            text="" if level == "none" else ", ".join(look.kinds),
            values={**look.values, "views": float(look.views)},
            mask=b"" if level == "none" else _png(look.mask, size),
        )

    def _scored(self, found: Finding, score: float) -> Finding:
        """The finding with a classifier's score; the net's stays among the values."""
        score = _rounded(score)
        return replace(
            found, score=score, level=_level(score), values={**found.values, "overlaynet": found.score}
        )


def _rounded(score: float) -> float:
    """To four digits, which machines agree on, and within (0, 1): a reader takes exactly 0 for 1. What is no
    number stays none, and the finding fails."""
    if math.isnan(score):
        return score
    return min(0.9999, max(0.0001, round(score, 4)))


def _level(score: float) -> str:
    return "likely" if score >= LIKELY else "possible" if score >= POSSIBLE else "none"


def _png(mask: Floats, size: tuple[int, ...]) -> bytes:
    """The mask as an 8-bit grey PNG with the proportions of the picture, at most 64 pixels a side."""
    scale = min(1.0, 64 / max(size))
    shape = (max(1, round(size[1] * scale)), max(1, round(size[0] * scale)))
    file = io.BytesIO()
    Image.fromarray((mask * 255).astype(np.uint8)).resize(shape, Image.Resampling.BILINEAR).save(file, "PNG")
    return file.getvalue()
