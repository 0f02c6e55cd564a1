"""The ai.txt of draft-car-ai-txt-wellknown-00: `Training: allow|deny|conditional`, as text and as JSON.

A file that exists and does not say otherwise denies. Path globs are compared by length, a tie denies; a glob
that denies also covers what lies below it, one that allows covers only what it matches as a whole. Agent
blocks take the place of what the site says; `*` is every agent that no block names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from kyodaku.errors import CarrierError
from kyodaku.signals.carriers.json_text import load_json
from kyodaku.signals.carriers.robots_match import PathPattern
from kyodaku.signals.carriers.robots_odd import as_seen
from kyodaku.signals.model import Reading

#: What a glob that denies may be wrapped in, and the origin it may begin with.
_WRAPPING = re.compile(rb"\A[\"'<`\[(]+|[\"'>`\]),;]+\Z")
_ORIGIN = re.compile(rb"\Ahttps?://[^/]*", re.IGNORECASE)
_LINE_END = re.compile(r"\r\n|\r|\n")
_NAMES = re.compile(r"[\s,;]+")
_MAX_LINES = 50_000
_MAX_GLOBS = 5_000
_MAX_AGENTS = 1_000
_EVERYBODY = "*"
#: Names, folded, that only this dialect has.
_OWN = frozenset({"specversion", "training", "trainingallow", "trainingdeny", "trainingpaths", "scraping"})
#: What has to be allowed before an image can be taken and kept.
_TAKING = frozenset({"scraping", "caching"})
#: Duties that a release cannot carry into what models put out, and the words that ask for none.
_DUTIES = frozenset({"attribution", "aidisclosure", "audit"})
_NO_DUTY = ("", "none", "optional", "recommended")
#: Names about training that the dialect does not have refuse with one of these words.
_DENYING = frozenset(
    {"conditional", "denied", "deny", "disallow", "disallowed", "false", "forbidden", "never", "no", "none"}
    | {"prohibited"}
)
_KNOWN = frozenset(
    {"training", "trainingallow", "trainingdeny", "trainingpaths", "trainingfee", "traininglicense"}
)
_FEES = frozenset({"trainingfee", "feeurl"})
_LICENCES = frozenset({"traininglicense", "license"})
_FREE = re.compile(r"cc0-1\.0|pddl-1\.0|cc-by(?:-sa)?-[1-4]\.[05](?:-[a-z]{2,3})?", re.I)


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

    Where it is stated twice the stricter counts. `barred` is a line that forbids to take the content,
    `condition` one that allows it in return for something.
    """

    training: str = ""
    raw: str = ""
    globs: list[_Glob] = field(default_factory=list)
    barred: str = ""
    condition: str = ""

    def state(self, value: str, raw: str) -> None:
        order = ("allow", "conditional", "deny")
        word = value.strip().lower()
        word = word if word in order else "deny"  # no word that allows
        if not self.training or order.index(word) > order.index(self.training):
            self.training, self.raw = word, raw

    def require(self, name: str, value: str, raw: str) -> None:
        """Note what the member `name` (folded) forbids or asks for."""
        word = value.strip().lower()
        if name in _TAKING and word != "allow":
            self.barred = self.barred or raw
        if "train" in name and name not in _KNOWN and word.strip("\"'.;,") in _DENYING:
            self.barred = self.barred or raw
        duty = name in _DUTIES and word not in _NO_DUTY
        if duty or (name in _FEES and word) or (name in _LICENCES and word and not _FREE.fullmatch(word)):
            self.condition = self.condition or raw


@dataclass(frozen=True)
class CarFile:
    """A parsed file. `empty` is True when nothing in it is of this dialect."""

    site: _Block
    agents: tuple[tuple[str, _Block], ...]
    empty: bool

    def says(self, paths: Sequence[bytes], reading: Reading) -> Said | None:
        """What the file says about the paths of one URL (`normal_paths`); None when it is of another kind.

        The block that names us, else the one for everybody, takes the place of the site's statement as far as
        it goes. By policy the block for everybody only adds denials, and so does one for training crawlers
        unless one names us; nothing is allowed that may not be taken or that has a price or a duty.
        """
        if self.empty:
            return None
        own = [block for name, block in self.agents if _is(name, reading.own_tokens)]
        everybody = [block for name, block in self.agents if _is(name, (_EVERYBODY,))]
        if reading.mode == "spec":
            blocks = own if any(block.training for block in own) else [*own, *everybody]
            blocks = blocks or [_Block()]
            return _strictest(_judge(self.site, block, paths, reading) for block in blocks)
        others = [] if any(block.training for block in own) else everybody
        if not own:
            others = [*others, *(b for name, b in self.agents if _is(name, reading.purpose_tokens))]
        found = [_judge(self.site, block, paths, reading) for block in own or [_Block()]]
        judged = [_judge(_Block("allow"), block, paths, reading) for block in others]
        return _strictest([*found, *(said for said in judged if not said.allowed)])


