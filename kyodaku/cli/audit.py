"""`kyodaku signals audit`: what a site's files say about its images, and texts that say what is wanted."""

from __future__ import annotations

import re
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kyodaku.cli import output
from kyodaku.errors import UsageError

if TYPE_CHECKING:
    from kyodaku.audit.advice import Advice
    from kyodaku.audit.findings import Finding
    from kyodaku.audit.live import Audited
    from kyodaku.audit.proof import Conflict


class Lang(StrEnum):
    """Languages of the findings."""

    EN = "en"
    JA = "ja"


_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?")
_HEADINGS = {
    Lang.EN: ("level", "protocol", "where", "quote", "meaning"),
    Lang.JA: ("重大度", "プロトコル", "場所", "引用", "意味と対処"),
}
_GRAVEST_FIRST = ("error", "warning", "note")
_MAX_FILE = 4 * 1024 * 1024
_ALSO = ("/llms.txt", "/license.xml")


def audit(
    site: Annotated[
        str, typer.Argument(metavar="SITE", help="A URL, or a folder with the files as they would be served.")
    ],
    want: Annotated[
        str, typer.Option("--want", help="no, yes, or yes:/open/ no:/loans/ credit:'Museum X'.")
    ] = "",
    origin: Annotated[
        str, typer.Option("--origin", help="Where the folder will be served, e.g. https://museum.example.")
    ] = "",
    recipe: Annotated[
        Path | None,
        typer.Option("--recipe", metavar="RECIPE", help="Ask by the name and the manners of its crawl."),
    ] = None,
    host_table: Annotated[
        Path | None, typer.Option("--host-table", metavar="FILE", help="Names to local addresses, for tests.")
    ] = None,
    lang: Annotated[Lang, typer.Option("--lang", help="Language of the findings.")] = Lang.EN,
    json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> None:
    """What your site, or the files of it, say about its images, and how to say what you want."""
    from kyodaku.audit.advice import advise
    from kyodaku.audit.proof import against, prove
    from kyodaku.audit.wish import parse_wish

    wish = parse_wish(want) if want else None
    if site.lower().startswith(("http://", "https://")):
        if origin:
            raise UsageError("--origin is for a folder; a URL says itself where it is served")
        asked = _asked(site, recipe, host_table)
    else:
        if recipe is not None or host_table is not None:
            raise UsageError("--recipe and --host-table are for a URL; a folder is only read")
        asked = _in_folder(Path(site), origin, want)
    advice, conflicts = None, []
    if wish is not None:
        advice = advise(wish, asked.origin, asked.bodies)
        conflicts = prove(wish, advice, asked.origin, asked.bodies, time.time())
        conflicts += against(wish, asked.origin, asked.unknown, asked.images)
    if json:
        output.print_json(_json(asked.findings, advice, conflicts, lang))
    else:
        _show(asked.findings, advice, conflicts, lang)
    output.finish(well=not conflicts)


def _asked(url: str, recipe: Path | None, host_table: Path | None) -> Audited:
    from kyodaku.stages import import_for

    found: Audited = import_for("signals audit", "kyodaku.cli.audit_site", "permission").look(
        url, recipe, host_table
    )
    return found


def _in_folder(folder: Path, origin: str, want: str) -> Audited:
    from kyodaku.audit.contradictions import audit as audited
    from kyodaku.audit.live import Audited

    if origin and not _ORIGIN.fullmatch(origin):
        raise UsageError(f"--origin: {origin} is no origin; write e.g. https://museum.example")
    if want and not origin:
        raise UsageError("--want needs --origin: the texts name addresses of your site")
    origin, bodies = origin or "https://site.invalid", _read(folder)
    return Audited(origin, audited(origin, bodies, time.time()), bodies)


def _read(site: Path) -> dict[str, bytes]:
    from kyodaku.signals.protocols import all_protocols

    if not site.is_dir():
        raise UsageError(
            f"{site}: no folder and no URL; name a folder with robots.txt and its neighbours as they are "
            "served, or e.g. https://museum.example/"
        )
    paths = dict.fromkeys(path for protocol in all_protocols() for path in protocol.host_files)
    bodies = {}
    for path in (*paths, *_ALSO):
        file = site / path.lstrip("/")
        try:
            if file.is_file():
                with file.open("rb") as stream:
                    bodies[path] = stream.read(_MAX_FILE)
        except OSError as error:
            raise UsageError(f"{file}: cannot be read ({error.strerror})") from error
    return bodies


def _json(
    findings: list[Finding], advice: Advice | None, conflicts: list[Conflict], lang: Lang
) -> dict[str, Any]:
    from dataclasses import asdict

    result: dict[str, Any] = {"findings": [finding.to_json(lang.value) for finding in findings]}
    if advice is not None:
        result["conflicts"] = [asdict(conflict) for conflict in conflicts]
    if advice is not None and not conflicts:
        result["files"] = {path: body.decode("utf-8", "replace") for path, body in advice.files.items()}
        result["headers"] = {path: dict(pairs) for path, pairs in advice.headers.items()}
        result["schema_org"] = advice.schema_org
    return result


def _show(findings: list[Finding], advice: Advice | None, conflicts: list[Conflict], lang: Lang) -> None:
    from rich.table import Table
    from rich.text import Text

    from kyodaku.audit.findings import LEVELS_JA

    graver = sum(finding.level != "note" for finding in findings)
    notes = len(findings) - graver
    plain = f"{graver} to mend, {notes} {'note' if notes == 1 else 'notes'}."
    output.say(f"要修正 {graver} 件、注記 {notes} 件。" if lang is Lang.JA else plain)
    if findings:
        table = Table()
        for heading in _HEADINGS[lang]:
            table.add_column(heading, overflow="fold")
        for f in sorted(findings, key=lambda finding: _GRAVEST_FIRST.index(finding.level)):
            where = f"{f.where}:{f.line}" if f.line else f.where
            level = LEVELS_JA[f.level] if lang is Lang.JA else f.level
            table.add_row(
                level, Text(f.protocol), Text(_plain(where)), Text(_plain(f.quote)), Text(f.text(lang.value))
            )
        output.show(table)
    for conflict in conflicts:
        output.say(_declined(conflict, lang))
    if advice is not None and not conflicts:
        _advice(advice, lang)


def _plain(text: str) -> str:
    """Without what steers a terminal."""
    return "".join(char if char.isprintable() else " " for char in text)


def _declined(c: Conflict, lang: Lang) -> str:
    from kyodaku.audit.proof import READABLE, UNPROVED_JA

    if not c.wanted:
        if lang is Lang.JA:
            return f"表現できません: {c.path}: {UNPROVED_JA[c.line]}。"
        return f"Cannot be said: {c.path}: {c.line}."
    if c.wanted == READABLE:
        if lang is Lang.JA:
            return f"表現できません: {c.protocol}({c.line})が読めず、反対のことを述べている可能性があります。"
        return f"Cannot be said: {c.protocol} ({c.line}) cannot be read here and may say otherwise."
    if lang is Lang.JA:
        said = f"「{c.line}」と述べています。その行を直してください" if c.line else "そう述べていません"
        return f"表現できません: {c.path} の希望は {c.wanted} ですが、{c.protocol} は{said}。"
    said = f"says `{c.line}`; change that line" if c.line else "does not say it; change its file"
    return f"Cannot be said: {c.path} should be {c.wanted}, but {c.protocol} {said}."


def _advice(advice: Advice, lang: Lang) -> None:
    if not advice.files:
        output.say(
            "ファイルはすでにそう述べています。" if lang is Lang.JA else "Your files say this already."
        )
    for path, body in advice.files.items():
        output.say(f"--- {path}")
        output.copy(body.decode("utf-8", "replace"))
    for path, pairs in advice.headers.items():
        said = f"{path} 以下のヘッダー" if lang is Lang.JA else f"headers below {path}"
        output.say(f"--- {said}")
        for name, value in pairs:
            output.say(f"{name}: {value}")
    if advice.schema_org:
        output.say("--- 画像のある各ページに" if lang is Lang.JA else "--- in each page with an image")
        output.copy(advice.schema_org)
