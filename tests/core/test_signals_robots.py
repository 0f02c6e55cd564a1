"""robots.txt: the carrier, group selection, fetch outcomes, and Protego as a second opinion."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from protego import Protego

from kyodaku.reasons import HoldReason, RefuseReason
from kyodaku.signals.carriers.robots import (
    MAX_ROBOTS_BYTES,
    MAX_RULES,
    agent_names,
    agent_token,
    parse_robots,
)
from kyodaku.signals.carriers.robots_match import GroupMatcher, Rule, asked_paths
from kyodaku.signals.model import Effect, FetchError, strongest
from kyodaku.signals.protocols.robots import PROTOCOL, Robots
from tests.core.strategies import IMAGE, PATHS, ROBOTS_TEXT, URLS, reading, robots_answer
from tests.tools import cpu_seconds

REASONS = {reason.value for reason in (*RefuseReason, *HoldReason)}


def effect(body: str | bytes, url: str = IMAGE, **how: object) -> Effect:
    data = body.encode() if isinstance(body, str) else body
    signals = PROTOCOL.read_host_file("/robots.txt", robots_answer(data), url, reading(**how))  # type: ignore[arg-type]
    return strongest([signal.effect for signal in signals])


# ------------------------------------------------------------------------------------------ carrier


def test_groups_keep_lines_and_other_records() -> None:
    robots = parse_robots(
        b"License: https://a.example/l\nUser-agent: A\nContent-Usage: train-ai=n\nUser-agent: B # b\n"
        b"Disallow: /x # why\nCrawl-delay: 2.5\nSitemap: https://a.example/s.xml\n"
        b"Content-Signal: ai-train=no\n"
    )
    assert [record.key for record in robots.global_records] == ["license"]
    (group,) = robots.groups
    assert [agent.value for agent in group.agents] == ["A", "B"]
    assert [(rule.line, rule.value, rule.raw) for rule in group.rules] == [(5, "/x", "Disallow: /x # why")]
    assert [record.key for record in group.others] == ["content-usage", "crawl-delay", "content-signal"]
    assert robots.sitemaps == ("https://a.example/s.xml",)
    assert [len(grouping.groups) for grouping in robots.groupings] == [1, 2]
    assert robots.crawl_delay(("b",)) == 2.5
    assert robots.crawl_delay(("c",)) is None


@pytest.mark.parametrize(
    ("value", "token"),
    [("Foo/1.0", "foo"), ("*", "*"), ("* x", "*"), ("*x", ""), ("Foo2Bot", "foo"), ("", ""), ("日本", "")],
)
def test_agent_token(value: str, token: str) -> None:
    assert agent_token(value) == token


def test_agent_names_hold_names_that_are_no_tokens() -> None:
    assert {"img", "img2dataset"} <= agent_names("img2dataset/1.45 (x)")
    assert agent_names("") == agent_names(" ") == {""}
    assert "kangaroo bot" in agent_names("Kangaroo Bot/2.0")
    assert {"gptbot", "ccbot"} <= agent_names("GPTBot/1.0, CCBot (x)")


def test_a_long_file_is_cut_at_its_last_full_line() -> None:
    head = b"User-agent: *\n" + b"#" * (MAX_ROBOTS_BYTES - 40) + b"\n"
    robots = parse_robots(head + b"Disallow: /private-and-more-than-fits-in-the-limit\n")
    assert robots.truncated
    assert robots.groups[0].rules == ()


def test_a_cut_line_may_refuse_but_not_allow() -> None:
    long = "/art/" + "a" * 20_000
    robots = parse_robots(f"User-agent: *\nAllow: {long}\nDisallow: {long}\n".encode())
    assert [(rule.key, rule.cut) for rule in robots.groups[0].rules] == [("disallow", True)]


@pytest.mark.parametrize(
    "body",
    [
        b"User-agent: *\n" + b"Disallow: /x\n" * (MAX_RULES + 1),
        b"User-agent: *\n" + (b"Disallow: /*" + b"a*" * 8000 + b"\n") * 9,
        b"x:\n" * 60_000,
    ],
)
def test_a_file_over_the_limits_holds(body: bytes) -> None:
    assert parse_robots(body).too_complex
    (signal,) = PROTOCOL.read_host_file("/robots.txt", robots_answer(body), IMAGE, reading())
    assert signal.reason == "robots_too_complex"


@pytest.mark.parametrize("body", [b"\xff\xfeU\x00s\x00", b"\x1f\x8b\x08\x00", b"a\x00b", b"\x01\x02\x03"])
def test_what_is_no_text_holds(body: bytes) -> None:
    (signal,) = PROTOCOL.read_host_file("/robots.txt", robots_answer(body), IMAGE, reading())
    assert signal.reason == "robots_not_text"


def test_an_answer_of_another_type_without_a_record_holds() -> None:
    body = b'{"error": "slow down"}'
    answer = robots_answer(body, content_type="application/json")
    (signal,) = PROTOCOL.read_host_file("/robots.txt", answer, IMAGE, reading())
    assert signal.reason == "robots_not_text"
    for body in (b"User-agent: *\nAllow: /\n", b"# nothing to say\n", b""):
        fine = robots_answer(body, content_type="text/html")
        assert PROTOCOL.read_host_file("/robots.txt", fine, IMAGE, reading()) == []


# -------------------------------------------------------------------------------- whom a file speaks to


def test_either_of_our_names_refuses() -> None:
    body = "User-agent: Kyodaku\nAllow: /\nUser-agent: DemoBot\nDisallow: /art/\nUser-agent: *\nDisallow: /\n"
    assert effect(body) is Effect.RESERVED
    assert effect(body, "https://example.com/other") is Effect.SILENT  # the star group is not asked


def test_a_refusal_says_where_it_stands() -> None:
    body = b"User-agent: GPTBot\nUser-agent: CCBot\nDisallow: /art/ # no\n"
    (signal,) = PROTOCOL.read_host_file("/robots.txt", robots_answer(body), IMAGE, reading())
    assert (signal.rule, signal.raw) == ("robots:purpose:CCBot:L3", "Disallow: /art/ # no")
    assert signal.parsed == "disallow for CCBot, GPTBot"
    assert signal.reason == "robots_purpose"
    (own,) = PROTOCOL.read_host_file(
        "/robots.txt", robots_answer(b"User-agent: *\nDisallow: /\n"), IMAGE, reading()
    )
    assert (own.rule, own.reason) == ("robots:star:L2", "robots_disallow")


def test_the_winning_rule_is_the_one_named() -> None:
    body = b"User-agent: DemoBot\nDisallow: /a\nDisallow: /art/*.jpg\nDisallow: /zzz/longer-than-all\n"
    (signal,) = PROTOCOL.read_host_file("/robots.txt", robots_answer(body), IMAGE, reading())
    assert signal.rule == "robots:own:L3"


def test_thresholds_of_the_purpose_pass() -> None:
    one = (
        "User-agent: GPTBot\nDisallow: /\n\nUser-agent: CCBot\nAllow: /\n\nUser-agent: ClaudeBot\nAllow: /\n"
    )
    assert effect(one, threshold="any") is Effect.RESERVED
    assert effect(one, threshold="majority") is Effect.SILENT
    assert effect(one, threshold="control-tokens-only") is Effect.SILENT
    two = one.replace("User-agent: CCBot\nAllow", "User-agent: CCBot\nDisallow")
    assert effect(two, threshold="majority") is Effect.RESERVED
    control = "User-agent: Google-Extended\nDisallow: /\n"
    assert effect(control, threshold="control-tokens-only") is Effect.RESERVED


def test_both_groupings_and_the_restrictive_one() -> None:
    body = "User-agent: DemoBot\nContent-Usage: search=y\nUser-agent: *\nDisallow: /\n"
    assert effect(body) is Effect.RESERVED
    other = "User-agent: GPTBot\nContent-Usage: search=y\nUser-agent: Other\nAllow: /\nDisallow: /x\n"
    assert effect(other) is Effect.SILENT


def test_other_paths_than_robots_are_not_ours() -> None:
    assert (
        PROTOCOL.read_host_file("/ai.txt", robots_answer(b"User-agent: *\nDisallow: /"), IMAGE, reading())
        == []
    )


# ---------------------------------------------------------------------------------------- the fetch


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (robots_answer(b"", None, error=FetchError.DNS), "robots_unreachable"),
        (robots_answer(b"", None, error=FetchError.TOO_SLOW), "robots_unreachable"),
        (robots_answer(b"", 200, error=FetchError.BOMB, complete=False), "robots_too_complex"),
        (robots_answer(b"User-agent: *\nAl", 200, complete=False), "robots_unreachable"),
        (robots_answer(b"", 302, error=FetchError.REDIRECTS, hops=6), "robots_redirects"),
        (robots_answer(b"", None, error=FetchError.BLOCKED, hops=1), "robots_redirects"),
        (robots_answer(b"", None, error=FetchError.BLOCKED), "robots_unreachable"),
        (robots_answer(b"", 304), "robots_redirects"),
        (robots_answer(b"", 401), "robots_forbidden"),
        (robots_answer(b"", 429), "robots_rate_limited"),
        (robots_answer(b"", 451), "robots_legal"),
        (robots_answer(b"", 402), "robots_payment"),
        (robots_answer(b"", 418), "robots_unexpected"),
        (robots_answer(b"", 202), "robots_unexpected"),
        (robots_answer(b"", None), "robots_unreachable"),
        (robots_answer(b"Allow: /", 200, cached_age=-1.0), "robots_unreachable"),
    ],
)
def test_an_answer_that_is_no_file_has_its_reason(answer: object, reason: str) -> None:
    (signal,) = PROTOCOL.read_host_file("/robots.txt", answer, IMAGE, reading())  # type: ignore[arg-type]
    assert signal.reason == reason
    assert signal.effect is (Effect.RESERVED if reason == "robots_payment" else Effect.ERROR)


def test_a_file_longer_than_the_cap_is_read_as_far_as_it_goes() -> None:
    body = b"User-agent: *\nDisallow: /art/\n" + b"#" * MAX_ROBOTS_BYTES
    answer = robots_answer(body, 200, error=FetchError.TOO_LARGE, complete=False)
    (signal,) = PROTOCOL.read_host_file("/robots.txt", answer, IMAGE, reading())
    assert signal.reason == "robots_disallow"


def test_delay_and_sitemaps_come_only_from_a_file() -> None:
    body = b"User-agent: *\nCrawl-delay: 7\nSitemap: https://example.com/s.xml\n"
    assert PROTOCOL.crawl_delay(robots_answer(body), ("DemoBot",)) == 7.0
    assert PROTOCOL.sitemaps(robots_answer(body)) == ("https://example.com/s.xml",)
    assert PROTOCOL.crawl_delay(robots_answer(body, 503), ("DemoBot",)) is None
    assert PROTOCOL.sitemaps(robots_answer(body, 503)) == ()


def test_parsed_files_are_remembered_within_a_budget() -> None:
    robots = Robots()
    first = b"User-agent: *\n" + b"#" * 1_000_000
    assert robots.parsed(first) is robots.parsed(bytes(first))
    kept = robots.parsed(first)
    for number in range(20):
        robots.parsed(b"User-agent: *\n" + b"%d" % number * 500_000)
    assert robots.parsed(first) is not kept


# --------------------------------------------------------------------------------------- properties


@given(st.binary(max_size=400))
def test_no_bytes_make_the_parser_raise(body: bytes) -> None:
    robots = parse_robots(body)
    assert robots.truncated is False


@given(ROBOTS_TEXT, URLS)
@settings(max_examples=300)
def test_every_signal_has_a_reason_a_rule_and_a_raw_line(text: str, url: str) -> None:
    for mode in ("spec", "policy"):
        signals = PROTOCOL.read_host_file("/robots.txt", robots_answer(text.encode()), url, reading(mode))  # type: ignore[arg-type]
        assert len(signals) <= 1
        for signal in signals:
            assert signal.effect in (Effect.RESERVED, Effect.ERROR)
            assert signal.reason in REASONS
            assert signal.rule.startswith("robots:")
            assert signal.raw


@given(ROBOTS_TEXT, URLS)
@settings(max_examples=200)
def test_policy_is_never_milder_than_spec(text: str, url: str) -> None:
    if effect(text, url, mode="spec") is Effect.RESERVED:
        assert effect(text, url) in (Effect.RESERVED, Effect.ERROR)


@given(ROBOTS_TEXT, URLS, PATHS, st.integers(0, 30))
@settings(max_examples=250)
def test_a_refusing_rule_added_to_our_group_never_moves_toward_permitted(
    text: str, url: str, path: str, position: int
) -> None:
    """A Disallow line inside a group that applies to us, behind its user-agent lines."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    before = effect("\n".join(lines), url)
    # Inserting behind a rule keeps every group's user-agent lines as they are.
    places = [i for i, line in enumerate(lines) if line.lower().startswith(("disallow:", "allow:"))]
    assume(places)
    at = places[position % len(places)] + 1
    after = effect("\n".join([*lines[:at], f"Disallow: {path}", *lines[at:]]), url)
    order = [Effect.SILENT, Effect.ERROR, Effect.RESERVED]
    assert order.index(after) >= order.index(before)


