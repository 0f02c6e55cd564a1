"""Asking an origin for its host files: robots.txt first, then what it allows of the others, one by one,
then the documents that they name. No I/O: generators yield `Need`s and are sent what came of them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from kyodaku.documents import DOCUMENT_CAP
from kyodaku.gate import Need, NeedKind, OriginFacts, redirect_target
from kyodaku.signals.model import Declared, Effect, Fetched, FetchError, Hop
from kyodaku.signals.protocols.robots import PATH as ROBOTS
from kyodaku.signals.protocols.robots import PROTOCOL as ROBOTS_PROTOCOL
from kyodaku.urls import host_of, normalise_url, origin_of

if TYPE_CHECKING:
    from kyodaku.permission import Permission

#: Redirects followed for a host file (RFC 9309 2.3.1.2: at least five; exactly five here).
HOST_FILE_HOPS = 5
#: Bytes read of a host file.
HOST_FILE_CAP = 1024 * 1024
#: Fresh for a day; a cached copy may bridge an outage for at most another day (signals.md 0.1).
HOST_FILE_FRESH = 24 * 3600.0
HOST_FILE_BRIDGE = 48 * 3600.0
#: Documents that the host files of one origin may name; whatever is beyond counts as not to be had.
MAX_DOCUMENTS = 8

#: Errors that mean nobody answered. A redirect too many, or to a blocked place, is an answer.
OUTAGES = frozenset(
    {FetchError.DNS, FetchError.TLS, FetchError.TIMEOUT, FetchError.RESET, FetchError.CONNECT}
)

Files = dict[str, Fetched]


def host_files(
    permission: Permission, origin: str, previous: OriginFacts | None
) -> Generator[Need, Fetched, OriginFacts]:
    """The machine behind `Permission.host_files`."""
    files: Files = {}
    others: list[Fetched] = []
    for path in permission.host_file_paths:
        if path != ROBOTS and not permission.wants(path, files):
            continue
        if path != ROBOTS and is_barred(permission, origin + path, files[ROBOTS]):
            files[path] = _unasked(permission, origin + path, FetchError.BARRED)
            continue
        answer = yield from _followed(permission, origin + path)
        files[path] = _bridged(answer, previous.files.get(path) if previous else None, others)
        if path == ROBOTS and not permission.robots_obtained(origin, files[path]).open:
            return OriginFacts(origin, files, permission.clock(), tuple(others))
    robots_of = {origin: files[ROBOTS]}
    for number, declared in enumerate(declared_documents(permission, origin, files)):
        if number >= MAX_DOCUMENTS or not permission.documents.admit(declared.url, origin):
            files[declared.url] = _unasked(permission, declared.url, FetchError.TOO_LARGE)
        else:
            answer = yield from _document(permission, declared.url, robots_of)
            old = previous.files.get(declared.url) if previous else None
            files[declared.url] = _bridged(answer, old, others)
    del robots_of[origin]
    return OriginFacts(origin, files, permission.clock(), (*robots_of.values(), *others))


def declared_documents(
    permission: Permission, origin: str, files: Mapping[str, Fetched]
) -> Sequence[Declared]:
    """Every document that host files name, each URL once; the needed ones first."""
    reading = permission.reading()
    named = [
        declared
        for protocol in permission.protocols
        for declared in protocol.host_documents(files, origin, reading)
    ]
    named.sort(key=lambda declared: not declared.needed)
    first: dict[str, Declared] = {}
    for declared in named:
        first.setdefault(declared.url, declared)
    return tuple(first.values())


def _document(permission: Permission, url: str, robots_of: Files) -> Generator[Need, Fetched, Fetched]:
    """A document, if the robots.txt of its own origin, and of every hop's, lets us ask for it."""

    def closed(hop: str) -> Generator[Need, Fetched, FetchError | None]:
        if not permission.g0(hop, services=False).open:
            return FetchError.BLOCKED
        origin = origin_of(hop)
        if origin not in robots_of:
            robots_of[origin] = yield from _followed(permission, origin + ROBOTS, NeedKind.DOCUMENT)
        robots = robots_of[origin]
        open_ = permission.robots_obtained(origin, robots).open and not is_barred(permission, hop, robots)
        return None if open_ else FetchError.BARRED

    return (yield from _followed(permission, url, NeedKind.DOCUMENT, closed))


