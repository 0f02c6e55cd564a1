"""The annotators `kind` and `furniture`, and the filter that asks them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from pydantic import ValidationError
from skimage import data

from curation.annotators.base import Finding, Status
from curation.annotators.furniture import FurnitureSeen
from curation.annotators.kind import UNKNOWN, Kind
from curation.judges.kind import Judge
from curation.kinds import BLANK, CLASSES, CLOSE, LEAST, WHOLE, close_view, whole_view
from curation.train.drawn import draw
from curation.train.kind import training as trainer
from curation.train.kind.figures import by_kind, furniture_row
from curation.train.kind.samples import furnished, make
from curation.train.stock import Stock
from kyodaku.fingerprint import Pixels
from kyodaku.reasons import FilterReason, QuarantineReason
from kyodaku.recipe import Filters
from kyodaku.recipe.filters import FURNITURE, KINDS, Annotators, KindOfPicture
from kyodaku.recipe.recipe import problems_between
from tests.curation.fixtures import encoded
from tests.curation.looking import ruled, seen


def png(pixels: Pixels) -> bytes:
    return encoded(Image.fromarray(pixels), "PNG")


def photos() -> list[bytes]:
    """Photographs that the pool holds out whole."""
    four = (data.coffee(), data.chelsea(), data.rocket(), data.astronaut())
    return [png(np.ascontiguousarray(one)) for one in four]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    """The test split's stock of an empty pool."""
    return Stock.of(tmp_path_factory.mktemp("empty"), "test")


# --------------------------------------------------------------------------- blank pictures


def plain(noise: float = 0.0, slope: float = 0.0, tone: int = 200) -> Pixels:
    rng = np.random.default_rng(5)
    ramp = np.linspace(0, slope, 500)[None, :, None]
    scene = (
        tone + ramp + rng.normal(0, noise, (400, 500, 3)) if noise else tone + ramp + np.zeros((400, 500, 3))
    )
    return np.clip(scene, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "pixels", [plain(), plain(tone=0), plain(tone=255), plain(noise=3), plain(noise=2, slope=40)]
)
def test_what_holds_nothing_is_blank(pixels: Pixels) -> None:
    (found,) = seen(Kind(), png(pixels))
    assert (found.level, found.score) == ("blank", 1.0)
    assert found.values["unevenness"] < BLANK


def test_a_hair_line_or_a_faint_figure_is_not_blank() -> None:
    lined, faint = Image.fromarray(plain()), Image.fromarray(plain())
    ImageDraw.Draw(lined).line((50, 100, 450, 300), fill=(120, 120, 120))
    ImageDraw.Draw(faint).ellipse((200, 150, 300, 250), fill=(190, 190, 190))
    for found in seen(Kind(), encoded(lined, "PNG"), encoded(faint, "PNG")):
        assert found.level != "blank"
        assert found.values["unevenness"] >= BLANK


@pytest.mark.parametrize("size", [(64, 64), (64, 3000), (3000, 79), (81, 80), (2400, 1700)])
def test_views_have_one_size_whatever_the_picture(size: tuple[int, int]) -> None:
    pixels = np.zeros((*size, 3), np.uint8)
    assert whole_view(pixels).shape == (WHOLE, WHOLE, 3)
    assert close_view(pixels).shape == (CLOSE, CLOSE, 3)


# --------------------------------------------------------------------------- kinds


def test_most_photographs_are_photographs_or_unknown_and_have_no_furniture() -> None:
    findings = seen(Kind(), *photos())
    assert (
        sum(found.level in ("photo", UNKNOWN) for found in findings) >= 3
    )  # the rocket at night: a painting
    for found in findings:
        assert found.status is Status.OK
        assert sum(found.values[name] for name in CLASSES) == pytest.approx(1, abs=1e-3)
        assert (found.score == 0) == (found.level == UNKNOWN)
    for found in seen(FurnitureSeen(), *photos()):
        assert not any(found.values[name] >= 0.8 for name in FURNITURE)


def test_pages_and_maps_are_told_from_photographs(bare: Stock) -> None:
    pages = [png(draw("text_page", seed, bare, 700).pixels) for seed in range(4)]
    maps = [png(draw("map", seed, bare, 700).pixels) for seed in range(4)]
    assert sum(found.level == "text" for found in seen(Kind(), *pages)) >= 3
    assert sum(found.level == "map" for found in seen(Kind(), *maps)) >= 3


def test_what_is_too_small_is_unknown() -> None:
    small, enough = (png(np.zeros((LEAST - less, 200, 3), np.uint8)) for less in (1, 0))
    for annotator in (Kind(), FurnitureSeen()):
        assert [one.status for one in seen(annotator, small, enough, small)] == [
            Status.UNKNOWN,
            Status.OK,
            Status.UNKNOWN,
        ]


