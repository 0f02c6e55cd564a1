"""Which URLs belong to this crawl: the recipe's scope, and G0 before anything enters the frontier."""

from __future__ import annotations

from functools import lru_cache

from crawler.frontier.requests import Place
from kyodaku.errors import UnsafeAddressError
from kyodaku.gate import GateResult
from kyodaku.netguard import check_url, host_of, origin_of
from kyodaku.permission import Permission
from kyodaku.recipe import Recipe

_KNOWN_URLS = 50_000


class Scope:
    """The recipe's scope. URLs are asked about again and again (navigation), so answers are remembered."""

    def __init__(self, recipe: Recipe, permission: Permission) -> None:
        self._permission = permission
        seeds = (*recipe.seeds.sites, *recipe.seeds.sitemaps)
        self._hosts = frozenset({*(host_of(url) for url in seeds), *recipe.scope.hosts})
        self._subdomains = recipe.scope.subdomains
        self._prefixes = recipe.scope.prefixes
        self._image_hosts = frozenset(recipe.scope.image_hosts)
        self.place = lru_cache(_KNOWN_URLS)(self._place)

    def _place(self, url: str) -> Place | GateResult:
        """Where `url` lies, normalised; or the closed G0 that keeps it out."""
        gate = self._permission.g0(url, services=False)  # the frontier asks those, in batches
        if not gate.open:
            return gate
        try:
            safe = check_url(url, self._permission.rules.net)
        except UnsafeAddressError:  # G0 has just said otherwise: believe the stricter of the two
            return self._permission.g0("")
        return Place(safe.url, safe.host, origin_of(safe.url))

    def has_page(self, place: Place) -> bool:
        """True when pages there are followed."""
        if self._prefixes and not place.url.startswith(self._prefixes):
            return False
        return self.has_host(place.host)

    def has_host(self, host: str) -> bool:
        """True for a host whose pages are followed."""
        if host in self._hosts:
            return True
        return self._subdomains and any(host.endswith("." + known) for known in self._hosts)

    def has_image(self, place: Place) -> bool:
        """True when images there may be asked for."""
        return not self._image_hosts or place.host in self._image_hosts
