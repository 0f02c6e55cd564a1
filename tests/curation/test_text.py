"""Reading: real pictures with text written on them, level, turned, faint and small; pictures without any."""

from __future__ import annotations

import io
import socket
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from skimage import data

from curation.annotators import text as text_module
from curation.annotators.base import Finding, Status
from curation.annotators.text import Text
from curation.ocr import detector as detector_module
from curation.ocr import ends, models, passes
from curation.ocr.boxes import Box, crop, overlap, painted
from curation.ocr.lines import Line, ordered
from curation.ocr.readers import readers
from curation.phrases import notices
from kyodaku.fingerprint import Pixels
from kyodaku.recipe import Annotators
from tests.curation.fixtures import encoded
from tests.curation.looking import seen

READ = Text.build(Annotators())
JAPANESE = (
    Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
    Path("/usr/share/fonts/opentype/ipafont-gothic/ipag.ttf"),
)


def written(
    text: str, opacity: float = 1.0, angle: float = 0, size: int = 24, font: Path | None = None
) -> bytes:
    """A photograph with white text in its lower part."""
    ground = Image.fromarray(data.chelsea()).resize((640, 426))
    sheet = Image.new("L", ground.size)
    face = ImageFont.truetype(str(font), size) if font else ImageFont.load_default(size)
    ImageDraw.Draw(sheet).text((320, 330 if not angle else 213), text, 255, face, "mm")
    sheet = sheet.rotate(angle, Image.Resampling.BICUBIC).point(lambda cover: int(cover * opacity))
    ground.paste((255, 255, 255), mask=sheet)
    return encoded(ground, "JPEG", quality=85)


def look(body: bytes) -> Finding:
    (found,) = seen(READ, body)
    assert found.status is Status.OK, found.text
    return found


@pytest.mark.parametrize(
    ("opacity", "angle"), [(1.0, 0.0), (0.4, 0.0), (1.0, 25.0), (1.0, -45.0), (1.0, 90.0)]
)
def test_a_line_is_read(opacity: float, angle: float) -> None:
    found = look(written("DO NOT REPOST", opacity, angle))
    assert notices.refusing(notices.find(found.text)), found.text
    assert found.level == "text"
    assert found.score > 0.8
    assert found.values["lines"] >= 1
    assert 0.002 < found.values["area"] < 0.1
    if abs(angle) < 60:
        assert abs(found.values["angle"] + angle) < 4, "clockwise"
    mask = np.asarray(Image.open(io.BytesIO(found.mask)))
    assert mask.shape == (43, 64)
    assert mask[33 if not angle else 21, 32] == 255
    assert mask[5].max() == 0


@pytest.mark.skipif(not any(path.is_file() for path in JAPANESE), reason="no Japanese font (make system)")
def test_japanese_is_read_also_vertically() -> None:
    font = next(path for path in JAPANESE if path.is_file())
    assert "学習禁止" in look(written("無断転載・AI学習禁止", font=font)).text
    ground = Image.fromarray(data.chelsea()).resize((640, 426))
    draw = ImageDraw.Draw(ground)
    for row, sign in enumerate("無断転載禁止"):
        draw.text((600, 60 + row * 30), sign, "white", ImageFont.truetype(str(font), 28), "mm")
    assert "無断転載禁止" in look(encoded(ground, "PNG")).text


def test_a_picture_without_text_and_a_tiny_one() -> None:
    for pixels in (data.coffee(), np.full((8, 300, 3), 200, np.uint8), np.zeros((40, 40, 3), np.uint8)):
        found = look(encoded(Image.fromarray(pixels), "PNG"))
        assert (found.level, found.text, found.score, found.mask) == ("none", "", 0.0, b"")


def test_a_page_is_read_from_top_to_bottom() -> None:
    page = Image.new("RGB", (700, 900), "white")
    lines = [f"Line number {number} of the page" for number in range(1, 21)]
    for row, line in enumerate(lines):
        ImageDraw.Draw(page).text((60, 40 + row * 40), line, "black", ImageFont.load_default(22))
    read = look(encoded(page, "PNG")).text.split("\n")
    assert [line.replace(" ", "") for line in read] == [line.replace(" ", "") for line in lines]


