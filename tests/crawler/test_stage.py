"""The crawl as a stage: what it says when the disk is full, its database is gone or damaged."""

from __future__ import annotations

import json
import logging
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console

from crawler import stage
from crawler.crawl import Crawl
from crawler.run import logging_to
from kyodaku.errors import DiskFullError, RunStateError
from kyodaku.runs import RunFolder
from kyodaku.stages import StageContext, StageSummary
from tests.crawler.scripted import recipe

ROOT = Path(__file__).parents[2]


@pytest.fixture
def context(tmp_path: Path) -> StageContext:
    (tmp_path / "hosts.toml").write_text('[hosts]\n"a.example:80" = "127.0.0.1:9"\n')
    return StageContext(
        recipe=recipe(),
        recipe_path=tmp_path / "recipe.toml",
        run=RunFolder(tmp_path / "run"),
        console=Console(quiet=True),
        clock=lambda: 1_790_000_000.0,
        quiet=True,
    )


RECIPE = """
version = 1
name = "unheard"
[operator]
crawler = "TestCrawler"
[seeds]
sites = ["http://a.example/", "http://b.example/"]
[network]
host_table = "web/hosts.toml"
[politeness]
delay = 0
retries = 0
hold_retries = ["100 ms"]
[permission]
basis = "public-domain"
"""


@contextmanager
def port(*, listening: bool) -> Iterator[int]:
    """A port of this machine; one that nobody listens at refuses for as long as the block holds it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        if listening:
            held.listen()
        yield held.getsockname()[1]


@pytest.mark.parametrize("listening", [False, True])
def test_a_crawl_that_could_ask_nobody_says_why(tmp_path: Path, listening: bool) -> None:
    recipe_path, table = tmp_path / "recipe.toml", tmp_path / "web/hosts.toml"
    recipe_path.write_text(RECIPE)
    table.parent.mkdir()
    with port(listening=False) as refusing, port(listening=listening) as other:
        lines = [f'"{name}.example:80" = "127.0.0.1:{refusing}"' for name in "ab"]
        table.write_text("\n".join(["[hosts]", *lines, f'"c.example" = "127.0.0.1:{other}"\n']))
        command = [sys.executable, "-m", "tests.crawler.child", str(recipe_path), str(tmp_path / "run")]
        for _ in range(2):  # running it again, when nothing can change any more, says the same
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
            summary = json.loads(done.stdout)
            assert summary["complete"]
            told = " ".join(summary["lines"])
            assert "no page and no image could be asked: 2 held (robots_unreachable)" in told
            assert "begin again with --new" in told
            command_shown = f".venv/bin/python -m tests.web --dir {table.parent}"
            assert (command_shown in told) is not listening


def crawl(context: StageContext, monkeypatch: pytest.MonkeyPatch, error: Exception | None) -> StageSummary:
    """The stage, with a crawl in place of Scrapy's that asks nothing and meets `error`."""

    def run_scrapy(_: StageContext, crawling: Crawl) -> None:
        crawling.seeds_entered = True
        if error is not None:
            crawling.fail(error)

    monkeypatch.setattr(stage, "run_scrapy", run_scrapy)
    return stage.crawl(context)


def sqlite_error(code: int, text: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    "error",
    [
        DiskFullError("no space left to write x; free some and run again"),
        sqlite_error(sqlite3.SQLITE_IOERR_SHMSIZE, "disk I/O error"),
        sqlite_error(sqlite3.SQLITE_IOERR_FSYNC, "disk I/O error"),
        sqlite_error(sqlite3.SQLITE_FULL, "database or disk is full"),
    ],
)
def test_a_full_disk_is_a_clean_stop_with_its_summary(
    context: StageContext, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    summary = crawl(context, monkeypatch, error)
    assert not summary.complete
    assert "0 pages asked" in summary.lines[0]
    assert "free some and run again" in summary.lines[-1]
    assert summary.counts["images_stored"] == 0
    assert crawl(context, monkeypatch, None).complete, "the same command goes on"


def test_another_error_stays_one(context: StageContext, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RunStateError, match="our bug"):
        crawl(context, monkeypatch, RunStateError("our bug"))


def test_a_log_on_a_full_disk_is_silent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "crawl.log"
    log.symlink_to("/dev/full")
    with logging_to(log):
        logging.getLogger("crawler").error("x" * 100_000)
    assert capsys.readouterr() == ("", "")


def test_warnings_go_to_the_end_of_the_log(tmp_path: Path) -> None:
    log = tmp_path / "crawl.log"
    for text in ("first", "second"):
        with logging_to(log):
            logging.getLogger("crawler").warning(text)
            logging.getLogger("crawler").info("not this")
    assert [line.split("] ")[1] for line in log.read_text().splitlines()] == [
        "WARNING: first",
        "WARNING: second",
    ]
    logging.getLogger("crawler").warning("nobody listens now")
    assert len(log.read_text().splitlines()) == 2


@pytest.mark.parametrize("folder", ["candidates", "raw", "evidence"])
@pytest.mark.parametrize("left", ["nothing", "an empty file"])
def test_a_run_whose_database_is_gone_is_never_crawled_into(
    context: StageContext, monkeypatch: pytest.MonkeyPatch, folder: str, left: str
) -> None:
    (context.run.path / folder).mkdir(parents=True)
    file = context.run.path / folder / "00000.parquet"
    file.write_bytes(b"facts")
    if left == "an empty file":
        context.run.sqlite.touch()
    with pytest.raises(
        RunStateError, match=r"crawl\.sqlite is gone but this run has files; start with --new"
    ):
        crawl(context, monkeypatch, None)
    assert file.read_bytes() == b"facts"
    assert not context.run.sqlite.exists() or left == "an empty file"


def test_a_damaged_database_is_named(context: StageContext, monkeypatch: pytest.MonkeyPatch) -> None:
    assert crawl(context, monkeypatch, None).complete
    whole = context.run.sqlite.read_bytes()
    context.run.sqlite.write_bytes(b"no database at all" * 1000)
    with pytest.raises(RunStateError, match=r"crawl\.sqlite is damaged .* --new"):
        crawl(context, monkeypatch, None)
    context.run.sqlite.write_bytes(whole[:100] + b"\xff" * (len(whole) - 100))
    with pytest.raises(RunStateError, match=r"crawl\.sqlite is damaged .* --new"):
        crawl(context, monkeypatch, None)
