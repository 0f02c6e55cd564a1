"""PLUS / IPTC "Data Mining" (PLUS LDF 2.0.1, IPTC Photo Metadata 2023.1): one XMP property of the file."""

from __future__ import annotations

import re

from kyodaku.reasons import HoldReason, RefuseReason
from kyodaku.signals.carriers.embedded import EmbeddedMetadata, XmpPacket
from kyodaku.signals.keywords import fold
from kyodaku.signals.model import Binding, Effect, Reading, Signal, Use, Where, excerpt
from kyodaku.signals.protocols.base import About, Peers, Protocol

NAMESPACE = "http://ns.useplus.org/ldf/xmp/1.0/"
PROPERTY = "DataMining"
_VOCABULARY = re.compile(r"https?://ns\.useplus\.org/ldf/vocab/(DMI-[A-Z-]+)")
_ALLOWED = "DMI-ALLOWED"
_PROHIBITED = frozenset(
    {
        "DMI-PROHIBITED",
        "DMI-PROHIBITED-AIMLTRAINING",
        "DMI-PROHIBITED-GENAIMLTRAINING",
        "DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING",
        "DMI-PROHIBITED-SEECONSTRAINT",
        "DMI-PROHIBITED-SEEEMBEDDEDRIGHTSEXPR",
        "DMI-PROHIBITED-SEELINKEDRIGHTSEXPR",
    }
)
#: What plainly tries to refuse, in no known spelling; and the label that exiftool shows for no statement.
_SAYS_NO = re.compile(
    r"prohib|disallow|forbid|denied|deny|not[- ](?:allow|permit)|refus|reserved|opt[- ]?out|noai|no ai"
    r"|\A(?:no|none|never|false|n|0)\Z"
)
_NAMESPACE_LIKE = re.compile(r"https?://ns\.useplus\.org/ldf/xmp(?:/[0-9.]*)?/?")
_UNSPECIFIED_LABEL = "unspecified - no prohibition defined"
_CONSTRAINTS = "OtherConstraints"


class PlusDataMining(Protocol):
    """plus:DataMining in any container."""

    name = "plus-datamining"
    title = "PLUS / IPTC Data Mining property in the image's XMP"
    vector_signals = ("plus-datamining",)
    about = About(
        where="XMP of the file (JPEG, PNG, WebP, TIFF, AVIF, GIF)",
        scope="image",
        status="PLUS LDF 2.0.1, IPTC Photo Metadata 2023.1",
        spec="`DMI-PROHIBITED…` reserves, exactly `DMI-ALLOWED` permits",
        policy="anything that prohibits reserves, labels and raw bytes too; unreadable metadata holds",
        peers=Peers(common_crawl="not known"),
    )
    image_bound = True

    def read_image(self, embedded: EmbeddedMetadata, reading: Reading) -> list[Signal]:
        """Every refusal; else what could not be read; else a grant, when all values are one."""
        policy = reading.mode == "policy"
        refusals = [
            _signal(
                embedded,
                Effect.RESERVED,
                value,
                packet.source,
                RefuseReason.PLUS_DATA_MINING,
                _constraints(embedded, value),
            )
            for packet in embedded.xmp
            for value in _values(packet, everywhere=policy)
            if _refuses(value, policy)
        ]
        if refusals:
            return list(dict.fromkeys(refusals))
        if embedded.raw_hit:
            word = "a PLUS data-mining word in bytes that no XMP packet accounts for"
            return [_signal(embedded, Effect.RESERVED, word, "raw", RefuseReason.PLUS_DATA_MINING)]
        if embedded.unreadable:
            text = "; ".join(embedded.unreadable)
            return [_signal(embedded, Effect.ERROR, text, "unreadable", HoldReason.METADATA_UNREADABLE)]
        return _grant(embedded)


def _values(packet: XmpPacket, everywhere: bool) -> tuple[str, ...]:
    if packet.properties is None:
        return ()
    if not everywhere:
        return packet.properties.values(NAMESPACE, PROPERTY)
    return tuple(
        value
        for prop in packet.properties.properties
        if prop.name.lower() == PROPERTY.lower() and _is_plus(prop.namespace)
        for value in prop.values
    )


def _is_plus(namespace: str) -> bool:
    """True for the namespace as it is also written: with https, without its last slash, another version."""
    return _NAMESPACE_LIKE.fullmatch(namespace.lower()) is not None


def _refuses(value: str, policy: bool) -> bool:
    if policy:
        said = fold(value)
        if _SAYS_NO.search(said) and said != _UNSPECIFIED_LABEL:
            return True
    match = _VOCABULARY.fullmatch(value)
    return match is not None and match.group(1) in _PROHIBITED


def _elsewhere(packet: XmpPacket, url: str) -> bool:
    """Whether a value stands in a description of something else."""
    properties = packet.properties.properties if packet.properties is not None else ()
    return any(p.name.lower() == PROPERTY.lower() and p.elsewhere(url) for p in properties)


def _constraints(embedded: EmbeddedMetadata, value: str) -> str:
    """The words that a value ending in SEECONSTRAINT points at, in every language that they stand in."""
    if "constraint" not in value.lower():
        return ""
    texts = [
        text
        for packet in embedded.xmp
        if packet.properties is not None
        for prop in packet.properties.properties
        if prop.name == _CONSTRAINTS and _is_plus(prop.namespace)
        for text in prop.values
    ]
    return " | ".join(dict.fromkeys(texts))


def _grant(embedded: EmbeddedMetadata) -> list[Signal]:
    """A grant needs a whole file and the exact value, alone, in a packet that stands where packets do."""
    values = [(packet, value) for packet in embedded.xmp for value in _values(packet, everywhere=True)]
    if not values or not embedded.complete or any(packet.source == "scan" for packet, _ in values):
        return []
    if any((m := _VOCABULARY.fullmatch(value)) is None or m.group(1) != _ALLOWED for _, value in values):
        return []
    top = [packet for packet in embedded.xmp if _values(packet, everywhere=False)]
    if not top or any(_elsewhere(packet, embedded.url) for packet in embedded.xmp):
        return []
    return [_signal(embedded, Effect.PERMITTED, values[0][1], top[0].source, "")]


def _signal(
    embedded: EmbeddedMetadata,
    effect: Effect,
    raw: str,
    source: str,
    reason: RefuseReason | HoldReason | str,
    more: str = "",
) -> Signal:
    read = raw.rpartition("/")[2] if effect is not Effect.ERROR else "unreadable metadata"
    return Signal(
        protocol=PlusDataMining.name,
        where=Where.FILE,
        binding=Binding.IMAGE,
        use=Use.TRAINING,
        effect=effect,
        raw=excerpt(raw),
        parsed=excerpt(f"{read}: {more}" if more else read),
        rule=f"plus-datamining:{source}",
        reason=str(reason),
        source_url=embedded.url,
        digest=embedded.digest,
        complete=embedded.complete,
        fetched_at=embedded.fetched_at,
    )


PROTOCOL = PlusDataMining()
