"""What asking again about one image gathers on its way, and what it comes to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from kyodaku.decision import LACKING, Policy, basis_decision
from kyodaku.gate import GateResult, GateVerdict
from kyodaku.reasons import HoldReason, Verdict
from kyodaku.records import Candidate
from kyodaku.signals.model import Effect, LicenceBinding, LicenceEvidence, Signal, Where


@dataclass(frozen=True)
class Recheck:
    """What asking again brought for one candidate; the columns of RECHECKS."""

    candidate_id: str
    page: str
    image: str
    result: GateResult
    checked_at: float
    page_sha256: str = ""
    sha256: str = ""
    words: tuple[str, ...] = ()
    signals: tuple[Signal, ...] = ()
    evidence: tuple[LicenceEvidence, ...] = ()


@dataclass
class Findings:
    """What is gathered on the way to one Recheck."""

    candidate: Candidate
    clock: Callable[[], float]
    page: str = ""
    image: str = ""
    page_sha256: str = ""
    sha256: str = ""
    words: tuple[str, ...] = ()
    signals: dict[Signal, None] = field(default_factory=dict)
    evidence: dict[LicenceEvidence, None] = field(default_factory=dict)

    def add(self, result: GateResult) -> GateResult:
        """Keep what a gate heard."""
        self.signals.update(dict.fromkeys(result.signals))
        self.evidence.update(dict.fromkeys(result.evidence))
        return result

    def end(self, result: GateResult) -> Recheck:
        """All of it, `result` being the last gate's."""
        self.add(result)
        return Recheck(
            self.candidate.candidate_id,
            self.page,
            self.image,
            _without_failure(result),
            self.clock(),
            self.page_sha256,
            self.sha256,
            self.words,
            tuple(self.signals),
            tuple(self.evidence),
        )


def _without_failure(result: GateResult) -> GateResult:
    """What is no longer there, or no longer an image, is held: whoever took it down meant something."""
    if result.verdict is not GateVerdict.FAIL:
        return result
    return replace(result, verdict=GateVerdict.HOLD, reason=HoldReason.GONE_SINCE.value)


def of_other_bytes(result: GateResult, policy: Policy) -> GateResult:
    """What other bytes than ours say: a no that they say is one, a yes is none for the bytes we have, and
    silence holds. Nobody has looked at what is in the new picture, and fingerprints that know a copy again
    do so where a small notice was written into it."""
    said = replace(
        result,
        signals=tuple(
            signal
            for signal in result.signals
            if signal.effect is not Effect.PERMITTED or signal.where is not Where.FILE
        ),
        evidence=tuple(
            item
            for item in result.evidence
            if item.binding is not LicenceBinding.XMP
            or basis_decision((), (item,), policy).verdict is not Verdict.ALLOW
        ),
    )
    if not said.open and said.reason not in LACKING:  # a copy's licence would fill in what is lacking
        return said
    return replace(said, verdict=GateVerdict.HOLD, reason=HoldReason.CHANGED_SINCE.value)
