"""Names in markup that say how the rest is read: what is inline, what nobody sees, where pictures stand."""

from __future__ import annotations

import re

_INLINE_NAMES = """
a abbr acronym b bdi bdo big cite code data del dfn em font i img ins kbd mark meta q rp rt ruby s samp small
span strong sub sup time tt u var wbr
"""
_INVISIBLE_NAMES = """
head title script style noscript template textarea select option iframe object svg noembed noframes
"""
INLINE = frozenset(_INLINE_NAMES.split())
INVISIBLE = frozenset(_INVISIBLE_NAMES.split())
HIDING_STYLE = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
#: Where lazy-loading scripts keep the address that they put into `src`, the largest kind first.
LAZY_SRC = (
    "data-full-src",
    "data-full",
    "data-large-src",
    "data-large_image",
    "data-hi-res-src",
    "data-zoom-image",
    "data-original",
    "data-src",
    "data-lazy-src",
    "data-lazy",
    "data-actualsrc",
)
LAZY_SRCSET = ("data-srcset", "data-lazy-srcset", "data-original-set")
SRCSETS = ("srcset", *LAZY_SRCSET)
#: File names that an address of a picture ends with.
IMAGE_SUFFIXES = (
    ".jpg",
    ".jpeg",
    ".jpe",
    ".jfif",
    ".png",
    ".webp",
    ".gif",
    ".avif",
    ".tif",
    ".tiff",
    ".heic",
    ".heif",
)
