"""A curated run in which a small real annotator set pictures aside, for the tests of review and tune."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import curation.annotators.registry
import curation.filters
from curation.annotate import annotate_jobs
from curation.annotators.base import Finding, Picture, Status
from curation.filters import resolution
from curation.findings import finding
from curation.match import match
from curation.purge import purge
from curation.select import select
from curation.steps import run_job
from kyodaku.reasons import FilterReason, QuarantineReason
from kyodaku.recipe import Recipe
from kyodaku.records import DECISIONS
from kyodaku.registry_client import EMPTY_SNAPSHOT
from kyodaku.release.tables import iter_rows
from kyodaku.runs import RunFolder
from tests.curation.fixtures import NOAI, Found, encoded, jpeg, make_run, recipe


class Stripes:
    """Sees the mean of the red channel as an overlay, and calls small pictures unknown."""

    name = "overlay"

    def __init__(self, version: str = "1") -> None:
        self.version = version

    def look(self, pictures: Sequence[Picture], before: Sequence[Mapping[str, Finding]]) -> list[Finding]:
        return [self._look(one) for one in pictures]

    def _look(self, one: Picture) -> Finding:
        if one.pixels.shape[1] < 200:
            return Finding(self.name, self.version, Status.UNKNOWN, text="too small to tell")
        score = float(one.pixels[..., 0].mean()) / 255
        grey = np.zeros((12, 16), np.uint8)
        grey[6:] = 255
        mask = encoded(Image.fromarray(grey), "PNG")
        text = "© Ann <script>alert(1)</script>"
        return Finding(self.name, self.version, Status.OK, score, "likely", text, {"share": score}, mask)


def stripes(annotation: Any, filters: Any) -> Any:
    """Drops above the recipe's threshold, quarantines above half of it."""
    score = finding(annotation, "overlay").score
    if score > filters.watermark.max_score:
        return FilterReason.WATERMARK
    return QuarantineReason.PERTURBATION_POSSIBLE if score > filters.watermark.max_score / 2 else None


def flat(red: int, width: int = 320, height: int = 280, seed: int = 0) -> bytes:
    """A picture whose red channel is `red`, told from others by its green one."""
    rng = np.random.default_rng(seed)
    pixels = np.full((height, width, 3), red, np.uint8)
    pixels[..., 1] = rng.integers(0, 255, (height, width))
    return encoded(Image.fromarray(pixels), "PNG")


#: Recipe with the threshold at 0.8: above 204 of red is dropped, above 102 set aside.
RECIPE = recipe(filters={"resolution": {"min_side": 64}, "watermark": {"max_score": 0.8}})

PICTURES: dict[str, Found] = {
    "clean": Found("clean", flat(20, seed=1)),
    "clean2": Found("clean2", flat(40, seed=2), page="https://museum.example/other"),
    "odd": Found("odd", flat(120, seed=3), alt="An odd <b>picture</b>"),
    "odd2": Found("odd2", flat(140, seed=4)),
    "odd3": Found("odd3", flat(160, seed=5)),
    "marked": Found("marked", flat(230, seed=6)),
    "little": Found("little", flat(20, 100, 90, seed=7)),
    "refused": Found("refused", flat(130, seed=8), signals=(NOAI,)),
    "plain": Found("plain", jpeg(9, 100, 60)),
}


def install(monkeypatch: pytest.MonkeyPatch, version: str = "1") -> None:
    """The annotator and its filter, as the only ones beside `resolution`."""
    built = {"overlay": lambda section: Stripes(version)}
    monkeypatch.setattr(curation.annotators.registry, "BUILT", built)
    monkeypatch.setattr(curation.filters, "FILTERS", {"resolution": resolution, "watermark": stripes})
    monkeypatch.setattr(curation.filters, "ASKED", ())


def curated(root: Path, found: Sequence[Found] | None = None, using: Recipe = RECIPE) -> RunFolder:
    """The run, with its pictures annotated, matched, decided and purged."""
    run = make_run(root, list(PICTURES.values()) if found is None else found, using)
    decide(run, using)
    return run


@pytest.fixture(scope="module")
def curated_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The root of a curated run of PICTURES, to be copied."""
    with pytest.MonkeyPatch.context() as patch:
        install(patch)
        root = tmp_path_factory.mktemp("curated")
        curated(root)
        yield root


@pytest.fixture
def run(curated_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A copy of that run, with its annotator and filter installed."""
    install(monkeypatch)
    shutil.copytree(curated_once, tmp_path / "root", symlinks=True)
    (latest,) = (tmp_path / "root/runs").glob("*/latest")
    return RunFolder(latest.resolve())


def decide(run: RunFolder, using: Recipe = RECIPE) -> dict[str, tuple[str, str]]:
    """Curate again up to the decisions; by the name of the picture, its outcome and reason."""
    for job in annotate_jobs(run, using):
        run_job(job)
    match(run, using, run.path.parents[2] / "recipe.toml", EMPTY_SNAPSHOT)
    select(run, using, EMPTY_SNAPSHOT)
    purge(run)
    return outcomes(run)


def outcomes(run: RunFolder) -> dict[str, tuple[str, str]]:
    names = {one.candidate_id: name for name, one in PICTURES.items()}
    rows = [row for _, rows in iter_rows(run.decisions, DECISIONS) for row in rows]
    return {names[row["candidate_id"]]: (row["outcome"], row["outcome_reason"]) for row in rows}


def elsewhere(found: Found, page: str) -> Found:
    """The same picture on another page."""
    return replace(found, page=page)
