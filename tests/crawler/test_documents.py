"""Policy files and documents in a crawl: what is asked, what waits for it, and what a kill leaves of it."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator

from crawler.status import read_status
from crawler.store.codec import load_hops
from crawler.store.schema import State
from kyodaku.report.asked import asking_for_permission
from kyodaku.report.data import RunFacts
from kyodaku.runs import RunFolder
from tests.crawler.scripted import Page, Scripted, html, png, recipe, redirect, text

ROBOTS = "http://a.example/robots.txt"
HOME = "http://a.example/"
IMAGE = "http://a.example/art.png"
RSL = "http://licences.example/rsl.xml"
OPEN = text("User-agent: *\nDisallow:\n")
_NAMESPACE = "https://rslstandard.org/rsl"
LINK = ("Link", f'<{RSL}>; rel="license"; type="application/rsl+xml"')


def rsl(said: str) -> Page:
    inside = f'<content url="/"><license>{said}</license></content>'
    return Page(f'<rsl xmlns="{_NAMESPACE}">{inside}</rsl>'.encode(), 200, ())


NO = rsl('<prohibits type="usage">ai-train</prohibits>')
YES = rsl('<permits type="usage">ai-train</permits><payment type="free"/>')


def crawl(folder: Path, web: dict[str, Page], **options: bool) -> Scripted:
    return Scripted(folder, recipe(), web, **options)  # type: ignore[arg-type]


def results(scripted: Scripted) -> dict[str, tuple[str, str]]:
    rows = scripted.crawl.store.rows("SELECT url, verdict, reason FROM requests")
    return {url: (verdict, reason) for url, verdict, reason in rows}


@pytest.mark.parametrize(
    ("document", "verdict"),
    [(NO, ("refuse", "rsl")), (YES, ("proceed", "")), (text("", 404), ("hold", "rsl_unobtainable"))],
)
def test_an_image_waits_for_the_licence_that_its_header_names(
    tmp_path: Path, document: Page, verdict: tuple[str, str]
) -> None:
    image = Page(png().body, 200, (("Content-Type", "image/png"), LINK))
    scripted = crawl(
        tmp_path, {ROBOTS: OPEN, HOME: html('<img src="/art.png">'), IMAGE: image, RSL: document}
    )
    scripted.run()
    assert results(scripted)[IMAGE] == verdict
    urls = scripted.urls()
    assert urls.count(RSL) == 1
    assert urls.index("http://licences.example/robots.txt") < urls.index(RSL)
    assert urls.index(RSL) > urls.index(IMAGE), "the header names it"
    files = scripted.crawl.store.rows("SELECT origin, path, status FROM host_files WHERE path = ?", (RSL,))
    assert files == [("http://licences.example", RSL, document.status)]


@pytest.mark.parametrize(("document", "asked"), [(NO, False), (YES, True)])
def test_a_page_waits_for_the_licence_that_it_names(tmp_path: Path, document: Page, asked: bool) -> None:
    page = html(f'<link rel="license" type="application/rsl+xml" href="{RSL}"><img src="/art.png">')
    scripted = crawl(tmp_path, {ROBOTS: OPEN, HOME: page, IMAGE: png(), RSL: document})
    scripted.run()
    urls = scripted.urls()
    assert (IMAGE in urls) is asked
    assert urls.count(HOME) == 2, "once more when the licence had been read"
    assert urls.count(RSL) == 1


def test_robots_of_the_licences_own_host_is_obeyed(tmp_path: Path) -> None:
    web = {ROBOTS: OPEN, HOME: html("<img src='/art.png'>", LINK), RSL: YES}
    web["http://licences.example/robots.txt"] = text("User-agent: *\nDisallow: /\n")
    scripted = crawl(tmp_path, web)
    scripted.run()
    assert RSL not in scripted.urls()
    assert results(scripted)[HOME] == ("hold", "policy_file_barred")


@pytest.mark.parametrize("steps", range(2, 7))
def test_a_kill_while_something_waits_loses_nothing(tmp_path: Path, steps: int) -> None:
    web = {ROBOTS: OPEN, HOME: html("<img src='/art.png'>", LINK), IMAGE: png(), RSL: NO}
    scripted = crawl(tmp_path, web)
    scripted.run(steps)
    scripted.kill()
    scripted.open()
    scripted.run()
    assert results(scripted)[HOME] == ("refuse", "rsl")
    assert IMAGE not in scripted.urls()
    assert not scripted.crawl.store.rows("SELECT 1 FROM waits")
    assert not scripted.crawl.store.rows("SELECT 1 FROM requests WHERE state = ?", (State.WAITING,))


def test_a_page_that_names_ever_new_licences_is_held_in_the_end(tmp_path: Path) -> None:
    count = iter(range(1000))

    def page() -> Page:
        return html(
            "<img src='/art.png'>",
            ("Link", f'<http://a.example/{next(count)}.xml>; rel="license"; type="application/rsl+xml"'),
        )

    scripted = crawl(tmp_path, {ROBOTS: OPEN, HOME: page, IMAGE: png()})  # type: ignore[dict-item]
    scripted.run()
    assert results(scripted)[HOME][0] == "hold"
    assert IMAGE not in scripted.urls()
    assert next(count) < 40


def test_every_policy_file_is_asked_for_once_and_a_barred_one_never(tmp_path: Path) -> None:
    open_ = crawl(
        tmp_path / "open", {ROBOTS: OPEN, HOME: html("<img src='/art.png'>"), IMAGE: png()}, every=True
    )
    open_.run()
    files = [url for url in open_.urls() if url.endswith((".txt", ".json"))]
    assert files[0] == ROBOTS
    assert len(files) == len(set(files)) == 7
    assert results(open_)[IMAGE] == ("proceed", "")

    robots = text("User-agent: *\nDisallow: /.well-known/\n")
    barred = crawl(
        tmp_path / "barred", {ROBOTS: robots, HOME: html("<img src='/art.png'>"), IMAGE: png()}, every=True
    )
    barred.run()
    assert not [url for url in barred.urls() if "/.well-known/" in url]
    assert results(barred)[HOME] == ("hold", "policy_file_barred")
    rows = dict(barred.crawl.store.rows("SELECT path, error FROM host_files"))
    assert rows["/.well-known/tdmrep.json"] == "barred-by-robots"


def test_a_host_whose_policy_file_cannot_be_had_is_held_and_asked_again(tmp_path: Path) -> None:
    policy = "http://a.example/.well-known/tdmrep.json"
    web: dict[str, Page] = {
        ROBOTS: OPEN,
        HOME: html("<img src='/art.png'>"),
        IMAGE: png(),
        policy: text("", 503),
    }
    scripted = crawl(tmp_path, web, every=True)
    scripted.run(9)
    assert HOME not in scripted.urls()
    web[policy] = Page(json.dumps([{"location": "/art.png", "tdm-reservation": 1}]).encode(), 200, ())
    scripted.run()
    assert HOME in scripted.urls()
    assert IMAGE not in scripted.urls()
    assert results(scripted)[IMAGE] == ("refuse", "tdmrep")


def test_one_licence_that_many_hosts_name_is_asked_for_once(tmp_path: Path) -> None:
    shown = "".join(f'<img src="http://h{n}.example/art.png">' for n in range(10))
    web: dict[str, Page] = {ROBOTS: OPEN, HOME: html(shown), RSL: YES}
    web["http://licences.example/robots.txt"] = OPEN
    for number in range(10):
        web[f"http://h{number}.example/robots.txt"] = text(f"License: {RSL}\nUser-agent: *\nDisallow:\n")
        web[f"http://h{number}.example/art.png"] = png(number)
    scripted = crawl(tmp_path, web)
    scripted.run()
    urls = scripted.urls()
    assert urls.count(RSL) == urls.count("http://licences.example/robots.txt") == 1
    taken = [url for url, said in results(scripted).items() if said == ("proceed", "") and "art" in url]
    assert len(taken) == 10


def test_host_files_of_a_host_of_documents_are_asked_for_once(tmp_path: Path) -> None:
    links = "".join(f'<a href="/p{n}">p</a>' for n in range(20))
    web: dict[str, Page] = {ROBOTS: OPEN, HOME: html(links), "http://licences.example/robots.txt": OPEN}
    for number in range(20):
        licence = f"http://licences.example/{number}.xml"
        link = ("Link", f'<{licence}>; rel="license"; type="application/rsl+xml"')
        web |= {f"http://a.example/p{number}": html("<p>p</p>", link), licence: YES}
    scripted = crawl(tmp_path, web, every=True)
    scripted.run()
    asked = [url for url in scripted.urls() if url.startswith("http://licences.example/")]
    assert len(asked) == len(set(asked)) == 20 + 7


@pytest.mark.parametrize("by_robots", [True, False])
def test_the_delay_that_a_host_of_documents_asks_for_is_kept(tmp_path: Path, by_robots: bool) -> None:
    own = text(f"License: {RSL}\nUser-agent: *\nDisallow:\n") if by_robots else OPEN
    home = html("<img src='/art.png'>") if by_robots else html("<img src='/art.png'>", LINK)
    web = {ROBOTS: own, HOME: home, IMAGE: png(), RSL: YES}
    web["http://licences.example/robots.txt"] = text("User-agent: *\nCrawl-delay: 30\n")
    scripted = crawl(tmp_path, web)
    scripted.run()
    robots, document = (when for when, url in scripted.asked if "licences" in url)
    assert document - robots >= 30


@pytest.mark.parametrize("steps", range(2, 12))
def test_a_kill_while_many_wait_for_one_licence_loses_nothing(tmp_path: Path, steps: int) -> None:
    web: dict[str, Page] = {ROBOTS: OPEN, HOME: html('<a href="/p0">p</a><a href="/p1">p</a>'), RSL: NO}
    for number in range(2):
        web[f"http://a.example/p{number}"] = html(f"<img src='/{number}.png'>", LINK)
    scripted = crawl(tmp_path, web)
    scripted.run(steps)
    scripted.kill()
    scripted.open()
    scripted.run()
    said = results(scripted)
    assert said["http://a.example/p0"] == said["http://a.example/p1"] == ("refuse", "rsl")
    assert not [url for url in scripted.urls() if url.endswith(".png")]


def test_a_licence_that_could_not_be_had_is_asked_for_again_with_its_host(tmp_path: Path) -> None:
    answers = iter([text("", 503), YES])
    web: dict[str, Page] = {
        ROBOTS: text(f"License: {RSL}\nUser-agent: *\nDisallow:\n"),
        HOME: html("<img src='/art.png'>"),
        IMAGE: png(),
        RSL: lambda: next(answers),  # type: ignore[dict-item]
    }
    scripted = crawl(tmp_path, web)
    scripted.run()
    urls = scripted.urls()
    assert urls.count(RSL) == 2
    assert urls.index(HOME) > urls.index(RSL, urls.index(RSL) + 1), "the host was held until then"
    assert results(scripted)[IMAGE] == ("proceed", "")


def hop_urls(scripted: Scripted) -> list[str]:
    """Every request that the rows of `host_files` speak of."""
    rows = scripted.crawl.store.rows("SELECT hops FROM host_files")
    return sorted(hop.url for (hops,) in rows for hop in load_hops(hops))


def warc_urls(scripted: Scripted) -> list[str]:
    """The addresses of the host files and documents in the evidence."""
    found = []
    for path in sorted(scripted.folder.glob("evidence/*.warc.gz")):
        with path.open("rb") as file:
            found += [
                record.rec_headers["WARC-Target-URI"]
                for record in ArchiveIterator(file)
                if record.rec_type == "response"
            ]
    return sorted(url for url in found if url not in (HOME, IMAGE))


def on_host_files(scripted: Scripted) -> list[str]:
    return sorted(url for url in scripted.urls() if url not in (HOME, IMAGE))


@pytest.mark.parametrize("by_robots", [True, False])
@pytest.mark.parametrize("moved", [True, False])
def test_every_answer_on_the_way_to_a_licence_is_on_record(
    tmp_path: Path, by_robots: bool, moved: bool
) -> None:
    own = text(f"License: {RSL}\nUser-agent: *\nDisallow:\n") if by_robots else OPEN
    home = html("<img src='/art.png'>") if by_robots else html("<img src='/art.png'>", LINK)
    target = "http://elsewhere.example/new.xml"
    web = {ROBOTS: own, HOME: home, IMAGE: png(), RSL: redirect(target) if moved else YES, target: YES}
    web |= {"http://licences.example/robots.txt": OPEN, "http://elsewhere.example/robots.txt": OPEN}
    scripted = crawl(tmp_path, web, every=True)
    scripted.run()
    asked = on_host_files(scripted)
    assert RSL in asked
    assert (target in asked) is moved
    assert "http://licences.example/robots.txt" in asked
    assert hop_urls(scripted) == asked
    assert warc_urls(scripted) == asked
    robots = scripted.crawl.store.row(
        "SELECT path, status, sha256, warc_file FROM host_files WHERE origin = 'http://licences.example'"
        " AND path = '/robots.txt'"
    )
    assert robots == ("/robots.txt", 200, sha256(OPEN.body).hexdigest(), "00000.warc.gz")


def test_hops_to_a_licence_that_is_barred_in_the_end_are_on_record(tmp_path: Path) -> None:
    target = "http://elsewhere.example/new.xml"
    web = {ROBOTS: OPEN, HOME: html("<img src='/art.png'>", LINK), RSL: redirect(target)}
    web["http://elsewhere.example/robots.txt"] = text("User-agent: *\nDisallow: /\n")
    scripted = crawl(tmp_path, web)
    scripted.run()
    assert results(scripted)[HOME] == ("hold", "policy_file_barred")
    row = scripted.crawl.store.row("SELECT hops, error, warc_file FROM host_files WHERE path = ?", (RSL,))
    assert [(hop.url, hop.status) for hop in load_hops(row[0])] == [(RSL, 302)]
    assert row[1:] == ("barred-by-robots", "")
    assert hop_urls(scripted) == warc_urls(scripted) == on_host_files(scripted)


def test_one_answer_for_many_is_one_record_that_every_row_points_to(tmp_path: Path) -> None:
    shown = "".join(f'<img src="http://h{n}.example/art.png">' for n in range(3))
    web: dict[str, Page] = {ROBOTS: OPEN, HOME: html(shown), RSL: YES}
    for number in range(3):
        web[f"http://h{number}.example/robots.txt"] = text(f"License: {RSL}\nUser-agent: *\nDisallow:\n")
    scripted = crawl(tmp_path, web)
    scripted.run()
    rows = scripted.crawl.store.rows(
        "SELECT origin, warc_file, warc_offset, verdict FROM host_files WHERE path = ? ORDER BY origin",
        (RSL,),
    )
    assert [row[0] for row in rows] == [f"http://h{number}.example" for number in range(3)]
    assert len({row[1:3] for row in rows}) == 1
    robots = scripted.crawl.store.rows(
        "SELECT verdict FROM host_files WHERE origin = 'http://licences.example'"
    )
    assert robots == [("",)], "no verdict on a host that only a licence lies on"
    assert warc_urls(scripted).count(RSL) == scripted.urls().count(RSL) == 1


def test_status_and_report_count_each_request_once(tmp_path: Path) -> None:
    """Shared licences, ways that meet, and a robots.txt that leads to itself."""
    shown = "".join(f'<img src="http://h{n}.example/art.png">' for n in range(4))
    other = "http://licences.example/other.xml"
    web: dict[str, Page] = {ROBOTS: OPEN, HOME: html(shown), RSL: YES, other: redirect(RSL)}
    for number, named in ((0, RSL), (1, RSL), (3, other)):
        web[f"http://h{number}.example/robots.txt"] = text(f"License: {named}\nUser-agent: *\nDisallow:\n")
    web["http://h2.example/robots.txt"] = redirect("http://h2.example/robots.txt")
    scripted = crawl(tmp_path, web, every=True)
    scripted.run()
    scripted.candidates()
    asked = [url for url in scripted.urls() if url != HOME and not url.endswith(".png")]
    status = read_status(RunFolder(tmp_path))
    counted = asking_for_permission(RunFacts(RunFolder(tmp_path)).hosts())
    assert status.host_files == len(asked) == counted.total()
    robots = [url for url in asked if url.endswith("/robots.txt")]
    assert status.robots_files == len(robots) > len(set(robots))
    assert counted["http://h2.example", "robots"] == robots.count("http://h2.example/robots.txt") > 1
    xml = [url for url in asked if url.endswith(".xml")]
    assert status.documents == counted["http://licences.example", "documents"] == len(xml)
