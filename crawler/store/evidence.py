"""evidence/NNNNN.warc.gz: what hosts said, kept as WARC records (ISO 28500), one gzip member each.

Host files with their bodies, where these are text; of pages and images that refused or held only the
response headers. Never pixels, never page bodies.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from kyodaku.durable import disk_full_as_error, fsync_dir
from kyodaku.errors import RecordError
from kyodaku.signals.model import Headers

#: A new file is begun after this many bytes.
FILE_BYTES = 512 * 1024 * 1024


class WarcPlace(NamedTuple):
    """Where a record lies: the file's name and the offset of its gzip member."""

    file: str
    offset: int


class EvidenceWriter:
    """Appends records to the newest WARC file of a run.

    The caller records `name` and `length` in its own transaction; opening cuts the file to the length
    that was recorded.
    """

    def __init__(self, folder: Path, number: int, length: int, clock: Callable[[], float]) -> None:
        """Open (or create) file `number` and cut it. Raises RecordError if it is shorter than recorded."""
        self._folder = folder
        self._clock = clock
        folder.mkdir(parents=True, exist_ok=True)
        self._open(number, length)

    @property
    def name(self) -> str:
        """The file's name inside the run's evidence folder."""
        return f"{self.number:05d}.warc.gz"

    def write(self, url: str, status: int, headers: Headers, body: bytes, *, at: float, ip: str) -> WarcPlace:
        """Append one response record. `at` is Unix time. Raises DiskFullError; the file stays whole."""
        if self.length >= FILE_BYTES:
            self.sync()
            self._file.close()
            self._open(self.number + 1, 0)
        place = WarcPlace(self.name, self.length)
        content = self._record(url, status, headers, body, at, ip)
        try:
            with disk_full_as_error(self._folder / self.name):
                view = memoryview(content)
                while view:
                    view = view[self._file.write(view) :]
        except BaseException:
            self._file.truncate(self.length)
            self._file.seek(self.length)
            raise
        self.length += len(content)
        self._dirty = True
        return place

    def sync(self) -> None:
        """Make everything written so far survive a power cut."""
        if self._dirty:
            with disk_full_as_error(self._folder / self.name):
                os.fsync(self._file.fileno())
            self._dirty = False

    def close(self) -> None:
        """Close the file; it needs no ending."""
        self._file.close()

    def _open(self, number: int, length: int) -> None:
        self.number = number
        path = self._folder / self.name
        created = not path.exists()
        if (not created and path.stat().st_size < length) or (created and length):
            raise RecordError(f"{path}: shorter than the {length} bytes that were recorded")
        self._file = open(path, "wb" if created else "r+b", buffering=0)  # noqa: SIM115 - held open
        self._file.truncate(length)
        self._file.seek(length)
        self.length = length
        self._dirty = False
        if created:
            fsync_dir(self._folder)
        if length == 0:
            self._begin()

    def _begin(self) -> None:
        buffer = io.BytesIO()
        writer = WARCWriter(buffer, gzip=True)
        info = {"software": "kyodaku", "format": "WARC File Format 1.1"}
        record = writer.create_warcinfo_record(self.name, info)
        record.rec_headers.replace_header("WARC-Date", _date(self._clock()))
        writer.write_record(record)
        self.length += self._file.write(buffer.getvalue())
        self._dirty = True

    def _record(self, url: str, status: int, headers: Headers, body: bytes, at: float, ip: str) -> bytes:
        buffer = io.BytesIO()
        writer = WARCWriter(buffer, gzip=True)
        block = StatusAndHeaders(
            str(status), [(name, _one_line(value)) for name, value in headers], "HTTP/1.1"
        )
        extra = {"WARC-Date": _date(at)}
        if ip:
            extra["WARC-IP-Address"] = ip
        record = writer.create_warc_record(
            url,
            "response",
            payload=io.BytesIO(body),
            length=len(body),
            http_headers=block,
            warc_headers_dict=extra,
        )
        writer.write_record(record)
        return buffer.getvalue()


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _one_line(value: str) -> str:
    return " ".join(value.split("\r\n")).replace("\r", " ").replace("\n", " ")
