"""What a reviewer is shown of a picture that was set aside, and its digest: an `allow` counts only while the
facts are the same as then.

The pages of `kyodaku review` are made from these values; only what became of other pictures is told besides.
Times and digests of answers are not among them: asking a page again and hearing the same calls for no new
look.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from curation.steps import digest
from kyodaku.records import Candidate
from kyodaku.signals.model import Effect, LicenceEvidence, Signal

#: Columns of ANNOTATIONS that are shown, beside the findings.
_PICTURE = ("format", "mode", "width", "height", "frames", "has_alpha", "has_gps", "pixel_sha256")


#: Kinds of MATCHES whose rows name a cluster of equals, and those that name one copy in `of`.
_EQUAL, _ALIKE = ("pixels",), ("near", "embedding")


@dataclass(frozen=True)
class Neighbours:
    """Who is like whom, from rows of MATCHES: by uid, and members by cluster of equal pixels."""

    by_uid: Mapping[str, Sequence[Mapping[str, Any]]]
    by_cluster: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]]) -> Neighbours:
        """All rows of a run's MATCHES."""
        by_uid: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        by_cluster: dict[str, list[str]] = defaultdict(list)
        for row in rows:
            if row["kind"] in (*_EQUAL, *_ALIKE):
                by_uid[row["uid"]].append(row)
            if row["kind"] in _EQUAL:
                by_cluster[row["cluster"]].append(row["uid"])
        return cls(by_uid, by_cluster)

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

    def is_crowded(self, uid: str) -> bool:
        """True if it has more near copies than are known by name."""
        return any(row["crowded"] for row in self.by_uid.get(uid, ()))


def facts_shown(
    uid: str,
    annotation: Mapping[str, Any],
    candidates: Mapping[str, Sequence[Candidate]],
    neighbours: Neighbours,
) -> dict[str, Any]:
    """Everything about `uid` that its page shows, as plain values.

    `annotation` as `iter_annotations` gives it; `candidates` by uid, of this one and of its neighbours.
    """
    others = neighbours.of_uid(uid)
    return {
        "uid": uid,
        "picture": {name: annotation[name] for name in _PICTURE},
        "findings": [_finding(found.to_row()) for _, found in sorted(annotation["findings"].items())],
        "found": _found(candidates.get(uid, ())),
        "crowded": neighbours.is_crowded(uid),
        "cluster": [{**row, "found": _found(candidates.get(row["uid"], ()))} for row in others],
    }


def shown_digest(facts: Mapping[str, Any]) -> str:
    """sha256 hex of what `facts_shown` gave."""
    return digest(facts)


def uids_shown(uids: Collection[str], neighbours: Neighbours) -> set[str]:
    """`uids` and all their neighbours: whose candidates `facts_shown` needs."""
    return {*uids, *(row["uid"] for uid in uids for row in neighbours.of_uid(uid))}


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
        }
        for candidate in sorted(candidates, key=lambda candidate: candidate.candidate_id)
    ]


def _last_modified(candidate: Candidate) -> str:
    """As served, or ""."""
    return next((value for name, value in candidate.headers if name.lower() == "last-modified"), "")


def _evidence(item: LicenceEvidence) -> tuple[str, ...]:
    return item.licence, item.licence_url, item.binding.value, item.institution, item.source_url, item.element


def _signal(item: Signal) -> tuple[str, ...]:
    return item.protocol, item.effect.value, item.binding.value, item.raw, item.source_url


def _once(items: Iterable[tuple[str, ...]]) -> list[list[str]]:
    return [list(item) for item in sorted(set(items))]