def test_without_the_models_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "find_spec", lambda name: None)
    monkeypatch.setattr(text_module, "readers", models.Reader)
    (found,) = seen(READ, written("DO NOT REPOST"))
    assert found.status is Status.FAILED
    assert found.text.startswith("ModelsMissing: PP-OCRv6_rec_small.onnx is not installed")


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*args: object, **kwargs: object) -> None:
        raise AssertionError("a connection")

    monkeypatch.setattr(socket.socket, "connect", refused)
    assert detector_module.Detector().glance(np.zeros((32, 32, 3), np.uint8)).heat.shape == (32, 32)
    assert models.Reader().read([np.zeros((32, 32, 3), np.uint8)])


def test_boxes() -> None:
    box = Box(np.array([[10, 20], [110, 20], [110, 40], [10, 40]], np.float32), 0.9)
    assert (box.width, box.height, box.angle, box.centre) == (100, 20, 0, (60, 30))
    pixels: Pixels = np.arange(100 * 200 * 3, dtype=np.uint32).astype(np.uint8).reshape(100, 200, 3)
    assert np.abs(crop(pixels, box).astype(int) - pixels[20:40, 10:110]).max() <= 1
    half = Box(box.quad + np.array([50, 0], np.float32), 0.9)
    assert overlap(box, half) == pytest.approx(0.5)
    mask = painted([box], 100, 200)
    assert mask.shape == (32, 64)
    assert mask[9, 20] == 255
    assert mask[25, 20] == 0


@pytest.mark.parametrize("angle", [90, -90, 45])
def test_words_of_a_turned_line_come_in_their_order(angle: float) -> None:
    found = look(written("DO NOT USE WITHOUT ASKING", 1.0, angle, size=20))
    assert " ".join(found.text.split()).endswith("DO NOT USE WITHOUT ASKING"), found.text


def test_lines_of_one_direction_are_read_as_they_are_turned() -> None:
    def line(text: str, x: float, y: float) -> Line:
        """One word of a text that runs upwards."""
        quad = np.array([[x, y + 40], [x, y], [x + 10, y], [x + 10, y + 40]], np.float32)
        return Line(Box(quad, 0.9), text, 0.9)

    words = [
        line("permission", 100, 0),
        line("use", 100, 100),
        line("Do", 100, 200),
        line("please", 130, 200),
    ]
    assert [one.text for one in ordered(words)] == ["Do", "use", "permission", "please"]


def test_a_line_whose_box_ends_too_soon_is_read_to_its_end() -> None:
    with Image.open(io.BytesIO(written("DO NOT REPOST"))) as image:
        pixels = np.asarray(image.convert("RGB"))
    (whole,) = passes.read_lines(readers(), pixels)
    half = (whole.box.quad[1] + whole.box.quad[0]) / 2 - whole.box.quad[0]
    cut = Line(Box(whole.box.quad - np.stack([half * 0, half, half, half * 0]), 0.9), "DO NOT", 0.9)
    (read,) = ends._lengthened(readers(), pixels, [cut])
    assert read.text.replace(" ", "") == "DONOTREPOST"


class _Scripted:
    """A reader that says the same of every crop, or what `texts` has for each first line, and remembers how
    large crops were."""

    def __init__(self, *texts: str) -> None:
        self.texts = texts
        self.sizes: list[tuple[int, ...]] = []

    def read(self, crops: list[Pixels]) -> list[models.Reading]:
        self.sizes += [one.shape[:2] for one in crops]
        half = len(crops) // 2
        return [models.Reading(self.texts[at % half % len(self.texts)], 0.99) for at in range(len(crops))]


def _line(text: str, left: int, top: int = 10) -> Line:
    quad = np.array([[0, 0], [80, 0], [80, 20], [0, 20]], np.float32) + np.array([left, top], np.float32)
    return Line(Box(quad, 0.9), text, 0.95)


@pytest.mark.parametrize(
    ("said", "longer"),
    [
        (["NO AI"], ["O Al artworks 2024"]),
        (["転載禁止"], ["載禁上のお知らせです"]),
        (["NO AI"], ["NO Al artworks O A"]),
        (["NO AI TRAINING"], ["NO AI TRAININGK"]),  # one stray sign, and the word is another
        (["NO AI"], ["NO AI1"]),
        (["PHOTO 2024 MIKA", "NO AI"], ["PHOTO 2024 MIKA N0 Al.xyz", "nothing"]),  # a neighbour swallowed
        (["do not", "repost"], ["do not", "xrepos! abcd"]),  # one of two lines
    ],
)
def test_a_longer_reading_never_takes_away_what_was_read(said: list[str], longer: list[str]) -> None:
    places = [(10, 10), (120, 10)] if said[0].startswith("PHOTO") else [(10, 10), (10, 40)]
    lines = [_line(text, *place) for text, place in zip(said, places, strict=False)]
    assert notices.refusing(notices.find("\n".join(line.text for line in ordered(lines))))
    read = ends.with_ends(_Scripted(*longer), np.zeros((200, 400, 3), np.uint8), lines)  # type: ignore[arg-type]
    assert set(said) <= {line.text for line in read}
    assert notices.refusing(notices.find("\n".join(line.text for line in read)))


