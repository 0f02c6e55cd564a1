"""kill -9 at any instant: the run that was killed again and again ends as the one that was left alone."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from difflib import unified_diff
from hashlib import sha256
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
import pytest

from crawler.store.journal import GROUP_ANSWERS
from kyodaku.recipe import load_recipe
from kyodaku.runs import RunFolder
from tests.e2e.conftest import CLOCK, REPO, demo_recipe
from tests.web.model import Site
from tests.web.sites import all_sites
from tests.web.small_web import SmallWeb

#: Sites whose answers depend on how often or how long they were asked have no single end state.
UNSTEADY = ("split", "slow", "timeout", "drip", "flaky", "recover", "limit", "busy", "bomb", "reset")
DELAY = 0.1
#: One site of each kind.
OF_EACH = (
    "studio", "twins", "artist", "xmp", "tdm-header", "robots-503", "redirector", "landing", "written",
    "previews", "copies", "copies-too", "reposter",
)  # fmt: skip


def steady_sites() -> list[Site]:
    """The small web without traps and without sites that answer differently from time to time."""
    return [
        site
        for site in all_sites()
        if not site.trap
        and site.reachable
        and not any(word in site.name for word in UNSTEADY)
        and not any(page.follows for page in site.pages)  # says no before or after a picture was asked for
    ]


def of_each() -> list[Site]:
    """One site of each kind: every stage has work, and none has much."""
    return [site for site in steady_sites() if site.name.split(".")[0] in OF_EACH]


@dataclass
class Runner:
    """One dataset run by the command line, killed on demand. Every process is a child of ours."""

    recipe: Path
    runs: Path

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "kyodaku", "run", str(self.recipe), "--runs", str(self.runs)]
        return subprocess.Popen(
            [*command, "--quiet", "--recorded-clock", CLOCK],
            cwd=REPO,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def finish(self) -> float:
        """Run to the end; seconds it took."""
        began = time.monotonic()
        process = self.start()
        _, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors.decode()
        return time.monotonic() - began

    def kill_after(self, seconds: float, *, whole_group: bool) -> bool:
        """Start, wait, kill -9. False when it had already ended by itself."""
        process = self.start()
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            children = psutil.Process(process.pid).children(recursive=True)
            if whole_group:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
            process.communicate()
            _, alive = psutil.wait_procs(children, timeout=10)
            assert not alive, "children outlive a killed parent"
            return True
        process.communicate()
        assert process.returncode == 0
        return False

    def folder(self) -> RunFolder:
        return RunFolder((self.runs / load_recipe(self.recipe).name / "latest").resolve())


def end_state(run: RunFolder) -> dict[str, tuple[Any, ...]]:
    """candidate_id -> (verdict, reason, outcome, outcome_reason, sha256)."""
    digests = {
        row["candidate_id"]: row["sha256"]
        for path in sorted(run.candidates.glob("*.parquet"))
        for row in pq.read_table(path, columns=["candidate_id", "sha256"]).to_pylist()
    }
    return {
        row["candidate_id"]: (
            row["verdict"],
            row["reason"],
            row["outcome"],
            row["outcome_reason"],
            digests[row["candidate_id"]],
        )
        for path in sorted(run.decisions.glob("*.parquet"))
        for row in pq.read_table(path).to_pylist()
    }


def release_bytes(run: RunFolder) -> dict[str, str]:
    """Name -> sha256 of every file of the release."""
    folder = run.release()
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def unstored_bytes(run: RunFolder) -> dict[str, str]:
    """Name -> sha256 of every file that tells of pictures which were not stored."""
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in sorted(run.unstored.glob("*"))}


def difference(one: Path, other: Path) -> str:
    """Where two pages differ, tag by tag."""
    pages = [path.read_text("utf-8").replace("><", ">\n<").splitlines() for path in (one, other)]
    return "\n".join(line[:200] for line in unified_diff(*pages, n=4, lineterm=""))


def stored_twice(run: RunFolder) -> list[str]:
    """Bytes that stand in raw more than once."""
    uids = Counter(
        row["uid"]
        for path in sorted(run.raw.glob("*.parquet"))
        for row in pq.read_table(path, columns=["uid", "status"]).to_pylist()
        if row["status"] != "failed_to_download" and row["uid"]
    )
    return [uid for uid, count in uids.items() if count > 1]


def too_fast(web: SmallWeb, delay: float) -> list[str]:
    """Hosts that got two requests closer together than the delay (with 10 % for the clock)."""
    times: dict[str, list[float]] = defaultdict(list)
    for entry in web.log:
        times[entry.host].append(entry.time)
    return [
        f"{host}: {later - earlier:.3f} s"
        for host, stamps in times.items()
        for earlier, later in zip(sorted(stamps), sorted(stamps)[1:], strict=False)
        if later - earlier < delay * 0.9
    ]


def killed_run_equals_uninterrupted(tmp_path: Path, kills: int, seed: int, sites: list[Site]) -> None:
    with SmallWeb(sites=sites, folder=tmp_path / "web-a") as web:
        whole = Runner(demo_recipe(web, tmp_path / "a", delay=f'"{DELAY} s"'), tmp_path / "runs-a")
        seconds = whole.finish()
        asked_once = len(web.log)
        assert not too_fast(web, DELAY)
    chance = random.Random(seed)
    with SmallWeb(sites=sites, folder=tmp_path / "web-b") as web:
        recipe = demo_recipe(web, tmp_path / "b", delay=f'"{DELAY} s"')
        broken = Runner(recipe, tmp_path / "runs-b")
        done, crawls = 0, 1
        while done < kills:
            share = (done + 0.5) / kills
            wait = chance.uniform(0.3, 1.2) if share < 0.3 else chance.uniform(0.5, max(1.0, seconds * share))
            if not broken.kill_after(wait, whole_group=done % 2 == 0):
                broken = Runner(recipe, tmp_path / f"runs-b{done}")  # it had ended: a new one is killed
                crawls += 1
            done += 1
        broken.finish()
        again = load_recipe(recipe).politeness.connections + GROUP_ANSWERS
        assert len(web.log) <= crawls * asked_once + kills * again
        assert not too_fast(web, DELAY)
    assert not stored_twice(broken.folder())
    assert end_state(broken.folder()) == end_state(whole.folder())
    assert unstored_bytes(broken.folder()) == unstored_bytes(whole.folder()) != {}
    assert not difference(broken.folder().release() / "report.html", whole.folder().release() / "report.html")
    assert release_bytes(broken.folder()) == release_bytes(whole.folder())


@pytest.mark.timeout(280)
def test_a_few_kills(tmp_path: Path) -> None:
    killed_run_equals_uninterrupted(tmp_path, kills=3, seed=20261120, sites=of_each())


@pytest.mark.deep
@pytest.mark.timeout(1500)
def test_fifty_kills(tmp_path: Path) -> None:
    names = {site.name for site in of_each()}
    sites = [site for number, site in enumerate(steady_sites()) if site.name in names or number % 4 == 0]
    killed_run_equals_uninterrupted(tmp_path, kills=50, seed=1, sites=sites)
