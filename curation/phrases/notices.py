"""Finding written notices in text: phrases of `notices.toml` that refuse training or re-use.

Pure. When in doubt it is a notice, since a notice is a refusal, and whoever refuses writes a name, a year or
"my work" beside it. A mention is only what plainly talks about such phrases (`about.toml`), and what stands
deep in a page of prose. Line ends are no ends of sentences, except below lines that stop short on a page.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, reduce
from itertools import chain, pairwise, product
from pathlib import Path
from typing import Any

from curation.phrases.folding import END, HARD, LINE, NONE, SOFT, Folded, fold, folded, is_old, respelt
from curation.phrases.fuzzy import comes_from, finds, forgiving, goes_on, is_whole, occurrences, stands
from kyodaku.signals.keywords import refuses_beside

#: In a pair, what is forbidden must have so many signs for one to be wrong: 転載お断り, 転職お断り.
LONG_THING = 3

#: A text is a page of prose from this many lines, signs and sentences on. There, a phrase that is less than a
#: share of its sentence, and no line of its own, is part of running text.
PAGE_LINES, PAGE_SIGNS, PAGE_SENTENCES, PAGE_SHARE, OWN_SHARE = 6, 200, 3, 0.3, 0.6

#: A line of a page that is shorter than such a share of the longest ends its sentence: lines of prose run on
#: to the margin, those of bubbles, labels and headings stop.
SHORT_LINE = 0.6

#: Lines that one ban may break over.
BROKEN_OVER = 4

#: Signs on either side that are quoted, and looked at on a page beyond the line itself.
_SAID = 40

#: Share of its sentence that a ban has which only the rule for rights statements knows.
RULE_SHARE = 0.4

#: Ends of such a sentence, and words that make it talk about something else.
_PARTS = re.compile(r"[.!?;,|/•·。、！？\n]")
_TALKS = re.compile(r"think|believe|know|mind")
_SCHOOLS = re.compile(r"AI\s*学習\s*(?:塾|教室|学校|参考書)", re.IGNORECASE)

#: Signs that a phrase is looked up by before it is looked for.
_START = 8

#: A line that ends in a ban is a whole statement.
_WHOLE = re.compile(r"(?:禁止|厳禁|不可|お断り|遠慮ください|ご遠慮下さい|NG|[×✕])$")

#: A cross behind what it forbids, and signs before it: between two words `×` means "with".
_CROSSED = re.compile(r"[はをも]? ?(?:[❌🚫⛔](?!\w)|[×✕✖✗](?! ?\w| ?[×✕✖✗])|[×✕✖✗] ?\w{1,8} ?[×✕✖✗])")
_STRUCK = re.compile(r"[❌🚫⛔]\ufe0f? ?$")

#: The last sign of scripts that part words by blanks; Hangul, which does too, is no matter here.
_LAST_SPACED = "\u2e7f"

_DATA = Path(__file__).parent
_QUOTES = dict(zip("「『“\"‘'", "」』”\"’'", strict=True))


@dataclass(frozen=True)
class Phrase:
    """A folded phrase. `alone`: counts only where nothing else is beside it. `not_before`: as in `Pair`."""

    signs: str
    alone: bool
    group: int
    not_before: tuple[str, ...] = ()
    not_after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pair:
    """One of `first`, then one of `second` at most `gap` signs later, with only `between` in between.
    `not_before`: what makes another word of a thing that it stands right behind; `not_after`: what makes
    something else of all of it that it stands right before."""

    first: Sequence[str]
    second: Sequence[str]
    gap: int
    between: re.Pattern[str] | None
    group: int
    bans_first: bool
    not_before: tuple[str, ...]
    not_after: tuple[str, ...]


@dataclass(frozen=True)
class Lists:
    """Everything in the data files, folded. `crossed`: what is forbidden by a cross beside it, and its group.
    `starts`: by length and by what a text holds wherever a phrase stands in it, the phrases."""

    groups: Sequence[Mapping[str, Any]]
    phrases: Sequence[Phrase]
    pairs: Sequence[Pair]
    crossed: Sequence[tuple[str, int]]
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
    sentence only talks about it, or where it stands on an old print. `printed`: old prints bear it, too."""

    language: str
    category: str
    said: str
    exact: bool
    refuses: bool
    printed: bool = False


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
        others = [tuple(map(folded, group.get(key, ()))) for key in ("not_before", "not_after")]
        for alone, texts in ((False, group.get("phrases", ())), (True, group.get("alone", ()))):
            for text in texts:
                phrases.setdefault(folded(text), Phrase(folded(text), alone, number, *others))
        for pair in _pairs(group, number):
            pairs.append(pair)
            if pair.between is None:
                last = pair.not_before if pair.bans_first else ()
                for one, two in product(pair.first, pair.second):
                    thing = two if pair.bans_first else one
                    if len(thing) >= LONG_THING and forgiving(one + two):
                        phrases.setdefault(one + two, Phrase(one + two, False, number, last, pair.not_after))
    kinds = ("asks", "pleads", "opens", "ahead", "behind", "before", "after")
    words = {kind: tuple(folded(word) for one in about for word in one.get(kind, ())) for kind in kinds}
    crossed = [(folded(word), at) for at, group in enumerate(groups()) for word in group.get("crossed", ())]
    starts = _starts(phrases.values())
    return Lists(groups(), tuple(phrases.values()), tuple(pairs), tuple(crossed), words, starts)


