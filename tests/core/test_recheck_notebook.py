"""What several rechecks of one candidate add up to."""

from __future__ import annotations

from typing import Any

import pytest

from kyodaku.recheck.notebook import _joined
from kyodaku.recheck.overlay import laid_over


def evidence(licence: str) -> dict[str, str]:
    return {"binding": "rel-license", "licence": licence}


def signal(raw: str, effect: str = "reserved") -> dict[str, str]:
    return {"raw": raw, "effect": effect, "where": "header", "binding": "image"}


def row(page: str, *licences: str, signals: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "candidate_id": "c",
        "page": page,
        "page_sha256": "",
        "words": [],
        "signals": [signal(raw) for raw in signals],
        "evidence": [evidence(licence) for licence in licences],
        "gate_verdict": "proceed",
    }


COLUMNS = (
    "alt", "title", "caption", "link_text", "page_title", "schema_name", "schema_description",
    "schema_creator", "schema_credit",
)  # fmt: skip
CRAWLED = {
    **dict.fromkeys(COLUMNS, ""),
    "candidate_id": "c",
    "signals": [],
    "evidence": [evidence("by-4.0")],
}


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (row("changed", "cc0"), row("same"), ["by-4.0"]),
        (row("changed", "cc0"), row("changed", "by-sa-4.0"), ["by-sa-4.0"]),
        (row("changed", "cc0"), row("changed"), []),
        (row("same"), row("changed"), []),
    ],
)
def test_a_licence_that_only_a_version_in_between_gave_is_gone(
    first: dict[str, Any], second: dict[str, Any], expected: list[str]
) -> None:
    laid = laid_over([CRAWLED], {"c": _joined(first, second)})[0]
    assert [item["licence"] for item in laid["evidence"]] == expected


def test_a_no_of_an_earlier_recheck_stays() -> None:
    joined = _joined(row("changed", signals=("noai",)), row("same", signals=("other",)))
    assert {signal["raw"] for signal in joined["signals"]} == {"noai", "other"}


def test_a_grant_of_an_earlier_recheck_is_gone() -> None:
    first = {**row("same"), "signals": [signal("train-ai=y", "permitted")]}
    assert _joined(first, row("same"))["signals"] == []


def test_words_of_an_earlier_recheck_stay_beside_the_picture() -> None:
    crawled = {**CRAWLED, "alt": "A hill", "link_text": "More / See all"}
    first = {**row("changed"), "words": ["A hill", "Cloaked with Glaze, protected from AI"]}
    second = {**row("changed"), "words": ["A hill at dawn", "See all"]}
    laid = laid_over([crawled], {"c": _joined(first, second)})[0]
    assert laid["alt"] == "A hill"
    assert laid["link_text"] == ("More / See all / Cloaked with Glaze, protected from AI / A hill at dawn")
