"""The plain data of permission: what was fetched, what was observed, what evidence was found.

Facts only. What they mean for an image is decided in `kyodaku.decision`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Literal

Headers = tuple[tuple[str, str], ...]

#: A raw excerpt kept in a record is at most this long, in characters.
RAW_LIMIT = 1000


class Effect(StrEnum):
    """What one observation says (signals.md, lattice)."""

    RESERVED = "reserved"  # says no
    PERMITTED = "permitted"  # an explicit grant
    SILENT = "silent"
    ERROR = "error"  # state unknown


class Where(StrEnum):
    """The channel an observation came by."""

    URL = "url"
    HEADER = "header"
    HTML = "html"
    FILE = "file"  # a host file, or the image file itself
    REGISTRY = "registry"


class Binding(StrEnum):
    """What an observation speaks about."""

    HOST = "host"
    PATH = "path"
    PAGE = "page"
    IMAGE = "image"


class Use(StrEnum):
    """Which use an observation speaks about."""

    TRAINING = "training"
    INFERENCE = "inference"


@dataclass(frozen=True)
class Signal:
    """One observation by one protocol.

    `raw` is the verbatim line or value (at most RAW_LIMIT characters), `parsed` what we read in it,
    `digest` the sha256 hex of the carrier's bytes, `rule` the provenance inside the protocol
    (`robots:own`, `robots:purpose:GPTBot`), `reason` the value of a RefuseReason or HoldReason
    when the effect is reserved or error, `source_url` where the carrier was read.
    `fetched_at` is Unix time in seconds.
    """

    protocol: str
    where: Where
    binding: Binding
    use: Use
    effect: Effect
    raw: str
    parsed: str
    rule: str
    reason: str
    source_url: str
    digest: str
    complete: bool
    fetched_at: float


class LicenceBinding(StrEnum):
    """How a licence statement is tied to an image. Only a bound statement is evidence."""

    CONTENT_URL = "content_url"  # schema.org contentUrl equals the image
    RDFA_ABOUT = "rdfa_about"
    XMP = "xmp"  # inside the image's own bytes
    LINK_HEADER = "link_header"  # a Link header of the image's own response
    FIGURE = "figure"  # a licence link inside the same <figure>
    INSTITUTION_PAGE = "institution_page"  # a named institution's page whose main image this is
    URL_LIST = "url_list"
    UNBOUND = "unbound"  # somewhere on the page: recorded, never evidence


@dataclass(frozen=True)
class LicenceEvidence:
    """A licence statement and how it is bound.

    `licence` is the canonical id (`pdm-1.0`, `cc0-1.0`, `by-4.0`, `by-sa-3.0-de`,
    `rightsstatements:InC`, `institution`) or "" for a URL that is no known licence;
    `licence_url` the canonical URL (or the institution's exact statement);
    `institution` the host of the recipe's institution whose page this is, else "";
    `element` the verbatim markup or value; `digest` sha256 hex of the page or file bytes.
    """

    licence: str
    licence_url: str
    binding: LicenceBinding
    institution: str
    source_url: str
    element: str
    digest: str


class FetchError(StrEnum):
    """Why there is no (complete) answer."""

    DNS = "dns-failure"
    TLS = "tls-failure"
    TIMEOUT = "timeout"
    RESET = "reset"
    CONNECT = "connect-failure"
    BLOCKED = "blocked"  # G0 or the address check refused the URL or a hop
    REDIRECTS = "too-many-redirects"
    TOO_LARGE = "too-large"
    TOO_SLOW = "too-slow"
    BOMB = "decompression-bomb"
    PROTOCOL = "protocol-error"
    BARRED = "barred-by-robots"  # never asked for: the robots.txt of its own host forbids it


@dataclass(frozen=True)
class Hop:
    """One answered request on the way. `status` 0 means no answer; `ip` is "" when unknown."""

    url: str
    status: int
    ip: str = ""


@dataclass(frozen=True)
class Fetched:
    """The answer to one Need: a final response, or an error.

    `url` is the requested URL, `final_url` where the answer came from after `hops`.
    `status` is None exactly when `error` is set and no status line came.
    `complete` is False when the body was cut (cap, reset, time). `cached_age` is the age in seconds of
    a stored copy that stands in for an unreachable file, else None.
    """

    url: str
    final_url: str
    status: int | None
    headers: Headers
    body: bytes
    complete: bool
    error: FetchError | None
    fetched_at: float
    hops: tuple[Hop, ...] = ()
    cached_age: float | None = None


@dataclass(frozen=True)
class Institution:
    """A collecting institution named by a recipe: its host, the exact statement its object pages
    carry, and the URL where it explains that statement. `licence` is `institution` or `cc0-1.0`."""

    host: str
    statement: str
    evidence_url: str
    licence: str = "institution"


@dataclass(frozen=True)
class Declared:
    """A document that a carrier names, and that has to be read before the carrier has said all.

    `url` is absolute; `raw` the line, header or element that names it, found at `source_url`. What is not
    `needed` is kept as evidence where it can be had, and no gate waits for it.
    """

    protocol: str
    url: str
    where: Where
    binding: Binding
    raw: str
    source_url: str
    needed: bool = True


@dataclass(frozen=True)
class Letter:
    """An owner's stored reply: for `host`, below `paths` and until `until` (aware), the groups of other
    crawlers do not speak to us. It lifts that inference and nothing else. `sha256` is the letter's."""

    host: str
    paths: tuple[str, ...]
    sha256: str
    until: datetime


@dataclass(frozen=True)
class Reading:
    """How carriers are read.

    mode          `spec`: the normative text; `policy`: our stricter reading (signals.md). Crawls use policy.
    own_tokens    our product tokens; every one binds us.
    purpose_tokens, purpose_threshold  signals.md 1.6.
    now           the moment that dates are compared with (aware).
    letters       replies of owners, each lifting our inference from other crawlers' groups.
    """

    mode: Literal["spec", "policy"]
    own_tokens: tuple[str, ...]
    purpose_tokens: tuple[str, ...]
    purpose_threshold: Literal["any", "majority", "control-tokens-only"]
    now: datetime
    institutions: tuple[Institution, ...] = ()
    letters: tuple[Letter, ...] = ()

    @cached_property
    def listener(self) -> str:
        """In one word, whose hash is made once, all that decides which groups of a robots.txt speak to us but
        letters, each of which is about single hosts."""
        return repr((self.mode, self.own_tokens, self.purpose_tokens, self.purpose_threshold))


def excerpt(text: str) -> str:
    """`text` cut to RAW_LIMIT characters, without NUL and lone surrogates, for a record."""
    clean = text[:RAW_LIMIT].replace("\x00", "\ufffd")
    if clean.isascii():
        return clean
    return clean.encode("utf-8", "replace").decode("utf-8")


def strongest(effects: Sequence[Effect]) -> Effect:
    """The restrictive union: reserved > error > permitted > silent."""
    for effect in (Effect.RESERVED, Effect.ERROR, Effect.PERMITTED):
        if effect in effects:
            return effect
    return Effect.SILENT
