"""The lint of a robots.txt, and where Protego 0.7 reads it otherwise than RFC 9309."""

from __future__ import annotations

import re

from protego import Protego

from kyodaku.audit.findings import Finding
from kyodaku.audit.heard import answers, reading
from kyodaku.signals.carriers.robots import RobotsFile, RobotsRecord, agent_token, parse_robots
from kyodaku.signals.carriers.robots_match import asked_paths
from kyodaku.signals.model import Effect, excerpt
from kyodaku.signals.protocols.robots import PROTOCOL as ROBOTS
from kyodaku.signals.tokens import token_classes

_WHERE = "/robots.txt"
_KNOWN = frozenset(
    {"content-usage", "content-signal", "license", "crawl-delay", "host", "clean-param", "noindex"}
    | {"disallowaitraining", "request-rate", "visit-time", "cache-delay"}
)
_TOKEN = re.compile(r"\*|[A-Za-z_-]+")
_ORIGIN = "https://site.invalid"
_MAX_FINDINGS = 200
_MAX_COMPARED = 50


def lint(body: bytes, now: float) -> list[Finding]:
    """What is wrong in a robots.txt, or read differently by others. `now` is Unix time in seconds."""
    robots = parse_robots(body)
    if robots.looks_like_html or robots.not_text:
        return [_found("not-robots")]
    found = [_found("byte-order-mark", 1)] if body.startswith(b"\xef\xbb\xbf") else []
    found += [_found("truncated")] if robots.truncated else []
    if robots.too_complex:
        return [*found, _found("too-complex")]
    found += [_found("outside-group", r.line, r.raw) for r in robots.global_records if _is_rule(r)]
    records = _records(robots)
    read_somewhere = {finding.line for finding in records if finding.kind == "malformed"}
    found += records + [f for f in _lines(body) if f.line not in read_somewhere] + _odd_line_ends(body)
    if _only_named(robots):
        found.append(_found("only-named"))
    return (found + _protego(body, robots, now) + _prefixes(body, robots))[:_MAX_FINDINGS]


def _is_rule(record: RobotsRecord) -> bool:
    return record.key in ("allow", "disallow", "content-usage", "content-signal")


def _records(robots: RobotsFile) -> list[Finding]:
    found = []
    for group in robots.groups:
        last_agent = group.agents[-1].line
        for record in (*group.agents, *group.rules, *group.others):
            if record.lenient or record.cut:
                found.append(_found("malformed", record.line, record.raw))
        for agent in group.agents:
            if not _TOKEN.fullmatch(agent.value):
                found.append(_found("agent-not-token", agent.line, agent.raw))
        for record in group.others:
            if record.line < last_agent:
                found.append(_found("between-agents", record.line, record.raw))
            if record.key not in _KNOWN:
                found.append(_found("unknown-record", record.line, record.raw))
    return found


def _lines(body: bytes) -> list[Finding]:
    lines = body.removeprefix(b"\xef\xbb\xbf").splitlines()
    read = (line.partition(b"#")[0].strip() for line in lines)
    return [
        _found("no-colon", number, excerpt(line.decode("utf-8", "replace")))
        for number, line in enumerate(read, start=1)
        if line and b":" not in line
    ]


def _odd_line_ends(body: bytes) -> list[Finding]:
    """Lines of RFC 9309 (CR, LF) that `str.splitlines`, as Python's parsers use it, cuts in two."""
    lines = (line.decode("utf-8", "replace") for line in body.splitlines())
    return [
        _found("odd-line-end", number, excerpt(line))
        for number, line in enumerate(lines, start=1)
        if len(line.splitlines()) > 1
    ]


def _only_named(robots: RobotsFile) -> bool:
    refusing = any(r.key == "disallow" and r.value for g in robots.groups for r in g.rules)
    return refusing and "*" not in robots.rfc.by_token


def _protego(body: bytes, robots: RobotsFile, now: float) -> list[Finding]:
    """Addresses under each rule, asked of both readers for each named crawler."""
    try:
        other = Protego.parse(body.decode("utf-8", "replace"))
    except Exception:
        return []  # a fault of that parser says nothing about the file
    file = answers(_ORIGIN, {_WHERE: body}, now)[_WHERE]
    found: dict[int, Finding] = {}
    asked = 0
    for group in robots.groups:
        for agent in group.agents:
            name = agent_token(agent.value)
            name = "some-other-crawler" if name == "*" else name
            for rule in group.rules:
                if not name or not rule.value.isascii() or not rule.value.startswith("/"):
                    continue
                asked += 1
                if asked > _MAX_COMPARED:
                    return list(found.values())
                url = _ORIGIN + rule.value.rstrip("$").replace("*", "x")
                said = ROBOTS.read_host_file(_WHERE, file, url, reading("spec", name, now))
                ours = all(signal.effect is not Effect.RESERVED for signal in said)
                if ours != other.can_fetch(url, name):
                    found.setdefault(rule.line, _found("protego-differs", rule.line, rule.raw))
    return list(found.values())


def _prefixes(body: bytes, robots: RobotsFile) -> list[Finding]:
    """Names that Protego takes for longer names of AI crawlers which the file does not name."""
    try:
        other = Protego.parse(body.decode("utf-8", "replace"))
    except Exception:
        return []  # a fault of that parser says nothing about the file
    unnamed = [name for name in token_classes() if name.lower() not in robots.rfc.by_token]
    found: dict[int, Finding] = {}
    asked = 0
    for group in robots.groups:
        urls = [
            _ORIGIN + rule.value.rstrip("$").replace("*", "x")
            for rule in group.rules[:_MAX_COMPARED]
            if rule.value.isascii() and rule.value.startswith("/")
        ]
        for agent in group.agents:
            name = agent_token(agent.value)
            longer = [token for token in unnamed if name not in ("", "*") and token.lower().startswith(name)]
            for token in longer:
                asked += 1
                if asked > _MAX_COMPARED:
                    return list(found.values())
                if any(other.can_fetch(url, token) != _allowed(robots, url, token) for url in urls):
                    found.setdefault(agent.line, _found("prefix-agent", agent.line, agent.raw))
    return list(found.values())


def _allowed(robots: RobotsFile, url: str, name: str) -> bool:
    """By RFC 9309: the groups of exactly this name, else the star groups."""
    numbers = robots.rfc.by_token.get(agent_token(name), robots.rfc.by_token.get("*", ()))
    return robots.rfc.matcher(numbers, True).bars(asked_paths(url)) is None


def _found(kind: str, line: int = 0, quote: str = "") -> Finding:
    return Finding(kind, "robots", _WHERE, line, quote)
