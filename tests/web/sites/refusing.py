"""Sites that say no, each in words of its own. Every picture is licensed CC0, so that nothing but the
no keeps it out."""

from __future__ import annotations

from kyodaku.reasons import HoldReason, NotRequestedReason, RefuseReason
from tests.web import art
from tests.web.model import CC0, RELEASED, Expected, Figure, Link, Page, Reply, Site, ends
from tests.web.pictures import painted, plus_xmp

BARRED = ends(RefuseReason.ROBOTS_DISALLOW)
PURPOSE = ends(RefuseReason.ROBOTS_PURPOSE)
TAGGED = ends(RefuseReason.X_ROBOTS_TAG)
META = ends(RefuseReason.META_ROBOTS)
PLUS = ends(RefuseReason.PLUS_DATA_MINING)


def sites() -> list[Site]:
    """Every refusing site."""
    return [
        artist(),
        noai(),
        *painter(),
        header_on_page(),
        *late_no(),
        xmp(),
        closed(),
        kyodaku_no(),
        nofollow(),
        legal(),
    ]


def work(site: str, name: str, alt: str, expect: Expected, **rest: object) -> Figure:
    """A drawing of a refusing site."""
    return Figure(f"/art/{name}.jpg", alt, painted(f"{site}/{name}"), expect=expect, **rest)  # type: ignore[arg-type]


def artist() -> Site:
    """Refuses one training crawler that is not us."""
    figures = tuple(
        work("artist", str(n), f"Study number {n} for a mural", PURPOSE, caption=f"Study {n}")
        for n in range(1, 5)
    )
    return Site(
        "artist.example",
        "an artist who refuses GPTBot only: read as a no to training",
        scheme="https",
        robots="User-agent: *\nAllow: /\n\nUser-agent: GPTBot\nDisallow: /art/\n",
        pages=(Page("/", "Studies for a mural", figures[:2], ("/more",)), Page("/more", "More", figures[2:])),
    )


def noai() -> Site:
    """Meta tags in several spellings; one page says nothing."""

    def page(path: str, head: str, name: str) -> Page:
        figure = work("noai", name, f"A painting on a page that says {name}", META)
        return Page(path, f"Page {name}", (figure,), head=head)

    silent = Figure("/art/silent.jpg", "A painting on a page that says nothing", painted("noai/silent"))
    return Site(
        "noai.example",
        "an artist with noai in robots meta tags, in several spellings",
        pages=(
            Page("/", "Works", (silent,), ("/plain", "/shout", "/images", "/late", "/gptbot")),
            page("/plain", '<meta name="robots" content="noai, noimageai">', "plain"),
            page("/shout", '<META NAME="ROBOTS" CONTENT="NoAI;index">', "shout"),
            page("/images", '<meta content="max-snippet:20, noimageai" name=robots>', "images"),
            Page(
                "/late",
                "Page late",
                (work("noai", "late", "A painting before the tag", META),),
                words="<div><meta name='robots' content='none'></div>",
            ),
            page("/gptbot", '<meta name="GPTBot" content="noai">', "gptbot"),
        ),
    )


def painter() -> list[Site]:
    """The page is silent; only the CDN's header speaks."""
    headers = {
        "1": (("X-Robots-Tag", "noai"),),
        "2": (("X-Robots-Tag", "unavailable_after: 25 Jun 2099 15:00:00 PST, noai"),),
        "3": (("X-Robots-Tag", "index"), ("x-robots-tag", "NoImageAI")),
    }
    figures = [
        Figure(f"http://cdn.painter.example/{n}.jpg", f"Oil on canvas, number {n}", expect=TAGGED)
        for n in headers
    ]
    free = Figure("http://cdn.painter.example/4.jpg", "Oil on canvas, number 4: another crawler is meant")
    replies = {
        f"/{n}.jpg": Reply(
            painted(f"painter/{n}").render,
            headers=(("Content-Type", "image/jpeg"), *headers.get(n, (("X-Robots-Tag", "otherbot: noai"),))),
        )
        for n in (*headers, "4")
    }
    return [
        Site(
            "painter.example",
            "a painter whose pages are silent",
            pages=(Page("/", "Oil on canvas", (*figures, free)),),
        ),
        Site(
            "cdn.painter.example",
            "the painter's CDN: X-Robots-Tag on its answers",
            seed=False,
            routes=replies,
        ),
    ]


