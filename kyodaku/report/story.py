"""The story of one image as plain data: what `explain` gathers and `tell` draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from kyodaku.report.data import HostFile


@dataclass(frozen=True)
class SignalLine:
    """One observation. `decisive` where the decision rests on it."""

    protocol: str
    effect: str
    raw: str
    parsed: str
    rule: str
    binding: str
    source_url: str
    fetched_at: float
    digest: str
    complete: bool
    decisive: bool


@dataclass(frozen=True)
class GateStep:
    """What one gate said: proceed, refuse, hold, fail, or not asked."""

    gate: str
    verdict: str
    reason: str
    signals: tuple[SignalLine, ...]


@dataclass(frozen=True)
class EvidenceLine:
    """A licence statement; `decisive` where the decision rests on it. Unbound ones are never evidence."""

    licence: str
    licence_url: str
    binding: str
    institution: str
    source_url: str
    element: str
    digest: str
    decisive: bool


@dataclass(frozen=True)
class SeenLine:
    """What one annotator found in the pixels. `decisive` where the outcome rests on it."""

    annotator: str
    version: str
    status: str
    level: str
    score: float
    text: str
    decisive: bool


@dataclass(frozen=True)
class DecisionLine:
    """What `select` decided. `because_of` names the candidate or image whose facts did."""

    verdict: str
    reason: str
    outcome: str
    outcome_reason: str
    licence: str
    because_of: str
    because_of_url: str
    purged: bool


@dataclass(frozen=True)
class Place:
    """Where bytes of the image are, or were. `state`: raw, purged, dropped, released, or still:
    in a release, although it is in the set no longer."""

    state: str
    file: str
    key: str
    offset: int
    bytes: int


@dataclass(frozen=True)
class Copy:
    """Another candidate with the same address or bytes, or another image with the same pixels."""

    kind: str
    candidate_id: str
    uid: str
    image_url: str
    page_url: str
    outcome: str
    reason: str


@dataclass(frozen=True)
class Caption:
    """The text that goes with the image, and what it was chosen from."""

    text: str
    source: str
    web_text: str
    synthetic_text: str
    model: str


@dataclass(frozen=True)
class ImageStory:
    """Everything about one candidate. `headers` and `hops` are verbatim."""

    candidate_id: str
    uid: str
    sha256: str
    image_url: str
    page_url: str
    sentence: str
    mime: str
    width: int
    height: int
    bytes: int
    fetched_at: float
    found_at: float
    hops: tuple[tuple[str, int], ...]
    headers: tuple[tuple[str, str], ...]
    words: Mapping[str, str]
    gates: tuple[GateStep, ...]
    evidence: tuple[EvidenceLine, ...]
    host_files: tuple[HostFile, ...]
    seen: tuple[SeenLine, ...]
    decision: DecisionLine | None
    places: tuple[Place, ...]
    caption: Caption | None
    copies: tuple[Copy, ...]


@dataclass(frozen=True)
class PageStory:
    """Everything about one page or sitemap. `outcome` is "" when it was open; `gate` the last one asked."""

    url: str
    kind: str
    sentence: str
    outcome: str
    reason: str
    gate: str
    final_url: str
    hops: tuple[tuple[str, int], ...]
    status: int
    fetched_at: float
    bytes: int
    candidates: int
    signals: tuple[SignalLine, ...]
    host_files: tuple[HostFile, ...]


@dataclass(frozen=True)
class Story:
    """The answer to "what about this?". `asked_as` says what the question turned out to be: an image_url,
    a page_url, a uid, a candidate_id, a sha256 or a host. `pages` are told when a page was asked about,
    `host_files` when a host was. `not_told` candidates matched beyond those told."""

    asked: str
    asked_as: str
    run: str
    sentence: str
    images: tuple[ImageStory, ...]
    not_told: int
    pages: tuple[PageStory, ...] = ()
    host_files: tuple[HostFile, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)
