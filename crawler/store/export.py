"""From crawl.sqlite to the tables that later stages read: hosts, pages, candidates, what is not stored."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from crawler.answers.intake import known_as, load_context
from crawler.store.codec import load_evidence, load_headers, load_hops, load_signals, merged
from crawler.store.schema import Kind
from crawler.store.store import Store
from crawler.store.unstored import export_prints
from kyodaku.durable import fsync_dir
from kyodaku.errors import UnsafeAddressError
from kyodaku.fingerprint import uid_of
from kyodaku.netguard import host_of
from kyodaku.reasons import HoldReason
from kyodaku.records import CANDIDATES, HOSTS, PAGES, Candidate
from kyodaku.runs import RunFolder
from kyodaku.shards import write_parquet
from kyodaku.signals.model import Headers

#: Rows of one candidates file.
ROWS = 100_000

_CANDIDATES = """
SELECT c.candidate_id, c.image_url, c.page_url, c.depth, c.found_at, c.context, c.gate, c.verdict, c.reason,
       c.not_requested, c.signals, c.evidence, coalesce(p.sha256, ''), coalesce(p.signals, '[]'),
       i.id IS NOT NULL, i.state, i.gate, i.verdict, i.reason, i.not_requested, i.final_url, i.hops, i.status,
       i.headers, i.fetched_at, i.bytes, i.sha256, i.mime, i.width, i.height, i.signals, i.evidence,
       coalesce(r.shard, -1), coalesce(r.key, ''), coalesce(p.url, ''), coalesce(p.hops, '[]')
FROM candidates c
LEFT JOIN requests p ON p.id = c.page AND c.page <> 0
LEFT JOIN requests i ON i.id = c.image AND c.image <> 0
LEFT JOIN raw r ON r.sha256 = i.sha256 AND r.status = 'success' AND i.verdict = 'proceed'
ORDER BY c.candidate_id
"""
#: Pages that are named for an image and lead to another one.
_LED = """
SELECT l.image_url, r.url, r.final_url, r.hops
FROM listed l JOIN requests r ON r.url = l.page_url AND r.kind = 1
WHERE r.final_url <> '' AND r.final_url <> r.url
"""
_PAGES = """
SELECT url, kind, host, depth, final_url, hops, status, gate, verdict, reason, not_requested, fetched_at,
       bytes, headers, '', (SELECT count(*) FROM candidates c WHERE c.page = r.id), signals
FROM requests r WHERE kind < 2 ORDER BY kind, url
"""
_HOSTS = """
SELECT origin, path, final_url, hops, status, error, headers, sha256, bytes, complete, fetched_at, verdict,
       reason, warc_file, warc_offset
