"""HangulNet as the readers of lines ask it (`curation.ocr.readers`)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from curation.judges.loading import fill
from curation.nets.hangul import BLANK, HangulNet, alphabet
from curation.ocr.models import Reading, line_of
from kyodaku.fingerprint import Pixels


class HangulReader:
    """Reads level lines of Korean, as far as the phrases that refuse need it."""

    def __init__(self, weights: Path) -> None:
        self._weights = weights
        self._signs = alphabet()

    @cached_property
    def net(self) -> HangulNet:
        """The loaded net. Raises OSError, SafetensorError or MissingWeightsError for a file that is none."""
        from safetensors.torch import load_file

        net = HangulNet()
        fill(net, load_file(self._weights), self._weights)
        return net.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    def read(self, crops: Sequence[Pixels]) -> list[Reading]:
        """What lines say, in their order; what it does not know stands as UNKNOWN. `crops`: uint8 RGB, any
        size."""
        return [self._read(line_of(crop)) for crop in crops]

    def _read(self, line: npt.NDArray[np.float32]) -> Reading:
        planes = torch.from_numpy(np.ascontiguousarray(line[:, :, ::-1].transpose(2, 0, 1)))[None]
        with torch.inference_mode():
            chances = self.net(planes)[0].softmax(1).numpy()
        best = chances.argmax(1)
        kept = best != BLANK
        kept[1:] &= best[1:] != best[:-1]
        if not kept.any():
            return Reading("", 0.0)
        sure = chances[np.arange(len(best)), best][kept]
        return Reading("".join(self._signs[k] for k in best[kept]), float(sure.mean()))
