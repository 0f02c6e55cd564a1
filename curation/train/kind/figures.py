"""How well KindNet tells kinds and furniture, on pictures it was not trained on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from curation.annotators.kind import kind_of
from curation.judges.kind import Judge, as_input
from curation.kind_features import measured
from curation.kinds import CLASSES, LEAST, SMALL, Judgement, unevenness
from curation.train.kind.samples import Samples
from curation.train.pictures import load, shrink, sources
from kyodaku.recipe.filters import FURNITURE, KINDS

#: The confidence that recipes ask for by default.
CONFIDENCE = 0.8

#: Of each kind, at most so many whole files of the test split are judged as they are.
FILES = 25


def figures(pool: Path, weights: Path, validation: Samples, test: Samples) -> dict[str, Any]:
    """By split the figures over samples, and over whole files of the test split as they are."""
    judge = Judge(weights)
    said = {
        name: over_samples(judge, held_out) for name, held_out in (("validation", validation), ("test", test))
    }
    return {**said, "files": over_files(judge, pool)}


def over_samples(judge: Judge, samples: Samples) -> dict[str, Any]:
    """Kinds and furniture over samples."""
    judged = list(_judged(judge, samples))
    truth = [CLASSES[kind] if kind >= 0 else "" for kind in samples.kinds]
    names = [_named(one) for one in judged]
    scores = np.array([one.furniture for one in judged])
    return {
        "kinds": by_kind(truth, names),
        "confused": confused(truth, names),
        "furniture": {
            name: furniture_row(scores[:, at], samples.furniture[:, at] > 0.5)
            for at, name in enumerate(FURNITURE)
        },
    }


def over_files(judge: Judge, pool: Path) -> dict[str, Any]:
    """Kinds over files of the test split, whole and at most 1,600 px long, by package."""
    truth, names, packages = [], [], []
    for kind in KINDS:
        files = [source for source in sources(pool, "test") if source.kind == kind][::1]
        step = max(1, len(files) // FILES)
        for source in files[::step]:
            picture = load(source, 1600)
            if picture is None or min(picture.pixels.shape[:2]) < LEAST:
                continue
            uneven = unevenness(shrink(Image.fromarray(picture.pixels), SMALL))
            names.append(kind_of(uneven, judge.look([picture.pixels])[0]))
            truth.append(kind)
            packages.append(source.name.split(":")[0])
    rows = by_kind(truth, names)
    for package in sorted(set(packages)):
        here = [at for at, one in enumerate(packages) if one == package]
        rows[package] = by_kind([truth[at] for at in here], [names[at] for at in here])
    return {"kinds": rows, "confused": confused(truth, names)}


def _judged(judge: Judge, samples: Samples) -> Iterator[Judgement]:
    net, scales = judge.loaded
    with torch.inference_mode():
        for at in range(0, len(samples), 32):
            both = [view[at : at + 32] for view in (samples.whole, samples.close)]
            whole, close = (as_input(torch.from_numpy(view)) for view in both)
            plain = torch.from_numpy(np.stack([measured(*pair) for pair in zip(*both, strict=True)]))
            yield from judge.judgements(net(whole, close, plain), scales)


def _named(judged: Judgement) -> tuple[str, float]:
    """The net's own word on a sample, whose picture is gone: the measure for blank ones is not asked."""
    best = int(judged.kinds.argmax())
    return CLASSES[best], float(judged.kinds[best])


def by_kind(truth: Sequence[str], names: Sequence[tuple[str, float]]) -> dict[str, Any]:
    """Of each kind: how many there are, how many are called so at CONFIDENCE (`recall`) or at all
    (`recall_any`), how many calls at CONFIDENCE are right (`precision`)."""
    rows: dict[str, Any] = {}
    for kind in (*KINDS, "other"):
        are = [one == kind for one in truth]
        called = [name == kind and sure >= CONFIDENCE for name, sure in names]
        any_ = [name == kind for name, _ in names]
        said = [call for call, there in zip(called, truth, strict=True) if there]
        right = sum(a and c for a, c in zip(are, called, strict=True))
        if sum(are):
            rows[kind] = {
                "count": sum(are),
                "recall": _share(right, sum(are)),
                "recall_any": _share(sum(a and c for a, c in zip(are, any_, strict=True)), sum(are)),
                "precision": _share(right, sum(said)),
            }
    return rows


def confused(truth: Sequence[str], names: Sequence[tuple[str, float]]) -> Mapping[str, Mapping[str, int]]:
    """What pictures of each kind were called at CONFIDENCE; `unknown` below."""
    table: dict[str, dict[str, int]] = {}
    for kind, (name, sure) in zip(truth, names, strict=True):
        if kind:
            row = table.setdefault(kind, {})
            called = name if sure >= CONFIDENCE and name in KINDS else "unknown"
            row[called] = row.get(called, 0) + 1
    return table


def furniture_row(scores: npt.NDArray[np.floating], there: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """Recall and false alarms at CONFIDENCE, and the area under the ROC curve."""
    hits, alarms = int((scores[there] >= CONFIDENCE).sum()), int((scores[~there] >= CONFIDENCE).sum())
    order = np.argsort(np.argsort(scores)) + 1.0
    many, few = int(there.sum()), int((~there).sum())
    area = (order[there].sum() - many * (many + 1) / 2) / max(1, many * few)
    return {
        "count": many,
        "recall": _share(hits, many),
        "false_alarms": _share(alarms, few),
        "negatives": few,
        "auc": round(float(area), 4),
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
