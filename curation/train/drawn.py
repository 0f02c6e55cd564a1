"""Pictures drawn by code: each a pure function of its scene's name, a seed, a size and a split's stock.

Training and test pictures come from the same scenes, with other seeds, fonts and photographs: figures on
drawn pictures say how well something generalises over those, and nothing about the world.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b

import numpy as np
from PIL import Image

from curation.train.pictures import TrainPicture
from curation.train.scenes import documents, graphic, nature, oldart, scans
from curation.train.scenes.hand import Hand
from curation.train.stock import Stock

__all__ = ["SCENES", "Stock", "draw", "scenes_of"]

LICENCE = "drawn by code (Apache-2.0), with fonts and parts of pictures of the pool"

Scene = Callable[[Hand], Image.Image]

#: By name: what kind of picture a scene stands for, and who draws it; a scan is of its sheet's kind.
#: Kinds beside those of `kyodaku.recipe.filters.KINDS`: abstract (computed, of no kind) and screenshot.
SCENES: Mapping[str, tuple[str, Scene]] = {
    "landscape": ("abstract", nature.landscape),
    "gradient": ("abstract", nature.gradient),
    "soft": ("abstract", nature.soft),
    "fractal": ("abstract", nature.fractal),
    "blank": ("blank", nature.blank),
    "photograph": ("photo", nature.photograph),
    "night": ("photo", nature.night),
    "grain": ("photo", nature.grain),
    "scene_text": ("photo", documents.scene_text),
    "title_card": ("abstract", documents.title_card),
    "geometric": ("drawing", graphic.geometric),
    "halftone": ("print", graphic.halftone),
    "line_art": ("drawing", graphic.line_art),
    "sketch": ("drawing", graphic.sketch),
    "cel": ("drawing", graphic.cel),
    "comics": ("drawing", graphic.comics),
    "screenshot": ("screenshot", documents.screenshot),
    "text_page": ("text", documents.text_page),
    "handwriting": ("text", documents.handwriting),
    "map": ("map", documents.map_page),
    "oil": ("painting", oldart.oil),
    "watercolour": ("painting", oldart.watercolour),
    "ukiyo_e": ("print", oldart.ukiyo_e),
    "engraving": ("print", oldart.engraving),
    "woodcut": ("print", oldart.woodcut),
    "museum_object": ("object", scans.museum_object),
    "scan": ("text", scans.scan),
    "book": ("text", scans.book),
}


def scenes_of(kinds: Sequence[str] = ()) -> list[str]:
    """Names of the scenes that have one of these kinds or names; all without any."""
    return [name for name, (kind, _) in SCENES.items() if not kinds or name in kinds or kind in kinds]


def draw(name: str, seed: int, stock: Stock, side: int = 1024) -> TrainPicture:
    """The picture that a scene draws for a seed: `side` long, of some aspect. Raises KeyError.

    The same seed draws other pictures for other splits, whose stock is another.
    """
    kind, scene = SCENES[name]
    words = blake2b(f"{name}:{stock.split}:{seed}".encode(), digest_size=16).digest()
    rng = np.random.default_rng(int.from_bytes(words, "big"))
    aspect = float(rng.choice([1.0, 1.25, 4 / 3, 1.5, 16 / 9]))
    other = max(64, round(side / aspect))
    size = (side, other) if rng.random() < 0.5 else (other, side)
    hand = Hand(rng, stock, *size)
    picture = scene(hand)
    masks = {mask: np.asarray(drawn) for mask, drawn in hand.masks.items()}
    return TrainPicture(
        np.asarray(picture.convert("RGB")), f"drawn:{name}:{seed}", kind, name, LICENCE, masks
    )
