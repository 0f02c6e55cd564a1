"""`kyodaku explain`: the whole story of one image, page or host, from the facts on the disk.

`explain` gathers, `tell.render` draws it for a terminal, `Story.to_json` gives it to a program. Texts from
the web stay verbatim in a Story and are made harmless where they are drawn.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice
from typing import Any

from kyodaku.errors import KyodakuError, UnsafeAddressError, UsageError
from kyodaku.lock import read_lock
from kyodaku.netguard import normalise_url
from kyodaku.reasons import FilterReason, Outcome
from kyodaku.records import Candidate
from kyodaku.report.data import HostFile, Row, RunFacts, safe_origin
from kyodaku.report.explain_pages import host_story, page_stories, signal_line
from kyodaku.report.listed import with_lines
from kyodaku.report.pages import all_pages
from kyodaku.report.published import Published, Releases
from kyodaku.report.sentences import decisive, sentence
from kyodaku.report.story import (
    Caption,
    Copy,
    DecisionLine,
    EvidenceLine,
    GateStep,
    ImageStory,
    PageStory,
    Place,
    Story,
)
from kyodaku.report.summary import GATES
from kyodaku.report.tell import render
from kyodaku.runs import RunFolder
from kyodaku.signals.model import Binding, LicenceEvidence, Signal, Where

__all__ = ["Story", "explain", "render"]

#: Candidates told in full; a page may show thousands.
TOLD = 20
_SUGGESTIONS = 3
#: Their bytes belong in a release: a duplicate's under another candidate.
_IN_THE_SET = frozenset({Outcome.RELEASED, Outcome.DUPLICATE})
_COMPARED = 20_000
_NAMES = "give an image URL, a page URL, a uid, a candidate_id, a sha256 or a host"


def explain(run: RunFolder, what: str) -> Story:
    """The story of the image, page, digest or host that `what` names in this run.

    Raises UsageError, with the nearest known addresses, when the run knows nothing of it, RunStateError
    while its crawl has not ended, and RecordError for a file that cannot be read or has another schema.
    """
    if not what.strip():
        raise UsageError(f"nothing to explain; {_NAMES}")
    facts = RunFacts(run)
    facts.require_ended()
    releases = Releases(facts)
    names = _spellings(what)
    found, asked_as = _find(facts, releases, names)
    files = facts.hosts()
    pages = page_stories(facts, names, files, TOLD) if asked_as in ("", "page_url") else ()
    if not found:
        return _without_images(facts, what, names, pages, files)
    told = found[:TOLD]
    related = _related(facts, told)
    candidates = facts.candidates({row.candidate_id: row for row in [*told, *related]}.values())
    candidates = with_lines(facts.run, [*told, *related], candidates)
    known = {row.candidate_id: (row, candidates[row.candidate_id]) for row in [*told, *related]}
    published = releases.holding({row.uid for row in [*found, *related] if row.uid})
    images = tuple(
        _image(facts, row, known, files, _Publication.of(row, known, published, releases)) for row in told
    )
    return Story(
        asked=what,
        asked_as=asked_as,
        run=str(run.path),
        sentence=_about_all(asked_as, found, images, published),
        images=images,
        not_told=len(found) - len(told),
        pages=pages,
    )


def _without_images(
    facts: RunFacts, what: str, names: frozenset[str], pages: tuple[PageStory, ...], files: list[HostFile]
) -> Story:
    """The story of a page or host that shows no image we know."""
    if pages:
        return Story(what, "page_url", str(facts.run.path), pages[0].sentence, (), 0, pages)
    host = host_story(facts, what, names, files)
    if host is None:
        raise UsageError(_unknown(facts, what))
    return host


# --- finding -----------------------------------------------------------------------------------------


def _spellings(what: str) -> frozenset[str]:
    """What is asked for, as given and as the crawl would have written it."""
    asked = what.strip()
    names = {asked, asked.lower()} if "://" not in asked else {asked}
    if "://" in asked:
        with suppress(UnsafeAddressError):
            names.add(normalise_url(asked))
    return frozenset(names)


def _find(facts: RunFacts, releases: Releases, names: frozenset[str]) -> tuple[list[Row], str]:
    """Matching rows, by the first kind of name that matches anything."""
    sources = releases.sources(names)
    for asked_as, wanted in (
        ("image_url", {"image_url": names, "final_url": names}),
        ("candidate_id", {"candidate_id": names}),
        ("uid", {"uid": names}),
        ("sha256", {"sha256": names, "uid": sources}),
        ("page_url", {"page_url": names}),
    ):
        found = list(facts.matching(wanted))
        if found:
            return found, asked_as
    return [], ""


def _related(facts: RunFacts, told: list[Row]) -> list[Row]:
    """Rows that share an address, bytes or pixels with those told, or decided them."""
    urls = {url for row in told for url in (row.image_url, row.final_url) if url}
    uids = {row.uid for row in told if row.uid}
    uids |= {member["uid"] for uid in tuple(uids) for member in facts.cluster(uid)}
    causes = {row.because_of for row in told if row.because_of}
    wanted = {"image_url": urls, "final_url": urls, "uid": uids | causes, "candidate_id": causes}
    own = {row.candidate_id for row in told}
    found = (row for row in facts.matching(wanted) if row.candidate_id not in own)
    return list(islice(found, 50 * TOLD))


def _unknown(facts: RunFacts, what: str) -> str:
    """The words for a name that the run does not know, with the nearest that it does."""
    near = heapq.nlargest(_SUGGESTIONS, _scored(facts, what))
    words = f"this run knows nothing of {what[:200]!r}"
    if near and near[0][0] > 0.6:
        return f"{words}; nearest: {', '.join(name for score, name in near if score > 0.6)}"
    return f"{words}; {_NAMES}"


def _scored(facts: RunFacts, what: str) -> Iterable[tuple[float, str]]:
    names: dict[str, None] = {}
    for row in facts.rows():
        names.update(
            dict.fromkeys((row.image_url, row.page_url) if ":" in what else (row.uid, row.candidate_id))
        )
        if len(names) > _COMPARED:
            break
    if ":" in what:
        names.update((page.url, None) for page in islice(all_pages(facts.run), _COMPARED))
    matcher = SequenceMatcher(None, b=what[:300], autojunk=False)
    for name in names:
        if name and len(name) < 1000:
            matcher.set_seq1(name)
            if matcher.real_quick_ratio() > 0.6 and matcher.quick_ratio() > 0.6:
                yield matcher.ratio(), name


def _about_all(
    asked_as: str,
    found: list[Row],
    images: tuple[ImageStory, ...],
    published: Mapping[str, list[Published]],
) -> str:
    if asked_as == "page_url" and len(found) == 1:
        return f"1 image was found on this page. {images[0].sentence}"
    if asked_as == "page_url":
        counts = Counter(row.outcome or "not decided" for row in found)
        listed = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in sorted(counts.items()))
        gone = {row.uid for row in found if row.outcome not in _IN_THE_SET and row.uid in published}
        gone |= {place.key for image in images for place in image.places if place.state == "still"}
        still = f"; {len(gone)} that left the set {'is' if len(gone) == 1 else 'are'} still in a release"
        return f"{len(found):,} images were found on this page: {listed}{still if gone else ''}."
    if len(images) == 1:
        return images[0].sentence
    best = next(
        (image for row, image in zip(found, images, strict=False) if row.outcome == "released"), images[0]
    )
    return f"Found at {len(found)} places. {best.sentence}"


@dataclass(frozen=True)
class _Publication:
    """Where releases hold the picture of one row, and the words for it ("" when none does)."""

    places: tuple[Published, ...]
    words: str

    @classmethod
    def of(
        cls,
        row: Row,
        known: Mapping[str, tuple[Row, Candidate]],
        published: Mapping[str, list[Published]],
        releases: Releases,
    ) -> _Publication:
        """Of a row that never had bytes: where those lie that another page gave under its address."""
        uids = {row.uid} if row.uid else {o.uid for o, _ in known.values() if _same_address(row, o) and o.uid}
        places = [place for uid in sorted(uids) for place in published.get(uid, [])]
        if row.outcome == Outcome.RELEASED:
            return cls(tuple(places), releases.words(places[-1:], "release {version}, shard {shard}"))
        return cls(tuple(places), releases.words(places))


def _same_address(row: Row, other: Row) -> bool:
    return other.image_url == row.image_url or (other.final_url != "" and other.final_url == row.final_url)


# --- telling -----------------------------------------------------------------------------------------


def _image(
    facts: RunFacts,
    row: Row,
    known: Mapping[str, tuple[Row, Candidate]],
    files: list[HostFile],
    publication: _Publication,
) -> ImageStory:
    candidate = known[row.candidate_id][1]
    captions = facts.captions({row.uid}) if row.uid else {}
    return ImageStory(
        candidate_id=row.candidate_id,
        uid=row.uid,
        sha256=candidate.sha256,
        image_url=row.image_url,
        page_url=row.page_url,
        sentence=sentence(row, known, publication.words, _figures(facts, row)),
        mime=candidate.mime,
        width=candidate.width,
        height=candidate.height,
        bytes=candidate.bytes,
        fetched_at=candidate.fetched_at,
        found_at=candidate.found_at,
        hops=tuple((hop.url, hop.status) for hop in candidate.hops),
        headers=candidate.headers,
        words=_words(candidate),
        gates=_gates(row, candidate),
        evidence=tuple(_evidence(row, index, item) for index, item in enumerate(candidate.evidence)),
        host_files=_files_behind(candidate, files),
        decision=_decision(row, known),
        places=_places(facts, row, publication),
        caption=_caption(captions.get(row.uid)),
        copies=_copies(facts, row, known),
    )


def _figures(facts: RunFacts, row: Row) -> str:
    """What the filter that dropped an image compared, or "" where the run's lock does not say."""
    if row.outcome != Outcome.FILTERED or row.uid == "":
        return ""
    with suppress(KyodakuError):
        limits = read_lock(facts.run).recipe.filters.resolution
        short, long = sorted(facts.sides({row.uid}).get(row.uid, (0, 0)))
        if row.outcome_reason == FilterReason.LOW_RESOLUTION and 0 < short < limits.min_side:
            return f"{short} < {limits.min_side} pixels"
        if row.outcome_reason == FilterReason.EXTREME_ASPECT and long > limits.max_aspect * short > 0:
            return f"{long} > {limits.max_aspect:g} × {short} pixels"
    return ""


