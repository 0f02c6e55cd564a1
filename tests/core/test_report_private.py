"""The private report: complete, harmless, and without a pixel of anything refused."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lxml import html
from PIL import Image

from kyodaku.errors import RecordError, RunStateError
from kyodaku.records import CANDIDATES
from kyodaku.report import private
from kyodaku.report.thumbnails import Thumbnailer
from kyodaku.runs import RunFolder
from kyodaku.shards import write_parquet
from tests.core.report_fixture import LONG_URL, FixtureRun, build, recipe, write_release

SHOWN = ("museum0", "museum1", "museum7", "small", "banner", "decoy", "copy", "twin", "marked")
NEVER_SHOWN = ("silent", "ghost", "echo", "odd", "xmp")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> FixtureRun:
    return build(tmp_path_factory.mktemp("private"))


@pytest.fixture(scope="module")
def page(made: FixtureRun) -> str:
    return private.write_report(made.run, made.recipe).read_text("utf-8")


def pictures(page: str) -> Iterator[bytes]:
    for source in html.fromstring(page).xpath("//img/@src | //image[not(@class='mask')]/@href"):
        head, _, data = source.partition(",")
        assert head == "data:image/jpeg;base64"
        yield base64.b64decode(data)


def english(element: html.HtmlElement) -> str:
    """The English words of an element."""
    shown = html.fromstring(html.tostring(element))
    for other in shown.xpath(".//*[@lang='ja']"):
        other.drop_tree()
    return str(shown.text_content())


def host_line(page: str, host: str) -> dict[str, str]:
    """The line of a host: English column title -> text."""
    table = html.fromstring(page).xpath("//section[@id='hosts']//table")[0]
    titles = [english(cell) for cell in table.xpath("./thead/tr/th")]
    row = next(row for row in table.xpath("./tbody/tr") if host in row[0].text_content())
    return dict(zip(titles, (english(cell) for cell in row), strict=True))


def test_shows_what_filters_set_aside(made: FixtureRun, page: str) -> None:
    shown = set(pictures(page))
    with Thumbnailer(made.recipe) as maker:
        for name in SHOWN:
            thumbnail = maker.make(made.made[name].body or b"")
            assert thumbnail is not None
            assert thumbnail.jpeg in shown, name
            assert max(thumbnail.width, thumbnail.height) <= 160


def test_never_shows_refused_held_or_purged(made: FixtureRun, page: str) -> None:
    shown = set(pictures(page))
    with Thumbnailer(made.recipe) as maker:
        for name in NEVER_SHOWN:
            body = made.made[name].body
            thumbnail = maker.make(body) if body else None
            assert thumbnail is None or thumbnail.jpeg not in shown, name


def figure(page: str, words: str) -> html.HtmlElement:
    """The figure of the set-aside pictures with these words."""
    (found,) = html.fromstring(page).xpath(f"//section[@id='aside']//figure[contains(., '{words}')]")
    return found


def test_a_drop_is_shown_with_its_mask_and_what_was_read(page: str) -> None:
    marked = figure(page, "The marked picture")
    (mask,) = marked.xpath(".//image[@class='mask']/@href")
    seen = Image.open(io.BytesIO(base64.b64decode(mask.partition(",")[2])))
    assert (seen.size, seen.mode) == ((16, 12), "RGBA")
    assert [seen.getpixel(at)[3] > 0 for at in ((8, 2), (8, 9))] == [False, True]
    assert "visible marks: likely 0.875 sample mark" in " ".join(english(marked).split())
    assert len(marked.xpath(".//*[@class='cluster']//img")) == 1
    assert "2 not shown" in english(marked), "of its cluster, what was purged and a copy of that"


def test_a_duplicate_is_shown_beside_what_is_kept(page: str) -> None:
    twin = figure(page, "The twin picture")
    assert "kept in its place:" in english(twin)
    assert len(twin.xpath(".//*[@class='cluster']//img")) == 1


def test_nothing_that_was_seen_in_a_refused_picture_is_told(page: str) -> None:
    assert "words read in" not in page


def test_names_no_digest(made: FixtureRun, page: str) -> None:
    for item in made.made.values():
        for digest in (item.candidate.uid, item.candidate.sha256):
            assert not digest or digest not in page


def test_nothing_from_the_web_becomes_markup(page: str) -> None:
    tree = html.fromstring(page)
    assert len(tree.xpath("//script")) == 1
    assert not tree.xpath("//*[@*[starts-with(name(), 'on')]]")
    assert not tree.xpath("//*[@style] | //iframe | //object | //embed | //form | //link | //base")
    for target in tree.xpath("//@href[not(parent::image)]"):
        assert target.startswith(("https://", "http://", "#")), target
    assert len(tree.xpath("//img | //image")) == len(list(pictures(page))) + len(
        tree.xpath("//*[@class='mask']")
    )
    assert LONG_URL not in page
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\u0000]", page)


def test_policy_names_the_only_style_and_script(page: str) -> None:
    tree = html.fromstring(page)
    policy = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    assert policy.startswith("default-src 'none'")
    for name in ("style", "script"):
        content = re.search(f"<{name}>(.*?)</{name}>", page, re.DOTALL)
        assert content is not None
        digest = base64.b64encode(hashlib.sha256(content[1].encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy


def test_counts(made: FixtureRun, page: str) -> None:
    tree = html.fromstring(page)
    numbers = [item.text_content() for item in tree.xpath("//ol[@class='funnel']/li/span[last()]")]
    bodies = [item for item in made.made.values() if item.candidate.sha256]
    allowed = [item for item in made.made.values() if item.decision["verdict"] == "allow"]
    assert numbers == [str(n) for n in (len(made.made), len(bodies) + 2, len(bodies), len(allowed), 7, 7)]
    assert host_line(page, "cdn.artist")["state"] == "refused"
    split = host_line(page, "split.example")
    images = {name: split[f"images {name}"] for name in ("taken", "refused", "held")}
    assert (split["requests"], split["robots.txt"]) == ("5", "1"), "one image at two pages was asked for once"
    assert (split["other host files"], split["documents"]) == ("0", "0")
    assert images == {"taken": "0", "refused": "3", "held": "0"}
    pages = {name: split[f"pages {name}"] for name in ("asked", "open", "refused", "held")}
    assert pages == {"asked": "3", "open": "2", "refused": "1", "held": "0"}


def test_what_asking_for_permission_cost_is_told_apart(page: str) -> None:
    columns = ("requests", "robots.txt", "other host files", "documents")
    cost = {
        name: tuple(host_line(page, name + ".example")[column] for column in columns)
        for name in ("museum", "club", "licences", "https://noai")
    }
    assert cost["museum"][1:] == ("1", "2", "0")
    assert cost["club"][1:] == ("1", "0", "0"), "what robots.txt bars was not asked for"
    assert cost["licences"] == ("0", "1", "0", "2"), "one licence that two hosts name was asked for once"
    assert cost["https://noai"][1:] == ("1", "0", "0"), "a document counts where it lies"
    assert host_line(page, "licences.example")["state"] == "not asked"


def totals(page: str) -> dict[str, int]:
    """The table of requests: English words -> count."""
    rows = html.fromstring(page).xpath("//section[@id='requests']//tbody/tr")
    return {english(row[0]): int(row[-1].get("data-value")) for row in rows}


def test_requests_in_total_are_those_of_the_hosts(page: str) -> None:
    found = totals(page)
    assert list(found.values())[:3] == [9, 2, 2]
    assert found["all"] == sum(found.values()) - found["all"]
    table = html.fromstring(page).xpath("//section[@id='hosts']//table")[0]
    titles = [english(cell) for cell in table.xpath("./thead/tr/th")]
    lines = [[cell.get("data-value") for cell in row] for row in table.xpath("./tbody/tr")]
    for title, words in (("robots.txt", "robots.txt"), ("documents", "documents: licences and policies")):
        column = titles.index(title)
        count = next(value for name, value in found.items() if name.startswith(words))
        assert sum(int(line[column]) for line in lines) == count
    column = titles.index("requests")
    assert sum(int(line[column]) for line in lines) == found["pages and sitemaps"] + found["images"]


def test_hosts_count_pages_without_images(page: str) -> None:
    club = host_line(page, "club.example")
    assert (club["requests"], club["pages asked"], club["pages held"]) == ("3", "2", "2")
    assert "login wall" in club["commonest reason"]
    shut = host_line(page, "shut.example")
    assert (shut["pages asked"], shut["pages refused"]) == ("0", "1")
    assert "challenge" in host_line(page, "captcha.example")["commonest reason"]
    assert host_line(page, "museum.example")["pages asked"] == "20", "a sitemap is no page"


def test_pages_that_kept_their_images_to_themselves(page: str) -> None:
    section = html.fromstring(page).xpath("//section[@id='pages']")[0]
    told = {english(part.xpath("./summary")[0]): part.text_content() for part in section.xpath("./details")}
    captcha = next(text for title, text in told.items() if title.startswith("held: a challenge"))
    assert "https://captcha.example/" in captcha
    assert "HTTP 403" in captcha
    assert "we never solve challenges" in captcha
    login = next(text for title, text in told.items() if title.startswith("held: a login wall"))
    assert "https://club.example/login?next=/b" in login
    robots = next(text for title, text in told.items() if "robots.txt disallows" in title)
    assert "Disallow: /private <script>" in robots
    assert any("451" in text for text in told.values())
    assert not any("far.example" in text or "/gone" in text for text in told.values())
    assert "failed: 1" in english(section.xpath("./p")[0])


def test_what_is_refused_but_still_published_is_a_warning(tmp_path: Path, page: str) -> None:
    assert not html.fromstring(page).xpath("//*[@class='warning']")
    made = build(tmp_path)
    kept = [item for item in made.made.values() if item.decision["outcome"] == "released"]
    shutil.rmtree(made.release)
    write_release(made.release, [*kept, made.made["silent"]])
    write_release(made.run.release("v2"), kept)
    warned = private.write_report(made.run, made.recipe).read_text("utf-8")
    warning = html.fromstring(warned).xpath("//section[@id='refused']/p[@class='warning']")
    assert "although refused or held now, by release: v1: 1." in english(warning[0])
    assert made.uid("silent") not in warned


def test_an_older_run_has_no_table_of_pages(tmp_path: Path) -> None:
    made = build(tmp_path)
    made.run.pages.unlink()
    page = private.write_report(made.run, made.recipe).read_text("utf-8")
    assert not html.fromstring(page).xpath("//section[@id='pages']")
    assert "kept no table of pages" in page
    assert host_line(page, "split.example")["pages asked"] == "3"


def test_quotes_the_raw_line_and_the_deciding_page(page: str) -> None:
    tree = html.fromstring(page)
    quotes = [quote.text_content() for quote in tree.xpath("//section[@id='refused']//blockquote")]
    assert "Disallow: /" in quotes
    assert (
        quotes.count('<meta name="robots" content="noai">') == 2
    )  # the loud page, and the silent one's cause
    held = tree.xpath("//section[@id='held']")[0].text_content()
    assert "we never log in" in held
    assert "ログインは決して行いません" in held


def test_works_on_every_state_of_a_run(tmp_path: Path) -> None:
    empty = RunFolder(tmp_path / "empty")
    empty.candidates.mkdir(parents=True)
    write_parquet(pa.Table.from_pylist([], schema=CANDIDATES), empty.candidates / "00000.parquet")
    assert "no requests yet" in private.write_report(empty, recipe()).read_text("utf-8")
    crawled = build(tmp_path / "crawled", curated=False)
    page = private.write_report(crawled.run, crawled.recipe).read_text("utf-8")
    assert "No decision has been made yet" in page
    assert not list(pictures(page)), "without a decision nothing may be shown"


def test_an_unfinished_crawl_has_no_report(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    with pytest.raises(RunStateError, match=r"has not ended.*kyodaku status"):
        private.write_report(run, recipe())
    assert not run.report.exists()


def test_files_of_another_version_are_refused(tmp_path: Path) -> None:
    made = build(tmp_path / "schema")
    write_parquet(pa.table({"uid": ["x"]}), made.run.decisions / "00000.parquet")
    with pytest.raises(RecordError, match=r"decisions/00000\.parquet"):
        private.write_report(made.run, made.recipe)
    made = build(tmp_path / "value")
    path = made.run.candidates / "00000.parquet"
    rows = pq.read_table(path).to_pylist()
    for row in rows:
        for signal in row["signals"]:
            signal["effect"] = "shrug"
    write_parquet(pa.Table.from_pylist(rows, schema=CANDIDATES), path)
    with pytest.raises(RecordError, match="shrug"):
        private.write_report(made.run, made.recipe)


@pytest.mark.parametrize("name", ["candidates/00001.parquet", "hosts.parquet", "decisions/00000.parquet"])
@pytest.mark.parametrize("keep", [0, 10, 0.5])
def test_damaged_files_are_named(tmp_path: Path, name: str, keep: float) -> None:
    made = build(tmp_path)
    path = made.run.path / name
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep if keep >= 1 else keep * len(whole))])
    with pytest.raises(RecordError, match=re.escape(name)) as told:
        private.write_report(made.run, made.recipe)
    assert "\n" not in str(told.value)


def test_same_run_same_bytes(tmp_path: Path) -> None:
    made = build(tmp_path)
    first = private.write_report(made.run, made.recipe).read_bytes()
    assert private.write_report(made.run, made.recipe).read_bytes() == first


def test_after_gc_there_is_nothing_to_show(tmp_path: Path) -> None:
    made = build(tmp_path)
    (made.run.raw / "00000.tar").unlink()
    page = private.write_report(made.run, made.recipe).read_text("utf-8")
    assert not list(pictures(page))
    assert page.count("not shown") > len(SHOWN)


def test_bytes_that_changed_on_the_disk_are_not_shown(tmp_path: Path) -> None:
    made = build(tmp_path)
    tar = made.run.raw / "00000.tar"
    body = made.made["small"].body or b""
    damaged = bytearray(tar.read_bytes())
    at = damaged.index(body)
    damaged[at + len(body) // 2] ^= 1
    tar.write_bytes(damaged)
    with Thumbnailer(made.recipe) as maker:
        thumbnail = maker.make(bytes(damaged[at : at + len(body)]))
    page = private.write_report(made.run, made.recipe).read_text("utf-8")
    assert thumbnail is None or thumbnail.jpeg not in set(pictures(page))
