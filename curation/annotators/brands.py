"""Annotator `brands`: does a text in the picture name an agency, an address or an owner.

Pure over the lines that the annotator `text` read. Level `likely`, `possible` or `none`; `text`: the lines
that say so; `values`: each kind found (curation/phrases/brands.py) and how many lines; `score` 1.0, 0.5 or
0.0. The mask is that of the text. Where nobody could read, or not all of it and the rest is not `likely`,
nothing is known: `unknown`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from curation.annotators.base import Finding, Picture, Status, versioned
from curation.annotators.text import Text, not_all_read
from curation.phrases import brands
from curation.steps import digest_files
from kyodaku.recipe import Annotators

_CODE = (
    "curation.annotators.brands",
    "curation.phrases.brands",
    "curation.phrases.folding",
    "curation.phrases.fuzzy",
)

_SCORES = {brands.LIKELY: 1.0, brands.POSSIBLE: 0.5, brands.NOTHING: 0.0}


@dataclass(frozen=True)
class Brands:
    """The annotator."""

    name: str
    version: str

    @classmethod
    def build(cls, section: Annotators) -> Brands:
        """Who reads is part of the version: what was found in other lines is not found in these."""
        return cls(
            "brands", versioned(1, _CODE, digest_files([brands.data_file()]), Text.build(section).version)
        )

    def look(self, pictures: Sequence[Picture], before: Sequence[Mapping[str, Finding]]) -> list[Finding]:
        """One finding a picture, from what `text` found in it."""
        return [self.judge(known.get("text")) for known in before]

    def judge(self, text: Finding | None) -> Finding:
        """The finding about a picture in which `text` was read."""
        if text is None or text.status is not Status.OK:
            return Finding(self.name, self.version, Status.UNKNOWN, text="nobody could read the picture")
        claims = brands.find(text.text)
        level = brands.level(claims)
        if level != brands.LIKELY and not_all_read(text):
            return Finding(self.name, self.version, Status.UNKNOWN, text="not all of its text could be read")
        said = "\n".join(dict.fromkeys(claim.said for claim in claims))
        kinds = {kind: float(count) for kind, count in Counter(claim.kind for claim in claims).items()}
        mask = text.mask if claims else b""
        return Finding(self.name, self.version, Status.OK, _SCORES[level], level, said, kinds, mask)
