"""Commands that look at pictures: `inspect`, `tune`, `review`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from kyodaku.cli import output

HtmlOption = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a page there, too.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands of this file."""
    look = "Look at pictures"
    app.command(
        epilog="Example:  kyodaku inspect scans/ --recipe datasets/demo --html sheet.html\n\n"
        "Exit codes: 0 every file is a picture and was looked at, 1 some could not be decoded (each "
        "says why) or an annotator broke, 2 a path or the recipe is wrong.",
        rich_help_panel=look,
    )(inspect)


def inspect(
    files: Annotated[
        list[Path], typer.Argument(help="Pictures, and folders of them.", metavar="IMAGE|FOLDER...")
    ],
    recipe: Annotated[
        Path | None,
        typer.Option("--recipe", help="Whose limits, annotators and filters to ask; else the defaults."),
    ] = None,
    html: HtmlOption = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a line, one for each file.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress; the result is still printed.")
    ] = False,
) -> None:
    """Every annotator on given files, and what a recipe's filters would say of them.

    Of a folder, what looks like a picture by its name or its first bytes; links are not followed. Nothing is
    sent anywhere, and nothing is said about permission: that is kyodaku check.
    """
    from kyodaku.recipe import load_recipe, recipe_file
    from kyodaku.stages import find_command

    chosen = load_recipe(recipe_file(recipe)) if recipe is not None else None
    well = True
    for one in find_command("inspect")(files, chosen, html, output.progress_console(quiet=quiet)):
        well = well and one.looked
        if json:
            sys.stdout.write(output.as_json(one.to_json()) + "\n")
        else:
            output.show(one.render())
    if html is not None and not json:
        output.say(f"page: {html}")
    output.finish(well=well)
