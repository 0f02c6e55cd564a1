"""Walls and bad days: logins, challenges, payment, rate limits, servers that recover and that do not."""

from __future__ import annotations

import json

from kyodaku.reasons import FailReason, HoldReason, Reason
from tests.web import art
from tests.web.model import Figure, Handler, Page, Reply, Route, Site, ends, markup, redirect
from tests.web.pictures import painted
from tests.web.server import Visit, page_reply

_FORM = '<form method="post" action="/login"><input name="user"><input type="password" name="secret"></form>'
_CHALLENGE = (
    "<!doctype html><html><head><title>Just a moment...</title></head><body><h1>Checking your browser</h1>"
    '<form id="challenge-form" action="/cdn-cgi/challenge"><div class="h-captcha"></div></form>'
    '<script src="https://js.hcaptcha.com/1/api.js"></script></body></html>'
)


def sites() -> list[Site]:
    """Every walled or failing site."""
    return [login(), members(), captcha(), challenge(), paywall(), throttled(), flaky()]


def first_then(first: Reply, then: Reply, times: int = 1) -> Handler:
    """`first` for the first `times` visits of a URL, afterwards `then`."""

    async def answer(visit: Visit) -> Reply:
        return first if visit.visits() <= times else then

    return answer


def login() -> Site:
    """The home page is open, the gallery redirects to a form that asks for a password."""
    lobby = Figure("/lobby.jpg", "The lobby, open to all", painted("login/lobby", motif=art.still_life))
    return Site(
        "login.example",
        "a gallery behind a login form",
        pages=(
            Page("/", "The lobby", (lobby,), ("/gallery",)),
            Page("/login", "Please log in", words=_FORM, expect_page=HoldReason.LOGIN_WALL),
        ),
        routes={"/gallery": redirect("/login?next=/gallery"), "/login?next=/gallery": markup(_FORM)},
    )


def members() -> Site:
    """Three pages in a row answer 401: the host is held, so the fourth page is not asked for."""

    def page(name: str, reason: Reason, status: int = 401) -> Page:
        return Page(f"/{name}", f"Room {name}", status=status, expect_page=reason)

    rooms = [page(name, HoldReason.PAGE_FORBIDDEN) for name in ("a", "b", "c")]
    return Site(
        "members.example",
        "three pages in a row answer 401",
        pages=(
            Page("/", "Members only", links=("/a", "/b", "/c", "/d")),
            *rooms,
            page("d", HoldReason.WALLED_HOST, 200),
        ),
    )


def captcha() -> Site:
    """403 with the markup of a challenge, on every page."""
    return Site(
        "captcha.example",
        "a challenge page with status 403",
        robots="User-agent: *\nDisallow:\n",
        pages=(Page("/", "Pictures", expect_page=HoldReason.CAPTCHA_WALL),),
        routes={"/": markup(_CHALLENGE, 403, ("cf-mitigated", "challenge"))},
    )


def challenge() -> Site:
    """The same challenge with status 200."""
    return Site(
        "challenge.example",
        "a challenge page with status 200",
        pages=(Page("/", "Pictures", expect_page=HoldReason.CAPTCHA_WALL),),
        routes={"/": markup(_CHALLENGE)},
    )


def paywall() -> Site:
    """schema.org says that the page is not free."""
    claim = {"@context": "https://schema.org", "@type": "Article", "isAccessibleForFree": False}
    teaser = Figure("/teaser.jpg", "The teaser of an article that costs", painted("paywall/teaser"))
    return Site(
        "paywall.example",
        "an article that schema.org calls not accessible for free",
        pages=(
            Page(
                "/",
                "Subscribe to read on",
                (teaser,),
                head=f'<script type="application/ld+json">{json.dumps(claim)}</script>',
                expect_page=HoldReason.PAYMENT_WALL,
            ),
        ),
    )


def _image(label: str) -> Reply:
    return Reply(painted(label).render, headers=(("Content-Type", "image/jpeg"),))


def throttled() -> Site:
    """429 with Retry-After: once, and for ever."""
    busy = Reply(b"", 429, (("Retry-After", "1"),))
    return Site(
        "throttled.example",
        "429 with Retry-After on images",
        pages=(
            Page(
                "/",
                "Busy",
                (
                    Figure("/later.jpg", "A picture that comes at the second try"),
                    Figure(
                        "/never.jpg", "A picture that never comes", expect=ends(HoldReason.IMAGE_RATE_LIMITED)
                    ),
                ),
            ),
        ),
        routes={"/later.jpg": first_then(busy, _image("throttled/later")), "/never.jpg": busy},
    )


def flaky() -> Site:
    """A server that recovers, and every status that an image may answer instead of a picture."""
    cases: tuple[tuple[str, int, Reason], ...] = (
        ("gone", 404, FailReason.NOT_FOUND),
        ("away", 410, FailReason.NOT_FOUND),
        ("teapot", 418, FailReason.HTTP_STATUS),
        ("forbidden", 403, HoldReason.IMAGE_FORBIDDEN),
        ("down", 500, HoldReason.IMAGE_UNREACHABLE),
    )
    failing = tuple(
        Figure(f"/{name}.jpg", f"A picture that answers {status}", expect=ends(reason))
        for name, status, reason in cases
    )
    routes: dict[str, Route] = {f"/{name}.jpg": Reply(b"", status) for name, status, _ in cases}
    down = Reply(b"", 503)
    routes["/well.jpg"] = first_then(down, _image("flaky/well"))
    recovered = Page("/recovered", "Well again", (Figure("/page.jpg", "On a page that came back"),))
    return Site(
        "flaky.example",
        "503 once and then well, on a page and an image; images that answer 404, 410, 418, 403, 500",
        pages=(
            Page(
                "/",
                "A bad day",
                (Figure("/well.jpg", "A picture of a server that recovers"), *failing),
                ("/recovered",),
            ),
            recovered,
        ),
        routes={
            **routes,
            "/page.jpg": _image("flaky/page"),
            "/recovered": first_then(down, page_reply(recovered)),
        },
    )
