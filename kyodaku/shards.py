"""Shards: deterministic tar files, and the Parquet and JSON beside them.

Own code, because the bytes are the contract: the same samples give the same file on every machine,
every member's offset is known while writing, and a tar that is still growing can be cut back to a
recorded length and go on. The format is POSIX ustar (IEEE Std 1003.1, `pax`, "ustar Interchange
Format"), regular files only.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple, Self

import pyarrow as pa
import pyarrow.parquet as pq

from kyodaku.durable import atomic_write, disk_full_as_error, fsync_dir
from kyodaku.errors import RecordError

BLOCK = 512
RECORD = 20 * BLOCK  # GNU tar's blocking factor: a finished tar is a multiple of this
MAX_MEMBER = 8**11 - 1  # what eleven octal digits hold

_KEY = re.compile(r"[0-9a-f]+", re.ASCII)
_EXT = re.compile(r"[a-z0-9]+", re.ASCII)
_MAX_NAME = 100
_END = bytes(2 * BLOCK)


class MemberSpan(NamedTuple):
    """One member of a tar: its name, where its bytes start in the file, and how many they are."""

    name: str
    offset_data: int
    size: int

    @property
    def key(self) -> str:
        """The sample's key: the name up to the first dot."""
        return self.name.partition(".")[0]

    @property
    def ext(self) -> str:
        """The member's extension, without the dot."""
        return self.name.partition(".")[2]


class Appended(NamedTuple):
    """What `RawTarAppender.append` did: the tar's new length and the members it wrote."""

    length: int
    spans: list[MemberSpan]


# --- writing --------------------------------------------------------------------------------------


def member_name(key: str, ext: str) -> str:
    """`key.ext`, the only kind of name our tars hold.

    Raises ValueError unless the key is lower-case hex and the extension lower-case letters and digits,
    and the whole at most 100 characters: then no reader can be led outside its folder.
    """
    name = f"{key}.{ext}"
    if not _KEY.fullmatch(key) or not _EXT.fullmatch(ext) or len(name) > _MAX_NAME:
        raise ValueError(f"not a member name of a shard: {name[:200]!r}")
    return name


def _header(name: str, size: int, mtime: int) -> bytes:
    """The ustar header block of a regular file, owner and group 0, mode 0644."""
    if not 0 <= size <= MAX_MEMBER:
        raise ValueError(f"{name}: {size} bytes do not fit in a tar member")
    fields = b"".join(
        (
            name.encode("ascii").ljust(100, b"\0"),
            b"0000644\0",
            b"0000000\0",  # uid
            b"0000000\0",  # gid
            b"%011o\0" % size,
            b"%011o\0" % mtime,
            b" " * 8,  # the checksum counts itself as spaces
            b"0",  # regular file
            bytes(100),
            b"ustar\x0000",
            bytes(64 + 16 + 155 + 12),  # user and group names, device, prefix
        )
    )
    return fields[:148] + b"%06o\0 " % sum(fields) + fields[156:]


def _sample(
    key: str, members: Mapping[str, bytes], mtime: int, offset: int
) -> tuple[list[bytes], list[MemberSpan]]:
    """The blocks of one sample that starts at `offset`, members in the order of their extensions."""
    if not members:
        raise ValueError(f"{key}: a sample has at least one member")
    chunks: list[bytes] = []
    spans: list[MemberSpan] = []
    for ext, content in sorted(members.items()):
        name = member_name(key, ext)
        spans.append(MemberSpan(name, offset + BLOCK, len(content)))
        padding = -len(content) % BLOCK
        chunks += [_header(name, len(content), mtime), content, bytes(padding)]
        offset += BLOCK + len(content) + padding
    return chunks, spans


def _end(length: int) -> bytes:
    """What finishes a tar of `length` bytes: two zero blocks, filled up to a whole record."""
    return _END + bytes(-(length + len(_END)) % RECORD)