def _strictest(found: Iterable[Said]) -> Said:
    return min(found, key=lambda said: said.allowed)


def _is(name: str, tokens: Iterable[str]) -> bool:
    """Whether an agent's name, or one of several, is a token; a version behind it does not count."""
    names = {word.partition("/")[0] for word in _NAMES.split(name.lower())}
    return not names.isdisjoint(token.lower() for token in tokens)


def _judge(site: _Block, block: _Block, paths: Sequence[bytes], reading: Reading) -> Said:
    said = _training(site, block, paths, reading)
    if reading.mode == "spec" or not said.allowed:
        return said
    barred = block.barred or site.barred
    if barred:
        return Said(False, barred, "may not be taken")
    condition = block.condition or site.condition
    return Said(False, condition, "allowed under a condition") if condition else said


def _training(site: _Block, block: _Block, paths: Sequence[bytes], reading: Reading) -> Said:
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
    value = _WRAPPING.sub(b"", value)
    value = _ORIGIN.sub(b"", value) or b"/"
    pattern = PathPattern.of(value if value[:1] in (b"/", b"*") else b"/" + value)
    return pattern is not None and pattern.matches(paths)


# ----------------------------------------------------------------------------------------------- text


def parse_car(body: bytes) -> CarFile:
    """Parse the text form. Raises CarrierError when it holds more than we read.

    Indented lines belong to the agent above. One that is not speaks for the site; it may have been meant
    for the agent, so it denies for both and allows for the agent alone.
    """
    text = body.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    lines = _LINE_END.split(text)
    if len(lines) > _MAX_LINES:
        raise CarrierError("more lines than the limit")
    site, agents, seen = _Block(), [], False
    block = site
    for written in lines:
        line = as_seen(written)
        key, colon, value = line.partition(":")
        word = _folded(key.strip())
        if not colon or word.startswith("#") or (line != written and _allows(word, value)):
            continue
        if word == "agent":
            block = _Block()
            agents.append((value, block))
        _state_line(word, value, line.strip(), block)
        if block is not site and line[:1] not in (" ", "\t") and not _allows(word, value):
            _state_line(word, value, line.strip(), site)
        seen = seen or word in _OWN
    return _checked(site, agents, seen)


def _state_line(word: str, value: str, raw: str, block: _Block) -> None:
    if word == "training":
        block.state(value, raw)
    elif word == "trainingallow":
        block.globs += [_Glob(True, glob, raw) for glob in value.partition("#")[0].split()]
    elif word == "trainingdeny":
        globs = _NAMES.split(value.partition("#")[0].strip())
        block.globs += [_Glob(False, glob, raw) for glob in globs if glob]
    else:
        block.require(word, value.partition("#")[0], raw)


def _allows(word: str, value: str) -> bool:
    return word == "trainingallow" or (word == "training" and value.strip().lower() == "allow")


# ----------------------------------------------------------------------------------------------- JSON


def parse_car_json(body: bytes) -> CarFile:
    """Parse the JSON form. Raises CarrierError for what is no JSON object, or holds more than we read."""
    value = load_json(body)
    if not isinstance(value, dict):
        raise CarrierError("not a JSON object")
    members = _members(value)
    site = _block(value)
    named = [pair for key in ("agents", "agent") for pair in _agents(members.get(key))]
    if len(named) > _MAX_AGENTS:
        raise CarrierError("more agents than the limit")
    agents = [(name, _block(member)) for name, member in named]
    inner = {key for part in _parts(value) for key in part}
    return _checked(site, agents, bool(agents) or not _OWN.isdisjoint(inner))


def _checked(site: _Block, agents: list[tuple[str, _Block]], seen: bool) -> CarFile:
    if len(agents) > _MAX_AGENTS or sum(len(b.globs) for _, b in [("", site), *agents]) > _MAX_GLOBS:
        raise CarrierError("more rules than the limit")
    return CarFile(site, tuple(agents), not seen)


