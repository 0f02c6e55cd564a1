"""Permission for any Scrapy project: gates, host files and a safe network, switched on by one line.

    ADDONS = {"kyodaku.integrations.scrapy.KyodakuAddon": 0}
    KYODAKU_RECIPE = "recipe.toml"

Settings: `KYODAKU_RECIPE` is a path or a `Recipe` and always needed. A project that keeps its own state
also passes `KYODAKU_PERMISSION` (a `Permission`) and `KYODAKU_ORIGINS` (an `Origins`), each in a `Shared`
because Scrapy deep-copies settings. Otherwise the add-on fetches and caches host files itself.
See docs/scrapy-addon.md.
"""

from kyodaku.integrations.scrapy.addon import KyodakuAddon, Shared
from kyodaku.integrations.scrapy.guard import Guard, Origins
from kyodaku.integrations.scrapy.handler import GuardedDownloadHandler
from kyodaku.integrations.scrapy.lookup import guard_of, host_file_request
from kyodaku.integrations.scrapy.middleware import GateMiddleware
from kyodaku.integrations.scrapy.outcome import (
    META_EVIDENCE,
    META_KIND,
    META_PAGE,
    META_SIGNALS,
    META_TRAIL,
    FetchFailed,
    GateClosed,
    GateTrail,
    Kind,
    fetched_of,
    fetched_of_failure,
    trail_of,
)
from kyodaku.integrations.scrapy.seal import SealMiddleware

__all__ = [
    "META_EVIDENCE",
    "META_KIND",
    "META_PAGE",
    "META_SIGNALS",
    "META_TRAIL",
    "FetchFailed",
    "GateClosed",
    "GateMiddleware",
    "GateTrail",
    "Guard",
    "GuardedDownloadHandler",
    "Kind",
    "KyodakuAddon",
    "Origins",
    "SealMiddleware",
    "Shared",
    "fetched_of",
    "fetched_of_failure",
    "guard_of",
    "host_file_request",
    "trail_of",
]
