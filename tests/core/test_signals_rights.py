"""Rights fields of every container, the protocols that read them, and files made to slow us down."""

from __future__ import annotations

import json
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyodaku.reasons import HoldReason, RefuseReason
from kyodaku.signals.carriers.embedded import read_embedded
from kyodaku.signals.carriers.html import parse_html
from kyodaku.signals.carriers.rights import MAX_RIGHTS, MAX_VALUE, of_iim
from kyodaku.signals.model import Binding, Effect
from kyodaku.signals.protocols import all_protocols
from kyodaku.signals.protocols.ai_made import PROTOCOL as AI_MADE
from kyodaku.signals.protocols.plus_datamining import PROTOCOL as PLUS_PROTOCOL
from kyodaku.signals.protocols.rights_text import PROTOCOL
from tests.core.strategies import IMAGE, VOCABULARY, jpeg, png, reading, webp, xmp_packet
from tests.tools import cpu_seconds

IRB = b"Photoshop 3.0\x00"
XAP = b"http://ns.adobe.com/xap/1.0/\x00"
NO = b"No AI training"


def dataset(number: int, value: bytes, record: int = 2, *, extended: bool = False) -> bytes:
    size = struct.pack(">HI", 0x8004, len(value)) if extended else struct.pack(">H", len(value))
    return bytes((0x1C, record, number)) + size + value


def resource(number: int, value: bytes, signature: bytes = b"8BIM") -> bytes:
    return signature + struct.pack(">HHI", number, 0, len(value)) + value + b"\x00" * (len(value) % 2)


def tiff(*directories: list[tuple[int, bytes]], order: str = "<", kind: int = 2) -> bytes:
    """A chain of directories of (tag, text); tag 0x8769 points at the last one."""
    head = (b"II*\x00" if order == "<" else b"MM\x00*") + struct.pack(order + "I", 8)
    sizes = [2 + 12 * len(entries) + 4 for entries in directories]
    places = [8 + sum(sizes[:n]) for n in range(len(sizes))]
    body, values, at = b"", b"", 8 + sum(sizes)
    for number, entries in enumerate(directories):
        body += struct.pack(order + "H", len(entries))
        for tag, value in entries:
            if tag == 0x8769:
                body += struct.pack(order + "HHII", tag, 4, 1, places[-1])
            else:
                value = value.ljust(5, b"\x00")
                body += struct.pack(order + "HHII", tag, kind, len(value), at + len(values))
                values += value
        last = number + 1 == len(places) or any(tag == 0x8769 for tag, _ in entries)
        body += struct.pack(order + "I", 0 if last else places[number + 1])
    return head + body + values


def exif(block: bytes) -> bytes:
    return jpeg((0xE1, b"Exif\x00\x00" + block))


def gif(comment: bytes) -> bytes:
    parts = [comment[i : i + 255] for i in range(0, len(comment), 255)]
    blocks = b"".join(bytes((len(part),)) + part for part in parts)
    return b"GIF89a\x01\x00\x01\x00\x00\x00\x00!\xfe" + blocks + b"\x00\x3b"


def raw_profile(kind: str, data: bytes) -> tuple[bytes, bytes]:
    return b"tEXt", b"Raw profile type %s\x00\n%s\n%8d\n%s\n" % (
        kind.encode(),
        kind.encode(),
        len(data),
        data.hex().encode(),
    )


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


