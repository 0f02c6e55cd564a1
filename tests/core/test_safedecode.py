"""Decoding hostile pictures: each ends in a reason, quickly, and the next picture decodes."""

from __future__ import annotations

import io
import os
import signal
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from kyodaku.errors import DecodeError, KyodakuError
from kyodaku.fingerprint import Pixels, pdq, pixel_sha256
from kyodaku.reasons import FailReason
from kyodaku.safedecode import DecodeLimits, ImageFacts, SafeDecoder, check_header, header_size, sniff

EVERY = frozenset({"jpeg", "png", "webp", "gif", "tiff", "avif"})
LIMITS = DecodeLimits(
    max_pixels=4_000_000, max_frames=100, cpu_seconds=5, wall_seconds=20, memory_bytes=1 << 28, formats=EVERY
)


@pytest.fixture(scope="module")
def decoder() -> Iterator[SafeDecoder]:
    with SafeDecoder(LIMITS) as pool:
        yield pool


def picture(width: int = 48, height: int = 32) -> Pixels:
    """A gradient with a red corner at the top left: every turn and flip of it differs."""
    rows, columns = np.mgrid[0:height, 0:width]
    pixels = np.stack((columns * 5, rows * 7, (rows + columns) * 3), axis=2).astype(np.uint8)
    pixels[: height // 4, : width // 4] = (250, 5, 5)
    return pixels


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)  # type: ignore[arg-type]
    return file.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + zlib.crc32(kind + content).to_bytes(4)


def png(width: int, height: int, *extra: bytes, idat: bytes = b"", depth: int = 8, colour: int = 2) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + chunk(b"IDAT", idat) + chunk(b"IEND", b"")


def refused(decoder: SafeDecoder, body: bytes, reason: FailReason) -> str:
    with pytest.raises(DecodeError) as caught:
        decoder.inspect(body)
    assert caught.value.reason is reason, str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- what decodes


@pytest.mark.parametrize("kind", ["png", "webp", "gif", "tiff"])
def test_lossless_formats_give_their_pixels(decoder: SafeDecoder, kind: str) -> None:
    pixels = picture(16, 12)
    options = {"lossless": True} if kind == "webp" else {}
    source = Image.fromarray(pixels)
    body = encoded(source.quantize(192) if kind == "gif" else source, kind, **options)
    expected = np.asarray(Image.open(io.BytesIO(body)).convert("RGB"))
    decoded = decoder.decode(body)
    assert (decoded.format, decoded.width, decoded.height, decoded.frames) == (kind, 16, 12, 1)
    assert np.array_equal(decoded.pixels, expected)
    assert decoded.pixel_sha256 == pixel_sha256(expected)
    assert (decoded.has_alpha, decoded.orientation, decoded.icc) == (False, 1, "")


@pytest.mark.parametrize("kind", ["jpeg", "avif"])
def test_lossy_formats_decode(decoder: SafeDecoder, kind: str) -> None:
    decoded = decoder.decode(encoded(Image.fromarray(picture()), kind, quality=95))
    assert decoded.format == kind
    assert np.abs(decoded.pixels.astype(int) - picture()).mean() < 12


def test_facts_are_the_same_without_pixels(decoder: SafeDecoder) -> None:
    body = encoded(Image.fromarray(picture()), "jpeg")
    decoded = decoder.decode(body)
    facts = decoder.inspect(body)
    assert all(getattr(decoded, name) == getattr(facts, name) for name in ImageFacts.__dataclass_fields__)
    assert (facts.pdq, facts.pdq_quality) == pdq(decoded.pixels)
    digest = decoder.pixel_digest(body)
    assert (digest.width, digest.height, digest.pixel_sha256) == (48, 32, facts.pixel_sha256)


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff", "avif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright(decoder: SafeDecoder, kind: str, orientation: int) -> None:
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "webp" else {}
    body = encoded(Image.fromarray(picture()), kind, exif=exif, **options)
    if kind == "tiff":
        expected = np.asarray(Image.open(io.BytesIO(body)).convert("RGB"))
    else:
        expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(body))).convert("RGB"))
    decoded = decoder.decode(body)
    assert decoded.orientation == orientation
    assert (
        (decoded.height, decoded.width) == expected.shape[:2] == ((48, 32) if orientation > 4 else (32, 48))
    )
    assert np.array_equal(decoded.pixels, expected)


