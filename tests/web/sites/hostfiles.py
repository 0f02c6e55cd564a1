"""Files that speak for a host: ai.txt, trust.txt, RSL licences, and such files that cannot be had."""

from __future__ import annotations

from kyodaku.reasons import HoldReason, RefuseReason
from tests.web.model import Page, Reply, Site, ends, text
from tests.web.sites.works import both, work

RSL = "https://rslstandard.org/rsl"
_RSL_TYPE = (("Content-Type", "application/rsl+xml"),)


def sites() -> list[Site]:
    """Every site of this file."""
    return [
        ai_txt(),
        ai_well_known(),
        *trust(),
        rsl_robots(),
        rsl_links(),
        rsl_gone(),
        policy_barred(),
        policy_down(),
    ]


def ai_txt() -> Site:
    said = (
        "# Spawning AI\n# Prevent datasets from using the following file types\n"
        "User-Agent: *\nDisallow: *.jpg\nAllow: *.png\n"
    )
    figures = (
        work("ai-txt", "/1.jpg", "A drawing of the kind that ai.txt bars", ends(RefuseReason.AI_TXT)),
        work("ai-txt", "/1.png", "A drawing of the kind that ai.txt allows"),
    )
    return Site(
        "ai-txt.example",
        "Spawning's ai.txt bars JPEG and allows PNG",
        pages=(Page("/", "Drawings", figures),),
        routes={"/ai.txt": text(said)},
    )


def ai_well_known() -> Site:
    said = (
        "Spec-Version: 1.0\nSite-Name: Drawings\nTraining: conditional\n"
        "Training-Allow: /open/*\nTraining-Allow: /\nTraining-Deny: /art/*\n"
    )
    return Site(
        "ai-well-known.example",
        "the other ai.txt, below /.well-known/: training is denied below /art/",
        pages=(Page("/", "Drawings", both("ai-well-known", RefuseReason.AI_TXT)),),
        routes={"/.well-known/ai.txt": text(said)},
    )


def trust() -> list[Site]:
    return [
        Site(
            "trust.example",
            "trust.txt: datatrainingallowed=no",
            pages=(Page("/", "Trust"),),
            routes={
                "/.well-known/trust.txt": text("member=https://press.example/\ndatatrainingallowed=no\n")
            },
            expect_host=RefuseReason.TRUST_TXT,
        ),
        Site(
            "trust-yes.example",
            "trust.txt at the root: datatrainingallowed=yes",
            pages=(Page("/", "Trust", (work("trust", "/1.jpg", "A press drawing that is offered"),)),),
            routes={"/trust.txt": text("datatrainingallowed=yes\n")},
        ),
    ]


def _rsl(*contents: tuple[str, str]) -> Reply:
    """An RSL document: pairs of a path pattern and the inside of its licence."""
    inside = "".join(
        f'<content url="{url}"><license>{licence}</license></content>' for url, licence in contents
    )
    return Reply(f'<?xml version="1.0"?><rsl xmlns="{RSL}">{inside}</rsl>'.encode(), headers=_RSL_TYPE)


_NO = '<prohibits type="usage">ai-train</prohibits>'
_YES = '<permits type="usage">ai-train search</permits><payment type="free"/>'
_PAID = (
    '<permits type="usage">ai-train</permits>'
    '<payment type="training"><amount currency="USD">5</amount></payment>'
)


def rsl_robots() -> Site:
    paid = work("rsl", "/paid/1.jpg", "An etching that may be had for money", ends(RefuseReason.RSL))
    return Site(
        "rsl.example",
        "RSL named in robots.txt: no for /art/, for money below /paid/, yes for /open/",
        robots="License: http://rsl.example/license.xml\nUser-agent: *\nAllow: /\n",
        pages=(Page("/", "Etchings", (*both("rsl", RefuseReason.RSL), paid)),),
        routes={"/license.xml": _rsl(("/art/", _NO), ("/open/", _YES), ("/paid/", _PAID))},
    )


def rsl_links() -> Site:
    said_no = ends(RefuseReason.RSL)
    kind = 'rel="license" type="application/rsl+xml"'
    link = '<http://rsl-links.example/header.xml>; rel="license"; type="application/rsl+xml"'
    document = f'<rsl xmlns="{RSL}"><content url="/"><license>{_NO}</license></content></rsl>'
    inline = f'<script type="application/rsl+xml">{document}</script>'
    return Site(
        "rsl-links.example",
        "RSL named by a page's link, by an image's Link header, and standing in a page itself",
        pages=(
            Page(
                "/",
                "Links",
                (
                    work(
                        "rsl-links",
                        "/1.jpg",
                        "An etching whose header names a licence",
                        said_no,
                        (("Link", link),),
                    ),
                    work("rsl-links", "/2.jpg", "An etching that names nothing"),
                ),
                ("/link", "/inline", "/yes"),
            ),
            Page(
                "/link",
                "A link",
                (work("rsl-links", "/3.jpg", "An etching on a page with a link", said_no),),
                head=f'<link {kind} href="/page.xml">',
            ),
            Page(
                "/inline",
                "Inline",
                (work("rsl-links", "/4.jpg", "An etching on a page with a licence", said_no),),
                head=inline,
            ),
            Page(
                "/yes",
                "A yes",
                (work("rsl-links", "/5.jpg", "An etching on a page whose licence says yes"),),
                head=f'<link {kind} href="/yes.xml">',
            ),
        ),
        routes={
            "/header.xml": _rsl(("/", _NO)),
            "/page.xml": _rsl(("/", _NO)),
            "/yes.xml": _rsl(("/", _YES)),
        },
    )


def rsl_gone() -> Site:
    return Site(
        "rsl-gone.example",
        "RSL is declared and cannot be had",
        robots="License: http://rsl-gone.example/license.xml\nUser-agent: *\nAllow: /\n",
        pages=(Page("/", "Gone"),),
        expect_host=HoldReason.RSL_UNOBTAINABLE,
    )


def policy_barred() -> Site:
    return Site(
        "policy-barred.example",
        "robots.txt lets us see pictures but not the opt-out files of its own host",
        robots="User-agent: *\nDisallow: /\nAllow: /$\nAllow: /art/\n",
        pages=(Page("/", "Barred"),),
        expect_host=HoldReason.POLICY_FILE_BARRED,
    )


def policy_down() -> Site:
    return Site(
        "policy-down.example",
        "tdmrep.json answers 503",
        pages=(Page("/", "Down"),),
        routes={"/.well-known/tdmrep.json": text("later", 503)},
        expect_host=HoldReason.POLICY_FILE_UNREACHABLE,
    )
