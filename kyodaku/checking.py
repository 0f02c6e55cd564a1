"""`kyodaku check`: would a crawl take this image, or this page's images, and why? The same gates, asked once.

`check_url` drives the walk of `kyodaku.walk` with a polite fetcher; `check_file` reads what is inside a file.
Both give plain data; texts from the web stay verbatim in it and are made harmless where they are drawn.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kyodaku.decision import decide, objections, resolve_protocols
from kyodaku.errors import UnsafeAddressError
from kyodaku.fetcher import Fetcher
from kyodaku.gate import GateResult, GateVerdict, Need, NeedKind
from kyodaku.netguard import check_url as check_address
from kyodaku.netguard import normalise_url
from kyodaku.permission import Permission
from kyodaku.reasons import NotRequestedReason, Outcome, Verdict
from kyodaku.signals.carriers.embedded import IMAGE_FORMATS, sniff
from kyodaku.signals.model import Effect, Fetched, FetchError, LicenceEvidence, Signal
from kyodaku.spawning import SpawningClient
from kyodaku.turns import CrawlDelays
from kyodaku.walk import Judgement, PageJudgement, Walk, walk_image, walk_page

_IMAGE_NAMES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif", ".tif", ".tiff")
_OUTCOMES = {Verdict.ALLOW: Outcome.RELEASED, Verdict.REFUSE: Outcome.REFUSED, Verdict.HOLD: Outcome.HELD}
_GATE_OUTCOMES = {
    GateVerdict.REFUSE: Outcome.REFUSED,
    GateVerdict.HOLD: Outcome.HELD,
    GateVerdict.FAIL: Outcome.FAILED,
}


@dataclass(frozen=True)
class Checked:
    """What came of one image, page or file.

    `kind` is image, page or file; `outcome` released (it would be taken), refused, held, failed, or
    not_requested (its host wants a longer pause than a crawl waits), with its `reason`; `decisive` the signal
    that decides, if any; `grounds` the evidence a yes rests on; `trail` every gate's answer in order.
    `images` are those of a page that were walked, of `shown` in all. `elsewhere` is true of an image that the
    page named for it does not name, so that what this page says may be about others. `closed` tells why its
    address is none that may be spoken to, "" where it is one.
    """

    url: str
    kind: str
    outcome: Outcome
    reason: str
    decisive: Signal | None
    trail: tuple[GateResult, ...]
    grounds: tuple[LicenceEvidence, ...] = ()
    images: tuple[Checked, ...] = ()
    shown: int = 0
    elsewhere: bool = False
    closed: str = ""

    @property
    def taken(self) -> bool:
        """True when a crawl under this recipe would take it."""
        return self.outcome is Outcome.RELEASED


@dataclass(frozen=True)
class Asker:
    """Who answers a walk: a fetcher, and the client of the registry service that the recipe names, if any."""

    fetcher: Fetcher
    registry: SpawningClient | None = None

    async def get(self, need: Need, permission: Permission) -> Fetched:
        """What came of one need. What the service said stands in its answers, not in what comes back."""
        if need.kind is not NeedKind.REGISTRY:
            return await self.fetcher.get(need)
        service = permission.snapshot.service
        if service is not None and self.registry is not None:
            service.answers.put(await self.registry.query([need.url]))
        return Fetched(need.url, need.url, None, (), b"", False, FetchError.BLOCKED, permission.clock())


async def check_url(
    url: str, permission: Permission, asker: Asker, *, images: int, redirects: int, page: str = ""
) -> Checked:
    """Walk a page and its first images, or one image. What the address leads to decides which it is; with the
    address of a `page`, it is an image that this page shows."""
    try:
        check_address(url, permission.rules.net)
    except UnsafeAddressError as error:
        closed = str(error)
    else:
        closed = ""
    try:
        return replace(await _walked(url, permission, asker, images, redirects, page), closed=closed)
    except _TooSlowError:
        kind = "image" if page or _named_like_an_image(url) else "page"
        return Checked(url, kind, Outcome.NOT_REQUESTED, NotRequestedReason.BUDGET_HOST.value, None, ())


def _named_like_an_image(url: str) -> bool:
    return url.partition("?")[0].partition("#")[0].lower().endswith(_IMAGE_NAMES)


async def _walked(
    url: str, permission: Permission, asker: Asker, images: int, redirects: int, page: str
) -> Checked:
    if page:
        pages: list[Fetched] = []
        walk = _noting_pages(walk_image(permission, url, page, redirects), pages)
        checked = _of_image(await _drive(walk, asker, permission), permission)
        return replace(checked, elsewhere=bool(pages) and not _names(pages[-1], url, permission))
    if _named_like_an_image(url):
        return _of_image(
            await _drive(walk_image(permission, url, redirects=redirects), asker, permission), permission
        )
    met: list[Fetched] = []
    found: PageJudgement = await _drive(
        _stopped_at_image(walk_page(permission, url, images=images, redirects=redirects), met),
        asker,
        permission,
    )
    if met:  # not a page after all: its bytes are here already
        walked = _replayed(walk_image(permission, url, redirects=redirects), met)
        return _of_image(await _drive(walked, asker, permission), permission)
    return _of_page(url, found, permission)


def _noting_pages(machine: Walk, pages: list[Fetched]) -> Walk:
    """`machine`; what came of pages, hop by hop, is in `pages`."""
    try:
        need = next(machine)
        while True:
            answer = yield need
            if need.kind is NeedKind.PAGE:
                pages.append(replace(answer, url=need.url, final_url=need.url))
            need = machine.send(answer)
    except StopIteration as end:
        judged: Judgement = end.value
        return judged


def _names(answer: Fetched, url: str, permission: Permission) -> bool:
    """Does this page name the image, in any of the sizes it offers? True where there was no page to read."""
    page = permission.g2(answer).page
    if page is None:
        return True
    named = {source.url for image in page.images for source in image.candidates}
    return normalise_url(url) in {normalise_url(name) for name in named}


def _stopped_at_image(
    machine: Generator[Need, Fetched, PageJudgement], met: list[Fetched]
) -> Generator[Need, Fetched, PageJudgement | None]:
    """`machine`, until the page turns out to be an image; its answers are in `met` then."""
    answers: list[Fetched] = []
    try:
        need = next(machine)
        while True:
            answer = yield need
            if need.kind is NeedKind.PAGE:
                answers.append(answer)
                if sniff(answer.body) in IMAGE_FORMATS:
                    met += answers
                    return None
            need = machine.send(answer)
    except StopIteration as end:
        found: PageJudgement = end.value
        return found


def _replayed(
    machine: Generator[Need, Fetched, Judgement], met: Sequence[Fetched]
) -> Generator[Need, Fetched, Judgement]:
    """`machine`, given the answers that came already; one that was cut is asked for again."""
    known = {answer.url: answer for answer in met if answer.complete}
    try:
        need = next(machine)
        while True:
            answer = known.get(need.url) if need.kind is NeedKind.IMAGE else None
            if answer is None:
                answer = yield need
            need = machine.send(answer)
    except StopIteration as end:
        found: Judgement = end.value
        return found


class _TooSlowError(Exception):
    """A host asks for more seconds between two requests than a crawl waits: it is closed instead."""


async def _drive(machine: Generator[Need, Fetched, Any], asker: Asker, permission: Permission) -> Any:
    """Answer a machine's needs to its end; a Crawl-delay counts from robots.txt on."""
    delays = CrawlDelays(permission.rules.own_tokens)
    try:
        need = next(machine)
        while True:
            answer = await asker.get(need, permission)
            wish = delays.heard(need, answer)
            if wish is not None:
                if wish[1] > asker.fetcher.max_delay:
                    raise _TooSlowError
                asker.fetcher.slow_down(*wish)
            need = machine.send(answer)
    except StopIteration as end:
        return end.value