def test_what_was_read_first_is_not_cut_off_by_longer_readings() -> None:
    """The text of a finding has a limit, and a page of long lines reaches it."""
    lines = [_line("NO AI TRAINING", 10), *(_line(f"{n} " + "long " * 57, 10, 40 * n) for n in range(1, 88))]
    reader = _Scripted("NO AI TRAININGK", "nothing", "nothing", "nothing", "nothing", "nothing")
    read = ends.with_ends(reader, np.zeros((4000, 400, 3), np.uint8), lines)  # type: ignore[arg-type]
    assert "NO AI TRAININGK" in [line.text for line in read]
    found = READ._finding(read, 4000, 400)
    assert len(found.text) == text_module.ALL_SIGNS
    assert notices.refusing(notices.find(found.text))
    assert found.values["lines"] == len(lines)
    assert found.values["cut"] == 1.0


@pytest.mark.parametrize("size", [26, 34])
def test_a_stray_sign_beside_a_notice_does_not_hide_it(size: int) -> None:
    ground = Image.fromarray(data.chelsea()).resize((3000, 2000))
    ImageDraw.Draw(ground).text((900, 30), "NO AI TRAINING", "white", ImageFont.load_default(size))
    found = look(encoded(ground, "PNG"))
    assert notices.refusing(notices.find(found.text)), found.text
    assert found.values["lines"] < 4


def test_square_spots_do_not_push_out_the_edges_of_a_large_picture() -> None:
    ground = Image.fromarray(data.chelsea()).resize((3000, 2000))
    for left, sign in ((300, "A"), (1300, "8"), (2300, "@")):
        ImageDraw.Draw(ground).text((left, 900), sign, "white", ImageFont.load_default(300))
    ImageDraw.Draw(ground).text((900, 20), "NO AI TRAINING", "white", ImageFont.load_default(20))
    found = look(encoded(ground, "PNG"))
    assert notices.refusing(notices.find(found.text)), found.text


def test_a_line_across_a_huge_picture_is_read_within_bounds() -> None:
    quad = np.array([[0, 0], [8000, 0], [8000, 3000], [0, 3000]], np.float32)
    reader = _Scripted("nothing")
    ends._lengthened(reader, np.zeros((3000, 9000, 3), np.uint8), [Line(Box(quad, 0.9), "not", 0.9)])  # type: ignore[arg-type]
    assert reader.sizes
    assert all(high * wide < 5_000_000 and wide < 32_000 for high, wide in reader.sizes)


def test_a_small_block_of_words_on_a_large_picture_is_read() -> None:
    ground = Image.fromarray(data.chelsea()).resize((3000, 2000))
    ImageDraw.Draw(ground).multiline_text(
        (2300, 1400), "do not\nrepost", "white", ImageFont.load_default(30), align="center"
    )
    found = look(encoded(ground, "JPEG", quality=90))
    assert notices.refusing(notices.find(found.text)), found.text


@pytest.mark.parametrize("opacity", [0.03, 0.06])
def test_faint_words_on_a_quiet_ground_are_read_where_words_are_likely(opacity: float) -> None:
    ground = (np.linspace(90, 150, 1400)[None, :, None] + np.zeros((900, 1400, 3))).astype(np.uint8)
    cover = Image.new("L", (1400, 900))
    ImageDraw.Draw(cover).text((700, 760), "NO AI TRAINING", 255, ImageFont.load_default(40), "mm")
    picture = Image.fromarray(ground)
    picture.paste((255, 255, 255), mask=cover.point(lambda value: int(value * opacity)))
    for hint in (None, 0.9):
        (line,) = passes.read_lines(readers(), np.asarray(picture), hint)
        assert line.text == "NO AI TRAINING"
        assert 700 < line.box.centre[1] < 820
