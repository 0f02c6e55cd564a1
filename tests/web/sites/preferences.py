"""Preferences about AI training, in robots.txt, headers, pages and files: AIPREF, Content-Signal, TDMRep."""

from __future__ import annotations

from kyodaku.reasons import RefuseReason
from tests.web.model import Figure, Page, Site, ends
from tests.web.pictures import painted, xmp_packet
from tests.web.sites.works import both, json_reply, work


def sites() -> list[Site]:
    """Every site of this file."""
    return [
        usage_robots(),
        usage_header(),
        *content_signal(),
        disallow_ai_training(),
        tdm_file(),
        tdm_header(),
        tdm_page(),
    ]


def usage_robots() -> Site:
    robots = (
        "User-agent: *\nAllow: /\nContent-Usage: search=y\nContent-Usage: /art/ train-ai=n\n"
        "Content-Usage: /open/ train-ai=y\n"
    )
    return Site(
        "usage.example",
        "AIPREF in robots.txt: Content-Usage says no below /art/ and yes below /open/",
        robots=robots,
        pages=(Page("/", "Preferences", both("usage", RefuseReason.AIPREF)),),
    )


def usage_header() -> Site:
    said_no = ends(RefuseReason.AIPREF)
    return Site(
        "usage-header.example",
        "AIPREF in headers of images and of a page, with a label of an early draft",
        pages=(
            Page(
                "/",
                "Preferences in headers",
                (
                    work(
                        "usage-header",
                        "/1.jpg",
                        "A study with a no in its header",
                        said_no,
                        (("Content-Usage", "search=y, train-ai=n"),),
                    ),
                    work(
                        "usage-header",
                        "/2.jpg",
                        "A study with an old label in its header",
                        said_no,
                        (("Content-Usage", "train-genai=n;exceptions=cc-cr-ec"),),
                    ),
                    work(
                        "usage-header",
                        "/3.jpg",
                        "A study with a yes in its header",
                        headers=(("Content-Usage", "train-ai=y"),),
                    ),
                ),
                links=("/page",),
            ),
            Page(
                "/page",
                "A page with a no",
                (work("usage-header", "/4.jpg", "A study on a page with a no", said_no),),
                headers=(("Content-Usage", "train-ai=n"),),
            ),
        ),
    )


def content_signal() -> list[Site]:
    managed = (
        "# As a content delivery network writes it\nUser-agent: *\n"
        "Content-Signal: search=yes,ai-train=no,use=reference\nAllow: /\n"
    )
    return [
        Site(
            "signal.example",
            "Content-Signal: ai-train=no, for the whole host",
            robots=managed,
            pages=(Page("/", "Signals"),),
            expect_host=RefuseReason.CONTENT_SIGNAL,
        ),
        Site(
            "signal-yes.example",
            "Content-Signal: ai-train=yes in robots.txt; one image header says no, one yes",
            robots="User-agent: *\nContent-Signal: search=yes, ai-train=yes\nAllow: /\n",
            pages=(
                Page(
                    "/",
                    "Signals",
                    (
                        work("signal", "/1.jpg", "A sketch from a site that says yes"),
                        work(
                            "signal",
                            "/2.jpg",
                            "A sketch with a no of its own",
                            ends(RefuseReason.CONTENT_SIGNAL),
                            (("Content-Signal", "ai-train=no"),),
                        ),
                    ),
                ),
            ),
        ),
    ]


def disallow_ai_training() -> Site:
    return Site(
        "disallow-ai.example",
        "DisallowAITraining for /art/ only",
        robots="User-agent: *\nAllow: /\nDisallowAITraining: /art/\nAllowAITraining: /open/\n",
        pages=(Page("/", "An old draft", both("disallow-ai", RefuseReason.DISALLOW_AI_TRAINING)),),
    )


def tdm_file() -> Site:
    policy = {
        "@context": ["http://www.w3.org/ns/odrl.jsonld", {"tdm": "http://www.w3.org/ns/tdmrep#"}],
        "@type": "Offer",
        "profile": "http://www.w3.org/ns/tdmrep",
        "assigner": {"vcard:fn": "A publisher", "vcard:hasEmail": "mailto:licences@tdm.example"},
        "permission": [
            {"target": "http://tdm.example/art/", "action": "tdm:mine", "duty": [{"action": "obtainConsent"}]}
        ],
    }
    entries = [
        {"location": "/open/", "tdm-reservation": 0},
        {"location": "/art/*", "tdm-reservation": 1, "tdm-policy": "http://tdm.example/policy.json"},
    ]
    return Site(
        "tdm.example",
        "TDMRep: tdmrep.json reserves /art/ and names a policy, leaves /open/ free",
        pages=(Page("/", "Mining", both("tdm", RefuseReason.TDMREP)),),
        routes={"/.well-known/tdmrep.json": json_reply(entries), "/policy.json": json_reply(policy)},
    )


def tdm_header() -> Site:
    figures = (
        work(
            "tdm-header",
            "/1.jpg",
            "A print that is reserved",
            ends(RefuseReason.TDMREP),
            (("tdm-reservation", "1"), ("tdm-policy", "https://tdm-header.example/p.json")),
        ),
        work("tdm-header", "/2.jpg", "A print that is not reserved", headers=(("TDM-Reservation", "0"),)),
    )
    return Site(
        "tdm-header.example", "TDMRep in image headers", pages=(Page("/", "Mining headers", figures),)
    )


def tdm_page() -> Site:
    namespace = 'xmlns:tdm="http://www.w3.org/ns/tdmrep/"'
    reserved = ends(RefuseReason.TDMREP)
    packet = xmp_packet(f'{namespace} tdm:reservation="1"')
    inside = Figure(
        "/inside.jpg", "A print that reserves itself", painted("tdm/inside", xmp=packet), expect=reserved
    )
    return Site(
        "tdm-page.example",
        "TDMRep in a page's meta tag, and in the XMP of a file",
        pages=(
            Page(
                "/",
                "Mining files",
                (inside, work("tdm-page", "/free.jpg", "A print that says nothing")),
                ("/meta",),
            ),
            Page(
                "/meta",
                "Mining pages",
                (work("tdm-page", "/1.jpg", "A print on a reserved page", reserved),),
                head='<meta name="tdm-reservation" content="1">',
            ),
        ),
    )
