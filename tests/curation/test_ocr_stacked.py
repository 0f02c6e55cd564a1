"""Notices that stand in short lines or upside down, and text that nobody here can read."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from skimage import data

from curation.annotators.base import Finding, Status
from curation.annotators.notices import Notices
from curation.annotators.text import Text, not_all_read
from curation.ocr import passes, reading
from curation.ocr.boxes import Box, beside
from curation.ocr.lines import Line, merged
from curation.ocr.models import Reading
from curation.ocr.readers import readers
from kyodaku.fingerprint import Pixels
from kyodaku.recipe import Annotators
from tests.curation.fixtures import encoded
from tests.curation.looking import seen

READ, NOTICES = (kind.build(Annotators()) for kind in (Text, Notices))
LATIN = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf")
JAPANESE = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
needs_latin = pytest.mark.skipif(not LATIN.is_file(), reason="no DejaVu (make system)")
needs_japanese = pytest.mark.skipif(not JAPANESE.is_file(), reason="no Japanese font (make system)")


def written(text: str, size: int, font: Path = LATIN, at: tuple[int, int] = (60, 60)) -> Image.Image:
    """A photograph of 1,000 by 750 with white words, edged in black."""
    ground = Image.fromarray(data.coffee()).resize((1000, 750))
    face = ImageFont.truetype(str(font), size)
    ImageDraw.Draw(ground).multiline_text(at, text, "white", face, stroke_width=2, stroke_fill="black")
    return ground


def looked(image: Image.Image) -> tuple[Finding, Finding]:
    (text,) = seen(READ, encoded(image, "JPEG", quality=88))
    assert text.status is Status.OK, text.text
    return text, NOTICES.judge(text)


def _box(left: float, top: float, wide: float, high: float, score: float = 0.9) -> Box:
    quad = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    return Box(quad + np.array([left, top], np.float32), score)


# --- short lines


@needs_latin
@pytest.mark.parametrize("text", ["NO\nAI\nTRAINING", "No\nAI\ntraining", "NO\nAI"])
@pytest.mark.parametrize("size", [40, 60])
def test_a_short_word_alone_on_its_line_is_read(text: str, size: int) -> None:
    found, notices = looked(written(text, size))
    assert notices.level == "notice", found.text


@needs_japanese
@pytest.mark.parametrize("text", ["AI\n禁止", "AI\n学習\n禁止"])
def test_letters_between_signs_are_read(text: str) -> None:
    found, notices = looked(written(text, 40, JAPANESE))
    assert notices.level == "notice", found.text


def test_only_sure_boxes_beside_others_are_taken_for_short_words() -> None:
    word, wide = _box(0, 0, 60, 50), _box(0, 70, 200, 50)
    assert passes._words([wide, word]) == [wide, word]
    pair = [word, _box(70, 0, 60, 50)]
    assert passes._words(pair) == pair
    for lone in (_box(0, 0, 60, 50, 0.5), _box(0, 500, 60, 50), _box(0, 130, 10, 10)):
        assert passes._words([wide, lone]) == [wide]
    assert len(passes._words([_box(70 * at, 0, 60, 50) for at in range(40)])) == passes._SHORT


def test_beside() -> None:
    one = _box(0, 0, 60, 50)
    assert beside(one, _box(0, 120, 60, 50))
    assert not beside(one, _box(0, 130, 60, 50))
    assert beside(one, _box(0, 60, 120, 120))
    assert not beside(one, _box(0, 60, 130, 130))


# --- upside down


@needs_latin
@pytest.mark.parametrize(
    "text", ["NO AI TRAINING", "DO NOT REPOST", "DO\nNOT\nREPOST", "NO AI\nTRAINING", "NO AI"]
)
def test_a_notice_that_stands_upside_down_is_read(text: str) -> None:
    found, notices = looked(written(text, 44).rotate(180))
    assert notices.level == "notice", found.text
    rows = np.flatnonzero(np.asarray(Image.open(io.BytesIO(found.mask))).any(1))
    assert rows.min() > 24, "where it stands in the picture, of 48 rows"


@needs_japanese
def test_signs_that_stand_upside_down_are_read() -> None:
    found, notices = looked(written("AI学習禁止", 44, JAPANESE).rotate(180))
    assert notices.level == "notice", found.text


class _TwoWays:
    """Says one thing of crops whose first pixel is dark, another of those that were turned."""

    def __init__(self, upright: Reading, turned: Reading) -> None:
        self.said = upright, turned
        self.turned = 0

    def read(self, crops: Sequence[Pixels]) -> list[Reading]:
        turned = [bool(crop[0, 0, 0] > 127) for crop in crops]
        self.turned += sum(turned)
        return [self.said[way] for way in turned]

    def korean(self, crops: Sequence[Pixels], readings: Sequence[Reading]) -> list[Reading | None]:
        return [None] * len(crops)


def _shaded(count: int) -> tuple[Pixels, list[Box]]:
    """Lines that are dark at their left and bright at their right."""
    pixels = np.zeros((40 * count, 200, 3), np.uint8)
    pixels[:, 100:] = 255
    return pixels, [_box(0, 40 * row, 200, 30) for row in range(count)]


def _read(upright: Reading, turned: Reading, count: int = 1) -> tuple[list[tuple[str, bool]], int]:
    reader = _TwoWays(upright, turned)
    look = reading.read_boxes(reader, *_shaded(count))
    return [(line.text, line.turned) for line in look.lines], reader.turned


def test_what_is_read_upside_down_stands_beside_what_was_read_upright() -> None:
    said = _read(Reading("NOII TG", 0.7), Reading("NO AI", 0.97))
    assert said == ([("NOII TG", False), ("NO AI", True)], 1)
    assert _read(Reading("NO AI", 0.7), Reading("IV ON", 0.69))[0] == [("NO AI", False)]
    assert _read(Reading("", 0.0), Reading("IV ON", 0.85))[0] == [], "no sureness that garbage has"
    assert _read(Reading("NO AI", 0.97), Reading("IV ON", 0.99)) == ([("NO AI", False)], 0)


def test_all_of_a_page_that_is_unsure_is_turned_where_some_lines_say_something_that_way() -> None:
    count = 3 * reading._TRIED
    said, asked = _read(Reading("lines", 0.7), Reading("senil", 0.6), count)
    assert (len(said), asked) == (count, reading._TRIED)
    said, asked = _read(Reading("senil", 0.7), Reading("lines", 0.97), count)
    assert (said.count(("lines", True)), asked) == (count, count)


def test_lines_of_both_ways_do_not_hide_each_other() -> None:
    lines = [
        Line(_box(0, 0, 200, 30), "NOII TRIIIING", 0.9),
        Line(_box(0, 0, 200, 30), "NO AI", 0.97, turned=True),
    ]
    assert {line.text for line in merged(lines)} == {"NOII TRIIIING", "NO AI"}


# --- nobody can read it


@needs_latin
@pytest.mark.parametrize("text", ["Запрещено использовать для обучения ИИ", "Не для обучения нейросетей"])
def test_a_script_that_nobody_reads_is_not_taken_for_no_text(text: str) -> None:
    found, notices = looked(written(text, 36))
    assert not_all_read(found)
    assert notices.status is Status.UNKNOWN


def _mute(box: Box, said: Reading, whole: bool = True) -> list[Box]:
    reader = _TwoWays(said, said)
    return reading.read_boxes(reader, np.zeros((200, 400, 3), np.uint8), [box], whole).mute


def test_boxes_that_are_surely_words_are_counted_where_they_say_nothing() -> None:
    line, nothing = _box(0, 0, 300, 30), Reading("   ", 0.9)
    assert _mute(line, nothing) == [line]
    assert _mute(line, Reading("xqz", 0.4)) == [line]
    assert _mute(line, Reading("words", 0.6)) == []
    assert _mute(line, nothing, whole=False) == [], "a piece of a word"
    assert _mute(_box(0, 0, 300, 30, 0.8), nothing) == [], "leaves"
    assert _mute(_box(0, 0, 90, 30), nothing) == [], "a sign, or a stroke"


def test_what_another_look_read_is_not_counted() -> None:
    look = reading.Look([], [], [_box(0, 0, 300, 30), _box(2, 1, 300, 30), _box(0, 100, 300, 30)])
    for korean in (False, True):
        lines = [Line(_box(0, 100, 300, 30), "words", 0.6, korean=korean)]
        assert passes._unread(look, lines) == 1


@pytest.mark.parametrize(
    "picture", ["coffee", "chelsea", "astronaut", "rocket", "hubble_deep_field", "brick", "grass"]
)
def test_nothing_is_left_unread_in_pictures_without_text(picture: str) -> None:
    pixels = np.asarray(Image.fromarray(getattr(data, picture)()).convert("RGB"))
    assert passes.look_through(readers(), pixels).unread == 0
