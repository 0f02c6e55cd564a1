"""Content Credentials: the training-and-data-mining assertion of C2PA and CAWG.

CAWG Training and Data Mining Assertion 1.1 (DIF, 2025-05-16); C2PA specification 1.x, "Training and data
mining", for the label it had before. The active manifest speaks about the file, other manifests about what
went into it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kyodaku.reasons import HoldReason, RefuseReason
from kyodaku.signals.carriers.c2pa import Manifest, ManifestStore
from kyodaku.signals.carriers.embedded import C2PA_UNREADABLE, EmbeddedMetadata
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.model import Binding, Effect, Reading, Signal, Use, Where, excerpt
from kyodaku.signals.protocols.base import About, Peers, Protocol

#: Assertion labels, as they are now and as early writers spell them.
LABELS = frozenset({"cawg.training-mining", "c2pa.training-mining", "cawg.training-and-data-mining"})
#: A label that is none of these and means the same: it may refuse, by policy, and grants nothing.
_LABEL_LIKE = re.compile(r"training[-_. ]?(?:and[-_. ]?)?(?:data[-_. ]?)?mining\Z|data[-_. ]?mining\Z")
_GENERATIVE = "ai_generative_training"
_INFERENCE = "ai_inference"
#: What an entry may speak about, without its prefix.
_KEYS = frozenset({_GENERATIVE, "ai_training", "data_mining", _INFERENCE})
_PREFIXES = ("cawg.", "c2pa.")
_ALLOWED = "allowed"
_REFUSALS = frozenset({"notAllowed", "constrained"})
#: Words no grant is made of. Compared with letters and digits only, in lower case.
_REFUSE_LIKE = re.compile(
    r"not|disallow|unallow|prohibit|den(y|ied)|forbid|refus|reject|restrict|constrain|condition|reserv"
    r"|never|block|optout|denial|no(ai|use|mining|training|inference)|\A(no|none|false|n|0)\Z"
)
_NOT_ALNUM = re.compile(r"[\W_]+")
_CONDITIONS = ("constraint_info", "constraints_info")
_DCTERMS = "http://purl.org/dc/terms/"
_LINK = re.compile(
    r"""<([^<>]{1,2000})>[^<]{0,200}?;\s*rel\s*=\s*"?[^"<]{0,100}\bc2pa-manifest\b""", re.IGNORECASE
)
#: Who stands behind a manifest (CAWG Identity Assertion). Checking that takes the network, so it is not
#: checked, and beside it no grant counts.
_IDENTITY = "cawg.identity"
#: Entries of one assertion that are looked at; one with more is unreadable.
_MAX_ENTRIES = 1000
#: Signals of one file: a refusal is a refusal the first time.
_MAX_SIGNALS = 50


@dataclass(frozen=True)
class _Entry:
    """One entry. `key` is one of _KEYS; `named` says that it is spelt as specified, prefix and all, `formed`
    that the entry is an object inside `entries`. `use` is its word, "" where only conditions are there, None
    where nothing can be read."""

    key: str
    named: bool
    formed: bool
    use: str | None
    conditions: bool
    raw: str


class C2pa(Protocol):
    """Training-and-data-mining assertions in a file's manifest store."""

    name = "c2pa"
    title = "C2PA / CAWG training-and-data-mining assertion in the image's Content Credentials"
    vector_signals = ("c2pa",)
    about = About(
        where="manifest store in the file; remote manifests are not fetched",
        scope="image",
        status="C2PA 1.x and 2.x; CAWG training-and-data-mining 1.1",
        spec=(
            "`ai_generative_training`: `notAllowed` and `constrained` reserve, `allowed` permits while the "
            "signature holds; `ai_inference` reserves"
        ),
        policy=(
            "`ai_training` and `data_mining` reserve too; ingredients may refuse; a broken signature keeps "
            "the no and loses the yes"
        ),
        peers=Peers(
            datadiligence="the legacy label only; any error counts as allowed", common_crawl="not known"
        ),
    )
    image_bound = True

    def read_image_head(self, head: ResponseHead, reading: Reading) -> list[Signal]:
        """A fact: the header names a manifest that stands elsewhere. It is not fetched."""
        links = [match for value in head.values("link") for match in _LINK.findall(value[:8192])]
        return [
            Signal(
                protocol=self.name,
                where=Where.HEADER,
                binding=Binding.IMAGE,
                use=Use.TRAINING,
                effect=Effect.SILENT,
                raw=excerpt(link),
                parsed="a remote manifest, not fetched",
                rule="c2pa:remote",
                reason="",
                source_url=head.url,
                digest="",
                complete=True,
                fetched_at=head.fetched_at,
            )
            for link in links[:1]
        ]

    def read_image(self, embedded: EmbeddedMetadata, reading: Reading) -> list[Signal]:
        """Refusals of training and of inference, what could not be read, a grant where nothing refuses, and
        the facts about the store."""
        unread = [text for text in embedded.unreadable if text.startswith(C2PA_UNREADABLE)]
        if unread:
            text = "; ".join(unread)
            return [_signal(embedded, Effect.ERROR, text, "unreadable metadata", "unreadable")]
        if embedded.c2pa is None:
            return _remote(embedded)
        store = embedded.c2pa
        found = [
            signal
            for manifest in store.manifests
            if manifest.active or reading.mode == "policy"
            for signal in _objections(embedded, manifest, reading.mode == "policy")
        ]
        found = list(dict.fromkeys(found))
        if not found:
            found = _grant(embedded, store)
        order = {Effect.RESERVED: 0, Effect.ERROR: 1}
        found.sort(key=lambda signal: order.get(signal.effect, 2))
        return [*_capped(found), _facts(embedded, store)]


