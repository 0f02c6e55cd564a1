"""The network under the add-on, on the production reactor: addresses, certificates, hostile servers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kyodaku.signals.protocols import all_protocols
from tests.foreign_project.run import Probed, local_recipe, probe
from tests.web.model import Reply, Site, redirect, text
from tests.web.pictures import painted
from tests.web.server import Visit
from tests.web.small_web import SmallWeb

JPEG = (("Content-Type", "image/jpeg"),)
PICTURE = painted("net").render
PUBLIC = """
version = 1
name = "net"

[operator]
crawler = "ShopBot"
contact = "https://shop.example/bot"

[seeds]
sites = ["https://shop.example/"]

[permission]
basis = "opt-in"
licences = ["by-4.0"]
"""
#: What the hostile servers learned about the client: how many bytes they could send before it left.
SENT: dict[str, int] = {}


def head(*fields: bytes, status: bytes = b"200 OK") -> bytes:
    return b"\r\n".join([b"HTTP/1.1 " + status, *fields, b"", b""])


async def pours(visit: Visit, piece: bytes, limit: int = 64 << 20) -> None:
    """Send `piece` again and again until the client leaves; remember how much went out."""
    sent = 0
    try:
        while sent < limit:
            await visit.send(piece)
            sent += len(piece)
            await asyncio.sleep(0)
    finally:
        SENT[visit.request.path] = sent


async def tagged(visit: Visit) -> None:
    """A refusing head, then nothing until the client leaves; the body comes only if it stays."""
    await visit.send(
        head(b"Content-Type: image/jpeg", b"X-Robots-Tag: noai", b"Content-Length: %d" % len(PICTURE()))
    )
    for _ in range(100):
        await asyncio.sleep(0.02)
        if visit.transport.is_closing():
            SENT[visit.request.path] = 0
            return
    SENT[visit.request.path] = len(PICTURE())
    await visit.send(PICTURE())


async def endless_headers(visit: Visit) -> None:
    await visit.send(b"HTTP/1.1 200 OK\r\n")
    await pours(visit, b"X-More: " + b"x" * 500 + b"\r\n")


async def long_line(visit: Visit) -> None:
    await visit.send(b"HTTP/1.1 200 OK\r\nX-Long: ")
    await pours(visit, b"x" * 65536)


async def endless_interim(visit: Visit) -> None:
    await pours(visit, b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 100)


async def many_fields(visit: Visit) -> None:
    await visit.send(head(b"Content-Type: image/jpeg", *[b"A: b"] * 400, b"Content-Length: 0"))


async def drip(visit: Visit) -> None:
    await visit.send(head(b"Content-Type: image/jpeg", b"Content-Length: 90000"))
    await visit.send(PICTURE()[:3000])
    while True:
        await visit.send(b"x")
        await asyncio.sleep(0.1)


async def endless_body(visit: Visit) -> None:
    await visit.send(head(b"Content-Type: image/jpeg", b"Connection: close"))
    await visit.send(PICTURE())
    await pours(visit, b"x" * 65536)


async def endless_hop(visit: Visit) -> None:
    fields = (b"Location: /fine.jpg", b"Content-Encoding: gzip", b"Connection: close")
    await visit.send(head(*fields, status=b"302 Found"))
    await pours(visit, b"x" * 65536)


async def reset_without_length(visit: Visit) -> None:
    await visit.send(head(b"Content-Type: image/jpeg", b"Connection: close") + PICTURE()[:5000])
    await asyncio.sleep(0.1)
    visit.abort()


async def reset_with_length(visit: Visit) -> None:
    fields = (b"Content-Type: image/jpeg", b"Content-Length: %d" % len(PICTURE()))
    await visit.send(head(*fields) + PICTURE()[:5000])
    await asyncio.sleep(0.1)
    visit.abort()


async def closed_without_length(visit: Visit) -> None:
    await visit.send(head(b"Content-Type: image/jpeg", b"Connection: close") + PICTURE())


SITES = [
    Site(
        "hostile.example",
        "every way to hurt a client that only the wire shows",
        routes={
            "/fine.jpg": Reply(PICTURE, headers=JPEG),
            "/Kept": Reply(PICTURE, headers=(*JPEG, ("X-Odd-CASE", "a"), ("X-Odd-CASE", "b"))),
            "/tagged.jpg": tagged,
            "/endless-headers.jpg": endless_headers,
            "/long-line.jpg": long_line,
            "/interim.jpg": endless_interim,
            "/many-fields.jpg": many_fields,
            "/drip.jpg": drip,
            "/endless-body.jpg": endless_body,
            "/endless-hop.jpg": endless_hop,
            "/reset.jpg": reset_with_length,
            "/reset-open.jpg": reset_without_length,
            "/closed-open.jpg": closed_without_length,
            "/zipped.jpg": Reply(PICTURE, headers=(*JPEG, ("Content-Encoding", "gzip"))),
            "/octets": Reply(PICTURE, headers=(("Content-Type", "application/octet-stream"),)),
            "/new-format": Reply(
                lambda: b"\xff\x0a" + bytes(500), headers=(("Content-Type", "application/octet-stream"),)
            ),
            "/page-lie": Reply(PICTURE, headers=(("Content-Type", "text/html"),)),
            "/noai-lie": Reply(PICTURE, headers=(("Content-Type", "text/plain"), ("X-Robots-Tag", "noai"))),
            "/image-type": Reply(PICTURE, headers=JPEG),
            "/words.jpg": text("no picture"),
            "/metadata.jpg": redirect("http://169.254.169.254/latest/meta-data/"),
            "/gone.jpg": text("gone", 404),
            "/busy.jpg": text("later", 503),
        },
    ),
    Site("bad-tls.example", "another name's certificate", "https", certificate_for="other.example"),
    Site("good-tls.example", "TLS", "https", routes={"/fine.jpg": Reply(PICTURE, headers=JPEG)}),
    Site("rebind.example.com", "seen by alternating answers", routes={"/a": text("a"), "/b": text("b")}),
]
HOSTILE = "http://hostile.example"
OUTSIDE = (
    "http://169.254.169.254/latest/meta-data/",
    "http://127.0.0.1/fine.jpg",
    "http://[::1]/fine.jpg",
    "http://0x7f.1/fine.jpg",
    "http://2130706433/fine.jpg",
    "http://hostile.example:8080/fine.jpg",
    "http://user@hostile.example/fine.jpg",
    "http://elsewhere.example/fine.jpg",
)


@pytest.fixture(scope="module")
def web() -> Iterator[SmallWeb]:
    with SmallWeb(SITES) as running:
        yield running


@pytest.fixture(scope="module")
def wire(web: SmallWeb, tmp_path_factory: pytest.TempPathFactory) -> Probed:
    """One crawl over everything hostile, each URL asked for as an image, some without a kind."""
    paths = [path for site in SITES if site.name == "hostile.example" for path in site.routes]
    unkind = ("/octets", "/new-format", "/page-lie", "/noai-lie", "/image-type")
    requests: list[dict[str, Any]] = [
        {"url": HOSTILE + path, "kind": "" if path in unkind else "image"} for path in paths
    ]
    requests += [{"url": url, "kind": "image"} for url in OUTSIDE]
    requests += [
        {"url": "https://bad-tls.example/fine.jpg", "kind": "image"},
        {"url": "https://good-tls.example/fine.jpg", "kind": "image"},
        {
            "url": f"{HOSTILE}/disguise",
            "kind": "page",
            "headers": {"Cookie": "a=b", "Authorization": "Basic eA==", "Host": "good-tls.example"},
        },
        {"url": f"{HOSTILE}/fine.jpg?bypass", "bypass": True},
        {"url": f"{HOSTILE}/fine.jpg?proxy", "meta": {"proxy": "http://127.0.0.1:9/"}},
        {"url": f"{HOSTILE}/robots.txt", "kind": "host_file"},
        {"url": f"{HOSTILE}/fine.jpg", "kind": "no such kind"},
        {"url": f"{HOSTILE}/a/../fine.jpg#part", "kind": "image"},
    ]
    return probe(tmp_path_factory.mktemp("wire"), local_recipe(web.host_table_path), requests)


def reason(result: dict[str, Any]) -> str:
    return str(result.get("reason", ""))


def test_an_image_passes_every_gate_with_its_headers_as_served(wire: Probed) -> None:
    kept = wire[f"{HOSTILE}/Kept"]
    assert kept["gates"] == ["g0", "g3", "g4", "g5"]
    assert kept["headers"][1:3] == [["X-Odd-CASE", "a"], ["X-Odd-CASE", "b"]]
    assert kept["bytes"] == len(PICTURE())
    assert kept["ip"] == kept["served_by"] == "127.0.0.1"


def test_a_refusing_head_ends_the_download_before_a_byte_of_the_body(wire: Probed) -> None:
    tagged = wire[f"{HOSTILE}/tagged.jpg"]
    assert (tagged["gate"], tagged["verdict"], tagged["reason"]) == ("g4", "refuse", "x_robots_tag")
    assert tagged["sha256"] == ""
    assert SENT["/tagged.jpg"] == 0


@pytest.mark.parametrize("name", ["endless-headers", "long-line", "interim", "many-fields"])
def test_headers_are_bounded_while_they_are_read(wire: Probed, name: str) -> None:
    assert reason(wire[f"{HOSTILE}/{name}.jpg"]) == "too_large"
    assert SENT.get(f"/{name}.jpg", 0) < 16 << 20


def test_a_slow_body_is_given_up(wire: Probed) -> None:
    assert reason(wire[f"{HOSTILE}/drip.jpg"]) == "too_slow"


def test_a_body_is_cut_at_its_cap(wire: Probed) -> None:
    assert reason(wire[f"{HOSTILE}/endless-body.jpg"]) == "too_large"
    assert SENT["/endless-body.jpg"] < 32 << 20


def test_the_body_of_a_redirect_is_neither_read_nor_unpacked(wire: Probed) -> None:
    hop = wire[f"{HOSTILE}/endless-hop.jpg"]
    assert (hop["status"], hop["bytes"], hop["gates"]) == (302, 0, ["g0", "g3"])
    assert SENT["/endless-hop.jpg"] < 16 << 20


@pytest.mark.parametrize("path", ["/reset.jpg", "/reset-open.jpg"])
def test_a_reset_in_the_body_holds(wire: Probed, path: str) -> None:
    result = wire[HOSTILE + path]
    assert (result["verdict"], result["reason"], result["fetch_error"]) == (
        "hold",
        "image_unreachable",
        "reset",
    )


def test_a_body_that_ends_with_its_connection_is_whole(wire: Probed) -> None:
    assert wire[f"{HOSTILE}/closed-open.jpg"]["bytes"] == len(PICTURE())


def test_a_packed_image_is_never_unpacked(wire: Probed) -> None:
    assert reason(wire[f"{HOSTILE}/zipped.jpg"]) == "decompression_bomb"


@pytest.mark.parametrize("path", ["/octets", "/page-lie", "/image-type"])
def test_bytes_of_an_image_pass_g4_and_g5_whatever_they_are_called(wire: Probed, path: str) -> None:
    assert wire[HOSTILE + path]["gates"] == ["g0", "g3", "g4", "g5"]


def test_a_refusal_holds_for_an_image_in_disguise(wire: Probed) -> None:
    assert reason(wire[f"{HOSTILE}/noai-lie"]) == "x_robots_tag"


def test_a_picture_that_nobody_here_can_read_is_a_picture(wire: Probed) -> None:
    assert reason(wire[f"{HOSTILE}/new-format"]) == "format_not_allowed"


@pytest.mark.parametrize(
    ("path", "verdict", "why"),
    [
        ("/words.jpg", "fail", "not_an_image"),
        ("/gone.jpg", "fail", "not_found"),
        ("/busy.jpg", "hold", "image_unreachable"),
    ],
)
def test_answers_that_are_no_image(wire: Probed, path: str, verdict: str, why: str) -> None:
    assert (wire[HOSTILE + path]["verdict"], reason(wire[HOSTILE + path])) == (verdict, why)


@pytest.mark.parametrize("url", OUTSIDE)
def test_places_that_are_never_spoken_to(wire: Probed, web: SmallWeb, url: str) -> None:
    assert reason(wire[url]) == "address_blocked"
    assert wire[url]["ip"] == ""
    assert {entry.host for entry in web.log} <= {site.name for site in SITES}


def test_certificates_are_verified_against_the_name(wire: Probed, web: SmallWeb) -> None:
    assert reason(wire["https://bad-tls.example/fine.jpg"]) == "robots_unreachable"
    assert web.requests("bad-tls.example") == []
    assert wire["https://good-tls.example/fine.jpg"]["gates"] == ["g0", "g3", "g4", "g5"]


def test_no_identity_is_borrowed(wire: Probed, web: SmallWeb) -> None:
    assert "status" in wire[f"{HOSTILE}/disguise"]
    asked = web.requests("hostile.example", "/disguise")[-1]
    assert [asked.header(name) for name in ("Cookie", "Authorization", "Host")] == ["", "", "hostile.example"]
    agents = {entry.header("User-Agent") for entry in web.log if entry.host == "hostile.example"}
    assert agents == {"ShopBot/1.0 (+https://shop.example/bot) Kyodaku/0.1"}


def test_nothing_reaches_the_handler_past_the_gates(wire: Probed, web: SmallWeb) -> None:
    assert reason(wire[f"{HOSTILE}/fine.jpg?bypass"]) == "gate_exception"
    assert web.requests("hostile.example", "/fine.jpg?bypass") == []


def test_no_proxy(wire: Probed) -> None:
    assert reason(wire[f"{HOSTILE}/fine.jpg?proxy"]) == "address_blocked"


def test_a_host_file_request_cannot_be_forged(wire: Probed, web: SmallWeb) -> None:
    forged = wire[f"{HOSTILE}/robots.txt"]
    assert forged["error"] == "FetchFailed"
    assert len(web.requests("hostile.example", "/robots.txt")) == 1


def test_a_kind_nobody_knows_closes(wire: Probed) -> None:
    results = [result for result in wire.results if result["url"] == f"{HOSTILE}/fine.jpg"]
    assert [reason(result) for result in results] == ["", "gate_exception"]


def test_what_is_sent_is_the_normalised_url(wire: Probed, web: SmallWeb) -> None:
    assert wire[f"{HOSTILE}/a/../fine.jpg#part"]["gates"][-1] == "g5"
    assert web.requests("hostile.example", "/fine.jpg")
    assert not [entry for entry in web.log if ".." in entry.path]


# ------------------------------------------------------------------ names and addresses


GLOBAL, GLOBAL6 = "93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"


def test_a_name_that_turns_inward_is_left(web: SmallWeb, tmp_path: Path) -> None:
    """DNS rebinding: host files by a public address, then an answer inside, then a public one again."""
    files = len({path for protocol in all_protocols() for path in protocol.host_files})
    script = [*[[GLOBAL]] * (files + 1), ["127.0.0.1"], [GLOBAL, GLOBAL6]]
    told = probe(
        tmp_path,
        PUBLIC,
        [{"url": f"http://rebind.example.com{path}", "kind": "page"} for path in ("/a", "/b", "/a")],
        answers={"rebind.example.com": script},
        port=web.server.ports["http"],
    )
    first, inside, last = told.results
    assert (first["status"], first["ip"]) == (200, GLOBAL)
    assert (inside["gate"], inside["reason"]) == ("g0", "address_blocked")
    assert last["ip"] == GLOBAL
    assert told.connects == [f"{GLOBAL} 80"], "one connection, used again only for the same address"
    assert len(told.asked) == files + 3, "each request resolves its name exactly once"


def test_one_address_inside_among_the_answers_is_enough(web: SmallWeb, tmp_path: Path) -> None:
    within = ["10.0.0.1", "169.254.169.254", "::1", "64:ff9b::7f00:1", "100.64.0.1", "::ffff:127.0.0.1"]
    answers = {f"in{number}.example.com": [[GLOBAL, inside]] for number, inside in enumerate(within)}
    names = [*answers, "nowhere.example.com"]
    requests = [{"url": f"http://{name}/a", "kind": "page"} for name in names]
    told = probe(tmp_path, PUBLIC, requests, answers=answers, port=web.server.ports["http"])
    assert [reason(result) for result in told.results] == ["robots_unreachable"] * len(names)
    assert told.connects == []
    assert told.asked == names, "a held origin is not asked again at once"
