"""Facts as compact JSON text, for the spool in crawl.sqlite: lists of values in the order of the fields."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields
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

EMPTY = "[]"

_SIGNAL_FIELDS = tuple(field.name for field in fields(Signal))
_EVIDENCE_FIELDS = tuple(field.name for field in fields(LicenceEvidence))
_ENUMS = {"where": Where, "binding": Binding, "use": Use, "effect": Effect}

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def dump(value: Any) -> str:
    """`value` as compact JSON. Lone surrogates become replacement characters: SQLite stores UTF-8."""
    text = _encode(value)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        text = text.encode("utf-8", "replace").decode("utf-8")
    return text


def dump_signals(signals: Sequence[Signal]) -> str:
    """Signals as one JSON list of lists."""
    if not signals:
        return EMPTY
    return dump([[getattr(signal, name) for name in _SIGNAL_FIELDS] for signal in signals])


def load_signals(text: str) -> tuple[Signal, ...]:
    """Inverse of `dump_signals`. Raises ValueError on a value no enum knows."""
    return () if text == EMPTY else tuple(_signal(row) for row in json.loads(text))


def dump_evidence(evidence: Sequence[LicenceEvidence]) -> str:
    """Licence evidence as one JSON list of lists."""
    if not evidence:
        return EMPTY
    return dump([[getattr(item, name) for name in _EVIDENCE_FIELDS] for item in evidence])


def load_evidence(text: str) -> tuple[LicenceEvidence, ...]:
    """Inverse of `dump_evidence`. Raises ValueError on an unknown binding."""
    if text == EMPTY:
        return ()
    rows = (dict(zip(_EVIDENCE_FIELDS, row, strict=True)) for row in json.loads(text))
    return tuple(LicenceEvidence(**{**row, "binding": LicenceBinding(row["binding"])}) for row in rows)


def dump_hops(hops: Iterable[Hop]) -> str:
    """A redirect chain."""
    return dump([[hop.url, hop.status, hop.ip] for hop in hops])


def load_hops(text: str) -> tuple[Hop, ...]:
    """Inverse of `dump_hops`."""
    return () if text == EMPTY else tuple(Hop(*row) for row in json.loads(text))


def dump_headers(headers: Headers) -> str:
    """Response headers, verbatim and in order."""
    return dump([[name, value] for name, value in headers])


def load_headers(text: str) -> Headers:
    """Inverse of `dump_headers`."""
    return tuple((name, value) for name, value in json.loads(text))


def _signal(row: Sequence[Any]) -> Signal:
    values = dict(zip(_SIGNAL_FIELDS, row, strict=True))
    return Signal(**{**values, **{name: enum(values[name]) for name, enum in _ENUMS.items()}})


def merged(first: Sequence[Any], *others: Sequence[Any]) -> tuple[Any, ...]:
    """All items once, in order of first appearance. Facts only ever grow."""
    return tuple(dict.fromkeys([*first, *(item for other in others for item in other)]))
