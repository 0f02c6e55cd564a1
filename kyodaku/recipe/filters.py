"""The sections of a recipe that say how pictures are looked at and which are dropped."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from kyodaku.recipe.base import Section
from kyodaku.recipe.units import Count, Host, Natural

Share = Annotated[float, Field(strict=True, ge=0, le=1)]
Switch = Annotated[bool, Field(strict=True)]

KINDS = ("photo", "painting", "print", "drawing", "text", "map", "object", "blank")
Kind = Literal["photo", "painting", "print", "drawing", "text", "map", "object", "blank"]

FURNITURE = ("colour_chart", "ruler", "gutter", "border")
Furniture = Literal["colour_chart", "ruler", "gutter", "border"]

#: Annotators that a recipe may leave out. What may end in a refusal is not among them.
Skippable = Literal["kind", "furniture", "detail", "ai_made", "aesthetic", "harmful", "faces", "embedding"]


# --------------------------------------------------------------------------- annotators


class Model(Section):
    """A model that is not shipped: a hub id or a local path, and the pinned revision of a hub id."""

    model: str = Field(default="", description="hub id or local path; empty: the shipped one, or none")
    revision: str = Field(default="", description="pinned revision of a hub model")


class Annotators(Section):
    """How stored pictures are looked at. Facts only: what follows from them stands in `filters`."""

    skip: tuple[Skippable, ...] = Field(default=(), description="annotators that do not look")
    watermark: Model = Field(default=Model(), description="a classifier beside the shipped OverlayNet")
    embedding: Model = Model()
    aesthetic: Model = Model()
    harmful: Model = Model()
    faces: Model = Model()


# --------------------------------------------------------------------------- filters


class Resolution(Section):
    """Drop small, enlarged and extremely long pictures. Sides in pixels."""

    min_side: Count = 256
    max_aspect: Annotated[float, Field(strict=True, ge=1)] = 4.0
    min_effective_side: Natural = Field(
        default=0, description="shorter side after undoing an enlargement; 0: not asked"
    )


class Watermark(Section):
    """Drop visibly marked pictures."""

    max_score: Share = Field(default=0.8, description="OverlayNet's score, as LAION's pwatermark")
    brands: Switch = Field(default=True, description="drop where a stock brand, URL or handle was read")


class Perturbation(Section):
    """Adversarial-like perturbations. `likely` beside words that say so always refuses."""

    likely: Literal["drop", "quarantine"] = "drop"
    possible: Literal["drop", "quarantine", "keep"] = "quarantine"


class AiMade(Section):
    """Pictures that carry a mark of a generator, in the pixels or in their metadata."""

    drop: Switch = True


class KindOfPicture(Section):
    """What a picture is of, as far as a small model tells."""

    keep: tuple[Kind, ...] = Field(
        default=(), description="if given, only these kinds, and none that is unknown"
    )
    drop: tuple[Kind, ...] = Field(default=("blank",))
    furniture: tuple[Furniture, ...] = Field(default=(), description="drop where this was seen")
    min_confidence: Share = Field(default=0.8, description="below this a kind counts as unknown")
    unknown: Literal["keep", "quarantine"] | None = Field(
        default=None,
        description="where the kind could not be told; default: quarantine if keep is given, else keep",
    )

    @model_validator(mode="after")
    def _is_either_kept_or_dropped(self) -> Self:
        both = ", ".join(kind for kind in self.keep if kind in self.drop)
        if both:
            default = ", ".join(type(self).model_fields["drop"].default)
            raise ValueError(f"both kept and dropped: {both} (drop is {default} by default)")
        return self


class Duplicates(Section):
    """Near copies of one picture: the best is kept (permission first, then size, then date)."""

    distance: Annotated[Natural, Field(le=31)] = Field(default=31, description="bits of PDQ, of 256")
    min_cosine: Share | None = Field(
        default=None,
        description="for the model of annotators.embedding, if it is made to find copies (SSCD: 0.75)",
    )
    against: tuple[str, ...] = Field(
        default=(), description="earlier releases, relative to the recipe; what stands there is a duplicate"
    )


class Reposts(Section):
    """Copies that somebody else may have uploaded."""

    hosts: tuple[Host, ...] = Field(default=(), description="hosts known to show other people's pictures")
    quarantine: Switch = Field(
        default=True, description="near copies on other hosts whose dates or evidence disagree"
    )


class Aesthetic(Section):
    """A score of a model that the recipe names."""

    min_score: Annotated[float, Field(strict=True)] | None = None
    unknown: Literal["keep", "quarantine"] = "quarantine"


class Harmful(Section):
    """Pictures that a model, or their page's own rating, calls adult."""

    rated_pages: Switch = Field(default=True, description="drop where the page carries an adult rating")
    max_score: Share | None = Field(default=None, description="of the model that annotators.harmful names")
    unknown: Literal["keep", "quarantine"] = "quarantine"


class Privacy(Section):
    """Places and people."""

    drop_gps: Switch = False
    max_faces: Natural | None = Field(default=None, description="of the model that annotators.faces names")
    unknown: Literal["keep", "quarantine"] = "quarantine"


class Filters(Section):
    """One table per filter. A filter that does not exist is an error, as every unknown key is."""

    resolution: Resolution = Resolution()
    watermark: Watermark = Watermark()
    perturbation: Perturbation = Perturbation()
    ai_made: AiMade = AiMade()
    kind: KindOfPicture = KindOfPicture()
    duplicates: Duplicates = Duplicates()
    reposts: Reposts = Reposts()
    aesthetic: Aesthetic = Aesthetic()
    harmful: Harmful = Harmful()
    privacy: Privacy = Privacy()
