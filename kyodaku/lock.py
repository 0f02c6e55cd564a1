"""Opening a run: which folder a recipe works in, what its lock says, and that nobody else is in it.

A run belongs to the crawl section of one recipe. Its `recipe.lock.toml` holds the resolved recipe, the
digests of its crawl and curation sections, the opt-out protocols that the crawl asked, and the versions
of everything that shaped the result.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import platform
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import tomli_w

from kyodaku.durable import canonical_json, disk_full_as_error, fsync_dir, write_bytes
from kyodaku.errors import RecipeChangedError, RunBusyError, RunStateError, UsageError
from kyodaku.recipe import CURATION_SECTIONS, PERMISSION_FACTS, Recipe, missing_host_table, parse_recipe
from kyodaku.runs import RunFolder

LOCK_VERSION = 1

#: Changed keys that a message names.
_KEYS_SHOWN = 6

#: The file in a run folder whose advisory lock a working process holds.
_BUSY = ".busy"
_UNWRITABLE = frozenset({errno.EEXIST, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.EROFS})
#: A look by `holder` takes the lock for a moment: no reason to turn a run away.
_TRIES, _BETWEEN_TRIES = 5, 0.02

#: Packages whose version can change what a run writes.
_PACKAGES = (
    "kyodaku",
    "scrapy",
    "twisted",
    "protego",
    "lxml",
    "pillow",
    "pdqhash",
    "numpy",
    "pyarrow",
    "webdataset",
    "datatrove",
    "torch",
    "transformers",
)

_HEADER = "# Written by kyodaku; do not edit. The resolved recipe of this run and what made it.\n\n"


@dataclass(frozen=True)
class RunLock:
    """What `recipe.lock.toml` says.

    `crawl_sha256` is the digest of the crawl section, `curation_sha256` maps each curation section to
    its digest, `protocols` are those the crawl asked, `created_at` is Unix time, `versions` maps
    python and packages to their versions when the lock was last written. `folder` held the recipe then: paths
    in the recipe are relative to it ("" in locks of earlier versions).
    """

    recipe: Recipe
    crawl_sha256: str
    curation_sha256: Mapping[str, str]
    local_network: bool
    protocols: tuple[str, ...]
    created_at: float
    versions: Mapping[str, str]
    folder: str = ""

    def recipe_path(self) -> Path:
        """Where the recipe of this run lay, for the files that it names.

        Raises:
            RunStateError: it names files by relative paths, and their folder is not known or not there.
        """
        folder = Path(self.folder)
        names = [self.recipe.network.host_table, *self.recipe.registries.files]
        relative = [name for name in names if name and not Path(name).is_absolute()]
        if relative and not (self.folder and folder.is_dir()):
            raise RunStateError(
                f"the run does not know where its recipe lies, which names {', '.join(relative)}; "
                "give the recipe instead of the run"
            )
        return folder / "recipe.toml"


def crawl_digest(recipe: Recipe, recipe_path: Path) -> str:
    """sha256 hex of everything in a recipe that shapes what is asked and how it is read.

    Of a host table only its names count: a demo's servers listen on other ports every time.

    Raises:
        UsageError: the host table cannot be read.
    """
    sections = _crawl_sections(recipe)
    if recipe.local_network:
        from kyodaku.netguard import load_host_table

        if missing := missing_host_table(recipe, recipe_path.parent):
            raise UsageError(missing.message)
        table = load_host_table(recipe_path.parent / recipe.network.host_table)
        names = sorted(f"{host}:{'*' if port is None else port}" for host, port in table.entries)
        sections["network"]["host_table"] = names
    sections["local_network"] = recipe.local_network
    return _sha256(sections)


def _crawl_sections(recipe: Recipe) -> dict[str, Any]:
    sections = recipe.model_dump(mode="json", exclude=set(CURATION_SECTIONS))
    sections["permission"] = recipe.permission.model_dump(mode="json", include=set(PERMISSION_FACTS))
    if recipe.registries.spawning is not None:  # asked before anything else is: part of the crawl
        sections["registries"] = {"spawning": recipe.registries.spawning.endpoint}
    return sections


def curation_digests(recipe: Recipe) -> dict[str, str]:
    """sha256 hex of each curation section; a stage recomputes what its sections' digests touch."""
    return {name: _sha256(getattr(recipe, name).model_dump(mode="json")) for name in CURATION_SECTIONS}