PLACES = {
    "irb": jpeg((0xED, IRB + resource(0x0404, dataset(116, NO)))),
    "irb in parts": jpeg(
        (0xED, IRB + resource(0x0404, dataset(116, NO))[:20]),
        (0xED, IRB + resource(0x0404, dataset(116, NO))[20:]),
    ),
    "irb, another program's first": jpeg(
        (0xED, IRB + resource(1, b"xyz", b"MeSa") + resource(0x0404, dataset(40, NO)))
    ),
    "irb, a second record": jpeg(
        (0xED, IRB + resource(0x0404, dataset(116, b"(c)")) + resource(0x0404, dataset(40, NO)))
    ),
    "irb with xmp": jpeg((0xED, IRB + resource(0x0424, xmp_packet('xmpRights:UsageTerms="No AI training"')))),
    "irb with exif": jpeg((0xED, IRB + resource(0x0422, tiff([(0x8298, NO)])))),
    "iim, extended": jpeg((0xED, IRB + resource(0x0404, dataset(116, NO, extended=True)))),
    "exif": exif(tiff([(0x8298, NO)])),
    "exif, big-endian": exif(tiff([(0x8298, NO)], order=">")),
    "exif artist": exif(tiff([(0x013B, NO)])),
    "exif description": exif(tiff([(0x010E, NO)])),
    "exif, the editor's part": exif(tiff([(0x8298, b"A. Artist\x00No AI training\x00")])),
    "exif, the second of two": exif(tiff([(0x8298, b"(c) A. Artist"), (0x8298, NO)])),
    "exif, second directory": exif(tiff([(0x8298, b"(c) A. Artist")], [(0x8298, NO)])),
    "exif comment": exif(tiff([(0x8769, b"")], [(0x9286, b"ASCII\x00\x00\x00" + NO)])),
    "exif comment, utf-16": exif(
        tiff([(0x8769, b"")], [(0x9286, b"UNICODE\x00" + NO.decode().encode("utf-16-le"))])
    ),
    "exif comment, utf-16 turned around": exif(
        tiff([(0x8769, b"")], [(0x9286, b"UNICODE\x00" + NO.decode().encode("utf-16-be"))])
    ),
    "exif comment, jis": exif(
        tiff([(0x8769, b"")], [(0x9286, b"JIS\x00\x00\x00\x00\x00" + "AI学習禁止".encode("iso2022_jp"))])
    ),
    "windows comment": exif(tiff([(40092, "AI学習禁止".encode("utf-16-le"))])),
    "exif with iim": exif(tiff([(33723, dataset(116, NO))], kind=7)),
    "a second exif": jpeg(
        (0xE1, b"Exif\x00\x00" + tiff([(0x8298, b"(c) A.")])), (0xE1, b"Exif\x00\x00" + tiff([(0x8298, NO)]))
    ),
    "exif in two segments": jpeg(
        (0xE1, b"Exif\x00\x00" + tiff([(0x8298, NO)])[:30]),
        (0xE1, b"Exif\x00\x00" + tiff([(0x8298, NO)])[30:]),
    ),
    "jpeg comment": jpeg((0xFE, NO)),
    "jpeg comment, shift_jis": jpeg((0xFE, "AI学習禁止".encode("cp932"))),
    "jpeg comment, gbk": jpeg((0xFE, "禁止AI训练".encode("gb18030"))),
    "jpeg comment, euc-kr": jpeg((0xFE, "AI 학습 금지".encode("cp949"))),
    "png tEXt": png((b"tEXt", b"Copyright\x00" + NO)),
    "png tEXt, its own key": png((b"tEXt", b"Whatever\x00" + NO)),
    "png zTXt": png((b"zTXt", b"Disclaimer\x00\x00" + zlib.compress(NO))),
    "png iTXt": png((b"iTXt", b"Copyright\x00\x00\x00ja\x00\x00" + "AI学習禁止".encode())),
    "png iTXt, packed": png((b"iTXt", b"Copyright\x00\x01\x00\x00\x00" + zlib.compress(NO))),
    "png, behind the data": png((b"IDAT", b"x"), (b"tEXt", b"Copyright\x00" + NO)),
    "png eXIf": png((b"eXIf", tiff([(0x8298, NO)]))),
    "png profile iptc": png(raw_profile("iptc", resource(0x0404, dataset(116, NO)))),
    "png profile iptc, bare": png(raw_profile("iptc", dataset(116, NO))),
    "png profile 8bim": png(raw_profile("8bim", resource(0x0404, dataset(116, NO)))),
    "png profile exif": png(raw_profile("exif", b"Exif\x00\x00" + tiff([(0x8298, NO)]))),
    "webp exif": webp((b"EXIF", b"Exif\x00\x00" + tiff([(0x8298, NO)]))),
    "webp xmp": webp((b"XMP ", xmp_packet('xmpRights:UsageTerms="No AI training"'))),
    "gif comment": gif(NO),
    "gif comment in parts": gif(b" " * 250 + NO),
    "tiff": tiff([(0x8298, NO)]),
    "tiff, second page": tiff([(0x010E, b"page 1")], [(0x010E, NO)]),
    "tiff iim": tiff([(33723, dataset(116, NO))], kind=7),
    "tiff resources": tiff([(34377, resource(0x0404, dataset(116, NO)))], kind=7),
}  # fmt: skip


