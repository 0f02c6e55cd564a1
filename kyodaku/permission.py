"""The gates. No I/O: a gate is handed what was fetched and answers with facts and a GateResult.

Drivers (the Scrapy add-on, `kyodaku check`, list pre-passes) only move bytes. Machines that need more
than one answer are generators: they yield `Need(url, kind)`, are sent the `Fetched` for exactly that
URL (redirects not followed), and return facts.

Fail closed by construction: every public method is wrapped so that an exception inside a gate becomes
a hold with reason `gate_exception`; a GateResult without an explicit verdict cannot be built.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal
from urllib.parse import urljoin, urlsplit

from kyodaku.decision import Policy, basis_decision, objections
from kyodaku.errors import CarrierError, UnsafeAddressError
from kyodaku.netguard import NetPolicy, check_url, origin_of
from kyodaku.reasons import FailReason, HoldReason, ReasonEnum, RefuseReason, Verdict
from kyodaku.recipe import Recipe
from kyodaku.registry_client import RegistrySnapshot
from kyodaku.signals.carriers.embedded import EmbeddedMetadata, read_embedded
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.carriers.html import HtmlPage, parse_html
from kyodaku.signals.model import (
    Fetched,
    FetchError,
    Hop,
    Institution,
    LicenceEvidence,
    Reading,
    Signal,
)
from kyodaku.signals.protocols import all_protocols
from kyodaku.signals.protocols.base import Protocol
from kyodaku.signals.tokens import purpose_tokens
from kyodaku.walls import find_wall

#: Redirects followed for a host file (RFC 9309 2.3.1.2: at least five; exactly five here).
HOST_FILE_HOPS = 5
#: Bytes read of a host file.
HOST_FILE_CAP = 1024 * 1024
#: Fresh for a day; a cached copy may bridge an outage for at most another day (signals.md 0.1).
HOST_FILE_FRESH = 24 * 3600.0
HOST_FILE_BRIDGE = 48 * 3600.0

#: Errors that mean nobody answered. A redirect too many, or to a blocked place, is an answer.
OUTAGES = frozenset(
    {FetchError.DNS, FetchError.TLS, FetchError.TIMEOUT, FetchError.RESET, FetchError.CONNECT}
)

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
    PAGE = "page"
    IMAGE = "image"


@dataclass(frozen=True)
class Need:
    """One GET, without following redirects, reading at most `cap` bytes."""

    url: str
    kind: NeedKind
    cap: int


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
    """The answer of one gate. `reason` is "" exactly when the verdict is `proceed`; `image` is G5's."""

    gate: str
    verdict: GateVerdict
    reason: str
    signals: tuple[Signal, ...] = ()
    evidence: tuple[LicenceEvidence, ...] = ()
    image: ImageFacts | None = None

    def __post_init__(self) -> None:
        if (self.verdict is GateVerdict.PROCEED) != (self.reason == ""):
            raise ValueError("a gate that does not proceed needs a reason, one that proceeds has none")

    @property
    def open(self) -> bool:
        """True only for `proceed`."""
        return self.verdict is GateVerdict.PROCEED


@dataclass(frozen=True)
class OriginFacts:
    """Host files of one origin, as fetched. `files` maps each asked path to its final answer."""

    origin: str
    files: dict[str, Fetched]
    fetched_at: float


@dataclass(frozen=True)
class PageFacts:
    """What G2 found on a page: its verdict, its parsed form, and the signals for all its images."""

    result: GateResult
    page: HtmlPage | None


@dataclass(frozen=True)
class Rules:
    """Everything the gates need of a recipe, resolved once."""

    policy: Policy
    net: NetPolicy
    mode: str
    own_tokens: tuple[str, ...]
    purpose_tokens: tuple[str, ...]
    purpose_threshold: str
    institutions: tuple[Institution, ...]
    formats: frozenset[str]
    max_pixels: int
    max_frames: int
    max_image: int

    @classmethod
    def from_recipe(cls, recipe: Recipe, net: NetPolicy) -> Rules:
        """Rules of a recipe; `net` carries its host table, already loaded."""
        purpose = recipe.permission.purpose
        return cls(
            policy=Policy.from_recipe(recipe),
            net=net,
            mode="policy",
            own_tokens=recipe.own_tokens,
            purpose_tokens=purpose_tokens(purpose.classes, purpose.tokens),
            purpose_threshold=purpose.threshold,
            institutions=tuple(
                Institution(i.host, i.statement, i.evidence_url, i.licence) for i in recipe.institutions
            ),
            formats=frozenset(recipe.network.formats),
            max_pixels=recipe.network.max_pixels,
            max_frames=recipe.network.max_frames,
            max_image=recipe.network.max_image,
        )


