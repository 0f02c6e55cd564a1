"""annotate: one row of facts for every stored image of a raw shard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from curation.annotators.basics import annotate_image, unknown_image
from curation.steps import ShardJob, code_digest, digest
from kyodaku.errors import RecordError, RunStateError
from kyodaku.fingerprint import decoder_version, sha256_bytes
from kyodaku.recipe import Recipe
from kyodaku.records import ANNOTATIONS, RAW
from kyodaku.release.tables import read_rows, shard_names
from kyodaku.runs import RunFolder
from kyodaku.safedecode import DecodeLimits, SafeDecoder
from kyodaku.shards import read_member, write_parquet

_CODE = (
    "curation.annotate",
    "curation.annotators.basics",
    "kyodaku.fingerprint",
    "kyodaku.safedecode",
    "kyodaku._decode_child",
    "kyodaku.signals.carriers.embedded",
)

STORED = ("success", "purged")


@dataclass(frozen=True)
class AnnotateConfig:
    """Decoding limits of a recipe, and the decoders that the digests depend on."""

    max_bytes: int
    max_pixels: int
    max_frames: int
    formats: tuple[str, ...]
    decoder: str

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> AnnotateConfig:
        network = recipe.network
        return cls(
            network.max_image,
            network.max_pixels,
            network.max_frames,
            tuple(sorted(network.formats)),
            decoder_version(),
        )

    def limits(self) -> DecodeLimits:
        """The same, as the decoder takes it."""
        return DecodeLimits(
            max_bytes=self.max_bytes,
            max_pixels=self.max_pixels,
            max_frames=self.max_frames,
            formats=frozenset(self.formats),
        )


def annotate_jobs(run: RunFolder, recipe: Recipe) -> list[ShardJob]:
    """One job for each raw shard."""
    config = AnnotateConfig.from_recipe(recipe)
    code = code_digest(*_CODE)
    jobs = []
    for shard in shard_names(run.raw):
        shard_in = {"tar": run.raw / f"{shard}.tar", "raw": run.raw / f"{shard}.parquet"}
        out = run.annotations / shard
        inputs = digest(_stored(shard_in["raw"], _earlier(out)))
        jobs.append(ShardJob("annotate", annotate, shard_in, out, config, inputs, code))
    return jobs


def annotate(shard_in: Mapping[str, Path], shard_out: Path, config: AnnotateConfig) -> Mapping[str, Any]:
    """Facts about every image of the raw shard `tar` + `raw`. A purged row keeps what was known of it."""
    earlier = _earlier(shard_out)
    rows: list[dict[str, Any]] = []
    with SafeDecoder(config.limits()) as decoder:
        for row in read_rows(shard_in["raw"], RAW):
            if row["status"] == "success":
                body = stored_bytes(shard_in["tar"], row)
                known = {"uid": row["uid"], "sha256": row["sha256"], **annotate_image(body, decoder)}
            elif row["status"] == "purged":
                known = earlier.get(row["key"]) or {"uid": "", "sha256": "", **unknown_image()}
            else:
                continue
            rows.append({**known, "key": row["key"]})
    write_parquet(pa.Table.from_pylist(rows, ANNOTATIONS), shard_out.with_name(f"{shard_out.name}.parquet"))
    return {"count": len(rows), "failed": sum(row["status"] == "failed" for row in rows)}


def stored_bytes(tar: Path, row: Mapping[str, Any]) -> bytes:
    """The bytes of a raw row of status `success`.

    Raises RecordError if they are not those the row names, RunStateError if the tar was dropped.
    """
    try:
        body = read_member(tar, row["offset"], row["bytes"])
    except FileNotFoundError:
        raise RunStateError(f"{tar} is gone (kyodaku gc drops raw shards); a new crawl is needed") from None
    if sha256_bytes(body) != row["sha256"]:
        raise RecordError(f"{tar}: the bytes of {row['key']} are not those that were stored; the disk failed")
    return body


def _earlier(shard_out: Path) -> dict[str, dict[str, Any]]:
    path = shard_out.with_name(f"{shard_out.name}.parquet")
    return {row["key"]: row for row in read_rows(path, ANNOTATIONS)} if path.is_file() else {}


def _stored(raw: Path, earlier: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """Which image stands under which key: the same before and after a purge."""
    found = []
    for row in read_rows(raw, RAW):
        if row["status"] in STORED:
            known = row["sha256"] or (earlier[row["key"]]["sha256"] if row["key"] in earlier else "")
            found.append([row["key"], known])
    return found
