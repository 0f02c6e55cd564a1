"""Released pictures: not one coordinate, the same pixels, the same bytes every time."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from PIL.TiffImagePlugin import IFDRational

from kyodaku.errors import DecodeError
from kyodaku.fingerprint import Pixels
from kyodaku.reasons import FailReason
from kyodaku.release import containers
from kyodaku.release.images import ReleasedImage, rewrite_for_release
from kyodaku.release.scrub import clean_exif, clean_iim, clean_xmp
from kyodaku.safedecode import DecodeLimits, SafeDecoder

LIMITS = DecodeLimits(formats=frozenset({"jpeg", "png", "webp", "gif", "tiff", "avif"}))

# One place, written in every way that the files below use.
LATITUDE = (IFDRational(59), IFDRational(19), IFDRational(4548, 100))
LONGITUDE = (IFDRational(18), IFDRational(4), IFDRational(673, 100))
SPELLINGS = ("59,19.758N", "59.3293", "18.0686", "Gamla Stan", "SN-4711", "Jane Owner")
COORDINATE_BYTES = [
    *(text.encode() for text in SPELLINGS),
    *(struct.pack(order + "II", 4548, 100) for order in "<>"),
    *(struct.pack(order + "II", 1137, 25) for order in "<>"),  # the same, reduced
    *(struct.pack(order + "II", 673, 100) for order in "<>"),
]
XMP_GPS = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="59.3293" xmlns:exif="http://ns.adobe.com/exif/1.0/"
  xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/"
  xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/"
  xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/" xmlns:cc="http://creativecommons.org/ns#"
  xmlns:Iptc4xmpCore="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/" xmlns:aux="http://ns.adobe.com/exif/1.0/aux/"
  xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
  exif:GPSLatitude="59,19.758N" exif:GPSLongitude="18.0686" aux:SerialNumber="SN-4711"
  photoshop:City="Gamla Stan" photoshop:Credit="A &amp; B Agency" xmpMM:DocumentID="xmp.did:59.3293"
  plus:DataMining="http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING" xmpRights:Marked="True">
 <dc:rights><rdf:Alt><rdf:li xml:lang="x-default">© José &lt;2020&gt;</rdf:li></rdf:Alt></dc:rights>
 <dc:creator><rdf:Seq><rdf:li>José</rdf:li><rdf:li>Ana</rdf:li></rdf:Seq></dc:creator>
 <dc:title><rdf:Bag><rdf:li rdf:parseType="Resource"><dc:x>59.3293</dc:x></rdf:li></rdf:Bag></dc:title>
 <dc:description>Gamla Stan</dc:description>
 <cc:license rdf:resource="https://creativecommons.org/licenses/by/4.0/"/>
 <Iptc4xmpExt:DigitalSourceType>digitalCapture</Iptc4xmpExt:DigitalSourceType>
 <Iptc4xmpExt:LocationCreated><rdf:Bag><rdf:li>Gamla Stan</rdf:li></rdf:Bag></Iptc4xmpExt:LocationCreated>
 <Iptc4xmpCore:CreatorContactInfo rdf:parseType="Resource">
  <Iptc4xmpCore:CiAdrCity>Gamla Stan</Iptc4xmpCore:CiAdrCity>
 </Iptc4xmpCore:CreatorContactInfo>
 <xmpMM:History><rdf:Seq><rdf:li rdf:parseType="Resource">
  <rdf:Description dc:rights="59.3293"/></rdf:li></rdf:Seq></xmpMM:History>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>""".encode()


@pytest.fixture(scope="module")
def decoder() -> Iterator[SafeDecoder]:
    with SafeDecoder(LIMITS) as pool:
        yield pool


def release(
    decoder: SafeDecoder, body: bytes, fmt: str, policy: str = "jpeg", max_side: int | None = None
) -> ReleasedImage:
    assert policy in ("jpeg", "original")
    kind = "jpeg" if policy == "jpeg" else "original"
    return rewrite_for_release(body, fmt, policy=kind, max_side=max_side, decoder=decoder)  # type: ignore[arg-type]