@given(ROBOTS_TEXT, URLS)
@settings(max_examples=100)
def test_robots_never_grants(text: str, url: str) -> None:
    assert effect(text, url) is not Effect.PERMITTED


# ----------------------------------------------------------------------------------------- Protego

_SAFE_PATHS = st.text("/abc.*", max_size=8).map(lambda text: "/" + text)
_SAFE_GROUP = st.builds(
    lambda agents, rules: (
        "".join(f"User-agent: {agent}\n" for agent in agents)
        + "".join(f"{kind}: {path}\n" for kind, path in rules)
    ),
    st.lists(st.sampled_from(["*", "DemoBot", "GPTBot", "Zebra"]), min_size=1, max_size=3, unique=True),
    st.lists(st.tuples(st.sampled_from(["Allow", "Disallow"]), _SAFE_PATHS), min_size=1, max_size=5),
)
_SAFE_FILE = st.lists(_SAFE_GROUP, max_size=5).map("\n".join)
_SAFE_URL = st.text("/abc.", max_size=10).map(lambda text: "https://example.com/" + text)


@given(_SAFE_FILE, _SAFE_URL)
@settings(max_examples=300)
def test_protego_agrees_where_it_follows_the_rfc(text: str, url: str) -> None:
    """Well-formed files without the constructs in which Protego differs (below)."""
    assume("/./" not in url + "/" and "/../" not in url + "/" and "//" not in url[8:])
    assume(not url.endswith("/robots.txt"))
    ours = effect(text, url, mode="spec", own=("DemoBot",))
    theirs = Protego.parse(text).can_fetch(url, "DemoBot")
    assert (ours is Effect.SILENT) == theirs


