"""Sites that object to nothing: each shows one way in which a good site may look."""

from __future__ import annotations

from kyodaku.reasons import (
    AllowReason,
    DuplicateReason,
    FilterReason,
    NotRequestedReason,
    Reason,
    RefuseReason,
)
from tests.web import art
from tests.web.model import (
    CC0,
    Figure,
    Page,
    Picture,
    Reply,
    Site,
    ends,
    one_of_cluster,
    redirect,
    text,
)
from tests.web.pictures import painted


def sites() -> list[Site]:
    """Every open site."""
    return [
        studio(),
        sitemap_only(),
        patient(),
        nihonga(),
        formats(),
        twins(),
        old_mac(),
        names_us(),
        grouped(),
        five_hops(),
    ]


def studio() -> Site:
    """A dedication in the same figure is evidence; a picture without words has no caption."""
    subjects = (
        ("Orchard in March", art.blossom),
        ("Sail before the storm", art.sea),
        ("Fruit on a table", art.still_life),
        ("The hills from my window", art.landscape),
        ("The old town at night", art.town),
    )
    works = tuple(
        Page(
            f"/work/{number}",
            title,
            (
                Figure(
                    f"/media/{number}.jpg",
                    alt=f"{title}, painted in gouache",
                    caption=f"{title} (2021)",
                    picture=painted(f"studio/{number}", (640 + 16 * number, 480), motif=motif),
                ),
            ),
            links=("/",),
        )
        for number, (title, motif) in enumerate(subjects, 1)
    )
    nameless = Page(
        "/sketches",
        "",
        (
            Figure(
                "/media/nameless.png",
                picture=painted("studio/nameless", kind="PNG"),
                html=f'<figure><img src="/media/nameless.png"><a rel="license" href="{CC0}"></a></figure>',
                expect=ends(FilterReason.NO_CAPTION),
            ),
            Figure(
                "/media/long.jpg",
                alt="A scroll of hills, five times as wide as it is high",
                picture=painted("studio/long", (1600, 300), motif=art.landscape),
                expect=ends(FilterReason.EXTREME_ASPECT),
            ),
        ),
    )
    return Site(
        "studio.example",
        "an artist who dedicates her works with CC0, in the figure of each; a nameless one, a scroll",
        robots="User-agent: *\nAllow: /\n",
        pages=(
            Page("/", "A studio by the river", links=[*(page.path for page in works), "/sketches"]),
            *works,
            nameless,
        ),
    )


def sitemap_only() -> Site:
    """Nothing links to the pages: only the sitemap named in robots.txt knows them."""
    pages = tuple(
        Page(
            f"/plates/{number}",
            f"Plate {number}",
            (
                Figure(
                    f"/plates/{number}.jpg",
                    alt=f"Plate {number} of a book of trees in bloom",
                    picture=painted(f"sitemap/{number}", motif=art.blossom),
                ),
            ),
        )
        for number in (1, 2, 3)
    )
    urls = "".join(f"<url><loc>http://plates.example{page.path}</loc></url>" for page in pages)
    namespace = "http://www.sitemaps.org/schemas/sitemap/0.9"
    return Site(
        "plates.example",
        "only a sitemap knows the pages",
        robots="Sitemap: http://plates.example/map.xml\n",
        pages=(Page("/", "Under construction"), *pages),
        routes={
            "/map.xml": Reply(
                f'<?xml version="1.0"?><urlset xmlns="{namespace}">{urls}</urlset>'.encode(),
                headers=(("Content-Type", "text/xml"),),
            )
        },
    )


def patient() -> Site:
    """A site that asks for two seconds between requests."""
    figures = tuple(
        Figure(f"/{number}.jpg", alt=f"Slow view number {number}", picture=painted(f"patient/{number}"))
        for number in (1, 2, 3)
    )
    return Site(
        "patient.example",
        "Crawl-delay: 2",
        robots="User-agent: *\nCrawl-delay: 2\nDisallow:\n",
        pages=(Page("/", "No hurry here", figures),),
    )


