"""Licence statements as evidence, each with how it is bound to the image.

A licence is a permission under copyright, not a word about data mining: this protocol gives evidence and
no signals. What is not bound to the image is recorded and counts for nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from urllib.parse import urlsplit

from kyodaku.errors import UnsafeAddressError
from kyodaku.signals.carriers.embedded import EmbeddedMetadata
from kyodaku.signals.carriers.extract import absolute, in_vocabulary, url_values, walk_json
from kyodaku.signals.carriers.page import HtmlPage, PageImage
from kyodaku.signals.licence_urls import canonical_licence
from kyodaku.signals.model import RAW_LIMIT, Institution, LicenceBinding, LicenceEvidence, Reading, excerpt
from kyodaku.signals.protocols.base import About, Peers, Protocol
from kyodaku.urls import normalise_url

#: Statements looked at on one page, and how many of those that bind nothing are recorded with each image.
_MAX_STATEMENTS = 500
_MAX_UNBOUND = 8
#: Pictures looked at in one figure to tell whether it holds one only.
_MAX_IN_FIGURE = 64
_RSL_TYPE = "application/rsl+xml"
#: Licences that take nothing away: a doubtful word of one is no reason to leave a picture out.
_PUBLIC_DOMAIN = frozenset({"cc0-1.0", "pdm-1.0"})
_PREDICATES = frozenset(
    {
        "license",
        "cc:license",
        "xhv:license",
        "dct:license",
        "dcterms:license",
        "schema:license",
        *(
            f"{scheme}://{vocabulary}license"
            for scheme in ("http", "https")
            for vocabulary in (
                "creativecommons.org/ns#",
                "www.w3.org/1999/xhtml/vocab#",
                "purl.org/dc/terms/",
                "schema.org/",
                "www.schema.org/",
            )
        ),
    }
)
_LAST_TERM = re.compile(r"[/#:]")
_XMP_LICENCES = (("http://creativecommons.org/ns#", "license"), ("http://purl.org/dc/terms/", "license"))
_XMP_STATEMENT = ("http://ns.adobe.com/xap/1.0/rights/", "WebStatement")


@dataclass(frozen=True)
class _Statement:
    """A licence URL, the normalised addresses of the images that the page binds it to, and how.

    `sure` is False when it may speak about something else: then it is no ground, but may still contradict.
    """

    url: str
    binding: LicenceBinding
    images: frozenset[str]
    raw: str
    sure: bool = True


class LicenceLinks(Protocol):
    """rel=license, schema.org, RDFa, XMP and named institutions."""

    name = "licence"
    title = "Licence statements (rel=license, schema.org, RDFa, XMP, named institutions), as evidence"
    vector_signals = ("license",)
    about = About(
        where="schema.org ImageObject, CC REL, licence links, XMP; rightsstatements.org",
        scope="image (bound), page (recorded)",
        status="schema.org, ccREL, Creative Commons, rightsstatements.org",
        spec="evidence for the recipe's basis, never a signal of its own",
        policy="the same; a statement that is not bound to the image, or is contradicted, is none",
        peers=Peers(common_crawl="not known"),
    )

    def __init__(self) -> None:
        # A page is asked about each of its images in turn.
        self._last: tuple[HtmlPage, tuple[_Statement, ...]] | None = None

    def page_evidence(self, page: HtmlPage, image_url: str, reading: Reading) -> list[LicenceEvidence]:
        institution = _institution(page, reading.institutions)
        host = institution.host if institution else ""
        image = _normal(image_url)
        found: dict[LicenceEvidence, None] = dict.fromkeys(_unread(page, host))
        whole = page.complete and not found
        unbound = 0
        for statement in self._statements(page):
            bound = whole and image != "" and image in statement.images
            if bound and not statement.sure:
                found.update(dict.fromkeys(_doubtful(statement, host, page)))
                continue
            if bound:
                binding = statement.binding
            elif statement.images and whole:
                continue  # it speaks about another image
            else:
                binding, unbound = LicenceBinding.UNBOUND, unbound + 1
            if bound or unbound <= _MAX_UNBOUND:
                found[_evidence(statement.url, binding, host, page.url, statement.raw, page.digest)] = None
        main = {_normal(url) for url in page.main_family} - {""}
        if whole and institution is not None and image in main:
            found.update(dict.fromkeys(_institution_statement(page, institution)))
        return list(found)

    def image_evidence(self, embedded: EmbeddedMetadata) -> list[LicenceEvidence]:
        """Licences in XMP; nothing from a file that is broken, or from bytes outside its structure."""
        if not embedded.complete:
            return []
        packets = [p.properties for p in embedded.xmp if p.properties is not None and p.source != "scan"]
        urls = [url for xmp in packets for key in _XMP_LICENCES for url in xmp.values(*key)]
        # A web statement is often the author's own page. Only one that names a known licence is a licence.
        urls += [url for xmp in packets for url in xmp.values(*_XMP_STATEMENT) if canonical_licence(url)]
        return [
            _evidence(url, LicenceBinding.XMP, "", embedded.url, url, embedded.digest)
            for url in dict.fromkeys(urls)
        ]

    def _statements(self, page: HtmlPage) -> tuple[_Statement, ...]:
        if self._last is None or self._last[0] is not page:
            every = chain(_of_links(page), _of_rdfa(page), _of_objects(page))
            read = tuple(islice(every, _MAX_STATEMENTS + 1))
            if len(read) > _MAX_STATEMENTS:  # one that is not read might contradict one that is
                read = tuple(replace(statement, images=frozenset()) for statement in read)
            self._last = (page, read)
        return self._last[1]


def _of_links(page: HtmlPage) -> Iterator[_Statement]:
    """rel=license. A subject that the markup names goes before the figure that the link stands in."""
    links = [
        link for link in page.links if "license" in link.rel and not link.inert and not _is_rsl(link.type)
    ]
    figures = _figures(page) if any(link.figure >= 0 for link in links) else {}
    for link in links:
        if link.about:
            sure = _names_licence(in_vocabulary("license", link.vocab))
            yield _Statement(link.href, LicenceBinding.RDFA_ABOUT, _only(link.about), link.raw, sure)
        else:
            images, sure = figures.get(link.figure, (frozenset(), False))
            yield _Statement(link.href, LicenceBinding.FIGURE, images, link.raw, sure)


def _is_rsl(media_type: str) -> bool:
    return media_type.partition(";")[0].strip() == _RSL_TYPE


def _figures(page: HtmlPage) -> dict[int, tuple[frozenset[str], bool]]:
    """By figure, the addresses of its pictures, and whether what it says is plainly said about them: it is
    ended by the markup and holds, in figures inside it too, one picture and no other."""
    inside: dict[int, list[PageImage]] = {}
    for image in page.images:
        if image.figure >= 0:
            inside.setdefault(image.figure, []).append(image)
    holds = [number in inside for number in range(len(page.figures))]
    nested = [False] * len(holds)
    for number in range(len(holds) - 1, -1, -1):  # a figure has a greater number than the one around it
        parent = page.figures[number].parent
        if parent >= 0 and (holds[number] or nested[number]):
            nested[parent] = True
    found = {}
    for number, images in inside.items():
        urls = frozenset(_normal(source.url) for image in images for source in image.candidates)
        sure = page.figures[number].closed and not nested[number] and _is_one_picture(images)
        found[number] = (urls - {""}, sure)
    return found


def _is_one_picture(images: Sequence[PageImage]) -> bool:
    """True when all `images` share addresses, each with others: variants of one, or the file it links to."""
    if len(images) > _MAX_IN_FIGURE:
        return False
    linked = {image.url for image in images if image.kind == "link"}
    pictures: list[set[str]] = []
    for image in images:
        urls = {_normal(source.url) for source in image.candidates}
        if image.link_href in linked:
            urls.add(_normal(image.link_href))
        same = [picture for picture in pictures if picture & urls]
        pictures = [picture for picture in pictures if not picture & urls] + [urls.union(*same)]
    return len(pictures) == 1


def _names_licence(predicate: str) -> bool:
    return predicate.lower() in _PREDICATES


def _of_rdfa(page: HtmlPage) -> Iterator[_Statement]:
    """RDFa. A `license` of some other vocabulary need not mean a licence of the picture."""
    for triple in page.rdfa:
        sure = _names_licence(triple.predicate)
        if sure or _LAST_TERM.split(triple.predicate.lower())[-1] == "license":
            yield _Statement(
                triple.object, LicenceBinding.RDFA_ABOUT, _only(triple.subject), triple.raw, sure
            )


def _of_objects(page: HtmlPage) -> Iterator[_Statement]:
    """schema.org objects with a `license`; bound to their `contentUrl`."""
    for block in page.json_ld:
        for node in walk_json(block.value):
            licences = url_values(node.get("license")) + url_values(node.get("schema:license"))
            if not licences:
                continue
            contents = {_normal(absolute(page.base_url, url)) for url in url_values(node.get("contentUrl"))}
            # Several addresses: it is not plain which of them the licence covers.
            images = frozenset(contents - {""}) if len(contents) == 1 else frozenset()
            raw = json.dumps(node, ensure_ascii=False)[:RAW_LIMIT]
            for url in licences:
                resolved = absolute(page.base_url, url) or url
                yield _Statement(resolved, LicenceBinding.CONTENT_URL, images, raw)


def _unread(page: HtmlPage, institution: str) -> Iterator[LicenceEvidence]:
    """Structured data that may contradict every statement of the page, but cannot be read."""
    for block in page.json_ld:
        if block.hides:
            element = f"structured data that cannot be read ({block.error}): {block.raw}"
            yield _evidence("", LicenceBinding.UNBOUND, institution, page.url, element, page.digest)


def _doubtful(statement: _Statement, institution: str, page: HtmlPage) -> Iterator[LicenceEvidence]:
    """A statement that may be about this image: recorded as no ground, or, where it may take away what
    another grants, as bound and no known licence, so that it contradicts whatever else is said."""
    item = _evidence(statement.url, LicenceBinding.UNBOUND, institution, page.url, statement.raw, page.digest)
    harmless = item.licence in _PUBLIC_DOMAIN
    yield item if harmless else replace(item, licence="", binding=statement.binding)


def _only(url: str) -> frozenset[str]:
    return frozenset({_normal(url)} - {""})


def _normal(url: str) -> str:
    """`url` in its one spelling, or "" when it is no well-formed http or https URL."""
    try:
        return normalise_url(url)
    except UnsafeAddressError:
        return ""


def _institution(page: HtmlPage, institutions: Iterable[Institution]) -> Institution | None:
    host = (urlsplit(page.url).hostname or "").lower()
    return next((known for known in institutions if known.host.lower() == host), None)


def _institution_statement(page: HtmlPage, institution: Institution) -> Iterator[LicenceEvidence]:
    """The institution's exact words, when they stand in the page's visible text."""
    statement = " ".join(institution.statement.split())
    if statement and _says(page.text, statement):
        yield LicenceEvidence(
            licence=institution.licence,
            licence_url=institution.statement,
            binding=LicenceBinding.INSTITUTION_PAGE,
            institution=institution.host,
            source_url=page.url,
            element=excerpt(statement),
            digest=page.digest,
        )


def _says(text: str, statement: str) -> bool:
    """True when `statement` stands in `text` as words of its own."""
    at = text.find(statement)
    while at >= 0:
        end = at + len(statement)
        before, behind = text[at - 1 : at], text[end : end + 1]
        if not (before.isalnum() and statement[0].isalnum()) and not (
            behind.isalnum() and statement[-1].isalnum()
        ):
            return True
        at = text.find(statement, at + 1)
    return False


def _evidence(
    url: str, binding: LicenceBinding, institution: str, source: str, element: str, digest: str
) -> LicenceEvidence:
    licence = canonical_licence(url)
    return LicenceEvidence(
        licence=licence.id if licence else "",
        licence_url=licence.url if licence else excerpt(url),
        binding=binding,
        institution=institution,
        source_url=source,
        element=excerpt(element),
        digest=digest,
    )


PROTOCOL = LicenceLinks()
