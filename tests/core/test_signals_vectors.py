"""The vector files, and the runner that reads them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kyodaku.errors import UsageError
from kyodaku.signals.protocols import all_protocols
from kyodaku.signals.vectors import read_vectors, run_vectors

VECTORS = Path(__file__).parent.parent / "vectors"
OWN = sorted(path.name for path in VECTORS.glob("*.jsonl") if path.name != "published.jsonl")


@pytest.mark.parametrize("name", OWN)
def test_own_vectors_all_pass(name: str) -> None:
    report = run_vectors(VECTORS / name)
    assert report.total.failures == []
    assert report.total.unsupported == 0
    assert report.total.passed > 0


def test_every_published_vector_passes() -> None:
    report = run_vectors(VECTORS / "published.jsonl")
    assert report.total.failures == []
    assert (report.total.passed, report.total.unsupported) == (199, 0)


def test_there_are_enough_own_vectors_and_ids_are_unique() -> None:
    ids = [vector["id"] for path in VECTORS.glob("*.jsonl") for vector in read_vectors(path)]
    assert len(ids) == len(set(ids))
    assert len(ids) - 199 >= 83 + 300


def test_mode_selects_vectors() -> None:
    path = VECTORS / "published.jsonl"
    counted = [run_vectors(path, mode).total for mode in (None, "spec", "policy")]
    sums = [tally.passed + tally.unsupported for tally in counted]
    assert sums[0] == sums[1] + sums[2]
    assert all(sums)


def test_report_as_json_names_failures(tmp_path: Path) -> None:
    vector = next(iter(read_vectors(VECTORS / "robots.jsonl")))
    wrong = {**vector, "id": "wrong", "expect": "permitted"}
    other = {**vector, "id": "other", "signal": "no-such-protocol"}
    file = tmp_path / "v.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in (vector, wrong, other)), encoding="utf-8")
    report = run_vectors(file)
    assert not report.ok
    result = report.to_json()
    assert (result["passed"], result["failed"], result["unsupported"]) == (1, 1, 1)
    assert result["failures"] == [{"id": "wrong", "expected": "permitted", "got": vector["expect"]}]
    assert result["protocols"]["robots"]["failed"] == 1
    assert result["protocols"]["no-such-protocol"]["unsupported"] == 1


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("{", "line 1: not JSON"),
        ("\n[]", "line 2"),
        ('{"input": {}}', "no id"),
        (
            '{"id":"a","signal":"robots","input":{},"url":"u","agent":"a","expect":"maybe","mode":"spec"}',
            "unknown mode or expect",
        ),
    ],
)
def test_a_wrong_file_is_one_line_that_names_the_place(tmp_path: Path, text: str, word: str) -> None:
    file = tmp_path / "v.jsonl"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=word):
        run_vectors(file)


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        run_vectors(tmp_path / "none.jsonl")


def test_protocols_are_found_and_sorted() -> None:
    names = [protocol.name for protocol in all_protocols()]
    assert names == sorted(names)
    assert {"licence", "meta-robots", "plus-datamining", "robots", "x-robots-tag"} <= set(names)