def nihonga() -> Site:
    """Captions in Japanese, in three encodings, one of them declared by the page only; a Japanese path."""

    def figure(name: str, alt: str, caption: str, motif: art.Motif) -> Figure:
        return Figure(f"/e/{name}.jpg", alt, painted(f"nihonga/{name}", motif=motif), caption)

    return Site(
        "nihonga.example",
        "Japanese pages in UTF-8, Shift_JIS (in the header) and EUC-JP (in a meta tag)",
        robots="User-agent: *\nDisallow:\n",
        pages=(
            Page(
                "/",
                "日本の絵",
                (figure("fuji", "夕暮れの富士山と湖", "富士山、木版画風", art.landscape),),
                links=("/sjis", "/euc", "/四季"),
                lang="ja",
            ),
            Page(
                "/sjis",
                "海の絵",
                (figure("nami", "波間を行く一艘の舟", "波と舟、能登にて", art.sea),),
                charset="shift_jis",
                lang="ja",
            ),
            Page(
                "/euc",
                "桜",
                (figure("sakura", "満開の桜の木と青い空", "桜、表示のある絵", art.blossom),),
                charset="euc_jp",
                declares_charset="meta",
                lang="ja",
            ),
            Page(
                "/四季",
                "四季",
                (figure("秋", "紅葉した山の連なり", "秋の山", art.landscape),),
                lang="ja",
            ),
        ),
    )


def formats() -> Site:
    """Every format of the allow-list, and the places where a page may name an image."""

    def shown(src: str, words: str, html: str, picture: Picture) -> Figure:
        below = f'<figcaption>{words} <a rel="license" href="{CC0}">CC0</a></figcaption>'
        return Figure(src, words, picture, html=f"<figure>{html}{below}</figure>")

    def variant(src: str, *reasons: Reason, size: art.Size) -> Figure:
        """An image that the markup of another figure names."""
        return Figure(src, picture=painted(f"formats{src}", size), html=" ", expect=ends(*reasons))

    smaller = NotRequestedReason.SMALLER_VARIANT
    return Site(
        "formats.example",
        "PNG, WebP, GIF, progressive JPEG; srcset, picture, data-src, a link to an image, og:image",
        pages=(
            Page("/", "A gallery of formats", links=("/kinds", "/places", "/shared")),
            Page(
                "/kinds",
                "Kinds of files",
                (
                    Figure("/k/a.png", "A print as PNG", painted("formats/png", kind="PNG")),
                    Figure("/k/b.webp", "A print as WebP", painted("formats/webp", kind="WEBP")),
                    Figure("/k/c.gif", "A print as GIF", painted("formats/gif", kind="GIF")),
                    Figure("/k/d.jpg", "A progressive JPEG", painted("formats/slow", progressive=True)),
                    Figure("/k/e.jpg", "A print with coarse colour", painted("formats/420", subsampling=2)),
                ),
                links=("/",),
            ),
            Page(
                "/places",
                "Places in a page",
                (
                    shown(
                        "/p/large.jpg",
                        "The largest of a srcset",
                        '<img src="/p/small.jpg" srcset="/p/small.jpg 300w, /p/large.jpg 900w" '
                        'alt="The largest of a srcset">',
                        painted("formats/large", (900, 600)),
                    ),
                    variant("/p/small.jpg", smaller, size=(300, 200)),
                    shown(
                        "/p/source.webp",
                        "Named by a source element",
                        '<picture><source srcset="/p/source.webp 800w" type="image/webp">'
                        '<img src="/p/fallback.jpg" width="400" alt="Named by a source element"></picture>',
                        painted("formats/source", (800, 600), "WEBP"),
                    ),
                    variant("/p/fallback.jpg", smaller, AllowReason.PUBLIC_DOMAIN, size=(400, 300)),
                    shown(
                        "/p/lazy.jpg",
                        "Loaded lazily by a script",
                        '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" data-src="/p/lazy.jpg" '
                        'alt="Loaded lazily by a script">',
                        painted("formats/lazy"),
                    ),
                    shown(
                        "/p/linked.jpg",
                        "A picture behind a link",
                        '<a href="/p/linked.jpg">A picture behind a link</a>',
                        painted("formats/linked"),
                    ),
                ),
            ),
            Page(
                "/shared",
                "Named for sharing only",
                (variant("/p/og.jpg", RefuseReason.NO_LICENCE_EVIDENCE, size=(640, 480)),),
                head='<meta property="og:image" content="/p/og.jpg">',
            ),
        ),
    )


