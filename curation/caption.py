"""caption: the text that goes with each kept picture, one shard for each raw shard.

Words of the page come first; where none pass, and the recipe names a model, a synthetic caption fills in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from curation.annotate import stored_bytes
from curation.blip import BlipSettings, caption_images, weights_digest
from curation.captions import WebText, choose_text
from curation.select import awaits_caption
from curation.steps import ShardJob, code_digest, digest
from kyodaku.reasons import Outcome
from kyodaku.recipe import Recipe
from kyodaku.records import CANDIDATES, CAPTIONS, DECISIONS, RAW
from kyodaku.release.tables import iter_rows, read_rows, read_table, shard_names
from kyodaku.runs import RunFolder
from kyodaku.safedecode import DecodeLimits, SafeDecoder
from kyodaku.shards import write_parquet

_CODE = ("curation.caption", "curation.captions", "curation.blip", "curation.select")


@dataclass(frozen=True)
class KeptImage:
    """A picture that select kept, and the texts of its candidates, the kept one's first."""

    uid: str
    raw_key: str
    texts: tuple[WebText, ...]


@dataclass(frozen=True)
class CaptionConfig:
    """What the caption step needs besides the raw shard. `model` is None for web text only."""

    kept: tuple[KeptImage, ...]
    min_characters: int
    max_characters: int
    model: BlipSettings | None
    max_bytes: int
    max_pixels: int
    formats: tuple[str, ...]


def caption_jobs(run: RunFolder, recipe: Recipe) -> list[ShardJob]:
    """One job for each raw shard. Raises MissingWeightsError before anything starts."""
    kept = _kept_images(run)
    settings = BlipSettings.from_recipe(recipe)
    models = weights_digest(settings) if settings is not None else ""
    code = code_digest(*_CODE)
    jobs = []
    for shard in shard_names(run.raw):
        config = CaptionConfig(
            tuple(kept.get(shard, ())),
            recipe.captions.min_characters,
            recipe.captions.max_characters,
            settings,
            recipe.network.max_image,
            recipe.network.max_pixels,
            tuple(sorted(recipe.network.formats)),
        )
        shard_in = {"tar": run.raw / f"{shard}.tar", "raw": run.raw / f"{shard}.parquet"}
        inputs = digest([asdict(image) for image in config.kept])
        jobs.append(
            ShardJob("caption", caption, shard_in, run.captions / shard, config, inputs, code, models)
        )
    return jobs


def caption(shard_in: Mapping[str, Path], shard_out: Path, config: CaptionConfig) -> Mapping[str, Any]:
    """Rows of CAPTIONS for the kept pictures of one raw shard, ordered by uid."""
    rows = [_web_row(image, config) for image in config.kept]
    missing = [index for index, row in enumerate(rows) if not row["text"]]
    if config.model is not None and missing:
        texts = _synthetic([config.kept[index].raw_key for index in missing], shard_in, config)
        for index, text in zip(missing, texts, strict=True):
            rows[index].update(
                text=text, source="synthetic" if text else "", synthetic_text=text, model=config.model.label
            )
    rows.sort(key=lambda row: row["uid"])
    write_parquet(pa.Table.from_pylist(rows, CAPTIONS), shard_out.with_name(f"{shard_out.name}.parquet"))
    return {"count": len(rows), "without_text": sum(not row["text"] for row in rows)}


def _web_row(image: KeptImage, config: CaptionConfig) -> dict[str, Any]:
    chosen = choose_text(image.texts, config.min_characters, config.max_characters)
    return {
        "uid": image.uid,
        "candidate_id": chosen.candidate_id if chosen else image.texts[0].candidate_id,
        "text": chosen.text if chosen else "",
        "source": chosen.source if chosen else "",
        "web_text": chosen.text if chosen else "",
        "synthetic_text": "",
        "model": "",
    }


def _synthetic(keys: Sequence[str], shard_in: Mapping[str, Path], config: CaptionConfig) -> list[str]:
    assert config.model is not None  # noqa: S101 - narrows the type; the caller checked
    rows = {row["key"]: row for row in read_rows(shard_in["raw"], RAW)}
    limits = DecodeLimits(
        max_bytes=config.max_bytes, max_pixels=config.max_pixels, formats=frozenset(config.formats)
    )
    with SafeDecoder(limits) as decoder:
        pictures = (decoder.decode(stored_bytes(shard_in["tar"], rows[key])).pixels for key in keys)
        return caption_images(pictures, config.model)


def _kept_images(run: RunFolder) -> dict[str, list[KeptImage]]:
    """Pictures to caption, by raw shard. Copies lend their pages' words to the one that is kept."""
    kept: dict[str, str] = {}
    copies: dict[str, list[str]] = defaultdict(list)
    for _, rows in iter_rows(run.decisions, DECISIONS):
        for row in rows:
            if awaits_caption(row):
                kept[row["candidate_id"]] = row["uid"]
            elif row["outcome"] == Outcome.DUPLICATE:
                copies[row["because_of"]].append(row["candidate_id"])
    texts, places = _texts(run)
    images: dict[str, list[KeptImage]] = defaultdict(list)
    for candidate_id, uid in sorted(kept.items(), key=lambda item: item[1]):
        order = [candidate_id, *sorted(copies[candidate_id])]
        shard, key = places[uid]
        images[shard].append(KeptImage(uid, key, tuple(texts[name] for name in order)))
    return images


def _texts(run: RunFolder) -> tuple[dict[str, WebText], dict[str, tuple[str, str]]]:
    """Texts by candidate, and the raw shard and key by uid."""
    columns = [
        *("candidate_id", "uid", "raw_shard", "raw_key"),
        *("caption", "alt", "schema_description", "schema_name", "title"),
    ]
    texts: dict[str, WebText] = {}
    places: dict[str, tuple[str, str]] = {}
    for shard in shard_names(run.candidates):
        table = read_table(run.candidates / f"{shard}.parquet", CANDIDATES).select(columns)
        for row in table.to_pylist():
            place = row.pop("raw_shard"), row.pop("raw_key")
            uid = row.pop("uid")
            if uid and place[1]:
                places.setdefault(uid, place)
            texts[row["candidate_id"]] = WebText(**row)
    return texts, places
