"""Train KindNet: `python -m curation.train.kind --pool DIR`.

Makes samples (`curation.train.kind.samples`; kept in `--cache` for the next run), trains for at most
`--minutes` with the best epoch on the validation split kept, scales the logits so that probabilities hold on
that split, writes the weights and prints figures over both held-out splits. One thread: the machine may be
shared.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from rich.progress import track
from safetensors.torch import save_file
from torch import Tensor, nn

from curation.judges.kind import Judge, as_input
from curation.kind_features import measured
from curation.kinds import WEIGHTS
from curation.nets.kind import Judged, KindNet
from curation.train.kind.figures import figures
from curation.train.kind.samples import Samples, make
from curation.train.pictures import DEFAULT_POOL, Split
from curation.train.stock import Stock
from kyodaku.recipe.filters import FURNITURE

BATCH = 32


def main(arguments: list[str] | None = None) -> None:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m curation.train.kind", description=__doc__)
    parser.add_argument("--pool", type=Path, default=DEFAULT_POOL)
    parser.add_argument("--samples", type=int, default=6000, help="of the training split")
    parser.add_argument("--held-out", type=int, default=800, help="samples of each held-out split")
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--minutes", type=float, default=60.0, help="of training, at most")
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--cache", type=Path, help="folder that keeps samples")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument(
        "--figures", type=Path, help="write the figures of the weights at --out here; no training"
    )
    parser.add_argument("--go-on", type=Path, help="begin with these weights, in place of none")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    held_out = [
        samples(options.pool, split, options.held_out, options.seed, options.cache)
        for split in ("validation", "test")
    ]
    if not options.figures:
        train = samples(options.pool, "train", options.samples, options.seed, options.cache)
        net = Judge(options.go_on).loaded[0] if options.go_on else KindNet()
        if options.epochs:
            fit(net, train, held_out[0], options.epochs, options.minutes * 60, options.seed)
        said = fit_verdict(net, train, held_out[0])
        save(net, calibrated(said, held_out[0]), options.out)
    text = json.dumps(figures(options.pool, options.out, *held_out), indent=1)
    if options.figures:
        options.figures.write_text(text + "\n", encoding="utf-8")
    print(text)


def samples(pool: Path, split: Split, count: int, seed: int, cache: Path | None) -> Samples:
    """`count` samples of a split, from the cache if it has them."""
    path = cache / f"{split}-{seed}-{count}.npz" if cache else None
    if path and path.is_file():
        with np.load(path) as stored:
            parts = {field.name: stored[field.name] for field in fields(Samples)}
        return Samples(**{**parts, "origins": parts["origins"].tolist()})
    stock = Stock.of(pool, split)
    if not stock.sources:
        raise SystemExit(f"{pool} holds no pictures: python -m curation.train.pictures --pool {pool}")
    numbers = range(seed * 1_000_000, seed * 1_000_000 + count)
    made = make(stock, track(numbers, description=f"samples, {split}"))  # type: ignore[arg-type]
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = {field.name: np.asarray(getattr(made, field.name)) for field in fields(Samples)}
        np.savez(path, **kept)  # type: ignore[arg-type]
    return made


# --------------------------------------------------------------------------- training


def fit(net: KindNet, train: Samples, validation: Samples, epochs: int, seconds: float, seed: int) -> None:
    """Train with one cycle of the learning rate; the epoch with the least validation loss is kept. Stops
    when three epochs brought nothing or the time is up; the cycle knows neither."""
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.02)
    steps = epochs * -(-len(train) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps, pct_start=0.15)
    rng, start = np.random.default_rng(seed), time.monotonic()
    best, kept, idle = np.inf, {}, 0
    for epoch in range(epochs):
        net.train()
        total = 0.0
        for batch in batches(train, rng.permutation(len(train))):
            loss = loss_of(net, train, batch, rng)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(net.parameters(), 2.0)
            optimizer.step()
            schedule.step()
            total += float(loss.detach()) * len(batch)
        held_out = loss_over(net, validation)
        spent = time.monotonic() - start
        print(
            f"epoch {epoch + 1}/{epochs}: {total / len(train):.3f}, held out {held_out:.3f}, {spent:.0f} s",
            flush=True,
        )
        if held_out < best:
            best, idle = held_out, 0
            kept = {name: value.clone() for name, value in net.state_dict().items()}
        else:
            idle += 1
        if idle == 3 or spent * (epoch + 2) / (epoch + 1) > seconds:
            break
    net.load_state_dict(kept)
    net.eval()


def batches(samples: Samples, order: np.ndarray) -> Iterator[np.ndarray]:
    """Indices by BATCH; a last batch of one is left out, which batch statistics cannot use."""
    for at in range(0, len(order), BATCH):
        if len(order) - at > 1:
            yield order[at : at + BATCH]


def loss_of(net: KindNet, data: Samples, batch: np.ndarray, rng: np.random.Generator | None) -> Tensor:
    """Kinds by cross entropy, furniture and its masks by binary cross entropy. `rng` varies the light."""
    whole, close = inputs(data, batch)
    masks = torch.from_numpy(data.masks[batch]).float() / 255
    if rng is not None:
        whole, close = varied(whole, rng), varied(close, rng)
        if rng.random() < 0.5:
            whole, close, masks = whole.flip(3), close.flip(3), masks.flip(3)
    said: Judged = net(whole, close)
    kinds = torch.from_numpy(data.kinds[batch])
    smoothing = 0.05 if rng is not None else 0.0
    kind = nn.functional.cross_entropy(said.kinds, kinds, ignore_index=-1, label_smoothing=smoothing)
    there = torch.from_numpy(data.furniture[batch])
    furniture = nn.functional.binary_cross_entropy_with_logits(said.furniture, there)
    weight = 1 + 3 * masks
    mask = nn.functional.binary_cross_entropy_with_logits(said.mask, masks, weight=weight)
    return kind + furniture + mask


def varied(views: Tensor, rng: np.random.Generator) -> Tensor:
    """The same views with other gains, contrast and brightness, one draw a picture."""
    count = len(views)
    gains = torch.from_numpy(rng.uniform(0.85, 1.15, (count, 3, 1, 1)).astype(np.float32))
    lift = torch.from_numpy(rng.uniform(-0.12, 0.12, (count, 1, 1, 1)).astype(np.float32))
    changed = views * gains + lift
    grey = torch.from_numpy(rng.random((count, 1, 1, 1)) < 0.06)
    return torch.where(grey, changed.mean(1, keepdim=True).expand_as(changed), changed).clamp(-1.1, 1.1)


def inputs(data: Samples, batch: np.ndarray) -> tuple[Tensor, Tensor]:
    """Both views of a batch as the net takes them."""
    return as_input(torch.from_numpy(data.whole[batch])), as_input(torch.from_numpy(data.close[batch]))


def loss_over(net: KindNet, data: Samples) -> float:
    """The mean loss over all samples, without variation."""
    net.eval()
    with torch.inference_mode():
        parts = [
            (float(loss_of(net, data, batch, None)), len(batch))
            for batch in batches(data, np.arange(len(data)))
        ]
    return sum(loss * count for loss, count in parts) / max(1, sum(count for _, count in parts))


# --------------------------------------------------------------------------- the verdict


@dataclass(frozen=True)
class Said:
    """What the trained views say of all samples (logits), and the plain measurements of them."""

    kinds: Tensor
    furniture: Tensor
    measured: Tensor


def said_of(net: KindNet, data: Samples) -> Said:
    """See Said."""
    net.eval()
    kinds, furniture = [], []
    with torch.inference_mode():
        for at in range(0, len(data), BATCH):
            judged = net(*inputs(data, np.arange(at, min(len(data), at + BATCH))))
            kinds.append(judged.kinds)
            furniture.append(judged.furniture)
    plain = np.stack([measured(*views) for views in zip(data.whole, data.close, strict=True)])
    return Said(torch.cat(kinds).clone(), torch.cat(furniture).clone(), torch.from_numpy(plain))


def fit_verdict(net: KindNet, train: Samples, validation: Samples, epochs: int = 60) -> Said:
    """Train the verdict on what the views say; the epoch with the least validation loss is kept. What is
    returned is of the validation split."""
    seen, held_out = said_of(net, train), said_of(net, validation)
    verdict = net.judge
    verdict.mean.copy_(seen.measured.mean(0))
    verdict.spread.copy_(seen.measured.std(0) + 1e-3)
    labels, wanted = torch.from_numpy(train.kinds), torch.from_numpy(validation.kinds)
    optimizer = torch.optim.AdamW(verdict.parameters(), lr=2e-3, weight_decay=0.05)
    best, kept = np.inf, {}
    for _ in range(epochs):
        verdict.train()
        for batch in torch.randperm(len(labels)).split(64):
            logits = verdict(seen.kinds[batch], seen.measured[batch])
            loss = nn.functional.cross_entropy(logits, labels[batch], ignore_index=-1, label_smoothing=0.05)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
        verdict.eval()
        with torch.inference_mode():
            logits = verdict(held_out.kinds, held_out.measured)
            held = float(nn.functional.cross_entropy(logits, wanted, ignore_index=-1))
        if held < best:
            best, kept = held, {name: value.clone() for name, value in verdict.state_dict().items()}
    verdict.load_state_dict(kept)
    print(f"verdict: held out {best:.3f}", flush=True)
    return Said(verdict(held_out.kinds, held_out.measured).detach(), held_out.furniture, held_out.measured)


# --------------------------------------------------------------------------- what is written


def calibrated(said: Said, validation: Samples) -> dict[str, float]:
    """The temperature by which kinds' logits are divided, so that probabilities hold on the validation split
    (Guo et al., ICML 2017), and of each piece of furniture the logit that 1 % of pictures without it pass."""
    labels = torch.from_numpy(validation.kinds)
    by_kind = {
        scale: float(nn.functional.cross_entropy(said.kinds / scale, labels, ignore_index=-1))
        for scale in map(float, np.arange(0.4, 4.01, 0.1))
    }
    scales = {"kind_temperature": min(by_kind, key=by_kind.__getitem__)}
    for at, name in enumerate(FURNITURE):
        without = said.furniture[:, at].numpy()[validation.furniture[:, at] < 0.5]
        scales[f"bound_{name}"] = float(np.percentile(without, 99))
    return scales


def save(net: KindNet, scales: dict[str, float], path: Path) -> None:
    """float16 safetensors, with the temperatures as metadata."""
    tensors = {
        name: value.contiguous().half() if value.is_floating_point() else value.contiguous()
        for name, value in net.state_dict().items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path, {name: f"{value:.3f}" for name, value in scales.items()})