def test_wrong_orientation_turns_nothing(decoder: SafeDecoder) -> None:
    exif = Image.Exif()
    exif[0x0112] = 9
    assert decoder.inspect(encoded(Image.fromarray(picture()), "jpeg", exif=exif)).orientation == 1
    broken = encoded(Image.fromarray(picture()), "jpeg", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert decoder.inspect(broken).orientation == 1


def test_transparency_lies_over_white(decoder: SafeDecoder) -> None:
    rgba = np.dstack((picture(16, 12), np.full((12, 16), 255, np.uint8)))
    rgba[:6, :, 3] = 0
    for body in (
        encoded(Image.fromarray(rgba), "png"),
        encoded(Image.fromarray(rgba), "webp", lossless=True, exact=True),
    ):
        decoded = decoder.decode(body)
        assert decoded.has_alpha
        assert (decoded.pixels[:6] == 255).all()
        assert np.array_equal(decoded.pixels[6:], rgba[6:, :, :3])
        assert decoded.pixel_sha256 == pixel_sha256(rgba)


def test_an_opaque_alpha_channel_is_none(decoder: SafeDecoder) -> None:
    opaque = Image.fromarray(picture()).convert("RGBA")
    decoded = decoder.inspect(encoded(opaque, "png"))
    assert not decoded.has_alpha
    assert decoded.pixel_sha256 == pixel_sha256(picture())


def test_palette_with_a_transparent_colour(decoder: SafeDecoder) -> None:
    image = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8)).convert("P")
    image.putpalette([255, 0, 0, 0, 0, 255])
    decoded = decoder.decode(encoded(image, "png", transparency=0))
    assert decoded.mode == "P"
    assert decoded.has_alpha
    assert decoded.pixels.tolist() == [[[255] * 3, [0, 0, 255]], [[0, 0, 255], [255] * 3]]


def test_sixteen_bit_grey_is_scaled_not_clipped(decoder: SafeDecoder) -> None:
    wide = np.array([[0, 256, 32768, 65535]], np.uint16)
    decoded = decoder.decode(encoded(Image.fromarray(wide), "png"))
    assert decoded.pixels[0, :, 0].tolist() == [0, 1, 128, 255]


def test_grey_and_one_bit(decoder: SafeDecoder) -> None:
    grey = decoder.decode(encoded(Image.fromarray(picture()).convert("L"), "png"))
    assert (grey.mode, grey.pixels.shape) == ("L", (32, 48, 3))
    assert decoder.decode(encoded(Image.fromarray(picture()).convert("1"), "png")).mode == "1"
    alpha = decoder.decode(encoded(Image.new("LA", (2, 2), (7, 0)), "png"))
    assert alpha.has_alpha
    assert (alpha.pixels == 255).all()


def test_cmyk_becomes_rgb(decoder: SafeDecoder) -> None:
    decoded = decoder.decode(encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "jpeg", quality=100))
    assert decoded.mode == "CMYK"
    red, green, blue = decoded.pixels[4, 4].tolist()
    assert red > 240
    assert green < 15
    assert blue < 15


def test_a_colour_profile_is_applied_and_a_broken_one_ignored(decoder: SafeDecoder) -> None:
    image = Image.fromarray(picture())
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profiled = decoder.inspect(encoded(image, "png", icc_profile=lab))
    assert "sRGB" in profiled.icc
    broken = decoder.decode(encoded(image, "png", icc_profile=b"not a profile at all" * 20))
    assert np.array_equal(broken.pixels, picture())
    wrong_kind = decoder.decode(
        encoded(image, "png", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes())
    )
    assert np.array_equal(wrong_kind.pixels, picture())


