"""TDM Reservation Protocol (W3C Community Group final report): a file, response headers, meta tags, XMP.

`1` reserves, `0` leaves free, anything else is an error of the author's: by policy what plainly tries to
reserve reserves. A policy (ODRL) offers a licence that nobody has obtained, so it changes nothing; it is kept
as evidence where it can be had.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urljoin, urlsplit

from kyodaku.errors import CarrierError
from kyodaku.reasons import HoldReason, RefuseReason
from kyodaku.signals.carriers.embedded import EmbeddedMetadata
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.carriers.html import HtmlPage
from kyodaku.signals.carriers.json_text import load_json
from kyodaku.signals.carriers.robots_match import PathPattern, normal_paths
from kyodaku.signals.carriers.robots_odd import as_seen
from kyodaku.signals.model import (
    Binding,
    Declared,
    Effect,
    Fetched,
    Reading,
    Signal,
    Use,
    Where,
    excerpt,
    strongest,
)
from kyodaku.signals.policy_files import answer_signals, fetch_outcome, file_signal
from kyodaku.signals.protocols.base import About, Peers, Protocol

PATH = "/.well-known/tdmrep.json"
_RESERVATION = "tdm-reservation"
_POLICY = "tdm-policy"
_NAMESPACES = frozenset({"http://www.w3.org/ns/tdmrep", "https://www.w3.org/ns/tdmrep"})
_MEMBERS = frozenset({"location", _RESERVATION, _POLICY})
_MAX_ENTRIES = 10_000
_MAX_POLICIES = 8
_MEMORY = 32
_MAX_URL = 16 * 1024
_SPEC = "tdmrep:spec:"
#: The protocol's own precedence, weakest first.
_ORDER = ("file", "header", "meta", "xmp")


@dataclass(frozen=True)
class _Entry:
    """One object of the file: its pattern (None where the location is none), its value under the report's own
    name (`exact`) and under other spellings too, and its policy as written."""

    pattern: PathPattern | None
    exact: Any
    value: Any
    policy: str
    raw: str


class Tdmrep(Protocol):
    """Every technique that can speak about an image."""

    name = "tdmrep"
    title = "TDMRep: tdmrep.json, tdm-reservation headers, meta tags and XMP"
    host_files = (PATH,)
    vector_signals = ("tdmrep",)
    about = About(
        where="/.well-known/tdmrep.json; response headers; meta tags; XMP",
        scope="site, path, page, image",
        status="W3C Community Group final report; no W3C standard",
        spec="`1` reserves, `0` permits; file < header < meta tag; the first entry that matches wins",
        policy=(
            'any reservation counts, of a page for its images too; `"1"`, `true` and an object without its '
            "array reserve; never a grant but by the exact `0`; XMP of images may reserve; a policy (ODRL) "
            "is evidence"
        ),
        peers=Peers(datadiligence="the header `1` only", common_crawl="not known"),
    )

    def __init__(self) -> None:
        self._parsed: OrderedDict[bytes, tuple[_Entry, ...] | CarrierError] = OrderedDict()

    def alike(self, path: str, file: Fetched, reading: Reading) -> bool:
        """No file: the fetch alone tells."""
        return path not in self.host_files or fetch_outcome(file) is not None

    def read_host_file(self, path: str, file: Fetched, url: str, reading: Reading) -> list[Signal]:
        """The first entry whose location matches."""
        if path != PATH:
            return []
        answer = fetch_outcome(file)
        if answer is not None:
            return answer_signals(self.name, file, answer)
        entries = self._entries(file.body)
        if isinstance(entries, CarrierError):
            return _broken(file, str(entries), reading)
        if len(url) > _MAX_URL:
            return [_unreadable(file, "the address is too long to be compared")]
        paths = normal_paths(url)
        return _spec(entries, paths, file) if reading.mode == "spec" else _policy(entries, paths, file)

    def host_documents(
        self, files: Mapping[str, Fetched], origin: str, reading: Reading
    ) -> Sequence[Declared]:
        """Policies of the file: evidence, waited for by nobody."""
        file = files.get(PATH)
        if file is None or fetch_outcome(file) is not None:
            return ()
        entries = self._entries(file.body)
        if isinstance(entries, CarrierError):
            return ()
        named = [entry for entry in entries if entry.policy]
        return tuple(_declared(origin + PATH, named, Where.FILE, Binding.PATH))[:_MAX_POLICIES]

    def page_documents(self, head: ResponseHead, page: HtmlPage, reading: Reading) -> Sequence[Declared]:
        """Policies that a page names in its headers or markup."""
        values = [(value, f"{_POLICY}: {value}", Where.HEADER) for value in head.values(_POLICY)]
        values += [(meta.content, meta.raw, Where.HTML) for meta in page.metas if meta.name == _POLICY]
        return tuple(
            declared
            for value, raw, where in values[:_MAX_POLICIES]
            for declared in _declared(page.url, [_Entry(None, None, None, value, raw)], where, Binding.PAGE)
        )

    def image_documents(self, head: ResponseHead, reading: Reading) -> Sequence[Declared]:
        """Policies that an image's headers name."""
        named = [_Entry(None, None, None, value, f"{_POLICY}: {value}") for value in head.values(_POLICY)]
        return tuple(_declared(head.url, named[:_MAX_POLICIES], Where.HEADER, Binding.IMAGE))

    def read_document(
        self, document: Fetched, declared: Declared, url: str, reading: Reading
    ) -> list[Signal]:
        """A policy as evidence: what it offers was not obtained by anybody."""
        if document.error is not None or document.status != 200:
            return []
        said = "an offer of a licence, not obtained"
        text = document.body[:2000].decode("utf-8", "replace")
        return [file_signal(self.name, document, Effect.SILENT, text, said, "tdmrep:policy")]

    def read_page_head(self, head: ResponseHead, reading: Reading) -> list[Signal]:
        """By policy a reservation of a page is one of the images it shows; its grant is not theirs."""
        return [] if reading.mode == "spec" else _of_head(head, Binding.PAGE, reading)

    def read_image_head(self, head: ResponseHead, reading: Reading) -> list[Signal]:
        """The headers of the image's own response."""
        return _of_head(head, Binding.IMAGE, reading)

    def read_page(self, page: HtmlPage, image_url: str | None, reading: Reading) -> list[Signal]:
        """Meta tags: about that document and, by policy, where they reserve, about its images."""
        itself = image_url is not None and image_url == page.url
        if reading.mode == "spec" and not itself:
            return []
        found = [
            (_effect(meta.content, reading), meta)
            for meta in page.metas
            if _RESERVATION in (meta.name, meta.property.replace(":", "-"))
            or (reading.mode == "policy" and meta.http_equiv == _RESERVATION)
            or (reading.mode == "policy" and _folded(meta.name) == _RESERVATION and "tdm" in meta.name)
        ]
        if len({effect for effect, _ in found}) > 1:
            found = [(effect, meta) for effect, meta in found if effect is Effect.RESERVED]
        return [
            Signal(
                protocol=self.name,
                where=Where.HTML,
                binding=Binding.PAGE,
                use=Use.TRAINING,
                effect=effect,
                raw=excerpt(meta.raw),
                parsed=excerpt(f"{_RESERVATION}: {meta.content}"),
                rule=_rule("meta", reading),
                reason=RefuseReason.TDMREP.value if effect is Effect.RESERVED else "",
                source_url=page.url,
                digest=page.digest,
                complete=page.complete,
                fetched_at=page.fetched_at,
            )
            for effect, meta in found
            if effect is Effect.RESERVED or (effect is Effect.PERMITTED and itself and page.complete)
        ]

    def read_image(self, embedded: EmbeddedMetadata, reading: Reading) -> list[Signal]:
        """XMP of images is outside of the report: by policy a reservation counts, a grant does not."""
        if reading.mode == "spec":
            return []
        return [
            Signal(
                protocol=self.name,
                where=Where.FILE,
                binding=Binding.IMAGE,
                use=Use.TRAINING,
                effect=Effect.RESERVED,
                raw=excerpt(value),
                parsed=excerpt(f"tdm:reservation: {value}"),
                rule=_rule("xmp", reading),
                reason=RefuseReason.TDMREP.value,
                source_url=embedded.url,
                digest=embedded.digest,
                complete=embedded.complete,
                fetched_at=embedded.fetched_at,
            )
            for packet in embedded.xmp
            if packet.properties is not None
            for prop in packet.properties.properties
            if prop.name.lower() in ("reservation", _RESERVATION) and _is_tdm(prop.namespace)
            for value in prop.values
            if _reserves(value)
        ]

    def resolve(self, signals: Sequence[Signal]) -> Effect:
        """By the report file < header < meta < embedded; by policy the restrictive union."""
        if not signals or not all(signal.rule.startswith(_SPEC) for signal in signals):
            return strongest([signal.effect for signal in signals])
        rank = max(_ORDER.index(signal.rule.removeprefix(_SPEC)) for signal in signals)
        highest = [signal for signal in signals if signal.rule == _SPEC + _ORDER[rank]]
        return strongest([signal.effect for signal in highest])

    def _entries(self, body: bytes) -> tuple[_Entry, ...] | CarrierError:
        """The entries of a file or why there are none, remembered: a file is asked about many URLs."""
        known = self._parsed.get(body)
        if known is None:
            try:
                known = _parse(body)
            except CarrierError as error:
                known = error
            self._parsed[body] = known
            while len(self._parsed) > _MEMORY:
                self._parsed.popitem(last=False)
        return known


