"""Group commit: bytes first, then the transaction that speaks of them."""

from __future__ import annotations

from collections.abc import Callable

from crawler.store.evidence import EvidenceWriter
from crawler.store.rawshards import RawShards
from crawler.store.store import Store

#: Answers in one transaction at most, and seconds until it is committed at the latest.
GROUP_ANSWERS = 64
GROUP_SECONDS = 0.25
#: Answers after which the kernel is told to begin writing.
EARLY_ANSWERS = 12
#: A crawl that waits for due times commits at once, but not more often than this many seconds apart.
IDLE_SECONDS = 0.02


class Journal:
    """Commits the store's open transaction together with the tar and WARC bytes behind it.

    `waiting` counts the answers that a kill would make us ask for again.
    """

    def __init__(
        self, store: Store, raw: RawShards, evidence: EvidenceWriter, now: Callable[[], float]
    ) -> None:
        self._store = store
        self._raw = raw
        self._evidence = evidence
        self._now = now
        self._since = self._committed = now()
        self.waiting = 0

    def idle(self) -> None:
        """Nothing is due now: a good moment to commit what waits."""
        if self.waiting and self._now() - self._committed >= IDLE_SECONDS:
            self.commit()

    def answered(self) -> None:
        """One more answer is in the open transaction."""
        if self.waiting == 0:
            self._since = self._now()
        self.waiting += 1
        if self._raw.is_full:
            self.commit()
            self._raw.finish_shard()
        elif self.waiting >= GROUP_ANSWERS or self._now() - self._since >= GROUP_SECONDS:
            self.commit()
        elif self.waiting % EARLY_ANSWERS == 0:
            self._raw.flush_early()

    def commit(self) -> None:
        """Sync tar and WARC, record their lengths, commit. Raises DiskFullError."""
        self._raw.sync()
        self._evidence.sync()
        name = f"evidence/{self._evidence.name}"
        if self._store.file_length(name) != self._evidence.length:
            self._store.set_file(name, self._evidence.length)
            self._store.set_meta("warc_number", str(self._evidence.number))
        self._store.commit()
        self.waiting = 0
        self._committed = self._now()
