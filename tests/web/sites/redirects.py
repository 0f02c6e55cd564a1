"""Redirects: into hosts that refuse, in circles, and into places where no crawler may go."""

from __future__ import annotations

from kyodaku.reasons import FailReason, HoldReason, RefuseReason
from tests.web.model import Expected, Figure, Page, Reply, Route, Site, ends, redirect
from tests.web.pictures import painted
from tests.web.server import Visit

BLOCKED = ends(RefuseReason.ADDRESS_BLOCKED)
NO_WAY = ends(FailReason.REDIRECTS, RefuseReason.ADDRESS_BLOCKED)


def sites() -> list[Site]:
    """Every redirecting site."""
    return [redirector(), landing(), inside()]


def redirector() -> Site:
    """Each hop goes through all gates before it is followed."""
    targets: tuple[tuple[str, str, Expected], ...] = (
        ("closed", "http://closed.example/art/1.jpg", ends(RefuseReason.ROBOTS_DISALLOW)),
        ("tagged", "http://cdn.painter.example/1.jpg", ends(RefuseReason.X_ROBOTS_TAG)),
        ("broken", "http://robots-500.example/view.jpg", ends(HoldReason.ROBOTS_UNREACHABLE)),
        ("circle", "/circle.jpg", ends(FailReason.REDIRECTS)),
        ("page", "/", ends(FailReason.NOT_AN_IMAGE)),
    )
    arrives = Figure("/arrives.jpg", "A picture that arrives after three hops")
    nowhere = ends(FailReason.REDIRECTS, FailReason.HTTP_STATUS)
    lost = Figure("/lost.jpg", "A redirect without a target", expect=nowhere)
    figures = [Figure(f"/{name}.jpg", f"A redirect to {url}", expect=expect) for name, url, expect in targets]
    routes: dict[str, Route] = {f"/{name}.jpg": redirect(url) for name, url, _ in targets}
    return Site(
        "redirector.example",
        "images that redirect into refusing, held and open hosts, in a circle, to a page, to nowhere",
        pages=(
            Page("/", "This way", (arrives, lost, *figures), ("/old",)),
            Page("/new", "Moved", (Figure("/new.jpg", "On a page that moved", painted("redirector/new")),)),
        ),
        routes={
            **routes,
            "/arrives.jpg": redirect("/second.jpg", 301),
            "/second.jpg": redirect("http://landing.example/hop.jpg", 307),
            "/lost.jpg": Reply(b"", 302),
            "/old": redirect("/new", 308),
        },
    )


def landing() -> Site:
    """Where an honest redirect ends."""
    return Site(
        "landing.example",
        "the open end of a chain of redirects",
        seed=False,
        routes={
            "/hop.jpg": redirect("/here.jpg"),
            "/here.jpg": Reply(painted("landing").render, headers=(("Content-Type", "image/jpeg"),)),
        },
    )


def inside() -> Site:
    """Images and pages that redirect to addresses inside, and images whose URL is such an address.

    `secret.jpg` really listens on this web's own port: a request for it would stand in the log with a
    host that is no name.
    """
    places = {
        "metadata": "http://169.254.169.254/latest/meta-data/",
        "loopback": "http://127.0.0.1/secret.jpg",
        "loopback6": "http://[::1]/secret.jpg",
        "mapped": "http://[::ffff:127.0.0.1]/secret.jpg",
        "hex": "http://0x7f.1/secret.jpg",
        "decimal": "http://2130706433/secret.jpg",
        "zero": "http://0.0.0.0/secret.jpg",
        "private": "http://10.0.0.1/secret.jpg",
        "shared": "http://100.64.0.1/secret.jpg",
        "localhost": "http://localhost/secret.jpg",
        "user": "http://museum.example@127.0.0.1/secret.jpg",
    }
    schemes = {
        "file": "file:///etc/hostname",
        "ftp": "ftp://museum.example/a.jpg",
        "js": "javascript:void(0)",
    }

    def own_port(path: str) -> Route:
        async def answer(visit: Visit) -> Reply:
            return redirect(f"http://127.0.0.1:{visit.server.ports['http']}{path}")

        return answer

    def shown(name: str, where: str, expect: Expected) -> Figure:
        return Figure(f"/{name}.jpg", f"A redirect to {where}", expect=expect)

    direct = [
        Figure(url, f"An address in the page: {name}", expect=BLOCKED)
        for name, url in places.items()
        if name in ("metadata", "loopback", "loopback6", "hex", "private")
    ]
    unknown = Figure(
        "http://nobody.invalid/view.jpg",
        "A name that does not resolve",
        expect=ends(HoldReason.ROBOTS_UNREACHABLE, RefuseReason.ADDRESS_BLOCKED),
    )
    outward = ("/page-metadata", "/page-loopback", "/page-port")
    return Site(
        "inside.example",
        "redirects of images and pages to addresses inside and other schemes; IP-literal images",
        pages=(
            Page("/", "Inside", links=("/images", "/direct", *outward)),
            Page(
                "/images",
                "Redirects",
                [
                    *(shown(name, url, BLOCKED) for name, url in places.items()),
                    *(shown(name, url, NO_WAY) for name, url in schemes.items()),
                    shown("port", "this web's own port", BLOCKED),
                ],
            ),
            Page("/direct", "Addresses", [*direct, unknown]),
        ),
        routes={
            **{f"/{name}.jpg": redirect(url) for name, url in {**places, **schemes}.items()},
            "/port.jpg": own_port("/secret.jpg"),
            "/page-metadata": redirect(places["metadata"]),
            "/page-loopback": redirect(places["loopback6"]),
            "/page-port": own_port("/secret"),
        },
    )