def _of_page(url: str, page: PageJudgement, permission: Permission) -> Checked:
    images = tuple(_of_image(judged, permission) for judged in page.images)
    last = page.last
    outcome = _GATE_OUTCOMES.get(last.verdict)
    if outcome is None:  # the page is open: what it comes to is what its images come to
        taken = [image for image in images if image.taken]
        first = next(iter(taken or images), None)
        if first is None:
            return Checked(url, "page", Outcome.FAILED, "", None, page.trail, shown=page.shown)
        return replace(
            first, url=url, kind="page", trail=page.trail, grounds=(), images=images, shown=page.shown
        )
    return Checked(
        url, "page", outcome, last.reason, _decisive(last, page.trail), page.trail, (), images, page.shown
    )


def _of_image(judged: Judgement, permission: Permission) -> Checked:
    row, last = judged.candidate, judged.last
    if last.verdict is GateVerdict.FAIL:
        return Checked(row.image_url, "image", Outcome.FAILED, last.reason, None, judged.trail)
    decision = decide(row, permission.rules.policy, permission.snapshot)
    signals = [row.signals[index] for index in decision.signals]
    return Checked(
        row.image_url,
        "image",
        _OUTCOMES[decision.verdict],
        decision.reason.value,
        signals[0] if signals else _decisive(last, judged.trail),
        judged.trail,
        tuple(row.evidence[index] for index in decision.evidence),
    )


def _decisive(last: GateResult, trail: Sequence[GateResult]) -> Signal | None:
    """The signal that gave the last gate its reason."""
    named = (signal for result in (last, *trail) for signal in result.signals)
    return next((signal for signal in named if last.reason and signal.reason == last.reason), None)


def check_file(name: str, body: bytes, permission: Permission, now: float) -> Checked:
    """What a file says about itself: every protocol that reads inside images, and G5's view of it."""
    from kyodaku.signals.carriers.headers import ResponseHead

    head = ResponseHead(f"file:{name}", 200, (), now)
    result = permission.g5(head, body)
    objection = objections(result.signals)
    if objection is not None:
        signal = result.signals[objection.signals[0]] if objection.signals else None
        reason = objection.reason.value
        return Checked(name, "file", _OUTCOMES[objection.verdict], reason, signal, (result,))
    if result.verdict is GateVerdict.FAIL:
        return Checked(name, "file", Outcome.FAILED, result.reason, None, (result,))
    effects = resolve_protocols(result.signals)
    granting = [s for s in result.signals if effects[s.protocol] is Effect.PERMITTED is s.effect]
    return Checked(
        name,
        "file",
        Outcome.RELEASED,
        "grant" if granting else "",
        granting[0] if granting else None,
        (result,),
        result.evidence,
    )
