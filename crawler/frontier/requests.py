"""The requests table: what is known, what waits, what is done. SQL only; no policy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from crawler.store.codec import dump_evidence, dump_headers, dump_hops, dump_signals, load_hops
from crawler.store.schema import Kind, State
from crawler.store.store import Store
from kyodaku.gate import GateResult
from kyodaku.signals.model import Headers, Hop, LicenceEvidence, Signal

_COLUMNS = "id, kind, url, target, host, origin, page_host, depth, follow, hops, attempts, holds, asked_again"


@dataclass(frozen=True)
class Place:
    """A normalised URL and where it lies. `origin` is `scheme://host[:port]`."""

    url: str
    host: str
    origin: str


@dataclass(frozen=True)
class Row:
    """One request. `url` is its identity, `target` the hop to ask now, `hops` the answered ones before."""

    id: int
    kind: Kind
    url: str
    target: str
    host: str
    origin: str
    page_host: str
    depth: int
    follow: bool
    hops: tuple[Hop, ...]
    attempts: int
    holds: int
    asked_again: bool


@dataclass(frozen=True)
class Answered:
    """What became of a request: the last gate's word and the facts of the answer."""

    result: GateResult
    final_url: str = ""
    hops: tuple[Hop, ...] = ()
    status: int = 0
    headers: Headers = ()
    fetched_at: float = 0.0
    bytes: int = 0
    sha256: str = ""
    mime: str = ""
    width: int = 0
    height: int = 0
    signals: tuple[Signal, ...] = ()
    evidence: tuple[LicenceEvidence, ...] = ()


