"""The web changes after the crawl: asked again through the command line, every change is heard or held."""

from __future__ import annotations

import ctypes
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kyodaku.recheck.overlay import candidate_rows
from kyodaku.release.tables import shard_names
from kyodaku.runs import RunFolder
from tests.e2e.conftest import REPO, kyodaku
from tests.web.model import NOT_FOUND, Figure, Handler, Page, Reply, Route, Site, redirect, text
from tests.web.pictures import painted, plus_xmp
from tests.web.server import Visit, page_reply
from tests.web.small_web import SmallWeb

GALLERY, CLOSING, MANY, TIRED = "gallery.example", "closing.example", "many.example", "tired.example"
OPEN = text("User-agent: *\nDisallow:\n")
PICTURES = 8
RECIPE = """
version = 1
name = "again"
[operator]
crawler = "AgainCrawler"
[seeds]
sites = [{seeds}]
[network]
host_table = "{table}"
timeout = "5 s"
[politeness]
delay = "20 ms"
jitter = 0
hold_retries = []
[permission]
basis = "public-domain"
[permission.public_domain]
accept = ["cc0"]
"""
#: Pages of the gallery; each shows one picture of its own, named after it.
CASES = (
    "same",
    "moved",
    "noai",
    "beside",
    "header",
    "plus",
    "other",
    "untold",
    "page-gone",
    "image-gone",
    "licence",
    "sent-on",
)


@dataclass(frozen=True)
class Row:
    """What the recheck noted of one image, and what was decided then."""

    page: str
    image: str
    verdict: str
    reason: str
    outcome: str
    decided: str


@dataclass(frozen=True)
class Scene:
    """The web after its change, the run asked again and curated again, and what was asked for that."""

    web: SmallWeb
    recipe: Path
    run: RunFolder
    asked: tuple[tuple[str, str, int], ...]  # method, URL, whether validators were sent
    rows: dict[str, Row]
    told: str


def page(name: str) -> Page:
    figure = Figure(f"/{name}.jpg", f"A picture, {len(name)} letters", painted(f"again/{name}"))
    return Page(f"/{name}", f"A page, {len(name)} letters", [figure])


def tagged(reply: Reply, tag: str, *fields: tuple[str, str]) -> Handler:
    """An answer with an ETag, which a request that knows it is told with 304. `fields` go on either."""

    async def handler(visit: Visit) -> Reply:
        headers = (*reply.headers, ("ETag", f'"{tag}"'), *fields)
        if visit.request.header("If-None-Match") == f'"{tag}"':
            return Reply(b"", 304, headers)
        return replace(reply, headers=headers)

    return handler


def picture(label: str, xmp: bytes = b"") -> Reply:
    return Reply(painted(label, xmp=xmp).render(), headers=(("Content-Type", "image/jpeg"),))


def site(name: str, cases: tuple[str, ...]) -> Site:
    routes: dict[str, Route] = {"/robots.txt": OPEN}
    for case in cases:
        image = picture(f"again/{case}")
        routes[f"/{case}"] = tagged(page_reply(page(case)), "p1")
        routes[f"/{case}.jpg"] = image if case == "untold" else tagged(image, "i1")
    home = Page("/", name, links=[f"/{case}" for case in cases])
    return Site(name, "pages that change", pages=[home, *map(page, cases)], routes=routes)


