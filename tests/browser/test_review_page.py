"""The reviewer's page in a real browser: by keyboard alone, on a phone, in both languages."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from curation.review.desk import Desk
from curation.review.samples import draw
from curation.review.server import Server
from kyodaku.reviews import append_reviews, read_reviews
from kyodaku.runs import RunFolder
from tests.browser.chromium import Tab, fresh_tab
from tests.curation.reviewed import PICTURES, RECIPE, curated_once, run
from tests.tools import need_tool

__all__ = ["curated_once", "run"]  # fixtures

SHOWN = "document.querySelector('article') ? document.querySelector('article').dataset.uid : ''"
LOADED = (
    "document.querySelector('article') && [...document.querySelectorAll('article img')].every("
    "(image) => image.complete && image.naturalWidth)"
)


class Hands:
    """Somebody at the keyboard of one tab."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab

    async def press(self, key: str) -> None:
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            await self.tab.call(
                "Input.dispatchKeyEvent", type=kind, key=key, **(text if kind == "keyDown" else {})
            )

    async def type(self, words: str) -> None:
        await self.tab.call("Input.insertText", text=words)

    async def until(self, script: str) -> Any:
        """The value of a script once it is true."""
        for _ in range(300):
            value = await self.tab.value(script)
            if value:
                return value
            await asyncio.sleep(0.1)
        raise AssertionError(f"never true: {script}\n{await self.tab.value('document.body.innerText')}")


def sit_down(
    run: RunFolder, tmp_path: Path, width: int, do: Callable[[Hands], Awaitable[None]], **more: Any
) -> list[str]:
    """Open the page at `width` and `do` something; the addresses that were asked for."""

    async def work() -> list[str]:
        desk = Desk(run, RECIPE, "ann", lambda: 1000.0, **more)
        chromium = fresh_tab(need_tool("chromium"), tmp_path / "profile")
        async with Server(desk, "A tiny set") as server, chromium as tab:
            for domain in ("Page", "Network", "Runtime", "Log"):
                await tab.call(f"{domain}.enable")
            size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600}
            await tab.call("Emulation.setDeviceMetricsOverride", **size)
            await tab.call("Page.navigate", url=server.url + "#en")
            hands = Hands(tab)
            await hands.until(LOADED)
            await do(hands)
            shot = await tab.call("Page.captureScreenshot", format="png")
            (tmp_path / f"review-{width}.png").write_bytes(base64.b64decode(shot["data"]))
            seen = [e["params"] for e in tab.events if e.get("method") == "Network.requestWillBeSent"]
            problems = [
                e for e in tab.events if e.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded")
            ]
            assert not problems
            root = server.url.removesuffix(f"{server.token}/")
            urls = [one["request"]["url"] for one in seen]
            assert all(url.startswith((root + server.token, "data:")) for url in urls), urls
            desk.close()
            return urls

    return asyncio.run(work())


def test_a_sitting_by_keyboard_alone(run: RunFolder, tmp_path: Path) -> None:
    """A verdict asks for a reason, the reason stays, undo goes back, a batch takes what is ticked."""
    queue = [uid for uid, _, _ in Desk(run, RECIPE, "ann", lambda: 1.0).queue()]
    first, second = queue[0], queue[1]
    assert first == PICTURES["little"].uid

    async def do(hands: Hands) -> None:
        assert await hands.tab.value(SHOWN) == first
        await hands.press("a")
        await hands.until("document.activeElement.id === 'why'")
        assert "Say why first" in await hands.tab.value("document.getElementById('told').innerText")
        await hands.type("only small")
        await hands.press("Enter")
        await hands.press("a")
        await hands.until(f"({SHOWN}) === '{second}'")
        await hands.press("z")
        await hands.until(f"({SHOWN}) === '{first}'")
        await hands.press("u")
        await hands.until(f"({SHOWN}) === '{second}'")
        await hands.press("s")
        await hands.press("s")
        await hands.until("document.querySelectorAll('#batch input').length === 3")
        await hands.tab.value("document.querySelectorAll('#batch input')[2].focus(); 1")
        await hands.press(" ")
        await hands.until("document.querySelectorAll('#batch input:checked').length === 2")
        await hands.press("d")
        await hands.until(f"({SHOWN}) === '{queue[3]}'")
        await hands.press("l")
        await hands.until("document.body.innerText.includes('敵対的な撹乱')")
        await hands.press("?")
        await hands.until("document.getElementById('help').open")
        await hands.press("?")
        await hands.until("!document.getElementById('help').open")

    sit_down(run, tmp_path, 1280, do)
    reviews = read_reviews(run.reviews)
    verdicts = {uid: (one.verdict.value, one.why, one.scope) for uid, one in reviews.by_uid().items()}
    assert verdicts == {
        first: ("unsure", "only small", "one"),
        second: ("drop", "only small", "host"),
        queue[2]: ("drop", "only small", "host"),
    }


def test_it_fits_a_phone_and_buttons_do_what_keys_do(run: RunFolder, tmp_path: Path) -> None:
    async def do(hands: Hands) -> None:
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await hands.tab.value(wide) == 0
        heights = "[...document.querySelectorAll('.say')].map((b) => b.getBoundingClientRect().height)"
        assert await hands.tab.value(f"Math.min(...{heights})") >= 36
        await hands.tab.value("document.getElementById('why').value = 'seen on a phone'; 1")
        before = await hands.tab.value(SHOWN)
        await hands.tab.value("document.querySelector('.drop').click(); 1")
        await hands.until(f"({SHOWN}) !== '{before}'")
        await hands.tab.value("document.getElementById('do-mask').click(); 1")
        assert await hands.tab.value("document.body.classList.contains('bare')")
        assert await hands.tab.value(wide) == 0

    sit_down(run, tmp_path, 390, do)
    (said,) = read_reviews(run.reviews).by_uid().values()
    assert said.why == "seen on a phone"


def test_a_sample_is_judged_by_keyboard(run: RunFolder, tmp_path: Path) -> None:
    drawn, _ = draw(run, 400, 3, "ann", 900.0)
    append_reviews(run.reviews, [drawn])

    async def do(hands: Hands) -> None:
        await hands.press("g")
        await hands.until(f"({SHOWN}) === '{drawn.uids[1]}'")
        await hands.press("u")
        await hands.until("document.getElementById('told').innerText.includes('finished')")

    sit_down(run, tmp_path, 1280, do, sample=drawn)
    judged = read_reviews(run.reviews).judged(drawn.sample)
    assert [judged[uid].verdict.value for uid in drawn.uids] == ["good", "unsure"]