def picture(width: int = 160, height: int = 120) -> Pixels:
    return np.random.default_rng(7).integers(0, 255, (height, width, 3), np.uint8)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)  # type: ignore[arg-type]
    return file.getvalue()


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def gps_exif(order: str = "<", orientation: int = 6) -> bytes:
    """A TIFF stream with GPS, a maker note, serial numbers and a thumbnail that holds the place once more."""
    exif = Image.Exif()
    exif.endian = order
    exif[0x010E] = "Gamla Stan, 59.3293"  # ImageDescription
    exif[0x010F] = "Kamera"
    exif[0x0110] = "K-1\0SN-4711"
    exif[0x0112] = orientation
    exif[0x8298] = "© José"
    details = exif.get_ifd(0x8769)
    details[0x829A] = IFDRational(1, 250)
    details[0x9000] = b"0232"
    details[0x9003] = "2020:01:02 03:04:05"
    details[0x927C] = b"Maker\0\0" + b"".join(COORDINATE_BYTES)
    details[0x9286] = b"ASCII\0\0\059.3293 18.0686"
    details[0xA430] = "Jane Owner"
    details[0xA431] = "SN-4711"
    details[0xA434] = "Lens 50mm"
    details[0xA435] = "SN-4711"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", LATITUDE, "E", LONGITUDE
    tiff = exif.tobytes().removeprefix(b"Exif\0\0")
    return _with_thumbnail(tiff, order)


def _with_thumbnail(tiff: bytes, order: str) -> bytes:
    """Chain a second directory whose JPEG thumbnail holds the coordinates once more."""
    thumbnail = encoded(Image.new("RGB", (8, 8)), "jpeg", comment=b"59.3293 18.0686")
    at = struct.unpack_from(order + "I", tiff, 4)[0]
    count = struct.unpack_from(order + "H", tiff, at)[0]
    next_at = at + 2 + 12 * count
    body = bytearray(tiff + b"\0" * (len(tiff) % 2))
    struct.pack_into(order + "I", body, next_at, len(body))
    data_at = len(body) + 2 + 24 + 4
    rows = struct.pack(order + "HHHIIHHII", 2, 0x0201, 4, 1, data_at, 0x0202, 4, 1, len(thumbnail))
    return bytes(body) + rows + bytes(4) + thumbnail


def iim(*datasets: tuple[int, int, bytes]) -> bytes:
    return b"".join(struct.pack(">BBBH", 0x1C, r, n, len(text)) + text for r, n, text in datasets)


def resources(*blocks: tuple[int, bytes]) -> bytes:
    return b"Photoshop 3.0\0" + b"".join(
        struct.pack(">4sHHI", b"8BIM", number, 0, len(content)) + content + b"\0" * (len(content) % 2)
        for number, content in blocks
    )


def gps_jpeg(order: str = "<", orientation: int = 6) -> bytes:
    """A JPEG that gives its place away in every segment that can."""
    plain = encoded(
        Image.fromarray(picture()),
        "jpeg",
        quality=80,
        icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    )
    captions = iim(
        (1, 90, b"\x1b%G"),
        (2, 80, "José".encode()),
        (2, 90, b"Gamla Stan"),
        (2, 110, b"Agency"),
        (2, 116, b"(c) 2020"),
        (2, 120, b"59.3293 18.0686"),
    )
    extra = [
        segment(0xE1, b"Exif\0\0" + gps_exif(order, orientation)),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP_GPS),
        segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(40) + b"59.3293"),
        segment(0xE2, b"FPXR\0" + b"59.3293"),
        segment(0xEB, b"JP\0\x01\0\0\0\x01\0\0\0\x20jumb59.3293 c2pa"),
        segment(0xED, resources((0x0404, captions), (0x040C, b"thumbnail 59.3293"), (0x0425, b"SN-4711"))),
        segment(0xEF, b"vendor 18.0686"),
        segment(0xFE, b"comment 59.3293 18.0686"),
    ]
    trailer = encoded(Image.new("RGB", (16, 16)), "jpeg") + b"motion photo 59.3293"
    sos = plain.index(b"\xff\xda")
    between = segment(0xFE, b"late comment 59.3293")
    return plain[:2] + b"".join(extra) + plain[2:sos] + between + plain[sos:] + trailer


