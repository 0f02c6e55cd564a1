"""annotate: one row of facts for every stored image of a raw shard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from curation.annotators.ai_made import METADATA_CODE
from curation.annotators.base import Annotator, Finding, Picture, Status, look_at_all, still_known
from curation.annotators.basics import basic_facts, failed_image, unknown_image
from curation.annotators.registry import annotators
from curation.steps import BROKEN, ShardJob, code_digest, digest
from kyodaku.errors import DecodeError, RecordError, RunStateError
from kyodaku.fingerprint import decoder_version, sha256_bytes
from kyodaku.recipe import Annotators, Recipe
from kyodaku.records import ANNOTATIONS, RAW
from kyodaku.release.tables import read_rows, shard_names
from kyodaku.runs import RunFolder
from kyodaku.safedecode import DecodeLimits, SafeDecoder
from kyodaku.shards import read_member, write_parquet

#: What the columns before `findings` depend on, beside the limits.
_BASICS = (
    "curation.annotators.basics",
    "kyodaku.copies",
    "kyodaku.fingerprint",
    "kyodaku.imagehead",
    "kyodaku.orientation",
    "kyodaku.safedecode",
    "kyodaku.children",
    "kyodaku._child",
    "kyodaku._decode_child",
    *METADATA_CODE,
)

STORED = ("success", "purged")

#: Pictures decoded at once, and their pixels: what one batch may hold in memory.
BATCH = 16
BATCH_PIXELS = 30_000_000


@dataclass(frozen=True)
class AnnotateConfig:
    """Decoding limits of a recipe, the decoders that digests depend on, and how pictures are looked at."""

    max_bytes: int
    max_pixels: int
    max_frames: int
    formats: tuple[str, ...]
    decoder: str
    section: Annotators

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> AnnotateConfig:
        network = recipe.network
        return cls(
            network.max_image,
            network.max_pixels,
            network.max_frames,
            tuple(sorted(network.formats)),
            decoder_version(),
            recipe.annotators,
        )

    @property
    def basics(self) -> str:
        """The version of the columns before `findings`."""
        limits = [self.max_bytes, self.max_pixels, self.max_frames, self.formats, self.decoder]
        return digest([code_digest(*_BASICS), limits])[:16]

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
    versions = digest([[one.name, one.version] for one in annotators(recipe.annotators)])
    code = code_digest("curation.annotate", *_BASICS)
    jobs = []
    for shard in shard_names(run.raw):
        shard_in = {"tar": run.raw / f"{shard}.tar", "raw": run.raw / f"{shard}.parquet"}
        out = run.annotations / shard
        inputs = digest(_stored(shard_in["raw"], _earlier(out)))
        jobs.append(ShardJob("annotate", annotate, shard_in, out, config, inputs, code, versions))
    return jobs


def annotate(shard_in: Mapping[str, Path], shard_out: Path, config: AnnotateConfig) -> Mapping[str, Any]:
    """Facts about every image of the raw shard `tar` + `raw`. A purged row keeps what was known of it.

    What an earlier run found stays where the annotator's version is the same: only new and changed
    annotators look, those that broke, and those that rest on them.
    """
    earlier = _earlier(shard_out)
    looking = annotators(config.section)
    rows: dict[str, dict[str, Any]] = {}
    with SafeDecoder(config.limits()) as decoder:
        for batch in _batches(shard_in, earlier, config, looking, decoder):
            with one_thread():
                _look(batch, looking)
            rows.update({work.row["key"]: work.row for work in batch})
    kept = [
        rows[row["key"]] if row["status"] == "success" else _purged(row["key"], earlier)
        for row in read_rows(shard_in["raw"], RAW)
        if row["status"] in STORED
    ]
    write_parquet(pa.Table.from_pylist(kept, ANNOTATIONS), shard_out.with_name(f"{shard_out.name}.parquet"))
    broken = sum(any(item["status"] == Status.FAILED for item in row["findings"]) for row in rows.values())
    return {
        "count": len(kept),
        "failed": sum(row["status"] == "failed" for row in kept),
        BROKEN: broken,
    }


@contextmanager
def one_thread() -> Iterator[None]:
    """torch on one thread: shards are spread over processes, and sums over threads end in other digits."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@dataclass
class _Work:
    """One row on its way: its picture if anybody still has to look, and what need not be found again."""

    row: dict[str, Any]
    known: Mapping[str, Mapping[str, Any]]
    picture: Picture | None


def _batches(
    shard_in: Mapping[str, Path],
    earlier: Mapping[str, Mapping[str, Any]],
    config: AnnotateConfig,
    looking: Sequence[Annotator],
    decoder: SafeDecoder,
) -> Iterator[list[_Work]]:
    batch: list[_Work] = []
    pixels = 0
    for row in read_rows(shard_in["raw"], RAW):
        if row["status"] != "success":
            continue
        work = _work(shard_in["tar"], row, earlier.get(row["key"]), config, looking, decoder)
        size = work.picture.decoded.held if work.picture else 0
        if batch and (len(batch) >= BATCH or pixels + size > BATCH_PIXELS):
            yield batch
            batch, pixels = [], 0
        batch.append(work)
        pixels += size
    if batch:
        yield batch


def _work(
    tar: Path,
    raw: Mapping[str, Any],
    earlier: Mapping[str, Any] | None,
    config: AnnotateConfig,
    looking: Sequence[Annotator],
    decoder: SafeDecoder,
) -> _Work:
    """The row of one stored picture, decoded unless an earlier run already said everything about it."""
    row = {"key": raw["key"], "uid": raw["uid"], "sha256": raw["sha256"], "basics": config.basics}
    same = earlier is not None and earlier["sha256"] == raw["sha256"] and earlier["basics"] == config.basics
    known: Mapping[str, Mapping[str, Any]] = {}
    if same and earlier is not None:
        known = still_known(earlier["findings"], looking)
        if earlier["status"] == "failed" or len(known) == len(looking):
            return _Work(dict(earlier), known, None)
    body = stored_bytes(tar, raw)
    try:
        decoded = decoder.decode(body)
    except DecodeError as error:
        return _Work({**row, **failed_image(error), "findings": []}, {}, None)
    return _Work({**row, **basic_facts(body, decoded), "findings": []}, known, Picture(body, decoded))


def _look(batch: Sequence[_Work], looking: Sequence[Annotator]) -> None:
    """Fill in the findings of a batch. Pictures that lack the same annotators are looked at together."""
    groups: dict[tuple[str, ...], list[_Work]] = {}
    for work in batch:
        if work.picture is not None:
            missing = tuple(one.name for one in looking if one.name not in work.known)
            groups.setdefault(missing, []).append(work)
    for works in groups.values():
        pictures = [work.picture for work in works if work.picture is not None]
        known = [{name: Finding.from_row(row) for name, row in work.known.items()} for work in works]
        found = look_at_all(looking, pictures, known)
        for work, findings in zip(works, found, strict=True):
            work.row["findings"] = [findings[one.name].to_row() for one in looking]
            work.picture = None


def _purged(key: str, earlier: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    nothing = {"uid": "", "sha256": "", "basics": "", "findings": [], **unknown_image()}
    return {**(earlier.get(key) or nothing), "key": key}


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
