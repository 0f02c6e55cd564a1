"""`<meta name="robots">`: what a page says in its markup. By policy it spreads to the images shown there."""

from __future__ import annotations

import re

from kyodaku.reasons import RefuseReason
from kyodaku.signals.carriers.page import HtmlPage, Meta
from kyodaku.signals.model import Binding, Reading, Signal, Use, Where, excerpt
from kyodaku.signals.protocols.base import About, Peers, Protocol
from kyodaku.signals.protocols.directives import Finding, findings, plain_text

_HEADER_NAME = "x-robots-tag"
#: Words that refuse even where they stand in the place of the name: `<meta name="noai">`.
_REFUSING_NAME = re.compile(r"\bno[_-]?(?:(?:image[_-]?)?ai|ml)\b")


class MetaRobots(Protocol):
    """noai, noimageai and the index rules in markup."""

    name = "meta-robots"
    title = "robots meta tags in a page: noai, noimageai and, by policy, noindex and its like"
    vector_signals = ("meta-robots",)
    about = About(
        where="robots meta tags of a page, also for a named crawler",
        scope="page",
        status="convention of search engines; `noai` by DeviantArt, 2022",
        spec="`noai` and `noimageai` of the page reserve its images; never a grant",
        policy=(
            "the further words of X-Robots-Tag; `http-equiv` forms and odd separators; tags for crawlers "
            'that train; `<meta name="noai">`'
        ),
        peers=Peers(common_crawl="`noai`: not known; `nofollow` is said to be honoured"),
    )

    def read_page(self, page: HtmlPage, image_url: str | None, reading: Reading) -> list[Signal]:
        return [
            Signal(
                protocol=self.name,
                where=Where.HTML,
                binding=Binding.PAGE,
                use=Use.TRAINING,
                effect=finding.effect,
                raw=excerpt(meta.raw),
                parsed=finding.parsed,
                rule=f"meta-robots:{finding.rule}",
                reason=finding.reason_or(RefuseReason.META_ROBOTS),
                source_url=page.url,
                digest=page.digest,
                complete=page.complete,
                fetched_at=page.fetched_at,
            )
            for meta in page.metas
            for finding in _said(meta, reading)
        ]


def _said(meta: Meta, reading: Reading) -> list[Finding]:
    ours = {"robots", *(token.lower() for token in reading.own_tokens)}
    if reading.mode == "spec":
        return findings(meta.content, reading) if meta.name in ours else []
    name = plain_text(meta.name).lower()
    found: list[Finding] = []
    if _addressed_to_us(meta, name, ours | {token.lower() for token in reading.purpose_tokens}):
        # Without content the word may stand in some other attribute: `<meta name="robots" value="noai">`.
        found += findings(meta.content or meta.raw, reading)
    for written in dict.fromkeys((name, meta.property, meta.http_equiv)):
        if _REFUSING_NAME.search(written):
            found += [finding for finding in findings(written, reading) if finding not in found]
    return found


def _addressed_to_us(meta: Meta, name: str, ours: set[str]) -> bool:
    names = {name, meta.property, meta.http_equiv, *re.split(r"[,\s]+", name)}
    return not names.isdisjoint(ours | {_HEADER_NAME})


PROTOCOL = MetaRobots()
