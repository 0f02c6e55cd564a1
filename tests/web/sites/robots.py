"""Hosts whose robots.txt fails in every way the specification lists, and a page with a picture of each.

The pages of `borrowed.example` are open and in figures licensed CC0, so what ends each candidate is the
robots.txt of the picture's own host.
"""

from __future__ import annotations

import asyncio

from kyodaku.reasons import HoldReason, Reason, RefuseReason
from tests.web.model import (
    Expected,
    Figure,
    Page,
    Reply,
    Route,
    Site,
    ends,
    markup,
    redirect,
    text,
)
from tests.web.pictures import painted
from tests.web.server import Visit

BORROWER = "borrowed.example"
_MEGABYTE = 1 << 20


def sites() -> list[Site]:
    """Every host, and the page that borrows from them."""
    hosts = [*_failing_hosts(), huge(), wrong_name(), dead()]
    return [borrower(hosts), *hosts]


async def _never(visit: Visit) -> None:
    """Accepts the request and says nothing."""
    await asyncio.sleep(3600)


async def _reset(visit: Visit) -> None:
    visit.abort()


async def _half(visit: Visit) -> None:
    """Promises more than it sends, then closes: the part that came would let us in."""
    await visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5000\r\n\r\n")
    await visit.send(b"User-agent: *\nAllow: /\n")


def _million_rules() -> bytes:
    return b"User-agent: *\n" + b"".join(b"Disallow: /%d\n" % number for number in range(1_000_000))


def _failing_hosts() -> list[Site]:
    rules = Reply(_million_rules, headers=(("Content-Type", "text/plain"),))
    html = markup("<!doctype html><html><head><title>Welcome</title></head><body>Welcome.</body></html>")
    cases: list[tuple[str, str, Route, Reason]] = [
        ("robots-500", "robots.txt answers 500", text("", 500), HoldReason.ROBOTS_UNREACHABLE),
        ("robots-503", "robots.txt answers 503", text("", 503), HoldReason.ROBOTS_UNREACHABLE),
        ("robots-timeout", "robots.txt never answers", _never, HoldReason.ROBOTS_UNREACHABLE),
        ("robots-reset", "robots.txt resets the connection", _reset, HoldReason.ROBOTS_UNREACHABLE),
        ("robots-half", "robots.txt breaks off in the middle", _half, HoldReason.ROBOTS_UNREACHABLE),
        ("robots-html", "a web page in place of robots.txt", html, HoldReason.ROBOTS_NOT_TEXT),
        (
            "robots-utf16",
            "robots.txt in UTF-16, where no line reads as a rule",
            text("User-agent: *\nDisallow: /\n".encode("utf-16")),
            HoldReason.ROBOTS_NOT_TEXT,
        ),
        ("robots-rules", "a million rules", rules, HoldReason.ROBOTS_TOO_COMPLEX),
        ("robots-401", "robots.txt answers 401", text("", 401), HoldReason.ROBOTS_FORBIDDEN),
        ("robots-403", "robots.txt answers 403", text("", 403), HoldReason.ROBOTS_FORBIDDEN),
        (
            "robots-429",
            "robots.txt answers 429",
            text("", 429, ("Retry-After", "1")),
            HoldReason.ROBOTS_RATE_LIMITED,
        ),
        ("robots-402", "robots.txt answers 402", text("", 402), RefuseReason.ROBOTS_PAYMENT),
        ("robots-451", "robots.txt answers 451", text("", 451), HoldReason.ROBOTS_LEGAL),
        (
            "robots-loop",
            "robots.txt redirects to itself",
            redirect("/robots.txt"),
            HoldReason.ROBOTS_REDIRECTS,
        ),
        (
            "robots-inside",
            "robots.txt redirects to a metadata address",
            redirect("http://169.254.169.254/robots.txt"),
            HoldReason.ROBOTS_REDIRECTS,
        ),
    ]
    return [
        Site(
            f"{name}.example",
            shows,
            robots=robots,
            pages=(Page("/", "A page that nobody may read", (_picture(name, ends(reason)),)),),
            seed=name in ("robots-500", "robots-timeout", "robots-html", "robots-401"),
            expect_host=reason,
        )
        for name, shows, robots, reason in cases
    ] + [six_hops()]


def _picture(name: str, expect: Expected) -> Figure:
    return Figure("/view.jpg", f"A picture on {name}.example", painted(name), expect=expect)


def six_hops() -> Site:
    """One redirect more than RFC 9309 asks us to follow.

    No `expect_host`: that is for hosts where nothing but robots.txt may be asked for, and here are hops.
    """
    hops: dict[str, Route] = {f"/r{number}": redirect(f"/r{number + 1}") for number in range(1, 6)}
    return Site(
        "robots-six-hops.example",
        "robots.txt behind six redirects",
        robots=redirect("/r1"),
        pages=(Page("/", "Six hops", (_picture("robots-six-hops", ends(HoldReason.ROBOTS_REDIRECTS)),)),),
        routes={**hops, "/r6": text("User-agent: *\nDisallow:\n")},
        seed=False,
    )


def huge() -> Site:
    """10 MB of comments after the rules: what stands in the first MiB holds, the rest is not read."""

    def body() -> bytes:
        line = b"# " + b"filler " * 14 + b"\n"
        return b"User-agent: *\nDisallow: /private/\n" + line * (10 * _MEGABYTE // len(line))

    return Site(
        "robots-huge.example",
        "a robots.txt of 10 MB whose rules come first",
        robots=Reply(body, headers=(("Content-Type", "text/plain"),)),
        pages=(
            Page(
                "/",
                "Much to read",
                (
                    Figure("/view.jpg", "A picture below 10 MB of rules", painted("robots-huge")),
                    Figure(
                        "/private/view.jpg",
                        "A picture that the first line bars",
                        painted("robots-huge/private"),
                        expect=ends(RefuseReason.ROBOTS_DISALLOW),
                    ),
                ),
            ),
        ),
        seed=False,
    )


def wrong_name() -> Site:
    """TLS with another host's certificate: nothing it says counts."""
    return Site(
        "wrong-name.example",
        "a certificate for another name",
        scheme="https",
        certificate_for="somebody-else.example",
        pages=(Page("/", "Who", (_picture("wrong-name", ends(HoldReason.ROBOTS_UNREACHABLE)),)),),
        expect_host=HoldReason.ROBOTS_UNREACHABLE,
    )


def dead() -> Site:
    """Nobody listens."""
    return Site(
        "dead.example",
        "refuses connections",
        pages=(Page("/", "Nobody", (_picture("dead", ends(HoldReason.ROBOTS_UNREACHABLE)),)),),
        seed=False,
        reachable=False,
        expect_host=HoldReason.ROBOTS_UNREACHABLE,
    )


def borrower(hosts: list[Site]) -> Site:
    """Shows the pictures of the other hosts on its own open pages."""
    figures = [
        Figure(host.url(figure.src), figure.alt, expect=figure.expect)
        for host in hosts
        for page in host.pages
        for figure in page.figures
    ]
    halves = (figures[: len(figures) // 2], figures[len(figures) // 2 :])
    return Site(
        BORROWER,
        "an open page with pictures of hosts whose robots.txt fails",
        pages=(
            Page("/", "Borrowed pictures", links=("/1", "/2")),
            Page("/1", "Borrowed pictures, first half", halves[0], ("/",)),
            Page("/2", "Borrowed pictures, second half", halves[1], ("/",)),
        ),
    )
