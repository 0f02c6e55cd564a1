"""What granted a picture at the crawl has to grant it when it is asked again."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import pytest

from kyodaku.recheck.overlay import iter_candidate_rows
from kyodaku.runs import RunFolder
from tests.e2e.conftest import kyodaku
from tests.e2e.test_recheck import OPEN, RECIPE, picture, rows_of, tagged
from tests.web.model import CC0, Figure, Page, Reply, Route, Site
from tests.web.pictures import licence_xmp, painted
from tests.web.server import page_reply
from tests.web.small_web import SmallWeb

HOST = "granting.example"
LINKED = ("Link", f'<{CC0}>; rel="license"')
OPT_IN = 'basis = "opt-in"\nlicences = ["cc0-1.0"]\ngrants = ["aipref", "tdmrep", "plus-datamining"]\n'


@dataclass(frozen=True)
class Case:
    """A page with one image: what each says at the crawl, and what it says later (None: as before)."""

    page: Page
    image: Reply
    later_page: Page | None = None
    later_image: Reply | None = None
    outcome: str = "refused"


def page(name: str, licence: str = "") -> Page:
    figure = Figure(f"/{name}.jpg", f"A picture called {name}", painted(f"grants/{name}"), licence=licence)
    return Page(f"/{name}", f"Page {name}", [figure])


def image(name: str, *fields: tuple[str, str], xmp: bytes = b"") -> Reply:
    shown = picture(f"grants/{name}", xmp)
    return Reply(shown.body, 200, (*shown.headers, *fields))


AIPREF, TDM = ("Content-Usage", "train-ai=y"), ("tdm-reservation", "0")
CASES = {
    "kept": Case(page("kept"), image("kept", AIPREF), outcome="released"),
    "aipref": Case(page("aipref"), image("aipref", AIPREF), later_image=image("aipref")),
    "tdm": Case(page("tdm"), image("tdm", TDM), later_image=image("tdm")),
    "link": Case(page("link"), image("link", LINKED), later_image=image("link")),
    "bytes": Case(  # a licence inside other bytes than those that are stored
        page("bytes", CC0),
        image("bytes"),
        page("bytes"),
        image("other", xmp=licence_xmp(CC0)),
        outcome="held",  # as every other bytes are, whatever they say; see the test of its evidence
    ),
}


def routes(*, later: bool) -> dict[str, Route]:
    found: dict[str, Route] = {"/robots.txt": OPEN}
    for name, case in CASES.items():
        shown = case.later_page if later and case.later_page else case.page
        seen = case.later_image if later and case.later_image else case.image
        other = later and name == "bytes"  # a header is no part of what a validator speaks for
        found[f"/{name}"] = tagged(page_reply(shown), "p2" if other else "p1")
        found[f"/{name}.jpg"] = tagged(seen, "i2" if other else "i1")
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("grants")
    home = Page("/", HOST, links=[*(f"/{name}" for name in CASES), "/also"])
    also = replace(page("link"), path="/also")  # another page with the same picture
    pages = [home, also, *(case.page for case in CASES.values())]
    site = Site(HOST, "grants", pages=pages, routes=routes(later=False))
    with SmallWeb([site], folder=folder / "web") as web:
        recipe = folder / "recipe/recipe.toml"
        recipe.parent.mkdir()
        rules = RECIPE.partition("basis =")[0] + OPT_IN
        recipe.write_text(rules.format(seeds=json.dumps(web.seeds[0]), table="../web/hosts.toml"), "utf-8")
        options = ("--runs", str(folder / "runs"), "--quiet")
        _done("crawl", str(recipe), *options)
        assert "5 released" in _done("curate", str(recipe), *options), "all of them are granted at first"
        for path, route in routes(later=True).items():
            web.set(f"http://{HOST}{path}", route)
        seen = len(web.log)
        _done("recheck", str(recipe), *options)
        assert [entry.url for entry in web.log[seen:]].count(f"http://{HOST}/link.jpg") == 1
        _done("curate", str(recipe), *options)
        return RunFolder((folder / "runs/again/latest").resolve())


def _done(*arguments: str) -> str:
    done = kyodaku(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", CASES)
def test_a_yes_that_is_not_said_any_more_is_none(run: RunFolder, name: str) -> None:
    assert rows_of(run)[name].outcome == CASES[name].outcome


def test_a_licence_in_other_bytes_is_no_evidence_for_those_we_have(run: RunFolder) -> None:
    [row] = [
        row
        for _, rows in iter_candidate_rows(run)
        for row in rows
        if row["image_url"] == f"http://{HOST}/bytes.jpg"
    ]
    assert (row["gate_reason"], row["evidence"]) == ("changed_since", [])
