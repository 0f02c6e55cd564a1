"""Letters to owners: a crawl is stopped, a letter is written, its lines are put in place, and it goes on."""

from __future__ import annotations

from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from kyodaku.letters.lines import folders
from kyodaku.letters.write import Letter, write_letters
from kyodaku.recipe import Recipe
from kyodaku.runs import RunFolder
from tests.crawler.scripted import Page, Scripted, html, png, recipe, text

CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
GALLERY = "http://gallery.example/"
CDN = "http://cdn.example"
LICENCE = f'<a rel="license" href="{CC0}">CC0</a>'
FIGURE = f'<figure><img src="{CDN}/media/1.png"><figcaption>{LICENCE}</figcaption></figure>'
MANAGED = (
    "# managed\nUser-agent: *\nDisallow: /media/private/\n\n"
    "User-agent: GPTBot\nUser-agent: CCBot\nDisallow: /\n"
)


def public_domain(**more: object) -> Recipe:
    return recipe(
        seeds={"sites": [GALLERY]},
        permission={"basis": "public-domain", "public_domain": {"accept": ["cc0", "cc0-institution"]}},
        **more,
    )


def crawl(folder: Path, robots: Page, chosen: Recipe | None = None) -> Scripted:
    web: dict[str, Page] = {
        GALLERY + "robots.txt": text(""),
        GALLERY: html(FIGURE),
        f"{CDN}/robots.txt": robots,
        f"{CDN}/media/1.png": png(1),
    }
    scripted = Scripted(folder, chosen or public_domain(), web, every=True)  # type: ignore[arg-type]
    scripted.run()
    scripted.candidates()
    return scripted


def letters(scripted: Scripted) -> list[Letter]:
    return write_letters(RunFolder(scripted.folder), scripted.recipe)


def test_a_free_picture_behind_a_managed_robots_file_is_worth_a_letter(tmp_path: Path) -> None:
    scripted = crawl(tmp_path / "a", text(MANAGED))
    assert f"{CDN}/media/1.png" not in scripted.urls()
    (found,) = letters(scripted)
    assert found.path == scripted.folder / "letters/http_cdn.example.txt"
    written = found.path.read_text("utf-8")
    for said in ("1 image was not asked for", "Disallow: /", f"{CDN}/robots.txt, line 7", CC0, "画像 1 件"):
        assert said in written
    assert found.host.inferred
    assert "a reply is enough" in written
    assert found.remedy.paths == ("/media/",)
    assert found.remedy.lines[-1] == "Disallow: /"
    assert "Disallow: /media/private/" in found.remedy.lines, "what everybody is kept from stays closed"
    assert not found.remedy.left
    assert "/.well-known/tdmrep.json" in found.remedy.unseen
    merged = MANAGED + "\n" + "\n".join(found.remedy.lines) + "\n"
    again = crawl(tmp_path / "b", text(merged))
    assert f"{CDN}/media/1.png" in again.urls()
    assert letters(again) == []


def test_a_stored_reply_lifts_the_inference_and_an_explicit_no_stays(tmp_path: Path) -> None:
    entry = {
        "host": "cdn.example",
        "letter": "reply.eml",
        "letter_sha256": sha256(b"yes").hexdigest(),
        "scope": ["/media/"],
        "until": date.today() + timedelta(days=3650),
    }
    chosen = public_domain(host=[entry])
    lifted = crawl(tmp_path / "lifted", text(MANAGED), chosen)
    assert f"{CDN}/media/1.png" in lifted.urls()
    row = lifted.candidates()[f"{CDN}/media/1.png"]
    assert any(entry["letter_sha256"] in signal.rule for signal in row.signals)
    for robots in ("User-agent: *\nDisallow: /media/\n", "User-agent: Kyodaku\nDisallow: /\n"):
        refused = crawl(tmp_path / str(len(robots)), text(MANAGED + robots), chosen)
        assert f"{CDN}/media/1.png" not in refused.urls()
    elsewhere = public_domain(host=[{**entry, "scope": ["/other/"]}])
    assert f"{CDN}/media/1.png" not in crawl(tmp_path / "elsewhere", text(MANAGED), elsewhere).urls()


def test_a_no_that_a_reply_cannot_undo_is_said_to_be_one(tmp_path: Path) -> None:
    (found,) = letters(crawl(tmp_path, text("User-agent: *\nDisallow: /media/\n")))
    assert not found.host.inferred
    assert "only you can change it" in found.text
    assert "Allow: /media/" in found.remedy.lines


def test_who_names_us_gets_no_letter(tmp_path: Path) -> None:
    assert letters(crawl(tmp_path, text("User-agent: Kyodaku\nDisallow: /\n"))) == []


def test_no_letter_where_nothing_speaks_for_the_pictures(tmp_path: Path) -> None:
    scripted = Scripted(
        tmp_path,
        public_domain(),
        {GALLERY: html(f'<img src="{CDN}/media/1.png">'), f"{CDN}/robots.txt": text(MANAGED)},
        every=True,
    )
    scripted.run()
    scripted.candidates()
    assert letters(scripted) == []


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["/media/1.png", "/media/2.png"], ("/media/",)),
        (["/a.png", "/media/2.png"], ("/",)),
        (["/x/a/1", "/x/a/b/2", "/y/3"], ("/x/a/", "/y/")),
        ([f"/m/{number}/1.png" for number in range(20)], ("/m/",)),
    ],
)
def test_folders(paths: list[str], expected: tuple[str, ...]) -> None:
    assert folders(paths) == expected
