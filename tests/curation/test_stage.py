"""Curate and release as a whole: the same facts give the same bytes; done work is not done again."""

from __future__ import annotations

import gc
import io
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import webdataset
from PIL import Image

from curation.stage import curate, release
from kyodaku.errors import RecordError, RunStateError
from kyodaku.release.reader import open_release
from kyodaku.runs import RunFolder
from tests.curation.conftest import tree
from tests.curation.fixtures import NOAI, Found, context, encoded, jpeg, make_run, picture, recipe


def test_two_packs_of_the_same_facts_are_byte_identical(
    tmp_path: Path, nine: list[Found], released: RunFolder
) -> None:
    """In another folder, with more workers, and with raw shards in another order."""
    other = make_run(tmp_path, nine)
    curate(context(other, workers=2))
    release(context(other, workers=2))
    assert tree(other.release()) == tree(released.release())


def test_crawl_order_does_not_show(tmp_path: Path, nine: list[Found], released: RunFolder) -> None:
    times = {item.name: {"fetched_at": 1_790_000_000.0 + number} for number, item in enumerate(nine)}
    texts = {item.name: f"a picture of number {number} in the museum" for number, item in enumerate(nine)}
    creators = {item.name: "Hokusai" if number % 2 else "" for number, item in enumerate(nine)}
    shuffled = [
        Found(
            item.name,
            item.body,
            alt=texts[item.name],
            changes={**times[item.name], "schema_creator": creators[item.name]},
        )
        for item in reversed(nine)
    ]
    other = make_run(tmp_path, shuffled)
    curate(context(other))
    release(context(other))
    ours, theirs = tree(released.release()), tree(other.release())
    assert ours == theirs


def test_a_second_run_changes_nothing_and_computes_nothing(tmp_path: Path, nine: list[Found]) -> None:
    run = make_run(tmp_path, [*nine[:4], Found("no", jpeg(50), signals=(NOAI,))])
    curate(context(run))
    release(context(run))
    before = {path: path.stat().st_mtime_ns for path in run.path.rglob("*") if path.is_file()}
    curate(context(run))
    release(context(run))
    after = {path: path.stat().st_mtime_ns for path in run.path.rglob("*") if path.is_file()}
    changed = {path.name for path in before if before[path] != after[path]}
    assert changed <= {"report.html"}
    assert set(after) == set(before)
    assert not (run.path / "release" / "v2").exists()


def test_a_changed_filter_recomputes_and_makes_a_new_version(tmp_path: Path, nine: list[Found]) -> None:
    small = Found("small", jpeg(60, 200, 180))
    run = make_run(tmp_path, [*nine[:3], small])
    curate(context(run))
    release(context(run))
    first = tree(run.release("v1"))
    annotated = (run.annotations / "00000.parquet").stat().st_mtime_ns
    stricter = recipe(filters={"resolution": {"min_side": 256, "max_aspect": 4.0}})
    assert curate(context(run, stricter)).counts["filtered"] == 1
    release(context(run, stricter))
    assert (run.annotations / "00000.parquet").stat().st_mtime_ns == annotated
    assert tree(run.release("v1")) == first
    assert {sample["__key__"] for sample in open_release(run.release("v2"))} == {i.uid for i in nine[:3]}


@pytest.mark.filterwarnings(
    "ignore:Exception ignored"
)  # webdataset leaves the shards it opens to the collector
def test_webdataset_reads_the_shards(released: RunFolder, nine: list[Found]) -> None:
    tars = [str(path) for path in sorted(released.release().glob("*.tar"))]
    samples = list(webdataset.WebDataset(tars, shardshuffle=False).decode("pil"))
    gc.collect()
    assert {sample["__key__"] for sample in samples} == {item.uid for item in nine}
    for sample in samples:
        assert sample["jpg"].size == (sample["json"]["width"], sample["json"]["height"]) == (320, 280)
        assert sample["txt"] == sample["json"]["caption"]
        assert sample["json"]["uid"] == sample["__key__"]


def test_the_reader_skips_what_was_withdrawn(released: RunFolder, nine: list[Found]) -> None:
    gone = nine[0].uid
    keys = [sample["__key__"] for sample in open_release(released.release(), images="", skip={gone})]
    assert len(keys) == 8
    assert gone not in keys


