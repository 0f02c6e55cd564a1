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

#: What is said above the hosts of one `StoppedBy`.
SAID = {
    "inference": "stopped by what we inferred from the groups of other crawlers; a reply is enough:",
    "explicit": "refused in so many words; the letter asks, a reply lifts nothing, only changed lines do:",
    "unreadable": "held, because no rules could be read; a reply lifts nothing, only a readable answer does:",
}


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
    for kind, words in SAID.items():
        of_kind = [letter for letter in letters if letter.host.stopped_by == kind]
        if of_kind:
            output.say(words)
            output.show(_table(of_kind))
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

    from kyodaku.letters.words import quoted
    from kyodaku.report.plaintext import plain

    table = Table("host", "free images", "images", "pages", "stopped by", box=None, pad_edge=False)
    for letter in letters:
        host = letter.host
        table.add_row(
            Text(plain(host.host, 80)),
            f"{host.free_images:,}",
            f"{host.images:,}",
            f"{host.pages:,}",
            Text(quoted(host.lines[0], 60)),
        )
    return table


def _verbatim(text: str) -> object:
    from rich.text import Text

    return Text("\n" + text)
