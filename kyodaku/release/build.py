"""From packed shards to a published release: indexes, card, manifest, and the one rename at the end."""

from __future__ import annotations

import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from kyodaku.decision import Policy
from kyodaku.durable import atomic_write, fsync_dir, write_bytes
from kyodaku.errors import RecordError
from kyodaku.lock import RunLock
from kyodaku.recipe import Recipe
from kyodaku.records import ATTRIBUTION, CANDIDATES, DECISIONS, INDEX, RELEASED
from kyodaku.registry_client import RegistrySnapshot
from kyodaku.release.card import card_text
from kyodaku.release.keep import keep_list
from kyodaku.release.manifest import (
    NAME,
    Manifest,
    largest_of,
    list_files,
    read_manifest,
    release_damage,
    versions,
    write_manifest,
)
from kyodaku.release.plan import PLAN
from kyodaku.release.signoff import SignOff, sign_off
from kyodaku.release.tables import for_tables, iter_rows, read_table, shard_names
from kyodaku.runs import RunFolder
from kyodaku.shards import write_parquet, write_stats

#: Packages that shape the bytes of a release.
_VERSIONS = ("kyodaku", "pillow", "numpy", "pyarrow", "torch", "transformers")


@dataclass(frozen=True)
class ReleaseFacts:
    """What a release says about itself besides its samples; the same facts give the same release."""

    dataset: str
    local_network: bool
    counts: Mapping[str, Mapping[str, int]]
    crawl_window: tuple[float, float]
    recipe: Mapping[str, Any]
    policy: Mapping[str, Any]
    registry: Mapping[str, Any]
    versions: Mapping[str, str]
    signed_off: SignOff | None = None


def gather_facts(run: RunFolder, recipe: Recipe, lock: RunLock, snapshot: RegistrySnapshot) -> ReleaseFacts:
    """Facts of a run for its release. Raises RecordError if recipe and lock disagree about the stamp."""
    if lock.local_network != recipe.local_network:
        raise RecordError(f"{run.lock} and the recipe disagree about local_network; crawl again with --new")
    policy = asdict(Policy.from_recipe(recipe))
    return ReleaseFacts(
        dataset=recipe.name,
        local_network=lock.local_network,
        counts=count_outcomes(row for _, rows in iter_rows(run.decisions, DECISIONS) for row in rows),
        crawl_window=_window(run),
        recipe={"crawl": lock.crawl_sha256, "curation": dict(lock.curation_sha256)},
        policy={name: sorted(v) if isinstance(v, frozenset) else v for name, v in policy.items()},
        registry=snapshot.described(),
        versions={name: value for name, value in lock.versions.items() if name in _VERSIONS},
        signed_off=sign_off(run),
    )


