"""Response heads and pages made to hurt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from tests.core.adversaries.base import Adversary, filled
from tests.core.worlds import RSL, World

# ------------------------------------------------------------------------------------------- headers

_HEADERS_NO = (
    ("Content-Usage", "train-ai=n"),
    ("Content-Signal", "ai-train=no"),
    ("X-Robots-Tag", "noai"),
    ("tdm-reservation", "1"),
)
_HEADER_AIMED = {"Link": ("c2pa", "licence", "rsl"), "Rating": ("content-rating",)}
_HEADERS_HEARD = ("aipref", "content-signal", "x-robots-tag", "tdmrep")
_HEADER_NAMES = (
    "Content-Usage",
    "Content-Signal",
    "X-Robots-Tag",
    "Link",
    "tdm-reservation",
    "tdm-policy",
    "Rating",
)
HEADER_PIECES: dict[str, str] = {
    "letters": "a",
    "commas": ",",
    "semicolons": ";",
    "equals": "a=",
    "brackets": "(",
    "quotes": '"',
    "escapes": '\\"',
    "spaces": " ",
    "members": "train-ai=y,",
    "labels": "train-ai = ( ",
    "signals": "ai-train=yes, ",
    "rules": "a:b,",
    "agents": "otherbot: index, ",
    "dates": "unavailable_after: 1 Jan 2030, ",
    "links": "<a>;rel=license,",
    "link ends": "<a>;",
    "licences": "</l>;rel=license;type=application/rsl+xml,",
    "half licences": "rel = licens ",
    "manifests": '<a>;rel="c2pa-manifest ',
    "parameters": ";a=b",
    "zeros": "0,",
    "words": "no-",
    "wide letters": "\u00ef\u00bc\u00a1",
}
#: A response head is not longer than this, whoever fetches it.
HEAD_LIMIT = 64 * 1024


def _header(name: str, piece: str, fields: bool) -> Callable[[int], World]:
    def build(size: int) -> World:
        value = filled(piece, min(size, HEAD_LIMIT)).decode()
        step = 200 if fields else len(value)
        split = tuple((name, value[at : at + step]) for at in range(0, len(value), step))
        return World(page_headers=(*split, *_HEADERS_NO), image_headers=(*split, *_HEADERS_NO))

    return build


# -------------------------------------------------------------------------------------------- markup

_HTML_NO = (
    '<meta name="robots" content="noai"><meta name="tdm-reservation" content="1">'
    '<meta name="copyright" content="no AI training"><meta name="generator" content="Mastodon">'
    f'<script type="application/rsl+xml"><rsl xmlns="{RSL}"><content url="/"><license>'
    '<prohibits type="usage">all</prohibits></license></content></rsl></script><p>#NoBot</p>'
)
_HTML_HEARD = ("meta-robots", "tdmrep", "rights-text", "rsl", "platform-conventions")
_HTML_AIMED = ("licence", "declarations", "content-rating")
#: What a page is filled with; (piece, whether what stands behind it is still markup).
HTML: dict[str, tuple[str, bool]] = {
    "metas": ("<meta name=robots content=index>", True),
    "metas of rights": ("<meta name=copyright content='no a'>", True),
    "metas of tdm": ("<meta name=tdm-reservation content=0>", True),
    "metas of policies": ("<meta name=tdm-policy content=/p>", True),
    "metas of ratings": ("<meta name=rating content=a>", True),
    "metas of codes": ("<meta name=a content=ISCC:AAAAAAAAA>", True),
    "metas of pictures": ("<meta property=og:image content=/a.jpg>", True),
    "links of originators": ("<link rel=originator-profile href=/o>", True),
    "descriptions": ("<meta name=description content='#no_bo'>", True),
    "links": ("<link rel=license href=/l>", True),
    "licences": ("<link rel=license type=application/rsl+xml href=/license.xml>", True),
    "anchors": ("<a rel=license href=/l>l</a>", True),
    "open anchors": ("<a href=/l>", True),
    "images": ("<img src=/art/cat.jpg>", True),
    "other images": ("<img src=a srcset='a 1x, b 2x, c 3x'>", True),
    "figures": ("<figure><img src=/art/cat.jpg></figure>", True),
    "open figures": ("<figure>", True),
    "pictures": ("<picture><source srcset=a>", True),
    "divisions": ("<div>", True),
    "spans": ("<span hidden>", False),
    "ends": ("</b>", True),
    "tables": ("<table><td>", True),
    "forms": ("<b><i><u>", True),
    "brackets": ("<", True),
    "brackets that end": (">", True),
    "entities": ("&amp;", True),
    "letters": ("&#120;", True),
    "half entities": ("&", True),
    "comments": ("<!---->", True),
    "instructions": ("<?a?>", True),
    "declarations": ("<!a>", True),
    "text": ("no a", True),
    "tags in words": ("#no", True),
    "json-ld": ('<script type=application/ld+json>{"a":[1]}</script>', True),
    "open json-ld": ("<script type=application/ld+json>", False),
    "rsl": ("<script type=application/rsl+xml><rsl></script>", True),
    "scripts": ("<script>x</script>", True),
    "templates": ("<template><a rel=license href=/l></a></template>", True),
    "rdfa": ("<div about=/art/cat.jpg><a rel=license href=/l>l</a></div>", True),
    "open rdfa": ("<div about=/a property=license>", True),
    "prefixes": ("<p prefix='cc: http://creativecommons.org/ns#'>", True),
    "vocabularies": ("<p vocab=http://schema.org/>", True),
    "things": ("<p itemscope><a itemprop=license href=/l></a></p>", True),
    "open things": ("<p itemscope itemprop=license>", True),
    "references": ("<p itemscope itemref=a id=a>", True),
    "ids": ("<p id=a><i itemprop=license>x</i></p>", True),
    "attributes": ("<p a b c d>", True),
    "titles": ("<title>x</title>", True),
    "bases": ("<base href=/x>", True),
}


def _html(piece: str) -> Callable[[int], World]:
    return lambda size: World(html=filled(piece, size - len(_HTML_NO)).decode() + _HTML_NO)


def _json_ld(inside: Callable[[int], str]) -> Callable[[int], World]:
    def build(size: int) -> World:
        text = inside(size - 200)
        return World(html=f"<script type=application/ld+json>{text}</script><img src=/art/cat.jpg>{_HTML_NO}")

    return build


def _one_tag(before: str, piece: str, after: str) -> Callable[[int], World]:
    return lambda size: World(html=before + filled(piece, size - 300).decode() + after + _HTML_NO)


def _ids(count: int) -> str:
    things = "".join(
        f"<p id=i{n} itemscope itemref='{' '.join(f'i{m}' for m in range(n, n + 20))}'>" for n in range(count)
    )
    return things + "<a itemprop=license href=/l>"


def named() -> Iterator[tuple[str, Adversary]]:
    """All of these, by name."""
    for header in _HEADER_NAMES:
        for name, piece in HEADER_PIECES.items():
            aimed = _HEADER_AIMED.get(header, ())
            for fields, kind in ((False, header), (True, f"{header} in fields")):
                yield f"{kind}: {name}", Adversary(_header(header, piece, fields), _HEADERS_HEARD, aimed)
    for name, (piece, heard) in HTML.items():
        yield f"html: {name}", Adversary(_html(piece), _HTML_HEARD if heard else (), _HTML_AIMED)
    for name, build in _PAGES.items():
        yield f"html: {name}", Adversary(build, (), _HTML_AIMED)


def _things(piece: str) -> Callable[[int], World]:
    return _json_ld(lambda size: "[" + filled(piece, size).decode() + "{}]")


#: Pages that are no repetition of one piece.
_PAGES: Mapping[str, Callable[[int], World]] = {
    "json-ld nesting": _json_ld(lambda size: "[" * size),
    "json-ld objects": _json_ld(lambda size: '{"a":' * (size // 5)),
    "json-ld things": _things('{"@id":"#a","license":"https://creativecommons.org/licenses/by/4.0/"},'),
    "json-ld names": _things('{"@id":"#a","contentUrl":"/art/cat.jpg","url":"/b"},'),
    "json-ld notices": _things('{"copyrightNotice":"no a","contentUrl":"/art/cat.jpg"},'),
    "json-ld entities": _things('{"mainEntity":{"image":"/art/cat.jpg"}},'),
    "json-ld words": _json_ld(lambda size: '{"copyrightNotice":"' + "no a " * (size // 5) + '"}'),
    "json-ld escapes": _json_ld(lambda size: '{"copyrightNotice":"' + "\\u0061" * (size // 6) + '"}'),
    "json-ld contexts": _json_ld(lambda size: '{"@context":[' + '{"a":"b"},' * (size // 10) + "{}]}"),
    "one meta": _one_tag('<meta name=robots content="', "no ", '">'),
    "one meta of rules": _one_tag('<meta name=robots content="', "a:b,", '">'),
    "one meta of rights": _one_tag('<meta name=copyright content="', "no ai without ", '">'),
    "one meta of ratings": _one_tag('<meta name=rating content="', "RTA-5042-", '">'),
    "one name": _one_tag('<meta name="', "no-image-", '" content=x>'),
    "one srcset": _one_tag('<img src=/art/cat.jpg srcset="', "a 1x,", '">'),
    "one srcset of commas": _one_tag('<img src=/art/cat.jpg srcset="', ", ", '">'),
    "one relation": _one_tag('<a href=/l rel="', "license ", '">'),
    "one prefix": _one_tag('<p prefix="', "cc: a ", '">'),
    "one property": _one_tag('<p itemscope><i itemprop="', "license ", '">'),
    "one style": _one_tag('<p style="', "display :", '">'),
    "one address": _one_tag('<a href="', "../", '">'),
    "one comment": _one_tag("<!--", "--!", "-->"),
    "one open comment": _one_tag("<!--", "-", ""),
    "one open tag": _one_tag("<figure ", "a='b' ", ""),
    "one open quote": _one_tag("<figure a='", "<figure>", ""),
    "open scripts": _one_tag("<figure>", "<script>", ""),
    "another charset": _one_tag("<meta charset=shift_jis>", "\u00e9", ""),
    "charsets": _one_tag("<meta ", "charset ", ">"),
    "things that refer": lambda size: World(html=_ids(size // 120)),
    "attributes of one tag": lambda size: World(
        html="<figure " + " ".join(f"a{n}=b" for n in range(size // 10)) + ">" + _HTML_NO
    ),
    "license words": _json_ld(lambda size: '{"license":' * (size // 11)),
}
