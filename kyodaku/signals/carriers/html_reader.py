"""One pass over markup: libxml2 tokenises, this class keeps what we need. URLs stay as written.

Every list is capped. What a cap cuts from the lists that can refuse or contradict (metas, licence
statements) sets `overflow`, which makes the page incomplete; links and pictures beyond theirs are not taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

MAX_METAS = 5_000
MAX_LINKS = 20_000
MAX_IMAGES = 5_000
MAX_SOURCES = 64
MAX_JSON_LD = 64
MAX_STATEMENTS = 2_000
MAX_TEXT = 400_000
MAX_LABEL = 4_000
_MAX_OPEN_LABELS = 8

_INLINE_NAMES = """
a abbr acronym b bdi bdo big cite code data del dfn em font i img ins kbd mark meta q rp rt ruby s samp small
span strong sub sup time tt u var wbr
"""
_INVISIBLE_NAMES = """
head title script style noscript template textarea select option iframe object svg noembed noframes
"""
_INLINE = frozenset(_INLINE_NAMES.split())
_INVISIBLE = frozenset(_INVISIBLE_NAMES.split())
_HIDING_STYLE = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
#: Where lazy-loading scripts keep the address that they put into `src`, the largest kind first.
LAZY_SRC = (
    "data-full-src",
    "data-full",
    "data-large-src",
    "data-large_image",
    "data-hi-res-src",
    "data-zoom-image",
    "data-original",
    "data-src",
    "data-lazy-src",
    "data-lazy",
    "data-actualsrc",
)
LAZY_SRCSET = ("data-srcset", "data-lazy-srcset", "data-original-set")


@dataclass
class Label:
    """Text that is being collected for one element."""

    parts: list[str] = field(default_factory=list)
    size: int = 0

    def add(self, data: str) -> None:
        if self.size < MAX_LABEL:
            self.parts.append(data[: MAX_LABEL - self.size])
            self.size += len(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.parts).split())


@dataclass
class SeenLink:
    """A link as written; `images` are the numbers of the pictures inside it."""

    tag: str
    attributes: Mapping[str, str]
    figure: int
    label: Label
    order: int
    about: str | None
    images: list[int] = field(default_factory=list)


@dataclass
class SeenImage:
    """A picture as written; `srcsets` are those of its `<picture>` and its own."""

    attributes: Mapping[str, str]
    srcsets: tuple[str, ...]
    figure: int
    link: SeenLink | None
    order: int


@dataclass
class SeenStatement:
    """An element with `rel` or `property` inside the scope of a named RDFa subject."""

    tag: str
    attributes: Mapping[str, str]
    subject: str
    label: Label


@dataclass
class _Frame:
    """What an open element changed, to be undone at its end."""

    tag: str
    hides: bool = False
    figure: bool = False
    label: Label | None = None
    subject: bool = False
    link: bool = False
    picture: bool = False
    json_ld: bool = False


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
        self.statements: list[SeenStatement] = []
        self.overflow = False
        self._title: Label | None = None
        self._text: list[str] = []
        self._text_size = 0
        self._frames: list[_Frame] = []
        self._hidden = 0
        self._figures: list[int] = []
        self._figure_count = 0
        self._labels: list[Label] = []
        self._subjects: list[str] = []
        self._link: SeenLink | None = None
        self._picture: list[str] | None = None
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
        if tag not in _INLINE:
            self._break()
        if tag in _INVISIBLE or (attributes and _is_hidden(attributes)):
            frame.hides = True
            self._hidden += 1
        handler = _HANDLERS.get(tag)
        if handler is not None:
            handler(self, frame, attributes)
        if attributes:
            self._rdfa(frame, attributes)

    def end(self, tag: str) -> None:
        """An element closes; libxml2 balances the calls."""
        if not self._frames:
            return
        frame = self._frames.pop()
        if tag not in _INLINE:
            self._break()
        self._hidden -= frame.hides
        if frame.figure:
            self._figures.pop()
        if frame.label is not None:
            self._labels = [label for label in self._labels if label is not frame.label]
        if frame.subject:
            self._subjects.pop()
        if frame.link:
            self._link = None
        if frame.picture:
            self._picture = None
        if frame.json_ld and self._script is not None:
            self.json_ld.append("".join(self._script))
            self._script = None

    def data(self, data: str) -> None:
        """Character data."""
        if self._script is not None:
            self._script.append(data)
            return
        for label in self._labels:
            label.add(data)
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
        if "href" not in attributes:
            return
        if len(self.links) >= MAX_LINKS:
            self.overflow = self.overflow or "license" in attributes.get("rel", "").lower()
            return
        label = self._collect(frame) if frame.tag == "a" else Label()
        about = attributes.get("about", self._subjects[-1] if self._subjects else None)
        link = SeenLink(frame.tag, dict(attributes), self._figure(), label, self._next(), about)
        self.links.append(link)
        if frame.tag == "a":
            self._link, frame.link = link, True

    def _on_figure(self, frame: _Frame, attributes: Mapping[str, str]) -> None:
        frame.figure = True
        self._figures.append(self._figure_count)
        self._figure_count += 1

    def _on_figcaption(self, frame: _Frame, attributes: Mapping[str, str]) -> None:
        if self._figures and self._figures[-1] not in self.captions:
            self.captions[self._figures[-1]] = self._collect(frame)

    def _on_picture(self, frame: _Frame, attributes: Mapping[str, str]) -> None:
        if self._picture is None:
            self._picture, frame.picture = [], True

    def _on_source(self, frame: _Frame, attributes: Mapping[str, str]) -> None:
        if self._picture is not None and len(self._picture) < MAX_SOURCES:
            self._picture += [attributes[name] for name in ("srcset", *LAZY_SRCSET) if name in attributes]

    def _on_img(self, frame: _Frame, attributes: Mapping[str, str]) -> None:
        if len(self.images) >= MAX_IMAGES:
            return
        srcsets = [attributes[name] for name in ("srcset", *LAZY_SRCSET) if name in attributes]
        image = SeenImage(
            dict(attributes), (*srcsets, *(self._picture or ())), self._figure(), self._link, self._next()
        )
        if self._link is not None:
            self._link.images.append(len(self.images))
        self.images.append(image)

    def _on_script(self, frame: _Frame, attributes: Mapping[str, str]) -> None:
        kind = attributes.get("type", "").partition(";")[0].strip().lower()
        if kind != "application/ld+json":
            return
        if len(self.json_ld) < MAX_JSON_LD:
            frame.json_ld = True
            self._script = []
        else:
            self.overflow = True

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
            self.statements.append(SeenStatement(frame.tag, dict(attributes), own, label))

    def _figure(self) -> int:
        return self._figures[-1] if self._figures else -1

    def _next(self) -> int:
        self._order += 1
        return self._order


def _is_hidden(attributes: Mapping[str, str]) -> bool:
    return "hidden" in attributes or bool(_HIDING_STYLE.search(attributes.get("style", "")))


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
    "script": MarkupReader._on_script,
}
