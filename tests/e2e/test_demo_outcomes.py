"""What became of every image of the small web, held against what its sites say must become of it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow.parquet as pq

from kyodaku.reasons import REASONS_OF_OUTCOME, Outcome
from kyodaku.signals.protocols import all_protocols
from tests.e2e.conftest import DemoRun

#: What a host may be asked for before it is known to be open, and the licence that its robots.txt names.
HOST_FILES = {path for protocol in all_protocols() for path in protocol.host_files} | {"/license.xml"}


def rows(demo: DemoRun) -> dict[tuple[str, str], dict[str, Any]]:
    """(image URL, page URL) -> candidate row joined with its decision."""
    decided = {
        row["candidate_id"]: row
        for path in sorted(demo.run.decisions.glob("*.parquet"))
        for row in pq.read_table(path).to_pylist()
    }
    found = {}
    for path in sorted(demo.run.candidates.glob("*.parquet")):
        for row in pq.read_table(path).to_pylist():
            found[row["image_url"], row["page_url"]] = {**row, **decided[row["candidate_id"]]}
    return found


def test_every_candidate_ends_as_its_site_says(demo: DemoRun) -> None:
    found = rows(demo)
    wrong = []
    for key, expected in demo.web.expected.items():
        row = found.get(key)
        if row is None:
            wrong.append(f"{key}: no candidate, expected {expected.expect.reasons[0]}")
        elif not expected.expect.allows(row["outcome"], row["outcome_reason"]):
            wrong.append(
                f"{key}: {row['outcome']}/{row['outcome_reason']}, expected {expected.expect.reasons}"
            )
    assert not wrong, "\n".join(wrong)


def test_nothing_is_released_that_no_site_offers(demo: DemoRun) -> None:
    offered = {
        key
        for key, expected in demo.web.expected.items()
        if any(reason in REASONS_OF_OUTCOME[Outcome.RELEASED] for reason in expected.expect.reasons)
    }
    released = {key for key, row in rows(demo).items() if row["outcome"] == Outcome.RELEASED}
    assert released
    assert released <= offered


def test_every_outcome_has_one_reason_of_its_own_enum(demo: DemoRun) -> None:
    counted: Counter[str] = Counter()
    for row in rows(demo).values():
        outcome = Outcome(row["outcome"])
        assert REASONS_OF_OUTCOME[outcome].parse(row["outcome_reason"]) is not None, row
        counted[outcome] += 1
    shown = {
        Outcome.RELEASED,
        Outcome.REFUSED,
        Outcome.HELD,
        Outcome.FILTERED,
        Outcome.DUPLICATE,
        Outcome.FAILED,
    }
    assert shown <= set(counted)


def test_closed_hosts_were_never_asked_for_more_than_their_host_files(demo: DemoRun) -> None:
    for host in demo.web.expected_hosts:
        asked = {entry.path for entry in demo.web.requests(host)}
        assert asked <= HOST_FILES, f"{host}: {asked}"


def test_robots_came_first_at_every_host(demo: DemoRun) -> None:
    first: dict[tuple[str, str], str] = {}
    for entry in demo.web.log:
        first.setdefault((entry.scheme, entry.host), entry.path)
    assert set(first.values()) <= {"/robots.txt"}, first
