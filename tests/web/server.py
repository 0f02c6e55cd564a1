"""Answers for all sites: one plain and one TLS port on loopback, sites told apart by Host and SNI.

aiohttp parses requests and writes the ordinary answers. A hostile site gets the connection itself
(`Visit.send`, `Visit.abort`) and may say what no library would.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import trustme
from aiohttp import web

from tests.web.html import render_page
from tests.web.model import NOT_FOUND, Page, Reply, Route, Site, absolute, redirect, text

#: A page that waits for an image to be asked for (`Page.follows`) waits this long at most, in seconds.
LONGEST_WAIT = 4.0


@dataclass(frozen=True)
class Request:
    """One request as it arrived. `time` is the web's clock, in seconds."""

    time: float
    method: str
    scheme: str
    host: str
    path: str
    headers: tuple[tuple[str, str], ...]
    peer: tuple[str, int]
    body: bytes = b""

    @property
    def url(self) -> str:
        """The URL with the standard port, as a record would hold it."""
        return f"{self.scheme}://{self.host}{self.path}"

    def header(self, name: str) -> str:
        """First value of a header, or an empty string."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


class Visit:
    """One request with its connection, for handlers that need more than a Reply."""

    def __init__(self, request: Request, transport: asyncio.Transport, server: Server) -> None:
        self.request = request
        self.transport = transport
        self.server = server

    async def send(self, data: bytes) -> None:
        """Put raw bytes on the wire; raises ConnectionResetError once the client is gone."""
        if self.transport.is_closing():
            raise ConnectionResetError("the client left")
        self.transport.write(data)
        await asyncio.sleep(0)  # let others speak, however fast this client reads
        while self.transport.get_write_buffer_size() > 1 << 18:
            await asyncio.sleep(0.01)
            if self.transport.is_closing():
                raise ConnectionResetError("the client left")

    def abort(self) -> None:
        """Reset the connection (RST where the system allows it)."""
        sock = self.transport.get_extra_info("socket")
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.transport.abort()

    def visits(self) -> int:
        """How often this URL has been asked for, this visit included."""
        return sum(entry.url == self.request.url for entry in self.server.log)


class Spoken(web.StreamResponse):
    """Stands for an answer that a handler wrote itself, so that aiohttp adds nothing."""

    async def prepare(self, request: web.BaseRequest) -> None:
        self.force_close()
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        return None


class Server:
    """Virtual hosts on loopback. Lives in one event loop; `tests.web.small_web` gives it a thread."""

    def __init__(self, sites: Sequence[Site], clock: Callable[[], float]) -> None:
        self.sites = {site.name: site for site in sites}
        self.log: list[Request] = []
        self.ca = trustme.CA()
        self.ports: dict[str, int] = {}
        self._clock = clock
        self._routes = {site.name: compile_routes(site) for site in sites}
        self._scripts: dict[tuple[str, str], list[Route]] = {}
        self._rendered: dict[int, tuple[Reply, bytes]] = {}
        self._runners: list[web.ServerRunner] = []
        self._closed_door = socket.socket()

    # ----------------------------------------------------------------- life

    async def start(self) -> None:
        """Open both ports. Their numbers are in `ports`, by scheme."""
        self._closed_door.bind(("127.0.0.1", 0))  # bound and never listening: refuses connections
        self.ports["closed"] = self._closed_door.getsockname()[1]
        for scheme, context in (("http", None), ("https", self._tls())):
            runner = web.ServerRunner(
                web.Server(self._answerer(scheme), access_log=None, keepalive_timeout=30),
                handler_cancellation=True,
                shutdown_timeout=0.1,
            )
            await runner.setup()
            sock = socket.create_server(("127.0.0.1", 0), backlog=256)
            self.ports[scheme] = sock.getsockname()[1]
            await web.SockSite(runner, sock, ssl_context=context).start()
            self._runners.append(runner)

    async def stop(self) -> None:
        """Close every connection and port."""
        for runner in self._runners:
            await runner.cleanup()
        self._closed_door.close()

    def change(self, url: str, answers: Sequence[Route]) -> None:
        """From now on `url` answers with `answers` in turn; the last one stays."""
        self._scripts[urlsplit(url).netloc, target(url)] = list(answers)

    def route_of(self, url: str) -> Route:
        """What `url` answers by its site's data."""
        site = self.sites[urlsplit(url).netloc]
        return self._routes[site.name].get(target(url)) or site.fallback or NOT_FOUND

    def _tls(self) -> ssl.SSLContext:
        names = [site.name for site in self.sites.values() if not site.certificate_for]
        default = self._context(names or ["small-web.example"])
        others = {
            site.name: self._context([site.certificate_for])
            for site in self.sites.values()
            if site.certificate_for
        }

        def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            connection.context = others.get(name or "", default)

        default.sni_callback = choose
        return default

    def _context(self, names: list[str]) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*names).configure_cert(context)
        context.set_alpn_protocols(["http/1.1"])
        return context

    # ----------------------------------------------------------------- answers

    def _answerer(self, scheme: str) -> Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]:
        async def answer(incoming: web.BaseRequest) -> web.StreamResponse:
            transport = incoming.transport
            if transport is None:  # the client left before we looked
                return Spoken()
            request = Request(
                self._clock(),
                incoming.method,
                scheme,
                incoming.headers.get("Host", "").lower(),
                incoming.raw_path,
                tuple(incoming.headers.items()),
                tuple(transport.get_extra_info("peername"))[:2],
                await incoming.read() if incoming.method == "POST" else b"",
            )
            self.log.append(request)
            visit = Visit(request, transport, self)
            try:
                reply = await self._reply(visit)
            except ConnectionResetError:
                reply = None
            return Spoken() if reply is None else self._respond(reply)

        return answer

    async def _reply(self, visit: Visit) -> Reply | None:
        request = visit.request
        name = request.host.partition(":")[0]
        site = self.sites.get(name)
        if site is None:
            return text(f"no such host here: {name}\n", 404)
        if site.scheme == "https" and request.scheme == "http":
            return redirect(site.url(request.path), 301)
        route = self._route(site, request.path)
        if isinstance(route, Reply):
            return route
        return await route(visit)

    def _route(self, site: Site, path: str) -> Route:
        script = self._scripts.get((site.name, path))
        if script:
            return script.pop(0) if len(script) > 1 else script[0]
        return self._routes[site.name].get(path) or site.fallback or NOT_FOUND

    def _respond(self, reply: Reply) -> web.Response:
        response = web.Response(status=reply.status, body=self._body(reply))
        if not any(name.lower() == "content-type" for name, _ in reply.headers):
            response.headers["Content-Type"] = "application/octet-stream"
        for name, value in reply.headers:
            if name.lower() == "content-type":
                response.headers[name] = value
            else:
                response.headers.add(name, value)
        return response

    def _body(self, reply: Reply) -> bytes:
        if isinstance(reply.body, bytes):
            return reply.body
        kept = self._rendered.get(id(reply))
        if kept is None:
            kept = self._rendered[id(reply)] = (reply, reply.body())
        return kept[1]


