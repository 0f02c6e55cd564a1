"""Whom a release credits: what the page says of the maker, else the institution whose page it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from curation.stage import curate, release
from kyodaku.release.verify import verify_release
from kyodaku.signals.model import LicenceBinding
from tests.curation.fixtures import PUBLIC_DOMAIN, Found, context, jpeg, make_run

INSTITUTION = replace(
    PUBLIC_DOMAIN, binding=LicenceBinding.INSTITUTION_PAGE, institution="museum.example", licence="pdm-1.0"
)


def says(creator: str = "", credit: str = "") -> dict[str, Any]:
    return {"schema_creator": creator, "schema_credit": credit}


def test_makers_are_named_and_counted(tmp_path: Path) -> None:
    found = [
        Found("wave", jpeg(1), changes=says("Hokusai", "Hokusai, the museum")),
        Found("fuji", jpeg(2), changes=says("Hokusai")),
        Found("rain", jpeg(3), changes=says("Hiroshige")),
        Found("photo", jpeg(4), changes=says(credit="The archive")),
        Found("vase", jpeg(5), evidence=(INSTITUTION,), changes=says()),
        Found("leaf", jpeg(6), changes=says()),
    ]
    run = make_run(tmp_path, found)
    curate(context(run))
    release(context(run))
    owed = {row["uid"]: row for row in pq.read_table(run.release() / "attribution.parquet").to_pylist()}
    told = {
        item.name: tuple(owed[item.uid][name] for name in ("creator", "credit", "creator_images"))
        for item in found
    }
    assert told == {
        "wave": ("Hokusai", "Hokusai, the museum", 2),
        "fuji": ("Hokusai", "Hokusai", 2),
        "rain": ("Hiroshige", "Hiroshige", 1),
        "photo": ("", "The archive", 0),
        "vase": ("", "museum.example", 0),
        "leaf": ("", "", 0),
    }
    assert verify_release(run.release()).ok
