"""Perturbations that are computed: gradient steps against encoders of our own.

The published tools turn a picture's code, in the encoder of a latent diffusion model, toward that of another
picture (Salman et al., PhotoGuard, 2023; Shan et al., Glaze and Nightshade, 2023-24), toward a textured
target (Liang and Wu, Mist, 2023), or make a denoiser of codes fail (Liang et al., AdvDM, 2023; Van Le et al.,
Anti-DreamBooth, 2023). We have no such encoder, so small ones of the same make are trained on the pool first
(`curation.train.perturbation.encoders`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from curation.train.perturbation.cloaks import Field

Encoder = Callable[[Tensor], Tensor]
Goal = Literal["toward", "texture", "away", "denoiser"]


@dataclass(frozen=True)
class Attack:
    """How a picture is attacked.

    `goal`: toward another picture's code, toward that of a texture, away from the picture's own, or against a
    denoiser of codes. `bound` in 8-bit levels, `steps` of gradient. `soft`: a perceptual budget in place of a
    hard bound (Adam, and a price on change where it shows), else signed steps. `drift`: each step looks at
    the picture moved and scaled a little (expectation over transformations, Athalye et al. 2018). `momentum`:
    Dong et al. 2018.
    """

    goal: Goal
    bound: float
    steps: int = 20
    soft: bool = False
    drift: bool = False
    momentum: float = 0.0


def attacked(
    images: Tensor,
    targets: Tensor,
    encoder: Encoder,
    attack: Attack,
    seed: int,
    denoiser: nn.Module | None = None,
) -> Field:
    """float32 (n, h, w, 3), in 8-bit levels: what to add to `images`, (n, 3, h, w) in 0 to 1, as `targets`
    are.

    Raises ValueError where the goal is a denoiser and none is given.
    """
    if attack.goal == "denoiser" and denoiser is None:
        raise ValueError("an attack on a denoiser needs one")
    generator = torch.Generator(images.device).manual_seed(seed)
    loss = _loss(images, targets, encoder, attack, denoiser, generator)
    bound = attack.bound / 255
    change = (torch.rand(images.shape, generator=generator, device=images.device) * 2 - 1) * bound * 0.5
    change = (
        _soft(images, change, loss, bound, attack)
        if attack.soft
        else _signed(images, change, loss, bound, attack)
    )
    return np.asarray(change.permute(0, 2, 3, 1).cpu().numpy() * 255, np.float32)


def _signed(images: Tensor, change: Tensor, loss: Encoder, bound: float, attack: Attack) -> Tensor:
    step, velocity = 2.5 * bound / attack.steps, torch.zeros_like(change)
    for _ in range(attack.steps):
        change.requires_grad_(True)
        (gradient,) = torch.autograd.grad(loss(images + change), change)
        gradient = gradient / (gradient.abs().mean((1, 2, 3), keepdim=True) + 1e-12)
        velocity = attack.momentum * velocity + gradient
        change = (change.detach() - step * velocity.sign()).clamp(-bound, bound)
        change = (images + change).clamp(0, 1) - images
    return change


def _soft(images: Tensor, change: Tensor, loss: Encoder, bound: float, attack: Attack) -> Tensor:
    """Adam; the budget is a soft one on the blurred change, dearer where the picture is plain."""
    grey = images.mean(1, keepdim=True)
    busy = avg_pool2d((grey - avg_pool2d(grey, 9, 1, 4)).abs(), 9, 1, 4)
    price = (busy.mean((2, 3), keepdim=True) + 0.02) / (busy + 0.02)
    change = (change * 0.2).requires_grad_(True)
    optimizer = torch.optim.Adam([change], lr=bound / 5)
    for _ in range(attack.steps):
        optimizer.zero_grad()
        seen = avg_pool2d(change, 5, 1, 2)
        budget = torch.relu((seen.abs() - bound * 0.3 / price.clamp(0.4, 2.5)) / bound).square().mean()
        (loss(images + change) + 30 * budget).backward()
        optimizer.step()
    with torch.no_grad():
        limited = change.clamp(-2 * bound, 2 * bound)
        return (images + limited).clamp(0, 1) - images


def _loss(
    images: Tensor,
    targets: Tensor,
    encoder: Encoder,
    attack: Attack,
    denoiser: nn.Module | None,
    generator: torch.Generator,
) -> Encoder:
    with torch.no_grad():
        own, wanted = encoder(images), encoder(targets)
        spread = (own.std() + 1e-6).square()

    def loss(x: Tensor) -> Tensor:
        if attack.drift:
            x = _drifted(x, generator)
        code = encoder(x)
        if attack.goal == "away":
            return -(code - own).square().mean() / spread
        if attack.goal == "denoiser" and denoiser is not None:
            level = torch.rand(len(code), 1, 1, 1, generator=generator, device=code.device)
            noise = torch.randn(code.shape, generator=generator, device=code.device)
            return -(denoiser((1 - level) * code / spread.sqrt() + level * noise) - noise).square().mean()
        return (code - wanted).square().mean() / spread

    return loss


def _drifted(x: Tensor, generator: torch.Generator) -> Tensor:
    h, w = x.shape[2:]
    down, right = (int(n) for n in torch.randint(-3, 4, (2,), generator=generator, device=x.device))
    x = torch.roll(x, (down, right), (2, 3))
    if torch.rand(1, generator=generator, device=x.device) < 0.5:
        x = interpolate(
            interpolate(x, scale_factor=0.75, mode="bilinear", antialias=True), (h, w), mode="bilinear"
        )
    return x + torch.randn(x.shape, generator=generator, device=x.device) * 0.01


# --------------------------------------------------------------------------- encoders that nobody trained

_ACTIVATIONS: Mapping[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "elu": nn.ELU,
}


def random_encoder(seed: int) -> nn.Module:
    """Convolutions with strides, of random depth, width, kernel, norm and activation, as they are
    initialised."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    activation = _ACTIVATIONS[str(rng.choice(list(_ACTIVATIONS)))]
    normed, width, layers = bool(rng.random() < 0.5), int(rng.choice([12, 16, 24])), []
    inside = 3
    for index in range(int(rng.integers(2, 5))):
        kernel = int(rng.choice([3, 3, 5, 7] if index == 0 else [3, 3, 4]))
        layers.append(nn.Conv2d(inside, width, kernel, 2, kernel // 2))
        if normed:
            layers.append(nn.GroupNorm(4, width))
        layers.append(activation())
        if rng.random() < 0.4:
            layers += [nn.Conv2d(width, width, 3, 1, 1), activation()]
        inside, width = width, min(48, width * 2)
    return nn.Sequential(*layers, nn.Conv2d(inside, 8, 1)).eval()


def patch_encoder(seed: int) -> nn.Module:
    """Patches of 8 or 16 pixels, mixed: the make of a vision transformer. Held out of training."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    side = int(rng.choice([8, 16]))
    return nn.Sequential(
        nn.Conv2d(3, 96, side, side),
        nn.GELU(),
        nn.Conv2d(96, 96, 3, 1, 1, groups=96),
        nn.Conv2d(96, 192, 1),
        nn.GELU(),
        nn.Conv2d(192, 64, 1),
    ).eval()
