"""Pictures of the small web, as bytes in JPEG, PNG, WebP or GIF. Nothing here is stored in the repository.

Photographs come out of the scikit-image package (see CREDITS.md for each licence), everything else is
drawn by `tests.web.art` from a seed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any
from zlib import crc32

from PIL import ExifTags, Image, PngImagePlugin

from tests.web import art
from tests.web.model import Picture

MIMES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}


def encode(image: Image.Image, kind: str = "JPEG", xmp: bytes = b"", **options: Any) -> bytes:
    """`image` as a file of a `kind` (JPEG, PNG, WEBP, GIF); `xmp` becomes its XMP packet."""
    if kind == "PNG" and xmp:
        chunk = PngImagePlugin.PngInfo()
        chunk.add_itxt("XML:com.adobe.xmp", xmp.decode())
        options["pnginfo"] = chunk
    elif xmp:
        options["xmp"] = xmp
    defaults: dict[str, Any] = {"quality": 90} if kind == "JPEG" else {}
    file = BytesIO()
    image.save(file, kind, **(defaults | options))
    return file.getvalue()


def photograph(name: str) -> Picture:
    """A photograph of scikit-image as a JPEG."""
    return Picture(lambda: encode(open_photograph(name), quality=92), "image/jpeg")


def open_photograph(name: str) -> Image.Image:
    """The photograph `name` (a file of `skimage/data` such as `coffee.png`), decoded, as RGB."""
    import skimage.data

    with Image.open(Path(skimage.data.__file__).parent / name) as image:
        return image.convert("RGB")


def drawn(
    motif: art.Motif,
    seed: int,
    size: art.Size = (480, 360),
    kind: str = "JPEG",
    xmp: bytes = b"",
    **options: Any,
) -> Picture:
    """A drawing of `motif`, the same for the same seed; `options` go to Pillow's encoder."""
    return Picture(lambda: encode(motif(seed, size), kind, xmp, **options), MIMES[kind])


def raw(body: bytes | Callable[[], bytes], mime: str) -> Picture:
    """Any bytes under any type."""
    return Picture(body if callable(body) else partial(bytes, body), mime)


def camera_exif() -> Image.Exif:
    """EXIF as a camera with a GPS receiver writes it, with a serial number. Place: a public park."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Examplar"
    exif[ExifTags.Base.Model] = "Examplar One"
    exif[ExifTags.Base.Artist] = "The museum's photographer"
    exif[ExifTags.Base.Orientation] = 1
    exif.get_ifd(ExifTags.IFD.Exif).update(
        {
            ExifTags.Base.BodySerialNumber: "SN-4711-0815",
            ExifTags.Base.DateTimeOriginal: "2019:04:07 10:00:00",
        }
    )
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(
        {
            ExifTags.GPS.GPSLatitudeRef: "N",
            ExifTags.GPS.GPSLatitude: (35.0, 42.0, 57.25),
            ExifTags.GPS.GPSLongitudeRef: "E",
            ExifTags.GPS.GPSLongitude: (139.0, 46.0, 26.75),
        }
    )
    return exif


def plus_xmp(value: str) -> bytes:
    """An XMP packet with a PLUS Data Mining value (its last path segment)."""
    return xmp_packet(
        'xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" '
        f'plus:DataMining="http://ns.useplus.org/ldf/vocab/{value}"'
    )


def licence_xmp(licence: str) -> bytes:
    """An XMP packet that states a licence."""
    return xmp_packet(
        'xmlns:cc="http://creativecommons.org/ns#" xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/"'
        f' xmpRights:WebStatement="{licence}"',
        f'<cc:license rdf:resource="{licence}"/>',
    )


def xmp_packet(attributes: str, children: str = "") -> bytes:
    """An XMP packet with one rdf:Description."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {attributes}>{children}</rdf:Description>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def painted(
    label: str,
    size: art.Size = (480, 360),
    kind: str = "JPEG",
    xmp: bytes = b"",
    motif: art.Motif | None = None,
    **options: Any,
) -> Picture:
    """A drawing of its own for every label; the label chooses the motif too unless one is given."""
    seed = crc32(label.encode())
    return drawn(motif or art.MOTIFS[seed % len(art.MOTIFS)], seed, size, kind, xmp, **options)
