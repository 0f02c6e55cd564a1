"""What gates are asked with and answer with: plain data, and what a status or an error means by itself.

A GateResult without an explicit verdict cannot be built, and `guarded` turns an exception inside a gate
into a hold.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal
from urllib.parse import urljoin, urlsplit

from kyodaku.decision import objections
from kyodaku.reasons import FailReason, HoldReason, ReasonEnum, RefuseReason, Verdict
from kyodaku.signals.carriers.html import HtmlPage
from kyodaku.signals.model import Declared, Effect, Fetched, FetchError, Headers, LicenceEvidence, Signal

REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})


class GateVerdict(StrEnum):
    """What a gate says. Only `proceed` opens it, and it is provisional: `decide_all` has the last word."""

    PROCEED = "proceed"
    REFUSE = "refuse"
    HOLD = "hold"
    FAIL = "fail"  # no permission in question: not found, not an image


class NeedKind(StrEnum):
    """What a machine asks its driver for."""

    HOST_FILE = "host_file"
    DOCUMENT = "document"  # named by a page, a header or an image: asked for like a page
    PAGE = "page"
    IMAGE = "image"
    REGISTRY = "registry"  # a walk's: an opt-out service has to be asked about this URL; any answer will do


@dataclass(frozen=True)
class Need:
    """One request, without following redirects, reading at most `cap` bytes.

    `headers` are those of a conditional request; nothing else is ever added to what a driver sends. Only an
    opt-out service is asked by POST, with a `body` and a key among the headers.
    """

    url: str
    kind: NeedKind
    cap: int
    method: Literal["GET", "HEAD", "POST"] = "GET"
    headers: Headers = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class ImageFacts:
    """What G5 read in an image's bytes: the sniffed format, sides in pixels as the header promises them,
    and the sha256 hex of the bytes."""

    format: str
    width: int
    height: int
    sha256: str


@dataclass(frozen=True)
class GateResult:
    """The answer of one gate. `reason` is "" exactly when the verdict is `proceed`; `image` is G5's.

    `documents` are URLs that have to be read before this gate can say more: it holds until they are.
    """

    gate: str
    verdict: GateVerdict
    reason: str
    signals: tuple[Signal, ...] = ()
    evidence: tuple[LicenceEvidence, ...] = ()
    image: ImageFacts | None = None
    documents: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.verdict is GateVerdict.PROCEED) != (self.reason == ""):
            raise ValueError("a gate that does not proceed needs a reason, one that proceeds has none")

    @property
    def open(self) -> bool:
        """True only for `proceed`."""
        return self.verdict is GateVerdict.PROCEED


@dataclass(frozen=True)
class OriginFacts:
    """Host files of one origin, as fetched. `files` maps each asked path, and the absolute URL of each
    document that these files name, to its final answer.

    `others` came on the way and no gate reads them again: the robots.txt of other origins that documents lie
    on, and the failures that a copy in `files` stands in for."""

    origin: str
    files: dict[str, Fetched]
    fetched_at: float
    others: tuple[Fetched, ...] = ()


@dataclass(frozen=True)
class PageFacts:
    """What G2 found on a page: its verdict, its parsed form, the signals for all its images, and the
    documents that it names."""

    result: GateResult
    page: HtmlPage | None
    documents: tuple[Declared, ...] = ()


def refuse(gate: str, reason: ReasonEnum, signals: Sequence[Signal] = ()) -> GateResult:
    """Somebody says no."""
    return GateResult(gate, GateVerdict.REFUSE, reason.value, tuple(signals))


def hold(gate: str, reason: ReasonEnum, signals: Sequence[Signal] = ()) -> GateResult:
    """The state is unknown."""
    return GateResult(gate, GateVerdict.HOLD, reason.value, tuple(signals))


def of_hop(result: GateResult) -> GateResult:
    """What a gate said about an address that only leads on: a yes there is none for what lies at the end."""
    signals = tuple(signal for signal in result.signals if signal.effect is not Effect.PERMITTED)
    return replace(result, signals=signals)


def fail(gate: str, reason: FailReason) -> GateResult:
    """Nobody's permission was in question."""
    return GateResult(gate, GateVerdict.FAIL, reason.value)


def weigh(gate: str, signals: Sequence[Signal], evidence: Sequence[LicenceEvidence] = ()) -> GateResult:
    """Proceed only where no signal objects."""
    if not signals and not evidence:
        return _unsaid(gate)
    objection = objections(signals)
    if objection is None:
        return GateResult(gate, GateVerdict.PROCEED, "", tuple(signals), tuple(evidence))
    verdict = GateVerdict.REFUSE if objection.verdict is Verdict.REFUSE else GateVerdict.HOLD
    return GateResult(gate, verdict, objection.reason.value, tuple(signals), tuple(evidence))


@functools.cache
def _unsaid(gate: str) -> GateResult:
    """Nobody said anything: most answers of all."""
    return GateResult(gate, GateVerdict.PROCEED, "")


def guarded(gate: str) -> Callable[[Callable[..., GateResult]], Callable[..., GateResult]]:
    """An exception in a gate is a hold: a bug of ours must never open it."""

    def wrap(method: Callable[..., GateResult]) -> Callable[..., GateResult]:
        @functools.wraps(method)
        def inner(*args: object, **kwargs: object) -> GateResult:
            try:
                return method(*args, **kwargs)
            except Exception:
                return hold(gate, HoldReason.GATE_EXCEPTION)

        return inner

    return wrap


def image_status(status: int) -> GateResult | None:
    """What an image's status means on its own, or None for 200 (signals.md 0.5, last column)."""
    if status == 200:
        return None
    if status in (404, 410):
        return fail("g4", FailReason.NOT_FOUND)
    if status in (401, 403, 407):
        return hold("g4", HoldReason.IMAGE_FORBIDDEN)
    if status == 429:
        return hold("g4", HoldReason.IMAGE_RATE_LIMITED)
    if status == 402:
        return refuse("g4", RefuseReason.PAYMENT_REQUIRED)
    if status == 451:
        return refuse("g4", RefuseReason.LEGAL_BLOCK)
    if status >= 500:
        return hold("g4", HoldReason.IMAGE_UNREACHABLE)
    if status in REDIRECT_STATUSES:  # one that leads nowhere: drivers follow the others
        return fail("g4", FailReason.REDIRECTS)
    return fail("g4", FailReason.HTTP_STATUS)


def image_error(error: FetchError) -> GateResult:
    """What a broken image fetch means."""
    failures = {
        FetchError.REDIRECTS: FailReason.REDIRECTS,
        FetchError.TOO_LARGE: FailReason.TOO_LARGE,
        FetchError.TOO_SLOW: FailReason.TOO_SLOW,
        FetchError.BOMB: FailReason.DECOMPRESSION_BOMB,
    }
    if error in failures:
        return fail("g4", failures[error])
    if error is FetchError.BLOCKED:
        return refuse("g3", RefuseReason.ADDRESS_BLOCKED)
    return hold("g4", HoldReason.IMAGE_UNREACHABLE)


def redirect_target(answer: Fetched) -> str | None:
    """The absolute URL an answer redirects to, or None. Only http and https targets count."""
    if answer.error is not None or answer.status not in REDIRECT_STATUSES:
        return None
    location = next((value for name, value in answer.headers if name.lower() == "location"), "")
    if not location.strip():
        return None
    target = urljoin(answer.final_url or answer.url, location.strip())
    return target if urlsplit(target).scheme in ("http", "https") else None
