"""OverlayNet as the annotator `overlay` asks it: a first view of the whole picture, then tiles.

The first view is the one that the text detector takes (`curation.ocr.detector.first_view`).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from curation.annotators.base import Picture
from curation.annotators.overlay import LIKELY
from curation.judges.loading import fill, ordered_bounds, unfit
from curation.nets.overlay import HEADS, KINDS, MASK_STRIDE, Inputs, OverlayNet, fused
from curation.ocr.detector import LARGE, STRIDE, Glance, detector, first_view
from kyodaku.fingerprint import Pixels

#: A side of the tiles, in pixels.
TILE = 320

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
    the first, float32 (h / 8, w / 8) in [0, 1]."""

    logits: Floats
    views: int
    mask: Floats

    @property
    def values(self) -> dict[str, float]:
        """The probability of each of HEADS."""
        return dict(zip(HEADS, (1 / (1 + np.exp(-self.logits))).tolist(), strict=True))

    @property
    def kinds(self) -> list[str]:
        """The kinds of mark that are likelier than not, or the likeliest, first the likeliest."""
        chances = self.values
        kinds = sorted(KINDS, key=lambda kind: -chances[kind])
        return [kind for kind in kinds if chances[kind] >= 0.5] or kinds[:1]


class Watcher:
    """OverlayNet with its bounds, on the GPU if there is one, where views of one shape go together."""

    def __init__(self, net: OverlayNet, bounds: Bounds) -> None:
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._net = fused(net).to(self._device)
        # On a CPU one at a time costs no more, and what is said of a picture does not hang on its neighbours.
        self._together = 1 if self._device.type == "cpu" else 32
        self.bounds = bounds

    def look(self, pictures: Sequence[Picture], tiles: bool = True) -> list[Look]:
        """What is seen of each, in order; without `tiles` only the first view. Raises ModelsMissing."""
        views = [first_view(picture) for picture in pictures]
        first = self._seen([(view.pixels, view.glance) for view in views])
        looks = [Look(logits, 1, mask) for logits, mask in first]
        undecided = [
            at
            for at, (picture, look) in enumerate(zip(pictures, looks, strict=True))
            if tiles
            and self.bounds.clear < look.logits[0] < self.bounds.sure
            and max(picture.pixels.shape[:2]) > LARGE
        ]
        for at in undecided:
            cuts = [padded(tile) for tile in tiles_of(pictures[at].pixels)]
            near = [logits for logits, _ in self._seen([(cut, detector().glance(cut)) for cut in cuts])]
            together = np.maximum(looks[at].logits, np.max(near, axis=0))
            looks[at] = replace(looks[at], logits=together, views=1 + len(near))
        return looks

    def _seen(self, views: Sequence[tuple[Pixels, Glance]]) -> list[tuple[Floats, Floats]]:
        """Logits and mask of each view."""
        groups: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for at, (view, _) in enumerate(views):
            groups[view.shape].append(at)
        seen: list[tuple[Floats, Floats]] = [(np.empty(0, np.float32),) * 2] * len(views)
        for group in groups.values():
            for start in range(0, len(group), self._together):
                members = group[start : start + self._together]
                logits, masks = self._batch([views[at] for at in members])
                for at, logit, mask in zip(members, logits, masks, strict=True):
                    seen[at] = (logit, mask)
        return seen

    def _batch(self, views: Sequence[tuple[Pixels, Glance]]) -> tuple[Floats, Floats]:
        pixels = np.stack([view.transpose(2, 0, 1) for view, _ in views]).astype(np.float32) / 127.5 - 1
        features = [np.stack([glance.features[k] for _, glance in views]) for k in range(3)]
        heat = np.stack([pooled_heat(glance.heat) for _, glance in views])
        planes = [
            torch.from_numpy(array).to(self._device, memory_format=torch.channels_last)
            for array in (pixels, *features, heat)
        ]
        with torch.inference_mode():
            seen = self._net(Inputs(*planes))
            return seen.logits.cpu().numpy(), torch.sigmoid(seen.mask).cpu().numpy()


def pooled_heat(heat: Floats) -> Floats:
    """The detector's heat, float32 (h, w), as the net takes it: (2, h / 8, w / 8), mean and maximum."""
    height, width = (side // MASK_STRIDE for side in heat.shape)
    cells = heat.reshape(height, MASK_STRIDE, width, MASK_STRIDE)
    return np.stack([cells.mean((1, 3)), cells.max((1, 3))]).astype(np.float32)


def load_watcher(path: Path, bounds: Bounds | None = None) -> Watcher:
    """The net of a weights file, with the file's bounds, or `bounds` for one that has none yet. Raises
    OSError, SafetensorError or MissingWeightsError for a file that is none."""
    from safetensors.torch import load_file

    state = load_file(path)
    own = state.pop("bounds", None)
    if own is not None:
        clear, possible, likely, sure = ordered_bounds(own, 4, path)
        bounds = Bounds(clear, possible, likely, sure)
    elif bounds is None:
        raise unfit(path, "it lacks the bounds that training measures")
    net = OverlayNet()
    fill(net, state, path)
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
