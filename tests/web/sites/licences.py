"""Licence statements: which are bound to an image, which are accepted, which contradict each other.

None of these sites objects to anything. What differs is what the public-domain basis finds.
"""

from __future__ import annotations

import json

from kyodaku.reasons import AllowReason, RefuseReason
from tests.web.model import (
    CC0,
    CC_BY,
    IN_COPYRIGHT,
    NO_COPYRIGHT_US,
    NO_EVIDENCE,
    PDM,
    Expected,
    Figure,
    Page,
    Site,
    ends,
)
from tests.web.pictures import licence_xmp, painted

NOT_ACCEPTED = ends(RefuseReason.LICENCE_NOT_ACCEPTED)
#: A statement that is evidence of nothing: whether it is named or passed over is the reader's choice.
NO_GRANT = ends(RefuseReason.LICENCE_NOT_ACCEPTED, RefuseReason.NO_LICENCE_EVIDENCE)


def sites() -> list[Site]:
    """Every licence site."""
    return [bound(), unbound(), not_accepted()]


def _schema(**fields: str) -> str:
    data = {"@context": "https://schema.org", "@type": "ImageObject", **fields}
    return f'<script type="application/ld+json">{json.dumps(data)}</script>'


def bound() -> Site:
    """Four ways to bind a licence to an image."""
    root = "http://bound.example"

    def work(name: str, alt: str, html: str = "", xmp: bytes = b"") -> Figure:
        return Figure(f"/{name}.jpg", alt, painted(f"bound/{name}", xmp=xmp), licence="", html=html)

    return Site(
        "bound.example",
        "evidence: schema.org contentUrl, RDFa about, XMP in the bytes, a link in the figure",
        pages=(
            Page("/", "Four ways", links=("/schema", "/rdfa", "/xmp", "/figure")),
            Page(
                "/schema",
                "In schema.org",
                (work("schema", "A work whose licence schema.org states"),),
                head=_schema(contentUrl=f"{root}/schema.jpg", license=PDM, name="A work"),
            ),
            Page(
                "/rdfa",
                "In RDFa",
                (
                    work(
                        "rdfa",
                        "A work whose licence RDFa states",
                        '<div><img src="/rdfa.jpg" alt="A work whose licence RDFa states"></div>'
                        f'<p about="/rdfa.jpg">Offered under <a rel="license" href="{CC0}">CC0</a>.</p>',
                    ),
                ),
            ),
            Page(
                "/xmp",
                "In the file",
                (work("xmp", "A work that carries its licence itself", xmp=licence_xmp(PDM)),),
            ),
            Page(
                "/figure",
                "In the figure",
                (
                    Figure(
                        "/figure.jpg",
                        "A work with an old deed link in Japanese",
                        painted("bound/figure"),
                        licence="http://www.creativecommons.org/publicdomain/mark/1.0/deed.ja",
                    ),
                ),
            ),
        ),
    )


def unbound() -> Site:
    """A licence somewhere on the page, or of another object, is not evidence."""

    def work(number: int, alt: str) -> Figure:
        return Figure(f"/{number}.jpg", alt, painted(f"unbound/{number}"), licence="", expect=NO_EVIDENCE)

    return Site(
        "unbound.example",
        "no evidence: a licence link in the footer, a rel=license in the head, schema.org of another image",
        pages=(
            Page("/", "A blog under CC0", (work(1, "A picture in a blog"),), ("/head", "/other", "/none"),
                 words=f'<p>The texts of this blog are <a rel="license" href="{CC0}">CC0</a>.</p>'),
            Page("/head", "In the head", (work(2, "A picture below a licence in the head"),),
                 head=f'<link rel="license" href="{CC0}">'),
            Page("/other", "Of another", (work(3, "A picture beside another that is free"),),
                 head=_schema(contentUrl="http://unbound.example/elsewhere.jpg", license=PDM)),
            Page("/none", "Of none", (work(4, "A picture of which nothing is said"),)),
        ),
    )  # fmt: skip


def not_accepted() -> Site:
    """Bound licences that a public-domain recipe does not take."""

    def work(name: str, alt: str, licence: str, expect: Expected = NOT_ACCEPTED) -> Figure:
        return Figure(f"/{name}.jpg", alt, painted(f"licences/{name}"), licence=licence, expect=expect)

    both = Figure(
        "/both.jpg",
        "A photograph that is offered under two licences",
        painted("licences/both"),
        html=(
            '<figure><img src="/both.jpg" alt="A photograph that is offered under two licences"><figcaption>'
            f'<a rel="license" href="{CC0}">CC0</a> <a rel="license" href="{CC_BY}">CC BY</a>'
            "</figcaption></figure>"
        ),
        expect=ends(
            RefuseReason.LICENCE_AMBIGUOUS, RefuseReason.LICENCE_NOT_ACCEPTED, AllowReason.PUBLIC_DOMAIN
        ),
    )
    return Site(
        "licences.example",
        "CC BY, NC, rightsstatements.org and a licence that says two things: none is public domain",
        pages=(
            Page(
                "/",
                "Licensed photographs",
                (
                    work("by", "A photograph under CC BY", CC_BY),
                    work("nc", "A photograph under CC BY-NC", CC_BY.replace("/by/", "/by-nc/")),
                    work("inc", "A photograph in copyright", IN_COPYRIGHT, NO_GRANT),
                    work("noc-us", "A photograph free in one country", NO_COPYRIGHT_US, NO_GRANT),
                    work("own", "A photograph under terms of its own", "/terms", NO_GRANT),
                    both,
                ),
            ),
            Page("/terms", "Terms of our own", words="<p>Ask us before you do anything.</p>"),
        ),
    )
