"""Worlds: everything that can be said about one image, in all its channels, from fragments and noise.

`said` asks every protocol, as the gates do; `effect` is what it amounts to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from hypothesis import strategies as st

from kyodaku.decision import resolve_protocols
from kyodaku.errors import CarrierError
from kyodaku.signals.carriers.c2pa import ManifestStore, parse_manifest_store
from kyodaku.signals.carriers.embedded import read_embedded
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.carriers.html import parse_html
from kyodaku.signals.model import (
    Declared,
    Effect,
    Fetched,
    FetchError,
    Headers,
    LicenceEvidence,
    Signal,
    strongest,
)
from kyodaku.signals.protocols import Protocol, all_protocols
from kyodaku.signals.protocols.robots import PROTOCOL as ROBOTS
from tests.core.strategies import HTML_TEXT, IMAGE_BYTES, ROBOTS_TEXT, reading, webp, xmp_packet

ORIGIN = "https://example.com"
PAGE = ORIGIN + "/gallery/1.html"
IMAGE = ORIGIN + "/art/cat.jpg"
RSL = "https://rslstandard.org/rsl"
RSL_URL = ORIGIN + "/license.xml"

#: From most to least open: nothing that refuses may move a result to the left.
RANK = {Effect.PERMITTED: 0, Effect.SILENT: 1, Effect.ERROR: 2, Effect.RESERVED: 3}

Mode = Literal["spec", "policy"]


@dataclass(frozen=True)
class World:
    """What stands in every channel. `complete` is False when every body was cut on its way.

    `documents` answer for the documents of their URLs, `document` for every other one that is named; `store`
    is the manifest store of the image, as JSON; `error` what ended a body that did not come whole.
    """

    url: str = IMAGE
    files: Mapping[str, bytes] = field(default_factory=dict)
    statuses: Mapping[str, int] = field(default_factory=dict)
    document: bytes = b""
    documents: Mapping[str, bytes] = field(default_factory=dict)
    page_headers: Headers = ()
    html: str = ""
    image_headers: Headers = ()
    image: bytes = b""
    store: str = ""
    complete: bool = True
    error: FetchError | None = FetchError.RESET


class _StoreOf:
    """Reads the manifest store that a world holds."""

    def __init__(self, text: str) -> None:
        self._text = text

    def read(self, body: bytes, kind: str) -> ManifestStore:
        return parse_manifest_store(self._text)


@dataclass(frozen=True)
class Heard:
    """All that the protocols gave for one world. `page_held` is True where the page could not be read whole:
    then its images are held, whatever it says."""

    signals: list[Signal]
    evidence: list[LicenceEvidence]
    page_held: bool = False


def heard(world: World, mode: Mode = "policy", protocols: Sequence[Protocol] | None = None) -> Heard:
    """Every signal and all evidence of `protocols` (None: of all). Raises what a protocol raises; a page
    that is no HTML says nothing."""
    asked = all_protocols() if protocols is None else protocols
    read = reading(mode)
    files = {path: _answer(ORIGIN + path, body, world) for path, body in world.files.items()}
    signals: list[Signal] = []
    evidence: list[LicenceEvidence] = []
    named: list[Declared] = []
    page_head = ResponseHead(PAGE, 200, world.page_headers, 1.0)
    image_head = ResponseHead(world.url, 200, world.image_headers, 1.0)
    store = _StoreOf(world.store) if world.store else None
    embedded = read_embedded(world.image, url=world.url, complete=world.complete, c2pa=store)
    try:
        page = parse_html(world.html.encode("utf-8", "replace"), "text/html", PAGE, complete=world.complete)
        page_held = not page.complete
    except CarrierError:
        page, page_held = parse_html(b"", "text/html", PAGE, complete=world.complete), True
    if "/robots.txt" in files:
        ROBOTS.crawl_delay(files["/robots.txt"], read.own_tokens)
    for protocol in asked:
        for path in protocol.host_files:
            if path in files and protocol.wants(path, files, read):
                signals += protocol.read_host_file(path, files[path], world.url, read)
        signals += protocol.read_page_head(page_head, read)
        signals += protocol.read_page(page, None, read)
        signals += protocol.read_page(page, world.url, read)
        signals += protocol.read_image_head(image_head, read)
        signals += protocol.read_image(embedded, read)
        named += [
            *protocol.host_documents(files, ORIGIN, read),
            *protocol.page_documents(page_head, page, read),
            *protocol.image_documents(image_head, read),
            *protocol.url_documents(world.url, read),
        ]
        evidence += protocol.page_evidence(page, world.url, read)
        evidence += protocol.head_evidence(image_head)
        evidence += protocol.image_evidence(embedded)
    by_name = {protocol.name: protocol for protocol in asked}
    for declared in named:
        document = _answer(declared.url, world.documents.get(declared.url, world.document), world)
        signals += by_name[declared.protocol].read_document(document, declared, world.url, read)
    return Heard(signals, evidence, page_held)


def said(world: World, mode: Mode = "policy") -> list[Signal]:
    """Every signal of every protocol."""
    return heard(world, mode).signals


def effect(world: World, mode: Mode = "policy") -> Effect:
    """What all of it amounts to under the lattice, the basis not asked."""
    return strongest([*resolve_protocols(said(world, mode)).values()])


def _answer(url: str, body: bytes, world: World) -> Fetched:
    path = url.removeprefix(ORIGIN)
    error = None if world.complete else world.error
    status = world.statuses.get(path, 200)
    return Fetched(url, url, status, (), body, world.complete, error, 1.0)


# --------------------------------------------------------------------------- fragments

ROBOTS_FRAGMENTS = (
    "User-agent: *\nAllow: /\n",
    "User-agent: Kyodaku\nAllow: /\nContent-Usage: train-ai=y\n",
    "User-agent: GPTBot\nDisallow: /art/\n",
    "User-agent: *\nContent-Usage: /art/ train-ai=n\n",
    "Content-Usage: train-ai=y, search=y\n",
    "Content-Usage: *.jpg train-ai=n\n",
    "Content-Signal: search=yes, ai-train=yes\n",
    "Content-Signal: ai-train=no\n",
    "DisallowAITraining: /art/\n",
    "AllowAITraining: /\n",
    f"License: {RSL_URL}\n",
    "Disallow:\n",
)
TDM_FRAGMENTS = (
    {"location": "/", "tdm-reservation": 1},
    {"location": "/art/", "tdm-reservation": 0},
    {"location": "/art/", "tdm-reservation": "1"},
    {"location": "*", "tdm-reservation": 2},
    {"tdm-reservation": True},
    {"location": "/art/*.jpg$", "tdm-reservation": 1, "tdm-policy": ORIGIN + "/policy.json"},
    {"location": 5},
    [],
    None,
)
AI_FRAGMENTS = (
    "User-Agent: *\nDisallow: *.jpg\n",
    "User-Agent: *\nAllow: *.jpg\n",
    "Disallow: /\n",
    "Spec-Version: 1.0\n",
    "Training: allow\n",
    "Training: deny\n",
    "Training-Allow: /art/*\n",
    "Training-Deny: /art/cat*\n",
    "Agent: Kyodaku\n  Training: deny\n",
    "<html>",
    "no AI training please\n",
)
TRUST_FRAGMENTS = (
    "datatrainingallowed=yes\n",
    "datatrainingallowed=no\n",
    "member=https://a.example/\n",
    "#x\n",
    "<",
)
RSL_FRAGMENTS = (
    f'<rsl xmlns="{RSL}">',
    '<content url="/">',
    '<content url="/art/" server="https://l.example">',
    '<license><permits type="usage">ai-train</permits></license>',
    '<license><prohibits type="usage">ai-train</prohibits></license>',
    '<payment type="free"/>',
    '<payment type="purchase"/>',
    "</content>",
    "</rsl>",
    "<!DOCTYPE a [<!ENTITY b 'c'>]>",
    "&b;",
)
HEADER_FRAGMENTS: tuple[tuple[str, str], ...] = (
    ("Content-Usage", "train-ai=y"),
    ("Content-Usage", "train-ai=n"),
    ("Content-Usage", "train-ai=n, ("),
    ("Content-Usage", "genai=n;x"),
    ("Content-Signal", "ai-train=yes"),
    ("Content-Signal", "ai-train=no"),
    ("X-Robots-Tag", "noai"),
    ("X-Robots-Tag", "otherbot: noai, index"),
    ("X-Robots-Tag", "unavailable_after: 1 Jan 2020, all"),
    ("tdm-reservation", "1"),
    ("TDM-Reservation", "0"),
    ("Link", f'<{RSL_URL}>; rel="license"; type="application/rsl+xml"'),
    ("Link", "<https://creativecommons.org/publicdomain/zero/1.0/>; rel=license"),
)
HTML_FRAGMENTS = (
    '<img src="/art/cat.jpg">',
    '<meta name="robots" content="noai">',
    '<meta name="tdm-reservation" content="1">',
    '<meta name="tdm-reservation" content="0">',
    f'<link rel="license" type="application/rsl+xml" href="{RSL_URL}">',
    f'<script type="application/rsl+xml"><rsl xmlns="{RSL}"><content url="/"><license>',
    '<permits type="usage">all</permits></license></content></rsl></script>',
    '<script type="application/ld+json">{"@type":"ImageObject","contentUrl":"/art/cat.jpg",',
    '"license":"https://creativecommons.org/publicdomain/zero/1.0/",',
    '"copyrightNotice":"no AI training"}</script>',
    '<figure><img src="/art/cat.jpg">',
    '<a rel="license" href="https://creativecommons.org/publicdomain/mark/1.0/">',
    "</a></figure>",
    '<meta name="generator" content="Mastodon"><meta name="description" content="#NoBot">',
)
_TDM_XMP = 'xmlns:tdm="http://www.w3.org/ns/tdmrep/" '
XMP_FRAGMENTS = (
    'plus:DataMining="http://ns.useplus.org/ldf/vocab/DMI-ALLOWED"',
    'plus:DataMining="http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-GENAIMLTRAINING"',
    _TDM_XMP + 'tdm:reservation="1"',
    _TDM_XMP + 'tdm:reservation="0"',
    'xmpRights:UsageTerms="No AI training"',
    'xmpRights:WebStatement="https://creativecommons.org/publicdomain/zero/1.0/"',
)


def _texts(fragments: tuple[str, ...], noise: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(st.one_of(st.sampled_from(fragments), noise), max_size=8).map("".join)


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "replace")


_NOISE = st.text(max_size=10)
_TDM = st.lists(st.sampled_from(TDM_FRAGMENTS), max_size=4).map(json.dumps)
_FILES = {
    "/robots.txt": _texts(ROBOTS_FRAGMENTS, ROBOTS_TEXT),
    "/.well-known/tdmrep.json": st.one_of(_TDM, _TDM.map(lambda text: text[:-3]), _NOISE),
    "/ai.txt": _texts(AI_FRAGMENTS, _NOISE),
    "/.well-known/ai.txt": _texts(AI_FRAGMENTS, _NOISE),
    "/.well-known/ai.json": st.one_of(
        st.dictionaries(
            st.sampled_from(
                ["specVersion", "training", "Training", "permissions", "agents", "Training-Allow"]
            ),
            st.one_of(st.sampled_from(["allow", "deny", 5, None, True]), st.lists(_NOISE, max_size=2)),
        ).map(json.dumps),
        _NOISE,
    ),
    "/.well-known/trust.txt": _texts(TRUST_FRAGMENTS, _NOISE),
    "/trust.txt": _texts(TRUST_FRAGMENTS, _NOISE),
}
_HEADERS = st.lists(
    st.one_of(
        st.sampled_from(HEADER_FRAGMENTS),
        st.tuples(
            st.sampled_from([name for name, _ in HEADER_FRAGMENTS]), st.text('abcny=,;:"()*? é', max_size=12)
        ),
    ),
    max_size=4,
).map(tuple)
_XMP = st.lists(st.sampled_from(XMP_FRAGMENTS), max_size=2, unique_by=lambda text: text.split("=")[0]).map(
    lambda parts: webp((b"VP8X", b"\x04" + bytes(9)), (b"XMP ", xmp_packet(" ".join(parts))))
)

WORLDS = st.builds(
    World,
    files=st.fixed_dictionaries(
        {}, optional={k: v.map(lambda t: t.encode("utf-8", "replace")) for k, v in _FILES.items()}
    ),
    statuses=st.dictionaries(
        st.sampled_from(list(_FILES)), st.sampled_from([200, 404, 403, 451, 500, 204]), max_size=1
    ),
    document=_texts(RSL_FRAGMENTS, _NOISE).map(lambda t: t.encode("utf-8", "replace")),
    page_headers=_HEADERS,
    html=_texts(HTML_FRAGMENTS, HTML_TEXT),
    image_headers=_HEADERS,
    image=st.one_of(_XMP, IMAGE_BYTES, st.just(webp())),
)


# --------------------------------------------------------------------------- refusals that are added


def _with_robots(line: str) -> object:
    def add(world: World) -> World:
        group = f"\n\nUser-agent: *\nUser-agent: Kyodaku\nUser-agent: DemoBot\n{line}\n"
        files = {**world.files, "/robots.txt": world.files.get("/robots.txt", b"") + group.encode()}
        return replace(world, files=files)

    return add


def _with_tdm(world: World) -> World:
    path = "/.well-known/tdmrep.json"
    try:
        entries = json.loads(world.files.get(path, b"[]"))
    except ValueError:
        return world
    if not isinstance(entries, list):
        return world
    first = {"location": "/", "tdm-reservation": 1}
    return replace(world, files={**world.files, path: json.dumps([first, *entries]).encode()})


def _appended(path: str, line: str) -> object:
    def add(world: World) -> World:
        return replace(world, files={**world.files, path: world.files.get(path, b"") + line.encode()})

    return add


def _image_header(name: str, value: str) -> object:
    return lambda world: replace(world, image_headers=(*world.image_headers, (name, value)))


def _page_header(name: str, value: str) -> object:
    return lambda world: replace(world, page_headers=(*world.page_headers, (name, value)))


def _markup(text: str) -> object:
    return lambda world: replace(world, html=text + world.html)


#: Every way to add a no, by name: a function from a world to the world with it.
REFUSALS = {
    "robots": _with_robots("Disallow: /art/"),
    "aipref": _with_robots("Content-Usage: train-ai=n"),
    "content-signal": _with_robots("Content-Signal: ai-train=no"),
    "disallowaitraining": _with_robots("DisallowAITraining: /art/"),
    "tdmrep": _with_tdm,
    "ai-txt": _appended("/ai.txt", "\nUser-Agent: *\nDisallow: /art/cat.jpg\n"),
    "trust-txt": _appended("/.well-known/trust.txt", "\ndatatrainingallowed=no\n"),
    "aipref header": _image_header("Content-Usage", "train-ai=n"),
    "content-signal header": _image_header("Content-Signal", "ai-train=no"),
    "x-robots-tag": _image_header("X-Robots-Tag", "noai"),
    "tdm header": _image_header("tdm-reservation", "1"),
    "aipref page header": _page_header("Content-Usage", "train-ai=n"),
    "x-robots-tag page": _page_header("X-Robots-Tag", "noimageai"),
    "meta": _markup('<meta name="robots" content="noai">'),
    "tdm meta": _markup('<meta name="tdm-reservation" content="1">'),
}
