"""Objections that only a look at the picture finds: a notice written in it, words beside a cloak. Each
is a refusal: its bytes are purged, and its copies share its fate.

A closed registry, asked in order; the first that objects names the reason. Where nobody could look, this says
nothing: `filters.first_objection` sets such a picture aside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from curation.cloak_words import beside
from curation.findings import Annotation, Unseen, finding
from kyodaku.reasons import RefuseReason
from kyodaku.records import Candidate

Objector = Callable[[Candidate, Annotation], RefuseReason | None]


def written_notice(candidate: Candidate, annotation: Annotation) -> RefuseReason | None:
    """A notice in the picture says no to AI training or to re-use. No recipe can ask for less."""
    return RefuseReason.WRITTEN_NOTICE if finding(annotation, "notices").level == "notice" else None


def cloaked(candidate: Candidate, annotation: Annotation) -> RefuseReason | None:
    """A likely perturbation, and words beside the picture that say no. Where the words or the pixels are all
    there is, the picture is set aside (`filters.words_beside`, `filters.perturbation`)."""
    likely = finding(annotation, "perturbation").level == "likely"
    return RefuseReason.CLOAKED if likely and beside(candidate) is not None else None


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