@pytest.mark.parametrize("kind", ["gif", "webp", "png"])
def test_the_first_frame_of_an_animation(decoder: SafeDecoder, kind: str) -> None:
    frames = [Image.new("RGB", (8, 8), (index * 20, 0, 0)) for index in range(6)]
    options = {"lossless": True} if kind == "webp" else {}
    body = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    decoded = decoder.decode(body)
    assert decoded.frames == 6
    assert (decoded.pixels == 0).all()


def test_encoding_anew(decoder: SafeDecoder) -> None:
    rgba = np.dstack((picture(), np.full((32, 48), 0, np.uint8)))
    body = encoded(Image.fromarray(rgba), "png")
    first = decoder.encode_jpeg(body)
    assert decoder.encode_jpeg(body) == first
    image = Image.open(io.BytesIO(first.body))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (48, 32))
    assert "exif" not in image.info
    assert image.layer[0][1:3] == image.layer[1][1:3]  # type: ignore[attr-defined] - 4:4:4
    assert (np.asarray(image) == 255).all()
    small = decoder.encode_jpeg(body, max_side=24)
    assert (small.width, small.height) == (24, 16) == Image.open(io.BytesIO(small.body)).size
    assert decoder.encode_jpeg(body, max_side=48) == first


# --- what does not


def test_no_bytes_and_no_image(decoder: SafeDecoder) -> None:
    refused(decoder, b"", FailReason.NOT_AN_IMAGE)
    refused(decoder, b"<!doctype html><title>Not found</title>", FailReason.NOT_AN_IMAGE)
    refused(decoder, b"\0" * 100, FailReason.NOT_AN_IMAGE)


@pytest.mark.parametrize(
    "body",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\xef\xbb\xbf <?xml version='1.0'?><!DOCTYPE svg><svg/>",
        b"BM" + bytes(60),
        b"\0\0\1\0" + bytes(60),
        b"\0\0\0\x18ftypheic" + bytes(60),
    ],
)
def test_other_formats(decoder: SafeDecoder, body: bytes) -> None:
    refused(decoder, body, FailReason.FORMAT_NOT_ALLOWED)


def test_svg_can_not_even_be_allowed() -> None:
    with pytest.raises(ValueError, match="svg"):
        DecodeLimits(formats=frozenset({"svg"}))


def test_formats_are_a_choice() -> None:
    assert "avif" not in DecodeLimits().formats
    with pytest.raises(DecodeError) as caught:
        check_header(encoded(Image.fromarray(picture()), "avif"), DecodeLimits())
    assert caught.value.reason is FailReason.FORMAT_NOT_ALLOWED


def test_too_many_bytes() -> None:
    with SafeDecoder(DecodeLimits(max_bytes=100)) as small:
        refused(small, b"\xff\xd8\xff" + bytes(98), FailReason.TOO_LARGE)


def test_a_pixel_bomb_never_reaches_a_child() -> None:
    """48 MB of pixels in under 50 kB."""
    bomb = png(4000, 4000, idat=zlib.compress(bytes(4000 * 3 + 1) * 4000, 9))
    assert len(bomb) < 50_000
    with SafeDecoder(LIMITS) as fresh:
        assert "4000 x 4000" in refused(fresh, bomb, FailReason.PIXEL_BOMB)
        assert fresh._idle.queue == [None]


@pytest.mark.parametrize("kind", ["tiff", "avif"])
def test_a_pixel_bomb_without_a_header_we_read_stops_in_the_child(decoder: SafeDecoder, kind: str) -> None:
    body = encoded(Image.new("L", (2100, 2000)), kind)
    refused(decoder, body, FailReason.PIXEL_BOMB)


def test_a_png_that_lies_about_its_size(decoder: SafeDecoder) -> None:
    """More data than the header announces is not unpacked."""
    flood = png(8, 8, idat=zlib.compress(bytes(100_000_000), 9))
    assert decoder.inspect(flood).width == 8


