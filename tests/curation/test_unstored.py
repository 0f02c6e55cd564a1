"""Pictures whose bytes came and were not stored: near copies of them are known all the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from PIL import Image

import curation.annotators.registry
import curation.filters
from curation.annotate import annotate_jobs
from curation.filters import resolution
from curation.likeness import Likeness
from curation.match import is_matched, match
from curation.select import select
from curation.sound import check_facts
from curation.steps import run_job
from kyodaku.errors import RecordError, RunStateError
from kyodaku.fingerprint import sha256_bytes
from kyodaku.optouts import load_optouts
from kyodaku.prints import PrintTaker
from kyodaku.recipe import Recipe
from kyodaku.records import DECISIONS, MATCHES, UNSTORED
from kyodaku.registry_client import EMPTY_SNAPSHOT, RegistrySnapshot
from kyodaku.release.tables import iter_rows, read_rows
from kyodaku.report.data import RunFacts
from kyodaku.runs import RunFolder
from kyodaku.safedecode import DecodeLimits
from kyodaku.shards import write_parquet
from tests.curation.fixtures import NOAI, UNREADABLE, Found, encoded, make_run, recipe
from tests.curation.test_match import pixels

USING = recipe(filters={"resolution": {"min_side": 64}})
SHOWN, ELSE = Image.fromarray(pixels(1)), Image.fromarray(pixels(2))
ARTIST = "https://artist.example/"
#: What the artist shows without a licence: refused at the last gate, and never stored.
SILENT = Found(
    "silent",
    encoded(SHOWN, "JPEG", quality=90),
    page=ARTIST,
    evidence=(),
    changes={
        "image_url": "https://artist.example/1.jpg",
        "final_url": "https://artist.example/1.jpg",
        "gate_verdict": "refuse",
        "gate_reason": "no_licence_evidence",
        "raw_key": "",
        "raw_shard": "",
    },
)
#: The same, saved anew by somebody who says that it is in the public domain.
TAKEN = Found("taken", encoded(SHOWN, "JPEG", quality=60), page="https://thief.example/")
OTHER = Found("other", encoded(ELSE, "JPEG", quality=90), page="https://museum.example/")


@pytest.fixture(autouse=True)
def _annotators(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks at pictures here: what they are like is all that is asked."""
    monkeypatch.setattr(curation.annotators.registry, "BUILT", {})
    monkeypatch.setattr(curation.filters, "FILTERS", {"resolution": resolution})
    monkeypatch.setattr(curation.filters, "ASKED", ())


def not_stored(found: Found) -> dict[str, Any]:
    """A row of UNSTORED."""
    assert found.body is not None
    with PrintTaker(DecodeLimits()) as taker:
        prints = taker.prints(found.body)
    return {"uid": found.uid, "sha256": sha256_bytes(found.body), **vars(prints)}


def crawled(root: Path, *found: Found, known: bool = True) -> RunFolder:
    """A run with its pictures annotated. `known`: fingerprints of what was not stored were taken."""
    run = make_run(root, found, USING)
    rows = [not_stored(one) for one in found if one.changes.get("raw_key") == ""]
    if known and rows:
        run.unstored.mkdir()
        write_parquet(pa.Table.from_pylist(rows, UNSTORED), run.unstored / "00000.parquet")
    for job in annotate_jobs(run, USING):
        run_job(job)
    return run


def decided(
    run: RunFolder, snapshot: RegistrySnapshot = EMPTY_SNAPSHOT, using: Recipe = USING
) -> dict[str, tuple[str, str, str]]:
    """By candidate: outcome, its reason, and the candidate that it is because of."""
    match(run, using, run.path.parents[2] / "recipe.toml", snapshot)
    select(run, using, snapshot)
    return {
        row["candidate_id"]: (row["outcome"], row["outcome_reason"], row["because_of"])
        for _, rows in iter_rows(run.decisions, DECISIONS)
        for row in rows
    }


def test_a_near_copy_of_what_lacks_a_licence_is_a_repost(tmp_path: Path) -> None:
    found = decided(crawled(tmp_path, SILENT, TAKEN, OTHER))
    assert found[SILENT.candidate_id][:2] == ("refused", "no_licence_evidence")
    assert found[TAKEN.candidate_id] == ("quarantined", "repost", SILENT.candidate_id)
    assert found[OTHER.candidate_id][0] == "released"


