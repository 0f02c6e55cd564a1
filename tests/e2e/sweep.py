"""Take a run folder apart, down to the last byte: every file, every member, every cell.

`sweep` yields each file's bytes as they lie on the disk and again decoded: gzip members, tar members,
Parquet cells, SQLite cells and pages, data: URIs. What is not found here is not in the run.
"""

from __future__ import annotations

import base64
import gzip
import io
import re
import sqlite3
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from PIL import Image, UnidentifiedImageError

_DATA_URI = re.compile(rb"data:image/[a-z+.-]+;base64,([A-Za-z0-9+/=\s]+)")


@dataclass(frozen=True)
class Blob:
    """Bytes found in a run, and where: `file` relative to the run, `inside` the way into it."""

    file: str
    inside: str
    data: bytes


def sweep(folder: Path) -> Iterator[Blob]:
    """Every blob of every regular file below `folder`."""
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        name = str(path.relative_to(folder))
        data = path.read_bytes()
        yield Blob(name, "", data)
        yield from _inside(name, path, data)


def _inside(name: str, path: Path, data: bytes) -> Iterator[Blob]:
    if name.endswith(".gz"):
        yield Blob(name, "gunzip", gzip.decompress(data))
    elif name.endswith(".tar"):
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            for member in tar:
                handle = tar.extractfile(member)
                yield Blob(name, member.name, handle.read() if handle else b"")
    elif name.endswith(".parquet"):
        for row_number, row in enumerate(pq.read_table(path).to_pylist()):
            yield Blob(name, f"row {row_number}", _flat(row))
    elif name.endswith(".sqlite"):
        yield from _sqlite(name, path)
    elif name.endswith(".html"):
        for number, match in enumerate(_DATA_URI.finditer(data)):
            yield Blob(name, f"data: URI {number}", base64.b64decode(match[1]))


def _sqlite(name: str, path: Path) -> Iterator[Blob]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        tables = [row[0] for row in db.execute("select name from sqlite_master where type = 'table'")]
        for table in tables:
            for number, row in enumerate(db.execute(f'select * from "{table}"')):
                for cell in row:
                    raw = cell if isinstance(cell, bytes) else str(cell).encode("utf-8", "replace")
                    yield Blob(name, f"{table} {number}", raw)
                    if isinstance(cell, bytes):
                        yield from _unpacked(name, f"{table} {number} unpacked", cell)


def _unpacked(name: str, inside: str, data: bytes) -> Iterator[Blob]:
    for unpack in (zlib.decompress, gzip.decompress):
        try:
            yield Blob(name, inside, unpack(data))
        except (zlib.error, OSError, EOFError):
            continue


def _flat(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, dict):
        return b"\n".join(_flat(item) for item in value.values())
    if isinstance(value, list | tuple):
        return b"\n".join(_flat(item) for item in value)
    return str(value).encode("utf-8", "replace")


def pictures(blobs: list[Blob]) -> Iterator[tuple[Blob, Image.Image]]:
    """Every blob that decodes as a raster image."""
    for blob in blobs:
        try:
            with Image.open(io.BytesIO(blob.data)) as opened:
                opened.load()
                yield blob, opened.convert("RGB")
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            continue
