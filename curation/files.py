"""Files that somebody names on the command line, read without trusting what lies there.

A folder is walked without following links, through descriptors, so that nothing swapped meanwhile leads
out of it; devices, pipes and sockets are never opened for reading.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kyodaku.errors import DecodeError, UsageError
from kyodaku.imagehead import sniff
from kyodaku.reasons import FailReason
from kyodaku.report.html import around

#: In a folder, files with other names are taken only if their first bytes are those of a picture.
SUFFIXES = frozenset({
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".gif", ".tif", ".tiff", ".avif", ".heic",
    ".bmp", ".jp2", ".jxl", ".psd", ".svg",
})  # fmt: skip
_HEAD = 1024


@dataclass(frozen=True)
class Body:
    """One file: its bytes, or why there are none."""

    path: Path
    body: bytes = b""
    error: DecodeError | None = None


def pictures(paths: Iterable[Path], max_bytes: int) -> Iterator[Body]:
    """The files named, and in folders the pictures, in the order of their names; each read when its turn
    comes. A file that was named is always given, with an error if it is no readable plain file."""
    for path in paths:
        if path.is_dir():
            yield from _walk(path.resolve() if path.is_symlink() else path, max_bytes)
        else:
            yield _read(path, max_bytes, os.O_RDONLY)


def check_paths(paths: Iterable[Path]) -> None:
    """Raises UsageError unless every path is there."""
    for path in paths:
        if not os.path.lexists(path):
            raise UsageError(f"{path} is not there")


def check_page(path: Path, shown: Iterable[Path] = ()) -> None:
    """Raises UsageError where no page can be written, and where one would replace anything but a page of
    ours: a picture that is to be looked at (`shown`), or any other file."""
    try:
        if path.is_dir():
            raise UsageError(f"--html {path} is a folder; name a file")
        if not path.parent.is_dir():
            raise UsageError(f"--html {path}: there is no folder {path.parent}")
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp"):
            pass
        if path.exists() and any(one.exists() and one.samefile(path) for one in shown):
            raise UsageError(f"--html {path} is one of the pictures; name another file")
        if os.path.lexists(path) and not (path.is_file() and _is_page(path)):
            raise UsageError(f"--html {path} is there already and is no page of kyodaku; name another file")
    except OSError as error:
        raise UsageError(f"--html {path}: cannot be written ({error.strerror})") from error


def _is_page(path: Path) -> bool:
    """Whether a file is empty, or begins as every page of ours does."""
    begin = around("")[0].partition(" content=")[0].encode()
    with open(path, "rb") as file:
        return file.read(len(begin)) in (b"", begin)


def count_files(paths: Iterable[Path]) -> int:
    """At most how many files `pictures` gives."""
    return sum(sum(len(files) for _, _, files in os.walk(path)) if path.is_dir() else 1 for path in paths)


def _walk(top: Path, max_bytes: int) -> Iterator[Body]:
    problems: list[OSError] = []
    for folder, folders, names, descriptor in os.fwalk(top, onerror=problems.append, follow_symlinks=False):
        folders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            if _is_plain(name, descriptor) and (path.suffix.lower() in SUFFIXES or _looks(name, descriptor)):
                yield _read(path, max_bytes, os.O_RDONLY | os.O_NOFOLLOW, name, descriptor)
        yield from (_unread(Path(str(error.filename)), str(error.strerror)) for error in problems)
        problems.clear()
    yield from (_unread(top, str(error.strerror)) for error in problems)


def _is_plain(name: str, descriptor: int) -> bool:
    try:
        return stat.S_ISREG(os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode)
    except OSError:
        return False


def _looks(name: str, descriptor: int) -> bool:
    """True for a file whose first bytes are those of a picture, whatever it is called."""
    try:
        opened = os.open(name, _FLAGS | os.O_RDONLY | os.O_NOFOLLOW, dir_fd=descriptor)
    except OSError:
        return False
    with open(opened, "rb") as file:
        return stat.S_ISREG(os.fstat(opened).st_mode) and sniff(file.read(_HEAD)) is not None


#: A pipe or a device that took a file's place must not keep us waiting, nor become our terminal.
_FLAGS = os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


def _read(path: Path, max_bytes: int, flags: int, name: str = "", descriptor: int | None = None) -> Body:
    try:
        if descriptor is None and not stat.S_ISREG(os.stat(path).st_mode):
            return _unread(path, "not a plain file")
        opened = os.open(name or path, flags | _FLAGS, dir_fd=descriptor)
        with open(opened, "rb") as file:
            found = os.fstat(opened)
            if not stat.S_ISREG(found.st_mode):
                return _unread(path, "not a plain file")
            if found.st_size > max_bytes:
                told = f"{found.st_size} bytes, {max_bytes} are allowed"
                return Body(path, error=DecodeError(told, FailReason.TOO_LARGE))
            body = file.read(max_bytes + 1)
    except OSError as error:
        return _unread(path, str(error.strerror))
    return Body(path, body) if body else _unread(path, "the file is empty")


def _unread(path: Path, told: str) -> Body:
    return Body(path, error=DecodeError(told, FailReason.NOT_AN_IMAGE))
