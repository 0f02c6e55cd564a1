"""Reading what annotators found: the only way that filters and objections see it.

Nobody can mistake "nobody looked" for "nothing was found": `finding` raises Unseen unless somebody looked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from curation.annotators.base import Finding, Status
from kyodaku.errors import RecordError
from kyodaku.records import ANNOTATIONS
from kyodaku.release.tables import iter_rows
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


def iter_annotations(run: RunFolder) -> Iterator[Annotation]:
    """Every annotation of a run. Raises RecordError for a finding that this version does not know."""
    for shard, rows in iter_rows(run.annotations, ANNOTATIONS):
        for row in rows:
            try:
                found = [Finding.from_row(item) for item in row["findings"]]
            except ValueError as error:
                raise RecordError(f"{run.annotations}/{shard}.parquet: {error}") from error
            yield {**row, "findings": {item.annotator: item for item in found}}
