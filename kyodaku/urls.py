"""How a URL is written: one spelling for each, and no spelling whose host two parsers could dispute.

Read more strictly than RFC 3986 and the WHATWG URL standard allow: where they or their implementations
differ about the host, there is no host. Which URLs may be spoken to is `kyodaku.netguard`'s matter.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NoReturn

from kyodaku.errors import UnsafeAddressError
from kyodaku.reasons import RefuseReason

if TYPE_CHECKING:
    from tldextract import TLDExtract

MAX_URL = 8192
#: Answers of `parse_url` that are remembered.
_REMEMBERED = 2048
DEFAULT_PORTS: Mapping[str, int] = {"http": 80, "https": 443}

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SPLIT = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<rest>[^#]*)", re.DOTALL)
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:@%\\]+)(?::(?P<port>[0-9]{0,5}))?")
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
# The WHATWG "ends in a number" test: what some parser would read as an IPv4 address.
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
_DOTTED_QUAD = re.compile(r"(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PATH_SAFE = _UNRESERVED | frozenset(b"!$&'()*+,;=:@/")
_QUERY_SAFE = (_PATH_SAFE | frozenset(b"?")) - frozenset(b"'")
#: Text without anything to normalise: most paths and queries.
_NORMAL_PATH = re.compile(f"[{re.escape(bytes(sorted(_PATH_SAFE)).decode())}]*")
_NORMAL_QUERY = re.compile(f"[{re.escape(bytes(sorted(_QUERY_SAFE)).decode())}]*")


@dataclass(frozen=True)
class UrlParts:
    """A URL taken apart and normalised. `host` is an IPv6 literal without its brackets, an IPv4 literal
    in dotted decimal, or a name in lower-case ASCII; `query` is None where there is none. `origin` is
    `scheme://host`, with `:port` unless it is the scheme's default."""

    origin: str
    scheme: str
    host: str
    port: int
    path: str
    query: str | None

    @property
    def url(self) -> str:
        """The whole URL in its normal form."""
        return self.origin + self.path + ("" if self.query is None else f"?{self.query}")


def normalise_url(url: str) -> str:
    """The one spelling of `url` under which it is known: frontier identity, candidate ids, records.

    Scheme and host in lower case, IDNA, no default port, no fragment, no empty query, dot segments
    resolved, percent escapes normalised (RFC 3986 6.2.2). The order of the query is never touched.
    Idempotent. Raises UnsafeAddressError for what is not a well-formed http or https URL.
    """
    return parse_url(url).url


def origin_of(url: str) -> str:
    """`scheme://host`, with `:port` unless it is the scheme's default. Raises UnsafeAddressError."""
    return parse_url(url).origin


def host_of(url: str) -> str:
    """The host of `url`: lower-case ASCII, an IPv6 literal without brackets. Raises UnsafeAddressError."""
    return parse_url(url).host


@lru_cache(_REMEMBERED)
def parse_url(url: str) -> UrlParts:
    """`url` taken apart; every gate asks about the same one again.

    Raises UnsafeAddressError for what is not a well-formed http or https URL.
    """
    url = url.strip(" ")
    if len(url) > MAX_URL:
        refuse(f"URL of {len(url)} characters: {shown(url)}")
    if _CONTROL.search(url):
        refuse(f"control character in URL {shown(url)}")
    match = _SPLIT.match(url)
    if match is None:
        refuse(f"not an absolute URL: {shown(url)}")
    scheme = match["scheme"].lower()
    if scheme not in DEFAULT_PORTS:
        refuse(f"scheme {scheme} is not allowed: {shown(url)}")
    authority = _AUTHORITY.fullmatch(match["authority"])
    if authority is None:
        refuse(f"no plain host and port in {shown(url)}")
    port = int(authority["port"]) if authority["port"] else DEFAULT_PORTS[scheme]
    if not 0 < port < 65536:
        refuse(f"no such port: {shown(url)}")
    path, _, query = match["rest"].partition("?")
    host = _canonical_host(authority["host"])
    literal = f"[{host}]" if ":" in host else host
    parts = UrlParts(
        origin=f"{scheme}://{literal}" + ("" if port == DEFAULT_PORTS[scheme] else f":{port}"),
        scheme=scheme,
        host=host,
        port=port,
        path=_resolve_dots(_normal_path(path.replace("\\", "/"), url)),
        query=_normal_query(query, url) or None,
    )
    if len(parts.url) > MAX_URL:
        refuse(f"URL of {len(parts.url)} characters once escaped: {shown(url)}")
    return parts


