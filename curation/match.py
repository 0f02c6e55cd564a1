"""match: which pictures of a run, stored or not, are copies of each other, of opted-out ones and of released
ones, over all shards. Reads only Parquet."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from curation.annotators.base import Status
from curation.annotators.embedding import Embedding, Vectors, vector_of
from curation.findings import iter_annotations
from curation.near import Pictures, Row, embedding_rows, near_rows, registry_rows, release_rows
from curation.steps import code_digest, digest, digest_files, is_as_written, table_digests
from kyodaku.errors import RunStateError
from kyodaku.recipe import Recipe
from kyodaku.records import ANNOTATIONS, CANDIDATES, MATCHES, UNSTORED
from kyodaku.registry_client import RegistrySnapshot
from kyodaku.release.markers import read_marker
from kyodaku.release.pictures import released_pictures
from kyodaku.release.tables import read_table, shard_names
from kyodaku.runs import RunFolder
from kyodaku.shards import write_parquet, write_stats

_CODE = (
    "curation.match",
    "curation.near",
    "curation.findings",
    "curation.annotators.base",
    "curation.annotators.embedding",
    "curation.clusters",
    "kyodaku.copies",
    "kyodaku.nearest",
    "kyodaku.matching",
    "kyodaku.optouts",
    "kyodaku.release.pictures",
)
_FINGERPRINTS = ["uid", "pixel_sha256", "pdq", "pdq_trimmed", "pdq_frames"]


def match(run: RunFolder, recipe: Recipe, recipe_path: Path, snapshot: RegistrySnapshot) -> bool:
    """Write `matches.parquet` and its `matches_stats.json` unless they are up to date; True if written.

    Raises RecordError for an earlier release whose index cannot be read, RunStateError for one that is this
    run's own.
    """
    against = _against(run, recipe, recipe_path)
    wanted = _wanted(run, recipe, against, snapshot)
    if _is_current(run, wanted):
        return False
    marker = _marker(run)
    marker.unlink(missing_ok=True)
    pictures = Pictures.of(row for rows in _fingerprints(run, _FINGERPRINTS) for row in rows)
    rows = [*equal_rows(_places(run), pictures), *near_rows(pictures, _frames(run))]
    vectors, others = _vectors(run, recipe)
    rows += embedding_rows(vectors, recipe.filters.duplicates.min_cosine or 0)
    rows += registry_rows(pictures, _frames(run), snapshot.optouts)
    for name, folder in against.items():
        rows += release_rows(pictures, _frames(run), name, released_pictures(folder))
    rows.sort(key=lambda row: (row["kind"], row["cluster"], row["uid"], row["of"]))
    write_parquet(pa.Table.from_pylist(rows, MATCHES), run.matches)
    clusters = Counter(kind for kind, _ in {(row["kind"], row["cluster"]) for row in rows})
    write_stats(
        marker,
        {
            "clusters": dict(sorted(clusters.items())),
            "count": len(rows),
            "digests": wanted,
            "sha256": table_digests(run.matches),
            "vectors_of_other_models": others,
        },
    )
    return True


def is_matched(run: RunFolder, recipe: Recipe, recipe_path: Path, snapshot: RegistrySnapshot) -> bool:
    """True if `matches.parquet` rests on the facts, opt-out files and earlier releases as they are."""
    return _is_current(run, _wanted(run, recipe, _against(run, recipe, recipe_path), snapshot))


def _marker(run: RunFolder) -> Path:
    return run.matches.with_name("matches_stats.json")


def _wanted(
    run: RunFolder, recipe: Recipe, against: Mapping[str, Path], snapshot: RegistrySnapshot
) -> dict[str, str]:
    facts = [
        folder / f"{shard}.parquet"
        for folder in (run.candidates, run.annotations, run.unstored)
        for shard in shard_names(folder)
    ]
    releases = {name: digest_files([folder / "index.parquet"]) for name, folder in against.items()}
    return {
        "inputs": digest([digest_files(facts), snapshot.optouts.digest, releases]),
        "config": digest([recipe.filters.duplicates.min_cosine, _embedder(recipe)]),
        "code": code_digest(*_CODE),
    }


def _is_current(run: RunFolder, wanted: Mapping[str, str]) -> bool:
    found = read_marker(_marker(run))
    return (
        found is not None
        and found.get("digests") == wanted
        and run.matches.is_file()
        and is_as_written(run.matches, found)
    )


def _against(run: RunFolder, recipe: Recipe, recipe_path: Path) -> dict[str, Path]:
    """Earlier releases by their name in the recipe. One of this run would make all its own duplicates."""
    folders = {name: recipe_path.parent / name for name in recipe.filters.duplicates.against}
    for name, folder in folders.items():
        if folder.resolve().is_relative_to(run.path.resolve()):
            raise RunStateError(f"filters.duplicates.against: {name} is a release of this very run")
    return folders


# --- equal pictures -------------------------------------------------------------------------------------


def equal_rows(places: Mapping[str, int], pictures: Pictures) -> list[Row]:
    """Rows `bytes` and `pixels`. `places` maps a uid to the number of candidates that gave its bytes.

    `bytes`: a uid found at two candidates or more; the cluster is the uid. `pixels`: two uids or more
    whose upright pixels are equal; the cluster is the first 128 bits of the digest of the pixels.
    """
    rows = [_equal("bytes", uid, uid) for uid, count in places.items() if count > 1]
    pixels: dict[str, list[str]] = defaultdict(list)
    for uid, found in zip(pictures.uids, pictures.pixels, strict=True):
        if found:
            pixels[found[:32]].append(uid)
    return rows + [
        _equal("pixels", cluster, uid) for cluster, uids in pixels.items() if len(uids) > 1 for uid in uids
    ]


def _equal(kind: str, cluster: str, uid: str) -> Row:
    return {
        "cluster": cluster,
        "kind": kind,
        "uid": uid,
        "of": "",
        "distance": 0.0,
        "transform": "",
        "crowded": False,
    }


# --- reading --------------------------------------------------------------------------------------------


def _fingerprints(run: RunFolder, columns: list[str]) -> Iterator[list[dict[str, Any]]]:
    """Of stored pictures first, then of those whose bytes came and were not stored."""
    for folder, schema in ((run.annotations, ANNOTATIONS), (run.unstored, UNSTORED)):
        for shard in shard_names(folder):
            yield read_table(folder / f"{shard}.parquet", schema, columns).to_pylist()


def _frames(run: RunFolder) -> Iterable[tuple[str, bytes]]:
    """uid and frames of every picture that has any, each once; one shard in memory at a time."""
    seen: set[str] = set()
    for rows in _fingerprints(run, ["uid", "pdq_frames"]):
        for row in rows:
            if row["pdq_frames"] and row["uid"] not in seen:
                seen.add(row["uid"])
                yield row["uid"], row["pdq_frames"]


def _embedder(recipe: Recipe) -> str:
    """The version that makes the vectors compared here; "" where none are."""
    asked = recipe.filters.duplicates.min_cosine is not None and "embedding" not in recipe.annotators.skip
    return Embedding.build(recipe.annotators).version if asked else ""


def _vectors(run: RunFolder, recipe: Recipe) -> tuple[dict[str, Vectors], int]:
    """By uid, where the recipe says from which cosine on its model sees a copy; and of how many pictures
    there is a vector of another model only: they were purged before the model changed."""
    version = _embedder(recipe)
    vectors: dict[str, Vectors] = {}
    others: set[str] = set()
    for row in iter_annotations(run) if version else ():
        seen = row["findings"].get("embedding")
        if not row["uid"] or seen is None or seen.status is not Status.OK:
            continue
        if seen.version == version:
            vectors[row["uid"]] = vector_of(seen)
        else:
            others.add(row["uid"])
    return vectors, len(others - vectors.keys())


def _places(run: RunFolder) -> dict[str, int]:
    """How many candidates gave each uid."""
    counts: Counter[str] = Counter()
    for shard in shard_names(run.candidates):
        table = read_table(run.candidates / f"{shard}.parquet", CANDIDATES)
        counts.update(uid for uid in table["uid"].to_pylist() if uid)
    return dict(counts)
