"""Matching of robots.txt path patterns (RFC 9309 section 2.2.2 and 2.2.3) through Protego.

Protego's matcher is linear and well kept, but its text parser adds habits of its own: it breaks lines at
U+2028, reads `Allow: /x/index.html` as `Allow: /x/`, takes `$` for a literal too, and compares `%3F` and
`?` as equal. So every octet of a normalised path is handed over as two letters, the first from A-P and
the second from a-p, and Protego sees nothing it could interpret. The code keeps lengths in proportion
(longest match wins) and cannot match at an odd offset.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from protego import Protego

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
#: Octets that stay as they are: unreserved and reserved ones (RFC 3986) and the percent sign, but not
#: `*` and `$`, which a pattern can only mean literally in their escaped form.
_KEPT = _UNRESERVED | frozenset(b":/?#[]@!&'()+,;=%")
_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")
_TO_ESCAPE = re.compile(b"[^" + re.escape(bytes(sorted(_KEPT))) + b"]")
_CODE = {octet: chr(ord("A") + (octet >> 4)) + chr(ord("a") + (octet & 15)) for octet in range(256)}
_END = "Zz"  # stands behind every path, so that `$` is an ordinary literal
_AGENT = "x"


@dataclass(frozen=True)
class Rule:
    """One allow or disallow rule. `pattern` is the value's octets, `line` counts from 1."""

    allow: bool
    pattern: bytes
    line: int
    raw: str


class GroupMatcher:
    """The merged rules of one or more groups."""

    def __init__(self, rules: Sequence[Rule], strict: bool) -> None:
        patterns = [(rule, encoded) for rule in rules for encoded in _encoded_patterns(rule, strict)]
        self._prefilter = _Prefilter(encoded for rule, encoded in patterns if not rule.allow)
        self._disallows = sorted(
            ((rule, encoded) for rule, encoded in patterns if not rule.allow),
            key=lambda item: len(item[1]),
            reverse=True,
        )
        self._protego = _compile(patterns) if self._disallows else None

    def bars(self, paths: Sequence[str]) -> Rule | None:
        """The Disallow that wins for any of `paths` (from `encoded_paths`), or None when all are allowed."""
        if self._protego is None:
            return None
        for path in paths:
            if self._prefilter.passes(path) and not self._protego.can_fetch(path, _AGENT):
                return self._winner(path)
        return None

    def _winner(self, path: str) -> Rule:
        for rule, encoded in self._disallows:
            literal = encoded.partition("*")[0]
            if path.startswith(literal) and not _compile([(rule, encoded)]).can_fetch(path, _AGENT):
                return rule
        return self._disallows[0][0]


class _Prefilter:
    """Whether any of some patterns can match a path at all, by what each begins with and its longest literal:
    most paths are free, and comparing them with one pattern after the other takes long."""

    def __init__(self, patterns: Iterable[str]) -> None:
        by_length: dict[int, dict[str, set[str]]] = {}
        for pattern in patterns:
            beginning, *others = pattern.removesuffix(_END).split("**")
            longest = max(others, key=len, default="")
            by_length.setdefault(len(beginning), {}).setdefault(beginning, set()).add(longest)
        self._by_length = tuple(by_length.items())

    def passes(self, path: str) -> bool:
        """False where no pattern matches `path`."""
        for length, beginnings in self._by_length:
            literals = beginnings.get(path[:length])
            if literals is not None and any(literal in path for literal in literals):
                return True
        return False


@dataclass(frozen=True)
class PathPattern:
    """One path pattern with the wildcards of RFC 9309 (`*`, and `$` at its end), matched in linear time.

    For languages beside robots.txt that borrow its patterns and have rules of their own for which one wins.
    `octets` is the pattern's length, which counts for the longest match.
    """

    pieces: tuple[bytes, ...]
    anchored: bool
    octets: int

    @classmethod
    def of(cls, value: bytes) -> PathPattern | None:
        """The pattern of a value that begins with `/` or `*`; None for any other."""
        if value[:1] not in (b"/", b"*"):
            return None
        anchored = value.endswith(b"$")
        pieces = (value[:-1] if anchored else value).split(b"*")
        return cls(tuple(normalise(piece) for piece in pieces), anchored, len(value))

    def matches(self, paths: Sequence[bytes]) -> bool:
        """Whether the pattern matches any of `paths` (from `normal_paths`)."""
        return any(self._matches(path) for path in paths)

    def _matches(self, path: bytes) -> bool:
        first, *others = self.pieces
        if not path.startswith(first):
            return False
        at = len(first)
        if not others:
            return not self.anchored or at == len(path)
        for piece in others[:-1] if self.anchored else others:
            found = path.find(piece, at)
            if found < 0:
                return False
            at = found + len(piece)
        return not self.anchored or (path.endswith(others[-1]) and len(path) - len(others[-1]) >= at)


