"""Things that markup describes with attributes: microdata (HTML Standard, section 5) and typed RDFa.

Kept are the properties that may bear on a licence, in the shape of JSON-LD, so that one reader serves all
three. RDFa is read for its words only: what hangs on what is read more widely than RDFa Core has it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from kyodaku.signals.carriers.html_seen import Label

MAX_PROPERTIES = 5_000
_MAX_OPEN_LABELS = 8
_MAX_DEPTH_OF_IDS = 32
_LAST_TERM = re.compile(r"[/#:]")
#: Last terms, in lower case, of the properties whose values are kept whatever they are.
_KEPT = frozenset(
    {
        "acquirelicensepage",
        "associatedmedia",
        "conditionsofaccess",
        "contenturl",
        "copyrightnotice",
        "credittext",
        "disclaimer",
        "embedurl",
        "encoding",
        "licence",
        "license",
        "rights",
        "thumbnail",
        "thumbnailurl",
        "url",
        "usageinfo",
    }
)
_KNOWN_HOSTS = ("creativecommons.org", "rightsstatements.org")
#: Where microdata has the value of an element that is not its text.
_VALUE_ATTRIBUTE = {
    "meta": "content",
    **dict.fromkeys(("audio", "embed", "iframe", "img", "source", "track", "video"), "src"),
    **dict.fromkeys(("a", "area", "link"), "href"),
    "object": "data",
    **dict.fromkeys(("data", "meter"), "value"),
}
#: Prefixes of what describes the page to social networks.
_OTHER_VOCABULARIES = ("og:", "twitter:")
_LAZY = ("data-src", "data-original", "data-full-src", "data-lazy-src")


def last_term(name: str) -> str:
    """`license` of `schema:License` and `http://schema.org/license`."""
    return _LAST_TERM.split(name)[-1].lower()


@dataclass
class SeenItem:
    """One thing: `node` holds lists of texts and of further nodes by property name as written; `tags` the
    elements that say so, the thing's own first; `refers` names elements elsewhere that speak about it."""

    syntax: str
    node: dict[str, Any]
    types: str
    tags: list[tuple[str, Mapping[str, str]]]
    refers: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Ids:
    """The ids of open elements, innermost first."""

    id: str
    outer: _Ids | None


@dataclass
class OpenElement:
    """What one open element changed, to be undone at its end."""

    ids: _Ids | None
    scope: bool = False
    label: Label | None = None
    targets: list[tuple[dict[str, Any], str, int]] = field(default_factory=list)


