"""The annotator `overlay`: what the shipped weights see, and that strangers' pictures do not break it."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from curation.annotators.base import Picture, Status, look_at_all
from curation.annotators.brands import Brands
from curation.annotators.notices import Notices
from curation.annotators.overlay import (
    LEAST,
    LIKELY,
    POSSIBLE,
    Overlay,
)
from curation.annotators.text import Text
from curation.filters import watermark
from curation.findings import Unseen
from curation.judges.overlay import TILE, Bounds, padded, tiles_of
from curation.ocr import detector as detector_module
from curation.ocr.detector import Detector, View, first_view
from curation.ocr.passes import read_lines
from curation.ocr.readers import readers
from curation.plan import pwatermark
from curation.train.overlay.blending import Colours, Ink, laid
from curation.train.overlay.figures import picture_of
from curation.train.overlay.layouts import HELD_OUT, TRAINED, Layout, outline, spiral, tiled_text
from curation.train.overlay.lookalikes import LOOKALIKES
from curation.train.overlay.marks import Pen
from kyodaku.reasons import FilterReason
from kyodaku.recipe import Annotators, Filters
from tests.curation.overlay_parts import BUILT_IN_FONT

WHITE = Ink("normal", 0.6)


@pytest.fixture(scope="module")
def overlay() -> Overlay:
    return Overlay.build(Annotators())


def pen(seed: int) -> Pen:
    return Pen(np.random.default_rng(seed), (BUILT_IN_FONT,), ("latin",))


def photographs() -> list[Colours]:
    return [data.coffee(), data.chelsea(), data.rocket(), data.astronaut()]


def scores(overlay: Overlay, pictures: list[Colours]) -> list[float]:
    found = look_at_all([overlay], [picture_of(pixels) for pixels in pictures])
    assert {row["overlay"].status for row in found} == {Status.OK}
    return [row["overlay"].score for row in found]


@pytest.mark.parametrize("layout", [tiled_text, outline, spiral])
def test_strong_marks_of_families_never_trained_on_raise_the_score(overlay: Overlay, layout: Layout) -> None:
    marked = [
        laid(pixels, layout(pen(seed), pixels.shape[:2]), WHITE) for seed, pixels in enumerate(photographs())
    ]
    pairs = zip(scores(overlay, photographs()), scores(overlay, marked), strict=True)
    assert sum(after > before for before, after in pairs) >= len(marked) - 1


def test_clean_photographs_and_their_details_are_left_alone(overlay: Overlay) -> None:
    assert max(scores(overlay, photographs())) < LIKELY


@pytest.mark.parametrize(
    "name", ["sign", "comic", "red_seal", "engraved_caption", "map", "painted_signature"]
)
def test_text_and_art_that_are_no_marks_are_left_alone(overlay: Overlay, name: str) -> None:
    draw = LOOKALIKES[name][0]
    pictures = [draw(pen(seed), pixels.copy()) for seed, pixels in enumerate(photographs()[:3])]
    assert sum(score >= LIKELY for score in scores(overlay, pictures)) <= 1


def test_a_mark_has_a_kind_and_a_place(overlay: Overlay) -> None:
    clean = np.asarray(Image.fromarray(data.astronaut()).resize((900, 600)))
    marked = laid(clean, tiled_text(pen(3), (600, 900)), WHITE)
    marked[:300] = clean[:300]
    before, after = overlay.net.look([picture_of(clean), picture_of(marked)], tiles=False)
    more = after.mask - before.mask
    assert more[24:].mean() > max(0.01, 2 * more[:18].mean())
    alert = Overlay()
    alert.net.bounds = Bounds(-20.0, -20.0, -19.0, 20.0)  # everything is marked to this one
    finding = alert.look([picture_of(marked)], [{}])[0]
    assert finding.level == "likely"
    assert finding.text
    with Image.open(io.BytesIO(finding.mask)) as mask:
        assert (mask.mode, mask.size) == ("L", (64, 43))


@pytest.mark.parametrize("shape", [(LEAST, 4000), (700, LEAST), (513, 511), (LEAST, LEAST)])
def test_any_shape_is_looked_at(overlay: Overlay, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (*shape, 3), np.uint8)
    finding = overlay.look([picture_of(noise)], [{}])[0]
    assert finding.status is Status.OK
    assert 0 < finding.score < 1
    assert finding.values["text"] >= 0


def test_a_picture_too_small_to_tell_is_unknown_and_holds_up_nobody(overlay: Overlay) -> None:
    small = picture_of(np.zeros((LEAST - 1, 300, 3), np.uint8))
    found = overlay.look([small, picture_of(data.coffee()), small], [{}] * 3)
    assert [finding.status for finding in found] == [Status.UNKNOWN, Status.OK, Status.UNKNOWN]


def test_who_looks_for_marks_and_who_reads_share_the_first_look(
    overlay: Overlay, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[tuple[int, ...]] = []
    whole = Detector.view

    def counted(self: Detector, pixels: Colours, side: int) -> View:
        looks.append((*pixels.shape, side))
        return whole(self, pixels, side)

    monkeypatch.setattr(Detector, "view", counted)
    picture = picture_of(np.ascontiguousarray(data.coffee()[:, :, ::-1]))
    first = overlay.look([picture], [{}])[0]
    Text.build(Annotators()).look([picture], [{"overlay": replace(first, values={"text": 0.0})}])
    assert looks == [(400, 600, 3, 600)]


def test_a_first_look_that_was_taken_before_changes_no_line() -> None:
    picture = picture_of(data.page()[..., None].repeat(3, 2))
    lines = read_lines(readers(), picture.pixels, 0.0)
    assert lines
    assert read_lines(readers(), picture.pixels, 0.0, first_view(picture))[0].text == lines[0].text


def test_without_the_detector_nobody_says_that_there_is_no_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector_module, "detector", Detector)
    monkeypatch.setattr(detector_module, "SHA256", "another")
    (found,) = look_at_all([Overlay()], [picture_of(data.coffee())])
    assert found["overlay"].status is Status.FAILED
    assert found["overlay"].text.startswith("ModelsMissing: PP-OCRv6_det_small.onnx is another one")


def test_whoever_rests_on_a_finding_changes_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def versions(section: Annotators) -> list[str]:
        return [one.build(section).version for one in (Text, Notices, Brands)]

    before = versions(Annotators())
    monkeypatch.setattr("curation.annotators.overlay.versioned", lambda *parts: "2+another")
    assert not set(before) & set(versions(Annotators()))


def test_a_picture_gets_the_same_finding_alone_and_in_a_batch(overlay: Overlay) -> None:
    pictures = [picture_of(pixels) for pixels in photographs()[:2] * 2]
    together = overlay.look(pictures, [{}] * 4)
    alone = overlay.look(pictures[:1], [{}])[0]
    assert together[0].score == pytest.approx(together[2].score, abs=1e-5)
    assert alone.score == pytest.approx(together[0].score, abs=1e-4)


def test_the_score_rises_with_the_logit_and_passes_its_two_points() -> None:
    bounds = Bounds(-3.0, 0.5, 2.0, 5.0)
    steps = [bounds.score(logit) for logit in np.linspace(-60, 60, 200)]
    assert steps == sorted(steps)
    assert 0 < steps[0] < steps[-1] < 1
    assert bounds.score(0.5) == pytest.approx(POSSIBLE)
    assert bounds.score(2.0) == pytest.approx(LIKELY)


def test_tiles_are_corners_and_centre_at_native_size() -> None:
    pixels = np.arange(700 * 900 * 3, dtype=np.uint32).astype(np.uint8).reshape(700, 900, 3)
    tiles = tiles_of(pixels)
    assert len(tiles) == 5
    assert {tile.shape for tile in tiles} == {(TILE, TILE, 3)}
    assert np.array_equal(tiles[-1], pixels[-TILE:, -TILE:])
    assert len(tiles_of(pixels[:TILE])) == 3


def test_padding_repeats_the_edge_and_changes_nothing_else() -> None:
    view = np.random.default_rng(1).integers(0, 255, (33, 64, 3), np.uint8)
    whole = padded(view)
    assert whole.shape == (64, 64, 3)
    assert np.array_equal(whole[:33], view)
    assert np.array_equal(whole[63], view[32])


# --------------------------------------------------------------------------- what follows


def annotation(score: float, status: Status = Status.OK) -> dict[str, object]:
    from curation.annotators.base import Finding

    return {"findings": {"overlay": Finding("overlay", "1", status, score=score)}}


def test_a_marked_picture_is_dropped_at_the_score_of_the_recipe() -> None:
    assert watermark(annotation(0.8), Filters()) is FilterReason.WATERMARK
    assert watermark(annotation(0.79), Filters()) is None
    lax = Filters.model_validate({"watermark": {"max_score": 1.0}})
    assert watermark(annotation(0.99), lax) is None


def test_a_picture_that_nobody_looked_at_is_not_called_clean() -> None:
    with pytest.raises(Unseen):
        watermark(annotation(0.0, Status.UNKNOWN), Filters())


def test_pwatermark_is_never_zero_and_is_left_out_where_nobody_looked() -> None:
    def row(status: str, score: float) -> dict[str, object]:
        return {"findings": [{"annotator": "overlay", "status": status, "score": score}]}

    assert pwatermark(row("ok", 0.25)) == 0.25
    assert pwatermark(row("ok", 0.0)) == 1e-6  # a reader takes exactly 0 for 1
    assert pwatermark(row("unknown", 0.0)) is None
    assert pwatermark({"findings": []}) is None


# --------------------------------------------------------------------------- drawing


@pytest.mark.parametrize("layout", [*TRAINED, *HELD_OUT])
def test_every_layout_covers_a_part_of_the_picture(layout: Layout) -> None:
    for size in ((416, 416), (240, 700)):
        stamp = layout(pen(5), size)
        assert stamp.cover.shape == size
        assert 0.0005 < (stamp.cover > 64).mean() < 0.9
        assert stamp.kinds


@pytest.mark.parametrize("name", list(LOOKALIKES))
def test_every_look_alike_changes_the_picture_and_keeps_its_size(name: str) -> None:
    pixels = np.asarray(Image.fromarray(data.coffee()).resize((300, 200)))
    drawn = LOOKALIKES[name][0](pen(6), pixels.copy())
    assert drawn.shape == pixels.shape
    assert drawn.dtype == np.uint8
    assert (drawn != pixels).any()


def test_marks_change_only_what_they_cover() -> None:
    pixels = data.coffee()
    stamp = spiral(pen(7), pixels.shape[:2])
    after = laid(pixels, stamp, WHITE)
    assert (after[stamp.cover == 0] == pixels[stamp.cover == 0]).all()
    assert (after != pixels).any()


def test_the_card_names_the_weights_that_are_shipped() -> None:
    models = Path(__file__).parents[2] / "curation" / "models"
    assert (models / "overlay.safetensors").stat().st_size <= 4_000_000
    card = (models / "overlay.md").read_text("utf-8")
    assert all(word in card for word in ("Licences", "seed", "cannot see", "False alarms"))


def test_a_decoded_picture_is_what_the_figures_look_at() -> None:
    picture = picture_of(data.coffee())
    assert isinstance(picture, Picture)
    assert picture.within(512).shape == (341, 512, 3)
