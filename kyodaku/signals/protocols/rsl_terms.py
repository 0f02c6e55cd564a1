"""What the terms of an RSL document mean for training (RSL 1.0, rslstandard.org/rsl). Plain functions; the
protocol beside this file finds and fetches the documents."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kyodaku.signals.carriers.robots_odd import as_seen
from kyodaku.signals.carriers.rsl import RslContent, RslDocument, RslLicense, RslTerm
from kyodaku.signals.keywords import refuses_in_words
from kyodaku.signals.model import Effect, Use

_TRAINING = frozenset({"all", "ai-all", "ai-train"})
_INFERENCE = frozenset({"all", "ai-all", "ai-input"})
#: Spellings that are not in the standard and mean training all the same. They may refuse, never grant.
_WILD = re.compile(r"(?:.*train.*|ai|genai|tdm|data-?mining|machine-?learning|ml|any|\*)", re.DOTALL)
_SEPARATORS = re.compile(r"[\s,;|]+")
#: A standard licence that asks nothing in return.
_FREE_LICENCES = re.compile(r"https?://creativecommons\.org/publicdomain/zero/1\.0/?")


@dataclass(frozen=True)
class Outcome:
    """What one licence says: an effect, in words, the rule that decided, and its markup."""

    effect: Effect
    said: str
    rule: str
    raw: str
    use: Use = Use.TRAINING


def outcomes(
    document: RslDocument, url: str, site: str, mode: str, everywhere: bool = False
) -> list[Outcome]:
    """What `document` says about `url`. `site` is where it was declared; `everywhere` makes its refusals
    count for any address, as those inside an image file do.

    Policy takes every matching `<content>` and every `<license>` together, the strictest first. By the
    standard the most specific pattern decides, and licences are offers of which one is enough.
    """
    policy = mode == "policy"
    covering = [content for content in document.contents if content.covers(url, site)]
    if not policy and covering:
        longest = max(content.specificity for content in covering)
        covering = [content for content in covering if content.specificity == longest]
    found = [
        outcome
        for content in covering
        for outcome in _of_content(content, policy)
        if outcome.effect is not Effect.PERMITTED or content.covers_wholly(url)
    ]
    counted = {id(content) for content in covering}
    vague = [
        content
        for content in document.contents
        if id(content) not in counted and (everywhere or (policy and content.names_no_place))
    ]
    for content in vague:
        found += [o for o in _of_content(content, policy) if o.effect is Effect.RESERVED]
    strays = [term for term in document.strays if policy and _names_training(term, policy)]
    if strays:
        said = "training is prohibited, outside of any licence"
        found.insert(0, Outcome(Effect.RESERVED, said, "stray", f"<prohibits> {' '.join(strays[0].tokens)}"))
    return found


def _of_content(content: RslContent, policy: bool) -> list[Outcome]:
    if content.server:
        return [Outcome(Effect.RESERVED, "a licence server has to issue a token", "server", content.raw)]
    if content.encrypted:
        return [Outcome(Effect.RESERVED, "the content is encrypted", "encrypted", content.raw)]
    judged = [outcome for licence in content.licenses for outcome in _of_licence(licence, policy)]
    if content.terms and policy:
        judged = [_unless_granted(outcome, "further terms", "terms") for outcome in judged]
    granted = [o for o in judged if o.effect is Effect.PERMITTED]
    prohibited = any(o.rule == "prohibits" for o in judged)
    if not policy and granted and not prohibited:
        return granted
    return judged


def _unless_granted(outcome: Outcome, said: str, rule: str) -> Outcome:
    if outcome.effect is not Effect.PERMITTED:
        return outcome
    return Outcome(Effect.RESERVED, f"licensed on a condition: {said}", rule, outcome.raw)


def _of_licence(licence: RslLicense, policy: bool) -> list[Outcome]:
    found = []
    if any(_INFERENCE & set(_tokens(term, policy)) for term in licence.prohibits if term.type == "usage"):
        found.append(
            Outcome(
                Effect.RESERVED,
                "use as a model's input is prohibited",
                "prohibits",
                licence.raw,
                Use.INFERENCE,
            )
        )
    training = _training(licence, policy)
    if training is not None:
        effect, said, rule = training
        found.append(Outcome(effect, said, rule, licence.raw))
    return found


def _training(licence: RslLicense, policy: bool) -> tuple[Effect, str, str] | None:
    """Effect, words and rule; None when the licence does not speak about training."""
    for term in licence.prohibits:
        if (term.type == "usage" or policy) and _names_training(term, policy):
            return Effect.RESERVED, "training is prohibited", "prohibits"
    usage = [term for term in licence.permits if term.type == "usage"]
    if usage and not any(_TRAINING & set(term.tokens) for term in usage):
        return Effect.RESERVED, "training is not among the permitted uses", "closed-list"
    untyped = [term for term in licence.permits if not term.type]
    if policy and untyped and not usage and not any(_names_training(term, True) for term in untyped):
        return Effect.RESERVED, "training is not among the permitted uses", "closed-list"
    condition = _condition(licence)
    if policy and not condition and refuses_in_words(licence.legal):
        condition = "<legal> that refuses in words"
    if condition:
        return Effect.RESERVED, f"licensed on a condition: {condition}", "condition"
    return (Effect.PERMITTED, "training is permitted, free of charge", "permits") if usage else None


def _names_training(term: RslTerm, policy: bool) -> bool:
    tokens = _tokens(term, policy)
    if _TRAINING & set(tokens):
        return True
    return policy and any(_WILD.fullmatch(token) for token in tokens)


def _tokens(term: RslTerm, policy: bool) -> Sequence[str]:
    if not policy:
        return term.tokens
    return [part for token in term.tokens for part in _SEPARATORS.split(as_seen(token).lower()) if part]


def _condition(licence: RslLicense) -> str:
    """What has to be met before such a licence is ours, or ""."""
    for payment in licence.payments:
        if payment.type != "free":
            return f"payment of type {payment.type or 'unknown'}"
        for name, text in payment.details:
            if name != "standard" or not _FREE_LICENCES.fullmatch(text):
                return f"a free licence with <{name}>"
    for kind in ("user", "geo"):
        for term in licence.permits:
            if term.type == kind and tuple(term.tokens) != ("all",):
                return f"{kind} {' '.join(term.tokens)}"
        if any(term.type == kind and term.tokens for term in licence.prohibits):
            return f"some {kind} prohibited"
    known = ("usage", "user", "geo")
    if any(term.type not in (*known, "") for term in (*licence.permits, *licence.prohibits)):
        return "a kind of term that is not in RSL 1.0"
    if licence.beside:
        return "words between its terms"
    if licence.reporting:
        return "reporting"
    return f"<{licence.others[0]}>" if licence.others else ""