class Requests:
    """Queries and changes of the requests table."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(
        self, kind: Kind, place: Place, *, page_host: str, depth: int, state: State, follow: bool = True
    ) -> int:
        """Insert a request; its id, or 0 when it is known already."""
        cursor = self._store.write(
            "INSERT INTO requests (kind, url, target, host, origin, page_host, depth, follow, state)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (kind, place.url, place.url, place.host, place.origin, page_host, depth, follow, state),
        )
        return int(cursor.lastrowid or 0) if cursor.rowcount else 0

    def find(self, kind: Kind, url: str) -> tuple[int, State, bool] | None:
        """(id, state, asked_again) of a known request."""
        sql = "SELECT id, state, asked_again FROM requests WHERE url = ? AND kind = ?"
        row = self._store.row(sql, (url, kind))
        return None if row is None else (row[0], State(row[1]), bool(row[2]))

    def leads_to(self, kind: Kind, url: str, goal: str) -> bool:
        """True when `goal` is reached from `url` by the redirects that answered requests met."""
        seen: set[str] = set()
        while url != goal and url not in seen:
            seen.add(url)
            found = self._store.row(
                "SELECT final_url FROM requests WHERE url = ? AND kind = ? AND state = ?",
                (url, kind, State.DONE),
            )
            if found is None or not found[0]:
                return False
            url = found[0]
        return url == goal

    def take(self, origin: str, limit: int) -> list[Row]:
        """The next pending requests of an origin; they are in flight from now on."""
        rows = self._store.rows(
            f"SELECT {_COLUMNS} FROM requests WHERE origin = ? AND state = 0 ORDER BY kind, id LIMIT ?",
            (origin, limit),
        )
        self._store.write_many("UPDATE requests SET state = 1 WHERE id = ?", [(row[0],) for row in rows])
        return [_row(row) for row in rows]

    def row(self, request: int) -> Row:
        """One request by its id."""
        return _row(self._store.row(f"SELECT {_COLUMNS} FROM requests WHERE id = ?", (request,)))

    def set_state(self, request: int, state: State) -> None:
        """Move a request to another state."""
        self._store.write("UPDATE requests SET state = ? WHERE id = ?", (state, request))

    def move(self, row: Row, place: Place, hops: tuple[Hop, ...]) -> None:
        """A redirect: the request goes on from `place`, waiting its turn there."""
        self._store.write(
            "UPDATE requests SET target = ?, host = ?, origin = ?, hops = ?, attempts = 0, state = 0"
            " WHERE id = ?",
            (place.url, place.host, place.origin, dump_hops(hops), row.id),
        )

    def from_start(self, row: Row, place: Place, state: State) -> None:
        """Ask again from the first hop."""
        self._store.write(
            "UPDATE requests SET target = ?, host = ?, origin = ?, hops = '[]', attempts = 0, state = ?"
            " WHERE id = ?",
            (place.url, place.host, place.origin, state, row.id),
        )

    def broke_off(self, row: Row) -> None:
        """One more attempt is allowed."""
        self._store.write("UPDATE requests SET attempts = attempts + 1, state = 0 WHERE id = ?", (row.id,))

    def hold(self, row: Row, answered: Answered, next_retry: float) -> None:
        """Held: the facts so far, and when it is asked again (wall time, for people)."""
        self.record(row.id, answered, State.HELD)
        self._store.write(
            "UPDATE requests SET holds = holds + 1, next_retry = ? WHERE id = ?", (next_retry, row.id)
        )

    def wait(self, row: Row, answered: Answered) -> None:
        """Stands back until the documents that its gate named were read: the facts so far."""
        self.record(row.id, answered, State.WAITING)

    def ask_again(self, request: int, place: Place) -> None:
        """One more request, from the first hop."""
        self._store.write(
            "UPDATE requests SET asked_again = 1, target = ?, host = ?, origin = ?, hops = '[]',"
            " attempts = 0, verdict = '', reason = '', not_requested = '', state = 0 WHERE id = ?",
            (place.url, place.host, place.origin, request),
        )

    def record(self, request: int, answered: Answered, state: State = State.DONE) -> None:
        """Spool what became of a request."""
        result = answered.result
        self._store.write(
            "UPDATE requests SET state = ?, gate = ?, verdict = ?, reason = ?, final_url = ?, hops = ?,"
            " status = ?, headers = ?, fetched_at = ?, bytes = ?, sha256 = ?, mime = ?, width = ?,"
            " height = ?, signals = ?, evidence = ? WHERE id = ?",
            (
                state,
                result.gate,
                result.verdict.value,
                result.reason,
                answered.final_url,
                dump_hops(answered.hops),
                answered.status,
                dump_headers(answered.headers),
                answered.fetched_at,
                answered.bytes,
                answered.sha256,
                answered.mime,
                answered.width,
                answered.height,
                dump_signals(answered.signals),
                dump_evidence(answered.evidence),
                request,
            ),
        )

    def not_requested(self, request: int, reason: str) -> None:
        """Done without ever being asked, by our own limits."""
        self._store.write(
            "UPDATE requests SET state = ?, not_requested = ? WHERE id = ?", (State.DONE, reason, request)
        )

    def unpark(self, page_host: str) -> list[str]:
        """Images of a host's pages may be asked now; the origins they lie on."""
        origins = self._store.rows(
            "SELECT DISTINCT origin FROM requests WHERE page_host = ? AND state = 4", (page_host,)
        )
        if origins:
            self._store.write("UPDATE requests SET state = 0 WHERE page_host = ? AND state = 4", (page_host,))
        return [row[0] for row in origins]

    def open_by_host(self) -> dict[str, int]:
        """Pages that were found and not read yet, by the host they were found on."""
        sql = (
            "SELECT page_host, count(*) FROM requests WHERE kind < 2 AND state IN (0, 1, 6)"
            " GROUP BY page_host"
        )
        return {host: int(count) for host, count in self._store.rows(sql)}

    def parked_hosts(self) -> list[str]:
        """Hosts whose pages' images wait."""
        return [r[0] for r in self._store.rows("SELECT DISTINCT page_host FROM requests WHERE state = 4")]

    def pending_origins(self) -> list[tuple[str, str]]:
        """(origin, host) with something to ask."""
        return [
            (r[0], r[1])
            for r in self._store.rows("SELECT DISTINCT origin, host FROM requests WHERE state = 0")
        ]

    def asking(self, limit: int) -> list[str]:
        """Addresses that the registry service has to answer for first."""
        sql = "SELECT DISTINCT target FROM requests WHERE state = 6 ORDER BY target LIMIT ?"
        return [row[0] for row in self._store.rows(sql, (limit,))]

    def asking_for(self, target: str) -> list[Row]:
        """Requests that wait for the service's answer about `target`."""
        sql = f"SELECT {_COLUMNS} FROM requests WHERE state = 6 AND target = ? ORDER BY id"
        return [_row(row) for row in self._store.rows(sql, (target,))]

    def held(self) -> list[tuple[int, int]]:
        """(id, holds so far) of every held request."""
        return [(r[0], r[1]) for r in self._store.rows("SELECT id, holds FROM requests WHERE state = 3")]

    def unfinished(self) -> int:
        """Requests that are not done."""
        return int(self._store.row("SELECT count(*) FROM requests WHERE state <> 2")[0])

    def remaining(self) -> Iterator[Row]:
        """Every request that is not done, for the end of a crawl."""
        for row in self._store.rows(f"SELECT {_COLUMNS} FROM requests WHERE state <> 2 ORDER BY id"):
            yield _row(row)


def _row(row: tuple[int, int, str, str, str, str, str, int, int, str, int, int, int]) -> Row:
    return Row(
        id=row[0],
        kind=Kind(row[1]),
        url=row[2],
        target=row[3],
        host=row[4],
        origin=row[5],
        page_host=row[6],
        depth=row[7],
        follow=bool(row[8]),
        hops=load_hops(row[9]),
        attempts=row[10],
        holds=row[11],
        asked_again=bool(row[12]),
    )
