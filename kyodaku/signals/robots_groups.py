"""Which groups of a robots.txt speak to us about a use: Content-Usage, Content-Signal, DisallowAITraining.

These lines stand beside allow and disallow in the same groups, so the same question comes first: whom does
the group address? By policy a refusal for everybody stands until our own group says otherwise, and one in the
group of a training crawler counts for us too, unless the file names us or its owner wrote us a letter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kyodaku.signals.carriers.robots import Grouping, RobotsFile, RobotsGroup, RobotsRecord
from kyodaku.signals.letters import letter_for
from kyodaku.signals.model import Reading
from kyodaku.signals.tokens import CONTROL_TOKENS


@dataclass(frozen=True)
class Speaking:
    """The groups of one grouping, by whom they address.

    `ours` name us or else everybody; `everybody` is empty where `ours` are those; `others` are groups of
    training crawlers with the name that was found, empty where they say nothing to us.
    """

    ours: tuple[RobotsGroup, ...]
    everybody: tuple[RobotsGroup, ...]
    others: tuple[tuple[str, RobotsGroup], ...]


def groupings(robots: RobotsFile, reading: Reading) -> tuple[Grouping, ...]:
    """The ways to group the lines: that of draft-ietf-aipref-attach alone, or by policy all of them."""
    return (robots.attach,) if reading.mode == "spec" else robots.groupings


def speaking(grouping: Grouping, url: str, reading: Reading) -> Speaking:
    """Who is spoken to in `grouping`, as far as it matters for `url`."""
    lifted = letter_for(url, reading) is not None
    return grouping.chosen(
        ("speaking", reading.listener, lifted), lambda: _speaking(grouping, reading, lifted)
    )


def _speaking(grouping: Grouping, reading: Reading, lifted: bool) -> Speaking:
    ours = grouping.selected(reading.own_tokens)
    if reading.mode == "spec":
        return Speaking(ours, (), ())
    known = {id(group) for group in ours}  # comparing the groups themselves takes the square of their number
    everybody = tuple(group for group in grouping.selected(("*",)) if id(group) not in known)
    if any(grouping.addresses(token.lower()) for token in reading.own_tokens) or lifted:
        return Speaking(ours, everybody, ())
    control_only = reading.purpose_threshold == "control-tokens-only"
    tokens = CONTROL_TOKENS if control_only else reading.purpose_tokens
    others = {number: token for token in tokens for number in grouping.by_name.get(token.lower(), ())}
    return Speaking(ours, everybody, tuple((others[n], grouping.groups[n]) for n in sorted(others)))


def records(groups: Iterable[RobotsGroup], keys: frozenset[str]) -> list[RobotsRecord]:
    """The lines with one of `keys`, in order."""
    return [record for group in groups for record in group.others if record.key in keys and record.value]


def holds_key(robots: RobotsFile, keys: frozenset[str]) -> bool:
    """Whether any line with one of `keys` stands anywhere, however the lines are grouped."""
    inside = (r for way in robots.groupings for group in way.groups for r in group.others)
    return any(record.key in keys for record in (*robots.global_records, *inside))