def test_a_jpeg_keeps_its_pixels_and_loses_its_place(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (35.0, 39.0, 31.0), 3: "E", 4: (139.0, 44.0, 43.0)})
    exif[0x8298] = "CC0 Somebody"
    body = jpeg(7, exif=exif)
    run = make_run(tmp_path, [Found("gps", body)])
    curate(context(run))
    assert pq.read_table(run.annotations / "00000.parquet")["has_gps"].to_pylist() == [True]
    release(context(run))
    with tarfile.open(run.release() / "00000.tar") as tar:
        member = tar.extractfile(tar.getmembers()[0])
        assert member is not None
        content = member.read()
    ours, theirs = Image.open(io.BytesIO(content)), Image.open(io.BytesIO(body))
    assert (np.asarray(ours) == np.asarray(theirs)).all()
    assert not ours.getexif().get_ifd(0x8825)
    assert Image.open(io.BytesIO(body)).getexif().get_ifd(0x8825)


def test_other_formats_become_jpeg_and_max_side_resizes(tmp_path: Path) -> None:
    run = make_run(tmp_path, [Found("png", encoded(picture(3, 300, 200), "PNG"))])
    using = recipe(shards={"max_side": 150})
    curate(context(run, using))
    release(context(run, using))
    (sample,) = open_release(run.release())
    assert sample["jpg"].size == (150, 100)
    assert (sample["json"]["original_width"], sample["json"]["original_height"]) == (300, 200)


def test_no_text_is_no_sample_unless_the_recipe_says_so(tmp_path: Path, nine: list[Found]) -> None:
    run = make_run(tmp_path, [nine[0], Found("mute", jpeg(70), alt="IMG_1234.jpg")])
    assert curate(context(run)).counts["filtered"] == 1
    assert curate(context(run)).counts["filtered"] == 1
    relaxed = recipe(captions={"required": False})
    assert curate(context(run, relaxed)).counts["released"] == 2
    release(context(run, relaxed))
    texts = {sample["__key__"]: sample["txt"] for sample in open_release(run.release())}
    assert texts[Found("mute", jpeg(70)).uid] == ""


def test_a_copy_lends_its_page_s_words(tmp_path: Path) -> None:
    body = jpeg(4)
    first = Found("one", body, alt="IMG_1234", changes={"fetched_at": 5.0})
    second = Found("two", body, alt="Mount Fuji in clear weather", changes={"fetched_at": 6.0})
    run = make_run(tmp_path, [first, second])
    curate(context(run))
    (row,) = pq.read_table(run.captions / "00000.parquet").to_pylist()
    assert (row["text"], row["candidate_id"]) == ("Mount Fuji in clear weather", second.candidate_id)


def test_a_broken_picture_ends_as_failed(tmp_path: Path, nine: list[Found]) -> None:
    run = make_run(tmp_path, [nine[0], Found("broken", jpeg(80)[:900])])
    counts = curate(context(run)).counts
    assert counts["failed"] == 1
    assert counts["released"] == 1


def test_nothing_is_decided_on_facts_that_cannot_be_read(tmp_path: Path, nine: list[Found]) -> None:
    run = make_run(tmp_path, nine[:1])
    path = run.candidates / "00000.parquet"
    table = pq.read_table(path)
    column = table.column("failure").to_pylist()
    column[0] = "a_reason_of_tomorrow"
    index = table.schema.get_field_index("failure")
    pq.write_table(table.set_column(index, table.schema.field("failure"), [column]), path)
    with pytest.raises(RecordError, match="a_reason_of_tomorrow"):
        curate(context(run))


def test_local_facts_need_the_stamp(tmp_path: Path, nine: list[Found]) -> None:
    from kyodaku.signals.model import Hop

    hops = (Hop("https://museum.example/p0.jpg", 200, "127.0.0.1"),)
    run = make_run(tmp_path, [Found("p0", jpeg(0), changes={"hops": hops})])
    curate(context(run))
    public = recipe(
        network={"host_table": ""}, operator={"contact": "https://a.example/bot"}, politeness={"delay": "1 s"}
    )
    with pytest.raises(RunStateError, match="local_network"):
        release(context(run, public))


def test_release_needs_curate_and_curate_needs_a_crawl(tmp_path: Path, nine: list[Found]) -> None:
    run = make_run(tmp_path, nine[:2])
    with pytest.raises(RunStateError, match="curate"):
        release(context(run))
    for path in run.candidates.iterdir():
        path.unlink()
    with pytest.raises(RunStateError, match="crawl"):
        curate(context(run))


def test_asking_what_is_to_be_done_loads_no_torch() -> None:
    code = (
        "import sys, curation.stage; from curation.annotators.registry import annotators;"
        "from kyodaku.recipe import Annotators; annotators(Annotators()); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