def header_on_page() -> Site:
    """The header of a page speaks for its pictures."""
    pages = tuple(
        Page(
            f"/{name}",
            f"A page with {value}",
            (work("header", name, f"A picture on a page with {name}", TAGGED),),
            headers=(("X-Robots-Tag", value),),
        )
        for name, value in (("noai", "noai"), ("noindex", "noindex"), ("bot", "democrawler: noai"))
    )
    return Site(
        "header.example",
        "X-Robots-Tag on the pages",
        pages=(Page("/", "Headers", links=[page.path for page in pages]), *pages),
    )


def late_no() -> list[Site]:
    """A page shows two copies of a picture and says nothing. Once both have been fetched, a page of
    another site shows one of them with noai: that address and the equal bytes must go again."""
    silent = "http://silent.example"
    copy = painted("late/copy", motif=art.landscape)
    twice = (
        Figure("/a.jpg", "A landscape, first address", copy, expect=ends(RefuseReason.SAME_BYTES_REFUSED)),
        Figure("/b.jpg", "A landscape, second address", copy, expect=ends(RefuseReason.SAME_URL_REFUSED)),
        Figure("/c.jpg", "A still life that nobody minds", painted("late/other", motif=art.still_life)),
    )
    again = Figure(f"{silent}/b.jpg", "The same landscape, with a no", expect=META)
    return [
        Site("silent.example", "the same picture at two addresses, on a silent page",
             pages=(Page("/", "Landscapes", twice),)),
        Site("late.example", "shows one of them again, later, with noai",
             pages=(
                 Page("/", "Elsewhere", links=("/soon",)),
                 Page("/soon", "Not yet", links=("/almost",), follows=f"{silent}/b.jpg"),
                 Page("/almost", "Nearly there", links=("/later",), follows=f"{silent}/b.jpg"),
                 Page("/later", "The same again", (again,), head='<meta name="robots" content="noai">',
                      follows=f"{silent}/b.jpg"),
             )),
    ]  # fmt: skip


def xmp() -> Site:
    """The refusal travels inside the file; one packet is broken; one value says nothing."""

    def work_of(name: str, ending: str, kind: str, value: str, expect: Expected) -> Figure:
        alt = f"A {kind} file, {name}"
        return Figure(
            f"/{name}.{ending}",
            alt,
            painted(f"xmp/{name}", kind=kind, xmp=plus_xmp(value)),
            expect=expect,
        )

    broken = painted("xmp/broken", xmp=plus_xmp("DMI-UNSPECIFIED").replace(b"</rdf:RDF>", b"<rdf:RDF>"))
    return Site(
        "xmp.example",
        "PLUS Data Mining in the XMP of JPEG, PNG and WebP",
        pages=(
            Page(
                "/",
                "Marked files",
                (
                    work_of("jpeg", "jpg", "JPEG", "DMI-PROHIBITED", PLUS),
                    work_of("png", "png", "PNG", "DMI-PROHIBITED-AIMLTRAINING", PLUS),
                    work_of("webp", "webp", "WEBP", "DMI-PROHIBITED-GENAIMLTRAINING", PLUS),
                    work_of("wild", "jpg", "JPEG", "DMI-PROHIBITED-AITRAINING", PLUS),
                    work_of("unspecified", "jpg", "JPEG", "DMI-UNSPECIFIED", RELEASED),
                    Figure(
                        "/broken.jpg",
                        "A file with a broken XMP packet",
                        broken,
                        expect=ends(HoldReason.METADATA_UNREADABLE, RefuseReason.PLUS_DATA_MINING),
                    ),
                ),
            ),
        ),
    )


