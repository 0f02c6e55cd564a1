"""What kind of picture this is: photo, painting, print, drawing, text, map, object, blank.

Blank pictures are measured: nothing in them departs from a slow change of light. The rest is KindNet's word
(curation/models/kind.md): a small net that has seen few real paintings. It says `unknown` of what it is not
sure about, of screens, and of computed backgrounds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from curation.annotators.base import Finding, Picture, Status, versioned
from curation.kinds import BLANK, CLASSES, CODE, LEAST, SMALL, WEIGHTS, Judgement, unevenness
from kyodaku.durable import file_sha256
from kyodaku.recipe import Annotators

#: Below this confidence no kind is named.
SURE = 0.6

UNKNOWN = "unknown"


class Kind:
    """`level`: the kind, or `unknown`. `score`: how sure, as a probability; 0 for `unknown`. `values`: the
    probability of every kind and of `other`, and `unevenness` in grey levels, which names blank pictures."""

    name = "kind"

    def __init__(self, weights: Path = WEIGHTS) -> None:
        self._weights = weights
        self.version = versioned(1, ("curation.annotators.kind", *CODE), file_sha256(weights))

    @classmethod
    def build(cls, section: Annotators) -> Kind:
        """The annotator of a recipe; nothing about it can be set."""
        return cls()

    def look(self, pictures: Sequence[Picture], before: Sequence[Mapping[str, Finding]]) -> list[Finding]:
        """Unknown for pictures whose shorter side is below LEAST."""
        from curation.judges.kind import judge  # torch, which only looking needs

        large = [picture for picture in pictures if min(picture.pixels.shape[:2]) >= LEAST]
        said = judge(self._weights).look([picture.pixels for picture in large])
        judged = iter(zip(large, said, strict=True))
        return [
            self._finding(*next(judged)) if min(picture.pixels.shape[:2]) >= LEAST else self._too_small()
            for picture in pictures
        ]

    def _finding(self, picture: Picture, judged: Judgement) -> Finding:
        uneven = unevenness(picture.within(SMALL))
        level, score = kind_of(uneven, judged)
        known = level in CLASSES[:-1] and score >= SURE
        values = {name: float(value) for name, value in zip(CLASSES, judged.kinds, strict=True)}
        return Finding(
            self.name,
            self.version,
            Status.OK,
            score=score if known else 0.0,
            level=level if known else UNKNOWN,
            values={**values, "unevenness": uneven},
        )

    def _too_small(self) -> Finding:
        return Finding(self.name, self.version, Status.UNKNOWN, text="too small to tell")


def kind_of(uneven: float, judged: Judgement) -> tuple[str, float]:
    """The likeliest of CLASSES and its probability; `blank`, surely, for what measures as blank.

    A picture that does not measure as blank is not called so: it holds something, however little.
    """
    if uneven < BLANK:
        return "blank", 1.0
    able = (at for at, name in enumerate(CLASSES) if name != "blank")
    best = max(able, key=lambda at: float(judged.kinds[at]))
    return CLASSES[best], float(judged.kinds[best])
