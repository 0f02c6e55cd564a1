"""Which URLs and addresses may be spoken to, and how a URL is written. Pure: no sockets in here.

The rule for every request, every redirect hop and every host file: `check_url` first, resolve once,
hand all the answers to `connect_target`, and connect to exactly what it returns. A name that answers
with one public and one private address is refused, and nobody resolves it a second time, so DNS
rebinding has nothing to hold on to.

URLs are read more strictly than RFC 3986 and the WHATWG standard allow: where two parsers could
disagree about the host, there is no host.
"""

from __future__ import annotations

import ipaddress
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from kyodaku.errors import UnsafeAddressError, UsageError
from kyodaku.reasons import RefuseReason

if TYPE_CHECKING:
    from tldextract import TLDExtract

MAX_URL = 8192
DEFAULT_PORTS: Mapping[str, int] = {"http": 80, "https": 443}

#: (host, port) -> the addresses a resolver answered, all of them.
Resolver = Callable[[str, int], Sequence[str]]

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Target:
    """Where to connect: an IP address in canonical spelling and a port."""

    ip: str
    port: int


@dataclass(frozen=True)
class HostTable:
    """Names mapped to loopback addresses, for tests and demos. Nothing else can be reached beside it.

    `entries` maps (host, port) to a target; port None stands for every port. `ca` is a PEM file with
    the certificate authority of the table's HTTPS servers.
    """

    entries: Mapping[tuple[str, int | None], Target]
    ca: Path | None = None

    def __post_init__(self) -> None:
        for target in self.entries.values():
            if not ipaddress.ip_address(target.ip).is_loopback:
                raise ValueError(f"a host table may only name loopback addresses, not {target.ip}")

    def lookup(self, host: str, port: int) -> Target | None:
        """The target of `host:port`, or None if the table does not know it."""
        return self.entries.get((host, port)) or self.entries.get((host, None))


@dataclass(frozen=True)
class NetPolicy:
    """What may be reached: schemes, ports, and with a host table only the names in it."""

    schemes: frozenset[str] = frozenset(DEFAULT_PORTS)
    ports: frozenset[int] = frozenset(DEFAULT_PORTS.values())
    host_table: HostTable | None = None

    @property
    def local_network(self) -> bool:
        """True when nothing outside this machine can be reached."""
        return self.host_table is not None


@dataclass(frozen=True)
class SafeUrl:
    """A URL that passed `check_url`. `url` is normalised: send exactly this one.

    `host` is lower-case ASCII, without the brackets of an IPv6 literal; `port` is always set.
    """

    scheme: str
    host: str
    port: int
    url: str


# --- addresses ------------------------------------------------------------------------------------

# IANA's special-purpose registries, written out because `is_global` changed between Python releases.
_BLOCKED_V4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's own agent behind a public-looking address
        "169.254.0.0/16",  # link-local, and the metadata service of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_BLOCKED_V6 = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarking
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)


def check_address(address: str, policy: NetPolicy) -> str:
    """`address` in canonical spelling, if it may be connected to; an IPv4-mapped one as IPv4.

    Without a host table an address must be global unicast: NAT64, 6to4, Teredo, multicast, carrier-grade
    NAT, link-local, documentation and benchmarking ranges are refused. With one, only the table's own
    targets pass. Raises UnsafeAddressError.
    """
    try:
        ip = _unmapped(ipaddress.ip_address(address))
    except ValueError:
        _refuse(f"not an IP address: {_shown(address)}")
    if policy.host_table is not None:
        if str(ip) not in {target.ip for target in policy.host_table.entries.values()}:
            _refuse(f"{ip} is not in the host table")
    elif not _is_public(ip):
        _refuse(f"{ip} is not a public address")
    return str(ip)


def choose_address(answers: Sequence[str], policy: NetPolicy) -> str:
    """The first of a resolver's answers, if every one of them is safe. Raises UnsafeAddressError."""
    checked = [check_address(answer, policy) for answer in answers]
    if not checked:
        _refuse("the name has no address")
    return checked[0]


def connect_target(safe: SafeUrl, policy: NetPolicy, resolve: Resolver) -> Target:
    """Where to connect for `safe`: from the host table, the literal itself, or one call of `resolve`.

    Raises UnsafeAddressError, and whatever `resolve` raises.
    """
    if policy.host_table is not None:
        return _table_target(safe.host, safe.port, policy.host_table)
    if _literal(safe.host) is not None:
        return Target(check_address(safe.host, policy), safe.port)
    return Target(choose_address(resolve(safe.host, safe.port), policy), safe.port)


