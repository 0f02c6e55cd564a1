"""The whole recipe, and the rules that hold between its sections."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from kyodaku.errors import RecipeProblem, UnsafeAddressError
from kyodaku.netguard import NetPolicy, check_url, host_of
from kyodaku.recipe.base import Section
from kyodaku.recipe.filters import Annotators, Filters
from kyodaku.recipe.sections import (
    Budgets,
    Captions,
    Deny,
    HostEntry,
    InstitutionEntry,
    Network,
    Operator,
    PermissionSection,
    Politeness,
    Registries,
    Release,
    Scope,
    Seeds,
    Shards,
)

#: Sections that a crawl's facts do not depend on: changing them decides or computes again, never crawls.
#: Of `permission` that is only what the decision reads: PERMISSION_FACTS shape what is asked and read.
CURATION_SECTIONS = (
    "deny",
    "registries",
    "permission",
    "annotators",
    "filters",
    "captions",
    "shards",
    "release",
)
PERMISSION_FACTS = ("protocols", "purpose")

#: Delays below this are rude on the public internet, in seconds.
_LEAST_DELAY = 0.5


class Recipe(Section):
    """A whole recipe. Sections down to `host` are the crawl; the rest is curation."""

    version: Literal[1]
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    operator: Operator
    seeds: Seeds
    scope: Scope = Scope()
    deny: Deny = Deny()
    registries: Registries = Registries()
    budgets: Budgets = Budgets()
    politeness: Politeness = Politeness()
    network: Network = Network()
    permission: PermissionSection
    institutions: tuple[InstitutionEntry, ...] = ()
    host: tuple[HostEntry, ...] = ()

    annotators: Annotators = Annotators()
    filters: Filters = Filters()
    captions: Captions = Captions()
    shards: Shards = Shards()
    release: Release = Release()

    @property
    def local_network(self) -> bool:
        """True where a host table keeps the whole run on this machine."""
        return bool(self.network.host_table)

    @property
    def own_tokens(self) -> tuple[str, ...]:
        """Every robots product token that binds this crawl."""
        return ("Kyodaku", self.operator.crawler)

    @model_validator(mode="after")
    def _whole(self) -> Recipe:
        problems = list(problems_between(dict(self)))
        if problems:
            raise ValueError("; ".join(f"{problem.where}: {problem.message}" for problem in problems))
        return self


def placeholders(recipe: Recipe) -> list[RecipeProblem]:
    """What a recipe for the public internet still has of an example: nobody may crawl under those names."""
    if recipe.local_network:
        return []
    found = [
        RecipeProblem(where, "is an example; name a real one")
        for where, url in seed_urls(dict(recipe))
        if _is_example(url)
    ]
    if re.search(r"[@/.]example([/:?#]|$)", recipe.operator.contact):
        found.append(RecipeProblem("operator.contact", "is an example; write where site owners reach you"))
    if recipe.operator.crawler.lower() == "examplebot":
        found.append(RecipeProblem("operator.crawler", "is an example; write your own product token"))
    for number, entry in enumerate(recipe.institutions):
        if "REPLACE ME" in entry.statement or entry.host.endswith(".example"):
            found.append(RecipeProblem(f"institutions.{number}", "is an example; name a real institution"))
    return found


def seed_urls(sections: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(dotted path, URL) of every site and sitemap that a crawl begins with."""
    seeds = sections.get("seeds")
    if seeds is not None:
        yield from ((f"seeds.sites.{number}", url) for number, url in enumerate(seeds.sites))
        yield from ((f"seeds.sitemaps.{number}", url) for number, url in enumerate(seeds.sitemaps))


