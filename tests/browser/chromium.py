"""Headless Chromium, driven over its DevTools socket: real pages at real sizes, with every request seen."""

from __future__ import annotations

import asyncio
import base64
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
)
#: Nothing a page asks for may reach a network; this machine's own servers are none.
_OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"


@dataclass
class Seen:
    """What one page did: addresses it asked for, console errors, widths in CSS pixels, its text."""

    requests: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    page_width: int = 0
    screen_width: int = 0
    text: str = ""
    values: dict[str, Any] = field(default_factory=dict)


class Tab:
    """One page over its DevTools socket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self.events: list[dict[str, Any]] = []

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One DevTools command; events that arrive meanwhile are kept."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        while True:
            message = await self._socket.receive_json(timeout=60)
            if message.get("id") == self._number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                result: dict[str, Any] = message["result"]
                return result
            self.events.append(message)

    async def wait(self, event: str) -> None:
        """Until `event` has arrived."""
        while not any(message.get("method") == event for message in self.events):
            self.events.append(await self._socket.receive_json(timeout=60))

    async def value(self, script: str) -> Any:
        """The value of a script in the page."""
        answer = await self.call("Runtime.evaluate", expression=script, returnByValue=True)
        return answer["result"].get("value")


def look(
    program: str,
    profile: Path,
    page: str,
    width: int,
    screenshot: Path | None = None,
    *,
    dark: bool = False,
    scripts: tuple[str, ...] = (),
) -> Seen:
    """Open `page` (a URL) at `width` CSS pixels, run `scripts` one after another, and tell what was seen.

    A full-length PNG goes to `screenshot`.
    """
    return asyncio.run(_look(program, profile, page, width, screenshot, dark, scripts))


async def _look(
    program: str,
    profile: Path,
    page: str,
    width: int,
    screenshot: Path | None,
    dark: bool,
    scripts: tuple[str, ...],
) -> Seen:
    async with fresh_tab(program, profile) as tab:
        for domain in ("Page", "Network", "Runtime", "Log"):
            await tab.call(f"{domain}.enable")
        phone = width < 600
        await tab.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=844,
            deviceScaleFactor=2 if phone else 1,
            mobile=phone,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await tab.call("Emulation.setEmulatedMedia", features=[scheme])
        await tab.call("Page.navigate", url=page)
        await tab.wait("Page.loadEventFired")
        seen = Seen(
            page_width=int(await tab.value("document.documentElement.scrollWidth")),
            screen_width=int(await tab.value("document.documentElement.clientWidth")),
            text=str(await tab.value("document.body.innerText")),
            values={script: await tab.value(script) for script in scripts},
        )
        if screenshot is not None:
            shot = await tab.call("Page.captureScreenshot", captureBeyondViewport=True, format="png")
            screenshot.write_bytes(base64.b64decode(shot["data"]))
        seen.requests = [
            event["params"]["request"]["url"]
            for event in tab.events
            if event.get("method") == "Network.requestWillBeSent"
        ]
        seen.problems = [_problem(event) for event in tab.events if _problem(event)]
        return seen


def _problem(event: dict[str, Any]) -> str:
    if event.get("method") == "Runtime.exceptionThrown":
        return str(event["params"]["exceptionDetails"].get("text", "exception"))
    if event.get("method") == "Log.entryAdded":
        return str(event["params"]["entry"]["text"])
    return ""


@asynccontextmanager
async def fresh_tab(program: str, profile: Path) -> AsyncIterator[Tab]:
    """A fresh browser with an empty profile and one tab; ends the browser afterwards."""
    profile.mkdir(parents=True, exist_ok=True)
    browser = subprocess.Popen(
        [program, *FLAGS, _OFFLINE, f"--user-data-dir={profile}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        port = await _port(profile / "DevToolsActivePort", browser)
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                targets = await answer.json()
            address = next(target for target in targets if target["type"] == "page")["webSocketDebuggerUrl"]
            async with session.ws_connect(address, max_msg_size=0) as socket:
                yield Tab(socket)
    finally:
        browser.terminate()
        browser.wait(timeout=30)


async def _port(file: Path, browser: subprocess.Popen[bytes]) -> int:
    """The port that Chromium writes into its profile once it listens."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and browser.poll() is None:
        lines = file.read_text().splitlines() if file.is_file() else []
        if len(lines) >= 2:
            return int(lines[0])
        await asyncio.sleep(0.05)
    raise RuntimeError("chromium did not start")
