"""Protective perturbations of the test set: PGD against encoders that no trainer of ours has seen.

No tool's code or output is used. Each family is what its class of tools does, after the published papers:
Glaze (style of another work), Nightshade (features of another subject), Mist (a repeated pattern as target),
PhotoGuard (nothing left for the encoder). The encoders are a scattering transform (Gabor moduli, twice), a
residual net and a patch transformer, both of random weights. Beside them: random noise, which artists are
told to add too, a cloak of half the bound, one that spares the background, and one that was smoothed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.detectors.views import Pixels

Rng = np.random.Generator
Encoder = Callable[[Tensor], Tensor]

#: Steps of the attack, and the bound in 8-bit levels of a full cloak.
STEPS, BOUND = 16, 9.0


class Scattering(nn.Module):
    """Moduli of Gabor responses, mixed, and their moduli again (after Bruna and Mallat, PAMI 2013)."""

    bank: Tensor
    colours: Tensor
    mix: Tensor

    def __init__(self) -> None:
        super().__init__()
        maker = torch.Generator().manual_seed(41)
        self.register_buffer("bank", _gabors())
        self.register_buffer("colours", torch.randn(2, 3, 1, 1, generator=maker))
        self.register_buffer("mix", torch.randn(6, 48, 1, 1, generator=maker) / math.sqrt(48))

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, h, w) in 0..1 -> (n, 6 * 24, h / 8, w / 8)."""
        first = self._moduli(F.conv2d(x, self.colours))
        return F.avg_pool2d(self._moduli(F.conv2d(first, self.mix)), 2)

    def _moduli(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        both = F.conv2d(x.reshape(n * c, 1, h, w), self.bank, stride=2, padding=self.bank.shape[-1] // 2)
        real, imaginary = both.chunk(2, 1)
        moduli = torch.sqrt(real**2 + imaginary**2 + 1e-6)
        return moduli.reshape(n, c * moduli.shape[1], *moduli.shape[2:])


def _gabors() -> Tensor:
    """(48, 1, 11, 11): even and odd waves of three lengths in eight directions, without a mean."""
    axis = torch.arange(-5, 6, dtype=torch.float32)
    ys, xs = torch.meshgrid(axis, axis, indexing="ij")
    even: list[Tensor] = []
    odd: list[Tensor] = []
    for length, width in ((2.8, 1.4), (4.6, 2.2), (7.5, 3.2)):
        for turn in range(8):
            angle = math.pi * turn / 8
            along = xs * math.cos(angle) + ys * math.sin(angle)
            window = torch.exp(-(xs**2 + ys**2) / (2 * width**2))
            for waves, phase in ((even, 0.0), (odd, math.pi / 2)):
                wave = window * torch.cos(2 * math.pi * along / length + phase)
                waves.append(wave - window * wave.sum() / window.sum())
    bank = torch.stack([*even, *odd])[:, None]
    sizes: Tensor = bank.flatten(1).norm(dim=1)
    return bank / sizes[:, None, None, None]


class Residual(nn.Module):
    """A small residual net of random weights, stride 8."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 32, 64, 96)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 5, 2, 2) for a, b in pairwise(widths))
        self.same = nn.ModuleList(nn.Conv2d(b, b, 3, 1, 1) for b in widths[1:])

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, h, w) -> (n, 96, h / 8, w / 8)."""
        x = x * 2 - 1
        for down, same in zip(self.down, self.same, strict=True):
            x = F.gelu(F.group_norm(down(x), 8))
            x = x + F.gelu(same(x))
        return x


class Patches(nn.Module):
    """A patch transformer of random weights: patches of 14 pixels, two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.cut = nn.Conv2d(3, 96, 14, 14)
        layer = nn.TransformerEncoderLayer(96, 4, 192, 0.0, "gelu", batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, h, w) -> (n, 96, tokens, 1)."""
        tokens = self.cut(x * 2 - 1).flatten(2).transpose(1, 2)
        seen: Tensor = self.layers(tokens)
        return seen.transpose(1, 2)[..., None]


@cache
def encoder(name: str) -> Encoder:
    """`scattering`, `residual` or `patches`, the same weights every time."""
    with torch.random.fork_rng():
        torch.manual_seed(4242)
        made = {"scattering": Scattering, "residual": Residual, "patches": Patches}[name]().eval()
    return made.requires_grad_(False)


# --------------------------------------------------------------------------- what the attack wants


def _style(features: Tensor) -> Tensor:
    """The Gram matrix of the channels (Gatys et al., CVPR 2016)."""
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def _distance(a: Tensor, b: Tensor) -> Tensor:
    return F.mse_loss(a, b) / (b.detach().pow(2).mean() + 1e-8)


@dataclass(frozen=True)
class Attack:
    """`net` is attacked; `wants` is style, subject, pattern or nothing; `bound` in 8-bit levels."""

    net: str
    wants: str
    bound: float = BOUND
    masked: bool = False
    smooth: bool = False


#: Name in the tables -> how it is made; `random noise` needs no net.
FAMILIES: Mapping[str, Attack] = {
    "style cloak": Attack("scattering", "style"),
    "style cloak, another net": Attack("residual", "style"),
    "poison": Attack("scattering", "subject"),
    "poison, another net": Attack("residual", "subject"),
    "pattern as target": Attack("patches", "pattern"),
    "encoder attack": Attack("residual", "nothing"),
    "style cloak, half the bound": Attack("scattering", "style", BOUND / 2),
    "style cloak on the subject only": Attack("scattering", "style", masked=True),
    "style cloak, smoothed": Attack("scattering", "style", smooth=True),
    "random noise": Attack("", "noise"),
}

#: Those that a full-frame detector is asked to find; the others show its limits.
FULL: tuple[str, ...] = tuple(FAMILIES)[:6]


def cloak(pixels: Pixels, family: str, other: Pixels, rng: Rng) -> Pixels:
    """`pixels` with a perturbation of the family; `other` lends its style or its subject."""
    attack = FAMILIES[family]
    if attack.wants == "noise":
        strength = rng.uniform(4, 10)
        noise = (
            rng.normal(0, strength, pixels.shape)
            if rng.random() < 0.5
            else rng.uniform(-12, 12, pixels.shape)
        )
        return np.clip(np.round(pixels + noise), 0, 255).astype(np.uint8)
    x = torch.from_numpy(pixels.astype(np.float32) / 255).permute(2, 0, 1)[None]
    delta = _descend(x, attack, _target(attack, x, other, rng), rng)
    moved = (x + delta).clamp(0, 1)[0].permute(1, 2, 0).numpy()
    return np.round(moved * 255).astype(np.uint8)


def _target(attack: Attack, x: Tensor, other: Pixels, rng: Rng) -> Tensor:
    height, width = x.shape[2:]
    if attack.wants == "nothing":
        return torch.full_like(x, 0.5)
    if attack.wants == "pattern":
        ys, xs = np.mgrid[0:height, 0:width]
        pitch = int(rng.integers(24, 60))
        squares = (ys // pitch + xs // pitch) % 2 * 0.5 + ((ys % pitch) < pitch // 3) * (
            (xs % pitch) < pitch // 2
        ) * 0.5
        return torch.from_numpy(squares.astype(np.float32)).expand(1, 3, height, width)
    fitted = Image.fromarray(other).resize((width, height), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.asarray(fitted, np.float32) / 255).permute(2, 0, 1)[None]


def _descend(x: Tensor, attack: Attack, target: Tensor, rng: Rng) -> Tensor:
    """Signed gradient steps with a growing bound, under a small random shift each (EoT)."""
    net = encoder(attack.net)
    bound = attack.bound / 255
    told = _style if attack.wants == "style" else lambda features: features
    with torch.no_grad():
        goal = told(net(target))
    start = rng.uniform(-bound, bound, x.shape).astype(np.float32)
    delta = torch.from_numpy(start) * 0.2
    for _ in range(STEPS):
        delta.requires_grad_(True)
        shift = int(rng.integers(0, 3))
        shown = torch.roll((x + delta).clamp(0, 1), (shift, shift), (2, 3))
        loss = _distance(told(net(shown)), goal)
        (slope,) = torch.autograd.grad(loss, delta)
        step = slope.sign() if attack.net != "scattering" else slope / (slope.abs().mean() + 1e-12)
        with torch.no_grad():
            delta = (delta - step.clamp(-2, 2) * bound / 6).clamp(-bound, bound)
    if attack.smooth:
        delta = F.avg_pool2d(F.pad(delta, (3, 3, 3, 3), "reflect"), 7, 1) * 2
    if attack.masked:
        height, width = x.shape[2:]
        ys, xs = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
        delta = delta * (1 - ((ys / 0.5) ** 2 + (xs / 0.4) ** 2)).clamp(0, 1).sqrt()
    return delta.detach()
