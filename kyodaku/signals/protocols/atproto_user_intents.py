"""User intents of ATProto accounts (Bluesky): records of `org.user-intents.declaration`.

A proposal only (Bluesky proposal 0008, atproto discussion 3617, March 2025): no standard, and few servers
hold such records. So a yes is never a grant, and a no counts. An image that a personal data server hands out
as a blob carries its author's identifier in its address, which tells where the record stands.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from kyodaku.reasons import HoldReason, RefuseReason
from kyodaku.signals.model import (
    Binding,
    Declared,
    Effect,
    Fetched,
    FetchError,
    Reading,
    Signal,
    Use,
    Where,
    excerpt,
)
from kyodaku.signals.protocols.base import About, Peers, Protocol

COLLECTION = "org.user-intents.declaration"
_BLOB = "/xrpc/com.atproto.sync.getBlob"
_RECORD = "/xrpc/com.atproto.repo.getRecord"
#: An identifier as the ATProto specification writes it (did:plc, did:web).
_DID = re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]{1,2000}")
_REFUSING = ("syntheticContentGeneration", "bulkDataset")
_KNOWN = (*_REFUSING, "publicAccessArchive", "protocolBridging")
_MAX_BYTES = 64 * 1024
#: Names of one object; a record has a handful.
_MAX_NAMES = 100


class AtprotoUserIntents(Protocol):
    """`allow: false` on synthetic content generation or bulk data sets."""

    name = "atproto-user-intents"
    title = "ATProto user intents (a proposal): records of authors whose images are blobs of a data server"
    vector_signals = ("atproto-user-intents",)
    about = About(
        where="record `org.user-intents.declaration` of the account",
        scope="account",
        status="ATProto proposal 0008, work in progress",
        spec="`allow: false` for synthetic content or bulk datasets reserves; true is recorded",
        policy="the same",
        peers=Peers(common_crawl="not known"),
    )

    def url_documents(self, url: str, reading: Reading) -> Sequence[Declared]:
        """The author's record on the server that hands out the blob `url`."""
        try:
            parts = urlsplit(url)
            found = parse_qs(parts.query).get("did", [])
        except ValueError:
            return ()
        if parts.scheme not in ("http", "https") or parts.path.rstrip("/").lower() != _BLOB.lower():
            return ()
        return tuple(
            Declared(
                self.name,
                _record_url(f"{parts.scheme}://{parts.netloc}", did),
                Where.URL,
                Binding.IMAGE,
                excerpt(url),
                excerpt(url),
            )
            for did in dict.fromkeys(did.strip() for did in found)
            if _DID.fullmatch(did)
        )

    def read_document(
        self, document: Fetched, declared: Declared, url: str, reading: Reading
    ) -> list[Signal]:
        """A no for each intent that says so. No record is no statement; no answer is an open question."""
        if document.error is FetchError.BARRED:
            return [_error(document, HoldReason.POLICY_FILE_BARRED, "barred by robots.txt")]
        if document.error is not None or document.status is None:
            said = document.error.value if document.error is not None else "no answer"
            return [_error(document, HoldReason.POLICY_FILE_UNREACHABLE, said)]
        if document.status == 404 or (document.status == 400 and _not_found(document)):
            return []
        if document.status != 200 or not document.complete:
            return [_error(document, HoldReason.POLICY_FILE_UNREACHABLE, f"HTTP {document.status}")]
        return _read(document, reading)


def _record_url(origin: str, did: str) -> str:
    return f"{origin}{_RECORD}?repo={quote(did, safe=':')}&collection={COLLECTION}&rkey=self"


def _not_found(document: Fetched) -> bool:
    value = _json(document)
    return isinstance(value, dict) and value.get("error") == "RecordNotFound"


def _json(document: Fetched) -> Any:
    """The body's value; None where it is no JSON or longer than a record may be."""
    if len(document.body) > _MAX_BYTES:
        return None
    try:
        return json.loads(document.body, object_pairs_hook=_object)
    except (ValueError, RecursionError):
        return None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object in which, of a name that comes twice, every value stays: the names of copies end in `+`."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        while name in found:  # bounded by the limit below
            name += "+"
        found[name] = value
        if len(found) > _MAX_NAMES:
            raise ValueError("more names than the limit")
    return found


def _read(document: Fetched, reading: Reading) -> list[Signal]:
    value = _json(document)
    wrapped = isinstance(value, dict) and "$type" not in value and isinstance(value.get("value"), dict)
    record = value["value"] if wrapped else value
    if not isinstance(record, dict) or record.get("$type") != COLLECTION:
        if reading.mode == "policy" and isinstance(record, dict):
            refusals = _intents(document, record, reading, only_refusals=True)
            if refusals:
                return refusals
        return [_error(document, HoldReason.POLICY_FILE_UNREADABLE, "no record of user intents")]
    return _intents(document, record, reading)


def _intents(
    document: Fetched, record: Mapping[str, Any], reading: Reading, only_refusals: bool = False
) -> list[Signal]:
    signals = []
    loosely = reading.mode == "policy"
    for key, intent in record.items():
        name = _name(key, loosely)
        if name not in _KNOWN:
            continue
        if not isinstance(intent, dict):
            signals.append(_error(document, HoldReason.POLICY_FILE_UNREADABLE, f"{name} is no object"))
            continue
        for allow_key, allow in intent.items():
            if _name(allow_key, loosely) == "allow":
                signals.append(_intent(document, name, allow, reading))
    return [s for s in signals if s.effect is Effect.RESERVED] if only_refusals else signals


def _name(key: str, loosely: bool) -> str:
    """The name of a member, without the mark of a copy; `loosely` whatever its case and underscores are."""
    name = key.rstrip("+")
    folded = name.replace("_", "").lower()
    meant = (known for known in (*_KNOWN, "allow") if loosely and known.lower() == folded)
    return next(meant, name)


def _intent(document: Fetched, name: str, allow: Any, reading: Reading) -> Signal:
    raw = json.dumps({name: {"allow": allow}}, ensure_ascii=False)
    loosely = reading.mode == "policy" and str(allow).strip().lower() in ("false", "no", "0", "none")
    if name in _REFUSING and (allow is False or (loosely and allow is not None)):
        return _signal(document, Effect.RESERVED, RefuseReason.USER_INTENT, raw, f"{name}: no", name)
    if allow is None or isinstance(allow, bool) or name not in _REFUSING:
        return _signal(document, Effect.SILENT, "", raw, f"{name}: {allow}", name)
    return _error(document, HoldReason.POLICY_FILE_UNREADABLE, f"{name}: neither true nor false")


def _error(document: Fetched, reason: HoldReason, said: str) -> Signal:
    raw = document.body[:1000].decode("utf-8", "replace")
    return _signal(document, Effect.ERROR, reason, raw, said, "record")


def _signal(
    document: Fetched,
    effect: Effect,
    reason: RefuseReason | HoldReason | str,
    raw: str,
    parsed: str,
    rule: str,
) -> Signal:
    return Signal(
        protocol=AtprotoUserIntents.name,
        where=Where.FILE,
        binding=Binding.IMAGE,
        use=Use.TRAINING,
        effect=effect,
        raw=excerpt(raw),
        parsed=excerpt(parsed),
        rule=f"atproto-user-intents:{rule}",
        reason=str(reason),
        source_url=document.final_url or document.url,
        digest=sha256(document.body).hexdigest(),
        complete=document.complete,
        fetched_at=document.fetched_at,
    )


PROTOCOL = AtprotoUserIntents()