def compile_routes(site: Site) -> dict[str, Route]:
    """Every path of a site: robots.txt, pages, the pictures of its figures, further routes."""
    routes: dict[str, Route] = {}
    if isinstance(site.robots, str | bytes):
        routes["/robots.txt"] = text(site.robots)
    elif site.robots is not None:
        routes["/robots.txt"] = site.robots
    for page in site.pages:
        routes[target(site.url(page.path))] = page_route(page)
        for figure in page.figures:
            url = absolute(site.url(page.path), figure.src)
            if figure.picture is not None and urlsplit(url).hostname == site.name:
                headers = (("Content-Type", figure.picture.mime), *figure.headers)
                routes.setdefault(target(url), Reply(figure.picture.render, headers=headers))
    return routes | dict(site.routes)


def target(url: str) -> str:
    """Path and query of a URL, as a request line holds them."""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def page_reply(page: Page) -> Reply:
    """A page as an answer."""
    charset = f"; charset={page.charset}" if page.declares_charset == "header" else ""
    return Reply(
        lambda: render_page(page).encode(page.charset),
        page.status,
        (("Content-Type", f"text/html{charset}"), *page.headers),
    )


def page_route(page: Page) -> Route:
    """A page as a route: at once, or after the image it `follows`."""
    reply = page_reply(page)
    if not page.follows:
        return reply

    async def later(visit: Visit) -> Reply:
        deadline = asyncio.get_running_loop().time() + LONGEST_WAIT
        while asyncio.get_running_loop().time() < deadline:
            if any(entry.url == page.follows for entry in visit.server.log):
                break
            await asyncio.sleep(0.05)
        return reply

    return later
