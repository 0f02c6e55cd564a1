"""Rights statements in words: inside the file, in a page's structured data and meta tags, beside a picture.

No standard says that such a sentence is machine-readable. Refusing by it is our policy (`keywords`); in the
`spec` reading nothing is said here. A notice such as `all rights reserved` is silent, and so is the running
text of a page, which may speak of others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kyodaku.errors import UnsafeAddressError
from kyodaku.reasons import HoldReason, RefuseReason
from kyodaku.signals.carriers.embedded import C2PA_UNREADABLE, EmbeddedMetadata
from kyodaku.signals.carriers.extract import absolute, url_values, walk_json
from kyodaku.signals.carriers.page import HtmlPage
from kyodaku.signals.keywords import MAX_WORDS, may_refuse, refuses_beside, refuses_in_words
from kyodaku.signals.model import Binding, Effect, Reading, Signal, Use, Where, excerpt
from kyodaku.signals.protocols.base import About, Peers, Protocol
from kyodaku.urls import normalise_url

#: schema.org properties with words about rights. `acquireLicensePage` and `license` are addresses.
_PROPERTIES = frozenset(
    {"copyrightnotice", "usageinfo", "credittext", "conditionsofaccess", "rights", "disclaimer"}
)
#: schema.org properties that describe a picture in words.
_DESCRIPTIONS = frozenset(
    {"name", "alternatename", "headline", "description", "abstract", "caption", "keywords"}
)
#: Meta tags with the words beside the page's picture. What describes the page may speak of others.
_BESIDE = frozenset({"og:image:alt", "twitter:image:alt"})
_METAS = frozenset(
    {
        "copyright",
        "rights",
        "rights-standard",
        "usage-rights",
        "usagerights",
        "usageterms",
        "license",
        "dc.rights",
        "dcterms.rights",
        "dc:rights",
        "dcterms:rights",
        "dc.rights.license",
        "dcterms.accessrights",
        "dcterms.rightsholder",
        "copyrightnotice",
        "web_author_rights",
        "ai-policy",
        "ai",
        "ai-training",
    }
)
_LAST_TERM = re.compile(r"[/#:]")
#: Statements and characters read of one page, and signals given about one file or page.
_MAX_STATEMENTS = 20_000
_MAX_TEXT = 128 * 1024
_MAX_SIGNALS = 8


@dataclass(frozen=True)
class _Statement:
    """A sentence that refuses, and the normalised addresses it is about; none: every image of the page.
    Without a phrase it is what was not read."""

    images: frozenset[str]
    raw: str
    phrase: str | None
    rule: str


class RightsText(Protocol):
    """The keyword rule over rights fields."""

    name = "rights-text"
    title = "Rights statements that refuse AI training in words, in the file or in the page's markup"
    vector_signals = ("rights-text",)
    about = About(
        where="copyright, rights and usage fields (XMP, IPTC, EXIF) and free texts of the file; rights in a"
        " page's meta tags and structured data; the words beside a picture, and what structured data says"
        " of it",
        scope="image",
        status="no protocol: our own keyword rule",
        spec="not read",
        policy="words that refuse training (English, German, Dutch, French, Spanish, Italian, Portuguese,"
        " Japanese, Chinese, Korean) reserve",
        peers=Peers(common_crawl="not known"),
    )

    def __init__(self) -> None:
        # A page is asked about each of its images in turn.
        self._last: tuple[HtmlPage, tuple[_Statement, ...]] | None = None

    def read_image(self, embedded: EmbeddedMetadata, reading: Reading) -> list[Signal]:
        """Every field that refuses; else a hold where one could not be read."""
        if reading.mode != "policy":
            return []
        found: list[Signal] = []
        for field in embedded.rights:
            phrase = next(filter(None, map(refuses_in_words, field.readings)), None)
            if phrase is not None:
                found.append(_of_file(embedded, field.value, phrase, f"{field.source}:{field.name}"))
        unread = [what for what in embedded.unreadable if not what.startswith(C2PA_UNREADABLE)]
        if not found and unread:
            return [_of_file(embedded, "; ".join(unread), None, "unreadable")]
        return found[:_MAX_SIGNALS]

    def read_page(self, page: HtmlPage, image_url: str | None, reading: Reading) -> list[Signal]:
        """Statements about the whole page, or (with `image_url`) those about that image."""
        if reading.mode != "policy":
            return []
        if self._last is None or self._last[0] is not page:
            self._last = (page, tuple(_statements(page)))
        image = "" if image_url is None else _normal(image_url)
        found = [
            _of_page(page, statement)
            for statement in self._last[1]
            if (image in statement.images if image_url is not None else not statement.images)
        ]
        return list(dict.fromkeys(found))[:_MAX_SIGNALS]


def _statements(page: HtmlPage) -> Iterator[_Statement]:
    """What refuses among the first _MAX_TEXT characters of different statements that may. Where there is
    more, a statement without a phrase: it may hold a no."""
    families = _families(page)
    phrases: dict[tuple[str, bool], str | None] = {}
    room = _MAX_TEXT
    whole = True
    for number, (images, text, raw, rule) in enumerate(_texts(page)):
        whole = whole and number < _MAX_STATEMENTS and room > 0
        if not whole:
            break
        key = text, rule == "beside"
        if key not in phrases:
            room -= len(text) if may_refuse(text) else 0
            phrases[key] = refuses_beside(text) if rule == "beside" else refuses_in_words(text)
            whole = phrases[key] is not None or len(text) <= MAX_WORDS
        phrase = phrases[key]
        if phrase is not None:
            wide = frozenset(url for image in images for url in families.get(image, (image,)))
            yield _Statement(wide, raw, phrase, rule)
    if not whole:
        yield _Statement(frozenset(), "more rights statements than are read", None, "unread")


def _texts(page: HtmlPage) -> Iterator[tuple[frozenset[str], str, str, str]]:
    """(images, text, markup, rule) of every statement about rights."""
    whole = frozenset[str]()
    for meta in page.metas:
        names = {meta.name, meta.http_equiv, meta.property}
        if names & (_METAS | _BESIDE) or _term(meta.property) in _PROPERTIES:
            yield whole, meta.content, meta.raw, "meta"
    yield from _beside(page)
    for triple in page.rdfa:
        subject = _normal(triple.subject)
        images = whole if subject in ("", _normal(page.url)) else frozenset({subject})
        if _says(triple.predicate, images):
            yield images, triple.object, triple.raw, "rdfa"
    for block in page.json_ld:
        if block.error:
            yield whole, block.raw, block.raw, "json-ld"
        for node in walk_json(block.value):
            images = _subjects(page, node)
            for text in _told(node, images):
                yield images, text, text, "json-ld"
    for item in page.items:
        images = _subjects(page, item.node)
        for text in _told(item.node, images):
            yield images, text, item.raw, item.syntax


def _told(node: Mapping[str, Any], images: frozenset[str]) -> Iterator[str]:
    """The words of a node about rights, and about a picture if it is one."""
    for key, value in node.items():
        if _says(key, images):
            yield from _words(value)


def _says(term: str, images: frozenset[str]) -> bool:
    """Whether words of a property count: what describes a page may speak of others."""
    return _term(term) in _PROPERTIES or (bool(images) and _term(term) in _DESCRIPTIONS)


def _beside(page: HtmlPage) -> Iterator[tuple[frozenset[str], str, str, str]]:
    """What stands beside each picture: its alternative text and title, its caption, the words of its link.
    Links to the page itself (`#`) are of every picture and menu, and say nothing of one."""
    links: dict[str, list[str]] = {}
    for link in page.links:
        if link.text:
            links.setdefault(link.href, []).append(link.text)
    for image in page.images:
        images = frozenset({_normal(image.url)} - {""})
        linked = {image.link_href, image.url} - {"", page.url.partition("#")[0], page.base_url}
        words = (image.alt, image.title, image.figcaption, *(t for url in linked for t in links.get(url, ())))
        for text in dict.fromkeys(words):
            if images and text:
                yield images, text, text, "beside"


def _subjects(page: HtmlPage, node: Mapping[str, Any]) -> frozenset[str]:
    """The files that an object is about; none where it does not say: then it is about all of the page."""
    urls = [url for key in ("contentUrl", "schema:contentUrl") for url in url_values(node.get(key))]
    if urls:
        urls += url_values(node.get("thumbnailUrl"))
    return frozenset({_normal(absolute(page.base_url, url)) for url in urls} - {""})


def _words(value: Any) -> Iterator[str]:
    """The texts of a schema.org value: strings, language-tagged ones, and the words of an object."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            named = [item.get(key) for key in ("@value", "text", "name", "description", "url", "@id")]
            yield from (text for text in named if isinstance(text, str))


