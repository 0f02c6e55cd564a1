"""`kyodaku match` and `kyodaku optout`: a picture in hand, and a release folder that may be anything."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageOps
from skimage import data

from kyodaku.copies import OPTED_OUT, copy_prints, listed
from kyodaku.fingerprint import pdq, pixel_sha256, sha256_bytes, uid_of
from kyodaku.optouts import load_optouts
from kyodaku.records import ATTRIBUTION, INDEX
from kyodaku.shards import write_parquet
from tests.core.test_cli import kyodaku

PHOTO = Image.fromarray(data.coffee())


def saved(path: Path, image: Image.Image, **options: Any) -> Path:
    image.save(path, **options)
    return path


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nothing but the two tables that are read, of two pictures: a photograph and a plain one."""
    folder = tmp_path_factory.mktemp("release")
    index, owed = [], []
    shown = {"photo": np.asarray(PHOTO), "plain": np.full((90, 90, 3), 7, np.uint8)}
    for name, pixels in shown.items():
        hashed, quality = pdq(pixels)
        prints = copy_prints(pixels, hashed, quality)
        uid = uid_of(sha256_bytes(name.encode()))
        row = dict.fromkeys(INDEX.names, "") | {
            "uid": uid, "shard": "00000.tar", "pixel_sha256": pixel_sha256(pixels), "pdq": hashed,
            "pdq_quality": quality, "pdq_trimmed": prints.trimmed, "pdq_cuts": listed(prints.frames),
            "url": f"https://museum.example/{name}.jpg", "page_url": f"https://museum.example/{name}",
        }  # fmt: skip
        index.append(row)
        credit = {"creator": "Emi", "licence": "by-4.0", "credit": "Photo: Emi\x1b[2J", "creator_images": 2}
        owed.append(dict.fromkeys(ATTRIBUTION.names, "") | {"uid": uid} | credit)
    write_parquet(pa.Table.from_pylist(index, INDEX), folder / "index.parquet")
    write_parquet(pa.Table.from_pylist(owed, ATTRIBUTION), folder / "attribution.parquet")
    return folder


def asked(image: Path, release: Path, *more: str) -> dict[str, Any]:
    done = kyodaku("match", str(image), "--release", str(release), "--json", *more)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("change", "transform"),
    [
        (lambda image: image.resize((290, 190)), ""),
        (lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), "mirrored"),
        (lambda image: image.crop((30, 0, 600, 400)), "the other cut left 5.0%"),
        (lambda image: image.crop((0, 20, 600, 400)), "the other cut top 5.0%"),
    ],
    ids=["smaller", "mirrored", "cut left", "cut top"],
)
def test_a_copy_is_found_with_its_credit(
    tmp_path: Path, release: Path, change: Callable[[Image.Image], Image.Image], transform: str
) -> None:
    image = saved(tmp_path / "copy.jpg", change(PHOTO), quality=80)
    found = asked(image, release, "--top", "1")["matches"]
    assert len(found) == 1
    assert found[0]["near"]
    assert found[0]["distance"] <= 31
    assert found[0]["transform"] == transform
    assert (found[0]["creator"], found[0]["creator_images"]) == ("Emi", 2)
    assert found[0]["url"] == "https://museum.example/photo.jpg"


def test_people_are_told_in_lines_that_steer_no_terminal(tmp_path: Path, release: Path) -> None:
    image = saved(tmp_path / "copy.png", PHOTO)
    done = kyodaku("match", str(image), "--release", str(release))
    assert done.returncode == 0
    assert "same pixels" in done.stdout
    assert "Photo: Emi" in done.stdout
    assert "2 of this creator" in done.stdout
    assert "\x1b[2J" not in done.stdout


def test_what_is_no_copy_is_told_to_be_chance(tmp_path: Path, release: Path) -> None:
    image = saved(tmp_path / "cat.png", Image.fromarray(data.chelsea()))
    assert [one["near"] for one in asked(image, release)["matches"]] == [False]
    done = kyodaku("match", str(image), "--release", str(release))
    assert "no copy of" in done.stdout
    assert "chance" in done.stdout


