"""Fixtures that every room may use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from tests.web import SmallWeb

# How long one example takes says more about the machine than about the code; what must be quick is measured
# by tests of its own.
settings.register_profile("kyodaku", deadline=None)
settings.load_profile("kyodaku")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """Sharers of costly fixtures run in one process: tests of one file, and all that read the demo's run.

    xdist's own `loadgroup` groups nothing under pytest 9.2 (pytest-dev/pytest-xdist#1386).
    """
    return _Sharers(config, log) if config.getoption("dist") == "loadscope" else None


class _Sharers(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        return "demo" if _reads_demo(self.config.rootpath / file) else file


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest come first, so that no core waits for them at the end."""
    items.sort(key=lambda item: (not _reads_demo(item.path), item.path.parent.name == "core"))


@cache
def _reads_demo(file: Path) -> bool:
    """True if a test or a fixture of this file takes the fixture `demo`."""
    return re.search(r"^def \w+\([^)]*\bdemo\b", file.read_text("utf-8"), re.MULTILINE) is not None


@pytest.fixture
def small_web() -> Iterator[SmallWeb]:
    """The whole small web, fresh for this test: its log is empty and nothing has been changed."""
    with SmallWeb() as web:
        yield web


@pytest.fixture(scope="session")
def shared_small_web() -> Iterator[SmallWeb]:
    """The whole small web, shared by all tests that only read: do not `set` anything on it."""
    with SmallWeb() as web:
        yield web
