"""OverlayNet: a small fully convolutional net that sees marks laid over pictures.

Dense 3x3 convolutions down to 1/32, back up to 1/8 for the mask, and logits over features pooled in three
ways: mean, maximum, and mean where the mask is. Input float32 (n, 3, h, w) in [-1, 1], sides multiples of 32.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

#: What kind of mark, in the order of the logits after `mark`.
KINDS = ("brand", "logo", "tiled", "corner", "notice")

#: The image logits: any mark at all, its kinds, and whether overlaid or notice-like text stands anywhere.
HEADS = ("mark", *KINDS, "text")

#: Sides must be multiples of this; the mask has an eighth of them.
STRIDE = 32
MASK_STRIDE = 8


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
    """1.5 M parameters; 1.7 G multiply-adds at 512 x 512."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(_Conv(3, 24, 4, 2), _Conv(24, 32, 3, 2), _Block(32))
        self.eighth = nn.Sequential(_Conv(32, 64, 3, 2), _Block(64))
        self.sixteenth = nn.Sequential(_Conv(64, 112, 3, 2), _Block(112), _Block(112))
        self.deepest = nn.Sequential(_Conv(112, 160, 3, 2), _Block(160))
        self.up_deepest = _Conv(160, 112, 1)
        self.mix = _Conv(112, 112)
        self.up_sixteenth = _Conv(112, 64, 1)
        self.fine = _Conv(64, 64)
        self.to_mask = nn.Conv2d(64, 1, 1)
        self.head = nn.Sequential(nn.Linear(3 * 112 + 64, 128), nn.ReLU(), nn.Linear(128, len(HEADS)))

    def forward(self, x: Tensor) -> Seen:
        eighth = self.eighth(self.stem(x))
        sixteenth = self.sixteenth(eighth)
        deepest = self.up_deepest(self.deepest(sixteenth))
        sixteenth = self.mix(sixteenth + _twice(deepest))
        eighth = self.fine(eighth + _twice(self.up_sixteenth(sixteenth)))
        mask = self.to_mask(eighth)
        where = torch.sigmoid(mask)
        attended = (eighth * where).mean((2, 3)) / (where.mean((2, 3)) + 1e-3)
        coarse = nn.functional.avg_pool2d(where, 2)
        attended_coarse = (sixteenth * coarse).mean((2, 3)) / (coarse.mean((2, 3)) + 1e-3)
        pooled = torch.cat([sixteenth.mean((2, 3)), sixteenth.amax((2, 3)), attended_coarse, attended], 1)
        return Seen(self.head(pooled), mask[:, 0])


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