def _parse(body: bytes) -> tuple[_Entry, ...]:
    """Raises CarrierError for what is no JSON, no array of objects (nor, to be lenient, one object), or too
    long an array."""
    if not body.strip():
        return ()
    value = load_json(body)
    entries = value if isinstance(value, list) else [value]
    if len(entries) > _MAX_ENTRIES:
        raise CarrierError("more entries than the limit")
    found = tuple(_entry(item, isinstance(value, list)) for item in entries if isinstance(item, dict))
    if len(found) < len(entries):
        raise CarrierError("not an array of objects")
    if any(_hides(item) for item in entries):
        raise CarrierError("entries inside other objects")
    return found


def _hides(item: Mapping[str, Any]) -> bool:
    """Whether an object that has no reservation of its own holds objects, in a list or not, that have one."""
    if any(_folded(name) == _RESERVATION for name in item):
        return False
    inner = [value for member in item.values() for value in _values(member) if isinstance(value, dict)]
    return any(_folded(name) == _RESERVATION for value in inner for name in value)


def _entry(item: Mapping[str, Any], in_array: bool) -> _Entry:
    location, policy = item.get("location"), item.get(_POLICY)
    odd = [value for name, value in item.items() if name not in _MEMBERS and _folded(name) == _RESERVATION]
    pattern = PathPattern.of(location.encode("utf-8", "replace")) if isinstance(location, str) else None
    value = item.get(_RESERVATION)
    if odd:
        value = [*_values(value), *odd]  # a name that is not quite the report's grants nothing
    elif not in_array and type(value) is int and value == 0:
        value = "0"  # a grant needs the array
    raw = f'{{"location": {_written(location)}, "tdm-reservation": {_written(value)}}}'
    named = policy if isinstance(policy, str) else ""
    return _Entry(pattern, item.get(_RESERVATION), value, named, excerpt(raw))


