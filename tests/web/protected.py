"""What is done to pictures of the small web: marks, notices, cloaks, generators' marks, enlargements, copies;
and what old art carries that only looks like it. Numpy and Pillow alone: the small web loads no model.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps, PngImagePlugin

from tests.web.lettering import lettering

Change = Callable[[Image.Image], Image.Image]
Pixels = npt.NDArray[np.float32]


def _inked(
    image: Image.Image, mask: Image.Image, ink: int | tuple[int, int, int], opacity: float
) -> Image.Image:
    colour = (ink, ink, ink) if isinstance(ink, int) else ink
    cover = mask.point(lambda value: round(value * opacity))
    return Image.composite(Image.new("RGB", image.size, colour), image, cover)


def _tiled(tile: Image.Image, size: tuple[int, int], angle: float) -> Image.Image:
    side = math.ceil(math.hypot(*size)) + max(tile.size)
    plane = Image.new("L", (side, side))
    for row, y in enumerate(range(0, side, tile.height * 3)):
        for x in range(-(row % 2) * tile.width // 2, side, round(tile.width * 1.5)):
            plane.paste(tile, (x, y))
    plane = plane.rotate(angle, Image.Resampling.BICUBIC)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    return plane.crop((left, top, left + size[0], top + size[1]))


# --------------------------------------------------------------------------- marks


def tiled_mark(words: str, angle: float = 30, opacity: float = 0.45) -> Change:
    """The words over the whole picture, as an agency's preview carries them."""

    def change(image: Image.Image) -> Image.Image:
        return _inked(image, _tiled(lettering(words, image.height // 18), image.size, angle), 255, opacity)

    return change


def central_mark(words: str, opacity: float = 0.5) -> Change:
    """The words once, large, across the middle."""

    def change(image: Image.Image) -> Image.Image:
        mask, word = Image.new("L", image.size), lettering(words, image.height // 8)
        word = word.rotate(20, Image.Resampling.BICUBIC, expand=True)
        mask.paste(word, ((image.width - word.width) // 2, (image.height - word.height) // 2))
        return _inked(image, mask, 255, opacity)

    return change


def grid_mark(words: str) -> Change:
    """Crossing lines and the name where they meet."""

    def change(image: Image.Image) -> Image.Image:
        mask, word = Image.new("L", image.size), lettering(words, image.height // 22)
        draw, step = ImageDraw.Draw(mask), image.height // 3
        for x in range(-image.height, image.width + image.height, step):
            draw.line((x, 0, x + image.height, image.height), 160, 2)
            draw.line((x, image.height, x + image.height, 0), 160, 2)
        for y in range(step // 2, image.height, step):
            for x in range(step // 2, image.width, step):
                mask.paste(word, (x - word.width // 2, y - word.height // 2))
        return _inked(image, mask, 255, 0.5)

    return change


def footer_mark(name: str, number: str) -> Change:
    """A dark bar with an address and an asset number below the picture."""

    def change(image: Image.Image) -> Image.Image:
        marked, high = image.copy(), image.height // 14
        ImageDraw.Draw(marked).rectangle((0, image.height - high, image.width, image.height), (24, 24, 24))
        mask = Image.new("L", image.size)
        left, right = lettering(name, high * 2 // 3), lettering(number, high * 2 // 3)
        mask.paste(left, (high // 2, image.height - high * 5 // 6))
        mask.paste(right, (image.width - right.width - high // 2, image.height - high * 5 // 6))
        return _inked(marked, mask, 245, 1.0)

    return change


def notice(words: str, corner: bool = True, opacity: float = 0.9) -> Change:
    """A ban written in a corner, or over the whole picture."""

    def change(image: Image.Image) -> Image.Image:
        if not corner:
            return _inked(image, _tiled(lettering(words, image.height // 14), image.size, 25), 255, opacity)
        mask, word = Image.new("L", image.size), lettering(words, image.height // 15)
        place = (image.width - word.width - 14, image.height - word.height - 12)
        mask.paste(word, place)
        under = ImageOps.grayscale(image.crop((*place, place[0] + word.width, place[1] + word.height)))
        return _inked(
            image, mask, 15 if sum(under.histogram()[130:]) > word.width * word.height / 2 else 250, opacity
        )

    return change


# --------------------------------------------------------------------------- what is hidden in the pixels


def cloaked(seed: int, bound: float = 10) -> Change:
    """An attack as cloaking tools compute it: signed gradient steps within a bound of 8-bit levels (Madry et
    al. 2018) toward another picture's code, through two small encoders of random weights with strides."""

    def change(image: Image.Image) -> Image.Image:
        rng = np.random.default_rng(seed)
        pixels = np.asarray(image, np.float32)
        down, across = (-length % 8 for length in pixels.shape[:2])
        whole = np.pad(pixels, ((0, down), (0, across), (0, 0)), "edge")
        encoders = [_Encoder(rng, stride) for stride in (8, 4)]
        targets = [one.code(np.ascontiguousarray(whole[::-1, ::-1])) for one in encoders]
        laid = rng.uniform(-1, 1, whole.shape).astype(np.float32)
        for _ in range(12):
            pull = np.zeros_like(whole)
            for one, target in zip(encoders, targets, strict=True):
                gradient = one.gradient(whole + laid, target)
                pull += gradient / np.abs(gradient).mean()
            laid = np.clip(laid - np.sign(pull) * bound / 5, -bound, bound)
        seen = np.clip(np.round(whole + laid), 0, 255).astype(np.uint8)
        return Image.fromarray(seen[: pixels.shape[0], : pixels.shape[1]])

    return change


class _Encoder:
    """Patches of `stride` pixels to a code, through smooth random kernels and one layer more."""

    def __init__(self, rng: np.random.Generator, stride: int, kernels: int = 24, codes: int = 16) -> None:
        self.stride = stride
        coarse = rng.normal(0, 1, (kernels, 3, 3, 3)).repeat(-(-stride // 3), 1).repeat(-(-stride // 3), 2)
        first = coarse[:, :stride, :stride].reshape(kernels, -1).T
        self.first = (first / np.linalg.norm(first, axis=0) / 40).astype(np.float32)
        self.second = rng.normal(0, 1, (kernels, codes)).astype(np.float32)

    def _felt(self, pixels: Pixels) -> Pixels:
        rows, columns = (length // self.stride for length in pixels.shape[:2])
        cut = pixels.reshape(rows, self.stride, columns, self.stride, 3).swapaxes(1, 2)
        return np.tanh((cut.reshape(rows * columns, -1) - 128) @ self.first)

    def code(self, pixels: Pixels) -> Pixels:
        """float32 (h, w, 3), sides multiples of the stride, to (patches, codes)."""
        return self._felt(pixels) @ self.second

    def gradient(self, pixels: Pixels, target: Pixels) -> Pixels:
        """Of the squared distance to `target`, by the pixels."""
        felt = self._felt(pixels)
        back = ((felt @ self.second - target) @ self.second.T * (1 - felt**2)) @ self.first.T
        rows, columns = (length // self.stride for length in pixels.shape[:2])
        return back.reshape(rows, columns, self.stride, self.stride, 3).swapaxes(1, 2).reshape(pixels.shape)


def noisy(seed: int, deviation: float = 7) -> Change:
    """Random noise, which nobody can tell from grain."""

    def change(image: Image.Image) -> Image.Image:
        noise = np.random.default_rng(seed).normal(0, deviation, (image.height, image.width, 1))
        return Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8))

    return change


def prompt_png(image: Image.Image) -> bytes:
    """A PNG with the text chunk that a common interface to generators leaves."""
    chunk = PngImagePlugin.PngInfo()
    chunk.add_text(
        "parameters", "a boat at dusk, woodblock print\nSteps: 28, Sampler: Euler a, CFG scale: 7, Seed: 4"
    )
    file = BytesIO()
    image.save(file, "PNG", pnginfo=chunk)
    return file.getvalue()


# --------------------------------------------------------------------------- sizes and copies


def enlarged(factor: float) -> Change:
    """The picture at its size, from a version `factor` times smaller."""

    def change(image: Image.Image) -> Image.Image:
        small = (round(image.width / factor), round(image.height / factor))
        return image.resize(small, Image.Resampling.LANCZOS).resize(image.size, Image.Resampling.BICUBIC)

    return change


def smaller(side: int) -> Change:
    """At most `side` pixels long."""
    return lambda image: ImageOps.contain(image, (side, side), Image.Resampling.LANCZOS)


def mirrored(image: Image.Image) -> Image.Image:
    """Left and right exchanged."""
    return ImageOps.mirror(image)


def cut(image: Image.Image) -> Image.Image:
    """A twentieth cut off the right and the lower edge."""
    return image.crop((0, 0, image.width * 19 // 20, image.height * 19 // 20))


# --------------------------------------------------------------------------- what old art carries


def signed(image: Image.Image) -> Image.Image:
    """A painter's name in a lower corner, thin and dark."""
    mask, word = Image.new("L", image.size), lettering("A. Corot 1868", image.height // 30)
    word = word.rotate(4, Image.Resampling.BICUBIC, expand=True)
    mask.paste(word, (image.width - word.width - 20, image.height - word.height - 14))
    return _inked(image, mask.filter(ImageFilter.GaussianBlur(0.7)), (60, 40, 30), 0.8)


def sealed(image: Image.Image) -> Image.Image:
    """The red seal of a printmaker."""
    side = image.height // 11
    mask, sign = Image.new("L", image.size), lettering("北斎", side * 2 // 3)
    x, y = image.width - 2 * side, image.height - 3 * side
    box = (x, y, x + sign.width + 10, y + sign.height + 10)
    ImageDraw.Draw(mask).rounded_rectangle(box, 5, 255)
    mask.paste(ImageChops.invert(sign), (x + 5, y + 5))
    return _inked(image, mask.filter(ImageFilter.GaussianBlur(0.6)), (182, 44, 38), 0.85)


def titled(image: Image.Image) -> Image.Image:
    """The title of a print in an upright box."""
    word = lettering("冨嶽三十六景", image.height // 20)
    signs = [word.crop((n * word.width // 6, 0, (n + 1) * word.width // 6, word.height)) for n in range(6)]
    marked, side = image.copy(), word.height + 4
    box = (24, 20, 24 + side, 20 + 6 * side)
    ImageDraw.Draw(marked).rectangle(box, (232, 214, 170), (40, 30, 24), 2)
    mask = Image.new("L", image.size)
    for n, sign in enumerate(signs):
        mask.paste(sign, (26, 22 + n * side))
    return _inked(marked, mask, (40, 30, 24), 0.9)


def stamped(image: Image.Image) -> Image.Image:
    """A collection's round stamp and an inventory number."""
    mask, side = Image.new("L", image.size), image.height // 7
    draw, x, y = ImageDraw.Draw(mask), 30, image.height - image.height // 7 - 24
    draw.ellipse((x, y, x + side, y + side), outline=255, width=3)
    draw.ellipse((x + 12, y + 12, x + side - 12, y + side - 12), outline=255, width=2)
    initials = lettering("K M", side // 4)
    mask.paste(initials, (x + (side - initials.width) // 2, y + (side - initials.height) // 2))
    number = lettering("1912,0415.0.3", image.height // 32)
    mask.paste(number, (image.width - number.width - 24, 18))
    return _inked(image, mask.filter(ImageFilter.GaussianBlur(0.6)), (60, 58, 110), 0.6)


def captioned(image: Image.Image) -> Image.Image:
    """A plate on paper with engraved makers and title below."""
    page = Image.new("RGB", image.size, (238, 228, 204))
    plate = ImageOps.grayscale(image).resize((image.width - 48, image.height * 6 // 7 - 24)).convert("RGB")
    page.paste(plate, (24, 24))
    mask = Image.new("L", image.size)
    for words, x, y, high in (
        ("Drawn by J. Smith", 26, 0.88, 34),
        ("Engraved by W. Byrne", image.width - 190, 0.88, 34),
        ("VIEW OF THE HARBOUR", image.width // 3, 0.93, 24),
    ):
        mask.paste(lettering(words, image.height // high), (x, round(image.height * y)))
    return _inked(page, mask, (50, 42, 36), 0.85)


def cracked(image: Image.Image) -> Image.Image:
    """A net of fine cracks."""
    rng = np.random.default_rng(5)
    mask = Image.new("L", image.size)
    draw = ImageDraw.Draw(mask)
    for _ in range(220):
        x, y = rng.uniform(0, image.width), rng.uniform(0, image.height)
        turn = rng.choice([0.2, 1.7]) + rng.normal(0, 0.3)
        points = [(x, y)]
        for _ in range(6):
            turn += rng.normal(0, 0.35)
            x, y = x + 9 * math.cos(turn), y + 9 * math.sin(turn)
            points.append((x, y))
        draw.line(points, 255, 1)
    return _inked(image, mask, (40, 34, 28), 0.55)


def on_canvas(image: Image.Image) -> Image.Image:
    """Linen threads that show through."""
    ys, xs = np.mgrid[0 : image.height, 0 : image.width]
    over = (xs // 4 + ys // 4) % 2
    relief = np.where(over, np.sin(np.pi * (xs % 4) / 4), np.sin(np.pi * (ys % 4) / 4)) - 0.6
    return Image.fromarray(np.clip(np.asarray(image) + 11 * relief[..., None], 0, 255).astype(np.uint8))


def printed(image: Image.Image) -> Image.Image:
    """Halftone dots."""
    grey = np.asarray(ImageOps.grayscale(image), np.float32) / 255
    ys, xs = np.mgrid[0 : image.height, 0 : image.width]
    u, v = (xs + ys) * 2 * math.pi / 8.5, (ys - xs) * 2 * math.pi / 8.5
    screen = (np.cos(u) + np.cos(v)) / 4 + 0.5
    return Image.fromarray(np.where(grey > screen, 246, 28).astype(np.uint8)).convert("RGB")


def in_a_street(image: Image.Image) -> Image.Image:
    """A shop's sign that belongs to the scene."""
    scene, sign = image.copy(), lettering("BAKERY", image.height // 16)
    board = Image.new("RGB", (sign.width + 30, sign.height + 20), (120, 60, 40))
    board.paste((240, 226, 190), (15, 10), sign)
    turned = board.rotate(3, Image.Resampling.BICUBIC, expand=True, fillcolor=(90, 60, 50))
    scene.paste(turned, (image.width // 4, image.height // 3))
    return scene
