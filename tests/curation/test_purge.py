"""A purge leaves nothing of a refused picture but facts, and a kill at any point of it is finished later."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation import purge as purging
from curation.stage import curate, release
from kyodaku.errors import RecordError
from kyodaku.fingerprint import sha256_bytes
from kyodaku.records import CANDIDATES, RAW, Candidate
from kyodaku.release.tables import read_rows
from kyodaku.runs import RunFolder
from kyodaku.shards import iter_tar, write_parquet
from tests.curation.fixtures import NOAI, Found, context, encoded, jpeg, make_run, picture

BODY = jpeg(99)


def refused_and_friends() -> list[Found]:
    return [
        Found("keep0", jpeg(0)),
        Found("no", BODY, alt="a secret garden behind walls", signals=(NOAI,)),
        Found("keep1", jpeg(1)),
        Found("keep2", jpeg(2)),
        Found("keep3", jpeg(3)),
    ]


def blobs(run: RunFolder) -> dict[str, bytes]:
    return {str(p.relative_to(run.path)): p.read_bytes() for p in run.path.rglob("*") if p.is_file()}


def assert_gone(run: RunFolder, body: bytes) -> None:
    """No file holds the bytes; the digest stands only where facts stand, text nowhere in raw."""
    digest = sha256_bytes(body)
    for name, content in blobs(run).items():
        assert body[len(body) // 2 :][:48] not in content, name
    for path in run.path.rglob("*.parquet"):
        text = str(pq.read_table(path).to_pylist())
        if digest in text or digest[:32] in text:
            assert path.parent.name in ("candidates", "decisions", "annotations") or path == run.matches
    for name, content in blobs(run).items():
        if name.startswith(("raw/", "captions/", "release/", "logs/")):
            assert digest[:32].encode() not in content, name
            assert b"secret garden" not in content, name


def refuse(run: RunFolder, name: str) -> None:
    """Another page objects later: the candidate's row gains a signal."""
    for path in run.candidates.glob("*.parquet"):
        found = [Candidate.from_row(row) for row in read_rows(path, CANDIDATES)]
        for candidate in found:
            if candidate.image_url.endswith(f"/{name}.jpg"):
                candidate.signals = (*candidate.signals, NOAI)
        write_parquet(pa.Table.from_pylist([c.to_row() for c in found], CANDIDATES), path)


def test_a_purge_leaves_no_bytes(tmp_path: Path) -> None:
    run = make_run(tmp_path, refused_and_friends())
    assert curate(context(run)).counts["purged"] == 1
    release(context(run))
    assert_gone(run, BODY)
    rows = {row["key"]: row for row in read_rows(run.raw / "00000.parquet", RAW)}
    row = rows["000000001"]
    assert (row["status"], row["offset"], row["sha256"], row["uid"]) == ("purged", -1, "", "")
    assert row["url"].endswith("/no.jpg")
    keys = {span.key for span in iter_tar(run.raw / "00000.tar")}
    assert "000000001" not in keys
    assert len(keys) == 3


def test_bytes_that_no_candidate_names_are_taken_out(tmp_path: Path) -> None:
    orphan = Found("orphan", BODY, alt="a secret garden behind walls")
    run = make_run(tmp_path, [Found("keep0", jpeg(0)), orphan, Found("keep1", jpeg(1))])
    for path in run.candidates.glob("*.parquet"):
        named = [row for row in read_rows(path, CANDIDATES) if not row["image_url"].endswith("/orphan.jpg")]
        write_parquet(pa.Table.from_pylist(named, CANDIDATES), path)
    curate(context(run))
    assert_gone(run, BODY)
    assert [row["status"] for p in run.raw.glob("*.parquet") for row in read_rows(p, RAW)].count(
        "purged"
    ) == 1


def test_a_late_no_after_a_release_purges_and_leaves_it_out_of_the_next(tmp_path: Path) -> None:
    found = refused_and_friends()
    found[1] = Found("no", BODY)
    run = make_run(tmp_path, found)
    curate(context(run))
    assert release(context(run)).counts["samples"] == 5
    refuse(run, "no")
    summary = curate(context(run))
    assert summary.counts["purged"] == 1
    assert summary.lines[-1] == "v1 still holds 1 picture that is refused now: withdraw it"
    assert "1 stored picture was refused and taken out of the raw shards" in summary.lines
    assert release(context(run)).counts["samples"] == 4
    uids = pq.read_table(run.release("v2") / "index.parquet")["uid"].to_pylist()
    assert sha256_bytes(BODY)[:32] not in uids


def test_an_unfinished_release_forgets_what_is_refused(tmp_path: Path) -> None:
    found = refused_and_friends()
    found[1] = Found("no", BODY)
    run = make_run(tmp_path, found)
    curate(context(run))
    building = run.path / "release" / ".release.building"
    building.mkdir(parents=True)
    (building / "00000.tar").write_bytes(BODY)
    (run.raw / ".00000.tar.abc.tmp").write_bytes(BODY)
    refuse(run, "no")
    curate(context(run))
    assert_gone(run, BODY)


def test_equal_pixels_of_a_refused_picture_go_too(tmp_path: Path) -> None:
    image = picture(5)
    png, optimised = encoded(image, "PNG"), encoded(image, "PNG", compress_level=1)
    assert png != optimised
    run = make_run(tmp_path, [Found("a", png, signals=(NOAI,)), Found("b", optimised), Found("c", jpeg(6))])
    counts = curate(context(run)).counts
    assert (counts["refused"], counts["purged"], counts["released"]) == (2, 2, 1)
    assert_gone(run, png)
    assert_gone(run, optimised)


def test_purged_rows_keep_their_annotation_and_nothing_is_recomputed(tmp_path: Path) -> None:
    run = make_run(tmp_path, refused_and_friends())
    curate(context(run))
    path = run.annotations / "00000.parquet"
    before = path.stat().st_mtime_ns
    annotated = {row["key"]: row["status"] for row in pq.read_table(path).to_pylist()}
    assert annotated["000000001"] == "ok"
    curate(context(run))
    assert path.stat().st_mtime_ns == before
    (run.annotations / "00000_stats.json").unlink()
    curate(context(run))
    assert {row["key"]: row["status"] for row in pq.read_table(path).to_pylist()} == annotated


class Killed(BaseException):
    """Stands for kill -9: nothing catches it."""


@pytest.mark.parametrize("moment", ["before tar", "after tar", "before parquet"])
def test_a_purge_cut_short_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    run = make_run(tmp_path, refused_and_friends())
    rewrite = purging._rewrite

    def die_around(tar: Path, doomed: set[str]) -> None:
        if moment != "before tar":
            rewrite(tar, doomed)
        if moment != "before parquet":
            raise Killed

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(purging, "_rewrite", die_around)
        if moment == "before parquet":
            patch.setattr(purging, "write_parquet", die)
        with pytest.raises(Killed):
            curate(context(run))
    assert curate(context(run)).counts["released"] == 4
    release(context(run))
    assert_gone(run, BODY)


def test_a_tar_that_lost_a_picture_is_an_error_and_no_purge(tmp_path: Path) -> None:
    run = make_run(tmp_path, refused_and_friends()[2:])
    purging._rewrite(run.raw / "00000.tar", {"000000000"})
    with pytest.raises(RecordError, match="000000000"):
        curate(context(run))
