"""Train the net that finds enlarged pictures: `python -m curation.train.detail --pool DIR`.

Crops of the pool's pictures at their own size or shrunk, then enlarged or not, then compressed and sharpened
alike. Writes curation/models/detail.safetensors and prints the figures of the test split; the
limit is set on the validation split.
"""

from __future__ import annotations

import argparse
import io
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageFilter, ImageOps
from safetensors.numpy import save_file
from torch import nn

from curation.annotators.detail import LEAST_DETAIL, WEIGHTS
from curation.nets.detail import FACTORS, TILE, DetailNet, Floats, detail_of, features
from curation.train.detail.figures import cases, figures, limit_of
from curation.train.pictures import DEFAULT_POOL, Source, Split, flat, sources
from curation.train.textures import LOOKALIKES

_KERNELS = (
    Image.Resampling.NEAREST,
    Image.Resampling.BILINEAR,
    Image.Resampling.BICUBIC,
    Image.Resampling.LANCZOS,
)
_COMMON = (1.333, 1.5, 2.0, 2.5, 3.0, 4.0)
#: Look-alikes that hold an enlargement of their own, so that they are no negatives.
_NO_NEGATIVES = {"enlarged", "scanner_moire", "dabbed"}
#: The shorter side of a photograph that is used at its own size too; all else is shrunk at least to _SHRUNK.
_LARGE = 1400
_SHRUNK = 0.75
#: Deviation in pixels of the softest focus of a native tile. What is softer all over holds no more detail
#: than an enlargement, and counts as neither.
_SOFT = 0.9
#: Kinds of the pool that are looked at most: what is drawn and rendered is simpler.
_PICTURED = frozenset({"photo", "painting", "print", "object"})


@dataclass(frozen=True)
class Sample:
    """The features of one tile; `factor` 1.0 where it was not enlarged."""

    features: Floats
    factor: float


def samples_of(source: Source, count: int, seed: int) -> list[Sample]:
    """`count` samples of one picture file, half of them enlarged; fewer where it is small or smooth."""
    torch.set_num_threads(1)
    rng = np.random.default_rng([seed, *source.name.encode()])
    try:
        with Image.open(source.path) as image:
            if image.width * image.height > 40_000_000:
                return []
            whole = flat(ImageOps.exif_transpose(image))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return []
    # What the pool holds at its own size may have been enlarged by its makers; large photographs hardly were.
    own_size = source.kind == "photo" and min(whole.size) >= _LARGE
    found: list[Sample] = []
    for number in range(2 * count):
        factor = _factor(rng) if number % 2 else 1.0
        tile = _tile(rng, whole, factor, own_size)
        if tile is None and factor == 1:
            break
        if tile is not None and detail_of(tile) >= LEAST_DETAIL:
            found.append(Sample(features(tile), factor))
        if len(found) == count:
            break
    return found


def _factor(rng: np.random.Generator) -> float:
    if rng.random() < 0.3:
        return float(rng.choice(_COMMON))
    return float(np.exp(rng.uniform(np.log(1.3), np.log(4.3))))


def _tile(rng: np.random.Generator, whole: Image.Image, factor: float, own_size: bool) -> Floats | None:
    """A grey tile of a picture, enlarged by `factor`, as the web would show it; None if it is too small."""
    need = int(np.ceil((TILE + 40) / factor))
    least = need / min(whole.size)
    if own_size and rng.random() < 0.4:
        shrunk = 1.0
    elif least <= _SHRUNK:
        shrunk = float(rng.uniform(max(0.2, least), _SHRUNK))
    else:
        return None
    side = min(int(np.ceil(need / shrunk)), *whole.size)
    left, top = (int(rng.integers(0, length - side + 1)) for length in whole.size)
    piece = whole.crop((left, top, left + side, top + side))
    if shrunk < 1:
        piece = piece.resize(
            (need, need), _KERNELS[rng.integers(1, 4)] if rng.random() < 0.96 else _KERNELS[0]
        )
    piece = _past(rng, piece)
    if factor > 1:
        kernel = _KERNELS[rng.choice(4, p=[0.12, 0.26, 0.34, 0.28])]
        size = round(need * factor)
        piece = piece.resize((size, size), kernel)
    if rng.random() < 0.25:
        amount, least = int(rng.integers(20, 160)), int(rng.integers(0, 4))
        piece = piece.filter(ImageFilter.UnsharpMask(rng.uniform(0.5, 2.5), amount, least))
    grey = np.asarray(_sent(rng, piece).convert("L"), np.float32)
    at = [int(rng.integers(0, length - TILE + 1)) for length in grey.shape]
    return grey[at[0] : at[0] + TILE, at[1] : at[1] + TILE]


def _past(rng: np.random.Generator, piece: Image.Image) -> Image.Image:
    """What may have happened to a picture before: soft focus, a mosaic sensor, a texture, compression."""
    chance = rng.random()
    if chance < 0.15:
        piece = piece.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, _SOFT)))
    elif chance < 0.21:
        piece = _demosaicked(piece)
    elif chance < 0.42:
        names = sorted(set(LOOKALIKES) - _NO_NEGATIVES)
        change = LOOKALIKES[names[rng.integers(len(names))]]
        piece = Image.fromarray(change(rng, np.asarray(piece)))
    if rng.random() < 0.15:
        noise = rng.normal(0, rng.uniform(0.5, 5), (*piece.size[::-1], 1))
        piece = Image.fromarray(np.clip(np.asarray(piece) + noise, 0, 255).astype(np.uint8))
    return _coded(piece, "JPEG", int(rng.integers(60, 98))) if rng.random() < 0.4 else piece


