"""trust.txt (JournalList): `datatrainingallowed=yes|no`, for the whole host."""

from __future__ import annotations

import re
from collections.abc import Mapping

from kyodaku.reasons import HoldReason, RefuseReason
from kyodaku.signals.carriers.robots_odd import as_seen
from kyodaku.signals.model import Binding, Effect, Fetched, Reading, Signal
from kyodaku.signals.policy_files import answer_signals, fetch_outcome, file_signal
from kyodaku.signals.protocols.base import About, Protocol

WELL_KNOWN = "/.well-known/trust.txt"
ROOT = "/trust.txt"
_ATTRIBUTE = "datatrainingallowed"
_LINE_END = re.compile(r"\r\n|\r|\n")
_MAX_LINES = 50_000
#: The attribute and its value in a line that is not quite one.
_ODD = re.compile(
    r"data[\s_-]*training[\s_-]*allowed\b\W{0,20}(?:no|n|false|0|never|deny|denied|disallow)", re.I
)


class TrustTxt(Protocol):
    """One attribute of trust.txt; the root is asked only where the well-known place has no file."""

    name = "trust-txt"
    title = "trust.txt: datatrainingallowed for the whole host"
    host_files = (WELL_KNOWN, ROOT)
    vector_signals = ("trust-txt",)
    about = About(
        where="/.well-known/trust.txt, else /trust.txt",
        scope="site",
        status="JournalList; its Internet-Draft expired",
        spec="`datatrainingallowed=no` reserves, `yes` permits",
        policy="odd spellings of the attribute may refuse, never grant",
    )

    def wants(self, path: str, files: Mapping[str, Fetched], reading: Reading) -> bool:
        """The file at the root counts where `/.well-known/trust.txt` is plainly not there."""
        first = files.get(WELL_KNOWN)
        if path != ROOT or first is None:
            return True
        answer = fetch_outcome(first)
        return answer is not None and answer.effect is Effect.SILENT

    def alike(self, path: str, file: Fetched, reading: Reading) -> bool:
        """What the file says, it says of every URL."""
        return True

    def read_host_file(self, path: str, file: Fetched, url: str, reading: Reading) -> list[Signal]:
        """A no if any line says no; a yes if every line that speaks says yes."""
        if path not in self.host_files:
            return []
        answer = fetch_outcome(file)
        if answer is not None:
            return answer_signals(self.name, file, answer)
        if b"\x00" in file.body:
            reason = HoldReason.POLICY_FILE_UNREADABLE.value
            return [_signal(file, Effect.ERROR, "", "unreadable", reason)]
        lines = _lines(file.body)
        found = [_value(line, reading.mode == "policy") for line in lines]
        said = [(value, line) for value, line in found if value]
        refusing = [line for value, line in said if value == "no"]
        if refusing:
            return [_signal(file, Effect.RESERVED, refusing[0], "no", RefuseReason.TRUST_TXT.value)]
        if len(lines) > _MAX_LINES:  # the last one is all that was not looked at
            reason = HoldReason.POLICY_FILE_UNREADABLE.value
            return [_signal(file, Effect.ERROR, "", "more lines than the limit", reason)]
        if said and all(value == "yes" for value, _ in said) and file.complete:
            return [_signal(file, Effect.PERMITTED, said[0][1], "yes")]
        return []


def _lines(body: bytes) -> list[str]:
    text = body.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    return _LINE_END.split(text, _MAX_LINES)


def _value(line: str, lenient: bool) -> tuple[str, str]:
    """(`yes`, `no`, `other` or "", the line). By policy an odd line may say no; only a right one says yes."""
    content = line.partition("#")[0].strip(" \t")
    key, equals, value = content.partition("=")
    word = value.strip(" \t").lower()
    if equals and key.strip(" \t").lower() == _ATTRIBUTE and word in ("yes", "no"):
        qualified = lenient and word == "yes" and "#" in line
        return "other" if qualified else word, line
    if lenient and _ODD.search(as_seen(content[:4096])):
        return "no", line
    return ("other" if key.strip(" \t").lower() == _ATTRIBUTE else ""), line


def _signal(file: Fetched, effect: Effect, raw: str, parsed: str, reason: str = "") -> Signal:
    return file_signal(
        TrustTxt.name,
        file,
        effect,
        raw.strip(),
        f"{_ATTRIBUTE}={parsed}",
        f"trust-txt:{parsed}",
        reason,
        Binding.HOST,
    )


PROTOCOL = TrustTxt()
