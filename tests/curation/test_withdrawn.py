"""A released picture that is refused later: everybody who looks at the run or its releases is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.gc import gc
from curation.stage import curate, release
from kyodaku.errors import RunStateError
from kyodaku.release.manifest import read_manifest
from kyodaku.release.verify import VerifyReport, verify_release
from kyodaku.release.withdrawn import Withdrawn, warnings, withdrawn
from kyodaku.runs import RunFolder
from tests.curation.fixtures import Found, context, jpeg, make_run
from tests.curation.test_purge import refuse

FOUND = [Found(f"p{number}", jpeg(number)) for number in range(5)]
ONE = "v1 still holds 1 picture that is refused now: withdraw it"


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    run = make_run(tmp_path, FOUND)
    curate(context(run))
    release(context(run))
    return run


def since(report: VerifyReport) -> tuple[str, str]:
    row = next(row for row in report.rows if row.check == "refused since")
    return row.status, row.detail


def test_nothing_is_withdrawn_while_nobody_says_no(run: RunFolder) -> None:
    assert withdrawn(run) == []
    assert since(verify_release(run.release()))[0] == "ok"
    (run.decisions / "00000.parquet").unlink()
    (run.decisions / "00001.parquet").unlink()
    assert withdrawn(run) == []
    assert not any(row.check == "refused since" for row in verify_release(run.release()).rows)


def test_a_later_no_is_told_until_the_version_is_gone(run: RunFolder) -> None:
    refuse(run, "p1")
    assert ONE in curate(context(run)).lines
    assert read_manifest(run.release()).samples == 5
    (found,) = withdrawn(run)
    assert (found.version, found.uid, found.key) == ("v1", FOUND[1].uid, FOUND[1].uid)
    assert f"{found.key}.jpg".encode() in (run.release() / found.shard).read_bytes()
    report = verify_release(run.release())
    assert report.ok
    assert since(report) == ("warn", ONE)
    with pytest.raises(RunStateError, match=r"v1 still holds 1 picture .*kyodaku release"):
        gc(run)
    assert list(run.raw.glob("*.tar"))

    assert release(context(run)).counts["samples"] == 4
    assert withdrawn(run) == [found]
    refuse(run, "p2")
    assert "v1 still holds 2 pictures that are refused now: withdraw it" in curate(context(run)).lines
    assert [item.version for item in withdrawn(run)] == ["v1", "v1", "v2"]
    release(context(run))
    assert gc(run) > 0
    assert len(warnings(run)) == 2


def test_a_damaged_index_hides_nothing(run: RunFolder) -> None:
    refuse(run, "p1")
    curate(context(run))
    found = withdrawn(run)
    (run.release() / "index.parquet").write_bytes(b"")
    assert withdrawn(run) == found
    assert isinstance(found[0], Withdrawn)
    for path in run.release().glob("0*.parquet"):
        path.write_bytes(b"")
    (line,) = warnings(run)
    assert "cannot be told" in line
    assert "00000.parquet is damaged" in line
