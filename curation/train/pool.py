"""`python -m curation.train.pictures`: fetch and unpack the packages of `packages.toml`, without root.

`apt-get download` checks every package against the signed index of the machine's own Debian sources;
`dpkg-deb -x` unpacks it below the pool. Nothing is installed. A package that is already there is left
alone, so that the command can be run again after an interruption.
"""

from __future__ import annotations

import argparse
import json
import shutil
import struct
import subprocess
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from rich.progress import track

from curation.train import pictures
from curation.train.pictures import DEFAULT_POOL, PICTURES, copyright_digest

MANIFEST = "manifest.json"


class FetchError(Exception):
    """A package could not be fetched, unpacked or trusted; the message says which and why."""


def main(arguments: list[str] | None = None) -> None:
    """Fetch what is missing, one line for each package that could not be had, and a summary."""
    parser = argparse.ArgumentParser(prog="python -m curation.train.pictures", description=__doc__)
    parser.add_argument("--pool", type=Path, default=DEFAULT_POOL, help="folder that receives the packages")
    parser.add_argument("--only", nargs="*", default=[], help="names of packages; default: all of the table")
    parser.add_argument("--list", action="store_true", help="fetch nothing; say what is in the pool")
    parser.add_argument(
        "--licences", action="store_true", help="fetch nothing; print docs/training-pictures.md's table"
    )
    options = parser.parse_args(arguments)
    if options.licences:
        print(licences(options.pool))
        return
    if not options.list:
        fetch_all(options.pool, options.only)
    report(options.pool)


def fetch_all(pool: Path, only: list[str]) -> None:
    """Fetch every package of the table that is not in the pool; record versions in `manifest.json`."""
    table = {
        name: entry
        for name, entry in pictures.table().items()
        if entry.get("origin") != "python" and (not only or name in only)
    }
    manifest = read_manifest(pool)
    for name, entry in track(table.items(), description="packages"):
        try:
            manifest[name] = manifest.get(name) or fetch(pool, name)
            unpack_archives(pool / "packages" / name, entry.get("archives", ()))
            check_copyright(pool, name, entry, manifest[name])
        except (FetchError, OSError) as error:
            print(f"{name}: {error}")
        write_manifest(pool, manifest)


