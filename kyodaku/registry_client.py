"""Opt-out registries, as the gates see them: an immutable snapshot that is asked, offline.

Behind it stand the opt-out files that a recipe names; registry services and signed snapshots come behind this
same interface.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kyodaku.optouts import OptOuts, load_optouts
from kyodaku.recipe import Recipe
from kyodaku.signals.model import Signal


@dataclass(frozen=True)
class RegistrySnapshot:
    """What registries said at one moment. `sequence` and `digest` go into decisions and the manifest."""

    name: str = "none"
    sequence: int = 0
    digest: str = ""
    optouts: OptOuts = field(default_factory=OptOuts, repr=False, compare=False)

    def described(self) -> dict[str, str | int]:
        """What tells one snapshot from another: `name`, `sequence`, `digest`."""
        return {"name": self.name, "sequence": self.sequence, "digest": self.digest}

    def lookup_url(self, url: str) -> Sequence[Signal]:
        """Signals that registries hold on a URL, its prefixes and its domain."""
        return self.optouts.about_url(url)

    def lookup_sha256(self, sha256: str) -> Sequence[Signal]:
        """Signals that registries hold on exact bytes (sha256 hex)."""
        return self.optouts.about_picture(sha256)


EMPTY_SNAPSHOT = RegistrySnapshot()


def load_registries(recipe: Recipe, recipe_path: Path) -> RegistrySnapshot:
    """The opt-out files of a recipe, read now. `recipe_path` is its file.

    Raises UsageError, with the line, for a file that cannot be read: an opt-out must never be passed over.
    """
    files = [recipe_path.parent / name for name in recipe.registries.files]
    if not files:
        return EMPTY_SNAPSHOT
    found = load_optouts(files)
    return RegistrySnapshot("files", found.count, found.digest, found)
