"""What looks like a perturbation and is none: the hard negatives of the perturbation detector.

Grain, sensor noise, dithering, screens, weaves, papers, cracks, engraving, sharpening, enlargement, block
artefacts, screens photographed: each takes uint8 (h, w, 3) and gives the same shape.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch.nn.functional import avg_pool2d, interpolate

from curation.train.perturbation.cloaks import Field, Rgb, spectrum_noise

Lookalike = Callable[[np.random.Generator, Rgb], Rgb]


def _rounded(image: np.ndarray) -> Rgb:
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def _grey(image: Rgb) -> Field:
    return np.asarray(image @ np.array([0.299, 0.587, 0.114], np.float32), np.float32)


def _soft(rng: np.random.Generator, h: int, w: int, size: float) -> Field:
    return spectrum_noise(rng, h, w, lambda down, right: np.exp(-((np.hypot(down, right) * size) ** 2) * 8))


def film_grain(rng: np.random.Generator, image: Rgb) -> Rgb:
    """Clumps of silver or dye: soft, strongest in the middle tones, its channels more or less alike."""
    h, w = image.shape[:2]
    size, alike = rng.uniform(0.3, 1.8), rng.uniform(0.2, 1)
    shared = _soft(rng, h, w, size)
    fields = np.stack(
        [alike * shared + (1 - alike) * _soft(rng, h, w, size * s) for s in rng.uniform(0.8, 1.3, 3)], -1
    )
    tone = _grey(image)[..., None] / 255
    middle = rng.uniform(0.2, 0.7) + 3 * tone * (1 - tone)
    return _rounded(image + fields * middle * rng.uniform(3, 16))


def high_iso(rng: np.random.Generator, image: Rgb) -> Rgb:
    """Photon and read noise on a Bayer mosaic, demosaicked linearly; often denoised a little."""
    h, w = image.shape[:2]
    linear = (image / 255.0) ** 2.2
    photons = np.exp(rng.uniform(np.log(60), np.log(1500)))
    spread = np.sqrt(linear / photons + (rng.uniform(0.2, 2) / photons) ** 2)
    noisy = rng.normal(linear, spread).astype(np.float32)
    mask = np.zeros((h, w, 3), np.float32)
    mask[::2, ::2, 0] = mask[1::2, 1::2, 2] = mask[::2, 1::2, 1] = mask[1::2, ::2, 1] = 1
    both = torch.from_numpy(np.concatenate([noisy * mask, mask], 2)).permute(2, 0, 1)[None]
    kernel = torch.tensor([[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]).expand(6, 1, 3, 3)
    sums = torch.nn.functional.conv2d(both, kernel, padding=1, groups=6)[0]
    filled = (sums[:3] / sums[3:].clamp_min(1e-3)).permute(1, 2, 0).numpy()
    seen = _rounded(255 * np.clip(filled, 0, 1) ** (1 / 2.2))
    if rng.random() < 0.4:
        smooth = np.asarray(Image.fromarray(seen).filter(ImageFilter.GaussianBlur(rng.uniform(0.8, 2))))
        share = rng.uniform(0.3, 0.8)
        seen = _rounded(seen * (1 - share) + smooth * share)
    return seen


def dithering(rng: np.random.Generator, image: Rgb) -> Rgb:
    """Few colours: error diffusion, or an ordered matrix."""
    if rng.random() < 0.6:
        colours = int(rng.choice([4, 8, 16, 32, 64, 128, 256]))
        palette = Image.fromarray(image).quantize(colours, method=Image.Quantize.FASTOCTREE)
        dithered = Image.fromarray(image).quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
        return np.asarray(dithered.convert("RGB"))
    matrix = np.zeros((1, 1))
    for _ in range(int(rng.integers(1, 4))):
        matrix = np.block([[4 * matrix, 4 * matrix + 2], [4 * matrix + 3, 4 * matrix + 1]])
    matrix = (matrix + 0.5) / matrix.size - 0.5
    h, w = image.shape[:2]
    step = 255 / int(rng.choice([2, 3, 5, 7, 15, 31]))
    threshold = np.tile(matrix, (h // len(matrix) + 1, w // len(matrix) + 1))[:h, :w, None]
    return _rounded(np.rint(image / step + threshold) * step)


def halftone(rng: np.random.Generator, image: Rgb) -> Rgb:
    """Screens of ink at their angles, one or three, printed and scanned at some size."""
    h, w = image.shape[:2]
    period = rng.uniform(2.5, 9)
    y, x = np.mgrid[:h, :w].astype(np.float32)
    coloured = rng.random() < 0.6
    inks = 255.0 - image if coloured else np.repeat(255 - _grey(image)[..., None], 3, 2)
    angles = np.deg2rad([15.0, 75, 0] if coloured else [45.0, 45, 45]) + rng.uniform(0, 0.2)
    printed, hardness = np.empty((h, w, 3), np.float32), rng.uniform(1.5, 6)
    for channel, angle in enumerate(angles):
        u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        dots = (np.cos(2 * np.pi * u / period) + np.cos(2 * np.pi * v / period)) / 4 + 0.5
        printed[..., channel] = 1 / (1 + np.exp(-hardness * 2 * (dots - inks[..., channel] / 255)))
    scanned = Image.fromarray(_rounded(printed * 235 + 15)).filter(
        ImageFilter.GaussianBlur(rng.uniform(0.3, 1.2))
    )
    share = rng.uniform(0.25, 1)
    return _rounded(np.asarray(scanned) * share + image * (1 - share))


def scanner_moire(rng: np.random.Generator, image: Rgb) -> Rgb:
    """A halftone, sampled again at another size."""
    h, w = image.shape[:2]
    printed = Image.fromarray(halftone(rng, image))
    scale = rng.uniform(0.6, 0.95)
    how = Image.Resampling.BILINEAR if rng.random() < 0.5 else Image.Resampling.NEAREST
    small = printed.resize((max(16, int(w * scale)), max(16, int(h * scale))), how)
    return np.asarray(small.resize((w, h), Image.Resampling.BICUBIC))


def canvas(rng: np.random.Generator, image: Rgb) -> Rgb:
    """A weave: threads over and under, not quite even, as light falls on them."""
    h, w = image.shape[:2]
    y, x = np.mgrid[:h, :w].astype(np.float32)
    period, wander = rng.uniform(2.5, 14), rng.uniform(0.3, 2)
    x = x + wander * _soft(rng, h, w, 12)
    y = y + wander * _soft(rng, h, w, 12)
    u, v = np.sin(np.pi * x / period), np.sin(np.pi * y / period)
    weave = np.where(u * v > 0, np.abs(u), np.abs(v)).astype(np.float32) - 0.6
    threads = weave + 0.4 * _soft(rng, h, w, rng.uniform(0.5, 3))
    depth = 0.4 + 0.6 * np.clip(1.2 + _soft(rng, h, w, 60), 0, 2)
    return _rounded(image * (1 + (rng.uniform(0.02, 0.16) * threads * depth)[..., None]))


def paper(rng: np.random.Generator, image: Rgb) -> Rgb:
    """Fibres and fog: noise of falling spectrum, foxing, laid lines now and then."""
    h, w = image.shape[:2]
    power = rng.uniform(0.5, 1.6)
    sheet = spectrum_noise(rng, h, w, lambda down, right: 1 / (np.hypot(down, right) + 0.004) ** power)
    tooth = _soft(rng, h, w, rng.uniform(0.4, 2.5))
    relief = rng.uniform(0.005, 0.06) * sheet + rng.uniform(0.005, 0.06) * tooth
    if rng.random() < 0.4:
        line = np.arange(h)[:, None] + 1.5 * _soft(rng, h, w, 40)
        relief = relief + rng.uniform(0.01, 0.05) * np.sin(2 * np.pi * line / rng.uniform(4, 14))
    tint = rng.uniform([0.9, 0.82, 0.65], [1.0, 0.98, 0.95])
    spots = np.clip(_soft(rng, h, w, 25) - 2.2, 0, 1)[..., None] * [0.1, 0.25, 0.4]
    return _rounded(image * tint * (1 + relief[..., None] - spots))


def craquelure(rng: np.random.Generator, image: Rgb) -> Rgb:
    """Cracks between islands of old paint: the borders of Voronoi cells, dark, thin and broken."""
    h, w = image.shape[:2]
    points = torch.from_numpy(rng.uniform(0, [h, w], (int(rng.integers(30, 300)), 2)).astype(np.float32))
    y, x = np.mgrid[:h:2, :w:2].astype(np.float32)
    y, x = y + 2 * _soft(rng, *y.shape, 10), x + 2 * _soft(rng, *x.shape, 10)
    places = torch.from_numpy(np.stack([y.ravel(), x.ravel()], 1).astype(np.float32))
    nearest = torch.cdist(places, points).topk(2, largest=False).values
    gap = (nearest[:, 1] - nearest[:, 0]).view(1, 1, *y.shape)
    gap = interpolate(gap, (h, w), mode="bilinear")[0, 0].numpy()
    there = np.clip(rng.uniform(0.4, 1.3) + 0.7 * _soft(rng, h, w, 30), 0, 1)
    crack = np.exp(-((gap / rng.uniform(0.8, 2.2)) ** 2)) * there * rng.uniform(0.1, 0.5)
    aged = _rounded(image * (1 - crack[..., None]))
    return canvas(rng, aged) if rng.random() < 0.3 else aged


def engraving(rng: np.random.Generator, image: Rgb) -> Rgb:
    """Lines whose width follows the tone, bent, crossed in the dark; on paper."""
    h, w = image.shape[:2]
    tone = _grey(image) / 255
    y, x = np.mgrid[:h, :w].astype(np.float32)
    period, wander = np.exp(rng.uniform(np.log(2.2), np.log(8))), rng.uniform(1, 6)
    ink = np.zeros((h, w), np.float32)
    for turn, dark in ((0.0, 1.0), (rng.uniform(0.6, 1.6), 0.45)):
        angle = rng.uniform(0, np.pi) + turn
        place = x * np.cos(angle) + y * np.sin(angle) + wander * _soft(rng, h, w, 40)
        wave = np.sin(2 * np.pi * place / period) * 0.5 + 0.5
        ink = np.maximum(ink, 1 / (1 + np.exp(-9 * (wave - tone / dark))) * (tone < dark))
    colour = np.array([[30, 26, 22]]) if rng.random() < 0.7 else rng.uniform(0, 110, (1, 3))
    sheet = rng.uniform([225, 215, 190], [255, 250, 240])
    return paper(rng, _rounded(sheet * (1 - ink[..., None]) + colour * ink[..., None]))


def dabbed(rng: np.random.Generator, image: Rgb) -> Rgb:
    """Dabs of a brush: patches of one colour each, tones apart."""
    h, w = image.shape[:2]
    size = int(rng.integers(2, 7))
    small = avg_pool2d(torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)[None], size)
    small = small + float(rng.uniform(3, 16)) * torch.from_numpy(
        rng.normal(size=small.shape).astype(np.float32)
    )
    large = interpolate(small, (h, w), mode="bicubic")[0].permute(1, 2, 0).numpy()
    mask = np.clip(0.5 + _soft(rng, h, w, size * 1.5), 0, 1)[..., None]
    return _rounded(image * (1 - mask) + large * mask)


def sharpened(rng: np.random.Generator, image: Rgb) -> Rgb:
    """Unsharp mask, up to far too much."""
    unsharp = ImageFilter.UnsharpMask(
        rng.uniform(0.6, 3), int(rng.integers(80, 400)), int(rng.integers(0, 4))
    )
    return np.asarray(Image.fromarray(image).filter(unsharp))


def enlarged(rng: np.random.Generator, image: Rgb) -> Rgb:
    """A smaller copy, made large again; sharpened now and then."""
    h, w = image.shape[:2]
    scale = rng.uniform(0.3, 0.8)
    small = Image.fromarray(image).resize((int(w * scale), int(h * scale)), Image.Resampling.LANCZOS)
    ways = (
        Image.Resampling.BILINEAR,
        Image.Resampling.BICUBIC,
        Image.Resampling.LANCZOS,
        Image.Resampling.NEAREST,
    )
    large = np.asarray(small.resize((w, h), ways[int(rng.choice(4, p=[0.25, 0.35, 0.35, 0.05]))]))
    return sharpened(rng, large) if rng.random() < 0.4 else large


def smoothed(rng: np.random.Generator, image: Rgb) -> Rgb:
    """Painted over by a median filter: the edges of a denoiser, flat inside."""
    size = int(rng.choice([3, 3, 5]))
    painted = np.asarray(Image.fromarray(image).filter(ImageFilter.MedianFilter(size)))
    return sharpened(rng, painted) if rng.random() < 0.5 else painted


def blocky(rng: np.random.Generator, image: Rgb) -> Rgb:
    """A low quality JPEG or WebP, now and then on another lattice than the last one."""
    shift = tuple(int(n) for n in rng.integers(0, 8, 2)) if rng.random() < 0.6 else (0, 0)
    kind = "WEBP" if rng.random() < 0.35 else "JPEG"
    coded = recoded(np.roll(image, shift, (0, 1)), kind, int(rng.integers(12, 55)), bool(rng.random() < 0.5))
    return np.roll(coded, (-shift[0], -shift[1]), (0, 1))


def screen(rng: np.random.Generator, image: Rgb) -> Rgb:
    """A screen, captured or photographed: stripes of sub-pixels or lines of scan, or steps of few tones."""
    h, w = image.shape[:2]
    y, x = np.mgrid[:h, :w].astype(np.float32)
    kind = int(rng.integers(3))
    if kind == 0:
        step = int(rng.choice([4, 8, 12]))
        return _rounded(image // step * step)
    period, angle = rng.uniform(2.1, 6), rng.normal(0, 0.05)
    place = (y if kind == 1 else x) * np.cos(angle) + (x if kind == 1 else y) * np.sin(angle)
    phases = np.zeros(3) if kind == 1 else np.array([0, 1, 2]) * 2 * np.pi / 3
    stripes = np.sin(2 * np.pi * place[..., None] / period + phases)
    return _rounded(image * (1 + rng.uniform(0.02, 0.15) * stripes))


def plain_noise(rng: np.random.Generator, image: Rgb) -> Rgb:
    """Independent noise on every pixel, as an editor's "add noise" gives: grey or coloured."""
    h, w = image.shape[:2]
    shape = (h, w, 1) if rng.random() < 0.5 else (h, w, 3)
    amount = rng.uniform(2, 18)
    noise = rng.normal(0, amount, shape) if rng.random() < 0.6 else rng.uniform(-amount, amount, shape) * 1.7
    return _rounded(image + noise)


def recoded(image: Rgb, kind: str, quality: int, whole_colour: bool = False) -> Rgb:
    """Through a JPEG or a WebP; `whole_colour`: chroma at full size."""
    buffer = io.BytesIO()
    options = {"subsampling": 0 if whole_colour else 2} if kind == "JPEG" else {"method": 1}
    Image.fromarray(image).save(buffer, kind, quality=quality, **options)
    return np.asarray(Image.open(buffer).convert("RGB"))


LOOKALIKES: Mapping[str, Lookalike] = {
    "film_grain": film_grain,
    "high_iso": high_iso,
    "plain_noise": plain_noise,
    "dithering": dithering,
    "halftone": halftone,
    "scanner_moire": scanner_moire,
    "canvas": canvas,
    "paper": paper,
    "craquelure": craquelure,
    "engraving": engraving,
    "dabbed": dabbed,
    "sharpened": sharpened,
    "enlarged": enlarged,
    "smoothed": smoothed,
    "blocky": blocky,
    "screen": screen,
}

#: Those that stand for old art.
OLD_ART = ("canvas", "paper", "craquelure", "engraving", "dabbed")
