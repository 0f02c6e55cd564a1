"""Licence evidence: what names a licence, and what binds it to an image."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyodaku.decision import Policy, basis_decision
from kyodaku.signals.carriers.embedded import read_embedded
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.carriers.html import HtmlPage, parse_html
from kyodaku.signals.licence_urls import canonical_licence
from kyodaku.signals.model import Institution, LicenceBinding, LicenceEvidence
from kyodaku.signals.protocols.licence import PROTOCOL
from tests.core.strategies import reading, webp, xmp_packet
from tests.tools import cpu_seconds

URL = "https://museum.example/works/1"
IMAGE = "https://museum.example/img/1.jpg"
PDM = "https://creativecommons.org/publicdomain/mark/1.0/"
CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
LINK = f"<a rel=license href={CC0}>t</a>"
NC = "https://creativecommons.org/licenses/by-nc-nd/4.0/"
MUSEUM = Institution("museum.example", "No known copyright restrictions", "https://museum.example/rights")


def page(markup: str, url: str = URL, complete: bool = True) -> HtmlPage:
    return parse_html(markup.encode(), "text/html; charset=utf-8", url, complete=complete)


def evidence(markup: str, image: str = IMAGE, **how: bool) -> list[LicenceEvidence]:
    return PROTOCOL.page_evidence(page(markup, **how), image, reading(institutions=(MUSEUM,)))


def bound(markup: str, image: str = IMAGE, **how: bool) -> list[tuple[str, LicenceBinding]]:
    return [
        (item.licence, item.binding)
        for item in evidence(markup, image, **how)
        if item.binding is not LicenceBinding.UNBOUND
    ]


# ------------------------------------------------------------------------------------- licence URLs


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://creativecommons.org/licenses/by/4.0/", "by-4.0"),
        ("http://www.creativecommons.org/licenses/BY-SA/3.0/de/deed.en?x#y", "by-sa-3.0-de"),
        ("https://creativecommons.org/licenses/by-nc-nd/2.5/legalcode", "by-nc-nd-2.5"),
        ("https://creativecommons.org/licenses/by/2.1/jp", "by-2.1-jp"),
        ("https://creativecommons.org/licenses/by/3.0/igo/", "by-3.0-igo"),
        ("https://creativecommons.org/licenses/by/4.0/deed.zh-hant", "by-4.0"),
        ("https://creativecommons.org/licenses/by/4.0/legalcode.ja", "by-4.0"),
        (" https://creativecommons.org/publicdomain/zero/1.0/deed.ja ", "cc0-1.0"),
        ("https://creativecommons.org/publicdomain/mark/1.0", "pdm-1.0"),
        ("https://creativecommons.org/licenses/sampling+/1.0/", "sampling+-1.0"),
        ("https://rightsstatements.org/page/InC-OW-EU/1.0/?language=en", "rightsstatements:InC-OW-EU"),
        ("http://rightsstatements.org/vocab/NoC-US/1.0/", "rightsstatements:NoC-US"),
    ],
)
def test_known_licences(url: str, expected: str) -> None:
    licence = canonical_licence(url)
    assert licence is not None
    assert licence.id == expected
    again = canonical_licence(licence.url)
    assert again == licence


@pytest.mark.parametrize(
    "url",
    [
        "",
        "creativecommons.org/licenses/by/4.0/",
        "ftp://creativecommons.org/licenses/by/4.0/",
        "https://creativecommons.org.evil.example/licenses/by/4.0/",
        "https://evil.example/creativecommons.org/licenses/by/4.0/",
        "https://creativecommons.org@evil.example/licenses/by/4.0/",
        "https://x@creativecommons.org/licenses/by/4.0/",
        "https://creativecommons.org:8080/licenses/by/4.0/",
        "https://creativecommons.org/licenses/by/5.0/",
        "https://creativecommons.org/licenses/by/2.1/",
        "https://creativecommons.org/licenses/by/2.1/de/",
        "https://creativecommons.org/licenses/by/4.0/de/",
        "https://creativecommons.org/licenses/by/4.0/../by-nc/4.0/",
        "https://creativecommons.org/licenses/by-nc-by/4.0/",
        "https://creativecommons.org/licenses/publicdomain/",
        "https://creativecommons.org/publicdomain/zero/2.0/",
        "https://creativecommons.org/licenses/",
        "https://rightsstatements.org/vocab/XXX/1.0/",
        "http://[bad/",
        "https://creativecommons.org:x/",
    ],
)
def test_other_urls_are_no_licence(url: str) -> None:
    assert canonical_licence(url) is None


@given(st.text(max_size=60))
def test_licence_urls_never_raise(text: str) -> None:
    canonical_licence(text)
    assert canonical_licence("https://creativecommons.org/licenses/" + text + "x") is None


# ----------------------------------------------------------------------------------------- bindings


def test_a_licence_link_somewhere_is_recorded_but_binds_nothing() -> None:
    (item,) = evidence(f"<img src=/img/1.jpg><a rel=license href='{CC0}deed.ja'>CC0</a>")
    assert (item.licence, item.licence_url, item.binding) == ("cc0-1.0", CC0, LicenceBinding.UNBOUND)
    assert item.element.startswith('<a rel="license"')
    assert item.institution == "museum.example"
    assert len(item.digest) == 64


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        (
            f"<figure><img src=/img/1.jpg><figcaption><a rel=license href={PDM}>PD</a></figcaption></figure>",
            [("pdm-1.0", LicenceBinding.FIGURE)],
        ),
        (f"<figure><img src=/img/2.jpg><a rel=license href={PDM}>PD</a></figure><img src=/img/1.jpg>", []),
        (
            f"<figure><a rel=license href={PDM}>PD</a><figure><img src=/img/1.jpg></figure></figure>",
            [],
        ),
        (
            f"<figure><img src=/t.jpg srcset='/img/1.jpg 2x'><a rel=license href={PDM}>PD</a></figure>",
            [("pdm-1.0", LicenceBinding.FIGURE)],
        ),
        # A named subject goes before the figure.
        (
            f"<figure about=/img/2.jpg><img src=/img/1.jpg><a rel=license href={PDM}>PD</a></figure>",
            [],
        ),
        (
            f"<figure about=_:b><img src=/img/1.jpg><a rel=license href={PDM}>PD</a></figure>",
            [],
        ),
        (
            f"<div about=/img/1.jpg><a rel=license href={PDM}>PD</a></div>",
            [("pdm-1.0", LicenceBinding.RDFA_ABOUT), ("pdm-1.0", LicenceBinding.RDFA_ABOUT)],
        ),
        (
            f"<div about=/img/1.jpg><span property=cc:license resource={PDM}>PD</span></div>",
            [("pdm-1.0", LicenceBinding.RDFA_ABOUT)],
        ),
        # What hangs on another or an unnamed thing is not said about the named one.
        (f"<div about=/img/1.jpg><p typeof=x><a rel=license href={PDM}>PD</a></p></div>", []),
        (f"<div about=/img/1.jpg><p rel=dc:source><a rel=license href={PDM}>PD</a></p></div>", []),
        (
            f"<p about=/img/2.jpg rel=x resource=/img/1.jpg><b property=license resource={PDM}></b></p>",
            [("pdm-1.0", LicenceBinding.RDFA_ABOUT)],
        ),
        (f"<p about=/img/1.jpg rel=x resource=/img/2.jpg><b property=license resource={PDM}></b></p>", []),
        (
            f"<figure typeof=mw:File><img src=/img/1.jpg><a rel=license href={PDM}>PD</a></figure>",
            [("pdm-1.0", LicenceBinding.FIGURE)],
        ),
        (f"<div about=/img/1.jpg><span property=dc:title content={PDM}></span></div>", []),
        (
            '<script type=application/ld+json>{"@graph": [{"@type": "ImageObject",'
            f'"contentUrl": "/img/1.jpg", "license": "{PDM}"}}]}}</script>',
            [("pdm-1.0", LicenceBinding.CONTENT_URL)],
        ),
        (
            '<script type=application/ld+json>{"contentUrl": "HTTPS://Museum.example:443/img/%31.jpg",'
            f'"license": {{"@id": "{PDM}"}}}}</script>',
            [("pdm-1.0", LicenceBinding.CONTENT_URL)],
        ),
        (f'<script type=application/ld+json>{{"url": "/img/1.jpg", "license": "{PDM}"}}</script>', []),
        (
            "<script type=application/ld+json>"
            f'{{"contentUrl": ["/img/1.jpg", "/img/2.jpg"], "license": "{PDM}"}}</script>',
            [],
        ),
        (f'<script type=application/ld+json>{{"contentUrl": "/img/1.jpg", "license": "{PDM}"</script>', []),
        (
            f"<figure><img src=/img/1.jpg><a rel=license type=application/rsl+xml href={PDM}>r</a></figure>",
            [],
        ),
        (
            "<figure><img src=/img/1.jpg><a rel=license href=/terms>t</a></figure>",
            [("", LicenceBinding.FIGURE)],
        ),
        (
            '<figure><img src=/img/1.jpg><link rel=license type="Application/RSL+xml; charset=utf-8"'
            f" href={PDM}></figure>",
            [],
        ),
        # A figure speaks about its one picture, and only when the markup says where it ends.
        (f"<main><figure><img src=/img/1.jpg><p>x<footer>{LINK}</footer>", []),
        (f"<main><figure><img src=/img/1.jpg></main><footer>{LINK}</footer>", []),
        (f"<figure><img src=/img/1.jpg><img src=/avatar.png>{LINK}</figure>", []),
        (
            f"<figure><img src=/img/1.jpg><video poster=/p.jpg></video>{LINK}</figure>",
            [],
        ),
        (
            f"<figure><img src=/img/1.jpg>{LINK}<figure><img src=/b.jpg></figure></figure>",
            [],
        ),
        (
            f"<figure><img src=/b.jpg><figure><img src=/img/1.jpg>{LINK}</figure></figure>",
            [("cc0-1.0", LicenceBinding.FIGURE)],
        ),
        (
            f"<figure><a href=/img/1.jpg><img src=/t.jpg></a>{LINK}</figure>",
            [("cc0-1.0", LicenceBinding.FIGURE)],
        ),
        (
            "<figure><img src=/blank.gif data-src=/img/1.jpg><noscript><img src=/img/1.jpg></noscript>"
            f"{LINK}</figure>",
            [("cc0-1.0", LicenceBinding.FIGURE)],
        ),
        (
            "<figure><a href=/album><img src=/img/1.jpg></a><a href=/album><img src=/b.jpg></a>"
            f"{LINK}</figure>",
            [],
        ),
        (f"<template><figure><img src=/img/1.jpg>{LINK}</figure></template>", []),
        (f"<figure><img src=/img/1.jpg><template>{LINK}</template></figure>", []),
        (
            f"<figure><img src=/img/1.jpg><template><img src=/b.jpg></template>{LINK}</figure>",
            [("cc0-1.0", LicenceBinding.FIGURE)],
        ),
        (f"<template><p about=/img/1.jpg><b property=license resource={CC0}></b></p></template>", []),
        # `license` of a foreign vocabulary is no licence that we know.
        (f"<div vocab=http://e.example/ about=/img/1.jpg><b property=license resource={CC0}></b></div>", []),
        (f"<div vocab=http://e.example/ about=/img/1.jpg>{LINK}</div>", []),
        (
            "<div prefix='cc: http://e.example/' about=/img/1.jpg>"
            f"<b property=cc:license resource={CC0}></b></div>",
            [],
        ),
        (
            f"<div vocab=https://schema.org/ about=/img/1.jpg><b property=license resource={CC0}></b></div>",
            [("cc0-1.0", LicenceBinding.RDFA_ABOUT)],
        ),
        (f"<!-- <figure><img src=/img/1.jpg><a rel=license href={PDM}>t</a></figure> -->", []),
    ],
)
def test_what_binds_a_licence(markup: str, expected: list[tuple[str, LicenceBinding]]) -> None:
    assert bound(markup) == expected


def test_nothing_is_bound_on_a_page_that_did_not_come_whole() -> None:
    markup = f"<figure><img src=/img/1.jpg><a rel=license href={PDM}>PD</a></figure>{MUSEUM.statement}"
    assert len(bound(markup)) == 2
    assert bound(markup, complete=False) == []


_CC0_IN_FIGURE = f"<figure><img src=/img/1.jpg><a rel=license href={CC0}>CC0</a></figure>"
_NC = f'{{"contentUrl": "/img/1.jpg", "license": "{NC}"}}'


def _script(text: str) -> str:
    return f"<script type=application/ld+json>{text}</script>"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (_NC[:-1] + ",}", "not JSON"),
        (_NC.replace("license", "\\u006cicense")[:-1] + ",}", "not JSON"),
        ("/*<![CDATA[*/" + _NC + "/*]]>*/", "not JSON"),
        (f'["{"x" * 530_000}", {_NC}]', "longer"),
        (f"[{'1,' * 20_000} {_NC}]", "more values"),
        ('{"mainEntity": {"contentUrl": "/img/2.jpg",}}', "not JSON"),
        ('{"usageInfo": "/terms",}', "not JSON"),
    ],
)
def test_beside_structured_data_that_cannot_be_read_nothing_is_evidence(text: str, why: str) -> None:
    markup = _CC0_IN_FIGURE + MUSEUM.statement + _script(text)
    assert bound(markup) == []
    first = evidence(markup)[0]
    assert (first.binding, first.licence) == (LicenceBinding.UNBOUND, "")
    assert first.element.startswith(f"structured data that cannot be read ({why}")


def test_unreadable_data_that_speaks_of_something_else_changes_nothing() -> None:
    assert bound(_CC0_IN_FIGURE + _script('{"@type": "BreadcrumbList",}')) == [
        ("cc0-1.0", LicenceBinding.FIGURE)
    ]


def test_a_raw_tab_does_not_hide_a_contradiction() -> None:
    assert bound(_CC0_IN_FIGURE + _script(_NC[:-1] + ', "name": "a\tb\nc"}')) == [
        ("cc0-1.0", LicenceBinding.FIGURE),
        ("by-nc-nd-4.0", LicenceBinding.CONTENT_URL),
    ]


def test_a_licence_of_another_image_is_not_recorded_with_this_one() -> None:
    markup = (
        f"<figure><img src=/img/1.jpg><a rel=license href={PDM}>a</a></figure>"
        f"<figure><img src=/img/2.jpg><a rel=license href={CC0}>b</a></figure><a rel=license href={CC0}>c</a>"
    )
    assert [(item.licence, item.binding) for item in evidence(markup)] == [
        ("pdm-1.0", LicenceBinding.FIGURE),
        ("cc0-1.0", LicenceBinding.UNBOUND),
    ]


@pytest.mark.parametrize(
    "doubtful",
    [
        f"<figure><img src=/img/1.jpg><img src=/b.jpg><a rel=license href={NC}>t</a></figure>",
        f"<figure><img src=/img/1.jpg><a rel=license href={NC}>t</a>",
        f"<div vocab=http://e.example/ about=/img/1.jpg><b property=license resource={NC}></b></div>",
    ],
)
def test_a_doubtful_statement_is_no_ground_but_still_contradicts(doubtful: str) -> None:
    markup = _script(f'{{"contentUrl": "/img/1.jpg", "license": "{CC0}"}}') + doubtful
    assert {licence for licence, _ in bound(markup)} == {"", "cc0-1.0"}
    assert NC in {item.licence_url for item in evidence(markup)}
    assert {licence for licence, _ in bound(markup.replace(NC, CC0))} == {"cc0-1.0"}
    assert bound(doubtful.replace(NC, CC0)) == []


def test_too_many_statements_bind_nothing() -> None:
    link = f"<a rel=license href={PDM}>PD</a>"
    figure = "<figure><img src=/img/1.jpg>{}</figure>"
    assert bound(figure.format(link * 400))
    assert [licence for licence, _ in bound(figure.format(link * 600))] == [""]


# ------------------------------------------------------------------------------------- institutions

_WORK = "<figure><img src=/img/1.jpg></figure>"


@pytest.mark.parametrize(
    ("markup", "found"),
    [
        (f"{_WORK}<p>No known <i>copyright</i>\n restrictions.", True),
        (f"<img src=/logo.png>{_WORK}<p>No known copyright restrictions", True),
        (f"{_WORK}<p>no known copyright restrictions", False),
        (f"{_WORK}<p>No known copyright restrictionsX", False),
        (f"{_WORK}<p hidden>No known copyright restrictions", False),
        (f"{_WORK}<!-- No known copyright restrictions -->", False),
        (f"{_WORK}<img alt='No known copyright restrictions' src=/x.jpg>", False),
        ("<figure><img src=/img/2.jpg></figure><img src=/img/1.jpg>No known copyright restrictions", False),
        ("<img src=/img/1.jpg><img src=/img/2.jpg>No known copyright restrictions", False),
    ],
)
def test_an_institutions_words_on_the_page_of_the_work(markup: str, found: bool) -> None:
    expected = [("institution", LicenceBinding.INSTITUTION_PAGE)] if found else []
    assert bound(markup) == expected


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Rights: Public Domain", True),
        ("Not on view Public Domain", True),
        ("This work is in the Public Domain. If you use it, credit us", True),
        ("This work is not in the Public Domain", False),
        ("It isn\u2019t Public Domain", False),
        ("Unless in the Public Domain, ask us", False),
        ("Public Domain only in the United States", False),
        ("Public Domain status unknown", False),
        ("Public Domain, except the photograph", False),
        ("Public Domain \u3067\u306f\u3042\u308a\u307e\u305b\u3093", False),
        ("Public Domain</p><p>Our texts are not in the Public Domain", False),
    ],
)
def test_words_that_are_turned_round_are_no_statement(text: str, found: bool) -> None:
    museum = replace(MUSEUM, statement="Public Domain")
    read = page(f"{_WORK}<p>{text}</p>")
    items = PROTOCOL.page_evidence(read, "https://museum.example/img/1.jpg", reading(institutions=(museum,)))
    assert bool(items) is found


def test_the_words_count_on_the_institutions_own_host_only() -> None:
    read = page(_WORK + MUSEUM.statement, url="https://blog.example/works/1")
    image = "https://blog.example/img/1.jpg"
    assert PROTOCOL.page_evidence(read, image, reading(institutions=(MUSEUM,))) == []


def test_statements_of_one_page_do_not_leak_into_the_next() -> None:
    markup = f"<figure><img src=/img/1.jpg><a rel=license href={PDM}>PD</a></figure>"
    first, second = page(markup), page("<figure><img src=/img/1.jpg></figure>")
    assert PROTOCOL.page_evidence(first, IMAGE, reading())
    assert PROTOCOL.page_evidence(second, IMAGE, reading()) == []
    assert PROTOCOL.page_evidence(first, IMAGE, reading())


# --------------------------------------------------------------------------------------- in the bytes


def test_licences_in_xmp() -> None:
    packet = xmp_packet(f'xmpRights:WebStatement="{CC0}deed.en"', f'<cc:license rdf:resource="{CC0}"/>')
    found = PROTOCOL.image_evidence(read_embedded(webp((b"XMP ", packet)), url=IMAGE))
    assert {(item.licence, item.binding, item.source_url) for item in found} == {
        ("cc0-1.0", LicenceBinding.XMP, IMAGE)
    }
    own_page = xmp_packet('xmpRights:WebStatement="https://artist.example/terms"')
    assert PROTOCOL.image_evidence(read_embedded(webp((b"XMP ", own_page)))) == []


def test_xmp_outside_the_structure_or_in_a_cut_file_is_no_evidence() -> None:
    packet = xmp_packet("", f'<cc:license rdf:resource="{CC0}"/>')
    assert PROTOCOL.image_evidence(read_embedded(b"\xff\xd8\xff\xd9" + packet)) == []
    assert PROTOCOL.image_evidence(read_embedded(webp((b"XMP ", packet)), complete=False)) == []
    assert PROTOCOL.image_evidence(read_embedded(webp((b"XMP ", packet))[:-3])) == []


def test_a_crowded_page_is_asked_about_every_image_quickly() -> None:
    figures = "".join(
        f"<figure><img src=/{n}.jpg><a rel=license href={PDM}>l</a></figure>" for n in range(400)
    )
    objects = "".join(
        f'<script type=application/ld+json>{{"contentUrl":"/{n}.jpg","license":"{PDM}"}}</script>'
        for n in range(60)
    )
    read = page(figures + objects + "<img src=/x.jpg>" * 1500)

    def work() -> None:
        for image in read.images:
            PROTOCOL.page_evidence(read, image.url, reading())

    assert cpu_seconds(work, 3.0) < 3.0


# ---------------------------------------------------------------------------- things that markup describes

_MICRO = "<div itemscope itemtype='https://schema.org/ImageObject'{}>{}</div>"
_SHOWN = "<img itemprop=contentUrl src=/img/1.jpg>"


def _verdict(markup: str) -> str:
    policy = Policy("public-domain", frozenset({"pdm", "cc0", "cc0-institution"}), frozenset(), frozenset())
    return basis_decision([], evidence(markup), policy).reason.value


def test_microdata_is_evidence_that_names_its_elements() -> None:
    (item,) = evidence(_MICRO.format("", f"{_SHOWN}<a itemprop=license href='{CC0}deed.ja'>CC0</a>"))
    assert (item.licence, item.licence_url, item.binding) == ("cc0-1.0", CC0, LicenceBinding.CONTENT_URL)
    assert (item.source_url, len(item.digest)) == (URL, 64)
    assert item.element.startswith("<div itemscope")
    assert '<a itemprop="license"' in item.element


@pytest.mark.parametrize(
    "said",
    [
        _MICRO.format("", f"{_SHOWN}<a itemprop=license href={NC}>t</a>"),
        _MICRO.format("", f"{_SHOWN}<a itemprop=acquireLicensePage href=/buy>t</a>"),
        _MICRO.format("", f"{_SHOWN}<b itemprop=license>All rights reserved</b>"),
        _MICRO.format("", f"{_SHOWN}<div itemprop=license itemscope><b itemprop=url>{NC}</b></div>"),
        _MICRO.format(" itemref=r", _SHOWN) + f"<p id=r><a itemprop=license href={NC}>t</a></p>",
        f"<div vocab=https://schema.org/ typeof=ImageObject>{_SHOWN.replace('itemprop', 'property')}"
        f"<a property=license href={NC}>t</a></div>",
        _script(f'{{"contentUrl": ["/img/1.jpg", "/b.jpg"], "license": "{NC}"}}'),
        _script(f'{{"url": "/img/1.jpg", "license": "{NC}"}}'),
        _script('{"contentUrl": "/img/1.jpg", "acquireLicensePage": "/buy"}'),
        _script('{"contentUrl": "/img/1.jpg", "license": {"name": "All rights reserved"}}'),
        _script(f'[{{"@id": "#i", "contentUrl": "/img/1.jpg"}}, {{"@id": "#i", "license": "{NC}"}}]'),
    ],
)
def test_whatever_says_no_to_this_picture_contradicts(said: str) -> None:
    assert _verdict(_CC0_IN_FIGURE) == "public_domain"
    assert _verdict(_CC0_IN_FIGURE + said) == "licence_ambiguous"
    other = said.replace("/img/1.jpg", "/img/2.jpg")
    assert _verdict(_CC0_IN_FIGURE + other) == "public_domain"


def test_names_that_are_not_web_addresses_stay_apart() -> None:
    said = _script(f'[{{"@id": "urn:a", "contentUrl": "/img/1.jpg"}}, {{"@id": "urn:b", "license": "{NC}"}}]')
    assert _verdict(_CC0_IN_FIGURE + said) == "public_domain"


def test_no_for_another_size_of_the_picture_contradicts() -> None:
    figure = _CC0_IN_FIGURE.replace("<img src=/img/1.jpg>", "<img src=/img/1.jpg srcset='/img/1-big.jpg 2x'>")
    assert _verdict(figure) == "public_domain"
    assert _verdict(figure + _script(_NC.replace("1.jpg", "1-big.jpg"))) == "licence_ambiguous"


def test_saying_the_same_twice_is_no_contradiction() -> None:
    markup = (
        f"<figure><img src=/img/1.jpg><a rel=license href={NC}>t</a><a href={NC}deed.en>icon</a></figure>"
        + _script(f'{{"url": "/img/1.jpg", "license": "{NC}"}}')
    )
    assert {licence for licence, _ in bound(markup)} == {"by-nc-nd-4.0"}


@pytest.mark.parametrize(
    "markup",
    [
        "<i itemscope itemprop=url></i>" * 20_001,
        "<b itemprop=license>" * 9 + "</b>" * 9,
        "<i id=a>" * 40 + "<b itemprop=license content=x></b>" + "</i>" * 40 + "<i itemscope itemref=a></i>",
    ],
)
def test_things_beyond_a_limit_leave_the_page_incomplete(markup: str) -> None:
    assert not page(f"<div itemscope>{markup}</div>" if "itemref" not in markup else markup).complete


@pytest.mark.parametrize(
    "unit",
    [
        "<div itemscope>",
        "<div itemscope><a itemprop=license href=x></a>",
        "<b itemprop=license>",
        "<i id=a><b itemprop=url></b></i><i itemscope itemref=a></i>",
        "<div typeof=x property=license>",
        "<figure><img src=/img/1.jpg><a href=//creativecommons.org/licenses/by/4.0/></a></figure>",
        "<script type=application/ld+json>["
        + '{"@id":"a","url":"/1.jpg","license":"b"},' * 500
        + "1]</script>",
    ],
)
def test_a_megabyte_of_things_is_read_quickly(unit: str) -> None:
    markup = unit * (1_000_000 // len(unit))
    assert cpu_seconds(lambda: evidence(markup), 2.0) < 2.0


_PIECES = (
    "<div itemscope itemtype=https://schema.org/ImageObject>",
    "</div>",
    "<div itemscope itemref='a b'>",
    "<p id=a>",
    "</p>",
    "<b itemprop=license>",
    "</b>",
    f"<a itemprop=license href={NC}>",
    "</a>",
    _SHOWN,
    "<div typeof=x about=/img/1.jpg property='license url'>",
    "text",
    "<template>",
    "</template>",
)


@given(st.lists(st.sampled_from(_PIECES), max_size=30))
def test_described_things_never_raise_and_a_no_beside_them_stays(pieces: list[str]) -> None:
    markup = "".join(pieces)
    evidence(markup)
    assert _verdict(markup + "</template>" + _script(_NC)) != "public_domain"


# ------------------------------------------------------------------------------------------ Link headers


def _link(*values: str) -> list[tuple[str, LicenceBinding]]:
    head = ResponseHead(IMAGE, 200, tuple(("Link", value) for value in values), 5.0)
    return [(item.licence, item.binding) for item in PROTOCOL.head_evidence(head)]


def test_a_link_header_of_the_image_states_a_licence() -> None:
    header = LicenceBinding.LINK_HEADER
    assert _link(f"<{CC0}>; rel=license") == [("cc0-1.0", header)]
    assert _link(f'<{CC0}>; rel="license"; anchor="/img/1.jpg"') == [("cc0-1.0", header)]
    assert _link(f"<{CC0}>; rel=license; anchor=/b.jpg") == [("cc0-1.0", LicenceBinding.UNBOUND)]
    assert _link(f"<{CC0}>; rel=license; anchor='http://['") == [("cc0-1.0", LicenceBinding.UNBOUND)]
    assert _link(f"<{CC0}>; rel=next", "</rsl>; rel=license; type=application/rsl+xml", "junk") == []


@pytest.mark.parametrize("broken", ["x <{}>; rel=license", "<{}; rel=license", "<{}>; rel='license"])
def test_a_link_that_cannot_be_read_contradicts_the_others(broken: str) -> None:
    found = _link(f"<{CC0}>; rel=license, {broken.format(NC)}", f"<{CC0}>; rel=license")
    assert ("", LicenceBinding.LINK_HEADER) in found


def test_a_megabyte_of_link_headers_is_read_quickly() -> None:
    for unit in ("rel=", "<a>; rel=license, ", "<", "rel=licence "):
        assert cpu_seconds(lambda unit=unit: _link(unit * (1_000_000 // len(unit))), 1.0) < 1.0


def test_a_rights_field_that_names_a_statement_contradicts_the_licence_beside_it() -> None:
    statement = "http://rightsstatements.org/vocab/InC/1.0/"
    rights = f"<dc:rights xmlns:dc='http://purl.org/dc/elements/1.1/'>{statement}</dc:rights>"
    packet = xmp_packet("", f'<cc:license rdf:resource="{CC0}"/>{rights}')
    found = PROTOCOL.image_evidence(read_embedded(webp((b"XMP ", packet)), url=IMAGE))
    assert {item.licence for item in found} == {"cc0-1.0", "rightsstatements:InC"}
