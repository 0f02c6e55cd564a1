"""Shard jobs under datatrove: skipping, failing, stopping, and never outliving the parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from curation.jobs import run_jobs
from curation.steps import ShardJob, code_digest, digest
from kyodaku.errors import DecodeError, DiskFullError, KyodakuError
from kyodaku.reasons import FailReason


@dataclass(frozen=True)
class Config:
    """What the test step does: `fail` in {"", "disk", "decode", "bug", "die"}; `seconds` of work."""

    fail: str = ""
    seconds: float = 0.0


def step(shard_in: Mapping[str, Path], shard_out: Path, config: Config) -> Mapping[str, Any]:
    """Note that it ran, in which process."""
    with open(shard_out.parent / f"{shard_out.name}.ran", "a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(config.seconds)
    if config.fail == "disk":
        raise DiskFullError("no space left")
    if config.fail == "decode":
        raise DecodeError("cannot", FailReason.UNDECODABLE)
    if config.fail == "bug":
        raise ZeroDivisionError("a bug")
    if config.fail == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    (shard_out.parent / f"{shard_out.name}.parquet").write_bytes(b"done")
    return {"count": 1}


def jobs(folder: Path, count: int = 4, config: Config | None = None, inputs: str = "i") -> list[ShardJob]:
    return [
        ShardJob("test", step, {}, folder / "out" / f"{n:05d}", config or Config(), inputs, "code")
        for n in range(count)
    ]


def ran(folder: Path) -> list[str]:
    return sorted(p.stem for p in (folder / "out").glob("*.ran") for _ in p.read_text().splitlines())


@pytest.mark.parametrize("workers", [1, 3])
def test_done_is_skipped_and_any_other_digest_recomputes(
    tmp_path: Path, workers: int, capfd: pytest.CaptureFixture[str]
) -> None:
    seen: list[int] = []
    assert run_jobs(jobs(tmp_path), workers, tmp_path / "logs", seen.append) == 4
    assert seen[-1] == 4
    assert run_jobs(jobs(tmp_path), workers, tmp_path / "logs") == 0
    assert run_jobs(jobs(tmp_path, inputs="other"), workers, tmp_path / "logs") == 4
    assert run_jobs(jobs(tmp_path, 4, Config(seconds=0.001), "other"), workers, tmp_path / "logs") == 4
    (tmp_path / "out" / "00002.parquet").write_bytes(b"cut")
    assert run_jobs(jobs(tmp_path, 4, Config(seconds=0.001), "other"), workers, tmp_path / "logs") == 1
    assert len(ran(tmp_path)) == 13
    assert capfd.readouterr() == ("", "")
    assert "done" in (tmp_path / "logs" / "logs" / "task_00000.log").read_text()


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("fail", "kind"), [("disk", DiskFullError), ("decode", KyodakuError), ("bug", ZeroDivisionError)]
)
def test_a_failing_shard_is_told_and_the_others_stay(
    tmp_path: Path, workers: int, fail: str, kind: type[Exception]
) -> None:
    todo = jobs(tmp_path)
    todo[2] = replace(todo[2], config=Config(fail))
    with pytest.raises(kind):
        run_jobs(todo, workers, tmp_path / "logs")
    assert not todo[2].done()
    assert run_jobs(jobs(tmp_path), workers, tmp_path / "logs") >= 1
    assert all(job.done() for job in jobs(tmp_path))


def test_workers_import_nothing_from_where_we_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    strange = tmp_path / "strange"
    strange.mkdir()
    for name in ("struct", "pickle", "signal", "numpy", "pyarrow", "loguru"):
        (strange / f"{name}.py").write_text("open('ran', 'w')\n")
    monkeypatch.chdir(strange)
    assert run_jobs(jobs(tmp_path), 2, tmp_path / "logs") == 4
    assert not (strange / "ran").exists()
    assert "PYTHONSAFEPATH" not in os.environ


def test_a_killed_worker_is_an_error_not_a_hang(tmp_path: Path) -> None:
    todo = jobs(tmp_path)
    todo[1] = replace(todo[1], config=Config("die"))
    with pytest.raises(KyodakuError, match="killed"):
        run_jobs(todo, 2, tmp_path / "logs")


# A shell's background jobs, CI's among them, inherit an ignored SIGINT: the script asks for the usual one.
SCRIPT = """
import signal
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.curation.test_executor import Config, jobs
from curation.jobs import run_jobs
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    run_jobs(jobs(Path({folder!r}), 4, Config(seconds=60.0)), 2, Path({folder!r}) / "logs")
"""


def busy_parent(folder: Path) -> tuple[subprocess.Popen[bytes], list[psutil.Process]]:
    """A process with two workers in the middle of a step, and those workers."""
    script = folder / "parent.py"
    script.write_text(SCRIPT.format(root=str(Path(__file__).parents[2]), folder=str(folder)))
    parent = subprocess.Popen([sys.executable, str(script)], start_new_session=True)
    deadline = time.monotonic() + 60
    while len(ran(folder) if (folder / "out").exists() else []) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    return parent, psutil.Process(parent.pid).children(recursive=True)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_no_child_outlives_the_parent(tmp_path: Path, how: signal.Signals) -> None:
    parent, children = busy_parent(tmp_path)
    assert len(children) >= 2
    os.kill(parent.pid, how)
    parent.wait(timeout=30)
    _, alive = psutil.wait_procs(children, timeout=15)
    assert not alive


def test_digests_are_of_values_and_sources(tmp_path: Path) -> None:
    assert digest({"a": (1, 2), "b": frozenset({"y", "x"})}) == digest({"b": ["x", "y"], "a": [1, 2]})
    assert digest({"a": 1}) != digest({"a": 2})
    assert code_digest("curation.match") == code_digest("curation.match")
    assert code_digest("curation.match") != code_digest("curation.select")
    with pytest.raises(ValueError, match="no source"):
        code_digest("sys")
