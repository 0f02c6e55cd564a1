"""What a release and gc do when the run is not as usual: unwritable pictures, no raw, no space, Ctrl-C."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import curation.outcomes as outcomes_of
import curation.pack as packing
import curation.select as selecting
from curation import stage
from curation.gc import gc
from curation.stage import curate, release
from kyodaku.errors import DecodeError, DiskFullError, RunStateError, VerifyError
from kyodaku.reasons import FailReason
from kyodaku.release.images import ReleasedImage, rewrite_for_release
from kyodaku.release.manifest import read_manifest
from kyodaku.release.reader import open_release
from kyodaku.release.verify import verify_release
from kyodaku.runs import RunFolder
from tests.curation.conftest import tree
from tests.curation.fixtures import Found, context, encoded, jpeg, make_run, picture, recipe
from tests.curation.test_purge import refuse


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path, [Found(f"p{number}", jpeg(number)) for number in range(5)])


def outcomes(run: RunFolder) -> dict[str, tuple[str, str]]:
    rows = [row for path in run.decisions.glob("*.parquet") for row in pq.read_table(path).to_pylist()]
    return {row["uid"]: (row["outcome"], row["outcome_reason"]) for row in rows}


def test_a_picture_that_cannot_be_rewritten_is_no_sample(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    stubborn = jpeg(2)

    def picky(body: bytes, fmt: str, **options: Any) -> ReleasedImage:
        if body == stubborn:
            raise DecodeError("its pixels would change", FailReason.UNDECODABLE)
        return rewrite_for_release(body, fmt, **options)

    monkeypatch.setattr(packing, "rewrite_for_release", picky)
    curate(context(run))
    assert release(context(run)).counts["samples"] == 4
    assert outcomes(run)[Found("p2", stubborn).uid] == ("failed", "undecodable")
    assert verify_release(run.release()).ok
    assert read_manifest(run.release()).counts["failed"] == {"undecodable": 1}
    for path in run.release().iterdir():
        assert Found("p2", stubborn).candidate_id.encode() not in path.read_bytes()
    curate(context(run))
    release(context(run))
    assert not run.release("v2").exists()


def test_gc_drops_raw_after_a_whole_release_and_facts_stay(run: RunFolder) -> None:
    with pytest.raises(RunStateError, match="no release"):
        gc(run)
    curate(context(run))
    release(context(run))
    tar = run.release() / "00000.tar"
    content = tar.read_bytes()
    tar.write_bytes(content[:-1] + b"\x01")
    with pytest.raises(VerifyError, match="not whole"):
        gc(run)
    assert list(run.raw.glob("*.tar"))
    tar.write_bytes(content)
    assert gc(run) > 0
    assert not list(run.raw.glob("*.tar"))
    assert len(list(run.raw.glob("*.parquet"))) == 2
    assert curate(context(run)).counts["released"] == 5
    assert release(context(run)).counts["samples"] == 5
    with pytest.raises(RunStateError, match="gc"):
        release(context(run, recipe(shards={"max_side": 100})))


def test_after_gc_no_decision_is_made_that_cannot_be_served(run: RunFolder) -> None:
    curate(context(run))
    release(context(run))
    gc(run)
    decided = tree(run.decisions)
    for size in (32, 300):
        changed = recipe(filters={"resolution": {"min_side": size}})
        with pytest.raises(RunStateError, match="raw was dropped by gc; start a new run"):
            curate(context(run, changed))
        assert tree(run.decisions) == decided
    assert curate(context(run)).counts["released"] == 5
    assert "up to date" in release(context(run)).lines[0]


def test_after_gc_a_no_still_counts(tmp_path: Path) -> None:
    run = make_run(tmp_path, [Found(f"p{number}", jpeg(number)) for number in range(5)])
    curate(context(run))
    release(context(run))
    gc(run)
    refuse(run, "p1")
    summary = curate(context(run))
    assert summary.counts["refused"] == 1
    assert "v1 still holds 1 picture that is refused now: withdraw it" in summary.lines
    with pytest.raises(RunStateError, match="gc"):
        release(context(run))


def test_after_gc_a_newer_version_keeps_no_other_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path, [Found("small", jpeg(9, 60, 50)), Found("p1", jpeg(1))])
    assert curate(context(run)).counts["filtered"] == 1
    release(context(run))
    gc(run)
    decided = tree(run.decisions)
    monkeypatch.setattr(selecting, "code_digest", lambda *names: "that of a newer version")
    monkeypatch.setattr(outcomes_of, "first_objection", lambda *facts: None)
    with pytest.raises(RunStateError, match="raw was dropped by gc"):
        curate(context(run))
    assert tree(run.decisions) == decided


@pytest.mark.parametrize("error", [DiskFullError("no space left to write x"), KeyboardInterrupt()])
def test_a_clean_stop_goes_on_later(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def stop(*_: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(stage, "match", stop)
        assert not curate(context(run)).complete
    assert curate(context(run)).complete
    with monkeypatch.context() as patch:
        patch.setattr(stage, "publish", stop)
        assert not release(context(run)).complete
    assert release(context(run)).complete
    assert verify_release(run.release()).ok


def test_a_run_that_kept_nothing_has_nothing_to_release(tmp_path: Path) -> None:
    run = make_run(tmp_path, [Found("bare", jpeg(1), evidence=())])
    assert curate(context(run)).counts["refused"] == 1
    with pytest.raises(RunStateError, match="nothing was kept"):
        release(context(run))


def test_decisions_older_than_facts_or_recipe_are_not_released(run: RunFolder) -> None:
    curate(context(run))
    for changed in (
        recipe(filters={"resolution": {"min_side": 300}}),
        recipe(captions={"min_characters": 9}),
        recipe(captions={"required": False}),
    ):
        with pytest.raises(RunStateError, match="run kyodaku curate"):
            release(context(run, changed))
    refuse(run, "p1")
    with pytest.raises(RunStateError, match="run kyodaku curate"):
        release(context(run))
    curate(context(run))
    assert release(context(run)).counts["samples"] == 4


def test_original_formats_are_kept_where_the_recipe_says_so(tmp_path: Path) -> None:
    found = [
        Found("a", jpeg(1)),
        Found("b", encoded(picture(2), "PNG")),
        Found("c", encoded(picture(3), "WEBP")),
    ]
    run = make_run(tmp_path, found)
    using = recipe(shards={"images": "original"})
    curate(context(run, using))
    release(context(run, using))
    report = verify_release(run.release())
    assert report.ok, report.rows
    assert {row.check: row.status for row in report.rows}["reader: datasets"] == "not applicable"
    names = {name for sample in open_release(run.release(), images="") for name in sample}
    assert {"jpg", "png", "webp"} <= names


def test_an_opt_out_that_comes_in_while_a_release_is_made_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    using = recipe(registries={"files": ["optouts.jsonl"]})
    (tmp_path / "optouts.jsonl").write_text("")
    run = make_run(tmp_path, [Found("a", jpeg(1)), Found("b", jpeg(2))], using)
    curate(context(run, using))
    planned = stage.plan_rows

    def late(*given: Any) -> Any:
        (tmp_path / "optouts.jsonl").write_text(json.dumps({"url": Found("a", jpeg(1)).url}) + "\n")
        return planned(*given)

    monkeypatch.setattr(stage, "plan_rows", late)
    with pytest.raises(RunStateError, match="an opt-out file changed while the release was made"):
        release(context(run, using))
    assert not run.release().exists()
    monkeypatch.undo()
    with pytest.raises(RunStateError, match="run kyodaku curate"):
        release(context(run, using))
    curate(context(run, using))
    release(context(run, using))
    kept = pq.read_table(run.release() / "index.parquet")["url"].to_pylist()
    assert kept == [Found("b", jpeg(2)).url]
