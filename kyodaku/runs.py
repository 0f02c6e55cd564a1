"""The folder of a run: where every file of it lives (docs/records.md draws it)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kyodaku.errors import UsageError


@dataclass(frozen=True)
class RunFolder:
    """Paths inside `runs/<dataset>/<run>/`. Creating one touches nothing."""

    path: Path

    @property
    def lock(self) -> Path:
        return self.path / "recipe.lock.toml"

    @property
    def sqlite(self) -> Path:
        return self.path / "crawl.sqlite"

    @property
    def evidence(self) -> Path:
        return self.path / "evidence"

    @property
    def hosts(self) -> Path:
        return self.path / "hosts.parquet"

    @property
    def pages(self) -> Path:
        return self.path / "pages.parquet"

    @property
    def candidates(self) -> Path:
        return self.path / "candidates"

    @property
    def raw(self) -> Path:
        return self.path / "raw"

    @property
    def annotations(self) -> Path:
        return self.path / "annotations"

    @property
    def unstored(self) -> Path:
        return self.path / "unstored"

    @property
    def matches(self) -> Path:
        return self.path / "matches.parquet"

    @property
    def rechecks(self) -> Path:
        return self.path / "rechecks"

    @property
    def recheck_sqlite(self) -> Path:
        return self.path / "recheck.sqlite"

    @property
    def decisions(self) -> Path:
        return self.path / "decisions"

    @property
    def captions(self) -> Path:
        return self.path / "captions"

    @property
    def reviews(self) -> Path:
        return self.path / "reviews.jsonl"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    @property
    def log(self) -> Path:
        return self.path / "crawl.log"

    def release(self, version: str = "v1") -> Path:
        return self.path / "release" / version


def find_run(target: Path, runs_root: Path = Path("runs")) -> RunFolder:
    """The run that `target` names: a run folder, or a recipe (file or folder) whose latest run is meant.

    Raises:
        UsageError: nothing there.
    """
    if (target / "recipe.lock.toml").is_file():
        return RunFolder(target.resolve())
    if target.suffix == ".toml" or (target / "recipe.toml").is_file():
        from kyodaku.recipe import load_recipe

        latest = runs_root / load_recipe(target).name / "latest"
        if (latest / "recipe.lock.toml").is_file():
            return RunFolder(latest.resolve())
        raise UsageError(f"{target} has no run under {runs_root} yet; start one with: kyodaku run {target}")
    raise UsageError(f"{target} is neither a run folder nor a recipe")
