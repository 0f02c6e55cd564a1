"""Test vectors of signals, in the published JSON Lines format: inputs, a URL, a crawler's name, and what
has to come out.

A vector runs in the mode it names. Its inputs become answers (`Fetched`, response heads, a page, a file),
the protocols read them, and the lattice says what they amount to. A vector that needs a protocol which
does not exist here is unsupported, unless what is here already refuses: nothing lifts a refusal.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from kyodaku.decision import resolve_protocols
from kyodaku.errors import CarrierError, UsageError
from kyodaku.permission import GateVerdict, image_status
from kyodaku.signals.carriers.embedded import read_embedded
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.carriers.html import parse_html
from kyodaku.signals.carriers.robots import parse_robots
from kyodaku.signals.model import Effect, Fetched, FetchError, Hop, Reading, Signal, strongest
from kyodaku.signals.protocols import all_protocols
from kyodaku.signals.tokens import purpose_tokens

#: The day that dates in vectors are compared with.
NOW = datetime(2026, 11, 20, tzinfo=UTC)

_MODES = ("spec", "policy")
_FIELDS = ("id", "signal", "input", "url", "agent", "expect", "mode")
#: Inputs that are read here, beside those that a protocol of their own would read.
_READ = frozenset(
    {
        "robots_status",
        "robots_body",
        "robots_body_prefix",
        "robots_body_padding_bytes",
        "robots_body_tail",
        "robots_redirect_chain",
        "robots_redirect_count",
        "cached_robots_body",
        "cached_age_hours",
        "page_robots_status",
        "page_robots_body",
        "page_url",
        "headers",
        "html",
        "xmp",
        "exif_copyright",
    }
)
#: Which vector signal answers for a header, a robots record or a group of inputs.
_HEADER_SIGNALS = {
    "content-usage": "aipref",
    "content-signal": "content-signal",
    "tdm-reservation": "tdmrep",
    "tdm-policy": "tdmrep",
}
_RECORD_SIGNALS = {
    "content-usage": "aipref",
    "content-signal": "content-signal",
    "license": "rsl",
    "disallowaitraining": "disallowaitraining",
}
#: Readings that protocols here do not have yet, by vector.
_NOT_YET = {
    "plus-datamining-022": "the keyword rule on rights fields",
    "license-003": "a licence that counts as a grant",
    "license-004": "schema.org acquireLicensePage",
    "license-005": "rightsstatements.org beside a licence",
}


@dataclass(frozen=True)
class Failure:
    """A vector that came out otherwise than it should."""

    id: str
    expected: str
    got: str


@dataclass
class Tally:
    """Counts of one vector signal, or of all."""

    passed: int = 0
    failed: int = 0
    unsupported: int = 0
    failures: list[Failure] = field(default_factory=list)

    def add(self, vector_id: str, expected: str, got: str | None) -> None:
        """Count one result; `got` is None for an unsupported vector."""
        if got is None:
            self.unsupported += 1
        elif got == expected:
            self.passed += 1
        else:
            self.failed += 1
            self.failures.append(Failure(vector_id, expected, got))

    def to_json(self) -> dict[str, Any]:
        """`passed`, `failed`, `unsupported`, `failures` (id, expected, got)."""
        failures = [{"id": f.id, "expected": f.expected, "got": f.got} for f in self.failures]
        return {
            "passed": self.passed,
            "failed": self.failed,
            "unsupported": self.unsupported,
            "failures": failures,
        }


@dataclass
class VectorReport:
    """The tally of all vectors, and one for each vector signal in the file's order."""

    total: Tally = field(default_factory=Tally)
    protocols: dict[str, Tally] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """True when nothing failed."""
        return self.total.failed == 0

    def to_json(self) -> dict[str, Any]:
        """The total's object, with the same for each protocol under `protocols`."""
        return {
            **self.total.to_json(),
            "protocols": {name: tally.to_json() for name, tally in self.protocols.items()},
        }


