"""Real crawls in processes of their own, against real servers: politeness, kills, Ctrl-C, status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from crawler.status import Status, read_status
from kyodaku.errors import RunStateError
from kyodaku.records import CANDIDATES, HOSTS, RAW, check_schema
from kyodaku.runs import RunFolder
from kyodaku.shards import iter_samples
from kyodaku.signals.protocols import all_protocols
from tests.web.model import Figure, Page, Site
from tests.web.pictures import painted
from tests.web.small_web import SmallWeb

ROOT = Path(__file__).parents[2]
DELAY = 0.15
HOSTS_ = ("one.example", "two.example", "three.example")
PAGES = 4
#: Asked of all hosts before anything else.
HOST_FILES = len(HOSTS_) * len({path for protocol in all_protocols() for path in protocol.host_files})

RECIPE = """
version = 1
name = "process"
[operator]
crawler = "ProcessCrawler"
[seeds]
sites = [{seeds}]
[network]
host_table = "{table}"
timeout = "5 s"
[politeness]
delay = "{delay} s"
jitter = 0
hold_retries = ["200 ms"]
[permission]
basis = "public-domain"
[permission.public_domain]
accept = ["cc0"]
[shards]
raw_samples = 5
"""


def site(name: str) -> Site:
    """A page with links, and pages with a picture each; one of them also shows a refused one."""
    figure = Figure("/no/x.jpg", "Not for us", painted(f"{name}/no", (200, 150)))
    pages = [Page("/", name, links=[f"/p{n}" for n in range(PAGES)])]
    pages += [
        Page(
            f"/p{n}",
            f"Page {n}",
            [Figure(f"/m{n}.jpg", f"Picture {n}", painted(f"{name}/{n}", (200, 150))), figure],
        )
        for n in range(PAGES)
    ]
    return Site(name, "pictures at a delay", robots="User-agent: *\nDisallow: /no\n", pages=pages)


@pytest.fixture(scope="module")
def web() -> Iterator[SmallWeb]:
    with SmallWeb([site(name) for name in HOSTS_]) as running:
        yield running


@pytest.fixture
def recipe(web: SmallWeb, tmp_path: Path) -> Path:
    path = tmp_path / "recipe.toml"
    seeds = ", ".join(json.dumps(seed) for seed in web.seeds)
    path.write_text(RECIPE.format(seeds=seeds, table=web.host_table_path, delay=DELAY))
    return path


@contextmanager
def crawling(recipe: Path, run: Path) -> Iterator[subprocess.Popen[str]]:
    """A crawl in a process group of its own; nothing of it survives the block."""
    command = [sys.executable, "-m", "tests.crawler.child", str(recipe), str(run), "--clock", "1790000000"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def finish(recipe: Path, run: Path) -> dict[str, Any]:
    """Crawl to the end; its summary."""
    with crawling(recipe, run) as process:
        output, _ = process.communicate(timeout=60)
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found


def wait_for(web: SmallWeb, since: int, requests: int) -> None:
    """Until the web has seen so many requests more."""
    deadline = time.monotonic() + 30
    while len(web.log) < since + requests:
        assert time.monotonic() < deadline, "the crawl does not ask"
        time.sleep(0.01)


def end_state(run: Path) -> list[tuple[Any, ...]]:
    """What may not depend on the moment a crawl was killed at."""
    rows = pq.read_table(run / "candidates" / "00000.parquet").to_pylist()
    return [(r["candidate_id"], r["gate"], r["gate_verdict"], r["gate_reason"], r["sha256"]) for r in rows]


def bodies(run: Path) -> list[bytes]:
    return [members["jpg"] for tar in sorted((run / "raw").glob("*.tar")) for _, members in iter_samples(tar)]


def assert_polite(web: SmallWeb, since: int) -> None:
    for host in HOSTS_:
        moments = [entry.time for entry in web.log[since:] if entry.host == host]
        assert len(moments) >= 2
        gaps = [later - earlier for earlier, later in pairwise(moments)]
        assert min(gaps) >= DELAY, f"{host} was asked after {min(gaps):.3f} s"


@pytest.fixture(scope="module")
def whole(web: SmallWeb, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a crawl that nobody disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    path = folder / "recipe.toml"
    seeds = ", ".join(json.dumps(seed) for seed in web.seeds)
    path.write_text(RECIPE.format(seeds=seeds, table=web.host_table_path, delay=DELAY))
    since = len(web.log)
    summary = finish(path, folder / "run")
    assert summary["complete"]
    assert summary["images_stored"] == PAGES * len(HOSTS_)
    assert_polite(web, since)
    return folder / "run"


def test_files_have_their_schemas_and_nothing_refused(whole: Path, web: SmallWeb) -> None:
    for path, schema in (
        (whole / "candidates" / "00000.parquet", CANDIDATES),
        (whole / "hosts.parquet", HOSTS),
        (whole / "raw" / "00000.parquet", RAW),
    ):
        check_schema(pq.read_schema(path), schema, str(path))
    assert not [entry for entry in web.log if entry.path.startswith("/no/")]
    assert len(bodies(whole)) == len(set(bodies(whole))) == PAGES * len(HOSTS_)
    rows = pq.read_table(whole / "raw" / "00000.parquet").to_pylist()
    tar = (whole / "raw" / "00000.tar").read_bytes()
    for row in rows:
        assert tar[row["offset"] : row["offset"] + 3] == b"\xff\xd8\xff"
    stats = json.loads((whole / "raw" / "00000_stats.json").read_text())
    assert (stats["count"], stats["successes"], stats["failed_to_download"]) == (5, 5, 0)


def test_a_finished_crawl_asks_nothing_more(web: SmallWeb, whole: Path) -> None:
    since = len(web.log)
    assert finish(whole.parent / "recipe.toml", whole)["complete"]
    assert len(web.log) == since


@pytest.mark.parametrize("requests", [2, 20])
def test_kill_and_go_on(web: SmallWeb, recipe: Path, tmp_path: Path, whole: Path, requests: int) -> None:
    run = tmp_path / "run"
    since = len(web.log)
    with crawling(recipe, run) as process:
        wait_for(web, since, requests)
        os.killpg(process.pid, signal.SIGKILL)
    assert finish(recipe, run)["complete"]
    assert end_state(run) == end_state(whole)
    assert sorted(bodies(run)) == sorted(bodies(whole))
    assert_polite(web, since)


def test_ctrl_c_stops_cleanly_and_goes_on(web: SmallWeb, recipe: Path, tmp_path: Path, whole: Path) -> None:
    run = tmp_path / "run"
    since = len(web.log)
    with crawling(recipe, run) as process:
        wait_for(web, since, HOST_FILES + 9)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    summary = json.loads(output.splitlines()[-1])
    assert not summary["complete"]
    assert "run the same command again" in summary["lines"][-1]
    asked = [(entry.host, entry.path) for entry in web.log[since:]]
    assert len(asked) == len(set(asked))
    assert finish(recipe, run)["complete"]
    assert end_state(run) == end_state(whole)
    again = [(entry.host, entry.path) for entry in web.log[since:]]
    assert len(again) == len(set(again))  # a clean stop asks nothing twice
    assert_polite(web, since)


def test_status_reads_a_crawl_that_is_running(web: SmallWeb, recipe: Path, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    with pytest.raises(RunStateError, match="has not crawled"):
        read_status(run)
    since = len(web.log)
    with crawling(recipe, run.path) as process:
        wait_for(web, since, HOST_FILES + 10)
        time.sleep(0.1)  # an answer is committed within a twentieth of a second
        status = read_status(run)
        assert process.poll() is None
    assert isinstance(status, Status)
    assert not status.finished
    assert status.pages >= 3
    assert status.waiting > 0
    assert status.host_files == HOST_FILES
    assert status.time_left is not None
    assert status.time_left > 0
    assert status.origins == {"open": 3}
    assert {line.host for line in status.slowest} == set(HOSTS_)


def test_the_scrapy_project_lists_its_spiders_and_says_how_to_start_them() -> None:
    scrapy = [sys.executable, "-m", "scrapy"]
    listed = subprocess.run([*scrapy, "list"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert listed.stdout.split() == ["site", "url_list"]
    alone = subprocess.run([*scrapy, "crawl", "site"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert alone.returncode != 0
    assert "kyodaku crawl RECIPE" in alone.stderr


def test_status_of_a_finished_crawl(whole: Path) -> None:
    from rich.console import Console

    status = read_status(RunFolder(whole))
    assert status.finished
    assert status.funnel == {"candidates": 24, "images": 15, "asked": 12, "stored": 12}
    assert status.images == {"proceed": 12, "refuse": 3}
    assert status.host_files == HOST_FILES
    assert (status.robots_files, status.documents) == (3, 0)
    assert sum(line.host_files for line in status.slowest) == HOST_FILES
    console = Console(width=120, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    console.print(status.render())
    console.file.close()
    shown = console.export_text()
    assert "12 stored" in shown
    others = f"3 for robots.txt, {HOST_FILES - 3} for other host files, 0 for documents"
    assert f"{HOST_FILES} requests to ask for permission: {others}" in shown
