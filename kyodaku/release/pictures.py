"""The pictures of a published release as something to look in: its `index.parquet` and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kyodaku.errors import RecordError
from kyodaku.matching import Prints, forms_of
from kyodaku.records import INDEX
from kyodaku.release.tables import read_table

_COLUMNS = [
    "uid",
    "shard",
    "pixel_sha256",
    "pdq",
    "pdq_quality",
    "pdq_trimmed",
    "pdq_cuts",
    "url",
    "page_url",
]


@dataclass(frozen=True)
class ReleasedPictures:
    """One release: its pictures in the order of its index, their prints, and where each digest stands."""

    folder: Path
    rows: Sequence[Mapping[str, Any]]
    prints: Prints
    by_uid: Mapping[str, int]
    by_pixels: Mapping[str, int]


def released_pictures(folder: Path) -> ReleasedPictures:
    """Read the index of a release. Raises RecordError for one that is missing or damaged."""
    path = folder / "index.parquet"
    rows: list[dict[str, Any]] = read_table(path, INDEX, _COLUMNS).to_pylist()
    hashes = []
    for place, row in enumerate(rows):
        if any(row[name] is None for name in _COLUMNS):
            raise RecordError(f"{path}: a row is not whole; kyodaku verify tells what else is wrong")
        pdq = row["pdq"] if row["pdq_cuts"] else ""  # a picture that is not matched has no cuts either
        for form, text in forms_of(pdq, row["pdq_trimmed"], row["pdq_cuts"]):
            hashes.append((place, form, text))
    try:
        prints = Prints.of(hashes)
    except (ValueError, TypeError) as error:
        raise RecordError(f"{path}: {error}; kyodaku verify tells what else is wrong") from error
    return ReleasedPictures(
        folder,
        rows,
        prints,
        {row["uid"]: place for place, row in enumerate(rows)},
        {row["pixel_sha256"]: place for place, row in enumerate(rows) if row["pixel_sha256"]},
    )
