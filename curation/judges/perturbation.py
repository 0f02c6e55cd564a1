"""The perturbation detector as its annotator asks it: tiles, statistics first, then the net."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from curation.judges.loading import fill, ordered_bounds
from curation.nets.perturbation import STRIDE, TILE, TILES, Panel
from curation.nets.residuals import from_white, planes, pyramid, residual_features
from kyodaku.fingerprint import Pixels

#: How many tiles the statistics judge before the net is asked about all.
FIRST = 4

#: How many pixels a side one may have become at once, and for each the share of the steps between such blocks
#: that those inside may have: JPEG makes some, and so do the even lines of an engraving.
REPEATED = {5: 0.35, 4: 0.35, 3: 0.45, 2: 0.5}

#: A residual nearer than this to that of white noise is likely nothing: added noise is not told from grain.
WHITE = 0.32


@dataclass(frozen=True)
class Verdict:
    """On one picture. `cheap` is the score of the statistics alone; `map` holds the net's logits of where, as
    (box, (h / 4, w / 4)) for each tile, none where the net was not asked."""

    score: float
    cheap: float
    level: str
    tiles: int
    map: Sequence[tuple[tuple[int, int], Tensor]] = ()


def load_panel(path: Path) -> Panel:
    """The judges and their bounds. Raises OSError, SafetensorError or MissingWeightsError for a file that is
    none."""
    from safetensors.torch import load_file

    panel = Panel()
    fill(panel, load_file(path), path)
    ordered_bounds(panel.get_buffer("bounds"), 3, path)
    return panel.eval().requires_grad_(False)


def judge(panel: Panel, pixels: Pixels, whole: bool = False) -> Verdict:
    """The verdict on uint8 (h, w, 3), whose sides are at least LEAST. `whole`: always ask the net."""
    none, possible, likely = (float(bound) for bound in panel.get_buffer("bounds"))
    spots = places(*pixels.shape[:2])
    with torch.inference_mode():
        seen = [_Tile(pixels, spot) for spot in spots]
        order = _spread(len(seen))
        rows = [residual_features(seen[i].whole, seen[i].bands) for i in order[:FIRST]]
        cheap = panel.cheap_score(panel.features(torch.cat(rows)))
        if cheap < none and not whole:
            return Verdict(possible / 2 * cheap / none, cheap, "none", len(seen))
        rows += [residual_features(seen[i].whole, seen[i].bands) for i in order[FIRST:]]
        said = [panel.net(seen[i].whole, seen[i].bands) for i in order]
        score = panel.full_score(panel.features(torch.cat(rows)), torch.cat([one.logit for one in said]))
    level = "likely" if score >= likely else "possible" if score >= possible else "none"
    if level == "likely" and float(from_white(torch.cat(rows)).min()) < WHITE:
        level = "possible"
    maps = [((seen[i].top, seen[i].left), one.map[0]) for i, one in zip(order, said, strict=True)]
    return Verdict(score, cheap, level, len(seen), maps)


def unrepeated(pixels: Pixels) -> Pixels:
    """uint8 (h, w, 3) as it was before its pixels were repeated (enlarged without smoothing), or as it is. To
    the net, the edges of repeated pixels look like a perturbation."""
    for times, inside in REPEATED.items():
        green = pixels[:1024, :1024, 1].astype(np.int16)
        top = _first_whole(np.abs(np.diff(green, axis=0)).mean(1), times, inside)
        left = _first_whole(np.abs(np.diff(green, axis=1)).mean(0), times, inside)
        if top is not None and left is not None:
            tall, wide = (pixels.shape[0] - top) // times, (pixels.shape[1] - left) // times
            blocks = pixels[top : top + tall * times, left : left + wide * times]
            means = blocks.reshape(tall, times, wide, times, 3).mean((1, 3), dtype=np.float32)
            return unrepeated(np.rint(means).astype(np.uint8))
    return pixels


def _first_whole(steps: NDArray[np.float64], times: int, inside: float) -> int | None:
    """Where the first whole block of `times` pixels begins, by the mean steps from each pixel to the next;
    None where steps inside such blocks are no smaller than those between them."""
    if len(steps) < 4 * times:
        return None
    phases = [float(steps[at::times].mean()) for at in range(times)]
    between = max(range(times), key=phases.__getitem__)
    most = max(phase for at, phase in enumerate(phases) if at != between)
    return (between + 1) % times if most < inside * phases[between] else None


class _Tile:
    """One tile, its planes and bands computed when asked for."""

    def __init__(self, pixels: Pixels, spot: tuple[int, int, int, int]) -> None:
        self.top, self.left, height, width = spot
        self._cut = pixels[self.top : self.top + height, self.left : self.left + width]

    @cached_property
    def whole(self) -> Tensor:
        """float32 (1, 3, h, w)."""
        return planes(torch.from_numpy(self._cut.transpose(2, 0, 1).copy())[None])

    @cached_property
    def bands(self) -> list[Tensor]:
        """The Laplacian pyramid."""
        return pyramid(self.whole)


def places(height: int, width: int) -> list[tuple[int, int, int, int]]:
    """Where the tiles lie, (top, left, height, width): an even grid of up to TILES, from edge to edge."""
    tall, wide = (min(TILE, side // STRIDE * STRIDE) for side in (height, width))
    rows, columns = (
        max(1, min(n, round(side / TILE)))
        for n, side in zip(_grid(height, width), (height, width), strict=True)
    )
    tops = np.linspace(0, height - tall, rows) if rows > 1 else [(height - tall) / 2]
    lefts = np.linspace(0, width - wide, columns) if columns > 1 else [(width - wide) / 2]
    return [(int(top), int(left), tall, wide) for top in tops for left in lefts]


def _grid(height: int, width: int) -> tuple[int, int]:
    if height >= 3 * width:
        return TILES, 1
    if width >= 3 * height:
        return 1, TILES
    return (3, 2) if height > width else (2, 3)


def _spread(count: int) -> list[int]:
    """An order in which the first few tiles lie far apart: corners and middle first."""
    return {6: [0, 5, 2, 3, 1, 4]}.get(count, list(range(count)))
