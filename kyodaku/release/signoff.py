"""What a person found in a sample of what would be released, and how far that speaks for the rest.

A sign-off counts for exactly the decisions that its sample was drawn from, less what was found bad in it,
and only once every picture of the sample was judged: who stops when it looks well proves nothing.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from kyodaku.durable import canonical_json
from kyodaku.reasons import Outcome, Verdict
from kyodaku.records import DECISIONS
from kyodaku.release.tables import iter_rows
from kyodaku.reviews import Drawn, Reviews, SampleVerdict, read_reviews
from kyodaku.runs import RunFolder

#: Two-sided 95 %: the quantile of the normal distribution.
_Z = 1.959963984540054


@dataclass(frozen=True)
class SignOff:
    """A finished sample. `low` and `high` bound the share of bad pictures (Wilson, 95 %); `high_unsure`
    bounds it with every unsure one counted as bad. `when` is the last verdict, Unix time. `begun` counts the
    samples of these decisions that anybody began, this one among them."""

    size: int
    population: int
    seed: int
    good: int
    bad: int
    unsure: int
    low: float
    high: float
    high_unsure: float
    who: tuple[str, ...]
    when: float
    begun: int


def wilson(hits: int, tries: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, Journal of the American Statistical Association 22, 1927).

    (0, 1) for no tries.
    """
    if tries == 0:
        return 0.0, 1.0
    share, square = hits / tries, _Z * _Z
    middle = share + square / (2 * tries)
    spread = _Z * math.sqrt(share * (1 - share) / tries + square / (4 * tries * tries))
    low, high = ((middle + sign * spread) / (1 + square / tries) for sign in (-1, 1))
    return (0.0 if hits == 0 else max(0.0, low)), (1.0 if hits == tries else min(1.0, high))


def released_digest(run: RunFolder) -> str:
    """sha256 hex of what would be released: each picture with all that permits it."""
    decided = _Decided.of(run)
    return decided.digest_of(decided.released)


def standing_samples(run: RunFolder, reviews: Reviews) -> list[Drawn]:
    """Samples of what would be released now and of what is gone since because one of them found it bad."""
    by_decisions: dict[str, list[Drawn]] = {}
    for sample in reviews.samples():
        by_decisions.setdefault(sample.decisions, []).append(sample)
    if not by_decisions:
        return []
    decided = _Decided.of(run)
    return [
        sample
        for decisions, samples in by_decisions.items()
        if decided.digest_of(decided.released.union(*(_bad(reviews, one) for one in samples))) == decisions
        for sample in samples
    ]


def _bad(reviews: Reviews, sample: Drawn) -> set[str]:
    judged = reviews.judged(sample.sample)
    return {uid for uid in sample.uids if uid in judged and judged[uid].verdict is SampleVerdict.BAD}


@dataclass(frozen=True)
class _Decided:
    """What would be released, by uid; and of every uid what permits it: candidate, reason and licence. A
    reviewer's drop changes the first and not the second."""

    released: frozenset[str]
    permits: Mapping[str, Sequence[tuple[str, str, str]]]

    @classmethod
    def of(cls, run: RunFolder) -> _Decided:
        released, permits = set(), defaultdict(list)
        for _, rows in iter_rows(run.decisions, DECISIONS):
            for row in rows:
                if row["outcome"] == Outcome.RELEASED:
                    released.add(row["uid"])
                if row["verdict"] == Verdict.ALLOW:
                    permits[row["uid"]].append((row["candidate_id"], row["reason"], row["licence"]))
        return cls(frozenset(released), permits)

    def digest_of(self, uids: Collection[str]) -> str:
        told = [[uid, sorted(self.permits.get(uid, ()))] for uid in sorted(uids)]
        return hashlib.sha256(canonical_json(told)).hexdigest()


def sign_off(run: RunFolder) -> SignOff | None:
    """The latest finished sample of the decisions as they are, or None. Raises RecordError."""
    reviews = read_reviews(run.reviews)
    begun = standing_samples(run, reviews)
    for sample in reversed(begun):
        judged = reviews.judged(sample.sample)
        if set(sample.uids) <= set(judged):
            verdicts = [judged[uid] for uid in sample.uids]
            counts = Counter(one.verdict for one in verdicts)
            who = tuple(sorted({one.who for one in verdicts}))
            return _summed(sample, counts, who, max(one.when for one in verdicts), len(begun))
    return None


def _summed(
    sample: Drawn, counts: Counter[SampleVerdict], who: tuple[str, ...], when: float, begun: int
) -> SignOff:
    size, bad, unsure = len(sample.uids), counts[SampleVerdict.BAD], counts[SampleVerdict.UNSURE]
    low, high = wilson(bad, size)
    return SignOff(
        size,
        sample.population,
        sample.seed,
        counts[SampleVerdict.GOOD],
        bad,
        unsure,
        low,
        high,
        wilson(bad + unsure, size)[1],
        who,
        when,
        begun,
    )
