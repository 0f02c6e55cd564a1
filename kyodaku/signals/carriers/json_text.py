"""JSON from the web: within limits, and with both values of a name that comes twice."""

from __future__ import annotations

import json
from typing import Any

from kyodaku.errors import CarrierError

MAX_NODES = 200_000


def load_json(text: str | bytes, *, max_nodes: int = MAX_NODES) -> Any:
    """The value of a JSON text. A name that an object has twice keeps both values, as a list.

    Raises CarrierError for what is no JSON, is nested too deeply or holds too many values. Raw tabs and line
    breaks in texts are forgiven.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        value = json.loads(text, object_pairs_hook=_object, strict=False)
    except (ValueError, RecursionError) as error:
        raise CarrierError(f"not JSON: {type(error).__name__}") from error
    if _nodes(value, max_nodes) > max_nodes:
        raise CarrierError("more values than the limit")
    return value


def _nodes(value: Any, limit: int) -> int:
    """How many values there are in `value`, itself included; counted just beyond the limit at most."""
    stack, count = [value], 0
    while stack and count <= limit:
        node = stack.pop()
        count += 1
        if isinstance(node, (dict, list)):
            stack += node.values() if isinstance(node, dict) else node
    return count


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, list[Any]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {name: found[0] if len(found) == 1 else found for name, found in values.items()}