def _demosaicked(piece: Image.Image) -> Image.Image:
    """As through a Bayer filter, its gaps filled bilinearly: a period of two in native photographs."""
    rgb = np.asarray(piece, np.float32)
    mask = np.zeros_like(rgb)
    mask[::2, ::2, 0] = mask[1::2, 1::2, 2] = mask[::2, 1::2, 1] = mask[1::2, ::2, 1] = 1
    kernel = torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]).expand(6, 1, 3, 3)
    both = torch.from_numpy(np.concatenate([rgb * mask, mask], 2)).permute(2, 0, 1)[None]
    sums = nn.functional.conv2d(both, kernel, padding=1, groups=6)[0]
    filled = (sums[:3] / sums[3:].clamp_min(1e-3)).permute(1, 2, 0).numpy()
    return Image.fromarray(np.where(mask > 0, rgb, filled).clip(0, 255).astype(np.uint8))


def _sent(rng: np.random.Generator, piece: Image.Image) -> Image.Image:
    """As it reaches us: compressed, perhaps twice with a cut between, or not at all."""
    chance = rng.random()
    if chance < 0.25:
        return piece
    if chance < 0.35:
        return _coded(piece, "WEBP", int(rng.integers(60, 98)))
    piece = _coded(piece, "JPEG", int(rng.integers(65, 98)))
    if chance < 0.5:
        dx, dy = (int(n) for n in rng.integers(0, 8, 2))
        piece = _coded(piece.crop((dx, dy, *piece.size)), "JPEG", int(rng.integers(75, 98)))
    return piece


def _coded(piece: Image.Image, kind: str, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    piece.save(buffer, kind, quality=quality)
    return Image.open(buffer).convert("RGB")


def collect(pool: Path, split: Split, files: int, each: int, workers: int) -> tuple[Floats, Floats]:
    """Features (n, FEATURES), factors (n,): of `files` photographs and paintings of a split, `each` tiles
    or fewer, and from as many other pictures, a fifth of that."""
    found = sources(pool, split)
    order = np.random.default_rng(8).permutation(len(found))
    pictured = [found[i] for i in order if found[i].kind in _PICTURED][:files]
    others = [found[i] for i in order if found[i].kind not in _PICTURED][:files]
    with ProcessPoolExecutor(workers) as executor:
        jobs = [executor.submit(samples_of, source, each, 1) for source in pictured]
        jobs += [executor.submit(samples_of, source, max(1, each // 5), 1) for source in others]
        samples = [sample for job in jobs for sample in job.result()]
    factors = np.array([sample.factor for sample in samples], np.float32)
    return np.stack([sample.features for sample in samples]), factors


def train(x: Floats, factors: Floats, epochs: int, seed: int = 4) -> dict[str, Floats]:
    """The weights of `DetailNet`."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    mean, spread = x.mean(axis=0), x.std(axis=0) + 1e-3
    layers = [nn.Linear(x.shape[1], 128), nn.Linear(128, 48), nn.Linear(48, 1 + len(FACTORS))]
    model = nn.Sequential(
        nn.Dropout(0.2), layers[0], nn.ReLU(), nn.Dropout(0.3), layers[1], nn.ReLU(), layers[2]
    )
    inputs = torch.from_numpy(np.clip((x - mean) / spread, -6, 6))
    enlarged = torch.from_numpy((factors > 1).astype(np.float32))
    nearest = torch.from_numpy(np.abs(np.log(factors)[:, None] - np.log(FACTORS)).argmin(axis=1))
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    for _ in range(epochs):
        model.train()
        for batch in torch.randperm(len(inputs)).split(128):
            noisy = inputs[batch] + 0.3 * torch.randn_like(inputs[batch])
            out, target = model(noisy), enlarged[batch]
            loss = nn.functional.binary_cross_entropy_with_logits(out[:, 0], 0.98 * target + 0.01)
            which = nn.functional.cross_entropy(out[:, 1:], nearest[batch], reduction="none")
            loss = loss + 0.3 * (which * target).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        schedule.step()
    weights = {"mean": mean, "spread": spread}
    for number, layer in enumerate(layers):
        weights[f"{number}.weight"] = layer.weight.detach().numpy()
        weights[f"{number}.bias"] = layer.bias.detach().numpy()
    return weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pool", type=Path, default=DEFAULT_POOL)
    parser.add_argument("--files", type=int, default=600)
    parser.add_argument("--each", type=int, default=60)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    options = parser.parse_args()
    x, factors = collect(options.pool, "train", options.files, options.each, options.workers)
    print(f"{len(x)} tiles, {np.mean(factors > 1):.0%} enlarged", flush=True)
    weights = train(x, factors, options.epochs)
    net = DetailNet(weights)
    limit = limit_of(net, cases(options.pool, "validation", options.workers, LEAST_DETAIL))
    weights["limit"] = np.array([limit], np.float32)
    save_file({name: value.astype(np.float16) for name, value in weights.items()}, options.out)
    stored = DetailNet.load(options.out)
    for line in figures(stored, cases(options.pool, "test", options.workers, LEAST_DETAIL), stored.limit):
        print(line, flush=True)