@contextmanager
def open_run(
    recipe: Recipe,
    recipe_path: Path,
    runs_root: Path = Path("runs"),
    *,
    new: bool = False,
    crawling: bool = True,
    clock: Callable[[], float] = time.time,
) -> Iterator[RunFolder]:
    """The run that `recipe` works in, held exclusively until the block ends.

    Resumes the dataset's latest run; makes one where there is none or `new` is set, and points
    `runs/<dataset>/latest` at it. A changed curation section is taken over into the lock.

    Args:
        crawling: False for stages that only read what was crawled: they need an existing run, and run
            with whatever protocols the crawl asked.
        clock: Unix time that names a new run.

    Raises:
        RecipeChangedError: the crawl section, or the set of protocols, is not what the run began with.
        RunBusyError: another process holds the run.
        RunStateError: not crawling, and nothing was crawled yet.
        UsageError: the host table cannot be read, or no run can be kept under `runs_root`.
    """
    digest = crawl_digest(recipe, recipe_path)
    dataset, folder = runs_root / recipe.name, str(recipe_path.parent.resolve())
    with disk_full_as_error(dataset), _unwritable_as_error(runs_root):
        dataset.mkdir(parents=True, exist_ok=True)
        (dataset / ".opening").touch()
    with _exclusive(dataset / ".opening", wait=True):
        latest = dataset / "latest"
        exists = (latest / "recipe.lock.toml").is_file()
        if not exists and not crawling:
            raise RunStateError(
                f"{recipe.name} has no run under {runs_root} yet; start with: kyodaku run {recipe_path}"
            )
        fresh = new or not exists
        run = _create(dataset, recipe, digest, clock(), folder) if fresh else RunFolder(latest.resolve())
    with _exclusive(run.path / _BUSY, wait=False):
        lock = read_lock(run)
        _check_unchanged(lock, recipe, digest, crawling=crawling)
        now = (curation_digests(recipe), _versions(), folder)
        if now != (lock.curation_sha256, lock.versions, lock.folder):
            _write(run, recipe, digest, lock.protocols, lock.created_at, folder)
        yield run


@contextmanager
def reopen_run(run: RunFolder) -> Iterator[RunLock]:
    """The lock of a run that is named by its folder; the run is held exclusively until the block ends.

    Raises:
        RecipeChangedError: the host table does not name what it named.
        RunBusyError: another process holds the run.
        RunStateError: the lock cannot be read, or the recipe's files cannot be found from it.
        UsageError: the host table cannot be read.
    """
    with _exclusive(run.path / _BUSY, wait=False):
        lock = read_lock(run)
        digest = crawl_digest(lock.recipe, lock.recipe_path())
        _check_unchanged(lock, lock.recipe, digest, crawling=False)
        yield lock


def read_lock(run: RunFolder) -> RunLock:
    """What the lock of `run` says.

    Raises:
        RunStateError: the lock is missing, unreadable, or of another version of this code.
    """
    try:
        data = tomllib.loads(run.lock.read_text("utf-8"))
        if data["version"] != LOCK_VERSION:
            raise RunStateError(f"{run.lock} has version {data['version']}, this code reads {LOCK_VERSION}")
        return RunLock(
            recipe=parse_recipe(data["recipe"], str(run.lock)),
            crawl_sha256=data["crawl_sha256"],
            curation_sha256=data["curation_sha256"],
            local_network=data["local_network"],
            protocols=tuple(data["protocols"]),
            created_at=data["created_at"],
            versions=data["versions"],
            folder=data.get("folder", ""),
        )
    except FileNotFoundError:
        raise RunStateError(f"{run.path} is not a run: it has no recipe.lock.toml") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise RunStateError(f"{run.lock} is not a lock: {error}") from error


