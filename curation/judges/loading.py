"""Filling a net from a file of weights: all of it, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import Module

from kyodaku.errors import MissingWeightsError

#: Counters of batch norms that only training reads.
_ONLY_TRAINING = "num_batches_tracked"


def fill(net: Module, state: Mapping[str, Tensor], path: Path) -> None:
    """Copy the tensors of `path` into `net`, as float32. Raises MissingWeightsError unless they are all
    there, each of the right shape, finite, and nothing besides: a layer that stays random says "nothing
    seen", and so does a bound that is no number."""
    odd = [name for name, value in state.items() if not torch.isfinite(value).all()]
    if odd:
        raise unfit(path, f"not finite: {_few(odd)}")
    try:
        said = net.load_state_dict({name: value.float() for name, value in state.items()}, strict=False)
    except RuntimeError as error:
        raise unfit(path, " ".join(str(error).split())[:300]) from error
    missing = [name for name in said.missing_keys if not name.endswith(_ONLY_TRAINING)]
    if missing or said.unexpected_keys:
        raise unfit(path, f"missing: {_few(missing)}; not of this net: {_few(said.unexpected_keys)}")


def ordered_bounds(bounds: Tensor, count: int, path: Path) -> list[float]:
    """`count` finite bounds, none below the one before. Raises MissingWeightsError for any others."""
    found: list[float] = bounds.float().tolist() if bounds.shape == (count,) else []
    if len(found) != count or not bool(torch.isfinite(bounds).all()) or found != sorted(found):
        raise unfit(path, f"its bounds are not {count} rising numbers")
    return found


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "") or "nothing"


def unfit(path: Path, why: str) -> MissingWeightsError:
    """What to raise for a file that cannot be used, and what to do."""
    return MissingWeightsError(
        f"{path}: not the weights of this net ({why}). They come with the package: "
        "pip install --force-reinstall 'kyodaku[curate]'"
    )
