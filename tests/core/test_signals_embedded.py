"""Metadata in image bytes: every container, broken ones, and the PLUS protocol that reads it."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from hashlib import md5
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from kyodaku import imagehead
from kyodaku.errors import CarrierError
from kyodaku.signals.carriers.embedded import IMAGE_FORMATS, EmbeddedMetadata, read_embedded, sniff
from kyodaku.signals.carriers.xmp import MAX_DEPTH, parse_xmp
from kyodaku.signals.model import Effect
from kyodaku.signals.protocols.plus_datamining import PROTOCOL
from tests.core.strategies import IMAGE_BYTES, PLUS, VOCABULARY, jpeg, mining, png, reading, webp, xmp_packet
from tests.tools import cpu_seconds

PROHIBITED = mining("DMI-PROHIBITED")
ALLOWED = mining("DMI-ALLOWED")
XAP = b"http://ns.adobe.com/xap/1.0/\x00"
EXTENSION = b"http://ns.adobe.com/xmp/extension/\x00"
KEYWORD = b"XML:com.adobe.xmp\x00"


def effects(body: bytes, mode: str = "policy") -> list[Effect]:
    return [signal.effect for signal in PROTOCOL.read_image(read_embedded(body), reading(mode))]  # type: ignore[arg-type]


def drawn(kind: str, **options: object) -> bytes:
    picture = Image.new("RGB", (37, 21), "red")
    exif = Image.Exif()
    exif[0x8298], exif[0x013B], exif[0x0112] = "(c) A. Artist", "A. Artist", 6
    exif.get_ifd(0x8825)[1] = "N"
    out = io.BytesIO()
    picture.save(out, kind, exif=exif, **options)  # type: ignore[arg-type]
    return out.getvalue()


def gif_with_xmp(packet: bytes) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (5, 4)).save(out, "GIF", save_all=True, append_images=[Image.new("RGB", (5, 4), "blue")])
    body = out.getvalue()
    at = 13 + (3 << ((body[10] & 7) + 1) if body[10] & 0x80 else 0)
    trailer = b"\x01" + bytes(range(255, -1, -1)) + b"\x00"
    return body[:at] + b"\x21\xff\x0bXMP DataXMP" + packet + trailer + body[at:]


def tiff_with_xmp(packet: bytes) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (37, 21)).save(out, "TIFF", tiffinfo={700: packet, 0x8298: "(c) A. Artist"})
    return out.getvalue()


CONTAINERS = {
    "jpeg": lambda packet: drawn("JPEG", xmp=packet),
    "jpeg twice": lambda packet: jpeg((0xE1, XAP + xmp_packet()), (0xE1, XAP + packet)),
    "png": lambda packet: png((b"iTXt", KEYWORD + b"\x00\x00\x00\x00" + packet)),
    "png packed": lambda packet: png((b"iTXt", KEYWORD + b"\x01\x00\x00\x00" + zlib.compress(packet))),
    "png behind the data": lambda packet: png(
        (b"IDAT", b"x"), (b"iTXt", KEYWORD + b"\x00\x00\x00\x00" + packet)
    ),
    "png zTXt": lambda packet: png((b"zTXt", KEYWORD + b"\x00" + zlib.compress(packet))),
    "png profile": lambda packet: png(
        (b"tEXt", b"Raw profile type xmp\x00\nxmp\n   %d\n%s\n" % (len(packet), packet.hex().encode()))
    ),
    "webp": lambda packet: drawn("WEBP", xmp=packet),
    "avif": lambda packet: drawn("AVIF", xmp=packet),
    "gif": gif_with_xmp,
    "tiff": tiff_with_xmp,
    "bmff uuid": lambda packet: (
        b"\x00\x00\x00\x10ftypavif\x00\x00\x00\x00"
        + struct.pack(">I", 24 + len(packet))
        + b"uuid\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac"
        + packet
    ),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_refusal_and_a_grant_are_found_in_every_container(name: str) -> None:
    build = CONTAINERS[name]
    refused, granted = read_embedded(build(PROHIBITED)), read_embedded(build(ALLOWED))
    assert refused.unreadable == ()
    assert [signal.effect for signal in PROTOCOL.read_image(refused, reading())] == [Effect.RESERVED]
    assert [signal.effect for signal in PROTOCOL.read_image(granted, reading())] == [Effect.PERMITTED]
    assert effects(build(xmp_packet())) == []


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_cut_file_never_grants(name: str) -> None:
    body = CONTAINERS[name](ALLOWED)
    for end in range(len(body)):
        assert Effect.PERMITTED not in effects(body[:end]), end


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_file_that_did_not_come_whole_never_grants(name: str) -> None:
    embedded = read_embedded(CONTAINERS[name](ALLOWED), complete=False)
    assert PROTOCOL.read_image(embedded, reading()) == []


@pytest.mark.parametrize("code", ["utf-16-le", "utf-16-be", "utf-16"])
def test_a_packet_in_utf16_is_read(code: str) -> None:
    for value, effect in (("DMI-PROHIBITED", Effect.RESERVED), ("DMI-ALLOWED", Effect.PERMITTED)):
        packet = mining(value).decode().encode(code)
        assert effects(webp((b"XMP ", packet))) == [effect]


def test_a_text_chunk_with_a_wrong_checksum_refuses_but_does_not_grant() -> None:
    for value, expected in (("DMI-PROHIBITED", [Effect.RESERVED]), ("DMI-ALLOWED", [])):
        body = png((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + mining(value)))
        at = body.index(b"IEND") - 5  # the last octet of the checksum before it
        assert effects(body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]) == expected


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_header_facts_and_exif(kind: str) -> None:
    read = read_embedded(drawn(kind))
    assert (read.format, read.width, read.height, read.frames) == (kind.lower(), 37, 21, 1)
    assert (read.exif_copyright, read.exif_artist) == ("(c) A. Artist", "A. Artist")
    assert read.has_gps is (kind != "TIFF")
    assert read.orientation == (6 if kind in ("JPEG", "PNG", "WEBP") else read.orientation)
    assert read.complete


def test_frames_are_counted() -> None:
    assert read_embedded(gif_with_xmp(PROHIBITED)).frames == 2
    frames = [Image.new("RGB", (9, 8), colour) for colour in ("red", "green", "blue")]
    for kind in ("WEBP", "PNG"):
        out = io.BytesIO()
        frames[0].save(out, kind, save_all=True, append_images=frames[1:])
        assert read_embedded(out.getvalue()).frames == 3


def extended(
    whole: bytes,
    size: int,
    *,
    length: int | None = None,
    skip: int = -1,
    guid: bytes = b"",
    named: bool = True,
) -> bytes:
    guid = guid or md5(whole, usedforsecurity=False).hexdigest().upper().encode()
    note = f'xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="{guid.decode()}"'
    parts = []
    for number, at in enumerate(range(0, len(whole), size)):
        if number != skip:
            head = guid + struct.pack(">II", len(whole) if length is None else length, at)
            parts.append((0xE1, EXTENSION + head + whole[at : at + size]))
    return jpeg((0xE1, XAP + xmp_packet(note if named else "")), *reversed(parts))


def test_extended_xmp_is_put_together() -> None:
    assert effects(extended(PROHIBITED, 100)) == [Effect.RESERVED]


@pytest.mark.parametrize("strange", [{"guid": b"0" * 32}, {"named": False}])
def test_extended_xmp_that_is_not_the_main_packets_refuses_but_never_grants(strange: dict[str, Any]) -> None:
    assert effects(extended(PROHIBITED, 100, **strange)) == [Effect.RESERVED]
    assert effects(extended(ALLOWED, 100, **strange)) == []


def test_extended_xmp_whose_parts_contradict_each_other_is_unreadable() -> None:
    guid = md5(ALLOWED, usedforsecurity=False).hexdigest().upper().encode()
    head = EXTENSION + guid + struct.pack(">II", len(ALLOWED), 0)
    body = jpeg((0xE1, XAP + xmp_packet()), (0xE1, head + ALLOWED), (0xE1, head + b" " * len(ALLOWED)))
    assert effects(body) == [Effect.ERROR]


@pytest.mark.parametrize("broken", [{"skip": 1}, {"length": 5}])
def test_extended_xmp_with_a_hole_is_unreadable(broken: dict[str, int]) -> None:
    assert effects(extended(mining("DMI-ALLOWED"), 100, **broken)) == [Effect.ERROR]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (jpeg((0xE1, XAP + b"<x:xmpmeta")), [Effect.ERROR]),
        (jpeg((0xE1, XAP + PROHIBITED[:-40])), [Effect.RESERVED]),  # the word stands in the bytes
        (jpeg((0xFE, b"DMI-PROHIBITED")), [Effect.RESERVED]),
        (jpeg((0xE1, XAP + xmp_packet(f'plus:Version="1" plus:X="{PLUS}vocab/MR-NON"'))), []),
        (jpeg((0xE1, XAP + xmp_packet('cc:x="http://ns.useplus.org/ldf/vocab/MR-NAP"'))), []),
        (b"\xff\xd8\xff\xd9" + PROHIBITED, [Effect.RESERVED]),  # behind the end of the picture
        (b"\xff\xd8\xff\xd9" + ALLOWED, []),
        (png((b"iTXt", KEYWORD + b"\x01\x00\x00\x00broken")), [Effect.ERROR]),
        (png((b"zTXt", KEYWORD + b"\x00" + zlib.compress(b"\x00" * 20_000_000))), [Effect.ERROR]),
        (png((b"tEXt", b"Raw profile type xmp\x00\nxmp\n 4\nzz\n")), [Effect.ERROR]),
        (webp((b"XMP ", PROHIBITED), (b"XMP ", ALLOWED)), [Effect.RESERVED]),
        (webp(*[(b"XMP ", xmp_packet())] * 40), [Effect.ERROR]),
        (b"", []),
        ("DMI-PROHIBITED".encode("utf-16-le"), [Effect.RESERVED]),
    ],
)
def test_broken_odd_and_hidden_metadata(body: bytes, expected: list[Effect]) -> None:
    assert effects(body) == expected


def _with_comment(packet: bytes, text: bytes) -> bytes:
    return jpeg((0xE1, XAP + packet), (0xFE, text))


LABEL = xmp_packet('plus:DataMining="Prohibited for AI/ML training"')


@pytest.mark.parametrize("own", ["DMI-ALLOWED", "DMI-UNSPECIFIED"])
@pytest.mark.parametrize(
    "build",
    [
        lambda packet: _with_comment(packet, b"DMI-PROHIBITED"),
        lambda packet: _with_comment(packet, b"dmi-prohibited-aimltraining"),
        lambda packet: _with_comment(packet, "DMI-PROHIBITED".encode("utf-16-be")),
        lambda packet: _with_comment(packet, PROHIBITED),
        lambda packet: jpeg((0xE1, XAP + packet)) + PROHIBITED,
        lambda packet: jpeg((0xE1, XAP + packet)) + LABEL,
        lambda packet: jpeg((0xE1, XAP + packet)) + b"DMI-PROHIBITED",
        lambda packet: jpeg((0xE1, XAP + packet)) + jpeg((0xE1, XAP + PROHIBITED)),
        lambda packet: drawn("JPEG", xmp=packet) + drawn("JPEG", xmp=mining("DMI-PROHIBITED-AIMLTRAINING")),
        lambda packet: jpeg((0xE1, XAP + packet)) + b"DMI-PROHIBITED" + packet,
    ],
)
def test_a_prohibition_beside_the_packet_reserves(build: Callable[[bytes], bytes], own: str) -> None:
    assert effects(build(mining(own))) == [Effect.RESERVED]


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        (b"", [Effect.PERMITTED]),
        (ALLOWED, [Effect.PERMITTED]),  # the same once more
        (xmp_packet(), [Effect.PERMITTED]),
        (mining("DMI-UNSPECIFIED"), []),
        (ALLOWED.replace(b"ALLOWED", b"ALLOWED "), []),
        (mining("DMI-UNSPECIFIED")[:-30], [Effect.ERROR]),
    ],
)
def test_a_grant_stands_alone_or_not_at_all(tail: bytes, expected: list[Effect]) -> None:
    assert effects(jpeg((0xE1, XAP + ALLOWED)) + tail) == expected


_VALUE = f"<rdf:value>{VOCABULARY}DMI-PROHIBITED</rdf:value>"


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize(
    "packet",
    [
        PROHIBITED.replace(b'="http://ns.useplus.org/ldf/xmp', b'="https://ns.useplus.org/ldf/xmp'),
        LABEL.replace(b'="http://ns.useplus.org/ldf/xmp', b'="https://ns.useplus.org/ldf/xmp'),
        xmp_packet(
            "",
            '<plus:DataMining><rdf:Bag><rdf:li rdf:parseType="Resource">'
            f"{_VALUE}</rdf:li></rdf:Bag></plus:DataMining>",
        ),
        xmp_packet(
            "",
            "<plus:DataMining><rdf:Seq><rdf:li><rdf:Description>"
            f"{_VALUE}</rdf:Description></rdf:li></rdf:Seq></plus:DataMining>",
        ),
        PROHIBITED[:-40],  # broken, and the word plain to see once it is unpacked
    ],
    ids=["https", "https label", "item as resource", "item with description", "broken"],
)
def test_an_odd_form_of_a_refusal_reserves_packed_or_not(name: str, packet: bytes) -> None:
    assert Effect.RESERVED in effects(CONTAINERS[name](packet))


def test_an_odd_form_of_a_grant_says_nothing() -> None:
    packet = ALLOWED.replace(b'="http://ns.useplus.org/ldf/xmp', b'="https://ns.useplus.org/ldf/xmp')
    assert effects(CONTAINERS["png packed"](packet)) == []


def test_parts_of_an_extended_packet_are_no_packets_beside_it() -> None:
    assert effects(extended(ALLOWED, 100)) == [Effect.PERMITTED]


def test_many_packed_packets_do_not_fill_the_memory() -> None:
    bomb = (b"zTXt", KEYWORD + b"\x00" + zlib.compress(b" " * 15_000_000))
    body = png(*[bomb] * 200)

    def work() -> None:
        assert effects(body) == [Effect.ERROR]

    assert cpu_seconds(work, 3.0) < 3.0


def test_iptc_block_and_jumbf_are_seen() -> None:
    record = b"\x1c\x02\x74\x00\x03abc"
    resource = b"8BIM\x04\x04\x00\x00" + struct.pack(">I", len(record)) + record + b"\x00"
    read = read_embedded(jpeg((0xED, b"Photoshop 3.0\x00" + resource), (0xEB, b"JP..jumb....jumdc2pa")))
    assert read.iptc_iim == record
    assert read.jumbf_present


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<!DOCTYPE html><p>", "html"),
        (b" \n<HTML>", "html"),
        (b"<?xml version='1.0'?><svg xmlns='x'>", "svg"),
        (b"BM" + b"\x00" * 30, "bmp"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00isom", "other"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "heif"),
        (b"BM" + b"\x00" * 4 + b"resv" + b"\x1a\x00\x00\x00\x28\x00\x00\x00" + b"\x00" * 36, "bmp"),
        (b"BMW builds cars, and this text is long enough", "other"),
        (b"\x00\x00\x02\x00\x01\x00" + b"\x20\x20", "ico"),
        (b"\xff\x0a\xfa\x7f\x01", "jxl"),
        (b"\x00\x00\x00\x0cJXL \x0d\x0a\x87\x0a", "jxl"),
        (b"\x00\x00\x00\x0cjP  \x0d\x0a\x87\x0a", "jp2"),
        (b"\xff\x4f\xff\x51\x00\x2f", "jp2"),
        (b"8BPS\x00\x01" + b"\x00" * 20, "psd"),
        (b"plain", "other"),
    ],
)
def test_sniffing(body: bytes, kind: str) -> None:
    assert sniff(body) == kind


@pytest.mark.parametrize("kind", ["BMP", "ICO", "JPEG2000", "TIFF", "GIF", "AVIF"])
def test_both_readers_of_first_bytes_know_what_pillow_draws(kind: str) -> None:
    out = io.BytesIO()
    Image.new("RGB", (32, 32)).save(out, kind)
    assert sniff(out.getvalue()) in IMAGE_FORMATS
    assert imagehead.sniff(out.getvalue()) == sniff(out.getvalue())


@given(st.one_of(IMAGE_BYTES, st.binary(max_size=100)))
def test_what_the_decoder_calls_a_picture_is_one_for_the_gates(body: bytes) -> None:
    if imagehead.sniff(body) in imagehead.DECODABLE:
        assert sniff(body) in IMAGE_FORMATS


@pytest.mark.parametrize("magic", [b"\xff\x0a", b"\0\0\0\x0cJXL ", b"\0\0\0\x0cjP  ", b"8BPS\0\1"])
def test_pictures_known_by_sight_alone(magic: bytes) -> None:
    body = magic + bytes(60)
    assert sniff(body) == imagehead.sniff(body)
    assert sniff(body) in IMAGE_FORMATS - imagehead.DECODABLE


# --------------------------------------------------------------------------------------------- XMP


def test_all_forms_of_a_property() -> None:
    packet = xmp_packet(
        'cc:a="attribute"',
        '<cc:b>text</cc:b><cc:c rdf:resource="urn:x"/>'
        '<cc:d><rdf:Alt><rdf:li xml:lang="x-default">one</rdf:li>'
        '<rdf:li xml:lang="ja">二</rdf:li></rdf:Alt></cc:d>'
        '<cc:e rdf:parseType="Resource"><cc:f>inner</cc:f></cc:e>'
        "<cc:g><rdf:Description><rdf:value>qualified</rdf:value></rdf:Description></cc:g>",
    )
    read = parse_xmp(b'<?xpacket begin=""?>' + packet + b"\n  <?xpacket end='w'?>\x00")
    cc = "http://creativecommons.org/ns#"
    assert read.values(cc, "a") == ("attribute",)
    assert read.values(cc, "b") == ("text",)
    assert read.values(cc, "c") == ("urn:x",)
    assert read.values(cc, "d") == ("one", "二")
    assert read.values(cc, "f") == ()
    assert read.anywhere(cc, "f") == ("inner",)
    assert read.values(cc, "g") == ("qualified",)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"<",
        b"<a>",
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b"<?xml version='1.0' encoding='no-such'?><a/>",
        b"<a>" * (MAX_DEPTH + 1) + b"</a>" * (MAX_DEPTH + 1),
        b"<a>" + b"<b/>" * 60_000 + b"</a>",
        b"\xff\xfe<\x00",
    ],
)
def test_a_packet_that_is_malformed_or_too_much(packet: bytes) -> None:
    with pytest.raises(CarrierError):
        parse_xmp(packet)


def test_nested_containers_take_linear_time() -> None:
    inner = b"<cc:x><rdf:Bag><rdf:li>" * 18 + b"y" + b"</rdf:li></rdf:Bag></cc:x>" * 18
    assert cpu_seconds(lambda: parse_xmp(xmp_packet("", inner.decode())), 0.5) < 0.5


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_xmp_raises_nothing_but_carrier_errors(packet: bytes) -> None:
    with suppress(CarrierError):
        parse_xmp(packet)


# -------------------------------------------------------------------------------------- properties


@given(st.one_of(IMAGE_BYTES, st.binary(max_size=200)))
@settings(max_examples=400)
def test_no_bytes_make_it_raise(body: bytes) -> None:
    read = read_embedded(body)
    assert isinstance(read, EmbeddedMetadata)
    for mode in ("spec", "policy"):
        for signal in PROTOCOL.read_image(read, reading(mode)):  # type: ignore[arg-type]
            assert signal.effect is not Effect.PERMITTED
            assert signal.reason


@given(st.sampled_from(sorted(CONTAINERS)), st.integers(0, 5000), st.binary(min_size=1, max_size=4))
@settings(max_examples=300)
def test_damaged_files_do_not_raise(name: str, at: int, bits: bytes) -> None:
    body = CONTAINERS[name](PROHIBITED)
    at %= len(body)
    read_embedded(body[:at] + bits + body[at + len(bits) :])


_HOSTILE = {
    "jpeg fill": b"\xff\xd8" + b"\xff" * 1_000_000,
    "jpeg stuffing": b"\xff\xd8\xff\xda\x00\x02" + b"\xff\x00" * 500_000,
    "jpeg markers": b"\xff\xd8" + b"\xff\xe1\x00\x02" * 250_000,
    "jpeg packets": b"\xff\xd8" + (b"\xff\xe1\x00\x1f" + XAP) * 33_000,
    "jpeg extended": jpeg(
        *[(0xE1, EXTENSION + b"%032d" % n + struct.pack(">II", 9, 0)) for n in range(12_000)]
    ),
    "png chunks": b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\x00tEXt\x00\x00\x00\x00" * 83_000,
    "webp chunks": b"RIFF\x00\x00\x10\x00WEBP" + b"XMP \x00\x00\x00\x00" * 125_000,
    "gif blocks": b"GIF89a" + b"\x01\x00" * 3 + b"\x00" + b"\x21\xfe\x00" * 333_000,
    "gif sub-blocks": b"GIF89a" + b"\x01\x00" * 3 + b"\x00\x21\xfe" + b"\x01a" * 500_000,
    "tiff loop": b"II*\x00\x08\x00\x00\x00" + b"\x01\x00" * 500_000,
    "boxes": b"\x00\x00\x00\x10ftypavif\x00\x00\x00\x00" + b"\x00\x00\x00\x08free" * 125_000,
    "scan": b"<x:xmpmeta " * 90_000,
    "words": b"jumb" * 250_000,
}


@pytest.mark.parametrize("name", _HOSTILE)
def test_a_megabyte_of_anything_takes_less_than_a_second(name: str) -> None:
    assert cpu_seconds(lambda: read_embedded(_HOSTILE[name]), 1.0) < 1.0


def test_pillow_writes_itxt_that_is_read() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", PROHIBITED.decode(), zip=True)
    assert effects(drawn("PNG", pnginfo=info)) == [Effect.RESERVED]
