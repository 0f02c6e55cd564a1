"""`manifest.json`: what a release is, down to the sha256 of every file in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from kyodaku.durable import canonical_json, file_sha256, write_bytes
from kyodaku.errors import RecordError

SCHEMA = "kyodaku.release/1"
NAME = "manifest.json"

#: After this many days a copy of a release should be compared with its publisher's: pictures may have
#: been withdrawn since.
MAX_AGE_DAYS = 30


@dataclass(frozen=True)
class FileEntry:
    """A file of a release: sha256 (hex) and size in bytes."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class Manifest:
    """The whole manifest.

    `counts` maps each outcome to its reasons and their numbers of candidates; `crawl_window` the first and
    the last fetch, Unix seconds; `recipe` digests (hex) of the recipe's crawl section and of each curation
    section; `largest` the greatest `width`, `height` and number of `pixels` of any released picture (not
    always the same one); `policy` and `registry` what decisions were made with; `versions` packages that
    shape bytes; `parent` the version before and the sha256 of its manifest, None for the first;
    `build_sha256` digests everything the release was made from.
    """

    dataset: str
    version: str
    title: str
    local_network: bool
    samples: int
    shards: int
    images: str
    captions_required: bool
    largest: Mapping[str, int]
    counts: Mapping[str, Mapping[str, int]]
    crawl_window: tuple[float, float]
    recipe: Mapping[str, Any]
    policy: Mapping[str, Any]
    registry: Mapping[str, Any]
    versions: Mapping[str, str]
    parent: Mapping[str, str] | None
    build_sha256: str
    files: Mapping[str, FileEntry]
    max_age_days: int = MAX_AGE_DAYS
    schema: str = SCHEMA


def largest_of(sizes: Iterable[tuple[int, int]]) -> dict[str, int]:
    """The manifest's `largest` of pictures, each (width, height) in pixels; zeros of none."""
    largest = {"width": 0, "height": 0, "pixels": 0}
    for width, height in sizes:
        for name, value in (("width", width), ("height", height), ("pixels", width * height)):
            largest[name] = max(largest[name], value)
    return largest


def manifest_bytes(manifest: Manifest) -> bytes:
    """The file of a manifest, the same bytes for the same manifest.

    `manifest_sha256` digests the other fields in canonical JSON, so that the one file which no other
    names cannot change unseen by accident. Against intent, compare it with the publisher's.
    """
    fields = asdict(manifest)
    fields["manifest_sha256"] = hashlib.sha256(canonical_json(fields)).hexdigest()
    text = json.dumps(fields, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8") + b"\n"


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write `manifest.json` into `folder`."""
    write_bytes(folder / NAME, manifest_bytes(manifest))


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a release folder. Raises RecordError unless it is, byte for byte, as we write it."""
    path = folder / NAME
    try:
        content = path.read_bytes()
        values = json.loads(content)
        if values["schema"] != SCHEMA:
            raise RecordError(f"{path}: schema is {values['schema']!r}, this version reads {SCHEMA!r}")
        values.pop("manifest_sha256")
        if set(values) != {field.name for field in fields(Manifest)}:
            raise RecordError(f"{path}: its fields are not those of {SCHEMA}")
        values["files"] = {name: FileEntry(**entry) for name, entry in values["files"].items()}
        first, last = values["crawl_window"]
        values["crawl_window"] = (float(first), float(last))
        manifest = Manifest(**values)
        if manifest_bytes(manifest) != content:
            raise RecordError(f"{path}: was changed after it was written")
        return manifest
    except FileNotFoundError:
        raise RecordError(f"{folder} is not a release: it has no {NAME}") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise RecordError(f"{path}: not a manifest ({type(error).__name__}: {error})") from error


def list_files(folder: Path) -> dict[str, FileEntry]:
    """Every file of `folder` except the manifest, by name, hashed. Raises RecordError for anything else."""
    entries = {}
    for path in sorted(folder.iterdir()):
        if not path.is_file() or path.is_symlink():
            raise RecordError(f"{path}: a release holds plain files only")
        if path.name != NAME:
            entries[path.name] = FileEntry(file_sha256(path), path.stat().st_size)
    return entries


def versions(folder: Path) -> list[Path]:
    """Every version in the folder `release/` of a run, oldest first: its `v1`, `v2`..., whole or not."""
    found = [path for path in folder.glob("v*") if path.name[1:].isdigit()]
    return sorted(found, key=lambda path: int(path.name[1:]))


def release_damage(folder: Path) -> str:
    """What a quick look finds wrong with a release, or "": a file that is missing, that has another size, or
    that was written after the manifest and has another digest. `verify_release` reads everything."""
    try:
        manifest = read_manifest(folder)
    except RecordError as error:
        return str(error)
    finished = (folder / NAME).stat().st_mtime_ns
    for name, entry in sorted(manifest.files.items()):
        path = folder / name
        if path.is_symlink() or not path.is_file():
            return f"{name} is missing or no plain file"
        found = path.stat()
        if found.st_size != entry.bytes:
            return f"{name} has {found.st_size} bytes, {entry.bytes} are listed"
        if found.st_mtime_ns > finished and file_sha256(path) != entry.sha256:
            return f"{name} was changed"
    return ""