def change(web: SmallWeb) -> None:
    """What happens between the crawl and the release."""

    def at(path: str) -> str:
        return f"http://{GALLERY}/{path}"

    noai = replace(page("noai"), head='<meta name="robots" content="noai, noimageai">')
    web.set(at("noai"), tagged(page_reply(noai), "p2"))
    said = replace(page("beside").figures[0], alt="A picture. Please: no AI training")
    web.set(at("beside"), tagged(page_reply(replace(page("beside"), figures=[said])), "p2"))
    web.set(at("header"), tagged(page_reply(page("header")), "p1", ("X-Robots-Tag", "noai")))
    web.set(at("plus.jpg"), tagged(picture("again/plus", plus_xmp("DMI-PROHIBITED")), "i2"))
    web.set(at("other.jpg"), tagged(picture("again/another"), "i2"))
    web.set(at("moved"), redirect(at("elsewhere")))
    elsewhere = replace(page("moved"), head='<meta name="robots" content="noai">')
    web.set(at("elsewhere"), tagged(page_reply(elsewhere), "p1"))
    onward = redirect(at("sent.jpg"))
    web.set(at("sent-on.jpg"), replace(onward, headers=(*onward.headers, ("X-Robots-Tag", "noai"))))
    web.set(at("sent.jpg"), tagged(picture("again/sent-on"), "i1"))
    web.set(at("page-gone"), NOT_FOUND)
    web.set(at("image-gone.jpg"), NOT_FOUND)
    unlicensed = replace(page("licence"), figures=[replace(page("licence").figures[0], licence="")])
    web.set(at("licence"), tagged(page_reply(unlicensed), "p2"))
    web.set(f"http://{TIRED}/tired0", text("tomorrow", 503, ("Retry-After", "86400")))
    web.set(f"http://{CLOSING}/robots.txt", text("User-agent: *\nDisallow: /\n"))


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SmallWeb, Path, RunFolder]]:
    """The web before its change, crawled and curated. Copy the run to change it."""
    folder = tmp_path_factory.mktemp("again")
    sites = [
        site(GALLERY, CASES),
        site(CLOSING, ("closing",)),
        site(TIRED, ("tired0", "tired1")),
        site(MANY, tuple(f"m{n}" for n in range(PICTURES))),
    ]
    with SmallWeb(sites, folder=folder / "web") as web:
        recipe = folder / "recipe/recipe.toml"
        recipe.parent.mkdir()
        seeds = ", ".join(json.dumps(seed) for seed in web.seeds)
        recipe.write_text(RECIPE.format(seeds=seeds, table="../web/hosts.toml"), "utf-8")
        for command in ("crawl", "curate"):
            done = kyodaku(command, str(recipe), "--runs", str(folder / "runs"), "--quiet")
            assert done.returncode == 0, done.stdout + done.stderr
        yield web, recipe, RunFolder((folder / "runs/again/latest").resolve())


@pytest.fixture(scope="module")
def scene(crawled: tuple[SmallWeb, Path, RunFolder], tmp_path_factory: pytest.TempPathFactory) -> Scene:
    web, recipe, run = crawled
    copy = tmp_path_factory.mktemp("scene") / "runs"
    shutil.copytree(run.path.parents[1], copy, symlinks=True)
    run = RunFolder((copy / "again/latest").resolve())
    change(web)
    seen = len(web.log)
    done = kyodaku("recheck", str(run.path), "--quiet")
    assert done.returncode == 0, done.stdout + done.stderr
    asked = tuple((entry.method, entry.url, bool(entry.header("If-None-Match"))) for entry in web.log[seen:])
    again = kyodaku("curate", str(recipe), "--runs", str(copy), "--quiet")
    assert again.returncode == 0, again.stdout + again.stderr
    return Scene(web, recipe, run, asked, rows_of(run), done.stdout + again.stdout)


def rows_of(run: RunFolder) -> dict[str, Row]:
    """By the name of the image."""
    found: dict[str, Row] = {}
    urls = {row["candidate_id"]: row["image_url"] for row in candidates(run)}
    for shard in shard_names(run.decisions):
        decided = table(run.decisions / f"{shard}.parquet")
        noted = table(run.rechecks / f"{shard}.parquet")
        for key, row in decided.items():
            check = noted.get(key)
            if check is None:
                continue
            name = urls[key].rpartition("/")[2].removesuffix(".jpg")
            found[name] = Row(
                check["page"],
                check["image"],
                check["gate_verdict"],
                check["gate_reason"],
                row["outcome"],
                row["reason"],
            )
    return found


def table(path: Path) -> dict[str, dict[str, Any]]:
    return {row["candidate_id"]: row for row in pq.read_table(path).to_pylist()} if path.is_file() else {}


def methods(scene: Scene, path: str) -> list[str]:
    return [method for method, url, _ in scene.asked if url == f"http://{GALLERY}/{path}"]


def body(name: str) -> bytes:
    """The picture that the crawl stored."""
    return painted(f"again/{name}").render()


def raw_bytes(run: RunFolder) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(run.raw.glob("*.tar")))


def test_every_kept_image_was_asked_about_and_hosts_once(scene: Scene) -> None:
    assert set(scene.rows) == {*CASES, "closing", "tired0", "tired1", *(f"m{n}" for n in range(PICTURES))}
    for host in (GALLERY, CLOSING, MANY, TIRED):
        assert [url for _, url, _ in scene.asked].count(f"http://{host}/robots.txt") == 1


