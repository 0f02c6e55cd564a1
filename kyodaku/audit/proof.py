"""The proof of an advice: it is parsed again by our own protocols, in both modes, before it is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from kyodaku.audit.advice import Advice
from kyodaku.audit.heard import Mode, answers, hear, reading, unread
from kyodaku.audit.wish import Wish
from kyodaku.signals.carriers.robots import agent_token, parse_robots
from kyodaku.signals.model import Binding, Effect, Signal, Where

_OURS = "kyodaku"
_FILES = {"/.well-known/tdmrep.json": "tdmrep", "/license.xml": "rsl"}
#: What is wanted of a file that cannot be read, by a Conflict.
READABLE = "readable here"
_MAX_SAMPLES = 400
#: Why no wish is proved over a file: in English and, by that, in Japanese.
UNPROVABLE = "the file is longer than 500 KiB, no text, or has too many rules to prove a wish against"
UNSHOWABLE = "the file is no UTF-8, or holds characters that cannot be shown; save it without them"
UNPROVED_JA = {
    UNPROVABLE: "500 KiB を超えるか、テキストでないか、規則が多すぎるため、証明できません",
    UNSHOWABLE: "UTF-8 でないか、表示できない文字を含みます。それらを除いて保存してください",
}
#: What every parser has to read of a robots.txt (RFC 9309 2.5), in octets.
_READ_BY_ALL = 500 * 1024
_MAX_AGENTS = 20


@dataclass(frozen=True)
class Conflict:
    """Why a wish cannot be said: for `path`, `protocol` says otherwise (or nothing) in `line`. Where
    nothing is `wanted`, `line` tells what is wrong with the file."""

    path: str
    agent: str
    mode: str
    protocol: str
    line: str
    wanted: str


def prove(wish: Wish, advice: Advice, origin: str, existing: dict[str, bytes], now: float) -> list[Conflict]:
    """What stands against the wish once `advice` is served; empty when it is said without contradiction."""
    bodies = {**existing, **advice.files}
    files = answers(origin, bodies, now)
    paths, agents, whole = _samples(wish, existing.get("/robots.txt", b""))
    robots = bodies["/robots.txt"]
    if not whole or len(robots) > _READ_BY_ALL:
        return [Conflict("/robots.txt", "", "", "robots", UNPROVABLE, "")]
    if not _shows(robots):
        return [Conflict("/robots.txt", "", "", "robots", UNSHOWABLE, "")]
    before = answers(origin, existing, now)
    required = {"aipref"} | {name for path, name in _FILES.items() if path in advice.files}
    found: dict[tuple[str, str], Conflict] = {}
    modes: tuple[Mode, ...] = ("spec", "policy")
    for mode in modes:
        for agent in agents:
            how = reading(mode, agent, now)
            for name, line in [*unread(origin, before, how), *unread(origin, files, how)]:
                found[name, line] = Conflict("/", agent, mode, name, line, READABLE)
            for path in paths:
                wanted = wish.answer(path)
                if wanted is None:
                    old = {s.effect for s in hear(origin, origin + path, before, how)}
                    for signal in hear(origin, origin + path, files, how):
                        if signal.effect not in old | {Effect.SILENT}:
                            found.setdefault(
                                (signal.protocol, signal.raw),
                                Conflict(path, agent, mode, signal.protocol, signal.raw, "unchanged"),
                            )
                    continue
                good = Effect.PERMITTED if wanted else Effect.RESERVED
                headers = next(h for folder, h in advice.headers.items() if path.startswith(folder))
                signals = hear(origin, origin + path, files, how, headers)
                # Disallow may go with a no; a yes must not meet any other answer.
                bad = [s for s in signals if s.effect not in (good, Effect.SILENT)]
                for signal in bad:
                    found.setdefault(
                        (signal.protocol, signal.raw),
                        Conflict(path, agent, mode, signal.protocol, signal.raw, "yes" if wanted else "no"),
                    )
                missing = required - {s.protocol for s in signals if s.effect is good}
                for name in sorted(missing - {s.protocol for s in bad}):
                    found.setdefault((name, ""), Conflict(path, agent, mode, name, "", good.value))
    return list(found.values())


def against(
    wish: Wish,
    origin: str,
    unknown: Sequence[tuple[str, str]],
    images: Mapping[str, Sequence[Signal]],
) -> list[Conflict]:
    """What a live site has against a wish beside its files: those that could not be had (path, state), and
    what pages, headers and bytes say otherwise about its images."""
    found = {(path, state): Conflict("/", _OURS, "policy", path, state, READABLE) for path, state in unknown}
    for url, signals in images.items():
        wanted = wish.answer(urlsplit(url).path) if url.startswith(f"{origin}/") else None
        if wanted is None:
            continue
        other = Effect.RESERVED if wanted else Effect.PERMITTED
        for signal in signals:
            file = signal.where is Where.FILE and signal.binding is not Binding.IMAGE
            if signal.effect is other and not file:
                conflict = Conflict(
                    url, _OURS, "policy", signal.protocol, signal.raw, "yes" if wanted else "no"
                )
                found.setdefault((signal.protocol, signal.raw), conflict)
    return list(found.values())


def _shows(body: bytes) -> bool:
    """Whether a file can be printed, and typed from there, without a change to any line."""
    try:
        text = body.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        return False
    return all(char.isprintable() or char in "\t\r\n" for char in text)


def _samples(wish: Wish, old: bytes) -> tuple[list[str], list[str], bool]:
    """Addresses in every wished folder and under every rule of the owner; crawlers that are named."""
    robots = parse_robots(old)
    if robots.truncated or robots.too_complex or robots.looks_like_html or robots.not_text:
        return [], [], False
    paths = dict.fromkeys(f"{folder}{end}" for folder, _ in wish.rules for end in ("", "a.jpg", "b/c.png"))
    agents = {_OURS: None}
    for group in robots.groups:
        agents |= {agent_token(a.value): None for a in group.agents if agent_token(a.value) not in ("", "*")}
        for rule in (*group.rules, *(r for r in group.others if "/" in r.value)):
            tail = rule.value.split(" ")[0].rstrip("$").replace("*", "x")
            if not tail.isascii() or not tail.startswith("/"):
                tail = "/"
            paths |= {tail: None, f"{tail}a.jpg": None}
            if "*" in rule.value:
                paths |= {folder + tail.lstrip("/"): None for folder, _ in wish.rules}
            if len(paths) > _MAX_SAMPLES or len(agents) > _MAX_AGENTS:
                return [], [], False
    return list(paths), list(agents), True
