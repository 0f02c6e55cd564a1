"""Test vectors of signals, in the published JSON Lines format: inputs, a URL, a crawler's name, and what
has to come out.

A vector runs in the mode it names. Its inputs become answers (`Fetched`, response heads, a page, a file),
the protocols read them, and the lattice says what they amount to. A vector that needs a protocol which
does not exist here is unsupported, unless what is here already refuses: nothing lifts a refusal.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from kyodaku.decision import resolve_protocols
from kyodaku.errors import CarrierError, UsageError
from kyodaku.gate import GateVerdict, image_status
from kyodaku.signals.carriers.c2pa import parse_manifest_store
from kyodaku.signals.carriers.embedded import C2PA_UNREADABLE, EmbeddedMetadata, read_embedded
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.carriers.html import HtmlPage, parse_html
from kyodaku.signals.model import (
    Binding,
    Declared,
    Effect,
    Fetched,
    FetchError,
    Hop,
    LicenceBinding,
    LicenceEvidence,
    Reading,
    Signal,
    Use,
    Where,
    strongest,
)
from kyodaku.signals.protocols import all_protocols
from kyodaku.signals.tokens import purpose_tokens
from kyodaku.signals.vector_images import IMAGE_INPUTS, image_file

#: The day that dates in vectors are compared with.
NOW = datetime(2026, 11, 20, tzinfo=UTC)

_MODES = ("spec", "policy")
_FIELDS = ("id", "signal", "input", "url", "agent", "expect", "mode")
#: The host files that inputs are named after: `tdmrep_status`, `tdmrep_body`, `tdmrep_content_type`.
_HOST_FILES = {
    "robots": "/robots.txt",
    "tdmrep": "/.well-known/tdmrep.json",
    "ai_txt": "/ai.txt",
    "well_known_ai_txt": "/.well-known/ai.txt",
    "ai_json": "/.well-known/ai.json",
    "trust_txt": "/.well-known/trust.txt",
    "root_trust_txt": "/trust.txt",
}
#: Licences that count as a yes of their own.
_FREE = frozenset({"cc0-1.0", "pdm-1.0"})


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
    if vector["signal"] not in known:
        return None
    return _effect(vector["input"], vector["url"], _reading(vector))


def _reading(vector: Mapping[str, Any]) -> Reading:
    return Reading(
        mode="spec" if vector["mode"] == "spec" else "policy",
        own_tokens=(vector["agent"],),
        purpose_tokens=purpose_tokens(("train_core",)),
        purpose_threshold="any",
        now=NOW,
    )


def _effect(inputs: Mapping[str, Any], url: str, reading: Reading) -> Effect:
    page_url = inputs.get("page_url") or (url if url.endswith(".html") else urljoin(url, "/"))
    said = _Said(inputs, reading)
    said.host_files("", url)
    said.host_files("page_", page_url)
    if "headers" in inputs:
        said.image_head(_head(inputs["headers"], url))
    if "html" in inputs:
        try:
            said.page(parse_html(_bytes(inputs["html"]), "text/html; charset=utf-8", page_url), url)
        except CarrierError:
            return Effect.ERROR
    if (IMAGE_INPUTS | {"c2pa_json"}) & set(inputs):
        embedded = read_embedded(image_file(inputs), url=url)
        if "c2pa_json" in inputs:
            embedded = _with_credentials(embedded, inputs["c2pa_json"])
        said.image(embedded)
    if "atproto_record" in inputs:
        said.record(_file(url, 200, _bytes(inputs["atproto_record"])), url)
    training = [signal for signal in said.signals if signal.use is Use.TRAINING]
    return strongest([*resolve_protocols(training).values(), *said.outcomes, said.licensed])


class _Said:
    """What all protocols say to the inputs of one vector."""

    def __init__(self, inputs: Mapping[str, Any], reading: Reading) -> None:
        self._inputs = inputs
        self._reading = reading
        self._protocols = all_protocols()
        self.signals: list[Signal] = []
        self.outcomes: list[Effect] = []
        self.evidence: list[LicenceEvidence] = []

    def host_files(self, prefix: str, asked: str) -> None:
        files = _host_files(self._inputs, prefix, asked)
        for protocol in self._protocols:
            for path in protocol.host_files:
                if path in files:
                    self.signals += protocol.read_host_file(path, files[path], asked, self._reading)
            self._documents(protocol.host_documents(files, urljoin(asked, "/")[:-1], self._reading), asked)

    def image_head(self, head: ResponseHead) -> None:
        self.outcomes.append(_status_effect(head.status))
        for protocol in self._protocols:
            self.evidence += protocol.head_evidence(head)
            self.signals += protocol.read_image_head(head, self._reading)
            self._documents(protocol.image_documents(head, self._reading), head.url)

    def page(self, page: HtmlPage, image_url: str) -> None:
        head = ResponseHead(page.url, 200, (), page.fetched_at)
        for protocol in self._protocols:
            self.signals += protocol.read_page(page, None, self._reading)
            self.signals += protocol.read_page(page, image_url, self._reading)
            self._documents(protocol.page_documents(head, page, self._reading), image_url)
            self.evidence += protocol.page_evidence(page, image_url, self._reading)

    def image(self, embedded: EmbeddedMetadata) -> None:
        for protocol in self._protocols:
            self.signals += protocol.read_image(embedded, self._reading)
            self.evidence += protocol.image_evidence(embedded)

    @property
    def licensed(self) -> Effect:
        """What licences amount to: a yes where all that are bound to the image give it to everybody."""
        bound = [item for item in self.evidence if item.binding is not LicenceBinding.UNBOUND]
        free = bool(bound) and all(item.licence in _FREE for item in bound)
        return Effect.PERMITTED if free else Effect.SILENT

    def record(self, document: Fetched, url: str) -> None:
        """A document of the protocol that the vector is about, which no other input names."""
        for protocol in self._protocols:
            if "atproto-user-intents" in protocol.vector_signals:
                declared = Declared(protocol.name, document.url, Where.FILE, Binding.IMAGE, "", document.url)
                self.signals += protocol.read_document(document, declared, url, self._reading)

    def _documents(self, named: Sequence[Declared], url: str) -> None:
        for declared in named:
            document = _document(self._inputs, declared.url)
            if document is not None:  # an absent input was not looked up
                protocol = next(p for p in self._protocols if p.name == declared.protocol)
                self.signals += protocol.read_document(document, declared, url, self._reading)


def _with_credentials(embedded: EmbeddedMetadata, text: str) -> EmbeddedMetadata:
    """`embedded` with the manifest store `text`; one that is none counts as one that nobody could read."""
    try:
        return replace(embedded, c2pa=parse_manifest_store(text))
    except CarrierError as error:
        unread = (*embedded.unreadable, f"{C2PA_UNREADABLE}{error}")
        return replace(embedded, unreadable=unread, complete=False)


def _host_files(inputs: Mapping[str, Any], prefix: str, asked: str) -> dict[str, Fetched]:
    files: dict[str, Fetched] = {}
    for stem, path in _HOST_FILES.items():
        name = prefix + stem
        if stem == "robots":
            if f"{name}_status" in inputs or f"{prefix}robots_redirect_count" in inputs:
                files[path] = _robots_file(inputs, prefix, asked)
        elif f"{name}_status" in inputs:
            files[path] = _file(
                urljoin(asked, path),
                inputs[f"{name}_status"],
                _bytes(inputs.get(f"{name}_body", "")),
                inputs.get(f"{name}_content_type", ""),
            )
    return files


def _document(inputs: Mapping[str, Any], url: str) -> Fetched | None:
    if url in inputs.get("rsl_by_url", {}):
        return _file(url, 200, _bytes(inputs["rsl_by_url"][url]))
    if "rsl_status" in inputs and inputs.get("rsl_url", url) == url:
        return _file(url, inputs["rsl_status"], _bytes(inputs.get("rsl_body", "")))
    return None


def _file(url: str, status: int | str, body: bytes, content_type: str = "") -> Fetched:
    """An answer; a status in words is an error."""
    error = None
    if isinstance(status, str):
        error = FetchError(status) if status in {e.value for e in FetchError} else FetchError.PROTOCOL
    return Fetched(
        url=url,
        final_url=url,
        status=None if isinstance(status, str) else status,
        headers=(("Content-Type", content_type),) if content_type else (),
        body=body,
        complete=error is None,
        error=error,
        fetched_at=NOW.timestamp(),
    )


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
    count = int(inputs.get("robots_redirect_count", len(inputs.get("robots_redirect_chain", ()))))
    file = _file(url, inputs.get(f"{prefix}robots_status", 200), _robots_body(inputs, prefix))
    if f"{prefix}robots_status" not in inputs:
        file = replace(file, status=None)
    if prefix:
        return file
    file = replace(file, hops=tuple(Hop(url, 302) for _ in range(count)))
    cached = inputs.get("cached_robots_body")
    if cached is None:
        return file
    age = float(inputs.get("cached_age_hours", 0)) * 3600
    return replace(file, body=_bytes(cached), cached_age=age)


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


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
