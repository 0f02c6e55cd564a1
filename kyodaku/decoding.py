"""Content codings, undone within a bound. Only what we ask for is understood: gzip and deflate."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from kyodaku.signals.model import FetchError

ACCEPT_ENCODING = "gzip, deflate"
_GZIP = 16 + zlib.MAX_WBITS


class DecodingError(Exception):
    """A body that could not be unpacked. `error` says whether it was too much or not understood."""

    def __init__(self, error: FetchError) -> None:
        self.error = error
        super().__init__(error.value)


def codings(values: Sequence[str]) -> list[str]:
    """The codings of Content-Encoding fields, in the order they were applied, without `identity`."""
    names = [name.strip().lower() for value in values for name in value.split(",")]
    return [name for name in names if name not in ("", "identity")]


def decoded(body: bytes, names: Sequence[str], cap: int) -> bytes:
    """`body` with the codings `names` undone, at most `cap` bytes. Raises DecodingError.

    More than two codings, an unknown one, broken data and data behind the end are not understood.
    """
    if len(names) > 2:
        raise DecodingError(FetchError.BOMB)
    for name in reversed(names):
        if name not in ("gzip", "x-gzip", "deflate"):
            raise DecodingError(FetchError.PROTOCOL)
        if body:
            body = _inflated(body, _window(name, body), cap)
    return body


def _window(name: str, body: bytes) -> int:
    if name != "deflate":
        return _GZIP
    # RFC 9110 8.4.1.2 means zlib; many servers send the bare stream.
    zlib_header = len(body) > 1 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
    return zlib.MAX_WBITS if zlib_header else -zlib.MAX_WBITS


def _inflated(body: bytes, window: int, cap: int) -> bytes:
    out = bytearray()
    try:
        while True:
            stream = zlib.decompressobj(window)
            out += stream.decompress(body, cap + 1 - len(out))
            if len(out) > cap:
                raise DecodingError(FetchError.BOMB)
            if not stream.eof:
                raise DecodingError(FetchError.PROTOCOL)
            body = stream.unused_data
            if not body or window != _GZIP or not body.startswith(b"\x1f\x8b"):
                return bytes(out)
    except zlib.error as error:
        raise DecodingError(FetchError.PROTOCOL) from error