def run_vectors(path: Path | str, mode: str | None = None) -> VectorReport:
    """Run the vectors of a file, or those whose `mode` is `mode`.

    Raises UsageError when the file cannot be read, a line is no vector, or there is none.
    """
    report = VectorReport()
    vectors = read_vectors(path)
    first = next(vectors, None)
    if first is None:
        raise UsageError(f"no vectors in {path}")
    for vector in chain([first], vectors):
        if mode is not None and vector["mode"] != mode:
            continue
        got = run_vector(vector)
        tally = report.protocols.setdefault(vector["signal"], Tally())
        for counted in (report.total, tally):
            counted.add(vector["id"], vector["expect"], None if got is None else got.value)
    return report


def read_vectors(path: Path | str) -> Iterator[dict[str, Any]]:
    """The vectors of a file. Raises UsageError, which names the line."""
    try:
        lines = Path(path).read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        raise UsageError(
            f"{path}: cannot be read: no such file; name a file of vectors, one JSON object a line"
        ) from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 (byte {error.start})") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            vector = json.loads(line)
        except ValueError as error:
            raise UsageError(f"{path}, line {number}: not JSON ({error})") from error
        if not isinstance(vector, dict) or not isinstance(vector.get("input"), dict):
            raise UsageError(f"{path}, line {number}: a vector is an object with an `input` object")
        missing = [name for name in _FIELDS if name not in vector]
        if missing:
            raise UsageError(f"{path}, line {number}: no {', '.join(missing)}")
        if vector["mode"] not in _MODES or vector["expect"] not in {effect.value for effect in Effect}:
            raise UsageError(f"{path}, line {number}: an unknown mode or expect")
        yield vector


def run_vector(vector: Mapping[str, Any]) -> Effect | None:
    """What the inputs of one vector amount to; None when that takes a protocol that is not here."""
    known = {name for protocol in all_protocols() for name in protocol.vector_signals} | {"combined"}
    if vector["signal"] not in known or vector["id"] in _NOT_YET:
        return None
    effect = _effect(vector["input"], vector["url"], _reading(vector))
    if effect is not Effect.RESERVED and not _needs(vector["input"]) <= known:
        return None
    return effect


def _reading(vector: Mapping[str, Any]) -> Reading:
    return Reading(
        mode="spec" if vector["mode"] == "spec" else "policy",
        own_tokens=(vector["agent"],),
        purpose_tokens=purpose_tokens(("train_core",)),
        purpose_threshold="any",
        now=NOW,
    )


def _needs(inputs: Mapping[str, Any]) -> set[str]:
    """The vector signals whose protocols have a say in these inputs, "?" for an input that nobody reads."""
    needs: set[str] = set()
    for name in inputs:
        if name in _READ:
            continue
        stem = name.removesuffix("_status").removesuffix("_body").removesuffix("_content_type")
        absent = inputs.get(f"{stem}_status") in (404, 410) and not inputs.get(f"{stem}_body")
        needs |= set() if absent else {"?"}
    head = _head(inputs["headers"], "") if "headers" in inputs else None
    names = {name.lower() for name, _ in head.headers} if head else set()
    needs |= {signal for name, signal in _HEADER_SIGNALS.items() if name in names}
    for prefix in ("", "page_"):
        robots = parse_robots(_robots_body(inputs, prefix))
        records = [record for group in robots.groups for record in group.others] + [*robots.global_records]
        needs |= {_RECORD_SIGNALS[record.key] for record in records if record.key in _RECORD_SIGNALS}
    return needs


