"""Commands about a picture in hand: `match`, `optout`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kyodaku.cli import output
from kyodaku.cli.runs import RunsOption, release_folder

if TYPE_CHECKING:
    from kyodaku.lookup import InHand, Match

_PLAIN = "there is too little in it to tell it from other pictures: only equal bytes and pixels count"


def add_to(app: typer.Typer) -> None:
    """Register the commands of this file."""
    look = "Look at pictures"
    app.command(
        epilog="Example:  kyodaku match output.png --release runs/demo/latest/release/v1\n\n"
        "Exit codes: 0 looked, with a copy or without, 1 the release cannot be read, 2 wrong usage.",
        rich_help_panel=look,
    )(match)
    app.command(epilog="Example:  kyodaku optout cat.jpg >> optouts.jsonl", rich_help_panel=look)(optout)


def match(
    image: Annotated[Path, typer.Argument(help="A picture: an output of a model, or a work of yours.")],
    release: Annotated[
        Path,
        typer.Option(
            "--release", metavar="R", help="A release folder, or a run or recipe, whose latest one is meant."
        ),
    ],
    runs: RunsOption = Path("runs"),
    top: Annotated[int, typer.Option("--top", min=1, max=1000, help="How many to show.")] = 5,
    json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> None:
    """The released pictures nearest to one: which are copies, by how many bits, and whom to credit.

    Reads index.parquet and attribution.parquet of the release, and sends nothing anywhere.
    """
    from kyodaku.stages import import_for

    lookup = import_for("match", "kyodaku.lookup", "match")
    for package in ("PIL", "pdqhash", "faiss"):
        import_for("match", package, "match")
    folder = release if (release / "index.parquet").is_file() else release_folder(release, runs)
    with lookup.reader() as decoder:
        picture = lookup.read(image, decoder)
    found = lookup.find(picture, folder, top)
    if json:
        output.print_json(_as_json(picture, folder, found))
        return
    if not picture.matchable:
        output.say(f"{image}: {_PLAIN}")
    copies = [one for one in found if one.near]
    if not copies:
        nearest = f"; the nearest is {found[0].distance} bits away, which is chance" if found else ""
        output.say(f"no copy of {image} in {folder}{nearest}")
    for one in copies:
        for line in _lines(one):
            output.say(line)


def _lines(one: Match) -> list[str]:
    how = f" ({one.transform})" if one.transform else ""
    images = f"; {one.creator_images:,} of this creator in the release" if one.creator_images else ""
    return [
        f"{one.uid}  {one.distance} bits{how}",
        f"  credit: {one.credit or one.creator or 'nobody is named'}{images}",
        f"  licence: {one.licence or 'none stated'} {one.licence_url}".rstrip(),
        f"  from: {one.page_url or one.url}",
    ]


def _as_json(picture: InHand, folder: Path, found: list[Match]) -> dict[str, Any]:
    return {
        "file": str(picture.path),
        "release": str(folder),
        "sha256": picture.sha256,
        "pdq": picture.pdq,
        "pdq_quality": picture.quality,
        "note": "" if picture.matchable else _PLAIN,
        "matches": [asdict(one) for one in found],
    }


def optout(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Pictures to opt out.")],
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="Kept with each line.")] = "",
) -> None:
    """The line of an opt-out file that keeps a picture and its near copies out: hashes, never pixels."""
    from kyodaku.stages import import_for

    lookup = import_for("optout", "kyodaku.lookup", "match")
    for package in ("PIL", "pdqhash"):
        import_for("optout", package, "match")
    lines = []
    with lookup.reader() as decoder:
        for image in images:
            picture = lookup.read(image, decoder)
            lines.append(lookup.opt_out_line(picture, note))
            if not picture.matchable:
                output.progress_console().print(f"{image}: {_PLAIN}", markup=False, soft_wrap=True)
    for line in lines:
        sys.stdout.write(output.as_json(line) + "\n")
