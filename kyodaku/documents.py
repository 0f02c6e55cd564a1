"""Documents that pages, headers and images name, as fetched: licences, policies, declarations."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from kyodaku.gate import GateResult, GateVerdict
from kyodaku.signals.model import Fetched, FetchError

#: A copy is asked for again after a day, as host files are.
DOCUMENT_FRESH = 24 * 3600.0
#: Bytes read of a document.
DOCUMENT_CAP = 1024 * 1024
_MAX_DOCUMENTS = 10_000


class DocumentLibrary:
    """The documents that gates ask for, by URL. `clock` is Unix seconds.

    A driver puts in whatever came of its request, failures too: `unavailable` says what a closed gate on
    the way to a document amounts to.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: OrderedDict[str, Fetched] = OrderedDict()

    def get(self, url: str) -> Fetched | None:
        """The document, if it was fetched within a day."""
        found = self._known.get(url)
        if found is None or not 0 <= self._clock() - found.fetched_at < DOCUMENT_FRESH:
            return None
        return found

    def put(self, url: str, fetched: Fetched) -> None:
        """Keep what came of asking for `url`."""
        self._known[url] = fetched
        self._known.move_to_end(url)
        while len(self._known) > _MAX_DOCUMENTS:
            self._known.popitem(last=False)

    def unavailable(self, url: str, result: GateResult) -> Fetched:
        """What stands for a document that a gate did not let us ask for."""
        barred = result.verdict is GateVerdict.REFUSE and result.gate in ("g1", "g3")
        error = FetchError.BARRED if barred else FetchError.BLOCKED
        return Fetched(url, url, None, (), b"", False, error, self._clock())