@pytest.mark.parametrize(
    ("body", "url", "barred"),
    [
        # An unknown record ends Protego's group.
        ("User-agent: DemoBot\nContent-Signal: a=b\nUser-agent: Other\nDisallow: /\n", IMAGE, True),
        # Protego takes the group `Demo` for a prefix of `Demo-Bot`.
        ("User-agent: Demo\nDisallow: /\n", IMAGE, False),
        # A byte order mark loses Protego's first group.
        ("\ufeffUser-agent: *\nDisallow: /\n", IMAGE, True),
        # A version, or words behind the token.
        ("User-agent: Demo-Bot/1.0\nDisallow: /\n", IMAGE, True),
        ("User-agent: Demo-Bot crawler\nDisallow: /\n", IMAGE, True),
        # U+2028 splits Protego's line, so that it sees an Allow that nobody wrote.
        ("User-agent: *\nDisallow: /\nDisallow: /b\u2028Allow: /art/\n", IMAGE, True),
        # `index.html` opens the folder in Protego, a final `$` is a literal too, `%3F` equals `?`.
        ("User-agent: *\nDisallow: /art\nAllow: /art/index.html\n", "https://example.com/art/", True),
        ("User-agent: *\nDisallow: /a\nAllow: /a$\n", "https://example.com/a$b", True),
        ("User-agent: *\nDisallow: /a\nAllow: /a?b\n", "https://example.com/a%3Fb", True),
    ],
)
def test_known_divergences_from_protego(body: str, url: str, barred: bool) -> None:
    own = ("Demo-Bot", "DemoBot")
    ours = effect(body, url, mode="spec", own=own) is Effect.RESERVED
    theirs = not all(Protego.parse(body).can_fetch(url, name) for name in own)
    assert ours is barred
    assert theirs is not barred  # when this fails Protego has learned: move the case to the agreeing ones


