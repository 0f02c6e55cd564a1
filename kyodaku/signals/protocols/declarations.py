"""Declarations that are recorded and, so far, say nothing about training: Originator Profile (OP CIP, Japan),
JPEG Trust (ISO/IEC 21617-1) and ISCC with TDM-AI (ISO 24138, docs.tdmai.org).

No published text gives any of them a field for training that could be read without a request of its own.
Each is noted as a silent fact where markup or the file's own bytes show it: a record says it was seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kyodaku.signals.carriers.embedded import EmbeddedMetadata
from kyodaku.signals.carriers.html import HtmlPage
from kyodaku.signals.model import Binding, Effect, Reading, Signal, Use, Where, excerpt
from kyodaku.signals.protocols.base import About, Peers, Protocol

_ISCC = re.compile(r"\bISCC:[A-Z2-7]{10,80}\b")
_ORIGINATOR = ("originator-profile", "application/ops+json", "/.well-known/op-", "/.well-known/sp.json")
_TRUST_LABELS = re.compile(r"\bjpt\.[a-z0-9._-]{1,80}|\borg\.jpeg\.trust[a-z0-9._-]{0,80}", re.IGNORECASE)
_MAX_LABELS = 8


class Declarations(Protocol):
    """Seen, kept as facts, without a say."""

    name = "declarations"
    title = "Originator Profile, JPEG Trust, ISCC / TDM-AI: recorded and silent (no training vocabulary)"
    about = About(
        where="Originator Profile, JPEG Trust, ISCC / TDM·AI",
        scope="page, image",
        status="published without an agreed word for training",
        spec="recorded where it is seen, silent",
        policy="the same",
        peers=Peers(common_crawl="not known"),
    )

    def read_page(self, page: HtmlPage, image_url: str | None, reading: Reading) -> list[Signal]:
        """Links to an originator profile, and ISCC codes in `<meta>`."""
        if image_url is not None:
            return []
        return [_of_page(page, kind, raw) for kind, raw in dict(_on_page(page)).items()]

    def read_image(self, embedded: EmbeddedMetadata, reading: Reading) -> list[Signal]:
        """Labels of JPEG Trust in the manifest store, and ISCC codes in XMP and free texts."""
        return [_of_image(embedded, kind, raw) for kind, raw in dict(_in_image(embedded)).items()]


def _on_page(page: HtmlPage) -> Iterator[tuple[str, str]]:
    for link in page.links:
        words = " ".join((*link.rel, link.type, link.href)).lower()
        if link.tag == "link" and any(word in words for word in _ORIGINATOR):
            yield "originator-profile", link.raw
    for meta in page.metas:
        if "iscc" in (meta.name or meta.property) or _ISCC.search(meta.content[:2000]):
            yield "iscc", meta.raw


def _in_image(embedded: EmbeddedMetadata) -> Iterator[tuple[str, str]]:
    for packet in embedded.xmp:
        found = _ISCC.search(packet.raw[: 1024 * 1024].decode("utf-8", "replace"))
        if found is not None:
            yield "iscc", found[0]
    for chunk in embedded.texts:
        if chunk.key.lower() == "iscc" or _ISCC.search(chunk.value[: 64 * 1024]):
            yield "iscc", chunk.value
    labels = _TRUST_LABELS.findall(repr(embedded.c2pa)[: 1024 * 1024]) if embedded.c2pa is not None else []
    if labels:
        yield "jpeg-trust", " ".join(dict.fromkeys(labels[:_MAX_LABELS]))


def _of_page(page: HtmlPage, kind: str, raw: str) -> Signal:
    where = (Where.HTML, Binding.PAGE, page.url, page.digest, page.complete, page.fetched_at)
    return _signal(kind, raw, *where)


def _of_image(embedded: EmbeddedMetadata, kind: str, raw: str) -> Signal:
    where = (
        Where.FILE, Binding.IMAGE, embedded.url, embedded.digest, embedded.complete, embedded.fetched_at,
    )  # fmt: skip
    return _signal(kind, raw, *where)


def _signal(
    kind: str,
    raw: str,
    where: Where,
    binding: Binding,
    url: str,
    digest: str,
    complete: bool,
    fetched_at: float,
) -> Signal:
    return Signal(
        protocol=Declarations.name,
        where=where,
        binding=binding,
        use=Use.TRAINING,
        effect=Effect.SILENT,
        raw=excerpt(raw),
        parsed=kind,
        rule=f"declarations:{kind}",
        reason="",
        source_url=url,
        digest=digest,
        complete=complete,
        fetched_at=fetched_at,
    )


PROTOCOL = Declarations()
