"""A picture somebody holds in hand: who made the released pictures that it is a copy of, and what an
opt-out file has to say of it.

Needs the packages of the extra `match`. Pixels are decoded in a child, and stored nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kyodaku.copies import CopyPrints, copy_prints, is_matchable, opted_out_cuts
from kyodaku.errors import DecodeError, RecordError, UsageError
from kyodaku.fingerprint import sha256_bytes, uid_of
from kyodaku.matching import PictureIndex, forms_of
from kyodaku.records import ATTRIBUTION
from kyodaku.release.pictures import ReleasedPictures, released_pictures
from kyodaku.release.tables import read_table
from kyodaku.safedecode import DECODABLE, DecodeLimits, SafeDecoder

_MAX_FILE = 200 * 10**6
_LIMITS = DecodeLimits(max_bytes=_MAX_FILE, max_pixels=150_000_000, formats=DECODABLE)
_OWED = ["uid", "creator", "licence", "licence_url", "credit", "creator_images"]


@dataclass(frozen=True)
class InHand:
    """A file: digests of its bytes and pixels, its PDQ hash and quality, and what finds its copies:
    `prints` where it is looked for, `cuts` where it is listed."""

    path: Path
    sha256: str
    pixel_sha256: str
    pdq: str
    quality: int
    prints: CopyPrints
    cuts: tuple[str, ...]

    @property
    def matchable(self) -> bool:
        """False for a picture with too little in it: only equal bytes and pixels can be found."""
        return bool(self.prints.frames)


@dataclass(frozen=True)
class Match:
    """A released picture. `distance` in bits of 256; `near` says whether that makes it a copy. `transform` is
    what was done to the picture in hand to find it, "" for nothing."""

    uid: str
    near: bool
    distance: int
    transform: str
    shard: str
    url: str
    page_url: str
    creator: str
    licence: str
    licence_url: str
    credit: str
    creator_images: int


@contextmanager
def reader() -> Iterator[SafeDecoder]:
    """Decodes pictures in hand, in a child that has little memory and little time."""
    with SafeDecoder(_LIMITS) as decoder:
        yield decoder


def read(path: Path, decoder: SafeDecoder) -> InHand:
    """A file as its fingerprints. Raises UsageError for one that cannot be read or is no picture."""
    try:
        if not path.is_file():
            raise UsageError(f"{path} is no file")
        if path.stat().st_size > _MAX_FILE:
            raise UsageError(f"{path}: larger than {_MAX_FILE // 10**6} MB")
        body = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        decoded = decoder.decode(body)
    except DecodeError as error:
        raise UsageError(f"{path}: {error}") from error
    prints = copy_prints(decoded.pixels, decoded.pdq, decoded.pdq_quality)
    cuts = tuple(opted_out_cuts(decoded.pixels, prints))
    whole = (decoded.pixel_sha256, decoded.pdq, decoded.pdq_quality)
    return InHand(path, sha256_bytes(body), *whole, prints, cuts)


# --- against a release ----------------------------------------------------------------------------------


def find(picture: InHand, folder: Path, count: int) -> list[Match]:
    """The `count` released pictures nearest to one, those that are no copies too, nearest first.

    Reads `index.parquet` and `attribution.parquet` of `folder`, nothing else. Raises RecordError for files
    that are missing or damaged.
    """
    released = released_pictures(folder)
    found = _equal(picture, released)
    if picture.matchable and len(released.prints.codes):
        copies = PictureIndex(released.prints).nearest_to(picture.prints.frames, count + len(found))
        known = {place for place, *_ in found}
        found += [
            (place, int(copies.distances[row]), copies.words(row), bool(copies.near[row]))
            for row, place in enumerate(copies.found.tolist())
            if place not in known
        ]
    found = found[:count]
    owed = _attribution(folder, {released.rows[place]["uid"] for place, *_ in found})
    return [
        _match(released.rows[place], owed, distance, words, near) for place, distance, words, near in found
    ]


def _equal(picture: InHand, released: ReleasedPictures) -> list[tuple[int, int, str, bool]]:
    found = {}
    for words, place in (
        ("same pixels", released.by_pixels.get(picture.pixel_sha256)),
        ("same bytes", released.by_uid.get(uid_of(picture.sha256))),
    ):
        if place is not None:
            found[place] = (place, 0, words, True)
    return list(found.values())


def _attribution(folder: Path, uids: set[str]) -> dict[str, dict[str, Any]]:
    path = folder / "attribution.parquet"
    rows = read_table(path, ATTRIBUTION, _OWED).to_pylist()
    owed = {row["uid"]: row for row in rows if row["uid"] in uids}
    if uids - set(owed):
        raise RecordError(f"{path} lacks pictures of the index; kyodaku verify tells what else is wrong")
    return owed


def _match(row: Any, owed: dict[str, dict[str, Any]], distance: int, words: str, near: bool) -> Match:
    credit = {name: value for name, value in owed[row["uid"]].items() if name != "uid"}
    return Match(
        uid=row["uid"],
        near=near,
        distance=distance,
        transform=words,
        shard=row["shard"],
        url=row["url"],
        page_url=row["page_url"],
        **credit,
    )


# --- for an opt-out file --------------------------------------------------------------------------------


def opt_out_line(picture: InHand, note: str = "") -> dict[str, Any]:
    """The object that names this picture in an opt-out file (`kyodaku.optouts`): its near copies too, unless
    there is too little in it to tell them from other pictures."""
    line: dict[str, Any] = {"sha256": picture.sha256, "pixel_sha256": picture.pixel_sha256}
    if picture.matchable:
        plain = picture.pdq if is_matchable(picture.prints.frames) else ""
        line["pdq"] = [text for _, text in forms_of(plain, picture.prints.trimmed)]
        line["pdq_cuts"] = list(picture.cuts)
    line["pdq_quality"] = max(picture.quality, picture.prints.trimmed_quality)
    return line | ({"note": note} if note else {})
