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


#: CPU seconds that `_yardstick` takes on the machine of benchmarks/README.md when nothing else runs there.
_YARDSTICK = 0.026


def cpu_seconds(work: Callable[[], object], enough: float) -> float:
    """CPU seconds of this process that `work` takes: the best of six tries, since a busy machine only
    ever adds. Stops at the first try below `enough`.

    A core that is shared with somebody runs at half its speed, so a try that takes too long is measured
    against a fixed piece of work behind it: seconds of the machine in benchmarks/README.md.
    """
    best = float("inf")
    for _ in range(6):
        began = time.process_time()
        work()
        took = time.process_time() - began
        if took >= enough:
            took /= max(1.0, _yardstick() / _YARDSTICK)
        best = min(best, took)
        if best < enough:
            break
    return best


def _yardstick() -> float:
    began = time.process_time()
    total = 0
    for number in range(1_000_000):
        total += number % 7
    return time.process_time() - began


def _missing(what: str) -> None:
    text = f"{what} is not installed; `make system` lists what tests use"
    if os.environ.get("KYODAKU_REQUIRE_ALL") == "1":
        pytest.fail(text)
    pytest.skip(text)
