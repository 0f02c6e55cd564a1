"""When a host may be asked again: after its delay, after the rest that it asked for, or not in this hour.

What `kyodaku.fetcher` keeps of every host. Seconds throughout; `now` is any clock that never goes back.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

from kyodaku.gate import Need, NeedKind, redirect_target
from kyodaku.signals.model import Fetched
from kyodaku.signals.protocols.robots import PATH as ROBOTS
from kyodaku.signals.protocols.robots import PROTOCOL as ROBOTS_PROTOCOL
from kyodaku.urls import origin_of

#: Seconds as hosts write them, with a unit or a fraction too.
_SECONDS = re.compile(r"([0-9]+(?:\.[0-9]*)?)\s*(?:s|secs?|seconds?)?", re.ASCII | re.IGNORECASE)
#: Statuses with which a host says that it is asked too much.
_OVERLOADED = frozenset({429, 503})
#: The least rest after such an answer that names none.
_LEAST_REST = 1.0


@dataclass
class Turn:
    """One host: a lock for its queue, when it answered last and when it is free again, the delay that it asks
    for, the rest that we choose while it is overloaded, and since when it is (None: it is not)."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    ended: float | None = None
    free_at: float = 0.0
    delay: float = 0.0
    rest: float = 0.0
    since: float | None = None

    def wait(self, now: float, longest: float) -> float | None:
        """How long to wait for the next turn. None where that is not worth it: the turn, or the time since
        the host became overloaded, is longer than `longest`."""
        wait = max(0.0, self.free_at - now)
        start = now if self.since is None else self.since
        return None if wait and self.free_at - start > longest else wait

    def slow_down(self, delay: float) -> None:
        """The host asks for at least `delay` between two requests, from its last answer on."""
        self.delay = max(self.delay, delay)
        if self.ended is not None:
            self.free_at = max(self.free_at, self.ended + self.delay)

    def answered(self, answer: Fetched, now: float, usual: float, longest: float) -> None:
        """Take note of an answer. `usual` is our own delay, `longest` ends the doubling of a rest that the
        host did not name."""
        self.ended = now
        usual = max(usual, self.delay)
        if answer.status not in _OVERLOADED:
            self.rest, self.since = 0.0, None
            self.free_at = now + usual
            return
        self.since = now if self.since is None else self.since
        named = _retry_after(answer)
        if named is None:
            self.rest = min(max(_LEAST_REST, 2 * max(self.rest, usual)), longest)
        self.free_at = now + max(usual, self.rest if named is None else named)


class CrawlDelays:
    """Hears the Crawl-delay in every robots.txt that is answered, for the origin that it speaks for.

    `own` are the product tokens that we obey.
    """

    def __init__(self, own: Sequence[str]) -> None:
        self._own = own
        self._owners: dict[str, str] = {}

    def heard(self, need: Need, answer: Fetched) -> tuple[str, float] | None:
        """The origin and its delay in seconds, when `answer` is its robots.txt and names one. One that is
        redirected speaks for the origin that was asked first (RFC 9309 2.3.1.2)."""
        if need.kind not in (NeedKind.HOST_FILE, NeedKind.DOCUMENT):
            return None
        owner = self._owners.pop(need.url, "")
        if not owner:
            owner = origin_of(need.url)
            if need.url != owner + ROBOTS:
                return None
        target = redirect_target(answer)
        if target is not None:
            self._owners[target] = owner
            return None
        delay = ROBOTS_PROTOCOL.crawl_delay(answer, self._own)
        return None if delay is None else (owner, delay)


def _retry_after(answer: Fetched) -> float | None:
    """The longest rest that a server asked for (RFC 9110 10.2.3: seconds or a date); None where it named
    none that can be read."""
    values = [value.strip() for name, value in answer.headers if name.lower() == "retry-after"]
    rests = [rest for value in values if (rest := _rest(value, answer.fetched_at)) is not None]
    return max(rests, default=None)


def _rest(value: str, now: float) -> float | None:
    seconds = _SECONDS.fullmatch(value)
    if seconds is not None:
        return float(seconds.group(1)[:9])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return None
