"""`SmallWeb`: the small web as a context manager, in a thread of its own.

with SmallWeb() as web:
    crawl(host_table=web.host_table_path, seeds=web.seeds)
    assert not [entry for entry in web.log if entry.host == "closed.example" and ".jpg" in entry.path]
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kyodaku.reasons import Reason
from tests.web.model import ExpectedCandidate, Route, Site, candidates
from tests.web.server import Request, Server
from tests.web.sites import all_sites


class SmallWeb:
    """Real HTTP servers on free ports of 127.0.0.1.

    Args:
        sites: the sites to serve; all of them by default.
        clock: time of the log's entries, in seconds.
        folder: where the host table and the CA go; a temporary folder by default.
    """

    def __init__(
        self,
        sites: Sequence[Site] | None = None,
        clock: Callable[[], float] = time.monotonic,
        folder: Path | None = None,
    ) -> None:
        self.sites = tuple(all_sites() if sites is None else sites)
        self._clock = clock
        self._given_folder = folder
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="small-web", daemon=True)
        self._server: Server | None = None

    def __enter__(self) -> Self:
        if self._given_folder is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="small-web-")
        self._thread.start()
        try:
            self._server = self._call(self._start())
            self._write_files()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._call(self._stop(self._server))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        if self._temporary is not None:
            self._temporary.cleanup()

    # ----------------------------------------------------------------- where things are

    @property
    def folder(self) -> Path:
        """Holds `hosts.toml`, `ca.pem` and `expected.json`."""
        if self._given_folder is not None:
            return self._given_folder
        assert self._temporary is not None, "the small web is not running"
        return Path(self._temporary.name)

    @property
    def host_table_path(self) -> Path:
        """The host table that a recipe's `network.host_table` may name."""
        return self.folder / "hosts.toml"

    @property
    def ca_path(self) -> Path:
        """PEM of the test CA."""
        return self.folder / "ca.pem"

    @property
    def hosts(self) -> dict[str, str]:
        """`name:port` of records -> `address:port` here."""
        ports = self.server.ports
        table: dict[str, str] = {}
        for site in self.sites:
            for scheme, port in (("http", 80), ("https", 443)):
                if scheme == "https" and site.scheme == "http":
                    continue
                local = ports[scheme] if site.reachable else ports["closed"]
                table[f"{site.name}:{port}"] = f"127.0.0.1:{local}"
        return table

    @property
    def seeds(self) -> list[str]:
        """Home pages where a crawl of this web begins."""
        return [site.root for site in self.sites if site.seed]

    # ----------------------------------------------------------------- what happens

    @property
    def server(self) -> Server:
        """The running server."""
        assert self._server is not None, "the small web is not running"
        return self._server

    @property
    def log(self) -> list[Request]:
        """Every request so far, in order of arrival."""
        return list(self.server.log)

    def requests(self, host: str, path: str | None = None) -> list[Request]:
        """The log's entries of one host, or of one path of it."""
        return [entry for entry in self.log if entry.host == host and path in (None, entry.path)]

    def set(self, url: str, *answers: Route) -> None:
        """From now on `url` answers with `answers` in turn, and with the last one for ever.

        `web.set(url, Reply(status=503), web.answer(url))` is a server that recovers.
        """
        assert answers, "give at least one answer"
        self._loop.call_soon_threadsafe(self.server.change, url, answers)

    def answer(self, url: str) -> Route:
        """What `url` answers by its site's data, for use in `set`."""
        return self.server.route_of(url)

    # ----------------------------------------------------------------- what must come of it

    @property
    def expected(self) -> dict[tuple[str, str], ExpectedCandidate]:
        """(image URL, page URL) -> what must become of that candidate under the demo recipe."""
        listed = [item for site in self.sites for item in candidates(site)]
        return {(item.image_url, item.page_url): item for item in listed}

    @property
    def expected_pages(self) -> dict[str, Reason]:
        """Page URL -> why that page is not read."""
        return {
            site.url(page.path): page.expect_page
            for site in self.sites
            for page in site.pages
            if page.expect_page is not None
        }

    @property
    def expected_hosts(self) -> dict[str, Reason]:
        """Host -> why all of it is closed."""
        return {site.name: site.expect_host for site in self.sites if site.expect_host is not None}

    @property
    def trap_hosts(self) -> frozenset[str]:
        """Hosts without an end: their candidates are not in `expected`."""
        return frozenset(site.name for site in self.sites if site.trap)

    # ----------------------------------------------------------------- inside

    async def _start(self) -> Server:
        server = Server(self.sites, self._clock)
        await server.start()
        return server

    async def _stop(self, server: Server) -> None:
        await server.stop()
        waiting = asyncio.all_tasks() - {asyncio.current_task()}  # slow answers that nobody waits for now
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    def _call(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    def _write_files(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.server.ca.cert_pem.write_to_path(str(self.ca_path))
        self.host_table_path.write_text(host_table(self.hosts, self.ca_path.name), "utf-8")
        expected = [
            {
                "image_url": item.image_url,
                "page_url": item.page_url,
                "outcome": item.expect.outcome,
                "reason": item.expect.reasons[0],
            }
            for item in self.expected.values()
        ]
        (self.folder / "expected.json").write_text(json.dumps(expected, indent=1), "utf-8")


def host_table(hosts: dict[str, str], ca: str = "") -> str:
    """The TOML text of a host table; `ca` is a path relative to the table, if any site speaks HTTPS."""
    return "\n".join(
        [
            "# Written by tests.web: names of the small web and where they listen.",
            *([f"ca = {json.dumps(ca)}"] if ca else []),
            "",
            "[hosts]",
            *(f"{json.dumps(name)} = {json.dumps(address)}" for name, address in sorted(hosts.items())),
            "",
        ]
    )
