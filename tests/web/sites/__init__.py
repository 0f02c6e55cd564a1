"""The sites, one file a family. A new site is one `Site(...)` in the list that its family returns.

Every host name ends in `.example` (RFC 2606) and answers on the standard ports of the host table only.
"""

from __future__ import annotations

from tests.web.model import Site
from tests.web.sites import (
    declarations,
    hostfiles,
    hostile,
    licences,
    listed,
    museum,
    opened,
    preferences,
    protected,
    redirects,
    refusing,
    robots,
    traps,
    walls,
)

FAMILIES = (
    museum,
    opened,
    licences,
    refusing,
    listed,
    preferences,
    hostfiles,
    declarations,
    robots,
    walls,
    redirects,
    hostile,
    protected,
    traps,
)


def all_sites() -> list[Site]:
    """Every site of the small web."""
    return [site for family in FAMILIES for site in family.sites()]


def endless_free_sites() -> list[Site]:
    """Every site but the traps: a crawl of these ends by itself and always in the same state."""
    return [site for site in all_sites() if not site.trap]
