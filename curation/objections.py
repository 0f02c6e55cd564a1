"""Objections that only a look at the picture finds: a notice written in it, words beside a cloak. Each
is a refusal: its bytes are purged, and its copies share its fate.

A closed registry, asked in order; the first that objects names the reason. Where nobody could look, this says
nothing: `filters.first_objection` sets such a picture aside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from curation.cloak_words import cloak_words
from curation.findings import Annotation, Unseen, finding
from kyodaku.reasons import RefuseReason
from kyodaku.records import Candidate

Objector = Callable[[Candidate, Annotation], RefuseReason | None]


def written_notice(candidate: Candidate, annotation: Annotation) -> RefuseReason | None:
    """A notice in the picture says no to AI training or to re-use. No recipe can ask for less."""
    return RefuseReason.WRITTEN_NOTICE if finding(annotation, "notices").level == "notice" else None


def cloaked(candidate: Candidate, annotation: Annotation) -> RefuseReason | None:
    """A perturbation, likely or possible, and words beside the picture that say it is protected from AI: they
    are better evidence than pixels. Without any in the pixels they set it aside (`filters.words_beside`)."""
    seen = finding(annotation, "perturbation").level in ("likely", "possible")
    return RefuseReason.CLOAKED if seen and cloak_words(candidate) else None


OBJECTORS: Sequence[Objector] = (
    written_notice,
    cloaked,
)

#: Annotators that an objector asks. Without their finding no picture is kept.
ASKED: Sequence[str] = (
    "notices",
    "perturbation",
)


def objection(candidate: Candidate, annotation: Annotation) -> RefuseReason | None:
    """Why this picture may not be taken, by what is in it, or None."""
    for ask in OBJECTORS:
        try:
            reason = ask(candidate, annotation)
        except Unseen:
            continue
        if reason is not None:
            return reason
    return None