def test_a_near_copy_on_the_same_site_is_nobody_elses(tmp_path: Path) -> None:
    own = replace(TAKEN, page=f"{ARTIST}free")
    assert decided(crawled(tmp_path, SILENT, own))[own.candidate_id][0] == "released"


@pytest.mark.parametrize(("said", "reason"), [(NOAI, "near_refused"), (UNREADABLE, "near_held")])
def test_a_near_copy_of_what_somebody_refused_or_is_held_is_set_aside(
    tmp_path: Path, said: Any, reason: str
) -> None:
    objected = replace(SILENT, signals=(said,), changes={**SILENT.changes, "gate_reason": said.reason})
    found = decided(crawled(tmp_path, objected, TAKEN, OTHER))
    assert found[TAKEN.candidate_id] == ("quarantined", reason, objected.candidate_id)
    assert found[OTHER.candidate_id][0] == "released"


def test_equal_pixels_of_what_somebody_refused_are_refused(tmp_path: Path) -> None:
    png = encoded(SHOWN, "PNG", compress_level=1)
    objected = replace(SILENT, body=png, signals=(NOAI,))
    again = replace(TAKEN, body=encoded(SHOWN, "PNG", compress_level=9))
    run = crawled(tmp_path, objected, again, OTHER)
    found = decided(run)
    assert found[again.candidate_id] == ("refused", "same_bytes_refused", objected.candidate_id)
    pixels = RunFacts(run).pixels({objected.uid, again.uid})
    assert pixels[objected.uid] == pixels[again.uid]


def test_what_an_opt_out_file_lists_refuses_its_copies_though_it_was_not_stored(tmp_path: Path) -> None:
    """The line names its pixels only; what was saved anew is near to it."""
    run = crawled(tmp_path, SILENT, TAKEN)
    (row,) = read_rows(run.unstored / "00000.parquet", UNSTORED)
    lines = tmp_path / "optouts.jsonl"
    lines.write_text(f'{{"pixel_sha256": "{row["pixel_sha256"]}"}}\n')
    listed = load_optouts([lines])
    snapshot = RegistrySnapshot("files", listed.count, listed.digest, listed)
    found = decided(run, snapshot)
    assert found[SILENT.candidate_id][:2] == ("refused", "registry_near")
    assert found[TAKEN.candidate_id][:2] == ("quarantined", "near_refused")


def test_a_run_that_was_crawled_before_such_facts_were_kept_is_read_as_it_is(tmp_path: Path) -> None:
    run = crawled(tmp_path, SILENT, TAKEN, known=False)
    assert decided(run)[TAKEN.candidate_id][0] == "released"
    assert read_rows(run.matches, MATCHES) == []
    check_facts(run)


def test_matches_rest_on_what_was_not_stored(tmp_path: Path) -> None:
    run = crawled(tmp_path, SILENT, TAKEN)
    path = run.path.parents[2] / "recipe.toml"
    assert match(run, USING, path, EMPTY_SNAPSHOT)
    first = run.matches.read_bytes()
    assert TAKEN.uid in Likeness.of(read_rows(run.matches, MATCHES)).near[SILENT.uid]
    run.unstored.joinpath("00000.parquet").unlink()
    assert not is_matched(run, USING, path, EMPTY_SNAPSHOT)
    write_parquet(pa.Table.from_pylist([not_stored(SILENT)], UNSTORED), run.unstored / "00000.parquet")
    run.matches.unlink()
    assert match(run, USING, path, EMPTY_SNAPSHOT)
    assert run.matches.read_bytes() == first


def test_what_was_stored_after_all_is_one_picture(tmp_path: Path) -> None:
    run = crawled(tmp_path, TAKEN, OTHER)
    run.unstored.mkdir()
    write_parquet(pa.Table.from_pylist([not_stored(TAKEN)], UNSTORED), run.unstored / "00000.parquet")
    assert decided(run)[TAKEN.candidate_id][0] == "released"
    assert read_rows(run.matches, MATCHES) == []


def test_a_damaged_or_missing_file_stops_the_curation(tmp_path: Path) -> None:
    run = crawled(tmp_path, SILENT, TAKEN)
    file = run.unstored / "00000.parquet"
    file.rename(run.unstored / "00001.parquet")
    with pytest.raises(RunStateError, match=r"unstored/00000\.parquet is missing"):
        check_facts(run)
    file.write_bytes(b"PAR1")
    with pytest.raises(RecordError, match=r"unstored/00000\.parquet"):
        check_facts(run)