class ItemsReader:
    """Reads one of the two syntaxes, `microdata` or `rdfa`; `open` and `close` come in pairs."""

    def __init__(self, syntax: str) -> None:
        self.items: list[SeenItem] = []
        self.overflow = False
        self._rdfa = syntax == "rdfa"
        self._syntax = syntax
        self._scope = "typeof" if self._rdfa else "itemscope"
        self._says = frozenset(
            ("typeof", "property", "rel") if self._rdfa else ("itemscope", "itemprop", "id")
        )
        self._open: list[SeenItem] = []
        self._ids: _Ids | None = None
        self._labels: list[Label] = []
        self._loose: list[tuple[_Ids, dict[str, Any]]] = []
        self._count = 0
        self._tracked = 0

    def open(self, tag: str, attributes: Mapping[str, str]) -> OpenElement | None:
        """An element opens; None where it says nothing here."""
        if self.overflow or self._says.isdisjoint(attributes):
            return None
        element = OpenElement(self._ids)
        if "id" in attributes and not self._rdfa:
            self._tracked += 1
            if self._tracked <= MAX_PROPERTIES:
                self._ids = _Ids(attributes["id"], self._ids)
        names = self._names(attributes)
        scope = self._scope in attributes
        if not (names or scope):
            return element if element.ids is not self._ids else None
        item = self._item(tag, attributes) if scope else None
        kept = [name for name in names if last_term(name) in _KEPT]
        values: list[Any] = [item.node] if item is not None else self._values(tag, attributes)
        if not kept and any(host in str(v).lower() for v in values for host in _KNOWN_HOSTS):
            kept = names[:1]
        if kept:
            self._keep(element, tag, attributes, kept, values)
        if item is not None:
            self.overflow = self.overflow or len(self.items) >= MAX_PROPERTIES
            self.items.append(item)
            self._open.append(item)
            element.scope = True
            self._ids = None
        return element

    def close(self, element: OpenElement) -> None:
        """The element closes."""
        self._ids = element.ids
        if element.scope:
            self._open.pop()
        if element.label is not None:
            self._labels = [label for label in self._labels if label is not element.label]
            for node, name, at in element.targets:
                node[name][at] = element.label.text

    def data(self, text: str) -> None:
        """Character data."""
        for label in self._labels:
            label.add(text)

    def finished(self) -> list[SeenItem]:
        """The things that something is known of, with what is said about them elsewhere."""
        referring = [item for item in self.items if item.refers]
        said = self._said_by_id() if referring else {}
        if referring and self._tracked > MAX_PROPERTIES:
            self.overflow = True
        added = 0
        for item in referring:
            for node in chain.from_iterable(said.get(name, ()) for name in sorted(item.refers)):
                added += 1
                if added > MAX_PROPERTIES:
                    self.overflow = True
                    break
                for name, values in node.items():
                    item.node.setdefault(name, []).extend(values)
        return [item for item in self.items if item.node]

    def _said_by_id(self) -> dict[str, list[dict[str, Any]]]:
        """What stands inside the element of each id, things apart."""
        said: dict[str, list[dict[str, Any]]] = {}
        for innermost, node in self._loose:
            ids: _Ids | None = innermost
            for _ in range(_MAX_DEPTH_OF_IDS):
                if ids is None:
                    break
                said.setdefault(ids.id, []).append(node)
                ids = ids.outer
            self.overflow = self.overflow or ids is not None
        return said

    def _names(self, attributes: Mapping[str, str]) -> list[str]:
        if self._rdfa:
            names = f"{attributes.get('property', '')} {attributes.get('rel', '')}".split()
            return [name for name in names if not name.startswith(_OTHER_VOCABULARIES)]
        return attributes["itemprop"].split() if "itemprop" in attributes else []

    def _item(self, tag: str, attributes: Mapping[str, str]) -> SeenItem:
        names: tuple[str, ...] = ("itemid",)
        if self._rdfa:
            names = ("about", "resource", "href", "src")
            types, refers = attributes["typeof"], frozenset[str]()
        else:
            types, refers = attributes.get("itemtype", ""), frozenset(attributes.get("itemref", "").split())
        known = next((attributes[name] for name in names if attributes.get(name, "").strip()), "")
        node: dict[str, Any] = {"@id": known} if known else {}
        return SeenItem(self._syntax, node, types, [(tag, attributes)], refers)

    def _values(self, tag: str, attributes: Mapping[str, str]) -> list[Any]:
        """Values in attributes; none where the text of the element is the value."""
        if self._rdfa:
            names: tuple[str, ...] = ("content", "resource", "href", "src", "data")
            return [attributes[name] for name in names if name in attributes][:1]
        name = _VALUE_ATTRIBUTE.get(tag)
        values = [attributes.get(name, "")] if name else []
        return values + [attributes[lazy] for lazy in _LAZY if tag == "img" and lazy in attributes]

    def _keep(
        self,
        element: OpenElement,
        tag: str,
        attributes: Mapping[str, str],
        names: list[str],
        values: list[Any],
    ) -> None:
        self._count += 1
        if self._count > MAX_PROPERTIES:
            self.overflow = True
            return
        nodes: list[dict[str, Any]] = []
        if self._open:
            nodes.append(self._open[-1].node)
            self._open[-1].tags.append((tag, attributes))
        if self._ids is not None and not self._rdfa:
            nodes.append({})
            self._loose.append((self._ids, nodes[-1]))
        by_text = not values
        for node in nodes:
            for name in dict.fromkeys(names):
                known = node.setdefault(name, [])
                if by_text:
                    element.targets.append((node, name, len(known)))
                known += values or [""]
        if by_text and nodes and len(self._labels) < _MAX_OPEN_LABELS:
            element.label = Label()
            self._labels.append(element.label)
        elif by_text and nodes:
            self.overflow = True
