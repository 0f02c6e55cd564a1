"""A recheck that was stopped long ago: what was answered then is too old by now, and is asked again."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from kyodaku.gate import GateResult, GateVerdict
from kyodaku.recheck.asking import Recheck
from kyodaku.recheck.notebook import Notebook
from kyodaku.runs import RunFolder
from tests.e2e.conftest import kyodaku
from tests.e2e.test_recheck import candidates, crawled
from tests.web.small_web import SmallWeb

__all__ = ["crawled"]
DAY = 86400.0


@pytest.mark.parametrize(("age", "asked_again"), [(10 * DAY, True), (DAY, False)])
def test_run_asks_again_what_an_old_recheck_was_answered(
    crawled: tuple[SmallWeb, Path, RunFolder],
    tmp_path: Path,
    age: float,
    asked_again: bool,
) -> None:
    web, recipe, original = crawled
    shutil.copytree(original.path.parents[1], tmp_path / "runs", symlinks=True)
    run = RunFolder((tmp_path / "runs/again/latest").resolve())
    rows = candidates(run)
    now = max(row["fetched_at"] for row in rows) + 30 * DAY
    refused, *others = rows
    with closing(Notebook(run, now - age - 7 * DAY)) as notebook:
        for row in rows:
            result = GateResult("g5", GateVerdict.PROCEED, "")
            if row is refused:
                result = GateResult("g4", GateVerdict.REFUSE, "x_robots_tag")
            notebook.note("00000", Recheck(row["candidate_id"], "same", "same", result, now - age))
    seen = len(web.log)
    done = kyodaku("run", str(recipe), "--runs", str(tmp_path / "runs"), "-q", "--recorded-clock", str(now))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is written" in done.stdout
    assert "1 refused" in done.stdout, "no later answer takes a no back"
    heads = {entry.url for entry in web.log[seen:] if entry.method == "HEAD"}
    assert heads == ({row["image_url"] for row in others} if asked_again else set())
