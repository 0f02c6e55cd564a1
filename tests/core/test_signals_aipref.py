"""Content-Usage, Content-Signal and DisallowAITraining beside the vectors: who may grant, letters, size."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyodaku.signals.carriers.content_usage import parse_preferences, split_path
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.model import Binding, Effect, Letter, Reading, Where
from kyodaku.signals.protocols.aipref import PROTOCOL as AIPREF
from kyodaku.signals.protocols.base import Protocol
from kyodaku.signals.protocols.content_signal import PROTOCOL as CONTENT_SIGNAL
from kyodaku.signals.protocols.disallow_ai_training import PROTOCOL as DISALLOW
from kyodaku.signals.protocols.robots import PROTOCOL as ROBOTS
from tests.core.strategies import IMAGE, NOW, reading, robots_answer
from tests.tools import cpu_seconds

PROTOCOLS: tuple[Protocol, ...] = (AIPREF, CONTENT_SIGNAL, DISALLOW)
NO = {
    "aipref": "Content-Usage: train-ai=n",
    "content-signal": "Content-Signal: ai-train=no",
    "disallow-ai-training": "DisallowAITraining: /art/",
}
YES = {"aipref": "Content-Usage: train-ai=y", "content-signal": "Content-Signal: ai-train=yes"}
GRANTING = (AIPREF, CONTENT_SIGNAL)
LETTER = Letter("example.com", ("/art/",), "ab" * 32, NOW + timedelta(days=1))
MEGABYTE = 1024 * 1024


def said(
    protocol: Protocol, body: str, read: Reading | None = None, url: str = IMAGE, complete: bool = True
) -> list[Effect]:
    file = robots_answer(body.encode("utf-8", "replace"), complete=complete)
    read = read or reading()
    return [signal.effect for signal in protocol.read_host_file("/robots.txt", file, url, read)]


@pytest.mark.parametrize("protocol", GRANTING)
def test_a_grant_is_for_a_well_formed_line_that_names_us_or_everybody(protocol: Protocol) -> None:
    yes = YES[protocol.name]
    for agent in ("User-agent: *", "User-agent: Kyodaku", "user-AGENT : demobot/2.0"):
        assert said(protocol, f"{agent}\n{yes}\n") == [Effect.PERMITTED]
    odd = ("Useragent: *", "User agent: *", "User-agent *", "User-agent:", "User-agent: x, Kyodaku", "")
    for agent in odd:
        assert Effect.PERMITTED not in said(protocol, f"{agent}\n{yes}\n")


@pytest.mark.parametrize("protocol", GRANTING)
def test_a_misspelt_line_lifts_no_refusal(protocol: Protocol) -> None:
    no, yes = NO[protocol.name], YES[protocol.name]
    body = f"User-agent: *\n{no}\nAllow: /\nUseragent: Kyodaku\n{yes}\n"
    assert said(protocol, body) == [Effect.RESERVED]
    assert said(protocol, body.replace("Useragent", "User-agent")) == [Effect.PERMITTED]


@pytest.mark.parametrize("protocol", GRANTING)
def test_of_two_names_of_ours_the_one_that_is_refused_counts(protocol: Protocol) -> None:
    no, yes = NO[protocol.name], YES[protocol.name]
    body = f"User-agent: DemoBot\n{no}\nAllow: /\nUser-agent: Kyodaku\n{yes}\n"
    assert said(protocol, body) == [Effect.RESERVED]
    assert said(protocol, body, reading(own=("Kyodaku",))) == [Effect.PERMITTED]


def test_a_longer_path_for_one_of_our_names_lifts_nothing_for_the_other() -> None:
    body = (
        "User-agent: DemoBot\nContent-Usage: train-ai=n\nAllow: /\n"
        "User-agent: Kyodaku\nContent-Usage: /art/ train-ai=y\n"
    )
    assert said(AIPREF, body) == [Effect.RESERVED]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("agent", ["User-agent: x, Kyodaku", "User-agent:", "Useragent: Kyodaku"])
def test_names_in_an_odd_form_may_refuse(protocol: Protocol, agent: str) -> None:
    assert said(protocol, f"{agent}\n{NO[protocol.name]}\n") == [Effect.RESERVED]


@pytest.mark.parametrize("protocol", GRANTING)
def test_a_file_that_broke_off_grants_nothing_and_still_refuses(protocol: Protocol) -> None:
    pad = "#" * MEGABYTE
    assert said(protocol, f"User-agent: *\n{YES[protocol.name]}\n", complete=False) == []
    assert said(protocol, f"User-agent: *\n{YES[protocol.name]}\n{pad}\n") == []
    assert said(protocol, f"User-agent: *\n{NO[protocol.name]}\n{pad}\n") == [Effect.RESERVED]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_letter_lifts_what_is_said_to_other_crawlers_and_nothing_else(protocol: Protocol) -> None:
    no = NO[protocol.name]
    inferred = f"User-agent: GPTBot\n{no}\n"
    assert said(protocol, inferred) == [Effect.RESERVED]
    assert said(protocol, inferred, replace(reading(), letters=(LETTER,))) == []
    outside = [
        replace(LETTER, host="www.example.com"),
        replace(LETTER, paths=("/artists/", "/ar", "/art/cat.jpg/x")),
        replace(LETTER, until=NOW - timedelta(seconds=1)),
    ]
    for letter in outside:
        assert said(protocol, inferred, replace(reading(), letters=(letter,))) == [Effect.RESERVED]
    for explicit in ("User-agent: *", "User-agent: Kyodaku", "User-agent: DemoBot", "User-agent:"):
        said_to_us = f"{explicit}\n{no}\n"
        assert said(protocol, said_to_us, replace(reading(), letters=(LETTER,))) == [Effect.RESERVED]


def test_a_lifted_group_is_recorded_with_the_letter() -> None:
    file = robots_answer(b"User-agent: GPTBot\nDisallow: /\n")
    (signal,) = ROBOTS.read_host_file("/robots.txt", file, IMAGE, replace(reading(), letters=(LETTER,)))
    assert signal.effect is Effect.SILENT
    assert LETTER.sha256 in signal.rule
    assert LETTER.sha256 in signal.parsed
    for body in (b"User-agent: *\nDisallow: /\n", b"User-agent: Kyodaku\nDisallow: /art/\n"):
        found = ROBOTS.read_host_file(
            "/robots.txt", robots_answer(body), IMAGE, replace(reading(), letters=(LETTER,))
        )
        assert [signal.effect for signal in found] == [Effect.RESERVED]


def test_a_letter_covers_no_path_that_a_client_may_resolve_elsewhere() -> None:
    read = replace(reading(), letters=(LETTER,))
    body = "User-agent: GPTBot\nContent-Usage: train-ai=n\n"
    assert said(AIPREF, body, read, "https://example.com/art/../loans/1.jpg") == [Effect.RESERVED]
    assert said(AIPREF, body, read, "https://example.com/art/x/../1.jpg") == []


def test_a_value_that_is_too_long_to_read_grants_nothing() -> None:
    # longer than what a value may have, and shorter than what a line may have
    usage = "train-ai=y, " + "a" * 16380
    assert not parse_preferences(usage).valid
    assert said(AIPREF, f"User-agent: *\nContent-Usage: {usage}\n") == []
    signals = "ai-train=yes," + "a=b," * 4094
    assert said(CONTENT_SIGNAL, f"User-agent: *\nContent-Signal: {signals}ai-train=no\n") == [Effect.RESERVED]
    assert said(CONTENT_SIGNAL, f"User-agent: *\nContent-Signal: {signals}c=d\n") == []


def test_a_line_that_was_cut_hides_no_refusal() -> None:
    cut = "Content-Usage: /art/ train-ai=y, " + "a" * 20_000
    assert said(AIPREF, f"User-agent: *\nContent-Usage: train-ai=n\n{cut}\n") == [Effect.RESERVED]


@pytest.mark.parametrize("protocol", GRANTING)
def test_headers_of_a_page_refuse_and_never_grant(protocol: Protocol) -> None:
    def read(line: str, mode: str = "policy") -> list[Effect]:
        name, _, value = line.partition(": ")
        head = ResponseHead("https://example.com/", 200, ((name, value),), 1.0)
        return [signal.effect for signal in protocol.read_page_head(head, reading(mode))]  # type: ignore[arg-type]

    assert read(NO[protocol.name]) == [Effect.RESERVED]
    assert read(NO[protocol.name], "spec") == []
    assert read(YES[protocol.name]) == []


def test_a_signal_says_where_it_was_read() -> None:
    file = robots_answer(b"User-agent: *\nAllow: /\nContent-Usage: /art/ train-ai=n\n")
    (signal,) = AIPREF.read_host_file("/robots.txt", file, IMAGE, reading())
    assert (signal.where, signal.binding, signal.reason) == (Where.FILE, Binding.PATH, "aipref")
    assert (signal.rule, signal.raw) == (
        "aipref:robots:train-ai:L3",
        "Content-Usage: /art/ train-ai=n",
    )


@pytest.mark.parametrize(
    ("value", "path", "rest"),
    [
        ("/a/ train-ai=n", "/a/", "train-ai=n"),
        ("/a/\t\ttrain-ai=n, search=y", "/a/", "train-ai=n, search=y"),
        ("/a/", "/a/", ""),
        ("train-ai=n", "", "train-ai=n"),
        ("*.jpg train-ai=n", "", "*.jpg train-ai=n"),
    ],
)
def test_a_path_is_what_begins_with_a_slash(value: str, path: str, rest: str) -> None:
    assert split_path(value) == (path, rest)


@pytest.mark.parametrize(
    "line",
    [
        "Content-Usage: train-ai=" + " " * 16_000 + "x",
        "Content-Usage: train-ai" + " " * 16_000 + "x",
        "Content-Usage: " + "train-ai=\"'(" * 1300,
        "Content-Signal: ai-train=" + " " * 16_000 + "x",
        "Content-Signal: use" + "\t" * 16_000 + "x",
    ],
)
def test_a_megabyte_of_spaces_is_read_in_a_second(line: str) -> None:
    body = "User-agent: *\n" + f"{line}\n" * (MEGABYTE // (len(line) + 1))
    for protocol in GRANTING:
        assert cpu_seconds(lambda asked=protocol: said(asked, body), 1.0) < 1.0  # type: ignore[misc]


AGENTS = st.sampled_from(["*", "Kyodaku", "DemoBot", "GPTBot", "x, Kyodaku", ""]).flatmap(
    lambda name: st.sampled_from([f"User-agent: {name}", f"Useragent: {name}"])
)
LINES = st.one_of(
    st.sampled_from([*YES.values(), *NO.values(), "Allow: /", "Disallow: /x", "Content-Usage: search=y"]),
    st.sampled_from(
        ["Content-Usage: /art/ train-ai=y", "Content-Usage: /art/ train-ai=n", "Content-Signal: x"]
    ),
    st.text("abcn=y,;:/*$ \"'(-", max_size=20).map("Content-Usage: {}".format),
)
FILES = st.lists(st.one_of(AGENTS, LINES), max_size=10)


@given(FILES, st.integers(0, 10))
def test_a_no_to_our_name_counts_whatever_else_the_file_says(lines: list[str], at: int) -> None:
    for protocol in PROTOCOLS:
        group = ["Allow: /", "User-agent: Kyodaku", NO[protocol.name], "Allow: /"]
        body = "\n".join([*lines[:at], *group, *lines[at:]])
        found = said(protocol, body)
        longer = protocol is AIPREF and "Content-Usage: /art/ train-ai=y" in lines
        assert found == [Effect.RESERVED] or longer


@given(FILES)
def test_a_grant_stands_in_the_text_and_policy_is_never_more_open(lines: list[str]) -> None:
    body = "\n".join(lines)
    for protocol in GRANTING:
        strict, spec = said(protocol, body), said(protocol, body, reading("spec"))
        if strict == [Effect.PERMITTED]:
            assert YES[protocol.name].split(": ")[1] in body
            assert spec == [Effect.PERMITTED]
        if spec == [Effect.RESERVED]:
            assert strict == [Effect.RESERVED]


@given(st.binary(max_size=300))
def test_any_bytes_are_read(body: bytes) -> None:
    for protocol in PROTOCOLS:
        for mode in ("spec", "policy"):
            file = robots_answer(b"User-agent: *\nContent-Usage: " + body)
            assert len(protocol.read_host_file("/robots.txt", file, IMAGE, reading(mode))) <= 1  # type: ignore[arg-type]


@given(st.text(max_size=60))
def test_preferences_that_do_not_parse_hold_no_values(text: str) -> None:
    preferences = parse_preferences(text)
    assert preferences.valid or not preferences.values
    assert set(preferences.values.values()) <= {"y", "n"}


@pytest.mark.parametrize(
    "names", [("Kyodaku", "*"), ("*", "x, Kyodaku"), ("Kyodaku", "DemoBot"), ("", "GPTBot")]
)
def test_many_groups_are_read_in_a_second(names: tuple[str, str]) -> None:
    body = "".join(f"User-agent: {name}\nContent-Usage: search=y\n" * 4900 for name in names)
    assert cpu_seconds(lambda: said(AIPREF, body), 1.0) < 1.0


@pytest.mark.parametrize("mode", ["spec", "policy"])
@pytest.mark.parametrize(
    ("protocol", "yes", "filler", "no"),
    [
        (
            AIPREF,
            "Content-Usage: / train-ai=y",
            "Content-Usage: /x search=y",
            "Content-Usage: /art/ train-ai=n",
        ),
        (DISALLOW, "", "DisallowAITraining: /x", "DisallowAITraining: /art/"),
    ],
)
def test_lines_beyond_what_is_read_hold_the_host(
    protocol: Protocol, yes: str, filler: str, no: str, mode: Literal["spec", "policy"]
) -> None:
    body = "\n".join(["User-agent: *", yes, *[filler] * 10_000, no])
    assert said(protocol, body, reading(mode)) == []
    assert said(ROBOTS, body, reading(mode)) == [Effect.ERROR]
