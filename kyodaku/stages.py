"""What a stage of a run is to the command line: a function from a StageContext to a StageSummary.

Rooms offer their stages as entry points in the group `kyodaku.stages` (pyproject.toml); the core
finds them by name and never imports a room.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from rich.console import Console

from kyodaku.errors import KyodakuError, MissingExtraError, UsageError
from kyodaku.recipe import Recipe
from kyodaku.runs import RunFolder

#: Wall clock for what is recorded (Unix seconds); scheduling never uses it.
Clock = Callable[[], float]

_ROOMS = ("kyodaku", "crawler", "curation", "registry")

#: The extra that provides a stage or command.
_EXTRA_OF = {
    "recheck": "permission",
    "recheck-stale": "permission",
    "crawl": "crawl",
    "status": "crawl",
    "curate": "curate",
    "release": "curate",
    "gc": "curate",
    "inspect": "curate",
    "tune": "curate",
    "review": "curate",
}


@dataclass(frozen=True)
class StageContext:
    """Everything a stage is given. `recipe_path` is the file the recipe was read from, for relative paths;
    `workers` the number of processes a stage may use."""

    recipe: Recipe
    recipe_path: Path
    run: RunFolder
    console: Console
    clock: Clock = time.time
    workers: int = 1
    quiet: bool = False


@dataclass(frozen=True)
class StageSummary:
    """How a stage ended. `complete` is False when it stopped cleanly before its end (Ctrl-C, disk full):
    running again goes on. `lines` are for people, `counts` for programs."""

    stage: str
    complete: bool
    lines: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


def available_cpus() -> int:
    """How many processes are worth starting: the CPUs we may use, where the system tells them apart."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def counted(number: int, thing: str) -> str:
    """`1 shard`, `2 shards`: for the lines of summaries."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


Stage = Callable[[StageContext], StageSummary]


def find_stage(name: str) -> Stage:
    """The stage `name` of whichever room provides it.

    Raises:
        MissingExtraError: its packages are not installed.
        UsageError: no such stage.
    """
    stage: Stage = _load("kyodaku.stages", name)
    return stage


def find_command(name: str) -> Callable[..., Any]:
    """The function that a room offers for the sub-command `name` (entry points `kyodaku.commands`).

    Raises:
        MissingExtraError: its packages are not installed.
        UsageError: no room offers it.
    """
    command: Callable[..., Any] = _load("kyodaku.commands", name)
    return command


def import_for(command: str, module: str, extra: str) -> ModuleType:
    """The module that a command of the core needs and that `extra` makes importable.

    Raises:
        MissingExtraError: a package of the extra is not installed.
        KyodakuError: a module of Kyodaku itself is missing.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise _missing(command, extra, error) from error


def _load(group: str, name: str) -> Any:
    for entry in entry_points(group=group, name=name):
        try:
            return entry.load()
        except ModuleNotFoundError as error:
            raise _missing(name, _EXTRA_OF.get(name, name), error) from error
    raise UsageError(f"nothing named {name!r} is installed; reinstall kyodaku")


def _missing(command: str, extra: str, error: ModuleNotFoundError) -> KyodakuError:
    missing = error.name or "a package"
    if missing.split(".")[0] in _ROOMS:
        return KyodakuError(f"`kyodaku {command}` needs {missing}, which is not there; reinstall kyodaku")
    return MissingExtraError(command, extra, missing)
