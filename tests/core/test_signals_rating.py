"""Ratings of pages: which words count, where they stand, and that nothing follows for training."""

from __future__ import annotations

import pytest

from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.carriers.html import parse_html
from kyodaku.signals.model import Binding, Effect
from kyodaku.signals.protocols.content_rating import ADULT, PROTOCOL
from tests.core.strategies import reading

LABEL = "RTA-5042-1996-1400-1577-RTA"
PAGE = "https://a.example/p"


@pytest.mark.parametrize(
    ("value", "adult"),
    [
        (LABEL, True),
        (LABEL.lower(), True),
        (f" {LABEL}, adult", True),
        ("adult", True),
        ("Mature", True),
        ("restricted", True),
        ("adults' favourite", False),
        ("general", False),
        ("safe for kids", False),
        ("14 years", False),
        ("", False),
        ("4.5 of 5", False),
    ],
)
def test_words_of_a_rating(value: str, adult: bool) -> None:
    html = f'<meta name="rating" content="{value}">'.encode()
    found = PROTOCOL.read_page(parse_html(html, "text/html", PAGE), None, reading("policy"))
    assert [signal.parsed for signal in found] == ([ADULT] if adult else [])
    head = ResponseHead(PAGE, 200, (("RATING", value),), 0.0)
    assert len(PROTOCOL.read_page_head(head, reading("policy"))) == adult
    (*said,) = PROTOCOL.read_image_head(head, reading("policy"))
    assert [(s.effect, s.binding) for s in said] == ([(Effect.SILENT, Binding.IMAGE)] if adult else [])


def test_another_meta_tag_is_no_rating() -> None:
    html = b'<meta name="description" content="adult"><meta itemprop="rating" content="adult"><p>adult</p>'
    assert PROTOCOL.read_page(parse_html(html, "text/html", PAGE), None, reading("policy")) == []


def test_a_page_says_it_once() -> None:
    html = b'<meta name="rating" content="adult">' * 50
    assert len(PROTOCOL.read_page(parse_html(html, "text/html", PAGE), None, reading("policy"))) == 1
