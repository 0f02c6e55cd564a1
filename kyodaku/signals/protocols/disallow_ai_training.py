"""`DisallowAITraining: /path` in robots.txt (draft-canel-robots-ai-control-00, expired, still deployed).

Read by policy only: a line that covers the URL refuses. `AllowAITraining` grants nothing and lifts nothing.
"""

from __future__ import annotations

from kyodaku.reasons import RefuseReason
from kyodaku.signals.carriers.robots import RobotsFile, RobotsRecord
from kyodaku.signals.carriers.robots_match import PatternRules, Rule, normal_paths
from kyodaku.signals.model import Binding, Effect, Fetched, Reading, Signal
from kyodaku.signals.policy_files import file_signal
from kyodaku.signals.protocols.base import About, Peers, Protocol
from kyodaku.signals.protocols.robots import PATH, fetch_outcome
from kyodaku.signals.protocols.robots import PROTOCOL as ROBOTS
from kyodaku.signals.robots_groups import groupings, holds_key, records, speaking
from kyodaku.signals.robots_names import addressed

_KEYS = frozenset({"disallowaitraining", "disallow-ai-training", "disallow ai training"})
_MAX_LINES = 10_000
#: Values of those who took the line for a switch.
_SWITCHED_ON = frozenset({"1", "all", "everything", "on", "true", "y", "yes"})


class DisallowAiTraining(Protocol):
    """One kind of line, in groups and outside of them."""

    name = "disallow-ai-training"
    title = "DisallowAITraining lines in robots.txt (policy only)"
    host_files = (PATH,)
    vector_signals = ("disallowaitraining",)
    about = About(
        where="`DisallowAITraining` lines of robots.txt",
        scope="site, path",
        status="expired individual draft (2024), still deployed",
        spec="ignored",
        policy="a line that covers the address reserves; `AllowAITraining` grants nothing",
        peers=Peers(common_crawl="not known"),
    )

    def alike(self, path: str, file: Fetched, reading: Reading) -> bool:
        """No such line anywhere in the file."""
        if path != PATH or fetch_outcome(file, reading.mode) is not None:
            return True
        return not holds_key(ROBOTS.parsed(file.body), _KEYS)

    def read_host_file(self, path: str, file: Fetched, url: str, reading: Reading) -> list[Signal]:
        """At most one refusal."""
        if path != PATH or reading.mode == "spec" or fetch_outcome(file, reading.mode) is not None:
            return []
        robots = ROBOTS.parsed(file.body)
        if robots.too_complex or robots.not_text:
            return []  # the robots protocol holds then
        for who, record in _lines(robots, url, reading):
            value = "/" if record.value.strip("\"'").lower() in _SWITCHED_ON else record.value
            rule = Rule(False, value.encode("latin-1"), record.line, record.raw)
            rules = PatternRules([rule], strict=False)
            if any(rules.winner(form) is not None for form in normal_paths(url)):
                said = f"no training for {who}" if who else "no training"
                where = f"disallow-ai-training:L{record.line}"
                reason = RefuseReason.DISALLOW_AI_TRAINING.value
                return [
                    file_signal(
                        self.name, file, Effect.RESERVED, record.raw, said, where, reason, Binding.PATH
                    )
                ]
        return []


def _lines(robots: RobotsFile, url: str, reading: Reading) -> list[tuple[str, RobotsRecord]]:
    """(whom it names beside us, line) of every line that counts, each once."""
    found: dict[RobotsRecord, str] = {}
    for grouping in groupings(robots, reading):
        said = speaking(grouping, url, reading)
        own = records(said.ours, _KEYS)
        askew = records(addressed(grouping, reading).askew, _KEYS)
        for record in [*(own or records(said.everybody, _KEYS)), *askew]:
            found.setdefault(record, "")
        for name, group in said.others:
            for record in records((group,), _KEYS):
                found.setdefault(record, name)
    for record in robots.global_records:
        if record.key in _KEYS and record.value:
            found.setdefault(record, "")
    return [(who, record) for record, who in list(found.items())[:_MAX_LINES]]


PROTOCOL = DisallowAiTraining()
