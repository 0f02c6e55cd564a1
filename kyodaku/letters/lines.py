"""The smallest robots.txt group that lets a crawl at the paths it was stopped at, proved by the gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from posixpath import dirname
from typing import Any
from urllib.parse import urlsplit

from kyodaku.errors import RecordError
from kyodaku.evidencefile import read_body
from kyodaku.gate import OriginFacts
from kyodaku.netguard import NetPolicy
from kyodaku.permission import Permission
from kyodaku.recipe import Recipe
from kyodaku.records import HOSTS
from kyodaku.registry_client import EMPTY_SNAPSHOT
from kyodaku.release.tables import read_table
from kyodaku.rules import Rules
from kyodaku.runs import RunFolder
from kyodaku.signals.carriers.robots import DISALLOW, parse_robots
from kyodaku.signals.model import Fetched, FetchError, Hop, Signal
from kyodaku.signals.protocols.robots import PATH as ROBOTS

#: Our own name: a group for it speaks to every crawl, whoever runs it.
_TOKEN = "Kyodaku"
#: More folders than this are told by what lies above them.
_MAX_PATHS = 8


@dataclass(frozen=True)
class Remedy:
    """Lines to add to robots.txt, below `paths`, and what would still stop us with them in place.

    `lines` is empty when robots.txt does not stop us, or when no lines in it can help. `unseen` are opt-out
    files that robots.txt kept us from: nobody knows yet what they say.
    """

    paths: tuple[str, ...]
    lines: tuple[str, ...]
    left: tuple[Signal, ...]
    unseen: tuple[str, ...] = ()


def stored_files(run: RunFolder, origin: str) -> OriginFacts:
    """The last host files of `origin`, with the bodies that the evidence kept. Raises RecordError."""
    files: dict[str, Fetched] = {}
    for row in read_table(run.hosts, HOSTS).to_pylist() if run.hosts.is_file() else ():
        if row["origin"] == origin:
            body = (
                read_body(run.evidence, row["warc_file"], row["warc_offset"])
                if row["warc_file"] and row["bytes"]
                else b""
            )
            files[row["path"]] = _fetched(row, body)
    return OriginFacts(origin, files, max((file.fetched_at for file in files.values()), default=0.0))


def _fetched(row: Mapping[str, Any], body: bytes) -> Fetched:
    path: str = row["path"]
    return Fetched(
        url=path if "://" in path else f"{row['origin']}{path}",
        final_url=row["final_url"],
        status=row["status"] or None,
        headers=tuple((header["name"], header["value"]) for header in row["headers"]),
        body=body,
        complete=row["complete"],
        error=FetchError(row["error"]) if row["error"] else None,
        fetched_at=row["fetched_at"],
        hops=tuple(Hop(**hop) for hop in row["hops"]),
    )


def remedy(recipe: Recipe, facts: OriginFacts, urls: Sequence[str]) -> Remedy:
    """What the owner would have to write for `urls` to be asked for."""
    paths = folders([_path(url) for url in urls])
    robots = facts.files.get(ROBOTS)
    asking = _Asking(recipe, facts)
    if robots is None or robots.status != 200 or not robots.complete or not _is_text(robots):
        return Remedy(paths, (), asking.left(robots, urls))
    repeated = _repeated(robots.body, paths)
    for rules in (repeated, []):  # rules for everybody go only where they themselves stopped us
        lines = _group(paths, asking.host_files, rules)
        added = "".join(f"{line}\n" for line in lines).encode()
        left = asking.left(replace(robots, body=robots.body.rstrip() + b"\n\n" + added), urls)
        if not any(urlsplit(signal.source_url).path == ROBOTS for signal in left):
            return Remedy(paths, tuple(lines), left, asking.unseen)
    return Remedy(paths, (), asking.left(robots, urls))


def _is_text(robots: Fetched) -> bool:
    """False for UTF-16 and the like, of which evidence may keep nothing: no line can be added to it."""
    return bool(robots.body) and not parse_robots(robots.body).not_text


def folders(paths: Sequence[str]) -> tuple[str, ...]:
    """The folders that hold `paths`, none inside another, at most a handful."""
    found = {_folder(path) for path in paths}
    while len(kept := _outermost(found)) > _MAX_PATHS:
        deepest = max(path.count("/") for path in kept)
        found = {_folder(path.rstrip("/")) if path.count("/") == deepest else path for path in kept}
    return kept


def _outermost(found: set[str]) -> tuple[str, ...]:
    return tuple(
        path for path in sorted(found) if not any(path != other and path.startswith(other) for other in found)
    )


def _folder(path: str) -> str:
    folder = dirname(path)
    return "/" if folder in ("", "/") else folder + "/"


def _path(url: str) -> str:
    return urlsplit(url).path or "/"


def _group(paths: Sequence[str], host_files: Sequence[str], rules: Sequence[str]) -> list[str]:
    lines = [f"User-agent: {_TOKEN}", *(f"Allow: {path}" for path in paths)]
    if "/" in paths:
        return [*lines, *rules]
    asked = dict.fromkeys(
        "/.well-known/" if path.startswith("/.well-known/") else path for path in host_files
    )
    return [*lines, *(f"Allow: {path}" for path in asked), *rules, "Disallow: /"]


def _repeated(body: bytes, paths: Sequence[str]) -> list[str]:
    """Rules for everybody that close something inside `paths`: a group of our own would switch them off."""
    found = [
        f"Disallow: {record.value}"
        for group in parse_robots(body).rfc.selected(("*",))
        for record in group.rules
        if record.key == DISALLOW and record.value and _inside(record.value, paths)
    ]
    return list(dict.fromkeys(found))


def _inside(pattern: str, paths: Sequence[str]) -> bool:
    if "*" in pattern:
        return True
    return any(pattern.startswith(path) and pattern not in (path, path.rstrip("/")) for path in paths)


class _Asking:
    """G1 as it would answer with another robots.txt in place."""

    def __init__(self, recipe: Recipe, facts: OriginFacts) -> None:
        if facts.fetched_at <= 0:
            raise RecordError(f"{facts.origin}: its host files are not in the records of this run")
        rules = replace(Rules.from_recipe(recipe, NetPolicy()), letters=())
        self._permission = Permission(rules, EMPTY_SNAPSHOT, lambda: facts.fetched_at)
        self._facts = facts

    @property
    def host_files(self) -> tuple[str, ...]:
        """The files that a crawl asks a host for, without robots.txt."""
        return tuple(path for path in self._permission.host_file_paths if path != ROBOTS)

    @property
    def unseen(self) -> tuple[str, ...]:
        """Opt-out files that robots.txt barred."""
        return tuple(p for p, file in self._facts.files.items() if file.error is FetchError.BARRED)

    def left(self, robots: Fetched | None, urls: Sequence[str]) -> tuple[Signal, ...]:
        """Every different line that still objects to any of `urls`."""
        files = {**self._facts.files, **({ROBOTS: robots} if robots else {})}
        if robots is not self._facts.files.get(ROBOTS):  # it opens them: taken for empty, and told as unseen
            missing = {path: replace(files[path], error=None, status=404) for path in self.unseen}
            files |= missing
        found: dict[tuple[str, str], Signal] = {}
        for url in urls:
            result = self._permission.g1(url, replace(self._facts, files=files))
            for signal in result.signals:
                if signal.reason == result.reason:
                    found.setdefault((signal.source_url, signal.raw), signal)
        return tuple(found.values())
