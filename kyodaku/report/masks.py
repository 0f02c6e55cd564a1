"""Masks of findings, made to be laid over a picture: see-through but where something was seen."""

from __future__ import annotations

import base64
import io
import struct

from kyodaku.report.html import Html, tag
from kyodaku.report.plaintext import plain

#: Longest side of a mask (curation.annotators.base.Finding), and what a file of one may weigh.
_SIDE, _BYTES = 64, 16_384
_HEAD = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
#: Colour of what was seen, and the most of the picture that it covers (of 255).
_COLOUR, _COVER = (255, 0, 96), 150


def tinted(mask: bytes) -> bytes | None:
    """The mask (8-bit grey PNG, at most 64 pixels a side) as an RGBA PNG; None if it is not one, or black."""
    if not mask.startswith(_HEAD) or not 33 <= len(mask) <= _BYTES:
        return None
    width, height, depth, colour = struct.unpack_from(">IIBB", mask, len(_HEAD))
    if not (1 <= width <= _SIDE and 1 <= height <= _SIDE and (depth, colour) == (8, 0)):
        return None
    from PIL import Image

    try:
        grey = Image.open(io.BytesIO(mask), formats=("PNG",)).convert("L")
    except (OSError, ValueError, SyntaxError):
        return None
    if not grey.getbbox():
        return None
    made = Image.new("RGBA", grey.size, _COLOUR)
    made.putalpha(grey.point(lambda value: value * _COVER // 255))
    file = io.BytesIO()
    made.save(file, "PNG")
    return file.getvalue()


def masked(source: str, width: int, height: int, alt: str, mask: str) -> Html:
    """A picture with its mask over it, each an address (`data:` or our own); they keep their places at any
    size."""
    return tag(
        "svg",
        tag("image", href=source, width=width, height=height),
        tag("image", href=mask, width=width, height=height, preserveAspectRatio="none", class_="mask"),
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
        aria_label=plain(alt, 300) or "–",
    )


def png_address(png: bytes) -> str:
    """A PNG as a `data:` address."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
