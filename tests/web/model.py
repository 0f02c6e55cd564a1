"""The vocabulary of the small web: a `Site` is data, `tests.web.server` turns it into answers.

A site is pages; a page is figures; a figure names an image, may bring its picture, and says what must
become of it under the demo recipe. What no page can say is an extra route.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urljoin

from kyodaku.reasons import (
    AllowReason,
    DuplicateReason,
    FailReason,
    FilterReason,
    HoldReason,
    NotRequestedReason,
    Outcome,
    QuarantineReason,
    Reason,
    RefuseReason,
)

if TYPE_CHECKING:
    from tests.web.server import Visit

Headers = tuple[tuple[str, str], ...]

CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
PDM = "https://creativecommons.org/publicdomain/mark/1.0/"
CC_BY = "https://creativecommons.org/licenses/by/4.0/"
IN_COPYRIGHT = "http://rightsstatements.org/vocab/InC/1.0/"
NO_COPYRIGHT_US = "http://rightsstatements.org/vocab/NoC-US/1.0/"


# --------------------------------------------------------------------------- answers


@dataclass(frozen=True)
class Reply:
    """An ordinary answer. A `body` that is a function is called once, at the first visit."""

    body: bytes | Callable[[], bytes] = b""
    status: int = 200
    headers: Headers = ()


#: Answers a visit with a Reply, or speaks on the connection itself and returns None.
Handler = Callable[["Visit"], Awaitable[Reply | None]]
Route = Reply | Handler


def text(body: str | bytes, status: int = 200, *headers: tuple[str, str]) -> Reply:
    """A plain text answer, as robots.txt is one."""
    raw = body.encode() if isinstance(body, str) else body
    return Reply(raw, status, (("Content-Type", "text/plain; charset=utf-8"), *headers))


def markup(body: str, status: int = 200, *headers: tuple[str, str], charset: str = "utf-8") -> Reply:
    """An HTML answer whose header names the charset."""
    return Reply(body.encode(charset), status, (("Content-Type", f"text/html; charset={charset}"), *headers))


def redirect(location: str, status: int = 302) -> Reply:
    """A redirect with an empty body."""
    return Reply(b"", status, (("Location", location),))


NOT_FOUND = markup("<!doctype html><title>Not found</title><p>There is no such page.", 404)


# --------------------------------------------------------------------------- expectations


@dataclass(frozen=True)
class Expected:
    """What must become of a candidate under the demo recipe.

    `reasons` holds every reason that is right; the first is the one we aim at, further ones exist only
    where the specification leaves the choice open. Of the candidates that share a `cluster`, exactly
    one is released and the others are its duplicates.
    """

    reasons: tuple[Reason, ...]
    cluster: str = ""

    @property
    def outcome(self) -> Outcome:
        """The outcome of the reason we aim at."""
        return outcome_of(self.reasons[0])

    @property
    def outcomes(self) -> frozenset[Outcome]:
        """Every outcome that is right."""
        return frozenset(outcome_of(reason) for reason in self.reasons)

    def allows(self, outcome: str, reason: str) -> bool:
        """Whether a recorded pair of outcome and reason is right."""
        return any(outcome_of(right) == outcome and right == reason for right in self.reasons)


_OUTCOMES: tuple[tuple[type, Outcome], ...] = (
    (AllowReason, Outcome.RELEASED),
    (RefuseReason, Outcome.REFUSED),
    (HoldReason, Outcome.HELD),
    (FilterReason, Outcome.FILTERED),
    (QuarantineReason, Outcome.QUARANTINED),
    (DuplicateReason, Outcome.DUPLICATE),
    (FailReason, Outcome.FAILED),
    (NotRequestedReason, Outcome.NOT_REQUESTED),
)


def outcome_of(reason: Reason) -> Outcome:
    """The outcome that a reason explains."""
    return next(outcome for enum, outcome in _OUTCOMES if isinstance(reason, enum))


def ends(*reasons: Reason) -> Expected:
    """A candidate that ends for one of `reasons`, best first."""
    return Expected(reasons)


RELEASED = ends(AllowReason.PUBLIC_DOMAIN)
NO_EVIDENCE = ends(RefuseReason.NO_LICENCE_EVIDENCE)


def one_of_cluster(cluster: str, duplicate: DuplicateReason) -> Expected:
    """One of several candidates with equal pixels: one is released, the rest are duplicates."""
    return Expected((AllowReason.PUBLIC_DOMAIN, duplicate), cluster)


# --------------------------------------------------------------------------- sites


@dataclass(frozen=True)
class Picture:
    """Bytes of an image with their type; `render` is called once, at the first visit."""

    render: Callable[[], bytes]
    mime: str


@dataclass(frozen=True)
class Figure:
    """An image on a page.

    `src` is a path of the site or a whole URL; a `picture` makes the site serve it. `licence` is a
    link inside the same <figure>: evidence that is bound to the image. `html` replaces the markup.
    """

    src: str
    alt: str = ""
    picture: Picture | None = None
    caption: str = ""
    licence: str = CC0
    headers: Headers = ()
    expect: Expected | None = RELEASED
    html: str = ""


@dataclass(frozen=True)
class Link:
    """A link of a page; `rel` may say nofollow."""

    href: str
    words: str = ""
    rel: str = ""


@dataclass(frozen=True)
class Page:
    """An HTML page. `expect_page` is the reason for which the page itself is not read, if any.

    `follows` names an image URL: the page answers only after someone has asked for it (or after four
    seconds), so that a no can be late on purpose.
    """

    path: str
    title: str
    figures: Sequence[Figure] = ()
    links: Sequence[str | Link] = ()
    words: str = ""
    head: str = ""
    status: int = 200
    headers: Headers = ()
    charset: str = "utf-8"
    declares_charset: Literal["header", "meta"] = "header"
    lang: str = "en"
    expect_page: Reason | None = None
    follows: str = ""


@dataclass(frozen=True)
class Site:
    """One host of the small web, or several that share its pictures.

    `robots` None means 404. `routes` are exact paths with their query; `fallback` answers every other
    path (404 without one). A `seed` is where a crawl begins; pages of another host are met by nobody.
    `expect_host` is the reason for which nothing but robots.txt is asked of the host.
    `certificate_for` makes TLS show another name's certificate; a host that is not `reachable` refuses
    connections. A `trap` has no end: its candidates cannot be listed, budgets stop it.
    """

    name: str
    shows: str
    scheme: Literal["http", "https"] = "http"
    robots: str | bytes | Route | None = None
    pages: Sequence[Page] = ()
    routes: Mapping[str, Route] = field(default_factory=dict)
    fallback: Handler | None = None
    seed: bool = True
    trap: bool = False
    certificate_for: str = ""
    reachable: bool = True
    expect_host: Reason | None = None

    @property
    def root(self) -> str:
        """URL of the home page, with the standard port."""
        return f"{self.scheme}://{self.name}/"

    def url(self, path: str) -> str:
        """Absolute URL of a path or URL, percent-encoded as a client asks for it."""
        return absolute(self.root, path)


def absolute(base: str, reference: str) -> str:
    """`reference` seen from `base`, percent-encoded."""
    return quote(urljoin(base, reference), safe=":/?#[]@!$&'()*+,;=%~")


@dataclass(frozen=True)
class ExpectedCandidate:
    """An image on a page and what must become of it."""

    image_url: str
    page_url: str
    expect: Expected


def candidates(site: Site) -> list[ExpectedCandidate]:
    """Every candidate that a crawl meets on the site's pages and that states an expectation.

    Pages of a closed host, of a host that is no seed, and pages that may not be read show none.
    """
    if not site.seed or site.expect_host is not None:
        return []
    return [
        ExpectedCandidate(absolute(site.url(page.path), figure.src), site.url(page.path), figure.expect)
        for page in site.pages
        if page.expect_page is None
        for figure in page.figures
        if figure.expect is not None
    ]
