"""Due times, budgets of sites and addresses, rests."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from crawler.frontier.politeness import Timetable


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def timetable(clock: Clock, **changes: object) -> Timetable:
    values: dict[str, object] = {
        "delay": 1.0,
        "jitter": 0.0,
        "per_site": 2,
        "max_delay": 60.0,
        "share_addresses": True,
        "now": clock,
        "chance": lambda: 1.0,
    }
    return Timetable(**{**values, **changes})  # type: ignore[arg-type]


def test_a_host_is_handed_out_once_at_a_time() -> None:
    table = timetable(Clock())
    table.wake("a.example")
    slot = table.next()
    assert slot is not None
    table.start(slot)
    table.wake("a.example")
    assert table.next() is None


def test_the_delay_counts_from_the_end_of_the_answer() -> None:
    clock = Clock()
    table = timetable(clock, jitter=0.5)
    table.wake("a.example")
    slot = table.next()
    assert slot is not None
    table.start(slot)
    clock.now = 10.0
    table.end(slot, asked=True)
    table.wake("a.example")
    assert table.next_due() == 11.5
    clock.now = 11.4
    assert table.next() is None
    clock.now = 11.5
    assert table.next() is slot


def test_nothing_sent_owes_no_delay() -> None:
    table = timetable(Clock())
    slot = table.slot("a.example")
    table.start(slot)
    table.end(slot, asked=False)
    table.wake("a.example")
    assert table.next() is slot


def test_hosts_of_one_domain_share_its_connections() -> None:
    table = timetable(Clock())
    for name in ("a", "b", "c"):
        table.wake(f"{name}.site.example")
    table.wake("other.example")
    slots = []
    while (slot := table.next()) is not None:
        table.start(slot)
        slots.append(slot)
    assert sorted(slot.host for slot in slots) == ["a.site.example", "b.site.example", "other.example"]
    table.end(slots[0], asked=True)
    third = table.next()
    assert third is not None
    assert third.host == "c.site.example"


def test_hosts_of_one_address_share_its_connections() -> None:
    for share, together in ((True, 2), (False, 4)):
        clock = Clock()
        table = timetable(clock, share_addresses=share)
        for name in "abcd":
            slot = table.slot(f"{name}.example")
            table.start(slot)
            table.end(slot, asked=True, address="192.0.2.1")
            table.wake(slot.host)
        clock.now = 5.0
        count = 0
        while (slot_ := table.next()) is not None:
            table.start(slot_)
            count += 1
        assert count == together


def test_rests_double_and_end() -> None:
    clock = Clock()
    table = timetable(clock, max_delay=12.0)
    slot = table.slot("a.example")
    waits = []
    for _ in range(4):
        table.slow_down(slot, None)
        waits.append(slot.backoff)
    assert waits == [4.0, 8.0, 12.0, 12.0]
    table.recovered(slot)
    table.start(slot)
    table.end(slot, asked=True)
    assert slot.due == 1.0


def test_after_a_restart_every_host_waits_again() -> None:
    clock = Clock(100.0)
    table = timetable(clock, resumed=True)
    table.restored("slow.example", crawl_delay=7.0, backoff=0.0)
    table.restored("tired.example", crawl_delay=0.0, backoff=30.0)
    dues = {name: table.slot(name).due for name in ("slow.example", "tired.example", "new.example")}
    assert dues == {"slow.example": 107.0, "tired.example": 130.0, "new.example": 101.0}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 3), st.booleans()), max_size=60))
def test_whatever_happens_a_host_keeps_its_delay(events: list[tuple[str, float, bool]]) -> None:
    clock = Clock()
    table = timetable(clock, per_site=1, delay=2.0)
    last: dict[str, float] = {}
    for name, step, asked in events:
        table.wake(f"{name}.site.example")
        clock.now += step
        slot = table.next()
        if slot is None:
            continue
        assert clock.now >= last.get(slot.host, -2.0) + 2.0  # as a sum: a difference loses the last bit
        table.start(slot)
        clock.now += step / 2
        table.end(slot, asked=asked)
        if asked:
            last[slot.host] = clock.now
