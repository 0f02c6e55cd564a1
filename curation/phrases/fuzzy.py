"""Where a folded phrase stands in folded text: a long one also with one sign wrong, missing or extra; and
what stands beside it there."""

from __future__ import annotations

from collections.abc import Iterator

from curation.phrases.folding import HARD, NONE, SOFT, Folded, folded

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


def is_whole(flat: Folded, start: int, end: int) -> bool:
    """No Latin word is cut at either end, unless the line was read without any spaces."""
    cut = (flat.signs[start].isascii() and flat.breaks[start] == NONE) or (
        flat.signs[end - 1].isascii() and flat.breaks[end] == NONE
    )
    return not cut or (end - start >= 10 and SOFT not in flat.breaks[max(1, start - 4) : end + 4])


def goes_on(flat: Folded, end: int, words: tuple[str, ...]) -> bool:
    """Whether what ends there goes on as another word, in the same breath. Where one script ends and another
    begins, as in AI学習, a soft break stands between; words with blanks go on in further words."""
    for word in words:
        if flat.signs.startswith(word, end):
            spaced = word.isascii() or (flat.signs[end - 1].isascii() and flat.breaks[end] == SOFT)
            whole = not word.isascii() or flat.breaks[end + len(word)] > NONE
            if whole and flat.breaks[end] <= (SOFT if spaced else NONE):
                return True
    return False


def comes_from(flat: Folded, start: int, words: tuple[str, ...]) -> bool:
    """Whether one of some words stands right before a place, in its line; a Latin one as its own word."""
    for word in words:
        first = start - len(word)
        if first >= 0 and flat.signs.startswith(word, first):
            most = (NONE, SOFT, HARD) if word.isascii() else (NONE,)
            if flat.breaks[start] in most and (flat.breaks[first] > NONE or not word.isascii()):
                return True
    return False


def stands(flat: Folded, word: str, start: int, end: int) -> bool:
    """Whether a word stands between two places; a Latin one as a word of its own."""
    for at in finds(flat.signs[max(0, start) : end], word):
        first = max(0, start) + at
        edges = (flat.breaks[first], flat.breaks[first + len(word)])
        if NONE not in edges or not word.isascii():
            return True
    return False
