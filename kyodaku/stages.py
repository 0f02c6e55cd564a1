"""What a stage of a run is to the command line: a function from a StageContext to a StageSummary.

Rooms offer their stages as entry points in the group `kyodaku.stages` (pyproject.toml); the core
finds them by name and never imports a room.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path

from rich.console import Console

from kyodaku.errors import MissingExtraError, UsageError
from kyodaku.recipe import Recipe
from kyodaku.runs import RunFolder

#: Wall clock for what is recorded (Unix seconds); scheduling never uses it.
Clock = Callable[[], float]

_EXTRA_OF_STAGE = {"crawl": "crawl", "curate": "curate", "release": "curate"}


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


Stage = Callable[[StageContext], StageSummary]


def find_stage(name: str) -> Stage:
    """The stage `name` of whichever room provides it.

    Raises:
        MissingExtraError: its packages are not installed.
        UsageError: no such stage.
    """
    for entry in entry_points(group="kyodaku.stages"):
        if entry.name == name:
            try:
                stage: Stage = entry.load()
            except ModuleNotFoundError as error:
                raise MissingExtraError(
                    name, _EXTRA_OF_STAGE.get(name, name), error.name or "a package"
                ) from error
            return stage
    raise UsageError(f"no stage named {name!r} is installed; reinstall kyodaku")
