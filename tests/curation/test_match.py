"""Near copies: who is found, what they cluster with, and what that does to outcomes."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import data

from curation import near
from curation.annotators.basics import basic_facts
from curation.likeness import Likeness
from curation.match import equal_rows, is_matched, match
from curation.near import Pictures, embedding_rows, near_rows, registry_rows, release_rows
from curation.outcomes import Facts, Ruling, SelectRules, rule
from kyodaku.copies import listed
from kyodaku.errors import RecordError, RunStateError
from kyodaku.fingerprint import Pixels, pdq, pixel_sha256, sha256_bytes, uid_of
from kyodaku.optouts import load_optouts
from kyodaku.reasons import DuplicateReason, Outcome, QuarantineReason, RefuseReason, Verdict
from kyodaku.records import ANNOTATIONS, INDEX, MATCHES, Candidate
from kyodaku.registry_client import EMPTY_SNAPSHOT, RegistrySnapshot
from kyodaku.release.pictures import released_pictures
from kyodaku.release.tables import read_rows
from kyodaku.safedecode import Decoded
from kyodaku.shards import write_parquet
from tests.curation.fixtures import NOAI, Found, encoded, jpeg, make_run, picture, recipe
from tests.curation.test_outcomes import RULES, annotation, found

Row = dict[str, Any]


@cache
def pixels(seed: int) -> Pixels:
    """A photograph of scikit-image (CC0)."""
    image = Image.fromarray((data.coffee, data.chelsea)[seed - 1]())
    return np.asarray(image.resize((600, 400), Image.Resampling.LANCZOS))


def row(name: str, seen: Pixels) -> Row:
    """A row of ANNOTATIONS for pixels, under a uid of its own."""
    body = encoded(picture(0, 8, 8), "PNG")
    digest = sha256_bytes(name.encode())
    hashed, quality = pdq(seen)
    size = {"width": seen.shape[1], "height": seen.shape[0]}
    still = {"format": "png", "mode": "RGB", "frames": 1, "orientation": 1, "has_alpha": False, "icc": ""}
    decoded = Decoded(
        **size, **still, pixel_sha256=pixel_sha256(seen), pdq=hashed, pdq_quality=quality, pixels=seen
    )
    facts = basic_facts(body, decoded)
    return {"key": name, "uid": uid_of(digest), "sha256": digest, **facts, "basics": "1", "findings": []}


def frames(rows: list[Row]) -> list[tuple[str, bytes]]:
    return [(one["uid"], one["pdq_frames"]) for one in rows if one["pdq_frames"]]


def cut(seen: Pixels) -> Pixels:
    return np.ascontiguousarray(seen[:, seen.shape[1] // 20 :])


FLAT = np.full((280, 320, 3), 90, np.uint8)
SHOWN = {
    "original": pixels(1),
    "cut": cut(pixels(1)),
    "mirrored": np.ascontiguousarray(pixels(1)[:, ::-1]),
    "framed": np.pad(pixels(1), ((30, 30), (30, 30), (0, 0)), constant_values=255),
    "other": pixels(2),
    "flat": FLAT,
    "flat too": FLAT + 1,
}
ROWS = [row(name, seen) for name, seen in SHOWN.items()]
UID = {name: one["uid"] for name, one in zip(SHOWN, ROWS, strict=True)}
NAME = {uid: name for name, uid in UID.items()}


# --- facts


def test_copies_of_one_picture_are_a_cluster_and_say_how_they_were_found() -> None:
    rows = near_rows(Pictures.of(ROWS), frames(ROWS))
    told = {(NAME[one["uid"]], NAME[one["of"]]): one for one in rows}
    assert {name for pair in told for name in pair} == {"original", "cut", "mirrored", "framed"}
    assert told["original", "cut"]["transform"] == "cut left 5.0%"
    assert told["mirrored", "original"]["transform"] == "mirrored"
    assert "without its border" in told["framed", "original"]["transform"]
    assert {one["cluster"] for one in rows} == {
        min(UID[name] for name in ("original", "cut", "mirrored", "framed"))
    }
    for (one, other), found_row in told.items():
        assert found_row["distance"] == told[other, one]["distance"] <= 31
        assert not found_row["crowded"]


def test_flat_pictures_are_equal_by_pixels_or_not_at_all() -> None:
    again = [*ROWS, {**row("flat again", FLAT)}]
    pictures = Pictures.of(again)
    assert not pictures.forms[pictures.uids.index(UID["flat"])]
    equal = equal_rows({}, pictures)
    assert {one["uid"] for one in equal} == {UID["flat"], again[-1]["uid"]}


def test_a_crowd_is_told_and_its_nearest_copies_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near, "MOST", 2)
    rng = np.random.default_rng(0)
    crowd = [
        row(f"c{i}", np.clip(pixels(1) + rng.integers(0, 9, pixels(1).shape), 0, 255).astype(np.uint8))
        for i in range(6)
    ]
    rows = near_rows(Pictures.of(crowd), frames(crowd))
    assert len(rows) < 6 * 5
    assert all(one["crowded"] for one in rows)
    assert len({one["uid"] for one in rows}) == 6


@pytest.fixture(scope="module")
def optouts(tmp_path_factory: pytest.TempPathFactory) -> RegistrySnapshot:
    path = tmp_path_factory.mktemp("registry") / "o.jsonl"
    entry = ROWS[0]
    lines = [
        {"pdq": [entry["pdq"], *listed(entry["pdq_frames"])], "pdq_quality": entry["pdq_quality"]},
        {"pixel_sha256": ROWS[5]["pixel_sha256"], "pdq": ROWS[5]["pdq"], "pdq_quality": 3},
    ]
    path.write_text("\n".join(json.dumps(line) for line in lines))
    read = load_optouts([path])
    assert read.count == 2
    return RegistrySnapshot("files", read.count, read.digest, read)


def test_near_copies_of_what_is_opted_out_are_found_but_of_a_flat_picture_only_equal_ones(
    optouts: RegistrySnapshot,
) -> None:
    rows = registry_rows(Pictures.of(ROWS), frames(ROWS), optouts.optouts)
    told = {NAME[one["uid"]]: one for one in rows}
    assert set(told) == {"original", "cut", "mirrored", "framed", "flat"}
    assert told["flat"]["transform"] == "same pixels"
    assert {one["of"] for name, one in told.items() if name != "flat"} == {"registry:o.jsonl:L1"}


def index_of(rows: list[Row], folder: Path) -> Path:
    """A release folder that holds nothing but an index of these pictures."""
    folder.mkdir(parents=True)
    blank = dict.fromkeys(("shard", "sha256", "sha256_source", "url", "page_url", "credit"), "")
    made = [
        {
            **blank,
            **{name: one[name] for name in INDEX.names if name in one},
            "pdq_cuts": listed(one["pdq_frames"]),
        }
        for one in rows
    ]
    write_parquet(pa.Table.from_pylist(made, INDEX), folder / "index.parquet")
    return folder


def test_what_an_earlier_release_holds_is_known_by_its_bytes_its_pixels_or_a_copy(tmp_path: Path) -> None:
    folder = index_of([ROWS[0], ROWS[5]], tmp_path / "v1")
    new = [row("same pixels", pixels(1)), *ROWS[1:6]]
    rows = release_rows(Pictures.of(new), frames(new), "before", released_pictures(folder))
    told = {one["uid"]: one["transform"] for one in rows}
    assert told[new[0]["uid"]] == "same pixels"
    assert told[UID["flat"]] == "same bytes"
    assert "cut" in told[UID["cut"]]
    assert UID["other"] not in told
    assert {one["of"] for one in rows} == {f"before/{UID['original']}", f"before/{UID['flat']}"}


def test_embeddings_are_compared_where_a_recipe_says_how() -> None:
    vectors = {"a": np.array([1.0, 0]), "b": np.array([0.9, 0.1]), "c": np.array([0.0, 1]), "d": np.zeros(2)}
    rows = embedding_rows(vectors, 0.75)
    assert [(one["uid"], one["of"]) for one in rows] == [("a", "b"), ("b", "a")]
    assert 0 < rows[0]["distance"] < 0.01
    assert embedding_rows({}, 0.75) == []


# --- the step


def curated(tmp_path: Path, rows: list[Row]) -> tuple[Any, Path]:
    run = make_run(tmp_path, [Found("one", jpeg(1))])
    run.annotations.mkdir()
    write_parquet(pa.Table.from_pylist(rows, ANNOTATIONS), run.annotations / "00000.parquet")
    return run, tmp_path / "recipe.toml"


def test_match_writes_once_and_again_when_a_fact_an_opt_out_or_an_earlier_release_changes(
    tmp_path: Path, optouts: RegistrySnapshot
) -> None:
    run, path = curated(tmp_path, ROWS)
    earlier = index_of([ROWS[4]], tmp_path / "earlier")
    using = recipe(filters={"duplicates": {"against": ["earlier"]}})
    assert match(run, using, path, EMPTY_SNAPSHOT)
    assert not match(run, using, path, EMPTY_SNAPSHOT)
    assert is_matched(run, using, path, EMPTY_SNAPSHOT)
    assert {one["kind"] for one in read_rows(run.matches, MATCHES)} == {"near", "release"}
    assert not is_matched(run, using, path, optouts)
    assert match(run, using, path, optouts)
    assert {one["kind"] for one in read_rows(run.matches, MATCHES)} == {"near", "registry", "release"}
    first = run.matches.read_bytes()
    run.matches.unlink()
    assert match(run, using, path, optouts)
    assert run.matches.read_bytes() == first
    (earlier / "index.parquet").unlink()
    index_of([ROWS[3]], tmp_path / "later")
    assert not is_matched(run, using, path, optouts)
    with pytest.raises(RecordError, match=r"index\.parquet is missing"):
        match(run, using, path, optouts)


def test_a_release_of_the_same_run_is_no_earlier_one(tmp_path: Path) -> None:
    run, path = curated(tmp_path, ROWS[:1])
    index_of(ROWS[:1], run.release())
    name = str(run.release().relative_to(tmp_path))
    with pytest.raises(RunStateError, match="this very run"):
        match(run, recipe(filters={"duplicates": {"against": [name]}}), path, EMPTY_SNAPSHOT)


# --- outcomes


def matched(*rows: tuple[str, str, str, float], crowded: bool = False) -> Likeness:
    """Likeness from (kind, uid, of, distance), near ones both ways round."""
    made = []
    for kind, uid, of, distance in rows:
        pairs = [(uid, of), (of, uid)] if kind in ("near", "embedding") else [(uid, of)]
        for one, other in pairs:
            made.append(
                {"kind": kind, "cluster": "c", "uid": one, "of": other, "distance": distance,
                 "transform": "", "crowded": crowded}
            )  # fmt: skip
    return Likeness.of(made)


def ruled(
    *candidates: Candidate, like: Likeness, rules: SelectRules = RULES, **annotations: Any
) -> list[Ruling]:
    known = {one.uid: annotation(**annotations.get(one.uid, {})) for one in candidates}
    facts = Facts(candidates, known, like.pixels, set(known), likeness=like)
    return rule(facts, rules, EMPTY_SNAPSHOT)


def rules(**filters: Any) -> SelectRules:
    model = {"embedding": {"model": "sscd.torchscript.pt"}}
    return SelectRules.from_recipe(recipe(filters=filters, annotators=model))


ONE, TWO, THREE = found("one"), found("two"), found("three")


def test_of_near_copies_the_largest_is_kept() -> None:
    like = matched(("near", ONE.uid, TWO.uid, 9))
    first, second = ruled(ONE, TWO, like=like, **{TWO.uid: {"width": 900}})
    assert (second.outcome, first.reason) == (Outcome.RELEASED, DuplicateReason.NEAR)
    assert first.because_of == TWO.candidate_id
    assert not first.purged


def test_a_recipe_may_be_stricter_than_pdq() -> None:
    like = matched(("near", ONE.uid, TWO.uid, 9))
    strict = ruled(ONE, TWO, like=like, rules=rules(duplicates={"distance": 8}))
    assert {one.outcome for one in strict} == {Outcome.RELEASED}


def test_an_embedding_counts_only_where_the_recipe_says_from_when() -> None:
    like = matched(("embedding", ONE.uid, TWO.uid, 0.2))
    assert {one.outcome for one in ruled(ONE, TWO, like=like)} == {Outcome.RELEASED}
    said = ruled(ONE, TWO, like=like, rules=rules(duplicates={"min_cosine": 0.75}))
    assert [one.reason for one in said].count(DuplicateReason.NEAR) == 1


def test_copies_of_copies_are_not_copies() -> None:
    like = matched(("near", ONE.uid, TWO.uid, 30), ("near", TWO.uid, THREE.uid, 30))
    sizes = {ONE.uid: {"width": 1000}, TWO.uid: {"width": 900}}
    first, second, third = ruled(ONE, TWO, THREE, like=like, **sizes)
    assert (first.outcome, third.outcome) == (Outcome.RELEASED, Outcome.RELEASED)
    assert second.because_of == ONE.candidate_id


def test_what_an_earlier_release_holds_is_a_duplicate_of_it() -> None:
    (one,) = ruled(ONE, like=matched(("release", ONE.uid, "before/abc", 12)))
    assert (one.outcome, one.reason, one.because_of) == (
        Outcome.DUPLICATE, DuplicateReason.EARLIER_RELEASE, "before/abc",
    )  # fmt: skip


def test_a_near_copy_of_what_is_opted_out_is_refused_and_purged_and_its_own_near_copy_set_aside() -> None:
    like = matched(("registry", ONE.uid, "registry:o.jsonl:L1", 20), ("near", ONE.uid, TWO.uid, 9))
    first, second = ruled(ONE, TWO, like=like)
    assert (first.decision.verdict, first.reason) == (Verdict.REFUSE, RefuseReason.REGISTRY_NEAR)
    assert first.because_of == "registry:o.jsonl:L1"
    assert first.purged
    assert (second.outcome, second.reason) == (Outcome.QUARANTINED, QuarantineReason.NEAR_REFUSED)
    assert second.because_of == ONE.candidate_id
    assert not second.purged


def test_a_near_copy_of_a_refused_picture_is_set_aside_however_the_recipe_keeps_copies() -> None:
    like = matched(("near", ONE.uid, TWO.uid, 31))
    late = replace(TWO, signals=(NOAI,))
    first, _ = ruled(ONE, late, like=like, rules=rules(duplicates={"distance": 0}))
    assert first.reason is QuarantineReason.NEAR_REFUSED
    missing = replace(TWO, evidence=(), page_url=ONE.page_url)
    first, second = ruled(ONE, missing, like=like)
    assert first.outcome is Outcome.RELEASED, "a missing ground is no objection"
    assert second.outcome is Outcome.REFUSED


def test_in_a_crowd_one_refusal_is_near_to_all() -> None:
    pairs = (("near", ONE.uid, THREE.uid, 9), ("near", TWO.uid, THREE.uid, 9))
    refused = replace(ONE, signals=(NOAI,))
    _, second, third = ruled(refused, TWO, THREE, like=matched(*pairs, crowded=True))
    assert (second.reason, third.reason) == (QuarantineReason.NEAR_REFUSED,) * 2
    _, second, _ = ruled(refused, TWO, THREE, like=matched(*pairs))
    assert second.outcome is Outcome.RELEASED


names = st.integers(0, 7)


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.tuples(names, names).filter(lambda pair: pair[0] < pair[1]), st.integers(0, 40), max_size=14
    ),
    st.lists(st.integers(600, 605), min_size=8, max_size=8),
)
def test_what_is_dropped_is_near_to_what_is_kept_and_nothing_near_is_kept_twice(
    pairs: dict[tuple[int, int], int], widths: list[int]
) -> None:
    crowd = [found(f"n{number}") for number in range(8)]
    like = matched(*(("near", crowd[a].uid, crowd[b].uid, bits) for (a, b), bits in pairs.items()))
    sizes = {one.uid: {"width": width} for one, width in zip(crowd, widths, strict=True)}
    said = ruled(*crowd, like=like, **sizes)
    by_id = {one.candidate_id: number for number, one in enumerate(crowd)}
    near_pairs = {pair for pair, bits in pairs.items() if bits <= 31}
    kept = {number for number, one in enumerate(said) if one.outcome is Outcome.RELEASED}
    assert not any(a in kept and b in kept for a, b in near_pairs)
    for number, one in enumerate(said):
        if number not in kept:
            other = by_id[one.because_of]
            assert other in kept
            assert (min(number, other), max(number, other)) in near_pairs
            assert widths[other] >= widths[number]
