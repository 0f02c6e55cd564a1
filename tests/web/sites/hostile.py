"""Servers that lie, stall, explode and break off. A careful crawler ends each with a reason."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial

from kyodaku.reasons import FailReason, FilterReason, HoldReason, Reason, RefuseReason
from tests.web import art, bombs
from tests.web.model import RELEASED, Figure, Handler, Page, Reply, Site, ends, text
from tests.web.pictures import drawn, encode, painted, raw
from tests.web.server import Visit

JPEG = (("Content-Type", "image/jpeg"),)
BOMB = ends(FailReason.DECOMPRESSION_BOMB, FailReason.TOO_LARGE)
PIXELS = ends(FailReason.PIXEL_BOMB)
BROKEN_OFF = ends(HoldReason.IMAGE_UNREACHABLE, FailReason.INCOMPLETE)
SLOW = ends(FailReason.TOO_SLOW, HoldReason.IMAGE_UNREACHABLE)


def sites() -> list[Site]:
    """Every hostile site."""
    return [drip(), zipped(), pixels(), liar(), headers(), broken(), big(), split(), quoted(), laughing()]


def speaks(*pieces: bytes, pause: float = 0.0, reset: bool = False) -> Handler:
    """Writes raw pieces, with a pause after each, and closes or resets the connection."""

    async def answer(visit: Visit) -> None:
        for piece in pieces:
            await visit.send(piece)
            await asyncio.sleep(pause)
        if reset:
            visit.abort()

    return answer


def streams(head: bytes, pieces: Callable[[], Iterable[bytes]]) -> Handler:
    """Writes a head and then pieces as they are made, as fast as the client takes them."""

    async def answer(visit: Visit) -> None:
        await visit.send(head)
        for piece in pieces():
            await visit.send(piece)

    return answer


def head(status: str = "200 OK", **fields: str | int) -> bytes:
    """The head of an answer; underscores in names stand for hyphens."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status}\r\nConnection: close\r\n{lines}\r\n".encode()


def picture(label: str) -> bytes:
    """The bytes of a JPEG."""
    return painted(label).render()


def drip() -> Site:
    """One byte each half second, for ever: the body would take a day."""

    async def image(visit: Visit) -> None:
        body = picture("drip")
        await visit.send(head(Content_Type="image/jpeg", Content_Length=len(body)))
        for position in range(len(body)):
            await visit.send(body[position : position + 1])
            await asyncio.sleep(0.5)

    async def page(visit: Visit) -> None:
        await visit.send(head(Content_Type="text/html", Content_Length=100_000) + b"<!doctype html><p>")
        while True:
            await visit.send(b".")
            await asyncio.sleep(0.5)

    return Site(
        "drip.example",
        "a page and an image that come at two bytes a second",
        pages=(
            Page("/", "Patience", (Figure("/drip.jpg", "A picture in drops", expect=SLOW),), ("/slow",)),
            Page("/slow", "Slow", expect_page=HoldReason.PAGE_ERROR),
        ),
        routes={"/drip.jpg": image, "/slow": page},
    )


def zipped() -> Site:
    """10 GB behind a few kilobytes or a small stream, on a page, images, a redirect and robots.txt."""
    opening = b"<!doctype html><html><body><p>"

    def encoded(kind: str, coding: str) -> bytes:
        return head(Content_Type=kind, Content_Encoding=coding)

    found = head("302 Found", Location="/calm.jpg", Content_Encoding="gzip", Content_Type="text/html")
    return Site(
        "zipped.example",
        "gzip bombs of 10 GB: a page, an image, an image gzipped twice, the body of a redirect",
        pages=(
            Page(
                "/",
                "Packed",
                (
                    Figure("/bomb.jpg", "A picture that unpacks to ten gigabytes", expect=BOMB),
                    Figure("/twice.jpg", "A picture that unpacks twice", expect=BOMB),
                    Figure(
                        "/hop.jpg",
                        "A calm picture behind a redirect with a bomb in its body",
                        expect=ends(*RELEASED.reasons, *BOMB.reasons),
                    ),
                ),
                ("/bomb", "/packed"),
            ),
            Page("/bomb", "Bomb", expect_page=HoldReason.PAGE_ERROR),
            Page("/packed", "Packed", expect_page=HoldReason.PAGE_ERROR),
        ),
        routes={
            "/bomb.jpg": streams(encoded("image/jpeg", "gzip"), partial(bombs.gzip_bomb, 10)),
            "/twice.jpg": streams(encoded("image/jpeg", "gzip, gzip"), lambda: [bombs.double_gzip_bomb(10)]),
            "/hop.jpg": streams(found, partial(bombs.gzip_bomb, 10)),
            "/calm.jpg": Reply(partial(picture, "zipped/calm"), headers=JPEG),
            "/bomb": streams(encoded("text/html", "gzip"), partial(bombs.gzip_bomb, 10, opening)),
            "/packed": streams(
                encoded("text/html", "gzip, gzip"), lambda: [bombs.double_gzip_bomb(10, opening)]
            ),
        },
    )


