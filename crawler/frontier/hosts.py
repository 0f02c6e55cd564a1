"""What the store remembers of whole hosts: walls, rests and delays that a stopped crawl must not forget."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from crawler.frontier.jobs import Host
from crawler.store.store import Store
from kyodaku.reasons import NotRequestedReason


@dataclass(frozen=True)
class StoredHost:
    """A row of the hosts table; `backoff` and `delay` in seconds."""

    name: str
    state: str
    reason: str
    holds: int
    walls: int
    backoff: float
    delay: float


class HostBook:
    """The hosts of a crawl by name."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._hosts: dict[str, Host] = {}

    def stored(self) -> Iterator[StoredHost]:
        """The hosts of the store, taken up as they come."""
        for row in self._store.rows("SELECT host, state, reason, holds, walls, backoff, delay FROM hosts"):
            stored = StoredHost(*row)
            host = self.get(stored.name)
            host.state, host.reason = stored.state, stored.reason
            host.holds, host.walls = stored.holds, stored.walls
            if host.state == "closed":
                host.stop = NotRequestedReason.parse(host.reason)
            yield stored

    def get(self, name: str) -> Host:
        """The host of this name, made at first."""
        found = self._hosts.get(name)
        if found is None:
            found = self._hosts[name] = Host(name)
        return found

    def stop_of(self, name: str) -> NotRequestedReason | None:
        """Why a host was closed, or None."""
        host = self._hosts.get(name)
        return host.stop if host is not None and isinstance(host.stop, NotRequestedReason) else None

    def save(self, host: Host) -> None:
        """Remember its state and its walls."""
        self._store.write(
            "INSERT INTO hosts (host, state, reason, holds, walls) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (host) DO UPDATE SET state = excluded.state, reason = excluded.reason,"
            " holds = excluded.holds, walls = excluded.walls",
            (host.name, host.state, host.reason, host.holds, host.walls),
        )

    def save_retry(self, host: Host, moment: float) -> None:
        """Remember when a held host is tried again (Unix seconds)."""
        self._store.write("UPDATE hosts SET next_retry = ? WHERE host = ?", (moment, host.name))

    def save_delay(self, name: str, delay: float) -> None:
        """Remember the longest delay that any origin of a host asked for."""
        self._store.write(
            "INSERT INTO hosts (host, delay) VALUES (?, ?)"
            " ON CONFLICT (host) DO UPDATE SET delay = max(delay, excluded.delay)",
            (name, delay),
        )

    def save_backoff(self, name: str, backoff: float) -> None:
        """Remember the rest that a host asked for; 0 when it is over."""
        self._store.write(
            "INSERT INTO hosts (host, backoff) VALUES (?, ?)"
            " ON CONFLICT (host) DO UPDATE SET backoff = excluded.backoff",
            (name, backoff),
        )
