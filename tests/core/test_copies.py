"""Fingerprints that find copies: what a cut, a border and a mirror leave of them."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
import pytest
from PIL import Image
from skimage import data

from kyodaku.copies import (
    DIHEDRALS,
    FORMS,
    FRAMES,
    MAX_DISTANCE,
    TRANSFORMS,
    UNCUT,
    CopyPrints,
    codes_of,
    copy_prints,
    listed,
    looked_for,
)
from kyodaku.fingerprint import Pixels, pdq


@cache
def photograph(name: str = "chelsea") -> Pixels:
    """A photograph of scikit-image (CC0), some 900 pixels wide."""
    image = Image.fromarray(getattr(data, name)())
    return np.asarray(image.resize((901, 901 * image.height // image.width), Image.Resampling.LANCZOS))


def prints(pixels: Pixels) -> CopyPrints:
    return copy_prints(pixels, *pdq(pixels))


def distance(one: str, other: bytes) -> int:
    return (int(one, 16) ^ int.from_bytes(other, "big")).bit_count()


def found_as(pixels: Pixels, copy: Pixels) -> tuple[int, str]:
    """The nearest that the picture is looked for as, to the plain hash of a copy: bits, transform."""
    codes, places = looked_for(prints(pixels).frames)
    wanted = pdq(np.ascontiguousarray(copy))[0]
    return min(
        (distance(wanted, code.tobytes()), TRANSFORMS[place])
        for code, place in zip(codes, places, strict=True)
    )


def test_the_eight_ways_to_lay_a_picture_down() -> None:
    pixels = photograph()
    laid = {
        "mirrored": pixels[:, ::-1],
        "upside down": pixels[::-1],
        "turned 180": pixels[::-1, ::-1],
        "transposed": pixels.transpose(1, 0, 2),
        "turned 90": np.rot90(pixels),
        "turned 270": np.rot90(pixels, 3),
        "transversed": pixels[::-1, ::-1].transpose(1, 0, 2),
    }
    assert set(laid) == set(DIHEDRALS[1:])
    for name, copy in laid.items():
        bits, transform = found_as(pixels, copy)
        assert (bits <= 4, transform) == (True, name)


@pytest.mark.parametrize("edge", ["left", "top", "right", "bottom"])
@pytest.mark.parametrize("share", [0.03, 0.05, 0.08])
def test_what_is_left_when_an_edge_is_cut_off(edge: str, share: float) -> None:
    pixels = photograph("astronaut")
    height, width = pixels.shape[:2]
    tall, wide = round(height * share), round(width * share)
    copy = {
        "left": pixels[:, wide:],
        "right": pixels[:, : width - wide],
        "top": pixels[tall:],
        "bottom": pixels[: height - tall],
    }[edge]
    plain = distance(pdq(pixels)[0], bytes.fromhex(pdq(np.ascontiguousarray(copy))[0]))
    assert plain > (MAX_DISTANCE if share > 0.03 else 20)
    bits, transform = found_as(pixels, copy)
    assert bits <= 20
    assert transform.startswith(f"cut {edge} ")


def test_a_cut_copy_that_was_mirrored_too() -> None:
    pixels = photograph("coffee")
    height, width = pixels.shape[:2]
    cut = pixels[height // 20 : height - height // 20, width // 20 : width - width // 20][:, ::-1]
    assert found_as(pixels, cut)[1] == "cut all round 5.0%, mirrored"


@pytest.mark.parametrize("colour", [0, 128, 255])
def test_a_border_is_seen_through_either_way_round(colour: int) -> None:
    pixels = photograph("coffee")
    framed = np.pad(pixels, ((60, 60), (60, 60), (0, 0)), constant_values=colour)
    file = io.BytesIO()
    Image.fromarray(framed).save(file, "JPEG", quality=75)
    framed = np.asarray(Image.open(file).convert("RGB"))
    inside = prints(framed).trimmed
    assert distance(inside, bytes.fromhex(pdq(pixels)[0])) <= 12
    codes, places = looked_for(prints(framed).frames)
    bits = [distance(pdq(pixels[:, ::-1].copy())[0], code.tobytes()) for code in codes]
    assert TRANSFORMS[places[int(np.argmin(bits))]] == "without its border, mirrored"
    assert prints(pixels).trimmed == ""


def test_two_borders_around_each_other_come_off() -> None:
    pixels = photograph("coffee")
    inner = np.pad(pixels, ((30, 30), (30, 30), (0, 0)), constant_values=255)
    outer = np.pad(inner, ((50, 50), (50, 50), (0, 0)), constant_values=0)
    assert distance(prints(outer).trimmed, bytes.fromhex(pdq(pixels)[0])) <= 12


def test_too_little_structure_has_no_prints() -> None:
    blank = np.full((300, 400, 3), 200, np.uint8)
    stripe = blank.copy()
    stripe[:, 200:] = 40
    grid = blank.copy()
    grid[::10] = grid[:, ::10] = 0  # steep edges everywhere: PDQ's quality is 100, its bits are noise
    assert pdq(grid)[1] == 100
    for pixels in (blank, stripe, grid, np.zeros((1, 1, 3), np.uint8), np.full((1, 900, 3), 9, np.uint8)):
        assert prints(pixels) == CopyPrints()
    assert looked_for(b"")[0].shape == (0, 32)
    assert listed(b"") == []


def test_a_small_picture_in_much_white_is_known_by_what_is_inside() -> None:
    pixels = np.asarray(Image.fromarray(photograph("coffee")).resize((300, 200)))
    page = np.full((600, 900, 3), 255, np.uint8)
    page[200:400, 300:600] = pixels
    assert distance(prints(page).trimmed, bytes.fromhex(pdq(pixels)[0])) <= 24
    tiny = np.full((1200, 1800, 3), 255, np.uint8)
    tiny[500:700, 800:1100] = pixels  # a sixth of each side: a page with a picture, not a border
    assert prints(tiny).trimmed == ""


def test_the_layout_of_what_is_stored() -> None:
    whole = prints(photograph())
    assert len(whole.frames) == len(FRAMES) * 4 * 32
    assert whole.frames[:32].hex() == pdq(photograph())[0]
    codes, places = looked_for(whole.frames)
    assert len(codes) == len(FRAMES) * 8
    assert TRANSFORMS[0] == ""
    assert len(set(TRANSFORMS)) == len(TRANSFORMS)
    assert all("cut" in name for name in TRANSFORMS[UNCUT:])
    assert not any("cut" in name for name in TRANSFORMS[:UNCUT])
    cuts = listed(whole.frames)
    assert len(cuts) == len(FORMS) - 2
    for name, text in zip(FORMS[2:], cuts, strict=True):
        assert codes[list(places).index(TRANSFORMS.index(name))].tobytes().hex() == text


@pytest.mark.parametrize("length", [1, 31, 32, 256, len(FRAMES) * 128 - 128, len(FRAMES) * 128 + 256])
def test_other_bytes_are_no_frames(length: int) -> None:
    for read in (looked_for, listed):
        with pytest.raises(ValueError, match="frames"):
            read(bytes(length))


@pytest.mark.parametrize("text", ["", "0", "0" * 63, "g" * 64, "0" * 65])
def test_other_text_is_no_hash(text: str) -> None:
    with pytest.raises(ValueError, match=r"hex|digits"):
        codes_of([text])
