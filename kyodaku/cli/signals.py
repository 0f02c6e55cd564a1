"""`kyodaku signals check` and `kyodaku signals list`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kyodaku.cli import output
from kyodaku.errors import MissingExtraError

if TYPE_CHECKING:
    from types import ModuleType

app = typer.Typer(
    help="The opt-out protocols: which are built, and do they pass the vectors.", no_args_is_help=True
)


class Mode(StrEnum):
    """The modes of published vectors."""

    SPEC = "spec"
    POLICY = "policy"


@app.command(epilog="Example:  kyodaku signals check signal_vectors.jsonl --mode policy")
def check(
    file: Annotated[Path, typer.Argument(help="Vectors, one JSON object a line.")],
    mode: Annotated[Mode | None, typer.Option("--mode", help="Only the vectors of this mode.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> None:
    """Run published signal vectors: how many of each protocol pass, fail, or are not supported yet."""
    vectors = _import("vectors", "signals check")
    report = vectors.run_vectors(file, mode.value if mode else None)
    if json:
        output.print_json(report.to_json())
    else:
        output.show(report.table())
        for failure in report.failures:
            output.say(f"{failure['id']}: expected {failure['expected']}, got {failure['got']}")
    output.finish(well=not report.failures)


@app.command("list", epilog="Example:  kyodaku signals list")
def list_(
    json: Annotated[bool, typer.Option("--json", help="Print the list as one JSON object.")] = False,
) -> None:
    """List the opt-out protocols that every crawl asks."""
    protocols = _import("protocols", "signals list").all_protocols()
    if json:
        output.print_json({"protocols": [{"name": p.name, "title": p.title} for p in protocols]})
        return
    width = max(len(p.name) for p in protocols)
    for protocol in protocols:
        output.say(f"{protocol.name:<{width}}  {protocol.title}")


def _import(module: str, command: str) -> ModuleType:
    from importlib import import_module

    try:
        return import_module(f"kyodaku.signals.{module}")
    except ModuleNotFoundError as error:
        raise MissingExtraError(command, "permission", error.name or "a package") from error
