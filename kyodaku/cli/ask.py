"""`kyodaku ask`: letters to owners of hosts that stopped a crawl although their pictures seem to be free."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from kyodaku.cli import output
from kyodaku.cli.runs import JsonOption, RunArgument, RunsOption

if TYPE_CHECKING:
    from kyodaku.letters.write import Letter


def add_to(app: typer.Typer) -> None:
    """Register the command of this file."""
    app.command(epilog="Example:  kyodaku ask datasets/demo", rich_help_panel="Look at a run")(ask)


def ask(run: RunArgument, runs: RunsOption = Path("runs"), json: JsonOption = False) -> None:
    """Write letters to owners whose files stopped us although a licence says their pictures are free.

    A letter tells what was asked for, quotes the line that stopped us and gives the smallest lines that would
    let us in, in English and Japanese. You send it; Kyodaku never does. A reply goes into the recipe as a
    \\[\\[host]] table with its digest, the paths and a last day: it lifts what we inferred from the groups of
    other crawlers and nothing else.
    """
    from kyodaku.lock import read_lock
    from kyodaku.runs import find_run
    from kyodaku.stages import import_for

    folder = find_run(run, runs)
    letters = import_for("ask", "kyodaku.letters.write", "match").write_letters(
        folder, read_lock(folder).recipe
    )
    if json:
        output.print_json([letter.to_json() for letter in letters])
        return
    if not letters:
        output.say("no host stopped this crawl that shows pictures with a free licence: nothing to ask")
        return
    output.show(_table(letters))
    for letter in letters:
        output.say(f"{letter.host.host}: {letter.path}")
    if any(letter.host.inferred for letter in letters):
        output.say("where a reply is enough, keep it beside the recipe and add to recipe.toml:")
        for letter in letters:
            if letter.host.inferred:
                output.show(_verbatim(letter.entry))


def _table(letters: Sequence[Letter]) -> object:
    from rich.table import Table
    from rich.text import Text

    from kyodaku.report.plaintext import plain

    table = Table("host", "pages", "images", "stopped by", "a reply is enough", box=None, pad_edge=False)
    for letter in letters:
        host = letter.host
        table.add_row(
            Text(plain(host.host, 80)),
            f"{host.pages:,}",
            f"{host.images:,}",
            Text(plain(host.lines[0].raw or host.lines[0].parsed, 60)),
            "yes" if host.inferred else "no",
        )
    return table


def _verbatim(text: str) -> object:
    from rich.text import Text

    return Text("\n" + text)
