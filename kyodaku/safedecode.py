"""Decoding pictures from strangers: in a child process that has little memory, little time and no files.

The parent looks only at magic bytes and at the size a header announces; everything else, decoding,
digests, re-encoding, happens in `kyodaku._decode_child`. A child that dies, hangs or runs out of
memory is replaced, and its picture is an error with a reason, never a guess.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from kyodaku.children import ChildGone, ChildPool, Trade
from kyodaku.errors import DecodeError
from kyodaku.fingerprint import Pixels
from kyodaku.imagehead import DECODABLE, header_size, sniff
from kyodaku.orientation import DISPUTED, as_stored
from kyodaku.reasons import FailReason

__all__ = [
    "DECODABLE",
    "DecodeLimits",
    "Decoded",
    "Encoded",
    "ImageFacts",
    "PixelDigest",
    "SafeDecoder",
    "Shown",
    "check_header",
    "header_size",
    "sniff",
]


@dataclass(frozen=True)
class DecodeLimits:
    """What one picture may cost.

    `max_pixels` counts width x height, `max_frames` an animation's frames (only the first is decoded),
    `cpu_seconds` whole seconds of the child's processor time, `wall_seconds` the parent's patience,
    `memory_bytes` what the child may allocate beyond its own code, by default what decoding, turning
    and sending `max_pixels` takes.
    """

    max_bytes: int = 20_000_000
    max_pixels: int = 50_000_000
    max_frames: int = 1000
    cpu_seconds: int = 20
    wall_seconds: float = 60.0
    memory_bytes: int | None = None
    formats: frozenset[str] = frozenset({"jpeg", "png", "webp", "gif"})

    def __post_init__(self) -> None:
        if not self.formats <= DECODABLE:
            raise ValueError(f"cannot decode {', '.join(sorted(self.formats - DECODABLE))}")

    @property
    def memory(self) -> int:
        """The memory limit in bytes."""
        return (1 << 28) + 20 * self.max_pixels if self.memory_bytes is None else self.memory_bytes


@dataclass(frozen=True)
class ImageFacts:
    """What is in a picture, once decoded.

    `format` as `sniff` names it; `mode` Pillow's name for the stored samples; `width` and `height` in
    pixels after `orientation` (1 to 8, as viewers follow it: `kyodaku.orientation`) was applied; `frames` 1
    for a still; `has_alpha` True if any pixel is not opaque; `icc` the embedded profile's description, ""
    without one;
    `pixel_sha256` over the upright sRGB pixels, with alpha if `has_alpha`; `pdq` as 64 hex digits.
    """

    format: str
    mode: str
    width: int
    height: int
    frames: int
    orientation: int
    has_alpha: bool
    icc: str
    pixel_sha256: str
    pdq: str
    pdq_quality: int


@dataclass(frozen=True, eq=False)
class Shown:
    """Pixels that some viewers show, uint8 (h, w, 3), and the orientation that would bring them upright."""

    pixels: Pixels
    orientation: int


@dataclass(frozen=True, eq=False)
class Decoded(ImageFacts):
    """Facts and `pixels`: uint8 (height, width, 3), sRGB, upright, transparency over white.

    `over_black`: the same with transparency over black; None where every pixel is opaque. What can be told
    apart over any ground can be over one of the two, since a difference between two pixels is a linear
    function of the ground.
    """

    pixels: Pixels
    over_black: Pixels | None = None

    @property
    def held(self) -> int:
        """How many pixels are in memory."""
        return self.width * self.height * (1 if self.over_black is None else 2)

    def otherwise(self) -> Iterator[Shown]:
        """How else viewers show this file, made one by one: over black, and as it is stored where not every
        viewer turns it (`kyodaku.orientation`)."""
        if self.over_black is not None:
            yield Shown(self.over_black, 1)
        if self.format in DISPUTED and self.orientation != 1:
            for pixels in (self.pixels, self.over_black):
                if pixels is not None:
                    yield Shown(as_stored(pixels, self.orientation), self.orientation)


@dataclass(frozen=True)
class PixelDigest:
    """What two files of the same picture share: upright size and `pixel_sha256`, as in ImageFacts."""

    width: int
    height: int
    pixel_sha256: str


@dataclass(frozen=True)
class Encoded:
    """A picture encoded anew as JPEG: quality 95, 4:4:4, sRGB, upright, no metadata."""

    body: bytes
    width: int
    height: int


def check_header(body: bytes, limits: DecodeLimits) -> str:
    """The format of `body`, if its size, format and announced pixels are within `limits`. No decoding.

    Raises DecodeError.
    """
    if len(body) > limits.max_bytes:
        raise DecodeError(f"{len(body)} bytes, {limits.max_bytes} are allowed", FailReason.TOO_LARGE)
    kind = sniff(body)
    if kind is None:
        raise DecodeError("the bytes are not an image", FailReason.NOT_AN_IMAGE)
    if kind not in limits.formats:
        raise DecodeError(f"format {kind} is not allowed", FailReason.FORMAT_NOT_ALLOWED)
    size = header_size(body)
    if size is not None and size[0] * size[1] > limits.max_pixels:
        raise DecodeError(f"the header announces {size[0]} x {size[1]} pixels", FailReason.PIXEL_BOMB)
    return kind


# --- the pool ---------------------------------------------------------------------------------------


class SafeDecoder(ChildPool):
    """A pool of decoding children; a context manager. Its methods may be called from any thread.

    A call blocks until one of `workers` children is free. Children start when first needed; one that
    cannot start at all (a missing library) is a KyodakuError, since no picture is to blame.
    """

    def __init__(self, limits: DecodeLimits | None = None, workers: int = 1) -> None:
        self.limits = limits or DecodeLimits()
        trade = Trade(
            module="kyodaku._decode_child",
            name="decoder",
            doing="decoding",
            cpu_seconds=self.limits.cpu_seconds,
            wall_seconds=self.limits.wall_seconds,
            memory_bytes=self.limits.memory,
            options={"max_pixels": self.limits.max_pixels, "max_frames": self.limits.max_frames},
        )
        super().__init__(trade, workers)

    def inspect(self, body: bytes) -> ImageFacts:
        """Decode `body` in a child and return the facts only. Raises DecodeError."""
        reply, _ = self._ask("inspect", body, {}, 0)
        return ImageFacts(**_typed(reply, ImageFacts))

    def decode(self, body: bytes) -> Decoded:
        """Decode `body` in a child: facts and pixels. Raises DecodeError."""
        reply, raw = self._ask("decode", body, {}, 6 * self.limits.max_pixels)
        facts = _typed(reply, ImageFacts)
        shape = (2 if facts["has_alpha"] else 1, facts["height"], facts["width"], 3)
        if min(shape) < 1 or len(raw) != math.prod(shape):
            raise DecodeError("the decoder sent no whole picture", FailReason.UNDECODABLE)
        seen = np.frombuffer(raw, np.uint8).reshape(shape)
        return Decoded(**facts, pixels=seen[0], over_black=seen[1] if facts["has_alpha"] else None)

    def pixel_digest(self, body: bytes) -> PixelDigest:
        """Decode `body` in a child and return only what identifies its pixels: quicker than `inspect`.

        Raises DecodeError.
        """
        reply, _ = self._ask("digest", body, {}, 0)
        return PixelDigest(**_typed(reply, PixelDigest))

    def encode_jpeg(self, body: bytes, max_side: int | None = None) -> Encoded:
        """Decode `body` and encode it anew, Lanczos-resized if a side exceeds `max_side` pixels.

        The same bytes and decoder give the same bytes. Raises DecodeError.
        """
        options = {"max_side": max_side}
        reply, raw = self._ask("encode", body, options, 6 * self.limits.max_pixels + (1 << 20))
        return Encoded(bytes(raw), int(reply["width"]), int(reply["height"]))

    def _ask(
        self, task: str, body: bytes, options: Mapping[str, object], max_payload: int
    ) -> tuple[dict[str, Any], bytearray]:
        if self._closed:
            raise RuntimeError("the decoder is closed")
        head = {"task": task, "format": check_header(body, self.limits), **options}
        try:
            reply, payload = self.ask(head, body, max_payload)
        except ChildGone as gone:
            raise DecodeError(str(gone), FailReason.UNDECODABLE) from gone
        if "error" in reply:
            raise _decode_error(reply)
        return reply, payload


def _typed(reply: Mapping[str, Any], kind: type[ImageFacts] | type[PixelDigest]) -> dict[str, Any]:
    """The fields of `kind` in a reply, each of its declared type: the child is not trusted.

    Raises DecodeError.
    """
    types = {"str": str, "int": int, "bool": bool}
    found: dict[str, Any] = {}
    for field in fields(kind):
        value = reply.get(field.name)
        if type(value) is not types[str(field.type)]:
            raise DecodeError("the decoder sent no facts", FailReason.UNDECODABLE)
        found[field.name] = value
    return found


def _decode_error(reply: Mapping[str, Any]) -> DecodeError:
    known = {reason.value: reason for reason in FailReason}
    reason = known.get(reply["error"], FailReason.UNDECODABLE)
    return DecodeError(str(reply.get("message", ""))[:300], reason)
