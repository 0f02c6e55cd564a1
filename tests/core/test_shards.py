"""Shards: the bytes themselves, and every reader that must be able to read them."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import shutil
import struct
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kyodaku import durable, shards
from kyodaku.durable import atomic_write, canonical_json, file_sha256, fsync_dir, write_bytes
from kyodaku.errors import DiskFullError, RecordError
from kyodaku.shards import (
    BLOCK,
    RECORD,
    RawTarAppender,
    TarWriter,
    iter_samples,
    iter_tar,
    member_name,
    neutralise_formula,
    read_member,
    write_parquet,
    write_stats,
)
from tests.tools import need_path

Samples = list[tuple[str, dict[str, bytes]]]

SAMPLES: Samples = [
    ("00ff", {"txt": b"a cat", "jpg": b"\xff\xd8" + bytes(600) + b"\xff\xd9", "json": b'{"key":"00ff"}'}),
    ("01", {"jpg": b"", "json": b"{}", "txt": "許諾".encode()}),
    ("a" * 32, {"jpg": bytes(512), "json": b"{}", "txt": b""}),
]

samples_strategy = st.lists(
    st.tuples(
        st.text("0123456789abcdef", min_size=1, max_size=40),
        st.dictionaries(st.sampled_from(["jpg", "json", "txt", "png"]), st.binary(max_size=1500), min_size=1),
    ),
    max_size=6,
    unique_by=lambda sample: sample[0],
)


def _tar(samples: Samples, mtime: int = 0) -> bytes:
    file = io.BytesIO()
    with TarWriter(file, mtime) as writer:
        for key, members in samples:
            writer.add(key, members)
    return file.getvalue()


def _write(path: Path, samples: Samples) -> Path:
    path.write_bytes(_tar(samples))
    return path


# --- the bytes


def test_a_member_header_byte_for_byte() -> None:
    content = _tar([("01", {"txt": b"hi"})], mtime=1_700_000_000)
    expected = (
        b"01.txt".ljust(100, b"\0")
        + b"0000644\x000000000\x000000000\x0000000000002\x0014524770400\x00"
        + b"006760\x00 0"
        + bytes(100)
        + b"ustar\x0000"
        + bytes(247)
    )
    assert content[:BLOCK] == expected
    assert content[BLOCK : 2 * BLOCK] == b"hi" + bytes(510)
    assert content[2 * BLOCK :] == bytes(RECORD - 2 * BLOCK)


def test_the_golden_tar() -> None:
    assert hashlib.sha256(_tar(SAMPLES)).hexdigest() == (
        "08e3b03d90390cb0626e5718dd5e389291fb898633e5b8c6b76c1c370447f711"
    )


def test_python_itself_would_write_the_same_bytes() -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for key, members in SAMPLES:
            for ext, content in sorted(members.items()):
                info = tarfile.TarInfo(f"{key}.{ext}")
                info.size, info.mtime = len(content), 7
                tar.addfile(info, io.BytesIO(content))
    assert _tar(SAMPLES, mtime=7) == file.getvalue()


@given(samples_strategy)
def test_every_span_finds_its_member(samples: Samples) -> None:
    file = io.BytesIO()
    with TarWriter(file) as writer:
        spans = {key: writer.add(key, members) for key, members in samples}
    content = file.getvalue()
    assert len(content) % RECORD == 0
    for key, members in samples:
        found = {span.ext: content[span.offset_data : span.offset_data + span.size] for span in spans[key]}
        assert found == members
        assert list(found) == sorted(members)
        assert all(span.key == key for span in spans[key])


# --- readers


@given(samples_strategy)
def test_tarfile_reads_it(samples: Samples) -> None:
    with tarfile.open(fileobj=io.BytesIO(_tar(samples))) as tar:
        infos = tar.getmembers()
        assert all(info.isreg() and info.mode == 0o644 and info.uid == info.gid == 0 for info in infos)
        read = {info.name: _extract(tar, info) for info in infos}
    assert read == {f"{key}.{ext}": content for key, members in samples for ext, content in members.items()}


def _extract(tar: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    file: IO[bytes] | None = tar.extractfile(info)
    assert file is not None
    return file.read()


@pytest.mark.skipif(shutil.which("tar") is None, reason="tar is not installed")
def test_gnu_tar_reads_it(tmp_path: Path) -> None:
    path = _write(tmp_path / "x.tar", SAMPLES)
    listed = subprocess.run(["tar", "-tf", path], capture_output=True, text=True, check=True)
    assert listed.stderr == ""
    assert listed.stdout.split() == [f"{key}.{ext}" for key, members in SAMPLES for ext in sorted(members)]
    subprocess.run(["tar", "-xf", path, "-C", tmp_path, "00ff.txt"], check=True)
    assert (tmp_path / "00ff.txt").read_bytes() == b"a cat"


# webdataset 1.0.2 leaves the file it reads to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_webdataset_reads_it(tmp_path: Path) -> None:
    import webdataset

    path = _write(tmp_path / "00000.tar", SAMPLES)
    read = list(webdataset.WebDataset(str(path), shardshuffle=False))
    assert [
        (sample["__key__"], {k: v for k, v in sample.items() if k[0] != "_"}) for sample in read
    ] == SAMPLES


@given(samples_strategy)
def test_our_own_reader_gives_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, samples: Samples
) -> None:
    path = _write(tmp_path_factory.mktemp("tar") / "x.tar", samples)
    assert list(iter_samples(path)) == samples
    for span in iter_tar(path):
        assert read_member(path, span.offset_data, span.size) == dict(samples)[span.key][span.ext]


# --- keys


@given(st.text(max_size=60), st.text(max_size=10))
def test_no_name_but_hex_dot_plain(key: str, ext: str) -> None:
    try:
        name = member_name(key, ext)
    except ValueError:
        return
    assert set(key) <= set("0123456789abcdef")
    assert ext.isascii()
    assert ext.isalnum()
    assert name.count(".") == 1


@pytest.mark.parametrize(
    ("key", "ext"),
    [
        ("", "jpg"),
        ("..", "jpg"),
        ("../00", "jpg"),
        ("/00", "jpg"),
        ("00/00", "jpg"),
        ("0.0", "jpg"),
        ("00\0", "jpg"),
        ("00\n", "jpg"),
        ("FF", "jpg"),
        ("猫", "jpg"),
        ("٠١", "jpg"),
        ("0" * 97, "jpg"),
        ("00", ""),
        ("00", "JPG"),
        ("00", "j/pg"),
        ("00", "jpg\n"),
        ("00", "tar.gz"),
    ],
)
def test_wrong_names_write_nothing(key: str, ext: str) -> None:
    file = io.BytesIO()
    with pytest.raises(ValueError, match="member name"):
        TarWriter(file).add(key, {ext: b""})
    assert file.getvalue() == b""


def test_a_key_comes_once_and_a_sample_is_not_empty() -> None:
    writer = TarWriter(io.BytesIO())
    writer.add("00", {"txt": b""})
    with pytest.raises(ValueError, match="twice"):
        writer.add("00", {"jpg": b""})
    with pytest.raises(ValueError, match="at least one"):
        writer.add("01", {})
    writer.close()
    writer.close()
    with pytest.raises(ValueError, match="closed"):
        writer.add("02", {"txt": b""})


def _add_one_and_fail(writer: TarWriter) -> None:
    writer.add("00", {"txt": b""})
    writer.add("../01", {"txt": b""})


def test_a_failed_block_does_not_end_the_tar() -> None:
    file = io.BytesIO()
    with pytest.raises(ValueError, match="member name"), TarWriter(file) as writer:
        _add_one_and_fail(writer)
    assert len(file.getvalue()) == BLOCK


# --- the strict reader


@given(st.data())
@settings(max_examples=60)
def test_one_flipped_byte_outside_the_contents_is_found(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(_tar(SAMPLES))
    path = tmp_path_factory.mktemp("tar") / "x.tar"
    path.write_bytes(content)
    inside = {at for span in iter_tar(path) for at in range(span.offset_data, span.offset_data + span.size)}
    at = data.draw(st.integers(0, len(content) - 1).filter(lambda at: at not in inside))
    content[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    # A flipped time is valid where the checksum was not: it is the checksum that tells.
    with pytest.raises(RecordError):
        list(iter_samples(path))


@pytest.mark.parametrize("length", [0, 100, BLOCK, 2 * BLOCK + 1, -1, -BLOCK, -RECORD])
def test_a_tar_cut_short_is_found(tmp_path: Path, length: int) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(_tar(SAMPLES)[:length])
    with pytest.raises(RecordError):
        list(iter_tar(path))


def test_bytes_after_the_end_are_found(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    for tail in (b"x", bytes(BLOCK), bytes(RECORD)):
        path.write_bytes(_tar(SAMPLES) + tail)
        with pytest.raises(RecordError):
            list(iter_tar(path))


def test_reading_beyond_the_file_is_found(tmp_path: Path) -> None:
    path = _write(tmp_path / "x.tar", SAMPLES)
    with pytest.raises(RecordError):
        read_member(path, path.stat().st_size - 1, 2)


# --- the appender


def _append_all(path: Path, samples: Samples) -> list[int]:
    appender = RawTarAppender(path)
    lengths = [appender.append(key, members).length for key, members in samples]
    appender.finish()
    return lengths


@given(samples=samples_strategy, cut=st.data())
def test_cut_and_resumed_equals_uninterrupted(
    tmp_path_factory: pytest.TempPathFactory, samples: Samples, cut: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("tar")
    path = folder / "killed.tar"
    lengths = [0, *_append_all(folder / "whole.tar", samples)]
    done = cut.draw(st.integers(0, len(samples)))
    garbage = cut.draw(st.binary(max_size=700))
    path.write_bytes((folder / "whole.tar").read_bytes()[: lengths[done]] + garbage)
    appender = RawTarAppender(path, lengths[done])
    assert path.stat().st_size == lengths[done]
    for key, members in samples[done:]:
        appender.append(key, members)
    appender.finish()
    assert path.read_bytes() == (folder / "whole.tar").read_bytes() == _tar(samples)


def test_the_appender_tells_where_everything_lies_while_growing(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    appender = RawTarAppender(path)
    for key, members in SAMPLES:
        length, spans = appender.append(key, members)
        assert length == appender.length == path.stat().st_size
        assert {span.ext: read_member(path, span.offset_data, span.size) for span in spans} == members
    appender.sync()
    assert list(iter_samples(path, length=appender.length)) == SAMPLES
    with pytest.raises(ValueError, match="twice"):
        appender.append("01", {"txt": b""})
    appender.close()
    resumed = RawTarAppender(path, appender.length)
    with pytest.raises(ValueError, match="twice"):
        resumed.append("01", {"txt": b""})
    resumed.close()


def test_finishing_twice_after_a_crash_gives_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    length = _append_all(path, SAMPLES)[-1]
    whole = path.read_bytes()
    RawTarAppender(path, length).finish()
    assert path.read_bytes() == whole


def test_a_recorded_length_that_cannot_be_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    with pytest.raises(RecordError, match="missing"):
        RawTarAppender(path, BLOCK)
    length = _append_all(path, SAMPLES)[-1]
    whole = path.read_bytes()
    for wrong in (1, BLOCK, length - 1, length + BLOCK, len(whole) + 1):
        with pytest.raises(RecordError):
            RawTarAppender(path, wrong)
        assert path.read_bytes() == whole


def test_a_full_disk_leaves_whole_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.tar"
    appender = RawTarAppender(path)
    appender.append(*SAMPLES[0])
    before = path.read_bytes()

    class Full:
        """Takes half a sample and then has no room: what a disk does."""

        def __init__(self, file: io.FileIO) -> None:
            self._file = file
            self._calls = 0

        def write(self, content: memoryview) -> int:
            self._calls += 1
            if self._calls > 1:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return self._file.write(content[: len(content) // 2])

        def __getattr__(self, name: str) -> object:
            return getattr(self._file, name)

    monkeypatch.setattr(appender, "_file", Full(appender._file))
    with pytest.raises(DiskFullError, match=r"x\.tar"):
        appender.append(*SAMPLES[1])
    assert path.read_bytes() == before
    monkeypatch.undo()
    for sample in SAMPLES[1:]:
        appender.append(*sample)
    appender.finish()
    assert path.read_bytes() == _tar(SAMPLES)


def test_a_real_full_device_is_a_disk_full_error() -> None:
    need_path("/dev/full", "Linux")
    with (
        pytest.raises(DiskFullError),
        durable.disk_full_as_error("/dev/full"),
        open("/dev/full", "wb", buffering=0) as file,
    ):
        file.write(b"x")


def test_a_member_too_large_for_ustar_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        shards._header("00.jpg", 8**11, 0)


# --- Parquet, stats, CSV


def _table() -> pa.Table:
    schema = pa.schema(
        [("uid", pa.string()), ("width", pa.int64()), ("tags", pa.list_(pa.string()))],
        metadata={"kyodaku.schema": "samples/1"},
    )
    rows = [{"uid": f"{i:032x}", "width": i, "tags": ["a", None] * (i % 3)} for i in range(500)]
    return pa.Table.from_pylist(rows, schema=schema)


def test_parquet_is_deterministic_and_keeps_its_schema(tmp_path: Path) -> None:
    table = _table()
    write_parquet(table, tmp_path / "a.parquet")
    chunked = pa.concat_tables([table.slice(0, 123), table.slice(123)])
    write_parquet(chunked, tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    read = pq.read_table(tmp_path / "a.parquet")
    assert read.equals(table)
    assert read.schema.metadata == {b"kyodaku.schema": b"samples/1"}
    metadata = pq.read_metadata(tmp_path / "a.parquet")
    assert metadata.row_group(0).column(0).compression == "ZSTD"


def test_parquet_metadata_is_written_in_one_order(tmp_path: Path) -> None:
    write_parquet(_table(), tmp_path / "a.parquet", metadata={"b": "2", "a": "1"})
    write_parquet(_table(), tmp_path / "b.parquet", metadata={"a": "1", "b": "2"})
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert pq.read_schema(tmp_path / "a.parquet").metadata == {b"a": b"1", b"b": b"2"}


def test_stats_byte_for_byte(tmp_path: Path) -> None:
    stats: Mapping[str, object] = {"successes": 1, "count": 2, "status_dict": {"é": 1}}
    write_stats(tmp_path / "s.json", stats)
    assert (tmp_path / "s.json").read_text(encoding="utf-8") == (
        '{\n  "count": 2,\n  "status_dict": {\n    "é": 1\n  },\n  "successes": 1\n}\n'
    )


@given(st.text())
def test_no_exported_text_starts_a_formula(text: str) -> None:
    safe = neutralise_formula(text)
    assert safe.removeprefix("'") == text.removeprefix("'")
    assert not safe.lstrip("\ufeff\x00 \t\r\n\xa0").startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
    assert not safe.startswith(("\t", "\r", "\n"))


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r=1", "\n@x", "＝1", "\ufeff=1", "\x00=1"]
)
def test_formulas_are_neutralised(text: str) -> None:
    assert neutralise_formula(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "a cat", "1-2", "a=b", "'=1", "許諾"])
def test_plain_texts_stay(text: str) -> None:
    assert neutralise_formula(text) == text


# --- durable


def test_atomic_write_replaces_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    write_bytes(path, b"old")
    with pytest.raises(ZeroDivisionError), atomic_write(path) as file:
        file.write(b"half" * (1 // 0))
    assert path.read_bytes() == b"old"
    with atomic_write(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file.json"]
    assert path.stat().st_mode & 0o777 == 0o644
    fsync_dir(tmp_path)
    assert file_sha256(path) == hashlib.sha256(b"new").hexdigest()


def test_atomic_write_maps_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(DiskFullError, match="no space left"), atomic_write(tmp_path / "x"):
        raise OSError(errno.ENOSPC, "no")
    with pytest.raises(PermissionError), atomic_write(tmp_path / "x"):
        raise PermissionError(errno.EACCES, "no")
    assert os.listdir(tmp_path) == []


def test_canonical_json_has_one_spelling() -> None:
    assert canonical_json({"b": [1, 2.5, None], "a": "é\n"}) == '{"a":"é\\n","b":[1,2.5,null]}'.encode()
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical_json(float("nan"))


def test_the_record_size_is_gnu_tars() -> None:
    assert struct.calcsize("512s") * 20 == RECORD == 10240