def count_outcomes(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Candidates by outcome and reason."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        counts[row["outcome"]][row["outcome_reason"]] += 1
    return {outcome: dict(sorted(reasons.items())) for outcome, reasons in sorted(counts.items())}


def write_indexes(building: Path, shards: Sequence[str]) -> None:
    """Write `sizes.json`, `index.parquet`, `attribution.parquet` and `keep.npy` of packed shards."""
    plans = [row for _, rows in iter_rows(building / "plan", PLAN) for row in rows]
    packed: dict[str, tuple[str, dict[str, Any]]] = {}
    sizes = {}
    for shard in shards:
        rows = read_table(building / f"{shard}.parquet", RELEASED).to_pylist()
        sizes[f"{shard}.tar"] = len(rows)
        packed.update((row["uid"], (shard, row)) for row in rows)
    write_stats(building / "sizes.json", sizes)
    index = [_index_row(plan, *packed[plan["uid"]]) for plan in plans]
    write_parquet(pa.Table.from_pylist(index, INDEX), building / "index.parquet")
    creators = Counter(plan["creator"] for plan in plans)
    owed = [_credit_row(plan, creators[plan["creator"]]) for plan in plans]
    write_parquet(pa.Table.from_pylist(owed, ATTRIBUTION), building / "attribution.parquet")
    with atomic_write(building / "keep.npy") as file:
        np.save(file, keep_list(plan["uid"] for plan in plans))


def publish(
    run: RunFolder,
    recipe: Recipe,
    building: Path,
    facts: ReleaseFacts,
    build_sha256: str,
    report: Callable[[Path], None],
) -> Path:
    """Finish `building` and give it the name of the next version; the folder of the release.

    A whole release with the same files is left as it is and its folder returned. `report` writes the public
    report into the folder it is given. After a kill the same call finishes what was begun.
    """
    shards = shard_names(building)
    write_indexes(building, shards)
    samples = sum(1 for _ in _uids(building))
    largest = largest_of(_sizes(building, shards))
    card = card_text(recipe, facts.counts, facts.crawl_window, samples, largest, facts.signed_off)
    write_bytes(building / "README.md", card.encode())
    report(building)
    shutil.rmtree(building / "plan")
    latest = latest_release(run)
    manifest = Manifest(
        dataset=facts.dataset,
        version=_next_version(run),
        title=recipe.release.title or recipe.name,
        local_network=facts.local_network,
        samples=samples,
        shards=len(shards),
        images=recipe.shards.images,
        captions_required=recipe.captions.required,
        largest=largest,
        counts=facts.counts,
        crawl_window=facts.crawl_window,
        recipe=facts.recipe,
        policy=facts.policy,
        registry=facts.registry,
        versions=facts.versions,
        parent=_parent(latest),
        build_sha256=build_sha256,
        files=list_files(building),
    )
    if latest is not None and not release_damage(latest) and _same_files(read_manifest(latest), manifest):
        shutil.rmtree(building)
        return latest
    write_manifest(building, manifest)
    target = run.release(manifest.version)
    building.rename(target)
    fsync_dir(target.parent)
    return target


def latest_release(run: RunFolder) -> Path | None:
    """The newest version that was published, or None."""
    found = [path for path in versions(run.release().parent) if (path / NAME).is_file()]
    return found[-1] if found else None


def _next_version(run: RunFolder) -> str:
    found = versions(run.release().parent)
    return f"v{int(found[-1].name[1:]) + 1}" if found else "v1"


def _parent(latest: Path | None) -> dict[str, str] | None:
    if latest is None:
        return None
    from kyodaku.durable import file_sha256

    return {"version": latest.name, "manifest_sha256": file_sha256(latest / NAME)}


def _same_files(old: Manifest, new: Manifest) -> bool:
    """Equal but for done-markers, which also change with our own source code."""

    def lasting(manifest: Manifest) -> dict[str, Any]:
        return {name: entry for name, entry in manifest.files.items() if not name.endswith("_stats.json")}

    return lasting(old) == lasting(new) and old.local_network == new.local_network


def _uids(building: Path) -> Iterable[str]:
    return (uid for uid in read_table(building / "index.parquet", INDEX)["uid"].to_pylist())


def _sizes(building: Path, shards: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Width and height of every packed picture."""
    for shard in shards:
        table = read_table(building / f"{shard}.parquet", RELEASED, ["width", "height"])
        yield from zip(table["width"].to_pylist(), table["height"].to_pylist(), strict=True)


def _index_row(plan: Mapping[str, Any], shard: str, row: Mapping[str, Any]) -> dict[str, Any]:
    shared = for_tables({name: plan[name] for name in INDEX.names if name in plan})
    return shared | {"shard": f"{shard}.tar", "sha256": row["sha256"]}


def _credit_row(plan: Mapping[str, Any], creator_images: int) -> dict[str, Any]:
    row = for_tables({name: plan[name] for name in ATTRIBUTION.names if name in plan})
    return row | {"creator_images": creator_images if plan["creator"] else 0}


def _window(run: RunFolder) -> tuple[float, float]:
    """First and last fetch of an image, Unix seconds; zeros if nothing was fetched."""
    times: list[float] = []
    for shard in shard_names(run.candidates):
        column = read_table(run.candidates / f"{shard}.parquet", CANDIDATES)["fetched_at"]
        times += [value for value in column.to_pylist() if value]
    return (min(times), max(times)) if times else (0.0, 0.0)
