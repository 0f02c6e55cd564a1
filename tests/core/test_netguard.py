"""Nothing but public addresses, one spelling of every URL, and no second resolution."""

from __future__ import annotations

import ipaddress
import random
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kyodaku.errors import UnsafeAddressError, UsageError
from kyodaku.netguard import (
    MAX_URL,
    HostTable,
    NetPolicy,
    Target,
    check_address,
    check_url,
    choose_address,
    connect_target,
    host_of,
    load_host_table,
    normalise_url,
    origin_of,
    registrable_domain,
)
from kyodaku.reasons import RefuseReason

PUBLIC = NetPolicy()

# Written down here a second time, from IANA's registries, not imported.
PRIVATE_RANGES = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "255.255.255.255/32",
    "::/128",
    "::1/128",
    "::/96",
    "::ffff:10.0.0.0/104",
    "::ffff:169.254.169.254/128",
    "::ffff:127.0.0.1/128",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/32",
    "2001:2::/48",
    "2001:10::/28",
    "2001:20::/28",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
]

private_addresses = st.sampled_from(PRIVATE_RANGES).flatmap(
    lambda text: st.ip_addresses(network=ipaddress.ip_network(text))
)
public_addresses = st.ip_addresses().map(str).filter(lambda text: _passes(text))


def _passes(address: str) -> bool:
    try:
        check_address(address, PUBLIC)
    except UnsafeAddressError:
        return False
    return True


# --- addresses


