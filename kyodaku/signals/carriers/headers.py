"""HTTP response headers as they were served: order and case kept, look-up by lower-case name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256

from kyodaku.signals.model import Headers

_MAX_LINK_VALUE = 16 * 1024
_TARGET = re.compile(r"[\s,]*<([^<>]*)>")
_PARAMETER = re.compile(
    r"\s*;\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*(?:=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;,\"]*)))?", re.DOTALL
)


@dataclass(frozen=True)
class LinkValue:
    """One link of a `Link` header (RFC 8288): its target as written, its relation types in lower case, and
    its other parameters by lower-case name (the first of each counts)."""

    target: str
    rel: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...]

    def parameter(self, name: str) -> str:
        """The value of a parameter, or ""."""
        return next((value for key, value in self.parameters if key == name), "")


@dataclass(frozen=True)
class ResponseHead:
    """Status line and headers of one response.

    `url` is the URL that answered (after redirects). Values are latin-1 text as received (RFC 9110 5.5).
    """

    url: str
    status: int
    headers: Headers
    fetched_at: float

    def values(self, name: str) -> list[str]:
        """All values of the header `name` (any case), one per field line, in order."""
        wanted = name.lower()
        return [value for key, value in self.headers if key.lower() == wanted]

    def first(self, name: str) -> str | None:
        """The first value of `name`, or None."""
        return next(iter(self.values(name)), None)

    def links(self) -> list[LinkValue]:
        """The links of all `Link` headers, in order. What is malformed ends its own field line only."""
        return [link for value in self.values("link") for link in parse_links(value)]

    def digest(self) -> str:
        """sha256 hex of the header block, for evidence."""
        block = "".join(f"{key}: {value}\r\n" for key, value in self.headers)
        return sha256(block.encode("utf-8", "surrogateescape")).hexdigest()


def parse_links(value: str) -> list[LinkValue]:
    """The links of one `Link` field value (RFC 8288 section 3 and appendix B)."""
    value = value[:_MAX_LINK_VALUE]
    links: list[LinkValue] = []
    at = 0
    while target := _TARGET.match(value, at):
        at = target.end()
        parameters: dict[str, str] = {}
        while parameter := _PARAMETER.match(value, at):
            at = parameter.end()
            name, quoted, token = parameter.groups()
            text = re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL) if quoted is not None else token or ""
            parameters.setdefault(name.lower(), text)
        rel = tuple(parameters.pop("rel", "").lower().split())
        links.append(LinkValue(target.group(1).strip(), rel, tuple(parameters.items())))
    return links
