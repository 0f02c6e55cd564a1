"""Reading a Debian package's copyright file: which licence each of its files is under, file by file.

Machine-readable debian/copyright, https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/:
paragraphs `Files:` with globs over the source tree, of which the last that matches a file holds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

_FIELD = re.compile(r"([A-Za-z-]+):[ \t]*(.*)")

#: Licences under which a picture may be trained and measured with. Not among them: NC, ND, GFDL (its terms
#: hardly fit pictures), unclear ones.
_FREE = re.compile(
    r"(public[- ]domain|CC0(-1\.0)?|CC-BY(-SA)?-[1-4]\.[05]|L?GPL(-[23](\.1)?)?\+?|Expat|MIT|Zlib|Apache-2\.0"
    r"|BSD-[23]-clause|OFL-1\.1|Artistic-2\.0|free-art)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Stanza:
    """One `Files:` paragraph."""

    globs: tuple[str, ...]
    licence: str
    holders: str


@cache
def stanzas(path: Path) -> tuple[Stanza, ...]:
    """The `Files:` paragraphs of a copyright file, in order. Raises OSError if it cannot be read."""
    found = []
    for paragraph in re.split(r"\n[ \t]*\n", path.read_text(encoding="utf-8", errors="replace")):
        fields = _fields(paragraph)
        if "files" in fields:
            licence = fields.get("license", "").strip().splitlines()
            holders = " ".join(fields.get("copyright", "").split())
            found.append(Stanza(tuple(fields["files"].split()), licence[0] if licence else "", holders))
    return tuple(found)


def stanza_of(path: Path, file: str, *, any_suffix: bool = False, named_only: bool = False) -> Stanza | None:
    """The paragraph that covers `file`, a path of the source tree; None without any.

    `any_suffix` compares without file suffixes (the file was converted on the way); `named_only` leaves out
    paragraphs that speak of `*`, which say nothing about the one file.
    """
    name = str(PurePosixPath(file).with_suffix("")) if any_suffix else file
    for stanza in reversed(stanzas(path)):
        globs = (glob for glob in stanza.globs if not (named_only and glob == "*"))
        if any(_pattern(glob, any_suffix).fullmatch(name) for glob in globs):
            return stanza
    return None


def is_free(licence: str) -> bool:
    """Whether a licence expression permits use: every part of an `and`, at least one of an `or`."""
    choices = re.split(r"\s+or\s+", licence.strip())
    return any(all(_FREE.fullmatch(part) for part in re.split(r"\s+and\s+", choice)) for choice in choices)


def _fields(paragraph: str) -> dict[str, str]:
    """Fields of one paragraph by lower-case name; continuation lines are joined to theirs."""
    fields: dict[str, str] = {}
    name = ""
    for line in paragraph.splitlines():
        match = _FIELD.match(line)
        if match:
            name = match[1].lower()
            fields[name] = match[2]
        elif name and line[:1] in " \t":
            fields[name] += "\n" + line.strip()
    return fields


@cache
def _pattern(glob: str, any_suffix: bool) -> re.Pattern[str]:
    """The format's globs: `*` and `?` cross slashes, a backslash takes the next sign as it is."""
    if any_suffix:
        glob = re.sub(r"\.[A-Za-z0-9]{2,4}$", "", glob)
    return re.compile(re.sub(r"\\(.)|(\*)|(\?)|(.)", _piece, glob))


def _piece(match: re.Match[str]) -> str:
    if match[2] or match[3]:
        return ".*" if match[2] else "."
    return re.escape(match[1] or match[4])
