"""Registries end to end: opt-out files of every kind, and a local Do-Not-Train service, in real crawls."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from kyodaku.recheck.overlay import candidate_rows
from kyodaku.release.tables import shard_names
from kyodaku.runs import RunFolder
from tests.e2e.conftest import REPO, kyodaku
from tests.web.model import Figure, Page, Site, redirect
from tests.web.pictures import painted
from tests.web.registry import ENDPOINT, KEY, DoNotTrain
from tests.web.small_web import SmallWeb

PROGRAM = (sys.executable, "-m", "kyodaku")
HOST, OTHER = "studio.example", "other.example"
RECIPE = """
version = 1
name = "listed"
[operator]
crawler = "ListedCrawler"
[seeds]
sites = [{seeds}]
[network]
host_table = "{table}"
timeout = "5 s"
[politeness]
delay = "20 ms"
jitter = 0
hold_retries = ["200 ms"]
[permission]
basis = "public-domain"
[permission.public_domain]
accept = ["cc0"]
[registries]
{registries}
"""
NAMES = ("free", "by-url", "by-hash", "asked", "later")


def site() -> Site:
    def figure(path: str, label: str) -> Figure:
        return Figure(path, f"A picture called {label}", painted(f"listed/{label}"))

    figures = [figure(f"/art/{name}.jpg", name) for name in NAMES]
    figures.append(figure("/private/below.jpg", "by-prefix"))
    figures.append(Figure(f"http://{OTHER}/far.jpg", "A picture from another host"))
    figures.append(figure("/art/moved.jpg", "moved"))
    old = Page("/found", "Found by a redirect", [figure("/art/through.jpg", "through")])
    return Site(
        HOST,
        "pictures on lists",
        pages=[Page("/", "Studio", figures, links=["/old"]), old],
        routes={"/old": redirect(f"http://{HOST}/found")},
    )


def other() -> Site:
    far = Figure("/far.jpg", "far", painted("listed/far"))
    return Site(OTHER, "another host", pages=[Page("/", "Other", [far])], seed=False)


@dataclass(frozen=True)
class Scene:
    """A curated run and what stands beside it."""

    web: SmallWeb
    api: DoNotTrain
    recipe: Path
    run: RunFolder


def command(*arguments: str, key: str = KEY) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if name != "SPAWNING_OPTS_KEY"}
    return subprocess.run(
        [*PROGRAM, *arguments],
        cwd=REPO,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
        env={**environ, **({"SPAWNING_OPTS_KEY": key} if key else {})},
    )


def made(folder: Path, registries: str, api: DoNotTrain, stack: ExitStack) -> tuple[SmallWeb, Path]:
    web = stack.enter_context(SmallWeb([site(), other(), api.site], folder=folder / "web"))
    path = folder / "recipe/recipe.toml"
    path.parent.mkdir()
    path.write_text(
        RECIPE.format(seeds=f'"http://{HOST}/"', table="../web/hosts.toml", registries=registries), "utf-8"
    )
    return web, path


def curated(folder: Path, recipe: Path, *stages: str) -> RunFolder:
    for stage in stages or ("crawl", "curate"):
        done = command(stage, str(recipe), "--runs", str(folder / "runs"), "--quiet")
        assert done.returncode == 0, done.stdout + done.stderr
    return RunFolder((folder / "runs/listed/latest").resolve())


def outcomes(run: RunFolder) -> dict[str, tuple[str, str, str]]:
    """Outcome, reason and last gate by the name of the image."""
    decided: dict[str, Any] = {}
    for shard in shard_names(run.decisions):
        table = pq.read_table(run.decisions / f"{shard}.parquet")
        decided |= {row["candidate_id"]: row for row in table.to_pylist()}
    rows = [row for shard in shard_names(run.candidates) for row in candidate_rows(run, shard)]
    return {
        row["image_url"].rpartition("/")[2].removesuffix(".jpg"): (
            decided[row["candidate_id"]]["outcome"],
            decided[row["candidate_id"]]["outcome_reason"],
            row["gate"],
        )
        for row in rows
    }


def requested(web: SmallWeb) -> set[str]:
    return {f"{entry.host}{entry.path}" for entry in web.log if entry.host != "opts.example"}


def raw_bytes(run: RunFolder) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(run.raw.glob("*.tar")))


# ------------------------------------------------------------------ opt-out files


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A crawl by a recipe with an opt-out file that has a line of every kind."""
    folder = tmp_path_factory.mktemp("filed")
    digest = sha256(painted("listed/by-hash").render()).hexdigest()
    api = DoNotTrain()
    with ExitStack() as stack:
        web, recipe = made(folder, 'files = ["optouts.jsonl"]', api, stack)
        lines = [
            {"url": f"https://{HOST}/art/by-url.jpg", "note": "asked by mail"},
            {"prefix": f"https://{HOST}/private/"},
            {"domain": OTHER},
            {"sha256": digest},
        ]
        text = "# what must stay out\n" + "".join(json.dumps(line) + "\n" for line in lines)
        (recipe.parent / "optouts.jsonl").write_text(text, "utf-8")
        yield Scene(web, api, recipe, curated(folder, recipe))