def _words(candidate: Candidate) -> dict[str, str]:
    names = (
        "alt", "title", "caption", "link_text", "page_title", "schema_name", "schema_description",
        "schema_creator", "schema_credit",
    )  # fmt: skip
    return {name: value for name in names if (value := getattr(candidate, name))}


def _files_behind(candidate: Candidate, files: list[HostFile]) -> tuple[HostFile, ...]:
    """Host files of the origins on the way to an image; the documents that its signals were read in, with the
    host files of the origins that these were asked for at."""
    urls = [candidate.image_url, candidate.page_url, *(hop.url for hop in candidate.hops)]
    origins = {safe_origin(url) for url in urls if url}
    read = {signal.source_url for signal in candidate.signals}
    named = [file for file in files if file.url in read or file.final_url in read]
    beside = {safe_origin(url) for file in named for url, _ in file.hops}
    return tuple(
        file
        for file in files
        if file.origin in origins or file in named or (file.origin in beside and file.path.startswith("/"))
    )


def _gates(row: Row, candidate: Candidate) -> tuple[GateStep, ...]:
    chosen = decisive(row, candidate)
    reached = GATES.index(row.gate) if row.gate in GATES else 0
    steps: list[GateStep] = []
    for index, gate in enumerate(GATES):
        said = tuple(
            signal_line(signal, signal in chosen)
            for signal in candidate.signals
            if _gate_of(signal, candidate) == gate
        )
        verdict, reason = "proceed", ""
        if index == reached:
            verdict = "fail" if row.failure else row.gate_verdict
            reason = row.gate_reason or row.failure
        if index > reached or (candidate.not_requested and verdict == "hold"):
            verdict, reason = "not asked", ""
        steps.append(GateStep(gate, verdict, reason, said))
    return tuple(steps)


