"""Platforms that a recipe may leave out by name, with the domains their pages and images are served from."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files


@cache
def platform_domains() -> dict[str, tuple[str, ...]]:
    """Lower-case platform name -> its domains, each standing for its subdomains too."""
    text = files("kyodaku.signals").joinpath("platforms.json").read_text(encoding="utf-8")
    return {name.lower(): tuple(domains) for name, domains in json.loads(text).items()}


def domains_of(platforms: tuple[str, ...]) -> tuple[str, ...]:
    """Every domain of `platforms`. Raises KeyError for a name that is not known."""
    known = platform_domains()
    return tuple(dict.fromkeys(domain for name in platforms for domain in known[name.lower()]))