def _capped(signals: list[Signal]) -> list[Signal]:
    """At most _MAX_SIGNALS, strongest first, and every use among them."""
    kept = signals[:_MAX_SIGNALS]
    uses = {signal.use for signal in kept}
    return [*kept, *(next(s for s in signals if s.use is use) for use in {s.use for s in signals} - uses)]


def _objections(embedded: EmbeddedMetadata, manifest: Manifest, policy: bool) -> Iterator[Signal]:
    """Everything in a manifest that is not a plain yes."""
    who = "active" if manifest.active else "ingredient"
    for label, entry in _entries(manifest, policy):
        rule = f"{who}:{label}"
        if entry.use is None:
            yield _signal(embedded, Effect.ERROR, entry.raw, "an entry that cannot be read", rule)
        elif _refuses(entry, policy):
            inference = entry.key == _INFERENCE
            use = Use.INFERENCE if inference else Use.TRAINING
            parsed = f"{entry.key}: {entry.use or 'constrained'} ({who})"
            yield _signal(embedded, Effect.RESERVED, entry.raw, parsed, rule, use)


def _entries(manifest: Manifest, wide: bool) -> Iterator[tuple[str, _Entry]]:
    """The entries of every training-and-data-mining assertion, with the assertion's label; `wide` takes those
    that only look like one too."""
    for assertion in manifest.assertions:
        name = assertion.name.strip().lower()
        if name not in LABELS and not (wide and _LABEL_LIKE.search(name)):
            continue
        data = assertion.data
        groups = _groups(data)
        if not groups or any(len(group) > _MAX_ENTRIES for group, _ in groups):
            yield assertion.label, _Entry("", False, False, None, False, _text(data))
            continue
        for group, wrapped in groups:
            for key, value in group.items():
                entry = _entry(str(key), value, wrapped=wrapped)
                if entry is not None:
                    yield assertion.label, entry if name in LABELS else replace(entry, named=False)


def _groups(data: Any) -> list[tuple[Mapping[str, Any], bool]]:
    """Where an assertion's data has entries, and whether these stand in `entries` as specified: early writers
    left that out, and what stands beside it counts too. Empty for data that cannot be read."""
    if not isinstance(data, Mapping):
        return []
    wrapping = {key: value for key, value in data.items() if str(key).strip().lower() == "entries"}
    if not all(isinstance(value, Mapping) for value in wrapping.values()):
        return []
    beside = {key: value for key, value in data.items() if key not in wrapping}
    return [*((value, key == "entries") for key, value in wrapping.items()), (beside, False)]


def _entry(key: str, value: Any, *, wrapped: bool) -> _Entry | None:
    """An entry about a use that we know, whatever its prefix; None for one about something else."""
    name = _bare(key)
    if name not in _KEYS:
        return None
    named = key in [prefix + name for prefix in _PREFIXES]
    raw = f"{key}: {_text(value)}"
    if not isinstance(value, Mapping):  # a shorthand: a word, or true and false
        return _Entry(name, named, False, _word(value), False, raw)
    conditions = any(value.get(word) not in (None, "", [], {}) for word in _CONDITIONS)
    use = _word(value["use"]) if "use" in value else ("" if conditions else None)
    return _Entry(name, named, wrapped, use, conditions, raw)