def _skipped_but_asked(sections: Mapping[str, Any]) -> Iterator[RecipeProblem]:
    """Annotators that are not to look, or cannot, and a filter that asks them all the same."""
    annotators, filters = sections.get("annotators"), sections.get("filters")
    if annotators is None or filters is None:
        return
    asked = {
        "kind": ("filters.kind.keep or drop", filters.kind.keep or filters.kind.drop),
        "furniture": ("filters.kind.furniture", filters.kind.furniture),
        "detail": ("filters.resolution.min_effective_side", filters.resolution.min_effective_side),
        "ai_made": ("filters.ai_made.drop", filters.ai_made.drop),
        "aesthetic": ("filters.aesthetic.min_score", filters.aesthetic.min_score is not None),
        "harmful": ("filters.harmful.max_score", filters.harmful.max_score is not None),
        "faces": ("filters.privacy.max_faces", filters.privacy.max_faces is not None),
        "embedding": ("filters.duplicates.min_cosine", filters.duplicates.min_cosine is not None),
    }
    for name in annotators.skip:
        where, needed = asked.get(name, ("", False))
        if needed:
            yield RecipeProblem("annotators.skip", f"{name} may not be skipped: {where} asks for it")
    if filters.duplicates.min_cosine is not None and not annotators.embedding.model:
        yield RecipeProblem(
            "filters.duplicates.min_cosine", "asks for annotators.embedding, which names no model"
        )


def problems_between(sections: Mapping[str, Any]) -> Iterator[RecipeProblem]:
    """What is wrong between sections. A section that is missing, because it is itself wrong, breaks no
    rule, so that one reading of a recipe finds everything."""
    network, permission = sections.get("network"), sections.get("permission")
    if network is not None and not network.host_table:
        yield from _public_internet(sections)
        yield from _unsafe_seeds(sections)
        yield from _unsafe_service(sections)
    yield from _skipped_but_asked(sections)
    captions = sections.get("captions")
    if captions is not None and captions.min_characters > captions.max_characters:
        yield RecipeProblem(
            "captions.min_characters",
            f"no caption can have as many: max_characters is {captions.max_characters}",
        )
    if permission is not None:
        if permission.basis == "opt-in" and not (permission.licences or permission.grants):
            yield RecipeProblem("permission", "opt-in needs licences or grants")
        yield from _unknown_protocols(permission)


def _public_internet(sections: Mapping[str, Any]) -> Iterator[RecipeProblem]:
    operator, politeness = sections.get("operator"), sections.get("politeness")
    if operator is not None and not operator.contact:
        yield RecipeProblem(
            "operator.contact", "crawling the public internet needs a URL or e-mail address where you answer"
        )
    if politeness is not None and politeness.delay < _LEAST_DELAY:
        yield RecipeProblem("politeness.delay", f"below {_LEAST_DELAY} s only with network.host_table")


def _unsafe_seeds(sections: Mapping[str, Any]) -> Iterator[RecipeProblem]:
    """Seeds that no request is ever made to. Example names have a message of their own: `placeholders`."""
    for where, url in seed_urls(sections):
        try:
            check_url(url, NetPolicy())
        except UnsafeAddressError as error:
            if not _is_example(url):
                yield RecipeProblem(where, str(error))


def service_urls(sections: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(dotted path, URL) of every registry service that is asked."""
    registries = sections.get("registries")
    if registries is not None and registries.spawning is not None:
        yield "registries.spawning.endpoint", registries.spawning.endpoint


def _unsafe_service(sections: Mapping[str, Any]) -> Iterator[RecipeProblem]:
    """A service whose key would go in the clear, or to this machine's own network."""
    for where, url in service_urls(sections):
        if not url.startswith("https://"):
            yield RecipeProblem(where, "https only: the key goes with every request")
        try:
            check_url(url, NetPolicy())
        except UnsafeAddressError as error:
            yield RecipeProblem(where, str(error))


def _is_example(url: str) -> bool:
    return host_of(url).endswith(".example")


def _unknown_protocols(permission: PermissionSection) -> Iterator[RecipeProblem]:
    try:
        from kyodaku.signals.protocols import all_protocols
    except ModuleNotFoundError:  # the permission extra is not installed: nothing can be crawled either
        return
    built = [protocol.name for protocol in all_protocols()]
    planned = PermissionSection.model_fields["grants"].default
    for name in permission.protocols:
        if name not in built:
            yield RecipeProblem(
                "permission.protocols",
                f"no protocol named {name!r} in this version; protocols: {', '.join(built)}",
            )
    for name in permission.grants:
        if name not in built and name not in planned:
            yield RecipeProblem(
                "permission.grants",
                f"no protocol named {name!r}; choose from {', '.join(sorted({*built, *planned}))}",
            )
