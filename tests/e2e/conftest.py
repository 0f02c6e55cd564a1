"""One real demo run, shared by every end-to-end test: the small web, the command line, the files."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kyodaku.recipe import Recipe, load_recipe
from kyodaku.runs import RunFolder
from tests.web.small_web import SmallWeb

REPO = Path(__file__).resolve().parents[2]
#: The recorded clock of the shared run, so that its files can be compared.
CLOCK = "1760000000"


@dataclass(frozen=True)
class DemoRun:
    """The finished run, its recipe, and the web it came from (still serving)."""

    web: SmallWeb
    recipe_path: Path
    recipe: Recipe
    run: RunFolder
    output: str


def demo_recipe(web: SmallWeb, folder: Path, **changes: str) -> Path:
    """The shipped demo recipe, pointed at `web`. `changes` replaces `key = value` lines."""
    text = (REPO / "datasets/demo/recipe.toml").read_text("utf-8")
    text, found = re.subn(r"(?m)^host_table\s*=.*$", f'host_table = "{web.host_table_path}"', text)
    assert found == 1, "the demo recipe names one host table"
    served = ", ".join(f'"{seed}"' for seed in web.seeds)  # all of them, unless the web is a part
    text, found = re.subn(r"(?ms)^sites\s*=\s*\[.*?^\]$", f"sites = [{served}]", text)
    assert found == 1, "the demo recipe has one list of seeds"
    for key, value in changes.items():
        text, found = re.subn(rf"(?m)^{key}\s*=.*$", f"{key} = {value}", text)
        assert found == 1, f"the demo recipe has one line {key} = ..."
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "recipe.toml"
    path.write_text(text, "utf-8")
    shutil.copy(REPO / "datasets/demo/optouts.jsonl", folder)
    return path


def kyodaku(*arguments: str, timeout: float = 280) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user does."""
    command = [sys.executable, "-m", "kyodaku", *arguments]
    return subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=timeout, check=False)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoRun]:
    """`kyodaku run` on the demo recipe, to its end."""
    folder = tmp_path_factory.mktemp("demo")
    with SmallWeb(folder=folder / "web") as web:
        recipe_path = demo_recipe(web, folder / "recipe")
        done = kyodaku(
            "run", str(recipe_path), "--runs", str(folder / "runs"), "--quiet", "--recorded-clock", CLOCK
        )
        assert done.returncode == 0, done.stdout + done.stderr
        recipe = load_recipe(recipe_path)
        run = RunFolder((folder / "runs" / recipe.name / "latest").resolve())
        yield DemoRun(web, recipe_path, recipe, run, done.stdout + done.stderr)