def _starts(phrases: Iterable[Phrase]) -> dict[int, dict[str, list[Phrase]]]:
    """Phrases by their first signs, or by those of both halves where one may have a sign wrong
    (`occurrences`)."""
    found: dict[int, dict[str, list[Phrase]]] = defaultdict(lambda: defaultdict(list))
    for phrase in phrases:
        half = len(phrase.signs) // 2
        parts = (phrase.signs[:half], phrase.signs[half:]) if forgiving(phrase.signs) else (phrase.signs,)
        for part in dict.fromkeys(part[:_START] for part in parts):
            found[len(part)][part].append(phrase)
    return {length: dict(starts) for length, starts in found.items()}


def find(text: str) -> list[Notice]:
    """Every notice and mention in the lines of a picture, in their order. Never raises; in linear time."""
    flat, known = fold(text), lists()
    matches = sorted({*_matches(flat, known), *_crossed(text, flat, known)}, key=_order)
    sentences = [at for at, strength in enumerate(flat.breaks) if strength == END]
    lines = [at for at, strength in enumerate(flat.breaks) if strength in (LINE, END)]
    page = _is_long(text, flat) and len(sentences) > PAGE_SENTENCES
    starts = sorted({*sentences, *_ends_of_short(lines)}) if page else sentences
    found, covered, began = [], {False: 0, True: 0}, -1
    for match in matches:
        group = known.groups[match.group]
        printed = group.get("printed", False)
        alike = printed or (match.start == began and not match.exact)  # else it must not be covered
        if match.end <= covered[False] or (alike and match.end <= covered[True]):
            continue
        covered[printed], began = match.end, match.start if printed else began
        start, end = _around(starts, match)[0], _around(sentences, match)[1]
        place = _Place(match, start, end, *_around(lines, match))
        first, last = max(place.start, match.start - _SAID), min(place.end, match.end + _SAID)
        said = text[flat.places[first] : flat.places[last - 1] + 1]
        refuses = not _about(text, flat, place, known, page)
        found.append(Notice(group["language"], group["category"], said, match.exact, refuses, printed))
    return found


