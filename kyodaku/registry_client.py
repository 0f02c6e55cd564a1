"""Opt-out registries, as the gates see them: an immutable snapshot that is asked, offline.

In this version the snapshot is empty by type; a registry service, signed snapshots and local
opt-out files come behind this same interface.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kyodaku.recipe import Recipe
from kyodaku.signals.model import Signal


@dataclass(frozen=True)
class RegistrySnapshot:
    """What registries said at one moment. `sequence` and `digest` go into the lock and the manifest."""

    name: str = "none"
    sequence: int = 0
    digest: str = ""

    def lookup_url(self, url: str) -> Sequence[Signal]:
        """Signals that registries hold on a URL, its prefixes and its domain."""
        return ()

    def lookup_sha256(self, sha256: str) -> Sequence[Signal]:
        """Signals that registries hold on exact bytes (sha256 hex)."""
        return ()


EMPTY_SNAPSHOT = RegistrySnapshot()


def load_registries(recipe: Recipe, recipe_path: Path) -> RegistrySnapshot:
    """What the registries that a recipe names say now."""
    return EMPTY_SNAPSHOT
