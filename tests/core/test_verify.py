"""verify: one flipped byte anywhere fails, and a release that is whole but wrong fails for its own reason."""

from __future__ import annotations

import io
import json
import random
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from curation.stage import curate, release
from kyodaku.errors import RecordError
from kyodaku.release.keep import keep_list
from kyodaku.release.manifest import largest_of, list_files, read_manifest, write_manifest
from kyodaku.release.reader import open_release
from kyodaku.release.verify import VerifyReport, verify_release
from kyodaku.shards import TarWriter, iter_samples
from tests.curation.fixtures import Found, context, jpeg, make_run

Samples = list[tuple[str, dict[str, bytes]]]


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of seven samples in three shards. Do not change it."""
    run = make_run(tmp_path_factory.mktemp("whole"), [Found(f"p{n}", jpeg(n)) for n in range(7)])
    curate(context(run))
    release(context(run))
    return run.release()


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "v1"))


def failed(report: VerifyReport) -> set[str]:
    assert report.ok == (not [row for row in report.rows if row.status == "fail"])
    return {row.check for row in report.rows if row.status == "fail"}


def remanifest(folder: Path, **changes: Any) -> None:
    """What somebody would do who changes a release and its manifest together."""
    manifest = replace(read_manifest(folder), **changes)
    write_manifest(folder, replace(manifest, files=list_files(folder)))


def retar(folder: Path, change: Callable[[Samples], Samples]) -> None:
    """Rewrite the first shard with other samples."""
    tar = folder / "00000.tar"
    samples = change(list(iter_samples(tar)))
    with open(tar, "wb") as file, TarWriter(file) as writer:
        for key, members in samples:
            writer.add(key, members)
    remanifest(folder)


def test_a_whole_release_is_ok(whole: Path) -> None:
    report = verify_release(whole, workers=3)
    assert failed(report) == set()
    assert report.samples == 7
    statuses = {row.check: row.status for row in report.rows}
    assert statuses["reader: webdataset"] == statuses["reader: open_clip"] == "ok"
    assert statuses["reader: diffusers (pwatermark)"] == "ok"
    json.dumps(asdict(report))
    console = Console(file=io.StringIO(), width=120)
    console.print(report.render())
    assert "as it should be" in console.file.getvalue()  # type: ignore[attr-defined]


def test_one_flipped_byte_fails(copy: Path) -> None:
    """Any bit of any byte of any file; positions are drawn anew from a fixed seed, more in larger files."""
    rng = random.Random(20261121)
    for path in sorted(copy.iterdir()):
        content = path.read_bytes()
        for _ in range(8):
            position = rng.randrange(len(content))
            flipped = bytearray(content)
            flipped[position] ^= 1 << rng.randrange(8)
            path.write_bytes(flipped)
            assert not verify_release(copy).ok, f"{path.name} byte {position}"
        path.write_bytes(content)
    assert verify_release(copy).ok


def test_a_cut_a_missing_a_foreign_and_a_linked_file_fail(copy: Path, tmp_path: Path) -> None:
    tar = copy / "00001.tar"
    content = tar.read_bytes()
    tar.write_bytes(content[:-512])
    assert failed(verify_release(copy)) == {"file digests"}
    tar.unlink()
    assert failed(verify_release(copy)) == {"files"}
    (tmp_path / "elsewhere.tar").write_bytes(content)
    tar.symlink_to(tmp_path / "elsewhere.tar")
    assert failed(verify_release(copy)) == {"files"}
    tar.unlink()
    tar.write_bytes(content)
    (copy / "extra.txt").write_text("hello")
    assert failed(verify_release(copy)) == {"files"}
    (copy / "extra.txt").unlink()
    assert verify_release(copy).ok


def test_no_manifest_is_no_release(tmp_path: Path) -> None:
    assert failed(verify_release(tmp_path)) == {"manifest"}
    (tmp_path / "manifest.json").write_text("[]")
    assert failed(verify_release(tmp_path)) == {"manifest"}


def swap_pictures(samples: Samples) -> Samples:
    (a, one), (b, two), *rest = samples
    return [(a, {**one, "jpg": two["jpg"]}), (b, {**two, "jpg": one["jpg"]}), *rest]


def drop_txt(samples: Samples) -> Samples:
    return [(key, {ext: body for ext, body in members.items() if ext != "txt"}) for key, members in samples]


def edit_json(samples: Samples) -> Samples:
    (key, members), *rest = samples
    changed = json.dumps({**json.loads(members["json"]), "licence": "by-4.0"})
    return [(key, {**members, "json": changed.encode()}), *rest]


def edit_caption(samples: Samples) -> Samples:
    (key, members), *rest = samples
    return [(key, {**members, "txt": b"something else"}), *rest]


def rename_key(samples: Samples) -> Samples:
    (_, members), *rest = samples
    return [("abc", members), *rest]


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (swap_pictures, "picture digests"),
        (drop_txt, "members"),
        (edit_json, "json"),
        (edit_caption, "captions"),
        (rename_key, "keys"),
        (lambda samples: samples[::-1], "keys"),
        (lambda samples: samples[1:], "Parquet rows"),
    ],
)
def test_a_changed_shard_with_a_new_manifest_fails(
    copy: Path, change: Callable[[Samples], Samples], check: str
) -> None:
    retar(copy, change)
    assert check in failed(verify_release(copy))


def pax(tar: tarfile.TarFile, name: str, body: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(body)
    tar.addfile(info, io.BytesIO(body))


@pytest.mark.parametrize(
    "name", ["../{key}.jpg", "/{key}.jpg", "写真{key}.jpg", "{key}.JPG", "x" * 120 + ".jpg"]
)
def test_tars_of_other_hands_fail(copy: Path, name: str) -> None:
    samples = list(iter_samples(copy / "00000.tar"))
    with tarfile.open(copy / "00000.tar", "w", format=tarfile.PAX_FORMAT) as tar:
        for key, members in samples:
            for ext, body in members.items():
                pax(tar, name.format(key=key) if ext == "jpg" else f"{key}.{ext}", body)
    remanifest(copy)
    assert "tar format" in failed(verify_release(copy))


def edit_sizes(folder: Path) -> None:
    (folder / "sizes.json").write_text('{"00000.tar": 99}')


def edit_keep(folder: Path) -> None:
    np.save(folder / "keep.npy", keep_list(["0" * 32]))


def edit_index(folder: Path) -> None:
    table = pq.read_table(folder / "index.parquet")
    pq.write_table(table.slice(1), folder / "index.parquet")


def edit_credit(folder: Path) -> None:
    table = pq.read_table(folder / "attribution.parquet")
    column = ["Nobody"] * table.num_rows
    pq.write_table(
        table.set_column(table.schema.get_field_index("creator"), "creator", [column]).cast(table.schema),
        folder / "attribution.parquet",
    )


def unstamp(folder: Path) -> None:
    card = folder / "README.md"
    card.write_text(card.read_text().replace("local_network", "network"))


@pytest.mark.parametrize("change", [edit_sizes, edit_keep, edit_index, edit_credit, unstamp])
def test_indexes_must_agree_with_the_shards(copy: Path, change: Callable[[Path], None]) -> None:
    change(copy)
    remanifest(copy)
    assert failed(verify_release(copy)) == {"indexes"}


def test_the_largest_picture_is_told_and_checked(copy: Path) -> None:
    largest = read_manifest(copy).largest
    assert largest == {"width": 320, "height": 280, "pixels": 320 * 280}
    assert "No picture is wider than 320 or higher than 280 pixels" in (copy / "README.md").read_text()
    assert "none has more than 89,600 of them" in (copy / "README.md").read_text()
    remanifest(copy, largest={**largest, "pixels": 1})
    assert failed(verify_release(copy)) == {"indexes"}


def test_the_largest_of_several() -> None:
    assert largest_of([(10, 3), (4, 9)]) == {"width": 10, "height": 9, "pixels": 36}
    assert largest_of([]) == {"width": 0, "height": 0, "pixels": 0}


def test_stats_must_have_img2dataset_s_fields(copy: Path) -> None:
    path = copy / "00000_stats.json"
    stats = json.loads(path.read_text())
    path.write_text(json.dumps({name: value for name, value in stats.items() if name != "status_dict"}))
    remanifest(copy)
    assert "stats" in failed(verify_release(copy))


@pytest.mark.parametrize(("value", "status"), [(0.02, "ok"), (0.0, "fail"), (None, "fail")])
def test_pwatermark_as_diffusers_reads_it(copy: Path, value: float | None, status: str) -> None:
    def mark(samples: Samples) -> Samples:
        return [
            (
                key,
                {
                    **members,
                    "json": json.dumps({**json.loads(members["json"]), "pwatermark": value}).encode(),
                },
            )
            for key, members in samples
        ]

    retar(copy, mark)
    rows = {row.check: row.status for row in verify_release(copy).rows}
    assert rows["reader: diffusers (pwatermark)"] == status


def test_samples_that_no_detector_looked_at_have_no_pwatermark(copy: Path) -> None:
    left: list[str] = []

    def without(samples: Samples) -> Samples:
        changed = []
        for key, members in samples:
            told = json.loads(members["json"])
            if key not in left:
                told.pop("pwatermark")
            changed.append((key, {**members, "json": json.dumps(told).encode()}))
        return changed

    left.append(next(iter(iter_samples(copy / "00000.tar")))[0])
    retar(copy, without)
    row = next(row for row in verify_release(copy).rows if row.check == "reader: diffusers (pwatermark)")
    assert (row.status, row.detail) == ("ok", "2 samples have none and would be left out")


def test_a_sample_hashes_only_some_pictures(copy: Path) -> None:
    uids = sorted(pq.read_table(copy / "index.parquet")["uid"].to_pylist(), key=lambda uid: uid[::-1])
    for uid, found in ((uids[0], True), (uids[-1], False)):
        for path in sorted(copy.glob("*.parquet")):
            if path.stem.isdigit():
                rows = {row["uid"]: row for row in pq.read_table(path).to_pylist()}
                if uid in rows:
                    tar, row = path.with_suffix(".tar"), rows[uid]
        content = tar.read_bytes()
        position = row["offset"] + row["bytes"] // 2
        tar.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
        assert verify_release(copy, sample=2).ok is not found
        assert not verify_release(copy).ok
        tar.write_bytes(content)


def test_verifying_loads_no_decoder_and_no_framework(whole: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from kyodaku.release.verify import verify_release\n"
        f"assert verify_release(Path({str(whole)!r})).ok\n"
        "bad = {'PIL', 'torch', 'datatrove', 'webdataset', 'scrapy', 'lxml'} & set(sys.modules)\n"
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_reader_opens_only_shards_that_are_there(copy: Path) -> None:
    assert len(list(open_release(copy))) == 7
    (copy / "00001.tar").unlink()
    with pytest.raises(RecordError, match="00001"):
        open_release(copy)
    manifest = read_manifest(copy)
    entry = manifest.files["00000.tar"]
    write_manifest(copy, replace(manifest, files={"pipe:touch pwned .tar": entry}))
    with pytest.raises(RecordError, match="pipe"):
        open_release(copy)
