"""What a recheck was answered so far, so that a stop or a kill costs only what was in flight."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from kyodaku.errors import RunStateError
from kyodaku.recheck.findings import Recheck
from kyodaku.recheck.overlay import CHANGED, lasting, recheck_rows
from kyodaku.records import RECHECKS
from kyodaku.runs import RunFolder
from kyodaku.shards import write_parquet

_TABLES = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answered (
    candidate_id TEXT PRIMARY KEY, shard TEXT NOT NULL, row TEXT NOT NULL
) WITHOUT ROWID;
"""
_VERSION = "2"


class Notebook:
    """One recheck of a run, from its beginning until its rows stand in `rechecks/`.

    `before` is the moment (Unix seconds) that answers have to be younger than: it stays what it was when
    the recheck began, however often it is taken up again, but for answers that are too old for a release by
    then.
    """

    def __init__(self, run: RunFolder, before: float) -> None:
        """Open the notebook of a recheck that was not finished, or begin one. Raises RunStateError."""
        self._run = run
        try:
            self._db = sqlite3.connect(run.recheck_sqlite, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.executescript(_TABLES)
            self._db.execute("INSERT OR IGNORE INTO meta VALUES ('version', ?)", (_VERSION,))
            self._db.execute("INSERT OR IGNORE INTO meta VALUES ('before', ?)", (repr(before),))
            known = dict(self._db.execute("SELECT key, value FROM meta"))
        except sqlite3.DatabaseError as error:
            raise RunStateError(
                f"{run.recheck_sqlite} cannot be read ({error}); remove it, and the recheck begins anew"
            ) from error
        if known["version"] != _VERSION:
            raise RunStateError(f"{run.recheck_sqlite} is of another version; remove it and recheck anew")
        self.before = float(known["before"])

    def answered(self, since: float = 0.0) -> dict[str, str]:
        """The gate's verdict by candidate_id, of everything that was asked again so far: answers not before
        `since` (Unix seconds), and every refusal, which no later answer replaces."""
        found = self._db.execute(
            "SELECT candidate_id, json_extract(row, '$.gate_verdict') FROM answered"
            " WHERE json_extract(row, '$.checked_at') >= ? OR json_extract(row, '$.gate_verdict') = 'refuse'",
            (since,),
        )
        return {str(key): str(verdict) for key, verdict in found}

    def changed_pages(self) -> int:
        """Images that no gate closed to although their page is another by now."""
        [count] = self._db.execute(
            "SELECT count(*) FROM answered WHERE json_extract(row, '$.gate_verdict') = 'proceed'"
            " AND json_extract(row, '$.page') = ?",
            (CHANGED,),
        ).fetchone()
        return int(count)

    def note(self, shard: str, recheck: Recheck) -> None:
        """Keep one answer; it is on disk when this returns."""
        row = json.dumps(_row(recheck), ensure_ascii=False)
        clean = row.encode("utf-8", "replace").decode("utf-8")
        self._db.execute(
            "INSERT OR REPLACE INTO answered VALUES (?, ?, ?)", (recheck.candidate_id, shard, clean)
        )

    def finish(self) -> int:
        """Write the rows into `rechecks/`, those of earlier rechecks kept, and forget them here; how many
        are new. A kill in between does no harm: the same call does it again."""
        self._run.rechecks.mkdir(exist_ok=True)
        count = 0
        for shard, rows in self._shards():
            known = recheck_rows(self._run, shard)
            for row in rows:
                known[row["candidate_id"]] = _joined(known.get(row["candidate_id"]), row)
            ordered = [known[key] for key in sorted(known)]
            write_parquet(pa.Table.from_pylist(ordered, RECHECKS), self._run.rechecks / f"{shard}.parquet")
            count += len(rows)
        self.close()
        for suffix in ("", "-wal", "-shm"):
            self._run.recheck_sqlite.with_name(self._run.recheck_sqlite.name + suffix).unlink(missing_ok=True)
        return count

    def close(self) -> None:
        """Let go of the file; what is noted stays."""
        self._db.close()

    def _shards(self) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        names = [name for (name,) in self._db.execute("SELECT DISTINCT shard FROM answered ORDER BY shard")]
        for name in names:
            with closing(self._db.execute("SELECT row FROM answered WHERE shard = ?", (name,))) as found:
                yield str(name), [json.loads(text) for (text,) in found]


def _row(recheck: Recheck) -> dict[str, Any]:
    return {
        "candidate_id": recheck.candidate_id,
        "checked_at": recheck.checked_at,
        "page": recheck.page,
        "image": recheck.image,
        "gate": recheck.result.gate,
        "gate_verdict": recheck.result.verdict.value,
        "gate_reason": recheck.result.reason,
        "page_sha256": recheck.page_sha256,
        "sha256": recheck.sha256,
        "words": list(recheck.words),
        "signals": [asdict(signal) for signal in recheck.signals],
        "evidence": [asdict(item) for item in recheck.evidence],
    }


def _joined(old: dict[str, Any] | None, new: dict[str, Any]) -> dict[str, Any]:
    """The newer answer, with the signals and the words of both. Both compare the page with what the crawl
    saw, so what a version in between said about licences, or granted, is gone."""
    if old is None:
        return new
    kept = lasting(old["signals"])
    return {
        **new,
        "words": list(dict.fromkeys([*old["words"], *new["words"]])),
        "signals": [*kept, *(signal for signal in new["signals"] if signal not in kept)],
    }
