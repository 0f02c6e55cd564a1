"""The crawl as a stage: from a recipe to raw shards, evidence, hosts.parquet and candidates/."""

from __future__ import annotations

from crawler.answers.seeds import read_list
from crawler.crawl import Crawl
from crawler.run import run_scrapy
from crawler.store.export import export, forget_facts
from kyodaku.netguard import NetPolicy, load_host_table
from kyodaku.permission import Permission, Rules
from kyodaku.registry_client import EMPTY_SNAPSHOT
from kyodaku.stages import StageContext, StageSummary

#: Meta keys: the tables are exported; crawl.sqlite no longer holds what they hold.
DONE = "crawl_done"
COMPACT = "compacted"


def crawl(context: StageContext) -> StageSummary:
    """Crawl, or go on with a crawl, until nothing is left to ask.

    Raises:
        DiskFullError: after a clean stop; running again goes on.
        RunStateError: crawl.sqlite is another version's.
        UsageError: the host table or a URL list cannot be read.
    """
    for name in context.recipe.seeds.url_lists:  # what is no list is said before anything is asked
        next(read_list(context.recipe_path.parent / name), None)
    crawling = Crawl(context.recipe, context.run, _permission(context), context.clock)
    try:
        if crawling.store.meta(DONE) != "yes":
            run_scrapy(context, crawling)
            if crawling.error is not None:
                raise crawling.error
            if not crawling.seeds_entered or crawling.has_work() or crawling.in_flight:
                crawling.commit()
                return _summary(crawling, complete=False)
            _finish(context, crawling)
        if crawling.store.meta(COMPACT) != "yes":
            crawling.store.compact()
            crawling.store.set_meta(COMPACT, "yes")
            crawling.store.commit()
        return _summary(crawling, complete=True)
    finally:
        crawling.close()


def _permission(context: StageContext) -> Permission:
    recipe = context.recipe
    table = None
    if recipe.network.host_table:
        table = load_host_table(context.recipe_path.parent / recipe.network.host_table)
    return Permission(Rules.from_recipe(recipe, NetPolicy(host_table=table)), EMPTY_SNAPSHOT, context.clock)


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


def _summary(crawling: Crawl, *, complete: bool) -> StageSummary:
    counts = crawling.counts()
    pages, stored = counts["pages"], counts["images_stored"]
    lines = [
        f"{pages:,} pages asked, {counts['candidates']:,} candidates found",
        f"{stored:,} images stored, {counts['images_refused']:,} refused, {counts['images_held']:,} held, "
        f"{counts['images_failed']:,} failed, {counts['images_not_requested']:,} not requested",
    ]
    if not complete:
        lines.append("stopped before the end; run the same command again to go on")
    return StageSummary("crawl", complete, tuple(lines), counts)
