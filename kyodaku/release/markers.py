"""Reading the small JSON files that mark work as done or describe a release."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read_marker(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file, or None where there is none: absent, cut short or something else.

    For done-markers only, where "cannot be read" and "not done" mean the same.
    """
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None
