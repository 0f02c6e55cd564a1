"""Content Signals (Cloudflare, contentsignals.org): `Content-Signal: search=yes, ai-train=no` in robots.txt.

A response header of that name is put on converted pages by default, whatever the owner wants: it may refuse
and never grants.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kyodaku.reasons import RefuseReason
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.carriers.robots import Grouping, RobotsFile, RobotsRecord
from kyodaku.signals.carriers.robots_odd import as_seen
from kyodaku.signals.model import Binding, Effect, Fetched, Reading, Signal, Use, Where, excerpt
from kyodaku.signals.protocols.base import About, Peers, Protocol
from kyodaku.signals.protocols.robots import PATH, fetch_outcome
from kyodaku.signals.protocols.robots import PROTOCOL as ROBOTS
from kyodaku.signals.robots_groups import groupings, holds_key, records, speaking
from kyodaku.signals.robots_names import addressed, own_answer

_HEADER = "content-signal"
_KEYS = frozenset({_HEADER, "content-signals", "contentsignal"})
#: A longer value grants nothing; a refusal in it is found up to the second limit.
_MAX_VALUE = 16 * 1024
_MAX_SEARCHED = 1024 * 1024
_TRAIN = "ai-train"
#: Uses that keep nothing, or only an excerpt and a link: by policy no use for training.
_NARROW = frozenset({"immediate", "reference"})
#: What plainly tries to refuse, however it is written.
_PLAINLY_NO = re.compile(
    r"(?<![\w-])(?:ai[-_ ]?train(?:ing)?|train(?:ing)?(?:[-_ ]?(?:gen)?ai)?)[\s\"']{0,16}[=:][\s\"'?(]{0,16}"
    r"(?:no|none|never|n|false|0|off|deny|denied|disallow\w*)(?![\w-])",
    re.IGNORECASE,
)
_NARROWLY = re.compile(
    rf"(?<![\w-])use[\s\"']{{0,16}}[=:][\s\"']{{0,16}}({'|'.join(sorted(_NARROW))})(?![\w-])", re.IGNORECASE
)
_MEMBER = re.compile(r"[ \t]*[A-Za-z][A-Za-z0-9-]*[ \t]*=[ \t]*[A-Za-z0-9-]+[ \t]*")


@dataclass(frozen=True)
class _Found:
    effect: Effect
    record: RobotsRecord
    said: str
    who: str = ""


class ContentSignal(Protocol):
    """ai-train and, by policy, use."""

    name = "content-signal"
    title = "Content Signals: ai-train in robots.txt (headers only refuse)"
    host_files = (PATH,)
    vector_signals = ("content-signal",)
    about = About(
        where="`Content-Signal` lines of robots.txt; response headers",
        scope="site",
        status="Cloudflare, September 2025; widely deployed",
        spec="`ai-train=no` reserves, `ai-train=yes` in our group permits; headers say nothing",
        policy=(
            "`use=reference` and `use=immediate` reserve; a no for everybody stands until our own group "
            "speaks; lines outside of groups and headers may refuse"
        ),
        peers=Peers(common_crawl="not known"),
    )

    def alike(self, path: str, file: Fetched, reading: Reading) -> bool:
        """The lines have no path; only letters are about some paths."""
        if path != PATH or fetch_outcome(file, reading.mode) is not None or not reading.letters:
            return True
        return not holds_key(ROBOTS.parsed(file.body), _KEYS)

    def read_host_file(self, path: str, file: Fetched, url: str, reading: Reading) -> list[Signal]:
        """What the groups that speak to us say; the lines have no path."""
        if path != PATH or fetch_outcome(file, reading.mode) is not None:
            return []
        robots = ROBOTS.parsed(file.body)
        if robots.too_complex or (robots.not_text and reading.mode == "policy"):
            return []  # the robots protocol holds then
        found = _of_robots(robots, url, reading)
        if found is None or (found.effect is Effect.PERMITTED and (robots.truncated or not file.complete)):
            return []
        return [
            Signal(
                protocol=self.name,
                where=Where.FILE,
                binding=Binding.HOST,
                use=Use.TRAINING,
                effect=found.effect,
                raw=excerpt(found.record.raw),
                parsed=f"{found.said} for {found.who}" if found.who else found.said,
                rule=f"content-signal:robots:L{found.record.line}",
                reason=RefuseReason.CONTENT_SIGNAL.value if found.effect is Effect.RESERVED else "",
                source_url=file.final_url or file.url,
                digest=robots.digest,
                complete=file.complete,
                fetched_at=file.fetched_at,
            )
        ]

    def read_page_head(self, head: ResponseHead, reading: Reading) -> list[Signal]:
        return _of_head(head, Binding.PAGE, reading)

    def read_image_head(self, head: ResponseHead, reading: Reading) -> list[Signal]:
        return _of_head(head, Binding.IMAGE, reading)


def judged(value: str, lenient: bool) -> tuple[Effect, str]:
    """(effect on training, the member that decides) of one value. A grant is `ai-train=yes` among well-formed
    members: what stands beside it, such as a path, may be meant to narrow it."""
    whole = len(value) <= _MAX_VALUE
    value = value[:_MAX_SEARCHED]
    members = [tuple(part.strip() for part in item.partition("=")[::2]) for item in value.split(",")]
    said = [(key.lower(), word.lower()) for key, word in members]
    seen = as_seen(value) if lenient else value
    if (_TRAIN, "no") in said or (lenient and _PLAINLY_NO.search(seen)):
        return Effect.RESERVED, f"{_TRAIN}=no"
    if lenient:
        narrow = _NARROWLY.search(seen)
        if narrow is not None:
            return Effect.RESERVED, f"use={narrow[1].lower()}"
    about = [word for key, word in members if key.lower() == _TRAIN]
    formed = whole and all(_MEMBER.fullmatch(item) for item in value.split(","))
    if formed and about and set(about) == {"yes"}:
        return Effect.PERMITTED, f"{_TRAIN}=yes"
    return Effect.SILENT, ""


def _of_robots(robots: RobotsFile, url: str, reading: Reading) -> _Found | None:
    """The strictest of what every way to group the lines says; a grant only where all of them grant."""
    ways = (robots.rfc,) if reading.mode == "spec" else groupings(robots, reading)
    found = [_of_grouping(robots, grouping, url, reading) for grouping in ways]
    refusing = [item for item in found if item is not None and item.effect is Effect.RESERVED]
    if refusing:
        return refusing[0]
    plain = found[: 1 if robots.attach is robots.rfc else 2]
    return plain[0] if all(item is not None for item in plain) else None


def _of_grouping(robots: RobotsFile, grouping: Grouping, url: str, reading: Reading) -> _Found | None:
    lenient = reading.mode == "policy"
    said = speaking(grouping, url, reading)
    own = own_answer(addressed(grouping, reading), lambda own: _decided(records(own, _KEYS), lenient))
    if own is not None and own.effect is Effect.RESERVED:
        return own
    further = [("*", records(said.everybody, _KEYS))] if own is None else []
    further += [("outside", [r for r in robots.global_records if r.key in _KEYS])] if lenient else []
    further += [(name, records((group,), _KEYS)) for name, group in said.others]
    for who, lines in further:
        other = _decided(lines, lenient)
        if other is not None and other.effect is Effect.RESERVED:
            return _Found(other.effect, other.record, other.said, who)
    return own


def _decided(lines: Sequence[RobotsRecord], lenient: bool) -> _Found | None:
    """Lines of the selected groups add up; of a yes and a no the no counts, and odd lines grant nothing."""
    judgements = [(judged(record.value, lenient), record) for record in lines]
    found = [_Found(effect, record, word) for (effect, word), record in judgements]
    said = [item for item in found if item.effect is not Effect.SILENT]
    refusing = [item for item in said if item.effect is Effect.RESERVED]
    if refusing:
        return refusing[0]
    return next((item for item in said if not (item.record.lenient or item.record.cut)), None)


def _of_head(head: ResponseHead, binding: Binding, reading: Reading) -> list[Signal]:
    """By policy, what a header refuses."""
    if reading.mode == "spec":
        return []
    for value in head.values(_HEADER):
        effect, said = judged(value, lenient=True)
        if effect is Effect.RESERVED:
            return [
                Signal(
                    protocol=ContentSignal.name,
                    where=Where.HEADER,
                    binding=binding,
                    use=Use.TRAINING,
                    effect=effect,
                    raw=excerpt(f"Content-Signal: {value}"),
                    parsed=said,
                    rule="content-signal:header",
                    reason=RefuseReason.CONTENT_SIGNAL.value,
                    source_url=head.url,
                    digest=head.digest(),
                    complete=True,
                    fetched_at=head.fetched_at,
                )
            ]
    return []


PROTOCOL = ContentSignal()
