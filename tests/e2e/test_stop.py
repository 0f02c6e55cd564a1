"""Ctrl-C stops a crawl cleanly, another process is kept out meanwhile, and the same command goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from crawler.status import read_status
from kyodaku.errors import RunStateError
from kyodaku.runs import RunFolder
from tests.e2e.conftest import REPO, demo_recipe, kyodaku
from tests.web.sites import all_sites
from tests.web.small_web import SmallWeb


def wait_for_pages(runs: Path, count: int) -> None:
    """Until the latest run has asked for `count` pages."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if read_status(RunFolder(runs / "demo/latest")).pages >= count:
                return
        except RunStateError:
            pass
        time.sleep(0.1)
    raise AssertionError("the crawl does not begin")


def test_ctrl_c_and_on(tmp_path: Path) -> None:
    sites = [site for site in all_sites() if site.name in ("plates.example", "studio.example")]
    runs = tmp_path / "runs"
    with SmallWeb(sites, folder=tmp_path / "web") as web:
        recipe = demo_recipe(web, tmp_path / "recipe", delay='"0.8 s"')
        arguments = ("run", str(recipe), "--runs", str(runs), "--quiet")
        command = [sys.executable, "-m", "kyodaku", *arguments]
        crawl = subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            wait_for_pages(runs, 2)
            second = kyodaku(*arguments)
            crawl.send_signal(signal.SIGINT)
            shown, errors = crawl.communicate(timeout=30)
        finally:
            crawl.kill()
            crawl.wait()
        assert second.returncode == 1
        assert f"process {crawl.pid} is working on" in second.stderr
        assert crawl.returncode == 1
        assert "crawl: stopped before its end" in shown
        assert "Traceback" not in errors
        assert not read_status(RunFolder(runs / "demo/latest")).finished
        assert not (runs / "demo/latest/release").exists()
        on = kyodaku(*arguments)
        assert on.returncode == 0, on.stderr
        assert read_status(RunFolder(runs / "demo/latest")).finished
        assert [
            path.name for path in (runs / "demo").iterdir() if path.is_dir() and not path.is_symlink()
        ] == [(runs / "demo/latest").resolve().name]
        asked = [
            entry.path for entry in web.log if entry.host == "studio.example" and entry.path.endswith(".jpg")
        ]
        assert len(asked) <= len(set(asked)) + 2, "only what was in flight is asked again"