def _refuse(gate: str, reason: ReasonEnum, signals: Sequence[Signal] = ()) -> GateResult:
    return GateResult(gate, GateVerdict.REFUSE, reason.value, tuple(signals))


def _hold(gate: str, reason: ReasonEnum, signals: Sequence[Signal] = ()) -> GateResult:
    return GateResult(gate, GateVerdict.HOLD, reason.value, tuple(signals))


def _fail(gate: str, reason: FailReason) -> GateResult:
    return GateResult(gate, GateVerdict.FAIL, reason.value)


def _weigh(gate: str, signals: Sequence[Signal], evidence: Sequence[LicenceEvidence] = ()) -> GateResult:
    """Proceed only where no signal objects."""
    objection = objections(signals)
    if objection is None:
        return GateResult(gate, GateVerdict.PROCEED, "", tuple(signals), tuple(evidence))
    verdict = GateVerdict.REFUSE if objection.verdict is Verdict.REFUSE else GateVerdict.HOLD
    return GateResult(gate, verdict, objection.reason.value, tuple(signals), tuple(evidence))


def _guarded(gate: str) -> Callable[[Callable[..., GateResult]], Callable[..., GateResult]]:
    """An exception in a gate is a hold: a bug of ours must never open it."""

    def wrap(method: Callable[..., GateResult]) -> Callable[..., GateResult]:
        @functools.wraps(method)
        def inner(*args: object, **kwargs: object) -> GateResult:
            try:
                return method(*args, **kwargs)
            except Exception:
                return _hold(gate, HoldReason.GATE_EXCEPTION)

        return inner

    return wrap


