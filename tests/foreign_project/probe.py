"""One crawl on the production reactor that asks for exactly what a plan says and tells what came of it.

    python -m tests.foreign_project.probe PLAN.json RESULT.json

Plan: `recipe`, `requests` ({url, kind, method}, asked one after the other), and to stand in for the
internet `answers` (name -> what the resolver says, call by call) with `port`, where every connection to
port 80 really goes. Result: one object per request, and `connects`, the addresses connected to.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import scrapy
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.http import Response

from kyodaku.integrations.scrapy import META_KIND, GateClosed, Shared, trail_of


class Probe(scrapy.Spider):
    """Asks one request after the other."""

    name = "probe"
    plan: dict[str, Any]
    results: list[dict[str, Any]]

    async def start(self) -> AsyncIterator[Any]:
        """No request goes through the scheduler, so the order is the plan's."""
        for wanted in self.plan["requests"]:
            meta = {META_KIND: wanted["kind"]} if wanted.get("kind") else {}
            meta |= {"handle_httpstatus_all": True, "dont_redirect": True, "dont_retry": True}
            meta |= wanted.get("meta", {})
            request = scrapy.Request(
                wanted["url"],
                method=wanted.get("method", "GET"),
                headers=wanted.get("headers"),
                meta=meta,
                dont_filter=True,
            )
            engine = self.crawler.engine
            assert engine is not None
            fetch = engine.download_async
            if wanted.get("bypass"):  # past every middleware, straight to the handler
                fetch = engine.downloader.handlers.download_request_async
            try:
                response = await fetch(request)
            except Exception as error:
                self.results.append(told(wanted["url"], error))
            else:
                self.results.append(came(wanted["url"], response))
        for nothing in ():
            yield nothing


def told(url: str, error: Exception) -> dict[str, Any]:
    """A request that did not come through."""
    result: dict[str, Any] = {"url": url, "error": type(error).__name__}
    if isinstance(error, GateClosed):
        result |= {
            "gate": error.result.gate,
            "verdict": error.result.verdict.value,
            "reason": error.result.reason,
            "gates": [asked.gate for asked in error.results],
            "sha256": error.sha256,
            "ip": error.ip,
            "fetch_error": error.error.value if error.error is not None else "",
            "status": error.head.status if error.head is not None else 0,
        }
    return result


def came(url: str, response: Response) -> dict[str, Any]:
    """A request whose answer came through."""
    trail = trail_of(response)
    return {
        "url": url,
        "status": response.status,
        "bytes": len(response.body),
        "gates": [asked.gate for asked in trail.results],
        "headers": trail.head.headers,
        "sha256": trail.sha256,
        "ip": trail.ip,
        "served_by": str(response.ip_address),
    }


class StandIn:
    """The internet, in little: scripted answers of a resolver, and one server behind every address."""

    def __init__(self, answers: dict[str, list[Sequence[str]]], port: int) -> None:
        self._answers = answers
        self._port = port
        self.asked: list[str] = []
        self.connects: list[str] = []

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """The next answer for `host`."""
        self.asked.append(host)
        script = self._answers.get(host)
        if not script:
            raise OSError(f"no such name: {host}")
        return script.pop(0) if len(script) > 1 else script[0]

    def install(self) -> None:
        """Let the reactor's connections end at the one server."""
        from twisted.internet import reactor

        genuine: Any = reactor.connectTCP  # type: ignore[attr-defined]

        def connect(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
            self.connects.append(f"{host} {port}")
            return genuine("127.0.0.1", self._port, *args, **kwargs)

        reactor.connectTCP = connect  # type: ignore[attr-defined]


def main(plan_file: Path, result_file: Path) -> None:
    """Run the plan."""
    plan = json.loads(plan_file.read_text("utf-8"))
    settings: dict[str, Any] = {
        "ADDONS": {"kyodaku.integrations.scrapy.KyodakuAddon": 0},
        "KYODAKU_RECIPE": plan["recipe"],
        "LOG_LEVEL": "INFO",
        "DOWNLOAD_DELAY": 0.0,
        "STATS_DUMP": False,
        **plan.get("settings", {}),
    }
    world = StandIn(plan["answers"], plan["port"]) if "answers" in plan else None
    if world is not None:
        settings["KYODAKU_RESOLVER"] = Shared(world.resolve)
    Probe.plan, Probe.results = plan, []
    process = AsyncCrawlerProcess(settings)
    process.crawl(Probe)
    if world is not None:
        world.install()
    process.start()
    told_all = {
        "results": Probe.results,
        "connects": world.connects if world else [],
        "asked": world.asked if world else [],
    }
    result_file.write_text(json.dumps(told_all), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
