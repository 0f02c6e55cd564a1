"""Everything the gates need of a recipe, resolved once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Literal

from kyodaku.decision import Policy
from kyodaku.netguard import NetPolicy
from kyodaku.recipe import Recipe
from kyodaku.signals.model import Institution, Letter, Reading
from kyodaku.signals.tokens import purpose_tokens


@dataclass(frozen=True)
class Rules:
    """Everything the gates need of a recipe, resolved once."""

    policy: Policy
    net: NetPolicy
    mode: str
    own_tokens: tuple[str, ...]
    purpose_tokens: tuple[str, ...]
    purpose_threshold: str
    institutions: tuple[Institution, ...]
    formats: frozenset[str]
    max_pixels: int
    max_frames: int
    max_image: int
    letters: tuple[Letter, ...] = ()

    @classmethod
    def from_recipe(cls, recipe: Recipe, net: NetPolicy) -> Rules:
        """Rules of a recipe; `net` carries its host table, already loaded."""
        purpose = recipe.permission.purpose
        return cls(
            policy=Policy.from_recipe(recipe),
            net=net,
            mode="policy",
            own_tokens=recipe.own_tokens,
            purpose_tokens=purpose_tokens(purpose.classes, purpose.tokens),
            purpose_threshold=purpose.threshold,
            institutions=tuple(
                Institution(i.host, i.statement, i.evidence_url, i.licence) for i in recipe.institutions
            ),
            formats=frozenset(recipe.network.formats),
            max_pixels=recipe.network.max_pixels,
            max_frames=recipe.network.max_frames,
            max_image=recipe.network.max_image,
            letters=tuple(
                Letter(
                    entry.host,
                    entry.scope,
                    entry.letter_sha256,
                    datetime.combine(entry.until, time.max, UTC),
                )
                for entry in recipe.host
            ),
        )

    def reading(self, now: datetime) -> Reading:
        """How carriers are read at `now` (aware)."""
        return Reading(
            mode="spec" if self.mode == "spec" else "policy",
            own_tokens=self.own_tokens,
            purpose_tokens=self.purpose_tokens,
            purpose_threshold=_threshold(self.purpose_threshold),
            now=now,
            institutions=self.institutions,
            letters=self.letters,
        )


def _threshold(value: str) -> Literal["any", "majority", "control-tokens-only"]:
    if value == "majority":
        return "majority"
    return "control-tokens-only" if value == "control-tokens-only" else "any"
