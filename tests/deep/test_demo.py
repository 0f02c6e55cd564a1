"""`make demo` in a clean copy of the checkout: what a newcomer does first, twice."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.core.test_layout import ROOT, tracked

pytestmark = [pytest.mark.deep, pytest.mark.timeout(900)]


def demo(copy: Path) -> tuple[str, float]:
    """What the demo prints, and how many seconds it took."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "tests.demo"],
        cwd=copy,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "Task was destroyed" not in done.stderr
    return done.stdout, time.monotonic() - began


def test_the_first_demo_and_the_second(tmp_path: Path) -> None:
    for path in tracked():
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    shown, seconds = demo(tmp_path)
    assert seconds < 300, "the demo takes less than five minutes"
    for name in re.findall(r"^  (runs/\S+)", shown, re.M):
        assert (tmp_path / name).exists(), name
    assert "release/v1/report.html" in shown
    again, quick = demo(tmp_path)
    assert "is up to date" in again
    assert quick < seconds
    assert [path.name for path in (tmp_path / "runs/demo/latest/release").iterdir()] == ["v1"]
