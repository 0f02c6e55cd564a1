"""Where a folded phrase stands in folded text: a long one also with one sign wrong, missing or extra."""

from __future__ import annotations

from collections.abc import Iterator

from curation.phrases.folding import folded

#: Signs from which on one wrong, missing or extra sign is forgiven: of Han, kana and Hangul; of Latin script.
FUZZY, FUZZY_LATIN = 5, 8


def occurrences(signs: str, phrase: str) -> Iterator[tuple[int, int, bool]]:
    """Where a folded phrase stands in folded text: start, end, and whether exactly. Long phrases are found
    with one sign wrong, extra or missing too (one half must be right)."""
    exact = set()
    for start in finds(signs, phrase):
        exact.add(start)
        yield start, start + len(phrase), True
    if not forgiving(phrase):
        return
    half = len(phrase) // 2
    head, tail = phrase[:half], phrase[half:]
    for start in finds(signs, head):
        if start not in exact:
            for length in (len(tail), len(tail) - 1, len(tail) + 1):
                end = start + half + length
                if end <= len(signs) and _one_off(tail, signs[start + half : end]):
                    yield start, end, False
                    break
    for middle in finds(signs, tail):
        if middle - half not in exact:
            for length in (half, half - 1, half + 1):
                start = middle - length
                if start >= 0 and _one_off(head, signs[start:middle]):
                    yield start, middle + len(tail), False
                    break


def finds(signs: str, part: str) -> Iterator[int]:
    """Where `part` begins in `signs`, from left to right."""
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


def forgiving(phrase: str) -> bool:
    """Whether one sign may be wrong: not where a single sign is what forbids."""
    if phrase.endswith("禁") or (phrase[:1] in "禁勿" and phrase[1:2] != folded("止")):
        return False
    return len(phrase) >= (FUZZY_LATIN if phrase.isascii() else FUZZY)
