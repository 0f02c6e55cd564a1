"""Fixtures of the crawl's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.crawler.scripted import Scripted


@pytest.fixture(autouse=True)
def _close_scripted_crawls() -> Iterator[None]:
    """Whatever a test opened is closed after it."""
    yield
    while Scripted.opened:
        Scripted.opened[-1].kill()