def test_what_has_not_changed_costs_a_304_and_a_head(scene: Scene) -> None:
    row = scene.rows["same"]
    assert (row.page, row.image, row.verdict, row.outcome) == ("same", "same", "proceed", "released")
    assert ("GET", f"http://{GALLERY}/same", True) in scene.asked
    assert methods(scene, "same.jpg") == ["HEAD"]


def test_an_image_without_a_validator_is_fetched_again(scene: Scene) -> None:
    row = scene.rows["untold"]
    assert (row.image, row.verdict, row.outcome) == ("same", "proceed", "released")
    assert methods(scene, "untold.jpg") == ["HEAD", "GET"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("noai", "meta_robots"),
        ("beside", "rights_text"),
        ("moved", "meta_robots"),  # a 304, but of the address that the page moved to
        ("header", "x_robots_tag"),
        ("plus", "plus_data_mining"),
        ("sent-on", "x_robots_tag"),  # in the headers of a redirect
        ("closing", "robots_disallow"),
    ],
)
def test_a_new_no_refuses_and_purges(scene: Scene, name: str, reason: str) -> None:
    row = scene.rows[name]
    assert (row.verdict, row.reason, row.outcome, row.decided) == ("refuse", reason, "refused", reason)
    stored = raw_bytes(scene.run)
    assert body("same") in stored, "what stays is there"
    assert body(name) not in stored


def test_a_no_of_the_page_ends_it_before_the_image_is_asked_for(scene: Scene) -> None:
    assert methods(scene, "noai.jpg") == methods(scene, "header.jpg") == []
    assert not [url for _, url, _ in scene.asked if url.startswith(f"http://{CLOSING}/closing")]


def test_a_changed_image_is_read_in_full(scene: Scene) -> None:
    assert methods(scene, "plus.jpg") == methods(scene, "other.jpg") == ["HEAD", "GET"]
    assert (scene.rows["other"].image, scene.rows["plus"].image) == ("changed", "changed")


def test_other_bytes_than_those_we_have_are_held_and_asked_for_once(scene: Scene) -> None:
    """The words `no AI training` may be written in the new picture, and nobody looked at it."""
    row = scene.rows["other"]
    assert (row.verdict, row.reason) == ("hold", "changed_since")
    assert (row.outcome, row.decided) == ("held", "changed_since")
    assert body("other") not in raw_bytes(scene.run)


@pytest.mark.parametrize("name", ["page-gone", "image-gone"])
def test_what_is_gone_is_held(scene: Scene, name: str) -> None:
    row = scene.rows[name]
    assert (row.verdict, row.reason) == ("hold", "gone_since")
    assert (row.outcome, row.decided) == ("held", "gone_since")


def test_a_host_that_rests_until_tomorrow_is_held_and_not_waited_for(scene: Scene) -> None:
    pages = [url for _, url, _ in scene.asked if url.startswith(f"http://{TIRED}/tired")]
    assert pages == [f"http://{TIRED}/tired0"], "nothing more is asked of it"
    for name in ("tired0", "tired1"):
        assert (scene.rows[name].verdict, scene.rows[name].outcome) == ("hold", "held")


def test_a_licence_that_is_gone_from_the_page_is_gone(scene: Scene) -> None:
    row = scene.rows["licence"]
    assert (row.page, row.outcome, row.decided) == ("changed", "refused", "no_licence_evidence")


def test_the_user_is_told(scene: Scene) -> None:
    assert "7 now refused" in scene.told
    assert "5 now on hold" in scene.told
    assert "run kyodaku curate" in scene.told


def test_readers_see_the_new_facts(scene: Scene) -> None:
    for name, words in (("noai", "noimageai"), ("image-gone", "gone_since")):
        url = f"http://{GALLERY}/{name}.jpg"
        done = kyodaku("explain", str(scene.run.path), url, "--json")
        assert done.returncode == 0, done.stderr
        assert words in done.stdout
    done = kyodaku("report", str(scene.run.path))
    assert done.returncode == 0, done.stderr
    shown = scene.run.report.read_text("utf-8")
    assert f"{GALLERY}/plus.jpg" in shown
    rows = [row for shard in shard_names(scene.run.candidates) for row in candidate_rows(scene.run, shard)]
    (row,) = [row for row in rows if row["image_url"].endswith("/plus.jpg")]
    assert any(signal["effect"] == "reserved" for signal in row["signals"])


