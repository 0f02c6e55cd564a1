"""On which line of a TOML text a dotted key stands. For messages only: what it cannot find is line 0."""

from __future__ import annotations

import re
from collections.abc import Sequence

_KEY_PART = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_KEY = rf"{_KEY_PART}(?:\s*\.\s*{_KEY_PART})*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_KEY})\s*\]")
_ASSIGNMENT = re.compile(rf"\s*({_KEY})\s*=(.*)")


def lines_of_keys(text: str) -> dict[tuple[str, ...], int]:
    """(key, ...) -> line, from 1. Elements of `[[arrays]]` have their index as a part: `("x", "0", "y")`.

    The text need not be whole TOML; strings over several lines are skipped.
    """
    found: dict[tuple[str, ...], int] = {}
    counts: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    closing = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if closing:
            closing = "" if closing in line else closing
            continue
        if header := _HEADER.match(line):
            table = _parts(header[2])
            if header[1] == "[[":
                index = counts[table] = counts.get(table, -1) + 1
                found.setdefault(table, number)
                table = (*table, str(index))
            else:
                table = _inside_array(table, counts)
            found.setdefault(table, number)
        elif assignment := _ASSIGNMENT.match(line):
            found.setdefault((*table, *_parts(assignment[1])), number)
            closing = _opens_string(assignment[2])
    return found


def line_of(lines: dict[tuple[str, ...], int], path: Sequence[str]) -> int:
    """The line of `path`, else of the nearest table or key around it, else 0."""
    for length in range(len(path), 0, -1):
        if line := lines.get(tuple(path[:length])):
            return line
    return 0


def _parts(key: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_KEY_PART, key))


def _inside_array(table: tuple[str, ...], counts: dict[tuple[str, ...], int]) -> tuple[str, ...]:
    """`[fruit.size]` after `[[fruit]]` belongs to the latest fruit."""
    for length in range(len(table) - 1, 0, -1):
        if table[:length] in counts:
            return (*table[:length], str(counts[table[:length]]), *table[length:])
    return table


def _opens_string(value: str) -> str:
    for quotes in ('"""', "'''"):
        if value.count(quotes) % 2:
            return quotes
    return ""
