"""The trainer of OverlayNet: it learns, it goes on where it was cut, and it keeps what it must keep apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from curation.judges.overlay import Bounds, load_watcher
from curation.nets.overlay import HEADS, OverlayNet, fused
from curation.train.overlay.bank import TRAINED_SCRIPTS, Bank
from curation.train.overlay.figures import UNSEEN, picture_of, share
from curation.train.overlay.layouts import HELD_OUT, TRAINED
from curation.train.overlay.lookalike_parts import over
from curation.train.overlay.samples import pair
from curation.train.overlay.training import Batch, Plan, Training, area_under_curve, make_batch, write_weights
from tests.curation.overlay_parts import tiny_bank

PLAN = Plan(steps=40, batch=4, side=64, late_side=64)


@pytest.fixture(scope="module")
def bank() -> Bank:
    return tiny_bank()


def test_the_loss_falls(bank: Bank) -> None:
    training = Training(Plan(steps=400, batch=4, side=64, late_side=64))
    batch = make_batch(bank, PLAN, 0, 0.0)
    losses = [training.one_step(batch) for _ in range(12)]
    assert losses[-1] < 0.7 * losses[0]


def test_a_training_that_was_cut_goes_on_as_if_it_had_not(bank: Bank, tmp_path: Path) -> None:
    whole = Training(PLAN, tmp_path / "whole.pt")
    for step in range(4):
        whole.one_step(make_batch(bank, PLAN, step, 0.0))
    first = Training(PLAN, tmp_path / "cut.pt")
    for step in range(2):
        first.one_step(make_batch(bank, PLAN, step, 0.0))
    first.judge(0.6)
    first.save()
    second = Training(PLAN, tmp_path / "cut.pt")
    assert (second.step, second.best) == (2, 0.6)
    for step in range(2, 4):
        second.one_step(make_batch(bank, PLAN, step, 0.0))
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
    x = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 127.5 - 1
    with torch.inference_mode():
        seen = net(x)
    assert np.allclose(look.logits, seen.logits[0].numpy(), atol=0.02)
    assert look.mask.shape == (8, 12)


def test_folding_batch_norms_changes_nothing() -> None:
    torch.manual_seed(1)
    net = OverlayNet().train()
    x = torch.randn(2, 3, 64, 64)
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


def test_a_batch_is_centred(bank: Bank) -> None:
    batch = make_batch(bank, PLAN, 3, 0.9)
    assert isinstance(batch, Batch)
    assert batch.pixels.shape == (4, 3, 64, 64)
    assert batch.pixels.min() >= -1
    assert batch.pixels.max() <= 1


def test_ink_that_stands_outside_a_picture_is_cut() -> None:
    picture, ink = np.zeros((10, 8, 3)), np.full((4, 4), 255, np.uint8)
    for at in ((12, 0), (0, 9), (-5, 0), (30, 30)):
        assert not over(picture.copy(), ink, at, np.array([9.0, 9, 9]), 1.0).any()
    assert over(picture.copy(), ink, (8, 6), np.array([9.0, 9, 9]), 1.0).sum() == 4 * 3 * 9
