"""Handing single pictures to annotators, and their findings to filters, as the steps do."""

from __future__ import annotations

import io
from dataclasses import asdict

import numpy as np
from PIL import Image

from curation.annotators.base import Annotator, Finding, Picture, Status, look_at_all
from curation.annotators.registry import BUILT
from curation.filters import FILTERS, Filter, Objection
from curation.findings import Unseen
from kyodaku.reasons import QuarantineReason
from kyodaku.recipe import Filters
from kyodaku.safedecode import Decoded, ImageFacts

#: By annotator: it looked and found nothing, so that no filter objects.
NOTHING_FOUND = {name: Finding(name, "1", Status.OK) for name in BUILT}


def opened(body: bytes) -> Picture:
    """A plain file, decoded without the child that annotate decodes in: quicker."""
    with Image.open(io.BytesIO(body)) as image:
        pixels = np.asarray(image.convert("RGB"))
    facts = ImageFacts("png", "RGB", pixels.shape[1], pixels.shape[0], 1, 1, False, "", "", "", 0)
    return Picture(body, Decoded(**asdict(facts), pixels=pixels))


def seen(annotator: Annotator, *bodies: bytes) -> list[Finding]:
    """What an annotator says of some files, through the same checks as in annotate."""
    rows = look_at_all([annotator], [opened(body) for body in bodies])
    return [row[annotator.name] for row in rows]


def ruled(filters: Filters, *found: Finding, apply: str = "", **row: object) -> Objection | None:
    """What the filter `apply` (by default the one named as the first finding) says of findings."""
    facts = {
        "width": 800,
        "height": 600,
        "has_gps": False,
        "rated": False,
        "protected": False,
        "findings": {f.annotator: f for f in found},
        **row,
    }
    asked: Filter = FILTERS[apply or found[0].annotator]
    try:
        return asked(facts, filters)
    except Unseen:
        return QuarantineReason.NOT_LOOKED_AT