@pytest.mark.parametrize("name", PLACES)
def test_a_refusal_in_words_is_found_wherever_it_stands(name: str) -> None:
    embedded = read_embedded(PLACES[name])
    found = PROTOCOL.read_image(embedded, reading())
    assert [signal.effect for signal in found] == [Effect.RESERVED], embedded
    assert found[0].reason == RefuseReason.RIGHTS_TEXT
    assert embedded.unreadable == ()
    assert PROTOCOL.read_image(embedded, reading("spec")) == []


PLAIN = b"(c) A. Artist"


@pytest.mark.parametrize("name", [name for name in PLACES if NO in PLACES[name]])
def test_a_plain_notice_says_nothing(name: str) -> None:
    embedded = read_embedded(PLACES[name].replace(NO, PLAIN + b" "))
    assert PROTOCOL.read_image(embedded, reading()) == []
    assert embedded.rights


LOST = tiff([(0x8769, b"")], [(0x8298, PLAIN)])
LOST = LOST[:18] + b"\xff\xff\xff\x7f" + LOST[22:]
BROKEN = {
    "irb cut": jpeg((0xED, IRB + resource(0x0404, dataset(116, PLAIN))[:-4])),
    "irb of another kind": jpeg((0xED, IRB + b"????" + PLAIN)),
    "iim cut": jpeg((0xED, IRB + resource(0x0404, dataset(116, PLAIN)[:-2]))),
    "iim, then something else": jpeg((0xED, IRB + resource(0x0404, dataset(116, PLAIN) + b"xyz"))),
    "exif without a header": exif(b"what is this"),
    "exif cut": exif(tiff([(0x8298, PLAIN)])[:-6]),
    "exif, first directory cut": exif(tiff([(0x8298, PLAIN)])[:14]),
    "exif, the directory below outside": exif(LOST),
    "png text does not unpack": png((b"zTXt", b"Copyright\x00\x00broken")),
    "png text is a bomb": png((b"zTXt", b"Copyright\x00\x00" + zlib.compress(bytes(20_000_000)))),
    "a text too long": png((b"tEXt", b"Comment\x00" + b"x" * (MAX_VALUE + 1))),
    "too much text": jpeg(*[(0xFE, b"%d " % n + b"x" * 60_000) for n in range(MAX_RIGHTS // 60_000 + 1)]),
    "too many texts": png(*[(b"tEXt", b"k\x00%d" % n) for n in range(1200)]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_read_holds(name: str) -> None:
    embedded = read_embedded(BROKEN[name])
    assert embedded.unreadable
    assert not embedded.complete
    found = PROTOCOL.read_image(embedded, reading())
    assert [(signal.effect, signal.reason) for signal in found] == [
        (Effect.ERROR, HoldReason.METADATA_UNREADABLE)
    ]


def test_a_refusal_goes_before_what_cannot_be_read() -> None:
    body = png((b"zTXt", b"Copyright\x00\x00broken"), (b"tEXt", b"Copyright\x00" + NO))
    assert [s.effect for s in PROTOCOL.read_image(read_embedded(body), reading())] == [Effect.RESERVED]


@pytest.mark.parametrize("code", ["utf-16-le", "utf-16-be", "utf-16"])
@pytest.mark.parametrize("words", ["No AI training", "AI\u5b66\u7fd2\u7981\u6b62"])
def test_utf16_where_no_standard_has_it_is_read(code: str, words: str) -> None:
    raw = words.encode(code)
    files = [
        jpeg((0xFE, raw)),
        exif(tiff([(0x8298, raw + b"\0\0")])),
        jpeg((0xED, b"Photoshop 3.0\0" + resource(0x0404, dataset(116, raw)))),
        png((b"tEXt", b"Copyright\0" + raw)),
    ]
    for body in files:
        found = PROTOCOL.read_image(read_embedded(body), reading())
        assert [signal.effect for signal in found] == [Effect.RESERVED]


def test_iim_says_in_which_encoding_it_is() -> None:
    utf8 = dataset(90, b"\x1b%G", record=1)
    fields, whole = of_iim(utf8 + dataset(116, "© 芸術家".encode()) + dataset(40, b"\xff") + b"\x00\x00")
    assert [(field.name, field.value) for field in fields] == [
        ("CopyrightNotice", "© 芸術家"),
        ("SpecialInstructions", "\ufffd"),
    ]
    assert whole
    assert of_iim(dataset(116, b"\xa9 A."))[0][0].value == "© A."


def test_the_words_of_a_constraint_are_evidence() -> None:
    constraint = (
        "<plus:OtherConstraints><rdf:Alt><rdf:li>Ask first</rdf:li></rdf:Alt></plus:OtherConstraints>"
    )
    packet = xmp_packet(f'plus:DataMining="{VOCABULARY}DMI-PROHIBITED-SEECONSTRAINT"', constraint)
    (found,) = PLUS_PROTOCOL.read_image(read_embedded(jpeg((0xE1, XAP + packet))), reading())
    assert found.parsed == "DMI-PROHIBITED-SEECONSTRAINT: Ask first"


MADE = {
    "parameters": (
        png((b"tEXt", b"parameters\x00a cat, no ai\nSteps: 20, Sampler: Euler")),
        "text",
        "generator",
    ),
    "workflow": (png((b"tEXt", b"workflow\x00{}")), "text", "generator"),
    "novelai": (png((b"tEXt", b"Software\x00NovelAI")), "software", "generator"),
    "novelai comment": (
        png((b"tEXt", b"Comment\x00" + json.dumps({"prompt": "cat", "steps": 28, "seed": 1}).encode())),
        "settings",
        "generator",
    ),
    "exif software": (exif(tiff([(0x0131, b"Stable Diffusion 3")])), "software", "generator"),
    **{
        name: (exif(tiff([(0x0131, name.encode())])), "software", "generator")
        for name in ("ChatGPT", "Google Gemini", "PixAI", "niji\u30fbjourney", "niji journey")
    },
    "exif comment": (
        exif(tiff([(0x8769, b"")], [(0x9286, b"ASCII\x00\x00\x00cat\nSteps: 20, Sampler: DDIM, Seed: 1")])),
        "settings",
        "generator",
    ),
    "credit": (
        jpeg((0xED, IRB + resource(0x0404, dataset(110, b"Made with Google AI")))),
        "credit",
        "generator: made with google ai",
    ),
}


@pytest.mark.parametrize("name", MADE)
def test_marks_of_generators_are_silent_facts(name: str) -> None:
    body, rule, parsed = MADE[name]
    embedded = read_embedded(body)
    found = AI_MADE.read_image(embedded, reading())
    assert {signal.effect for signal in found} == {Effect.SILENT}
    assert any(s.rule == f"ai-made:{rule}" and s.parsed.startswith(parsed) for s in found)
    assert PROTOCOL.read_image(embedded, reading()) == []


@pytest.mark.parametrize(
    ("term", "kind"),
    [
        ("trainedAlgorithmicMedia", "ai"),
        ("compositeWithTrainedAlgorithmicMedia", "ai-composite"),
        ("compositeSynthetic", "ai-composite"),
        ("digitalCapture", ""),
        ("algorithmicMedia", "ai"),
    ],
)
@pytest.mark.parametrize("form", ['e:DigitalSourceType="{}"', '<e:DigitalSourceType rdf:resource="{}"/>'])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_digital_source_types(term: str, kind: str, form: str, scheme: str) -> None:
    written = form.format(f"{scheme}://cv.iptc.org/newscodes/digitalsourcetype/{term}")
    name = 'xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
    packet = xmp_packet(name, written) if written.startswith("<") else xmp_packet(f"{name} {written}")
    found = AI_MADE.read_image(read_embedded(jpeg((0xE1, XAP + packet))), reading())
    assert [(s.rule, s.parsed) for s in found] == (
        [("ai-made:digital-source-type", f"{kind}: {term}")] if kind else []
    )


def test_a_photograph_has_no_marks() -> None:
    body = exif(
        tiff([(0x0131, b"Adobe Photoshop 25.0"), (0x013B, b"A. Firefly"), (0x010E, b"imagen de un gato")])
    )
    assert AI_MADE.read_image(read_embedded(body), reading()) == []


def page_effects(markup: str, image: str | None) -> list[tuple[Effect, Binding]]:
    page = parse_html(markup.encode(), "text/html; charset=utf-8", "https://example.com/")
    return [(s.effect, s.binding) for s in PROTOCOL.read_page(page, image, reading())]


def test_a_statement_about_one_image_leaves_the_others_alone() -> None:
    thing = {"@type": "ImageObject", "contentUrl": IMAGE, "copyrightNotice": "AI学習禁止"}
    markup = f'<img src="{IMAGE}"><script type="application/ld+json">{json.dumps(thing)}</script>'
    assert page_effects(markup, IMAGE) == [(Effect.RESERVED, Binding.IMAGE)]
    assert page_effects(markup, None) == []
    assert page_effects(markup, "https://example.com/art/dog.jpg") == []


def gallery(*notices: str) -> str:
    """A page whose last picture, IMAGE, has the last of `notices`."""
    urls = [*(f"https://example.com/{n}.jpg" for n in range(len(notices) - 1)), IMAGE]
    nodes = [
        {"contentUrl": url, "copyrightNotice": notice} for url, notice in zip(urls, notices, strict=True)
    ]
    return f'<script type="application/ld+json">{json.dumps({"@graph": nodes})}</script>'


def test_a_refusal_behind_many_statements_is_found() -> None:
    no = (Effect.RESERVED, Binding.IMAGE)
    assert page_effects(gallery(*["A notice"] * 3000, "No AI training"), IMAGE) == [no]
    assert page_effects(gallery(*["A long notice " * 100] * 200, "No AI training"), IMAGE) == [no]


@pytest.mark.parametrize(
    "markup",
    [
        gallery(*(f"Notice {n} on training {'x' * 1000}" for n in range(140)), "No AI training"),
        f'<meta name="copyright" content="{"c " * 40_000} No AI training">',
    ],
)
def test_statements_beyond_what_is_read_hold_the_page(markup: str) -> None:
    assert page_effects(markup, None) == [(Effect.ERROR, Binding.PAGE)]


def test_words_that_cannot_refuse_take_no_room() -> None:
    notices = [f"Portrait {n} {'of a lady ' * 100}" for n in range(400)]
    assert page_effects(gallery(*notices, "No AI training"), IMAGE) == [(Effect.RESERVED, Binding.IMAGE)]
    assert page_effects(gallery(*notices, "No AI training"), None) == []


BESIDE = (
    f'<img src="{IMAGE}" alt="A fox. No AI training">',
    f'<img src="{IMAGE}" title="AI学習禁止">',
    f'<figure><img src="{IMAGE}"><figcaption>A fox{" in the snow" * 200}. #NoAI</figcaption></figure>',
    f'<a href="{IMAGE}">No usar para entrenar IA</a>',
    f'<a href="{IMAGE}" rel="nofollow" title="x"><img src="small.jpg" alt="Keine KI"></a><img src="{IMAGE}">',
    f'<a href="/post"><img src="{IMAGE}"></a><a href="/post">do not use for AI</a>',
    f'<img src="{IMAGE}" alt="A fox"><figure><img src="{IMAGE}"><figcaption>no AI</figcaption></figure>',
    f'<img src="small.jpg" srcset="{IMAGE} 2x" alt="AI 학습 금지">',
)


@pytest.mark.parametrize("markup", BESIDE)
def test_words_beside_a_picture_speak_of_it_alone(markup: str) -> None:
    markup += '<img src="/art/dog.jpg" alt="A dog">'
    assert page_effects(markup, IMAGE) == [(Effect.RESERVED, Binding.IMAGE)]
    assert page_effects(markup, None) == []
    assert page_effects(markup, "https://example.com/art/dog.jpg") == []


def test_the_words_of_the_picture_of_a_page_speak_of_the_page() -> None:
    markup = f'<meta property="og:image:alt" content="A fox, not for AI training"><img src="{IMAGE}">'
    assert page_effects(markup, None) == [(Effect.RESERVED, Binding.PAGE)]


def test_many_pictures_whose_links_lead_nowhere_are_read() -> None:
    markup = "".join(f'<a href="#"><img src="/{n}.jpg" alt="x">{n}</a>' for n in range(200))
    assert page_effects(markup + f'<img src="{IMAGE}" alt="no AI">', None) == []
    assert page_effects(markup + f'<img src="{IMAGE}" alt="no AI">', IMAGE) == [
        (Effect.RESERVED, Binding.IMAGE)
    ]


@pytest.mark.parametrize("name", ["caption", "description", "name", "keywords"])
def test_structured_data_that_describes_a_picture_speaks_of_it(name: str) -> None:
    thing = {"@type": "ImageObject", "contentUrl": IMAGE, "description": "A fox", name: "AI学習禁止"}
    markup = f'<img src="{IMAGE}"><script type="application/ld+json">{json.dumps(thing)}</script>'
    assert page_effects(markup, IMAGE) == [(Effect.RESERVED, Binding.IMAGE)]
    assert page_effects(markup, None) == []


@pytest.mark.parametrize(
    "markup",
    [
        "<p>Some say: no AI training.</p>",
        "<title>A talk on no AI training</title>",
        '<script type="application/ld+json">{"@type": "NewsArticle", "headline": "no AI"}</script>',
    ],
)
def test_what_a_page_is_about_speaks_of_no_picture(markup: str) -> None:
    assert page_effects(f'{markup}<img src="{IMAGE}">', IMAGE) == []
    assert page_effects(f'{markup}<img src="{IMAGE}">', None) == []


@pytest.mark.parametrize("name", ["copyrightNotice", "creditText", "usageInfo", "conditionsOfAccess"])
def test_microdata_is_read_as_json_ld_is(name: str) -> None:
    markup = (
        '<div itemscope itemtype="https://schema.org/ImageObject">'
        f'<img itemprop="contentUrl" src="{IMAGE}"><span itemprop="{name}">No AI training</span></div>'
    )
    assert page_effects(markup, IMAGE) == [(Effect.RESERVED, Binding.IMAGE)]
    assert page_effects(markup, "https://example.com/other.jpg") == []


def test_words_far_into_broken_structured_data_refuse() -> None:
    text = '{"a":"' + "x" * 5000 + '","copyrightNotice":"No AI training"'
    markup = f'<script type="application/ld+json">{text}</script>'
    assert page_effects(markup, None) == [(Effect.RESERVED, Binding.PAGE)]


def test_a_statement_reaches_the_picture_under_every_address() -> None:
    thing = {"@type": "ImageObject", "contentUrl": IMAGE, "usageInfo": "not for AI"}
    markup = (
        f'<img src="/small.jpg" srcset="/small.jpg 1x, {IMAGE} 2x">'
        f'<script type="application/ld+json">{json.dumps(thing)}</script>'
    )
    assert page_effects(markup, "https://example.com/small.jpg") == [(Effect.RESERVED, Binding.IMAGE)]


def test_a_statement_about_the_page_reaches_all_its_images() -> None:
    assert page_effects('<meta name="dc.rights" content="NoAI"><img src="x.jpg">', None) == [
        (Effect.RESERVED, Binding.PAGE)
    ]


BIG = 1_000_000
SLOW = {
    "jpeg comments": b"\xff\xd8" + b"\xff\xfe\x00\x06no a" * (BIG // 8),
    "jpeg irb": jpeg(*[(0xED, IRB + b"8BIM\x04\x04\x00\x00\x00\x00\x00\x00" * 5000)] * 16),
    "jpeg extended": jpeg(
        *[
            (
                0xE1,
                b"http://ns.adobe.com/xmp/extension/\x00" + b"0" * 32 + struct.pack(">II", 13_000, n) + b"x",
            )
            for n in range(13_000)
        ]
    ),
    "jpeg exif": jpeg(*[(0xE1, b"Exif\x00\x00" + tiff([(0x8298, b"x" * 30_000)]))] * 33),
    "png texts": png(*[(b"tEXt", b"k\x00ai training ")] * (BIG // 26)),
    "png bombs": png(*[(b"zTXt", b"k\x00\x00" + zlib.compress(bytes(8_000_000)))] * 120),
    "gif comments": b"GIF89a\x01\x00\x01\x00\x00\x00\x00" + b"!\xfe\x01a\x00" * (BIG // 5),
    "gif applications": b"GIF89a\x01\x00\x01\x00\x00\x00\x00" + b"!\xff\x0bXMP DataXMP" * (BIG // 14),
    "tiff directories": b"II*\x00\x08\x00\x00\x00" + b"\xff\xff\x0c\x00" * (BIG // 4),
    "tiff overlapping": b"II*\x00\x08\x00\x00\x00"
    + struct.pack("<H", 60_000)
    + b"\x98\x82\x02\x00" * (BIG // 4),
    "webp chunks": webp(*[(b"EXIF", tiff([(0x8298, b"ai training ")]))] * 15_000),
    "iim datasets": jpeg(*[(0xED, IRB + resource(0x0404, dataset(25, b"ai") * 9000))] * 15),
    "a long statement": jpeg(*[(0xFE, b"do not use ai training for " * 2400)] * 15),
    "bmff boxes": box(b"ftyp", b"avif" + bytes(4)) + box(b"free", b"") * (BIG // 8),
    "bmff items": box(b"ftyp", b"avif" + bytes(4))
    + box(
        b"meta", bytes(4) + box(b"iinf", bytes(6) + box(b"infe", b"\x02" + bytes(7) + b"Exif\x00") * 45_000)
    ),
}


@pytest.mark.parametrize("name", SLOW)
def test_a_megabyte_of_anything_is_read_in_a_second(name: str) -> None:
    body = SLOW[name]
    assert len(body) < 1.5 * BIG

    def work() -> None:
        embedded = read_embedded(body)
        for protocol in (PROTOCOL, AI_MADE, PLUS_PROTOCOL):
            protocol.read_image(embedded, reading())

    assert cpu_seconds(work, 1.0) < 1.0


@given(st.sampled_from(sorted(PLACES)), st.data())
def test_changed_bytes_never_raise_nor_permit(name: str, data: st.DataObject) -> None:
    body = bytearray(PLACES[name])
    for _ in range(data.draw(st.integers(0, 6))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    embedded = read_embedded(bytes(body[: data.draw(st.integers(0, len(body)))]))
    for protocol in all_protocols():
        assert all(s.effect is not Effect.PERMITTED for s in protocol.read_image(embedded, reading()))
