"""The program: commands put together, errors turned into one line and an exit code."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from kyodaku.cli import ask, check, copies, pictures, recipe, runs, signals, stages
from kyodaku.cli.output import print_error
from kyodaku.errors import KyodakuError


class Commands(TyperGroup):
    """The commands, with Ctrl-C as an ordinary end: one line and exit code 1."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise KyodakuError("stopped by Ctrl-C; run the same command again to go on") from None


app = typer.Typer(
    name="kyodaku",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Datasets of images and captions from the web in which every image can show why it was allowed to "
    "be there.",
    epilog="Begin with:  kyodaku recipe check datasets/demo    then:  kyodaku run datasets/demo\n\n"
    "Exit codes: 0 done, 1 the work failed or was stopped, 2 wrong usage or recipe.",
)


def _version(wanted: bool) -> None:
    if wanted:
        from kyodaku import __version__

        typer.echo(f"kyodaku {__version__}")
        raise typer.Exit


@app.callback()
def _kyodaku(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    pass


stages.add_to(app)
runs.add_to(app)
pictures.add_to(app)
copies.add_to(app)
ask.add_to(app)
check.add_to(app)
app.add_typer(recipe.app, name="recipe")
app.add_typer(signals.app, name="signals")


def main() -> None:
    """Entry point of the program `kyodaku`. KYODAKU_DEBUG=1 shows tracebacks."""
    try:
        sys.exit(app(standalone_mode=False) or 0)
    except KyodakuError as error:
        _give_up(error, error.exit_code)
    except TyperException as error:
        _give_up(_misused(error), 2)
    except Exception as error:
        text = str(error) or "no message"
        _give_up(
            f"unexpected {type(error).__name__}: {text} (KYODAKU_DEBUG=1 shows where; please report it)", 1
        )


def _misused(error: TyperException) -> str:
    """What is wrong with the words on the command line, "" where the help was printed instead."""
    said = error.format_message().replace("Value error, ", "").rstrip(".")
    named = getattr(getattr(error, "ctx", None), "command_path", "kyodaku")
    return f"{said}; {named} --help tells more" if said else ""


def _give_up(error: KyodakuError | str, code: int) -> None:
    if os.environ.get("KYODAKU_DEBUG") == "1":
        raise
    if str(error):
        print_error(error)
    sys.exit(code)