def test_a_release_refuses_stale_answers_in_one_line(
    crawled: tuple[SmallWeb, Path, RunFolder], tmp_path: Path
) -> None:
    _, recipe, run = crawled
    later = str(time.time() + 8 * 86400)
    runs = str(run.path.parents[1])
    done = kyodaku("release", str(recipe), "--runs", runs, "--quiet", "--recorded-clock", later)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "run kyodaku recheck" in done.stderr
    assert not run.path.joinpath("release").exists()


def released(recipe: Path, runs: Path, now: float) -> subprocess.CompletedProcess[str]:
    return kyodaku("release", str(recipe), "--runs", str(runs), "--quiet", "--recorded-clock", str(now))


def test_a_release_refuses_images_whose_page_is_stale(
    crawled: tuple[SmallWeb, Path, RunFolder], tmp_path: Path
) -> None:
    """A crawl that was stopped for days and taken up again asked for the pages before it, and not since."""
    _, recipe, run = crawled
    shutil.copytree(run.path.parents[1], tmp_path / "runs", symlinks=True)
    pages = RunFolder((tmp_path / "runs/again/latest").resolve()).pages
    rows = pq.read_table(pages)
    old = pa.array([time - 30 * 86400 for time in rows.column("fetched_at").to_pylist()])
    pq.write_table(rows.set_column(rows.schema.get_field_index("fetched_at"), "fetched_at", old), pages)
    done = released(recipe, tmp_path / "runs", time.time())
    assert (done.returncode, "run kyodaku recheck" in done.stderr) == (1, True), done.stdout + done.stderr


def test_a_release_refuses_answers_that_seem_to_come_from_the_future(
    crawled: tuple[SmallWeb, Path, RunFolder], tmp_path: Path
) -> None:
    _, recipe, run = crawled
    shutil.copytree(run.path.parents[1], tmp_path / "runs", symlinks=True)
    done = released(recipe, tmp_path / "runs", time.time() - 86400)
    assert (done.returncode, "run kyodaku recheck" in done.stderr) == (1, True), done.stdout + done.stderr


def test_a_moved_recipe_is_one_clear_line(crawled: tuple[SmallWeb, Path, RunFolder], tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(crawled[2].path, run)
    lock = run / "recipe.lock.toml"
    lock.write_text(lock.read_text("utf-8").replace(str(crawled[1].parent), "/nowhere/at/all"), "utf-8")
    done = kyodaku("recheck", str(run))
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert "../web/hosts.toml; give the recipe instead of the run" in done.stderr


def test_killed_and_taken_up_again_asks_about_no_image_twice(
    crawled: tuple[SmallWeb, Path, RunFolder], tmp_path: Path
) -> None:
    web, _, original = crawled
    run = RunFolder(tmp_path / "run")
    shutil.copytree(original.path, run.path)
    seen = len(web.log)
    process = subprocess.Popen(
        [sys.executable, "-m", "kyodaku", "recheck", str(run.path), "--quiet"],
        cwd=REPO,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL),  # it dies with us
    )
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and len(noted(run)) < 3:
            assert process.poll() is None, "it was quicker than our look"
            time.sleep(0.002)
    finally:
        process.kill()
        process.wait()
    before = noted(run)
    assert 3 <= len(before) < len(candidates(run))
    done = kyodaku("recheck", str(run.path), "--quiet")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not run.recheck_sqlite.exists()
    kept = [row for path in run.rechecks.glob("*.parquet") for row in pq.read_table(path).to_pylist()]
    assert before < {row["candidate_id"] for row in kept}
    urls = [entry.url for entry in web.log[seen:] if entry.method == "HEAD"]
    names = {row["candidate_id"]: row["image_url"] for row in candidates(run)}
    assert [urls.count(names[key]) for key in before] == [1] * len(before)


def noted(run: RunFolder) -> set[str]:
    """candidate_ids in the notebook that proceed or were refused, as they are on the disk."""
    if not run.recheck_sqlite.exists():
        return set()
    try:
        with closing(sqlite3.connect(f"file:{run.recheck_sqlite}?mode=ro", uri=True)) as db:
            rows = db.execute(
                "SELECT candidate_id FROM answered WHERE json_extract(row, '$.gate_verdict') = 'proceed'"
            )
            return {key for (key,) in rows}
    except sqlite3.OperationalError:  # not made yet
        return set()


def candidates(run: RunFolder) -> list[dict[str, Any]]:
    return [row for shard in shard_names(run.candidates) for row in candidate_rows(run, shard)]
