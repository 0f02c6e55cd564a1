"""RSL beside the vectors: discovery, documents that cannot be had, and what a grant takes."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyodaku.errors import CarrierError
from kyodaku.signals.carriers.embedded import read_embedded
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.carriers.html import parse_html
from kyodaku.signals.carriers.rsl import MAX_BYTES, MAX_CONTENTS, parse_rsl
from kyodaku.signals.model import Binding, Declared, Effect, Fetched, FetchError, Signal, Where
from kyodaku.signals.protocols.rsl import PROTOCOL
from tests.core.strategies import IMAGE, reading, webp, xmp_packet

ORIGIN = "https://example.com"
PAGE = ORIGIN + "/gallery/1.html"
URL = ORIGIN + "/license.xml"
NAMESPACE = "https://rslstandard.org/rsl"
TRAIN = '<permits type="usage">ai-train</permits>'
NO = '<prohibits type="usage">ai-train</prohibits>'
TYPE = "application/rsl+xml"


def rsl(terms: str, url: str = "/") -> str:
    return f'<rsl xmlns="{NAMESPACE}"><content url="{url}"><license>{terms}</license></content></rsl>'


def fetched(
    body: str | bytes, status: int = 200, *, error: FetchError | None = None, complete: bool = True
) -> Fetched:
    body = body.encode("utf-8", "replace") if isinstance(body, str) else body
    return Fetched(URL, URL, None if error else status, (), body, complete, error, 1.0)


def declared(where: Where = Where.FILE, binding: Binding = Binding.PATH, source: str = ORIGIN) -> Declared:
    return Declared("rsl", URL, where, binding, "License: " + URL, source + "/robots.txt")


def said(
    document: Fetched, mode: Any = "policy", url: str = IMAGE, of: Declared | None = None
) -> list[Signal]:
    return PROTOCOL.read_document(document, of or declared(), url, reading(mode))


def effects(signals: list[Signal]) -> set[Effect]:
    return {signal.effect for signal in signals}


def robots(body: str) -> dict[str, Fetched]:
    url = ORIGIN + "/robots.txt"
    return {"/robots.txt": Fetched(url, url, 200, (), body.encode(), True, None, 1.0)}


# --------------------------------------------------------------------------- discovery


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (f"License: {URL}\n", {(URL, Binding.PATH)}),
        ("License: /license.xml#part\n", {(URL, Binding.PATH)}),
        (
            f"License: {URL}\n\nUser-agent: Kyodaku\nLicense: /own.xml\n",
            {(ORIGIN + "/own.xml", Binding.PATH)},
        ),
        ("User-agent: GPTBot\nLicense: /g.xml\nAllow: /\n", {(ORIGIN + "/g.xml", Binding.HOST)}),
        ("User-agent: Other\nLicense: /o.xml\nAllow: /\n", set()),
        ("License: mailto:a@example.com\n", set()),
        ("License:\n", set()),
    ],
)
def test_robots_names_the_licences_of_the_groups_that_speak_to_us(body: str, named: set[Any]) -> None:
    found = PROTOCOL.host_documents(robots(body), ORIGIN, reading())
    assert {(item.url, item.binding) for item in found} == named
    assert all(item.needed for item in found)


def test_a_line_that_names_nothing_to_ask_for_leaves_it_open() -> None:
    file = robots("License: mailto:a@example.com\n")["/robots.txt"]
    (signal,) = PROTOCOL.read_host_file("/robots.txt", file, IMAGE, reading())
    assert (signal.effect, signal.reason) == (Effect.ERROR, "rsl_unobtainable")


def test_pages_and_images_name_licences_with_relation_and_type() -> None:
    link = ("Link", f'</h.xml>; rel="license"; type="{TYPE}", </x>; rel=license, </y>; type="{TYPE}"')
    markup = (
        f'<link rel="license" type="{TYPE}" href="m.xml"><link rel="license" href="n.xml">'
        f'<link rel="next" type="{TYPE}" href="o.xml">'
    )
    page = parse_html(markup.encode(), "text/html", PAGE)
    head = ResponseHead(PAGE, 200, (link,), 1.0)
    of_page = PROTOCOL.page_documents(head, page, reading())
    assert {item.url for item in of_page} == {ORIGIN + "/h.xml", ORIGIN + "/gallery/m.xml"}
    (of_image,) = PROTOCOL.image_documents(ResponseHead(IMAGE, 401, (link,), 1.0), reading())
    assert (of_image.url, of_image.binding) == (ORIGIN + "/h.xml", Binding.IMAGE)


def test_an_image_link_that_cannot_be_asked_for_leaves_it_open() -> None:
    head = ResponseHead(IMAGE, 200, (("Link", f'<ftp://a/x>; rel=license; type="{TYPE}"'),), 1.0)
    assert effects(PROTOCOL.read_image_head(head, reading())) == {Effect.ERROR}


# --------------------------------------------------------------------------- documents


@pytest.mark.parametrize(
    "status", [*range(201, 209), 301, 304, 400, 401, 402, 403, 404, 410, 429, 451, 500, 503]
)
def test_a_document_that_is_declared_and_not_to_be_had_leaves_it_open(status: int) -> None:
    (signal,) = said(fetched(rsl(TRAIN), status))
    assert (signal.effect, signal.reason) == (Effect.ERROR, "rsl_unobtainable")


@pytest.mark.parametrize("error", FetchError)
def test_every_error_of_a_fetch_leaves_it_open(error: FetchError) -> None:
    (signal,) = said(fetched(rsl(TRAIN), error=error, complete=False))
    barred = error is FetchError.BARRED
    assert (signal.effect, signal.reason) == (
        Effect.ERROR,
        "policy_file_barred" if barred else "rsl_unobtainable",
    )


def test_a_document_that_broke_off_grants_nothing() -> None:
    assert effects(said(fetched(rsl(TRAIN), complete=False))) == {Effect.ERROR}


def test_a_licence_of_other_crawlers_refuses_and_never_grants() -> None:
    of = declared(binding=Binding.HOST)
    assert said(fetched(rsl(TRAIN)), of=of) == []
    assert effects(said(fetched(rsl(NO)), of=of)) == {Effect.RESERVED}


def test_a_licence_of_a_page_never_grants_what_it_shows_by_speaking_of_the_page() -> None:
    of = Declared("rsl", URL, Where.HTML, Binding.PAGE, "<link>", PAGE)
    assert said(fetched(rsl(TRAIN)), url=PAGE, of=of) == []
    assert effects(said(fetched(rsl(NO)), url=PAGE, of=of)) == {Effect.RESERVED}
    assert effects(said(fetched(rsl(TRAIN)), of=of)) == {Effect.PERMITTED}
    assert said(fetched(rsl(TRAIN)), url="https://cdn.example.net/cat.jpg", of=of) == []


def test_inference_that_is_prohibited_is_a_signal_of_its_own() -> None:
    terms = '<permits type="usage">ai-train</permits><prohibits type="usage">ai-input</prohibits>'
    found = {(signal.use.value, signal.effect) for signal in said(fetched(rsl(terms)))}
    assert found == {("inference", Effect.RESERVED), ("training", Effect.PERMITTED)}


TERMS = (
    TRAIN,
    NO,
    '<permits type="usage">all</permits>',
    '<permits type="usage">search</permits>',
    "<permits>ai-train</permits>",
    '<prohibits type="usage">train-ai</prohibits>',
    '<prohibits type="usage">search</prohibits>',
    '<payment type="free"/>',
    '<payment type="attribution"/>',
    '<payment type="free"><standard>https://creativecommons.org/publicdomain/zero/1.0/</standard></payment>',
    '<payment type="free"><custom>https://example.com/terms</custom></payment>',
    '<permits type="user">education</permits>',
    '<permits type="geo">US</permits>',
    "<reporting/>",
    "<unknown/>",
)
CONDITIONS = (*TERMS[8:9], *TERMS[10:])


@given(st.lists(st.sampled_from(TERMS), max_size=4))
def test_a_grant_names_training_and_sets_no_condition(terms: list[str]) -> None:
    document = fetched(rsl("".join(terms)))
    found = {mode: effects(said(document, mode)) for mode in ("spec", "policy")}
    for mode_effects in found.values():
        if Effect.PERMITTED in mode_effects:
            assert set(terms) & {TERMS[0], TERMS[2]}
            assert not set(terms) & {NO, *CONDITIONS}
    if NO in terms:
        assert all(Effect.RESERVED in mode_effects for mode_effects in found.values())
    if Effect.RESERVED in found["spec"]:
        assert Effect.RESERVED in found["policy"]


@given(
    st.lists(
        st.sampled_from([*TERMS, "<license>", "</license>", "</content>", "<content>", "&x;", "x"]),
        max_size=8,
    )
)
def test_any_markup_is_read_or_is_an_error(parts: list[str]) -> None:
    body = f'<rsl xmlns="{NAMESPACE}"><content url="/">' + "".join(parts)
    for mode in ("spec", "policy"):
        found = said(fetched(body), mode)
        assert found  # never closed: broken, and never silent
        assert Effect.PERMITTED not in effects(found)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_rsl_leave_it_open(body: bytes) -> None:
    with pytest.raises(CarrierError):
        parse_rsl(body)
    assert effects(said(fetched(body))) <= {Effect.ERROR, Effect.RESERVED}


@pytest.mark.parametrize(
    "body",
    [
        b" " * (MAX_BYTES + 1),
        b'<!DOCTYPE rsl SYSTEM "file:///etc/passwd"><rsl/>',
        b'<!DOCTYPE rsl [<!ENTITY a "b">]><rsl>&a;</rsl>',
        rsl("<a>" * 40 + "</a>" * 40).encode(),
        b"<rsl>" + b"<content url='/'/>" * (MAX_CONTENTS + 1) + b"</rsl>",
        rsl(TRAIN, "/" + "a" * 3000).encode(),
    ],
)
def test_limits_are_errors(body: bytes) -> None:
    with pytest.raises(CarrierError):
        parse_rsl(body)


def test_dot_segments_are_licensed_in_both_forms_or_not_at_all() -> None:
    out = ORIGIN + "/open/../art/cat.jpg"
    assert said(fetched(rsl(TRAIN, "/open/")), url=out) == []
    assert said(fetched(rsl(TRAIN, "/art/")), url=out) == []
    assert effects(said(fetched(rsl(TRAIN, "/")), url=out)) == {Effect.PERMITTED}
    for path in ("/open/", "/art/"):
        assert effects(said(fetched(rsl(NO, path)), url=out)) == {Effect.RESERVED}


# --------------------------------------------------------------------------- inside pages and images


def test_licences_inside_an_image_speak_about_it_wherever_it_is_found() -> None:
    image = webp((b"VP8X", b"\x04" + bytes(9)), (b"XMP ", xmp_packet("", rsl(NO, "https://home.example/x"))))
    embedded = read_embedded(image, url=IMAGE, complete=True)
    assert effects(PROTOCOL.read_image(embedded, reading())) == {Effect.RESERVED}


def test_licences_inside_a_page_are_read_from_scripts() -> None:
    page = parse_html(f'<script type="{TYPE}">{rsl(NO)}</script>'.encode(), "text/html", PAGE)
    assert effects(PROTOCOL.read_page(page, None, reading())) == {Effect.RESERVED}
    broken = parse_html(f'<script type="{TYPE}">{rsl(TRAIN)[:-9]}</script>'.encode(), "text/html", PAGE)
    assert effects(PROTOCOL.read_page(broken, IMAGE, reading())) == {Effect.ERROR}


# --------------------------------------------------------------------------- what is told of it


def test_a_licence_is_quoted_as_it_was_written() -> None:
    (signal,) = said(fetched(rsl(NO)))
    assert signal.raw == f'<license xmlns="{NAMESPACE}">{NO}</license>'
    other = f'<x:rsl xmlns:x="{NAMESPACE}" xmlns:y="urn:y"><x:content url="/" y:z="ns0:"><x:license><y:w/>'
    other += '<x:prohibits type="usage">ai-train &lt;ns0:</x:prohibits></x:license></x:content></x:rsl>'
    (signal,) = said(fetched(other))
    assert "&lt;ns0:" in signal.raw
    assert "<license " in signal.raw
    assert "</prohibits>" in signal.raw


def test_a_licence_inside_a_page_or_a_file_has_the_digest_of_what_holds_it() -> None:
    body = f'<script type="{TYPE}">{rsl(NO)}</script>'.encode()
    (signal,) = PROTOCOL.read_page(parse_html(body, "text/html", PAGE), IMAGE, reading())
    assert (signal.source_url, signal.digest) == (PAGE, sha256(body).hexdigest())
    image = webp((b"VP8X", b"\x04" + bytes(9)), (b"XMP ", xmp_packet("", rsl(NO, "https://home.example/x"))))
    (signal,) = PROTOCOL.read_image(read_embedded(image, url=IMAGE, complete=True), reading())
    assert (signal.source_url, signal.digest) == (IMAGE, sha256(image).hexdigest())
