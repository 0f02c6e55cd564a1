"""Pages and sitemaps of a run, read for people: which were open, and what stood before the others."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kyodaku.candidate import signal_from_row
from kyodaku.errors import RecordError
from kyodaku.reasons import Outcome
from kyodaku.records import PAGES
from kyodaku.release.tables import read_table
from kyodaku.runs import RunFolder
from kyodaku.signals.model import Signal

_LIGHT = [
    "url", "kind", "final_url", "hops", "status", "gate", "gate_verdict", "gate_reason", "not_requested",
    "fetched_at", "bytes", "candidates",
]  # fmt: skip
_OUTCOMES = {"refuse": Outcome.REFUSED, "hold": Outcome.HELD, "fail": Outcome.FAILED}


@dataclass(frozen=True, slots=True)
class Page:
    """One page or sitemap. `index` is its row in pages.parquet; `outcome` is "" when it was open, and
    `reason` then too. `hops` are (URL, status) of every request on the way; none if it was never asked."""

    index: int
    url: str
    kind: str
    final_url: str
    hops: tuple[tuple[str, int], ...]
    status: int
    gate: str
    outcome: str
    reason: str
    fetched_at: float
    bytes: int
    candidates: int

    @property
    def digest(self) -> str:
        """Hex that stands for the URL: what is shown of many pages is chosen by it."""
        return hashlib.sha256(self.url.encode("utf-8", "replace")).hexdigest()


def knows_pages(run: RunFolder) -> bool:
    """True unless the run is older than the table of pages."""
    return run.pages.is_file()


def all_pages(run: RunFolder) -> Iterator[Page]:
    """Every page and sitemap that the crawl met; none for an older run. Raises RecordError."""
    if knows_pages(run):
        index = 0
        for batch in read_table(run.pages, PAGES, _LIGHT).to_batches(max_chunksize=4096):
            for record in batch.to_pylist():
                yield _page(index, record)
                index += 1


def pages_named(run: RunFolder, urls: Collection[str]) -> list[Page]:
    """Pages and sitemaps with one of these URLs, as met or where their answer came from."""
    if not urls or not knows_pages(run):
        return []
    table = read_table(run.pages, PAGES, _LIGHT)
    wanted = pa.array(sorted(urls), pa.string())
    mask = pc.or_(pc.is_in(table["url"], value_set=wanted), pc.is_in(table["final_url"], value_set=wanted))
    indices = pc.indices_nonzero(mask).to_pylist()
    return [_page(*found) for found in zip(indices, table.filter(mask).to_pylist(), strict=True)]


def signals_of(run: RunFolder, pages: Iterable[Page]) -> dict[str, tuple[Signal, ...]]:
    """What the headers, markup and host files said about these pages, by URL."""
    indices = sorted({page.index for page in pages})
    if not indices:
        return {}
    records = read_table(run.pages, PAGES, ["url", "signals"]).take(indices).to_pylist()
    try:
        return {
            record["url"]: tuple(signal_from_row(signal) for signal in record["signals"])
            for record in records
        }
    except (ValueError, TypeError) as error:
        raise RecordError(f"{run.pages}: {error}; it was written by another version") from error


def reasons_given(page: Page, signals: Iterable[Signal]) -> list[Signal]:
    """The observations that kept the page shut, each raw line once."""
    given = {signal.raw: signal for signal in reversed(tuple(signals)) if signal.reason == page.reason}
    return list(reversed(given.values()))


def _page(index: int, record: dict[str, Any]) -> Page:
    outcome: str = _OUTCOMES.get(record["gate_verdict"], "")
    if record["not_requested"]:
        outcome = Outcome.NOT_REQUESTED
    return Page(
        index=index,
        url=record["url"],
        kind=record["kind"],
        final_url=record["final_url"],
        hops=tuple((hop["url"], hop["status"]) for hop in record["hops"]),
        status=record["status"],
        gate=record["gate"],
        outcome=outcome,
        reason=(record["not_requested"] or record["gate_reason"]) if outcome else "",
        fetched_at=record["fetched_at"],
        bytes=record["bytes"],
        candidates=record["candidates"],
    )
