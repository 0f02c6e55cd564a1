"""Bounds and figures of the perturbation detector, on whole pictures, through the annotator's own code."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from curation.judges.perturbation import judge, load_panel, places
from curation.nets.perturbation import Panel
from curation.nets.residuals import planes, pyramid, residual_features
from curation.train.perturbation.cloaks import PATTERNS, Rgb, lay
from curation.train.perturbation.computed import HELD_OUT, Encoders, Family, change_of, encoders
from curation.train.perturbation.perturbed import SIDE, Computed, crops, past, resized, way
from curation.train.textures import LOOKALIKES, OLD_ART, recoded

judged = load_panel

#: Noise and grain, whose false alarms have an aim of their own, as old art has.
GRAIN = ("film_grain", "high_iso", "plain_noise")

#: Noise that somebody added may be called possible: nobody can tell it from grain, nor from a faint cloak.
ADDED = "plain_noise"

#: Shares of false alarms on the validation pictures that the bounds stand at; `likely` also per group.
LIKELY, POSSIBLE, IN_GROUP = 0.003, 0.01, 0.007

COLUMNS: Mapping[str, Callable[[Rgb], Rgb]] = {
    "raw": lambda image: image,
    "JPEG 90": lambda image: recoded(image, "JPEG", 90),
    "JPEG 75": lambda image: recoded(image, "JPEG", 75),
    "half size": lambda image: resized(image, 0.5),
    "crop 10 %": lambda image: np.ascontiguousarray(
        image[image.shape[0] // 20 : -(image.shape[0] // 20), image.shape[1] // 20 : -(image.shape[1] // 20)]
    ),
}


def auc(scores: np.ndarray, positive: np.ndarray) -> float:
    """Mann-Whitney, ties counted half."""
    negatives = np.sort(scores[~positive])
    values = scores[positive]
    below = np.searchsorted(negatives, values, "left") + np.searchsorted(negatives, values, "right")
    return float(below.mean() / 2 / len(negatives))


def wilson(hits: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share (E. B. Wilson, JASA 22, 1927)."""
    if total == 0:
        return 0.0, 1.0
    z, share = 1.959964, hits / total
    middle, spread = (
        share + z * z / (2 * total),
        z * math.sqrt(share * (1 - share) / total + (z / (2 * total)) ** 2),
    )
    return (
        max(0.0, (middle - spread) / (1 + z * z / total)),
        min(1.0, (middle + spread) / (1 + z * z / total)),
    )


# --------------------------------------------------------------------------- bounds


