"""The sections of a recipe, as frozen models that forbid unknown keys."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from kyodaku.recipe.base import Section
from kyodaku.recipe.units import Bytes, Count, Host, HttpUrl, LicenceId, Natural, Seconds
from kyodaku.signals.platforms import platform_domains
from kyodaku.signals.tokens import token_classes

# --------------------------------------------------------------------------- the crawl


def _crawler_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z]+(-[A-Za-z]+)*", value):
        raise ValueError(f"{value!r} is not a robots.txt product token: letters and hyphens only")
    if value.lower() == "kyodaku":
        raise ValueError('must be your own name; groups that name "Kyodaku" bind every crawl anyway')
    borrowed = {token.lower() for token in token_classes()} | {"mozilla", "googlebot", "bingbot"}
    if value.lower() in borrowed:
        raise ValueError(f"{value!r} is the name of somebody else's crawler; choose your own")
    return value


def _contact(value: str) -> str:
    if value and not re.fullmatch(r"https?://[^\s/]+\S*|(mailto:)?[^@\s]+@[^@\s]+\.[^@\s]+", value):
        raise ValueError(f"{value!r} is neither a URL nor an e-mail address")
    return value


class Operator(Section):
    """Who crawls. The crawler name is a robots.txt product token: letters and hyphens only."""

    crawler: Annotated[str, AfterValidator(_crawler_name)] = Field(
        description="your robots.txt product token", json_schema_extra={"pattern": "^[A-Za-z]+(-[A-Za-z]+)*$"}
    )
    contact: Annotated[str, AfterValidator(_contact)] = Field(
        default="", description="URL or e-mail address where site owners reach you"
    )
    organisation: str = ""


class Seeds(Section):
    """Where the crawl begins."""

    sites: tuple[HttpUrl, ...] = ()
    sitemaps: tuple[HttpUrl, ...] = ()
    url_lists: tuple[str, ...] = Field(
        default=(), description="Parquet, CSV or JSONL files with a url column, relative to the recipe"
    )

    @model_validator(mode="after")
    def _something(self) -> Seeds:
        if not (self.sites or self.sitemaps or self.url_lists):
            raise ValueError("give at least one of sites, sitemaps, url_lists")
        return self


class Scope(Section):
    """Which pages are followed. Images may lie on any host (each asks its own permission)."""

    hosts: tuple[Host, ...] = Field(default=(), description="besides the seeds' own hosts")
    subdomains: Annotated[bool, Field(strict=True)] = False
    prefixes: tuple[HttpUrl, ...] = Field(default=(), description="if given, only pages below these")
    image_hosts: tuple[Host, ...] = Field(default=(), description="if given, only images on these hosts")


class Deny(Section):
    """Never asked for, whatever else is said."""

    domains: tuple[Host, ...] = ()
    prefixes: tuple[HttpUrl, ...] = ()
    urls: tuple[HttpUrl, ...] = ()


class HostBudget(Section):
    """Limits for one host name."""

    pages: Count = 10_000
    images: Count = 50_000
    bytes: Bytes = 20 * 10**9
    same_image: Annotated[Count, Field(gt=1)] = Field(
        default=20, description="addresses with the same bytes before a host is a decoy"
    )


class Budgets(Section):
    """Limits for the whole crawl."""

    pages: Count = 100_000
    images: Count = 1_000_000
    bytes: Bytes = 500 * 10**9
    depth: Natural = 20
    time: Seconds = 7 * 86400.0
    per_host: HostBudget = HostBudget()


class Politeness(Section):
    """How gently we ask. One connection per host name always."""

    delay: Seconds = Field(default=1.0, description="between two requests to one host")
    jitter: Annotated[float, Field(strict=True, ge=0, le=1)] = Field(
        default=0.25, description="share of the delay added at random"
    )
    max_delay: Seconds = Field(default=120.0, description="a longer Crawl-delay closes the host instead")
    connections: Annotated[Count, Field(le=512)] = Field(
        default=16, description="requests in flight over all hosts"
    )
    connections_per_site: Annotated[Count, Field(le=16)] = Field(
        default=2, description="per registrable domain and per address"
    )
    hold_retries: tuple[Seconds, ...] = Field(
        default=(300.0, 3600.0, 21600.0), description="when a hold is asked again"
    )
    retries: Annotated[Natural, Field(le=10)] = Field(default=2, description="of a request that broke off")


class Network(Section):
    """Caps on what one answer may cost, and the table that keeps a demo on this machine."""

    timeout: Seconds = 60.0
    min_rate: Bytes = Field(default=1000, description="bytes per second below which a body is given up")
    min_rate_after: Seconds = 10.0
    max_page: Bytes = 5 * 10**6
    max_image: Bytes = 20 * 10**6
    max_headers: Bytes = 64 * 10**3
    max_in_flight: Bytes = 500 * 10**6
    max_pixels: Count = 100_000_000
    max_frames: Count = 500
    formats: tuple[Literal["jpeg", "png", "webp", "gif", "avif", "tiff"], ...] = (
        "jpeg",
        "png",
        "webp",
        "gif",
    )
    redirects: Annotated[Natural, Field(le=10)] = 5
    host_table: str = Field(
        default="",
        description="TOML file of names to local addresses, relative to the recipe; stamps local_network",
    )


def _agent_token(value: str) -> str:
    if not re.fullmatch(r"[^\s#:]+", value):
        raise ValueError(f"{value!r} is not a user-agent token: one word, as it stands in robots.txt")
    return value


class Purpose(Section):
    """Which other crawlers' robots groups we read as a statement about training (signals.md 1.6)."""

    classes: tuple[Literal["train_core", "train_or_dataset_extended"], ...] = ("train_core",)
    tokens: tuple[Annotated[str, AfterValidator(_agent_token)], ...] = Field(
        default=(), description="further user-agent tokens"
    )
    threshold: Literal["any", "majority", "control-tokens-only"] = "any"

    @field_validator("classes")
    @classmethod
    def _core_stays(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "train_core" not in value:
            raise ValueError("must contain train_core: a recipe may add to it, never remove it")
        return value


class PublicDomain(Section):
    """Grades of evidence that a `public-domain` basis accepts."""

    accept: tuple[Literal["pdm", "institution", "cc0-institution", "cc0"], ...] = Field(
        default=("pdm", "institution", "cc0-institution"), min_length=1
    )


def _platform(value: str) -> str:
    if value.lower() not in platform_domains():
        raise ValueError(f"no platform named {value!r}; choose from {', '.join(sorted(platform_domains()))}")
    return value.lower()


class PermissionSection(Section):
    """What the set may hold."""

    basis: Literal["public-domain", "opt-in", "not-opted-out"] = Field(
        description="what silence means: nothing, nothing, or yes"
    )
    licences: tuple[LicenceId, ...] = Field(default=(), description="canonical licence ids, e.g. by-4.0")
    grants: tuple[str, ...] = Field(
        default=("plus-datamining", "c2pa", "aipref-header", "tdmrep-header"),
        description="protocols whose `permitted` counts as a grant under opt-in",
    )
    protocols: tuple[str, ...] = Field(default=(), description="protocols beyond the built-in ones")
    purpose: Purpose = Purpose()
    public_domain: PublicDomain = PublicDomain()
    platforms: tuple[Annotated[str, AfterValidator(_platform)], ...] = Field(
        default=(), description="platforms to leave out, their image hosts too, e.g. pixiv"
    )


class InstitutionEntry(Section):
    """An institution whose own statement on an object's page is licence evidence."""

    host: Host
    statement: str = Field(min_length=8, description="the exact words on an object's page")
    evidence_url: HttpUrl = Field(description="where the institution explains those words")
    licence: Literal["institution", "cc0-1.0"] = "institution"


#: Addresses that Spawning's service takes in one request.
MAX_BATCH = 10_000


class Spawning(Section):
    """Spawning's Do-Not-Train API, asked about every address before the crawl asks for it.

    The service sees the whole list. Its key stands in the environment, never in a recipe.
    """

    endpoint: HttpUrl = "https://opts-api.spawningaiapi.com/api/v2/query/urls/"
    key_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")] = Field(
        default="SPAWNING_OPTS_KEY", description="the environment variable that holds the key"
    )
    batch: Annotated[Count, Field(le=MAX_BATCH)] = Field(
        default=MAX_BATCH, description="addresses in one request"
    )


