"""annotate: every annotator's finding about every picture, kept while its version stands, never a crash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from curation.annotate import annotate_jobs
from curation.annotators import base, registry
from curation.annotators.base import Finding, Picture, Status, look_at_all
from curation.annotators.notices import Notices
from curation.filters import first_objection
from curation.findings import Unseen, finding, iter_annotations
from curation.jobs import run_jobs
from curation.steps import run_job
from kyodaku.reasons import QuarantineReason
from kyodaku.recipe import Annotators, Filters
from kyodaku.runs import RunFolder
from tests.curation.fixtures import Found, encoded, jpeg, make_run, picture, recipe
from tests.curation.looking import opened


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


class Reader:
    """Stands where `text` does: reads one sentence in every picture, unless it is out of order."""

    name, version = "text", "1"

    def __init__(self) -> None:
        self.broken, self.looked = False, 0

    def look(self, pictures: Sequence[Picture], before: Sequence[Mapping[str, Finding]]) -> list[Finding]:
        self.looked += 1
        if self.broken:
            raise MemoryError("no memory")
        said = "DO NOT USE FOR AI TRAINING"
        return [Finding(self.name, self.version, Status.OK, 1.0, "text", said) for _ in pictures]


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Reader:
    """The registry holds it, and whoever judges what it read."""
    ours = Reader()
    built = {"text": lambda _: ours, "notices": lambda _: Notices("notices", "1")}
    monkeypatch.setattr(registry, "BUILT", built)
    return ours


def test_what_broke_once_is_looked_at_again_and_so_is_what_rests_on_it(
    tmp_path: Path, reader: Reader
) -> None:
    run = make_run(tmp_path, [Found("a", jpeg(1))])
    reader.broken = True
    (row,) = annotated(run).values()
    assert row["findings"]["text"].status is Status.FAILED
    assert row["findings"]["notices"].status is Status.UNKNOWN
    reader.broken = False
    (row,) = annotated(run).values()
    assert row["findings"]["text"].status is Status.OK
    assert finding(row, "notices").level == "notice"
    looked = reader.looked
    annotated(run)
    assert reader.looked == looked


def test_what_always_breaks_is_tried_once_a_run_and_holds_nothing_up(tmp_path: Path, reader: Reader) -> None:
    run = make_run(tmp_path, [Found("a", jpeg(1))])
    reader.broken = True
    for runs in (1, 2, 3):
        assert run_jobs(annotate_jobs(run, recipe()), 1, tmp_path / "logs") == 1
        assert reader.looked == runs
        assert all(job.done() for job in annotate_jobs(run, recipe()))  # as release asks
    (tar,) = run.raw.glob("*.tar")
    tar.unlink()  # as gc does: what is gone can not be looked at again
    assert run_jobs(annotate_jobs(run, recipe()), 1, tmp_path / "logs") == 0


@pytest.mark.parametrize("changed", ["version", "skipped", "wanted again"])
def test_whoever_rests_on_a_finding_looks_again_when_it_is_another(
    tmp_path: Path, reader: Reader, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    seen: list[Mapping[str, Finding]] = []

    class Judge(Reader):
        name = "notices"

        def look(self, pictures: Sequence[Picture], before: Sequence[Mapping[str, Finding]]) -> list[Finding]:
            seen.extend(before)
            return [Finding(self.name, self.version, Status.OK) for _ in pictures]

    both = {"text": lambda _: reader, "notices": lambda _: Judge()}
    alone = {"notices": both["notices"]}
    first, then = {"skipped": (both, alone), "wanted again": (alone, both)}.get(changed, (both, both))
    run = make_run(tmp_path, [Found("a", jpeg(1))])
    monkeypatch.setattr(registry, "BUILT", first)
    annotated(run)
    if changed == "version":
        reader.version = "2"
    monkeypatch.setattr(registry, "BUILT", then)
    annotated(run)
    versions = [{name: one.version for name, one in before.items()} for before in seen]
    assert (
        versions
        == {
            "version": [{"text": "1"}, {"text": "2"}],
            "skipped": [{"text": "1"}, {}],
            "wanted again": [{}, {"text": "1"}],
        }[changed]
    )


def test_an_annotator_is_handed_only_what_it_says_it_rests_on(reader: Reader) -> None:
    class Nosy(Reader):
        name = "nosy"

        def look(self, pictures: Sequence[Picture], before: Sequence[Mapping[str, Finding]]) -> list[Finding]:
            assert not any(before)
            return [Finding(self.name, self.version, Status.OK) for _ in pictures]

    (row,) = look_at_all([reader, Nosy()], [opened(jpeg(1))])
    assert row["nosy"].status is Status.OK


def test_what_is_rested_on_looks_before() -> None:
    order = list(registry.BUILT)
    for name, others in base.RESTS_ON.items():
        assert all(order.index(other) < order.index(name) for other in others)


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
