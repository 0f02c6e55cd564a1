"""AIPREF `Content-Usage` in robots.txt and headers (draft-ietf-aipref-attach-05, draft-ietf-aipref-vocab-07).

`train-ai=n` reserves, `train-ai=y` grants. By policy the labels of earlier drafts refuse too, and so does
text that is no dictionary and plainly says no; neither ever grants.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from kyodaku.reasons import RefuseReason
from kyodaku.signals.carriers.content_usage import (
    LEGACY,
    TRAIN,
    Preferences,
    parse_preferences,
    split_path,
)
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.carriers.robots import CONTENT_USAGE, Grouping, RobotsFile, RobotsRecord
from kyodaku.signals.carriers.robots_match import PathPattern, normal_paths
from kyodaku.signals.model import Binding, Effect, Fetched, Reading, Signal, Use, Where, excerpt
from kyodaku.signals.protocols.base import About, Peers, Protocol
from kyodaku.signals.protocols.robots import PATH, fetch_outcome
from kyodaku.signals.protocols.robots import PROTOCOL as ROBOTS
from kyodaku.signals.robots_groups import groupings, holds_key, records, speaking
from kyodaku.signals.robots_names import addressed, own_answer

_HEADER = "content-usage"
_KEYS = frozenset({CONTENT_USAGE})
_MAX_LINES = 10_000


@dataclass(frozen=True)
class _Rule:
    """One line that applies to a URL; `length` of its path, -1 for a line that is no rule and may refuse."""

    record: RobotsRecord
    length: int
    preferences: Preferences


@dataclass(frozen=True)
class _Found:
    effect: Effect
    record: RobotsRecord
    label: str
    who: str = ""


class Aipref(Protocol):
    """Preferences about training."""

    name = "aipref"
    title = "AIPREF: Content-Usage in robots.txt and in response headers"
    host_files = (PATH,)
    vector_signals = ("aipref",)
    about = About(
        where="`Content-Usage` in robots.txt; response headers of page and image",
        scope="site, path, page, image",
        status="IETF working-group drafts (attach-05, vocab-07); no RFC",
        spec="`train-ai=n` reserves, `train-ai=y` permits; longest path wins; other labels are ignored",
        policy=(
            "labels of all drafts refuse, and so does text that plainly says no; a page's refusal is its "
            "images'; legacy labels and odd text never grant"
        ),
        peers=Peers(common_crawl="not known"),
    )

    def alike(self, path: str, file: Fetched, reading: Reading) -> bool:
        """No such line anywhere in the file."""
        if path != PATH or fetch_outcome(file, reading.mode) is not None:
            return True
        return not holds_key(ROBOTS.parsed(file.body), _KEYS)

    def read_host_file(self, path: str, file: Fetched, url: str, reading: Reading) -> list[Signal]:
        """What the lines in the groups that speak to us say about `url`."""
        if path != PATH or fetch_outcome(file, reading.mode) is not None:
            return []
        robots = ROBOTS.parsed(file.body)
        if robots.too_complex or (robots.not_text and reading.mode == "policy"):
            return []  # the robots protocol holds then
        found = _of_robots(robots, url, reading)
        if found is None:
            return []
        whole = file.complete and not robots.truncated
        if found.effect is Effect.PERMITTED and not whole:
            return []
        return [_file_signal(file, robots, found)]

    def read_page_head(self, head: ResponseHead, reading: Reading) -> list[Signal]:
        """By policy a page's refusal is one of the images it shows; its grant is not theirs."""
        if reading.mode == "spec":
            return []
        return [s for s in _of_head(head, Binding.PAGE, reading) if s.effect is Effect.RESERVED]

    def read_image_head(self, head: ResponseHead, reading: Reading) -> list[Signal]:
        """The field lines of the image's own response, joined."""
        return _of_head(head, Binding.IMAGE, reading)


def judged(preferences: Preferences, reading: Reading) -> tuple[Effect, str]:
    """(effect on training, the label that decides) of one dictionary."""
    values = preferences.values
    if reading.mode == "policy":
        refused = preferences.refused | {label for label in (TRAIN, *LEGACY) if values.get(label) == "n"}
        if refused:
            return Effect.RESERVED, min(refused, key=lambda label: (label != TRAIN, label))
    effects = {"n": Effect.RESERVED, "y": Effect.PERMITTED}
    return effects.get(values.get(TRAIN, ""), Effect.SILENT), TRAIN


def _of_robots(robots: RobotsFile, url: str, reading: Reading) -> _Found | None:
    """The strictest of what every way to group the lines says; a grant only where all of them grant."""
    found = [_of_grouping(robots, grouping, url, reading) for grouping in groupings(robots, reading)]
    refusing = [item for item in found if item is not None and item.effect is Effect.RESERVED]
    if refusing:
        return refusing[0]
    plain = found[: 1 if robots.attach is robots.rfc else 2]  # what is read forgivingly only refuses
    return plain[0] if all(item is not None for item in plain) else None


