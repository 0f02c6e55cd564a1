"""Commands that look at pictures: `inspect`, `tune`, `review`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from kyodaku.cli import output
from kyodaku.cli.runs import JsonOption, RunArgument, RunsOption

HtmlOption = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Write a page there, too; replaces none but pages."),
]


def add_to(app: typer.Typer) -> None:
    """Register the commands of this file."""
    look = "Look at pictures"
    app.command(
        epilog="Example:  kyodaku inspect scans/ --recipe datasets/demo --html sheet.html\n\n"
        "Exit codes: 0 every file is a picture and was looked at, 1 some could not be decoded (each "
        "says why) or an annotator broke, 2 a path or the recipe is wrong, or there is no picture.",
        rich_help_panel=look,
    )(inspect)
    app.command(epilog="Example:  kyodaku tune datasets/demo --html tune.html", rich_help_panel=look)(tune)
    app.command(epilog="Example:  kyodaku review datasets/demo --who Ann", rich_help_panel=look)(review)


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
            output.say(str(one.path))
            output.show(one.render())
    if html is not None and not json:
        output.say(f"page: {html}")
    output.finish(well=well)


def tune(
    run: RunArgument,
    runs: RunsOption = Path("runs"),
    recipe: Annotated[
        Path | None, typer.Option("--recipe", help="Whose filters to begin from; else those of the run.")
    ] = None,
    html: HtmlOption = None,
    json: JsonOption = False,
) -> None:
    """What every setting of the filters does to a run, and what other values would keep or drop.

    Reads facts and decisions only: nothing is looked at or decided again. Duplicates and reposts rest on many
    pictures at once, so they are not tried.
    """
    from kyodaku.lock import read_lock
    from kyodaku.recipe import load_recipe, recipe_file
    from kyodaku.runs import find_run
    from kyodaku.stages import find_command

    folder = find_run(run, runs)
    chosen = load_recipe(recipe_file(recipe)) if recipe is not None else read_lock(folder).recipe
    told = find_command("tune")(folder, chosen, html)
    if json:
        output.print_json(told.to_json())
    else:
        output.show(told.render())
        if html is not None:
            output.say(f"page: {html}")


def review(
    run: RunArgument,
    runs: RunsOption = Path("runs"),
    who: Annotated[
        str,
        typer.Option("--who", metavar="NAME", help="Your name in reviews.jsonl; else that of your account."),
    ] = "",
    sample: Annotated[
        int,
        typer.Option(
            "--sample", min=0, metavar="N", help="Judge N of what would be released, to sign it off."
        ),
    ] = 0,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the sample.")] = 0,
    picture: Annotated[
        list[str] | None,
        typer.Option("--picture", metavar="UID", help="Only this one, released or not. Repeat."),
    ] = None,
    bind: Annotated[
        str,
        typer.Option(
            "--bind", metavar="ADDRESS", help="Where to listen; anything but loopback is plain HTTP."
        ),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any that is free.")] = 0,
) -> None:
    """Look at what was set aside, on a page of this machine, by keyboard: allow, drop or unsure.

    Open the address that is printed; nobody else can without it. Ctrl-C ends. What you say is kept at once
    and counts from the next kyodaku curate on. It never lifts a refusal.
    """
    import getpass
    import ipaddress

    from kyodaku.errors import UsageError
    from kyodaku.runs import find_run
    from kyodaku.stages import find_command

    try:
        ipaddress.ip_address(bind)
    except ValueError:
        raise UsageError(f"--bind {bind}: not an IP address") from None
    if sample and picture:
        raise UsageError("either --sample or --picture")
    name = who.strip() or getpass.getuser()
    try:
        name.encode()
    except UnicodeEncodeError:  # bytes of a shell or an account that are no UTF-8
        shown = name.encode("utf-8", "backslashreplace").decode()
        raise UsageError(f"--who {shown}: a name that reviews.jsonl cannot hold; give one in UTF-8") from None

    def ready(url: str, waiting: int) -> None:
        output.say(f"{waiting:,} to look at: {url}")
        output.say("Ctrl-C ends; what you said is kept")

    serve = find_command("review")
    done = serve(
        find_run(run, runs), name, sample=sample, seed=seed,
        pictures=tuple(picture or ()), host=bind, port=port, ready=ready,
    )  # fmt: skip
    output.say(
        ", ".join(f"{count:,} {state}" for state, count in sorted(done.states.items())) or "nothing to do"
    )
    if sample and done.signed_off is None:
        output.say("the sample is not finished: the card of a release does not carry it yet")
    elif sample:
        output.say(
            f"signed off: {done.signed_off.bad} bad of {done.signed_off.size}; the next release carries it "
            "if nothing else changes what is in it (another review does, from the next kyodaku curate on: "
            "sample again then)"
        )
