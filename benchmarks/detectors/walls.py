"""Followers only: pages behind a login, as sites answer a stranger, and open pages with a login box."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.walls import find_wall

_PAGE = "https://gallery.example/works/17"
_PICTURE = "/media/17-full.jpg"


@dataclass(frozen=True)
class Answer:
    """What a stranger gets who asks for a page. `walled`: the work is for followers."""

    url: str
    status: int
    body: str
    redirected: bool
    walled: bool

    @property
    def noticed(self) -> bool:
        """Whether the page is held: by its status, or as a wall."""
        head = ResponseHead(self.url, self.status, (("Content-Type", "text/html"),), 0.0)
        closed = self.status in (401, 402, 403, 407)
        return closed or find_wall(head, self.body.encode(), redirected=self.redirected) is not None

    @property
    def shows_the_work(self) -> bool:
        """Whether the address of the work stands in the answer, so that a crawler could ask for it."""
        return self.status == 200 and _PICTURE in self.body


_FORM = '<form action="/session" method="post"><input name="u"><input type="password" name="p"></form>'
_SAID = (
    ("en", "Log in", "This account's posts are protected. Only approved followers can see them."),
    ("en", "Followers only", "This post is for followers. Sign up to see more."),
    ("ja", "ログイン", "この作品はフォロワー限定です。ログインしてください。"),
    ("ja", "鍵アカウント", "このアカウントのポストは非公開です。"),
    ("de", "Anmelden", "Nur für Freunde sichtbar. Bitte melde dich an."),
)


def walled() -> Iterator[Answer]:
    """Statuses, redirects, forms and plain words, in five wordings; a blurred preview beside some."""
    preview = ("", '<img src="/media/17-blurred.jpg" alt="preview">')
    ways = (
        (401, _PAGE, False, ""),
        (403, _PAGE, False, _FORM),
        (200, "https://gallery.example/login?next=/works/17", True, _FORM),
        (200, "https://id.example/auth/realms/a?to=17", True, "<div id=root></div>"),
        (200, _PAGE, False, _FORM),
        (200, _PAGE, False, ""),
    )
    for (lang, title, words), (status, url, redirected, form), image in product(_SAID, ways, preview):
        html = f"<html lang={lang}><title>{title}</title><p>{words}</p>{image}{form}</html>"
        yield Answer(url, status, html, redirected, True)


def leaky() -> Iterator[Answer]:
    """Sites that hide the work by a script and name its address in the page all the same."""
    for lang, title, words in _SAID:
        for named in (f'<meta property="og:image" content="{_PICTURE}">', f'<img hidden src="{_PICTURE}">'):
            html = f"<html lang={lang}><title>{title}</title>{named}<p>{words}</p></html>"
            yield Answer(_PAGE, 200, html, False, True)


def opened() -> Iterator[Answer]:
    """Open pages of the same gallery, a login box in their heads."""
    for number in range(60):
        pictures = "".join(f'<img src="/media/{number}-{n}.jpg">' for n in range(1 + number % 4))
        box = _FORM if number % 2 else '<a href="/login">Log in</a>'
        html = f"<html><title>Work {number}</title>{box}<h1>Work {number}</h1>{pictures}</html>"
        yield Answer(f"https://gallery.example/works/{number}", 200, html, False, False)
