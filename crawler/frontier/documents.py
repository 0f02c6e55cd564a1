"""Documents that pages, addresses and images name: asked for like host files, and who waits for them.

A request whose gate waits for a document stands back until the document was read, or could not be, and is
then asked again from its first hop. What was fetched is a row of `host_files` under its absolute URL.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from crawler.frontier.origins import OriginBook
from crawler.store.store import Store
from kyodaku.gate import Need, OriginFacts
from kyodaku.hostfiles import document
from kyodaku.permission import Permission
from kyodaku.signals.model import Fetched
from kyodaku.urls import origin_of

#: Times that one request waits; a gate that names ever new documents stays a hold.
MAX_WAITS = 8


@dataclass(eq=False)
class DocumentRun:
    """The machine that fetches one document: what it asks for next, or what came of it."""

    url: str
    machine: Generator[Need, Fetched, Fetched]
    need: Need | None = None
    document: Fetched | None = None


class DocumentBook:
    """Documents under way, and the requests that wait for them (tables `host_files` and `waits`)."""

    def __init__(self, store: Store, permission: Permission, origins: OriginBook, redirects: int) -> None:
        self._store = store
        self._permission = permission
        self._origins = origins
        self._redirects = redirects
        self._running: dict[str, DocumentRun] = {}

    def restore(self) -> list[str]:
        """Put what is known into the gates' library; the documents that requests still wait for."""
        for url, fetched in self._origins.documents():
            self._permission.documents.put(url, fetched)
        return [row[0] for row in self._store.rows("SELECT DISTINCT url FROM waits ORDER BY url")]

    def waits_of(self, request: int) -> int:
        """How often a request has waited so far."""
        return int(self._store.row("SELECT waited FROM requests WHERE id = ?", (request,))[0])

    def wait(self, request: int, urls: Sequence[str]) -> list[str]:
        """Note that a request waits for documents; those that did not come in the meantime."""
        urls = [url for url in urls if self._permission.documents.get(url) is None]
        self._store.write("UPDATE requests SET waited = waited + 1 WHERE id = ?", (request,))
        self._store.write_many(
            "INSERT OR IGNORE INTO waits (request, url) VALUES (?, ?)", [(request, url) for url in urls]
        )
        return urls

    def begin(self, url: str) -> DocumentRun | None:
        """Start to fetch `url`: `run.need` is the first request, or `run.document` is there at once. None
        when it is under way."""
        if url in self._running:
            return None
        run = DocumentRun(url, document(self._permission, url, self._redirects, self._facts))
        self._running[url] = run
        self._step(run, lambda: next(run.machine))
        return run

    def answer(self, run: DocumentRun, fetched: Fetched) -> None:
        """Hand the machine its answer: `run.need` is the next request, or `run.document` is there."""
        self._step(run, lambda: run.machine.send(fetched))

    def settle(self, run: DocumentRun) -> list[int]:
        """Keep the document; the requests that nothing keeps waiting any more."""
        if run.document is None:
            raise RuntimeError("a document that is still under way")
        del self._running[run.url]
        self._origins.keep_document(run.url, run.document)
        self._permission.documents.put(run.url, run.document)
        waiting = [row[0] for row in self._store.rows("SELECT request FROM waits WHERE url = ?", (run.url,))]
        self._store.write("DELETE FROM waits WHERE url = ?", (run.url,))
        return [
            request
            for request in waiting
            if self._store.row("SELECT 1 FROM waits WHERE request = ?", (request,)) is None
        ]

    def _step(self, run: DocumentRun, go: Callable[[], Need]) -> None:
        run.need = None
        try:
            run.need = go()
        except StopIteration as end:
            run.document = end.value

    def _facts(self, url: str) -> Generator[Need, Fetched, OriginFacts]:
        """The host files of the document's origin: those the crawl has, or asked for now."""
        origin = origin_of(url)
        known = self._origins.facts(origin)
        if known is not None:
            return known
        facts = yield from self._permission.host_files(origin)
        self._origins.note(facts)
        return facts
