"""`kyodaku recheck`: every kept image of a run is asked about again, politely, as long as it takes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from kyodaku.decision import addresses
from kyodaku.errors import RunStateError
from kyodaku.fetcher import Fetcher
from kyodaku.gate import GateVerdict, Need
from kyodaku.netguard import HostTable, NetPolicy, load_host_table
from kyodaku.permission import Permission
from kyodaku.reasons import HoldReason
from kyodaku.recheck.asking import Ask, AskingAgain, KnownPage
from kyodaku.recheck.notebook import Notebook
from kyodaku.recheck.overlay import KEPT, unchecked
from kyodaku.records import HOSTS, PAGES, Candidate
from kyodaku.registry_client import Service, load_registries
from kyodaku.release.tables import read_table, shard_names
from kyodaku.rules import Rules
from kyodaku.runs import RunFolder
from kyodaku.signals.model import Fetched
from kyodaku.spawning import SpawningClient, require_key
from kyodaku.stages import StageContext, StageSummary, counted
from kyodaku.turns import CrawlDelays

#: Holds that are an answer: asking once more a little later brings no other.
_ANSWERED = frozenset({HoldReason.CHANGED_SINCE, HoldReason.NO_LONGER_SHOWN})
#: What a candidate has from the page alone, and not from a list or a sitemap that names it for the page.
_OF_THE_PAGE = (
    "alt", "link_text", "page_title", "schema_name", "schema_description", "schema_creator", "schema_credit",
    "language",
)  # fmt: skip


@dataclass(frozen=True)
class _Kept:
    """One candidate to ask about again."""

    shard: str
    candidate: Candidate
    page: KnownPage | None


def recheck(context: StageContext) -> StageSummary:
    """Ask again about every kept image. Raises RunStateError if nothing was curated."""
    return _recheck(context, context.clock())


def recheck_stale(context: StageContext) -> StageSummary:
    """Ask again about those kept images whose answers are older than the recipe allows."""
    return _recheck(context, context.clock() - context.recipe.release.recheck_after)


def _recheck(context: StageContext, before: float) -> StageSummary:
    run = context.run
    if not shard_names(run.decisions):
        raise RunStateError(f"{run.path} has no decisions yet; run kyodaku curate first")
    if not run.recheck_sqlite.exists() and next(unchecked(run, KEPT, before, context.clock()), None) is None:
        return StageSummary("recheck", True, ("every kept image was asked about lately",), {"asked": 0})
    require_key(context.recipe)
    notebook = Notebook(run, before)
    too_old = context.clock() - context.recipe.release.recheck_after
    notebook.before = max(notebook.before, too_old)
    try:
        lists = bool(context.recipe.seeds.url_lists) or _has_sitemaps(run)
        kept = _kept(run, notebook, too_old, context.clock(), lists=lists)
        complete = asyncio.run(_ask_all(context, kept, notebook))
    except KeyboardInterrupt:
        complete = False
    except BaseException:
        notebook.close()
        raise
    if not complete:
        notebook.close()
        return StageSummary("recheck", False, ("stopped; run again to go on where it stopped",))
    verdicts = Counter(notebook.answered().values())
    moved = notebook.changed_pages()
    asked = notebook.finish()
    told = _lines(asked, verdicts, moved)
    return StageSummary("recheck", True, told, {"asked": asked, "changed_page": moved, **verdicts})


def _lines(asked: int, verdicts: Mapping[str, int], moved: int) -> tuple[str, ...]:
    refused, held = verdicts[GateVerdict.REFUSE], verdicts[GateVerdict.HOLD]
    line = f"{counted(asked, 'image')} asked about again: {verdicts[GateVerdict.PROCEED] - moved:,} as before"
    parts = [
        f"{moved:,} on a page that changed" if moved else "",
        f"{refused:,} now refused" if refused else "",
        f"{held:,} now on hold" if held else "",
    ]
    told = [line + "".join(f", {part}" for part in parts if part)]
    if refused or held or moved:
        told.append("run kyodaku curate: it decides again and takes out what was refused")
    return tuple(told)


def _kept(run: RunFolder, notebook: Notebook, too_old: float, now: float, *, lists: bool) -> list[_Kept]:
    """What is still to be asked, images of one page together. `lists`: something else than pages may have
    named images."""
    done = notebook.answered(since=too_old)
    rows = [
        (shard, row)
        for shard, row in unchecked(run, KEPT, notebook.before, now)
        if done.get(row["candidate_id"], GateVerdict.HOLD) == GateVerdict.HOLD
    ]
    pages = _pages(run, {row["page_url"] for _, row in rows})
    found = []
    for shard, row in rows:
        url = row["page_url"]
        page = pages.get(url, KnownPage(url)) if url else None
        if page is not None:
            showed = bool(row["page_sha256"]) and (not lists or any(row[name] for name in _OF_THE_PAGE))
            page = replace(page, sha256=row["page_sha256"], showed=showed)
        found.append(_Kept(shard, Candidate.from_row(row), page))
    return sorted(found, key=lambda kept: (kept.candidate.page_url, kept.candidate.image_url))


def _has_sitemaps(run: RunFolder) -> bool:
    return run.pages.is_file() and "sitemap" in read_table(run.pages, PAGES, ["kind"])["kind"].to_pylist()


def _pages(run: RunFolder, urls: set[str]) -> dict[str, KnownPage]:
    """Validators of pages. None are used where the crawl met documents: a page that has not changed says
    nothing about what it points at."""
    files = read_table(run.hosts, HOSTS, ["path"]).column("path").to_pylist() if run.hosts.is_file() else []
    if any("://" in path for path in files):
        return {}
    rows = read_table(run.pages, PAGES, ["url", "etag", "last_modified", "final_url"]).to_pylist()
    return {
        row["url"]: KnownPage(row["url"], row["etag"], row["last_modified"], final_url=row["final_url"])
        for row in rows
        if row["url"] in urls
    }


async def _ask_all(context: StageContext, kept: Sequence[_Kept], notebook: Notebook) -> bool:
    recipe = context.recipe
    polite = recipe.politeness
    net = NetPolicy(host_table=_host_table(context))
    permission = Permission(
        Rules.from_recipe(recipe, net), load_registries(recipe, context.recipe_path), context.clock
    )
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    fetcher = Fetcher.for_recipe(recipe, net, clock=context.clock)
    delays = CrawlDelays(recipe.own_tokens)
    shown = Progress(*columns, console=context.console, disable=context.quiet)
    with closing(permission), shown as progress:
        task = progress.add_task("recheck", total=len(kept))
        async with fetcher:

            def heard(need: Need, answer: Fetched) -> None:
                wish = delays.heard(need, answer)
                if wish is not None:
                    fetcher.slow_down(*wish)

            section = recipe.registries.spawning
            client = None if section is None else SpawningClient.of(section, fetcher.get, context.clock)
            query = None if client is None else client.query
            heads = _Heads(fetcher.get, kept)
            again = AskingAgain(permission, heads.get, recipe.network.redirects, heard, query)
            waiting = list(kept)
            try:
                await _require_registry(again, permission.snapshot.service, kept)
                for pause in (0.0, *polite.hold_retries):
                    if not waiting:
                        break
                    await asyncio.sleep(pause)
                    again.forget_failures()
                    heads.forget()
                    waiting = await _round(
                        again, waiting, notebook, polite.connections, lambda: progress.advance(task)
                    )
            finally:
                heads.forget()
                await again.close()
    return True


class _Heads:
    """Sends requests, and the HEAD for an image that several pages show once a round."""

    def __init__(self, ask: Ask, kept: Sequence[_Kept]) -> None:
        self._ask = ask
        shown = Counter(item.candidate.image_url for item in kept)
        self._shared = {url for url, count in shown.items() if count > 1}
        self._asked: dict[str, asyncio.Task[Fetched]] = {}

    async def get(self, need: Need) -> Fetched:
        """What came of `need`, or of the same one a moment ago."""
        if need.method != "HEAD" or need.url not in self._shared:
            return await self._ask(need)
        if need.url not in self._asked:
            self._asked[need.url] = asyncio.ensure_future(self._ask(need))
        return await asyncio.shield(self._asked[need.url])

    def forget(self) -> None:
        """Ask anew from now on; give up what is under way."""
        for task in self._asked.values():
            task.cancel()
        self._asked.clear()


async def _round(
    again: AskingAgain,
    kept: Sequence[_Kept],
    notebook: Notebook,
    at_once: int,
    answered: Callable[[], None],
) -> list[_Kept]:
    """Ask about each once; those that are held and worth another question. `answered` is called for each of
    the others."""
    held: list[_Kept] = []
    await again.ask_registry([url for item in kept for url in _addresses(item)])
    room = asyncio.Semaphore(at_once * 4)  # most of them wait for their host's turn

    async def one(item: _Kept) -> None:
        async with room:
            answer = await again.recheck(item.candidate, item.page)
        notebook.note(item.shard, answer)
        if answer.result.verdict is GateVerdict.HOLD and answer.result.reason not in _ANSWERED:
            held.append(item)
        else:
            answered()

    async with asyncio.TaskGroup() as group:
        for item in kept:
            group.create_task(one(item))
    return held


async def _require_registry(again: AskingAgain, service: Service | None, kept: Sequence[_Kept]) -> None:
    """Ask the registry service about everything. Raises RunStateError where it answers for nothing at all:
    held on that, all of a set would be taken out because a service is down."""
    urls = [url for item in kept for url in _addresses(item)]
    if service is None or not urls:
        return
    await again.ask_registry(urls)
    if all(service.unanswered(url) for url in urls):
        first = service.answers.get(urls[0])
        why = f" ({first.raw})" if first is not None else ""
        raise RunStateError(
            f"{service.endpoint} answers for no address{why}; nothing was asked; run again later"
        )


def _addresses(item: _Kept) -> list[str]:
    """Where an image and its page lay when the crawl asked for them."""
    page = [item.page.url, item.page.final_url] if item.page is not None else []
    return [url for url in (*page, *addresses(item.candidate)) if url]


def _host_table(context: StageContext) -> HostTable | None:
    name = context.recipe.network.host_table
    return load_host_table(context.recipe_path.parent / name) if name else None
