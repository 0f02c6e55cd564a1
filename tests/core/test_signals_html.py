"""Pages: what is read from markup, what is left out, and that nothing makes it raise or crawl."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kyodaku.errors import CarrierError
from kyodaku.signals.carriers.html import MAX_PAGE_BYTES, HtmlPage, decode_html, parse_html
from kyodaku.signals.carriers.html_reader import (
    MAX_IMAGES,
    MAX_JSON_LD,
    MAX_LINKS,
    MAX_METAS,
    MAX_SOURCES,
    MAX_STATEMENTS,
)
from tests.core.strategies import HTML_TEXT
from tests.tools import cpu_seconds

URL = "https://site.example/dir/page.html"


def page(markup: str | bytes, content_type: str = "text/html; charset=utf-8", url: str = URL) -> HtmlPage:
    return parse_html(markup.encode() if isinstance(markup, str) else markup, content_type, url)


def test_metas_wherever_they_stand_but_not_in_comments_or_scripts() -> None:
    read = page(
        "<!-- <meta name=robots content=a> --><p><META NAME=' Robots ' CONTENT='b'>"
        "<script>'<meta name=robots content=c>'</script><meta http-equiv=X-Robots-Tag content=d>"
        "<textarea><meta name=robots content=e></textarea>"
    )
    assert [(meta.name, meta.http_equiv, meta.content) for meta in read.metas] == [
        ("robots", "", "b"),
        ("", "x-robots-tag", "d"),
    ]
    assert read.metas[0].raw == '<meta name=" Robots " content="b">'


def test_a_meta_below_very_deep_markup_is_still_read() -> None:
    read = page("<div>" * 100_000 + "<meta name=robots content=noai>")
    assert [meta.content for meta in read.metas] == ["noai"]
    assert read.complete


def test_too_many_metas_make_the_page_incomplete() -> None:
    assert not page("<meta name=a>" * (MAX_METAS + 1)).complete


@pytest.mark.parametrize(
    ("element", "limit"),
    [
        ("<img src=a.jpg>", MAX_IMAGES),
        ("<a href=b>", MAX_LINKS),
        ("<script type=application/ld+json>1</script>", MAX_JSON_LD),
        ("<p about=a property=b></p>", MAX_STATEMENTS),
    ],
)
def test_whatever_a_cap_cuts_makes_the_page_incomplete(element: str, limit: int) -> None:
    assert page(element * limit).complete
    assert not page(element * (limit + 1)).complete


@pytest.mark.parametrize("count", [MAX_SOURCES, MAX_SOURCES + 1])
def test_a_picture_with_more_addresses_than_are_kept_makes_the_page_incomplete(count: int) -> None:
    addresses = [f"{n}.jpg {n}w" for n in range(1, count + 1)]
    one = f"<img srcset='{','.join(addresses)}'>"
    many = "<picture>" + "".join(f"<source srcset='{written}'>" for written in addresses) + "</picture>"
    assert page(one).complete is page(many).complete is (count <= MAX_SOURCES)


def test_more_addresses_than_a_page_may_have_make_it_incomplete() -> None:
    crowded = "".join(
        f"<img srcset='{','.join(f'/{n}-{m}.jpg {m}w' for m in range(50))}'>" for n in range(401)
    )
    assert not page(crowded).complete


@pytest.mark.parametrize(
    ("markup", "kind"),
    [
        ("<picture><source srcset='x.jpg 1x'></picture>", "img"),
        ("<picture><img><source srcset='x.jpg 1x'></picture>", "img"),
        ("<video poster=x.jpg></video>", "img"),
        ("<input type=IMAGE src=x.jpg>", "img"),
        ("<svg><image href=x.jpg></svg>", "img"),
        ("<svg><image xlink:href=x.jpg /></svg>", "img"),
        ("<svg><filter><feImage href=x.jpg /></filter></svg>", "img"),
        ("<image src=x.jpg>", "img"),
        ("<object type=image/png data=x.jpg></object>", "img"),
        ("<object data=x.jpg?1></object>", "img"),
        ("<embed src=x.jpg>", "img"),
        ("<amp-img src=x.jpg></amp-img>", "img"),
        ("<amp-img srcset='x.jpg 2x'></amp-img>", "img"),
        ("<noscript><img src=x.jpg></noscript>", "img"),
        ("<template><img src=x.jpg></template>", "link"),
        ("<template><picture><source srcset='x.jpg 1x'></picture></template>", "link"),
        ("<template shadowrootmode=open><img src=x.jpg></template>", "img"),
        ("<link rel=preload as=image href=x.jpg>", "link"),
        ("<link rel=preload as=image imagesrcset='x.jpg 100w'>", "link"),
        ("<link rel=image_src href=x.jpg>", "meta"),
        ("<meta name=twitter:image content=x.jpg>", "meta"),
        ("<meta property=twitter:image:src content=x.jpg>", "meta"),
    ],
)
def test_every_way_to_show_or_name_a_picture_is_noticed(markup: str, kind: str) -> None:
    (image,) = page(markup).images
    assert {source.url.partition("?")[0].rpartition("/")[2] for source in image.candidates} == {"x.jpg"}
    assert image.kind == kind


@pytest.mark.parametrize(
    "markup",
    [
        "<input src=x.jpg>",
        "<object data=x.pdf></object>",
        "<link rel=preload as=font href=x.woff>",
        "<video>",
    ],
)
def test_what_is_no_picture(markup: str) -> None:
    assert page(markup).images == ()


def test_a_picture_that_is_only_named_does_not_change_what_the_page_is_about() -> None:
    read = page("<link rel=preload as=image href=hero.jpg><figure><img src=a.jpg></figure>")
    assert read.main_image == "https://site.example/dir/a.jpg"


def test_a_page_longer_than_the_cap_is_incomplete() -> None:
    assert not page(b"a" * (MAX_PAGE_BYTES + 1)).complete
    assert page(b"a" * 100).complete


def test_largest_of_a_srcset_and_the_others_kept() -> None:
    (image,) = page(
        "<img src=s.jpg srcset='a.jpg 100w, /b,c.jpg 900w , d.jpg 300w' alt=' A\n cat ' width=30 height=20px>"
    ).images
    assert image.url == "https://site.example/b,c.jpg"
    assert {source.url.rpartition("/")[2]: source.width for source in image.candidates} == {
        "a.jpg": 100,
        "b,c.jpg": 900,
        "d.jpg": 300,
        "s.jpg": 0,
    }
    assert (image.alt, image.width, image.height, image.kind) == ("A cat", 30, 20, "img")


@pytest.mark.parametrize(
    ("markup", "name"),
    [
        ("<img src=a.jpg srcset='b.jpg 2x, c.jpg 3x, d.jpg'>", "c.jpg"),
        ("<img src=data:image/gif;base64,R0 data-src=a.jpg>", "a.jpg"),
        ("<img src=placeholder.gif data-original=a.jpg>", "a.jpg"),
        ("<img src=placeholder.gif data-lazy-src=a.jpg data-full-src=b.jpg>", "b.jpg"),
        ("<img src=a.jpg data-srcset='b.jpg 400w, c.jpg 800w'>", "c.jpg"),
        ("<picture><source srcset='a.webp 400w, b.webp 1200w'><img src=c.jpg></picture>", "b.webp"),
        ("<img srcset='a.jpg, b.jpg 1.5x'>", "b.jpg"),
        ("<img src=a.jpg srcset='b.jpg 99999999999999w, c.jpg -3w'>", "b.jpg"),
    ],
)
def test_which_address_of_a_picture_is_taken(markup: str, name: str) -> None:
    (image,) = page(markup).images
    assert image.url == f"https://site.example/dir/{name}"


@pytest.mark.parametrize(
    "markup",
    [
        "<img>",
        "<img src=''>",
        "<img src=data:x>",
        "<img src=javascript:x>",
        "<img src='http://[bad'>",
        "<img src=ftp://a/b>",
    ],
)
def test_a_picture_without_a_web_address_is_none(markup: str) -> None:
    assert page(markup).images == ()


def test_figures_captions_and_links_stay_together() -> None:
    read = page(
        "<figure><a href=/big.JPG?x=1 rel=nofollow><img src=t.jpg alt=thumb></a>"
        "<figcaption>The <b>cat</b></figcaption></figure><figure><img src=u.jpg></figure><img src=v.jpg>"
    )
    linked, thumb, other, outside = read.images
    assert (linked.url, linked.kind, linked.alt) == ("https://site.example/big.JPG?x=1", "link", "thumb")
    assert linked.nofollow
    assert thumb.nofollow
    assert thumb.link_href == linked.url
    assert thumb.figcaption == linked.figcaption == "The cat"
    assert (thumb.figure, other.figure, outside.figure) == (0, 1, -1)
    assert [image.position for image in read.images] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("markup", "closed"),
    [
        ("<figure></figure>", [True]),
        ("<FIGURE class='a>b'></FIGURE >", [True]),
        ("<figure>", [False]),
        ("<main><figure></main><figure></figure>", [False, True]),
        ("<figure><figure></figure>", [False, True]),
        ("<figure><!-- </figure> -->", [False]),
        ("<figure><!--></figure>", [True]),
        ("<figure title='</figure>'>", [False]),
        ("<figure title=it's></figure>", [True]),
        ("<figure><script>'</figure>'</script>", [False]),
        ("<figure><textarea></figure></textarea>", [False]),
        ("<figure></figures>", [False]),
        ("<figcaption></figcaption><figure><p>a < b</figure>", [True]),
        ("<style><figure></style><figure></figure>", [True]),
    ],
)
def test_which_figures_the_markup_ends(markup: str, closed: list[bool]) -> None:
    assert [figure.closed for figure in page(markup).figures] == closed


def test_figures_inside_figures() -> None:
    read = page("<figure><figure></figure><template><figure></figure></template></figure><figure></figure>")
    assert [figure.parent for figure in read.figures] == [-1, 0, -1, -1]
    assert all(figure.closed for figure in read.figures)


def test_a_template_shows_nothing_but_may_refuse() -> None:
    read = page(
        "<template><base href=//evil.example/><title>t</title><meta name=robots content=noai>"
        "<script type=application/ld+json>{}</script><p about=a.jpg property=license>x</p>"
        "<a rel=license href=l>l</a></template><img src=a.jpg>"
    )
    assert [meta.content for meta in read.metas] == ["noai"]
    assert (read.title, read.json_ld, read.rdfa, read.base_url) == ("", (), (), URL)
    assert [(link.inert, link.figure) for link in read.links] == [(True, -1)]
    assert read.main_image == "https://site.example/dir/a.jpg"


@pytest.mark.parametrize(
    ("attributes", "written", "predicate"),
    [
        ("", "license", "license"),
        ("vocab=https://schema.org/", "license", "https://schema.org/license"),
        ("vocab=http://schema.org", "license", "http://schema.org/license"),
        ("vocab=http://e.example/ns#", "license", "http://e.example/ns#license"),
        ("vocab=''", "license", "license"),
        ("vocab=http://e.example/", "cc:license", "cc:license"),
        ("prefix='x: http://x.example/ CC: http://e.example/'", "cc:license", "http://e.example/license"),
        ("xmlns:cc=http://e.example/", "cc:license", "http://e.example/license"),
        ("prefix='cc: http://e.example/ cc'", "dc:title", "dc:title"),
    ],
)
def test_terms_and_prefixes_mean_what_the_page_declares(
    attributes: str, written: str, predicate: str
) -> None:
    inner = f"<p about=a.jpg property={written} content=x></p>"
    read = page(f"<div {attributes}>{inner}</div>{inner}")
    assert [triple.predicate for triple in read.rdfa] == [predicate, written]


def test_og_image_and_base() -> None:
    read = page(
        "<base href='https://cdn.example/x/'><meta property=og:image content=o.jpg>"
        "<link rel=image_src href=p.jpg><a href='q.html#part'>q</a>"
    )
    assert [(image.url, image.kind) for image in read.images] == [
        ("https://cdn.example/x/o.jpg", "meta"),
        ("https://cdn.example/x/p.jpg", "meta"),
    ]
    assert [link.href for link in read.links if link.tag == "a"] == ["https://cdn.example/x/q.html"]


def test_visible_text_only() -> None:
    read = page(
        "<title>T</title><style>s</style><p>No known <a href=x>copy<b>right</b></a> restrictions"
        "<div>next</div><noscript>n</noscript><template>t</template>"
        "<p hidden>h</p><p style='display: none'>d</p>after"
    )
    assert read.text == "No known copyright restrictions next after"
    assert read.title == "T"


def test_links_with_their_licence_context() -> None:
    (link,) = page(
        "<figure><div about=a.jpg>"
        "<a rel='License nofollow' href='//l.example/' type=Text/HTML>CC <i>BY</i></a></div>"
    ).links
    assert link.rel == ("license", "nofollow")
    assert (link.href, link.type, link.text, link.figure) == ("https://l.example/", "text/html", "CC BY", 0)
    assert link.about == "https://site.example/dir/a.jpg"
    assert link.raw.startswith('<a rel="License nofollow"')
    assert link.raw.endswith("CC BY</a>")


def test_json_ld_good_and_bad() -> None:
    good, bad, deep = page(
        '<script type="application/ld+json">{"a": "</p>"}</script>'
        '<script type="application/LD+JSON; x=y">{"a":</script>'
        f"<script type=application/ld+json>{'[' * 20_000}</script>"
        "<script>{}</script>"
    ).json_ld
    assert good.value == {"a": "</p>"}
    assert (bad.value, bad.error) == (None, "not JSON: JSONDecodeError")
    assert deep.value is None
    assert deep.error


def test_a_name_that_comes_twice_in_json_keeps_both_values() -> None:
    (block,) = page('<script type=application/ld+json>{"license": "a", "license": "b"}</script>').json_ld
    assert block.value == {"license": ["a", "b"]}


def test_rdfa_statements_about_named_things() -> None:
    read = page(
        "<p property=dc:title>outside</p><div about='/a.jpg'><span property='dc:title'>Cat</span>"
        "<a rel='cc:license' href='https://l.example/x'>l</a></div>"
        "<div typeof=ImageObject resource=/b.jpg><meta property=license content=https://l.example/y></div>"
    )
    assert [(t.subject.rpartition("/")[2], t.predicate, t.object) for t in read.rdfa] == [
        ("a.jpg", "dc:title", "Cat"),
        ("a.jpg", "cc:license", "https://l.example/x"),
        ("b.jpg", "license", "https://l.example/y"),
    ]


_ONE = "<figure><img src=a.jpg></figure>"


@pytest.mark.parametrize(
    ("markup", "main"),
    [
        (_ONE, "a.jpg"),
        ("<img src=logo.png>" + _ONE, "a.jpg"),
        ("<img src=a.jpg>", "a.jpg"),
        ("<img src=a.jpg><img src=b.jpg>", None),
        ("", None),
        (_ONE + "<figure><img src=b.jpg></figure>", None),
        (
            "<figure><img src=a.jpg width=100 height=80></figure>"
            "<figure><img src=b.jpg width=9 height=9></figure>",
            "a.jpg",
        ),
        ("<meta property=og:image content=a.jpg>" + _ONE, "a.jpg"),
        ("<meta property=og:image content=z.jpg>" + _ONE, None),
        ("<meta property=og:image content=a.jpg><meta property=og:image content=b.jpg>", None),
        ("<meta property=og:image content=s.jpg><img src=s.jpg srcset='s.jpg 1x, big.jpg 2x'>", "big.jpg"),
        ("<figure><a href=full.jpg><img src=t.jpg></a></figure>", "full.jpg"),
        (
            '<script type=application/ld+json>{"mainEntity": {"contentUrl": "a.jpg"}}</script>'
            "<img src=logo.png><img src=a.jpg>",
            "a.jpg",
        ),
        ('<script type=application/ld+json>{"mainEntity": {"image": "z.jpg"}}</script>' + _ONE, None),
    ],
)
def test_main_image_is_the_plain_one_or_none(markup: str, main: str | None) -> None:
    read = page(markup)
    assert read.main_image == (None if main is None else f"https://site.example/dir/{main}")
    assert (read.main_family == ()) is (main is None)


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("é".encode(), "", "é"),
        ("é".encode("latin-1"), "", "é"),
        ("é".encode("latin-1"), "text/html; charset=ISO-8859-1", "é"),
        ("日本".encode("cp932"), "text/html; charset=Shift_JIS", "日本"),
        (b"<meta charset=euc-jp>" + "日本".encode("euc_jp"), "", "<meta charset=euc-jp>日本"),
        ("日本".encode("utf-16"), "text/html", "日本"),
        (b"\xef\xbb\xbfa", "text/html; charset=euc-jp", "a"),
        (b"a\x00b", "", "a\ufffdb"),
        (b"<meta charset=utf-16>ok", "", "<meta charset=utf-16>ok"),
        (b"<meta charset=idna>ok", "", "<meta charset=idna>ok"),
        (b"\xff\xfeab", "", "\u6261"),
        (b"<meta name=a>", "text/html; charset=utf-16", "<meta name=a>"),
        (b"ok", "text/html; charset=no-such", "ok"),
    ],
)
def test_decoding(body: bytes, content_type: str, text: str) -> None:
    assert decode_html(body, content_type) == text


def test_page_wide_nofollow() -> None:
    assert page("<meta name=robots content='index, nofollow'>").nofollow
    assert page("<meta name=robots content=NONE>").nofollow
    assert not page("<meta name=robots content=noindex>").nofollow


@given(st.one_of(st.binary(max_size=400), HTML_TEXT.map(lambda text: text.encode("utf-8", "replace"))))
@settings(max_examples=300)
def test_no_bytes_make_it_raise_anything_but_a_carrier_error(body: bytes) -> None:
    try:
        read = parse_html(body, "text/html", URL)
    except CarrierError:
        return
    assert all(image.url.startswith(("http://", "https://")) for image in read.images)
    assert all(link.href.startswith(("http://", "https://")) for link in read.links)


_HOSTILE = {
    "deep": b"<div>" * 200_000,
    "bold": b"<b>" * 330_000,
    "links": b"<a href=x>" * 100_000,
    "pictures": b"<img src=x.jpg>" * 66_000,
    "srcset": b"<img srcset='" + b"a 1w," * 200_000 + b"'>",
    "srcsets": (b"<img srcset='" + b"a1,b2," * 32 + b"'>") * 4_900,
    "figures": b"<figure><figcaption>" * 50_000,
    "closed figures": b"<figure><img src=x.jpg></figure>" * 31_000,
    "figure and quotes": b"<figure>" + b"<a href='" * 110_000,
    "figure and equals": b"<figure>" + b"<a =" * 250_000,
    "figure and comments": b"<figure>" + b"<!--" * 250_000,
    "figure and scripts": b"<figure>" + b"<script></script" * 60_000,
    "figure and titles": b"<figure>" + b"<title></title>" * 66_000,
    "figure and names": b"<figure>" + b"<a" * 500_000,
    "templates": b"<template><figure><img srcset='a 1w'>" * 27_000,
    "vocabularies": b"<p vocab=a prefix='cc: a' about=x property=y>" * 22_000,
    "prefixes": b"<p prefix='" + b"cc: a " * 160_000 + b"'>",
    "labels": b"<span about=x property=y>t" * 38_000,
    "metas": b"<meta name=robots content=a>" * 35_000,
    "json": b"<script type=application/ld+json>" + b'{"a":' * 200_000,
    "scripts": b"<script type=application/ld+json>[]</script>" * 22_000,
    "attributes": b"<div " + b"a=b " * 250_000,
    "comments": b"<!--" * 250_000,
    "text": b"a " * 500_000,
    "style": b"<p style='" + b"display:" * 125_000 + b"'>",
    "styles": b"<p style='display:  '>" * 45_000,
    "quotes": b"<a href='" * 110_000,
    "licences": b"<a rel=license href=x>" * 45_000,
    "charset": b"<meta" * 200_000,
    "base": b"<base href=x>" * 76_000,
}


@pytest.mark.parametrize("name", _HOSTILE)
def test_a_megabyte_of_anything_takes_about_a_second(name: str) -> None:
    assert cpu_seconds(lambda: page(_HOSTILE[name]), 1.0) < 1.0
