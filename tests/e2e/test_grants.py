"""Under opt-in, what a host grants opens its own pictures, and none that it merely leads to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from kyodaku.runs import RunFolder
from tests.e2e.conftest import kyodaku
from tests.e2e.test_recheck import OPEN, RECIPE, candidates, picture, tagged
from tests.web.model import Figure, Page, Route, Site, redirect, text
from tests.web.pictures import painted
from tests.web.small_web import SmallWeb

YES, SILENT = "yes.example", "silent.example"
GRANTING = text("User-agent: *\nDisallow:\nContent-Usage: train-ai=y\n")
GRANTS = 'basis = "opt-in"\ngrants = ["aipref"]\n'
#: Address of a picture on the page -> whether it is granted at the crawl, and when it is asked for again.
EXPECTED = {
    f"http://{YES}/own.jpg": (True, True),
    f"http://{YES}/onward.jpg": (False, False),  # granted here, but it lies on the silent host
    f"http://{YES}/later.jpg": (True, False),  # sent on later
    f"http://{SILENT}/plain.jpg": (False, False),
    f"http://{SILENT}/home.jpg": (True, True),  # lies where it is granted
}


def image_of(url: str) -> Route:
    return tagged(picture(f"granted/{url}"), "i1")


def onward(target: str) -> Route:
    answer = redirect(target)
    return replace(answer, headers=(*answer.headers, ("Content-Usage", "train-ai=y")))


@pytest.fixture(scope="module")
def granted(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Path, dict[str, str], dict[str, str]]]:
    """The recipe, and the outcome of each picture at the crawl and after it was asked for again."""
    folder = tmp_path_factory.mktemp("granted")
    figures = [Figure(url, f"A picture {url}", painted(f"granted/{url}")) for url in EXPECTED]
    away = f"http://{SILENT}/onward.jpg"
    yes: dict[str, Route] = {
        "/robots.txt": GRANTING,
        "/own.jpg": image_of("own"),
        "/later.jpg": image_of("later"),
        "/home.jpg": image_of("home"),
        "/onward.jpg": onward(away),
    }
    silent: dict[str, Route] = {
        "/robots.txt": OPEN,
        "/plain.jpg": image_of("plain"),
        "/onward.jpg": image_of("onward"),
        "/later.jpg": image_of("later"),
        "/home.jpg": redirect(f"http://{YES}/home.jpg"),
    }
    sites = [
        Site(YES, "grants", pages=[Page("/", YES, figures)], routes=yes),
        Site(SILENT, "says nothing", pages=[Page("/", SILENT)], routes=silent),
    ]
    with SmallWeb(sites, folder=folder / "web") as web:
        recipe = folder / "recipe/recipe.toml"
        recipe.parent.mkdir()
        rules = RECIPE.partition("basis =")[0] + GRANTS
        seeds = ", ".join(json.dumps(seed) for seed in web.seeds)
        recipe.write_text(rules.format(seeds=seeds, table="../web/hosts.toml"), "utf-8")
        runs = ("--runs", str(folder / "runs"), "--quiet")
        _done("crawl", str(recipe), *runs)
        _done("curate", str(recipe), *runs)
        run = RunFolder((folder / "runs/again/latest").resolve())
        first = outcomes(run)
        web.set(f"http://{YES}/later.jpg", onward(f"http://{SILENT}/later.jpg"))
        _done("recheck", str(recipe), *runs)
        _done("curate", str(recipe), *runs)
        yield recipe, first, outcomes(run)


def _done(*arguments: str) -> None:
    done = kyodaku(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr


def outcomes(run: RunFolder) -> dict[str, str]:
    urls = {row["candidate_id"]: row["image_url"] for row in candidates(run)}
    decided = (row for path in run.decisions.glob("*.parquet") for row in pq.read_table(path).to_pylist())
    return {urls[row["candidate_id"]]: row["outcome"] for row in decided}


@pytest.mark.parametrize("url", EXPECTED)
def test_a_grant_is_the_final_hosts(granted: tuple[Path, dict[str, str], dict[str, str]], url: str) -> None:
    at_first, later = EXPECTED[url]
    assert (granted[1][url] == "released") is at_first
    assert (granted[2][url] == "released") is later


@pytest.mark.parametrize("url", EXPECTED)
def test_check_says_the_same(granted: tuple[Path, dict[str, str], dict[str, str]], url: str) -> None:
    done = kyodaku("check", url, "--recipe", str(granted[0]), "--json")
    found = json.loads(done.stdout)
    assert (found["outcome"] == "released") is EXPECTED[url][1], done.stdout


@pytest.mark.parametrize("url", EXPECTED)
def test_a_host_grants_no_picture_of_another_by_showing_it(
    granted: tuple[Path, dict[str, str], dict[str, str]], url: str
) -> None:
    done = kyodaku("check", url, "--page", f"http://{YES}/", "--recipe", str(granted[0]), "--json")
    found = json.loads(done.stdout)
    assert (found["outcome"] == "released") is EXPECTED[url][1], done.stdout
