"""What commands print: results for people or programs on stdout, progress and errors on stderr."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from kyodaku.errors import KyodakuError, RecipeError


def progress_console(*, quiet: bool = False) -> Console:
    """Where stages draw their progress."""
    return Console(stderr=True, quiet=quiet, highlight=False)


def say(text: str = "") -> None:
    """One line of a result, for people."""
    Console(highlight=False, soft_wrap=True).print(_harmless(text), markup=False)


def copy(text: str) -> None:
    """Lines to be copied as they are, tabs too; without a byte order mark, which nobody would see."""
    lines = re.split("\r\n|\r|\n", text.removeprefix("\ufeff").rstrip("\r\n"))
    sys.stdout.write("".join("\t".join(map(_harmless, line.split("\t"))) + "\n" for line in lines))


def show(renderable: Any) -> None:
    """A rich table or panel on stdout."""
    Console(highlight=False).print(renderable)


def print_json(value: Any) -> None:
    """One JSON object on stdout, for programs."""
    sys.stdout.write(as_json(value, indent=2) + "\n")


def as_json(value: Any, indent: int | None = None) -> str:
    """JSON with Japanese as it is, and what steers a terminal escaped: it may quote the web."""
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=_path_as_text)
    return "".join(char if char.isprintable() or char == "\n" else _escaped(char) for char in text)


def print_error(error: KyodakuError | str) -> None:
    """`error: ...` on stderr: one line, or one a problem for a recipe."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    lines = [str(error)]
    if isinstance(error, RecipeError):
        lines = [problem.located(error.path) for problem in error.problems]
    for line in lines:
        console.print("error:", style="bold red", end=" ")
        console.print(_harmless(line), markup=False)


def finish(*, well: bool) -> None:
    """End the command with exit code 1 unless all went well."""
    if not well:
        raise typer.Exit(1)


def _harmless(text: str) -> str:
    """One line without characters that steer a terminal: what we print may quote the web."""
    line = " ".join(text.splitlines())
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in line)


def _escaped(char: str) -> str:
    return json.dumps(char)[1:-1]


def _path_as_text(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
