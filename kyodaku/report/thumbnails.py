"""Small pictures for the reports, made in the limited child, and only of images that may be looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from kyodaku.errors import DecodeError, RecordError
from kyodaku.reasons import Verdict
from kyodaku.recipe import Recipe
from kyodaku.report.data import Row, RunFacts, StoredImage
from kyodaku.report.summary import SHOWABLE, Summary
from kyodaku.safedecode import DecodeLimits, SafeDecoder
from kyodaku.shards import read_member

#: Longest side of a thumbnail, in pixels.
SIDE = 160


@dataclass(frozen=True)
class Thumbnail:
    """A small JPEG."""

    jpeg: bytes
    width: int
    height: int


class Thumbnailer:
    """Makes thumbnails; a context manager around its decoding child. A picture that cannot be decoded has
    none."""

    def __init__(self, recipe: Recipe) -> None:
        network = recipe.network
        self._decoder = SafeDecoder(
            DecodeLimits(
                max_bytes=network.max_image,
                max_pixels=network.max_pixels,
                max_frames=network.max_frames,
                formats=frozenset(network.formats) | {"jpeg"},
            )
        )

    def make(self, body: bytes, side: int = SIDE) -> Thumbnail | None:
        """The image of these bytes within `side` pixels, or None."""
        try:
            encoded = self._decoder.encode_jpeg(body, side)
        except DecodeError:
            return None
        return Thumbnail(encoded.body, encoded.width, encoded.height)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._decoder.close()


class Showable:
    """Which images of a run may be shown: allowed by a decision, still on the disk, and no copy of their
    bytes or pixels refused, held or purged anywhere. Anything doubtful is not shown."""

    def __init__(self, facts: RunFacts, summary: Summary, rows: Iterable[Row]) -> None:
        """`rows` are all that will be asked about."""
        self._barred = summary.barred_uids
        self._barred_pixels = set(facts.pixels(self._barred).values())
        self._pixels = facts.pixels({row.uid for row in rows if row.uid})

    def __contains__(self, row: Row) -> bool:
        return (
            row.verdict == Verdict.ALLOW
            and row.outcome in SHOWABLE
            and not row.purged
            and row.uid != ""
            and row.uid not in self._barred
            and self._pixels.get(row.uid, "") not in self._barred_pixels
        )


def thumbnails(
    facts: RunFacts, rows: Iterable[Row], showable: Showable, maker: Thumbnailer
) -> dict[str, Thumbnail]:
    """Thumbnails by uid of those `rows` that may be shown and whose bytes are still there."""
    wanted = {row.uid for row in rows if row in showable}
    made: dict[str, Thumbnail] = {}
    for uid, place in facts.stored(wanted).items():
        body = stored_bytes(place)
        thumbnail = maker.make(body) if body is not None else None
        if thumbnail is not None:
            made[uid] = thumbnail
    return made


def stored_bytes(place: StoredImage) -> bytes | None:
    """The bytes of a raw image, if they are there and are the ones recorded."""
    if place.status != "success" or place.offset < 0 or not place.tar.is_file():
        return None
    try:
        body = read_member(place.tar, place.offset, place.bytes)
    except RecordError:
        return None
    return body if hashlib.sha256(body).hexdigest() == place.sha256 else None
