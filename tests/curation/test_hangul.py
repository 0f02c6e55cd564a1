"""Korean: HangulNet reads the phrases that refuse, and stands back where it has nothing to say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont
from skimage import data

from curation.annotators.text import Text
from curation.nets.hangul import BLANK, OTHER, STEP, UNKNOWN, HangulNet, alphabet
from curation.ocr.boxes import Box
from curation.ocr.hangul import HangulReader
from curation.ocr.lines import Line
from curation.ocr.models import Reading
from curation.ocr.passes import read_lines
from curation.ocr.readers import WEIGHTS, Readers, readers
from curation.phrases import notices
from curation.train.hangul.lines import WIDTH, classes_of, line, phrases
from curation.train.hangul.training import right, step
from kyodaku.errors import MissingWeightsError
from kyodaku.fingerprint import Pixels
from kyodaku.recipe import Annotators
from tests.curation.fixtures import encoded
from tests.curation.looking import seen
from tests.curation.overlay_parts import BUILT_IN_FONT

#: The ink of Korean notices, uint8 (height, width), in fonts that no training saw.
INKS = Path(__file__).parent / "korean.npz"
NOTICES = sorted(np.load(INKS).files)
TEXT = Text.build(Annotators())


def test_every_syllable_of_a_korean_phrase_is_known() -> None:
    for phrase in phrases():
        assert OTHER not in classes_of(phrase), phrase
    assert len(set(alphabet())) == len(alphabet())


def test_classes_are_those_of_the_alphabet() -> None:
    signs = alphabet()
    assert [signs[one] for one in classes_of("AI 학습, 금지!")] == list("AI학습금지")
    assert classes_of("쀍字") == (OTHER, OTHER)
    assert signs[BLANK] == ""
    assert signs[OTHER] == UNKNOWN


@pytest.mark.parametrize("opacity", [1.0, 0.6])
@pytest.mark.parametrize("name", NOTICES)
def test_a_korean_notice_in_a_picture_is_found(name: str, opacity: float) -> None:
    picture = Image.fromarray(data.chelsea()).resize((640, 426))
    cover = Image.fromarray((np.load(INKS)[name] * opacity).astype(np.uint8))
    picture.paste((255, 255, 255), ((640 - cover.width) // 2, 330 - cover.height // 2), cover)
    (found,) = seen(TEXT, encoded(picture, "JPEG", quality=85))
    assert notices.refusing(notices.find(found.text)), found.text


def test_there_are_pictures_to_read() -> None:
    assert len(NOTICES) >= 4


def test_pictures_without_korean_hold_none() -> None:
    for pixels in (data.coffee(), data.page()[..., None].repeat(3, 2), data.text()[..., None].repeat(3, 2)):
        (found,) = seen(TEXT, encoded(Image.fromarray(pixels), "PNG"))
        assert not any("\uac00" <= sign <= "\ud7a3" for sign in found.text), found.text


class _Says:
    """Reads the same in every crop."""

    def __init__(self, text: str, confidence: float) -> None:
        self.reading, self.asked = Reading(text, confidence), 0

    def read(self, crops: Sequence[Pixels]) -> list[Reading]:
        self.asked += len(crops)
        return [self.reading] * len(crops)


SHORT, LONG = np.zeros((48, 100, 3), np.uint8), np.zeros((48, 700, 3), np.uint8)


@pytest.mark.parametrize(
    ("first", "korean", "crop", "said"),
    [
        (("No AI", 0.99), ("학습금지", 0.99), SHORT, None),
        (("No AI", 0.99), ("학습금지", 0.99), LONG, "학습금지"),  # five signs do not fill so long a line
        (("N0 Al", 0.6), ("학습금지", 0.9), SHORT, "학습금지"),
        (("N0 Al", 0.6), ("학습금지", 0.5), SHORT, None),
        (("N0 Al", 0.6), ("학", 0.99), SHORT, None),
        (("N0 Al", 0.6), (f"학습{UNKNOWN * 3}", 0.99), SHORT, None),
        (("N0 Al", 0.6), ("NOAI", 0.99), SHORT, None),
        (("", 0.0), ("AI학습금지", 0.9), SHORT, "AI학습금지"),
    ],
)
def test_korean_is_asked_for_where_the_other_is_unsure(
    first: tuple[str, float], korean: tuple[str, float], crop: Pixels, said: str | None
) -> None:
    both = Readers(_Says(*first), _Says(*korean))
    readings = both.read([crop])
    (found,) = both.korean([crop], readings)
    assert readings == [Reading(*first)]
    assert (found.text if found else None) == said


def test_nobody_asks_for_korean_where_all_is_read() -> None:
    korean = _Says("학습금지", 1.0)
    both = Readers(_Says("No AI", 0.99), korean)
    assert both.korean([SHORT] * 3, both.read([SHORT] * 3)) == [None] * 3
    assert korean.asked == 0


def test_what_is_read_in_korean_takes_nothing_away() -> None:
    picture = Image.fromarray(data.chelsea()).resize((640, 426))
    ImageDraw.Draw(picture).text((320, 330), "NO AI TRAINING", "white", ImageFont.load_default(24), "mm")
    pixels = np.asarray(picture)
    alone = read_lines(Readers(readers().first, _Says("", 0.0)), pixels)
    both = read_lines(Readers(_Unsure(), _Says("서울미술관", 0.9)), pixels)
    assert [line.text for line in both if not line.korean] == [line.text for line in alone]
    assert [line.text for line in both if line.korean]
    text = "\n".join(line.text for line in both)
    assert notices.refusing(notices.find(text)), text


def test_what_may_be_korean_cuts_off_nothing_else() -> None:
    """Both have a limit, and each its own."""
    box = Box(np.array([[10, 20], [110, 20], [110, 40], [10, 40]], np.float32), 0.9)
    korean = [Line(box, "학습" * 140, 0.8, korean=True)] * 90
    found = TEXT._finding([*korean, Line(box, "NO AI TRAINING", 0.95)], 400, 400)
    assert notices.refusing(notices.find(found.text))
    plain = [Line(box, "long " * 58, 0.95)] * 90
    found = TEXT._finding([*plain, Line(box, "AI 학습 금지", 0.8, korean=True)], 400, 400)
    assert "AI 학습 금지" in found.text


class _Unsure:
    """What PP-OCR reads, all of it below what rules Korean out."""

    def read(self, crops: Sequence[Pixels]) -> list[Reading]:
        return [Reading(one.text, min(one.confidence, 0.9)) for one in readers().first.read(crops)]


@pytest.mark.parametrize("shape", [(1, 1), (3, 4000), (900, 7), (48, 48)])
def test_a_crop_of_any_size_is_read(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (*shape, 3), np.uint8)
    (said,) = readers().second.read([noise])
    assert 0 <= said.confidence <= 1


def test_weights_that_are_none_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    state = load_file(WEIGHTS)
    state.pop("head.bias")
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(MissingWeightsError, match=r"head\.bias"):
        HangulReader(tmp_path / "w.safetensors").read([np.zeros((48, 96, 3), np.uint8)])


def test_the_card_names_the_weights_that_are_shipped() -> None:
    card = WEIGHTS.with_suffix(".md").read_text("utf-8")
    assert WEIGHTS.stat().st_size <= 4_000_000
    assert all(word in card for word in ("Licences", "seed", "cannot", "curation.train.hangul"))
    assert not any(word in card for word in ("SYLLABLES", "STEPS", "FIGURES"))


# --------------------------------------------------------------------------- training


def test_lines_fit_what_the_net_looks_at() -> None:
    rng = np.random.default_rng(1)
    grounds = np.stack([data.coffee()[:400, :400], data.astronaut()[:400, :400]])

    for _ in range(40):
        one = line(rng, [BUILT_IN_FONT], grounds)
        assert one.pixels.shape == (48, WIDTH, 3)
        repeats = sum(a == b for a, b in zip(one.classes, one.classes[1:], strict=False))
        assert 0 < len(one.classes) + repeats <= WIDTH // STEP


@pytest.mark.deep
def test_the_loss_falls_and_what_was_learned_is_read() -> None:
    torch.manual_seed(0)
    rng = np.random.default_rng(2)
    grounds = np.stack([data.coffee()[:400, :400]])
    lines = [line(rng, [BUILT_IN_FONT], grounds) for _ in range(4)]
    net = HangulNet()
    assert right(net, lines) == 0
    optimizer = torch.optim.AdamW(net.parameters(), 3e-3)
    losses = [step(net, optimizer, lines) for _ in range(70)]
    assert losses[-1] < 0.2 * losses[0]
    assert right(net, lines) >= 0.5
