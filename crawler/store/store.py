"""crawl.sqlite: the only truth of a running crawl.

One transaction stays open while answers are recorded and is committed in groups by `Journal`. WAL with
synchronous=NORMAL: a killed process loses nothing that was committed, and a power cut loses at most the
last groups, never consistency. Tar and WARC bytes are synced before the commit that records their
lengths, so whatever survives in the database is backed by bytes on disk.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crawler.store.schema import SCHEMA_VERSION, TABLES, UNSTORED_TABLE, State
from kyodaku.errors import DiskFullError, RunStateError

_BUSY_MS = 10_000


class Store:
    """A connection to crawl.sqlite. Every write happens inside the open transaction."""

    def __init__(self, path: Path) -> None:
        """Open `path`, creating its tables. Raises RunStateError for another version's file."""
        self.path = path
        self._db = sqlite3.connect(path, isolation_level=None, cached_statements=256)
        self._db.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("PRAGMA cache_size = -65536")
        self._db.execute("PRAGMA wal_autocheckpoint = 4000")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            self._db.executescript(f"BEGIN; {TABLES} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
        elif version != SCHEMA_VERSION:
            self._db.close()
            raise RunStateError(f"{path}: written by another version of kyodaku; start again with --new")
        self._db.execute(UNSTORED_TABLE)

    # ------------------------------------------------------------------ transactions

    def write(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run one statement inside the open transaction (begun if need be)."""
        with self._disk_full():
            self._begin()
            return self._db.execute(sql, values)

    def write_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for many rows."""
        with self._disk_full():
            self._begin()
            self._db.executemany(sql, rows)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """All rows of a query, the open transaction's own writes included."""
        return self._db.execute(sql, values).fetchall()

    def row(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """The first row, or None."""
        return self._db.execute(sql, values).fetchone()

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Iterator[Any]:
        """Rows one by one, for exports."""
        return iter(self._db.execute(sql, values))

    def commit(self) -> None:
        """Make everything written so far the truth."""
        with self._disk_full():
            if self._db.in_transaction:
                self._db.execute("COMMIT")

    def rollback(self) -> None:
        """Forget everything since the last commit."""
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """All of the block's writes, or, when it raises, none of them."""
        self.write("SAVEPOINT one_answer")
        try:
            yield
        except BaseException:
            if self._db.in_transaction:  # a full disk may have rolled all of it back already
                self._db.execute("ROLLBACK TO one_answer")
                self._db.execute("RELEASE one_answer")
            raise
        self._db.execute("RELEASE one_answer")

    def compact(self) -> None:
        """Write the database anew without the pages it no longer uses, and empty the WAL."""
        with self._disk_full():
            self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close without committing."""
        self.rollback()
        self._db.close()

    def _begin(self) -> None:
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")

    @contextmanager
    def _disk_full(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE):
                message = f"no space left to write {self.path}; free some and run again"
                raise DiskFullError(message) from error
            raise

    # ------------------------------------------------------------------ small things

    def meta(self, key: str, default: str = "") -> str:
        """A value of the meta table."""
        found = self.row("SELECT value FROM meta WHERE key = ?", (key,))
        return default if found is None else str(found[0])

    def set_meta(self, key: str, value: str) -> None:
        """Set a value of the meta table."""
        self.write("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def file_length(self, name: str) -> int:
        """The recorded length of a tar or WARC file, in bytes; 0 for a new one."""
        found = self.row("SELECT length FROM files WHERE name = ?", (name,))
        return 0 if found is None else int(found[0])

    def set_file(self, name: str, length: int, *, closed: bool = False) -> None:
        """Record the length of a tar or WARC file whose bytes are already synced."""
        self.write("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", (name, length, int(closed)))

    def recover(self) -> None:
        """After a start: what was in flight is pending again."""
        self.write("UPDATE requests SET state = ? WHERE state = ?", (State.PENDING, State.IN_FLIGHT))
        self.write("UPDATE origins SET state = 'unknown' WHERE state = 'fetching'")
        self.commit()
