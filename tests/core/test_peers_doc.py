"""docs/peers.md is what the measured result says, and the result is of today's vectors."""

from __future__ import annotations

import json

from benchmarks.peers.__main__ import PAGE, RESULT, header_vectors, page


def test_the_page_shows_the_measured_result() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(json.loads(RESULT.read_text(encoding="utf-8")))


def test_the_result_is_of_these_vectors() -> None:
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    measured = [(row["id"], row["headers"], row["refuse"]) for row in result["vectors"]]
    assert measured == [
        (v["id"], v["headers"], v["vector"]["expect"] == "reserved") for v in header_vectors()
    ]
    assert result["machine"]
    assert all(row["kyodaku"] is row["refuse"] for row in result["vectors"])
