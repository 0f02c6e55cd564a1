"""What the registry service was asked, in crawl.sqlite."""

from __future__ import annotations

from collections.abc import Iterable

from crawler.store.store import Store
from kyodaku.registry_client import Answer


class StoredAnswers:
    """Answers by normalised address (table `registry_answers`)."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, url: str) -> Answer | None:
        """The last answer for `url`; None where it was never asked."""
        row = self._store.row(
            "SELECT url, opt_out, raw, digest, answered_at FROM registry_answers WHERE url = ?", (url,)
        )
        return None if row is None else Answer(row[0], None if row[1] is None else row[1] == 1, *row[2:])

    def put(self, answers: Iterable[Answer]) -> None:
        """Remember answers. A yes to leaving out is never taken back by a later answer."""
        self._store.write_many(
            "INSERT INTO registry_answers VALUES (?, ?, ?, ?, ?) ON CONFLICT (url) DO UPDATE SET"
            " opt_out = excluded.opt_out, raw = excluded.raw, digest = excluded.digest,"
            " answered_at = excluded.answered_at WHERE opt_out IS NOT 1",
            [(a.url, a.opt_out, a.raw, a.digest, a.answered_at) for a in answers],
        )
