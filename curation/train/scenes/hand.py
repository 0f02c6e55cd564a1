"""What every scene draws with: a random generator, a size, noise, colours, fonts and words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

from curation.train.scenes import words
from curation.train.stock import Stock

Floats = npt.NDArray[np.float32]
T = TypeVar("T")
Colour = tuple[int, int, int]

INKS: tuple[Colour, ...] = ((20, 18, 16), (38, 34, 48), (64, 40, 24), (30, 44, 70), (90, 30, 30))
PAPERS: tuple[Colour, ...] = (
    (250, 249, 246),
    (244, 238, 222),
    (232, 220, 190),
    (216, 198, 160),
    (238, 236, 232),
    (226, 214, 196),
)


@dataclass
class Hand:
    """One drawing in the making. `masks` receives what is to be found in it: L images of its size; `kind`
    what kind of picture it became, where its scene draws several."""

    rng: np.random.Generator
    stock: Stock
    width: int
    height: int
    masks: dict[str, Image.Image] = field(default_factory=dict)
    kind: str = ""

    @property
    def size(self) -> tuple[int, int]:
        return self.width, self.height

    @property
    def unit(self) -> float:
        """A hundredth of the longer side: what line widths and type sizes are measured in."""
        return max(self.width, self.height) / 100

    def sized(self, width: int, height: int) -> Hand:
        """The same hand for a part of the picture; its masks are its own."""
        return Hand(self.rng, self.stock, max(16, width), max(16, height))

    # ---------------------------------------------------------------- chance

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def between(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def whole(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return int(self.rng.integers(low, max(low, high) + 1))

    def one_of(self, things: Sequence[T]) -> T:
        return things[int(self.rng.integers(len(things)))]

    def colour(self, low: int = 0, high: int = 255) -> Colour:
        red, green, blue = (self.whole(low, high) for _ in range(3))
        return red, green, blue

    def near(self, colour: Colour, spread: int = 12) -> Colour:
        """A colour close to another."""
        red, green, blue = (int(np.clip(part + self.whole(-spread, spread), 0, 255)) for part in colour)
        return red, green, blue

    # ---------------------------------------------------------------- noise

    def noise(self, cells: float, octaves: int = 5, gain: float = 0.5) -> Floats:
        """Fractal noise of the picture's size, 0 to 1; `cells` of the coarsest octave on the longer side."""
        total = np.zeros((self.height, self.width), np.float32)
        weight = 1.0
        for octave in range(octaves):
            count = cells * 2**octave
            rows = max(2, round(count * self.height / max(self.size)) + 1)
            columns = max(2, round(count * self.width / max(self.size)) + 1)
            if rows > self.height or columns > self.width:
                break
            grid = Image.fromarray(self.rng.random((rows, columns), dtype=np.float32))
            total += weight * np.asarray(grid.resize(self.size, Image.Resampling.BICUBIC))
            weight *= gain
        low, high = float(total.min()), float(total.max())
        return np.asarray((total - low) / max(high - low, 1e-6), dtype=np.float32)

    def ridge(self, count: int, cells: float, octaves: int = 6) -> Floats:
        """A one-dimensional fractal line of `count` points, 0 to 1."""
        places = np.linspace(0, 1, count)
        total = np.zeros(count)
        for octave in range(octaves):
            knots = max(2, round(cells * 2**octave))
            total += 0.5**octave * np.interp(places, np.linspace(0, 1, knots), self.rng.random(knots))
        spread = float(total.max() - total.min())
        return np.asarray((total - total.min()) / max(spread, 1e-6), dtype=np.float32)

    # ---------------------------------------------------------------- grounds

    def plain(self, colour: Colour) -> Image.Image:
        return Image.new("RGB", self.size, colour)

    def paper(self, colour: Colour | None = None, weave: float = 1.0) -> Image.Image:
        """Paper: a tone that varies slowly, fibre, and sometimes laid lines."""
        tone = np.array(colour or self.near(self.one_of(PAPERS), 6), np.float32)
        slow = (self.noise(2, 3) - 0.5) * self.between(4, 18)
        fibre = self.rng.normal(0, self.between(0.5, 3.5) * weave, (self.height, self.width))
        field_ = slow + fibre
        if self.chance(0.3):
            pitch = self.between(3, 7)
            field_ += np.sin(np.arange(self.height) * 2 * np.pi / pitch)[:, None] * self.between(0.5, 2.5)
        return image(tone + field_[..., None])

    # ---------------------------------------------------------------- words

    def font(self, size: float, script: str = "latin", style: str = "") -> ImageFont.FreeTypeFont:
        """A font of this split that writes `script`, of `style` if there is one."""
        return self.stock.font(self.rng, max(6, round(size)), script, style)

    def script(self, latin: float = 0.5) -> str:
        """A script that this split's fonts can write; `latin` is the share of Latin."""
        others = [script for script in self.stock.scripts if script != "latin"]
        if not others or self.chance(latin):
            return "latin"
        weights = np.array([4.0 if script in ("ja", "zh", "ko") else 1.0 for script in others])
        return str(self.rng.choice(others, p=weights / weights.sum()))

    def phrase(self, script: str, low: int = 2, high: int = 6) -> str:
        """Some words in a script."""
        return words.phrase(self.rng, script, self.whole(low, high))

    def column(
        self, draw: ImageDraw.ImageDraw, text: str, at: tuple[float, float], size: float, **how: object
    ) -> None:
        """Write `text` downwards, sign by sign, with a Japanese or Chinese font."""
        style = "brush" if self.chance(0.6) else ""
        font = self.font(size, "ja", style)
        ink = how.get("fill", self.one_of(INKS))
        for row, sign in enumerate(text):
            place = (at[0], at[1] + row * size * 1.08)
            draw.text(place, sign, font=font, fill=ink)  # type: ignore[arg-type]


def image(pixels: npt.NDArray[np.floating]) -> Image.Image:
    """An RGB image of float (h, w, 3) or (h, w) values."""
    whole = np.clip(pixels, 0, 255).astype(np.uint8)
    return Image.fromarray(whole).convert("RGB")


def floats(picture: Image.Image) -> Floats:
    """float32 (h, w, 3) of an image."""
    return np.asarray(picture.convert("RGB"), dtype=np.float32)


def blurred(field_: npt.NDArray[np.floating], sigma: float) -> Floats:
    """A field (h, w) after a Gaussian of `sigma` pixels."""
    return np.asarray(gaussian_filter(field_.astype(np.float32), sigma), dtype=np.float32)


def luma(picture: Image.Image) -> Floats:
    """float32 (h, w), 0 to 1."""
    return np.asarray(picture.convert("L"), dtype=np.float32) / np.float32(255)


def multiplied(picture: Image.Image, field_: npt.NDArray[np.floating]) -> Image.Image:
    """An image with its light multiplied by a field (h, w) or (h, w, 3)."""
    return image(floats(picture) * (field_ if field_.ndim == 3 else field_[..., None]))


def pasted(
    ground: Image.Image, top: Image.Image, at: tuple[int, int], mask: Image.Image | None = None
) -> None:
    """Lay an image on another, in place."""
    ground.paste(top, at, mask or (top.getchannel("A") if top.mode == "RGBA" else None))
