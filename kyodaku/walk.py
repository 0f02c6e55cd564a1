"""One image or one page, all gates in order: the machine that `check`-like drivers and audits run.

A crawl meets the gates spread over many requests; this walks them for a single image, or for a page and the
images it shows. Both ask the same `Permission`, so that they cannot disagree about what a fact means.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from kyodaku.fingerprint import candidate_id, uid_of
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
from kyodaku.hostfiles import document
from kyodaku.netguard import host_of, normalise_url, origin_of
from kyodaku.permission import Permission
from kyodaku.reasons import FailReason, HoldReason
from kyodaku.records import Candidate
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.carriers.page import HtmlPage
from kyodaku.signals.model import Fetched, Hop, Signal

#: Bytes of a page that a walk reads.
PAGE_CAP = 5 * 10**6
#: Documents that one walk asks for; a gate that wants more keeps holding.
MAX_DOCUMENTS = 32

Walk = Generator[Need, Fetched, "Judgement"]
PageWalk = Generator[Need, Fetched, "PageJudgement"]


@dataclass(frozen=True)
class Judgement:
    """How far an image came: the last gate's result, every gate's result in order, and the facts as the
    candidate record that `kyodaku.decision.decide` takes."""

    last: GateResult
    trail: tuple[GateResult, ...]
    candidate: Candidate


@dataclass(frozen=True)
class PageJudgement:
    """How far a page came, and each of its images.

    `trail` holds the gates of the page itself (it opens every image's trail too); `page` is None when there
    was nothing to read; `shown` counts the different images of the page, of which `images` may be the first
    few; `origins` are the host files met on the way, by origin.
    """

    last: GateResult
    trail: tuple[GateResult, ...]
    page: HtmlPage | None
    shown: int
    images: tuple[Judgement, ...]
    origins: Mapping[str, OriginFacts]


@dataclass
class _Walker:
    """What one walk knows: host files of the origins met, each asked once, and documents asked for."""

    permission: Permission
    redirects: int
    known: dict[str, OriginFacts] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    listed_before: set[str] = field(default_factory=set)

    def facts(self, url: str) -> Generator[Need, Fetched, OriginFacts]:
        origin = origin_of(url)
        if origin not in self.known:
            self.known[origin] = yield from self.permission.host_files(origin)
        return self.known[origin]

    def listed(self, url: str) -> Generator[Need, Fetched, GateResult]:
        """G0 of `url`, once a registry service was asked about it, each address once."""
        service = self.permission.snapshot.service
        first = self.permission.g0(url, services=False)
        if first.open and service is not None:
            url = normalise_url(url)
            if url not in self.listed_before and service.unanswered(url):
                self.listed_before.add(url)
                yield Need(url, NeedKind.REGISTRY, 0)
        return self.permission.g0(url)

    def settled(self, gate: Callable[[], GateResult]) -> Generator[Need, Fetched, GateResult]:
        """The gate's answer when the documents that it waits for have been asked for, each once."""
        result = gate()
        while wanted := [url for url in result.documents if url not in self.asked]:
            for url in wanted:
                if len(self.asked) >= MAX_DOCUMENTS:
                    return result
                self.asked.add(url)
                found = yield from document(self.permission, url, self.redirects, self.facts)
                self.permission.documents.put(url, found)
            result = gate()
        return result


def walk_image(
    permission: Permission,
    image_url: str,
    page_url: str = "",
    redirects: int = 5,
    known: Mapping[str, OriginFacts] | None = None,
) -> Walk:
    """Ask every gate for `image_url` as shown on `page_url` ("" when no page is named).

    Stops at the first gate that does not proceed and asks nothing further in search of a later yes. Host
    files of the origins in `known` are not asked for again.
    """
    walker = _Walker(permission, redirects, dict(known or {}))
    trail: list[GateResult] = []
    row = yield from _first(walker, image_url, page_url, trail)
    if not trail[-1].open:
        return _judgement(trail, row)
    page = None
    if page_url:
        page = yield from _page(walker, page_url, trail)
        if page is None:
            return _judgement(trail, row)
    return (yield from _image(walker, row, page, trail))


def walk_page(
    permission: Permission,
    page_url: str,
    *,
    images: int = 20,
    redirects: int = 5,
    known: Mapping[str, OriginFacts] | None = None,
) -> PageWalk:
    """Ask every gate for a page, then for the first `images` of the images it shows.

    Images are taken in document order, each address once. A page that is shut asks for none of them, and
    each has the page's answer. Host files of the origins in `known` are not asked for again.
    """
    walker = _Walker(permission, redirects, dict(known or {}))
    trail: list[GateResult] = []
    facts = yield from _page(walker, page_url, trail)
    if facts is None or facts.page is None:
        return PageJudgement(trail[-1], tuple(trail), None, 0, (), dict(walker.known))
    trail.append(facts.result)
    addresses = list(dict.fromkeys(image.url for image in facts.page.images))
    found: list[Judgement] = []
    for address in addresses[: max(0, images)]:
        walked = list(trail)
        row = yield from _first(walker, address, page_url, walked)
        if walked[-1].open:
            found.append((yield from _image(walker, row, facts, walked)))
        else:
            found.append(_judgement(walked, row))
    return PageJudgement(
        facts.result, tuple(trail), facts.page, len(addresses), tuple(found), dict(walker.known)
    )


def _first(
    walker: _Walker, image_url: str, page_url: str, trail: list[GateResult]
) -> Generator[Need, Fetched, Candidate]:
    """G0 of an image's address, and the record of an image of which nothing else is known."""
    allowed = yield from walker.listed(image_url)
    trail.append(allowed)
    image_url = normalise_url(image_url) if allowed.open else image_url
    return Candidate(
        candidate_id=candidate_id(image_url, page_url),
        image_url=image_url,
        page_url=page_url,
        host=host_of(image_url) if allowed.open else "",
    )


def _image(walker: _Walker, row: Candidate, page: PageFacts | None, trail: list[GateResult]) -> Walk:
    """From what a page says about an image to its bytes."""
    permission = walker.permission
    if page is not None:
        told = yield from walker.settled(lambda: permission.g2_image(page, row.image_url))
        trail.append(told)
        row = replace(row, signals=told.signals, evidence=told.evidence)
        if not told.open:
            return _judgement(trail, row)
    answer = yield from _follow(walker, row.image_url, NeedKind.IMAGE, trail)
    if answer is None:
        return _judgement(trail, row)
    return (yield from _judge_bytes(walker, answer, trail, row))


def _page(
    walker: _Walker, page_url: str, trail: list[GateResult]
) -> Generator[Need, Fetched, PageFacts | None]:
    answer = yield from _follow(walker, page_url, NeedKind.PAGE, trail)
    if answer is None:
        return None
    facts = walker.permission.g2(answer)
    if facts.result.documents:
        yield from walker.settled(lambda: facts.result)
        facts = walker.permission.g2(answer)
    if not facts.result.open and facts.page is None:
        trail.append(facts.result)
        return None
    return facts


def _follow(
    walker: _Walker, url: str, kind: NeedKind, trail: list[GateResult]
) -> Generator[Need, Fetched, Fetched | None]:
    """GET `url` hop by hop, every hop through G0 and G1 of its own host first."""
    permission = walker.permission
    cap = PAGE_CAP if kind is NeedKind.PAGE else permission.rules.max_image
    hops: list[Hop] = []
    current = url
    while True:
        first = yield from walker.listed(current)
        if not first.open:
            trail.append(first)
            return None
        current = normalise_url(current)
        facts = yield from walker.facts(current)
        if kind is NeedKind.IMAGE:
            result = yield from walker.settled(_g3(permission, current, facts))
        else:
            result = of_hop(permission.g1(current, facts))  # a page's host grants no picture of another
        trail.append(result)
        if not result.open:
            return None
        answer = yield Need(current, kind, cap)
        target = redirect_target(answer)
        hops.append(_hop(current, answer))
        if target is None:
            return replace(answer, url=url, final_url=current, hops=tuple(hops))
        if len(hops) > walker.redirects:
            trail.append(GateResult("g3", GateVerdict.FAIL, FailReason.REDIRECTS.value))
            return None
        if kind is NeedKind.IMAGE:
            trail[-1] = of_hop(result)
            said = yield from walker.settled(_g4_hop(permission, answer, current))
            if not said.open:
                trail.append(said)
                return None
        current = target


def _g3(permission: Permission, url: str, facts: OriginFacts) -> Callable[[], GateResult]:
    return lambda: permission.g3(url, facts)


def _g4_hop(permission: Permission, answer: Fetched, url: str) -> Callable[[], GateResult]:
    return lambda: permission.g4_hop(ResponseHead(url, answer.status or 0, answer.headers, answer.fetched_at))


def _hop(url: str, answer: Fetched) -> Hop:
    return Hop(url, answer.status or 0, answer.hops[-1].ip if answer.hops else "")


def _judge_bytes(walker: _Walker, answer: Fetched, trail: list[GateResult], row: Candidate) -> Walk:
    permission = walker.permission
    row = replace(
        row,
        final_url=answer.final_url,
        hops=answer.hops,
        status=answer.status or 0,
        headers=answer.headers,
        fetched_at=answer.fetched_at,
    )
    if answer.error is not None or answer.status is None:
        trail.append(
            image_error(answer.error)
            if answer.error is not None
            else GateResult("g4", GateVerdict.HOLD, HoldReason.IMAGE_UNREACHABLE.value)
        )
        return _judgement(trail, row)
    head = ResponseHead(answer.final_url, answer.status, answer.headers, answer.fetched_at)
    headers = yield from walker.settled(lambda: permission.g4(head))
    trail.append(headers)
    row = replace(row, signals=(*row.signals, *headers.signals))
    if not headers.open:
        return _judgement(trail, row)
    if not answer.complete:
        trail.append(GateResult("g5", GateVerdict.FAIL, FailReason.INCOMPLETE.value))
        return _judgement(trail, row)
    digest = sha256(answer.body).hexdigest()
    row = replace(row, sha256=digest, uid=uid_of(digest), bytes=len(answer.body))
    last = permission.g5(head, answer.body, row.evidence, _said(trail, row))
    trail.append(last)
    row = replace(row, signals=(*row.signals, *last.signals), evidence=(*row.evidence, *last.evidence))
    return _judgement(trail, row)


def _said(trail: list[GateResult], row: Candidate) -> list[Signal]:
    """What pages and gates said so far, each signal once."""
    return list(dict.fromkeys((*row.signals, *(signal for result in trail for signal in result.signals))))


def _judgement(trail: list[GateResult], row: Candidate) -> Judgement:
    last = trail[-1]
    known = _said(trail, row)
    failure = last.reason if last.verdict is GateVerdict.FAIL else ""
    row = replace(
        row,
        signals=tuple(known),
        gate=last.gate,
        gate_verdict=last.verdict.value,
        gate_reason=last.reason,
        failure=failure,
    )
    return Judgement(last, tuple(trail), row)
