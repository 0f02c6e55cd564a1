"""Pictures with real text, stamps and lines in them that are no marks laid over: what must not be flagged.

Each function draws on a background, uint8 (h, w, 3), and gives the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from curation.train.overlay.blending import Colours
from curation.train.overlay.lookalikes_art import (
    cartouche,
    chart,
    engraved_caption,
    inventory_number,
    museum_stamp,
    painted_signature,
    red_seal,
)
from curation.train.overlay.lookalikes_today import (
    caption,
    comic,
    fence,
    grained,
    painted_on,
    screenshot,
    sign,
    text_page,
    title_card,
)
from curation.train.overlay.marks import Pen

#: By name: how it is drawn, and how often.
LOOKALIKES: Mapping[str, tuple[Callable[[Pen, Colours], Colours], float]] = {
    "sign": (sign, 2.0),
    "painted_on": (painted_on, 2.0),
    "comic": (comic, 1.2),
    "screenshot": (screenshot, 1.2),
    "title_card": (title_card, 1.2),
    "caption": (caption, 1.0),
    "painted_signature": (painted_signature, 1.5),
    "red_seal": (red_seal, 1.0),
    "cartouche": (cartouche, 1.0),
    "museum_stamp": (museum_stamp, 1.2),
    "inventory_number": (inventory_number, 0.7),
    "engraved_caption": (engraved_caption, 1.0),
    "map": (chart, 1.0),
    "text_page": (text_page, 1.0),
    "fence": (fence, 1.5),
    "grained": (grained, 1.2),
}

#: Those that hold no letters.
WORDLESS = frozenset({"fence", "grained"})
