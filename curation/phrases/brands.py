"""Finding who claims a picture, in text: agencies, addresses, handles, asset numbers, copyright lines.

Pure. What stands on old art is none of these: a painter's signature, a date, an inventory number, a
publisher's line (`Published as the Act directs 1793`), a copyright line of a year before `folding.MODERN`, a
museum's name.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from curation.phrases.folding import LINE, MODERN, NONE, Folded, fold, folded, years
from curation.phrases.fuzzy import occurrences

LIKELY, POSSIBLE, NOTHING = "likely", "possible", "none"

#: The same line this often in one picture is a pattern laid over it.
REPEATED = 4

_DATA = Path(__file__).with_name("brands.toml")

#: Ends of a host that count without `www.` before it.
_TOP = (
    r"com(?:\.(?:cn|tw|hk|au|br))?|net|org|(?:co\.)?jp|cn|tw|hk|(?:co\.)?kr|de|fr|nl|pl|ru|ca|eu|co\.uk|io|tv"
    r"|art|photos?|photography|gallery|pics|pictures|images|studio|design|shop|store|info|xyz|online|site"
)
_ADDRESS = re.compile(
    rf"(?:https?:?\s?/{{1,2}}|www\s?\.\s?)[\w-]+(?:\.[\w-]+)*|[\w.+-]@[\w-]+(?:\.[\w-]+)+"
    rf"|(?:\b[a-z\d][a-z\d-]{{3,62}}|[a-z\d-]{{63}})\.(?:{_TOP})\b(?!\.)|\b[a-z\d]{{3}}\.(?:com|net|org)\b(?!\.)",
    re.IGNORECASE,
)
#: Abbreviations of engravers that a recogniser may read as a host: `sculp.de l'Académie`.
_ENGRAVED = re.compile(r"^(?:sculp|sculpt|pinx|pinxit|delin|fecit|invt|excud|impr|publ)\b", re.IGNORECASE)
_HANDLE = re.compile(r"(?<![\w.@])@[A-Za-z\d_][A-Za-z\d_.]{2,29}")
_NUMBER = re.compile(r"(?:[A-Za-z]{0,4}[-_ ]?)\d{5,}|\b(?=[A-Z\d]*\d)[A-Z\d]{6,10}\b")
_SIGN = re.compile(r"©|\(c\)\s*(?=[A-Z\d])|（c）|Ⓒ", re.IGNORECASE)
_WORD = re.compile(r"\bcopyright\b|all rights reserved|\bコピーライト\b|版权所有|著作権", re.IGNORECASE)
_MUSEUM = re.compile(
    r"museum|mus[ée]e|museo|museen|muzeum|bibliothe|library of congress|美術館|博物館|博物馆", re.IGNORECASE
)


@dataclass(frozen=True)
class Claim:
    """One claim: its kind (agency, sample, asset, address, handle, copyright, pattern), level, and the
    line."""

    kind: str
    level: str
    said: str


def data_file() -> Path:
    """What the lexicon is made of: versions depend on its bytes."""
    return _DATA


@cache
def lexicon() -> Mapping[str, Mapping[str, Sequence[str]]]:
    """brands.toml, folded: kind -> names, alone, twice."""
    read: Mapping[str, Mapping[str, Any]] = tomllib.loads(_DATA.read_text(encoding="utf-8"))
    return {
        kind: {key: tuple(dict.fromkeys(folded(text) for text in texts)) for key, texts in table.items()}
        for kind, table in read.items()
    }


def find(text: str) -> list[Claim]:
    """Every claim in the lines of a picture. Never raises; in linear time."""
    found: dict[tuple[str, str], Claim] = {}
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    counts = Counter(folded(line) for line in lines)
    for line in dict.fromkeys(lines):
        for claim in _claims(line, counts):
            found.setdefault((claim.kind, claim.said), claim)
    return list(found.values())


def level(claims: Sequence[Claim]) -> str:
    """The strongest level among claims."""
    levels = {claim.level for claim in claims}
    return LIKELY if LIKELY in levels else POSSIBLE if levels else NOTHING


def _claims(line: str, counts: Mapping[str, int]) -> Iterator[Claim]:
    flat, known = fold(line), lexicon()
    museum = _MUSEUM.search(line) is not None
    if _names(flat, known["agency"]):
        yield Claim("agency", LIKELY, line)
    for address in _ADDRESS.findall(line):
        if not _ENGRAVED.match(address):
            yield Claim("address", LIKELY, line)
    if _HANDLE.search(line):
        yield Claim("handle", LIKELY, line)
    often = counts[flat.signs] > 1 and flat.signs in known["sample"]["twice"]
    if often or _names(flat, known["sample"]):
        yield Claim("sample", LIKELY, line)
    if not museum and _names(flat, known["asset"]) and _NUMBER.search(line):
        yield Claim("asset", LIKELY, line)
    yield from _copyright(line, museum)
    if counts[flat.signs] >= REPEATED and len(flat.signs) >= 4:
        yield Claim("pattern", POSSIBLE, line)


def _names(flat: Folded, table: Mapping[str, Sequence[str]]) -> bool:
    return any(
        flat.breaks[start] > NONE and flat.breaks[end] > NONE
        for name in table["names"]
        for start, end, _ in occurrences(flat.signs, name)
    ) or any(
        min(flat.breaks[start], flat.breaks[end]) >= LINE
        for name in table.get("alone", ())
        for start, end, exact in occurrences(flat.signs, name)
        if exact
    )


def _copyright(line: str, museum: bool) -> Iterator[Claim]:
    """A copyright line, unless its years are old or it is a museum's."""
    sign, word = _SIGN.search(line), _WORD.search(line)
    if not (sign or word):
        return
    said = years(line)
    if said and max(said) < MODERN:
        return
    sure = (sign or said) and not museum
    yield Claim("copyright", LIKELY if sure else POSSIBLE, line)
