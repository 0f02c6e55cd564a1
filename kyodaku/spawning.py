"""The Do-Not-Train API of Spawning, as its client datadiligence asks it: which addresses are opted out?

    POST /api/v2/query/urls/          Authorization: API <key>      Content-Type: text/plain
    https://artist.example/cat.jpg    one address a line, at most 10,000

    {"urls": [{"url": "https://artist.example/cat.jpg", "optOut": true}]}

The service sees every address that is asked about. Only a plain `true` or `false` for exactly the address
that was asked is an answer; whatever else comes, or does not come, is none, and holds the address.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from kyodaku.errors import UsageError
from kyodaku.gate import Need, NeedKind
from kyodaku.recipe import Recipe
from kyodaku.recipe.sections import MAX_BATCH, Spawning
from kyodaku.registry_client import Answer
from kyodaku.signals.model import Fetched, Headers

#: Sends one request and gives what came of it; it waits its host's turn and the rest that host asked for.
Ask = Callable[[Need], Awaitable[Fetched]]

#: Times that one batch is asked, and the seconds before the second; each further wait is twice as long.
TRIES = 3
PAUSE = 1.0
#: Statuses that another try may mend.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
#: One address on a line of its own: printable ASCII, no fragment.
_ONE_LINE = re.compile(r"https?://[\x21\x22\x24-\x7e]+")
_KEY = re.compile(r"[\x21-\x7e]{1,4096}")
#: What a reply may hold beside the addresses, in bytes: once, and for each.
_FRAME, _ENTRY = 64 * 1024, 512
#: Every character of an address may be escaped.
_ESCAPED = 6


@dataclass(frozen=True, repr=False)
class SpawningClient:
    """Asks in batches. `ask` sends a request; it follows no redirect, and checks where it connects to."""

    endpoint: str
    key: str
    batch: int
    ask: Ask
    clock: Callable[[], float]
    pause: float = PAUSE

    @classmethod
    def of(
        cls, section: Spawning, ask: Ask, clock: Callable[[], float], environ: Mapping[str, str] = os.environ
    ) -> SpawningClient:
        """The client of a recipe. Raises UsageError where the environment has no key."""
        return cls(section.endpoint, key_of(section, environ), section.batch, ask, clock)

    async def query(self, urls: Sequence[str]) -> list[Answer]:
        """One answer for each of `urls` (normalised), `opt_out` None where none could be had. Never an
        exception for anything that the service does."""
        lines = [url for url in dict.fromkeys(urls) if _ONE_LINE.fullmatch(url)]
        answers = {url: Answer(url, None, "not an address on one line", "", self.clock()) for url in urls}
        for start in range(0, len(lines), self.batch):
            part = lines[start : start + self.batch]
            answers |= {answer.url: answer for answer in await self._query(part)}
        return list(answers.values())

    async def _query(self, urls: Sequence[str]) -> list[Answer]:
        need = Need(
            self.endpoint,
            NeedKind.REGISTRY,
            _FRAME + sum(_ESCAPED * len(url) + _ENTRY for url in urls),
            method="POST",
            headers=self._headers(),
            body="\n".join(urls).encode("ascii"),
        )
        reply = await self.ask(need)
        for attempt in range(TRIES - 1):
            if reply.error is None and reply.status not in _PASSING:
                break
            await asyncio.sleep(self.pause * 2**attempt)
            reply = await self.ask(need)
        return read_reply(reply, urls)

    def _headers(self) -> Headers:
        return (
            ("Authorization", f"API {self.key}"),
            ("Content-Type", "text/plain"),
            ("Accept", "application/json"),
        )


def key_of(section: Spawning, environ: Mapping[str, str] = os.environ) -> str:
    """The key that the environment holds. Raises UsageError, naming the variable."""
    key = environ.get(section.key_env, "").strip()
    if not key:
        raise UsageError(
            f"registries.spawning needs a key: set the environment variable {section.key_env}, or take the "
            "table out of the recipe"
        )
    if not _KEY.fullmatch(key):
        raise UsageError(f"{section.key_env} holds no key: a key has no spaces and only ASCII characters")
    return key


def require_key(recipe: Recipe) -> None:
    """Raise UsageError where the recipe names the service and the environment has no key for it."""
    if recipe.registries.spawning is not None:
        key_of(recipe.registries.spawning)


def read_reply(reply: Fetched, urls: Sequence[str]) -> list[Answer]:
    """What a reply says about each of the `urls` that were asked: pure, and it never raises."""
    digest = sha256(reply.body).hexdigest() if reply.body else ""
    why = _unusable(reply)
    entries: dict[str, list[Any]] = {}
    if not why:
        try:
            entries = _entries(reply.body)
        except (ValueError, RecursionError, MemoryError):
            why = "the reply cannot be read"
    return [_answer(url, entries.get(url, []), why, digest, reply.fetched_at) for url in urls]


def _answer(url: str, words: Sequence[Any], why: str, digest: str, at: float) -> Answer:
    if not why and words and all(word is words[0] for word in words) and isinstance(words[0], bool):
        raw = json.dumps({"url": url, "optOut": words[0]})
        return Answer(url, words[0], raw, digest, at)
    return Answer(url, None, f"{url}: {why or 'no plain answer for this address'}", digest, at)


def _unusable(reply: Fetched) -> str:
    if reply.error is not None:
        return f"no answer ({reply.error.value})"
    if reply.status != 200:
        return f"status {reply.status}"
    return "" if reply.complete else "the reply was cut"


def _entries(body: bytes) -> dict[str, list[Any]]:
    """Every `optOut` by its address. Raises ValueError for what is not the reply of this service."""
    reply = json.loads(body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refuse)
    if not isinstance(reply, dict) or not isinstance(reply.get("urls"), list):
        raise ValueError("not a list of urls")
    found: dict[str, list[Any]] = {}
    for entry in reply["urls"]:
        if not isinstance(entry, dict) or not isinstance(entry.get("url"), str):
            raise ValueError("an entry without an address")
        found.setdefault(entry["url"], []).append(entry.get("optOut"))
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


__all__ = ["MAX_BATCH", "SpawningClient", "key_of", "read_reply", "require_key"]
