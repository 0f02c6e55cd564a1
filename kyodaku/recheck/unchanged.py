"""Whether an image is still the one that was stored, going by the headers of an answer alone."""

from __future__ import annotations

from kyodaku.records import Candidate
from kyodaku.signals.model import Fetched, Headers

#: What tells one version of an image from another without its bytes.
_VALIDATORS = ("etag", "last-modified")


def is_same(candidate: Candidate, answer: Fetched) -> bool:
    """True where an answer's headers plainly say that the image is the one we have: at the same final
    address, no length that differs, every validator that we know again, and either a tag or, with a date
    alone, the length (RFC 9110 8.8.2.2: two versions may share a second)."""
    if answer.final_url != candidate.final_url:
        return False
    lengths = set(_values(answer.headers, "content-length"))
    if not lengths <= {str(candidate.bytes)}:
        return False
    known = {name: _values(candidate.headers, name) for name in _VALIDATORS}
    if any(values != _values(answer.headers, name) for name, values in known.items() if values):
        return False
    return bool(known["etag"] or (known["last-modified"] and lengths))


def _values(headers: Headers, name: str) -> list[str]:
    """What a header says, each time it is there; what is empty tells nothing apart."""
    values = [value.strip() for key, value in headers if key.lower() == name]
    return [value for value in values if value.removeprefix("W/").strip('"')]
