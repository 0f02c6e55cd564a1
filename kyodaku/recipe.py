"""Recipes: one TOML file that says what a dataset is and what may be in it.

`load_recipe` reads TOML into frozen models that forbid unknown keys, and reports every problem at
once. Nothing here touches the network or the run folder.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from kyodaku.errors import RecipeError, RecipeProblem

# --------------------------------------------------------------------------- units

_SIZE_UNITS = {
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KIB": 2**10,
    "MIB": 2**20,
    "GIB": 2**30,
}
_TIME_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def _parse_unit(value: object, units: dict[str, float], what: str, example: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"write a {what} such as {example}")
    if isinstance(value, int | float):
        return float(value)
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*", value)
    if match is None:
        raise ValueError(f"{value!r} is not a {what}; write it as {example}")
    factor = units.get(match[2]) or units.get(match[2].upper())
    if factor is None:
        raise ValueError(f"{match[2]!r} is not a unit of {what}; use one of {', '.join(units)}")
    return float(match[1]) * factor


def _size(value: object) -> int:
    return int(_parse_unit(value, {k: float(v) for k, v in _SIZE_UNITS.items()}, "size", '"20 MB"'))


def _duration(value: object) -> float:
    return _parse_unit(value, _TIME_UNITS, "duration", '"30 s"')


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{value!r} is not an http or https URL")
    return value


def _host(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", value):
        raise ValueError(f"{value!r} is not a host name in lower case (IDNs as xn--)")
    return value


Bytes = Annotated[int, BeforeValidator(_size), Field(gt=0)]
Seconds = Annotated[float, BeforeValidator(_duration), Field(ge=0)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
Host = Annotated[str, AfterValidator(_host)]


class Section(BaseModel):
    """Base of every section: frozen, no unknown keys, no silent coercion of strings."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# --------------------------------------------------------------------------- crawl sections


class Operator(Section):
    """Who crawls. The crawler name is a robots.txt product token: letters and hyphens only."""

    crawler: Annotated[
        str, Field(pattern=r"^[A-Za-z]+(-[A-Za-z]+)*$", description="product token in robots.txt")
    ]
    contact: str = Field(default="", description="URL or e-mail address where site owners reach you")
    organisation: str = ""

    @model_validator(mode="after")
    def _contact_is_reachable(self) -> Self:
        if self.contact and not re.fullmatch(
            r"https?://\S+|(mailto:)?[^@\s]+@[^@\s]+\.[^@\s]+", self.contact
        ):
            raise ValueError(f"contact {self.contact!r} is neither a URL nor an e-mail address")
        if self.crawler.lower() == "kyodaku":
            raise ValueError('crawler must be your own name; "Kyodaku" is obeyed in any case')
        return self


class Seeds(Section):
    """Where the crawl begins."""

    sites: tuple[HttpUrl, ...] = ()
    sitemaps: tuple[HttpUrl, ...] = ()
    url_lists: tuple[str, ...] = Field(
        default=(), description="Parquet, CSV or JSONL files with a url column"
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.sites or self.sitemaps or self.url_lists):
            raise ValueError("give at least one of sites, sitemaps, url_lists")
        return self


class Scope(Section):
    """Which pages are followed. Images may lie on any host (each asks its own permission)."""

    hosts: tuple[Host, ...] = Field(default=(), description="besides the seeds' own hosts")
    subdomains: bool = False
    prefixes: tuple[HttpUrl, ...] = Field(default=(), description="if given, only pages below these")
    image_hosts: tuple[Host, ...] = Field(default=(), description="if given, only images on these hosts")


class Deny(Section):
    """Never asked for, whatever else is said."""

    domains: tuple[Host, ...] = ()
    prefixes: tuple[HttpUrl, ...] = ()
    urls: tuple[HttpUrl, ...] = ()


class HostBudget(Section):
    """Limits for one host name."""

    pages: int = Field(default=10_000, gt=0)
    images: int = Field(default=50_000, gt=0)
    bytes: Bytes = 20 * 10**9
    same_image: int = Field(
        default=20, gt=1, description="addresses with the same bytes before a host is a decoy"
    )


