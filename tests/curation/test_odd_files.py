"""Every kind of file, through annotate with every annotator: a fact or a typed reason, never a crash."""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from curation.annotate import annotate_jobs
from curation.annotators.base import Status
from curation.annotators.registry import BUILT
from curation.findings import iter_annotations
from curation.steps import run_job
from kyodaku.reasons import FailReason
from tests.curation.fixtures import Found, encoded, jpeg, make_run, picture, recipe

LIMITS = {"max_image": "2 MB", "max_pixels": 2_000_000, "formats": ["jpeg", "png", "webp", "gif", "tiff"]}


def still(mode: str, kind: str = "PNG", **options: Any) -> bytes:
    return encoded(picture(1).convert(mode), kind, **options)


def sixteen_bits() -> bytes:
    samples = np.linspace(0, 65535, 280 * 320).reshape(280, 320).astype(np.uint16)
    return encoded(Image.fromarray(samples), "PNG")


def sixteen_bit_colour() -> bytes:
    """A PNG of 16-bit RGB, which Pillow does not write: header, rows of filter 0, end."""
    rows = np.random.default_rng(1).integers(0, 256, (64, 1 + 64 * 6), dtype=np.uint8)
    rows[:, 0] = 0
    head = (64).to_bytes(4, "big") * 2 + bytes([16, 2, 0, 0, 0])
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")
        for name, data in parts
    )


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(picture(5), "JPEG", exif=exif)


def moving(kind: str, count: int = 3) -> bytes:
    frames = [picture(seed).convert("RGBA") for seed in range(count)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:])


def pages() -> bytes:
    return encoded(picture(1), "TIFF", save_all=True, append_images=[picture(2)])


def cut_off(body: bytes, share: float = 0.5) -> bytes:
    return body[: int(len(body) * share)]


