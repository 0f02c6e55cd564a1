"""pack: a planned shard becomes a tar, its Parquet and its stats. The same plan gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from curation.annotate import AnnotateConfig, stored_bytes
from curation.steps import ShardJob, code_digest, digest
from kyodaku.durable import atomic_write, canonical_json
from kyodaku.errors import DecodeError
from kyodaku.fingerprint import sha256_bytes
from kyodaku.recipe import Recipe
from kyodaku.records import RAW, RELEASED
from kyodaku.release.images import ReleasedImage, rewrite_for_release
from kyodaku.release.plan import PLAN, lasting
from kyodaku.release.tables import for_tables, read_rows
from kyodaku.runs import RunFolder
from kyodaku.safedecode import SafeDecoder
from kyodaku.shards import TarWriter, write_parquet

CODE = (
    "curation.pack",
    "kyodaku.shards",
    "kyodaku.fingerprint",
    "kyodaku.imagehead",
    "kyodaku.orientation",
    "kyodaku.safedecode",
    "kyodaku.children",
    "kyodaku._child",
    "kyodaku._decode_child",
    "kyodaku.release.plan",
    "kyodaku.release.images",
    "kyodaku.release.containers",
    "kyodaku.release.scrub",
    "kyodaku.release.tables",
)

#: Columns of RELEASED that stand in each sample's json as well; where the bytes lie is known to Parquet only.
_NOT_IN_JSON = ("offset", "bytes")


@dataclass(frozen=True)
class PackConfig:
    """How pictures are rewritten: the recipe's `shards.images` and `max_side` (0: any), and the decoder's
    limits."""

    images: Literal["jpeg", "original"]
    max_side: int
    decode: AnnotateConfig


def pack_jobs(run: RunFolder, recipe: Recipe, building: Path, shards: list[str]) -> list[ShardJob]:
    """One job for each planned shard of `building`."""
    config = PackConfig(recipe.shards.images, recipe.shards.max_side, AnnotateConfig.from_recipe(recipe))
    code = code_digest(*CODE)
    jobs = []
    for shard in shards:
        plan = building / "plan" / f"{shard}.parquet"
        shard_in = {"plan": plan, "raw": run.raw}
        inputs = digest(lasting(read_rows(plan, PLAN)))
        jobs.append(ShardJob("pack", pack, shard_in, building / shard, config, inputs, code))
    return jobs


def pack(shard_in: Mapping[str, Path], shard_out: Path, config: PackConfig) -> Mapping[str, Any]:
    """Write `NNNNN.tar` and `NNNNN.parquet`. A picture that cannot be rewritten is left out and named
    under `unreleasable` with its FailReason."""
    planned = read_rows(shard_in["plan"], PLAN)
    rows: list[dict[str, Any]] = []
    failures: dict[str, str] = {}
    raw = _RawShards(shard_in["raw"])
    tar = shard_out.with_name(f"{shard_out.name}.tar")
    with (
        SafeDecoder(config.decode.limits()) as decoder,
        atomic_write(tar) as file,
        TarWriter(file) as writer,
    ):
        for plan in planned:
            try:
                image = rewrite_for_release(
                    raw.read(plan["raw_shard"], plan["raw_key"]),
                    plan["format"],
                    policy=config.images,
                    max_side=config.max_side or None,
                    decoder=decoder,
                )
            except DecodeError as error:
                failures[plan["candidate_id"]] = error.reason.value
                continue
            row = _row(plan, image)
            spans = writer.add(plan["uid"], _members(row, image, plan["pwatermark"]))
            row["offset"] = next(span.offset_data for span in spans if span.ext == image.ext)
            rows.append(for_tables(row))
    write_parquet(pa.Table.from_pylist(rows, RELEASED), shard_out.with_name(f"{shard_out.name}.parquet"))
    return _stats(rows, failures)


class _RawShards:
    """Stored bytes by shard and key; the table of each raw shard is read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: dict[str, dict[str, dict[str, Any]]] = {}

    def read(self, shard: str, key: str) -> bytes:
        """The bytes stored under `key`. Raises as `stored_bytes`."""
        if shard not in self._rows:
            rows = read_rows(self._folder / f"{shard}.parquet", RAW)
            self._rows[shard] = {row["key"]: row for row in rows}
        return stored_bytes(self._folder / f"{shard}.tar", self._rows[shard][key])


def _row(plan: Mapping[str, Any], image: ReleasedImage) -> dict[str, Any]:
    shared = {name: plan[name] for name in RELEASED.names if name in PLAN.names}
    return shared | {
        "key": plan["uid"],
        "status": "success",
        "error_message": None,
        "width": image.width,
        "height": image.height,
        "exif": canonical_json(image.exif).decode("utf-8"),
        "sha256": sha256_bytes(image.body),
        "bytes": len(image.body),
    }


def _members(row: Mapping[str, Any], image: ReleasedImage, pwatermark: float | None) -> dict[str, bytes]:
    """The files of a sample. `pwatermark` is left out of its json where no detector looked."""
    described = {name: row[name] for name in RELEASED.names if name not in _NOT_IN_JSON}
    if pwatermark is not None:
        described["pwatermark"] = pwatermark
    return {
        image.ext: image.body,
        "json": canonical_json(described),
        "txt": str(row["caption"]).encode("utf-8"),
    }


def _stats(rows: list[dict[str, Any]], failures: Mapping[str, str]) -> dict[str, Any]:
    """img2dataset's fields. Times are when the pictures were fetched, never now."""
    times = sorted(row["fetched_at"] for row in rows) or [0.0]
    return {
        "count": len(rows) + len(failures),
        "successes": len(rows),
        "failed_to_download": 0,
        "failed_to_resize": len(failures),
        "duration": times[-1] - times[0],
        "start_time": times[0],
        "end_time": times[-1],
        "status_dict": {"success": len(rows)},
        "unreleasable": dict(failures),
    }
