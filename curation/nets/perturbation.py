"""PerturbNet: does a tile carry a perturbation that somebody computed, and where.

A small U-Net on high-pass residuals at native resolution. Content is taken away before the first learned
layer (SRM kernels and differences of Gaussians, cut off by tanh), so that the net learns from noise and not
from motifs.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad, relu

from curation.nets.residuals import FEATURES

#: Pixels a side of a tile, and how many of one picture are looked at.
TILE = 256
TILES = 6

#: A tile's sides are multiples of this.
STRIDE = 16


@dataclass(frozen=True)
class Seen:
    """What the net says of n tiles: `logit` (n,), and `map` (n, h / 4, w / 4), logits of where it is."""

    logit: Tensor
    map: Tensor


def _step(inside: int, outside: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside), nn.ReLU(inplace=True)
    )


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _step(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        return relu(x + self.second(self.first(x)))


class PerturbNet(nn.Module):
    """The `planes` of n tiles, sides multiples of STRIDE, and their `pyramid`, to `Seen`. 0.22 M
    parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.fine = _step(7, 20, 2)
        self.middle = _step(20 + 3, 32, 2)
        self.middle_more = _Residual(32)
        self.coarse = nn.Sequential(_step(32 + 3, 64, 2), _Residual(64), _Residual(64))
        self.up = nn.Sequential(nn.Conv2d(64, 32, 1), nn.ReLU(inplace=True))
        self.map = nn.Sequential(_step(64, 16), nn.Conv2d(16, 1, 1))
        self.judge = nn.Sequential(
            nn.Linear(3 * 64 + 2 * 32, 48), nn.ReLU(inplace=True), nn.Dropout(0.2), nn.Linear(48, 1)
        )

    def forward(self, whole: Tensor, pyramid: list[Tensor]) -> Seen:
        fine, *bands = (torch.tanh(band / 8) for band in pyramid)
        fine = torch.cat([torch.tanh(second_differences(whole[:, 0]) / 8), fine], 1)
        low = self.fine(fine)
        middle = self.middle_more(self.middle(torch.cat([low, bands[0]], 1)))
        coarse = self.coarse(torch.cat([middle, bands[1]], 1))
        up = interpolate(self.up(coarse), scale_factor=2.0, mode="nearest")
        where = self.map(torch.cat([middle, up], 1))[:, 0]
        pooled = [*_pooled(coarse), coarse.amax((2, 3)), *_pooled(middle)]
        return Seen(self.judge(torch.cat(pooled, 1))[:, 0], where)


def _pooled(x: Tensor) -> tuple[Tensor, Tensor]:
    return x.mean((2, 3)), x.flatten(2).std(2)


def second_differences(luma: Tensor) -> Tensor:
    """(n, h, w) to (n, 4, h, w): across, down, both (the square kernel of 3 by 3), and along one diagonal."""
    p = pad(luma[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    across = p[..., :-2] + p[..., 2:] - 2 * p[..., 1:-1]
    down = p[:, :-2] + p[:, 2:] - 2 * p[:, 1:-1]
    both = across[:, :-2] + across[:, 2:] - 2 * across[:, 1:-1]
    diagonal = p[:, :-2, :-2] + p[:, 2:, 2:] - 2 * luma
    return torch.stack([across[:, 1:-1] / 2, down[..., 1:-1] / 2, both / 4, diagonal / 2], 1)


class FeatureNet(nn.Module):
    """The cheap judge: `residual_features` of a tile (n, FEATURES) to a logit (n,)."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("scale", torch.ones(FEATURES))
        self.layers = nn.Sequential(
            nn.Linear(FEATURES, 96),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(96, 48),
            nn.ReLU(),
            nn.Linear(48, 1),
        )

    def forward(self, features: Tensor) -> Tensor:
        even = ((features - self.get_buffer("mean")) / self.get_buffer("scale")).clamp(-6, 6)
        return torch.as_tensor(self.layers(even)[:, 0])


class Panel(nn.Module):
    """Both judges and how their logits over the tiles of one picture become one score.

    `cheap` and `full` are the coefficients of logistic models over the mean and the maximum of the tiles'
    logits (the features' alone; the features' and the net's) with a last one for the constant. `bounds`:
    below the first of the cheap score, nobody asks the net; the others are the scores from which a picture is
    possible, and likely.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = FeatureNet()
        self.net = PerturbNet()
        self.register_buffer("cheap", torch.tensor([1.0, 0.0, 0.0]))
        self.register_buffer("full", torch.tensor([0.5, 0.0, 0.5, 0.0, 0.0]))
        self.register_buffer("bounds", torch.tensor([0.0, 0.5, 0.9]))

    def cheap_score(self, logits: Tensor) -> float:
        """0 to 1, of the feature judge's logits over the tiles of one picture (tiles,)."""
        return _logistic(self.get_buffer("cheap"), logits)

    def full_score(self, logits: Tensor, net: Tensor) -> float:
        """0 to 1, of both judges' logits (tiles,)."""
        return _logistic(self.get_buffer("full"), logits, net)


def _logistic(weights: Tensor, *logits: Tensor) -> float:
    terms = [term for one in logits for term in (one.mean(), one.max())]
    return float(torch.sigmoid(torch.stack(terms) @ weights[:-1] + weights[-1]))
