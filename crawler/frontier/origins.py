"""What each origin's host files say, fetched before anything else is asked of it, and kept.

unknown -> fetching -> open | held | refused. A hold is tried again at the recipe's intervals and then
stays one. Facts are refreshed after 24 hours. `Permission.host_files` bridges an outage with the old ones:
then the files are asked for again at the first of those intervals, and 48 hours after it was fetched a copy
says nothing any more.
"""

from __future__ import annotations

import json
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import sha256

from crawler.frontier.hostbodies import NOT_KEPT, NOT_KEPT_DIGEST, kept_part
from crawler.frontier.hostrows import HostRows
from crawler.frontier.requests import Row
from crawler.store.codec import dump
from crawler.store.evidence import EvidenceWriter
from crawler.store.store import Store
from kyodaku.gate import GateResult, GateVerdict, Need, OriginFacts
from kyodaku.hostfiles import HOST_FILE_BRIDGE, HOST_FILE_FRESH
from kyodaku.permission import Permission
from kyodaku.reasons import HoldReason
from kyodaku.signals.model import Fetched, FetchError
from kyodaku.urls import origin_of

#: Origins whose facts stay in memory; the others are read again from the store when asked for.
FACTS_IN_MEMORY = 1000


class OriginState(StrEnum):
    """Where an origin is on its way to being asked."""

    UNKNOWN = "unknown"
    FETCHING = "fetching"
    OPEN = "open"
    HELD = "held"
    REFUSED = "refused"


@dataclass
class Origin:
    """One `scheme://host[:port]`. `batch` holds requests read from the store, `drained` says that the
    store has no more of them; the facts are asked for again from `stale_at` on, and say nothing from
    `expires_at` on (monotonic); `verdict` is what a held or refused origin answers to everything once
    `final`."""

    name: str
    host: str
    state: OriginState = OriginState.UNKNOWN
    holds: int = 0
    batch: deque[Row] = field(default_factory=deque)
    drained: bool = False
    stale_at: float = 0.0
    expires_at: float = 0.0
    final: bool = False
    verdict: GateResult | None = None


@dataclass(eq=False)
class HostFileRun:
    """The machine that fetches one origin's host files: what it asks for next, or the facts at its end."""

    origin: Origin
    machine: Generator[Need, Fetched, OriginFacts]
    need: Need | None = None
    facts: OriginFacts | None = None