def _gate_of(signal: Signal, candidate: Candidate) -> str:
    """The gate that looks at the channel an observation came by."""
    if signal.where in (Where.REGISTRY, Where.URL):
        return "g0"
    if signal.where is Where.HTML:
        return "g2"
    if signal.where is Where.HEADER:
        return "g4" if signal.source_url in _image_urls(candidate) else "g2"
    if signal.binding in (Binding.HOST, Binding.PATH):
        own = {safe_origin(url) for url in _image_urls(candidate)}
        return "g3" if safe_origin(signal.source_url) in own and candidate.gate > "g1" else "g1"
    return "g5"


def _image_urls(candidate: Candidate) -> set[str]:
    urls = {candidate.image_url, candidate.final_url, *(hop.url for hop in candidate.hops)}
    return {url for url in urls if url}


def _evidence(row: Row, index: int, item: LicenceEvidence) -> EvidenceLine:
    return EvidenceLine(
        licence=item.licence,
        licence_url=item.licence_url,
        binding=item.binding,
        institution=item.institution,
        source_url=item.source_url,
        element=item.element,
        digest=item.digest,
        decisive=index in row.grounds,
    )


def _decision(row: Row, known: Mapping[str, tuple[Row, Candidate]]) -> DecisionLine | None:
    if not row.verdict:
        return None
    other = next((r for r, _ in known.values() if row.because_of in (r.candidate_id, r.uid)), None)
    return DecisionLine(
        verdict=row.verdict,
        reason=row.reason,
        outcome=row.outcome,
        outcome_reason=row.outcome_reason,
        licence=row.licence,
        because_of=row.because_of,
        because_of_url=(other.page_url or other.image_url) if other and row.because_of else "",
        purged=row.purged,
    )


