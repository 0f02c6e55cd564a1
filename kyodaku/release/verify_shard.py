"""One shard of a release: its tar against its Parquet rows, and what each reader of tars requires."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from kyodaku.errors import RecordError
from kyodaku.fingerprint import sha256_bytes, uid_of
from kyodaku.records import RELEASED
from kyodaku.release.manifest import Manifest
from kyodaku.release.markers import read_marker
from kyodaku.release.tables import for_tables, read_rows
from kyodaku.shards import MemberSpan, iter_tar, neutralise_formula, read_member
from kyodaku.stages import counted

IMAGES = frozenset({"jpg", "png", "webp", "gif"})
_OPEN_CLIP = frozenset({"jpg", "png", "webp"})
_UID = re.compile(r"[0-9a-f]{32}")
_JSON_WITHOUT = frozenset({"offset", "bytes"})
_STATS = (
    *("count", "successes", "failed_to_download", "failed_to_resize"),
    *("duration", "start_time", "end_time", "status_dict"),
)


class Problem(NamedTuple):
    """Something that is not as it should be, under one of the checks of `verify.CHECKS`."""

    check: str
    detail: str


@dataclass
class ShardFindings:
    """What a shard holds and what is wrong with it. `member_sets` in order of first appearance;
    `watermarks` are the values of `pwatermark` seen in the `looked_into` samples whose json was read."""

    name: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    member_sets: list[frozenset[str]] = field(default_factory=list)
    watermarks: list[object] = field(default_factory=list)
    looked_into: int = 0

    @property
    def samples(self) -> int:
        """Rows of the shard."""
        return len(self.rows)


def check_shard(folder: Path, name: str, manifest: Manifest, wanted: Collection[str] | None) -> ShardFindings:
    """Check `NNNNN.tar`, `.parquet` and `_stats.json`. Contents of samples outside `wanted` are not read
    (None: all are)."""
    found = ShardFindings(name)
    try:
        found.rows = read_rows(folder / f"{name}.parquet", RELEASED)
    except RecordError as error:
        found.problems.append(Problem("Parquet rows", str(error)))
        return found
    tar = folder / f"{name}.tar"
    try:
        samples = list(_samples(tar))
    except (RecordError, OSError) as error:
        found.problems.append(Problem("tar format", str(error)))
        return found
    _check_keys(found, [key for key, _ in samples])
    for (key, members), row in zip(samples, found.rows, strict=False):
        if key != row["key"]:
            found.problems.append(Problem("Parquet rows", f"{name}: row {row['key']} beside sample {key}"))
            break
        _check_members(found, key, members, row, manifest)
        if wanted is None or row["uid"] in wanted:
            _check_contents(found, tar, members, row, manifest)
    _check_stats(found, folder)
    return found


def reader_rows(manifest: Manifest, findings: Sequence[ShardFindings]) -> Iterator[tuple[str, str, str]]:
    """(check, status, detail) for each reader of shards that asks for more than a well-formed tar."""
    sets = {members for found in findings for members in found.member_sets}
    broken = any(found.problems for found in findings)
    yield ("reader: webdataset", "fail" if broken else "ok", "" if not broken else "see above")
    exts = {ext for members in sets for ext in members & IMAGES}
    if exts <= _OPEN_CLIP:
        yield ("reader: open_clip", "ok", "image, txt, sizes.json")
    else:
        yield ("reader: open_clip", "not applicable", "it does not read gif, which shards.images keeps")
    if len(sets) <= 1:
        members = ", ".join(sorted(next(iter(sets), frozenset())))
        yield ("reader: datasets", "ok", f"every sample has {members}")
    elif manifest.images == "original":
        yield ("reader: datasets", "not applicable", "formats are kept, so members differ between samples")
    else:
        yield ("reader: datasets", "fail", "samples differ in their members")
    yield _diffusers(findings)
    yield ("reader: mlcroissant", "not applicable", "no Croissant file in this version")


def _diffusers(findings: Sequence[ShardFindings]) -> tuple[str, str, str]:
    check = "reader: diffusers (pwatermark)"
    values = [value for found in findings for value in found.watermarks]
    if not values:
        return (check, "not applicable", "no watermark detector has run, so the field is left out")
    wrong = [value for value in values if not isinstance(value, float) or not 0 < value <= 1]
    if wrong:
        return (check, "fail", f"{wrong[0]!r} would be read as 1.0")
    without = sum(found.looked_into for found in findings) - len(values)
    return (check, "ok", f"{without} samples have none and would be left out" if without else "")


def _samples(tar: Path) -> Iterator[tuple[str, list[MemberSpan]]]:
    members: list[MemberSpan] = []
    for span in iter_tar(tar):
        if members and span.key != members[0].key:
            yield members[0].key, members
            members = []
        members.append(span)
    if members:
        yield members[0].key, members


def _check_keys(found: ShardFindings, keys: Sequence[str]) -> None:
    name = found.name
    wrong = [key for key in keys if not _UID.fullmatch(key)]
    found.problems += [Problem("keys", f"{name}: {key} is not 32 hex digits") for key in wrong]
    if len(set(keys)) != len(keys):
        found.problems.append(Problem("keys", f"{name}: members of a sample are not adjacent"))
    elif list(keys) != sorted(keys):
        found.problems.append(Problem("keys", f"{name}: not ordered by uid"))
    if len(keys) != len(found.rows):
        detail = f"{name}: {counted(len(found.rows), 'row')}, {counted(len(keys), 'sample')} in the tar"
        found.problems.append(Problem("Parquet rows", detail))


def _check_members(
    found: ShardFindings, key: str, members: Sequence[MemberSpan], row: Mapping[str, Any], manifest: Manifest
) -> None:
    exts = frozenset(span.ext for span in members)
    if exts not in found.member_sets:
        found.member_sets.append(exts)
    images = exts & IMAGES
    allowed = {"jpg"} if manifest.images == "jpeg" else IMAGES
    if len(members) != 3 or len(images) != 1 or not images <= allowed or not {"json", "txt"} <= exts:
        found.problems.append(Problem("members", f"{found.name}: {key} has {', '.join(sorted(exts))}"))
        return
    image = next(span for span in members if span.ext in IMAGES)
    if (image.offset_data, image.size) != (row["offset"], row["bytes"]):
        detail = f"{found.name}: {key} does not lie where its row says"
        found.problems.append(Problem("Parquet rows", detail))
    if not _uid_fits(row):
        found.problems.append(Problem("keys", f"{found.name}: {key} is not the uid of the bytes fetched"))


def _uid_fits(row: Mapping[str, Any]) -> bool:
    try:
        return bool(row["uid"] == row["key"] == uid_of(row["sha256_source"]))
    except ValueError:
        return False


def _check_contents(
    found: ShardFindings, tar: Path, members: Sequence[MemberSpan], row: Mapping[str, Any], manifest: Manifest
) -> None:
    contents = {span.ext: read_member(tar, span.offset_data, span.size) for span in members}
    key = row["key"]
    image = next((body for ext, body in contents.items() if ext in IMAGES), b"")
    if sha256_bytes(image) != row["sha256"]:
        found.problems.append(Problem("picture digests", f"{found.name}: {key} has other bytes"))
    caption = contents.get("txt", b"").decode("utf-8", "replace")
    if neutralise_formula(caption) != row["caption"] or (manifest.captions_required and not caption.strip()):
        found.problems.append(Problem("captions", f"{found.name}: {key} has no or another caption"))
    _check_json(found, contents.get("json", b""), row, caption)


def _check_json(found: ShardFindings, content: bytes, row: Mapping[str, Any], caption: str) -> None:
    """Every column of the row is in the json with the same value: img2dataset's, then ours. The json has the
    caption as it stands in txt, verbatim; Parquet has words of strangers so that they are no formulas."""
    try:
        value = json.loads(content)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        found.problems.append(Problem("json", f"{found.name}: {row['key']} has no JSON object"))
        return
    told = for_tables(value)
    wrong = [name for name in row if name not in _JSON_WITHOUT and told.get(name, ...) != row[name]]
    if value.get("caption") != caption and "caption" not in wrong:
        wrong.append("caption")
    if wrong:
        detail = f"{found.name}: {row['key']} says something else of {', '.join(wrong[:5])}"
        found.problems.append(Problem("json", detail))
    found.looked_into += 1
    if "pwatermark" in value:
        found.watermarks.append(value["pwatermark"])


def _check_stats(found: ShardFindings, folder: Path) -> None:
    stats = read_marker(folder / f"{found.name}_stats.json") or {}
    missing = [name for name in _STATS if name not in stats]
    if missing:
        found.problems.append(Problem("stats", f"{found.name}_stats.json lacks {', '.join(missing)}"))
    elif not stats["count"] == stats["successes"] == len(found.rows):
        found.problems.append(Problem("stats", f"{found.name}_stats.json counts other than its rows"))
    if any(row["status"] != "success" for row in found.rows):
        found.problems.append(Problem("Parquet rows", f"{found.name}: a row is not released"))
