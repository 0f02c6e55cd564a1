"""The durable frontier: which request may be made now.

It owns the state of every origin and the due time of every host, hands out only due requests of open
origins, and fetches host files before anything else. Requests live in the store and are read per origin
in small batches, so memory does not grow with the crawl and a slow host never stands in another's way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from crawler.frontier.documents import MAX_WAITS, DocumentBook
from crawler.frontier.hosts import HostBook
from crawler.frontier.inquiries import Inquiries
from crawler.frontier.jobs import Host, Job, Judge
from crawler.frontier.origins import HostFileRun, Origin, OriginBook, OriginState
from crawler.frontier.parking import Parking
from crawler.frontier.politeness import Timetable
from crawler.frontier.requests import Answered, Place, Requests, Row
from crawler.frontier.retries import Retries
from crawler.store.schema import Kind, State
from crawler.store.store import Store
from kyodaku.gate import GateResult, GateVerdict, OriginFacts, weigh
from kyodaku.hostfiles import HOST_FILE_FRESH
from kyodaku.netguard import host_of, origin_of
from kyodaku.reasons import HoldReason, NotRequestedReason
from kyodaku.registry_client import Service
from kyodaku.signals.model import Fetched, Hop
from kyodaku.signals.protocols.robots import PATH as ROBOTS

BATCH = 32
#: Pages in a row that meet a wall before the whole host is held (signals.md 0.5).
WALLS_IN_A_ROW = 3


class Frontier:
    """Origins, hosts and due requests. Not thread-safe; everything happens on one event loop."""

    def __init__(
        self,
        store: Store,
        requests: Requests,
        origins: OriginBook,
        documents: DocumentBook,
        timetable: Timetable,
        *,
        hold_retries: Sequence[float],
        max_delay: float,
        now: Callable[[], float],
        service: Service | None = None,
    ) -> None:
        self._store = store
        self._requests = requests
        self._origins = origins
        self._documents = documents
        self._timetable = timetable
        self._retries = Retries(hold_retries, now)
        self._max_delay = max_delay
        self._now = now
        self._service = service
        self._hosts = HostBook(store)
        self._inquiries = Inquiries(
            origins,
            documents,
            self._hosts,
            timetable,
            settled=self._settle,
            read=self._release,
            now=now,
            forget=min(hold_retries, default=HOST_FILE_FRESH),
        )
        self._parking = Parking()
        self._ending: dict[str, None] = {}  # closed hosts whose requests are still to be concluded
        self.unfinished = 0
        self.asking = False  # whether a request waits for the registry service
        self.stopped = False
        self.judge: Judge

    # ------------------------------------------------------------------ start

    def restore(self) -> None:
        """Take up the store's state: every host waits its delay again, every hold its interval."""
        for stored in self._hosts.stored():
            self._timetable.restored(stored.name, stored.delay, stored.backoff)
            if stored.state == "closed":
                self._ending[stored.name] = None
            elif stored.state == "held":
                self._schedule_host(self._hosts.get(stored.name))
        self.unfinished = self._requests.unfinished()
        self.asking = bool(self._requests.asking(1))
        self._parking.restore(self._requests.open_by_host())
        for page_host in self._requests.parked_hosts():
            if not self._parking.waits(page_host):
                self._requests.unpark(page_host)
        for name, host_name in self._store.rows("SELECT origin, host FROM origins WHERE state = 'held'"):
            self._schedule_origin(self._origin(name, host_name))
        for request, holds in self._requests.held():
            self._retries.after(self._retries.interval(holds) or 0.0, self._release_held(request))
        for url in self._documents.restore():
            self._inquiries.of_document(url)
        for name, host_name in self._requests.pending_origins():
            self._origin(name, host_name)
            self._timetable.wake(host_name)

    # ------------------------------------------------------------------ adding

    def add(
        self, kind: Kind, place: Place, *, depth: int, page_host: str = "", follow: bool = True
    ) -> tuple[int, bool]:
        """Add a request unless it is known: (its id, whether it is new). `page_host` of an image is the
        host of the page that shows it; without one the image waits for nothing."""
        state = self._ready(kind, page_host)
        if self._must_ask(place.url):
            state, self.asking = State.ASKING, True
        owner = page_host if kind is Kind.IMAGE else place.host
        request = self._requests.add(kind, place, page_host=owner, depth=depth, state=state, follow=follow)
        if not request:
            found = self._requests.find(kind, place.url)
            assert found is not None  # noqa: S101 - it is in the way of the insert
            return found[0], False
        self.unfinished += 1
        if kind is not Kind.IMAGE:
            self._parking.page_opened(place.host)
        if state is State.PARKED:
            self._park(page_host)
        elif state is State.PENDING:
            self._expect(place)
        return request, True

    def _ready(self, kind: Kind, page_host: str) -> State:
        """Whether a request that nothing else keeps back may be asked, or waits for pages."""
        return State.PARKED if kind is Kind.IMAGE and self._parking.waits(page_host) else State.PENDING

    def _park(self, page_host: str) -> None:
        if self._parking.park(page_host):
            self._unpark(page_host)

    # ------------------------------------------------------------------ the registry service

    def unanswered(self, limit: int) -> list[str]:
        """Addresses that the registry service has to answer for before they may be asked for."""
        urls = self._requests.asking(limit)
        self.asking = bool(urls)
        return urls

    def answered(self, urls: Sequence[str]) -> None:
        """The service was asked about `urls`, and what came of it is in its answers: each request that
        waited for one goes on, ends, or is held."""
        assert self._service is not None  # noqa: S101 - nothing waits without one
        for url in urls:
            said = weigh("g0", self._service.about_url(url))
            for row in self._requests.asking_for(url):
                if said.open:
                    self._admitted(row)
                elif said.verdict is not GateVerdict.HOLD or not self.hold(row, _unasked(row, said)):
                    self.judge.conclude(row, said)

    def _admitted(self, row: Row) -> None:
        state = State.PENDING if row.hops else self._ready(row.kind, row.page_host)
        self._requests.set_state(row.id, state)
        if state is State.PARKED:
            self._park(row.page_host)
        else:
            self._expect(Place(row.target, row.host, row.origin))

    def _must_ask(self, url: str) -> bool:
        return self._service is not None and self._service.unanswered(url)

    def _expect_or_ask(self, request: int, place: Place) -> None:
        """A pending request goes on at `place`, after the registry service where that has to be asked."""
        if self._must_ask(place.url):
            self._requests.set_state(request, State.ASKING)
            self.asking = True
        else:
            self._expect(place)

    def ask_again(self, request: int) -> None:
        """One more request: evidence for an image that was refused only for want of it, or images that
        were listed for a page after it was read."""
        row = self._requests.row(request)
        place = Place(row.url, host_of(row.url), origin_of(row.url))
        self._requests.ask_again(request, place)
        self.unfinished += 1
        if row.kind is not Kind.IMAGE:
            self._parking.page_opened(row.page_host)
        self._expect_or_ask(request, place)

    # ------------------------------------------------------------------ handing out

    def next_job(self) -> Job | None:
        """A request that may be made now, or None."""
        self._retries.run_due()
        while self._ending and not self.stopped:  # needs no turn: nothing is asked
            host = self._hosts.get(self._ending.popitem()[0])
            for origin in host.origins:
                self._row_of(host, origin)
        while not self.stopped:
            slot = self._timetable.next()
            if slot is None:
                return None
            job = self._job_of(self._hosts.get(slot.host))
            if job is not None:
                self._timetable.start(slot)
                return job
        return None

    def next_due(self) -> float | None:
        """When to look again, on the monotonic clock; None when only an answer can change anything."""
        times = [self._timetable.next_due(), self._retries.next_due(), self._now() if self._ending else None]
        return min((moment for moment in times if moment is not None), default=None)

    def has_work(self) -> bool:
        """True while a request may still be made, now or later."""
        return not self.stopped and (self.unfinished > 0 or self._inquiries.running > 0)

    def _job_of(self, host: Host) -> Job | None:
        if host.needs:
            return self._need_job(host)
        if host.state == "held" and host.stop is None:
            return None
        for origin in list(host.origins):
            row = self._row_of(host, origin)
            if row is not None:
                host.origins.remove(origin)  # the next one has its turn first
                host.origins.append(origin)
                return Job(row.target, host.name, row=row)
            if host.needs:
                return self._need_job(host)
        return None

    def _need_job(self, host: Host) -> Job:
        run = host.needs.popleft()
        assert run.need is not None  # noqa: S101 - only runs that need something are queued
        return Job(run.need.url, host.name, run=run)

    def _row_of(self, host: Host, origin: Origin) -> Row | None:
        while True:
            why = host.stop or (origin.verdict if origin.final else None)
            if why is None:
                if origin.state is OriginState.OPEN and self._origins.is_stale(origin):
                    origin.state = OriginState.UNKNOWN
                if origin.state is OriginState.UNKNOWN:
                    if self._peek(origin) is not None:
                        self._inquiries.of_origin(origin)
                    return None
                if origin.state is not OriginState.OPEN:
                    return None
            row = self._peek(origin)
            if row is None:
                return None
            origin.batch.popleft()
            why = why or self.judge.before(row)
            if why is None:
                return row
            self.judge.conclude(row, why)

    def _peek(self, origin: Origin) -> Row | None:
        if not origin.batch and not origin.drained:
            origin.batch.extend(self._requests.take(origin.name, BATCH))
            origin.drained = len(origin.batch) < BATCH
        return origin.batch[0] if origin.batch else None

    # ------------------------------------------------------------------ host files

    def host_file(self, job: Job, fetched: Fetched) -> None:
        """The answer to a job for a host file or a document."""
        if job.url == origin_of(job.url) + ROBOTS:  # its other files wait as long as it asks
            self._timetable.wish(job.host, min(self.judge.crawl_delay(fetched), self._max_delay))
        self._inquiries.heard(job, fetched)

    def _settle(self, run: HostFileRun) -> None:
        assert run.facts is not None  # noqa: S101 - a run ends in facts
        origin = run.origin
        whole = self._origins.settle(origin, run.facts)
        if whole.open:
            self._open(origin, run.facts)
        elif not origin.final:
            self._unpark(origin.host)
            self._schedule_origin(origin)
        self._timetable.wake(origin.host)

    # ------------------------------------------------------------------ documents

    def wait(self, row: Row, answered: Answered) -> bool:
        """Let a request stand back for the documents that its gate waits for. False when it waited too often
        or for nothing that could come: then the caller holds it."""
        urls = answered.result.documents
        if not urls or self._documents.waits_of(row.id) >= MAX_WAITS:
            return False
        self._requests.wait(row, answered)
        missing = self._documents.wait(row.id, urls)
        self._page_closed(row)
        for url in missing:
            self._inquiries.of_document(url)
        if not missing:
            self._release(row.id)
        return True

    def _open(self, origin: Origin, facts: OriginFacts) -> None:
        delay = self.judge.opened(origin, facts)
        if delay is None:
            return
        if delay > self._max_delay:
            self.close_host(origin.host, NotRequestedReason.BUDGET_HOST)
            return
        self._timetable.wish(origin.host, delay)
        self._hosts.save_delay(origin.host, delay)

    def _schedule_origin(self, origin: Origin) -> None:
        interval = self._retries.interval(origin.holds)
        if interval is None:
            origin.final = True
            self._origins.set_next_retry(origin, 0)
            self._timetable.wake(origin.host)
            return
        self._origins.set_next_retry(origin, time.time() + interval)

        def retry() -> None:
            origin.state = OriginState.UNKNOWN
            self._timetable.wake(origin.host)

        self._retries.after(interval, retry)

    # ------------------------------------------------------------------ ends of requests

    def ended(self, job: Job, *, asked: bool, address: str = "") -> None:
        """The connection of `job` is free again; `asked` tells whether anything was sent."""
        slot = self._timetable.slot(job.host)
        self._timetable.end(slot, asked=asked, address=address)
        self._timetable.wake(job.host)

    def slow_down(self, job: Job, retry_after: float | None) -> None:
        """The host asked for a rest (429, 503), however long. Call before `ended`. A rest that outlasts
        the crawl ends the host's requests at once."""
        slot = self._timetable.slot(job.host)
        self._timetable.slow_down(slot, retry_after)
        self._hosts.save_backoff(job.host, slot.backoff)
        if slot.backoff >= self.judge.time_left():
            self.close_host(job.host, NotRequestedReason.BUDGET_TIME)

    def recovered(self, job: Job) -> None:
        """The host answered in good order. Call before `ended`."""
        slot = self._timetable.slot(job.host)
        if slot.backoff:
            self._timetable.recovered(slot)
            self._hosts.save_backoff(job.host, 0)

    def done(self, row: Row) -> None:
        """`row` came to an end and is recorded."""
        self.unfinished -= 1
        self._page_closed(row)

    def moved(self, row: Row, place: Place, hops: tuple[Hop, ...]) -> None:
        """A redirect: the request goes on from `place`."""
        self._requests.move(row, place, hops)
        self._expect_or_ask(row.id, place)

    def broke_off(self, row: Row) -> None:
        """The connection broke: the request is tried again after the host's delay."""
        self._requests.broke_off(row)
        self._expect(Place(row.target, row.host, row.origin))

    def hold(self, row: Row, answered: Answered) -> bool:
        """Hold a request until its next interval. False when no interval is left: then it stays a hold
        and the caller records it."""
        interval = self._retries.interval(row.holds + 1)
        if interval is None:
            return False
        self._requests.hold(row, answered, time.time() + interval)
        self._retries.after(interval, self._release_held(row.id))
        self._page_closed(row)
        return True

    def _page_closed(self, row: Row) -> None:
        if row.kind is not Kind.IMAGE and self._parking.page_closed(row.page_host):
            self._unpark(row.page_host)

    def _release_held(self, request: int) -> Callable[[], None]:
        return lambda: self._release(request)

    def _release(self, request: int) -> None:
        """Ask a request again that was held or stood back."""
        row = self._requests.row(request)
        place = Place(row.url, host_of(row.url), origin_of(row.url))
        self._requests.from_start(row, place, State.PENDING)
        if row.kind is not Kind.IMAGE:
            self._parking.page_opened(row.page_host)
        self._expect_or_ask(request, place)

    # ------------------------------------------------------------------ whole hosts

    def wall(self, job: Job) -> None:
        """A page of the host met a wall. Three in a row hold the host."""
        host = self._hosts.get(job.host)
        host.walls += 1
        if host.walls >= WALLS_IN_A_ROW:
            host.state, host.reason = "held", HoldReason.WALLED_HOST.value
            host.holds += 1
            self._unpark(host.name)
            self._hosts.save(host)
            self._schedule_host(host)
        else:
            self._hosts.save(host)

    def no_wall(self, job: Job) -> None:
        """A page of the host was readable."""
        host = self._hosts.get(job.host)
        if host.walls:
            host.walls = 0
            self._hosts.save(host)

    def close_host(self, name: str, reason: NotRequestedReason) -> None:
        """Nothing more is asked of a host: its requests end with `reason`."""
        host = self._hosts.get(name)
        host.state, host.reason, host.stop = "closed", reason.value, reason
        self._hosts.save(host)
        self._ending[name] = None

    def stop_of(self, name: str) -> NotRequestedReason | None:
        """Why a host was closed, or None."""
        return self._hosts.stop_of(name)

    def _schedule_host(self, host: Host) -> None:
        interval = self._retries.interval(host.holds)
        if interval is None:
            host.stop = GateResult("g2", GateVerdict.HOLD, HoldReason.WALLED_HOST.value)
            self._timetable.wake(host.name)
            return
        self._hosts.save_retry(host, time.time() + interval)

        def retry() -> None:
            host.state, host.walls = "open", WALLS_IN_A_ROW - 1
            self._hosts.save(host)
            self._timetable.wake(host.name)

        self._retries.after(interval, retry)

    # ------------------------------------------------------------------ inside

    def _origin(self, name: str, host_name: str) -> Origin:
        origin = self._origins.get(name, host_name)
        host = self._hosts.get(host_name)
        if origin not in host.origins:
            host.origins.append(origin)
        return origin

    def _expect(self, place: Place) -> None:
        self._origin(place.origin, place.host).drained = False
        if self.stop_of(place.host) is None:
            self._timetable.wake(place.host)
        else:
            self._ending[place.host] = None

    def _unpark(self, page_host: str) -> None:
        self._parking.unpark(page_host)
        for name in self._requests.unpark(page_host):
            self._expect(Place("", host_of(name + "/"), name))


def _unasked(row: Row, result: GateResult) -> Answered:
    return Answered(result, hops=row.hops, signals=result.signals)
