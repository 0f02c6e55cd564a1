"""The `License` lines of a robots.txt (RSL 1.0): a value in the group that speaks to a crawler stands in the
place of those outside of groups."""

from __future__ import annotations

from collections.abc import Iterator

from kyodaku.signals.carriers.robots import Grouping, RobotsFile, RobotsGroup, RobotsRecord
from kyodaku.signals.model import Reading

KEY = "license"


def licence_records(robots: RobotsFile, reading: Reading) -> Iterator[tuple[RobotsRecord, bool]]:
    """Each line that counts, once, and whether it speaks to us.

    By policy a line that blank lines part from its group is meant for everybody, as lines at the end of a
    file are, and a line in the group of a training crawler may refuse, unless the file names us.
    """
    strict = reading.mode == "spec"
    seen: set[tuple[str, bool]] = set()
    for grouping in (robots.rfc,) if strict else robots.groupings:
        for record, ours in _of_grouping(grouping, robots.global_records, reading, strict):
            if (record.value, ours) not in seen:
                seen.add((record.value, ours))
                yield record, ours


def _of_grouping(
    grouping: Grouping, outside: tuple[RobotsRecord, ...], reading: Reading, strict: bool
) -> Iterator[tuple[RobotsRecord, bool]]:
    selected = grouping.selected(reading.own_tokens)
    own = [record for group in selected for record in _licences(group.others)]
    everywhere = _licences(outside)
    if not strict and not own:
        known = {id(group) for group in selected}  # comparing groups takes the square of their number
        everywhere += [
            record for group in grouping.groups if id(group) not in known for record in _parted(group)
        ]
    yield from ((record, True) for record in own or everywhere)
    if strict or any(grouping.addresses(token.lower()) for token in reading.own_tokens):
        return
    for token in reading.purpose_tokens:
        for number in grouping.by_name.get(token.lower(), ()):
            yield from ((record, False) for record in _licences(grouping.groups[number].others))


def _licences(records: tuple[RobotsRecord, ...]) -> list[RobotsRecord]:
    return [record for record in records if record.key == KEY and record.value]


def _parted(group: RobotsGroup) -> list[RobotsRecord]:
    """The licence lines of a group that do not directly follow its other lines."""
    lines = {record.line for record in (*group.agents, *group.rules, *group.others)}
    return [record for record in _licences(group.others) if record.line - 1 not in lines]
