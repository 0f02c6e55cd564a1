"""The table `host_files` and its evidence: every answer of a host file or a document, written down once.

An answer goes into the evidence when it comes, redirects too; a row is written when its whole fetch has
ended. An answer that many wait for is one record that each of their rows points to.
"""

from __future__ import annotations

import zlib
from collections import OrderedDict
from hashlib import sha256

from crawler.frontier.hostbodies import NOT_KEPT, may_be_kept
from crawler.store.codec import dump_headers, dump_hops, load_headers, load_hops
from crawler.store.evidence import EvidenceWriter, WarcPlace
from crawler.store.store import Store
from kyodaku.gate import GateResult
from kyodaku.signals.model import Fetched, FetchError

#: Places and rows that are remembered: more than can be under way, or shared, at one time.
REMEMBERED = 20_000
_NOWHERE = WarcPlace("", 0)


class HostRows:
    """Writes and reads rows of `host_files`."""

    def __init__(self, store: Store, evidence: EvidenceWriter) -> None:
        self._store = store
        self._evidence = evidence
        self._places: OrderedDict[tuple[str, float], WarcPlace] = OrderedDict()
        self._rows: OrderedDict[tuple[str, str, WarcPlace, float], int] = OrderedDict()

    def heard(self, url: str, fetched: Fetched) -> WarcPlace:
        """Keep the answer to one request for `url` in the evidence; nowhere if none came."""
        if fetched.status is None:
            return _NOWHERE
        body = fetched.body if may_be_kept(fetched.body) else b""
        ip = fetched.hops[-1].ip if fetched.hops else ""
        at = fetched.fetched_at
        place = self._evidence.write(url, fetched.status, fetched.headers, body, at=at, ip=ip)
        self._places[url, at] = place
        while len(self._places) > REMEMBERED:
            self._places.popitem(last=False)
        return place

    def keep(self, origin: str, path: str, file: Fetched, said: GateResult | None, copied: int = 0) -> int:
        """Write the row of a fetch; its id. `said` is the verdict on the origin, None where it was not in
        question; `copied` the row that a copy is of."""
        place = self._place(file, copied)
        name = (origin, path, place, file.fetched_at)
        key = self._insert(origin, path, file, said, place)
        self._rows[name] = key
        while len(self._rows) > REMEMBERED:
            self._rows.popitem(last=False)
        return key

    def keep_once(self, origin: str, path: str, file: Fetched, said: GateResult | None) -> None:
        """Write the row of a fetch that others may have written down already."""
        if (origin, path, self._place(file, 0), file.fetched_at) not in self._rows:
            self.keep(origin, path, file, said)

    def read(self, key: int) -> Fetched:
        """A row as it was fetched, with NOT_KEPT for a body that was not kept."""
        row = self._store.row(
            "SELECT CASE WHEN f.path LIKE '/%' THEN f.origin || f.path ELSE f.path END,"
            " f.final_url, f.status, f.headers, b.body, f.complete, f.error,"
            " f.fetched_at, f.hops, f.cached_age, f.sha256 FROM host_files f"
            " LEFT JOIN host_bodies b ON b.sha256 = f.sha256 WHERE f.id = ?",
            (key,),
        )
        unkept = NOT_KEPT if row[10] else b""
        return Fetched(
            url=row[0],
            final_url=row[1],
            status=row[2] or None,
            headers=load_headers(row[3]),
            body=unkept if row[4] is None else zlib.decompress(row[4]),
            complete=bool(row[5]),
            error=FetchError(row[6]) if row[6] else None,
            fetched_at=row[7],
            hops=load_hops(row[8]),
            cached_age=row[9],
        )

    def _place(self, file: Fetched, copied: int) -> WarcPlace:
        if file.cached_age is not None:
            found = self._store.row("SELECT warc_file, warc_offset FROM host_files WHERE id = ?", (copied,))
            return _NOWHERE if found is None else WarcPlace(*found)
        if file.status is None:
            return _NOWHERE
        known = self._places.get((file.final_url, file.fetched_at))
        return self.heard(file.final_url, file) if known is None else known

    def _insert(
        self, origin: str, path: str, file: Fetched, said: GateResult | None, place: WarcPlace
    ) -> int:
        digest = sha256(file.body).hexdigest() if file.body else ""
        if file.body and may_be_kept(file.body):
            self._store.write(
                "INSERT OR IGNORE INTO host_bodies VALUES (?, ?)", (digest, zlib.compress(file.body, 6))
            )
        cursor = self._store.write(
            "INSERT INTO host_files (origin, path, final_url, hops, status, error, headers, sha256, bytes,"
            " complete, fetched_at, cached_age, verdict, reason, warc_file, warc_offset)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                origin,
                path,
                file.final_url,
                dump_hops(file.hops),
                file.status or 0,
                file.error.value if file.error else "",
                dump_headers(file.headers),
                digest,
                len(file.body),
                file.complete,
                file.fetched_at,
                file.cached_age,
                said.verdict.value if said else "",
                said.reason if said else "",
                place.file,
                place.offset,
            ),
        )
        return int(cursor.lastrowid or 0)