@pytest.mark.parametrize(
    ("name", "gate"), [("by-url", "g0"), ("below", "g0"), ("far", "g0"), ("by-hash", "g5")]
)
def test_what_a_file_lists_is_refused(filed: Scene, name: str, gate: str) -> None:
    assert outcomes(filed.run)[name] == ("refused", "registry_opt_out", gate)


def test_what_it_does_not_list_is_taken(filed: Scene) -> None:
    found = outcomes(filed.run)
    assert {name for name, (outcome, _, _) in found.items() if outcome == "released"} == {
        "free",
        "asked",
        "later",
        "moved",
        "through",
    }


def test_nothing_is_sent_for_a_listed_address_and_listed_bytes_are_not_kept(filed: Scene) -> None:
    asked = requested(filed.web)
    assert f"{HOST}/art/free.jpg" in asked
    for path in (f"{HOST}/art/by-url.jpg", f"{HOST}/private/below.jpg", f"{OTHER}/far.jpg"):
        assert path not in asked
    assert f"{HOST}/art/by-hash.jpg" in asked, "its bytes alone are listed"
    stored = raw_bytes(filed.run)
    assert painted("listed/free").render() in stored
    assert painted("listed/by-hash").render() not in stored


@pytest.mark.parametrize(
    ("url", "line"),
    [
        (f"http://{HOST}/art/by-url.jpg", "registry:optouts.jsonl:L2"),
        (f"http://{HOST}/private/below.jpg", "registry:optouts.jsonl:L3"),
        (f"http://{OTHER}/far.jpg", "registry:optouts.jsonl:L4"),
        (f"http://{HOST}/art/by-hash.jpg", "registry:optouts.jsonl:L5"),
    ],
)
def test_explain_shows_the_line_of_the_file(filed: Scene, url: str, line: str) -> None:
    done = kyodaku("explain", str(filed.run.path), url)
    assert done.returncode == 0, done.stderr
    assert "registry_opt_out" in done.stdout
    shown = "".join(done.stdout.split())
    assert line in shown


def test_a_line_that_comes_later_takes_out_what_was_taken(filed: Scene, tmp_path: Path) -> None:
    """Also where it names only a hop on the way to the page that shows the picture."""
    path = filed.recipe.parent / "optouts.jsonl"
    before = path.read_text("utf-8")
    try:
        path.write_text(before + json.dumps({"url": f"http://{HOST}/old"}) + "\n", "utf-8")
        curated(filed.run.path.parents[2], filed.recipe, "curate")
        found = outcomes(filed.run)
        assert found["through"][:2] == ("refused", "registry_opt_out")
        assert found["free"][0] == "released"
        assert painted("listed/through").render() not in raw_bytes(filed.run)
        done = kyodaku("explain", str(filed.run.path), f"http://{HOST}/art/through.jpg")
        assert "registry:optouts.jsonl:L6" in "".join(done.stdout.split()), done.stdout
    finally:
        path.write_text(before, "utf-8")


