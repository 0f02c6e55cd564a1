"""The crawl as a stage: from a recipe to raw shards, evidence, hosts.parquet and candidates/."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from crawler.answers.seeds import read_list
from crawler.crawl import Crawl
from crawler.run import run_scrapy
from crawler.store.export import export, forget_facts
from kyodaku.errors import DiskFullError, RunStateError
from kyodaku.netguard import HostTable, NetPolicy, load_host_table
from kyodaku.permission import Permission
from kyodaku.recipe import start_web
from kyodaku.registry_client import load_registries
from kyodaku.rules import Rules
from kyodaku.runs import RunFolder
from kyodaku.spawning import require_key
from kyodaku.stages import StageContext, StageSummary, counted

#: Meta keys: the tables are exported; crawl.sqlite no longer holds what they hold.
DONE = "crawl_done"
COMPACT = "compacted"

_WHY_NOT = """
SELECT CASE WHEN not_requested <> '' THEN 'not requested' WHEN verdict = 'refuse' THEN 'refused'
       ELSE 'held' END, CASE not_requested WHEN '' THEN reason ELSE not_requested END, count(*)
FROM requests GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT ?
"""
_REASONS_SHOWN = 5
#: Seconds that an address of this machine is given to answer.
_KNOCK = 1.0


def crawl(context: StageContext) -> StageSummary:
    """Crawl, or go on with a crawl, until nothing is left to ask.

    A full disk stops it cleanly: the summary says so, and running again goes on.

    Raises:
        DiskFullError: the crawl could not even be opened.
        RunStateError: crawl.sqlite is damaged, another version's, or gone while the run's files are there.
        UsageError: the host table or a URL list cannot be read.
    """
    _require_database(context.run)
    for name in context.recipe.seeds.url_lists:  # what is no list is said before anything is asked
        next(read_list(context.recipe_path.parent / name), None)
    with _database_errors(context.run), closing(_permission(context)) as permission:
        crawling = Crawl(context.recipe, context.run, permission, context.clock)
        try:
            with _database_errors(context.run):
                return _crawl(context, crawling)
        except DiskFullError as error:
            crawling.fail(error)
            return _summary(crawling, str(error))
        finally:
            crawling.close()


def _crawl(context: StageContext, crawling: Crawl) -> StageSummary:
    if crawling.store.meta(DONE) != "yes":
        require_key(context.recipe)
        run_scrapy(context, crawling)
        if crawling.error is not None:
            raise crawling.error
        if not crawling.seeds_entered or crawling.has_work() or crawling.in_flight:
            crawling.commit()
            return _summary(crawling, "stopped before the end; run the same command again to go on")
        _finish(context, crawling)
    if crawling.store.meta(COMPACT) != "yes":
        crawling.store.compact()
        crawling.store.set_meta(COMPACT, "yes")
        crawling.store.commit()
    return _summary(crawling, notes=_why_nothing_was_asked(context, crawling))


def _why_nothing_was_asked(context: StageContext, crawling: Crawl) -> tuple[str, ...]:
    """Lines for a crawl that is over and asked for no page and no image; none for any other."""
    counts = crawling.counts()
    if counts["pages"] or counts["images_asked"]:
        return ()
    rows = crawling.store.rows(_WHY_NOT, (_REASONS_SHOWN,))
    reasons = (
        ", ".join(f"{count:,} {what} ({why})" for what, why, count in rows) or "there was nothing to ask"
    )
    again = "once that is mended, begin again with --new"
    lines = [f"no page and no image could be asked: {reasons}; {again}"]
    if context.recipe.network.host_table:
        path = context.recipe_path.parent / context.recipe.network.host_table
        if not _anybody_listens(load_host_table(path)):
            lines.append(f"nobody listens at the addresses of its host table: {start_web(path)}")
    return tuple(lines)


def _anybody_listens(table: HostTable) -> bool:
    for target in set(table.entries.values()):
        try:
            socket.create_connection((target.ip, target.port), timeout=_KNOCK).close()
        except OSError:
            continue
        return True
    return False


def _require_database(run: RunFolder) -> None:
    """crawl.sqlite is the truth about what lies beside it: without it, nothing may be added there."""
    if run.sqlite.is_file() and run.sqlite.stat().st_size:
        return
    if any(any(folder.glob("*")) for folder in (run.candidates, run.raw, run.evidence)):
        raise RunStateError(f"{run.sqlite} is gone but this run has files; start with --new")


@contextmanager
def _database_errors(run: RunFolder) -> Iterator[None]:
    """What SQLite raises inside the block as one of our errors, naming the file."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # without its extension
        if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL):
            message = f"cannot write {run.sqlite} ({error}): is the disk full? free some and run again"
            raise DiskFullError(message) from error
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            message = f"{run.sqlite} is damaged ({error}); start with --new"
            raise RunStateError(message) from error
        if code == sqlite3.SQLITE_CANTOPEN:
            raise RunStateError(f"{run.sqlite} cannot be opened ({error})") from error
        raise


def _permission(context: StageContext) -> Permission:
    recipe = context.recipe
    table = None
    if recipe.network.host_table:
        table = load_host_table(context.recipe_path.parent / recipe.network.host_table)
    registries = load_registries(recipe, context.recipe_path)
    return Permission(Rules.from_recipe(recipe, NetPolicy(host_table=table)), registries, context.clock)


def _finish(context: StageContext, crawling: Crawl) -> None:
    crawling.give_up_rest()
    crawling.commit()
    if crawling.error is not None:
        raise crawling.error
    crawling.raw.finish_shard()
    export(context.run, crawling.store)
    forget_facts(crawling.store)
    crawling.store.set_meta(DONE, "yes")
    crawling.commit()


def _summary(crawling: Crawl, stopped: str = "", notes: tuple[str, ...] = ()) -> StageSummary:
    """`stopped` says why the crawl is not at its end; empty when it is."""
    counts = crawling.counts()
    pages, stored = counts["pages"], counts["images_stored"]
    lines = [
        f"{counted(pages, 'page')} asked, {counted(counts['candidates'], 'candidate')} found",
        f"{counted(stored, 'image')} stored, {counts['images_refused']:,} refused, "
        f"{counts['images_held']:,} held, {counts['images_failed']:,} failed, "
        f"{counts['images_not_requested']:,} not requested",
    ]
    lines += notes
    if stopped:
        lines.append(stopped)
    return StageSummary("crawl", not stopped, tuple(lines), counts)
