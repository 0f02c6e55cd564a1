"""docs/records.md and kyodaku/records.py say the same: every table, every column, every type, in order."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pytest

from kyodaku.records import (
    EVIDENCE_TYPE,
    FINDING_TYPE,
    HEADER_TYPE,
    HOP_TYPE,
    SCHEMAS,
    SIGNAL_TYPE,
    VALUE_TYPE,
    schema_id,
)

DOC = (Path(__file__).resolve().parents[2] / "docs" / "records.md").read_text("utf-8")
PARTS = {
    "header": HEADER_TYPE,
    "hop": HOP_TYPE,
    "signal": SIGNAL_TYPE,
    "evidence": EVIDENCE_TYPE,
    "finding": FINDING_TYPE,
    "value": VALUE_TYPE,
}
SHORT = {"int64": "int", "double": "float"}


def type_name(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"list of {type_name(kind.value_type)}"
    for name, part in PARTS.items():
        if kind == part:
            return name
    return SHORT.get(str(kind), str(kind))


def columns(title: str) -> list[tuple[str, str, str]]:
    """Name, type and meaning of each column that the doc lists below a title."""
    found = re.search(rf"^##+ {re.escape(title)}\n(.*?)(?=^##|\Z)", DOC, re.MULTILINE | re.DOTALL)
    assert found, f"docs/records.md has no section {title}"
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]+?) \| (.+?) \|$", found[1], re.MULTILINE)
    return [(name, kind, meaning) for name, kind, meaning in rows]


WANTED = {schema_id(schema): [(f.name, type_name(f.type)) for f in schema] for schema in SCHEMAS.values()}
WANTED |= {name: [(f.name, type_name(f.type)) for f in part] for name, part in PARTS.items()}


@pytest.mark.parametrize("title", WANTED)
def test_every_column_is_documented(title: str) -> None:
    listed = columns(title)
    assert [(name, kind) for name, kind, _ in listed] == WANTED[title]
    assert all(meaning.strip() for _, _, meaning in listed)


def test_no_table_is_documented_that_does_not_exist() -> None:
    titles = set(re.findall(r"^## ([a-z]+/\d+)$", DOC, re.MULTILINE))
    assert titles == {schema_id(schema) for schema in SCHEMAS.values()}
