"""Which pictures are like which, as select asks: rows of MATCHES, read once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Links = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Likeness:
    """By uid. `pixels`: the cluster of equal pixels, for those that have one. `near`: near copies, with the
    bits between them; `alike`: those that an embedding calls copies, with 1 - cosine. `crowds`: the cluster
    of near copies, where any picture of it has more near copies than are written. `opted_out`: the line of an
    opt-out file that lists it or a near copy. `earlier`: the picture of an earlier release that it copies.
    """

    pixels: Mapping[str, str] = field(default_factory=dict)
    near: Links = field(default_factory=dict)
    alike: Links = field(default_factory=dict)
    crowds: Mapping[str, str] = field(default_factory=dict)
    opted_out: Mapping[str, str] = field(default_factory=dict)
    earlier: Mapping[str, tuple[str, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]]) -> Likeness:
        """From all rows of a run's MATCHES."""
        by_kind: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for row in rows:
            by_kind[row["kind"]].append(row)
        crowded = {row["cluster"] for row in by_kind["near"] if row["crowded"]}
        return cls(
            {row["uid"]: row["cluster"] for row in by_kind["pixels"]},
            _links(by_kind["near"]),
            _links(by_kind["embedding"]),
            {row["uid"]: row["cluster"] for row in by_kind["near"] if row["cluster"] in crowded},
            {row["uid"]: row["of"] for row in by_kind["registry"]},
            {
                row["uid"]: (row["of"], row["distance"])
                for row in sorted(by_kind["release"], key=lambda row: -row["distance"])
            },
        )

    def copies(self, uid: str, distance: float, unlike: float) -> Iterator[str]:
        """Other pictures within `distance` bits, or whose embeddings are at most `unlike` apart."""
        yield from (other for other, bits in self.near.get(uid, {}).items() if bits <= distance)
        yield from (other for other, apart in self.alike.get(uid, {}).items() if apart <= unlike)

    def like_any(self, uid: str, others: Collection[str], crowds: Collection[str]) -> str | None:
        """One of `others` that is a copy of `uid`: the nearest, else one that an embedding knows; "" if only
        their crowd is known; else None."""
        for links in (self.near, self.alike):
            found = [(apart, other) for other, apart in links.get(uid, {}).items() if other in others]
            if found:
                return min(found)[1]
        return "" if self.crowds.get(uid) in crowds else None

    def linked(self) -> set[str]:
        """Every uid that is a copy of another one, but for equal pixels."""
        return {*self.near, *self.alike, *self.crowds}


def _links(rows: Iterable[Mapping[str, Any]]) -> Links:
    links: dict[str, dict[str, float]] = defaultdict(dict)
    for row in rows:
        links[row["uid"]][row["of"]] = row["distance"]
    return dict(links)
