"""The trainer of OverlayNet: it learns, it goes on where it was cut, and it keeps what it must keep apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from curation.judges.overlay import Bounds, load_watcher, pooled_heat
from curation.nets.overlay import HEADS, Inputs, OverlayNet, Seen, fused
from curation.ocr.detector import detector
from curation.train.overlay.bank import SIDE as SIDE_OF_BANK
from curation.train.overlay.bank import TRAINED_SCRIPTS, Bank
from curation.train.overlay.figures import UNSEEN, picture_of, share
from curation.train.overlay.layouts import HELD_OUT, TRAINED
from curation.train.overlay.lookalike_parts import over
from curation.train.overlay.samples import pair
from curation.train.overlay.store import Batch, Store, draw_store
from curation.train.overlay.training import (
    Plan,
    Training,
    area_under_curve,
    batch_of,
    make_batch,
    validate,
    write_weights,
)
from tests.curation.overlay_parts import tiny_bank

PLAN = Plan(steps=40, batch=2)

#: Of the samples here, in pixels, and how many pairs.
SIDE, PAIRS = 64, 8


@pytest.fixture(scope="module")
def bank() -> Bank:
    return tiny_bank()


@pytest.fixture(scope="module")
def store(bank: Bank, tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("store")
    draw_store(bank, folder, PAIRS, 0, SIDE)
    return Store.open(folder)


def test_the_loss_falls(store: Store) -> None:
    training = Training(Plan(steps=400, batch=2))
    batch = batch_of(store, PLAN, 0)
    losses = [training.one_step(batch) for _ in range(12)]
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.deep
def test_a_training_that_was_cut_goes_on_as_if_it_had_not(store: Store, tmp_path: Path) -> None:
    whole = Training(PLAN, tmp_path / "whole.pt")
    for step in range(4):
        whole.one_step(batch_of(store, PLAN, step))
    first = Training(PLAN, tmp_path / "cut.pt")
    for step in range(2):
        first.one_step(batch_of(store, PLAN, step))
    first.judge(0.6)
    first.save()
    second = Training(PLAN, tmp_path / "cut.pt")
    assert (second.step, second.best) == (2, 0.6)
    for step in range(2, 4):
        second.one_step(batch_of(store, PLAN, step))
    for name, value in whole.net.state_dict().items():
        assert torch.allclose(value, second.net.state_dict()[name], atol=1e-5), name


def test_training_stops_when_nothing_gets_better() -> None:
    training = Training(Plan(patience=2))
    assert [training.judge(score) for score in (0.7, 0.6, 0.65)] == [True, True, False]
    assert training.best == 0.7


def test_a_pair_differs_by_its_mark_alone(bank: Bank) -> None:
    rng = np.random.default_rng(0)
    pairs = [pair(bank, rng, 96) for _ in range(30)]
    told = [(marked, clean) for marked, clean in pairs if marked.targets[0]]
    assert len(told) > 20
    for marked, clean in told:
        assert marked.mask.any()
        assert not clean.mask.any()
        assert not clean.targets[:-1].any()
        assert marked.targets.shape == (len(HEADS),)


def test_what_is_held_out_is_held_out() -> None:
    assert not set(HELD_OUT) & set(TRAINED)
    assert {layout.__name__ for layout in HELD_OUT} < set(UNSEEN)
    assert "korean" not in TRAINED_SCRIPTS


def test_weights_that_are_written_are_read_again_with_their_bounds(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    torch.manual_seed(0)
    net = OverlayNet().eval()
    path = tmp_path / "w.safetensors"
    write_weights(net.state_dict(), path)
    save_file({**load_file(path), "bounds": torch.tensor([-1.0, 0.0, 1.5, 3.0])}, path)
    watcher = load_watcher(path)
    assert watcher.bounds == Bounds(-1.0, 0.0, 1.5, 3.0)
    pixels = np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8)
    look = watcher.look([picture_of(pixels)])[0]
    glance = detector().glance(pixels)
    planes = [torch.from_numpy(plane)[None] for plane in (*glance.features, pooled_heat(glance.heat))]
    x = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 127.5 - 1
    with torch.inference_mode():
        seen = net(Inputs(x, *planes))
    assert np.allclose(look.logits, seen.logits[0].numpy(), atol=0.02)
    assert look.mask.shape == (8, 12)


def test_folding_batch_norms_changes_nothing() -> None:
    torch.manual_seed(1)
    net = OverlayNet().train()
    shapes = ((3, 64), (96, 8), (192, 4), (384, 2), (2, 8))
    x = Inputs(*(torch.randn(2, planes, side, side) for planes, side in shapes))
    net(x)  # batch statistics that are not the first ones
    net.eval()
    with torch.inference_mode():
        before = net(x)
    with torch.inference_mode():
        after = fused(net)(x)
    assert torch.allclose(before.logits, after.logits, atol=1e-4)
    assert not [m for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)]


def test_statistics() -> None:
    truths = np.array([True, True, False, False])
    assert area_under_curve(np.array([3.0, 2.0, 1.0, 0.0]), truths) == 1.0
    assert area_under_curve(np.array([1.0, 1.0, 1.0, 1.0]), truths) == 0.5
    with pytest.raises(ValueError, match="both kinds"):
        area_under_curve(np.array([1.0]), np.array([True]))
    rate, low, high, count = share(np.array([True] * 80 + [False] * 20))
    assert (rate, count) == (0.8, 100)
    assert (low, high) == (pytest.approx(0.711, abs=2e-3), pytest.approx(0.867, abs=2e-3))


def test_a_batch_is_centred(store: Store) -> None:
    batch = batch_of(store, PLAN, 3)
    assert isinstance(batch, Batch)
    assert batch.view.pixels.shape == (4, 3, SIDE, SIDE)
    assert batch.view.pixels.min() >= -1
    assert batch.view.pixels.max() <= 1


def test_every_pair_comes_once_a_pass(store: Store) -> None:
    steps = PAIRS // PLAN.batch
    for turn in (0, 3):
        some = [batch_of(store, PLAN, turn * steps + step) for step in range(steps)]
        totals = sorted(float(one.targets.sum() + one.masks.sum()) for one in some)
        assert len(totals) == steps
        assert sum(totals) == pytest.approx(float(store.rows["targets"].sum() + store.rows["mask"].sum()))


def test_what_a_store_keeps_of_a_look_is_what_the_detector_sees(store: Store) -> None:
    batch = store.batch([1])
    glance = detector().glance(store.rows["pixels"][2])
    kept_ones = (batch.view.eighth, batch.view.sixteenth, batch.view.deepest)
    for kept, seen in zip(kept_ones, glance.features, strict=True):
        assert np.abs(kept[0].numpy() - seen).max() <= np.abs(seen).max() * 0.35
        assert np.abs(kept[0].numpy() - seen).mean() <= np.abs(seen).mean() * 0.05
    assert np.abs(batch.view.heat[0].numpy() - pooled_heat(glance.heat)).max() <= 0.003


def test_a_store_that_was_cut_is_drawn_to_its_end(bank: Bank, store: Store, tmp_path: Path) -> None:
    draw_store(bank, tmp_path, PAIRS, 0, SIDE)
    (tmp_path / "whole.json").unlink()
    (tmp_path / "done.json").write_text("5")
    cut = np.lib.format.open_memmap(tmp_path / "pixels.npy", "r+")
    cut[10:] = 0
    cut.flush()
    with pytest.raises(FileNotFoundError, match="not drawn to its end"):
        Store.open(tmp_path)
    draw_store(bank, tmp_path, PAIRS, 0, SIDE)
    assert (Store.open(tmp_path).rows["pixels"] == store.rows["pixels"]).all()


def test_windows_come_first_and_then_mostly_whole_pictures(bank: Bank, store: Store, tmp_path: Path) -> None:
    draw_store(bank, tmp_path, PAIRS, 0, SIDE, whole=True)
    whole = Store.open(tmp_path)

    def comes_from(one: Store, step: int, way: float) -> bool:
        batch = make_batch(store, whole, PLAN, step, way)
        return torch.equal(batch.view.pixels, batch_of(one, PLAN, step).view.pixels)

    assert all(comes_from(store, step, 0.3) for step in range(8))
    assert [comes_from(whole, step, 0.9) for step in range(8)] == [False, True, True, True] * 2


def test_a_folder_of_other_samples_is_refused(bank: Bank, tmp_path: Path) -> None:
    draw_store(bank, tmp_path, 2, 0, SIDE)
    draw_store(bank, tmp_path, 2, 0, SIDE)
    for pairs, seed, whole in ((3, 0, False), (2, 1, False), (2, 0, True)):
        with pytest.raises(ValueError, match="name another folder"):
            draw_store(bank, tmp_path, pairs, seed, SIDE, whole)


def test_a_whole_pair_shows_all_of_its_mark(bank: Bank) -> None:
    marked, _ = pair(bank, np.random.default_rng(3), SIDE_OF_BANK // 4, whole=True)
    every = [np.asarray(stamp[0]) > 60 for stamp in bank.stamps]
    shown = [one.reshape(13, 32, 13, 32).any((1, 3)) for one in every]
    assert max((marked.mask.astype(bool) & one).sum() / one.sum() for one in shown) > 0.8


def test_validation_ranks_marked_above_clean(store: Store) -> None:
    class Told(torch.nn.Module):
        """Says what is marked, or the opposite."""

        def __init__(self, sign: float) -> None:
            super().__init__()
            self.sign, self.at = sign, 0

        def forward(self, view: Inputs) -> Seen:
            rows = torch.from_numpy(store.rows["targets"][self.at : self.at + len(view.pixels)].copy())
            self.at += len(rows)
            return Seen(self.sign * rows, rows)

    assert validate(Told(1.0), store) == 1.0  # type: ignore[arg-type]
    assert validate(Told(-1.0), store) == 0.0  # type: ignore[arg-type]


def test_ink_that_stands_outside_a_picture_is_cut() -> None:
    picture, ink = np.zeros((10, 8, 3)), np.full((4, 4), 255, np.uint8)
    for at in ((12, 0), (0, 9), (-5, 0), (30, 30)):
        assert not over(picture.copy(), ink, at, np.array([9.0, 9, 9]), 1.0).any()
    assert over(picture.copy(), ink, (8, 6), np.array([9.0, 9, 9]), 1.0).sum() == 4 * 3 * 9
