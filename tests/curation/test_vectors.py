"""Copies by embedding: only vectors of the model that looks now are compared; what is left out is said."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pyarrow as pa

from curation.annotators.base import Finding, Status
from curation.annotators.basics import unknown_image
from curation.annotators.embedding import Embedding
from curation.match import is_matched, match
from curation.near import embedding_rows
from kyodaku.fingerprint import sha256_bytes, uid_of
from kyodaku.recipe import Recipe
from kyodaku.records import ANNOTATIONS, MATCHES
from kyodaku.registry_client import EMPTY_SNAPSHOT
from kyodaku.release.tables import read_rows
from kyodaku.runs import RunFolder
from kyodaku.shards import write_parquet
from tests.curation.fixtures import Found, jpeg, make_run, recipe

LEAST = {"duplicates": {"min_cosine": 0.75}}


def annotated(name: str, using: Recipe) -> dict[str, object]:
    """A row of ANNOTATIONS whose vector is that of every other."""
    model = Embedding.build(using.annotators)
    text = base64.b64encode(np.ones(4, "<f2").tobytes()).decode()
    found = Finding(model.name, model.version, Status.OK, text=text)
    digest = sha256_bytes(name.encode())
    known = {"key": name, "uid": uid_of(digest), "sha256": digest, "basics": "1"}
    return {**known, **unknown_image(), "findings": [found.to_row()]}


def pairs(run: RunFolder) -> set[tuple[str, str]]:
    rows = read_rows(run.matches, MATCHES)
    return {(row["uid"], row["of"]) for row in rows if row["kind"] == "embedding"}


def test_a_vector_of_another_length_does_not_keep_others_from_being_compared() -> None:
    vectors = {"a": np.ones(4), "b": np.ones(4), "other": np.ones(8), "too": np.ones(8), "alone": np.ones(2)}
    said = {(row["uid"], row["of"]) for row in embedding_rows(vectors, 0.75)}
    assert said == {("a", "b"), ("b", "a"), ("other", "too"), ("too", "other")}


def test_vectors_of_another_model_are_left_out_and_counted(tmp_path: Path) -> None:
    model = tmp_path / "model.pt"
    model.write_bytes(b"one")
    using = recipe(annotators={"embedding": {"model": str(model)}}, filters=LEAST)
    purged = annotated("purged before the model was another", using)
    model.write_bytes(b"another")
    new = [annotated(name, using) for name in ("a", "b")]
    run, path = make_run(tmp_path / "run", [Found("one", jpeg(1))]), tmp_path / "recipe.toml"
    run.annotations.mkdir()
    write_parquet(pa.Table.from_pylist([purged, *new], ANNOTATIONS), run.annotations / "00000.parquet")
    assert match(run, using, path, EMPTY_SNAPSHOT)
    uids = [str(row["uid"]) for row in new]
    assert pairs(run) == {(uids[0], uids[1]), (uids[1], uids[0])}
    stats = json.loads(run.matches.with_name("matches_stats.json").read_text())
    assert stats["vectors_of_other_models"] == 1
    assert is_matched(run, using, path, EMPTY_SNAPSHOT)
    model.write_bytes(b"a third")
    assert not is_matched(run, using, path, EMPTY_SNAPSHOT)
    assert match(run, using, path, EMPTY_SNAPSHOT)
    assert not pairs(run)
