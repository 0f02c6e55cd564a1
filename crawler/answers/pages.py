"""Pages and sitemaps that were answered: G2, walls, links, candidates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from crawler.answers.answers import Answer
from crawler.answers.context import images_of
from crawler.answers.intake import Found, Intake, Shown
from crawler.answers.scope import Scope
from crawler.answers.sitemaps import parse_sitemap
from crawler.frontier.frontier import Frontier
from crawler.frontier.jobs import Job
from crawler.frontier.requests import Answered, Place, Requests, Row
from crawler.store.codec import merged
from crawler.store.evidence import EvidenceWriter
from crawler.store.schema import Kind
from kyodaku.gate import GateResult, GateVerdict, PageFacts, redirect_target
from kyodaku.permission import Permission
from kyodaku.reasons import FailReason, HoldReason, NotRequestedReason
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.carriers.html import HtmlPage
from kyodaku.signals.model import Binding, Fetched, Headers, Signal
from kyodaku.signals.protocols.directives import asks_nofollow
from kyodaku.walls import is_wall

_SITEMAP_DEPTH = 3
#: Of a page that was read, only what asking again needs is kept.
_VALIDATORS = frozenset({"etag", "last-modified"})


class PageDesk:
    """Judges answered pages, records them, and passes on what they show."""

    def __init__(
        self,
        requests: Requests,
        frontier: Frontier,
        intake: Intake,
        scope: Scope,
        permission: Permission,
        evidence: EvidenceWriter,
        max_redirects: int,
        clock: Callable[[], float],
    ) -> None:
        self._requests = requests
        self._frontier = frontier
        self._intake = intake
        self._scope = scope
        self._permission = permission
        self._evidence = evidence
        self._max_redirects = max_redirects
        self._clock = clock

    def answered(self, job: Job, row: Row, answer: Answer) -> None:
        """One answer to a page or sitemap request."""
        fetched = replace(answer.fetched, url=row.url, hops=(*row.hops, *answer.fetched.hops))
        if not answer.result.open:
            self._end(row, PageFacts(replace(answer.result, signals=answer.signals), None), fetched)
            return
        target = redirect_target(answer.fetched)
        if target is not None:
            self._redirected(row, target, fetched)
            return
        if row.kind is Kind.SITEMAP:
            self._sitemap(row, fetched)
            return
        facts = self._permission.g2(fetched)
        if is_wall(facts.result.reason):
            self._frontier.wall(job)
        elif facts.page is not None and facts.result.verdict is not GateVerdict.HOLD:
            self._frontier.no_wall(job)
        self._end(row, facts, fetched)

    def conclude(self, row: Row, why: GateResult | NotRequestedReason) -> None:
        """A page that is not asked (any more): its listed images share its fate."""
        if isinstance(why, NotRequestedReason):
            self._requests.not_requested(row.id, why.value)
            self._list_only(row, GateResult("g1", GateVerdict.HOLD, HoldReason.NOT_FINISHED.value))
        else:
            self._requests.record(row.id, Answered(why, hops=row.hops, signals=why.signals))
            self._list_only(row, why)
        self._frontier.done(row)

    # ------------------------------------------------------------------ redirects

    def _redirected(self, row: Row, target: str, fetched: Fetched) -> None:
        place = self._scope.place(target)
        if not isinstance(place, Place):
            self._end(row, PageFacts(place, None), fetched)
        elif len(fetched.hops) > self._max_redirects:
            closed = GateResult("g2", GateVerdict.FAIL, FailReason.REDIRECTS.value)
            self._end(row, PageFacts(closed, None), fetched)
        elif row.kind is Kind.PAGE and row.follow and not self._scope.has_page(place):
            self.conclude(row, NotRequestedReason.OUT_OF_SCOPE)
        elif row.follow and self._requests.find(row.kind, place.url) is not None:
            self._same_page(row, place, fetched)
        else:
            self._frontier.moved(row, place, fetched.hops)

    def _same_page(self, row: Row, place: Place, fetched: Fetched) -> None:
        """A redirect to a page that is known: what is listed for this URL is that page's to speak about.
        It is asked once more where it was read already."""
        if self._requests.leads_to(row.kind, place.url, row.url):
            closed = GateResult("g2", GateVerdict.FAIL, FailReason.REDIRECTS.value)
            self._end(row, PageFacts(closed, None), fetched)
            return
        said = Answered(_open(), final_url=place.url, hops=fetched.hops, fetched_at=fetched.fetched_at)
        self._requests.record(row.id, said)
        for found in self._intake.listed_for(row.url):
            self._intake.listed(place.url, found.url, found.caption, found.title)
        self._frontier.done(row)

    # ------------------------------------------------------------------ ends

    def _end(self, row: Row, facts: PageFacts, fetched: Fetched) -> None:
        result = facts.result
        answered = Answered(
            result=result,
            final_url=fetched.final_url,
            hops=fetched.hops,
            status=fetched.status or 0,
            headers=_validators(fetched) if result.open else fetched.headers,
            fetched_at=fetched.fetched_at,
            bytes=len(fetched.body),
            sha256=facts.page.digest if facts.page else "",
            signals=merged(self._registries_say(fetched), result.signals),
        )
        if not result.open and fetched.status is not None:
            ip = fetched.hops[-1].ip if fetched.hops else ""
            self._evidence.write(
                fetched.final_url, fetched.status, fetched.headers, b"", at=fetched.fetched_at, ip=ip
            )
        if self._frontier.wait(row, answered):
            return
        if result.verdict is GateVerdict.HOLD and self._frontier.hold(row, answered):
            return
        self._requests.record(row.id, answered)
        if facts.page is None:
            self._list_only(row, result)
        else:
            self._harvest(row, facts, facts.page, fetched)
        self._frontier.done(row)

    def _registries_say(self, fetched: Fetched) -> list[Signal]:
        """What the registry service answered for the addresses of a page; it speaks about the page."""
        service = self._permission.snapshot.service
        if service is None:
            return []
        urls = dict.fromkeys((fetched.url, *(hop.url for hop in fetched.hops)))
        answered = (url for url in urls if not service.unanswered(url))
        return [replace(said, binding=Binding.PAGE) for url in answered for said in service.about_url(url)]

    def _harvest(self, row: Row, facts: PageFacts, page: HtmlPage, fetched: Fetched) -> None:
        head = ResponseHead(fetched.final_url, fetched.status or 0, fetched.headers, fetched.fetched_at)
        nofollow = page.nofollow or asks_nofollow(head, page, self._permission.reading())
        if row.follow and not nofollow and facts.result.verdict is not GateVerdict.HOLD:
            links = (link.href for link in page.links if link.tag in ("a", "area") and not link.nofollow)
            self._intake.links(links, row.depth + 1)
        place = self._scope.place(fetched.final_url)
        url = place.url if isinstance(place, Place) else row.url
        shown = Shown(row.id, url, row.page_host, row.depth, page.digest)
        own = images_of(page, page_nofollow=nofollow)
        listed = self._listed(row, url)
        known = {found.url for found in own}
        if row.follow:
            beside = {found.url: found for found in listed}
            own = [found.with_words(beside.get(found.url, found)) for found in own]
            every = [*own, *(found for found in listed if found.url not in known)]
        else:  # only what is listed is wanted, under the list's words; what else it shows, it speaks about
            every = [*listed, *(replace(found, limit=NotRequestedReason.OUT_OF_SCOPE) for found in own)]
        for found in every:
            said = self._page_says(facts, found)
            self._intake.candidate(found, shown, said)
            for variant in found.variants:
                if variant not in known:
                    self._intake.variant(variant, found, shown, said)

    def _page_says(self, facts: PageFacts, found: Found) -> GateResult:
        """G2 for one image; the page's own signals are kept once, with the page."""
        said = self._permission.g2_image(facts, found.url)
        own = set(facts.result.signals)
        return replace(said, signals=tuple(signal for signal in said.signals if signal not in own))

    def _list_only(self, row: Row, result: GateResult) -> None:
        if result.open:
            return
        verdict = result
        if result.verdict is GateVerdict.FAIL:  # a page that is gone cannot be asked what it says
            verdict = GateResult("g2", GateVerdict.HOLD, HoldReason.PAGE_ERROR.value)
        shown = Shown(row.id, row.url, row.page_host, row.depth)
        for found in self._listed(row, row.url):
            self._intake.candidate(found, shown, replace(verdict, signals=(), evidence=()))

    def _listed(self, row: Row, url: str) -> list[Found]:
        urls = dict.fromkeys((row.url, url))
        return [found for page_url in urls for found in self._intake.listed_for(page_url)]

    # ------------------------------------------------------------------ sitemaps

    def _sitemap(self, row: Row, fetched: Fetched) -> None:
        result = self._permission.page_status(fetched)
        if result.open:
            self._read_sitemap(row, fetched.body)
        self._end(row, PageFacts(result, None), fetched)

    def _read_sitemap(self, row: Row, body: bytes) -> None:
        for entry in parse_sitemap(body):
            if entry.is_sitemap:
                if row.depth < _SITEMAP_DEPTH:
                    self._intake.sitemap(entry.loc, row.depth + 1)
                continue
            place = self._intake.page(entry.loc, 1)
            for url, caption, title in entry.images if place is not None else ():
                self._intake.listed(place.url if place else "", url, caption, title)


def _open() -> GateResult:
    return GateResult("g2", GateVerdict.PROCEED, "")


def _validators(fetched: Fetched) -> Headers:
    return tuple((name, value) for name, value in fetched.headers if name.lower() in _VALIDATORS)
