"""Brands: agencies, addresses, handles and owners are seen; what stands on old art is none of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.annotators.base import Finding, Status
from curation.annotators.brands import Brands
from curation.phrases import brands
from kyodaku.reasons import FilterReason, QuarantineReason
from kyodaku.recipe import Annotators, Filters
from kyodaku.recipe.filters import Watermark
from tests.curation.looking import ruled
from tests.tools import cpu_seconds

_FILE = Path(__file__).with_name("brands.jsonl")
VECTORS = [json.loads(line) for line in _FILE.read_text(encoding="utf-8").splitlines()]

JUDGE = Brands.build(Annotators())


def read(text: str) -> Finding:
    return Finding("text", "1", Status.OK, 0.9, "text", text, {"unread": 0.0}, b"mask")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["text"][:40])
def test_vectors(vector: dict[str, Any]) -> None:
    found = JUDGE.judge(read(vector["text"]))
    assert (found.level, sorted(found.values)) == (vector["level"], vector["kinds"])
    assert found.mask == (b"mask" if found.values else b"")


@given(st.text())
def test_never_raises(text: str) -> None:
    assert brands.level(brands.find(text)) in ("none", "possible", "likely")


def test_every_name_is_found_as_it_is_written() -> None:
    import tomllib

    for kind, table in tomllib.loads(brands.data_file().read_text(encoding="utf-8")).items():
        if kind != "asset":
            for name in (*table["names"], *table.get("alone", ())):
                assert kind in {claim.kind for claim in brands.find(f"a view\n{name}\nof Edo")}, name


def test_the_filter_drops_what_is_likely_if_the_recipe_asks() -> None:
    lax = Filters(watermark=Watermark(brands=False))
    likely, possible, none = (JUDGE.judge(read(text)) for text in ("alamy", "copyright Kyo", "1793"))
    assert ruled(Filters(), likely) is FilterReason.BRAND_TEXT
    assert [ruled(Filters(), possible), ruled(Filters(), none), ruled(lax, likely)] == [None, None, None]
    unread = JUDGE.judge(None)
    assert unread.status is Status.UNKNOWN
    assert ruled(Filters(), unread) is QuarantineReason.NOT_LOOKED_AT
    assert ruled(lax, unread) is None


@pytest.mark.parametrize("unit", ["ai-", "N.", "a.i.", "a@", "a@b.", "www.", "abcd-ef.c", "© 1908 "])
def test_the_longest_text_is_read_in_no_time(unit: str) -> None:
    text = (unit * 24_000)[:24_000]
    assert cpu_seconds(lambda: brands.find(text), 0.6) < 0.6


@pytest.mark.parametrize("name", ["a" * 80, "ai-" * 40 + "b", "x" * 63, "x" * 64])
def test_an_address_of_any_length_is_one(name: str) -> None:
    for text in (f"{name}.com", f"see {name}.com!", f"{name}@example.com"):
        assert "address" in {claim.kind for claim in brands.find(text)}
