"""Proofs of the protocols that read what stands inside an image, and of licences as evidence."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.core.proofs.changes import Change, Proof, header, markup, one_of, packet, with_packet, with_text
from tests.core.proofs.pages import fields, pages
from tests.core.strategies import IMAGE_BYTES, VOCABULARY, jpeg, mining, png, webp, xmp_packet
from tests.core.worlds import World

EMPTY = (webp((b"VP8X", b"\x04" + bytes(9))), png((b"IDAT", b"x")), jpeg((0xE0, b"JFIF")))


def images(packets: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Files with up to two of `packets`, and noise."""

    def built(body: bytes, found: list[bytes]) -> bytes:
        for xmp in found:
            body = with_packet(body, xmp)
        return body

    whole = st.builds(built, st.sampled_from(EMPTY), st.lists(st.sampled_from(packets), max_size=2))
    return st.one_of(whole, whole, whole.map(lambda body: body[:-3]), IMAGE_BYTES)


def grants_of(xmp: bytes) -> tuple[World, ...]:
    """Every kind of file with `xmp` in it."""
    return tuple(World(image=with_packet(body, xmp)) for body in EMPTY)


# --------------------------------------------------------------------------------------------- PLUS

_PLUS_NO = [
    mining("DMI-PROHIBITED"),
    mining("DMI-PROHIBITED-AIMLTRAINING"),
    mining("DMI-PROHIBITED-SEECONSTRAINT"),
    xmp_packet("", f"<plus:DataMining>{VOCABULARY}DMI-PROHIBITED</plus:DataMining>"),
    xmp_packet("", f'<plus:DataMining rdf:resource="{VOCABULARY}DMI-PROHIBITED"/>'),
    xmp_packet('plus:DataMining="Prohibited for AI/ML training"'),
]
_PLUS = [
    mining("DMI-ALLOWED"),
    mining("DMI-UNSPECIFIED"),
    mining("DMI-PROHIBITED"),
    xmp_packet('plus:DataMining="Allowed"'),
    xmp_packet("", "<a"),
    xmp_packet(),
]
PLUS = Proof(
    st.builds(World, image=images(_PLUS)),
    {"packet": packet(*_PLUS_NO)},
    grants_of(mining("DMI-ALLOWED")),
)

# ------------------------------------------------------------------------------------- rights in words

_WORDS_NO = (
    "No AI training",
    "(c) A. Artist. Not for use in training AI models.",
    "AI学習禁止",
    "Keine Nutzung für KI-Training",
    "TDM opt-out: text and data mining reserved",
)
_RIGHTS_XMP = [
    xmp_packet(f'xmpRights:UsageTerms="{words}"') for words in (*_WORDS_NO, "All rights reserved", "x")
]
_RIGHTS_NO = [
    *_RIGHTS_XMP[: len(_WORDS_NO)],
    *[
        xmp_packet(
            'xmlns:dc="http://purl.org/dc/elements/1.1/"',
            f"<dc:rights><rdf:Alt><rdf:li>{words}</rdf:li></rdf:Alt></dc:rights>",
        )
        for words in _WORDS_NO
    ],
]


def _in_text(world: World, dice: Random) -> World:
    return replace(world, image=with_text(world.image, dice.choice(_WORDS_NO)))


def _notice(words: str) -> str:
    node = {"@type": "ImageObject", "contentUrl": "/art/cat.jpg", "copyrightNotice": words}
    return f'<script type="application/ld+json">{json.dumps(node)}</script>'


RIGHTS_TEXT = Proof(
    st.builds(
        World,
        image=images(_RIGHTS_XMP),
        html=pages(
            [
                '<meta name="copyright" content="All rights reserved">',
                '<meta name="rights" content="No AI training">',
                _notice("(c) A"),
                '<script type="application/ld+json">{"a":</script>',
                '<img src="/art/cat.jpg">',
            ]
        ),
    ),
    {
        "xmp": packet(*_RIGHTS_NO),
        "text": _in_text,
        "meta": markup(*[f'<meta name="copyright" content="{words}">' for words in _WORDS_NO]),
        "json-ld": markup(*map(_notice, _WORDS_NO)),
    },
    silent="words are never a grant",
)