class TarWriter:
    """Writes a whole tar to a binary file object; `close` (or leaving the block well) ends it.

    `mtime` is Unix time in whole seconds, the same for every member. The file object stays open.
    """

    def __init__(self, file: BinaryIO, mtime: int = 0) -> None:
        self._file = file
        self._mtime = mtime
        self._keys: set[str] = set()
        self._closed = False
        self.length = 0

    def add(self, key: str, members: Mapping[str, bytes]) -> list[MemberSpan]:
        """Write one sample, {extension: bytes}, and tell where its members lie.

        Members are ordered by extension whatever the mapping's order. Raises ValueError for a key or
        extension that `member_name` refuses, for a key written before, and after `close`.
        """
        if self._closed or key in self._keys:
            raise ValueError(f"{key[:200]!r}: " + ("the tar is closed" if self._closed else "key used twice"))
        chunks, spans = _sample(key, members, self._mtime, self.length)
        self._file.write(b"".join(chunks))
        self._keys.add(key)
        self.length += sum(map(len, chunks))
        return spans

    def close(self) -> None:
        """Write the end of the tar. Does nothing the second time."""
        if not self._closed:
            self._closed = True
            self._file.write(_end(self.length))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()


class RawTarAppender:
    """A tar that grows over many runs of a process, without its end until `finish`.

    The caller records `length` in its own transaction; opening cuts the file back to the recorded
    length, so that whatever a killed process wrote after its last transaction is gone. Cut and
    resumed, the finished file is byte for byte an uninterrupted `TarWriter`'s.
    """

    def __init__(self, path: Path | str, length: int = 0, mtime: int = 0) -> None:
        """Open `path` (created if `length` is 0) and cut it to `length` bytes.

        Raises RecordError if the file is shorter, or if `length` is not a member boundary of our tars.
        """
        self.path = Path(path)
        self._mtime = mtime
        created = not self.path.exists()
        if created and length:
            raise RecordError(f"{self.path}: missing, {length} bytes were recorded")
        self._keys = set() if created else {span.key for span in iter_tar(self.path, length=length)}
        self._file = open(self.path, "wb" if created else "r+b", buffering=0)  # noqa: SIM115 - held open
        self._file.truncate(length)
        self._file.seek(length)
        self.length = length
        if created:
            fsync_dir(self.path.parent)

    def append(self, key: str, members: Mapping[str, bytes]) -> Appended:
        """Write one sample and hand it to the operating system; `sync` makes it durable.

        Raises ValueError as `TarWriter.add` does, and DiskFullError, after which the file is cut back
        to what it was.
        """
        if key in self._keys:
            raise ValueError(f"{key[:200]!r}: key used twice")
        chunks, spans = _sample(key, members, self._mtime, self.length)
        self._write(b"".join(chunks))
        self._keys.add(key)
        return Appended(self.length, spans)

    def sync(self) -> None:
        """Make everything appended so far survive a power cut: call it before recording `length`."""
        with disk_full_as_error(self.path):
            os.fsync(self._file.fileno())

    def fileno(self) -> int:
        """The descriptor of the open file, for a caller that starts write-back early."""
        return self._file.fileno()

    def finish(self) -> None:
        """Write the end of the tar, make it durable and close. `length` stays that of the samples."""
        length = self.length
        self._write(_end(length))
        self.length = length
        self.sync()
        self.close()

    def close(self) -> None:
        """Close without finishing; open again with `length` to go on."""
        self._file.close()

    def _write(self, content: bytes) -> None:
        view = memoryview(content)
        written = 0
        try:
            with disk_full_as_error(self.path):
                while written < len(view):
                    written += self._file.write(view[written:])
        except BaseException:
            self._file.truncate(self.length)
            self._file.seek(self.length)
            raise
        self.length += len(view)


# --- reading --------------------------------------------------------------------------------------


def iter_tar(path: Path | str, *, length: int | None = None) -> Iterator[MemberSpan]:
    """The members of one of our tars, in order, without reading their bytes.

    Strict: every header must be exactly the one we would write and all padding zero, so nothing can
    hide between members. With `length` only the first `length` bytes are read and no end is expected
    (a tar that is still growing). Raises RecordError.
    """
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        end = size if length is None else length
        if end > size:
            raise RecordError(f"{path}: {size} bytes, {end} were recorded")
        offset = 0
        while offset < end:
            file.seek(offset)
            block = file.read(BLOCK)
            if block == bytes(BLOCK) and length is None:
                _check_end(path, file, offset, size)
                return
            span = _span(path, block, offset)
            offset = _skip_padding(path, file, span)
            if offset > end:
                break
            yield span
        if length is None or offset != end:
            raise RecordError(f"{path}: ends in the middle of a member or without its end blocks")


