"""Sites without an end. Budgets stop them; a host that serves one picture everywhere is a decoy.

Their candidates cannot be listed, so nothing here states an expectation. Calendar and sessions license
nothing, so a crawl releases nothing of theirs; the decoy licenses all, so that its host is what stops it.
"""

from __future__ import annotations

from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

from tests.web import art
from tests.web.html import render_page
from tests.web.model import NOT_FOUND, Figure, Handler, Page, Reply, Site, markup
from tests.web.pictures import painted
from tests.web.server import Visit

_JPEG = (("Content-Type", "image/jpeg"),)


def sites() -> list[Site]:
    """Every trap."""
    return [calendar(), sessions(), decoy()]


def _trap(name: str, shows: str, fallback: Handler) -> Site:
    robots = "User-agent: *\nDisallow:\n"
    return Site(name, shows, robots=robots, fallback=fallback, trap=True)


def calendar() -> Site:
    """Every month links to the next and the one before, and shows a picture of its own."""

    async def month(visit: Visit) -> Reply:
        parts = urlsplit(visit.request.path)
        if parts.path.startswith("/pictures/"):
            return Reply(painted(f"calendar{parts.path}", (320, 260)).render(), headers=_JPEG)
        if parts.path not in ("/", "/calendar"):
            return NOT_FOUND
        number = int(parse_qs(parts.query).get("month", ["0"])[0])
        figure = Figure(f"/pictures/{number}.jpg", f"The picture of month {number}", licence="", expect=None)
        links = [f"/calendar?month={number + step}" for step in (1, -1)]
        return markup(render_page(Page("", f"Month {number}", (figure,), links)))

    return _trap("calendar.example", "a calendar without an end: each month leads to the next", month)


def sessions() -> Site:
    """Three pages under ever new session ids: the same words and pictures at endless addresses."""

    async def page(visit: Visit) -> Reply:
        parts = urlsplit(visit.request.path)
        room = parts.path.strip("/") or "hall"
        if room.endswith(".jpg"):
            return Reply(
                painted(f"sessions/{room}", (400, 300), motif=art.still_life).render(), headers=_JPEG
            )
        if room not in ("hall", "east", "west"):
            return NOT_FOUND
        session = sha256(visit.request.path.encode()).hexdigest()[:16]
        figure = Figure(f"/{room}.jpg?sid={session}", f"The {room} of the house", licence="", expect=None)
        links = [f"/{name}?sid={session}" for name in ("hall", "east", "west")]
        return markup(render_page(Page("", f"The {room}", (figure,), links)))

    return _trap("sessions.example", "a session id in every address, new at every click", page)


def decoy() -> Site:
    """Any address is a page with ten pictures, and every picture is the same."""
    same = painted("decoy", (400, 300), motif=art.abstract).render

    async def anything(visit: Visit) -> Reply:
        path = urlsplit(visit.request.path).path
        if path == "/robots.txt":
            return NOT_FOUND
        if path.endswith(".jpg"):
            return Reply(same(), headers=_JPEG)
        base = sha256(path.encode()).hexdigest()[:8]
        figures = [
            Figure(f"/{base}-{number}.jpg", f"Unique artwork {base}-{number}", expect=None)
            for number in range(10)
        ]
        return markup(render_page(Page("", f"Gallery {base}", figures, [f"/{base}-{n}" for n in range(3)])))

    return _trap("decoy.example", "the same picture under every address", anything)