class Registries(Section):
    """Opt-outs beside what sites say: lists of addresses, domains and exact pictures (JSON Lines), and a
    service that is asked over the network."""

    files: tuple[str, ...] = Field(default=(), description="opt-out files, relative to the recipe")
    spawning: Spawning | None = Field(
        default=None, description="off unless this table is there: the service sees every address"
    )


def _path_prefix(value: str) -> str:
    if not value.startswith("/") or any(mark in value for mark in "?#*$ "):
        raise ValueError(f"{value!r} is no path prefix: it begins with a slash and has no wildcard")
    return value


class HostEntry(Section):
    """A site owner's reply to a letter: the groups of other crawlers in its robots.txt do not speak to us.

    It lifts that inference and nothing else, below `scope` and until the end of the day `until` (UTC).
    """

    host: Host
    letter: str = Field(min_length=1, description="the stored reply, relative to the recipe")
    letter_sha256: str = Field(pattern="^[0-9a-f]{64}$", description="sha256 of that file, hexadecimal")
    scope: tuple[Annotated[str, AfterValidator(_path_prefix)], ...] = Field(
        min_length=1, description="path prefixes that the reply is about"
    )
    until: date = Field(description="the last day on which the reply holds")


# --------------------------------------------------------------------------- curation


class Captions(Section):
    """Which text goes with a picture."""

    required: Annotated[bool, Field(strict=True)] = True
    min_characters: Count = 8
    max_characters: Count = 1000
    model: str = Field(default="", description="BLIP captioner: hub id or local path; empty: web text only")
    revision: str = Field(default="", description="pinned revision of a hub model")
    batch_size: Count = 8
    max_tokens: Count = 30


class Shards(Section):
    """How raw and released shards are cut and what is in them."""

    images: Literal["jpeg", "original"] = "jpeg"
    max_side: Natural = Field(default=0, description="0: keep the size")
    samples: Annotated[Count, Field(le=10_000)] = Field(default=1000, description="per release shard")
    raw_samples: Annotated[Count, Field(le=10_000)] = Field(default=1000, description="per raw shard")


class Release(Section):
    """What the card says (free text by the people who publish), and how fresh the answers have to be."""

    title: str = ""
    description: str = ""
    compilation_licence: str = ""
    homepage: str = ""
    recheck_after: Seconds = Field(
        default=7 * 86400.0,
        description="a release rests on answers no older than this; older ones are asked again",
    )
