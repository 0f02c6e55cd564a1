"""What is asked before any request of an origin or of a document's reader: host files and documents.

Runs say what they need; what leads to a document is asked for once for all who need it.
"""

from __future__ import annotations

from collections.abc import Callable

from crawler.frontier.documents import DocumentBook, DocumentRun
from crawler.frontier.hosts import HostBook
from crawler.frontier.jobs import Job
from crawler.frontier.origins import HostFileRun, Origin, OriginBook
from crawler.frontier.politeness import Timetable
from crawler.frontier.shared import SharedAnswers
from kyodaku.gate import NeedKind
from kyodaku.netguard import host_of
from kyodaku.signals.model import Fetched

Run = HostFileRun | DocumentRun


class Inquiries:
    """The runs under way. `settled` is told of each origin's end, `read` of each request whose documents are
    there. `forget` is how many seconds an answer serves others who need it."""

    def __init__(
        self,
        origins: OriginBook,
        documents: DocumentBook,
        hosts: HostBook,
        timetable: Timetable,
        *,
        settled: Callable[[HostFileRun], None],
        read: Callable[[int], None],
        now: Callable[[], float],
        forget: float,
    ) -> None:
        self._origins = origins
        self._documents = documents
        self._hosts = hosts
        self._timetable = timetable
        self._settled = settled
        self._read = read
        self._shared: SharedAnswers[Run] = SharedAnswers(now, forget)
        self.running = 0

    def of_origin(self, origin: Origin) -> None:
        """Ask an origin for its host files."""
        self.running += 1
        self._advance(self._origins.begin(origin))

    def of_document(self, url: str) -> None:
        """Ask for a document, unless somebody did."""
        run = self._documents.begin(url)
        if run is not None:
            self.running += 1
            self._advance(run)

    def heard(self, job: Job, fetched: Fetched) -> None:
        """The answer to a job for a host file or a document."""
        assert job.run is not None  # noqa: S101 - only called for such jobs
        assert job.run.need is not None  # noqa: S101 - the run waits for this answer
        self._origins.heard(job.url, fetched)
        waiting = self._shared.put(job.run.need, fetched) if _is_shared(job.run) else []
        for run in (job.run, *waiting):
            self._answer(run, fetched)
            self._advance(run)

    def _answer(self, run: Run, fetched: Fetched) -> None:
        if isinstance(run, DocumentRun):
            self._documents.answer(run, fetched)
        else:
            self._origins.answer(run, fetched)

    def _advance(self, run: Run) -> None:
        if self._asks(run):
            return
        self.running -= 1
        if isinstance(run, DocumentRun):
            for request in self._documents.settle(run):
                self._read(request)
        else:
            self._settled(run)

    def _asks(self, run: Run) -> bool:
        """Queue what a run needs next, unless somebody asked for it already. False when it needs nothing."""
        while run.need is not None:
            url = run.need.url
            known = self._shared.get(url) if _is_shared(run) else None
            if known is None:
                if not _is_shared(run) or self._shared.join(url, run):
                    name = host_of(url)
                    self._hosts.get(name).needs.append(run)
                    self._timetable.wake(name)
                return True
            self._answer(run, known)
        return False


def _is_shared(run: Run) -> bool:
    """True for what others may need too: all that leads to a document."""
    documents = isinstance(run, DocumentRun)
    return documents or (run.need is not None and run.need.kind is NeedKind.DOCUMENT)
