"""Marks of pictures made by generative models, as facts for curation. They refuse nothing and permit nothing.

IPTC Photo Metadata 2023.1 (Digital Source Type, also in C2PA actions), IPTC 2025.1 (AI System Used and its
like), the EXIF and PNG texts that generators leave behind, and credit lines of generator services.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kyodaku.signals.carriers.embedded import EmbeddedMetadata
from kyodaku.signals.carriers.rights import TextChunk, is_generator_key
from kyodaku.signals.model import Binding, Effect, Reading, Signal, Use, Where, excerpt
from kyodaku.signals.protocols.base import About, Peers, Protocol

_EXTENSION = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
#: Last terms of the IPTC vocabulary of digital source types that mean: a model made this, or a part of it.
#: `algorithmicMedia` is meant for formulas without training data; generators write it too.
_SOURCE_TYPES = {
    "trainedalgorithmicmedia": "ai",
    "algorithmicmedia": "ai",
    "compositewithtrainedalgorithmicmedia": "ai-composite",
    "compositesynthetic": "ai-composite",
}
#: IPTC 2025.1, and the names that exiftool writes them under.
_IPTC_2025 = frozenset(
    {
        "AISystemUsed",
        "AISystemVersionUsed",
        "AIPromptInformation",
        "AIPromptWriterName",
    }
)
#: Names of programs and services that only ever generate. Editors that also can are no evidence.
_PROGRAMS = re.compile(
    r"(?<![a-z0-9])(?:novelai|stable[ -]?diffusion|comfyui|automatic1111|invoke ?ai|midjourney"
    r"|dall[- \u00b7]?e|fooocus|swarmui|easy ?diffusion|draw ?things|diffusionbee|dreamstudio|flux\.?1"
    r"|adobe firefly|bing image creator|leonardo\.ai|ideogram|nightcafe|craiyon|nano banana|grok imagine"
    r"|made with google ai|edited with google ai|made with ai|ai[- ]generated|generated (?:by|with|using) ai"
    r"|openai|gpt-image|chatgpt|google gemini|meta ai|imagined with ai|pixai|niji ?[\u00b7\u30fb]? ?journey"
    r")(?![a-z0-9])",
    re.IGNORECASE,
)
_CREDITS = frozenset(
    {"photoshop:Credit", "photoshop:Source", "Credit", "Source", "By-line", "dc:creator", "Artist"}
)
_SOFTWARE_KEYS = frozenset({"software", "source", "generator", "creator tool"})
#: What the settings of a generator look like inside a comment: A1111's line, NovelAI's JSON.
_SETTINGS = re.compile(r"(?<![a-z])Steps: \d{1,4}, (?:Sampler|Schedule type): ")
_JSON_SETTINGS = frozenset({"prompt", "steps", "sampler", "seed", "scale"})
_MAX_TEXT = 64 * 1024
_MAX_SIGNALS = 16


@dataclass(frozen=True)
class Mark:
    """`kind` is `ai`, `ai-composite` or `generator`; `detail` which mark, `raw` its text."""

    rule: str
    kind: str
    detail: str
    raw: str


class AiMade(Protocol):
    """Marks of generated pictures."""

    name = "ai-made"
    title = "Marks of AI-made pictures in metadata: facts for curation, never a yes or a no"
    vector_signals = ("ai-made",)
    about = About(
        where="digitalSourceType in XMP and C2PA, text chunks of generators",
        scope="image",
        status="IPTC, C2PA, programs",
        spec="a fact for curation; neither yes nor no",
        policy="the same",
        peers=Peers(common_crawl="not known"),
    )

    def read_image(self, embedded: EmbeddedMetadata, reading: Reading) -> list[Signal]:
        """One silent signal for each mark."""
        return [_signal(embedded, mark) for mark in read_marks(embedded)]


def read_marks(embedded: EmbeddedMetadata) -> list[Mark]:
    """What in a file's metadata says that a model made the picture, or a part of it."""
    marks = dict.fromkeys([*_of_xmp(embedded), *_of_c2pa(embedded), *_of_texts(embedded)])
    return list(marks)[:_MAX_SIGNALS]


