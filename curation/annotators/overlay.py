"""Annotator `overlay`: is a visible mark laid over the picture, and of what kind.

OverlayNet looks at the whole picture at most 512 px long and, where that leaves it undecided, at five tiles
at native size: the corners and the centre. The score is made so that about 1 % of the clean validation
pictures have 0.8 or more and 5 % have 0.5 (curation/models/overlay.md), so that LAION's practice of keeping
`pwatermark < 0.8` holds. Levels: `none`, `possible` (0.5), `likely` (0.8). `values` hold
the kinds of mark, `mark` (the net's own probability), `views`, and `text`: the probability that overlaid or
notice-like text stands anywhere, whether or not it is a mark.

With `annotators.watermark.model` the score is that of a classifier from the hub or a local folder
(`curation.hub_classifier`); the kinds, the text and the mask stay OverlayNet's.
"""

from __future__ import annotations

import io
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from curation.annotators.base import Finding, Picture, Status, versioned
from curation.hub_classifier import Classifier
from curation.nets.overlay import HEADS, KINDS, STRIDE, OverlayNet, fused
from kyodaku.durable import file_sha256
from kyodaku.fingerprint import Pixels
from kyodaku.recipe import Annotators

WEIGHTS = Path(__file__).parents[1] / "models" / "overlay.safetensors"

#: The longest side of the first view, and a side of the tiles, in pixels.
LETTERBOX, TILE = 512, 320

#: The shorter side, in pixels, below which nothing can be told.
LEAST = 48

#: Pictures at most this many times as long as LETTERBOX lose too little to need tiles.
_ENOUGH = 1.25

LIKELY, POSSIBLE = 0.8, 0.5

_CODE = ("curation.annotators.overlay", "curation.nets.overlay", "curation.hub_classifier")

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Bounds:
    """Logits of `mark`: at `likely` the score is 0.8, at `possible` 0.5. Between `clear` and `sure` the first
    view is undecided."""

    clear: float
    possible: float
    likely: float
    sure: float

    def score(self, logit: float) -> float:
        """The score of a logit: a logistic curve through both points, within (0, 1)."""
        slope = math.log(LIKELY / (1 - LIKELY)) / max(1e-3, self.likely - self.possible)
        turned = max(-12.0, min(12.0, slope * (logit - self.possible)))
        return 1 / (1 + math.exp(-turned))


@dataclass(frozen=True)
class Look:
    """What the net says of one picture: logits of HEADS over all views, how many `views`, and the `mask` of
    the first, float32 (h / 8, w / 8) in [0, 1], without its padding."""

    logits: Floats
    views: int
    mask: Floats


class Overlay:
    """Looks with the shipped weights, and with a classifier if the recipe names one."""

    name = "overlay"

    def __init__(self, weights: Path = WEIGHTS, classifier: Classifier | None = None) -> None:
        self._weights, self._classifier = weights, classifier
        other = classifier.digest() if classifier else ""
        self.version = versioned(1, _CODE, file_sha256(weights), other)

    @classmethod
    def build(cls, section: Annotators) -> Overlay:
        """As a recipe says. Raises UsageError for a hub model without a revision, MissingWeightsError."""
        model = section.watermark
        if not model.model:
            return cls()
        return cls(classifier=Classifier(model.model, model.revision, "annotators.watermark"))

    @cached_property
    def net(self) -> Watcher:
        """The loaded net."""
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
        values = dict(zip(HEADS, (1 / (1 + np.exp(-look.logits))).tolist(), strict=True))
        score = self.net.bounds.score(float(look.logits[0]))
        level = _level(score)
        kinds = sorted(KINDS, key=lambda kind: -values[kind])
        named = [kind for kind in kinds if values[kind] >= 0.5] or kinds[:1]
        return Finding(
            self.name,
            self.version,
            Status.OK,
            score=score,
            level=level,
            text="" if level == "none" else ", ".join(named),
            values={**values, "views": float(look.views)},
            mask=b"" if level == "none" else _png(look.mask, size),
        )

    def _scored(self, found: Finding, score: float) -> Finding:
        """The finding with a classifier's score; the net's stays among the values."""
        score = min(1 - 1e-6, max(1e-6, score))
        return replace(
            found, score=score, level=_level(score), values={**found.values, "overlaynet": found.score}
        )


