"""Ids and fingerprints: exact values, because records outlive code."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyodaku.fingerprint import candidate_id, decoder_version, pdq, pixel_sha256, sha256_bytes, uid_of


def test_uid_is_the_first_half_of_the_sha256() -> None:
    digest = sha256_bytes(b"picture")
    assert digest == hashlib.sha256(b"picture").hexdigest()
    assert uid_of(digest) == digest[:32]
    assert len(bytes.fromhex(uid_of(digest))) == 16


@pytest.mark.parametrize("wrong", ["", "00", "g" * 64, "A" * 64, "0" * 63, "0" * 65, "٠" * 64])
def test_a_uid_is_made_of_nothing_else(wrong: str) -> None:
    with pytest.raises(ValueError, match="sha256"):
        uid_of(wrong)


def test_candidate_id_golden() -> None:
    assert (
        candidate_id("https://museum.org/a.jpg", "https://museum.org/") == "eea0e0c0aece26822b14d1e064508221"
    )


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=4, max_size=4))
def test_candidates_differ_where_their_urls_do(texts: list[str]) -> None:
    first, second = (texts[0], texts[1]), (texts[2], texts[3])
    assert (candidate_id(*first) == candidate_id(*second)) == (first == second)


def test_pixel_sha256_golden() -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    assert pixel_sha256(pixels) == hashlib.sha256(b"RGB 2 2\n" + bytes(range(12))).hexdigest()
    assert pixel_sha256(pixels[:, ::-1][:, ::-1]) == pixel_sha256(pixels)
    alpha = np.arange(16, dtype=np.uint8).reshape(2, 2, 4)
    assert pixel_sha256(alpha) == hashlib.sha256(b"RGBA 2 2\n" + bytes(range(16))).hexdigest()


def test_pixel_sha256_sees_shape_and_layout() -> None:
    pixels = np.zeros((2, 6, 3), np.uint8)
    digests = {pixel_sha256(pixels.reshape(shape)) for shape in ((2, 6, 3), (6, 2, 3), (3, 4, 3), (3, 3, 4))}
    assert len(digests) == 4
    fortran = np.asfortranarray(np.arange(36, dtype=np.uint8).reshape(2, 6, 3))
    assert pixel_sha256(fortran) == pixel_sha256(np.ascontiguousarray(fortran))


@pytest.mark.parametrize("shape", [(2, 2), (2, 2, 1), (2, 2, 5), (1, 2, 2, 3)])
def test_other_shapes_are_errors(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="uint8"):
        pixel_sha256(np.zeros(shape, np.uint8))
    with pytest.raises(ValueError, match="uint8"):
        pixel_sha256(np.zeros((2, 2, 3), np.float32))  # type: ignore[arg-type]


def _distance(first: str, second: str) -> int:
    return (int(first, 16) ^ int(second, 16)).bit_count()


def test_pdq_is_stable_under_scaling_and_blind_to_blanks() -> None:
    from PIL import Image
    from skimage import data

    picture = Image.fromarray(data.astronaut())
    full, quality = pdq(np.asarray(picture))
    assert len(full) == 64
    assert quality == 100
    for side in (256, 1024):
        scaled = picture.resize((side, side), Image.Resampling.LANCZOS)
        assert _distance(full, pdq(np.asarray(scaled))[0]) <= 31  # PDQ's own threshold
    other, _ = pdq(np.asarray(data.chelsea()))
    assert _distance(full, other) > 60
    assert pdq(np.full((600, 600, 3), 127, np.uint8))[1] == 0


def test_the_decoders_name_themselves() -> None:
    parts = dict(part.rsplit("-", 1) for part in decoder_version().split())
    assert {"pillow", "libjpeg_turbo", "littlecms2", "pdqhash"} <= set(parts)
