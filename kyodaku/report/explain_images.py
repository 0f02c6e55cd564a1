"""The story of one candidate, as `explain` tells it: from its row, its facts and its relations."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from kyodaku.errors import KyodakuError
from kyodaku.lock import read_lock
from kyodaku.reasons import FilterReason, Outcome
from kyodaku.records import Candidate
from kyodaku.report.data import HostFile, Row, RunFacts, safe_origin
from kyodaku.report.explain_pages import signal_line
from kyodaku.report.findings import rests_on
from kyodaku.report.published import Published, Releases
from kyodaku.report.sentences import decisive, sentence
from kyodaku.report.story import (
    Caption,
    Copy,
    DecisionLine,
    EvidenceLine,
    GateStep,
    ImageStory,
    Place,
    SeenLine,
)
from kyodaku.report.summary import GATES
from kyodaku.signals.model import Binding, LicenceEvidence, Signal, Where

#: Their bytes belong in a release: a duplicate's under another candidate.
IN_THE_SET = frozenset({Outcome.RELEASED, Outcome.DUPLICATE})


@dataclass(frozen=True)
class Publication:
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
    ) -> Publication:
        """Of a row that never had bytes: where those lie that another page gave under its address."""
        uids = {row.uid} if row.uid else {o.uid for o, _ in known.values() if _same_address(row, o) and o.uid}
        places = [place for uid in sorted(uids) for place in published.get(uid, [])]
        if row.outcome == Outcome.RELEASED:
            return cls(tuple(places), releases.words(places[-1:], "release {version}, shard {shard}"))
        return cls(tuple(places), releases.words(places))


def _same_address(row: Row, other: Row) -> bool:
    return other.image_url == row.image_url or (other.final_url != "" and other.final_url == row.final_url)


def image_story(
    facts: RunFacts,
    row: Row,
    known: Mapping[str, tuple[Row, Candidate]],
    files: list[HostFile],
    publication: Publication,
) -> ImageStory:
    """The story of one candidate. `known` holds it and all that are related to it, by candidate_id."""
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
        seen=_seen(facts, row),
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


def _seen(facts: RunFacts, row: Row) -> tuple[SeenLine, ...]:
    """What annotators found in the pixels. Of a picture that is out for good, only what keeps it out."""
    findings = facts.findings({row.uid}).get(row.uid, []) if row.uid else []
    weighty = rests_on(findings, row.outcome_reason)
    told = weighty if row.outcome in (Outcome.REFUSED, Outcome.HELD) else findings
    return tuple(
        SeenLine(
            annotator=found["annotator"],
            version=found["version"],
            status=found["status"],
            level=found["level"],
            score=found["score"],
            text=found["text"],
            decisive=found in weighty,
        )
        for found in told
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


def _places(facts: RunFacts, row: Row, publication: Publication) -> tuple[Place, ...]:
    places: list[Place] = []
    if row.raw_shard:
        stored = facts.place(row.raw_shard, row.raw_key)
        file = f"raw/{row.raw_shard}.tar"
        if row.purged or stored is None or stored.status != "success" or stored.offset < 0:
            places.append(Place("purged" if row.purged or stored else "dropped", file, row.raw_key, -1, 0))
        else:
            state = "raw" if stored.tar.is_file() else "dropped"
            places.append(Place(state, file, row.raw_key, stored.offset, stored.bytes))
    state = "released" if row.outcome in IN_THE_SET else "still"
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
