"""One image, all gates in order: the machine that `check`-like drivers and audits run.

A crawl meets the gates spread over many requests; this walks them for a single image. Both ask the
same `Permission`, so that they cannot disagree about what a fact means.
"""

from __future__ import annotations

from collections.abc import Generator
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
    redirect_target,
)
from kyodaku.netguard import host_of, normalise_url, origin_of
from kyodaku.permission import Permission
from kyodaku.reasons import FailReason, HoldReason
from kyodaku.records import Candidate
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.model import Fetched, Hop

#: Bytes of a page that a walk reads.
PAGE_CAP = 5 * 10**6

Walk = Generator[Need, Fetched, "Judgement"]


@dataclass(frozen=True)
class Judgement:
    """How far an image came: the last gate's result, every gate's result in order, and the facts as the
    candidate record that `kyodaku.decision.decide` takes."""

    last: GateResult
    trail: tuple[GateResult, ...]
    candidate: Candidate


@dataclass
class _Origins:
    """Host files of the origins met on one walk, each asked once."""

    permission: Permission
    known: dict[str, OriginFacts] = field(default_factory=dict)

    def facts(self, url: str) -> Generator[Need, Fetched, OriginFacts]:
        origin = origin_of(url)
        if origin not in self.known:
            self.known[origin] = yield from self.permission.host_files(origin)
        return self.known[origin]


def walk_image(permission: Permission, image_url: str, page_url: str = "", redirects: int = 5) -> Walk:
    """Ask every gate for `image_url` as shown on `page_url` ("" when no page is named).

    Stops at the first gate that does not proceed and asks nothing further in search of a later yes.
    """
    origins = _Origins(permission)
    allowed = permission.g0(image_url)
    image_url = normalise_url(image_url) if allowed.open else image_url
    row = Candidate(
        candidate_id=candidate_id(image_url, page_url),
        image_url=image_url,
        page_url=page_url,
        host=host_of(image_url) if allowed.open else "",
    )
    trail: list[GateResult] = [allowed]
    if not allowed.open:
        return _judgement(trail, row)
    if page_url:
        page = yield from _walk_page(permission, origins, page_url, redirects, trail)
        if page is None:
            return _judgement(trail, row)
        told = permission.g2_image(page, image_url)
        trail.append(told)
        row = replace(row, signals=told.signals, evidence=told.evidence)
        if not told.open:
            return _judgement(trail, row)
    answer = yield from _follow(permission, origins, image_url, NeedKind.IMAGE, redirects, trail)
    if answer is None:
        return _judgement(trail, row)
    return _judge_bytes(permission, answer, trail, row)


def _walk_page(
    permission: Permission, origins: _Origins, page_url: str, redirects: int, trail: list[GateResult]
) -> Generator[Need, Fetched, PageFacts | None]:
    answer = yield from _follow(permission, origins, page_url, NeedKind.PAGE, redirects, trail)
    if answer is None:
        return None
    facts = permission.g2(answer)
    if not facts.result.open and facts.page is None:
        trail.append(facts.result)
        return None
    return facts


def _follow(
    permission: Permission,
    origins: _Origins,
    url: str,
    kind: NeedKind,
    redirects: int,
    trail: list[GateResult],
) -> Generator[Need, Fetched, Fetched | None]:
    """GET `url` hop by hop, every hop through G0 and G1 of its own host first."""
    cap = PAGE_CAP if kind is NeedKind.PAGE else permission.rules.max_image
    hops: list[Hop] = []
    current = url
    while True:
        first = permission.g0(current)
        if not first.open:
            trail.append(first)
            return None
        current = normalise_url(current)
        facts = yield from origins.facts(current)
        result = permission.g3(current, facts) if kind is NeedKind.IMAGE else permission.g1(current, facts)
        trail.append(result)
        if not result.open:
            return None
        answer = yield Need(current, kind, cap)
        target = redirect_target(answer)
        hops.append(Hop(current, answer.status or 0, answer.hops[-1].ip if answer.hops else ""))
        if target is None:
            return replace(answer, url=url, final_url=current, hops=tuple(hops))
        if len(hops) > redirects:
            trail.append(GateResult("g3", GateVerdict.FAIL, FailReason.REDIRECTS.value))
            return None
        current = target


def _judge_bytes(
    permission: Permission, answer: Fetched, trail: list[GateResult], row: Candidate
) -> Judgement:
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
    headers = permission.g4(head)
    trail.append(headers)
    row = replace(row, signals=(*row.signals, *headers.signals))
    if not headers.open:
        return _judgement(trail, row)
    if not answer.complete:
        trail.append(GateResult("g5", GateVerdict.FAIL, FailReason.INCOMPLETE.value))
        return _judgement(trail, row)
    digest = sha256(answer.body).hexdigest()
    row = replace(row, sha256=digest, uid=uid_of(digest), bytes=len(answer.body))
    last = permission.g5(head, answer.body, row.evidence, row.signals)
    trail.append(last)
    row = replace(row, signals=(*row.signals, *last.signals), evidence=(*row.evidence, *last.evidence))
    return _judgement(trail, row)


def _judgement(trail: list[GateResult], row: Candidate) -> Judgement:
    last = trail[-1]
    known = list(row.signals)
    for result in trail:
        known += [signal for signal in result.signals if signal not in known]
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
