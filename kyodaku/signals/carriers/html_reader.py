"""One pass over markup: libxml2 tokenises, this class keeps what we need. URLs stay as written.

Every list is capped. What a cap cuts may have said no, contradicted a licence or been a picture that the
page speaks about, so every cap sets `overflow`, which makes the page incomplete.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kyodaku.signals.carriers.html_names import HIDING_STYLE, IMAGE_SUFFIXES, INLINE, INVISIBLE, SRCSETS
from kyodaku.signals.carriers.html_seen import Label, SeenImage, SeenLink, SeenStatement
from kyodaku.signals.carriers.items_reader import ItemsReader, OpenElement

MAX_METAS = 5_000
MAX_LINKS = 20_000
MAX_IMAGES = 5_000
MAX_SOURCES = 64
MAX_FIGURES = 20_000
MAX_JSON_LD = 64
MAX_STATEMENTS = 2_000
#: As long as any page that is parsed: words that refuse may be the last ones.
MAX_TEXT = 2 * 1024 * 1024
_MAX_OPEN_LABELS = 8


@dataclass
class _Picture:
    """An open `<picture>`: the srcsets of its sources and the pictures inside it."""

    srcsets: list[str] = field(default_factory=list)
    images: list[SeenImage] = field(default_factory=list)


@dataclass(slots=True)
class _Frame:
    """What an open element changed, to be undone at its end."""

    tag: str
    hides: bool = False
    figure: bool = False
    label: Label | None = None
    subject: bool = False
    vocab: bool = False
    prefixes: bool = False
    inert: bool = False
    link: bool = False
    picture: bool = False
    script: list[str] | None = None
    things: list[tuple[ItemsReader, OpenElement]] | None = None


class MarkupReader:
    """Parser target for lxml: `start`, `end`, `data`, `comment`, `close`."""

    def __init__(self) -> None:
        self.base = ""
        self.lang = ""
        self.metas: list[Mapping[str, str]] = []
        self.links: list[SeenLink] = []
        self.images: list[SeenImage] = []
        self.captions: dict[int, Label] = {}
        self.json_ld: list[str] = []
        self.rsl: list[str] = []
        self.statements: list[SeenStatement] = []
        self.figures: list[int] = []
        self.things = (ItemsReader("microdata"), ItemsReader("rdfa"))
        self.overflow = False
        self._title: Label | None = None
        self._text: list[str] = []
        self._text_size = 0
        self._frames: list[_Frame] = []
        self._hidden = 0
        self._figures: list[int] = []
        self._labels: list[Label] = []
        self._subjects: list[str] = []
        self._vocabs: list[str] = [""]
        self._prefixes: list[Mapping[str, str]] = [{}]
        self._inert = 0
        self._link: SeenLink | None = None
        self._picture: _Picture | None = None
        self._script: list[str] | None = None
        self._order = 0

    @property
    def title(self) -> str:
        return self._title.text if self._title else ""

    @property
    def text(self) -> str:
        return " ".join("".join(self._text).split())

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element opens. lxml hands over lower-case names."""
        frame = _Frame(tag)
        self._frames.append(frame)
        if tag not in INLINE:
            self._break()
        if tag in INVISIBLE or (attributes and _is_hidden(attributes)):
            frame.hides = True
            self._hidden += 1
        if tag == "template" and "shadowrootmode" not in attributes:
            frame.inert = True
            self._inert += 1
        if attributes and not self._inert:
            self._vocabulary(frame, attributes)
        handler = _HANDLERS.get(tag)
        if handler is not None and not (self._inert and tag in _NOT_WHEN_INERT):
            handler(self, frame, attributes)
        if attributes and not self._inert:
            self._rdfa(frame, attributes)
            for reader in self.things:
                element = reader.open(tag, attributes)
                if element is not None:
                    frame.things = [*(frame.things or ()), (reader, element)]

    def end(self, tag: str) -> None:
        """An element closes; libxml2 balances the calls."""
        if not self._frames:
            return
        frame = self._frames.pop()
        if tag not in INLINE:
            self._break()
        self._hidden -= frame.hides
        if frame.figure:
            self._figures.pop()
        if frame.label is not None:
            self._labels = [label for label in self._labels if label is not frame.label]
        if frame.subject:
            self._subjects.pop()
        if frame.vocab:
            self._vocabs.pop()
        if frame.prefixes:
            self._prefixes.pop()
        self._inert -= frame.inert
        if frame.link:
            self._link = None
        if frame.picture:
            self._end_picture()
        for reader, element in frame.things or ():
            reader.close(element)
        if frame.script is not None and self._script is not None:
            frame.script.append("".join(self._script))
            self._script = None

    def data(self, data: str) -> None:
        """Character data."""
        if self._script is not None:
            self._script.append(data)
            return
        for label in self._labels:
            label.add(data)
        for reader in self.things:
            reader.data(data)
        if not self._hidden and self._text_size < MAX_TEXT:
            self._text.append(data[: MAX_TEXT - self._text_size])
            self._text_size += len(data)

    def comment(self, data: str) -> None:
        """Comments say nothing."""

    def close(self) -> MarkupReader:
        return self

    def _break(self) -> None:
        if not self._hidden and self._text and self._text[-1] != " ":
            self._text.append(" ")
        for label in self._labels:
            label.add(" ")

    def _collect(self, frame: _Frame) -> Label:
        label = Label()
        if len(self._labels) < _MAX_OPEN_LABELS:
            frame.label = label
            self._labels.append(label)
        return label

    def _on_html(self, frame: _Frame, attributes: Mapping[str, str]) -> None:
        self.lang = self.lang or attributes.get("lang", "").strip()[:40]

    def _on_base(self, frame: _Frame, attributes: Mapping[str, str]) -> None:
        self.base = self.base or attributes.get("href", "")

    def _on_title(self, frame: _Frame, attributes: Mapping[str, str]) -> None:
        if self._title is None:
            self._title = self._collect(frame)

    def _on_meta(self, frame: _Frame, attributes: Mapping[str, str]) -> None:
        if len(self.metas) < MAX_METAS:
            self.metas.append(dict(attributes))
        else:
            self.overflow = True

    def _on_link(self, frame: _Frame, attributes: Mapping[str, str]) -> None:
        if frame.tag == "link" and attributes.get("as", "").strip().lower() == "image":
            self._see(attributes.get("href", ""), _values(attributes, ("imagesrcset",)), kind="link")
        if "href" not in attributes:
            return
        if len(self.links) >= MAX_LINKS:
            self.overflow = True
            return
        label = self._collect(frame) if frame.tag == "a" else Label()
        about = attributes.get("about", self._subjects[-1] if self._subjects else None)
        link = SeenLink(
            frame.tag,
            dict(attributes),
            self._figure(),
            label,
            self._next(),
            about,
            self._vocabs[-1],
            self._inert > 0,
        )
        self.links.append(link)
        if frame.tag == "a":
            self._link, frame.link = link, True

    def _on_figure(self, frame: _Frame, attributes: Mapping[str, str]) -> None:
        if len(self.figures) >= MAX_FIGURES:
            self.overflow = True
            return
        number = len(self.figures)
        self.figures.append(self._figure())
        if not self._inert:
            frame.figure = True
            self._figures.append(number)

    def _on_figcaption(self, frame: _Frame, attributes: Mapping[str, str]) -> None:
        if self._figures and self._figures[-1] not in self.captions:
            self.captions[self._figures[-1]] = self._collect(frame)

    def _on_picture(self, frame: _Frame, attributes: Mapping[str, str]) -> None:
        if self._picture is None:
            self._picture, frame.picture = _Picture(), True

    def _end_picture(self) -> None:
        """What the sources name belongs to the `<img>` beside them, wherever it stands, or stands alone."""
        picture, self._picture = self._picture, None
        if picture is None or not picture.srcsets:
            return
        if not picture.images:
            self._see("", picture.srcsets)
        for image in picture.images:
            image.srcsets += picture.srcsets

    def _on_source(self, frame: _Frame, attributes: Mapping[str, str]) -> None:
        if self._picture is None:
            return
        if len(self._picture.srcsets) < MAX_SOURCES:
            self._picture.srcsets += _values(attributes, SRCSETS)
        else:
            self.overflow = True

    def _on_img(self, frame: _Frame, attributes: Mapping[str, str]) -> None:
        self._see(attributes.get("src", ""), _values(attributes, SRCSETS), attributes)

    def _on_svg_image(self, frame: _Frame, attributes: Mapping[str, str]) -> None:
        """`<image>` of SVG, which has an href; outside of SVG browsers take it for `<img>`."""
        for address in dict.fromkeys(_values(attributes, ("href", "xlink:href", "src"))):
            self._see(address, [], attributes)

    def _on_input(self, frame: _Frame, attributes: Mapping[str, str]) -> None:
        if attributes.get("type", "").strip().lower() == "image":
            self._see(attributes.get("src", ""), [], attributes)

    def _on_video(self, frame: _Frame, attributes: Mapping[str, str]) -> None:
        for address in dict.fromkeys(_values(attributes, ("poster", "data-poster"))):
            self._see(address, [])

    def _on_object(self, frame: _Frame, attributes: Mapping[str, str]) -> None:
        """`<object data>` and `<embed src>`, where their type or their name is a picture's."""
        typed = attributes.get("type", "").strip().lower().startswith("image/")
        for address in _values(attributes, ("data", "src")):
            path = address.partition("#")[0].partition("?")[0].strip().lower()
            if typed or path.endswith(IMAGE_SUFFIXES):
                self._see(address, [], attributes)

    def _see(
        self, src: str, srcsets: list[str], attributes: Mapping[str, str] | None = None, kind: str = "img"
    ) -> None:
        if len(self.images) >= MAX_IMAGES:
            self.overflow = True
            return
        if self._inert:
            kind = "link"
        shown = kind == "img"
        image = SeenImage(
            {**(attributes or {}), "src": src},
            list(srcsets),
            self._figure() if shown else -1,
            self._link if shown else None,
            self._next(),
            kind,
        )
        if shown and self._link is not None:
            self._link.images.append(len(self.images))
        if shown and self._picture is not None:
            self._picture.images.append(image)
        self.images.append(image)

    def _on_script(self, frame: _Frame, attributes: Mapping[str, str]) -> None:
        kind = attributes.get("type", "").partition(";")[0].strip().lower()
        texts = {"application/ld+json": self.json_ld, "application/rsl+xml": self.rsl}.get(kind)
        if texts is None:
            return
        if len(texts) < MAX_JSON_LD:
            frame.script = texts
            self._script = []
        else:
            self.overflow = True

    def _vocabulary(self, frame: _Frame, attributes: Mapping[str, str]) -> None:
        """What terms and prefixes mean from here on (RDFa Core 1.1 section 7.5, steps 2 and 3)."""
        if "vocab" in attributes:
            self._vocabs.append(attributes["vocab"].strip())
            frame.vocab = True
        words = attributes.get("prefix", "").split()
        declared = {name[:-1].lower(): iri for name, iri in zip(words[::2], words[1::2], strict=False)}
        declared |= {name[6:].lower(): iri for name, iri in attributes.items() if name.startswith("xmlns:")}
        declared = {name: iri for name, iri in declared.items() if name in _PREFIXES}
        if declared:
            self._prefixes.append({**self._prefixes[-1], **declared})
            frame.prefixes = True

    def _rdfa(self, frame: _Frame, attributes: Mapping[str, str]) -> None:
        """Statements and subjects (RDFa Core 1.1 section 7.5), as far as a subject is named by `about` or
        by a typed `resource`. Inside such a scope, what hangs on an unnamed thing has the subject `_:`."""
        subject = attributes.get("about")
        linked = next((attributes[name] for name in ("resource", "href", "src") if name in attributes), None)
        related = "rel" in attributes or "rev" in attributes
        if subject is None and "typeof" in attributes and not related:
            subject = attributes.get("resource")
            if subject is None and self._subjects:
                subject = "_:"
        if subject is None and not self._subjects:
            return
        own = self._subjects[-1] if subject is None else subject
        if related or subject is not None:
            self._subjects.append((linked or "_:") if related else own)
            frame.subject = True
        if "rel" not in attributes and "property" not in attributes:
            return
        if len(self.statements) >= MAX_STATEMENTS:
            self.overflow = True
        else:
            label = frame.label if frame.label is not None else self._collect(frame)
            self.statements.append(
                SeenStatement(frame.tag, dict(attributes), own, label, self._vocabs[-1], self._prefixes[-1])
            )

    def _figure(self) -> int:
        return self._figures[-1] if self._figures and not self._inert else -1

    def _next(self) -> int:
        self._order += 1
        return self._order


