"""KindNet: what kind of picture, and which scan furniture stands in it, from two small views.

One branch sees the whole picture squeezed to a square, the other a sheet of crops at native size, whose
paper, grain and strokes the first cannot show. Kinds come from both, furniture from the first alone: where
it stands as a coarse mask, and whether it is there from the mask's strongest places. Kinds are judged again
together with plain measurements, which learn much from few pictures.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from curation.kinds import CLASSES
from kyodaku.recipe.filters import FURNITURE

#: How many plain measurements of the two views there are (`curation.kind_features`).
MEASURED = 88

#: The side of the furniture mask.
MASK = 20


class Judged(NamedTuple):
    """Logits: `kinds` (n, len(CLASSES)), `furniture` (n, len(FURNITURE)), `mask` (n, len(FURNITURE), 20,
    20)."""

    kinds: Tensor
    furniture: Tensor
    mask: Tensor


class _Conv(nn.Sequential):
    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))
        self.act = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(x + self.conv(x))  # type: ignore[no-any-return]


class Verdict(nn.Module):
    """Kinds from what the views say and from plain measurements, which are scaled to mean 0 and spread 1."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(MEASURED))
        self.register_buffer("spread", torch.ones(MEASURED))
        self.layers = nn.Sequential(
            nn.Dropout(0.1),
            nn.Linear(MEASURED + len(CLASSES), 96),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(96, len(CLASSES)),
        )

    def forward(self, kinds: Tensor, measured: Tensor) -> Tensor:
        scaled = ((measured - self.mean) / self.spread).clamp(-4, 4)
        return self.layers(torch.cat([scaled, torch.log_softmax(kinds, 1)], 1))  # type: ignore[no-any-return]


class KindNet(nn.Module):
    """`whole` (n, 3, 160, 160) and `close` (n, 3, 112, 112), both in [-1, 1]. 0.5 M parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(_Conv(3, 16, 4, 2), _Conv(16, 24, 3, 2), _Block(24))
        self.eighth = nn.Sequential(_Conv(24, 48, 3, 2), _Block(48), _Block(48))
        self.deep = nn.Sequential(_Conv(48, 96, 3, 2), _Block(96), _Block(96), _Conv(96, 128, 3, 2))
        self.up = _Conv(128, 48, 1)
        self.fine = _Conv(48, 48, 1)
        self.to_mask = nn.Conv2d(48, len(FURNITURE), 1)
        self.close = nn.Sequential(_Conv(3, 24, 4, 2), _Conv(24, 32, 3, 2), _Conv(32, 64, 3, 2))
        self.kinds = nn.Sequential(
            nn.Dropout(0.2), nn.Linear(2 * 128 + 48 + 2 * 64, 128), nn.ReLU(), nn.Linear(128, len(CLASSES))
        )
        self.furniture = nn.Linear(2 * len(FURNITURE) + 128, len(FURNITURE))
        self.judge = Verdict()

    def forward(self, whole: Tensor, close: Tensor, measured: Tensor | None = None) -> Judged:
        """With `measured` (n, MEASURED) the kinds are the verdict over both, else the views' alone."""
        eighth = self.eighth(self.stem(whole))
        deep = self.deep(eighth)
        context = nn.functional.interpolate(self.up(deep), size=eighth.shape[-2:], mode="bilinear")
        mask = self.to_mask(self.fine(eighth + context))
        near = self.close(close)
        texture = torch.cat([near.mean((2, 3)), near.std((2, 3))], 1)
        pooled = torch.cat([deep.mean((2, 3)), deep.amax((2, 3)), eighth.mean((2, 3)), texture], 1)
        kinds = self.kinds(pooled)
        strongest = mask.flatten(2).topk(12, 2).values
        there = torch.cat([strongest.mean(2), strongest[..., 0], deep.mean((2, 3))], 1)
        return Judged(kinds if measured is None else self.judge(kinds, measured), self.furniture(there), mask)
