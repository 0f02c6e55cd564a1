"""Near copies: which pictures of a run are copies of each other, of what an opt-out file lists, and of what
an earlier release holds. Rows of MATCHES, from fingerprints alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from curation.clusters import components
from kyodaku.copies import is_matchable
from kyodaku.matching import CUT, Copies, PictureIndex, Prints, forms_of
from kyodaku.optouts import OptOuts
from kyodaku.release.pictures import ReleasedPictures

Row = dict[str, Any]

#: Near copies of one picture that are written, the nearest first. One that has more is `crowded`.
MOST = 200
#: Pictures looked for at once.
_BATCH = 64


@dataclass(frozen=True)
class Pictures:
    """What match knows of the pictures of a run, each uid once: `pixels` is a digest or "", `forms` what an
    index holds of it (`matching.forms_of`)."""

    uids: Sequence[str]
    pixels: Sequence[str]
    forms: Sequence[Sequence[tuple[int, str]]]

    @classmethod
    def of(cls, annotations: Iterable[Mapping[str, Any]]) -> Pictures:
        """From rows of ANNOTATIONS, those of purged pictures among them, and of UNSTORED; of several rows of
        a picture the first that knows its pixels."""
        found: dict[str, tuple[str, list[tuple[int, str]]]] = {}
        for row in annotations:
            if row["uid"] and not found.get(row["uid"], ("", []))[0]:
                pdq = row["pdq"] if is_matchable(row["pdq_frames"]) else ""
                found[row["uid"]] = row["pixel_sha256"], forms_of(pdq, row["pdq_trimmed"])
        uids = sorted(found)
        return cls(uids, [found[uid][0] for uid in uids], [found[uid][1] for uid in uids])

    def prints(self) -> Prints:
        """All of them, to look in."""
        pairs = enumerate(self.forms)
        return Prints.of((place, form, text) for place, forms in pairs for form, text in forms)


#: uid and frames of every picture that has any, each once.
Frames = Iterable[tuple[str, bytes]]


def near_rows(pictures: Pictures, frames: Frames) -> list[Row]:
    """Rows `near`: one for each picture and each of its near copies, both ways round."""
    index = PictureIndex(pictures.prints())
    place = {uid: number for number, uid in enumerate(pictures.uids)}
    best: dict[tuple[int, int], tuple[int, str]] = {}
    crowded: set[int] = set()
    for uids, copies in _searched(index, frames):
        counts: dict[int, int] = defaultdict(int)
        for row, (sought, found, distance) in enumerate(_triples(copies)):
            own = place[uids[sought]]
            if own == found:
                continue
            if counts[own] == MOST:
                crowded.add(own)
                continue
            counts[own] += 1
            pair, said = (min(own, found), max(own, found)), (distance, copies.words(row))
            best[pair] = min(best.get(pair, said), said)
    groups = components(_keys(len(pictures.uids), best))
    cluster = {member: pictures.uids[group[0]] for group in groups for member in group}
    return [
        _row("near", cluster[own], pictures.uids[own], pictures.uids[other], *best[pair], own in crowded)
        for pair in sorted(best)
        for own, other in (pair, pair[::-1])
    ]


def _keys(count: int, pairs: Iterable[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    keys: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for pair in pairs:
        for member in pair:
            keys[member].append(pair)
    return keys


def registry_rows(pictures: Pictures, frames: Frames, optouts: OptOuts) -> list[Row]:
    """Rows `registry`: pictures that an opt-out file lists by their pixels or by a hash near to theirs."""
    rows = [
        _row("registry", entry.rule, uid, entry.rule, 0, "same pixels")
        for uid, pixels in zip(pictures.uids, pictures.pixels, strict=True)
        if (entry := optouts.pixels.get(pixels)) is not None
    ]
    entries = [*optouts.near.values(), *optouts.near_cuts.values()]
    if not entries:
        return rows
    known = {row["uid"] for row in rows}
    hashes = [*((0, text) for text in optouts.near), *((CUT, text) for text in optouts.near_cuts)]
    index = PictureIndex(Prints.of((place, *one) for place, one in enumerate(hashes)))
    for uid, place, distance, words in _nearest(index, frames):
        if uid not in known:
            rule = entries[place].rule
            rows.append(_row("registry", rule, uid, rule, distance, words))
    return rows


def release_rows(pictures: Pictures, frames: Frames, name: str, released: ReleasedPictures) -> list[Row]:
    """Rows `release`: pictures that the release `name` holds, as they are or as a near copy."""
    rows, known = [], set()
    for uid, pixels in zip(pictures.uids, pictures.pixels, strict=True):
        same = released.by_uid.get(uid)
        found = same if same is not None else released.by_pixels.get(pixels) if pixels else None
        if found is not None:
            known.add(uid)
            words = "same bytes" if same is not None else "same pixels"
            rows.append(_released(name, released, uid, found, 0, words))
    index = PictureIndex(released.prints)
    for uid, place, distance, words in _nearest(index, frames):
        if uid not in known:
            rows.append(_released(name, released, uid, place, distance, words))
    return rows


def _released(name: str, released: ReleasedPictures, uid: str, place: int, distance: int, words: str) -> Row:
    theirs = released.rows[place]["uid"]
    return _row("release", theirs, uid, f"{name}/{theirs}", distance, words)


def _nearest(index: PictureIndex, frames: Frames) -> Iterator[tuple[str, int, int, str]]:
    """For each picture that has a copy in `index`, the nearest: its place there, distance and transform."""
    for uids, copies in _searched(index, frames):
        last = -1
        for row, (sought, found, distance) in enumerate(_triples(copies)):
            if sought != last:
                yield uids[sought], found, distance, copies.words(row)
            last = sought


def _searched(index: PictureIndex, frames: Frames) -> Iterator[tuple[list[str], Copies]]:
    pending = iter(frames)
    while batch := list(islice(pending, _BATCH)):
        yield [uid for uid, _ in batch], index.copies_of([one for _, one in batch])


def _triples(copies: Copies) -> Iterator[tuple[int, int, int]]:
    return zip(copies.sought.tolist(), copies.found.tolist(), copies.distances.tolist(), strict=True)


def embedding_rows(vectors: Mapping[str, np.ndarray[Any, Any]], least: float) -> list[Row]:
    """Rows `embedding`: pictures whose vectors, of one model and made for copies, have a cosine of at least
    `least`. Both ways round; the distance is 1 - cosine. Vectors of different lengths are not compared."""
    by_length: dict[int, list[str]] = defaultdict(list)
    for uid in sorted(vectors):
        by_length[len(vectors[uid])].append(uid)
    return [row for uids in by_length.values() for row in _alike(uids, vectors, least)]


def _alike(uids: Sequence[str], vectors: Mapping[str, np.ndarray[Any, Any]], least: float) -> list[Row]:
    matrix = np.stack([np.asarray(vectors[uid], np.float32) for uid in uids])
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    matrix = matrix / np.where(lengths > 0, lengths, 1)
    pairs: dict[tuple[int, int], float] = {}
    for start in range(0, len(uids), 1024):
        cosines = matrix[start : start + 1024] @ matrix.T
        for row, column in zip(*np.nonzero(cosines >= least), strict=True):
            if start + row < column:
                pairs[int(start + row), int(column)] = float(cosines[row, column])
    groups = components(_keys(len(uids), pairs))
    cluster = {member: uids[group[0]] for group in groups for member in group}
    return [
        _row("embedding", cluster[own], uids[own], uids[other], round(max(0.0, 1 - pairs[pair]), 6), "")
        for pair in sorted(pairs)
        for own, other in (pair, pair[::-1])
    ]


def _row(
    kind: str, cluster: str, uid: str, of: str, distance: float, transform: str, crowded: bool = False
) -> Row:
    return {
        "cluster": cluster,
        "kind": kind,
        "uid": uid,
        "of": of,
        "distance": float(distance),
        "transform": transform,
        "crowded": crowded,
    }