def assert_no_place(body: bytes) -> None:
    """In no byte, packed or plain, and in nothing that unpacks."""
    for found in (body, *_unpacked_png_texts(body)):
        for spelling in COORDINATE_BYTES:
            assert spelling not in found, spelling
        assert b"GPS" not in found


def _unpacked_png_texts(body: bytes) -> list[bytes]:
    if not body.startswith(b"\x89PNG"):
        return []
    texts = []
    for name in (b"zTXt", b"iTXt", b"tEXt"):
        if name in body:
            texts.append(body[body.index(name) :])
    return texts


# --- JPEG


def test_the_file_under_test_does_give_its_place_away() -> None:
    for order in "<>":
        body = gps_jpeg(order)
        assert all(text.encode() in body for text in SPELLINGS)
        packed = [struct.pack(order + "II", *pair) for pair in ((4548, 100), (1137, 25))]
        assert any(pair in gps_exif(order).replace(b"".join(COORDINATE_BYTES), b"") for pair in packed)
        assert gps_exif(order)[:2] == {"<": b"II", ">": b"MM"}[order]
        gps = Image.open(io.BytesIO(body)).getexif().get_ifd(0x8825)
        assert gps[2] == (59.0, 19.0, 45.48)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("policy", ["jpeg", "original"])
def test_a_jpeg_loses_its_place_and_keeps_its_pixels(decoder: SafeDecoder, order: str, policy: str) -> None:
    body = gps_jpeg(order)
    released = release(decoder, body, "jpeg", policy)
    assert_no_place(released.body)
    assert (released.ext, released.changed_pixels) == ("jpg", False)
    assert (released.width, released.height) == (120, 160)  # upright
    before, after = Image.open(io.BytesIO(body)), Image.open(io.BytesIO(released.body))
    assert np.array_equal(np.asarray(before), np.asarray(after))
    assert np.array_equal(decoder.decode(body).pixels, decoder.decode(released.body).pixels)
    assert containers.read_jpeg(body).picture == containers.read_jpeg(released.body).picture
    assert after.info["icc_profile"] == before.info["icc_profile"]
    assert released.body.count(b"\xff\xd8\xff") == 1
    assert released.body.endswith(b"\xff\xd9")


def test_the_same_bytes_give_the_same_bytes(decoder: SafeDecoder) -> None:
    body = gps_jpeg()
    first = release(decoder, body, "jpeg")
    assert release(decoder, body, "jpeg") == first
    assert release(decoder, first.body, "jpeg") == first  # nothing is left to take away


@pytest.mark.parametrize("order", "<>")
def test_exif_keeps_orientation_and_credit(decoder: SafeDecoder, order: str) -> None:
    released = release(decoder, gps_jpeg(order), "jpeg")
    exif = Image.open(io.BytesIO(released.body)).getexif()
    assert exif[0x0112] == 6
    assert exif[0x0110] == "K-1"
    details = exif.get_ifd(0x8769)
    assert details[0x829A] == IFDRational(1, 250)
    assert set(exif) == {0x010F, 0x0110, 0x0112, 0x8298, 0x8769}
    assert set(details) == {0x829A, 0x9000, 0x9003, 0xA434}
    assert not exif.get_ifd(0x8825)
    assert released.exif["Orientation"] == 6
    assert released.exif["ExposureTime"] == 0.004
    assert released.exif["LensModel"] == "Lens 50mm"
    assert released.exif["ExifVersion"] == "0232"


