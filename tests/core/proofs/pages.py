"""Proofs of the protocols that read headers, markup and the documents that these name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from hypothesis import strategies as st

from tests.core.proofs.changes import Change, Proof, header, markup, packet, robots_line
from tests.core.proofs.host_files import STATUSES, TDM_FILE, TDM_PATH, files, tdm_entry, texts
from tests.core.strategies import webp, xmp_packet
from tests.core.worlds import IMAGE, ORIGIN, RSL, RSL_URL, World

_TEXT = st.text("ab cé&;", max_size=8)


def pages(fragments: Sequence[str], size: int = 5) -> st.SearchStrategy[str]:
    """Whole elements, each on a line of its own."""
    return st.lists(st.one_of(st.sampled_from(fragments), _TEXT), max_size=size).map("\n".join)


def fields(pairs: Sequence[tuple[str, str]]) -> st.SearchStrategy[tuple[tuple[str, str], ...]]:
    """Some header fields."""
    return st.lists(st.sampled_from(pairs), max_size=3).map(tuple)


# ------------------------------------------------------------------------------- robots directives

_TAGS = (
    "noai",
    "index, follow",
    "otherbot: noai, index",
    "GPTBot: index",
    "all",
    "unavailable_after: 1 Jan 2020, all",
    "unavailable_after: 25 Jun 2027 15:00:00 PST",
    "max-snippet: 5, noindexx",
    "max-image-preview:none",
    "",
)
_NO_AI = (
    "noai",
    "noimageai",
    "NOAI",
    "index, noai",
    "noindex",
    "none",
    "no ai",
    "noarchive",
    "kyodaku: noai",
    "GPTBot: noindex",
    "max-snippet: 5, noai",
    "unavailable_after: 1 Jan 2020 00:00:00 GMT",
    "noai; index",
)
X_ROBOTS_TAG = Proof(
    st.builds(
        World,
        page_headers=fields([("X-Robots-Tag", tag) for tag in _TAGS]),
        image_headers=fields([("x-robots-tag", tag) for tag in _TAGS]),
    ),
    {"header": header("X-Robots-Tag", _NO_AI)},
    silent="no directive grants",
)

_META_NAMES = ("robots", "Kyodaku", "GPTBot", "ROBOTS", "x-robots-tag")
META_ROBOTS = Proof(
    st.builds(
        World,
        html=pages(
            [
                *[f'<meta name="{name}" content="{tag}">' for name in ("robots", "other") for tag in _TAGS],
                '<img src="/art/cat.jpg">',
                "<!-- x -->",
                "<div></div>",
            ]
        ),
    ),
    {
        "name": markup(*[f'<meta name="{name}" content="{tag}">' for name in _META_NAMES for tag in _NO_AI]),
        "order": markup(*[f"<META content='{tag}' NAME=robots>" for tag in _NO_AI]),
        "http-equiv": markup(*[f'<meta http-equiv="X-Robots-Tag" content="{tag}">' for tag in _NO_AI]),
        "the word as a name": markup('<meta name="noai">', '<meta name="noimageai" content="true">'),
    },
    silent="no directive grants",
)

# ------------------------------------------------------------------------------------------- TDMRep

_TDM_HEADERS = (
    ("tdm-reservation", "0"),
    ("TDM-Reservation", "1"),
    ("tdm-reservation", "2"),
    ("tdm-reservation", "0, 0"),
    ("tdm-policy", "/p.json"),
)
_TDM_METAS = (
    '<meta name="tdm-reservation" content="0">',
    '<meta name="tdm-reservation" content="x">',
    '<meta name="tdm-policy" content="/p.json">',
    '<img src="/art/cat.jpg">',
)
_TDM_XMP = [
    f'xmlns:tdm="{space}" tdm:reservation="{value}"'
    for space in ("http://www.w3.org/ns/tdmrep/", "https://www.w3.org/ns/tdmrep#")
    for value in ("1", " 1 ", "true")
]
TDMREP = Proof(
    st.builds(
        World,
        files=files(tdmrep=TDM_FILE),
        statuses=STATUSES,
        page_headers=fields(_TDM_HEADERS),
        image_headers=fields(_TDM_HEADERS),
        html=pages(_TDM_METAS),
        image=st.sampled_from([b"", webp((b"XMP ", xmp_packet('xmlns:tdm="http://www.w3.org/ns/tdmrep/"')))]),
        document=st.just(b"{}"),
        url=st.sampled_from([IMAGE, ORIGIN + "/art/../art/cat.jpg"]),
    ),
    {
        "file": tdm_entry,
        "header": header("tdm-reservation", ("1", " 1 ", '"1"', "true", "1;x")),
        "meta": markup(
            '<meta name="tdm-reservation" content="1">',
            '<meta content="true" name="TDM-Reservation">',
            '<meta property="tdm:reservation" content="1">',
            '<meta http-equiv="tdm-reservation" content="1">',
        ),
        "xmp": packet(*[xmp_packet(attributes) for attributes in _TDM_XMP]),
    },
    (
        World(files={TDM_PATH: b'[{"location": "/", "tdm-reservation": 0}]'}),
        World(
            files={
                TDM_PATH: b'[{"location":"/x","tdm-reservation":1},{"location":"/art/*","tdm-reservation":0}]'
            }
        ),
        World(image_headers=(("tdm-reservation", "0"),)),
    ),
    (
        World(files={TDM_PATH: b'[{"location": "/", "tdm-policy": "/p.json"}]'}, document=b"{}"),
        World(page_headers=(("tdm-policy", "/p.json"),), document=b"{}"),
        World(image_headers=(("tdm-policy", "/p.json"),), document=b"{}"),
    ),
)

# ---------------------------------------------------------------------------------------------- RSL

_TYPE = "application/rsl+xml"
_YES = '<license><permits type="usage">ai-train</permits><payment type="free"/></license>'
_PROHIBITS = (
    '<prohibits type="usage">ai-train</prohibits>',
    '<prohibits type="usage">all</prohibits>',
    "<prohibits>ai</prohibits>",
    '<prohibits type="usage">search ai-all</prohibits>',
)
_CONTENT = '<content url="/">'
_RSL_PARTS = (
    '<content url="/">' + _YES + "</content>",
    '<content url="/art/*.jpg$">' + _YES + "</content>",
    '<content url="/art/"><license><permits type="usage">search</permits></license></content>',
    '<content url="/other">' + _YES + "</content>",
    '<content url="/"><license/></content>',
    '<content url="/" server="https://l.example">' + _YES + "</content>",
    "<content>" + _YES + "</content>",
    "<x/>",
)
_DOCUMENTS = st.one_of(
    st.lists(st.sampled_from(_RSL_PARTS), max_size=3).map(
        lambda parts: f'<rsl xmlns="{RSL}">{"".join(parts)}</rsl>'
    ),
    st.sampled_from(["", "<rsl>", f'<rsl xmlns="{RSL}">{_CONTENT}</rsl>', "<!DOCTYPE r []><r/>"]),
)
NO_URL = ORIGIN + "/no.xml"


def _rsl(inside: str) -> str:
    return f'<rsl xmlns="{RSL}"><content url="/">{inside}</content></rsl>'


_NO_DOCUMENTS = {NO_URL: _rsl(f"<license>{_PROHIBITS[0]}</license>").encode()}


def _prohibited(world: World, dice: Random) -> World:
    """A prohibition in every licence, or a further content that prohibits."""
    text, no = world.document.decode(), dice.choice(_PROHIBITS)
    if not text:
        world, text = replace(world, html=f"{world.html}\n{_RSL_LINK}"), f'<rsl xmlns="{RSL}"></rsl>'
    if "<license>" in text and dice.random() < 0.5:
        end = dice.choice(("<license>", "</license>"))
        text = text.replace(end, f"{end}{no}" if end == "<license>" else f"{no}{end}")
    else:
        place = dice.choice((f'<rsl xmlns="{RSL}">', "</rsl>"))
        content = f'<content url="{dice.choice(("/", "/art/", "*"))}"><license>{no}</license></content>'
        text = text.replace(place, place + content if place.startswith("<rsl") else content + place)
    return replace(world, document=text.encode())


def _naming(change: Change) -> Change:
    """`change` names a document that refuses."""
    return lambda world, dice: replace(change(world, dice), documents=_NO_DOCUMENTS)


_LINK = f'</no.xml>; rel="license"; type="{_TYPE}"'
_SCRIPTS = [f'<script type="{_TYPE}">{_rsl(f"<license>{no}</license>")}</script>' for no in _PROHIBITS]
_RSL_LINK = f'<link rel="license" type="{_TYPE}" href="{RSL_URL}">'
_RSL_GRANT = f'<rsl xmlns="{RSL}"><content url="/">{_YES}</content></rsl>'.encode()


def rsl_packet(inside: str) -> bytes:
    """An XMP packet with a licence in it."""
    content = f'<content url="*">{inside}</content>'
    return xmp_packet("", f'<rdf:value><rsl xmlns="{RSL}">{content}</rsl></rdf:value>')


RSL_PROOF = Proof(
    st.builds(
        World,
        files=files(
            robots=texts(
                (
                    "User-agent: *\n",
                    "User-agent: Kyodaku\n",
                    "User-agent: GPTBot\n",
                    f"License: {RSL_URL}\n",
                    "License: /license.xml\n",
                    "\n\nLicense: /other.xml\n",
                    "License: x:y\n",
                    "Allow: /\n",
                )
            )
        ),
        document=_DOCUMENTS.map(str.encode),
        page_headers=fields([("Link", f'<{RSL_URL}>; rel=license; type="{_TYPE}"'), ("Link", "<x>")]),
        image_headers=fields([("Link", f'<{RSL_URL}>; rel=license; type="{_TYPE}"'), ("Link", "<//[>")]),
        html=pages(
            [
                _RSL_LINK,
                f'<script type="{_TYPE}">{_rsl(_YES)}</script>',
                "<p></p>",
                '<img src="/art/cat.jpg">',
            ]
        ),
        image=st.sampled_from([b"", webp((b"XMP ", rsl_packet(_YES))), webp((b"XMP ", xmp_packet()))]),
    ),
    {
        "document": _prohibited,
        "robots": _naming(robots_line(("License: /no.xml", f"License: {NO_URL}", "license: /no.xml # no"))),
        "header": _naming(header("Link", (_LINK, _LINK.replace('"', ""), _LINK.replace("rel", "REL")))),
        "link": _naming(markup(f'<link rel="license" type="{_TYPE}" href="/no.xml">')),
        "script": markup(*_SCRIPTS),
        "xmp": packet(*[rsl_packet(f"<license>{no}</license>") for no in _PROHIBITS]),
    },
    (
        World(files={"/robots.txt": f"User-agent: *\nLicense: {RSL_URL}\n".encode()}, document=_RSL_GRANT),
        World(html=_RSL_LINK, document=_RSL_GRANT),
        World(html=f'<script type="{_TYPE}">{_rsl(_YES)}</script>'),
        World(image_headers=(("Link", f'<{RSL_URL}>; rel=license; type="{_TYPE}"'),), document=_RSL_GRANT),
        World(image=webp((b"VP8X", b"\x04" + bytes(9)), (b"XMP ", rsl_packet(_YES)))),
    ),
    (
        World(files={"/robots.txt": b"License: x:y\n"}),
        World(page_headers=(("Link", _LINK.replace("/no.xml", "//[")),)),
        World(image_headers=(("Link", _LINK.replace("/no.xml", "//[")),)),
    ),
)

# --------------------------------------------------------------------------- conventions of platforms

_FEDIVERSE = '<meta name="generator" content="Mastodon v4.3">'
_TAGGED = ("#NoBot", "#NoAI", "#nobots", "#NOAI", "#no_ai", "#\u7121\u65adAI\u5b66\u7fd2\u7981\u6b62")
PLATFORMS = Proof(
    st.builds(
        World,
        html=pages(
            [
                _FEDIVERSE,
                '<link rel="alternate" type="application/activity+json" href="/u">',
                '<meta name="description" content="I draw cats. #NoBotany">',
                '<meta property="og:description" content="#cats #NoBot">',
                "<title>A</title>",
                "<p>#art</p>",
                '<img src="/art/cat.jpg">',
            ]
        ),
    ),
    {
        "tag": markup(
            *[f"{_FEDIVERSE}<p>cats {tag}</p>" for tag in _TAGGED],
            *[f'{_FEDIVERSE}<meta name="description" content="x {tag} y">' for tag in _TAGGED],
            *[f"<title>{tag}</title>{_FEDIVERSE}" for tag in _TAGGED],
        )
    },
    silent="a convention never grants",
)

# ------------------------------------------------------------------------------------------- ratings

_LABEL = "RTA-5042-1996-1400-1577-RTA"
_RATINGS = (_LABEL, "adult", "Mature", "general", "safe for kids", "")
CONTENT_RATING = Proof(
    st.builds(
        World,
        page_headers=fields([("Rating", value) for value in _RATINGS]),
        image_headers=fields([("rating", value) for value in _RATINGS]),
        html=pages([f'<meta name="rating" content="{value}">' for value in _RATINGS]),
    ),
    {},
    speaks=(
        World(html=f'<meta name="rating" content="{_LABEL}">'),
        World(page_headers=(("Rating", _LABEL),)),
        World(image_headers=(("Rating", _LABEL),)),
    ),
    silent="facts for curation, neither yes nor no",
)
