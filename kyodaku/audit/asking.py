"""Asking a live site what its owner's files, page and images say. No I/O: a generator yields `Need`s.

Whether something may be asked for, robots.txt tells, to the auditor's own name, as it does to any crawler.
A no to training shuts no door here, since nothing is kept; but the bytes of an image are asked for only
where nothing refuses, and else its headers alone.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace

from kyodaku.gate import GateResult, Need, NeedKind, OriginFacts, PageFacts, redirect_target
from kyodaku.hostfiles import document
from kyodaku.permission import Permission
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.model import Fetched, FetchError, Hop, Signal, Use
from kyodaku.urls import normalise_url, origin_of
from kyodaku.walk import PAGE_CAP, walk_image

#: Files that no protocol asks for: an advice must not stand in the place of the one, and the other is no
#: opt-out although some think so.
LICENCE_FILE = "/license.xml"
LLMS_FILE = "/llms.txt"
_MAX_DOCUMENTS = 32
_ON_THE_WEB = ("http://", "https://")


@dataclass(frozen=True)
class Gates:
    """`files` reads every host file, `door` robots.txt alone, both for the auditor's own name: they tell what
    may be asked for. `hearing` reads everything as a crawl for training does."""

    files: Permission
    door: Permission
    hearing: Permission


@dataclass(frozen=True)
class HeardImage:
    """What was heard about one image: by its own `address`, headers and bytes, and with its page.

    `answered` is True when its headers came with status 200.
    """

    url: str
    address: tuple[Signal, ...]
    page: tuple[Signal, ...]
    answered: bool


@dataclass(frozen=True)
class SiteAnswers:
    """All that a site answered: host files by origin, the first the one that was named; the page's last
    URL; its signals; its first images, of `shown`; and the gate that kept us from reading it, if one did."""

    url: str
    page_url: str
    origins: dict[str, OriginFacts]
    signals: tuple[Signal, ...]
    images: tuple[HeardImage, ...]
    shown: int
    shut: GateResult | None


Asking = Generator[Need, Fetched, SiteAnswers]


def ask_site(gates: Gates, url: str, *, images: int = 3, redirects: int = 5) -> Asking:
    """Host files of the origin of `url` first, then that page, then its first `images` images."""
    asker = _Asker(gates, redirects)
    answer = yield from asker.page(url)
    if isinstance(answer, GateResult):
        return SiteAnswers(url, "", asker.origins, (), (), 0, answer)
    yield from asker.also(origin_of(normalise_url(url)))
    page = yield from asker.with_documents(answer)
    shown = () if page.page is None else page.page.images
    addresses = [url for url in dict.fromkeys(image.url for image in shown) if url.startswith(_ON_THE_WEB)]
    heard = []
    for address in addresses[:images]:
        heard.append((yield from asker.image(page, address)))
    shut = page.result if page.page is None else None
    return SiteAnswers(
        url,
        answer.final_url,
        asker.origins,
        _training(page.result.signals),
        tuple(heard),
        len(addresses),
        shut,
    )


@dataclass
class _Asker:
    """What one audit knows: the host files of every origin it met, and the documents it asked for."""

    gates: Gates
    redirects: int
    origins: dict[str, OriginFacts] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)

    def facts(self, url: str) -> Generator[Need, Fetched, OriginFacts]:
        origin = origin_of(url)
        if origin not in self.origins:
            self.origins[origin] = yield from self.gates.files.host_files(origin)
        return self.origins[origin]

    def may_ask(self, url: str) -> Generator[Need, Fetched, GateResult]:
        first = self.gates.door.g0(url)
        if not first.open:
            return first
        url = normalise_url(url)
        return self.gates.door.g1(url, (yield from self.facts(url)))

    def page(self, url: str) -> Generator[Need, Fetched, Fetched | GateResult]:
        """GET a page hop by hop, or the gate that shuts it."""
        hops: list[Hop] = []
        current = url
        while True:
            gate = yield from self.may_ask(current)
            if not gate.open:
                return gate
            current = normalise_url(current)
            answer = yield Need(current, NeedKind.PAGE, PAGE_CAP)
            target = redirect_target(answer)
            hops.append(Hop(current, answer.status or 0, answer.hops[-1].ip if answer.hops else ""))
            answer = replace(answer, url=url, final_url=current, hops=tuple(hops))
            if target is None:
                return answer
            if len(hops) > self.redirects:
                return self.gates.hearing.page_status(replace(answer, error=FetchError.REDIRECTS))
            current = target

    def also(self, origin: str) -> Generator[Need, Fetched, None]:
        """Add the files that no protocol asks for to those of `origin`."""
        facts = yield from self.facts(origin + "/")
        more = dict(facts.files)
        for path in (LICENCE_FILE, LLMS_FILE):
            more[path] = yield from document(self.gates.door, origin + path, self.redirects, self.facts)
        self.origins[origin] = replace(facts, files=more)

    def with_documents(self, answer: Fetched) -> Generator[Need, Fetched, PageFacts]:
        """What a page says, with every document that it names and that it takes to know."""
        hearing = self.gates.hearing
        facts = hearing.g2(answer)
        named = [declared.url for declared in facts.documents if declared.needed]
        for url in dict.fromkeys(named):
            if url in self.asked or len(self.asked) >= _MAX_DOCUMENTS:
                continue
            self.asked.add(url)
            found = yield from document(self.gates.door, url, self.redirects, self.facts)
            hearing.documents.put(url, found)
        return hearing.g2(answer) if named else facts

    def image(self, page: PageFacts, url: str) -> Generator[Need, Fetched, HeardImage]:
        """What is said about one image of `page`."""
        hearing = self.gates.hearing
        told = hearing.g2_image(page, url)
        door = yield from self.may_ask(url)
        if not door.open:
            return HeardImage(url, _training(door.signals), _training(told.signals), answered=False)
        url = normalise_url(url)
        host = hearing.g3(url, (yield from self.facts(url)))
        own, answered = host.signals, False
        if told.open and (host.open or host.documents):
            judged = yield from walk_image(hearing, url, redirects=self.redirects, known=self.origins)
            own = judged.candidate.signals
            answered = judged.last.gate in ("g4", "g5") and judged.candidate.status == 200
        else:
            answer = yield Need(url, NeedKind.IMAGE, 0, "HEAD")
            if answer.error is None and answer.status == 200:
                head = ResponseHead(answer.final_url, answer.status, answer.headers, answer.fetched_at)
                own, answered = (*own, *hearing.g4(head).signals), True
        return HeardImage(url, _training(own), _training(told.signals), answered)


def _training(signals: tuple[Signal, ...]) -> tuple[Signal, ...]:
    return tuple(dict.fromkeys(signal for signal in signals if signal.use is Use.TRAINING))
