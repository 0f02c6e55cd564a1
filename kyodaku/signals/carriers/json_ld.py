"""Structured data of a page, read from its text: within limits, and honest about what could not be read."""

from __future__ import annotations

import re

from kyodaku.errors import CarrierError
from kyodaku.signals.carriers.json_text import load_json
from kyodaku.signals.carriers.page import JsonLd

MAX_JSON_NODES = 20_000
_MAX_JSON_LD = 512 * 1024
#: Of a text that cannot be read this much is kept, for words that refuse.
_MAX_UNREAD = 32 * 1024
#: What structured data that cannot be read must not mention, letters written as escapes included.
_TELLING = re.compile(r"licen[cs]e|usageinfo|mainentity|primaryimageofpage|\\u00[4-7]", re.IGNORECASE)


def read_json_ld(text: str) -> JsonLd:
    """One block. Raw tabs and line breaks in its texts are forgiven, as search engines do."""
    if len(text) > _MAX_JSON_LD:
        return _unread(text, "longer than the limit")
    try:
        value = load_json(text, max_nodes=MAX_JSON_NODES)
    except CarrierError as error:
        return _unread(text, str(error))
    return JsonLd(text, value, "", hides=False)


def _unread(text: str, error: str) -> JsonLd:
    return JsonLd(text[:_MAX_UNREAD], None, error, hides=_TELLING.search(text) is not None)
