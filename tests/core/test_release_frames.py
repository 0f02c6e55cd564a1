"""With `shards.images = "original"` too, only what was looked at is released: one picture, over white."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from kyodaku.release import containers
from kyodaku.release.images import ReleasedImage, rewrite_for_release
from kyodaku.safedecode import DecodeLimits, SafeDecoder

LIMITS = DecodeLimits(formats=frozenset({"jpeg", "png", "webp", "gif", "tiff", "avif"}))


@pytest.fixture(scope="module")
def decoder() -> Iterator[SafeDecoder]:
    with SafeDecoder(LIMITS) as pool:
        yield pool


def kept(decoder: SafeDecoder, body: bytes, fmt: str) -> ReleasedImage:
    return rewrite_for_release(body, fmt, policy="original", max_side=None, decoder=decoder)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)  # type: ignore[arg-type]
    return file.getvalue()


def drawing() -> Image.Image:
    return Image.fromarray(np.random.default_rng(7).integers(0, 200, (60, 160, 3), np.uint8))


def refusing() -> Image.Image:
    """What nobody has looked at."""
    image = Image.new("RGB", (160, 60), "black")
    ImageDraw.Draw(image).text((8, 20), "NO AI TRAINING", "white", ImageFont.load_default(18))
    return image


def lettering_on_nothing() -> Image.Image:
    """White words on a transparent ground: over white nobody sees them."""
    image = Image.new("RGBA", (160, 60), (255, 255, 255, 0))
    ImageDraw.Draw(image).text((8, 20), "NO AI TRAINING", (255, 255, 255, 255), ImageFont.load_default(18))
    return image


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + zlib.crc32(kind + content).to_bytes(4)


def assert_the_one_picture(decoder: SafeDecoder, body: bytes, released: ReleasedImage) -> None:
    """`released` shows what was looked at in `body`, and nothing else."""
    assert (released.ext, released.changed_pixels) == ("jpg", True)
    after = decoder.decode(released.body)
    assert (after.frames, after.has_alpha) == (1, False)
    assert np.abs(after.pixels.astype(int) - decoder.decode(body).pixels).mean() < 8


@pytest.mark.parametrize("kind", ["webp", "gif", "png", "tiff"])
def test_frames_behind_the_first_are_not_released(decoder: SafeDecoder, kind: str) -> None:
    body = encoded(drawing(), kind, save_all=True, append_images=[refusing()])
    assert decoder.inspect(body).frames == 2
    assert_the_one_picture(decoder, body, kept(decoder, body, kind))


def test_a_picture_that_only_programs_without_animation_show_is_released_alone(decoder: SafeDecoder) -> None:
    """An APNG may begin with a picture that is no frame: it is what we look at, viewers show the others."""
    frames = [refusing(), refusing().rotate(180)]
    body = encoded(drawing(), "png", save_all=True, append_images=frames, default_image=True)
    released = kept(decoder, body, "png")
    assert_the_one_picture(decoder, body, released)
    assert decoder.decode(released.body).pixels.mean() > 60, "the drawing, not the frames"


@pytest.mark.parametrize(
    ("kind", "image"),
    [
        ("png", lettering_on_nothing()),
        ("webp", lettering_on_nothing()),
        ("png", lettering_on_nothing().convert("LA")),
        ("png", lettering_on_nothing().quantize(8)),
        ("gif", lettering_on_nothing()),
    ],
    ids=["png-rgba", "webp-rgba", "png-la", "png-palette", "gif"],
)
def test_what_stands_under_transparency_is_not_released(
    decoder: SafeDecoder, kind: str, image: Image.Image
) -> None:
    body = encoded(image, kind, **({"lossless": True, "exact": True} if kind == "webp" else {}))
    assert decoder.inspect(body).has_alpha
    released = kept(decoder, body, kind)
    assert_the_one_picture(decoder, body, released)
    assert (decoder.decode(released.body).pixels == 255).all()


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_transparent_colour_is_not_released(decoder: SafeDecoder, mode: str) -> None:
    """White is transparent, and so is every word in it; over white all is as it is without."""
    white = 255 if mode == "L" else (255, 255, 255)
    body = encoded(Image.new(mode, (40, 40), white), "png", transparency=white)
    assert_the_one_picture(decoder, body, kept(decoder, body, "png"))


def test_a_transparent_grey_of_sixteen_bits_is_not_released(decoder: SafeDecoder) -> None:
    """White words on a white that is one step darker, and transparent."""
    wide = np.full((40, 40), 0xFFFE, np.uint16)
    wide[10:20] = 0xFFFF
    body = encoded(Image.fromarray(wide), "png")
    body = body[:33] + chunk(b"tRNS", b"\xff\xfe") + body[33:]
    decoded = decoder.decode(body)
    assert decoded.has_alpha
    assert decoded.over_black is not None
    assert (decoded.over_black[10:20] == 255).all()
    assert (decoded.over_black[:10] == 0).all()
    assert_the_one_picture(decoder, body, kept(decoder, body, "png"))


def test_opaque_alpha_is_kept(decoder: SafeDecoder) -> None:
    for kind, options in (("png", {}), ("webp", {"lossless": True})):
        body = encoded(drawing().convert("RGBA"), kind, **options)
        assert kept(decoder, body, kind).ext == kind


def test_the_second_picture_of_a_jpeg_is_not_released(decoder: SafeDecoder) -> None:
    body = encoded(drawing(), "MPO", save_all=True, append_images=[refusing()], quality=95)
    assert decoder.inspect(body).frames == 2
    for policy in ("jpeg", "original"):
        released = rewrite_for_release(body, "jpeg", policy=policy, max_side=None, decoder=decoder)  # type: ignore[arg-type]
        assert (released.ext, released.changed_pixels) == ("jpg", False)
        assert decoder.inspect(released.body).frames == 1
        assert released.body.count(b"\xff\xd8\xff") == 1
        assert b"MPF\0" not in released.body


# --- frames that our decoder does not count, and others might


def test_stray_animation_chunks_of_a_png_are_dropped(decoder: SafeDecoder) -> None:
    still, hidden = encoded(drawing(), "png"), encoded(refusing(), "png")
    data = next(content for kind, content in containers.read_png(hidden).chunks if kind == b"IDAT")
    control = struct.pack(">IIIIIHHBB", 0, 160, 60, 0, 0, 1, 1, 0, 0)
    extra = chunk(b"fcTL", control) + chunk(b"fdAT", struct.pack(">I", 1) + data)
    for body in (still[:-12] + extra + still[-12:], still[:33] + chunk(b"acTL", bytes(8)) + still[33:]):
        assert decoder.inspect(body).frames == 1
        released = kept(decoder, body, "png")
        assert released.ext == "png"
        assert not any(name in released.body for name in (b"acTL", b"fcTL", b"fdAT"))


def test_stray_pictures_of_a_webp_are_dropped(decoder: SafeDecoder) -> None:
    def riff(kind: bytes, content: bytes) -> bytes:
        return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)

    (_, first), (_, second) = (
        containers.read_webp(encoded(image, "webp")).chunks[0] for image in (drawing(), refusing())
    )
    frame = riff(b"ANMF", bytes(6) + struct.pack("<I", 159)[:3] + struct.pack("<I", 59)[:3] + bytes(4))
    for extra in (riff(b"VP8 ", second), frame[:-16] + bytes(16) + riff(b"VP8 ", second)):
        content = b"WEBP" + riff(b"VP8 ", first) + extra
        kept_chunks = containers.read_webp(b"RIFF" + struct.pack("<I", len(content)) + content).chunks
        assert kept_chunks == ((b"VP8 ", first),)


def test_a_gif_keeps_one_picture() -> None:
    body = encoded(drawing(), "gif", save_all=True, append_images=[refusing()], loop=0)
    alone = containers.scrub_gif(body)
    with Image.open(io.BytesIO(alone)) as image:
        assert getattr(image, "n_frames", 1) == 1
    assert b"NETSCAPE" not in alone
