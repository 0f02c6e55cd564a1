"""A run or a release whose files are gone or damaged: made again, or one line that names the file."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from curation.stage import curate, release
from kyodaku.errors import RecordError, RunStateError
from kyodaku.release.manifest import release_damage
from kyodaku.release.verify import verify_release
from kyodaku.runs import RunFolder
from kyodaku.stages import StageSummary
from tests.curation.conftest import tree
from tests.curation.fixtures import NOAI, Found, context, encoded, jpeg, make_run, picture


@pytest.fixture
def run(released: RunFolder, tmp_path: Path) -> RunFolder:
    """A copy of the released run of nine, in which anything may be broken."""
    root = released.path.parent.parent.parent
    shutil.copytree(root, tmp_path / "root", symlinks=True)
    return RunFolder(tmp_path / "root" / released.path.relative_to(root))


def both(run: RunFolder) -> StageSummary:
    curate(context(run))
    return release(context(run))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def flip(path: Path) -> None:
    """One bit in the middle; the size stays."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def overwrite(path: Path) -> None:
    path.write_bytes(b"not a table")


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        ("00001.tar", Path.unlink),
        ("00001.tar", flip),
        ("00000.parquet", cut),
        ("index.parquet", flip),
        ("README.md", Path.unlink),
        ("README.md", cut),
    ],
)
def test_a_broken_release_is_not_up_to_date(run: RunFolder, name: str, harm: object) -> None:
    whole = tree(run.release())
    assert release_damage(run.release()) == ""
    harm(run.release() / name)  # type: ignore[operator]
    assert name in release_damage(run.release())
    done = both(run)
    assert run.release("v2").is_dir()
    assert any("v1 is damaged" in line and "kyodaku verify" in line for line in done.lines)
    assert verify_release(run.release("v2")).ok
    fresh = tree(run.release("v2"))
    differing = {path for path in whole if fresh[path] != whole[path]}
    assert differing <= {"manifest.json", "report.html"}
    assert "up to date" in both(run).lines[0]


def test_a_release_without_a_readable_manifest_is_made_again(run: RunFolder) -> None:
    flip(run.release() / "manifest.json")
    both(run)
    assert verify_release(run.release("v2")).ok


@pytest.mark.parametrize("name", ["raw/00001.parquet", "raw/00000.parquet", "candidates/00000.parquet",
                                  "candidates/00001.parquet"])  # fmt: skip
def test_a_missing_fact_stops_curate_and_release(run: RunFolder, name: str) -> None:
    decided = tree(run.decisions)
    (run.path / name).unlink()
    for stage in (curate, release):
        with pytest.raises(RunStateError, match=rf"{name} is missing.*--new"):
            stage(context(run))
    assert tree(run.decisions) == decided


def test_a_missing_raw_table_is_missed_without_its_tar_and_stats(run: RunFolder) -> None:
    for path in run.raw.glob("00001*"):
        path.unlink()
    with pytest.raises(RunStateError, match=r"raw/00001.parquet is missing"):
        curate(context(run))


@pytest.mark.parametrize("name", ["raw/00001.parquet", "candidates/00001.parquet"])
@pytest.mark.parametrize("harm", [cut, overwrite])
def test_a_damaged_fact_is_named(run: RunFolder, name: str, harm: object) -> None:
    harm(run.path / name)  # type: ignore[operator]
    for stage in (curate, release):
        with pytest.raises(RecordError, match=rf"{name} is damaged.*--new") as told:
            stage(context(run))
        assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        ("annotations/00000.parquet", Path.unlink),
        ("annotations/00000.parquet", flip),
        ("decisions/00001.parquet", cut),
        ("decisions/00001.parquet", overwrite),
        ("matches.parquet", flip),
        ("matches.parquet", Path.unlink),
        ("captions/00002.parquet", overwrite),
        ("captions/00002.parquet", cut),
    ],
)
def test_a_damaged_derived_table_is_made_again(run: RunFolder, name: str, harm: object) -> None:
    whole = (run.path / name).read_bytes()
    harm(run.path / name)  # type: ignore[operator]
    with pytest.raises((RunStateError, RecordError), match="kyodaku curate"):
        release(context(run))
    assert curate(context(run)).complete
    assert (run.path / name).read_bytes() == whole
    assert "up to date" in release(context(run)).lines[0]


@pytest.mark.parametrize("harm", [Path.unlink, cut, flip, overwrite])
def test_what_is_known_of_pictures_taken_out_is_not_forgotten(tmp_path: Path, harm: object) -> None:
    """With the annotation of a refused picture, its copy with the same pixels would become allowed."""
    image = picture(5)
    refused = Found("no", encoded(image, "PNG"), signals=(NOAI,))
    run = make_run(tmp_path, [refused, Found("a", jpeg(1)), Found("b", jpeg(2))])
    assert curate(context(run)).counts["purged"] == 1
    harm(run.annotations / "00000.parquet")  # type: ignore[operator]
    for _ in range(2):
        with pytest.raises(RecordError, match=r"annotations/00000.parquet.*--new"):
            curate(context(run))


def test_a_release_copied_with_new_times_is_still_whole(run: RunFolder) -> None:
    for path in run.release().iterdir():
        os.utime(path)
    assert release_damage(run.release()) == ""