def _unmapped(ip: IPAddress) -> IPAddress:
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    return ip


def _is_public(ip: IPAddress) -> bool:
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not any(ip in network for network in _BLOCKED_V4)
    if ip.scope_id is not None or ip not in _GLOBAL_V6:
        return False
    return ip.is_global and not any(ip in network for network in _BLOCKED_V6)


def _table_target(host: str, port: int, table: HostTable) -> Target:
    target = table.lookup(host, port)
    if target is None:
        _refuse(f"{host}:{port} is not in the host table")
    return target


# --- URLs -----------------------------------------------------------------------------------------

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
# Names that the public DNS does not serve (RFC 6761, 6762, 7686, 8375, and ICANN's .internal).
_PRIVATE_SUFFIXES = ("localhost", "local", "internal", "onion", "arpa", "test", "invalid", "example", "alt")


@dataclass(frozen=True)
class _Parts:
    scheme: str
    host: str  # an IPv6 literal without its brackets
    port: int
    path: str
    query: str | None

    @property
    def origin(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORTS.get(self.scheme) else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def url(self) -> str:
        return self.origin + self.path + ("" if self.query is None else f"?{self.query}")


def check_url(url: str, policy: NetPolicy) -> SafeUrl:
    """`url` normalised, if policy lets us ask for it. Raises UnsafeAddressError.

    Refused: other schemes and ports, userinfo, control characters, URLs over MAX_URL characters, odd
    spellings of addresses (`http://0x7f.1`), literals that are not public, names that the public DNS
    does not serve, and beside a host table every name that is not in it.
    """
    parts = _parse(url)
    if parts.scheme not in policy.schemes:
        _refuse(f"scheme {parts.scheme} is not allowed: {_shown(url)}")
    if parts.port not in policy.ports:
        _refuse(f"port {parts.port} is not allowed: {_shown(url)}")
    if policy.host_table is not None:
        _table_target(parts.host, parts.port, policy.host_table)
    elif _literal(parts.host) is not None:
        check_address(parts.host, policy)
    else:
        labels = parts.host.split(".")
        if len(labels) < 2 or labels[-1] in _PRIVATE_SUFFIXES:
            _refuse(f"not a public name: {parts.host}")
    return SafeUrl(parts.scheme, parts.host, parts.port, parts.url)


def normalise_url(url: str) -> str:
    """The one spelling of `url` under which it is known: frontier identity, candidate ids, records.

    Scheme and host in lower case, IDNA, no default port, no fragment, no empty query, dot segments
    resolved, percent escapes normalised (RFC 3986 6.2.2). The order of the query is never touched. Idempotent.
    Raises UnsafeAddressError for what is not a well-formed http or https URL.
    """
    return _parse(url).url


def origin_of(url: str) -> str:
    """`scheme://host`, with `:port` unless it is the scheme's default. Raises UnsafeAddressError."""
    return _parse(url).origin


def host_of(url: str) -> str:
    """The host of `url`: lower-case ASCII, an IPv6 literal without brackets. Raises UnsafeAddressError."""
    return _parse(url).host


def _parse(url: str) -> _Parts:
    url = url.strip(" ")
    if len(url) > MAX_URL:
        _refuse(f"URL of {len(url)} characters: {_shown(url)}")
    if _CONTROL.search(url):
        _refuse(f"control character in URL {_shown(url)}")
    match = _SPLIT.match(url)
    if match is None:
        _refuse(f"not an absolute URL: {_shown(url)}")
    scheme = match["scheme"].lower()
    if scheme not in DEFAULT_PORTS:
        _refuse(f"scheme {scheme} is not allowed: {_shown(url)}")
    authority = _AUTHORITY.fullmatch(match["authority"])
    if authority is None:
        _refuse(f"no plain host and port in {_shown(url)}")
    port = int(authority["port"]) if authority["port"] else DEFAULT_PORTS[scheme]
    if not 0 < port < 65536:
        _refuse(f"no such port: {_shown(url)}")
    path, _, query = match["rest"].partition("?")
    parts = _Parts(
        scheme=scheme,
        host=_canonical_host(authority["host"], url),
        port=port,
        path=_resolve_dots(_normalise_escapes(path.replace("\\", "/"), _PATH_SAFE, url)),
        query=_normalise_escapes(query, _QUERY_SAFE, url) or None,
    )
    if len(parts.url) > MAX_URL:
        _refuse(f"URL of {len(parts.url)} characters once escaped: {_shown(url)}")
    return parts


def _canonical_host(host: str, url: str) -> str:
    if host.startswith("["):
        try:
            literal = ipaddress.IPv6Address(host[1:-1])
        except ValueError:
            _refuse(f"not an IPv6 address in {_shown(url)}")
        if literal.ipv4_mapped is not None:
            _refuse(f"IPv4 address in IPv6 clothes: {_shown(url)}")
        return str(literal)
    host = _to_ascii(host, url)
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        _refuse(f"not a host name in {_shown(url)}")
    if _NUMERIC_LABEL.fullmatch(labels[-1]):
        literal_v4 = _literal(host)
        if literal_v4 is None:
            _refuse(f"odd spelling of an address: {_shown(url)}")
        return str(literal_v4)
    return host


def _to_ascii(host: str, url: str) -> str:
    if host.isascii():
        return host.lower()
    import idna

    try:
        return idna.encode(host, uts46=True, std3_rules=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        _refuse(f"not an internationalised host name in {_shown(url)}")


def _literal(host: str) -> IPAddress | None:
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
        _refuse(f"lone surrogate in URL {_shown(url)}")
    return "".join(chr(byte) if byte in safe else f"%{byte:02X}" for byte in encoded)


def _resolve_dots(path: str) -> str:
    """RFC 3986 5.2.4 on an absolute path; the empty path is `/`."""
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


def _shown(text: str) -> str:
    return repr(text if len(text) <= 200 else text[:200] + "...")


def _refuse(message: str) -> NoReturn:
    raise UnsafeAddressError(message, RefuseReason.ADDRESS_BLOCKED)


# --- registrable domains --------------------------------------------------------------------------


def registrable_domain(host: str, *, private_suffixes: bool = False) -> str:
    """The registrable domain of `host` by the bundled Public Suffix List: `a.b.co.uk` -> `b.co.uk`.

    IP addresses, single labels and public suffixes themselves are returned as they are; a top level
    that the list does not know counts as a suffix (the list's own default rule `*`).
    `private_suffixes` counts the list's private part too (`me.github.io` instead of `github.io`).
    """
    host = host.strip("[]").lower()
    if _literal(host) is not None:
        return host
    found = _suffix_list()(host, include_psl_private_domains=private_suffixes)
    if not found.suffix:
        return ".".join(host.split(".")[-2:])
    return found.top_domain_under_public_suffix or host


@cache
def _suffix_list() -> TLDExtract:
    from tldextract import TLDExtract

    return TLDExtract(suffix_list_urls=(), cache_dir=None)


# --- host tables ----------------------------------------------------------------------------------


def load_host_table(path: Path | str) -> HostTable:
    """Read a host table. Raises UsageError with the entry that is wrong.

    ca = "ca.pem"                                   # optional, relative to this file

    [hosts]
    "museum.example:443" = "127.0.0.1:40443"        # one port
    "artist.example" = "127.0.0.1:40080"            # every port
    """
    path = Path(path)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: not a readable host table: {error}") from error
    unknown = sorted(set(document) - {"hosts", "ca"})
    hosts = document.get("hosts")
    ca = document.get("ca")
    if unknown or not isinstance(hosts, dict) or not isinstance(ca, str | None):
        raise UsageError(f"{path}: a host table has a [hosts] table and perhaps `ca`, nothing else")
    entries: dict[tuple[str, int | None], Target] = {}
    for name, target in hosts.items():
        try:
            entries[_table_name(name)] = _table_address(target)
        except (ValueError, UnsafeAddressError) as error:
            raise UsageError(f"{path}: hosts.{name!r}: {error}") from error
    return HostTable(entries, None if ca is None else path.parent / ca)


def _table_name(name: str) -> tuple[str, int | None]:
    host, colon, port = name.partition(":")
    return host_of(f"http://{host}/"), _port(port) if colon else None


def _table_address(target: object) -> Target:
    if not isinstance(target, str):
        raise ValueError("the target must be a string such as 127.0.0.1:8080")
    address, _, port = target.rpartition(":")
    ip = ipaddress.ip_address(address.strip("[]"))
    if not ip.is_loopback:
        raise ValueError(f"only loopback addresses may stand in a host table, not {ip}")
    return Target(str(ip), _port(port))


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise ValueError(f"not a port: {text!r}")
    return int(text)
