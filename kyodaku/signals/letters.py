"""Replies of owners: for these paths, what a robots.txt says to other crawlers is not said to us."""

from __future__ import annotations

from collections.abc import Sequence

from kyodaku.errors import UnsafeAddressError
from kyodaku.signals.carriers.robots_match import normal_paths, normalise
from kyodaku.signals.model import Letter, Reading
from kyodaku.urls import host_of


def letter_for(url: str, reading: Reading) -> Letter | None:
    """The letter that is in force for `url`, or None. It lifts our inference from groups that name other
    crawlers, and nothing that is said to us or to everybody."""
    if not reading.letters:
        return None
    try:
        host = host_of(url)
    except UnsafeAddressError:
        return None
    paths = normal_paths(url)
    for letter in reading.letters:
        if letter.host == host and reading.now <= letter.until and _covers(letter.paths, paths):
            return letter
    return None


def _covers(prefixes: Sequence[str], paths: Sequence[bytes]) -> bool:
    """Whether every form of the path lies below one of the prefixes, whole segments compared."""
    folders = [normalise(prefix.encode("utf-8", "replace")).rstrip(b"/") for prefix in prefixes]
    bare = [path.partition(b"?")[0] for path in paths]
    return all(any(path == folder or path.startswith(folder + b"/") for folder in folders) for path in bare)
