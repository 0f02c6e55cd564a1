"""The perturbations that attacks compute, made once and kept in a folder: they are the dear part of
training."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from curation.train.perturbation.attacks import Attack, Goal, attacked, patch_encoder, random_encoder
from curation.train.perturbation.cloaks import PATTERNS, Rgb
from curation.train.perturbation.encoders import (
    LatentEncoder,
    PooledEncoder,
    StridedEncoder,
    denoiser,
    store,
    stored,
    trained,
    trained_denoiser,
)
from curation.train.perturbation.perturbed import SIDE, Computed

Say = Callable[[str], None]


@dataclass(frozen=True)
class Family:
    """Attacks of one make: against which encoder, to which ends."""

    name: str
    encoder: str  # random | latent | strided | pooled | patch
    goals: tuple[Goal, ...]
    soft: bool = False
    momentum: float = 0.0
    count: int = 80


#: Trained on.
FAMILIES: Sequence[Family] = (
    Family("random_signed", "random", ("toward", "away", "texture"), count=240),
    Family("random_soft", "random", ("toward", "away"), soft=True, count=100),
    Family("latent_toward", "latent", ("toward",), count=104),
    Family("latent_texture", "latent", ("texture",), count=104),
    Family("latent_soft", "latent", ("toward", "texture"), soft=True, count=100),
    Family("strided_toward", "strided", ("toward",), count=80),
    Family("strided_texture", "strided", ("texture",), count=60),
    Family("strided_soft", "strided", ("toward", "texture"), soft=True, count=100),
)

#: Never trained on: other encoders, and a goal (the denoiser) and momentum that no trained family has.
HELD_OUT: Sequence[Family] = (
    Family("pooled_toward", "pooled", ("toward",)),
    Family("pooled_texture", "pooled", ("texture",)),
    Family("pooled_soft", "pooled", ("toward",), soft=True),
    Family("pooled_denoiser", "pooled", ("denoiser",), momentum=0.9),
    Family("patch_away", "patch", ("away",), momentum=0.9),
)


#: The encoders that are trained first, and each one's share of the time.
_TRAINED: Mapping[str, tuple[type[nn.Module], float]] = {
    "latent": (LatentEncoder, 0.45),
    "strided": (StridedEncoder, 0.25),
    "pooled": (PooledEncoder, 0.23),
}


@dataclass(frozen=True)
class Encoders:
    """What is attacked, on one device. Random and patch encoders are made anew for each batch."""

    latent: nn.Module
    strided: nn.Module
    pooled: nn.Module
    denoiser: nn.Module
    device: str = "cpu"

    def of(self, family: Family, seed: int) -> nn.Module:
        """The encoder of one batch of a family."""
        if family.encoder == "random":
            return random_encoder(seed).requires_grad_(False).to(self.device)
        if family.encoder == "patch":
            return patch_encoder(seed).requires_grad_(False).to(self.device)
        trained: Mapping[str, nn.Module] = {
            "latent": self.latent,
            "strided": self.strided,
            "pooled": self.pooled,
        }
        return trained[family.encoder]


def encoders(
    folder: Path,
    bank: Sequence[Rgb],
    seconds: float,
    seed: int,
    say: Say = print,
    device: str = "cpu",
) -> Encoders:
    """Those of an earlier run with this folder, or trained now on the bank, CPU `seconds` for all."""
    found: dict[str, nn.Module] = {}
    for number, (name, (make, share)) in enumerate(_TRAINED.items()):
        path = folder / f"{name}.safetensors"
        model = stored(path, make)
        if model is None:
            torch.manual_seed(seed + number)
            model = make().to(device)
            error = trained(
                model,
                _batches(bank, 8, 64, seed + number),
                seconds * share,
                seed + number,
            )
            store(path, model)
            say(f"encoder {name}: mean error {error * 255:.1f} of 255")
        found[name] = model.to(device)
    path = folder / "denoiser.safetensors"
    noise = stored(path, denoiser)  # type: ignore[arg-type]
    if noise is None:
        noise = trained_denoiser(found["pooled"], _batches(bank, 8, 96, seed + 7), seconds * 0.07, seed)
        store(path, noise)
    return Encoders(found["latent"], found["strided"], found["pooled"], noise.to(device), device)


def _batches(bank: Sequence[Rgb], size: int, side: int, seed: int) -> Iterator[Tensor]:
    rng = np.random.default_rng(seed)
    while True:
        crops = []
        for index in rng.integers(0, len(bank), size):
            top, left = (int(rng.integers(0, n - side + 1)) for n in bank[int(index)].shape[:2])
            crops.append(bank[int(index)][top : top + side, left : left + side])
        yield tensor(crops)


def tensor(images: Sequence[Rgb]) -> Tensor:
    """float32 (n, 3, h, w), 0 to 1."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255


