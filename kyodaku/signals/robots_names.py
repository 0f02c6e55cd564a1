"""How surely a group of a robots.txt addresses us, for lines that may grant: Content-Usage, Content-Signal.

A forgiving parser hears more names than RFC 9309 does: misspelt `user-agent` lines, lists on one line, empty
values. What stands in such groups may refuse. A grant takes a well-formed line that names us or everybody,
and of two names of ours the one that is refused counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from kyodaku.signals.carriers.robots import Grouping, RobotsGroup, agent_token
from kyodaku.signals.model import Effect, Reading

Groups = tuple[RobotsGroup, ...]


class _Judged(Protocol):
    @property
    def effect(self) -> Effect: ...


_Answer = TypeVar("_Answer", bound=_Judged)


@dataclass(frozen=True)
class Addressed:
    """The groups of one grouping that address us.

    `ours` name us, or else everybody; `plain` are those of them that do so in a well-formed line, and only
    they may grant. `apart` are the groups of each of our names, where the file has more than one of them.
    `askew` address us, or nobody at all, in a form that RFC 9309 does not read; empty in `spec` mode.
    """

    ours: Groups
    plain: Groups
    apart: tuple[Groups, ...]
    askew: Groups


def addressed(grouping: Grouping, reading: Reading) -> Addressed:
    """Who is addressed, and how surely."""
    return grouping.chosen(("addressed", reading.listener), lambda: _addressed(grouping, reading))


def _addressed(grouping: Grouping, reading: Reading) -> Addressed:
    names = [token.lower() for token in reading.own_tokens]
    ours = grouping.selected(names)
    by_name = [grouping.by_token[name] for name in names if name in grouping.by_token]
    wanted = set(names) if by_name else {"*"}
    plain = tuple(
        group
        for group in ours
        if any(not agent.lenient and agent_token(agent.value) in wanted for agent in group.agents)
    )
    apart = tuple(tuple(grouping.groups[n] for n in numbers) for numbers in by_name)
    if reading.mode == "spec":
        return Addressed(ours, plain, apart[1:] and apart, ())
    odd = {n for name in names for n in grouping.by_name.get(name, ())}
    if not any(grouping.addresses(name) for name in names):
        odd |= set(grouping.by_name.get("", ()))  # an empty name cannot have meant nobody
    known = {id(group) for group in ours}
    askew = tuple(grouping.groups[n] for n in sorted(odd) if id(grouping.groups[n]) not in known)
    return Addressed(ours, plain, apart[1:] and apart, askew)


def own_answer(who: Addressed, decide: Callable[[Groups], _Answer | None]) -> _Answer | None:
    """What the groups that address us say by `decide`, which reads the lines of some groups: the refusal of
    any of them; a grant only where the well-formed ones grant too."""
    merged = decide(who.ours)
    if merged is not None and merged.effect is Effect.RESERVED:
        return merged
    sure = merged if len(who.plain) == len(who.ours) else decide(who.plain)
    for answer in (sure, *(decide(groups) for groups in (*who.apart, who.askew) if groups)):
        if answer is not None and answer.effect is Effect.RESERVED:
            return answer
    granting = merged is not None and sure is not None
    return merged if granting else None
