"""The text detector of PP-OCRv6 small, and what it sees on its way: features of a picture for other judges.

It is the largest net that comes with the package, and was made to find strokes laid over anything, so its
inner layers are a start for whoever looks for marks (`curation.nets.overlay`). One look gives both, and the
first look at a picture is shared by all who ask.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from curation.ocr.models import ModelsMissing, model_path, session
from kyodaku.fingerprint import Pixels

if TYPE_CHECKING:
    from curation.annotators.base import Picture

Floats = npt.NDArray[np.float32]

MODEL = "PP-OCRv6_det_small.onnx"
SHA256 = "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f"

#: Values inside its graph that are asked for besides the heat: the ends of its stages at 1/8, 1/16 and 1/32.
_INNER = ("Add.65", "Add.121", "Add.153")

#: The name under which a picture remembers its first look.
FIRST_VIEW = "first view"

#: How many planes each of them has, and by how much it is smaller than the picture.
PLANES = ((96, 8), (192, 16), (384, 32))

#: Sides of what it looks at are multiples of this.
STRIDE = 32

#: Longest side, in pixels, of the first look; and how many times as long a picture may be to be looked at as
#: it is.
FIRST, NEAR = 512, 1.3

#: A picture longer than so many pixels is made so small for the first look that it tells too little alone.
LARGE = 3 * FIRST


@dataclass(frozen=True)
class Glance:
    """One look at a view of h by w pixels. `heat` float32 (h, w), 0 to 1: where text stands. `features`:
    float32 arrays (planes, h / n, w / n), as PLANES says."""

    heat: Floats
    features: tuple[Floats, ...]


@dataclass(frozen=True)
class View:
    """A picture made smaller for the detector: `pixels` uint8 (h, w, 3), sides multiples of STRIDE, `back`
    float64 (2, 3), the way from them to the picture's own, and what was seen."""

    pixels: Pixels
    back: npt.NDArray[np.float64]
    glance: Glance


class Detector:
    """The network, loaded. One for each process. Raises ModelsMissing, also for another network than the one
    that others were trained with: it would not see the same."""

    def __init__(self) -> None:
        import cv2

        cv2.setNumThreads(1)  # steps are spread over processes
        body = model_path(MODEL).read_bytes()
        if hashlib.sha256(body).hexdigest() != SHA256:
            raise ModelsMissing(
                f"{MODEL} is another one: pip install 'kyodaku[curate]' brings the one we know"
            )
        self._session = session(_with_outputs(body, _INNER))
        self._heat = self._session.outputs[0]

    def glance(self, pixels: Pixels) -> Glance:
        """Look at uint8 RGB (h, w, 3), sides multiples of STRIDE."""
        planes = pixels[:, :, ::-1].astype(np.float32).transpose(2, 0, 1)[None] / 127.5 - 1
        heat, *features = self._session.run([self._heat, *_INNER], {"x": planes})
        return Glance(np.asarray(heat[0, 0], np.float32), tuple(one[0] for one in features))

    def view(self, pixels: Pixels, side: int) -> View:
        """Look at a picture of any size, its longer side at most `side` pixels."""
        import cv2

        height, width = pixels.shape[:2]
        scale = min(1.0, side / max(height, width))
        wide, high = (max(STRIDE, round(length * scale / STRIDE) * STRIDE) for length in (width, height))
        view = np.asarray(cv2.resize(pixels, (wide, high), interpolation=cv2.INTER_AREA), np.uint8)
        back = np.array([[width / wide, 0, 0], [0, height / high, 0]])
        return View(view, back, self.glance(view))


@cache
def detector() -> Detector:
    """This process's detector, loaded at the first call. Raises ModelsMissing."""
    return Detector()


def first_view(picture: Picture) -> View:
    """The first look at a picture, taken once, whoever asks. Raises ModelsMissing."""
    side = first_side(picture.pixels)
    return picture.remembered(FIRST_VIEW, lambda: detector().view(picture.pixels, side))


def first_side(pixels: Pixels) -> int:
    """The longer side of a picture's first look, in pixels."""
    longest = max(pixels.shape[:2])
    return longest if longest <= NEAR * FIRST else FIRST


def _with_outputs(model: bytes, names: tuple[str, ...]) -> bytes:
    """An ONNX model whose graph also gives the named inner values. A protobuf message may be continued:
    fields appended to it are added (Protocol Buffers encoding, "Last One Wins"), so the graph (field 7 of a
    model) gets more outputs (field 12 of a graph), of which only the name (field 1) is needed."""
    graph = b"".join(_field(12, _field(1, name.encode("ascii"))) for name in names)
    return model + _field(7, graph)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])
