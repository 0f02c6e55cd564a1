"""annotate: every annotator's finding about every picture, kept while its version stands, never a crash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from curation.annotate import annotate_jobs
from curation.annotators import registry
from curation.annotators.base import Finding, Picture, Status
from curation.filters import first_objection
from curation.findings import Unseen, finding, iter_annotations
from curation.steps import run_job
from kyodaku.reasons import QuarantineReason
from kyodaku.recipe import Annotators, Filters
from kyodaku.runs import RunFolder
from tests.curation.fixtures import Found, encoded, jpeg, make_run, picture, recipe


class Brightness:
    """A real, small annotator that counts how often it looked; breaks on pictures 99 pixels wide."""

    def __init__(self, name: str = "brightness", version: str = "1") -> None:
        self.name, self.version = name, version
        self.looked: list[int] = []

    def look(self, pictures: Sequence[Picture], before: Sequence[Mapping[str, Finding]]) -> list[Finding]:
        if any(one.pixels.shape[1] == 99 for one in pictures):
            raise RuntimeError("ninety-nine")
        self.looked += [one.pixels.shape[1] for one in pictures]
        return [
            Finding(self.name, self.version, Status.OK, score=float(one.grey.mean() / 255))
            for one in pictures
        ]


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> dict[str, Brightness]:
    """The registry holds only these."""
    ours = {"brightness": Brightness()}
    monkeypatch.setattr(registry, "BUILT", {name: lambda _, name=name: ours[name] for name in ours})
    return ours


def annotated(run: RunFolder) -> dict[str, dict[str, Any]]:
    for job in annotate_jobs(run, recipe()):
        run_job(job)
    return {row["uid"]: dict(row) for row in iter_annotations(run)}


def test_every_picture_gets_a_finding(tmp_path: Path, built: dict[str, Brightness]) -> None:
    dark, light = Found("dark", encoded(picture(1).point(lambda v: v // 8))), Found("light", jpeg(2))
    rows = annotated(make_run(tmp_path, [dark, light]))
    assert (
        rows[dark.uid]["findings"]["brightness"].score
        < 0.13
        < rows[light.uid]["findings"]["brightness"].score
    )
    assert built["brightness"].looked == [320, 320]


def test_only_a_new_version_looks_again(tmp_path: Path, built: dict[str, Brightness]) -> None:
    run = make_run(tmp_path, [Found("a", jpeg(1))])
    annotated(run)
    annotated(run)
    assert built["brightness"].looked == [320]
    built["brightness"].version = "2"
    (row,) = annotated(run).values()
    assert built["brightness"].looked == [320, 320]
    assert row["findings"]["brightness"].version == "2"


def test_a_second_annotator_does_not_make_the_first_look_again(
    tmp_path: Path, built: dict[str, Brightness], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path, [Found("a", jpeg(1))])
    annotated(run)
    late = Brightness("late")
    monkeypatch.setattr(
        registry, "BUILT", {"brightness": lambda _: built["brightness"], "late": lambda _: late}
    )
    (row,) = annotated(run).values()
    assert (built["brightness"].looked, late.looked) == ([320], [320])
    assert list(row["findings"]) == ["brightness", "late"]


def test_what_breaks_one_picture_is_a_fact_about_that_picture(
    tmp_path: Path, built: dict[str, Brightness]
) -> None:
    bad, good = Found("bad", jpeg(1, width=99)), Found("good", jpeg(2))
    rows = annotated(make_run(tmp_path, [bad, good]))
    broken = rows[bad.uid]["findings"]["brightness"]
    assert (broken.status, broken.text) == (Status.FAILED, "RuntimeError: ninety-nine")
    assert rows[good.uid]["findings"]["brightness"].status is Status.OK
    with pytest.raises(Unseen):
        finding(rows[bad.uid], "brightness")


def test_a_number_that_is_none_is_a_failure(tmp_path: Path, built: dict[str, Brightness]) -> None:
    class Broken(Brightness):
        def look(self, pictures: Sequence[Picture], before: Any) -> list[Finding]:
            return [Finding(self.name, self.version, Status.OK, score=float("nan")) for _ in pictures]

    built["brightness"] = Broken()
    (row,) = annotated(make_run(tmp_path, [Found("a", jpeg(1))])).values()
    assert row["findings"]["brightness"].status is Status.FAILED


def test_a_filter_that_asks_what_nobody_saw_sets_the_picture_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    import curation.filters

    def bright(annotation: Any, filters: Filters) -> None:
        finding(annotation, "brightness")

    monkeypatch.setattr(curation.filters, "FILTERS", {"bright": bright})
    row = {"width": 800, "height": 600, "findings": {}}
    assert first_objection(row, Filters()) is QuarantineReason.NOT_LOOKED_AT


def test_what_may_refuse_cannot_be_skipped() -> None:
    with pytest.raises(ValueError, match="notices"):
        Annotators.model_validate({"skip": ["notices"]})