def source_type(value: str) -> str:
    """`ai` or `ai-composite` for a digital source type that says so, else ""."""
    return _SOURCE_TYPES.get(re.split(r"[/#:]", value.strip().rstrip("/").lower())[-1], "")


def _of_xmp(embedded: EmbeddedMetadata) -> Iterator[Mark]:
    for packet in embedded.xmp:
        for prop in packet.properties.properties if packet.properties is not None else ():
            if prop.namespace.rstrip("/") == _EXTENSION.rstrip("/") and prop.name == "DigitalSourceType":
                for value in prop.values:
                    if source_type(value):
                        yield Mark("digital-source-type", source_type(value), _last(value), value)
            elif prop.name in _IPTC_2025 and any(prop.values):
                yield Mark("iptc-2025", "ai", prop.name, prop.values[0])
            elif prop.name in ("CreatorTool", "Software") and any(map(_PROGRAMS.search, prop.values)):
                yield Mark("software", "generator", prop.name, prop.values[0])


def _of_c2pa(embedded: EmbeddedMetadata) -> Iterator[Mark]:
    """Actions of the manifest that speaks about the file as it is, and of those it was made from."""
    for manifest in embedded.c2pa.manifests if embedded.c2pa is not None else ():
        for assertion in manifest.assertions:
            if not assertion.label.startswith("c2pa.actions") or not isinstance(assertion.data, Mapping):
                continue
            actions = assertion.data.get("actions")
            for action in actions[:100] if isinstance(actions, list) else ():
                value = action.get("digitalSourceType") if isinstance(action, Mapping) else None
                if isinstance(value, str) and source_type(value):
                    kind = source_type(value) if manifest.active else "ai-composite"
                    yield Mark("c2pa-action", kind, _last(value), value)


def _of_texts(embedded: EmbeddedMetadata) -> Iterator[Mark]:
    for name in embedded.software:
        if _PROGRAMS.search(name):
            yield Mark("software", "generator", "Software", name)
    for text in embedded.texts:
        yield from _of_text(text)
    for field in embedded.rights:
        value = field.value[:_MAX_TEXT]
        if field.name in _CREDITS and (hit := _PROGRAMS.search(value)):
            yield Mark("credit", "generator", hit.group().lower(), value)
        elif field.name in ("UserComment", "ImageDescription", "XPComment") and _is_settings(field.readings):
            yield Mark("settings", "generator", field.name, value)


def _of_text(text: TextChunk) -> Iterator[Mark]:
    key = text.key.strip().lower()
    if is_generator_key(key):
        yield Mark("text", "generator", text.key, text.value)
    elif key in _SOFTWARE_KEYS and _PROGRAMS.search(text.value[:_MAX_TEXT]):
        yield Mark("software", "generator", text.key, text.value)
    elif _is_settings((text.value,)):
        yield Mark("settings", "generator", text.key, text.value)


def _is_settings(readings: tuple[str, ...]) -> bool:
    return any(_SETTINGS.search(text[:_MAX_TEXT]) or _is_json_settings(text) for text in readings)


def _is_json_settings(text: str) -> bool:
    """NovelAI's `Comment` and the like: an object with the settings of a sampler."""
    if len(text) > _MAX_TEXT or not text.lstrip().startswith("{"):
        return False
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and len(_JSON_SETTINGS.intersection(value)) >= 3


def _last(value: str) -> str:
    return re.split(r"[/#:]", value.strip().rstrip("/"))[-1]


def _signal(embedded: EmbeddedMetadata, mark: Mark) -> Signal:
    return Signal(
        protocol=AiMade.name,
        where=Where.FILE,
        binding=Binding.IMAGE,
        use=Use.TRAINING,
        effect=Effect.SILENT,
        raw=excerpt(mark.raw),
        parsed=excerpt(f"{mark.kind}: {mark.detail}"),
        rule=f"ai-made:{mark.rule}",
        reason="",
        source_url=embedded.url,
        digest=embedded.digest,
        complete=embedded.complete,
        fetched_at=embedded.fetched_at,
    )


PROTOCOL = AiMade()
