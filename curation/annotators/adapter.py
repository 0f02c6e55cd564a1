"""What annotators share whose model the recipe names and nobody ships. Not an annotator itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from curation.annotators.base import Finding, Picture, Status, versioned
from curation.weights import Weights
from kyodaku.recipe.filters import Model

Loaded = TypeVar("Loaded")


class Adapter(Generic[Loaded]):
    """An annotator around a model of others. Without one, every finding is `unknown`.

    Subclasses have a `name`, `load` their model once, and `judge` pictures with it. Raises
    MissingWeightsError where a model is named and is not on this machine, UsageError for a hub id without a
    revision.
    """

    name = ""

    def __init__(self, model: Model, code: Sequence[str] = (), settings: object = None) -> None:
        key = f"annotators.{self.name}"
        self.weights = Weights(model.model, model.revision, key) if model.model else None
        modules = (type(self).__module__, "curation.annotators.adapter", *code)
        named = [self.weights.label if self.weights else "", settings]
        self.version = versioned(1, modules, self.weights.digest() if self.weights else "", named)
        self._loaded: Loaded | None = None

    def look(self, pictures: Sequence[Picture], before: Sequence[Mapping[str, Finding]]) -> list[Finding]:
        """See the subclass."""
        if self.weights is None:
            return [self.unknown(f"annotators.{self.name} names no model") for _ in pictures]
        if self._loaded is None:
            self._loaded = self.load(self.weights)
        return self.judge(self._loaded, pictures, before)

    def load(self, weights: Weights) -> Loaded:
        """The model. Raises MissingWeightsError if it is of another kind."""
        raise NotImplementedError

    def judge(
        self, model: Loaded, pictures: Sequence[Picture], before: Sequence[Mapping[str, Finding]]
    ) -> list[Finding]:
        """One finding a picture."""
        raise NotImplementedError

    def unknown(self, text: str) -> Finding:
        """Nobody looked, and why."""
        return Finding(self.name, self.version, Status.UNKNOWN, text=text)
