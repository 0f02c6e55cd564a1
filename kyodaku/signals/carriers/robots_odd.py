"""Lines of a robots file that went through a word processor: other white space, quotes, a wide colon.

RFC 9309 trims spaces and tabs only, so an owner who pasted a no-break space has written a rule that no
parser obeys. What such a line plainly tries to refuse is refused.
"""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress

QUOTES = "\"'`"

_ODD = re.compile(rb"[\x80-\xff\x0b\x0c\x1c-\x1f\"'`]")
_SPACES = (
    "\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0\xad\u1680\u180e\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008"
    "\u2009\u200a\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
)
#: Beside the typographic quotes those of Windows-1252, as they look when read as ISO 8859-1.
_QUOTES = (
    "\x82\x84\x91\x92\x93\x94\xab\xbb\xb4\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2039\u203a"
    "\u300c\u300d\uff02\uff07"
)
_STRAIGHT = str.maketrans(
    {
        **dict.fromkeys(_SPACES, " "),
        **dict.fromkeys(_QUOTES, '"'),
        "\uff1a": ":",
        "\uff0f": "/",
        "\uff0a": "*",
    }
)


def straightened(line: bytes) -> bytes | None:
    """`line` with plain spaces, quotes, colons, slashes and asterisks, and without quotes around it; None
    when there is nothing odd in it. A line that is not UTF-8 is read as ISO 8859-1."""
    if _ODD.search(line) is None:
        return None
    try:
        text, encoding = line.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        text, encoding = line.decode("latin-1"), "latin-1"
    return text.translate(_STRAIGHT).strip(" \t" + QUOTES).encode(encoding)


def as_seen(text: str) -> str:
    """`text` as it looks to a reader, whatever it is made of: UTF-8 that came as ISO 8859-1, full-width
    letters and signs, all kinds of dashes, characters that are not seen."""
    if text.isascii():
        return text
    with suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")
    return "".join(map(_seen, unicodedata.normalize("NFKC", text)))


def _seen(character: str) -> str:
    category = "" if character.isascii() else unicodedata.category(character)
    if category == "Cf" or "\ufe00" <= character <= "\ufe0f":
        return ""
    return "-" if category == "Pd" or character == "\u2212" else character
