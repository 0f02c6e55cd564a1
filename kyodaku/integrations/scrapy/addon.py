"""The add-on itself: the settings it switches on, and the guard that the other parts share."""

from __future__ import annotations

from pathlib import Path
from time import time
from typing import Any, Generic, Self, TypeVar

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.settings import SETTINGS_PRIORITIES, BaseSettings

from kyodaku.errors import UsageError
from kyodaku.hostfiles import HOST_FILE_CAP
from kyodaku.integrations.scrapy.guard import Guard, system_addresses
from kyodaku.netguard import NetPolicy, load_host_table
from kyodaku.permission import Permission
from kyodaku.recipe import Recipe, load_recipe
from kyodaku.registry_client import load_registries
from kyodaku.rules import Rules
from kyodaku.useragent import user_agent

T = TypeVar("T")

_HERE = "kyodaku.integrations.scrapy"
#: Above the command line: nothing a project or a person sets weakens these by accident.
_FORCED = max(SETTINGS_PRIORITIES.values()) + 10
#: Beside the downloader, after every other middleware's process_request.
_GATE_ORDER = 1_000_000
#: Beside the engine, after every other middleware's process_response.
_SEAL_ORDER = -1_000_000


class Shared(Generic[T]):
    """A settings value that stays the very object it is: Scrapy deep-copies settings."""

    def __init__(self, value: T) -> None:
        self.value = value

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


class KyodakuAddon:
    """Asks permission before every request of a Scrapy project and judges everything that comes back.

    Reads `KYODAKU_RECIPE` (path or `Recipe`), and optionally `KYODAKU_PERMISSION`, `KYODAKU_ORIGINS`,
    `KYODAKU_RESOLVER` (an `AsyncResolver`) and `KYODAKU_PRINTS` (a `PrintTaking`), each bare or in a
    `Shared`. A wrong or missing recipe stops the crawl before it starts: `NotConfigured` would let Scrapy go
    on without us.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self.guard: Guard | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Called by Scrapy."""
        return cls(crawler)

    def update_settings(self, settings: BaseSettings) -> None:
        """Called by Scrapy before anything else is built. Raises UsageError or RecipeError."""
        if not settings.getbool("TWISTED_REACTOR_ENABLED") or "asyncio" not in settings["TWISTED_REACTOR"]:
            raise UsageError("the add-on needs Scrapy's default reactor: leave TWISTED_REACTOR as it is")
        recipe, base = _recipe(settings)
        permission = _given(settings, "KYODAKU_PERMISSION", Permission)
        if permission is None:
            if recipe.registries.spawning is not None:
                raise UsageError(
                    "registries.spawning: only `kyodaku crawl` asks that service; here every URL would be "
                    "held. Take the table out of the recipe of this project"
                )
            permission = Permission(_rules(recipe, base), load_registries(recipe, base / "recipe.toml"), time)
            self._crawler.signals.connect(permission.close, signals.engine_stopped, weak=False)
        self.guard = Guard(
            permission=permission,
            network=recipe.network,
            user_agent=user_agent(recipe),
            origins=_unwrapped(settings.get("KYODAKU_ORIGINS")),
            resolve=_unwrapped(settings.get("KYODAKU_RESOLVER")) or system_addresses,
            take_prints=_unwrapped(settings.get("KYODAKU_PRINTS")),
        )
        if self.guard.origins is None:
            from kyodaku.integrations.scrapy.hostfiles import HostFiles

            host_files = HostFiles(self._crawler, self.guard, recipe.politeness)
            self.guard.origins, self.guard.read_documents = host_files, host_files.read_documents
        for name, value in forced_settings(recipe, settings).items():
            settings.set(name, value, priority=_FORCED)
        for name, value in polite_defaults(recipe).items():
            if (settings.getpriority(name) or 0) <= SETTINGS_PRIORITIES["default"]:
                settings.set(name, value, priority="addon")


def forced_settings(recipe: Recipe, settings: BaseSettings) -> dict[str, Any]:
    """What must hold for the gates to mean anything. Set above every other priority."""
    network = recipe.network
    middlewares = settings.getdict("DOWNLOADER_MIDDLEWARES")
    middlewares[f"{_HERE}.GateMiddleware"] = _GATE_ORDER
    middlewares[f"{_HERE}.SealMiddleware"] = _SEAL_ORDER
    handler = f"{_HERE}.GuardedDownloadHandler"
    handlers = dict.fromkeys(settings.getwithbase("DOWNLOAD_HANDLERS"), None)
    return {
        "DOWNLOADER_MIDDLEWARES": middlewares,
        "DOWNLOADER": "scrapy.core.downloader.Downloader",  # one that asks middlewares and handlers
        "DOWNLOAD_HANDLERS": {**handlers, "http": handler, "https": handler},
        "USER_AGENT": user_agent(recipe),
        "ROBOTSTXT_OBEY": False,  # the stock middleware fails open; ours stands in its place
        "COOKIES_ENABLED": False,
        "HTTPPROXY_ENABLED": False,
        "HTTPCACHE_ENABLED": False,  # a cached answer passed no gate
        "FILES_EXPIRES": 0,  # nor did a file that an earlier crawl stored
        "IMAGES_EXPIRES": 0,
        **{name: 0 for name in settings if str(name).endswith(("_FILES_EXPIRES", "_IMAGES_EXPIRES"))},
        "METAREFRESH_ENABLED": False,
        "COMPRESSION_ENABLED": False,  # the gate unpacks, within its caps
        "REFERRER_POLICY": "same-origin",
        "TELNETCONSOLE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "DOWNLOAD_FAIL_ON_DATALOSS": True,
        "DOWNLOAD_TIMEOUT": network.timeout,
        "DOWNLOAD_MAXSIZE": max(network.max_image, network.max_page, HOST_FILE_CAP),
        "REDIRECT_MAX_TIMES": network.redirects,
    }


def polite_defaults(recipe: Recipe) -> dict[str, Any]:
    """What a project gets unless it decided itself."""
    return {
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        "CONCURRENT_REQUESTS": recipe.politeness.connections,
        "DOWNLOAD_DELAY": recipe.politeness.delay,
        "RETRY_TIMES": recipe.politeness.retries,
        "RETRY_HTTP_CODES": [500, 502, 504, 522, 524, 408],  # 429 and 503 ask us to stay away
    }


def _recipe(settings: BaseSettings) -> tuple[Recipe, Path]:
    value = _unwrapped(settings.get("KYODAKU_RECIPE"))
    if isinstance(value, Recipe):
        return value, Path.cwd()
    if not isinstance(value, str | Path) or not str(value):
        raise UsageError("KYODAKU_RECIPE is not set: name the recipe.toml that says what may be taken")
    path = Path(value)
    return load_recipe(path), path if path.is_dir() else path.parent


def _rules(recipe: Recipe, base: Path) -> Rules:
    table = load_host_table(base / recipe.network.host_table) if recipe.local_network else None
    return Rules.from_recipe(recipe, NetPolicy(host_table=table))


def _unwrapped(value: Any) -> Any:
    return value.value if isinstance(value, Shared) else value


def _given(settings: BaseSettings, name: str, wanted: type[T]) -> T | None:
    value = _unwrapped(settings.get(name))
    if value is None or isinstance(value, wanted):
        return value
    raise UsageError(f"{name} must be a {wanted.__name__}, not {type(value).__name__}")
