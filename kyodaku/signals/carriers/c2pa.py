"""C2PA manifest stores: what the Content Credentials of a file assert, and whether they hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kyodaku.errors import CarrierError


@dataclass(frozen=True)
class Assertion:
    """One assertion of a manifest: its label with any instance suffix, and its data."""

    label: str
    data: Any


@dataclass(frozen=True)
class Manifest:
    """One manifest. `active` is true for the one that speaks about the file as it is; the others speak
    about its ingredients."""

    label: str
    active: bool
    assertions: tuple[Assertion, ...]


@dataclass(frozen=True)
class ManifestStore:
    """All manifests of a file. `state` is the validation state: `Valid`, `Trusted`, `Invalid`, or "" where
    nobody checked."""

    state: str
    manifests: tuple[Manifest, ...]
    raw: str = ""

    @property
    def holds(self) -> bool:
        """True where the signatures were checked and found sound."""
        return self.state in ("Valid", "Trusted")


def parse_manifest_store(text: str) -> ManifestStore:
    """A manifest store from the JSON that c2pa readers give. Raises CarrierError."""
    try:
        store = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CarrierError(f"C2PA manifest store: not JSON ({type(error).__name__})") from error
    manifests = store.get("manifests") if isinstance(store, Mapping) else None
    if not isinstance(manifests, Mapping):
        raise CarrierError("C2PA manifest store: no manifests")
    active = store.get("active_manifest")
    state = store.get("validation_state")
    return ManifestStore(
        state if isinstance(state, str) else "",
        tuple(_manifest(str(label), label == active, value) for label, value in manifests.items()),
        text,
    )


def _manifest(label: str, active: bool, value: Any) -> Manifest:
    assertions = value.get("assertions") if isinstance(value, Mapping) else None
    found = [
        Assertion(str(item.get("label", "")), item.get("data"))
        for item in (assertions if isinstance(assertions, list) else [])
        if isinstance(item, Mapping)
    ]
    return Manifest(label, active, tuple(found))
