"""robots.txt, read octet by octet (RFC 9309 section 2.2) into groups that keep their raw lines.

Which group speaks to whom and what a path pattern matches is in `robots_match`; what an answer other
than a file means is the protocol's business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, TypeVar

from kyodaku.signals.carriers.robots_match import GroupMatcher, Rule
from kyodaku.signals.carriers.robots_odd import QUOTES, as_seen, straightened
from kyodaku.signals.model import excerpt

#: A file is read up to here, cut at its last full line (RFC 9309 2.5 asks for at least 500 KiB).
MAX_ROBOTS_BYTES = 1024 * 1024
#: A longer line is cut, as Google's parser does.
MAX_LINE_BYTES = 2083 * 8
#: Beyond these a file is `too_complex`: asking it about a URL would take too long.
MAX_RECORDS = 50_000
MAX_RULES = 10_000
MAX_WILDCARD_OCTETS = 128 * 1024

_MAX_CHOSEN = 64
_T = TypeVar("_T")

USER_AGENT = "user-agent"
ALLOW = "allow"
DISALLOW = "disallow"
CONTENT_USAGE = "content-usage"
CRAWL_DELAY = "crawl-delay"

#: Spellings beside the right one. None for Allow: a malformed line may refuse but not allow.
_MISSPELT = {
    "useragent": USER_AGENT,
    "user agent": USER_AGENT,
    "dissallow": DISALLOW,
    "dissalow": DISALLOW,
    "disalow": DISALLOW,
    "diasllow": DISALLOW,
    "disallaw": DISALLOW,
}
#: Lines about a use that may refuse without their colon.
_ABOUT_USE = frozenset({CONTENT_USAGE, "content-signal", "disallowaitraining"})
#: Lines that are compared with a URL or read for a use: those that count for MAX_RULES.
_SPEAKING = _ABOUT_USE | {ALLOW, DISALLOW, "content-signals", "contentsignal", "license"}
#: Lines with a path, of which no protocol reads more than MAX_RULES.
_RULES = frozenset(
    {ALLOW, DISALLOW, CONTENT_USAGE, "disallowaitraining", "disallow-ai-training", "disallow ai training"}
)
_SITEMAP_KEYS = frozenset({"sitemap", "sitemaps", "site-map"})
_NO_QUOTES = str.maketrans(dict.fromkeys(QUOTES, " "))
_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\r|\n")
_TOKEN = re.compile(r"[A-Za-z_-]*")
_DELAY = re.compile(r"([0-9]*[.,]?[0-9]+)[.,]?\s*(m(?:in|$|\s)|h|)", re.IGNORECASE | re.ASCII)
_DELAY_UNITS = {"": 1.0, "m": 60.0, "h": 3600.0}
_HTML_START = re.compile(rb"\s*<(?:[a-z!?/])", re.IGNORECASE)
_HTML_ANYWHERE = re.compile(rb"<(?:!doctype|html|head|body|script)\b", re.IGNORECASE)
_MAGIC = (b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b", b"%PDF", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"GIF8")


@dataclass(frozen=True, slots=True)
class RobotsRecord:
    """One `key: value` line.

    `line` counts from 1; `key` is lower case; `value` is trimmed octets as latin-1 text; `raw` the line as
    it stood. `lenient` marks a line that only a forgiving parser reads (a misspelling, a missing colon);
    `cut` one that was longer than the line limit.
    """

    line: int
    key: str
    value: str
    raw: str
    lenient: bool = False
    cut: bool = False


@dataclass(frozen=True)
class RobotsGroup:
    """One group: its user-agent lines, its allow / disallow rules and every other record inside it."""

    agents: tuple[RobotsRecord, ...]
    rules: tuple[RobotsRecord, ...]
    others: tuple[RobotsRecord, ...]


@dataclass(frozen=True)
class Grouping:
    """The groups of a file under one reading, with an index of who is named where.

    `by_token` maps the RFC 9309 product token of a user-agent value (lower case) to group numbers;
    `by_name` does the same for every name a value can be compared by (`agent_names`); "*" stands for the
    star groups in both, and "" in `by_name` for groups with an empty user-agent value.
    """

    groups: tuple[RobotsGroup, ...]
    by_token: dict[str, tuple[int, ...]] = field(compare=False)
    by_name: dict[str, tuple[int, ...]] = field(compare=False)
    _matchers: dict[tuple[tuple[int, ...], bool], GroupMatcher] = field(
        default_factory=dict, compare=False, repr=False
    )
    _chosen: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)

    def chosen(self, key: Hashable, choose: Callable[[], _T]) -> _T:
        """`choose()`, remembered under `key`: a file is asked about thousands of URLs, and which groups speak
        to whom depends on none of them. `key` holds everything that the choice depends on."""
        if key not in self._chosen:
            if len(self._chosen) >= _MAX_CHOSEN:
                self._chosen.clear()
            self._chosen[key] = choose()
        found: _T = self._chosen[key]
        return found

    def matcher(self, numbers: tuple[int, ...], strict: bool) -> GroupMatcher:
        """The merged allow / disallow rules of the groups `numbers`, compiled once.

        `strict` reads patterns as RFC 9309 does; otherwise a malformed Disallow still refuses.
        """
        key = (numbers, strict)
        if key not in self._matchers:
            rules = [_rule(record) for number in numbers for record in self.groups[number].rules]
            self._matchers[key] = GroupMatcher([rule for rule in rules if rule is not None], strict)
        return self._matchers[key]

    def selected(self, own_tokens: Sequence[str]) -> tuple[RobotsGroup, ...]:
        """The groups that speak to us: those naming any of `own_tokens`, else the star groups; both where
        only a line that RFC 9309 does not read names us."""
        numbers = {n for token in own_tokens for n in self.by_token.get(token.lower(), ())}
        if not any(self.addresses(token.lower()) for token in own_tokens):
            numbers |= set(self.by_token.get("*", ()))
        return tuple(self.groups[n] for n in sorted(numbers))

    def addresses(self, token: str) -> bool:
        """True when a well-formed user-agent line has `token` (lower case) for its product token."""
        return any(
            not agent.lenient and agent_token(agent.value) == token
            for number in self.by_token.get(token, ())
            for agent in self.groups[number].agents
        )


@dataclass(frozen=True)
class RobotsFile:
    """One parsed file.

    `rfc` groups as RFC 9309 does: other records never close a list of user-agent lines. `attach` is the
    reading of draft-ietf-aipref-attach, in which a Content-Usage line is a rule and does; it is the same
    object where the two agree. `forgiving` are the readings in which lines with odd white space or quotes
    say what they were meant to refuse; empty for a file without such lines. `global_records` stand outside
    any group. `records` counts the lines read as records of a known kind. `digest` is the sha256 hex of the
    whole body.
    """

    rfc: Grouping
    attach: Grouping
    global_records: tuple[RobotsRecord, ...]
    sitemaps: tuple[str, ...]
    digest: str
    records: int
    truncated: bool
    too_complex: bool
    looks_like_html: bool
    not_text: bool
    forgiving: tuple[Grouping, ...] = ()

    @property
    def groups(self) -> tuple[RobotsGroup, ...]:
        """The groups in RFC 9309's reading."""
        return self.rfc.groups

    @property
    def groupings(self) -> tuple[Grouping, ...]:
        """Every different reading, RFC 9309's first."""
        plain = (self.rfc,) if self.attach is self.rfc else (self.rfc, self.attach)
        return (*plain, *self.forgiving)

    def crawl_delay(self, own_tokens: Sequence[str]) -> float | None:
        """The longest Crawl-delay, in seconds, of the groups that speak to us; None when there is none."""
        delays = (
            _seconds(record.value)
            for grouping in self.groupings
            for group in grouping.selected(own_tokens)
            for record in group.others
            if record.key == CRAWL_DELAY
        )
        return max((delay for delay in delays if delay is not None), default=None)


