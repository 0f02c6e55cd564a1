"""unstored/: what is known of images whose bytes came and were refused or held."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from crawler.answers.answers import Answer
from crawler.crawl import Outgoing
from crawler.store.export import forget_facts
from crawler.store.store import Store
from kyodaku.errors import KyodakuError
from kyodaku.prints import PicturePrints
from kyodaku.records import UNSTORED
from kyodaku.release.tables import read_rows, shard_names
from kyodaku.runs import RunFolder
from kyodaku.signals.model import Fetched
from tests.crawler.scripted import Page, Scripted, html, png, recipe, text

RULES = recipe(permission={"basis": "public-domain"})
ROBOTS = {"http://a.example/robots.txt": text("User-agent: *\nDisallow:\n")}
FREE = '<figure><img src=/{0}><figcaption><a rel=license href="{1}">free</a></figcaption></figure>'
MARK = "https://creativecommons.org/publicdomain/mark/1.0/"


def prints_of(body: bytes) -> PicturePrints:
    """Stands for what a child would find: the bytes decide, nothing else."""
    digest = sha256(b"pixels" + body).hexdigest()
    return PicturePrints(digest, digest, 90, "", b"f" * 3328, "test")


@dataclass(eq=False)
class Printing(Scripted):
    """A crawl whose gates take fingerprints, as the add-on does."""

    def _judged(self, outgoing: Outgoing, fetched: Fetched) -> Answer:
        answer = super()._judged(outgoing, fetched)
        if answer.result.open or not fetched.body:
            return answer
        return replace(answer, prints=prints_of(fetched.body))


def unstored(crawl: Scripted) -> list[dict[str, Any]]:
    """Rows of unstored/, by the tables that a crawl ends in."""
    crawl.candidates()
    run = RunFolder(crawl.folder)
    return [
        row
        for shard in shard_names(run.unstored)
        for row in read_rows(run.unstored / f"{shard}.parquet", UNSTORED)
    ]


def crawled(folder: Path, **web: Page) -> Printing:
    """A crawl of one page that shows everything in `web`, free or not as its name says."""
    images = {f"http://a.example/{name}.png": page for name, page in web.items()}
    shown = "".join(
        FREE.format(f"{name}.png", MARK) if name.startswith("free") else f"<img src=/{name}.png>"
        for name in web
    )
    crawl = Printing(folder, RULES, {**ROBOTS, "http://a.example/": html(shown), **images})
    crawl.run()
    return crawl


def test_what_has_no_licence_leaves_its_fingerprints_and_nothing_else(tmp_path: Path) -> None:
    crawl = crawled(tmp_path, silent=png(1), free=png(2))
    found = crawl.candidates()
    silent = found["http://a.example/silent.png"]
    assert silent.gate_reason == "no_licence_evidence"
    body = png(1).body
    digest = sha256(body).hexdigest()
    assert unstored(crawl) == [{"uid": digest[:32], "sha256": digest, **vars(prints_of(body))}]
    assert silent.uid == digest[:32]
    assert found["http://a.example/free.png"].raw_key


def test_rows_stand_in_the_order_of_their_digests_each_once(tmp_path: Path) -> None:
    pages = {f"silent{seed}": png(seed % 4) for seed in range(7)}
    rows = unstored(crawled(tmp_path, **pages))
    assert [row["sha256"] for row in rows] == sorted(sha256(png(seed).body).hexdigest() for seed in range(4))


def test_what_is_stored_elsewhere_after_all_has_no_row(tmp_path: Path) -> None:
    assert unstored(crawled(tmp_path, silent=png(1), free=png(1))) == []
    assert not RunFolder(tmp_path).unstored.exists()


def test_what_broke_or_is_no_image_has_no_row(tmp_path: Path) -> None:
    nothing = Page(b"no image at all", 200, (("Content-Type", "image/png"),))
    assert unstored(crawled(tmp_path, silent=Page(status=404), odd=nothing)) == []


def test_a_shorter_table_replaces_a_longer_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.store.unstored.ROWS", 2)
    crawl = crawled(tmp_path, a=png(1), b=png(2), c=png(3))
    assert len(unstored(crawl)) == 3
    assert shard_names(RunFolder(tmp_path).unstored) == ["00000", "00001"]
    crawl.crawl.store.write("DELETE FROM unstored WHERE rowid > 1")
    assert len(unstored(crawl)) == 1
    forget_facts(crawl.crawl.store)
    assert crawl.crawl.store.rows("SELECT * FROM unstored") == []


def test_a_database_without_the_table_goes_on(tmp_path: Path) -> None:
    store = Store(tmp_path / "crawl.sqlite")
    store.write("DROP TABLE unstored")
    store.commit()
    store.close()
    assert len(unstored(crawled(tmp_path, silent=png(1)))) == 1


def test_a_no_that_came_while_the_image_was_on_its_way(tmp_path: Path) -> None:
    """Every gate let its bytes through; a page said no meanwhile."""
    image, page = "http://b.example/x.png", "http://c.example/"
    web = {
        **ROBOTS,
        "http://b.example/robots.txt": text("User-agent: *\nDisallow:\n"),
        "http://c.example/robots.txt": text("User-agent: *\nDisallow:\n"),
        "http://a.example/": html(f"<img src={image}>"),
        page: html(f"<meta name=robots content=noai><img src={image}>"),
        image: png(1),
    }
    crawl = Printing(tmp_path, recipe(seeds={"sites": ["http://a.example/", page]}), web)
    waiting: dict[str, Outgoing] = {}
    while len(waiting) < 2:
        outgoing = crawl.crawl.next()
        if outgoing is None:
            crawl.moment += 1.0
        elif outgoing.job.url in (image, page):
            waiting[outgoing.job.url] = outgoing
        else:
            crawl.answer(outgoing)
    job = waiting[image].job
    answer = crawl._judged(waiting[image], crawl._fetched(image))
    assert answer.result.open
    assert not crawl.crawl.comes_late(job, answer)
    crawl.answer(waiting[page])
    assert crawl.crawl.comes_late(job, answer)
    crawl.crawl.answered(job, replace(answer, prints=prints_of(png(1).body)))
    crawl.run()
    assert [row["sha256"] for row in unstored(crawl)] == [answer.sha256]


def test_where_no_child_can_start_the_crawl_ends(tmp_path: Path) -> None:
    crawl = Printing(tmp_path, RULES, {**ROBOTS, "http://a.example/": html("<img src=/1.png>")})
    crawl.crawl.printer.error = KyodakuError("the fingerprinter cannot start: no module named PIL")
    with pytest.raises(KyodakuError, match="cannot start"):
        crawl.run()