def _bare(key: str) -> str:
    """`cawg.ai_training`, `c2pa.AI-Training`, `ai_training` -> `ai_training`."""
    return key.strip().rpartition(".")[2].lower().replace("-", "_")


def _word(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else None


def _refuses(entry: _Entry, policy: bool) -> bool:
    """Whether an entry says no. By the specification, to generators and to inference, in its own words; by
    policy, to anything, in any words."""
    word = entry.use or ""
    if not policy:
        return entry.named and entry.key in (_GENERATIVE, _INFERENCE) and word in _REFUSALS
    if entry.conditions and word != _ALLOWED:
        return True
    return word in _REFUSALS or bool(_REFUSE_LIKE.search(_NOT_ALNUM.sub("", word).lower()))


def _grant(embedded: EmbeddedMetadata, store: ManifestStore) -> list[Signal]:
    """A yes to generative training: in the active manifest, exactly as specified, with a signature that
    holds, in a file read whole, where no manifest says anything but yes."""
    active = store.active
    if active is None or not store.holds or not embedded.complete:
        return []
    if any(assertion.name == _IDENTITY for assertion in active.assertions):
        return []
    if any(_doubtful(entry) for manifest in store.manifests for _, entry in _entries(manifest, True)):
        return []
    if any(_refuses_more(manifest) for manifest in store.manifests):
        return []
    given = [(label, entry) for label, entry in _entries(active, False) if entry.key == _GENERATIVE]
    if not given or not all(entry.named and entry.formed for _, entry in given):
        return []
    label, entry = given[0]
    return [_signal(embedded, Effect.PERMITTED, entry.raw, f"{entry.key}: allowed", f"active:{label}")]


def _doubtful(entry: _Entry) -> bool:
    """Anything but a plain yes takes a grant away, in every reading."""
    return entry.use != _ALLOWED or entry.conditions


def _refuses_more(manifest: Manifest) -> bool:
    """Whether an entry about a use that we do not know is anything but a yes: nobody can tell what it takes
    away."""
    return any(
        isinstance(value, Mapping) and "use" in value and value["use"] != _ALLOWED
        for assertion in manifest.assertions
        if assertion.name.strip().lower() in LABELS
        for group, _ in _groups(assertion.data)
        for value in group.values()
    )


def _remote(embedded: EmbeddedMetadata) -> list[Signal]:
    """A fact: the XMP names a manifest that stands elsewhere. It is not fetched."""
    urls = [
        value
        for packet in embedded.xmp
        if packet.properties is not None
        for value in packet.properties.values(_DCTERMS, "provenance")
        if value.strip().lower().startswith(("http://", "https://"))
    ]
    parsed = "a remote manifest, not fetched"
    return [_signal(embedded, Effect.SILENT, url, parsed, "remote") for url in urls[:1]]


def _facts(embedded: EmbeddedMetadata, store: ManifestStore) -> Signal:
    active = store.active
    facts = {
        "validation state": store.state or "unknown",
        "signer": active.signer if active else "",
        "claim generator": active.generator if active else "",
        "manifests": str(len(store.manifests)),
    }
    parsed = "; ".join(f"{name}: {value}" for name, value in facts.items() if value)
    return _signal(embedded, Effect.SILENT, active.label if active else "", parsed, "store")


def _text(value: Any) -> str:
    """The start of a value as JSON. It came out of a JSON parser, so that it goes back in."""
    return json.dumps(value, ensure_ascii=False, default=str)[:2000]


def _signal(
    embedded: EmbeddedMetadata, effect: Effect, raw: str, parsed: str, rule: str, use: Use = Use.TRAINING
) -> Signal:
    reasons = {
        Effect.RESERVED: RefuseReason.C2PA.value,
        Effect.ERROR: HoldReason.METADATA_UNREADABLE.value,
    }
    return Signal(
        protocol=C2pa.name,
        where=Where.FILE,
        binding=Binding.IMAGE,
        use=use,
        effect=effect,
        raw=excerpt(raw),
        parsed=excerpt(parsed),
        rule=excerpt(f"c2pa:{rule}"),
        reason=reasons.get(effect, ""),
        source_url=embedded.url,
        digest=embedded.digest,
        complete=embedded.complete,
        fetched_at=embedded.fetched_at,
    )


PROTOCOL = C2pa()