def twins() -> Site:
    """The same bytes at two addresses and the same pixels in two formats: one of each is kept."""
    bytes_twice, pixels_twice = painted("twins/bytes"), "twins/pixels"
    same_bytes = one_of_cluster("twins-bytes", DuplicateReason.SAME_BYTES)
    same_pixels = one_of_cluster("twins-pixels", DuplicateReason.SAME_PIXELS)
    return Site(
        "twins.example",
        "the same bytes at two addresses; the same pixels as PNG and as lossless WebP",
        pages=(
            Page(
                "/",
                "Twins",
                (
                    Figure("/left.jpg", "A town at dusk, left copy", bytes_twice, expect=same_bytes),
                    Figure("/right.jpg", "A town at dusk, right copy", bytes_twice, expect=same_bytes),
                    Figure("/loose.png", "A still life as PNG", painted(pixels_twice, kind="PNG"),
                           expect=same_pixels),
                    Figure("/tight.webp", "A still life as WebP",
                           painted(pixels_twice, kind="WEBP", lossless=True), expect=same_pixels),
                ),
            ),
        ),
    )  # fmt: skip


def old_mac() -> Site:
    """A byte order mark and bare CRs: a valid robots.txt that lets us in, except to /private/."""
    robots = b"\xef\xbb\xbfUser-agent: *\rDisallow: /private/\r"
    figures = (
        Figure("/view.jpg", "A harbour drawn on an old machine", painted("oldmac/view")),
        Figure(
            "/private/view.jpg",
            "A view that is private",
            painted("oldmac/private"),
            expect=ends(RefuseReason.ROBOTS_DISALLOW),
        ),
    )
    return Site(
        "oldmac.example",
        "robots.txt with a byte order mark and CR line ends",
        robots=text(robots),
        pages=(Page("/", "From an old machine", figures),),
    )


def names_us() -> Site:
    """The owner lets our operator's crawler in by name, which switches the purpose reading off."""
    robots = (
        "User-agent: DemoCrawler\nDisallow: /members/\n\n"
        "User-agent: GPTBot\nDisallow: /\n\nUser-agent: *\nDisallow: /\n"
    )
    members = Figure(
        "/members/view.jpg",
        "A view for members",
        painted("names-us/members"),
        expect=ends(RefuseReason.ROBOTS_DISALLOW),
    )
    return Site(
        "names-us.example",
        "robots.txt names our operator's crawler, bars GPTBot and everyone else",
        robots=robots,
        pages=(
            Page(
                "/", "You, yes", (Figure("/view.jpg", "A view for one guest", painted("names-us/v")), members)
            ),
        ),
    )


def grouped() -> Site:
    """A record between two user-agent lines does not end the group: /plates/ is barred to us."""
    robots = "User-agent: DemoCrawler\nContent-Signal: search=yes\nUser-agent: OtherBot\nDisallow: /plates/\n"
    barred = Figure(
        "/plates/1.jpg",
        "A plate that the group bars",
        painted("grouped/barred"),
        expect=ends(RefuseReason.ROBOTS_DISALLOW),
    )
    return Site(
        "grouped.example",
        "a Content-Signal record between two user-agent lines",
        robots=robots,
        pages=(
            Page(
                "/",
                "A group",
                (Figure("/view.jpg", "A view of the coast", painted("grouped/view", motif=art.sea)), barred),
            ),
        ),
    )


def five_hops() -> Site:
    """robots.txt after five redirects is still robots.txt."""
    hops = {f"/r{number}": redirect(f"/r{number + 1}") for number in range(1, 5)}
    figure = Figure("/view.jpg", "A view at the end of a path", painted("five-hops/view"))
    return Site(
        "five-hops.example",
        "robots.txt behind five redirects",
        robots=redirect("/r1"),
        pages=(Page("/", "One picture", (figure,)),),
        routes={**hops, "/r5": text("User-agent: *\nDisallow: /private/\n")},
    )
