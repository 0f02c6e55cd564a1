"""The opt-out protocols. Every module of this folder that has a `PROTOCOL` is one: adding a protocol
is adding one file."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from kyodaku.signals.protocols.base import Protocol


@cache
def all_protocols() -> tuple[Protocol, ...]:
    """Every protocol, sorted by name."""
    modules = (import_module(f"{__name__}.{info.name}") for info in iter_modules(__path__))
    found = [module.PROTOCOL for module in modules if hasattr(module, "PROTOCOL")]
    return tuple(sorted(found, key=lambda protocol: protocol.name))


__all__ = ["Protocol", "all_protocols"]
