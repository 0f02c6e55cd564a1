"""A very small HTML builder in which text is escaped unless it was built here.

`Html` is finished markup; every plain `str` that meets it is text, made visible by `plain` and escaped.
So a title, an alt text or a URL from the web cannot become markup by being forgotten.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

from kyodaku.report.plaintext import linkable, plain, short_url

_VOID = frozenset({"img", "br", "input", "meta", "hr"})


class Html(str):
    """Markup that may be put into a page as it is."""

    __slots__ = ()


Part = str | Html | None


def text(value: str) -> Html:
    """`value` as escaped text."""
    return value if isinstance(value, Html) else Html(html.escape(plain(value), quote=True))


def join(parts: Iterable[Part], between: str = "") -> Html:
    """Parts one after another; None is left out."""
    return Html(between.join(text(part) for part in parts if part is not None))


def tag(name: str, /, *parts: Part, **attributes: str | int | float | bool | None) -> Html:
    """An element. Attribute names lose a trailing `_` and write `-` for `_`; True gives a bare
    attribute, None and False none."""
    shown = ""
    for key, value in attributes.items():
        key = key.rstrip("_").replace("_", "-")
        if value is True:
            shown += f" {key}"
        elif value is not None and value is not False:
            shown += f' {key}="{html.escape(str(value), quote=True)}"'
    if name in _VOID:
        return Html(f"<{name}{shown}>")
    return Html(f"<{name}{shown}>{join(parts)}</{name}>")


def link(url: str, shown: Html | None = None) -> Html:
    """A URL for people (or what is `shown` for it), linked only when it is a plain http or https one.
    Isolated for bidi."""
    label = shown or tag("bdi", short_url(url))
    if not linkable(url):
        return tag("span", label, class_="url")
    return tag("a", label, href=url, class_="url", rel="noreferrer noopener nofollow")


def image(jpeg: bytes, width: int, height: int, alt: str) -> Html:
    """A JPEG inside the page."""
    return tag("img", src=jpeg_address(jpeg), width=width, height=height, alt=plain(alt, 300))


def jpeg_address(jpeg: bytes) -> str:
    """A JPEG as a `data:` address."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")


def bar(share: float, kind: str) -> Html:
    """A horizontal bar, `share` of its box (0 to 1), coloured by the class `kind`."""
    width = round(min(max(share, 0.0), 1.0) * 100, 2)
    return tag(
        "svg",
        tag("rect", width=100, height=8, class_="track"),
        tag("rect", width=width, height=8, class_=kind),
        viewBox="0 0 100 8",
        preserveAspectRatio="none",
        class_="bar",
        aria_hidden="true",
        focusable="false",
    )


# --- two languages -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Japanese:
    """Every Japanese text of the reports: reasons by outcome, next steps by reason, and all other texts
    by their English words."""

    reasons: dict[str, dict[str, str]]
    next_steps: dict[str, str]
    texts: dict[str, str]


@cache
def japanese() -> Japanese:
    """The translations, read once."""
    return Japanese(**json.loads(_asset("texts_ja.json")))


def both(english: Part, other: Part) -> Html:
    """The same thing in English and Japanese; the page's switch shows one of them."""
    return join((tag("span", english, class_="t", lang="en"), tag("span", other, class_="t", lang="ja")))


def say(english: str, **values: str | Html | int) -> Html:
    """A text of ours in both languages. `{name}` is filled from `values`, escaped unless it is Html.

    Raises KeyError for a text that has no translation: a report is never half translated.
    """
    safe = {key: text(f"{value:,}" if isinstance(value, int) else value) for key, value in values.items()}
    other = japanese().texts[english]
    return both(Html(html.escape(english).format(**safe)), Html(html.escape(other).format(**safe)))


# --- a whole page ------------------------------------------------------------------------------------


def document(title: str, body: Html) -> str:
    """A self-contained page: styles and script inside, named in its policy by their digests; nothing
    can be loaded, and no other script can run."""
    before, after = around(title)
    return before + body + after


def around(title: str) -> tuple[str, str]:
    """What stands before and after the body of a `document`, for one that is written piece by piece."""
    style = _asset("page.css")
    script = _asset("page.js")
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_csp(style)}'; script-src '{_csp(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    head = join(
        (
            tag("meta", charset="utf-8"),
            tag("meta", http_equiv="Content-Security-Policy", content=policy),
            *head_tags(title),
            tag("style", Html(style)),
        ),
        "\n",
    )
    start = f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n'
    return start, f"\n{tag('script', Html(script))}\n</body>\n</html>\n"


def head_tags(title: str) -> tuple[Html, ...]:
    """What the head of every page of ours holds beside its styles."""
    return (
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="robots", content="noindex"),
        tag("title", plain(title, 120)),
    )


def _asset(name: str) -> str:
    return files("kyodaku.report").joinpath(name).read_text("utf-8")


def _csp(content: str) -> str:
    return "sha256-" + base64.b64encode(sha256(content.encode("utf-8")).digest()).decode("ascii")
