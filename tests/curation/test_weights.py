"""Shipped weights: a file that lacks a part is refused, for what stays random sees nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from curation.annotators import overlay, perturbation
from curation.judges.kind import Judge
from curation.judges.overlay import load_watcher
from curation.judges.perturbation import load_panel
from curation.kinds import WEIGHTS as KIND
from kyodaku.errors import MissingWeightsError

LOADED: list[tuple[Path, Callable[[Path], Any]]] = [
    (overlay.WEIGHTS, load_watcher),
    (perturbation.WEIGHTS, load_panel),
    (KIND, lambda path: Judge(path).loaded),
]


@pytest.mark.parametrize(("weights", "load"), LOADED, ids=lambda value: getattr(value, "stem", ""))
def test_weights_are_whole_or_refused(weights: Path, load: Callable[[Path], Any], tmp_path: Path) -> None:
    with safe_open(weights, "pt") as file:
        metadata, whole = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    changed = tmp_path / "changed.safetensors"

    def refused(tensors: dict[str, torch.Tensor]) -> None:
        save_file(tensors, changed, metadata)
        with pytest.raises(MissingWeightsError, match="not the weights"):
            load(changed)

    load(weights)
    names = [name for name in whole if not name.endswith("num_batches_tracked")]
    for name in (names[0], names[len(names) // 2], names[-1]):
        refused({other: value for other, value in whole.items() if other != name})
    refused({**whole, "another.weight": torch.zeros(2)})
    refused({**whole, names[0]: torch.zeros(1, 2, 3)})
    for bad in (float("nan"), float("inf")):
        refused({**whole, names[-1]: torch.full_like(whole[names[-1]], bad)})
    if "bounds" in whole:
        for bounds in (
            whole["bounds"].flip(0),
            torch.full_like(whole["bounds"], float("nan")),
            torch.zeros(9),
        ):
            refused({**whole, "bounds": bounds})


@pytest.mark.parametrize("change", ["missing", "nan", "word", "zero"])
def test_scales_of_the_kinds_are_whole_or_refused(change: str, tmp_path: Path) -> None:
    with safe_open(KIND, "pt") as file:
        metadata, whole = dict(file.metadata()), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    changed = tmp_path / "changed.safetensors"
    metadata["kind_temperature"] = {"nan": "nan", "word": "warm", "zero": "0"}.get(change, "1")
    if change == "missing":
        metadata.popitem()
    save_file(whole, changed, metadata)
    with pytest.raises(MissingWeightsError, match="scales"):
        _ = Judge(changed).loaded