def _spec(entries: Sequence[_Entry], paths: Sequence[bytes], file: Fetched) -> list[Signal]:
    for entry in entries:
        if entry.pattern is not None and entry.pattern.matches(paths):
            effects = {0: Effect.PERMITTED, 1: Effect.RESERVED}
            effect = effects.get(entry.exact) if type(entry.exact) is int else None
            return [] if effect is None else [_entry_signal(file, entry, effect, _SPEC + "file")]
    return []


def _policy(entries: Sequence[_Entry], paths: Sequence[bytes], file: Fetched) -> list[Signal]:
    """The first entry that matches. One with a value that is none, or that matches one form of the address
    and not the other, lets the next ones refuse but not grant; one whose location cannot be read matches
    where it reserves."""
    grants = file.complete
    for entry in entries:
        if entry.pattern is not None and not entry.pattern.matches(paths):
            continue
        if any(_reserves(value) for value in _values(entry.value)):
            return [_entry_signal(file, entry, Effect.RESERVED, "tdmrep:file")]
        pattern = entry.pattern if type(entry.value) is int and entry.value == 0 else None
        if pattern is not None and grants and all(pattern.matches((path,)) for path in paths):
            return [_entry_signal(file, entry, Effect.PERMITTED, "tdmrep:file")]
        grants = grants and entry.pattern is None
    return []