class Permission:
    """The gates of one crawl: rules of a recipe, a registry snapshot and a clock (Unix seconds)."""

    def __init__(
        self,
        rules: Rules,
        snapshot: RegistrySnapshot,
        clock: Callable[[], float],
        protocols: Sequence[Protocol] | None = None,
    ) -> None:
        self.rules = rules
        self.snapshot = snapshot
        self.clock = clock
        self.protocols = tuple(all_protocols() if protocols is None else protocols)

    @property
    def host_file_paths(self) -> tuple[str, ...]:
        """Paths asked of every origin, robots.txt first."""
        paths = dict.fromkeys(path for protocol in self.protocols for path in protocol.host_files)
        return ("/robots.txt", *(path for path in paths if path != "/robots.txt"))

    def reading(self) -> Reading:
        """How carriers are read now."""
        rules = self.rules
        return Reading(
            mode="spec" if rules.mode == "spec" else "policy",
            own_tokens=rules.own_tokens,
            purpose_tokens=rules.purpose_tokens,
            purpose_threshold=_threshold(rules.purpose_threshold),
            now=datetime.fromtimestamp(self.clock(), UTC),
            institutions=rules.institutions,
        )

    # ------------------------------------------------------------------ G0: before the frontier

    @_guarded("g0")
    def g0(self, url: str) -> GateResult:
        """May this URL be spoken to at all: address policy, deny-lists, registries."""
        try:
            safe = check_url(url, self.rules.net)
        except UnsafeAddressError as error:
            return _refuse("g0", error.reason)
        if self.rules.policy.deny.names(url):
            return _refuse("g0", RefuseReason.DENY_LIST)
        return _weigh("g0", self.snapshot.lookup_url(safe.url))

    # ------------------------------------------------------------------ G1: host files

    def host_files(
        self, origin: str, previous: OriginFacts | None = None
    ) -> Generator[Need, Fetched, OriginFacts]:
        """The machine that asks an origin for its host files, robots.txt first.

        Redirect hops pass G0 (with its address check) only. A file that cannot be reached is bridged by
        a copy of `previous` that is younger than 48 h. When robots.txt itself does not proceed for the
        root, no other file is asked for.
        """
        files: dict[str, Fetched] = {}
        for path in self.host_file_paths:
            answer = yield from self._host_file(origin + path)
            files[path] = self._bridged(answer, previous.files.get(path) if previous else None)
            if path == "/robots.txt" and not self._robots_root(origin, files[path]).open:
                break
        return OriginFacts(origin, files, self.clock())

    @_guarded("g1")
    def _robots_root(self, origin: str, robots: Fetched) -> GateResult:
        """Whether robots.txt was obtained at all; `/robots.txt` itself is never disallowed."""
        return _weigh("g1", self._host_signals(origin + "/robots.txt", {"/robots.txt": robots}))

    def _host_file(self, url: str) -> Generator[Need, Fetched, Fetched]:
        hops: list[Hop] = []
        current = url
        while True:
            if not self.g0(current).open:
                return _blocked(url, current, hops, self.clock())
            answer = yield Need(current, NeedKind.HOST_FILE, HOST_FILE_CAP)
            target = redirect_target(answer)
            if target is None:
                return replace(answer, url=url, final_url=current, hops=(*hops, *answer.hops))
            hops.append(Hop(current, answer.status or 0, answer.hops[-1].ip if answer.hops else ""))
            if len(hops) > HOST_FILE_HOPS:
                return replace(
                    answer,
                    url=url,
                    final_url=current,
                    hops=tuple(hops),
                    error=FetchError.REDIRECTS,
                    complete=False,
                )
            current = target

    def _bridged(self, answer: Fetched, old: Fetched | None) -> Fetched:
        outage = answer.error in OUTAGES or (answer.error is None and (answer.status or 0) >= 500)
        if not outage or old is None or old.status is None or old.error is not None:
            return answer
        if not (200 <= old.status < 300 and old.complete):
            return answer
        age = answer.fetched_at - old.fetched_at
        return replace(old, cached_age=age) if 0 <= age < HOST_FILE_BRIDGE else answer

    @_guarded("g1")
    def g1(self, url: str, facts: OriginFacts) -> GateResult:
        """May this URL be asked for, by the host files of its own origin. Host files that were never
        fetched are an unknown state, so they hold."""
        if origin_of(url) != facts.origin:
            return _hold("g1", HoldReason.GATE_EXCEPTION)
        if "/robots.txt" not in facts.files:
            return _hold("g1", HoldReason.NOT_FINISHED)
        signals = self._host_signals(url, facts.files)
        result = _weigh("g1", signals)
        missing = set(self.host_file_paths) - set(facts.files)
        if result.open and missing:
            return _hold("g1", HoldReason.NOT_FINISHED, signals)
        return result

    def _host_signals(self, url: str, files: Mapping[str, Fetched]) -> list[Signal]:
        reading = self.reading()
        return [
            signal
            for protocol in self.protocols
            for path in protocol.host_files
            if path in files
            for signal in protocol.read_host_file(path, files[path], url, reading)
        ]

    # ------------------------------------------------------------------ G2: a page and its images

    @_guarded("g2")
    def page_status(self, fetched: Fetched) -> GateResult:
        """What a page's status and any wall mean, before its markup is read (signals.md 0.5)."""
        if fetched.error is FetchError.REDIRECTS:
            return _fail("g2", FailReason.REDIRECTS)
        if fetched.error is FetchError.BLOCKED:
            return _refuse("g2", RefuseReason.ADDRESS_BLOCKED)
        if fetched.error is not None or fetched.status is None:
            return _hold("g2", HoldReason.PAGE_ERROR)
        head = ResponseHead(fetched.final_url, fetched.status, fetched.headers, fetched.fetched_at)
        if fetched.status == 402:
            return _refuse("g2", RefuseReason.PAYMENT_REQUIRED)
        if fetched.status == 451:
            return _refuse("g2", RefuseReason.LEGAL_BLOCK)
        wall = find_wall(head, fetched.body, redirected=len(fetched.hops) > 1)
        if wall is not None:
            return _hold("g2", wall)
        if fetched.status in (401, 403, 407):
            return _hold("g2", HoldReason.PAGE_FORBIDDEN)
        if fetched.status == 429:
            return _hold("g2", HoldReason.PAGE_RATE_LIMITED)
        if fetched.status >= 500:
            return _hold("g2", HoldReason.PAGE_ERROR)
        if fetched.status in (404, 410):
            return _fail("g2", FailReason.NOT_FOUND)
        if fetched.status != 200:
            return _fail("g2", FailReason.HTTP_STATUS)
        if not fetched.complete:
            return _hold("g2", HoldReason.PAGE_ERROR)
        return GateResult("g2", GateVerdict.PROCEED, "")

    def g2(self, fetched: Fetched) -> PageFacts:
        """Read a page: status, headers, markup. A page whose result is not open gives no candidates
        to the frontier; its signals go to every image it shows."""
        status = self.page_status(fetched)
        if not status.open:
            return PageFacts(status, None)
        try:
            page, signals = self._read_page(fetched)
        except CarrierError:
            return PageFacts(_hold("g2", HoldReason.PAGE_ERROR), None)
        except Exception:
            return PageFacts(_hold("g2", HoldReason.GATE_EXCEPTION), None)
        result = _guarded("g2")(_weigh)("g2", signals)
        if result.open and not page.complete:
            result = _hold("g2", HoldReason.PAGE_ERROR, signals)
        return PageFacts(result, page)

    def _read_page(self, fetched: Fetched) -> tuple[HtmlPage, list[Signal]]:
        head = ResponseHead(fetched.final_url, fetched.status or 0, fetched.headers, fetched.fetched_at)
        page = parse_html(
            fetched.body,
            head.first("content-type") or "",
            fetched.final_url,
            complete=fetched.complete,
            fetched_at=fetched.fetched_at,
        )
        reading = self.reading()
        signals: list[Signal] = []
        for protocol in self.protocols:
            signals += protocol.read_page_head(head, reading)
            signals += protocol.read_page(page, None, reading)
        return page, signals

    @_guarded("g2")
    def g2_image(self, facts: PageFacts, image_url: str) -> GateResult:
        """What a page says about one of its images: the page's own signals, signals bound to the image,
        and licence evidence with its binding."""
        if facts.page is None:
            return facts.result
        reading = self.reading()
        signals = list(facts.result.signals)
        evidence: list[LicenceEvidence] = []
        for protocol in self.protocols:
            signals += [
                signal
                for signal in protocol.read_page(facts.page, image_url, reading)
                if signal not in signals
            ]
            evidence += protocol.page_evidence(facts.page, image_url, reading)
        weighed = _weigh("g2", signals, evidence)
        return (
            weighed
            if facts.result.open
            else replace(facts.result, signals=tuple(signals), evidence=tuple(evidence))
        )

    # ------------------------------------------------------------------ G3: an image request

    def g3(self, url: str, facts: OriginFacts) -> GateResult:
        """G0 and G1 for the image's own host; asked again for every hop."""
        first = self.g0(url)
        if not first.open:
            return replace(first, gate="g3")
        second = self.g1(url, facts)
        return replace(second, gate="g3", signals=(*first.signals, *second.signals))

    # ------------------------------------------------------------------ G4: response headers

    @_guarded("g4")
    def g4(self, head: ResponseHead) -> GateResult:
        """An image's status and headers, before its body is read."""
        status = image_status(head.status)
        reading = self.reading()
        signals = [s for protocol in self.protocols for s in protocol.read_image_head(head, reading)]
        weighed = _weigh("g4", signals)
        if weighed.verdict is GateVerdict.REFUSE or status is None:
            return weighed
        return replace(status, signals=tuple(signals))

    # ------------------------------------------------------------------ G5: bytes, before they are stored

    @_guarded("g5")
    def g5(
        self,
        head: ResponseHead,
        body: bytes,
        evidence: Sequence[LicenceEvidence] = (),
        prior: Sequence[Signal] = (),
    ) -> GateResult:
        """The bytes themselves: sniffed type, pixel cap, embedded metadata, exact hash in registries,
        and whether anything entitles us at all.

        `evidence` and `prior` are what the pages and headers of this image gave so far; a basis that
        needs a ground refuses here what has none, so that such bytes never reach the disk.
        """
        embedded = read_embedded(body, url=head.url, fetched_at=head.fetched_at)
        facts = ImageFacts(embedded.format, embedded.width, embedded.height, embedded.digest)
        return replace(self._judge_image(embedded, len(body), evidence, prior), image=facts)

    def _judge_image(
        self,
        embedded: EmbeddedMetadata,
        size: int,
        evidence: Sequence[LicenceEvidence],
        prior: Sequence[Signal],
    ) -> GateResult:
        unfit = self._unfit(embedded, size)
        if unfit is not None:
            return unfit
        reading = self.reading()
        signals: list[Signal] = []
        found: list[LicenceEvidence] = []
        for protocol in self.protocols:
            signals += protocol.read_image(embedded, reading)
            found += protocol.image_evidence(embedded)
        signals += self.snapshot.lookup_sha256(embedded.digest)
        weighed = replace(_weigh("g5", [*prior, *signals], found), signals=tuple(signals))
        if not weighed.open:
            return weighed
        ground = basis_decision([*prior, *signals], [*evidence, *found], self.rules.policy)
        if ground.verdict is not Verdict.ALLOW:
            return GateResult("g5", GateVerdict.REFUSE, ground.reason.value, tuple(signals), tuple(found))
        return weighed

    def _unfit(self, embedded: EmbeddedMetadata, size: int) -> GateResult | None:
        if size > self.rules.max_image:
            return _fail("g5", FailReason.TOO_LARGE)
        if embedded.format in ("html", "other"):
            return _fail("g5", FailReason.NOT_AN_IMAGE)
        if embedded.format not in self.rules.formats:
            return _fail("g5", FailReason.FORMAT_NOT_ALLOWED)
        if (
            embedded.width * embedded.height > self.rules.max_pixels
            or embedded.frames > self.rules.max_frames
        ):
            return _fail("g5", FailReason.PIXEL_BOMB)
        return None


