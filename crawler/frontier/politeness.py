"""Who may be asked now: one request at a time per host, its delay from the end of the last answer to the
start of the next request, and a connection budget that the hosts of one registrable domain or of one
address share. Pure bookkeeping on a monotonic clock; nothing here waits.
"""

from __future__ import annotations

import heapq
import itertools
import random
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

from kyodaku.netguard import registrable_domain
from kyodaku.signals.model import Headers

#: A host that answers 429 or 503 without Retry-After waits this many delays, doubled each time.
BACKOFF_START = 4.0
#: The shortest back-off, in seconds, however small the delay.
BACKOFF_LEAST = 1.0

_SECONDS = re.compile(r"([0-9]+(?:\.[0-9]*)?)\s*(?:s|secs?|seconds?)?", re.ASCII | re.IGNORECASE)


def retry_after(headers: Headers, now: float) -> float | None:
    """The longest Retry-After (RFC 9110 10.2.3) in seconds from `now` (Unix time), or None. Never raises."""
    values = (value.strip() for name, value in headers if name.lower() == "retry-after")
    return max((rest for rest in (_rest(value, now) for value in values) if rest is not None), default=None)


def _rest(value: str, now: float) -> float | None:
    seconds = _SECONDS.fullmatch(value)
    if seconds is not None:
        return float(seconds.group(1))
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return None


@dataclass
class HostSlot:
    """One host name. `delay` and `backoff` in seconds; `due` and `ended`, when it was last asked, on the
    monotonic clock.

    `address` is the one that answered last, "" before the first answer. `queued` means: in the heap, or
    waiting for its site's budget.
    """

    host: str
    site: str
    delay: float
    due: float
    ended: float | None = None
    backoff: float = 0.0
    address: str = ""
    busy: bool = False
    queued: bool = False
    charged: tuple[str, ...] = ()


@dataclass
class _Site:
    """A registrable domain or an address: requests in flight, and hosts that wait for one to end."""

    active: int = 0
    waiting: deque[HostSlot] = field(default_factory=deque)


class Timetable:
    """Due times of hosts.

    Args:
        delay: seconds between two requests to one host.
        jitter: share of the delay added at random, 0 to 1.
        per_site: requests in flight to one registrable domain, and to one address.
        max_delay: the longest back-off of our own choice, in seconds; a Retry-After is kept whole.
        share_addresses: False beside a host table, where every name has the same address.
        now: the monotonic clock.
        resumed: True when an earlier process may have asked any host a moment ago.
        chance: uniform on [0, 1).
    """

    def __init__(
        self,
        *,
        delay: float,
        jitter: float,
        per_site: int,
        max_delay: float,
        share_addresses: bool,
        now: Callable[[], float],
        resumed: bool = False,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._delay = delay
        self._jitter = jitter
        self._per_site = per_site
        self._max_delay = max_delay
        self._share_addresses = share_addresses
        self._now = now
        self._chance = chance
        self._not_before = now() + delay if resumed else now()
        self._hosts: dict[str, HostSlot] = {}
        self._sites: dict[str, _Site] = {}
        self._heap: list[tuple[float, int, HostSlot]] = []
        self._order = itertools.count()

    def slot(self, host: str) -> HostSlot:
        """The slot of `host`. A host met for the first time may be asked at once, but not sooner than one
        delay after a restart: what was in flight then was never recorded."""
        found = self._hosts.get(host)
        if found is None:
            due = max(self._now(), self._not_before)
            found = HostSlot(host, registrable_domain(host), self._delay, due)
            self._hosts[host] = found
        return found

    def restored(self, host: str, crawl_delay: float, backoff: float) -> None:
        """A host that an earlier process asked: nobody knows when, so it waits its whole delay again."""
        slot = self.slot(host)
        slot.delay = max(self._delay, crawl_delay)
        slot.backoff = backoff
        slot.ended = self._now()
        slot.due = slot.ended + self._pause(slot)

    def wish(self, host: str, crawl_delay: float) -> None:
        """A host asks for at least `crawl_delay` seconds between requests; the longest wish counts, from
        the last request on."""
        slot = self.slot(host)
        slot.delay = max(slot.delay, crawl_delay)
        if slot.ended is not None:
            slot.due = max(slot.due, slot.ended + slot.delay)

    def wake(self, host: str) -> None:
        """`host` has work."""
        slot = self.slot(host)
        if not slot.busy and not slot.queued:
            self._queue(slot)

    def next(self) -> HostSlot | None:
        """A host that has work and may be asked now, or None. The caller starts a request or forgets it."""
        now = self._now()
        while self._heap and self._heap[0][0] <= now:
            slot = heapq.heappop(self._heap)[2]
            if slot.due > now:  # asked to wait longer while it was queued
                self._push(slot)
                continue
            full = self._full_site(slot)
            if full is None:
                slot.queued = False
                return slot
            full.waiting.append(slot)
        return None

    def next_due(self) -> float | None:
        """When the next host becomes due, on the monotonic clock; None when none waits for time alone."""
        return self._heap[0][0] if self._heap else None

    def start(self, slot: HostSlot) -> None:
        """A request to `slot` begins."""
        slot.busy = True
        slot.charged = self._keys(slot)
        for key in slot.charged:
            self._sites.setdefault(key, _Site()).active += 1

    def end(self, slot: HostSlot, *, asked: bool, address: str = "") -> None:
        """The request to `slot` ended. Without `asked` nothing was sent, so no delay is owed."""
        slot.busy = False
        if address:
            slot.address = address
        if asked:
            slot.ended = self._now()
            slot.due = slot.ended + self._pause(slot)
        for key in slot.charged:
            self._discharge(key)
        slot.charged = ()

    def slow_down(self, slot: HostSlot, retry_after: float | None) -> None:
        """The host answered 429 or 503: Retry-After seconds, or twice what it waited before."""
        if retry_after is not None:
            slot.backoff = max(retry_after, slot.delay)
            return
        least = max(BACKOFF_LEAST, slot.delay * BACKOFF_START)
        slot.backoff = min(max(least, slot.backoff * 2), max(self._max_delay, slot.delay))

    def recovered(self, slot: HostSlot) -> None:
        """The host answered in good order."""
        slot.backoff = 0.0

    def _pause(self, slot: HostSlot) -> float:
        return max(slot.delay * (1 + self._jitter * self._chance()), slot.backoff)

    def _queue(self, slot: HostSlot) -> None:
        slot.queued = True
        self._push(slot)

    def _push(self, slot: HostSlot) -> None:
        heapq.heappush(self._heap, (slot.due, next(self._order), slot))

    def _keys(self, slot: HostSlot) -> tuple[str, ...]:
        by_address = self._share_addresses and slot.address
        return (slot.site, f"address {slot.address}") if by_address else (slot.site,)

    def _full_site(self, slot: HostSlot) -> _Site | None:
        for key in self._keys(slot):
            site = self._sites.get(key)
            if site is not None and site.active >= self._per_site:
                return site
        return None

    def _discharge(self, key: str) -> None:
        site = self._sites[key]
        site.active -= 1
        if site.waiting:
            self._push(site.waiting.popleft())
        elif site.active == 0:
            del self._sites[key]
