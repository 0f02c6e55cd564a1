"""X-Robots-Tag and robots meta: the grammar they share, and where their signals point."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyodaku.reasons import HoldReason, RefuseReason
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.carriers.html import parse_html
from kyodaku.signals.model import Binding, Effect, Signal, Where
from kyodaku.signals.protocols import meta_robots, x_robots_tag
from kyodaku.signals.protocols.directives import Directive, asks_nofollow, findings, parse_directives
from tests.core.strategies import reading
from tests.tools import cpu_seconds

URL = "https://cdn.example/a.jpg"
_WORDS = st.sampled_from(
    [
        "noai",
        "NoImageAI",
        "noindex",
        "none",
        "all",
        "index",
        "kyodaku:",
        "googlebot:",
        "GPTBot:",
        ":",
        ";",
        " ",
        "unavailable_after:",
        "25 Jun 2020 15:00:00 PST",
        "max-snippet:-1",
        "max-image-preview: large",
        "é",
        "\x00",
    ]
)
TEXT = st.lists(st.one_of(_WORDS, st.just(","), st.text(max_size=5)), max_size=15).map("".join)


def head(*values: str) -> ResponseHead:
    return ResponseHead(URL, 200, tuple(("x-ROBOTS-tag", value) for value in values), 5.0)


def test_the_grammar() -> None:
    date = "Tue, 25 Jun 2030 15:00:00 GMT"
    text = f"noindex, googlebot: noai, max-snippet: 5, Bot: Unavailable_After: {date}, noml"
    assert list(parse_directives(text)) == [
        Directive("", "noindex"),
        Directive("googlebot", "noai"),
        Directive("googlebot", "max-snippet", "5"),
        Directive("bot", "unavailable_after", date),
        Directive("bot", "noml"),
    ]


def test_signals_of_a_header_say_what_they_speak_about() -> None:
    (signal,) = x_robots_tag.PROTOCOL.read_image_head(head("max-image-preview:large, NoAI"), reading())
    assert (signal.where, signal.binding, signal.effect) == (Where.HEADER, Binding.IMAGE, Effect.RESERVED)
    assert signal.raw == "X-Robots-Tag: max-image-preview:large, NoAI"
    assert (signal.rule, signal.reason) == ("x-robots-tag:noai", "x_robots_tag")
    assert (signal.source_url, signal.fetched_at) == (URL, 5.0)
    (spread,) = x_robots_tag.PROTOCOL.read_page_head(head("noai"), reading())
    assert spread.binding is Binding.PAGE


def test_signals_of_markup_speak_about_the_page() -> None:
    page = parse_html(b"<meta name=GPTBot content='noai, noindex'>", "text/html", "https://a.example/")
    signals = meta_robots.PROTOCOL.read_page(page, None, reading())
    assert [(signal.rule, signal.reason) for signal in signals] == [
        ("meta-robots:noai", "meta_robots"),
        ("meta-robots:noindex", "meta_robots"),
    ]
    assert {signal.binding for signal in signals} == {Binding.PAGE}
    assert meta_robots.PROTOCOL.read_page(page, "https://a.example/i.jpg", reading()) == signals


def test_the_shield_that_a_date_gives_ends_when_it_has_passed() -> None:
    (coming,) = findings("unavailable_after: 2026-11-21", reading())
    assert (coming.effect, coming.reason) == (Effect.SILENT, "")
    assert [f.effect for f in findings("unavailable_after: 2026-11-19", reading())] == [Effect.RESERVED]
    (unclear,) = findings("unavailable_after: soon", reading())
    assert (unclear.effect, unclear.reason) == (Effect.ERROR, HoldReason.SIGNAL_UNREADABLE.value)


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("unavailable_after: 25 Jun 2030 15:00:00 PST", "2030-06-25T23:00:00+00:00"),
        ("GPTBot: unavailable_after: 2030-06-25", "2030-06-25T00:00:00+00:00"),
        ("unavailable_after: Tue, 25 Jun 2030 15:00:00 GMT; max-snippet:-1", "2030-06-25T15:00:00+00:00"),
    ],
)
def test_a_date_to_come_is_kept_for_the_day_it_passes(text: str, date: str) -> None:
    (signal,) = x_robots_tag.PROTOCOL.read_image_head(head(text), reading())
    page = parse_html(f"<meta name=robots content='{text}'>".encode(), "text/html", "https://a.example/")
    (in_markup,) = meta_robots.PROTOCOL.read_page(page, None, reading())
    for found in (signal, in_markup):
        assert (found.effect, found.reason, found.parsed) == (Effect.SILENT, "", date)
        assert found.rule.endswith(":unavailable_after")
    assert x_robots_tag.PROTOCOL.read_image_head(head(text), reading("spec")) == []


@pytest.mark.parametrize("date", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"])
def test_a_date_beyond_the_calendar_is_unreadable(date: str) -> None:
    assert [f.effect for f in findings(f"unavailable_after: {date}", reading())] == [Effect.ERROR]


@pytest.mark.parametrize(
    "text",
    [
        "max-image-preview:large; noai",
        "max-image-preview:large noai",
        "max-snippet:-1 noai",
        "max-snippet:-1; max-image-preview:none; noai",
        "index; follow; max-snippet:-1; noai",
        "noai; max-snippet:-1",
        "noai max-image-preview: large",
        "max-snippet:-1, noai; max-image-preview:large",
        "max-snippet: noai",
        "max-image-preview:large/noai",
        "unavailable_after: 25 Jun 2030 15:00:00 PST; noai",
        "unavailable_after: 25 Jun 2030 15:00:00 PST noai",
        "unavailable_after: Tue, 25 Jun 2030 15:00:00 GMT; noai",
        "unavailable_after: 2030-01-01 noai",
        "unavailable_after: 2030-01-01 none",
        "unavailable_after: soon; noai",
        "unavailable_after: 2030-01-01; googlebot: index; Kyodaku: noai",
        "googlebot: noindex; GPTBot: noai",
        "noindex; googlebot: index",
        "max-snippet:-1 at 15:00, noindex",
        "googlebot: max-snippet:-1; Kyodaku: index, noai",
        "GPTBot; Googlebot: noai",
        "index: noai",
    ],
)
def test_no_rule_is_lost_behind_a_space_or_a_semicolon(text: str) -> None:
    assert Effect.RESERVED in [finding.effect for finding in findings(text, reading())]
    assert Effect.RESERVED not in [finding.effect for finding in findings(text, reading("spec"))]


@pytest.mark.parametrize(
    "text",
    [
        "max-image-preview:none",
        "max-image-preview: none; max-snippet:-1",
        "max-snippet:-1 max-image-preview:none max-video-preview:0",
        "googlebot: max-snippet:-1; noai",
        "index; follow; max-image-preview:large",
    ],
)
def test_values_and_others_rules_are_no_refusal(text: str) -> None:
    assert findings(text, reading()) == []


def test_nofollow_of_header_and_markup() -> None:
    page = parse_html(b"<meta name=Kyodaku content='index,nofollow'>", "text/html", "https://a.example/")
    plain = parse_html(b"<meta name=googlebot content=nofollow>", "text/html", "https://a.example/")
    assert asks_nofollow(None, page, reading())
    assert not asks_nofollow(None, plain, reading())
    assert asks_nofollow(head("none"), plain, reading())
    assert asks_nofollow(head("noindex nofollow"), None, reading())
    assert not asks_nofollow(head("googlebot: nofollow"), None, reading())


@given(TEXT)
def test_no_text_raises_or_grants(text: str) -> None:
    reasons = {
        Effect.RESERVED: RefuseReason.X_ROBOTS_TAG.value,
        Effect.ERROR: HoldReason.SIGNAL_UNREADABLE.value,
        Effect.SILENT: "",
    }
    for mode in ("spec", "policy"):
        for signal in x_robots_tag.PROTOCOL.read_image_head(head(text), reading(mode)):  # type: ignore[arg-type]
            assert signal.reason == reasons[signal.effect]
            assert signal.effect is not Effect.SILENT or signal.rule.endswith(":unavailable_after")


@given(st.lists(TEXT, max_size=4), st.randoms())
def test_the_order_of_lines_does_not_matter(lines: list[str], random: object) -> None:
    def said(values: list[str]) -> set[Signal]:
        found = x_robots_tag.PROTOCOL.read_image_head(head(*values), reading())
        return {Signal(**{**signal.__dict__, "digest": ""}) for signal in found}

    shuffled = list(lines)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert said(lines) == said(shuffled)


@given(TEXT, st.sampled_from(["noai", "noimageai", "noindex", "noml"]))
def test_a_refusing_line_more_always_refuses(text: str, word: str) -> None:
    signals = x_robots_tag.PROTOCOL.read_image_head(head(text, word), reading())
    assert Effect.RESERVED in {signal.effect for signal in signals}


@pytest.mark.parametrize(
    "lines",
    [["a" * 16_400 + ", noai"], ["googlebot: noindex"] * 64 + ["noai"]],
    ids=["a long line", "many lines"],
)
def test_what_is_beyond_a_limit_holds(lines: list[str]) -> None:
    for mode in ("spec", "policy"):
        (signal,) = x_robots_tag.PROTOCOL.read_image_head(head(*lines), reading(mode))  # type: ignore[arg-type]
        assert (signal.effect, signal.reason) == (Effect.ERROR, HoldReason.SIGNAL_UNREADABLE.value)
    page = parse_html(
        f"<meta name=robots content='{' ' * 20_000}index{',' * 20_000}noai'>".encode(),
        "text/html",
        "https://a.example/",
    )
    (in_markup,) = meta_robots.PROTOCOL.read_page(page, None, reading())
    assert (in_markup.effect, in_markup.reason) == (Effect.ERROR, HoldReason.SIGNAL_UNREADABLE.value)


def test_a_refusal_within_the_limit_is_read_all_the_same() -> None:
    found = findings("noai," + "a" * 20_000, reading())
    assert [finding.effect for finding in found] == [Effect.RESERVED, Effect.ERROR]


@pytest.mark.parametrize("piece", ["a:", ",", "unavailable_after:,", "noai "])
def test_a_megabyte_of_header_takes_less_than_a_second(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))

    def work() -> None:
        findings(text, reading())
        x_robots_tag.PROTOCOL.read_image_head(head(*[text[:1000]] * 1000), reading())

    assert cpu_seconds(work, 1.0) < 1.0


@pytest.mark.parametrize(
    "text",
    ["no ai", "No  Image-AI", "no\u200bai", "ｎｏａｉ", "no\u2011ai", "n\u2060o\ufe0fa\u00adi", "no index"],
)
def test_a_refusal_in_disguise_refuses_in_markup_and_in_headers(text: str) -> None:
    for written in (text, text.encode().decode("latin-1")):
        assert [finding.effect for finding in findings(written, reading())] == [Effect.RESERVED]
        assert findings(written, reading("spec")) == []


@pytest.mark.parametrize("text", ["nomad, air", "noble airs", "casino aid", "no air", "inoai"])
def test_words_that_only_look_alike_are_silent(text: str) -> None:
    assert findings(text, reading()) == []


def test_text_that_grows_when_made_plain_is_not_cut_in_silence() -> None:
    grows = "\ufdfa" * 3_000 + ", noai"
    assert Effect.ERROR in [finding.effect for finding in findings(grows, reading())]


@pytest.mark.parametrize("unit", ["no ", "no-", "\u200b", "ｎｏ ", "noimage "])
def test_plain_text_takes_linear_time(unit: str) -> None:
    assert cpu_seconds(lambda: findings(unit * (1_000_000 // len(unit)), reading()), 1.0) < 1.0


@pytest.mark.parametrize(
    "tag", ["<meta name=noai>", "<meta name=no-ai content=0>", "<meta name=robots value=noai>"]
)
def test_a_word_in_the_wrong_place_of_a_tag_refuses_by_policy(tag: str) -> None:
    page = parse_html(tag.encode(), "text/html", "https://a.example/")
    effects = [s.effect for s in meta_robots.PROTOCOL.read_page(page, None, reading())]
    assert effects == [Effect.RESERVED]
    assert meta_robots.PROTOCOL.read_page(page, None, reading("spec")) == []


@pytest.mark.parametrize(
    ("text", "effect"),
    [
        ("unavailable-after: 2020-01-01", Effect.RESERVED),
        ("unavailable_after=2020-01-01", Effect.RESERVED),
        ("unavailable after: 1 Jan 2020 00:00:00 GMT", Effect.RESERVED),
        ("unavailable-after: 2030-01-01", Effect.SILENT),
    ],
)
def test_the_date_has_its_name_in_other_spellings_too(text: str, effect: Effect) -> None:
    assert [finding.effect for finding in findings(text, reading())] == [effect]
    assert findings(text, reading("spec")) == []