# ------------------------------------------------------------------ the service

SPAWNING = f'[registries.spawning]\nendpoint = "{ENDPOINT}"\nbatch = 4'


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A crawl whose recipe names the service; one image is opted out there."""
    folder = tmp_path_factory.mktemp("served")
    api = DoNotTrain([f"http://{HOST}/art/asked.jpg"])
    with ExitStack() as stack:
        web, recipe = made(folder, SPAWNING, api, stack)
        yield Scene(web, api, recipe, curated(folder, recipe))


def test_the_service_is_asked_about_every_address_before_the_crawl_asks_for_it(served: Scene) -> None:
    at: dict[str, float] = {}
    for entry in served.web.log:
        if entry.host == "opts.example":
            assert entry.header("Authorization") == f"API {KEY}"
            at |= {url: entry.time for url in entry.body.decode().split("\n") if url not in at}
        elif entry.path not in ("/robots.txt",) and not entry.path.startswith("/.well-known"):
            wanted = f"http://{entry.host}{entry.path}"
            if entry.path.endswith(".jpg") or entry.path in ("/", "/old", "/found"):
                assert at[wanted] <= entry.time, wanted
    assert all(len(batch) <= 4 for batch in served.api.batches)
    assert len(served.api.asked) == len(set(served.api.asked))


def test_what_it_lists_is_refused_and_the_rest_is_taken(served: Scene) -> None:
    found = outcomes(served.run)
    assert found["asked"] == ("refused", "registry_opt_out", "g0")
    assert f"{HOST}/art/asked.jpg" not in requested(served.web)
    assert {outcome for name, (outcome, _, _) in found.items() if name != "asked"} == {"released"}
    done = kyodaku("explain", str(served.run.path), f"http://{HOST}/art/asked.jpg")
    assert "registry:spawning" in "".join(done.stdout.split())


def test_its_answers_are_on_record_with_time_and_digest(served: Scene) -> None:
    rows = [row for shard in shard_names(served.run.candidates) for row in candidate_rows(served.run, shard)]
    [row] = [row for row in rows if row["image_url"].endswith("/free.jpg")]
    own = [said for said in row["signals"] if said["rule"] == "registry:spawning"]
    assert {said["binding"] for said in own} == {"image", "page"}
    for said in own:
        assert said["effect"] == "silent"
        assert '"optOut": false' in said["raw"]
        assert said["fetched_at"] > 1e9
        assert len(said["digest"]) == 64


def test_no_key_stands_in_any_file_of_the_run(served: Scene) -> None:
    for path in served.run.path.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path


def test_without_a_key_nothing_is_asked(served: Scene, tmp_path: Path) -> None:
    seen = len(served.web.log)
    done = command("crawl", str(served.recipe), "--runs", str(tmp_path / "runs"), "--quiet", key="")
    assert done.returncode == 2
    assert "SPAWNING_OPTS_KEY" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert len(served.web.log) == seen


def test_naming_the_service_later_needs_another_crawl(served: Scene) -> None:
    text = served.recipe.read_text("utf-8")
    try:
        served.recipe.write_text(text.replace(SPAWNING, ""), "utf-8")
        done = command("curate", str(served.recipe), "--runs", str(served.run.path.parents[1]), "--quiet")
    finally:
        served.recipe.write_text(text, "utf-8")
    assert done.returncode == 2
    assert "registries.spawning" in done.stderr


def test_check_asks_it_too(served: Scene) -> None:
    for name, outcome in (("asked", "refused"), ("free", "released")):
        url, page = f"http://{HOST}/art/{name}.jpg", f"http://{HOST}/"
        done = command("check", url, "--page", page, "--recipe", str(served.recipe), "--json")
        assert json.loads(done.stdout)["outcome"] == outcome, done.stdout + done.stderr
    assert command("check", url, "--recipe", str(served.recipe), key="").returncode == 2


def test_recheck_while_the_service_is_down_takes_nothing_out(served: Scene) -> None:
    seen = len(served.web.log)
    served.api.lasts = 0
    try:
        done = command("recheck", str(served.run.path), "--quiet")
    finally:
        served.api.lasts = sys.maxsize
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "answers for no address" in done.stderr
    assert "status 503" in done.stderr
    assert requested_since(served.web, seen) == set()
    assert outcomes(served.run)["free"][0] == "released"


def test_recheck_finds_a_new_opt_out(served: Scene) -> None:
    served.api.opted_out.add(f"http://{HOST}/art/later.jpg")
    seen = len(served.web.log)
    done = command("recheck", str(served.run.path), "--quiet")
    assert done.returncode == 0, done.stdout + done.stderr
    asked = requested_since(served.web, seen)
    assert f"{HOST}/art/later.jpg" not in asked, "its answer came before anything was asked of its host"
    assert f"{HOST}/art/free.jpg" in asked
    curated(served.run.path.parents[2], served.recipe, "curate")
    found = outcomes(served.run)
    assert found["later"] == ("refused", "registry_opt_out", "g0")
    assert found["free"][0] == "released"
    assert painted("listed/later").render() not in raw_bytes(served.run)


def requested_since(web: SmallWeb, seen: int) -> set[str]:
    return {f"{entry.host}{entry.path}" for entry in web.log[seen:] if entry.host != "opts.example"}


def test_a_service_that_dies_holds_what_it_did_not_answer_for(tmp_path: Path) -> None:
    """It answers for the pages and not for the images; a release never sees one of them."""
    api = DoNotTrain()
    with ExitStack() as stack:
        web, recipe = made(tmp_path, SPAWNING.replace("batch = 4", "batch = 100"), api, stack)
        text = recipe.read_text("utf-8").replace('["200 ms"]', "[]")
        recipe.write_text(text, "utf-8")
        api.lasts = 1
        run = curated(tmp_path, recipe)
        found = outcomes(run)
        assert found
        assert {(outcome, reason) for outcome, reason, _ in found.values()} == {
            ("held", "registry_unreachable")
        }
        assert not {path for path in requested(web) if path.endswith(".jpg")}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_stopped_while_the_service_is_asked_and_taken_up_again(tmp_path: Path, how: signal.Signals) -> None:
    api = DoNotTrain([f"http://{HOST}/art/asked.jpg"])
    api.lasts, api.hangs = 1, True
    with ExitStack() as stack:
        web, recipe = made(tmp_path, SPAWNING, api, stack)
        process = subprocess.Popen(
            [*PROGRAM, "crawl", str(recipe), "--runs", str(tmp_path / "runs"), "--quiet"],
            cwd=REPO,
            env={**os.environ, "SPAWNING_OPTS_KEY": KEY},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        waited = time.monotonic() + 60
        while len(api.batches) < 2 and time.monotonic() < waited:
            time.sleep(0.02)
        assert len(api.batches) == 2
        process.send_signal(how)
        _, errors = process.communicate(timeout=60)
        assert b"Traceback" not in errors
        assert not {path for path in requested(web) if path.endswith(".jpg")}
        api.hangs, api.lasts = False, sys.maxsize
        again = api.batches[1]
        found = outcomes(curated(tmp_path, recipe))
        assert api.batches[2] == again, "the batch that was under way is asked again, no other"
        assert api.asked.count(f"http://{HOST}/") == 1
        assert found["asked"] == ("refused", "registry_opt_out", "g0")
        assert {outcome for name, (outcome, _, _) in found.items() if name != "asked"} == {"released"}
