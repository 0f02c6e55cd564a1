"""ai.txt: Spawning's file in the grammar of robots.txt, and the other files that go by the same name.

The dialect is sniffed before anything is read: Spawning's (May 2023) has user-agent, allow and disallow
lines; that of draft-car-ai-txt-wellknown-00 has `Training:` lines and a JSON form. Any other text counts only
where it refuses in words.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from enum import Enum
from functools import lru_cache

from kyodaku.errors import CarrierError
from kyodaku.reasons import HoldReason, RefuseReason
from kyodaku.signals.ai_txt_car import CarFile, Said, parse_car, parse_car_json
from kyodaku.signals.carriers.robots import ALLOW, DISALLOW, RobotsGroup, RobotsRecord, parse_robots
from kyodaku.signals.carriers.robots_match import PatternRules, Rule, normal_paths, normalise
from kyodaku.signals.keywords import fold, refuses_in_words
from kyodaku.signals.model import Binding, Effect, Fetched, Reading, Signal
from kyodaku.signals.policy_files import answer_signals, fetch_outcome, file_signal
from kyodaku.signals.protocols.base import About, Protocol

ROOT = "/ai.txt"
WELL_KNOWN = "/.well-known/ai.txt"
JSON = "/.well-known/ai.json"
_START = rb"(?:^(?:\xef\xbb\xbf)?|[\r\n])[ \t]*"
_CAR = re.compile(
    _START + rb"(?:spec[-_ ]?version|training(?:[-_ ]?(?:allow|deny))?|scraping)[ \t]*:", re.IGNORECASE
)
_ROBOTS = re.compile(_START + rb"(?:user-?[ ]?agent|dis+al+ow|allow)[ \t]*:", re.IGNORECASE)
#: A line about training in no dialect: `training = deny`, `"training": false`.
_DENIES = re.compile(
    r"\b(?:ai|data|model|images?)?[-_ ]?train(?:ing)?[\"']?\s{0,8}[:=]\s{0,8}[\"']?"
    r"(?:den(?:y|ied)|no|none|never|false|disallow(?:ed)?|prohibited|forbidden)\b"
)
_MEMORY = 32
_MAX_URL = 16 * 1024
#: Of a text in words, lines and characters of one that are looked at.
_MAX_LINES = 5000
_MAX_LINE = 4096


class AiTxt(Protocol):
    """Every dialect; the restrictive union over the three places."""

    name = "ai-txt"
    title = "ai.txt: Spawning's, and draft-car-ai-txt-wellknown (with ai.json)"
    host_files = (ROOT, WELL_KNOWN, JSON)
    vector_signals = ("ai-txt",)
    about = About(
        where="/ai.txt, /.well-known/ai.txt, /.well-known/ai.json",
        scope="site, path, kind of file",
        status="Spawning, May 2023, nearly unused; draft-car-ai-txt-wellknown, individual",
        spec=(
            "rules of the file for our name or `*`: Disallow reserves, an Allow that matches permits; "
            "`Training: allow`, `deny`, `conditional`"
        ),
        policy=(
            "extensions whatever their case; rules for crawlers that train reserve; so does what may not be "
            "taken or kept, or has a price or a duty; other texts reserve where they refuse in words"
        ),
    )

    def __init__(self) -> None:
        self._spawning: OrderedDict[tuple[object, ...], SpawningRules] = OrderedDict()
        self._words: OrderedDict[tuple[bool, bytes], str | None] = OrderedDict()
        self._car: OrderedDict[tuple[str, bytes], CarFile | CarrierError] = OrderedDict()

    def alike(self, path: str, file: Fetched, reading: Reading) -> bool:
        """No file: the fetch alone tells."""
        return path not in self.host_files or fetch_outcome(file) is not None

    def read_host_file(self, path: str, file: Fetched, url: str, reading: Reading) -> list[Signal]:
        """What the file says about training on `url`."""
        if path not in self.host_files:
            return []
        answer = fetch_outcome(file)
        if answer is not None:
            return answer_signals(self.name, file, answer)
        if len(url) > _MAX_URL:
            return [_error(file, "the address is too long to be compared")]
        dialects = _dialects(file.body)
        if path == JSON or _Dialect.JSON in dialects:
            return self._read_car(path, file, url, reading, json=True)
        if _Dialect.BINARY in dialects:
            return [_error(file, "not a text file")]
        if _Dialect.CAR in dialects:
            found = self._read_car(path, file, url, reading, json=False)
            if _Dialect.SPAWNING in dialects:  # two dialects in one file: what either refuses
                found += [s for s in self._read_spawning(file, url, reading) if _is_no(s)]
            return found
        if _Dialect.SPAWNING in dialects:
            return self._read_spawning(file, url, reading)
        return self._in_words(file, reading)

    def _in_words(self, file: Fetched, reading: Reading, denials: bool = True) -> list[Signal]:
        """The keyword rule, for text in no dialect that we know; `denials` are words like `training = no`."""
        if reading.mode == "spec":
            return []
        key = (denials, file.body)
        if key not in self._words:
            self._words[key] = _refusing_line(file.body, denials)
            while len(self._words) > _MEMORY:
                self._words.popitem(last=False)
        line = self._words[key]
        if line is None:
            return []
        if not line:
            return [_error(file, "more lines than we read")]
        said, rule, reason = "refuses in words", "ai-txt:words", RefuseReason.AI_TXT.value
        return [file_signal(self.name, file, Effect.RESERVED, line, said, rule, reason, Binding.HOST)]

    def _read_car(self, path: str, file: Fetched, url: str, reading: Reading, json: bool) -> list[Signal]:
        key = ("json" if json else "text", file.body)
        parsed = self._car.get(key)
        if parsed is None:
            try:
                parsed = parse_car_json(file.body) if json else parse_car(file.body)
            except CarrierError as error:
                parsed = error
            self._car[key] = parsed
            while len(self._car) > _MEMORY:
                self._car.popitem(last=False)
        if isinstance(parsed, CarrierError):
            words = self._in_words(file, reading, denials=False)
            return words or [_error(file, str(parsed))]
        said = parsed.says(normal_paths(url), reading)
        if said is None:
            return self._in_words(file, reading) if parsed.empty else []
        return [_car_signal(file, said)]

    def _read_spawning(self, file: Fetched, url: str, reading: Reading) -> list[Signal]:
        key = (reading.mode, reading.own_tokens, reading.purpose_tokens, file.body)
        rules = self._spawning.get(key)
        if rules is None:
            rules = self._spawning[key] = SpawningRules(file.body, reading)
            while len(self._spawning) > _MEMORY:
                self._spawning.popitem(last=False)
        if rules.too_complex:
            return [_error(file, "more rules than we read")]
        barring, allowing = rules.says(url)
        if barring is not None:
            reason = RefuseReason.AI_TXT.value
            rule = f"ai-txt:disallow:L{barring.line}"
            return [file_signal(self.name, file, Effect.RESERVED, barring.raw, "disallow", rule, reason)]
        words = self._in_words(file, reading)
        if allowing is not None and file.complete and not words:
            rule = f"ai-txt:allow:L{allowing.line}"
            return [file_signal(self.name, file, Effect.PERMITTED, allowing.raw, "allow", rule)]
        return words


class _Dialect(Enum):
    JSON = "json"
    BINARY = "binary"
    CAR = "car"
    SPAWNING = "spawning"


@lru_cache(maxsize=64)  # one file is asked about every URL of its host
def _dialects(body: bytes) -> frozenset[_Dialect]:
    """What a file looks like; nothing where it is in no dialect that we know."""
    if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return frozenset({_Dialect.JSON})
    if b"\x00" in body:
        return frozenset({_Dialect.BINARY})
    looks = {_Dialect.CAR: _CAR, _Dialect.SPAWNING: _ROBOTS}
    return frozenset(dialect for dialect, pattern in looks.items() if pattern.search(body))


class SpawningRules:
    """The rules of one file in Spawning's dialect, as one crawler reads them.

    By policy a Disallow bars whatever the case of letters, in every way to group the lines, outside of any
    group, where a list of names holds ours or none is there, and in the groups of training crawlers too,
    unless the file names us.
    """

    def __init__(self, body: bytes, reading: Reading) -> None:
        robots = parse_robots(body)
        lenient = reading.mode == "policy"
        groupings = robots.groupings if lenient else (robots.rfc,)
        sets = [grouping.selected(reading.own_tokens) for grouping in groupings]
        named = any(robots.rfc.addresses(token.lower()) for token in reading.own_tokens)
        if lenient:
            others = reading.own_tokens if named else (*reading.own_tokens, *reading.purpose_tokens)
            sets += [
                (grouping.groups[number],)
                for grouping in groupings
                for token in ("", *others)
                for number in grouping.by_name.get(token.lower(), ())
            ]
            sets.append((RobotsGroup((), robots.global_records, ()),))
        self.too_complex = robots.too_complex
        self._lenient = lenient
        read = [] if self.too_complex else [_rules(groups, lenient) for groups in dict.fromkeys(sets)]
        self._sets = [(exact, folded) for exact, folded in read if exact.refuse or (folded and folded.refuse)]
        ours = robots.rfc.selected(reading.own_tokens)
        records = [r for group in ours for r in group.rules if not (r.lenient or r.cut or robots.truncated)]
        plain = [] if self.too_complex else _plain(records)
        self._ours = PatternRules(plain, strict=True)
        self._ours_barring = PatternRules([rule for rule in plain if lenient and not rule.allow], strict=True)

    def says(self, url: str) -> tuple[Rule | None, Rule | None]:
        """(the Disallow that bars `url`, the Allow that opens it); at most one of them."""
        paths = normal_paths(url)
        for exact, folded in self._sets:
            for path in paths:
                for rules, form in ((exact, path), (folded, normalise(path.lower()))):
                    rule = None if rules is None else rules.winner(form)
                    if rule is not None and not rule.allow:
                        return rule, None
        winners = [self._ours.winner(path) for path in paths]
        allows = [rule for rule in winners if rule is not None and rule.allow]
        ties = [self._ours_barring.winner(path) for path in paths]
        if any(barring and len(barring.pattern) == len(rule.pattern) for barring in ties for rule in allows):
            return None, None  # by policy a yes and a no for the same paths grant nothing
        return None, allows[0] if allows and len(allows) == len(winners) else None


def _rules(groups: Sequence[RobotsGroup], lenient: bool) -> tuple[PatternRules, PatternRules | None]:
    """The rules of some groups as written and, by policy, without regard to the case of letters."""
    kinds = (ALLOW, DISALLOW)
    records = [r for group in groups for r in group.rules if r.value and r.key in kinds]
    exact = PatternRules(_plain(records), strict=not lenient)
    if not lenient:
        return exact, None
    folded = [
        Rule(rule.allow, pattern, rule.line, rule.raw)
        for rule in _plain(records)
        for pattern in _folded(rule)
    ]
    return exact, PatternRules(folded, strict=False)


def _plain(records: Sequence[RobotsRecord]) -> list[Rule]:
    return [
        Rule(record.key == ALLOW, record.value.encode("latin-1"), record.line, record.raw)
        for record in records
        if record.value
    ]


def _folded(rule: Rule) -> list[bytes]:
    """The pattern in lower case; a Disallow of a bare extension also as what it was meant to be."""
    pattern = rule.pattern.lower()
    return [pattern, b"*" + pattern] if not rule.allow and pattern.startswith(b".") else [pattern]


def _refusing_line(body: bytes, denials: bool) -> str | None:
    """The first line of a text that refuses in words; "" where there are more lines than we read."""
    lines = body.decode("utf-8", "replace").splitlines()
    for line in lines[:_MAX_LINES]:
        line = line[:_MAX_LINE]
        stated = denials and not line.lstrip("\ufeff \t").startswith("#")
        if refuses_in_words(line) or (stated and _DENIES.search(fold(line))):
            return line
    return "" if len(lines) > _MAX_LINES else None


def _car_signal(file: Fetched, said: Said) -> Signal:
    effect = Effect.PERMITTED if said.allowed and file.complete else Effect.RESERVED
    reason = "" if effect is Effect.PERMITTED else RefuseReason.AI_TXT.value
    return file_signal(AiTxt.name, file, effect, said.raw, said.parsed, "ai-txt:training", reason)


def _error(file: Fetched, said: str) -> Signal:
    reason = HoldReason.POLICY_FILE_UNREADABLE.value
    return file_signal(AiTxt.name, file, Effect.ERROR, said, said, "ai-txt:unreadable", reason, Binding.HOST)


def _is_no(signal: Signal) -> bool:
    return signal.effect in (Effect.RESERVED, Effect.ERROR)


PROTOCOL = AiTxt()
