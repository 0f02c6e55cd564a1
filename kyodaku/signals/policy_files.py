"""Opt-out files beside robots.txt: what an answer means that is no file, and signals from one that is.

The outcomes are those of every well-known file: missing says nothing, unreachable leaves it open, and a file
that robots.txt bars may hold a no.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from kyodaku.reasons import HoldReason, RefuseReason
from kyodaku.signals.model import Binding, Effect, Fetched, FetchError, Signal, Use, Where, excerpt

#: A file is read up to here; one that goes on is one we have not read.
MAX_BYTES = 1024 * 1024
#: How old a stored copy may be, in all, when it stands in for a file that cannot be reached.
MAX_CACHED_AGE_S = 48 * 3600
_HTML = (b"<!doctype", b"<html", b"<head", b"<body", b"<script", b"<meta", b"<title", b"<div", b"<!--")


@dataclass(frozen=True)
class Answer:
    """What the fetch alone says: an effect, the reason it has and a few words."""

    effect: Effect
    reason: HoldReason | RefuseReason | None
    said: str


def fetch_outcome(file: Fetched) -> Answer | None:
    """What `file` says without being read; None when there is a body to read.

    404, 410, 401, 403, 451, a redirect too many and a web page in the file's place are silence; 402 reserves;
    whatever else is no complete answer leaves the state open.
    """
    if file.error is FetchError.BARRED:
        return Answer(Effect.ERROR, HoldReason.POLICY_FILE_BARRED, "robots.txt does not let us ask for it")
    if file.error is FetchError.REDIRECTS:
        return Answer(Effect.SILENT, None, "more than five redirects")
    if file.error in (FetchError.TOO_LARGE, FetchError.BOMB):
        return Answer(Effect.ERROR, HoldReason.POLICY_FILE_UNREADABLE, file.error.value)
    if file.error is not None or file.status is None:
        said = file.error.value if file.error is not None else "no answer"
        return Answer(Effect.ERROR, HoldReason.POLICY_FILE_UNREACHABLE, said)
    if file.cached_age is not None and not 0 <= file.cached_age <= MAX_CACHED_AGE_S:
        return Answer(Effect.ERROR, HoldReason.POLICY_FILE_UNREACHABLE, "the stored copy is too old")
    return _status_outcome(file, file.status)


def _status_outcome(file: Fetched, status: int) -> Answer | None:
    said = f"HTTP {status}"
    if status in (401, 403, 404, 410, 451):
        return Answer(Effect.SILENT, None, said)
    if status == 402:
        return Answer(Effect.RESERVED, RefuseReason.PAYMENT_REQUIRED, said)
    if status not in (200, 203, 204):
        return Answer(Effect.ERROR, HoldReason.POLICY_FILE_UNREACHABLE, said)
    if len(file.body) > MAX_BYTES:
        return Answer(Effect.ERROR, HoldReason.POLICY_FILE_UNREADABLE, "longer than 1 MiB")
    if not file.complete:
        return Answer(Effect.ERROR, HoldReason.POLICY_FILE_UNREACHABLE, "the body broke off")
    if is_web_page(file.body):
        return Answer(Effect.SILENT, None, "a web page")
    return None


def is_web_page(body: bytes) -> bool:
    """True for markup in the place of a file: many sites answer every path with one page."""
    start = body[:512].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return start.startswith(_HTML) or (start.startswith(b"<") and b"<html" in body[:4096].lower())


def answer_signals(protocol: str, file: Fetched, answer: Answer) -> list[Signal]:
    """The signal of an answer that is no file; none where it says nothing."""
    if answer.effect is Effect.SILENT:
        return []
    rule = f"{protocol}:fetch"
    reason = answer.reason.value if answer.reason is not None else ""
    return [file_signal(protocol, file, answer.effect, answer.said, answer.said, rule, reason, Binding.HOST)]


def file_signal(
    protocol: str,
    file: Fetched,
    effect: Effect,
    raw: str,
    parsed: str,
    rule: str,
    reason: str = "",
    binding: Binding = Binding.PATH,
) -> Signal:
    """A signal about training that stands in a host file."""
    return Signal(
        protocol=protocol,
        where=Where.FILE,
        binding=binding,
        use=Use.TRAINING,
        effect=effect,
        raw=excerpt(raw),
        parsed=excerpt(parsed),
        rule=rule,
        reason=reason,
        source_url=file.final_url or file.url,
        digest=sha256(file.body).hexdigest(),
        complete=file.complete,
        fetched_at=file.fetched_at,
    )