def test_xmp_and_iim_keep_rights_and_credit(decoder: SafeDecoder) -> None:
    released = release(decoder, gps_jpeg(), "jpeg")
    metadata = containers.read_jpeg(released.body).metadata
    xmp = metadata.xmp.decode()
    for kept in (
        "<photoshop:Credit>A &amp; B Agency</photoshop:Credit>",
        "<plus:DataMining>http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING</plus:DataMining>",
        '<rdf:li xml:lang="x-default">© José &lt;2020&gt;</rdf:li>',
        "<dc:creator><rdf:Seq><rdf:li>José</rdf:li><rdf:li>Ana</rdf:li></rdf:Seq></dc:creator>",
        '<cc:license rdf:resource="https://creativecommons.org/licenses/by/4.0/"></cc:license>',
        "<Iptc4xmpExt:DigitalSourceType>digitalCapture</Iptc4xmpExt:DigitalSourceType>",
        "<xmpRights:Marked>True</xmpRights:Marked>",
    ):
        assert kept in xmp
    assert "dc:title" not in xmp
    assert metadata.iim == iim(
        (1, 90, b"\x1b%G"), (2, 80, "José".encode()), (2, 110, b"Agency"), (2, 116, b"(c) 2020")
    )


def test_a_reserving_picture_still_reserves(decoder: SafeDecoder) -> None:
    """Our own reader of embedded signals sees the same PLUS value after the rewrite."""
    embedded = pytest.importorskip("kyodaku.signals.carriers.embedded")
    for body in (gps_jpeg(), release(decoder, gps_jpeg(), "jpeg").body):
        assert "DMI-PROHIBITED-AIMLTRAINING" in repr(embedded.read_embedded(body))


def test_a_tdm_statement_counts_as_rights() -> None:
    packet = (
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        b'xmlns:t="http://www.w3.org/ns/tdmrep/" t:reservation="0" t:place="59.3293"/></rdf:RDF>'
    )
    cleaned = clean_xmp(packet)
    assert b"<tdm:reservation>0</tdm:reservation>" in cleaned
    assert b"59.3293" not in cleaned


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_survives(decoder: SafeDecoder, orientation: int) -> None:
    body = gps_jpeg(orientation=orientation)
    released = release(decoder, body, "jpeg")
    assert np.array_equal(decoder.decode(released.body).pixels, decoder.decode(body).pixels)


@pytest.mark.parametrize(
    "options",
    [
        {"progressive": True},
        {"quality": 30, "subsampling": "4:2:0", "restart_marker_blocks": 3},
        {"optimize": True},
    ],
)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_every_kind_of_jpeg_keeps_its_pixels(
    decoder: SafeDecoder, options: dict[str, object], mode: str
) -> None:
    body = encoded(Image.fromarray(picture()).convert(mode), "jpeg", **options)
    released = release(decoder, body, "jpeg")
    before, after = Image.open(io.BytesIO(body)), Image.open(io.BytesIO(released.body))
    assert before.mode == after.mode
    assert np.array_equal(np.asarray(before), np.asarray(after))


def test_a_second_picture_behind_the_first_goes(decoder: SafeDecoder) -> None:
    """MPO: stereo pairs, depth maps and gain maps are whole JPEGs with metadata of their own."""
    second = Image.new("RGB", (160, 120), (1, 2, 3))
    body = encoded(Image.fromarray(picture()), "mpo", save_all=True, append_images=[second])
    assert decoder.inspect(body).frames == 2
    released = release(decoder, body, "jpeg")
    assert b"MPF" not in released.body
    assert released.body.count(b"\xff\xd8\xff") == 1
    assert decoder.inspect(released.body).frames == 1


def test_a_thumbnail_in_the_jfif_header_goes(decoder: SafeDecoder) -> None:
    plain = encoded(Image.fromarray(picture()), "jpeg")
    jfif = plain[2:20]
    assert jfif[4:9] == b"JFIF\0"
    fat = segment(0xE0, jfif[4:16] + b"\x02\x02" + b"59.3293 12345")
    body = plain[:2] + fat + segment(0xE0, b"JFXX\0\x10" + b"18.0686") + plain[20:]
    assert_no_place(release(decoder, body, "jpeg").body)