def apng(frames: int) -> bytes:
    data = zlib.compress(bytes(25) * 8)
    extra = [chunk(b"acTL", struct.pack(">II", frames, 0)), chunk(b"fcTL", _fctl(0))]
    body = png(8, 8, *extra, idat=data).removesuffix(chunk(b"IEND", b""))
    pieces = [body]
    for index in range(1, frames):
        pieces.append(chunk(b"fcTL", _fctl(2 * index - 1)))
        pieces.append(chunk(b"fdAT", struct.pack(">I", 2 * index) + data))
    return b"".join([*pieces, chunk(b"IEND", b"")])


def _fctl(sequence: int) -> bytes:
    return struct.pack(">IIIIIHHBB", sequence, 8, 8, 0, 0, 1, 10, 0, 0)


def test_an_apng_of_ten_thousand_frames(decoder: SafeDecoder) -> None:
    assert decoder.inspect(apng(3)).frames == 3
    started = time.monotonic()
    assert "10000" in refused(decoder, apng(10_000), FailReason.PIXEL_BOMB)
    assert time.monotonic() - started < 5


def test_a_gif_of_many_frames(decoder: SafeDecoder) -> None:
    frames = [Image.new("L", (1, 1), index % 256) for index in range(101)]
    body = encoded(frames[0], "gif", save_all=True, append_images=frames[1:])
    refused(decoder, body, FailReason.PIXEL_BOMB)


