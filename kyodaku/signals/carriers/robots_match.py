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
#: An address whose path and query, its only group, are normal as they stand.
_PLAIN_URL = re.compile(
    r"https?://[^/?#]*(/[" + re.escape(bytes(sorted(_KEPT - set(b"#%"))).decode()) + "]*)"
)
_NORMAL = re.compile(b"[" + re.escape(bytes(sorted(_KEPT - set(b"%")))) + b"]*")
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
        return any(map(self.covers, paths))

    def covers(self, path: bytes) -> bool:
        """Whether the pattern matches `path` (of `normal_paths`)."""
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


class GroupMatcher:
    """The merged rules of one or more groups."""

    def __init__(self, rules: Sequence[Rule], strict: bool) -> None:
        self._patterns = _patterns(rules, strict)
        disallows = [(pattern, rule) for pattern, rule in self._patterns if not rule.allow]
        self._disallows = sorted(disallows, key=lambda item: -sum(map(len, item[0].pieces)))
        self._prefilter = _Prefilter(pattern for pattern, _ in disallows)
        self._compiled: Protego | None = None

    def bars(self, paths: Sequence[bytes]) -> Rule | None:
        """The Disallow that wins for any of `paths` (from `asked_paths`), or None when all are allowed."""
        for path in paths:
            if self._prefilter.passes(path) and not self._allows(path):
                return next(
                    (r for pattern, r in self._disallows if pattern.covers(path)), self._disallows[0][1]
                )
        return None

    def _allows(self, path: bytes) -> bool:
        if self._compiled is None:
            self._compiled = _compile(self._patterns)
        return self._compiled.can_fetch("/" + _encode(path) + _END, _AGENT)


class _Prefilter:
    """Whether any of some patterns can match a path at all, by what each begins with and its longest piece:
    most paths are free, and comparing them with one pattern after the other takes long."""

    def __init__(self, patterns: Iterable[PathPattern]) -> None:
        by_length: dict[int, dict[bytes, set[bytes]]] = {}
        for pattern in patterns:
            first, *others = pattern.pieces
            by_length.setdefault(len(first), {}).setdefault(first, set()).add(
                max(others, key=len, default=b"")
            )
        self._by_length = tuple(by_length.items())

    def passes(self, path: bytes) -> bool:
        """False where no pattern matches `path`."""
        for length, by_first in self._by_length:
            pieces = by_first.get(path[:length])
            if pieces is not None and any(piece in path for piece in pieces):
                return True
        return False


class PatternRules:
    """Allow and disallow rules compared one by one: slower than `GroupMatcher`, but any rule may win."""

    def __init__(self, rules: Sequence[Rule], strict: bool) -> None:
        self._rules = sorted(_patterns(rules, strict), key=lambda item: (-item[0].octets, not item[1].allow))

    @property
    def refuse(self) -> bool:
        """Whether there is any Disallow among them."""
        return any(not rule.allow for _, rule in self._rules)

    def winner(self, path: bytes) -> Rule | None:
        """The longest rule that matches `path` (of `normal_paths`); of two as long, the Allow."""
        for pattern, rule in self._rules:
            if pattern.covers(path):
                return rule
        return None


@lru_cache(maxsize=256)  # one URL is compared by several protocols, one after the other
def normal_paths(url: str) -> tuple[bytes, ...]:
    """The path and query of `url` as `PathPattern` compares them: as written, and without dot segments."""
    plain = _PLAIN_URL.fullmatch(url)
    if plain is not None and "/." not in url:
        return (plain[1].encode("ascii"),)
    path, question, query = normalise(_path_and_query(url)).partition(b"?")
    forms = [path]
    if b"/." in path:
        forms.append(_without_dot_segments(path))
    return tuple(form + question + query for form in forms)


def asked_paths(url: str) -> tuple[bytes, ...]:
    """The forms of `url`'s path and query that `GroupMatcher` is asked about, those of `normal_paths`; none
    for `/robots.txt`, which is always allowed."""
    forms = normal_paths(url)
    return () if forms[0].partition(b"?")[0] == b"/robots.txt" else forms


def normalise(octets: bytes) -> bytes:
    """Percent-encoding as RFC 9309 2.2.2 compares it: escapes of unreserved octets decoded, other escapes
    in upper case and kept, everything that may not stand in a URL escaped."""
    if _NORMAL.fullmatch(octets):
        return octets
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


def _patterns(rules: Sequence[Rule], strict: bool) -> list[tuple[PathPattern, Rule]]:
    return [
        (pattern, rule)
        for rule in rules
        for value in _pattern_values(rule, strict)
        if (pattern := PathPattern.of(value)) is not None
    ]


def _pattern_values(rule: Rule, strict: bool) -> list[bytes]:
    """The patterns a rule stands for. Beyond RFC 9309 only a Disallow is read forgivingly: a path without
    its slash, a whole URL, several paths on one line."""
    values = [rule.pattern]
    if not strict and not rule.allow:
        words = rule.pattern.split()
        values += [word for word in words if len(words) > 1 and word[:1] in (b"/", b"*")]
        values = [_repaired(value) for value in values]
    return values


def _repaired(value: bytes) -> bytes:
    if value[:1] in (b"/", b"*"):
        return value
    if re.match(rb"https?://", value, re.IGNORECASE):
        return _path_and_query(value.decode("latin-1")).decode("utf-8").encode("latin-1")
    return b"/" + value


def _encoded(pattern: PathPattern) -> str:
    return "/" + "**".join(map(_encode, pattern.pieces)) + (_END if pattern.anchored else "")


def _encode(octets: bytes) -> str:
    return octets.decode("latin-1").translate(_CODE)


def _compile(patterns: Sequence[tuple[PathPattern, Rule]]) -> Protego:
    lines = (f"{'Allow' if rule.allow else 'Disallow'}: {_encoded(pattern)}" for pattern, rule in patterns)
    return Protego.parse("\n".join(("User-agent: *", *lines)))