class Budgets(Section):
    """Limits for the whole crawl."""

    pages: int = Field(default=100_000, gt=0)
    images: int = Field(default=1_000_000, gt=0)
    bytes: Bytes = 500 * 10**9
    depth: int = Field(default=20, ge=0)
    time: Seconds = 7 * 86400.0
    per_host: HostBudget = HostBudget()


class Politeness(Section):
    """How gently we ask. One connection per host name always."""

    delay: Seconds = Field(default=1.0, description="between two requests to one host")
    jitter: float = Field(default=0.25, ge=0, le=1, description="share of the delay added at random")
    max_delay: Seconds = Field(default=120.0, description="a longer Crawl-delay closes the host instead")
    connections: int = Field(default=16, gt=0, le=512, description="requests in flight over all hosts")
    connections_per_site: int = Field(
        default=2, gt=0, le=16, description="per registrable domain and per address"
    )
    hold_retries: tuple[Seconds, ...] = Field(
        default=(300.0, 3600.0, 21600.0), description="when a hold is asked again"
    )
    retries: int = Field(default=2, ge=0, le=10, description="of a request that broke off")


class Network(Section):
    """Caps on what one answer may cost, and the table that keeps a demo on this machine."""

    timeout: Seconds = 60.0
    min_rate: Bytes = Field(default=1000, description="bytes per second below which a body is given up")
    min_rate_after: Seconds = 10.0
    max_page: Bytes = 5 * 10**6
    max_image: Bytes = 20 * 10**6
    max_headers: Bytes = 64 * 10**3
    max_in_flight: Bytes = 500 * 10**6
    max_pixels: int = Field(default=100_000_000, gt=0)
    max_frames: int = Field(default=500, gt=0)
    formats: tuple[Literal["jpeg", "png", "webp", "gif", "avif", "tiff"], ...] = (
        "jpeg",
        "png",
        "webp",
        "gif",
    )
    redirects: int = Field(default=5, ge=0, le=10)
    host_table: str = Field(
        default="", description="TOML file of names to local addresses; stamps the run local_network"
    )


class Purpose(Section):
    """Which other crawlers' robots groups we read as a statement about training (signals.md 1.6)."""

    classes: tuple[Literal["train_core", "train_or_dataset_extended"], ...] = ("train_core",)
    tokens: tuple[str, ...] = Field(default=(), description="further user-agent tokens")
    threshold: Literal["any", "majority", "control-tokens-only"] = "any"

    @model_validator(mode="after")
    def _core_stays(self) -> Self:
        if "train_core" not in self.classes:
            raise ValueError("classes must contain train_core: a recipe may add to it, never remove it")
        return self


class PublicDomain(Section):
    """Grades of evidence that a `public-domain` basis accepts."""

    accept: tuple[Literal["pdm", "institution", "cc0-institution", "cc0"], ...] = Field(
        default=("pdm", "institution", "cc0-institution"), min_length=1
    )


class PermissionSection(Section):
    """What the set may hold."""

    basis: Literal["public-domain", "opt-in", "not-opted-out"]
    licences: tuple[str, ...] = Field(default=(), description="canonical licence ids, e.g. by-4.0")
    grants: tuple[str, ...] = Field(
        default=("plus-datamining", "c2pa", "aipref-header", "tdmrep-header"),
        description="protocols whose `permitted` counts as a grant under opt-in",
    )
    protocols: tuple[str, ...] = Field(default=(), description="protocols beyond the built-in ones")
    purpose: Purpose = Purpose()
    public_domain: PublicDomain = PublicDomain()


class InstitutionEntry(Section):
    """An institution whose own statement on an object's page is licence evidence."""

    host: Host
    statement: str = Field(min_length=8)
    evidence_url: HttpUrl
    licence: Literal["institution", "cc0-1.0"] = "institution"


# --------------------------------------------------------------------------- curation sections


class Resolution(Section):
    """Drop small and extremely long pictures. Sides in pixels."""

    min_side: int = Field(default=256, ge=1)
    max_aspect: float = Field(default=4.0, ge=1)


class Filters(Section):
    """One table per filter. A filter that does not exist is an error, as every unknown key is."""

    resolution: Resolution = Resolution()