def image_status(status: int) -> GateResult | None:
    """What an image's status means on its own, or None for 200 (signals.md 0.5, last column)."""
    if status == 200:
        return None
    if status in (404, 410):
        return _fail("g4", FailReason.NOT_FOUND)
    if status in (401, 403, 407):
        return _hold("g4", HoldReason.IMAGE_FORBIDDEN)
    if status == 429:
        return _hold("g4", HoldReason.IMAGE_RATE_LIMITED)
    if status == 402:
        return _refuse("g4", RefuseReason.PAYMENT_REQUIRED)
    if status == 451:
        return _refuse("g4", RefuseReason.LEGAL_BLOCK)
    if status >= 500:
        return _hold("g4", HoldReason.IMAGE_UNREACHABLE)
    if status in REDIRECT_STATUSES:  # one that leads nowhere: drivers follow the others
        return _fail("g4", FailReason.REDIRECTS)
    return _fail("g4", FailReason.HTTP_STATUS)


def image_error(error: FetchError) -> GateResult:
    """What a broken image fetch means."""
    failures = {
        FetchError.REDIRECTS: FailReason.REDIRECTS,
        FetchError.TOO_LARGE: FailReason.TOO_LARGE,
        FetchError.TOO_SLOW: FailReason.TOO_SLOW,
        FetchError.BOMB: FailReason.DECOMPRESSION_BOMB,
    }
    if error in failures:
        return _fail("g4", failures[error])
    if error is FetchError.BLOCKED:
        return _refuse("g3", RefuseReason.ADDRESS_BLOCKED)
    return _hold("g4", HoldReason.IMAGE_UNREACHABLE)


def redirect_target(answer: Fetched) -> str | None:
    """The absolute URL an answer redirects to, or None. Only http and https targets count."""
    if answer.error is not None or answer.status not in REDIRECT_STATUSES:
        return None
    location = next((value for name, value in answer.headers if name.lower() == "location"), "")
    if not location.strip():
        return None
    target = urljoin(answer.final_url or answer.url, location.strip())
    return target if urlsplit(target).scheme in ("http", "https") else None


def _blocked(url: str, current: str, hops: Sequence[Hop], now: float) -> Fetched:
    return Fetched(url, current, None, (), b"", False, FetchError.BLOCKED, now, tuple(hops))


def _threshold(value: str) -> Literal["any", "majority", "control-tokens-only"]:
    if value == "majority":
        return "majority"
    return "control-tokens-only" if value == "control-tokens-only" else "any"
