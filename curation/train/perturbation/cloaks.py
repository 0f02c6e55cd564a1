"""Perturbations made without any net: what is laid over a picture so that models read it wrongly.

Each pattern is a field float32 (h, w, 3) of about -1 to 1; `lay` scales it to a bound of 8-bit levels and
adds it. They stand for what the gradients of encoders look like (blocks on a lattice of strides, textured
targets, flows of strokes, another picture's edges), not for any one tool.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import conv_transpose2d, grid_sample, interpolate

Rgb = npt.NDArray[np.uint8]
Field = npt.NDArray[np.float32]
Pattern = Callable[[np.random.Generator, int, int, Rgb], Field]


def spectrum_noise(
    rng: np.random.Generator, h: int, w: int, weight: Callable[[Field, Field], Field]
) -> Field:
    """Gaussian noise (h, w) of unit deviation whose spectrum is `weight` of the frequencies down and right,
    in cycles a pixel."""
    down = np.fft.fftfreq(h).astype(np.float32)[:, None]
    right = np.fft.rfftfreq(w).astype(np.float32)[None]
    spectrum = np.fft.rfft2(rng.standard_normal((h, w)).astype(np.float32)) * weight(down, right)
    field = np.fft.irfft2(spectrum, (h, w)).astype(np.float32)
    return np.asarray(field / (field.std() + 1e-6), np.float32)


def _ring(centre: float, width: float) -> Callable[[Field, Field], Field]:
    return lambda down, right: np.exp(-(((np.hypot(down, right) - centre) / width) ** 2))


def colour_mix(rng: np.random.Generator, fields: list[Field]) -> Field:
    """(h, w, 3) from one or more (h, w): each channel its own mixture."""
    weights = rng.normal(size=(len(fields), 3)) * rng.uniform(0.2, 1.2) + rng.normal(size=(len(fields), 1))
    mixed = np.tensordot(np.stack(fields, -1), weights.astype(np.float32), 1)
    return np.asarray(mixed / (np.abs(mixed).mean() + 1e-6), np.float32)


def _hardened(rng: np.random.Generator, field: Field) -> Field:
    """Steps of a fixed size leave most pixels at the bound: soft or hard, as they do."""
    return np.asarray(np.tanh(field * rng.choice([0.7, 1.5, 4.0, 20.0])), np.float32)


def band(rng: np.random.Generator, h: int, w: int, other: Rgb) -> Field:
    """Noise of one narrow ring of frequencies, driven to its bound."""
    ring = _ring(rng.uniform(0.06, 0.3), rng.uniform(0.015, 0.05))
    fields = [spectrum_noise(rng, h, w, ring) for _ in range(2)]
    return np.asarray(np.tanh(colour_mix(rng, fields) * 6), np.float32)


def gratings(rng: np.random.Generator, h: int, w: int, other: Rgb) -> Field:
    """A few waves across each other."""
    y, x = np.mgrid[:h, :w].astype(np.float32)
    fields = []
    for _ in range(int(rng.integers(2, 7))):
        period, angle = np.exp(rng.uniform(np.log(2.5), np.log(32))), rng.uniform(0, np.pi)
        phase = 2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period + rng.uniform(0, 6)
        fields.append(np.sin(phase).astype(np.float32))
    return _hardened(rng, colour_mix(rng, fields))


def tiled_texture(rng: np.random.Generator, h: int, w: int, other: Rgb) -> Field:
    """A small texture, repeated: what a textured target leaves."""
    side = int(rng.choice([16, 24, 32, 48, 64, 96]))
    if rng.random() < 0.5 and min(other.shape[:2]) > side:
        top, left = (int(rng.integers(0, n - side)) for n in other.shape[:2])
        patch = other[top : top + side, left : left + side].astype(np.float32)
        patch = (patch - patch.mean((0, 1))) / (patch.std() + 4)
    else:
        ring = _ring(rng.uniform(0.08, 0.3), 0.08)
        patch = colour_mix(rng, [spectrum_noise(rng, side, side, ring) for _ in range(2)])
    if rng.random() < 0.5:
        patch = np.concatenate([patch, patch[:, ::-1]], 1)
    field = np.tile(patch, (h // patch.shape[0] + 2, w // patch.shape[1] + 2, 1))
    top, left = int(rng.integers(0, patch.shape[0])), int(rng.integers(0, patch.shape[1]))
    return _hardened(rng, np.ascontiguousarray(field[top : top + h, left : left + w]))


def strided(rng: np.random.Generator, h: int, w: int, other: Rgb) -> Field:
    """Random kernels stamped on a lattice, as a gradient through convolutions with strides is."""
    total = torch.zeros(1, 3, h, w)
    generator = torch.Generator().manual_seed(int(rng.integers(1 << 31)))
    for stride in rng.choice([2, 4, 8, 16], size=int(rng.integers(1, 4)), replace=False):
        depth, size = int(rng.integers(2, 7)), int(stride) * 2
        kernel = torch.randn(depth, 3, size, size, generator=generator)
        if rng.random() < 0.7:  # kernels of nets that were trained are smooth
            small = torch.randn(depth, 3, max(2, size // 3), max(2, size // 3), generator=generator)
            kernel = interpolate(small, (size, size), mode="bicubic") + 0.3 * kernel
        latent = torch.randn(1, depth, h // int(stride) + 3, w // int(stride) + 3, generator=generator)
        stamped = conv_transpose2d(latent, kernel, stride=int(stride))[
            :, :, stride : stride + h, stride : stride + w
        ]
        total = total + stamped / stamped.std() * float(rng.uniform(0.4, 1))
    return _hardened(rng, np.ascontiguousarray(total[0].permute(1, 2, 0).numpy()))


def strokes(rng: np.random.Generator, h: int, w: int, other: Rgb) -> Field:
    """Long marks along a bent flow, as of a brush: a cloak of style."""
    angle, long, fine = rng.uniform(0, np.pi), rng.uniform(0.01, 0.03), rng.uniform(0.05, 0.16)

    def weight(down: Field, right: Field) -> Field:
        along = np.abs(right * np.cos(angle) + down * np.sin(angle))
        across = np.abs(down * np.cos(angle) - right * np.sin(angle))
        return np.asarray(np.exp(-((along / long) ** 2)) * (across / fine) * np.exp(-((across / fine) ** 2)))

    fields = [spectrum_noise(rng, h, w, weight) for _ in range(2)]
    return _hardened(rng, _bent(rng, colour_mix(rng, fields)))


def _bent(rng: np.random.Generator, field: Field) -> Field:
    h, w = field.shape[:2]
    shift = torch.from_numpy(rng.normal(size=(1, 2, 5, 5)).astype(np.float32)) * float(rng.uniform(0.05, 0.3))
    shift = interpolate(shift, (h, w), mode="bicubic").permute(0, 2, 3, 1)
    y, x = torch.meshgrid(torch.linspace(-1, 1, h), torch.linspace(-1, 1, w), indexing="ij")
    grid = torch.stack([x, y], -1)[None] + shift
    bent = grid_sample(
        torch.from_numpy(field).permute(2, 0, 1)[None], grid, padding_mode="reflection", align_corners=True
    )
    return np.ascontiguousarray(bent[0].permute(1, 2, 0).numpy())


def ghost(rng: np.random.Generator, h: int, w: int, other: Rgb) -> Field:
    """Another picture's edges, flattened to the bound: a shift of features toward it."""
    from PIL import Image, ImageFilter

    image = Image.fromarray(other).resize((w, h), Image.Resampling.BICUBIC)
    fine, wide = rng.uniform(0.3, 1.5), rng.uniform(2, 8)
    blurred = [
        np.asarray(image.filter(ImageFilter.GaussianBlur(radius)), np.float32) for radius in (fine, wide)
    ]
    edges = blurred[0] - blurred[1]
    return np.asarray(np.tanh(edges / (edges.std() + 1) * rng.uniform(0.8, 3)), np.float32)


