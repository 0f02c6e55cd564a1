"""Texts that say a wish: robots.txt with the owner's lines kept, TDMRep, RSL, headers, schema.org."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape

from kyodaku.audit.wish import Wish
from kyodaku.signals.carriers.robots import agent_token, parse_robots

_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Advice:
    """Files to serve (path -> whole content), headers for each folder, and schema.org text or ""."""

    files: dict[str, bytes]
    headers: Mapping[str, tuple[tuple[str, str], ...]]
    schema_org: str


def advise(wish: Wish, origin: str, existing: dict[str, bytes]) -> Advice:
    """Texts for `wish`. A TDMRep or RSL file of the owner is left alone; robots.txt is merged."""
    files = {}
    lines = [f"Content-Usage: {path} train-ai={'y' if yes else 'n'}" for path, yes in wish.rules]
    if "/license.xml" not in existing and not _nested(wish):
        files["/license.xml"] = _rsl(wish)
        lines.append(f"License: {origin}/license.xml")
    robots = merged(existing.get("/robots.txt", b""), lines)
    if robots != existing.get("/robots.txt"):
        files["/robots.txt"] = robots
    if "/.well-known/tdmrep.json" not in existing:
        files["/.well-known/tdmrep.json"] = _tdmrep(wish)
    headers = {
        path: (
            ("Content-Usage", f"train-ai={'y' if yes else 'n'}"),
            ("tdm-reservation", "0" if yes else "1"),
        )
        for path, yes in wish.rules
    }
    return Advice(files, headers, _schema_org(wish))


def merged(old: bytes, lines: list[str]) -> bytes:
    """`old` with those of `lines` that a group lacks at its end, and with all in a star group of their own
    where there is none, or none that every parser sees. Every octet of `old` stays, in its order."""
    robots = parse_robots(old)
    ends: dict[int, bytes] = {}
    for group in robots.groups:
        there = {record.raw.strip() for record in group.others if not record.lenient}
        last = max(record.line for record in (*group.agents, *group.rules, *group.others))
        ends[last] = _block(line for line in lines if line not in there)
    parts: list[bytes] = []
    for number, line in enumerate(_lines(old), start=1):
        parts.append(line)
        if ends.get(number):
            parts += [b"" if line.endswith((b"\n", b"\r")) else b"\n", ends[number]]
    text = b"".join(parts)
    stars = [agent for group in robots.groups for agent in group.agents if agent_token(agent.value) == "*"]
    hidden = 1 if old.startswith(_MARK) else 0  # a line that some parsers lose
    if not any(not agent.lenient and agent.line != hidden for agent in stars):
        gap = b"" if not text else b"\n" if text.endswith((b"\n", b"\r")) else b"\n\n"
        # Beside rules for everybody, that only some see, no rule may be added: an Allow would win a tie.
        text += gap + b"User-agent: *\n" + (b"Disallow:\n" if stars else b"Allow: /\n") + _block(lines)
    return text


def _block(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _lines(text: bytes) -> list[bytes]:
    """Lines with their ends, counted as the robots reader counts them."""
    return text.splitlines(keepends=True)


def _tdmrep(wish: Wish) -> bytes:
    entries = [
        {"location": path if path == "/" else f"{path}*", "tdm-reservation": 0 if yes else 1}
        for path, yes in wish.rules
    ]
    return (json.dumps(entries, indent=2) + "\n").encode()


def _nested(wish: Wish) -> bool:
    """A folder with one answer inside a folder with the other: readers of RSL differ about which holds."""
    return any(
        yes != outer_yes and path.startswith(outer)
        for path, yes in wish.rules
        for outer, outer_yes in wish.rules
    )


def _rsl(wish: Wish) -> bytes:
    rows = []
    for path, yes in wish.rules:
        word = "permits" if yes else "prohibits"
        rows.append(
            f'  <content url="{escape(path)}"><license>'
            f'<{word} type="usage">ai-train</{word}></license></content>\n'
        )
    return f'<rsl xmlns="https://rslstandard.org/rsl">\n{"".join(rows)}</rsl>\n'.encode()


def _schema_org(wish: Wish) -> str:
    if not wish.credit:
        return ""
    data = {"@context": "https://schema.org/", "@type": "ImageObject", "creditText": wish.credit}
    text = json.dumps(data, ensure_ascii=False, indent=2).replace("<", "\\u003c")
    return f'<script type="application/ld+json">\n{text}\n</script>'