@pytest.mark.parametrize(
    "options",
    [
        {"quality": 85},
        {"quality": 95, "progressive": True},
        {"quality": 60, "restart_marker_blocks": 2},
        {"quality": 100, "optimize": True, "subsampling": "4:4:4"},
    ],
)
@pytest.mark.parametrize("hidden", [b"59.3293 18.0686", b"Gamla Stan \xff\0 59.3293" * 40, b"\0" * 300])
def test_what_is_hidden_behind_the_last_pixel_goes(
    decoder: SafeDecoder, options: dict[str, object], hidden: bytes
) -> None:
    plain = encoded(Image.fromarray(picture()), "jpeg", **options)
    clean = release(decoder, plain, "jpeg").body
    assert containers.read_jpeg(clean).picture == containers.read_jpeg(plain).picture
    body = plain[:-2] + hidden + plain[-2:]
    released = release(decoder, body, "jpeg").body
    assert_no_place(released)
    assert containers.read_jpeg(released).picture.startswith(containers.read_jpeg(plain).picture)
    assert len(released) < len(clean) + 8
    assert np.array_equal(decoder.decode(body).pixels, decoder.decode(released).pixels)
    assert release(decoder, released, "jpeg").body == released


def test_what_is_hidden_in_tables_for_nothing_goes(decoder: SafeDecoder) -> None:
    plain = encoded(Image.fromarray(picture()), "jpeg")
    place = b"59.3293 18.0686"
    tables = segment(0xDC, b"\0\x78" + place) + segment(0xDB, b"\0" + place * 5)
    for body in (plain[:-2] + tables + plain[-2:], plain[:2] + segment(0xDC, b"\0\x78" + place) + plain[2:]):
        released = release(decoder, body, "jpeg").body
        assert_no_place(released)
        assert containers.read_jpeg(released).picture == containers.read_jpeg(plain).picture
    with pytest.raises(ValueError, match="restart interval"):
        containers.read_jpeg(plain[:2] + segment(0xDD, b"\0\0" + place) + plain[2:])
    kept = plain[:2] + segment(0xDD, b"\0\0") + plain[2:]
    assert segment(0xDD, b"\0\0") in release(decoder, kept, "jpeg").body


def test_broken_jpegs_are_errors_never_unscrubbed(decoder: SafeDecoder) -> None:
    body = gps_jpeg()
    for broken in (body[:200], body[:-1].split(b"\xff\xd9")[0], b"", b"\xff\xd8\xff\xd9"):
        with pytest.raises(DecodeError):
            release(decoder, broken, "jpeg")


# --- everything else becomes JPEG


def _tagged(kind: str, image: Image.Image | None = None, orientation: int = 6) -> bytes:
    image = image or Image.fromarray(picture())
    exif = b"Exif\0\0" + gps_exif(orientation=orientation)
    if kind == "png":
        body = encoded(image, "png", exif=exif)
        text = _chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(XMP_GPS))
        more = _chunk(b"tEXt", b"Comment\x0059.3293") + _chunk(
            b"zTXt", b"Place\0\0" + zlib.compress(b"Gamla Stan")
        )
        return body[:33] + text + more + _chunk(b"teMp", b"18.0686") + body[33:] + b"18.0686 behind the end"
    if kind == "webp":
        body = encoded(image, "webp", lossless=True, exif=exif, xmp=XMP_GPS)
        extra = b"ZZZZ" + struct.pack("<I", 8) + b"59.3293\0"
        size = struct.unpack_from("<I", body, 4)[0]
        return body[:4] + struct.pack("<I", size + len(extra)) + body[8:] + extra + b"18.0686"
    if kind == "gif":
        frames = [image.quantize(64), image.rotate(90, expand=False).quantize(64)]
        body = encoded(frames[0], "gif", save_all=True, append_images=frames[1:], loop=0, comment=b"59.3293")
        application = b"\x21\xff\x0bXMP DataXMP" + b"\x0718.0686" + b"\0"
        return body[:-1] + application + b"\x3b" + b"18.0686"
    return encoded(image, kind, exif=exif)


def _still_gif() -> bytes:
    """With a comment and application data, and bytes behind its end."""
    body = encoded(Image.fromarray(picture()).quantize(64), "gif", comment=b"59.3293")
    return body[:-1] + b"\x21\xff\x0bXMP DataXMP" + b"\x0718.0686" + b"\0" + b"\x3b" + b"18.0686"


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + zlib.crc32(kind + content).to_bytes(4)


