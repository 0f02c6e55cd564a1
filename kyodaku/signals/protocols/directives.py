"""The directives that `X-Robots-Tag` and `<meta name="robots">` share: their grammar and what each says
about training.

There is no standard: Google's and MDN's pages give the frame, DeviantArt `noai` and `noimageai` (2022),
Mojeek `noml` (2023). No directive ever grants.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from kyodaku.reasons import HoldReason, RefuseReason
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
#: The name of that rule as it is also written.
_DATE_NAME = re.compile(r"\bunavailable[-_ ]?after\s{0,16}[=:]", re.IGNORECASE)
_VALUE_RULES = frozenset({_UNAVAILABLE, "max-snippet", "max-image-preview", "max-video-preview"})
#: Rules that say nothing to us. Before a colon they are still no agents: `index: noai`.
_OTHER_RULES = frozenset(
    {"all", "index", "follow", "nofollow", "nosnippet", "notranslate", "indexifembedded", "archive"}
)
_EVERYBODY = frozenset({"", "*", "robots"})
_WORD = re.compile(r"[a-z0-9_-]+")
#: A refusing word that was written as several: `no ai`, `no image-ai`, `no index`.
_IN_PIECES = re.compile(
    r"\bno[\s_-]+(?P<what>image[\s_-]*(?:ai|index)|ai|ml|index|archive|cache)\b", re.IGNORECASE
)
_VALUE = re.compile(r"[^\s;]*")
_MAX_LENGTH = 16 * 1024
#: Names, in findings, what was too much to be read.
_BEYOND = "beyond-the-limit"


@dataclass(frozen=True)
class Directive:
    """One rule: `scope` is the agent it is addressed to (lower case, "" for everybody), `name` and `value`
    lower case but for a date."""

    scope: str
    name: str
    value: str = ""


@dataclass(frozen=True)
class Finding:
    """A directive that says no, (`error`) one whose meaning is unknown, or (`silent`) one that will say no
    from a moment on. `reason` is a HoldReason value for an error, else ""; `since` that moment, in UTC."""

    directive: Directive
    effect: Effect
    reason: str = ""
    since: datetime | None = None

    @property
    def rule(self) -> str:
        """`noai`, or `GPTBot:noai` where it is addressed."""
        scope = self.directive.scope
        return f"{scope}:{self.directive.name}" if scope else self.directive.name

    def reason_or(self, refusal: RefuseReason) -> str:
        """The reason for a record: `refusal` where this refuses, "" where it is silent."""
        return refusal.value if self.effect is Effect.RESERVED else self.reason

    @property
    def parsed(self) -> str:
        """What was read: the rule, or for a date to come that date (ISO 8601, UTC)."""
        return self.rule if self.since is None else self.since.isoformat()


def parse_directives(text: str, *, lenient: bool = False) -> Iterator[Directive]:
    """`[agent:] rule, rule, [agent:] rule`, where an agent holds for the rules behind it.

    Four rules have a colon of their own and are no agents; the date of `unavailable_after` may hold commas.
    `lenient` takes spaces and semicolons for separators too, wherever a rule could hide behind one.
    Only the first _MAX_LENGTH characters are read.
    """
    pieces = text[:_MAX_LENGTH].split(",")
    scopes, at = [""], 0
    while at < len(pieces):
        piece = pieces[at].strip()
        at += 1
        behind_value = False
        while piece:
            before, colon, rest = piece.partition(":")
            piece = rest.strip()
            name = whole = before.strip().lower()
            value = ""
            if lenient and colon:
                earlier, name = _last_word(whole)
                yield from (Directive(scope, earlier) for scope in scopes if earlier)
            if not colon:
                piece = ""
            elif name == _UNAVAILABLE:
                value, piece, taken = _date_text(piece, pieces[at : at + 2], lenient)
                at += taken
                behind_value = True
            elif name in _VALUE_RULES:
                value, piece = _value(piece) if lenient else (piece, "")
                value = value.lower()
                behind_value = True
            elif name in NO_BY_POLICY:  # `noai:` is meant as a rule, no crawler is called so
                value = piece.lower()
            elif not (lenient and name in _OTHER_RULES):
                # Behind a value it may be no agent at all: what it seems to narrow counts in both scopes.
                scopes = [scopes[0], whole] if behind_value else [whole]
                continue
            yield from (Directive(scope, name, value) for scope in scopes)


def findings(text: str, reading: Reading) -> list[Finding]:
    """What the directives in `text` say to us, each once. An error ends those of a text that is too long."""
    plain = plain_text(text) if reading.mode == "policy" else text
    found = [finding for directive in _addressed(plain, reading) for finding in _judge(directive, reading)]
    unread = [unread_finding()] if max(len(text), len(plain)) > _MAX_LENGTH else []
    return list(dict.fromkeys([*found, *unread]))


def plain_text(text: str) -> str:
    """`text` as it looks to a reader: UTF-8 that came as latin-1 (headers do), full-width letters, characters
    that are not seen, all kinds of dashes, refusing words in pieces (`no ai`), and the one name of a date. Of
    what is longer than the limit, a little more than the limit."""
    text = text[: _MAX_LENGTH + 1]
    with suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")
    if not text.isascii():
        text = "".join(map(_plain_character, unicodedata.normalize("NFKC", text)))
    text = _DATE_NAME.sub(f"{_UNAVAILABLE}: ", text)
    return _IN_PIECES.sub(lambda match: "no" + re.sub(r"[\s_-]", "", match["what"]), text)


def _plain_character(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf" or "\ufe00" <= character <= "\ufe0f":
        return ""
    return "-" if category == "Pd" else character


def unread_finding() -> Finding:
    """Directives were there beyond what is read: they may hold a no."""
    return Finding(Directive("", _BEYOND), Effect.ERROR, HoldReason.SIGNAL_UNREADABLE.value)


def asks_nofollow(head: ResponseHead | None, page: HtmlPage | None, reading: Reading) -> bool:
    """True when a page's header or markup asks us not to follow its links (`nofollow` or `none`)."""
    texts = head.values("x-robots-tag") if head else []
    names = {"robots", *(token.lower() for token in reading.own_tokens)}
    texts += [meta.content for meta in page.metas if meta.name in names] if page else []
    return any(
        not {"nofollow", "none"}.isdisjoint(_words(directive.name))
        for text in texts
        for directive in _addressed(text, reading)
    )


