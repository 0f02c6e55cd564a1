"""The local web server of `kyodaku review`: one person's pages, closed to everybody else.

* It listens on this machine only, unless told otherwise, and every address begins with a secret of 128 bits.
* The Host header must name an address, never a DNS name: a page of a stranger whose name was rebound to
  this machine is turned away before anything is looked up.
* What changes something must be JSON with a header that no form can send, and not from another origin.
* Pages load nothing but their own script, style and pictures; pictures are encoded anew, never as stored.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import json
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, TypeVar

from aiohttp import web

from curation.review.cases import Stale, Told
from curation.review.desk import Desk
from curation.review.pages import LARGE, SMALL, asset, batch_page, case_page, shell
from kyodaku.errors import KyodakuError
from kyodaku.report.plaintext import plain

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Result = TypeVar("Result")

_LOG = logging.getLogger(__name__)

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}
_ASSETS = {"page.css": "text/css", "review.css": "text/css", "page.js": "text/javascript",
           "review.js": "text/javascript"}  # fmt: skip
_SIDES = {"large": LARGE, "small": SMALL}
_MAX_BODY = 65_536
_MAX_WHY = 500


class Server:
    """A started server; `url` is what to open. An async context manager."""

    def __init__(self, desk: Desk, title: str, host: str = "127.0.0.1", port: int = 0) -> None:
        self._desk, self._title, self._host, self._port = desk, title, host, port
        self.token = secrets.token_urlsafe(16)
        self._runner: web.AppRunner | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """With the secret in it."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self.port}/{self.token}/"

    async def __aenter__(self) -> Server:
        app = web.Application(middlewares=[self._guard], client_max_size=_MAX_BODY)
        app.on_response_prepare.append(_close)
        base = "/{token}/"
        app.router.add_get(base, self._page)
        app.router.add_get(base + "{name:[a-z]+\\.(?:css|js)}", self._asset)
        app.router.add_get(base + "queue", self._queue)
        app.router.add_get(base + "case/{uid:[0-9a-f]{32}}", self._case)
        app.router.add_get(base + "batch/{uid:[0-9a-f]{32}}/{scope:cluster|host}", self._batch)
        app.router.add_get(base + "picture/{uid:[0-9a-f]{32}}/{side:large|small}", self._picture)
        app.router.add_post(base + "say", self._say)
        app.router.add_post(base + "undo", self._undo)
        # Our page packs nothing, and what is not unpacked cannot break or grow while it is read.
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, auto_decompress=False)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    # --- who may ask --------------------------------------------------------------------------------------

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        refusal = self._refusal(request)
        if refusal is not None:
            answer: web.StreamResponse = web.Response(status=refusal)
        else:
            try:
                answer = await handler(request)
            except Stale as stale:
                answer = web.json_response({"error": str(stale)}, status=409)
            except KyodakuError as error:
                answer = web.json_response({"error": str(error)}, status=500)
            except web.HTTPException as error:
                answer = web.Response(status=error.status, text=error.text)
            except Exception as error:  # a bug of ours is one line here too, and the others go on reading
                _LOG.error("%s: %s", type(error).__name__, plain(str(error), 200))
                answer = web.json_response({"error": f"unexpected {type(error).__name__}"}, status=500)
        return answer

    def _refusal(self, request: web.Request) -> int | None:
        """The status that turns a request away, or None."""
        if not self._is_address(request.headers.getall("Host", [])):
            return 421
        token = request.match_info.get("token", "")
        if not hmac.compare_digest(token.encode("utf-8", "replace"), self.token.encode()):
            return 404
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            return 403
        if request.method in ("GET", "HEAD"):
            return None
        origin = request.headers.get("Origin")
        if origin is not None and origin != f"http://{request.headers['Host']}":
            return 403
        if request.headers.get("X-Kyodaku-Review") != "1" or request.content_type != "application/json":
            return 403
        return None

    def _is_address(self, hosts: list[str]) -> bool:
        """True if the only Host header names this port at an address: loopback, where we listen there."""
        if len(hosts) != 1 or not hosts[0].endswith(f":{self.port}"):
            return False
        name = hosts[0].removesuffix(f":{self.port}")
        if name == "localhost":
            return True
        try:
            address = ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
        except ValueError:
            return False
        return address.is_loopback or not ipaddress.ip_address(self._host).is_loopback

    # --- what is answered ---------------------------------------------------------------------------------

    async def _page(self, request: web.Request) -> web.Response:
        text = shell(self._title, self._desk.who, sampling=self._desk.sample is not None)
        return web.Response(text=text, content_type="text/html")

    async def _asset(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in _ASSETS:
            raise web.HTTPNotFound
        return web.Response(text=asset(name), content_type=_ASSETS[name])

    async def _queue(self, request: web.Request) -> web.Response:
        return web.json_response({"items": await _aside(self._desk.queue)})

    async def _case(self, request: web.Request) -> web.Response:
        return _markup(await _aside(self._case_page, request.match_info["uid"]))

    def _case_page(self, uid: str) -> str:
        case = self._desk.case(uid)
        near = {row["uid"]: self._desk.neighbour(row["uid"]) for row in case.facts["cluster"]}
        return case_page(case, self._desk.review(uid), near)

    async def _batch(self, request: web.Request) -> web.Response:
        scope = request.match_info["scope"]
        cases = await _aside(self._desk.batch, request.match_info["uid"], scope)
        return _markup(batch_page(cases, scope))

    async def _picture(self, request: web.Request) -> web.Response:
        side = _SIDES[request.match_info["side"]]
        found = await _aside(self._desk.picture, request.match_info["uid"], side)
        if found is None:
            raise web.HTTPNotFound
        return web.Response(body=found.jpeg, content_type="image/jpeg")

    async def _say(self, request: web.Request) -> web.Response:
        said = await _json(request)
        try:
            verdict, why, scope = (str(said[name]) for name in ("verdict", "why", "scope"))
            items = [(str(item["uid"]), str(item["shown"])) for item in said["items"]]
        except (KeyError, TypeError):
            raise _bad("a verdict, why, scope and items are missing or of another kind") from None
        if scope not in ("one", "cluster", "host") or len(why) > _MAX_WHY or verdict not in self._verdicts():
            raise _bad("no such verdict or scope, or a reason that is too long")
        if verdict in ("allow", "drop", "bad") and not why.strip():
            raise _bad("say why")
        if not all(_is_text(text) for text in (why, *(part for item in items for part in item))):
            raise _bad("text with half a character in it")
        told: Told = await _aside(self._desk.say, verdict, why.strip(), scope, items)
        return web.json_response(asdict(told))

    async def _undo(self, request: web.Request) -> web.Response:
        told: Told = await _aside(self._desk.undo)
        return web.json_response({**asdict(told), "undone": told.undone})

    def _verdicts(self) -> tuple[str, ...]:
        return ("good", "bad", "unsure") if self._desk.sample is not None else ("allow", "drop", "unsure")


async def _close(_: web.Request, answer: web.StreamResponse) -> None:
    """The headers of every answer, an error's too; without the name and version of the server."""
    answer.headers.update(HEADERS)
    answer.headers.popall("Server", None)


def _markup(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html")


async def _json(request: web.Request) -> Any:
    """The object that was sent, whatever charset its headers name. Raises HTTPBadRequest for what is none."""
    try:
        found = json.loads(await request.read())
    except (ValueError, RecursionError):
        raise _bad("no JSON that can be read") from None
    if not isinstance(found, dict):
        raise _bad("a JSON object was expected")
    return found


def _bad(told: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=told)


def _is_text(value: str) -> bool:
    """False for half of a surrogate pair, which JSON can spell and no file can hold."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


async def _aside(work: Callable[..., Result], *arguments: Any) -> Result:
    """The result of work that reads files, without keeping other requests waiting."""
    return await asyncio.to_thread(work, *arguments)
