"""Train the perturbation detector: `python -m curation.train.perturbation --pool DIR`.

Trains small encoders (`encoders`, in this folder), attacks them (`computed`), makes samples (`perturbed`),
trains the two judges of `curation.nets.perturbation`, sets the bounds on the validation split's pictures, and
writes the weights and a file of figures. What lies in `--cache` from an earlier run is used again; the CPU
time of each part is an option, so that everything fits two cores and an hour.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from curation.nets.perturbation import FeatureNet, Panel, PerturbNet
from curation.nets.residuals import planes, pyramid, residual_features
from curation.train.perturbation.cloaks import PATTERNS
from curation.train.perturbation.computed import FAMILIES, computed, encoders
from curation.train.perturbation.perturbed import SIDE, Sample, crops, samples
from curation.train.perturbation.verdicts import as_markdown, auc, calibrated, figures, judged
from curation.train.pictures import DEFAULT_POOL

WEIGHTS = Path(__file__).parents[2] / "models" / "perturbation.safetensors"

#: Patterns that are trained on; `strokes` is held out.
TRAINED = tuple(name for name in PATTERNS if name != "strokes")

#: Sides of the crops that the net is trained on.
_CROP = 128


@dataclass(frozen=True)
class Ready:
    """Samples with the features of each (n, FEATURES) and whether it is perturbed (n,)."""

    samples: Sequence[Sample]
    features: Tensor
    labels: Tensor


def ready(made: Sequence[Sample]) -> Ready:
    """The features of each sample, one by one: a batch of one is the fastest here."""
    rows = []
    with torch.inference_mode():
        for sample in made:
            whole = planes(_tensor(sample.pixels)[None])
            rows.append(residual_features(whole, pyramid(whole))[0])
    labels = torch.tensor([float(sample.perturbed) for sample in made])
    return Ready(made, torch.stack(rows).clone(), labels)


def _tensor(pixels: np.ndarray) -> Tensor:
    return torch.from_numpy(pixels.transpose(2, 0, 1).copy())


def train_features(train: Ready, held: Ready, seed: int, epochs: int = 60, patience: int = 8) -> FeatureNet:
    """The cheap judge; stops when the validation loss has not fallen for `patience` epochs."""
    torch.manual_seed(seed)
    model = FeatureNet()
    model.get_buffer("mean").copy_(train.features.mean(0))
    model.get_buffer("scale").copy_(train.features.std(0) + 1e-3)
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=0.02)
    best, kept, since = np.inf, _state(model), 0
    for _ in range(epochs):
        model.train()
        for chosen in torch.randperm(len(train.labels)).split(128):
            loss = binary_cross_entropy_with_logits(model(train.features[chosen]), train.labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.inference_mode():
            error = float(binary_cross_entropy_with_logits(model(held.features), held.labels))
        since = 0 if error < best else since + 1
        if error < best:
            best, kept = error, _state(model)
        if since >= patience:
            break
    model.load_state_dict(kept)
    return model.eval()


def train_net(
    train: Ready,
    held: Ready,
    seed: int,
    seconds: float,
    checkpoint: Path,
    device: str = "cpu",
    patience: int = 6,
) -> PerturbNet:
    """The net: one cycle over the CPU time given, at most; goes on from a checkpoint, and stops early when
    the validation AUC has not risen for `patience` passes."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = PerturbNet().to(device)
    if checkpoint.is_file():
        model.load_state_dict(torch.load(checkpoint, weights_only=True, map_location=device))
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=0.01)
    began, best, kept, since = time.process_time(), 0.0, _state(model), 0
    while (spent := (time.process_time() - began) / seconds) < 1 and since < patience:
        model.train()
        losses = []
        pairs = rng.permutation(len(train.samples) // 2)  # both of a pair in one batch
        for some in np.array_split(pairs, max(1, len(pairs) // 16)):
            spent = min(1.0, (time.process_time() - began) / seconds)
            optimizer.param_groups[0]["lr"] = 1e-5 + 2e-3 * min(spent / 0.08, (1 - spent) / 0.92, 1.0)
            losses.append(
                _net_step(
                    model, optimizer, [train.samples[2 * int(i) + k] for i in some for k in (0, 1)], rng
                )
            )
            if spent >= 1:
                break
        score = _net_auc(model, held)
        since = 0 if score > best else since + 1
        if score > best:
            best, kept = score, _state(model)
            torch.save(kept, checkpoint)
        print(
            f"net: {spent:4.0%} of its time, loss {np.mean(losses):.3f}, validation AUC {score:.4f}",
            flush=True,
        )
    model.load_state_dict(kept)
    return model.cpu().eval()


def _net_step(
    model: PerturbNet, optimizer: torch.optim.Optimizer, chosen: Sequence[Sample], rng: np.random.Generator
) -> float:
    images, energies, labels = [], [], []
    for index, sample in enumerate(chosen):
        if index % 2 == 0:
            top, left = (int(rng.integers(0, (n - _CROP) // 4 + 1)) * 4 for n in sample.pixels.shape[:2])
            across, down, colours = rng.random(3) < (0.5, 0.5, 0.3)
        image = sample.pixels[top : top + _CROP, left : left + _CROP]
        energy = sample.energy[top // 4 : (top + _CROP) // 4, left // 4 : (left + _CROP) // 4]
        if across:
            image, energy = image[:, ::-1], energy[:, ::-1]
        if down:
            image, energy = image[::-1], energy[::-1]
        if colours:
            image = image[..., ::-1]
        images.append(_tensor(image))
        energies.append(torch.from_numpy(energy.copy()))
        labels.append(float(sample.perturbed))
    device = next(model.parameters()).device
    whole = planes(torch.stack(images).to(device))
    seen = model(whole, pyramid(whole))
    truth = torch.tensor(labels, device=device)
    where = (torch.stack(energies).to(device) > 1.5).float()
    loss = binary_cross_entropy_with_logits(seen.logit, truth)
    loss = loss + 0.4 * binary_cross_entropy_with_logits(seen.map, where)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 2.0)
    optimizer.step()
    return float(loss.detach())


def _net_auc(model: PerturbNet, held: Ready) -> float:
    model.eval()
    device = next(model.parameters()).device
    logits = []
    with torch.inference_mode():
        for sample in held.samples:
            whole = planes(_tensor(sample.pixels)[None].to(device))
            logits.append(float(model(whole, pyramid(whole)).logit[0]))
    return auc(np.array(logits), held.labels.numpy() > 0.5)


def _state(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def save(panel: Panel, path: Path) -> None:
    """fp16, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # counters of the batch norms are not used after training
    kept = {
        n: v.half().contiguous()
        for n, v in panel.state_dict().items()
        if not n.endswith("num_batches_tracked")
    }
    save_file(kept, path)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--pool", type=Path, default=DEFAULT_POOL)
    ask.add_argument("--cache", type=Path, required=True, help="folder for encoders, attacks and checkpoints")
    ask.add_argument("--out", type=Path, default=WEIGHTS)
    ask.add_argument("--device", default="cpu", help="for encoders, attacks and the net: cpu, or cuda")
    ask.add_argument("--seed", type=int, default=4)
    ask.add_argument("--samples", type=int, default=8000, help="training samples")
    ask.add_argument("--encoder-seconds", type=float, default=420)
    ask.add_argument("--net-seconds", type=float, default=1500)
    ask.add_argument(
        "--attacks", type=float, default=1.0, help="share of the attacks that each family states"
    )
    ask.add_argument("--pictures", type=int, default=1200, help="validation pictures that bounds are set on")
    ask.add_argument("--test", type=int, default=1200, help="clean test pictures; 0: no figures")
    given = ask.parse_args(arguments)
    torch.set_num_threads(1)
    panel = train(given)
    save(panel, given.out)
    print(f"{given.out}: {given.out.stat().st_size / 1e6:.2f} MB", flush=True)
    if given.test:
        panel = judged(given.out)
        found = figures(panel, given.pool, given.cache, given.seed, given.test)
        (given.cache / "figures.json").write_text(json.dumps(found, indent=1, ensure_ascii=False))
        print(as_markdown(found))


def train(given: argparse.Namespace) -> Panel:
    """Everything up to the bounds."""
    given.cache.mkdir(parents=True, exist_ok=True)
    bank = crops(given.pool, "train", max(600, given.samples // 4), SIDE, SIDE, given.seed)
    print(f"{len(bank)} training crops", flush=True)
    models = encoders(given.cache, bank, given.encoder_seconds, given.seed, device=given.device)
    attacks = computed(given.cache, bank, models, FAMILIES, given.seed, given.attacks)
    made = ready(list(samples(bank, attacks, TRAINED, given.samples, given.seed)))
    other = crops(given.pool, "validation", max(150, given.samples // 12), SIDE, SIDE, given.seed + 1)
    held = ready(list(samples(other, attacks, TRAINED, max(200, given.samples // 10), given.seed + 1)))
    print(f"{len(made.samples)} samples, {len(held.samples)} to validate", flush=True)
    panel = Panel().eval()
    panel.features = train_features(made, held, given.seed)
    with torch.inference_mode():
        score = auc(panel.features(held.features).numpy(), held.labels.numpy() > 0.5)
    print(f"features: validation AUC {score:.4f}", flush=True)
    panel.net = train_net(made, held, given.seed, given.net_seconds, given.cache / "net.pt", given.device)
    calibrated(panel, given.pool, attacks, TRAINED, given.pictures, given.seed)
    return panel
