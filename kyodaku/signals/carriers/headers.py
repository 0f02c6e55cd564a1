"""HTTP response headers as they were served: order and case kept, look-up by lower-case name."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from kyodaku.signals.model import Headers


@dataclass(frozen=True)
class ResponseHead:
    """Status line and headers of one response.

    `url` is the URL that answered (after redirects). Values are latin-1 text as received (RFC 9110 5.5).
    """

    url: str
    status: int
    headers: Headers
    fetched_at: float

    def values(self, name: str) -> list[str]:
        """All values of the header `name` (any case), one per field line, in order."""
        wanted = name.lower()
        return [value for key, value in self.headers if key.lower() == wanted]

    def first(self, name: str) -> str | None:
        """The first value of `name`, or None."""
        return next(iter(self.values(name)), None)

    def digest(self) -> str:
        """sha256 hex of the header block, for evidence."""
        block = "".join(f"{key}: {value}\r\n" for key, value in self.headers)
        return sha256(block.encode("utf-8", "surrogateescape")).hexdigest()
