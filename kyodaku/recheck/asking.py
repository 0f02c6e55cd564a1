"""The gates, asked again for an image that was kept: host files, its page if it changed, the image if it
changed. Everything is asked in the order of the crawl, and the first gate that closes ends it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from kyodaku.documents import DOCUMENT_CAP
from kyodaku.gate import (
    GateResult,
    GateVerdict,
    Need,
    NeedKind,
    OriginFacts,
    PageFacts,
    image_error,
    of_hop,
    redirect_target,
)
from kyodaku.hostfiles import HOST_FILE_FRESH
from kyodaku.netguard import normalise_url, origin_of
from kyodaku.permission import Permission
from kyodaku.reasons import FailReason, HoldReason
from kyodaku.recheck.findings import Findings, Recheck, of_other_bytes
from kyodaku.recheck.overlay import CHANGED, SAME
from kyodaku.recheck.unchanged import is_same
from kyodaku.recheck.words import ShownOnPage
from kyodaku.records import Candidate
from kyodaku.registry_client import Answer
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.model import Fetched, Headers, Hop

#: Sends one request and gives what came of it, whatever that is; it waits its host's turn.
Ask = Callable[[Need], Awaitable[Fetched]]

#: Bytes of a page that are read.
_PAGE_CAP = 5 * 10**6
#: Servers that do not know HEAD.
_NO_HEAD = frozenset({400, 405, 501})
#: Times that a gate is asked again because it named a further document.
_MAX_ROUNDS = 8


@dataclass(frozen=True)
class KnownPage:
    """What the crawl recorded of a page: where its answer came from, its validators, the sha256 hex of its
    body, and whether it showed the image itself rather than a list that named the image for it."""

    url: str
    etag: str = ""
    last_modified: str = ""
    sha256: str = ""
    final_url: str = ""
    showed: bool = True


@dataclass(frozen=True)
class _Page:
    """A page asked again. `facts` is None where its markup was not sent again, `shown` where it was not or is
    as it was."""

    state: str
    result: GateResult
    facts: PageFacts | None = None
    sha256: str = ""
    shown: ShownOnPage | None = None


class AskingAgain:
    """Rechecks of one run. Host files, pages and documents are asked for once and shared by all images.

    `heard(need, answer)` is told of every answer on the way to host files, for their Crawl-delay.
    `query(urls)` asks the registry service that the recipe names and gives its answers.
    """

    def __init__(
        self,
        permission: Permission,
        ask: Ask,
        redirects: int,
        heard: Callable[[Need, Fetched], None] = lambda need, answer: None,
        query: Callable[[Sequence[str]], Awaitable[list[Answer]]] | None = None,
    ) -> None:
        self._permission = permission
        self._ask = ask
        self._redirects = redirects
        self._heard = heard
        self._query = query
        self._listed_before: set[str] = set()
        self._tasks: dict[tuple[str, str], tuple[float, asyncio.Task[Any]]] = {}

    async def ask_registry(self, urls: Sequence[str]) -> None:
        """Ask the registry service, in batches, about those of `urls` that it has not answered for and was
        not asked about since failures were forgotten."""
        service = self._permission.snapshot.service
        if service is None or self._query is None:
            return
        open_ = [url for url in dict.fromkeys(urls) if self._permission.g0(url, services=False).open]
        unanswered = [
            url
            for url in map(normalise_url, open_)
            if url not in self._listed_before and service.unanswered(url)
        ]
        if unanswered:
            self._listed_before.update(unanswered)
            service.answers.put(await self._query(unanswered))

    async def recheck(self, candidate: Candidate, page: KnownPage | None) -> Recheck:
        """Ask again for one kept candidate; `page` is what is known of the page that shows it."""
        found = Findings(candidate, self._permission.clock)
        first = await self._g0(candidate.image_url)
        if not first.open:
            return found.end(first)
        if page is not None:
            closed = await self._recheck_page(found, page)
            if closed is not None:
                return found.end(closed)
        return found.end(await self._recheck_image(found))

    def forget_failures(self) -> None:
        """Ask anew for whatever was asked: a hold is tried again."""
        self._tasks.clear()
        self._listed_before.clear()

    async def close(self) -> None:
        """Give up what is under way."""
        running = [task for _, task in self._tasks.values() if not task.done()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        self._tasks.clear()

    # ------------------------------------------------------------------ pages

    async def _recheck_page(self, found: Findings, known: KnownPage) -> GateResult | None:
        page = await self._once("page", known.url, lambda: self._page(known))
        found.page, found.page_sha256 = page.state, page.sha256
        found.add(page.result)
        if page.facts is None:
            return None if page.result.open else page.result
        facts = page.facts
        told = await self._with_documents(lambda: self._permission.g2_image(facts, found.candidate.image_url))
        found.add(told)
        if not told.open or page.shown is None:
            return None if told.open else told
        words = page.shown.words(found.candidate.image_url)
        if words is None:
            return GateResult("g2", GateVerdict.HOLD, HoldReason.SIGNAL_UNREADABLE.value)
        found.words = words
        if known.showed and not page.shown.shows(found.candidate.image_url):
            return GateResult("g2", GateVerdict.HOLD, HoldReason.NO_LONGER_SHOWN.value)
        return None

    async def _page(self, known: KnownPage) -> _Page:
        validators = [("If-None-Match", known.etag), ("If-Modified-Since", known.last_modified)]
        headers = tuple((name, value) for name, value in validators if value)
        answer = await self._follow(known.url, NeedKind.PAGE, "GET", headers)
        if isinstance(answer, GateResult):
            return _Page(SAME, answer)
        if answer.status == 304 and headers and answer.error is None:
            if answer.final_url == known.final_url:
                head = _head_of(answer)
                return _Page(SAME, await self._with_documents(lambda: self._permission.g2_head(head)))
            return await self._page(KnownPage(known.url, sha256=known.sha256))  # 304 of another address
        facts = self._permission.g2(answer)
        for _ in range(_MAX_ROUNDS):
            if not facts.result.documents:
                break
            await self._read_documents(facts.result.documents)
            facts = self._permission.g2(answer)
        if facts.page is None:
            return _Page(CHANGED, facts.result)
        digest = facts.page.digest
        if digest == known.sha256:
            return _Page(SAME, facts.result, facts, digest)
        try:
            shown = ShownOnPage(facts.page)
        except Exception:  # as inside a gate: what breaks here does not open it
            return _Page(CHANGED, GateResult("g2", GateVerdict.HOLD, HoldReason.GATE_EXCEPTION.value))
        return _Page(CHANGED, facts.result, facts, digest, shown)

    # ------------------------------------------------------------------ images

    async def _recheck_image(self, found: Findings) -> GateResult:
        candidate = found.candidate
        answer = await self._follow(candidate.image_url, NeedKind.IMAGE, "HEAD", (), found)
        if isinstance(answer, Fetched) and answer.error is None and answer.status not in _NO_HEAD:
            judged = await self._judge_head(found, answer)
            if not judged.open:
                return judged
            if is_same(candidate, answer):
                found.image = SAME
                return judged
        elif isinstance(answer, GateResult):
            return answer
        answer = await self._follow(candidate.image_url, NeedKind.IMAGE, "GET", (), found)
        if isinstance(answer, GateResult):
            return answer
        return await self._judge_bytes(found, answer)

    async def _judge_head(self, found: Findings, answer: Fetched) -> GateResult:
        head = _head_of(answer)
        found.evidence.update(dict.fromkeys(self._permission.head_evidence(head)))
        return found.add(await self._with_documents(lambda: self._permission.g4(head)))

    async def _judge_bytes(self, found: Findings, answer: Fetched) -> GateResult:
        if answer.error is not None:
            return image_error(answer.error)
        judged = await self._judge_head(found, answer)
        if not judged.open:
            return judged
        if not answer.complete:
            return GateResult("g5", GateVerdict.HOLD, HoldReason.IMAGE_UNREACHABLE.value)
        candidate = found.candidate
        evidence = (*candidate.evidence, *found.evidence)
        prior = (*candidate.signals, *found.signals)
        result = await asyncio.to_thread(self._permission.g5, _head_of(answer), answer.body, evidence, prior)
        found.sha256 = result.image.sha256 if result.image else ""
        found.image = SAME if found.sha256 == candidate.sha256 else CHANGED
        return result if found.image == SAME else of_other_bytes(result, self._permission.rules.policy)

    # ------------------------------------------------------------------ the way there

    async def _follow(
        self, url: str, kind: NeedKind, method: str, headers: Headers, found: Findings | None = None
    ) -> Fetched | GateResult:
        """Ask hop by hop, every hop through the gates of its own host; a gate that closed, or the answer."""
        hops: list[Hop] = []
        current = url
        while True:
            result = await self._may_ask(current, kind)
            if found is not None:
                found.add(of_hop(result))
            if not result.open:
                return result
            current = normalise_url(current)
            caps = {NeedKind.PAGE: _PAGE_CAP, NeedKind.DOCUMENT: DOCUMENT_CAP}
            cap = caps.get(kind, self._permission.rules.max_image)
            answer = await self._ask(Need(current, kind, cap, "HEAD" if method == "HEAD" else "GET", headers))
            hops.append(Hop(current, answer.status or 0, answer.hops[-1].ip if answer.hops else ""))
            target = redirect_target(answer)
            if target is None:
                if found is not None:
                    found.add(result)
                return replace(answer, url=url, final_url=current, hops=tuple(hops))
            if found is not None:
                head = ResponseHead(current, answer.status or 0, answer.headers, answer.fetched_at)
                said = found.add(await self._with_documents(partial(self._permission.g4_hop, head)))
                if not said.open:
                    return said
            if len(hops) > self._redirects:
                return GateResult("g3", GateVerdict.FAIL, FailReason.REDIRECTS.value)
            current = target

    async def _may_ask(self, url: str, kind: NeedKind) -> GateResult:
        first = await self._g0(url, services=kind is not NeedKind.DOCUMENT)
        if not first.open:
            return first
        url = normalise_url(url)
        facts = await self._origin(origin_of(url))
        if kind is not NeedKind.IMAGE:
            result = self._permission.g1(url, facts)
            return replace(result, signals=(*first.signals, *result.signals))
        return await self._with_documents(lambda: self._permission.g3(url, facts))

    async def _g0(self, url: str, *, services: bool = True) -> GateResult:
        """G0, the registry service asked where it was not asked before: about a hop that is new, say."""
        if services:
            await self._once("registry", url, lambda: self.ask_registry([url]))
        return self._permission.g0(url, services=services)

    async def _with_documents(self, gate: Callable[[], GateResult]) -> GateResult:
        """Ask a gate; read the documents that it waits for, and ask it again."""
        result = gate()
        for _ in range(_MAX_ROUNDS):
            if not result.documents:
                break
            await self._read_documents(result.documents)
            result = gate()
        return result

    async def _read_documents(self, urls: tuple[str, ...]) -> None:
        for url in urls:
            await self._once("document", url, lambda url=url: self._document(url))  # type: ignore[misc]

    async def _document(self, url: str) -> None:
        answer = await self._follow(url, NeedKind.DOCUMENT, "GET", ())
        library = self._permission.documents
        library.put(url, library.unavailable(url, answer) if isinstance(answer, GateResult) else answer)

    async def _origin(self, origin: str) -> OriginFacts:
        facts: OriginFacts = await self._once("origin", origin, lambda: self._host_files(origin))
        return facts

    async def _host_files(self, origin: str) -> OriginFacts:
        machine = self._permission.host_files(origin)
        try:
            need = next(machine)
            while True:
                answer = await self._ask(need)
                self._heard(need, answer)
                need = machine.send(answer)
        except StopIteration as end:
            facts: OriginFacts = end.value
        return facts

    async def _once(self, what: str, name: str, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """The result of `work` for this name; whoever else needs it waits for the same. What was asked for
        more than a day ago is asked for again: a recheck may take long."""
        now = self._permission.clock()
        since, task = self._tasks.get((what, name), (now, None))
        if task is None or (task.done() and now - since >= HOST_FILE_FRESH):
            task = asyncio.ensure_future(work())
            self._tasks[what, name] = now, task
        return await asyncio.shield(task)


def _head_of(answer: Fetched) -> ResponseHead:
    return ResponseHead(answer.final_url, answer.status or 0, answer.headers, answer.fetched_at)