def iter_samples(path: Path | str, *, length: int | None = None) -> Iterator[tuple[str, dict[str, bytes]]]:
    """The samples of one of our tars, in order: key and {extension: bytes}. Raises RecordError."""
    key = ""
    members: dict[str, bytes] = {}
    with open(path, "rb") as file:
        for span in iter_tar(path, length=length):
            if span.key != key and members:
                yield key, members
                members = {}
            key = span.key
            file.seek(span.offset_data)
            members[span.ext] = file.read(span.size)
    if members:
        yield key, members


def read_member(path: Path | str, offset: int, size: int) -> bytes:
    """`size` bytes at `offset` of a tar, as a Parquet row beside it gives them. Raises RecordError."""
    with open(path, "rb") as file:
        file.seek(offset)
        content = file.read(size)
    if len(content) != size:
        raise RecordError(f"{path}: {len(content)} bytes at {offset}, {size} were recorded")
    return content


def _span(path: Path | str, block: bytes, offset: int) -> MemberSpan:
    try:
        name = block[:100].rstrip(b"\0").decode("ascii")
        key, _, ext = name.partition(".")
        span = MemberSpan(member_name(key, ext), offset + BLOCK, int(block[124:135], 8))
        expected = _header(name, span.size, int(block[136:147], 8))
    except ValueError as error:
        raise RecordError(f"{path}: no member header of ours at byte {offset}") from error
    if block != expected:
        raise RecordError(f"{path}: member header at byte {offset} is not as we write it")
    return span


def _skip_padding(path: Path | str, file: BinaryIO, span: MemberSpan) -> int:
    """The offset after the member and its padding, which must be there and zero."""
    stop = span.offset_data + span.size
    padding = -span.size % BLOCK
    if span.size:
        file.seek(stop - 1)
        if len(file.read(1)) != 1:
            raise RecordError(f"{path}: {span.name} is cut short")
    if file.read(padding) != bytes(padding):
        raise RecordError(f"{path}: {span.name} is not padded with zeros")
    return stop + padding


def _check_end(path: Path | str, file: BinaryIO, offset: int, size: int) -> None:
    file.seek(offset)
    if size - offset > 2 * RECORD or file.read() != _end(offset):
        raise RecordError(f"{path}: the tar does not end as we write it")


# --- beside the tar -------------------------------------------------------------------------------


def write_parquet(table: pa.Table, path: Path | str, *, metadata: Mapping[str, str] | None = None) -> None:
    """Write `table` atomically and deterministically: the same table gives the same bytes.

    `metadata` replaces the schema's key-value metadata (the schema version belongs there); by default
    the schema keeps its own. zstd, one fixed row-group size, no times. Raises DiskFullError.
    """
    if metadata is not None:
        table = table.replace_schema_metadata(dict(sorted(metadata.items())))
    with atomic_write(path) as file:
        pq.write_table(
            table.combine_chunks(),
            file,
            version="2.6",
            compression="zstd",
            compression_level=3,
            row_group_size=65_536,
            data_page_version="1.0",
            write_statistics=True,
            store_schema=True,
        )


def write_stats(path: Path | str, stats: Mapping[str, Any]) -> None:
    """Write a `_stats.json` (done-marker) atomically: sorted keys, two spaces, a final newline."""
    text = json.dumps(stats, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    with atomic_write(path) as file:
        file.write(text.encode("utf-8") + b"\n")


_FORMULA_SIGNS = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")


def neutralise_formula(text: str) -> str:
    """`text` made safe for a spreadsheet: a leading ' if it could be read as a formula.

    Looks through leading spaces and invisible characters, as spreadsheets do, and at the full-width
    signs that some of them accept. For tables that people open; a sample's json and txt stay verbatim.
    """
    visible = next((letter for letter in text if letter.isprintable() and not letter.isspace()), "")
    return f"'{text}" if visible in _FORMULA_SIGNS or text.startswith(("\t", "\r", "\n")) else text