def _families(page: HtmlPage) -> dict[str, frozenset[str]]:
    """By address, every address under which the page gives the same picture."""
    found: dict[str, frozenset[str]] = {}
    for image in page.images:
        urls = {_normal(source.url) for source in image.candidates} | {_normal(image.url)}
        if image.link_href:
            urls.add(_normal(image.link_href))
        family = frozenset(urls - {""})
        for url in family:
            found[url] = found[url] | family if url in found and len(found[url]) < 64 else family
    return found


def _term(name: str) -> str:
    """The last term of a property: `schema:usageInfo`, `https://schema.org/usageInfo`."""
    return _LAST_TERM.split(name.lower())[-1]


def _normal(url: str) -> str:
    try:
        return normalise_url(url)
    except UnsafeAddressError:
        return ""


def _of_page(page: HtmlPage, statement: _Statement) -> Signal:
    return Signal(
        protocol=RightsText.name,
        where=Where.HTML,
        binding=Binding.IMAGE if statement.images else Binding.PAGE,
        use=Use.TRAINING,
        effect=Effect.ERROR if statement.phrase is None else Effect.RESERVED,
        raw=excerpt(statement.raw),
        parsed=excerpt(statement.phrase or "unread statements"),
        rule=f"rights-text:{statement.rule}",
        reason=(HoldReason.SIGNAL_UNREADABLE if statement.phrase is None else RefuseReason.RIGHTS_TEXT).value,
        source_url=page.url,
        digest=page.digest,
        complete=page.complete,
        fetched_at=page.fetched_at,
    )


def _of_file(embedded: EmbeddedMetadata, raw: str, phrase: str | None, rule: str) -> Signal:
    """A refusal, or (`phrase` None) metadata that may hold one and cannot be read."""
    refuses = phrase is not None
    return Signal(
        protocol=RightsText.name,
        where=Where.FILE,
        binding=Binding.IMAGE,
        use=Use.TRAINING,
        effect=Effect.RESERVED if refuses else Effect.ERROR,
        raw=excerpt(raw),
        parsed=excerpt(phrase or "unreadable metadata"),
        rule=f"rights-text:{rule}",
        reason=(RefuseReason.RIGHTS_TEXT if refuses else HoldReason.METADATA_UNREADABLE).value,
        source_url=embedded.url,
        digest=embedded.digest,
        complete=embedded.complete,
        fetched_at=embedded.fetched_at,
    )


PROTOCOL = RightsText()
