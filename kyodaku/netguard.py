"""Which URLs and addresses may be spoken to. Pure: no sockets in here.

The rule for every request, every redirect hop and every host file: `check_url` first, resolve once,
hand all the answers to `connect_target`, and connect to exactly what it returns. A name that answers
with one public and one private address is refused, and nobody resolves it a second time, so DNS
rebinding has nothing to hold on to.
"""

from __future__ import annotations

import ipaddress
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kyodaku.errors import UnsafeAddressError, UsageError
from kyodaku.urls import (
    DEFAULT_PORTS,
    MAX_URL,
    IPAddress,
    host_of,
    literal_address,
    normalise_url,
    origin_of,
    parse_url,
    refuse,
    registrable_domain,
    shown,
)

#: (host, port) -> the addresses a resolver answered, all of them.
Resolver = Callable[[str, int], Sequence[str]]

__all__ = [
    "MAX_URL",
    "HostTable",
    "NetPolicy",
    "Resolver",
    "SafeUrl",
    "Target",
    "check_address",
    "check_url",
    "choose_address",
    "connect_target",
    "host_of",
    "load_host_table",
    "normalise_url",
    "origin_of",
    "registrable_domain",
]


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
        refuse(f"not an IP address: {shown(address)}")
    if policy.host_table is not None:
        if str(ip) not in {target.ip for target in policy.host_table.entries.values()}:
            refuse(f"{ip} is not in the host table")
    elif not _is_public(ip):
        refuse(f"{ip} is not a public address")
    return str(ip)


def choose_address(answers: Sequence[str], policy: NetPolicy) -> str:
    """The first of a resolver's answers, if every one of them is safe. Raises UnsafeAddressError."""
    checked = [check_address(answer, policy) for answer in answers]
    if not checked:
        refuse("the name has no address")
    return checked[0]


def connect_target(safe: SafeUrl, policy: NetPolicy, resolve: Resolver) -> Target:
    """Where to connect for `safe`: from the host table, the literal itself, or one call of `resolve`.

    Raises UnsafeAddressError, and whatever `resolve` raises.
    """
    if policy.host_table is not None:
        return _table_target(safe.host, safe.port, policy.host_table)
    if literal_address(safe.host) is not None:
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
        refuse(f"{host}:{port} is not in the host table")
    return target


# --- URLs -----------------------------------------------------------------------------------------

# Names that the public DNS does not serve (RFC 6761, 6762, 7686, 8375, and ICANN's .internal).
_PRIVATE_SUFFIXES = ("localhost", "local", "internal", "onion", "arpa", "test", "invalid", "example", "alt")


def check_url(url: str, policy: NetPolicy) -> SafeUrl:
    """`url` normalised, if policy lets us ask for it. Raises UnsafeAddressError.

    Refused: other schemes and ports, userinfo, control characters, URLs over MAX_URL characters, odd
    spellings of addresses (`http://0x7f.1`), literals that are not public, names that the public DNS
    does not serve, and beside a host table every name that is not in it.
    """
    parts = parse_url(url)
    if parts.scheme not in policy.schemes:
        refuse(f"scheme {parts.scheme} is not allowed: {shown(url)}")
    if parts.port not in policy.ports:
        refuse(f"port {parts.port} is not allowed: {shown(url)}")
    if policy.host_table is not None:
        _table_target(parts.host, parts.port, policy.host_table)
    elif literal_address(parts.host) is not None:
        check_address(parts.host, policy)
    else:
        labels = parts.host.split(".")
        if len(labels) < 2 or labels[-1] in _PRIVATE_SUFFIXES:
            refuse(f"not a public name: {parts.host}")
    return SafeUrl(parts.scheme, parts.host, parts.port, parts.url)


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
