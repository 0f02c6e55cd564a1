"""`python -m curation.train.hangul`: draw lines, train HangulNet, measure it on fonts and pictures held out.

Repeatable: everything follows from `--seed` and `--steps`. Half an hour on one core. Writes
`curation/models/hangul.safetensors` and prints the figures of its card.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from rich.console import Console
from rich.progress import track
from torch import Tensor, nn

from curation.nets.hangul import BLANK, STEP, HangulNet
from curation.train.hangul.lines import Line, faces, line
from curation.train.overlay.bank import Bank, draw_bank
from curation.train.overlay.training import write_weights
from curation.train.pictures import DEFAULT_POOL, Split

WEIGHTS = Path(__file__).parents[2] / "models" / "hangul.safetensors"

#: Lines of a step.
BATCH = 24

#: Steps between two looks at the validation lines, and looks without gain after which it ends.
EVERY, PATIENCE = 500, 6


def drawn(bank: Bank, pool: Path, split: Split, seed: Sequence[int], count: int) -> list[Line]:
    """So many lines, the same for the same seed."""
    rng, fonts = np.random.default_rng(list(seed)), faces(pool, split)
    return [line(rng, fonts, bank.backgrounds) for _ in range(count)]


def tensor(lines: Sequence[Line]) -> Tensor:
    """float32 (n, 3, 48, w) in [-1, 1]."""
    pixels = torch.from_numpy(np.stack([one.pixels for one in lines])).permute(0, 3, 1, 2)
    return pixels.to(torch.float32, memory_format=torch.channels_last) / 127.5 - 1


def middles(lines: Sequence[Line]) -> Tensor:
    """int64 (n, w / 8): the class of the sign whose middle stands at each step, BLANK elsewhere."""
    found = torch.full((len(lines), lines[0].pixels.shape[1] // STEP), BLANK)
    for row, one in zip(found, lines, strict=True):
        for sign, middle in zip(one.classes, one.middles, strict=True):
            row[min(len(row) - 1, max(0, int(middle / STEP)))] = sign
    return found


def step(net: HangulNet, optimizer: torch.optim.Optimizer, lines: Sequence[Line]) -> float:
    """One step of gradient descent; the loss before it: which sign has its middle at each step of the line,
    if any, and the whole line by connectionist temporal classification, which alone takes far longer."""
    net.train()
    with torch.autocast("cpu", torch.bfloat16):
        logits = net(tensor(lines))
    places = nn.functional.cross_entropy(
        logits.float().flatten(0, 1),
        middles(lines).flatten(),
        torch.tensor([0.3, *[1.0] * (logits.shape[2] - 1)]),
    )
    chances = logits.float().log_softmax(2).transpose(0, 1)
    targets = torch.tensor([one for each in lines for one in each.classes])
    lengths = torch.tensor([len(each.classes) for each in lines])
    steps = torch.full((len(lines),), lines[0].pixels.shape[1] // STEP)
    whole = nn.functional.ctc_loss(chances, targets, steps, lengths, BLANK, zero_infinity=True)
    loss = places + 0.2 * whole
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(net.parameters(), 5.0)
    optimizer.step()
    return float(loss.detach())


def right(net: HangulNet, lines: Sequence[Line]) -> float:
    """The share of lines that are read without a fault."""
    net.eval()
    hits = 0
    for start in range(0, len(lines), 32):
        some = lines[start : start + 32]
        with torch.inference_mode():
            best = net(tensor(some)).argmax(2).numpy()
        for row, one in zip(best, some, strict=True):
            kept = [int(k) for at, k in enumerate(row) if k != BLANK and (at == 0 or row[at - 1] != k)]
            hits += tuple(kept) == one.classes
    return hits / len(lines)


def main(
    pool: Annotated[
        Path, typer.Option(help="unpacked Debian packages (curation.train.pictures)")
    ] = DEFAULT_POOL,
    folder: Annotated[Path, typer.Option(help="the bank that curation.train.overlay draws")] = Path(
        "runs/overlay"
    ),
    seed: int = 0,
    steps: int = 6000,
    weights: Annotated[Path, typer.Option(help="where the weights go")] = WEIGHTS,
) -> None:
    """Train, write the weights, print the figures."""
    console = Console()
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    banks = {}
    for split in ("train", "validation", "test"):
        draw_bank(pool, folder / "bank" / split, split, 0)
        banks[split] = Bank.open(folder / "bank" / split)
    held = drawn(banks["validation"], pool, "validation", [seed, 1], 384)
    net = HangulNet().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps, pct_start=0.05)
    best, state, since, mean = -1.0, net.state_dict(), 0, 0.0
    for number in track(range(steps), "training", console=console):
        loss = step(net, optimizer, drawn(banks["train"], pool, "train", [seed, 2, number], BATCH))
        schedule.step()
        mean = 0.98 * mean + 0.02 * loss if number else loss
        if (number + 1) % EVERY == 0:
            score = right(net, held)
            console.print(
                f"step {number + 1}: loss {mean:.3f}, {score:.1%} of validation lines without a fault"
            )
            since = 0 if score > best else since + 1
            if score > best:
                best, state = score, {name: value.clone() for name, value in net.state_dict().items()}
                write_weights(state, weights)
            if since == PATIENCE:
                break
    net.load_state_dict(state)
    console.print(
        f"validation {best:.3f}; test {right(net, drawn(banks['test'], pool, 'test', [seed, 3], 600)):.3f}"
    )