def pixels() -> Site:
    """Pictures whose header promises more than memory holds."""
    files: tuple[tuple[str, str, Callable[[], bytes], tuple[Reason, ...]], ...] = (
        ("bomb", "144 megapixels in 20 kB", partial(bombs.pixel_bomb, 12_000), PIXELS.reasons),
        (
            "quiet",
            "81 megapixels in 10 kB, below the limit where Pillow warns",
            partial(bombs.pixel_bomb, 9_000),
            (FailReason.PIXEL_BOMB, FailReason.UNDECODABLE, FilterReason.KIND, *RELEASED.reasons),
        ),
        ("promise", "2500 megapixels in the header only", partial(bombs.header_bomb, 50_000), PIXELS.reasons),
        ("frames", "ten thousand frames", partial(bombs.frame_bomb, 10_000), PIXELS.reasons),
        (
            "text",
            "64 MB of XMP in a compressed chunk",
            lambda: bombs.text_bomb(painted("pixels/text", kind="PNG").render(), 64),
            (HoldReason.METADATA_UNREADABLE, FailReason.UNDECODABLE, FailReason.DECOMPRESSION_BOMB),
        ),
    )
    return Site(
        "pixels.example",
        "PNG bombs: pixels, frames of an animation, a header without data, unpacking metadata",
        pages=(
            Page(
                "/",
                "Large pictures",
                [
                    Figure(f"/{name}.png", f"Picture: {what}", raw(body, "image/png"), expect=ends(*reasons))
                    for name, what, body, reasons in files
                ],
            ),
        ),
    )


def liar() -> Site:
    """Content-Type says one thing, the bytes another. Only the bytes count."""
    html = b"<!doctype html><title>No picture</title><p>This is a page."
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="800" height="600"><script>alert(1)</script></svg>'
    no_svg = ends(FailReason.FORMAT_NOT_ALLOWED, FailReason.NOT_AN_IMAGE)
    named = ends(*RELEASED.reasons, FailReason.NOT_AN_IMAGE)

    def tiff() -> bytes:
        return encode(art.sea(11, (400, 300)), "TIFF")

    def polyglot() -> bytes:
        return b"<script>alert(1)</script>" + picture("liar/polyglot")

    png = painted("liar/png", kind="PNG")
    tiff_no = ends(FailReason.FORMAT_NOT_ALLOWED)
    cases = (
        ("page.jpg", "A page that is called a JPEG", raw(html, "image/jpeg"), ends(FailReason.NOT_AN_IMAGE)),
        ("named.html", "A PNG that is called a page", raw(png.render, "text/html"), named),
        (
            "other.png",
            "A JPEG that is called a PNG",
            raw(partial(picture, "liar/jpeg"), "image/png"),
            RELEASED,
        ),
        ("drawing.svg", "A drawing with a script inside", raw(svg, "image/svg+xml"), no_svg),
        ("hidden.jpg", "An SVG that is called a JPEG", raw(svg, "image/jpeg"), no_svg),
        ("scan.tif", "A TIFF, which is not on the list", raw(tiff, "image/tiff"), tiff_no),
        (
            "both.jpg",
            "A script that ends as a JPEG",
            raw(polyglot, "image/jpeg"),
            ends(FailReason.NOT_AN_IMAGE),
        ),
        ("empty.jpg", "An empty body", raw(b"", "image/jpeg"), ends(FailReason.NOT_AN_IMAGE)),
    )
    return Site(
        "liar.example",
        "a page as image/jpeg, a PNG as text/html, SVG under two names, TIFF, a polyglot, nothing",
        pages=(
            Page(
                "/",
                "Believe me",
                [Figure(f"/{name}", alt, body, expect=expect) for name, alt, body, expect in cases],
            ),
        ),
    )