def holder(run: RunFolder) -> int | None:
    """The id of the process that works on `run`, or None. A process that was killed holds nothing."""
    try:
        descriptor = os.open(run.path / _BUSY, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        named = os.pread(descriptor, 20, 0).strip()
        return int(named) if named.isdigit() else None
    finally:
        os.close(descriptor)
    return None


def _check_unchanged(lock: RunLock, recipe: Recipe, digest: str, *, crawling: bool) -> None:
    if lock.crawl_sha256 != digest:
        changed = _changed_keys(lock.recipe, recipe)
        shown = ", ".join(changed[:_KEYS_SHOWN]) + (", ..." if len(changed) > _KEYS_SHOWN else "")
        raise RecipeChangedError(
            f"the crawl section of the recipe is not the one this run began with; changed: {shown}; put it "
            "back, or start another run with --new"
        )
    asked = _protocols()
    if crawling and lock.protocols != asked:
        others = ", ".join(sorted(set(lock.protocols) ^ set(asked)))
        raise RecipeChangedError(
            f"this run began with other opt-out protocols than are installed now ({others}), so what it "
            "crawled was not asked the same questions; start another run with --new"
        )


def _changed_keys(old: Recipe, new: Recipe) -> list[str]:
    """Dotted paths of what shapes a crawl and differs. Where no key does, the host table's names do."""
    before, after = _flat(_crawl_sections(old)), _flat(_crawl_sections(new))
    for keys in (before, after):  # only the names in a host table count, not where it lies
        keys["network.host_table"] = bool(keys["network.host_table"])
    differing = (key for key in {**before, **after} if before.get(key) != after.get(key))
    return sorted(differing) or ["the names in network.host_table"]


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Leaves of nested tables by dotted path."""
    leaves: dict[str, Any] = {}
    for key, value in table.items():
        leaves |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return leaves


def _create(dataset: Path, recipe: Recipe, digest: str, now: float, folder: str) -> RunFolder:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    names = (stamp if number == 1 else f"{stamp}-{number}" for number in range(1, 10_000))
    with disk_full_as_error(dataset):
        for name in names:
            with suppress(FileExistsError):
                (dataset / name).mkdir()
                break
        run = RunFolder((dataset / name).resolve())
        _write(run, recipe, digest, _protocols(), now, folder)
        pointer = dataset / ".latest.tmp"
        pointer.unlink(missing_ok=True)
        pointer.symlink_to(name)
        os.replace(pointer, dataset / "latest")
        fsync_dir(dataset)
    return run


def _write(
    run: RunFolder, recipe: Recipe, digest: str, protocols: tuple[str, ...], created_at: float, folder: str
) -> None:
    document: dict[str, Any] = {
        "version": LOCK_VERSION,
        "created_at": created_at,
        "folder": folder,
        "local_network": recipe.local_network,
        "protocols": list(protocols),
        "crawl_sha256": digest,
        "curation_sha256": curation_digests(recipe),
        "versions": _versions(),
        "recipe": recipe.model_dump(mode="json", exclude_none=True),
    }
    write_bytes(run.lock, (_HEADER + tomli_w.dumps(document)).encode("utf-8"))


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _protocols() -> tuple[str, ...]:
    try:
        from kyodaku.signals.protocols import all_protocols
    except ModuleNotFoundError:  # without the permission extra nothing is crawled
        return ()
    return tuple(protocol.name for protocol in all_protocols())


def _sha256(value: object) -> str:
    return hashlib.sha256(canonical_json(value)).hexdigest()


@contextmanager
def _exclusive(path: Path, *, wait: bool) -> Iterator[None]:
    """Hold the advisory lock of `path`, which names our process while we do.

    The kernel lets go when the process ends, however it ends, so a killed run never stays locked.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        if not _locked(descriptor, wait=wait):
            pid = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
            raise RunBusyError(f"process {pid} is working on {path.parent}; wait for it or stop it")
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _unwritable_as_error(runs_root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        raise UsageError(f"no run can be kept under {runs_root}: {error.strerror}") from error


def _locked(descriptor: int, *, wait: bool) -> bool:
    if wait:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return True
    for _ in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(_BETWEEN_TRIES)
    return False
