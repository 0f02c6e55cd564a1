"""The child that decodes pictures. Started by `kyodaku.safedecode`, never imported by anything else.

A request is {task, format, body, ...}; a reply holds facts, or {error, message}, and as payload pixels or a
JPEG. How they travel: `kyodaku._child`.
"""

from __future__ import annotations

import io
import json
import sys
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageFile, UnidentifiedImageError

from kyodaku import fingerprint
from kyodaku._child import Reply, serve
from kyodaku.errors import DecodeError
from kyodaku.orientation import orientation_in
from kyodaku.reasons import FailReason

_ORIENTATION = 0x0112
#: Where Pillow looks for an orientation that no viewer reads, beside EXIF.
_NOT_EXIF = ("xmp", "XML:com.adobe.xmp", "Raw profile type exif")
_PILLOW_NAMES = {name: name.upper() for name in ("jpeg", "png", "webp", "gif", "tiff", "avif")}
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_WIDE_MODES = frozenset({"I", "I;16", "I;16L", "I;16B", "I;16N"})
_WHITE, _BLACK = 255, 0
_PNG_DEPTH = 24  # where the header chunk says it
_ALPHA_MODES = frozenset({"RGBA", "LA", "PA", "RGBa", "La"})


@dataclass(frozen=True)
class _Picture:
    """Upright sRGB: `rgb` as stored under any transparency, `alpha` None where all is opaque."""

    rgb: Image.Image
    alpha: Image.Image | None
    facts: dict[str, Any]

    def over(self, grey: int) -> Image.Image:
        """What is seen over a ground of that grey, 0 to 255."""
        if self.alpha is None:
            return self.rgb
        ground = Image.new("RGB", self.rgb.size, (grey, grey, grey))
        ground.paste(self.rgb, mask=self.alpha)
        return ground


def main(options: dict[str, Any]) -> None:
    """Serve until standard input ends."""
    serve(options, lambda head, body: answer(head, body, options), lambda: prepare(options))


def prepare(options: dict[str, Any]) -> None:
    """Load every plugin while files may still be opened, and set Pillow's own limits."""
    Image.init()
    Image.MAX_IMAGE_PIXELS = options["max_pixels"]
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", Image.DecompressionBombWarning)


def answer(head: dict[str, Any], body: bytes, options: dict[str, Any]) -> Reply:
    """The reply to one request. Raises MemoryError; whatever else breaks is an `error` with its reason."""
    try:
        return _serve(head, body, options)
    except DecodeError as error:
        return {"error": error.reason.value, "message": str(error)}, b""
    except MemoryError:
        raise
    except Exception as error:  # a decoder may raise anything; whatever it is, there is no picture
        message = f"{type(error).__name__}: {error}".splitlines()[0]
        return {"error": FailReason.UNDECODABLE.value, "message": message[:300]}, b""


# --- tasks ------------------------------------------------------------------------------------------


def _serve(
    head: dict[str, Any], body: bytes, options: dict[str, Any]
) -> tuple[dict[str, Any], bytes | memoryview]:
    picture = _open(body, head["format"], options)
    if head["task"] == "encode":
        return _encode(picture.over(_WHITE), head["max_side"])
    pixels: fingerprint.Pixels = np.ascontiguousarray(picture.over(_WHITE), dtype=np.uint8)
    facts = {**picture.facts, "pixel_sha256": _pixel_sha256(picture, pixels)}
    if head["task"] == "digest":
        return facts, b""
    facts["pdq"], facts["pdq_quality"] = fingerprint.pdq(pixels)
    if head["task"] != "decode":
        return facts, b""
    if picture.alpha is not None:
        pixels = np.concatenate((pixels, np.asarray(picture.over(_BLACK))))
    return facts, pixels.data.cast("B")


def _pixel_sha256(picture: _Picture, pixels: fingerprint.Pixels) -> str:
    if picture.alpha is None:
        return fingerprint.pixel_sha256(pixels)
    return fingerprint.pixel_sha256(np.dstack((np.asarray(picture.rgb), np.asarray(picture.alpha))))


def _encode(flat: Image.Image, max_side: int | None) -> tuple[dict[str, Any], bytes]:
    if max_side is not None and max(flat.size) > max_side:
        scale = max_side / max(flat.size)
        size = (max(1, round(flat.width * scale)), max(1, round(flat.height * scale)))
        flat = flat.resize(size, Image.Resampling.LANCZOS)
    file = io.BytesIO()
    flat.save(file, "JPEG", quality=95, subsampling="4:4:4", optimize=False, progressive=False)
    return {"width": flat.width, "height": flat.height}, file.getvalue()


