"""Every command and every Python example of the pages is run, against a copy of the shared demo run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import REPO, DemoRun

PAGES = sorted([REPO / "README.md", *(REPO / "docs").glob("*.md"), *(REPO / "datasets").glob("*/README.md")])


def blocks(page: Path, kind: str) -> list[str]:
    """The fenced blocks of a page whose info string is `kind`."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S)


def commands(page: Path) -> list[str]:
    """Lines after `$ ` in the console blocks of a page."""
    return [
        line[2:] for block in blocks(page, "console") for line in block.splitlines() if line.startswith("$ ")
    ]


WITH_COMMANDS = [page for page in PAGES if commands(page)]
WITH_PYTHON = [page for page in PAGES if blocks(page, "python")]


def name(page: Path) -> str:
    return str(page.relative_to(REPO))


@pytest.fixture(scope="module")
def place(demo: DemoRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like the repository after `make demo`; commands may change it."""
    folder = tmp_path_factory.mktemp("docs")
    shutil.copytree(REPO / "datasets", folder / "datasets")
    runs = demo.run.path.parents[1]
    shutil.copytree(runs, folder / "runs", symlinks=True)
    shutil.copytree(demo.web.folder, folder / "runs/demo-web")
    return folder


def run(command: list[str] | str, place: Path) -> str:
    """What a command prints; it must end well."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(REPO), "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        command,
        shell=isinstance(command, str),
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_pages_show_commands() -> None:
    assert {name(page) for page in WITH_COMMANDS} >= {"README.md", "docs/data-engineers.md"}


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=name)
def test_every_command_of_a_page_works(page: Path, place: Path) -> None:
    for command in commands(page):
        if command.startswith("make "):
            subprocess.run([*command.split(), "-n"], cwd=REPO, check=True, capture_output=True)
        else:
            assert run(command, place)


@pytest.mark.parametrize("page", WITH_PYTHON, ids=name)
def test_every_python_example_of_a_page_works(page: Path, place: Path) -> None:
    for block in blocks(page, "python"):
        run([sys.executable, "-W", "default", "-c", block], place)


def test_no_block_is_of_a_kind_that_nobody_runs() -> None:
    known = {
        "console",
        "python",
        "text",
        "toml",
        "json",
        "robots",
        "html",
        "http",
        "xmp",
        "exiftool",
        "tdmrep",
        "aitxt",
        "trusttxt",
        "rsl",
        "mermaid",
    }
    for page in PAGES:
        kinds = set(re.findall(r"^```(\w+)", page.read_text("utf-8"), re.M))
        assert kinds <= known, f"{name(page)}: {kinds - known}"
