"""Really Simple Licensing 1.0 (RSL Collective, rslstandard.org/rsl): machine-readable licences, which
robots.txt, headers and markup name, and which also stand inside pages and image files.

A licence's `permits` is a closed list: what it leaves out is not licensed. A grant here needs a licence that
covers the image, names training, costs nothing and sets no condition that we could not prove to meet.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from urllib.parse import urljoin, urlsplit

from kyodaku.errors import CarrierError
from kyodaku.reasons import HoldReason, ReasonEnum, RefuseReason
from kyodaku.signals.carriers.embedded import EmbeddedMetadata
from kyodaku.signals.carriers.headers import ResponseHead, parse_links
from kyodaku.signals.carriers.html import HtmlPage
from kyodaku.signals.carriers.robots import RobotsRecord
from kyodaku.signals.carriers.rsl import MEDIA_TYPE, RslDocument, parse_rsl
from kyodaku.signals.model import (
    Binding,
    Declared,
    Effect,
    Fetched,
    FetchError,
    Reading,
    Signal,
    Where,
    excerpt,
)
from kyodaku.signals.protocols.base import About, Peers, Protocol
from kyodaku.signals.protocols.robots import PATH as ROBOTS_PATH
from kyodaku.signals.protocols.robots import PROTOCOL as ROBOTS
from kyodaku.signals.protocols.robots import fetch_outcome
from kyodaku.signals.protocols.rsl_terms import Outcome, outcomes
from kyodaku.signals.robots_licences import licence_records

_MAX_LINKS = 32
_MEMORY = 16
#: A broken document that still says in its own words that training is prohibited.
_PROHIBITS = re.compile(
    rb"<(?:[\w.-]{1,40}:)?prohibits\b[^<>]{0,500}>[^<]{0,500}?\b(?:all|ai-all|ai|[\w-]*train[\w-]*)\b",
    re.IGNORECASE,
)
#: The word by which an XMP packet or a text chunk shows that RSL stands in it.
_WORD = "rslstandard.org/rsl"


class Rsl(Protocol):
    """RSL by every way of discovery that needs no request beyond the licence itself."""

    name = "rsl"
    title = "RSL 1.0: licences named by robots.txt, headers and markup, or embedded in pages and images"
    host_files = (ROBOTS_PATH,)
    vector_signals = ("rsl",)
    about = About(
        where=(
            "`License` lines of robots.txt, `Link` headers, `<link>` elements, inline scripts, image "
            "metadata; then the document"
        ),
        scope="site, path, page, image",
        status="RSL Collective, 1.0 (December 2025)",
        spec=(
            "`permits` is a closed list, `prohibits` wins; permitted only free of charge and of conditions;"
            " a document that is named and cannot be had is an error"
        ),
        policy=(
            "token names seen in the wild refuse; a broken document that prohibits training reserves; "
            "attribution and contribution count as conditions"
        ),
        peers=Peers(common_crawl="not known"),
    )
    image_bound = False

    def __init__(self) -> None:
        self._parsed: OrderedDict[bytes, RslDocument | CarrierError] = OrderedDict()

    def alike(self, path: str, file: Fetched, reading: Reading) -> bool:
        """What the file says, it says of every URL."""
        return True

    def read_host_file(self, path: str, file: Fetched, url: str, reading: Reading) -> list[Signal]:
        """An error for a `License` line that names nothing we could ask for."""
        if path != ROBOTS_PATH:
            return []
        return [
            _error(Declared(self.name, "", Where.FILE, Binding.HOST, record.raw, file.final_url), file)
            for record, _ in _records(file, reading)
            if record.value and not _target(record.value, file.final_url or file.url)
        ]

    def host_documents(
        self, files: Mapping[str, Fetched], origin: str, reading: Reading
    ) -> Sequence[Declared]:
        """`License` lines: those of the groups that speak to us, else those outside of groups."""
        file = files.get(ROBOTS_PATH)
        if file is None:
            return ()
        source = file.final_url or file.url or origin + ROBOTS_PATH
        return tuple(
            Declared(
                self.name,
                target,
                Where.FILE,
                Binding.PATH if ours else Binding.HOST,
                record.raw,
                # The lines speak about the origin they were asked for, wherever that was redirected to.
                origin + ROBOTS_PATH,
            )
            for record, ours in _records(file, reading)
            if (target := _target(record.value, source))
        )

    def page_documents(self, head: ResponseHead, page: HtmlPage, reading: Reading) -> Sequence[Declared]:
        """`Link` headers and link elements with the relation `license` and the media type of RSL."""
        named = list(_header_documents(head, Binding.PAGE))
        named += [
            Declared(self.name, link.href, Where.HTML, Binding.PAGE, link.raw, page.url)
            for link in page.links
            if "license" in link.rel and _is_rsl(link.type)
        ]
        return tuple(dict.fromkeys(named))

    def image_documents(self, head: ResponseHead, reading: Reading) -> Sequence[Declared]:
        """`Link` headers of an image, of one that is refused with 401 or 402 too."""
        return tuple(_header_documents(head, Binding.IMAGE))

    def read_page_head(self, head: ResponseHead, reading: Reading) -> list[Signal]:
        return _unusable_links(head, Binding.PAGE, reading)

    def read_image_head(self, head: ResponseHead, reading: Reading) -> list[Signal]:
        return _unusable_links(head, Binding.IMAGE, reading)

    def read_page(self, page: HtmlPage, image_url: str | None, reading: Reading) -> list[Signal]:
        """Licences written into the page itself."""
        signals: list[Signal] = []
        for text in page.rsl:
            body = text.encode("utf-8", "replace")
            declared = Declared(self.name, page.url, Where.HTML, Binding.PAGE, excerpt(text), page.url)
            file = Fetched(page.url, page.url, 200, (), body, page.complete, None, page.fetched_at)
            url = page.url if image_url is None else image_url
            signals += self._judged(file, declared, url, reading)
        return [replace(signal, digest=page.digest) for signal in signals]

    def read_image(self, embedded: EmbeddedMetadata, reading: Reading) -> list[Signal]:
        """Licences inside the file: they speak about it wherever it is found, and what is not readable
        or only points elsewhere leaves it open."""
        texts = [packet.raw for packet in embedded.xmp if _holds_rsl(packet.raw)]
        texts += [
            chunk.value.encode("utf-8", "replace")
            for chunk in embedded.texts
            if "<rsl" in chunk.value.lower() or _WORD in chunk.value or chunk.key.lower() == "rsl"
        ]
        signals: list[Signal] = []
        for body in dict.fromkeys(texts):
            raw = excerpt(body.decode("utf-8", "replace"))
            declared = Declared(self.name, embedded.url, Where.FILE, Binding.IMAGE, raw, embedded.url)
            whole = embedded.complete
            file = Fetched(embedded.url, embedded.url, 200, (), body, whole, None, embedded.fetched_at)
            signals += self._judged(file, declared, embedded.url, reading, everywhere=True)
        return [replace(signal, digest=embedded.digest) for signal in signals]

    def read_document(
        self, document: Fetched, declared: Declared, url: str, reading: Reading
    ) -> list[Signal]:
        """What a licence says about `url`; one that is declared and cannot be had leaves it open."""
        if document.error is FetchError.BARRED:
            return [_error(declared, document, HoldReason.POLICY_FILE_BARRED)]
        if document.error is not None or document.status != 200 or not document.complete:
            return [_error(declared, document)]
        return self._judged(document, declared, url, reading)

    def _judged(
        self, file: Fetched, declared: Declared, url: str, reading: Reading, everywhere: bool = False
    ) -> list[Signal]:
        parsed = self._document(file.body)
        if isinstance(parsed, CarrierError):
            said = _PROHIBITS.search(file.body[: 1024 * 1024]) if reading.mode == "policy" else None
            if said is None:
                return [_error(declared, file, said=str(parsed))]
            raw = said.group().decode("utf-8", "replace")
            return [_signal(declared, file, Outcome(Effect.RESERVED, "a broken document", "broken", raw))]
        site = declared.source_url or file.final_url
        found = outcomes(parsed, url, site, reading.mode, everywhere)
        valid = parsed.namespaced and all(content.url is not None for content in parsed.contents)
        if not valid and (reading.mode == "spec" or not _refuses(found)):
            return [_error(declared, file, said="outside of RSL's namespace, or without a url")]
        about_us = declared.binding is not Binding.HOST
        about_image = declared.binding is not Binding.PAGE or url != declared.source_url
        grants = about_us and about_image and file.complete
        return [
            _signal(declared, file, outcome)
            for outcome in found
            if grants or outcome.effect is not Effect.PERMITTED
        ]

    def _document(self, body: bytes) -> RslDocument | CarrierError:
        """`parse_rsl(body)` or why not, remembered: one document is asked about many images."""
        known = self._parsed.get(body)
        if known is None:
            try:
                known = parse_rsl(body)
            except CarrierError as error:
                known = error
            self._parsed[body] = known
            if len(self._parsed) > _MEMORY:
                self._parsed.popitem(last=False)
        return known


def _records(file: Fetched, reading: Reading) -> Iterator[tuple[RobotsRecord, bool]]:
    """`License` lines, and whether each speaks to us rather than to other crawlers of our kind."""
    if file.error is FetchError.BARRED or fetch_outcome(file, reading.mode) is not None:
        return
    robots = ROBOTS.parsed(file.body)
    if robots.too_complex or (robots.not_text and reading.mode == "policy"):
        return  # the robots protocol holds then
    yield from licence_records(robots, reading)


def _target(value: str, base: str) -> str:
    """The absolute http or https URL of a `License` line, or "" when there is none."""
    try:
        url = urljoin(base, value.encode("latin-1", "replace").decode("utf-8", "replace")).partition("#")[0]
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.hostname else ""


def _is_rsl(media_type: str) -> bool:
    return media_type.partition(";")[0].strip().lower() == MEDIA_TYPE


def _links(head: ResponseHead) -> Iterator[tuple[str, str]]:
    """(absolute target or "", as written) of every licence link of a head."""
    found = [link for link in head.links() if "license" in link.rel and _is_rsl(link.parameter("type"))]
    for number, link in enumerate(found):
        raw = excerpt(f'Link: <{link.target}>; rel="license"; type="{MEDIA_TYPE}"')
        yield (_target(link.target, head.url) if number < _MAX_LINKS else ""), raw


def _header_documents(head: ResponseHead, binding: Binding) -> Iterator[Declared]:
    for target, raw in _links(head):
        if target:
            yield Declared(Rsl.name, target, Where.HEADER, binding, raw, head.url)


def _unusable_links(head: ResponseHead, binding: Binding, reading: Reading) -> list[Signal]:
    """Errors for licence links that lead nowhere and, by policy, for a header that names the media type more
    often than it can be read to: `Link: https://example.com/rsl.xml; rel="license"; ...`."""
    named = [raw for target, raw in _links(head) if not target]
    for value in head.values("link") if reading.mode == "policy" else ():
        read = sum(_is_rsl(link.parameter("type")) for link in parse_links(value))
        if value.lower().count(MEDIA_TYPE) > read:
            named.append(f"Link: {value}")
    file = Fetched(head.url, head.url, head.status, (), b"", True, None, head.fetched_at)
    return [
        _error(Declared(Rsl.name, "", Where.HEADER, binding, excerpt(raw), head.url), file) for raw in named
    ]


def _holds_rsl(packet: bytes) -> bool:
    return any(_WORD.encode(code) in packet for code in ("ascii", "utf-16-le", "utf-16-be"))


def _refuses(found: Sequence[Outcome]) -> bool:
    return any(outcome.effect is Effect.RESERVED for outcome in found)


def _error(
    declared: Declared,
    file: Fetched,
    reason: HoldReason = HoldReason.RSL_UNOBTAINABLE,
    said: str = "",
) -> Signal:
    status = file.error.value if file.error is not None else f"HTTP {file.status}"
    outcome = Outcome(Effect.ERROR, said or status, "unobtainable", declared.raw)
    return _signal(declared, file, outcome, reason)


def _signal(declared: Declared, file: Fetched, outcome: Outcome, reason: ReasonEnum | str = "") -> Signal:
    if outcome.effect is Effect.RESERVED:
        reason = RefuseReason.RSL
    return Signal(
        protocol=Rsl.name,
        where=declared.where,
        binding=declared.binding,
        use=outcome.use,
        effect=outcome.effect,
        raw=excerpt(outcome.raw),
        parsed=excerpt(outcome.said),
        rule=f"rsl:{outcome.rule}",
        reason=str(reason),
        source_url=file.final_url or declared.url or declared.source_url,
        digest=sha256(file.body).hexdigest(),
        complete=file.complete,
        fetched_at=file.fetched_at,
    )


PROTOCOL = Rsl()
