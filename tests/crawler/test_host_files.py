"""Host files: what is kept of them, and for how long a copy stands in."""

from __future__ import annotations

import gzip
import zlib
from hashlib import sha256
from pathlib import Path

import pytest

from tests.crawler.scripted import Page, Scripted, html, png, recipe, redirect, text

ROBOTS = "http://a.example/robots.txt"
HOME = "http://a.example/"
PICTURE = "http://v.example/art.png"
OPEN = text("User-agent: *\nDisallow:\n")

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h9v9z"/></svg>'
#: Begins like a bitmap, though a parser would find a rule in it.
BITMAP = b"BM of a picture\nUser-agent: *\nDisallow:\n"


def kept_bodies(scripted: Scripted) -> list[bytes]:
    warc = b"".join(gzip.decompress(path.read_bytes()) for path in scripted.folder.glob("evidence/*.gz"))
    rows = scripted.crawl.store.rows("SELECT body FROM host_bodies")
    return [warc, *(zlib.decompress(body) for (body,) in rows)]


@pytest.mark.parametrize(
    "body", [png(7).body, SVG, BITMAP, b"User-agent: *\nDisallow:\n" + png(7).body, b"\x00" + b"x" * 2**20]
)
@pytest.mark.parametrize("moved", [True, False])
def test_a_picture_in_the_place_of_robots_txt_is_never_kept(tmp_path: Path, body: bytes, moved: bool) -> None:
    answer = Page(body, 200, (("Content-Type", "text/plain"), ("X-Said", "so")))
    web = {ROBOTS: redirect(PICTURE), PICTURE: answer} if moved else {ROBOTS: answer}
    scripted = Scripted(tmp_path, recipe(), {**web, HOME: html("x")})
    scripted.run()
    assert HOME not in scripted.urls()
    assert not [kept for kept in kept_bodies(scripted) if body in kept or body[:16] in kept]
    row = scripted.crawl.store.row("SELECT sha256, bytes, headers, reason FROM host_files")
    assert row[:2] == (sha256(body).hexdigest(), len(body))
    assert "X-Said" in row[2]
    assert row[3] == "robots_not_text"


def test_a_picture_that_was_not_kept_still_holds_after_a_restart(tmp_path: Path) -> None:
    scripted = Scripted(tmp_path, recipe(), {ROBOTS: png(7), HOME: html('<img src="/x.png">')})
    scripted.run(1)
    scripted.kill()
    scripted.web[ROBOTS] = text("", 503)  # what was said before may stand in for an outage
    scripted.open()
    origin = scripted.crawl.origins.get("http://a.example", "a.example")
    assert origin.verdict is not None
    assert (origin.verdict.verdict.value, origin.verdict.reason) == ("hold", "robots_not_text")
    assert {signal.digest for signal in origin.verdict.signals} == {sha256(png(7).body).hexdigest()}
    scripted.run()
    assert set(scripted.urls()) == {ROBOTS}
    reasons = {reason for (reason,) in scripted.crawl.store.rows("SELECT reason FROM requests")}
    assert reasons <= {"robots_not_text", "robots_unreachable"}


def test_a_robots_file_in_plain_words_is_kept_whole(tmp_path: Path) -> None:
    scripted = Scripted(tmp_path, recipe(), {ROBOTS: OPEN, HOME: html("x")})
    scripted.run()
    assert all(OPEN.body in kept for kept in kept_bodies(scripted))