def _seconds(value: str) -> float | None:
    """The number that `value` begins with, whatever follows it: seconds, or the minutes or hours it says."""
    found = _DELAY.match(value)
    if found is None:
        return None
    return float(found.group(1).replace(",", ".")) * _DELAY_UNITS[found.group(2)[:1].lower()]


def agent_token(value: str) -> str:
    """The RFC 9309 product token of a user-agent value, lower case: its longest prefix over [A-Za-z_-]
    or `*`."""
    if value.startswith("*") and value[1:2] in ("", " ", "\t"):
        return "*"
    match = _TOKEN.match(value)
    return match.group().lower() if match else ""


def agent_names(value: str) -> frozenset[str]:
    """Every name a user-agent value can be known by, lower case: its token, its first word with and
    without a version, the whole of it, and the same of each part of a list that was put on one line.
    Some names of training crawlers are no legal tokens. An empty value has the name ""."""
    names: set[str] = {value.strip().lower()}
    for part in [value, *value.split(",")] if "," in value else [value]:
        first = (part.split(None, 1) or [""])[0].lower()
        unversioned = part.partition("/")[0].strip().lower()
        names |= {agent_token(part.strip()), first, first.partition("/")[0], unversioned}
    return frozenset(names - {""}) or frozenset({""})


def parse_robots(body: bytes) -> RobotsFile:
    """Parse a robots file. Never raises: one bad line never voids the file."""
    text, truncated = _readable_part(body)
    records: list[RobotsRecord] = []
    forgiven: list[RobotsRecord] = []
    for plain, forgiving in _records(text):
        records += [plain] if plain is not None else []
        forgiven += [forgiving] if forgiving is not None else []
        if max(len(records), len(forgiven)) > MAX_RECORDS:
            break
    rfc, attach, global_records = _readings(records)
    second: tuple[Grouping, ...] = ()
    if forgiven != records:
        second = tuple(dict.fromkeys(_readings(forgiven)[:2]))
    known = sum(
        record.key in (USER_AGENT, ALLOW, DISALLOW) or record.key in _SITEMAP_KEYS for record in records
    )
    return RobotsFile(
        rfc=rfc,
        attach=attach,
        global_records=global_records,
        sitemaps=tuple(record.value for record in records if record.key in _SITEMAP_KEYS and record.value),
        digest=sha256(body).hexdigest(),
        records=known,
        truncated=truncated,
        too_complex=_too_complex(records) or _too_complex(forgiven),
        looks_like_html=_looks_like_html(text, known),
        not_text=_not_text(text),
        forgiving=second,
    )


