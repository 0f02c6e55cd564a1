"""Whether a picture is for adults only, by a classifier that the recipe names (transformers or timm; such as
Marqo/nsfw-image-detection-384). Nothing is shipped: no such model can be trained responsibly from what we may
use. It is no search for depictions of child abuse, which only matching with the lists of NCMEC or IWF is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from curation.annotators.adapter import Adapter
from curation.annotators.base import Finding, Picture, Status
from curation.hub_classifier import Classifier
from curation.weights import Weights
from kyodaku.errors import UsageError
from kyodaku.recipe import Annotators

#: Words of labels that say so, as the usual models write them.
_WORDS = r"(?:nsfw|porn|hentai|sexy|nud|unsafe|not[^a-z]*safe|explicit|erotic|sexual|adult|gore|violen)"
_HARMFUL = re.compile(_WORDS)
#: Only the very next word is denied: a label that says "nonconsensual nude" means it.
_DENIED = re.compile(rf"(?<![a-z])(?:non?|not|un|without)[^a-z]*{_WORDS}")


class Harmful(Adapter[Classifier]):
    """`score`: the probability of all labels together that say so. `level`: the likeliest label. `values`:
    every label's probability."""

    name = "harmful"

    @classmethod
    def build(cls, section: Annotators) -> Harmful:
        """The annotator of a recipe."""
        return cls(section.harmful, code=("curation.hub_classifier",))

    def load(self, weights: Weights) -> Classifier:
        """The classifier."""
        return Classifier(weights.model, weights.revision, weights.key)

    def judge(
        self, model: Classifier, pictures: Sequence[Picture], before: Sequence[Mapping[str, Finding]]
    ) -> list[Finding]:
        """See the class. Raises UsageError for a model none or all of whose labels say so."""
        return [self._one(shares) for shares in model.every_probability(pictures)]

    def _one(self, shares: Mapping[str, float]) -> Finding:
        harmful = [label for label in shares if is_harmful(label)]
        if not harmful or len(harmful) == len(shares):
            raise UsageError(
                f"annotators.harmful.model: its labels do not tell what is harmful: {', '.join(shares)}"
            )
        return Finding(
            self.name,
            self.version,
            Status.OK,
            score=min(1.0, sum(shares[label] for label in harmful)),
            level=max(shares, key=lambda label: shares[label]),
            values=dict(shares),
        )


def is_harmful(label: str) -> bool:
    """Whether the label of a classifier names what is for adults only."""
    plain = label.strip().lower()
    return bool(_HARMFUL.search(_DENIED.sub(" ", plain)))