#: Prefixes under which a licence may be stated; others need not be known.
_PREFIXES = frozenset({"cc", "dct", "dcterms", "schema", "xhv"})
#: What counts for nothing inside a `<template>`.
_NOT_WHEN_INERT = frozenset({"html", "base", "title", "figcaption", "script"})


def _values(attributes: Mapping[str, str], names: tuple[str, ...]) -> list[str]:
    return [attributes[name] for name in names if name in attributes]


def _is_hidden(attributes: Mapping[str, str]) -> bool:
    return "hidden" in attributes or bool(HIDING_STYLE.search(attributes.get("style", "")))


_HANDLERS: dict[str, Callable[[MarkupReader, _Frame, Mapping[str, str]], None]] = {
    "html": MarkupReader._on_html,
    "base": MarkupReader._on_base,
    "title": MarkupReader._on_title,
    "meta": MarkupReader._on_meta,
    "a": MarkupReader._on_link,
    "area": MarkupReader._on_link,
    "link": MarkupReader._on_link,
    "figure": MarkupReader._on_figure,
    "figcaption": MarkupReader._on_figcaption,
    "picture": MarkupReader._on_picture,
    "source": MarkupReader._on_source,
    "img": MarkupReader._on_img,
    "amp-img": MarkupReader._on_img,
    "amp-anim": MarkupReader._on_img,
    "image": MarkupReader._on_svg_image,
    "feimage": MarkupReader._on_svg_image,
    "input": MarkupReader._on_input,
    "video": MarkupReader._on_video,
    "amp-video": MarkupReader._on_video,
    "object": MarkupReader._on_object,
    "embed": MarkupReader._on_object,
    "script": MarkupReader._on_script,
}
