"""The directives that `X-Robots-Tag` and `<meta name="robots">` share: their grammar and what each says
about training.

There is no standard: Google's and MDN's pages give the frame, DeviantArt `noai` and `noimageai` (2022),
Mojeek `noml` (2023). No directive ever grants.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from kyodaku.reasons import HoldReason
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.carriers.page import HtmlPage
from kyodaku.signals.carriers.robots import agent_names
from kyodaku.signals.model import Effect, Reading

#: Says no to AI by its own definition.
NO_AI = frozenset({"noai", "noimageai"})
#: Says no by our policy: rules for search, caches and models whose owners document, or whose sense is,
#: that the page stays out of collections.
NO_BY_POLICY = NO_AI | {"noml", "noindex", "none", "noimageindex", "noarchive", "nocache"}

_UNAVAILABLE = "unavailable_after"
_VALUE_RULES = frozenset({_UNAVAILABLE, "max-snippet", "max-image-preview", "max-video-preview"})
_EVERYBODY = frozenset({"", "*", "robots"})
_WORD = re.compile(r"[a-z0-9_-]+")
_MAX_LENGTH = 16 * 1024


@dataclass(frozen=True)
class Directive:
    """One rule: `scope` is the agent it is addressed to (lower case, "" for everybody), `name` and `value`
    lower case but for a date."""

    scope: str
    name: str
    value: str = ""


@dataclass(frozen=True)
class Finding:
    """A directive that says no, or (`error`) one whose meaning is unknown. `reason` is a HoldReason value
    for an error, else ""."""

    directive: Directive
    effect: Effect
    reason: str = ""

    @property
    def rule(self) -> str:
        """`noai`, or `GPTBot:noai` where it is addressed."""
        scope = self.directive.scope
        return f"{scope}:{self.directive.name}" if scope else self.directive.name


def parse_directives(text: str) -> Iterator[Directive]:
    """`[agent:] rule, rule, [agent:] rule`, where an agent holds for the rules behind it.

    Four rules have a colon of their own and are no agents; the date of `unavailable_after` may hold commas.
    """
    pieces = text[:_MAX_LENGTH].split(",")
    scope, at = "", 0
    while at < len(pieces):
        piece = pieces[at].strip()
        at += 1
        while piece:
            before, colon, rest = piece.partition(":")
            name = before.strip().lower()
            if not colon:
                yield Directive(scope, name)
                break
            if name == _UNAVAILABLE:
                value, taken = _date_text(rest.strip(), pieces[at : at + 2])
                at += taken
                yield Directive(scope, name, value)
                break
            if name in _VALUE_RULES:
                yield Directive(scope, name, rest.strip().lower())
                break
            if name in NO_BY_POLICY:  # `noai:` is meant as a rule, no crawler is called so
                yield Directive(scope, name, rest.strip().lower())
            else:
                scope = name
            piece = rest.strip()


def findings(text: str, reading: Reading) -> list[Finding]:
    """What the directives in `text` say to us, each once."""
    found: dict[Directive, Finding] = {}
    for directive in parse_directives(text):
        if _applies(directive.scope, reading):
            finding = _judge(directive, reading)
            if finding is not None:
                found.setdefault(directive, finding)
    return list(found.values())


def asks_nofollow(head: ResponseHead | None, page: HtmlPage | None, reading: Reading) -> bool:
    """True when a page's header or markup asks us not to follow its links (`nofollow` or `none`)."""
    texts = head.values("x-robots-tag") if head else []
    names = {"robots", *(token.lower() for token in reading.own_tokens)}
    texts += [meta.content for meta in page.metas if meta.name in names] if page else []
    return any(
        not {"nofollow", "none"}.isdisjoint(_words(directive.name)) and _applies(directive.scope, reading)
        for text in texts
        for directive in parse_directives(text)
    )


def _applies(scope: str, reading: Reading) -> bool:
    if scope in _EVERYBODY:
        return True
    ours = {token.lower() for token in reading.own_tokens}
    if reading.mode == "spec":
        return scope in ours
    return not agent_names(scope).isdisjoint(ours | {token.lower() for token in reading.purpose_tokens})


def _judge(directive: Directive, reading: Reading) -> Finding | None:
    if reading.mode == "spec":
        return Finding(directive, Effect.RESERVED) if directive.name in NO_AI else None
    if directive.name == _UNAVAILABLE:
        return _judge_date(directive, reading.now)
    if not NO_BY_POLICY.isdisjoint(_words(directive.name)):
        return Finding(directive, Effect.RESERVED)
    return None


def _words(text: str) -> set[str]:
    """The words of a badly separated directive (`noai;noimageai`, `no-ai/`), without their hyphens."""
    return {word.replace("-", "").replace("_", "") for word in _WORD.findall(text)}


def _judge_date(directive: Directive, now: datetime) -> Finding | None:
    date = _date(directive.value)
    if date is None:
        return Finding(directive, Effect.ERROR, HoldReason.SIGNAL_UNREADABLE.value)
    return Finding(directive, Effect.RESERVED) if date <= now else None


def _date_text(first: str, following: list[str]) -> tuple[str, int]:
    """The date that starts with `first`, and how many of the `following` pieces belong to it."""
    text = first
    if _date(text) is not None:
        return text, 0
    for taken, piece in enumerate(following, start=1):
        text = f"{text},{piece}"
        if _date(text) is not None:
            return text, taken
    return first, 0


def _date(text: str) -> datetime | None:
    """An RFC 822, RFC 850 or ISO 8601 date; UTC where it names no zone."""
    text = text.strip()
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            date = parse(text[:80])
            return date if date.tzinfo else date.replace(tzinfo=UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None
