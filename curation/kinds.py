"""What the annotators `kind` and `furniture` share: views of a picture, the measure for blank ones, KindNet.

Both look at the same batch, one after the other; the judge remembers its last batch, so that the net runs
once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from safetensors import safe_open
from torch import Tensor

from curation.kind_features import measured
from curation.nets.kind import CLASSES, CLOSE, WHOLE, Judged, KindNet
from kyodaku.fingerprint import Pixels
from kyodaku.recipe.filters import FURNITURE

Floats = npt.NDArray[np.float32]

WEIGHTS = Path(__file__).parent / "models" / "kind.safetensors"

#: Sources whose change changes what the net says.
CODE = ("curation.kinds", "curation.kind_features", "curation.nets.kind")

#: The shorter side, in pixels, below which nothing can be told.
LEAST = 64

#: Close crops come from the picture at most this long: beyond, scans show paper fibre only.
_CLOSE_SIDE = 1600

#: The longest side, in pixels, at which blank pictures are measured.
SMALL = 256

#: Grey levels that nothing but a slow change of light may exceed in a blank picture.
BLANK = 4.0


@dataclass(frozen=True)
class Judgement:
    """Of one picture: probabilities of CLASSES, of FURNITURE, and where that stands, (4, 20, 20)."""

    kinds: Floats
    furniture: Floats
    mask: Floats


def whole_view(pixels: Pixels) -> Pixels:
    """uint8 (WHOLE, WHOLE, 3): everything, squeezed to a square."""
    image = Image.fromarray(pixels)
    return np.asarray(image.resize((WHOLE, WHOLE), Image.Resampling.BOX, reducing_gap=2.0))


def close_view(pixels: Pixels) -> Pixels:
    """uint8 (CLOSE, CLOSE, 3): four crops around the centre of each quarter, side by side, at native size."""
    half = CLOSE // 2
    longest = max(pixels.shape[:2])
    image = Image.fromarray(pixels)
    scale = min(1.0, _CLOSE_SIDE / longest)
    scale = max(scale, half / min(pixels.shape[:2]))
    side = min(half / scale, *image.size)
    sheet = Image.new("RGB", (CLOSE, CLOSE))
    for number in range(4):
        x = image.width * (0.28 if number % 2 == 0 else 0.72)
        y = image.height * (0.28 if number < 2 else 0.72)
        left = max(0.0, min(x - side / 2, image.width - side))
        top = max(0.0, min(y - side / 2, image.height - side))
        crop = image.resize((half, half), Image.Resampling.BOX, box=(left, top, left + side, top + side))
        sheet.paste(crop, (number % 2 * half, number // 2 * half))
    return np.asarray(sheet)


def unevenness(small: Pixels) -> float:
    """How far, in grey levels, the strongest 0.05 % of a picture depart from a slow change of light.

    Asked of the picture at most SMALL pixels long, three pixels averaged: noise and fibre vanish, a line or a
    face does not.
    """
    field = np.pad(small.astype(np.float32), ((1, 1), (1, 1), (0, 0)), "edge")
    rows = field[:-2] + field[1:-1] + field[2:]
    inner = ((rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / 9).reshape(-1, 3)
    y, x = np.mgrid[-1 : 1 : small.shape[0] * 1j, -1 : 1 : small.shape[1] * 1j].astype(np.float32)
    slow = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], -1).reshape(-1, 6)
    light = np.linalg.solve(slow.T @ slow + 1e-3 * np.eye(6, dtype=np.float32), slow.T @ inner)
    return float(np.percentile(np.abs(inner - slow @ light), 99.95))


#: The logit of 0.8. Furniture scores 0.8 where 1 % of validation pictures without it score more.
LOGIT = math.log(4)


class Judge:
    """The loaded net. Not to be shared between threads."""

    def __init__(self, weights: Path = WEIGHTS) -> None:
        self._weights = weights
        self._last: list[tuple[Pixels, Judgement]] = []

    def look(self, pictures: Sequence[Pixels]) -> list[Judgement]:
        """One judgement a picture; sides at least LEAST. What the last call judged is not judged again."""
        known = [next((said for seen, said in self._last if seen is pixels), None) for pixels in pictures]
        new = [pixels for pixels, said in zip(pictures, known, strict=True) if said is None]
        fresh = iter(self._judge(new) if new else ())
        found = [said or next(fresh) for said in known]
        self._last = list(zip(pictures, found, strict=True))
        return found

    @cached_property
    def loaded(self) -> tuple[KindNet, dict[str, float]]:
        """The net, and the temperatures that its logits are divided by."""
        net = KindNet()
        with safe_open(self._weights, "pt") as file:
            net.load_state_dict({name: file.get_tensor(name).float() for name in file.keys()}, strict=False)  # noqa: SIM118
            scales = {name: float(value) for name, value in (file.metadata() or {}).items()}
        device = "cuda" if torch.cuda.is_available() else "cpu"
        return net.eval().to(device), scales

    def _judge(self, pictures: Sequence[Pixels]) -> list[Judgement]:
        net, scales = self.loaded
        device = next(net.parameters()).device
        views = [np.stack([view(pixels) for pixels in pictures]) for view in (whole_view, close_view)]
        found: list[Judgement] = []
        with torch.inference_mode():
            for at in range(0, len(pictures), 32):
                both = [view[at : at + 32] for view in views]
                whole, close = (as_input(torch.from_numpy(view).to(device)) for view in both)
                plain = torch.from_numpy(np.stack([measured(*pair) for pair in zip(*both, strict=True)]))
                found += self.judgements(net(whole, close, plain.to(device)), scales)
        return found

    @staticmethod
    def judgements(said: Judged, scales: Mapping[str, float]) -> list[Judgement]:
        """The net's logits as probabilities, by picture."""
        kinds = torch.softmax(said.kinds / scales.get("kind_temperature", 1.0), 1)
        bounds = torch.tensor([scales.get(f"bound_{name}", LOGIT) for name in FURNITURE])
        furniture = torch.sigmoid(said.furniture - bounds.to(said.furniture.device) + LOGIT)
        parts = (kinds, furniture, torch.sigmoid(said.mask))
        return [Judgement(*row) for row in zip(*(part.float().cpu().numpy() for part in parts), strict=True)]


def as_input(views: Tensor) -> Tensor:
    """float32 (n, 3, h, w) in [-1, 1] of uint8 (n, h, w, 3)."""
    return views.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last).float() / 127.5 - 1


@cache
def judge(weights: Path = WEIGHTS) -> Judge:
    """The one judge of this process for these weights."""
    return Judge(weights)


__all__ = ["CLASSES", "LEAST", "WEIGHTS", "Judge", "Judgement", "judge", "unevenness"]