FROM host_files ORDER BY origin, path, id
"""


def export(run: RunFolder, store: Store) -> int:
    """Write the tables of hosts, pages, candidates and what is not stored, whole and atomically; the number
    of candidates."""
    rows = [_host_row(row) for row in store.stream(_HOSTS)]
    write_parquet(pa.Table.from_pylist(rows, schema=HOSTS), run.hosts)
    pages = [_page_row(row) for row in store.stream(_PAGES)]
    write_parquet(pa.Table.from_pylist(pages, schema=PAGES), run.pages)
    run.candidates.mkdir(exist_ok=True)
    ways = _WaysToPages(store)
    candidates = (_candidate(row, ways) for row in store.stream(_CANDIDATES))
    count = number = 0
    while True:
        part = [candidate.to_row() for candidate in islice(candidates, ROWS)]
        if not part and number:
            break
        table = pa.Table.from_pylist(part, schema=CANDIDATES)
        write_parquet(table, run.candidates / f"{number:05d}.parquet")
        count += len(part)
        number += 1
        if len(part) < ROWS:
            break
    _remove_older(run.candidates, number)
    _remove_older(run.unstored, export_prints(run, store))
    return count


def forget_facts(store: Store) -> None:
    """Drop from crawl.sqlite what the exported tables hold now, so that a digest that is purged there stands
    nowhere else. What `kyodaku status` counts stays. The caller commits and then calls `Store.compact`."""
    store.write("UPDATE requests SET headers = '[]', sha256 = '', signals = '[]', evidence = '[]'")
    store.write("UPDATE candidates SET context = '', signals = '[]', evidence = '[]'")
    store.write("UPDATE raw SET sha256 = 'exported ' || id, caption = '', exif = ''")
    store.write("DELETE FROM same_bytes")
    store.write("DELETE FROM unstored")


def _remove_older(folder: Path, number: int) -> None:
    if not folder.is_dir():
        return
    for path in folder.glob("*.parquet"):
        if path.stem.isdigit() and int(path.stem) >= number:
            path.unlink()
    fsync_dir(folder)


def _host_row(row: tuple[Any, ...]) -> dict[str, Any]:
    values = dict(zip(HOSTS.names, row, strict=True))
    values["hops"] = [{"url": h.url, "status": h.status, "ip": h.ip} for h in load_hops(values["hops"])]
    values["headers"] = [{"name": name, "value": value} for name, value in load_headers(values["headers"])]
    values["complete"] = bool(values["complete"])
    return values


def _page_row(row: tuple[Any, ...]) -> dict[str, Any]:
    values = dict(zip(PAGES.names, row, strict=True))
    values["kind"] = Kind(values["kind"]).name.lower()
    values["hops"] = [asdict(hop) for hop in load_hops(values["hops"])]
    values["signals"] = [asdict(signal) for signal in load_signals(values["signals"])]
    headers = load_headers(values["etag"])
    values["etag"], values["last_modified"] = _header(headers, "etag"), _header(headers, "last-modified")
    if (
        not values["gate_verdict"] and not values["not_requested"]
    ):  # met, and the crawl ended before it was asked
        values |= {"gate": "g0", "gate_verdict": "hold", "gate_reason": HoldReason.NOT_FINISHED.value}
    return values


def _header(headers: Headers, name: str) -> str:
    return next((value for key, value in headers if key.lower() == name), "")


def _candidate(row: tuple[Any, ...], ways: _WaysToPages) -> Candidate:
    """The page's facts and the image's, in one row. The image's word counts only where the page had none."""
    (
        key, image_url, page_url, depth, found_at, context, gate, verdict, reason, not_requested, signals,
        evidence, page_sha256, page_signals,
    ) = row[:14]  # fmt: skip
    candidate = Candidate(
        candidate_id=key,
        image_url=image_url,
        page_url=page_url,
        host=_host(image_url),
        depth=depth,
        found_at=found_at,
        page_hops=ways.to(page_url, image_url, row[-2], row[-1]),
        page_sha256=page_sha256,
        gate=gate,
        gate_verdict=verdict,
        gate_reason=reason,
        not_requested=not_requested,
        signals=merged(load_signals(page_signals), load_signals(signals)),
        evidence=load_evidence(evidence),
        **load_context(context),
    )
    if row[14]:
        _add_image(candidate, row[15:-2])
    elif verdict == "proceed":  # nothing was asked: no gate after this one has spoken
        candidate.gate_verdict, candidate.gate_reason = "hold", "not_finished"
    return candidate


def _add_image(candidate: Candidate, row: tuple[Any, ...]) -> None:
    (
        _state, gate, verdict, reason, not_requested, final_url, hops, status, headers, fetched_at, size,
        sha256, mime, width, height, signals, evidence, shard, raw_key,
    ) = row  # fmt: skip
    candidate.not_requested = candidate.not_requested or not_requested
    candidate.final_url = final_url
    candidate.hops = load_hops(hops)
    candidate.status = status
    candidate.headers = load_headers(headers)
    candidate.fetched_at = fetched_at
    candidate.bytes = size
    candidate.sha256 = sha256
    candidate.uid = uid_of(sha256) if sha256 else ""
    candidate.mime, candidate.width, candidate.height = mime, width, height
    candidate.signals = merged(candidate.signals, load_signals(signals))
    candidate.evidence = merged(candidate.evidence, load_evidence(evidence))
    if shard >= 0:
        candidate.raw_shard, candidate.raw_key = f"{shard:05d}", raw_key
    if candidate.gate_verdict != "proceed":
        return
    if not verdict:
        candidate.gate_verdict, candidate.gate_reason = "hold", "not_finished"
        return
    candidate.gate, candidate.gate_verdict, candidate.gate_reason = gate, verdict, reason
    if verdict == "fail":
        candidate.failure = reason


def _host(url: str) -> str:
    try:
        return host_of(url)
    except UnsafeAddressError:
        return ""


class _WaysToPages:
    """By which addresses the pages that show images were come to: the redirects of their own requests, and
    those of other pages that a list or a sitemap names for the image and that lead there."""

    def __init__(self, store: Store) -> None:
        self._led: dict[tuple[str, str], set[str]] = defaultdict(set)
        for image, asked, final, hops in store.stream(_LED):
            self._led[known_as(image), final].update((asked, *(hop.url for hop in load_hops(hops))))

    def to(self, page: str, image: str, asked: str, hops: str) -> tuple[str, ...]:
        """The addresses, `page` itself left out, of an `image` that the request for `asked` came to."""
        way = dict.fromkeys((asked, *(hop.url for hop in load_hops(hops))))
        todo = [page, *way]
        while todo:
            found = sorted(self._led.get((image, todo.pop()), set()) - way.keys())
            way.update(dict.fromkeys(found))
            todo += found
        return tuple(url for url in way if url and url != page)
