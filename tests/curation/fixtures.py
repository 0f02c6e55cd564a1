"""Small crawled runs made by hand: real pictures, real tars, every table with its schema."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image
from rich.console import Console

from kyodaku.fingerprint import candidate_id, sha256_bytes, uid_of
from kyodaku.lock import open_run
from kyodaku.recipe import Recipe, parse_recipe
from kyodaku.records import CANDIDATES, RAW, Candidate
from kyodaku.runs import RunFolder
from kyodaku.shards import TarWriter, write_parquet, write_stats
from kyodaku.signals.model import (
    Binding,
    Effect,
    LicenceBinding,
    LicenceEvidence,
    Signal,
    Use,
    Where,
)
from kyodaku.stages import StageContext

T0 = 1_790_000_000.0

PUBLIC_DOMAIN = LicenceEvidence(
    licence="pdm-1.0",
    licence_url="https://creativecommons.org/publicdomain/mark/1.0/",
    binding=LicenceBinding.FIGURE,
    institution="",
    source_url="https://museum.example/work",
    element='<a rel="license">',
    digest="ab" * 32,
)

NOAI = Signal(
    protocol="meta-robots",
    where=Where.HTML,
    binding=Binding.PAGE,
    use=Use.TRAINING,
    effect=Effect.RESERVED,
    raw='<meta name="robots" content="noai">',
    parsed="noai",
    rule="",
    reason="meta_robots",
    source_url="https://artist.example/",
    digest="cd" * 32,
    complete=True,
    fetched_at=T0,
)

UNREADABLE = replace(NOAI, effect=Effect.ERROR, reason="signal_unreadable")


def picture(seed: int, width: int = 320, height: int = 280) -> Image.Image:
    """Smooth random colours: no two seeds look alike, and JPEG keeps them."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 255, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """The picture as a file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def jpeg(seed: int, width: int = 320, height: int = 280, **options: Any) -> bytes:
    """A JPEG of `picture(seed)`."""
    return encoded(picture(seed, width, height), "JPEG", quality=90, **options)


@dataclass(frozen=True)
class Found:
    """A candidate to put in a run. `body` None: never fetched. Anything of the row can be overridden."""

    name: str
    body: bytes | None
    page: str = "https://museum.example/page"
    alt: str = ""
    evidence: tuple[LicenceEvidence, ...] = (PUBLIC_DOMAIN,)
    signals: tuple[Signal, ...] = ()
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"https://museum.example/{self.name}.jpg"

    @property
    def candidate_id(self) -> str:
        return candidate_id(self.url, self.page)

    @property
    def uid(self) -> str:
        return uid_of(sha256_bytes(self.body)) if self.body else ""


RECIPE: dict[str, Any] = {
    "version": 1,
    "name": "tiny",
    "operator": {"crawler": "TestBot"},
    "seeds": {"sites": ["https://museum.example/"]},
    "network": {"host_table": "hosts.toml"},
    "permission": {"basis": "public-domain"},
    "filters": {"resolution": {"min_side": 64, "max_aspect": 4.0}},
    "shards": {"samples": 3, "raw_samples": 4},
    "release": {"title": "A tiny set"},
}


def recipe(**sections: dict[str, Any]) -> Recipe:
    """The recipe of the fixtures, sections updated."""
    merged = {name: dict(value) if isinstance(value, dict) else value for name, value in RECIPE.items()}
    for name, section in sections.items():
        merged[name] = {**merged.get(name, {}), **section}
    return parse_recipe(merged, "tiny")


def make_run(
    root: Path, found: Sequence[Found], using: Recipe | None = None, per_shard: int = 4
) -> RunFolder:
    """A run folder as the crawler leaves it: lock, candidates in two shards, raw shards of `per_shard`."""
    using = using or recipe()
    root.mkdir(parents=True, exist_ok=True)
    (root / "hosts.toml").write_text('[hosts]\n"museum.example" = "127.0.0.1:8080"\n')
    with open_run(using, root / "recipe.toml", root / "runs", clock=lambda: T0) as run:
        pass
    places = _write_raw(run, found, per_shard)
    rows = [_candidate(item, index, places).to_row() for index, item in enumerate(found)]
    run.candidates.mkdir()
    half = (len(rows) + 1) // 2
    for number, part in enumerate((rows[:half], rows[half:])):
        write_parquet(pa.Table.from_pylist(part, CANDIDATES), run.candidates / f"{number:05d}.parquet")
    return run


def context(
    run: RunFolder, using: Recipe | None = None, workers: int = 1, clock: Callable[[], float] = lambda: T0
) -> StageContext:
    """What the command line would hand to a stage."""
    console = Console(file=io.StringIO())
    path = run.path.parent.parent.parent / "recipe.toml"
    return StageContext(using or recipe(), path, run, console, clock, workers, quiet=True)


def _write_raw(run: RunFolder, found: Sequence[Found], per_shard: int) -> dict[str, tuple[str, str]]:
    run.raw.mkdir()
    bodies: dict[str, Found] = {}
    for item in found:
        if item.body is not None and item.changes.get("raw_key") != "":
            bodies.setdefault(item.uid, item)
    places: dict[str, tuple[str, str]] = {}
    stored = list(bodies.items())
    for number, start in enumerate(range(0, max(1, len(stored)), per_shard)):
        shard = f"{number:05d}"
        rows = []
        with open(run.raw / f"{shard}.tar", "wb") as file, TarWriter(file) as tar:
            for index, (uid, item) in enumerate(stored[start : start + per_shard]):
                key = f"{number:05d}{index:04d}"
                body = item.body or b""
                members = {"jpg": body, "txt": item.alt.encode(), "json": b'{"thumb": "none"}'}
                span = next(span for span in tar.add(key, members) if span.ext == "jpg")
                places[uid] = (shard, key)
                rows.append(_raw_row(item, key, body, span.offset_data))
        write_parquet(pa.Table.from_pylist(rows, RAW), run.raw / f"{shard}.parquet")
        write_stats(run.raw / f"{shard}_stats.json", {"count": len(rows)})
    return places


def _raw_row(item: Found, key: str, body: bytes, offset: int) -> dict[str, Any]:
    return {
        "url": item.url,
        "caption": item.alt,
        "key": key,
        "status": "success",
        "error_message": "",
        "width": 0,
        "height": 0,
        "original_width": 0,
        "original_height": 0,
        "exif": "",
        "sha256": sha256_bytes(body),
        "uid": item.uid,
        "ext": "jpg",
        "bytes": len(body),
        "offset": offset,
    }


def _candidate(item: Found, index: int, places: dict[str, tuple[str, str]]) -> Candidate:
    candidate = Candidate(
        candidate_id=item.candidate_id,
        image_url=item.url,
        page_url=item.page,
        host="museum.example",
        alt=item.alt or f"a picture of number {index} in the museum",
        found_at=T0,
        schema_creator="Hokusai" if index % 2 else "",
        evidence=item.evidence,
        signals=item.signals,
    )
    if item.body is not None:
        shard, key = places.get(item.uid, ("", ""))
        candidate = replace(
            candidate,
            gate="g5",
            gate_verdict="proceed",
            gate_reason="",
            final_url=item.url,
            status=200,
            fetched_at=T0 + index,
            bytes=len(item.body),
            sha256=sha256_bytes(item.body),
            uid=item.uid,
            mime="image/jpeg",
            raw_shard=shard,
            raw_key=key,
        )
    return replace(candidate, **item.changes)
