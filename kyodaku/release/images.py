"""Pictures as they are released: pixels kept, metadata reduced to rights, credit and orientation.

A JPEG keeps its tables and entropy-coded data byte for byte, as far as any pixel needs them. Everything
else becomes a JPEG, unless the recipe says `original`. Whatever is kept is decoded before and after, and
must give the same pixels. Only what was looked at is released: one picture, transparency over white.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from kyodaku.errors import DecodeError
from kyodaku.orientation import DISPUTED
from kyodaku.reasons import FailReason
from kyodaku.release import containers
from kyodaku.release.scrub import ExifValue, Metadata, clean
from kyodaku.safedecode import PixelDigest, SafeDecoder

#: So many bytes at the end of a JPEG's data are tried for whether any pixel needs them. Of fewer the last
#: ones may by chance matter to none.
_PROBE = 8
#: So many of them stay, since the last codes of a scan may matter to no pixel and still belong to it.
_SPARED = 3
_EXTENSIONS = {"jpeg": "jpg", "png": "png", "webp": "webp", "gif": "gif"}


@dataclass(frozen=True)
class ReleasedImage:
    """A picture ready for a shard.

    `ext` without a dot; `width` and `height` of the upright picture in pixels; `exif` what was kept, by
    tag name; `changed_pixels` True if the picture was encoded anew.
    """

    body: bytes
    ext: str
    width: int
    height: int
    exif: dict[str, ExifValue]
    changed_pixels: bool


def rewrite_for_release(
    body: bytes,
    fmt: str,
    *,
    policy: Literal["jpeg", "original"],
    max_side: int | None,
    decoder: SafeDecoder,
) -> ReleasedImage:
    """`body`, a picture of format `fmt` (as `safedecode.sniff` names it), as it may be published.

    `policy` "jpeg": JPEGs keep their pixels, other formats become JPEG (quality 95, 4:4:4, sRGB, upright,
    transparency over white). "original": every format keeps its pixels, which TIFF and AVIF cannot; but a
    file with further frames, with a pixel that is not opaque, or that only some viewers turn upright (a PNG
    or WebP with an orientation) becomes JPEG as well: what is released shows to everybody what was looked at.
    Further pictures in a JPEG are left out. A picture with a side above `max_side` (None or 0: no limit) is
    resized and encoded as JPEG.
    The same bytes give the same bytes. Raises DecodeError; nothing is ever returned unscrubbed.
    """
    try:
        if policy == "jpeg" and fmt != "jpeg":
            return _encode_anew(body, fmt, max_side or None, decoder)
        before, looked_at_whole = _before(body, fmt, decoder)
        too_large = max_side and max(before.width, before.height) > max_side
        if too_large or not looked_at_whole:
            return _encode_anew(body, fmt, max_side or None, decoder)
        return _keep_pixels(body, fmt, before, decoder)
    except ValueError as error:
        raise DecodeError(f"cannot be rewritten: {error}", FailReason.UNDECODABLE) from error


def _before(body: bytes, fmt: str, decoder: SafeDecoder) -> tuple[PixelDigest, bool]:
    """What identifies the pixels, and whether they are all that the file shows to anybody."""
    if fmt == "jpeg":  # it has no transparency, and a second picture lies behind its end
        return decoder.pixel_digest(body), True
    facts = decoder.inspect(body)
    digest = PixelDigest(facts.width, facts.height, facts.pixel_sha256)
    one_way_up = facts.orientation == 1 or fmt not in DISPUTED
    return digest, facts.frames == 1 and not facts.has_alpha and one_way_up


def _encode_anew(body: bytes, fmt: str, max_side: int | None, decoder: SafeDecoder) -> ReleasedImage:
    encoded = decoder.encode_jpeg(body, max_side)
    metadata = clean(_metadata(body, fmt), upright=True)
    finished = containers.write_jpeg(containers.read_jpeg(encoded.body), metadata)
    return ReleasedImage(finished, "jpg", encoded.width, encoded.height, metadata.values, True)


def _metadata(body: bytes, fmt: str) -> Metadata:
    """What credit there is to carry over; a decoder may have forgiven what our readers do not."""
    readers: dict[str, Callable[[bytes], containers.JpegParts | containers.ChunkParts]] = {
        "jpeg": containers.read_jpeg,
        "png": containers.read_png,
        "webp": containers.read_webp,
    }
    try:
        return readers[fmt](body).metadata if fmt in readers else Metadata()
    except ValueError:
        return Metadata()


def _keep_pixels(body: bytes, fmt: str, before: PixelDigest, decoder: SafeDecoder) -> ReleasedImage:
    scrubbed, values = _scrub_jpeg(body, before, decoder) if fmt == "jpeg" else _scrub(body, fmt)
    if decoder.pixel_digest(scrubbed) != before:
        raise ValueError("its pixels would change")
    return ReleasedImage(scrubbed, _EXTENSIONS[fmt], before.width, before.height, values, False)


def _scrub_jpeg(body: bytes, before: PixelDigest, decoder: SafeDecoder) -> tuple[bytes, dict[str, ExifValue]]:
    parts = containers.read_jpeg(body)
    metadata = clean(parts.metadata)

    def unused(count: int) -> bool:
        """True if no pixel depends on the last `count` bytes."""
        spoilt = containers.write_jpeg(containers.spoil_jpeg(parts, count), metadata)
        try:
            return decoder.pixel_digest(spoilt) == before
        except DecodeError:
            return False

    needed = containers.cut_jpeg(parts, _tail(parts.last_scan, unused))
    return containers.write_jpeg(needed, metadata), metadata.values


def _tail(size: int, unused: Callable[[int], bool]) -> int:
    """How many of `size` bytes at the end are for nothing, as `unused` tells; 0 if fewer than _PROBE are."""
    if size < _PROBE or not unused(_PROBE):
        return 0
    known, beyond = _PROBE, min(2 * _PROBE, size)
    while beyond > known and unused(beyond):
        known, beyond = beyond, min(2 * beyond, size)
    while beyond - known > 1:
        middle = (known + beyond) // 2
        known, beyond = (middle, beyond) if unused(middle) else (known, middle)
    return known - _SPARED


def _scrub(body: bytes, fmt: str) -> tuple[bytes, dict[str, ExifValue]]:
    """Without an orientation: what is kept here is upright as it is stored."""
    if fmt == "png":
        png = containers.read_png(body)
        metadata = clean(png.metadata, upright=True)
        return containers.write_png(png, metadata), metadata.values
    if fmt == "webp":
        webp = containers.read_webp(body)
        metadata = clean(webp.metadata, upright=True)
        return containers.write_webp(webp, metadata), metadata.values
    if fmt == "gif":
        return containers.scrub_gif(body), {}
    raise DecodeError(f"{fmt} cannot be cleaned; use shards.images = 'jpeg'", FailReason.FORMAT_NOT_ALLOWED)