def _too_complex(records: Sequence[RobotsRecord]) -> bool:
    rules = [record for record in records if record.key in _SPEAKING]
    matched = [rule.value for rule in rules if rule.key in (ALLOW, DISALLOW)]
    wildcard_octets = sum(len(value) for value in matched if "*" in value)
    patterns = len(rules) + sum(len(value.split()) for value in matched if " " in value)
    return len(records) > MAX_RECORDS or patterns > MAX_RULES or wildcard_octets > MAX_WILDCARD_OCTETS


def _readings(records: list[RobotsRecord]) -> tuple[Grouping, Grouping, tuple[RobotsRecord, ...]]:
    """RFC 9309's groups, those of draft-ietf-aipref-attach, and what stands outside the former."""
    rfc, outside = _group(records, frozenset({ALLOW, DISALLOW}))
    attach = rfc
    if any(record.key == CONTENT_USAGE for record in records):
        attach, _ = _group(records, frozenset({ALLOW, DISALLOW, CONTENT_USAGE}))
    return rfc, rfc if attach == rfc else attach, outside


def _readable_part(body: bytes) -> tuple[bytes, bool]:
    """`body` without its byte order mark, cut at the last full line within the size limit."""
    text = body.removeprefix(_BOM)
    if len(text) <= MAX_ROBOTS_BYTES:
        return text, False
    text = text[:MAX_ROBOTS_BYTES]
    return text[: max(text.rfind(b"\n"), text.rfind(b"\r")) + 1], True


def _records(text: bytes) -> Iterator[tuple[RobotsRecord | None, RobotsRecord | None]]:
    """Each line as a record, and as the record it was meant to be."""
    start, number = 0, 0
    while start < len(text):
        number += 1
        end = _LINE_END.search(text, start)
        line = text[start : end.start() if end else len(text)]
        start = end.end() if end else len(text)
        if line and not line.startswith(b"#"):
            record = _record(number, line)
            yield record, _forgiven(record, number, line)


