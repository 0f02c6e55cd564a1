"""Text from the web, made harmless to look at. What escapes HTML stands in `html.py`; this is about
characters that mislead a reader or a terminal: direction overrides, escape codes, invisible letters."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

_SPACE = re.compile(r"\s+")
#: Format characters that ordinary writing needs (joiners of emoji, Persian and Indic scripts).
_WANTED = frozenset("\u200c\u200d")


def plain(text: str, limit: int = 0) -> str:
    """`text` on one line, with control, direction and invisible characters spelled out as `[U+202E]`.

    White space runs become one space. With `limit` > 0 at most so many characters, an ellipsis included.
    """
    shown = "".join(_visible(character) for character in _SPACE.sub(" ", text[: 4 * limit or None]))
    if limit and (len(shown) > limit or len(text) > 4 * limit):
        return shown[: limit - 1] + "…"
    return shown


def _visible(character: str) -> str:
    if character == "\ufffd":
        return character
    hidden = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    return f"[U+{ord(character):04X}]" if hidden and character not in _WANTED else character


def short_url(url: str, limit: int = 90) -> str:
    """A URL for people: its head and its tail, the middle left out when it is longer than `limit`."""
    shown = plain(url, 4096)
    if len(shown) <= limit:
        return shown
    tail = limit // 3
    return f"{shown[: limit - tail - 1]}…{shown[-tail:]}"


def linkable(url: str) -> bool:
    """True for an http or https URL of sane length that holds nothing but visible characters."""
    if len(url) > 2000 or plain(url) != url or " " in url:
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False
