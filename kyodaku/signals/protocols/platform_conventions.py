"""Conventions of platforms that are no standard: `#NoBot` and its like in a profile of the fediverse.

Mastodon, GoToSocial, Misskey and their kin show an author's own words beside the pictures; a tag there that
turns bots or AI away is the author's no. The headers and robots values that such software sends are read by
their own protocols. A convention can refuse, by policy, and never grants.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kyodaku.reasons import RefuseReason
from kyodaku.signals.carriers.html import HtmlPage
from kyodaku.signals.model import Binding, Effect, Reading, Signal, Use, Where, excerpt
from kyodaku.signals.protocols.base import About, Peers, Protocol

_SOFTWARE = re.compile(
    r"\b(?:mastodon|gotosocial|misskey|pleroma|akkoma|pixelfed|firefish|calckey|foundkey|sharkey|iceshrimp"
    r"|cherrypick|friendica|hometown|glitch-soc|fedibird)\b",
    re.IGNORECASE,
)
_ACTIVITY = ("application/activity+json", "application/ld+json")
_NAMES = frozenset({"generator", "application-name", "apple-mobile-web-app-title"})
_DESCRIPTIONS = frozenset({"description", "og:description", "twitter:description", "profile:note"})
#: The tags, in English and Japanese, behind a number sign or its wide form.
_TAG = re.compile(
    r"(?<![\w&/#\uff03])[#\uff03]"
    r"(?:no[_-]?(?:bots?|ai|image[_-]?ai|ai[_-]?art|ai[_-]?training|ai[_-]?learning|genai|ml|scraping)"
    r"|do[_-]?not[_-]?train|(?:\u7121\u65ad)?(?:AI|\uff21\uff29)?\u5b66\u7fd2(?:\u7981\u6b62|\u62d2\u5426|NG|\u53b3\u7981))(?![\w-])",
    re.IGNORECASE,
)


class PlatformConventions(Protocol):
    """Refusing hashtags on pages that fediverse software made."""

    name = "platform-conventions"
    title = "Conventions of platforms: #NoBot, #NoAI and their like in a fediverse profile (policy only)"
    vector_signals = ("platform",)
    about = About(
        where="profiles of Mastodon and its relatives; recipe `permission.platforms`",
        scope="page",
        status="conventions of platforms, not standards",
        spec="not read",
        policy="`#NoBot`, `#NoAI` and accounts that are not indexable reserve",
        peers=Peers(common_crawl="not known"),
    )

    def read_page(self, page: HtmlPage, image_url: str | None, reading: Reading) -> list[Signal]:
        """The author's tags speak about everything the page shows."""
        if reading.mode == "spec" or image_url is not None or not _is_fediverse(page):
            return []
        for rule, text in _words(page):
            found = _TAG.search(text)
            if found is not None:
                return [_signal(page, rule, text[max(0, found.start() - 80) : found.end() + 80], found[0])]
        return []


def _is_fediverse(page: HtmlPage) -> bool:
    named = any(
        meta.name in _NAMES and _SOFTWARE.search(meta.content[:200]) is not None for meta in page.metas
    )
    return named or any(
        ("alternate" in link.rel and link.type.partition(";")[0].strip() == _ACTIVITY[0])
        or ("alternate" in link.rel and link.type.startswith(_ACTIVITY[1]) and "activitystreams" in link.type)
        for link in page.links
    )


def _words(page: HtmlPage) -> Iterator[tuple[str, str]]:
    for meta in page.metas:
        if meta.name in _DESCRIPTIONS or meta.property in _DESCRIPTIONS:
            yield "description", meta.content
    yield "title", page.title
    yield "text", page.text


def _signal(page: HtmlPage, rule: str, raw: str, tag: str) -> Signal:
    return Signal(
        protocol=PlatformConventions.name,
        where=Where.HTML,
        binding=Binding.PAGE,
        use=Use.TRAINING,
        effect=Effect.RESERVED,
        raw=excerpt(raw),
        parsed=tag,
        rule=f"platform-conventions:{rule}",
        reason=RefuseReason.PLATFORM.value,
        source_url=page.url,
        digest=page.digest,
        complete=page.complete,
        fetched_at=page.fetched_at,
    )


PROTOCOL = PlatformConventions()
