"""A second driver for the gates: plain http.client over the host table, one request a Need.

It shares nothing with Scrapy, so that a walk and a crawl that agree do so because of the gates.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Generator
from typing import Any
from urllib.parse import urlsplit

from kyodaku.gate import Need
from kyodaku.netguard import HostTable
from kyodaku.signals.model import Fetched, FetchError


class Driver:
    """Answers Needs. Host files are remembered, as a crawl remembers them."""

    def __init__(self, table: HostTable, timeout: float = 3.0) -> None:
        self.table = table
        self.timeout = timeout
        self.remembered: dict[str, Fetched] = {}
        self.tls = ssl.create_default_context(cafile=str(table.ca) if table.ca else None)

    def run(self, machine: Generator[Need, Fetched, Any]) -> Any:
        """Drive `machine` to its result."""
        try:
            need = next(machine)
            while True:
                need = machine.send(self.fetch(need))
        except StopIteration as stop:
            return stop.value

    def fetch(self, need: Need) -> Fetched:
        """The answer to one Need."""
        if need.kind == "host_file" and need.url in self.remembered:
            return self.remembered[need.url]
        answer = self._get(need)
        if need.kind == "host_file":
            self.remembered[need.url] = answer
        return answer

    def _get(self, need: Need) -> Fetched:
        try:
            return self._ask(need)
        except ssl.SSLError:
            return _broken(need, FetchError.TLS)
        except TimeoutError:
            return _broken(need, FetchError.TOO_SLOW if need.kind == "image" else FetchError.TIMEOUT)
        except (_TooLarge, http.client.LineTooLong):
            return _broken(need, FetchError.TOO_LARGE)
        except http.client.HTTPException as error:
            many = "headers" in str(error)
            return _broken(need, FetchError.TOO_LARGE if many else FetchError.RESET)
        except OSError:
            return _broken(need, FetchError.RESET)

    def _ask(self, need: Need) -> Fetched:
        parts = urlsplit(need.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        target = self.table.lookup(parts.hostname or "", port)
        if target is None:
            return _broken(need, FetchError.DNS)
        connection = http.client.HTTPConnection(parts.hostname or "", port, timeout=self.timeout)
        plain = socket.create_connection((target.ip, target.port), self.timeout)
        connection.sock = (
            self.tls.wrap_socket(plain, server_hostname=parts.hostname) if parts.scheme == "https" else plain
        )
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request("GET", path, headers={"Accept-Encoding": "identity"})
            response = connection.getresponse()
            headers = tuple(response.getheaders())
            if 300 <= response.status < 400:  # a hop has no body that anyone reads
                return Fetched(need.url, need.url, response.status, headers, b"", True, None, time.time())
            if need.kind == "image" and response.getheader("Content-Encoding", "identity") != "identity":
                return _broken(need, FetchError.BOMB)
            body, complete = self._body(response, need.cap, whole=need.kind == "image")
            return Fetched(need.url, need.url, response.status, headers, body, complete, None, time.time())
        finally:
            connection.close()

    def _body(self, response: http.client.HTTPResponse, cap: int, *, whole: bool) -> tuple[bytes, bool]:
        parts: list[bytes] = []
        deadline = time.monotonic() + self.timeout
        announced = int(response.getheader("Content-Length") or -1)
        if whole and announced > cap:
            raise _TooLarge
        size = 0
        while size <= cap:
            if time.monotonic() > deadline:
                raise TimeoutError
            chunk = response.read1(65536)
            if not chunk:
                if announced > size:
                    raise ConnectionResetError
                return b"".join(parts), True
            parts.append(chunk)
            size += len(chunk)
        if whole:
            raise _TooLarge
        return b"".join(parts)[:cap], False


class _TooLarge(Exception):
    """A body beyond its cap."""


def _broken(need: Need, error: FetchError) -> Fetched:
    return Fetched(need.url, need.url, None, (), b"", False, error, time.time())
