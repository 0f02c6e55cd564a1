"""Metadata inside an image file, found by its byte structure alone: nothing is decoded to pixels."""

from __future__ import annotations

from dataclasses import dataclass

from kyodaku.signals.carriers.xmp import XmpProperties


@dataclass(frozen=True)
class XmpPacket:
    """One XMP packet and where it was; `properties` is None when it could not be parsed, and `error` says why."""

    raw: bytes
    source: str
    properties: XmpProperties | None
    error: str = ""


@dataclass(frozen=True)
class EmbeddedMetadata:
    """What an image file says about itself.

    `format` is sniffed: jpeg, png, webp, gif, tiff, avif, heif, bmp, ico, svg, html or other.
    `width`, `height` in pixels and `frames` are what the header promises, 0 where not read.
    `complete` is False when the file was cut or its structure is broken (`problems` says where).
    `raw_hit` means the bytes hold a PLUS data-mining word although no XMP packet parsed.
    `digest` is the sha256 hex of the file.
    """

    url: str
    digest: str
    fetched_at: float
    format: str
    width: int
    height: int
    frames: int
    xmp: tuple[XmpPacket, ...]
    exif: bytes
    exif_copyright: str
    exif_artist: str
    orientation: int
    has_gps: bool
    iptc_iim: bytes
    jumbf_present: bool
    raw_hit: bool
    complete: bool
    problems: tuple[str, ...]


def read_embedded(
    body: bytes, *, url: str = "", fetched_at: float = 0.0, complete: bool = True
) -> EmbeddedMetadata:
    """Read the metadata of an image file. Never raises; what could not be read is in `problems`."""
    raise NotImplementedError