# ------------------------------------------------------------------------------- Content Credentials

CREDENTIALS = webp((b"VP8X", b"\x04" + bytes(9)), (b"C2PA", b"jumbjumd"))
_USES = ("cawg.ai_generative_training", "cawg.ai_training", "cawg.data_mining", "cawg.ai_inference")


def _assertion(label: str = "cawg.training-mining", **entries: Any) -> dict[str, Any]:
    return {"label": label, "data": {"entries": {f"cawg.{name}": value for name, value in entries.items()}}}


def _store(*assertions: dict[str, Any], state: str = "Valid") -> str:
    manifest = {"assertions": list(assertions), "signature_info": {"issuer": "A"}}
    return json.dumps({"active_manifest": "a", "validation_state": state, "manifests": {"a": manifest}})


_WORDS = st.sampled_from(["allowed", "notAllowed", "constrained", "Allowed", "", "x", None])
_ENTRIES = st.fixed_dictionaries(
    {}, optional={name: st.fixed_dictionaries({"use": _WORDS}) for name in _USES}
)
_ASSERTIONS = st.lists(
    st.one_of(
        st.builds(
            lambda label, entries: {"label": label, "data": {"entries": entries}},
            st.sampled_from(["cawg.training-mining", "c2pa.training-mining", "cawg.training-mining__1", "x"]),
            _ENTRIES,
        ),
        st.just({"label": "c2pa.actions", "data": {"actions": []}}),
        st.just({"label": "cawg.identity", "data": {}}),
        st.just(_assertion(ai_generative_training={"use": "allowed"})),
    ),
    max_size=3,
)
_STORES = st.one_of(
    st.builds(
        lambda state, mine, theirs: json.dumps(
            {
                "active_manifest": "a",
                "validation_state": state,
                "manifests": {"a": {"assertions": mine}, "b": {"assertions": theirs}},
            }
        ),
        st.sampled_from(["Valid", "Trusted", "Invalid", ""]),
        _ASSERTIONS,
        _ASSERTIONS,
    ),
    st.just("{"),
)


def _not_allowed(world: World, dice: Random) -> World:
    """An entry that refuses, in an assertion that is there or in a new one, of any manifest."""
    try:
        store = json.loads(world.store)
        manifests = list(store["manifests"].values())
    except (ValueError, KeyError, TypeError):
        return replace(world, image=CREDENTIALS, store=_store(_assertion(ai_training={"use": "notAllowed"})))
    use, word = dice.choice(_USES[:3]), dice.choice(("notAllowed", "constrained"))
    assertions = dice.choice(manifests)["assertions"]
    mine = [item for item in assertions if "entries" in item["data"]]
    if mine and dice.random() < 0.5:
        dice.choice(mine)["data"]["entries"][use] = {"use": word}
        for item in mine:
            item["label"] = "cawg.training-mining"
    else:
        no = {"label": dice.choice(("cawg.training-mining", "c2pa.training-mining")), "data": {"entries": {}}}
        no["data"]["entries"][use] = {"use": word}  # type: ignore[index]
        assertions.insert(dice.randint(0, len(assertions)), no)
    return replace(world, image=CREDENTIALS, store=json.dumps(store))


_ALLOWED = {"use": "allowed"}
C2PA = Proof(
    st.builds(
        World,
        image=st.sampled_from([CREDENTIALS, CREDENTIALS[:-3]]),
        store=_STORES,
        image_headers=fields([("Link", '<https://a.example/m.c2pa>; rel="c2pa-manifest"'), ("Link", "<a>")]),
    ),
    {"entry": _not_allowed},
    (
        World(image=CREDENTIALS, store=_store(_assertion(ai_generative_training=_ALLOWED))),
        World(
            image=CREDENTIALS,
            store=_store(_assertion(ai_generative_training=_ALLOWED, ai_training=_ALLOWED), state="Trusted"),
        ),
    ),
    speaks=(World(image_headers=(("Link", '<https://a.example/m.c2pa>; rel="c2pa-manifest"'),)),),
)

