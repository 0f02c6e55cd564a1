"""What Scrapy hands to a callback or errback, as plain facts. The one place that knows the add-on's
exceptions."""

from __future__ import annotations

from dataclasses import dataclass, replace

from scrapy import Request
from scrapy.http import Response

from kyodaku.gate import GateResult, GateVerdict
from kyodaku.integrations.scrapy import GateClosed, fetched_of, fetched_of_failure, trail_of
from kyodaku.prints import PicturePrints
from kyodaku.reasons import HoldReason
from kyodaku.signals.model import Fetched, FetchError, LicenceEvidence, Signal


@dataclass(frozen=True)
class Answer:
    """One answer. `result` is the last gate's word; `fetched.body` is empty unless it is open.

    `asked` is False when nothing was sent. `sha256` is of the body as served, also of a refused one.
    `signals` and `evidence` are what the gates of this request found. `prints` are those of an image that is
    not kept although its bytes came.
    """

    fetched: Fetched
    result: GateResult
    asked: bool
    sha256: str = ""
    address: str = ""
    signals: tuple[Signal, ...] = ()
    evidence: tuple[LicenceEvidence, ...] = ()
    prints: PicturePrints | None = None

    @property
    def broke_off(self) -> bool:
        """True when the connection failed in a way that another try may mend."""
        return self.fetched.error in (FetchError.TIMEOUT, FetchError.RESET, FetchError.CONNECT)


def answer_of(response: Response) -> Answer:
    """A response whose gates are all open."""
    trail = trail_of(response)
    return Answer(
        fetched=fetched_of(response),
        result=trail.results[-1],
        asked=True,
        sha256=trail.sha256,
        address=trail.ip,
        signals=_signals(trail.results),
        evidence=_evidence(trail.results),
    )


def answer_of_failure(request: Request, error: BaseException, now: float) -> Answer:
    """A request that a gate closed or that broke off. Whatever is not understood is a hold."""
    fetched = fetched_of_failure(request, error, now)
    if not isinstance(error, GateClosed):
        result = GateResult("g0", GateVerdict.HOLD, HoldReason.GATE_EXCEPTION.value)
        return Answer(fetched, result, asked=True)
    asked = error.head is not None or error.error is not None or bool(error.ip)
    if error.error is None:  # the gate closed by itself; the fetch is not to blame
        fetched = replace(fetched, error=None)
    return Answer(
        fetched=fetched,
        result=error.result,
        asked=asked,
        sha256=error.sha256,
        address=error.ip,
        signals=_signals(error.results),
        evidence=_evidence(error.results),
        prints=error.prints,
    )


def _signals(results: tuple[GateResult, ...]) -> tuple[Signal, ...]:
    return tuple(signal for result in results for signal in result.signals)


def _evidence(results: tuple[GateResult, ...]) -> tuple[LicenceEvidence, ...]:
    return tuple(item for result in results for item in result.evidence)
