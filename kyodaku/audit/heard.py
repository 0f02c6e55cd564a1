"""What our own protocols hear in the files of a site, for one address and one crawler."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.model import Fetched, Headers, Reading, Signal, Use
from kyodaku.signals.protocols import all_protocols
from kyodaku.signals.tokens import purpose_tokens

Mode = Literal["spec", "policy"]
_TYPES = {"json": "application/json", "xml": "application/rsl+xml", "txt": "text/plain"}


def reading(mode: Mode, agent: str, now: float) -> Reading:
    """How a crawler of that product token reads."""
    tokens = purpose_tokens(("train_core",))
    return Reading(mode, (agent,), tokens, "any", datetime.fromtimestamp(now, UTC))


def answers(origin: str, bodies: Mapping[str, bytes], now: float) -> dict[str, Fetched]:
    """Every host file that a protocol asks for, and every other body: served, or 404."""
    paths = {path: None for protocol in all_protocols() for path in protocol.host_files}
    return {path: _answer(origin + path, bodies.get(path), now) for path in (*paths, *bodies)}


def hear(
    origin: str, url: str, files: Mapping[str, Fetched], how: Reading, headers: Headers = ()
) -> list[Signal]:
    """All training signals for `url`, from the files and from headers of its answer."""
    found: list[Signal] = []
    for protocol in all_protocols():
        for path in protocol.host_files:
            if path in files:  # a live site is not asked for what no longer has a say
                found += protocol.read_host_file(path, files[path], url, how)
        for declared in protocol.host_documents(files, origin, how):
            document = files.get(declared.url, files.get(declared.url.removeprefix(origin)))
            if document is not None:
                found += protocol.read_document(document, declared, url, how)
        if headers:
            head = ResponseHead(url, 200, headers, how.now.timestamp())
            found += protocol.read_image_head(head, how)
    return [signal for signal in found if signal.use is Use.TRAINING]


def unread(origin: str, files: Mapping[str, Fetched], how: Reading) -> list[tuple[str, str]]:
    """Protocol and line of every document that a file names and that is not among `files`."""
    return [
        (protocol.name, declared.raw)
        for protocol in all_protocols()
        for declared in protocol.host_documents(files, origin, how)
        if declared.needed and declared.url.removeprefix(origin) not in files
    ]


def _answer(url: str, body: bytes | None, now: float) -> Fetched:
    kind = _TYPES.get(url.rpartition(".")[2], "text/plain")
    status = 404 if body is None else 200
    return Fetched(url, url, status, (("Content-Type", kind),), body or b"", True, None, now)
