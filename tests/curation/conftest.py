"""A run with one candidate for each outcome, curated and released once for all tests that only read."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.stage import curate, release
from kyodaku.runs import RunFolder
from tests.curation.fixtures import Found, context, jpeg, make_run


@pytest.fixture(scope="session")
def nine() -> list[Found]:
    """Nine pictures that nobody objects to."""
    return [Found(f"p{number}", jpeg(number)) for number in range(9)]


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory, nine: list[Found]) -> RunFolder:
    """The nine, released. Do not change it."""
    run = make_run(tmp_path_factory.mktemp("released"), nine)
    curate(context(run))
    release(context(run))
    return run


def tree(folder: Path) -> dict[str, bytes]:
    """Name -> bytes of every file below `folder`."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
