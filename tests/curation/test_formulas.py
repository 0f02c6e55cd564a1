"""Words of strangers that begin like a formula: inert in the tables of a release, verbatim for training."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from curation.stage import curate, release
from kyodaku.release.reader import open_release
from kyodaku.release.tables import TOLD_BY_PAGES, for_tables
from kyodaku.release.verify import verify_release
from tests.core.test_verify import Samples, failed, retar
from tests.curation.fixtures import Found, context, jpeg, make_run

FORMULAS = (
    '=HYPERLINK("closed.example","a formula")',
    "+1 is what the sign on the wall says",
    "@SUM(A1:A9) written on a wall",
    "＝1+1 written on a wall in full width",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    makers = {"schema_creator": "=cmd|' /C calc'!A0", "schema_credit": "-2+3"}
    found = [Found(f"p{n}", jpeg(n), alt=text, changes=makers) for n, text in enumerate(FORMULAS)]
    run = make_run(tmp_path_factory.mktemp("formulas"), [*found, Found("plain", jpeg(9))])
    curate(context(run))
    release(context(run))
    return run.release()


def test_tables_of_a_release_hold_no_formula(made: Path) -> None:
    seen = set()
    for path in made.glob("*.parquet"):
        for row in pq.read_table(path).to_pylist():
            for name, value in row.items():
                if isinstance(value, str) and value:
                    assert value[0] not in "=+-@＝＋－＠", f"{path.name}: {name}"
                if name in TOLD_BY_PAGES and str(value).startswith("'"):
                    seen.add((path.name[-13:], name))
            assert for_tables(row) == row
    assert ("attribution.parquet"[-13:], "creator") in seen
    assert ("index.parquet", "credit") in seen
    assert ("00000.parquet", "caption") in seen


def test_samples_hold_the_words_as_they_were_and_verify_knows(made: Path) -> None:
    samples = list(open_release(made, images=""))
    texts = {sample["txt"] for sample in samples}
    assert {text for text in texts if text[0] in "=+@"} >= set(FORMULAS[:3])
    for sample in samples:
        assert sample["json"]["caption"] == sample["txt"]
    assert {sample["json"]["creator"] for sample in samples} == {"=cmd|' /C calc'!A0", ""}
    assert verify_release(made).ok


def test_a_json_that_says_the_inert_form_is_not_the_text(made: Path) -> None:
    def inert(samples: Samples) -> Samples:
        return [
            (key, {**members, "json": json.dumps(for_tables(json.loads(members["json"]))).encode()})
            for key, members in samples
        ]

    retar(made, inert)
    assert "json" in failed(verify_release(made))