def test_text_of_a_rule_cannot_become_another_line_for_protego() -> None:
    for sly in ("\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e"):
        body = f"User-agent: *\nDisallow: /\nDisallow: /x{sly}Allow: /art/{sly}User-agent: z\n"
        assert effect(body, mode="spec") is Effect.RESERVED


# -------------------------------------------------------------------------------------------- time

_HOSTILE = {
    "lines": b"\n" * 1_000_000,
    "agents": b"User-agent: a\n" * 70_000,
    "names": b"".join(b"User-agent: a%d\n" % n for n in range(45_000)),
    "one line": b"a" * 1_000_000,
    "colons": b":" * 1_000_000,
    "stars": b"User-agent: *\n" + b"Disallow: /" + b"*a" * 499_000,
    "rules": b"User-agent: *\n" + b"Disallow: /*a*b*c*d\n" * 9_000,
    "long rules": b"User-agent: *\n" + (b"Disallow: /" + b"a" * 16_000 + b"b\n") * 62,
    "spaces": b" " * 1_000_000,
    "hashes": b"#\n" * 500_000,
    "percent": b"User-agent: *\n" + b"Disallow: /%41%zz%%%\n" * 9_900,
    "words": b"User-agent: *\nDisallow: " + b"/ " * 490_000,
}


