"""Transparency is decoded over white and over black: what stands out over neither is seen over no ground."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from kyodaku.errors import DecodeError
from kyodaku.reasons import FailReason
from kyodaku.safedecode import DecodeLimits, SafeDecoder

LIMITS = DecodeLimits(formats=frozenset({"jpeg", "png", "webp", "gif", "tiff", "avif"}))
BAR = slice(10, 20)


@pytest.fixture(scope="module")
def decoder() -> Iterator[SafeDecoder]:
    with SafeDecoder(LIMITS) as pool:
        yield pool


def encoded(image: Image.Image, kind: str = "png", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)  # type: ignore[arg-type]
    return file.getvalue()


def white_bar() -> Image.Image:
    """An opaque white bar on a white ground of which nothing is seen."""
    rgba = np.full((30, 40, 4), 255, np.uint8)
    rgba[..., 3] = 0
    rgba[BAR, :, 3] = 255
    return Image.fromarray(rgba)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + zlib.crc32(kind + content).to_bytes(4)


def grey_png(depth: int, clear: int, ink: int, colour: int = 0) -> bytes:
    """A PNG of 40 x 30 samples of `depth` bits: a ground of the transparent value `clear`, a bar of `ink`."""
    channels = 3 if colour == 2 else 1
    rows = b""
    for y in range(30):
        sample = ink if y in range(BAR.start, BAR.stop) else clear
        bits = f"{sample:0{depth}b}" * 40 * channels
        rows += b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")
    head = struct.pack(">IIBBBBB", 40, 30, depth, colour, 0, 0, 0)
    parts = [
        (b"IHDR", head),
        (b"tRNS", struct.pack(">H", clear) * channels),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def palette() -> bytes:
    image = Image.new("P", (40, 30), 0)
    image.putpalette([255, 255, 255, 255, 255, 255])
    image.paste(1, (0, BAR.start, 40, BAR.stop))
    return encoded(image, transparency=0)


FILES = {
    "png": encoded(white_bar()),
    "png, grey": encoded(white_bar().convert("LA")),
    "png, palette": palette(),
    "png, half opaque palette": encoded(white_bar().quantize(8)),
    "webp": encoded(white_bar(), "webp", lossless=True, exact=True),
    "gif": encoded(white_bar(), "gif"),
    "tiff": encoded(white_bar(), "tiff"),
    "avif": encoded(white_bar(), "avif", quality=100),
    "two bits of grey": grey_png(2, 3, 2),
    "four bits of grey": grey_png(4, 15, 14),
    "eight bits of grey": grey_png(8, 255, 254),
    "sixteen bits of grey": grey_png(16, 65535, 65534),
    "eight bits of colour": grey_png(8, 255, 254, colour=2),
}


@pytest.mark.parametrize("name", FILES)
def test_what_white_hides_stands_out_over_black(decoder: SafeDecoder, name: str) -> None:
    decoded = decoder.decode(FILES[name])
    assert decoded.has_alpha
    assert decoded.over_black is not None
    assert decoded.over_black.shape == decoded.pixels.shape == (30, 40, 3)
    ink = 170 if name.startswith("two") else 230
    assert (decoded.over_black[BAR] >= ink).all()
    assert (decoded.over_black[: BAR.start - 1] <= 2).all()
    assert decoded.held == 2 * 30 * 40
    (other,) = decoded.otherwise()
    assert other.pixels is decoded.over_black


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "gif", "tiff", "avif"])
def test_what_is_opaque_is_seen_once(decoder: SafeDecoder, kind: str) -> None:
    decoded = decoder.decode(encoded(white_bar().convert("RGB"), kind))
    assert not decoded.has_alpha
    assert decoded.over_black is None
    assert list(decoded.otherwise()) == []
    assert decoded.held == 30 * 40


def test_an_opaque_alpha_channel_costs_nothing(decoder: SafeDecoder) -> None:
    assert decoder.decode(encoded(white_bar().convert("RGB").convert("RGBA"))).over_black is None


def test_a_pixel_that_is_nearly_opaque_counts(decoder: SafeDecoder) -> None:
    rgba = np.full((4, 4, 4), 255, np.uint8)
    rgba[0, 0, 3] = 254
    decoded = decoder.decode(encoded(Image.fromarray(rgba)))
    assert decoded.over_black is not None
    assert decoded.over_black[0, 0].tolist() == [254, 254, 254]


def test_a_transparent_colour_of_which_half_the_bits_are_gone_is_an_error(decoder: SafeDecoder) -> None:
    """Of 16-bit colour Pillow keeps 8 bits, so nobody here can tell which pixels are meant."""
    with pytest.raises(DecodeError) as caught:
        decoder.decode(grey_png(16, 65535, 65534, colour=2))
    assert caught.value.reason is FailReason.UNDECODABLE


def test_turned_and_transparent_is_seen_in_four_ways(decoder: SafeDecoder) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    decoded = decoder.decode(encoded(white_bar(), exif=exif))
    assert decoded.pixels.shape == (40, 30, 3)
    shapes = [(other.pixels.shape, other.orientation) for other in decoded.otherwise()]
    assert shapes == [((40, 30, 3), 1), ((30, 40, 3), 6), ((30, 40, 3), 6)]


def test_it_fits_into_the_memory_that_a_picture_may_take() -> None:
    rgba = np.zeros((2000, 2500, 4), np.uint8)
    rgba[::3] = 255
    body = encoded(Image.fromarray(rgba), compress_level=1)
    with SafeDecoder(DecodeLimits(max_pixels=5_000_000, max_bytes=30_000_000)) as decoder:
        assert decoder.decode(body).over_black is not None
