"""The text models run with subnormal numbers taken for zero, and nothing else does."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from curation.ocr.detector import MODEL, detector
from curation.ocr.models import Session, model_path, session


def subnormal() -> bool:
    """Whether half of the smallest normal number is anything on this thread."""
    return sys.float_info.min / 2 > 0


class Watched:
    """In the place of a model: says how it was run, and breaks if asked."""

    def __init__(self, breaks: bool = False) -> None:
        self.breaks, self.seen = breaks, [] if subnormal() else ["flushed before"]

    def get_outputs(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(name="heat")]

    def get_modelmeta(self) -> SimpleNamespace:
        return SimpleNamespace(custom_metadata_map={})

    def run(self, outputs: list[str], inputs: Mapping[str, Any]) -> list[Any]:
        self.seen.append("subnormal" if subnormal() else "flushed")
        if self.breaks:
            raise RuntimeError("no such input")
        return [inputs["x"]]


def test_numbers_are_flushed_while_a_model_runs_and_not_after() -> None:
    model = Watched()
    assert Session(model).run(["heat"], {"x": np.ones(1, np.float32)}) == [np.ones(1)]
    assert subnormal()
    broken = Watched(breaks=True)
    with pytest.raises(RuntimeError, match="no such input"):
        Session(broken).run(["heat"], {})
    assert subnormal()
    assert model.seen == broken.seen == ["flushed"]


def test_who_flushed_before_flushes_after() -> None:
    torch.set_flush_denormal(True)
    try:
        Session(Watched()).run(["heat"], {"x": np.ones(1, np.float32)})
        assert not subnormal()
    finally:
        torch.set_flush_denormal(False)


def test_what_is_seen_is_the_same() -> None:
    plain = session(model_path(MODEL).read_bytes())._model
    view = np.asarray(Image.fromarray(data.astronaut()).resize((256, 192)))
    planes = view[:, :, ::-1].astype(np.float32).transpose(2, 0, 1)[None] / 127.5 - 1
    (heat,) = plain.run(None, {"x": planes})
    assert np.array_equal(detector().glance(view).heat, heat[0, 0])
