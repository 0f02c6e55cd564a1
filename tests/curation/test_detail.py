"""Enlarged photographs are found, with their factor; photographs and flat art are left alone."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter
from skimage import data

from curation.annotators.base import Finding, Status
from curation.annotators.detail import Detail
from curation.nets.detail import FEATURES, LEAST, TILE, features, sharpest
from kyodaku.reasons import FilterReason, QuarantineReason
from kyodaku.recipe import Filters
from tests.curation.fixtures import encoded
from tests.curation.looking import ruled, seen

SHARP = {"astronaut": data.astronaut(), "coffee": data.coffee()[:, :560]}


def photo(name: str, side: int) -> Image.Image:
    """A CC0 photograph, shrunk so that it is sharp at its own size."""
    image = Image.fromarray(SHARP[name])
    return image.resize((side, side), Image.Resampling.LANCZOS)


def looked(image: Image.Image, quality: int = 0) -> Finding:
    body = encoded(image, "JPEG", quality=quality) if quality else encoded(image, "PNG")
    (found,) = seen(Detail(), body)
    return found


@pytest.mark.parametrize("name", SHARP)
@pytest.mark.parametrize("quality", [0, 90])
def test_a_photograph_at_its_own_size(name: str, quality: int) -> None:
    found = looked(photo(name, 384), quality)
    assert (found.level, found.values["factor"]) == ("native", 1.0)
    assert (found.values["effective_width"], found.values["effective_height"]) == (384, 384)


@pytest.mark.parametrize("factor", [2.5, 3.0])
@pytest.mark.parametrize("kernel", [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC])
def test_an_enlarged_photograph(factor: float, kernel: Image.Resampling) -> None:
    side = round(256 * factor)
    found = looked(photo("astronaut", 256).resize((side, side), kernel))
    assert found.level == "enlarged"
    assert found.score > 0.5
    assert 0.7 * factor < found.values["factor"] < 1.4 * factor
    assert found.values["effective_width"] == round(side / found.values["factor"])


@pytest.mark.parametrize("factor", [4, 6, 8])
@pytest.mark.parametrize("name", SHARP)
def test_enlarged_until_nothing_sharp_is_left(name: str, factor: int) -> None:
    found = looked(photo(name, 128).resize((128 * factor,) * 2, Image.Resampling.BICUBIC))
    assert found.level == "enlarged"
    assert found.values["factor"] > 2.5


def test_a_soft_background_does_not_count() -> None:
    sharp = photo("astronaut", 512)
    soft = sharp.filter(ImageFilter.GaussianBlur(6))
    soft.paste(sharp.crop((150, 0, 406, 256)), (150, 0))
    assert looked(soft).level == "native"


def test_what_is_smooth_cannot_be_told_and_counts_as_native() -> None:
    ramp = np.linspace(0, 255, 512)[None, :, None].repeat(512, 0).repeat(3, 2).astype(np.uint8)
    found = looked(Image.fromarray(ramp))
    assert (found.level, found.score, found.values["factor"]) == ("smooth", 0.0, 1.0)


def test_line_art_is_not_enlarged() -> None:
    image = Image.new("RGB", (1200, 1200), "white")
    pen = ImageDraw.Draw(image)
    dice = np.random.default_rng(1)
    for _ in range(150):
        pen.line([tuple(point) for point in dice.integers(0, 1200, (3, 2)).tolist()], "black", 4)
    assert looked(image.resize((500, 500), Image.Resampling.LANCZOS)).level == "native"


def test_a_picture_too_small_to_tell() -> None:
    assert looked(photo("astronaut", LEAST - 1)).status is Status.UNKNOWN
    assert looked(photo("astronaut", LEAST)).status is Status.OK


def test_tiles_are_the_sharpest_and_lie_apart() -> None:
    grey = np.full((700, 900), 128, np.float32)
    grey[300:500, 500:700] = np.random.default_rng(1).integers(0, 255, (200, 200))
    tiles = sharpest(grey, 4)
    assert all(tile.shape == (TILE, TILE) for tile in tiles)
    assert tiles[0].std() > 20
    assert features(tiles[0]).shape == (FEATURES,)
    assert [tile.shape for tile in sharpest(grey[:100, :200], 4)] == [(100, 200)]


def said(level: str, factor: float) -> Finding:
    values = {"factor": factor, "effective_width": 800 / factor, "effective_height": 600 / factor}
    return Finding("detail", "1", Status.OK, level=level, values=values)


def test_the_filter_asks_for_the_side_before() -> None:
    asked = Filters.model_validate({"resolution": {"min_effective_side": 400}})
    unknown = Finding("detail", "1", Status.UNKNOWN)
    for found, filters, reason in [
        (said("enlarged", 1.6), asked, FilterReason.ENLARGED),
        (said("enlarged", 1.5), asked, None),
        (said("native", 1.0), asked, None),
        (unknown, asked, QuarantineReason.NOT_LOOKED_AT),
        (said("enlarged", 4.0), Filters(), None),
        (unknown, Filters(), None),
    ]:
        assert ruled(filters, found, apply="resolution") is reason
