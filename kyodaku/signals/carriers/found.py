"""What walking a file's structure turned up."""

from __future__ import annotations

from dataclasses import dataclass, field

from kyodaku.signals.carriers.rights import MAX_VALUE, TextChunk, decoded, is_generator_key
from kyodaku.signals.carriers.tiff import EXIF_HEADER, Tiff

#: What one file may hold of XMP: more is unreadable, not ignored.
MAX_PACKETS = 32
MAX_XMP_BYTES = 32 * 1024 * 1024
MAX_TEXTS = 1000
MAX_TEXT_BYTES = 8 * 1024 * 1024
MAX_EXIF = 32


@dataclass
class Found:
    """Blocks as they stand in the file. `xmp` pairs a source with a packet; `problems` is about the
    structure, `unreadable` about metadata that is there but could not be had."""

    width: int = 0
    height: int = 0
    frames: int = 0
    xmp: list[tuple[str, bytes]] = field(default_factory=list)
    exif: list[bytes] = field(default_factory=list)
    iim: bytearray = field(default_factory=bytearray)
    texts: list[TextChunk] = field(default_factory=list)
    text_bytes: int = 0
    unpacked: int = 0
    tiff: Tiff | None = None
    problems: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)

    def add_xmp(self, source: str, packet: bytes) -> None:
        """Keep a packet, within the limits of one file."""
        total = sum(len(known) for _, known in self.xmp) + len(packet)
        if len(self.xmp) >= MAX_PACKETS or total > MAX_XMP_BYTES:
            self.refuse("more XMP than the limit")
        else:
            self.xmp.append((source, packet))

    def add_exif(self, block: bytes) -> None:
        """Keep an EXIF block without its header. One that does not begin as a TIFF stream goes on where the
        one before it ended: a JPEG segment holds 64 KB only."""
        block = block.removeprefix(EXIF_HEADER)
        if self.exif and not block.startswith((b"II", b"MM")):
            self.exif[-1] += block
        elif len(self.exif) >= MAX_EXIF:
            self.refuse("more EXIF than the limit")
        else:
            self.exif.append(block)

    def add_text(self, source: str, key: str, raw: bytes) -> None:
        """Keep a free text, within the limits of one file."""
        self.text_bytes += len(raw)
        if len(self.texts) >= MAX_TEXTS or self.text_bytes > MAX_TEXT_BYTES:
            self.refuse("more text than the limit")
            return
        value, also = decoded(raw)
        if len(value) > MAX_VALUE and not is_generator_key(key):
            self.refuse(f"{source}: a text longer than the limit")
        cut = tuple(text[:MAX_VALUE] for text in also)
        self.texts.append(TextChunk(source, key[:79], value[:MAX_VALUE], cut))

    def refuse(self, what: str) -> None:
        """Note, once, a metadata block that cannot be read."""
        if what not in self.unreadable and len(self.unreadable) < MAX_PACKETS:
            self.unreadable.append(what)
