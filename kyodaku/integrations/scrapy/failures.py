"""What a fetch that broke off means: from exceptions to `FetchError`, from there to a closed gate."""

from __future__ import annotations

from collections.abc import Iterator
from socket import gaierror

from OpenSSL import SSL
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)
from service_identity import VerificationError
from twisted.internet.error import ConnectError, ConnectionLost
from twisted.internet.error import TimeoutError as TxTimeoutError

from kyodaku.gate import image_error
from kyodaku.integrations.scrapy.guard import Exchange
from kyodaku.integrations.scrapy.outcome import FetchFailed, GateClosed, Kind, gate_exception
from kyodaku.permission import Permission
from kyodaku.signals.model import Fetched, FetchError


def fetch_error(error: BaseException) -> FetchError | None:
    """What a download error means, or None for one that is not about the network."""
    if isinstance(error, FetchFailed):
        return error.error
    found = tuple(causes(error))
    for kinds, meaning in (
        ((SSL.Error, VerificationError), FetchError.TLS),
        ((CannotResolveHostError, gaierror), FetchError.DNS),
        ((DownloadTimeoutError, TxTimeoutError, TimeoutError), FetchError.TIMEOUT),
        ((DownloadConnectionRefusedError, ConnectError), FetchError.CONNECT),
        ((ResponseDataLossError, ConnectionLost), FetchError.RESET),
        ((DownloadFailedError,), FetchError.PROTOCOL),
    ):
        if any(isinstance(cause, kinds) for cause in found):
            return meaning
    return None


def causes(error: BaseException) -> Iterator[BaseException]:
    """`error` and everything it stands for: causes, and the reasons Twisted wraps."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        if current.__cause__ is not None:
            waiting.append(current.__cause__)
        waiting += [
            failure.value
            for failure in getattr(current, "reasons", ())
            if isinstance(failure.value, Exception)
        ]


def broken_off(
    permission: Permission, exchange: Exchange, error: FetchError | None
) -> GateClosed | FetchFailed:
    """What a fetch that ended without a whole answer means for what was asked. None: a bug of ours."""
    if exchange.kind is Kind.HOST_FILE:
        return FetchFailed(error or FetchError.PROTOCOL, exchange.head, ip=exchange.ip)
    if error is None:
        return exchange.close(gate_exception("g4"))
    if exchange.kind is Kind.IMAGE or exchange.image:
        return exchange.close(image_error(error), error=error)
    page = Fetched(exchange.url, exchange.url, None, (), b"", False, error, permission.clock())
    return exchange.close(permission.page_status(page), error=error)