def closed() -> Site:
    """Everyone is barred. Other sites redirect here."""
    return Site(
        "closed.example",
        "robots.txt bars everyone",
        robots="User-agent: *\nDisallow: /\n",
        pages=(Page("/", "Closed", (work("closed", "1", "A picture of a closed site", BARRED),)),),
        expect_host=RefuseReason.ROBOTS_DISALLOW,
    )


def kyodaku_no() -> Site:
    """The operator is let in by name, Kyodaku is not: both names bind us."""
    figure = work("kyodaku-no", "1", "A picture kept from Kyodaku crawls", BARRED)
    free = Figure("/free/1.jpg", "A picture that Kyodaku crawls may have", painted("kyodaku-no/free"))
    return Site(
        "kyodaku-no.example",
        "bars the token Kyodaku from /art/, allows our operator's",
        robots="User-agent: DemoCrawler\nAllow: /\n\nUser-agent: Kyodaku\nDisallow: /art/\n",
        pages=(Page("/", "Not by every name", (figure, free)),),
    )


def nofollow() -> Site:
    """Links and a whole page that ask not to be followed: what lies behind is never asked for."""

    def hidden(name: str) -> Page:
        figure = Figure(f"/art/{name}.jpg", f"A picture {name}", painted(f"nofollow/{name}"), expect=None)
        return Page(f"/{name}", f"Behind {name}", (figure,), expect_page=NotRequestedReason.NOFOLLOW)

    shown = Figure("/art/open.jpg", "A picture beside a nofollow link", painted("nofollow/open"))
    linked = Figure(
        "/art/linked.jpg",
        picture=painted("nofollow/linked"),
        html=f'<figure><a rel="nofollow" href="/art/linked.jpg">A picture behind a link</a> '
        f'<a rel="license" href="{CC0}">CC0</a></figure>',
        expect=ends(NotRequestedReason.NOFOLLOW),
    )
    return Site(
        "nofollow.example",
        "rel=nofollow on links, nofollow in meta and header of a page",
        pages=(
            Page("/", "Links", (shown, linked), (Link("/link", "no", "nofollow"), "/meta", "/header")),
            Page("/meta", "A page that asks", links=("/behind-meta",),
                 head='<meta name="robots" content="nofollow">'),
            Page("/header", "A page whose header asks", links=("/behind-header",),
                 headers=(("X-Robots-Tag", "nofollow"),)),
            hidden("link"),
            hidden("behind-meta"),
            hidden("behind-header"),
        ),
    )  # fmt: skip


def legal() -> Site:
    """451 and 402 are refusals, of a page as of an image."""
    price = (("crawler-price", "USD 0.01"),)

    def wall(name: str, status: int, reason: RefuseReason, *headers: tuple[str, str]) -> tuple[Figure, Reply]:
        figure = Figure(f"/{name}.jpg", f"A picture behind {status}", expect=ends(reason))
        return figure, Reply(b"", status, headers)

    blocked, blocked_reply = wall("blocked", 451, RefuseReason.LEGAL_BLOCK)
    paid, paid_reply = wall("paid", 402, RefuseReason.PAYMENT_REQUIRED, *price)
    return Site(
        "legal.example",
        "451 for legal reasons and 402 with crawler-price, on pages and images",
        pages=(
            Page("/", "Blocked and priced", (blocked, paid), ("/blocked", "/paid")),
            Page("/blocked", "Blocked", status=451, expect_page=RefuseReason.LEGAL_BLOCK),
            Page("/paid", "Priced", status=402, headers=price, expect_page=RefuseReason.PAYMENT_REQUIRED),
        ),
        routes={"/blocked.jpg": blocked_reply, "/paid.jpg": paid_reply},
    )
