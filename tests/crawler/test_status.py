"""What `kyodaku status` says of a crawl: its state, its hosts, and numbers that reports agree with."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest
from rich.console import Console

from crawler.status import Status, read_status
from kyodaku.lock import holder
from kyodaku.runs import RunFolder
from tests.crawler.scripted import Page, Scripted, html, png, recipe, redirect, text

OPEN = text("User-agent: *\nDisallow:\n")
NO = ("refused.example", "held.example")


def web() -> dict[str, Page]:
    shown = "".join(f'<img src="http://{host}/x.png">' for host in NO)
    return {
        "http://a.example/robots.txt": OPEN,
        "http://refused.example/robots.txt": text("for legal reasons", 451),
        "http://held.example/robots.txt": text("later", 503),
        "http://a.example/": html(f'<img src="/1.png"><img src="/moved.png">{shown}<a href="/two">2</a>'),
        "http://a.example/two": html('<img src="/1.png"><img src="/no.png">'),
        "http://a.example/1.png": png(1),
        "http://a.example/moved.png": redirect("/2.png"),
        "http://a.example/2.png": png(2),
        "http://a.example/no.png": Page(status=404),
    }


def shown(status: Status) -> str:
    with open(os.devnull, "w") as nowhere:
        console = Console(width=120, record=True, file=nowhere)
        console.print(status.render())
    return console.export_text()


@pytest.fixture
def crawl(tmp_path: Path) -> Scripted:
    return Scripted(tmp_path, recipe(), web())


def test_running_stopped_and_finished(crawl: Scripted) -> None:
    crawl.run(3)
    run = RunFolder(crawl.folder)
    assert holder(run) is None
    stopped = read_status(run, "kyodaku run datasets/mine")
    assert (stopped.state, stopped.pid, stopped.finished) == ("stopped", 0, False)
    assert "stopped; go on with: kyodaku run datasets/mine" in shown(stopped)
    with (crawl.folder / ".busy").open("w") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        busy.write("4711")
        busy.flush()
        running = read_status(run)
        assert (running.state, running.pid) == ("running", 4711)
        assert "running (process 4711)" in shown(running)
        crawl.run()
        crawl.crawl.store.set_meta("crawl_done", "yes")
        crawl.crawl.commit()
        assert read_status(run).state == "finished"
        assert "finished; process 4711 works on the run" in shown(read_status(run))
    assert (crawl.folder / ".busy").read_text() == "4711", "the lock decides, not what a killed run left"
    finished = read_status(run)
    assert (finished.state, finished.pid, finished.finished) == ("finished", 0, True)
    assert finished.holds
    assert {line.next_retry for line in finished.holds} == {0.0}, "nobody is asked again"


def test_a_host_shows_what_its_robots_file_came_to(crawl: Scripted) -> None:
    crawl.run()
    lines = {line.host: (line.state, line.reason) for line in read_status(RunFolder(crawl.folder)).slowest}
    origins = {
        host: (state, reason)
        for host, state, reason in crawl.crawl.store.rows("SELECT host, state, reason FROM origins")
    }
    assert lines == origins
    assert lines["a.example"] == ("open", "")
    assert lines["refused.example"][0] != "open"
    assert lines["held.example"][0] == "held"
    assert all(lines[host][1] for host in NO)
    assert lines["refused.example"][1] in shown(read_status(RunFolder(crawl.folder)))


def test_asked_is_what_a_report_counts_as_asked_for(crawl: Scripted) -> None:
    from kyodaku.report.data import RunFacts
    from kyodaku.report.summary import summarise

    crawl.run()
    crawl.candidates()
    run = RunFolder(crawl.folder)
    counted = summarise(RunFacts(run))
    status = read_status(run)
    assert counted.asked == 4, "one picture at two pages, one moved, one that is not there"
    assert status.funnel["asked"] == counted.asked
    assert status.funnel["candidates"] == counted.candidates
