"""Names and fingerprints of images: ids from digests, digests of bytes and of pixels, PDQ.

Pixel digests and PDQ depend on the decoder, so records carry `decoder_version()` beside them.
"""

from __future__ import annotations

import hashlib
from functools import cache

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

_ID_HEX = 32  # 128 bits
_PDQ_SIDE = 512
_MODES = {3: "RGB", 4: "RGBA"}


def sha256_bytes(body: bytes) -> str:
    """The sha256 of `body`, hex."""
    return hashlib.sha256(body).hexdigest()


def uid_of(sha256_hex: str) -> str:
    """An image's uid: the first 128 bits, in hex, of the sha256 of its original bytes.

    Raises ValueError for anything but 64 lower-case hex digits.
    """
    if len(sha256_hex) != 64 or set(sha256_hex) - set("0123456789abcdef"):
        raise ValueError(f"not a sha256 in lower-case hex: {sha256_hex[:80]!r}")
    return sha256_hex[:_ID_HEX]


def candidate_id(image_url: str, page_url: str) -> str:
    """The id of a candidate: 128 bits, in hex, of sha256(image URL, NUL, page URL).

    Both URLs as `netguard.normalise_url` gives them; a URL-list row without a page has page_url "".
    """
    joined = image_url.encode("utf-8") + b"\x00" + page_url.encode("utf-8")
    return hashlib.sha256(joined).hexdigest()[:_ID_HEX]


def pixel_sha256(pixels: Pixels) -> str:
    """The sha256, hex, of upright pixels, uint8 of shape (height, width, 3 or 4).

    Taken over the ASCII header `MODE WIDTH HEIGHT\\n` and then the rows, top to bottom. Raises ValueError.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in _MODES:
        raise ValueError(f"pixels must be uint8 of shape (h, w, 3 or 4), not {pixels.dtype} {pixels.shape}")
    height, width, channels = pixels.shape
    digest = hashlib.sha256(f"{_MODES[channels]} {width} {height}\n".encode("ascii"))
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def pdq(pixels: Pixels) -> tuple[str, int]:
    """PDQ of uint8 (height, width, 3): the 256-bit hash as 64 hex digits, and its quality (0 to 100).

    Larger pictures are first brought to 512 x 512, as PDQ's reference hasher does. A quality below 50
    means too little structure to match on (a blank or a gradient).
    """
    import pdqhash
    from PIL import Image

    if max(pixels.shape[:2]) > _PDQ_SIDE:
        side = (_PDQ_SIDE, _PDQ_SIDE)
        small = Image.fromarray(pixels).resize(side, Image.Resampling.BOX, reducing_gap=1.0)
        pixels = np.asarray(small)
    bits, quality = pdqhash.compute(np.ascontiguousarray(pixels))
    return np.packbits(bits.astype(np.uint8)).tobytes().hex(), int(quality)


@cache
def decoder_version() -> str:
    """The decoders that pixel digests and PDQ depend on, e.g. `pillow-13.0.0 libjpeg_turbo-3.2.0 ...`."""
    from importlib.metadata import version

    from PIL import features

    parts = [f"pillow-{version('pillow')}"]
    for name in ("libjpeg_turbo", "zlib", "webp", "avif", "libtiff", "littlecms2"):
        found = features.version(name) if features.check(name) else None
        parts.append(f"{name}-{found or 'none'}")
    parts.append(f"pdqhash-{version('pdqhash')}")
    return " ".join(parts)
