"""Finding the guard of a crawl, for whoever runs inside it."""

from __future__ import annotations

from typing import Any

from scrapy import Request
from scrapy.crawler import Crawler

from kyodaku.gate import Need
from kyodaku.integrations.scrapy.addon import KyodakuAddon
from kyodaku.integrations.scrapy.guard import Guard
from kyodaku.integrations.scrapy.outcome import GateClosed, gate_exception


def guard_of(crawler: Crawler) -> Guard:
    """The guard of `crawler`. Raises GateClosed where the add-on is not switched on."""
    addon = crawler.get_addon(KyodakuAddon)
    if addon is None or addon.guard is None:
        raise GateClosed(gate_exception("g0"))
    return addon.guard


def host_file_request(crawler: Crawler, need: Need, **kwargs: Any) -> Request:
    """`Guard.host_file_request` of the crawl's guard."""
    return guard_of(crawler).host_file_request(need, **kwargs)