def _record(number: int, line: bytes) -> RobotsRecord | None:
    cut = len(line) > MAX_LINE_BYTES
    # A file put together from parts (a managed preamble, then the site's own) has its mark in the middle.
    raw = line[:MAX_LINE_BYTES].removeprefix(_BOM).decode("latin-1")
    content = raw.partition("#")[0].strip(" \t")
    if not content:
        return None
    key, colon, value = content.partition(":")
    key = " ".join(key.lower().split())
    kept = excerpt(line[:MAX_LINE_BYTES].decode("utf-8", "replace"))
    if colon and key in _MISSPELT:
        return RobotsRecord(number, _MISSPELT[key], value.strip(" \t"), kept, True, cut)
    words = content.split() if not colon or " " in key else []
    if len(words) == 2:
        name = _MISSPELT.get(words[0].lower(), words[0].lower())
        if name in (USER_AGENT, DISALLOW):
            return RobotsRecord(number, name, words[1], kept, True, cut)
    if not colon:
        return None
    if key == ALLOW and cut:
        return None  # a cut pattern covers more than its author wrote
    return RobotsRecord(number, key, value.strip(" \t"), kept, False, cut)


def _forgiven(plain: RobotsRecord | None, number: int, line: bytes) -> RobotsRecord | None:
    """`plain`, or what an odd line was meant to say. Such a line may refuse but not allow."""
    straight = straightened(line)
    found = None if straight is None else _record(number, straight)
    if found is None:
        return plain or _without_colon(number, line)
    key, value = as_seen(found.key).lower().strip(" " + QUOTES), found.value
    key = _MISSPELT.get(key, key)
    if key == USER_AGENT:
        value = value.translate(_NO_QUOTES)
    value = value.strip(" \t" + QUOTES)
    if key in _SITEMAP_KEYS or (plain is not None and (key, value) == (plain.key, plain.value)):
        return plain
    if key == ALLOW:
        return None
    kept = excerpt(line[:MAX_LINE_BYTES].decode("utf-8", "replace"))
    return RobotsRecord(number, key, value, kept, True, found.cut)


def _without_colon(number: int, line: bytes) -> RobotsRecord | None:
    """A line about a use that lacks its colon."""
    raw = line[:MAX_LINE_BYTES]
    words = raw.partition(b"#")[0].decode("latin-1").split(None, 1)
    if len(words) < 2 or words[0].lower() not in _ABOUT_USE:
        return None
    kept = excerpt(raw.decode("utf-8", "replace"))
    return RobotsRecord(number, words[0].lower(), words[1].strip(), kept, True, len(line) > MAX_LINE_BYTES)


def _group(records: list[RobotsRecord], closing: frozenset[str]) -> tuple[Grouping, tuple[RobotsRecord, ...]]:
    """Collect `records` into groups; a user-agent line after a record of a `closing` kind opens a new one."""
    groups: list[tuple[list[RobotsRecord], list[RobotsRecord], list[RobotsRecord]]] = []
    outside: list[RobotsRecord] = []
    closed = True
    for record in records:
        if record.key == USER_AGENT:
            if closed:
                groups.append(([], [], []))
            groups[-1][0].append(record)
            closed = False
            continue
        if record.key in _SITEMAP_KEYS:
            continue
        if not groups:
            outside.append(record)
            continue
        groups[-1][1 if record.key in (ALLOW, DISALLOW) else 2].append(record)
        closed = closed or record.key in closing
    made = tuple(RobotsGroup(tuple(a), tuple(r), tuple(o)) for a, r, o in groups)
    return Grouping(made, _index(made, lambda v: {agent_token(v)}), _index(made, agent_names)), tuple(outside)


def _index(
    groups: tuple[RobotsGroup, ...], names_of: Callable[[str], Iterable[str]]
) -> dict[str, tuple[int, ...]]:
    index: dict[str, dict[int, None]] = {}
    for number, group in enumerate(groups):
        for agent in group.agents:
            for name in names_of(agent.value):
                index.setdefault(name, {})[number] = None
    return {name: tuple(numbers) for name, numbers in index.items()}


def _rule(record: RobotsRecord) -> Rule | None:
    """A matchable rule of a record; None for an empty value, which matches nothing."""
    if not record.value:
        return None
    return Rule(record.key == ALLOW, record.value.encode("latin-1"), record.line, record.raw)


def _looks_like_html(text: bytes, known_records: int) -> bool:
    if _HTML_START.match(text):
        return True
    return known_records == 0 and _HTML_ANYWHERE.search(text, 0, 4096) is not None


def _not_text(text: bytes) -> bool:
    """True for UTF-16, archives, images and other binary answers."""
    if text.startswith(_MAGIC) or b"\x00" in text:
        return True
    control = sum(text.count(bytes([code])) for code in (*range(1, 9), *range(14, 27), *range(28, 32)))
    return control * 20 > len(text)
