"""A vector for each picture, by a model that the recipe names: open_clip, or a TorchScript such as SSCD
(Pizzi et al., "A Self-Supervised Descriptor for Image Copy Detection", 2022).
"""

from __future__ import annotations

import base64
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from curation.annotators.adapter import Adapter
from curation.annotators.base import Finding, Picture, Status
from curation.weights import Weights
from kyodaku.errors import MissingWeightsError
from kyodaku.fingerprint import Pixels
from kyodaku.recipe import Annotators

Vectors = npt.NDArray[np.float32]

#: As SSCD was trained and measured: squashed to this side, ImageNet's mean and deviation.
_SSCD_SIDE = 288
_SSCD_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_SSCD_STD = np.array([0.229, 0.224, 0.225], np.float32)
_TORCHSCRIPT = (".pt", ".torchscript")
#: How far from 1 float16 leaves the length of a unit vector, and more.
_ROUNDING = 0.02


class _Encoder(Protocol):
    """uint8 pictures of any size to float32 (n, dimension), not normalised."""

    def __call__(self, pictures: Sequence[Pixels]) -> Vectors: ...


class Embedding(Adapter[_Encoder]):
    """`text`: the unit vector, as base64 of little-endian float16 (`vector_of` reads it). `level`: the model.
    `values`: its `dimension`. No score."""

    name = "embedding"

    @classmethod
    def build(cls, section: Annotators) -> Embedding:
        """The annotator of a recipe."""
        return cls(section.embedding)

    def load(self, weights: Weights) -> _Encoder:
        """The encoder: a TorchScript file, or a folder of open_clip."""
        place = weights.place()
        return _TorchScript(place) if place.suffix in _TORCHSCRIPT else _OpenClip(weights.folder())

    def judge(
        self, model: _Encoder, pictures: Sequence[Picture], before: Sequence[Mapping[str, Finding]]
    ) -> list[Finding]:
        """See the class."""
        vectors = model([picture.pixels for picture in pictures]).astype(np.float64)
        with np.errstate(all="ignore"):  # what is no number afterwards is told as such
            units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
            return [self._told(unit.astype("<f2")) for unit in units]

    def _told(self, unit: npt.NDArray[np.float16]) -> Finding:
        """A vector that is not of length 1 is near to nothing: whoever compares it would miss every copy."""
        if not abs(np.linalg.norm(unit.astype(np.float64)) - 1) < _ROUNDING:
            return Finding(
                self.name, self.version, Status.FAILED, text="no vector: a number that is none, or 0"
            )
        return Finding(
            self.name,
            self.version,
            Status.OK,
            level=self.weights.label if self.weights else "",
            text=base64.b64encode(unit.tobytes()).decode("ascii"),
            values={"dimension": float(len(unit))},
        )


def vector_of(finding: Finding) -> Vectors:
    """The unit vector, float32 (dimension,), of a finding of `embedding` whose status is ok."""
    return np.frombuffer(base64.b64decode(finding.text), "<f2").astype(np.float32)


class _OpenClip:
    """A folder as open_clip writes it: open_clip_config.json and the weights."""

    def __init__(self, folder: Path) -> None:
        from curation.torchvision_shim import make_importable

        make_importable()
        import open_clip
        import torch

        if not (folder / "open_clip_config.json").is_file():
            raise MissingWeightsError(
                f"{folder} holds no model of open_clip: no open_clip_config.json (annotators.embedding)"
            )
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        model, self._prepare = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
        self._model: Any = model.eval().to(self._device)

    def __call__(self, pictures: Sequence[Pixels]) -> Vectors:
        import torch
        from PIL import Image

        inputs = torch.stack([self._prepare(Image.fromarray(pixels)) for pixels in pictures])
        with torch.inference_mode():
            out: Vectors = self._model.encode_image(inputs.to(self._device)).float().cpu().numpy()
        return out


class _TorchScript:
    """A scripted module that takes float32 (n, 3, side, side) and gives (n, dimension)."""

    def __init__(self, file: Path) -> None:
        import torch

        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # SSCD is published in no other form
                self._model: Any = torch.jit.load(file, map_location=self._device).eval()
        except (RuntimeError, ValueError) as error:
            raise MissingWeightsError(f"{file} is no TorchScript: {str(error).splitlines()[0]}") from error

    def __call__(self, pictures: Sequence[Pixels]) -> Vectors:
        import torch
        from PIL import Image

        side = (_SSCD_SIDE, _SSCD_SIDE)
        small = np.stack(
            [np.asarray(Image.fromarray(p).resize(side, Image.Resampling.BILINEAR)) for p in pictures]
        )
        inputs = torch.from_numpy((small.astype(np.float32) / 255 - _SSCD_MEAN) / _SSCD_STD)
        with torch.inference_mode():
            out: Vectors = self._model(inputs.permute(0, 3, 1, 2).to(self._device)).float().cpu().numpy()
        return out
