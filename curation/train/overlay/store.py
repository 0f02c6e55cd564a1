"""OverlayNet's samples on disk: pairs, and what the text detector sees in each, since looking is dear.

Features are int8 with a scale for each plane. Every pair follows from the seed and its own number, so a store
that was cut goes on where it ended.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from rich.progress import track
from torch import Tensor

from curation.judges.overlay import pooled_heat
from curation.nets.overlay import HEADS, MASK_STRIDE, Inputs
from curation.ocr.detector import PLANES, Glance, detector
from curation.train.overlay.bank import Bank, only_for
from curation.train.overlay.samples import Sample, pair

#: Pixels a side of every sample.
SIDE = 320

#: Pairs by which the scales of the features are set.
_SCALED_BY = 24

#: Pairs after which a store that is cut goes on.
_EVERY = 100


@dataclass(frozen=True)
class Batch:
    """Samples as tensors: targets of HEADS and their weights (n, HEADS), masks (n, h / 8, w / 8) and
    theirs."""

    view: Inputs
    targets: Tensor
    weights: Tensor
    masks: Tensor
    mask_weights: Tensor


@dataclass(frozen=True)
class Store:
    """A store that is whole. Row 2 i is the marked one of pair i, row 2 i + 1 the clean one."""

    rows: dict[str, npt.NDArray[Any]]
    scales: Sequence[npt.NDArray[np.float32]]

    @property
    def pairs(self) -> int:
        return len(self.rows["pixels"]) // 2

    @classmethod
    def open(cls, folder: Path) -> Store:
        """Raises FileNotFoundError for a store that was not drawn to its end."""
        scales = json.loads((folder / "scales.json").read_text("utf-8"))
        if not (folder / "whole.json").is_file():
            raise FileNotFoundError(f"{folder} was not drawn to its end")
        rows = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _shapes(SIDE)}
        return cls(rows, [np.array(scale, np.float32) for scale in scales])

    def batch(self, pairs: Sequence[int]) -> Batch:
        """Both samples of each pair."""
        at = np.array([2 * number + k for number in sorted(pairs) for k in (0, 1)])
        pixels = _tensor(self.rows["pixels"][at]).permute(0, 3, 1, 2)
        features = [
            _tensor(self.rows[f"feature{k}"][at]).float() * _tensor(scale)[None, :, None, None]
            for k, scale in enumerate(self.scales)
        ]
        heat, masks = _tensor(self.rows["heat"][at]) / 255, _tensor(self.rows["mask"][at]).float()
        planes = [pixels.float() / 127.5 - 1, *features, heat]
        planes = [plane.contiguous(memory_format=torch.channels_last) for plane in planes]
        rest = [_tensor(self.rows[name][at]) for name in ("targets", "weights", "mask_weight")]
        return Batch(Inputs(*planes), rest[0], rest[1], masks, rest[2])


def draw_store(
    bank: Bank, folder: Path, pairs: int, seed: int, side: int = SIDE, whole: bool = False
) -> None:
    """Draw what of a store is not there yet; `whole` as in `samples.pair`. Raises ValueError for a folder
    that holds another store than is asked for."""
    only_for(folder, {"pairs": pairs, "seed": seed, "side": side, "whole": whole})
    if (folder / "whole.json").is_file():
        return
    scales = _scales(bank, seed, side)
    (folder / "scales.json").write_text(json.dumps([scale.tolist() for scale in scales]), "utf-8")
    done_file = folder / "done.json"
    done = json.loads(done_file.read_text("utf-8")) if done_file.is_file() else 0
    rows: dict[str, npt.NDArray[Any]] = {
        name: np.lib.format.open_memmap(
            folder / f"{name}.npy", "r+" if done else "w+", kind, (2 * pairs, *shape)
        )
        for name, (kind, shape) in _shapes(side).items()
    }
    for number in track(range(done, pairs), f"samples of {folder.name}"):
        for k, sample in enumerate(pair(bank, np.random.default_rng([seed, 7, number]), side, whole)):
            _put(rows, 2 * number + k, sample, scales)
        if (number + 1) % _EVERY == 0:
            for row in rows.values():
                row.flush()
            done_file.write_text(json.dumps(number + 1), "utf-8")
    for row in rows.values():
        row.flush()
    (folder / "whole.json").write_text(json.dumps({"pairs": pairs}), "utf-8")


def _shapes(side: int) -> dict[str, tuple[str, tuple[int, ...]]]:
    small = side // MASK_STRIDE
    features = {f"feature{k}": ("i1", (n, side // by, side // by)) for k, (n, by) in enumerate(PLANES)}
    return {
        "pixels": ("u1", (side, side, 3)),
        **features,
        "heat": ("u1", (2, small, small)),
        "mask": ("u1", (small, small)),
        "targets": ("f4", (len(HEADS),)),
        "weights": ("f4", (len(HEADS),)),
        "mask_weight": ("f4", ()),
    }


def _scales(bank: Bank, seed: int, side: int) -> list[npt.NDArray[np.float32]]:
    """For each plane of each feature, what one step of int8 stands for."""
    largest = [np.full(planes, 1e-3, np.float32) for planes, _ in PLANES]
    for number in range(_SCALED_BY):
        for sample in pair(bank, np.random.default_rng([seed, 8, number]), side):
            for known, feature in zip(largest, detector().glance(sample.pixels).features, strict=True):
                np.maximum(known, np.abs(feature).max((1, 2)), out=known)
    return [known / np.float32(127) for known in largest]


def _put(
    rows: dict[str, npt.NDArray[Any]], at: int, sample: Sample, scales: Sequence[npt.NDArray[np.float32]]
) -> None:
    glance: Glance = detector().glance(sample.pixels)
    for k, (feature, scale) in enumerate(zip(glance.features, scales, strict=True)):
        rows[f"feature{k}"][at] = np.clip(np.rint(feature / scale[:, None, None]), -127, 127)
    rows["heat"][at] = np.rint(pooled_heat(glance.heat) * 255)
    rows["pixels"][at], rows["mask"][at] = sample.pixels, sample.mask
    rows["targets"][at], rows["weights"][at] = sample.targets, sample.weights
    rows["mask_weight"][at] = sample.mask_weight


def _tensor(values: npt.NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values))
