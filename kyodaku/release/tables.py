"""Reading the Parquet tables of a run or a release, with their schema checked first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from kyodaku.errors import RecordError
from kyodaku.records import check_schema, schema_id
from kyodaku.shards import neutralise_formula

_NEW_CRAWL = "restore it, or crawl again with --new"
_CURATE = "run kyodaku curate, which makes it again"
_VERIFY = "kyodaku verify tells what else is wrong with this release"

#: What to do about a table that is missing or damaged, by the name of its schema.
_REMEDY = {
    **dict.fromkeys(("hosts", "pages", "candidates", "raw"), _NEW_CRAWL),
    "rechecks": "run kyodaku recheck, which asks again",
    **dict.fromkeys(("annotations", "matches", "decisions", "captions"), _CURATE),
    **dict.fromkeys(("released", "index", "attribution"), _VERIFY),
}


#: Columns of a release's tables that hold words of strangers.
TOLD_BY_PAGES = ("url", "page_url", "caption", "creator", "credit", "licence_url", "evidence_url")


def for_tables(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as the Parquet files of a release hold it: a spreadsheet that opens them computes nothing.

    The words of pages are verbatim in each sample's json and txt, which models are trained on; here those
    that could be read as a formula begin with an apostrophe. Doing it twice changes nothing.
    """
    return {
        name: neutralise_formula(value) if name in TOLD_BY_PAGES and isinstance(value, str) else value
        for name, value in row.items()
    }


def read_table(path: Path, schema: pa.Schema, columns: list[str] | None = None) -> pa.Table:
    """The table at `path` (or some of its columns), whose schema must be exactly `schema`.

    Raises RecordError that says what to do about a file that is missing or damaged.
    """
    try:
        with pq.ParquetFile(path) as file:
            check_schema(file.schema_arrow, schema, str(path))
            table = file.read(columns)
        table.validate(full=True)
    except FileNotFoundError:
        raise RecordError(f"{path} is missing" + _remedy(schema)) from None
    except (pa.ArrowException, OSError) as error:
        told = str(error).partition("\n")[0]
        raise RecordError(
            f"{path} is damaged, not a table that can be read ({told})" + _remedy(schema)
        ) from error
    return table


def _remedy(schema: pa.Schema) -> str:
    found = _REMEDY.get(schema_id(schema).partition("/")[0], "")
    return found and f"; {found}"


def read_rows(path: Path, schema: pa.Schema) -> list[dict[str, Any]]:
    """The rows of the table at `path` as plain dicts. Raises RecordError."""
    rows: list[dict[str, Any]] = read_table(path, schema).to_pylist()
    return rows


def shard_names(folder: Path) -> list[str]:
    """The numbers of the shards in `folder` (`00000`, ...) that have a Parquet file, in order."""
    return sorted(path.stem for path in folder.glob("*.parquet") if path.stem.isdigit())


def iter_rows(folder: Path, schema: pa.Schema) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Every shard of `folder` in order: its number and its rows. Raises RecordError."""
    for name in shard_names(folder):
        yield name, read_rows(folder / f"{name}.parquet", schema)
