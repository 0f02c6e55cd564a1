"""The open museum: the institution of the demo recipe. Its statement on an object's page is evidence.

Two hosts, both HTTPS. Half of the objects lie on the museum's own host, half on its image host; some
pages carry schema.org besides, one carries nothing but the statement.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from html import escape

from kyodaku.reasons import FilterReason
from tests.web import art
from tests.web.model import NO_EVIDENCE, PDM, RELEASED, Figure, Page, Picture, Reply, Site, ends, text
from tests.web.pictures import camera_exif, painted, photograph

HOST = "museum.example"
IMAGE_HOST = "images.museum.example"

#: The words that the museum's object pages carry, exactly, and where it explains them.
STATEMENT = "This image is in the public domain."
EVIDENCE_URL = f"https://{HOST}/open-access"


@dataclass(frozen=True)
class Piece:
    """An object of the collection."""

    number: int
    title: str
    maker: str
    about: str
    picture: Picture
    on_image_host: bool = False
    schema: bool = False
    small: bool = False

    @property
    def path(self) -> str:
        return f"/object/{self.number}"

    @property
    def image(self) -> str:
        host = f"https://{IMAGE_HOST}" if self.on_image_host else ""
        return f"{host}/media/{self.number}.jpg"


def pieces() -> list[Piece]:
    """The collection: photographs that a package carries, and prints drawn by code."""
    photographs = (
        ("astronaut.png", "Astronaut Eileen Collins", "NASA", "A woman in an orange suit before a flag"),
        ("rocket.jpg", "Launch of the DSCOVR observatory", "SpaceX", "A rocket on its pad in the evening"),
        ("coffee.png", "Cup of coffee", "Rachel Michetti", "A cup of coffee with a spoon on a wooden table"),
        ("chelsea.png", "Chelsea", "Stefan van der Walt", "Portrait of a tabby cat that looks to the right"),
        ("camera.png", "Photographer", "Lav Varshney", "A man with a camera on a tripod before a lawn"),
        ("hubble_deep_field.jpg", "Hubble eXtreme Deep Field", "NASA", "Galaxies as specks of light"),
        ("retina.jpg", "Fundus of a left eye", "Mikael Häggström", "A healthy retina with its vessels"),
        ("brick.png", "Wall of bricks", "CC0Textures", "A wall of pale bricks, seen at a slant"),
        ("grass.png", "Grass", "linolafett", "Blades of grass, seen from above"),
        ("clock_motion.png", "Clock in motion", "Stefan van der Walt", "A clock blurred by a moving camera"),
    )
    prints = (
        (art.landscape, "Hills at evening", "Hills behind hills under a low sun", (720, 540)),
        (art.sea, "Boat before the wind", "A print of rows of waves with a boat among them", (700, 480)),
        (art.blossom, "First blossom", "A tree with many branches in early bloom", (600, 800)),
        (art.town, "Roofs after rain", "Roofs and lit windows of a town at dusk", (760, 500)),
        (art.abstract, "Composition with arcs", "Planes and arcs in muted colours", (640, 640)),
        (art.still_life, "Fruit and a vase", "Fruit and a vase on a table", (680, 510)),
        (art.landscape, "The far ridge", "A ridge in mist, with more ridges below", (900, 500)),
        (art.sea, "Evening tide", "Rows of dark waves that come in, and a sail", (640, 480)),
    )
    workshop = "Workshop of the small web"
    photographer = Piece(
        111,
        "Cherry tree in the park",
        "The museum's photographer",
        "A tree in blossom, taken with a camera that knows where it is",
        painted("museum/gps", (800, 600), motif=art.blossom, quality=92, exif=camera_exif()),
        schema=True,
    )
    stamp = Piece(
        301,
        "Stamp with a view of the sea",
        workshop,
        "A very small view of the sea, scanned at the size of a stamp",
        painted("museum/stamp", (200, 150), motif=art.sea),
        small=True,
    )
    return [
        *(
            Piece(101 + n, title, maker, about, photograph(file), n % 2 == 1, n % 3 == 0)
            for n, (file, title, maker, about) in enumerate(photographs)
        ),
        photographer,
        *(
            Piece(
                201 + n,
                title,
                workshop,
                about,
                painted(f"museum/print/{n}", size, motif=motif),
                n % 2 == 0,
                n % 3 == 0,
            )
            for n, (motif, title, about, size) in enumerate(prints)
        ),
        stamp,
    ]


def object_page(piece: Piece) -> Page:
    """The page of one object: its main image, its words, the museum's statement."""
    schema = {
        "@context": "https://schema.org/",
        "@type": "ImageObject",
        "contentUrl": f"https://{HOST}{piece.image}" if piece.image.startswith("/") else piece.image,
        "name": piece.title,
        "creator": {"@type": "Person", "name": piece.maker},
        "creditText": f"{piece.maker}, the open museum",
        "license": PDM,
    }
    head = f'<meta property="og:image" content="{escape(piece.image)}">\n'
    if piece.schema:
        head += f'<script type="application/ld+json">{json.dumps(schema, ensure_ascii=False)}</script>\n'
    return Page(
        piece.path,
        piece.title,
        figures=(
            Figure(
                piece.image,
                alt=piece.about,
                caption=f"{piece.title}. {piece.maker}.",
                picture=piece.picture,
                licence="",
                expect=ends(FilterReason.LOW_RESOLUTION) if piece.small else RELEASED,
            ),
        ),
        links=("/collection", "/open-access"),
        words=f"<p>{STATEMENT}</p>",
        head=head,
    )


