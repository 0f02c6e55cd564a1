"""Which annotators there are, and their order: a closed registry, as for protocols and filters."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from curation.annotators.aesthetic import Aesthetic
from curation.annotators.ai_made import AiMade
from curation.annotators.base import Annotator
from curation.annotators.brands import Brands
from curation.annotators.detail import Detail
from curation.annotators.embedding import Embedding
from curation.annotators.faces import Faces
from curation.annotators.furniture import FurnitureSeen
from curation.annotators.harmful import Harmful
from curation.annotators.kind import Kind
from curation.annotators.notices import Notices
from curation.annotators.overlay import Overlay
from curation.annotators.perturbation import Perturbation
from curation.annotators.text import Text
from kyodaku.recipe import Annotators

#: In the order they look, after those they rest on (`base.RESTS_ON`). Each takes the recipe's section.
BUILT: Mapping[str, Callable[[Annotators], Annotator]] = {
    "overlay": Overlay.build,
    "text": Text.build,
    "notices": Notices.build,
    "brands": Brands.build,
    "perturbation": Perturbation.build,
    "ai_made": AiMade.build,
    "detail": Detail.build,
    "kind": Kind.build,
    "furniture": FurnitureSeen.build,
    "embedding": Embedding.build,
    "aesthetic": Aesthetic.build,
    "harmful": Harmful.build,
    "faces": Faces.build,
}


def annotators(section: Annotators) -> list[Annotator]:
    """Every annotator that the recipe does not skip. Models are loaded when they first look."""
    return [build(section) for name, build in BUILT.items() if name not in section.skip]
