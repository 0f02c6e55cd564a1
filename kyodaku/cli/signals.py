"""`kyodaku signals check` and `kyodaku signals list`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kyodaku.cli import audit, output

if TYPE_CHECKING:
    from rich.table import Table

    from kyodaku.registry_client import AboutRegistry
    from kyodaku.signals.protocols import Protocol
    from kyodaku.signals.vectors import VectorReport

app = typer.Typer(
    help="The opt-out protocols: which are built, and do they pass the vectors.", no_args_is_help=True
)
app.command(
    "audit",
    epilog="Example:  kyodaku signals audit https://museum.example/  or  kyodaku signals audit public/",
)(audit.audit)


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
    from kyodaku.stages import import_for

    vectors = import_for("signals check", "kyodaku.signals.vectors", "permission")
    report = vectors.run_vectors(file, mode.value if mode else None)
    if json:
        output.print_json(report.to_json())
    else:
        output.show(_table(report))
        for failure in report.total.failures:
            output.say(f"{failure.id}: expected {failure.expected}, got {failure.got}")
    output.finish(well=report.ok)


@app.command("list", epilog="Example:  kyodaku signals list")
def list_(
    json: Annotated[bool, typer.Option("--json", help="Print the list as one JSON object.")] = False,
) -> None:
    """List the opt-out protocols that every crawl asks, and the registries that a recipe can name."""
    from kyodaku.stages import import_for

    protocols = import_for("signals list", "kyodaku.signals.protocols", "permission").all_protocols()
    from kyodaku.registry_client import ABOUT_REGISTRIES

    if json:
        rows = [{"name": p.name, "title": p.title, **dataclasses.asdict(p.about)} for p in protocols]
        registries = [dataclasses.asdict(about) for about in ABOUT_REGISTRIES]
        output.print_json({"protocols": rows, "registries": registries})
        return
    output.show(_protocols(protocols))
    output.show(_registries(ABOUT_REGISTRIES))


def _protocols(protocols: Sequence[Protocol]) -> Table:
    from rich.table import Table

    table = Table("protocol", "where it stands", "speaks about", "in spec mode", "by policy", show_lines=True)
    for column in table.columns:
        column.overflow = "fold"  # no name is cut off
    for protocol in protocols:
        about = protocol.about
        table.add_row(protocol.name, about.where, about.scope, about.spec, about.policy)
    return table


def _registries(registries: Sequence[AboutRegistry]) -> Table:
    from rich.table import Table

    table = Table("registry", "what it is", "speaks about", "what it sees of a crawl", show_lines=True)
    for column in table.columns:
        column.overflow = "fold"
    for about in registries:
        table.add_row(about.table, about.what, about.scope, about.sees)
    return table


def _table(report: VectorReport) -> Table:
    from rich.table import Table

    table = Table("signal", "passed", "failed", "unsupported")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, tally in [*report.protocols.items(), ("all", report.total)]:
        table.add_row(name, str(tally.passed), str(tally.failed), str(tally.unsupported))
    return table
