"""Killed after any step and taken up again: nothing is lost, nothing is stored twice, no host is hurried."""

from __future__ import annotations

import gzip
from itertools import pairwise
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator

from crawler.store.journal import GROUP_ANSWERS
from kyodaku.errors import DiskFullError, RunStateError
from kyodaku.shards import iter_samples
from tests.crawler.scripted import Page, Scripted, html, png, recipe, redirect, text

OPEN = text("User-agent: *\nDisallow: /private\n")
DELAY = 1.0
SAMPLES = 3


def web() -> dict[str, Page]:
    pages: dict[str, Page] = {
        "http://a.example/robots.txt": OPEN,
        "http://b.example/robots.txt": OPEN,
        "http://a.example/": html(
            '<a href="/1">1</a><a href="/2">2</a><a href="/private/3">3</a><img src="/private/x.png">'
            '<img src="http://b.example/moved.png">'
        ),
        "http://a.example/1": html("".join(f'<img src="/{n}.png">' for n in range(4))),
        "http://a.example/2": html(
            '<meta name="robots" content="noai"><img src="/3.png"><img src="http://b.example/same.png">'
        ),
        "http://b.example/moved.png": redirect("http://a.example/9.png"),
        "http://b.example/same.png": png(1),
        "http://a.example/private/x.png": png(77),
    }
    return pages | {f"http://a.example/{n}.png": png(n) for n in (0, 1, 2, 3, 9)}


def scripted(folder: Path) -> Scripted:
    return Scripted(folder, recipe(shards={"raw_samples": SAMPLES}), web())


def end_state(crawl: Scripted) -> dict[str, tuple[str, str, str, str]]:
    crawl.crawl.raw.finish_shard()
    found = crawl.candidates()
    return {url: (c.candidate_id, c.gate_verdict, c.gate_reason, c.sha256) for url, c in found.items()}


def stored(folder: Path) -> list[bytes]:
    tars = sorted((folder / "raw").glob("*.tar"))
    return [members["png"] for tar in tars for _, members in iter_samples(tar)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, tuple[str, str, str, str]], int]:
    """The end state of an uninterrupted crawl, and how many requests it made."""
    crawl = scripted(tmp_path_factory.mktemp("whole"))
    crawl.run()
    return end_state(crawl), len(crawl.asked)


def test_the_uninterrupted_crawl_is_what_we_think(
    whole: tuple[dict[str, tuple[str, str, str, str]], int],
) -> None:
    state, _ = whole
    words = {url.rpartition("/")[2]: row[1:3] for url, row in state.items()}
    assert words["x.png"] == ("refuse", "robots_disallow")
    assert words["0.png"] == ("proceed", "")
    assert words["same.png"][0] == "refuse"


@pytest.mark.parametrize("commit", [True, False], ids=["committed", "uncommitted"])
@pytest.mark.parametrize("steps", range(12))
def test_a_kill_after_any_step_changes_nothing(
    tmp_path: Path, steps: int, commit: bool, whole: tuple[dict[str, tuple[str, str, str, str]], int]
) -> None:
    crawl = scripted(tmp_path)
    crawl.run(steps)
    if commit:
        crawl.crawl.commit()
        crawl.crawl.next()  # a request is on its way
    crawl.kill()
    crawl.open()
    crawl.run()
    state, requests = whole
    assert end_state(crawl) == state
    assert len(crawl.asked) <= requests + (1 if commit else min(steps, GROUP_ANSWERS))
    bodies = stored(tmp_path)
    assert len(bodies) == len(set(bodies)) == 4
    assert png(77).body not in bodies
    assert png(3).body not in bodies
    for host in ("a.example", "b.example"):
        moments = [moment for moment, url in crawl.asked if f"//{host}/" in url]
        assert all(later - earlier >= DELAY for earlier, later in pairwise(moments))


def test_what_was_written_after_the_last_commit_is_cut(tmp_path: Path) -> None:
    crawl = scripted(tmp_path)
    crawl.run(5)
    lengths = {path: path.stat().st_size for path in tmp_path.glob("*/*.*")}
    crawl.kill()
    for path in lengths:
        with path.open("ab") as file:
            file.write(b"half a record")
    (tmp_path / "evidence" / "00007.warc.gz").write_bytes(b"never recorded")
    crawl.open()
    crawl.run()
    assert crawl.crawl.error is None
    assert not (tmp_path / "evidence" / "00007.warc.gz").exists()
    with (tmp_path / "evidence" / "00000.warc.gz").open("rb") as file:
        urls = [record.rec_headers.get_header("WARC-Target-URI") for record in ArchiveIterator(file)]
    assert "http://a.example/robots.txt" in urls


def test_evidence_holds_host_files_and_refusing_heads_but_no_bodies(tmp_path: Path) -> None:
    crawl = scripted(tmp_path)
    crawl.run()
    path = tmp_path / "evidence" / "00000.warc.gz"
    text_of = gzip.decompress(path.read_bytes())
    assert b"Disallow: /private" in text_of
    assert b"WARC-Target-URI: http://a.example/2\r\n" in text_of
    assert b"noai" not in text_of  # it stood in the page's body
    assert b"PNG" not in text_of


def test_a_full_disk_stops_the_crawl_and_leaves_it_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: tuple[dict[str, tuple[str, str, str, str]], int]
) -> None:
    crawl = scripted(tmp_path)
    crawl.run(6)

    def full(*_: object) -> None:
        raise DiskFullError("no space left")

    monkeypatch.setattr(crawl.crawl.raw, "add", full)
    with pytest.raises(DiskFullError):
        crawl.run()
    assert crawl.crawl.next() is None
    crawl.kill()
    crawl.open()
    crawl.run()
    assert end_state(crawl) == whole[0]


def test_a_database_that_cannot_grow_is_a_full_disk(
    tmp_path: Path, whole: tuple[dict[str, tuple[str, str, str, str]], int]
) -> None:
    crawl = scripted(tmp_path)
    crawl.run(4)
    [pages] = crawl.crawl.store.row("PRAGMA page_count")
    crawl.crawl.store.rows(f"PRAGMA max_page_count = {pages}")
    crawl.web["http://a.example/1"] = html("<p>" + "".join(f'<img src="/many{n}.png">' for n in range(200)))
    with pytest.raises(DiskFullError, match="free some and run again"):
        crawl.run()
    crawl.web = web()
    crawl.kill()
    crawl.open()
    crawl.run()
    assert end_state(crawl) == whole[0]


def test_a_bug_of_ours_holds_the_request_it_met(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crawl = scripted(tmp_path)

    def broken(*_: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(crawl.crawl.images, "_count_address", broken)
    crawl.run()
    taken = [row for row in end_state(crawl).values() if row[1] == "proceed"]
    assert taken == []
    assert stored(tmp_path) == []


def test_another_versions_file_is_refused(tmp_path: Path) -> None:
    crawl = scripted(tmp_path)
    crawl.crawl.store.write("PRAGMA user_version = 99")
    crawl.crawl.store.commit()
    crawl.kill()
    with pytest.raises(RunStateError, match="--new"):
        crawl.open()
