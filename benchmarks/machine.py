"""What machine a figure was measured on, and how a process is measured."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """One process and its children: seconds on the clock, seconds of CPU, peak memory in MB, output."""

    wall: float
    cpu: float
    peak_mb: float
    output: str


def measure(command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> Cost:
    """Run `command` to its end. Raises RuntimeError with its errors when it fails."""
    began = time.monotonic()
    errors = folder / "errors.txt"
    with errors.open("wb") as error_file:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=error_file, env={**os.environ, **(environment or {})}
        )
        output = process.stdout.read().decode() if process.stdout else ""
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {errors.read_text()[-2000:]}{output[-500:]}")
    wall = time.monotonic() - began
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, output)


def describe() -> str:
    """One line: processor, cores, memory, Python."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}"
