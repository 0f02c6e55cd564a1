"""Drawing a sample of what would be released.

Every picture has the same chance. The list is sorted by host, then by kind of picture and permission, then by
a digest of seed and uid; every n-th is taken from a start that the seed gives. So hosts and kinds are in the
sample in proportion, however many there are (implicit stratification by systematic sampling: Cochran,
Sampling Techniques, 3rd ed., chapter 8). The order in which people look is by digest, not by host.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from curation.annotators.base import Status
from curation.findings import iter_annotations
from kyodaku.errors import RunStateError
from kyodaku.reasons import Outcome
from kyodaku.release.signoff import released_digest, standing_samples
from kyodaku.report.data import Row, RunFacts, safe_origin
from kyodaku.reviews import Drawn, new_group, read_reviews
from kyodaku.runs import RunFolder


@dataclass(frozen=True)
class Member:
    """One picture of the population: where it came from, what it is, why it may be there."""

    uid: str
    host: str
    kind: str
    permission: str


def choose(population: Iterable[Member], size: int, seed: int) -> tuple[str, ...]:
    """Uids of the sample, in the order of looking; all of a population that is no larger."""
    ordered = sorted(population, key=lambda one: (one.host, one.kind, one.permission, _digest(seed, one.uid)))
    if size >= len(ordered):
        chosen = [one.uid for one in ordered]
    else:
        step = len(ordered) / size
        start = int(_digest(seed, "start")[:13], 16) / 16**13 * step
        chosen = [ordered[min(int(start + number * step), len(ordered) - 1)].uid for number in range(size)]
    return tuple(sorted(chosen, key=lambda uid: _digest(seed, uid)))


def draw(run: RunFolder, size: int, seed: int, who: str, now: float) -> tuple[Drawn, bool]:
    """The sample of this size and seed of the decisions as they are, and whether it is new.

    One that was begun is gone on with, also when what it found bad is out by now. Raises RunStateError if
    nothing would be released.
    """
    for drawn in standing_samples(run, read_reviews(run.reviews)):
        if drawn.seed == seed and len(drawn.uids) == min(size, drawn.population):
            return drawn, False
    decisions = released_digest(run)
    members = list(_population(run))
    if not members:
        raise RunStateError(f"{run.path}: nothing would be released, so there is nothing to sample")
    uids = choose(members, size, seed)
    sample = _digest(seed, decisions + "".join(uids))[:16]
    return Drawn(new_group(), who, now, sample, decisions, len(members), seed, uids), True


def _population(run: RunFolder) -> Iterable[Member]:
    rows: dict[str, Row] = {}
    for row in RunFacts(run).rows():
        if row.outcome == Outcome.RELEASED:
            rows[row.uid] = row
    kinds = {a["uid"]: _kind(a) for a in iter_annotations(run) if a["uid"] in rows}
    for uid, row in rows.items():
        yield Member(uid, safe_origin(row.image_url), kinds.get(uid, ""), row.reason)


def _kind(annotation: Mapping[str, Any]) -> str:
    found = annotation["findings"].get("kind")
    return found.level if found is not None and found.status is Status.OK else ""


def _digest(seed: int, text: str) -> str:
    return hashlib.sha256(f"{seed}\0{text}".encode()).hexdigest()