def sites() -> list[Site]:
    """The museum and its image host."""
    collection = pieces()
    names = "".join(f'<li><a href="{piece.path}">{escape(piece.title)}</a></li>' for piece in collection)
    banner = Figure(
        "/media/banner.jpg",
        alt="The town around the museum",
        picture=painted("museum/banner", (1000, 400), motif=art.town),
        licence="",
        expect=NO_EVIDENCE,
    )
    museum = Site(
        HOST,
        "an open museum: its statement on an object's page is licence evidence; a banner has none",
        scheme="https",
        robots=f"User-agent: *\nDisallow: /admin/\n\nSitemap: https://{HOST}/sitemap.xml\n",
        pages=(
            Page("/", "The open museum", (banner,), ("/collection", "/open-access", "/admin/login")),
            Page("/collection", "The collection", words=f"<ul>{names}</ul>", links=("/",)),
            Page(
                "/open-access",
                "Open access",
                words="<p>We publish pictures of works whose copyright has ended, and of works whose makers "
                f"gave it up. Their pages say so in these words: <q>{STATEMENT}</q></p>",
                links=("/",),
            ),
            *(object_page(piece) for piece in collection),
        ),
        routes={
            "/sitemap.xml": _xml(_sitemap_index(["/sitemap-objects.xml.gz", "/sitemap-images.xml"])),
            "/sitemap-objects.xml.gz": Reply(
                gzip.compress(_url_set([piece.path for piece in collection]).encode(), mtime=0),
                headers=(("Content-Type", "application/gzip"),),
            ),
            "/sitemap-images.xml": _xml(_image_sitemap(collection)),
        },
    )
    images = Site(
        IMAGE_HOST,
        "the museum's image host: no pages, no robots.txt, only pictures",
        scheme="https",
        seed=False,
        routes={
            piece.image.removeprefix(f"https://{IMAGE_HOST}"): Reply(
                piece.picture.render, headers=(("Content-Type", piece.picture.mime),)
            )
            for piece in collection
            if piece.on_image_host
        },
    )
    return [museum, images]


def _xml(body: str) -> Reply:
    return text(body, 200, ("Content-Type", "application/xml"))


def _sitemap_index(paths: list[str]) -> str:
    entries = "".join(f"<sitemap><loc>https://{HOST}{path}</loc></sitemap>" for path in paths)
    return _document("sitemapindex", entries)


def _url_set(paths: list[str]) -> str:
    return _document("urlset", "".join(f"<url><loc>https://{HOST}{path}</loc></url>" for path in paths))


def _image_sitemap(collection: list[Piece]) -> str:
    entries = "".join(
        f"<url><loc>https://{HOST}{piece.path}</loc><image:image><image:loc>"
        f"{piece.image if piece.on_image_host else f'https://{HOST}{piece.image}'}"
        "</image:loc></image:image></url>"
        for piece in collection
    )
    return _document("urlset", entries, ' xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"')


def _document(root: str, entries: str, more: str = "") -> str:
    namespace = "http://www.sitemaps.org/schemas/sitemap/0.9"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{namespace}"{more}>{entries}</{root}>\n'
