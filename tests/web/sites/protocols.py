"""One site for every opt-out protocol, in its refusing form and, where there is one, its granting form.

Every picture is licensed CC0, so that nothing but the protocol keeps it out. Sites whose host files speak
for the whole host are never read further than these.
"""

from __future__ import annotations

import json

from kyodaku.reasons import HoldReason, Reason, RefuseReason
from tests.web.model import RELEASED, Expected, Figure, Headers, Page, Reply, Site, ends, text
from tests.web.pictures import painted, xmp_packet

RSL = "https://rslstandard.org/rsl"
_JSON = (("Content-Type", "application/json"),)
_RSL_TYPE = (("Content-Type", "application/rsl+xml"),)


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
        ai_txt(),
        ai_well_known(),
        *trust(),
        rsl_robots(),
        rsl_links(),
        rsl_gone(),
        rights(),
        fediverse(),
        pds(),
        policy_barred(),
        policy_down(),
    ]


def _work(site: str, path: str, alt: str, expect: Expected = RELEASED, headers: Headers = ()) -> Figure:
    kind = "PNG" if path.endswith(".png") else "JPEG"
    return Figure(path, alt, painted(f"{site}{path}", kind=kind), headers=headers, expect=expect)


def _both(site: str, reason: Reason) -> tuple[Figure, Figure]:
    """A work below /art/, which is refused, and one below /open/, which is not."""
    return (
        _work(site, "/art/1.jpg", "A painting that its maker keeps from training", ends(reason)),
        _work(site, "/open/1.jpg", "A painting that its maker offers for training"),
    )


def _json(value: object) -> Reply:
    return Reply(json.dumps(value).encode(), headers=_JSON)


# --------------------------------------------------------------------------- robots.txt and headers


def usage_robots() -> Site:
    robots = (
        "User-agent: *\nAllow: /\nContent-Usage: search=y\nContent-Usage: /art/ train-ai=n\n"
        "Content-Usage: /open/ train-ai=y\n"
    )
    return Site(
        "usage.example",
        "AIPREF in robots.txt: Content-Usage says no below /art/ and yes below /open/",
        robots=robots,
        pages=(Page("/", "Preferences", _both("usage", RefuseReason.AIPREF)),),
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
                    _work(
                        "usage-header",
                        "/1.jpg",
                        "A study with a no in its header",
                        said_no,
                        (("Content-Usage", "search=y, train-ai=n"),),
                    ),
                    _work(
                        "usage-header",
                        "/2.jpg",
                        "A study with an old label in its header",
                        said_no,
                        (("Content-Usage", "train-genai=n;exceptions=cc-cr-ec"),),
                    ),
                    _work(
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
                (_work("usage-header", "/4.jpg", "A study on a page with a no", said_no),),
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
                        _work("signal", "/1.jpg", "A sketch from a site that says yes"),
                        _work(
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
        pages=(Page("/", "An old draft", _both("disallow-ai", RefuseReason.DISALLOW_AI_TRAINING)),),
    )


# --------------------------------------------------------------------------- TDMRep


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
        pages=(Page("/", "Mining", _both("tdm", RefuseReason.TDMREP)),),
        routes={"/.well-known/tdmrep.json": _json(entries), "/policy.json": _json(policy)},
    )


def tdm_header() -> Site:
    figures = (
        _work(
            "tdm-header",
            "/1.jpg",
            "A print that is reserved",
            ends(RefuseReason.TDMREP),
            (("tdm-reservation", "1"), ("tdm-policy", "https://tdm-header.example/p.json")),
        ),
        _work("tdm-header", "/2.jpg", "A print that is not reserved", headers=(("TDM-Reservation", "0"),)),
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
                (inside, _work("tdm-page", "/free.jpg", "A print that says nothing")),
                ("/meta",),
            ),
            Page(
                "/meta",
                "Mining pages",
                (_work("tdm-page", "/1.jpg", "A print on a reserved page", reserved),),
                head='<meta name="tdm-reservation" content="1">',
            ),
        ),
    )


# --------------------------------------------------------------------------- ai.txt, trust.txt


def ai_txt() -> Site:
    said = (
        "# Spawning AI\n# Prevent datasets from using the following file types\n"
        "User-Agent: *\nDisallow: *.jpg\nAllow: *.png\n"
    )
    figures = (
        _work("ai-txt", "/1.jpg", "A drawing of the kind that ai.txt bars", ends(RefuseReason.AI_TXT)),
        _work("ai-txt", "/1.png", "A drawing of the kind that ai.txt allows"),
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
        pages=(Page("/", "Drawings", _both("ai-well-known", RefuseReason.AI_TXT)),),
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
            pages=(Page("/", "Trust", (_work("trust", "/1.jpg", "A press drawing that is offered"),)),),
            routes={"/trust.txt": text("datatrainingallowed=yes\n")},
        ),
    ]


