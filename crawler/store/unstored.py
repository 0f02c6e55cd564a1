"""Fingerprints of images whose bytes came and were refused or held, on their way to `unstored/`."""

from __future__ import annotations

from dataclasses import astuple
from itertools import islice

import pyarrow as pa

from crawler.store.store import Store
from kyodaku.fingerprint import uid_of
from kyodaku.prints import PicturePrints
from kyodaku.records import UNSTORED
from kyodaku.runs import RunFolder
from kyodaku.shards import write_parquet

#: Rows of one file.
ROWS = 10_000

#: What a request still speaks of: an address may have given other bytes when it was asked again, and what was
#: stored after all has a row of ANNOTATIONS.
_UNSTORED = """
SELECT sha256, pixel_sha256, pdq, pdq_quality, pdq_trimmed, pdq_frames, decoder FROM unstored
WHERE sha256 IN (SELECT sha256 FROM requests WHERE kind = 2)
  AND sha256 NOT IN (SELECT sha256 FROM raw WHERE status = 'success')
ORDER BY sha256
"""


def keep_prints(store: Store, sha256: str, prints: PicturePrints) -> None:
    """Write down the fingerprints of bytes that are not kept, in the open transaction."""
    store.write("INSERT OR REPLACE INTO unstored VALUES (?, ?, ?, ?, ?, ?, ?)", (sha256, *astuple(prints)))


def export_prints(run: RunFolder, store: Store) -> int:
    """Write what is known of images that are not stored; the number of files, 0 where there is none."""
    rows = store.stream(_UNSTORED)
    number = 0
    while part := [_row(row) for row in islice(rows, ROWS)]:
        run.unstored.mkdir(exist_ok=True)
        write_parquet(pa.Table.from_pylist(part, schema=UNSTORED), run.unstored / f"{number:05d}.parquet")
        number += 1
    return number


def _row(row: tuple[object, ...]) -> dict[str, object]:
    return {"uid": uid_of(str(row[0])), **dict(zip(UNSTORED.names[1:], row, strict=True))}