def _places(facts: RunFacts, row: Row, publication: _Publication) -> tuple[Place, ...]:
    places: list[Place] = []
    if row.raw_shard:
        stored = facts.place(row.raw_shard, row.raw_key)
        file = f"raw/{row.raw_shard}.tar"
        if row.purged or stored is None or stored.status != "success" or stored.offset < 0:
            places.append(Place("purged" if row.purged or stored else "dropped", file, row.raw_key, -1, 0))
        else:
            state = "raw" if stored.tar.is_file() else "dropped"
            places.append(Place(state, file, row.raw_key, stored.offset, stored.bytes))
    state = "released" if row.outcome in _IN_THE_SET else "still"
    places += [Place(state, at.file, at.key, at.offset, at.bytes) for at in publication.places]
    return tuple(places)


def _caption(record: dict[str, Any] | None) -> Caption | None:
    if record is None:
        return None
    names = ("text", "source", "web_text", "synthetic_text", "model")
    return Caption(**{name: record[name] for name in names})


_EQUAL = ("bytes", "pixels")
#: What rows of MATCHES say, in words.
_LIKE = {
    "bytes": "same bytes",
    "pixels": "same pixels",
    "near": "near copy",
    "embedding": "near copy",
    "registry": "near the same opt-out",
    "release": "near the same released picture",
}


def _copies(facts: RunFacts, row: Row, known: Mapping[str, tuple[Row, Candidate]]) -> tuple[Copy, ...]:
    members = sorted(facts.cluster(row.uid), key=lambda member: member["kind"] in _EQUAL)
    twins = {member["uid"]: _LIKE.get(member["kind"], "like it") for member in members}
    copies: list[Copy] = []
    for other, _ in known.values():
        if other.candidate_id == row.candidate_id:
            continue
        if _same_address(row, other):
            kind = "same address"
        elif other.uid and other.uid == row.uid:
            kind = "same bytes"
        elif other.uid in twins:
            kind = twins[other.uid]
        else:
            continue
        copies.append(
            Copy(
                kind,
                other.candidate_id,
                other.uid,
                other.image_url,
                other.page_url,
                other.outcome,
                other.outcome_reason,
            )
        )
    return tuple(copies)
