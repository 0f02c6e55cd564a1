"""What each protocol says about the images of a site, and where two of them disagree."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from urllib.parse import urlsplit

from kyodaku.audit.asking import LLMS_FILE
from kyodaku.audit.findings import Finding
from kyodaku.audit.heard import answers, hear, reading
from kyodaku.audit.robots_reading import lint
from kyodaku.signals.carriers.robots import parse_robots
from kyodaku.signals.model import Effect, Fetched, Signal
from kyodaku.signals.policy_files import is_web_page

_KINDS = {Effect.RESERVED: "says-no", Effect.PERMITTED: "says-yes", Effect.ERROR: "unreadable"}
_MAX_ADDRESSES = 60
_LINE_END = re.compile(rb"\r\n|\r|\n")
#: Protocols whose rules end with the line of robots.txt that they rest on.
_LINE = re.compile(r":L([0-9]+)\Z")


def audit(origin: str, bodies: Mapping[str, bytes], now: float) -> list[Finding]:
    """All findings about the host files `bodies` (path -> content) of `origin`."""
    return audit_files(origin, answers(origin, bodies, now), now)


def audit_files(origin: str, files: Mapping[str, Fetched], now: float) -> list[Finding]:
    """All findings about host files of `origin` as they were answered (path -> answer)."""
    robots = _body(files.get("/robots.txt"))
    found = lint(robots, now) if robots else []
    llms = _body(files.get(LLMS_FILE))
    found += [Finding("llms-txt", "", LLMS_FILE)] if llms and not is_web_page(llms) else []
    how = reading("policy", "kyodaku", now)
    heard: dict[Finding, None] = {}
    for path in _addresses(robots):
        signals = hear(origin, origin + path, files, how)
        heard |= dict.fromkeys(findings_of(signals, origin, files))
        heard |= dict.fromkeys(contradiction(path, signals, origin, files))
    return once([*found, *heard])


def findings_of(signals: Iterable[Signal], home: str, files: Mapping[str, Fetched]) -> list[Finding]:
    """What each signal says, with its place and line. Places of the origin `home` are paths."""
    return [
        Finding(
            _KINDS[signal.effect],
            signal.protocol,
            _place(signal, home),
            line_of(signal, files),
            signal.raw,
        )
        for signal in signals
        if signal.effect in _KINDS
    ]


def contradiction(
    where: str, signals: Iterable[Signal], home: str, files: Mapping[str, Fetched]
) -> list[Finding]:
    """The finding that signals for one address say both yes and no, or nothing. A header that says otherwise
    than the file of the same protocol is an exception, as that protocol means it to be."""
    signals = list(signals)
    pairs = (
        (yes, no)
        for yes in signals
        if yes.effect is Effect.PERMITTED
        for no in signals
        if no.effect is Effect.RESERVED and (yes.protocol != no.protocol or yes.where is no.where)
    )
    found = next(pairs, None)
    if found is None:
        return []
    yes, no = found
    both = " / ".join(_quoted(signal, home, files) for signal in found)
    return [Finding("contradiction", f"{yes.protocol}, {no.protocol}", where, 0, both)]


def once(findings: Iterable[Finding]) -> list[Finding]:
    """Each finding once; a contradiction of the same two lines only for the first address."""
    kept: dict[tuple[str, str, str, int, str], Finding] = {}
    for f in findings:
        where = "" if f.kind == "contradiction" else f.where
        kept.setdefault((f.kind, f.protocol, where, f.line, f.quote), f)
    return list(kept.values())


def line_of(signal: Signal, files: Mapping[str, Fetched]) -> int:
    """The line of its file that a signal rests on, from 1; 0 where none is, or several read alike."""
    named = _LINE.search(signal.rule)
    if named is not None:
        return int(named[1])
    body = next(
        (_body(file) for file in files.values() if signal.source_url == (file.final_url or file.url)), b""
    )
    raw = re.escape(signal.raw.strip().encode("utf-8", "replace"))
    found = re.finditer(rb"(?:\A|[\r\n])[ \t]*(?=" + raw + rb"[ \t]*(?:[\r\n]|\Z))", body) if raw else ()
    places = [match.end() for match in islice(found, 2)]
    return len(_LINE_END.findall(body, 0, places[0])) + 1 if len(places) == 1 else 0


def _quoted(signal: Signal, home: str, files: Mapping[str, Fetched]) -> str:
    line = line_of(signal, files)
    place = _place(signal, home)
    return f"{signal.protocol} in {place}{f':{line}' if line else ''}: {signal.raw}"


def _place(signal: Signal, home: str) -> str:
    parts = urlsplit(signal.source_url)
    return parts.path if f"{parts.scheme}://{parts.netloc}" == home else signal.source_url


def _body(file: Fetched | None) -> bytes:
    return file.body if file is not None and file.error is None and file.status in (200, 203) else b""


def _addresses(robots: bytes) -> list[str]:
    """One image at the top, and one under every folder that a rule names."""
    paths = {"/image.jpg": None}
    for group in parse_robots(robots).groups:
        for record in (*group.rules, *group.others):
            folder = record.value.split(" ")[0].rstrip("$").replace("*", "x")
            if folder.startswith("/") and folder.isascii() and len(paths) < _MAX_ADDRESSES:
                paths[folder if not folder.endswith("/") else f"{folder}image.jpg"] = None
    return list(paths)
