"""How a crawl is doing, read from crawl.sqlite while another process writes it. Needs no Scrapy."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from kyodaku.errors import RunStateError
from kyodaku.lock import holder
from kyodaku.runs import RunFolder
from kyodaku.stages import counted

if TYPE_CHECKING:
    from rich.console import Group

_LISTED = 10

#: Candidates whose image was asked for: what a report calls "asked for".
_ASKED = """
SELECT count(*) FROM candidates c JOIN requests i ON i.id = c.image AND i.kind = 2
WHERE i.hops <> '[]' OR (c.verdict = 'proceed' AND i.gate IN ('g4', 'g5'))
"""
#: Requests of `host_files` by purpose. What several rows rest on counts once (kyodaku/report/asked.py).
_ASKING = """
SELECT purpose, count(*) FROM (
    SELECT DISTINCT CASE WHEN f.path = '/robots.txt' THEN 'robots' WHEN f.path LIKE '/%' THEN 'files'
                         ELSE 'documents' END AS purpose,
           json_extract(hop.value, '$[0]'), f.warc_file, f.warc_offset, f.fetched_at,
           CASE WHEN f.path LIKE '/%' AND f.verdict <> ''
                THEN f.origin || f.path || ' ' || hop.key ELSE '' END,
           CASE WHEN f.path LIKE '/%' AND f.verdict <> '' AND f.warc_file = '' THEN f.id ELSE 0 END
    FROM host_files f, json_each(f.hops) hop
) GROUP BY purpose
"""
_WORST_ORIGIN = """
SELECT w.origin FROM origins w WHERE w.host = h.host
ORDER BY CASE w.state WHEN 'refused' THEN 0 WHEN 'held' THEN 1 WHEN 'open' THEN 2 ELSE 3 END, w.origin LIMIT 1
"""


@dataclass(frozen=True)
class HostLine:
    """One host: its own state, or, while that is open, the worst state of its origins, with the reason;
    requests made, of which `host_files` asked for permission and `failures` broke off or met a 5xx, and the
    mean seconds that an answer took."""

    host: str
    state: str  # open | held | refused | closed | unknown | fetching
    reason: str
    requests: int
    host_files: int
    failures: int
    mean_seconds: float


@dataclass(frozen=True)
class HoldLine:
    """What is held for one reason; `next_retry` is Unix time, 0 when it stays a hold."""

    what: str  # origin | host | page | image
    reason: str
    count: int
    next_retry: float


@dataclass(frozen=True)
class Status:
    """A crawl at one moment. Rates are per second over all the time it ran.

    `state` is running, stopped (asked to, or killed) or finished; `pid` is the process that works on the
    run, 0 where none does; `resume` is the command that goes on with a stopped crawl.
    `funnel` counts candidates, images known, candidates whose image was asked for (as reports count them)
    and images stored; `images` counts image requests by verdict;
    `host_files` are the requests that asking for permission cost, redirects included; of them, `robots_files`
    those for robots.txt and `documents` those for licences and policies that others name.
    `time_left` in seconds is an estimate from what waits now, None where nothing can be said.
    """

    finished: bool
    state: str
    pid: int
    resume: str
    elapsed: float
    pages: int
    pages_per_s: float
    images_stored: int
    images_per_s: float
    megabytes: float
    host_files: int
    robots_files: int
    documents: int
    waiting: int
    funnel: dict[str, int]
    images: dict[str, int]
    origins: dict[str, int]
    slowest: tuple[HostLine, ...]
    failing: tuple[HostLine, ...]
    holds: tuple[HoldLine, ...]
    time_left: float | None

    def render(self) -> Group:
        """The status as a terminal shows it."""
        from rich.console import Group

        tables = [_figures(self), _hosts("Slowest hosts", self.slowest)]
        if self.failing:
            tables.append(_hosts("Failing hosts", self.failing))
        if self.holds:
            tables.append(_holds(self.holds))
        return Group(*tables)


def read_status(run: RunFolder, resume: str = "kyodaku run RECIPE") -> Status:
    """Read a running, stopped or finished crawl. `resume` is the command that would go on with it.

    Raises:
        RunStateError: the run has not crawled yet, or another version of kyodaku wrote it.
    """
    if not run.sqlite.is_file():
        raise RunStateError(f"{run.path} has not crawled yet; start it with: kyodaku crawl")
    try:
        with closing(sqlite3.connect(f"file:{quote(str(run.sqlite))}?mode=ro", uri=True)) as db:
            db.execute("PRAGMA busy_timeout = 5000")
            pid = holder(run)
            db.execute("BEGIN")  # one moment for all the queries
            return _read(db, pid or 0, resume)
    except sqlite3.Error as error:
        raise RunStateError(f"{run.sqlite}: cannot be read as a crawl: {error}") from error


def _read(db: sqlite3.Connection, pid: int, resume: str) -> Status:
    meta = dict(db.execute("SELECT key, value FROM meta"))
    elapsed = float(meta.get("elapsed", "0"))
    asking = dict(db.execute(_ASKING))
    pages, image_requests, host_files, size = db.execute(
        "SELECT coalesce(sum(pages), 0), coalesce(sum(images), 0), coalesce(sum(host_files), 0),"
        " coalesce(sum(bytes), 0) FROM hosts"
    ).fetchone()
    [stored] = db.execute("SELECT count(*) FROM raw WHERE status = 'success'").fetchone()
    [candidates] = db.execute("SELECT count(*) FROM candidates").fetchone()
    [asked] = db.execute(_ASKED).fetchone()
    [known] = db.execute("SELECT count(*) FROM requests WHERE kind = 2").fetchone()
    [waiting] = db.execute("SELECT count(*) FROM requests WHERE state <> 2").fetchone()
    images = dict(
        db.execute(
            "SELECT CASE WHEN not_requested <> '' THEN 'not_requested' WHEN verdict = '' THEN 'waiting'"
            " ELSE verdict END, count(*) FROM requests WHERE kind = 2 GROUP BY 1 ORDER BY 1"
        )
    )
    finished = meta.get("crawl_done") == "yes"
    return Status(
        finished=finished,
        state="finished" if finished else "running" if pid else "stopped",
        pid=pid,
        resume=resume,
        elapsed=elapsed,
        pages=pages,
        pages_per_s=_rate(pages, elapsed),
        images_stored=stored,
        images_per_s=_rate(stored, elapsed),
        megabytes=size / 1e6,
        host_files=host_files,
        robots_files=asking.get("robots", 0),
        documents=asking.get("documents", 0),
        waiting=waiting,
        funnel={"candidates": candidates, "images": known, "asked": asked, "stored": stored},
        images=images,
        origins=dict(db.execute("SELECT state, count(*) FROM origins GROUP BY 1 ORDER BY 1")),
        slowest=_host_lines(db, "seconds / (pages + images + host_files)"),
        failing=tuple(line for line in _host_lines(db, "failures") if line.failures),
        holds=_hold_lines(db, finished=finished),
        time_left=0.0
        if finished
        else _time_left(db, elapsed, pages + image_requests, float(meta.get("delay", "0"))),
    )


def _rate(count: int, seconds: float) -> float:
    return count / seconds if seconds > 0 else 0.0


def _host_lines(db: sqlite3.Connection, order: str) -> tuple[HostLine, ...]:
    rows = db.execute(
        "SELECT h.host, CASE WHEN h.state <> 'open' THEN h.state ELSE coalesce(o.state, h.state) END,"
        " CASE WHEN h.state <> 'open' THEN h.reason ELSE coalesce(o.reason, h.reason) END,"
        " pages + images + host_files, host_files, failures, seconds / (pages + images + host_files)"
        f" FROM hosts h LEFT JOIN origins o ON o.origin = ({_WORST_ORIGIN})"
        f" WHERE pages + images + host_files > 0 ORDER BY {order} DESC, h.host LIMIT {_LISTED}"
    )
    return tuple(HostLine(*row) for row in rows)


def _hold_lines(db: sqlite3.Connection, *, finished: bool) -> tuple[HoldLine, ...]:
    """A finished crawl asks nobody again."""
    rows = db.execute(
        "SELECT what, reason, count(*), min(retry) FROM ("
        " SELECT 'origin' AS what, reason, next_retry AS retry FROM origins WHERE state = 'held'"
        " UNION ALL SELECT 'host', reason, next_retry FROM hosts WHERE state = 'held'"
        " UNION ALL SELECT CASE kind WHEN 2 THEN 'image' ELSE 'page' END, reason,"
        " CASE state WHEN 3 THEN next_retry ELSE 0 END FROM requests WHERE verdict = 'hold'"
        ") GROUP BY what, reason ORDER BY 3 DESC, 1, 2"
    )
    lines = (HoldLine(*row) for row in rows)
    return tuple(replace(line, next_retry=0.0) if finished else line for line in lines)


def _time_left(db: sqlite3.Connection, elapsed: float, done: int, delay: float) -> float | None:
    """The longer of: all that waits at the rate so far, and the slowest host at its own pace."""
    rows = db.execute(
        "SELECT count(*), coalesce(max(h.delay, h.backoff), 0),"
        " coalesce(h.seconds / nullif(h.pages + h.images + h.host_files, 0), 0)"
        " FROM requests r LEFT JOIN hosts h ON h.host = r.host WHERE r.state <> 2 GROUP BY r.host"
    ).fetchall()
    if not rows:
        return 0.0
    if done == 0 or elapsed <= 0:
        return None
    together = sum(count for count, *_ in rows) * elapsed / done
    alone = max(count * (max(delay, own) + seconds) for count, own, seconds in rows)
    return float(max(together, alone))


# --------------------------------------------------------------------------- for people


def _figures(status: Status) -> Any:
    from rich.table import Table

    table = Table(show_header=False, box=None, padding=(0, 2))
    stored = f"{status.images_stored:,} stored ({status.images_per_s:.1f}/s)"
    rows = {
        "state": _state(status),
        "ran for": _span(status.elapsed),
        "pages": f"{status.pages:,} ({status.pages_per_s:.1f}/s)",
        "images": f"{stored}, {status.megabytes:,.1f} MB",
        "funnel": " > ".join(f"{count:,} {name}" for name, count in status.funnel.items()),
        "image requests": ", ".join(f"{count:,} {name}" for name, count in status.images.items()) or "none",
        "origins": ", ".join(f"{count:,} {name}" for name, count in status.origins.items()) or "none",
        "host files": f"{counted(status.host_files, 'request')} to ask for permission: "
        f"{status.robots_files:,} for robots.txt, "
        f"{status.host_files - status.robots_files - status.documents:,} for other host files, "
        f"{status.documents:,} for documents",
        "waiting": counted(status.waiting, "request"),
    }
    for name, text in rows.items():
        table.add_row(f"[bold]{name}[/]", text)
    return table


def _state(status: Status) -> str:
    if status.state == "running":
        return f"running (process {status.pid}), about {_span(status.time_left)} left"
    if status.state == "stopped":
        return f"stopped; go on with: {status.resume}"
    return f"finished; process {status.pid} works on the run" if status.pid else "finished"


def _hosts(title: str, lines: Sequence[HostLine]) -> Any:
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for name in ("host", "state", "reason"):
        table.add_column(name, overflow="fold")  # a name is never cut off
    for name, width in (("requests", 8), ("host files", 6), ("failures", 8), ("mean answer", 8)):
        table.add_column(name, max_width=width)
    for line in lines:
        seconds = f"{line.mean_seconds:.2f} s"
        counts = (f"{count:,}" for count in (line.requests, line.host_files, line.failures))
        table.add_row(line.host, line.state, line.reason, *counts, seconds)
    return table


def _holds(lines: Sequence[HoldLine]) -> Any:
    from rich.table import Table

    table = Table("held", "reason", "count", "next retry", title="Holds", title_justify="left")
    now = time.time()
    for line in lines:
        retry = f"in {_span(max(0.0, line.next_retry - now))}" if line.next_retry else "stays held"
        table.add_row(line.what, line.reason, f"{line.count:,}", retry)
    return table


def _span(seconds: float | None) -> str:
    if seconds is None:
        return "an unknown time"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