# --------------------------------------------------------------------------- RSL


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
    paid = _work("rsl", "/paid/1.jpg", "An etching that may be had for money", ends(RefuseReason.RSL))
    return Site(
        "rsl.example",
        "RSL named in robots.txt: no for /art/, for money below /paid/, yes for /open/",
        robots="License: http://rsl.example/license.xml\nUser-agent: *\nAllow: /\n",
        pages=(Page("/", "Etchings", (*_both("rsl", RefuseReason.RSL), paid)),),
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
                    _work(
                        "rsl-links",
                        "/1.jpg",
                        "An etching whose header names a licence",
                        said_no,
                        (("Link", link),),
                    ),
                    _work("rsl-links", "/2.jpg", "An etching that names nothing"),
                ),
                ("/link", "/inline", "/yes"),
            ),
            Page(
                "/link",
                "A link",
                (_work("rsl-links", "/3.jpg", "An etching on a page with a link", said_no),),
                head=f'<link {kind} href="/page.xml">',
            ),
            Page(
                "/inline",
                "Inline",
                (_work("rsl-links", "/4.jpg", "An etching on a page with a licence", said_no),),
                head=inline,
            ),
            Page(
                "/yes",
                "A yes",
                (_work("rsl-links", "/5.jpg", "An etching on a page whose licence says yes"),),
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


# --------------------------------------------------------------------------- words and conventions


def rights() -> Site:
    said_no = ends(RefuseReason.RIGHTS_TEXT)

    def work(name: str, alt: str, statement: str, expect: Expected) -> Figure:
        packet = xmp_packet(
            'xmlns:dc="http://purl.org/dc/elements/1.1/"',
            f'<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">{statement}</rdf:li></rdf:Alt></dc:rights>',
        )
        return Figure(f"/{name}.jpg", alt, painted(f"rights/{name}", xmp=packet), expect=expect)

    return Site(
        "rights.example",
        "rights statements inside files, in words",
        pages=(
            Page(
                "/",
                "In words",
                (
                    work(
                        "en",
                        "A watercolour with a ban in English",
                        "(c) 2024 A. Painter. No AI training.",
                        said_no,
                    ),
                    work("ja", "A watercolour with a ban in Japanese", "無断転載禁止・AI学習禁止", said_no),
                    work(
                        "plain",
                        "A watercolour with an ordinary notice",
                        "Painted at Casino airport, 2024",
                        RELEASED,
                    ),
                ),
            ),
        ),
    )


def fediverse() -> Site:
    figure = _work("fediverse", "/media/1.jpg", "A photograph in a post", ends(RefuseReason.PLATFORM))
    return Site(
        "fediverse.example",
        "a Mastodon profile whose biography says #NoBot",
        pages=(
            Page(
                "/@ink",
                "Ink (@ink@fediverse.example)",
                (figure,),
                head='<meta name="generator" content="Mastodon 4.4.0">'
                '<meta name="description" content="I draw foxes. #NoBot">'
                '<meta property="og:type" content="profile">',
            ),
            Page("/", "A server", links=("/@ink",)),
        ),
    )


def pds() -> Site:
    """Blobs of two accounts of a personal data server; only one account says no."""

    def blob(did: str, alt: str, expect: Expected) -> Figure:
        path = f"/xrpc/com.atproto.sync.getBlob?did={did}&cid=bafkrei1"
        return Figure(path, alt, painted(f"pds/{did}"), expect=expect)

    def record(allow: bool) -> Reply:
        intent = {"updatedAt": "2026-02-20T21:37:20.362Z", "allow": allow}
        value = {"$type": "org.user-intents.declaration", "syntheticContentGeneration": intent}
        return _json({"uri": "at://x/org.user-intents.declaration/self", "cid": "bafy", "value": value})

    def path(did: str) -> str:
        record = "collection=org.user-intents.declaration&rkey=self"
        return f"/xrpc/com.atproto.repo.getRecord?repo={did}&{record}"

    no, yes, none = (f"did:plc:{name:a<24}" for name in ("no", "yes", "none"))
    missing = Reply(b'{"error":"RecordNotFound","message":"Could not locate record"}', 400, _JSON)
    return Site(
        "pds.example",
        "ATProto user intents: one account refuses, one allows, one has not decided",
        pages=(
            Page(
                "/",
                "Posts",
                (
                    blob(no, "A post by somebody who refuses", ends(RefuseReason.USER_INTENT)),
                    blob(yes, "A post by somebody who agrees", RELEASED),
                    blob(none, "A post by somebody who has not decided", RELEASED),
                ),
            ),
        ),
        routes={path(no): record(False), path(yes): record(True), path(none): missing},
    )


# --------------------------------------------------------------------------- files that cannot be had


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
