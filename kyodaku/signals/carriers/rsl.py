"""RSL documents (Really Simple Licensing 1.0, rslstandard.org/rsl), read as XML without DTD and entities.

Only the structure is read here; what it means for training is decided by the protocol. A document may be a
file of its own, the text of a `<script>`, an XMP packet, a PNG text, or a feed with `rsl:content` elements.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, TreeBuilder, tostring

import idna
from defusedxml.ElementTree import DefusedXMLParser

from kyodaku.errors import CarrierError
from kyodaku.signals.carriers.robots_match import GroupMatcher, Rule, asked_paths, normalise
from kyodaku.signals.model import excerpt

NAMESPACE = "https://rslstandard.org/rsl"
MEDIA_TYPE = "application/rsl+xml"

MAX_BYTES = 1024 * 1024
MAX_ELEMENTS = 20_000
MAX_DEPTH = 32
MAX_CONTENTS = 1000
MAX_PATTERN = 2000
MAX_TOKENS = 1000
MAX_WORDS = 16 * 1024


@dataclass(frozen=True)
class RslTerm:
    """One `<permits>` or `<prohibits>`: its `type` (lower case, "" where absent) and its tokens as written,
    separated by white space."""

    type: str
    tokens: tuple[str, ...]


@dataclass(frozen=True)
class RslPayment:
    """One `<payment>`: its `type` (lower case, "" where absent), and its children as (name, text)."""

    type: str
    details: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class RslLicense:
    """One `<license>`. `others` names children that the standard does not have; `legal` is the text of its
    `<legal>`, `beside` what stands between its elements, where nothing should."""

    permits: tuple[RslTerm, ...]
    prohibits: tuple[RslTerm, ...]
    payments: tuple[RslPayment, ...]
    reporting: bool
    others: tuple[str, ...]
    raw: str
    legal: str = ""
    beside: str = ""


@dataclass(frozen=True)
class RslContent:
    """One `<content>`. `url` is None where the attribute is absent; `server` is `?` for one without a value;
    `terms` is True for a `<terms>` child or text between the licences, further conditions in words."""

    url: str | None
    server: str
    encrypted: bool
    lastmod: str
    licenses: tuple[RslLicense, ...]
    terms: bool
    raw: str

    @cached_property
    def _matcher(self) -> GroupMatcher:
        path = _split(self.url or "")[1].encode("utf-8", "surrogatepass")
        return GroupMatcher([Rule(False, path, 1, "")] if path else [], strict=True)

    @property
    def names_no_place(self) -> bool:
        """True for a `url` that is missing, empty, no path pattern, or of a host that nothing compares to."""
        url = self.url or ""
        if url.startswith("//") or not url.startswith(("/", "*", "http://", "https://")):
            return True
        return "*" in _split(url)[0].removeprefix("*.") or url.startswith("*:")

    @property
    def specificity(self) -> int:
        """How many octets the path pattern has when normalised (RFC 9309 2.2.2)."""
        return len(normalise(_split(self.url or "")[1].encode("utf-8", "surrogatepass")))

    def covers(self, url: str, site: str) -> bool:
        """True when the pattern matches `url`. One without a host speaks about the host of `site`."""
        host = _split(self.url or "")[0]
        own = _host(url)
        if host.startswith("*."):
            if not own.endswith(host[1:]):
                return False
        elif own != (host or _host(site)):
            return False
        return self._matcher.bars(asked_paths(url)) is not None

    def covers_wholly(self, url: str) -> bool:
        """True when the pattern matches `url` as written and without its dot segments: one of them alone
        licenses nothing."""
        paths = asked_paths(url)
        return bool(paths) and all(self._matcher.bars((path,)) is not None for path in paths)


@dataclass(frozen=True)
class RslDocument:
    """A parsed document. `namespaced` is False when any of its parts is not in the namespace of RSL.

    `max_age` is in days, None where absent or unreadable. `digest` is the sha256 hex of its bytes. `strays`
    are the `<prohibits>` that stand anywhere but in a licence of these contents.
    """

    contents: tuple[RslContent, ...]
    namespaced: bool
    max_age: float | None
    digest: str
    strays: tuple[RslTerm, ...] = ()


class _BoundedBuilder(TreeBuilder):
    """Builds a tree until it is larger or deeper than a document may be."""

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


def parse_rsl(body: bytes) -> RslDocument:
    """Parse a document. Raises CarrierError for what is malformed, beyond a limit, or no RSL at all."""
    if len(body) > MAX_BYTES:
        raise CarrierError("an RSL document is longer than the limit")
    try:
        parser = DefusedXMLParser(target=_BoundedBuilder(), forbid_dtd=True)
        parser.feed(body.strip(b"\x00 \t\r\n"))
        root: Element = parser.close()
    except (ValueError, SyntaxError, LookupError, RecursionError, OverflowError) as error:
        raise CarrierError(f"RSL is not readable ({type(error).__name__}: {error})") from error
    return _document(root, sha256(body).hexdigest())


def _document(root: Element, digest: str) -> RslDocument:
    shells = [element for element in root.iter() if _name(element) == "rsl"]
    found = [element for shell in shells for element in shell if _name(element) == "content"]
    known = {id(element) for element in found}
    found += [e for e in root.iter(f"{{{NAMESPACE}}}content") if id(e) not in known]
    if not shells and not found:
        raise CarrierError("no RSL document")
    if len(found) > MAX_CONTENTS:
        raise CarrierError("an RSL document with more <content> than the limit")
    parts = [*shells, *(part for content in found for part in content.iter())]
    foreign = any(not part.tag.startswith(f"{{{NAMESPACE}}}") for part in parts if _name(part) in _OURS)
    age = next((value for shell in shells if (value := shell.get("max-age"))), "")
    placed = {
        id(term) for content in found for licence in content for term in licence if _is_licence(licence)
    }
    strays = [e for e in root.iter() if _name(e) == "prohibits" and id(e) not in placed]
    if len(strays) > MAX_CONTENTS:
        raise CarrierError("an RSL document with more <prohibits> than the limit")
    server = next((value for shell in shells if (value := _server(shell))), "")
    contents = tuple(_content(e, server) for e in found)
    return RslDocument(contents, not foreign, _number(age), digest, tuple(map(_term, strays)))


#: Elements that say something here, and so have to stand in the namespace.
_OURS = frozenset({"rsl", "content", "license", "permits", "prohibits", "payment", "reporting"})


def _is_licence(element: Element) -> bool:
    return _name(element) == "license"


def _server(element: Element) -> str:
    """The attribute `server`, in whatever namespace and case; `?` for one without a value."""
    named = (value for key, value in element.attrib.items() if key.rpartition("}")[2].lower() == "server")
    return next((value.strip() or "?" for value in named), "")


def _content(element: Element, server: str) -> RslContent:
    url = element.get("url")
    if url is not None and len(url) > MAX_PATTERN:
        raise CarrierError("an RSL url pattern is longer than the limit")
    return RslContent(
        url=None if url is None else url.strip(),
        server=_server(element) or server,
        encrypted=(element.get("encrypted") or "").strip().lower() not in ("", "false", "0"),
        lastmod=(element.get("lastmod") or "").strip(),
        licenses=tuple(_license(child) for child in element if _is_licence(child)),
        terms=any(_name(child) == "terms" for child in element) or bool(_own_text(element)),
        raw=_raw(element),
    )


def _license(element: Element) -> RslLicense:
    by_name: dict[str, list[Element]] = {}
    for child in element:
        by_name.setdefault(_name(child), []).append(child)
    payments = by_name.get("payment", ())
    return RslLicense(
        permits=tuple(_term(child) for child in by_name.pop("permits", ())),
        prohibits=tuple(_term(child) for child in by_name.pop("prohibits", ())),
        payments=tuple(_payment(child) for child in by_name.pop("payment", ())),
        reporting=bool(by_name.pop("reporting", ())),
        others=tuple(name for name in by_name if name not in ("legal", "")),
        raw=_raw(element),
        legal=" ".join("".join(child.itertext()) for child in by_name.get("legal", ()))[:MAX_WORDS],
        beside=" ".join(filter(None, map(_own_text, (element, *payments))))[:MAX_WORDS],
    )


def _own_text(element: Element) -> str:
    """The text between the children of an element."""
    return "".join([element.text or "", *(child.tail or "" for child in element)]).strip()


def _term(element: Element) -> RslTerm:
    tokens = "".join(element.itertext()).split()
    if len(tokens) > MAX_TOKENS:
        raise CarrierError("an RSL list of tokens is longer than the limit")
    return RslTerm((element.get("type") or "").strip().lower(), tuple(tokens))


def _payment(element: Element) -> RslPayment:
    details = tuple((_name(child), "".join(child.itertext()).strip()) for child in element if _name(child))
    return RslPayment((element.get("type") or "").strip().lower(), details)


def _name(element: Element) -> str:
    """The local name, lower case; "" for what is no element."""
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def _raw(element: Element) -> str:
    """The element as XML, with its namespace as the default one, as documents have it."""
    text = tostring(element, encoding="unicode").strip()
    if str(element.tag).startswith("{") and " ns0:" not in text:
        text = text.replace("<ns0:", "<").replace("</ns0:", "</").replace(" xmlns:ns0=", " xmlns=", 1)
    return excerpt(text)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _split(pattern: str) -> tuple[str, str]:
    """The host (lower case, "" for none) and the path pattern of a `url` attribute."""
    scheme, absolute, rest = pattern.partition("://")
    if not absolute or scheme.lower() not in ("http", "https"):
        return "", pattern
    end = next((at for at, character in enumerate(rest) if character in "/?"), len(rest))
    host, path = rest[:end], rest[end:]
    host = host.rpartition("@")[2].lower()
    return _plain_host(_without_port(scheme.lower(), host)), path if path.startswith("/") else "/" + path


def _host(url: str) -> str:
    """Host and, where it is not the scheme's own, port."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return _plain_host(_without_port(parts.scheme.lower(), parts.netloc.rpartition("@")[2].lower()))


def _without_port(scheme: str, host: str) -> str:
    return host.removesuffix(":443" if scheme == "https" else ":80")


def _plain_host(host: str) -> str:
    """`host` without the dot of the root, an internationalised name in ASCII."""
    name, colon, port = host.partition(":") if not host.startswith("[") else (host, "", "")
    name = name.removesuffix(".")
    if not name.isascii():
        wild = name.startswith("*.")
        try:
            name = "*." * wild + idna.encode(name.removeprefix("*."), uts46=True).decode("ascii")
        except UnicodeError:
            return host
    return name + colon + port
