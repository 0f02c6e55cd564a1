"""What annotators say of the cases: asked once, kept in a file, asked again only when something changed.

A run can be cut off and goes on where it was. A finding is kept as long as its annotator's version and the
code that made its picture are the same; an annotator that is new, or has new weights, looks alone.
"""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from benchmarks.detectors.sets import SETS, Case, TestSet
from benchmarks.detectors.sources import Grounds
from benchmarks.detectors.views import VIEWS
from curation.annotators.base import RESTS_ON, Annotator, Finding, Picture, look_at_all
from curation.annotators.registry import BUILT
from curation.steps import code_digest, digest
from kyodaku.recipe import Annotators
from kyodaku.safedecode import DecodeLimits, SafeDecoder

#: Annotators that need a model of the user's; nothing is shipped that could be measured.
_NEEDS_A_MODEL = frozenset({"embedding", "aesthetic", "harmful", "faces"})

Row = dict[str, Any]


@dataclass(frozen=True)
class Looked:
    """One case in one column: size in pixels, and by annotator what it found."""

    case: Case
    view: str
    width: int
    height: int
    findings: Mapping[str, Finding]


@lru_cache(maxsize=1)
def built() -> dict[str, Annotator]:
    """Every annotator that is shipped with all it needs, by name, in the order they look."""
    section = Annotators()
    return {name: build(section) for name, build in BUILT.items() if name not in _NEEDS_A_MODEL}


def asked(test: TestSet, only: Collection[str] = ()) -> list[Annotator]:
    """Who looks at the pictures of a set; of these `only` some, if given."""
    wanted = [one for name, one in built().items() if not test.annotators or name in test.annotators]
    return [one for one in wanted if not only or one.name in only]


def look(
    folder: Path,
    pool: Path,
    test: TestSet,
    share: float,
    workers: Executor,
    views: Collection[str] = VIEWS,
    only: Collection[str] = (),
) -> Iterator[tuple[int, int]]:
    """Look at what nobody looked at yet, in `views`; yields (done, all) after each case. Results go to
    `folder`. Annotators that are not among `only` (empty: all) wait for another run."""
    known = _read(folder, test)
    cases = list(test.cases(share))
    made = _made(test, _grounds(pool))
    versions = {one.name: one.version for one in asked(test)}
    names = {one.name for one in asked(test, only)}
    todo = []
    for case in cases:
        wanted = [view for view in test.views_of(case) if view in views]
        rows = {view: _fit(known.get((case.key, view)), made, versions) for view in wanted}
        if any(names - row["findings"].keys() for row in rows.values()):
            todo.append((case, rows))
    done = len(cases) - len(todo)
    yield done, len(cases)
    if not todo:
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{test.name}.jsonl").open("a") as out:
        running = [workers.submit(_look_at, case, rows, pool, made, tuple(only)) for case, rows in todo]
        for future in as_completed(running):
            out.write("".join(json.dumps(row) + "\n" for row in future.result()))
            out.flush()
            done += 1
            yield done, len(cases)


def looked(folder: Path, pool: Path, test: TestSet, earlier: bool = False) -> list[Looked]:
    """What was found so far, by the annotators and on the pictures of today; with `earlier`, also by earlier
    versions of the annotators."""
    made, versions = _made(test, _grounds(pool)), {one.name: one.version for one in asked(test)}
    known = _read(folder, test)
    found = []
    for case in test.cases(1.0):
        for view in test.views_of(case):
            kept = known.get((case.key, view))
            then = {name: item["version"] for name, item in kept["findings"].items()} if kept else {}
            row = _fit(kept, made, then if earlier else versions)
            if row["findings"]:
                findings = {name: Finding.from_row(item) for name, item in row["findings"].items()}
                found.append(Looked(case, view, row["width"], row["height"], findings))
    return found


def _made(test: TestSet, grounds: Grounds) -> str:
    return digest([code_digest(*test.modules), grounds.digest])[:16]


def _fit(row: Row | None, made: str, versions: Mapping[str, str]) -> Row:
    """What of a kept row still holds."""
    if row is None or row["made"] != made:
        return {"findings": {}}
    findings: Row = {}
    for name, version in versions.items():  # in the order they look
        item = row["findings"].get(name)
        rests = RESTS_ON.get(name, ())
        if item and item["version"] == version and all(one in findings for one in rests if one in versions):
            findings[name] = item
    return {**row, "findings": findings}


def _read(folder: Path, test: TestSet) -> dict[tuple[str, str], Row]:
    """By case and column; a later line stands for an earlier one, and a line that was cut off for none."""
    path = folder / f"{test.name}.jsonl"
    rows: dict[tuple[str, str], Row] = {}
    for line in path.read_text().splitlines() if path.is_file() else ():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        rows[row["case"], row["view"]] = row
    return rows


def _look_at(
    case: Case, rows: Mapping[str, Row], pool: Path, made: str, only: Collection[str] = ()
) -> list[Row]:
    """In a worker: make the picture, put it through the columns, ask whoever has not looked."""
    test = SETS[case.set]
    pixels = case.pixels(_grounds(pool))
    pictures = [Picture(body, _decoder().decode(body)) for body in (VIEWS[view](pixels) for view in rows)]
    kept = [{name: Finding.from_row(item) for name, item in row["findings"].items()} for row in rows.values()]
    same = {name for name in kept[0] if all(name in row for row in kept)}
    found = look_at_all(asked(test, only), pictures, [{name: row[name] for name in same} for row in kept])
    return [
        {
            "case": case.key,
            "view": view,
            "made": made,
            "width": picture.decoded.width,
            "height": picture.decoded.height,
            "findings": {name: _plain(finding) for name, finding in findings.items()},
        }
        for view, picture, findings in zip(rows, pictures, found, strict=True)
    ]


def _plain(finding: Finding) -> Row:
    """As JSON, without the mask. The words stay: others judge them in a later run."""
    return {**finding.to_row(), "mask": ""}


@lru_cache(maxsize=1)
def _grounds(pool: Path) -> Grounds:
    return Grounds(pool)


@lru_cache(maxsize=1)
def _decoder() -> SafeDecoder:
    return SafeDecoder(DecodeLimits())


def workers_of(jobs: int) -> ProcessPoolExecutor:
    """Processes with one thread each, as the annotate process has."""
    os.environ["OMP_NUM_THREADS"] = "1"
    return ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _one_thread)


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)