def calibrated(
    panel: Panel, pool: Path, attacks: Computed, patterns: Sequence[str], count: int, seed: int
) -> None:
    """Set the panel's coefficients and bounds on `count` clean validation pictures, and half as many
    perturbed ones."""
    rng = np.random.default_rng([seed, 77])
    bank = crops(pool, "validation", max(60, count // 4), 2 * SIDE, 3 * SIDE, seed, each=3)
    rows, groups = [], []
    for image, group in _validation(rng, bank, attacks, patterns, count):
        rows.append(_terms(panel, way(rng, image)))
        groups.append(group)
    terms = torch.stack(rows)
    truth = torch.tensor([float(group == "perturbed") for group in groups])
    panel.get_buffer("cheap").copy_(_fitted(terms[:, :2], truth))
    panel.get_buffer("full").copy_(_fitted(terms, truth))
    cheap = _scores(terms[:, :2], panel.get_buffer("cheap"))
    full = _scores(terms, panel.get_buffer("full"))
    clean = np.array([group != "perturbed" for group in groups])
    counted = clean & np.array([group != ADDED for group in groups])
    possible = float(np.quantile(full[counted], 1 - POSSIBLE))
    likely = float(np.quantile(full[clean], 1 - LIKELY))
    for group in (GRAIN, OLD_ART):
        of = np.array([name in group for name in groups])
        likely = max(likely, float(np.quantile(full[of], 1 - IN_GROUP)))
    possible = min(possible, likely)
    none = float(np.quantile(cheap[~clean & (full >= possible)], 0.01))
    panel.get_buffer("bounds").copy_(torch.tensor([none, possible, likely]))
    share = float(np.mean(cheap[clean] < none))
    print(
        f"bounds: none {none:.3f}, possible {possible:.3f}, likely {likely:.3f}; "
        f"validation AUC {auc(full, ~clean):.4f} (statistics alone {auc(cheap, ~clean):.4f}); "
        f"{share:.0%} clear by statistics alone; perturbed: {np.mean(full[~clean] >= possible):.0%} possible",
        flush=True,
    )


def _validation(
    rng: np.random.Generator, bank: Sequence[Rgb], attacks: Computed, patterns: Sequence[str], count: int
) -> Iterator[tuple[Rgb, str]]:
    """Pictures and their group: "" for plain ones, the lookalike's name, or "perturbed"."""
    names = list(LOOKALIKES)
    weights = np.array([2.0 if name in (*GRAIN, *OLD_ART) else 1.0 for name in names])
    for index in range(count + count // 2):
        image = past(rng, bank[int(rng.integers(len(bank)))])
        if index >= count:
            yield _perturbed(rng, image, bank, attacks, patterns), "perturbed"
        elif index % 3 == 0:
            yield image, ""
        else:
            like = names[int(rng.choice(len(names), p=weights / weights.sum()))]
            yield LOOKALIKES[like](rng, image), like


def _perturbed(
    rng: np.random.Generator, image: Rgb, bank: Sequence[Rgb], attacks: Computed, patterns: Sequence[str]
) -> Rgb:
    """By a pattern, or by a mosaic of what one family of attacks computed."""
    if rng.random() < 0.4:
        family = patterns[int(rng.integers(len(patterns)))]
        field = PATTERNS[family](rng, *image.shape[:2], bank[int(rng.integers(len(bank)))])
        return lay(image, field, float(rng.choice([6, 8, 12, 16])), bool(rng.random() < 0.3))
    family = sorted(set(attacks.families))[int(rng.integers(len(set(attacks.families))))]
    of = [index for index, name in enumerate(attacks.families) if name == family]
    rows = [
        np.concatenate([attacks.changes[of[int(rng.integers(len(of)))]] for _ in range(3)], 1)
        for _ in range(2)
    ]
    change = np.concatenate(rows, 0).astype(np.float32)
    return np.clip(np.rint(image + change), 0, 255).astype(np.uint8)


def _terms(panel: Panel, image: Rgb) -> Tensor:
    """Mean and maximum over the tiles of both judges' logits, (4,)."""
    statistics, said = [], []
    with torch.inference_mode():
        for top, left, height, width in places(*image.shape[:2]):
            cut = image[top : top + height, left : left + width].transpose(2, 0, 1).copy()
            whole = planes(torch.from_numpy(cut)[None])
            bands = pyramid(whole)
            statistics.append(panel.features(residual_features(whole, bands))[0])
            said.append(panel.net(whole, bands).logit[0])
    both = [torch.stack(statistics), torch.stack(said)]
    return torch.stack([term for one in both for term in (one.mean(), one.max())]).clone()


def _fitted(terms: Tensor, truth: Tensor) -> Tensor:
    """Coefficients and constant of a logistic model with a small penalty, classes weighed alike."""
    weights = torch.zeros(terms.shape[1] + 1, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe")
    balance = torch.where(truth > 0.5, 0.5 / truth.mean(), 0.5 / (1 - truth.mean()))

    def closure() -> Tensor:
        optimizer.zero_grad()
        logits = terms @ weights[:-1] + weights[-1]
        loss = binary_cross_entropy_with_logits(logits, truth, balance) + 1e-3 * weights[:-1].square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)  # type: ignore[arg-type]
    return weights.detach()


def _scores(terms: Tensor, weights: Tensor) -> np.ndarray:
    return np.asarray(torch.sigmoid(terms @ weights[:-1] + weights[-1]).numpy())


# --------------------------------------------------------------------------- figures


def figures(
    panel: Panel, pool: Path, cache: Path, seed: int, count: int, each: int = 60, side: int = 288
) -> dict[str, Any]:
    """On the test split's pictures: recall of each held-out family by column, and the false alarms of each
    lookalike. `count` clean pictures, `each` of a family; the bounds are those of the weights."""
    rng = np.random.default_rng([seed, 99])
    bank = crops(pool, "test", max(count // 3, each), side, side, seed + 2, each=5)
    possible, likely = (float(bound) for bound in panel.get_buffer("bounds")[1:])
    clean = [past(rng, bank[int(rng.integers(len(bank)))]) for _ in range(count)]
    negatives = {name: _judged(panel, clean, view) for name, view in COLUMNS.items()}
    found: dict[str, Any] = {"possible": possible, "likely": likely, "families": {}, "false_alarms": {}}
    for name, images in _held_out(rng, bank, encoders(cache, bank, 1, seed), each):
        table = {}
        for column, view in COLUMNS.items():
            scores = _judged(panel, images, view)
            threshold = float(np.quantile(negatives[column], 0.99))
            table[column] = {
                "auc": auc(
                    np.r_[negatives[column], scores], np.r_[np.zeros(count), np.ones(len(scores))] > 0.5
                ),
                "recall at 1 %": _rate(scores > threshold),
                "possible": _rate(scores >= possible),
                "likely": _rate(scores >= likely),
            }
        found["families"][name] = table
        print(name, {column: round(row["recall at 1 %"][0], 2) for column, row in table.items()}, flush=True)
    for column, scores in negatives.items():
        found["false_alarms"][f"plain, {column}"] = _alarms(scores, possible, likely)
    for name, like in LOOKALIKES.items():
        images = [like(rng, clean[int(rng.integers(count))]) for _ in range(count // 8)]
        scores = np.r_[_judged(panel, images, COLUMNS["raw"]), _judged(panel, images, COLUMNS["JPEG 90"])]
        found["false_alarms"][name] = _alarms(scores, possible, likely)
        print(name, found["false_alarms"][name], flush=True)
    return found


def _judged(panel: Panel, images: Sequence[Rgb], view: Callable[[Rgb], Rgb]) -> np.ndarray:
    return np.array([judge(panel, view(image)).score for image in images])


def _rate(hits: np.ndarray) -> tuple[float, float, float, int]:
    return (float(hits.mean()), *wilson(int(hits.sum()), len(hits)), len(hits))


def _alarms(scores: np.ndarray, possible: float, likely: float) -> dict[str, Any]:
    return {"possible": _rate(scores >= possible), "likely": _rate(scores >= likely)}


def _held_out(
    rng: np.random.Generator, bank: Sequence[Rgb], models: Encoders, each: int
) -> Iterator[tuple[str, list[Rgb]]]:
    """Families that were never trained on, on pictures that were never trained on; and added noise, which is
    not to be told from grain."""
    for bound in (8.0, 16.0):
        images = []
        for _ in range(each):
            image = past(rng, bank[int(rng.integers(len(bank)))])
            field = PATTERNS["strokes"](rng, *image.shape[:2], image)
            images.append(lay(image, field, bound, bool(rng.random() < 0.3)))
        yield f"strokes {bound:.0f}", images
    for family in HELD_OUT:
        yield family.name, list(_attacks(rng, bank, models, family, each))
    noise = [np.clip(np.rint(bank[i] + rng.normal(0, 8, bank[i].shape)), 0, 255) for i in range(each)]
    yield "added noise", [image.astype(np.uint8) for image in noise]


def _attacks(
    rng: np.random.Generator, bank: Sequence[Rgb], models: Encoders, family: Family, each: int
) -> Iterator[Rgb]:
    for _ in range(0, each, 2):
        chosen = [past(rng, bank[int(rng.integers(len(bank)))]) for _ in range(2)]
        for image, change in zip(chosen, change_of(rng, chosen, bank, models, family), strict=True):
            yield np.clip(image.astype(np.int16) + change, 0, 255).astype(np.uint8)


def as_markdown(found: Mapping[str, Any]) -> str:
    """The figures as two tables for the model card."""
    columns = list(COLUMNS)
    lines = [
        f"| held-out family | AUC raw | {' | '.join(columns)} | likely, raw |",
        "|---" * (len(columns) + 3) + "|",
    ]
    for name, table in found["families"].items():
        cells = [_share(table[column]["recall at 1 %"]) for column in columns]
        last = _share(table["raw"]["likely"])
        lines.append(f"| {name} | {table['raw']['auc']:.3f} | {' | '.join(cells)} | {last} |")
    lines += ["", "| clean pictures | n | possible or likely | likely |", "|---|---|---|---|"]
    for name, alarms in found["false_alarms"].items():
        cells = [f"{_share(alarms[level], 1)}" for level in ("possible", "likely")]
        lines.append(f"| {name} | {alarms['likely'][3]} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _share(rate: Sequence[float], digits: int = 0) -> str:
    share, low, high = (100 * value for value in rate[:3])
    return f"{share:.{digits}f} % ({low:.{digits}f}-{high:.{digits}f})"
