"""Small autoencoders to attack, trained on the pool in a few minutes each, and a denoiser of their codes.

`LatentEncoder` has the make of the encoder of a latent diffusion model (Rombach et al., 2022: residual
blocks, group norm, SiLU, three strides of two, a code of four channels), at a twentieth of its width.
`StridedEncoder` has another (batch norm, ELU, kernels of four, a code of eight), so that what is learned is
not one encoder's handwriting. `PooledEncoder` has a third (no norm, average pooling, ReLU) and is held out:
nothing that attacks it is ever trained on.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import interpolate, l1_loss

Crops = Iterator[Tensor]


class _Block(nn.Module):
    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.GroupNorm(4, inside),
            nn.SiLU(),
            nn.Conv2d(inside, outside, 3, 1, 1),
            nn.GroupNorm(4, outside),
            nn.SiLU(),
            nn.Conv2d(outside, outside, 3, 1, 1),
        )
        self.skip = nn.Conv2d(inside, outside, 1) if inside != outside else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return torch.as_tensor(self.skip(x) + self.body(x))


class LatentEncoder(nn.Sequential):
    """(n, 3, h, w), 0 to 1, to codes (n, 4, h / 8, w / 8)."""

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 12, 3, 1, 1),
            _Block(12, 12),
            nn.Conv2d(12, 24, 3, 2, 1),
            _Block(24, 24),
            nn.Conv2d(24, 40, 3, 2, 1),
            _Block(40, 40),
            nn.Conv2d(40, 48, 3, 2, 1),
            _Block(48, 48),
            nn.GroupNorm(4, 48),
            nn.SiLU(),
            nn.Conv2d(48, 4, 3, 1, 1),
        )


class StridedEncoder(nn.Sequential):
    """(n, 3, h, w), 0 to 1, to codes (n, 8, h / 8, w / 8)."""

    def __init__(self) -> None:
        layers: list[nn.Module] = []
        for inside, outside in ((3, 20), (20, 40), (40, 56)):
            layers += [
                nn.Conv2d(inside, outside, 4, 2, 1),
                nn.BatchNorm2d(outside),
                nn.ELU(),
                nn.Conv2d(outside, outside, 3, 1, 1),
                nn.ELU(),
            ]
        super().__init__(*layers, nn.Conv2d(56, 8, 1))


class PooledEncoder(nn.Sequential):
    """The same shapes as the first by other means: ReLU, average pooling, kernels of five, no norm."""

    def __init__(self) -> None:
        layers: list[nn.Module] = [nn.Conv2d(3, 16, 5, 1, 2), nn.ReLU(), nn.AvgPool2d(2)]
        for inside, outside in ((16, 32), (32, 48)):
            layers += [
                nn.Conv2d(inside, outside, 3, 1, 1),
                nn.ReLU(),
                nn.Conv2d(outside, outside, 3, 1, 1),
                nn.ReLU(),
            ]
            layers.append(nn.AvgPool2d(2))
        super().__init__(*layers, nn.Conv2d(48, 4, 3, 1, 1))


class _Decoder(nn.Sequential):
    def __init__(self, code: int) -> None:
        layers: list[nn.Module] = [nn.Conv2d(code, 48, 3, 1, 1), _Block(48, 48)]
        for inside, outside in ((48, 32), (32, 16)):
            layers += [
                nn.Upsample(scale_factor=2),
                nn.Conv2d(inside, outside, 3, 1, 1),
                _Block(outside, outside),
            ]
        super().__init__(*layers, nn.SiLU(), nn.Conv2d(16, 12, 3, 1, 1), nn.PixelShuffle(2))


def denoiser() -> nn.Module:
    """Predicts the noise in a noisy code (n, 4, h, w)."""
    return nn.Sequential(
        nn.Conv2d(4, 32, 3, 1, 1), _Block(32, 32), _Block(32, 32), nn.SiLU(), nn.Conv2d(32, 4, 3, 1, 1)
    )


def trained(encoder: nn.Module, crops: Crops, seconds: float, seed: int) -> float:
    """Train in place, with a decoder that is thrown away, for so many CPU seconds. Gives the mean error of
    the last hundred steps, 0 to 1 scale."""
    torch.manual_seed(seed)
    device = next(encoder.parameters()).device
    decoder = _Decoder(encoder(next(crops).to(device)).shape[1]).to(device)
    parameters = [*encoder.parameters(), *decoder.parameters()]
    optimizer = torch.optim.Adam(parameters, 2e-3)
    last, errors = time.process_time() + seconds, [1.0]
    while time.process_time() < last:
        batch = next(crops).to(device)
        code = encoder(batch)
        noisy = code + 0.1 * torch.randn_like(code)
        back = decoder(noisy)
        error = l1_loss(back, batch) + 0.5 * l1_loss(_small(back), _small(batch))
        optimizer.zero_grad()
        (error + 1e-3 * code.square().mean()).backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        errors = [*errors[-99:], float(l1_loss(back.detach(), batch))]
    encoder.eval().requires_grad_(False)
    return sum(errors) / len(errors)


def trained_denoiser(encoder: nn.Module, crops: Crops, seconds: float, seed: int) -> nn.Module:
    """A denoiser of the encoder's codes, at unit deviation."""
    torch.manual_seed(seed)
    device = next(encoder.parameters()).device
    model = denoiser().to(device)
    optimizer = torch.optim.Adam(model.parameters(), 2e-3)
    last = time.process_time() + seconds
    while time.process_time() < last:
        with torch.no_grad():
            code = encoder(next(crops).to(device))
            code = code / code.std()
        level, noise = torch.rand(len(code), 1, 1, 1, device=device), torch.randn_like(code)
        error = (model((1 - level) * code + level * noise) - noise).square().mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
    return model.eval().requires_grad_(False)


def _small(x: Tensor) -> Tensor:
    return interpolate(x, scale_factor=0.25, mode="area")


def stored(path: Path, make: type[nn.Module]) -> nn.Module | None:
    """The encoder that an earlier run left at `path`, or None."""
    if not path.is_file():
        return None
    model = make()
    model.load_state_dict(load_file(path))
    return model.eval().requires_grad_(False)


def store(path: Path, model: nn.Module) -> None:
    """Keep it for a next run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value.cpu() for name, value in model.state_dict().items()}, path)
