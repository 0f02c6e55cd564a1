"""`kyodaku verify`: is a release what its manifest says, and can every reader of shards read it?

Every file is hashed against the manifest, in parallel; only then is anything in it read. Then every
sample: key, members, digests, and each statement made about it in tar, Parquet and JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from kyodaku.durable import file_sha256
from kyodaku.errors import RecordError
from kyodaku.records import RELEASED
from kyodaku.release.manifest import NAME, Manifest, read_manifest
from kyodaku.release.tables import read_rows, shard_names
from kyodaku.release.verify_indexes import Problem, check_indexes
from kyodaku.release.verify_shard import ShardFindings, check_shard, reader_rows
from kyodaku.release.withdrawn import warnings
from kyodaku.runs import RunFolder
from kyodaku.stages import counted

OK, WARN, FAIL, NOT_APPLICABLE = "ok", "warn", "fail", "not applicable"

_SHOWN = 3


@dataclass(frozen=True)
class CheckRow:
    """One check: `status` is `ok`, `warn`, `fail` or `not applicable`; `detail` says what was seen."""

    check: str
    status: str
    detail: str


@dataclass(frozen=True)
class VerifyReport:
    """The result of a verification. `ok` only if there are rows and none failed."""

    release: str
    ok: bool
    samples: int
    bytes: int
    rows: tuple[CheckRow, ...]

    def render(self) -> Table:
        """The report as a table for people."""
        table = Table(title=f"{self.release}: {'as it should be' if self.ok else 'NOT as it should be'}")
        for heading in ("check", "result", "detail"):
            table.add_column(heading, overflow="fold")
        styles = {OK: "green", WARN: "bold yellow", FAIL: "bold red", NOT_APPLICABLE: "dim"}
        for row in self.rows:
            table.add_row(row.check, f"[{styles[row.status]}]{row.status}[/]", row.detail)
        return table


def verify_release(
    folder: Path, sample: int = 0, workers: int = 1, console: Console | None = None
) -> VerifyReport:
    """Check a release folder.

    Args:
        sample: hash only this many pictures and not the tars as wholes; 0: everything. Structure, tables
            and indexes are checked in full either way.
        workers: threads (hashing leaves Python's lock).
        console: where to show progress; None for nowhere.
    """
    try:
        manifest = read_manifest(folder)
    except RecordError as error:
        return VerifyReport(str(folder), False, 0, 0, (CheckRow("manifest", FAIL, str(error)),))
    with ThreadPoolExecutor(workers) as pool, _progress(console) as progress:
        problems, sound, size = _check_files(folder, manifest, pool, progress, skip_tars=sample > 0)
        shards = sorted(name.removesuffix(".tar") for name in manifest.files if name.endswith(".tar"))
        readable = [name for name in shards if {f"{name}.tar", f"{name}.parquet"} <= sound]
        wanted = _sampled(folder, readable, sample) if sample else None
        task = progress.add_task("samples", total=len(readable))
        findings: list[ShardFindings] = []
        work = pool.map(lambda name: check_shard(folder, name, manifest, wanted), readable)
        for found in work:
            findings.append(found)
            progress.advance(task)
    problems += [problem for found in findings for problem in found.problems]
    if len(readable) == len(shards) and not problems:
        problems += check_indexes(folder, manifest, findings)
    samples = sum(found.samples for found in findings)
    rows = _rows(manifest, problems, samples, wanted)
    rows += [CheckRow(*row) for row in reader_rows(manifest, findings)]
    rows += _refused_since(folder)
    ok = all(row.status != FAIL for row in rows)
    return VerifyReport(str(folder), ok, samples, size, tuple(rows))


CHECKS = (
    "files",
    "file digests",
    "tar format",
    "keys",
    "members",
    "picture digests",
    "json",
    "captions",
    "Parquet rows",
    "stats",
    "indexes",
)


def _rows(
    manifest: Manifest, problems: Sequence[Problem], samples: int, wanted: Collection[str] | None
) -> list[CheckRow]:
    """One row for each check, in the order of CHECKS; the first few problems are its detail."""
    good = {
        "files": f"{counted(len(manifest.files), 'file')}, no other",
        "file digests": "sha256 of every file" if wanted is None else "sha256 of every file but the tars",
        "picture digests": f"sha256 of {counted(samples if wanted is None else len(wanted), 'picture')}",
        "keys": "lower-case hex, 128 bits, from the bytes as fetched, ascending",
        "tar format": "ustar, regular files, nothing between members",
    }
    rows = [CheckRow("manifest", OK, f"{manifest.dataset} {manifest.version}, {manifest.schema}")]
    for check in CHECKS:
        found = [problem.detail for problem in problems if problem.check == check]
        if found:
            more = f" (and {len(found) - _SHOWN} more)" if len(found) > _SHOWN else ""
            rows.append(CheckRow(check, FAIL, "; ".join(found[:_SHOWN]) + more))
        else:
            rows.append(CheckRow(check, OK, good.get(check, "")))
    return rows


def _refused_since(folder: Path) -> list[CheckRow]:
    """For a release in the folder of its run: what the run's decisions say of its pictures by now. A warning,
    since the release is still what its manifest says."""
    run = RunFolder(folder.resolve().parent.parent)
    if folder.resolve().parent != run.release().parent or not shard_names(run.decisions):
        return []
    found = warnings(run)
    if found:
        return [CheckRow("refused since", WARN, "; ".join(found))]
    return [CheckRow("refused since", OK, "no picture of this run's releases is refused by now")]


def _check_files(
    folder: Path, manifest: Manifest, pool: ThreadPoolExecutor, progress: Progress, skip_tars: bool
) -> tuple[list[Problem], set[str], int]:
    """Names, sizes and digests of all files: problems, names of those that are sound, bytes in all."""
    problems = _check_names(folder, manifest)
    sound: set[str] = set()
    task = progress.add_task("files", total=len(manifest.files))

    def hashed(name: str) -> str:
        return "" if skip_tars and name.endswith(".tar") else file_sha256(folder / name)

    names = [name for name in sorted(manifest.files) if _is_plain_file(folder, name)]
    for name, digest in zip(names, pool.map(_quietly(hashed), names), strict=True):
        entry = manifest.files[name]
        size = (folder / name).stat().st_size
        if size != entry.bytes:
            problems.append(Problem("file digests", f"{name} has {size} bytes, {entry.bytes} are listed"))
        elif digest not in (entry.sha256, ""):
            problems.append(Problem("file digests", f"{name} was changed"))
        else:
            sound.add(name)
        progress.advance(task)
    return problems, sound, sum(manifest.files[name].bytes for name in sound)


def _check_names(folder: Path, manifest: Manifest) -> list[Problem]:
    found = {path.name for path in folder.iterdir()} - {NAME}
    missing = sorted(name for name in manifest.files if not _is_plain_file(folder, name))
    extra = sorted(found - set(manifest.files))
    return [
        *(Problem("files", f"{name} is missing or no plain file") for name in missing),
        *(Problem("files", f"{name} is not in the manifest") for name in extra),
    ]


def _is_plain_file(folder: Path, name: str) -> bool:
    path = folder / name
    return "/" not in name and name not in ("", ".", "..") and path.is_file() and not path.is_symlink()


def _quietly(hashed: Callable[[str], str]) -> Callable[[str], str]:
    """Like `hashed`, with a word that matches no digest for a file that cannot be read."""

    def inner(name: str) -> str:
        try:
            return hashed(name)
        except OSError:
            return "unreadable"

    return inner


def _sampled(folder: Path, shards: Iterable[str], sample: int) -> set[str]:
    """Uids of `sample` pictures, the same at every call. They are hashes already, so the reversed hex
    shuffles them."""
    uids = [row["uid"] for name in shards for row in read_rows(folder / f"{name}.parquet", RELEASED)]
    return set(sorted(uids, key=lambda uid: str(uid)[::-1])[:sample])


def _progress(console: Console | None) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=console is None, transient=True)
