"""What walking a file's structure turned up."""

from __future__ import annotations

from dataclasses import dataclass, field

from kyodaku.signals.carriers.tiff import Tiff

#: What one file may hold of XMP: more is unreadable, not ignored.
MAX_PACKETS = 32
MAX_XMP_BYTES = 32 * 1024 * 1024


@dataclass
class Found:
    """Blocks as they stand in the file. `xmp` pairs a source with a packet; `problems` is about the
    structure, `unreadable` about metadata that is there but could not be had."""

    width: int = 0
    height: int = 0
    frames: int = 0
    xmp: list[tuple[str, bytes]] = field(default_factory=list)
    exif: bytes = b""
    iim: bytes = b""
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

    def refuse(self, what: str) -> None:
        """Note, once, a metadata block that cannot be read."""
        if what not in self.unreadable and len(self.unreadable) < MAX_PACKETS:
            self.unreadable.append(what)
