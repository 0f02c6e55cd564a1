"""What the reader of markup keeps of it: URLs, subjects and terms as written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_LABEL = 4_000


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
    vocab: str
    inert: bool
    images: list[int] = field(default_factory=list)


@dataclass
class SeenImage:
    """A picture as written; `srcsets` are its own and those of its `<picture>`. `kind` is `img` where the
    page shows it, `link` where the markup only names it."""

    attributes: Mapping[str, str]
    srcsets: list[str]
    figure: int
    link: SeenLink | None
    order: int
    kind: str


@dataclass
class SeenStatement:
    """An element with `rel` or `property` inside the scope of a named RDFa subject."""

    tag: str
    attributes: Mapping[str, str]
    subject: str
    label: Label
    vocab: str
    prefixes: Mapping[str, str]
