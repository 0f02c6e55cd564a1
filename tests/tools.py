"""Programs that some tests need and a machine may lack (`make system` installs them)."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest


def need_tool(name: str) -> str:
    """The path of the program `name`; skips the test without it, or fails under KYODAKU_REQUIRE_ALL=1."""
    found = shutil.which(name)
    if found is None:
        _missing(name)
    assert found is not None
    return found


def need_path(path: str | Path, provided_by: str) -> Path:
    """`path` if it exists; else skips, or fails, naming the package that provides it."""
    if not Path(path).exists():
        _missing(f"{path} (of {provided_by})")
    return Path(path)


def cpu_seconds(work: Callable[[], object], enough: float) -> float:
    """CPU seconds of this process that `work` takes: the best of three tries, since a busy machine only
    ever adds. Stops at the first try below `enough`."""
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
        if best < enough:
            break
    return best


def _missing(what: str) -> None:
    text = f"{what} is not installed; `make system` lists what tests use"
    if os.environ.get("KYODAKU_REQUIRE_ALL") == "1":
        pytest.fail(text)
    pytest.skip(text)