#: By name; the last one is held out of training, as `curation.train.perturbation` says.
PATTERNS: Mapping[str, Pattern] = {
    "band": band,
    "gratings": gratings,
    "tiled_texture": tiled_texture,
    "strided": strided,
    "ghost": ghost,
    "strokes": strokes,
}


def busy(image: Rgb) -> Field:
    """(h, w, 1), about 0.2 to 1.6: how much a change is hidden by texture there (a perceptual budget)."""
    grey = torch.from_numpy(image.astype(np.float32).mean(2))[None, None]
    deviation = torch.nn.functional.avg_pool2d((grey - _wide(grey)).abs(), 9, 1, 4, count_include_pad=False)
    weight = (deviation / (deviation.mean() + 1)).clamp(0.2, 1.6)
    return np.asarray(_wide(weight)[0, 0].numpy()[..., None], np.float32)


def _wide(grey: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.avg_pool2d(grey, 9, 1, 4, count_include_pad=False)


def lay(image: Rgb, field: Field, bound: float, hidden: bool = False) -> Rgb:
    """The picture with the field added, at most about `bound` 8-bit levels; `hidden`: less where it would
    show."""
    change = np.clip(field, -1.2, 1.2) * bound
    if hidden:
        change = change * busy(image)
    return np.clip(np.rint(image + change), 0, 255).astype(np.uint8)