@pytest.mark.parametrize("kind", ["png", "webp", "gif", "tiff", "avif"])
def test_other_formats_become_jpeg(decoder: SafeDecoder, kind: str) -> None:
    body = _tagged(kind)
    released = release(decoder, body, kind)
    assert_no_place(released.body)
    assert (released.ext, released.changed_pixels) == ("jpg", True)
    upright = decoder.decode(body).pixels
    after = Image.open(io.BytesIO(released.body))
    assert (after.format, after.mode, after.size) == ("JPEG", "RGB", upright.shape[1::-1])
    assert (released.width, released.height) == after.size
    assert after.getexif().get(0x0112) is None
    assert np.abs(np.asarray(after).astype(int) - upright).mean() < 8
    assert release(decoder, body, kind) == released


def test_transparency_becomes_white(decoder: SafeDecoder) -> None:
    clear = encoded(Image.new("RGBA", (40, 40), (0, 0, 0, 0)), "png")
    assert (decoder.decode(release(decoder, clear, "png").body).pixels == 255).all()


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_credit_is_carried_over(decoder: SafeDecoder, kind: str) -> None:
    released = release(decoder, _tagged(kind), kind)
    xmp = containers.read_jpeg(released.body).metadata.xmp.decode()
    assert "DMI-PROHIBITED-AIMLTRAINING" in xmp
    assert released.exif["Copyright"]
    assert "Orientation" not in released.exif


def test_max_side_resizes_and_stays_upright(decoder: SafeDecoder) -> None:
    body = gps_jpeg()
    released = release(decoder, body, "jpeg", max_side=80)
    assert_no_place(released.body)
    assert (released.width, released.height, released.changed_pixels) == (60, 80, True)
    image = Image.open(io.BytesIO(released.body))
    assert image.size == (60, 80)
    assert image.getexif().get(0x0112) is None
    assert "José" in containers.read_jpeg(released.body).metadata.xmp.decode()
    assert not release(decoder, body, "jpeg", max_side=160).changed_pixels
    assert not release(decoder, body, "jpeg", max_side=0).changed_pixels
    assert release(decoder, body, "jpeg", "original", max_side=80) == released


# --- original


@pytest.mark.parametrize("kind", ["png", "webp", "gif"])
def test_original_formats_are_scrubbed(decoder: SafeDecoder, kind: str) -> None:
    body = _tagged(kind, orientation=1) if kind != "gif" else _still_gif()
    released = release(decoder, body, kind, "original")
    assert_no_place(released.body)
    assert (released.ext, released.changed_pixels) == (kind, False)
    before, after = decoder.decode(body), decoder.decode(released.body)
    assert np.array_equal(before.pixels, after.pixels)
    assert (before.frames, before.orientation) == (after.frames, after.orientation)
    assert release(decoder, released.body, kind, "original") == released
    if kind != "gif":
        assert "Orientation" not in released.exif
        assert b"DMI-PROHIBITED-AIMLTRAINING" in released.body


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_what_only_some_viewers_turn_is_released_turned(decoder: SafeDecoder, kind: str) -> None:
    """Kept as it is, others would show pixels that lie otherwise than those that were looked at."""
    body = _tagged(kind)
    released = release(decoder, body, kind, "original")
    assert (released.ext, released.changed_pixels) == ("jpg", True)
    assert (released.width, released.height) == (120, 160)
    assert released == release(decoder, body, kind, "jpeg")


@pytest.mark.parametrize("kind", ["png", "webp", "gif"])
def test_what_is_encoded_anew_is_scrubbed_too(decoder: SafeDecoder, kind: str) -> None:
    """Animations, and transparency (tests/core/test_release_frames.py)."""
    if kind == "gif":
        body = _tagged(kind)
    else:
        frames = [Image.new("RGBA", (20, 20), (index * 40, 0, 0, 100)) for index in range(4)]
        body = encoded(
            frames[0], kind, save_all=True, append_images=frames[1:], exif=b"Exif\0\0" + gps_exif()
        )
    released = release(decoder, body, kind, "original")
    assert_no_place(released.body)
    assert (released.ext, decoder.inspect(released.body).frames) == ("jpg", 1)
    assert released == release(decoder, body, kind, "jpeg")