class PatternRules:
    """Allow and disallow rules compared one by one: slower than `GroupMatcher`, but any rule may win."""

    def __init__(self, rules: Sequence[Rule], strict: bool) -> None:
        found = (
            (pattern, rule)
            for rule in rules
            for value in _pattern_values(rule, strict)
            if (pattern := PathPattern.of(value)) is not None
        )
        self._rules = sorted(found, key=lambda item: (-item[0].octets, not item[1].allow))

    def winner(self, path: bytes) -> Rule | None:
        """The longest rule that matches `path` (of `normal_paths`); of two as long, the Allow."""
        return next((rule for pattern, rule in self._rules if pattern.matches((path,))), None)


@lru_cache(maxsize=256)  # one URL is compared by several protocols, one after the other
def normal_paths(url: str) -> tuple[bytes, ...]:
    """The path and query of `url` as `PathPattern` compares them: as written, and without dot segments."""
    path, question, query = normalise(_path_and_query(url)).partition(b"?")
    forms = [path]
    if b"/." in path:
        forms.append(_without_dot_segments(path))
    return tuple(form + question + query for form in forms)


@lru_cache(maxsize=256)
def encoded_paths(url: str) -> tuple[str, ...]:
    """The forms of `url`'s path and query to be matched; empty for `/robots.txt`, which is always allowed.

    A path with dot segments has two: as written, and as a client may resolve it before it asks.
    """
    forms = normal_paths(url)
    if forms[0].partition(b"?")[0] == b"/robots.txt":
        return ()
    return tuple("/" + _encode(form) + _END for form in forms)


def normalise(octets: bytes) -> bytes:
    """Percent-encoding as RFC 9309 2.2.2 compares it: escapes of unreserved octets decoded, other escapes
    in upper case and kept, everything that may not stand in a URL escaped."""
    decoded = _ESCAPE.sub(_normal_escape, octets)
    return _TO_ESCAPE.sub(lambda match: b"%%%02X" % match.group()[0], decoded)


def _normal_escape(match: re.Match[bytes]) -> bytes:
    octet = int(match.group()[1:], 16)
    return bytes([octet]) if octet in _UNRESERVED else match.group().upper()


def _path_and_query(url: str) -> bytes:
    octets = url.encode("utf-8", "surrogatepass").partition(b"#")[0]
    before, scheme_end, rest = octets.partition(b"://")
    if scheme_end and b"/" not in before and b"?" not in before:
        at = min((i for i in (rest.find(b"/"), rest.find(b"?")) if i >= 0), default=len(rest))
        octets = rest[at:]
    return octets if octets.startswith(b"/") else b"/" + octets


def _without_dot_segments(path: bytes) -> bytes:
    """RFC 3986 5.2.4 for an absolute path."""
    kept: list[bytes] = []
    segments = path.split(b"/")[1:]
    for segment in segments:
        if segment == b"..":
            del kept[-1:]
        elif segment != b".":
            kept.append(segment)
    if segments[-1] in (b".", b".."):
        kept.append(b"")
    return b"/" + b"/".join(kept)


def _encoded_patterns(rule: Rule, strict: bool) -> list[str]:
    return [_encoded_pattern(value) for value in _pattern_values(rule, strict)]


def _pattern_values(rule: Rule, strict: bool) -> list[bytes]:
    """The patterns a rule stands for. Beyond RFC 9309 only a Disallow is read forgivingly: a path without
    its slash, a whole URL, several paths on one line."""
    values = [rule.pattern]
    if not strict and not rule.allow:
        words = rule.pattern.split()
        values += [word for word in words if len(words) > 1 and word[:1] in (b"/", b"*")]
        values = [_repaired(value) for value in values]
    return [value for value in values if value[:1] in (b"/", b"*")]


def _repaired(value: bytes) -> bytes:
    if value[:1] in (b"/", b"*"):
        return value
    if re.match(rb"https?://", value, re.IGNORECASE):
        return _path_and_query(value.decode("latin-1")).decode("utf-8").encode("latin-1")
    return b"/" + value


def _encoded_pattern(value: bytes) -> str:
    anchored = value.endswith(b"$")
    pieces = (value[:-1] if anchored else value).split(b"*")
    return "/" + "**".join(_encode(normalise(piece)) for piece in pieces) + (_END if anchored else "")


def _encode(octets: bytes) -> str:
    return octets.decode("latin-1").translate(_CODE)


def _compile(patterns: Sequence[tuple[Rule, str]]) -> Protego:
    lines = [f"{'Allow' if rule.allow else 'Disallow'}: {encoded}" for rule, encoded in patterns]
    return Protego.parse("\n".join(["User-agent: *", *lines]))
