"""What any picture has: format, size, digests of its pixels, PDQ, and whether it says where it was taken."""

from __future__ import annotations

from typing import Any

from kyodaku.copies import copy_prints
from kyodaku.errors import DecodeError
from kyodaku.fingerprint import decoder_version
from kyodaku.safedecode import Decoded
from kyodaku.signals.carriers.embedded import C2PA_UNREADABLE, EmbeddedMetadata, read_embedded
from kyodaku.signals.carriers.xmp import XmpProperty

#: Basic Geo (W3C), whose names do not say GPS.
_GEO = "http://www.w3.org/2003/01/geo/wgs84_pos#"
#: What holds no coordinates, though it cannot be read.
_PLACELESS = (C2PA_UNREADABLE, "IPTC-IIM")

_NOTHING: dict[str, Any] = {
    "failure": "",
    "format": "",
    "mode": "",
    "width": 0,
    "height": 0,
    "frames": 0,
    "orientation": 0,
    "has_alpha": False,
    "has_gps": False,
    "pixel_sha256": "",
    "pdq": "",
    "pdq_quality": 0,
    "pdq_trimmed": "",
    "pdq_frames": b"",
    "decoder": "",
}


def basic_facts(body: bytes, facts: Decoded) -> dict[str, Any]:
    """The columns of ANNOTATIONS from `status` to `decoder`, for the bytes of an image that was decoded."""
    prints = copy_prints(facts.pixels, facts.pdq, facts.pdq_quality)
    return {
        "status": "ok",
        "failure": "",
        "format": facts.format,
        "mode": facts.mode,
        "width": facts.width,
        "height": facts.height,
        "frames": facts.frames,
        "orientation": facts.orientation,
        "has_alpha": facts.has_alpha,
        "has_gps": says_where(read_embedded(body)),
        "pixel_sha256": facts.pixel_sha256,
        "pdq": facts.pdq,
        "pdq_quality": facts.pdq_quality,
        "pdq_trimmed": prints.trimmed,
        "pdq_frames": prints.frames,
        "decoder": decoder_version(),
    }


def says_where(embedded: EmbeddedMetadata) -> bool | None:
    """Whether metadata holds coordinates: EXIF, XMP in any namespace, texts of a PNG. None where some that
    may hold them cannot be read."""
    properties = [
        prop for packet in embedded.xmp if packet.properties for prop in packet.properties.properties
    ]
    texts = any(text.key.lower().startswith("exif:gps") for text in embedded.texts)
    if embedded.has_gps or texts or any(map(_is_place, properties)):
        return True
    unread = [what for what in embedded.unreadable if not what.startswith(_PLACELESS)]
    broken = [what for what in embedded.problems if embedded.format == "tiff" or what.startswith("EXIF")]
    return None if unread or broken else False


def _is_place(prop: XmpProperty) -> bool:
    return prop.name.lower().startswith("gps") or prop.namespace == _GEO


def failed_image(error: DecodeError) -> dict[str, Any]:
    """The same for one that cannot be decoded within its limits: status `failed` and its FailReason."""
    return {**_NOTHING, "status": "failed", "failure": error.reason.value, "decoder": decoder_version()}


def unknown_image() -> dict[str, Any]:
    """The columns of an image whose bytes were purged before anything was known about them."""
    return {**_NOTHING, "status": "purged"}
