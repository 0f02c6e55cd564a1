"""From the markup as seen to the data of a page: absolute URLs, links, pictures, statements."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from html import escape
from typing import Any
from urllib.parse import urljoin, urlsplit

from kyodaku.errors import UnsafeAddressError
from kyodaku.signals.carriers.html_names import IMAGE_SUFFIXES, LAZY_SRC
from kyodaku.signals.carriers.html_reader import MAX_SOURCES, MarkupReader
from kyodaku.signals.carriers.html_seen import SeenImage, SeenLink, SeenStatement
from kyodaku.signals.carriers.items_reader import SeenItem
from kyodaku.signals.carriers.json_ld import MAX_JSON_NODES, read_json_ld
from kyodaku.signals.carriers.page import (
    HtmlPage,
    ImageSource,
    JsonLd,
    Meta,
    PageFigure,
    PageImage,
    PageItem,
    PageLink,
    RdfaTriple,
)
from kyodaku.signals.model import excerpt
from kyodaku.urls import normalise_url

_OG_IMAGE = frozenset(
    {"og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src"}
)
_MAX_HREF = 8192
#: Elements of one described thing that its excerpt shows.
_MAX_TAGS = 8
#: Addresses of pictures kept of one page, all srcsets together; a page with more is incomplete.
_MAX_SOURCES_OF_PAGE = 20_000
_SRCSET_URL = re.compile(r"[\s,]*(\S+)")
_DESCRIPTORS = re.compile(r"[^,]*")
_WIDTH = re.compile(r"(\d{1,7})w")
_DENSITY = re.compile(r"(\d{1,4}(?:\.\d{0,6})?)x")


def page(
    reader: MarkupReader,
    *,
    url: str,
    digest: str,
    complete: bool,
    fetched_at: float,
    closed_figures: Collection[int],
) -> HtmlPage:
    """The page that `reader` saw; what a cap cut, there or here, makes it incomplete."""
    resolve = Resolver((absolute(url, reader.base) if reader.base else "") or url)
    metas = tuple(_meta(attributes) for attributes in reader.metas)
    images, all_images = _images(reader, resolve, metas)
    json_ld = tuple(read_json_ld(text) for text in reader.json_ld)
    main = main_image(images, json_ld, resolve)
    items = tuple(_item(seen) for things in reader.things for seen in things.finished())
    whole = all_images and not (reader.overflow or any(things.overflow for things in reader.things))
    return HtmlPage(
        url=url,
        base_url=resolve.base,
        digest=digest,
        complete=complete and whole,
        fetched_at=fetched_at,
        title=reader.title,
        lang=reader.lang,
        metas=metas,
        links=tuple(link for seen in reader.links if (link := _link(seen, resolve)) is not None),
        images=images,
        figures=tuple(
            PageFigure(parent, number in closed_figures) for number, parent in enumerate(reader.figures)
        ),
        json_ld=json_ld,
        rdfa=tuple(_triples(reader, resolve)),
        text=reader.text,
        rsl=tuple(reader.rsl),
        items=items,
        main_image=main,
        main_family=family_of(images, main) if main is not None else (),
        nofollow=any(
            meta.name == "robots" and {"nofollow", "none"} & set(re.split(r"[\s,;]+", meta.content.lower()))
            for meta in metas
        ),
    )


class Resolver:
    """`absolute` for one base, remembered: a page writes most of its addresses more than once."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._known: dict[str, str] = {}

    def __call__(self, href: str) -> str:
        url = self._known.get(href)
        if url is None:
            url = self._known[href] = absolute(self.base, href)
        return url


def absolute(base: str, href: str) -> str:
    """`href` resolved against `base`, without fragment; "" unless the result is http or https."""
    href = href.strip().translate({9: None, 10: None, 13: None})
    if not href or len(href) > _MAX_HREF:
        return ""
    try:
        url = urljoin(base, href).partition("#")[0]
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.netloc else ""


