"""Writing files so that a reader sees the old one, or the new one whole, and never half of either.

Everything that Kyodaku marks as done was written through here: temporary file in the same folder,
fsync, rename, fsync of the folder.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from kyodaku.errors import DiskFullError

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


@contextmanager
def disk_full_as_error(path: Path | str) -> Iterator[None]:
    """Turn "no space left" and "quota exceeded" inside the block into DiskFullError naming `path`."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise DiskFullError(f"no space left to write {path}; free some and run again") from error
        raise


def fsync_dir(folder: Path | str) -> None:
    """Make the names in `folder` (creations, renames, removals) survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def atomic_write(path: Path | str, *, mode: int = 0o644) -> Iterator[BinaryIO]:
    """A binary file that takes the name `path` when the block ends well, and vanishes when it raises.

    The temporary file starts with a dot and ends in `.tmp`; one that a killed process left behind
    is never read. Raises DiskFullError.
    """
    target = Path(path)
    with disk_full_as_error(target):
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
            raise
        fsync_dir(target.parent)


def write_bytes(path: Path | str, content: bytes) -> None:
    """Write `content` to `path` atomically. Raises DiskFullError."""
    with atomic_write(path) as file:
        file.write(content)


def canonical_json(value: object) -> bytes:
    """`value` as JSON with one spelling: sorted keys, no spaces, UTF-8, no NaN. What digests are taken of.

    Raises ValueError for NaN and infinities and TypeError for what JSON cannot hold.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


def file_sha256(path: Path | str) -> str:
    """The sha256 of a file's bytes, hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
