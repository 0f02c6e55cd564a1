"""C2PA manifest stores: what the Content Credentials of a file assert, and whether they hold."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from kyodaku.errors import CarrierError

#: What gives embedded JUMBF (ISO/IEC 19566-5) away: a superbox with its description box. A compiled pattern
#: goes through a picture faster than `in` with so short a word.
_SUPERBOX, _DESCRIPTION = re.compile(b"jumb"), b"jumd"
#: How other containers announce C2PA, which may cut or encode JUMBF: the GIF application extension, the
#: `uuid` box of ISO BMFF, the element of SVG.
_ANNOUNCED = (b"C2PA_GIF", bytes.fromhex("d8fec3d61b0e483c92975828877ec481"), b"c2pa:manifest")
#: One store may hold this much; more is unreadable.
MAX_MANIFESTS = 1000
MAX_ASSERTIONS = 10_000
_INSTANCE = re.compile(r"__[0-9]+\Z")
_VERSION = re.compile(r"\.v[0-9]+\Z")


@dataclass(frozen=True)
class Assertion:
    """One assertion of a manifest: its label with any instance suffix, and its data."""

    label: str
    data: Any

    @property
    def name(self) -> str:
        """The label without its instance (`__1`) and its version (`.v2`)."""
        return _VERSION.sub("", _INSTANCE.sub("", self.label))


@dataclass(frozen=True)
class Manifest:
    """One manifest. `active` is true for the one that speaks about the file as it is; the others speak
    about its ingredients. `signer` and `generator` are what the signature and the claim name, or ""."""

    label: str
    active: bool
    assertions: tuple[Assertion, ...]
    signer: str = ""
    generator: str = ""


@dataclass(frozen=True)
class ManifestStore:
    """All manifests of a file. `state` is the validation state: `Valid`, `Trusted`, `Invalid`, or "" where
    nobody checked."""

    state: str
    manifests: tuple[Manifest, ...]

    @property
    def holds(self) -> bool:
        """True where the signatures were checked and found sound."""
        return self.state in ("Valid", "Trusted")

    @property
    def active(self) -> Manifest | None:
        """The manifest that speaks about the file as it is."""
        return next((manifest for manifest in self.manifests if manifest.active), None)


class StoreReader(Protocol):
    """What reads the manifest store of a file: see `kyodaku.c2pareader`."""

    def read(self, body: bytes, kind: str) -> ManifestStore:
        """The store of a file of sniffed format `kind` that holds JUMBF. Raises CarrierError."""
        ...


def holds_jumbf(body: bytes) -> bool:
    """Whether a file may hold a manifest store, by its bytes alone."""
    if _SUPERBOX.search(body) and _DESCRIPTION in body:
        return True
    return any(word in body for word in _ANNOUNCED)


def parse_manifest_store(text: str) -> ManifestStore:
    """A manifest store from the JSON that c2pa readers give. Raises CarrierError."""
    try:
        store = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CarrierError(f"manifest store: not JSON ({type(error).__name__})") from error
    manifests = store.get("manifests") if isinstance(store, Mapping) else None
    if not isinstance(manifests, Mapping) or not manifests:
        raise CarrierError("manifest store: no manifests")
    if len(manifests) > MAX_MANIFESTS:
        raise CarrierError("manifest store: more manifests than the limit")
    active = store.get("active_manifest")
    if active not in (None, *manifests):
        raise CarrierError("manifest store: the active manifest is missing")
    state = store.get("validation_state")
    return ManifestStore(
        state if isinstance(state, str) else "",
        tuple(_manifest(label, label == active, value) for label, value in manifests.items()),
    )


def _manifest(label: str, active: bool, value: Any) -> Manifest:
    assertions = value.get("assertions", []) if isinstance(value, Mapping) else None
    if not isinstance(assertions, list) or len(assertions) > MAX_ASSERTIONS:
        raise CarrierError("manifest store: a manifest without readable assertions")
    return Manifest(label, active, tuple(map(_assertion, assertions)), _signer(value), _generator(value))


def _assertion(item: Any) -> Assertion:
    label = item.get("label") if isinstance(item, Mapping) else None
    if not isinstance(label, str):
        raise CarrierError("manifest store: an assertion without a label")
    return Assertion(label, item.get("data"))


def _signer(manifest: Mapping[str, Any]) -> str:
    info = manifest.get("signature_info")
    if not isinstance(info, Mapping):
        return ""
    names = (info.get("common_name"), info.get("issuer"))
    return ", ".join(name for name in names if isinstance(name, str) and name)[:200]


def _generator(manifest: Mapping[str, Any]) -> str:
    """The name and version of the program that made the claim; claims of version 1 hold one string."""
    infos = manifest.get("claim_generator_info")
    for info in infos if isinstance(infos, list) else ():
        if isinstance(info, Mapping) and isinstance(info.get("name"), str):
            version = info.get("version")
            return f"{info['name']} {version if isinstance(version, str) else ''}".strip()[:200]
    generator = manifest.get("claim_generator")
    return generator[:200] if isinstance(generator, str) else ""
