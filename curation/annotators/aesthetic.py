"""An aesthetic score from the vector of `embedding`, by a small head that the recipe names: layers without
anything between them, as LAION's aesthetic predictors are (github.com/christophschuhmann/
improved-aesthetic-predictor), trained on CLIP ViT-L/14. What such a head likes is its raters' taste.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from curation.annotators.adapter import Adapter
from curation.annotators.base import Finding, Picture, Status
from curation.annotators.embedding import Embedding, vector_of
from curation.weights import Weights
from kyodaku.errors import MissingWeightsError
from kyodaku.recipe import Annotators

_Layer = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]


class Aesthetic(Adapter[list[_Layer]]):
    """`score` as the head gives it: LAION's are 1 to 10. `unknown` without a vector of `embedding`."""

    name = "aesthetic"

    @classmethod
    def build(cls, section: Annotators) -> Aesthetic:
        """The annotator of a recipe; which vectors it is handed is part of its version."""
        seen = "" if "embedding" in section.skip else Embedding.build(section).version
        return cls(section.aesthetic, code=("curation.annotators.embedding",), settings=seen)

    def load(self, weights: Weights) -> list[_Layer]:
        """The layers of the only .pth, .pt or .safetensors file."""
        return _layers(weights.file(".pth", ".pt", ".safetensors"))

    def judge(
        self, model: list[_Layer], pictures: Sequence[Picture], before: Sequence[Mapping[str, Finding]]
    ) -> list[Finding]:
        """See the class. Raises ValueError for vectors of another length than the head takes."""
        return [self._one(model, found.get("embedding")) for found in before]

    def _one(self, layers: list[_Layer], found: Finding | None) -> Finding:
        if found is None or found.status is not Status.OK:
            return self.unknown("there is no vector: annotators.embedding names no model, or it failed")
        values = vector_of(found)
        if len(values) != layers[0][0].shape[1]:
            raise ValueError(
                f"the head takes {layers[0][0].shape[1]} numbers, annotators.embedding gives {len(values)}"
            )
        for weight, bias in layers:
            values = weight @ values + bias
        return Finding(self.name, self.version, Status.OK, score=float(values[0]))


def _layers(file: Path) -> list[_Layer]:
    """The linear layers of a state dictionary, in order. Raises MissingWeightsError if they do not fit."""
    try:
        tensors = _tensors(file)
        names = sorted((name for name in tensors if name.endswith("weight")), key=_number)
        layers = [(tensors[name], tensors[name.removesuffix("weight") + "bias"]) for name in names]
        shapes = [weight.shape for weight, _ in layers]
        fits = all(before[0] == after[1] for before, after in pairwise(shapes))
        if not layers or not fits or shapes[-1][0] != 1:
            raise ValueError(f"layers of shapes {shapes}")
    except Exception as error:  # a file from elsewhere may break its reader in any way
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise MissingWeightsError(f"{file} is no aesthetic head: {reason[:200]}") from error
    return layers


def _tensors(file: Path) -> dict[str, npt.NDArray[np.float32]]:
    if file.suffix == ".safetensors":
        from safetensors.numpy import load_file

        return {name: value.astype(np.float32) for name, value in load_file(file).items()}
    import torch

    found = torch.load(file, map_location="cpu", weights_only=True)
    return {name: value.float().numpy() for name, value in found.items()}


def _number(name: str) -> int:
    digits = re.findall(r"\d+", name)
    return int(digits[-1]) if digits else 0