def fetch(pool: Path, name: str) -> dict[str, str]:
    """Download and unpack one package; its version, the SHA-256 of the package and of its copyright file.

    Raises FetchError.
    """
    target = pool / "packages" / name
    pool.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=pool) as folder:
        _run(["apt-get", "download", "-q", name], folder, name)
        packages = list(Path(folder).glob("*.deb"))
        if len(packages) != 1:
            raise FetchError("apt-get download left no package")
        part = Path(folder) / "unpacked"
        _run(["dpkg-deb", "-x", str(packages[0]), str(part)], folder, name)
        if target.exists():
            shutil.rmtree(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        version = _run(["dpkg-deb", "-f", str(packages[0]), "Version"], folder, name).strip()
        digest = sha256(packages[0].read_bytes()).hexdigest()
        part.replace(target)
    return {"version": version, "deb_sha256": digest, "copyright": copyright_digest(target, name)}


def check_copyright(pool: Path, name: str, entry: dict[str, Any], had: dict[str, str]) -> None:
    """Raises FetchError if the copyright file is not the one that was read for the table."""
    found = copyright_digest(pool / "packages" / name, name)
    if found != entry["copyright"]:
        raise FetchError(
            f"version {had['version']} has another copyright file than {entry['version']}, which was read"
            f" (sha256 {found}): left out until somebody reads it"
        )


def _run(command: list[str], folder: str, name: str) -> str:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=1800, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FetchError(str(error)) from error
    if done.returncode:
        raise FetchError(f"{command[0]}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
    return done.stdout


# --------------------------------------------------------------------------- archives inside packages


def unpack_archives(folder: Path, globs: list[str]) -> None:
    """Pictures inside a package's zip (`.pk3`) and Qt resource (`.rcc`) archives, to `<folder>/archives`."""
    target = folder / "archives"
    if not globs or target.is_dir():
        return
    part = folder / "archives.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    for glob in globs:
        for path in sorted(folder.glob(glob)):
            members = iter_rcc(path.read_bytes()) if path.suffix == ".rcc" else iter_zip(path)
            for name, body in members:
                _write_member(part, name, body)
    part.replace(target)


def _write_member(root: Path, name: str, body: bytes) -> None:
    path = PurePosixPath(name)
    if path.suffix.lower() not in PICTURES or path.is_absolute() or ".." in path.parts:
        return
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(body)


def iter_zip(path: Path) -> Iterator[tuple[str, bytes]]:
    """Names and contents of a zip archive's files."""
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if not info.is_dir():
                yield info.filename, archive.read(info)


def iter_rcc(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the files of a Qt binary resource (rcc, versions 1 to 3). Raises FetchError.

    Layout: tree of 14-byte (later 22-byte) entries, names as UTF-16 with length and hash, data with
    length; flag 1 compresses with zlib behind a four-byte length, 2 is a folder, 4 is Zstandard.
    """
    if body[:4] != b"qres":
        raise FetchError("not a Qt resource")
    version, tree, data, names = struct.unpack_from(">4I", body, 4)
    step = 14 if version < 2 else 22

    def walk(index: int, folder: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
        offset = tree + index * step
        at, flags = struct.unpack_from(">IH", body, offset)
        (length,) = struct.unpack_from(">H", body, names + at)
        name = body[names + at + 6 : names + at + 6 + 2 * length].decode("utf-16-be")
        here = (*folder, name) if index else folder
        if flags & 2:
            count, first = struct.unpack_from(">II", body, offset + 6)
            for child in range(first, first + count):
                yield from walk(child, here)
        elif not flags & 4:
            (start,) = struct.unpack_from(">I", body, offset + 10)
            (size,) = struct.unpack_from(">I", body, data + start)
            content = body[data + start + 4 : data + start + 4 + size]
            yield "/".join(here), zlib.decompress(content[4:]) if flags & 1 else content

    yield from walk(0, ())


# --------------------------------------------------------------------------- what is there


def read_manifest(pool: Path) -> dict[str, dict[str, str]]:
    """By package: version and digests of what was fetched."""
    path = pool / MANIFEST
    if not path.is_file():
        return {}
    read: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return {name: entry for name, entry in read.items() if (pool / "packages" / name).is_dir()}


def write_manifest(pool: Path, manifest: dict[str, dict[str, str]]) -> None:
    """Replace `manifest.json` in one step."""
    part = pool / f"{MANIFEST}.part"
    part.write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    part.replace(pool / MANIFEST)


def report(pool: Path) -> None:
    """Print how many pictures of each kind and how many font families each split has."""
    counts: dict[str, dict[str, int]] = {}
    for source in pictures.sources(pool):
        row = counts.setdefault(source.kind, {})
        row[source.split] = row.get(source.split, 0) + 1
    for kind, row in sorted(counts.items()):
        print(kind, *(f"{split} {row.get(split, 0)}" for split in pictures.SPLITS))
    for split in pictures.SPLITS:
        families = {font.family for font in pictures.fonts(pool, split)}
        print(f"font families, {split}: {len(families)}")


def licences(pool: Path) -> str:
    """A Markdown table: by package what it is used for, how many files, and under which licences."""
    used: dict[str, Counter[str]] = {}
    said: dict[str, set[str]] = {}
    for source in pictures.sources(pool):
        package = source.name.split(":")[0]
        used.setdefault(package, Counter())[source.kind] += 1
        said.setdefault(package, set()).add(source.licence)
    for font in pictures.fonts(pool):
        used.setdefault(font.package, Counter())["font"] += 1
        said.setdefault(font.package, set()).add(font.licence)
    rows = ["| package | version | used for (files) | licences |", "| --- | --- | --- | --- |"]
    for name, entry in pictures.table().items():
        files = ", ".join(f"{kind} ({count})" for kind, count in sorted(used.get(name, Counter()).items()))
        rows.append(
            f"| {name} | {entry.get('version', '')} | {files} | {', '.join(sorted(said.get(name, ())))} |"
        )
    return "\n".join(rows)


if __name__ == "__main__":
    main()
