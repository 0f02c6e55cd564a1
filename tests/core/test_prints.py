"""Fingerprints of pictures that are not kept: those that annotate would have found, and nothing else."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from kyodaku.copies import copy_prints
from kyodaku.errors import DecodeError, KyodakuError
from kyodaku.fingerprint import decoder_version
from kyodaku.prints import PicturePrints, Printer, PrintTaker
from kyodaku.recipe import Network
from kyodaku.safedecode import DecodeLimits, SafeDecoder

LIMITS = DecodeLimits(max_pixels=1_000_000, cpu_seconds=5, wall_seconds=20)


@pytest.fixture(scope="module")
def taker() -> Iterator[PrintTaker]:
    with PrintTaker(LIMITS) as pool:
        yield pool


def photograph(seed: int = 1, border: int = 0, alpha: bool = False) -> bytes:
    """A PNG of smooth random colours, perhaps in a white frame, perhaps half of it transparent."""
    small = np.random.default_rng(seed).integers(0, 255, (18, 24, 3), dtype=np.uint8)
    image = Image.fromarray(small).resize((320, 280), Image.Resampling.BICUBIC)
    if border:
        framed = Image.new("RGB", (320 + 2 * border, 280 + 2 * border), "white")
        framed.paste(image, (border, border))
        image = framed
    if alpha:
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("options", [{}, {"border": 40}, {"alpha": True}])
def test_they_are_what_annotate_would_write(taker: PrintTaker, options: dict[str, int]) -> None:
    body = photograph(**options)  # type: ignore[arg-type]
    with SafeDecoder(LIMITS) as decoder:
        facts = decoder.decode(body)
    prints = copy_prints(facts.pixels, facts.pdq, facts.pdq_quality)
    assert prints.trimmed or "border" not in options
    assert taker.prints(body) == PicturePrints(
        facts.pixel_sha256, facts.pdq, facts.pdq_quality, prints.trimmed, prints.frames, decoder_version()
    )


def test_too_little_in_a_picture_has_a_digest_and_no_frames(taker: PrintTaker) -> None:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(file, "PNG")
    found = taker.prints(file.getvalue())
    assert found.pixel_sha256
    assert not found.pdq_frames


@pytest.mark.parametrize("body", [b"", b"hello", photograph()[:900], b"\xff\xd8\xff" + bytes(500)])
def test_what_is_no_picture_has_none(taker: PrintTaker, body: bytes) -> None:
    with pytest.raises(DecodeError):
        taker.prints(body)
    assert asyncio.run(later(body)) is None


async def later(body: bytes) -> PicturePrints | None:
    printer = Printer(Network())
    try:
        return await printer.of(body)
    finally:
        printer.close()


def test_the_loop_goes_on_meanwhile() -> None:
    async def both() -> tuple[list[PicturePrints | None], int]:
        printer, turns = Printer(Network()), 0
        waiting = asyncio.gather(*(printer.of(photograph(seed)) for seed in range(4)))
        while not waiting.done():
            await asyncio.sleep(0.005)
            turns += 1
        printer.close()
        return await waiting, turns

    found, turns = asyncio.run(both())
    assert len({one.pdq for one in found if one is not None}) == 4
    assert turns > 3


@pytest.mark.parametrize(
    ("reply", "payload"),
    [
        ({}, b""),
        ({"pixel_sha256": "ab" * 32, "pdq": "cd" * 32, "pdq_quality": 90, "pdq_trimmed": ""}, b"x"),
        ({"pixel_sha256": "no", "pdq": "cd" * 32, "pdq_quality": 90, "pdq_trimmed": ""}, b""),
        ({"pixel_sha256": "ab" * 32, "pdq": "cd" * 32, "pdq_quality": None, "pdq_trimmed": ""}, b""),
    ],
)
def test_a_child_that_lies_is_no_fingerprint(
    taker: PrintTaker, monkeypatch: pytest.MonkeyPatch, reply: dict[str, object], payload: bytes
) -> None:
    monkeypatch.setattr(taker, "ask", lambda head, body, most: (reply, bytearray(payload)))
    with pytest.raises(DecodeError):
        taker.prints(photograph())


def test_what_breaks_unforeseen_is_told_and_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: PrintTaker, body: bytes) -> None:
        raise RuntimeError("no such thread")

    monkeypatch.setattr(PrintTaker, "prints", broken)
    printer = Printer(Network())
    try:
        assert asyncio.run(printer.of(b"")) is None
    finally:
        printer.close()
    assert isinstance(printer.error, KyodakuError)
    assert "RuntimeError: no such thread" in str(printer.error)


def test_where_no_child_can_start_somebody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken() -> Printer:
        printer = Printer(Network())
        assert await printer.of(photograph()) is None
        printer.close()
        return printer

    monkeypatch.setattr(sys, "executable", "/bin/false")
    found = asyncio.run(broken())
    assert isinstance(found.error, KyodakuError)
    assert "fingerprinter" in str(found.error)
