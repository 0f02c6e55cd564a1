"""Reading back what hosts said: one response out of a run's evidence (WARC 1.1, one gzip member a record)."""

from __future__ import annotations

import zlib
from pathlib import Path

from kyodaku.errors import RecordError

#: Host files are read up to 1 MiB; a record of one is never much longer.
_MAX_RECORD = 4 * 1024 * 1024


def read_body(folder: Path, name: str, offset: int) -> bytes:
    """The body of the response whose gzip member begins at `offset` of `name` in `folder`.

    Raises RecordError when there is no such record, or one that is damaged.
    """
    path = folder / name
    try:
        with path.open("rb") as file:
            file.seek(offset)
            packed = file.read(_MAX_RECORD)
        inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
        record = inflate.decompress(packed, _MAX_RECORD)
    except (OSError, ValueError, zlib.error) as error:
        raise RecordError(f"{path}: no record can be read at {offset} ({error})") from error
    if not inflate.eof:
        raise RecordError(f"{path}: the record at {offset} breaks off")
    warc, _, rest = record.partition(b"\r\n\r\n")
    if not warc.startswith(b"WARC/1.") or b"WARC-Type: response" not in warc:
        raise RecordError(f"{path}: there is no response at {offset}")
    block = rest.removesuffix(b"\r\n\r\n")
    _, found, body = block.partition(b"\r\n\r\n")
    if not found:
        raise RecordError(f"{path}: the response at {offset} has no head")
    return body
