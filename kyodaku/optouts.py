"""Opt-out files: lists of addresses, domains and pictures that must not be used, as JSON Lines.

    {"url": "https://artist.example/cat.jpg"}
    {"prefix": "https://artist.example/private/"}
    {"domain": "artist.example"}
    {"sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}
    {"sha256": "...", "pixel_sha256": "...", "pdq": ["..."], "pdq_cuts": ["...", "..."], "pdq_quality": 98}

One object a line, with exactly one of `url`, `prefix` and `domain`, or what tells a picture (the last line
is what `kyodaku optout` prints), and perhaps a `note`; empty lines and lines that begin with `#` are passed
over. `sha256` is of the bytes, `pixel_sha256` of the pixels, `pdq` one hash or several, `pdq_cuts` hashes of
parts of the picture, which must be nearer: near copies are refused once the picture has been looked at.
Below a `pdq_quality` of 50 there is too little in a picture to tell it from others: then only equal bytes
and pixels are refused. Addresses are compared without their scheme and a leading `www.`, and one without a
query covers every query: whoever opts a picture out means the picture. A file with a line that cannot be
read is refused as a whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from kyodaku.copies import BYTES, MIN_QUALITY
from kyodaku.errors import UnsafeAddressError, UsageError
from kyodaku.reasons import RefuseReason
from kyodaku.signals.model import Binding, Effect, Signal, Use, Where, excerpt
from kyodaku.urls import host_of, normalise_url

_ADDRESSES = ("url", "prefix", "domain")
_DIGESTS = ("sha256", "pixel_sha256")
_HASHES = ("pdq", "pdq_cuts")
_PICTURE = (*_DIGESTS, *_HASHES, "pdq_quality")
#: As many hashes as one picture can need, and some.
_MOST_HASHES = {"pdq": 64, "pdq_cuts": 128}
_HEX = re.compile(r"[0-9a-f]{64}")
#: A lone CR ends a line too: else one comment in an old Mac file would hide every line after it.
_LINE_END = re.compile(r"\r\n|\n|\r")
#: Around an address these are no part of it; other blanks are escaped as any character is.
_BLANK = " \t\r\n"
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


@dataclass(frozen=True)
class OptOut:
    """One line: the file it stands in, its number, and its text."""

    file: str
    line: int
    raw: str
    digest: str

    @property
    def rule(self) -> str:
        """As signals and matches name it: `registry:optouts.jsonl:L5`."""
        return f"registry:{self.file}:L{self.line}"


@dataclass
class OptOuts:
    """What some files list, by kind: addresses as they are compared, digests and PDQ hashes in lower-case
    hex. `digest` is that of all files, in the order given."""

    digest: str = ""
    urls: dict[str, OptOut] = field(default_factory=dict)
    prefixes: dict[str, OptOut] = field(default_factory=dict)
    domains: dict[str, OptOut] = field(default_factory=dict)
    pictures: dict[str, OptOut] = field(default_factory=dict)
    pixels: dict[str, OptOut] = field(default_factory=dict)
    near: dict[str, OptOut] = field(default_factory=dict)
    near_cuts: dict[str, OptOut] = field(default_factory=dict)
    _lengths: tuple[int, ...] = ()

    @property
    def count(self) -> int:
        """How many lines opt something out that no line before them does."""
        addresses = (self.urls, self.prefixes, self.domains)
        tables = (*addresses, self.pictures, self.pixels, self.near, self.near_cuts)
        return len({(entry.digest, entry.line) for table in tables for entry in table.values()})

    def about_url(self, url: str) -> list[Signal]:
        """A refusal for each way in which `url` is listed; what is no address is compared as text."""
        if not (self.urls or self.domains or self.prefixes):
            return []
        spelt = _spelt(url)
        host = spelt.partition("/")[0].partition(":")[0]
        labels = host.split(".")
        found = [
            (self.urls.get(spelt) or self.urls.get(spelt.partition("?")[0]), Binding.IMAGE),
            *((self.domains.get(".".join(labels[at:])), Binding.HOST) for at in range(len(labels))),
            *((self.prefixes.get(spelt[:length]), Binding.PATH) for length in self._lengths),
        ]
        return [_signal(entry, binding) for entry, binding in found if entry is not None]

    def about_picture(self, digest: str) -> list[Signal]:
        """A refusal where these exact bytes (sha256 hex) are listed."""
        entry = self.pictures.get(digest.lower())
        return [] if entry is None else [_signal(entry, Binding.IMAGE)]

    def _add(self, key: str, value: str, entry: OptOut) -> None:
        table = {
            "url": self.urls,
            "prefix": self.prefixes,
            "domain": self.domains,
            "sha256": self.pictures,
            "pixel_sha256": self.pixels,
            "pdq": self.near,
            "pdq_cuts": self.near_cuts,
        }[key]
        table.setdefault(value, entry)
        self._lengths = tuple(sorted({*self._lengths, *([len(value)] if key == "prefix" else [])}))


def load_optouts(paths: list[Path]) -> OptOuts:
    """Read opt-out files. Raises UsageError, which names the file and the line that is wrong."""
    found = OptOuts()
    digests = []
    for path in paths:
        try:
            body = path.read_bytes()
        except OSError as error:
            raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
        digest = sha256(body).hexdigest()
        digests.append(digest)
        for entry, key, value in _entries(path, body, digest):
            found._add(key, value, entry)
    found.digest = sha256("\n".join(digests).encode()).hexdigest() if digests else ""
    return found


def _entries(path: Path, body: bytes, digest: str) -> Iterator[tuple[OptOut, str, str]]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 (byte {error.start})") from error
    for number, line in enumerate(_LINE_END.split(text), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            found = _read(json.loads(line, object_pairs_hook=_once))
        except (ValueError, RecursionError, UnsafeAddressError) as error:
            raise UsageError(f"{path}, line {number}: {error}; nothing of this file is used") from error
        entry = OptOut(path.name, number, excerpt(line.strip()), digest)
        yield from ((entry, key, value) for key, value in found)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose names stand once: of two, readers silently drop the first. Raises ValueError."""
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ValueError("a name stands twice; one object a line for each opt-out")
    return dict(pairs)