def test_the_net_looks_once_at_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []
    judge = Judge._judge

    def counted(self: Judge, pictures: Sequence[Pixels]) -> object:
        counts.append(len(pictures))
        return judge(self, pictures)

    monkeypatch.setattr(Judge, "_judge", counted)
    one, other = plain(noise=3), plain(noise=4)
    reader = Judge()
    first, again, mixed = reader.look([one, other]), reader.look([one, other]), reader.look([other, plain()])
    assert counts == [2, 1]
    assert first[0] is again[0]
    assert mixed[0] is first[1]


def test_a_batch_and_single_pictures_are_judged_alike() -> None:
    bodies = photos()
    together = seen(Kind(), *bodies)
    for body, found in zip(bodies, together, strict=True):
        (alone,) = seen(Kind(), body)
        assert (alone.level, alone.version) == (found.level, found.version)
        assert alone.values == pytest.approx(found.values, abs=1e-3)


# --------------------------------------------------------------------------- furniture


def test_furniture_is_seen_where_it_stands(bare: Stock) -> None:
    drawn = [draw("scan", seed, bare, 640) for seed in range(10)]
    findings = seen(FurnitureSeen(), *(png(one.pixels) for one in drawn))
    hits = [
        found.values[name] >= 0.5
        for one, found in zip(drawn, findings, strict=True)
        for name, mask in one.masks.items()
        if mask.mean() > 3
    ]
    assert np.mean(hits) >= 0.7
    assert any(found.mask for found in findings)
    for found in findings:
        named = [name for name in FURNITURE if found.values[name] >= 0.5]
        assert found.text.split() == named
        assert found.score == max(found.values.values())
        assert bool(found.mask) == bool(named)
        if found.mask:
            mask = Image.open(io.BytesIO(found.mask))
            assert (mask.mode, max(mask.size)) == ("L", 48)


def test_furniture_is_laid_over_a_copy(bare: Stock) -> None:
    rng = np.random.default_rng(2)
    before = plain()
    after, masks = furnished(bare, rng, before)
    assert np.array_equal(before, plain())
    assert masks
    changed = (after != before).any(-1)
    inside = np.max(list(masks.values()), axis=0) > 0
    assert changed[~inside].mean() == 0
    assert changed[inside].mean() > 0.5


# --------------------------------------------------------------------------- the filter


def kind(level: str, score: float = 0.9, status: Status = Status.OK) -> Finding:
    return Finding("kind", "1", status, score=score, level=level)


def furniture(**values: float) -> Finding:
    return Finding("furniture", "1", Status.OK, values={**dict.fromkeys(FURNITURE, 0.0), **values})


@pytest.mark.parametrize(
    ("table", "found", "reason"),
    [
        ({}, kind("photo"), None),
        ({}, kind("blank", 1.0), FilterReason.KIND),
        ({}, kind("blank", 0.79), None),
        ({}, kind(UNKNOWN, 0.0), None),
        ({"drop": []}, kind("blank", 1.0), None),
        ({"keep": ["print", "painting"]}, kind("print"), None),
        ({"keep": ["print"]}, kind("text"), FilterReason.KIND),
        ({"keep": ["print"]}, kind("text", 0.6), QuarantineReason.KIND_UNKNOWN),
        ({"keep": ["print"]}, kind("print", 0.6), QuarantineReason.KIND_UNKNOWN),
        ({"keep": ["print"]}, kind(UNKNOWN, 0.0), QuarantineReason.KIND_UNKNOWN),
        ({"keep": ["print"]}, kind("", 0.0, Status.UNKNOWN), QuarantineReason.NOT_LOOKED_AT),
        ({"keep": ["print"], "unknown": "keep"}, kind("text", 0.6), None),
        ({"keep": ["print"], "unknown": "quarantine"}, kind("text", 0.6), QuarantineReason.KIND_UNKNOWN),
        ({"unknown": "quarantine"}, kind(UNKNOWN, 0.0), QuarantineReason.KIND_UNKNOWN),
        ({"unknown": "quarantine", "drop": []}, kind(UNKNOWN, 0.0), None),
        ({"min_confidence": 0.5}, kind("blank", 0.6), FilterReason.KIND),
        ({}, kind("", 0.0, Status.UNKNOWN), None),
        ({"unknown": "quarantine"}, kind("", 0.0, Status.UNKNOWN), QuarantineReason.NOT_LOOKED_AT),
        ({}, kind("", 0.0, Status.FAILED), QuarantineReason.NOT_LOOKED_AT),
    ],
)
def test_the_filter_says_what_the_recipe_says(
    table: dict[str, object], found: Finding, reason: FilterReason | QuarantineReason | None
) -> None:
    assert ruled(Filters(kind=KindOfPicture.model_validate(table)), found) is reason


