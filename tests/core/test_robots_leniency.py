"""robots.txt written in a word processor: odd white space and quotes may refuse and never allow."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kyodaku.signals.carriers.robots import parse_robots
from kyodaku.signals.model import Effect, strongest
from kyodaku.signals.protocols.robots import PROTOCOL, Robots
from tests.core.strategies import IMAGE, ROBOTS_TEXT, reading, robots_answer

SPACES = [
    "\u00a0",
    "\u2003",
    "\u202f",
    "\u3000",
    "\u200b",
    "\u2060",
    "\ufeff",
    "\u0085",
    "\x0b",
    "\x0c",
    "\u00ad",
]


def effect(body: str | bytes) -> Effect:
    data = body.encode() if isinstance(body, str) else body
    signals = PROTOCOL.read_host_file("/robots.txt", robots_answer(data), IMAGE, reading())
    return strongest([signal.effect for signal in signals])


@pytest.mark.parametrize("space", SPACES, ids=ascii)
@pytest.mark.parametrize(
    "line",
    [
        "User-agent:_GPTBot\nDisallow: /",
        "User-agent_: GPTBot\nDisallow: /",
        "_User-agent: GPTBot\nDisallow: /",
        "User-agent: GPTBot_\nDisallow: /",
        "User-agent: GPTBot_CCBot\nDisallow: /",
        "User-agent: *\nDisallow:_/",
        "User-agent: *\nDisallow_: /",
        "User-agent: *\n_Disallow: /",
        "User-agent: *\nDisallow: /_",
        "User-agent: *\nDisallow_/",
        "User-agent:_*_\nDisallow:_/_",
        "_User-agent_:_DemoBot_\n_Disallow_:_/_",
    ],
)
def test_odd_white_space_does_not_hide_a_no(line: str, space: str) -> None:
    assert effect(line.replace("_", space)) is Effect.RESERVED


def test_a_file_in_latin_1_is_read_as_such() -> None:
    assert effect(b"User-agent:\xa0GPTBot\nDisallow:\xa0/\n") is Effect.RESERVED


@pytest.mark.parametrize(
    "agent",
    ['"GPTBot"', "'GPTBot'", "“GPTBot”", "‘GPTBot’", "„GPTBot“", "«GPTBot»", "`GPTBot`", '"GPTBot", "Other"',
     '"Other", "GPTBot"', '"DemoBot"', '"*"', '"GPTBot/1.0"'],
)  # fmt: skip
def test_a_quoted_agent_is_named(agent: str) -> None:
    assert effect(f"User-agent: {agent}\nDisallow: /\n") is Effect.RESERVED


@pytest.mark.parametrize("line", ['Disallow: "/"', '"Disallow": /', '"Disallow: /"', "Disallow： /"])
def test_a_quoted_or_wide_rule_refuses(line: str) -> None:
    assert effect(f"User-agent: *\n{line}\n") is Effect.RESERVED


@pytest.mark.parametrize(
    "line",
    ["Allow_: /", "_Allow: /", "Allow:_/", "Allow: /_", 'Allow: "/"', '"Allow": /', "Allow： /"],
)
def test_an_odd_allow_never_allows(line: str) -> None:
    for allow in (line, line.replace("_", "\u00a0")):
        if allow != line or "_" not in line:
            assert effect(f"User-agent: *\nDisallow: /\n{allow}\n") is Effect.RESERVED
            odd_no = f"User-agent: *\nDisallow:\u00a0/\n{allow}\n"
            assert effect(odd_no) is Effect.RESERVED


def test_an_odd_group_takes_no_rule_from_another() -> None:
    assert effect("User-agent: *\nAllow: /x\nUser-agent\u00a0: Foo\nDisallow: /\n") is Effect.RESERVED
    assert effect('User-agent: *\nDisallow: /\nUser-agent: "DemoBot"\nAllow: /\n') is Effect.RESERVED
    assert effect("User-agent: *\nDisallow: /\nUser-agent:\u00a0DemoBot\nAllow: /\n") is Effect.RESERVED


def test_odd_lines_that_speak_of_others_say_nothing() -> None:
    assert effect('User-agent: "SomeSearchBot"\nDisallow: /\n') is Effect.SILENT
    assert effect("User-agent: *\nDisallow: /日本\u3000\n# 日本\u00a0\nDisallow:\n") is Effect.SILENT


def test_an_ordinary_file_has_no_second_reading() -> None:
    body = "User-agent: Bot\nDisallow: /Bob's/日本\n# “quoted”\u00a0\nSitemap: http://a.example/\u3000x\n"
    assert len(parse_robots(body.encode()).groupings) == 1


def test_an_odd_crawl_delay_counts() -> None:
    for line in ("Crawl-delay:\u00a030", "Crawl-delay\u00a0: 30", 'Crawl-delay: "30"'):
        assert parse_robots(f"User-agent: *\n{line}\n".encode()).crawl_delay(("DemoBot",)) == 30.0


@given(ROBOTS_TEXT, st.sampled_from([*SPACES, '"', "'", "“"]), st.integers(0, 40), st.booleans())
@example("User-agent: *\nDisallow: /\n", "\u00a0", 14, True)
def test_the_forgiving_reading_only_adds_refusals(text: str, odd: str, at: int, after: bool) -> None:
    data = text if isinstance(text, bytes) else text.encode()
    places = [match.end() if after else match.start() for match in re.finditer(rb"[:/]", data)]
    if places:
        cut = places[at % len(places)]
        data = data[:cut] + odd.encode() + data[cut:]
    robots = parse_robots(data)
    if robots.too_complex or robots.looks_like_html or robots.not_text:
        return
    plain = effect_of_plain(data)
    if plain is Effect.RESERVED:
        assert effect(data) in (Effect.RESERVED, Effect.ERROR)


def effect_of_plain(data: bytes) -> Effect:
    """The reading without forgiveness."""
    protocol = Robots()
    protocol._parsed[data] = replace(parse_robots(data), forgiving=())
    signals = protocol.read_host_file("/robots.txt", robots_answer(data), IMAGE, reading())
    return strongest([signal.effect for signal in signals])