@given(private_addresses)
def test_private_ranges_are_refused(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    with pytest.raises(UnsafeAddressError) as caught:
        check_address(str(address), PUBLIC)
    assert caught.value.reason is RefuseReason.ADDRESS_BLOCKED


@given(st.ip_addresses())
def test_an_address_that_passes_is_global_and_unicast(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if not _passes(str(address)):
        return
    passed = ipaddress.ip_address(check_address(str(address), PUBLIC))
    assert passed.is_global
    assert not passed.is_multicast
    assert not any(
        passed in ipaddress.ip_network(text)
        for text in PRIVATE_RANGES
        if ipaddress.ip_network(text).version == passed.version
    )


@pytest.mark.parametrize("address", ["8.8.8.8", "151.101.1.69", "2606:4700::1111", "2a00:1450:4001::200e"])
def test_public_addresses_pass(address: str) -> None:
    assert check_address(address, PUBLIC) == address


def test_a_mapped_address_is_checked_as_ipv4() -> None:
    assert check_address("::ffff:8.8.8.8", PUBLIC) == "8.8.8.8"
    with pytest.raises(UnsafeAddressError):
        check_address("::ffff:169.254.169.254", PUBLIC)


@pytest.mark.parametrize(
    "address", ["", "localhost", "127.1", "0x7f000001", "fe80::1%eth0", "2606:4700::1%1", "8.8.8.8 "]
)
def test_what_is_no_canonical_address_is_refused(address: str) -> None:
    with pytest.raises(UnsafeAddressError):
        check_address(address, PUBLIC)


@given(st.lists(public_addresses, max_size=3), private_addresses, st.lists(public_addresses, max_size=3))
def test_one_private_answer_spoils_them_all(before: list[str], private: object, after: list[str]) -> None:
    with pytest.raises(UnsafeAddressError):
        choose_address([*before, str(private), *after], PUBLIC)


def test_the_first_of_safe_answers_is_taken_and_none_is_an_error() -> None:
    assert choose_address(["8.8.4.4", "8.8.8.8"], PUBLIC) == "8.8.4.4"
    with pytest.raises(UnsafeAddressError, match="no address"):
        choose_address([], PUBLIC)


class AlternatingResolver:
    """Public the first time, the metadata service the next: DNS rebinding."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, host: str, port: int) -> list[str]:
        self.calls += 1
        return ["93.184.215.14"] if self.calls % 2 else ["169.254.169.254"]


def test_an_alternating_resolver_gets_one_question_per_connection() -> None:
    resolver = AlternatingResolver()
    safe = check_url("http://rebind.art/x.jpg", PUBLIC)
    assert connect_target(safe, PUBLIC, resolver) == Target("93.184.215.14", 80)
    assert resolver.calls == 1
    with pytest.raises(UnsafeAddressError, match=r"169\.254\.169\.254"):
        connect_target(safe, PUBLIC, resolver)


def test_a_literal_is_not_resolved() -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise AssertionError("asked")

    safe = check_url("https://[2606:4700::1111]:443/", PUBLIC)
    assert connect_target(safe, PUBLIC, resolve) == Target("2606:4700::1111", 443)


# --- URLs

REFUSED = [
    "http://0x7f.1/",
    "http://0x7f000001/",
    "http://2130706433/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://127.0.0.1/",
    "http://1.2.3/",
    "http://1.2.3.4.5/",
    "http://0x/",
    "http://1.1.1.1./",
    "http://01.1.1.1/",
    "http://256.1.1.1/",
    "http://a.b.0x7f/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:8.8.8.8]/",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[::]/",
    "http://[1:2]/",
    "http://[::1/",
    "http://::1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://192.168.0.1/",
    "http://100.100.100.200/",
    "http://0.0.0.0/",
    "http://localhost/",
    "http://foo.localhost/",
    "http://printer.local/",
    "http://metadata.google.internal/",
    "http://x.onion/",
    "http://intranet/",
    "http://1.0.0.127.in-addr.arpa/",
    "http://site.test/",
    "http://site.example/",
    "http://museum.org./",
    "http://.museum.org/",
    "http://a..b/",
    "http:///",
    "http://:80/",
    "http://museum.org:22/",
    "http://museum.org:0/",
    "http://museum.org:65536/",
    "http://museum.org:8080/",
    "http://museum.org:80:80/",
    "http://museum.org:-1/",
    "http://user@museum.org/",
    "http://user:pw@museum.org/",
    "http://museum.org\\@evil.org/",
    "http://museum.org\\.evil.org/",
    "http://museum.org%2eevil.org/",
    "http://%31%32%37.0.0.1/",
    "http://１２７.0.0.1/",
    "http://127。0。0。1/",
    "http://①②⑦.0.0.1/",
    "ftp://museum.org/",
    "file:///etc/hostname",
    "gopher://museum.org/",
    "javascript:alert(1)",
    "data:image/png;base64,AAAA",
    "//museum.org/",
    "/etc/passwd",
    "museum.org",
    "http:museum.org",
    "http:/museum.org",
]


@pytest.mark.parametrize(
    "url", [*REFUSED, "", "http://museum.org/a\nb", "http://museum.org/\x00", "http://mus\teum.org/"]
)
def test_odd_urls_are_refused(url: str) -> None:
    with pytest.raises(UnsafeAddressError) as caught:
        check_url(url, PUBLIC)
    assert caught.value.reason is RefuseReason.ADDRESS_BLOCKED
    assert "\n" not in str(caught.value)


def test_a_long_url_is_refused_before_and_after_escaping() -> None:
    for url in ("http://museum.org/" + "a" * MAX_URL, "http://museum.org/" + "é" * (MAX_URL // 4)):
        with pytest.raises(UnsafeAddressError):
            normalise_url(url)


def test_a_safe_url_is_spelled_out() -> None:
    safe = check_url("HTTPS://Bücher.DE:443/a/../ä?x=2&a=1#part", PUBLIC)
    assert (safe.scheme, safe.host, safe.port) == ("https", "xn--bcher-kva.de", 443)
    assert safe.url == "https://xn--bcher-kva.de/%C3%A4?x=2&a=1"
    assert check_url("http://museum.org:443/", PUBLIC).url == "http://museum.org:443/"


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("http://A.org", "http://a.org/"),
        ("http://a.org?q", "http://a.org/?q"),
        ("http://a.org/?", "http://a.org/"),
        ("http://a.org:80/", "http://a.org/"),
        ("https://a.org:80/", "https://a.org:80/"),
        ("http://a.org:/", "http://a.org/"),
        ("http://a.org/a/./b/../c/..", "http://a.org/a/"),
        ("http://a.org/../../x", "http://a.org/x"),
        ("http://a.org/%2e%2e/x", "http://a.org/x"),
        ("http://a.org//x", "http://a.org//x"),
        ("http://a.org/%7euser/%2fx%c3%a9", "http://a.org/~user/%2Fx%C3%A9"),
        ("http://a.org/100%", "http://a.org/100%25"),
        ("http://a.org/%%341", "http://a.org/%2541"),
        ("http://a.org/a b|c", "http://a.org/a%20b%7Cc"),
        (" http://a.org/x ", "http://a.org/x"),
        ("http://a.org/images\\x.jpg", "http://a.org/images/x.jpg"),
        ("http://a.org/?b=2&a=1&b=1", "http://a.org/?b=2&a=1&b=1"),
        ("http://a.org/?x=/../y&q='", "http://a.org/?x=/../y&q=%27"),
        ("http://a.org/x#f?g", "http://a.org/x"),
        ("http://foo_bar.a.org/", "http://foo_bar.a.org/"),
        ("http://[2606:4700:0::1111]/", "http://[2606:4700::1111]/"),
        ("http://日本語.jp/画", "http://xn--wgv71a119e.jp/%E7%94%BB"),
    ],
)
def test_normal_form(url: str, normal: str) -> None:
    assert normalise_url(url) == normal


url_alphabet = st.sampled_from(list("abz019.-_~%/?#[]@!$&'()*+,;=:\\ \t\u00e9\u3002\uff11xX|^`{}\"<>"))
urls = st.one_of(
    st.text(url_alphabet, max_size=40).map(lambda text: f"http://{text}"),
    st.text(url_alphabet, max_size=40).map(lambda text: f"http://museum.org/{text}"),
    st.text(max_size=40),
    st.ip_addresses().map(lambda ip: f"http://[{ip}]/" if ip.version == 6 else f"http://{ip}/"),
    st.integers(0, 2**33).map(lambda number: f"http://{number}/"),
    st.lists(st.integers(0, 300), min_size=1, max_size=5).map(
        lambda parts: (
            "http://" + ".".join(random.Random(sum(parts)).choice((str, hex, oct))(p) for p in parts)
        )
    ),
)


@given(urls)
@example("http://a.org/%25%32%35")
def test_normalising_is_idempotent_and_ascii(url: str) -> None:
    try:
        once = normalise_url(url)
    except UnsafeAddressError:
        return
    assert once.isascii()
    assert normalise_url(once) == once
    assert (
        origin_of(url) + urlsplit(once)._replace(scheme="", netloc="").geturl() == once.removesuffix("?")
        or "?" in once
    )


@given(urls)
def test_other_parsers_see_the_same_host(url: str) -> None:
    from w3lib.url import safe_url_string
    from yarl import URL

    try:
        safe = check_url(url, PUBLIC)
    except UnsafeAddressError:
        return
    assert urlsplit(safe.url).hostname == safe.host
    assert URL(safe.url, encoded=True).host == safe.host
    assert urlsplit(safe.url).username is None
    assert safe_url_string(safe.url) == safe.url


@given(urls)
def test_no_url_leads_to_a_private_address(url: str) -> None:
    """Even where the resolver is as forgiving as inet_aton."""
    import socket

    def forgiving(host: str, port: int) -> list[str]:
        try:
            return [socket.inet_ntoa(socket.inet_aton(host))]
        except OSError:
            return ["93.184.215.14"]

    try:
        target = connect_target(check_url(url, PUBLIC), PUBLIC, forgiving)
    except UnsafeAddressError:
        return
    assert ipaddress.ip_address(target.ip).is_global
    assert target.port in {80, 443}


def test_origin_and_host() -> None:
    assert origin_of("HTTP://A.org:80/x?y") == "http://a.org"
    assert origin_of("http://a.org:443/") == "http://a.org:443"
    assert origin_of("https://[2606:4700::1111]/x") == "https://[2606:4700::1111]"
    assert host_of("https://[2606:4700::1111]/x") == "2606:4700::1111"


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("a.b.co.uk", "b.co.uk"),
        ("WWW.Museum.org", "museum.org"),
        ("me.github.io", "github.io"),
        ("co.uk", "co.uk"),
        ("localhost", "localhost"),
        ("cdn.museum.example", "museum.example"),
        ("8.8.8.8", "8.8.8.8"),
        ("[2606:4700::1111]", "2606:4700::1111"),
    ],
)
def test_registrable_domain(host: str, domain: str) -> None:
    assert registrable_domain(host) == domain


def test_registrable_domain_with_private_suffixes() -> None:
    assert registrable_domain("a.me.github.io", private_suffixes=True) == "me.github.io"


# --- host tables


def _table(folder: Path, text: str) -> Path:
    path = folder / "hosts.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_only_names_of_the_table_can_be_reached(tmp_path: Path) -> None:
    table = load_host_table(
        _table(
            tmp_path,
            'ca = "ca.pem"\n[hosts]\n'
            '"Museum.example:443" = "127.0.0.1:40443"\n"artist.example" = "[::1]:8000"\n',
        )
    )
    policy = NetPolicy(host_table=table)
    assert policy.local_network
    assert not PUBLIC.local_network
    assert table.ca == tmp_path / "ca.pem"

    def resolve(host: str, port: int) -> list[str]:
        raise AssertionError("a table is never resolved")

    def target(url: str) -> Target:
        return connect_target(check_url(url, policy), policy, resolve)

    assert target("https://museum.example/x") == Target("127.0.0.1", 40443)
    assert target("http://artist.example/") == target("https://artist.example/") == Target("::1", 8000)
    for url in ("http://museum.example/", "https://python.org/", "http://8.8.8.8/", "http://127.0.0.1/"):
        with pytest.raises(UnsafeAddressError):
            check_url(url, policy)
    assert check_address("127.0.0.1", policy) == "127.0.0.1"
    for address in ("127.0.0.2", "8.8.8.8"):
        with pytest.raises(UnsafeAddressError):
            check_address(address, policy)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[hosts\n",
        '[host]\n"a.example" = "127.0.0.1:80"\n',
        'key = 1\n[hosts]\n"a.example" = "127.0.0.1:80"\n',
        'ca = 1\n[hosts]\n"a.example" = "127.0.0.1:80"\n',
        '[hosts]\n"a.example" = "10.0.0.1:80"\n',
        '[hosts]\n"a.example" = "8.8.8.8:80"\n',
        '[hosts]\n"a.example" = "localhost:80"\n',
        '[hosts]\n"a.example" = "127.0.0.1"\n',
        '[hosts]\n"a.example" = "127.0.0.1:99999"\n',
        '[hosts]\n"a.example" = 80\n',
        '[hosts]\n"a.example:x" = "127.0.0.1:80"\n',
        '[hosts]\n"http://a.example" = "127.0.0.1:80"\n',
    ],
)
def test_a_wrong_table_is_a_usage_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"hosts\.toml"):
        load_host_table(_table(tmp_path, text))


def test_a_table_made_in_code_may_not_leave_the_machine_either() -> None:
    with pytest.raises(ValueError, match="loopback"):
        HostTable({("a.example", None): Target("10.0.0.1", 80)})


def test_a_missing_table_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        load_host_table(tmp_path / "none.toml")