class Watcher:
    """OverlayNet with its bounds, on the GPU if there is one. Views of one shape are looked at together."""

    def __init__(self, net: OverlayNet, bounds: Bounds) -> None:
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._net = fused(net).to(self._device)
        self.bounds = bounds

    def look(self, pictures: Sequence[Picture], tiles: bool = True) -> list[Look]:
        """What is seen of each, in order; without `tiles` only the first view."""
        views = [picture.within(LETTERBOX) for picture in pictures]
        first = self._seen(views)
        looks = []
        for view, (logits, mask) in zip(views, first, strict=True):
            rows, columns = (math.ceil(side / 8) for side in view.shape[:2])
            looks.append(Look(logits, 1, mask[:rows, :columns]))
        undecided = [
            at
            for at, (picture, look) in enumerate(zip(pictures, looks, strict=True))
            if tiles
            and self.bounds.clear < look.logits[0] < self.bounds.sure
            and max(picture.pixels.shape[:2]) > _ENOUGH * LETTERBOX
        ]
        cuts = [tile for at in undecided for tile in tiles_of(pictures[at].pixels)]
        closer = iter(self._seen(cuts))
        for at in undecided:
            near = [next(closer)[0] for _ in tiles_of(pictures[at].pixels)]
            together = np.maximum(looks[at].logits, np.max(near, axis=0))
            looks[at] = replace(looks[at], logits=together, views=1 + len(near))
        return looks

    def _seen(self, views: Sequence[Pixels]) -> list[tuple[Floats, Floats]]:
        """Logits and mask of each view."""
        groups: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for at, view in enumerate(views):
            groups[padded_shape(view)].append(at)
        seen: list[tuple[Floats, Floats]] = [(np.empty(0, np.float32),) * 2] * len(views)
        for group in groups.values():
            for start in range(0, len(group), 32):
                members = group[start : start + 32]
                logits, masks = self._batch([views[at] for at in members])
                for at, logit, mask in zip(members, logits, masks, strict=True):
                    seen[at] = (logit, mask)
        return seen

    def _batch(self, views: Sequence[Pixels]) -> tuple[Floats, Floats]:
        stacked = np.stack([padded(view) for view in views])
        pixels = torch.from_numpy(stacked).to(self._device).permute(0, 3, 1, 2)
        with torch.inference_mode():
            seen = self._net(pixels.to(torch.float32, memory_format=torch.channels_last) / 127.5 - 1)
            return seen.logits.cpu().numpy(), torch.sigmoid(seen.mask).cpu().numpy()


def load_watcher(path: Path) -> Watcher:
    """The net of a weights file. Raises OSError, SafetensorError or RuntimeError for a file that is none."""
    from safetensors.torch import load_file

    state = {name: value.float() for name, value in load_file(path).items()}
    bounds = Bounds(*state.pop("bounds", torch.tensor([-2.0, 0.0, 2.0, 4.0])).tolist())
    net = OverlayNet()
    net.load_state_dict(state, strict=False)
    return Watcher(net, bounds)


def tiles_of(pixels: Pixels) -> list[Pixels]:
    """The four corners and the centre, TILE pixels a side or what the picture has, at native size."""
    height, width = pixels.shape[:2]
    tall, wide = min(TILE, height), min(TILE, width)
    corners = [(top, left) for top in {0, height - tall} for left in {0, width - wide}]
    spots = sorted({*corners, ((height - tall) // 2, (width - wide) // 2)})
    return [pixels[top : top + tall, left : left + wide] for top, left in spots]


def padded_shape(view: Pixels) -> tuple[int, int]:
    """Height and width, each rounded up to a multiple of STRIDE."""
    height, width = (math.ceil(side / STRIDE) * STRIDE for side in view.shape[:2])
    return height, width


def padded(view: Pixels) -> Pixels:
    """The view with its last row and column repeated up to `padded_shape`."""
    height, width = padded_shape(view)
    return np.pad(view, ((0, height - view.shape[0]), (0, width - view.shape[1]), (0, 0)), "edge")


def _level(score: float) -> str:
    return "likely" if score >= LIKELY else "possible" if score >= POSSIBLE else "none"


def _png(mask: Floats, size: tuple[int, ...]) -> bytes:
    """The mask as an 8-bit grey PNG with the proportions of the picture, at most 64 pixels a side."""
    scale = min(1.0, 64 / max(size))
    shape = (max(1, round(size[1] * scale)), max(1, round(size[0] * scale)))
    file = io.BytesIO()
    Image.fromarray((mask * 255).astype(np.uint8)).resize(shape, Image.Resampling.BILINEAR).save(file, "PNG")
    return file.getvalue()
