"""What the host files of an origin say about one URL after another: what no URL changes is found once.

For each origin it is remembered what is said of every URL alike, which files and documents are to be read for
each, and whether one is missing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from kyodaku.gate import OriginFacts
from kyodaku.signals.model import Declared, Fetched, Reading, Signal
from kyodaku.signals.protocols.base import Protocol

#: Origins remembered at once, and the bytes that their files may have together.
_MEMORY = 1024
_MEMORY_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class _File:
    """A host file that a protocol reads; `said` is what it says of every URL alike, None where it differs."""

    path: str
    fetched: Fetched
    said: tuple[Signal, ...] | None


@dataclass(frozen=True)
class _Speaking:
    """One protocol, and what of an origin it has something to say by."""

    protocol: Protocol
    files: tuple[_File, ...]
    documents: tuple[tuple[Declared, Fetched], ...]


@dataclass(frozen=True)
class _Origin:
    """An origin as it was looked through: the files and the reading (but for its moment) it holds for."""

    files: dict[str, Fetched]
    key: tuple[object, ...]
    speaking: tuple[_Speaking, ...]
    missing: bool


class HostReading:
    """Reads host files for URLs with `protocols`. Facts that differ in any file are looked through anew."""

    def __init__(self, protocols: Sequence[Protocol]) -> None:
        self._protocols = tuple(protocols)
        self._origins: OrderedDict[str, _Origin] = OrderedDict()
        self._bytes = 0
        self._key: tuple[Reading, tuple[object, ...]] | None = None

    def signals(self, url: str, facts: OriginFacts, reading: Reading) -> tuple[list[Signal], bool]:
        """What the host files say about `url`, and whether any that has a say was never asked for."""
        origin = self._origin(facts, reading)
        signals: list[Signal] = []
        for speaking in origin.speaking:
            for file in speaking.files:
                if file.said is None:
                    signals += speaking.protocol.read_host_file(file.path, file.fetched, url, reading)
                else:
                    signals += file.said
            for declared, document in speaking.documents:
                signals += speaking.protocol.read_document(document, declared, url, reading)
        return signals, origin.missing

    def _origin(self, facts: OriginFacts, reading: Reading) -> _Origin:
        if self._key is None or self._key[0] is not reading:
            self._key = reading, _without_moment(reading)
        key = self._key[1]
        known = self._origins.get(facts.origin)
        if known is not None and known.key == key and known.files == facts.files:
            self._origins.move_to_end(facts.origin)
            return known
        made = self._looked_through(facts, reading, key)
        if known is not None:
            self._bytes -= _size(self._origins.pop(facts.origin))
        self._origins[facts.origin] = made
        self._bytes += _size(made)
        while len(self._origins) > 1 and (len(self._origins) > _MEMORY or self._bytes > _MEMORY_BYTES):
            self._bytes -= _size(self._origins.popitem(last=False)[1])
        return made

    def _looked_through(self, facts: OriginFacts, reading: Reading, key: tuple[object, ...]) -> _Origin:
        speaking: list[_Speaking] = []
        missing = False
        for protocol in self._protocols:
            files: list[_File] = []
            documents: list[tuple[Declared, Fetched]] = []
            for path in protocol.host_files:
                file = facts.files.get(path)
                if file is not None:
                    files += _read_once(protocol, path, file, facts.origin, reading)
                elif protocol.wants(path, facts.files, reading):
                    missing = True
            for declared in protocol.host_documents(facts.files, facts.origin, reading):
                document = facts.files.get(declared.url)
                if document is not None:
                    documents.append((declared, document))
                elif declared.needed:
                    missing = True
            if files or documents:
                speaking.append(_Speaking(protocol, tuple(files), tuple(documents)))
        return _Origin(dict(facts.files), key, tuple(speaking), missing)


def _read_once(
    protocol: Protocol, path: str, file: Fetched, origin: str, reading: Reading
) -> tuple[_File, ...]:
    """`file` as it is kept for `protocol`; nothing where it has nothing to say."""
    if not protocol.alike(path, file, reading):
        return (_File(path, file, None),)
    said = tuple(protocol.read_host_file(path, file, origin + "/", reading))
    return (_File(path, file, said),) if said else ()


def _size(origin: _Origin) -> int:
    return sum(len(file.body) for file in origin.files.values())


def _without_moment(reading: Reading) -> tuple[object, ...]:
    return (
        reading.mode,
        reading.own_tokens,
        reading.purpose_tokens,
        reading.purpose_threshold,
        reading.institutions,
        reading.letters,
    )