def test_huge_metadata_costs_little_or_is_an_error(decoder: SafeDecoder) -> None:
    pixels = zlib.compress(bytes(25) * 8)
    text = chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(80_000_000), 9))
    refused(decoder, png(8, 8, text, idat=pixels), FailReason.UNDECODABLE)
    profile = chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(80_000_000), 9))
    with pytest.raises(DecodeError) as caught:
        decoder.inspect(png(8, 8, profile, idat=pixels))
    assert caught.value.reason is FailReason.UNDECODABLE
    exif = chunk(b"eXIf", b"MM\0*\0\0\0\x08\xff\xff" + b"\x01\x0e\0\x02\x7f\xff\xff\xff\0\0\0\0" * 65535)
    assert decoder.inspect(png(8, 8, exif, idat=pixels)).orientation == 1


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "gif", "tiff", "avif"])
def test_truncated_files(decoder: SafeDecoder, kind: str) -> None:
    body = encoded(Image.fromarray(picture(400, 300)), kind)
    for length in (20, len(body) // 2, len(body) * 9 // 10):
        refused(decoder, body[:length], FailReason.UNDECODABLE)


def test_a_polyglot_is_only_what_its_first_bytes_say(decoder: SafeDecoder) -> None:
    jpeg = encoded(Image.fromarray(picture()), "jpeg")
    html = b"<script>alert(1)</script>"
    assert decoder.inspect(jpeg + html).format == "jpeg"
    refused(decoder, html + jpeg, FailReason.NOT_AN_IMAGE)
    refused(decoder, b"GIF89a" + jpeg, FailReason.PIXEL_BOMB)  # whatever a GIF reads there
    refused(decoder, b"\xff\xd8\xff" + encoded(Image.fromarray(picture()), "png"), FailReason.UNDECODABLE)


def test_samples_we_have_no_colours_for(decoder: SafeDecoder) -> None:
    refused(decoder, encoded(Image.new("F", (4, 4), 0.5), "tiff"), FailReason.UNDECODABLE)


# --- children


def _hold(decoder: SafeDecoder) -> int:
    """The process id of the decoder's one idle child."""
    decoder.inspect(encoded(Image.fromarray(picture()), "jpeg"))
    child = decoder._idle.queue[-1]
    assert child is not None
    return child._process.pid


def test_memory_is_limited() -> None:
    body = encoded(Image.new("RGB", (3000, 3000)), "png")
    limits = DecodeLimits(max_pixels=10_000_000, memory_bytes=20_000_000)
    with SafeDecoder(limits) as poor:
        assert "memory" in refused(poor, body, FailReason.UNDECODABLE)
        assert poor.inspect(encoded(Image.fromarray(picture()), "jpeg")).width == 48


def test_processor_time_is_limited() -> None:
    """A progressive JPEG whose thousand scans each pass over every pixel."""
    base = encoded(Image.new("L", (2000, 2000), 7), "jpeg", progressive=True)
    scan = base.rindex(b"\xff\xda")
    bomb = base[:scan] + base[scan:-2] * 4000 + b"\xff\xd9"
    limits = DecodeLimits(cpu_seconds=1)
    with SafeDecoder(limits) as slow:
        started = time.monotonic()
        assert "processor time" in refused(slow, bomb, FailReason.UNDECODABLE)
        assert time.monotonic() - started < 15
        assert slow.inspect(encoded(Image.fromarray(picture()), "jpeg")).width == 48


def test_a_hanging_child_is_replaced() -> None:
    with SafeDecoder(DecodeLimits(wall_seconds=1)) as pool:
        pid = _hold(pool)
        os.kill(pid, signal.SIGSTOP)
        assert "too long" in refused(
            pool, encoded(Image.fromarray(picture()), "jpeg"), FailReason.UNDECODABLE
        )
        assert not psutil.pid_exists(pid)
        assert _hold(pool) != pid


def test_a_killed_child_costs_nothing(decoder: SafeDecoder) -> None:
    os.kill(_hold(decoder), signal.SIGKILL)
    assert decoder.inspect(encoded(Image.fromarray(picture()), "jpeg")).width == 48


def test_a_child_that_lies_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Taken over by its picture, it can send wrong facts or a flood: neither gets through."""
    facts = '"format":"jpeg","mode":"RGB","width":4,"height":4,"frames":1,"orientation":1'
    facts += ',"has_alpha":false,"icc":"","pixel_sha256":"","pdq":"","pdq_quality":0'
    answers = [
        ("{" + facts + "}", 47),
        ("{" + facts.replace(":4", ":true") + "}", 48),
        ('{"width":4}', 48),
        ("[]", 0),
        ("nonsense", 0),
        ("{" + facts + "}", 1 << 40),
    ]
    for reply, size in answers:
        script = tmp_path / "liar.py"
        sends = min(size, 100)
        script.write_text(
            f"import sys, struct\nready = b'{{\"ready\":true}}'\nreply = {reply.encode()!r}\n"
            "sys.stdout.buffer.write(struct.pack('>IQ', len(ready), 0) + ready)\n"
            f"sys.stdout.buffer.write(struct.pack('>IQ', len(reply), {size}) + reply + bytes({sends}))\n"
            "sys.stdout.flush()\nsys.stdin.read()\n"
        )
        start: Callable[..., subprocess.Popen[bytes]] = subprocess.Popen

        def liar(command: list[str], **options: object) -> object:
            return start([sys.executable, str(script)], **options)  # noqa: B023 - used at once

        with monkeypatch.context() as patched:
            patched.setattr(subprocess, "Popen", liar)
            with SafeDecoder(DecodeLimits(wall_seconds=10)) as pool, pytest.raises(DecodeError):
                pool.decode(encoded(Image.fromarray(picture(4, 4)), "jpeg"))


def test_a_child_that_cannot_start_blames_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing library must not turn every picture of a run into an undecodable one."""
    start: Callable[..., subprocess.Popen[bytes]] = subprocess.Popen
    body = encoded(Image.fromarray(picture()), "jpeg")

    def broken(command: list[str], **options: object) -> object:
        return start([sys.executable, "-c", "raise ImportError('no module named pdqhash')"], **options)

    with SafeDecoder(LIMITS) as pool:
        with monkeypatch.context() as patched:
            patched.setattr(subprocess, "Popen", broken)
            with pytest.raises(KyodakuError, match=r"cannot start.*pdqhash") as caught:
                pool.inspect(body)
            assert not isinstance(caught.value, DecodeError)
        assert pool.inspect(body).width == 48


def test_many_threads_share_two_children() -> None:
    body = encoded(Image.fromarray(picture()), "jpeg")
    with SafeDecoder(LIMITS, workers=2) as pool, ThreadPoolExecutor(8) as threads:
        facts = list(threads.map(lambda _: pool.inspect(body), range(40)))
        assert len(set(facts)) == 1
        assert pool._idle.qsize() == 2


def test_a_child_outlives_the_thread_that_first_asked(decoder: SafeDecoder) -> None:
    with SafeDecoder(LIMITS) as pool:
        pids: list[int] = []
        thread = threading.Thread(target=lambda: pids.append(_hold(pool)))
        thread.start()
        thread.join()
        assert _hold(pool) == pids[0]


def test_a_closed_pool_says_so() -> None:
    pool = SafeDecoder(LIMITS)
    pool.close()
    with pytest.raises(RuntimeError, match="closed"):
        pool.inspect(b"")


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_children_die_with_a_killed_parent() -> None:
    program = (
        "import sys, time\nfrom kyodaku.safedecode import SafeDecoder\npool = SafeDecoder(workers=1)\n"
        "pool.inspect(open(0, 'rb').read())\n"
        "print(pool._idle.queue[-1]._process.pid, flush=True)\ntime.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert parent.stdin
    assert parent.stdout
    with parent.stdin as source, parent.stdout as sink:
        source.write(encoded(Image.fromarray(picture()), "jpeg"))
        source.close()
        child = psutil.Process(int(sink.readline()))
        parent.kill()
        parent.wait()
        child.wait(timeout=10)


def test_children_inherit_no_secrets(decoder: SafeDecoder) -> None:
    environment = psutil.Process(_hold(decoder)).environ()
    assert set(environment) <= {"LD_LIBRARY_PATH", "PYTHONPATH", "OPENBLAS_NUM_THREADS", "LC_ALL", "LC_CTYPE"}


def test_a_child_imports_nothing_from_where_we_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("json", "struct", "numpy", "PIL", "kyodaku"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    monkeypatch.chdir(tmp_path)
    with SafeDecoder(DecodeLimits()) as decoder:
        assert decoder.decode(encoded(Image.new("RGB", (8, 8)), "PNG")).width == 8
    assert not (tmp_path / "ran").exists()


# --- magic bytes and headers


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("jpeg", {}),
        ("jpeg", {"progressive": True}),
        ("jpeg", {"exif": b"Exif\0\0" + bytes(60_000)}),
        ("png", {}),
        ("gif", {}),
        ("webp", {}),
        ("webp", {"lossless": True}),
        ("webp", {"icc_profile": b"x" * 10}),
    ],
)
def test_header_size(kind: str, options: dict[str, object]) -> None:
    body = encoded(Image.fromarray(picture(123, 45)), kind, **options)
    assert sniff(body) == kind
    assert header_size(body) == (123, 45)


@given(
    st.sampled_from(
        [
            b"",
            b"\xff\xd8\xff",
            b"\x89PNG\r\n\x1a\n",
            b"GIF89a",
            b"RIFF1234WEBP",
            b"RIFF1234WEBPVP8X",
            b"II*\0",
        ]
    ),
    st.binary(max_size=200),
)
def test_sniffing_and_sizing_never_raise(magic: bytes, rest: bytes) -> None:
    sniff(magic + rest)
    size = header_size(magic + rest)
    assert size is None or min(size) >= 0


@given(st.sampled_from(["jpeg", "png", "webp", "gif"]), st.data())
@settings(max_examples=60, deadline=None)
def test_damaged_pictures_decode_or_are_decode_errors(
    decoder: SafeDecoder, kind: str, data: st.DataObject
) -> None:
    body = bytearray(encoded(Image.fromarray(picture()), kind))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        facts = decoder.inspect(bytes(body))
    except DecodeError:
        return
    assert facts.width * facts.height <= LIMITS.max_pixels
