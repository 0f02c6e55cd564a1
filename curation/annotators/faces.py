"""How many faces are seen, and where, by a detector that the recipe names: YuNet (Wu et al., 2023; MIT; as
opencv/face_detection_yunet) in ONNX. It counts; it recognises nobody and infers nothing about anybody.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from curation.annotators.adapter import Adapter
from curation.annotators.base import Finding, Picture, Status
from curation.weights import Weights
from kyodaku.errors import MissingWeightsError
from kyodaku.fingerprint import Pixels
from kyodaku.recipe import Annotators

Floats = npt.NDArray[np.float32]

#: A face counts from this score on; boxes that overlap by more than half are one face.
SCORE, OVERLAP = 0.7, 0.5
_STRIDES = (8, 16, 32)
#: The sides of the net's input where the file leaves them open: a multiple of the last stride.
_SIDE = 640
_MASK = 64


@dataclass(frozen=True)
class Face:
    """A box in pixels of the upright picture: left, top, right, bottom; and the detector's score."""

    box: tuple[float, float, float, float]
    score: float


class Faces(Adapter["YuNet"]):
    """`values`: their `count`. `score`: of the surest one. `mask`: where they are."""

    name = "faces"

    @classmethod
    def build(cls, section: Annotators) -> Faces:
        """The annotator of a recipe."""
        return cls(section.faces)

    def load(self, weights: Weights) -> YuNet:
        """The net of the only .onnx file."""
        return YuNet(weights)

    def judge(
        self, model: YuNet, pictures: Sequence[Picture], before: Sequence[Mapping[str, Finding]]
    ) -> list[Finding]:
        """See the class."""
        return [self._one(model.find(picture), picture) for picture in pictures]

    def _one(self, found: Sequence[Face], picture: Picture) -> Finding:
        return Finding(
            self.name,
            self.version,
            Status.OK,
            score=max((face.score for face in found), default=0.0),
            values={"count": float(len(found))},
            mask=_mask(found, picture.pixels.shape[:2]) if found else b"",
        )


class YuNet:
    """The detector: letterboxed BGR, 0 to 255; for each stride outputs `cls_`, `obj_` and `bbox_`.

    Raises MissingWeightsError for a file that is none.
    """

    def __init__(self, weights: Weights) -> None:
        import onnxruntime

        file = weights.file(".onnx")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        try:
            self._session: Any = onnxruntime.InferenceSession(
                str(file), options, providers=onnxruntime.get_available_providers()
            )
        except Exception as error:  # onnxruntime has no common error of its own
            raise MissingWeightsError(f"{file} is no ONNX model: {str(error).splitlines()[0]}") from error
        outputs = {output.name for output in self._session.get_outputs()}
        self._wanted = [f"{part}_{stride}" for stride in _STRIDES for part in ("cls", "obj", "bbox")]
        if not outputs.issuperset(self._wanted):
            raise MissingWeightsError(f"{file} is no YuNet: it lacks {', '.join(self._wanted[:3])} or others")
        self._input = self._session.get_inputs()[0]
        self._side = self._input.shape[-1] if isinstance(self._input.shape[-1], int) else _SIDE

    def find(self, picture: Picture) -> list[Face]:
        """The faces of a picture, surest first."""
        small = picture.within(self._side)
        square = np.zeros((self._side, self._side, 3), np.float32)
        square[: small.shape[0], : small.shape[1]] = small[..., ::-1]
        out = self._session.run(self._wanted, {self._input.name: square.transpose(2, 0, 1)[None]})
        boxes, scores = _decoded(dict(zip(self._wanted, out, strict=True)), self._side)
        kept = _apart(boxes[scores >= SCORE], scores[scores >= SCORE])
        return [_scaled(box, score, small, picture.pixels) for box, score in kept]


def _decoded(out: Mapping[str, Floats], side: int) -> tuple[Floats, Floats]:
    """Boxes (n, 4) in pixels of the net's input, and scores (n,), of all strides."""
    boxes, scores = [], []
    for stride in _STRIDES:
        cells = side // stride
        row, column = np.divmod(np.arange(cells * cells), cells)
        kind, there, box = (
            out[f"{part}_{stride}"].reshape(cells * cells, -1) for part in ("cls", "obj", "bbox")
        )
        scores.append(np.sqrt(np.clip(kind[:, 0], 0, 1) * np.clip(there[:, 0], 0, 1)))
        middle = (np.stack([column, row], 1) + box[:, :2]) * stride
        half = np.exp(np.minimum(box[:, 2:4], 10)) * stride / 2
        boxes.append(np.concatenate([middle - half, middle + half], axis=1))
    return np.concatenate(boxes).astype(np.float32), np.concatenate(scores).astype(np.float32)


def _apart(boxes: Floats, scores: Floats) -> list[tuple[Floats, float]]:
    """Of boxes that overlap the surest only (greedy non-maximum suppression)."""
    order = np.argsort(-scores, kind="stable")
    kept: list[tuple[Floats, float]] = []
    while len(order):
        first, rest = order[0], order[1:]
        kept.append((boxes[first], float(scores[first])))
        corners = np.maximum(boxes[rest, :2], boxes[first, :2]), np.minimum(boxes[rest, 2:], boxes[first, 2:])
        inner = np.clip(corners[1] - corners[0], 0, None).prod(axis=1)
        areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
        order = rest[inner <= OVERLAP * (areas[rest] + areas[first] - inner)]
    return kept


def _scaled(box: Floats, score: float, small: Pixels, whole: Pixels) -> Face:
    height, width = whole.shape[:2]
    by = width / small.shape[1], height / small.shape[0]
    left, right = (float(np.clip(value * by[0], 0, width)) for value in (box[0], box[2]))
    top, bottom = (float(np.clip(value * by[1], 0, height)) for value in (box[1], box[3]))
    return Face((left, top, right, bottom), score)


def _mask(found: Sequence[Face], size: tuple[int, ...]) -> bytes:
    from PIL import Image, ImageDraw

    scale = _MASK / max(size)
    image = Image.new("L", (max(1, round(size[1] * scale)), max(1, round(size[0] * scale))))
    pen = ImageDraw.Draw(image)
    for face in found:
        pen.rectangle([value * scale for value in face.box], fill=255)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
