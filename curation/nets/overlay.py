"""OverlayNet: a small fully convolutional net that sees marks laid over pictures.

It looks at the pixels and at what the text detector saw on its way (`curation.ocr.detector`): features at
1/8, 1/16 and 1/32, which stay as they are, and where text stands. Both meet at 1/8, go down to 1/32 and back
up for the mask; the logits look at features pooled in three ways: mean, maximum, and mean where the mask is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

#: What kind of mark, in the order of the logits after `mark`.
KINDS = ("brand", "logo", "tiled", "corner", "notice")

#: The image logits: any mark at all, its kinds, and whether overlaid or notice-like text stands anywhere.
HEADS = ("mark", *KINDS, "text")

#: The mask has an eighth of the sides.
MASK_STRIDE = 8

_WIDTH = 96


@dataclass(frozen=True)
class Inputs:
    """n views of h by w pixels, multiples of 32, float32. `pixels` (n, 3, h, w) in [-1, 1]; `eighth`
    (n, 96, h / 8, w / 8), `sixteenth` (n, 192, h / 16, w / 16) and `deepest` (n, 384, h / 32, w / 32): the
    detector's features; `heat` (n, 2, h / 8, w / 8): mean and maximum of its heat."""

    pixels: Tensor
    eighth: Tensor
    sixteenth: Tensor
    deepest: Tensor
    heat: Tensor


class Seen(NamedTuple):
    """`logits` (n, len(HEADS)) and `mask` logits (n, h / 8, w / 8)."""

    logits: Tensor
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
        self.first = _Conv(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))
        self.act = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(x + self.second(self.first(x)))  # type: ignore[no-any-return]


class OverlayNet(nn.Module):
    """0.9 M parameters."""

    def __init__(self) -> None:
        super().__init__()
        w = _WIDTH
        self.own = nn.Sequential(
            _Conv(3, 24, 4, 2),
            _Conv(24, 32, 3, 2),
            _Block(32),
            _Conv(32, 64, 3, 2),
            _Block(64),
            _Conv(64, w, 1),
        )
        self.from_eighth = _Conv(96 + 2, w, 1)
        self.from_sixteenth = _Conv(192, w, 1)
        self.from_deepest = _Conv(384, w, 1)
        self.drop = nn.Dropout2d(0.1)
        self.meet = _Conv(w, w)
        self.sixteenth = nn.Sequential(_Conv(w, w, 3, 2), _Block(w))
        self.deepest = nn.Sequential(_Conv(w, w, 3, 2), _Block(w))
        self.fine = _Conv(w, w)
        self.to_mask = nn.Conv2d(w, 1, 1)
        self.head = nn.Sequential(
            nn.Linear(4 * w, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, len(HEADS))
        )

    def forward(self, view: Inputs) -> Seen:
        seen = self.from_eighth(torch.cat([view.eighth, view.heat], 1))
        seen = seen + _twice(self.from_sixteenth(view.sixteenth) + _twice(self.from_deepest(view.deepest)))
        eighth = self.meet(self.drop(seen + self.own(view.pixels)))
        sixteenth = self.sixteenth(eighth)
        deepest = self.deepest(sixteenth)
        sixteenth = sixteenth + _twice(deepest)
        eighth = self.fine(eighth + _twice(sixteenth))
        mask = self.to_mask(eighth)
        where = torch.sigmoid(mask)
        attended = (eighth * where).mean((2, 3)) / (where.mean((2, 3)) + 1e-3)
        pooled = [sixteenth.mean((2, 3)), sixteenth.amax((2, 3)), deepest.amax((2, 3)), attended]
        return Seen(self.head(torch.cat(pooled, 1)), mask[:, 0])


def fused(net: OverlayNet) -> OverlayNet:
    """The net for inference: every batch norm folded into the convolution before it, channels last."""
    net = net.eval().requires_grad_(False)
    for module in list(net.modules()):
        if isinstance(module, nn.Sequential):
            for at in range(len(module) - 1):
                first, second = module[at], module[at + 1]
                if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                    module[at] = nn.utils.fusion.fuse_conv_bn_eval(first, second)
                    module[at + 1] = nn.Identity()
    return net.to(memory_format=torch.channels_last)


def _twice(x: Tensor) -> Tensor:
    return nn.functional.interpolate(x, scale_factor=2, mode="nearest")
