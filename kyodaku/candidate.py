"""One candidate in memory: a row of CANDIDATES (`kyodaku/records.py`), and how its parts are read back."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from kyodaku.signals.model import (
    Binding,
    Effect,
    Headers,
    Hop,
    LicenceBinding,
    LicenceEvidence,
    Signal,
    Use,
    Where,
)


@dataclass
class Candidate:
    """One row of CANDIDATES while the crawl fills it. `signals` and `evidence` only ever grow."""

    candidate_id: str
    image_url: str
    page_url: str
    host: str
    depth: int = 0
    alt: str = ""
    title: str = ""
    caption: str = ""
    link_text: str = ""
    page_title: str = ""
    schema_name: str = ""
    schema_description: str = ""
    schema_creator: str = ""
    schema_credit: str = ""
    language: str = ""
    variants: tuple[str, ...] = ()
    found_at: float = 0.0
    page_hops: tuple[str, ...] = ()
    page_sha256: str = ""
    gate: str = "g0"
    gate_verdict: str = "hold"
    gate_reason: str = "not_finished"
    not_requested: str = ""
    failure: str = ""
    final_url: str = ""
    hops: tuple[Hop, ...] = ()
    status: int = 0
    headers: Headers = ()
    fetched_at: float = 0.0
    bytes: int = 0
    sha256: str = ""
    uid: str = ""
    mime: str = ""
    width: int = 0
    height: int = 0
    raw_shard: str = ""
    raw_key: str = ""
    signals: tuple[Signal, ...] = ()
    evidence: tuple[LicenceEvidence, ...] = ()

    def to_row(self) -> dict[str, Any]:
        """Plain values for Arrow or JSON."""
        row = {f.name: getattr(self, f.name) for f in fields(self)}
        row["variants"] = list(self.variants)
        row["page_hops"] = list(self.page_hops)
        row["hops"] = [dict(vars(hop)) for hop in self.hops]
        row["headers"] = [{"name": name, "value": value} for name, value in self.headers]
        row["signals"] = [dict(vars(signal)) for signal in self.signals]
        row["evidence"] = [dict(vars(item)) for item in self.evidence]
        return row

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Candidate:
        """Inverse of `to_row`. Raises ValueError on a value no enum knows (never guesses)."""
        values = dict(row)
        values["variants"] = tuple(row["variants"])
        values["page_hops"] = tuple(row["page_hops"])
        values["hops"] = tuple(Hop(**hop) for hop in row["hops"])
        values["headers"] = tuple((h["name"], h["value"]) for h in row["headers"])
        values["signals"] = tuple(signal_from_row(signal) for signal in row["signals"])
        values["evidence"] = tuple(evidence_from_row(item) for item in row["evidence"])
        return cls(**values)


def signal_from_row(row: dict[str, Any]) -> Signal:
    """A Signal from its stored form; ValueError on an unknown enum value."""
    return Signal(
        **{
            **row,
            "where": Where(row["where"]),
            "binding": Binding(row["binding"]),
            "use": Use(row["use"]),
            "effect": Effect(row["effect"]),
        }
    )


def evidence_from_row(row: dict[str, Any]) -> LicenceEvidence:
    """A LicenceEvidence from its stored form; ValueError on an unknown binding."""
    return LicenceEvidence(**{**row, "binding": LicenceBinding(row["binding"])})
