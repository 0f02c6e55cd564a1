"""More text than is read: it is counted, and whoever finds nothing in the rest does not know."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from skimage import data

from curation.annotators.base import Finding, Status
from curation.annotators.brands import Brands
from curation.annotators.notices import Notices
from curation.annotators.text import LINE_SIGNS, Text, not_all_read
from curation.filters import first_objection
from curation.ocr import passes, reading
from curation.ocr.boxes import Box
from curation.ocr.lines import Line, not_read
from curation.ocr.models import Reading
from kyodaku.fingerprint import Pixels
from kyodaku.reasons import QuarantineReason
from kyodaku.recipe import Annotators, Filters
from tests.curation.fixtures import encoded
from tests.curation.looking import NOTHING_FOUND, seen

READ, NOTICES, BRANDS = (kind.build(Annotators()) for kind in (Text, Notices, Brands))
WORDS = ("the", "river", "carried", "seven", "old", "boats", "past", "a", "quiet", "village", "painted")
NOTICE = "Please do not repost or use this page for AI training"


def page(lines: int, size: tuple[int, int], notice_at: int | None = None) -> Image.Image:
    """A page of prose, with a notice in one of its lines."""
    choose, image = random.Random(1), Image.new("RGB", size, "white")
    pitch = (size[1] - 60) / lines
    font = ImageFont.load_default(min(30, pitch * 0.78))
    for row in range(lines):
        text = NOTICE if row == notice_at else ""
        while row != notice_at and font.getlength(f"{text} painted") < size[0] - 50:
            text = f"{text} {choose.choice(WORDS)}".strip()
        ImageDraw.Draw(image).text((25, 30 + row * pitch), text, "black", font)
    return image


def comic() -> Image.Image:
    """Twenty balloons of three lines over pictures."""
    choose, image = random.Random(3), Image.new("RGB", (1400, 2000), "white")
    panel, draw = Image.fromarray(data.coffee()).resize((320, 370)), ImageDraw.Draw(image)
    for number in range(20):
        x, y = number % 4 * 345 + 15, number // 4 * 395 + 15
        image.paste(panel, (x, y))
        draw.ellipse((x + 30, y + 20, x + 290, y + 140), "white", "black")
        for row in range(3):
            text = " ".join(choose.choices(WORDS, k=3))[:16]
            draw.text((x + 160, y + 52 + row * 26), text, "black", ImageFont.load_default(20), "mm")
    return image


def poster() -> Image.Image:
    image = Image.fromarray(data.chelsea()).resize((1000, 1400))
    for y, text, size in ((80, "SUMMER FAIR", 120), (300, "MUSIC AND FOOD", 60), (1300, "Free entry", 40)):
        ImageDraw.Draw(image).text((500, y), text, "white", ImageFont.load_default(size), "mm")
    return image


def mapped() -> Image.Image:
    """A map with 140 names."""
    choose, image = random.Random(4), Image.new("RGB", (2000, 1500), (225, 235, 215))
    draw = ImageDraw.Draw(image)
    for number in range(140):
        x, y = number % 10 * 200 + choose.randrange(40), number // 10 * 105 + choose.randrange(50)
        name = choose.choice(WORDS).capitalize() + choose.choice(["ton", "ville", "burg"])
        draw.text((x, y), name, "black", ImageFont.load_default(choose.choice([16, 20, 26])))
    return image


def looked(image: Image.Image) -> tuple[Finding, Finding]:
    (text,) = seen(READ, encoded(image, "PNG"))
    assert text.status is Status.OK, text.text
    return text, NOTICES.judge(text)


class _Quick:
    """A reader that says the same of every line, and counts them."""

    def __init__(self, text: str = "plain words", confidence: float = 0.95) -> None:
        self.said = Reading(text, confidence)
        self.asked: list[int] = []
        self.as_korean = 0

    def read(self, crops: Sequence[Pixels]) -> list[Reading]:
        self.asked.append(len(crops))
        return [self.said] * len(crops)

    def korean(self, crops: Sequence[Pixels], readings: Sequence[Reading]) -> list[Reading | None]:
        self.as_korean += min(60, len(crops))  # as curation.ocr.readers bounds it
        return [None] * len(crops)


# --- what is counted


def test_a_page_of_many_columns_is_not_known_where_no_notice_was_found() -> None:
    column = np.asarray(page(60, (480, 1800)))
    image = Image.fromarray(np.concatenate([column] * 5, axis=1))
    text, notices = looked(image)
    assert text.values["unread"] > 60
    assert (notices.status, notices.text) == (Status.UNKNOWN, "not all of its text could be read")
    row: dict[str, object] = {"width": 800, "height": 600, "rated": False, "protected": False}
    row["findings"] = NOTHING_FOUND | {"notices": notices}
    assert first_objection(row, Filters()) is QuarantineReason.NOT_LOOKED_AT


@pytest.mark.deep
def test_a_page_of_sixty_lines_is_read_whole() -> None:
    text, notices = looked(page(60, (1200, 1700), notice_at=30))
    assert (text.values["unread"], text.values["cut"]) == (0.0, 0.0)
    assert text.values["lines"] == 60
    assert notices.level == "notice"


@pytest.mark.parametrize("picture", [poster, comic, mapped], ids=["poster", "comic", "map"])
def test_pictures_with_ordinary_text_are_known(picture: object) -> None:
    assert callable(picture)
    text, notices = looked(picture())
    assert text.level == "text"
    assert not not_all_read(text)
    assert (notices.status, notices.level) == (Status.OK, "none")


def test_a_page_whose_lines_only_windows_show_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small print: looks at the whole page show no line, its edges many."""
    monkeypatch.setattr(reading, "_ALL_LINES", 300)
    monkeypatch.setattr(reading, "_ALL_WIDTH", 400_000)
    found = passes.look_through(_Quick(), np.asarray(page(160, (1700, 3200))), hint=0.0)
    assert found.unread == 0
    assert len(found.lines) >= 155


