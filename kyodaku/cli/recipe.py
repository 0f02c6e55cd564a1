"""`kyodaku recipe check` and `kyodaku recipe schema`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from kyodaku.cli import output

app = typer.Typer(help="Check a recipe, or print the JSON Schema of recipes.", no_args_is_help=True)


@app.command(epilog="Example:  kyodaku recipe check datasets/demo")
def check(
    path: Annotated[Path, typer.Argument(help="A recipe.toml, or the folder that holds it.")],
    json: Annotated[bool, typer.Option("--json", help="Print the findings as one JSON object.")] = False,
) -> None:
    """Say everything that is wrong with a recipe, each with its line. Starts nothing."""
    from kyodaku.errors import RecipeError
    from kyodaku.recipe import check_recipe, missing_host_table, placeholders, recipe_file

    try:
        recipe = check_recipe(path)
    except RecipeError as error:
        if not json:
            raise
        problems = [{"where": p.where, "line": p.line, "message": p.message} for p in error.problems]
        output.print_json({"ok": False, "path": error.path, "problems": problems})
        raise typer.Exit(error.exit_code) from None
    open_points = placeholders(recipe)
    if table := missing_host_table(recipe, recipe_file(path).parent):
        open_points.append(table)
    if json:
        output.print_json(
            {
                "ok": True,
                "name": recipe.name,
                "local_network": recipe.local_network,
                "before_a_crawl": [{"where": p.where, "message": p.message} for p in open_points],
            }
        )
        return
    where = "this machine only (host table)" if recipe.local_network else "the public internet"
    output.say(f"{recipe.name}: fine. Basis {recipe.permission.basis}, crawls {where}.")
    for point in open_points:
        output.say(f"before a crawl: {point.where} {point.message}")


@app.command(epilog="Example:  kyodaku recipe schema > datasets/recipe.schema.json")
def schema() -> None:
    """Print the JSON Schema of recipes, for editors."""
    from kyodaku.recipe import schema_text

    sys.stdout.write(schema_text())
