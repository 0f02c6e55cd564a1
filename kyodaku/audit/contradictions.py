"""What each protocol says about the images of a site, and where two of them disagree."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from kyodaku.audit.findings import Finding
from kyodaku.audit.heard import answers, hear, reading
from kyodaku.audit.robots_reading import lint
from kyodaku.signals.carriers.robots import parse_robots
from kyodaku.signals.model import Effect, Signal

_KINDS = {Effect.RESERVED: "says-no", Effect.PERMITTED: "says-yes", Effect.ERROR: "unreadable"}
_MAX_ADDRESSES = 60


def audit(origin: str, bodies: Mapping[str, bytes], now: float) -> list[Finding]:
    """All findings about the host files `bodies` (path -> content) of `origin`."""
    found = lint(bodies["/robots.txt"], now) if "/robots.txt" in bodies else []
    if "/llms.txt" in bodies:
        found.append(Finding("llms-txt", "", "/llms.txt"))
    files = answers(origin, bodies, now)
    how = reading("policy", "kyodaku", now)
    said: dict[Finding, None] = {}
    for path in _addresses(bodies.get("/robots.txt", b"")):
        signals = hear(origin, origin + path, files, how)
        said |= {_said(signal): None for signal in signals if signal.effect in _KINDS}
        yes = [s for s in signals if s.effect is Effect.PERMITTED]
        no = [s for s in signals if s.effect is Effect.RESERVED]
        if yes and no:
            both = f"{yes[0].protocol}: {yes[0].raw} / {no[0].protocol}: {no[0].raw}"
            said[Finding("contradiction", f"{yes[0].protocol}, {no[0].protocol}", path, 0, both)] = None
    return [*found, *said]


def _said(signal: Signal) -> Finding:
    return Finding(_KINDS[signal.effect], signal.protocol, urlsplit(signal.source_url).path, 0, signal.raw)


def _addresses(robots: bytes) -> list[str]:
    """One image at the top, and one under every folder that a rule names."""
    paths = {"/image.jpg": None}
    for group in parse_robots(robots).groups:
        for record in (*group.rules, *group.others):
            folder = record.value.split(" ")[0].rstrip("$").replace("*", "x")
            if folder.startswith("/") and folder.isascii() and len(paths) < _MAX_ADDRESSES:
                paths[folder if not folder.endswith("/") else f"{folder}image.jpg"] = None
    return list(paths)
