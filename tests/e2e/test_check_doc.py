"""Every example of docs/check.md is what `kyodaku check` prints, asked of the small web."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import REPO, DemoRun
from tests.web.pictures import painted, plus_xmp

PAGE = (REPO / "docs/check.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```text\n\$ (kyodaku check .+)\n((?:.*\n)*?)^```$", PAGE, re.M)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the picture that the page names."""
    place = tmp_path_factory.mktemp("check")
    xmp = plus_xmp("DMI-PROHIBITED-GENAIMLTRAINING")
    (place / "picture.jpg").write_bytes(painted("picture.jpg", size=(64, 48), xmp=xmp).render())
    return place


def answer(command: str, folder: Path, demo: DemoRun) -> str:
    """What a command of the page prints where names lead to the small web; blanks at line ends aside."""
    program, *arguments = shlex.split(command)
    assert program == "kyodaku"
    if "--file" not in arguments:
        arguments += ["--host-table", str(demo.web.host_table_path)]
    done = subprocess.run(
        [sys.executable, "-m", "kyodaku", *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "96", "PYTHONPATH": str(REPO)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return "".join(f"{line.rstrip()}\n" for line in done.stdout.rstrip().splitlines())


def test_there_is_an_example_of_every_answer() -> None:
    starts = " ".join(output for _, output in EXAMPLES)
    assert len(EXAMPLES) >= 6
    for words in ("Yes, ", "No, ", "Partly: ", "on hold", "This file says no", "いいえ、"):
        assert words in starts, words


@pytest.mark.parametrize(("command", "output"), EXAMPLES, ids=[command for command, _ in EXAMPLES])
def test_an_example_is_what_is_printed(command: str, output: str, folder: Path, demo: DemoRun) -> None:
    assert answer(command, folder, demo) == output
