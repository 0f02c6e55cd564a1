"""The release of the demo, as a trainer meets it: readable, whole, and without anybody's whereabouts."""

from __future__ import annotations

import io
import struct
from collections import Counter
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from PIL import ExifTags, Image

from kyodaku.reasons import Outcome
from kyodaku.release.reader import open_release
from kyodaku.release.verify import verify_release
from tests.e2e.conftest import DemoRun
from tests.e2e.sweep import sweep
from tests.e2e.test_demo_outcomes import rows
from tests.e2e.test_nothing_refused_remains import body_of


def samples(demo: DemoRun) -> list[dict[str, Any]]:
    """Every released sample, read by webdataset through our reader."""
    return list(open_release(demo.run.release(), images=""))


def test_webdataset_reads_exactly_the_released_candidates(demo: DemoRun) -> None:
    released = {row["uid"] for row in rows(demo).values() if row["outcome"] == Outcome.RELEASED}
    read = samples(demo)
    assert {sample["__key__"] for sample in read} == released
    assert len(read) == len(released)
    for sample in read:
        assert {name for name in sample if not name.startswith("__")} == {"jpg", "json", "txt"}
        assert sample["txt"].strip()
        with Image.open(io.BytesIO(sample["jpg"])) as image:
            image.load()
            assert image.format == "JPEG"


def test_the_release_verifies(demo: DemoRun) -> None:
    assert verify_release(demo.run.release(), 0, 2).ok


def test_makers_are_credited(demo: DemoRun) -> None:
    owed = pq.read_table(demo.run.release() / "attribution.parquet").to_pylist()
    named = Counter(row["creator"] for row in owed if row["creator"])
    assert len(named) > 2, "object pages of the museum name their makers"
    assert max(named.values()) > 1
    assert all(row["creator_images"] == named[row["creator"]] for row in owed)
    assert all(
        row["credit"] for row in owed if row["creator"] or row["evidence_binding"] == "institution_page"
    )


def test_a_picture_that_knows_its_place_is_released_without_it(demo: DemoRun) -> None:
    placed = []
    for (url, _), row in rows(demo).items():
        body = body_of(demo, url) if row["outcome"] == Outcome.RELEASED else b""
        if not body:
            continue
        with Image.open(io.BytesIO(body)) as image:
            gps = image.getexif().get_ifd(ExifTags.IFD.GPSInfo)
            if gps:
                placed.append((row["uid"], body, gps))
    assert placed, "the museum shows a GPS-tagged photograph"
    read = {sample["__key__"]: sample["jpg"] for sample in samples(demo)}
    blobs = [blob.data for blob in sweep(demo.run.release())]
    for uid, body, gps in placed:
        with Image.open(io.BytesIO(body)) as source, Image.open(io.BytesIO(read[uid])) as image:
            assert not image.getexif().get_ifd(ExifTags.IFD.GPSInfo)
            assert np.array_equal(np.asarray(source), np.asarray(image)), "the pixels stay bit-exact"
        for order in "<>":
            for axis in (ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLongitude):
                seconds = struct.pack(f"{order}LL", *_rational(gps[axis][2]))
                assert not any(seconds in data for data in blobs)


def _rational(value: Any) -> tuple[int, int]:
    return int(value.numerator), int(value.denominator)