def test_a_plain_picture_is_found_by_its_pixels_only(tmp_path: Path, release: Path) -> None:
    same = asked(saved(tmp_path / "same.png", Image.new("RGB", (90, 90), (7, 7, 7))), release)
    assert [one["transform"] for one in same["matches"]] == ["same pixels"]
    other = asked(saved(tmp_path / "other.png", Image.new("RGB", (90, 90), (8, 8, 8))), release)
    assert other["matches"] == []
    assert "only equal bytes and pixels" in other["note"]


def rewritten(path: Path, **columns: Any) -> None:
    """The table with some columns replaced, its schema as before."""
    table = pq.read_table(path)
    for name, values in columns.items():
        place = table.column_names.index(name)
        table = table.set_column(
            place, table.schema.field(name), pa.array(values, table.schema.field(name).type)
        )
    pq.write_table(table, path)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "index.parquet").write_bytes(b"PAR1 no table PAR1"),
        lambda folder: (folder / "attribution.parquet").unlink(),
        lambda folder: shutil.copy(folder / "attribution.parquet", folder / "index.parquet"),
        lambda folder: rewritten(folder / "index.parquet", pdq=["zz" * 32, ""]),
        lambda folder: rewritten(folder / "index.parquet", pdq_trimmed=["00", "00"]),
        lambda folder: rewritten(folder / "index.parquet", pdq_cuts=[["00"], []]),
        lambda folder: rewritten(folder / "index.parquet", uid=[None, None]),
        lambda folder: rewritten(folder / "index.parquet", pdq_cuts=[[None], [None]]),
        lambda folder: rewritten(folder / "attribution.parquet", uid=["a", "b"]),
    ],
    ids=[
        "garbage",
        "no credit",
        "wrong table",
        "no hex",
        "short",
        "short cut",
        "null",
        "null cut",
        "strangers",
    ],
)
def test_a_hostile_release_folder_is_one_line(
    tmp_path: Path, release: Path, spoil: Callable[[Path], object]
) -> None:
    folder = tmp_path / "r"
    shutil.copytree(release, folder)
    spoil(folder)
    done = kyodaku("match", str(saved(tmp_path / "copy.png", PHOTO)), "--release", str(folder))
    assert done.returncode == 1, done.stdout
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.strip().splitlines()) == 1
    assert "unexpected" not in done.stderr


def test_wrong_files_and_folders_are_one_line(tmp_path: Path, release: Path) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    for image, folder in (
        (tmp_path / "gone.jpg", release),
        (tmp_path, release),
        (tmp_path / "text.jpg", release),
        (saved(tmp_path / "fine.png", PHOTO), tmp_path),
    ):
        done = kyodaku("match", str(image), "--release", str(folder))
        assert done.returncode == 2, done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_an_opt_out_line_names_the_picture_and_its_copies(tmp_path: Path) -> None:
    image = saved(tmp_path / "mine.jpg", PHOTO)
    done = kyodaku("optout", str(image), "--note", "by mail")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    (tmp_path / "optouts.jsonl").write_text(done.stdout)
    read = load_optouts([tmp_path / "optouts.jsonl"])
    assert read.count == 1
    assert read.about_picture(sha256_bytes(image.read_bytes()))
    assert pdq(np.asarray(Image.open(image)))[0] in read.near
    assert len(read.near) == 1
    assert len(read.near_cuts) == len(OPTED_OUT)
    assert len(read.pixels) == 1


def test_a_bordered_picture_is_listed_with_cuts_of_what_is_inside(tmp_path: Path) -> None:
    image = saved(tmp_path / "framed.png", ImageOps.expand(PHOTO, 60, "white"))
    done = kyodaku("optout", str(image))
    (tmp_path / "optouts.jsonl").write_text(done.stdout)
    read = load_optouts([tmp_path / "optouts.jsonl"])
    assert (len(read.near), len(read.near_cuts)) == (2, 2 * len(OPTED_OUT))


def test_a_plain_picture_is_opted_out_exactly_and_that_is_told(tmp_path: Path) -> None:
    done = kyodaku("optout", str(saved(tmp_path / "plain.png", Image.new("RGB", (64, 64), "red"))))
    assert done.returncode == 0
    assert "only equal bytes and pixels" in done.stderr
    (tmp_path / "o.jsonl").write_text(done.stdout)
    read = load_optouts([tmp_path / "o.jsonl"])
    assert (len(read.pictures), len(read.pixels), len(read.near)) == (1, 1, 0)
