"""What a recipe names beside itself: files and, with a host table, the only hosts there are."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from kyodaku.errors import RecipeProblem, UnsafeAddressError, UsageError
from kyodaku.netguard import HostTable, NetPolicy, check_url, load_host_table
from kyodaku.optouts import load_optouts
from kyodaku.recipe.recipe import Recipe, seed_urls, service_urls
from kyodaku.recipe.sections import HostEntry


def problems_around(sections: Mapping[str, Any], folder: Path) -> Iterator[RecipeProblem]:
    """What is wrong with the files and hosts that sound sections name. `folder` holds the recipe.

    A host table that is not there yet is no problem of the recipe: the web that it belongs to writes it.
    """
    seeds, network, captions = sections.get("seeds"), sections.get("network"), sections.get("captions")
    if seeds is not None:
        for number, name in enumerate(seeds.url_lists):
            if not (folder / name).is_file():
                yield RecipeProblem(f"seeds.url_lists.{number}", f"no such file: {_short(folder / name)}")
    if network is not None and network.host_table and (folder / network.host_table).is_file():
        try:
            table = load_host_table(folder / network.host_table)
        except UsageError as error:
            yield RecipeProblem("network.host_table", str(error))
        else:
            yield from _not_in_table(sections, table)
    registries = sections.get("registries")
    for number, name in enumerate(registries.files if registries is not None else ()):
        try:
            load_optouts([folder / name])
        except UsageError as error:
            yield RecipeProblem(f"registries.files.{number}", str(error))
    for number, entry in enumerate(sections.get("host") or ()):
        yield from _letter_problems(f"host.{number}", entry, folder)
    model = "" if captions is None else captions.model
    if model.startswith(("/", ".", "~")) and not Path(model).is_dir():
        yield RecipeProblem("captions.model", f"no model folder at {model}")


def _letter_problems(where: str, entry: HostEntry, folder: Path) -> Iterator[RecipeProblem]:
    path = folder / entry.letter
    try:
        digest = sha256(path.read_bytes()).hexdigest()
    except OSError:
        yield RecipeProblem(f"{where}.letter", f"no such file: {_short(path)}")
    else:
        if digest != entry.letter_sha256:
            yield RecipeProblem(f"{where}.letter_sha256", f"is not that of the letter, which is {digest}")
    if entry.until < datetime.now(UTC).date():
        yield RecipeProblem(f"{where}.until", f"ended on {entry.until}: ask the owner again")


def missing_host_table(recipe: Recipe, folder: Path) -> RecipeProblem | None:
    """The host table that `recipe` needs and that nobody has written yet. `folder` holds the recipe."""
    path = folder / recipe.network.host_table
    if not recipe.local_network or path.is_file():
        return None
    return RecipeProblem(
        "network.host_table", f"the host table {_short(path)} is not there; {start_web(path)}"
    )


def start_web(host_table: Path) -> str:
    """How to start the web that writes `host_table` and answers at its addresses."""
    folder = _short(host_table.parent)
    return f"start its web and leave it running, for the demo: .venv/bin/python -m tests.web --dir {folder}"


def _not_in_table(sections: Mapping[str, Any], table: HostTable) -> Iterator[RecipeProblem]:
    policy = NetPolicy(host_table=table)
    for where, url in (*seed_urls(sections), *service_urls(sections)):
        try:
            check_url(url, policy)
        except UnsafeAddressError as error:
            yield RecipeProblem(where, str(error))


def _short(path: Path) -> str:
    """`path` as people write it: without detours, from here if it lies below here."""
    whole = Path(os.path.abspath(path))
    return str(whole.relative_to(Path.cwd()) if whole.is_relative_to(Path.cwd()) else whole)