def read(text: str) -> list[Notice]:
    """What `find` finds; where nothing of that refuses, also what refuses training by the rule for rights
    statements (`kyodaku.signals.keywords`), in words that no list has: on a page only what fills its line.
    The text is read as it stands, and with every `Al` that may be AI. Old prints refuse nothing."""
    spellings, old = tuple(dict.fromkeys((text, respelt(text)))), is_old(text)
    found = find(text)
    if "|" in text and not refusing(found):  # lists tell no other spellings apart
        found = find(spellings[-1]) or found
    found = [replace(one, refuses=False) if old and one.printed else one for one in found]
    if refusing(found):
        return found
    page = _is_long(text, fold(text))
    share = OWN_SHARE if page else RULE_SHARE
    parts = chain.from_iterable(one.split("\n") if page else _parts(one) for one in spellings)
    bans = {ban: part for part in parts if (ban := _ban(part, share))}
    judged = {part for part in bans.values() if any(not (old and one.printed) for one in find(part))}
    said = [ban for ban, part in bans.items() if not (found and part in judged)]
    return [*found, *(Notice("", "ai", ban, exact=True, refuses=True) for ban in said)]


def _parts(text: str) -> Iterator[str]:
    """Its sentences and clauses: those of each line, then those that break over lines that follow each
    other."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    for line in lines:
        yield from _PARTS.split(line)
    for first in range(len(lines)):
        for last in range(first + 2, min(len(lines), first + BROKEN_OVER) + 1):
            several = lines[first:last]
            if _WHOLE.search(several[-2]):
                break  # what stands below a line that ends in a ban is another statement
            parts = _PARTS.split(reduce(_joined, several))
            yield from (part for part in parts if not any(part in line for line in several))


def _joined(one: str, other: str) -> str:
    """Two lines as one: with a blank, except in a script that is written without."""
    return f"{one}{'' if min(one[-1], other[0]) > _LAST_SPACED else ' '}{other}"


def _ban(part: str, share: float) -> str:
    """What refuses in a sentence that says little else, or ""."""
    phrase = refuses_beside(_SCHOOLS.sub(" ", part)) or ""
    return "" if _TALKS.search(phrase) or len(phrase) < share * len(part.strip()) else phrase


def _ends_of_short(lines: Sequence[int]) -> list[int]:
    """The ends of lines that stop short. `lines`: where lines begin and end, in signs."""
    lengths = [end - start for start, end in pairwise(lines)]
    return [end for end, length in zip(lines[1:], lengths, strict=True) if length < SHORT_LINE * max(lengths)]


def _is_long(text: str, flat: Folded) -> bool:
    return text.count("\n") + 1 >= PAGE_LINES and len(flat.signs) >= PAGE_SIGNS


def _order(match: Match) -> tuple[int, bool, int, int]:
    """From left to right; of those that begin together, exact and long ones first, then as in the file."""
    return match.start, not match.exact, match.start - match.end, match.group


def _pairs(group: Mapping[str, Any], number: int) -> Iterator[Pair]:
    def fold_all(key: str) -> tuple[str, ...]:
        return tuple(folded(text) for text in group.get(key, ()))

    words = sorted(fold_all("between"), key=len, reverse=True)
    between = re.compile("(?:" + "|".join(map(re.escape, words)) + ")*+") if words else None
    things, bans = fold_all("things"), fold_all("bans")
    others = fold_all("not_before"), fold_all("not_after")
    if "bans_first" in group:
        yield Pair(fold_all("bans_first"), things, group["gap"], between, number, True, *others)
    if bans:
        things = fold_all("bans_things") or things
        yield Pair(things, bans, group["gap"], None, number, False, *others)


def _matches(flat: Folded, known: Lists) -> Iterator[Match]:
    for phrase in known.that_may_stand_in(flat.signs):
        for start, end, exact in occurrences(flat.signs, phrase.signs):
            if phrase.alone:
                fits = exact and min(flat.breaks[start], flat.breaks[end]) >= LINE
            else:
                fits = is_whole(flat, start, end) and not goes_on(flat, end, phrase.not_before)
            fits = fits and not comes_from(flat, start, phrase.not_after)
            if fits and END not in flat.breaks[start + 1 : end]:
                yield Match(start, end, exact, phrase.group)
    for pair in known.pairs:
        yield from _paired(flat, pair)


def _crossed(text: str, flat: Folded, known: Lists) -> Iterator[Match]:
    """What a cross stands behind (転載❌), or a sign that strikes out before (🚫転載)."""
    for word, group in known.crossed:
        for start in finds(flat.signs, word):
            first, last = flat.places[start], flat.places[start + len(word) - 1] + 1
            beside = _CROSSED.match(text, last) or _STRUCK.search(text[max(0, first - 3) : first])
            if beside and is_whole(flat, start, start + len(word)):
                yield Match(start, start + len(word), True, group)


def _paired(flat: Folded, pair: Pair) -> Iterator[Match]:
    signs = flat.signs
    for one in pair.first:
        for start in finds(signs, one):
            after = start + len(one)
            reach = signs[after : after + pair.gap + max(map(len, pair.second))]
            for two in pair.second:
                at = reach.find(two)
                if not 0 <= at <= (pair.gap if len(one) > 1 else 1):
                    continue
                if pair.between is not None and not pair.between.fullmatch(reach[:at]):
                    continue
                end = after + at + len(two)
                if goes_on(flat, end if pair.bans_first else after, pair.not_before):
                    continue
                if comes_from(flat, start, pair.not_after):
                    continue
                worst = max(flat.breaks[start + 1 : end], default=NONE)
                if worst < (HARD if pair.bans_first else END) and is_whole(flat, start, end):
                    yield Match(start, end, True, pair.group)


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
    opening = max(start, place.line)
    pleads = flat.signs.startswith(tuple(known.about["pleads"]), opening)
    asks = after[:1] in ("?", "？") and place.line_end >= end and not pleads
    if asks and any(stands(flat, word, opening, opening + len(word)) for word in known.about["asks"]):
        return True
    runs_on = not any(flat.breaks[opening + 1 : match.start])
    if runs_on and flat.signs.startswith(tuple(known.about["opens"]), opening, match.start):
        return True
    if not page:
        return False
    if _own_line(place) and start >= place.line:
        return False
    head = max(start, place.line - _SAID, match.start - 2 * _SAID), match.start
    tail = match.end, min(end, place.line_end + _SAID, match.end + 2 * _SAID)
    if any(stands(flat, word, *head) for word in known.about["before"]):
        return True
    if _own_line(place):
        return False
    if quoted or asks or any(stands(flat, word, *tail) for word in known.about["after"]):
        return True
    return match.end - match.start < PAGE_SHARE * (end - start)


def _beside(flat: Folded, match: Match, known: Lists, quoted: bool) -> bool:
    """Whether words stand right before or behind the phrase that make it spoken of. Where it is written with
    blanks, they are words of their own on its line."""
    most = HARD if quoted else SOFT
    for word in known.about["behind"]:
        joined = flat.breaks[match.end] <= (most if quoted or word.isascii() else NONE)
        if joined and stands(flat, word, match.end, match.end + len(word)):
            return True
    return flat.breaks[match.start] <= most and any(
        stands(flat, word, match.start - len(word), match.start) for word in known.about["ahead"]
    )


def _own_line(place: _Place) -> bool:
    """Whether the phrase fills its line: what neighbouring lines say then says little about it."""
    return place.match.end - place.match.start >= OWN_SHARE * (place.line_end - place.line)


def refusing(notices: Sequence[Notice]) -> list[Notice]:
    """Those that refuse, each said once."""
    return list({notice.said: notice for notice in notices if notice.refuses}.values())


def all_phrases() -> Iterator[str]:
    """Every phrase of the data file as it is written, `alone` ones too (not the pairs)."""
    return chain.from_iterable((*group.get("phrases", ()), *group.get("alone", ())) for group in groups())
