"""Handing single pictures to annotators, and their findings to filters, as the steps do."""

from __future__ import annotations

from curation.annotators.base import Annotator, Finding, Picture, Status, look_at_all
from curation.annotators.registry import BUILT
from curation.filters import FILTERS, Filter, Objection
from curation.findings import Unseen
from kyodaku.reasons import QuarantineReason
from kyodaku.recipe import Filters
from kyodaku.safedecode import DecodeLimits, SafeDecoder

#: By annotator: it looked and found nothing, so that no filter objects.
NOTHING_FOUND = {name: Finding(name, "1", Status.OK) for name in BUILT}


def opened(body: bytes, limits: DecodeLimits | None = None) -> Picture:
    """A file, decoded as annotate does. Raises DecodeError."""
    with SafeDecoder(limits) as decoder:
        return Picture(body, decoder.decode(body))


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
        "findings": {f.annotator: f for f in found},
        **row,
    }
    asked: Filter = FILTERS[apply or found[0].annotator]
    try:
        return asked(facts, filters)
    except Unseen:
        return QuarantineReason.NOT_LOOKED_AT