def _values(value: Any) -> list[Any]:
    """A value, or both of a name that came twice; each may be a list itself."""
    twice = value if isinstance(value, list) else [value]
    return [one for item in twice for one in (item if isinstance(item, list) else [item])]


def _written(value: Any) -> str:
    """A value as JSON has it."""
    return repr(value) if isinstance(value, (list, dict)) else json.dumps(value, ensure_ascii=False)


def _folded(name: str) -> str:
    word = as_seen(name).strip().lower().replace("_", "-").replace(":", "-").replace(" ", "-")
    return _RESERVATION if word in ("tdmreservation", "reservation") else word


def _reserves(value: Any) -> bool:
    """Whether a value is a one, or plainly meant to be."""
    if isinstance(value, str):
        word = as_seen(value).strip(" \t\"'?+").lower()
        return word in ("1", "true", "yes", "y", "on", "1.0", "reserved") or (
            word.startswith("1") and not word[1:2].isdigit()
        )
    return value is True or (isinstance(value, int | float) and value == 1)


def _effect(value: str, reading: Reading) -> Effect:
    """What a header or meta value says: exactly `0` or `1`, or by policy what was meant to be a one."""
    word = value.strip(" \t\r\n")
    if word == "1" or (reading.mode == "policy" and _reserves(word)):
        return Effect.RESERVED
    return Effect.PERMITTED if word == "0" else Effect.SILENT


def _of_head(head: ResponseHead, binding: Binding, reading: Reading) -> list[Signal]:
    values = [part for value in head.values(_RESERVATION) for part in value.split(",")]
    effects = [_effect(value, reading) for value in values]
    if Effect.RESERVED in effects:
        effect, raw = Effect.RESERVED, values[effects.index(Effect.RESERVED)]
    elif binding is Binding.IMAGE and effects and set(effects) == {Effect.PERMITTED}:
        effect, raw = Effect.PERMITTED, values[0]
    else:
        return []
    return [
        Signal(
            protocol=Tdmrep.name,
            where=Where.HEADER,
            binding=binding,
            use=Use.TRAINING,
            effect=effect,
            raw=excerpt(f"{_RESERVATION}: {raw.strip()}"),
            parsed=excerpt(f"{_RESERVATION}: {raw.strip()}"),
            rule=_rule("header", reading),
            reason=RefuseReason.TDMREP.value if effect is Effect.RESERVED else "",
            source_url=head.url,
            digest=head.digest(),
            complete=True,
            fetched_at=head.fetched_at,
        )
    ]


def _rule(channel: str, reading: Reading) -> str:
    return (_SPEC if reading.mode == "spec" else "tdmrep:") + channel


def _is_tdm(namespace: str) -> bool:
    return namespace.rstrip("/#") in _NAMESPACES


def _declared(source: str, entries: Sequence[_Entry], where: Where, binding: Binding) -> Iterator[Declared]:
    for entry in entries:
        try:
            url = urljoin(source, entry.policy.strip()).partition("#")[0]
            usable = urlsplit(url).scheme in ("http", "https") and bool(urlsplit(url).hostname)
        except ValueError:
            continue
        if usable and len(url) <= _MAX_URL:
            yield Declared(Tdmrep.name, url, where, binding, excerpt(entry.raw), source, needed=False)


def _broken(file: Fetched, said: str, reading: Reading) -> list[Signal]:
    """A file that cannot be read and speaks of a reservation leaves it open; any other is no such file."""
    if reading.mode == "spec" and b"tdm-reservation" not in file.body:
        return []
    return [_unreadable(file, said)]


def _unreadable(file: Fetched, said: str) -> Signal:
    reason = HoldReason.POLICY_FILE_UNREADABLE.value
    raw = file.body[:200].decode("utf-8", "replace")
    return file_signal(Tdmrep.name, file, Effect.ERROR, raw, said, "tdmrep:unreadable", reason, Binding.HOST)


def _entry_signal(file: Fetched, entry: _Entry, effect: Effect, rule: str) -> Signal:
    reason = RefuseReason.TDMREP.value if effect is Effect.RESERVED else ""
    said = f"tdm-reservation: {entry.value!r}"
    more = f", policy {sha256(entry.policy.encode()).hexdigest()[:8]}: {entry.policy}" if entry.policy else ""
    return file_signal(Tdmrep.name, file, effect, entry.raw, said + more, rule, reason)


PROTOCOL = Tdmrep()
