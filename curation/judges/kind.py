"""KindNet as the annotators `kind` and `furniture` ask it.

Both look at the same batch, one after the other; the judge remembers its last batch, so that the net runs
once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor

from curation.judges.loading import fill, unfit
from curation.kind_features import measured
from curation.kinds import WEIGHTS, Judgement, close_view, whole_view
from curation.nets.kind import Judged, KindNet
from kyodaku.fingerprint import Pixels
from kyodaku.recipe.filters import FURNITURE

#: The logit of 0.8. Furniture scores 0.8 where 1 % of validation pictures without it score more.
LOGIT = math.log(4)

#: What the weights file holds beside its tensors.
SCALES = ("kind_temperature", *(f"bound_{name}" for name in FURNITURE))


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
            fill(net, {name: file.get_tensor(name) for name in file.keys()}, self._weights)  # noqa: SIM118
            scales = _scales(file.metadata() or {}, self._weights)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        return net.eval().to(device), scales

    def _judge(self, pictures: Sequence[Pixels]) -> list[Judgement]:
        net, scales = self.loaded
        device = next(net.parameters()).device
        views = [np.stack([view(pixels) for pixels in pictures]) for view in (whole_view, close_view)]
        found: list[Judgement] = []
        together = 1 if device.type == "cpu" else 32  # one at a time: nothing hangs on a picture's neighbours
        with torch.inference_mode():
            for at in range(0, len(pictures), together):
                both = [view[at : at + together] for view in views]
                whole, close = (as_input(torch.from_numpy(view).to(device)) for view in both)
                plain = torch.from_numpy(np.stack([measured(*pair) for pair in zip(*both, strict=True)]))
                found += self.judgements(net(whole, close, plain.to(device)), scales)
        return found

    @staticmethod
    def judgements(said: Judged, scales: Mapping[str, float]) -> list[Judgement]:
        """The net's logits as probabilities, by picture."""
        kinds = torch.softmax(said.kinds / scales["kind_temperature"], 1)
        bounds = torch.tensor([scales[f"bound_{name}"] for name in FURNITURE])
        furniture = torch.sigmoid(said.furniture - bounds.to(said.furniture.device) + LOGIT)
        parts = (kinds, furniture, torch.sigmoid(said.mask))
        return [Judgement(*row) for row in zip(*(part.float().cpu().numpy() for part in parts), strict=True)]


def _scales(metadata: Mapping[str, str], path: Path) -> dict[str, float]:
    """The temperature and the bounds that training measured. Raises MissingWeightsError where they are not
    there."""
    try:
        scales = {name: float(metadata[name]) for name in SCALES}
    except (KeyError, ValueError) as error:
        raise unfit(path, f"its scales cannot be read: {error}") from error
    if not all(map(math.isfinite, scales.values())) or scales["kind_temperature"] <= 0:
        raise unfit(path, "its scales are no finite numbers")
    return scales


def as_input(views: Tensor) -> Tensor:
    """float32 (n, 3, h, w) in [-1, 1] of uint8 (n, h, w, 3)."""
    return views.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last).float() / 127.5 - 1


@cache
def judge(weights: Path = WEIGHTS) -> Judge:
    """The one judge of this process for these weights."""
    return Judge(weights)
