"""Documents that pages, headers and images name, as fetched: licences, policies, declarations.

Whoever names a document makes us ask for it, of any host. So what one origin may name is capped, and what of
one origin may be named; a document beyond counts as not to be had, which holds whoever names it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from kyodaku.errors import UnsafeAddressError
from kyodaku.gate import GateResult, GateVerdict
from kyodaku.signals.model import Fetched, FetchError
from kyodaku.urls import origin_of

#: A copy is asked for again after a day, as host files are.
DOCUMENT_FRESH = 24 * 3600.0
#: What could not be had is asked for again after so many seconds, after twice as many the next time, and so
#: on up to a day.
DOCUMENT_RETRY = 300.0
#: Bytes read of a document.
DOCUMENT_CAP = 1024 * 1024
#: Documents of other origins that one origin may name, and of one origin that may be named, by itself too.
MAX_NAMED_BY = 100
MAX_NAMED_OF = 10_000
_MAX_DOCUMENTS = 10_000
_MAX_BYTES = 256 * 1024 * 1024
_MAX_ORIGINS = 10_000


class DocumentLibrary:
    """The documents that gates ask for, by URL. `clock` is Unix seconds.

    A driver puts in whatever came of its request, failures too: `unavailable` says what a closed gate on
    the way to a document amounts to.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: OrderedDict[str, tuple[Fetched, int]] = OrderedDict()  # with its failures in a row
        self._bytes = 0
        self._named_by = _Named(MAX_NAMED_BY)
        self._named_of = _Named(MAX_NAMED_OF)

    def get(self, url: str) -> Fetched | None:
        """The document, if it was fetched within a day, or failed not long ago."""
        found, failures = self._known.get(url, (None, 0))
        if found is None:
            return None
        term = DOCUMENT_RETRY * 2 ** min(failures - 1, 16) if failures else DOCUMENT_FRESH
        return found if 0 <= self._clock() - found.fetched_at < min(term, DOCUMENT_FRESH) else None

    def put(self, url: str, fetched: Fetched) -> None:
        """Keep what came of asking for `url`."""
        old, failures = self._known.get(url, (None, 0))
        again = old is None or fetched.fetched_at > old.fetched_at
        self._known[url] = fetched, failures + again if _may_pass(fetched) else 0
        self._known.move_to_end(url)
        self._bytes += len(fetched.body) - (0 if old is None else len(old.body))
        while len(self._known) > _MAX_DOCUMENTS or self._bytes > _MAX_BYTES:
            _, (oldest, _) = self._known.popitem(last=False)
            self._bytes -= len(oldest.body)

    def admit(self, url: str, named_at: str) -> bool:
        """Count that `named_at` (a URL) names `url`, once; False when its origin names too many documents of
        others, or too many of the origin of `url` were named."""
        try:
            naming, named = origin_of(named_at), origin_of(url)
        except UnsafeAddressError:
            return True  # G0 lets nobody ask for it
        return (naming == named or self._named_by.count(naming, url)) and self._named_of.count(named, url)

    def unasked(self, url: str) -> Fetched:
        """What stands for a document that `admit` did not let us ask for."""
        return Fetched(url, url, None, (), b"", False, FetchError.TOO_LARGE, self._clock())

    def unavailable(self, url: str, result: GateResult) -> Fetched:
        """What stands for a document that a gate did not let us ask for."""
        barred = result.verdict is GateVerdict.REFUSE and result.gate in ("g1", "g3")
        error = FetchError.BARRED if barred else FetchError.BLOCKED
        return Fetched(url, url, None, (), b"", False, error, self._clock())


class _Named:
    """Distinct URLs per origin, at most `limit` of each."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._urls: OrderedDict[str, set[int]] = OrderedDict()

    def count(self, origin: str, url: str) -> bool:
        """Whether `url` is among the first `limit` of `origin`."""
        urls = self._urls.setdefault(origin, set())
        self._urls.move_to_end(origin)
        if len(self._urls) > _MAX_ORIGINS:
            self._urls.popitem(last=False)
        if hash(url) not in urls and len(urls) >= self._limit:
            return False
        urls.add(hash(url))
        return True


def _may_pass(fetched: Fetched) -> bool:
    """True for a failure that may be over soon: no answer, or one that speaks of the server's troubles."""
    if fetched.error is not None or not fetched.complete:
        return fetched.error is not FetchError.BARRED
    return fetched.status is None or fetched.status >= 500 or fetched.status in (408, 425, 429)
