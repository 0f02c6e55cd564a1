"""`kyodaku check`: would a crawl take this, and why? For artists, site owners, and writers of recipes."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kyodaku.cli import output
from kyodaku.errors import UsageError

if TYPE_CHECKING:
    from kyodaku.checking import Checked
    from kyodaku.netguard import NetPolicy
    from kyodaku.permission import Permission
    from kyodaku.recipe import Recipe

#: Bytes of a file that is read from the disk.
_MAX_FILE = 200 * 10**6


class ReadingMode(StrEnum):
    """How signals are read."""

    SPEC = "spec"
    POLICY = "policy"


class Language(StrEnum):
    """The language of the answer."""

    EN = "en"
    JA = "ja"


def add_to(app: typer.Typer) -> None:
    """Register the command of this file."""
    app.command(
        epilog="Example:  kyodaku check https://artist.example/art/  or  kyodaku check --file picture.jpg\n\n"
        "Exit codes: 0 answered, 1 there was nothing to answer about, 2 wrong usage.",
        rich_help_panel="Check and tidy",
    )(check)


def check(
    urls: Annotated[list[str] | None, typer.Argument(metavar="URL...", help="Pages or images.")] = None,
    files: Annotated[
        list[Path] | None, typer.Option("--file", metavar="IMAGE", help="Read what is inside a file instead.")
    ] = None,
    recipe: Annotated[
        Path | None,
        typer.Option(
            "--recipe", metavar="RECIPE", help="Whose rules; without one, whatever nobody reserved."
        ),
    ] = None,
    page: Annotated[
        str, typer.Option("--page", metavar="URL", help="The page that shows the image named by URL.")
    ] = "",
    reading: Annotated[
        ReadingMode, typer.Option("--reading", help="The letter of the specifications, or what crawls use.")
    ] = ReadingMode.POLICY,
    host_table: Annotated[
        Path | None, typer.Option("--host-table", metavar="FILE", help="Names to local addresses, for tests.")
    ] = None,
    images: Annotated[int, typer.Option("--images", min=1, max=100, help="Images of a page to look at.")] = 5,
    lang: Annotated[Language, typer.Option("--lang", help="The language of the answer.")] = Language.EN,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Ask the gates about a page, an image or a file: would a crawl take it, and which line decides?

    It asks politely, as a crawl does, and takes nothing. A site that shuts us out is not asked further.
    """
    if not urls and not files:
        raise UsageError(
            "name a URL, or a file with --file; for example: kyodaku check https://artist.example/"
        )
    for url in (*(urls or ()), *([page] if page else ())):
        if not url.lower().startswith(
            ("http://", "https://")
        ):  # a no to it would be no answer about the site
            raise UsageError(f"{url} is no address of the web; write e.g. https://{url.lstrip('/')}")
    from kyodaku.stages import import_for

    import_for("check", "kyodaku.checking", "permission")
    chosen, net = _rules_of(recipe, host_table)
    with closing(_permission(chosen, net, reading.value, recipe)) as gates:
        found = [_file(path, gates) for path in files or ()]
        if urls:
            found += asyncio.run(_ask(urls, chosen, net, gates, images, page))
    _tell(found, lang.value, json)
    output.finish(well=all(item.outcome.value != "failed" for item in found))


def _rules_of(recipe: Path | None, host_table: Path | None) -> tuple[Recipe, NetPolicy]:
    from kyodaku.netguard import NetPolicy, load_host_table
    from kyodaku.recipe import load_recipe, parse_recipe, recipe_file

    if recipe is not None:
        chosen = load_recipe(recipe)
        if host_table is None and chosen.network.host_table:
            host_table = recipe_file(recipe).parent / chosen.network.host_table
    else:
        delay = "50 ms" if host_table is not None else "500 ms"
        chosen = parse_recipe(
            {
                "version": 1,
                "name": "check",
                "operator": {"crawler": "KyodakuCheck"},
                "seeds": {"sites": ["https://a.example/"]},
                # No crawl is made by these rules; what may be asked says the net policy below.
                "network": {
                    "host_table": "none",
                    "timeout": "20 s",
                    "formats": ["jpeg", "png", "webp", "gif", "avif", "tiff"],
                },
                "politeness": {"delay": delay},
                "permission": {"basis": "not-opted-out"},
            },
            "the rules of check",
        )
    return chosen, NetPolicy(host_table=None if host_table is None else load_host_table(host_table))


def _permission(recipe: Recipe, net: NetPolicy, mode: str, path: Path | None) -> Permission:
    from dataclasses import replace

    from kyodaku.permission import Permission
    from kyodaku.recipe import recipe_file
    from kyodaku.registry_client import EMPTY_SNAPSHOT, load_registries
    from kyodaku.rules import Rules

    snapshot = EMPTY_SNAPSHOT if path is None else load_registries(recipe, recipe_file(path))
    return Permission(replace(Rules.from_recipe(recipe, net), mode=mode), snapshot, time.time)


async def _ask(
    urls: list[str], recipe: Recipe, net: NetPolicy, gates: Permission, images: int, page: str
) -> list[Checked]:
    from kyodaku.checking import Asker, check_url
    from kyodaku.fetcher import Fetcher
    from kyodaku.spawning import SpawningClient

    section = recipe.registries.spawning
    async with Fetcher.for_recipe(recipe, net) as fetcher:
        registry = None if section is None else SpawningClient.of(section, fetcher.get, time.time)
        asker = Asker(fetcher, registry)
        return [
            await check_url(url, gates, asker, images=images, redirects=recipe.network.redirects, page=page)
            for url in urls
        ]


def _file(path: Path, gates: Permission) -> Checked:
    from kyodaku.checking import check_file

    try:
        if path.stat().st_size > _MAX_FILE:
            raise UsageError(f"{path}: larger than {_MAX_FILE // 10**6} MB")
        body = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
    return check_file(str(path), body, gates, time.time())


def _tell(found: list[Checked], lang: str, json: bool) -> None:
    from kyodaku.checking_words import sentence, to_json, tree

    for item in found:
        if json:
            sys.stdout.write(output.as_json(to_json(item, lang)) + "\n")
            continue
        output.say(sentence(item, lang))
        output.show(tree(item, lang))
        output.say()
