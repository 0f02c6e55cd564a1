"""What a reviewer works on: the pictures of a run that are set aside, and what is said about them.

Facts are read again as soon as a file of the run changes, so that nothing is said about a state that is
gone, and nothing is shown that was purged meanwhile.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from curation.filters import Objected, objections
from curation.findings import annotation_shards, annotations_of
from curation.outcomes import select_objection
from curation.review.cases import GRAVITY, Case, Neighbour, Stale, Told, host_of, set_aside_for
from curation.shown import Neighbours, all_against, facts_shown, shown_digest, uids_shown
from curation.spread import PictureFacts, lifted_by, quarantines
from kyodaku.errors import RunStateError
from kyodaku.reasons import Outcome, QuarantineReason
from kyodaku.recipe import Recipe
from kyodaku.records import MATCHES
from kyodaku.release.tables import read_rows
from kyodaku.report.data import Row, RunFacts
from kyodaku.report.summary import summarise
from kyodaku.report.thumbnails import Showable, Thumbnail, Thumbnailer, stored_bytes
from kyodaku.reviews import (
    Drawn,
    Entry,
    Judged,
    Review,
    Reviews,
    ReviewVerdict,
    SampleVerdict,
    Undo,
    append_reviews,
    new_group,
    read_reviews,
)
from kyodaku.runs import RunFolder

#: How many pictures may be told about at once: all of them are shown before.
BATCH = 60
_CHUNK = 500


@dataclass
class _Facts:
    """A run as it was read last. `queue` in the order of looking."""

    signature: object
    queue: list[str]
    rows: dict[str, list[Row]]
    neighbours: Neighbours
    showable: Showable
    shards: Mapping[str, str]
    clusters: Mapping[str, str]
    dropped: frozenset[str] = frozenset()
    states: dict[str, str] = field(default_factory=dict)


class Desk:
    """One run on the desk of one person. All methods may be called from any thread."""

    def __init__(
        self,
        run: RunFolder,
        recipe: Recipe,
        who: str,
        clock: Callable[[], float],
        *,
        sample: Drawn | None = None,
        only: Collection[str] = (),
    ) -> None:
        """`sample`: look at this sample instead of what is set aside; `only`: at these uids, whatever became
        of them. Raises RunStateError for a run without decisions."""
        self.run, self.recipe, self.who, self.sample = run, recipe, who, sample
        self._clock, self._only = clock, tuple(only)
        self._facts_read = RunFacts(run)
        self._lock = threading.RLock()
        self._moved: set[str] = set()
        self._thumbnailer = Thumbnailer(recipe)
        self._cases: dict[str, Case] = {}
        self._shown: dict[str, str] = {}
        if not self._facts_read.has_decisions:
            raise RunStateError(f"{run.path} has no decisions yet; run kyodaku curate first")
        self._facts = self._read()

    def close(self) -> None:
        """End the child that decodes pictures."""
        self._thumbnailer.__exit__(None, None, None)

    # --- looking ------------------------------------------------------------------------------------------

    def queue(self) -> list[tuple[str, str, str]]:
        """(uid, reason, state) of every picture on the desk; a state is open or a verdict that stands."""
        with self._lock:
            facts = self._current()
            return [(uid, _reason(facts.rows[uid]), facts.states.get(uid, "open")) for uid in facts.queue]

    def case(self, uid: str) -> Case:
        """Everything about one picture of the desk. Raises Stale."""
        return self.cases([uid])[uid]

    def cases(self, uids: Iterable[str]) -> dict[str, Case]:
        """The same of several."""
        with self._lock:
            facts, wanted = self._current(), list(uids)
            known = set(facts.queue)
            if not set(wanted) <= known:
                raise Stale("it is not on the desk any more")
            self._forget_what_drops_changed(facts)
            missing = [uid for uid in wanted if uid not in self._cases]
            if len(self._cases) > _CHUNK:
                self._cases = {uid: case for uid, case in self._cases.items() if uid in wanted}
            self._cases |= self._load(facts, missing)
            return {uid: self._cases[uid] for uid in wanted}

    def review(self, uid: str) -> Review | Judged | None:
        """What stands about a picture of the desk."""
        with self._lock:
            return self._said(read_reviews(self.run.reviews)).get(uid)

    def batch(self, uid: str, scope: str) -> list[Case]:
        """At most BATCH open or unsure pictures that belong together: of a `cluster`, or on one `host` for
        one reason. The picture itself is the first."""
        with self._lock:
            facts, own = self._current(), self.case(uid)
            if scope == "cluster":
                near = {row["uid"] for row in facts.neighbours.of_uid(uid)}
                alike = [other for other in facts.queue if other in near]
            elif scope == "host":
                alike = [
                    other
                    for other in facts.queue
                    if _reason(facts.rows[other]) == own.reason and host_of(facts.rows[other][0]) == own.host
                ]
            else:
                alike = []
            waiting = [o for o in alike if o != uid and facts.states.get(o, "open") in ("open", "unsure")]
            found = self.cases([uid, *waiting[: BATCH - 1]])
            return list(found.values())

    def neighbour(self, uid: str) -> Neighbour:
        """What became of a picture that is like one of the desk."""
        with self._lock:
            rows = self._current().rows.get(uid, [])
            asked = [row for row in rows if row.outcome != Outcome.QUARANTINED or set_aside_for(rows)]
            worst = min(asked, key=lambda row: GRAVITY.get(row.outcome, 4), default=None)
            fate = (worst.outcome, worst.outcome_reason) if worst is not None else ("", "")
            return Neighbour(self.may_show(uid), *fate)

    def may_show(self, uid: str) -> bool:
        """Whether a pixel of it may be shown: of those on the desk and of their clusters."""
        with self._lock:
            facts = self._current()
            rows = facts.rows.get(uid, [])
            return bool(rows) and all(row in facts.showable for row in rows)

    def picture(self, uid: str, side: int) -> Thumbnail | None:
        """The picture encoded anew, at most `side` pixels; None if it may not be shown or is gone."""
        if not self.may_show(uid):
            return None
        place = self._facts_read.stored({uid}).get(uid)
        body = stored_bytes(place) if place is not None else None
        return self._thumbnailer.make(body, side) if body is not None else None

    # --- saying -------------------------------------------------------------------------------------------

    def say(self, verdict: str, why: str, scope: str, items: Sequence[tuple[str, str]]) -> Told:
        """Keep a verdict about pictures, each with the digest of what was shown.

        Raises Stale if anything else is true of one of them by now; then nothing is kept.
        """
        if self.sample is not None:
            return self._judge(self.sample, verdict, why, items)
        with self._lock:
            said = ReviewVerdict(verdict)
            cases = self._as_shown(items)
            counted = [case for case in cases if said is not ReviewVerdict.ALLOW or not case.blocked]
            group, now, before = new_group(), self._clock(), read_reviews(self.run.reviews).by_uid()
            self._keep(
                Review(
                    group,
                    self.who,
                    now,
                    case.uid,
                    said,
                    _lifts(case, before.get(case.uid)) if said is ReviewVerdict.ALLOW else (),
                    case.shown,
                    why,
                    scope,
                )
                for case in counted
            )
            return self._told([case.uid for case in cases], len(cases) - len(counted))

    def undo(self) -> Told:
        """Take back what this person said last; nothing if they said nothing."""
        with self._lock:
            reviews = read_reviews(self.run.reviews)
            group = reviews.last_group(self.who)
            if not group:
                return Told({})
            uids = [
                entry.uid
                for entry in reviews.entries
                if isinstance(entry, Review | Judged) and entry.group == group
            ]
            self._keep([Undo(new_group(), self.who, self._clock(), group)])
            known = set(self._facts.queue)
            return replace(self._told([uid for uid in uids if uid in known]), undone=True)

    def _judge(self, sample: Drawn, verdict: str, why: str, items: Sequence[tuple[str, str]]) -> Told:
        with self._lock:
            said = SampleVerdict(verdict)
            cases = self._as_shown(items)
            group, now = new_group(), self._clock()
            self._keep(
                Judged(group, self.who, now, sample.sample, case.uid, said, case.shown, why) for case in cases
            )
            return self._told([case.uid for case in cases])

    def _as_shown(self, items: Sequence[tuple[str, str]]) -> list[Case]:
        if not 1 <= len(items) <= BATCH:
            raise Stale("no pictures, or more than were shown")
        cases = self.cases(uid for uid, _ in items)
        if any(cases[uid].shown != shown for uid, shown in items):
            raise Stale("the facts changed; look again")
        return list(cases.values())

    def _keep(self, entries: Iterable[Entry]) -> None:
        append_reviews(self.run.reviews, list(entries))
        before, now = self._facts.states, self._states(self._facts)
        self._facts.states = now
        self._moved = {uid for uid in {*before, *now} if before.get(uid) != now.get(uid)}

    def _told(self, uids: Sequence[str], left: int = 0) -> Told:
        """What was told about, and the copies whose facts a drop changed with it."""
        told = dict.fromkeys([*uids, *sorted(self._moved)])
        return Told({uid: self._facts.states.get(uid, "open") for uid in told}, left)

    def _forget_what_drops_changed(self, facts: _Facts) -> None:
        """A drop, of whoever looks beside us too, is among what is shown of its copies."""
        said = read_reviews(self.run.reviews).by_uid().items()
        dropped = frozenset(uid for uid, review in said if review.verdict is ReviewVerdict.DROP)
        changed = facts.dropped ^ dropped
        if changed:
            facts.dropped = dropped
            others = {uid for uid in self._shown if changed.isdisjoint(uids_shown([uid], facts.neighbours))}
            self._cases = {uid: case for uid, case in self._cases.items() if uid in others}
            self._shown = {uid: shown for uid, shown in self._shown.items() if uid in others}

    # --- reading ------------------------------------------------------------------------------------------

    def _current(self) -> _Facts:
        if self._signature() != self._facts.signature:
            self._facts = self._read()
        return self._facts

    def _signature(self) -> object:
        """Changes when a file does that anything here rests on."""
        run = self.run
        folders = (run.candidates, run.rechecks, run.annotations, run.decisions, run.raw)
        files = [run.matches, *(file for folder in folders for file in sorted(folder.glob("*.parquet")))]
        stats = ((file.name, file.stat()) for file in files if file.is_file())
        return tuple((name, found.st_mtime_ns, found.st_size, found.st_ino) for name, found in stats)

    def _read(self) -> _Facts:
        signature = self._signature()
        self._cases, self._shown = {}, {}
        matches = read_rows(self.run.matches, MATCHES) if self.run.matches.is_file() else []
        neighbours = Neighbours.of(matches)
        rows = self._rows(neighbours)
        queue = [uid for uid in self._wanted(rows) if uid in rows]
        everything = [row for found in rows.values() for row in found]
        showable = Showable(self._facts_read, summarise(self._facts_read, 0), everything)
        queue = [uid for uid in queue if all(row in showable for row in rows[uid])]
        shards = annotation_shards(self.run)
        facts = _Facts(signature, queue, rows, neighbours, showable, shards, neighbours.clusters())
        facts.states = self._states(facts)
        return facts

    def _rows(self, neighbours: Neighbours) -> dict[str, list[Row]]:
        """Candidates by uid, of every picture that is asked about and of its clusters."""
        asked = set(self.sample.uids if self.sample is not None else self._only)
        if not asked:
            asked = {
                row.uid
                for row in self._facts_read.rows()
                if row.outcome == Outcome.QUARANTINED and row.uid and not row.purged
            }
        wanted = uids_shown(asked, neighbours)
        found: dict[str, list[Row]] = defaultdict(list)
        for row in self._facts_read.rows():
            if row.uid in wanted:
                found[row.uid].append(row)
        return dict(found)

    def _wanted(self, rows: Mapping[str, Sequence[Row]]) -> list[str]:
        """Uids on the desk, in the order of looking: a sample in its own, else what belongs together."""
        if self.sample is not None:
            return list(self.sample.uids)
        if self._only:
            return list(dict.fromkeys(self._only))
        aside = [uid for uid, found in rows.items() if _reason(found)]
        return sorted(aside, key=lambda uid: (_reason(rows[uid]), host_of(rows[uid][0]), uid))

    def _load(self, facts: _Facts, uids: Collection[str]) -> dict[str, Case]:
        if not uids:
            return {}
        near = uids_shown(uids, facts.neighbours)
        rows = [row for uid in near for row in facts.rows.get(uid, ())]
        read = self._facts_read.candidates(rows)
        candidates = defaultdict(list)
        for candidate in read.values():
            candidates[candidate.uid].append(candidate)
        annotations = self._annotations(facts, near)
        said = [(read[row.candidate_id], (row.verdict, row.reason)) for row in rows]
        reviews = read_reviews(self.run.reviews).by_uid()
        pictures = PictureFacts.of(said, annotations, facts.clusters, reviews, self.recipe.filters)
        made = {}
        for uid in uids:
            if uid not in annotations:
                raise Stale("nothing is known of it any more")
            shown = facts_shown(uid, annotations[uid], candidates, facts.neighbours, pictures)
            objected = self._objected(pictures.judged(uid), shown, facts.rows[uid])
            made[uid] = Case(uid, shown, shown_digest(shown), objected, tuple(facts.rows[uid]))
        self._shown |= {uid: case.shown for uid, case in made.items()}
        return made

    def _annotations(self, facts: _Facts, uids: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        by_shard: dict[str, list[str]] = defaultdict(list)
        for uid in uids:
            by_shard[facts.shards.get(uid, "")].append(uid)
        by_shard.pop("", None)
        return {
            row["uid"]: row for shard, own in by_shard.items() for row in annotations_of(self.run, shard, own)
        }

    def _objected(
        self, annotation: Mapping[str, Any], shown: Mapping[str, Any], rows: Iterable[Row]
    ) -> tuple[Objected, ...]:
        """What filters hold against it, before them what stands against its copies and what else select found
        by itself."""
        own = tuple(objections(annotation, self.recipe.filters))
        known = {one.reason.value for one in own}
        aside = set(set_aside_for(rows)) - known
        found = (QuarantineReason.parse(reason) for reason in sorted(aside))
        reasons = [*quarantines(all_against(shown)), *(reason for reason in found if reason is not None)]
        return (*(_found_by_select(reason) for reason in dict.fromkeys(reasons)), *own)

    def _states(self, facts: _Facts) -> dict[str, str]:
        """The verdict that stands about each picture; of an allow or unsure only while its facts stand."""
        said = {
            uid: one for uid, one in self._said(read_reviews(self.run.reviews)).items() if uid in facts.rows
        }
        self._forget_what_drops_changed(facts)
        on_desk = [uid for uid in facts.queue if uid in said]
        states: dict[str, str] = {}
        unread = [uid for uid in on_desk if uid not in self._shown]
        for start in range(0, len(unread), _CHUNK):
            self._load(facts, unread[start : start + _CHUNK])
        for uid in on_desk:
            one = said[uid]
            if one.verdict == ReviewVerdict.DROP or one.shown == self._shown[uid]:
                states[uid] = one.verdict.value
        return states

    def _said(self, reviews: Reviews) -> Mapping[str, Review | Judged]:
        return reviews.by_uid() if self.sample is None else reviews.judged(self.sample.sample)

    def counts(self) -> Counter[str]:
        """Pictures on the desk by state."""
        return Counter(state for _, _, state in self.queue())


def _found_by_select(reason: QuarantineReason) -> Objected:
    """What rests on more than this picture. The words may stand beside its address, at a candidate that was
    never fetched: the filter that named them has its own name."""
    words = QuarantineReason.WORDS_BESIDE
    return Objected("words_beside", words) if reason is words else select_objection(reason)


def _reason(rows: Iterable[Row]) -> str:
    return next(iter(set_aside_for(rows)), "")


def _lifts(case: Case, before: Review | None) -> tuple[str, ...]:
    """What an allow lifts: what it is shown, and what an earlier allow lifted that was shown the same."""
    earlier = lifted_by(before) if before is not None and before.shown == case.shown else ()
    return tuple(dict.fromkeys((*earlier, *case.lifts)))
