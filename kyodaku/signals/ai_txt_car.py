"""The ai.txt of draft-car-ai-txt-wellknown-00: `Training: allow|deny|conditional`, as text and as JSON.

A file that exists and does not say otherwise denies. Path globs are compared by length, a tie denies; a glob
that denies also covers what lies below it, one that allows covers only what it matches as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from kyodaku.errors import CarrierError
from kyodaku.signals.carriers.json_text import load_json
from kyodaku.signals.carriers.robots_match import PathPattern
from kyodaku.signals.model import Reading

_LINE_END = re.compile(r"\r\n|\r|\n")
_MAX_LINES = 50_000
_MAX_GLOBS = 5_000
_MAX_AGENTS = 1_000


@dataclass(frozen=True)
class Said:
    """What a file says about one URL. `raw` is the line or member it rests on."""

    allowed: bool
    raw: str
    parsed: str


@dataclass(frozen=True)
class _Glob:
    allow: bool
    value: str
    raw: str


@dataclass
class _Block:
    """The site's own statement, or one agent's. `training` is "" where it is not stated, and `raw` the line.

    Where it is stated twice the stricter counts.
    """

    training: str = ""
    raw: str = ""
    globs: list[_Glob] = field(default_factory=list)

    def state(self, value: str, raw: str) -> None:
        order = ("allow", "conditional", "deny")
        word = value.strip().lower()
        word = word if word in order else "deny"  # no word that allows
        if not self.training or order.index(word) > order.index(self.training):
            self.training, self.raw = word, raw


@dataclass(frozen=True)
class CarFile:
    """A parsed file. `empty` is True when nothing in it is of this dialect."""

    site: _Block
    agents: tuple[tuple[str, _Block], ...]
    empty: bool

    def says(self, paths: Sequence[bytes], reading: Reading) -> Said | None:
        """What the file says about the paths of one URL (`normal_paths`); None when it is of another kind.

        The block that names us takes the place of the site's statement as far as it goes. By policy a block
        that denies training crawlers denies us, unless one names us.
        """
        if self.empty:
            return None
        own = [block for name, block in self.agents if _is(name, reading.own_tokens)]
        found = [_judge(self.site, block, paths, reading) for block in own or [_Block()]]
        if reading.mode == "policy" and not own:
            others = [block for name, block in self.agents if _is(name, reading.purpose_tokens)]
            judged = [_judge(_Block("allow"), block, paths, reading) for block in others]
            found += [said for said in judged if not said.allowed]
        return min(found, key=lambda said: said.allowed)


def _is(name: str, tokens: Iterable[str]) -> bool:
    return name.strip().lower() in {token.lower() for token in tokens}


def _judge(site: _Block, block: _Block, paths: Sequence[bytes], reading: Reading) -> Said:
    stated = block if block.training else site
    theirs = site.globs
    if block.training or block.globs:  # the block takes their place; by policy what the site denies stays
        theirs = [glob for glob in site.globs if not glob.allow and reading.mode == "policy"]
    globs = [*block.globs, *theirs]
    denying, allowing = _best(globs, False, paths), _best(globs, True, paths)
    training, raw = stated.training or "deny", stated.raw
    if denying is not None and (allowing is None or len(denying.value) >= len(allowing.value)):
        return Said(False, denying.raw, "denied for this path")
    if allowing is not None and (
        training == "conditional" or (training == "deny" and reading.mode == "spec")
    ):
        return Said(True, allowing.raw, "allowed for this path")
    if training == "allow":
        return Said(True, raw, "training: allow")
    return Said(False, raw, f"training: {training}" if stated.training else "training is denied by default")


def _best(globs: Sequence[_Glob], allow: bool, paths: Sequence[bytes]) -> _Glob | None:
    """The longest glob of one kind that covers the URL: all of its forms to allow, any to deny."""
    matching = [glob for glob in globs if glob.allow is allow and _covers(glob, paths)]
    return max(matching, key=lambda glob: len(glob.value), default=None)


def _covers(glob: _Glob, paths: Sequence[bytes]) -> bool:
    value = glob.value.encode("utf-8", "replace")
    if glob.allow:
        pattern = PathPattern.of(value if value.endswith((b"$", b"*")) else value + b"$")
        return pattern is not None and all(pattern.matches((path,)) for path in paths)
    pattern = PathPattern.of(value if value[:1] in (b"/", b"*") else b"/" + value)
    return pattern is not None and pattern.matches(paths)


def parse_car(body: bytes) -> CarFile:
    """Parse the text form. Raises CarrierError when it holds more than we read."""
    text = body.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    lines = _LINE_END.split(text)
    if len(lines) > _MAX_LINES:
        raise CarrierError("more lines than the limit")
    site, agents, seen = _Block(), [], False
    block = site
    for line in lines:
        key, colon, value = line.partition("#")[0].partition(":")
        word = key.strip().lower().replace("_", "-")
        if not colon:
            continue
        if word == "agent":
            block = _Block()
            agents.append((value, block))
        elif word == "training":
            block.state(value, line.strip())
        elif word in ("training-allow", "training-deny"):
            allow = word.endswith("allow")
            globs = value.split() if allow else re.split(r"[\s,]+", value.strip())
            block.globs += [_Glob(allow, glob, line.strip()) for glob in globs if glob]
        seen = seen or word in ("spec-version", "training", "training-allow", "training-deny")
    return _checked(site, agents, seen)


def parse_car_json(body: bytes) -> CarFile:
    """Parse the JSON form. Raises CarrierError for what is no JSON object, or holds more than we read."""
    value = load_json(body)
    if not isinstance(value, dict):
        raise CarrierError("not a JSON object")
    members = _members(value)
    site = _block(members)
    agents = [(name, _block(_members(member))) for name, member in _agents(members.get("agents"))]
    agents += [(name, _block(_members(member))) for name, member in _agents(members.get("agent"))]
    seen = not members.keys().isdisjoint({"specversion", "training", "trainingallow", "trainingdeny"})
    return _checked(site, agents, seen or bool(agents))


def _checked(site: _Block, agents: list[tuple[str, _Block]], seen: bool) -> CarFile:
    if len(agents) > _MAX_AGENTS or sum(len(b.globs) for _, b in [("", site), *agents]) > _MAX_GLOBS:
        raise CarrierError("more rules than the limit")
    return CarFile(site, tuple(agents), not seen)


def _members(value: Any) -> dict[str, Any]:
    """An object's members by folded name: `Training-Allow`, `training_allow`, `trainingAllow` are one."""
    found: dict[str, list[Any]] = {}
    for name, member in value.items() if isinstance(value, dict) else ():
        found.setdefault(re.sub(r"[-_ ]", "", name).lower(), []).append(member)
    return {name: members[0] if len(members) == 1 else members for name, members in found.items()}


