"""Reading Content Credentials (C2PA) of strangers' files: c2pa-python, in limited children.

The library is a large parser of hostile bytes, so it never runs in our own process. Nothing is fetched:
a manifest that a file only points at stays unread.
"""

from __future__ import annotations

from dataclasses import dataclass

from kyodaku.children import ChildGone, ChildPool, Trade
from kyodaku.errors import CarrierError, KyodakuError
from kyodaku.signals.carriers.c2pa import ManifestStore, parse_manifest_store

#: By sniffed format, as the library calls them. What else holds JUMBF cannot be read.
MEDIA_TYPES = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "tiff": "image/tiff",
    "avif": "image/avif",
    "heif": "image/heif",
    "jxl": "image/jxl",
    "svg": "image/svg+xml",
}


@dataclass(frozen=True)
class C2paLimits:
    """What one file may cost: whole seconds of processor time, seconds of our patience, bytes of memory
    beyond the library's own code, bytes of the manifest store's JSON."""

    cpu_seconds: int = 10
    wall_seconds: float = 30.0
    memory_bytes: int = 1 << 29
    max_store: int = 1 << 23


class C2paReader(ChildPool):
    """A pool of children that read manifest stores; a context manager. May be asked from any thread.

    Children start when the first file with JUMBF comes, and last until `close`.
    """

    def __init__(self, limits: C2paLimits | None = None, workers: int = 1) -> None:
        self.limits = limits or C2paLimits()
        trade = Trade(
            module="kyodaku._c2pa_child",
            name="C2PA reader",
            doing="reading C2PA",
            cpu_seconds=self.limits.cpu_seconds,
            wall_seconds=self.limits.wall_seconds,
            memory_bytes=self.limits.memory_bytes,
        )
        super().__init__(trade, workers)

    def read(self, body: bytes, kind: str) -> ManifestStore:
        """The manifest store inside a file of sniffed format `kind` that holds JUMBF.

        Raises CarrierError where there is none to be had, whatever the cause: the file then is one whose
        credentials nobody could read.
        """
        mime = MEDIA_TYPES.get(kind)
        if mime is None:
            raise CarrierError(f"no reader for format {kind}")
        try:
            reply, store = self.ask({"mime": mime}, body, self.limits.max_store)
        except ChildGone as gone:
            raise CarrierError(str(gone)) from gone
        except (KyodakuError, RuntimeError, OSError) as error:  # closed, or it cannot start: not read either
            raise CarrierError(str(error)) from error
        if "error" in reply:
            raise CarrierError(str(reply["error"])[:300])
        if reply.get("found") is not True:
            raise CarrierError("JUMBF without a manifest store")
        return parse_manifest_store(bytes(store).decode("utf-8", "replace"))
