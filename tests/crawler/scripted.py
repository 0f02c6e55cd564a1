"""A crawl without a network: a `Crawl` on a clock that stands still, and a web that is a dictionary."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

from crawler.answers.answers import Answer
from crawler.crawl import Crawl, Outgoing
from crawler.store.schema import Kind
from kyodaku.gate import GateResult, GateVerdict, redirect_target
from kyodaku.netguard import HostTable, NetPolicy, Target
from kyodaku.permission import Permission
from kyodaku.recipe import Recipe, parse_recipe
from kyodaku.records import Candidate
from kyodaku.registry_client import EMPTY_SNAPSHOT, RegistrySnapshot, Service
from kyodaku.registry_client import Answer as RegistryAnswer
from kyodaku.rules import Rules
from kyodaku.runs import RunFolder
from kyodaku.signals.carriers.headers import ResponseHead
from kyodaku.signals.model import Fetched, FetchError, Hop
from kyodaku.signals.protocols import all_protocols
from kyodaku.urls import origin_of

NOW = 1_790_000_000.0


@dataclass(frozen=True)
class Page:
    """A scripted answer; `error` instead of one."""

    body: bytes = b""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "text/html; charset=utf-8"),)
    error: FetchError | None = None


def html(body: str, *headers: tuple[str, str], status: int = 200) -> Page:
    """A page."""
    return Page(body.encode(), status, (("Content-Type", "text/html; charset=utf-8"), *headers))


def text(body: str, status: int = 200) -> Page:
    """A robots file."""
    return Page(body.encode(), status, (("Content-Type", "text/plain"),))


def redirect(target: str) -> Page:
    """A redirect."""
    return Page(b"", 302, (("Location", target),))


def png(seed: int = 0) -> Page:
    """A one-pixel PNG; another `seed`, other bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    pixel = zlib.compress(b"\x00" + seed.to_bytes(3, "big"))
    header = bytes.fromhex("0000000100000001") + b"\x08\x02\x00\x00\x00"
    body = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")
    return Page(body, 200, (("Content-Type", "image/png"),))


def recipe(**sections: Any) -> Recipe:
    """A recipe for `*.example` hosts on a host table; sections replace the defaults key by key."""
    data: dict[str, Any] = {
        "version": 1,
        "name": "scripted",
        "operator": {"crawler": "TestCrawler"},
        "seeds": {"sites": ["http://a.example/"]},
        "network": {"host_table": "hosts.toml"},
        "politeness": {"delay": 1.0, "jitter": 0, "hold_retries": [10.0], "retries": 1, "max_delay": 60.0},
        "permission": {"basis": "not-opted-out"},
    }
    for name, section in sections.items():
        data[name] = {**data.get(name, {}), **section} if isinstance(section, dict) else section
    return parse_recipe(data, "test")


class AnyHost(dict[tuple[str, int | None], Target]):
    """A host table that knows every `*.example`."""

    def get(self, key: tuple[str, int | None], default: Any = None) -> Any:
        return Target("127.0.0.1", 1) if key[0].endswith(".example") else default


