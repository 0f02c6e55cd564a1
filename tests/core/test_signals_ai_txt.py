"""ai.txt in its dialects, beside the vectors: sniffing, and what a grant takes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyodaku.signals.model import Binding, Effect, Fetched, FetchError, Signal
from kyodaku.signals.protocols.ai_txt import JSON, PROTOCOL, ROOT, WELL_KNOWN
from tests.core.strategies import IMAGE, reading

RANK = {Effect.PERMITTED: 0, Effect.SILENT: 1, Effect.ERROR: 2, Effect.RESERVED: 3}


def file(body: bytes, path: str = ROOT, complete: bool = True) -> Fetched:
    url = "https://example.com" + path
    error = None if complete else FetchError.RESET
    return Fetched(url, url, 200, (), body, complete, error, 1.0)


def said(body: bytes | str, mode: Any = "policy", path: str = ROOT, url: str = IMAGE) -> list[Signal]:
    body = body.encode("utf-8", "replace") if isinstance(body, str) else body
    return PROTOCOL.read_host_file(path, file(body, path), url, reading(mode))


def effect(*args: Any, **named: Any) -> Effect:
    return PROTOCOL.resolve(said(*args, **named))


# --------------------------------------------------------------------------- which dialect


@pytest.mark.parametrize("path", [ROOT, WELL_KNOWN])
@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("User-Agent: *\nDisallow: /\n", "ai-txt:disallow:L2"),
        ("User-Agent: *\nAllow: /\n", "ai-txt:allow:L2"),
        ("Training: deny\n", "ai-txt:training"),
        ("Spec-Version: 1.0\n", "ai-txt:training"),
        ('{"training": "deny"}', "ai-txt:training"),
        ("No AI training.", "ai-txt:words"),
        ("a\x00b", "ai-txt:unreadable"),
    ],
)
def test_the_dialect_is_seen_in_either_place(body: str, rule: str, path: str) -> None:
    (signal,) = said(body, path=path)
    assert signal.rule == rule
    assert signal.source_url == "https://example.com" + path


@pytest.mark.parametrize("path", [ROOT, WELL_KNOWN])
@pytest.mark.parametrize("body", ["", "\n", "hello", "<html>Training: deny", "# Training: deny", "{}"])
def test_what_is_in_no_dialect_says_nothing(body: str, path: str) -> None:
    assert said(body, path=path) == []


def test_reasons_and_bindings_tell_what_was_found() -> None:
    (path_rule,) = said("User-Agent: *\nDisallow: *.jpg\n")
    assert (path_rule.reason, path_rule.binding, path_rule.raw) == ("ai_txt", Binding.PATH, "Disallow: *.jpg")
    (words,) = said("No AI training.")
    assert (words.reason, words.binding) == ("ai_txt", Binding.HOST)
    (unreadable,) = said("{", path=JSON)
    assert (unreadable.effect, unreadable.reason) == (Effect.ERROR, "policy_file_unreadable")
    assert PROTOCOL.read_host_file("/robots.txt", file(b"Training: deny"), IMAGE, reading()) == []


def test_an_address_longer_than_any_is_not_compared() -> None:
    assert effect("User-Agent: *\nAllow: /\n", url="https://example.com/" + "a" * 20_000) is Effect.ERROR


# --------------------------------------------------------------------------- Spawning's

SPAWNING = st.lists(
    st.sampled_from(
        [
            "User-Agent: *",
            "User-Agent: Kyodaku",
            "User-Agent: GPTBot",
            "User-Agent: Other, DemoBot",
            "Disallow: *.jpg",
            "Disallow: *.JPG",
            "Disallow: /art/",
            "Disallow: *.png",
            "Disallow:",
            "Allow: *.jpg",
            "Allow: /",
            "Allow: /art/cat.jpg",
            "# Spawning AI",
            "",
        ]
    ),
    max_size=8,
)


@given(SPAWNING)
def test_spawning_by_policy_is_never_more_open_than_by_the_letter(lines: list[str]) -> None:
    body = "\n".join(lines)
    assert RANK[effect(body)] >= RANK[effect(body, "spec")]


@given(SPAWNING)
def test_a_last_group_that_bars_us_bars_whatever_came_before(lines: list[str]) -> None:
    added = "\n\nUser-Agent: Kyodaku\nDisallow: /art/cat.jpg\nDisallow: *cat.jpg$\n"
    longest = "Disallow: /art/cat.jpg$\n"
    assert effect("\n".join(lines) + added + longest) is Effect.RESERVED


@given(SPAWNING)
def test_spawning_grants_only_by_an_allow_line(lines: list[str]) -> None:
    for mode in ("spec", "policy"):
        if effect("\n".join(lines), mode) is Effect.PERMITTED:
            assert any(line.startswith("Allow:") for line in lines)


# --------------------------------------------------------------------------- draft-car-ai-txt-wellknown

CAR_LINES = (
    "Training: allow",
    "Training: deny",
    "Training: conditional",
    "Training: allow, mostly",
    "Training-Allow: /art/*",
    "Training-Allow: *",
    "Training-Deny: /art/",
    "Training-Deny: /x/",
    "Scraping: deny",
    "Scraping: allow",
    "Attribution: required",
    "Training-License: CC-BY-4.0",
    "Agent: *",
    "Agent: Kyodaku",
    "Agent: GPTBot",
    "Agent: Other",
    "Rate-Limit: 60/minute",
)
CAR = st.lists(
    st.tuples(st.sampled_from(["", "  ", "\t"]), st.sampled_from(CAR_LINES)).map("".join), max_size=8
)


@given(CAR)
def test_car_by_policy_is_never_more_open_than_by_the_letter(lines: list[str]) -> None:
    body = "\n".join(["Spec-Version: 1.0", *lines])
    assert RANK[effect(body)] >= RANK[effect(body, "spec")]


@given(CAR)
def test_car_grants_only_where_somebody_says_allow(lines: list[str]) -> None:
    for mode in ("spec", "policy"):
        if effect("\n".join(["Spec-Version: 1.0", *lines]), mode) is Effect.PERMITTED:
            stripped = {line.strip() for line in lines}
            assert stripped & {"Training: allow", "Training-Allow: /art/*", "Training-Allow: *"}


@given(CAR)
def test_a_refusal_of_the_site_or_of_our_own_block_is_never_lost(lines: list[str]) -> None:
    denied = ["Spec-Version: 1.0", "Training: deny", "Scraping: deny"]
    assert effect("\n".join([*denied, *lines])) is Effect.RESERVED
    own = ["Spec-Version: 1.0", *lines, "Agent: Kyodaku", "  Training: deny"]
    assert effect("\n".join(own)) is Effect.RESERVED


_WORDS = st.sampled_from(["allow", "deny", "conditional", "yes", 1, True, None, [], {}, ["allow", "deny"]])
_NAMES = st.sampled_from(
    ["specVersion", "training", "Training", "policies", "trainingPaths", "scraping", "agents", "content", "x"]
)
OBJECTS = st.recursive(
    _WORDS,
    lambda inner: st.dictionaries(_NAMES, inner, max_size=4) | st.lists(inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(_NAMES, OBJECTS, max_size=5))
def test_json_by_policy_is_never_more_open_and_grants_only_by_the_word(value: dict[str, Any]) -> None:
    body = json.dumps(value)
    found = {mode: effect(body, mode, path=JSON) for mode in ("spec", "policy")}
    assert RANK[found["policy"]] >= RANK[found["spec"]]
    if Effect.PERMITTED in found.values():
        assert '"allow"' in body


@given(
    st.dictionaries(_NAMES, OBJECTS, max_size=5),
    st.sampled_from(["Kyodaku", "demobot", "*", "Other, Kyodaku"]),
)
def test_json_that_denies_our_agent_reserves_whatever_else_it_says(value: dict[str, Any], name: str) -> None:
    for statement in ("deny", {"training": "deny"}, ["deny"], {"policies": {"training": "deny"}}):
        body = json.dumps({**value, "training": "allow", "agents": {name: statement}})
        assert effect(body, path=JSON) is Effect.RESERVED


@pytest.mark.parametrize("depth", [10, 300, 900, 5000, 100_000])
@pytest.mark.parametrize("name", ["training", "policies", "agents", "trainingDeny", "scraping"])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"training":', "}")])
def test_nesting_never_breaks_the_reader(depth: int, name: str, opening: str, closing: str) -> None:
    inner = opening * depth + "1" + closing * depth
    body = f'{{"specVersion":"1.0","{name}":{inner}}}'
    for mode in ("spec", "policy"):
        assert effect(body, mode, path=JSON) in (Effect.RESERVED, Effect.ERROR)


@given(st.binary(max_size=300), st.sampled_from([ROOT, WELL_KNOWN, JSON]))
def test_any_bytes_are_read_without_a_grant(body: bytes, path: str) -> None:
    for mode in ("spec", "policy"):
        assert Effect.PERMITTED not in {signal.effect for signal in said(body, mode, path)}
    broken = PROTOCOL.read_host_file(path, file(body, path, complete=False), IMAGE, reading())
    assert [signal.effect for signal in broken] == [Effect.ERROR]
