"""What the last gate refuses is not stored; saved anew and put elsewhere, it is known all the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pyarrow.parquet as pq
import pytest
from PIL import Image

from kyodaku.recipe import load_recipe
from kyodaku.records import UNSTORED
from kyodaku.release.tables import read_rows, shard_names
from kyodaku.runs import RunFolder
from tests.e2e.conftest import CLOCK, demo_recipe, kyodaku
from tests.e2e.sweep import sweep
from tests.web import art
from tests.web.model import Figure, Page, Picture, Site
from tests.web.pictures import encode, plus_xmp
from tests.web.small_web import SmallWeb

SIZE = (640, 480)
Motif = Callable[[int, tuple[int, int]], Image.Image]


def shown(motif: Motif, seed: int, quality: int = 90, xmp: bytes = b"", *, mirrored: bool = False) -> Picture:
    def render() -> bytes:
        image = motif(seed, SIZE)
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirrored else image
        return encode(image, "JPEG", xmp, quality=quality)

    return Picture(render, "image/jpeg")


SILENT = shown(art.blossom, 9003)
RESERVED = shown(art.landscape, 9001, xmp=plus_xmp("DMI-PROHIBITED"))
SITES = [
    Site(
        "emi.example",
        "an artist who says nothing, and one file that says no",
        pages=(
            Page(
                "/",
                "Emi",
                (
                    Figure("/silent.jpg", "A tree by Emi", SILENT, licence=""),
                    Figure("/reserved.jpg", "Hills by Emi", RESERVED, licence=""),
                ),
            ),
        ),
    ),
    Site(
        "thief.example",
        "the same pictures under a licence, and one more",
        pages=(
            Page(
                "/",
                "Free pictures",
                (
                    Figure("/tree.jpg", "A free tree, saved anew", shown(art.blossom, 9003, 60)),
                    Figure("/eert.jpg", "A tree in a mirror", shown(art.blossom, 9003, 70, mirrored=True)),
                    Figure("/hills.jpg", "Free hills, saved anew", shown(art.landscape, 9001, 60)),
                    Figure("/town.jpg", "A town that is nobody else's", shown(art.town, 9004)),
                ),
            ),
        ),
    ),
]


@dataclass(frozen=True)
class Crawled:
    """The run, and by the last part of its address what became of each picture."""

    run: RunFolder
    ends: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    folder = tmp_path_factory.mktemp("unstored")
    with SmallWeb(SITES, folder=folder / "web") as web:
        path = demo_recipe(web, folder / "recipe")
        runs = folder / "runs"
        done = kyodaku("run", str(path), "--runs", str(runs), "--quiet", "--recorded-clock", CLOCK)
        assert done.returncode == 0, done.stdout + done.stderr
    run = RunFolder((runs / load_recipe(path).name / "latest").resolve())
    found = {
        row["candidate_id"]: row
        for file in sorted(run.candidates.glob("*.parquet"))
        for row in pq.read_table(file).to_pylist()
    }
    decided = [
        row for file in sorted(run.decisions.glob("*.parquet")) for row in pq.read_table(file).to_pylist()
    ]
    names = {row["candidate_id"]: found[row["candidate_id"]]["image_url"] for row in decided}
    ends = {
        names[row["candidate_id"]].rpartition("/")[2]: {
            **row,
            "raw_key": found[row["candidate_id"]]["raw_key"],
            "because_of": names.get(row["because_of"], row["because_of"]),
        }
        for row in decided
    }
    return Crawled(run, ends)


def end(crawled: Crawled, name: str) -> tuple[str, str, str]:
    row = crawled.ends[name]
    return row["outcome"], row["outcome_reason"], row["because_of"]


def test_both_were_refused_at_the_last_gate(crawled: Crawled) -> None:
    assert end(crawled, "silent.jpg") == ("refused", "no_licence_evidence", "")
    assert crawled.ends["reserved.jpg"]["outcome"] == "refused"
    assert not any(crawled.ends[name]["raw_key"] for name in ("silent.jpg", "reserved.jpg"))


def test_a_copy_saved_anew_is_set_aside(crawled: Crawled) -> None:
    silent, reserved = ("http://emi.example/silent.jpg", "http://emi.example/reserved.jpg")
    assert end(crawled, "tree.jpg") == ("quarantined", "repost", silent)
    assert end(crawled, "eert.jpg") == ("quarantined", "repost", silent)
    assert end(crawled, "hills.jpg") == ("quarantined", "near_refused", reserved)
    assert end(crawled, "town.jpg")[0] == "released"


def test_fingerprints_are_all_that_is_left(crawled: Crawled) -> None:
    run = crawled.run
    rows = [
        row
        for shard in shard_names(run.unstored)
        for row in read_rows(run.unstored / f"{shard}.parquet", UNSTORED)
    ]
    bodies = {sha256(body).hexdigest(): body for body in (SILENT.render(), RESERVED.render())}
    assert [row["sha256"] for row in rows] == sorted(bodies)
    facts = ("candidates/", "decisions/", "unstored/", "matches.parquet")
    for blob in sweep(run.path):
        for digest, body in bodies.items():
            assert body[len(body) // 2 :][:48] not in blob.data, blob.file
            named = digest.encode() in blob.data or digest[:32].encode() in blob.data
            assert not named or blob.file.startswith(facts), f"{blob.file} {blob.inside}"
        for row in rows:
            prints = (row["pixel_sha256"].encode(), row["pdq"].encode(), row["pdq_frames"][:32])
            told = any(part in blob.data for part in prints)
            assert not told or blob.file.startswith("unstored/"), f"{blob.file} {blob.inside}"
