"""Structured data of a page, read from its text: within limits, and honest about what could not be read."""

from __future__ import annotations

import json
import re
from typing import Any

from kyodaku.signals.carriers.page import JsonLd

MAX_JSON_NODES = 20_000
_MAX_JSON_LD = 512 * 1024
#: What structured data that cannot be read must not mention, letters written as escapes included.
_TELLING = re.compile(r"licen[cs]e|usageinfo|mainentity|primaryimageofpage|\\u00[4-7]", re.IGNORECASE)


def read_json_ld(text: str) -> JsonLd:
    """One block. Raw tabs and line breaks in its texts are forgiven, as search engines do."""
    if len(text) > _MAX_JSON_LD:
        return _unread(text, "longer than the limit")
    try:
        value = json.loads(text, object_pairs_hook=_object, strict=False)
    except (ValueError, RecursionError) as error:
        return _unread(text, f"not JSON: {type(error).__name__}")
    if _nodes(value) > MAX_JSON_NODES:
        return _unread(text, "more values than the limit")
    return JsonLd(text, value, "", hides=False)


def _unread(text: str, error: str) -> JsonLd:
    return JsonLd(text[:1000], None, error, hides=_TELLING.search(text) is not None)


def _nodes(value: Any) -> int:
    """How many values there are in `value`, itself included; counted just beyond the limit at most."""
    stack, count = [value], 0
    while stack and count <= MAX_JSON_NODES:
        node = stack.pop()
        count += 1
        if isinstance(node, (dict, list)):
            stack += node.values() if isinstance(node, dict) else node
    return count


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object in which a name that comes twice keeps both values, as a list."""
    values: dict[str, list[Any]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {name: found[0] if len(found) == 1 else found for name, found in values.items()}