def test_furniture_is_dropped_only_where_it_was_asked_for() -> None:
    ruler = furniture(ruler=0.9, border=0.4)
    for asked, reason in (((), None), (("border",), None), (("border", "ruler"), FilterReason.FURNITURE)):
        filters = Filters(kind=KindOfPicture(furniture=asked))
        assert ruled(filters, ruler, kind("print"), apply="kind") is reason
    asks = Filters(kind=KindOfPicture(furniture=("ruler",)))
    assert ruled(asks, kind("print"), apply="kind") is QuarantineReason.NOT_LOOKED_AT


def test_a_kind_that_is_kept_and_dropped_is_a_mistake() -> None:
    for keep, drop, both in (
        (["photo"], ["photo"], "photo"),
        (["print", "photo", "map"], ["map", "photo"], "photo, map"),
        (["blank"], None, "blank"),
    ):
        table = {"keep": keep} if drop is None else {"keep": keep, "drop": drop}
        with pytest.raises(ValidationError, match=f"both kept and dropped: {both} .drop is .* by default"):
            KindOfPicture.model_validate(table)
    assert KindOfPicture.model_validate({"keep": ["blank"], "drop": []}).keep == ("blank",)


def test_what_a_filter_asks_for_cannot_be_skipped() -> None:
    def problems(skip: tuple[str, ...], embedding: str = "", **table: object) -> list[str]:
        chosen = Annotators.model_validate({"skip": skip, "embedding": {"model": embedding}})
        found = problems_between({"annotators": chosen, "filters": Filters.model_validate(table)})
        return [problem.message for problem in found]

    assert problems(("kind",)) == ["kind may not be skipped: filters.kind.keep or drop asks for it"]
    assert problems(("kind",), kind={"drop": []}) == []
    assert problems(("furniture", "detail", "faces", "embedding")) == []
    assert len(problems(("furniture",), kind={"furniture": ["ruler"]})) == 1
    assert len(problems(("ai_made", "faces"), privacy={"max_faces": 3})) == 2
    (said,) = problems(("embedding",), embedding="m.pt", duplicates={"min_cosine": 0.75})
    assert said == "embedding may not be skipped: filters.duplicates.min_cosine asks for it"
    (said,) = problems((), duplicates={"min_cosine": 0.75})
    assert said == "asks for annotators.embedding, which names no model"
    assert problems((), embedding="m.pt", duplicates={"min_cosine": 0.0}) == []


# --------------------------------------------------------------------------- training


def test_samples_follow_from_their_numbers(bare: Stock) -> None:
    one, again = make(bare, [7, 8, 9]), make(bare, [8])
    assert one.origins[1:2] == again.origins
    assert np.array_equal(one.whole[1], again.whole[0])
    assert one.whole.shape == (3, WHOLE, WHOLE, 3)
    assert one.furniture.shape == (3, len(FURNITURE))
    assert set(one.kinds.tolist()) <= set(range(-1, len(CLASSES)))


def test_figures_count_unsure_calls_as_misses() -> None:
    names = [("photo", 0.9), ("photo", 0.6), ("text", 0.9), ("photo", 0.95), ("photo", 0.99)]
    rows = by_kind(["photo", "photo", "photo", "text", ""], names)
    assert rows["photo"] == {"count": 3, "recall": 0.3333, "recall_any": 0.6667, "precision": 0.5}
    assert rows["text"]["recall"] == 0
    row = furniture_row(np.array([0.9, 0.1, 0.85, 0.2]), np.array([True, True, False, False]))
    assert row == {"count": 2, "recall": 0.5, "false_alarms": 0.5, "negatives": 2, "auc": 0.5}


def test_training_without_a_pool_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"curation\.train\.pictures --pool"):
        trainer.main(["--pool", str(tmp_path), "--out", str(tmp_path / "kind.safetensors")])


@pytest.mark.deep
def test_a_net_learns_is_written_and_read_again(tmp_path: Path, bare: Stock) -> None:
    data_ = make(bare, range(100, 116))
    net = trainer.KindNet()
    before = trainer.loss_over(net, data_)
    trainer.fit(net, data_, data_, epochs=3, seconds=60, seed=1)
    assert trainer.loss_over(net, data_) < before
    path = tmp_path / "kind.safetensors"
    scales = {"kind_temperature": 1.5, **{f"bound_{name}": 0.25 for name in FURNITURE}}
    trainer.save(net, scales, path)
    reader = Judge(path)
    assert reader.loaded[1] == scales
    (said,) = reader.look([plain(noise=9)])
    assert said.kinds.sum() == pytest.approx(1, abs=1e-4)
    assert said.mask.shape[0] == len(FURNITURE)


def test_shipped_weights_are_small_and_have_a_card() -> None:
    from curation.kinds import WEIGHTS

    assert WEIGHTS.stat().st_size <= 4_000_000
    card = WEIGHTS.with_suffix(".md").read_text(encoding="utf-8")
    for word in ("curation.train.kind", "seed", "painting", "held out", "cannot"):
        assert word in card
    assert set(KINDS) < set(CLASSES)