class Captions(Section):
    """Which text goes with a picture."""

    required: bool = True
    min_characters: int = Field(default=8, ge=1)
    max_characters: int = Field(default=1000, ge=1)
    model: str = Field(default="", description="BLIP captioner: hub id or local path; empty: web text only")
    revision: str = Field(default="", description="pinned revision of a hub model")
    batch_size: int = Field(default=8, ge=1)
    max_tokens: int = Field(default=30, ge=1)


class Shards(Section):
    """How raw and released shards are cut and what is in them."""

    images: Literal["jpeg", "original"] = "jpeg"
    max_side: int = Field(default=0, ge=0, description="0: keep the size")
    samples: int = Field(default=1000, gt=0, le=10_000, description="per release shard")
    raw_samples: int = Field(default=1000, gt=0, le=10_000, description="per raw shard")


class Release(Section):
    """What the card says. Free text by the people who publish."""

    title: str = ""
    description: str = ""
    compilation_licence: str = ""
    homepage: str = ""


#: Sections that a finished crawl does not depend on: changing them recomputes, never crawls.
CURATION_SECTIONS = ("filters", "captions", "shards", "release")


class Recipe(Section):
    """A whole recipe. Sections down to `institutions` are the crawl; the rest is curation."""

    version: Literal[1]
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    operator: Operator
    seeds: Seeds
    scope: Scope = Scope()
    deny: Deny = Deny()
    budgets: Budgets = Budgets()
    politeness: Politeness = Politeness()
    network: Network = Network()
    permission: PermissionSection
    institutions: tuple[InstitutionEntry, ...] = ()

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
    def _whole(self) -> Self:
        problems: list[str] = []
        if not self.local_network:
            if not self.operator.contact:
                problems.append(
                    "operator.contact: crawling the public internet needs a URL or e-mail address"
                )
            if self.politeness.delay < 0.5:
                problems.append("politeness.delay: below 0.5 s only with network.host_table")
            if self.permission.basis == "not-opted-out":
                problems.append(
                    "permission.basis: not-opted-out is refused on the public internet until every opt-out "
                    "protocol is built; use public-domain or opt-in, or a network.host_table"
                )
        if self.permission.basis == "opt-in" and not (self.permission.licences or self.permission.grants):
            problems.append("permission: opt-in needs licences or grants")
        if problems:
            raise ValueError("\n".join(problems))
        return self


def load_recipe(path: Path) -> Recipe:
    """Read and check a recipe file or the recipe of a dataset folder.

    Raises:
        RecipeError: with every problem found, each located by its dotted path.
    """
    file = recipe_file(path)
    try:
        data = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise RecipeError(
            str(file), [RecipeProblem("file", "no such recipe; name a recipe.toml or its folder")]
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(str(file), [RecipeProblem("file", f"not TOML: {error}")]) from error
    return parse_recipe(data, str(file))


def recipe_file(path: Path) -> Path:
    """The file that a recipe's name on the command line means: a file, or `recipe.toml` in a folder."""
    return path / "recipe.toml" if path.is_dir() else path


def parse_recipe(data: dict[str, Any], source: str) -> Recipe:
    """Check already parsed TOML. Raises RecipeError as `load_recipe`."""
    try:
        return Recipe.model_validate(data)
    except ValidationError as error:
        raise RecipeError(source, _problems(error)) from None


def _problems(error: ValidationError) -> list[RecipeProblem]:
    found: list[RecipeProblem] = []
    for item in error.errors(include_url=False, include_context=False):
        where = ".".join(str(part) for part in item["loc"]) or "recipe"
        for line in item["msg"].removeprefix("Value error, ").splitlines():
            head, colon, rest = line.partition(": ")
            located = where == "recipe" and colon and re.fullmatch(r"[a-z_.]+", head)
            found.append(RecipeProblem(head, rest) if located else RecipeProblem(where, line))
    return found


def schema_text() -> str:
    """The JSON Schema of recipes as committed in `datasets/recipe.schema.json`."""
    return json.dumps(Recipe.model_json_schema(), indent=2, ensure_ascii=False) + "\n"
