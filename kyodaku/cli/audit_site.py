"""Asking a running site for `kyodaku signals audit`: by whose name, how gently, and through which gates."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from kyodaku.audit.asking import Asking, Gates, SiteAnswers, ask_site
from kyodaku.audit.live import Audited, audit_site, bodies, unknown_files
from kyodaku.errors import KyodakuError
from kyodaku.fetcher import Fetcher
from kyodaku.gate import NeedKind
from kyodaku.netguard import NetPolicy, load_host_table
from kyodaku.permission import Permission
from kyodaku.reasons import HoldReason, RefuseReason
from kyodaku.recipe import Recipe, load_recipe, parse_recipe, recipe_file
from kyodaku.registry_client import EMPTY_SNAPSHOT
from kyodaku.rules import Rules
from kyodaku.signals.model import Fetched
from kyodaku.signals.protocols.robots import PATH as ROBOTS
from kyodaku.signals.protocols.robots import PROTOCOL as ROBOTS_PROTOCOL
from kyodaku.signals.tokens import purpose_tokens
from kyodaku.turns import CrawlDelays
from kyodaku.urls import normalise_url, origin_of

#: Seconds between two requests beyond which a person would think that nothing happens any more.
_MAX_DELAY = 60.0
_IMAGES = 3


def look(url: str, recipe: Path | None, host_table: Path | None) -> Audited:
    """Ask the site at `url`. Raises KyodakuError when it may not be asked, or only too slowly."""
    rules_of, net = _rules_of(recipe, host_table)
    rules = Rules.from_recipe(rules_of, net)
    own = replace(rules, purpose_tokens=(), mode="policy")
    heard = replace(rules, purpose_tokens=rules.purpose_tokens or purpose_tokens())
    with ExitStack() as stack:
        files, door, hearing = (
            stack.enter_context(closing(Permission(which, EMPTY_SNAPSHOT, time.time, protocols)))
            for which, protocols in ((own, None), (own, (ROBOTS_PROTOCOL,)), (heard, None))
        )
        first = door.g0(url)
        if not first.open:
            raise KyodakuError(f"{url} may not be asked: {_words(first.reason)}")
        url = normalise_url(url)
        gates = Gates(files, door, hearing)
        machine = ask_site(gates, url, images=_IMAGES, redirects=rules_of.network.redirects)
        answers = asyncio.run(_drive(machine, rules_of, net))
        home = answers.origins[origin_of(url)]
        said = {image.url: (*image.page, *image.address) for image in answers.images}
        if answers.page_url:  # its images may lie elsewhere
            said[answers.page_url] = answers.signals
        return Audited(
            home.origin,
            audit_site(answers, own=door, now=time.time()),
            bodies(home),
            unknown_files(home),
            said,
        )


def _words(reason: str) -> str:
    known = RefuseReason.parse(reason) or HoldReason.parse(reason)
    return known.text if known is not None else reason


def _rules_of(recipe: Path | None, host_table: Path | None) -> tuple[Recipe, NetPolicy]:
    if recipe is not None:
        chosen = load_recipe(recipe)
        if host_table is None and chosen.network.host_table:
            host_table = recipe_file(recipe).parent / chosen.network.host_table
    else:
        chosen = parse_recipe(
            {
                "version": 1,
                "name": "audit",
                "operator": {"crawler": "KyodakuAudit"},
                "seeds": {"sites": ["https://a.example/"]},
                # No crawl is made by these rules; what may be reached says the net policy below.
                "network": {
                    "host_table": "none",
                    "timeout": "20 s",
                    "formats": ["jpeg", "png", "webp", "gif", "avif", "tiff"],
                },
                "politeness": {"delay": "50 ms" if host_table is not None else "500 ms"},
                "permission": {"basis": "not-opted-out"},
            },
            "the rules of an audit",
        )
    return chosen, NetPolicy(host_table=None if host_table is None else load_host_table(host_table))


async def _drive(machine: Asking, recipe: Recipe, net: NetPolicy) -> SiteAnswers:
    """Answer the machine's needs to its end. A host file is asked for once; Crawl-delay counts from
    robots.txt on."""
    known: dict[str, Fetched] = {}
    delays = CrawlDelays(recipe.own_tokens)
    async with Fetcher.for_recipe(recipe, net) as fetcher:
        try:
            need = next(machine)
            while True:
                remembered = need.kind is NeedKind.HOST_FILE and need.url in known
                answer = known[need.url] if remembered else await fetcher.get(need)
                if need.kind is NeedKind.HOST_FILE:
                    known[need.url] = answer
                wish = delays.heard(need, answer)
                if wish is not None:
                    origin, delay = wish
                    if delay > _MAX_DELAY:
                        raise KyodakuError(
                            f"{origin}{ROBOTS} asks for {delay:.0f} s between requests; audit a folder with "
                            "the files instead"
                        )
                    fetcher.slow_down(origin, delay)
                need = machine.send(answer)
        except StopIteration as end:
            found: SiteAnswers = end.value
            return found
