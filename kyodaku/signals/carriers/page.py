"""What a parsed page is: plain data, shared by gates, spider and evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Meta:
    """One `<meta>`, wherever it stands in the document. Absent attributes are "".

    `name`, `http_equiv` and `property` are lower case and trimmed.
    """

    name: str
    http_equiv: str
    property: str
    content: str
    raw: str


@dataclass(frozen=True)
class PageLink:
    """One `<a>`, `<area>` or `<link>` with an href.

    `href` is absolute, without fragment; `rel` and `type` are lower case; `text` is the anchor text;
    `raw` the element's own start tag and text; `figure` the number of the enclosing `<figure>` or -1;
    `nofollow` is true for `rel=nofollow` on the link (a page-wide nofollow is `HtmlPage.nofollow`).
    `about` is the RDFa subject in whose scope the link stands (absolute where it is a URL), "" for none;
    `vocab` the RDFa vocabulary in force, "" for none. `inert` is true inside a `<template>`, which shows
    nothing: such a link may refuse, but says nothing for an image.
    """

    tag: str
    href: str
    rel: tuple[str, ...]
    type: str
    text: str
    raw: str
    figure: int
    nofollow: bool
    about: str
    vocab: str
    inert: bool


@dataclass(frozen=True)
class ImageSource:
    """One address of a picture: `width` in pixels (from a `w` descriptor) or 0, and its pixel density."""

    url: str
    width: int = 0
    density: float = 1.0


@dataclass(frozen=True)
class PageImage:
    """One picture of a page.

    `url` is the largest of `candidates` (every address that the markup gives for it, this one included).
    `kind` is `img` (the page shows it: `<img>`, `<picture>`, poster, SVG image and their like), `link` (an
    `<a href>` to an image file, a preload, a picture in a `<template>`) or `meta` (`og:image` and its like).
    `figure` is the number of the enclosing `<figure>` or -1; `link_href` the enclosing link or "";
    `width`, `height` the attributes in CSS pixels or 0; `position` counts pictures in document order.
    `nofollow` is true when the enclosing link (or the link itself) says so.
    """

    url: str
    candidates: tuple[ImageSource, ...]
    kind: str
    alt: str
    title: str
    figcaption: str
    figure: int
    link_href: str
    width: int
    height: int
    position: int
    nofollow: bool = False


@dataclass(frozen=True)
class PageFigure:
    """One `<figure>`: the number of the figure around it or -1, and whether the markup itself ends it.

    What stands in a figure that is never ended may just as well stand behind it.
    """

    parent: int
    closed: bool


@dataclass(frozen=True)
class JsonLd:
    """One `<script type="application/ld+json">`: its text, and its value or the reason it has none.

    `hides` is True when it has no value although its text speaks of a licence or of the page's picture: then
    nothing on this page is evidence, for this block may contradict it.
    """

    raw: str
    value: Any
    error: str
    hides: bool


@dataclass(frozen=True)
class PageItem:
    """One thing that attributes describe, `syntax` `microdata` or `rdfa`, in the shape of a JSON-LD node: by
    property name as written a list of texts and nodes, and its name as `@id`. URLs are as written. `refers`
    is true where elements elsewhere speak about it too (`itemref`)."""

    syntax: str
    types: tuple[str, ...]
    node: Mapping[str, Any]
    refers: bool
    raw: str


@dataclass(frozen=True)
class RdfaTriple:
    """One RDFa statement about something that the markup names with `about` or a typed `resource`.

    `subject` is absolute; `object` is an absolute URL where the markup gives one, else text. `predicate` is
    an IRI where the page declares its prefix or a vocabulary for its terms, else as written.
    """

    subject: str
    predicate: str
    object: str
    raw: str


@dataclass(frozen=True)
class HtmlPage:
    """One parsed page.

    `complete` is False when the body was cut, here or on the wire: what it then does not say proves nothing.
    `digest` is the sha256 hex of the whole body. `text` is the visible text, white space collapsed and
    capped. `main_image` is the page's one main picture by the rule of `extract.main_image`, or None, and
    `main_family` every address under which the page gives that picture.
    `figures` are numbered in document order. `nofollow` is a page-wide robots nofollow / none. `rsl` holds
    the text of each `<script type="application/rsl+xml">`.
    """

    url: str
    base_url: str
    digest: str
    complete: bool
    fetched_at: float
    title: str
    lang: str
    metas: tuple[Meta, ...]
    links: tuple[PageLink, ...]
    images: tuple[PageImage, ...]
    figures: tuple[PageFigure, ...]
    json_ld: tuple[JsonLd, ...]
    rdfa: tuple[RdfaTriple, ...]
    text: str
    main_image: str | None
    main_family: tuple[str, ...]
    nofollow: bool
    rsl: tuple[str, ...] = ()
    items: tuple[PageItem, ...] = ()