def test_a_page_that_a_second_look_shows_is_looked_at_larger() -> None:
    """In the second look lines fall to pieces."""
    found = passes.look_through(_Quick(), np.asarray(page(109, (1700, 2600))), hint=0.0)
    assert found.unread == 0
    assert len(found.lines) == 109


def test_small_print_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many lines; and lines that no look at the whole shows."""
    pixels = np.asarray(page(160, (1700, 3200)))
    assert passes.look_through(_Quick(), pixels, hint=0.0).unread > 50
    monkeypatch.setattr(passes, "_SMALL_PRINT", 512)
    assert passes.look_through(_Quick(), pixels, hint=0.0).unread >= 7


def test_lines_that_nobody_could_read_are_counted() -> None:
    pixels = np.asarray(page(20, (700, 900)))
    for reader in (_Quick(confidence=0.1), _Quick(text="a")):
        found = passes.look_through(reader, pixels)
        assert found.lines == []
        assert found.unread == 20


# --- its parts


def _box(left: float, top: float, wide: float = 200, high: float = 20) -> Box:
    quad = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    return Box(quad + np.array([left, top], np.float32), 0.9)


def test_the_bounds() -> None:
    def read(count: int, wide: float, whole: bool = True) -> tuple[int, int]:
        boxes = [_box(0, 30 * row, wide) for row in range(count)]
        pixels = np.zeros((30 * count, int(wide), 3), np.uint8)
        look = reading.read_boxes(_Quick(), pixels, boxes, whole)
        assert len(look.lines) + len(look.left) == count
        return len(look.lines), len(look.left)

    assert read(13, 600) == (13, 0)
    assert read(100, 600) == (100, 0)
    assert read(100, 2000) == (100, 0), "no wider than the recogniser takes it"
    assert read(250, 100) == (250, 0), "names on a map"
    assert read(251, 100)[1] > 0
    assert read(120, 2000)[1] > 0
    assert read(100, 600, whole=False)[1] > 0, "a window"


def test_korean_is_looked_for_in_every_line() -> None:
    reader = _Quick()
    reading.read_boxes(reader, np.zeros((3000, 200, 3), np.uint8), [_box(0, 30 * row) for row in range(90)])
    assert reader.as_korean == 90
    assert max(reader.asked) <= 60


def test_a_box_that_another_look_read_is_not_unread() -> None:
    left = [_box(0, 0), _box(2, 1), _box(0, 100), _box(0, 200)]
    lines = [Line(_box(0, 101), "read", 0.9), Line(_box(20, 202, 60, 16), "a word of it", 0.9)]
    assert not_read(left, lines) == [left[0], left[3]]
    korean = [Line(_box(0, 0), "읽은", 0.8, korean=True)]
    assert len(not_read(left[:1], korean)) == 1


@pytest.mark.parametrize("korean", [False, True])
def test_a_text_that_was_cut_says_so(korean: bool) -> None:
    line = Line(_box(0, 0), "long " * 56, 0.9, korean=korean)
    assert READ._finding([line] * 20, 400, 400).values["cut"] == 0.0
    assert READ._finding([line] * 200, 400, 400).values["cut"] == 1.0
    endless = Line(_box(0, 0), "x" * (LINE_SIGNS + 1), 0.9, korean=korean)
    assert READ._finding([endless], 400, 400).values["cut"] == 1.0


@pytest.mark.parametrize("values", [{"unread": 1.0}, {"unread": 0.0, "cut": 1.0}, {}])
def test_only_what_decides_is_known_of_a_text_that_was_not_read_whole(values: dict[str, float]) -> None:
    def text(said: str) -> Finding:
        return Finding("text", "1", Status.OK, 0.9, "text", said, values, b"mask")

    assert NOTICES.judge(text("NO AI TRAINING")).level == "notice"
    assert BRANDS.judge(text("alamy")).level == "likely"
    for said in ("", "a quiet village", "“NO AI TRAINING” とは"):
        assert NOTICES.judge(text(said)).status is Status.UNKNOWN
    for said in ("", "copyright Kyo"):
        assert BRANDS.judge(text(said)).status is Status.UNKNOWN
