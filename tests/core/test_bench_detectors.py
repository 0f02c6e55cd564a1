"""The benchmark of the detectors: its statistics, its pictures, and the pages made from its result."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.detectors import aimarks, enlarged, hard, looks, oldart, protections, tables, walls
from benchmarks.detectors.protections import Verdict, verdict
from benchmarks.detectors.sets import Case
from benchmarks.detectors.statistics import Rate, auc, recall_at, threshold_at, wilson
from benchmarks.detectors.views import VIEWS, Pixels, cropped

SCORES = st.lists(st.integers(0, 6).map(float), min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (95, 100, 0.8882, 0.9785)],
)
def test_wilson_gives_the_published_intervals(hits: int, total: int, low: float, high: float) -> None:
    assert wilson(hits, total) == pytest.approx((low, high), abs=1e-4)


@given(st.integers(1, 400), st.data())
def test_wilson_holds_the_share_and_is_symmetric(total: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, total))
    low, high = wilson(hits, total)
    assert 0 <= low <= hits / total <= high <= 1
    mirrored = wilson(total - hits, total)
    assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx((low, high))


def test_nothing_is_known_of_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert math.isnan(auc([], [1.0]))
    with pytest.raises(ValueError, match="3 of 2"):
        wilson(3, 2)


@given(SCORES, SCORES)
def test_auc_is_the_share_of_pairs_in_order(positives: list[float], negatives: list[float]) -> None:
    pairs = [(p > n) + 0.5 * (p == n) for p in positives for n in negatives]
    assert auc(positives, negatives) == pytest.approx(sum(pairs) / len(pairs))


@given(SCORES, SCORES, st.sampled_from([0.0, 0.01, 0.1, 0.5]))
def test_recall_is_taken_where_few_enough_negatives_are_above(
    positives: list[float], negatives: list[float], share: float
) -> None:
    threshold = threshold_at(negatives, share)
    assert sum(score > threshold for score in negatives) <= share * len(negatives)
    lower = [score for score in negatives if score < threshold]
    if lower:  # the next lower threshold would let too many through
        assert sum(score > max(lower) for score in negatives) > share * len(negatives)
    found = recall_at(positives, negatives, share)
    assert found == Rate(sum(score > threshold for score in positives), len(positives))


def test_verdicts_follow_from_the_lower_ends_of_intervals() -> None:
    sure, fair, poor = Rate(200, 200), Rate(50, 100), Rate(10, 100)
    assert verdict([sure, sure]) is Verdict.RELY
    assert verdict([sure, sure], the_recipe_decides=True) is Verdict.HELPS
    assert verdict([sure, poor]) is Verdict.HELPS
    assert verdict([Rate(8, 8), Rate(1, 8), Rate(0, 8)]) is Verdict.NOT, "one column is not the web"
    assert verdict([fair, fair]) is Verdict.HELPS
    assert verdict([poor, poor]) is Verdict.NOT
    assert verdict([Rate(2, 2)]) is Verdict.HELPS, "two of two prove little"
    assert verdict([]) is verdict([sure, Rate(0, 0)]) is Verdict.UNKNOWN


def test_the_page_shows_how_copies_are_found() -> None:
    told = {"recall": 0.95, "low": 0.9, "high": 0.98, "of": 100}
    figures = {
        "families": {"JPEG": {"all": told, "75": told}},
        "pictorial": {"JPEG": {**told, "recall": 1.0, "of": 10}},
        "pictures": 120, "too_flat": 3, "suspicious": 1, "pairs": 7140,
        "tiles": {"pictures": 50, "pairs": 1225, "false": 0},
    }  # fmt: skip
    page = tables._copies(figures)
    assert "| **JPEG** | 95 % (89-98, n 100) | 100 % (72-100, n 10) |" in page
    assert "0 of 1,225 pairs" in page


@pytest.fixture(scope="module")
def ramp() -> Pixels:
    """A picture with detail everywhere."""
    noise = np.random.default_rng(3).integers(0, 90, (160, 200, 3))
    return (np.linspace(40, 160, 200)[None, :, None] + noise).astype(np.uint8)


def test_every_column_is_an_image_file(ramp: Pixels) -> None:
    for make in VIEWS.values():
        assert make(ramp)[:4] in (b"\x89PNG", b"\xff\xd8\xff\xe0")
    assert cropped(ramp).shape == (144, 180, 3)


def test_what_is_laid_over_old_art_changes_it_and_keeps_its_size(ramp: Pixels) -> None:
    plain = {
        name: kind for name, kind in oldart.KINDS.items() if name in ("craquelure", "foxing", "canvas weave")
    }
    plain |= {
        name: kind for name, kind in hard.KINDS.items() if name in ("film grain", "halftone", "line art")
    }
    assert len(plain) == 6
    for make in plain.values():
        made = make(ramp, {}, np.random.default_rng(1))
        assert made.shape == ramp.shape
        assert made.dtype == np.uint8
        assert (made != ramp).any()


def test_generator_marks_are_written_where_the_decoder_reads(ramp: Pixels) -> None:
    from curation.dwt_dct import correlations

    big = np.tile(ramp // 4 + 90, (3, 2, 1))
    assert max(correlations(big).values()) < 0.5
    for family in aimarks.FAMILIES:
        assert max(correlations(aimarks.marked(big, family)).values()) > 0.5, family


def test_an_enlarged_picture_has_the_size_of_the_native_one(ramp: Pixels) -> None:
    for family in enlarged.FAMILIES:
        assert enlarged.enlarged(ramp, family, np.random.default_rng(2)).shape == ramp.shape


def test_a_case_goes_through_the_columns_that_are_asked_for(
    ramp: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OnePicture:
        def ordinary(self, rng: np.random.Generator) -> Pixels:
            return ramp

    monkeypatch.setattr(looks, "_grounds", lambda pool: OnePicture())
    monkeypatch.setattr(looks, "built", dict)
    rows: dict[str, looks.Row] = {"JPEG 75": {"findings": {}}, "half size": {"findings": {}}}
    with looks._decoder():
        found = looks._look_at(Case("clean", "ordinary pictures", 0), rows, Path(), "made")
    looks._decoder.cache_clear()
    assert [(row["view"], row["width"]) for row in found] == [("JPEG 75", 200), ("half size", 100)]


def test_what_is_told_by_others_is_stale_when_they_are_new() -> None:
    row = {"made": "m", "findings": {name: {"version": "1"} for name in ("text", "notices", "ai_made")}}
    before = {"text": "1", "notices": "1", "ai_made": "1"}
    assert looks._fit(row, "m", before)["findings"].keys() == before.keys()
    assert looks._fit(row, "m", {"overlay": "1", **before})["findings"].keys() == {"ai_made"}
    assert looks._fit(row, "m", {**before, "text": "2"})["findings"].keys() == {"ai_made"}
    assert looks._fit(row, "other", before)["findings"] == {}


def test_no_walled_answer_shows_the_work() -> None:
    assert not any(answer.shows_the_work for answer in walls.walled())
    assert not any(answer.noticed for answer in walls.opened())


def test_the_pages_show_the_measured_result() -> None:
    result = json.loads(tables.RESULT.read_text(encoding="utf-8"))
    assert tables.PAGE.read_text(encoding="utf-8") == tables.written()
    for language, path in protections.PAGES.items():
        assert path.read_text(encoding="utf-8") == protections.page(result, language)
    assert result["protections"] == protections.measured_here(), "measure again: make bench-detectors"


def test_all_seven_protections_have_a_row_and_a_missed_one_is_shown() -> None:
    result = {"date": "today", "detectors": {}, "protections": protections.measured_here()}
    for language in ("en", "ja"):
        page = protections.page(result, language)
        assert page.count(f"**{getattr(Verdict.UNKNOWN, language)}** |") == 5
        assert sum(line.startswith("| ") for line in page.splitlines()) == 1 + len(protections.ways()) == 8