def headers() -> Site:
    """A megabyte of headers before an honest picture and page."""
    fields = b"".join(b"X-Padding-%d: %s\r\n" % (number, b"x" * 4000) for number in range(250))
    body = b"<!doctype html><p>A page below many headers."

    def long_head(kind: bytes, length: int) -> bytes:
        start = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %d\r\n"
        return start % (kind, length) + fields + b"\r\n"

    async def image(visit: Visit) -> None:
        file = picture("headers")
        await visit.send(long_head(b"image/jpeg", len(file)) + file)

    return Site(
        "headers.example",
        "a megabyte of response headers",
        pages=(
            Page(
                "/",
                "Heads",
                (
                    Figure(
                        "/head.jpg",
                        "A picture below a megabyte of headers",
                        expect=ends(FailReason.TOO_LARGE, HoldReason.IMAGE_UNREACHABLE),
                    ),
                ),
                ("/long",),
            ),
            Page("/long", "Long", expect_page=HoldReason.PAGE_ERROR),
        ),
        routes={"/head.jpg": image, "/long": speaks(long_head(b"text/html", len(body)), body)},
    )


def broken() -> Site:
    """Bodies that stop, lengths that lie, and bytes that are no HTTP."""
    file = partial(picture, "broken/file")

    async def half_and_reset(visit: Visit) -> None:
        body = file()
        await visit.send(head(Content_Type="image/jpeg", Content_Length=len(body)) + body[: len(body) // 2])
        await asyncio.sleep(0.05)
        visit.abort()

    async def half_and_close(visit: Visit) -> None:
        body = picture("broken/close")
        await visit.send(head(Content_Type="image/jpeg", Content_Length=len(body)) + body[: len(body) // 2])

    async def broken_chunks(visit: Visit) -> None:
        start = head(Content_Type="image/jpeg", Transfer_Encoding="chunked")
        await visit.send(start + b"ffff\r\n" + file()[:3000])

    def truncated() -> bytes:
        body = picture("broken/truncated")
        return body[: len(body) * 2 // 3]

    half_page = head(Content_Type="text/html", Content_Length=5000) + b"<!doctype html><p>Half a pa"
    return Site(
        "broken.example",
        "reset and early close in a body, broken chunks, a truncated JPEG, no HTTP at all",
        pages=(
            Page(
                "/",
                "Pieces",
                (
                    Figure("/reset.jpg", "A picture whose connection is reset", expect=BROKEN_OFF),
                    Figure("/closed.jpg", "A picture whose connection closes early", expect=BROKEN_OFF),
                    Figure("/chunks.jpg", "A picture in broken chunks", expect=BROKEN_OFF),
                    Figure("/noise.jpg", "Noise in place of HTTP", expect=ends(HoldReason.IMAGE_UNREACHABLE)),
                    Figure(
                        "/truncated.jpg",
                        "Two thirds of a picture, with the right length",
                        raw(truncated, "image/jpeg"),
                        expect=ends(FailReason.UNDECODABLE),
                    ),
                ),
                ("/half",),
            ),
            Page("/half", "Half", expect_page=HoldReason.PAGE_ERROR),
        ),
        routes={
            "/reset.jpg": half_and_reset,
            "/closed.jpg": half_and_close,
            "/chunks.jpg": broken_chunks,
            "/noise.jpg": speaks(b"\x00\x01\x02 no HTTP here \xff\xfe\r\n\r\n"),
            "/half": speaks(half_page),
        },
    )


def big() -> Site:
    """More bytes than the cap of 20 MB: announced, and in chunks without an end."""
    length = 25 * 10**6
    padding = bytes(1 << 16)

    def body() -> Iterable[bytes]:
        yield picture("big")
        for _ in range(length // len(padding)):
            yield padding

    def chunked() -> Iterable[bytes]:
        while True:
            yield b"10000\r\n" + padding + b"\r\n"

    large = ends(FailReason.TOO_LARGE)
    return Site(
        "big.example",
        "an image of 25 MB, announced or not, and one that never ends",
        pages=(
            Page(
                "/",
                "Big",
                (
                    Figure("/announced.jpg", "A picture of 25 MB that says so", expect=large),
                    Figure("/unannounced.jpg", "A picture of 25 MB that does not say so", expect=large),
                    Figure("/endless.jpg", "A picture that never ends", expect=large),
                ),
            ),
        ),
        routes={
            "/announced.jpg": streams(head(Content_Type="image/jpeg", Content_Length=length), body),
            "/unannounced.jpg": streams(head(Content_Type="image/jpeg"), body),
            "/endless.jpg": streams(head(Content_Type="image/jpeg", Transfer_Encoding="chunked"), chunked),
        },
    )


def split() -> Site:
    """Another picture at every visit: what was judged must be what is stored."""

    async def changing(visit: Visit) -> Reply:
        return Reply(drawn(art.landscape, 7_000 + visit.visits()).render(), headers=JPEG)

    return Site(
        "split.example",
        "an image that is another one at every visit",
        pages=(Page("/", "Never twice", (Figure("/view.jpg", "A view that changes at every visit"),)),),
        routes={"/view.jpg": changing},
    )


def quoted() -> Site:
    """Captions and addresses that attack what is made of them: tables, reports, file names."""
    captions = (
        ('=HYPERLINK("http://closed.example/","a formula as a caption")', "formula"),
        ('<script>alert("a script as a caption")</script>', "script"),
        ("A caption from \u202eright to left\u202c and\u200b back", "bidi"),
        ("../../etc/passwd as a caption", "path"),
        ("A very long caption " + "word " * 2000, "long"),
        ("'; drop table candidates; -- as a caption", "sql"),
    )
    figures = [Figure(f"/q/{name}.jpg", alt, painted(f"quoted/{name}")) for alt, name in captions]
    odd = Figure("/q/..%2F..%2Fodd%20name.jpg", "A picture with an odd address", painted("quoted/odd"))
    deep = "<div>" * 5000 + "</div>" * 5000
    return Site(
        "quoted.example",
        "captions and URLs that try formulas, scripts, paths and length; a page 5,000 elements deep",
        pages=(
            Page("/", "Quoted", (*figures, odd), ("/deep",)),
            Page("/deep", "Deep", words=deep),
        ),
    )


def laughing() -> Site:
    """XML that multiplies: a sitemap and the XMP of a file."""
    sitemap = bombs.laughing_xml("urlset")
    packet = b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>' + bombs.laughing_xml("x")[21:]
    unreadable = ends(HoldReason.METADATA_UNREADABLE, RefuseReason.PLUS_DATA_MINING)
    return Site(
        "laughing.example",
        "entities that multiply: in a sitemap and in the XMP of a JPEG; a sitemap that is a gzip bomb",
        robots=(
            "Sitemap: http://laughing.example/map.xml\nSitemap: http://laughing.example/map.xml.gz\n"
            "User-agent: *\nDisallow:\n"
        ),
        pages=(
            Page(
                "/",
                "Laughs",
                (
                    Figure("/view.jpg", "A picture beside a laughing sitemap", painted("laughing/view")),
                    Figure(
                        "/packet.jpg",
                        "A picture whose metadata multiply",
                        painted("laughing/packet", xmp=packet),
                        expect=unreadable,
                    ),
                ),
            ),
        ),
        routes={
            "/map.xml": text(sitemap, 200, ("Content-Type", "application/xml")),
            "/map.xml.gz": streams(head(Content_Type="application/gzip"), partial(bombs.gzip_bomb, 1)),
        },
    )
