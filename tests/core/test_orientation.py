"""Pictures are turned by what viewers read and by nothing else; what only some turn is seen both ways."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from kyodaku.errors import DecodeError
from kyodaku.fingerprint import Pixels
from kyodaku.orientation import as_stored, orientation_in, orientation_of, to_upright
from kyodaku.release.images import rewrite_for_release
from kyodaku.safedecode import DecodeLimits, SafeDecoder

LIMITS = DecodeLimits(formats=frozenset({"jpeg", "png", "webp", "gif", "tiff", "avif"}))
KINDS = ["jpeg", "png", "webp", "tiff", "avif"]


@pytest.fixture(scope="module")
def decoder() -> Iterator[SafeDecoder]:
    with SafeDecoder(LIMITS) as pool:
        yield pool


def picture() -> Image.Image:
    small = np.random.default_rng(5).integers(0, 256, (4, 6, 3), np.uint8)
    return Image.fromarray(small).resize((48, 32), Image.Resampling.NEAREST)


def xmp(orientation: int) -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        f'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="{orientation}"/></rdf:RDF></x:xmpmeta>'
    ).encode()


def tiff(*entries: tuple[int, int, int, int], order: str = "<") -> bytes:
    """A TIFF stream of (tag, type, count, value)."""
    rows = b"".join(struct.pack(order + "HHIHH", *entry, 0) for entry in entries)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    return head + struct.pack(order + "H", len(entries)) + rows + bytes(4)


def turned(value: int) -> bytes:
    return tiff((0x0112, 3, 1, value))


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + zlib.crc32(kind + content).to_bytes(4)


def segment(content: bytes) -> bytes:
    return b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content


def encoded(kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    if kind == "tiff" and "xmp" in options:
        directory = ImageFileDirectory_v2()
        directory[700] = options.pop("xmp")
        directory.tagtype[700] = 7
        options["tiffinfo"] = directory
    if kind == "png" and "xmp" in options:
        text = chunk(b"iTXt", b"XML:com.adobe.xmp" + bytes(5) + bytes(options.pop("xmp")))  # type: ignore[call-overload]
        body = encoded("png", **options)
        return body[:33] + text + body[33:]
    if kind == "webp":
        options["lossless"] = True
    if kind == "jpeg" and "exif" in options:
        options["exif"] = b"Exif\0\0" + bytes(options["exif"])  # type: ignore[call-overload]
    picture().save(file, kind, **options)  # type: ignore[arg-type]
    return file.getvalue()


def lies_as_stored(decoder: SafeDecoder, body: bytes) -> bool:
    """Whether nobody turned it."""
    decoded = decoder.decode(body)
    assert (decoded.orientation == 1) is (decoded.pixels.shape == (32, 48, 3))
    return decoded.orientation == 1 and bool(
        np.abs(decoded.pixels.astype(int) - np.asarray(picture())).mean() < 20
    )


# --- where nobody reads


@pytest.mark.parametrize("kind", KINDS)
def test_xmp_turns_nothing(decoder: SafeDecoder, kind: str) -> None:
    body = encoded(kind, xmp=xmp(6))
    assert Image.open(io.BytesIO(body)).getexif()[0x0112] == 6, "Pillow turns by it"
    assert lies_as_stored(decoder, body)


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_xmp_turns_no_tiff_of_several_pages(decoder: SafeDecoder, compression: str | None) -> None:
    body = encoded(
        "tiff", xmp=xmp(6), save_all=True, append_images=[Image.new("RGB", (9, 9))], compression=compression
    )
    assert lies_as_stored(decoder, body)


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_exif_wins_over_xmp(decoder: SafeDecoder, kind: str) -> None:
    upright = encoded(kind, exif=turned(1), xmp=xmp(6))
    assert lies_as_stored(decoder, upright)
    assert decoder.inspect(encoded(kind, exif=turned(8), xmp=xmp(6))).orientation == 8


def test_exif_of_a_jpeg_that_says_nothing_of_orientation(decoder: SafeDecoder) -> None:
    """Pillow asks XMP as soon as it opens such a file, for the resolution."""
    assert lies_as_stored(decoder, encoded("jpeg", exif=tiff((0x0128, 3, 1, 2)), xmp=xmp(6)))


@pytest.mark.parametrize("keyword", [b"Raw profile type exif", b"Raw profile type APP1", b"exif"])
def test_text_chunks_of_a_png_turn_nothing(decoder: SafeDecoder, keyword: bytes) -> None:
    raw = b"Exif\0\0" + turned(6)
    text = raw if keyword == b"exif" else b"\nexif\n%8d\n" % len(raw) + raw.hex().encode() + b"\n"
    body = encoded("png")
    assert lies_as_stored(
        decoder, body[:33] + chunk(b"zTXt", keyword + b"\0\0" + zlib.compress(text)) + body[33:]
    )


def test_exif_behind_the_pixels_of_a_png_turns_nothing(decoder: SafeDecoder) -> None:
    """PNG third edition puts it before the first IDAT, and browsers read it nowhere else."""
    body = encoded("png")
    late = body[:-12] + chunk(b"eXIf", turned(6)) + body[-12:]
    assert lies_as_stored(decoder, late)
    kept = rewrite_for_release(late, "png", policy="original", max_side=None, decoder=decoder)
    assert (kept.ext, kept.changed_pixels) == ("png", False)
    assert Image.open(io.BytesIO(kept.body)).getexif().get(0x0112) is None


def with_segments(*contents: bytes) -> bytes:
    body = encoded("jpeg")
    return body[:2] + b"".join(map(segment, contents)) + body[2:]


def test_only_the_first_exif_segment_of_a_jpeg_counts(decoder: SafeDecoder) -> None:
    beyond = b"II*\0" + struct.pack("<I", 60_000) + bytes(59_992)  # its directory is in the second segment
    joined = with_segments(b"Exif\0\0" + beyond, b"Exif\0\0" + turned(6)[8:])
    silent = with_segments(b"Exif\0\0" + turned(1), b"Exif\0\0" + tiff((0x0128, 3, 1, 2)))
    for odd in (joined, silent):
        assert lies_as_stored(decoder, odd)
        released = rewrite_for_release(odd, "jpeg", policy="jpeg", max_side=None, decoder=decoder)
        assert lies_as_stored(decoder, released.body)
    assert decoder.inspect(with_segments(b"Exif\0\0" + turned(6), b"Exif\0\0" + turned(6))).orientation == 6


@pytest.mark.parametrize(
    "segments",
    [
        (b"Exif\0\0" + turned(1), b"Exif\0\0" + turned(3)),
        (b"Exif\0\0" + tiff((0x0128, 3, 1, 2)), b"Exif\0\0" + turned(3)),
        (b"Exif\0\1" + turned(3),),
    ],
)
def test_a_jpeg_that_viewers_turn_differently_stays_out(
    decoder: SafeDecoder, segments: tuple[bytes, ...]
) -> None:
    with pytest.raises(DecodeError, match="more than one orientation"):
        decoder.inspect(with_segments(*segments))


def test_a_gif_has_no_orientation(decoder: SafeDecoder) -> None:
    body = encoded("gif")
    packet = b"\x21\xff\x0bXMP DataXMP" + xmp(6) + b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    assert decoder.inspect(body[:-1] + packet + b"\x3b").orientation == 1


def test_a_release_holds_no_orientation_that_some_program_might_follow(decoder: SafeDecoder) -> None:
    for kind in ("jpeg", "png", "webp"):
        body = encoded(kind, exif=tiff((0x0112, 4, 1, 6), (0x0213, 3, 1, 1)), xmp=xmp(6))
        assert lies_as_stored(decoder, body), "a LONG is no orientation"
        released = rewrite_for_release(body, kind, policy="original", max_side=None, decoder=decoder)
        assert not released.changed_pixels
        assert b"rientation" not in released.body
        opened = Image.open(io.BytesIO(released.body))
        assert opened.size == (48, 32)
        turned_by_pillow = ImageOps.exif_transpose(opened)
        assert turned_by_pillow.size == (48, 32)


# --- where they do


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_is_shown_otherwise(decoder: SafeDecoder, kind: str, orientation: int) -> None:
    """Browsers agree about JPEG. Of PNG and WebP some show the pixels as they lie in the file."""
    decoded = decoder.decode(encoded(kind, exif=turned(orientation)))
    assert decoded.orientation == orientation
    others = list(decoded.otherwise())
    if kind == "jpeg" or orientation == 1:
        assert others == []
        return
    (other,) = others
    assert other.orientation == orientation
    assert np.array_equal(other.pixels, np.asarray(picture()))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_places_in_the_file_are_found_in_the_upright_picture(orientation: int) -> None:
    upright: Pixels = np.random.default_rng(1).integers(0, 255, (5, 7, 3), np.uint8)
    stored = as_stored(upright, orientation)
    matrix = to_upright(orientation, 5, 7)
    for y, x in np.ndindex(stored.shape[:2]):
        across, down = matrix @ np.array([x + 0.5, y + 0.5, 1])
        assert np.array_equal(upright[int(down), int(across)], stored[y, x])


def test_a_webp_without_an_extended_header_has_no_metadata() -> None:
    plain = encoded("webp")
    assert plain[12:16] != b"VP8X"
    assert orientation_in(plain + b"EXIF" + struct.pack("<I", 26) + turned(6), "webp") == 1


@pytest.mark.parametrize("order", "<>")
def test_the_last_of_several_counts_and_only_as_the_standard_writes_it(order: str) -> None:
    tag, short = 0x0112, 3
    assert orientation_of(tiff((tag, short, 1, 6), order=order)) == 6
    assert orientation_of(tiff((tag, short, 1, 6), (tag, short, 1, 3), order=order)) == 3
    for odd in (
        (tag, 4, 1, 6),
        (tag, short, 2, 6),
        (tag, short, 1, 9),
        (tag, short, 1, 0),
        (0x0113, 3, 1, 6),
    ):
        assert orientation_of(tiff(odd, order=order)) == 0


@given(st.binary(max_size=200), st.sampled_from([b"", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"]))
def test_any_bytes_are_some_orientation(tail: bytes, head: bytes) -> None:
    assert 0 <= orientation_of(head + tail) <= 8


@given(st.binary(max_size=200), st.sampled_from(["jpeg", "png", "webp", "gif"]))
def test_any_file_has_some_orientation(tail: bytes, kind: str) -> None:
    heads = {"jpeg": b"\xff\xd8\xff", "png": b"\x89PNG\r\n\x1a\n", "webp": b"RIFF\0\0\0\0WEBPVP8X"}
    assert 1 <= orientation_in(heads.get(kind, b"GIF89a") + tail, kind) <= 8
