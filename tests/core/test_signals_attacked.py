"""Every protocol, every way it has to read, and every carrier is attacked by inputs made to hurt."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable
from types import FrameType

import pytest

import kyodaku.signals.carriers
from kyodaku.signals.carriers.robots_match import normal_paths
from kyodaku.signals.protocols import Protocol, all_protocols
from tests.core.adversaries import Adversary, adversaries
from tests.core.worlds import IMAGE, World, heard

ADVERSARIES = adversaries()
PROTOCOLS = {protocol.name: protocol for protocol in all_protocols()}
SMALL = 4096

#: By the way to read: what a world must hold to reach it. `read_host_file` needs each path.
_REACHED: dict[str, Callable[[World], object]] = {
    "read_host_file": lambda world: world.files,
    "host_documents": lambda world: world.files,
    "read_page_head": lambda world: world.page_headers,
    "read_image_head": lambda world: world.image_headers,
    "image_documents": lambda world: world.image_headers,
    "head_evidence": lambda world: world.image_headers,
    "read_page": lambda world: world.html,
    "page_evidence": lambda world: world.html,
    "page_documents": lambda world: world.html,
    "read_image": lambda world: world.image,
    "image_evidence": lambda world: world.image,
    "read_document": lambda world: world.document,
    "url_documents": lambda world: world.url != IMAGE,
}


def _aimed(name: str) -> list[Adversary]:
    return [adversary for adversary in ADVERSARIES.values() if name in (*adversary.heard, *adversary.aimed)]


def _own_ways(protocol: Protocol) -> set[str]:
    return {
        way
        for way, method in vars(Protocol).items()
        if callable(method) and getattr(type(protocol), way) is not method
    }


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_way_to_read_is_attacked(name: str) -> None:
    worlds = [adversary.build(SMALL) for adversary in _aimed(name)]
    for way in _own_ways(PROTOCOLS[name]) & _REACHED.keys():
        assert any(_REACHED[way](world) for world in worlds), way
    for path in PROTOCOLS[name].host_files:
        assert any(path in world.files for world in worlds), path


def test_there_is_no_further_way_to_read() -> None:
    """A new method of `Protocol` that reads a carrier needs a place above, and in `worlds.heard`."""
    ways = {way for way, method in vars(Protocol).items() if inspect.isfunction(method)}
    reading = {way for way in ways if way.startswith("read_") or way.endswith(("_documents", "_evidence"))}
    assert reading == set(_REACHED)


def _entered() -> set[tuple[str, str]]:
    """(module, function) of everything in the carriers that small attacks enter."""
    seen: set[tuple[str, str]] = set()

    def note(frame: FrameType, event: str, argument: object) -> None:
        module = frame.f_globals.get("__name__", "")
        if event == "call" and module.startswith(kyodaku.signals.carriers.__name__):
            seen.add((module, frame.f_code.co_name))

    worlds = [adversary.build(SMALL) for adversary in ADVERSARIES.values()]
    normal_paths.cache_clear()
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        for world in worlds:
            heard(world)
    finally:
        sys.setprofile(before)
    return seen


def test_every_function_of_the_carriers_is_attacked() -> None:
    package = kyodaku.signals.carriers
    modules = [
        importlib.import_module(f"{package.__name__}.{info.name}")
        for info in pkgutil.iter_modules(package.__path__)
    ]
    functions = {
        (module.__name__, name)
        for module in modules
        for name, found in vars(module).items()
        if inspect.isfunction(found) and found.__module__ == module.__name__
    }
    assert functions - _entered() == set()
