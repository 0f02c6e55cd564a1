"""What an owner wants: `no`, `yes`, or `yes:/open/ no:/loans/ credit:'Museum X'`."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from kyodaku.errors import UsageError

_PATH = re.compile(r"/(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*/)*\Z")
_GRAMMAR = "write no, yes, or e.g.: yes:/open/ no:/loans/ credit:'Museum X' (paths are folders: /name/)"


@dataclass(frozen=True)
class Wish:
    """Folders with yes (True) or no (False), the longest first, each once; and a credit line or ""."""

    rules: tuple[tuple[str, bool], ...]
    credit: str = ""

    def answer(self, path: str) -> bool | None:
        """What is wanted for a path: the longest folder above it decides; None: nothing is said."""
        return next((yes for folder, yes in self.rules if path.startswith(folder)), None)


def parse_wish(text: str) -> Wish:
    """Read a wish. Raises UsageError, which says how one is written."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"--want: {error}; {_GRAMMAR}") from None
    rules: dict[str, bool] = {}
    credit = ""
    for word in words:
        name, colon, value = word.partition(":")
        if name == "credit" and value.strip() and value.isprintable() and not credit:
            credit = value.strip()
            continue
        folder = value if colon else "/"
        if name not in ("yes", "no") or not _PATH.match(folder):
            raise UsageError(f"--want: {word!r} is not understood; {_GRAMMAR}")
        if rules.setdefault(folder, name == "yes") != (name == "yes"):
            raise UsageError(f"--want: both yes and no for {folder}")
    if not rules:
        raise UsageError(f"--want: neither yes nor no; {_GRAMMAR}")
    return Wish(tuple(sorted(rules.items(), key=lambda rule: (-len(rule[0]), rule[0]))), credit)
