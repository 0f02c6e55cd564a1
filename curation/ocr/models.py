"""The networks that find and read text: PP-OCRv6 small, from inside the wheel of `rapidocr` (Apache-2.0).
Here is the one that reads; `curation.ocr.detector` has the one that finds.

Only the ONNX files of that package are used, by their paths inside it: nothing is ever fetched. They run in
onnxruntime on one thread of the CPU. rapidocr's own code is not imported: it asks for models over the network
when they are missing, and reads all lines of a picture at one scale.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kyodaku.fingerprint import Pixels

Heat = npt.NDArray[np.float32]

_RECOGNISER = "PP-OCRv6_rec_small.onnx"

#: Height of a line as the recogniser takes it, and the widths that lines are padded to.
LINE_HEIGHT = 48
_WIDTH_STEP = 32
_MIN_WIDTH = 64
_MAX_WIDTH = 1600
_BATCH_WIDTH = 2400


class ModelsMissing(RuntimeError):
    """The package that carries the models is not installed, or not whole."""


@dataclass(frozen=True)
class Reading:
    """What one crop says, and the mean confidence of its signs, 0 to 1."""

    text: str
    confidence: float


def models_version() -> str:
    """What a reading depends on beside our code: versions of the packages, "missing" where one is."""
    try:
        return f"rapidocr {version('rapidocr')}, onnxruntime {version('onnxruntime')}"
    except PackageNotFoundError:
        return "missing"


def model_path(name: str) -> Path:
    """Where a model lies inside the installed package. Raises ModelsMissing."""
    spec = find_spec("rapidocr")
    folders = spec.submodule_search_locations if spec else None
    for folder in folders or ():
        path = Path(folder) / "models" / name
        if path.is_file():
            return path
    raise ModelsMissing(f"{name} is not installed: pip install 'kyodaku[curate]' brings it")


class Reader:
    """The recogniser, loaded. One for each process."""

    def __init__(self) -> None:
        import cv2

        cv2.setNumThreads(1)
        self._recogniser = session(model_path(_RECOGNISER).read_bytes())
        signs = self._recogniser.metadata["character"].splitlines()
        #: What each class of the recogniser stands for; the first is the blank of CTC.
        self.signs: tuple[str, ...] = ("", *signs, " ")

    def read(self, crops: Sequence[Pixels]) -> list[Reading]:
        """What horizontal lines say, in their order. `crops`: uint8 RGB, any size."""
        lines = [line_of(crop) for crop in crops]
        order = sorted(range(len(lines)), key=lambda i: lines[i].shape[1])
        readings: dict[int, Reading] = {}
        batch: list[int] = []
        for index in order:
            if batch and (len(batch) + 1) * lines[index].shape[1] > _BATCH_WIDTH:
                readings.update(self._read(batch, lines))
                batch = []
            batch.append(index)
        if batch:
            readings.update(self._read(batch, lines))
        return [readings[index] for index in range(len(lines))]

    def _read(self, batch: Sequence[int], lines: Sequence[npt.NDArray[np.float32]]) -> dict[int, Reading]:
        width = max(lines[index].shape[1] for index in batch)
        planes = np.zeros((len(batch), 3, LINE_HEIGHT, width), np.float32)
        for row, index in enumerate(batch):
            planes[row, :, :, : lines[index].shape[1]] = lines[index].transpose(2, 0, 1)
        chances = self._recogniser.run(self._recogniser.outputs[:1], {"x": planes})[0]
        return {index: self._decoded(chances[row]) for row, index in enumerate(batch)}

    def _decoded(self, chances: npt.NDArray[np.float32]) -> Reading:
        """Greedy CTC: repeats are one sign, blanks are none."""
        best = chances.argmax(axis=1)
        kept = best > 0
        kept[1:] &= best[1:] != best[:-1]
        if not kept.any():
            return Reading("", 0.0)
        sure = chances[np.arange(len(best)), best][kept]
        return Reading("".join(self.signs[i] for i in best[kept]), float(sure.mean()))


class Session:
    """A model in onnxruntime, on the calling thread of the CPU.

    Its subnormal numbers (below 1e-38, IEEE 754 section 2.1) are zero while it runs: two layers of the text
    detector meet them by the million, and processors take some hundred times as long over each. onnxruntime's
    own switch (`session.set_denormal_as_zero`) is heard only in a process's first session.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self.outputs: tuple[str, ...] = tuple(one.name for one in model.get_outputs())
        self.metadata: dict[str, str] = model.get_modelmeta().custom_metadata_map

    def run(self, outputs: Sequence[str], inputs: Mapping[str, npt.NDArray[np.float32]]) -> list[Any]:
        """The named outputs, arrays in their order."""
        import torch

        before = sys.float_info.min / 2 == 0.0  # this thread flushes already
        torch.set_flush_denormal(True)
        try:
            found: list[Any] = self._model.run(list(outputs), dict(inputs))
            return found
        finally:
            torch.set_flush_denormal(before)


def session(model: bytes) -> Session:
    """An ONNX model, loaded. Raises ModelsMissing."""
    try:
        import onnxruntime  # type: ignore[import-untyped]
    except ImportError as error:
        raise ModelsMissing(f"onnxruntime: {error}") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = False  # sizes differ by picture: an arena would only grow
    return Session(onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"]))


def line_of(crop: Pixels) -> npt.NDArray[np.float32]:
    """float32 (48, width, 3) BGR, -1 to 1: the crop at the recogniser's height, padded to a common width."""
    import cv2

    height, width = crop.shape[:2]
    wide = min(_MAX_WIDTH, max(8, math.ceil(width * LINE_HEIGHT / max(1, height))))
    method = cv2.INTER_AREA if height > LINE_HEIGHT else cv2.INTER_CUBIC
    resized = cv2.resize(np.ascontiguousarray(crop[:, :, ::-1]), (wide, LINE_HEIGHT), interpolation=method)
    padded = np.zeros((LINE_HEIGHT, max(_MIN_WIDTH, -(-wide // _WIDTH_STEP) * _WIDTH_STEP), 3), np.float32)
    padded[:, :wide] = resized.astype(np.float32) / 127.5 - 1
    return padded