class OriginBook:
    """Facts about origins: the gates' `KYODAKU_ORIGINS`, and the store's tables behind it."""

    def __init__(
        self,
        store: Store,
        permission: Permission,
        evidence: EvidenceWriter,
        now: Callable[[], float],
        hold_retries: Sequence[float],
    ) -> None:
        self._store = store
        self._permission = permission
        self._rows = HostRows(store, evidence)
        self._now = now
        self._outage_retry = min((HOST_FILE_FRESH, *hold_retries[:1]))
        self._origins: dict[str, Origin] = {}
        self._facts: OrderedDict[str, OriginFacts] = OrderedDict()
        self.settled: Counter[str] = Counter()  # states that origins came to in this process

    def get(self, name: str, host: str) -> Origin:
        """The origin, as the store left it."""
        found = self._origins.get(name)
        if found is None:
            found = self._origins[name] = self._restored(name, host)
        return found

    def facts(self, origin: str) -> OriginFacts | None:
        """Host files of an open origin; None (the gate then holds) for any other, and once a copy of
        them is too old."""
        entry = self._origins.get(origin)
        if entry is None or entry.state is not OriginState.OPEN or self._now() >= entry.expires_at:
            return None
        return self._known(origin)

    def is_stale(self, origin: Origin) -> bool:
        """True when the facts are older than a day, or stand in for an outage that may be over."""
        return self._now() >= origin.stale_at

    def begin(self, origin: Origin) -> HostFileRun:
        """Start to fetch: `run.need` is the first request, or `run.facts` are there at once."""
        known = self._known(origin.name)
        if known is not None:  # what was not kept cannot stand in for anything
            readable = {path: file for path, file in known.files.items() if file.body != NOT_KEPT}
            known = replace(known, files=readable)
        run = HostFileRun(origin, self._permission.host_files(origin.name, known))
        origin.state = OriginState.FETCHING
        self._step(run, None)
        return run

    def answer(self, run: HostFileRun, fetched: Fetched) -> None:
        """Hand the machine its answer: `run.need` is the next request, or `run.facts` are there."""
        self._step(run, fetched)

    def heard(self, url: str, fetched: Fetched) -> None:
        """Keep what was answered to one request for a host file or a document, redirects too."""
        self._rows.heard(url, fetched)

    def settle(self, origin: Origin, facts: OriginFacts) -> GateResult:
        """Keep the facts and decide the origin's state; the verdict on the whole origin."""
        digests = {file.final_url: sha256(file.body).hexdigest() for file in facts.files.values()}
        kept = kept_part(facts)
        whole = _with_digests(self._permission.g1_host(kept), digests)
        root = self._permission.g1(origin.name + "/", kept)
        old = self._ids(origin.name)
        self._note_others(facts)
        ids = {
            path: self._rows.keep(origin.name, path, file, root, old.get(path, 0))
            for path, file in facts.files.items()
        }
        origin.verdict = whole
        origin.final = whole.verdict is GateVerdict.REFUSE
        if whole.open:
            origin.state, origin.holds = OriginState.OPEN, 0
            self._set_times(origin, facts)
            self._remember(origin.name, replace(kept, others=()))
        else:
            held = whole.verdict is not GateVerdict.REFUSE
            origin.state = OriginState.HELD if held else OriginState.REFUSED
            origin.holds += int(held)
            self._facts.pop(origin.name, None)
        self.settled[origin.state] += 1
        self._store.write(
            "INSERT OR REPLACE INTO origins (origin, host, state, reason, holds, fetched_at, facts)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (origin.name, origin.host, origin.state, whole.reason, origin.holds, facts.fetched_at, dump(ids)),
        )
        return whole

    def set_next_retry(self, origin: Origin, at: float) -> None:
        """When a held origin is tried again (wall time, for people; 0: never)."""
        self._store.write("UPDATE origins SET next_retry = ? WHERE origin = ?", (at, origin.name))

    def _step(self, run: HostFileRun, fetched: Fetched | None) -> None:
        run.need = None
        try:
            run.need = next(run.machine) if fetched is None else run.machine.send(fetched)
        except StopIteration as end:
            run.facts = end.value

    def _known(self, name: str) -> OriginFacts | None:
        found = self._facts.get(name)
        if found is not None:
            self._facts.move_to_end(name)
            return found
        ids = self._ids(name)
        if not ids:
            return None
        [fetched_at] = self._store.row("SELECT fetched_at FROM origins WHERE origin = ?", (name,))
        facts = OriginFacts(name, {path: self._rows.read(key) for path, key in ids.items()}, fetched_at)
        self._remember(name, facts)
        return facts

    def _remember(self, name: str, facts: OriginFacts) -> None:
        self._facts[name] = facts
        while len(self._facts) > FACTS_IN_MEMORY:
            self._facts.popitem(last=False)

    def _restored(self, name: str, host: str) -> Origin:
        origin = Origin(name, host)
        row = self._store.row("SELECT state, holds, fetched_at FROM origins WHERE origin = ?", (name,))
        if row is None:
            return origin
        state, origin.holds = OriginState(row[0]), row[1]
        facts = self._known(name)
        if state is OriginState.OPEN and facts is not None:
            self._set_times(origin, facts)
            if self._permission.clock() >= row[2] and self._now() < origin.stale_at:
                origin.state = state
        elif state in (OriginState.HELD, OriginState.REFUSED):
            self._facts.pop(name, None)
            if facts is not None:
                origin.state = state
                origin.verdict = _with_digests(self._permission.g1_host(facts), self._digests(name))
                origin.final = state is OriginState.REFUSED
        return origin

    def _set_times(self, origin: Origin, facts: OriginFacts) -> None:
        copies = [file.fetched_at for file in facts.files.values() if file.cached_age is not None]
        now, clock = self._now(), self._permission.clock()
        fresh = self._outage_retry if copies else HOST_FILE_FRESH
        origin.expires_at = now + min(copies, default=facts.fetched_at) + HOST_FILE_BRIDGE - clock
        oldest = min((file.fetched_at for file in facts.files.values()), default=facts.fetched_at)
        asked_at = (
            facts.fetched_at if copies else min(oldest, facts.fetched_at)
        )  # a shared answer may be older
        origin.stale_at = min(now + asked_at + fresh - clock, origin.expires_at)

    # ------------------------------------------------------------------ documents

    def keep_document(self, url: str, fetched: Fetched) -> None:
        """Record what came of asking for a document that a page, an address or an image names."""
        said = GateResult("g1", GateVerdict.PROCEED, "")
        if fetched.error is not None:
            barred = fetched.error is FetchError.BARRED
            why = HoldReason.POLICY_FILE_BARRED if barred else HoldReason.POLICY_FILE_UNREACHABLE
            said = GateResult("g1", GateVerdict.HOLD, why.value)
        key = self._rows.keep(origin_of(url), url, fetched, said)
        self._store.write("INSERT OR REPLACE INTO documents (url, file) VALUES (?, ?)", (url, key))

    def documents(self) -> Iterator[tuple[str, Fetched]]:
        """Every document that was recorded, by URL. One whose body was not kept is left out."""
        for url, key in self._store.rows("SELECT url, file FROM documents"):
            found = self._rows.read(key)
            if found.body != NOT_KEPT:
                yield url, replace(found, url=url)

    def note(self, facts: OriginFacts) -> None:
        """Record the host files of an origin that was asked only because a document lies there."""
        root = self._permission.g1(facts.origin + "/", kept_part(facts))
        self._note_others(facts)
        for path, file in facts.files.items():
            self._rows.keep_once(facts.origin, path, file, root)

    def _note_others(self, facts: OriginFacts) -> None:
        for file in facts.others:
            origin = origin_of(file.url)
            path = file.url.removeprefix(origin)
            known = path in self._permission.host_file_paths
            self._rows.keep_once(origin, path if known else file.url, file, None)

    # ------------------------------------------------------------------ rows

    def _digests(self, name: str) -> dict[str, str]:
        sql = "SELECT final_url, sha256 FROM host_files WHERE id = ?"
        return dict(self._store.row(sql, (key,)) for key in self._ids(name).values())

    def _ids(self, name: str) -> dict[str, int]:
        """The rows of an origin's host files, by path."""
        row = self._store.row("SELECT facts FROM origins WHERE origin = ?", (name,))
        return dict(json.loads(row[0])) if row is not None and row[0] else {}


def _with_digests(result: GateResult, digests: Mapping[str, str]) -> GateResult:
    """A gate's word, its signals with the digests (by final URL) of the bodies as served, kept or not."""
    signals = tuple(
        replace(signal, digest=digests.get(signal.source_url, ""))
        if signal.digest == NOT_KEPT_DIGEST
        else signal
        for signal in result.signals
    )
    return replace(result, signals=signals)