@pytest.mark.parametrize("kind", ["tiff", "avif"])
def test_what_cannot_be_scrubbed_is_an_error(decoder: SafeDecoder, kind: str) -> None:
    with pytest.raises(DecodeError) as caught:
        release(decoder, _tagged(kind), kind, "original")
    assert caught.value.reason is FailReason.FORMAT_NOT_ALLOWED


def test_an_orientation_that_no_viewer_reads_is_dropped_and_turns_nothing(decoder: SafeDecoder) -> None:
    """Pillow reads an orientation from ImageMagick's old text chunk."""
    exif = Image.Exif()
    exif[0x0112] = 6
    raw = exif.tobytes()
    text = b"\nexif\n%8d\n" % len(raw) + raw.hex().encode() + b"\n"
    body = encoded(Image.fromarray(picture()), "png")
    body = body[:33] + _chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(text)) + body[33:]
    assert Image.open(io.BytesIO(body)).getexif()[0x0112] == 6, "Pillow reads that chunk"
    released = release(decoder, body, "png", "original")
    assert (released.ext, released.changed_pixels) == ("png", False)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(released.body))), picture())
    assert Image.open(io.BytesIO(released.body)).getexif().get(0x0112) is None


# --- the parts never raise anything unexpected


@given(
    st.binary(max_size=300), st.sampled_from([b"", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"Exif\0\0II*\0"])
)
def test_any_exif_bytes(tail: bytes, head: bytes) -> None:
    cleaned, values = clean_exif(head + tail)
    again, same = clean_exif(cleaned)
    assert (again, same) == (cleaned, values)


@given(st.data())
@settings(max_examples=60)
def test_damaged_exif_never_leaks_what_is_not_listed(data: st.DataObject) -> None:
    tiff = bytearray(gps_exif())
    for _ in range(data.draw(st.integers(1, 5))):
        tiff[data.draw(st.integers(0, len(tiff) - 1))] = data.draw(st.integers(0, 255))
    cleaned, _ = clean_exif(bytes(tiff))
    assert clean_exif(cleaned)[0] == cleaned


@given(st.binary(max_size=200))
def test_any_xmp_and_iim_bytes(content: bytes) -> None:
    assert clean_xmp(content) == b""
    assert clean_iim(clean_iim(content)) == clean_iim(content)
    assert clean_iim(clean_iim(b"\x1c\x02\x50\x00\x01" + content)) == clean_iim(
        b"\x1c\x02\x50\x00\x01" + content
    )


def test_cleaning_xmp_is_idempotent() -> None:
    once = clean_xmp(XMP_GPS)
    assert clean_xmp(once) == once != b""


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"<x/>",
        b"not xml",
        b'<!DOCTYPE x [<!ENTITY a "b">]>' + XMP_GPS[XMP_GPS.index(b"<x:xmpmeta") :],
        XMP_GPS + b" " * (1 << 20) + b"<",
        b"<a>" * 5000,
    ],
)
def test_xmp_that_is_not_plain_is_dropped(packet: bytes) -> None:
    assert clean_xmp(packet) == b""


@given(st.sampled_from(["jpeg", "png", "webp", "gif"]), st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_containers_are_value_errors(kind: str, data: st.DataObject) -> None:
    body = bytearray(_BODIES[kind])
    for _ in range(data.draw(st.integers(1, 6))):
        body[data.draw(st.integers(0, min(len(body) - 1, 2000)))] = data.draw(st.integers(0, 255))
    cut = bytes(body[: data.draw(st.integers(0, len(body)))]) if data.draw(st.booleans()) else bytes(body)
    try:
        if kind == "jpeg":
            parts = containers.read_jpeg(cut)
            containers.write_jpeg(parts, parts.metadata)
        elif kind == "png":
            png = containers.read_png(cut)
            containers.write_png(png, png.metadata)
        elif kind == "webp":
            webp = containers.read_webp(cut)
            containers.write_webp(webp, webp.metadata)
        else:
            containers.scrub_gif(cut)
    except ValueError:
        return


_BODIES = {"jpeg": gps_jpeg(), **{kind: _tagged(kind) for kind in ("png", "webp", "gif")}}
