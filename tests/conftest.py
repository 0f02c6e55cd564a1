"""Fixtures that every room may use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.web import SmallWeb

# How long one example takes says more about the machine than about the code; what must be quick is measured
# by tests of its own.
settings.register_profile("kyodaku", deadline=None)
settings.load_profile("kyodaku")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sharers of costly fixtures run in one process: tests of one file, and all that read the demo's run.
    The longest come first, so that no core waits for them at the end."""
    for item in items:
        shared = "demo" if _reads_demo(item) else str(item.path)
        item.add_marker(pytest.mark.xdist_group(shared))
    items.sort(key=lambda item: (not _reads_demo(item), item.path.parent.name == "core"))


def _reads_demo(item: pytest.Item) -> bool:
    return "demo" in getattr(item, "fixturenames", ())


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
