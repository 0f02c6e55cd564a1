"""One crawl: the parts put together, and the way of every answer through them.

Scrapy stands on one side (`crawler.frontier.scheduler` takes jobs, `crawler.spiders` bring answers), the
run folder on the other. Everything happens on one event loop, one answer at a time.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crawler.answers.answers import Answer
from crawler.answers.images import ImageDesk
from crawler.answers.intake import Intake
from crawler.answers.pages import PageDesk
from crawler.answers.scope import Scope
from crawler.frontier.budgets import Budgets
from crawler.frontier.documents import DocumentBook
from crawler.frontier.frontier import Frontier
from crawler.frontier.jobs import Job
from crawler.frontier.origins import Origin, OriginBook
from crawler.frontier.politeness import Timetable, retry_after
from crawler.frontier.requests import Requests, Row
from crawler.store.answers import StoredAnswers
from crawler.store.evidence import EvidenceWriter
from crawler.store.journal import Journal
from crawler.store.rawshards import RawShards
from crawler.store.schema import Kind
from crawler.store.store import Store
from kyodaku.errors import KyodakuError, RunStateError
from kyodaku.gate import GateResult, GateVerdict, OriginFacts
from kyodaku.permission import Permission
from kyodaku.prints import Printer
from kyodaku.reasons import HoldReason, NotRequestedReason
from kyodaku.recipe import Recipe
from kyodaku.registry_client import Answer as RegistryAnswer
from kyodaku.runs import RunFolder
from kyodaku.signals.model import Fetched, LicenceEvidence, Signal
from kyodaku.signals.protocols.robots import PATH as ROBOTS
from kyodaku.signals.protocols.robots import PROTOCOL as ROBOTS_PROTOCOL

_RESTS = frozenset({429, 503})
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outgoing:
    """A job with what its gates need to know: evidence and signals of the pages that show an image."""

    job: Job
    evidence: Sequence[LicenceEvidence] = ()
    signals: Sequence[Signal] = ()


class Crawl:
    """A crawl of one run folder. `now` is the monotonic clock that steers, `clock` Unix time that is
    recorded."""

    def __init__(
        self,
        recipe: Recipe,
        run: RunFolder,
        permission: Permission,
        clock: Callable[[], float],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.recipe = recipe
        self.permission = permission
        self.error: Exception | None = None
        self.seeds_entered = False
        self._clock = clock
        self._now = now
        self._started: dict[Job, float] = {}
        polite, network = recipe.politeness, recipe.network
        run.path.mkdir(parents=True, exist_ok=True)
        self.store = store = Store(run.sqlite)
        store.recover()
        self.service = permission.snapshot.service
        if self.service is not None:
            self.service.answers = StoredAnswers(store)
        self.evidence = _evidence_writer(run.evidence, store, clock)
        self.raw = RawShards(run.raw, store, recipe.shards.raw_samples, clock)
        if self.raw.is_full:  # a kill came between its last sample and its closing
            self.raw.finish_shard()
        self.journal = Journal(store, self.raw, self.evidence, now)
        self.requests = Requests(store)
        self.origins = OriginBook(store, permission, self.evidence, now, polite.hold_retries)
        self.frontier = Frontier(
            store,
            self.requests,
            self.origins,
            DocumentBook(store, permission, self.origins, network.redirects),
            Timetable(
                delay=polite.delay,
                jitter=polite.jitter,
                per_site=polite.connections_per_site,
                max_delay=polite.max_delay,
                share_addresses=not recipe.local_network,
                now=now,
                resumed=store.row("SELECT 1 FROM requests LIMIT 1") is not None,
            ),
            hold_retries=polite.hold_retries,
            max_delay=polite.max_delay,
            now=now,
            service=self.service,
        )
        self.frontier.judge = self
        self.budgets = Budgets(recipe.budgets, store)
        self.scope = Scope(recipe, permission)
        self.intake = Intake(
            store, self.requests, self.frontier, self.scope, self.budgets, recipe.budgets.depth, clock
        )
        self.pages = PageDesk(
            self.requests,
            self.frontier,
            self.intake,
            self.scope,
            permission,
            self.evidence,
            network.redirects,
            clock,
        )
        self.images = ImageDesk(
            store,
            self.requests,
            self.frontier,
            self.raw,
            self.scope,
            self.budgets,
            self.evidence,
            network.redirects,
            recipe.budgets.per_host.same_image,
        )
        self.printer = Printer(network)
        store.set_meta("delay", str(polite.delay))
        self.frontier.restore()
        self.journal.commit()
        self._elapsed_before = float(store.meta("elapsed", "0"))
        self._began = now()

    # ------------------------------------------------------------------ Scrapy's side

    def next(self) -> Outgoing | None:
        """The next request that may be made now, or None."""
        if self.error is not None:
            return None
        if self.out_of_time:
            self.frontier.stopped = True
            return None
        try:
            job = self.frontier.next_job()
            if job is None:
                self.journal.idle()
                self._check_progress()
                return None
        except Exception as error:
            self.fail(error)
            return None
        self._started[job] = self._now()
        if job.row is not None and job.row.kind is Kind.IMAGE:
            return Outgoing(job, *self.images.known(job.row))
        return Outgoing(job)

    def host_file(self, job: Job, fetched: Fetched, *, asked: bool) -> None:
        """The answer to a host-file job."""
        self._settle(job, lambda: self._host_file(job, fetched, asked), asked, _address(fetched))

    def answered(self, job: Job, answer: Answer) -> None:
        """The answer to any other job."""
        self._settle(job, lambda: self._answered(job, answer), answer.asked, answer.address)

    def comes_late(self, job: Job, answer: Answer) -> bool:
        """True for an image that every gate let through while a page said no: it will not be kept."""
        image = job.row is not None and job.row.kind is Kind.IMAGE and answer.result.image is not None
        if self.error is not None or job.row is None or not image or not answer.result.open:
            return False
        try:
            return self.images.late(job.row, answer) is not None
        except Exception as error:
            self.fail(error)
            return False

    def registry_answered(self, answers: Sequence[RegistryAnswer]) -> None:
        """What the registry service said about a batch of addresses; on the disk when this returns."""
        if self.error is not None or self.service is None:
            return
        try:
            with self.store.savepoint():
                self.service.answers.put(answers)
                self.frontier.answered([answer.url for answer in answers])
        except Exception as error:
            self.fail(error)
        self.commit()

    @property
    def elapsed(self) -> float:
        """Seconds this crawl has run, earlier processes included."""
        return self._elapsed_before + self._now() - self._began

    @property
    def out_of_time(self) -> bool:
        """True once the time budget is used up."""
        return self.elapsed >= self.recipe.budgets.time

    @property
    def in_flight(self) -> int:
        """Requests on their way."""
        return len(self._started)

    @property
    def running(self) -> float:
        """Seconds this process has crawled."""
        return self._now() - self._began

    @property
    def tally(self) -> Mapping[str, int]:
        """Images of this process by what became of them: stored, refuse, hold, fail."""
        return self.images.tally

    def counts(self) -> dict[str, int]:
        """What the whole crawl came to, earlier processes included."""
        images = dict(
            self.store.rows(
                "SELECT CASE WHEN not_requested <> '' THEN 'none' ELSE verdict END, count(*)"
                " FROM requests WHERE kind = 2 GROUP BY 1"
            )
        )
        [[stored]] = self.store.rows("SELECT count(*) FROM raw WHERE status = 'success'")
        [[candidates]] = self.store.rows("SELECT count(*) FROM candidates")
        return {
            "pages": self.budgets.all.pages,
            "candidates": candidates,
            "images_asked": self.budgets.all.images,
            "images_stored": stored,
            "images_refused": images.get("refuse", 0),
            "images_held": images.get("hold", 0),
            "images_failed": images.get("fail", 0),
            "images_not_requested": images.get("none", 0),
            "bytes": self.budgets.all.bytes,
        }

    def give_up_rest(self) -> None:
        """The crawl is over: what still waits was not requested for want of time."""
        for row in self.requests.remaining():
            self.conclude(row, NotRequestedReason.BUDGET_TIME)

    def has_work(self) -> bool:
        """True while something may still be asked."""
        return self.error is None and self.frontier.has_work()

    def commit(self) -> None:
        """Commit what was answered so far."""
        if self.error is None:
            try:
                self.store.set_meta("elapsed", f"{self.elapsed:.3f}")
                self.journal.commit()
            except Exception as error:
                self.fail(error)

    def close(self) -> None:
        """Commit and let go of every file. The crawl can be taken up again."""
        self.commit()
        self.raw.close()
        self.evidence.close()
        self.store.close()
        self.printer.close()

    # ------------------------------------------------------------------ the frontier's judge

    def before(self, row: Row) -> GateResult | NotRequestedReason | None:
        """Budgets, and a page's late no."""
        over = self.budgets.exceeded(row)
        if over is None and row.kind is Kind.IMAGE:
            return self.images.before(row)
        return over

    def conclude(self, row: Row, why: GateResult | NotRequestedReason) -> None:
        """Record a request that will not be made."""
        desk = self.images if row.kind is Kind.IMAGE else self.pages
        desk.conclude(row, why)

    def opened(self, origin: Origin, facts: OriginFacts) -> float | None:
        """Sitemaps of an origin in scope enter the frontier; its Crawl-delay."""
        robots = facts.files.get(ROBOTS)
        if robots is None:
            return None
        if self.scope.has_host(origin.host):
            for url in ROBOTS_PROTOCOL.sitemaps(robots):
                self.intake.sitemap(url, 0)
        return ROBOTS_PROTOCOL.crawl_delay(robots, self.recipe.own_tokens)

    def crawl_delay(self, robots: Fetched) -> float:
        """The Crawl-delay in seconds that a robots.txt asks of us; 0 for none."""
        return ROBOTS_PROTOCOL.crawl_delay(robots, self.recipe.own_tokens) or 0.0

    def time_left(self) -> float:
        """Seconds of the time budget that are left."""
        return self.recipe.budgets.time - self.elapsed

    # ------------------------------------------------------------------ inside

    def _check_progress(self) -> None:
        """Work that nothing will ever make due would be a bug of ours: end loudly, do not wait for ever."""
        idle = self.seeds_entered and not (self._started or self.frontier.asking)
        idle = idle and self.frontier.next_due() is None
        if idle and self.frontier.has_work():
            raise RunStateError("requests are left, but none will become due; run the same command again")

    def _settle(self, job: Job, work: Callable[[], None], asked: bool, address: str) -> None:
        try:
            if self.error is None:
                self._try(job, work)
        finally:
            self._started.pop(job, None)
            self.frontier.ended(job, asked=asked, address=address)
        if self.error is None:
            try:
                self.journal.answered()
            except Exception as error:
                self.fail(error)

    def _try(self, job: Job, work: Callable[[], None]) -> None:
        """One answer is recorded whole or not at all. A bug of ours holds the request it met; where that
        cannot be written down either, the crawl ends."""
        try:
            with self.store.savepoint():
                work()
        except Exception as error:
            if job.row is None or isinstance(error, (KyodakuError, sqlite3.Error, OSError)):
                self.fail(error)
                return
            _log.exception("%s: held, because its answer could not be judged", job.url)
            held = GateResult("g0", GateVerdict.HOLD, HoldReason.GATE_EXCEPTION.value)
            try:
                with self.store.savepoint():
                    self.conclude(job.row, held)
            except Exception as second:
                self.fail(second)

    def fail(self, error: Exception) -> None:
        """Stop: the last commit stays the truth."""
        if self.error is None:
            self.error = error
            self.frontier.stopped = True
            self.store.rollback()

    def _host_file(self, job: Job, fetched: Fetched, asked: bool) -> None:
        if asked:
            failed = fetched.error is not None
            self.budgets.spend(job.host, None, len(fetched.body), self._waited(job), failed=failed)
            if fetched.status in _RESTS:
                self.frontier.slow_down(job, retry_after(fetched.headers, self._clock()))
            elif not failed:
                self.frontier.recovered(job)
        self.frontier.host_file(job, fetched)

    def _answered(self, job: Job, answer: Answer) -> None:
        row = job.row
        assert row is not None  # noqa: S101 - host-file jobs go to `host_file`
        if self.printer.error is not None:  # what is refused would not be known again
            raise self.printer.error
        fetched = answer.fetched
        if answer.asked:
            failed = fetched.error is not None or (fetched.status or 500) >= 500
            self.budgets.spend(job.host, row.kind, len(fetched.body), self._waited(job), failed=failed)
            if fetched.status in _RESTS:
                self.frontier.slow_down(job, retry_after(fetched.headers, self._clock()))
            elif not answer.broke_off:
                self.frontier.recovered(job)
        if answer.broke_off and row.attempts < self.recipe.politeness.retries:
            self.frontier.broke_off(row)
        elif row.kind is Kind.IMAGE:
            self.images.answered(row, answer)
        else:
            self.pages.answered(job, row, answer)

    def _waited(self, job: Job) -> float:
        return self._now() - self._started.get(job, self._now())


def _evidence_writer(folder: Path, store: Store, clock: Callable[[], float]) -> EvidenceWriter:
    number = int(store.meta("warc_number", "0"))
    writer = EvidenceWriter(folder, number, store.file_length(f"evidence/{number:05d}.warc.gz"), clock)
    for path in folder.glob("*.warc.gz"):
        if path.name > writer.name:  # begun by a process that was killed before it could say so
            path.unlink()
    return writer


def _address(fetched: Fetched) -> str:
    return fetched.hops[-1].ip if fetched.hops else ""
