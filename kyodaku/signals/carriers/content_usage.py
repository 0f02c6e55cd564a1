"""Content-Usage (draft-ietf-aipref-attach-05, draft-ietf-aipref-vocab-07): dictionaries of preferences, in
headers and, with a path before them, in robots.txt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import http_sf
from http_sf import StructuredFieldError, Token

from kyodaku.signals.carriers.robots_odd import as_seen

#: The label of the current draft for training a generative model.
TRAIN = "train-ai"
#: Labels of earlier drafts that cover it. They may refuse.
LEGACY = frozenset({"train-genai", "genai", "ai", "tdm", "all", "bots", "ai-use"})
#: Names that no draft has, one of them from Content Signals. What they refuse is training.
_MEANT = frozenset({"ai-train", "ai-training", "gen-ai", "train", "training"})
#: A longer value is no dictionary to us; a refusal in it is found up to the second limit.
_MAX_VALUE = 16 * 1024
_MAX_SEARCHED = 1024 * 1024
_LABELS = "|".join(sorted((TRAIN, *LEGACY, *_MEANT), key=len, reverse=True)).replace("-", "[-_ ]?")
#: A refusal in text that is no dictionary, or that a later member of one takes back.
_PLAINLY_NO = re.compile(
    rf"(?<![\w-])({_LABELS})[\s\"']{{0,16}}[=:][\s\"'?(]{{0,16}}"
    r"(?:n|no|none|never|0|false|off|disallow\w*|deny|denied)(?![\w-])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Preferences:
    """One dictionary. `values` maps labels to "y" or "n"; it is empty where the text is no dictionary
    (`valid` is False then). `refused` are the labels, as the current drafts spell them, that the text plainly
    refuses, whether or not it is a dictionary."""

    values: dict[str, str]
    valid: bool
    refused: frozenset[str]


def parse_preferences(text: str) -> Preferences:
    """Read one field value (RFC 9651 Dictionary, tokens `y` and `n`). Never raises."""
    searched = as_seen(text[:_MAX_SEARCHED])
    refused = frozenset(_label(match[1]) for match in _PLAINLY_NO.finditer(searched))
    if len(text) > _MAX_VALUE:
        return Preferences({}, False, refused)
    try:
        parsed: Any = http_sf.parse(text.encode("latin-1", "replace"), tltype="dictionary")
    except (StructuredFieldError, ValueError, RecursionError):
        return Preferences({}, False, refused)
    values = {
        key: str(member[0])
        for key, member in parsed.items()
        if isinstance(member[0], Token) and str(member[0]) in ("y", "n")
    }
    return Preferences(values, True, refused)


def _label(text: str) -> str:
    """A label as the drafts spell it, whatever stands between its words; TRAIN for a name that none has."""
    bare = re.sub(r"[-_ ]", "", text.lower())
    return next((label for label in (TRAIN, *LEGACY) if label.replace("-", "") == bare), TRAIN)


def split_path(value: str) -> tuple[str, str]:
    """(path pattern or "", dictionary) of a Content-Usage line in robots.txt."""
    if not value.startswith("/"):
        return "", value
    path, *rest = re.split(r"[ \t]+", value, maxsplit=1)
    return path, rest[0] if rest else ""
