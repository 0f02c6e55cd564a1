"""Letters to owners: a crawl is stopped, a letter is written, its lines are put in place, and it goes on."""

from __future__ import annotations

from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from kyodaku.cli.ask import SAID
from kyodaku.letters.lines import folders
from kyodaku.letters.stopped import StoppedBy
from kyodaku.letters.write import Letter, write_letters
from kyodaku.recipe import Recipe
from kyodaku.runs import RunFolder
from kyodaku.signals.model import FetchError
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


UNANSWERED = (FetchError.CONNECT, FetchError.TIMEOUT, FetchError.TLS, FetchError.DNS, FetchError.RESET)


@pytest.mark.parametrize(
    "answer", [*(Page(error=error) for error in UNANSWERED), text("", 503), text("", 429), text("", 451)]
)
def test_no_letter_where_nobody_can_be_asked(tmp_path: Path, answer: Page) -> None:
    assert letters(crawl(tmp_path, answer)) == []


def museum(folder: Path, robots: str) -> list[Letter]:
    """A crawl of an institution of the recipe that shows no picture on the page it lets us read."""
    entry = {
        "host": "gallery.example",
        "statement": "CC0: free to use",
        "evidence_url": GALLERY,
        "licence": "cc0-1.0",
    }
    web = {GALLERY + "robots.txt": text(robots), GALLERY: html('<a href="/admin/">staff</a>')}
    scripted = Scripted(folder, public_domain(institutions=[entry]), web, every=True)  # type: ignore[arg-type]
    scripted.run()
    scripted.candidates()
    return letters(scripted)


def test_a_closed_page_without_any_picture_is_not_worth_a_letter(tmp_path: Path) -> None:
    assert museum(tmp_path, "User-agent: *\nDisallow: /admin/\n") == []


def test_an_institution_closed_as_a_whole_is_asked(tmp_path: Path) -> None:
    (found,) = museum(tmp_path, MANAGED)
    assert found.host.inferred
    assert found.host.pages


def test_letters_that_bring_most_stand_first_and_a_plain_no_stands_apart(tmp_path: Path) -> None:
    rules = {
        "one.example": text(MANAGED),
        "two.example": text("User-agent: *\nDisallow: /\n"),
        "three.example": text("", 403),
        "many.example": text(MANAGED),
    }
    shown = [*((host, "1.png", True) for host in rules), ("many.example", "2.png", True)]
    shown += [("two.example", f"x{number}.png", False) for number in range(3)]
    body = "".join(
        f'<figure><img src="http://{host}/media/{name}">'
        f"<figcaption>{LICENCE if free else ''}</figcaption></figure>"
        for host, name, free in shown
    )
    web = {GALLERY: html(body), **{f"http://{host}/robots.txt": page for host, page in rules.items()}}
    scripted = Scripted(tmp_path, public_domain(), web, every=True)  # type: ignore[arg-type]
    scripted.run()
    scripted.candidates()
    told = [
        (letter.host.host, letter.host.stopped_by, letter.host.free_images) for letter in letters(scripted)
    ]
    assert told == [
        ("many.example", "inference", 2),
        ("two.example", "explicit", 1),
        ("one.example", "inference", 1),
        ("three.example", "unreadable", 1),
    ]


def test_a_robots_file_in_utf_16_is_said_to_be_no_text(tmp_path: Path) -> None:
    (found,) = letters(crawl(tmp_path, Page("User-agent: *\nDisallow: /\n".encode("utf-16"))))
    assert "\ufffd" not in found.text
    assert "robots.txt: not text (" in found.text
    assert found.remedy.lines == (), "no line added to such a file can be read"


def test_the_japanese_letter_tells_the_line_in_japanese(tmp_path: Path) -> None:
    (found,) = letters(crawl(tmp_path, text(MANAGED)))
    _, _, told = found.text.partition("件名")
    assert f"{CDN}/robots.txt 7 行目: Disallow: /" in told
    assert "への拒否" in told
    assert ", line " not in told
    assert "disallow for" not in told


def test_a_plain_no_among_many_lines_is_not_overlooked(tmp_path: Path) -> None:
    named = "".join(f"Disallow: /{folder}/\n" for folder in "abcdef")
    robots = f"User-agent: GPTBot\n{named}\nUser-agent: *\nDisallow: /g/\n"
    body = "".join(
        f'<figure><img src="{CDN}/{folder}/1.png"><figcaption>{LICENCE}</figcaption></figure>'
        for folder in "abcdefg"
    )
    web = {GALLERY: html(body), f"{CDN}/robots.txt": text(robots)}
    scripted = Scripted(tmp_path, public_domain(), web, every=True)  # type: ignore[arg-type]
    scripted.run()
    scripted.candidates()
    (found,) = letters(scripted)
    assert found.host.free_images == 7
    assert found.host.stopped_by == "explicit"
    assert not found.host.inferred


def test_every_kind_of_line_has_words_on_the_screen() -> None:
    assert set(SAID) == set(StoppedBy)