def _addressed(text: str, reading: Reading) -> Iterator[Directive]:
    """The directives in `text` that are for everybody or for us."""
    applies: dict[str, bool] = {}
    for directive in parse_directives(text, lenient=reading.mode == "policy"):
        scope = directive.scope
        if scope not in applies:
            applies[scope] = _applies(scope, reading)
        if applies[scope]:
            yield directive


def _applies(scope: str, reading: Reading) -> bool:
    if scope in _EVERYBODY:
        return True
    ours = {token.lower() for token in reading.own_tokens}
    if reading.mode == "spec":
        return scope in ours
    last = _last_word(scope)[1]  # `noindex; GPTBot: noai`, where the scope is all before the colon
    names = agent_names(scope) | agent_names(last)
    return last in _EVERYBODY or not names.isdisjoint(ours | {t.lower() for t in reading.purpose_tokens})


def _judge(directive: Directive, reading: Reading) -> Iterator[Finding]:
    if reading.mode == "spec":
        if directive.name in NO_AI:
            yield Finding(directive, Effect.RESERVED)
        return
    words = _words(directive.name)
    if directive.name == _UNAVAILABLE:
        yield from _judge_date(directive, reading.now)
        words |= _words(directive.value)
    elif directive.name in _VALUE_RULES:
        words |= _words(directive.value) - {"none"}  # `max-image-preview:none` is a value, not a rule
    if not NO_BY_POLICY.isdisjoint(words):
        yield Finding(directive, Effect.RESERVED)


def _words(text: str) -> set[str]:
    """The words of a badly separated directive (`noai;noimageai`, `no-ai/`), without their hyphens."""
    return {word.replace("-", "").replace("_", "") for word in _WORD.findall(text)}


def _last_word(text: str) -> tuple[str, str]:
    """`text` cut before its last word, where spaces and semicolons separate words."""
    words = text.replace(";", " ").rsplit(None, 1)
    return (words[0], words[1]) if len(words) == 2 else ("", words[0] if words else "")


def _value(text: str) -> tuple[str, str]:
    """A value, which has neither spaces nor semicolons, and what follows it."""
    match = _VALUE.match(text)
    end = match.end() if match else 0
    return text[:end], text[end:].strip("; \t")


def _judge_date(directive: Directive, now: datetime) -> Iterator[Finding]:
    date = _date(directive.value)
    if date is None:
        yield Finding(directive, Effect.ERROR, HoldReason.SIGNAL_UNREADABLE.value)
    elif date <= now:
        yield Finding(directive, Effect.RESERVED)
    else:
        yield Finding(directive, Effect.SILENT, since=date)


def _date_text(first: str, following: list[str], lenient: bool) -> tuple[str, str, int]:
    """The date that starts with `first`, what stands behind its semicolon when that ends it (`lenient`),
    and how many of the `following` pieces belong to both."""
    for taken in range(len(following) + 1):
        date, behind = _at_semicolon(",".join([first, *following[:taken]]), lenient)
        if _date(date) is not None:
            return date, behind, taken
    return *_at_semicolon(first, lenient), 0


def _at_semicolon(text: str, lenient: bool) -> tuple[str, str]:
    before, _, behind = text.partition(";") if lenient else (text, "", "")
    return before, behind.strip()


def _date(text: str) -> datetime | None:
    """An RFC 822, RFC 850 or ISO 8601 date, in UTC; it is taken for UTC where it names no zone."""
    text = text.strip()
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            date = parse(text[:80])
            return date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None
