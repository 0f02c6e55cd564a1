"""What a reviewer is shown of a picture that was set aside, and its digest: an `allow` counts only while the
facts are the same as then.

The pages of `kyodaku review` are made from these values. What stands against other pictures is among them;
their outcomes, which hang on reviews as well, are told besides. Times and digests of answers are not among
them: asking a page again and hearing the same calls for no new look.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from curation.cloak_words import beside
from curation.spread import PictureFacts
from curation.steps import digest
from kyodaku.records import Candidate
from kyodaku.signals.model import Effect, LicenceEvidence, Signal

#: Columns of ANNOTATIONS that are shown, beside the findings.
_PICTURE = ("format", "mode", "width", "height", "frames", "has_alpha", "has_gps", "pixel_sha256")


#: Kinds of MATCHES whose rows name a cluster of equals, and those that name one copy in `of`.
_EQUAL, _ALIKE = ("pixels",), ("near", "embedding")


@dataclass(frozen=True)
class Neighbours:
    """Who is like whom, from rows of MATCHES: by uid, and members by cluster of equal pixels. `crowds` maps a
    uid to its cluster of near copies where some picture of it has more than are written, `by_crowd` holds
    all members of these."""

    by_uid: Mapping[str, Sequence[Mapping[str, Any]]]
    by_cluster: Mapping[str, Sequence[str]]
    crowds: Mapping[str, str]
    by_crowd: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]]) -> Neighbours:
        """All rows of a run's MATCHES."""
        by_uid: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        by_cluster: dict[str, list[str]] = defaultdict(list)
        near: dict[str, set[str]] = defaultdict(set)
        crowded = set()
        for row in rows:
            if row["kind"] in (*_EQUAL, *_ALIKE):
                by_uid[row["uid"]].append(row)
            if row["kind"] in _EQUAL:
                by_cluster[row["cluster"]].append(row["uid"])
            if row["kind"] == "near":
                near[row["cluster"]].add(row["uid"])
                crowded |= {row["cluster"]} if row["crowded"] else set()
        by_crowd = {cluster: sorted(near[cluster]) for cluster in crowded}
        crowds = {uid: cluster for cluster, uids in by_crowd.items() for uid in uids}
        return cls(by_uid, by_cluster, crowds, by_crowd)

    def of_uid(self, uid: str) -> list[dict[str, Any]]:
        """The other pictures that are equal or like it, nearest first: `kind`, `uid`, `distance`,
        `transform`."""
        found: dict[str, dict[str, Any]] = {}
        for row in sorted(self.by_uid.get(uid, ()), key=lambda row: (row["distance"], row["of"])):
            others = self.by_cluster[row["cluster"]] if row["kind"] in _EQUAL else (row["of"],)
            told = {"kind": row["kind"], "distance": row["distance"], "transform": row["transform"]}
            for other in sorted(others):
                if other != uid:
                    found.setdefault(other, {"uid": other, **told})
        return list(found.values())

    def clusters(self) -> dict[str, str]:
        """uid -> its cluster of equal pixels, for those that have one."""
        return {uid: cluster for cluster, uids in self.by_cluster.items() for uid in uids}

    def crowd(self, uid: str) -> list[str]:
        """The others of its crowd, named as neighbours or not; none where all near copies are known."""
        return [other for other in self.by_crowd.get(self.crowds.get(uid, ""), ()) if other != uid]

    def mates(self, uid: str) -> Sequence[str]:
        """Every picture with the same pixels, itself among them if there are any."""
        rows = (row for row in self.by_uid.get(uid, ()) if row["kind"] in _EQUAL)
        return next((self.by_cluster[row["cluster"]] for row in rows), ())

    def is_crowded(self, uid: str) -> bool:
        """True if it has more near copies than are known by name."""
        return any(row["crowded"] for row in self.by_uid.get(uid, ()))


