"""Pages change after the crawl: words that came beside a picture are heard; what is shown no more is gone."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from kyodaku.recheck.overlay import iter_candidate_rows
from kyodaku.release.tables import shard_names
from kyodaku.runs import RunFolder
from tests.e2e.conftest import kyodaku
from tests.e2e.test_recheck import OPEN, RECIPE, page, picture, table, tagged
from tests.web.model import Page, Route, Site
from tests.web.server import page_reply
from tests.web.small_web import SmallWeb

HOST = "pages.example"
GLAZED, NO_REPOST = "Landscape. Cloaked with Glaze, protected from AI", "無断転載禁止"
#: Pages that show one picture of their own each. `/newest` shows the one of `work` too.
CASES = ("same", "reworded", "glazed", "repost", "titled", "removed", "work")


@dataclass(frozen=True)
class Scene:
    """What was told, and by page: outcome, its reason, and the words of the link."""

    told: str
    rows: dict[str, tuple[str, str, str]]


def newest(*, shown: bool) -> Page:
    return Page("/newest", "The newest of our works", [replace(page("work").figures[0])] if shown else [])


def said(name: str, alt: str) -> Page:
    return replace(page(name), figures=[replace(page(name).figures[0], alt=alt)])


def later() -> list[Page]:
    return [
        said("reworded", "A hill, seen from the lake"),
        said("glazed", GLAZED),
        said("repost", NO_REPOST),
        replace(page("titled"), title="Art by Emi, AI学習対策 Glaze加工済"),
        replace(page("removed"), figures=[]),
        newest(shown=False),
    ]


def site() -> Site:
    pages = [*map(page, CASES), newest(shown=True)]
    routes: dict[str, Route] = {"/robots.txt": OPEN}
    routes |= {one.path: tagged(page_reply(one), "p1") for one in pages}
    routes |= {f"/{case}.jpg": tagged(picture(f"again/{case}"), "i1") for case in CASES}
    return Site(
        HOST,
        "pages that change",
        pages=[Page("/", HOST, links=[one.path for one in pages]), *pages],
        routes=routes,
    )


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    folder = tmp_path_factory.mktemp("pages")
    with SmallWeb([site()], folder=folder / "web") as web:
        recipe = folder / "recipe/recipe.toml"
        recipe.parent.mkdir()
        recipe.write_text(RECIPE.format(seeds=json.dumps(web.seeds[0]), table="../web/hosts.toml"), "utf-8")
        done(recipe, folder, "crawl")
        assert f"{len(CASES)} released" in done(recipe, folder, "curate"), "all of them are allowed at first"
        for one in later():
            web.set(f"http://{HOST}{one.path}", tagged(page_reply(one), "p2"))
        told = done(recipe, folder, "recheck")
        done(recipe, folder, "curate")
    run = RunFolder((folder / "runs/again/latest").resolve())
    rows = {row["candidate_id"]: row for _, shard in iter_candidate_rows(run) for row in shard}
    found = {}
    for shard in shard_names(run.decisions):
        for key, decided in table(run.decisions / f"{shard}.parquet").items():
            path = rows[key]["page_url"].rpartition("/")[2]
            found[path] = (decided["outcome"], decided["outcome_reason"], rows[key]["link_text"])
    return Scene(told, found)


def done(recipe: Path, folder: Path, command: str) -> str:
    result = kyodaku(command, str(recipe), "--runs", str(folder / "runs"), "--quiet")
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_words_that_came_beside_a_picture_set_it_aside(scene: Scene) -> None:
    """Present from the beginning they would have; a caption is never taken from where they are kept."""
    for name in ("glazed", "repost", "titled"):
        assert scene.rows[name][:2] == ("quarantined", "words_beside")
    assert scene.rows["glazed"][2] == GLAZED


def test_other_words_are_kept_and_change_nothing(scene: Scene) -> None:
    assert scene.rows["same"] == ("released", "public_domain", "")
    assert scene.rows["reworded"] == ("released", "public_domain", "A hill, seen from the lake")


def test_a_picture_that_its_page_shows_no_more_is_gone(scene: Scene) -> None:
    assert scene.rows["removed"][:2] == ("held", "gone_since")


def test_a_list_that_moved_on_takes_nothing_from_the_page_of_the_work(scene: Scene) -> None:
    assert scene.rows["newest"][:2] == ("held", "no_longer_shown")
    assert scene.rows["work"][:2] == ("released", "public_domain")


def test_what_changed_is_not_told_as_it_was_before(scene: Scene) -> None:
    assert "8 images asked about again: 2 as before, 4 on a page that changed, 2 now on hold" in scene.told
    assert "run kyodaku curate" in scene.told