def computed(
    folder: Path,
    bank: Sequence[Rgb],
    models: Encoders,
    families: Sequence[Family],
    seed: int,
    share: float = 1.0,
    say: Say = print,
) -> Computed:
    """Attacks of every family on pictures of the bank, (SIDE, SIDE); families that lie in the folder are
    read."""
    images, changes, names = [], [], []
    for number, family in enumerate(families):
        path = folder / f"{family.name}.npz"
        if not path.is_file():
            started = time.process_time()
            kept = _family(
                bank, models, replace(family, count=max(4, int(family.count * share))), [seed, number]
            )
            np.savez(path, images=kept[0], changes=kept[1])
            say(f"attacks {family.name}: {len(kept[0])} in {time.process_time() - started:.0f} s")
        with np.load(path) as held:
            images.append(held["images"])
            changes.append(held["changes"])
        names += [family.name] * len(images[-1])
    return Computed(np.concatenate(images), np.concatenate(changes), names)


def _family(bank: Sequence[Rgb], models: Encoders, family: Family, seed: list[int]) -> tuple[Rgb, np.ndarray]:
    rng = np.random.default_rng(seed)
    images, changes = [], []
    for _ in range(0, family.count, 4):
        chosen = [bank[int(index)][:SIDE, :SIDE] for index in rng.integers(0, len(bank), 4)]
        images += chosen
        changes += list(change_of(rng, chosen, bank, models, family))
    return np.stack(images), np.stack(changes)


def change_of(
    rng: np.random.Generator, chosen: Sequence[Rgb], bank: Sequence[Rgb], models: Encoders, family: Family
) -> np.ndarray:
    """int8 (n, h, w, 3): an attack of this family on pictures of one size."""
    h, w = chosen[0].shape[:2]
    goal = family.goals[int(rng.integers(len(family.goals)))]
    targets = [_target(rng, bank, h, w, goal) for _ in chosen]
    bound = float(rng.choice([4.0, 6, 8, 8, 12, 13, 16, 16]))
    attack = Attack(
        goal, bound, int(rng.integers(12, 20)), family.soft, bool(rng.random() < 0.3), family.momentum
    )
    seed = int(rng.integers(1 << 30))
    encoder = models.of(family, seed)
    change = attacked(
        tensor(chosen).to(models.device),
        tensor(targets).to(models.device),
        encoder,
        attack,
        seed,
        models.denoiser,
    )
    return np.clip(np.rint(change), -127, 127).astype(np.int8)


def _target(rng: np.random.Generator, bank: Sequence[Rgb], h: int, w: int, goal: Goal) -> Rgb:
    other = bank[int(rng.integers(len(bank)))]
    if goal == "texture":
        field = PATTERNS["tiled_texture" if rng.random() < 0.7 else "gratings"](rng, h, w, other)
        return np.clip(127 + 110 * field, 0, 255).astype(np.uint8)
    repeats = (-(-h // other.shape[0]), -(-w // other.shape[1]), 1)
    return np.ascontiguousarray(np.tile(other, repeats)[:h, :w])
