"""XMP packets (ISO 16684-1), read by namespace, without entities or DTDs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder

from defusedxml.ElementTree import DefusedXMLParser

from kyodaku.errors import CarrierError, UnsafeAddressError
from kyodaku.urls import normalise_url

#: Limits of one packet. Depth maps and the like make packets of several megabytes.
MAX_PACKET_BYTES = 16 * 1024 * 1024
MAX_ELEMENTS = 50_000
MAX_DEPTH = 64

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_RDF_ROOT = f"{{{RDF}}}RDF"
_ABOUT = f"{{{RDF}}}about"
_DESCRIPTION = f"{{{RDF}}}Description"
_RESOURCE = f"{{{RDF}}}resource"
_ITEM = f"{{{RDF}}}li"
_QUALIFIED = (f"{{{RDF}}}value", f"{_DESCRIPTION}/{{{RDF}}}value")
#: How a packet in UTF-16 begins: its NULs are half of the text.
_UTF16 = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<\x00")
_CONTAINERS = frozenset(f"{{{RDF}}}{name}" for name in ("Alt", "Bag", "Seq"))


@dataclass(frozen=True)
class XmpProperty:
    """One property. `values` holds its text, its rdf:resource, or the items of its Alt / Bag / Seq.

    `nested` is true inside a structure (an ingredient, a history entry): it need not be about the file.
    `about` is the rdf:about of its description, "" in most packets.
    """

    namespace: str
    name: str
    values: tuple[str, ...]
    nested: bool = False
    about: str = ""

    def elsewhere(self, url: str) -> bool:
        """True when the description names another web address than `url`: then it need not be about the file
        that it stands in."""
        if not self.about.lower().startswith(("http://", "https://")):
            return False
        try:
            return normalise_url(self.about) != normalise_url(url)
        except UnsafeAddressError:
            return True


@dataclass(frozen=True)
class XmpProperties:
    """All properties of one packet, in document order; a name may come more than once."""

    properties: tuple[XmpProperty, ...]

    def values(self, namespace: str, name: str) -> tuple[str, ...]:
        """Every value of the top-level property `{namespace}name`, in order; empty when absent."""
        return self._values(namespace, name, nested=False)

    def anywhere(self, namespace: str, name: str) -> tuple[str, ...]:
        """Every value of `{namespace}name`, inside structures too."""
        return self._values(namespace, name, nested=True)

    def _values(self, namespace: str, name: str, nested: bool) -> tuple[str, ...]:
        return tuple(
            value
            for prop in self.properties
            if prop.namespace == namespace and prop.name == name and (nested or not prop.nested)
            for value in prop.values
        )


class _BoundedBuilder(TreeBuilder):
    """Builds a tree until it is larger or deeper than a packet may be."""

    def __init__(self) -> None:
        super().__init__()
        self._elements = 0
        self._depth = 0

    def start(self, tag: Any, attrs: Any, /) -> Element:
        self._elements += 1
        self._depth += 1
        if self._elements > MAX_ELEMENTS or self._depth > MAX_DEPTH:
            raise ValueError("too many or too deeply nested elements")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def parse_xmp(packet: bytes) -> XmpProperties:
    """Parse one packet. Raises CarrierError when it is malformed, too big or too deep."""
    if len(packet) > MAX_PACKET_BYTES:
        raise CarrierError(f"an XMP packet of {len(packet)} bytes is longer than the limit")
    try:
        parser = DefusedXMLParser(target=_BoundedBuilder(), forbid_dtd=True)
        parser.feed(packet if packet.startswith(_UTF16) else packet.strip(b"\x00 \t\r\n"))
        root = parser.close()
    except (ValueError, SyntaxError, LookupError, RecursionError, OverflowError) as error:
        raise CarrierError(f"XMP is not readable ({type(error).__name__}: {error})") from error
    roots = [root] if root.tag == _RDF_ROOT else list(root.iter(_RDF_ROOT))
    found = [
        replace(p, about=_about(node)) for rdf in roots for node in rdf for p in _node(node, nested=False)
    ]
    # Outside of rdf:RDF there are no properties; what stands there may refuse, as what is nested does.
    return XmpProperties(tuple(found if roots else _node(root, nested=True)))


def _about(node: Element) -> str:
    return node.attrib.get(_ABOUT, node.attrib.get("about", "")).strip()


def _node(node: Element, nested: bool) -> Iterator[XmpProperty]:
    """The properties of a node element: its attributes and its children."""
    for key, value in node.attrib.items():
        namespace, name = _split(key)
        if namespace and namespace != RDF and not key.startswith("{http://www.w3.org/XML/1998/namespace}"):
            yield XmpProperty(namespace, name, (value.strip(),), nested)
    for child in node:
        yield from _property(child, nested)


def _property(element: Element, nested: bool) -> Iterator[XmpProperty]:
    namespace, name = _split(element.tag)
    values = [element.attrib[_RESOURCE].strip()] if _RESOURCE in element.attrib else []
    text = (element.text or "").strip()
    if text:
        values.append(text)
    # A value with qualifiers stands in an rdf:value, beside them.
    values += [(value.text or "").strip() for path in _QUALIFIED for value in element.findall(path)]
    values += [text for child in element if (text := (child.tail or "").strip())]
    structures: list[Element] = []
    for child in element:
        if child.tag in _CONTAINERS:
            for item in (item for item in child if item.tag == _ITEM):
                item_text = item.attrib.get(_RESOURCE, item.text or "").strip()
                if item_text:
                    values.append(item_text)
                structures.append(item)
        else:
            structures.append(child)
    yield XmpProperty(namespace, name, tuple(values), nested)
    if any(not key.startswith(f"{{{RDF}}}") and _split(key)[0] for key in element.attrib):
        structures.append(element)
    for child in structures:
        if child is element:
            yield from (prop for prop in _node(Element("x", child.attrib), nested=True))
        elif child.tag == _DESCRIPTION or child.tag == _ITEM:
            yield from _node(child, nested=True)
        else:
            yield from _property(child, nested=True)


def _split(tag: str) -> tuple[str, str]:
    namespace, brace, name = tag.removeprefix("{").partition("}")
    return (namespace, name) if brace else ("", tag)