def _folded(name: str) -> str:
    return re.sub(r"[-_ ]", "", as_seen(name)).lower()


def _members(value: Any) -> dict[str, Any]:
    """An object's members by folded name: `Training-Allow`, `training_allow`, `trainingAllow` are one."""
    found: dict[str, list[Any]] = {}
    for name, member in value.items() if isinstance(value, dict) else ():
        found.setdefault(_folded(name), []).append(member)
    return {name: members[0] if len(members) == 1 else members for name, members in found.items()}


#: Members that hold what is said to agents, and those that are read for what they are.
_AGENTS = frozenset({"agents", "agent"})
_PARTS = ("policies", "policy", "permissions", "content", "compliance", "licensing")
_READ = frozenset({*_AGENTS, *_PARTS, *_KNOWN})


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _parts(value: Any) -> list[dict[str, Any]]:
    """The members of an object, and of the objects inside it that hold its policies, duties and prices."""
    top = _members(value)
    return [top, *(_members(inner) for name in _PARTS for inner in _each(top.get(name)))]


def _agents(value: Any) -> list[tuple[str, Any]]:
    """(name, statement) of every agent: an object by name, or a list of objects that name themselves."""
    if isinstance(value, dict):
        return list(value.items())
    found: list[tuple[str, Any]] = []
    for item in _each(value):
        members = _members(item)
        keys = [key for key in ("name", "agent", "useragent", "names", "agents") if key in members]
        if keys and not isinstance(members[keys[0]], dict):
            found.append((" ".join(_texts(members[keys[0]])), item))
        elif isinstance(item, dict):
            found += item.items()
    return found


def _block(value: Any) -> _Block:
    """What an object states; a statement that is no object is one about training."""
    block = _Block()
    if len(_each(value)) > _MAX_AGENTS:
        raise CarrierError("more statements than the limit")
    for item in _each(value):
        if not isinstance(item, dict):
            _state_training(block, item)
            continue
        for part in _parts(item):
            if part.get("training") is not None:
                _state_training(block, part["training"])
            for paths in _each(part.get("trainingpaths")):
                _globs(block, _members(paths), "allow", "deny")
            _globs(block, part, "trainingallow", "trainingdeny")
            for name, member in part.items():
                if isinstance(member, dict | list) and name not in _READ and _denies_within(member):
                    block.barred = block.barred or f"{name}: {member}"[:200]
                for word in _each(member):
                    if word is not None:
                        said = "" if word is False else str(word)[:200]
                        block.require(name, said, f"{name}: {word}"[:200])
    return block


def _denies_within(value: Any) -> bool:
    """Whether an object that is of no use here, or one inside it, denies training all the same."""
    stack = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            members = [(_folded(name), word) for name, word in node.items()]
            if any(
                "train" in name
                and (word is False or (isinstance(word, str) and word.strip().lower() in _DENYING))
                for name, word in members
            ):
                return True
            stack += [word for name, word in members if name not in _AGENTS]
        elif isinstance(node, list):
            stack += node
    return False


def _state_training(block: _Block, value: Any) -> None:
    for word in _each(value):
        if not isinstance(word, dict):
            block.state(word if isinstance(word, str) else "deny", f"training: {word}"[:200])
            continue
        inner = _members(word)
        stated = [inner[key] for key in ("policy", "default", "value", "status") if key in inner]
        paths = {"allow", "deny"} & inner.keys()
        if len(stated) + len(paths) < len(inner):
            stated = ["deny"]  # a member that nobody here can read
        for one in stated or ["conditional" if paths else "deny"]:
            block.state(one if isinstance(one, str) else "deny", f"training: {one}"[:200])
        _globs(block, inner, "allow", "deny")


def _globs(block: _Block, members: dict[str, Any], allow: str, deny: str) -> None:
    for key, allows in ((allow, True), (deny, False)):
        for glob in _texts(members.get(key)):
            block.globs.append(_Glob(allows, glob, f"{key}: {glob}"[:200]))
    if any(isinstance(item, dict | int | float) for item in _each(members.get(deny))):
        block.barred = f"{deny}: {members[deny]}"[:200]  # paths that nobody here can read


def _texts(value: Any) -> list[str]:
    """The words of a text, or of the texts of a list and of the lists in it (a name that came twice)."""
    flat = [inner for item in _each(value) for inner in _each(item)]
    return [word for item in flat if isinstance(item, str) for word in item.split()]
