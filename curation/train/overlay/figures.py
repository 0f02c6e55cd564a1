"""OverlayNet's thresholds, found on the validation split, and then its figures on the test split.

Pictures are looked at whole, as the annotator does. Marks of the test are written in fonts, and laid on
pictures, that training did not see; the families of UNSEEN were never trained on.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from rich.console import Console
from rich.progress import track

from curation.annotators.base import Picture
from curation.judges.overlay import Bounds, Look, Watcher, load_watcher
from curation.train.overlay.bank import KINDS_WANTED, pen
from curation.train.overlay.blending import Colours, any_ink, laid, sent
from curation.train.overlay.layouts import HELD_OUT, TRAINED, Layout, centred, logo_tiles, notice, tiled_text
from curation.train.overlay.lookalikes import LOOKALIKES
from curation.train.overlay.marks import Pen
from curation.train.pictures import Split, load, sources
from kyodaku.safedecode import Decoded

#: The longer side of the pictures looked at, in pixels.
SIDE = 1024

STRENGTHS: Mapping[str, tuple[float, float]] = {
    "strong": (0.35, 0.65),
    "medium": (0.18, 0.35),
    "faint": (0.08, 0.18),
}

#: Families never trained on: the layout, and whether it is embossed or in Korean.
UNSEEN: Mapping[str, tuple[Layout, ...]] = {
    **{layout.__name__: (layout,) for layout in HELD_OUT},
    "emboss": (centred, tiled_text, logo_tiles),
    "korean": (centred, notice, logo_tiles),
}


@dataclass(frozen=True)
class Counts:
    """How many: clean pictures, look-alikes of each kind, marks of each family and strength."""

    clean: int = 900
    lookalikes: int = 30
    marks: int = 50
    trained: int = 150

    def scaled(self, share: float) -> Counts:
        """That share of all, at least two of each."""
        return Counts(*(max(2, round(count * share)) for count in vars(self).values()))


def calibrated(watcher: Watcher, clean: Sequence[Picture]) -> Bounds:
    """Bounds from clean pictures: a fifth of them get tiles, 1 % score 0.8 or more, 5 % 0.5 or more."""
    first = np.array([look.logits[0] for look in _looks(watcher, clean, tiles=False)])
    clear, sure = (float(np.quantile(first, share)) for share in (0.8, 0.998))
    watcher.bounds = Bounds(clear, 0.0, 1.0, sure)
    final = np.array([look.logits[0] for look in _looks(watcher, clean)])
    possible, likely = (float(np.quantile(final, share)) for share in (0.95, 0.99))
    return Bounds(clear, possible, max(likely, possible + 0.1), max(sure, likely))


def measured(pool: Path, weights: Path, folder: Path, seed: int, console: Console, counts: Counts) -> None:
    """Find the bounds, write them into the weights, and write `figures.json` into the folder."""
    from safetensors.torch import load_file, save_file

    watcher = load_watcher(weights, Bounds(-2.0, 0.0, 2.0, 4.0))
    fewer = replace(counts, lookalikes=max(1, counts.lookalikes // 3))
    clean = [picture for _, picture in negatives(pool, "validation", seed, fewer)]
    watcher.bounds = bounds = calibrated(watcher, list(clean))
    values = torch.tensor([bounds.clear, bounds.possible, bounds.likely, bounds.sure])
    save_file({**load_file(weights), "bounds": values}, weights)
    console.print(f"bounds {bounds} from {len(clean)} clean pictures of the validation split")
    figures = on_test(watcher, pool, seed, counts)
    (folder / "figures.json").write_text(json.dumps(figures, indent=1), "utf-8")
    console.print_json(data=figures)


def on_test(watcher: Watcher, pool: Path, seed: int, counts: Counts) -> dict[str, Any]:
    """AUC, recall and false alarms on the test split, with the bounds as they are."""
    clean: dict[str, list[float]] = {}
    tiled = 0
    for kind, picture in track(negatives(pool, "test", seed, counts), "test negatives"):
        look = watcher.look([picture])[0]
        clean.setdefault(kind, []).append(float(look.logits[0]))
        tiled += look.views > 1
    everything = np.concatenate([np.array(found) for found in clean.values()])
    likely = watcher.bounds.likely
    rows: dict[str, Any] = {}
    for name, strength, picture in track(positives(pool, seed, counts), "test marks"):
        logit = float(watcher.look([picture])[0].logits[0])
        rows.setdefault(name, {}).setdefault(strength, []).append(logit)
    return {
        "bounds": vars(watcher.bounds),
        "negatives": len(everything),
        "with_tiles": tiled / len(everything),
        "false_alarms": {"all": share(everything >= likely)}
        | {kind: share(np.array(found) >= likely) for kind, found in sorted(clean.items())},
        "marks": {
            name: {
                strength: {
                    "auc": _auc(np.array(logits), everything),
                    "recall": share(np.array(logits) >= likely),
                }
                for strength, logits in by_strength.items()
            }
            for name, by_strength in rows.items()
        },
    }


def share(hits: npt.NDArray[np.bool_]) -> list[float]:
    """The share of hits, its Wilson interval at 95 %, and of how many."""
    n, p, z = len(hits), float(hits.mean()), 1.96
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    reach = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return [round(p, 4), round(max(0.0, middle - reach), 4), round(min(1.0, middle + reach), 4), n]


def _auc(marked: npt.NDArray[np.floating], clean: npt.NDArray[np.floating]) -> float:
    from curation.train.overlay.training import area_under_curve

    truths = np.array([True] * len(marked) + [False] * len(clean))
    return round(area_under_curve(np.concatenate([marked, clean]), truths), 4)


# --------------------------------------------------------------------------- pictures


def negatives(pool: Path, split: Split, seed: int, counts: Counts) -> Iterator[tuple[str, Picture]]:
    """Clean pictures by kind, each file once, then look-alikes by name; as the web would send them."""
    rng = np.random.default_rng([seed, 21, len(split)])
    for kind, pixels in clean_pictures(pool, split, rng, counts.clean):
        yield kind, picture_of(sent(pixels, rng))
    writer = pen(rng, pool, split)
    for name, (draw, _) in LOOKALIKES.items():
        for _, under in clean_pictures(pool, split, rng, counts.lookalikes):
            yield name, picture_of(sent(draw(writer, under), rng))


def positives(pool: Path, seed: int, counts: Counts) -> Iterator[tuple[str, str, Picture]]:
    """Marked pictures of the test split: family, strength, picture."""
    rng = np.random.default_rng([seed, 22])
    writer = pen(rng, pool, "test")
    korean = Pen(rng, writer.faces, ("korean",), writer.shapes)
    layouts = list(TRAINED)
    for strength, opacity in STRENGTHS.items():
        for number, (_, pixels) in enumerate(clean_pictures(pool, "test", rng, counts.trained)):
            yield (
                "trained layouts",
                strength,
                _marked(layouts[number % len(layouts)], writer, pixels, opacity),
            )
        for family, made_by in UNSEEN.items():
            by = korean if family == "korean" else writer
            for number, (_, pixels) in enumerate(clean_pictures(pool, "test", rng, counts.marks)):
                layout = made_by[number % len(made_by)]
                yield family, strength, _marked(layout, by, pixels, opacity, family == "emboss")


def clean_pictures(
    pool: Path, split: Split, rng: np.random.Generator, count: int
) -> Iterator[tuple[str, Colours]]:
    """Pictures of a split, at most SIDE long, kinds in the shares of training while there are files left."""
    groups = {
        kind: list(rng.permutation([str(i) for i, s in enumerate(found) if s.kind == kind]))
        for found in [sources(pool, split)]
        for kind in KINDS_WANTED
    }
    found = sources(pool, split)
    made = 0
    while made < count and any(groups.values()):
        kinds = [kind for kind in KINDS_WANTED if groups[kind]]
        weights = np.array([KINDS_WANTED[kind] for kind in kinds])
        kind = kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))]
        picture = load(found[int(groups[kind].pop())], SIDE)
        if picture is None or min(picture.pixels.shape[:2]) < 200:
            continue
        made += 1
        yield kind, picture.pixels


def _marked(
    layout: Layout, writer: Pen, pixels: Colours, opacity: tuple[float, float], embossed: bool = False
) -> Picture:
    stamp = layout(writer, (pixels.shape[0], pixels.shape[1]))
    ink = any_ink(writer.rng, opacity, ("emboss",)) if embossed else any_ink(writer.rng, opacity)
    return picture_of(sent(laid(pixels, stamp, ink), writer.rng))


def picture_of(pixels: Colours) -> Picture:
    """A decoded picture of these pixels."""
    height, width = pixels.shape[:2]
    pixels = np.asarray(Image.fromarray(pixels))
    return Picture(b"", Decoded("png", "RGB", width, height, 1, 1, False, "", "", "", 0, pixels=pixels))


def _looks(watcher: Watcher, pictures: Sequence[Picture], tiles: bool = True) -> Iterator[Look]:
    for picture in track(pictures, "validation"):
        yield watcher.look([picture], tiles)[0]
