"""raw/NNNNN.tar while the crawl grows it, and the Parquet and stats beside each closed shard.

img2dataset's layout: keys are digits (shard number, then the sample's number inside it), members are the
image as served, `txt` and `json`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from crawler.store.store import Store
from kyodaku.durable import canonical_json, disk_full_as_error
from kyodaku.fingerprint import uid_of
from kyodaku.records import RAW
from kyodaku.shards import RawTarAppender, write_parquet, write_stats

_EXTENSIONS = {"jpeg": "jpg", "png": "png", "webp": "webp", "gif": "gif", "avif": "avif", "tiff": "tif"}


@dataclass(frozen=True)
class RawImage:
    """One image whose every gate is open. `format` as sniffed; sides in pixels; `caption` for people."""

    request: int
    url: str
    body: bytes
    sha256: str
    format: str
    width: int
    height: int
    caption: str


class RawShards:
    """The run's raw shards, the last one open. Rows go to the store; bytes to the tar."""

    def __init__(self, folder: Path, store: Store, samples: int, clock: Callable[[], float]) -> None:
        """Open the newest shard, cut to its recorded length. `samples` is a shard's size."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._store = store
        self._samples = samples
        self._digits = len(str(samples - 1))
        self._clock = clock
        self.number = int(store.meta("raw_shard", "0"))
        self._count = self._stored_in(self.number)
        self._tar: RawTarAppender | None = None
        self._synced = 0
        self._flusher = ThreadPoolExecutor(1, thread_name_prefix="raw-flush")
        self._flush: Future[None] | None = None

    @property
    def name(self) -> str:
        """The open tar's name."""
        return f"{self.number:05d}.tar"

    @property
    def is_full(self) -> bool:
        """True when the open shard has all its samples: call `finish_shard` between two answers."""
        return self._count >= self._samples

    def find(self, sha256: str) -> bool:
        """True when these bytes are stored already."""
        row = self._store.row("SELECT 1 FROM raw WHERE sha256 = ? AND status = 'success'", (sha256,))
        return row is not None

    def add(self, image: RawImage) -> None:
        """Store one image: bytes to the tar, its row to the open transaction."""
        key = f"{self.number:05d}{self._count:0{self._digits}d}"
        extension = _EXTENSIONS[image.format]
        members = {
            extension: image.body,
            "txt": image.caption.encode("utf-8", "replace"),
            "json": self._sidecar(image, key),
        }
        appended = self._open().append(key, members)
        offset = next(span.offset_data for span in appended.spans if span.ext == extension)
        self._count += 1
        self._row(
            key=key, request=image.request, caption=image.caption, status="success", error="",
            sha256=image.sha256, ext=extension, size=len(image.body), width=image.width,
            height=image.height, offset=offset,
        )  # fmt: skip

    def add_failure(self, request: int, error: str) -> None:
        """An image request that ended without bytes: a row without a key."""
        self._row(
            key="", request=request, caption="", status="failed_to_download", error=error,
            sha256="", ext="", size=0, width=0, height=0, offset=-1,
        )  # fmt: skip

    def flush_early(self) -> None:
        """Let the kernel begin to write in another thread, so that the next `sync` finds little to do."""
        if self._tar is not None and (self._flush is None or self._flush.done()):
            self._flushed()
            self._flush = self._flusher.submit(os.fdatasync, self._tar.fileno())

    def _flushed(self) -> None:
        """Wait for the early flush. An error is told to one caller of sync only, so it must be heard."""
        flush, self._flush = self._flush, None
        if flush is not None:
            with disk_full_as_error(self._folder / self.name):
                flush.result()

    def sync(self) -> None:
        """Make the tar's bytes durable and tell the open transaction its length."""
        self._flushed()
        if self._tar is not None and self._tar.length != self._synced:
            self._tar.sync()
            self._synced = self._tar.length
            self._store.set_file(f"raw/{self.name}", self._synced)

    def finish_shard(self) -> None:
        """Close the open shard and write what stands beside it. `_stats.json` comes last."""
        if self._count == 0 and self._store.row("SELECT 1 FROM raw WHERE shard = ?", (self.number,)) is None:
            return
        self.sync()
        self._store.commit()
        tar = self._open()
        length = tar.length
        tar.finish()
        self._tar = None
        self._beside(self.number)
        self._store.set_file(f"raw/{self.name}", length, closed=True)
        self.number += 1
        self._count = 0
        self._store.set_meta("raw_shard", str(self.number))
        self._store.commit()

    def close(self) -> None:
        """Close the tar without finishing it."""
        self._flusher.shutdown()
        if self._tar is not None:
            self._tar.close()

    def _open(self) -> RawTarAppender:
        if self._tar is None:
            length = self._store.file_length(f"raw/{self.name}")
            self._tar = RawTarAppender(self._folder / self.name, length)
            self._synced = length
        return self._tar

    def _stored_in(self, shard: int) -> int:
        sql = "SELECT count(*) FROM raw WHERE shard = ? AND status = 'success'"
        return int(self._store.row(sql, (shard,))[0])

    def _sidecar(self, image: RawImage, key: str) -> bytes:
        return canonical_json(
            {
                "url": image.url,
                "caption": image.caption,
                "key": key,
                "status": "success",
                "error_message": None,
                "width": image.width,
                "height": image.height,
                "original_width": image.width,
                "original_height": image.height,
                "exif": "{}",
                "sha256": image.sha256,
                "uid": uid_of(image.sha256),
            }
        )

    def _row(
        self,
        *,
        key: str,
        request: int,
        caption: str,
        status: str,
        error: str,
        sha256: str,
        ext: str,
        size: int,
        width: int,
        height: int,
        offset: int,
    ) -> None:
        self._store.write(
            "INSERT INTO raw (shard, key, request, caption, status, error, exif, sha256, ext, bytes, width,"
            " height, offset) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self.number,
                key,
                request,
                caption,
                status,
                error,
                "{}",
                sha256,
                ext,
                size,
                width,
                height,
                offset,
            ),
        )

    def _beside(self, shard: int) -> None:
        rows = self._store.rows(
            "SELECT q.url, r.caption, r.key, r.status, r.error, r.width, r.height, r.exif, r.sha256, r.ext,"
            " r.bytes, r.offset, q.fetched_at FROM raw r JOIN requests q ON q.id = r.request"
            " WHERE r.shard = ? ORDER BY r.id",
            (shard,),
        )
        records = [_record(row[:-1]) for row in rows]
        times = [row[-1] for row in rows if row[-1]] or [self._clock()]
        write_parquet(pa.Table.from_pylist(records, schema=RAW), self._folder / f"{shard:05d}.parquet")
        failed = [str(record["error_message"]) for record in records if record["status"] != "success"]
        write_stats(
            self._folder / f"{shard:05d}_stats.json",
            {
                "count": len(records),
                "successes": len(records) - len(failed),
                "failed_to_download": len(failed),
                "failed_to_resize": 0,
                "duration": max(times) - min(times),
                "start_time": min(times),
                "end_time": max(times),
                "status_dict": {"success": len(records) - len(failed), **Counter(sorted(failed))},
            },
        )


def _record(row: tuple[str, str, str, str, str, int, int, str, str, str, int, int]) -> dict[str, object]:
    url, caption, key, status, error, width, height, exif, sha256, ext, size, offset = row
    return {
        "url": url,
        "caption": caption,
        "key": key,
        "status": status,
        "error_message": error,
        "width": width,
        "height": height,
        "original_width": width,
        "original_height": height,
        "exif": exif,
        "sha256": sha256,
        "uid": uid_of(sha256) if sha256 else "",
        "ext": ext,
        "bytes": size,
        "offset": offset,
    }
