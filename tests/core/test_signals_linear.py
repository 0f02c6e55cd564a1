"""A megabyte made to hurt is read in less than a second, in every channel."""

from __future__ import annotations

import pytest

from tests.core.strategies import webp, xmp_packet
from tests.core.worlds import RSL, World, effect
from tests.tools import cpu_seconds

MEGABYTE = 1024 * 1024
LIMIT = 1.0

ROBOTS = {
    "one long line": b"Content-Usage: " + b"a" * MEGABYTE,
    "members without end": b"User-agent: *\nContent-Usage: " + b"train-ai=y, " * (MEGABYTE // 12),
    "agents without end": b"User-agent: x\n" * (MEGABYTE // 14),
    "preferences without end": b"User-agent: *\n" + b"Content-Usage: /a*b*c train-ai=n\n" * (MEGABYTE // 33),
    "signals without end": b"User-agent: *\n" + b"Content-Signal: ai-train=maybe\n" * (MEGABYTE // 31),
    "training rules without end": b"User-agent: *\n" + b"DisallowAITraining: /x*y*z$\n" * (MEGABYTE // 28),
    "stars": b"User-agent: *\nDisallowAITraining: /" + b"*a" * (MEGABYTE // 2),
    "licences without end": b"License: https://example.com/license.xml\n" * (MEGABYTE // 41),
    "parentheses": b"User-agent: *\nContent-Usage: " + b"(" * MEGABYTE,
}
TEXTS = {
    "brackets": b"[" * MEGABYTE,
    "braces": b'{"a":' * (MEGABYTE // 5),
    "entries": b"[" + b'{"location":"/a*b*c*d","tdm-reservation":2},' * (MEGABYTE // 45) + b"{}]",
    "stars": b'[{"location":"/' + b"*a" * (MEGABYTE // 2 - 40) + b'","tdm-reservation":1}]',
    "digits": b'[{"location":"/","tdm-reservation":' + b"1" * (MEGABYTE - 60) + b"}]",
    "rules": b"User-Agent: *\n" + b"Disallow: /a*b*c*d\n" * (MEGABYTE // 19),
    "globs": b"Spec-Version: 1.0\n" + b"Training-Deny: /*a*b*c\n" * (MEGABYTE // 23),
    "agents": b"Spec-Version: 1.0\n" + b"Agent: x\n  Training: allow\n" * (MEGABYTE // 28),
    "trust": b"datatrainingallowed=maybe\n" * (MEGABYTE // 26),
    "words": b"no ai no ai training n" * (MEGABYTE // 22),
}
XML = {
    "nesting": b"<a>" * (MEGABYTE // 3),
    "contents": f'<rsl xmlns="{RSL}">'.encode()
    + b'<content url="/*a*b"><license/></content>' * (MEGABYTE // 41),
    "tokens": f'<rsl xmlns="{RSL}"><content url="/"><license><permits type="usage">'.encode()
    + b"x " * (MEGABYTE // 2),
    "attributes": b"<rsl " + b"a" * (MEGABYTE - 10) + b">",
    "entities": b"<!DOCTYPE r [" + b'<!ENTITY a "x">' * (MEGABYTE // 15),
}
HTML = {
    "metas": "<meta name=robots content=x>" * (MEGABYTE // 29),
    "directives": '<meta name=robots content="' + "a:b," * (MEGABYTE // 4) + '">',
    "rights": '<meta name=copyright content="' + "no ai " * (MEGABYTE // 6) + '">',
    "scripts": '<script type="application/rsl+xml"><rsl>' * (MEGABYTE // 40),
    "words": "<p>" + "no a" * (MEGABYTE // 4),
}
HEADERS = ("Content-Usage", "Content-Signal", "X-Robots-Tag", "Link", "tdm-reservation", "tdm-policy")


def _seconds(world: World) -> float:
    return cpu_seconds(lambda: effect(world), LIMIT)


@pytest.mark.parametrize("name", ROBOTS)
def test_robots(name: str) -> None:
    assert _seconds(World(files={"/robots.txt": ROBOTS[name]})) < LIMIT


@pytest.mark.parametrize(
    "path", ["/.well-known/tdmrep.json", "/ai.txt", "/.well-known/ai.txt", "/.well-known/ai.json"]
)
@pytest.mark.parametrize("name", TEXTS)
def test_policy_files(name: str, path: str) -> None:
    assert _seconds(World(files={path: TEXTS[name]})) < LIMIT


@pytest.mark.parametrize("name", XML)
def test_documents(name: str) -> None:
    robots = b"License: https://example.com/license.xml\n"
    assert _seconds(World(files={"/robots.txt": robots}, document=XML[name])) < LIMIT


@pytest.mark.parametrize("name", HTML)
def test_pages(name: str) -> None:
    assert _seconds(World(html=HTML[name])) < LIMIT * 2  # asked as a page and as the page of one image


@pytest.mark.parametrize("piece", ["a", "a=", "(", '"', "train-ai=y,", "<a>;", ";", "a:b,"])
@pytest.mark.parametrize("name", HEADERS)
def test_headers(name: str, piece: str) -> None:
    value = piece * (64 * 1024 // len(piece))  # no answer has longer headers
    assert _seconds(World(image_headers=((name, value),), page_headers=((name, value),))) < LIMIT


@pytest.mark.parametrize("kind", ["attributes", "text", "nesting"])
def test_xmp(kind: str) -> None:
    inside = {
        "attributes": xmp_packet('xmpRights:UsageTerms="' + "no a" * (MEGABYTE // 4) + '"'),
        "text": xmp_packet("", "<cc:license>" + "x " * (MEGABYTE // 2) + "</cc:license>"),
        "nesting": xmp_packet("", "<cc:a>" * (MEGABYTE // 6)),
    }[kind]
    assert _seconds(World(image=webp((b"XMP ", inside)))) < LIMIT
