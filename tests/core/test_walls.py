"""Which answers count as walls, and which do not."""

from __future__ import annotations

import pytest

from kyodaku.netguard import HostTable, NetPolicy, Target
from kyodaku.permission import Permission
from kyodaku.registry_client import EMPTY_SNAPSHOT
from kyodaku.rules import Rules
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.model import Fetched, Hop
from kyodaku.walls import find_wall, is_wall
from tests.crawler.scripted import recipe

PAGE = "http://a.example/page"
LOGIN = b'<html><title>Log in</title><form><input type="password"></form>'
CAPTCHA = b'<html><title>Just a moment...</title><div class="cf-turnstile"></div>'
PAYWALL = b'<script type="application/ld+json">{"isAccessibleForFree": false}</script><p>One line.</p>'
OPEN = b'<html><title>Pictures</title><img src="/x.png"><input type="password" name="log-in-box">'


def answer(status: int, body: bytes = b"<html><p>words</p>") -> Fetched:
    return Fetched(
        PAGE, PAGE, status, (("Content-Type", "text/html"),), body, True, None, 0.0, (Hop(PAGE, status),)
    )


def gates() -> Permission:
    table = HostTable({("a.example", None): Target("127.0.0.1", 1)})
    return Permission(Rules.from_recipe(recipe(), NetPolicy(host_table=table)), EMPTY_SNAPSHOT, lambda: 0.0)


@pytest.mark.parametrize("status", [401, 402, 403, 407])
def test_a_closed_door_is_a_wall(status: int) -> None:
    result = gates().g2(answer(status)).result
    assert not result.open
    assert is_wall(result.reason)


@pytest.mark.parametrize("body", [LOGIN, CAPTCHA, PAYWALL])
@pytest.mark.parametrize("status", [200, 403])
def test_a_wall_by_its_markup_is_one(body: bytes, status: int) -> None:
    result = gates().g2(answer(status, body)).result
    assert not result.open
    assert is_wall(result.reason)


@pytest.mark.parametrize("status", [404, 410, 418, 429, 451, 500, 503])
def test_other_closed_answers_are_no_walls(status: int) -> None:
    result = gates().g2(answer(status)).result
    assert not result.open
    assert not is_wall(result.reason)


def test_a_login_box_beside_the_content_is_no_wall() -> None:
    head = ResponseHead(PAGE, 200, (("Content-Type", "text/html"),), 0.0)
    assert find_wall(head, OPEN, redirected=False) is None
    assert gates().g2(answer(200, OPEN)).result.open
    assert not is_wall("")


def test_a_page_that_says_no_is_no_wall() -> None:
    result = gates().g2(answer(200, b'<meta name="robots" content="noai"><img src="/x.png">')).result
    assert result.verdict.value == "refuse"
    assert not is_wall(result.reason)