def facts_shown(
    uid: str,
    annotation: Mapping[str, Any],
    candidates: Mapping[str, Sequence[Candidate]],
    neighbours: Neighbours,
    pictures: PictureFacts,
) -> dict[str, Any]:
    """Everything about `uid` that its page shows, as plain values.

    `annotation` as `iter_annotations` gives it; `candidates` by uid and `pictures`, of this one and of all
    that `uids_shown` names. What stands against another picture is told only where something does.
    """
    others = [
        {**row, "found": _found(candidates.get(row["uid"], ())), **_against(row["uid"], pictures)}
        for row in neighbours.of_uid(uid)
    ]
    named = {row["uid"] for row in others}
    crowd = [
        {"uid": other, **said}
        for other in neighbours.crowd(uid)
        if other not in named and (said := _against(other, pictures))
    ]
    return {
        "uid": uid,
        "picture": {name: annotation[name] for name in _PICTURE},
        "findings": [_finding(found.to_row()) for _, found in sorted(annotation["findings"].items())],
        "found": _found(candidates.get(uid, ())),
        "crowded": neighbours.is_crowded(uid),
        "cluster": others,
        **({"crowd": crowd} if crowd else {}),
    }


def _against(uid: str, pictures: PictureFacts) -> dict[str, list[str]]:
    found = pictures.against(uid)
    return {"against": found} if found else {}


def all_against(facts: Mapping[str, Any]) -> set[str]:
    """What stands against any copy, of facts as `facts_shown` gave them: `outcome:reason`."""
    rows = (*facts["cluster"], *facts.get("crowd", ()))
    return {said for row in rows for said in row.get("against", ())}


def shown_digest(facts: Mapping[str, Any]) -> str:
    """sha256 hex of what `facts_shown` gave."""
    return digest(facts)


def uids_shown(uids: Collection[str], neighbours: Neighbours) -> set[str]:
    """`uids`, their neighbours and crowds, and what has the pixels of any: whose candidates, decisions and
    annotations `facts_shown` needs."""
    found = {*uids, *(row["uid"] for uid in uids for row in neighbours.of_uid(uid))}
    for crowd in {neighbours.crowds[uid] for uid in uids if uid in neighbours.crowds}:
        found.update(neighbours.by_crowd[crowd])
    return found | {other for uid in found for other in neighbours.mates(uid)}


def by_uid(candidates: Iterable[Candidate], uids: Collection[str]) -> dict[str, list[Candidate]]:
    """Those candidates that gave one of `uids`, in their order."""
    found: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        if candidate.uid in uids:
            found[candidate.uid].append(candidate)
    return dict(found)


def _finding(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "mask": row["mask"].hex()}


def _found(candidates: Iterable[Candidate]) -> list[dict[str, Any]]:
    """Where a picture was found, and what was said of it there."""
    return [
        {
            "candidate_id": candidate.candidate_id,
            "image_url": candidate.image_url,
            "page_url": candidate.page_url,
            "alt": candidate.alt,
            "title": candidate.title,
            "caption": candidate.caption,
            "creator": candidate.schema_creator,
            "found_at": candidate.found_at,
            "last_modified": _last_modified(candidate),
            "evidence": _once(map(_evidence, candidate.evidence)),
            "signals": _once(_signal(s) for s in candidate.signals if s.effect is not Effect.SILENT),
            **({"words": [no.column, no.phrase, no.text]} if (no := beside(candidate)) else {}),
        }
        for candidate in sorted(candidates, key=_order)
    ]


def _order(candidate: Candidate) -> tuple[bool, str]:
    """Where words say no first: not all places are shown."""
    return beside(candidate) is None, candidate.candidate_id


def _last_modified(candidate: Candidate) -> str:
    """As served, or ""."""
    return next((value for name, value in candidate.headers if name.lower() == "last-modified"), "")


def _evidence(item: LicenceEvidence) -> tuple[str, ...]:
    return item.licence, item.licence_url, item.binding.value, item.institution, item.source_url, item.element


def _signal(item: Signal) -> tuple[str, ...]:
    return item.protocol, item.effect.value, item.binding.value, item.raw, item.source_url


def _once(items: Iterable[tuple[str, ...]]) -> list[list[str]]:
    return [list(item) for item in sorted(set(items))]
