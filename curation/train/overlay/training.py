"""`python -m curation.train.overlay`: draw bank and samples, train OverlayNet, set its bounds, measure it.

Repeatable: everything follows from `--seed`; a run that was cut goes on from its checkpoint. Two hours on
two cores are enough (`--minutes` bounds the training). Writes `curation/models/overlay.safetensors` and the
figures for its card.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import torch
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

from curation.nets.overlay import HEADS, OverlayNet, Seen
from curation.train.overlay.bank import Bank, draw_bank
from curation.train.overlay.store import Batch, Store, draw_store
from curation.train.pictures import DEFAULT_POOL, SPLITS, Split

#: Where the weights are shipped.
WEIGHTS = Path(__file__).parents[2] / "models" / "overlay.safetensors"

#: The samples that are drawn: of which split, how many pairs, and whether they are seen whole.
STORES: Mapping[str, tuple[Split, int, bool]] = {
    "windows": ("train", 13000, False),
    "whole": ("train", 5000, True),
    "validation": ("validation", 300, True),
}

#: From this share of the way on three of four batches are seen whole.
_LATE = 0.5


@dataclass(frozen=True)
class Plan:
    """How to train: `batch` pairs a step. Whichever of `steps` and `minutes` ends first sets the way."""

    steps: int = 7000
    batch: int = 8
    rate: float = 2e-3
    seed: int = 0
    minutes: float = 60.0
    every: int = 400
    patience: int = 6

    def way(self, step: int, seconds: float) -> float:
        """How much of the training is done, 0 to 1."""
        return min(1.0, max(step / self.steps, seconds / (60 * self.minutes)))


def loss_of(seen: Seen, batch: Batch) -> Tensor:
    """Binary cross-entropy of the heads (any mark counts most) and of the mask, known targets only."""
    heads = torch.tensor([1.0, *[0.2] * (len(HEADS) - 2), 0.3])
    entropy = nn.functional.binary_cross_entropy_with_logits(
        seen.logits.float(), batch.targets, reduction="none"
    )
    image = (entropy * batch.weights * heads).sum() / (batch.weights[:, 0].sum() + 1)
    dense = nn.functional.binary_cross_entropy_with_logits(
        seen.mask.float(), batch.masks, reduction="none", pos_weight=torch.tensor(2.0)
    )
    covered = (dense.mean((1, 2)) * batch.mask_weights).mean()
    return image + 2.0 * covered


class Training:
    """A training that can be stopped after any step and taken up again from `checkpoint`."""

    def __init__(self, plan: Plan, checkpoint: Path | None = None) -> None:
        torch.manual_seed(plan.seed)
        self.plan, self.checkpoint = plan, checkpoint
        self.net = OverlayNet().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.smooth = deepcopy(self.net).eval()
        self.optimizer = torch.optim.AdamW(self.net.parameters(), plan.rate, weight_decay=0.05)
        self.step, self.best, self.since_best, self.seconds = 0, -1.0, 0, 0.0
        self.history: list[dict[str, float]] = []
        self.best_state = deepcopy(self.smooth.state_dict())
        if checkpoint is not None and checkpoint.is_file():
            self._take_up(checkpoint)

    def one_step(self, batch: Batch) -> float:
        """One step of gradient descent; the loss before it."""
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate()
        self.net.train()
        torch.manual_seed(1_000_003 * self.plan.seed + self.step)  # what is dropped hangs on the step alone
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16):
            seen = self.net(batch.view)
        loss = loss_of(seen, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.net.parameters(), 2.0)
        self.optimizer.step()
        self.step += 1
        self._follow()
        return float(loss.detach())

    def _rate(self) -> float:
        """A short warm-up, then half a cosine down to a hundredth."""
        warm = min(1.0, (self.step + 1) / 100)
        way = self.plan.way(self.step, self.seconds)
        return self.plan.rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * way)))

    def _follow(self) -> None:
        """Let the smoothed weights follow (Polyak averaging)."""
        keep = min(0.995, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for mine, theirs in zip(
                self.smooth.state_dict().values(), self.net.state_dict().values(), strict=True
            ):
                if mine.dtype.is_floating_point:
                    mine.lerp_(theirs, 1 - keep)
                else:
                    mine.copy_(theirs)

    def judge(self, score: float) -> bool:
        """Note a validation score; False once `patience` of them brought nothing better."""
        self.history.append({"step": self.step, "validation_auc": score})
        if score > self.best:
            self.best, self.since_best = score, 0
            self.best_state = deepcopy(self.smooth.state_dict())
        else:
            self.since_best += 1
        return self.since_best < self.plan.patience

    def save(self) -> None:
        """Write the checkpoint, whole or not at all."""
        if self.checkpoint is None:
            return
        fresh = self.checkpoint.with_suffix(".new")
        names = ("step", "best", "since_best", "seconds", "history", "best_state")
        state = {name: getattr(self, name) for name in names}
        state |= {name: getattr(self, name).state_dict() for name in ("net", "smooth", "optimizer")}
        torch.save(state, fresh)
        fresh.replace(self.checkpoint)

    def _take_up(self, checkpoint: Path) -> None:
        state = torch.load(checkpoint, weights_only=True)
        for name in ("net", "smooth", "optimizer"):
            getattr(self, name).load_state_dict(state.pop(name))
        for name, value in state.items():
            setattr(self, name, value)


def make_batch(windows: Store, whole: Store, plan: Plan, step: int, way: float) -> Batch:
    """The batch of a step at a share of the way: windows first, then mostly whole pictures."""
    return batch_of(windows if way < _LATE or step % 4 == 0 else whole, plan, step)


def batch_of(store: Store, plan: Plan, step: int) -> Batch:
    """The batch of a step, the same for the same seed whatever was before: every pair once a pass."""
    steps = max(1, store.pairs // plan.batch)
    turn, place = divmod(step, steps)
    order = np.random.default_rng([plan.seed, 9, turn]).permutation(store.pairs)
    return store.batch(order[place * plan.batch : (place + 1) * plan.batch].tolist())


def validate(net: OverlayNet, store: Store) -> float:
    """AUC of `mark` over those samples for which it is known."""
    net.eval()
    scores, truths = [], []
    for start in range(0, store.pairs, 8):
        batch = store.batch(range(start, min(start + 8, store.pairs)))
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            logits = net(batch.view).logits[:, 0].float().numpy()
        known = batch.weights[:, 0].numpy() > 0
        scores.append(logits[known])
        truths.append(batch.targets[:, 0].numpy()[known])
    return area_under_curve(np.concatenate(scores), np.concatenate(truths) > 0.5)


def area_under_curve(scores: npt.NDArray[np.floating], truths: npt.NDArray[np.bool_]) -> float:
    """The share of pairs in which the true one scores higher; ties count half."""
    from scipy.stats import rankdata

    ranks = rankdata(scores)
    positive, negative = int(truths.sum()), int((~truths).sum())
    if not positive or not negative:
        raise ValueError("an AUC needs both kinds")
    return float((ranks[truths].sum() - positive * (positive + 1) / 2) / (positive * negative))


def train(plan: Plan, folder: Path, console: Console) -> Training:
    """Train until the steps, the minutes or the patience are used up, or go on where a run was cut."""
    windows, whole, checks = (Store.open(folder / "samples" / name) for name in STORES)
    training = Training(plan, folder / "checkpoint.pt")
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("training", total=plan.steps, completed=training.step)
        mean = 0.0
        while training.step < plan.steps and training.seconds < plan.minutes * 60:
            started = time.monotonic()
            way = plan.way(training.step, training.seconds)
            loss = training.one_step(make_batch(windows, whole, plan, training.step, way))
            mean = loss if not mean else 0.97 * mean + 0.03 * loss
            training.seconds += time.monotonic() - started
            progress.update(task, completed=training.step, description=f"loss {mean:.3f}")
            if training.step % plan.every == 0 or training.step == plan.steps:
                score = validate(training.smooth, checks)
                console.print(
                    f"step {training.step}: loss {mean:.4f}, AUC {score:.4f}, {training.seconds:.0f} s"
                )
                going = training.judge(score)
                training.save()
                if not going:
                    break
    if training.step % plan.every:
        training.judge(validate(training.smooth, checks))
        training.save()
    return training


def write_weights(state: dict[str, Tensor], path: Path = WEIGHTS) -> None:
    """float16 safetensors; batch statistics too."""
    from safetensors.torch import save_file

    half = {name: (t.half() if t.dtype.is_floating_point else t).contiguous() for name, t in state.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(half, path)


def main(
    pool: Annotated[
        Path, typer.Option(help="unpacked Debian packages (curation.train.pictures)")
    ] = DEFAULT_POOL,
    folder: Annotated[Path, typer.Option(help="bank, samples (16 GB) and checkpoint")] = Path("runs/overlay"),
    seed: int = 0,
    steps: int = Plan.steps,
    minutes: Annotated[float, typer.Option(help="longest training")] = Plan.minutes,
    weights: Annotated[Path, typer.Option(help="where the weights go")] = WEIGHTS,
    measure: Annotated[float, typer.Option(help="share of the pictures measured on; 0: none")] = 1.0,
) -> None:
    """Draw the bank, train, write weights and figures."""
    console = Console()
    torch.set_num_threads(1)
    for split in SPLITS:
        draw_bank(pool, folder / "bank" / split, split, seed)
    for name, (part, pairs, whole) in STORES.items():
        bank = Bank.open(folder / "bank" / part)
        draw_store(bank, folder / "samples" / name, pairs, seed, whole=whole)
    plan = Plan(seed=seed, steps=steps, minutes=minutes)
    training = train(plan, folder, console)
    write_weights(training.best_state, weights)
    facts: dict[str, Any] = {
        "seed": seed, "steps": training.step, "minutes": round(training.seconds / 60, 1),
        "validation_auc": training.best, "history": training.history,
    }  # fmt: skip
    (folder / "training.json").write_text(json.dumps(facts, indent=1), "utf-8")
    if measure:
        from curation.train.overlay.figures import Counts, measured

        measured(pool, weights, folder, seed, console, Counts().scaled(measure))