def _open(body: bytes, kind: str, options: dict[str, Any]) -> _Picture:
    try:
        image = Image.open(io.BytesIO(body), formats=(_PILLOW_NAMES[kind],))
    except UnidentifiedImageError as error:
        told = f"it begins like a {kind} file and is none"
        raise DecodeError(told, FailReason.UNDECODABLE) from error
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise DecodeError(str(error), FailReason.PIXEL_BOMB) from error
    frames = int(getattr(image, "n_frames", 1))
    if image.width * image.height > options["max_pixels"]:
        raise DecodeError(f"{image.width} x {image.height} pixels", FailReason.PIXEL_BOMB)
    if frames > options["max_frames"]:
        raise DecodeError(f"{frames} frames", FailReason.PIXEL_BOMB)
    image.seek(0)
    orientation = _orientation(image, body, kind)
    image.load()
    profile = _profile(image)
    facts = {"format": kind, "mode": image.mode, "frames": frames, "orientation": orientation}
    colour, alpha = _separate(image, body[_PNG_DEPTH] if kind == "png" else 8)
    rgb = _to_srgb(colour, profile)
    if kind != "tiff" and orientation in _UPRIGHT:  # Pillow turns TIFFs itself
        rgb = rgb.transpose(_UPRIGHT[orientation])
        alpha = alpha.transpose(_UPRIGHT[orientation]) if alpha is not None else None
    facts["width"], facts["height"] = rgb.size
    facts["has_alpha"] = alpha is not None
    facts["icc"] = _description(profile)
    return _Picture(rgb, alpha, facts)


def _orientation(image: Image.Image, body: bytes, kind: str) -> int:
    """The orientation that viewers follow (`kyodaku.orientation`). Of TIFF and AVIF as Pillow tells it, which
    turns the first by itself and tells the second's `irot` and `imir` as EXIF, but not out of XMP."""
    if kind not in ("tiff", "avif"):
        return orientation_in(body, kind)
    for name in _NOT_EXIF:
        image.info.pop(name, None)
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # broken EXIF turns nothing
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _separate(image: Image.Image, depth: int) -> tuple[Image.Image, Image.Image | None]:
    """The colour samples and, where any pixel is not opaque, the alpha channel. `depth`: bits a sample, in
    which a PNG names its transparent colour (PNG third edition, section 11.3.1); Pillow takes it for 8."""
    clear = image.info.get("transparency")
    if image.mode in _WIDE_MODES:
        seen = np.asarray(image) != clear
        return _narrow(image), None if seen.all() else Image.fromarray(seen.astype(np.uint8) * 255)
    if depth == 16 and image.mode == "RGB" and clear is not None:  # of which only 8 bits are left
        raise DecodeError("a transparent colour of 16 bits", FailReason.UNDECODABLE)
    if depth < 8 and image.mode == "L" and isinstance(clear, int):
        most = 2**depth - 1
        image.info["transparency"] = (clear & most) * 255 // most
    if clear is not None or image.mode in _ALPHA_MODES:
        image = image.convert("RGBA")
        channel = image.getchannel("A")
        return image.convert("RGB"), channel if np.asarray(channel).min() < 255 else None
    return image.convert("RGB") if image.mode == "P" else image, None


def _narrow(image: Image.Image) -> Image.Image:
    """16-bit grey to 8 bits, by scaling: Pillow's own conversion would clip."""
    wide = np.asarray(image).astype(np.int64)
    if wide.min() < 0 or wide.max() > 65535:
        raise DecodeError("samples of more than 16 bits", FailReason.UNDECODABLE)
    return Image.fromarray((wide >> 8).astype(np.uint8))


def _profile(image: Image.Image) -> ImageCms.ImageCmsProfile | None:
    raw = image.info.get("icc_profile")
    if not raw:
        return None
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(raw))
    except Exception:  # an unusable profile is no profile: viewers show sRGB
        return None


def _description(profile: ImageCms.ImageCmsProfile | None) -> str:
    if profile is None:
        return ""
    try:
        text = ImageCms.getProfileDescription(profile)
    except Exception:
        return "unreadable"
    return " ".join(text.split())[:100] or "unnamed"


def _to_srgb(image: Image.Image, profile: ImageCms.ImageCmsProfile | None) -> Image.Image:
    if image.mode not in {"1", "L", "RGB", "CMYK", "YCbCr", "LAB", "HSV", "RGBX"}:
        raise DecodeError(f"samples of mode {image.mode}", FailReason.UNDECODABLE)
    if profile is not None and image.mode in {"RGB", "CMYK", "L", "LAB"}:
        try:
            converted = ImageCms.profileToProfile(
                image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except ImageCms.PyCMSError:  # the profile is for another kind of samples
            converted = None
        if converted is not None:
            return converted
    return image if image.mode == "RGB" else image.convert("RGB")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
