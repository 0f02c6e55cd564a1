"""Response heads and the Link header."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyodaku.signals.carriers.headers import LinkValue, ResponseHead, parse_links
from tests.tools import cpu_seconds


def test_values_by_any_case_in_order() -> None:
    head = ResponseHead("https://a.example/", 200, (("X-A", "1"), ("x-a", "2"), ("B", "3")), 0.0)
    assert head.values("X-a") == ["1", "2"]
    assert head.first("b") == "3"
    assert head.first("c") is None
    assert head.digest() != ResponseHead("https://a.example/", 200, (("X-A", "1"),), 0.0).digest()


def test_links() -> None:
    head = ResponseHead(
        "https://a.example/",
        200,
        (
            ("Link", '<https://l.example/x,y>; rel="License  up"; TYPE="application/rsl+xml", </b>;rel=next'),
            ("link", '</c>; title="a \\"b\\", c"; rel=first; rel=last'),
        ),
        0.0,
    )
    assert head.links() == [
        LinkValue("https://l.example/x,y", ("license", "up"), (("type", "application/rsl+xml"),)),
        LinkValue("/b", ("next",), ()),
        LinkValue("/c", ("first",), (("title", 'a "b", c'),)),
    ]
    assert head.links()[0].parameter("type") == "application/rsl+xml"


@pytest.mark.parametrize("value", ["", "x", "<", "<a", "rel=next", "a>; rel=x", ";;;"])
def test_what_is_no_link(value: str) -> None:
    assert parse_links(value) == []


@given(st.text(st.sampled_from('<>;,="\\ relax'), max_size=60))
def test_links_never_raise(value: str) -> None:
    parse_links(value)


@pytest.mark.parametrize("piece", ["<a>;", "<a>;b", '<a>;b="', "<", " ", ";", '<a>;b="\\', "<a>; b = c"])
def test_a_megabyte_of_link_takes_less_than_a_second(piece: str) -> None:
    assert cpu_seconds(lambda: parse_links(piece * (1_000_000 // len(piece))), 1.0) < 1.0
