"""Notices that only some grounds or some viewers show are read, in single files and in a run."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from rich.console import Console

from curation.annotate import annotate_jobs
from curation.annotators import registry
from curation.annotators.base import Finding, Picture, Status
from curation.annotators.brands import Brands
from curation.annotators.notices import Notices
from curation.annotators.text import Text
from curation.findings import iter_annotations
from curation.inspect import inspect
from curation.ocr.boxes import Box
from curation.ocr.lines import Line
from curation.steps import run_job
from kyodaku.recipe import Annotators
from kyodaku.safedecode import DecodeLimits, SafeDecoder
from tests.curation.fixtures import Found, encoded, make_run, picture, recipe

READ = Text.build(Annotators())
NOTICE = "NO AI TRAINING"


@pytest.fixture
def readers_only(monkeypatch: pytest.MonkeyPatch) -> None:
    built = {"text": Text.build, "notices": Notices.build, "brands": Brands.build}
    monkeypatch.setattr(registry, "BUILT", built)


def lettering(ink: str = "white", text: str = NOTICE) -> Image.Image:
    """Words of one colour on nothing."""
    shade = {"white": 255, "black": 0}[ink]
    image = Image.new("RGBA", (480, 160), (shade, shade, shade, 0))
    face = ImageFont.load_default(36)
    ImageDraw.Draw(image).text((240, 80), text, (shade, shade, shade, 255), face, "mm")
    return image


def palette() -> bytes:
    """A palette with a tRNS chunk: two whites, of which one is transparent."""
    image = Image.new("P", (480, 160), 0)
    image.putpalette([255, 255, 255, 255, 255, 255])
    image.paste(1, mask=lettering().getchannel("A").point(lambda alpha: 255 * (alpha > 127)))
    return encoded(image, "PNG", transparency=0)


def written() -> Image.Image:
    image = picture(1, 480, 320).point(lambda value: value // 3)
    ImageDraw.Draw(image).text((240, 160), NOTICE, "white", ImageFont.load_default(36), "mm")
    return image


def upside_down() -> dict[str, Any]:
    exif = Image.Exif()
    exif[0x0112] = 3
    return {"exif": exif}


def with_xmp(kind: str) -> bytes:
    """Upright pixels that only XMP calls upside down."""
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="3"/></rdf:RDF></x:xmpmeta>'
    )
    return encoded(written(), kind, xmp=packet)


#: Name -> a file in which somebody sees the notice.
SHOWN: Mapping[str, bytes] = {
    "white on nothing, png": encoded(lettering(), "PNG"),
    "white on nothing, webp": encoded(lettering(), "WEBP", lossless=True, exact=True),
    "white on nothing, grey": encoded(lettering().convert("LA"), "PNG"),
    "white on nothing, palette": palette(),
    "black on nothing": encoded(lettering("black"), "PNG"),
    "xmp, jpeg": with_xmp("JPEG"),
    "xmp, webp": with_xmp("WEBP"),
    "webp that some viewers turn away": encoded(written(), "WEBP", **upside_down()),
    "webp that some viewers turn upright": encoded(written().rotate(180), "WEBP", **upside_down()),
    "png that some viewers turn away": encoded(written(), "PNG", **upside_down()),
    "jpeg that all viewers turn upright": encoded(written().rotate(180), "JPEG", **upside_down()),
    "both": encoded(lettering(), "PNG", **upside_down()),
}


@pytest.mark.usefixtures("readers_only")
def test_every_notice_is_read_by_inspect(tmp_path: Path) -> None:
    for name, body in SHOWN.items():
        (tmp_path / f"{name}.img").write_bytes(body)
    paths = [tmp_path / f"{name}.img" for name in SHOWN]
    told = {one.path.stem: one for one in inspect(paths, None, None, Console(file=io.StringIO()))}
    assert {name: (one.outcome, one.reason) for name, one in told.items()} == dict.fromkeys(
        SHOWN, ("refused", "written_notice")
    )
    for name in ("white on nothing, png", "webp that some viewers turn away"):
        found = told[name].findings["notices"]
        assert NOTICE in found.text
        mask = np.asarray(Image.open(io.BytesIO(found.mask)))
        rows = np.flatnonzero(mask.any(1)) / mask.shape[0]
        assert 0.3 < rows.min() < rows.max() < 0.7, "where it stands in the upright picture"


@pytest.mark.usefixtures("readers_only")
def test_every_notice_is_read_in_a_run(tmp_path: Path) -> None:
    names = ("white on nothing, png", "white on nothing, webp", "white on nothing, palette", "xmp, jpeg")
    run = make_run(tmp_path, [Found(name, SHOWN[name]) for name in names])
    for job in annotate_jobs(run, recipe()):
        run_job(job)
    levels = [row["findings"]["notices"].level for row in iter_annotations(run)]
    assert levels == ["notice"] * len(names)


def look(body: bytes) -> Finding:
    with SafeDecoder(DecodeLimits()) as decoder:
        (found,) = READ.look([Picture(body, decoder.decode(body))], [{}])
    assert found.status is Status.OK, found.text
    return found


def test_an_agency_in_white_on_nothing_is_heard() -> None:
    text = look(encoded(lettering(text="shutterstock.com"), "PNG"))
    assert Brands.build(Annotators()).judge(text).level == "likely"


def test_what_is_read_twice_counts_once() -> None:
    """Opaque words, and a corner of which nothing is seen."""
    plain, holed = written(), written().convert("RGBA")
    holed.paste((0, 0, 0, 0), (0, 0, 20, 20))
    one, two = look(encoded(plain, "PNG")), look(encoded(holed, "PNG"))
    assert two.text == one.text == NOTICE
    assert (two.values["lines"], two.values["signs"]) == (one.values["lines"], one.values["signs"])
    assert two.values["area"] == pytest.approx(one.values["area"], rel=0.1)


def line(text: str, top: float = 10.0, *, again: bool = False) -> Line:
    quad = np.array([[10, top], [110, top], [110, top + 20], [10, top + 20]], np.float32)
    return Line(Box(quad, 0.9), text, 0.95, again=again)


def test_lines_of_every_look_are_kept_with_caps_of_their_own() -> None:
    long = [line("word " * 50, 30.0 * at) for at in range(150)]
    assert READ._finding(long, 5000, 400).values["cut"] == 1.0
    half = long[:80]
    both = READ._finding(half, 5000, 400, 2, [[*half, line(NOTICE)]])
    assert (both.values["cut"], both.values["unread"]) == (0.0, 2.0)
    assert both.text.endswith(NOTICE)
    assert both.values["lines"] == 81.0
    over = READ._finding([line("a word")], 400, 400, 0, [long])
    assert over.values["cut"] == 1.0


def test_a_look_that_says_the_same_adds_nothing() -> None:
    once = READ._finding([line("a word")], 400, 400)
    assert READ._finding([line("a word")], 400, 400, 0, [[line("a word")], []]) == once
    assert READ._finding([], 400, 400, 0, [[]]) == READ._finding([], 400, 400)
    assert READ._finding([], 400, 400, 3, [[]]).values == {"unread": 3.0}
