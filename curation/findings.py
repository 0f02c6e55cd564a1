"""Reading what annotators found: the only way that filters and objections see it.

Nobody can mistake "nobody looked" for "nothing was found": `finding` raises Unseen unless somebody looked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from curation.annotators.base import Finding, Status
from kyodaku.errors import RecordError
from kyodaku.records import ANNOTATIONS
from kyodaku.release.tables import iter_rows, read_table, shard_names
from kyodaku.runs import RunFolder

#: One row of ANNOTATIONS; its `findings` are a mapping from the annotator's name to its Finding.
Annotation = Mapping[str, Any]


class Unseen(Exception):
    """There is no finding of this annotator that says anything: `status` is failed or unknown."""

    def __init__(self, annotator: str, status: Status) -> None:
        self.annotator = annotator
        self.status = status
        super().__init__(f"{annotator}: {status}")


def finding(annotation: Annotation, annotator: str) -> Finding:
    """What an annotator found. Raises Unseen if it broke, could not tell, or never looked."""
    found = annotation["findings"].get(annotator)
    if found is None:
        raise Unseen(annotator, Status.FAILED)
    if found.status is not Status.OK:
        raise Unseen(annotator, found.status)
    return found  # type: ignore[no-any-return]


def enlarged_by(annotation: Annotation) -> float:
    """How many times each side was enlarged, as `detail` found; 1 where it was not, or nobody could tell."""
    try:
        found = finding(annotation, "detail")
    except Unseen:
        return 1.0
    return found.values["factor"] if found.level == "enlarged" else 1.0


def annotation_shards(run: RunFolder) -> dict[str, str]:
    """uid -> the shard of annotations that it stands in."""
    return {
        uid: shard
        for shard in shard_names(run.annotations)
        for uid in read_table(run.annotations / f"{shard}.parquet", ANNOTATIONS, ["uid"])["uid"].to_pylist()
    }


def annotations_of(run: RunFolder, shard: str, uids: Collection[str]) -> Iterator[Annotation]:
    """The annotations of some images of one shard. Raises RecordError as `iter_annotations`."""
    path = run.annotations / f"{shard}.parquet"
    table = read_table(path, ANNOTATIONS)
    mask = pc.is_in(table["uid"], value_set=pa.array(sorted(uids), pa.string()))
    yield from (_annotation(row, path) for row in table.filter(mask).to_pylist())


def iter_annotations(run: RunFolder) -> Iterator[Annotation]:
    """Every annotation of a run. Raises RecordError for a finding that this version does not know."""
    for shard, rows in iter_rows(run.annotations, ANNOTATIONS):
        for row in rows:
            yield _annotation(row, run.annotations / f"{shard}.parquet")


def _annotation(row: Mapping[str, Any], path: Path) -> Annotation:
    try:
        found = [Finding.from_row(item) for item in row["findings"]]
    except ValueError as error:
        raise RecordError(f"{path}: {error}") from error
    return {**row, "findings": {item.annotator: item for item in found}}
