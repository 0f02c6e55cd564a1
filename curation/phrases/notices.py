"""Finding written notices in text: phrases of `notices.toml` that refuse training or re-use.

Pure. When in doubt it is a notice, since a notice is a refusal, and whoever refuses writes a name, a year or
"my work" beside it. A mention is only what plainly talks about such phrases (`about.toml`), and what stands
deep in a page of prose.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, product
from pathlib import Path
from typing import Any

from curation.phrases.folding import END, HARD, LINE, NONE, SOFT, Folded, fold, folded
from kyodaku.signals.keywords import refuses_beside

#: Signs from which on one wrong, missing or extra sign is forgiven: of Han, kana and Hangul; of Latin script.
FUZZY, FUZZY_LATIN = 5, 8

#: In a pair, what is forbidden must have so many signs for one to be wrong: 転載お断り, 転職お断り.
LONG_THING = 3

#: A text is a page of prose from this many lines, signs and sentences on. There, a phrase that is less than a
#: share of its sentence, and no line of its own, is part of running text.
PAGE_LINES, PAGE_SIGNS, PAGE_SENTENCES, PAGE_SHARE, OWN_SHARE = 6, 200, 3, 0.3, 0.6

#: Signs on either side that are quoted, and looked at on a page beyond the line itself.
_SAID = 40

#: Share of its sentence that a ban has which only the rule for rights statements knows.
RULE_SHARE = 0.4

#: Ends of such a sentence, and words that make it talk about something else.
_PARTS = re.compile(r"[.!?;,|/•·。、！？\n]")
_TALKS = re.compile(r"think|believe|know|mind|塾|教室|学校|参考書")

#: Signs that a phrase is looked up by before it is looked for.
_START = 8

_DATA = Path(__file__).parent
_QUOTES = dict(zip("「『“\"‘'", "」』”\"’'", strict=True))


@dataclass(frozen=True)
class Phrase:
    """A folded phrase. `alone`: counts only where nothing else is beside it. `not_before`: as in `Pair`."""

    signs: str
    alone: bool
    group: int
    not_before: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pair:
    """One of `first`, then one of `second` at most `gap` signs later, with only `between` in between.
    `not_before`: what makes another word of a thing that it stands right behind."""

    first: Sequence[str]
    second: Sequence[str]
    gap: int
    between: re.Pattern[str] | None
    group: int
    bans_first: bool
    not_before: tuple[str, ...]


@dataclass(frozen=True)
class Lists:
    """Everything in the data files, folded. `starts`: by length and by what a text holds wherever a phrase
    stands in it, the phrases."""

    groups: Sequence[Mapping[str, Any]]
    phrases: Sequence[Phrase]
    pairs: Sequence[Pair]
    about: Mapping[str, Sequence[str]]
    starts: Mapping[int, Mapping[str, Sequence[Phrase]]]

    def that_may_stand_in(self, signs: str) -> set[Phrase]:
        """The phrases that are worth looking for."""
        return {
            phrase
            for length, starts in self.starts.items()
            for at in range(len(signs) - length + 1)
            for phrase in starts.get(signs[at : at + length], ())
        }


@dataclass(frozen=True)
class Match:
    """A phrase that was found: signs `start` to `end` of the folded text; `exact` or with one sign wrong."""

    start: int
    end: int
    exact: bool
    group: int


@dataclass(frozen=True)
class _Place:
    """A match, and the signs that its sentence and its lines begin and end with."""

    match: Match
    start: int
    end: int
    line: int
    line_end: int


@dataclass(frozen=True)
class Notice:
    """A phrase in its sentence, and the language of its list ("" for none). `refuses` is False where the
    sentence only talks about it."""

    language: str
    category: str
    said: str
    exact: bool
    refuses: bool


def data_files() -> tuple[Path, Path]:
    """What the lists are made of: versions depend on their bytes."""
    return _DATA / "notices.toml", _DATA / "about.toml"


@cache
def groups() -> tuple[Mapping[str, Any], ...]:
    """The groups of notices.toml as they are written."""
    return tuple(tomllib.loads(data_files()[0].read_text(encoding="utf-8"))["group"])


@cache
def lists() -> Lists:
    """The data files, read and folded once."""
    about = tomllib.loads(data_files()[1].read_text(encoding="utf-8")).values()
    phrases: dict[str, Phrase] = {}
    pairs = []
    for number, group in enumerate(groups()):
        others = tuple(folded(text) for text in group.get("not_before", ()))
        for alone, texts in ((False, group.get("phrases", ())), (True, group.get("alone", ()))):
            for text in texts:
                phrases.setdefault(folded(text), Phrase(folded(text), alone, number, others))
        for pair in _pairs(group, number):
            pairs.append(pair)
            if pair.between is None:
                for one, two in product(pair.first, pair.second):
                    thing = two if pair.bans_first else one
                    if len(thing) >= LONG_THING and _forgiving(one + two):
                        phrases.setdefault(one + two, Phrase(one + two, False, number))
    kinds = ("asks", "opens", "ahead", "behind", "before", "after")
    words = {kind: tuple(folded(word) for one in about for word in one.get(kind, ())) for kind in kinds}
    return Lists(groups(), tuple(phrases.values()), tuple(pairs), words, _starts(phrases.values()))


def _starts(phrases: Iterable[Phrase]) -> dict[int, dict[str, list[Phrase]]]:
    """Phrases by their first signs, or by those of both halves where one may have a sign wrong
    (`occurrences`)."""
    found: dict[int, dict[str, list[Phrase]]] = defaultdict(lambda: defaultdict(list))
    for phrase in phrases:
        half = len(phrase.signs) // 2
        parts = (phrase.signs[:half], phrase.signs[half:]) if _forgiving(phrase.signs) else (phrase.signs,)
        for part in dict.fromkeys(part[:_START] for part in parts):
            found[len(part)][part].append(phrase)
    return {length: dict(starts) for length, starts in found.items()}


def find(text: str) -> list[Notice]:
    """Every notice and mention in the lines of a picture, in their order. Never raises; in linear time."""
    flat, known = fold(text), lists()
    matches = sorted(set(_matches(flat, known)), key=_order)
    sentences = [at for at, strength in enumerate(flat.breaks) if strength == END]
    lines = [at for at, strength in enumerate(flat.breaks) if strength in (LINE, END)]
    page = _is_long(text, flat) and len(sentences) > PAGE_SENTENCES
    found, covered = [], 0
    for match in matches:
        if match.end <= covered:
            continue
        covered = match.end
        group = known.groups[match.group]
        place = _Place(match, *_around(sentences, match), *_around(lines, match))
        first, last = max(place.start, match.start - _SAID), min(place.end, match.end + _SAID)
        said = text[flat.places[first] : flat.places[last - 1] + 1]
        refuses = not _about(text, flat, place, known, page)
        found.append(Notice(group["language"], group["category"], said, match.exact, refuses))
    return found


def read(text: str) -> list[Notice]:
    """What `find` finds; where that is nothing and the text is no page, also what refuses training by the
    rule for rights statements (`kyodaku.signals.keywords`), in words that no list here has."""
    found = find(text)
    if found or _is_long(text, fold(text)):
        return found
    said = (phrase for part in _PARTS.split(text) if (phrase := _ban(part)))
    return [Notice("", "ai", phrase, exact=True, refuses=True) for phrase in said]


def _ban(part: str) -> str:
    """What refuses in a sentence that says little else, or ""."""
    phrase = refuses_beside(part) or ""
    talks = _TALKS.search(phrase) or len(phrase) < RULE_SHARE * len(part.strip())
    return "" if talks else phrase


def _is_long(text: str, flat: Folded) -> bool:
    return text.count("\n") + 1 >= PAGE_LINES and len(flat.signs) >= PAGE_SIGNS


def _order(match: Match) -> tuple[int, bool, int]:
    """From left to right; of those that begin together, exact and long ones first."""
    return match.start, not match.exact, match.start - match.end


def _pairs(group: Mapping[str, Any], number: int) -> Iterator[Pair]:
    def fold_all(key: str) -> tuple[str, ...]:
        return tuple(folded(text) for text in group.get(key, ()))

    words = sorted(fold_all("between"), key=len, reverse=True)
    between = re.compile("(?:" + "|".join(map(re.escape, words)) + ")*+") if words else None
    things, bans, others = fold_all("things"), fold_all("bans"), fold_all("not_before")
    if "bans_first" in group:
        yield Pair(fold_all("bans_first"), things, group["gap"], between, number, True, others)
    if bans:
        things = fold_all("bans_things") or things
        yield Pair(things, bans, group["gap"], None, number, False, others)


def _matches(flat: Folded, known: Lists) -> Iterator[Match]:
    for phrase in known.that_may_stand_in(flat.signs):
        for start, end, exact in occurrences(flat.signs, phrase.signs):
            if phrase.alone:
                fits = exact and min(flat.breaks[start], flat.breaks[end]) >= LINE
            else:
                fits = _is_whole(flat, start, end) and not _goes_on(flat, end, phrase.not_before)
            if fits and END not in flat.breaks[start + 1 : end]:
                yield Match(start, end, exact, phrase.group)
    for pair in known.pairs:
        yield from _paired(flat, pair)


def _paired(flat: Folded, pair: Pair) -> Iterator[Match]:
    signs = flat.signs
    for one in pair.first:
        for start in _finds(signs, one):
            after = start + len(one)
            reach = signs[after : after + pair.gap + max(map(len, pair.second))]
            for two in pair.second:
                at = reach.find(two)
                if not 0 <= at <= (pair.gap if len(one) > 1 else 1):
                    continue
                if pair.between is not None and not pair.between.fullmatch(reach[:at]):
                    continue
                end = after + at + len(two)
                if _goes_on(flat, end if pair.bans_first else after, pair.not_before):
                    continue
                worst = max(flat.breaks[start + 1 : end], default=NONE)
                if worst < (HARD if pair.bans_first else END) and _is_whole(flat, start, end):
                    yield Match(start, end, True, pair.group)


def _goes_on(flat: Folded, end: int, words: tuple[str, ...]) -> bool:
    """Whether what ends there goes on as another word, in the same breath."""
    return flat.breaks[end] == NONE and flat.signs.startswith(words, end)


def occurrences(signs: str, phrase: str) -> Iterator[tuple[int, int, bool]]:
    """Where a folded phrase stands in folded text: start, end, and whether exactly. Long phrases are found
    with one sign wrong, extra or missing too (one half must be right)."""
    exact = set()
    for start in _finds(signs, phrase):
        exact.add(start)
        yield start, start + len(phrase), True
    if not _forgiving(phrase):
        return
    half = len(phrase) // 2
    head, tail = phrase[:half], phrase[half:]
    for start in _finds(signs, head):
        if start not in exact:
            for length in (len(tail), len(tail) - 1, len(tail) + 1):
                end = start + half + length
                if end <= len(signs) and _one_off(tail, signs[start + half : end]):
                    yield start, end, False
                    break
    for middle in _finds(signs, tail):
        if middle - half not in exact:
            for length in (half, half - 1, half + 1):
                start = middle - length
                if start >= 0 and _one_off(head, signs[start:middle]):
                    yield start, middle + len(tail), False
                    break


def _finds(signs: str, part: str) -> Iterator[int]:
    at = signs.find(part)
    while at >= 0:
        yield at
        at = signs.find(part, at + 1)


def _one_off(one: str, other: str) -> bool:
    """Whether an edit distance of one, or none, lies between two short texts."""
    short, long = sorted((one, other), key=len)
    at = next((i for i, sign in enumerate(short) if sign != long[i]), len(short))
    if len(short) == len(long):
        return short[at + 1 :] == long[at + 1 :]
    return short[at:] == long[at + 1 :]


def _forgiving(phrase: str) -> bool:
    """Whether one sign may be wrong: not where a single sign is what forbids."""
    if phrase.endswith("禁") or (phrase[:1] in "禁勿" and phrase[1:2] != folded("止")):
        return False
    return len(phrase) >= (FUZZY_LATIN if phrase.isascii() else FUZZY)


def _is_whole(flat: Folded, start: int, end: int) -> bool:
    """No Latin word is cut at either end, unless the line was read without any spaces."""
    cut = (flat.signs[start].isascii() and flat.breaks[start] == NONE) or (
        flat.signs[end - 1].isascii() and flat.breaks[end] == NONE
    )
    return not cut or (end - start >= 10 and SOFT not in flat.breaks[max(1, start - 4) : end + 4])


def _around(ends: Sequence[int], match: Match) -> tuple[int, int]:
    """The last end at or before a match begins, and the first at or after it ends."""
    return ends[bisect_right(ends, match.start) - 1], ends[bisect_left(ends, match.end)]


def _about(text: str, flat: Folded, place: _Place, known: Lists, page: bool) -> bool:
    """Whether the text talks about the phrase and does not mean it."""
    match, start, end = place.match, place.start, place.end
    first, last = flat.places[match.start], flat.places[match.end - 1] + 1
    quoted = bool(first) and text[last : last + 1] == _QUOTES.get(text[first - 1], "none")
    if _beside(flat, match, known, quoted):
        return True
    after = text[flat.places[end - 1] + 1 : flat.places[end - 1] + 9].lstrip()
    asks = after[:1] in ("?", "？") and place.line_end >= end
    opening = max(start, place.line)
    if asks and any(_stands(flat, word, opening, opening + len(word)) for word in known.about["asks"]):
        return True
    runs_on = not any(flat.breaks[opening + 1 : match.start])
    if runs_on and flat.signs.startswith(tuple(known.about["opens"]), opening, match.start):
        return True
    if not page:
        return False
    head = max(start, place.line - _SAID, match.start - 2 * _SAID), match.start
    tail = match.end, min(end, place.line_end + _SAID, match.end + 2 * _SAID)
    if any(_stands(flat, word, *head) for word in known.about["before"]):
        return True
    if _own_line(place):
        return False
    if quoted or asks or any(_stands(flat, word, *tail) for word in known.about["after"]):
        return True
    return match.end - match.start < PAGE_SHARE * (end - start)


def _beside(flat: Folded, match: Match, known: Lists, quoted: bool) -> bool:
    """Whether words stand right before or behind the phrase that make it spoken of. Where it is written with
    blanks, they are words of their own on its line."""
    most = HARD if quoted else SOFT
    for word in known.about["behind"]:
        joined = flat.breaks[match.end] <= (most if quoted or word.isascii() else NONE)
        if joined and _stands(flat, word, match.end, match.end + len(word)):
            return True
    return flat.breaks[match.start] <= most and any(
        _stands(flat, word, match.start - len(word), match.start) for word in known.about["ahead"]
    )


def _stands(flat: Folded, word: str, start: int, end: int) -> bool:
    """Whether a word stands between two places; a Latin one as a word of its own."""
    for at in _finds(flat.signs[max(0, start) : end], word):
        first = max(0, start) + at
        edges = (flat.breaks[first], flat.breaks[first + len(word)])
        if NONE not in edges or not word.isascii():
            return True
    return False


def _own_line(place: _Place) -> bool:
    """Whether the phrase fills its line: what neighbouring lines say then says little about it."""
    return place.match.end - place.match.start >= OWN_SHARE * (place.line_end - place.line)


def refusing(notices: Sequence[Notice]) -> list[Notice]:
    """Those that refuse, each said once."""
    return list({notice.said: notice for notice in notices if notice.refuses}.values())


def all_phrases() -> Iterator[str]:
    """Every phrase of the data file as it is written, `alone` ones too (not the pairs)."""
    return chain.from_iterable((*group.get("phrases", ()), *group.get("alone", ())) for group in groups())
