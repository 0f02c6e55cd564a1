"""Where a crawl begins: sites, sitemaps and URL lists of the recipe, entered once and resumably."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from crawler.answers.intake import Found, Shown
from crawler.crawl import Crawl
from crawler.frontier.requests import Place
from kyodaku.errors import UsageError
from kyodaku.gate import GateResult, GateVerdict

#: Rows of a list that enter the frontier in one step.
CHUNK = 500
_WANTED = "url, and perhaps caption and page_url"


@dataclass(frozen=True)
class ListRow:
    """One row of a URL list."""

    url: str
    caption: str = ""
    page_url: str = ""


def enter_sites(crawl: Crawl) -> None:
    """Sites and sitemaps of the recipe. Entering what is known already changes nothing."""
    for url in crawl.recipe.seeds.sites:
        crawl.intake.page(url, 0)
    for url in crawl.recipe.seeds.sitemaps:
        crawl.intake.sitemap(url, 0)
    crawl.commit()


def enter_list(crawl: Crawl, path: Path) -> Iterator[int]:
    """Enter a URL list in steps; yields the rows entered so far. What an earlier process entered is
    skipped. Raises UsageError for a file that is no list."""
    key = f"list:{path}"
    done = int(crawl.store.meta(key, "0"))
    rows = islice(read_list(path), done, None)
    while chunk := list(islice(rows, CHUNK)):
        for row in chunk:
            _enter(crawl, row)
        done += len(chunk)
        crawl.store.set_meta(key, str(done))
        crawl.commit()
        yield done


def read_list(path: Path) -> Iterator[ListRow]:
    """Rows of a Parquet, CSV or JSONL file with a `url` and perhaps `caption` and `page_url` columns.

    Raises UsageError: no such file, another format, or no `url` column (the message names those it has).
    """
    readers = {".parquet": _parquet, ".csv": _csv, ".jsonl": _jsonl, ".ndjson": _jsonl}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise UsageError(f"{path}: a URL list is a .parquet, .csv or .jsonl file")
    if not path.is_file():
        raise UsageError(f"{path}: no such URL list")
    for row in reader(path):
        if "url" not in row:
            found = ", ".join(row) or "none"
            raise UsageError(f"{path}: no column named url; columns found: {found}; wanted: {_WANTED}")
        url = str(row["url"] or "").strip()
        if url:
            yield ListRow(url, str(row.get("caption") or ""), str(row.get("page_url") or "").strip())


def _parquet(path: Path) -> Iterator[dict[str, object]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        names = file.schema_arrow.names
        if "url" not in names:
            yield dict.fromkeys(names)  # for the message: there may be no row to name them
            return
        columns = [name for name in ("url", "caption", "page_url") if name in names]
        for batch in file.iter_batches(batch_size=CHUNK, columns=columns):
            yield from batch.to_pylist()
    except pa.ArrowException as error:
        raise UsageError(f"{path}: not a Parquet file: {error}") from error


def _csv(path: Path) -> Iterator[dict[str, object]]:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        reader = csv.DictReader(file)
        if "url" not in (reader.fieldnames or ()):
            yield {str(name): None for name in reader.fieldnames or ()}
            return
        for row in reader:
            yield {str(key): value for key, value in row.items()}


def _jsonl(path: Path) -> Iterator[dict[str, object]]:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise UsageError(f"{path}: line {number} is not JSON") from error
            if not isinstance(row, dict):
                raise UsageError(f"{path}: line {number} is not a JSON object")
            yield row


def _enter(crawl: Crawl, row: ListRow) -> None:
    if row.page_url:
        place = crawl.scope.place(row.page_url)
        if isinstance(place, Place):
            crawl.intake.listed(place.url, row.url, row.caption)
            if crawl.intake.page(place.url, 0, follow=False, anywhere=True) is not None:
                return
            place = GateResult("g2", GateVerdict.HOLD, "not_finished")
        said, page_url = place, row.page_url
    else:
        said, page_url = GateResult("g0", GateVerdict.PROCEED, ""), ""
    crawl.intake.candidate(Found(row.url, caption=row.caption), Shown(0, page_url, "", 0), said)
