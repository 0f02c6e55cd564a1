"""Licence statements as evidence, each with how it is bound to the image.

A licence is a permission under copyright, not a word about data mining: this protocol gives evidence and
no signals. What is not bound to the image is recorded and counts for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

from kyodaku.errors import UnsafeAddressError
from kyodaku.signals.carriers.embedded import EmbeddedMetadata
from kyodaku.signals.carriers.extract import absolute, in_vocabulary
from kyodaku.signals.carriers.headers import ResponseHead, parse_links
from kyodaku.signals.carriers.page import HtmlPage, PageImage, PageLink
from kyodaku.signals.institutions import institution_of, statement_of
from kyodaku.signals.licence_urls import canonical_licence
from kyodaku.signals.licensed_objects import PUBLIC_DOMAIN, licensed_objects
from kyodaku.signals.model import LicenceBinding, LicenceEvidence, Reading, excerpt
from kyodaku.signals.protocols.base import About, Peers, Protocol
from kyodaku.urls import normalise_url

#: Statements looked at on one page, and how many of those that bind nothing are recorded with each image.
_MAX_STATEMENTS = 500
_MAX_UNBOUND = 8
#: Pictures looked at in one figure to tell whether it holds one only.
_MAX_IN_FIGURE = 64
_RSL_TYPE = "application/rsl+xml"
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
_KNOWN_HOST = re.compile(r"creativecommons\.org|rightsstatements\.org", re.IGNORECASE)
_STATED_IN_HEADER = re.compile(r"\brel\s{0,8}=[^;,<=]{0,200}?\blicen[cs]e\b", re.IGNORECASE)
_XMP_LICENCES = (("http://creativecommons.org/ns#", "license"), ("http://purl.org/dc/terms/", "license"))
#: Of Dublin Core, XMP and Europeana, whatever their namespace.
_XMP_RIGHTS = frozenset({"rights", "accessRights", "UsageTerms", "license", "licence"})
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


@dataclass(frozen=True)
class _Read:
    """What was read of one page: its statements, by address the other addresses of the same picture, and
    whether there are statements `beyond` those that are read."""

    page: HtmlPage
    statements: tuple[_Statement, ...]
    families: Mapping[str, Sequence[frozenset[str]]]
    beyond: bool

    def family(self, image: str) -> frozenset[str]:
        """`image` and the other addresses of its picture."""
        return frozenset({image}).union(*self.families.get(image, ()))


class LicenceLinks(Protocol):
    """rel=license, schema.org, RDFa, XMP and named institutions."""

    name = "licence"
    title = "Licence statements (rel=license, schema.org, RDFa, XMP, named institutions), as evidence"
    vector_signals = ("license",)
    about = About(
        where=(
            "schema.org ImageObject (JSON-LD, microdata), CC REL, licence links in markup and in the image's "
            "`Link` header, XMP; rightsstatements.org"
        ),
        scope="image (bound), page (recorded)",
        status="schema.org, ccREL, Creative Commons, rightsstatements.org",
        spec="evidence for the recipe's basis, never a signal of its own",
        policy="the same; a statement that is not bound to the image, or is contradicted, is none",
        peers=Peers(common_crawl="not known"),
    )

    def __init__(self) -> None:
        # A page is asked about each of its images in turn.
        self._last: _Read | None = None

    def page_evidence(self, page: HtmlPage, image_url: str, reading: Reading) -> list[LicenceEvidence]:
        institution = institution_of(page, reading.institutions)
        host = institution.host if institution else ""
        image = _normal(image_url)
        found: dict[LicenceEvidence, None] = dict.fromkeys(_unread(page, host))
        whole = page.complete and not found and image != ""
        read = self._read(page)
        family = read.family(image)
        said = {
            licence.id
            for statement in read.statements
            if statement.sure and image in statement.images and (licence := canonical_licence(statement.url))
        }
        if read.beyond:  # what is not read may take away what other places grant
            element = "more statements about licences than are read"
            item = _evidence("", LicenceBinding.CONTENT_URL, host, page.url, element, page.digest)
            found[item] = None
        unbound = 0
        for statement in read.statements:
            # What is said of another size of the same picture, or on a page that was not read whole, is no
            # ground, but may contradict.
            if not statement.images.isdisjoint(family):
                if whole and statement.sure and image in statement.images:
                    found[_bound(statement, statement.binding, host, page)] = None
                else:
                    found.update(dict.fromkeys(_doubtful(statement, host, page, said if whole else ())))
            elif not (statement.images and whole):  # else it speaks about another image
                unbound += 1
                if unbound <= _MAX_UNBOUND:
                    found[_bound(statement, LicenceBinding.UNBOUND, host, page)] = None
        main = {_normal(url) for url in page.main_family} - {""}
        if whole and institution is not None and image in main:
            found.update(dict.fromkeys(statement_of(page, institution)))
        return list(found)

    def head_evidence(self, head: ResponseHead) -> list[LicenceEvidence]:
        """`Link: <...>; rel=license` (RFC 8288). A link with another anchor speaks about something else."""
        own, digest = _normal(head.url), head.digest()
        found: dict[LicenceEvidence, None] = {}
        for value in head.values("link"):
            links = [link for link in parse_links(value) if "license" in link.rel]
            for link in links if len(links) <= _MAX_STATEMENTS else ():
                anchor = link.parameter("anchor")
                if not _is_rsl(link.parameter("type").lower()):
                    part = "#" in anchor  # of the picture, whatever that is
                    itself = not anchor.strip() or (not part and _normal(absolute(head.url, anchor)) == own)
                    binding = LicenceBinding.LINK_HEADER if itself else LicenceBinding.UNBOUND
                    url = absolute(head.url, link.target) or link.target
                    found[_evidence(url, binding, "", head.url, f"Link: {value}", digest)] = None
            if len(_STATED_IN_HEADER.findall(value)) > len(links) or len(links) > _MAX_STATEMENTS:
                # One that cannot be read may contradict those that can.
                item = _evidence("", LicenceBinding.LINK_HEADER, "", head.url, f"Link: {value}", digest)
                found[item] = None
        return list(found)

    def image_evidence(self, embedded: EmbeddedMetadata) -> list[LicenceEvidence]:
        """Licences in XMP; nothing from a file that is broken, or from bytes outside its structure."""
        if not embedded.complete:
            return []
        packets = [p.properties for p in embedded.xmp if p.properties is not None and p.source != "scan"]
        urls = [url for xmp in packets for key in _XMP_LICENCES for url in xmp.values(*key)]
        # A web statement is often the author's own page. Only one that names a known licence is a licence.
        urls += [url for xmp in packets for url in xmp.values(*_XMP_STATEMENT) if canonical_licence(url)]
        # A rights field that is the address of a licence states it. Public domain takes a plainer word.
        urls += [
            url
            for xmp in packets
            for prop in xmp.properties
            if not prop.nested and prop.name in _XMP_RIGHTS
            for url in prop.values
            if _is_restriction(url)
        ]
        # What a description of another address states is no ground, though it may contradict.
        own = {
            url
            for xmp in packets
            for p in xmp.properties
            if not p.elsewhere(embedded.url)
            for url in p.values
        }
        sure = {url: url in own or _is_restriction(url) for url in urls}
        return [
            _evidence(
                url,
                LicenceBinding.XMP if bound else LicenceBinding.UNBOUND,
                "",
                embedded.url,
                url,
                embedded.digest,
            )
            for url, bound in sure.items()
        ]

    def _read(self, page: HtmlPage) -> _Read:
        if self._last is None or self._last.page is not page:
            every = chain(_of_links(page), _of_rdfa(page), _of_objects(page))
            read = tuple(islice(every, _MAX_STATEMENTS + 1))
            beyond = len(read) > _MAX_STATEMENTS
            if beyond:  # one that is not read might contradict one that is
                read = tuple(replace(statement, sure=False) for statement in read)
            self._last = _Read(page, read, _families(page) if read else {}, beyond)
        return self._last


def _families(page: HtmlPage) -> dict[str, list[frozenset[str]]]:
    """By address, those under which the page gives the same picture: other sizes, the file it links to."""
    linked = {image.url for image in page.images if image.kind == "link"}
    families: dict[str, list[frozenset[str]]] = {}
    for image in page.images:
        if image.kind == "img":
            urls = {_normal(source.url) for source in image.candidates}
            if image.link_href in linked:
                urls.add(_normal(image.link_href))
            members = frozenset(urls - {""})
            for url in members if len(members) > 1 else ():
                families.setdefault(url, []).append(members)
    return families


def _of_links(page: HtmlPage) -> Iterator[_Statement]:
    """rel=license. A subject that the markup names goes before the figure that the link stands in."""
    stated = [link for link in page.links if not link.inert and (_states_licence(link) or _restricts(link))]
    figures = _figures(page) if any(link.figure >= 0 for link in stated) else {}
    for link in stated:
        plain = _states_licence(link)
        if link.about:
            sure = plain and _names_licence(in_vocabulary("license", link.vocab))
            yield _Statement(link.href, LicenceBinding.RDFA_ABOUT, _only(link.about), link.raw, sure)
        elif plain or link.figure in figures:
            images, sure = figures.get(link.figure, (frozenset(), False))
            yield _Statement(link.href, LicenceBinding.FIGURE, images, link.raw, sure and plain)


def _states_licence(link: PageLink) -> bool:
    return "license" in link.rel and not _is_rsl(link.type)


def _restricts(link: PageLink) -> bool:
    """A link to a known licence that takes something away, whatever it says the relation is."""
    return link.figure >= 0 and _is_restriction(link.href)


def _is_restriction(url: str) -> bool:
    licence = canonical_licence(url) if _KNOWN_HOST.search(url) else None
    return licence is not None and licence.id not in PUBLIC_DOMAIN


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
        word = _LAST_TERM.split(triple.predicate.lower())[-1] in ("license", "licence")
        if sure or word or _is_restriction(triple.object):
            yield _Statement(
                triple.object, LicenceBinding.RDFA_ABOUT, _only(triple.subject), triple.raw, sure
            )


def _of_objects(page: HtmlPage) -> Iterator[_Statement]:
    """schema.org objects with a `license`; bound to their `contentUrl`. A picture that has a page where a
    licence is sold, and no licence, is not free."""
    normal: dict[frozenset[str], frozenset[str]] = {}
    for item in licensed_objects(page):
        if item.same not in normal:
            normal[item.same] = frozenset(map(_normal, item.same)) - {""}
        contents = frozenset(map(_normal, item.contents)) - {""}
        others = frozenset(map(_normal, item.others)) - contents - {""}
        # Several addresses: it is not plain which of them the licence covers.
        sure = item.sure and len(item.contents) == 1
        for url in item.licences:
            yield _Statement(url, LicenceBinding.CONTENT_URL, contents, item.raw, sure)
        doubtful = [*item.restrictions, *([] if item.licences else [item.acquire])]
        about = [(url, others) for url in item.licences] + [(url, contents | others) for url in doubtful]
        about += [(url, normal[item.same]) for url in (*item.licences, *doubtful)]
        for url, images in about:
            if images:
                yield _Statement(url, LicenceBinding.CONTENT_URL, images, item.raw, sure=False)


def _unread(page: HtmlPage, institution: str) -> Iterator[LicenceEvidence]:
    """Structured data that may contradict every statement of the page, but cannot be read."""
    for block in page.json_ld:
        if block.hides:
            element = f"structured data that cannot be read ({block.error}): {block.raw}"
            yield _evidence("", LicenceBinding.UNBOUND, institution, page.url, element, page.digest)


def _doubtful(
    statement: _Statement, institution: str, page: HtmlPage, said: Container[str]
) -> Iterator[LicenceEvidence]:
    """A statement that may be about this image: recorded as no ground, or, where it may take away what
    another grants, as bound and no known licence, so that it contradicts whatever else is said. One that
    repeats what is plainly `said` contradicts nothing."""
    item = _bound(statement, LicenceBinding.UNBOUND, institution, page)
    harmless = item.licence in PUBLIC_DOMAIN or item.licence in said
    yield item if harmless else replace(item, licence="", binding=statement.binding)


def _only(url: str) -> frozenset[str]:
    return frozenset({_normal(url)} - {""})


def _normal(url: str) -> str:
    """`url` in its one spelling, or "" when it is no well-formed http or https URL."""
    try:
        return normalise_url(url)
    except UnsafeAddressError:
        return ""


def _bound(
    statement: _Statement, binding: LicenceBinding, institution: str, page: HtmlPage
) -> LicenceEvidence:
    return _evidence(statement.url, binding, institution, page.url, statement.raw, page.digest)


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