def promising(width: int, height: int) -> bytes:
    """The head of a PNG that promises other sides than it has."""
    body = bytearray(still("RGB"))
    body[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    body[29:33] = zlib.crc32(bytes(body[12:29])).to_bytes(4, "big")
    return bytes(body)


def long_text() -> bytes:
    info = PngInfo()
    info.add_itxt("parameters", "a" * 200_000 + "\x00\ufffe𠮷", zip=True)
    return encoded(picture(2), "PNG", pnginfo=info)


def profiled(profile: bytes) -> bytes:
    return encoded(picture(3), "JPEG", icc_profile=profile)


def noise(width: int, height: int) -> bytes:
    samples = np.random.default_rng(2).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return encoded(Image.fromarray(samples), "PNG")


#: Name -> a file that can be decoded, and its upright size.
READABLE: Mapping[str, tuple[bytes, tuple[int, int]]] = {
    "cmyk": (encoded(picture(1).convert("CMYK"), "JPEG"), (320, 280)),
    "ycck without a profile": (encoded(picture(1).convert("CMYK"), "JPEG", quality=60), (320, 280)),
    "sixteen bits": (sixteen_bits(), (320, 280)),
    "sixteen bits of colour": (sixteen_bit_colour(), (64, 64)),
    "one bit": (still("1"), (320, 280)),
    "grey": (still("L"), (320, 280)),
    "grey with alpha": (still("LA"), (320, 280)),
    "palette": (still("P"), (320, 280)),
    "palette with a transparent colour": (still("P", transparency=0), (320, 280)),
    "alpha": (still("RGBA"), (320, 280)),
    "all transparent": (encoded(Image.new("RGBA", (300, 300), (0, 0, 0, 0)), "PNG"), (300, 300)),
    "moving gif": (moving("GIF"), (320, 280)),
    "moving webp": (moving("WEBP"), (320, 280)),
    "moving png": (moving("PNG"), (320, 280)),
    "tiff of two pages": (pages(), (320, 280)),
    **{f"turned {way}": (turned(way), (320, 280) if way < 5 else (280, 320)) for way in range(1, 9)},
    "an orientation that is none": (turned(99), (320, 280)),
    "one pixel": (noise(1, 1), (1, 1)),
    "one row": (noise(700, 1), (700, 1)),
    "one column": (noise(1, 700), (1, 700)),
    "a ribbon": (noise(1500, 9), (1500, 9)),
    "flat": (encoded(Image.new("RGB", (400, 400), (9, 9, 9)), "PNG"), (400, 400)),
    "noise": (noise(300, 300), (300, 300)),
    "text of a generator": (long_text(), (320, 280)),
    "a profile": (profiled(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()), (320, 280)),
    "a profile that is none": (profiled(b"no profile" * 30), (320, 280)),
    "something behind the end": (jpeg(4) + b"PK\x03\x04" * 100, (320, 280)),
}

#: Name -> a file that cannot, and why.
BROKEN: Mapping[str, tuple[bytes, FailReason]] = {
    "half a jpeg": (cut_off(jpeg(1)), FailReason.UNDECODABLE),
    "half a png": (cut_off(noise(300, 300)), FailReason.UNDECODABLE),
    "half a webp": (cut_off(encoded(picture(1), "WEBP")), FailReason.UNDECODABLE),
    "a head alone": (b"\xff\xd8\xff\xe0", FailReason.UNDECODABLE),
    "text": (b"hello", FailReason.NOT_AN_IMAGE),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', FailReason.FORMAT_NOT_ALLOWED),
    "bmp": (encoded(picture(1), "BMP"), FailReason.FORMAT_NOT_ALLOWED),
    "a bomb": (promising(60_000, 60_000), FailReason.PIXEL_BOMB),
    "no width": (promising(0, 280), FailReason.UNDECODABLE),
    "huge": (jpeg(1) + bytes(2_500_000), FailReason.TOO_LARGE),
}


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The annotation of each file, by name, after one run over all of them."""
    bodies = {name: body for name, (body, _) in {**READABLE, **BROKEN}.items()}
    found = [Found(name.replace(" ", "-"), body) for name, body in bodies.items()]
    using = recipe(network=LIMITS)
    run = make_run(tmp_path_factory.mktemp("odd"), found, using, per_shard=100)
    for job in annotate_jobs(run, using):
        run_job(job)
    by_uid = {row["uid"]: dict(row) for row in iter_annotations(run)}
    return {name: by_uid[item.uid] for name, item in zip(bodies, found, strict=True)}


@pytest.mark.parametrize("name", READABLE)
def test_every_annotator_says_something(name: str, rows: dict[str, dict[str, Any]]) -> None:
    row = rows[name]
    assert (row["status"], row["failure"]) == ("ok", "")
    assert (row["width"], row["height"]) == READABLE[name][1]
    assert list(row["findings"]) == list(BUILT)
    broken = {
        found.annotator: found.text for found in row["findings"].values() if found.status is Status.FAILED
    }
    assert broken == {}


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_decoded_has_a_typed_reason(name: str, rows: dict[str, dict[str, Any]]) -> None:
    row = rows[name]
    assert (row["status"], row["failure"]) == ("failed", BROKEN[name][1].value)
    assert row["findings"] == {}


def test_no_bytes_at_all(tmp_path: Path) -> None:
    """The crawl stores no empty body; other tools hand them in."""
    from kyodaku.errors import DecodeError
    from kyodaku.safedecode import SafeDecoder

    with SafeDecoder() as decoder, pytest.raises(DecodeError) as told:
        decoder.decode(b"")
    assert told.value.reason is FailReason.NOT_AN_IMAGE


def test_a_mask_is_a_small_grey_png(rows: dict[str, dict[str, Any]]) -> None:
    for row in rows.values():
        for found in row["findings"].values():
            if found.mask:
                with Image.open(io.BytesIO(found.mask)) as image:
                    assert (image.format, image.mode) == ("PNG", "L")
                    assert max(image.size) <= 64