def _agents(value: Any) -> list[tuple[str, Any]]:
    """(name, object) of every agent: an object by name, or a list of objects that name themselves."""
    if isinstance(value, dict):
        return list(value.items())
    found = []
    for item in value if isinstance(value, list) else ():
        members = _members(item)
        name = next((members[key] for key in ("name", "agent", "useragent") if key in members), "")
        found.append((str(name), item))
    return found


def _block(members: dict[str, Any]) -> _Block:
    block = _Block()
    training = members.get("training")
    if isinstance(training, dict):
        inner = _members(training)
        for key in ("policy", "default", "value", "status"):
            if key in inner:
                training = inner[key]
                break
        else:
            training = "" if not {"allow", "deny"}.isdisjoint(inner) else "deny"
        members = {**members, **{f"training{key}": inner[key] for key in ("allow", "deny") if key in inner}}
        training = training or "conditional"
    if training is not None:
        for word in training if isinstance(training, list) else [training]:
            block.state(word if isinstance(word, str) else "deny", f"training: {word}"[:200])
    for key, allow in (("trainingallow", True), ("trainingdeny", False)):
        for glob in _texts(members.get(key)):
            block.globs.append(_Glob(allow, glob, f"{key}: {glob}"[:200]))
    return block


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return value.split()
    flat = value if isinstance(value, list) else []
    return [text for item in flat for text in ([item] if isinstance(item, str) else _texts(item))]