def _normal_path(path: str, url: str) -> str:
    return path if _NORMAL_PATH.fullmatch(path) else _normalise_escapes(path, _PATH_SAFE, url)


def _normal_query(query: str, url: str) -> str:
    return query if _NORMAL_QUERY.fullmatch(query) else _normalise_escapes(query, _QUERY_SAFE, url)


@lru_cache(_REMEMBERED)
def _canonical_host(host: str) -> str:
    if host.startswith("["):
        try:
            literal = ipaddress.IPv6Address(host[1:-1])
        except ValueError:
            refuse(f"not an IPv6 address: {shown(host)}")
        if literal.ipv4_mapped is not None:
            refuse(f"IPv4 address in IPv6 clothes: {shown(host)}")
        return str(literal)
    host = _to_ascii(host)
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        refuse(f"not a host name: {shown(host)}")
    if _NUMERIC_LABEL.fullmatch(labels[-1]):
        literal_v4 = literal_address(host)
        if literal_v4 is None:
            refuse(f"odd spelling of an address: {shown(host)}")
        return str(literal_v4)
    return host


def _to_ascii(host: str) -> str:
    if host.isascii():
        return host.lower()
    import idna

    try:
        return idna.encode(host, uts46=True, std3_rules=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        refuse(f"not an internationalised host name: {shown(host)}")


def literal_address(host: str) -> IPAddress | None:
    """`host` as an address, if it is one in its canonical spelling."""
    if ":" not in host and not _DOTTED_QUAD.fullmatch(host):
        return None
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _normalise_escapes(text: str, safe: frozenset[int], url: str) -> str:
    """Escapes in upper case, unreserved characters bare, everything not `safe` escaped as UTF-8."""
    pieces: list[str] = []
    position = 0
    for match in _ESCAPE.finditer(text):
        pieces.append(_escape(text[position : match.start()], safe, url))
        byte = int(match[0][1:], 16)
        pieces.append(chr(byte) if byte in _UNRESERVED else match[0].upper())
        position = match.end()
    pieces.append(_escape(text[position:], safe, url))
    return "".join(pieces)


def _escape(text: str, safe: frozenset[int], url: str) -> str:
    try:
        encoded = text.encode("utf-8")
    except UnicodeEncodeError:
        refuse(f"lone surrogate in URL {shown(url)}")
    return "".join(chr(byte) if byte in safe else f"%{byte:02X}" for byte in encoded)


def _resolve_dots(path: str) -> str:
    """RFC 3986 5.2.4 on an absolute path; the empty path is `/`."""
    if path and "/." not in path:
        return path
    segments: list[str] = []
    *folders, last = path.split("/")[1:] or [""]
    for segment in folders:
        if segment == "..":
            segments = segments[:-1]
        elif segment != ".":
            segments.append(segment)
    if last == "..":
        segments = segments[:-1]
    segments.append("" if last in {".", ".."} else last)
    return "/" + "/".join(segments)


def shown(text: str) -> str:
    """`text` quoted and short enough for one line of an error."""
    return repr(text if len(text) <= 200 else text[:200] + "...")


def refuse(message: str) -> NoReturn:
    """Raise UnsafeAddressError with the reason that every refusal here has."""
    raise UnsafeAddressError(message, RefuseReason.ADDRESS_BLOCKED)


def registrable_domain(host: str, *, private_suffixes: bool = False) -> str:
    """The registrable domain of `host` by the bundled Public Suffix List: `a.b.co.uk` -> `b.co.uk`.

    IP addresses, single labels and public suffixes themselves are returned as they are; a top level
    that the list does not know counts as a suffix (the list's own default rule `*`).
    `private_suffixes` counts the list's private part too (`me.github.io` instead of `github.io`).
    """
    host = host.strip("[]").lower()
    if literal_address(host) is not None:
        return host
    found = _suffix_list()(host, include_psl_private_domains=private_suffixes)
    if not found.suffix:
        return ".".join(host.split(".")[-2:])
    return found.top_domain_under_public_suffix or host


@cache
def _suffix_list() -> TLDExtract:
    from tldextract import TLDExtract

    return TLDExtract(suffix_list_urls=(), cache_dir=None)
