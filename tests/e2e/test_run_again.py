"""The same run again: what is resumed, what is recomputed, and that neither asks the web for anything."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.e2e.conftest import CLOCK, REPO, DemoRun, kyodaku


@pytest.fixture
def again(demo: DemoRun, tmp_path: Path) -> tuple[Path, Path]:
    """A copy of the finished run that may be changed: its recipe and its runs folder."""
    shutil.copytree(demo.run.path.parents[1], tmp_path / "runs", symlinks=True)
    shutil.copytree(demo.recipe_path.parent, tmp_path / "recipe")
    return tmp_path / "recipe/recipe.toml", tmp_path / "runs"


def run(recipe: Path, runs: Path, *, days: int = 0) -> subprocess.CompletedProcess[str]:
    """The run, so many days later."""
    clock = str(int(CLOCK) + days * 86400)
    return kyodaku("run", str(recipe), "--runs", str(runs), "--json", "--recorded-clock", clock)


def released(runs: Path, version: str) -> int:
    files = sorted((runs / "demo/latest/release" / version).glob("0*.parquet"))
    return sum(pq.read_metadata(file).num_rows for file in files)


def test_a_finished_run_is_left_as_it_is(demo: DemoRun, again: tuple[Path, Path]) -> None:
    asked = len(demo.web.log)
    done = run(*again)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["complete"]
    assert len(demo.web.log) == asked, "a finished crawl asks nothing"
    assert sorted(path.name for path in (again[1] / "demo/latest/release").iterdir()) == ["v1"]


def test_a_changed_threshold_makes_a_new_version_without_a_request(
    demo: DemoRun, again: tuple[Path, Path]
) -> None:
    recipe, runs = again
    asked = len(demo.web.log)
    recipe.write_text(recipe.read_text("utf-8").replace("min_side = 256", "min_side = 600"), "utf-8")
    done = run(recipe, runs)
    assert done.returncode == 0, done.stderr
    assert len(demo.web.log) == asked
    assert 0 < released(runs, "v2") < released(runs, "v1")


def test_answers_older_than_the_recipe_allows_are_asked_for_again(
    demo: DemoRun, again: tuple[Path, Path]
) -> None:
    recipe, runs = again
    asked = len(demo.web.log)
    done = run(recipe, runs, days=8)
    assert done.returncode == 0, done.stderr
    stages = {stage["stage"]: stage["counts"] for stage in json.loads(done.stdout)["stages"]}
    assert stages["recheck"]["asked"] >= released(runs, "v1") > 0
    new = demo.web.log[asked:]
    assert {entry.host for entry in new} < {site.name for site in demo.web.sites}
    assert any(entry.method == "HEAD" for entry in new)
    assert released(runs, "v1") == released(demo.run.path.parents[1], "v1"), "nobody changed their mind"


def test_a_changed_crawl_section_is_an_error_that_names_new(again: tuple[Path, Path]) -> None:
    recipe, runs = again
    text, found = re.subn(r"(?m)^depth = .*$", "depth = 3", recipe.read_text("utf-8"))
    assert found == 1
    recipe.write_text(text, "utf-8")
    for command in ("run", "crawl", "curate", "release"):
        done = kyodaku(command, str(recipe), "--runs", str(runs))
        assert done.returncode == 2
        assert "changed: budgets.depth; " in done.stderr
        assert "--new" in done.stderr
        assert len(done.stderr.splitlines()) == 1


#: What a trainer does not install.
EXTRAS = (
    "lxml",
    "protego",
    "defusedxml",
    "PIL",
    "tldextract",
    "http_sf",
    "c2pa",
    "pdqhash",
    "faiss",
    "scrapy",
    "twisted",
    "warcio",
    "torch",
    "transformers",
    "datatrove",
)
_CORE_ALONE = f"""
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {EXTRAS!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
from kyodaku.cli import main
main()
"""


def core(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The program where only the core's packages can be imported."""
    command = [sys.executable, "-c", _CORE_ALONE, *arguments]
    return subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=120, check=False)


def test_a_trainer_needs_the_core_only(demo: DemoRun) -> None:
    run, refused = str(demo.run.path), "https://artist.example/art/1.jpg"
    for arguments in (
        ("verify", run),
        ("verify", str(demo.run.release()), "--json"),
        ("explain", run, refused),
        ("status", run),
        ("recipe", "check", str(demo.recipe_path)),
    ):
        done = core(*arguments)
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
    for arguments, extra in (
        (("crawl", str(demo.recipe_path)), "kyodaku[crawl]"),
        (("signals", "list"), "kyodaku[permission]"),
    ):
        done = core(*arguments)
        assert done.returncode == 1
        assert extra in done.stderr