def _effect(inputs: Mapping[str, Any], url: str, reading: Reading) -> Effect:
    signals: list[Signal] = []
    outcomes: list[Effect] = []
    protocols = all_protocols()
    page_url = inputs.get("page_url") or urljoin(url, "/")
    for prefix, asked in (("", url), ("page_", page_url)):
        if any(name in inputs for name in (f"{prefix}robots_status", f"{prefix}robots_redirect_count")):
            file = _robots_file(inputs, prefix, asked)
            for protocol in protocols:
                signals += protocol.read_host_file("/robots.txt", file, asked, reading)
    if "headers" in inputs:
        head = _head(inputs["headers"], url)
        outcomes.append(_status_effect(head.status))
        for protocol in protocols:
            signals += protocol.read_image_head(head, reading)
    if "html" in inputs:
        try:
            page = parse_html(_bytes(inputs["html"]), "text/html; charset=utf-8", page_url)
        except CarrierError:
            return Effect.ERROR
        for protocol in protocols:
            signals += protocol.read_page(page, url, reading)
    if "xmp" in inputs or "exif_copyright" in inputs:
        embedded = read_embedded(_image_file(inputs), url=url)
        for protocol in protocols:
            signals += protocol.read_image(embedded, reading)
    return strongest([*resolve_protocols(signals).values(), *outcomes])


def _status_effect(status: int) -> Effect:
    result = image_status(status)
    verdicts = {GateVerdict.REFUSE: Effect.RESERVED, GateVerdict.HOLD: Effect.ERROR}
    return Effect.SILENT if result is None else verdicts.get(result.verdict, Effect.SILENT)


def _robots_body(inputs: Mapping[str, Any], prefix: str) -> bytes:
    padding = b"#" * max(0, int(inputs.get(f"{prefix}robots_body_padding_bytes", 0)) - 1) + b"\n"
    parts = [
        _bytes(inputs.get(f"{prefix}robots_body_prefix", "")),
        padding if f"{prefix}robots_body_padding_bytes" in inputs else b"",
        _bytes(inputs.get(f"{prefix}robots_body", "")),
        _bytes(inputs.get(f"{prefix}robots_body_tail", "")),
    ]
    return b"".join(parts)


def _robots_file(inputs: Mapping[str, Any], prefix: str, asked: str) -> Fetched:
    url = urljoin(asked, "/robots.txt")
    status = inputs.get(f"{prefix}robots_status")
    error = None
    if isinstance(status, str):
        error = FetchError(status) if status in {e.value for e in FetchError} else FetchError.PROTOCOL
        status = None
    count = int(inputs.get("robots_redirect_count", len(inputs.get("robots_redirect_chain", ()))))
    hops = tuple(Hop(url, 302) for _ in range(count if not prefix else 0))
    cached = inputs.get("cached_robots_body") if not prefix else None
    return Fetched(
        url=url,
        final_url=url,
        status=status,
        headers=(),
        body=_bytes(cached) if cached is not None else _robots_body(inputs, prefix),
        complete=error is None,
        error=error,
        fetched_at=NOW.timestamp(),
        hops=hops,
        cached_age=float(inputs.get("cached_age_hours", 0)) * 3600 if cached is not None else None,
    )


def _head(text: str, url: str) -> ResponseHead:
    """A response head from its text. A first line that is no status line counts as 200."""
    lines = [line for line in text.replace("\r\n", "\n").split("\n") if line]
    status = 200
    if lines and lines[0].startswith("HTTP/"):
        words = lines.pop(0).split()
        status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 200
    pairs = (line.partition(":") for line in lines)
    return ResponseHead(
        url, status, tuple((name.strip(), value.strip()) for name, _, value in pairs), NOW.timestamp()
    )


def _image_file(inputs: Mapping[str, Any]) -> bytes:
    """A WebP file with nothing but the metadata of the vector."""
    chunks = b""
    if "xmp" in inputs:
        chunks += _chunk(b"XMP ", _bytes(inputs["xmp"]))
    if "exif_copyright" in inputs:
        text = _bytes(inputs["exif_copyright"]) + b"\x00\x00\x00\x00"
        directory = struct.pack("<HHHIII", 1, 0x8298, 2, len(text), 26, 0)
        chunks += _chunk(b"EXIF", b"II*\x00\x08\x00\x00\x00" + directory + text)
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def _chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\x00" * (len(data) % 2)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