@pytest.mark.parametrize("name", _HOSTILE)
def test_a_megabyte_of_anything_takes_less_than_a_second(name: str) -> None:
    body = _HOSTILE[name]
    url = "https://example.com/" + "a" * 2000 + "?" + "ab" * 1000
    assert (
        cpu_seconds(lambda: Robots().read_host_file("/robots.txt", robots_answer(body), url, reading()), 1.0)
        < 1.0
    )


def test_thousands_of_urls_of_one_file_are_quick() -> None:
    body = b"User-agent: *\n" + b"".join(b"Disallow: /p%d/*.php\n" % n for n in range(300))
    body += b"User-agent: GPTBot\nDisallow: /secret/\n"
    answer, how = robots_answer(body), reading()

    def work() -> None:
        for number in range(3000):
            PROTOCOL.read_host_file("/robots.txt", answer, f"https://example.com/art/{number}.jpg", how)

    assert cpu_seconds(work, 2.0) < 2.0


def test_asked_paths_of_odd_urls() -> None:
    assert asked_paths("https://example.com/robots.txt#x") == ()
    assert len(asked_paths("https://example.com/a/../b")) == 2
    assert asked_paths("https://example.com/a/../b")[1] == asked_paths("https://example.com/b")[0]
    assert asked_paths("https://example.com/%7Ea#b") == asked_paths("https://example.com/~a")


# --------------------------------------------------------------------------- matching, once more, slowly


def _plain(text: bytes) -> bytes:
    """RFC 9309 2.2.2: unreserved escapes decoded, the rest in upper case, everything else escaped."""
    unreserved = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
    out, at = b"", 0
    while at < len(text):
        digits = text[at + 1 : at + 3]
        if text[at : at + 1] == b"%" and re.fullmatch(rb"[0-9A-Fa-f]{2}", digits):
            octet = bytes.fromhex(digits.decode())
            out += octet if octet in unreserved else b"%" + digits.upper()
            at += 3
        else:
            octet = text[at : at + 1]
            out += octet if octet in unreserved + b":/?#[]@!&'()+,;=%" else b"%%%02X" % octet[0]
            at += 1
    return out


def _expected(rules: list[tuple[bool, bytes]], path: bytes) -> bool:
    """Whether `path` is barred: longest matching pattern, Allow at a tie, by regular expression."""
    best: tuple[int, bool] = (-1, True)
    for allow, pattern in rules:
        anchored = pattern.endswith(b"$")
        pieces = [_plain(piece) for piece in (pattern[:-1] if anchored else pattern).split(b"*")]
        regex = b".*".join(map(re.escape, pieces)) + (b"$" if anchored else b"")
        if re.match(regex.replace(b"$", b"\\Z") if anchored else regex, _plain(path), re.DOTALL):
            length = sum(map(len, pieces)) + len(pieces) - 1 + anchored
            best = max(best, (length, allow))
    return not best[1]


_OCTETS = st.text("/ab*$%41é?", max_size=7).map(lambda text: ("/" + text).encode())


@given(st.lists(st.tuples(st.booleans(), _OCTETS), max_size=5), _OCTETS)
@settings(max_examples=500)
def test_matching_is_what_the_rfc_says(rules: list[tuple[bool, bytes]], path: bytes) -> None:
    matcher = GroupMatcher([Rule(allow, pattern, 1, "x") for allow, pattern in rules], strict=True)
    url = "https://example.com" + path.decode()
    assert (matcher.bars(asked_paths(url)) is not None) == _expected(rules, path)
