"""Images that were answered: hops, retries, what a gate said, and the bytes of those that may be kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from crawler.answers.answers import Answer
from crawler.answers.intake import known_as, load_context
from crawler.answers.scope import Scope
from crawler.frontier.budgets import Budgets
from crawler.frontier.frontier import Frontier
from crawler.frontier.requests import Answered, Place, Requests, Row
from crawler.store.codec import load_evidence, load_signals, merged
from crawler.store.evidence import EvidenceWriter
from crawler.store.rawshards import RawImage, RawShards
from crawler.store.store import Store
from crawler.store.unstored import keep_prints
from kyodaku.gate import REDIRECT_STATUSES, GateResult, GateVerdict, redirect_target
from kyodaku.reasons import FailReason, HoldReason, NotRequestedReason, RefuseReason
from kyodaku.signals.model import LicenceBinding, LicenceEvidence, Signal

_CAPTION_FIELDS = ("caption", "alt", "title", "schema_name", "link_text")


class ImageDesk:
    """Judges answered images, stores bytes whose every gate is open, records all."""

    def __init__(
        self,
        store: Store,
        requests: Requests,
        frontier: Frontier,
        raw: RawShards,
        scope: Scope,
        budgets: Budgets,
        evidence: EvidenceWriter,
        max_redirects: int,
        same_image: int,
    ) -> None:
        self._store = store
        self._requests = requests
        self._frontier = frontier
        self._raw = raw
        self._scope = scope
        self._budgets = budgets
        self._evidence = evidence
        self._max_redirects = max_redirects
        self._same_image = same_image
        self.tally: Counter[str] = Counter()

    # ------------------------------------------------------------------ before the request

    def before(self, row: Row) -> GateResult | None:
        """A page that shows this image, or an address on the way to it, may have said no since it was
        found: then it is not asked for. In what manner that page shows it makes no difference."""
        marks, urls = _way(row)
        said = self._store.rows(
            f"SELECT DISTINCT verdict, image = ? FROM candidates WHERE image_url IN ({marks})",
            (row.id, *urls),
        )
        words = {verdict for verdict, _ in said}
        if not any(own for _, own in said):  # nothing says where it was found, so nobody was asked
            return GateResult("g2", GateVerdict.HOLD, HoldReason.GATE_EXCEPTION.value)
        if "refuse" in words:
            return GateResult("g2", GateVerdict.REFUSE, RefuseReason.SAME_URL_REFUSED.value)
        if words - {"proceed"}:
            return GateResult("g2", GateVerdict.HOLD, HoldReason.SAME_URL_HELD.value)
        return None

    def known(self, row: Row) -> tuple[tuple[LicenceEvidence, ...], tuple[Signal, ...]]:
        """Evidence and signals that its pages gave for an image so far.

        Only pages that let us ask for it can entitle us; what is said of it elsewhere, or of an address on
        the way to it, can contradict them.
        """
        evidence: tuple[LicenceEvidence, ...] = ()
        elsewhere: tuple[LicenceEvidence, ...] = ()
        signals: tuple[Signal, ...] = ()
        marks, urls = _way(row)
        for own, found, said, page in self._store.rows(
            "SELECT c.image = ?, c.evidence, c.signals, coalesce(p.signals, '[]') FROM candidates c"
            f" LEFT JOIN requests p ON p.id = c.page WHERE c.image_url IN ({marks})",
            (row.id, *urls),
        ):
            if own:
                evidence = merged(evidence, load_evidence(found))
                signals = merged(signals, load_signals(said), load_signals(page))
            else:
                elsewhere = merged(elsewhere, load_evidence(found))
        if any(item.binding is not LicenceBinding.UNBOUND for item in evidence):
            evidence = merged(evidence, elsewhere)
        return evidence, signals

    def conclude(self, row: Row, why: GateResult | NotRequestedReason) -> None:
        """An image that is not asked for."""
        if isinstance(why, NotRequestedReason):
            self._requests.not_requested(row.id, why.value)
        else:
            self._requests.record(row.id, Answered(why, hops=row.hops, signals=why.signals))
        self._frontier.done(row)

    # ------------------------------------------------------------------ answers

    def answered(self, row: Row, answer: Answer) -> None:
        """One answer to an image request."""
        if not answer.result.open:
            self._end(row, answer, _named(answer))
            return
        target = redirect_target(answer.fetched)
        if target is not None:
            self._redirected(row, target, answer)
            return
        self._keep(row, answer)

    def _redirected(self, row: Row, target: str, answer: Answer) -> None:
        hops = (*row.hops, *answer.fetched.hops)
        place = self._scope.place(target)
        if not isinstance(place, Place):
            self._end(row, answer, replace(place, gate="g3"))
        elif len(hops) > self._max_redirects:
            self._end(row, answer, GateResult("g3", GateVerdict.FAIL, FailReason.REDIRECTS.value))
        elif not self._scope.has_image(place):
            self.conclude(row, NotRequestedReason.OUT_OF_SCOPE)
        else:
            self._frontier.moved(row, place, hops)

    def _end(self, row: Row, answer: Answer, result: GateResult, *, final: bool = False) -> None:
        """Record an image that is not kept. A hold is tried again unless it is `final`."""
        answered = self._facts(row, answer, result)
        if answer.prints is not None and answer.sha256 and result.verdict is not GateVerdict.FAIL:
            keep_prints(self._store, answer.sha256, answer.prints)
        if not final and self._frontier.wait(row, answered):
            return
        self.tally[result.verdict.value] += 1
        fetched = answer.fetched
        if fetched.status is not None and result.verdict is not GateVerdict.FAIL:
            self._evidence.write(
                fetched.final_url, fetched.status, fetched.headers, b"",
                at=fetched.fetched_at, ip=answer.address,
            )  # fmt: skip
        if not final and result.verdict is GateVerdict.HOLD and self._frontier.hold(row, answered):
            return
        self._requests.record(row.id, answered)
        if answer.asked:
            self._raw.add_failure(row.id, result.reason)
        self._frontier.done(row)

    def late(self, row: Row, answer: Answer) -> GateResult | None:
        """What a page said that was answered while the image was on its way: its word only gets stricter."""
        return self.before(replace(row, hops=(*row.hops, *answer.fetched.hops)))

    def _keep(self, row: Row, answer: Answer) -> None:
        body = answer.fetched.body
        image = answer.result.image
        if image is None:  # a body that never met G5 is not kept
            self._end(row, answer, GateResult("g5", GateVerdict.HOLD, HoldReason.GATE_EXCEPTION.value))
            return
        late = self.late(row, answer)
        if late is not None:
            self._end(row, answer, late, final=True)
            return
        facts = replace(
            self._facts(row, answer, answer.result),
            bytes=len(body),
            mime=f"image/{image.format}",
            width=image.width,
            height=image.height,
        )
        self._requests.record(row.id, facts)
        self._count_address(row, answer.sha256)
        self.tally["stored"] += 1
        if not self._raw.find(answer.sha256):
            self._raw.add(
                RawImage(
                    request=row.id,
                    url=row.url,
                    body=body,
                    sha256=answer.sha256,
                    format=image.format,
                    width=image.width,
                    height=image.height,
                    caption=self._caption(row),
                )
            )
        self._frontier.done(row)

    def _count_address(self, row: Row, sha256: str) -> None:
        """A host that serves the same bytes everywhere is a decoy: nothing more is asked of it."""
        [(addresses,)] = self._store.write(
            "INSERT INTO same_bytes VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET addresses = addresses + 1"
            " RETURNING addresses",
            (sha256, row.host),
        ).fetchall()
        if addresses > self._same_image and self._frontier.stop_of(row.host) is None:
            self._frontier.close_host(row.host, NotRequestedReason.DECOY_HOST)

    def _caption(self, row: Row) -> str:
        found = self._store.row("SELECT context FROM candidates WHERE image = ? LIMIT 1", (row.id,))
        if found is None:
            return ""
        context = load_context(found[0])
        return next((context[name] for name in _CAPTION_FIELDS if context[name]), "")

    @staticmethod
    def _facts(row: Row, answer: Answer, result: GateResult) -> Answered:
        fetched = answer.fetched
        return Answered(
            result=result,
            final_url=fetched.final_url,
            hops=(*row.hops, *fetched.hops) if answer.asked else row.hops,
            status=fetched.status or 0,
            headers=fetched.headers,
            fetched_at=fetched.fetched_at,
            sha256=answer.sha256,
            signals=merged(answer.signals, result.signals),
            evidence=merged(answer.evidence, result.evidence),
        )


def _way(row: Row) -> tuple[str, tuple[str, ...]]:
    """SQL placeholders for the addresses of an image's way so far, and these addresses."""
    urls = tuple(dict.fromkeys((row.url, row.target, *(known_as(hop.url) for hop in row.hops))))
    return ", ".join("?" * len(urls)), urls


def _named(answer: Answer) -> GateResult:
    """The gate's word; a redirect to what is no http or https URL leads nowhere."""
    result = answer.result
    if result.verdict is GateVerdict.FAIL and answer.fetched.status in REDIRECT_STATUSES:
        return replace(result, reason=FailReason.REDIRECTS.value)
    return result
