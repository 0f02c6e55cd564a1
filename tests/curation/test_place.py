"""Whether a file says where its picture was taken: yes, no, or nobody could read it."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from curation.annotators.basics import says_where
from kyodaku.reasons import FilterReason, QuarantineReason
from kyodaku.recipe import Filters
from kyodaku.signals.carriers.embedded import read_embedded
from tests.curation.fixtures import jpeg, picture
from tests.curation.looking import ruled

RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
EXIF = 'xmlns:exif="http://ns.adobe.com/exif/1.0/"'
DJI = 'xmlns:drone="http://www.dji.com/drone-dji/1.0/"'
GEO = 'xmlns:geo="http://www.w3.org/2003/01/geo/wgs84_pos#"'
ITEM = "<rdf:li rdf:parseType='Resource'><exif:GPSLatitude>35,0.0N</exif:GPSLatitude></rdf:li>"


def with_xmp(attributes: str, content: str = "") -> bytes:
    packet = (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {RDF}><rdf:Description rdf:about="" {attributes}>'
        f"{content}</rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    return saved("JPEG", xmp=packet.encode())


def saved(kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture(1).save(out, kind, **options)
    return out.getvalue()


def with_exif() -> bytes:
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (35.0, 39.0, 31.0), 3: "E", 4: (139.0, 44.0, 43.0)})
    return jpeg(1, exif=exif)


def place(body: bytes) -> bool | None:
    return says_where(read_embedded(body))


@pytest.mark.parametrize(
    ("attributes", "content"),
    [
        (f'{EXIF} exif:GPSLatitude="35,0.0N"', ""),
        (EXIF, "<exif:GPSLongitude>139,0.0E</exif:GPSLongitude>"),
        (f'{EXIF} xmlns:i="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"',
         f"<i:LocationCreated><rdf:Bag>{ITEM}</rdf:Bag></i:LocationCreated>"),
        (f'{DJI} drone:GpsLatitude="35.0"', ""),
        (f'{GEO} geo:lat="35.0"', ""),
    ],
)  # fmt: skip
def test_xmp_says_where_as_exif_does(attributes: str, content: str) -> None:
    assert place(with_xmp(attributes, content)) is True


def test_so_do_exif_and_the_text_chunks_of_imagemagick() -> None:
    info = PngInfo()
    info.add_text("exif:GPSLatitude", "35/1, 0/1, 0/1")
    assert place(saved("PNG", pnginfo=info)) is True
    assert place(with_exif()) is True


def test_other_metadata_says_nothing_of_it() -> None:
    assert place(jpeg(1)) is False
    assert place(with_xmp(f'{EXIF} exif:PixelXDimension="320"')) is False


def test_what_cannot_be_read_may_say_where() -> None:
    body = with_exif()
    start = body.index(b"Exif\0\0") + 6
    for at in (0, 2, 4, 8 + 2 + 4):  # byte order, version, first directory, how much there is
        broken = bytearray(body)
        broken[start + at] ^= 0xFF
        broken[start + at + 1] ^= 0xFF
        assert place(bytes(broken)) is None, at
    assert place(saved("JPEG", xmp=b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF')) is None


def test_a_recipe_that_drops_positions_sets_aside_what_nobody_could_read() -> None:
    asked = Filters.model_validate({"privacy": {"drop_gps": True}})
    assert ruled(asked, apply="privacy", has_gps=None) is QuarantineReason.NOT_LOOKED_AT
    assert ruled(asked, apply="privacy", has_gps=True) is FilterReason.GPS
    assert ruled(Filters(), apply="privacy", has_gps=None) is None
