"""The small web is what it says: tests of the servers that all other tests trust."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import io
import json
import re
import ssl
import subprocess
import sys
import time
import tomllib
import zlib
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

import pytest
from PIL import Image

from kyodaku.reasons import FailReason, FilterReason, Outcome, RefuseReason
from tests.tools import need_path
from tests.web import Figure, Page, Reply, Site, SmallWeb
from tests.web.bench import IMAGE_BYTES, BenchWeb
from tests.web.client import Answer, get, opened
from tests.web.model import candidates
from tests.web.openclipart import INSTALLED, Library, with_clipart
from tests.web.pictures import painted
from tests.web.sites import all_sites, endless_free_sites
from tests.web.sites.museum import EVIDENCE_URL, HOST, STATEMENT, pieces

ROOT = Path(__file__).parents[2]


def follow(web: SmallWeb, url: str) -> Answer:
    """GET with redirects, as a careless client would."""
    for _ in range(8):
        answer = get(web, url)
        if answer.status not in (301, 302, 307, 308):
            return answer
        url = urljoin(url, answer.headers["Location"])
    raise AssertionError(f"{url} redirects for ever")


def settled(web: SmallWeb, url: str) -> Answer:
    """The answer of a server after it had its chance to recover."""
    answer = follow(web, url)
    return follow(web, url) if answer.status in (429, 503) else answer


# --------------------------------------------------------------------------- the servers


def test_every_name_is_reserved_and_every_site_says_what_it_shows() -> None:
    sites = all_sites()
    names = [site.name for site in sites]
    assert len(names) == len(set(names)) >= 18
    assert all(name.endswith(".example") for name in names)
    assert all(site.shows for site in sites)
    assert sum(site.scheme == "https" and not site.certificate_for for site in sites) >= 2


def test_host_table_maps_standard_ports_to_loopback(shared_small_web: SmallWeb) -> None:
    table = tomllib.loads(shared_small_web.host_table_path.read_text())
    assert (shared_small_web.host_table_path.parent / table["ca"]).read_text().startswith("-----BEGIN")
    assert table["hosts"]["museum.example:443"] != table["hosts"]["museum.example:80"]
    assert "studio.example:443" not in table["hosts"]
    for name, address in table["hosts"].items():
        assert name.endswith((":80", ":443"))
        assert re.fullmatch(r"127\.0\.0\.1:\d{2,5}", address)


def test_https_is_checked_against_the_test_ca(shared_small_web: SmallWeb) -> None:
    assert get(shared_small_web, "https://museum.example/").status == 200
    assert get(shared_small_web, "https://images.museum.example/media/102.jpg").status == 200
    with pytest.raises(ssl.SSLCertVerificationError, match="not valid for"):
        get(shared_small_web, "https://wrong-name.example/robots.txt")


def test_plain_http_of_an_https_site_redirects(shared_small_web: SmallWeb) -> None:
    answer = get(shared_small_web, "http://museum.example/collection?a=b")
    assert (answer.status, answer.headers["Location"]) == (301, "https://museum.example/collection?a=b")


def test_a_dead_host_refuses_connections(shared_small_web: SmallWeb) -> None:
    with pytest.raises(ConnectionRefusedError):
        get(shared_small_web, "http://dead.example/robots.txt")


def test_unknown_hosts_and_paths_are_404(shared_small_web: SmallWeb) -> None:
    assert get(shared_small_web, "http://studio.example/no-such-page").status == 404
    assert get(shared_small_web, "https://images.museum.example/robots.txt").status == 404


def test_log_records_every_request() -> None:
    ticks = iter(range(100))
    site = Site("a.example", "one page", pages=(Page("/", "Hello"),))
    with SmallWeb([site], clock=lambda: float(next(ticks))) as web:
        get(web, "http://a.example/")
        get(web, "http://a.example/missing?x=1")
        first, second = web.log
        assert (first.time, first.method, first.host, first.path) == (0.0, "GET", "a.example", "/")
        assert (second.time, second.path) == (1.0, "/missing?x=1")
        assert second.url == "http://a.example/missing?x=1"
        assert first.header("connection") == "close"
        assert first.peer[0] == "127.0.0.1"
        assert first.peer[1] != second.peer[1]
        assert web.requests("a.example", "/") == [first]


def test_answers_can_be_changed_in_turn() -> None:
    figure = Figure("/a.jpg", "A picture", painted("test/a"))
    site = Site("a.example", "one picture", pages=(Page("/", "Hello", (figure,)),))
    with SmallWeb([site]) as web:
        url = "http://a.example/a.jpg"
        web.set(url, Reply(status=503), web.answer(url))
        statuses = [get(web, url).status for _ in range(3)]
        assert statuses == [503, 200, 200]
        assert get(web, url).body == figure.picture.render()  # type: ignore[union-attr]


def test_two_webs_serve_the_same_bytes() -> None:
    sites = [site for site in all_sites() if site.name in ("museum.example", "studio.example", "xmp.example")]

    def digests() -> dict[str, str]:
        with SmallWeb(sites) as web:
            urls = sorted({url for pair in web.expected for url in pair if "images." not in url})
            return {url: hashlib.sha256(get(web, url).body).hexdigest() for url in urls}

    assert digests() == digests()


# --------------------------------------------------------------------------- pages and pictures


def test_every_readable_page_answers_and_shows_its_figures(shared_small_web: SmallWeb) -> None:
    for site in shared_small_web.sites:
        if not site.seed or site.expect_host is not None:
            continue
        for page in site.pages:
            if page.expect_page is not None:
                continue
            if page.follows:
                get(shared_small_web, page.follows)
            answer = settled(shared_small_web, site.url(page.path))
            assert answer.status == 200, site.url(page.path)
            html = answer.body.decode(page.charset)
            for figure in page.figures:
                if figure.alt and not figure.html:
                    assert figure.src in unescape(html)


def test_what_is_to_be_released_decodes_and_differs(shared_small_web: SmallWeb) -> None:
    owners: dict[bytes, str] = {}
    for item in shared_small_web.expected.values():
        if item.expect.outcome is not Outcome.RELEASED or item.expect.cluster:
            continue
        if item.image_url == "http://zipped.example/hop.jpg":
            continue  # its redirect carries a bomb
        answer = settled(shared_small_web, item.image_url)
        assert answer.status == 200, item.image_url
        with Image.open(io.BytesIO(answer.body)) as image:
            assert min(image.size) >= 256, item.image_url
            pixels = hashlib.sha256(image.convert("RGB").tobytes()).digest()
        assert owners.setdefault(pixels, item.image_url) == item.image_url


def test_twins_are_twins(shared_small_web: SmallWeb) -> None:
    left, right = (
        get(shared_small_web, f"http://twins.example/{side}.jpg").body for side in ("left", "right")
    )
    assert left == right
    loose, tight = (
        get(shared_small_web, f"http://twins.example/{name}").body for name in ("loose.png", "tight.webp")
    )
    assert loose != tight
    with Image.open(io.BytesIO(loose)) as a, Image.open(io.BytesIO(tight)) as b:
        assert a.convert("RGB").tobytes() == b.convert("RGB").tobytes()


def test_no_refused_picture_equals_a_released_one(shared_small_web: SmallWeb) -> None:
    """Or the rule that equal bytes share a refusal would take the released one too."""
    late = ("silent.example", "twins.example")
    digests: dict[Outcome, set[bytes]] = {Outcome.RELEASED: set(), Outcome.REFUSED: set()}
    for site in shared_small_web.sites:
        for page in site.pages:
            for figure in page.figures:
                known = figure.picture is not None and figure.expect is not None and site.name not in late
                if known and figure.expect.outcome in digests:  # type: ignore[union-attr]
                    body = figure.picture.render()  # type: ignore[union-attr]
                    digests[figure.expect.outcome].add(hashlib.sha256(body).digest())  # type: ignore[union-attr]
    assert digests[Outcome.RELEASED]
    assert digests[Outcome.REFUSED]
    assert not digests[Outcome.RELEASED] & digests[Outcome.REFUSED]


def test_the_museum_states_what_the_recipe_quotes(shared_small_web: SmallWeb) -> None:
    recipe = tomllib.loads((ROOT / "datasets/demo/recipe.toml").read_text())
    (institution,) = recipe["institutions"]
    assert (institution["host"], institution["statement"]) == (HOST, STATEMENT)
    assert institution["evidence_url"] == EVIDENCE_URL
    for piece in pieces():
        assert STATEMENT in get(shared_small_web, f"https://{HOST}{piece.path}").text
    assert STATEMENT not in get(shared_small_web, f"https://{HOST}/collection").text


def test_the_demo_recipe_crawls_every_seed(shared_small_web: SmallWeb) -> None:
    recipe = tomllib.loads((ROOT / "datasets/demo/recipe.toml").read_text())
    assert sorted(recipe["seeds"]["sites"]) == sorted(shared_small_web.seeds)


def test_sitemaps_of_the_museum_list_its_objects(shared_small_web: SmallWeb) -> None:
    index = get(shared_small_web, f"https://{HOST}/sitemap.xml").text
    assert f"https://{HOST}/sitemap-objects.xml.gz" in index
    packed = get(shared_small_web, f"https://{HOST}/sitemap-objects.xml.gz").body
    listed = re.findall(r"<loc>(.*?)</loc>", gzip.decompress(packed).decode())
    assert listed == [f"https://{HOST}{piece.path}" for piece in pieces()]
    images = get(shared_small_web, f"https://{HOST}/sitemap-images.xml").text
    assert images.count("<image:loc>") == len(pieces())


def test_one_picture_of_the_museum_knows_where_it_was_taken(shared_small_web: SmallWeb) -> None:
    with Image.open(io.BytesIO(get(shared_small_web, f"https://{HOST}/media/111.jpg").body)) as image:
        assert image.getexif().get_ifd(0x8825)[2] == (35.0, 42.0, 57.25)


@pytest.mark.parametrize("name", ["jpeg.jpg", "png.png", "webp.webp"])
def test_refusals_travel_inside_files(shared_small_web: SmallWeb, name: str) -> None:
    body = get(shared_small_web, f"http://xmp.example/{name}").body
    assert b"DMI-PROHIBITED" in body
    with Image.open(io.BytesIO(body)) as image:
        image.load()
        packet = image.info["xmp"]
    assert b"http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED" in (
        packet if isinstance(packet, bytes) else packet.encode()
    )


def test_japanese_pages_are_in_their_encodings(shared_small_web: SmallWeb) -> None:
    assert (
        "波間を行く一艘の舟".encode("shift_jis") in get(shared_small_web, "http://nihonga.example/sjis").body
    )
    euc = get(shared_small_web, "http://nihonga.example/euc")
    assert "満開の桜の木".encode("euc_jp") in euc.body
    assert "charset" not in euc.headers["Content-Type"]
    assert get(shared_small_web, "http://nihonga.example/e/%E7%A7%8B.jpg").status == 200


def test_the_cdn_speaks_where_the_page_is_silent(shared_small_web: SmallWeb) -> None:
    page = get(shared_small_web, "http://painter.example/")
    assert "X-Robots-Tag" not in page.headers
    assert "noai" not in page.text
    assert get(shared_small_web, "http://cdn.painter.example/3.jpg").headers.get_all("X-Robots-Tag") == [
        "index",
        "NoImageAI",
    ]


def test_the_late_no_waits_until_the_picture_was_fetched(small_web: SmallWeb) -> None:
    get(small_web, "http://silent.example/b.jpg")
    began = time.monotonic()
    assert "noai" in get(small_web, "http://late.example/later").text
    assert time.monotonic() - began < 2


# --------------------------------------------------------------------------- expectations


def test_expectations_cover_every_outcome_of_a_crawl(shared_small_web: SmallWeb) -> None:
    outcomes = {item.expect.outcome for item in shared_small_web.expected.values()}
    assert outcomes >= {
        Outcome.RELEASED,
        Outcome.REFUSED,
        Outcome.HELD,
        Outcome.FILTERED,
        Outcome.FAILED,
        Outcome.NOT_REQUESTED,
    }
    reasons = {item.expect.reasons[0] for item in shared_small_web.expected.values()}
    assert reasons >= {RefuseReason.ROBOTS_PURPOSE, RefuseReason.ADDRESS_BLOCKED, FailReason.PIXEL_BOMB}
    assert set(shared_small_web.expected_hosts) >= {"robots-500.example", "closed.example"}
    assert set(shared_small_web.expected_pages) >= {"http://captcha.example/", "http://zipped.example/bomb"}


def test_expected_json_says_the_same(shared_small_web: SmallWeb) -> None:
    listed = json.loads((shared_small_web.folder / "expected.json").read_text())
    assert len(listed) == len(shared_small_web.expected)
    assert {"image_url", "page_url", "outcome", "reason"} == set(listed[0])


def test_pages_that_nobody_reads_show_no_candidates() -> None:
    figure = Figure("/a.jpg", "A picture")
    walled = Page("/", "Walled", (figure,), expect_page=RefuseReason.LEGAL_BLOCK)
    assert candidates(Site("a.example", "walled", pages=(walled,))) == []
    closed = Site(
        "a.example", "closed", pages=(Page("/", "", (figure,)),), expect_host=RefuseReason.ROBOTS_DISALLOW
    )
    assert candidates(closed) == []
    assert len(candidates(Site("a.example", "open", pages=(Page("/", "", (figure,)),)))) == 1


def test_traps_are_apart() -> None:
    assert {site.name for site in all_sites()} - {site.name for site in endless_free_sites()} == {
        "calendar.example",
        "sessions.example",
        "decoy.example",
    }


def test_small_and_long_pictures_are_what_the_filters_drop(shared_small_web: SmallWeb) -> None:
    wanted = {FilterReason.LOW_RESOLUTION: False, FilterReason.EXTREME_ASPECT: False}
    for item in shared_small_web.expected.values():
        if item.expect.reasons[0] in wanted:
            with Image.open(io.BytesIO(get(shared_small_web, item.image_url).body)) as image:
                small = min(image.size) < 256
                assert small or max(image.size) / min(image.size) > 4
                assert small == (item.expect.reasons[0] is FilterReason.LOW_RESOLUTION)
            wanted[item.expect.reasons[0]] = True  # type: ignore[index]
    assert all(wanted.values())


# --------------------------------------------------------------------------- hostile


@pytest.mark.parametrize(
    ("host", "status"),
    [("robots-500", 500), ("robots-401", 401), ("robots-429", 429), ("robots-402", 402), ("robots-451", 451)],
)
def test_robots_answers_its_status(shared_small_web: SmallWeb, host: str, status: int) -> None:
    assert get(shared_small_web, f"http://{host}.example/robots.txt").status == status


def test_robots_that_never_answers(shared_small_web: SmallWeb) -> None:
    with pytest.raises(TimeoutError):
        get(shared_small_web, "http://robots-timeout.example/robots.txt", timeout=0.3)


def test_robots_that_breaks(shared_small_web: SmallWeb) -> None:
    with pytest.raises(ConnectionResetError):
        get(shared_small_web, "http://robots-reset.example/robots.txt")
    with pytest.raises(http.client.IncompleteRead):
        get(shared_small_web, "http://robots-half.example/robots.txt")


def test_robots_hops_are_counted(shared_small_web: SmallWeb) -> None:
    def hops(url: str) -> int:
        count = 0
        while (answer := get(shared_small_web, url)).status == 302:
            url, count = urljoin(url, answer.headers["Location"]), count + 1
        assert answer.text.startswith("User-agent")
        return count

    assert hops("http://five-hops.example/robots.txt") == 5
    assert hops("http://robots-six-hops.example/robots.txt") == 6


def test_robots_of_ten_megabytes(shared_small_web: SmallWeb) -> None:
    assert len(get(shared_small_web, "http://robots-huge.example/robots.txt").body) > 9_900_000


def test_robots_with_bom_and_carriage_returns(shared_small_web: SmallWeb) -> None:
    body = get(shared_small_web, "http://oldmac.example/robots.txt").body
    assert body.startswith(b"\xef\xbb\xbf")
    assert b"\n" not in body


def test_drip_is_slower_than_any_minimum_rate(shared_small_web: SmallWeb) -> None:
    with opened(shared_small_web, "http://drip.example/drip.jpg") as sock:
        sock.sendall(b"GET /drip.jpg HTTP/1.1\r\nHost: drip.example\r\n\r\n")
        time.sleep(1.2)
        _, _, body = sock.recv(65536).partition(b"\r\n\r\n")
    assert 1 <= len(body) <= 8


def test_gzip_bombs_unfold(shared_small_web: SmallWeb) -> None:
    body = get(shared_small_web, "http://zipped.example/bomb.jpg", limit=200_000).body
    assert len(zlib.decompressobj(31).decompress(body)) > 100 * len(body)
    twice = get(shared_small_web, "http://zipped.example/twice.jpg").body
    assert len(twice) < 100_000
    once = zlib.decompressobj(31).decompress(twice, 1 << 20)
    assert len(zlib.decompressobj(31).decompress(once, 64 << 20)) == 64 << 20
    hop = get(shared_small_web, "http://zipped.example/hop.jpg", limit=100_000)
    assert (hop.status, hop.headers["Content-Encoding"], len(hop.body)) == (302, "gzip", 100_000)


@pytest.mark.parametrize(
    ("name", "side", "frames", "largest"),
    [("bomb", 12_000, 1, 30_000), ("quiet", 9_000, 1, 15_000), ("frames", 300, 10_000, 1_200_000)],
)
def test_pixel_bombs_are_small_and_promise_much(
    shared_small_web: SmallWeb, name: str, side: int, frames: int, largest: int
) -> None:
    body = get(shared_small_web, f"http://pixels.example/{name}.png").body
    assert len(body) < largest
    assert int.from_bytes(body[16:20], "big") == side
    if frames > 1:
        with Image.open(io.BytesIO(body)) as image:
            assert image.n_frames == frames  # type: ignore[attr-defined]


def test_liars_lie(shared_small_web: SmallWeb) -> None:
    page = get(shared_small_web, "http://liar.example/page.jpg")
    assert page.headers["Content-Type"] == "image/jpeg"
    assert page.body.startswith(b"<!doctype html>")
    named = get(shared_small_web, "http://liar.example/named.html")
    assert named.headers["Content-Type"] == "text/html"
    assert named.body.startswith(b"\x89PNG")


def test_broken_bodies_break(shared_small_web: SmallWeb) -> None:
    with pytest.raises(ConnectionResetError):
        get(shared_small_web, "http://broken.example/reset.jpg")
    for name in ("closed", "chunks"):
        with pytest.raises(http.client.IncompleteRead):
            get(shared_small_web, f"http://broken.example/{name}.jpg")
    with pytest.raises(http.client.BadStatusLine):
        get(shared_small_web, "http://broken.example/noise.jpg")
    truncated = get(shared_small_web, "http://broken.example/truncated.jpg")
    assert len(truncated.body) == int(truncated.headers["Content-Length"])
    with Image.open(io.BytesIO(truncated.body)) as image, pytest.raises(OSError, match="truncated"):
        image.load()


def test_headers_of_a_megabyte(shared_small_web: SmallWeb) -> None:
    with opened(shared_small_web, "http://headers.example/") as sock:
        sock.sendall(b"GET /long HTTP/1.1\r\nHost: headers.example\r\n\r\n")
        received = b"".join(iter(lambda: sock.recv(1 << 16), b""))
    assert len(received.partition(b"\r\n\r\n")[0]) > 1_000_000


def test_big_bodies_are_big(shared_small_web: SmallWeb) -> None:
    assert (
        int(get(shared_small_web, "http://big.example/announced.jpg", limit=10).headers["Content-Length"])
        == 25 * 10**6
    )
    for name in ("unannounced", "endless"):
        assert (
            len(get(shared_small_web, f"http://big.example/{name}.jpg", limit=21 * 10**6).body) == 21 * 10**6
        )


def test_split_view_changes(small_web: SmallWeb) -> None:
    first, second = (get(small_web, "http://split.example/view.jpg").body for _ in range(2))
    assert first != second


def test_redirects_lead_inside(shared_small_web: SmallWeb) -> None:
    def location(name: str) -> str:
        return get(shared_small_web, f"http://inside.example/{name}").headers["Location"]

    assert location("metadata.jpg").startswith("http://169.254.169.254/")
    assert location("page-loopback") == "http://[::1]/secret.jpg"
    assert location("port.jpg") == f"http://127.0.0.1:{shared_small_web.server.ports['http']}/secret.jpg"


def test_traps_have_no_end(shared_small_web: SmallWeb) -> None:
    def links(url: str) -> list[str]:
        return re.findall(r'<li><a href="([^"]+)"', get(shared_small_web, url).text)

    assert links("http://calendar.example/calendar?month=1000000") == [
        "/calendar?month=1000001",
        "/calendar?month=999999",
    ]
    one = links("http://sessions.example/")
    assert not set(one) & set(links(f"http://sessions.example{one[0]}"))
    bodies = {get(shared_small_web, f"http://decoy.example/{name}.jpg").body for name in ("a", "b", "c")}
    assert len(bodies) == 1


# --------------------------------------------------------------------------- programs


def test_program_serves_until_its_input_closes(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.web", "--dir", str(tmp_path)], stdin=subprocess.PIPE, cwd=ROOT
    ) as process:
        deadline = time.monotonic() + 30
        while not (tmp_path / "ready").exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        table = tomllib.loads((tmp_path / "hosts.toml").read_text())
        host, port = table["hosts"]["studio.example:80"].split(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=5)
        connection.request("GET", "/", headers={"Host": "studio.example"})
        assert connection.getresponse().status == 200
        connection.close()
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=10) == 0
    assert not (tmp_path / "ready").exists()


def test_bench_web_serves_distinct_images_of_one_size(tmp_path: Path) -> None:
    with BenchWeb(tmp_path, hosts=3, images_per_host=12, processes=2) as web:
        table = tomllib.loads(web.host_table_path.read_text())
        assert len(set(table["hosts"].values())) == len(web.seeds) == 3
        bodies = set()
        for number, seed in enumerate(web.direct_seeds):
            address, port = seed.removeprefix("http://").rstrip("/").split(":")
            connection = http.client.HTTPConnection(address, int(port), timeout=5)
            paths = ["/robots.txt", "/", f"/p/{number}-1", *(f"/i/{number}-{n}.jpg" for n in range(12))]
            for path in paths:  # one connection, kept
                connection.request("GET", path)
                response = connection.getresponse()
                body = response.read()
                assert response.status == 200
                if path.startswith("/i/"):
                    assert len(body) == IMAGE_BYTES
                    bodies.add(body)
                elif path.startswith("/p/"):
                    assert body.decode().count("<img") == 2
            connection.close()
        assert len(bodies) == 36
        with Image.open(io.BytesIO(bodies.pop())) as image:
            image.load()


SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg"><metadata><rdf:RDF xmlns:cc="http://web.resource.org/cc/" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<cc:Work rdf:about=""><dc:title>A heron</dc:title><dc:subject><rdf:Bag><rdf:li>bird</rdf:li></rdf:Bag>'
    "</dc:subject><dc:creator><cc:Agent><dc:title>Somebody</dc:title></cc:Agent></dc:creator>"
    '<cc:license rdf:resource="{licence}"/></cc:Work></rdf:RDF></metadata></svg>'
)


def test_the_museum_grows_by_an_installed_collection(tmp_path: Path) -> None:
    for name, licence in (
        ("heron", "http://web.resource.org/cc/PublicDomain"),
        ("gpl", "http://gnu.example/GPL"),
    ):
        for folder, suffix, body in (
            ("svg", ".svg", SVG.format(licence=licence).encode()),
            ("png", ".png", painted(f"clip/{name}", kind="PNG").render()),
        ):
            (tmp_path / folder / "birds").mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / "birds" / f"{name}{suffix}").write_bytes(body)
    with SmallWeb(with_clipart(all_sites(), tmp_path)) as web:
        assert "/clipart" in get(web, f"https://{HOST}/").text
        assert "/clipart/birds/heron" in get(web, f"https://{HOST}/clipart").text
        heron = get(web, f"https://{HOST}/clipart/birds/heron").text
        assert STATEMENT in heron
        assert 'alt="A heron, bird"' in heron
        assert STATEMENT not in get(web, f"https://{HOST}/clipart/birds/gpl").text
        assert get(web, f"https://{HOST}/clipart/birds/heron.png").body.startswith(b"\x89PNG")
        assert get(web, f"https://{HOST}/clipart/../../etc/passwd").status == 404


def test_a_missing_collection_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="openclipart-png"):
        with_clipart(all_sites(), tmp_path)


def test_the_whole_collection() -> None:
    need_path(INSTALLED / "png", "openclipart-png")
    need_path(INSTALLED / "svg", "openclipart-svg")
    library = Library()
    assert len(library.works) == 8121
    assert sum(library.metadata(name).is_free for name in list(library.works)[:200]) > 190


def test_no_picture_is_committed_and_every_photograph_is_credited() -> None:
    folder = ROOT / "tests/web"
    assert not [
        file for file in folder.rglob("*") if file.suffix in (".jpg", ".jpeg", ".png", ".webp", ".gif")
    ]
    used = set(re.findall(r'"([a-z_]+\.(?:png|jpg))"', (folder / "sites/museum.py").read_text()))
    credited = set(re.findall(r"`([a-z_]+\.(?:png|jpg))`", (folder / "CREDITS.md").read_text()))
    assert used == credited
    assert used