def same_url(one: str, other: str) -> bool:
    """True when two absolute URLs are one after RFC 3986 normalisation; False when either is malformed."""
    try:
        return normalise_url(one) == normalise_url(other)
    except UnsafeAddressError:
        return False


def walk_json(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every JSON object in `value`, outermost first, among its first MAX_JSON_NODES values; a page's
    `JsonLd` never has more."""
    stack = [value]
    for _ in range(MAX_JSON_NODES):
        if not stack:
            return
        node = stack.pop()
        if isinstance(node, dict):
            yield node
            stack += list(node.values())[::-1]
        elif isinstance(node, list):
            stack += node[::-1]


def url_values(value: Any) -> list[str]:
    """The URLs that a schema.org property holds: strings, and `@id`, `url`, `contentUrl` of objects."""
    found: list[str] = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str):
            found.append(item)
        elif isinstance(item, dict):
            picked = [item.get(key) for key in ("contentUrl", "url", "@id")]
            found += [text for text in picked if isinstance(text, str)][:1]
    return found


def main_image(images: tuple[PageImage, ...], json_ld: Iterable[JsonLd], resolve: Resolver) -> str | None:
    """The one picture that a page is about, or None where that is not plain.

    Four places may name it: schema.org (`mainEntity`, `primaryImageOfPage`), `og:image`, the only
    (or by its attributes the strictly largest) picture in a `<figure>`, and, when none of these says
    anything, the only `<img>`. Each place that speaks must name exactly one picture, and all the same
    one, where the addresses of one `<img>` (its srcset, the file it links to) count as the same.
    Structured data that may name one and cannot be read leaves it open.
    """
    json_ld = tuple(json_ld)
    if any(block.hides for block in json_ld):
        return None
    figures = [image for image in images if image.kind == "img" and image.figure >= 0]
    places = [
        _entity_images(json_ld, resolve),
        [image.url for image in images if image.kind == "meta"],
        [image.url for image in _largest(figures)],
    ]
    named = [url for place in places for url in place]
    if not named:
        named = [image.url for image in images if image.kind == "img"]
    if not named:
        return None
    family = family_of(images, named[0])
    if all(any(same_url(url, member) for member in family) for url in dict.fromkeys(named[:MAX_SOURCES])):
        return family[0] if len(named) <= MAX_SOURCES else None
    return None


def family_of(images: tuple[PageImage, ...], url: str) -> tuple[str, ...]:
    """The addresses under which a page gives the picture `url`, the best one first: those of its `<img>`
    and the image file that this `<img>` links to. Just `url` when no `<img>` shows it."""
    linked = {image.url for image in images if image.kind == "link"}
    for image in images:
        members = [image.url, *(source.url for source in image.candidates)]
        if image.link_href in linked:
            members.insert(0, image.link_href)
        if image.kind == "img" and any(same_url(member, url) for member in members):
            return tuple(dict.fromkeys(members))
    return (url,)


def _largest(figures: list[PageImage]) -> list[PageImage]:
    areas = [image.width * image.height for image in figures]
    if len(figures) > 1 and all(areas) and areas.count(max(areas)) == 1:
        return [figures[areas.index(max(areas))]]
    return figures


def _entity_images(json_ld: Iterable[JsonLd], resolve: Resolver) -> list[str]:
    found = []
    for block in json_ld:
        for node in walk_json(block.value):
            for key in ("mainEntity", "primaryImageOfPage"):
                entity = node.get(key)
                if isinstance(entity, dict):
                    pictures = entity.get("contentUrl") or entity.get("image")
                    found += [resolve(text) for text in url_values(pictures)]
    return [url for url in found if url]


def _meta(attributes: Mapping[str, str]) -> Meta:
    return Meta(
        name=attributes.get("name", "").strip().lower(),
        http_equiv=attributes.get("http-equiv", "").strip().lower(),
        property=attributes.get("property", "").strip().lower(),
        content=attributes.get("content", "").strip(),
        raw=_start_tag("meta", attributes),
    )


def _start_tag(tag: str, attributes: Mapping[str, str]) -> str:
    inside = "".join(f' {name}="{escape(value[:1000])}"' for name, value in list(attributes.items())[:40])
    return excerpt(f"<{tag}{inside}>")


def _rel(attributes: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(attributes.get("rel", "").lower().split())


def _link(seen: SeenLink, resolve: Resolver) -> PageLink | None:
    href = resolve(seen.attributes.get("href", ""))
    if not href:
        return None
    rel = _rel(seen.attributes)
    text = seen.label.text
    raw = _start_tag(seen.tag, seen.attributes)
    return PageLink(
        tag=seen.tag,
        href=href,
        rel=rel,
        type=seen.attributes.get("type", "").strip().lower(),
        text=text,
        raw=excerpt(f"{raw}{escape(text)}</a>") if seen.tag == "a" else raw,
        figure=seen.figure,
        nofollow="nofollow" in rel,
        about=_subject(seen.about, resolve) if seen.about is not None else "",
        vocab=seen.vocab,
        inert=seen.inert,
    )


def _subject(written: str, resolve: Resolver) -> str:
    """An RDFa subject made absolute; an empty one is the page, one that is no web address stays as it is."""
    return (resolve(written) or written) if written.strip() else resolve.base


def _images(
    reader: MarkupReader, resolve: Resolver, metas: tuple[Meta, ...]
) -> tuple[tuple[PageImage, ...], bool]:
    """The pictures of a page, and whether these are all, each with all its addresses."""
    captions = {figure: label.text for figure, label in reader.captions.items()}
    found = [(0, _plain_image(url, "meta")) for url in _meta_images(reader, resolve, metas)]
    budget = _MAX_SOURCES_OF_PAGE
    complete = True
    for seen in reader.images:
        limit = min(budget, MAX_SOURCES)
        image, whole = _image(seen, resolve, captions.get(seen.figure, ""), limit)
        complete = complete and whole
        if image is not None:
            budget -= len(image.candidates)
            found.append((seen.order, image))
    found += [
        (link.order, image)
        for link in reader.links
        if link.tag != "link" and (image := _linked_image(link, reader, resolve, captions)) is not None
    ]
    found.sort(key=lambda item: item[0])
    return tuple(_placed(image, position) for position, (_, image) in enumerate(found)), complete


def _placed(image: PageImage, position: int) -> PageImage:
    return PageImage(**{**image.__dict__, "position": position})


def _plain_image(url: str, kind: str) -> PageImage:
    return PageImage(url, (ImageSource(url),), kind, "", "", "", -1, "", 0, 0, 0)


def _meta_images(reader: MarkupReader, resolve: Resolver, metas: tuple[Meta, ...]) -> list[str]:
    written = [meta.content for meta in metas if meta.property in _OG_IMAGE or meta.name in _OG_IMAGE]
    written += [
        link.attributes.get("href", "")
        for link in reader.links
        if link.tag == "link" and "image_src" in _rel(link.attributes)
    ]
    return list(dict.fromkeys(url for text in written if (url := resolve(text))))


def _image(seen: SeenImage, resolve: Resolver, caption: str, limit: int) -> tuple[PageImage | None, bool]:
    """One picture, if it has a web address, and whether `limit` left it all its addresses."""
    attributes = seen.attributes
    lazy = [attributes[name] for name in LAZY_SRC if name in attributes]
    sources = [ImageSource(url) for text in lazy if (url := resolve(text))]
    for srcset in seen.srcsets:
        sources += _srcset(srcset, resolve, limit + 1 - len(sources))
    if own := resolve(attributes.get("src", "")):
        sources.append(ImageSource(own))
    whole = len(sources) <= limit
    sources = list({source.url: source for source in reversed(sources)}.values())[::-1][:limit]
    if not sources:
        return None, whole
    largest = max(sources, key=lambda source: (source.width, source.density))
    link = seen.link
    image = PageImage(
        url=largest.url,
        candidates=tuple(sources),
        kind=seen.kind,
        alt=" ".join(attributes.get("alt", "").split()),
        title=" ".join(attributes.get("title", "").split()),
        figcaption=caption,
        figure=seen.figure,
        link_href=resolve(link.attributes.get("href", "")) if link else "",
        width=_pixels(attributes.get("width", "")),
        height=_pixels(attributes.get("height", "")),
        position=0,
        nofollow=link is not None and "nofollow" in _rel(link.attributes),
    )
    return image, whole


def _linked_image(
    link: SeenLink, reader: MarkupReader, resolve: Resolver, captions: Mapping[int, str]
) -> PageImage | None:
    """The picture that a link leads to, described by the picture it wraps or by its own text."""
    href = resolve(link.attributes.get("href", ""))
    if not urlsplit(href).path.lower().endswith(IMAGE_SUFFIXES):
        return None
    inner = reader.images[link.images[0]].attributes if link.images else {}
    alt = inner.get("alt", "") or link.label.text
    return PageImage(
        url=href,
        candidates=(ImageSource(href),),
        kind="link",
        alt=" ".join(alt.split()),
        title=" ".join((link.attributes.get("title", "") or inner.get("title", "")).split()),
        figcaption=captions.get(link.figure, ""),
        figure=link.figure,
        link_href="",
        width=0,
        height=0,
        position=0,
        nofollow="nofollow" in _rel(link.attributes),
    )


def _srcset(text: str, resolve: Resolver, limit: int) -> list[ImageSource]:
    found: list[ImageSource] = []
    at = 0
    while len(found) < limit and (match := _SRCSET_URL.match(text, at)):
        written = match.group(1)
        at = match.end()
        described = ""
        if not written.endswith(","):
            descriptors = _DESCRIPTORS.match(text, at)
            described = descriptors.group() if descriptors else ""
            at += len(described)
        url = resolve(written.rstrip(","))
        if url:
            width, density = _WIDTH.search(described), _DENSITY.search(described)
            found.append(
                ImageSource(
                    url, int(width.group(1)) if width else 0, float(density.group(1)) if density else 1.0
                )
            )
    return found


def _pixels(text: str) -> int:
    match = re.match(r"\s*(\d{1,6})", text)
    return int(match.group(1)) if match else 0


def _item(seen: SeenItem) -> PageItem:
    raw = excerpt("".join(_start_tag(tag, attributes) for tag, attributes in seen.tags[:_MAX_TAGS]))
    return PageItem(seen.syntax, tuple(seen.types.split()), seen.node, bool(seen.refers), raw)


def _triples(reader: MarkupReader, resolve: Resolver) -> Iterator[RdfaTriple]:
    for seen in reader.statements:
        subject = _subject(seen.subject, resolve)
        attributes = seen.attributes
        raw = excerpt(_start_tag(seen.tag, attributes) + escape(seen.label.text))
        written = next((attributes[name] for name in ("resource", "href", "src") if name in attributes), None)
        target = resolve(written) if written is not None else ""
        for predicate in _predicates(seen, "rel"):
            if target:
                yield RdfaTriple(subject, predicate, target, raw)
        for predicate in _predicates(seen, "property"):
            text = attributes.get("content")
            yield RdfaTriple(subject, predicate, text if text is not None else target or seen.label.text, raw)


def _predicates(seen: SeenStatement, name: str) -> Iterator[str]:
    for written in seen.attributes.get(name, "").split():
        prefix, colon, reference = written.partition(":")
        if not colon:
            yield in_vocabulary(written, seen.vocab)
        elif prefix.lower() in seen.prefixes:
            yield seen.prefixes[prefix.lower()] + reference
        else:
            yield written


def in_vocabulary(term: str, vocab: str) -> str:
    """What an RDFa term means under `vocab`; a slash that was forgotten at its end is forgiven."""
    return vocab + ("" if not vocab or vocab.endswith(("/", "#")) else "/") + term