def _read(item: Any) -> list[tuple[str, str]]:
    """Each key with the value as it is compared. Raises ValueError or UnsafeAddressError."""
    if not isinstance(item, dict) or not set(item) <= {*_ADDRESSES, *_PICTURE, "note"}:
        raise ValueError(f"an object with one of {', '.join((*_ADDRESSES, *_DIGESTS))} and perhaps a note")
    keys = [key for key in _ADDRESSES if key in item]
    if any(key in item for key in _PICTURE):
        if keys:
            raise ValueError(f"{keys[0]} and what tells a picture are two lines")
        return _read_picture(item)
    if len(keys) != 1 or not isinstance(item[keys[0]], str):
        raise ValueError(f"exactly one of {', '.join((*_ADDRESSES, *_DIGESTS))}, as text")
    return [_read_address(keys[0], item[keys[0]].strip(_BLANK))]


def _read_picture(item: dict[str, Any]) -> list[tuple[str, str]]:
    found = [(key, _hex(key, item[key])) for key in _DIGESTS if key in item]
    quality = item.get("pdq_quality")
    near = []
    for key in _HASHES:
        hashes = item.get(key, [])
        hashes = hashes if isinstance(hashes, list) else [hashes]
        if len(hashes) > _MOST_HASHES[key]:
            raise ValueError(f"at most {_MOST_HASHES[key]} hashes in {key}")
        near += [(key, _hex(key, text)) for text in hashes]
    if (near or quality is not None) and (type(quality) is not int or not 0 <= quality <= 100):
        raise ValueError("pdq needs its pdq_quality, a whole number from 0 to 100")
    if quality is not None and quality >= MIN_QUALITY:
        found += near
    if not found:
        raise ValueError("a picture with so little in it is matched by sha256 or pixel_sha256 only; give one")
    return found


def _hex(key: str, value: Any) -> str:
    if not isinstance(value, str) or not _HEX.fullmatch(value.strip(_BLANK).lower()):
        raise ValueError(f"{key} has {2 * BYTES} hexadecimal digits")
    return value.strip(_BLANK).lower()


def _read_address(key: str, value: str) -> tuple[str, str]:
    if key == "domain":
        name = host_of(f"http://{value}/").removeprefix("www.")
        if not _DOMAIN.fullmatch(name):
            raise ValueError(f"{value!r} is no domain")
        return key, name
    normalise_url(value)  # raises for what is no address
    if value.endswith("*"):
        raise ValueError("a * matches nothing but itself; use prefix for all below an address")
    return key, _spelt(value)


def _spelt(url: str) -> str:
    """`url` without scheme, leading `www.` and fragment, normalised where it can be read."""
    url = url.strip(_BLANK)
    with suppress(UnsafeAddressError):
        url = normalise_url(url)
    return url.partition("#")[0].partition("://")[2].removeprefix("www.") or url


def _signal(entry: OptOut, binding: Binding) -> Signal:
    return Signal(
        protocol="registry",
        where=Where.REGISTRY,
        binding=binding,
        use=Use.TRAINING,
        effect=Effect.RESERVED,
        raw=entry.raw,
        parsed="listed in an opt-out file",
        rule=entry.rule,
        reason=RefuseReason.REGISTRY_OPT_OUT.value,
        source_url=f"file:{entry.file}",
        digest=entry.digest,
        complete=True,
        fetched_at=0.0,
    )
