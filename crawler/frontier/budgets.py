"""What was spent, per host and in all, and whether another request is within the recipe's budgets."""

from __future__ import annotations

from dataclasses import dataclass

from crawler.frontier.requests import Row
from crawler.store.schema import Kind
from crawler.store.store import Store
from kyodaku.reasons import NotRequestedReason
from kyodaku.recipe import Budgets as Limits


@dataclass
class Spent:
    """Requests made and bytes received."""

    pages: int = 0
    images: int = 0
    bytes: int = 0


class Budgets:
    """Counters in memory, and behind them the hosts table."""

    def __init__(self, limits: Limits, store: Store) -> None:
        self._limits = limits
        self._store = store
        self._hosts: dict[str, Spent] = {}
        self._known: dict[str, int] = {}
        self.all = Spent()
        for host, pages, images, size in store.rows("SELECT host, pages, images, bytes FROM hosts"):
            self._hosts[host] = Spent(pages, images, size)
            self.all.pages += pages
            self.all.images += images
            self.all.bytes += size
        for host, known in store.rows("SELECT page_host, count(*) FROM requests WHERE kind = 1 GROUP BY 1"):
            self._known[host] = known

    def exceeded(self, row: Row) -> NotRequestedReason | None:
        """Why `row` may not be asked any more, or None."""
        limits, host = self._limits, self._hosts.get(row.host, Spent())
        if self.all.bytes >= limits.bytes:
            return NotRequestedReason.BUDGET_BYTES
        if row.kind is Kind.IMAGE:
            if self.all.images >= limits.images:
                return NotRequestedReason.BUDGET_IMAGES
            over = host.images >= limits.per_host.images
        else:
            if self.all.pages >= limits.pages:
                return NotRequestedReason.BUDGET_PAGES
            over = host.pages >= limits.per_host.pages
        over = over or host.bytes >= limits.per_host.bytes
        return NotRequestedReason.BUDGET_HOST if over else None

    def room_for_page(self, host: str) -> bool:
        """True while a host's page budget is not filled by the pages known already: traps end here."""
        return self._known.get(host, 0) < self._limits.per_host.pages

    def page_found(self, host: str) -> None:
        """One more page of a host is known."""
        self._known[host] = self._known.get(host, 0) + 1

    def spend(self, host: str, kind: Kind | None, size: int, seconds: float, *, failed: bool) -> None:
        """One request to `host` ended (`kind` None: a host file) after `seconds`, with `size` bytes."""
        spent = self._hosts.setdefault(host, Spent())
        pages, images = int(kind in (Kind.PAGE, Kind.SITEMAP)), int(kind is Kind.IMAGE)
        for total in (spent, self.all):
            total.pages += pages
            total.images += images
            total.bytes += size
        self._store.write(
            "INSERT INTO hosts (host, pages, images, host_files, bytes, failures, seconds)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (host) DO UPDATE SET pages = pages + excluded.pages,"
            " images = images + excluded.images, host_files = host_files + excluded.host_files,"
            " bytes = bytes + excluded.bytes, failures = failures + excluded.failures,"
            " seconds = seconds + excluded.seconds",
            (host, pages, images, int(kind is None), size, int(failed), seconds),
        )
