"""The gates. No I/O: a gate is handed what was fetched and answers with facts and a GateResult.

Drivers (the Scrapy add-on, `kyodaku check`, list pre-passes) only move bytes. Machines that need more
than one answer are generators: they yield `Need(url, kind)`, are sent the `Fetched` for exactly that
URL (redirects not followed), and return facts. A gate that holds because a document has to be read first
names it in `GateResult.documents`: the driver puts the document into `Permission.documents` and asks again.

Fail closed by construction: every public method is wrapped so that an exception inside a gate becomes
a hold with reason `gate_exception`; a GateResult without an explicit verdict cannot be built.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from kyodaku import hostfiles
from kyodaku.c2pareader import C2paReader
from kyodaku.decision import basis_decision
from kyodaku.documents import DocumentLibrary
from kyodaku.errors import CarrierError, UnsafeAddressError
from kyodaku.gate import (
    GateResult,
    GateVerdict,
    ImageFacts,
    Need,
    OriginFacts,
    PageFacts,
    fail,
    guarded,
    hold,
    image_status,
    of_hop,
    refuse,
    weigh,
)
from kyodaku.hostreading import HostReading
from kyodaku.netguard import check_url, origin_of
from kyodaku.reasons import FailReason, HoldReason, RefuseReason, Verdict
from kyodaku.registry_client import RegistrySnapshot
from kyodaku.rules import Rules
from kyodaku.signals.carriers.c2pa import StoreReader
from kyodaku.signals.carriers.embedded import EmbeddedMetadata, read_embedded
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.carriers.html import HtmlPage, parse_html
from kyodaku.signals.model import (
    Binding,
    Declared,
    Effect,
    Fetched,
    FetchError,
    LicenceEvidence,
    Reading,
    Signal,
)
from kyodaku.signals.protocols import all_protocols
from kyodaku.signals.protocols.base import Protocol
from kyodaku.signals.protocols.robots import PROTOCOL as ROBOTS
from kyodaku.walls import find_wall


class Permission:
    """The gates of one crawl: rules of a recipe, a registry snapshot and a clock (Unix seconds).

    `c2pa` reads the manifest stores of images. Without one the gates keep their own, which starts when the
    first such image comes and ends with `close`.
    """

    def __init__(
        self,
        rules: Rules,
        snapshot: RegistrySnapshot,
        clock: Callable[[], float],
        protocols: Sequence[Protocol] | None = None,
        c2pa: StoreReader | None = None,
    ) -> None:
        self.rules = rules
        self.snapshot = snapshot
        self.clock = clock
        self.protocols = tuple(all_protocols() if protocols is None else protocols)
        self.documents = DocumentLibrary(clock)
        self._own_c2pa = C2paReader() if c2pa is None else None
        self._c2pa = self._own_c2pa or c2pa
        self._host = HostReading(self.protocols)
        self._reading: tuple[int, Reading] | None = None
        self._by_name = {protocol.name: protocol for protocol in self.protocols}

    def close(self) -> None:
        """End what these gates started. Images with a manifest store are held from then on."""
        if self._own_c2pa is not None:
            self._own_c2pa.close()

    @property
    def host_file_paths(self) -> tuple[str, ...]:
        """Paths asked of every origin, robots.txt first."""
        paths = dict.fromkeys(path for protocol in self.protocols for path in protocol.host_files)
        return ("/robots.txt", *(path for path in paths if path != "/robots.txt"))

    def reading(self) -> Reading:
        """How carriers are read now, to the second."""
        second = int(self.clock())
        if self._reading is None or self._reading[0] != second:
            self._reading = second, self.rules.reading(datetime.fromtimestamp(second, UTC))
        return self._reading[1]

    # ------------------------------------------------------------------ G0: before the frontier

    @guarded("g0")
    def g0(self, url: str, *, services: bool = True) -> GateResult:
        """May this URL be spoken to at all: address policy, deny-lists, registries.

        A registry service that was not asked about `url` yet holds. Host files and documents are nothing
        that it lists, and what merely enters the frontier is asked about there: without `services`.
        """
        try:
            safe = check_url(url, self.rules.net)
        except UnsafeAddressError as error:
            return refuse("g0", error.reason)
        if self.rules.policy.deny.names(url):
            return refuse("g0", RefuseReason.DENY_LIST)
        if self.rules.policy.platforms.names(url):
            return refuse("g0", RefuseReason.PLATFORM)
        return weigh("g0", self.snapshot.lookup_url(safe.url, services=services))

    # ------------------------------------------------------------------ G1: host files

    def host_files(
        self, origin: str, previous: OriginFacts | None = None
    ) -> Generator[Need, Fetched, OriginFacts]:
        """The machine that asks an origin for its host files, robots.txt first.

        Redirect hops pass G0 (with its address check) only. A file that cannot be reached is bridged by
        a copy of `previous` that is younger than 48 h. When robots.txt itself cannot be had, no other file
        is asked for; a file that it bars is recorded as barred and not asked for.
        """
        return hostfiles.host_files(self, origin, previous)

    def wants(self, path: str, files: Mapping[str, Fetched]) -> bool:
        """Whether any protocol still wants `path`, given the host files that are there."""
        reading = self.reading()
        return any(path in p.host_files and p.wants(path, files, reading) for p in self.protocols)

    @guarded("g1")
    def robots_obtained(self, origin: str, robots: Fetched) -> GateResult:
        """Whether robots.txt was obtained at all; `/robots.txt` itself is never disallowed."""
        signals = ROBOTS.read_host_file("/robots.txt", robots, origin + "/robots.txt", self.reading())
        return weigh("g1", signals)

    @guarded("g1")
    def g1(self, url: str, facts: OriginFacts) -> GateResult:
        """May this URL be asked for, by the host files of its own origin. Host files that were never
        fetched are an unknown state, so they hold."""
        if not url.startswith(facts.origin + "/") and origin_of(url) != facts.origin:
            return hold("g1", HoldReason.GATE_EXCEPTION)
        if "/robots.txt" not in facts.files:
            return hold("g1", HoldReason.NOT_FINISHED)
        signals, missing = self._host.signals(url, facts, self.reading())
        result = weigh("g1", signals)
        return hold("g1", HoldReason.NOT_FINISHED, signals) if result.open and missing else result

    @guarded("g1")
    def g1_host(self, facts: OriginFacts) -> GateResult:
        """Whether the host as a whole may be asked at all: what its files say about everything on it, and
        whether they could be read. What they say about single paths, `g1` tells."""
        if "/robots.txt" not in facts.files:
            return hold("g1", HoldReason.NOT_FINISHED)
        signals, missing = self._host.signals(facts.origin + "/robots.txt", facts, self.reading())
        whole = [
            signal
            for signal in signals
            if (signal.binding is Binding.HOST or signal.effect is Effect.ERROR)
            and signal.reason != HoldReason.POLICY_FILE_BARRED.value  # the paths that are barred tell it
        ]
        result = weigh("g1", whole)
        return hold("g1", HoldReason.NOT_FINISHED, signals) if result.open and missing else result

    # ------------------------------------------------------------------ documents

    def _documents(
        self, named: Sequence[Declared], url: str, reading: Reading
    ) -> tuple[list[Signal], tuple[str, ...]]:
        """What documents say about `url`, and the URLs of those that have to be read first."""
        signals: list[Signal] = []
        missing: dict[str, None] = {}
        for declared in named:
            document = self.documents.get(declared.url)
            named_at = declared.source_url or url
            if document is None and declared.needed and not self.documents.admit(declared.url, named_at):
                document = self.documents.unasked(declared.url)
            if document is not None:
                protocol = self._by_name[declared.protocol]
                signals += protocol.read_document(document, declared, url, reading)
            elif declared.needed:
                missing[declared.url] = None
        return signals, tuple(missing)

    # ------------------------------------------------------------------ G2: a page and its images

    @guarded("g2")
    def page_status(self, fetched: Fetched) -> GateResult:
        """What a page's status and any wall mean, before its markup is read (signals.md 0.5)."""
        if fetched.error is FetchError.REDIRECTS:
            return fail("g2", FailReason.REDIRECTS)
        if fetched.error is FetchError.BLOCKED:
            return refuse("g2", RefuseReason.ADDRESS_BLOCKED)
        if fetched.error is not None or fetched.status is None:
            return hold("g2", HoldReason.PAGE_ERROR)
        head = ResponseHead(fetched.final_url, fetched.status, fetched.headers, fetched.fetched_at)
        if fetched.status == 402:
            return refuse("g2", RefuseReason.PAYMENT_REQUIRED)
        if fetched.status == 451:
            return refuse("g2", RefuseReason.LEGAL_BLOCK)
        wall = find_wall(head, fetched.body, redirected=len(fetched.hops) > 1)
        if wall is not None:
            return hold("g2", wall)
        if fetched.status in (401, 403, 407):
            return hold("g2", HoldReason.PAGE_FORBIDDEN)
        if fetched.status == 429:
            return hold("g2", HoldReason.PAGE_RATE_LIMITED)
        if fetched.status >= 500:
            return hold("g2", HoldReason.PAGE_ERROR)
        if fetched.status in (404, 410):
            return fail("g2", FailReason.NOT_FOUND)
        if fetched.status != 200:
            return fail("g2", FailReason.HTTP_STATUS)
        if not fetched.complete:
            return hold("g2", HoldReason.PAGE_ERROR)
        return GateResult("g2", GateVerdict.PROCEED, "")

    def g2(self, fetched: Fetched) -> PageFacts:
        """Read a page: status, headers, markup. A page whose result is not open gives no candidates
        to the frontier; its signals go to every image it shows."""
        status = self.page_status(fetched)
        if not status.open:
            return PageFacts(status, None)
        try:
            page, signals, named = self._read_page(fetched)
        except CarrierError:
            return PageFacts(hold("g2", HoldReason.PAGE_ERROR), None)
        except Exception:
            return PageFacts(hold("g2", HoldReason.GATE_EXCEPTION), None)
        result = guarded("g2")(self._page_result)(page, signals, named)
        return PageFacts(result, page, tuple(named))

    def _page_result(
        self, page: HtmlPage, signals: Sequence[Signal], named: Sequence[Declared]
    ) -> GateResult:
        said, missing = self._documents(named, page.url, self.reading())
        result = weigh("g2", [*signals, *said])
        if result.open and missing:
            result = replace(hold("g2", HoldReason.DOCUMENT_UNREAD, result.signals), documents=missing)
        if result.open and not page.complete:
            result = hold("g2", HoldReason.PAGE_ERROR, result.signals)
        return result

    @guarded("g2")
    def g2_head(self, head: ResponseHead) -> GateResult:
        """What a page's headers say when its markup was not sent again (304)."""
        reading = self.reading()
        signals = [s for protocol in self.protocols for s in protocol.read_page_head(head, reading)]
        page = parse_html(b"", "", head.url)
        named = [d for p in self.protocols for d in p.page_documents(head, page, reading)]
        said, missing = self._documents(named, head.url, reading)
        result = weigh("g2", [*signals, *said])
        if result.open and missing:
            return replace(hold("g2", HoldReason.DOCUMENT_UNREAD, result.signals), documents=missing)
        return result

    def _read_page(self, fetched: Fetched) -> tuple[HtmlPage, list[Signal], list[Declared]]:
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
        named: list[Declared] = []
        for protocol in self.protocols:
            signals += protocol.read_page_head(head, reading)
            signals += protocol.read_page(page, None, reading)
            named += protocol.page_documents(head, page, reading)
        return page, signals, named

    @guarded("g2")
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
        said, missing = self._documents(facts.documents, image_url, reading)
        signals += [signal for signal in said if signal not in signals]
        if not facts.result.open:
            return replace(facts.result, signals=tuple(signals), evidence=tuple(evidence))
        weighed = weigh("g2", signals, evidence)
        if weighed.open and missing:
            held = hold("g2", HoldReason.DOCUMENT_UNREAD, signals)
            return replace(held, evidence=tuple(evidence), documents=missing)
        return weighed

    # ------------------------------------------------------------------ G3: an image request

    def g3(self, url: str, facts: OriginFacts) -> GateResult:
        """G0 and G1 for the image's own host; asked again for every hop."""
        first = self.g0(url)
        if not first.open:
            return replace(first, gate="g3")
        second = self.g1(url, facts)
        result = replace(second, gate="g3", signals=(*first.signals, *second.signals))
        return self._address_documents(url, result) if result.open else result

    @guarded("g3")
    def _address_documents(self, url: str, result: GateResult) -> GateResult:
        """Documents that belong to the image by its address alone."""
        reading = self.reading()
        named = [d for protocol in self.protocols for d in protocol.url_documents(url, reading)]
        said, missing = self._documents(named, url, reading)
        weighed = weigh("g3", [*result.signals, *said])
        if weighed.open and missing:
            return replace(hold("g3", HoldReason.DOCUMENT_UNREAD, weighed.signals), documents=missing)
        return weighed

    # ------------------------------------------------------------------ G4: response headers

    @guarded("g4")
    def g4(self, head: ResponseHead) -> GateResult:
        """An image's status and headers, before its body is read."""
        status = image_status(head.status)
        weighed = self._image_head(head)
        if weighed.verdict is GateVerdict.REFUSE or status is None:
            return weighed
        return replace(status, signals=weighed.signals)

    @guarded("g4")
    def g4_hop(self, head: ResponseHead) -> GateResult:
        """The headers of a redirect on the way to an image: whoever sends us on may say no as well."""
        return of_hop(self._image_head(head))

    def _image_head(self, head: ResponseHead) -> GateResult:
        reading = self.reading()
        signals = [s for protocol in self.protocols for s in protocol.read_image_head(head, reading)]
        named = [d for protocol in self.protocols for d in protocol.image_documents(head, reading)]
        said, missing = self._documents(named, head.url, reading)
        signals += said
        weighed = weigh("g4", signals)
        if weighed.open and missing:
            return replace(hold("g4", HoldReason.DOCUMENT_UNREAD, signals), documents=missing)
        return weighed

    # ------------------------------------------------------------------ G5: bytes, before they are stored

    @guarded("g5")
    def g5(
        self,
        head: ResponseHead,
        body: bytes,
        evidence: Sequence[LicenceEvidence] = (),
        prior: Sequence[Signal] = (),
        *,
        jumbf: bool | None = None,
    ) -> GateResult:
        """The bytes themselves: sniffed type, pixel cap, embedded metadata, exact hash in registries,
        and whether anything entitles us at all.

        `evidence` and `prior` are what the pages and headers of this image gave so far; a basis that
        needs a ground refuses here what has none, so that such bytes never reach the disk. `jumbf`: what
        `holds_jumbf` said of `body`, where the caller has asked already.
        """
        embedded = read_embedded(body, url=head.url, fetched_at=head.fetched_at, c2pa=self._c2pa, jumbf=jumbf)
        facts = ImageFacts(embedded.format, embedded.width, embedded.height, embedded.digest)
        stated = self.head_evidence(head)
        return replace(self._judge_image(embedded, len(body), evidence, prior, stated), image=facts)

    def head_evidence(self, head: ResponseHead) -> list[LicenceEvidence]:
        """Licence evidence in an image's own headers, which `g5` gives too."""
        return [item for protocol in self.protocols for item in protocol.head_evidence(head)]

    def _judge_image(
        self,
        embedded: EmbeddedMetadata,
        size: int,
        evidence: Sequence[LicenceEvidence],
        prior: Sequence[Signal],
        stated: Sequence[LicenceEvidence],
    ) -> GateResult:
        unfit = self._unfit(embedded, size)
        if unfit is not None:
            return unfit
        reading = self.reading()
        signals: list[Signal] = []
        found = list(stated)
        for protocol in self.protocols:
            signals += protocol.read_image(embedded, reading)
            found += protocol.image_evidence(embedded)
        signals += self.snapshot.lookup_sha256(embedded.digest)
        weighed = replace(weigh("g5", [*prior, *signals], found), signals=tuple(signals))
        if not weighed.open:
            return weighed
        ground = basis_decision([*prior, *signals], [*evidence, *found], self.rules.policy)
        if ground.verdict is not Verdict.ALLOW:
            return GateResult("g5", GateVerdict.REFUSE, ground.reason.value, tuple(signals), tuple(found))
        return weighed

    def _unfit(self, embedded: EmbeddedMetadata, size: int) -> GateResult | None:
        if size > self.rules.max_image:
            return fail("g5", FailReason.TOO_LARGE)
        if embedded.format in ("html", "other"):
            return fail("g5", FailReason.NOT_AN_IMAGE)
        if embedded.format not in self.rules.formats:
            return fail("g5", FailReason.FORMAT_NOT_ALLOWED)
        if (
            embedded.width * embedded.height > self.rules.max_pixels
            or embedded.frames > self.rules.max_frames
        ):
            return fail("g5", FailReason.PIXEL_BOMB)
        return None