def _of_grouping(robots: RobotsFile, grouping: Grouping, url: str, reading: Reading) -> _Found | None:
    said = speaking(grouping, url, reading)
    paths = normal_paths(url)
    who_is = addressed(grouping, reading)
    own = own_answer(who_is, lambda own: _decided(_rules(records(own, _KEYS), paths, reading), reading))
    if own is not None and own.effect is Effect.RESERVED:
        return own
    lenient = reading.mode == "policy"
    further = [("*", records(said.everybody, _KEYS))] if own is None else []
    further += [("outside", [r for r in robots.global_records if r.key in _KEYS])] if lenient else []
    further += [(name, records((group,), _KEYS)) for name, group in said.others]
    for who, lines in further:
        other = _decided(_rules(lines, paths, reading), reading)
        if other is not None and other.effect is Effect.RESERVED:
            return _Found(other.effect, other.record, other.label, who)
    return own


def _rules(lines: Sequence[RobotsRecord], paths: Sequence[bytes], reading: Reading) -> list[_Rule]:
    """The lines that apply to a URL. By policy one that is malformed applies where it may refuse."""
    rules = []
    for record in lines[:_MAX_LINES]:
        path, pattern, preferences = _parsed(record)
        if path:
            if pattern is not None and pattern.matches(paths):
                everywhere = all(map(pattern.covers, paths))
                usable = everywhere or bool(preferences.refused)
                rules += [_Rule(record, len(path), preferences)] if usable else []
        elif preferences.valid:
            rules.append(_Rule(record, 0, preferences))
        elif preferences.refused and reading.mode == "policy":
            rules.append(_Rule(record, -1, preferences))
    return rules


@lru_cache(maxsize=4096)
def _parsed(record: RobotsRecord) -> tuple[str, PathPattern | None, Preferences]:
    """The path as written, its pattern, and the dictionary of a line."""
    path, text = split_path(record.value)
    if not text and (meant := parse_preferences(path)).refused:
        return "", None, meant  # `Content-Usage: /train-ai=n`
    return path, PathPattern.of(path.encode("latin-1")) if path else None, parse_preferences(text)


def _decided(rules: Sequence[_Rule], reading: Reading) -> _Found | None:
    """The longest rule decides, the stricter of two as long. By policy each label has its own longest rule,
    so that a refusal stands until a longer rule speaks of the same label."""
    if not rules:
        return None
    if reading.mode == "spec":
        longest = max((rule.length for rule in rules), default=0)
        found = [_found(rule, reading) for rule in rules if rule.length == longest]
        return _strictest([item for item in found if item is not None])
    by_label: dict[str, list[_Rule]] = {}
    for rule in rules:
        labels = (
            rule.preferences.refused
            if _odd(rule.record)
            else {*rule.preferences.values, *rule.preferences.refused}
        )
        for label in labels & {TRAIN, *LEGACY}:
            by_label.setdefault(label, []).append(rule)
    decided = []
    for label, speaking_rules in by_label.items():
        longest = max(rule.length for rule in speaking_rules)
        for rule in speaking_rules:
            refuses = label in rule.preferences.refused or rule.preferences.values.get(label) == "n"
            if refuses and rule.length in (longest, -1):
                decided.append(_Found(Effect.RESERVED, rule.record, label))
            elif not refuses and rule.length == longest and label == TRAIN:
                decided.append(_Found(Effect.PERMITTED, rule.record, label))
    return _strictest(decided)


def _odd(record: RobotsRecord) -> bool:
    return record.lenient or record.cut


def _found(rule: _Rule, reading: Reading) -> _Found | None:
    effect, label = judged(rule.preferences, reading)
    grants_oddly = effect is Effect.PERMITTED and _odd(rule.record)
    return None if effect is Effect.SILENT or grants_oddly else _Found(effect, rule.record, label)


def _strictest(found: Sequence[_Found]) -> _Found | None:
    return min(found, key=lambda item: (item.effect is not Effect.RESERVED, item.record.line), default=None)


def _of_head(head: ResponseHead, binding: Binding, reading: Reading) -> list[Signal]:
    values = head.values(_HEADER)
    if not values:
        return []
    joined = ", ".join(values)
    preferences = parse_preferences(joined)
    effect, label = judged(preferences, reading)
    if effect is Effect.SILENT:
        return []
    return [
        Signal(
            protocol=Aipref.name,
            where=Where.HEADER,
            binding=binding,
            use=Use.TRAINING,
            effect=effect,
            raw=excerpt(f"Content-Usage: {joined}"),
            parsed=f"{label}={'n' if effect is Effect.RESERVED else 'y'}",
            rule=f"aipref:header:{label}",
            reason=RefuseReason.AIPREF.value if effect is Effect.RESERVED else "",
            source_url=head.url,
            digest=head.digest(),
            complete=True,
            fetched_at=head.fetched_at,
        )
    ]


def _file_signal(file: Fetched, robots: RobotsFile, found: _Found) -> Signal:
    said = f"{found.label}={'n' if found.effect is Effect.RESERVED else 'y'}"
    return Signal(
        protocol=Aipref.name,
        where=Where.FILE,
        binding=Binding.PATH,
        use=Use.TRAINING,
        effect=found.effect,
        raw=excerpt(found.record.raw),
        parsed=f"{said} for {found.who}" if found.who else said,
        rule=f"aipref:robots:{found.label}:L{found.record.line}",
        reason=RefuseReason.AIPREF.value if found.effect is Effect.RESERVED else "",
        source_url=file.final_url or file.url,
        digest=robots.digest or sha256(file.body).hexdigest(),
        complete=file.complete,
        fetched_at=file.fetched_at,
    )


PROTOCOL = Aipref()
