"""Reading the Parquet tables of a run or a release, with their schema checked first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from kyodaku.errors import RecordError
from kyodaku.records import check_schema


def read_table(path: Path, schema: pa.Schema, columns: list[str] | None = None) -> pa.Table:
    """The table at `path` (or some of its columns), whose schema must be exactly `schema`. Raises
    RecordError."""
    try:
        with pq.ParquetFile(path) as file:
            check_schema(file.schema_arrow, schema, str(path))
            return file.read(columns)
    except FileNotFoundError:
        raise RecordError(f"{path}: missing") from None
    except (pa.ArrowException, OSError) as error:
        raise RecordError(f"{path}: not a Parquet file that can be read ({error})".splitlines()[0]) from error


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