# ----------------------------------------------------------------------------------------- licences

CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
NC = "https://creativecommons.org/licenses/by-nc/4.0/"


def linked_data(licence: str) -> str:
    node = {"@context": "https://schema.org", "@type": "ImageObject", "contentUrl": "/art/cat.jpg"}
    return f'<script type="application/ld+json">{json.dumps({**node, "license": licence})}</script>'


def _microdata(licence: str) -> str:
    return (
        '<div itemscope itemtype="https://schema.org/ImageObject"><img itemprop="contentUrl" '
        f'src="/art/cat.jpg"><a itemprop="license" href="{licence}">l</a></div>'
    )


def _rdfa(licence: str) -> str:
    return f'<div about="/art/cat.jpg"><a rel="license" href="{licence}">l</a></div>'


def _figure(licence: str) -> str:
    return f'<figure><img src="/art/cat.jpg"><a rel="license" href="{licence}">l</a></figure>'


_SYNTAXES = {"json-ld": linked_data, "microdata": _microdata, "rdfa": _rdfa, "figure": _figure}


def _licence_xmp(licence: str) -> bytes:
    return xmp_packet("", f'<cc:license rdf:resource="{licence}"/>')


def in_header(licence: str) -> tuple[str, str]:
    return "Link", f'<{licence}>; rel="license"'


def _image_link(world: World, dice: Random) -> World:
    return replace(header("Link", (in_header(NC)[1],))(world, dice), page_headers=world.page_headers)


LICENCE_REFUSALS: dict[str, Change] = {
    **{name: markup(written(NC)) for name, written in _SYNTAXES.items()},
    "xmp": one_of(
        packet(_licence_xmp(NC)),
        packet(xmp_packet(f'xmpRights:WebStatement="{NC}"')),
    ),
    "header": lambda world, dice: replace(
        world, image_headers=(*world.image_headers, in_header(NC)), html=world.html
    ),
    "unreadable": markup('<script type="application/ld+json">{"license": [</script>'),
}
LICENCE = Proof(
    st.builds(
        World,
        html=pages(
            [
                *[written(licence) for written in _SYNTAXES.values() for licence in (CC0, CC0, NC)],
                f'<a rel="license" href="{CC0}">l</a>',
                '<img src="/art/cat.jpg">',
                '<figure><img src="/b.jpg"></figure>',
            ],
            3,
        ),
        image=images([_licence_xmp(CC0), _licence_xmp(CC0), _licence_xmp(NC), xmp_packet()]),
        image_headers=fields([in_header(CC0), in_header(NC), ("Link", "<a>; rel=next")]),
    ),
    LICENCE_REFUSALS,
    (
        *[World(html=written(CC0)) for written in _SYNTAXES.values()],
        *grants_of(_licence_xmp(CC0)),
        World(image_headers=(in_header(CC0),)),
    ),
)

# ------------------------------------------------------------------------- what is only ever recorded

_AI_MADE = [
    xmp_packet(
        'xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" e:DigitalSourceType='
        '"http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"'
    ),
    xmp_packet('xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="Midjourney"'),
]
AI_MADE = Proof(
    st.builds(World, image=images([*_AI_MADE, xmp_packet()])),
    {},
    speaks=tuple(World(image=webp((b"XMP ", xmp))) for xmp in _AI_MADE),
    silent="facts for curation, neither yes nor no",
)

_ISCC = "ISCC:KACT4EBWK27737D2AYCJRAL5Z36G76RFRMO4554RU26HZ4ORJGIVHDI"
DECLARATIONS = Proof(
    st.builds(
        World,
        html=pages(
            [
                '<link rel="originator-profile" type="application/ops+json" href="/.well-known/op-x">',
                f'<meta name="iscc" content="{_ISCC}">',
            ]
        ),
        image=images([xmp_packet(f'cc:x="{_ISCC}"'), xmp_packet()]),
    ),
    {},
    speaks=(
        World(html=f'<meta name="iscc" content="{_ISCC}">'),
        World(image=webp((b"XMP ", xmp_packet(f'cc:x="{_ISCC}"')))),
    ),
    silent="declarations without a word for training",
)