def document(
    permission: Permission,
    url: str,
    redirects: int,
    facts_of: Callable[[str], Generator[Need, Fetched, OriginFacts]],
) -> Generator[Need, Fetched, Fetched]:
    """GET a document that a page, an address or an image names, hop by hop, every hop through G0 and G1 of
    its own host first. `facts_of` is the machine for the host files of the origin of a URL."""
    hops: list[Hop] = []
    current = url
    while True:
        gate = permission.g0(current, services=False)
        if gate.open:
            current = normalise_url(current)
            gate = permission.g1(current, (yield from facts_of(current)))
        if not gate.open:
            return replace(permission.documents.unavailable(url, gate), hops=tuple(hops))
        answer = yield Need(current, NeedKind.DOCUMENT, DOCUMENT_CAP)
        target = redirect_target(answer)
        hops.append(Hop(current, answer.status or 0, answer.hops[-1].ip if answer.hops else ""))
        answer = replace(answer, url=url, final_url=current, hops=tuple(hops))
        if target is None:
            return answer
        if len(hops) > redirects or not permission.documents.admit(target, current):
            return replace(answer, error=FetchError.REDIRECTS, complete=False)
        current = target


def is_barred(permission: Permission, url: str, robots: Fetched) -> bool:
    """True when the robots.txt of its origin does not plainly let us ask for `url`.

    Where an owner wrote us that the groups of other crawlers do not speak to us about some paths, these
    groups do not keep us from hearing what else the host says.
    """
    reading = permission.reading()
    host = host_of(url)
    if any(letter.host == host and reading.now <= letter.until for letter in reading.letters):
        reading = replace(reading, purpose_tokens=())
    signals = ROBOTS_PROTOCOL.read_host_file(ROBOTS, robots, url, reading)
    return any(signal.effect is not Effect.SILENT for signal in signals)


def _followed(
    permission: Permission,
    url: str,
    kind: NeedKind = NeedKind.HOST_FILE,
    closed: Callable[[str], Generator[Need, Fetched, FetchError | None]] | None = None,
) -> Generator[Need, Fetched, Fetched]:
    """The answer at the end of redirects. `closed` tells why a hop may not be asked for, by default by G0."""
    hops: list[Hop] = []
    current = url
    while True:
        if closed is not None:
            error = yield from closed(current)
        else:
            error = None if permission.g0(current, services=False).open else FetchError.BLOCKED
        if error is not None:
            return Fetched(url, current, None, (), b"", False, error, permission.clock(), tuple(hops))
        answer = yield Need(current, kind, HOST_FILE_CAP)
        target = redirect_target(answer)
        if target is None:
            return replace(answer, url=url, final_url=current, hops=(*hops, *answer.hops))
        hops.append(Hop(current, answer.status or 0, answer.hops[-1].ip if answer.hops else ""))
        if len(hops) > HOST_FILE_HOPS:
            return replace(
                answer,
                url=url,
                final_url=current,
                hops=tuple(hops),
                error=FetchError.REDIRECTS,
                complete=False,
            )
        current = target


def _bridged(answer: Fetched, old: Fetched | None, failures: list[Fetched]) -> Fetched:
    """`answer`, or for an outage the copy of yesterday; the outage then joins `failures`."""
    outage = answer.error in OUTAGES or (answer.error is None and (answer.status or 0) >= 500)
    if not outage or old is None or old.status is None or old.error is not None:
        return answer
    if not (200 <= old.status < 300 and old.complete):
        return answer
    age = answer.fetched_at - old.fetched_at
    if not 0 <= age < HOST_FILE_BRIDGE:
        return answer
    failures.append(answer)
    return replace(old, cached_age=age)


def _unasked(permission: Permission, url: str, error: FetchError) -> Fetched:
    return Fetched(url, url, None, (), b"", False, error, permission.clock())
