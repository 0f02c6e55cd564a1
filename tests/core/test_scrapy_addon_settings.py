"""Settings of the add-on: nobody weakens what makes it safe, and a wrong one stops the crawl."""

from __future__ import annotations

import pytest
from scrapy.settings import Settings

from kyodaku.errors import UsageError
from kyodaku.integrations.scrapy import GateClosed, KyodakuAddon, Shared, guard_of
from kyodaku.netguard import HostTable, NetPolicy, Target
from kyodaku.permission import Permission
from kyodaku.recipe import Recipe, parse_recipe
from kyodaku.registry_client import EMPTY_SNAPSHOT
from kyodaku.rules import Rules


def recipe() -> Recipe:
    return parse_recipe(
        {
            "version": 1,
            "name": "gates",
            "operator": {"crawler": "ShopBot", "contact": "https://shop.example/bot"},
            "seeds": {"sites": ["http://shop.example/"]},
            "network": {"host_table": "hosts.toml"},
            "permission": {"basis": "not-opted-out"},
        },
        "test",
    )


class Crawler:
    """Only what the add-on asks of one before the crawl."""

    settings = Settings()


def settings_with(**values: object) -> tuple[KyodakuAddon, Settings]:
    table = HostTable({("shop.example", None): Target("127.0.0.1", 1)})
    permission = Permission(
        Rules.from_recipe(recipe(), NetPolicy(host_table=table)), EMPTY_SNAPSHOT, lambda: 0.0
    )
    settings = Settings({"KYODAKU_RECIPE": recipe(), "KYODAKU_PERMISSION": Shared(permission)})
    for name, value in values.items():
        settings.set(name, value, priority="cmdline")
    settings = settings.copy()
    addon = KyodakuAddon.from_crawler(Crawler())  # type: ignore[arg-type]
    addon.update_settings(settings)
    assert addon.guard is not None
    assert addon.guard.permission is permission, "Scrapy copies settings; what is shared stays itself"
    return addon, settings


UNSAFE = {
    "USER_AGENT": "Mozilla/5.0",
    "ROBOTSTXT_OBEY": True,
    "COOKIES_ENABLED": True,
    "HTTPPROXY_ENABLED": True,
    "HTTPCACHE_ENABLED": True,
    "METAREFRESH_ENABLED": True,
    "COMPRESSION_ENABLED": True,
    "TELNETCONSOLE_ENABLED": True,
    "REMOTE_CONTROL_ENABLED": True,
    "DOWNLOAD_VERIFY_CERTIFICATES": False,
    "DOWNLOAD_FAIL_ON_DATALOSS": False,
    "DOWNLOAD_TIMEOUT": 100_000.0,
    "DOWNLOAD_MAXSIZE": 0,
    "REDIRECT_MAX_TIMES": 1000,
    "REFERRER_POLICY": "unsafe-url",
    "DOWNLOADER": "some.Downloader",
    "FILES_EXPIRES": 90,
    "IMAGES_EXPIRES": 90,
    "DOWNLOAD_HANDLERS": {"http": "scrapy.core.downloader.handlers.http11.HTTP11DownloadHandler"},
    "DOWNLOADER_MIDDLEWARES": {"kyodaku.integrations.scrapy.GateMiddleware": None},
}


@pytest.mark.parametrize("name", sorted(UNSAFE))
def test_nobody_weakens_a_safety_setting(name: str) -> None:
    _, safe = settings_with()
    _, attacked = settings_with(**{name: UNSAFE[name]})
    assert attacked[name] == safe[name]
    assert safe[name] != UNSAFE[name]


def test_only_http_and_https_have_a_handler() -> None:
    _, settings = settings_with(DOWNLOAD_HANDLERS={"gopher": "some.Handler"})
    handlers = {scheme: path for scheme, path in settings.getwithbase("DOWNLOAD_HANDLERS").items() if path}
    assert handlers == dict.fromkeys(("http", "https"), "kyodaku.integrations.scrapy.GuardedDownloadHandler")


def test_a_project_may_be_more_or_less_patient_than_the_recipe() -> None:
    _, settings = settings_with()
    assert (settings.getfloat("DOWNLOAD_DELAY"), settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN")) == (
        1.0,
        1,
    )
    _, own = settings_with(DOWNLOAD_DELAY=3.0)
    assert own.getfloat("DOWNLOAD_DELAY") == 3.0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "KYODAKU_RECIPE is not set"),
        ({"KYODAKU_RECIPE": ""}, "KYODAKU_RECIPE is not set"),
        ({"KYODAKU_RECIPE": "/nowhere/recipe.toml"}, "no such recipe"),
        ({"KYODAKU_RECIPE": "r.toml", "TWISTED_REACTOR_ENABLED": False}, "default reactor"),
        ({"TWISTED_REACTOR": "twisted.internet.selectreactor.SelectReactor"}, "default reactor"),
        ({"KYODAKU_RECIPE": "given", "KYODAKU_PERMISSION": "yes"}, "must be a Permission"),
    ],
)
def test_a_wrong_setting_is_an_error_never_a_crawl_without_gates(
    settings: dict[str, object], words: str
) -> None:
    """Not `NotConfigured`, which Scrapy takes for "go on without the add-on"."""
    given = {
        **settings,
        **({"KYODAKU_RECIPE": recipe()} if settings.get("KYODAKU_RECIPE") == "given" else {}),
    }
    with pytest.raises(UsageError, match=words):
        KyodakuAddon.from_crawler(Crawler()).update_settings(Settings(given))  # type: ignore[arg-type]


def test_a_crawl_without_the_add_on_has_no_guard() -> None:
    class Bare:
        def get_addon(self, cls: type) -> None:
            return None

    with pytest.raises(GateClosed, match="gate_exception"):
        guard_of(Bare())  # type: ignore[arg-type]
