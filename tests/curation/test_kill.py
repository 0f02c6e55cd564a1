"""kill -9 in the middle of curate and release, again and again: the end is that of a run left alone."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from curation.stage import curate, release
from kyodaku.runs import RunFolder
from tests.curation.conftest import tree
from tests.curation.fixtures import NOAI, Found, context, jpeg, make_run

ROOT = Path(__file__).parents[2]

SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from curation.stage import curate, release
from kyodaku.runs import RunFolder
from tests.curation.fixtures import context
if __name__ == "__main__":
    work = context(RunFolder(Path({run!r})), workers=2)
    Path({run!r}, "started").touch()
    curate(work)
    release(work)
"""


def pictures() -> list[Found]:
    found = [Found(f"p{n}", jpeg(n, 420, 360)) for n in range(10)]
    return [*found, Found("no", jpeg(90), signals=(NOAI,)), Found("copy", jpeg(3, 420, 360))]


def killed_once(run: RunFolder, script: Path, delay: float) -> bool:
    """Start the work and kill its whole group `delay` seconds after it began; False if it had ended."""
    (run.path / "started").unlink(missing_ok=True)
    child = subprocess.Popen([sys.executable, str(script)], start_new_session=True)
    deadline = time.monotonic() + 60
    while not (run.path / "started").exists() and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(delay)
    ended = child.poll() is not None
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    return not ended


def survive(tmp_path: Path, kills: int, seed: int) -> None:
    whole = make_run(tmp_path / "whole", pictures())
    curate(context(whole))
    release(context(whole))
    broken = make_run(tmp_path / "broken", pictures())
    script = tmp_path / "work.py"
    script.write_text(SCRIPT.format(root=str(ROOT), run=str(broken.path)))
    rng = random.Random(seed)
    hit = sum(killed_once(broken, script, rng.uniform(0.0, 1.8)) for _ in range(kills))
    assert hit, "no kill came before the end"
    curate(context(broken))
    release(context(broken))
    assert tree(broken.release()) == tree(whole.release())
    assert tree(broken.decisions) == tree(whole.decisions)
    assert tree(broken.raw) == tree(whole.raw)
    assert sorted(path.name for path in broken.release().parent.iterdir()) == ["v1"]
    assert not list(broken.path.rglob("*.tmp"))


def test_killed_in_the_middle(tmp_path: Path) -> None:
    survive(tmp_path, kills=3, seed=5)


@pytest.mark.deep
def test_killed_many_times(tmp_path: Path) -> None:
    survive(tmp_path, kills=20, seed=6)
