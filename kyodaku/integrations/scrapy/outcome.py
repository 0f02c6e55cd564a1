"""What the gates tell the rest of a Scrapy project: a trail of open gates, or a typed exception."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from kyodaku.gate import GateResult, GateVerdict
from kyodaku.reasons import HoldReason
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.model import Fetched, FetchError, Hop

if TYPE_CHECKING:
    from kyodaku.prints import PicturePrints

#: Where a request says what it asks for (a `Kind`), and what is known about the image so far.
META_KIND = "kyodaku_kind"
META_PAGE = "kyodaku_page"  # URL of the page that shows the image
META_EVIDENCE = "kyodaku_evidence"  # Sequence[LicenceEvidence] bound to the image
META_SIGNALS = "kyodaku_signals"  # Sequence[Signal] found before the image was asked for
META_CAP = "kyodaku_cap"  # bytes read of a host file
#: Where a response that came through carries its `GateTrail`.
META_TRAIL = "kyodaku"


class Kind(StrEnum):
    """What a request asks for. UNKNOWN (no `kyodaku_kind`): decided by what comes back."""

    PAGE = "page"
    IMAGE = "image"
    HOST_FILE = "host_file"
    UNKNOWN = ""


@dataclass(frozen=True)
class GateTrail:
    """How a response came through: `response.meta["kyodaku"]`.

    `results` are the gates asked, in order, all open. `head` is status and headers as served, `ip` the
    address that answered, `sha256` the hex digest of the body handed on (of the bytes as served, for an
    image). `complete` is False when the body was cut at its cap (host files) or by somebody's StopDownload.
    """

    results: tuple[GateResult, ...]
    head: ResponseHead
    ip: str
    sha256: str
    complete: bool = True


class GateClosed(IgnoreRequest):
    """A gate did not open. Scrapy drops the request; an errback finds everything needed for a record.

    `result` is the gate that closed, `results` all gates asked (it is the last). `head` is set once
    headers came; `sha256` once bytes were read (they are dropped), `prints` their fingerprints where somebody
    takes them; `error` when the fetch broke off.
    """

    prints: PicturePrints | None = None

    def __init__(
        self,
        result: GateResult,
        head: ResponseHead | None = None,
        *,
        results: tuple[GateResult, ...] = (),
        sha256: str = "",
        ip: str = "",
        error: FetchError | None = None,
    ) -> None:
        self.result = result
        self.results = results or (result,)
        self.head = head
        self.sha256 = sha256
        self.ip = ip
        self.error = error
        super().__init__(f"{result.gate}: {result.verdict.value} ({result.reason})")


class FetchFailed(IgnoreRequest):
    """A fetch ended without a whole answer, by our own limits or (for a host file) for any reason.

    Raised to the errback of host file requests only; images and pages get `GateClosed`.
    """

    def __init__(self, error: FetchError, head: ResponseHead | None = None, *, ip: str = "") -> None:
        self.error = error
        self.head = head
        self.ip = ip
        super().__init__(error.value)


def gate_exception(gate: str) -> GateResult:
    """The hold that stands for "something of ours failed"."""
    return GateResult(gate, GateVerdict.HOLD, HoldReason.GATE_EXCEPTION.value)


def trail_of(response: Response) -> GateTrail:
    """The trail of a response that came through. Raises GateClosed for one that did not."""
    trail = response.request.meta.get(META_TRAIL) if response.request is not None else None
    if not isinstance(trail, GateTrail):
        raise GateClosed(gate_exception("g4"))
    return trail


def fetched_of(response: Response) -> Fetched:
    """A response that came through, as the machines of `Permission` take it (one hop, no redirects)."""
    trail = trail_of(response)
    head = trail.head
    return Fetched(
        url=head.url,
        final_url=head.url,
        status=head.status,
        headers=head.headers,
        body=response.body,
        complete=trail.complete,
        error=None,
        fetched_at=head.fetched_at,
        hops=(Hop(head.url, head.status, trail.ip),),
    )


def fetched_of_failure(request: Request, failure: BaseException, now: float) -> Fetched:
    """What an errback was given, as the machines of `Permission` take it. `now` is Unix time."""
    ours = failure if isinstance(failure, FetchFailed | GateClosed) else None
    head = None if ours is None else ours.head
    error = FetchError.PROTOCOL if ours is None else ours.error or FetchError.BLOCKED
    sent = head is not None or error is not FetchError.BLOCKED
    hop = Hop(request.url, 0 if head is None else head.status, "" if ours is None else ours.ip)
    return Fetched(
        url=request.url,
        final_url=request.url,
        status=None if head is None else head.status,
        headers=() if head is None else head.headers,
        body=b"",
        complete=False,
        error=error,
        fetched_at=now,
        hops=(hop,) if sent else (),
    )