@dataclass(eq=False)
class Scripted:
    """Drives a crawl. `asked` lists (monotonic time, URL) of everything that was sent.

    Unless `every` protocol is on, robots.txt is the only host file: pace and order are easy to follow then.
    Where the recipe names the registry service, `registry` answers for it: true, false, or None for nothing.
    `batches` are what it was asked.
    """

    folder: Path
    recipe: Recipe
    web: dict[str, Page | Callable[[], Page]]
    moment: float = 1000.0
    asked: list[tuple[float, str]] = field(default_factory=list)
    crawl: Crawl = field(init=False)
    every: bool = False
    registry: Callable[[str], bool | None] = lambda url: False
    batches: list[tuple[float, list[str]]] = field(default_factory=list)
    opened: ClassVar[list[Scripted]] = []

    def __post_init__(self) -> None:
        table = HostTable({("a.example", None): Target("127.0.0.1", 1)})
        object.__setattr__(table, "entries", AnyHost(table.entries))
        rules = Rules.from_recipe(self.recipe, NetPolicy(host_table=table))
        few = [protocol for protocol in all_protocols() if set(protocol.host_files) <= {"/robots.txt"}]
        protocols = all_protocols() if self.every else few
        section = self.recipe.registries.spawning
        snapshot = EMPTY_SNAPSHOT
        if section is not None:
            snapshot = RegistrySnapshot("spawning", service=Service("spawning", section.endpoint))
        self.permission = Permission(rules, snapshot, lambda: NOW, protocols)
        self.open()

    def open(self) -> None:
        """Open (or take up) the run, with its sites entered."""
        from crawler.answers.seeds import enter_sites

        self.crawl = Crawl(
            self.recipe, RunFolder(self.folder), self.permission, lambda: NOW, lambda: self.moment
        )
        self.opened.append(self)
        enter_sites(self.crawl)

    def kill(self) -> None:
        """What a kill leaves: everything since the last commit is gone."""
        if self in self.opened:
            self.opened.remove(self)
        self.crawl.store.close()
        self.crawl.raw.close()
        self.crawl.evidence.close()

    def run(self, steps: int = 10_000) -> None:
        """Answer requests one after the other until nothing is left, or `steps` were made."""
        for _ in range(steps):
            if self.crawl.frontier.asking:
                self.ask_registry()
            outgoing = self.crawl.next()
            if self.crawl.error is not None:
                raise self.crawl.error
            if outgoing is not None:
                self.answer(outgoing)
                continue
            if self.crawl.frontier.asking:
                continue
            due = self.crawl.frontier.next_due()
            if not self.crawl.has_work():
                return
            assert due is not None, "work is left, but nothing will ever be due"
            self.moment = max(self.moment, due)
        self.crawl.commit()

    def ask_registry(self) -> None:
        """One batch, as the clerk asks it."""
        section = self.recipe.registries.spawning
        assert section is not None
        urls = self.crawl.frontier.unanswered(section.batch)
        if urls:
            self.batches.append((self.moment, urls))
            said = [RegistryAnswer(url, self.registry(url), f"about {url}", "d" * 64, NOW) for url in urls]
            self.crawl.registry_answered(said)

    def answer(self, outgoing: Outgoing) -> None:
        """Give one request its scripted answer, through the gates as the add-on asks them."""
        job = outgoing.job
        self.asked.append((self.moment, job.url))
        fetched = self._fetched(job.url)
        if job.run is not None:
            self.crawl.host_file(job, fetched, asked=True)
            return
        answer = self._judged(outgoing, fetched)
        if not answer.asked:
            self.asked.pop()
        self.crawl.answered(job, answer)

    def urls(self) -> list[str]:
        """Everything asked, in order."""
        return [url for _, url in self.asked]

    def candidates(self) -> dict[str, Candidate]:
        """Exported candidates by image URL (the last page's, where several show it)."""
        import pyarrow.parquet as pq

        from crawler.store.export import export

        self.crawl.give_up_rest()
        self.crawl.commit()
        run = RunFolder(self.folder)
        export(run, self.crawl.store)
        rows = pq.read_table(run.candidates / "00000.parquet").to_pylist()
        return {row["image_url"]: Candidate.from_row(row) for row in rows}

    def _fetched(self, url: str) -> Fetched:
        page = self.web.get(url, Page(status=404))
        page = page() if callable(page) else page
        failed = page.error is not None
        return Fetched(
            url=url,
            final_url=url,
            status=None if failed else page.status,
            headers=() if failed else page.headers,
            body=page.body,
            complete=not failed,
            error=page.error,
            fetched_at=NOW,
            hops=(Hop(url, 0 if failed else page.status, "127.0.0.1"),),
        )

    def _judged(self, outgoing: Outgoing, fetched: Fetched) -> Answer:
        job = outgoing.job
        facts = self.crawl.origins.facts(origin_of(job.url))
        assert facts is not None, "a request left before its origin was open"
        assert job.row is not None
        image = job.row.kind is Kind.IMAGE
        result = self.permission.g3(job.url, facts) if image else self.permission.g1(job.url, facts)
        said = result.signals
        if not result.open:
            never = replace(fetched, status=None, body=b"", hops=())
            return Answer(never, result, asked=False, signals=result.signals)
        if fetched.error is not None:
            hold = GateResult("g4" if image else "g2", GateVerdict.HOLD, "image_unreachable")
            return Answer(fetched, hold, asked=True)
        if image and redirect_target(fetched) is None:
            head = ResponseHead(job.url, fetched.status or 0, fetched.headers, NOW)
            result = self.permission.g4(head)
            said = (*said, *result.signals)
            if result.open:
                result = self.permission.g5(head, fetched.body, outgoing.evidence, outgoing.signals)
                said = (*said, *result.signals)
        digest = sha256(fetched.body).hexdigest()
        body = fetched.body if result.open else b""
        return Answer(
            replace(fetched, body=body),
            result,
            asked=True,
            sha256=digest,
            address="127.0.0.1",
            signals=said,
            evidence=result.evidence,
        )
