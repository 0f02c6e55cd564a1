"""A small client that reaches the sites by their names, for tests of the web itself."""

from __future__ import annotations

import http.client
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.web.small_web import SmallWeb


@dataclass(frozen=True)
class Answer:
    """One answer, read to its end."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        """The body as UTF-8."""
        return self.body.decode("utf-8", "replace")


def get(web: SmallWeb, url: str, timeout: float = 5.0, limit: int | None = None) -> Answer:
    """GET `url` through the host table; reads at most `limit` bytes; follows nothing."""
    with opened(web, url, timeout) as sock:
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        sock.sendall(f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
        response = http.client.HTTPResponse(sock, method="GET")
        try:
            response.begin()
            return Answer(response.status, response.headers, response.read(limit))
        finally:
            response.close()


def opened(web: SmallWeb, url: str, timeout: float = 5.0) -> socket.socket:
    """A connection to the site of `url`, with TLS checked against the test CA for https."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address, _, local = web.hosts[f"{parts.hostname}:{port}"].partition(":")
    sock = socket.create_connection((address, int(local)), timeout=timeout)
    if parts.scheme == "http":
        return sock
    context = ssl.create_default_context(cafile=str(web.ca_path))
    try:
        return context.wrap_socket(sock, server_hostname=parts.hostname)
    except BaseException:
        sock.close()
        raise
