"""`kyodaku tune`: what other settings would do is what curating with them does."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import curation.annotators.registry
import curation.filters
import curation.tune
from curation.annotators.base import Finding, Picture, Status
from curation.filters import ai_made, words_beside
from curation.tune import Setting, Tuning, tune
from curation.tune_page import Told, render, write_page
from kyodaku.errors import RunStateError
from kyodaku.recipe import Recipe
from kyodaku.runs import RunFolder
from tests.core.test_cli import kyodaku
from tests.curation.fixtures import encoded, make_run, picture, recipe
from tests.curation.reviewed import PICTURES, RECIPE, curated, curated_once, decide, install, outcomes, run

__all__ = ["curated_once", "run"]  # fixtures


def setting(tuning: Tuning, key: str) -> Setting:
    return next(one for one in tuning.settings if one.key == key)


def with_value(table: str, key: str, value: Any) -> Recipe:
    section = getattr(RECIPE.filters, table).model_copy(update={key: value})
    return RECIPE.model_copy(update={"filters": RECIPE.filters.model_copy(update={table: section})})


def test_the_recipe_as_it_is(run: RunFolder) -> None:
    tuning = tune(run, RECIPE)
    assert tuning.pictures == len(PICTURES) - 1, "what is refused is not counted"
    assert tuning.states == {"kept": 2, "set aside": 4, "dropped": 2}
    assert [one.name for one in tuning.settings][:3] == [
        "filters.resolution.min_side",
        "filters.resolution.max_aspect",
        "filters.resolution.min_effective_side",
    ]
    score = setting(tuning, "max_score")
    assert sum(score.counts) == 6
    assert score.unknown == 2, "two were too small to tell"
    (current,) = [change for change in score.changes if change.current]
    assert (current.value, current.kept, current.newly_kept, current.newly_out) == (0.8, 2, 0, 0)


@pytest.mark.parametrize(("table", "key"), [("watermark", "max_score"), ("resolution", "min_side")])
def test_a_value_does_what_curating_with_it_does(run: RunFolder, table: str, key: str) -> None:
    found = setting(tune(run, RECIPE), key)
    assert len(found.changes) > 3
    for change in found.changes[:: max(1, len(found.changes) // 3)]:
        outcomes = decide(run, with_value(table, key, change.value))
        counts = Counter(outcome for outcome, _ in outcomes.values())
        assert (change.kept, change.dropped, change.aside) == (
            counts["released"],
            counts["filtered"],
            counts["quarantined"],
        ), change
        decide(run)


def test_words_beside_a_picture_are_known_whatever_it_was_set_aside_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    monkeypatch.setitem(curation.filters.FILTERS, "words_beside", words_beside)
    pictures = [
        replace(one, alt="無断転載禁止") for one in PICTURES.values() if one.name in ("clean", "marked")
    ]
    said = curated(tmp_path, pictures)
    tuning = tune(said, RECIPE)
    assert tuning.states == {"set aside": 1, "dropped": 1}
    changes = setting(tuning, "max_score").changes
    assert {(one.kept, one.aside) for one in changes if one.value is not None and one.value >= 0.9} == {
        (0, 2)
    }


class Saying:
    """An annotator that says of every picture what `say` does."""

    version = "1"

    def __init__(self, name: str, say: Callable[[Picture], Finding]) -> None:
        self.name, self._say = name, say

    def look(self, pictures: Sequence[Picture], before: Sequence[Mapping[str, Finding]]) -> list[Finding]:
        return [self._say(one) for one in pictures]


def add(monkeypatch: pytest.MonkeyPatch, name: str, say: Callable[[Picture], Finding]) -> None:
    """One more annotator."""
    built = dict(curation.annotators.registry.BUILT)
    built[name] = lambda section: Saying(name, say)
    monkeypatch.setattr(curation.annotators.registry, "BUILT", built)


def states_of(outcomes: Mapping[str, tuple[str, str]]) -> dict[str, int]:
    """Outcomes of select as tune counts them."""
    words = {"released": "kept", "filtered": "dropped", "quarantined": "set aside"}
    return dict(Counter(words[outcome] for outcome, _ in outcomes.values() if outcome in words))


def test_what_could_not_be_refused_is_set_aside_whatever_the_filters_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    monkeypatch.setattr(curation.filters, "ASKED", ("notices",))
    unread = PICTURES["clean"].body
    add(
        monkeypatch,
        "notices",
        lambda one: Finding("notices", "1", Status.UNKNOWN if one.body == unread else Status.OK),
    )
    said = curated(tmp_path)
    assert outcomes(said)["clean"] == ("quarantined", "not_looked_at")
    tuning = tune(said, RECIPE)
    assert tuning.states == states_of(outcomes(said))
    for change in setting(tuning, "max_score").changes[::5]:
        states = states_of(decide(said, with_value("watermark", "max_score", change.value)))
        assert (change.kept, change.aside) == (states.get("kept", 0), states.get("set aside", 0)), change


def test_a_generators_mark_in_another_file_of_the_same_pixels_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    monkeypatch.setattr(curation.filters, "FILTERS", {**curation.filters.FILTERS, "ai_made": ai_made})
    marked = encoded(picture(1), "PNG", compress_level=1)
    plain = encoded(picture(1), "PNG", compress_level=9)

    def say(one: Picture) -> Finding:
        return Finding("ai_made", "1", Status.OK, level="metadata" if one.body == marked else "")

    add(monkeypatch, "ai_made", say)
    bodies = {"clean": marked, "clean2": plain}
    said = curated(tmp_path, [replace(PICTURES[name], body=body) for name, body in bodies.items()])
    decided = outcomes(said)
    assert decided["clean2"][0] == "filtered", "the mark of the other file"
    assert tune(said, RECIPE).states == states_of(decided) == {"dropped": 2}


def test_nothing_is_looked_at_or_written(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path: path.stat().st_mtime_ns for path in run.path.rglob("*")}
    for tar in run.raw.glob("*.tar"):
        tar.chmod(0)
    monkeypatch.setattr("curation.annotators.registry.BUILT", {})
    tune(run, RECIPE)
    assert {path: path.stat().st_mtime_ns for path in run.path.rglob("*")} == before


def test_pictures_around_the_threshold(run: RunFolder, tmp_path: Path) -> None:
    found = setting(tune(run, RECIPE), "max_score")
    names = {one.uid: name for name, one in PICTURES.items()}
    assert [names[near.uid] for near in found.near] == ["clean", "clean2", "odd", "odd2", "odd3", "marked"]
    assert [near.state for near in found.near][-2:] == ["set aside", "dropped"]
    page = tmp_path / "tune.html"
    write_page(page, tune(run, RECIPE), run, RECIPE)
    text = page.read_text("utf-8")
    assert text.count("data:image/jpeg") >= 6
    assert 'class="mask"' in text
    assert "filters.watermark.max_score" in text
    assert PICTURES["refused"].uid not in text


def test_nearest_of_many_are_kept_on_both_sides(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curation.tune, "AROUND", 1)
    names = {one.uid: name for name, one in PICTURES.items()}
    found = setting(tune(run, RECIPE), "max_score")
    assert [names[near.uid] for near in found.near] == ["odd3", "marked"]


def test_switches_and_lists_are_tried_too(run: RunFolder) -> None:
    brands = setting(tune(run, RECIPE), "brands")
    assert [change.value for change in brands.changes] == [False, True]
    assert {(change.kept, change.newly_out) for change in brands.changes} == {(2, 0)}
    assert not brands.counts


def test_only_what_a_recipe_may_say_is_tried(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """No kind is kept and dropped; and what is not said has its words, too."""
    monkeypatch.setitem(curation.filters.FILTERS, "kind", curation.filters.kind)
    using = recipe(filters={"kind": {"keep": ["photo"], "drop": ["text"]}})
    tuning = tune(run, using)
    assert [change.value for change in setting(tuning, "unknown").changes] == [None, "keep", "quarantine"]
    kept = [change.value for change in setting(tuning, "keep").changes]
    assert ("photo", "map") in kept
    assert ("photo", "text") not in kept
    dropped = [change.value for change in setting(tuning, "drop").changes]
    assert ("text", "blank") in dropped
    assert ("text", "photo") not in dropped


def test_tables_and_json(run: RunFolder, tmp_path: Path) -> None:
    told = Told(tune(run, RECIPE))
    assert json.loads(json.dumps(told.to_json()))["states"]["kept"] == 2
    assert render(told.tuning).renderables
    done = kyodaku("tune", str(run.path), "--html", str(tmp_path / "t.html"))
    assert done.returncode == 0, done.stderr
    assert "8 permitted pictures: 2 kept, 2 dropped, 4 set aside" in done.stdout
    assert "filters.watermark.max_score = 0.8" in done.stdout
    assert (tmp_path / "t.html").is_file()


@pytest.mark.parametrize("name", ["nowhere/tune.html", ".", "notes.txt"])
def test_a_page_that_has_no_place_is_one_line(run: RunFolder, tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    done = kyodaku("tune", str(run.path), "--html", str(tmp_path / name))
    assert (done.returncode, done.stdout) == (2, "")
    assert "unexpected" not in done.stderr
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_before_the_first_decisions(tmp_path: Path) -> None:
    with pytest.raises(RunStateError, match="kyodaku curate"):
        tune(make_run(tmp_path, list(PICTURES.values())), RECIPE)
